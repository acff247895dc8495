//! This crate.

use cinta::prelude::*;
use cinta::{Convolution, Node, Stream, Tape, Var, applications};
use peers::{Case, LECTURE_SAMPLES, median, serve};
use std::hint::black_box;

fn normal(shape: &[usize], deviation: f64) -> Tensor {
    Tensor::normal(shape, 0.0, deviation, &mut Stream::new(1))
}

fn convolution(case: &peers::Convolution) -> (Convolution, [Tensor; 3]) {
    let padding = if case.pad == 0 { Valid } else { Same };
    let convolution = Convolution {
        strides: [case.stride; 2],
        padding,
        groups: case.groups,
        ..Convolution::default()
    };
    let x = normal(&[case.n, case.side, case.side, case.c_in], 1.0);
    let kernel = normal(&[case.k, case.k, case.c_in / case.groups, case.c_out], 0.1);
    (convolution, [x, kernel, Tensor::zeros([case.c_out])])
}

fn lecture() -> Model {
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
        .build(1)
        .expect("a network");
    let optimizer = Sgd::new(0.02).momentum(0.5);
    let loss = CategoricalCrossentropy::new();
    model.compile(Compile::new(optimizer, loss.clone()).metric(Accuracy).metric(loss));
    model
}

fn mnist() -> Model {
    let mut model = Sequential::new([28, 28, 1])
        .add(Conv2d::new(32, 3).activation(Relu))
        .add(MaxPooling2d::new(2))
        .add(Conv2d::new(64, 3).activation(Relu))
        .add(MaxPooling2d::new(2))
        .add(Flatten::new())
        .add(Dropout::new(0.5))
        .add(Dense::new(10).activation(Softmax))
        .build(1)
        .expect("a network");
    model.compile(Compile::new(Adam::default(), CategoricalCrossentropy::new()).metric(Accuracy));
    model
}

fn vgg() -> Model {
    let conv = |filters| Conv2d::new(filters, 3).padding(Same).activation(Relu);
    let mut model = Sequential::new([32, 32, 3])
        .add(conv(64))
        .add(conv(64))
        .add(MaxPooling2d::new(2))
        .add(conv(128))
        .add(conv(128))
        .add(MaxPooling2d::new(2))
        .add(conv(256))
        .add(conv(256))
        .add(MaxPooling2d::new(2))
        .add(Flatten::new())
        .add(Dense::new(10).activation(Softmax))
        .build(1)
        .expect("a network");
    model.compile(Compile::new(Adam::default(), CategoricalCrossentropy::new()).metric(Accuracy));
    model
}

/// 16, 32 and 64 channels: down, up, and across.
fn unet() -> Model {
    let conv = |x: &Node, filters| {
        let conv = || Conv2d::new(filters, 3).padding(Same).activation(Relu);
        x.then(conv()).then(conv())
    };
    let up = |x: &Node, filters| x.then(Conv2dTranspose::new(filters, 2).strides(2));
    let image = Input::new([64, 64, 3]);
    let large = conv(&image, 16);
    let small = conv(&large.then(MaxPooling2d::new(2)), 32);
    let x = conv(&small.then(MaxPooling2d::new(2)), 64);
    let x = conv(&Concatenate::new().of([&up(&x, 32), &small]), 32);
    let x = conv(&Concatenate::new().of([&up(&x, 16), &large]), 16);
    let scores = x.then(Conv2d::new(2, 1).activation(Softmax));
    Model::new(&image, &scores).build(1).expect("a network")
}

/// A network with shortcuts, and its batch.
fn network(name: &str) -> Option<(Model, usize)> {
    let (built, batch) = match name {
        "resnet20" => (applications::resnet20().build(1), 64),
        "mobilenet" => {
            let mobilenet = applications::mobilenet_v2(0.35).input_shape([96, 96, 3]);
            (mobilenet.classes(10).build(1), 32)
        }
        "unet" => (Ok(unet()), 32),
        _ => return None,
    };
    let mut model = built.expect("a network");
    model.compile(Compile::new(Adam::default(), CategoricalCrossentropy::new()).metric(Accuracy));
    Some((model, batch))
}

/// Seconds a sample of one step, or of a prediction of a batch or of a single sample.
fn measure_network(name: &str) -> Option<f64> {
    let (kind, name) = name.split_once(' ')?;
    let (mut model, batch) = network(name)?;
    let (input, output) = (model.input_shape(), model.output_shape());
    let samples = if kind == "one" { 1 } else { batch };
    let rng = &mut Stream::new(1);
    let inputs = Tensor::uniform(&[&[samples][..], &input].concat()[..], 0.0, 1.0, rng);
    let seconds = if kind == "train" {
        // A class for each sample, or for each pixel.
        let last = output.rank();
        let targets = Tensor::from_fn(&[&[samples][..], &output].concat()[..], |at| {
            let place = at[..last].iter().sum::<usize>();
            f32::from(u8::from(place % output[last - 1] == at[last]))
        });
        let data = Dataset::new(inputs, targets).expect("a data set");
        let fit = || Fit { batch_size: batch, verbose: Verbose::Silent, ..Fit::default() };
        median(|| {
            model.fit(&data, fit()).expect("training");
        })?
    } else {
        median(|| {
            black_box(model.predict(&inputs).expect("a prediction"));
        })?
    };
    Some(seconds / samples as f64)
}

fn data(n: usize, sample: &[usize]) -> Dataset {
    let inputs = Tensor::uniform(&[&[n], sample].concat()[..], 0.0, 1.0, &mut Stream::new(1));
    let labels: Vec<usize> = (0..n).map(|i| i % 10).collect();
    Dataset::new(inputs, datasets::one_hot(&labels, 10).expect("labels")).expect("a data set")
}

/// Seconds a sample of one epoch.
fn training(
    mut model: Model,
    samples: usize,
    shape: &[usize],
    batch_size: usize,
) -> Option<f64> {
    let data = data(samples, shape);
    let fit = || Fit { batch_size, verbose: Verbose::Silent, ..Fit::default() };
    let epoch = median(|| {
        model.fit(&data, fit()).expect("training");
    })?;
    Some(epoch / samples as f64)
}

fn measure(case: Case) -> Option<f64> {
    match case {
        Case::Forward(case) => {
            let (convolution, inputs) = convolution(&case);
            let [x, kernel, bias] = inputs.map(Var::constant);
            median(|| {
                black_box(x.convolve(&kernel, &bias, convolution));
            })
        }
        Case::Backward(case) => {
            let (convolution, inputs) = convolution(&case);
            let [x, kernel, bias] = inputs.each_ref().map(|value| Var::constant(value.clone()));
            let dy = normal(&x.convolve(&kernel, &bias, convolution).shape(), 1.0);
            median(|| {
                let tape = Tape::new();
                let leaves = inputs.each_ref().map(|value| tape.leaf(value.clone()));
                let [x, kernel, bias] = &leaves;
                let gradients = x.convolve(kernel, bias, convolution).backward_from(&dy);
                black_box(leaves.each_ref().map(|leaf| gradients.wrt(leaf)));
            })
        }
        Case::Pool(case) => {
            let x = Var::constant(normal(&[case.n, case.side, case.side, case.c], 1.0));
            median(|| {
                black_box(x.max_pool2d([2, 2], [2, 2], Valid));
            })
        }
        Case::PoolBackward(case) => {
            let x = normal(&[case.n, case.side, case.side, case.c], 1.0);
            let dy = normal(&[case.n, case.side / 2, case.side / 2, case.c], 1.0);
            median(|| {
                let tape = Tape::new();
                let leaf = tape.leaf(x.clone());
                let y = leaf.max_pool2d([2, 2], [2, 2], Valid);
                black_box(y.backward_from(&dy).wrt(&leaf));
            })
        }
        Case::Other(name) => match name.as_str() {
            "train lecture" => training(lecture(), LECTURE_SAMPLES, &[16, 16, 1], 256),
            "train mnist" => training(mnist(), 1024, &[28, 28, 1], 128),
            "train vgg" => training(vgg(), 64, &[32, 32, 3], 64),
            "predict lecture" | "predict one" => {
                let model = lecture();
                let samples = if name == "predict one" { 1 } else { LECTURE_SAMPLES };
                let x = data(samples, &[16, 16, 1]).inputs().clone();
                median(|| {
                    black_box(model.predict(&x).expect("a prediction"));
                })
            }
            "gemm" => {
                let (a, b) = (normal(&[1024, 1024], 1.0), normal(&[1024, 1024], 1.0));
                median(|| {
                    black_box(a.matmul(&b));
                })
            }
            other => measure_network(other),
        },
    }
}

fn main() {
    // For the head of the table.
    if std::env::args().nth(1).as_deref() == Some("instruction-set") {
        return println!("{}", cinta::instruction_set());
    }
    serve(measure);
}
