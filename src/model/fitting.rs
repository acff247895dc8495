//! Whether batches fit a model.

use super::graph::{Graph, Source};
use super::model::Built;
use crate::error::{Error, Result};
use crate::par;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// Whether batches fit a model's inputs, and each other.
pub(super) fn check_all_inputs<T: Scalar>(
    graph: &Graph,
    layers: &[Built<T>],
    inputs: &[&Tensor<T>],
) -> Result<()> {
    if inputs.len() != graph.inputs.len() {
        return Err(Error::Data(
            format!("the model has {} inputs, and {} were given", graph.inputs.len(), inputs.len())
                .into(),
        ));
    }
    for (entrance, x) in graph.inputs.iter().zip(inputs) {
        check_inputs(entrance.shape, x).map_err(|error| match error {
            Error::Data(reason) if inputs.len() > 1 => {
                Error::Data(format!("input {}: {reason}", entrance.name).into())
            }
            error => error,
        })?;
        let (first, n) = (inputs[0].shape()[0], x.shape()[0]);
        if n != first {
            return Err(Error::Data(
                format!(
                    "input {} has {first} samples, and input {} has {n}; all inputs have as many",
                    graph.inputs[0].name, entrance.name
                )
                .into(),
            ));
        }
    }
    for node in &graph.nodes {
        let Built { name, layer, .. } = &layers[node.layer];
        for source in &node.inputs {
            let Source::Input(input) = *source else { continue };
            layer.check_input(inputs[input]).map_err(|reason| {
                let class = layer.class_name();
                Error::Data(format!("the input of layer {name} ({class}): {reason}").into())
            })?;
        }
    }
    Ok(())
}

/// Whether a batch fits a model's input.
pub(super) fn check_inputs<T: Scalar>(input: Shape, x: &Tensor<T>) -> Result<()> {
    let shape = x.shape();
    if shape.rank() != input.rank() + 1 || shape.sample() != input {
        let wanted = input.iter().map(|dim| format!(", {dim}")).collect::<String>();
        let hint = if shape == input { "; a single sample needs a first axis of 1" } else { "" };
        return Err(Error::Data(
            format!("the model takes inputs [n{wanted}], and these have the shape {shape}{hint}")
                .into(),
        ));
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
    Err(Error::Data(
        format!("the {what} of sample {sample} has the value {value}; all values must be finite")
            .into(),
    ))
}
