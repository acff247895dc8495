//! The layer that puts the axes of samples into another order.

use super::recipe::{described, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// The axes of a sample in another order.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([10, 64]).add(Permute::new([2, 1])).build(0)?;
    /// assert_eq!(model.output_shape(), [64, 10]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Permute = "Permute";
    /// Axis `i` of the output is axis `dims[i]` of the input. As in Keras, the first axis of a sample has the number 1.
    new(dims: Vec<usize> as impl Into<Vec<usize>>, into);
    example [4, 6, 3] => Permute::new([3, 1, 2]) => [3, 4, 6];
    options {}
    fixed {}
    ignored []
}

impl<T: Scalar> Layer<T> for Permute {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let mut sorted = self.dims.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(1..=input.rank()) {
            return Err(format!(
                "{:?} is no order of the axes 1 to {} of a sample of shape {input}",
                self.dims,
                input.rank()
            )
            .into());
        }
        let shape: Vec<usize> = self.dims.iter().map(|&axis| input[axis - 1]).collect();
        Ok(Shape::new(&shape))
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        x.permute_axes(&[&[0], &self.dims[..]].concat())
    }
}
