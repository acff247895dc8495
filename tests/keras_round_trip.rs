//! This crate's half of `keras_round_trip.py` and `keras_2_round_trip.py`, which set `CINTA_KERAS` or `CINTA_DRAWN` to a folder and run
//! these tests.
//!
//! With `CINTA_KERAS`, every model in `in/` is opened. What it predicts and scores goes to `out/NAME.json`, the model itself to
//! `out/NAME.keras`, `.h5` and `.weights.h5`, and the model after three more steps to `trained/NAME.keras`.
//!
//! With `CINTA_DRAWN`, every folder in it has a model as `model.*`, or its architecture as `model.json` and its weights as `weights*`,
//! with inputs `x0`, .. and targets `y0`, .. in `samples.npz`. What the crate predicts goes to `again/FILE.npz`: `before0`, .., and
//! after three steps of training `after0`, .. and `told_loss`, ..; where it cannot, the error goes to `again/FILE.txt`. The model as it was goes to
//! `again/FILE.keras` and `.h5`.

#![cfg(all(feature = "keras", feature = "npy"))]

mod lenet;

use cinta::prelude::*;
use serde_json::json;
use std::path::Path;

/// The inputs and targets of `keras_round_trip.py`.
fn samples(model: &Model, n: usize) -> Dataset {
    let words = model.layers().any(|layer| layer.class_name() == "Embedding");
    let value = |i: usize| match i * 37 % 101 {
        number if words => (number % 11) as f32,
        number => number as f32 / 101.0,
    };
    let inputs = model.input_shapes().into_iter().map(|shape| {
        let shape = shape.batch(n);
        Tensor::new(shape, (0..shape.count()).map(value).collect::<Vec<_>>())
    });
    let targets = model.output_shapes().into_iter().map(|shape| {
        // Of a picture, every pixel has a target.
        if shape.rank() > 1 {
            let values = (0..shape.batch(n).count()).map(|i| (i * 37 % 101) as f32 / 101.0);
            let values = values.map(|value| f32::from(value > 0.5)).collect::<Vec<_>>();
            return Tensor::new(shape.batch(n), values);
        }
        let labels: Vec<usize> = (0..n).map(|i| i * 7 % shape[0]).collect();
        datasets::one_hot(&labels, shape[0]).unwrap()
    });
    Dataset::several(inputs, targets).unwrap()
}

fn train(model: &mut Model) {
    let fit = Fit { batch_size: 4, shuffle: false, verbose: Verbose::Silent, ..Fit::default() };
    let data = samples(model, 12);
    model.fit(&data, fit).unwrap();
}

fn report(folder: &Path, name: &str, model: &Model) {
    let out = folder.join("out");
    let data = samples(model, 4);
    let scores: Vec<f64> = model.evaluate(&data).unwrap().iter().map(|(_, score)| score).collect();
    let predictions = model.predict_all(&data.all_inputs().collect::<Vec<_>>()).unwrap();
    let predictions: Vec<f32> = predictions.iter().flat_map(|output| output.to_vec()).collect();
    let said = json!({ "predictions": predictions, "scores": scores });
    std::fs::write(out.join(format!("{name}.json")), said.to_string()).unwrap();
    model.save(out.join(format!("{name}.keras"))).unwrap();
    model.save(out.join(format!("{name}.h5"))).unwrap();
    model.save_weights(out.join(format!("{name}.weights.h5"))).unwrap();
    let mut model = model.clone();
    train(&mut model);
    model.save(folder.join("trained").join(format!("{name}.keras"))).unwrap();
}

#[test]
fn models_of_keras_and_back() {
    let Some(folder) = std::env::var_os("CINTA_KERAS") else {
        println!("skipped: tests/keras_round_trip.py runs this test with models of Keras");
        return;
    };
    let folder = Path::new(&folder);
    for name in ["out", "trained"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    let mut opened = 0;
    for entry in std::fs::read_dir(folder.join("in")).unwrap() {
        let path = entry.unwrap().path();
        let model = Model::load(&path).unwrap_or_else(|error| panic!("{error}"));
        report(folder, &path.file_name().unwrap().to_string_lossy().replace('.', "_"), &model);
        opened += 1;
    }
    assert!(opened > 0);
    // A model that Keras has never seen.
    let mut model = lenet::network(5);
    model.compile(lenet::compile());
    train(&mut model);
    report(folder, "own", &model);
}

fn open(folder: &Path, file: &str) -> Result<Model, Error> {
    if !file.starts_with("weights") {
        return Model::load(folder.join(file));
    }
    let text = std::fs::read_to_string(folder.join("model.json")).unwrap();
    let mut model = Model::from_json(&text, 0)?;
    model.load_weights(folder.join(file))?;
    Ok(model)
}

/// Predicts with the model of one file, trains it, and writes it again.
fn try_file(folder: &Path, file: &str) -> Result<(), Error> {
    let mut model = open(folder, file)?;
    let samples: Vec<(String, Tensor)> = Tensor::read_npz(folder.join("samples.npz"))?;
    let (x, y): (Vec<_>, Vec<_>) = samples.into_iter().partition(|(name, _)| name.starts_with('x'));
    let arrays = |named: Vec<(String, Tensor)>| named.into_iter().map(|(_, array)| array);
    let data = Dataset::several(arrays(x), arrays(y))?;
    let predict = |model: &Model, when: &str| -> Result<Vec<(String, Tensor)>, Error> {
        let outputs = model.predict_all(&data.all_inputs().collect::<Vec<_>>())?;
        let named = outputs.into_iter().enumerate();
        Ok(named.map(|(i, output)| (format!("{when}{i}"), output)).collect())
    };
    let mut said = predict(&model, "before")?;
    for ending in ["keras", "h5"] {
        model.save(folder.join("again").join(format!("{file}.{ending}")))?;
    }
    if model.learning_rate().is_ok() {
        let fit = Fit { batch_size: 4, shuffle: false, verbose: Verbose::Silent, ..Fit::default() };
        let history = model.fit(&data, fit)?;
        for key in history.keys() {
            let told = history.get(key).expect("its own key")[0] as f32;
            said.push((format!("told_{key}"), Tensor::from([told])));
        }
        said.extend(predict(&model, "after")?);
    }
    let said = said.iter().map(|(name, array)| (name.as_str(), array));
    Tensor::write_npz(folder.join("again").join(format!("{file}.npz")), said)
}

#[test]
fn drawn_models_of_keras() {
    let Some(folder) = std::env::var_os("CINTA_DRAWN") else {
        println!("skipped: tests/keras_round_trip.py runs this test with models of Keras");
        return;
    };
    let mut opened = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let folder = entry.unwrap().path();
        std::fs::create_dir_all(folder.join("again")).unwrap();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let file = entry.unwrap().file_name().to_string_lossy().into_owned();
            let described = file.starts_with("model.") && file != "model.json";
            if described || file.starts_with("weights") {
                if let Err(error) = try_file(&folder, &file) {
                    let path = folder.join("again").join(format!("{file}.txt"));
                    std::fs::write(path, error.to_string()).unwrap();
                }
                opened += 1;
            }
        }
    }
    assert!(opened > 0);
}
