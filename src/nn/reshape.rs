//! The layer that gives samples another shape.

use super::recipe::{described, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{MAX_RANK, Shape};

recipe! {
    /// The same values in reading order under another shape.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([12]).add(Reshape::new([3, -1])).build(0)?;
    /// assert_eq!(model.output_shape(), [3, 4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Reshape = "Reshape";
    /// To this shape of a sample, in which one number may be -1: what is left over.
    new(target_shape: Vec<isize> as impl Into<Vec<isize>>, into);
    example [4, 6] => Reshape::new([2, -1, 3]) => [2, 4, 3];
    options {}
    fixed {}
    ignored []
}

impl Reshape {
    /// The shape of a sample with so many values, if it has one.
    fn shape_of(&self, count: usize) -> Option<Vec<usize>> {
        let known = |&size: &isize| usize::try_from(size).ok();
        let product = self.target_shape.iter().filter_map(known).try_fold(1, usize::checked_mul)?;
        let unknown = self.target_shape.iter().filter(|&&size| size < 0).count();
        let left = match unknown {
            0 if product == count => 1,
            1 if product > 0 && count.is_multiple_of(product) => count / product,
            _ => return None,
        };
        Some(self.target_shape.iter().map(|size| known(size).unwrap_or(left)).collect())
    }
}

impl<T: Scalar> Layer<T> for Reshape {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let target = &self.target_shape;
        if target.iter().any(|&size| size < -1) || target.len() >= MAX_RANK {
            return Err(format!(
                "the shape {target:?} has a number below -1, or more than {} axes",
                MAX_RANK - 1
            )
            .into());
        }
        let shape = input.checked_count().and_then(|count| self.shape_of(count));
        shape.map(|shape| Shape::new(&shape)).ok_or_else(|| {
            format!("a sample of shape {input} does not have as many values as one of {target:?}")
                .into()
        })
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let shape = x.shape();
        let sample = self.shape_of(shape.sample().count()).expect("output_shape has checked it");
        x.reshape(&[&[shape[0]], &sample[..]].concat()[..])
    }
}
