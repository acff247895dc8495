//! Losses of differences.

use super::{Loss, keras_loss, over_samples, same_shape_with_axis};
use crate::autograd::Var;
use crate::config::{Value, json};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::checks::above_0;
use crate::train::options::{no_options, options};

/// The mean of squared differences, as [`Var::mean_squared_error`].
///
/// ```
/// use cinta::prelude::*;
/// let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
/// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
/// // An input of zero gives zero.
/// let data = Dataset::new(Tensor::zeros([2, 1]), Tensor::from([[1.0], [3.0]]))?;
/// assert_eq!(model.evaluate(&data)?["loss"], 5.0);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanSquaredError;

no_options!(MeanSquaredError = "MeanSquaredError");

impl<T: Scalar> Loss<T> for MeanSquaredError {
    fn name(&self) -> &str {
        "mean_squared_error"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        over_samples(&predictions.mean_squared_error(targets))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape_with_axis(targets, output)
    }
}

/// The mean of absolute differences: the mean of `|p_i - y_i|` over the outputs of a sample.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Loss, Var};
/// let (y, p) = (Tensor::from([[1.0, 2.0]]), Var::constant(Tensor::from([[4.0, 1.0]])));
/// assert_eq!(MeanAbsoluteError.per_sample(&y, &p).value().to_vec(), [2.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanAbsoluteError;

no_options!(MeanAbsoluteError = "MeanAbsoluteError");

impl<T: Scalar> Loss<T> for MeanAbsoluteError {
    fn name(&self) -> &str {
        "mean_absolute_error"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        over_samples(&difference(targets, predictions).abs())
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape_with_axis(targets, output)
    }
}

options! {
    /// Half the square of small differences, and in proportion to large ones: the mean of [`Var::huber`] of `p_i - y_i` over the
    /// outputs of a sample.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Loss, Var};
    /// let (y, p) = (Tensor::from([[1.0, 2.0]]), Var::constant(Tensor::from([[4.0, 2.0]])));
    /// assert_eq!(Huber::new(1.0).per_sample(&y, &p).value().to_vec(), [1.25]); // of 2.5 and 0
    /// ```
    #[derive(Clone, Copy, Debug)]
    pub struct Huber = "Huber";
    options {
        delta: f64 = 1.0, 0.5;
    }
    checked check_delta
}

impl Huber {
    /// Differences are large beyond `delta`, which is above 0.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(Huber::new(1.0), Huber::default());
    /// ```
    pub fn new(delta: f64) -> Self {
        Huber { delta }
    }

    fn check_delta(&self) -> Result<(), Reason> {
        above_0("delta", self.delta)
    }
}

impl<T: Scalar> Loss<T> for Huber {
    fn name(&self) -> &str {
        "huber"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        over_samples(&difference(targets, predictions).huber(self.delta))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        self.check_delta()?;
        same_shape_with_axis(targets, output)
    }

    fn config(&self) -> Value {
        // Keras takes the delta, although it does not write it.
        let name = Loss::<T>::name(self);
        self.options().map_or(json!(name), |own| keras_loss(Self::CLASS, "huber_loss", own))
    }
}

#[track_caller]
fn difference<'t, T: Scalar>(targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
    let (shape, wanted) = (predictions.shape(), targets.shape());
    assert_eq!(shape, wanted, "predictions of shape {shape} and targets of shape {wanted}");
    predictions - Var::constant(targets.clone())
}
