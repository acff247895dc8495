//! The layer that makes a vector of an image.

use super::recipe::{described, formatted, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// All values of a sample as one vector, in reading order: `[h, w, c]` becomes `[h w c]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3, 3, 12]).add(Flatten::new()).build(0)?;
    /// assert_eq!(model.output_shape(), [108]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Flatten = "Flatten";
    /// The layer.
    new();
    example [8, 8, 1] => Flatten::new() => [64];
    options {}
    formats data_format;
    fixed {}
    ignored []
}

impl<T: Scalar> Layer<T> for Flatten {
    described!();
    formatted!(data_format);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        input
            .checked_count()
            .map(Shape::from)
            .ok_or_else(|| format!("the shape {input} has more elements than memory").into())
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let shape = x.shape();
        x.reshape([shape[0], shape.sample().count()])
    }
}
