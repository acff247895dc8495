//! `evaluate` and `predict`.

use super::fitting;
use super::forward::{Run, inference_shard, together_for_losses};
use super::model::Model;
use super::plan::Plan;
use super::predict;
use super::scores::Scores;
use crate::autograd::Var;
use crate::datasets::Dataset;
use crate::error::{Error, Result};
use crate::par;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};
use crate::train::{Goal, Goals, Reported};

/// Sums over samples, from which the loss and the metrics follow.
#[derive(Clone, Default)]
pub(super) struct Sums {
    /// Of all outputs together.
    loss: f64,
    /// Of each output, where there are several.
    losses: Vec<f64>,
    samples: f64,
    metrics: Vec<Vec<f64>>,
}

impl Sums {
    /// The sums over one shard: `losses` and `predictions` are those of each output.
    pub fn of<T: Scalar>(
        goals: &Goals<'_, T>,
        losses: &[Option<Var<'_, T>>],
        shard: &Dataset<T>,
        predictions: &[Tensor<T>],
    ) -> Sums {
        let weights: Option<Vec<f64>> =
            shard.sample_weight().map(|weights| weights.iter().map(Scalar::widen).collect());
        let mut sums = Sums { samples: shard.len() as f64, ..Sums::default() };
        for (loss, goal) in losses.iter().zip(&goals.losses) {
            let (Some(loss), Some(goal)) = (loss, goal) else { continue };
            let values = loss.value().iter().map(Scalar::widen);
            let loss: f64 = match &weights {
                None => values.sum(),
                Some(weights) => values.zip(weights).map(|(loss, weight)| loss * weight).sum(),
            };
            sums.loss += goal.weight.map_or(loss, |weight| loss * weight);
            if goal.name.is_some() {
                sums.losses.push(loss);
            }
        }
        let targets: Vec<&Tensor<T>> = shard.all_targets().collect();
        let state = |it: &Reported<'_, T>| {
            let (targets, predictions) = (targets[it.output], &predictions[it.output]);
            match weights.as_ref().filter(|_| it.weighted) {
                Some(weights) => it.metric.state_weighted(targets, predictions, weights),
                None => it.metric.state(targets, predictions),
            }
        };
        sums.metrics = goals.metrics.iter().map(state).collect();
        sums
    }

    /// Adds those of another shard.
    pub fn add(&mut self, other: &Sums) {
        self.loss += other.loss;
        self.samples += other.samples;
        self.losses.resize(other.losses.len(), 0.0);
        self.losses.iter_mut().zip(&other.losses).for_each(|(sum, other)| *sum += other);
        if self.metrics.is_empty() {
            self.metrics = other.metrics.clone();
        } else {
            for (sums, others) in self.metrics.iter_mut().zip(&other.metrics) {
                sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
            }
        }
    }

    /// The mean of the losses times their weights, without penalties.
    pub fn loss(&self) -> f64 {
        self.loss / self.samples
    }

    pub fn samples(&self) -> f64 {
        self.samples
    }

    /// The values, with this loss, under Keras's names.
    pub fn scores<T: Scalar>(&self, goals: &Goals<'_, T>, loss: f64) -> Scores {
        let mut scores = vec![("loss".to_owned(), loss)];
        let named = goals.losses.iter().flatten().filter_map(|goal| goal.name.as_ref());
        for (name, loss) in named.zip(&self.losses) {
            scores.push((name.clone(), loss / self.samples));
        }
        for (it, state) in goals.metrics.iter().zip(&self.metrics) {
            scores.push((it.name.clone(), it.metric.result(state)));
        }
        scores.into_iter().collect()
    }
}

impl<T: Scalar> Model<T> {
    /// The loss, with the penalties on the weights, and the metrics over a data set. The
    /// [weights of the samples](Dataset::with_sample_weight), if they have any, count in the loss and not in the
    /// metrics. Sums over samples are accumulated in `f64`.
    ///
    /// A layer that [couples samples](crate::Layer::couples_samples) sees all of the data set at once.
    ///
    /// # Errors
    /// When the model is not compiled, or the data is empty, does not fit the model, or holds values
    /// that are not finite.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
    /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    /// let data = Dataset::new(Tensor::from([[0.0], [0.0]]), Tensor::from([[2.0], [4.0]]))?;
    /// assert_eq!(model.evaluate(&data)?["loss"], 10.0);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn evaluate(&self, data: &Dataset<T>) -> Result<Scores> {
        let compiled = self.compiled()?;
        let data = self.checked_data("data", data)?;
        Ok(self.evaluate_checked(&self.goals(compiled)?, &data))
    }

    pub(super) fn evaluate_checked(&self, goals: &Goals<'_, T>, data: &Dataset<T>) -> Scores {
        let size = inference_shard(&self.graph);
        let size = together_for_losses(&self.graph, &self.layers, data.len(), size, false);
        let plan = Plan::infer_open(&self.graph, &self.layers, |at| goals.losses[at].is_some());
        let folded = plan.folded(&self.layers, &|layer| self.layers[layer].values());
        let shards = par::map_shards(data.len(), size, |shard| {
            let shard = data.slice(shard);
            let mut run = Run::infer(&self.graph, &self.layers, &plan, folded.as_deref());
            let (losses, predictions) = run.losses(&shard, goals);
            (Sums::of(goals, &losses, &shard, &predictions), run.activity())
        });
        let (mut sums, mut penalty) = (Sums::default(), self.penalty());
        for (shard, activity) in &shards {
            sums.add(shard);
            penalty += activity / data.len() as f64;
        }
        sums.scores(goals, sums.loss() + penalty)
    }

    /// The outputs for inputs `[n, ..]`, without dropout. `n` may be 0. The result lies in memory in row-major order.
    ///
    /// What a sample gives does not depend on those that it is put together with, to the last bit; unless a layer
    /// [couples samples](crate::Layer::couples_samples), which then sees all `n` of them at once.
    ///
    /// # Errors
    /// When the inputs do not fit the model, or hold values that are not finite.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(3).activation(Softmax)).build(0)?;
    /// assert_eq!(model.predict(&Tensor::zeros([2, 4]))?.shape(), [2, 3]);
    /// let error = model.predict(&Tensor::zeros([2, 5])).unwrap_err();
    /// assert_eq!(error.to_string(), "the model takes inputs [n, 4], and these have the shape [2, 5]");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn predict(&self, inputs: &Tensor<T>) -> Result<Tensor<T>> {
        predict::predict(&self.graph, &self.layers, &self.plan, inputs)
    }

    /// The outputs of a model with any number of inputs and outputs, in the order in which it was built with them: as
    /// [`predict`](Self::predict), for several.
    ///
    /// # Errors
    /// When there are too many or too few inputs, they do not fit the model or have different numbers of samples, or they
    /// hold values that are not finite.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let (a, b) = (Input::new([2]), Input::named("b", [2]));
    /// let model = Model::new([&a, &b], &Add::new().of([&a, &b])).build(0)?;
    /// let (x, y) = (Tensor::ones([3, 2]), Tensor::ones([4, 2]));
    /// assert_eq!(model.predict_all(&[&x, &x])?[0].to_vec(), [2.0; 6]);
    /// let error = model.predict_all(&[&x, &y]).unwrap_err();
    /// assert_eq!(error.to_string(), "input input_layer has 3 samples, and input b has 4; all inputs have as many");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn predict_all(&self, inputs: &[&Tensor<T>]) -> Result<Vec<Tensor<T>>> {
        predict::predict_all(&self.graph, &self.layers, &self.plan, inputs)
    }

    /// Whether a data set can train or test this model.
    pub(super) fn checked_data(&self, what: &str, data: &Dataset<T>) -> Result<Dataset<T>> {
        let goals = self.goals(self.compiled()?)?;
        if data.is_empty() {
            return Err(Error::Data(format!("the {what} has no samples").into()));
        }
        fitting::check_all_inputs(
            &self.graph,
            &self.layers,
            &data.all_inputs().collect::<Vec<_>>(),
        )?;
        let (names, count) = (self.output_names(), data.all_targets().count());
        if count != names.len() {
            return Err(Error::Data(
                format!(
                    "the model has {} outputs ({}), and the {what} has targets for {}",
                    names.len(),
                    names.join(", "),
                    count
                )
                .into(),
            ));
        }
        let shape = |at: usize| self.graph.shape(self.graph.outputs[at]);
        let data = data.map_targets(|at, targets| {
            with_last_axis(targets, shape(at), |targets| {
                let goal = goals.losses[at].as_ref();
                goal.is_none_or(|goal| goal.loss.check(targets, shape(at)).is_err())
            })
        });
        let targets: Vec<&Tensor<T>> = data.all_targets().collect();
        targets.iter().try_for_each(|targets| fitting::check_finite("target", targets))?;
        for (at, goal) in goals.losses.iter().enumerate() {
            let Some(Goal { loss, name, .. }) = goal else { continue };
            loss.check(targets[at], shape(at)).map_err(|reason| {
                let output =
                    name.as_ref().map_or(String::new(), |_| format!(" of output {}", names[at]));
                Error::Data(
                    format!("the {what} does not fit the loss {}{output}: {reason}", loss.name())
                        .into(),
                )
            })?;
        }
        goals.metrics.iter().try_for_each(|it| {
            it.metric.check(targets[it.output], shape(it.output)).map_err(|reason| {
                Error::Data(
                    format!("the {what} does not fit the metric {}: {reason}", it.name).into(),
                )
            })
        })?;
        Ok(data)
    }
}

/// Targets `[n]` as `[n, 1]` for outputs `[1]`, and the same with more axes, as Keras takes them; but not if they fit as they
/// are, as numbers of classes do.
fn with_last_axis<T: Scalar>(
    targets: &Tensor<T>,
    output: Shape,
    wrong: impl Fn(&Tensor<T>) -> bool,
) -> Tensor<T> {
    match output.split_last() {
        Some((1, others)) if others == &targets.shape()[1..] && wrong(targets) => {
            targets.reshape(output.batch(targets.shape()[0]))
        }
        _ => targets.clone(),
    }
}

compiled!(|model: &Model<T>, data: &Dataset<T>| (
    model.evaluate(data),
    model.predict(data.inputs()),
    model.predict_all(&[])
));
