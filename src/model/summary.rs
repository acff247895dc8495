//! The table of a model's layers, as Keras 3 prints it.

use super::graph::{Entrance, Listed, Places, Source};
use super::model::Model;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// The widths of the columns' texts for a chain: Keras's for a terminal of 92 columns or more.
const CHAIN: [usize; 3] = [36, 27, 15];
/// The same for a graph, which also says what each layer takes, from 112 columns on.
const GRAPH: [usize; 4] = [29, 25, 15, 26];

pub(super) fn summary<T: Scalar>(model: &Model<T>) -> String {
    let graph = &model.graph;
    let places = graph.places();
    let widths = if graph.chain { &CHAIN[..] } else { &GRAPH[..] };
    let mut text = format!("Model: \"{}\"\n", model.name);
    text += &rule(widths, ["┏", "━", "┳", "┓"]);
    let header = ["Layer (type)", "Output Shape", "Param #", "Connected to"];
    text += &line("┃", widths, header.map(str::to_owned));
    // A chain's input is no line of its own.
    let listed = graph.listed.iter().filter(|it| matches!(it, Listed::Layer(_)) || !graph.chain);
    for (i, it) in listed.enumerate() {
        text += &rule(widths, if i == 0 { ["┡", "━", "╇", "┩"] } else { ["├", "─", "┼", "┤"] });
        text += &match *it {
            Listed::Input(input) => {
                let Entrance { name, shape } = &graph.inputs[input];
                row(widths, name, "InputLayer", &[*shape], 0, vec!["-".to_owned()])
            }
            Listed::Layer(at) => {
                let layer = &model.layers[at];
                let params = layer.params.iter().map(|param| param.value.len()).sum();
                let (class_name, from) =
                    (layer.layer.class_name(), connections(model, &places, at));
                row(widths, &layer.name, class_name, &layer.outputs, params, from)
            }
        };
    }
    text += &rule(widths, ["└", "─", "┴", "┘"]);

    let count = |trainable: bool| -> usize {
        let params = model.params().filter(|param| param.weight.trainable == trainable);
        params.map(|param| param.value.len()).sum()
    };
    let (trainable, fixed) = (count(true), count(false));
    let bytes = |count: usize| (count * T::BYTES) as f64;
    // Keras counts the optimizer's step number and learning rate among its numbers.
    let optimizer = (model.progress.iterations > 0).then(|| {
        let mut count = 2;
        for param in model.params() {
            count += param.slots.iter().map(|slot| slot.len()).sum::<usize>();
        }
        count
    });
    let total = trainable + fixed + optimizer.unwrap_or(0);
    let mut total_line = |what: &str, count: usize| {
        text += &format!(" {what}: {} ({})\n", grouped(count), readable(bytes(count)));
    };
    total_line("Total params", total);
    total_line("Trainable params", trainable);
    total_line("Non-trainable params", fixed);
    if let Some(optimizer) = optimizer {
        total_line("Optimizer params", optimizer);
    }
    text.pop();
    text
}

/// What a layer takes in all its places: `conv[0][0]` is what the layer `conv` gives in its first place, `lstm[0][1]` the second
/// of what `lstm` gives.
fn connections<T: Scalar>(model: &Model<T>, places: &Places, layer: usize) -> Vec<String> {
    let graph = &model.graph;
    let name = |source: &Source| match *source {
        Source::Input(input) => format!("{}[0][0]", graph.inputs[input].name),
        Source::Node { node, output } => {
            let of = graph.nodes[node].layer;
            format!("{}[{}][{output}]", model.layers[of].name, places.number[node])
        }
    };
    let mut from = Vec::new();
    for &at in &places.of_layer[layer] {
        for source in &graph.nodes[at].inputs {
            from.push(name(source));
        }
    }
    from
}

/// The lines of a layer.
fn row(
    widths: &[usize],
    name: &str,
    class_name: &str,
    outputs: &[Shape],
    params: usize,
    from: Vec<String>,
) -> String {
    let class = format!("({class_name})");
    let shapes: Vec<String> = outputs.iter().map(|&it| shape_text(it)).collect();
    let shapes = match &shapes[..] {
        [shape] => vec![shape.clone()],
        _ => wrapped(format!("[{}]", shapes.join(", ")).split(' '), widths[1]),
    };
    let names = if name.chars().count() + 1 + class.chars().count() <= widths[0] {
        vec![format!("{name} {class}")]
    } else {
        vec![shortened(name, widths[0]), class]
    };
    let from = from.join(", ");
    let from = widths.get(3).map_or(Vec::new(), |width| wrapped(from.split(' '), *width));
    let lines = (0..names.len().max(from.len()).max(shapes.len())).map(|i| {
        let params = if i == 0 { grouped(params) } else { String::new() };
        let [name, shape, from] =
            [&names, &shapes, &from].map(|lines| lines.get(i).cloned().unwrap_or_default());
        line("│", widths, [name, shape, params, from])
    });
    lines.collect()
}

/// Words, as many on a line as fit.
fn wrapped<'w>(words: impl Iterator<Item = &'w str>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                *line += &format!(" {word}");
            }
            _ => lines.push(shortened(word, width)),
        }
    }
    lines
}

fn rule(widths: &[usize], [left, dash, cross, right]: [&str; 4]) -> String {
    let columns: Vec<String> = widths.iter().map(|width| dash.repeat(width + 2)).collect();
    format!("{left}{}{right}\n", columns.join(cross))
}

/// A line of the table: the third column is of numbers, and ends flush.
fn line(bar: &str, widths: &[usize], texts: [String; 4]) -> String {
    let mut line = bar.to_owned();
    for (column, (&width, text)) in widths.iter().zip(texts).enumerate() {
        let text = shortened(&text, width);
        line += &if column == 2 {
            format!(" {text:>width$} {bar}")
        } else {
            format!(" {text:<width$} {bar}")
        };
    }
    line + "\n"
}

/// As Keras writes the shape of a batch.
pub(crate) fn shape_text(shape: Shape) -> String {
    let dims: String = shape.iter().map(|dim| format!(", {dim}")).collect();
    if dims.is_empty() { "(None,)".to_owned() } else { format!("(None{dims})") }
}

/// A text cut to a width, its end marked with an ellipsis.
fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

/// Digits in groups of three.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Bytes in units of 1024.
fn readable(bytes: f64) -> String {
    let units = ["B", "KB", "MB", "GB", "TB", "PB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.2} {}", units[unit])
}
