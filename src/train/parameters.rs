//! Weights without layers: what a training loop of one's own moves.

use super::optimizers;
use super::{Optimizer, Step, Whole};
use crate::autograd::{Tape, Var};
use crate::error::{Error, Result};
use crate::par::{self, split_off};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Tensors by name, and the optimizer that moves them: for a loop of one's own. It does what [`Model::fit`](crate::Model::fit) does with
/// the weights of a model: learning rates by schedule, clipping, decay, the optimizer's slots.
///
/// ```
/// use cinta::prelude::*;
/// // The line through (0, 1), (1, 3) and (2, 5).
/// let x = Var::constant(Tensor::from([0.0, 1.0, 2.0]));
/// let y = Var::constant(Tensor::from([1.0, 3.0, 5.0]));
/// let mut line = Parameters::new(Adam::new(0.1))
///     .with("slope", Tensor::scalar(0.0))
///     .with("start", Tensor::scalar(0.0));
/// for _ in 0..300 {
///     let tape = Tape::new();
///     let leaves = line.leaves(&tape);
///     let [slope, start] = &leaves[..] else { unreachable!() };
///     let loss = (&x * slope + start - &y).square().mean(..);
///     let gradients = loss.backward();
///     line.step(leaves.iter().map(|leaf| gradients.wrt(leaf)))?;
/// }
/// assert!((line.get("slope").item() - 2.0_f64).abs() < 1e-2);
/// assert!((line.get("start").item() - 1.0_f64).abs() < 1e-2);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct Parameters<T: Scalar = f32> {
    optimizer: Arc<dyn Optimizer<T>>,
    steps: u64,
    parameters: Vec<Parameter<T>>,
}

#[derive(Clone)]
struct Parameter<T: Scalar> {
    name: String,
    /// Row-major.
    value: Tensor<T>,
    /// Empty until the first step.
    slots: Vec<Tensor<T>>,
}

impl<T: Scalar> fmt::Debug for Parameters<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} after {} steps ", self.optimizer.class_name(), self.steps)?;
        let shapes = self.parameters.iter().map(|it| (&it.name, it.value.shape()));
        f.debug_map().entries(shapes).finish()
    }
}

impl<T: Scalar> Parameters<T> {
    /// None yet, and what will move them.
    ///
    /// ```
    /// use cinta::{Parameters, Sgd};
    /// let none: Parameters<f32> = Parameters::new(Sgd::new(0.1));
    /// assert_eq!(none.names().count(), 0);
    /// ```
    pub fn new(optimizer: impl Optimizer<T> + 'static) -> Self {
        Parameters { optimizer: optimizers::shared(optimizer), steps: 0, parameters: Vec::new() }
    }

    /// The same with one more, behind the others.
    ///
    /// # Panics
    /// When there is one of that name already.
    ///
    /// ```
    /// use cinta::{Parameters, Sgd, Tensor};
    /// let parameters = Parameters::new(Sgd::new(0.1)).with("w", Tensor::<f32>::zeros([2]));
    /// assert_eq!(parameters.names().collect::<Vec<_>>(), ["w"]);
    /// ```
    #[track_caller]
    pub fn with(mut self, name: impl Into<String>, value: Tensor<T>) -> Self {
        let name = name.into();
        assert!(self.names().all(|known| known != name), "there is a parameter {name:?} already");
        self.parameters.push(Parameter { name, value: value.row_major(), slots: Vec::new() });
        self
    }

    /// The names, in order.
    ///
    /// ```
    /// use cinta::{Parameters, Sgd, Tensor};
    /// let w = Tensor::<f32>::zeros([2]);
    /// let parameters = Parameters::new(Sgd::new(0.1)).with("a", w.clone()).with("b", w);
    /// assert_eq!(parameters.names().collect::<Vec<_>>(), ["a", "b"]);
    /// ```
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(|it| &*it.name)
    }

    /// The value with this name.
    ///
    /// # Panics
    /// When there is none; the message has the names that exist.
    ///
    /// ```
    /// use cinta::{Parameters, Sgd, Tensor};
    /// let parameters = Parameters::new(Sgd::new(0.1)).with("w", Tensor::from([1.0, 2.0]));
    /// assert_eq!(parameters.get("w").to_vec(), [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn get(&self, name: &str) -> &Tensor<T> {
        let found = self.parameters.iter().find(|it| it.name == name);
        let Some(found) = found else {
            let names: Vec<&str> = self.names().collect();
            panic!("there is no parameter {name:?}; there are {}", names.join(", "))
        };
        &found.value
    }

    /// All values as leaves of a tape, in order.
    ///
    /// ```
    /// use cinta::{Parameters, Sgd, Tape, Tensor};
    /// let parameters = Parameters::new(Sgd::new(0.1)).with("w", Tensor::from([1.0, 2.0]));
    /// let tape = Tape::new();
    /// assert_eq!(parameters.leaves(&tape)[0].square().sum(..).value().item(), 5.0);
    /// ```
    pub fn leaves<'t>(&self, tape: &'t Tape<T>) -> Vec<Var<'t, T>> {
        self.parameters.iter().map(|it| tape.leaf(it.value.clone())).collect()
    }

    /// The number of steps that were taken.
    ///
    /// ```
    /// use cinta::{Parameters, Sgd, Tensor};
    /// let mut parameters = Parameters::new(Sgd::new(0.5)).with("w", Tensor::from([1.0, 2.0]));
    /// parameters.step([Tensor::from([1.0, -1.0])])?;
    /// assert_eq!((parameters.steps(), parameters.get("w").to_vec()), (1, vec![0.5, 2.5]));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Moves all values along their gradients, which come in the same order.
    ///
    /// # Errors
    /// When an option of the optimizer makes no sense, or a value or a slot would not be finite any more: nothing is changed then.
    ///
    /// # Panics
    /// When there are more gradients or fewer, or one has another shape than its value.
    ///
    /// ```
    /// use cinta::{Parameters, Sgd, Tensor};
    /// let mut parameters = Parameters::new(Sgd::new(0.5)).with("w", Tensor::from([1.0, 2.0]));
    /// let error = parameters.step([Tensor::from([f64::INFINITY, 0.0])]).unwrap_err();
    /// assert_eq!(error.to_string(), "step 1 would make w infinite or not a number");
    /// assert_eq!(parameters.get("w").to_vec(), [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn step(&mut self, gradients: impl IntoIterator<Item = Tensor<T>>) -> Result<()> {
        self.step_along(&gradients.into_iter().collect::<Vec<_>>())
    }

    /// One step along the gradient of a mean over `samples`: `loss(leaves, range)` is the sum of the losses of the samples in that range, on the
    /// values as leaves of a tape, in order. Ranges of 32 samples, or of 16 where there are at most 64, share out the threads, each on a tape of its
    /// own, as in [`Model::fit`](crate::Model::fit); the bits do not depend on how many threads there are. Returns the mean.
    ///
    /// Where samples draw random numbers, `range.start` is the number of the first one: [`Var::dropout`](crate::Var::dropout) takes it.
    ///
    /// # Errors
    /// As [`step`](Self::step), and when the mean is not finite.
    ///
    /// # Panics
    /// When there are no samples, or a loss is not a single number.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Tensor::from_fn([100, 1], |at| at[0] as f64 / 100.0);
    /// let y = x.map(|x| 2.0 * x + 1.0);
    /// let mut line = Parameters::new(Sgd::new(0.5))
    ///     .with("slope", Tensor::zeros([1, 1]))
    ///     .with("start", Tensor::zeros([1]));
    /// let mut mean = f64::NAN;
    /// for _ in 0..200 {
    ///     mean = line.minimize(100, |leaves, samples| {
    ///         let [slope, start] = leaves else { unreachable!() };
    ///         let [x, y] = [&x, &y].map(|it| Var::constant(it.slice(0, samples.clone())));
    ///         (x.dense(slope, start) - y).square().sum(..)
    ///     })?;
    /// }
    /// assert!(mean < 1e-6);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    pub fn minimize(
        &mut self,
        samples: usize,
        loss: impl for<'t> Fn(&[Var<'t, T>], Range<usize>) -> Var<'t, T> + Sync,
    ) -> Result<T> {
        self.minimize_sum(samples, &loss)
    }

    #[track_caller]
    #[inline(never)]
    fn minimize_sum(&mut self, samples: usize, loss: &LossOfRange<'_, T>) -> Result<T> {
        assert!(samples > 0, "there is no mean over 0 samples");
        let (shard, parameters) = (par::shard_size(samples), &*self);
        let row_len = self.parameters.iter().map(|it| it.value.len()).sum::<usize>().max(1);
        let mut rows = vec![T::zero(); samples.div_ceil(shard) * row_len];
        let sums = par::map_shards_into(samples, shard, &mut rows, row_len, |range, row| {
            let tape = Tape::new();
            let leaves = parameters.leaves(&tape);
            let loss = loss(&leaves, range);
            assert_eq!(loss.value().len(), 1, "the loss has the shape {}", loss.shape());
            if loss.is_tracked() {
                let gradients = loss.sum(..).backward();
                let mut rest = row;
                for leaf in &leaves {
                    gradients.wrt(leaf).copy_to(split_off(&mut rest, leaf.value().len()));
                }
            }
            loss.value().iter().sum::<T>()
        });
        par::tree_sum_rows(&mut rows, row_len);
        let count = T::lit(samples as f64);
        let mean = par::tree_sum(sums, |a, b| a + b).expect("some samples") / count;
        if !mean.is_finite() {
            return Err(Error::Data(
                format!("the loss of step {} is {mean}", self.steps + 1).into(),
            ));
        }
        let row = &mut rows[..row_len];
        row.iter_mut().for_each(|gradient| *gradient /= count);
        self.move_along(row)?;
        Ok(mean)
    }

    #[track_caller]
    #[inline(never)]
    fn step_along(&mut self, gradients: &[Tensor<T>]) -> Result<()> {
        let count = self.parameters.len();
        assert_eq!(gradients.len(), count, "{} gradients for {count} parameters", gradients.len());
        let mut row = vec![T::zero(); gradients.iter().map(Tensor::len).sum()];
        let mut rest = &mut row[..];
        for (Parameter { name, value, .. }, gradient) in self.parameters.iter().zip(gradients) {
            assert_eq!(
                gradient.shape(),
                value.shape(),
                "the gradient of {name} has the shape {}, and {name} has {}",
                gradient.shape(),
                value.shape()
            );
            gradient.copy_to(split_off(&mut rest, gradient.len()));
        }
        self.move_along(&mut row)
    }

    /// One step along all gradients, one behind the other, so that they can be clipped together.
    fn move_along(&mut self, row: &mut [T]) -> Result<()> {
        optimizers::check(&*self.optimizer).map_err(Error::Config)?;
        let pace = self.optimizer.pace();
        pace.clip_all(row);
        let learning_rate = pace.learning_rate().at(self.steps);
        let step = Step { number: self.steps + 1, learning_rate };
        let (mut moved, mut rest) = (self.parameters.clone(), row);
        for Parameter { name, value, slots } in &mut moved {
            let gradient = split_off(&mut rest, value.len());
            if slots.is_empty() {
                *slots = optimizers::initial_slots(&*self.optimizer, name, value);
            }
            pace.clip(gradient);
            let of = Whole { path: name, shape: value.shape() };
            let weight = value.as_mut_slice();
            optimizers::decay(self.optimizer.weight_decay(of), learning_rate, weight);
            let mut kept: Vec<&mut [T]> = slots.iter_mut().map(Tensor::as_mut_slice).collect();
            self.optimizer.update_whole(step, of, weight, gradient, &mut kept);
            if !value.is_finite() || !slots.iter().all(Tensor::is_finite) {
                let number = step.number;
                return Err(Error::Data(
                    format!("step {number} would make {name} infinite or not a number").into(),
                ));
            }
        }
        self.parameters = moved;
        self.steps += 1;
        Ok(())
    }
}

/// The sum of the losses of the samples in a range, for values as leaves.
type LossOfRange<'f, T> = dyn for<'t> Fn(&[Var<'t, T>], Range<usize>) -> Var<'t, T> + Sync + 'f;

compiled!(|parameters: &mut Parameters<T>, gradients: &[Tensor<T>]| (
    parameters.step_along(gradients),
    parameters.minimize_sum(1, &|leaves, _| leaves[0].clone())
));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::ExponentialDecay;
    use crate::train::optimizers::all::{Adam, Sgd};

    #[test]
    fn what_the_pace_says_is_done() {
        // A rate that halves, the norm of both gradients together, and decay.
        let rate = ExponentialDecay::new(0.5, 1, 0.5);
        let sgd = Sgd::new(rate).global_clipnorm(5.0).weight_decay(0.1);
        let mut both =
            Parameters::new(sgd).with("a", Tensor::from([10.0])).with("b", Tensor::scalar(0.0));
        // 6 and 8 have the norm 10.
        both.step([Tensor::from([6.0]), Tensor::scalar(8.0)]).unwrap();
        assert_eq!(both.get("a").to_vec(), [10.0 - 0.5 * 0.1 * 10.0 - 0.5 * 3.0]);
        assert_eq!(both.get("b").item(), -0.5 * 4.0);
        both.step([Tensor::from([0.0]), Tensor::scalar(4.0)]).unwrap();
        assert_eq!(both.get("b").item(), -2.0 + 0.25 * 0.1 * 2.0 - 0.25 * 4.0);
    }

    #[test]
    fn a_step_that_diverges_changes_nothing() {
        let mut parameters = Parameters::new(Adam::new(0.1))
            .with("a", Tensor::ones([2]))
            .with("b", Tensor::ones([1]));
        parameters.step([Tensor::ones([2]), Tensor::ones([1])]).unwrap();
        let before = (parameters.get("a").to_vec(), parameters.get("b").to_vec());
        let wild = || [Tensor::ones([2]), Tensor::from([f64::NAN])];
        assert!(parameters.step(wild()).is_err());
        assert_eq!((parameters.get("a").to_vec(), parameters.get("b").to_vec()), before);
        assert_eq!(parameters.steps(), 1);
        // It goes on as if nothing had been.
        let mut other = Parameters::new(Adam::new(0.1))
            .with("a", Tensor::ones([2]))
            .with("b", Tensor::ones([1]));
        for parameters in [&mut parameters, &mut other] {
            while parameters.steps() < 3 {
                parameters.step([Tensor::ones([2]), Tensor::ones([1])]).unwrap();
            }
        }
        assert_eq!(parameters.get("a"), other.get("a"));
    }

    /// The mean over all samples on one tape, and the same bits on one thread and on several.
    #[test]
    fn a_mean_over_shards() {
        let x = Tensor::<f64>::from_fn([100, 3], |at| ((at[0] * 7 + at[1] * 5) % 11) as f64 - 5.0);
        let start = || {
            Parameters::new(Sgd::new(0.01).momentum(0.5))
                .with("w", Tensor::ones([3, 2]))
                .with("unused", Tensor::ones([2]))
                .with("b", Tensor::zeros([2]))
        };
        fn loss<'t>(x: &Tensor<f64>, leaves: &[Var<'t, f64>], rows: Range<usize>) -> Var<'t, f64> {
            let x = Var::constant(x.slice(0, rows));
            x.dense(&leaves[0], &leaves[2]).square().sum(..)
        }
        let run = |samples: usize| {
            let mut parameters = start();
            let means = [(); 3].map(|()| {
                parameters.minimize(samples, |leaves, rows| loss(&x, leaves, rows)).unwrap()
            });
            (means, parameters.get("w").to_vec(), parameters.get("b").to_vec())
        };
        for samples in [1, 16, 17, 64, 65, 100] {
            let mut whole = start();
            let mut expected = Vec::new();
            for _ in 0..3 {
                let tape = Tape::new();
                let leaves = whole.leaves(&tape);
                let mean = loss(&x, &leaves, 0..samples) / samples as f64;
                expected.push(mean.value().item());
                let gradients = mean.backward();
                whole.step(leaves.iter().map(|leaf| gradients.wrt(leaf))).unwrap();
            }
            let (means, w, b) = run(samples);
            let close = |a: &[f64], b: &[f64]| {
                a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs().max(1.0))
            };
            assert!(close(&means, &expected), "{means:?} {expected:?}");
            for (mine, name) in [(&w, "w"), (&b, "b")] {
                let whole = whole.get(name).to_vec();
                assert!(close(mine, &whole), "{samples} samples, {name}: {mine:?} {whole:?}");
            }
            assert_eq!(whole.get("unused").to_vec(), [1.0, 1.0]);
            let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
            assert_eq!(pool(1).install(|| run(samples)), pool(3).install(|| run(samples)));
        }
    }

    #[test]
    fn a_mean_that_is_not_finite_changes_nothing() {
        let mut parameters = Parameters::new(Sgd::new(0.1)).with("w", Tensor::from([1.0]));
        let error =
            parameters.minimize(3, |leaves, _| (&leaves[0] * f64::NAN).sum(..)).unwrap_err();
        assert_eq!(error.to_string(), "the loss of step 1 is NaN");
        // A loss that no value has a part in moves nothing.
        let mean =
            parameters.minimize(3, |_, rows| Var::constant(Tensor::scalar(rows.len() as f64)));
        assert_eq!((mean.unwrap(), parameters.get("w").item(), parameters.steps()), (1.0, 1.0, 1));
    }

    #[test]
    #[should_panic(expected = "the loss has the shape [2]")]
    fn a_loss_for_each() {
        let mut parameters = Parameters::new(Sgd::new(0.1)).with("w", Tensor::<f32>::zeros([2]));
        let _ = parameters.minimize(1, |leaves, _| leaves[0].clone());
    }

    #[test]
    #[should_panic(expected = "the gradient of w has the shape [3], and w has [2]")]
    fn another_shape() {
        let mut parameters = Parameters::new(Sgd::new(0.1)).with("w", Tensor::<f32>::zeros([2]));
        let _ = parameters.step([Tensor::zeros([3])]);
    }

    #[test]
    #[should_panic(expected = "there is no parameter \"v\"; there are w, b")]
    fn another_name() {
        let w = || Tensor::<f32>::zeros([2]);
        Parameters::new(Sgd::new(0.1)).with("w", w()).with("b", w()).get("v");
    }

    #[test]
    fn options_that_make_no_sense() {
        let mut parameters = Parameters::new(Sgd::new(-1.0)).with("w", Tensor::<f32>::zeros([2]));
        let error = parameters.step([Tensor::zeros([2])]).unwrap_err();
        assert!(error.to_string().contains("Sgd") || error.to_string().contains("SGD"), "{error}");
    }
}
