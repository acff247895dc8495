//! What a layer takes in each of its places, in the JSON of Keras: the arguments of a call.

use super::config::{batch_shape, dtype};
use super::functional::History;
use super::graph::Graph;
use crate::config::{Config, Value, json};
use crate::error::Reason;
use crate::nn::INPUT;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// What a layer takes in one place, and how it runs there.
pub(super) struct Call<'v> {
    pub inputs: Vec<History<'v>>,
    pub inference: bool,
    /// The [`OPTIONS`] that are given.
    pub options: Vec<(&'static str, Value)>,
}

/// What a node says in this crate's files, where its layer runs as in prediction: Keras 3 has no word for it.
const INFERENCE: &str = "cinta_inference";

/// The options of layers here that are arguments of their calls in Keras: whether no step sees a later one, whether there is another output, and
/// which values queries may see.
pub(super) const OPTIONS: [&str; 3] =
    ["use_causal_mask", "return_attention_scores", ATTENTION_MASK];

/// The option that is a further input of the layer where the mask is what another layer gives.
const ATTENTION_MASK: &str = "attention_mask";

/// The arguments that are values, in the order in which layers take these.
const VALUES: [&str; 8] =
    ["inputs", "sequence", "sequences", "query", "value", "key", "initial_state", ATTENTION_MASK];

/// The arguments that are masks of inputs. Masks go from layer to layer by themselves here.
const MASKS: [&str; 4] = ["mask", "query_mask", "value_mask", "key_mask"];

/// Whether Keras 3 gives masks there that it has computed, one or one for each input.
fn is_mask(value: &Value) -> bool {
    match value {
        Value::Array(masks) => masks.iter().any(is_mask),
        Value::Object(_) => tensor(value).is_some(),
        _ => false,
    }
}

/// Whether a node takes such masks.
pub(super) fn takes_masks(node: &Value) -> bool {
    MASKS.iter().any(|mask| node.inside(&["kwargs", *mask]).is_some_and(is_mask))
}

/// How Keras passes the inputs of a layer that has several.
enum Passing {
    /// As one list.
    List,
    /// Each as an argument.
    Arguments,
    /// The first one as an argument, the others as a state to begin with.
    State,
}

impl Passing {
    fn of(class_name: &str) -> Passing {
        match class_name {
            "MultiHeadAttention" | "GroupQueryAttention" => Passing::Arguments,
            "LSTM" | "GRU" | "SimpleRNN" | "RNN" | "Bidirectional" | "ConvLSTM1D"
            | "ConvLSTM2D" | "ConvLSTM3D" => Passing::State,
            _ => Passing::List,
        }
    }
}

/// `["name", 0, 0]`, where older versions add call arguments.
pub(super) fn history(value: &Value) -> Option<(History<'_>, &[Value])> {
    let [Value::String(name), node, output, rest @ ..] = value.as_array()? else {
        return None;
    };
    let (node, output) = (node.as_u64()?, usize::try_from(output.as_u64()?).ok()?);
    Some(((name.as_str(), node, output), rest))
}

/// What another layer gives, as Keras 3 writes it or as older versions do.
fn tensor(value: &Value) -> Option<History<'_>> {
    let written = value.inside(&["config", "keras_history"]).unwrap_or(value);
    history(written).map(|(history, _)| history)
}

/// A value, or a list of values.
fn tensors<'v>(value: &'v Value, found: &mut Vec<History<'v>>) -> Result<(), Reason> {
    if let Some(history) = tensor(value) {
        found.push(history);
        return Ok(());
    }
    let list = value.as_array().filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| format!("{value} is not what another layer gives"))?;
    list.iter().try_for_each(|value| tensors(value, found))
}

impl<'v> Call<'v> {
    /// What a node takes: `{"args": .., "kwargs": ..}` of Keras 3, or the list of older versions.
    pub(super) fn read(node: &'v Value) -> Result<Self, Reason> {
        let mut call = Call { inputs: Vec::new(), inference: false, options: Vec::new() };
        if let Value::Object(object) = node {
            let arguments = object.get("args").and_then(Value::as_array).unwrap_or_default();
            for argument in arguments.iter().filter(|it| !it.is_null()) {
                tensors(argument, &mut call.inputs)?;
            }
            if let Some(named) = object.get("kwargs").and_then(Value::as_object) {
                // Keras 3 writes for every layer what is usual for it, and overrules it in `fit` and `predict`.
                call.named(named, false)?;
            }
            if call.inputs.is_empty() {
                return Err(format!("{node} is no call of a layer with what others give").into());
            }
            call.inference = object.get(INFERENCE) == Some(&Value::Bool(true));
            return Ok(call);
        }
        let wrong = || format!("{node} is no list of what it takes");
        let mut entry = |value: &'v Value| {
            let (input, rest) = history(value).ok_or_else(wrong)?;
            call.inputs.push(input);
            rest.iter().filter_map(Value::as_object).try_for_each(|named| call.named(named, true))
        };
        match history(node) {
            Some(_) => entry(node)?,
            None => node.as_array().ok_or_else(wrong)?.iter().try_for_each(entry)?,
        }
        Ok(call)
    }

    /// The arguments with names: some are values, and others have to be without effect. `training` may count or not.
    fn named(&mut self, arguments: &'v Config, training: bool) -> Result<(), Reason> {
        for name in VALUES {
            let Some(value) = arguments.get(name).filter(|value| !value.is_null()) else {
                continue;
            };
            if name == ATTENTION_MASK {
                // What no other layer gives is fixed; whether it is a mask, the option says.
                let input = tensor(value);
                let option = if input.is_some() { json!(INPUT) } else { value.clone() };
                self.inputs.extend(input);
                self.options.push((ATTENTION_MASK, option));
            } else {
                tensors(value, &mut self.inputs)?;
            }
        }
        for (name, value) in arguments.iter().filter(|(name, _)| !VALUES.contains(&name.as_str())) {
            let option = OPTIONS.into_iter().find(|option| name == option);
            match (value, option) {
                _ if name == "training" && !training => {}
                (Value::Bool(false), _) if name == "training" => self.inference = true,
                (Value::Bool(true), Some(option)) => self.options.push((option, json!(true))),
                (Value::Null | Value::Bool(false), _) => {}
                _ if MASKS.contains(&name.as_str()) && is_mask(value) => {}
                (Value::Array(values), _) if values.iter().all(Value::is_null) => {}
                _ => {
                    return Err(
                        format!("the call argument {name} = {value} is not supported").into()
                    );
                }
            }
        }
        Ok(())
    }
}

/// What a layer takes in each of its places, as Keras 3 writes it. `histories` are the names of values, by place.
pub(super) fn written<T: Scalar>(
    graph: &Graph,
    nodes: &[usize],
    histories: &[Value],
    class_name: &str,
    options: &[(&str, Value)],
) -> Value {
    let tensor = |source: &_| {
        json!({ "class_name": "__keras_tensor__", "config": {
            "shape": batch_shape(graph.shape(*source)), "dtype": dtype::<T>(),
            "keras_history": histories[graph.place(*source)],
        } })
    };
    let calls = nodes.iter().map(|&node| &graph.nodes[node]).map(|node| {
        let mut tensors: Vec<Value> = node.inputs.iter().map(tensor).collect();
        let mut named = if node.inference { json!({ "training": false }) } else { json!({}) };
        for (option, value) in options {
            named[*option] = value.clone();
        }
        if mask_is_input(named.get(ATTENTION_MASK)) {
            named[ATTENTION_MASK] = tensors.pop().unwrap_or(Value::Null);
        }
        let arguments = match (Passing::of(class_name), &tensors[..]) {
            (Passing::Arguments, tensors) => json!(tensors),
            (_, [input]) => json!([input]),
            (Passing::List, tensors) => json!([tensors]),
            (Passing::State, [input, states @ ..]) => {
                named["initial_state"] = json!(states);
                json!([input])
            }
            (Passing::State, []) => json!([]),
        };
        let mut call = json!({ "args": arguments, "kwargs": named });
        if node.inference {
            call[INFERENCE] = json!(true);
        }
        call
    });
    calls.collect()
}

/// Whether the option for an attention mask says that it is the last input.
fn mask_is_input(option: Option<&Value>) -> bool {
    option.and_then(Value::as_str) == Some(INPUT)
}

/// What Keras 3 builds a layer with these options with: the shapes of its inputs.
pub(super) fn build_config(class_name: &str, config: &Config, inputs: &[Shape]) -> Value {
    let masks = usize::from(mask_is_input(config.get(ATTENTION_MASK)));
    let inputs = &inputs[..inputs.len() - masks];
    let shapes: Vec<Value> = inputs.iter().map(|&input| batch_shape(input)).collect();
    match (Passing::of(class_name), &shapes[..]) {
        (Passing::Arguments, shapes) => {
            let mut named = json!({});
            for (name, shape) in ["query_shape", "value_shape", "key_shape"].iter().zip(shapes) {
                named[*name] = shape.clone();
            }
            json!({ "shapes_dict": named })
        }
        (_, [input]) => json!({ "input_shape": input }),
        (Passing::State, [input, states @ ..]) => json!({ "shapes_dict": {
            "sequences_shape": input, "initial_state_shape": states,
        } }),
        _ => json!({ "input_shape": shapes }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, output: usize) -> Value {
        let history = json!([name, 0, output]);
        json!({ "class_name": "__keras_tensor__", "config": { "shape": [null, 2], "keras_history": history } })
    }

    /// What a call takes, as `name` or `name/output`.
    fn taken(node: &Value) -> Result<String, Reason> {
        let call = Call::read(node)?;
        let names = call.inputs.iter().map(|&(name, _, output)| match output {
            0 => name.to_owned(),
            output => format!("{name}/{output}"),
        });
        let options = call.options.iter().map(|(name, value)| format!(" {name}={value}"));
        Ok(names.collect::<Vec<_>>().join(" ") + &options.collect::<String>())
    }

    #[test]
    fn keras_3_passes_values_in_many_ways() {
        let [a, b, c] = [("a", 0), ("b", 1), ("b", 2)].map(|(name, output)| tensor(name, output));
        let call = |args: Value, kwargs: Value| taken(&json!({ "args": args, "kwargs": kwargs }));
        let none = || json!({});
        assert_eq!(call(json!([a]), none()).unwrap(), "a");
        assert_eq!(call(json!([[a, b]]), none()).unwrap(), "a b/1");
        assert_eq!(call(json!([a, b, c]), none()).unwrap(), "a b/1 b/2");
        assert_eq!(call(json!([a, null]), none()).unwrap(), "a");
        let states = json!({ "initial_state": [b, c], "mask": null, "training": false });
        assert_eq!(call(json!([a]), states).unwrap(), "a b/1 b/2");
        assert_eq!(call(json!([a]), json!({ "initial_state": b })).unwrap(), "a b/1");
        let attention = json!({ "key": c, "value": b, "query": a, "use_causal_mask": true });
        assert_eq!(call(json!([]), attention).unwrap(), "a b/1 b/2 use_causal_mask=true");
        assert_eq!(call(json!([]), json!({ "inputs": [a, b] })).unwrap(), "a b/1");
        assert_eq!(call(json!([a]), json!({ "training": true })).unwrap(), "a"); // Keras 3 says itself who trains
        let masks = json!({ "query_mask": null, "value_mask": c, "key_mask": c });
        assert_eq!(call(json!([a, b]), masks).unwrap(), "a b/1");
        assert_eq!(call(json!([[a, b]]), json!({ "mask": [null, c] })).unwrap(), "a b/1");
        let masked = call(json!([a, b]), json!({ "attention_mask": c })).unwrap();
        assert_eq!(masked, "a b/1 b/2 attention_mask=\"input\"");
        let fixed = call(json!([a, b]), json!({ "attention_mask": [[1, 0]] })).unwrap();
        assert_eq!(fixed, "a b/1 attention_mask=[[1,0]]");
        let error = call(json!([a]), json!({ "inverse": true })).unwrap_err();
        assert_eq!(error, "the call argument inverse = true is not supported");
        assert!(call(json!([]), none()).is_err() && call(json!([3]), none()).is_err());
    }

    #[test]
    fn keras_2_passes_values_in_many_ways() {
        assert_eq!(taken(&json!([["a", 0, 0, {}]])).unwrap(), "a");
        assert_eq!(taken(&json!([["a", 0, 0], ["b", 0, 1]])).unwrap(), "a b/1");
        let attention = json!([["a", 0, 0, { "value": ["b", 0, 1], "use_causal_mask": true }]]);
        assert_eq!(taken(&attention).unwrap(), "a b/1 use_causal_mask=true");
        let states = json!([["a", 0, 0, { "initial_state": [["b", 0, 1], ["b", 0, 2]] }]]);
        assert_eq!(taken(&states).unwrap(), "a b/1 b/2");
        let training = json!([["a", 0, 0, { "training": true }]]);
        let error = taken(&training).unwrap_err();
        assert_eq!(error, "the call argument training = true is not supported");
    }

    #[test]
    fn what_is_written_is_read() {
        let [q, v] = [[3, 4], [6, 4]].map(Shape::from);
        for (class_name, expected) in [
            ("Add", json!({ "input_shape": [[null, 3, 4], [null, 6, 4]] })),
            (
                "MultiHeadAttention",
                json!({ "shapes_dict": { "query_shape": [null, 3, 4], "value_shape": [null, 6, 4] } }),
            ),
            (
                "GRU",
                json!({ "shapes_dict": { "sequences_shape": [null, 3, 4], "initial_state_shape": [[null, 6, 4]] } }),
            ),
        ] {
            assert_eq!(build_config(class_name, &Config::new(), &[q, v]), expected);
        }
        assert_eq!(
            build_config("GRU", &Config::new(), &[q]),
            json!({ "input_shape": [null, 3, 4] })
        );
    }
}
