//! Running the layers, on shards of a batch.

use super::graph::{Graph, Source};
use super::model::Built;
use super::plan::{Folded, Plan, Step, Work};
use crate::autograd::Var;
use crate::datasets::Dataset;
use crate::nn::layers::{Dropout, MaxPooling2d};
use crate::nn::{Activation, Context, Layer, Mode, MultiLayer, known};
use crate::par::SHARD;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::train::{Goals, Loss};

/// Samples that run together where nothing is remembered for a backward pass: fewer of large images, so that what one layer
/// gives is still in the cache when the next one takes it.
pub(super) fn inference_shard(graph: &Graph) -> usize {
    const VALUES: usize = 1 << 19;
    let largest = graph.nodes.iter().flat_map(|node| &node.outputs).map(|it| it.count()).max();
    (VALUES / largest.unwrap_or(1).max(1)).clamp(1, SHARD)
}

/// How many of `n` samples run together: `size`, or all of them if a layer couples samples. What such a layer gives for a
/// sample depends on the others, so that it must see them all, in training and in inference.
pub(super) fn together<T: Scalar>(
    graph: &Graph,
    layers: &[Built<T>],
    n: usize,
    size: usize,
    training: bool,
) -> usize {
    if coupled(graph, layers, training) { n.max(1) } else { size }
}

/// Whether one of the layers couples samples. What is frozen runs as in inference.
pub(super) fn coupled<T: Scalar>(graph: &Graph, layers: &[Built<T>], training: bool) -> bool {
    graph.nodes.iter().any(|node| {
        let Built { layer, trainable, .. } = &layers[node.layer];
        match training && *trainable && !node.inference {
            true => layer.couples_samples_in_training(),
            false => layer.couples_samples(),
        }
    })
}

/// [`together`] for losses: where an output has a mask, the loss is a mean over all steps of the batch that count.
pub(super) fn together_for_losses<T: Scalar>(
    graph: &Graph,
    layers: &[Built<T>],
    n: usize,
    size: usize,
    training: bool,
) -> usize {
    if graph.masked { n.max(1) } else { together(graph, layers, n, size, training) }
}

/// New values of untrained weights: layer, weight, value.
pub(super) type Updates<T> = Vec<(usize, usize, Tensor<T>)>;

/// What a model inside of another gives.
pub(super) struct Inside<'t, T: Scalar> {
    pub outputs: Vec<Var<'t, T>>,
    pub updates: Updates<T>,
    /// The penalties on what its layers give, each summed over the shard.
    pub activity: Vec<Var<'t, T>>,
}

/// A run of a graph over one shard.
pub(super) struct Run<'m, 't, T: Scalar> {
    graph: &'m Graph,
    layers: &'m [Built<T>],
    plan: &'m Plan<T>,
    /// The weights of each layer as variables.
    pub weights: Vec<Vec<Var<'t, T>>>,
    mode: Mode,
    /// Whether the weights are trained, as far as the graph as a whole is concerned.
    trainable: bool,
    pub updates: Updates<T>,
    /// The penalties on what layers give, each summed over the shard.
    pub activity: Vec<Var<'t, T>>,
    /// What was computed and is still needed, by place in the graph.
    values: Vec<Option<Var<'t, T>>>,
    /// The masks of values that have one, by place as well.
    masks: Vec<Option<Tensor<T>>>,
    /// How often each value is still needed.
    uses: Vec<usize>,
}

impl<'m, 't, T: Scalar> Run<'m, 't, T> {
    pub(super) fn new(
        graph: &'m Graph,
        layers: &'m [Built<T>],
        plan: &'m Plan<T>,
        weights: Vec<Vec<Var<'t, T>>>,
        mode: Mode,
        trainable: bool,
    ) -> Self {
        let uses = plan.uses.clone();
        let values = uses.iter().map(|_| None).collect();
        let (updates, activity, masks) = (Vec::new(), Vec::new(), vec![None; uses.len()]);
        Run {
            graph,
            layers,
            plan,
            weights,
            mode,
            trainable,
            updates,
            activity,
            values,
            masks,
            uses,
        }
    }

    /// A run for inference: all weights are constants, and some layers have [others](Plan::folded) than their own.
    pub(super) fn infer(
        graph: &'m Graph,
        layers: &'m [Built<T>],
        plan: &'m Plan<T>,
        folded: Option<&Folded<T>>,
    ) -> Self {
        let constants = |layer: &Built<T>| layer.values().into_iter().map(Var::constant).collect();
        let mut weights: Vec<Vec<Var<'t, T>>> = layers.iter().map(constants).collect();
        for (layer, values) in folded.map_or(&[][..], |folded| &folded.weights) {
            weights[*layer] = values.iter().cloned().map(Var::constant).collect();
        }
        Run::new(graph, layers, plan, weights, Mode::Infer, true)
    }

    /// The outputs.
    pub(super) fn outputs(mut self, inputs: Vec<Tensor<T>>) -> Vec<Tensor<T>> {
        self.enter(inputs.into_iter().map(Var::constant));
        self.vars().into_iter().map(Var::into_value).collect()
    }

    /// What it gives for inputs that are part of a larger model.
    pub(super) fn inside(
        mut self,
        inputs: impl Iterator<Item = Var<'t, T>>,
        masks: impl Iterator<Item = Option<Tensor<T>>>,
    ) -> Inside<'t, T> {
        self.enter(inputs);
        self.masks.iter_mut().zip(masks).for_each(|(known, mask)| *known = mask);
        Inside { outputs: self.vars(), updates: self.updates, activity: self.activity }
    }

    fn vars(&mut self) -> Vec<Var<'t, T>> {
        (0..self.graph.nodes.len()).for_each(|node| self.node(node));
        let graph = self.graph;
        graph.outputs.iter().map(|&output| self.take(output)).collect()
    }

    /// For each output the loss of every sample, if it has one, and the predictions.
    pub(super) fn losses(
        &mut self,
        data: &Dataset<T>,
        goals: &Goals<'_, T>,
    ) -> (Vec<Option<Var<'t, T>>>, Vec<Tensor<T>>) {
        self.enter(data.all_inputs().cloned().map(Var::constant));
        let graph = self.graph;
        (0..graph.nodes.len()).for_each(|node| self.node(node));
        let (mut losses, mut predictions) = (Vec::new(), Vec::new());
        let outputs = graph.outputs.iter().zip(&self.plan.open);
        for (((&output, &open), goal), targets) in
            outputs.zip(&goals.losses).zip(data.all_targets())
        {
            // It may be an output twice.
            let mask = self.masks[graph.place(output)].clone();
            let value = self.take(output);
            let (loss, prediction) = match goal {
                Some(goal) => {
                    let (loss, prediction) = self::loss(value, open, targets, mask, goal.loss);
                    (Some(loss), prediction)
                }
                None => (None, value.into_value()),
            };
            losses.push(loss);
            predictions.push(prediction);
        }
        (losses, predictions)
    }

    fn enter(&mut self, inputs: impl Iterator<Item = Var<'t, T>>) {
        for (place, input) in inputs.enumerate() {
            self.values[place] = Some(input);
        }
    }

    /// A value for one of those who need it. The last one gets it for itself, so that its memory is free afterwards.
    fn take(&mut self, source: Source) -> Var<'t, T> {
        let place = self.graph.place(source);
        self.uses[place] -= 1;
        let value = &mut self.values[place];
        let value = if self.uses[place] == 0 { value.take() } else { value.clone() };
        value.expect("nodes come after those that they need")
    }

    /// Runs a node, and keeps what it gives.
    fn node(&mut self, at: usize) {
        let graph = self.graph;
        let node = &graph.nodes[at];
        let inputs: Vec<Var<'t, T>> = node.inputs.iter().map(|&source| self.take(source)).collect();
        let samples = inputs[0].shape()[0];
        let Step { work, activation } = self.plan.steps[at];
        let y = match work {
            Work::Layer => self.pre_activation(at, &inputs),
            Work::Rectified(rectifier) if self.is_penalised_inside(at) => {
                self.pre_activation(at, &inputs).rectifier(rectifier)
            }
            Work::Rectified(rectifier) => {
                self.in_context(at, &inputs, |layer, weights, inputs, cx| {
                    layer.rectified(weights, inputs, cx, rectifier)
                })
            }
            Work::Survivors { dropout } => self.survivors(at, dropout, &inputs[0]),
            Work::Several => return self.several(at, &inputs),
            Work::Done => inputs[0].clone(),
        };
        // What is passed on is not the output that the layer promised.
        if work != Work::Done {
            self.check(at, &y, samples, 0);
        }
        let y = match activation {
            Activation::Linear => y,
            activation => activation.of(&y),
        };
        self.penalise(at, &y);
        if self.uses[node.place] > 0 {
            self.masks[node.place] = self.mask(at, &inputs);
            self.values[node.place] = Some(y);
        }
    }

    /// What a node with one output gives before its activation.
    fn pre_activation(&mut self, at: usize, inputs: &[Var<'t, T>]) -> Var<'t, T> {
        if self.is_penalised_inside(at) {
            return self.nested(at, inputs).swap_remove(0);
        }
        self.in_context(at, inputs, |layer, weights, inputs, cx| {
            layer.pre_activation(weights, inputs, cx)
        })
    }

    /// Whether layers inside of a node have penalties.
    fn is_penalised_inside(&self, at: usize) -> bool {
        self.layers[self.graph.nodes[at].layer].layer.is_penalised_inside()
    }

    /// Runs a layer that is made of others, whose penalties count here.
    fn nested(&mut self, at: usize, inputs: &[Var<'t, T>]) -> Vec<Var<'t, T>> {
        let (outputs, penalties) = self.in_context(at, inputs, |layer, weights, inputs, cx| {
            layer.with_penalties(weights, inputs, cx)
        });
        self.activity.extend(penalties);
        outputs
    }

    /// Runs a node with several outputs, and keeps those that somebody needs.
    fn several(&mut self, at: usize, inputs: &[Var<'t, T>]) {
        let node = &self.graph.nodes[at];
        let outputs = match self.is_penalised_inside(at) {
            true => self.nested(at, inputs),
            false => self.in_context(at, inputs, |layer, weights, inputs, cx| {
                layer.forward_all(weights, inputs, cx)
            }),
        };
        let built = &self.layers[node.layer];
        assert!(
            outputs.len() == node.outputs.len(),
            "layer {} ({}): forward_all gave {} outputs, and output_shapes promised {}",
            built.name,
            built.layer.class_name(),
            outputs.len(),
            node.outputs.len()
        );
        let values: Vec<&Tensor<T>> = inputs.iter().map(Var::value).collect();
        let mask = |source: &Source| self.masks[self.graph.place(*source)].as_ref();
        let before: Vec<Option<&Tensor<T>>> = node.inputs.iter().map(mask).collect();
        let masks = node.one_each(built.layer.masks(&values, &before));
        for (output, (y, mask)) in outputs.into_iter().zip(masks).enumerate() {
            self.check(at, &y, inputs[0].shape()[0], output);
            self.penalise(at, &y);
            let place = node.place + output;
            if self.uses[place] > 0 {
                (self.masks[place], self.values[place]) = (mask, Some(y));
            }
        }
    }

    /// Holds a layer to the shape that it promised.
    fn check(&self, at: usize, y: &Var<'t, T>, samples: usize, output: usize) {
        let node = &self.graph.nodes[at];
        let (built, promised) = (&self.layers[node.layer], node.outputs[output].batch(samples));
        assert_eq!(
            y.shape(),
            promised,
            "layer {} ({}): forward gave {}, and output_shape promised {promised}",
            built.name,
            built.layer.class_name(),
            y.shape()
        );
    }

    /// Counts a layer's penalty on what it gives.
    fn penalise(&mut self, at: usize, y: &Var<'t, T>) {
        let layer = &self.layers[self.graph.nodes[at].layer].layer;
        if let Some(regularizer) = layer.activity_regularizer() {
            self.activity.push(regularizer.penalty_of(y));
        }
    }

    /// The sum of all such penalties.
    pub(super) fn activity(&self) -> f64 {
        self.activity.iter().map(|penalty| penalty.value().item().widen()).sum()
    }

    /// The mask of what a node gives for these inputs.
    fn mask(&self, at: usize, inputs: &[Var<'t, T>]) -> Option<Tensor<T>> {
        let node = &self.graph.nodes[at];
        let layer = &self.layers[node.layer].layer;
        let mask = |source: &Source| self.masks[self.graph.place(*source)].as_ref();
        // Most layers have one input, for which no list is made.
        if let ([source], [input]) = (&node.inputs[..], inputs) {
            return layer.mask(&[input.value()], &[mask(source)]);
        }
        let inputs: Vec<&Tensor<T>> = inputs.iter().map(Var::value).collect();
        layer.mask(&inputs, &node.inputs.iter().map(mask).collect::<Vec<_>>())
    }

    /// Max-pooling, rectified, and the dropout of another node.
    fn survivors(&self, at: usize, dropout: Option<usize>, x: &Var<'t, T>) -> Var<'t, T> {
        let layer = |node: usize| &*self.layers[self.graph.nodes[node].layer].layer;
        let dropout = dropout.and_then(|node| {
            let cx: Context<T> = Context::new(self.mode_of(node));
            known::<T, Dropout>(layer(node)).expect("the rule has found it").arguments(&cx)
        });
        let pooling = known::<T, MaxPooling2d>(layer(at)).expect("the rule has found it");
        let dropout = dropout.as_ref().map(|(rate, stream, first)| (*rate, stream, *first));
        Layer::<T>::data_format(pooling).around(x, |x| pooling.survivors(x, dropout))
    }

    /// Why a node runs, with a random stream of its own.
    fn mode_of(&self, at: usize) -> Mode {
        match self.mode {
            Mode::Train { seed, step, first_sample, .. } if !self.graph.nodes[at].inference => {
                Mode::Train { seed, step, first_sample, layer: at as u32 }
            }
            _ => Mode::Infer,
        }
    }

    fn in_context<R>(
        &mut self,
        at: usize,
        inputs: &[Var<'t, T>],
        f: impl FnOnce(&dyn MultiLayer<T>, &[Var<'t, T>], &[&Var<'t, T>], &mut Context<T>) -> R,
    ) -> R {
        let layer = self.graph.nodes[at].layer;
        let inputs: Vec<&Var<'t, T>> = inputs.iter().collect();
        let trainable = self.trainable && self.layers[layer].trainable;
        let first = self.graph.nodes[at].inputs[0];
        let mask = self.masks[self.graph.place(first)].clone();
        let others = self.graph.nodes[at].inputs[1..].iter();
        let others = others.map(|&source| self.masks[self.graph.place(source)].clone()).collect();
        let cx = Context::new(self.mode_of(at)).with_trainable(trainable).with_mask(mask);
        let mut cx = cx.with_other_masks(others);
        let working = self.plan.other(at).unwrap_or(&*self.layers[layer].layer);
        let result = f(working, &self.weights[layer], &inputs, &mut cx);
        for (weight, value) in cx.into_updates() {
            // A layer that works in several places goes on from there.
            if let Some(known) = self.weights[layer].get_mut(weight) {
                *known = Var::constant(value.clone());
            }
            self.updates.push((layer, weight, value));
        }
        result
    }
}

/// The loss of every sample, and the predictions, of one output whose activation `open` is not applied yet.
fn loss<'t, T: Scalar>(
    value: Var<'t, T>,
    open: Activation,
    targets: &Tensor<T>,
    mask: Option<Tensor<T>>,
    loss: &dyn Loss<T>,
) -> (Var<'t, T>, Tensor<T>) {
    let steps = mask.map(|mask| Steps { mask });
    let rows = |x: &Var<'t, T>| steps.as_ref().map_or_else(|| x.clone(), |steps| steps.rows(x));
    let samples = targets.shape()[0];
    let targets = &rows(&Var::constant(targets.clone())).into_value();
    let fused = match open {
        Activation::Linear => None,
        open => loss.per_sample_from_logits(targets, &rows(&value), open),
    };
    let (losses, predictions) = match fused {
        Some(losses) => (losses, open.of(&Var::constant(value.into_value())).into_value()),
        None => {
            let predictions = open.of(&value);
            (loss.per_sample(targets, &rows(&predictions)), predictions.into_value())
        }
    };
    let count = targets.shape()[0];
    assert_eq!(
        losses.shape(),
        [count],
        "loss {}: per_sample gave {} for {count} samples, and one value for each is needed",
        loss.name(),
        losses.shape()
    );
    let losses = match &steps {
        Some(steps) => steps.mean(&losses, samples),
        None => losses,
    };
    (losses, predictions)
}

/// The steps of an output with a mask, each of which has a loss of its own.
struct Steps<T: Scalar> {
    mask: Tensor<T>,
}

impl<T: Scalar> Steps<T> {
    /// `[n, steps, ..]` as rows `[n steps, ..]`.
    fn rows<'t>(&self, x: &Var<'t, T>) -> Var<'t, T> {
        let shape = x.shape();
        let rows = [&[self.mask.len()], &shape[self.mask.rank()..]].concat();
        x.reshape(&rows[..])
    }

    /// A value for each sample, from those of all steps: the mean of these is the mean over all steps that count.
    fn mean<'t>(&self, losses: &Var<'t, T>, samples: usize) -> Var<'t, T> {
        let each = self.mask.len() / samples.max(1);
        let counting = self.mask.iter().map(Scalar::widen).sum::<f64>().max(1.0);
        let share = T::lit(samples as f64 / counting);
        let weights = Var::constant(self.mask.map(|counts| counts * share));
        (losses.reshape(self.mask.shape()) * weights).reshape([samples, each]).sum(1)
    }
}
