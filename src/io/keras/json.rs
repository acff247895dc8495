//! A model without weights as the text that Keras calls its JSON.

use super::{KERAS, legacy, parse};
use crate::config::Value;
use crate::error::{Error, Reason, Result};
use crate::model::{Model, from_config, to_config};
use crate::scalar::{Scalar, compiled};
use crate::train::Registry;

impl<T: Scalar> Model<T> {
    /// The model's layers and what it is compiled with, without weights, as Keras's `to_json`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// let text = model.to_json();
    /// assert!(text.contains("\"units\":2"));
    /// assert_eq!(Model::<f32>::from_json(&text, 0)?.get_weights(), model.get_weights());
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn to_json(&self) -> String {
        to_config(self).to_string()
    }

    /// A model of the text that `to_json` of Keras 1, 2 or 3 gives, with new weights, drawn from the seed: Keras's
    /// `model_from_json`. [`load_weights`](Self::load_weights) then fills it with those of a file.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let text = r#"{"class_name": "Sequential", "keras_version": "2.2.4", "config": [{"class_name": "Dense",
    ///     "config": {"units": 3, "activation": "relu", "batch_input_shape": [null, 8]}}]}"#;
    /// let model: Model = Model::from_json(text, 1)?;
    /// assert_eq!((model.input_shape().as_ref(), model.count_params()), (&[8][..], 27));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the text is no JSON or no model, or has a layer or option that is not supported.
    pub fn from_json(text: &str, seed: u64) -> Result<Self> {
        Self::from_json_with(text, seed, &Registry::new())
    }

    /// The same, with layers, losses, metrics and optimizers of one's own.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let error = Model::<f32>::from_json_with("{}", 0, &cinta::Registry::new()).unwrap_err();
    /// assert!(error.to_string().starts_with("the JSON of a model: "));
    /// ```
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    #[inline(never)]
    pub fn from_json_with(text: &str, seed: u64, registry: &Registry<T>) -> Result<Self> {
        let wrong = |reason: Reason| Error::Config(format!("the JSON of a model: {reason}").into());
        let description =
            described(text).and_then(|value| from_config(&value, registry)).map_err(wrong)?;
        let mut model = description.outline.draw(seed)?;
        model.compiled = description.compile;
        Ok(model)
    }
}

/// The text in the words of Keras 3, which alone says from which module a class is.
fn described(text: &str) -> Result<Value, Reason> {
    let (mut value, mut refused) = (parse("text", text.as_bytes())?, Vec::new());
    if value.get("module").is_some() {
        legacy::upgrade_archive(&mut value, true, KERAS, &mut refused)?;
    } else {
        let version = value.get("keras_version").and_then(Value::as_str).unwrap_or_default();
        let version = version.to_owned();
        value = legacy::upgrade(value, None, &version, &mut refused)?;
    }
    legacy::accept(refused)?;
    Ok(value)
}

compiled!(|model: &Model<T>| model.to_json());
compiled!(|registry: &Registry<T>| Model::<T>::from_json_with("", 0, registry));
