//! What a layer may know beyond its input.

use crate::scalar::Scalar;
use crate::tensor::{Stream, Tensor};
use rand::Rng;

/// Why a layer runs.
///
/// ```
/// use cinta::{Context, Mode};
/// assert!(Context::<f32>::new(Mode::Infer).stream().is_none()); // nothing is random
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In a training step: dropout drops.
    Train {
        /// The model's seed.
        seed: u64,
        /// The number of training steps before this one, over the model's whole life.
        step: u64,
        /// The layer's index in the model.
        layer: u32,
        /// The place in the batch of the first sample of the shard at hand.
        first_sample: usize,
    },
    /// In `predict` or `evaluate`.
    Infer,
}

/// What a layer may know beyond its input, and where it leaves new values of untrained weights.
///
/// ```
/// use cinta::{Context, Mode};
/// let cx: Context<f32> = Context::new(Mode::Infer);
/// assert_eq!(cx.mode(), Mode::Infer);
/// ```
#[derive(Debug)]
pub struct Context<T: Scalar> {
    mode: Mode,
    trainable: bool,
    mask: Option<Tensor<T>>,
    /// Of the inputs after the first.
    other_masks: Vec<Option<Tensor<T>>>,
    updates: Vec<(usize, Tensor<T>)>,
}

impl<T: Scalar> Context<T> {
    /// A context for one layer's run.
    ///
    /// ```
    /// use cinta::{Context, Mode};
    /// assert!(Context::<f32>::new(Mode::Infer).stream().is_none());
    /// ```
    pub fn new(mode: Mode) -> Self {
        let (other_masks, updates) = (Vec::new(), Vec::new());
        Context { mode, trainable: true, mask: None, other_masks, updates }
    }

    /// The same for a layer whose weights are trained or not.
    pub(crate) fn with_trainable(self, trainable: bool) -> Self {
        Context { trainable, ..self }
    }

    /// Whether training changes the weights of the layer: not if it is frozen, or part of a model that is.
    ///
    /// ```
    /// use cinta::{Context, Mode};
    /// assert!(Context::<f32>::new(Mode::Infer).trainable());
    /// ```
    pub fn trainable(&self) -> bool {
        self.trainable
    }

    /// Why the layers inside this one run: with random numbers of their own.
    pub(crate) fn inside(&self) -> Mode {
        match self.mode {
            Mode::Train { seed, step, layer, first_sample } => {
                let seed = Stream::new(seed).fork(INSIDE).fork(u64::from(layer)).next_u64();
                Mode::Train { seed, step, layer: 0, first_sample }
            }
            Mode::Infer => Mode::Infer,
        }
    }

    /// The same with a mask of the input.
    ///
    /// ```
    /// use cinta::{Context, Mode, Tensor};
    /// let mask = Tensor::from([[1.0, 0.0]]); // the second step of the only sample does not count
    /// let cx: Context<f32> = Context::new(Mode::Infer).with_mask(Some(mask.clone()));
    /// assert_eq!(cx.mask(), Some(&mask));
    /// ```
    pub fn with_mask(mut self, mask: Option<Tensor<T>>) -> Self {
        self.mask = mask;
        self
    }

    /// The same with the masks of all inputs but the first.
    pub(crate) fn with_other_masks(self, other_masks: Vec<Option<Tensor<T>>>) -> Self {
        Context { other_masks, ..self }
    }

    /// The masks of all inputs.
    pub(crate) fn masks(&self) -> impl Iterator<Item = Option<Tensor<T>>> {
        std::iter::once(&self.mask).chain(&self.other_masks).cloned()
    }

    /// Which steps of the input (of the first one, if there are several) count: `[n, steps]`, with 0 for those that do not.
    /// `None` where all do.
    ///
    /// ```
    /// use cinta::{Context, Mode};
    /// assert!(Context::<f32>::new(Mode::Infer).mask().is_none());
    /// ```
    pub fn mask(&self) -> Option<&Tensor<T>> {
        self.mask.as_ref()
    }

    /// Why the layer runs.
    ///
    /// ```
    /// use cinta::{Context, Mode};
    /// assert_eq!(Context::<f32>::new(Mode::Infer).mode(), Mode::Infer);
    /// ```
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// While training: random numbers for this layer in this step, to be forked by sample.
    ///
    /// ```
    /// use cinta::{Context, Mode};
    /// let mode = Mode::Train { seed: 1, step: 0, layer: 2, first_sample: 0 };
    /// assert!(Context::<f32>::new(mode).stream().is_some());
    /// ```
    pub fn stream(&self) -> Option<Stream> {
        match self.mode {
            Mode::Train { seed, step, layer, .. } => {
                Some(Stream::new(seed).fork(TRAINING).fork(step).fork(u64::from(layer)))
            }
            Mode::Infer => None,
        }
    }

    /// Sets the weight with this index in [`Layer::weights`](crate::Layer::weights), which must not be trainable, at the end
    /// of the training step: how batch normalisation keeps its moving averages. Only for layers that
    /// [couple samples](crate::Layer::couples_samples_in_training), because others run once for each shard.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Config, Context, Layer, Mode, Shape, Var, Weight};
    ///
    /// /// Passes its input on, and keeps the mean of the last batch of training.
    /// struct Mean;
    ///
    /// impl Layer<f32> for Mean {
    ///     fn class_name(&self) -> &str {
    ///         "Mean"
    ///     }
    ///     fn config(&self) -> Config {
    ///         Config::new()
    ///     }
    ///     fn output_shape(&self, input: Shape) -> Result<Shape, cinta::Reason> {
    ///         Ok(input)
    ///     }
    ///     fn weights(&self, input: Shape) -> Vec<Weight> {
    ///         vec![Weight::new("mean", input, Initializer::Zeros).trainable(false)]
    ///     }
    ///     fn couples_samples(&self) -> bool {
    ///         true
    ///     }
    ///     fn forward<'t>(&self, _: &[Var<'t, f32>], x: &Var<'t, f32>, context: &mut Context<f32>) -> Var<'t, f32> {
    ///         if matches!(context.mode(), Mode::Train { .. }) {
    ///             context.set_weight(0, x.value().mean(0));
    ///         }
    ///         x * 1.0
    ///     }
    /// }
    ///
    /// let mut model = Sequential::new([1]).add(Mean).add(Dense::new(1)).build(0)?;
    /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    /// let data = Dataset::new(Tensor::from([[1.0], [2.0]]), Tensor::from([[1.0], [3.0]]))?;
    /// model.fit(&data, Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() })?;
    /// assert_eq!(model.weight("mean", "mean")?.to_vec(), [1.5]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn set_weight(&mut self, index: usize, value: Tensor<T>) {
        self.updates.push((index, value));
    }

    /// The new values of untrained weights.
    pub(crate) fn into_updates(self) -> Vec<(usize, Tensor<T>)> {
        self.updates
    }
}

/// The stream label of the layers of a layer.
const INSIDE: u64 = u64::from_le_bytes(*b"inside  ");

/// The stream label of a training step's random numbers, apart from those of weights and shuffles.
const TRAINING: u64 = u64::from_le_bytes(*b"training");

#[cfg(test)]
mod tests {
    use super::*;

    /// Two models of one seed that are layers of a third draw different numbers.
    #[test]
    fn what_is_inside_of_two_layers_draws_different_numbers() {
        let inside = |layer| {
            let mode = Mode::Train { seed: 1, step: 2, layer, first_sample: 3 };
            Context::<f32>::new(mode).inside()
        };
        assert_eq!(inside(4), inside(4));
        let Mode::Train { seed, step, first_sample, .. } = inside(4) else { panic!("no training") };
        assert_eq!((step, first_sample), (2, 3));
        let Mode::Train { seed: other, .. } = inside(5) else { panic!("no training") };
        assert!(seed != other && seed != 1);
    }
}
