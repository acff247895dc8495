//! Operations between layers: what `x / 255.0`, `tf.nn.relu(x)` or `x[..., ::-1]` became in a functional model.
//!
//! Keras 2 wrote a layer `TFOpLambda`, `SlicingOpLambda` or `TensorFlowOpLayer` for each, and Keras 3 writes the operation itself. Where layers do the same,
//! these stand for it here, the last of them with the operation's name. What has no layers stays as it is, and is refused by name.

use super::places::{pooled, resized, summed};
use super::shapes::Shapes;
use super::{indexing, lambda};
use crate::config::{Value, json, name_of};
use crate::nn::BUILTIN;
use std::collections::{HashMap, HashSet};

/// What an operation takes.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    /// What another layer gives, as files of Keras 2 say it: `["dense", 0, 0]`.
    Tensor(Value),
    /// A number, numbers, or something else that is known.
    Known(Value),
}

/// An operation, whoever wrote it.
pub(super) struct Operation {
    pub name: String,
    /// In small letters: `truediv`, `relu`.
    pub function: String,
    /// Several where it takes a list.
    pub operands: Vec<Operand>,
    pub options: HashMap<String, Value>,
}

/// A layer that stands for an operation or for a part of it.
pub(super) struct Step {
    pub class_name: &'static str,
    pub config: Value,
    pub inputs: Vec<Source>,
}

/// What a step takes: what the operation is given, or what an earlier step gives.
#[derive(Clone)]
pub(super) enum Source {
    Given(Value),
    Step(usize),
}

pub(super) fn step(class_name: &'static str, config: Value, inputs: Vec<Source>) -> Step {
    Step { class_name, config, inputs }
}

/// Puts layers in the place of all operations of a graph that have some.
pub(super) fn replace(config: &mut Value) {
    let mut shapes = Shapes::default();
    let Some(layers) = config.get("layers").and_then(Value::as_array) else { return };
    let found: Vec<Option<Operation>> = layers.iter().map(|it| read(it, &mut shapes)).collect();
    if found.iter().all(Option::is_none) {
        return;
    }
    let linear = indexing::last_steps(config, &found);
    let Some(layers) = config.get_mut("layers").and_then(Value::as_array_mut) else { return };
    let mut taken: HashSet<String> =
        layers.iter().filter_map(|it| name_of(it).map(str::to_owned)).collect();
    let mut replaced = Vec::with_capacity(layers.len());
    for (at, (layer, operation)) in std::mem::take(layers).into_iter().zip(found).enumerate() {
        let steps = operation.as_ref().and_then(|it| match linear.contains(&at) {
            true => Some(vec![activation("linear", it.tensor()?)]),
            false => steps(it, &shapes),
        });
        let from = replaced.len();
        match (operation, steps) {
            (Some(operation), Some(steps)) => {
                place(&operation.name, steps, &mut taken, &mut replaced);
            }
            _ => replaced.push(layer),
        }
        // Files of Keras 2 say the shapes of the model's inputs alone.
        replaced[from..].iter().for_each(|layer| shapes.infer(layer));
    }
    *layers = replaced;
}

/// Writes the layers of an operation down. Those before the last get names of their own.
fn place(name: &str, steps: Vec<Step>, taken: &mut HashSet<String>, layers: &mut Vec<Value>) {
    let mut names: Vec<String> = Vec::with_capacity(steps.len());
    let last = steps.len() - 1;
    for (at, Step { class_name, mut config, inputs }) in steps.into_iter().enumerate() {
        let mut own = name.to_owned();
        if at < last {
            own = (1..).map(|i| format!("{name}_step_{i}")).find(|it| !taken.contains(it)).unwrap();
            taken.insert(own.clone());
        }
        let inputs = inputs.into_iter().map(|input| match input {
            Source::Given(history) => history,
            Source::Step(step) => json!([names[step], 0, 0, {}]),
        });
        let node: Value = inputs.collect();
        config["name"] = json!(own);
        layers.push(json!({
            "module": "keras.layers", "class_name": class_name, "config": config, "registered_name": null,
            "name": own, "inbound_nodes": [node],
        }));
        names.push(own);
    }
}

/// Calls `met(history)` wherever a value says that it comes from a layer: `["dense", 0, 0]`.
pub(super) fn sources(value: &Value, met: &mut dyn FnMut(&Value)) {
    match value {
        Value::Array(items) => {
            if let [Value::String(_), Value::Integer(_), ..] = &items[..] {
                met(value);
            }
            items.iter().for_each(|it| sources(it, met));
        }
        Value::Object(options) => options.iter().for_each(|(_, it)| sources(it, met)),
        _ => {}
    }
}

/// An operand, and its shape if the file says it.
fn operand(value: &Value, shapes: &mut Shapes) -> Operand {
    if value.get("class_name").is_some_and(|it| *it == "__keras_tensor__")
        && let Some(config) = value.get("config")
        && let Some([name, node, output, ..]) =
            config.get("keras_history").and_then(Value::as_array)
    {
        let history = json!([name, node, output, {}]);
        shapes.note(&history, &config["shape"]);
        return Operand::Tensor(history);
    }
    if let Some([name @ Value::String(_), node, output, ..]) = value.as_array()
        && node.as_u64().is_some()
        && output.as_u64().is_some()
    {
        return Operand::Tensor(json!([name, node, output, {}]));
    }
    let inner = value.inside(&["config", "value"]).filter(|_| value.get("class_name").is_some());
    Operand::Known(inner.unwrap_or(value).clone())
}

/// What an entry of a list of layers says, if it is an operation that is done in one place.
fn read(layer: &Value, shapes: &mut Shapes) -> Option<Operation> {
    let class_name = layer.get("class_name")?.as_str()?;
    let (name, config) = (name_of(layer)?, layer.get("config")?);
    if class_name == "InputLayer" {
        let shape = config.get("batch_shape").or_else(|| config.get("batch_input_shape"))?;
        shapes.note(&json!([name, 0, 0]), shape);
        return None;
    }
    let [node] = layer.get("inbound_nodes")?.as_array()? else { return None };
    let mut options: HashMap<String, Value> = HashMap::new();
    let mut operands = Vec::new();
    let function = match class_name {
        "TFOpLambda" => config.get("function")?.as_str()?.rsplit('.').next()?.to_owned(),
        "SlicingOpLambda" => "getitem".to_owned(),
        "TensorFlowOpLayer" => config.inside(&["node_def", "op"])?.as_str()?.to_lowercase(),
        "Lambda" => {
            options.insert("lambda".to_owned(), config.clone());
            "lambda".to_owned()
        }
        "Custom>CustomScaleLayer" | "CustomScaleLayer" => {
            options.insert("scale".to_owned(), config.get("scale")?.clone());
            "add_scaled".to_owned()
        }
        _ => class_name.to_lowercase(),
    };
    // Layers that are replaced like operations.
    let by_name = ["add_scaled", "lambda"].contains(&function.as_str());
    if let Some(arguments) = node.get("args") {
        let arguments = arguments.as_array()?;
        let module = layer.get("module").and_then(Value::as_str);
        let by_module =
            module.is_some_and(|it| it.contains(".ops.") || it.contains(".activations."));
        // Only layers say whether they are trained.
        let known =
            module.is_some() || BUILTIN.contains(&class_name) || config.get("trainable").is_some();
        let old_reshape = config.get("newshape").is_some();
        if !by_module && known && !old_reshape && arguments.len() < 2 && !by_name {
            return None;
        }
        for said in [config, node.get("kwargs")?] {
            options.extend(said.as_object()?.iter().map(|(key, it)| (key.clone(), it.clone())));
        }
        for argument in arguments {
            match argument.as_array() {
                Some(list) if function != "getitem" || operands.is_empty() => {
                    operands.extend(list.iter().map(|it| operand(it, shapes)));
                }
                _ => operands.push(operand(argument, shapes)),
            }
        }
        return Some(Operation { name: name.to_owned(), function, operands, options });
    }
    let written = ["TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"].contains(&class_name);
    if !written && !by_name {
        return None;
    }
    let single = |it: &Value| it.as_array()?.first()?.as_str().map(|_| ());
    let given = match single(node) {
        Some(()) => std::slice::from_ref(node),
        None => node.as_array()?,
    };
    for value in given {
        let [history, node, output, rest @ ..] = value.as_array()? else { return None };
        operands.push(match history.as_str()? {
            "_CONSTANT_VALUE" => Operand::Known(output.clone()),
            _ => operand(&json!([history, node, output]), shapes),
        });
        for (key, value) in rest.iter().filter_map(Value::as_object).flat_map(|it| it.iter()) {
            options.insert(key.clone(), value.clone());
        }
    }
    // The constants of a node of a graph stand at places among what it takes.
    if let Some(constants) = config.get("constants").and_then(Value::as_object) {
        for (place, value) in constants.iter() {
            let place = place.parse::<usize>().ok().filter(|&place| place <= operands.len())?;
            operands.insert(place, Operand::Known(value.clone()));
        }
    }
    for key in ["y", "bias"] {
        if let Some(value) = options.remove(key) {
            operands.push(operand(&value, shapes));
        }
    }
    Some(Operation { name: name.to_owned(), function, operands, options })
}

impl Operation {
    /// The only value that it takes from a layer, as its first operand.
    pub fn tensor(&self) -> Option<Source> {
        match self.operands.first()? {
            Operand::Tensor(history) => Some(Source::Given(history.clone())),
            Operand::Known(_) => None,
        }
    }

    /// All of them, where there is nothing else.
    pub fn tensors(&self) -> Option<Vec<Source>> {
        let sources = self.operands.iter().map(|it| match it {
            Operand::Tensor(history) => Some(Source::Given(history.clone())),
            Operand::Known(_) => None,
        });
        sources.collect()
    }

    /// An option by one of these names, or else the second operand.
    pub fn option(&self, names: &[&str]) -> Option<&Value> {
        let named =
            names.iter().find_map(|name| self.options.get(*name)).filter(|it| !it.is_null());
        named.or_else(|| match self.operands.get(1)? {
            Operand::Known(value) => Some(value),
            Operand::Tensor(_) => None,
        })
    }
}

pub(super) fn activation(name: &str, input: Source) -> Step {
    step("Activation", json!({ "activation": name }), vec![input])
}

/// `scale x + offset`.
pub(super) fn rescaling(scale: Value, offset: Value, input: Source) -> Step {
    step("Rescaling", json!({ "scale": scale, "offset": offset }), vec![input])
}

/// A number, or one for each channel, with a function applied to it.
fn numbers(value: &Value, change: fn(f64) -> f64) -> Option<Value> {
    if let Some(number) = value.as_f64() {
        return Some(json!(change(number)));
    }
    match value.as_array()? {
        [only @ Value::Array(_)] => numbers(only, change),
        several => several.iter().map(|it| Some(json!(change(it.as_f64()?)))).collect(),
    }
}

/// The layers that do what an operation does.
fn steps(operation: &Operation, shapes: &Shapes) -> Option<Vec<Step>> {
    if let Some(config) = operation.options.get("lambda") {
        return lambda::steps(config, &operation.tensors()?);
    }
    let function = operation.function.trim_start_matches('_').replace('_', "");
    if let Some(steps) = arithmetic(operation, &function) {
        return Some(steps);
    }
    let x = operation.tensor()?;
    Some(match function.as_str() {
        "relu" | "sigmoid" | "tanh" | "elu" | "selu" | "softplus" | "softsign" | "silu" | "swish" | "relu6"
        | "gelu" | "hardsigmoid" | "logsoftmax"
            // Only with what is usual for them.
            if operation.operands.len() == 1 && operation.options.iter().all(usual) =>
        {
            let name = match function.as_str() {
                "swish" => "silu",
                "hardsigmoid" => "hard_sigmoid",
                "logsoftmax" => "log_softmax",
                name => name,
            };
            vec![activation(name, x)]
        }
        "exp" => vec![activation("exponential", x)],
        "identity" | "cast" => {
            let dtype = operation.option(&["dtype"]).and_then(Value::as_str);
            if !matches!(dtype, None | Some("float16" | "float32" | "bfloat16" | "mixed_float16")) {
                return None;
            }
            vec![activation("linear", x)]
        }
        "softmax" => {
            let axis = operation.option(&["axis"]).cloned().unwrap_or(json!(-1));
            vec![step("Softmax", json!({ "axis": axis }), vec![x])]
        }
        "leakyrelu" => {
            let slope = operation.option(&["alpha", "negative_slope"]).cloned();
            let config = json!({ "negative_slope": slope.unwrap_or(json!(0.2)) });
            vec![step("LeakyReLU", config, vec![x])]
        }
        "l2normalize" => {
            let axis = operation.option(&["axis"])?.clone();
            vec![step("UnitNormalization", json!({ "axis": axis }), vec![x])]
        }
        "concat" | "concatenate" | "concatv2" => {
            let axis = operation.options.get("axis").cloned().unwrap_or(json!(-1));
            vec![step("Concatenate", json!({ "axis": axis }), operation.tensors()?)]
        }
        "mean" | "reducemean" => vec![pooled("Average", operation, x, shapes)?.0],
        "max" | "reducemax" => vec![pooled("Max", operation, x, shapes)?.0],
        "sum" | "reducesum" => summed(operation, x, shapes)?,
        "resize" => vec![resized(operation, x)?],
        _ => return indexing::steps(operation, &function, shapes),
    })
}

/// Whether an option of an activation is one that changes nothing.
fn usual((name, value): (&String, &Value)) -> bool {
    match name.as_str() {
        "name" | "dtype" | "trainable" | "features" => true,
        "axis" => *value == -1,
        "approximate" => value.as_bool() == Some(false),
        "alpha" | "max_value" | "threshold" | "negative_slope" => {
            value.is_null()
                || (name == "alpha" && *value == 1.0)
                || (name != "alpha" && *value == 0.0)
        }
        _ => value.is_null(),
    }
}

/// Arithmetic of values with numbers, and with each other.
fn arithmetic(operation: &Operation, function: &str) -> Option<Vec<Step>> {
    use Operand::{Known, Tensor};
    let given = |history: &Value| Source::Given(history.clone());
    let one = || json!(1.0);
    let zero = || json!(0.0);
    Some(match (function, &operation.operands[..]) {
        ("truediv" | "truedivide" | "realdiv" | "divide" | "div", [Tensor(x), Known(y)]) => {
            vec![rescaling(numbers(y, f64::recip)?, zero(), given(x))]
        }
        ("add" | "addv2" | "biasadd", [Tensor(x), Known(y)] | [Known(y), Tensor(x)]) => {
            vec![rescaling(one(), numbers(y, |y| y)?, given(x))]
        }
        ("subtract" | "sub", [Tensor(x), Known(y)]) => {
            vec![rescaling(one(), numbers(y, |y| -y)?, given(x))]
        }
        ("subtract" | "sub", [Known(y), Tensor(x)]) => {
            vec![rescaling(json!(-1.0), numbers(y, |y| y)?, given(x))]
        }
        ("multiply" | "mul", [Tensor(x), Known(y)] | [Known(y), Tensor(x)]) => {
            vec![rescaling(numbers(y, |y| y)?, zero(), given(x))]
        }
        ("negative" | "neg", [Tensor(x)]) => vec![rescaling(json!(-1.0), zero(), given(x))],
        ("maximum", [Tensor(x), Known(y)] | [Known(y), Tensor(x)]) if y.as_f64() == Some(0.0) => {
            vec![activation("relu", given(x))]
        }
        // |x| is the larger one of x and -x.
        ("abs" | "absolute", [Tensor(x)]) => vec![
            rescaling(json!(-1.0), zero(), given(x)),
            step("Maximum", json!({}), vec![given(x), Source::Step(0)]),
        ],
        ("square", [Tensor(x)]) => vec![step("Multiply", json!({}), vec![given(x), given(x)])],
        ("pow" | "power", [Tensor(x), Known(y)]) if y.as_f64() == Some(2.0) => {
            vec![step("Multiply", json!({}), vec![given(x), given(x)])]
        }
        // A block of Inception-ResNet: `x + scale y`.
        ("addscaled", [Tensor(x), Tensor(y)]) => {
            let scale = operation.options.get("scale")?.clone();
            vec![
                rescaling(scale, zero(), given(y)),
                step("Add", json!({}), vec![given(x), Source::Step(0)]),
            ]
        }
        (name, [Tensor(_), Tensor(_)]) => {
            let class_name = match name {
                "add" | "addv2" => "Add",
                "subtract" | "sub" => "Subtract",
                "multiply" | "mul" => "Multiply",
                "maximum" => "Maximum",
                "minimum" => "Minimum",
                _ => return None,
            };
            vec![step(class_name, json!({}), operation.tensors()?)]
        }
        _ => return None,
    })
}
