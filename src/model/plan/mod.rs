//! What a model does, step by step: its nodes, after rules have joined neighbours.
//!
//! A rule is a file here. It looks at a node and its neighbours, and moves work from one to the other. The chain of layers
//! without rules is what it must agree with, and its test says how closely.

mod bias_relu;
mod fold_batch_norm;
mod pad_conv;
mod pool_relu_dropout;
mod softmax_crossentropy;
#[cfg(test)]
mod testing;

use super::graph::{Graph, Source};
use super::model::Built;
use crate::nn::{Activation, MultiLayer, Rectifier};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use fold_batch_norm::Fold;
use pad_conv::Others;
use std::sync::{Arc, Mutex, PoisonError};

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
    Rectified(Rectifier),
    /// Max-pooling, the rectifier that came before it, and the dropout of a node behind it.
    Survivors { dropout: Option<usize> },
    /// That of a layer with several outputs: [`MultiLayer::forward_all`](crate::MultiLayer::forward_all).
    Several,
    /// None: a node before it has done it.
    Done,
}

/// The steps of a model, made once.
pub(super) struct Plan<T: Scalar> {
    /// By node.
    pub steps: Vec<Step>,
    /// For each output what is not applied to it, but left to those who asked for that: `Linear` where it is complete.
    pub open: Vec<Activation>,
    /// Layers that are one in inference.
    folds: Vec<Fold>,
    /// Layers that do more than the model's own.
    others: Others<T>,
    /// How often each value is needed, by place.
    pub uses: Vec<usize>,
    /// What was folded last.
    folded: Mutex<Option<Arc<Folded<T>>>>,
}

/// Weights that layers run with in inference, where they are not their own.
#[derive(Debug)]
pub(super) struct Folded<T: Scalar> {
    /// The weights that they were made of.
    own: Vec<Tensor<T>>,
    /// The number of a layer, and its weights.
    pub weights: Vec<(usize, Vec<Tensor<T>>)>,
}

impl<T: Scalar> Clone for Plan<T> {
    fn clone(&self) -> Self {
        let Plan { steps, open, folds, others, uses, .. } = self;
        Plan {
            steps: steps.clone(),
            open: open.clone(),
            folds: folds.clone(),
            others: others.clone(),
            uses: uses.clone(),
            folded: Mutex::default(),
        }
    }
}

impl<T: Scalar> Plan<T> {
    /// The steps to complete outputs, in inference.
    pub(in crate::model) fn infer(graph: &Graph, layers: &[Built<T>]) -> Plan<T> {
        Plan::infer_open(graph, layers, |_| false)
    }

    /// The same to outputs of which some (`open` says which) may be left before a softmax or a sigmoid.
    pub(in crate::model) fn infer_open(
        graph: &Graph,
        layers: &[Built<T>],
        open: impl Fn(usize) -> bool,
    ) -> Plan<T> {
        Plan::made(graph, layers, open, true)
    }

    /// The steps of training, or of any run that is told how.
    pub(in crate::model) fn open(
        graph: &Graph,
        layers: &[Built<T>],
        open: impl Fn(usize) -> bool,
    ) -> Plan<T> {
        Plan::made(graph, layers, open, false)
    }

    fn made(
        graph: &Graph,
        layers: &[Built<T>],
        open: impl Fn(usize) -> bool,
        inference: bool,
    ) -> Plan<T> {
        let mut draft = Drafted::new(graph, layers);
        let open = (0..graph.outputs.len())
            .map(|output| match open(output) {
                true => softmax_crossentropy::open(&mut draft, graph.outputs[output]),
                false => Activation::Linear,
            })
            .collect();
        let folds = if inference { fold_batch_norm::join(&mut draft) } else { Vec::new() };
        let others = pad_conv::join(&mut draft);
        bias_relu::join(&mut draft);
        pool_relu_dropout::join(&mut draft);
        let Drafted { steps, uses, .. } = draft;
        Plan { steps, open, folds, others, uses, folded: Mutex::default() }
    }

    /// The layer that works at a node, if it is not the model's own.
    pub(super) fn other(&self, at: usize) -> Option<&dyn MultiLayer<T>> {
        let place = self.others.binary_search_by_key(&at, |(node, _)| *node).ok()?;
        Some(&*self.others[place].1)
    }

    /// What layers run with in inference, where those are not their own weights, `values`: `None` if there is no such layer. It is
    /// kept until one of the weights is another tensor.
    pub(in crate::model) fn folded(
        &self,
        layers: &[Built<T>],
        values: &dyn Fn(usize) -> Vec<Tensor<T>>,
    ) -> Option<Arc<Folded<T>>> {
        if self.folds.is_empty() {
            return None;
        }
        let mut own = Vec::new();
        for fold in &self.folds {
            for layer in fold.layers() {
                own.extend(values(layer));
            }
        }
        let kept = || self.folded.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &Arc<Folded<T>>| {
            known.own.iter().zip(&own).all(|(known, own)| known.is_same(own))
        };
        let known = kept().clone().filter(same);
        if known.is_some() {
            return known;
        }
        // Computed without the lock: a thread that waits for a part of it may take over work that asks for the lock as well.
        let weights = self.folds.iter().map(|fold| fold.weights(layers, values)).collect();
        let folded = Some(Arc::new(Folded { own, weights }));
        kept().clone_from(&folded);
        folded
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
            if node.outputs.len() > 1 {
                return Step { work: Work::Several, activation: Activation::Linear };
            }
            let activation = layers[node.layer].layer.activation(&inputs);
            Step { work: Work::Layer, activation }
        });
        Drafted { graph, layers, steps: steps.collect(), uses: graph.uses() }
    }

    /// The node that computes what node `at` takes, if it takes one value: nodes before it whose work is done elsewhere are passed
    /// over. `None` where somebody else sees that value on its way.
    fn source(&self, at: usize) -> Option<usize> {
        let mut at = at;
        loop {
            match self.graph.nodes[at].inputs[..] {
                [Source::Node { node, .. }] if self.is_private(node) => at = node,
                _ => return None,
            }
            if self.steps[at].work != Work::Done {
                return Some(at);
            }
        }
    }

    /// Whether nobody sees what this node gives but one other node, or the caller: it is one value with one use, and no penalty
    /// on it.
    fn is_private(&self, at: usize) -> bool {
        let node = &self.graph.nodes[at];
        let layer = &self.layers[node.layer].layer;
        self.uses[node.place] == 1
            && node.outputs.len() == 1
            && layer.activity_regularizer().is_none()
    }
}
