//! A loss as a metric.

use super::Direction;
use crate::autograd::Var;
use crate::config::{Value, json};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::train::Loss;

/// A loss of which Keras has no metric.
pub(super) const NO_METRIC: &str = "Huber";

/// Sums of a loss over samples, each with a weight.
pub(in crate::train) fn sums<T: Scalar>(
    loss: &dyn Loss<T>,
    targets: &Tensor<T>,
    predictions: &Tensor<T>,
    weights: Option<&[f64]>,
) -> Vec<f64> {
    let losses = loss.per_sample(targets, &Var::constant(predictions.clone())).into_value();
    let values = losses.iter().map(Scalar::widen);
    match weights {
        None => vec![values.sum(), losses.len() as f64],
        Some(weights) => {
            let weighted = values.zip(weights).map(|(loss, weight)| weight * loss);
            vec![weighted.sum(), weights.iter().sum()]
        }
    }
}

/// The loss's object, as that of Keras's metric of the same name if there is one.
pub(in crate::train) fn config<T: Scalar>(loss: &dyn Loss<T>) -> Value {
    let mut object = loss.config();
    let class_name = object["class_name"].as_str().unwrap_or_default().to_owned();
    if object["module"] != "keras.losses" {
        return object;
    }
    if class_name == NO_METRIC {
        // Keras calls the loss otherwise.
        object["config"]["name"] = json!(loss.name());
        return object;
    }
    if let Value::Object(options) = &mut object["config"] {
        options.remove("reduction");
        let dtype = json!(format!("float{}", 8 * T::BYTES));
        options.insert_at(1, "dtype", dtype);
        if class_name == "BinaryCrossentropy" {
            options.remove("axis"); // which that metric does not have
        }
    }
    object["module"] = json!("keras.metrics");
    object
}

/// Small values of a loss are good.
pub(in crate::train) const DIRECTION: Option<Direction> = Some(Direction::Min);

macro_rules! loss_as_metric {
    ($loss:ty) => {
        /// A loss as a metric: its mean over the samples, without the model's penalties.
        impl<T: $crate::scalar::Scalar> $crate::train::Metric<T> for $loss {
            fn name(&self) -> &str {
                $crate::train::Loss::<T>::name(self)
            }

            fn state(
                &self,
                targets: &$crate::tensor::Tensor<T>,
                predictions: &$crate::tensor::Tensor<T>,
            ) -> Vec<f64> {
                $crate::train::metrics::of_loss::sums(self, targets, predictions, None)
            }

            fn state_weighted(
                &self,
                targets: &$crate::tensor::Tensor<T>,
                predictions: &$crate::tensor::Tensor<T>,
                weights: &[f64],
            ) -> Vec<f64> {
                $crate::train::metrics::of_loss::sums(self, targets, predictions, Some(weights))
            }

            fn check(
                &self,
                targets: &$crate::tensor::Tensor<T>,
                output: $crate::tensor::Shape,
            ) -> Result<(), $crate::error::Reason> {
                $crate::train::Loss::check(self, targets, output)
            }

            fn direction(&self) -> Option<$crate::train::Direction> {
                $crate::train::metrics::of_loss::DIRECTION
            }

            fn config(&self) -> $crate::config::Value {
                $crate::train::metrics::of_loss::config::<T>(self)
            }
        }
    };
}
pub(in crate::train) use loss_as_metric;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Metric;
    use crate::train::losses::all::{BinaryCrossentropy, Huber, MeanSquaredError};

    #[test]
    fn weights_weigh_samples() {
        let y = Tensor::from([[0.0, 0.0], [0.0, 0.0]]);
        let p = Tensor::from([[1.0, 3.0], [2.0, 2.0]]);
        let metric: &dyn Metric<f64> = &MeanSquaredError;
        assert_eq!(metric.result(&metric.state(&y, &p)), 4.5);
        assert_eq!(metric.state_weighted(&y, &p, &[3.0, 1.0]), [19.0, 4.0]);
        assert_eq!(metric.result(&metric.state_weighted(&y, &p, &[0.0, 0.0])), 0.0);
    }

    #[test]
    fn objects_are_those_of_metrics() {
        let config = Metric::<f32>::config(&BinaryCrossentropy::from_logits());
        let expected = json!({
            "module": "keras.metrics", "class_name": "BinaryCrossentropy",
            "config": {
                "name": "binary_crossentropy", "dtype": "float32", "from_logits": true,
                "label_smoothing": 0.0,
            },
            "registered_name": null,
        });
        assert_eq!(config.to_string(), expected.to_string());
        let huber = Metric::<f32>::config(&Huber::new(0.5));
        assert_eq!(
            (&huber["module"], &huber["config"]["name"]),
            (&json!("keras.losses"), &json!("huber"))
        );
        assert_eq!(Metric::<f32>::config(&MeanSquaredError), "mean_squared_error");
    }
}
