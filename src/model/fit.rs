//! `fit`: epochs of shuffled batches, each a fork over shards and one step of the optimizer.

use super::callback::FitParams;
use super::evaluate::Sums;
use super::forward::{Run, Updates, together_for_losses};
use super::history::History;
use super::model::{Model, Training};
use super::options::Fit;
use super::params::Param;
use super::plan::Plan;
use super::progress::Progress;
use super::scores::Scores;
use crate::autograd::{Tape, Var};
use crate::buffer::Buffer;
use crate::datasets::Dataset;
use crate::error::{Error, Result};
use crate::nn::Mode;
use crate::par::{self, split_off};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Stream, Tensor, all_finite};
use crate::train::{Compile, Goals, Optimizer, Step, Whole, decay, initial_slots};
use std::ops::Range;
use std::sync::Arc;

/// Values of a weight that an optimizer moves at a time.
const PART: usize = 1 << 10;

/// The stream label of the order of samples.
const SHUFFLE: u64 = u64::from_le_bytes(*b"shuffle ");

impl<T: Scalar> Model<T> {
    /// Trains the model, and reports the loss and the metrics of every epoch.
    ///
    /// The loss of a batch is the mean over its samples (of the losses times the
    /// [weights of the samples](Dataset::with_sample_weight), if they have any) plus the penalties, before its step, with
    /// dropout; that of an epoch is the mean of its batches, weighted by their sizes. Two fits of 5 epochs
    /// are the same as one of 10.
    ///
    /// # Errors
    /// When the model is not compiled, an option makes no sense, or the data is empty, does not fit the
    /// model, or holds values that are not finite: nothing is changed then. [`Error::Diverged`] when the
    /// loss or a weight stops being finite: the weights are then those before that batch. And any error of a
    /// callback.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let data = Dataset::new(
    ///     Tensor::from([[0.0], [1.0], [2.0], [3.0]]),
    ///     Tensor::from([[1.0], [3.0], [5.0], [7.0]]), // y = 2 x + 1
    /// )?;
    /// let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    /// model.fit(&data, Fit { epochs: 200, verbose: Verbose::Silent, ..Fit::default() })?;
    /// assert!((model.weight("dense", "kernel")?.item() - 2.0).abs() < 1e-3);
    /// assert!((model.weight("dense", "bias")?.item() - 1.0).abs() < 1e-3);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn fit(&mut self, data: &Dataset<T>, fit: Fit<'_, T>) -> Result<History> {
        let compiled = self.compiled()?.clone();
        fit.check()?;
        let data = &self.checked_data("training data", data)?;
        let checked = |data| self.checked_data("validation data", data);
        let validation = fit.validation_data.map(checked).transpose()?;
        if !fit.class_weight.is_empty() && self.graph.outputs.len() > 1 {
            return Err(Error::Config(format!(
                "class_weight is for models with one output, and this one has {}; give the samples weights",
                self.graph.outputs.len()
            ).into()));
        }
        let (data, validation) = fit.parts(data, validation, self.output_shape())?;
        let goals = self.goals(&compiled)?;
        let plan = Plan::open(&self.graph, &self.layers, |output| goals.losses[output].is_some());
        let Fit { epochs, batch_size, callbacks, .. } = fit;
        let steps = data.len().div_ceil(batch_size);
        let params = FitParams { epochs, steps, validation: validation.is_some() };
        let mut progress = Progress::new(fit.verbose, epochs, steps);
        let (mut history, mut logs) = (History::default(), Scores::default());
        let (mut memory, mut order) = (Memory::default(), Vec::new());

        self.stop_training = false;
        callbacks.iter_mut().try_for_each(|it| it.on_train_begin(&params, self))?;
        for epoch in fit.initial_epoch..epochs {
            callbacks.iter_mut().try_for_each(|it| it.on_epoch_begin(epoch, self))?;
            progress.epoch_begins(epoch);
            if fit.shuffle {
                let stream = Stream::new(self.progress.seed).fork(SHUFFLE);
                stream.fork(self.progress.epoch).permute(data.len(), &mut order);
            } else {
                order.clear();
                order.extend(0..data.len());
            }
            // What was measured so far is worked out after a batch only for those who look at it.
            let watched = !callbacks.is_empty() || progress.draws();
            logs = Scores::default();
            let (mut sums, mut penalties) = (Sums::default(), 0.0);
            for (batch, indices) in order.chunks(batch_size).enumerate() {
                callbacks.iter_mut().try_for_each(|it| it.on_train_batch_begin(batch, self))?;
                self.check_still(&compiled)?;
                let outcome = self.step(&compiled, &goals, &plan, &data, indices, &mut memory);
                match &outcome {
                    Some(outcome) => {
                        sums.add(&outcome.sums);
                        penalties += outcome.penalty * indices.len() as f64;
                    }
                    None => penalties = f64::NAN,
                }
                if watched || batch + 1 == steps {
                    let loss = sums.loss() + penalties / sums.samples();
                    logs = sums.scores(&goals, loss).sorted();
                }
                callbacks
                    .iter_mut()
                    .try_for_each(|it| it.on_train_batch_end(batch, &logs, self))?;
                if outcome.is_none() && !self.stop_training {
                    return Err(Error::Diverged { epoch: epoch as u64 + 1, batch: batch + 1 });
                }
                progress.step_ends(batch + 1, &logs);
                if self.stop_training {
                    break;
                }
            }
            self.progress.epoch += 1;
            let validation = validation.as_ref();
            if let Some(data) = validation.filter(|_| (epoch + 1) % fit.validation_freq == 0) {
                callbacks.iter_mut().try_for_each(|it| it.on_test_begin(self))?;
                let scores = self.evaluate_checked(&goals, data).sorted();
                callbacks.iter_mut().try_for_each(|it| it.on_test_end(&scores, self))?;
                scores.iter().for_each(|(name, value)| logs.insert(format!("val_{name}"), value));
            }
            logs = logs.sorted();
            callbacks.iter_mut().try_for_each(|it| it.on_epoch_end(epoch, &mut logs, self))?;
            history.push(self.progress.epoch, &logs);
            progress.epoch_ends(&logs);
            if self.stop_training {
                break;
            }
        }
        callbacks.iter_mut().try_for_each(|it| it.on_train_end(&logs, self))?;
        Ok(history)
    }

    /// A callback has the whole model, and could change what it is trained with under way.
    fn check_still(&self, compiled: &Compile<T>) -> Result<()> {
        match &self.compiled {
            Some(now) if Arc::ptr_eq(&now.optimizer, &compiled.optimizer) => Ok(()),
            _ => Err(Error::Config(
                "a callback has compiled or replaced the model while it is trained; do that before fit or in \
                 on_train_end".into(),
            )),
        }
    }

    /// One step on the samples with these indices: `None`, and nothing changed, if it diverged.
    fn step(
        &mut self,
        compiled: &Compile<T>,
        goals: &Goals<'_, T>,
        plan: &Plan<T>,
        data: &Dataset<T>,
        indices: &[usize],
        memory: &mut Memory<T>,
    ) -> Option<Outcome> {
        let n = indices.len();
        let size = together_for_losses(&self.graph, &self.layers, n, par::shard_size(n), true);
        let trainable = || self.params().filter(|param| param.weight.trainable);
        // One row of gradients for each shard, and a place where nothing is trained.
        let row_len = trainable().map(|param| param.value.len()).sum::<usize>().max(1);
        let rows_len = indices.len().div_ceil(size) * row_len;
        grow(&mut memory.gradients, rows_len);
        let rows = &mut memory.gradients[..rows_len];
        let shards = par::map_shards_into(indices.len(), size, rows, row_len, |shard, row| {
            self.shard(goals, plan, data, indices, shard, row)
        });
        par::tree_sum_rows(rows, row_len);

        let (mut sums, mut updates, mut penalty) = (Sums::default(), Vec::new(), self.penalty());
        for shard in shards {
            sums.add(&shard.sums);
            updates.extend(shard.updates);
            penalty += shard.activity / n as f64;
        }
        updates.iter().for_each(|update| self.check_update(update));
        let finite = (sums.loss() + penalty).is_finite()
            && updates.iter().all(|(_, _, value)| value.is_finite());
        // Not of the copy at hand: the learning rate may have been set since.
        let live = self.compiled.as_ref().expect("fit has checked it");
        let step = live.step(self.progress.iterations);
        if !finite || !self.update(&*compiled.optimizer, step, row_len, memory) {
            return None;
        }
        self.progress.step += 1;
        self.progress.iterations += 1;
        for (layer, weight, value) in updates {
            self.layers[layer].params[weight].value = value.row_major();
        }
        Some(Outcome { sums, penalty })
    }

    /// Moves the weights along the gradients. A gradient, and what the optimizer makes of it, can overflow: the old
    /// values come back then, and the answer is `false`.
    fn update(
        &mut self,
        optimizer: &dyn Optimizer<T>,
        step: Step,
        row_len: usize,
        memory: &mut Memory<T>,
    ) -> bool {
        let (pace, slots) = (optimizer.pace(), optimizer.slots());
        let Memory { gradients, old_values } = memory;
        grow(old_values, row_len * (1 + slots.len()));
        let gradients = &mut gradients[..row_len];
        let mut rest = &mut gradients[..];
        for param in self.params().filter(|param| param.weight.trainable) {
            let gradient = split_off(&mut rest, param.value.len());
            if let Some(regularizer) = param.weight.regularizer {
                regularizer.add_gradient(&param.value, gradient);
            }
        }
        pace.clip_all(gradients);
        let mut finite = true;
        let (mut gradients, mut rest) = (gradients, &mut old_values[..]);
        for (layer, param) in self.named_params_mut().filter(|(_, param)| param.weight.trainable) {
            let gradient = split_off(&mut gradients, param.value.len());
            let path = param.weight.path(layer);
            let of = Whole { path: &path, shape: param.weight.shape };
            if param.slots.len() != slots.len() {
                param.slots = initial_slots(optimizer, &path, &param.value);
            }
            pace.clip(gradient);
            // What a constraint brings back may have been infinite.
            let constrained = param.weight.constraint.is_some();
            let mut weight = param.value.as_mut_slice();
            let mut slots: Vec<&mut [T]> =
                param.slots.iter_mut().map(Tensor::as_mut_slice).collect();
            // Copied, moved and looked at part by part, while it is in the cache.
            let part = if optimizer.by_parts() { PART } else { usize::MAX };
            let decay_rate = optimizer.weight_decay(of);
            let mut gradient = &mut *gradient;
            while !gradient.is_empty() {
                let len = part.min(gradient.len());
                let (gradient, weight) =
                    (split_off(&mut gradient, len), split_off(&mut weight, len));
                // Of a whole weight, slots may have another length.
                let mut slots: Vec<&mut [T]> = slots
                    .iter_mut()
                    .map(|slot| {
                        let len = part.min(slot.len());
                        split_off(slot, len)
                    })
                    .collect();
                split_off(&mut rest, len).copy_from_slice(weight);
                for slot in &slots {
                    split_off(&mut rest, slot.len()).copy_from_slice(slot);
                }
                decay(decay_rate, step.learning_rate, weight);
                match part {
                    PART => optimizer.update(step, weight, gradient, &mut slots),
                    _ => optimizer.update_whole(step, of, weight, gradient, &mut slots),
                }
                finite &= constrained || all_finite(weight);
                finite &= slots.iter().all(|slot| all_finite(slot));
            }
            if let Some(constraint) = &param.weight.constraint {
                constraint.apply(&mut param.value);
                finite &= param.value.is_finite();
            }
        }
        if !finite {
            let mut rest = &mut old_values[..];
            for param in self.params_mut().filter(|param| param.weight.trainable) {
                let part = if optimizer.by_parts() { PART } else { usize::MAX };
                let len = param.value.len();
                let mut first = 0;
                while first < len {
                    let end = first.saturating_add(part);
                    for tensor in std::iter::once(&mut param.value).chain(&mut param.slots) {
                        let part = first..tensor.len().min(end);
                        let old = split_off(&mut rest, part.len());
                        tensor.as_mut_slice()[part].copy_from_slice(old);
                    }
                    first = end;
                }
                if step.number == 1 {
                    param.slots.clear();
                }
            }
        }
        finite
    }

    /// A layer that sets a weight it may not set is a wrong program.
    fn check_update(&self, (layer, weight, value): &(usize, usize, Tensor<T>)) {
        let built = &self.layers[*layer];
        let allowed = built
            .params
            .get(*weight)
            .is_some_and(|param| !param.weight.trainable && param.weight.shape == value.shape());
        assert!(
            allowed && built.layer.couples_samples_in_training(),
            "layer {} ({}) sets its weight {weight} to a value of shape {}: only untrained weights of \
             layers that couple samples can be set, to values of their own shape",
            built.name,
            built.layer.class_name(),
            value.shape()
        );
    }

    /// Forward and backward over one shard of a batch, on a tape of its own. Writes the gradients of the trainable weights to
    /// `row`, one behind the other.
    fn shard(
        &self,
        goals: &Goals<'_, T>,
        plan: &Plan<T>,
        data: &Dataset<T>,
        batch: &[usize],
        shard: Range<usize>,
        row: &mut [T],
    ) -> Shard<T> {
        let (first_sample, batch, indices) = (shard.start, batch.len(), &batch[shard]);
        let shard = data.take(indices);
        let tape = Tape::new();
        let variable = |param: &Param<T>| {
            let value = param.value.clone();
            if param.weight.trainable { tape.leaf(value) } else { Var::constant(value) }
        };
        let weights: Vec<Vec<Var<'_, T>>> =
            self.layers.iter().map(|layer| layer.params.iter().map(variable).collect()).collect();
        let Training { seed, step, .. } = self.progress;
        let mode = Mode::Train { seed, step, layer: 0, first_sample };
        let mut run = Run::new(&self.graph, &self.layers, plan, weights, mode, true);
        let (losses, predictions) = run.losses(&shard, goals);
        let sums = Sums::of(goals, &losses, &shard, &predictions);
        drop(predictions);
        let mut loss = total_loss(losses, goals, shard.sample_weight(), batch);
        let activity = run.activity();
        for penalty in run.activity.drain(..) {
            loss = loss + penalty / T::lit(batch as f64);
        }
        let params = self.params().zip(run.weights.iter().flatten());
        let trainable = params.filter(|(param, _)| param.weight.trainable);
        row.fill(T::zero());
        if loss.is_tracked() {
            let gradients = loss.backward();
            let mut rest = row;
            for (_, leaf) in trainable {
                gradients.wrt(leaf).copy_to(split_off(&mut rest, leaf.value().len()));
            }
        }
        Shard { sums, activity, updates: run.updates }
    }
}

/// What a step computes in, kept from one to the next.
#[derive(Default)]
struct Memory<T: Scalar> {
    /// A row for each shard; the first of them becomes the sum.
    gradients: Buffer<T>,
    /// What an update changed, in case that it must be undone.
    old_values: Buffer<T>,
}

/// Makes room for `len` values.
fn grow<T: Scalar>(memory: &mut Buffer<T>, len: usize) {
    if memory.len() < len {
        *memory = Buffer::stale(len);
    }
}

/// The sum of the losses of all outputs, each a mean over the batch, of which a shard is a part.
fn total_loss<'t, T: Scalar>(
    losses: Vec<Option<Var<'t, T>>>,
    goals: &Goals<'_, T>,
    sample_weight: Option<&Tensor<T>>,
    batch: usize,
) -> Var<'t, T> {
    let mut total: Option<Var<'t, T>> = None;
    for (losses, goal) in losses.into_iter().zip(&goals.losses) {
        let (Some(losses), Some(goal)) = (losses, goal) else { continue };
        let losses = match sample_weight {
            Some(weights) => losses * Var::constant(weights.clone()),
            None => losses,
        };
        let mean = losses.sum(..) / T::lit(batch as f64);
        let loss = match goal.weight {
            Some(weight) => mean * T::lit(weight),
            None => mean,
        };
        total = Some(match total {
            Some(total) => total + loss,
            None => loss,
        });
    }
    total.expect("a compilation without a loss is refused")
}

struct Shard<T: Scalar> {
    sums: Sums,
    /// The penalties on what layers give.
    activity: f64,
    updates: Updates<T>,
}

struct Outcome {
    sums: Sums,
    penalty: f64,
}

compiled!(|model: &mut Model<T>, data: &Dataset<T>| model.fit(data, Fit::default()));
