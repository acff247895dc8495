//! The layers that keep one value of every window.

use super::layer::image;
use super::{Config, Context, Layer, Options, Pair, as_config};
use crate::autograd::Var;
use crate::kernels::{Padding, Window};
use crate::scalar::Scalar;
use crate::tensor::Shape;
use serde_json::json;

/// A pooling layer: its class by Keras's name, and the op it runs.
macro_rules! pooling_layer {
    ($(#[$doc:meta])* $layer:ident, $class_name:literal, $op:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $layer {
            pool_size: [usize; 2],
            strides: [usize; 2],
            padding: Padding,
            name: Option<String>,
        }

        impl $layer {
            /// Windows of a size such as `2` or `[2, 3]`.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// let model = Sequential::new([8, 8, 1]).add(MaxPooling2d::new([2, 4])).build(1)?;
            /// assert_eq!(model.output_shape(), [4, 2, 1]);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn new(pool_size: impl Pair) -> Self {
                let pool_size = pool_size.pair();
                $layer { pool_size, strides: pool_size, padding: Padding::Valid, name: None }
            }

            /// How far the window moves from one output to the next; by default, its own size.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// let model = Sequential::new([8, 8, 1]).add(MaxPooling2d::new(3).strides(1)).build(1)?;
            /// assert_eq!(model.output_shape(), [6, 6, 1]);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn strides(mut self, strides: impl Pair) -> Self {
                self.strides = strides.pair();
                self
            }

            /// What happens at the border.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// let model = Sequential::new([8, 8, 1]).add(AveragePooling2d::new(3).padding(Same)).build(1)?;
            /// assert_eq!(model.output_shape(), [3, 3, 1]);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn padding(mut self, padding: Padding) -> Self {
                self.padding = padding;
                self
            }

            /// The layer's name in the model, in place of an automatic one.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// let model = Sequential::new([8, 8, 1]).add(MaxPooling2d::new(2).name("pool")).build(1)?;
            /// assert!(model.get_layer("pool").is_ok());
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.name = Some(name.into());
                self
            }

            pub(super) fn from_config(config: &Config) -> Result<Self, String> {
                let mut options = Options::new(config);
                options.only("data_format", &json!("channels_last"))?;
                let pool_size = options.pair("pool_size")?;
                let layer = $layer {
                    pool_size,
                    strides: options.pair_or("strides", pool_size)?,
                    padding: options.padding()?,
                    name: None,
                };
                options.ignore(&["trainable"]);
                options.finish()?;
                Ok(layer)
            }
        }

        impl<T: Scalar> Layer<T> for $layer {
            fn class_name(&self) -> &str {
                $class_name
            }

            fn name(&self) -> Option<&str> {
                self.name.as_deref()
            }

            fn config(&self) -> Config {
                as_config(json!({
                    "trainable": true,
                    "pool_size": self.pool_size,
                    "padding": self.padding.name(),
                    "strides": self.strides,
                    "data_format": "channels_last",
                }))
            }

            fn output_shape(&self, input: Shape) -> Result<Shape, String> {
                let [h, w, c] = image(input)?;
                let [oh, ow] =
                    Window::new([h, w], self.pool_size, self.strides, self.padding)?.output();
                Ok(Shape::from([oh, ow, c]))
            }

            fn forward<'t>(
                &self,
                _: &[Var<'t, T>],
                x: &Var<'t, T>,
                _: &mut Context<T>,
            ) -> Var<'t, T> {
                x.$op(self.pool_size, self.strides, self.padding)
            }
        }
    };
}

pooling_layer!(
    /// The largest value of every window, channel by channel: images `[h, w, c]` become `[oh, ow, c]`, as
    /// [`Var::max_pool2d`]. Keras's defaults: windows side by side (strides as large as the window),
    /// `valid` padding.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([16, 16, 8]).add(MaxPooling2d::new(2)).build(0)?;
    /// assert_eq!(model.output_shape(), [8, 8, 8]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    MaxPooling2d,
    "MaxPooling2D",
    max_pool2d
);

pooling_layer!(
    /// The mean of every window, channel by channel: images `[h, w, c]` become `[oh, ow, c]`, as
    /// [`Var::avg_pool2d`]. Keras's defaults: windows side by side (strides as large as the window),
    /// `valid` padding.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([16, 16, 8]).add(AveragePooling2d::new([2, 4])).build(0)?;
    /// assert_eq!(model.output_shape(), [8, 4, 8]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    AveragePooling2d,
    "AveragePooling2D",
    avg_pool2d
);
