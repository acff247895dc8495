//! This crate's half of `keras_applications.py`, which sets `CINTA_KERAS_APPLICATIONS` to a folder and runs this test.
//!
//! The folder has a network that Keras wrote in all of its formats, with pixels and what it predicts of them. The network is built here,
//! takes the weights of each file, and predicts. Both sides compute in 64 bits: in 32, what rounding does in fifty layers would hide
//! a small fault. What it says goes to `said.json`, its own files to `ours.weights.h5` and `ours.keras`.

#![cfg(all(feature = "applications", feature = "keras", feature = "npy"))]

use cinta::Load;
use cinta::applications::{self, Application, Pooling, mobilenet_v2, resnet, vgg};
use cinta::prelude::*;
use serde_json::{Value, json};
use std::path::Path;

type Prepare = fn(&Tensor<f64>) -> Tensor<f64>;

/// The network, and how its pixels are prepared.
fn network(name: &str) -> (Application, Prepare) {
    let raw: Prepare = Clone::clone;
    match name.split(' ').collect::<Vec<_>>()[..] {
        ["resnet20"] => (applications::resnet20(), raw),
        ["resnet32"] => (applications::resnet32(), raw),
        ["resnet56"] => (applications::resnet56(), raw),
        ["resnet50"] => (applications::resnet50(), resnet::preprocess_input),
        ["resnet101"] => (applications::resnet101(), resnet::preprocess_input),
        ["resnet152"] => (applications::resnet152(), resnet::preprocess_input),
        ["mobilenet_v2", alpha] => {
            (applications::mobilenet_v2(alpha.parse().unwrap()), mobilenet_v2::preprocess_input)
        }
        ["vgg16"] => (applications::vgg16(), vgg::preprocess_input),
        ["vgg19"] => (applications::vgg19(), vgg::preprocess_input),
        ["unet"] => (applications::unet(), raw),
        ["mini_xception"] => (applications::mini_xception(), raw),
        _ => panic!("no network is called {name}"),
    }
}

/// The largest difference, as a part of the largest value.
fn difference(ours: &Tensor<f64>, keras: &Tensor<f64>) -> f64 {
    assert_eq!(ours.shape(), keras.shape());
    let largest = |x: &Tensor<f64>| x.abs().max(..).item();
    largest(&(ours - keras)) / largest(keras)
}

#[test]
fn weights_of_keras_applications() {
    let Some(folder) = std::env::var_os("CINTA_KERAS_APPLICATIONS") else {
        println!("skipped: tests/keras_applications.py runs this test with networks of Keras");
        return;
    };
    let folder = Path::new(&folder);
    let description = std::fs::read(folder.join("network.json")).unwrap();
    let description: Value = serde_json::from_slice(&description).unwrap();
    let pixels = Tensor::<f64>::read_npy(folder.join("pixels.npy")).unwrap();
    let expected = Tensor::<f64>::read_npy(folder.join("predictions.npy")).unwrap();

    let (network, prepare) = network(description["name"].as_str().unwrap());
    let network = network.input_shape(pixels.shape().sample());
    let network = match description["classes"].as_u64() {
        Some(classes) => network.classes(classes as usize).classifier_activation(Linear),
        None => network.include_top(false).pooling(Pooling::Average),
    };
    let mut model: Model<f64> = network.clone().build_typed(1).unwrap();
    let blank = model.get_weights();
    // Keras hands inputs over in 32 bits.
    let x = prepare(&pixels).cast::<f32>().cast::<f64>();
    let mut differences = serde_json::Map::new();
    for file in ["keras.weights.h5", "legacy.h5", "model.keras", "model.h5"] {
        model.set_weights(&blank).unwrap();
        model.load_weights(folder.join(file)).unwrap();
        differences.insert(
            format!("weights of {file}"),
            difference(&model.predict(&x).unwrap(), &expected).into(),
        );
    }
    for file in ["model.keras", "model.h5"] {
        let whole: Model<f64> = Load::new(folder.join(file)).convert(true).model().unwrap();
        assert_eq!(whole.get_weights(), model.get_weights(), "{file}");
        let layers = |model: &Model<f64>| {
            let each = |layer: cinta::LayerRef<'_, f64>| format!("{layer:?}");
            model.layers().map(each).collect::<Vec<_>>()
        };
        assert_eq!(layers(&whole), layers(&model), "{file}");
        differences.insert(
            format!("model of {file}"),
            difference(&whole.predict(&x).unwrap(), &expected).into(),
        );
    }
    let mut model = network.build(1).unwrap();
    model.load_weights(folder.join("keras.weights.h5")).unwrap();
    model.save_weights(folder.join("ours.weights.h5")).unwrap();
    model.save(folder.join("ours.keras")).unwrap();
    std::fs::write(folder.join("said.json"), json!(differences).to_string()).unwrap();
}
