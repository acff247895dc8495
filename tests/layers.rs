//! Layers against what Keras computed in models of a few layers. The numbers are in `golden/layers/`, with the scripts that
//! made them.

#![cfg(feature = "keras")]

mod golden;

use cinta::prelude::*;
use golden::{assert_near, cases, tensor, text};
use serde_json::Value;

fn tensors(list: &Value) -> Vec<Tensor> {
    list.as_array().expect("a list").iter().map(tensor).collect()
}

/// Opens the model, and predicts, trains and predicts again.
fn check(file: &str, number: usize, case: &Value) {
    let what = format!("{file}, case {number}");
    let mut model: Model = match Model::from_json(text(case, "model"), 0) {
        Ok(model) => model,
        Err(error) => panic!("{what}: {error}"),
    };
    model.set_weights(&tensors(&case["weights"])).unwrap();
    let inputs = tensors(&case["inputs"]);
    let views: Vec<&Tensor> = inputs.iter().collect();
    let predict = |model: &Model| model.predict_all(&views).unwrap().remove(0);
    assert_near(&what, &predict(&model), &tensor(&case["before"]));
    // The options are written as they were read.
    let again: Model = Model::from_json(&model.to_json(), 0).unwrap();
    assert_eq!(again.to_json(), model.to_json(), "{what}");
    if case["y"].is_null() {
        return;
    }
    model.compile(Compile::new(Sgd::new(case["rate"].as_f64().unwrap()), MeanSquaredError));
    let data = Dataset::several(inputs.clone(), vec![tensor(&case["y"])]).unwrap();
    let batch_size = inputs[0].shape()[0];
    let fit = Fit { epochs: 2, batch_size, shuffle: false, ..Fit::default() };
    model.fit(&data, Fit { verbose: Verbose::Silent, ..fit }).unwrap();
    for (i, (ours, golden)) in model.get_weights().iter().zip(tensors(&case["trained"])).enumerate()
    {
        assert_near(&format!("{what}, trained weight {i}"), ours, &golden);
    }
    assert_near(&format!("{what}, trained"), &predict(&model), &tensor(&case["after"]));
    if let Some(loss) = case["loss"].as_f64() {
        let found = model.evaluate(&data).unwrap()["loss"];
        assert!((found - loss).abs() < 1e-4 * loss, "{what}: the loss is {found}, and not {loss}");
    }
}

/// Each script of the folder has written a file, and every case in it holds.
#[test]
fn layers_compute_what_keras_does() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/layers");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(family) = name.strip_suffix(".py").filter(|name| *name != "cases") else {
            continue;
        };
        for (number, case) in cases(&format!("layers/{family}.json")).iter().enumerate() {
            check(family, number, case);
        }
        files += 1;
    }
    assert!(files > 0);
}

/// The moving averages do not look at other samples: to the last bit, a sample gives alone what it gives in company.
#[test]
fn inference_does_not_couple_samples() {
    let model = Sequential::new([5, 5, 3]).add(BatchNormalization::new()).add(Flatten::new());
    let model = model.build(1).unwrap();
    let x = Tensor::uniform([70, 5, 5, 3], -1.0, 1.0, &mut Stream::new(2));
    let all = model.predict(&x).unwrap();
    for i in [0, 31, 32, 69] {
        let alone = model.predict(&x.slice(0, i..i + 1)).unwrap();
        assert_eq!(alone.to_vec(), all.slice(0, i..i + 1).to_vec());
    }
}
