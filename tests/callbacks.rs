//! Callbacks: what the real Keras decided, printed and wrote for made-up histories (`golden/callbacks.json`, made by
//! `golden/fit.py`), and what happens when something is wrong.

mod scratch;

use cinta::prelude::*;
use cinta::{Callback, Direction, FitParams, Result, Scores, Stream};
use scratch::Scratch;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The case in which this crate decides otherwise: for Keras, a NaN in the first epoch is the best for ever.
const NAN_FIRST: &str = "not a number first";

fn golden() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/callbacks.json");
    let mut golden: Value =
        serde_json::from_str(&fs::read_to_string(path).expect("the golden file")).expect("JSON");
    let Value::Array(mut cases) = golden["cases"].take() else { panic!("no cases") };
    cases.retain(|case| case["name"] != NAN_FIRST);
    assert!(!cases.is_empty());
    cases
}

/// Numbers that are none are texts in JSON.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().expect("a number").parse().expect("one"))
}

fn logs(epoch: &Value) -> Scores {
    let values = epoch.as_object().expect("names with values").iter();
    let mut values: Vec<(&str, f64)> = values.map(|(name, x)| (&name[..], number(x))).collect();
    values.sort_by_key(|(name, _)| *name);
    values.into_iter().collect()
}

/// A model with one weight, and the learning rate and the metric of those that Keras's callbacks were told about.
fn model() -> Model {
    let mut model = Sequential::new([1]).add(Dense::new(1).use_bias(false)).build(0).unwrap();
    model.compile(Compile::new(Sgd::new(0.5), MeanSquaredError).metric(Accuracy));
    model
}

fn weight(model: &Model) -> f64 {
    f64::from(model.get_weights()[0].item())
}

/// The callback that a case describes; its files go to a folder, and it prints if it may.
fn callback(case: &Value, folder: &Path, aloud: bool) -> Box<dyn Callback> {
    let options = &case["options"];
    let text = |name: &str| options[name].as_str();
    let float = |name: &str| options[name].as_f64();
    let count = |name: &str, default| options[name].as_u64().map_or(default, |it| it as usize);
    let flag = |name: &str| options[name].as_bool().unwrap_or(false);
    let (verbose, monitor) =
        (aloud && options["verbose"] == 1, text("monitor").unwrap_or("val_loss"));
    let mode = text("mode").map(|mode| match mode {
        "max" => Direction::Max,
        _ => Direction::Min,
    });
    let known = [
        "verbose",
        "monitor",
        "mode",
        "patience",
        "min_delta",
        "baseline",
        "restore_best_weights",
        "start_from_epoch",
        "factor",
        "cooldown",
        "min_lr",
        "schedule",
        "filepath",
        "save_best_only",
        "save_freq",
        "initial_value_threshold",
        "filename",
        "separator",
        "append",
    ];
    assert!(options.as_object().unwrap().keys().all(|name| known.contains(&&name[..])), "{case}");
    match case["callback"].as_str().unwrap() {
        "EarlyStopping" => {
            let mut it = EarlyStopping::<f32>::new(monitor)
                .patience(count("patience", 0))
                .restore_best_weights(flag("restore_best_weights"))
                .start_from_epoch(count("start_from_epoch", 0))
                .verbose(verbose);
            it = mode.into_iter().fold(it, EarlyStopping::mode);
            it = float("min_delta").into_iter().fold(it, EarlyStopping::min_delta);
            Box::new(float("baseline").into_iter().fold(it, EarlyStopping::baseline))
        }
        "ReduceLROnPlateau" => {
            let mut it = ReduceLrOnPlateau::new(monitor)
                .patience(count("patience", 10))
                .cooldown(count("cooldown", 0))
                .verbose(verbose);
            it = mode.into_iter().fold(it, ReduceLrOnPlateau::mode);
            it = float("min_delta").into_iter().fold(it, ReduceLrOnPlateau::min_delta);
            it = float("min_lr").into_iter().fold(it, ReduceLrOnPlateau::min_lr);
            Box::new(float("factor").into_iter().fold(it, ReduceLrOnPlateau::factor))
        }
        "LearningRateScheduler" => {
            let halve = text("schedule") == Some("halve");
            let schedule = move |epoch, rate: f64| {
                if halve { rate / 2.0 } else { 1.0 / f64::from(1 << epoch) }
            };
            Box::new(LearningRateScheduler::new(schedule).verbose(verbose))
        }
        "ModelCheckpoint" => {
            let path = text("filepath").unwrap().replace(".keras", ".safetensors");
            let mut it = ModelCheckpoint::new(folder.join(path))
                .monitor(monitor)
                .save_best_only(flag("save_best_only"))
                .verbose(verbose);
            it = mode.into_iter().fold(it, ModelCheckpoint::mode);
            let batches = options["save_freq"].as_u64().map(|it| it as usize);
            it = batches.into_iter().fold(it, ModelCheckpoint::save_freq);
            let threshold = float("initial_value_threshold");
            Box::new(threshold.into_iter().fold(it, ModelCheckpoint::initial_value_threshold))
        }
        "CSVLogger" => {
            let separator = text("separator").map_or(',', |it| it.chars().next().unwrap());
            let it = CsvLogger::new(folder.join(text("filename").unwrap()));
            Box::new(it.separator(separator).append(flag("append")))
        }
        other => panic!("the callback {other}"),
    }
}

/// What came of a history.
struct Outcome {
    ran: usize,
    rates: Vec<f64>,
    weight: f64,
    keys: Vec<String>,
    /// All files in the folder, with the weight of the model at the time.
    files: Vec<(String, f64)>,
}

/// Tells a callback the history of a case, as `fit` would.
fn tell(case: &Value, folder: &Path, aloud: bool) -> Outcome {
    let mut callback = callback(case, folder, aloud);
    let mut model = model();
    let epochs = case["epochs"].as_array().expect("epochs");
    let histories = match &epochs[0] {
        Value::Array(_) => epochs.iter().map(|it| it.as_array().unwrap().clone()).collect(),
        _ => vec![epochs.clone()],
    };
    let (mut ran, mut rates, mut keys) = (0, Vec::new(), Vec::new());
    for history in histories {
        model.stop_training = false;
        (ran, keys) = (0, Vec::<String>::new());
        let mut last = Scores::default();
        let params = FitParams { epochs: history.len(), steps: 1, validation: true };
        callback.on_train_begin(&params, &mut model).unwrap();
        for (epoch, values) in history.iter().enumerate() {
            callback.on_epoch_begin(epoch, &mut model).unwrap();
            model.set_weights(&[Tensor::from([[epoch as f32 + 1.0]])]).unwrap();
            for batch in 0..case["batches"].as_u64().unwrap_or(0) as usize {
                let loss = number(&values["loss"]) + (batch % 2) as f64;
                let logs = Scores::from_iter([("loss", loss)]);
                callback.on_train_batch_end(batch, &logs, &mut model).unwrap();
            }
            last = logs(values);
            callback.on_epoch_end(epoch, &mut last, &mut model).unwrap();
            for (name, _) in last.iter() {
                if !keys.iter().any(|known| known == name) {
                    keys.push(name.to_owned());
                }
            }
            rates.push(model.learning_rate().unwrap());
            ran += 1;
            if model.stop_training {
                break;
            }
        }
        callback.on_train_end(&last, &mut model).unwrap();
    }
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        for entry in fs::read_dir(&inside).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "safetensors") {
                let saved: Model = Model::load(&path).unwrap();
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                files.push((name.replace(".safetensors", ".keras"), weight(&saved)));
            }
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    Outcome { ran, rates, weight: weight(&model), keys, files }
}

#[test]
fn decisions_and_files_are_keras_s() {
    let scratch = Scratch::new("decisions");
    for (i, case) in golden().iter().enumerate() {
        let (what, keras) = (format!("{} {}", case["callback"], case["name"]), &case["keras"]);
        let folder = scratch.path(&i.to_string());
        fs::create_dir(&folder).unwrap();
        let outcome = tell(case, &folder, false);
        assert_eq!(outcome.ran as u64, keras["ran"], "{what}");
        assert_eq!(outcome.weight, number(&keras["weight"]), "{what}");
        let theirs: Vec<&str> =
            keras["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
        assert_eq!(outcome.keys, theirs, "{what}");
        let rates: Vec<f64> = keras["rates"].as_array().unwrap().iter().map(number).collect();
        assert_eq!(outcome.rates.len(), rates.len(), "{what}");
        // Keras's rates are f32.
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-6 * b;
        assert!(outcome.rates.iter().zip(&rates).all(near), "{what}: {:?}", outcome.rates);
        let mut saved: Vec<&str> =
            keras["saved"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        saved.sort_unstable();
        saved.dedup();
        assert_eq!(outcome.files.iter().map(|(name, _)| name).collect::<Vec<_>>(), saved, "{what}");
        if let Some(text) = keras["file"].as_str() {
            assert_eq!(fs::read_to_string(folder.join("log.csv")).unwrap(), text, "{what}");
        }
    }
}

#[test]
fn a_file_of_its_own_holds_the_best_model() {
    let cases = golden();
    let case = |name: &str| {
        let mut found = cases
            .iter()
            .filter(|case| case["callback"] == "ModelCheckpoint" && case["name"] == name);
        found.next().expect("the case")
    };
    let scratch = Scratch::new("best");
    for (i, (name, files)) in [
        ("one file", vec![("model.keras", 4.0)]),
        ("the best accuracy", vec![("m.keras", 4.0)]),
        (
            "the best",
            vec![
                ("models/01-0.70.keras", 1.0),
                ("models/02-0.12.keras", 2.0),
                ("models/04-0.00.keras", 4.0),
            ],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = scratch.path(&i.to_string());
        fs::create_dir(&folder).unwrap();
        let outcome = tell(case(name), &folder, false);
        let files: Vec<_> = files.iter().map(|(name, w)| ((*name).to_owned(), *w)).collect();
        assert_eq!(outcome.files, files, "{name}");
    }
}

/// Tells the test below, which runs itself, where the files go.
const PRINT: &str = "CINTA_TEST_PRINT_CALLBACKS";

#[test]
fn messages_are_keras_s() {
    let cases = golden();
    if let Some(folder) = std::env::var_os(PRINT) {
        println!("BEGIN");
        for (i, case) in cases.iter().enumerate() {
            let folder = Path::new(&folder).join(i.to_string());
            fs::create_dir(&folder).unwrap();
            tell(case, &folder, true);
            println!("NEXT");
        }
        return;
    }
    let scratch = Scratch::new("messages");
    let folder = scratch.path("");
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "messages_are_keras_s", "--nocapture"])
        .env(PRINT, &folder)
        .output()
        .unwrap();
    let text = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success(), "{text}");
    let text = text.split_once("BEGIN\n").expect("a beginning").1;
    let texts: Vec<&str> = text.split("NEXT\n").take(cases.len()).collect();
    let mut printed = 0;
    for (i, (case, ours)) in cases.iter().zip(texts).enumerate() {
        let inside = format!("{}/", folder.join(i.to_string()).display());
        let ours = ours.replace(&inside, "").replace(".safetensors", ".keras");
        let keras = case["keras"]["printed"].as_str().unwrap();
        assert_eq!(ours, keras, "{} {}", case["callback"], case["name"]);
        printed += usize::from(!keras.is_empty());
    }
    assert!(printed > 30, "only {printed} cases print something");
}

/// A callback that watches a value, told the history of its case: `val_loss` epoch by epoch.
fn told(name: &str, options: Value, history: &[f64]) -> Outcome {
    let scratch = Scratch::new(&format!("told-{name}"));
    let text = |value: &f64| json!({ "val_loss": value.to_string() });
    let epochs: Vec<Value> = history.iter().map(text).collect();
    let case = json!({ "callback": name, "name": "told", "options": options, "epochs": epochs });
    tell(&case, &scratch.path(""), false)
}

#[test]
fn what_is_not_a_number_is_never_the_best() {
    let nan = f64::NAN;
    for mode in ["min", "max"] {
        let sign = if mode == "min" { 1.0 } else { -1.0 };
        let history = |values: &[f64]| values.iter().map(|x| sign * x).collect::<Vec<_>>();
        let stops = |patience: usize, values: &[f64]| {
            let options =
                json!({ "patience": patience, "mode": mode, "restore_best_weights": true });
            let outcome = told("EarlyStopping", options, &history(values));
            (outcome.ran, outcome.weight)
        };
        // Epochs, and the weight in the end: that of the best epoch, counted from 1.
        assert_eq!(stops(2, &[nan, 1.0, 0.5, 0.4]), (4, 4.0));
        assert_eq!(stops(3, &[nan, nan, 1.0, nan, 2.0, nan, 0.5]), (6, 3.0));
        assert_eq!(stops(2, &[nan, nan, nan, nan]), (2, 2.0));

        let options = json!({ "factor": 0.5, "patience": 2, "mode": mode });
        let outcome =
            told("ReduceLROnPlateau", options, &history(&[nan, 1.0, 0.5, 0.4, nan, nan, 0.3]));
        assert_eq!(outcome.rates, [0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25]);

        let options = json!({ "filepath": "{epoch}.keras", "save_best_only": true, "mode": mode });
        let outcome =
            told("ModelCheckpoint", options, &history(&[nan, 1.0, nan, 2.0, f64::INFINITY, 0.5]));
        let saved: Vec<&str> = outcome.files.iter().map(|(name, _)| &name[..]).collect();
        assert_eq!(saved, ["2.keras", "6.keras"]);
    }
}

/// `y = 2 x + 1`.
fn line() -> Dataset {
    let x: Tensor = Tensor::uniform([10, 1], -1.0, 1.0, &mut Stream::new(3));
    Dataset::new(x.clone(), &x * 2.0 + 1.0).unwrap()
}

fn fit<'a>(callbacks: &'a mut [&'a mut dyn Callback]) -> Fit<'a> {
    Fit { epochs: 3, callbacks, verbose: Verbose::Silent, ..Fit::default() }
}

/// The error of a `fit` with a callback.
fn refused(callback: &mut dyn Callback) -> String {
    model().fit(&line(), fit(&mut [callback])).unwrap_err().to_string()
}

#[test]
fn a_value_that_is_not_there_is_an_error_of_the_first_epoch() {
    for callback in [
        &mut EarlyStopping::default() as &mut dyn Callback,
        &mut ReduceLrOnPlateau::default(),
        &mut ModelCheckpoint::new("nowhere/model.safetensors").save_best_only(true),
    ] {
        let message = refused(callback);
        assert!(
            message.contains("\"val_loss\", which is not among the logs: accuracy, loss"),
            "{message}"
        );
        assert!(message.contains("give fit validation_data or validation_split"), "{message}");
    }
    let message = refused(&mut EarlyStopping::new("los").mode(Direction::Min));
    assert!(message.contains("EarlyStopping watches \"los\""), "{message}");
    assert!(!message.contains("validation"), "{message}");
    let path = "nowhere/model.safetensors";
    let message = refused(&mut ModelCheckpoint::new(path).save_best_only(true).save_freq(1));
    assert!(message.contains("not among the logs: accuracy, loss"), "{message}");
    assert!(!Path::new("nowhere").exists());
}

#[test]
fn an_epoch_without_its_validation_does_not_count() {
    let mut early_stopping = EarlyStopping::default().min_delta(1e9).patience(2);
    let mut reduce = ReduceLrOnPlateau::default().min_delta(1e9).patience(1).factor(0.5);
    let history = model()
        .fit(
            &line(),
            Fit {
                epochs: 20,
                validation_split: 0.2,
                validation_freq: 3,
                ..fit(&mut [&mut reduce, &mut early_stopping])
            },
        )
        .unwrap();
    // Epochs 3, 6 and 9 are looked at.
    assert_eq!(early_stopping.stopped_epoch(), Some(8));
    assert_eq!(early_stopping.best_epoch(), Some(2));
    assert_eq!(early_stopping.best(), Some(history["val_loss"][0]));
    assert_eq!(history["learning_rate"], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]);
    let keys: Vec<&str> = history.keys().collect();
    assert_eq!(keys, ["accuracy", "loss", "learning_rate", "val_accuracy", "val_loss"]);
}

#[test]
fn the_direction_is_that_of_the_metric() {
    let message = refused(&mut EarlyStopping::new("val_mean_error"));
    assert!(
        message.contains(
            "\"val_mean_error\", of which it is not known whether small or large values are good"
        ),
        "{message}"
    );
    assert!(message.contains("as it is of loss, accuracy"), "{message}");
    // Where it is not needed, it is not asked for.
    let scratch = Scratch::new("direction");
    let path = scratch.path("model.safetensors");
    let mut checkpoint = ModelCheckpoint::new(&path).monitor("val_mean_error");
    model().fit(&line(), fit(&mut [&mut checkpoint])).unwrap();
    assert!(path.exists());
}

#[test]
fn options_that_make_no_sense_are_refused_before_training() {
    for (callback, part) in [
        (
            &mut EarlyStopping::new("loss").min_delta(f64::NAN) as &mut dyn Callback,
            "min_delta is NaN",
        ),
        (&mut EarlyStopping::new("loss").baseline(f64::NAN), "baseline is NaN"),
        (
            &mut ReduceLrOnPlateau::new("loss").factor(1.0),
            "factor is 1; it is at least 0 and below 1",
        ),
        (&mut ReduceLrOnPlateau::new("loss").factor(f64::NAN), "factor is NaN"),
        (&mut ReduceLrOnPlateau::new("loss").min_lr(-1.0), "min_lr is -1; it is finite"),
        (&mut LearningRateScheduler::new(|_, _| f64::NAN), "learning rate is NaN"),
        (&mut LearningRateScheduler::new(|_, _| -1.0), "learning rate is -1"),
        (&mut ModelCheckpoint::new("model.safetensors").save_freq(0), "save_freq is 0"),
        (
            &mut ModelCheckpoint::new("model.safetensors").initial_value_threshold(f64::NAN),
            "initial_value_threshold is NaN",
        ),
        (&mut ModelCheckpoint::new("model.png"), "ending tells the format"),
        (&mut ModelCheckpoint::new("{epoch.safetensors"), "a `{` without its counterpart"),
        (&mut ModelCheckpoint::new("{epoch:x}.safetensors"), "the format \"x\" is not known"),
        (&mut CsvLogger::new("log.csv").separator('"'), "the separator is '\"'"),
        (&mut CsvLogger::new("log.csv").separator('\n'), "the separator is '\\n'"),
    ] {
        let mut model = model();
        let before = model.get_weights();
        let error = model.fit(&line(), fit(&mut [callback])).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert_eq!(model.get_weights(), before, "{error}");
    }
    assert!(!Path::new("log.csv").exists());
}

#[test]
fn a_rate_on_a_schedule_cannot_be_changed() {
    let schedule = || Compile::new(Sgd::new(CosineDecay::new(0.1, 100)), MeanSquaredError);
    let mut reduce = ReduceLrOnPlateau::new("loss").patience(1).min_delta(1e9);
    let mut halve = LearningRateScheduler::new(|_, rate| rate / 2.0);
    for callback in [&mut reduce as &mut dyn Callback, &mut halve] {
        let mut model = model();
        model.compile(schedule());
        let error = model.fit(&line(), fit(&mut [callback])).unwrap_err().to_string();
        assert!(error.contains("follows a schedule"), "{error}");
    }
    // As long as it need not be reduced, its rates are reported.
    let mut reduce = ReduceLrOnPlateau::new("loss").patience(100);
    let mut model = model();
    model.compile(schedule());
    let history = model.fit(&line(), fit(&mut [&mut reduce])).unwrap();
    assert!(history["learning_rate"].is_sorted_by(|a, b| a > b));
}

#[test]
fn a_file_that_cannot_be_written_ends_training() {
    let scratch = Scratch::new("unwritable");
    let missing = scratch.path("missing").join("log.csv");
    let message = refused(&mut CsvLogger::new(&missing));
    assert!(message.starts_with(&missing.display().to_string()), "{message}");

    // A file where a folder should be.
    let taken = scratch.path("taken");
    fs::write(&taken, "").unwrap();
    let message = refused(&mut ModelCheckpoint::new(taken.join("{epoch}.safetensors")));
    assert!(message.starts_with(&taken.display().to_string()), "{message}");
    // A folder where a file should be.
    let message = refused(&mut CsvLogger::new(scratch.path("")));
    assert!(message.starts_with(&scratch.path("").display().to_string()), "{message}");

    // The name of the file turns out to make no sense.
    let path = scratch.path("{val_loss:.2f}.safetensors");
    let message = refused(&mut ModelCheckpoint::new(&path));
    assert!(
        message.contains("nothing is called \"val_loss\"; there are epoch, accuracy, loss"),
        "{message}"
    );
}

#[test]
fn an_error_ends_training_at_once() {
    let mut after = 0;
    let mut fails = LambdaCallback::new().on_epoch_end(|epoch, _, _| match epoch {
        1 => Err(Error::Config("enough".into())),
        _ => Ok(()),
    });
    let mut counts = LambdaCallback::new()
        .on_epoch_end(|_, _, _| {
            after += 1;
            Ok(())
        })
        .on_train_end(|_, _| panic!("training did not come to its end"));
    let error = model().fit(&line(), fit(&mut [&mut fails, &mut counts])).unwrap_err();
    assert_eq!(error.to_string(), "enough");
    drop(counts);
    assert_eq!(after, 1);
}

#[test]
fn folders_of_checkpoints_are_made_again() {
    let scratch = Scratch::new("folders");
    let folder = scratch.path("models");
    let mut checkpoint = ModelCheckpoint::new(folder.join("{epoch}.safetensors"));
    let mut remove = LambdaCallback::new().on_epoch_end(|epoch, _, _| {
        if epoch == 1 {
            fs::remove_dir_all(&folder).unwrap();
        }
        Ok(())
    });
    model().fit(&line(), fit(&mut [&mut checkpoint, &mut remove])).unwrap();
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["3.safetensors"]);
}

#[test]
fn training_goes_on_from_a_checkpoint() {
    let scratch = Scratch::new("goes-on");
    let mut checkpoint = ModelCheckpoint::new(scratch.path("{epoch}.safetensors"));
    let mut whole = model();
    let history = whole.fit(&line(), fit(&mut [&mut checkpoint])).unwrap();
    let mut second: Model = Model::load(scratch.path("1.safetensors")).unwrap();
    let rest = second.fit(&line(), Fit { initial_epoch: 1, ..fit(&mut []) }).unwrap();
    assert_eq!(rest["loss"], history["loss"][1..]);
    assert_eq!(rest.epochs(), &history.epochs()[1..]);
    assert_eq!(second.get_weights(), whole.get_weights());
}

#[test]
fn weights_alone_are_saved_if_asked_for() {
    let scratch = Scratch::new("weights-alone");
    let mut endings = vec!["safetensors"];
    if cfg!(feature = "keras") {
        endings.push("weights.h5");
        let whole = refused(&mut ModelCheckpoint::new(scratch.path("model.weights.h5")));
        assert!(whole.contains("`.weights.h5` is for weights alone"), "{whole}");
        let path = scratch.path("model.keras");
        let alone = refused(&mut ModelCheckpoint::new(path).save_weights_only(true));
        assert!(alone.contains("a file of weights ends in `.weights.h5`"), "{alone}");
    }
    for ending in endings {
        let path = scratch.path(&format!("{ending}-{{epoch}}.{ending}"));
        let mut checkpoint = ModelCheckpoint::new(path).save_weights_only(true);
        let mut trained = model();
        trained.fit(&line(), fit(&mut [&mut checkpoint])).unwrap();
        let path = scratch.path(&format!("{ending}-3.{ending}"));
        assert!(Model::<f32>::load(&path).is_err(), "{ending}: a whole model");
        let mut other = model();
        assert_ne!(other.get_weights(), trained.get_weights());
        other.load_weights(&path).unwrap();
        assert_eq!(other.get_weights(), trained.get_weights());
    }
}

#[test]
fn a_table_is_there_while_training_goes_on() {
    let scratch = Scratch::new("table");
    let path = scratch.path("log.csv");
    let mut lengths = Vec::new();
    let mut logger = CsvLogger::new(&path);
    let mut looks = LambdaCallback::new().on_epoch_end(|_, _, _| {
        lengths.push(fs::read_to_string(&path).unwrap().lines().count());
        Ok(())
    });
    let history = model().fit(&line(), fit(&mut [&mut logger, &mut looks])).unwrap();
    drop(looks);
    assert_eq!(lengths, [2, 3, 4]);
    let text = fs::read_to_string(&path).unwrap();
    let last: Vec<&str> = text.lines().last().unwrap().split(',').collect();
    assert_eq!(last[0], "2");
    assert_eq!(last[2].parse(), Ok(history["loss"][2]));
    assert_eq!(&last[3..], ["NA", "NA"]);
    // On some systems nobody else may remove or replace a file that is open.
    assert!(format!("{logger:?}").contains("file: None"), "{logger:?}");
}

#[test]
fn only_the_same_columns_are_appended() {
    let scratch = Scratch::new("append");
    let path = scratch.path("log.csv");
    let mut logger = CsvLogger::new(&path).append(true);
    // A new file, an empty one, and one with rows.
    fs::write(&path, "").unwrap();
    for rows in [4, 7] {
        model().fit(&line(), fit(&mut [&mut logger])).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), rows);
    }
    let mut other = model();
    other.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    let error = other.fit(&line(), fit(&mut [&mut logger])).unwrap_err().to_string();
    assert!(
        error.contains(
            "the columns \"epoch,accuracy,loss,val_accuracy,val_loss\", and those to append"
        ),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 7);
}

#[test]
fn the_best_weights_come_back() {
    let mut early_stopping = EarlyStopping::new("loss").patience(2).restore_best_weights(true);
    let mut kept = Vec::new();
    let mut keep = LambdaCallback::new().on_epoch_end(|_, _, model| {
        kept.push(model.get_weights());
        Ok(())
    });
    let mut model = model();
    // So large that it gets worse.
    model.compile(Compile::new(Sgd::new(1.2), MeanSquaredError));
    let few = line().slice(0..4);
    let callbacks: &mut [&mut dyn Callback] = &mut [&mut early_stopping, &mut keep];
    model.fit(&few, Fit { epochs: 50, ..fit(callbacks) }).unwrap();
    drop(keep);
    let best = early_stopping.best_epoch().unwrap();
    assert_eq!(early_stopping.stopped_epoch(), Some(best + 2));
    assert_eq!(model.get_weights(), kept[best]);
    assert_ne!(model.get_weights(), kept[best + 1]);
}

#[test]
fn divergence_ends_training_with_or_without_an_error() {
    let wild = || {
        let mut model = model();
        model.compile(Compile::new(Sgd::new(1e6), MeanSquaredError).metric(Accuracy));
        model
    };
    let (mut alone, mut watched) = (wild(), wild());
    let error = alone.fit(&line(), Fit { epochs: 50, ..fit(&mut []) }).unwrap_err();
    let Error::Diverged { epoch, batch: 1 } = error else { panic!("{error}") };
    assert!(epoch > 1);

    let mut early_stopping = EarlyStopping::new("loss").patience(50).restore_best_weights(true);
    let mut ends = 0;
    let mut end = LambdaCallback::new().on_train_end(|_, _| {
        ends += 1;
        Ok(())
    });
    let history = watched
        .fit(&line(), Fit { epochs: 50, ..fit(&mut [&mut TerminateOnNan, &mut end]) })
        .unwrap();
    drop(end);
    assert_eq!(ends, 1);
    assert_eq!(history.epochs().len() as u64, epoch);
    assert!(history["loss"].last().unwrap().is_nan());
    assert_eq!(watched.get_weights(), alone.get_weights());

    let mut restored = wild();
    let both: &mut [&mut dyn Callback] = &mut [&mut TerminateOnNan, &mut early_stopping];
    restored.fit(&line(), Fit { epochs: 50, ..fit(both) }).unwrap();
    assert_eq!(early_stopping.best_epoch(), Some(0));

    // A callback that only looks does not turn the error off.
    let mut last = 0.0;
    let mut look = LambdaCallback::new().on_train_batch_end(|_, logs, _| {
        last = logs["loss"];
        Ok(())
    });
    let looked = wild().fit(&line(), Fit { epochs: 50, ..fit(&mut [&mut look]) });
    assert!(matches!(looked, Err(Error::Diverged { .. })));
    drop(look);
    assert!(last.is_nan());
}

/// Stops before anything is trained.
struct Never;

impl Callback for Never {
    fn on_epoch_begin(&mut self, _: usize, model: &mut Model) -> Result<()> {
        model.stop_training = true;
        Ok(())
    }
}

#[test]
fn the_first_epoch_can_be_the_last() {
    // As in Keras, one batch is trained.
    let history = model().fit(&line(), Fit { batch_size: 2, ..fit(&mut [&mut Never]) }).unwrap();
    assert_eq!(history.epochs(), [1]);
    let mut early_stopping = EarlyStopping::new("loss").patience(0).min_delta(1e9);
    model().fit(&line(), fit(&mut [&mut early_stopping])).unwrap();
    assert_eq!(early_stopping.stopped_epoch(), Some(1));
}

#[test]
fn models_of_f64_have_callbacks_too() {
    let mut model = Sequential::<f64>::typed([1]).add(Dense::new(1)).build(0).unwrap();
    model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    let x = Tensor::<f64>::uniform([8, 1], -1.0, 1.0, &mut Stream::new(1));
    let data = Dataset::new(x.clone(), x).unwrap();
    let mut early_stopping = EarlyStopping::new("loss").patience(2).min_delta(1e9);
    let fit = Fit {
        epochs: 9,
        callbacks: &mut [&mut early_stopping, &mut TerminateOnNan],
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    assert_eq!(model.fit(&data, fit).unwrap().epochs(), [1, 2, 3]);
}
