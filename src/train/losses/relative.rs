//! Losses of differences beside what they differ from.

use super::{Loss, over_samples, same_shape_with_axis};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::options::no_options;

/// Keras's smallest number that is divided by.
const EPSILON: f64 = 1e-7;

/// Differences in percent of the target: the mean of `100 |y - p| / |y|` over the outputs of a sample. A target of less than 1e-7 counts as that.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Loss, Var};
/// let (y, p) = (Tensor::from([[4.0, -2.0]]), Var::constant(Tensor::from([[3.0, -3.0]])));
/// assert_eq!(MeanAbsolutePercentageError.per_sample(&y, &p).value().to_vec(), [37.5]); // of 25 and 50
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanAbsolutePercentageError;

no_options!(MeanAbsolutePercentageError = "MeanAbsolutePercentageError");

/// The mean of `(ln(1 + p) - ln(1 + y))²` over the outputs of a sample. What is below 1e-7 counts as that.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Loss, Var};
/// let (y, p) = (Tensor::from([[1.0, 0.0]]), Var::constant(Tensor::from([[3.0, 0.0]])));
/// let loss = MeanSquaredLogarithmicError.per_sample(&y, &p).value().item();
/// assert!((loss - 2f64.ln().powi(2) / 2.0).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanSquaredLogarithmicError;

no_options!(MeanSquaredLogarithmicError = "MeanSquaredLogarithmicError");

impl<T: Scalar> Loss<T> for MeanAbsolutePercentageError {
    fn name(&self) -> &str {
        "mean_absolute_percentage_error"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        let least = T::lit(EPSILON);
        let size = |y: T| T::one() / if y.abs() > least { y.abs() } else { least };
        let difference = (predictions - Var::constant(targets.clone())).abs();
        let shares = difference * Var::constant(targets.map(size));
        over_samples(&shares).affine(T::lit(100.0), T::zero())
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape_with_axis(targets, output)
    }
}

impl<T: Scalar> Loss<T> for MeanSquaredLogarithmicError {
    fn name(&self) -> &str {
        "mean_squared_logarithmic_error"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        let least = Var::constant(Tensor::scalar(T::lit(EPSILON)));
        let logarithm = |x: &Var<'t, T>| x.maximum(&least).log1p();
        let difference = logarithm(predictions) - logarithm(&Var::constant(targets.clone()));
        over_samples(&difference.square())
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape_with_axis(targets, output)
    }
}
