//! A network that solves a differential equation: `u'' = -u` with `u(0) = 0` and `u'(0) = 1`, whose solution is the sine.
//!
//! `cargo run --release --example physics_informed`
//!
//! Nobody tells the network the sine. Its loss is how far `u''` is from `-u` at points between 0 and pi, so each step needs the second
//! derivative of the network by its input, and the gradient of that by the weights. The loop is our own: tape, gradients, steps of Adam.

use cinta::{Adam, Optimizer, Scalar, Step, Stream, Tape, Tensor, Var, on_tape};
use clap::Parser;
use std::f64::consts::PI;

/// Solves a differential equation with a network.
#[derive(Parser)]
struct Flags {
    /// How many steps of training.
    #[arg(default_value_t = 10_000)]
    steps: u64,
}

/// Points at which the equation must hold, and those at which the error is measured.
const POINTS: usize = 32;
/// Units of a hidden layer.
const UNITS: usize = 16;

/// `u(x) = x + x^2 net(x)` for points `[n, 1]`: `u(0) = 0` and `u'(0) = 1`, whatever the network says. Written once, for numbers with
/// derivatives and without.
fn u<'t, T: Scalar>([x, w1, b1, w2, b2, w3, b3]: [&Var<'t, T>; 7]) -> Var<'t, T> {
    let hidden = x.dense(w1, b1).tanh().dense(w2, b2).tanh();
    x + x.square() * hidden.dense(w3, b3)
}

/// What moves when `x` moves by 1: `x`, and no weight.
fn along_x<'t, T: Scalar>(inputs: [&Var<'t, T>; 7]) -> [Var<'t, T>; 7] {
    std::array::from_fn(|i| {
        let still = Tensor::zeros(inputs[i].shape());
        Var::constant(if i == 0 { Tensor::ones(inputs[0].shape()) } else { still })
    })
}

/// `u'(x)`
fn slope<'t, T: Scalar>(inputs: [&Var<'t, T>; 7]) -> Var<'t, T> {
    on_tape::jvp(u, inputs, along_x(inputs).each_ref()).1
}

/// `u''(x)`
fn curvature<'t, T: Scalar>(inputs: [&Var<'t, T>; 7]) -> Var<'t, T> {
    on_tape::jvp(slope, inputs, along_x(inputs).each_ref()).1
}

/// The largest distance from the sine.
fn error(weights: &[Tensor<f64>; 6]) -> f64 {
    let x = Tensor::from_fn([201, 1], |at| PI * at[0] as f64 / 200.0);
    let [w1, b1, w2, b2, w3, b3] = weights.each_ref().map(|weight| Var::constant(weight.clone()));
    let found = u([&Var::constant(x.clone()), &w1, &b1, &w2, &b2, &w3, &b3]);
    (found.value() - x.map(f64::sin)).abs().max(..).item()
}

fn main() {
    let Flags { steps } = Flags::parse();
    let draws = &mut Stream::new(1);
    let mut layer = |inputs: usize, outputs: usize| {
        let range = (6.0 / (inputs + outputs) as f64).sqrt();
        Tensor::uniform([inputs, outputs], -range, range, draws)
    };
    let mut weights: [Tensor<f64>; 6] = [
        layer(1, UNITS),
        Tensor::zeros([UNITS]),
        layer(UNITS, UNITS),
        Tensor::zeros([UNITS]),
        layer(UNITS, 1),
        Tensor::zeros([1]),
    ];
    // What Adam keeps for each weight: momentum and velocity.
    let mut slots = weights.each_ref().map(|weight| [(); 2].map(|()| vec![0.0; weight.len()]));
    let adam = Adam::default();
    let x =
        Var::constant(Tensor::from_fn([POINTS, 1], |at| PI * (at[0] as f64 + 0.5) / POINTS as f64));

    println!("u'' = -u between 0 and pi, u(0) = 0, u'(0) = 1");
    println!("{:>6}  {:>10}  {:>18}", "step", "loss", "error of u");
    for number in 1..=steps {
        let tape = Tape::new();
        let leaves = weights.each_ref().map(|weight| tape.leaf(weight.clone()));
        let [w1, b1, w2, b2, w3, b3] = leaves.each_ref();
        let inputs = [&x, w1, b1, w2, b2, w3, b3];
        let loss = (curvature(inputs) + u(inputs)).square().mean(..);
        if number == 1 || number % (steps / 8).max(1) == 0 {
            println!("{number:>6}  {:>10.3e}  {:>18.3e}", loss.value().item(), error(&weights));
        }
        let gradients = loss.backward();
        // The rate falls to a hundredth on the way.
        let learning_rate = 0.01 * 0.01f64.powf(number as f64 / steps as f64);
        for i in 0..weights.len() {
            let gradient = gradients.wrt(&leaves[i]).to_vec();
            let [momentum, velocity] = &mut slots[i];
            adam.update(
                Step { number, learning_rate },
                weights[i].as_mut_slice(),
                &gradient,
                &mut [&mut momentum[..], &mut velocity[..]],
            );
        }
    }
    println!("the largest distance from the sine: {:.3e}", error(&weights));
}
