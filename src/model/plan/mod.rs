//! What a model does, step by step: its nodes, after rules have joined neighbours.
//!
//! A rule is a file here. It looks at a node and its neighbours, and moves work from one to the other. The chain of layers
//! without rules is what it must agree with, and its test says how closely.

mod bias_relu;
mod pool_relu_dropout;
mod softmax_crossentropy;
#[cfg(test)]
mod testing;

use super::graph::{Graph, Source};
use super::model::Built;
use crate::nn::Activation;
use crate::scalar::Scalar;

/// What is done at a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Step {
    pub work: Work,
    /// What is applied to what that gives.
    pub activation: Activation,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Work {
    /// That of the layer: [`Layer::pre_activation`](crate::Layer::pre_activation).
    Layer,
    /// The same, rectified: [`Layer::rectified`](crate::Layer::rectified).
    Rectified,
    /// Max-pooling, the rectifier that came before it, and the dropout of a node behind it.
    Survivors { dropout: Option<usize> },
    /// None: a node before it has done it.
    Done,
}

/// The steps of a model, made once.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// By node.
    pub steps: Vec<Step>,
    /// For each output what is not applied to it, but left to those who asked for that: `Linear` where it is complete.
    pub open: Vec<Activation>,
    /// How often each value is needed, by place.
    pub uses: Vec<usize>,
}

impl Plan {
    /// The steps to complete outputs.
    pub(in crate::model) fn new<T: Scalar>(graph: &Graph, layers: &[Built<T>]) -> Plan {
        Plan::open(graph, layers, |_| false)
    }

    /// The steps to outputs of which some (`open` says which) may be left before a softmax or a sigmoid.
    pub(in crate::model) fn open<T: Scalar>(
        graph: &Graph,
        layers: &[Built<T>],
        open: impl Fn(usize) -> bool,
    ) -> Plan {
        let mut draft = Drafted::new(graph, layers);
        let open = (0..graph.outputs.len())
            .map(|output| match open(output) {
                true => softmax_crossentropy::open(&mut draft, graph.outputs[output]),
                false => Activation::Linear,
            })
            .collect();
        bias_relu::join(&mut draft);
        pool_relu_dropout::join(&mut draft);
        Plan { steps: draft.steps, open, uses: draft.uses }
    }
}

/// A plan while rules work on it.
struct Drafted<'m, T: Scalar> {
    graph: &'m Graph,
    layers: &'m [Built<T>],
    steps: Vec<Step>,
    uses: Vec<usize>,
}

impl<'m, T: Scalar> Drafted<'m, T> {
    /// Without rules: each layer does its work, and its activation follows.
    fn new(graph: &'m Graph, layers: &'m [Built<T>]) -> Self {
        let steps = graph.nodes.iter().map(|node| {
            let inputs: Vec<_> = node.inputs.iter().map(|&source| graph.shape(source)).collect();
            let activation = layers[node.layer].layer.activation(&inputs);
            Step { work: Work::Layer, activation }
        });
        Drafted { graph, layers, steps: steps.collect(), uses: graph.uses() }
    }

    /// Whether nobody sees what this node gives but one other node, or the caller: it has one use, and no penalty on it.
    fn is_private(&self, node: usize) -> bool {
        let layer = &self.layers[self.graph.nodes[node].layer].layer;
        self.uses[self.graph.place(Source::Node(node))] == 1
            && layer.activity_regularizer().is_none()
    }
}
