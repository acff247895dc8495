//! Element-wise operations, softmax, optimizers, normalisation and average pooling, on one thread: `cargo bench --bench elementwise`.
//!
//! Criterion prints elements per second. All tensors stay in the second-level cache.

use cinta::prelude::*;
use cinta::{Optimizer, Padding, Step, Stream, Tape, Var};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;
type Function = for<'t> fn(&Var<'t, f32>) -> Var<'t, f32>;

fn one_thread() -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread")
}

/// Forward, and forward with the gradient.
fn both(group: &mut Group<'_>, name: &str, x: &Tensor, function: Function) {
    let one = one_thread();
    group.throughput(Throughput::Elements(x.len() as u64));
    group.bench_function(name, |bencher| {
        one.install(|| {
            let constant = Var::constant(x.clone());
            bencher.iter(|| black_box(function(&constant)))
        });
    });
    let dy = function(&Var::constant(x.clone())).into_value();
    group.bench_function(format!("{name} and gradient"), |bencher| {
        one.install(|| {
            bencher.iter(|| {
                let tape = Tape::new();
                let x = tape.leaf(x.clone());
                black_box(function(&x).backward_from(&dy).wrt(&x))
            });
        });
    });
}

fn operations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("elementwise");
    let x = Tensor::<f32>::normal([256, 128], 0.0, 2.0, &mut Stream::new(1));
    let functions: [(&str, Function); 10] = [
        ("exp", |x| x.exp()),
        ("tanh", |x| x.tanh()),
        ("sigmoid", |x| x.sigmoid()),
        ("elu", |x| x.elu()),
        ("gelu", |x| x.gelu(false)),
        ("gelu, approximate", |x| x.gelu(true)),
        ("silu", |x| x.silu()),
        ("softplus", |x| x.softplus()),
        ("softmax of 128", |x| x.softmax()),
        ("log_softmax of 128", |x| x.log_softmax()),
    ];
    for (name, function) in functions {
        both(&mut group, name, &x, function);
    }
    let x = Tensor::<f32>::normal([3200, 10], 0.0, 2.0, &mut Stream::new(1));
    both(&mut group, "softmax of 10", &x, |x| x.softmax());
    for (shape, name) in [([64, 16, 16, 8], "8"), ([8, 32, 32, 64], "64")] {
        let x = Tensor::<f32>::normal(shape, 0.0, 1.0, &mut Stream::new(1));
        let name = |what: &str| format!("{what} of {name} channels");
        both(&mut group, &name("avg_pool2d"), &x, |x| x.avg_pool2d([2, 2], [2, 2], Padding::Valid));
        both(&mut group, &name("batch_norm"), &x, |x| {
            let ones = Var::constant(Tensor::ones([x.shape()[3]]));
            x.batch_norm(&ones, &ones, 3, 1e-3).0
        });
    }
    group.finish();
}

fn optimizers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("optimizers");
    let rng = &mut Stream::new(1);
    let count = 1 << 15;
    let weight = Tensor::<f32>::normal([count], 0.0, 1.0, rng).to_vec();
    let gradient = Tensor::<f32>::normal([count], 0.0, 1.0, rng).to_vec();
    group.throughput(Throughput::Elements(count as u64));
    let optimizers: [(&str, &dyn Optimizer<f32>); 6] = [
        ("Adam", &Adam::default()),
        ("AdamW", &AdamW::default()),
        ("RMSprop", &RmsProp::default()),
        ("Adagrad", &Adagrad::default()),
        ("SGD", &Sgd::default()),
        ("SGD with momentum", &Sgd::new(0.01).momentum(0.9)),
    ];
    let step = Step { number: 3, learning_rate: 0.001 };
    for (name, optimizer) in optimizers {
        let mut weight = weight.clone();
        let mut slots = vec![vec![0.5; count]; optimizer.slots().len()];
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut slots: Vec<&mut [f32]> =
                    slots.iter_mut().map(|slot| &mut slot[..]).collect();
                optimizer.update(step, &mut weight, &gradient, &mut slots);
                black_box(&weight);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, operations, optimizers);
criterion_main!(benches);
