//! The logarithm of the hyperbolic cosine of differences.

use super::{Loss, over_samples, same_shape_with_axis};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::options::no_options;

/// Half the square of small differences, and in proportion to large ones, without a seam: the mean of `ln(cosh(p - y))` over the outputs of a sample.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Loss, Var};
/// let (y, p) = (Tensor::from([[1.0]]), Var::constant(Tensor::from([[-1.0]])));
/// assert!((LogCosh.per_sample(&y, &p).value().item() - 2f64.cosh().ln()).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct LogCosh;

no_options!(LogCosh = "LogCosh");

impl<T: Scalar> Loss<T> for LogCosh {
    fn name(&self) -> &str {
        "log_cosh"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        // ln(cosh(x)) = x + ln(1 + exp(-2 x)) - ln(2), which does not overflow.
        let difference = predictions - Var::constant(targets.clone());
        let tail = difference.affine(T::lit(-2.0), T::zero()).softplus();
        over_samples(&(difference + tail).affine(T::one(), T::lit(-std::f64::consts::LN_2)))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape_with_axis(targets, output)
    }
}
