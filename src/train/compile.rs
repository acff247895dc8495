//! What `compile` takes.

use super::{
    Direction, LearningRate, Loss, Metric, Optimizer, Registry, Step, losses, metrics, optimizers,
};
use crate::scalar::Scalar;
use serde_json::{Value, json};
use std::fmt;
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
/// let data = Dataset::new(Tensor::ones([2, 4]), datasets::one_hot(&[0, 2], 3)?)?;
/// let scores = model.evaluate(&data)?;
/// let names: Vec<&str> = scores.iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["loss", "accuracy", "categorical_crossentropy"]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct Compile<T: Scalar = f32> {
    pub(crate) optimizer: Arc<dyn Optimizer<T>>,
    pub(crate) loss: Arc<dyn Loss<T>>,
    pub(crate) metrics: Vec<Arc<dyn Metric<T>>>,
    pub(crate) weighted_metrics: Vec<Arc<dyn Metric<T>>>,
    /// The learning rate that was set since, instead of the optimizer's constant one.
    learning_rate: Option<f64>,
}

impl<T: Scalar> fmt::Debug for Compile<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.config())
    }
}

impl<T: Scalar> Compile<T> {
    /// An optimizer and a loss, without metrics.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
    /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    /// let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[2.0]]))?;
    /// assert_eq!(model.evaluate(&data)?.iter().collect::<Vec<_>>(), [("loss", 4.0)]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new(optimizer: impl Optimizer<T> + 'static, loss: impl Loss<T> + 'static) -> Self {
        Compile {
            optimizer: optimizers::shared(optimizer),
            loss: losses::shared(loss),
            metrics: Vec::new(),
            weighted_metrics: Vec::new(),
            learning_rate: None,
        }
    }

    /// Adds a metric.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let compile: Compile = Compile::new(Adam::default(), CategoricalCrossentropy::new()).metric(Accuracy);
    /// assert!(format!("{compile:?}").contains("accuracy"));
    /// ```
    pub fn metric(mut self, metric: impl Metric<T> + 'static) -> Self {
        self.metrics.push(metrics::shared(metric));
        self
    }

    /// Adds a metric that counts every sample as often as its [weight](crate::datasets::Dataset::with_sample_weight), or the weight
    /// of its class, says: Keras's `weighted_metrics`. It is reported under the metric's name, or as `weighted_..` if that name is
    /// taken.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
    /// model.set_weights(&[Tensor::ones([1, 1]), Tensor::zeros([1])])?;
    /// let compile = Compile::new(Sgd::new(0.1), MeanSquaredError);
    /// model.compile(compile.metric(Accuracy).weighted_metric(Accuracy));
    /// let data = Dataset::new(Tensor::from([[0.0], [1.0]]), Tensor::from([[1.0], [1.0]]))?;
    /// let data = data.with_sample_weight(Tensor::from([1.0, 3.0]))?;
    /// let scores = model.evaluate(&data)?;
    /// assert_eq!((scores["accuracy"], scores["weighted_accuracy"]), (0.5, 0.75));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn weighted_metric(mut self, metric: impl Metric<T> + 'static) -> Self {
        self.weighted_metrics.push(metrics::shared(metric));
        self
    }

    /// All metrics with the names under which they are reported, those with weights last.
    pub(crate) fn reported(&self) -> Vec<(String, &dyn Metric<T>)> {
        let mut reported: Vec<(String, &dyn Metric<T>)> = Vec::new();
        reported.extend(self.metrics.iter().map(|metric| (metric.name().to_owned(), &**metric)));
        for metric in &self.weighted_metrics {
            let taken = reported.iter().any(|(name, _)| name == metric.name());
            let prefix = if taken { "weighted_" } else { "" };
            reported.push((format!("{prefix}{}", metric.name()), &**metric));
        }
        reported
    }

    /// Whether the optimizer's hyperparameters make sense. JSON could not even hold all that do not.
    pub(crate) fn check_optimizer(&self) -> Result<(), String> {
        optimizers::check(&*self.optimizer)
    }

    /// The optimizer's step after this many.
    pub(crate) fn step(&self, steps: u64) -> Step {
        let scheduled = || self.optimizer.pace().learning_rate().at(steps);
        Step { number: steps + 1, learning_rate: self.learning_rate.unwrap_or_else(scheduled) }
    }

    /// Sets the learning rate.
    ///
    /// # Errors
    /// When it makes no sense, or a schedule decides on it.
    pub(crate) fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), String> {
        if let Some(schedule) = self.optimizer.pace().learning_rate().schedule_name() {
            return Err(format!(
                "the learning rate follows a schedule ({schedule}) and cannot be set; compile with a number to set it"
            ));
        }
        LearningRate::Constant(learning_rate).check()?;
        self.learning_rate = Some(learning_rate);
        Ok(())
    }

    /// Whether the hyperparameters make sense and no two values would be reported under one name.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.check_optimizer()?;
        let mut names: Vec<String> = self.reported().into_iter().map(|(name, _)| name).collect();
        names.push("loss".to_owned());
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("two metrics are called {:?}; names are unique", pair[0])),
            None => Ok(()),
        }
    }

    /// The names of which it is known whether small or large values are good, and which are.
    pub(crate) fn directions(&self) -> impl Iterator<Item = (String, Direction)> {
        let metrics = self.reported().into_iter();
        std::iter::once(("loss".to_owned(), Direction::Min))
            .chain(metrics.filter_map(|(name, metric)| Some((name, metric.direction()?))))
    }

    /// Keras's `compile_config`.
    pub(crate) fn config(&self) -> Value {
        let list = |metrics: &[Arc<dyn Metric<T>>]| match metrics {
            [] => Value::Null,
            metrics => metrics.iter().map(|metric| metric.config()).collect(),
        };
        json!({
            "optimizer": optimizers::to_config(&*self.optimizer, self.learning_rate),
            "loss": self.loss.config(),
            "loss_weights": null,
            "metrics": list(&self.metrics),
            "weighted_metrics": list(&self.weighted_metrics),
            "run_eagerly": false,
            "steps_per_execution": 1,
            "jit_compile": false,
        })
    }

    /// Reads Keras's `compile_config`.
    pub(crate) fn from_config(config: &Value, registry: &Registry<T>) -> Result<Self, String> {
        let part = |name: &str| config.get(name).filter(|value| !value.is_null());
        if let Some(value) = part("loss_weights") {
            return Err(format!(
                "the option loss_weights = {value} is not supported; leave it out"
            ));
        }
        let optimizer = part("optimizer").ok_or("the optimizer is missing")?;
        let loss = part("loss").ok_or("the loss is missing")?;
        let list = |name: &str| match part(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(metrics)) => {
                metrics.iter().map(|metric| registry.make_metric(metric)).collect()
            }
            Some(other) => Err(format!("{name} are a list, and the file has {other}")),
        };
        Ok(Compile {
            optimizer: registry.make_optimizer(optimizer)?,
            loss: registry.make_loss(loss)?,
            metrics: list("metrics")?,
            weighted_metrics: list("weighted_metrics")?,
            learning_rate: None,
        })
    }
}
