//! Objects of Keras: a class by name, and its options.

use super::{Config, Value, json};
use crate::error::Reason;

/// The class name and options of an object that Keras wrote: a text, or an object with
/// `class_name` and `config`.
pub(crate) fn object(value: &Value) -> Result<(&str, Config), Reason> {
    if let Value::String(name) = value {
        return Ok((name, Config::new()));
    }
    let name = value.get("class_name").and_then(Value::as_str);
    let config = value.get("config");
    match (name, config) {
        (Some(name), Some(Value::Object(config))) => Ok((name, config.clone())),
        (Some(name), None | Some(Value::Null)) => Ok((name, Config::new())),
        _ => Err(format!(
            "expected a name, or an object with class_name and config, and found {value}"
        )
        .into()),
    }
}

/// The name of a layer, as an entry of a list of layers has it: beside its options or among them.
pub(crate) fn name_of(layer: &Value) -> Option<&str> {
    layer.get("name").or_else(|| layer.get("config")?.get("name"))?.as_str()
}

/// A JSON object as options.
pub(crate) fn as_config(object: Value) -> Config {
    let Value::Object(config) = object else { unreachable!("written as an object") };
    config
}

/// An object as Keras writes it.
pub(crate) fn keras_object(module: &str, class_name: &str, config: Value) -> Value {
    json!({
        "module": module, "class_name": class_name, "config": config, "registered_name": null,
    })
}
