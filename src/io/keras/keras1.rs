//! Layers of Keras 1, in the words of Keras 2: pure functions from JSON to JSON. Which words a layer is in is seen from its
//! options.

use crate::config::{Config, Value, json};
use crate::error::Reason;
use crate::nn::class_today;

/// Options that only Keras 1 has, with their later names. `padding` and `strides` have been something else.
const RENAMED: [(&str, &str); 22] = [
    ("nb_filter", "filters"),
    ("border_mode", "padding"),
    ("subsample", "strides"),
    ("subsample_length", "strides"),
    ("init", "kernel_initializer"),
    ("W_regularizer", "kernel_regularizer"),
    ("b_regularizer", "bias_regularizer"),
    ("W_constraint", "kernel_constraint"),
    ("b_constraint", "bias_constraint"),
    ("bias", "use_bias"),
    ("filter_length", "kernel_size"),
    ("pool_length", "pool_size"),
    ("atrous_rate", "dilation_rate"),
    ("output_dim", "units"),
    ("p", "rate"),
    ("inner_init", "recurrent_initializer"),
    ("inner_activation", "recurrent_activation"),
    ("U_regularizer", "recurrent_regularizer"),
    ("beta_init", "beta_initializer"),
    ("gamma_init", "gamma_initializer"),
    ("dropout_W", "dropout"),
    ("dropout_U", "recurrent_dropout"),
];

/// Options of Keras 1 that say nothing about what is computed.
const WITHOUT_EFFECT: [&str; 5] =
    ["input_dim", "input_length", "consume_less", "mode", "forget_bias_init"];

/// Rewrites a layer that Keras 1 described.
///
/// # Errors
/// A sentence about what cannot be said in other words.
pub(super) fn upgrade(class_name: &mut Value, config: &mut Config) -> Result<(), Reason> {
    let class = class_name.as_str().unwrap_or_default().to_owned();
    let old = |config: &Config| {
        RENAMED.iter().any(|(old, _)| {
            // An embedding has had an output_dim always.
            config.contains_key(old) && !(*old == "output_dim" && class == "Embedding")
        })
    };
    let ordering = config.contains_key("dim_ordering");
    let merge = class == "Merge" && config.contains_key("mode");
    let normalization = class == "BatchNormalization" && config.contains_key("mode");
    if !old(config) && !ordering && !merge && !normalization && !class.starts_with("Convolution") {
        return Ok(());
    }
    if merge {
        *class_name = json!(merged(config)?);
        return Ok(());
    }
    if class == "Deconvolution2D" {
        // It follows from the other options.
        config.remove("output_shape");
    }
    if class == "TimeDistributedDense" {
        *class_name = json!("Dense");
    }
    // Whole words were dropped.
    if class == "Embedding" && config.get("dropout") == Some(&json!(0.0)) {
        config.remove("dropout");
    }
    let today = class_today(class_name.as_str().unwrap_or_default()).to_owned();
    *class_name = json!(today);
    if let Some(mode) = config.get("mode").and_then(Value::as_u64)
        && mode != 0
        && class == "BatchNormalization"
    {
        return Err(
            format!("the option mode = {mode} of Keras 1 is not supported; only 0 is").into()
        );
    }
    if let Some(order) = config.remove("dim_ordering") {
        let format = match order.as_str() {
            Some("th") => "channels_first",
            _ => "channels_last",
        };
        config.insert("data_format", json!(format));
    }
    let rows = config.remove("nb_row");
    if let Some((rows, columns)) = rows.zip(config.remove("nb_col")) {
        config.insert("kernel_size", json!([rows, columns]));
    }
    if let Some(stride) = config.remove("stride") {
        config.insert("strides", stride);
    }
    for (old, new) in RENAMED {
        if old == "output_dim" && class == "Embedding" {
            continue;
        }
        if let Some(value) = config.remove(old) {
            config.insert(new, value);
        }
    }
    if class == "Embedding"
        && let Some(initializer) = config.remove("kernel_initializer")
    {
        config.insert("embeddings_initializer", initializer);
    }
    if config.get("activity_regularizer").is_some_and(Value::is_null) {
        config.remove("activity_regularizer");
    }
    for (_, value) in config.iter_mut().filter(|(name, _)| name.ends_with("_initializer")) {
        let name = match value.as_str() {
            Some("uniform") => "random_uniform",
            Some("normal") => "random_normal",
            Some("zero") => "zeros",
            Some("one") => "ones",
            _ => continue,
        };
        *value = json!(name);
    }
    for option in ["kernel_regularizer", "bias_regularizer", "recurrent_regularizer"] {
        if let Some(value) = config.get_mut(option) {
            *value = regularizer(value.take());
        }
    }
    let keeps_input_dim = class == "Embedding";
    config.retain(|name, _| {
        !WITHOUT_EFFECT.contains(&name.as_str()) || (keeps_input_dim && name == "input_dim")
    });
    Ok(())
}

/// `{"name": "WeightRegularizer", "l1": 0, "l2": 0.01}` in today's words.
fn regularizer(value: Value) -> Value {
    let Some(old) = value.as_object().filter(|old| old.contains_key("name")) else { return value };
    let factor = |name: &str| old.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    json!({ "class_name": "L1L2", "config": { "l1": factor("l1"), "l2": factor("l2") } })
}

/// The class that does what a `Merge` of this mode did.
fn merged(config: &mut Config) -> Result<&'static str, Reason> {
    let mode = config.get("mode").and_then(Value::as_str).unwrap_or_default().to_owned();
    let axis = config.get("concat_axis").cloned();
    let axes = config.get("dot_axes").cloned();
    let (name, trainable) = (config.get("name").cloned(), config.get("trainable").cloned());
    *config = Config::new();
    for (key, value) in [("name", name), ("trainable", trainable)] {
        if let Some(value) = value {
            config.insert(key, value);
        }
    }
    Ok(match mode.as_str() {
        "sum" => "Add",
        "mul" => "Multiply",
        "ave" => "Average",
        "max" => "Maximum",
        "concat" => {
            if let Some(axis) = axis {
                config.insert("axis", axis);
            }
            "Concatenate"
        }
        "dot" => {
            config.insert("axes", axes.unwrap_or(json!(-1)));
            config.insert("normalize", json!(false));
            "Dot"
        }
        other => return Err(format!("a Merge with the mode {other:?} is not supported").into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upgraded(class: &str, config: Value) -> (Value, Value) {
        let (mut class, Value::Object(mut config)) = (json!(class), config) else { panic!() };
        upgrade(&mut class, &mut config).unwrap();
        (class, Value::Object(config))
    }

    #[test]
    fn convolutions_and_dense_layers() {
        let (class, config) = upgraded(
            "Convolution2D",
            json!({
                "name": "convolution2d_1", "trainable": true, "nb_filter": 8, "nb_row": 5, "nb_col": 3,
                "init": "glorot_uniform", "activation": "relu", "border_mode": "same", "subsample": [2, 1],
                "dim_ordering": "tf", "W_regularizer": { "name": "WeightRegularizer", "l1": 0.0, "l2": 0.01 },
                "b_regularizer": null, "activity_regularizer": null, "W_constraint": null, "b_constraint": null,
                "bias": true,
            }),
        );
        assert_eq!(class, "Conv2D");
        let expected = json!({
            "name": "convolution2d_1", "trainable": true, "activation": "relu", "data_format": "channels_last",
            "kernel_size": [5, 3], "filters": 8, "padding": "same", "strides": [2, 1],
            "kernel_initializer": "glorot_uniform",
            "kernel_regularizer": { "class_name": "L1L2", "config": { "l1": 0.0, "l2": 0.01 } },
            "bias_regularizer": null, "kernel_constraint": null, "bias_constraint": null, "use_bias": true,
        });
        assert_eq!(config, expected);

        let (class, config) = upgraded(
            "Dense",
            json!({ "output_dim": 4, "init": "uniform", "input_dim": 7, "bias": true }),
        );
        assert_eq!(class, "Dense");
        let expected =
            json!({ "units": 4, "kernel_initializer": "random_uniform", "use_bias": true });
        assert_eq!(config, expected);
        assert_eq!(upgraded("Dropout", json!({ "p": 0.25 })).1, json!({ "rate": 0.25 }));
    }

    #[test]
    fn merges_become_layers_of_their_own() {
        let concat =
            json!({ "name": "merge_1", "mode": "concat", "concat_axis": -1, "dot_axes": -1 });
        let expected = (json!("Concatenate"), json!({ "name": "merge_1", "axis": -1 }));
        assert_eq!(upgraded("Merge", concat), expected);
        assert_eq!(upgraded("Merge", json!({ "mode": "sum" })), (json!("Add"), json!({})));
        let mut config = Config::from_iter([("mode".to_owned(), json!("cos"))]);
        assert!(
            upgrade(&mut json!("Merge"), &mut config).unwrap_err().as_str().contains("\"cos\"")
        );
    }

    #[test]
    fn later_words_stay() {
        let dense = json!({ "units": 4, "use_bias": true });
        assert_eq!(upgraded("Dense", dense.clone()), (json!("Dense"), dense));
        let embedding = json!({ "input_dim": 9, "output_dim": 4 });
        assert_eq!(upgraded("Embedding", embedding.clone()), (json!("Embedding"), embedding));
    }
}
