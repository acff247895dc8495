//! How time and memory of a tape grow with its operations: up to a million of them, in chains a hundred thousand deep.
//!
//! `cargo run --release --features plot --example long_tape`
//!
//! Each operation multiplies a single number, so all that is measured is what the tape costs beside the arithmetic. Time is the shortest
//! of several runs. Memory is what the allocator was asked for, at its peak.

#[path = "../tests/counted/mod.rs"]
mod counted;
mod lecture;

use cinta::{Tape, Tensor, Var, plot};
use clap::Parser;
use lecture::picture;
use std::time::{Duration, Instant};

/// Measures long tapes.
#[derive(Parser)]
struct Flags {
    /// How many operations the longest tape has.
    #[arg(default_value_t = 1_000_000)]
    operations: usize,
}

/// How many lengths are measured, and how often each.
const LENGTHS: usize = 10;
const RUNS: usize = 5;

/// What a tape took.
struct Cost {
    forward: Duration,
    backward: Duration,
    bytes: usize,
}

/// Chains of `deep` operations each, and a sum over their ends.
fn measure(chains: usize, deep: usize) -> Cost {
    let before = counted::begin();
    let start = Instant::now();
    let tape = Tape::new();
    let x = tape.leaf(Tensor::scalar(1.0));
    // So near to 1 that the last number is about e.
    let factor = 1.0 + 1.0 / deep as f64;
    let ends = (0..chains).map(|_| (0..deep).fold(x.clone(), |y, _| y * factor));
    let sum = ends.reduce(|sum: Var<'_, f64>, end| sum + end).expect("chains");
    let forward = start.elapsed();
    let start = Instant::now();
    let slope = sum.backward().wrt(&x).item();
    let backward = start.elapsed();
    let exact = chains as f64 * factor.powf(deep as f64);
    assert!((slope / exact - 1.0).abs() < 1e-6, "{slope} instead of {exact}");
    Cost { forward, backward, bytes: counted::peak_since(before) }
}

fn main() -> Result<(), cinta::Error> {
    let Flags { operations } = Flags::parse();
    let deep = (operations / LENGTHS).max(1);
    println!("chains of {deep} operations, one behind the other");
    println!(
        "{:>10} {:>13} {:>14} {:>11} {:>10}",
        "operations", "forward (ms)", "backward (ms)", "ns for each", "bytes each"
    );
    let mut series = [const { Vec::new() }; 3];
    for chains in 1..=LENGTHS {
        let runs: Vec<Cost> = (0..RUNS).map(|_| measure(chains, deep)).collect();
        let ms = |of: fn(&Cost) -> Duration| {
            1e3 * runs.iter().map(of).min().expect("runs").as_secs_f64()
        };
        let (forward, backward) = (ms(|cost| cost.forward), ms(|cost| cost.backward));
        let bytes = runs.iter().map(|cost| cost.bytes).max().expect("runs") as f64;
        let count = (chains * deep) as f64;
        println!(
            "{count:>10} {forward:>13.1} {backward:>14.1} {:>11.0} {:>10.0}",
            1e6 * (forward + backward) / count,
            bytes / count
        );
        for (values, value) in series.iter_mut().zip([forward, backward, bytes / 1e6]) {
            values.push(value);
        }
    }
    let [forward, backward, megabytes] = series.map(Tensor::from);
    let time = plot::lines([("forward", &forward), ("backward", &backward)])
        .title(format!("Milliseconds for t times {deep} operations"));
    let memory = plot::lines([("memory", &megabytes)]).title("Megabytes at their peak");
    time.beside(memory).save(picture("long_tape.png"))
}
