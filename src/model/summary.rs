//! The table of a model's layers, as Keras 3 prints it.

use super::model::Model;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// The widths of the three columns' texts: Keras's for a terminal of 92 columns or more.
const WIDTHS: [usize; 3] = [36, 27, 15];

pub(super) fn summary<T: Scalar>(model: &Model<T>) -> String {
    let mut text = format!("Model: \"{}\"\n", model.name);
    text += &rule(["┏", "━", "┳", "┓"]);
    text += &row("┃", ["Layer (type)", "Output Shape", "Param #"].map(str::to_owned));
    for (i, layer) in model.layers.iter().enumerate() {
        text +=
            &rule(if i == 0 { ["┡", "━", "╇", "┩"] } else { ["├", "─", "┼", "┤"] });
        let params: usize = layer.params.iter().map(|param| param.value.len()).sum();
        let shape = shape_text(layer.output);
        let type_text = format!("({})", layer.layer.class_name());
        if layer.name.chars().count() + 1 + type_text.chars().count() <= WIDTHS[0] {
            text += &row("│", [format!("{} {type_text}", layer.name), shape, grouped(params)]);
        } else {
            text += &row("│", [shortened(&layer.name, WIDTHS[0]), shape, grouped(params)]);
            text += &row("│", [type_text, String::new(), String::new()]);
        }
    }
    text += &rule(["└", "─", "┴", "┘"]);

    let count = |trainable: bool| -> usize {
        let params = model.params().filter(|param| param.weight.trainable == trainable);
        params.map(|param| param.value.len()).sum()
    };
    let (trainable, fixed) = (count(true), count(false));
    let bytes = |count: usize| (count * T::BYTES) as f64;
    // Keras counts the optimizer's step number and learning rate among its numbers.
    let optimizer = (model.progress.iterations > 0).then(|| {
        2 + model.params().flat_map(|param| &param.slots).map(|slot| slot.len()).sum::<usize>()
    });
    let total = trainable + fixed + optimizer.unwrap_or(0);
    let mut line = |what: &str, count: usize| {
        text += &format!(" {what}: {} ({})\n", grouped(count), readable(bytes(count)));
    };
    line("Total params", total);
    line("Trainable params", trainable);
    line("Non-trainable params", fixed);
    if let Some(optimizer) = optimizer {
        line("Optimizer params", optimizer);
    }
    text.pop();
    text
}

fn rule([left, dash, cross, right]: [&str; 4]) -> String {
    let columns = WIDTHS.map(|width| dash.repeat(width + 2));
    format!("{left}{}{right}\n", columns.join(cross))
}

fn row(bar: &str, [name, shape, params]: [String; 3]) -> String {
    let [a, b, c] = WIDTHS;
    let shape = shortened(&shape, b);
    format!("{bar} {name:<a$} {bar} {shape:<b$} {bar} {params:>c$} {bar}\n")
}

fn shape_text(shape: Shape) -> String {
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
