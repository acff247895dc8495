//! Graphs of layers from the JSON of Keras.

use super::calls::{Call, history, takes_masks};
use super::config::{MODELS, Read, read_layer};
use super::draft::{Draft, Draught};
use super::graph::Source;
use crate::config::{Config, Value, name_of};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::train::Registry;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// A value as files name it: the layer, which of its nodes, and which of its outputs.
pub(super) type History<'v> = (&'v str, u64, usize);

/// Reads a graph: its layers with what each takes in each of its places.
///
/// # Errors
/// A sentence that names the layer.
pub(super) fn read<T: Scalar>(
    config: &Config,
    layers: &[Value],
    frozen: bool,
    registry: &Registry<T>,
) -> Result<Draft<T>, Reason> {
    let mut entrances: HashMap<&str, (usize, Draught)> = HashMap::new();
    let (mut read, mut taken, mut places) = (Vec::new(), Vec::new(), HashMap::new());
    let taken_first = taken_first(config, layers);
    let needed = needed(config, layers);
    for (at, entry) in layers.iter().enumerate() {
        let own =
            name_of(entry).ok_or_else(|| format!("the layer {at} of the model has no name"))?;
        if needed.as_ref().is_some_and(|needed| !needed.contains(own)) {
            continue;
        }
        match read_layer(&with_call_options(entry), frozen, registry)? {
            Read::Input(shape) => {
                let input = Draught { name: Some(own.to_owned()), shape };
                entrances.insert(own, (at, input));
            }
            Read::Layer(_, layer) => {
                let wrong = |reason: Reason| reason.inside(|why| format!("layer {own}: {why}"));
                let inbound = entry.get("inbound_nodes").and_then(Value::as_array);
                let inbound =
                    inbound.ok_or_else(|| wrong("it does not say what it takes".into()))?;
                let first = first_node(entry, own, &taken_first);
                let mut options = None;
                for (number, node) in (first..).zip(inbound) {
                    let call = Call::read(node).map_err(wrong)?;
                    if call.inputs.is_empty() {
                        return Err(wrong("one of its nodes takes nothing".into()));
                    }
                    if options.get_or_insert_with(|| call.options.clone()) != &call.options {
                        return Err(wrong(
                            "its calls differ in arguments that are no values".into(),
                        ));
                    }
                    if places.insert((own, number), taken.len()).is_some() {
                        return Err(wrong("two layers have this name".into()));
                    }
                    taken.push((own, read.len(), call));
                }
                read.push((Some(own.to_owned()), layer));
            }
        }
    }
    // The model says in which order it takes its inputs.
    let mut sources: HashMap<&str, usize> = HashMap::new();
    let mut inputs = Vec::new();
    for (name, ..) in ends(config, "input_layers")? {
        let (_, input) = entrances
            .remove(name)
            .ok_or_else(|| format!("the input {name} of the model is none of its layers"))?;
        sources.insert(name, inputs.len());
        inputs.push(input);
    }
    let source = |by: &str, (name, node, output): History<'_>| match (
        sources.get(name),
        places.get(&(name, node)),
    ) {
        (Some(input), _) if output == 0 => Ok(Source::Input(*input)),
        (Some(_), _) => Err(Reason::from(format!(
            "{by} takes output {output} of {name}, which is an input of the model"
        ))),
        (None, Some(&node)) => Ok(Source::Node { node, output }),
        (None, None) => Err(Reason::from(format!(
            "{by} takes what node {node} of layer {name} gives, and there is none"
        ))),
    };
    let mut nodes = Vec::with_capacity(taken.len());
    let inference = taken.iter().map(|(.., call)| call.inference).collect();
    for (own, layer, call) in taken {
        let by = format!("layer {own}");
        let inputs = call.inputs.into_iter().map(|history| source(&by, history));
        nodes.push((layer, inputs.collect::<Result<Vec<Source>, Reason>>()?));
    }
    let outputs = ends(config, "output_layers")?.into_iter();
    let outputs = outputs.map(|history| source("the model", history));
    let outputs = outputs.collect::<Result<Vec<Source>, Reason>>()?;
    if inputs.is_empty() || outputs.is_empty() {
        return Err("the model has no inputs or no outputs".into());
    }
    let name = config.get("name").and_then(Value::as_str).unwrap_or("functional").to_owned();
    Ok(Draft { name, inputs, layers: read, nodes, inference, outputs, chain: false })
}

/// A layer with those options that are arguments of its calls in Keras.
fn with_call_options(entry: &Value) -> Cow<'_, Value> {
    let calls = nodes(entry).iter().filter_map(|node| Call::read(node).ok());
    let options: Vec<(&str, Value)> = calls.flat_map(|call| call.options).collect();
    let mut entry = Cow::Borrowed(entry);
    for (name, value) in options {
        entry.to_mut()["config"][name] = value;
    }
    entry
}

/// Why what a layer takes in one of its places cannot be read.
pub(super) fn unsupported_call(entry: &Value) -> Option<Reason> {
    entry.get("inbound_nodes")?.as_array()?.iter().find_map(|node| Call::read(node).err())
}

/// Where Keras wrote how it computes masks, as operations beside the layers: the layers that are there for the outputs, and not for
/// masks alone, which go from layer to layer here.
pub(super) fn needed<'v>(config: &'v Config, layers: &'v [Value]) -> Option<HashSet<&'v str>> {
    if !layers.iter().any(|layer| nodes(layer).iter().any(takes_masks)) {
        return None;
    }
    let by_name: HashMap<&str, &Value> =
        layers.iter().filter_map(|layer| Some((name_of(layer)?, layer))).collect();
    let ends = ["input_layers", "output_layers"].map(|list| ends(config, list).unwrap_or_default());
    let mut left: Vec<&str> = ends.concat().into_iter().map(|(name, ..)| name).collect();
    let mut needed = HashSet::new();
    while let Some(name) = left.pop() {
        if needed.insert(name)
            && let Some(layer) = by_name.get(name)
        {
            for node in nodes(layer) {
                if let Ok(call) = Call::read(node) {
                    left.extend(call.inputs.into_iter().map(|(name, ..)| name));
                }
            }
        }
    }
    Some(needed)
}

/// The number of a layer's first node. Until Keras 3, a model had a node before it was used: that between its own inputs and
/// outputs.
fn first_node(entry: &Value, own: &str, taken_first: &HashSet<&str>) -> u64 {
    let class_name = entry.get("class_name").and_then(Value::as_str);
    let is_model = class_name.is_some_and(|name| MODELS.contains(&name));
    u64::from(is_model && !taken_first.contains(own))
}

/// What a layer takes, for each place where it is at work.
fn nodes(layer: &Value) -> &[Value] {
    layer.get("inbound_nodes").and_then(Value::as_array).unwrap_or_default()
}

/// The layers of which somebody takes what node 0 gives.
fn taken_first<'v>(config: &'v Config, layers: &'v [Value]) -> HashSet<&'v str> {
    let mut taken = ends(config, "output_layers").unwrap_or_default();
    for layer in layers {
        for node in nodes(layer) {
            if let Ok(call) = Call::read(node) {
                taken.extend(call.inputs);
            }
        }
    }
    taken.into_iter().filter(|&(_, node, _)| node == 0).map(|(name, ..)| name).collect()
}

/// The names of a model's inputs, in their order; none where it does not say them, as a chain does not.
#[cfg(feature = "keras")]
pub(crate) fn input_names(config: &Config) -> Vec<&str> {
    let inputs = ends(config, "input_layers").unwrap_or_default();
    inputs.into_iter().map(|(name, ..)| name).collect()
}

/// The model's inputs or outputs: one value, a list of values, or values by name.
fn ends<'v>(config: &'v Config, name: &str) -> Result<Vec<History<'v>>, Reason> {
    let wrong = || format!("the model's {name} are no list of layers");
    let value = config.get(name).ok_or_else(wrong)?;
    if let Some(single) = history(value) {
        return Ok(vec![single.0]);
    }
    let values: Vec<&Value> = match value {
        Value::Array(values) => values.iter().collect(),
        // Keras takes them in the order of their names.
        Value::Object(values) => {
            let mut named: Vec<(&String, &Value)> = values.iter().collect();
            named.sort_by_key(|(name, _)| name.as_str());
            named.into_iter().map(|(_, value)| value).collect()
        }
        _ => return Err(wrong().into()),
    };
    let end = |value| Ok(history(value).ok_or_else(wrong)?.0);
    values.into_iter().map(end).collect()
}

#[cfg(test)]
mod tests {
    use super::super::config::{from_config, unsupported};
    use super::super::model::Model;
    use crate::config::{Value, json};
    use crate::tensor::Tensor;
    use crate::train::Registry;

    fn model(layers: &Value, outputs: &Value) -> Result<Model<f32>, crate::error::Reason> {
        let config = json!({
            "class_name": "Model",
            "config": { "name": "model_1", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": outputs },
        });
        let description = from_config(&config, &Registry::new())?;
        description.outline.draw(0).map_err(|error| error.to_string().into())
    }

    fn input() -> Value {
        json!({
            "name": "x", "class_name": "InputLayer", "inbound_nodes": [],
            "config": { "batch_input_shape": [null, 2], "dtype": "float32", "sparse": false, "name": "x" },
        })
    }

    fn layer(name: &str, class_name: &str, inbound: Value) -> Value {
        let config = match class_name {
            "Activation" => json!({ "name": name, "activation": "relu" }),
            _ => json!({ "name": name }),
        };
        json!({ "name": name, "class_name": class_name, "config": config, "inbound_nodes": inbound })
    }

    #[test]
    fn graphs_of_keras_2_are_read() {
        // Layers in another order than that of the graph, one of them in two places, with call arguments without effect.
        let layers = json!([
            layer("sum", "Add", json!([[["act", 0, 0, {}], ["act", 1, 0, {}]]])),
            layer(
                "act",
                "Activation",
                json!([[["x", 0, 0, { "training": null }]], [["act", 0, 0, {}]]])
            ),
            input(),
        ]);
        let model = model(&layers, &json!([["sum", 0, 0]])).unwrap();
        let y = model.predict(&Tensor::from([[1.0, -3.0]])).unwrap();
        assert_eq!(y.to_vec(), [2.0, 0.0]);
    }

    #[test]
    fn every_layer_that_cannot_be_read_is_named() {
        let chain = json!([
            { "class_name": "Dense", "config": { "name": "wide", "units": -1 } },
            { "class_name": "Flatten", "config": { "name": "flat" } },
            { "class_name": "Lambda", "config": { "name": "code" } },
        ]);
        let inner = json!({
            "name": "inner", "class_name": "Sequential", "inbound_nodes": [[["x", 0, 0, {}]]],
            "config": { "name": "inner", "layers": chain },
        });
        let called = json!([[["x", 0, 0, { "training": true }]]]);
        let layers = json!([
            input(),
            layer("mine", "Mine", json!([[["x", 0, 0, {}]]])),
            inner,
            layer("act", "Activation", called),
            layer("same", "Flatten", json!([[["act", 0, 0, {}]]])),
        ]);
        let config = json!({ "class_name": "Model", "config": {
            "name": "model", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["same", 0, 0]],
        } });
        let found = unsupported(&config, &Registry::<f32>::new());
        let expected = [
            r#"layer mine (Mine): this class of layer is not known; add a layer of your own to a Registry: Registry::new().layer("Mine", ..)"#,
            "layer inner (Sequential): layer wide (Dense): the option units",
            r#"layer inner (Sequential): layer code (Lambda): this class of layer is not known (its function is Python code); add a layer of your own to a Registry: Registry::new().layer("Lambda", ..)"#,
            "layer act (Activation): the call argument training = true is not supported",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.as_str().starts_with(expected), "{found:?} does not say {expected:?}");
        }
        // Where the layers are right, but not what connects them.
        let act = layer("act", "Activation", json!([[["gone", 0, 0, {}]]]));
        let config = json!({ "class_name": "Model", "config": {
            "name": "model", "layers": [input(), act], "input_layers": [["x", 0, 0]], "output_layers": [["act", 0, 0]],
        } });
        let found = unsupported(&config, &Registry::<f32>::new());
        assert_eq!(found, ["layer act takes what node 0 of layer gone gives, and there is none"]);
    }

    #[test]
    fn broken_graphs_are_errors_that_name_a_layer() {
        let relu = |from: &str| layer("act", "Activation", json!([[[from, 0, 0, {}]]]));
        let end = json!([["act", 0, 0]]);
        let error = |act: Value, end: &Value| model(&json!([input(), act]), end).unwrap_err();
        for (found, expected) in [
            (error(relu("act"), &end), "the layers go in a circle: act needs its own output"),
            (
                error(relu("gone"), &end),
                "layer act takes what node 0 of layer gone gives, and there is none",
            ),
            (
                error(relu("x"), &json!([["act", 7, 0]])),
                "the model takes what node 7 of layer act gives, and there is none",
            ),
            (
                error(layer("act", "Activation", json!([[["x", 0, 1, {}]]])), &end),
                "layer act takes output 1 of x, which is an input of the model",
            ),
            (
                error(
                    layer("act", "Activation", json!([[["x", 0, 0, { "training": true }]]])),
                    &end,
                ),
                "layer act: the call argument training = true is not supported",
            ),
            (
                error(layer("act", "Activation", json!([[]])), &end),
                "layer act: one of its nodes takes nothing",
            ),
            (
                error(layer("act", "Activation", json!(3)), &end),
                "layer act: it does not say what it takes",
            ),
            (error(relu("x"), &json!([])), "the model has no inputs or no outputs"),
            (error(relu("x"), &json!(3)), "the model's output_layers are no list of layers"),
        ] {
            assert!(found.as_str().contains(expected), "{found:?} does not say {expected:?}");
        }
    }
}
