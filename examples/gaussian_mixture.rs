//! A mixture of two normal distributions, fitted to numbers: the likelihood is a few operations, and its gradient comes from the tape.
//!
//! `cargo run --release --example gaussian_mixture`
//!
//! `p(x) = sum over k of w_k normal(x; m_k, s_k)`, where the weights `w` are a softmax and the deviations `s` are exponentials, so that
//! any numbers are allowed for what is learnt.

use cinta::prelude::*;
use clap::Parser;
use rand_distr::{Distribution, Normal};

/// Fits a mixture of two normal distributions.
#[derive(Parser)]
struct Flags {
    /// How many steps of training.
    #[arg(default_value_t = 400)]
    steps: u64,
}

/// The mean of `-ln p(x)` over all numbers `x [n, 1]`.
fn surprise<'t>(x: &Var<'t, f64>, [scores, means, logs]: [&Var<'t, f64>; 3]) -> Var<'t, f64> {
    // ln normal(x; m, s) = -(x - m)^2 / (2 s^2) - ln s - ln(2 pi) / 2, for all numbers and both distributions: [n, 2]
    let distance = (x - means) / logs.exp();
    let each = distance.square() * -0.5 - logs - 0.5 * std::f64::consts::TAU.ln();
    -(each + scores.log_softmax()).logsumexp(1).mean(..)
}

fn main() -> Result<(), cinta::Error> {
    let Flags { steps } = Flags::parse();
    // Three of ten come from the first.
    let draws = &mut Stream::new(1);
    let [first, second] = [(-2.0, 0.5), (1.0, 1.0)]
        .map(|(mean, deviation)| Normal::new(mean, deviation).expect("a deviation above 0"));
    let numbers: Vec<f64> = (0..2000)
        .map(|i| if i % 10 < 3 { first.sample(draws) } else { second.sample(draws) })
        .collect();
    let x = Var::constant(Tensor::new([numbers.len(), 1], numbers));

    let mut parameters = Parameters::new(Adam::new(0.05))
        .with("scores", Tensor::zeros([2]))
        .with("means", Tensor::from([-0.5, 0.5]))
        .with("logs", Tensor::zeros([2]));
    for step in 0..=steps {
        let tape = Tape::new();
        let leaves = parameters.leaves(&tape);
        let [scores, means, logs] = &leaves[..] else { unreachable!("three parameters") };
        let loss = surprise(&x, [scores, means, logs]);
        if step % 100 == 0 {
            println!("step {step:4}: surprise {:.4}", loss.value().item());
        }
        let gradients = loss.backward();
        parameters.step(leaves.iter().map(|leaf| gradients.wrt(leaf)))?;
    }
    let weights = Var::constant(parameters.get("scores").clone()).softmax().into_value();
    let deviations = parameters.get("logs").map(f64::exp);
    for k in 0..2 {
        println!(
            "{:.0} % with mean {:5.2} and deviation {:.2}",
            100.0 * weights.at([k]),
            parameters.get("means").at([k]),
            deviations.at([k])
        );
    }
    Ok(())
}
