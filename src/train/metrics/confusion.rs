//! Precision and recall.

use super::{Direction, Metric, keras_metric, same_shape};
use crate::config::{OptionValue, Value, json};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::checks::between_0_and_1;
use crate::train::options::options;

/// Keras's `thresholds`: a number, or a list, here of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Threshold(pub(super) f64);

impl OptionValue for Threshold {
    fn read(value: &Value) -> Result<Self, Reason> {
        match value {
            Value::Array(list) => match &list[..] {
                [one] => f64::read(one).map(Threshold),
                _ => Err(format!(
                    " = {value} are several, which give several results; take a metric with one threshold for each"
                )
                .into()),
            },
            one => f64::read(one).map(Threshold),
        }
    }

    fn write(&self) -> Value {
        self.0.write()
    }
}

options! {
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
    #[derive(Clone, Copy, Debug)]
    pub struct Precision = "Precision";
    options {
        thresholds: Threshold = Threshold(0.5), Threshold(0.25);
    }
    fixed { "top_k": null, "class_id": null }
}

options! {
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
    #[derive(Clone, Copy, Debug)]
    pub struct Recall = "Recall";
    options {
        thresholds: Threshold = Threshold(0.5), Threshold(0.25);
    }
    fixed { "top_k": null, "class_id": null }
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
        Self::default()
    }

    /// What a positive prediction must exceed, between 0 and 1.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_ne!(Precision::new().threshold(0.25), Precision::new());
    /// ```
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.thresholds = Threshold(threshold);
        self
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
        Self::default()
    }

    /// What a positive prediction must exceed, between 0 and 1.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_ne!(Recall::new().threshold(0.25), Recall::new());
    /// ```
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.thresholds = Threshold(threshold);
        self
    }
}

impl<T: Scalar> Metric<T> for Precision {
    fn name(&self) -> &str {
        "precision"
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        let [found, _, positive] = counts(targets, predictions, self.thresholds.0);
        vec![found, positive]
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        between_0_and_1("threshold", self.thresholds.0)?;
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

impl<T: Scalar> Metric<T> for Recall {
    fn name(&self) -> &str {
        "recall"
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        let [found, wanted, _] = counts(targets, predictions, self.thresholds.0);
        vec![found, wanted]
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        between_0_and_1("threshold", self.thresholds.0)?;
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

/// True positives, positive targets and positive predictions.
pub(super) fn counts<T: Scalar>(
    targets: &Tensor<T>,
    predictions: &Tensor<T>,
    threshold: f64,
) -> [f64; 3] {
    let threshold = T::lit(threshold);
    let mut counts = [0.0; 3];
    for (y, p) in targets.iter().zip(predictions.iter()) {
        let (wanted, positive) = (y != T::zero(), p > threshold);
        let each = [wanted && positive, wanted, positive];
        counts.iter_mut().zip(each).for_each(|(count, one)| *count += f64::from(u8::from(one)));
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

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
            Precision::from_options(&mut Options::new(config.as_object().unwrap()))
        };
        assert_eq!(read(Value::Null), Ok(Precision::new()));
        assert_eq!(read(json!(0.25)), Ok(Precision::new().threshold(0.25)));
        assert_eq!(read(json!([0.25])), Ok(Precision::new().threshold(0.25)));
        assert_eq!(
            read(json!([0.25, 0.5])).unwrap_err(),
            "the option thresholds = [0.25,0.5] are several, which give several results; take a metric with one threshold for each"
        );
        assert_eq!(
            read(json!("half")).unwrap_err(),
            "the option thresholds = \"half\" is not a finite number"
        );
        let check = Metric::check(
            &Recall::new().threshold(2.0),
            &Tensor::<f64>::zeros([1, 1]),
            Shape::new(&[1]),
        );
        assert_eq!(check.unwrap_err(), "the threshold 2 is not between 0 and 1");
    }
}
