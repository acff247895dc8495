//! From layers and what they take to a graph with shapes: what builders and files have in common.

use super::graph::{self, Entrance, Graph, Listed, Node, Source};
use super::model::{Built, Model};
use super::names;
use super::params::Param;
use crate::error::{Error, Reason, Result};
use crate::nn::{MultiLayer, Regularizer, Weight};
use crate::scalar::Scalar;
use crate::tensor::{MAX_RANK, Shape, Stream, Tensor};
use std::sync::Arc;

/// A model in the making.
pub(super) struct Draft<T: Scalar> {
    pub name: String,
    pub inputs: Vec<Draught>,
    /// In the order in which they were made, which numbers their automatic names.
    pub layers: Vec<(Option<String>, Arc<dyn MultiLayer<T>>)>,
    /// Layers with what they take, in any order.
    pub nodes: Vec<(usize, Vec<Source>)>,
    /// For each node, whether its layer runs as in prediction.
    pub inference: Vec<bool>,
    pub outputs: Vec<Source>,
    pub chain: bool,
}

/// An input in the making.
pub(super) struct Draught {
    pub name: Option<String>,
    pub shape: Shape,
}

/// A layer with its name and shapes, before it has weights.
pub(crate) struct Outlined<T: Scalar> {
    pub name: String,
    pub layer: Arc<dyn MultiLayer<T>>,
    pub inputs: Vec<Shape>,
    pub outputs: Vec<Shape>,
    pub weights: Vec<Weight>,
}

/// A model without the values of its weights.
pub(crate) struct Outline<T: Scalar> {
    pub name: String,
    pub graph: Graph,
    pub layers: Vec<Outlined<T>>,
}

impl<T: Scalar> Draft<T> {
    /// Layers of which each takes what the one before gives.
    pub(super) fn chain(
        name: String,
        input: Shape,
        layers: Vec<(Option<String>, Arc<dyn MultiLayer<T>>)>,
    ) -> Self {
        let before = |at: usize| at.checked_sub(1).map_or(Source::Input(0), Source::first_of);
        Draft {
            name,
            inputs: vec![Draught { name: None, shape: input }],
            nodes: (0..layers.len()).map(|at| (at, vec![before(at)])).collect(),
            outputs: vec![before(layers.len())],
            inference: vec![false; layers.len()],
            layers,
            chain: true,
        }
    }

    /// Names, shapes and weights of all layers, without any memory for the weights.
    pub(super) fn outline(self) -> Result<Outline<T>> {
        if self.layers.is_empty() {
            return Err(Error::Config("a model needs at least one layer; add one".into()));
        }
        self.inputs.iter().try_for_each(|input| check_input(input.shape))?;
        let (input_names, layer_names) = self.names()?;
        let order = graph::order(self.inputs.len(), self.layers.len(), &self.nodes, &self.outputs);
        let order = order.map_err(|node| {
            let name = &layer_names[self.nodes[node].0];
            Error::Config(format!("the layers go in a circle: {name} needs its own output").into())
        })?;
        // Numbers of layers and nodes in the model, by those in the draft.
        let mut layer_numbers = vec![usize::MAX; self.layers.len()];
        let kept = order.listed.iter().filter_map(|it| match it {
            Listed::Layer(layer) => Some(*layer),
            Listed::Input(_) => None,
        });
        let kept: Vec<usize> = kept.collect();
        kept.iter().enumerate().for_each(|(number, &layer)| layer_numbers[layer] = number);
        let mut node_numbers = vec![usize::MAX; self.nodes.len()];
        order.nodes.iter().enumerate().for_each(|(number, &node)| node_numbers[node] = number);
        let renumbered = |source: &Source| match *source {
            Source::Node { node, output } => Source::Node { node: node_numbers[node], output },
            input => input,
        };
        let names = input_names.into_iter().zip(&self.inputs);
        let mut graph = Graph {
            inputs: names.map(|(name, input)| Entrance { name, shape: input.shape }).collect(),
            nodes: Vec::with_capacity(order.nodes.len()),
            outputs: self.outputs.iter().map(renumbered).collect(),
            listed: order
                .listed
                .iter()
                .map(|it| match *it {
                    Listed::Layer(layer) => Listed::Layer(layer_numbers[layer]),
                    input => input,
                })
                .collect(),
            chain: self.chain,
            masked: false,
        };
        let mut outlined: Vec<Option<Outlined<T>>> = (0..kept.len()).map(|_| None).collect();
        for &node in &order.nodes {
            let (layer, inputs) = &self.nodes[node];
            let inputs: Vec<Source> = inputs.iter().map(renumbered).collect();
            let at = layer_numbers[*layer];
            let name = layer_names[*layer].clone();
            let exist = |&source| graph.check_output(source, &name, &outlined);
            inputs.iter().try_for_each(exist)?;
            let shapes = inputs.iter().map(|&source| graph.shape(source)).collect();
            let (next, from) =
                (Outlined::new(name, self.layers[*layer].1.clone(), shapes), &inputs);
            let next = next.map_err(|error| graph.locate(error, from, &outlined))?;
            let outputs = next.outputs.clone();
            match &outlined[at] {
                None => outlined[at] = Some(next),
                Some(first) if first.weights == next.weights => {}
                Some(first) => return Err(first.shared_by(&next)),
            }
            let (place, inference) = (graph.places_used(), self.inference[node]);
            graph.nodes.push(Node { layer: at, inputs, outputs, place, inference });
        }
        graph.outputs.iter().try_for_each(|&it| graph.check_output(it, "the model", &outlined))?;
        let layers: Vec<Outlined<T>> =
            outlined.into_iter().map(|it| it.expect("each listed layer has a node")).collect();
        let masks = graph.follow_masks(|at| &*layers[at].layer, &vec![None; graph.inputs.len()]);
        let masks = masks.map_err(|(at, reason)| layers[at].error(reason))?;
        graph.masked = masks.iter().any(Option::is_some);
        Ok(Outline { name: self.name, graph, layers })
    }

    /// The names of the inputs and the layers.
    fn names(&self) -> Result<(Vec<String>, Vec<String>)> {
        // The input of a chain has no name that anyone could take.
        let inputs = if self.chain { &[][..] } else { &self.inputs[..] };
        let mut all: Vec<(Option<&str>, &str)> = Vec::new();
        for input in inputs {
            all.push((input.name.as_deref(), "InputLayer"));
        }
        for (name, layer) in &self.layers {
            all.push((name.as_deref(), layer.class_name()));
        }
        let mut names = names::assign(&all).map_err(|(i, reason)| Error::Layer {
            layer: all[i].0.unwrap_or_default().to_owned(),
            class: all[i].1.to_owned(),
            reason: reason.into(),
        })?;
        if self.chain {
            return Ok((vec!["input_layer".to_owned()], names));
        }
        let layers = names.split_off(self.inputs.len());
        Ok((names, layers))
    }
}

/// How deep layers may be in layers. Files describe a model in a model three levels of JSON deeper, of which their reader takes 128, and keep its weights
/// two groups deeper, of which it takes 64.
const DEEPEST: usize = 24;

/// Whether samples can have this shape.
fn check_input(shape: Shape) -> Result<()> {
    if shape.contains(&0) || shape.rank() >= MAX_RANK || shape.checked_count().is_none() {
        return Err(Error::Config(format!(
            "the input shape {shape} makes no sense: it is that of one sample, without an axis for the \
             batch, at most {} axes, none of them 0",
            MAX_RANK - 1
        ).into()));
    }
    Ok(())
}

impl Graph {
    /// The masks of the outputs, without samples, where inputs have masks of these shapes; or the layer that cannot use its own, and why.
    pub(super) fn follow_masks<'a, T: Scalar>(
        &self,
        layer: impl Fn(usize) -> &'a dyn MultiLayer<T>,
        given: &[Option<Shape>],
    ) -> Result<Vec<Option<Tensor<T>>>, (usize, Reason)> {
        let empty = |sample: Shape| Tensor::<T>::zeros(sample.batch(0));
        let mut masks: Vec<Option<Tensor<T>>> = given.iter().map(|it| it.map(empty)).collect();
        for node in &self.nodes {
            let shapes: Vec<Shape> = node.inputs.iter().map(|&it| self.shape(it)).collect();
            let inputs: Vec<Tensor<T>> = shapes.iter().copied().map(empty).collect();
            let before = node.inputs.iter().map(|&source| masks[self.place(source)].as_ref());
            let before: Vec<Option<&Tensor<T>>> = before.collect();
            let sample = |mask: &Option<&Tensor<T>>| mask.map(|mask| mask.shape().sample());
            let samples: Vec<Option<Shape>> = before.iter().map(sample).collect();
            let worker = layer(node.layer);
            worker.check_masks(&shapes, &samples).map_err(|reason| (node.layer, reason))?;
            let inputs: Vec<&Tensor<T>> = inputs.iter().collect();
            let found = worker.masks(&inputs, &before);
            masks.extend(node.one_each(found));
        }
        Ok(self.outputs.iter().map(|&output| masks[self.place(output)].clone()).collect())
    }

    /// Whether the layer that a value comes from has so many outputs. `by` takes it.
    fn check_output<T: Scalar>(
        &self,
        source: Source,
        by: &str,
        outlined: &[Option<Outlined<T>>],
    ) -> Result<()> {
        let Source::Node { node, output } = source else { return Ok(()) };
        let Node { layer, outputs, .. } = &self.nodes[node];
        let outlined = outlined[*layer].as_ref().expect("nodes come after those that they need");
        if output < outputs.len() {
            return Ok(());
        }
        Err(outlined.error(
            format!("{by} takes its output {output}, and it has {}, counted from 0", outputs.len())
                .into(),
        ))
    }

    /// An error of a layer, with those before it where the model is no chain.
    fn locate<T: Scalar>(
        &self,
        error: Error,
        from: &[Source],
        outlined: &[Option<Outlined<T>>],
    ) -> Error {
        match error {
            Error::Layer { layer, class, reason } if !self.chain => {
                let name = |source: &Source| match *source {
                    Source::Input(input) => self.inputs[input].name.clone(),
                    Source::Node { node, .. } => {
                        let before = outlined[self.nodes[node].layer].as_ref();
                        before.map_or(String::new(), |before| before.name.clone())
                    }
                };
                let names: Vec<String> = from.iter().map(name).collect();
                let reason = format!("{reason} (its input is from {})", names.join(" and "));
                Error::Layer { layer, class, reason: reason.into() }
            }
            error => error,
        }
    }
}

impl<T: Scalar> Outlined<T> {
    fn new(name: String, layer: Arc<dyn MultiLayer<T>>, inputs: Vec<Shape>) -> Result<Self> {
        let (outputs, weights) = (Vec::new(), Vec::new());
        let mut outlined = Outlined { name, layer, inputs, outputs, weights };
        let outputs = outlined.layer.output_shapes(&outlined.inputs);
        outlined.outputs = outputs.map_err(|reason| outlined.error(reason))?;
        let large = |it: &&Shape| it.rank() >= MAX_RANK || it.checked_count().is_none();
        if let Some(output) = outlined.outputs.iter().find(large) {
            return Err(outlined.error(format!("the output shape {output} is too large").into()));
        }
        if let Some(Regularizer::Orthogonal { .. }) = outlined.layer.activity_regularizer() {
            let reason = "an orthogonal penalty is for weights, and not for outputs".into();
            return Err(outlined.error(reason));
        }
        if outlined.layer.depth() > DEEPEST {
            return Err(outlined.error(
                format!("layers in layers are at most {DEEPEST} deep, so that files can hold them")
                    .into(),
            ));
        }
        let trainable = outlined.layer.trainable();
        outlined.weights = outlined.layer.weights(&outlined.inputs);
        outlined.weights.iter_mut().for_each(|weight| weight.trainable &= trainable);
        let parts = outlined.layer.parts(outlined.weights.len());
        let made_of_layers = parts.iter().any(|part| !part.group.is_empty());
        check_weights::<T>(&outlined.weights, made_of_layers)
            .map_err(|reason| outlined.error(reason))?;
        Ok(outlined)
    }

    pub(crate) fn error(&self, reason: Reason) -> Error {
        let class = self.layer.class_name().to_owned();
        Error::Layer { layer: self.name.clone(), class, reason }
    }

    /// A shared layer cannot have weights of two shapes.
    fn shared_by(&self, other: &Self) -> Error {
        let shapes = |inputs: &[Shape]| {
            inputs.iter().map(Shape::to_string).collect::<Vec<_>>().join(" and ")
        };
        self.error(format!(
            "is used for inputs {} and for inputs {}, which need other weights; use a layer for each",
            shapes(&self.inputs),
            shapes(&other.inputs)
        ).into())
    }
}

impl<T: Scalar> Outline<T> {
    /// Draws the weights.
    pub(crate) fn draw(self, seed: u64) -> Result<Model<T>> {
        let stream = Stream::new(seed).fork(WEIGHTS);
        let mut layers = Vec::with_capacity(self.layers.len());
        for (at, outlined) in self.layers.into_iter().enumerate() {
            let mut params = Vec::with_capacity(outlined.weights.len());
            let known = outlined.layer.values();
            for (index, weight) in outlined.weights.iter().enumerate() {
                if let Some(value) = known.get(index) {
                    params.push(Param::new(weight.clone(), value.clone()));
                    continue;
                }
                room_for::<T>(weight).map_err(|reason| outlined.error(reason))?;
                let mut rng = stream.fork(at as u64).fork(index as u64);
                let mut value: Tensor<T> = weight.initializer.draw(weight.shape, &mut rng);
                if !weight.ones.is_empty() {
                    value.as_mut_slice()[weight.ones.clone()].fill(T::one());
                }
                params.push(Param::new(weight.clone(), value));
            }
            layers.push(Built::new(outlined, params));
        }
        Ok(Model::from_parts(self.name, self.graph, layers, seed))
    }
}

/// Whether the weights that a layer asks for have names of their own and can be drawn.
fn check_weights<T: Scalar>(weights: &[Weight], made_of_layers: bool) -> Result<(), Reason> {
    for (i, weight) in weights.iter().enumerate() {
        let name = &weight.name;
        // Slashes are for the weights of layers in a layer.
        if name.split('/').any(str::is_empty) || (!made_of_layers && name.contains('/')) {
            return Err(format!(
                "a weight's name is not empty and has no `/`, and this is {name:?}"
            )
            .into());
        }
        if weights[..i].iter().any(|before| before.name == *name) {
            return Err(
                format!("two weights are called {name:?}; names are unique in a layer").into()
            );
        }
        weight
            .initializer
            .check::<T>(weight.shape)
            .map_err(|reason| format!("the initializer of the {name}: {reason}"))?;
        if let Some(regularizer) = weight.regularizer {
            regularizer
                .check_shape(weight.shape)
                .map_err(|reason| format!("the penalty on the {name}: {reason}"))?;
        }
        if let Some(constraint) = &weight.constraint {
            constraint
                .check(weight.shape)
                .map_err(|reason| format!("the constraint of the {name}: {reason}"))?;
        }
    }
    Ok(())
}

/// Whether a weight has a chance to fit into memory: an absurd one must be an error, not an abort.
fn room_for<T: Scalar>(weight: &Weight) -> Result<(), Reason> {
    let room = weight
        .shape
        .checked_count()
        .is_some_and(|count| Vec::<T>::new().try_reserve_exact(count).is_ok());
    if room {
        Ok(())
    } else {
        Err(format!("the {} of shape {} does not fit into memory", weight.name, weight.shape)
            .into())
    }
}

/// The stream label of initial weights.
const WEIGHTS: u64 = u64::from_le_bytes(*b"weights ");

impl<T: Scalar> Param<T> {
    pub(crate) fn new(weight: Weight, value: Tensor<T>) -> Self {
        Param { weight, value, slots: Vec::new() }
    }
}

impl<T: Scalar> Built<T> {
    pub(crate) fn new(outlined: Outlined<T>, params: Vec<Param<T>>) -> Self {
        let Outlined { name, layer, inputs, outputs, .. } = outlined;
        Built { name, trainable: layer.trainable(), layer, inputs, outputs, params }
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    fn attention() -> MultiHeadAttention {
        MultiHeadAttention::new(1, 2).attention_axes([2])
    }

    #[test]
    fn a_mask_of_all_places_goes_through_attention() {
        let x = Input::new([2, 3, 4]);
        let masked = x.then(Masking::new(0.0));
        let mut model: Model =
            Model::new(&x, &attention().of([&masked, &masked])).build(0).unwrap();
        let mut batch = Tensor::uniform([4, 2, 3, 4], 0.5, 1.0, &mut Stream::new(1));
        batch.as_mut_slice()[..4].fill(0.0);
        assert_eq!(model.predict(&batch).unwrap().shape(), [4, 2, 3, 4]);
        model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
        let data = Dataset::new(batch.clone(), batch).unwrap();
        let fit = Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() };
        assert!(model.fit(&data, fit).unwrap()["loss"][0].is_finite());
    }

    /// One of steps, for values with places in each step.
    #[test]
    fn masks_that_do_not_fit_are_refused() {
        let x = Input::new([2]);
        let steps = x.then(Embedding::new(5, 12).mask_zero(true));
        let places = steps.then(TimeDistributed::new(Reshape::new([3, 4])));
        let error = |y: Node| Model::<f32>::new(&x, &y).build(0).unwrap_err().to_string();
        let refused = "needs a mask of the shape [2, 3] for a sample of shape [2, 3, 4], and this one has the shape [2]";
        let found = error(attention().of([&places, &places]));
        assert!(found.contains(&format!("(MultiHeadAttention): {refused}")), "{found}");

        let z = Input::new([2, 3, 4]);
        let inner: Model = Model::new(&z, &attention().of([&z, &z])).build(0).unwrap();
        let found = error(inner.as_layer().of(&places));
        assert!(
            found.contains(&format!("the layer multi_head_attention in it {refused}")),
            "{found}"
        );
    }
}
