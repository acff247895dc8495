//! What older versions of Keras wrote, as Keras 3 would write it: pure functions from JSON to JSON.
//!
//! An `.h5` file of a whole model has two texts, `model_config` and `training_config`, which become one object like
//! `config.json` of a `.keras` file. They changed over the years: a list of layers became an object with a name
//! (Keras 2.2.3), `lr` became `learning_rate` (2.3), metrics became lists of lists of objects (TensorFlow 2.2).

use super::{keras1, lambda, names, operations};
use crate::config::{Config, Value, json, keras_object, object, own_name};
use crate::error::Reason;

/// Layers of an older version that have no words in Keras 3: the name of each, and why.
pub(super) type Refused = Vec<(String, Reason)>;

/// The error of the first layer that is refused.
pub(super) fn accept(refused: Refused) -> Result<(), Reason> {
    refused.into_iter().next().map_or(Ok(()), |(_, reason)| Err(reason))
}

/// The model and what it was compiled with, as one object. The layers that are refused stay as they are. `version` is that of the Keras that wrote the file.
pub(super) fn upgrade(
    mut model: Value,
    mut training: Option<Value>,
    version: &str,
    refused: &mut Refused,
) -> Result<Value, Reason> {
    upgrade_options(&mut model, version);
    names::without_slashes(&mut model, training.as_mut());
    let (class_name, mut config) = match &model {
        // Until Keras 2.2.2.
        Value::Object(model) if model.get("config").is_some_and(Value::is_array) => {
            let class_name = model.get("class_name").and_then(Value::as_str).unwrap_or_default();
            (class_name, Config::from_iter([("layers".to_owned(), model["config"].clone())]))
        }
        model => object(model)?,
    };
    if let Some(Value::Array(layers)) = config.get_mut("layers") {
        upgrade_layers(layers, class_name == "Sequential", refused);
    }
    let mut config = Value::Object(config);
    operations::replace(&mut config);
    let mut upgraded = keras_object("keras", class_name, config);
    // A training_config without an optimizer leaves the model uncompiled.
    let has_optimizer = |training: &Value| match training {
        Value::Object(training) => training.get("optimizer_config").is_some_and(|it| !it.is_null()),
        _ => true,
    };
    if let Some(training) = training.filter(has_optimizer) {
        upgraded["compile_config"] = upgrade_training(training, version)?;
    }
    Ok(upgraded)
}

/// The description of an archive. Those of TensorFlow 2.12 to 2.15 are written in the style of `.h5` files. What a model was
/// compiled with is left out where it is not wanted, or has no optimizer.
pub(super) fn upgrade_archive(
    config: &mut Value,
    compile: bool,
    version: &str,
    refused: &mut Refused,
) -> Result<(), Reason> {
    upgrade_options(config, version);
    names::without_slashes(config, None);
    upgrade_inner_model(config, refused);
    match config.get_mut("compile_config") {
        Some(training)
            if compile && training.as_object().is_some() && !training["optimizer"].is_null() =>
        {
            training["optimizer"] = upgrade_optimizer(&training["optimizer"], version)?;
            upgrade_goals(training);
        }
        _ => {
            if let Value::Object(config) = config {
                config.remove("compile_config");
            }
        }
    }
    Ok(())
}

/// Options that meant something else until Keras 2: `hard_sigmoid` was another function, which has a name of its own here, and the
/// reset gate of a GRU that does not say where it stands came first.
fn upgrade_options(value: &mut Value, version: &str) {
    let number = version.split('.').next().and_then(|number| number.parse::<u32>().ok());
    if number.is_some_and(|number| number >= 3) {
        return;
    }
    // How Keras 2.12 wrote a number of NumPy's.
    if value.get("class_name").is_some_and(|class| *class == "__numpy__") {
        *value = value.inside_mut(&["config", "value"]).map_or(Value::Null, Value::take);
    }
    match value {
        Value::Array(values) => {
            values.iter_mut().for_each(|value| upgrade_options(value, version));
        }
        Value::Object(options) => {
            let gru = options
                .get("class_name")
                .is_some_and(|class| *class == "GRU" || *class == "GRUCell");
            if let Some(Value::Object(config)) = options.get_mut("config").filter(|_| gru)
                && !config.contains_key("reset_after")
            {
                config.insert("reset_after", json!(false));
            }
            for (name, value) in options.iter_mut() {
                let names = ["activation", "recurrent_activation", "inner_activation"];
                let activation = names.contains(&name.as_str());
                if activation && *value == "hard_sigmoid" {
                    *value = json!("hard_sigmoid_keras2");
                }
                upgrade_options(value, version);
            }
        }
        _ => {}
    }
}

/// Moves the input's shape from the first layer into one of its own.
fn upgrade_layers(layers: &mut Vec<Value>, chain: bool, refused: &mut Refused) {
    let mut input = None;
    for layer in layers.iter_mut() {
        let is_input = layer["class_name"] == "InputLayer";
        upgrade_inner_model(layer, refused);
        let within = upgrade_words(layer, chain, refused);
        if let Some(config) = layer.get_mut("config").and_then(Value::as_object_mut)
            && !is_input
        {
            let shape = config.remove("batch_input_shape");
            config.remove("input_dtype");
            input = input.or(shape).or(within);
        }
    }
    let has_input = layers.first().is_some_and(|layer| layer["class_name"] == "InputLayer");
    if let Some(shape) = input
        && chain
        && !has_input
    {
        layers
            .insert(0, keras_object("keras.layers", "InputLayer", json!({ "batch_shape": shape })));
    }
}

/// A layer and the layers that it wraps, in today's words. Returns the shape of the input if it is said of the wrapped layer, which
/// takes the same one.
fn upgrade_words(layer: &mut Value, chain: bool, refused: &mut Refused) -> Option<Value> {
    // Without a class it is no layer.
    let class_name = layer.get("class_name")?;
    if chain
        && *class_name == "Lambda"
        && let Some((class_name, config)) = lambda::in_chain(layer)
    {
        layer["class_name"] = json!(class_name);
        if let (Some(Value::Object(old)), Value::Object(new)) = (layer.get_mut("config"), config) {
            old.retain(|name, _| {
                matches!(name.as_str(), "name" | "trainable" | "batch_input_shape")
            });
            old.extend(new);
        }
    }
    let mut input = None;
    for wrapped in ["layer", "backward_layer"] {
        let Some(inner) = layer.inside_mut(&["config", wrapped]) else { continue };
        upgrade_inner_model(inner, refused);
        upgrade_words(inner, true, refused);
        if let Some(Value::Object(config)) = inner.get_mut("config") {
            config.remove("input_dtype");
            input = config.remove("batch_input_shape").or(input);
        }
    }
    if let Some(Value::Object(config)) = layer.get_mut("config") {
        let mut config = std::mem::take(config);
        let name = config.get("name").and_then(Value::as_str).unwrap_or("without a name");
        let (name, class_name) = (name.to_owned(), layer["class_name"].clone());
        renamed(&mut layer["class_name"], &mut config);
        if let Err(reason) = keras1::upgrade(&mut layer["class_name"], &mut config) {
            let class_name = class_name.as_str().unwrap_or_default();
            refused.push((name.clone(), format!("layer {name} ({class_name}): {reason}").into()));
        }
        layer["config"] = Value::Object(config);
    }
    input.filter(|_| layer["class_name"] == "Bidirectional")
}

/// Classes that Keras 3 does not have, as what they are.
fn renamed(class_name: &mut Value, config: &mut Config) {
    let class = match class_name.as_str() {
        Some("ThresholdedReLU") => {
            let theta = config.remove("theta");
            config.insert("threshold", theta.filter(|it| !it.is_null()).unwrap_or(json!(1.0)));
            "ReLU"
        }
        // What they compute is fixed, and their weights stand otherwise: see `cudnn`.
        Some("CuDNNLSTM") => {
            config.remove("time_major");
            "LSTM"
        }
        Some("CuDNNGRU") => {
            config.remove("time_major");
            config.insert("reset_after", json!(true));
            "GRU"
        }
        _ => return,
    };
    *class_name = json!(class);
}

/// A model among the layers of another.
fn upgrade_inner_model(layer: &mut Value, refused: &mut Refused) {
    let chain = layer["class_name"] == "Sequential";
    // Until Keras 2.2.2, a chain was a list.
    if chain && layer["config"].is_array() {
        layer["config"] = json!({ "name": layer["name"], "layers": layer["config"].take() });
    }
    if let Some(Value::Array(layers)) = layer.inside_mut(&["config", "layers"]) {
        upgrade_layers(layers, chain, refused);
    }
    if let Some(config) = layer.get_mut("config") {
        operations::replace(config);
    }
}

/// The two texts of an `.h5` file, the second of which may be null.
pub(super) fn downgrade(mut config: Value) -> [Value; 2] {
    let mut training = config["compile_config"].take();
    if let Some(training) = training.as_object_mut()
        && let Some(optimizer) = training.remove("optimizer")
    {
        training.insert("optimizer_config", without_module(optimizer));
    }
    downgrade_layers(&mut config);
    [without_module(config), training]
}

fn downgrade_layers(model: &mut Value) {
    if let Some(Value::Array(layers)) = model.inside_mut(&["config", "layers"]) {
        for layer in layers {
            downgrade_layers(layer);
            let [name, inbound] = ["name", "inbound_nodes"].map(|key| layer[key].take());
            *layer = without_module(layer.take());
            // What says how the layers of a graph are connected.
            if !inbound.is_null() {
                (layer["name"], layer["inbound_nodes"]) = (name, inbound);
            }
        }
    }
}

fn without_module(mut object: Value) -> Value {
    let class_name = own_name(object["class_name"].as_str().unwrap_or_default()).to_owned();
    json!({ "class_name": class_name, "config": object["config"].take() })
}

/// Whether there is something in it that is not null: TensorFlow 2.1 wrote `[null, null]`.
fn says(value: &Value) -> bool {
    match value {
        Value::Array(values) => values.iter().any(says),
        Value::Object(options) => options.iter().any(|(_, value)| says(value)),
        value => !value.is_null(),
    }
}

fn upgrade_training(mut training: Value, version: &str) -> Result<Value, Reason> {
    let Some(training) = training.as_object_mut() else {
        return Err(format!("the training_config is no object: {training}").into());
    };
    if let Some(mode) = training.get("sample_weight_mode").filter(|mode| says(mode)) {
        return Err(format!(
            "the option sample_weight_mode = {mode} is not supported; leave it out"
        )
        .into());
    }
    let mut take = |name: &str| training.remove(name).unwrap_or(Value::Null);
    let optimizer = upgrade_optimizer(&take("optimizer_config"), version)?;
    let mut upgraded = json!({
        "optimizer": optimizer,
        "loss": take("loss"),
        "loss_weights": take("loss_weights"),
        "metrics": take("metrics"),
        "weighted_metrics": take("weighted_metrics"),
    });
    upgrade_goals(&mut upgraded);
    Ok(upgraded)
}

/// The losses and metrics of a compilation.
fn upgrade_goals(training: &mut Value) {
    for (name, upgrade) in [
        ("loss", upgrade_loss as fn(Value) -> Value),
        ("metrics", upgrade_metrics),
        ("weighted_metrics", upgrade_metrics),
    ] {
        if let Some(goals) = training.get_mut(name) {
            *goals = upgrade(goals.take());
        }
    }
}

/// An optimizer of any version, as Keras 3 describes it.
pub(super) fn upgrade_optimizer(optimizer: &Value, version: &str) -> Result<Value, Reason> {
    let (class_name, mut config) = object(optimizer)?;
    // What mixed precision puts around an optimizer; nothing is computed in 16 bits here.
    if class_name.starts_with("LossScaleOptimizer")
        && let Some(inner) = config.get("inner_optimizer").or_else(|| config.get("optimizer"))
    {
        return upgrade_optimizer(inner, version);
    }
    // TensorFlow 2.11 to 2.15 call their own optimizers custom.
    let class_name = class_name.strip_prefix("Custom>").unwrap_or(class_name);
    if let Some(rate) = config.remove("lr") {
        config.insert("learning_rate", rate);
    }
    // The schedule of its momentum, which Keras 3 does not choose.
    if class_name.eq_ignore_ascii_case("nadam") {
        config.remove("decay");
        config.remove("schedule_decay");
    }
    if let Some(decay) = config.remove("decay")
        && decay.as_f64() != Some(0.0)
        && !decay.is_null()
    {
        let rate = decayed_rate(class_name, config.get("learning_rate"), &decay)?;
        config.insert("learning_rate", rate);
    }
    for name in ["is_legacy_optimizer", "jit_compile"] {
        config.remove(name);
    }
    // 0 was a way to say none.
    config.retain(|name, value| {
        let optional = matches!(name.as_str(), "weight_decay" | "clipnorm" | "clipvalue");
        !optional || value.as_f64() != Some(0.0)
    });
    // Before it became a part of TensorFlow, Keras clipped the norm of all gradients together.
    let alone = ["2.0.", "2.1.", "2.2.", "2.3."].iter().any(|start| version.starts_with(start));
    if alone
        && !version.ends_with("-tf")
        && let Some(norm) = config.remove("clipnorm")
    {
        config.insert("global_clipnorm", norm);
    }
    Ok(keras_object("keras.optimizers", class_name, Value::Object(config)))
}

/// What an option `decay` was: the learning rate divided by `1 + decay iterations`.
fn decayed_rate(class_name: &str, rate: Option<&Value>, decay: &Value) -> Result<Value, Reason> {
    let default = if class_name == "SGD" { 0.01 } else { 0.001 };
    let rate = rate.map_or(Some(default), Value::as_f64);
    let Some((rate, decay)) = rate.zip(decay.as_f64()) else {
        return Err(format!(
            "optimizer {class_name}: the option decay = {decay} needs to be a number, beside a learning rate that is one"
        ).into());
    };
    let config = json!({
        "initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay, "staircase": false,
        "name": "InverseTimeDecay",
    });
    Ok(keras_object("keras.optimizers.schedules", "InverseTimeDecay", config))
}

/// "auto" is how TensorFlow wrote the mean over the batch. Models with several outputs have a loss for each, in a list or by
/// name.
fn upgrade_loss(loss: Value) -> Value {
    match loss {
        Value::Array(losses) => losses.into_iter().map(upgrade_one_loss).collect(),
        Value::Object(losses) if !losses.contains_key("class_name") => Value::Object(
            losses.into_iter().map(|(name, loss)| (name, upgrade_one_loss(loss))).collect(),
        ),
        loss => upgrade_one_loss(loss),
    }
}

fn upgrade_one_loss(mut loss: Value) -> Value {
    // A function of Keras in an archive, by its name.
    if loss["class_name"] == "function" && loss["config"].as_str().is_some() {
        return loss["config"].take();
    }
    if let Some(reduction) = loss.inside_mut(&["config", "reduction"])
        && *reduction == "auto"
    {
        *reduction = json!("sum_over_batch_size");
    }
    if let Some(config) = loss.get_mut("config").and_then(Value::as_object_mut) {
        config.retain(|name, value| name != "fn" || value.as_str().is_none());
    }
    loss
}

/// TensorFlow wrote a list for each output, of a single one as well, and functions in a wrapper.
fn upgrade_metrics(metrics: Value) -> Value {
    let group = |group: Value| match group {
        Value::Array(metrics) => {
            metrics.into_iter().filter(|metric| !metric.is_null()).map(upgrade_metric).collect()
        }
        metric => upgrade_metric(metric),
    };
    match metrics {
        Value::Array(mut metrics) => {
            if let [Value::Array(inner)] = &mut metrics[..] {
                metrics = std::mem::take(inner);
            }
            metrics.into_iter().map(group).collect()
        }
        Value::Object(metrics) if !metrics.contains_key("class_name") => Value::Object(
            metrics.into_iter().map(|(name, metrics)| (name, group(metrics))).collect(),
        ),
        metrics => metrics,
    }
}

fn upgrade_metric(metric: Value) -> Value {
    if metric["class_name"] != "MeanMetricWrapper" {
        return upgrade_one_loss(metric);
    }
    let config = &metric["config"];
    match config["name"].as_str() {
        Some(name @ ("accuracy" | "acc")) => json!(name),
        _ => upgrade_one_loss(config["fn"].clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keras_2_2_2_becomes_keras_3() {
        let model = json!({ "class_name": "Sequential", "config": [
            { "class_name": "Dense", "config": { "name": "a", "units": 2, "batch_input_shape": [null, 3] } },
            { "class_name": "Dropout", "config": { "name": "b", "rate": 0.5 } },
        ] });
        let training = json!({
            "optimizer_config": {
                "class_name": "SGD",
                "config": { "lr": 0.02, "momentum": 0.5, "decay": 0.0, "nesterov": false, "clipnorm": 2.0 },
            },
            "loss": "categorical_crossentropy", "metrics": ["accuracy"],
            "sample_weight_mode": null, "loss_weights": null,
        });
        let upgraded = upgrade(model, Some(training), "2.2.2", &mut Vec::new()).unwrap();
        assert_eq!(upgraded["class_name"], "Sequential");
        let layers = &upgraded["config"]["layers"];
        assert_eq!(layers[0]["class_name"], "InputLayer");
        assert_eq!(layers[0]["config"]["batch_shape"], json!([null, 3]));
        assert_eq!(layers[1]["config"], json!({ "name": "a", "units": 2 }));
        let optimizer = &upgraded["compile_config"]["optimizer"]["config"];
        let expected = json!({
            "momentum": 0.5, "nesterov": false, "learning_rate": 0.02, "global_clipnorm": 2.0,
        });
        assert_eq!(optimizer, &expected);
        assert_eq!(upgraded["compile_config"]["metrics"], json!(["accuracy"]));
    }

    #[test]
    fn the_hard_sigmoid_is_that_of_its_time() {
        let model = || {
            let inner = json!({ "recurrent_activation": "hard_sigmoid", "activation": "tanh" });
            json!({ "class_name": "Sequential", "config": { "layers": [
                { "class_name": "Activation", "config": { "name": "hard_sigmoid", "activation": "hard_sigmoid" } },
                { "class_name": "Bidirectional", "config": { "layer": { "config": inner } } },
            ] } })
        };
        for version in ["", "1.2.2", "2.2.4-tf", "2.15.0"] {
            let layers =
                upgrade(model(), None, version, &mut Vec::new()).unwrap()["config"]["layers"]
                    .take();
            let config = json!({ "name": "hard_sigmoid", "activation": "hard_sigmoid_keras2" });
            assert_eq!(layers[0]["config"], config, "{version}");
            let inner = &layers[1]["config"]["layer"]["config"];
            let expected =
                json!({ "recurrent_activation": "hard_sigmoid_keras2", "activation": "tanh" });
            assert_eq!(inner, &expected);
            let mut archive = model();
            upgrade_archive(&mut archive, true, version, &mut Vec::new()).unwrap();
            assert_eq!(archive["config"]["layers"], layers);
        }
        let mut archive = model();
        upgrade_archive(&mut archive, true, "3.15.1", &mut Vec::new()).unwrap();
        assert_eq!(archive, model());
    }

    #[test]
    fn tensorflow_2_becomes_keras_3() {
        let optimizer = json!({ "class_name": "Custom>Adam", "config": {
            "name": "Adam", "learning_rate": 0.001, "weight_decay": 0, "clipnorm": 1.0, "jit_compile": true,
            "is_legacy_optimizer": false,
        } });
        let upgraded = upgrade_optimizer(&optimizer, "2.13.1").unwrap();
        assert_eq!(upgraded["class_name"], "Adam");
        let expected = json!({ "name": "Adam", "learning_rate": 0.001, "clipnorm": 1.0 });
        assert_eq!(upgraded["config"], expected);

        let accuracy = json!({ "class_name": "MeanMetricWrapper", "config": {
            "name": "accuracy", "dtype": "float32", "fn": "categorical_accuracy",
        } });
        assert_eq!(upgrade_metrics(json!([[accuracy]])), json!(["accuracy"]));
        let loss =
            json!({ "class_name": "CategoricalCrossentropy", "config": { "reduction": "auto" } });
        assert_eq!(upgrade_loss(loss)["config"]["reduction"], "sum_over_batch_size");
    }

    #[test]
    fn archives_of_tensorflow_2_become_keras_3() {
        let huber = json!({ "module": "keras.losses", "class_name": "Huber", "registered_name": null,
            "config": { "reduction": "auto", "name": "huber_loss", "delta": 1.0, "fn": "huber" } });
        let function = json!({ "module": "builtins", "class_name": "function", "config": "mean_squared_error" });
        let mae = json!({ "class_name": "MeanMetricWrapper", "config": { "name": "two_mae", "fn": "mean_absolute_error" } });
        let mut archive = json!({ "class_name": "Functional", "config": { "layers": [] }, "compile_config": {
            "optimizer": "sgd", "loss": { "one": function, "two": huber }, "metrics": [[null], [mae]],
            "weighted_metrics": [[mae, "accuracy"]],
        } });
        upgrade_archive(&mut archive, true, "2.15.0", &mut Vec::new()).unwrap();
        let training = &archive["compile_config"];
        assert_eq!(training["loss"]["one"], "mean_squared_error");
        let huber = &training["loss"]["two"]["config"];
        let expected =
            json!({ "reduction": "sum_over_batch_size", "name": "huber_loss", "delta": 1.0 });
        assert_eq!(huber, &expected);
        assert_eq!(training["metrics"], json!([[], ["mean_absolute_error"]]));
        assert_eq!(training["weighted_metrics"], json!(["mean_absolute_error", "accuracy"]));
    }

    #[test]
    fn numbers_of_numpy_are_numbers() {
        let six =
            json!({ "class_name": "__numpy__", "config": { "value": 6.0, "dtype": "float32" } });
        let layer = json!({ "class_name": "ReLU", "config": { "name": "a", "max_value": six } });
        let model = json!({ "class_name": "Sequential", "config": { "layers": [layer] } });
        let upgraded = upgrade(model, None, "2.12.0", &mut Vec::new()).unwrap();
        assert_eq!(upgraded["config"]["layers"][0]["config"]["max_value"], 6.0);
    }

    #[test]
    fn layers_in_layers_are_upgraded() {
        let lstm = json!({ "class_name": "LSTM", "config": {
            "name": "inner", "output_dim": 3, "inner_activation": "hard_sigmoid", "batch_input_shape": [null, 5, 2],
        } });
        let gru = json!({ "class_name": "GRU", "config": { "name": "gru", "units": 2 } });
        let model = json!({ "class_name": "Sequential", "config": { "layers": [
            { "class_name": "Bidirectional", "config": { "name": "both", "layer": lstm } }, gru,
        ] } });
        let upgraded = upgrade(model, None, "1.2.2", &mut Vec::new()).unwrap();
        let layers = &upgraded["config"]["layers"];
        assert_eq!(layers[0]["config"]["batch_shape"], json!([null, 5, 2]));
        let inner =
            json!({ "name": "inner", "units": 3, "recurrent_activation": "hard_sigmoid_keras2" });
        assert_eq!(layers[1]["config"]["layer"]["config"], inner);
        // The reset gate of a GRU came first when nobody could choose.
        assert_eq!(layers[2]["config"]["reset_after"], json!(false));
    }

    /// All that is refused is collected, and the other layers are upgraded.
    #[test]
    fn refused_layers_are_collected() {
        let merge = |name: &str| json!({ "class_name": "Merge", "config": { "name": name, "mode": "cos" } });
        let dense = json!({ "class_name": "Dense", "config": { "name": "c", "output_dim": 2 } });
        let layers = json!([merge("a"), dense, merge("b")]);
        let model = json!({ "class_name": "Model", "config": { "layers": layers } });
        let mut refused = Vec::new();
        let upgraded = upgrade(model, None, "1.2.2", &mut refused).unwrap();
        assert_eq!(upgraded["config"]["layers"][1]["config"]["units"], 2);
        let names: Vec<&str> = refused.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let error = accept(refused).unwrap_err();
        assert_eq!(error, "layer a (Merge): a Merge with the mode \"cos\" is not supported");
    }

    #[test]
    fn what_cannot_be_kept_is_an_error() {
        let decayed = json!({ "class_name": "SGD", "config": { "lr": 0.1, "decay": 1e-6 } });
        let schedule = upgrade_optimizer(&decayed, "2.2.2").unwrap();
        let rate = &schedule["config"]["learning_rate"];
        assert_eq!(rate["class_name"], "InverseTimeDecay");
        assert_eq!(rate["config"]["initial_learning_rate"], 0.1);
        assert_eq!(rate["config"]["decay_rate"], 1e-6);
        let odd = json!({ "class_name": "SGD", "config": { "lr": 0.1, "decay": "often" } });
        assert!(
            upgrade_optimizer(&odd, "2.2.2").unwrap_err().as_str().contains("decay = \"often\"")
        );
        let training = json!({ "sample_weight_mode": "temporal" });
        assert!(upgrade_training(training, "2.2.2").unwrap_err().as_str().contains("temporal"));
        assert!(upgrade_training(json!(3), "2.2.2").is_err());
    }
}
