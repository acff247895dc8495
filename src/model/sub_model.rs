//! The first layers of a model.

use super::graph::{Entrance, Graph, Source};
use super::model::{Built, Model};
use super::plan::Plan;
use super::predict;
use crate::error::{Error, Result};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};
use std::fmt;

/// The first layers of a model, sharing its weights: see
/// [`Model::up_to`](super::Model::up_to).
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([4]).add(Dense::new(3).name("hidden")).add(Dense::new(2)).build(0)?;
/// let hidden: cinta::SubModel<'_, f32> = model.up_to("hidden")?;
/// assert_eq!(hidden.output_shape(), [3]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct SubModel<'m, T: Scalar> {
    graph: Graph,
    layers: &'m [Built<T>],
    plan: Plan<T>,
}

impl<T: Scalar> fmt::Debug for SubModel<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.graph.nodes.iter().map(|node| &self.layers[node.layer].name);
        write!(f, "{} -> ", self.graph.inputs[0].shape)?;
        f.debug_list().entries(names).finish()?;
        write!(f, " -> {}", self.output_shape())
    }
}

impl<'m, T: Scalar> SubModel<'m, T> {
    pub(super) fn new(graph: Graph, layers: &'m [Built<T>]) -> Self {
        let plan = Plan::infer(&graph, layers);
        SubModel { graph, layers, plan }
    }

    /// The last layer's outputs for inputs `[n, ..]`, as [`Model::predict`](super::Model::predict): only these layers run,
    /// and only whether one of them couples samples counts.
    ///
    /// # Errors
    /// When the inputs do not fit the model, or hold values that are not finite.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(3).name("hidden")).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.up_to("hidden")?.predict(&Tensor::zeros([5, 4]))?.shape(), [5, 3]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn predict(&self, inputs: &Tensor<T>) -> Result<Tensor<T>> {
        predict::predict(&self.graph, self.layers, &self.plan, inputs)
    }

    /// All outputs for all inputs, as [`Model::predict_all`](super::Model::predict_all).
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(3).name("hidden")).add(Dense::new(2)).build(0)?;
    /// let both = model.sub_model(model.input(), [model.get_layer("hidden")?.output(), model.output()])?;
    /// let outputs = both.predict_all(&[&Tensor::zeros([5, 4])])?;
    /// assert_eq!((outputs[0].shape(), outputs[1].shape()), ([5, 3].into(), [5, 2].into()));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn predict_all(&self, inputs: &[&Tensor<T>]) -> Result<Vec<Tensor<T>>> {
        predict::predict_all(&self.graph, self.layers, &self.plan, inputs)
    }

    pub(super) fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(super) fn layers(&self) -> &'m [Built<T>] {
        self.layers
    }

    /// The shape of one sample's output: of the first one, if there are several.
    ///
    /// ```
    /// # use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Dense::new(3).name("hidden")).add(Dense::new(2)).build(0)?;
    /// assert_eq!(model.up_to("hidden")?.output_shape(), [3]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn output_shape(&self) -> Shape {
        self.graph.shape(self.graph.outputs[0])
    }
}

compiled!(|model: SubModel<'_, T>, x: &Tensor<T>| model.predict(x));
compiled!(|model: SubModel<'_, T>, x: &[&Tensor<T>]| model.predict_all(x));

/// A value in a model: one of its inputs, or what a layer gives in its first place.
///
/// ```
/// use cinta::prelude::*;
/// let model = Sequential::new([4]).add(Dense::new(3)).build(0)?;
/// let value: cinta::Value<'_, f32> = model.get_layer("dense")?.output();
/// assert_eq!(format!("{value:?}"), "dense [3]");
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Value<'m, T: Scalar> {
    model: &'m Model<T>,
    source: Source,
}

impl<T: Scalar> fmt::Debug for Value<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.model.graph.shape(self.source))
    }
}

/// One value where several may be given.
impl<'m, T: Scalar> From<Value<'m, T>> for Vec<Value<'m, T>> {
    fn from(value: Value<'m, T>) -> Self {
        vec![value]
    }
}

impl<'m, T: Scalar> Value<'m, T> {
    pub(super) fn new(model: &'m Model<T>, source: Source) -> Self {
        Value { model, source }
    }

    fn name(&self) -> &'m str {
        match self.source {
            Source::Input(input) => &self.model.graph.inputs[input].name,
            Source::Node { node, .. } => {
                &self.model.layers[self.model.graph.nodes[node].layer].name
            }
        }
    }
}

/// The values of a model between some and others.
pub(super) fn between<'m, T: Scalar>(
    model: &'m Model<T>,
    inputs: &[Value<'m, T>],
    outputs: &[Value<'m, T>],
) -> Result<SubModel<'m, T>> {
    let wrong = |reason: String| Err(Error::Config(reason.into()));
    if inputs.is_empty() || outputs.is_empty() {
        return wrong("a sub-model needs at least one input and one output".to_owned());
    }
    if let Some(other) = inputs.iter().chain(outputs).find(|it| !std::ptr::eq(it.model, model)) {
        return wrong(format!("the value {other:?} is of another model"));
    }
    for (i, input) in inputs.iter().enumerate() {
        if inputs[..i].iter().any(|before| before.source == input.source) {
            return wrong(format!("the input {} of the sub-model is given twice", input.name()));
        }
    }
    let entrance = |value: &Value<'m, T>| Entrance {
        name: value.name().to_owned(),
        shape: model.graph.shape(value.source),
    };
    let sources =
        |values: &[Value<'m, T>]| -> Vec<Source> { values.iter().map(|it| it.source).collect() };
    let entrances = inputs.iter().map(entrance).collect();
    match model.graph.between(&sources(inputs), entrances, &sources(outputs)) {
        Ok(graph) => Ok(SubModel::new(graph, &model.layers)),
        Err((output, needed)) => {
            let names: Vec<&str> = inputs.iter().map(Value::name).collect();
            wrong(format!(
                "the output {} cannot be reached from {} alone: it also needs the input {}",
                Value::new(model, output).name(),
                names.join(" and "),
                model.graph.inputs[needed].name
            ))
        }
    }
}
