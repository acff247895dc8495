//! The lecture's network, trained here and opened in Keras.
//!
//! `cargo run --release --features keras --example keras_export` writes it as `.keras` and as `.h5`.

mod lecture;

use cinta::prelude::*;
use lecture::Flags;

const HELP: &str = "\
Trains the lecture's network, writes it as Keras does, and prints the Python lines that open it.

  --data DIR        the ZIP-code digits (zip.train and zip.test, plain or .gz)
                    in place of the digits that come with the crate
  --epochs N        how often every sample is seen (default 5)
  --seed N          of weights, dropout and shuffling (default 72881)
  --help            print this";

fn run(flags: &Flags) -> Result<(), Error> {
    let (train, test) = lecture::digits(flags)?;
    let mut model = lecture::lenet(flags.number("seed", 72_881)?)?;
    let fit = Fit {
        epochs: flags.number("epochs", 5)?,
        batch_size: 256,
        verbose: Verbose::Silent,
        ..Fit::default()
    };
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
    lecture::finish(run(&lecture::flags(HELP)));
}
