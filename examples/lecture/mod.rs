//! What the lecture's examples share: flags, data, the network of section 9.4, and where pictures go.

#![allow(dead_code)] // no example needs all of it

use cinta::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

/// The flags of a run: all of them are `--name VALUE`, but for those without a VALUE in the help. What stands there
/// as a word in capitals is an argument without a flag. A flag that is repeated has several values.
pub struct Flags(BTreeMap<String, Vec<String>>);

/// The command line, read by the help: a line that begins with `  --name` allows that flag, and one that begins with
/// `  NAME` an argument.
pub fn flags(help: &str) -> Flags {
    match parse(help) {
        Ok(flags) => flags,
        Err(error) => {
            eprintln!("{error}\n\n{help}");
            std::process::exit(2);
        }
    }
}

fn is_capital(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_uppercase())
}

fn parse(help: &str) -> Result<Flags, lexopt::Error> {
    use lexopt::prelude::*;
    let mut flags: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        let name = match arg {
            Long(name) => name.to_owned(),
            Value(value) => {
                let words = help.lines().filter_map(|line| line.strip_prefix("  "));
                let mut words = words.filter_map(|line| line.split_whitespace().next());
                let free = |word: &&str| is_capital(word) && !flags.contains_key(*word);
                match words.find(free) {
                    Some(word) => flags.insert(word.to_owned(), vec![value.string()?]),
                    None => return Err(Value(value).unexpected()),
                };
                continue;
            }
            other => return Err(other.unexpected()),
        };
        let mut known = help.lines().filter_map(|line| line.strip_prefix("  --"));
        let described = known.find(|line| line.split_whitespace().next() == Some(&name));
        // A value is named in capitals, or a choice such as 0|1|2.
        let takes_value = |line: &str| {
            let word = line.split_whitespace().nth(1).unwrap_or_default();
            word.chars().all(|c| c.is_uppercase() || c.is_ascii_digit() || c == '|')
        };
        match described {
            _ if name == "help" => {
                println!("{help}");
                std::process::exit(0);
            }
            Some(line) if takes_value(line) => {
                flags.entry(name).or_default().push(parser.value()?.string()?);
            }
            Some(_) => {
                flags.insert(name, Vec::new());
            }
            None => return Err(format!("there is no flag --{name}").into()),
        }
    }
    Ok(Flags(flags))
}

impl Flags {
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value of a flag, the last one of several.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.all(name).last().map(String::as_str)
    }

    /// The values of a flag, in their order.
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// The value of a flag, or a default.
    pub fn number<N: FromStr>(&self, name: &str, default: N) -> Result<N, Error> {
        let wrong =
            |text| Error::Config(format!("--{name} {text}: this is no number of that kind"));
        self.text(name).map_or(Ok(default), |text| text.parse().map_err(|_| wrong(text)))
    }
}

/// Ends the program with an error's message, if there is one.
pub fn finish(result: Result<(), Error>) {
    if let Err(error) = result {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

/// Training and test digits: those that come with the crate, or the lecture's own with `--data DIR`.
pub fn digits(flags: &Flags) -> Result<(Dataset, Dataset), Error> {
    flags.text("data").map_or_else(|| Ok(datasets::digits()), datasets::zip_digits)
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

/// A trained network: that of `--load FILE`, or one that is trained for `--epochs N` (without it, 100).
pub fn trained(flags: &Flags, train: &Dataset) -> Result<Model, Error> {
    if let Some(file) = flags.text("load") {
        return Model::load(file);
    }
    let epochs = flags.number("epochs", 100)?;
    println!("training for {epochs} epochs (--load FILE takes a trained network)");
    let mut model = lenet(72_881)?;
    let verbose = Verbose::Silent;
    model.fit(train, Fit { epochs, batch_size: 256, verbose, ..Fit::default() })?;
    Ok(model)
}

/// Where a picture goes, which is printed: `target/lecture/NAME`, or into the folder that `CINTA_PICTURES` names.
pub fn picture(name: &str) -> PathBuf {
    let folder = std::env::var_os("CINTA_PICTURES").map_or("target/lecture".into(), PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder for pictures");
    println!("-> {}", folder.join(name).display());
    folder.join(name)
}
