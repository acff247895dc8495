//! What the Rust programs of the comparison share: the cases, the clock, and the conversation with `run.py`.
//!
//! A program reads names of measurements from its standard input, a line each, and answers each with a line:
//! the median time in seconds of one run, or `-` if it has nothing of that kind.

use serde::Deserialize;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

/// A convolution and its gradients.
#[derive(Clone, Debug, Deserialize)]
pub struct Convolution {
    pub name: String,
    pub n: usize,
    pub side: usize,
    pub c_in: usize,
    pub c_out: usize,
    pub k: usize,
    pub stride: usize,
    pub pad: usize,
    pub groups: usize,
}

/// A max-pooling of 2 by 2.
#[derive(Clone, Debug, Deserialize)]
pub struct Pooling {
    pub name: String,
    pub n: usize,
    pub side: usize,
    pub c: usize,
}

#[derive(Clone, Debug, Deserialize)]
struct Cases {
    convolutions: Vec<Convolution>,
    poolings: Vec<Pooling>,
}

/// What is measured, by name.
pub enum Case {
    Forward(Convolution),
    Backward(Convolution),
    Pool(Pooling),
    PoolBackward(Pooling),
    /// Training, prediction and the like of a whole network, or a matrix product.
    Other(String),
}

/// Samples of the lecture's training data.
pub const LECTURE_SAMPLES: usize = 7291;

/// Finds a case: `forward lenet1`, `backward lenet1`, `pool pool16`, `pool_backward pool16`, or another name.
pub fn case(line: &str) -> Case {
    let cases: Cases = serde_json::from_str(include_str!("../cases.json")).expect("cases.json");
    let (kind, name) = line.split_once(' ').unwrap_or((line, ""));
    let convolution = cases.convolutions.into_iter().find(|case| case.name == name);
    let pooling = cases.poolings.into_iter().find(|case| case.name == name);
    match (kind, convolution, pooling) {
        ("forward", Some(case), _) => Case::Forward(case),
        ("backward", Some(case), _) => Case::Backward(case),
        ("pool", _, Some(case)) => Case::Pool(case),
        ("pool_backward", _, Some(case)) => Case::PoolBackward(case),
        _ => Case::Other(line.to_owned()),
    }
}

/// Answers every line with what `measure` finds.
pub fn serve(mut measure: impl FnMut(Case) -> Option<f64>) {
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        match measure(case(line.trim())) {
            Some(seconds) => println!("{seconds:e}"),
            None => println!("-"),
        }
        std::io::stdout().flush().expect("standard output");
    }
}

/// The median time of one run, over about half a second.
pub fn median(mut run: impl FnMut()) -> Option<f64> {
    run();
    let start = Instant::now();
    run();
    let each = start.elapsed().max(Duration::from_nanos(1));
    // Several runs to a sample, so that the clock does not count.
    let inner = (Duration::from_millis(10).as_nanos() / each.as_nanos()).clamp(1, 10_000) as u32;
    let samples = (Duration::from_millis(500).as_nanos() / (each * inner).as_nanos()).clamp(5, 50);
    let mut times: Vec<f64> = (0..samples)
        .map(|_| {
            let start = Instant::now();
            (0..inner).for_each(|_| run());
            start.elapsed().as_secs_f64() / f64::from(inner)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    Some(times[times.len() / 2])
}

/// The numbers below `n` in a random order, for the samples of an epoch.
pub fn shuffled(n: usize, state: &mut u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n as u32).collect();
    for i in (1..n).rev() {
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(i, (*state >> 33) as usize % (i + 1));
    }
    order
}
