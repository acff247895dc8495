//! The layer that brings inputs into another range.

use super::recipe::{described, recipe};
use super::{Context, Layer, Numbers};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

recipe! {
    /// `scale x + offset`, for instance from the bytes of an image to numbers between 0 and 1. Both are numbers, or have one for
    /// each channel.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3]).add(Rescaling::new(1.0 / 127.5).offset(-1.0)).build(0)?;
    /// assert_eq!(model.predict(&Tensor::from([[0.0, 127.5, 255.0]]))?.to_vec(), [-1.0, 0.0, 1.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Rescaling = "Rescaling";
    /// Times `scale`.
    new(scale: Tensor<f64> as impl Numbers, numbers);
    example [8, 8, 3] => Rescaling::new(1.0 / 255.0) => [8, 8, 3];
    options {
        /// What is added.
        offset: Tensor<f64> as impl Numbers, numbers = Tensor::scalar(0.0), [-0.5, 0.0, 0.5];
    }
    fixed {}
    ignored []
}

/// Numbers as a constant of the model's type.
pub(super) fn constant<'t, T: Scalar>(numbers: &Tensor<f64>) -> Var<'t, T> {
    let values: Vec<T> = numbers.iter().map(T::lit).collect();
    Var::constant(Tensor::new(numbers.shape(), values))
}

impl<T: Scalar> Layer<T> for Rescaling {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        for (name, numbers) in [("scale", &self.scale), ("offset", &self.offset)] {
            if !constant::<T>(numbers).value().is_finite() {
                return Err(format!("{name} has values that are not finite in {}", T::NAME).into());
            }
            if input.broadcast_with(&numbers.shape()) != Some(input) {
                return Err(format!(
                    "{name} has the shape {}, which does not fit a sample of shape {input}",
                    numbers.shape()
                )
                .into());
            }
        }
        Ok(input)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        match [&self.scale, &self.offset].map(|numbers| (numbers.rank(), numbers)) {
            [(0, scale), (0, offset)] => x.affine(T::lit(scale.item()), T::lit(offset.item())),
            [(_, scale), (_, offset)] => x * constant(scale) + constant(offset),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_fits_the_last_axes() {
        let shape = |scale: Tensor<f64>| {
            Layer::<f32>::output_shape(&Rescaling::new(scale), Shape::from([4, 3]))
        };
        assert!(shape(Tensor::ones([3])).is_ok() && shape(Tensor::ones([4, 1])).is_ok());
        assert!(shape(Tensor::ones([4])).unwrap_err().as_str().contains("shape [4]"));
        assert!(shape(Tensor::ones([2, 4, 3])).is_err());
        assert!(shape(Tensor::scalar(1e300)).unwrap_err().as_str().contains("not finite in f32"));
    }
}
