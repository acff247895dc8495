//! Inputs and their targets.

use crate::error::{Error, Result};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;
use std::ops::Range;

/// Inputs `[n, ..]` and targets `[n, ..]`: a pair for each sample, and if wanted a weight `[n]`. A model with several inputs or
/// outputs takes one made by [`several`](Self::several).
///
/// ```
/// use cinta::prelude::*;
/// let inputs = Tensor::from([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
/// let targets = Tensor::from([[0.0], [1.0], [1.0], [0.0]]);
/// let xor: Dataset = Dataset::new(inputs, targets)?;
/// assert_eq!(xor.len(), 4);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dataset<T: Scalar = f32> {
    inputs: Tensor<T>,
    targets: Tensor<T>,
    /// Those of the second input and output of a model, and so on.
    more_inputs: Vec<Tensor<T>>,
    more_targets: Vec<Tensor<T>>,
    sample_weight: Option<Tensor<T>>,
}

impl<T: Scalar> Dataset<T> {
    /// Pairs inputs with targets.
    ///
    /// # Errors
    /// When there are not as many of one as of the other, or one of them has no axis of samples.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let error = Dataset::new(Tensor::<f32>::zeros([3, 2]), Tensor::zeros([4])).unwrap_err();
    /// assert_eq!(error.to_string(), "there are 3 inputs [3, 2] and 4 targets [4]; each input needs one target");
    /// ```
    #[inline(never)]
    pub fn new(inputs: Tensor<T>, targets: Tensor<T>) -> Result<Self> {
        let (x, y) = (inputs.shape(), targets.shape());
        if x.is_empty() || y.is_empty() {
            return Err(Error::Data(format!(
                "inputs and targets need a first axis that counts samples, and their shapes are {x} and {y}"
            ).into()));
        }
        if x[0] != y[0] {
            return Err(Error::Data(
                format!(
                    "there are {} inputs {x} and {} targets {y}; each input needs one target",
                    x[0], y[0]
                )
                .into(),
            ));
        }
        let (more_inputs, more_targets) = (Vec::new(), Vec::new());
        Ok(Dataset { inputs, targets, more_inputs, more_targets, sample_weight: None })
    }

    /// Arrays for a model with several inputs or outputs: `inputs` in the order of its inputs, `targets` in that of its
    /// outputs, with the same number of samples in all.
    ///
    /// # Errors
    /// When there are no inputs or no targets, or one of them has another number of samples, or no axis of samples.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let (left, right) = (Tensor::<f32>::zeros([4, 8, 8, 1]), Tensor::zeros([4, 3]));
    /// let data = Dataset::several([left.clone(), right], [Tensor::zeros([4, 1])])?;
    /// assert_eq!(data.all_inputs().map(|x| x.shape().rank()).collect::<Vec<_>>(), [4, 2]);
    ///
    /// let error = Dataset::several([left, Tensor::zeros([5, 3])], [Tensor::zeros([4, 1])]).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "input 1 [5, 3] has 5 samples, and input 0 [4, 8, 8, 1] has 4; all inputs and targets have as many"
    /// );
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn several(
        inputs: impl IntoIterator<Item = Tensor<T>>,
        targets: impl IntoIterator<Item = Tensor<T>>,
    ) -> Result<Self> {
        Self::of_lists(inputs.into_iter().collect(), targets.into_iter().collect())
    }

    #[inline(never)]
    /// The same with other targets: `f` is given the number of each output and its targets.
    pub(crate) fn map_targets(&self, f: impl Fn(usize, &Tensor<T>) -> Tensor<T>) -> Self {
        let more = self.more_targets.iter().enumerate().map(|(i, targets)| f(i + 1, targets));
        Dataset { targets: f(0, &self.targets), more_targets: more.collect(), ..self.clone() }
    }

    fn of_lists(mut inputs: Vec<Tensor<T>>, mut targets: Vec<Tensor<T>>) -> Result<Self> {
        if inputs.is_empty() || targets.is_empty() {
            return Err(Error::Data(format!(
                "a data set needs at least one array of inputs and one of targets, and there are {} and {}",
                inputs.len(),
                targets.len()
            ).into()));
        }
        let n = inputs[0].shape().first().copied();
        let described = inputs.iter().map(|x| ("input", x)).enumerate();
        let described = described.chain(targets.iter().map(|y| ("target", y)).enumerate());
        for (i, (what, array)) in described {
            let shape = array.shape();
            match (shape.first().copied(), n) {
                (None, _) | (_, None) => {
                    return Err(Error::Data(format!(
                        "inputs and targets need a first axis that counts samples, and {what} {i} has the shape {shape}"
                    ).into()));
                }
                (Some(own), Some(n)) if own != n => {
                    return Err(Error::Data(format!(
                        "{what} {i} {shape} has {own} samples, and input 0 {} has {n}; all inputs and targets have as many",
                        inputs[0].shape()
                    ).into()));
                }
                _ => {}
            }
        }
        let (more_inputs, more_targets) = (inputs.split_off(1), targets.split_off(1));
        let (inputs, targets) = (inputs.remove(0), targets.remove(0));
        Ok(Dataset { inputs, targets, more_inputs, more_targets, sample_weight: None })
    }

    /// Gives every sample a weight `[n]`: Keras's `sample_weight` of `fit`, `evaluate` and `validation_data`.
    ///
    /// The loss of a batch is then `sum(weight * loss) / n`, with the number of its samples as the divisor, not
    /// the sum of their weights. Metrics do not see the weights.
    ///
    /// # Errors
    /// When there is not one weight for each sample, or one is negative or not finite.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::from([[1.0], [2.0]]), Tensor::from([[1.0], [3.0]]))?;
    /// let data = data.with_sample_weight(Tensor::from([1.0, 0.5]))?;
    ///
    /// let mut model = Sequential::new([1]).add(Dense::new(1)).build(0)?;
    /// model.set_weights(&[Tensor::zeros([1, 1]), Tensor::zeros([1])])?;
    /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    /// assert_eq!(model.evaluate(&data)?["loss"], (1.0 * 1.0 + 0.5 * 9.0) / 2.0);
    ///
    /// let error = data.with_sample_weight(Tensor::from([1.0, -0.5])).unwrap_err();
    /// assert_eq!(error.to_string(), "the weight of sample 1 is -0.5; weights are finite and not negative");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn with_sample_weight(self, sample_weight: Tensor<T>) -> Result<Self> {
        let (n, shape) = (self.len(), sample_weight.shape());
        if shape != [n] {
            return Err(Error::Data(format!(
                "sample weights are one number for each sample, [{n}], and these have the shape {shape}"
            ).into()));
        }
        let wrong = |weight: &T| !(weight.is_finite() && *weight >= T::zero());
        if let Some((sample, weight)) = sample_weight.iter().enumerate().find(|(_, w)| wrong(w)) {
            return Err(Error::Data(
                format!(
                    "the weight of sample {sample} is {weight}; weights are finite and not negative"
                )
                .into(),
            ));
        }
        Ok(Dataset { sample_weight: Some(sample_weight), ..self })
    }

    /// The inputs; of several, the first.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::<f32>::zeros([3, 2]), Tensor::zeros([3]))?;
    /// assert_eq!(data.inputs().shape(), [3, 2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn inputs(&self) -> &Tensor<T> {
        &self.inputs
    }

    /// The targets; of several, the first.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::<f32>::zeros([3, 2]), Tensor::zeros([3]))?;
    /// assert_eq!(data.targets().shape(), [3]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn targets(&self) -> &Tensor<T> {
        &self.targets
    }

    /// The inputs, for each input of a model.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::<f32>::zeros([3, 2]), Tensor::zeros([3]))?;
    /// assert_eq!(data.all_inputs().count(), 1);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn all_inputs(&self) -> impl Iterator<Item = &Tensor<T>> {
        std::iter::once(&self.inputs).chain(&self.more_inputs)
    }

    /// The targets, for each output of a model.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let targets = [Tensor::zeros([3]), Tensor::zeros([3, 10])];
    /// let data = Dataset::several([Tensor::<f32>::zeros([3, 2])], targets)?;
    /// assert_eq!(data.all_targets().map(|y| y.shape().rank()).collect::<Vec<_>>(), [1, 2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn all_targets(&self) -> impl Iterator<Item = &Tensor<T>> {
        std::iter::once(&self.targets).chain(&self.more_targets)
    }

    /// The weights of the samples, if they have any.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::<f32>::zeros([3, 2]), Tensor::zeros([3]))?;
    /// assert_eq!(data.sample_weight(), None);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn sample_weight(&self) -> Option<&Tensor<T>> {
        self.sample_weight.as_ref()
    }

    /// The number of samples.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// assert_eq!(Dataset::new(Tensor::<f32>::zeros([3, 2]), Tensor::zeros([3]))?.len(), 3);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.inputs.shape()[0]
    }

    /// Whether there are no samples.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// assert!(Dataset::new(Tensor::<f32>::zeros([0, 2]), Tensor::zeros([0]))?.is_empty());
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples of a range, without a copy.
    ///
    /// # Panics
    /// When the range goes beyond the samples.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::<f32>::zeros([3, 2]), Tensor::zeros([3]))?;
    /// assert_eq!(data.slice(1..3).len(), 2);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn slice(&self, range: Range<usize>) -> Dataset<T> {
        self.each(|tensor| tensor.slice(0, range.clone()))
    }

    /// The samples with these indices, in that order.
    ///
    /// # Panics
    /// When an index goes beyond the samples.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::from([[1.0], [2.0]]), Tensor::from([10.0, 20.0]))?;
    /// assert_eq!(data.take(&[1, 0]).targets().to_vec(), [20.0, 10.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn take(&self, indices: &[usize]) -> Dataset<T> {
        self.each(|tensor| tensor.take(indices))
    }

    /// The same of all arrays.
    #[track_caller]
    fn each(&self, of: impl Fn(&Tensor<T>) -> Tensor<T>) -> Dataset<T> {
        Dataset {
            inputs: of(&self.inputs),
            targets: of(&self.targets),
            more_inputs: self.more_inputs.iter().map(&of).collect(),
            more_targets: self.more_targets.iter().map(&of).collect(),
            sample_weight: self.sample_weight.as_ref().map(&of),
        }
    }

    /// The first `fraction` of the samples, rounded to whole ones, and the rest, in order and without a copy: Keras's
    /// `split_dataset(left_size=fraction)` without its shuffling. For parts that are alike where the order of the
    /// samples means something, [`take`](Self::take) them in a random order first.
    ///
    /// # Errors
    /// When the fraction is not between 0 and 1, or one of the parts would be empty.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::<f32>::zeros([10, 2]), Tensor::zeros([10]))?;
    /// let (train, test) = data.split(0.8)?;
    /// assert_eq!((train.len(), test.len()), (8, 2));
    /// let error = data.split(0.01).unwrap_err();
    /// assert_eq!(error.to_string(), "a fraction of 0.01 of 10 samples leaves one of the two parts empty");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn split(&self, fraction: f64) -> Result<(Dataset<T>, Dataset<T>)> {
        if !(0.0..=1.0).contains(&fraction) {
            return Err(Error::Config(
                format!("the fraction {fraction} of the samples is not between 0 and 1").into(),
            ));
        }
        let (n, at) = (self.len(), (fraction * self.len() as f64).round_ties_even() as usize);
        if at == 0 || at == n {
            return Err(Error::Data(
                format!(
                    "a fraction of {fraction} of {n} samples leaves one of the two parts empty"
                )
                .into(),
            ));
        }
        Ok((self.slice(0..at), self.slice(at..n)))
    }

    /// The samples in order, in batches of a size; the last may be smaller.
    ///
    /// # Panics
    /// When the size is 0.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let data = Dataset::new(Tensor::<f32>::zeros([5, 2]), Tensor::zeros([5]))?;
    /// assert_eq!(data.batches(2).map(|batch| batch.len()).collect::<Vec<_>>(), [2, 2, 1]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    pub fn batches(&self, size: usize) -> impl Iterator<Item = Dataset<T>> + '_ {
        assert!(size > 0, "batches of size 0 never end");
        (0..self.len()).step_by(size).map(move |at| self.slice(at..(at + size).min(self.len())))
    }
}

compiled!(|x: &Tensor<T>| (
    Dataset::new(x.clone(), x.clone()),
    Dataset::several([x.clone()], [x.clone()])
));
compiled!(|data: &Dataset<T>, weights: Tensor<T>| data.clone().with_sample_weight(weights));
compiled!(|data: &Dataset<T>| (data.slice(0..1), data.take(&[]), data.split(0.5)));
