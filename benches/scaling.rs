//! How the time of a training step grows with the batch, the side of an image, the channels, the layers and the threads, and how memory does.
//!
//! `cargo bench --features plot --bench scaling -- TABLE.md DATA.png MODEL.png` writes a table and two pictures: of what the data are like, batch
//! and side, and of what the model is like, channels and layers.
//!
//! Each point is a program of its own, this one with other arguments, so that none finds memory or threads of the one before.

use cinta::plot;
use cinta::prelude::*;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

/// What grows, from which size on, and how often it doubles.
const SWEEPS: [(&str, usize, usize); 4] =
    [("batch", 1, 12), ("side", 8, 4), ("channels", 4, 6), ("layers", 1, 5)];
const THREADS: [usize; 2] = [1, 2];
/// A point takes as many steps as fit into this, and at least so many.
const TIME: Duration = Duration::from_millis(700);
const STEPS: usize = 5;

/// A model, and how many samples a batch has.
fn model(sweep: &str, size: usize) -> (Model, usize) {
    let built = match sweep {
        // The lecture's network.
        "batch" => Sequential::new([16, 16, 1])
            .add(Conv2d::new(8, 5).padding(Same).activation(Relu))
            .add(MaxPooling2d::new(2))
            .add(Dropout::new(0.25))
            .add(Conv2d::new(12, 3).activation(Relu))
            .add(MaxPooling2d::new(2))
            .add(Dropout::new(0.25))
            .add(Flatten::new())
            .add(Dense::new(50).activation(Relu))
            .add(Dropout::new(0.5))
            .add(Dense::new(10).activation(Softmax))
            .build(1),
        _ => {
            let side = if sweep == "side" { size } else { 16 };
            let channels = if sweep == "channels" { size } else { 32 };
            let layers = if sweep == "layers" { size } else { 2 };
            let conv = || Conv2d::new(channels, 3).padding(Same).activation(Relu);
            let first = Sequential::new([side, side, channels]);
            let convolved = (0..layers).fold(first, |model, _| model.add(conv()));
            let pooled = convolved.add(GlobalAveragePooling2d::new());
            pooled.add(Dense::new(10).activation(Softmax)).build(1)
        }
    };
    (built.expect("a network"), if sweep == "batch" { size } else { 32 })
}

/// Microseconds of a step for each sample, and megabytes of the whole program at their peak.
fn measure(sweep: &str, size: usize) -> [f64; 2] {
    let (mut model, batch) = model(sweep, size);
    model.compile(Compile::new(Sgd::new(0.01).momentum(0.9), CategoricalCrossentropy::new()));
    let rng = &mut Stream::new(1);
    let inputs = Tensor::uniform(model.input_shape().batch(batch), 0.0, 1.0, rng);
    let labels: Vec<usize> = (0..batch).map(|i| i % 10).collect();
    let targets = datasets::one_hot(&labels, 10).expect("labels");
    let data = Dataset::new(inputs, targets).expect("a data set");
    let mut step = || {
        // Several steps each, so that what a `fit` does once does not count for small ones.
        let epochs = (256 / batch).max(1);
        let start = Instant::now();
        let fit = Fit { batch_size: batch, epochs, verbose: Verbose::Silent, ..Fit::default() };
        black_box(model.fit(&data, fit).expect("training"));
        1e6 * start.elapsed().as_secs_f64() / (epochs * batch) as f64
    };
    (0..3).for_each(|_| _ = step());
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < STEPS || start.elapsed() < TIME {
        times.push(step());
    }
    times.sort_by(f64::total_cmp);
    [times[times.len() / 2], peak()]
}

/// The most memory that this program has had, in megabytes, where the system tells.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kilobytes.map_or(f64::NAN, |kilobytes| kilobytes / 1024.0)
}

/// [`measure`] in a program of its own.
fn point(sweep: &str, size: usize, threads: usize) -> [f64; 2] {
    let program = env::current_exe().expect("the path of this program");
    let output = Command::new(program)
        .args(["point", sweep, &size.to_string()])
        .env("RAYON_NUM_THREADS", threads.to_string())
        .output()
        .expect("this program, again");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().map(|number| number.parse().expect("a number"));
    std::array::from_fn(|_| numbers.next().expect("two numbers"))
}

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    if let [first, sweep, size] = &arguments[..]
        && first == "point"
    {
        let [time, memory] = measure(sweep, size.parse().expect("a size"));
        println!("{time} {memory}");
        return Ok(());
    }
    let [table, pictures @ ..] = &arguments[..] else {
        println!("scaling: needs the paths of a table and of two pictures to write");
        return Ok(());
    };
    let (mut text, mut figures) = (String::new(), Vec::new());
    for (sweep, first, doublings) in SWEEPS {
        let sizes: Vec<usize> = (0..=doublings).map(|i| first << i).collect();
        let header = "one thread, us a sample | two threads, us a sample | ratio | MB";
        write!(text, "\n| {sweep} | {header} |\n|---|---|---|---|---|\n").expect("a string");
        let mut logarithms = [const { Vec::new() }; 2];
        for &size in &sizes {
            let points = THREADS.map(|threads| point(sweep, size, threads));
            let [[one, memory], [two, _]] = points;
            eprintln!("{sweep} {size}: {one:.2} us, {two:.2} us, {memory:.1} MB");
            let ratio = one / two;
            writeln!(text, "| {size} | {one:.2} | {two:.2} | {ratio:.2} | {memory:.1} |")
                .expect("a string");
            for (values, [time, _]) in logarithms.iter_mut().zip(points) {
                values.push(time.log2());
            }
        }
        let [one, two] = logarithms.map(Tensor::<f64>::from);
        let lines = plot::lines([("one thread", &one), ("two threads", &two)]);
        let lines =
            lines.title(format!("log2 of us a sample; {sweep} = {first} at t = 1, doubling"));
        figures.push(lines);
    }
    fs::write(table, text).expect("a table");
    let mut figures = figures.into_iter();
    for picture in pictures {
        let [first, second] =
            [(); 2].map(|()| figures.next().expect("two charts for each picture"));
        first.beside(second).save(picture)?;
    }
    Ok(())
}
