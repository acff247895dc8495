//! What `compile` takes.

use super::{LearningRate, Loss, Metric, Optimizer, Step, losses, metrics, optimizers};
use crate::error::Reason;
use crate::scalar::Scalar;
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
    /// Of the outputs that have none of their own.
    pub(super) loss: Option<Arc<dyn Loss<T>>>,
    /// Of a model with one output.
    pub(super) metrics: Vec<Arc<dyn Metric<T>>>,
    pub(super) weighted_metrics: Vec<Arc<dyn Metric<T>>>,
    /// What was said of outputs by their names.
    pub(super) outputs: Vec<OfOutput<T>>,
    /// The learning rate that was set since, instead of the optimizer's constant one.
    pub(super) learning_rate: Option<f64>,
}

/// What one output is compiled with.
#[derive(Clone)]
pub(super) struct OfOutput<T: Scalar> {
    pub name: String,
    pub loss: Option<Arc<dyn Loss<T>>>,
    pub weight: Option<f64>,
    pub metrics: Vec<Arc<dyn Metric<T>>>,
    pub weighted_metrics: Vec<Arc<dyn Metric<T>>>,
}

impl<T: Scalar> fmt::Debug for Compile<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.config(&[]))
    }
}

impl<T: Scalar> Compile<T> {
    /// An optimizer and a loss, without metrics. With several [outputs](Self::outputs), it is the loss of all that have none of
    /// their own.
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
        Self::from_parts(optimizers::shared(optimizer), Some(losses::shared(loss)))
    }

    /// Adds a metric of a model's only output; of several, see [`metric_for`](Self::metric_for).
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

    /// An optimizer for a model with several outputs. Each output that training looks at gets its loss with
    /// [`loss_for`](Self::loss_for), under the name of the layer that gives it.
    ///
    /// What training minimises is the sum of the losses, each times its [weight](Self::loss_weight). It is reported as `loss`, and
    /// each output's own as `scores_loss` for an output `scores`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([4]);
    /// let scores = x.then(Dense::new(3).activation(Softmax).name("scores"));
    /// let size = x.then(Dense::new(1).name("size"));
    /// let mut model = Model::new(&x, [&scores, &size]).build(0)?;
    /// model.compile(
    ///     Compile::outputs(Sgd::new(0.1))
    ///         .loss_for("scores", CategoricalCrossentropy::new())
    ///         .loss_for("size", MeanSquaredError)
    ///         .loss_weight("size", 0.5)
    ///         .metric_for("scores", Accuracy),
    /// );
    /// let targets = [datasets::one_hot(&[0, 2], 3)?, Tensor::ones([2, 1])];
    /// let data = Dataset::several([Tensor::ones([2, 4])], targets)?;
    /// let scores = model.evaluate(&data)?;
    /// let names: Vec<&str> = scores.iter().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["loss", "scores_loss", "size_loss", "scores_accuracy"]);
    /// assert!((scores["loss"] - scores["scores_loss"] - 0.5 * scores["size_loss"]).abs() < 1e-6);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn outputs(optimizer: impl Optimizer<T> + 'static) -> Self {
        Self::from_parts(optimizers::shared(optimizer), None)
    }

    pub(super) fn from_parts(
        optimizer: Arc<dyn Optimizer<T>>,
        loss: Option<Arc<dyn Loss<T>>>,
    ) -> Self {
        let (metrics, weighted_metrics, outputs) = (Vec::new(), Vec::new(), Vec::new());
        Compile { optimizer, loss, metrics, weighted_metrics, outputs, learning_rate: None }
    }

    /// The loss of one output, by the name of the layer that gives it.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let compile: Compile = Compile::outputs(Adam::default()).loss_for("size", MeanSquaredError);
    /// assert!(format!("{compile:?}").contains("mean_squared_error"));
    /// ```
    pub fn loss_for(mut self, output: &str, loss: impl Loss<T> + 'static) -> Self {
        self.of_output(output).loss = Some(losses::shared(loss));
        self
    }

    /// What the loss of one output is multiplied with in the sum of all losses: 1 if nothing is said.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let mut model = Sequential::new([1]).add(Dense::new(1).name("size")).build(0)?;
    /// model.set_weights(&[Tensor::zeros([1, 1]), Tensor::zeros([1])])?;
    /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError).loss_weight("size", 0.5));
    /// let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[2.0]]))?;
    /// assert_eq!(model.evaluate(&data)?["loss"], 0.5 * 4.0);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn loss_weight(mut self, output: &str, weight: f64) -> Self {
        self.of_output(output).weight = Some(weight);
        self
    }

    /// Adds a metric of one output. It is reported with the output's name in front, if there are several outputs.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let compile: Compile =
    ///     Compile::outputs(Adam::default()).loss_for("size", MeanSquaredError).metric_for("size", MeanAbsoluteError);
    /// assert!(format!("{compile:?}").contains("mean_absolute_error"));
    /// ```
    pub fn metric_for(mut self, output: &str, metric: impl Metric<T> + 'static) -> Self {
        self.of_output(output).metrics.push(metrics::shared(metric));
        self
    }

    /// Adds a metric of one output that counts samples by their weights, as [`weighted_metric`](Self::weighted_metric).
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let compile: Compile = Compile::outputs(Adam::default())
    ///     .loss_for("size", MeanSquaredError)
    ///     .weighted_metric_for("size", MeanAbsoluteError);
    /// assert!(format!("{compile:?}").contains("mean_absolute_error"));
    /// ```
    pub fn weighted_metric_for(mut self, output: &str, metric: impl Metric<T> + 'static) -> Self {
        self.of_output(output).weighted_metrics.push(metrics::shared(metric));
        self
    }

    pub(super) fn of_output(&mut self, output: &str) -> &mut OfOutput<T> {
        let at = self.outputs.iter().position(|own| own.name == output);
        let at = at.unwrap_or_else(|| {
            self.outputs.push(OfOutput {
                name: output.to_owned(),
                loss: None,
                weight: None,
                metrics: Vec::new(),
                weighted_metrics: Vec::new(),
            });
            self.outputs.len() - 1
        });
        &mut self.outputs[at]
    }

    /// Whether the optimizer's hyperparameters make sense. JSON could not even hold all that do not.
    pub(crate) fn check_optimizer(&self) -> Result<(), Reason> {
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
    pub(crate) fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), Reason> {
        if let Some(schedule) = self.optimizer.pace().learning_rate().schedule_name() {
            return Err(format!(
                "the learning rate follows a schedule ({schedule}) and cannot be set; compile with a number to set it"
            ).into());
        }
        LearningRate::Constant(learning_rate).check()?;
        self.learning_rate = Some(learning_rate);
        Ok(())
    }
}
