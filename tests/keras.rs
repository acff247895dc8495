//! Files that Keras wrote, and files that Keras can open.

#![cfg(feature = "keras")]

mod scratch;

use cinta::Load;
use cinta::prelude::*;
use scratch::Scratch;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/keras").join(name)
}

/// What Keras says about a model.
fn facts(name: &str) -> Value {
    let text = fs::read_to_string(golden("golden.json")).unwrap();
    let facts: Value = serde_json::from_str(&text).unwrap();
    facts[name].clone()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

/// The inputs and targets of `make_keras.py`.
fn samples(model: &Model, n: usize) -> Dataset {
    let shape = model.input_shape().batch(n);
    let x: Vec<f32> = (0..shape.count()).map(|i| (i * 37 % 101) as f32 / 101.0).collect();
    let classes = model.output_shape()[0];
    let labels: Vec<usize> = (0..n).map(|i| i * 7 % classes).collect();
    Dataset::new(Tensor::new(shape, x), datasets::one_hot(&labels, classes).unwrap()).unwrap()
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{what}: {found} instead of {expected}");
    }
}

fn load(name: &str) -> Model {
    Model::load(golden(name)).unwrap()
}

/// Everything that a model is, as bytes.
fn all(scratch: &Scratch, model: &Model) -> Vec<u8> {
    let path = scratch.path("all.safetensors");
    model.save(&path).unwrap();
    fs::read(path).unwrap()
}

/// The files of whole models, each with the name of its facts.
const MODELS: [[&str; 2]; 5] = [
    ["lecture.keras", "lecture"],
    ["lecture.h5", "lecture"],
    ["bars.keras", "bars"],
    ["bars_2_2_2.h5", "bars_2_2_2"],
    ["bars_2_2_4.h5", "bars"],
];

#[test]
fn models_predict_and_score_as_in_keras() {
    for [name, facts_name] in MODELS {
        let (model, facts) = (load(name), facts(facts_name));
        let data = samples(&model, 4);
        let predictions = model.predict(data.inputs()).unwrap().to_vec();
        assert_close(&predictions, &numbers(&facts["predictions"]), name);
        let scores: Vec<f32> =
            model.evaluate(&data).unwrap().iter().map(|(_, score)| score as f32).collect();
        assert_close(&scores, &numbers(&facts["scores"]), name);
    }
}

#[test]
fn training_goes_on_as_in_keras() {
    for [name, facts_name] in MODELS.into_iter().filter(|[name, _]| name.starts_with("bars")) {
        let (mut model, facts) = (load(name), facts(facts_name));
        let data = samples(&model, 12);
        let fit = Fit { batch_size: 4, shuffle: false, verbose: Verbose::Silent, ..Fit::default() };
        model.fit(&data, fit).unwrap();
        let expected = facts["weights after three steps"].as_array().unwrap();
        for (weight, expected) in model.get_weights().iter().zip(expected) {
            assert_close(&weight.to_vec(), &numbers(expected), name);
        }
    }
}

#[test]
fn names_and_options_are_those_of_the_file() {
    let lecture = load("lecture.keras");
    let names: Vec<&str> = lecture.layers().map(|layer| layer.name()).collect();
    let numbered = ["conv_1", "max_pooling2d", "dropout", "conv_2", "max_pooling2d_1", "dropout_1"];
    assert_eq!(names[..6], numbered);
    assert_eq!(lecture.count_params(), 7_044);
    assert_eq!(lecture.learning_rate().unwrap() as f32, 0.02);
    // The two files of one model differ in nothing.
    let scratch = Scratch::new("keras-two-files");
    assert_eq!(all(&scratch, &load("lecture.h5")), all(&scratch, &lecture));
}

#[test]
fn nothing_is_lost_in_keras_s_files() {
    let scratch = Scratch::new("keras-nothing-lost");
    for [name, _] in MODELS {
        let mut model = load(name);
        // The order of samples, dropout and the counts of steps and epochs matter now.
        let data = samples(&model, 70);
        let fit = || Fit { epochs: 2, verbose: Verbose::Silent, ..Fit::default() };
        model.fit(&data, fit()).unwrap();
        let before = all(&scratch, &model);
        for ending in ["keras", "h5"] {
            let path = scratch.path(&format!("again.{ending}"));
            model.save(&path).unwrap();
            let mut again = Model::load(&path).unwrap();
            assert!(all(&scratch, &again) == before, "{name} as {ending}");
            again.fit(&data, fit()).unwrap();
            let mut on = model.clone();
            on.fit(&data, fit()).unwrap();
            assert!(all(&scratch, &again) == all(&scratch, &on), "{name} as {ending}");
        }
    }
}

#[test]
fn the_same_model_gives_the_same_bytes() {
    let scratch = Scratch::new("keras-same-bytes");
    let model = load("bars.keras");
    for name in ["model.keras", "model.h5", "model.hdf5"] {
        let path = scratch.path(name);
        model.save(&path).unwrap();
        let once = fs::read(&path).unwrap();
        // A file that knew the time would change with it.
        std::thread::sleep(std::time::Duration::from_millis(2100));
        Model::<f32>::load(&path).unwrap().save(&path).unwrap();
        assert!(fs::read(&path).unwrap() == once, "{name}");
    }
}

fn bars(seed: u64) -> Model {
    Sequential::new([6, 6, 1])
        .add(Conv2d::new(3, 3).activation(Relu))
        .add(MaxPooling2d::new(2))
        .add(Flatten::new())
        .add(Dense::new(3).activation(Softmax))
        .build(seed)
        .unwrap()
}

#[test]
fn weights_alone_fit_into_a_model() {
    let expected = load("bars.keras").get_weights();
    for name in ["bars.weights.h5", "bars_legacy_weights.h5", "bars_2_2_4.h5", "bars.keras"] {
        let mut model = bars(1);
        model.load_weights(golden(name)).unwrap();
        assert_eq!(model.get_weights(), expected, "{name}");
    }
    let scratch = Scratch::new("keras-weights");
    for name in ["a.weights.h5", "a.safetensors"] {
        load("bars.keras").save_weights(scratch.path(name)).unwrap();
        let mut model = load("bars_2_2_2.h5");
        model.load_weights(scratch.path(name)).unwrap();
        assert_eq!(model.get_weights(), expected, "{name}");
    }
}

/// Keras 2.12 and 2.13 had another name for the group of layers.
#[test]
fn weights_of_the_first_files_of_keras_3() {
    let expected = load("bars.keras").get_weights();
    let mut layers = ["conv2d", "dense"].into_iter().zip(expected.chunks(2));
    let mut file = hdf5_pure::FileBuilder::new();
    let mut group = file.create_group("_layer_checkpoint_dependencies");
    for (name, weights) in layers.by_ref() {
        let mut layer = group.create_group(name);
        let mut vars = layer.create_group("vars");
        for (i, weight) in weights.iter().enumerate() {
            let shape: Vec<u64> = weight.shape().iter().map(|&dim| dim as u64).collect();
            vars.create_dataset(&i.to_string()).with_f32_data(&weight.to_vec()).with_shape(&shape);
        }
        layer.add_group(vars.finish());
        group.add_group(layer.finish());
    }
    file.add_group(group.finish());
    let scratch = Scratch::new("keras-2-13");
    let path = scratch.path("bars.weights.h5");
    fs::write(&path, file.finish().unwrap()).unwrap();
    let mut model = bars(1);
    model.load_weights(path).unwrap();
    assert_eq!(model.get_weights(), expected);
}

/// The arrays are in chunks, each with other filters: gzip, LZF, shuffle, fletcher32.
#[test]
fn packed_arrays_are_read() {
    let scratch = Scratch::new("keras-packed");
    assert!(all(&scratch, &load("packed.h5")) == all(&scratch, &whole_h5(&scratch)));
    let expected = load("bars.keras").get_weights();
    for name in ["packed.h5", "packed.weights.h5"] {
        let mut model = bars(1);
        model.load_weights(golden(name)).unwrap();
        assert_eq!(model.get_weights(), expected, "{name}");
    }
}

/// An archive whose members are packed with deflate, as programs pack them that know nothing of Keras.
#[test]
fn packed_archives_are_read() {
    let scratch = Scratch::new("keras-deflated");
    assert!(all(&scratch, &load("deflated.keras")) == all(&scratch, &load("bars.keras")));
    let mut model = bars(1);
    model.load_weights(golden("deflated.keras")).unwrap();
    assert_eq!(model.get_weights(), load("bars.keras").get_weights());
}

/// Keras writes no arrays that can grow along all axes.
#[test]
fn chunks_in_a_b_tree_of_version_2_are_refused_in_words() {
    let error = bars(1).load_weights(golden("growing.weights.h5")).unwrap_err().to_string();
    for expected in ["growing.weights.h5", "vars/0 can grow along several axes", "h5repack"] {
        assert!(error.contains(expected), "{error}");
    }
}

/// `bars.keras` as an `.h5` file of ours, read again: that format knows less of the training.
fn whole_h5(scratch: &Scratch) -> Model {
    let path = scratch.path("whole.h5");
    load("bars.keras").save(&path).unwrap();
    Model::load(&path).unwrap()
}

/// Checks that weights are those of `bars.keras`, rounded to so many binary digits.
fn assert_rounded(weights: &[Tensor], digits: i32, what: &str) {
    let expected = load("bars.keras").get_weights();
    assert_eq!(weights.len(), expected.len());
    for (found, expected) in weights.iter().zip(&expected) {
        assert_eq!(found.shape(), expected.shape());
        for (found, expected) in found.iter().zip(expected.iter()) {
            let error = (found - expected).abs();
            let half_of_the_last = expected.abs() * 2f32.powi(-digits);
            assert!(error <= half_of_the_last, "{what}: {found} instead of {expected}");
        }
    }
}

#[test]
fn big_endian_arrays_are_read() {
    let mut model = bars(1);
    model.load_weights(golden("big_endian.weights.h5")).unwrap();
    let (weights, expected) = (model.get_weights(), load("bars.keras").get_weights());
    assert_eq!([&weights[0], &weights[2]], [&expected[0], &expected[2]]);
    // The biases are of 16 bits there.
    assert_rounded(&weights, 11, "big-endian");
}

#[test]
fn models_of_16_bits_are_read_and_compute_more_exactly() {
    let text = fs::read_to_string(golden("packed.json")).unwrap();
    let facts: Value = serde_json::from_str(&text).unwrap();
    for (name, digits) in [("float16.h5", 11), ("bfloat16.keras", 8)] {
        let model = load(name);
        assert_rounded(&model.get_weights(), digits, name);
        let found = model.predict(samples(&model, 4).inputs()).unwrap().to_vec();
        for (found, expected) in found.iter().zip(numbers(&facts[name])) {
            assert!(
                (found - expected).abs() < 4.0 * 2f32.powi(-digits),
                "{name}: {found} {expected}"
            );
        }
        let mut other = bars(1);
        other.load_weights(golden(name)).unwrap();
        assert_eq!(other.get_weights(), model.get_weights(), "{name}");
        // The same numbers in a model of f64.
        let wide = Model::<f64>::load(golden(name)).unwrap().get_weights();
        for (wide, narrow) in wide.iter().zip(model.get_weights()) {
            assert!(wide.iter().eq(narrow.iter().map(f64::from)), "{name}");
        }
    }
}

#[test]
fn models_of_64_bits_are_converted_if_asked() {
    let text = fs::read_to_string(golden("packed.json")).unwrap();
    let facts: Value = serde_json::from_str(&text).unwrap();
    for name in ["float64.h5", "float64.keras"] {
        let error = Model::<f32>::load(golden(name)).unwrap_err().to_string();
        assert!(error.contains("computes in float64, and this model in float32"), "{error}");
        assert!(error.contains("Load::new(path).convert(true)"), "{error}");
        let expected: Vec<f64> =
            facts[name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        let rounded: Model = Load::new(golden(name)).convert(true).model().unwrap();
        let x = samples(&rounded, 4);
        let found = rounded.predict(x.inputs()).unwrap().cast::<f64>();
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{name}");
        let exact = Model::<f64>::load(golden(name)).unwrap();
        let found = exact.predict(&x.inputs().cast::<f64>()).unwrap();
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12), "{name}");
        let reasons = Load::<f32>::new(golden(name)).unsupported().unwrap();
        assert!(!reasons.is_empty());
        assert!(Load::<f32>::new(golden(name)).convert(true).unsupported().unwrap().is_empty());
        // Weights alone are not rounded.
        let error = bars(1).load_weights(golden(name)).unwrap_err().to_string();
        assert!(error.contains("use a model of f64"), "{error}");
    }
    // The other way round.
    assert!(Model::<f64>::load(golden("bars.keras")).is_err());
    let wide: Model<f64> = Load::new(golden("bars.keras")).convert(true).model().unwrap();
    let narrow = load("bars.keras");
    for (wide, narrow) in wide.get_weights().iter().zip(narrow.get_weights()) {
        assert!(wide.iter().eq(narrow.iter().map(f64::from)));
    }
    assert_eq!(wide.learning_rate().unwrap(), narrow.learning_rate().unwrap());
}

/// A model of dense layers with these names, with other weights for each seed.
fn named(names: &[&str], seed: u64) -> Result<Model, Error> {
    let chain = names.iter().fold(Sequential::new([2]).name("named"), |chain, name| {
        chain.add(Dense::new(2).bias_initializer(Initializer::Ones).name(*name))
    });
    let mut model = chain.build(seed)?;
    model.compile(Compile::new(Adam::new(0.01), MeanSquaredError));
    let data = Dataset::new(Tensor::ones([4, 2]), Tensor::ones([4, 2]))?;
    model.fit(&data, Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() })?;
    Ok(model)
}

#[test]
fn names_that_mean_something_to_a_format_are_kept() {
    let long = "long".repeat(4_000);
    let names = [
        "model_weights",
        "optimizer_weights",
        "optimizer",
        "layers",
        "vars",
        "..",
        "...",
        "a: b",
        "0",
        "dense_1",
        "_layer_checkpoint_dependencies",
        "layer_names",
        "weight_names",
        "kernel",
        "named",
        "é\n",
        "cinta",
        " ",
        "a.b",
        "__metadata__",
        "C:\\",
        &long,
    ];
    let scratch = Scratch::new("keras-kept-names");
    let model = named(&names, 1).unwrap();
    for file in ["m.keras", "m.h5", "m.safetensors"] {
        let path = scratch.path(file);
        model.save(&path).unwrap();
        let loaded = Model::load(&path).unwrap();
        assert!(all(&scratch, &loaded) == all(&scratch, &model), "{file}");
    }
    for file in ["m.keras", "m.h5", "m.safetensors", "m.weights.h5", "w.safetensors"] {
        let path = scratch.path(file);
        if !path.exists() {
            model.save_weights(&path).unwrap();
        }
        let mut other = named(&names, 2).unwrap();
        other.load_weights(&path).unwrap();
        assert_eq!(other.get_weights(), model.get_weights(), "{file}");
    }
}

#[test]
fn names_that_a_format_cannot_keep_are_refused_by_save() {
    let scratch = Scratch::new("keras-refused-names");
    let path = scratch.path("m.h5");
    for name in [".", "top_level_model_weights", "nul \0", &"long".repeat(5_000)] {
        let model = named(&["first", name], 1).unwrap();
        let error = model.save(&path).unwrap_err().to_string();
        let parts = [&format!("a layer cannot be called {name:?}"), "another name", "`.keras`"];
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        assert!(!path.exists());
        for file in ["m.keras", "m.safetensors"] {
            model.save(scratch.path(file)).unwrap();
            let loaded: Model = Model::load(scratch.path(file)).unwrap();
            assert_eq!(loaded.get_weights(), model.get_weights(), "{file} {name:?}");
        }
    }
    for name in ["", "a/b", "/", "/a"] {
        let error = named(&["first", name], 1).unwrap_err().to_string();
        assert!(error.contains(&format!("has no `/`, and this is {name:?}")), "{error}");
    }
    for name in ["", ".", "a/b", "nul \0"] {
        let model = Sequential::new([2]).name(name).add(Dense::new(2)).build(1).unwrap();
        for file in ["m.h5", "m.keras"] {
            let error = model.save(scratch.path(file)).unwrap_err().to_string();
            assert!(error.contains(&format!("the model's name {name:?}")), "{error}");
        }
    }
}

/// A layer whose class has this name.
struct Class(&'static str);

impl cinta::Layer<f32> for Class {
    fn class_name(&self) -> &str {
        self.0
    }

    fn config(&self) -> cinta::Config {
        cinta::Config::new()
    }

    fn output_shape(&self, input: cinta::Shape) -> Result<cinta::Shape, cinta::Reason> {
        Ok(input)
    }

    fn weights(&self, _: cinta::Shape) -> Vec<cinta::Weight> {
        vec![cinta::Weight::new("w", [2], Initializer::Ones)]
    }

    fn forward<'t>(
        &self,
        weights: &[cinta::Var<'t, f32>],
        x: &cinta::Var<'t, f32>,
        _: &mut cinta::Context<f32>,
    ) -> cinta::Var<'t, f32> {
        x * &weights[0]
    }
}

/// Files of Keras 3 number the layers of a class: `dense`, `dense_1`.
#[test]
fn classes_that_a_format_cannot_keep_apart_are_refused_by_save() {
    let scratch = Scratch::new("keras-classes");
    let with = |class| {
        let chain = Sequential::new([2]).add(Dense::new(2)).add(Dense::new(2)).add(Class(class));
        chain.build(1).unwrap().save(scratch.path("m.keras"))
    };
    with("Mine").unwrap();
    let error = with("Dense_1").unwrap_err().to_string();
    assert!(error.contains("dense_1 (Dense) and dense_1_1 (Dense_1) would both be"), "{error}");
    with("my/Layer").unwrap();
    for class in ["", "."] {
        let error = Sequential::new([2]).add(Class(class)).build(1).unwrap_err().to_string();
        assert!(
            error.contains(&format!("has a letter or a digit, and this is {class:?}")),
            "{error}"
        );
    }
}

/// A file of the real Keras, in the format of Keras 2.
#[test]
fn weights_of_layers_with_odd_names() {
    let names = ["model_weights", "layers", "optimizer_weights", "..", "a: b"];
    let mut model = named(&names, 1).unwrap();
    model.load_weights(golden("named_weights.h5")).unwrap();
    let numbers: Vec<f32> = model.get_weights().iter().flat_map(Tensor::to_vec).collect();
    assert_eq!(numbers, (0..30).map(|i| i as f32).collect::<Vec<f32>>());
}

#[test]
fn weights_of_another_model_change_nothing() {
    let mut model =
        Sequential::new([6, 6, 1]).add(Flatten::new()).add(Dense::new(3)).build(1).unwrap();
    let before = model.get_weights();
    for (name, expected) in [
        ("bars.weights.h5", "the weight dense/kernel has the shape [12, 3]"),
        ("bars_legacy_weights.h5", "the file has weights for 2 layers, and the model has 1"),
        ("lecture.keras", "the weight dense/kernel has the shape [108, 50]"),
    ] {
        let error = model.load_weights(golden(name)).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(expected), "{name}: {error}");
    }
    let mut deeper = Sequential::new([12]).add(Dense::new(3)).build(1).unwrap();
    let error = deeper.load_weights(golden("bars.weights.h5")).unwrap_err().to_string();
    assert!(error.contains("layers/conv2d belong to no layer"), "{error}");
    assert_eq!(model.get_weights(), before);
}

#[test]
fn a_name_says_what_is_in_a_file() {
    let scratch = Scratch::new("keras-names");
    let model = bars(1);
    for (name, expected) in [
        ("model.weights.h5", "use save_weights"),
        ("model.onnx", "use `.safetensors`, or with the feature `keras` also `.keras` or `.h5`"),
    ] {
        let error = model.save(scratch.path(name)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!scratch.path(name).exists());
    }
    let error = model.save_weights(scratch.path("model.h5")).unwrap_err().to_string();
    assert!(error.contains("ends in `.weights.h5` or `.safetensors`"), "{error}");
    let error = Model::<f32>::load(golden("bars.weights.h5")).unwrap_err().to_string();
    assert!(error.contains("holds weights, but no model"), "{error}");
    // Once, Keras wrote HDF5 whatever the name was.
    let path = scratch.path("model.keras");
    fs::copy(golden("bars_2_2_4.h5"), &path).unwrap();
    assert_eq!(Model::<f32>::load(&path).unwrap().count_params(), 69);
}

#[test]
fn another_element_type_is_an_error_that_names_both() {
    for name in ["bars.keras", "bars_2_2_4.h5"] {
        let error = Model::<f64>::load(golden(name)).unwrap_err().to_string();
        assert!(error.contains("float32") && error.contains("float64"), "{error}");
    }
    let scratch = Scratch::new("keras-f64");
    let path = scratch.path("model.keras");
    let model = Sequential::<f64>::typed([4]).add(Dense::new(3)).build(2).unwrap();
    model.save(&path).unwrap();
    assert_eq!(Model::<f64>::load(&path).unwrap().get_weights(), model.get_weights());
    assert!(Model::<f32>::load(&path).is_err());
}

#[test]
fn a_loss_that_keras_does_not_have_comes_back() {
    let scratch = Scratch::new("keras-own-loss");
    let mut model = bars(3);
    let loss = CategoricalCrossentropy::from_probabilities();
    model.compile(Compile::new(Sgd::new(0.1), loss.clone()).metric(loss));
    for name in ["model.keras", "model.h5"] {
        model.save(scratch.path(name)).unwrap();
        let again = Model::load(scratch.path(name)).unwrap();
        assert!(all(&scratch, &again) == all(&scratch, &model), "{name}");
    }
}

#[test]
fn many_layers_are_no_attack() {
    let scratch = Scratch::new("keras-many-layers");
    let mut builder = Sequential::new([2]);
    for i in 0..600 {
        builder = builder.add(
            Dense::new(2)
                .name(format!("a_layer_with_a_rather_long_name_that_makes_lists_long_{i}")),
        );
    }
    let mut model = builder.build(5).unwrap();
    model.compile(Compile::new(Adam::new(1e-4), MeanSquaredError));
    let data = Dataset::new(Tensor::ones([4, 2]), Tensor::ones([4, 2])).unwrap();
    model.fit(&data, Fit { verbose: Verbose::Silent, ..Fit::default() }).unwrap();
    for name in ["model.keras", "model.h5"] {
        model.save(scratch.path(name)).unwrap();
        let again = Model::load(scratch.path(name)).unwrap();
        assert!(all(&scratch, &again) == all(&scratch, &model), "{name}");
    }
}

/// An array for each gate, other names of options, a layer `Merge`, kernels with the channels first: put together as Keras 1.2.2 did. And the last
/// of these models as Keras 2.1 wrote it with Theano, whose kernels are mirrored.
#[test]
fn files_of_keras_1() {
    let facts: Value =
        serde_json::from_str(&fs::read_to_string(golden("keras_1.json")).unwrap()).unwrap();
    for (name, fact) in [
        ("keras_1_series.h5", "keras_1_series.h5"),
        ("keras_1_graph.h5", "keras_1_graph.h5"),
        ("keras_1_first.h5", "keras_1_first.h5"),
        ("theano.h5", "keras_1_first.h5"),
    ] {
        let model = load(name);
        let shape = model.input_shape().batch(4);
        let x: Vec<f32> = (0..shape.count()).map(|i| (i * 37 % 101) as f32 / 101.0).collect();
        let predictions = model.predict(&Tensor::new(shape, x)).unwrap().to_vec();
        assert_close(&predictions, &numbers(&facts[fact]), name);
    }
    assert_eq!(load("keras_1_series.h5").learning_rate().unwrap() as f32, 0.001);
}
