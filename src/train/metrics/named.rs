//! A metric under a name of its own.

use super::of_loss::NO_METRIC;
use super::{Direction, Metric, keras_metric, losses, shared};
use crate::config::{Config, Value, json, snake_case};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::sync::Arc;

/// A metric under another name, in history, scores and files: so that two of a kind can be told apart.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::Named;
/// let mut model = Sequential::new([1]).add(Dense::new(1).activation(Sigmoid)).build(0)?;
/// model.set_weights(&[Tensor::ones([1, 1]), Tensor::zeros([1])])?;
/// model.compile(
///     Compile::new(Adam::default(), BinaryCrossentropy::new())
///         .metric(Recall::new())
///         .metric(Named::new("recall_25", Recall::new().threshold(0.25))),
/// );
/// // The sigmoids of -0.5 and 0.5 are 0.38 and 0.62.
/// let data = Dataset::new(Tensor::from([[-0.5], [0.5]]), Tensor::from([[1.0], [1.0]]))?;
/// let scores = model.evaluate(&data)?;
/// assert_eq!((scores["recall"], scores["recall_25"]), (0.5, 1.0));
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct Named<T: Scalar = f32> {
    name: String,
    metric: Arc<dyn Metric<T>>,
}

impl<T: Scalar> Named<T> {
    /// This metric under this name.
    ///
    /// ```
    /// use cinta::{Accuracy, Metric, Named};
    /// let metric: Named = Named::new("acc", Accuracy);
    /// assert_eq!(metric.name(), "acc");
    /// ```
    pub fn new(name: impl Into<String>, metric: impl Metric<T> + 'static) -> Self {
        Named::of(name.into(), shared(metric))
    }

    pub(super) fn of(name: String, metric: Arc<dyn Metric<T>>) -> Self {
        Named { name, metric }
    }
}

/// Keras's class of metrics that this crate writes as their names alone. `accuracy` has none.
fn class_of(name: &str) -> Option<&'static str> {
    let all = super::CLASSES.iter().chain(losses::CLASSES);
    let is_class = |class: &&str| class.starts_with(char::is_uppercase) && *class != NO_METRIC;
    all.copied().filter(is_class).find(|class| snake_case(class) == name)
}

impl<T: Scalar> Metric<T> for Named<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        self.metric.state(targets, predictions)
    }

    fn state_weighted(
        &self,
        targets: &Tensor<T>,
        predictions: &Tensor<T>,
        weights: &[f64],
    ) -> Vec<f64> {
        self.metric.state_weighted(targets, predictions, weights)
    }

    fn result(&self, state: &[f64]) -> f64 {
        self.metric.result(state)
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        self.metric.check(targets, output)
    }

    fn direction(&self) -> Option<Direction> {
        self.metric.direction()
    }

    /// The metric's object with this name.
    fn config(&self) -> Value {
        let mut object = match self.metric.config() {
            Value::String(plain) => match class_of(&plain) {
                Some(class) => return keras_metric::<T>(class, &self.name, Config::new()),
                None => json!({ "class_name": plain, "config": {} }),
            },
            object => object,
        };
        object["config"]["name"] = json!(self.name);
        object
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;
    use crate::train::losses::all::Huber;
    use crate::train::metrics::all::{Accuracy, Precision};

    #[test]
    fn a_name_is_written_and_read() {
        let named: Named = Named::new("hits", Precision::new());
        let expected = json!({
            "module": "keras.metrics", "class_name": "Precision",
            "config": { "name": "hits", "dtype": "float32" }, "registered_name": null,
        });
        assert_eq!(named.config(), expected);
        assert_eq!(read(&expected).unwrap().name(), "hits");
        let named: Named = Named::new("hits", Precision::new().threshold(0.25));
        assert_eq!(named.config()["config"]["name"], "hits");
        assert_eq!(named.config()["config"]["thresholds"], 0.25);
        let named: Named = Named::new("hits", Accuracy);
        assert_eq!(read(&named.config()).unwrap().name(), "hits");
        // Keras has no classes of these.
        assert_eq!(named.config()["class_name"], "accuracy");
        assert_eq!(Named::<f32>::new("far", Huber::default()).config()["class_name"], "huber");
    }

    #[test]
    fn all_but_the_name_is_the_metrics() {
        let (plain, named) = (Precision::new(), Named::<f64>::new("hits", Precision::new()));
        let (y, p) = (Tensor::from([[1.0], [0.0]]), Tensor::from([[0.9], [0.8]]));
        let plain: &dyn Metric<f64> = &plain;
        assert_eq!(named.state(&y, &p), plain.state(&y, &p));
        assert_eq!(
            named.state_weighted(&y, &p, &[1.0, 3.0]),
            plain.state_weighted(&y, &p, &[1.0, 3.0])
        );
        assert_eq!(named.result(&[1.0, 2.0]), 0.5);
        assert_eq!(named.direction(), plain.direction());
        assert!(named.check(&Tensor::zeros([1, 3]), Shape::new(&[2])).is_err());
    }
}
