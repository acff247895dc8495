//! A model that Keras saved, from Python or R: opened, described, compared with what Keras predicts, scored on digits, and
//! written as another file.
//!
//! `cargo run --release --features keras,npy --example keras_import -- MODEL` prints its summary, or all that keeps it
//! from opening. In Python, `numpy.save("x.npy", x)` and `numpy.save("y.npy", model.predict(x))` write what
//! `--input x.npy --expect y.npy` reads.

mod lecture;

use cinta::Load;
use cinta::prelude::*;
use clap::Parser;
use lecture::Digits;
use std::path::{Path, PathBuf};

/// Opens a model that Keras saved and prints its summary, or all that keeps it from opening.
#[derive(Parser)]
struct Flags {
    /// A file of Keras, .keras or .h5 (or one of this crate's).
    model: PathBuf,
    /// An input as a .npy file; once for each input of the model, in their order. Sizes that the model leaves open are those of its inputs.
    #[arg(long, value_name = "FILE")]
    input: Vec<PathBuf>,
    /// What Keras predicts from it, as a .npy file; once for each output.
    #[arg(long, value_name = "FILE")]
    expect: Vec<PathBuf>,
    #[command(flatten)]
    digits: Digits,
    /// Swap rows and columns of every image: for models that R trained, whose arrays are filled column by column.
    #[arg(long)]
    transpose: bool,
    /// Write the model to another file, as .keras, .h5 or .safetensors; last, if all went well.
    #[arg(long, value_name = "FILE")]
    convert: Option<PathBuf>,
}

/// The largest difference from what was expected.
const TOLERANCE: f64 = 1e-4;

/// The same images with rows and columns swapped.
fn transposed(data: &Dataset) -> Result<Dataset, Error> {
    Dataset::new(data.inputs().permute([0, 2, 1, 3]), data.targets().clone())
}

fn arrays(files: &[PathBuf]) -> Result<Vec<Tensor>, Error> {
    files.iter().map(Tensor::read_npy).collect()
}

/// The model; or an error, after all that is not supported has been printed.
fn open(file: &Path, inputs: &[Tensor]) -> Result<Model, Error> {
    // Where the file leaves sizes open, those of the inputs are taken.
    let sized = || {
        let samples = inputs.iter().filter(|x| x.rank() > 0).map(|x| x.shape().sample());
        samples.fold(Load::new(file), Load::input_shape)
    };
    let error = match Load::new(file).model().or_else(|_| sized().model()) {
        Ok(model) => return Ok(model),
        Err(error) => error,
    };
    if let Ok(model) = sized().convert(true).model() {
        eprintln!("computed with rounded weights: {error}");
        return Ok(model);
    }
    // What it was compiled with does not change what it predicts.
    if let Ok(model) = sized().compile(false).convert(true).model() {
        eprintln!("opened without what it was compiled with: {error}");
        return Ok(model);
    }
    if let Ok(model) = sized().compile(false).convert(true).stateful(false).model() {
        eprintln!("opened with layers that begin anew with each batch: {error}");
        return Ok(model);
    }
    let reasons = sized().compile(false).convert(true).unsupported()?;
    if reasons.is_empty() {
        return Err(error);
    }
    for reason in &reasons {
        println!("not supported: {reason}");
    }
    Err(Error::Config(
        format!("{} cannot be opened; reasons: {}", file.display(), reasons.len()).into(),
    ))
}

/// The largest difference between two tensors of one shape; not a number if one of the differences is none.
fn max_abs_diff(a: &Tensor, b: &Tensor) -> f64 {
    let diffs = a.iter().zip(b.iter()).map(|(a, b)| (f64::from(a) - f64::from(b)).abs());
    diffs.fold(0.0, |max, diff| if diff.is_nan() || diff > max { diff } else { max })
}

/// Prints a line for each output of the model, with its difference from what was expected.
fn compare(model: &Model, inputs: &[Tensor], expected: &[Tensor]) -> Result<(), Error> {
    let outputs = model.predict_all(&inputs.iter().collect::<Vec<_>>())?;
    if !expected.is_empty() && expected.len() != outputs.len() {
        let (found, given) = (outputs.len(), expected.len());
        return Err(Error::Config(
            format!("the model has {found} outputs, and --expect names {given}").into(),
        ));
    }
    let mut wrong = Vec::new();
    for (at, output) in outputs.iter().enumerate() {
        let shape = output.shape();
        match expected.get(at) {
            None => println!("output {at} {shape}"),
            Some(expected) if expected.shape() != shape => {
                println!("output {at} {shape} expected shape {}", expected.shape());
                wrong.push(at);
            }
            Some(expected) => {
                let diff = max_abs_diff(output, expected);
                println!("output {at} {shape} max abs diff {diff:.1e}");
                if !(diff <= TOLERANCE && output.is_finite()) {
                    wrong.push(at);
                }
            }
        }
    }
    match wrong[..] {
        [] => Ok(()),
        _ => Err(Error::Data(
            format!("not within {TOLERANCE:e} of what was expected: the outputs {wrong:?}").into(),
        )),
    }
}

fn run(flags: &Flags) -> Result<(), Error> {
    let (inputs, expected) = (arrays(&flags.input)?, arrays(&flags.expect)?);
    let model = open(&flags.model, &inputs)?;
    println!("{}", model.summary());
    if !inputs.is_empty() {
        compare(&model, &inputs, &expected)?;
    } else if !expected.is_empty() {
        return Err(Error::Config("--expect needs --input: from what is it predicted?".into()));
    }
    if flags.digits.data.is_some() {
        let (mut train, mut test) = flags.digits.read()?;
        if flags.transpose {
            (train, test) = (transposed(&train)?, transposed(&test)?);
        }
        println!("train {}", model.evaluate(&train)?);
        println!("test {}", model.evaluate(&test)?);
    }
    if let Some(file) = &flags.convert {
        model.save(file)?;
        println!("-> {}", file.display());
    }
    Ok(())
}

fn main() {
    lecture::finish(run(&Flags::parse()));
}
