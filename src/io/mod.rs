//! Models as files.

mod safetensors;

use crate::error::{Error, Result};
use crate::file;
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::train::Registry;
use std::path::Path;

/// Whether a path names a format that this crate knows.
pub(crate) fn check_extension(path: &Path) -> Result<()> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => Ok(()),
        _ => Err(Error::format(
            path,
            "the name's ending tells the format, and this one is not known; use `.safetensors`",
        )),
    }
}

impl<T: Scalar> Sequential<T> {
    /// Writes the model to a `.safetensors` file: architecture, weights, what it was compiled with, the
    /// optimizer's state and how far training came, so that training goes on where it stopped.
    ///
    /// The weights are tensors called `layer/weight`; the rest is a JSON text under the key `cinta` of
    /// the metadata, with the architecture as Keras 3 writes it in `config.json`. The same model gives
    /// the same bytes. The file appears complete or not at all: it is written under another name beside,
    /// and renamed.
    ///
    /// # Errors
    /// When the name does not end in `.safetensors`, the optimizer's hyperparameters make no sense, or the
    /// file cannot be written.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// # let dir = std::env::temp_dir().join(format!("cinta-doc-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// let path = dir.join("model.safetensors");
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(7)?;
    /// model.save(&path)?;
    /// let loaded: Sequential = Sequential::load(&path)?;
    /// assert_eq!(loaded.get_weights(), model.get_weights());
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        check_extension(path)?;
        if let Some(compiled) = &self.compiled {
            compiled.check_optimizer().map_err(Error::Config)?;
        }
        let bytes = safetensors::to_bytes(self).map_err(|reason| Error::format(path, reason))?;
        file::write(path, &bytes)
    }

    /// Reads a model that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// When the file cannot be read, is not complete, was written by another program, holds weights
    /// that do not fit its architecture or are not finite, or names something this crate does not know.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let error = Sequential::<f32>::load("nowhere.safetensors").unwrap_err();
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
    /// assert!(Sequential::<f32>::load_with("nowhere.safetensors", &registry).is_err());
    /// ```
    pub fn load_with(path: impl AsRef<Path>, registry: &Registry<T>) -> Result<Self> {
        let path = path.as_ref();
        check_extension(path)?;
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
        safetensors::from_bytes(&bytes, registry).map_err(|reason| Error::format(path, reason))
    }
}
