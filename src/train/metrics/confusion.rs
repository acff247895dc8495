//! Precision and recall.

use super::{Direction, Metric, keras_metric, same_shape};
use crate::config::{Options, Value, json};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::checks::between_0_and_1;

/// How many of the positive predictions are right: true positives, divided by all outputs above the threshold. Targets
/// other than 0 are positive; each output of a sample counts. 0 where nothing is above the threshold.
///
/// ```
/// use cinta::{Metric, Precision, Tensor};
/// let targets = Tensor::from([[1.0], [0.0], [1.0], [1.0]]);
/// let predictions = Tensor::from([[0.9], [0.8], [0.7], [0.1]]);
/// let state = Precision::new().state(&targets, &predictions);
/// assert_eq!(Metric::<f64>::result(&Precision::new(), &state), 2.0 / 3.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    threshold: f64,
}

/// How many of the positive targets are found: those with an output above the threshold, divided by all. Targets other than
/// 0 are positive; each output of a sample counts. 0 where nothing is to be found.
///
/// ```
/// use cinta::{Metric, Recall, Tensor};
/// let targets = Tensor::from([[1.0], [0.0], [1.0], [1.0]]);
/// let predictions = Tensor::from([[0.9], [0.8], [0.7], [0.1]]);
/// let state = Recall::new().state(&targets, &predictions);
/// assert_eq!(Metric::<f64>::result(&Recall::new(), &state), 2.0 / 3.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recall {
    threshold: f64,
}

impl Precision {
    /// With the threshold 0.5.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(Precision::new(), Precision::new().threshold(0.5));
    /// assert_ne!(Precision::new(), Precision::new().threshold(0.4));
    /// ```
    pub fn new() -> Self {
        Precision { threshold: 0.5 }
    }

    /// What a positive prediction must exceed, between 0 and 1.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_ne!(Precision::new().threshold(0.25), Precision::new());
    /// ```
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    pub(super) fn from_options(options: &mut Options<'_>) -> Result<Self, Reason> {
        Ok(Precision { threshold: threshold(options)? })
    }
}

impl Recall {
    /// With the threshold 0.5.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(Recall::new(), Recall::new().threshold(0.5));
    /// assert_ne!(Recall::new(), Recall::new().threshold(0.4));
    /// ```
    pub fn new() -> Self {
        Recall { threshold: 0.5 }
    }

    /// What a positive prediction must exceed, between 0 and 1.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_ne!(Recall::new().threshold(0.25), Recall::new());
    /// ```
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    pub(super) fn from_options(options: &mut Options<'_>) -> Result<Self, Reason> {
        Ok(Recall { threshold: threshold(options)? })
    }
}

impl Default for Precision {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for Recall {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Scalar> Metric<T> for Precision {
    fn name(&self) -> &str {
        "precision"
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        let [found, _, positive] = counts(targets, predictions, self.threshold);
        vec![found, positive]
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        between_0_and_1("threshold", self.threshold)?;
        same_shape(targets, output)
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Max)
    }

    fn config(&self) -> Value {
        config::<T>("Precision", Metric::<T>::name(self), self.threshold)
    }
}

impl<T: Scalar> Metric<T> for Recall {
    fn name(&self) -> &str {
        "recall"
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        let [found, wanted, _] = counts(targets, predictions, self.threshold);
        vec![found, wanted]
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        between_0_and_1("threshold", self.threshold)?;
        same_shape(targets, output)
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Max)
    }

    fn config(&self) -> Value {
        config::<T>("Recall", Metric::<T>::name(self), self.threshold)
    }
}

/// True positives, positive targets and positive predictions.
fn counts<T: Scalar>(targets: &Tensor<T>, predictions: &Tensor<T>, threshold: f64) -> [f64; 3] {
    let threshold = T::lit(threshold);
    let mut counts = [0.0; 3];
    for (y, p) in targets.iter().zip(predictions.iter()) {
        let (wanted, positive) = (y != T::zero(), p > threshold);
        let each = [wanted && positive, wanted, positive];
        counts.iter_mut().zip(each).for_each(|(count, one)| *count += f64::from(u8::from(one)));
    }
    counts
}

/// Keras's `thresholds`: nothing, a number, or a list, here of one number.
fn threshold(options: &mut Options<'_>) -> Result<f64, Reason> {
    let value = options.value("thresholds");
    let one = match value {
        None => return Ok(0.5),
        Some(Value::Array(list)) if list.len() == 1 => &list[0],
        Some(Value::Array(_)) => {
            return Err(
                "several thresholds give several results; take a metric with one threshold for each".into()
            );
        }
        Some(one) => one,
    };
    one.as_f64().ok_or_else(|| format!("the option thresholds = {one} is not a number").into())
}

fn config<T: Scalar>(class_name: &str, name: &str, threshold: f64) -> Value {
    if threshold == 0.5 {
        return json!(name);
    }
    let own = json!({ "thresholds": threshold, "top_k": null, "class_id": null });
    keras_metric::<T>(class_name, name, own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_found_and_nothing_to_find() {
        let zeros = Tensor::<f64>::zeros([2, 1]);
        let metrics: [&dyn Metric<f64>; 2] = [&Precision::new(), &Recall::new()];
        for metric in metrics {
            assert_eq!(metric.result(&metric.state(&zeros, &zeros)), 0.0);
        }
    }

    #[test]
    fn weights_weigh_samples() {
        let (y, p) = (Tensor::from([[1.0], [0.0], [1.0]]), Tensor::from([[0.9], [0.8], [0.1]]));
        let weights = [2.0, 3.0, 0.5];
        assert_eq!(Precision::new().state_weighted(&y, &p, &weights), [2.0, 5.0]);
        assert_eq!(Recall::new().state_weighted(&y, &p, &weights), [2.0, 2.5]);
    }

    #[test]
    fn thresholds_are_one_number() {
        let read = |thresholds: Value| {
            let config = json!({ "thresholds": thresholds });
            threshold(&mut Options::new(config.as_object().unwrap()))
        };
        assert_eq!(read(Value::Null), Ok(0.5));
        assert_eq!(read(json!(0.25)), Ok(0.25));
        assert_eq!(read(json!([0.25])), Ok(0.25));
        assert_eq!(
            read(json!([0.25, 0.5])).unwrap_err(),
            "several thresholds give several results; take a metric with one threshold for each"
        );
        assert_eq!(
            read(json!("half")).unwrap_err(),
            "the option thresholds = \"half\" is not a number"
        );
        let check = Metric::check(
            &Recall::new().threshold(2.0),
            &Tensor::<f64>::zeros([1, 1]),
            Shape::new(&[1]),
        );
        assert_eq!(check.unwrap_err(), "the threshold 2 is not between 0 and 1");
    }
}
