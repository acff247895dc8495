//! A model's architecture as the JSON that Keras 3 writes.

use super::calls::{self, OPTIONS};
use super::draft::{Draft, Outline};
use super::functional;
use super::graph::{Entrance, Graph, Listed, Source};
use super::model::{Built, Model};
use super::model_layer::ModelLayer;
use crate::config::{Config, Value, as_config, json, keras_object, object};
use crate::error::Reason;
use crate::nn::layers::TimeDistributed;
use crate::nn::{BUILTIN, MultiLayer, shared_layer, shared_multi};
use crate::scalar::Scalar;
use crate::tensor::{MAX_RANK, Shape};
use crate::train::{Compile, Registry};
use std::sync::Arc;

/// Keras's name of an element type: `float32`.
pub(super) fn dtype<T: Scalar>() -> String {
    format!("float{}", 8 * T::BYTES)
}

fn dtype_policy<T: Scalar>() -> Value {
    keras_object("keras", "DTypePolicy", json!({ "name": dtype::<T>() }))
}

/// A shape with a null for the batch in front.
pub(super) fn batch_shape(shape: Shape) -> Value {
    let dims = shape.iter().map(|&dim| json!(dim));
    Value::Array(std::iter::once(Value::Null).chain(dims).collect())
}

/// What Keras 3 writes as `config.json`.
pub(crate) fn to_config<T: Scalar>(model: &Model<T>) -> Value {
    let Model { name, graph, layers, .. } = model;
    let shape = if graph.chain { batch_shape(model.input_shape()) } else { Value::Null };
    let mut object = model_object(graph.chain, described(name, graph, layers));
    object["build_config"] = json!({ "input_shape": shape });
    if let Some(compiled) = &model.compiled {
        object["compile_config"] = compiled.config(&model.output_names());
    }
    object
}

/// A model as an object, given its options.
fn model_object(chain: bool, config: Config) -> Value {
    if chain {
        return keras_object("keras", "Sequential", Value::Object(config));
    }
    let config = Value::Object(config);
    let mut object = keras_object("keras.src.models.functional", "Functional", config);
    object["registered_name"] = json!("Functional");
    object
}

/// The options of a model in a model.
pub(super) fn model_config<T: Scalar>(model: &ModelLayer<T>) -> Config {
    let (name, graph, layers) = model.description();
    described(name, graph, layers)
}

/// A model's options: its layers, and what connects them.
fn described<T: Scalar>(name: &str, graph: &Graph, built: &[Built<T>]) -> Config {
    let listed = graph.listed.iter().map(|it| match *it {
        Listed::Input(input) => input_config::<T>(&graph.inputs[input]),
        Listed::Layer(layer) => layer_config(&built[layer]),
    });
    let mut layers: Vec<Value> = listed.collect();
    if graph.chain {
        let shape = batch_shape(graph.inputs[0].shape);
        return as_config(json!({
            "name": name, "trainable": true, "dtype": dtype_policy::<T>(), "layers": layers,
            "build_input_shape": shape,
        }));
    }
    let (places, histories) = (graph.places(), histories(graph, built));
    for (it, layer) in graph.listed.iter().zip(&mut layers) {
        layer["name"] = layer["config"]["name"].clone();
        layer["inbound_nodes"] = match *it {
            Listed::Input(_) => json!([]),
            Listed::Layer(number) => {
                let nodes = &places.of_layer[number];
                let class_name = built[number].layer.class_name();
                let config = layer["config"].as_object_mut();
                let options: Vec<(&str, Value)> = config.map_or_else(Vec::new, |config| {
                    let taken = |name| Some((name, config.remove(name)?));
                    OPTIONS.into_iter().filter_map(taken).collect()
                });
                calls::written::<T>(graph, nodes, &histories, class_name, &options)
            }
        };
    }
    // In Keras a list stays a list, even of one: `TimeDistributed` fails with a model that gives one.
    let ends = |sources: &mut dyn Iterator<Item = Source>| -> Value {
        let ends = sources.map(|source| histories[graph.place(source)].clone());
        let mut ends: Vec<Value> = ends.collect();
        if ends.len() == 1 { ends.remove(0) } else { ends.into() }
    };
    as_config(json!({
        "name": name, "trainable": true, "layers": layers,
        "input_layers": ends(&mut (0..graph.inputs.len()).map(Source::Input)),
        "output_layers": ends(&mut graph.outputs.iter().copied()),
    }))
}

fn input_config<T: Scalar>(input: &Entrance) -> Value {
    let config = json!({
        "batch_shape": batch_shape(input.shape), "dtype": dtype::<T>(), "sparse": false,
        "ragged": false, "name": input.name, "optional": false,
    });
    keras_object("keras.layers", "InputLayer", config)
}

/// How files name values, by place: the layer, which of its nodes, and which of its outputs.
fn histories<T: Scalar>(graph: &Graph, layers: &[Built<T>]) -> Vec<Value> {
    let mut nodes = vec![0; layers.len()];
    let inputs = graph.inputs.iter().map(|input| json!([input.name, 0, 0]));
    let mut histories: Vec<Value> = inputs.collect();
    for node in &graph.nodes {
        for output in 0..node.outputs.len() {
            histories.push(json!([layers[node.layer].name, nodes[node.layer], output]));
        }
        nodes[node.layer] += 1;
    }
    histories
}

fn layer_config<T: Scalar>(built: &Built<T>) -> Value {
    let class_name = built.layer.class_name();
    let mut own = built.layer.config();
    // The model decides on these, whatever the layer says.
    own.retain(|key, _| !matches!(key.as_str(), "name" | "dtype"));
    let mut config = Config::new();
    config.insert("name", json!(built.name));
    // Layers of a user's own need not know of it.
    if own.remove("trainable").is_some() {
        config.insert("trainable", json!(built.trainable));
    }
    let is_model = MODELS.contains(&class_name);
    if !is_model {
        config.insert("dtype", dtype_policy::<T>());
    }
    config.extend(own);
    if is_model {
        if !built.trainable {
            set_trainable(&mut config, false);
        }
        return model_object(class_name == "Sequential", config);
    }
    let mut object = keras_object("keras.layers", class_name, Value::Object(config));
    if !BUILTIN.contains(&class_name) {
        object["module"] = Value::Null;
        object["registered_name"] = json!(class_name);
    }
    // Keras writes it for layers whose weights or shapes depend on it.
    if !built.params.is_empty() || class_name == "Flatten" || built.inputs.len() > 1 {
        object["build_config"] =
            calls::build_config(class_name, &built.layer.config(), &built.inputs);
    }
    object
}

/// The classes of models.
pub(super) const MODELS: [&str; 3] = ["Functional", "Model", "Sequential"];

/// Says of all layers of a model whether they are trained. Keras says of the layers of a frozen model that they are not; here,
/// it is said of the model alone.
fn set_trainable(config: &mut Config, to: bool) {
    let Some(Value::Array(layers)) = config.get_mut("layers") else { return };
    for layer in layers {
        if let Some(Value::Object(config)) = layer.get_mut("config")
            && let Some(trainable) = config.get_mut("trainable")
        {
            *trainable = Value::Bool(to);
            set_trainable(config, to);
        }
    }
}

/// A model as a file describes it: layers with shapes, still without weights.
pub(crate) struct Description<T: Scalar> {
    pub outline: Outline<T>,
    pub compile: Option<Compile<T>>,
}

/// Reads what [`to_config`] writes, and what Keras 3 does.
///
/// # Errors
/// A sentence that names the layer and the option.
pub(crate) fn from_config<T: Scalar>(
    model: &Value,
    registry: &Registry<T>,
) -> Result<Description<T>, Reason> {
    let (class_name, config) = object(model)?;
    let frozen = config.get("trainable") == Some(&Value::Bool(false));
    let outline = read_model(class_name, &config, frozen, registry)?;
    let outputs = outline.graph.output_names(|layer| outline.layers[layer].name.clone());
    let compile = match model.get("compile_config") {
        Some(config) if config.as_object().is_some_and(|config| !config.is_empty()) => Some(
            Compile::from_config(config, registry, &outputs)
                .map_err(|reason| {
                    format!(
                        "compile_config: {reason}; or open the model without what it was compiled with: \
                         Load::new(path).compile(false)"
                    )
                })?,
        ),
        _ => None,
    };
    Ok(Description { outline, compile })
}

/// All that keeps a model from being read: a sentence for each layer, also for those of models in it. Where each
/// layer alone is right, it is what else is wrong.
pub(crate) fn unsupported<T: Scalar>(model: &Value, registry: &Registry<T>) -> Vec<Reason> {
    let reasons = unsupported_layers(model, registry);
    if reasons.is_empty() {
        return from_config(model, registry).err().into_iter().collect();
    }
    reasons
}

fn unsupported_layers<T: Scalar>(model: &Value, registry: &Registry<T>) -> Vec<Reason> {
    let config = model.get("config").and_then(Value::as_object);
    let layers = config.and_then(|config| config.get("layers")?.as_array());
    let (Some(config), Some(layers)) = (config, layers) else { return Vec::new() };
    let graph = model["class_name"] != "Sequential";
    let needed = if graph { functional::needed(config, layers) } else { None };
    let mut reasons = Vec::new();
    for layer in layers {
        let name = layer["config"]["name"].as_str().or(layer["name"].as_str());
        let name = name.unwrap_or("without a name");
        if needed.as_ref().is_some_and(|needed| !needed.contains(name)) {
            continue;
        }
        let class_name = layer["class_name"].as_str().unwrap_or_default();
        let within =
            |reason: Reason| reason.inside(|why| format!("layer {name} ({class_name}): {why}"));
        let is_model = MODELS.contains(&class_name);
        let inner = if is_model { unsupported_layers(layer, registry) } else { Vec::new() };
        if !inner.is_empty() {
            reasons.extend(inner.into_iter().map(within));
        } else if let Err(reason) = read_layer(layer, false, registry) {
            reasons.push(reason);
        } else if graph {
            reasons.extend(functional::unsupported_call(layer).map(within));
        }
    }
    reasons
}

/// Reads a model: `frozen` is whether none of its layers is trained.
fn read_model<T: Scalar>(
    class_name: &str,
    config: &Config,
    frozen: bool,
    registry: &Registry<T>,
) -> Result<Outline<T>, Reason> {
    let Some(layers) = config.get("layers").and_then(Value::as_array) else {
        return Err("the model has no list of layers".into());
    };
    let draft = match class_name {
        "Sequential" => chain(config, layers, frozen, registry)?,
        "Functional" | "Model" => functional::read(config, layers, frozen, registry)?,
        _ => {
            return Err(format!(
                "the model is a {class_name}; only Sequential and Functional are supported"
            )
            .into());
        }
    };
    draft.outline().map_err(|error| error.to_string().into())
}

/// A chain: its input is a layer of the list, or said beside it.
fn chain<T: Scalar>(
    config: &Config,
    layers: &[Value],
    frozen: bool,
    registry: &Registry<T>,
) -> Result<Draft<T>, Reason> {
    let mut input = match config.get("build_input_shape") {
        Some(shape) if !shape.is_null() => Some(sample_shape(shape)?),
        _ => None,
    };
    let mut read = Vec::with_capacity(layers.len());
    for layer in layers {
        match read_layer(layer, frozen, registry)? {
            Read::Input(shape) => input = Some(shape),
            Read::Layer(name, layer) => read.push((name, layer)),
        }
    }
    let input = input.ok_or("the model does not say the shape of its input")?;
    let name = match config.get("name") {
        Some(Value::String(name)) => name.clone(),
        _ => "sequential".to_owned(),
    };
    Ok(Draft::chain(name, input, read))
}

/// An entry of a list of layers, with its name.
pub(super) enum Read<T: Scalar> {
    Input(Shape),
    Layer(Option<String>, Arc<dyn MultiLayer<T>>),
}

pub(super) fn read_layer<T: Scalar>(
    layer: &Value,
    frozen: bool,
    registry: &Registry<T>,
) -> Result<Read<T>, Reason> {
    let (class_name, mut config) = object(layer)?;
    let name = match config.remove("name") {
        Some(Value::String(name)) => Some(name),
        _ => None,
    };
    if class_name == "InputLayer" {
        for option in ["sparse", "ragged"] {
            if config.get(option) == Some(&Value::Bool(true)) {
                return Err(format!("the input layer is {option}, which is not supported").into());
            }
        }
        let shape = config.get("batch_shape").or_else(|| config.get("batch_input_shape"));
        let shape = sample_shape(shape.ok_or("the input layer has no batch_shape")?)?;
        return Ok(Read::Input(shape));
    }
    let described = name.as_deref().unwrap_or("without a name").to_owned();
    let wrong =
        |reason: Reason| reason.inside(|why| format!("layer {described} ({class_name}): {why}"));
    if MODELS.contains(&class_name) {
        // What is said of the whole model is said of all of its layers as well.
        let trainable = !frozen && config.get("trainable") != Some(&Value::Bool(false));
        if !trainable {
            set_trainable(&mut config, true);
        }
        config.insert("name", json!(name.as_deref().unwrap_or("model")));
        let outline = read_model(class_name, &config, false, registry).map_err(wrong)?;
        let layer = ModelLayer::outlined(outline, trainable);
        return Ok(Read::Layer(name, shared_multi(layer)));
    }
    if let Some(found) = config.remove("dtype").as_ref().and_then(dtype_name)
        && found != dtype::<T>()
        && !SHORT.contains(&found)
        && !(found.starts_with("int") && WHOLE.contains(&class_name))
        // What computes texts or whole numbers is none of the layers here, which is said below.
        && (found.starts_with("float") || BUILTIN.contains(&class_name))
    {
        return Err(wrong(
            format!(
                "it computes in {found}, and this model in {}; `Load::new(path).convert(true)` makes it one of this type",
                dtype::<T>()
            )
            .into(),
        ));
    }
    if frozen {
        config.insert("trainable", Value::Bool(false));
    }
    // A model for each step: only models know what a model is.
    let inner = config.get("layer").filter(|_| class_name == "TimeDistributed");
    if let Some(inner) = inner
        && inner["class_name"].as_str().is_some_and(|inner| MODELS.contains(&inner))
        && let Read::Layer(_, model) = read_layer(inner, frozen, registry).map_err(wrong)?
    {
        let trainable = config.get("trainable") != Some(&Value::Bool(false));
        let layer = TimeDistributed::around(model, trainable);
        return Ok(Read::Layer(name, shared_layer(layer)));
    }
    let custom = layer.get("registered_name").and_then(Value::as_str);
    let layer = match custom.filter(|name| name.contains('>')) {
        Some(name) => registry.make_custom_layer(name, class_name, &config),
        None => registry.make_layer(class_name, &config),
    };
    Ok(Read::Layer(name, layer.map_err(wrong)?))
}

/// What Keras computes in 16 bits: here it is computed more exactly, from the same weights.
const SHORT: [&str; 4] = ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"];

/// What gives whole numbers, which this model has as well.
const WHOLE: [&str; 2] = ["CategoryEncoding", "Discretization"];

/// Makes all of a model compute with the numbers of this type, whatever its file says.
pub(crate) fn convert_types<T: Scalar>(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(convert_types::<T>),
        Value::Object(options) => {
            for (name, option) in options.iter_mut() {
                let found = (name == "dtype").then(|| dtype_name(option)).flatten();
                match found {
                    Some("float32" | "float64") => *option = json!(dtype::<T>()),
                    _ => convert_types::<T>(option),
                }
            }
        }
        _ => {}
    }
}

/// `"float32"` of a text or a policy object.
fn dtype_name(dtype: &Value) -> Option<&str> {
    dtype.as_str().or_else(|| dtype.get("config")?.get("name")?.as_str())
}

/// `[null, 16, 16, 1]` without the null. Keras may ask for batches of one size; this crate takes any.
fn sample_shape(value: &Value) -> Result<Shape, Reason> {
    let wrong =
        || format!("{value} is no input shape; expected null for the batch, then whole numbers");
    let Some([Value::Null | Value::Integer(_) | Value::Float(_), dims @ ..]) = value.as_array()
    else {
        return Err(wrong().into());
    };
    if dims.iter().any(Value::is_null) {
        return Err(format!(
            "the input shape {value} leaves a size open; give one: Load::new(path).input_shape(..)"
        )
        .into());
    }
    let dims: Option<Vec<usize>> =
        dims.iter().map(|dim| usize::try_from(dim.as_u64()?).ok()).collect();
    match dims {
        Some(dims) if dims.len() < MAX_RANK => Ok(Shape::new(&dims)),
        _ => Err(wrong().into()),
    }
}
