//! The networks of `applications` against the real Keras's: `golden/applications.py` has its half, and `keras_applications.py` loads
//! files of weights in both directions.

#![cfg(feature = "applications")]

mod golden;

use cinta::applications::{self, Application, Pooling, mobilenet_v2, resnet, vgg};
use cinta::prelude::*;
use golden::{assert_near, cases, numbers, tensor, text};
use serde_json::Value;

/// The network with the name that the golden file has for it.
fn network(name: &str) -> Application {
    match name.split(' ').collect::<Vec<_>>()[..] {
        ["resnet20"] => applications::resnet20(),
        ["resnet32"] => applications::resnet32(),
        ["resnet56"] => applications::resnet56(),
        ["resnet50"] => applications::resnet50(),
        ["resnet101"] => applications::resnet101(),
        ["resnet152"] => applications::resnet152(),
        ["mobilenet_v2", alpha] => applications::mobilenet_v2(alpha.parse().unwrap()),
        ["vgg16"] => applications::vgg16(),
        ["vgg19"] => applications::vgg19(),
        ["unet"] => applications::unet(),
        ["mini_xception"] => applications::mini_xception(),
        _ => panic!("no network is called {name}"),
    }
}

/// What is done to pixels before.
fn prepared(name: &str, pixels: &Tensor) -> Tensor {
    match name {
        name if name.starts_with("mobilenet") => mobilenet_v2::preprocess_input(pixels),
        name if name.starts_with("vgg") => vgg::preprocess_input(pixels),
        "resnet50" | "resnet101" | "resnet152" => resnet::preprocess_input(pixels),
        _ => pixels.clone(),
    }
}

fn networks() -> impl Iterator<Item = (String, Value)> {
    let cases = cases("applications.json").into_iter();
    let named = cases.map(|case| (text(&case, "name").to_owned(), case));
    named.filter(|(_, case)| !case["layers"].is_null())
}

fn case(name: &str) -> Value {
    let mut cases = cases("applications.json").into_iter();
    cases.find(|case| text(case, "name") == name).unwrap()
}

fn size(value: &Value) -> [usize; 3] {
    let lengths: Vec<usize> = numbers(value).iter().map(|&length| length as usize).collect();
    lengths.try_into().unwrap()
}

fn layer_texts(model: &Model) -> Vec<String> {
    model.layers().map(|layer| format!("{} {}", layer.name(), layer.class_name())).collect()
}

fn shape_text(shape: cinta::Shape) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

/// A list of texts in which the same text several times is written once, with how often.
fn unrolled(runs: &Value) -> Vec<String> {
    let runs = runs.as_array().unwrap().iter().map(|run| run.as_str().unwrap());
    let each = |run: &str| match run.split_once(' ') {
        Some((item, times)) => vec![item.to_owned(); times.parse().unwrap()],
        None => vec![run.to_owned()],
    };
    runs.flat_map(each).collect()
}

/// Numbers from 0 to 1 that follow the formula of `golden/applications.py`.
fn units(count: usize, number: u32) -> impl Iterator<Item = f64> {
    (0..count as u32).map(move |i| {
        let mut x = i.wrapping_mul(2_654_435_761).wrapping_add(number.wrapping_mul(40503));
        for _ in 0..2 {
            x = (x ^ x >> 16).wrapping_mul(0x045D_9F3B);
        }
        x ^= x >> 16;
        f64::from(x >> 8) / f64::from(1 << 24)
    })
}

fn formula(class: &str, name: &str, shape: cinta::Shape, number: u32) -> Tensor {
    let alone = class == "DepthwiseConv2D" || name == "depthwise_kernel";
    let fan_in = match &shape[..] {
        [kernel @ .., _, _] if alone => kernel.iter().product::<usize>(),
        [kernel @ .., _] => kernel.iter().product::<usize>(),
        [] => unreachable!("no weight is a single number"),
    };
    let value = |u: f64| match name {
        _ if shape.rank() > 1 => (2.0 * u - 1.0) * (6.0 / fan_in as f64).sqrt(),
        "gamma" | "moving_variance" => 0.5 + u,
        _ => 0.2 * (2.0 * u - 1.0),
    };
    let values = units(shape.count(), number).map(|u| value(u) as f32);
    Tensor::new(shape, values.collect::<Vec<_>>())
}

fn by_formula(model: &mut Model) {
    let mut weights = Vec::new();
    for layer in model.layers() {
        for (name, value) in layer.weights() {
            let number = weights.len() as u32;
            weights.push(formula(layer.class_name(), name, value.shape(), number));
        }
    }
    model.set_weights(&weights).unwrap();
}

fn pixels(n: usize, size: [usize; 3]) -> Tensor {
    let shape = cinta::Shape::from(size).batch(n);
    let values = units(shape.count(), 1000).map(|u| (u * 256.0).floor() as f32);
    Tensor::new(shape, values.collect::<Vec<_>>())
}

#[test]
fn layers_shapes_and_parameters_are_keras_s() {
    for (name, case) in networks() {
        for at_size in case["sizes"].as_array().unwrap() {
            let model = network(&name).input_shape(size(&at_size["input"])).build(1).unwrap();
            let layers: Vec<&str> =
                case["layers"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
            assert_eq!(layer_texts(&model), layers, "{name}");
            let shapes: Vec<String> =
                model.layers().map(|layer| shape_text(layer.output_shape())).collect();
            assert_eq!(shapes, unrolled(&at_size["shapes"]), "{name}");
            let summary = model.summary();
            for (what, count) in [("Total", "total"), ("Trainable", "trainable")] {
                let line = format!("{what} params: {} (", text(at_size, count));
                assert!(summary.contains(&line), "{name}: {line}\n{summary}");
            }
            assert_eq!(model.input_names(), ["input_layer"]);
            // The tutorials give no name.
            if text(&case, "model") != "functional" && !name.starts_with("mobilenet") {
                assert!(summary.starts_with(&format!("Model: \"{name}\"")), "{name}");
            }
        }
    }
}

#[test]
fn the_table_in_the_documentation_is_keras_s() {
    let source = include_str!("../src/applications/mod.rs");
    let rows = source.lines().filter_map(|line| line.strip_prefix("//! | [`"));
    let mut compared = 0;
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        let (name, _) = cells[0].split_once('`').unwrap();
        let case = case(&name.replace('(', " ").replace(')', ""));
        let layers = case["layers"].as_array().unwrap().len();
        let number = |text: &str| text.replace(',', "").parse::<usize>().unwrap();
        let mut parameters = number(text(&case["sizes"][0], "total"));
        // The golden file has these for 32 by 32 pixels, and one pixel of features in place of 7 by 7.
        if name.starts_with("vgg") {
            parameters += (7 * 7 - 1) * 512 * 4096;
        }
        assert_eq!((number(cells[1]), number(cells[2])), (layers, parameters), "{name}");
        compared += 1;
    }
    assert_eq!(compared, 12);
}

#[test]
fn a_network_without_its_top_ends_as_keras_s() {
    for (name, case) in networks() {
        let last = case["sizes"].as_array().unwrap().last().unwrap();
        for (pooling, end) in
            [("None", Pooling::None), ("avg", Pooling::Average), ("max", Pooling::Max)]
        {
            // The largest ones differ in their numbers of blocks alone, and all ends are those of one function.
            if name == "resnet101" || name == "resnet152" {
                continue;
            }
            let network = network(&name).input_shape(size(&last["input"]));
            let model = network.include_top(false).pooling(end).build(1).unwrap();
            let texts = layer_texts(&model);
            let expected = &case["ends"][pooling];
            assert_eq!(texts.len() as u64, expected[0].as_u64().unwrap(), "{name}, {pooling}");
            assert_eq!(texts.last().unwrap(), expected[1].as_str().unwrap(), "{name}, {pooling}");
            assert_eq!(shape_text(model.output_shape()), expected[2].as_str().unwrap());
            if name.starts_with("mobilenet") {
                let line = format!("Model: \"{}\"", text(&case, "model"));
                assert!(model.summary().starts_with(&line), "{line}");
            }
        }
    }
}

#[test]
fn predictions_are_keras_s() {
    let mut predicted = 0;
    for (name, case) in networks().filter(|(_, case)| !case["predicted"].is_null()) {
        let expected = &case["predicted"];
        let size = size(&expected["input"]);
        let network = network(&name).input_shape(size).classes(5).classifier_activation(Linear);
        let mut model = network.build(1).unwrap();
        by_formula(&mut model);
        let outputs = model.predict(&prepared(&name, &pixels(2, size))).unwrap();
        let shape: Vec<f64> = outputs.shape().iter().map(|&length| length as f64).collect();
        assert_eq!(shape, numbers(&expected["shape"]), "{name}");
        let first: Vec<f32> = outputs.iter().take(24).collect();
        let first = Tensor::new([first.len()], first);
        let golden = tensor(&expected["first"]);
        if name == "mobilenet_v2 1.4" {
            // Batch normalisation is folded into the weights before it. In this network, without fused multiply-adds, that makes
            // a difference of 1.2e-5.
            let largest = golden.abs().max(..).item();
            let farthest = (&first - &golden).abs().max(..).item();
            assert!(farthest <= 1.5e-5 * largest, "{name}: {farthest} from Keras, of {largest}");
        } else {
            assert_near(&name, &first, &golden);
        }
        predicted += 1;
    }
    assert_eq!(predicted, 8);
}

#[test]
fn a_small_resnet_trains_as_in_keras() {
    let expected = case("training");
    let network = applications::resnet20().input_shape([24, 24, 3]).classes(4);
    let mut model = network.build(1).unwrap();
    by_formula(&mut model);
    model.compile(Compile::new(Sgd::new(0.001).momentum(0.9), CategoricalCrossentropy::new()));
    let images = pixels(8, [24, 24, 3]).map(|pixel| pixel / 256.0);
    let labels: Vec<usize> = (0..8).map(|i| i * 7 % 4).collect();
    let data = Dataset::new(images, datasets::one_hot(&labels, 4).unwrap()).unwrap();
    for loss in numbers(&expected["losses"]) {
        let fit = Fit { epochs: 1, shuffle: false, verbose: Verbose::Silent, ..Fit::default() };
        let ours = model.fit(&data, fit).unwrap()["loss"][0];
        assert!((ours - loss).abs() < 1e-5 * loss.max(1.0), "{ours} {loss}");
    }
    for (layer, weight) in [("batch_normalization", "moving_mean"), ("dense", "bias")] {
        assert_near(weight, model.weight(layer, weight).unwrap(), &tensor(&expected[weight]));
    }
}

#[test]
fn pixels_are_prepared_as_in_keras() {
    let case = case("preprocess_input");
    let pixels = tensor(&case["pixels"]);
    let mut compared = 0;
    for (name, values) in case["prepared"].as_object().unwrap() {
        assert_eq!(prepared(name, &pixels), tensor(values), "{name}");
        compared += 1;
    }
    assert_eq!(compared, 8);
    // A single image, and one whose memory is in another order.
    let turned = pixels.permute([0, 2, 1, 3]);
    let both = [resnet::preprocess_input(&turned), mobilenet_v2::preprocess_input(&turned)];
    let expected = [resnet::preprocess_input(&pixels), mobilenet_v2::preprocess_input(&pixels)];
    for (ours, expected) in both.iter().zip(&expected) {
        assert_eq!(ours.to_vec(), expected.permute([0, 2, 1, 3]).to_vec());
    }
    let image = pixels.reshape([1, 2, 3]);
    assert_eq!(vgg::preprocess_input(&image).to_vec(), expected[0].to_vec());
}

#[test]
#[should_panic(
    expected = "resnet::preprocess_input: the last axis has three colours, [.., 3], and the shape is [2, 4, 1]"
)]
fn grey_images_have_no_colours_to_turn() {
    resnet::preprocess_input(&Tensor::<f32>::zeros([2, 4, 1]));
}

#[test]
fn what_makes_no_sense_is_an_error() {
    let says = |network: Application, parts: &[&str]| {
        let error = network.build(1).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    for make in [applications::resnet50, applications::vgg16, || applications::mobilenet_v2(0.35)] {
        says(make().input_shape([31, 32, 3]), &["[31, 32, 3]", "32 by 32"]);
        says(make().input_shape([32, 31, 3]), &["[32, 31, 3]", "32 by 32"]);
    }
    says(applications::resnet20().input_shape([32, 32]), &["resnet20", "[32, 32]", "channels"]);
    says(applications::unet().input_shape([0, 32, 3]), &["unet", "[0, 32, 3]"]);
    says(applications::resnet20().classes(0), &["dense", "0 units"]);
    for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        says(applications::mobilenet_v2(alpha), &["width", &alpha.to_string()]);
    }
}

#[test]
fn a_network_is_a_layer_of_another() {
    let base = applications::mobilenet_v2(0.35).input_shape([32, 32, 3]).include_top(false);
    let mut base = base.pooling(Pooling::Average).build(3).unwrap();
    by_formula(&mut base);
    let image = Input::new([32, 32, 3]);
    let features = base.frozen().name("base").of(&image);
    let scores = features.then(Dense::new(2).activation(Softmax).name("head"));
    let mut model = Model::new(&image, &scores).build(2).unwrap();
    model.compile(Compile::new(Adam::new(0.01), CategoricalCrossentropy::new()));
    let pixels = mobilenet_v2::preprocess_input(&pixels(4, [32, 32, 3]));
    let data = Dataset::new(pixels, datasets::one_hot(&[0, 1, 1, 0], 2).unwrap()).unwrap();
    let fit = Fit { epochs: 8, verbose: Verbose::Silent, ..Fit::default() };
    let losses = model.fit(&data, fit).unwrap()["loss"].to_vec();
    assert!(losses[7] < losses[0], "{losses:?}");
    assert_eq!(
        model.weight("base", "block_3_depthwise/kernel").unwrap(),
        base.weight("block_3_depthwise", "kernel").unwrap()
    );
}
