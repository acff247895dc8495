//! Names of layers that have a `/`, as `conv1/bn` in the DenseNet of Keras 2. Keras 3 has no such names, and called these `conv1_bn`.

use crate::config::{Config, Value, json, name_of};
use std::collections::{BTreeSet, HashMap};

/// New names by old ones.
type Renamed = HashMap<String, String>;

/// Gives the layers of a model whose names have a `/` names without, wherever they are mentioned.
pub(super) fn without_slashes(model: &mut Value, training: Option<&mut Value>) {
    let mut names = BTreeSet::new();
    collect(model, &mut names);
    let old: Vec<String> = names.iter().filter(|name| name.contains('/')).cloned().collect();
    if old.is_empty() {
        return;
    }
    let mut renamed = Renamed::new();
    for name in old {
        let mut new = name.replace('/', "_");
        while !names.insert(new.clone()) {
            new.push('_');
        }
        renamed.insert(name, new);
    }
    rename(model, &renamed);
    if let Some(training) = training {
        rename_keys(training, &renamed);
    }
    if let Some(training) = model.get_mut("compile_config") {
        rename_keys(training, &renamed);
    }
}

/// The names of all layers, also of those in models in the model.
fn collect(model: &Value, names: &mut BTreeSet<String>) {
    let config = model.get("config");
    let layers = config.and_then(|it| it.as_array().or_else(|| it.get("layers")?.as_array()));
    for layer in layers.unwrap_or_default() {
        names.extend(name_of(layer).map(str::to_owned));
        collect(layer, names);
    }
}

/// Names stand as options `name`, and at the beginning of what says where a value comes from: `["conv1/bn", 0, 0]`.
fn rename(value: &mut Value, renamed: &Renamed) {
    let replace = |name: &mut Value| {
        if let Some(new) = name.as_str().and_then(|name| renamed.get(name)) {
            *name = json!(new);
        }
    };
    match value {
        Value::Array(values) => {
            if let [name, Value::Integer(_), ..] = &mut values[..] {
                replace(name);
            }
            values.iter_mut().for_each(|value| rename(value, renamed));
        }
        Value::Object(options) => {
            for (key, option) in options.iter_mut() {
                if key == "name" {
                    replace(option);
                }
                rename(option, renamed);
            }
        }
        _ => {}
    }
}

/// Losses and metrics of several outputs are said by the outputs' names.
fn rename_keys(value: &mut Value, renamed: &Renamed) {
    if let Value::Object(options) = value {
        let entries = std::mem::take(options);
        *options = Config::from_iter(entries.iter().map(|(key, value)| {
            let mut value = value.clone();
            rename_keys(&mut value, renamed);
            (renamed.get(key).unwrap_or(key).clone(), value)
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_wherever_they_are() {
        let layer = |name: &str, from: &str| json!({ "class_name": "ReLU", "name": name, "config": { "name": name }, "inbound_nodes": [[[from, 0, 0, {}]]] });
        let model = |names: [&str; 3]| {
            let [a, b, c] = names;
            json!({ "class_name": "Functional", "config": {
                "name": "m", "layers": [layer(a, "x"), layer(b, a), layer(c, b)], "output_layers": [[c, 0, 0]],
            } })
        };
        let mut old = model(["conv1/bn", "conv1_bn", "out/a"]);
        let mut training = json!({ "loss": { "out/a": "mse" }, "metrics": ["mae"] });
        without_slashes(&mut old, Some(&mut training));
        assert_eq!(old, model(["conv1_bn_", "conv1_bn", "out_a"]));
        assert_eq!(training, json!({ "loss": { "out_a": "mse" }, "metrics": ["mae"] }));
        // A model without such names stays as it is.
        let mut same = model(["a", "b", "c"]);
        without_slashes(&mut same, None);
        assert_eq!(same, model(["a", "b", "c"]));
    }
}
