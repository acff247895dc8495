//! Figures: what is on them, and where.

#![cfg(feature = "plot")]

mod scratch;

use cinta::plot::{self, Figure};
use cinta::prelude::*;
use cinta::{Metric, Tape, Var};
use scratch::Scratch;

/// The number after `name="` in a tag.
fn number(tag: &str, name: &str) -> f64 {
    let value =
        tag.split(&format!(" {name}=\"")).nth(1).unwrap_or_else(|| panic!("no {name} in {tag}"));
    value
        .split('"')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("{name} in {tag}"))
}

#[derive(Debug)]
struct Text {
    text: String,
    at: [f64; 2],
    size: f64,
    turned: bool,
}

/// The texts of a figure, and its own size.
fn texts(svg: &str) -> (Vec<Text>, [f64; 2]) {
    let head = &svg[..svg.find('>').expect("a tag")];
    let size = [number(head, "width"), number(head, "height")];
    let of = |part: &str| {
        let (tag, rest) = part.split_once('>').expect("the end of a tag");
        Text {
            text: rest.split('<').next().unwrap_or_default().to_owned(),
            at: [number(tag, "x"), number(tag, "y")],
            size: number(tag, "font-size"),
            turned: tag.contains("rotate"),
        }
    };
    (svg.split("<text").skip(1).map(of).collect(), size)
}

/// All texts lie on the page, and none lies over another.
fn assert_readable(figure: &Figure, expected: &[&str]) {
    let svg = figure.to_svg();
    let (texts, [width, height]) = texts(&svg);
    for text in expected {
        assert!(texts.iter().any(|found| found.text == *text), "{text:?} is missing: {texts:?}");
    }
    for (i, text) in texts.iter().enumerate() {
        let [x, y] = text.at;
        let inside = (0.0..=width).contains(&x) && (text.size * 0.5..=height).contains(&y);
        assert!(inside, "{text:?} is not on the page of {width} x {height}");
        for other in texts[..i].iter().filter(|other| other.turned == text.turned) {
            let same_line = (y - other.at[1]).abs() < text.size.min(other.size);
            assert!(!same_line || (x - other.at[0]).abs() >= 8.0, "{text:?} over {other:?}");
        }
    }
}

#[test]
fn filters_are_numbered_in_rows_or_named_in_a_grid() {
    let kernel: Tensor = Tensor::normal([5, 5, 1, 8], 0.0, 1.0, &mut Stream::new(1));
    for columns in [1, 3, 4, 8, 20] {
        let figure = plot::filters(&kernel).columns(columns).title("Filters");
        assert_readable(&figure, &["Filters", "1", "2", "3", "4", "5", "6", "7", "8"]);
    }
    let kernel: Tensor = Tensor::normal([3, 3, 8, 12], 0.0, 1.0, &mut Stream::new(1));
    assert_readable(&plot::filters(&kernel), &["input channel", "output channel", "8", "12"]);
    let wide: Tensor = Tensor::normal([3, 3, 64, 64], 0.0, 1.0, &mut Stream::new(1));
    assert_readable(&plot::filters(&wide), &["64"]);
}

#[test]
fn the_colours_are_the_lectures() {
    let kernel = Tensor::from([[-1.0, 0.0], [0.5, 1.0]]).reshape([2, 2, 1, 1]);
    let svg = plot::filters(&kernel).to_svg();
    // red, grey 80, half way to black, black
    for color in ["#ff0000", "#cccccc", "#666666", "#000000"] {
        assert!(svg.contains(color), "{color}");
    }
    let activations = Tensor::from([[0.0, 0.5], [0.75, 1.0]]).reshape([1, 2, 2, 1]);
    let svg = plot::activations(&activations, 0).to_svg();
    for color in ["#999999", "#ffffff", "#8080ff", "#0000ff"] {
        assert!(svg.contains(color), "{color}");
    }
}

#[test]
fn values_without_a_colour_or_a_difference() {
    for value in [0.0, 3.0, -2.5, f32::NAN, f32::INFINITY] {
        let images = Tensor::full([2, 4, 4, 3], value);
        assert_readable(&plot::activations(&images, 1), &["1", "2", "3"]);
        assert_readable(&plot::filters(&images), &["output channel"]);
        assert_readable(&plot::picture(&Tensor::full([3, 5], value)).title("P"), &["P"]);
        let series = Tensor::full([7], value);
        assert_readable(&plot::lines([("a", &series), ("b", &series)]), &["a", "b", "t"]);
    }
    for n in [0, 1] {
        assert_readable(&plot::lines([("one", &Tensor::<f32>::zeros([n]))]), &["t"]);
    }
}

/// Values that are hard to draw, by name: none, one, equal ones, and those at the ends of the numbers.
fn hard_values() -> Vec<(&'static str, Vec<f64>)> {
    const INFINITY: f64 = f64::INFINITY;
    vec![
        ("none", vec![]),
        ("one", vec![2.5]),
        ("equal", vec![-3.0; 4]),
        ("equal and largest", vec![f64::MAX; 4]),
        ("equal and smallest", vec![5e-324; 4]),
        ("no number", vec![f64::NAN; 4]),
        ("some no number", vec![1.0, f64::NAN, f64::NAN, 2.0]),
        ("infinite", vec![INFINITY, INFINITY, -INFINITY, INFINITY]),
        ("some infinite", vec![1.0, INFINITY, -INFINITY, 2.0]),
        ("infinite among zeros", vec![0.0, INFINITY, 0.0, -INFINITY]),
        ("subnormal", vec![0.0, 5e-324]),
        ("both subnormal", vec![-5e-324, 1e-310, 2e-310, 5e-324]),
        ("small", vec![1e-300, 3e-300, -2e-300, 0.0]),
        ("huge", vec![-1.7e308, 1.7e308]),
        ("huge, of one sign", vec![1.1e308, 1.7e308, 1.2e308, f64::MAX]),
        ("from the smallest to the largest", vec![5e-324, f64::MAX, f64::MIN, 1.0]),
        ("neighbours", vec![1.0, 1.0 + f64::EPSILON]),
        ("neighbours among large numbers", vec![1e16, 1e16 + 2.0]),
        ("apart in the ninth digit", vec![1.0, 1.00000001, 1.00000003, 1.00000002]),
    ]
}

/// The SVG has no number that is none, everything in it lies on its page, and there is a PNG of it.
fn assert_drawn(what: &str, figure: &Figure) {
    let svg = figure.to_svg();
    assert_readable(figure, &[]);
    let (_, [width, height]) = texts(&svg);
    for tag in svg.split('<').map(|part| part.split('>').next().unwrap_or_default()) {
        assert!(!tag.contains("NaN") && !tag.contains("inf"), "{what}: {tag}");
        let of = |names: &[&str]| names.iter().map(|name| number(tag, name)).collect::<Vec<_>>();
        let (across, down) = match tag.split_whitespace().next() {
            Some("rect") if tag.contains(" x=") => {
                let [x, y, w, h] = of(&["x", "y", "width", "height"])[..] else { unreachable!() };
                (vec![x, x + w], vec![y, y + h])
            }
            Some("circle") => (of(&["cx"]), of(&["cy"])),
            Some("line") => (of(&["x1", "x2"]), of(&["y1", "y2"])),
            Some("polyline" | "path") => {
                let numbers = tag.split('"').nth(1).expect("points");
                let numbers: Vec<f64> = numbers
                    .split(|c: char| !(c.is_ascii_digit() || "+-.e".contains(c)))
                    .filter(|part| !part.is_empty())
                    .map(|part| part.parse().unwrap_or_else(|_| panic!("{what}: {tag}")))
                    .collect();
                let every_other =
                    |from: usize| numbers.iter().copied().skip(from).step_by(2).collect();
                (every_other(0), every_other(1))
            }
            Some("text") => {
                let text = svg.split(tag).nth(1).expect("its text")[1..].split('<').next();
                let wide = text.expect("a text").chars().count() as f64 * 6.0;
                let x = number(tag, "x");
                match () {
                    () if tag.contains("\"end\"") => (vec![x - wide, x], vec![]),
                    () if tag.contains("\"middle\"") => (vec![x], vec![]),
                    () => (vec![x, x + wide], vec![]),
                }
            }
            _ => continue,
        };
        let on = |values: &[f64], end: f64| values.iter().all(|value| (0.0..=end).contains(value));
        assert!(
            on(&across, width) && on(&down, height),
            "{what}: <{tag}> is not on {width} x {height}"
        );
    }
    let test = std::thread::current(); // has the test's name
    let scratch = Scratch::new(&format!("plot-{}", test.name().expect("a name")));
    figure.save(scratch.path("figure.png")).unwrap_or_else(|error| panic!("{what}: {error}"));
}

/// The values as `f32`, where some of them are infinite or 0.
fn narrowed(values: &[f64]) -> Tensor {
    let narrow: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    Tensor::new([narrow.len()], narrow)
}

/// A figure of each of them is drawn, from numbers of both types.
fn assert_draws_hard_values(
    draw: impl Fn(&Tensor<f64>) -> Figure,
    draw_f32: impl Fn(&Tensor) -> Figure,
) {
    for (what, values) in hard_values() {
        assert_drawn(what, &draw(&Tensor::new([values.len()], values.clone())));
        assert_drawn(what, &draw_f32(&narrowed(&values)));
    }
}

#[test]
fn lines_of_hard_values() {
    assert_draws_hard_values(
        |values| plot::lines([("a", values), ("b", values)]).title("hard"),
        |values| plot::lines([("a", values)]),
    );
    assert_drawn("no lines", &plot::lines::<f32>([]));
    // The line goes from the lower left to the upper right, whatever is between.
    for ends in [[0.0, 1.0], [0.0, 5e-324], [-1.7e308, 1.7e308], [1.0, 1.0 + f64::EPSILON]] {
        let svg = plot::lines([("a", &Tensor::from(ends))]).to_svg();
        let rises = |tag: &str| {
            let numbers: Vec<f64> = tag
                .split(|c: char| !(c.is_ascii_digit() || c == '.'))
                .filter_map(|part| part.parse().ok())
                .collect();
            matches!(numbers[..], [x0, y0, x1, y1, ..] if x1 - x0 > 500.0 && y0 - y1 > 220.0)
        };
        assert!(svg.split("<path d=").any(rises), "{ends:?}: {svg}");
    }
}

#[test]
fn pictures_of_hard_values() {
    assert_draws_hard_values(
        |values| plot::picture(&values.reshape([1, values.len()])),
        |values| plot::picture(&values.reshape([values.len(), 1])).title("hard"),
    );
    for ends in [[0.0, 5e-324], [-1.7e308, 1.7e308]] {
        let svg = plot::picture(&Tensor::from([ends])).to_svg();
        assert!(svg.contains("#000000") && svg.contains("#ffffff"), "{ends:?}: {svg}");
    }
}

#[test]
fn filters_and_activations_of_hard_values() {
    for (what, values) in hard_values() {
        if values.is_empty() {
            continue; // there are no such filters
        }
        let n = values.len();
        let narrow = narrowed(&values);
        let values = Tensor::new([n], values);
        for shape in [[n, 1, 1, 1], [1, 1, 1, n], [1, 1, n, 1], [1, n, 1, 1]] {
            assert_drawn(what, &plot::filters(&values.reshape(shape)));
            assert_drawn(what, &plot::activations(&values.reshape(shape), 0));
            assert_drawn(what, &plot::filters(&narrow.reshape(shape)));
            assert_drawn(what, &plot::activations(&narrow.reshape(shape), 0));
        }
    }
    let kernel = Tensor::from([-1.7e308, 0.0, 1.7e308, f64::INFINITY]).reshape([4, 1, 1, 1]);
    let svg = plot::filters(&kernel).to_svg();
    assert!(["#ff0000", "#cccccc", "#000000"].iter().all(|color| svg.contains(color)), "{svg}");
}

/// A metric that reports what it is told, epoch by epoch.
struct Told(Vec<f64>, std::sync::atomic::AtomicUsize);

impl Metric<f32> for Told {
    fn name(&self) -> &str {
        "told"
    }
    fn state(&self, _: &Tensor, _: &Tensor) -> Vec<f64> {
        vec![0.0]
    }
    fn result(&self, _: &[f64]) -> f64 {
        let epoch = self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.0[epoch % self.0.len()]
    }
}

#[test]
fn a_history_of_hard_values() {
    let data = Dataset::new(Tensor::from([[0.0], [1.0]]), Tensor::from([[1.0], [3.0]])).unwrap();
    for (what, values) in hard_values() {
        let mut model = Sequential::new([1]).add(Dense::new(1)).build(3).unwrap();
        let epochs = values.len();
        if epochs == 0 {
            continue; // a history without epochs has no metrics: see above
        }
        let told = Told(values, std::sync::atomic::AtomicUsize::new(0));
        model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError).metric(told));
        let fit = Fit { epochs, verbose: Verbose::Silent, ..Fit::default() };
        let history = model.fit(&data, fit).unwrap();
        assert_eq!(history["told"].len(), epochs);
        assert_drawn(what, &plot::history(&history));
    }
}

/// The graph is drawn, and its boxes have these titles.
fn assert_shows(what: &str, model: &Model, titles: &[&str]) -> Figure {
    let figure = plot::model(model);
    assert_drawn(what, &figure);
    assert_readable(&figure, titles);
    assert_eq!(heads(&figure) > 0, titles.len() > 1, "{what}");
    figure
}

/// How many arrows a graph has.
fn heads(figure: &Figure) -> usize {
    figure.to_svg().matches("Z\"").count()
}

#[test]
fn a_chain_of_layers() {
    let one = Sequential::new([4]).add(Dense::new(2)).build(0).unwrap();
    let fields = ["Input shape: (None, 4)", "Output shape: (None, 2)"];
    let figure = assert_shows("one layer", &one, &["dense (Dense)"]);
    assert_readable(&figure, &fields);
    assert!(!figure.to_svg().contains("InputLayer")); // as in Keras, a chain's input is no box

    let numbers = (0..100).map(|i| Dense::new(4).name(format!("dense_number_{i}")));
    let chain = numbers.fold(Sequential::new([4]), Sequential::add).build(0).unwrap();
    let figure = assert_shows("100 layers", &chain, &["dense_number_99 (Dense)"; 2]);
    assert_eq!(heads(&figure), 99);
    // All boxes stand straight below each other.
    let (texts, _) = texts(&figure.to_svg());
    let titles: Vec<&Text> = texts.iter().filter(|text| text.text.contains("(Dense)")).collect();
    assert_eq!(titles.len(), 100);
    assert!(titles.iter().all(|title| title.at[0] == titles[0].at[0]));
    assert!(titles.is_sorted_by(|a, b| a.at[1] + 40.0 < b.at[1]));
}

#[test]
fn a_graph_of_layers() {
    let image = Input::named("image", [8, 8, 1]);
    let x = image.then(Conv2d::new(4, 3).padding(Same).activation(Relu).name("stem"));
    let y = x.then(Conv2d::new(4, 3).padding(Same).name("branch"));
    let sum = Add::new().of([&x, &y, &x]);
    let scores = sum.then(GlobalAveragePooling2d::new()).then(Dense::new(3).name("scores"));
    let model = Model::new(&image, [&scores, &y]).build(5).unwrap();
    let titles = ["image (InputLayer)", "stem (Conv2D)", "branch (Conv2D)", "add (Add)"];
    let figure = assert_shows("a residual block", &model, &titles);
    // One arrow for the input that is taken twice.
    assert_eq!(heads(&figure), 6);
    let shapes = ["Output shape: (None, 8, 8, 1)", "Input shapes:", "(None, 8, 8, 4)"];
    assert_readable(&figure, &shapes);
    let (texts, _) = texts(&figure.to_svg());
    assert_eq!(texts.iter().filter(|text| text.text == "(None, 8, 8, 4)").count(), 3);
}

#[test]
fn shared_layers_and_models_in_a_model() {
    let base = Sequential::new([4]).add(Dense::new(3)).add(Dense::new(2)).build(1).unwrap();
    let (left, right) = (Input::named("left", [4]), Input::named("right", [4]));
    let twin = Shared::new(base.as_layer().name("twin"));
    let difference = Subtract::new().of([&twin.of(&left), &twin.of(&right)]);
    let model = Model::new([&left, &right], &difference).build(0).unwrap();
    let titles = ["left (InputLayer)", "twin[0] (Sequential)", "twin[1] (Sequential)"];
    assert_eq!(heads(&assert_shows("twins", &model, &titles)), 4);

    // A layer that takes what it gives.
    let x = Input::new([4]);
    let twice = Shared::new(Dense::new(4).name("twice"));
    let model = Model::new(&x, &twice.of(&twice.of(&x))).build(0).unwrap();
    let titles = ["input_layer (InputLayer)", "twice[0] (Dense)", "twice[1] (Dense)"];
    assert_eq!(heads(&assert_shows("twice", &model, &titles)), 2);
}

#[test]
fn boxes_are_as_wide_as_their_texts() {
    // The widest letters, those of no alphabet that the font has, and those that mean something in SVG.
    let names = ["WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW".to_owned(), "卷积".repeat(20), "<&>".repeat(9)];
    for name in names {
        let layer = Dense::new(2).name(name.clone());
        let model = Sequential::new([4]).add(layer).build(0).unwrap();
        let figure = plot::model(&model);
        assert_drawn(&name, &figure);
        let (_, [width, _]) = texts(&figure.to_svg());
        assert!(width > name.chars().count() as f64 * 13.0 * 0.838, "{name}: {width}");
    }
}

/// In the picture itself: the title is white on black, and ends before the box does.
#[cfg(feature = "images")]
#[test]
fn titles_are_not_cut() {
    let scratch = Scratch::new("plot-titles");
    let printable: String = (' '..='~').filter(|letter| *letter != '/').collect();
    for name in
        ["i", "WWWWWWWWWWWWWWWWWWWWWWWW", "mmmmmmmmwwwwwwww@@@@%%%%", "IIIJJJ...", &printable]
    {
        let layer = Dropout::new(0.5).name(name);
        let model = Sequential::new([1]).add(layer).build(0).unwrap();
        plot::model(&model).save(scratch.path("model.png")).unwrap();
        let pixels = cinta::images::load(scratch.path("model.png")).unwrap();
        let [height, width] = pixels.dims();
        // Two pixels a point, and a margin of 12 points around the box.
        let columns: Vec<usize> = (24..width - 24)
            .filter(|&x| (26..60.min(height)).any(|y| pixels.at([y, x]) > 0.0))
            .collect();
        let (first, last) = (columns[0], columns[columns.len() - 1]);
        assert!(first >= 24 + 12 && last < width - 24 - 12, "{name}: {first} to {last} of {width}");
        // Nor is there much more room than it needs.
        assert!(
            name.len() < 20 || first < 24 + 20 + (last - first) / 10,
            "{name}: {first} of {width}"
        );
    }
}

/// Operations with their facts; before and after the walk back, the arrows are the same.
#[test]
fn a_tape() {
    let tape = Tape::timed();
    let w = tape.leaf(Tensor::<f32>::ones([20, 30]));
    let x = Var::constant(Tensor::ones([5, 20]));
    let loss = (x.matmul(&w).tanh() * x.sum(..)).square().sum(..);
    let figure = plot::tape(&tape);
    assert_drawn("a tape", &figure);
    let titles = ["%0 = leaf", "%1 = matmul", "%2 = tanh", "%3 = mul", "%4 = square", "%5 = sum"];
    assert_readable(&figure, &titles);
    assert_readable(&figure, &["[20, 30]", "2.4 kB", "[5, 30]", "600 bytes", "backward -"]);
    assert_eq!(heads(&figure), 5);
    loss.backward();
    let figure = plot::tape(&tape);
    assert_readable(&figure, &titles);
    assert_eq!(heads(&figure), 5);
    // A tape that measures nothing says nothing of times.
    let tape = Tape::new();
    tape.leaf(Tensor::scalar(1.0)).exp();
    let svg = plot::tape(&tape).to_svg();
    assert!(svg.contains("8 bytes") && !svg.contains("forward"));
    assert_drawn("an empty tape", &plot::tape(&Tape::<f32>::new()));
}

#[test]
fn a_graph_that_is_too_large_for_a_png_file_is_an_svg_file() {
    let scratch = Scratch::new("plot-large");
    let chain = (0..5000).fold(Sequential::new([1]), |chain, _| chain.add(Dropout::new(0.1)));
    let figure = plot::model(&chain.build(0).unwrap());
    let error = figure.save(scratch.path("model.png")).unwrap_err().to_string();
    assert!(error.contains("too many for a PNG file; use a name that ends in `.svg`"), "{error}");
    figure.save(scratch.path("model.svg")).unwrap();
}

#[test]
#[should_panic(expected = "plot::filters: a kernel of the shape [3, 3, 0, 2] has nothing to show")]
fn a_kernel_of_nothing() {
    plot::filters(&Tensor::<f32>::zeros([3, 3, 0, 2]));
}

#[test]
#[should_panic(expected = "plot::activations: activations of the shape [2, 0, 4, 3] have nothing")]
fn activations_of_nothing() {
    plot::activations(&Tensor::<f32>::zeros([2, 0, 4, 3]), 1);
}

#[test]
fn figures_beside_each_other() {
    let images: Tensor = Tensor::uniform([1, 6, 6, 12], 0.0, 1.0, &mut Stream::new(1));
    let one = || plot::activations(&images, 0).title("left or right");
    let three = one().beside(one()).beside(one());
    assert_readable(&three, &["left or right", "12"]);
    let width = |figure: &Figure| texts(&figure.to_svg()).1[0];
    assert!(width(&three) > 2.5 * width(&one()));
}

#[test]
fn history_has_a_panel_for_the_loss_and_each_metric() {
    let data = Dataset::new(Tensor::from([[0.0], [1.0]]), Tensor::from([[1.0], [3.0]])).unwrap();
    let mut model = Sequential::new([1]).add(Dense::new(1)).build(3).unwrap();
    model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError).metric(MeanSquaredError));
    for (epochs, validation_data) in [(1, None), (3, Some(&data)), (80, Some(&data))] {
        let fit = Fit { epochs, validation_data, verbose: Verbose::Silent, ..Fit::default() };
        let figure = plot::history(&model.fit(&data, fit).unwrap());
        assert_readable(&figure, &["loss", "mean_squared_error", "epoch"]);
        assert_eq!(figure.to_svg().contains("validation"), validation_data.is_some());
    }
    assert_readable(&plot::history(&History::default()), &["epoch"]);

    // Validation in some epochs only: dots at those.
    let fit = Fit {
        epochs: 10,
        validation_data: Some(&data),
        validation_freq: 5,
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let svg = plot::history(&model.fit(&data, fit).unwrap()).to_svg();
    let panel = svg.split("mean_squared_error").next().expect("the loss comes first");
    let tags = panel.split("<circle").skip(1).map(|part| part.split_once('>').expect("a tag").0);
    let dots: Vec<f64> = tags.map(|tag| number(tag, "cx")).collect();
    let (training, validation) = dots.split_at(10);
    assert_eq!(validation, [training[4], training[9]]);
}

#[test]
fn files() {
    let scratch = Scratch::new("plot-files");
    let figure =
        plot::picture(&Tensor::from([[0.0, 1.0], [1.0, 0.0]])).title("Four <pixels> & more");
    figure.save(scratch.path("figure.svg")).unwrap();
    let svg = std::fs::read_to_string(scratch.path("figure.svg")).unwrap();
    assert_eq!(svg, figure.to_svg());
    assert!(svg.contains("Four &lt;pixels&gt; &amp; more"), "{svg}");
    figure.save(scratch.path("figure.png")).unwrap();
    let png = std::fs::read(scratch.path("figure.png")).unwrap();
    // The size stands in the header: two pixels a point.
    let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    let (_, [width, height]) = texts(&svg);
    assert_eq!([f64::from(side(16)), f64::from(side(20))], [2.0 * width, 2.0 * height]);
    let error = figure.save(scratch.path("no/folder.png")).unwrap_err();
    assert!(error.to_string().contains("no/folder.png"), "{error}");
    assert!(figure.save(scratch.path("figure")).is_err());
}

#[test]
#[should_panic(
    expected = "plot::filters: a kernel is [kh, kw, c_in, c_out], and the shape is [5, 5]"
)]
fn a_matrix_is_no_kernel() {
    plot::filters(&Tensor::<f32>::zeros([5, 5]));
}

#[test]
#[should_panic(expected = "sample 50 of activations [n, h, w, c], and the shape is [50, 6, 6, 12]")]
fn a_sample_beyond_the_last() {
    plot::activations(&Tensor::<f32>::zeros([50, 6, 6, 12]), 50);
}

#[test]
#[should_panic(expected = "only filters of one input channel and activations are laid out in rows")]
fn a_grid_has_its_columns() {
    let _ = plot::filters(&Tensor::<f32>::zeros([3, 3, 2, 2])).columns(4);
}

#[test]
#[should_panic(expected = "plot::lines: a series is a vector [n], and a has the shape [2, 2]")]
fn a_matrix_is_no_series() {
    plot::lines([("a", &Tensor::<f32>::zeros([2, 2]))]);
}
