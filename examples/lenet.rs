//! Lecture 9.4, *Ejemplo (arquitectura LeNet)*: a LeNet on 16x16 digits, trained, evaluated, saved and loaded.
//!
//! `cargo run --release --example lenet -- --help` lists the flags.

mod lecture;

use cinta::prelude::*;
use clap::Parser;
use lecture::Digits;
use std::path::PathBuf;

/// Trains the lecture's network on handwritten digits and prints its scores.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    digits: Digits,
    /// How often every sample is seen.
    #[arg(long, value_name = "N", default_value_t = 300)]
    epochs: usize,
    /// Samples in a step.
    #[arg(long, value_name = "N", default_value_t = 256)]
    batch_size: usize,
    /// Of weights, dropout and shuffling.
    #[arg(long, value_name = "N", default_value_t = 72_881)]
    seed: u64,
    /// Write the trained model to a file, whose name ends in .safetensors.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Evaluate a saved model, do not train.
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Do not evaluate after every epoch.
    #[arg(long)]
    no_validation: bool,
    /// Print nothing, a bar, or a line for each epoch.
    #[arg(long, value_name = "0|1|2", default_value_t = 1, value_parser = clap::value_parser!(u8).range(..=2))]
    verbose: u8,
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
    println!("{:?}", train.inputs().shape());
    // The counts of the classes 0 to 9.
    println!("{:.0}", train.targets().sum(0));

    let mut model = match &flags.load {
        Some(file) => Model::load(file)?,
        None => lecture::lenet(flags.seed)?,
    };
    println!("{}", model.summary());
    if flags.load.is_none() {
        let fit = Fit {
            epochs: flags.epochs,
            batch_size: flags.batch_size,
            validation_data: (!flags.no_validation).then_some(&test),
            verbose: Verbose::from(flags.verbose),
            ..Fit::default()
        };
        let history = model.fit(&train, fit)?;
        #[cfg(feature = "plot")]
        cinta::plot::history(&history).save(lecture::picture("lenet_history.png"))?;
        #[cfg(not(feature = "plot"))]
        let _ = history;
    }
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
