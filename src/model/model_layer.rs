//! A model as a layer of another.

use super::draft::{Outline, Outlined};
use super::forward::{self, Inside, Run};
use super::graph::{Graph, Listed, Node, Source};
use super::model::{Built, Model};
use super::plan::Plan;
use super::sub_model::SubModel;
use crate::autograd::Var;
use crate::config::{Config, file_groups};
use crate::error::Reason;
use crate::nn::{Activation, Context, Layer, Mode, MultiLayer, Part, Weight, one_input};
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::fmt;
use std::sync::Arc;

/// A model as a layer of another: its layers and weights as they are now. The new model trains a copy of the weights. Made
/// by [`Model::as_layer`] and [`Model::frozen`].
///
/// ```
/// use cinta::prelude::*;
/// let base = Sequential::new([4]).add(Dense::new(3).activation(Relu)).build(1)?;
/// let x = Input::new([4]);
/// let model = Model::new(&x, &base.frozen().name("base").of(&x).then(Dense::new(2))).build(2)?;
/// assert_eq!(model.weight("base", "dense/kernel")?, base.weight("dense", "kernel")?);
/// assert!(model.summary().contains("Non-trainable params: 15"));
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone)]
pub struct ModelLayer<T: Scalar = f32> {
    inner: Arc<Inner<T>>,
    trainable: bool,
    name: Option<String>,
}

struct Inner<T: Scalar> {
    name: String,
    graph: Graph,
    /// The layers, without their weights.
    layers: Vec<Built<T>>,
    /// The steps to an output that may be left before its softmax, if it is the only one: the model around this one sees whether
    /// a loss follows.
    plan: Plan<T>,
    /// The same where nothing is trained.
    inference: Plan<T>,
    /// How many weights each layer has.
    counts: Vec<usize>,
    /// Of all layers, in order.
    weights: Vec<Weight>,
    /// Their values; none where a file will give them.
    values: Vec<Tensor<T>>,
    masking: Masking,
}

/// What a model does with masks.
#[derive(Clone, Copy, PartialEq)]
enum Masking {
    /// None of its layers makes one.
    Passes,
    /// Layers that take its inputs do.
    Makes,
    /// Others do, and what it gives has one. It depends on values inside of the model, which nobody outside knows.
    Hides,
}

impl Masking {
    fn of<T: Scalar>(graph: &Graph, layers: &[Built<T>]) -> Self {
        let makes = |node: &Node| {
            let inputs = node.inputs.iter().map(|&it| Tensor::zeros(graph.shape(it).batch(0)));
            let inputs: Vec<Tensor<T>> = inputs.collect();
            let inputs: Vec<&Tensor<T>> = inputs.iter().collect();
            let masks = layers[node.layer].layer.masks(&inputs, &vec![None; inputs.len()]);
            masks.iter().any(Option::is_some)
        };
        let inside = |node: &Node| node.inputs.iter().any(|it| matches!(it, Source::Node { .. }));
        let (mut found, mut hidden) = (Masking::Passes, false);
        for node in graph.nodes.iter().filter(|node| makes(node)) {
            found = Masking::Makes;
            hidden |= inside(node);
        }
        let inputs = graph.inputs.iter().map(|input| Tensor::zeros(input.shape.batch(0)));
        let inputs: Vec<Tensor<T>> = inputs.collect();
        let inputs: Vec<&Tensor<T>> = inputs.iter().collect();
        let none = vec![None; inputs.len()];
        let masks = given_masks(graph, layers, &inputs, &none);
        if hidden && masks.iter().any(Option::is_some) {
            found = Masking::Hides;
        }
        found
    }
}

/// The masks of what a model gives, from masks and from values of its inputs: those inside are as if they were 0.
fn given_masks<T: Scalar>(
    graph: &Graph,
    layers: &[Built<T>],
    inputs: &[&Tensor<T>],
    masks: &[Option<&Tensor<T>>],
) -> Vec<Option<Tensor<T>>> {
    let samples = inputs[0].shape()[0];
    let mut found: Vec<Option<Tensor<T>>> = masks.iter().map(|mask| mask.cloned()).collect();
    for node in &graph.nodes {
        let value = |source: &Source| match *source {
            Source::Input(input) => inputs[input].clone(),
            Source::Node { .. } => Tensor::zeros(graph.shape(*source).batch(samples)),
        };
        let values: Vec<Tensor<T>> = node.inputs.iter().map(value).collect();
        let values: Vec<&Tensor<T>> = values.iter().collect();
        let before = node.inputs.iter().map(|&source| found[graph.place(source)].as_ref());
        let before: Vec<Option<&Tensor<T>>> = before.collect();
        let masks = layers[node.layer].layer.masks(&values, &before);
        found.extend(node.one_each(masks));
    }
    graph.outputs.iter().map(|&output| found[graph.place(output)].clone()).collect()
}

impl<T: Scalar> ModelLayer<T> {
    /// Of layers and what connects them.
    fn new(name: &str, graph: &Graph, layers: &[Built<T>]) -> Self {
        let mut numbers: Vec<Option<usize>> = vec![None; layers.len()];
        graph.nodes.iter().for_each(|node| numbers[node.layer] = Some(0));
        let kept: Vec<usize> =
            (0..layers.len()).filter(|&layer| numbers[layer].is_some()).collect();
        kept.iter().enumerate().for_each(|(number, &layer)| numbers[layer] = Some(number));
        let mut graph = graph.clone();
        graph.nodes.iter_mut().for_each(|node| node.layer = numbers[node.layer].expect("kept"));
        let inputs = (0..graph.inputs.len()).map(Listed::Input);
        graph.listed = inputs.chain((0..kept.len()).map(Listed::Layer)).collect();
        let params = || kept.iter().flat_map(|&layer| &layers[layer].params);
        let values = params().map(|param| param.value.clone()).collect();
        let weights = kept.iter().flat_map(|&layer| {
            let Built { name, params, .. } = &layers[layer];
            params.iter().map(move |param| param.weight.within(name))
        });
        let weights = weights.collect();
        let counts = kept.iter().map(|&layer| layers[layer].params.len()).collect();
        let bare = |&layer: &usize| Built { params: Vec::new(), ..layers[layer].clone() };
        let layers: Vec<_> = kept.iter().map(bare).collect();
        Self::made(name.to_owned(), graph, layers, (counts, weights, values))
    }

    /// Of a file's description.
    pub(super) fn outlined(outline: Outline<T>, trainable: bool) -> Self {
        let Outline { name, graph, layers } = outline;
        let mut weights = Vec::new();
        for Outlined { name, weights: own, .. } in &layers {
            weights.extend(own.iter().map(|weight| weight.within(name)));
        }
        let counts = layers.iter().map(|outlined| outlined.weights.len()).collect();
        let layers: Vec<_> =
            layers.into_iter().map(|outlined| Built::new(outlined, Vec::new())).collect();
        Self::made(name, graph, layers, (counts, weights, Vec::new())).trainable(trainable)
    }

    /// Of layers without their weights. How many weights each has, and those of all with their values, come beside.
    fn made(
        name: String,
        graph: Graph,
        layers: Vec<Built<T>>,
        (counts, weights, values): (Vec<usize>, Vec<Weight>, Vec<Tensor<T>>),
    ) -> Self {
        let alone = graph.outputs.len() == 1;
        let plan = Plan::open(&graph, &layers, |_| alone);
        let inference = Plan::infer_open(&graph, &layers, |_| alone);
        let masking = Masking::of(&graph, &layers);
        let inner =
            Inner { name, graph, layers, plan, inference, counts, weights, values, masking };
        ModelLayer { inner: Arc::new(inner), trainable: true, name: None }
    }

    /// The layer's name in the model, in place of an automatic one.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let base = Sequential::new([4]).add(Dense::new(3)).build(1)?;
    /// let model = Sequential::new([4]).add(base.as_layer().name("base")).build(0)?;
    /// assert_eq!(model.get_layer("base")?.class_name(), "Sequential");
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether training changes its weights. If not, batch normalisation in it uses its moving averages, in training too.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let base = Sequential::new([4]).add(Dense::new(3)).build(1)?;
    /// let model = Sequential::new([4]).add(base.as_layer().trainable(false)).build(0)?;
    /// assert!(model.summary().contains("Trainable params: 0"));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn trainable(mut self, trainable: bool) -> Self {
        self.trainable = trainable;
        self
    }

    /// The model inside, as files describe it.
    pub(super) fn description(&self) -> (&str, &Graph, &[Built<T>]) {
        (&self.inner.name, &self.inner.graph, &self.inner.layers)
    }
}

impl<T: Scalar> Model<T> {
    /// This model as a layer of another, with a copy of its weights.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let encoder = Sequential::new([4]).add(Dense::new(2).activation(Relu)).build(1)?;
    /// let decoder = Sequential::new([2]).add(Dense::new(4)).build(2)?;
    /// let both = Sequential::new([4]).add(encoder.as_layer()).add(decoder.as_layer()).build(0)?;
    /// let x = Tensor::from([[1.0, 2.0, -1.0, 0.5]]);
    /// assert_eq!(both.predict(&x)?, decoder.predict(&encoder.predict(&x)?)?);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn as_layer(&self) -> ModelLayer<T> {
        ModelLayer::new(&self.name, &self.graph, &self.layers)
    }

    /// The same, without being trained: for transfer learning.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let base = Sequential::new([4]).add(Dense::new(3).activation(Relu)).build(1)?;
    /// let image = Input::new([4]);
    /// let head = base.frozen().of(&image).then(Dense::new(2));
    /// let model = Model::new(&image, &head).build(2)?;
    /// assert!(model.summary().contains("Trainable params: 8 "));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn frozen(&self) -> ModelLayer<T> {
        self.as_layer().trainable(false)
    }
}

impl<T: Scalar> SubModel<'_, T> {
    /// These layers as a layer of another model, with a copy of their weights. They may be
    /// [frozen](ModelLayer::trainable): what transfer learning does with all but the last layers of a trained model.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let trained = Sequential::new([4]).add(Dense::new(3).name("features")).add(Dense::new(2)).build(1)?;
    /// let features = trained.up_to("features")?.as_layer().trainable(false);
    /// let model = Sequential::new([4]).add(features).add(Dense::new(5)).build(2)?;
    /// assert_eq!(model.output_shape(), [5]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn as_layer(&self) -> ModelLayer<T> {
        ModelLayer::new("functional", self.graph(), self.layers())
    }
}

impl<T: Scalar> fmt::Debug for ModelLayer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.inner.layers.iter().map(|layer| &layer.name);
        write!(f, "{} ", self.inner.name)?;
        f.debug_list().entries(names).finish()
    }
}

impl<T: Scalar> MultiLayer<T> for ModelLayer<T> {
    fn class_name(&self) -> &str {
        if self.inner.graph.chain { "Sequential" } else { "Functional" }
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn config(&self) -> Config {
        super::config::model_config(self)
    }

    /// What only `TimeDistributed` asks: the graph of a model wants the shapes of all outputs.
    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Reason> {
        Ok(self.output_shapes(inputs)?[0])
    }

    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>, Reason> {
        let graph = &self.inner.graph;
        let wanted: Vec<Shape> = graph.inputs.iter().map(|input| input.shape).collect();
        if wanted != inputs {
            let list = |shapes: &[Shape]| {
                shapes.iter().map(Shape::to_string).collect::<Vec<_>>().join(" and ")
            };
            return Err(format!(
                "the model takes samples of shape {}, and these have {}",
                list(&wanted),
                list(inputs)
            )
            .into());
        }
        if self.inner.masking == Masking::Hides {
            return Err(
                "what it gives has a mask that depends on values inside of it, which is not supported; \
                 a layer that makes a mask takes what goes into the model"
                    .into(),
            );
        }
        Ok(graph.outputs.iter().map(|&output| graph.shape(output)).collect())
    }

    fn weights(&self, _: &[Shape]) -> Vec<Weight> {
        self.inner.weights.clone()
    }

    fn values(&self) -> Vec<Tensor<T>> {
        self.inner.values.clone()
    }

    fn trainable(&self) -> bool {
        self.trainable
    }

    fn parts(&self, _: usize) -> Vec<Part> {
        let layers = &self.inner.layers;
        let groups = file_groups(layers.iter().map(|layer| layer.layer.class_name()));
        let mut parts = Vec::new();
        for ((layer, &weights), group) in layers.iter().zip(&self.inner.counts).zip(groups) {
            let own = layer.layer.parts(weights).into_iter();
            parts.extend(own.map(|part| part.within(&format!("layers/{group}"))));
        }
        parts
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        self.inner.plan.open[0].of(&MultiLayer::pre_activation(self, weights, inputs, cx))
    }

    fn pre_activation<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        self.forward_all(weights, inputs, cx).swap_remove(0)
    }

    fn forward_all<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Vec<Var<'t, T>> {
        MultiLayer::with_penalties(self, weights, inputs, cx).0
    }

    fn with_penalties<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> (Vec<Var<'t, T>>, Vec<Var<'t, T>>) {
        let Inner { graph, layers, plan, inference, .. } = &*self.inner;
        let mut left = weights;
        let (mut own, mut starts) = (Vec::with_capacity(layers.len()), Vec::new());
        for &count in &self.inner.counts {
            let (these, others) = left.split_at(count);
            starts.push(weights.len() - left.len());
            own.push(these.to_vec());
            left = others;
        }
        let mut plan = plan;
        if cx.mode() == Mode::Infer && !weights.iter().any(Var::is_tracked) {
            plan = inference;
            let values = |layer: usize| own[layer].iter().map(|it| it.value().clone()).collect();
            if let Some(folded) = plan.folded(layers, &values) {
                for (layer, values) in &folded.weights {
                    own[*layer] = values.iter().cloned().map(Var::constant).collect();
                }
            }
        }
        let run = Run::new(graph, layers, plan, own, cx.inside(), cx.trainable());
        let inputs = inputs.iter().map(|&input| input.clone());
        let Inside { outputs, updates, activity } = run.inside(inputs, cx.masks());
        for (layer, weight, value) in updates {
            cx.set_weight(starts[layer] + weight, value);
        }
        (outputs, activity)
    }

    fn is_penalised_inside(&self) -> bool {
        let penalised = |layer: &dyn MultiLayer<T>| {
            layer.activity_regularizer().is_some() || layer.is_penalised_inside()
        };
        self.inner.layers.iter().any(|built| penalised(&*built.layer))
    }

    fn activation(&self, _: &[Shape]) -> Activation {
        self.inner.plan.open[0]
    }

    fn check_masks(&self, _: &[Shape], masks: &[Option<Shape>]) -> Result<(), Reason> {
        let Inner { graph, layers, .. } = &*self.inner;
        let found = graph.follow_masks(|at| &*layers[at].layer, masks).map(drop);
        found.map_err(|(at, reason)| format!("the layer {} in it {reason}", layers[at].name).into())
    }

    fn mask(&self, inputs: &[&Tensor<T>], masks: &[Option<&Tensor<T>>]) -> Option<Tensor<T>> {
        self.masks(inputs, masks).swap_remove(0)
    }

    fn masks(&self, inputs: &[&Tensor<T>], masks: &[Option<&Tensor<T>>]) -> Vec<Option<Tensor<T>>> {
        let Inner { graph, layers, masking, .. } = &*self.inner;
        if *masking == Masking::Passes && masks.iter().all(Option::is_none) {
            return vec![None; graph.outputs.len()];
        }
        given_masks(graph, layers, inputs, masks)
    }

    fn depth(&self) -> usize {
        let depths = self.inner.layers.iter().map(|layer| layer.layer.depth());
        depths.max().unwrap_or(0) + 1
    }

    fn couples_samples(&self) -> bool {
        forward::coupled(&self.inner.graph, &self.inner.layers, false)
    }

    fn couples_samples_in_training(&self) -> bool {
        forward::coupled(&self.inner.graph, &self.inner.layers, true)
    }
}

/// Of a model with one input.
impl<T: Scalar> Layer<T> for ModelLayer<T> {
    one_input!();
}
