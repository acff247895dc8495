//! A layer in another layer's options.

use crate::config::{Config, Value, object};
use crate::error::Reason;

/// The class name and options of a layer in another layer's options: without its name, and without what says nothing about
/// how it computes.
pub(super) fn nested(value: &Value) -> Result<(&str, Config), Reason> {
    let (class_name, mut config) = object(value)?;
    let registered = value.get("registered_name").and_then(Value::as_str);
    if let Some(registered) = registered.filter(|name| name.contains('>')) {
        return Err(format!("the layer in it is the class {registered} of somebody's own").into());
    }
    for name in ["name", "dtype", "batch_input_shape"] {
        config.remove(name);
    }
    Ok((class_name, config))
}
