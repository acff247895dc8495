//! A model between what nodes say and what it becomes.

use super::draft::{Draft, Draught};
use super::graph::{Source, sort};
use super::model::Model;
use super::node::{Made, Node, Nodes, Numbered, Origin};
use crate::error::{Error, Result};
use crate::scalar::{Scalar, compiled};
use std::collections::HashMap;
use std::sync::Arc;

/// A graph of layers in the making: see [`Model::new`].
///
/// ```
/// use cinta::prelude::*;
/// let x = Input::new([4]);
/// let builder: cinta::ModelBuilder = Model::new(&x, &x.then(Dense::new(2)));
/// assert_eq!(builder.build(1)?.count_params(), 10);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ModelBuilder<T: Scalar = f32> {
    name: String,
    inputs: Vec<Node<T>>,
    outputs: Vec<Node<T>>,
}

impl<T: Scalar> Model<T> {
    /// A model between inputs and outputs: all layers that the outputs need.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let image = Input::new([8, 8, 1]);
    /// let x = image.then(Conv2d::new(4, 3).activation(Relu)).then(Flatten::new());
    /// let (digit, slant) = (x.then(Dense::new(10).activation(Softmax)), x.then(Dense::new(1)));
    /// let model = Model::new(&image, [&digit, &slant]).build(0)?;
    /// let outputs = model.predict_all(&[&Tensor::zeros([5, 8, 8, 1])])?;
    /// assert_eq!((outputs[0].shape(), outputs[1].shape()), ([5, 10].into(), [5, 1].into()));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[expect(clippy::new_ret_no_self, reason = "a model exists once its layers have shapes")]
    pub fn new(inputs: impl Nodes<T>, outputs: impl Nodes<T>) -> ModelBuilder<T> {
        let (inputs, outputs) = (inputs.nodes(), outputs.nodes());
        ModelBuilder { name: "functional".to_owned(), inputs, outputs }
    }
}

impl<T: Scalar> Node<T> {
    /// The value that it stands for, when these are the first outputs of what it is made by.
    fn output_of(&self, first: &HashMap<*const Made<T>, Source>) -> Source {
        match first[&self.address()] {
            Source::Node { node, .. } => Source::Node { node, output: self.output },
            input => input,
        }
    }
}

impl<T: Scalar> ModelBuilder<T> {
    /// The model's name, in its summary and files.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([4]);
    /// let model = Model::new(&x, &x.then(Relu)).name("tiny").build(0)?;
    /// assert!(model.summary().starts_with("Model: \"tiny\""));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Fixes every shape and draws the weights, as [`Sequential::build`](super::Sequential::build).
    ///
    /// # Errors
    /// [`Error::Layer`] for a layer whose options make no sense or do not fit its inputs. [`Error::Config`] when the outputs
    /// need an input that was not given, or one that was given is not needed.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let (a, b) = (Input::new([4]), Input::new([3]));
    /// let error = Model::new([&a, &b], &Add::new().name("sum").of([&a, &b])).build(0).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "layer sum (Add): needs inputs of one shape (a dimension of 1 fits any), and these have [4] and [3] \
    ///      (its input is from input_layer and input_layer_1)"
    /// );
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[inline(never)]
    pub fn build(self, seed: u64) -> Result<Model<T>> {
        self.draft()?.outline()?.draw(seed)
    }

    /// All that the outputs need.
    fn draft(self) -> Result<Draft<T>> {
        let wrong = |reason: String| Err(Error::Config(reason.into()));
        if self.outputs.is_empty() {
            return wrong("a model needs at least one output; give the node of one".to_owned());
        }
        let mut inputs = Vec::with_capacity(self.inputs.len());
        let mut sources: HashMap<*const Made<T>, Source> = HashMap::new();
        for (i, node) in self.inputs.iter().enumerate() {
            let Origin::Input { name, shape } = &node.made.origin else {
                return wrong(format!(
                    "the model's input {i} is what a layer gives, {node:?}; a model begins with nodes of Input::new"
                ));
            };
            inputs.push(Draught { name: name.clone(), shape: *shape });
            if sources.insert(node.address(), Source::Input(i)).is_some() {
                return wrong(format!("the input {i} of the model is given twice"));
            }
        }
        // Inputs before the layers that take them, without recursion.
        let mut used = vec![false; inputs.len()];
        let mut layers: HashMap<*const Numbered<T>, usize> = HashMap::new();
        let (mut found, mut nodes, mut inference) = (Vec::new(), Vec::new(), Vec::new());
        let mut left: Vec<(&Node<T>, bool)> =
            self.outputs.iter().rev().map(|node| (node, false)).collect();
        while let Some((node, ready)) = left.pop() {
            match (sources.get(&node.address()), &node.made.origin) {
                (Some(Source::Input(input)), _) => used[*input] = true,
                (Some(_), _) => {}
                (None, Origin::Input { name, shape }) => {
                    let name = name.as_ref().map_or(String::new(), |name| format!(" {name}"));
                    return wrong(format!(
                        "the outputs need the input{name} of shape {shape}, which is not among the model's \
                         inputs; add it to them"
                    ));
                }
                (None, Origin::Layer { inputs, .. }) if !ready => {
                    if inputs.is_empty() {
                        return wrong(format!("{node:?} has no inputs; give at least one"));
                    }
                    left.push((node, true));
                    left.extend(inputs.iter().rev().map(|input| (input, false)));
                }
                (None, Origin::Layer { layer, inputs, inference: as_in_prediction }) => {
                    let next = found.len();
                    let at = *layers.entry(Arc::as_ptr(&layer.0)).or_insert(next);
                    if at == next {
                        found.push(layer);
                    }
                    let taken = inputs.iter().map(|input| input.output_of(&sources)).collect();
                    sources.insert(node.address(), Source::first_of(nodes.len()));
                    nodes.push((at, taken));
                    inference.push(*as_in_prediction);
                }
            }
        }
        if let Some(unused) = used.iter().position(|used| !used) {
            let Draught { name, shape } = &inputs[unused];
            let name = name.as_ref().map_or(String::new(), |name| format!(" {name}"));
            return wrong(format!(
                "no output needs the input{name} of shape {shape}; leave it out, or use it"
            ));
        }
        let outputs = self.outputs.iter().map(|node| node.output_of(&sources)).collect();
        // In the order in which they were made.
        let mut by_number: Vec<usize> = (0..found.len()).collect();
        sort(&mut by_number, &|a, b| found[a].0.number.cmp(&found[b].0.number));
        let mut numbers = vec![0; found.len()];
        by_number.iter().enumerate().for_each(|(number, &at)| numbers[at] = number);
        nodes.iter_mut().for_each(|(layer, _): &mut (usize, Vec<Source>)| *layer = numbers[*layer]);
        let layers = by_number.into_iter().map(|at| {
            let layer = found[at].0.layer.clone();
            (layer.name().map(str::to_owned), layer)
        });
        let layers = layers.collect();
        Ok(Draft { name: self.name, inputs, layers, nodes, inference, outputs, chain: false })
    }
}

compiled!(|builder: ModelBuilder<T>| builder.build(0));
