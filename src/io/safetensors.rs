//! The crate's own model file.
//!
//! A safetensors file is a JSON header and then the raw numbers. The tensors are called
//! `layer/weight`, and what an optimizer keeps for them `optimizer/layer/weight/slot`. Everything else
//! is one JSON text under one key of the header's metadata: a map with several keys would be written in
//! an order that changes from run to run.

use super::widen::Float;
use super::{training_from_json, training_to_json};
use crate::config::{Value, json};
use crate::error::Reason;
use crate::model::{Built, Model, Param, convert_types, from_config, to_config, unsupported};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::train::{Registry, Whole};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

/// The key of the metadata.
const KEY: &str = "cinta";
/// The version of the format. It changes when older versions of the crate could not read the file.
const FORMAT: u64 = 1;

/// The longest description that a file may have: a thousand layers take half a megabyte.
const MAX_DESCRIPTION: usize = 16 << 20;

fn dtype<T: Scalar>() -> Dtype {
    if T::BYTES == 4 { Dtype::F32 } else { Dtype::F64 }
}

/// The names of a layer's tensors: a weight, and what the optimizer keeps for it.
fn weight_name(layer: &str, weight: &str) -> String {
    format!("{layer}/{weight}")
}

fn slot_name(layer: &str, weight: &str, slot: &str) -> String {
    format!("optimizer/{layer}/{weight}/{slot}")
}

/// A model with all that belongs to it.
#[inline(never)]
pub(super) fn to_bytes<T: Scalar>(model: &Model<T>) -> Result<Vec<u8>, Reason> {
    let slots = model.compiled.as_ref().map_or(&[][..], |compiled| compiled.optimizer.slots());
    let description = json!({
        "format": FORMAT,
        "config": to_config(model),
        "training": training_to_json(model.progress),
    });
    serialize(model, slots, Some(description))
}

/// The weights alone.
#[inline(never)]
pub(super) fn weights_to_bytes<T: Scalar>(model: &Model<T>) -> Result<Vec<u8>, Reason> {
    serialize(model, &[], None)
}

/// The weights of a model, with what the optimizer keeps for each in these slots.
fn serialize<T: Scalar>(
    model: &Model<T>,
    slots: &[&str],
    description: Option<Value>,
) -> Result<Vec<u8>, Reason> {
    let mut tensors: Vec<(String, &Tensor<T>)> = Vec::new();
    for (layer, param) in model.named_params() {
        tensors.push((param.weight.path(layer), &param.value));
        // One that the optimizer does not keep of this weight is empty.
        let kept = |(_, value): &(&&str, &Tensor<T>)| !value.is_empty() || param.value.is_empty();
        for (slot, value) in slots.iter().zip(&param.slots).filter(kept) {
            tensors.push((slot_name(layer, &param.weight.name, slot), value));
        }
    }
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, tensor)| {
            let mut bytes = Vec::with_capacity(tensor.len() * T::BYTES);
            tensor.iter().for_each(|value| value.write_le(&mut bytes));
            bytes
        })
        .collect();
    let views: Vec<(&str, TensorView<'_>)> = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, tensor), bytes)| {
            let view = TensorView::new(dtype::<T>(), tensor.shape().to_vec(), bytes);
            Ok((name.as_str(), view.map_err(|error| error.to_string())?))
        })
        .collect::<Result<_, Reason>>()?;
    let metadata =
        description.map(|text| [(KEY.to_owned(), text.to_string())].into_iter().collect());
    safetensors::serialize(views, metadata).map_err(|error| error.to_string().into())
}

fn broken(error: safetensors::SafeTensorError) -> Reason {
    Reason::incomplete("safetensors file", error)
}

/// The weights for a model, by the names of its layers.
#[inline(never)]
pub(super) fn weights_from_bytes<T: Scalar>(
    bytes: &[u8],
    model: &Model<T>,
) -> Result<Vec<Tensor<T>>, Reason> {
    let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
    let names: Vec<String> =
        model.named_params().map(|(layer, param)| param.weight.path(layer)).collect();
    no_others(&tensors, |name| {
        let slot_of = weight_of_slot(name);
        names.iter().any(|known| known == name || Some(known.as_str()) == slot_of)
    })?;
    let read = |((_, param), name): ((&str, &Param<T>), &String)| {
        read_tensor(&tensors, name, &param.weight.shape, false)
    };
    model.named_params().zip(&names).map(read).collect()
}

/// The name of the weight for which an optimizer keeps the tensor of this name. (Or it is a weight of a layer that is called
/// `optimizer`, and what is returned is no weight's name.)
fn weight_of_slot(name: &str) -> Option<&str> {
    let (weight, _) = name.strip_prefix("optimizer/")?.rsplit_once('/')?;
    Some(weight)
}

/// Refuses tensors that are not known.
fn no_others(tensors: &SafeTensors<'_>, known: impl Fn(&str) -> bool) -> Result<(), Reason> {
    let mut names = tensors.names();
    names.sort_unstable();
    match names.into_iter().find(|name| !known(name)) {
        Some(other) => Err(format!("the tensor {other} belongs to no layer of the model").into()),
        None => Ok(()),
    }
}

/// What the file says of its model.
fn description<T: Scalar>(bytes: &[u8], compile: bool, convert: bool) -> Result<Value, Reason> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let text = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY)).ok_or_else(|| {
        format!("the file has no {KEY:?} in its metadata: it holds tensors, but no model of this crate")
    })?;
    if text.len() > MAX_DESCRIPTION {
        return Err(format!(
            "the description of the model has {} bytes; 16 MiB are allowed",
            text.len()
        )
        .into());
    }
    let mut description: Value = crate::config::parse(text).map_err(|reason| {
        reason.inside(|why| format!("the description of the model is damaged: {why}"))
    })?;
    match description.get("format").and_then(Value::as_u64) {
        Some(FORMAT) => {}
        Some(other) => {
            return Err(format!(
                "the file has format {other}, and this version reads format {FORMAT}; a newer version of cinta may read it"
            ).into());
        }
        None => return Err("the description of the model does not say its format".into()),
    }
    if !compile && let Some(Value::Object(config)) = description.get_mut("config") {
        config.remove("compile_config");
    }
    if convert {
        convert_types::<T>(&mut description);
    }
    Ok(description)
}

/// All that keeps the model of a file from being read.
#[inline(never)]
pub(super) fn unsupported_in<T: Scalar>(
    bytes: &[u8],
    registry: &Registry<T>,
    compile: bool,
    convert: bool,
) -> Result<Vec<Reason>, Reason> {
    let description = description::<T>(bytes, compile, convert)?;
    Ok(unsupported(description.get("config").unwrap_or(&Value::Null), registry))
}

#[inline(never)]
pub(super) fn from_bytes<T: Scalar>(
    bytes: &[u8],
    registry: &Registry<T>,
    compile: bool,
    convert: bool,
) -> Result<Model<T>, Reason> {
    let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
    let description = description::<T>(bytes, compile, convert)?;
    let training = training_from_json(description.get("training").unwrap_or(&Value::Null))?;
    let model = from_config(description.get("config").unwrap_or(&Value::Null), registry)?;

    let optimizer = model.compile.as_ref().map(|compile| &*compile.optimizer);
    let optimizer = optimizer.filter(|_| training.iterations > 0);
    let slots = optimizer.map_or(&[][..], |optimizer| optimizer.slots());
    let mut expected = 0;
    let mut layers = Vec::with_capacity(model.outline.layers.len());
    for outlined in model.outline.layers {
        let mut params = Vec::with_capacity(outlined.weights.len());
        for weight in &outlined.weights {
            let read = |name: String| read_tensor::<T>(&tensors, &name, &weight.shape, convert);
            let path = weight.path(&outlined.name);
            let value = read(path.clone())?;
            let mut param = Param::new(weight.clone(), value);
            if weight.trainable {
                let of = Whole { path: &path, shape: weight.shape };
                let slot = |slot: &&str| {
                    let Some(shape) = optimizer.and_then(|it| it.slot_shape(slot, of)) else {
                        return Ok(Tensor::zeros([0]));
                    };
                    expected += 1;
                    let name = slot_name(&outlined.name, &weight.name, slot);
                    read_tensor::<T>(&tensors, &name, &shape, convert)
                };
                param.slots = slots.iter().map(slot).collect::<Result<_, Reason>>()?;
            }
            expected += 1;
            params.push(param);
        }
        layers.push(Built::new(outlined, params));
    }
    if tensors.len() != expected {
        let known = |name: &str| {
            // What the optimizer kept is passed over together with it.
            let slot_of = weight_of_slot(name).filter(|_| !compile);
            layers.iter().any(|layer: &Built<T>| {
                layer.params.iter().any(|param| {
                    let weight = &param.weight.name;
                    let known = weight_name(&layer.name, weight);
                    name == known
                        || slot_of == Some(&known)
                        || slots.iter().any(|slot| name == slot_name(&layer.name, weight, slot))
                })
            })
        };
        no_others(&tensors, known)?;
    }
    let mut loaded =
        Model::from_parts(model.outline.name, model.outline.graph, layers, training.seed);
    loaded.compiled = model.compile;
    loaded.progress = training;
    Ok(loaded)
}

/// A tensor of the file, if it is there with this shape, fits into this type or may be `rounded`, and is finite.
fn read_tensor<T: Scalar>(
    tensors: &SafeTensors<'_>,
    name: &str,
    shape: &[usize],
    rounded: bool,
) -> Result<Tensor<T>, Reason> {
    let view = tensors.tensor(name).map_err(|_| format!("the weight {name} is missing"))?;
    let float = match view.dtype() {
        Dtype::F16 => Float::F16,
        Dtype::BF16 => Float::Bf16,
        Dtype::F32 => Float::F32,
        Dtype::F64 => Float::F64,
        other => {
            return Err(format!(
                "the weight {name} is of type {other:?}; weights are F16, BF16, F32 or F64"
            )
            .into());
        }
    };
    if view.shape() != shape {
        return Err(format!(
            "the weight {name} has the shape {:?}, and the architecture asks for {shape:?}",
            view.shape()
        )
        .into());
    }
    let values =
        float.read(view.data(), rounded).map_err(|reason| format!("the weight {name} {reason}"))?;
    let tensor = Tensor::new(shape, values);
    if tensor.is_finite() {
        Ok(tensor)
    } else {
        Err(format!("the weight {name} holds values that are not finite").into())
    }
}
