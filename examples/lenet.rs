//! Lecture 9.4, *Ejemplo (arquitectura LeNet)*: a LeNet on 16x16 digits, trained, evaluated, saved and loaded.
//!
//! `cargo run --release --example lenet -- --help` lists the flags.

mod lecture;

use cinta::prelude::*;
use lecture::Flags;

const HELP: &str = "\
Trains the lecture's network on handwritten digits and prints its scores.

  --data DIR        the ZIP-code digits (zip.train and zip.test, plain or .gz)
                    in place of the digits that come with the crate
  --epochs N        how often every sample is seen (default 300)
  --batch-size N    samples in a step (default 256)
  --seed N          of weights, dropout and shuffling (default 72881)
  --save FILE       write the trained model to FILE, whose name ends in .safetensors
  --load FILE       evaluate a saved model, do not train
  --no-validation   do not evaluate after every epoch
  --verbose 0|1|2   print nothing, a bar, or a line for each epoch (default 1)
  --help            print this";

fn run(flags: &Flags) -> Result<(), Error> {
    // Before the training, not after it.
    if let Some(file) = flags.text("save").filter(|file| !file.ends_with(".safetensors")) {
        return Err(Error::Config(format!("--save {file}: the name must end in .safetensors")));
    }
    let (train, test) = lecture::digits(flags)?;
    println!("{:?}", train.inputs().shape());
    // The counts of the classes 0 to 9.
    println!("{:.0}", train.targets().sum(0));

    let mut model = match flags.text("load") {
        Some(file) => Model::load(file)?,
        None => lecture::lenet(flags.number("seed", 72_881)?)?,
    };
    println!("{}", model.summary());
    if !flags.has("load") {
        let fit = Fit {
            epochs: flags.number("epochs", 300)?,
            batch_size: flags.number("batch-size", 256)?,
            validation_data: (!flags.has("no-validation")).then_some(&test),
            verbose: Verbose::from(flags.number::<u8>("verbose", 1)?),
            ..Fit::default()
        };
        let history = model.fit(&train, fit)?;
        #[cfg(feature = "plot")]
        cinta::plot::history(&history).save(lecture::picture("lenet_history.png"))?;
        #[cfg(not(feature = "plot"))]
        let _ = history;
    }
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
