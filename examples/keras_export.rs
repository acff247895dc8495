//! The lecture's network, trained here and opened in Keras.
//!
//! `cargo run --release --features keras --example keras_export` writes it as `.keras` and as `.h5`.

mod lecture;

use cinta::prelude::*;
use clap::Parser;
use lecture::Digits;

/// Trains the lecture's network, writes it as Keras does, and prints the Python lines that open it.
#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    digits: Digits,
    /// How often every sample is seen.
    #[arg(long, value_name = "N", default_value_t = 5)]
    epochs: usize,
    /// Of weights, dropout and shuffling.
    #[arg(long, value_name = "N", default_value_t = 72_881)]
    seed: u64,
}

fn run(flags: &Flags) -> Result<(), Error> {
    let (train, test) = flags.digits.read()?;
    let mut model = lecture::lenet(flags.seed)?;
    let fit =
        Fit { epochs: flags.epochs, batch_size: 256, verbose: Verbose::Silent, ..Fit::default() };
    model.fit(&train, fit)?;
    println!("train {}", model.evaluate(&train)?);
    println!("test {}", model.evaluate(&test)?);

    let [keras, h5, weights] =
        ["lenet.keras", "lenet.h5", "lenet.weights.h5"].map(lecture::picture);
    model.save(&keras)?;
    model.save(&h5)?;
    model.save_weights(&weights)?;
    println!("\nIn Python:\n");
    println!("import keras");
    println!("model = keras.models.load_model({:?})", keras.display().to_string());
    println!("model.summary()");
    println!("# model.evaluate(x, y) gives the scores above, and model.fit(x, y) trains on.");
    println!("# The same weights for a model that Python has built:");
    println!("model.load_weights({:?})", weights.display().to_string());
    println!("# The older format. Keras trains on from it once it is compiled again:");
    println!("model = keras.models.load_model({:?})", h5.display().to_string());
    println!(
        "model.compile(keras.optimizers.SGD(0.02, momentum=0.5), \"categorical_crossentropy\")"
    );
    Ok(())
}

fn main() {
    lecture::finish(run(&Flags::parse()));
}
