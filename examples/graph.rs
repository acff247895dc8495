//! A small residual network on 16x16 digits: layers that branch and join, trained, saved and loaded.
//!
//! `cargo run --release --example graph -- --help` lists the flags.

mod lecture;

use cinta::prelude::*;
use clap::Parser;
use lecture::Digits;
use std::path::PathBuf;

/// Trains a small residual network on handwritten digits and prints its scores.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    digits: Digits,
    /// How often every sample is seen.
    #[arg(long, value_name = "N", default_value_t = 10)]
    epochs: usize,
    /// Samples in a step.
    #[arg(long, value_name = "N", default_value_t = 64)]
    batch_size: usize,
    /// Of weights and shuffling.
    #[arg(long, value_name = "N", default_value_t = 72_881)]
    seed: u64,
    /// Write the trained model to a file, whose name ends in .safetensors.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Print nothing, a bar, or a line for each epoch.
    #[arg(long, value_name = "0|1|2", default_value_t = 1, value_parser = clap::value_parser!(u8).range(..=2))]
    verbose: u8,
}

/// `relu(x + conv(relu(conv(x))))`: the block learns what to add to its input.
fn block(x: &Node, filters: usize) -> Node {
    let y = x.then(Conv2d::new(filters, 3).padding(Same).activation(Relu));
    let y = y.then(Conv2d::new(filters, 3).padding(Same));
    Add::new().of([x, &y]).then(Relu)
}

fn network(seed: u64) -> Result<Model, Error> {
    let image = Input::new([16, 16, 1]);
    let x = block(&image.then(Conv2d::new(8, 3).padding(Same).activation(Relu)), 8);
    let x = x.then(Conv2d::new(16, 3).strides(2).padding(Same).activation(Relu));
    let x = block(&x, 16).then(GlobalAveragePooling2d::new());
    let scores = x.then(Dense::new(10).activation(Softmax).name("scores"));
    Model::new(&image, &scores).build(seed)
}

fn run(flags: &Flags) -> Result<(), Error> {
    // Before the training, not after it.
    if let Some(file) =
        flags.save.as_ref().filter(|file| file.extension() != Some("safetensors".as_ref()))
    {
        return Err(Error::Config(
            format!("--save {}: the name must end in .safetensors", file.display()).into(),
        ));
    }
    let (train, test) = flags.digits.read()?;
    let mut model = network(flags.seed)?;
    println!("{}", model.summary());
    #[cfg(feature = "plot")]
    cinta::plot::model(&model).save(lecture::picture("graph_model.png"))?;
    let loss = CategoricalCrossentropy::new();
    model.compile(Compile::new(Adam::new(0.005), loss).metric(Accuracy));
    model.fit(
        &train,
        Fit {
            epochs: flags.epochs,
            batch_size: flags.batch_size,
            validation_data: Some(&test),
            verbose: Verbose::from(flags.verbose),
            ..Fit::default()
        },
    )?;
    if let Some(file) = &flags.save {
        model.save(file)?;
    }
    println!("train {}", model.evaluate(&train)?);
    println!("test {}", model.evaluate(&test)?);
    Ok(())
}

fn main() {
    lecture::finish(run(&Flags::parse()));
}
