//! The lecture's network (9.4): a LeNet on 16x16 digits, trained, evaluated, saved and loaded.
//!
//! `cargo run --release --example lenet -- --help` lists the flags.

use cinta::prelude::*;

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

fn lenet(seed: u64) -> Result<Sequential, Error> {
    let mut model = Sequential::new([16, 16, 1])
        .add(
            Conv2d::new(8, 5)
                .padding(Same)
                .activation(Relu)
                .kernel_regularizer(L2(0.01))
                .name("conv_1"),
        )
        .add(MaxPooling2d::new(2))
        .add(Dropout::new(0.25))
        .add(Conv2d::new(12, 3).activation(Relu).kernel_regularizer(L2(0.01)).name("conv_2"))
        .add(MaxPooling2d::new(2))
        .add(Dropout::new(0.25))
        .add(Flatten::new())
        .add(Dense::new(50).activation(Relu).kernel_regularizer(L2(0.01)))
        .add(Dropout::new(0.5))
        .add(Dense::new(10).activation(Softmax).kernel_regularizer(L2(0.01)))
        .build(seed)?;
    model.compile(
        Compile::new(Sgd::new(0.02).momentum(0.5), CategoricalCrossentropy::new())
            .metric(Accuracy)
            .metric(CategoricalCrossentropy::new()),
    );
    Ok(model)
}

struct Args {
    data: Option<String>,
    epochs: usize,
    batch_size: usize,
    seed: u64,
    save: Option<String>,
    load: Option<String>,
    validation: bool,
    verbose: u8,
}

fn args() -> Result<Args, lexopt::Error> {
    use lexopt::prelude::*;
    let mut args = Args {
        data: None,
        epochs: 300,
        batch_size: 256,
        seed: 72_881,
        save: None,
        load: None,
        validation: true,
        verbose: 1,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("data") => args.data = Some(parser.value()?.string()?),
            Long("epochs") => args.epochs = parser.value()?.parse()?,
            Long("batch-size") => args.batch_size = parser.value()?.parse()?,
            Long("seed") => args.seed = parser.value()?.parse()?,
            Long("save") => args.save = Some(parser.value()?.string()?),
            Long("load") => args.load = Some(parser.value()?.string()?),
            Long("no-validation") => args.validation = false,
            Long("verbose") => args.verbose = parser.value()?.parse()?,
            Long("help") | Short('h') => {
                println!("{HELP}");
                std::process::exit(0);
            }
            _ => return Err(arg.unexpected()),
        }
    }
    Ok(args)
}

fn run(args: Args) -> Result<(), Error> {
    // Before the training, not after it.
    if let Some(file) = args.save.as_ref().filter(|file| !file.ends_with(".safetensors")) {
        return Err(Error::Config(format!("--save {file}: the name must end in .safetensors")));
    }
    let (train, test) = match &args.data {
        Some(dir) => datasets::zip_digits(dir)?,
        None => datasets::digits(),
    };
    let mut model = match &args.load {
        Some(file) => Sequential::load(file)?,
        None => lenet(args.seed)?,
    };
    println!("{}", model.summary());
    if args.load.is_none() {
        let validation_data = args.validation.then_some(&test);
        let verbose = Verbose::from(args.verbose);
        let Args { epochs, batch_size, .. } = args;
        model
            .fit(&train, Fit { epochs, batch_size, validation_data, verbose, ..Fit::default() })?;
    }
    if let Some(file) = &args.save {
        model.save(file)?;
    }
    println!("train {}", model.evaluate(&train)?);
    println!("test {}", model.evaluate(&test)?);
    Ok(())
}

fn main() {
    let result = args().map_err(|error| error.to_string());
    if let Err(error) = result.and_then(|args| run(args).map_err(|error| error.to_string())) {
        eprintln!("lenet: {error}");
        std::process::exit(1);
    }
}
