//! Running the layers, on shards of a batch.

use super::sequential::Built;
use crate::autograd::Var;
use crate::error::{Error, Result};
use crate::kernels::par;
use crate::nn::{Context, Mode};
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::Loss;
use std::ops::Range;

/// Samples that run together on one thread, with a tape of their own: enough for the kernels to be
/// busy, few enough for the cache. It must not depend on the number of threads.
pub(super) const SHARD: usize = 32;

/// How many of `n` samples run together: `size`, or all of them if a layer couples samples. What such a layer gives for a
/// sample depends on the others, so that it must see them all, in training and in inference.
pub(super) fn together<T: Scalar>(layers: &[Built<T>], n: usize, size: usize) -> usize {
    let coupled = layers.iter().any(|layer| layer.layer.couples_samples());
    if coupled { n.max(1) } else { size }
}

/// Calls `f` for shards of `0..n`, in parallel, and collects in order. A shard that is alone leaves the
/// threads to its kernels.
pub(super) fn map_shards<R: Send>(
    n: usize,
    size: usize,
    f: impl Fn(Range<usize>) -> R + Sync,
) -> Vec<R> {
    // Rows of nothing, which take no memory.
    map_shards_into(n, size, &mut vec![(); n.div_ceil(size)], 1, |shard, _| f(shard))
}

/// [`map_shards`], where each shard also writes a row of `rows` of its own.
pub(super) fn map_shards_into<T: Send, R: Send>(
    n: usize,
    size: usize,
    rows: &mut [T],
    row_len: usize,
    f: impl Fn(Range<usize>, &mut [T]) -> R + Sync,
) -> Vec<R> {
    let shard = |i: usize| i * size..((i + 1) * size).min(n);
    match n.div_ceil(size) {
        1 => vec![f(shard(0), rows)],
        _ => par::map_parts(rows, row_len, usize::MAX, |i, row| par::serially(|| f(shard(i), row))),
    }
}

/// New values of untrained weights: layer, weight, value.
pub(super) type Updates<T> = Vec<(usize, usize, Tensor<T>)>;

/// A run of layers over one shard.
pub(super) struct Run<'m, 't, T: Scalar> {
    pub layers: &'m [Built<T>],
    /// The weights of each layer as variables.
    pub weights: Vec<Vec<Var<'t, T>>>,
    pub mode: Mode,
    pub updates: Updates<T>,
}

impl<'m, 't, T: Scalar> Run<'m, 't, T> {
    /// A run for inference: all weights are constants.
    pub fn infer(layers: &'m [Built<T>]) -> Self {
        let constants = |layer: &Built<T>| {
            layer.params.iter().map(|param| Var::constant(param.value.clone())).collect()
        };
        let weights = layers.iter().map(constants).collect();
        Run { layers, weights, mode: Mode::Infer, updates: Vec::new() }
    }

    /// The last layer's output.
    pub fn output(&mut self, x: Tensor<T>) -> Var<'t, T> {
        (0..self.layers.len()).fold(Var::constant(x), |x, at| self.layer(at, &x))
    }

    /// The loss of every sample, and the predictions. If the last layer ends in a softmax or a sigmoid and the loss
    /// can do without, it gets what went into that.
    pub fn loss(
        &mut self,
        x: Tensor<T>,
        targets: &Tensor<T>,
        loss: &dyn Loss<T>,
    ) -> (Var<'t, T>, Tensor<T>) {
        let last = self.layers.len() - 1;
        let x = (0..last).fold(Var::constant(x), |x, at| self.layer(at, &x));
        let logits =
            self.in_context(last, |layer, weights, cx| layer.layer.logits(weights, &x, cx));
        let fused = logits.as_ref().and_then(|(activation, logits)| {
            loss.per_sample_from_logits(targets, logits, *activation)
        });
        let (losses, predictions) = match (logits, fused) {
            (Some((activation, logits)), Some(losses)) => {
                (losses, activation.of(&Var::constant(logits.into_value())).into_value())
            }
            (logits, _) => {
                let predictions = match logits {
                    Some((activation, logits)) => activation.of(&logits),
                    None => self.layer(last, &x),
                };
                (loss.per_sample(targets, &predictions), predictions.into_value())
            }
        };
        let samples = targets.shape()[0];
        assert_eq!(
            losses.shape(),
            [samples],
            "loss {}: per_sample gave {} for {samples} samples, and one value for each is needed",
            loss.name(),
            losses.shape()
        );
        (losses, predictions)
    }

    fn layer(&mut self, at: usize, x: &Var<'t, T>) -> Var<'t, T> {
        let y = self.in_context(at, |layer, weights, cx| layer.layer.forward(weights, x, cx));
        let built = &self.layers[at];
        let promised = built.output.batch(x.shape()[0]);
        assert_eq!(
            y.shape(),
            promised,
            "layer {} ({}): forward gave {}, and output_shape promised {promised}",
            built.name,
            built.layer.class_name(),
            y.shape()
        );
        y
    }

    fn in_context<R>(
        &mut self,
        at: usize,
        f: impl FnOnce(&Built<T>, &[Var<'t, T>], &mut Context<T>) -> R,
    ) -> R {
        let mode = match self.mode {
            Mode::Train { seed, step, first_sample, .. } => {
                Mode::Train { seed, step, first_sample, layer: at as u32 }
            }
            Mode::Infer => Mode::Infer,
        };
        let mut cx = Context::new(mode);
        let result = f(&self.layers[at], &self.weights[at], &mut cx);
        self.updates
            .extend(cx.into_updates().into_iter().map(|(weight, value)| (at, weight, value)));
        result
    }
}

/// The output of layers for any number of samples, in row-major order.
pub(super) fn predict<T: Scalar>(
    input: Shape,
    layers: &[Built<T>],
    x: &Tensor<T>,
) -> Result<Tensor<T>> {
    check_inputs(input, x)?;
    let output = layers.last().map_or(input, |layer| layer.output);
    let n = x.shape()[0];
    let size = together(layers, n, SHARD);
    let parts =
        map_shards(n, size, |shard| Run::infer(layers).output(x.slice(0, shard)).into_value());
    Ok(match parts.len() {
        0 => Tensor::zeros(output.batch(0)).row_major(),
        1 => parts[0].row_major(),
        _ => Tensor::concat(&parts),
    })
}

/// Whether a batch fits a model's input.
pub(super) fn check_inputs<T: Scalar>(input: Shape, x: &Tensor<T>) -> Result<()> {
    let shape = x.shape();
    if shape.rank() != input.rank() + 1 || shape.sample() != input {
        let wanted = input.iter().map(|dim| format!(", {dim}")).collect::<String>();
        let hint = if shape == input { "; a single sample needs a first axis of 1" } else { "" };
        return Err(Error::Data(format!(
            "the model takes inputs [n{wanted}], and these have the shape {shape}{hint}"
        )));
    }
    check_finite("input", x)
}

/// Whether all values are finite; names the first sample with one that is not.
pub(super) fn check_finite<T: Scalar>(what: &str, x: &Tensor<T>) -> Result<()> {
    // Some samples at a time: a large data set is worth several threads.
    const SAMPLES: usize = 1024;
    let n = x.shape()[0];
    let part = |i: usize| x.slice(0, i * SAMPLES..((i + 1) * SAMPLES).min(n)).is_finite();
    if par::map(n.div_ceil(SAMPLES), x.len(), part).into_iter().all(|finite| finite) {
        return Ok(());
    }
    let sample = (0..x.shape()[0]).find(|&i| !x.slice(0, i..i + 1).is_finite()).unwrap_or_default();
    let value = x.slice(0, sample..sample + 1).iter().find(|x| !x.is_finite()).unwrap_or(T::nan());
    Err(Error::Data(format!(
        "the {what} of sample {sample} has the value {value}; all values must be finite"
    )))
}
