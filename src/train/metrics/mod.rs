//! Metrics: what training reports beside the loss.

mod accuracy;
mod auc;
mod confusion;
mod named;
pub(super) mod of_loss;
mod outcomes;
mod root_mean_squared_error;
mod top_k;

pub use auc::Curve;
pub use named::Named;
pub(super) use of_loss::loss_as_metric;

use super::checks::shapes_differ;
use super::{Direction, losses};
use crate::config::{Config, Options, Value, as_config, json, keras_object, object};
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
fn keras_metric<T: Scalar>(class_name: &str, name: &str, own: Config) -> Value {
    let mut config = as_config(json!({ "name": name, "dtype": format!("float{}", 8 * T::BYTES) }));
    config.extend(own);
    keras_object("keras.metrics", class_name, Value::Object(config))
}

/// A metric as a compilation holds it. Those of the crate are made here alone, so that all their methods are compiled in it.
#[inline(never)]
pub(super) fn shared<T: Scalar>(metric: impl Metric<T> + 'static) -> Arc<dyn Metric<T>> {
    Arc::new(metric)
}

/// The table of metrics, each with the file that it is in and the names by which Keras knows it beside that of its class.
macro_rules! metrics {
    ($($file:ident: $metric:ident $($name:literal)*;)*) => {
        /// The metrics, as Keras's `keras.metrics`; all of them are in the prelude. The losses are metrics as well.
        pub mod all {
            $(pub use super::$file::$metric;)*
        }

        /// The names of their classes.
        pub(super) const CLASSES: &[&str] = &[$(all::$metric::CLASS),*];

        /// Makes one of them from its options: `None` for another name.
        fn make<T: Scalar>(
            name: &str,
            options: &mut Options<'_>,
        ) -> Option<Result<Arc<dyn Metric<T>>, Reason>> {
            $(if name == all::$metric::CLASS || [$($name),*].contains(&name) {
                return Some(all::$metric::from_options(options).map(shared));
            })*
            None
        }

        /// Every option of every metric is written as it is read.
        #[test]
        fn options_come_back() {
            $(for metric in all::$metric::examples() {
                tests::comes_back(&metric);
                for alias in [all::$metric::CLASS, $($name),*] {
                    let named = tests::read(&json!(alias)).unwrap();
                    assert_eq!(named.name(), Metric::<f32>::name(&metric));
                }
            })*
        }
    };
}

metrics! {
    accuracy: Accuracy "acc";
    accuracy: BinaryAccuracy "binary_accuracy";
    accuracy: CategoricalAccuracy "categorical_accuracy";
    accuracy: SparseCategoricalAccuracy "sparse_categorical_accuracy";
    auc: Auc "auc";
    confusion: Precision "precision";
    confusion: Recall "recall";
    outcomes: FalseNegatives "false_negatives";
    outcomes: FalsePositives "false_positives";
    outcomes: TrueNegatives "true_negatives";
    outcomes: TruePositives "true_positives";
    root_mean_squared_error: RootMeanSquaredError "root_mean_squared_error";
    top_k: SparseTopKCategoricalAccuracy "sparse_top_k_categorical_accuracy";
    top_k: TopKCategoricalAccuracy "top_k_categorical_accuracy";
}

/// Makes a metric from what a file says, under the name that it has there.
pub(super) fn from_config<T: Scalar>(value: &Value) -> Result<Arc<dyn Metric<T>>, Reason> {
    let (class_name, config) = object(value)?;
    if class_name == "Accuracy" {
        return Err(
            "Keras's class Accuracy compares predictions and targets as they are, which is not supported; \
             \"accuracy\" is, and so are BinaryAccuracy, CategoricalAccuracy and SparseCategoricalAccuracy".into(),
        );
    }
    let mut options = Options::new(&config);
    options.ignore(&["name", "dtype"]);
    let Some(metric) = make(class_name, &mut options) else {
        return Ok(losses::from_config(value, "metric")?.into_metric());
    };
    options.finish()?;
    metric
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
    use crate::train::losses::all::*;

    /// Makes a metric as a Registry does.
    pub(super) fn read(value: &Value) -> Result<Arc<dyn Metric<f32>>, Reason> {
        Ok(renamed(from_config(value)?, value))
    }

    /// Writes a metric and reads it again.
    pub(super) fn comes_back(metric: &dyn Metric<f32>) {
        let written = metric.config();
        let back = read(&written).unwrap_or_else(|error| panic!("{written}: {error}"));
        assert_eq!(back.config().to_string(), written.to_string());
        assert_eq!(back.name(), metric.name());
        assert_eq!(back.direction(), metric.direction());
    }

    #[test]
    fn losses_and_names_come_back() {
        comes_back(&MeanSquaredError);
        comes_back(&Huber::new(0.5));
        comes_back(&BinaryCrossentropy::from_logits());
        comes_back(&CategoricalCrossentropy::new().label_smoothing(0.1));
        comes_back(&Named::new("pr", all::Auc::new().curve(Curve::Pr)));
        comes_back(&Named::new("mine", all::Accuracy));
        comes_back(&Named::new("error", MeanSquaredError));
        comes_back(&Named::new("distance", Huber::new(0.5)));
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
