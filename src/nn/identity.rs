//! The layer that does nothing.

use super::recipe::{described, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// Its input, as it is: a place for a layer in a model.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2]).add(Identity::new()).build(0)?;
    /// assert_eq!(model.predict(&Tensor::from([[1.0, 2.0]]))?.to_vec(), [1.0, 2.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Identity = "Identity";
    /// The layer.
    new();
    example [8, 3] => Identity::new() => [8, 3];
    options {}
    fixed {}
    ignored []
}

impl<T: Scalar> Layer<T> for Identity {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        Ok(input)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        x.clone()
    }
}
