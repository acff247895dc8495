//! Keras's contract of `fit` and `evaluate`: epochs, splits, weights, the history and its table, and what is printed. The
//! numbers in `golden/fit.json` come from the real Keras; `golden/fit.py` says how.

mod scratch;

use cinta::prelude::*;
use cinta::{Callback, Metric, Result, Scores, Stream};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const TOLERANCE: f64 = 2e-6;

fn golden(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let mut golden: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("the golden file"))
            .expect("JSON");
    let Value::Array(cases) = golden["cases"].take() else { panic!("no cases in {file}") };
    assert!(!cases.is_empty());
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn tensor(array: &Value) -> Tensor {
    let shape: Vec<usize> = numbers(&array["shape"]).iter().map(|&dim| dim as usize).collect();
    Tensor::new(&shape[..], numbers(&array["data"]).iter().map(|&x| x as f32).collect::<Vec<_>>())
}

fn assert_near(what: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= TOLERANCE * b.abs().max(1.0), "{what}: {ours:?} and {theirs:?}");
    }
}

#[test]
fn training_is_as_keras_trains() {
    let cases = golden("fit.json");
    let inputs = &cases[0]["inputs"];
    let weights: Vec<Tensor> =
        inputs["weights"].as_array().expect("weights").iter().map(tensor).collect();
    for case in &cases {
        let (name, attrs) = (case["name"].as_str().expect("a name"), &case["attrs"]);
        let flag = |name: &str| attrs[name].as_bool().unwrap_or(false);
        let count = |name: &str, default| attrs[name].as_u64().map_or(default, |it| it as usize);
        let sparse = flag("sparse");
        let data = |x: &str, labels: &str, weight: Option<&str>| {
            let labels = tensor(&inputs[labels]);
            let targets = if sparse {
                labels
            } else {
                let labels: Vec<usize> = labels.iter().map(|label| label as usize).collect();
                datasets::one_hot(&labels, 3).unwrap()
            };
            let data = Dataset::new(tensor(&inputs[x]), targets).unwrap();
            match weight {
                Some(weight) => data.with_sample_weight(tensor(&inputs[weight])).unwrap(),
                None => data,
            }
        };
        let mut model = Sequential::new([4])
            .add(Dense::new(5).activation(Tanh).kernel_regularizer(L2(0.01)))
            .add(Dense::new(3).activation(Softmax))
            .build(0)
            .unwrap();
        model.set_weights(&weights).unwrap();
        let sgd = Sgd::new(0.2).momentum(0.5);
        let compile = match sparse {
            true => Compile::new(sgd, SparseCategoricalCrossentropy::new())
                .metric(Accuracy)
                .metric(SparseCategoricalCrossentropy::new()),
            false => Compile::new(sgd, CategoricalCrossentropy::new())
                .metric(Accuracy)
                .metric(CategoricalCrossentropy::new()),
        };
        let weighted = flag("weighted");
        model.compile(if weighted { compile.weighted_metric(Accuracy) } else { compile });
        let weight = |name: &'static str| flag(name).then_some(name);
        let training = data("x", "labels", weight("sample_weight"));
        let validation = data("val_x", "val_labels", weight("val_sample_weight"));
        let class_weight: Vec<(usize, f64)> = attrs["class_weight"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|pair| (numbers(pair)[0] as usize, numbers(pair)[1]))
            .collect();
        let fit = Fit {
            epochs: count("epochs", 3),
            initial_epoch: count("initial_epoch", 0),
            batch_size: 4,
            shuffle: false,
            class_weight: &class_weight,
            validation_data: flag("validation_data").then_some(&validation),
            validation_split: attrs["validation_split"].as_f64().unwrap_or(0.0),
            validation_freq: count("validation_freq", 1),
            verbose: Verbose::Silent,
            ..Fit::default()
        };
        let history = model.fit(&training, fit).unwrap();
        let theirs = case["history"].as_object().expect("a history");
        let keys: Vec<&String> = theirs.keys().collect();
        assert_eq!(history.keys().collect::<Vec<_>>(), keys, "{name}");
        for (key, values) in theirs {
            assert_near(&format!("{name}: {key}"), &history[key], &numbers(values));
        }
        assert_eq!(history.epochs().len(), numbers(&case["epochs"]).len(), "{name}");
        for (ours, theirs) in model.get_weights().iter().zip(case["weights"].as_array().unwrap()) {
            let widened = |x: &Tensor| x.iter().map(f64::from).collect::<Vec<_>>();
            assert_near(&format!("{name}: weights"), &widened(ours), &widened(&tensor(theirs)));
        }
        let scores = model.evaluate(&training).unwrap();
        for (key, value) in case["scores"].as_object().unwrap() {
            assert_near(&format!("{name}: {key}"), &[scores[key]], &[value.as_f64().unwrap()]);
        }
    }
}

/// `y = 2 x + 1`, for some numbers `x`.
fn line(n: usize) -> Dataset {
    let x: Tensor = Tensor::uniform([n, 1], -1.0, 1.0, &mut Stream::new(3));
    Dataset::new(x.clone(), &x * 2.0 + 1.0).unwrap()
}

fn model() -> Model {
    let mut model = Sequential::new([1]).add(Dense::new(1)).build(5).unwrap();
    model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    model
}

fn silent<'a>(epochs: usize) -> Fit<'a> {
    Fit { epochs, batch_size: 4, verbose: Verbose::Silent, ..Fit::default() }
}

#[test]
fn a_split_keeps_the_last_samples_away_from_training() {
    let data = line(10);
    let (mut split, mut given) = (model(), model());
    let history = split.fit(&data, Fit { validation_split: 0.25, ..silent(3) }).unwrap();
    // floor(10 * 0.75)
    let (training, validation) = (data.slice(0..7), data.slice(7..10));
    let fit = Fit { validation_data: Some(&validation), ..silent(3) };
    assert_eq!(given.fit(&training, fit).unwrap(), history);
    assert_eq!(split.get_weights(), given.get_weights());
}

#[test]
fn two_fits_are_the_same_as_one() {
    let data = line(10);
    let (mut whole, mut parts) = (model(), model());
    let history = whole.fit(&data, silent(5)).unwrap();
    let first = parts.fit(&data, silent(2)).unwrap();
    let second = parts.fit(&data, Fit { initial_epoch: 2, ..silent(5) }).unwrap();
    assert_eq!(whole.get_weights(), parts.get_weights());
    assert_eq!([&first["loss"][..], &second["loss"]].concat(), history["loss"]);
    assert_eq!([first.epochs(), second.epochs()].concat(), history.epochs());
}

#[test]
fn epochs_that_are_behind_are_not_trained() {
    let data = line(10);
    let mut model = model();
    let before = model.get_weights();
    for initial_epoch in [2, 3, usize::MAX] {
        let history = model.fit(&data, Fit { initial_epoch, ..silent(2) }).unwrap();
        assert_eq!((history.keys().count(), history.to_csv()), (0, "epoch\n".to_owned()));
    }
    assert_eq!(model.get_weights(), before);
}

#[test]
fn validation_that_is_not_in_every_epoch_has_epochs_of_its_own() {
    let data = line(10);
    let fit = Fit { validation_split: 0.2, validation_freq: 3, ..silent(7) };
    let history = model().fit(&data, fit).unwrap();
    assert_eq!(history.keys().collect::<Vec<_>>(), ["loss", "val_loss"]);
    assert_eq!(history.epochs(), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(history.epochs_of("loss"), Some(history.epochs()));
    assert_eq!(history.epochs_of("val_loss"), Some(&[3, 6][..]));
    assert_eq!(history["val_loss"].len(), 2);
    assert_eq!(history.epochs_of("val_los"), None);

    let table = history.to_csv();
    let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split(',').collect()).collect();
    assert_eq!(rows[0], ["epoch", "loss", "val_loss"]);
    assert_eq!(rows.len(), 8);
    for (row, epoch) in rows[1..].iter().zip(1..) {
        assert_eq!(row[0], epoch.to_string());
        assert_eq!(row[1].parse(), Ok(history["loss"][epoch - 1]));
        match epoch {
            3 | 6 => assert_eq!(row[2].parse(), Ok(history["val_loss"][epoch / 3 - 1])),
            _ => assert_eq!(row[2], "NA"),
        }
    }
}

#[test]
fn a_weight_counts_as_so_many_samples() {
    // Weights 2, 0 and 1 are the samples 0, 0 and 2 of a batch, but for the divisor.
    let (data, mut weighted, mut repeated) = (line(3), model(), model());
    repeated.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    let twice = data.take(&[0, 0, 2]);
    let data = data.with_sample_weight(Tensor::from([2.0, 0.0, 1.0])).unwrap();
    assert!(
        (weighted.evaluate(&data).unwrap()["loss"] - repeated.evaluate(&twice).unwrap()["loss"])
            .abs()
            < 1e-6
    );
    weighted.fit(&data, silent(20)).unwrap();
    repeated.fit(&twice, silent(20)).unwrap();
    for (a, b) in weighted.get_weights().iter().zip(repeated.get_weights()) {
        assert!(a.all_close(&b, 1e-4, 1e-5), "{a} and {b}");
    }
}

#[test]
fn a_file_keeps_metrics_with_weights() {
    let scratch = scratch::Scratch::new("weighted-metrics");
    let path = scratch.path("model.safetensors");
    let data = line(5).with_sample_weight(Tensor::from([0.0, 1.0, 2.0, 3.0, 4.0])).unwrap();
    let mut model = model();
    let compile = Compile::new(Sgd::new(0.1), MeanSquaredError);
    model.compile(
        compile.metric(Accuracy).weighted_metric(Accuracy).weighted_metric(MeanSquaredError),
    );
    model.save(&path).unwrap();
    let loaded: Model = Model::load(&path).unwrap();
    let scores = loaded.evaluate(&data).unwrap();
    assert_eq!(names(&scores), "loss accuracy weighted_accuracy mean_squared_error");
    assert_eq!(scores, model.evaluate(&data).unwrap());
    // The loss is divided by the number of the samples, the metric by the sum of their weights.
    assert!((scores["loss"] * 5.0 - scores["mean_squared_error"] * 10.0).abs() < 1e-6);
}

#[test]
fn weights_follow_their_samples() {
    let weights = Tensor::from([0.0, 1.0, 2.0, 3.0, 4.0]);
    let data = line(5).with_sample_weight(weights).unwrap();
    let of = |data: &Dataset| data.sample_weight().expect("weights").to_vec();
    assert_eq!(of(&data.slice(1..3)), [1.0, 2.0]);
    assert_eq!(of(&data.take(&[4, 0])), [4.0, 0.0]);
    assert_eq!(data.batches(2).map(|batch| of(&batch)).collect::<Vec<_>>().concat(), of(&data));
    let (first, second) = data.split(0.5).unwrap();
    assert_eq!((of(&first), of(&second)), (vec![0.0, 1.0], vec![2.0, 3.0, 4.0]));
}

#[test]
fn a_split_rounds_to_whole_samples() {
    for (n, fraction, first) in
        [(10, 0.8, 8), (100, 0.29, 29), (10, 0.25, 2), (7, 0.5, 4), (5, 0.5, 2), (3, 0.9, 3)]
    {
        match line(n).split(fraction) {
            Ok((a, b)) => assert_eq!((a.len(), b.len()), (first, n - first), "{n}, {fraction}"),
            Err(error) => {
                assert_eq!(first, n, "{error}");
                assert!(error.to_string().ends_with("leaves one of the two parts empty"));
            }
        }
    }
}

/// Writes down what is called.
#[derive(Default)]
struct Calls(Vec<String>);

impl Callback for Calls {
    fn on_train_begin(&mut self, params: &cinta::FitParams, _: &mut Model) -> Result<()> {
        self.0.push(format!("train {params:?}"));
        Ok(())
    }

    fn on_train_end(&mut self, logs: &Scores, _: &mut Model) -> Result<()> {
        self.0.push(format!("train end {}", names(logs)));
        Ok(())
    }

    fn on_epoch_begin(&mut self, epoch: usize, _: &mut Model) -> Result<()> {
        self.0.push(format!("epoch {epoch}"));
        Ok(())
    }

    fn on_epoch_end(&mut self, epoch: usize, logs: &mut Scores, _: &mut Model) -> Result<()> {
        self.0.push(format!("epoch end {epoch} {}", names(logs)));
        Ok(())
    }

    fn on_train_batch_begin(&mut self, batch: usize, _: &mut Model) -> Result<()> {
        self.0.push(format!("batch {batch}"));
        Ok(())
    }

    fn on_train_batch_end(&mut self, batch: usize, logs: &Scores, _: &mut Model) -> Result<()> {
        self.0.push(format!("batch end {batch} {}", names(logs)));
        Ok(())
    }

    fn on_test_begin(&mut self, _: &mut Model) -> Result<()> {
        self.0.push("test".to_owned());
        Ok(())
    }

    fn on_test_end(&mut self, logs: &Scores, _: &mut Model) -> Result<()> {
        self.0.push(format!("test end {}", names(logs)));
        Ok(())
    }
}

fn names(logs: &Scores) -> String {
    logs.iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
}

#[test]
fn hooks_are_called_in_keras_s_order() {
    let mut calls = Calls::default();
    let mut model = model();
    model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError).metric(Zero));
    let fit = Fit {
        initial_epoch: 1,
        validation_split: 0.2,
        validation_freq: 2,
        callbacks: &mut [&mut calls],
        ..silent(3)
    };
    model.fit(&line(10), fit).unwrap();
    assert_eq!(
        calls.0,
        [
            "train FitParams { epochs: 3, steps: 2, validation: true }",
            "epoch 1",
            "batch 0",
            "batch end 0 loss zero",
            "batch 1",
            "batch end 1 loss zero",
            "test",
            "test end loss zero",
            "epoch end 1 loss val_loss val_zero zero",
            "epoch 2",
            "batch 0",
            "batch end 0 loss zero",
            "batch 1",
            "batch end 1 loss zero",
            "epoch end 2 loss zero",
            "train end loss zero",
        ]
    );
}

/// A metric with a name that comes after `val_`.
struct Zero;

impl Metric<f32> for Zero {
    fn name(&self) -> &str {
        "zero"
    }

    fn state(&self, _: &Tensor, _: &Tensor) -> Vec<f64> {
        vec![0.0]
    }

    fn result(&self, state: &[f64]) -> f64 {
        state[0]
    }
}

#[test]
fn functions_can_be_callbacks() {
    let mut seen = Vec::new();
    let mut begun = 0;
    let mut callback = LambdaCallback::new()
        .on_epoch_begin(|_, _| {
            begun += 1;
            Ok(())
        })
        .on_epoch_end(|epoch, logs, model| {
            seen.push((epoch, logs["loss"]));
            model.stop_training = epoch == 1;
            Ok(())
        });
    let callbacks: &mut [&mut dyn Callback] = &mut [&mut callback];
    let history = model().fit(&line(10), Fit { callbacks, ..silent(9) }).unwrap();
    drop(callback);
    assert_eq!(begun, 2);
    assert_eq!(seen, [(0, history["loss"][0]), (1, history["loss"][1])]);
    assert_eq!(history.epochs(), [1, 2]);
}

#[test]
fn training_ends_after_the_batch_that_stops_it() {
    let data = line(10);
    let mut stop = LambdaCallback::new().on_train_batch_end(|batch, _, model| {
        model.stop_training = batch == 1;
        Ok(())
    });
    let mut calls = Calls::default();
    let (mut stopped, mut other) = (model(), model());
    let fit = Fit {
        shuffle: false,
        validation_data: Some(&data),
        callbacks: &mut [&mut stop, &mut calls],
        ..silent(9)
    };
    let history = stopped.fit(&data, fit).unwrap();
    // The epoch counts, with its validation and its mean so far.
    assert_eq!(history.keys().collect::<Vec<_>>(), ["loss", "val_loss"]);
    let expected = other.fit(&data.slice(0..8), Fit { shuffle: false, ..silent(1) }).unwrap();
    assert_eq!(history["loss"], expected["loss"]);
    assert_eq!(stopped.get_weights(), other.get_weights());
    assert_eq!(calls.0.last().map(String::as_str), Some("train end loss val_loss"));
    // The next fit trains again.
    assert_eq!(stopped.fit(&data, silent(2)).unwrap()["loss"].len(), 2);
}

#[test]
fn what_a_callback_adds_to_the_logs_is_in_the_history() {
    let mut add = LambdaCallback::new().on_epoch_end(|epoch, logs, _| {
        logs.insert("an_addition", epoch as f64);
        logs.insert("loss", -1.0);
        Ok(())
    });
    let mut calls = Calls::default();
    let callbacks: &mut [&mut dyn Callback] = &mut [&mut add, &mut calls];
    let history = model().fit(&line(10), Fit { callbacks, ..silent(2) }).unwrap();
    assert_eq!(history.keys().collect::<Vec<_>>(), ["loss", "an_addition"]);
    assert_eq!((&history["an_addition"], &history["loss"]), (&vec![0.0, 1.0], &vec![-1.0, -1.0]));
    assert!(calls.0.contains(&"epoch end 1 loss an_addition".to_owned()));
}

#[test]
fn a_callback_can_change_weights_and_the_learning_rate() {
    let mut reset = LambdaCallback::new()
        .on_epoch_begin(|epoch, model| model.set_learning_rate(if epoch == 1 { 0.0 } else { 0.1 }))
        .on_epoch_end(|_, _, model| {
            let zero: Vec<Tensor> = model.get_weights().iter().map(|w| w * 0.0).collect();
            model.set_weights(&zero)
        });
    let mut model = model();
    let fit = Fit { batch_size: 10, shuffle: false, callbacks: &mut [&mut reset], ..silent(2) };
    model.fit(&line(10), fit).unwrap();
    assert!(model.get_weights().iter().all(|w| w.iter().all(|x| x == 0.0)));
}

#[test]
fn a_model_cannot_be_compiled_under_way() {
    let compile = || Compile::new(Sgd::new(0.1), MeanSquaredError);
    let mut begin = LambdaCallback::new().on_epoch_begin(|_, model: &mut Model| {
        model.compile(compile());
        Ok(())
    });
    let mut replaced = LambdaCallback::new().on_train_batch_begin(|_, model: &mut Model| {
        *model = Sequential::new([1]).add(Dense::new(1)).build(1)?;
        Ok(())
    });
    for callback in [&mut begin, &mut replaced] {
        let callbacks: &mut [&mut dyn Callback] = &mut [callback];
        let error = model().fit(&line(10), Fit { callbacks, ..silent(1) }).unwrap_err();
        assert!(error.to_string().contains("compiled or replaced the model"), "{error}");
    }
    // At the end it is free to.
    let mut end = LambdaCallback::new().on_train_end(|_, model: &mut Model| {
        model.compile(compile());
        Ok(())
    });
    let callbacks: &mut [&mut dyn Callback] = &mut [&mut end];
    model().fit(&line(10), Fit { callbacks, ..silent(1) }).unwrap();
}

/// Tells the tests below, which run themselves, that they are the child.
const CHILD: &str = "CINTA_TEST_PRINT";

/// What a test prints in a process of its own, where it does not reach a terminal.
fn printed(test: &str) -> String {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success(), "{text}");
    let (_, text) = text.split_once("BEGIN\n").expect("a beginning");
    text.split_once("END\n").expect("an end").0.to_owned()
}

/// The text with the times taken out.
fn timeless(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let digits = word.trim_start_matches(|c: char| c.is_ascii_digit());
        match digits {
            "s" => "?s",
            "s/step" | "ms/step" | "us/step" => "?/step",
            _ => word,
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn lines_for_files_are_plain() {
    let data = line(10);
    let mut model = model();
    model.set_weights(&[Tensor::from([[2.0]]), Tensor::from([1.5])]).unwrap();
    model.compile(Compile::new(Sgd::new(0.0), MeanSquaredError).metric(Zero));
    if std::env::var_os(CHILD).is_some() {
        println!("BEGIN");
        for verbose in [0, 1, 2].map(Verbose::from) {
            for epochs in [1, 2] {
                let fit = Fit { verbose, validation_split: 0.2, ..silent(epochs) };
                model.fit(&data, fit).unwrap();
            }
        }
        println!("END");
        return;
    }
    let values = "loss: 0.2500 - zero: 0.0000e+00 - val_loss: 0.2500 - val_zero: 0.0000e+00";
    let sorted = "loss: 0.2500 - val_loss: 0.2500 - val_zero: 0.0000e+00 - zero: 0.0000e+00";
    let bar = format!("2/2 {} ?s ?/step - {values}\n", "━".repeat(20));
    let line = format!("2/2 - ?s - ?/step - {sorted}\n");
    let expected =
        format!("{bar}Epoch 1/2\n{bar}Epoch 2/2\n{bar}{line}Epoch 1/2\n{line}Epoch 2/2\n{line}");
    assert_eq!(timeless(&printed("lines_for_files_are_plain")), expected);
}

#[test]
fn epochs_are_printed_with_their_numbers_after_the_callbacks() {
    if std::env::var_os(CHILD).is_some() {
        let mut schedule = LearningRateScheduler::new(|_, rate| rate / 2.0).verbose(true);
        let callbacks: &mut [&mut dyn Callback] = &mut [&mut schedule];
        let verbose = Verbose::Line;
        println!("BEGIN");
        let mut model = model();
        model.set_weights(&[Tensor::from([[2.0]]), Tensor::from([1.0])]).unwrap();
        let fit = Fit { initial_epoch: 6, verbose, callbacks, ..silent(7) };
        model.fit(&line(4), fit).unwrap();
        println!("END");
        return;
    }
    let text = printed("epochs_are_printed_with_their_numbers_after_the_callbacks");
    assert_eq!(
        timeless(&text),
        "\nEpoch 7: LearningRateScheduler setting learning rate to 0.05.\nEpoch 7/7\n\
         1/1 - ?s - ?/step - loss: 0.0000e+00 - learning_rate: 0.0500\n"
    );
}

/// Keras takes targets `[n]` for outputs `[n, 1]`.
#[test]
fn targets_without_a_last_axis_of_one() {
    let x = Tensor::uniform([12, 3], -1.0, 1.0, &mut Stream::new(5));
    let y = Tensor::uniform([12], 0.0, 1.0, &mut Stream::new(6)).map(f32::round);
    let flat = Dataset::new(x.clone(), y.clone()).unwrap();
    let tall = Dataset::new(x, y.reshape([12, 1])).unwrap();
    let model = || {
        let mut model =
            Sequential::new([3]).add(Dense::new(1).activation(Sigmoid)).build(1).unwrap();
        let compile = Compile::new(Sgd::new(0.5), BinaryCrossentropy::new());
        model.compile(compile.metric(BinaryAccuracy::new()));
        model
    };
    let train = |data: &Dataset| {
        let mut model = model();
        let silent = Fit { epochs: 3, batch_size: 5, verbose: Verbose::Silent, ..Fit::default() };
        let validated = Fit { validation_data: Some(data), ..silent };
        let history = model.fit(data, validated).unwrap();
        let scores = model.evaluate(data).unwrap();
        (history["loss"].clone(), history["val_binary_accuracy"].clone(), scores["loss"])
    };
    assert_eq!(train(&flat), train(&tall));
    // Numbers of classes fit as they are.
    let mut one = Sequential::new([3]).add(Dense::new(1).activation(Softmax)).build(1).unwrap();
    one.compile(Compile::new(Sgd::new(0.5), SparseCategoricalCrossentropy::new()));
    assert_eq!(
        one.evaluate(&Dataset::new(Tensor::zeros([2, 3]), Tensor::zeros([2])).unwrap()).unwrap()["loss"],
        0.0
    );
}
