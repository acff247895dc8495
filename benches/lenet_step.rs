//! The lecture's network: training steps and predictions.
//!
//! `cargo bench --bench lenet_step`; criterion prints samples per second as elements.

use cinta::prelude::*;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const BATCH: usize = 256;
/// As many samples as the lecture's training data: 28 whole batches and a smaller one.
const SAMPLES: usize = 7291;

fn lenet() -> Model {
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
        .build(72_881)
        .expect("the lecture's network");
    model.compile(
        Compile::new(Sgd::new(0.02).momentum(0.5), CategoricalCrossentropy::new())
            .metric(Accuracy)
            .metric(CategoricalCrossentropy::new()),
    );
    model
}

fn data(samples: usize) -> Dataset {
    let inputs = Tensor::uniform([samples, 16, 16, 1], 0.0, 1.0, &mut cinta::Stream::new(1));
    let labels: Vec<usize> = (0..samples).map(|i| i % 10).collect();
    let targets = datasets::one_hot(&labels, 10).expect("labels below 10");
    Dataset::new(inputs, targets).expect("as many inputs as targets")
}

fn training(criterion: &mut Criterion) {
    let data = data(SAMPLES);
    let fit = || Fit { batch_size: BATCH, verbose: Verbose::Silent, ..Fit::default() };
    let mut group = criterion.benchmark_group("lenet_step");
    group.throughput(Throughput::Elements(SAMPLES as u64));
    group.bench_function("train", |bencher| {
        bencher.iter_batched_ref(
            lenet,
            |model| black_box(model.fit(&data, fit()).expect("data that fits")),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn prediction(criterion: &mut Criterion) {
    let model = lenet();
    let mut group = criterion.benchmark_group("lenet_predict");
    for samples in [1, SAMPLES] {
        let inputs = data(samples).inputs().clone();
        group.throughput(Throughput::Elements(samples as u64));
        group.bench_function(format!("{samples} samples"), |bencher| {
            bencher.iter(|| model.predict(black_box(&inputs)).expect("inputs that fit"));
        });
    }
    group.finish();
}

criterion_group!(benches, training, prediction);
criterion_main!(benches);
