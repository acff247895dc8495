//! Convolutions of the sizes that networks have: forward, and forward with all gradients.
//!
//! `cargo bench --bench conv2d`; criterion prints floating-point operations per second as elements, where
//! forward with gradients counts three times the operations of forward.

use cinta::{Convolution, Padding, Stream, Tape, Tensor, Var};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

/// Name, images, side, channels in and out, kernel, stride, whether `same`, groups.
type Case = (&'static str, usize, usize, [usize; 2], usize, usize, bool, usize);

#[rustfmt::skip]
const CASES: [Case; 12] = [
    ("lenet1", 256, 16, [1, 8], 5, 1, true, 1),
    ("lenet2", 256, 8, [8, 12], 3, 1, false, 1),
    ("mnist1", 128, 28, [1, 32], 3, 1, false, 1),
    ("mnist2", 128, 26, [32, 64], 3, 1, false, 1),
    ("cifar64", 32, 32, [64, 64], 3, 1, true, 1),
    ("res56", 8, 56, [64, 64], 3, 1, true, 1),
    ("res28", 8, 28, [128, 128], 3, 1, true, 1),
    ("res14", 8, 14, [256, 256], 3, 1, true, 1),
    ("res7", 8, 7, [512, 512], 3, 1, true, 1),
    ("pw56", 8, 56, [64, 256], 1, 1, false, 1),
    ("stem", 4, 224, [3, 64], 7, 2, true, 1),
    ("dw112", 8, 112, [32, 32], 3, 1, true, 32),
];

fn convolutions(criterion: &mut Criterion) {
    for (name, n, side, [c_in, c_out], k, stride, same, groups) in CASES {
        let padding = if same { Padding::Same } else { Padding::Valid };
        let convolution =
            Convolution { strides: [stride; 2], padding, groups, ..Convolution::default() };
        let rng = &mut Stream::new(1);
        let x = Tensor::<f32>::normal([n, side, side, c_in], 0.0, 1.0, rng);
        let kernel = Tensor::normal([k, k, c_in / groups, c_out], 0.0, 0.1, rng);
        let bias = Tensor::zeros([c_out]);
        let [constant_x, constant_kernel, constant_bias] =
            [&x, &kernel, &bias].map(|value| Var::constant(value.clone()));
        let y = constant_x.convolve(&constant_kernel, &constant_bias, convolution);
        let dy = Tensor::normal(y.shape(), 0.0, 1.0, rng);
        let operations = (2 * y.shape().count() * k * k * c_in / groups) as u64;

        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        group.throughput(Throughput::Elements(operations));
        group.bench_function("forward", |bencher| {
            bencher.iter(|| {
                black_box(constant_x.convolve(&constant_kernel, &constant_bias, convolution))
            });
        });
        group.throughput(Throughput::Elements(3 * operations));
        group.bench_function("forward and gradients", |bencher| {
            bencher.iter(|| {
                let tape = Tape::new();
                let [x, kernel, bias] = [&x, &kernel, &bias].map(|value| tape.leaf(value.clone()));
                let y = x.convolve(&kernel, &bias, convolution);
                let gradients = y.backward_from(&dy);
                black_box([&x, &kernel, &bias].map(|leaf| gradients.wrt(leaf)))
            });
        });
        group.finish();
    }
}

criterion_group!(benches, convolutions);
criterion_main!(benches);
