//! First and second derivatives of the lecture's network: what a product with the Hessian costs beside a gradient.
//!
//! `cargo bench --bench derivatives`

use cinta::{Convolution, Padding, Scalar, Stream, Tensor, Var, grad, hvp, jvp};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

const BATCH: usize = 32;

/// The lecture's weights, of small random numbers.
fn weights(seed: u64) -> [Tensor<f32>; 8] {
    let draws = &mut Stream::new(seed);
    let mut draw = |shape: &[usize]| Tensor::uniform(shape, -0.1, 0.1, draws);
    [
        draw(&[5, 5, 1, 8]),
        draw(&[8]),
        draw(&[3, 3, 8, 12]),
        draw(&[12]),
        draw(&[108, 50]),
        draw(&[50]),
        draw(&[50, 10]),
        draw(&[10]),
    ]
}

/// The crossentropy of a batch, without dropout: written once, for all kinds of numbers.
fn loss<'t, T: Scalar>(
    [k1, b1, k2, b2, w3, b3, w4, b4]: [&Var<'t, T>; 8],
    [images, targets]: [&Tensor<f32>; 2],
) -> Var<'t, T> {
    let same = Convolution { padding: Padding::Same, ..Convolution::default() };
    let x = Var::constant(images.cast());
    let x = x.convolve(k1, b1, same);
    let x = x.max_pool2d_relu([2, 2], [2, 2], Padding::Valid, None);
    let x = x.convolve(k2, b2, Convolution::default());
    let x = x.max_pool2d_relu([2, 2], [2, 2], Padding::Valid, None);
    let z = x.reshape([BATCH, 108]).dense_relu(w3, b3).dense(w4, b4);
    z.categorical_crossentropy_from_logits(&targets.cast()).mean(..)
}

fn derivatives(criterion: &mut Criterion) {
    let (weights, directions) = (weights(1), weights(2));
    let images = Tensor::uniform([BATCH, 16, 16, 1], 0.0, 1.0, &mut Stream::new(3));
    let targets = Tensor::from_fn([BATCH, 10], |at| if at[0] % 10 == at[1] { 1.0 } else { 0.0 });
    let data = [&images, &targets];
    let (weights, directions) = (weights.each_ref(), directions.each_ref());
    let mut group = criterion.benchmark_group("derivatives");
    group.bench_function("value", |bencher| {
        let constants = weights.map(|weight| Var::constant(weight.clone()));
        bencher.iter(|| black_box(loss(constants.each_ref(), data)));
    });
    group.bench_function("gradient", |bencher| {
        bencher.iter(|| black_box(grad(|vars| loss(vars, data), weights)));
    });
    group.bench_function("jvp", |bencher| {
        bencher.iter(|| black_box(jvp(|vars| loss(vars, data), weights, directions)));
    });
    group.bench_function("hvp", |bencher| {
        bencher.iter(|| black_box(hvp(|vars| loss(vars, data), weights, directions)));
    });
    group.finish();
}

criterion_group!(benches, derivatives);
criterion_main!(benches);
