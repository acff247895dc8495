//! Files of Keras with what this crate has no words for, but layers: `tests/golden/keras/make_operations.py` writes them.

#![cfg(feature = "keras")]

mod scratch;

use cinta::prelude::*;
use scratch::Scratch;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/keras").join(name)
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

/// The model of a file, after it has predicted what Keras predicts and has come back from both files of Keras.
fn checked(name: &str) -> Model {
    let text = fs::read_to_string(golden("operations.json")).unwrap();
    let facts: Value = serde_json::from_str(&text).unwrap();
    let facts = &facts[name];
    let inputs =
        facts["shapes"].as_array().unwrap().iter().zip(facts["inputs"].as_array().unwrap());
    let input = |(shape, values): (&Value, &Value)| {
        let shape: Vec<usize> = numbers(shape).into_iter().map(|dim| dim as usize).collect();
        Tensor::new(&shape[..], numbers(values))
    };
    let inputs: Vec<Tensor> = inputs.map(input).collect();
    let inputs: Vec<&Tensor> = inputs.iter().collect();
    let model = Model::load(golden(name)).unwrap();
    let found = model.predict_all(&inputs).unwrap().remove(0).to_vec();
    let expected = numbers(&facts["output"]);
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(&expected) {
        let near = (found - expected).abs() <= 1e-5 * expected.abs().max(1.0);
        assert!(near, "{name}: {found} instead of {expected}");
    }
    let scratch = Scratch::new(&format!("operations-{}", name.replace('.', "-")));
    for file in ["back.keras", "back.h5", "back.safetensors"] {
        model.save(scratch.path(file)).unwrap();
        let back: Model = Model::load(scratch.path(file)).unwrap();
        assert_eq!(back.predict_all(&inputs).unwrap()[0].to_vec(), found, "{name} as {file}");
    }
    model
}

fn classes(model: &Model) -> Vec<String> {
    model.layers().map(|layer| layer.class_name().to_owned()).collect()
}

#[test]
fn operations_of_keras_2() {
    let model = checked("operations.h5");
    // The names with a `/` have become those that Keras 3 gives, and an operation's last layer has its name.
    assert_eq!(model.get_layer("conv1_bn").unwrap().class_name(), "BatchNormalization");
    assert_eq!(model.get_layer("tf.nn.relu").unwrap().class_name(), "Activation");
    // SGD without momentum, of which the file keeps momenta.
    assert_eq!(model.learning_rate().unwrap(), f64::from(0.01f32));
}

#[test]
fn operations_of_keras_3() {
    let classes = classes(&checked("operations.keras"));
    for class in
        ["Rescaling", "Concatenate", "GlobalAveragePooling2D", "Reshape", "Permute", "Maximum"]
    {
        assert!(classes.iter().any(|it| it == class), "no {class} among {classes:?}");
    }
}

/// Sums, resized images and slices, whose shapes files of Keras 3 say, and those of Keras 2 do not.
#[test]
fn shapes_follow_from_those_of_the_inputs() {
    for name in ["shapes.h5", "shapes.keras"] {
        let classes = classes(&checked(name));
        for class in ["Resizing", "Rescaling"] {
            assert!(classes.iter().any(|it| it == class), "no {class} among {classes:?}");
        }
    }
}

#[test]
fn the_last_step_of_a_recurrent_layer() {
    assert_eq!(classes(&checked("last_step.h5")), ["LSTM", "Activation", "Dense"]);
}

#[test]
fn arithmetic_in_python() {
    assert_eq!(classes(&checked("lambda.h5")), ["Rescaling", "Dense"]);
}

#[test]
fn recurrent_layers_of_graphics_cards() {
    assert_eq!(classes(&checked("cudnn.h5")), ["LSTM", "Bidirectional"]);
}

#[test]
fn a_model_at_every_step() {
    assert_eq!(classes(&checked("model_in_time.h5")), ["TimeDistributed", "LSTM"]);
}

#[test]
fn transposed_convolutions_of_keras_1() {
    assert_eq!(classes(&checked("keras_1_transposed.h5")), ["Conv2DTranspose"]);
}

/// Weights, and what the optimizer keeps, come in the order of the file, where layers in the place of an operation give the model another one.
#[test]
fn a_way_that_becomes_longer() {
    checked("longer_way.h5");
    let mut model = checked("longer_way.keras");
    let text = fs::read_to_string(golden("operations.json")).unwrap();
    let facts: Value = serde_json::from_str(&text).unwrap();
    let of = |name: &str| numbers(&facts["longer_way.keras"][name]);
    let [v, x] = [0, 1].map(|i| numbers(&facts["longer_way.keras"]["inputs"][i]));
    let inputs = [Tensor::new([2, 3], v), Tensor::new([2, 4, 3], x)];
    let data = Dataset::several(inputs, [Tensor::new([2, 3], of("targets"))]).unwrap();
    let fit = Fit { epochs: 2, shuffle: false, verbose: Verbose::Silent, ..Fit::default() };
    model.fit(&data, fit).unwrap();
    let inputs: Vec<&Tensor> = data.all_inputs().collect();
    let found = model.predict_all(&inputs).unwrap().remove(0);
    let expected = Tensor::new([2, 3], of("trained"));
    assert!(found.all_close(&expected, 1e-5, 1e-5), "{found:?} instead of {expected:?}");
}

/// `SpectralNormalization` has the kernel of its layer among its own weights in `.keras` files.
#[test]
fn kernels_that_are_divided() {
    let [model, same] = ["divided.keras", "divided.h5"].map(checked);
    assert_eq!(model.get_weights(), same.get_weights());
    assert_eq!(model.weight("spectral_normalization", "vector_u").unwrap().shape(), [1, 3]);
}

/// Sizes and places that make no sense are refused, and nothing overflows.
#[test]
fn odd_slices_are_refused() {
    let far = ["9223372036854775807", "-9223372036854775808", "18446744073709551615", "3"];
    for size in ["18446744073709551615", "9223372036854775807", "2"] {
        for at in far {
            for (class, function, option) in [
                (
                    "SlicingOpLambda",
                    "__operators__.getitem",
                    format!(
                        r#""slice_spec": [{{"start": null, "stop": null, "step": null}}, {at}]"#
                    ),
                ),
                (
                    "SlicingOpLambda",
                    "__operators__.getitem",
                    format!(
                        r#""slice_spec": [{{"start": null, "stop": null, "step": null}}, {{"start": {at}, "stop": {at}, "step": 1}}]"#
                    ),
                ),
                ("TFOpLambda", "expand_dims", format!(r#""axis": {at}"#)),
                ("TFOpLambda", "compat.v1.squeeze", format!(r#""axis": {at}"#)),
                ("TFOpLambda", "reverse", format!(r#""axis": [{at}]"#)),
                ("TFOpLambda", "stack", format!(r#""axis": {at}"#)),
            ] {
                let text = format!(
                    r#"{{"class_name": "Functional", "keras_version": "2.15.0", "config": {{"name": "m", "layers": [
                    {{"class_name": "InputLayer", "name": "x", "config": {{"name": "x", "batch_input_shape": [null, {size}, 1, 3]}}, "inbound_nodes": []}},
                    {{"class_name": "{class}", "name": "y", "inbound_nodes": [["x", 0, 0, {{{option}}}]],
                      "config": {{"name": "y", "function": "{function}"}}}}],
                    "input_layers": [["x", 0, 0]], "output_layers": [["y", 0, 0]]}}}}"#
                );
                if let Ok(model) = Model::<f32>::from_json(&text, 0) {
                    assert_eq!((size, at), ("2", "3"), "{function}: {}", model.summary());
                }
            }
        }
    }
}

/// Operations that no layers stand for are named.
#[test]
fn other_operations_are_refused_by_name() {
    let text = r#"{"class_name": "Functional", "keras_version": "2.15.0", "config": {"name": "m", "layers": [
        {"class_name": "InputLayer", "name": "x", "config": {"name": "x", "batch_input_shape": [null, 2]}, "inbound_nodes": []},
        {"class_name": "TFOpLambda", "name": "tf.math.cumsum", "inbound_nodes": [["x", 0, 0, {"axis": 1}]],
         "config": {"name": "tf.math.cumsum", "function": "math.cumsum"}}],
        "input_layers": [["x", 0, 0]], "output_layers": [["tf.math.cumsum", 0, 0]]}}"#;
    let error = Model::<f32>::from_json(text, 0).unwrap_err().to_string();
    assert!(error.contains("it is the function tf.math.cumsum of TensorFlow"), "{error}");
    let text = r#"{"class_name": "Sequential", "keras_version": "2.15.0", "config": {"layers": [
        {"class_name": "TextVectorization", "config": {"dtype": "string", "batch_input_shape": [null, 1]}}]}}"#;
    let error = Model::<f32>::from_json(text, 0).unwrap_err().to_string();
    assert!(error.contains("it makes numbers of texts"), "{error}");
}
