//! Batch normalisation against what Keras computed. The numbers are in `golden/layers.json`, made by
//! `golden/layers.py`.

mod golden;

use cinta::prelude::*;
use cinta::serde_json::{self, Value};
use golden::{assert_near, cases, tensor, text};

fn layer(options: &Value) -> BatchNormalization {
    let mut layer = BatchNormalization::new();
    for (name, value) in options.as_object().expect("options") {
        layer = match name.as_str() {
            "axis" => layer.axis(value.as_i64().unwrap() as isize),
            "momentum" => layer.momentum(value.as_f64().unwrap()),
            "epsilon" => layer.epsilon(value.as_f64().unwrap()),
            "scale" => layer.scale(value.as_bool().unwrap()),
            "center" => layer.center(value.as_bool().unwrap()),
            "trainable" => layer.trainable(value.as_bool().unwrap()),
            other => panic!("option {other}"),
        };
    }
    layer
}

fn tensors(list: &Value) -> Vec<Tensor> {
    list.as_array().expect("a list").iter().map(tensor).collect()
}

#[test]
fn batch_normalization_computes_what_keras_does() {
    let cases = cases("layers.json");
    assert_eq!(cases.len(), 6);
    for case in cases {
        let what = case["options"].to_string();
        let model = Sequential::new([3, 4, 2]).add(layer(&case["options"])).add(Flatten::new());
        let mut model = model.build(0).unwrap();
        let layer = model.layers().next().unwrap();
        assert_eq!(layer.class_name(), text(&case, "class_name"));
        let names: Vec<String> = layer.weights().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(serde_json::json!(names), case["names"], "{what}");
        model.set_weights(&tensors(&case["weights"])).unwrap();
        let (x, y) = (tensor(&case["x"]), tensor(&case["y"]));
        assert_near(&what, &model.predict(&x).unwrap(), &tensor(&case["before"]));
        model.compile(Compile::new(Sgd::new(0.5), MeanSquaredError));
        let data = Dataset::new(x.clone(), y).unwrap();
        let fit = Fit { epochs: 2, batch_size: 40, shuffle: false, ..Fit::default() };
        model.fit(&data, Fit { verbose: Verbose::Silent, ..fit }).unwrap();
        for (name, (ours, golden)) in
            names.iter().zip(model.get_weights().iter().zip(tensors(&case["trained"])))
        {
            assert_near(&format!("{what}: {name}"), ours, &golden);
        }
        assert_near(&what, &model.predict(&x).unwrap(), &tensor(&case["after"]));
    }
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
