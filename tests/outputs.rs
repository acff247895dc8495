//! Training with several inputs and outputs, against Keras 3.15 (`tests/golden/outputs.py`).

use cinta::prelude::*;
use cinta::{Error, Shape};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/outputs.json")).unwrap()
}

fn wave(shape: impl Into<Shape>, first: usize) -> Tensor {
    let shape = shape.into();
    let count: usize = shape.iter().product();
    let values =
        (0..count).map(|i| (first as f64 + 0.7 * i as f64).sin() as f32).collect::<Vec<f32>>();
    Tensor::from_fn([count], |at| values[at[0]]).reshape(shape)
}

fn model() -> Model {
    let (a, b) = (Input::named("a", [3]), Input::named("b", [2]));
    let joined = Concatenate::new().name("joined").of([&a, &b]);
    let hidden = joined.then(Dense::new(4).activation(Relu).name("hidden"));
    let scores = hidden.then(Dense::new(2).activation(Softmax).name("scores"));
    let size = hidden.then(Dense::new(1).name("size"));
    let mut model = Model::new([&a, &b], [&scores, &size]).build(0).unwrap();
    let weights: Vec<Tensor> =
        model.get_weights().iter().enumerate().map(|(i, w)| wave(w.shape(), i)).collect();
    model.set_weights(&weights).unwrap();
    model
}

fn compile() -> Compile {
    Compile::outputs(Sgd::new(0.1).momentum(0.5))
        .loss_for("scores", CategoricalCrossentropy::new())
        .loss_for("size", MeanSquaredError)
        .loss_weight("scores", 1.5)
        .loss_weight("size", 0.5)
        .metric_for("scores", Accuracy)
        .metric_for("size", MeanAbsoluteError)
}

fn data() -> Dataset {
    let scores = datasets::one_hot(&[0, 1, 1, 0, 0, 1, 0, 1], 2).unwrap();
    Dataset::several([wave([8, 3], 10), wave([8, 2], 11)], [scores, wave([8, 1], 12)]).unwrap()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{what}: {found}, and Keras has {expected}");
    }
}

fn same_weights(model: &Model, expected: &Value) {
    for (i, (weight, expected)) in
        model.get_weights().iter().zip(expected.as_array().unwrap()).enumerate()
    {
        let found: Vec<f64> = weight.iter().map(f64::from).collect();
        close(&found, &numbers(expected), &format!("weight {i}"));
    }
}

#[test]
fn training_is_keras_s() {
    let (golden, mut model, data) = (golden(), model(), data());
    model.compile(compile());
    let scores = model.evaluate(&data).unwrap();
    let names: Vec<&str> = scores.iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["loss", "scores_loss", "size_loss", "scores_accuracy", "size_mean_absolute_error"]
    );
    let before = golden["before"].as_object().unwrap();
    assert_eq!(before.len(), names.len());
    for (name, value) in before {
        close(&[scores[name.as_str()]], &[value.as_f64().unwrap()], name);
    }

    let fit = |epochs, batch_size, validation_data| Fit {
        epochs,
        batch_size,
        shuffle: false,
        validation_data,
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let history = model.fit(&data, fit(2, 3, Some(&data))).unwrap();
    let expected = golden["history"].as_object().unwrap();
    let mut keys: Vec<&String> = expected.keys().collect();
    keys.sort();
    assert_eq!(history.keys().collect::<Vec<_>>(), keys);
    for (name, values) in expected {
        close(&history[name.as_str()], &numbers(values), name);
    }
    same_weights(&model, &golden["weights"]);

    let weights = Tensor::from([1.0, 0.5, 2.0, 1.0, 0.0, 1.0, 1.5, 1.0]);
    let weighted = data.clone().with_sample_weight(weights).unwrap();
    let history = model.fit(&weighted, fit(1, 8, None)).unwrap();
    for (name, values) in golden["weighted"].as_object().unwrap() {
        close(&history[name.as_str()], &numbers(values), name);
    }
    same_weights(&model, &golden["after"]);
}

#[test]
fn files_keep_what_each_output_is_compiled_with() {
    let (mut model, data) = (model(), data());
    model.compile(compile());
    let silent = || Fit { verbose: Verbose::Silent, ..Fit::default() };
    model.fit(&data, silent()).unwrap();
    let formats: &[&str] =
        if cfg!(feature = "keras") { &["safetensors", "keras", "h5"] } else { &["safetensors"] };
    for format in formats {
        let file = std::env::temp_dir().join(format!("outputs-{}.{format}", std::process::id()));
        model.save(&file).unwrap();
        let mut loaded = Model::load(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(loaded.evaluate(&data).unwrap(), model.evaluate(&data).unwrap(), "{format}");
        // Training goes on as if nothing had happened.
        let mut goes_on = model.clone();
        let expected = goes_on.fit(&data, silent()).unwrap();
        assert_eq!(loaded.fit(&data, silent()).unwrap(), expected, "{format}");
        assert_eq!(loaded.get_weights(), goes_on.get_weights(), "{format}");
    }
}

#[test]
fn an_output_without_a_loss_is_left_alone() {
    let (mut model, data) = (model(), data());
    model.compile(Compile::outputs(Sgd::new(0.1)).loss_for("size", MeanSquaredError));
    let before = model.get_weights();
    model.fit(&data, Fit { verbose: Verbose::Silent, ..Fit::default() }).unwrap();
    let after = model.get_weights();
    assert_eq!(before[2..4], after[2..4], "the weights of scores");
    assert_ne!(before[4], after[4]);
    assert_ne!(before[0], after[0]);
    let scores = model.evaluate(&data).unwrap();
    assert_eq!(scores.get("scores_loss"), None);
    assert_eq!(scores["loss"], scores["size_loss"]);
}

#[test]
fn one_loss_serves_all_outputs() {
    let (mut model, data) = (model(), data());
    model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    let scores = model.evaluate(&data).unwrap();
    assert!((scores["loss"] - scores["scores_loss"] - scores["size_loss"]).abs() < 1e-12);
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let train = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (mut model, data) = (model(), data());
            let many: Vec<usize> = (0..200).map(|i| i % 8).collect();
            model.compile(compile());
            let fit =
                Fit { epochs: 3, batch_size: 100, verbose: Verbose::Silent, ..Fit::default() };
            let history = model.fit(&data.take(&many), fit).unwrap();
            (history, model.get_weights())
        })
    };
    let one = train(1);
    assert!([2, 3, 16].into_iter().all(|threads| train(threads) == one));
}

#[test]
fn what_does_not_fit_is_an_error() {
    let error = |compile: Compile, data: &Dataset| {
        let mut model = model();
        model.compile(compile);
        model.evaluate(data).unwrap_err().to_string()
    };
    let data = data();
    let of_unknown = compile().loss_for("no_such_thing", MeanSquaredError);
    assert_eq!(
        error(of_unknown, &data),
        "it says something of an output \"no_such_thing\", and the outputs of the model are scores, size"
    );
    assert_eq!(
        error(Compile::new(Sgd::new(0.1), MeanSquaredError).metric(Accuracy), &data),
        "the model has several outputs; say which a metric is of, with metric_for and one of scores, size"
    );
    assert_eq!(
        error(Compile::outputs(Sgd::new(0.1)), &data),
        "no output has a loss; give one to at least one of scores, size with loss_for"
    );
    assert_eq!(
        error(compile().loss_weight("size", f64::NAN), &data),
        "the loss weight of the output size is NaN; it is finite and not negative"
    );
    let single = Dataset::several(data.all_inputs().cloned(), [data.targets().clone()]).unwrap();
    assert_eq!(
        error(compile(), &single),
        "the model has 2 outputs (scores, size), and the data has targets for 1"
    );
    let one_input = Dataset::new(data.inputs().clone(), data.targets().clone()).unwrap();
    assert_eq!(error(compile(), &one_input), "the model has 2 inputs, and 1 were given");
    let mut targets: Vec<Tensor> = data.all_targets().cloned().collect();
    targets.reverse();
    let swapped = Dataset::several(data.all_inputs().cloned(), targets).unwrap();
    let found = error(compile(), &swapped);
    assert!(
        found.starts_with(
            "the data does not fit the loss categorical_crossentropy of output scores: "
        ),
        "{found}"
    );
    let mut model = model();
    model.compile(compile());
    let fit = Fit { class_weight: &[(0, 2.0)], ..Fit::default() };
    assert!(
        matches!(model.fit(&data, fit), Err(Error::Config(reason)) if reason.as_str().contains("one output"))
    );
}

#[test]
fn callbacks_watch_the_values_of_an_output() {
    let (mut model, data) = (model(), data());
    model.compile(compile());
    let mut stopping = EarlyStopping::new("val_size_mean_absolute_error");
    let history = model.fit(
        &data,
        Fit {
            epochs: 3,
            validation_data: Some(&data),
            callbacks: &mut [&mut stopping],
            verbose: Verbose::Silent,
            ..Fit::default()
        },
    );
    assert!(!history.unwrap().epochs().is_empty());
}

#[test]
fn an_output_given_twice_has_its_mask_twice() {
    let x = Input::new([2, 1]);
    let y = x.then(Masking::new(0.0)).then(Dense::new(1));
    let mut model = Model::new(&x, [&y, &y]).build(0).unwrap();
    assert_eq!(model.output_names(), ["dense", "dense_1"]);
    model.set_weights(&[Tensor::ones([1, 1]), Tensor::zeros([1])]).unwrap();
    let losses = Compile::outputs(Sgd::new(0.1)).loss_for("dense", MeanSquaredError);
    model.compile(losses.loss_for("dense_1", MeanSquaredError));
    // The second step does not count: (1 - 3)^2 is left.
    let targets = Tensor::from([[[3.0], [5.0]]]);
    let data = Dataset::several([Tensor::from([[[1.0], [0.0]]])], [targets.clone(), targets]);
    let scores = model.evaluate(&data.unwrap()).unwrap();
    assert_eq!((scores["dense_loss"], scores["dense_1_loss"]), (4.0, 4.0));
}
