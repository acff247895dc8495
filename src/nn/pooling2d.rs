//! The layers that keep one value of every window.

use super::layer::image;
use super::recipe::{described, recipe};
use super::{Context, Layer, Pair};
use crate::autograd::Var;
use crate::kernels::{Padding, Window};
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// A pooling layer: its class by Keras's name, and the op it runs.
macro_rules! pooling_layer {
    ($(#[$doc:meta])* $layer:ident, $class_name:literal, $op:ident) => {
        recipe! {
            $(#[$doc])*
            pub struct $layer = $class_name;
            /// Windows of a size such as `2` or `[2, 3]`.
            new(pool_size: [usize; 2] as impl Pair, pair);
            example [8, 8, 1] => $layer::new([2, 4]) => [4, 2, 1];
            options {
                /// What happens at the border.
                padding: Padding = Padding::Valid, Same;
                /// How far the window moves from one output to the next; by default, its own size.
                strides: [usize; 2] as impl Pair, pair = pool_size, 1 => [7, 5, 1];
            }
            fixed { "data_format": "channels_last" }
            ignored []
        }

        impl<T: Scalar> Layer<T> for $layer {
            described!();

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
