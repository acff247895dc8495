//! Metrics: what training reports beside the loss.

use super::Direction;
use super::losses::{
    Builtin, CategoricalCrossentropy, Loss, MeanSquaredError, SparseCategoricalCrossentropy,
};
use crate::autograd::Var;
use crate::nn::object;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use serde_json::{Value, json};
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
/// ```
pub trait Metric<T: Scalar>: Send + Sync {
    /// The name in history and scores.
    fn name(&self) -> &str;

    /// Sums over these samples. Those of several shards are added up, element by element.
    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64>;

    /// The value, from the sums over all samples.
    fn result(&self, state: &[f64]) -> f64;

    /// Checks targets of a data set, `[n, ..]`, against a model whose outputs have this shape.
    ///
    /// # Errors
    /// A sentence that says what does not fit and what would.
    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), String> {
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

/// The fraction of right predictions, in the form that the shapes ask for, as Keras's `"accuracy"`:
///
/// * outputs of one number: right if both it and the target are above 0.5, or neither is;
/// * targets that are class numbers: right if the largest output is that class;
/// * else: right if the largest output is where the largest target is.
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

impl<T: Scalar> Metric<T> for Accuracy {
    fn name(&self) -> &str {
        "accuracy"
    }

    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        let (shape, targets_shape) = (predictions.shape(), targets.shape());
        let last = shape.rank() - 1;
        let (right, count) = if shape[last] == 1 {
            let half = T::lit(0.5);
            let pairs = targets.iter().zip(predictions.iter());
            (pairs.filter(|(y, p)| (*y > half) == (*p > half)).count(), predictions.len())
        } else {
            let predicted = predictions.argmax(last);
            let sparse = targets_shape.rank() < shape.rank() || targets_shape[last] == 1;
            let right = if sparse {
                let pairs = targets.iter().zip(&predicted);
                pairs.filter(|(y, p)| y.widen() == **p as f64).count()
            } else {
                targets.argmax(last).iter().zip(&predicted).filter(|(y, p)| y == p).count()
            };
            (right, predicted.len())
        };
        vec![right as f64, count as f64]
    }

    fn result(&self, state: &[f64]) -> f64 {
        state[0] / state[1]
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Max)
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), String> {
        let sample = targets.shape().sample();
        // Without the axis of classes, for class numbers.
        let classes_away = Shape::new(&output[..output.rank().saturating_sub(1)]);
        let one_each = sample.strip_suffix(&[1]) == Some(&classes_away[..]);
        if output.rank() > 0 && (sample == output || sample == classes_away || one_each) {
            return Ok(());
        }
        Err(format!("one target has the shape {sample} and one output of the model {output}"))
    }
}

/// A loss as a metric: its mean over the samples, without the model's penalties.
macro_rules! loss_as_metric {
    ($loss:ty) => {
        impl<T: Scalar> Metric<T> for $loss {
            fn name(&self) -> &str {
                Loss::<T>::name(self)
            }

            fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
                let losses = self.per_sample(targets, &Var::constant(predictions.clone()));
                let sum = losses.value().iter().map(|loss| loss.widen()).sum();
                vec![sum, losses.value().len() as f64]
            }

            fn result(&self, state: &[f64]) -> f64 {
                state[0] / state[1]
            }

            fn direction(&self) -> Option<Direction> {
                Some(Direction::Min)
            }

            fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), String> {
                Loss::check(self, targets, output)
            }

            fn config(&self) -> Value {
                Loss::<T>::config(self)
            }
        }
    };
}

loss_as_metric!(CategoricalCrossentropy);
loss_as_metric!(SparseCategoricalCrossentropy);
loss_as_metric!(MeanSquaredError);

/// Makes a metric from what a file says.
pub(super) fn from_config<T: Scalar>(value: &Value) -> Result<Arc<dyn Metric<T>>, String> {
    let (class_name, _) = object(value)?;
    if matches!(class_name, "accuracy" | "acc") {
        return Ok(Arc::new(Accuracy));
    }
    Ok(match Builtin::from_config(value, "metric")? {
        Builtin::Categorical(loss) => Arc::new(loss),
        Builtin::Sparse(loss) => Arc::new(loss),
        Builtin::Squared(loss) => Arc::new(loss),
    })
}
