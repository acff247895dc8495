//! Pictures of series, images, filters, activations, models, tapes and of training (feature `plot`).
//!
//! Each function makes a [`Figure`], which can get a title, stand beside another one, and be saved as PNG or SVG.
//! The colours are those of the lecture. Any values can be drawn: in images, a NaN stays white, and infinite values have the
//! colours of the largest and of the smallest.
//!
//! ```
//! use cinta::prelude::*;
//! use cinta::plot;
//! # let dir = std::env::temp_dir().join(format!("cinta-plot-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir).unwrap();
//! let model = Sequential::new([16, 16, 1]).add(Conv2d::new(8, 5).name("conv_1")).build(1)?;
//! plot::filters(model.weight("conv_1", "kernel")?)
//!     .title("Filters that know nothing yet")
//!     .save(dir.join("conv_1.png"))?;
//! # assert!(std::fs::read(dir.join("conv_1.png")).unwrap().starts_with(b"\x89PNG"));
//! # std::fs::remove_dir_all(&dir).unwrap();
//! # Ok::<(), cinta::Error>(())
//! ```

mod canvas;
mod chart;
mod diagram;
mod facets;
mod figure;
mod layout;
mod scale;

pub use figure::Figure;

use crate::autograd::Tape;
use crate::model::{History, Model, shape_text};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};
use chart::{Chart, Line, Panel};
use diagram::{Card, Diagram};
use facets::{Facets, Labels, Tile};
use figure::Body;
use scale::Colors;

/// Series over `1, 2, ..`, one line each: the first thin and black, the others thicker and coloured, with a legend if there
/// is more than one. What is not finite is a gap.
///
/// # Panics
/// When a series is no vector.
///
/// ```
/// use cinta::{Tensor, filters, plot};
/// let series = Tensor::from_fn([40], |at| (at[0] as f32 * 0.7).sin());
/// let average = filters::moving_average(&series, 5);
/// let svg = plot::lines([("series", &series), ("average", &average)]).to_svg();
/// assert!(svg.starts_with("<svg") && svg.contains("average"));
/// ```
#[track_caller]
pub fn lines<'a, T: Scalar>(series: impl IntoIterator<Item = (&'a str, &'a Tensor<T>)>) -> Figure {
    let colors = [scale::BLACK, scale::RED, scale::BLUE, scale::GREEN, scale::PURPLE];
    let line = |(i, (name, values)): (usize, (&str, &Tensor<T>))| {
        assert!(
            values.rank() == 1,
            "plot::lines: a series is a vector [n], and {name} has the shape {}",
            values.shape()
        );
        Line {
            name: name.to_owned(),
            points: (1..)
                .zip(values.iter())
                .map(|(t, y): (usize, T)| [t as f64, y.widen()])
                .collect(),
            color: if i == 0 { colors[0] } else { colors[1 + (i - 1) % (colors.len() - 1)] },
            width: if i == 0 { 1.0 } else { 2.0 },
            dots: false,
        }
    };
    let lines = series.into_iter().enumerate().map(line).collect();
    let panel = Panel { name: None, lines, height: 260.0 };
    Figure::new(Body::Chart(Chart { panels: vec![panel], x_name: "t" }))
}

/// A grey picture `[h, w]`, its smallest value black and its largest white.
///
/// # Panics
/// When the tensor is no matrix.
///
/// ```
/// use cinta::{Tensor, plot};
/// let svg = plot::picture(&Tensor::from([[0.0, 1.0], [0.5, 0.25]])).to_svg();
/// assert!(["#000000", "#ffffff", "#808080", "#404040"].iter().all(|grey| svg.contains(grey)));
/// ```
#[track_caller]
#[inline(never)]
pub fn picture<T: Scalar>(picture: &Tensor<T>) -> Figure {
    let shape = picture.shape();
    assert!(shape.rank() == 2, "plot::picture: a picture is [h, w], and the shape is {shape}");
    let [height, width] = picture.dims();
    let tile = Tile { height, width, values: widened(picture) };
    Figure::new(Body::Facets(Facets::new(vec![tile], 1, Labels::None, Colors::Grey)))
}

/// The filters of a convolution's kernel `[kh, kw, c_in, c_out]`, such as [`Model::weight`](crate::Model::weight)
/// gives it: from red (negative) by grey (0) to black (positive), symmetric about 0.
///
/// Those of a first layer (one input channel) are numbered and laid out in rows of four, or
/// [as many as one likes](Figure::columns). Those of a deeper layer make a grid: a row for each input channel, a column for
/// each output channel.
///
/// # Panics
/// When the tensor does not have four axes, or is empty.
///
/// ```
/// use cinta::{Stream, Tensor, plot};
/// let kernel: Tensor = Tensor::normal([3, 3, 8, 12], 0.0, 1.0, &mut Stream::new(1));
/// let figure = plot::filters(&kernel); // 8 x 12 filters of 3x3
/// assert!(figure.to_svg().contains("output channel"));
/// ```
#[track_caller]
#[inline(never)]
pub fn filters<T: Scalar>(kernel: &Tensor<T>) -> Figure {
    let shape = kernel.shape();
    assert!(
        shape.rank() == 4,
        "plot::filters: a kernel is [kh, kw, c_in, c_out], and the shape is {shape}"
    );
    assert!(!kernel.is_empty(), "plot::filters: a kernel of the shape {shape} has nothing to show");
    let [height, width, c_in, c_out] = kernel.dims();
    let filters = kernel.permute([2, 3, 0, 1]).reshape([c_in * c_out, height * width]);
    let tile = |i: usize| Tile { height, width, values: widened(&filters.slice(0, i..i + 1)) };
    let tiles = (0..c_in * c_out).map(tile).collect();
    let (columns, labels) = match c_in {
        1 => (c_out.min(4), Labels::Numbers),
        _ => (c_out, Labels::Grid { rows: "input channel", columns: "output channel" }),
    };
    Figure::new(Body::Facets(Facets::new(tiles, columns, labels, Colors::Signed)))
}

/// What a layer computed from one sample of a batch `[n, h, w, c]`: an image for each channel, from grey (small) by white
/// (0.5) to blue (large).
///
/// # Panics
/// When the tensor does not have four axes or not that many samples, or is empty.
///
/// ```
/// use cinta::{Stream, Tensor, plot};
/// let activations: Tensor = Tensor::uniform([50, 6, 6, 12], 0.0, 2.0, &mut Stream::new(1));
/// let figure = plot::activations(&activations, 3).title("conv_2 of digit 4");
/// assert!(figure.to_svg().contains("conv_2 of digit 4"));
/// ```
#[track_caller]
#[inline(never)]
pub fn activations<T: Scalar>(activations: &Tensor<T>, sample: usize) -> Figure {
    let shape = activations.shape();
    assert!(
        shape.rank() == 4 && sample < shape[0],
        "plot::activations: sample {sample} of activations [n, h, w, c], and the shape is {shape}"
    );
    assert!(
        !activations.is_empty(),
        "plot::activations: activations of the shape {shape} have nothing to show"
    );
    let [_, height, width, channels] = activations.dims();
    let one = activations.slice(0, sample..sample + 1).reshape([height * width, channels]).t();
    let tile = |i: usize| Tile { height, width, values: widened(&one.slice(0, i..i + 1)) };
    let tiles = (0..channels).map(tile).collect();
    let columns = channels.min(4);
    Figure::new(Body::Facets(Facets::new(tiles, columns, Labels::Numbers, Colors::Activity)))
}

/// How training went: the loss and below it each metric, over the epochs, of the training and, where there was some, of the
/// validation data.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::plot;
/// let data = Dataset::new(Tensor::from([[0.0], [1.0]]), Tensor::from([[1.0], [3.0]]))?;
/// let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
/// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
/// let history = model.fit(&data, Fit { epochs: 5, verbose: Verbose::Silent, ..Fit::default() })?;
/// assert!(plot::history(&history).to_svg().contains("epoch"));
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn history(history: &History) -> Figure {
    let mut names: Vec<&str> = history.keys().filter(|name| !name.starts_with("val_")).collect();
    names.sort_by_key(|name| *name != "loss"); // the loss first, the others as they were
    let panel = |name: &str| {
        let line = |key: &str, name: &str, color| {
            let (epochs, values) = (history.epochs_of(key)?, history.get(key)?);
            let points = epochs.iter().zip(values).map(|(&x, &y)| [x as f64, y]);
            let points: Vec<[f64; 2]> = points.collect();
            let dots = points.len() <= 50;
            Some(Line { name: name.to_owned(), points, color, width: 1.5, dots })
        };
        let training = line(name, "training", scale::RED);
        let validation = line(&format!("val_{name}"), "validation", scale::BLUE);
        let lines = training.into_iter().chain(validation).collect();
        Panel { name: Some(name.to_owned()), lines, height: 170.0 }
    };
    let panels = names.into_iter().map(panel).collect();
    Figure::new(Body::Chart(Chart { panels, x_name: "epoch" }))
}

/// The layers of a model as boxes with their names, classes and shapes, and arrows for what they take and give: Keras's
/// `plot_model` with `show_shapes` and `show_layer_names`.
///
/// As there, the input of a [`Sequential`](crate::Sequential) model has no box, and a model inside the model is one box. A layer
/// that is [shared](crate::Shared) has a box in each of its places, `twin[0]` and `twin[1]`: the numbers are those of the summary's
/// column *Connected to*.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::plot;
/// let x = Input::new([8]);
/// let y = x.then(Dense::new(8).activation(Relu));
/// let model: Model = Model::new(&x, &Add::new().of([&x, &y])).build(1)?;
/// let svg = plot::model(&model).to_svg();
/// assert!(svg.contains("dense (Dense)") && svg.contains("Output shape: (None, 8)"));
/// # Ok::<(), cinta::Error>(())
/// ```
#[inline(never)]
pub fn model<T: Scalar>(model: &Model<T>) -> Figure {
    let graph = &model.graph;
    let field = |name: &str, shapes: &[Shape]| match shapes {
        [shape] => vec![format!("{name} shape: {}", shape_text(*shape))],
        _ => [format!("{name} shapes:")]
            .into_iter()
            .chain(shapes.iter().map(|&it| shape_text(it)))
            .collect(),
    };
    // The input of a chain is no box.
    let inputs = if graph.chain { &[][..] } else { &graph.inputs[..] };
    let mut cards = Vec::with_capacity(inputs.len() + graph.nodes.len());
    cards.extend(inputs.iter().map(|input| Card {
        title: format!("{} (InputLayer)", input.name),
        fields: vec![field("Output", &[input.shape])],
    }));
    let mut places = vec![0; model.layers.len()];
    graph.nodes.iter().for_each(|node| places[node.layer] += 1);
    let mut used = vec![0; model.layers.len()];
    let mut arrows = Vec::new();
    for node in &graph.nodes {
        // Origins count the inputs.
        let boxes = node.inputs.iter().filter_map(|source| {
            (source.origin(graph.inputs.len()) + inputs.len()).checked_sub(graph.inputs.len())
        });
        arrows.extend(boxes.map(|from| [from, cards.len()]));
        let layer = &model.layers[node.layer];
        let place = match places[node.layer] {
            1 => String::new(),
            _ => format!("[{}]", used[node.layer]),
        };
        used[node.layer] += 1;
        let shapes: Vec<Shape> = node.inputs.iter().map(|&source| graph.shape(source)).collect();
        cards.push(Card {
            title: format!("{}{place} ({})", layer.name, layer.layer.class_name()),
            fields: vec![field("Input", &shapes), field("Output", &node.outputs)],
        });
    }
    Figure::new(Body::Diagram(Diagram::new(cards, &arrows)))
}

/// A tape as a graph: a box for each leaf and each operation, with the shape and the size of its result and, of a
/// [timed](Tape::timed) tape, how long it took forward and backward. An arrow goes to each operation that reads the result. Where that
/// are more than some hundred boxes, [`Tape::profile`] says more.
///
/// ```
/// use cinta::{Tape, Tensor, plot};
/// let tape = Tape::timed();
/// let x = tape.leaf(Tensor::from([1.0_f32, 2.0]));
/// (&x * &x.exp()).sum(..).backward();
/// let svg = plot::tape(&tape).to_svg();
/// assert!(svg.contains("%1 = exp") && svg.contains("8 bytes") && svg.contains("backward"));
/// ```
pub fn tape<T: Scalar>(tape: &Tape<T>) -> Figure {
    let (mut cards, mut arrows) = (Vec::new(), Vec::new());
    for (at, node) in tape.printed().iter().enumerate() {
        arrows.extend(node.parents.iter().flatten().map(|&parent| [parent, at]));
        let facts = node.facts();
        let fields = facts.chunks(2).map(<[String]>::to_vec).collect();
        cards.push(Card { title: format!("%{at} = {}", node.name), fields });
    }
    Figure::new(Body::Diagram(Diagram::new(cards, &arrows)))
}

#[inline(never)]
fn widened<T: Scalar>(values: &Tensor<T>) -> Vec<f64> {
    values.iter().map(Scalar::widen).collect()
}

compiled!(|it: &Model<T>| model(it));
compiled!(|it: &Tape<T>| tape(it));
compiled!(|x: &Tensor<T>| (lines([("", x)]), picture(x), filters(x), activations(x, 0)));
