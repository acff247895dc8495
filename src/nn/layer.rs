//! What a layer is.

use super::masking::passed;
use super::{Activation, Constraint, Initializer, Regularizer};
use crate::autograd::Var;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Stream, Tensor};
use rand::Rng;
use std::borrow::Cow;
use std::ops::Range;

/// A layer's options by Keras's names, in the order in which Keras writes them.
///
/// ```
/// use cinta::{Config, serde_json::json};
/// let mut config = Config::new();
/// config.insert("units".to_owned(), json!(50));
/// assert_eq!(config["units"], 50);
/// ```
pub type Config = serde_json::Map<String, serde_json::Value>;

/// A recipe for one step of a model. Write your own by implementing it:
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Config, Context, Initializer, Layer, Shape, Stream, Tensor, Var, Weight};
///
/// /// Multiplies every channel by a weight of its own.
/// struct Scale;
///
/// impl Layer<f32> for Scale {
///     fn class_name(&self) -> &str {
///         "Scale"
///     }
///     fn config(&self) -> Config {
///         Config::new()
///     }
///     fn output_shape(&self, input: Shape) -> Result<Shape, String> {
///         Ok(input)
///     }
///     fn weights(&self, input: Shape) -> Vec<Weight> {
///         let channels = *input.last().expect("checked by output_shape");
///         vec![Weight::new("scale", [channels], Initializer::Ones)]
///     }
///     fn forward<'t>(&self, weights: &[Var<'t, f32>], x: &Var<'t, f32>, _: &mut Context<f32>) -> Var<'t, f32> {
///         x * &weights[0]
///     }
/// }
///
/// let model = Sequential::new([4, 4, 3]).add(Scale).add(Flatten::new()).build(0)?;
/// assert_eq!(model.count_params(), 3);
/// assert_eq!(model.get_layer("scale")?.class_name(), "Scale");
/// # Ok::<(), cinta::Error>(())
/// ```
///
/// Models with such a layer are saved like all others, and loaded with a `Registry`
/// that knows how to make it.
pub trait Layer<T: Scalar>: Send + Sync {
    /// The class by Keras's name, for summaries, files and automatic names.
    fn class_name(&self) -> &str;

    /// The name that was chosen for this layer, if any.
    fn name(&self) -> Option<&str> {
        None
    }

    /// The options, for files. The layer's name and type are added by the model.
    fn config(&self) -> Config;

    /// The shape of one sample's output, for one sample's input.
    ///
    /// # Errors
    /// A sentence that says what does not fit and what would.
    fn output_shape(&self, input: Shape) -> Result<Shape, String>;

    /// The weights this layer needs for inputs of this shape, in the order of `get_weights`. It is
    /// called only with shapes that [`output_shape`](Self::output_shape) accepts.
    fn weights(&self, input: Shape) -> Vec<Weight> {
        let _ = input;
        Vec::new()
    }

    /// The output for a batch: `x` has an axis of samples in front, and `weights` come in the order of
    /// [`weights`](Self::weights).
    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T>;

    /// If the last thing this layer does is a softmax or a sigmoid: which of them, and what goes into it. Crossentropy
    /// is then computed from that, fused and stable.
    fn logits<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Option<(Activation, Var<'t, T>)> {
        let _ = (weights, x, cx);
        None
    }

    /// A penalty on the output: it is summed over each sample, and its mean over the batch is added to the loss, in training and in
    /// evaluation.
    fn activity_regularizer(&self) -> Option<Regularizer> {
        None
    }

    /// Whether training changes its weights, as far as the layer itself is concerned: what a file or a builder said. Which of
    /// its weights can be trained at all is said by [`weights`](Self::weights).
    fn trainable(&self) -> bool {
        true
    }

    /// The first values of its weights, where they are known; none, which is the default, if they are to be drawn.
    fn values(&self) -> Vec<Tensor<T>> {
        Vec::new()
    }

    /// Where Keras's files keep its weights, of which there are so many: in its own group, unless it is made of other layers.
    fn parts(&self, weights: usize) -> Vec<Part> {
        vec![Part { group: String::new(), weights }]
    }

    /// Whether the layer can do with these values, if a model begins with it: an embedding takes whole numbers. Other values are
    /// an error of the data then.
    ///
    /// # Errors
    /// A sentence that says what does not fit and what would.
    fn check_input(&self, x: &Tensor<T>) -> Result<(), String> {
        let _ = x;
        Ok(())
    }

    /// The mask of what comes out, for inputs `x` with this mask: `[n, steps]`, with 0 for each step of a sample that does not
    /// count, and 1 for the others. A layer that looks at the mask finds it in its [`Context`]. Most of Keras's layers drop it,
    /// and so does this method, unless the class is one of those that pass it on.
    fn mask(&self, x: &Tensor<T>, mask: Option<&Tensor<T>>) -> Option<Tensor<T>> {
        let _ = x;
        passed(self.class_name(), mask)
    }

    /// Whether a sample's output depends on the other samples of the batch, as in batch
    /// normalisation. The batch is then not cut into shards: the layer sees all samples of a batch in `fit`, and in
    /// `predict` and `evaluate`, which know no batches, all that they are given.
    fn couples_samples(&self) -> bool {
        false
    }

    /// Whether a sample's output depends on the other samples of the batch while training. Batch normalisation says
    /// yes here and no in [`couples_samples`](Self::couples_samples), so that `predict` and `evaluate` may still cut what
    /// they are given into shards.
    fn couples_samples_in_training(&self) -> bool {
        self.couples_samples()
    }
}

impl<T: Scalar> Layer<T> for Box<dyn Layer<T>> {
    fn class_name(&self) -> &str {
        (**self).class_name()
    }

    fn name(&self) -> Option<&str> {
        (**self).name()
    }

    fn config(&self) -> Config {
        (**self).config()
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        (**self).output_shape(input)
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        (**self).weights(input)
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        (**self).forward(weights, x, cx)
    }

    fn logits<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Option<(Activation, Var<'t, T>)> {
        (**self).logits(weights, x, cx)
    }

    fn activity_regularizer(&self) -> Option<Regularizer> {
        (**self).activity_regularizer()
    }

    fn trainable(&self) -> bool {
        (**self).trainable()
    }

    fn values(&self) -> Vec<Tensor<T>> {
        (**self).values()
    }

    fn parts(&self, weights: usize) -> Vec<Part> {
        (**self).parts(weights)
    }

    fn check_input(&self, x: &Tensor<T>) -> Result<(), String> {
        (**self).check_input(x)
    }

    fn mask(&self, x: &Tensor<T>, mask: Option<&Tensor<T>>) -> Option<Tensor<T>> {
        (**self).mask(x, mask)
    }

    fn couples_samples(&self) -> bool {
        (**self).couples_samples()
    }

    fn couples_samples_in_training(&self) -> bool {
        (**self).couples_samples_in_training()
    }
}

/// Some weights of a layer that is made of others, in their order: where Keras's files keep them.
///
/// ```
/// let part = cinta::Part { group: "forward_layer/cell".to_owned(), weights: 3 };
/// assert_eq!(part.weights, 3); // in forward_layer/cell/vars/0 to 2
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The group in that of the layer; empty for the layer's own.
    pub group: String,
    /// How many weights it has.
    pub weights: usize,
}

impl Part {
    /// The same part, in a layer with this group.
    pub(crate) fn within(self, group: &str) -> Self {
        match self.group.as_str() {
            "" => Part { group: group.to_owned(), ..self },
            own => Part { group: format!("{group}/{own}"), ..self },
        }
    }
}

/// A weight that a layer asks for.
///
/// ```
/// use cinta::{Initializer, Weight};
/// let weight = Weight::new("kernel", [3, 2], Initializer::GlorotUniform);
/// assert_eq!((weight.shape, weight.trainable), ([3, 2].into(), true));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// Its name in the layer: `"kernel"`, `"bias"`.
    pub name: Cow<'static, str>,
    /// Its shape.
    pub shape: Shape,
    /// How its first values are drawn.
    pub initializer: Initializer,
    /// Which of them are 1, whatever was drawn: those of the forget gate in the bias of an LSTM.
    pub ones: Range<usize>,
    /// Whether training changes it.
    pub trainable: bool,
    /// The penalty on it, which is part of the loss as long as it is trainable.
    pub regularizer: Option<Regularizer>,
    /// What it is brought back to after each step of training.
    pub constraint: Option<Constraint>,
}

impl Weight {
    /// A trainable weight without a penalty.
    ///
    /// ```
    /// use cinta::{Initializer, Weight};
    /// let bias = Weight::new("bias", [8], Initializer::Zeros);
    /// assert!(bias.trainable && bias.regularizer.is_none());
    /// ```
    #[track_caller]
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        shape: impl Into<Shape>,
        initializer: Initializer,
    ) -> Self {
        Weight {
            name: name.into(),
            shape: shape.into(),
            initializer,
            ones: 0..0,
            trainable: true,
            regularizer: None,
            constraint: None,
        }
    }

    /// The same weight under the name that it has in a layer made of layers: `conv_1/kernel`.
    pub(crate) fn within(&self, layer: &str) -> Self {
        Weight { name: format!("{layer}/{}", self.name).into(), ..self.clone() }
    }

    /// The same weight, trained or not.
    ///
    /// ```
    /// use cinta::{Initializer, Weight};
    /// assert!(!Weight::new("mean", [8], Initializer::Zeros).trainable(false).trainable);
    /// ```
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// The same weight with a penalty.
    ///
    /// ```
    /// use cinta::{Initializer, Regularizer::L2, Weight};
    /// let kernel = Weight::new("kernel", [8, 2], Initializer::GlorotUniform).regularizer(Some(L2(0.01)));
    /// assert_eq!(kernel.regularizer, Some(L2(0.01)));
    /// ```
    pub fn regularizer(mut self, regularizer: Option<Regularizer>) -> Self {
        self.regularizer = regularizer;
        self
    }

    /// The same weight with a constraint.
    ///
    /// ```
    /// use cinta::{Constraint, Initializer, Weight};
    /// let kernel = Weight::new("kernel", [8, 2], Initializer::GlorotUniform).constraint(Some(Constraint::NonNeg));
    /// assert_eq!(kernel.constraint, Some(Constraint::NonNeg));
    /// ```
    pub fn constraint(mut self, constraint: Option<Constraint>) -> Self {
        self.constraint = constraint;
        self
    }
}

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
        Context { mode, trainable: true, mask: None, updates: Vec::new() }
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

    /// Sets the weight with this index in [`Layer::weights`], which must not be trainable, at the end
    /// of the training step: how batch normalisation keeps its moving averages. Only for layers that
    /// [couple samples](Layer::couples_samples_in_training), because others run once for each shard.
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
    ///     fn output_shape(&self, input: Shape) -> Result<Shape, String> {
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

/// Two numbers, for height and width: `5`, `(5, 3)` or `[5, 3]`.
///
/// ```
/// use cinta::Pair;
/// assert_eq!((5.pair(), (5, 3).pair(), [5, 3].pair()), ([5, 5], [5, 3], [5, 3]));
/// ```
pub trait Pair {
    /// Height and width.
    fn pair(self) -> [usize; 2];
}

impl Pair for usize {
    fn pair(self) -> [usize; 2] {
        [self, self]
    }
}

impl Pair for (usize, usize) {
    fn pair(self) -> [usize; 2] {
        [self.0, self.1]
    }
}

impl Pair for [usize; 2] {
    fn pair(self) -> [usize; 2] {
        self
    }
}

/// Three numbers, for depth, height and width: `5`, `(5, 3, 3)` or `[5, 3, 3]`.
///
/// ```
/// use cinta::Triple;
/// assert_eq!((5.triple(), (5, 3, 1).triple(), [5, 3, 1].triple()), ([5, 5, 5], [5, 3, 1], [5, 3, 1]));
/// ```
pub trait Triple {
    /// Depth, height and width.
    fn triple(self) -> [usize; 3];
}

impl Triple for usize {
    fn triple(self) -> [usize; 3] {
        [self; 3]
    }
}

impl Triple for (usize, usize, usize) {
    fn triple(self) -> [usize; 3] {
        [self.0, self.1, self.2]
    }
}

impl Triple for [usize; 3] {
    fn triple(self) -> [usize; 3] {
        self
    }
}

/// How many places lie before and after the inside of each of `N` axes: one number for all sides; for series `[before, after]`; a
/// number for each axis; or both sides of each axis.
///
/// ```
/// use cinta::Borders;
/// assert_eq!(Borders::<2>::borders(1), [[1, 1], [1, 1]]);
/// assert_eq!(Borders::<2>::borders([1, 2]), [[1, 1], [2, 2]]);
/// assert_eq!(Borders::<2>::borders([[0, 1], [2, 3]]), [[0, 1], [2, 3]]);
/// assert_eq!(Borders::<1>::borders([0, 1]), [[0, 1]]);
/// ```
pub trait Borders<const N: usize> {
    /// Both sides of each axis.
    fn borders(self) -> [[usize; 2]; N];
}

impl<const N: usize> Borders<N> for usize {
    fn borders(self) -> [[usize; 2]; N] {
        [[self; 2]; N]
    }
}

impl Borders<1> for [usize; 2] {
    fn borders(self) -> [[usize; 2]; 1] {
        [self]
    }
}

impl<const N: usize> Borders<N> for [usize; N] {
    fn borders(self) -> [[usize; 2]; N] {
        self.map(|both| [both; 2])
    }
}

impl<const N: usize> Borders<N> for [[usize; 2]; N] {
    fn borders(self) -> [[usize; 2]; N] {
        self
    }
}

/// One number, for the steps of a series: `5` or `[5]`.
///
/// ```
/// use cinta::Single;
/// assert_eq!((5.single(), [5].single()), ([5], [5]));
/// ```
pub trait Single {
    /// The number of steps.
    fn single(self) -> [usize; 1];
}

impl Single for usize {
    fn single(self) -> [usize; 1] {
        [self]
    }
}

impl Single for [usize; 1] {
    fn single(self) -> [usize; 1] {
        self
    }
}

/// The shape of an image `[h, w, c]`.
pub(super) fn image(input: Shape) -> Result<[usize; 3], String> {
    match *input {
        [h, w, c] => Ok([h, w, c]),
        _ => Err(format!(
            "needs images [height, width, channels], and one sample has the shape {input}"
        )),
    }
}
