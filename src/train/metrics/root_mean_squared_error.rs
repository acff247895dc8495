//! The root of the mean of squared differences.

use super::of_loss::sums;
use super::{Direction, Metric, ratio, same_shape};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::losses::all::MeanSquaredError;
use crate::train::options::no_options;

/// The root of the mean of squared differences, over all samples.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::Metric;
/// let (y, p) = (Tensor::from([[1.0], [2.0]]), Tensor::from([[4.0], [6.0]]));
/// let state = RootMeanSquaredError.state(&y, &p);
/// assert_eq!(Metric::<f64>::result(&RootMeanSquaredError, &state), 12.5f64.sqrt());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RootMeanSquaredError;

no_options!(RootMeanSquaredError = "RootMeanSquaredError");

impl<T: Scalar> Metric<T> for RootMeanSquaredError {
    fn name(&self) -> &str {
        "root_mean_squared_error"
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        sums(&MeanSquaredError, targets, predictions, None)
    }

    fn state_weighted(
        &self,
        targets: &Tensor<T>,
        predictions: &Tensor<T>,
        weights: &[f64],
    ) -> Vec<f64> {
        sums(&MeanSquaredError, targets, predictions, Some(weights))
    }

    fn result(&self, state: &[f64]) -> f64 {
        ratio(state[0], state[1]).sqrt()
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape(targets, output)
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Min)
    }
}
