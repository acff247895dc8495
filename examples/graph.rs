//! A small residual network on 16x16 digits: layers that branch and join, trained, saved and loaded.
//!
//! `cargo run --release --example graph -- --help` lists the flags.

mod lecture;

use cinta::prelude::*;
use lecture::Flags;

const HELP: &str = "\
Trains a small residual network on handwritten digits and prints its scores.

  --data DIR        the ZIP-code digits (zip.train and zip.test, plain or .gz)
                    in place of the digits that come with the crate
  --epochs N        how often every sample is seen (default 10)
  --batch-size N    samples in a step (default 64)
  --seed N          of weights and shuffling (default 72881)
  --save FILE       write the trained model to FILE, whose name ends in .safetensors
  --verbose 0|1|2   print nothing, a bar, or a line for each epoch (default 1)
  --help            print this";

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
    if let Some(file) = flags.text("save").filter(|file| !file.ends_with(".safetensors")) {
        return Err(Error::Config(format!("--save {file}: the name must end in .safetensors")));
    }
    let (train, test) = lecture::digits(flags)?;
    let mut model = network(flags.number("seed", 72_881)?)?;
    println!("{}", model.summary());
    #[cfg(feature = "plot")]
    cinta::plot::model(&model).save(lecture::picture("graph_model.png"))?;
    let loss = CategoricalCrossentropy::new();
    model.compile(Compile::new(Adam::new(0.005), loss).metric(Accuracy));
    model.fit(
        &train,
        Fit {
            epochs: flags.number("epochs", 10)?,
            batch_size: flags.number("batch-size", 64)?,
            validation_data: Some(&test),
            verbose: Verbose::from(flags.number::<u8>("verbose", 1)?),
            ..Fit::default()
        },
    )?;
    if let Some(file) = flags.text("save") {
        model.save(file)?;
    }
    println!("train {}", model.evaluate(&train)?);
    println!("test {}", model.evaluate(&test)?);
    Ok(())
}

fn main() {
    lecture::finish(run(&lecture::flags(HELP)));
}
