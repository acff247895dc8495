//! A loss as a metric.

use super::{Direction, Metric};
use crate::autograd::Var;
use crate::config::{Value, json};
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::{
    BinaryCrossentropy, CategoricalCrossentropy, Huber, KlDivergence, Loss, MeanAbsoluteError,
    MeanSquaredError, SparseCategoricalCrossentropy,
};

macro_rules! loss_as_metric {
    ($loss:ty) => {
        /// A loss as a metric: its mean over the samples, without the model's penalties.
        impl<T: Scalar> Metric<T> for $loss {
            fn name(&self) -> &str {
                Loss::<T>::name(self)
            }

            fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
                let losses =
                    self.per_sample(targets, &Var::constant(predictions.clone())).into_value();
                vec![losses.iter().map(Scalar::widen).sum(), losses.len() as f64]
            }

            fn state_weighted(
                &self,
                targets: &Tensor<T>,
                predictions: &Tensor<T>,
                weights: &[f64],
            ) -> Vec<f64> {
                let losses =
                    self.per_sample(targets, &Var::constant(predictions.clone())).into_value();
                let weighted =
                    losses.iter().zip(weights).map(|(loss, weight)| weight * loss.widen());
                vec![weighted.sum(), weights.iter().sum()]
            }

            fn check(
                &self,
                targets: &Tensor<T>,
                output: Shape,
            ) -> Result<(), $crate::error::Reason> {
                Loss::check(self, targets, output)
            }

            fn direction(&self) -> Option<Direction> {
                Some(Direction::Min)
            }

            /// The loss's object, as that of Keras's metric of the same name if there is one.
            fn config(&self) -> Value {
                let mut object = Loss::<T>::config(self);
                let class_name = object["class_name"].as_str().unwrap_or_default().to_owned();
                if object["module"] != "keras.losses" {
                    return object;
                }
                if class_name == "Huber" {
                    // Keras has no such metric, and calls the loss otherwise.
                    object["config"]["name"] = json!(Loss::<T>::name(self));
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
        }
    };
}

loss_as_metric!(BinaryCrossentropy);
loss_as_metric!(CategoricalCrossentropy);
loss_as_metric!(Huber);
loss_as_metric!(KlDivergence);
loss_as_metric!(MeanAbsoluteError);
loss_as_metric!(MeanSquaredError);
loss_as_metric!(SparseCategoricalCrossentropy);

#[cfg(test)]
mod tests {
    use super::*;

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
