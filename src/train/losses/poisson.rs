//! The loss of counts.

use super::{Loss, over_samples, same_shape_with_axis};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::options::no_options;

/// How unlikely counts are whose means are predicted: the mean of `p - y ln(p + 1e-7)` over the outputs of a sample.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Loss, Var};
/// let (y, p) = (Tensor::from([[3.0, 0.0]]), Var::constant(Tensor::from([[1.0, 2.0]])));
/// assert!((Poisson.per_sample(&y, &p).value().item() - 1.5f64).abs() < 1e-6); // of 1 and 2
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Poisson;

no_options!(Poisson = "Poisson");

impl<T: Scalar> Loss<T> for Poisson {
    fn name(&self) -> &str {
        "poisson"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        let logarithm = predictions.affine(T::one(), T::lit(1e-7)).ln();
        over_samples(&(predictions - Var::constant(targets.clone()) * logarithm))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape_with_axis(targets, output)
    }
}
