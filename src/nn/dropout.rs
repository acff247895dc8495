//! The dropout layer.

use super::{Config, Context, Layer, Mode, Options, as_config};
use crate::autograd::Var;
use crate::scalar::Scalar;
use crate::tensor::Shape;
use serde_json::json;

/// In training, sets a fraction `rate` of its input to 0 and scales the rest by `1 / (1 - rate)`, as
/// [`Var::dropout`]; in `predict` and `evaluate` it does nothing.
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([4]).add(Dropout::new(0.5)).build(0)?;
/// let x = Tensor::from([[1.0, 2.0, 3.0, 4.0]]);
/// assert_eq!(model.predict(&x)?, x);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dropout {
    rate: f64,
    name: Option<String>,
}

impl Dropout {
    /// A layer that drops this fraction, between 0 and 1.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 1]).add(Dropout::new(0.5)).build(1)?;
    /// assert_eq!(model.output_shape(), [8, 8, 1]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new(rate: f64) -> Self {
        Dropout { rate, name: None }
    }

    /// The layer's name in the model, in place of an automatic one.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 1]).add(Dropout::new(0.5).name("noise")).build(1)?;
    /// assert!(model.get_layer("noise").is_ok());
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    pub(super) fn from_config(config: &Config) -> Result<Self, String> {
        let mut options = Options::new(config);
        let layer = Dropout { rate: options.number("rate")?, name: None };
        // The random numbers come from the model's seed.
        options.ignore(&["trainable", "seed"]);
        options.finish()?;
        Ok(layer)
    }
}

impl<T: Scalar> Layer<T> for Dropout {
    fn class_name(&self) -> &str {
        "Dropout"
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn config(&self) -> Config {
        as_config(json!({
            "trainable": true, "rate": self.rate, "seed": null, "noise_shape": null,
        }))
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        if (0.0..=1.0).contains(&self.rate) {
            Ok(input)
        } else {
            Err(format!("the rate {} is not between 0 and 1", self.rate))
        }
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, cx: &mut Context<T>) -> Var<'t, T> {
        match (cx.mode(), cx.stream()) {
            (Mode::Train { first_sample, .. }, Some(stream)) if self.rate > 0.0 => {
                x.dropout(self.rate, &stream, first_sample)
            }
            _ => x.clone(),
        }
    }
}
