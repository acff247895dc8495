//! An autoencoder: digits of 256 pixels go through 16 numbers and come back.
//!
//! `cargo run --release --features plot --example autoencoder` also draws some digits above what comes back.

mod lecture;

use cinta::prelude::*;
use clap::Parser;

/// Trains an autoencoder on the digits that come with the crate.
#[derive(Parser)]
struct Flags {
    /// How often every sample is seen.
    #[arg(long, value_name = "N", default_value_t = 6)]
    epochs: usize,
}

/// Digits in the upper row, and what the model makes of them in the lower one.
#[cfg(feature = "plot")]
fn draw(digits: &Tensor, back: &Tensor) -> Result<(), Error> {
    let n = digits.shape()[0];
    // [n, 16, 16, 1] -> [16, 16 n]: side by side
    let row = |images: &Tensor| images.permute([1, 0, 2, 3]).reshape([16, 16 * n]);
    let rows = Tensor::concat(&[row(digits), row(back)]);
    cinta::plot::picture(&rows).save(lecture::picture("autoencoder.png"))
}

fn run(flags: &Flags) -> Result<(), Error> {
    let (train, test) = datasets::digits();
    // The target is the input: there is nothing to label.
    let same = |data: &Dataset| Dataset::new(data.inputs().clone(), data.inputs().clone());
    let (train, test) = (same(&train)?, same(&test)?);

    let image = Input::new([16, 16, 1]);
    let x = image.then(Conv2d::new(8, 3).strides(2).padding(Same).activation(Relu)); // 8x8
    let x = x.then(Conv2d::new(16, 3).strides(2).padding(Same).activation(Relu)); // 4x4
    let code = x.then(Flatten::new()).then(Dense::new(16).name("code"));
    let y = code.then(Dense::new(4 * 4 * 16).activation(Relu)).then(Reshape::new([4, 4, 16]));
    // Transposed convolutions with a stride of 2 double the sides again.
    let y = y.then(Conv2dTranspose::new(8, 3).strides(2).padding(Same).activation(Relu));
    let y = y.then(Conv2dTranspose::new(8, 3).strides(2).padding(Same).activation(Relu));
    // Pixels are between 0 and 1, as what a sigmoid gives.
    let back = y.then(Conv2d::new(1, 3).padding(Same).activation(Sigmoid));
    let mut model = Model::new(&image, &back).build(5)?;
    println!("{}", model.summary());

    model.compile(
        Compile::new(Adam::new(0.003), BinaryCrossentropy::new()).metric(MeanSquaredError),
    );
    let epochs = flags.epochs;
    model.fit(&train, Fit { epochs, batch_size: 64, verbose: Verbose::Line, ..Fit::default() })?;

    // The mean digit is what a model without a code could give at best.
    let mean = train.inputs().mean(0);
    let blind = (test.inputs() - &mean).square().mean(..).item();
    let error = model.evaluate(&test)?["mean_squared_error"];
    println!("mean squared error: {error:.4}, and {blind:.4} of the mean digit");
    assert!(error < 0.5 * f64::from(blind), "it has not learnt");

    let digits = test.inputs().slice(0, 0..10);
    // One number in 16 says most: the code is a part of the model, and a model of its own.
    println!("the first code: {}", model.up_to("code")?.predict(&digits)?.slice(0, 0..1));
    #[cfg(feature = "plot")]
    draw(&digits, &model.predict(&digits)?)?;
    Ok(())
}

fn main() {
    lecture::finish(run(&Flags::parse()));
}
