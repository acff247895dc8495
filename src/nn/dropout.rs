//! The dropout layer.

use super::recipe::{described, recipe};
use super::{Context, Layer, Mode};
use crate::autograd::Var;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
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
    pub struct Dropout = "Dropout";
    /// A layer that drops this fraction, between 0 and 1.
    new(rate: f64);
    example [8, 8, 1] => Dropout::new(0.5) => [8, 8, 1];
    options {}
    // The random numbers come from the model's seed.
    null ["seed"]
    fixed { "noise_shape": null }
    ignored []
}

impl<T: Scalar> Layer<T> for Dropout {
    described!();

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
