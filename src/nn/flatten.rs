//! The layer that makes a vector of an image.

use super::{Config, Context, Layer, Options, as_config};
use crate::autograd::Var;
use crate::scalar::Scalar;
use crate::tensor::Shape;
use serde_json::json;

/// All values of a sample as one vector, in reading order: `[h, w, c]` becomes `[h w c]`.
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([3, 3, 12]).add(Flatten::new()).build(0)?;
/// assert_eq!(model.output_shape(), [108]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Flatten {
    name: Option<String>,
}

impl Flatten {
    /// The layer.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 1]).add(Flatten::new()).build(1)?;
    /// assert_eq!(model.output_shape(), [64]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new() -> Self {
        Flatten::default()
    }

    /// The layer's name in the model, in place of an automatic one.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 8, 1]).add(Flatten::new().name("flat")).build(1)?;
    /// assert!(model.get_layer("flat").is_ok());
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    pub(super) fn from_config(config: &Config) -> Result<Self, String> {
        let mut options = Options::new(config);
        options.only("data_format", &json!("channels_last"))?;
        options.ignore(&["trainable"]);
        options.finish()?;
        Ok(Flatten::new())
    }
}

impl<T: Scalar> Layer<T> for Flatten {
    fn class_name(&self) -> &str {
        "Flatten"
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn config(&self) -> Config {
        as_config(json!({ "trainable": true, "data_format": "channels_last" }))
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        input
            .checked_count()
            .map(Shape::from)
            .ok_or_else(|| format!("the shape {input} has more elements than memory"))
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let shape = x.shape();
        x.reshape([shape[0], shape.sample().count()])
    }
}
