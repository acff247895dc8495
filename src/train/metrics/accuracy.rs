//! The fraction of right predictions.

use super::{Direction, Metric, keras_metric, same_shape};
use crate::config::{Value, json};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::checks::shapes_differ;
use crate::train::options::{no_options, options};

/// The fraction of right predictions, in the form that the shapes ask for, as Keras's `"accuracy"`:
///
/// * outputs of one number: [`BinaryAccuracy`];
/// * targets that are class numbers: [`SparseCategoricalAccuracy`];
/// * else: [`CategoricalAccuracy`].
///
/// ```
/// use cinta::{Accuracy, Metric, Tensor};
/// let targets = Tensor::from([[0.0, 1.0], [1.0, 0.0]]);
/// let predictions = Tensor::from([[0.1, 0.9], [0.4, 0.6]]);
/// let state = Accuracy.state(&targets, &predictions);
/// assert_eq!(Metric::<f64>::result(&Accuracy, &state), 0.5);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Accuracy;

no_options!(Accuracy = "accuracy");

impl<T: Scalar> Metric<T> for Accuracy {
    fn name(&self) -> &str {
        "accuracy"
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        let (shape, targets_shape) = (predictions.shape(), targets.shape());
        let last = shape.rank() - 1;
        if shape[last] == 1 {
            BinaryAccuracy::new().state(targets, predictions)
        } else if targets_shape.rank() < shape.rank() || targets_shape[last] == 1 {
            SparseCategoricalAccuracy.state(targets, predictions)
        } else {
            CategoricalAccuracy.state(targets, predictions)
        }
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        class_numbers(targets, output).or_else(|_| same_shape(targets, output))
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Max)
    }
}

options! {
    /// The fraction of outputs on the right side of a threshold: those above it whose target is 1, and the others whose
    /// target is 0. Each output of a sample counts.
    ///
    /// ```
    /// use cinta::{BinaryAccuracy, Metric, Tensor};
    /// let (targets, predictions) = (Tensor::from([[1.0], [0.0]]), Tensor::from([[0.7], [0.6]]));
    /// assert_eq!(BinaryAccuracy::new().state(&targets, &predictions), [1.0, 2.0]); // right, of all
    /// assert_eq!(BinaryAccuracy::new().threshold(0.65).state(&targets, &predictions), [2.0, 2.0]);
    /// ```
    #[derive(Clone, Copy, Debug)]
    pub struct BinaryAccuracy = "BinaryAccuracy";
    options {
        threshold: f64 = 0.5, 0.25;
    }
}

impl BinaryAccuracy {
    /// With the threshold 0.5.
    ///
    /// ```
    /// use cinta::Metric;
    /// use cinta::prelude::*;
    /// let (y, p) = (Tensor::from([[1.0], [1.0]]), Tensor::from([[0.49], [0.51]]));
    /// let metric = BinaryAccuracy::new();
    /// let state = metric.state(&y, &p);
    /// assert_eq!(Metric::<f32>::result(&metric, &state), 0.5);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// What a prediction must exceed to stand for 1.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_ne!(BinaryAccuracy::new().threshold(0.25), BinaryAccuracy::new());
    /// ```
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }
}

impl<T: Scalar> Metric<T> for BinaryAccuracy {
    fn name(&self) -> &str {
        "binary_accuracy"
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        let threshold = T::lit(self.threshold);
        let pairs = targets.iter().zip(predictions.iter());
        let right = pairs.filter(|(y, p)| *y == T::lit(f64::from(u8::from(*p > threshold))));
        vec![right.count() as f64, predictions.len() as f64]
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        if !self.threshold.is_finite() {
            return Err(format!("the threshold is {}; it is finite", self.threshold).into());
        }
        // A number alone counts as an axis of one.
        if *output == [1] && targets.shape().sample().is_empty() {
            return Ok(());
        }
        same_shape(targets, output)
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Max)
    }

    fn config(&self) -> Value {
        let name = Metric::<T>::name(self);
        self.options().map_or(json!(name), |own| keras_metric::<T>(Self::CLASS, name, own))
    }
}

/// The fraction of samples whose largest output is where the largest target is.
///
/// ```
/// use cinta::{CategoricalAccuracy, Metric, Tensor};
/// let targets = Tensor::from([[0.0, 1.0], [1.0, 0.0]]);
/// let predictions = Tensor::from([[0.1, 0.9], [0.4, 0.6]]);
/// assert_eq!(CategoricalAccuracy.state(&targets, &predictions), [1.0, 2.0]); // right, of all
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CategoricalAccuracy;

no_options!(CategoricalAccuracy = "CategoricalAccuracy");

impl<T: Scalar> Metric<T> for CategoricalAccuracy {
    fn name(&self) -> &str {
        "categorical_accuracy"
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        let last = predictions.shape().rank() - 1;
        let (wanted, predicted) = (targets.argmax(last), predictions.argmax(last));
        let right = wanted.iter().zip(&predicted).filter(|(y, p)| y == p);
        vec![right.count() as f64, predicted.len() as f64]
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape(targets, output)
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Max)
    }
}

/// The fraction of samples whose largest output is that of the target, a class number.
///
/// ```
/// use cinta::{Metric, SparseCategoricalAccuracy, Tensor};
/// let (targets, predictions) = (Tensor::from([1.0, 0.0]), Tensor::from([[0.1, 0.9], [0.4, 0.6]]));
/// assert_eq!(SparseCategoricalAccuracy.state(&targets, &predictions), [1.0, 2.0]); // right, of all
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SparseCategoricalAccuracy;

no_options!(SparseCategoricalAccuracy = "SparseCategoricalAccuracy");

impl<T: Scalar> Metric<T> for SparseCategoricalAccuracy {
    fn name(&self) -> &str {
        "sparse_categorical_accuracy"
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        let predicted = predictions.argmax(predictions.shape().rank() - 1);
        let right = targets.iter().zip(&predicted).filter(|(y, p)| y.widen() == **p as f64);
        vec![right.count() as f64, predicted.len() as f64]
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        class_numbers(targets, output)
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Max)
    }
}

/// Whether targets have the shape of class numbers: that of the outputs without the axis of classes, or with an axis of one
/// instead.
pub(super) fn class_numbers<T: Scalar>(targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
    let sample = targets.shape().sample();
    let Some((_, rows)) = output.split_last() else {
        return Err(format!(
            "class numbers need outputs with an axis of classes, and the shape is {output}"
        )
        .into());
    };
    if *sample == *rows || sample.strip_suffix(&[1]) == Some(rows) {
        return Ok(());
    }
    Err(shapes_differ(sample, output).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(metric: &dyn Metric<f64>, targets: &Tensor<f64>, predictions: &Tensor<f64>) -> f64 {
        metric.result(&metric.state(targets, predictions))
    }

    #[test]
    fn accuracy_takes_the_form_that_the_shapes_ask_for() {
        let p = Tensor::from([[0.2, 0.5, 0.3], [0.6, 0.4, 0.0]]);
        let one_hot = Tensor::from([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
        assert_eq!(value(&Accuracy, &one_hot, &p), 0.5);
        assert_eq!(value(&Accuracy, &Tensor::from([1.0, 0.0]), &p), 1.0);
        assert_eq!(value(&Accuracy, &Tensor::from([[2.0], [0.0]]), &p), 0.5);
        let p = Tensor::from([[0.2], [0.6], [0.5], [0.7]]);
        assert_eq!(value(&Accuracy, &Tensor::from([[0.0], [1.0], [1.0], [0.0]]), &p), 0.5);
    }

    #[test]
    fn a_target_between_0_and_1_is_never_right() {
        let p = Tensor::from([[0.9, 0.1, 0.9]]);
        assert_eq!(BinaryAccuracy::new().state(&Tensor::from([[0.9, 0.1, 1.0]]), &p), [1.0, 3.0]);
    }

    #[test]
    fn weights_weigh_samples() {
        let p = Tensor::from([[0.9, 0.1], [0.9, 0.9]]);
        let y = Tensor::from([[1.0, 0.0], [1.0, 0.0]]);
        let state = BinaryAccuracy::new().state_weighted(&y, &p, &[2.0, 0.5]);
        assert_eq!(state, [4.5, 5.0]);
    }

    #[test]
    fn shapes_that_do_not_fit() {
        let targets = Tensor::<f64>::zeros([4, 3]);
        let output = Shape::new(&[2]);
        let message = "one target has the shape [3] and one output of the model [2]";
        let metrics: [&dyn Metric<f64>; 4] =
            [&Accuracy, &BinaryAccuracy::new(), &CategoricalAccuracy, &SparseCategoricalAccuracy];
        for metric in metrics {
            assert_eq!(metric.check(&targets, output).unwrap_err(), message);
        }
        let nan = BinaryAccuracy::new().threshold(f64::NAN);
        let error = Metric::<f64>::check(&nan, &targets, Shape::new(&[3])).unwrap_err();
        assert_eq!(error, "the threshold is NaN; it is finite");
    }
}
