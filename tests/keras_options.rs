//! What Keras's files say and this crate cannot do is an error that names it; what makes no difference is read over.

#![cfg(feature = "keras")]

mod scratch;

use cinta::prelude::*;
use cinta::{Config, Context, Layer, Registry, Shape, Var};
use scratch::Scratch;
use serde_json::{Value, json};
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;
use zip::{ZipArchive, ZipWriter};

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/keras");
    fs::read(folder.join(name)).unwrap()
}

/// Changes the configuration of `bars.keras`.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut old = ZipArchive::new(Cursor::new(golden("bars.keras"))).unwrap();
    let mut new = ZipWriter::new(Cursor::new(Vec::new()));
    let mut change = Some(change);
    for i in 0..old.len() {
        let mut member = old.by_index(i).unwrap();
        let name = member.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        if name == "config.json" {
            let mut config = serde_json::from_slice(&bytes).unwrap();
            change.take().unwrap()(&mut config);
            bytes = config.to_string().into_bytes();
        }
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        new.start_file(name, options).unwrap();
        new.write_all(&bytes).unwrap();
    }
    new.finish().unwrap().into_inner()
}

fn load(bytes: &[u8], registry: &Registry) -> Result<Model, String> {
    let scratch = Scratch::new(&format!("keras-options-{:?}", std::thread::current().id()));
    let path = scratch.path("model.keras");
    fs::write(&path, bytes).unwrap();
    Model::load_with(path, registry).map_err(|error| error.to_string())
}

fn set(pointer: &str, value: Value) -> impl FnOnce(&mut Value) {
    move |config| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = config.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
        parent[key] = value;
    }
}

/// The options of the layers, 1 to 4, of `bars.keras`: Conv2D, MaxPooling2D, Flatten, Dense.
fn option(layer: usize, name: &str) -> String {
    format!("/config/layers/{layer}/config/{name}")
}

#[test]
fn what_cannot_be_done_is_named() {
    let optimizer = "/compile_config/optimizer/config";
    for (pointer, value, expected) in [
        (
            "/class_name".to_owned(),
            json!("no_such_model"),
            "the model is a no_such_model; only Sequential and Functional are supported",
        ),
        (
            option(1, "dilation_rate"),
            json!([2, 0]),
            "layer first (Conv2D): the option dilation_rate = [2,0]",
        ),
        (option(1, "groups"), json!(3), "layer first (Conv2D): 3 groups divide neither"),
        (
            option(1, "data_format"),
            json!("channels_middle"),
            "layer first (Conv2D): the option data_format",
        ),
        (
            option(1, "kernel_constraint"),
            json!({ "class_name": "no_such_thing" }),
            "layer first (Conv2D): the option kernel_constraint",
        ),
        (
            option(1, "activity_regularizer"),
            json!({ "class_name": "no_such_thing" }),
            "layer first (Conv2D): the option activity_regularizer: the regularizer no_such_thing",
        ),
        (
            option(1, "activation"),
            json!("no_such_thing"),
            "layer first (Conv2D): the option activation: the activation \"no_such_thing\"",
        ),
        (
            option(1, "kernel_initializer"),
            json!({ "class_name": "no_such_thing", "config": {} }),
            "layer first (Conv2D): the option kernel_initializer: the initializer no_such_thing",
        ),
        (
            option(1, "kernel_regularizer"),
            json!({ "class_name": "no_such_thing", "config": {} }),
            "layer first (Conv2D): the option kernel_regularizer: the regularizer no_such_thing",
        ),
        (option(1, "dtype"), json!("float8"), "layer first (Conv2D): it computes in float8"),
        (
            option(2, "data_format"),
            json!("channels_middle"),
            "(MaxPooling2D): the option data_format",
        ),
        (option(4, "lora_rank"), json!(2), "layer last (Dense): the option lora_rank = 2"),
        (
            option(4, "quantization_config"),
            json!({ "class_name": "Int8" }),
            "layer last (Dense): the option quantization_config",
        ),
        (
            "/config/layers/3/class_name".to_owned(),
            json!("no_such_thing"),
            "(no_such_thing): this class of layer is not known",
        ),
        (
            "/config/layers/4/registered_name".to_owned(),
            json!("mine>Dense"),
            "layer last (Dense): this is the class mine>Dense of somebody's own",
        ),
        (option(0, "sparse"), json!(true), "the input layer is sparse"),
        (
            option(0, "batch_shape"),
            json!([null, null, null, 1]),
            "the input shape [null,null,null,1] leaves a size open",
        ),
        (
            "/compile_config/optimizer/class_name".to_owned(),
            json!("no_such_thing"),
            "compile_config: the optimizer no_such_thing is not known",
        ),
        (format!("{optimizer}/decay"), json!("often"), "the option decay = "),
        (format!("{optimizer}/use_ema"), json!(true), "the option use_ema = true"),
        (
            format!("{optimizer}/gradient_accumulation_steps"),
            json!(4),
            "the option gradient_accumulation_steps = 4",
        ),
        (
            format!("{optimizer}/loss_scale_factor"),
            json!(2.0),
            "the option loss_scale_factor = 2.0",
        ),
        (
            "/compile_config/loss".to_owned(),
            json!("no_such_thing"),
            "compile_config: the loss no_such_thing is not known",
        ),
        (
            "/compile_config/loss_weights".to_owned(),
            json!(["heavy"]),
            "the loss weight \"heavy\" is no number",
        ),
        (
            "/compile_config/metrics".to_owned(),
            json!(["no_such_thing"]),
            "compile_config: the metric no_such_thing is not known",
        ),
    ] {
        let error = load(&changed(set(&pointer, value)), &Registry::new()).unwrap_err();
        assert!(error.contains(expected), "{pointer}: {error}");
    }
}

#[test]
fn what_makes_no_difference_is_read_over() {
    let expected = load(&golden("bars.keras"), &Registry::new()).unwrap();
    for (pointer, value) in [
        (option(0, "batch_shape"), json!([32, 6, 6, 1])),
        (option(0, "name"), json!("pictures")),
        (option(1, "dtype"), json!("float32")),
        (option(1, "build_input_shape"), Value::Null),
        (
            option(1, "kernel_initializer"),
            json!({
                "class_name": "VarianceScaling",
                "config": { "scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": 7 },
            }),
        ),
        (
            option(1, "kernel_regularizer"),
            json!({ "class_name": "L1L2", "config": { "l1": 0.0, "l2": 0.01 } }),
        ),
        ("/config/layers/1/registered_name".to_owned(), json!("Conv2D")),
        ("/compile_config/optimizer/config/jit_compile".to_owned(), json!(true)),
        ("/compile_config/optimizer/config/ema_momentum".to_owned(), json!(0.5)),
        ("/compile_config/jit_compile".to_owned(), json!(true)),
        ("/compile_config/metrics".to_owned(), json!(["acc"])),
    ] {
        let model = load(&changed(set(&pointer, value)), &Registry::new());
        let model = model.unwrap_or_else(|error| panic!("{pointer}: {error}"));
        assert_eq!(model.summary(), expected.summary(), "{pointer}");
        let data =
            Dataset::new(Tensor::full([2, 6, 6, 1], 0.5), datasets::one_hot(&[0, 2], 3).unwrap());
        let data = data.unwrap();
        assert_eq!(model.evaluate(&data).unwrap(), expected.evaluate(&data).unwrap(), "{pointer}");
    }
}

#[test]
fn activations_that_are_layers() {
    let layer = |class_name: &str, config: Value| json!({ "module": "keras.layers", "class_name": class_name, "config": config, "registered_name": null });
    let with = |extra: Value| {
        changed(|config| config["config"]["layers"].as_array_mut().unwrap().push(extra))
    };
    for (class_name, options) in [
        (
            "ReLU",
            json!({ "name": "end", "max_value": null, "negative_slope": 0.0, "threshold": 0 }),
        ),
        ("ReLU", json!({ "name": "end", "max_value": 6.0 })),
        ("LeakyReLU", json!({ "name": "end", "alpha": 0.1 })),
        ("Softmax", json!({ "name": "end", "axis": -1 })),
        ("Softmax", json!({ "name": "end", "axis": [-1] })),
        ("ELU", json!({ "name": "end", "alpha": 0.5 })),
    ] {
        let model = load(&with(layer(class_name, options)), &Registry::new()).unwrap();
        assert_eq!(model.get_layer("end").unwrap().class_name(), class_name);
    }
    for (class_name, options, expected) in [
        (
            "ReLU",
            json!({ "name": "end", "threshold": -1.0 }),
            "layer end (ReLU): threshold = -1 is not a finite number of at least 0",
        ),
        (
            "Softmax",
            json!({ "name": "end", "axis": 2 }),
            "[2] are not different axes of a sample of shape [3]; use 1 to 1, or -1 for the last",
        ),
        (
            "Activation",
            json!({ "name": "end", "activation": "glu" }),
            "the activation \"glu\" is not one that a layer can have",
        ),
        (
            "Activation",
            json!({ "name": "end", "activation": { "class_name": "PReLU", "config": {} } }),
            "the option activation: PReLU: this class is not supported as an activation",
        ),
        (
            "Dense",
            json!({ "name": "end", "units": 2, "kernel_initializer": "identity", "kernel_constraint": {
                "class_name": "MaxNorm", "config": { "max_value": 1.0, "axis": 2 },
            } }),
            "the axes [2] are not those of a weight of shape [3, 2]",
        ),
        (
            "Dense",
            json!({ "name": "end", "units": 2, "bias_initializer": "orthogonal" }),
            "the initializer of the bias: Orthogonal is for two axes or more, and this is [2]",
        ),
    ] {
        let error = load(&with(layer(class_name, options)), &Registry::new()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_frozen_model_is_frozen_in_all_its_layers() {
    let model = load(&changed(set("/config/trainable", json!(false))), &Registry::new());
    // The file keeps moments for four weights, and none is trained.
    assert!(model.unwrap_err().contains("of 0 weights keeps 0 arrays, and the file has 8"));
    let frozen = changed(|config| {
        config["config"]["trainable"] = json!(false);
        config["compile_config"] = Value::Null;
    });
    let model = load(&frozen, &Registry::new()).unwrap();
    assert!(model.summary().to_string().contains("Non-trainable params: 69"));
}

/// A layer that somebody registered with Keras, and with this crate.
struct Double;

impl Layer<f32> for Double {
    fn class_name(&self) -> &str {
        "Double"
    }

    fn config(&self) -> Config {
        Config::new()
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, cinta::Reason> {
        Ok(input)
    }

    fn forward<'t>(
        &self,
        _: &[Var<'t, f32>],
        x: &Var<'t, f32>,
        _: &mut Context<f32>,
    ) -> Var<'t, f32> {
        x * 2.0
    }
}

#[test]
fn layers_of_ones_own_come_from_a_registry() {
    let bytes = changed(|config| {
        let double = json!({
            "module": "mine", "class_name": "Double", "config": { "name": "double" },
            "registered_name": "mine>Double",
        });
        config["config"]["layers"].as_array_mut().unwrap().push(double);
    });
    let error = load(&bytes, &Registry::new()).unwrap_err();
    assert!(error.contains("layer double (Double)") && error.contains("to a Registry"), "{error}");
    let registry = Registry::new().layer("Double", |_| Ok(Box::new(Double)));
    let model = load(&bytes, &registry).unwrap();
    let sum = model.predict(&Tensor::ones([1, 6, 6, 1])).unwrap().sum(..).item();
    assert!((sum - 2.0).abs() < 1e-6);

    // It goes back into a file of Keras, and comes from there.
    let scratch = Scratch::new("keras-own-layer");
    for name in ["model.keras", "model.h5"] {
        model.save(scratch.path(name)).unwrap();
        let again = Model::load_with(scratch.path(name), &registry).unwrap();
        assert_eq!(again.get_weights(), model.get_weights());
    }
}
