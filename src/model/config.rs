//! A model's architecture as the JSON that Keras 3 writes.

use super::builder::{Planned, Sequential};
use super::model::{Built, Model};
use crate::nn::{BUILTIN, Config, keras_object, object};
use crate::scalar::Scalar;
use crate::tensor::{MAX_RANK, Shape};
use crate::train::{Compile, Registry};
use serde_json::{Value, json};

/// Keras's name of an element type: `float32`.
fn dtype<T: Scalar>() -> String {
    format!("float{}", 8 * T::BYTES)
}

fn dtype_policy<T: Scalar>() -> Value {
    keras_object("keras", "DTypePolicy", json!({ "name": dtype::<T>() }))
}

/// A shape with a null for the batch in front.
fn batch_shape(shape: Shape) -> Value {
    let dims = shape.iter().map(|&dim| json!(dim));
    Value::Array(std::iter::once(Value::Null).chain(dims).collect())
}

/// What Keras 3 writes as `config.json`.
pub(crate) fn to_config<T: Scalar>(model: &Model<T>) -> Value {
    let input = json!({
        "batch_shape": batch_shape(model.input), "dtype": dtype::<T>(), "sparse": false,
        "ragged": false, "name": "input_layer", "optional": false,
    });
    let mut layers = vec![keras_object("keras.layers", "InputLayer", input)];
    layers.extend(model.layers.iter().map(layer_config));
    let config = json!({
        "name": model.name, "trainable": true, "dtype": dtype_policy::<T>(), "layers": layers,
        "build_input_shape": batch_shape(model.input),
    });
    let mut model_config = keras_object("keras", "Sequential", config);
    model_config["build_config"] = json!({ "input_shape": batch_shape(model.input) });
    if let Some(compiled) = &model.compiled {
        model_config["compile_config"] = compiled.config();
    }
    model_config
}

fn layer_config<T: Scalar>(built: &Built<T>) -> Value {
    let class_name = built.layer.class_name();
    let mut own = built.layer.config();
    // The model decides on these, whatever the layer says.
    own.retain(|key, _| !matches!(key.as_str(), "name" | "dtype"));
    let mut config = Config::new();
    config.insert("name".to_owned(), json!(built.name));
    if let Some(trainable) = own.shift_remove("trainable") {
        config.insert("trainable".to_owned(), trainable);
    }
    config.insert("dtype".to_owned(), dtype_policy::<T>());
    config.extend(own);
    let mut object = keras_object("keras.layers", class_name, Value::Object(config));
    if !BUILTIN.contains(&class_name) {
        object["module"] = Value::Null;
        object["registered_name"] = json!(class_name);
    }
    // Keras writes it for layers whose weights or shapes depend on it.
    if !built.params.is_empty() || class_name == "Flatten" {
        object["build_config"] = json!({ "input_shape": batch_shape(built.input) });
    }
    object
}

/// A model as a file describes it: layers with shapes, still without weights.
pub(crate) struct Description<T: Scalar> {
    pub name: String,
    pub input: Shape,
    pub layers: Vec<Planned<T>>,
    pub compile: Option<Compile<T>>,
}

/// Reads what [`to_config`] writes, and what Keras 3 does.
///
/// # Errors
/// A sentence that names the layer and the option.
pub(crate) fn from_config<T: Scalar>(
    model: &Value,
    registry: &Registry<T>,
) -> Result<Description<T>, String> {
    let (class_name, config) = object(model)?;
    if class_name != "Sequential" {
        return Err(format!("the model is a {class_name}; only Model is supported"));
    }
    let Some(layers) = config.get("layers").and_then(Value::as_array) else {
        return Err("the model has no list of layers".to_owned());
    };
    let mut input = match config.get("build_input_shape") {
        Some(shape) if !shape.is_null() => Some(sample_shape(shape)?),
        _ => None,
    };
    let frozen = config.get("trainable") == Some(&Value::Bool(false));
    let mut read = Vec::with_capacity(layers.len());
    for layer in layers {
        let (class_name, mut config) = object(layer)?;
        if class_name == "InputLayer" {
            for name in ["sparse", "ragged"] {
                if config.get(name) == Some(&Value::Bool(true)) {
                    return Err(format!("the input layer is {name}, which is not supported"));
                }
            }
            let shape = config.get("batch_shape").or_else(|| config.get("batch_input_shape"));
            input = Some(sample_shape(shape.ok_or("the input layer has no batch_shape")?)?);
            continue;
        }
        let name = match config.shift_remove("name") {
            Some(Value::String(name)) => Some(name),
            _ => None,
        };
        let described = name.as_deref().unwrap_or("without a name").to_owned();
        let wrong = |reason: String| format!("layer {described} ({class_name}): {reason}");
        if let Some(found) = config.shift_remove("dtype").as_ref().and_then(dtype_name)
            && found != dtype::<T>()
        {
            return Err(wrong(format!(
                "it computes in {found}, and this model in {}",
                dtype::<T>()
            )));
        }
        if frozen {
            config.insert("trainable".to_owned(), Value::Bool(false));
        }
        let custom = layer.get("registered_name").and_then(Value::as_str);
        let layer = match custom.filter(|name| name.contains('>')) {
            Some(name) => registry.make_custom_layer(name, class_name, &config),
            None => registry.make_layer(class_name, &config),
        };
        read.push((name, layer.map_err(wrong)?));
    }
    let input = input.ok_or("the model does not say the shape of its input")?;
    let mut builder = Sequential::<T>::new(input);
    if let Some(Value::String(name)) = config.get("name") {
        builder = builder.name(name.clone());
    }
    read.into_iter().for_each(|(name, layer)| builder.add_named(name, layer));
    let (name, input) = builder.head();
    let layers = builder.plan().map_err(|error| error.to_string())?;
    let compile = match model.get("compile_config") {
        Some(config) if config.as_object().is_some_and(|config| !config.is_empty()) => Some(
            Compile::from_config(config, registry)
                .map_err(|reason| format!("compile_config: {reason}"))?,
        ),
        _ => None,
    };
    Ok(Description { name, input, layers, compile })
}

/// `"float32"` of a text or a policy object.
fn dtype_name(dtype: &Value) -> Option<&str> {
    dtype.as_str().or_else(|| dtype.get("config")?.get("name")?.as_str())
}

/// `[null, 16, 16, 1]` without the null. Keras may ask for batches of one size; this crate takes any.
fn sample_shape(value: &Value) -> Result<Shape, String> {
    let wrong =
        || format!("{value} is no input shape; expected null for the batch, then whole numbers");
    let Some([Value::Null | Value::Number(_), dims @ ..]) = value.as_array().map(Vec::as_slice)
    else {
        return Err(wrong());
    };
    let dims: Option<Vec<usize>> =
        dims.iter().map(|dim| usize::try_from(dim.as_u64()?).ok()).collect();
    match dims {
        Some(dims) if dims.len() < MAX_RANK => Ok(Shape::new(&dims)),
        _ => Err(wrong()),
    }
}
