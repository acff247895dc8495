//! Dropout of whole channels.

use super::dropout::{check_rate, dropout};
use super::recipe::{described, formatted, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// A layer for samples with this number of axes, the channels last.
macro_rules! spatial_dropout {
    ($layer:ident = $class:literal, $rank:literal, $input:tt $(, formats $format:ident)?) => {
        recipe! {
            /// In training, sets a fraction `rate` of the channels of each sample to 0, each of them everywhere, and scales the rest by
            /// `1 / (1 - rate)` (Tompson et al., *Efficient object localization using convolutional networks*, 2015); in `predict` and
            /// `evaluate` it does nothing.
            pub struct $layer = $class;
            /// A layer that drops this fraction, between 0 and 1.
            new(rate: f64);
            example $input => $layer::new(0.5) => $input;
            options {}
            null ["seed"]
            $(formats $format;)?
            fixed {}
            only { "noise_shape": null }
            ignored []
        }

        impl<T: Scalar> Layer<T> for $layer {
            // Keras's layers do not know `trainable`, which is of no consequence.
            described!(without "trainable": true);
            $(formatted!($format);)?

            fn output_shape(&self, input: Shape) -> Result<Shape, $crate::error::Reason> {
                if input.rank() != $rank {
                    return Err(format!(
                        "needs samples with {} axes, the last of them the channels, and one has the shape {input}",
                        $rank
                    ).into());
                }
                check_rate(self.rate).map(|()| input)
            }

            fn forward<'t>(
                &self,
                _: &[Var<'t, T>],
                x: &Var<'t, T>,
                cx: &mut Context<T>,
            ) -> Var<'t, T> {
                let mut shape = [Some(1); $rank + 1]; // [n, 1, .., c]
                (shape[0], shape[$rank]) = (None, None);
                dropout(x, self.rate, &shape, cx)
            }
        }
    };
}

spatial_dropout!(SpatialDropout1d = "SpatialDropout1D", 2, [8, 3]);
spatial_dropout!(SpatialDropout2d = "SpatialDropout2D", 3, [8, 8, 3], formats data_format);
spatial_dropout!(SpatialDropout3d = "SpatialDropout3D", 4, [4, 4, 4, 3], formats data_format);
