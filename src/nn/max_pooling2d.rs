//! The layer that keeps the largest value of every window.

use super::layer::image;
use super::{Config, Context, Layer, Options, Pair};
use crate::autograd::Var;
use crate::kernels::{Padding, Window};
use crate::scalar::Scalar;
use crate::tensor::Shape;
use serde_json::json;

/// The largest value of every window, channel by channel: images `[h, w, c]` become `[oh, ow, c]`, as
/// [`Var::max_pool2d`]. Keras's defaults: windows side by side (strides as large as the window), `valid`
/// padding.
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([16, 16, 8]).add(MaxPooling2d::new(2)).build(0)?;
/// assert_eq!(model.output_shape(), [8, 8, 8]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MaxPooling2d {
    pool_size: [usize; 2],
    strides: Option<[usize; 2]>,
    padding: Padding,
    name: Option<String>,
}

impl MaxPooling2d {
    /// Windows of a size such as `2` or `[2, 3]`.
    pub fn new(pool_size: impl Pair) -> Self {
        MaxPooling2d {
            pool_size: pool_size.pair(),
            strides: None,
            padding: Padding::Valid,
            name: None,
        }
    }

    /// How far the window moves from one output to the next; by default, its own size.
    pub fn strides(mut self, strides: impl Pair) -> Self {
        self.strides = Some(strides.pair());
        self
    }

    /// What happens at the border.
    pub fn padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// The layer's name in the model, in place of an automatic one.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    pub(super) fn from_config(config: &Config) -> Result<Self, String> {
        let mut options = Options::new(config);
        options.only("data_format", &json!("channels_last"))?;
        let pool_size = options.pair("pool_size")?;
        let strides = match options.value("strides") {
            None => None,
            Some(_) => Some(Options::new(config).pair("strides")?),
        };
        let layer = MaxPooling2d { pool_size, strides, padding: options.padding()?, name: None };
        options.ignore(&["trainable"]);
        options.finish()?;
        Ok(layer)
    }

    fn strides_or_default(&self) -> [usize; 2] {
        self.strides.unwrap_or(self.pool_size)
    }
}

impl<T: Scalar> Layer<T> for MaxPooling2d {
    fn class_name(&self) -> &str {
        "MaxPooling2D"
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn config(&self) -> Config {
        let config = json!({
            "trainable": true,
            "pool_size": self.pool_size,
            "padding": self.padding.name(),
            "strides": self.strides_or_default(),
            "data_format": "channels_last",
        });
        config.as_object().expect("an object").clone()
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        let [h, w, c] = image(input)?;
        let window = Window::new([h, w], self.pool_size, self.strides_or_default(), self.padding)?;
        let [oh, ow] = window.output();
        Ok(Shape::from([oh, ow, c]))
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        x.max_pool2d(self.pool_size, self.strides_or_default(), self.padding)
    }
}
