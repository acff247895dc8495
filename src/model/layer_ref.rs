//! A layer of a model, to look at.

use super::graph::Source;
use super::model::{Built, Model};
use super::sub_model::Value;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::fmt;

/// A layer of a model, to look at.
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([4]).add(Dense::new(2)).build(1)?;
/// let layer: cinta::LayerRef<'_, f32> = model.get_layer("dense")?;
/// assert_eq!(layer.class_name(), "Dense");
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct LayerRef<'m, T: Scalar> {
    model: &'m Model<T>,
    at: usize,
}

impl<T: Scalar> fmt::Debug for LayerRef<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) {}", self.name(), self.class_name(), self.output_shape())
    }
}

impl<'m, T: Scalar> LayerRef<'m, T> {
    pub(super) fn new(model: &'m Model<T>, at: usize) -> Self {
        LayerRef { model, at }
    }

    fn built(&self) -> &'m Built<T> {
        &self.model.layers[self.at]
    }

    /// What it takes in its first place, as an end of a [`sub_model`](Model::sub_model): the first value, if there are
    /// several.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(3)).add(Dense::new(2).name("last")).build(0)?;
    /// let last = model.sub_model(model.get_layer("last")?.input(), model.output())?;
    /// assert_eq!(last.predict(&Tensor::zeros([5, 3]))?.shape(), [5, 2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn input(&self) -> Value<'m, T> {
        let graph = &self.model.graph;
        Value::new(self.model, graph.nodes[graph.first_node(self.at)].inputs[0])
    }

    /// What it gives in its first place, as an end of a [`sub_model`](Model::sub_model).
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(3)).add(Dense::new(2)).build(0)?;
    /// let first = model.sub_model(model.input(), model.get_layer("dense")?.output())?;
    /// assert_eq!(first.output_shape(), [3]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn output(&self) -> Value<'m, T> {
        Value::new(self.model, Source::first_of(self.model.graph.first_node(self.at)))
    }

    /// All that it gives in its first place, of a layer with several outputs.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([5, 3]);
    /// let model = Model::new(&x, &x.then(Lstm::new(4).return_state(true))).build(0)?;
    /// let [_, h, c] = model.get_layer("lstm")?.outputs()[..] else { panic!() };
    /// assert_eq!(model.sub_model(model.input(), [h, c])?.output_shape(), [4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn outputs(&self) -> Vec<Value<'m, T>> {
        let node = self.model.graph.first_node(self.at);
        let outputs = 0..self.model.graph.nodes[node].outputs.len();
        outputs.map(|output| Value::new(self.model, Source::Node { node, output })).collect()
    }

    /// Its name in the model.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.get_layer("dense")?.name(), "dense");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(&self) -> &'m str {
        &self.built().name
    }

    /// Its class by Keras's name.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4, 4, 1]).add(Conv2d::new(2, 3)).build(0)?;
    /// assert_eq!(model.get_layer("conv2d")?.class_name(), "Conv2D");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn class_name(&self) -> &'m str {
        self.built().layer.class_name()
    }

    /// The shape of one sample's input: of the first one, if there are several.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.get_layer("dense")?.input_shape(), [4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn input_shape(&self) -> Shape {
        self.built().inputs[0]
    }

    /// The shape of one sample's output: of the first one, if there are several.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.get_layer("dense")?.output_shape(), [2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn output_shape(&self) -> Shape {
        self.built().outputs[0]
    }

    /// Its weights with their names.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// let names: Vec<&str> = model.get_layer("dense")?.weights().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["kernel", "bias"]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn weights(&self) -> impl Iterator<Item = (&'m str, &'m Tensor<T>)> + use<'m, T> {
        self.built().params.iter().map(|param| (&*param.weight.name, &param.value))
    }

    /// The number of its weights.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.get_layer("dense")?.count_params(), 10);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn count_params(&self) -> usize {
        self.built().params.iter().map(|param| param.value.len()).sum()
    }
}
