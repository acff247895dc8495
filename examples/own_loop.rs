//! The lecture's network without layers and without `fit`: a tape, operations, gradients, and steps of the optimizer.
//!
//! `cargo run --release --example own_loop`
//!
//! The same network is trained by `fit` beside it, and how long both took is printed at the end. Both share out their samples to
//! all threads.

use cinta::Convolution;
use cinta::prelude::*;
use clap::Parser;
use std::time::Instant;

/// Trains the lecture's network in a loop of one's own.
#[derive(Parser)]
struct Flags {
    /// How many times all samples are seen.
    #[arg(default_value_t = 10)]
    epochs: u64,
}

/// Samples that a step sees.
const BATCH: usize = 256;

/// The scores of some digits, before the softmax. Dropout draws from a stream of this step.
fn scores<'t>(
    x: &Var<'t, f32>,
    weights: &[Var<'t, f32>],
    draws: Option<(&Stream, usize)>,
) -> Var<'t, f32> {
    let [k1, b1, k2, b2, w3, b3, w4, b4] = weights else { unreachable!("eight weights") };
    let same = Convolution { padding: Same, ..Convolution::default() };
    let streams = draws.map(|(stream, first)| ([1, 2, 3].map(|layer| stream.fork(layer)), first));
    let dropout = |layer: usize, rate: f64| {
        streams.as_ref().map(|(streams, first)| (rate, &streams[layer], *first))
    };
    let x = x.convolve(k1, b1, same);
    let x = x.max_pool2d_relu([2, 2], [2, 2], Valid, dropout(0, 0.25));
    let x = x.convolve(k2, b2, Convolution::default());
    let x = x.max_pool2d_relu([2, 2], [2, 2], Valid, dropout(1, 0.25));
    let n = x.shape()[0];
    let x = x.reshape([n, 3 * 3 * 12]).dense_relu(w3, b3);
    let x = match dropout(2, 0.5) {
        Some((rate, stream, first)) => x.dropout(rate, stream, first),
        None => x,
    };
    x.dense(w4, b4)
}

fn main() -> Result<(), cinta::Error> {
    let Flags { epochs } = Flags::parse();
    let (data, test) = datasets::digits();
    let draws = &mut Stream::new(72_881);
    let mut glorot = |shape: &[usize]| {
        let window: usize = shape[..shape.len() - 2].iter().product();
        let fans = window * (shape[shape.len() - 2] + shape[shape.len() - 1]);
        let range = (6.0 / fans as f64).sqrt();
        Tensor::uniform(shape, -range, range, draws)
    };
    let optimizer = || Sgd::new(0.02).momentum(0.5);
    let mut parameters = Parameters::new(optimizer())
        .with("conv_1/kernel", glorot(&[5, 5, 1, 8]))
        .with("conv_1/bias", Tensor::zeros([8]))
        .with("conv_2/kernel", glorot(&[3, 3, 8, 12]))
        .with("conv_2/bias", Tensor::zeros([12]))
        .with("dense_1/kernel", glorot(&[108, 50]))
        .with("dense_1/bias", Tensor::zeros([50]))
        .with("dense_2/kernel", glorot(&[50, 10]))
        .with("dense_2/bias", Tensor::zeros([10]));

    let start = Instant::now();
    for epoch in 0..epochs {
        let order = Stream::new(1).fork(epoch).permutation(data.len());
        let mut total = 0.0;
        for (batch, indices) in order.chunks(BATCH).enumerate() {
            let stream = Stream::new(2).fork(epoch).fork(batch as u64);
            let mean = parameters.minimize(indices.len(), |leaves, range| {
                let samples = data.take(&indices[range.clone()]);
                let x = Var::constant(samples.inputs().clone());
                let z = scores(&x, leaves, Some((&stream, range.start)));
                // The penalty of the kernels is 0.01 times the sum of their squares, for the mean and so for each sample.
                let squares = leaves.iter().step_by(2).map(|kernel| kernel.square().sum(..));
                let penalty = squares.reduce(|a, b| a + b).expect("kernels");
                let losses = z.categorical_crossentropy_from_logits(samples.targets());
                losses.sum(..) + penalty * (0.01 * range.len() as f32)
            })?;
            total += mean * indices.len() as f32;
        }
        println!("epoch {:2}: loss {:.4} with the penalties", epoch + 1, total / data.len() as f32);
    }
    let own = start.elapsed();

    let x = Var::constant(test.inputs().clone());
    let leaves: Vec<Var<'_, f32>> =
        parameters.names().map(|name| Var::constant(parameters.get(name).clone())).collect();
    let found = scores(&x, &leaves, None).into_value().argmax(1);
    let labels = test.targets().argmax(1);
    let right = found.iter().zip(&labels).filter(|(a, b)| a == b).count();
    println!("{right} of {} digits of the test set are recognised", test.len());

    let mut model = Sequential::new([16, 16, 1])
        .add(Conv2d::new(8, 5).padding(Same).activation(Relu).kernel_regularizer(L2(0.01)))
        .add(MaxPooling2d::new(2))
        .add(Dropout::new(0.25))
        .add(Conv2d::new(12, 3).activation(Relu).kernel_regularizer(L2(0.01)))
        .add(MaxPooling2d::new(2))
        .add(Dropout::new(0.25))
        .add(Flatten::new())
        .add(Dense::new(50).activation(Relu).kernel_regularizer(L2(0.01)))
        .add(Dropout::new(0.5))
        .add(Dense::new(10).activation(Softmax).kernel_regularizer(L2(0.01)))
        .build(72_881)?;
    model.compile(Compile::new(optimizer(), CategoricalCrossentropy::new()));
    let start = Instant::now();
    let fit = Fit {
        epochs: epochs as usize,
        batch_size: BATCH,
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let history = model.fit(&data, fit)?;
    println!("fit: loss {:.4} with the penalties", history["loss"].last().unwrap_or(&f64::NAN));
    println!("the loop took {:.1?}, fit {:.1?}", own, start.elapsed());
    Ok(())
}
