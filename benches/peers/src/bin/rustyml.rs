//! RustyML's neural networks. Tensors are NHWC. The penalty of the kernels is its SGD's weight decay, which is
//! applied to the weights rather than in the loss; its matrix product is a dense layer without bias.

use ndarray::{Array, ArrayD};
use peers::{Case, Convolution, LECTURE_SAMPLES, median, serve};
use rustyml::error::Error;
use rustyml::neural_network::traits::UnaryLayer;
use rustyml::prelude::neural_network::*;
use std::hint::black_box;

/// Numbers between -1 and 1 that look random.
fn random(shape: &[usize]) -> ArrayD<f32> {
    let mut state = 1u32;
    Array::from_shape_simple_fn(shape, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    })
}

fn convolution(case: &Convolution) -> Result<Box<dyn UnaryLayer>, Error> {
    let padding = if case.pad == 0 { PaddingType::Valid } else { PaddingType::Same };
    let (kernel, strides) = ((case.k, case.k), (case.stride, case.stride));
    Ok(if case.groups == 1 {
        Box::new(
            Conv2D::new(case.c_out, kernel, strides, Activation::Linear)?.with_padding(padding),
        )
    } else {
        Box::new(DepthwiseConv2D::new(kernel, strides, Activation::Linear)?.with_padding(padding))
    })
}

fn forward(mut layer: Box<dyn UnaryLayer>, shape: &[usize]) -> Result<Option<f64>, Error> {
    let x = random(shape);
    layer.build(&Shape::known(shape))?;
    Ok(median(|| {
        black_box(layer.forward(&x, &mut Ctx::inference()).expect("an output"));
    }))
}

fn backward(mut layer: Box<dyn UnaryLayer>, shape: &[usize]) -> Result<Option<f64>, Error> {
    let x = random(shape);
    layer.build(&Shape::known(shape))?;
    let dy = random(layer.forward(&x, &mut Ctx::inference())?.shape());
    Ok(median(|| {
        let mut pass = Ctx::training();
        layer.forward(&x, &mut pass).expect("an output");
        black_box(layer.backward(&dy, &mut pass).expect("gradients"));
    }))
}

fn lecture() -> Result<Sequential, Error> {
    SequentialBuilder::new()
        .add(Conv2D::new(8, (5, 5), (1, 1), Activation::ReLU)?.with_padding(PaddingType::Same))
        .add(MaxPooling2D::new((2, 2)))
        .add(Dropout::new(0.25)?)
        .add(Conv2D::new(12, (3, 3), (1, 1), Activation::ReLU)?)
        .add(MaxPooling2D::new((2, 2)))
        .add(Dropout::new(0.25)?)
        .add(Flatten::new())
        .add(Dense::new(50, Activation::ReLU)?)
        .add(Dropout::new(0.5)?)
        .add(Dense::new(10, Activation::Softmax { axis: -1 })?)
        .build(&Shape::known(&[256, 16, 16, 1]))
}

fn mnist() -> Result<Sequential, Error> {
    SequentialBuilder::new()
        .add(Conv2D::new(32, (3, 3), (1, 1), Activation::ReLU)?)
        .add(MaxPooling2D::new((2, 2)))
        .add(Conv2D::new(64, (3, 3), (1, 1), Activation::ReLU)?)
        .add(MaxPooling2D::new((2, 2)))
        .add(Flatten::new())
        .add(Dropout::new(0.5)?)
        .add(Dense::new(10, Activation::Softmax { axis: -1 })?)
        .build(&Shape::known(&[128, 28, 28, 1]))
}

fn vgg() -> Result<Sequential, Error> {
    let mut builder = SequentialBuilder::new();
    for filters in [64, 128, 256] {
        for _ in 0..2 {
            let layer = Conv2D::new(filters, (3, 3), (1, 1), Activation::ReLU)?;
            builder = builder.add(layer.with_padding(PaddingType::Same));
        }
        builder = builder.add(MaxPooling2D::new((2, 2)));
    }
    builder
        .add(Flatten::new())
        .add(Dense::new(10, Activation::Softmax { axis: -1 })?)
        .build(&Shape::known(&[64, 32, 32, 3]))
}

/// Seconds a sample of one epoch.
fn train(mut model: Sequential, samples: usize, shape: [usize; 3], batch: usize) -> Option<f64> {
    let [h, w, c] = shape;
    let x = random(&[samples, h, w, c]);
    let y = Array::from_shape_fn((samples, 10), |(i, class)| f32::from(u8::from(i % 10 == class)))
        .into_dyn();
    let epoch = median(|| {
        black_box(model.fit_with_batches(&x, &y, 1, batch).expect("training"));
    })?;
    Some(epoch / samples as f64)
}

fn answer(case: Case) -> Result<Option<f64>, Error> {
    let adam = || Adam::new(0.001, 0.9, 0.999, 1e-8, 0.0);
    match case {
        Case::Forward(case) => {
            forward(convolution(&case)?, &[case.n, case.side, case.side, case.c_in])
        }
        Case::Backward(case) => {
            backward(convolution(&case)?, &[case.n, case.side, case.side, case.c_in])
        }
        Case::Pool(case) => {
            forward(Box::new(MaxPooling2D::new((2, 2))), &[case.n, case.side, case.side, case.c])
        }
        Case::PoolBackward(case) => {
            backward(Box::new(MaxPooling2D::new((2, 2))), &[case.n, case.side, case.side, case.c])
        }
        Case::Other(name) => Ok(match name.as_str() {
            "train lecture" => {
                let mut model = lecture()?;
                model.compile(
                    SGD::new(0.02, 0.5, false, 0.02)?,
                    CategoricalCrossEntropy::new(false),
                );
                train(model, LECTURE_SAMPLES, [16, 16, 1], 256)
            }
            "train mnist" => {
                let mut model = mnist()?;
                model.compile(adam()?, CategoricalCrossEntropy::new(false));
                train(model, 1024, [28, 28, 1], 128)
            }
            "train vgg" => {
                let mut model = vgg()?;
                model.compile(adam()?, CategoricalCrossEntropy::new(false));
                train(model, 64, [32, 32, 3], 64)
            }
            "predict lecture" | "predict one" => {
                let model = lecture()?;
                let samples = if name == "predict one" { 1 } else { LECTURE_SAMPLES };
                let x = random(&[samples, 16, 16, 1]);
                median(|| {
                    black_box(model.predict(&x).expect("a prediction"));
                })
            }
            "gemm" => {
                let layer = Dense::new(1024, Activation::Linear)?.with_use_bias(false);
                return forward(Box::new(layer), &[1024, 1024]);
            }
            _ => None,
        }),
    }
}

fn main() {
    serve(|case| answer(case).expect("a measurement"));
}
