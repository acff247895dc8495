//! What a graph computes from inputs, for any number of samples.

use super::fitting;
use super::forward::{Run, inference_shard, together};
use super::graph::Graph;
use super::model::Built;
use super::plan::Plan;
use crate::error::{Error, Result};
use crate::par;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// The only output of a graph with one input, for any number of samples, in row-major order.
pub(super) fn predict<T: Scalar>(
    graph: &Graph,
    layers: &[Built<T>],
    plan: &Plan<T>,
    x: &Tensor<T>,
) -> Result<Tensor<T>> {
    if graph.inputs.len() != 1 || graph.outputs.len() != 1 {
        return Err(Error::Config(format!(
            "predict is for models with one input and one output, and this one has {} and {}; use predict_all",
            graph.inputs.len(),
            graph.outputs.len()
        ).into()));
    }
    Ok(predict_all(graph, layers, plan, &[x])?.pop().expect("one output"))
}

/// The outputs of a graph, for any number of samples, in row-major order.
pub(super) fn predict_all<T: Scalar>(
    graph: &Graph,
    layers: &[Built<T>],
    plan: &Plan<T>,
    inputs: &[&Tensor<T>],
) -> Result<Vec<Tensor<T>>> {
    fitting::check_all_inputs(graph, layers, inputs)?;
    let n = inputs[0].shape()[0];
    let size = together(graph, layers, n, inference_shard(graph), false);
    let folded = plan.folded(layers, &|layer| layers[layer].values());
    let parts = par::map_shards(n, size, |shard| {
        let inputs = inputs.iter().map(|x| x.slice(0, shard.clone())).collect();
        Run::infer(graph, layers, plan, folded.as_deref()).outputs(inputs)
    });
    let output = |at: usize| match &parts[..] {
        [] => Tensor::zeros(graph.shape(graph.outputs[at]).batch(0)).row_major(),
        [part] => part[at].row_major(),
        parts => Tensor::concat(&parts.iter().map(|part| part[at].clone()).collect::<Vec<_>>()),
    };
    Ok((0..graph.outputs.len()).map(output).collect())
}
