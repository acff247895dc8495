//! What the lecture's examples share: flags, data, the network of section 9.4, and where pictures go.

#![allow(dead_code)] // no example needs all of it

use cinta::prelude::*;
use std::path::PathBuf;

/// Where digits come from.
#[derive(clap::Args)]
pub struct Digits {
    /// The lecture's digits (zip.train and zip.test, plain or .gz) in place of those that come with the crate.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Where a trained network comes from.
#[derive(clap::Args)]
pub struct Trained {
    /// A trained network, as `lenet --save FILE` writes it.
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Without one, how long to train.
    #[arg(long, value_name = "N", default_value_t = 100)]
    epochs: usize,
}

/// Ends the program with an error's message, if there is one.
pub fn finish(result: Result<(), Error>) {
    if let Err(error) = result {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

impl Digits {
    /// Training and test digits.
    pub fn read(&self) -> Result<(Dataset, Dataset), Error> {
        self.data.as_ref().map_or_else(|| Ok(datasets::digits()), datasets::zip_digits)
    }
}

/// The network of section 9.4, compiled.
pub fn lenet(seed: u64) -> Result<Model, Error> {
    let conv =
        |filters, size| Conv2d::new(filters, size).activation(Relu).kernel_regularizer(L2(0.01));
    let mut model = Sequential::new([16, 16, 1])
        .add(conv(8, 5).padding(Same).name("conv_1"))
        .add(MaxPooling2d::new(2))
        .add(Dropout::new(0.25))
        .add(conv(12, 3).name("conv_2"))
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

impl Trained {
    /// The network of a file, or one that is trained now.
    pub fn model(&self, train: &Dataset) -> Result<Model, Error> {
        if let Some(file) = &self.load {
            return Model::load(file);
        }
        let epochs = self.epochs;
        println!("training for {epochs} epochs (--load FILE takes a trained network)");
        let mut model = lenet(72_881)?;
        let verbose = Verbose::Silent;
        model.fit(train, Fit { epochs, batch_size: 256, verbose, ..Fit::default() })?;
        Ok(model)
    }
}

/// Where a picture goes, which is printed: `target/lecture/NAME`, or into the folder that `CINTA_PICTURES` names.
pub fn picture(name: &str) -> PathBuf {
    let folder = std::env::var_os("CINTA_PICTURES").map_or("target/lecture".into(), PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    println!("-> {}", folder.join(name).display());
    folder.join(name)
}
