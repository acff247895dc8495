//! The table of classes in docs/keras.md says what the crate knows.

#![cfg(feature = "keras")]

use cinta::prelude::*;
use std::collections::BTreeMap;

/// The rows of the table: a class, and whether it is known.
fn rows() -> BTreeMap<String, bool> {
    let page = include_str!("../docs/keras.md");
    let (_, section) = page.split_once("\n## Classes\n").expect("the section");
    let section = section.split("\n## ").next().expect("a section");
    let mut rows = BTreeMap::new();
    let mut last = "";
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let (class_name, known) = line
            .strip_prefix("| `")
            .and_then(|rest| rest.strip_suffix(" |")?.split_once("` | "))
            .unwrap_or_else(|| panic!("no row of the table: {line}"));
        assert!(last < class_name, "{class_name} comes after {last}");
        last = class_name;
        let known = match known {
            "no" | "in `RNN`" => false,
            _ if known == "yes" || known.starts_with("yes, ") => true,
            _ => panic!("neither yes nor no: {line}"),
        };
        rows.insert(class_name.to_owned(), known);
    }
    rows
}

/// What a model with one layer of this class says, made from Keras's JSON without any option.
fn error(class_name: &str) -> Option<String> {
    let text = format!(
        r#"{{"module": "keras", "class_name": "Sequential", "config": {{"layers": [
            {{"class_name": "InputLayer", "config": {{"name": "x", "batch_shape": [null, 4, 4, 4]}}}},
            {{"class_name": "{class_name}", "config": {{"name": "layer"}}}}
        ]}}}}"#
    );
    Model::<f32>::from_json(&text, 0).err().map(|error| error.to_string())
}

const UNKNOWN: &str = "this class of layer is not known";

#[test]
fn the_table_is_right() {
    let rows = rows();
    assert!(rows.len() > 130, "only {} rows", rows.len());
    for (class_name, &known) in &rows {
        let error = error(class_name).unwrap_or_default();
        // The input is no layer of the registry's.
        if class_name == "InputLayer" {
            assert!(known);
        } else {
            assert_eq!(!error.contains(UNKNOWN), known, "{class_name}: {error}");
        }
    }
}

/// The options as tf.keras 2.10 wrote them: axes as lists, and without those that came later.
#[test]
fn files_of_tensorflow_2() {
    let layers = [
        ("Rescaling", r#""scale": 0.5, "offset": [0.0, 1.0, 2.0]"#),
        ("Normalization", r#""axis": [3], "mean": null, "variance": null, "invert": false"#),
        (
            "Resizing",
            r#""height": 6, "width": 6, "interpolation": "nearest", "crop_to_aspect_ratio": false"#,
        ),
        ("CenterCrop", r#""height": 4, "width": 4"#),
        ("RandomFlip", r#""mode": "horizontal", "seed": null"#),
        (
            "RandomRotation",
            r#""factor": 0.1, "fill_mode": "reflect", "fill_value": 0.0, "interpolation": "bilinear", "seed": 3"#,
        ),
        (
            "RandomZoom",
            r#""height_factor": [-0.2, 0.1], "width_factor": null, "fill_mode": "reflect",
               "fill_value": 0.0, "interpolation": "bilinear", "seed": null"#,
        ),
        ("RandomContrast", r#""factor": 0.2, "seed": null"#),
        (
            "LayerNormalization",
            r#""axis": [3], "epsilon": 0.001, "center": true, "scale": true,
               "beta_initializer": {"class_name": "Zeros", "config": {}},
               "gamma_initializer": {"class_name": "Ones", "config": {}},
               "beta_regularizer": null, "gamma_regularizer": null,
               "beta_constraint": null, "gamma_constraint": null"#,
        ),
        ("Permute", r#""dims": [3, 1, 2]"#),
        ("Reshape", r#""target_shape": [-1]"#),
        ("RepeatVector", r#""n": 2"#),
    ];
    let layer = |(i, (class_name, options)): (usize, &(&str, &str))| {
        format!(
            r#"{{"class_name": "{class_name}", "config": {{"name": "l{i}", "trainable": true, "dtype": "float32", {options}}}}}"#
        )
    };
    let layers: Vec<String> = layers.iter().enumerate().map(layer).collect();
    let text = format!(
        r#"{{"class_name": "Sequential", "keras_version": "2.10.0", "backend": "tensorflow", "config": {{"name": "s", "layers": [
            {{"class_name": "InputLayer", "config": {{"batch_input_shape": [null, 8, 8, 3], "dtype": "float32",
                "sparse": false, "ragged": false, "name": "input_1"}}}}, {}]}}}}"#,
        layers.join(", ")
    );
    let model: Model = Model::from_json(&text, 0).unwrap();
    assert_eq!(model.output_shape(), [2, 48]);
    assert_eq!(model.count_params(), 3 + 3 + 1 + 2 * 3);
    // Every pixel has three channels 0.5, 1.5 and 2.5, of mean 1.5 and variance 2/3.
    let y = model.predict(&Tensor::ones([1, 8, 8, 3])).unwrap();
    let normalised = 1.0 / (2.0f32 / 3.0 + 1e-3).sqrt();
    let expected = Tensor::from_fn([1, 2, 48], |at| normalised * (at[2] / 16) as f32 - normalised);
    assert!(y.all_close(&expected, 1e-5, 1e-5), "{y:?}");
    let again: Model = Model::from_json(&model.to_json(), 0).unwrap();
    assert_eq!(again.to_json(), model.to_json());
}
