//! Metrics: what training reports beside the loss.

mod accuracy;
mod auc;
mod confusion;
mod named;
mod of_loss;
mod top_k;

pub use accuracy::{Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy};
pub use auc::{Auc, Curve};
pub use confusion::{Precision, Recall};
pub use named::Named;
pub use top_k::{SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy};

use super::checks::shapes_differ;
use super::{Direction, losses};
use crate::config::{Options, Value, as_config, json, keras_object, object};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::sync::Arc;

/// Something that is reported about predictions, accumulated over shards and batches in `f64`.
///
/// ```
/// use cinta::{Metric, Tensor};
///
/// /// The number of samples.
/// struct Count;
///
/// impl Metric<f32> for Count {
///     fn name(&self) -> &str {
///         "count"
///     }
///     fn state(&self, targets: &Tensor<f32>, _predictions: &Tensor<f32>) -> Vec<f64> {
///         vec![targets.shape()[0] as f64]
///     }
///     fn result(&self, state: &[f64]) -> f64 {
///         state[0]
///     }
/// }
///
/// let state = Count.state(&Tensor::zeros([3, 1]), &Tensor::zeros([3, 1]));
/// assert_eq!(Count.result(&state), 3.0);
/// ```
pub trait Metric<T: Scalar>: Send + Sync {
    /// The name in history and scores.
    fn name(&self) -> &str;

    /// Sums over these samples. Those of several shards are added up, element by element.
    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64>;

    /// The same sums, with a weight for each sample.
    ///
    /// It is provided: the sums over single samples, each times its weight. To implement it is worth while only
    /// where something faster gives the same.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::Metric;
    /// let (y, p) = (Tensor::from([[1.0], [0.0]]), Tensor::from([[0.9], [0.8]]));
    /// assert_eq!(BinaryAccuracy::new().state_weighted(&y, &p, &[3.0, 0.5]), [3.0, 3.5]); // right, of all
    /// ```
    fn state_weighted(
        &self,
        targets: &Tensor<T>,
        predictions: &Tensor<T>,
        weights: &[f64],
    ) -> Vec<f64> {
        let mut sums = Vec::new();
        for (i, weight) in weights.iter().enumerate() {
            let state = self.state(&targets.slice(0, i..i + 1), &predictions.slice(0, i..i + 1));
            sums.resize(state.len(), 0.0);
            sums.iter_mut().zip(state).for_each(|(sum, value)| *sum += weight * value);
        }
        sums
    }

    /// The value, from the sums over all samples. By default a mean: the first sum divided by the second, or 0
    /// where that is 0.
    fn result(&self, state: &[f64]) -> f64 {
        ratio(state[0], state[1])
    }

    /// Checks targets of a data set, `[n, ..]`, against a model whose outputs have this shape.
    ///
    /// # Errors
    /// A sentence that says what does not fit and what would.
    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        let _ = (targets, output);
        Ok(())
    }

    /// Which values are good, for callbacks that watch this metric; `None`, the default, if they must be told.
    fn direction(&self) -> Option<Direction> {
        None
    }

    /// The object that goes into files. By default the name alone.
    fn config(&self) -> Value {
        json!(self.name())
    }
}

/// A quotient of sums; 0 where nothing was summed up, as in Keras.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// Whether targets have the shape of the outputs.
fn same_shape<T: Scalar>(targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
    let sample = targets.shape().sample();
    if sample == output && output.rank() > 0 {
        return Ok(());
    }
    Err(shapes_differ(sample, output).into())
}

/// The object that Keras writes for a metric with options of its own.
fn keras_metric<T: Scalar>(class_name: &str, name: &str, own: Value) -> Value {
    let mut config = as_config(json!({ "name": name, "dtype": format!("float{}", 8 * T::BYTES) }));
    config.extend(as_config(own));
    keras_object("keras.metrics", class_name, Value::Object(config))
}

/// A metric as a compilation holds it. Those of the crate are made here alone, so that all their methods are compiled in it.
#[inline(never)]
pub(super) fn shared<T: Scalar>(metric: impl Metric<T> + 'static) -> Arc<dyn Metric<T>> {
    Arc::new(metric)
}

/// Makes a metric from what a file says, under the name that it has there.
pub(super) fn from_config<T: Scalar>(value: &Value) -> Result<Arc<dyn Metric<T>>, Reason> {
    let (class_name, config) = object(value)?;
    let mut options = Options::new(&config);
    options.ignore(&["name", "dtype"]);
    let metric: Arc<dyn Metric<T>> = match class_name {
        "accuracy" | "acc" => shared(Accuracy),
        "Accuracy" => {
            return Err(
                "Keras's class Accuracy compares predictions and targets as they are, which is not supported; \
                 \"accuracy\" is, and so are BinaryAccuracy, CategoricalAccuracy and SparseCategoricalAccuracy".into(),
            );
        }
        "BinaryAccuracy" | "binary_accuracy" => shared(BinaryAccuracy::from_options(&mut options)?),
        "CategoricalAccuracy" | "categorical_accuracy" => shared(CategoricalAccuracy),
        "SparseCategoricalAccuracy" | "sparse_categorical_accuracy" => {
            shared(SparseCategoricalAccuracy)
        }
        "TopKCategoricalAccuracy" | "top_k_categorical_accuracy" => {
            shared(TopKCategoricalAccuracy::from_options(&mut options)?)
        }
        "SparseTopKCategoricalAccuracy" | "sparse_top_k_categorical_accuracy" => {
            shared(SparseTopKCategoricalAccuracy::from_options(&mut options)?)
        }
        "Precision" | "precision" => shared(Precision::from_options(&mut options)?),
        "Recall" | "recall" => shared(Recall::from_options(&mut options)?),
        "AUC" | "auc" => shared(Auc::from_options(&mut options)?),
        _ => return Ok(losses::from_config(value, "metric")?.into_metric()),
    };
    options.finish()?;
    Ok(metric)
}

/// The metric under the name that a file gives it, if that is another one.
pub(super) fn renamed<T: Scalar>(metric: Arc<dyn Metric<T>>, value: &Value) -> Arc<dyn Metric<T>> {
    match value.inside(&["config", "name"]) {
        Some(Value::String(name)) if name != metric.name() => {
            shared(Named::of(name.clone(), metric))
        }
        _ => metric,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::{BinaryCrossentropy, CategoricalCrossentropy, Huber, MeanSquaredError};

    /// Makes a metric as a Registry does.
    pub(super) fn read(value: &Value) -> Result<Arc<dyn Metric<f32>>, Reason> {
        Ok(renamed(from_config(value)?, value))
    }

    #[test]
    fn configs_come_back() {
        let metrics: Vec<Arc<dyn Metric<f32>>> = vec![
            Arc::new(Accuracy),
            Arc::new(BinaryAccuracy::new()),
            Arc::new(BinaryAccuracy::new().threshold(0.25)),
            Arc::new(CategoricalAccuracy),
            Arc::new(SparseCategoricalAccuracy),
            Arc::new(TopKCategoricalAccuracy::new(5)),
            Arc::new(TopKCategoricalAccuracy::new(2)),
            Arc::new(SparseTopKCategoricalAccuracy::new(3)),
            Arc::new(Precision::new()),
            Arc::new(Precision::new().threshold(0.25)),
            Arc::new(Recall::new().threshold(0.75)),
            Arc::new(Auc::new()),
            Arc::new(Auc::new().curve(Curve::Pr).num_thresholds(50)),
            Arc::new(MeanSquaredError),
            Arc::new(Huber::new(0.5)),
            Arc::new(BinaryCrossentropy::from_logits()),
            Arc::new(CategoricalCrossentropy::new().label_smoothing(0.1)),
            Arc::new(Named::new("pr", Auc::new().curve(Curve::Pr))),
            Arc::new(Named::new("mine", Accuracy)),
            Arc::new(Named::new("error", MeanSquaredError)),
            Arc::new(Named::new("distance", Huber::new(0.5))),
        ];
        for metric in metrics {
            let written = metric.config();
            let back = read(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
            assert_eq!(back.config().to_string(), written.to_string());
            assert_eq!(back.name(), metric.name());
            assert_eq!(back.direction(), metric.direction());
        }
    }

    #[test]
    fn what_is_not_supported_is_an_error() {
        let read = |class_name: &str, config: Value| {
            let value = json!({ "class_name": class_name, "config": config });
            let Err(error) = read(&value) else { panic!("{value} was read") };
            error
        };
        assert_eq!(
            read("Precision", json!({ "top_k": 3 })),
            "the option top_k = 3 is not supported; leave it out"
        );
        assert_eq!(
            read("Recall", json!({ "class_id": 3 })),
            "the option class_id = 3 is not supported; leave it out"
        );
        assert_eq!(
            read("AUC", json!({ "multi_label": true })),
            "the option multi_label = true is not supported; only false is supported"
        );
        assert!(
            read("Accuracy", json!({})).as_str().starts_with("Keras's class Accuracy compares")
        );
        assert_eq!(
            read("no_such_thing", json!({})),
            "the metric no_such_thing is not known; others can be added to a Registry"
        );
        assert_eq!(
            read("SparseTopKCategoricalAccuracy", json!({ "from_sorted_ids": true })),
            "the option from_sorted_ids = true is not supported; leave it out"
        );
    }
}
