//! Which steps of a sequence count.

use super::recipe::{described, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// Keras's classes that pass the mask of their input on: it is that of their output as well.
const PASSING: &[&str] = &[
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "ELU",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNormalization",
    "Identity",
    "LayerNormalization",
    "LeakyReLU",
    "Normalization",
    "PReLU",
    "ReLU",
    "Rescaling",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "TimeDistributed",
    "UnitNormalization",
];

/// The mask of what a layer of this class gives, if it does not say anything else.
pub(super) fn passed<T: Scalar>(class_name: &str, mask: Option<&Tensor<T>>) -> Option<Tensor<T>> {
    mask.filter(|_| PASSING.contains(&class_name)).cloned()
}

/// That of a layer which takes several inputs: a step counts if it counts in one of them.
pub(super) fn merged<T: Scalar>(masks: &[Option<&Tensor<T>>]) -> Option<Tensor<T>> {
    let masks: Option<Vec<&Tensor<T>>> = masks.iter().copied().collect();
    let (first, rest) =
        masks?.split_first().map(|(first, rest)| ((*first).clone(), rest.to_vec()))?;
    Some(rest.into_iter().fold(first, |all, mask| all.zip_with(mask, T::max)))
}

/// For each vector of the last axis, whether one of its numbers is another one than this.
fn counting<T: Scalar>(x: &Tensor<T>, mask_value: f64) -> Tensor<T> {
    let value = T::lit(mask_value);
    let other = x.map(|x| if x == value { T::zero() } else { T::one() });
    other.max(x.rank() - 1)
}

recipe! {
    /// Leaves out steps: where all numbers of a step are `mask_value`, it does not count for the layers that follow. A recurrent
    /// layer goes over it, and a mean over steps does not contain it. The numbers become 0.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3, 1]).add(Masking::new(-1.0)).add(SimpleRnn::new(2)).build(0)?;
    /// let y = model.predict(&Tensor::from([[[0.5], [-1.0], [2.0]], [[0.5], [2.0], [-1.0]]]))?;
    /// assert_eq!(y.slice(0, 0..1), y.slice(0, 1..2)); // 0.5 and 2, both times
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Masking = "Masking";
    /// Leaves out the steps of this value. Keras's default is 0.
    new(mask_value: f64);
    example [5, 3] => Masking::new(0.0) => [5, 3];
    options {}
    fixed {}
    ignored []
}

impl<T: Scalar> Layer<T> for Masking {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        match *input {
            [_, features, ..] if features > 0 => Ok(input),
            _ => Err(format!(
                "needs sequences [steps, features], and one sample has the shape {input}"
            )
            .into()),
        }
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let counting = counting(x.value(), self.mask_value);
        let beside = [&counting.shape()[..], &[1]].concat();
        x * Var::constant(counting.reshape(&beside[..]))
    }

    fn mask(&self, x: &Tensor<T>, _: Option<&Tensor<T>>) -> Option<Tensor<T>> {
        Some(counting(x, self.mask_value))
    }
}
