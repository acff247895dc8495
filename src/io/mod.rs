//! Models and tensors as files.

mod bytes;
#[cfg(feature = "keras")]
mod keras;
mod load;
#[cfg(feature = "npy")]
mod npy;
#[cfg(feature = "npy")]
mod npz;
#[cfg(any(feature = "keras", feature = "npy"))]
mod pack;
mod safetensors;
mod widen;

pub use bytes::Endian;
pub use load::Load;

use crate::config::{Value, json};
use crate::error::{Error, Reason, Result};
use crate::file;
use crate::model::{Model, Training};
use crate::scalar::{Scalar, compiled};
use crate::train::Registry;
use std::path::Path;

/// What a path's ending says about the file.
enum Ending {
    Safetensors,
    #[cfg(feature = "keras")]
    Keras(keras::Format),
}

impl Ending {
    fn of(path: &Path) -> Result<Self> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // A name that is nothing but an ending has none.
        let ends = |ending: &&str| name.len() > ending.len() && name.ends_with(*ending);
        let ends_in = |endings: &[&str]| endings.iter().any(ends);
        if ends_in(&[".safetensors"]) {
            return Ok(Ending::Safetensors);
        }
        if !ends_in(&[".keras", ".h5", ".hdf5"]) {
            return Err(Error::format(
                path,
                "the name's ending tells the format, and this one is not known; \
                 use `.safetensors`, or with the feature `keras` also `.keras` or `.h5`",
            ));
        }
        #[cfg(feature = "keras")]
        return Ok(Ending::Keras(keras::Format::of(name)));
        #[cfg(not(feature = "keras"))]
        Err(Error::format(
            path,
            "files of Keras need the feature `keras` of the crate cinta; switch it on in Cargo.toml",
        ))
    }
}

/// Whether a model, or its weights alone, can be saved under this path.
#[cfg_attr(not(feature = "keras"), expect(unused_variables, reason = "`.safetensors` is for both"))]
pub(crate) fn check_path(path: &Path, weights_only: bool) -> Result<()> {
    match Ending::of(path)? {
        Ending::Safetensors => Ok(()),
        #[cfg(feature = "keras")]
        Ending::Keras(format) => {
            format.check(weights_only).map_err(|reason| Error::format(path, reason))
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    file::read(path, u64::MAX)
}

/// The largest number of steps or epochs that a file may state.
const MAX_COUNT: u64 = 1 << 53;

fn training_to_json(training: Training) -> Value {
    let Training { seed, epoch, step, iterations } = training;
    json!({ "seed": seed, "epoch": epoch, "step": step, "iterations": iterations })
}

fn training_from_json(value: &Value) -> Result<Training, Reason> {
    let number = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_u64)
            .ok_or_else(|| format!("the description of the training has no whole number {name:?}"))
    };
    // Nobody trains that long, and counting on must not overflow.
    let count = |name: &str| match number(name)? {
        count @ ..=MAX_COUNT => Ok(count),
        count => Err(format!("the {name} of the training is {count}, more than 2^53")),
    };
    Ok(Training {
        seed: number("seed")?,
        epoch: count("epoch")?,
        step: count("step")?,
        iterations: count("iterations")?,
    })
}

impl<T: Scalar> Model<T> {
    /// Writes the model to a file: architecture, weights, what it was compiled with, the optimizer's state and how
    /// far training came, so that training goes on where it stopped. The name's ending tells the format.
    ///
    /// * `.safetensors`: the weights are tensors called `layer/weight`; the rest is a JSON text under the key `cinta`
    ///   of the metadata, with the architecture as Keras 3 writes it in `config.json`.
    /// * `.keras`, with the feature `keras`: what Keras 3 writes and loads.
    /// * `.h5` or `.hdf5`, with the feature `keras`: what Keras 3 writes and loads under that name. (It is the older
    ///   format. Keras 3 does not train on from such a file, its own ones included, before `compile` is called again.)
    ///
    /// All of them keep all of it. The same model gives the same bytes. The file appears complete or not at all: it is
    /// written under another name beside (`.cinta-`, 16 digits, `.tmp`), and renamed. If the program is killed in between, the old
    /// file stays, and the next save to that folder removes what was left. A file that is replaced keeps its mode and, where the
    /// system allows it, its owner; a symbolic link stays, and the file that it names is written.
    ///
    /// # Errors
    /// When the name's ending is none of these, the optimizer's hyperparameters make no sense, the format
    /// cannot keep a name (an `.h5` file has no layer `top_level_model_weights`), or the file cannot be written.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// # let dir = std::env::temp_dir().join(format!("cinta-doc-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// let path = dir.join("model.safetensors");
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(7)?;
    /// model.save(&path)?;
    /// let loaded: Model = Model::load(&path)?;
    /// assert_eq!(loaded.get_weights(), model.get_weights());
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let ending = Ending::of(path)?;
        if let Some(compiled) = &self.compiled {
            compiled.check_optimizer().map_err(Error::Config)?;
        }
        let bytes = match ending {
            Ending::Safetensors => safetensors::to_bytes(self),
            #[cfg(feature = "keras")]
            Ending::Keras(format) => keras::save(self, format),
        };
        file::write(path, &bytes.map_err(|reason| Error::format(path, reason))?)
    }

    /// Reads a model that [`save`](Self::save) or (with the feature `keras`) Keras wrote: `.keras` of Keras 3, and
    /// whole-model `.h5` of all versions since Keras 2.
    ///
    /// A file of Keras does not say which random numbers come next, so the seed is 0 there; and the epochs are counted
    /// from its loading.
    ///
    /// # Errors
    /// When the file cannot be read, is not complete, was written by another program, holds weights
    /// that do not fit its architecture or are not finite, or names something this crate does not know: the
    /// message says which option of which layer it is.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let error = Model::<f32>::load("nowhere.safetensors").unwrap_err();
    /// assert!(error.to_string().starts_with("nowhere.safetensors: "));
    /// ```
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::load_with(path, &Registry::new())
    }

    /// Reads a model with layers of your own, which the [`Registry`] knows how to make.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// # use cinta::Registry;
    /// let registry = Registry::new(); // .layer("Mine", |config| ...)
    /// assert!(Model::<f32>::load_with("nowhere.safetensors", &registry).is_err());
    /// ```
    pub fn load_with(path: impl AsRef<Path>, registry: &Registry<T>) -> Result<Self> {
        Load::new(path.as_ref()).registry(registry).model()
    }

    /// Writes the weights alone, for a model that will be built by the same program. The name's ending tells the
    /// format: `.safetensors`, or `.weights.h5` of Keras 3 (with the feature `keras`), which also has what the optimizer
    /// keeps.
    ///
    /// # Errors
    /// When the name's ending is none of these, the format cannot keep a name, or the file cannot be written.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// # let dir = std::env::temp_dir().join(format!("cinta-doc-weights-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// let path = dir.join("weights.safetensors");
    /// let build = |seed| Sequential::new([4]).add(Dense::new(2)).build(seed);
    /// let (one, mut other) = (build(1)?, build(2)?);
    /// one.save_weights(&path)?;
    /// other.load_weights(&path)?;
    /// assert_eq!(other.get_weights(), one.get_weights());
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = match Ending::of(path)? {
            Ending::Safetensors => safetensors::weights_to_bytes(self),
            #[cfg(feature = "keras")]
            Ending::Keras(format) => keras::save_weights(self, format),
        };
        file::write(path, &bytes.map_err(|reason| Error::format(path, reason))?)
    }

    /// Replaces all weights by those of a file, as [`set_weights`](Self::set_weights) does: of one that
    /// [`save_weights`](Self::save_weights) or [`save`](Self::save) wrote, or (with the feature `keras`) of any
    /// file of Keras: `.weights.h5`, `.keras`, and `.h5` of weights or of a whole model. The optimizer is left alone.
    ///
    /// In `.safetensors` files weights are found by the names of layers; in Keras's by the order of the layers, as
    /// Keras does. Weights of fewer bits than the model's (`f16`, `bf16`, and `f32` in a model of `f64`) are widened.
    ///
    /// # Errors
    /// When the file cannot be read or is not complete, its weights are not those of the model (some are missing, have another
    /// shape or more bits, or belong to no layer), or they are not finite. Nothing is changed then.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let mut model = Sequential::new([4]).add(Dense::new(2)).build(1)?;
    /// let error = model.load_weights("nowhere.safetensors").unwrap_err();
    /// assert!(error.to_string().starts_with("nowhere.safetensors: "));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let weights = match Ending::of(path)? {
            Ending::Safetensors => safetensors::weights_from_bytes(&read(path)?, self),
            #[cfg(feature = "keras")]
            Ending::Keras(_) => keras::load_weights(read(path)?, self),
        };
        self.set_weights(&weights.map_err(|reason| Error::format(path, reason))?)
    }
}

compiled!(|model: &Model<T>| (model.save(""), model.save_weights("")));
compiled!(|model: &mut Model<T>| (model.load_weights(""), Model::<T>::load("")));
