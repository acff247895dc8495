//! The model.

use super::graph::{Graph, Source};
use super::layer_ref::LayerRef;
use super::params::Param;
use super::plan::Plan;
use super::sub_model::{self, SubModel, Value};
use super::summary;
use crate::error::{Error, Result};
use crate::nn::MultiLayer;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Shape;
use crate::train::{Compile, Direction, Goals};
use std::fmt;
use std::sync::Arc;

/// Layers with their weights.
///
/// A chain of layers is made with [`Sequential`](crate::Sequential), a graph with [`Model::new`]; `compile`, `fit`, `evaluate` and `predict` are Keras's. A model
/// is `Send + Sync`, and `predict` takes `&self`: threads can share one. Cloning shares the weights until
/// one of the two is trained.
///
/// ```
/// use cinta::prelude::*;
/// // Is the bar horizontal or vertical?
/// let image = |i: usize| Tensor::from_fn([8, 8, 1], move |at| f32::from(at[i % 2] == i / 2 % 8));
/// let inputs = Tensor::concat(&(0..64).map(|i| image(i).reshape([1, 8, 8, 1])).collect::<Vec<_>>());
/// let targets = datasets::one_hot(&(0..64).map(|i| i % 2).collect::<Vec<_>>(), 2)?;
/// let data = Dataset::new(inputs, targets)?;
///
/// let mut model = Sequential::new([8, 8, 1])
///     .add(Conv2d::new(4, 3).activation(Relu))
///     .add(MaxPooling2d::new(2))
///     .add(Flatten::new())
///     .add(Dense::new(2).activation(Softmax))
///     .build(1)?;
/// model.compile(Compile::new(Adam::new(0.01), CategoricalCrossentropy::new()).metric(Accuracy));
/// model.fit(&data, Fit { epochs: 30, verbose: Verbose::Silent, ..Fit::default() })?;
/// assert!(model.evaluate(&data)?["accuracy"] > 0.9);
/// assert_eq!(model.predict(data.inputs())?.shape(), [64, 2]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct Model<T: Scalar = f32> {
    pub(crate) name: String,
    pub(crate) graph: Graph,
    pub(crate) layers: Vec<Built<T>>,
    /// The steps of a prediction.
    pub(super) plan: Plan<T>,
    pub(crate) compiled: Option<Compile<T>>,
    pub(crate) progress: Training,
    /// Whether [`fit`](Self::fit) ends after the batch or the epoch at hand: a [`Callback`](crate::Callback) sets it, and
    /// `fit` clears it when it begins.
    pub stop_training: bool,
}

/// How far training has come: with the seed, all that decides what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Training {
    pub seed: u64,
    /// Epochs that were completed.
    pub epoch: u64,
    /// Steps that were taken, over the model's whole life.
    pub step: u64,
    /// Steps of the optimizer at hand.
    pub iterations: u64,
}

/// A layer in a model.
#[derive(Clone)]
pub(crate) struct Built<T: Scalar> {
    pub name: String,
    pub layer: Arc<dyn MultiLayer<T>>,
    /// Of one sample, where the layer works first.
    pub inputs: Vec<Shape>,
    pub outputs: Vec<Shape>,
    /// Whether training changes those of its weights that can be trained.
    pub trainable: bool,
    pub params: Vec<Param<T>>,
}

impl<T: Scalar> Model<T> {
    pub(crate) fn from_parts(name: String, graph: Graph, layers: Vec<Built<T>>, seed: u64) -> Self {
        let progress = Training { seed, ..Training::default() };
        let plan = Plan::infer(&graph, &layers);
        Model { name, graph, layers, plan, compiled: None, progress, stop_training: false }
    }

    /// Chooses the optimizer, the loss and the metrics. The optimizer starts afresh; the weights stay.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let mut model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// let weights = model.get_weights();
    /// model.compile(Compile::new(Adam::new(0.02), MeanSquaredError));
    /// assert_eq!((model.learning_rate()?, model.get_weights()), (0.02, weights));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn compile(&mut self, compile: Compile<T>) {
        self.compiled = Some(compile);
        self.progress.iterations = 0;
        self.params_mut().for_each(|param| param.slots.clear());
    }

    /// What the model was compiled with.
    pub(super) fn compiled(&self) -> Result<&Compile<T>> {
        let compiled = self.compiled.as_ref().ok_or_else(|| {
            Error::Config(
                "the model is not compiled; call compile with an optimizer and a loss".into(),
            )
        })?;
        self.goals(compiled)?;
        Ok(compiled)
    }

    /// What it asks of each output.
    pub(super) fn goals<'c>(&self, compiled: &'c Compile<T>) -> Result<Goals<'c, T>> {
        compiled.goals(&self.output_names()).map_err(Error::Config)
    }

    /// The names of the outputs: those of the layers that give them. A second output of one layer gets a number.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([4]);
    /// let (scores, size) = (x.then(Dense::new(3).name("scores")), x.then(Dense::new(1).name("size")));
    /// let model = Model::new(&x, [&scores, &size]).build(0)?;
    /// assert_eq!(model.output_names(), ["scores", "size"]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn output_names(&self) -> Vec<String> {
        self.graph.output_names(|layer| self.layers[layer].name.clone())
    }

    /// What training reports, where it is known whether small or large values are good.
    pub(crate) fn directions(&self) -> Vec<(String, Direction)> {
        let goals = self.compiled.as_ref().and_then(|compiled| self.goals(compiled).ok());
        goals.map_or_else(Vec::new, |goals| goals.directions())
    }

    /// The learning rate of the next step: what [`set_learning_rate`](Self::set_learning_rate) has set, or else what the
    /// optimizer was made with, of a schedule the value at the steps taken so far.
    ///
    /// # Errors
    /// When the model is not compiled, or with something that makes no sense.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let mut model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// model.compile(Compile::new(Sgd::new(CosineDecay::new(0.1, 1000)), MeanSquaredError));
    /// assert_eq!(model.learning_rate()?, 0.1);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn learning_rate(&self) -> Result<f64> {
        Ok(self.compiled()?.step(self.progress.iterations).learning_rate)
    }

    /// Changes the learning rate from the next step on. The model keeps and saves it; `compile` starts afresh.
    ///
    /// # Errors
    /// When the model is not compiled, the rate follows a schedule, or the new one is negative or not finite.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let mut model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// model.compile(Compile::new(Adam::default(), MeanSquaredError));
    /// model.set_learning_rate(model.learning_rate()? / 2.0)?;
    /// assert_eq!(model.learning_rate()?, 0.0005);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        self.compiled()?;
        let compiled = self.compiled.as_mut().expect("just checked");
        compiled.set_learning_rate(learning_rate).map_err(Error::Config)
    }

    /// The names of the inputs.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let (a, b) = (Input::named("a", [4]), Input::named("b", [4]));
    /// let model = Model::new([&a, &b], &Add::new().of([&a, &b])).build(0)?;
    /// assert_eq!(model.input_names(), ["a", "b"]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn input_names(&self) -> Vec<String> {
        self.graph.inputs.iter().map(|input| input.name.clone()).collect()
    }

    /// The shape of one sample, for each input.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let (a, b) = (Input::new([4]), Input::new([2]));
    /// let model = Model::new([&a, &b], &Concatenate::new().of([&a, &b])).build(0)?;
    /// assert_eq!((model.input_shapes()[0], model.input_shapes()[1]), ([4].into(), [2].into()));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn input_shapes(&self) -> Vec<Shape> {
        self.graph.inputs.iter().map(|input| input.shape).collect()
    }

    /// The shape of what one sample gives, for each output.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([4]);
    /// let model = Model::new(&x, [&x.then(Dense::new(3)), &x.then(Dense::new(1))]).build(0)?;
    /// assert_eq!((model.output_shapes()[0], model.output_shapes()[1]), ([3].into(), [1].into()));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn output_shapes(&self) -> Vec<Shape> {
        self.graph.outputs.iter().map(|&output| self.graph.shape(output)).collect()
    }

    /// The shape of one sample's input; of several inputs, the first.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([16, 16, 1]).add(Flatten::new()).build(0)?;
    /// assert_eq!(model.input_shape(), [16, 16, 1]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn input_shape(&self) -> Shape {
        self.graph.inputs[0].shape
    }

    /// The shape of one sample's output; of several outputs, the first.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([16, 16, 1]).add(Flatten::new()).build(0)?;
    /// assert_eq!(model.output_shape(), [256]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn output_shape(&self) -> Shape {
        self.graph.shape(self.graph.outputs[0])
    }

    /// The number of weights, trainable or not.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.count_params(), 4 * 2 + 2);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn count_params(&self) -> usize {
        self.params().map(|param| param.value.len()).sum()
    }

    /// A table of the layers with their output shapes and numbers of weights, as Keras 3 prints it.
    /// As there, the optimizer's numbers count among the total once it has taken a step.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert!(model.summary().contains("Total params: 10 (40.00 B)"));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn summary(&self) -> String {
        summary::summary(self)
    }

    /// The layers, in order.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).add(Dropout::new(0.5)).build(0)?;
    /// assert_eq!(model.layers().map(|layer| layer.name()).collect::<Vec<_>>(), ["dense", "dropout"]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn layers(&self) -> impl Iterator<Item = LayerRef<'_, T>> {
        (0..self.layers.len()).map(|at| LayerRef::new(self, at))
    }

    /// The layer with a name.
    ///
    /// # Errors
    /// [`Error::NoSuchLayer`], with the names that exist.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2).name("out")).build(0)?;
    /// assert_eq!(model.get_layer("out")?.class_name(), "Dense");
    /// let Err(error) = model.get_layer("dense") else { panic!() };
    /// assert_eq!(error.to_string(), "no layer is called \"dense\"; this model has out");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn get_layer(&self, name: &str) -> Result<LayerRef<'_, T>> {
        Ok(LayerRef::new(self, self.index_of(name)?))
    }

    #[inline(never)]
    pub(super) fn index_of(&self, name: &str) -> Result<usize> {
        self.layers.iter().position(|layer| layer.name == name).ok_or_else(|| Error::NoSuchLayer {
            name: name.to_owned(),
            existing: self.layers.iter().map(|layer| layer.name.clone()).collect(),
        })
    }

    /// The model up to and including a layer, which shares this one's weights: its `predict` gives
    /// that layer's activations.
    ///
    /// # Errors
    /// [`Error::NoSuchLayer`], with the names that exist.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([16, 16, 1])
    ///     .add(Conv2d::new(8, 5).padding(Same).name("conv_1"))
    ///     .add(Flatten::new())
    ///     .add(Dense::new(10))
    ///     .build(0)?;
    /// let activations = model.up_to("conv_1")?.predict(&Tensor::zeros([50, 16, 16, 1]))?;
    /// assert_eq!(activations.shape(), [50, 16, 16, 8]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn up_to(&self, layer: &str) -> Result<SubModel<'_, T>> {
        let node = self.graph.first_node(self.index_of(layer)?);
        Ok(SubModel::new(self.graph.up_to(&[Source::first_of(node)]), &self.layers))
    }

    /// The first input, as an end of a [`sub_model`](Self::sub_model).
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.sub_model(model.input(), model.output())?.output_shape(), [2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn input(&self) -> Value<'_, T> {
        Value::new(self, Source::Input(0))
    }

    /// The first output, as an end of a [`sub_model`](Self::sub_model).
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(format!("{:?}", model.output()), "dense [2]");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn output(&self) -> Value<'_, T> {
        Value::new(self, self.graph.outputs[0])
    }

    /// The part of the model between some values and others, which shares its weights.
    ///
    /// # Errors
    /// [`Error::Config`] for an output that also needs an input which is not given; it names both.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([16, 16, 1])
    ///     .add(Conv2d::new(8, 5).padding(Same).name("conv_1"))
    ///     .add(Flatten::new())
    ///     .add(Dense::new(10))
    ///     .build(0)?;
    /// let first = model.sub_model(model.input(), model.get_layer("conv_1")?.output())?;
    /// let rest = model.sub_model(model.get_layer("flatten")?.input(), model.output())?;
    /// let x = Tensor::ones([2, 16, 16, 1]);
    /// assert_eq!(rest.predict(&first.predict(&x)?)?, model.predict(&x)?);
    ///
    /// let conv_1 = model.get_layer("conv_1")?.output();
    /// assert_eq!(
    ///     model.sub_model(model.output(), conv_1).unwrap_err().to_string(),
    ///     "the output conv_1 cannot be reached from dense alone: it also needs the input input_layer"
    /// );
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn sub_model<'m>(
        &'m self,
        inputs: impl Into<Vec<Value<'m, T>>>,
        outputs: impl Into<Vec<Value<'m, T>>>,
    ) -> Result<SubModel<'m, T>> {
        sub_model::between(self, &inputs.into(), &outputs.into())
    }
}

impl<T: Scalar> fmt::Debug for Model<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())
    }
}

compiled!(|model: &mut Model<T>, compile: Compile<T>| model.compile(compile));
compiled!(|model: &mut Model<T>| (
    model.learning_rate(),
    model.set_learning_rate(0.1),
    model.summary()
));
compiled!(|model: &mut Model<T>| (
    model.count_params(),
    model.get_weights(),
    model.output_names(),
    model.set_weights(&[])
));
compiled!(|model: &Model<T>| (model.get_layer("").map(drop), model.weight("", "").map(drop)));
