//! Max-pooling of 2 by 2, forward and backward: `cargo bench --bench pooling`.

use cinta::{Padding, Stream, Tape, Tensor, Var};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn pooling(criterion: &mut Criterion) {
    for shape in [[256, 16, 16, 8], [32, 32, 32, 64]] {
        let [n, h, w, c] = shape;
        let mut group = criterion.benchmark_group(format!("max_pool2d {n}x{h}x{w}x{c}"));
        let rng = &mut Stream::new(1);
        let x = Tensor::<f32>::normal(shape, 0.0, 1.0, rng);
        let dy = Tensor::normal([n, h / 2, w / 2, c], 0.0, 1.0, rng);
        let constant = Var::constant(x.clone());
        group.bench_function("forward", |bencher| {
            bencher.iter(|| black_box(constant.max_pool2d([2, 2], [2, 2], Padding::Valid)));
        });
        group.bench_function("forward and gradient", |bencher| {
            bencher.iter(|| {
                let tape = Tape::new();
                let x = tape.leaf(x.clone());
                let y = x.max_pool2d([2, 2], [2, 2], Padding::Valid);
                black_box(y.backward_from(&dy).wrt(&x))
            });
        });
        group.finish();
    }
}

criterion_group!(benches, pooling);
criterion_main!(benches);
