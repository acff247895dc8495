//! The exponential linear unit as a layer.

use super::recipe::{described, recipe};
use super::{Activation, Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// The exponential linear unit as a layer of its own: `y = x` where `x > 0`, else `y = alpha (exp(x) - 1)`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2]).add(Elu::new().alpha(0.5)).build(0)?;
    /// assert_eq!(model.predict(&Tensor::from([[-100.0, 2.0]]))?.to_vec(), [-0.5, 2.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Elu = "ELU";
    /// With an `alpha` of 1.
    new();
    example [8] => Elu::new() => [8];
    options {
        /// What the function approaches far below 0, but for the sign.
        alpha: f64 = 1.0, 0.5;
    }
    fixed {}
    ignored []
}

impl Elu {
    /// The activation that does the same.
    pub(super) fn into_activation(self) -> Result<Activation, Reason> {
        match self.alpha {
            1.0 => Ok(Activation::Elu),
            alpha => {
                Err(format!("with alpha = {alpha} it is a layer, but no activation; only 1 is")
                    .into())
            }
        }
    }
}

impl<T: Scalar> Layer<T> for Elu {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        match self.alpha {
            alpha if alpha.is_finite() => Ok(input),
            alpha => Err(format!("alpha = {alpha} is not a finite number").into()),
        }
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        x.elu_with(self.alpha)
    }
}
