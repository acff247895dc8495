//! A layer in another layer's options.

use super::{MultiLayer, make_builtin};
use crate::config::{Config, Options, Value, object};
use crate::error::Reason;
use crate::scalar::Scalar;
use std::sync::Arc;

/// The class name and options of a layer in another layer's options: without its name, and without what says nothing about
/// how it computes.
pub(crate) fn nested(value: &Value) -> Result<(&str, Config), Reason> {
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

/// The layer that is the option `layer` of another one.
pub(super) fn nested_layer<T: Scalar>(
    options: &mut Options<'_>,
) -> Result<Arc<dyn MultiLayer<T>>, Reason> {
    let value = options.value("layer").ok_or("the option layer is missing")?;
    let (class_name, config) = nested(value)?;
    let layer = make_builtin(class_name, &config)
        .ok_or_else(|| format!("the layer in it is a {class_name}, which is not known"))?;
    layer.map_err(|error| format!("the {class_name} in it: {error}").into())
}
