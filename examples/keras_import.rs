//! A model that Keras saved, from Python or R: opened, described and, with digits, scored.
//!
//! `cargo run --release --features keras --example keras_import -- MODEL` prints its summary.

mod lecture;

use cinta::prelude::*;
use lecture::Flags;

const HELP: &str = "\
Opens a model that Keras saved and prints its summary; with digits, its scores as well.

  MODEL             a file of Keras, .keras or .h5 (or one of this crate's)
  --data DIR        the ZIP-code digits (zip.train and zip.test, plain or .gz)
  --transpose       swap rows and columns of every image: for models that R trained,
                    whose arrays are filled column by column
  --help            print this";

/// The same images with rows and columns swapped.
fn transposed(data: &Dataset) -> Result<Dataset, Error> {
    Dataset::new(data.inputs().permute([0, 2, 1, 3]), data.targets().clone())
}

fn run(flags: &Flags) -> Result<(), Error> {
    let file = flags.text("MODEL");
    let file = file.ok_or_else(|| Error::Config(format!("name a file of Keras\n\n{HELP}")))?;
    let model: Model = Model::load(file)?;
    println!("{}", model.summary());
    if !flags.has("data") {
        return Ok(());
    }
    let (mut train, mut test) = lecture::digits(flags)?;
    if flags.has("transpose") {
        (train, test) = (transposed(&train)?, transposed(&test)?);
    }
    println!("train {}", model.evaluate(&train)?);
    println!("test {}", model.evaluate(&test)?);
    Ok(())
}

fn main() {
    lecture::finish(run(&lecture::flags(HELP)));
}
