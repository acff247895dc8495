//! What `compile` takes.

use super::{Loss, Metric, Optimizer, losses, metrics, optimizers};
use crate::scalar::Scalar;
use serde_json::{Value, json};
use std::sync::Arc;

/// An optimizer, a loss and metrics: what a model is compiled with.
///
/// ```
/// use cinta::prelude::*;
/// let mut model = Sequential::new([4]).add(Dense::new(3).activation(Softmax)).build(0)?;
/// model.compile(
///     Compile::new(Sgd::new(0.02).momentum(0.5), CategoricalCrossentropy::new())
///         .metric(Accuracy)
///         .metric(CategoricalCrossentropy::new()),
/// );
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct Compile<T: Scalar = f32> {
    pub(crate) optimizer: Arc<dyn Optimizer<T>>,
    pub(crate) loss: Arc<dyn Loss<T>>,
    pub(crate) metrics: Vec<Arc<dyn Metric<T>>>,
}

impl<T: Scalar> Compile<T> {
    /// An optimizer and a loss, without metrics.
    pub fn new(optimizer: impl Optimizer<T> + 'static, loss: impl Loss<T> + 'static) -> Self {
        Compile { optimizer: Arc::new(optimizer), loss: Arc::new(loss), metrics: Vec::new() }
    }

    /// Adds a metric.
    pub fn metric(mut self, metric: impl Metric<T> + 'static) -> Self {
        self.metrics.push(Arc::new(metric));
        self
    }

    /// Keras's `compile_config`.
    pub(crate) fn config(&self) -> Value {
        let metrics: Vec<Value> = self.metrics.iter().map(|metric| metric.config()).collect();
        json!({
            "optimizer": optimizers::to_config(&*self.optimizer),
            "loss": self.loss.config(),
            "loss_weights": null,
            "metrics": if metrics.is_empty() { Value::Null } else { Value::Array(metrics) },
            "weighted_metrics": null,
            "run_eagerly": false,
            "steps_per_execution": 1,
            "jit_compile": false,
        })
    }

    /// Reads Keras's `compile_config`.
    pub(crate) fn from_config(config: &Value) -> Result<Self, String> {
        let part = |name: &str| config.get(name).filter(|value| !value.is_null());
        for name in ["loss_weights", "weighted_metrics"] {
            if let Some(value) = part(name) {
                return Err(format!("the option {name} = {value} is not supported; leave it out"));
            }
        }
        let optimizer = part("optimizer").ok_or("the optimizer is missing")?;
        let loss = part("loss").ok_or("the loss is missing")?;
        let metrics = match part("metrics") {
            None => Vec::new(),
            Some(Value::Array(metrics)) => {
                metrics.iter().map(metrics::from_config).collect::<Result<_, String>>()?
            }
            Some(other) => return Err(format!("metrics are a list, and the file has {other}")),
        };
        Ok(Compile {
            optimizer: optimizers::from_config(optimizer)?,
            loss: losses::from_config(loss)?,
            metrics,
        })
    }
}
