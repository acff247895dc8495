//! This crate's half of `keras_round_trip.py`, which sets `CINTA_KERAS` to a folder and runs this test.
//!
//! Every model in `in/` is opened. What it predicts and scores goes to `out/NAME.json`, the model itself to
//! `out/NAME.keras`, `.h5` and `.weights.h5`, and the model after three more steps to `trained/NAME.keras`.

#![cfg(feature = "keras")]

mod lenet;

use cinta::prelude::*;
use serde_json::json;
use std::path::Path;

/// The inputs and targets of `keras_round_trip.py`.
fn samples(model: &Model, n: usize) -> Dataset {
    let inputs = model.input_shapes().into_iter().map(|shape| {
        let shape = shape.batch(n);
        Tensor::new(
            shape,
            (0..shape.count()).map(|i| (i * 37 % 101) as f32 / 101.0).collect::<Vec<_>>(),
        )
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
