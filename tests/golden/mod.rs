//! Reading the golden files, and comparing with them.

use cinta::Tensor;
use serde_json::Value;
use std::path::Path;

/// What an array may differ by, as a part of its largest value.
const TOLERANCE: f64 = 1e-5;

pub fn cases(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let text = std::fs::read_to_string(&path).expect("the golden file");
    let mut golden: Value = serde_json::from_str(&text).expect("valid JSON");
    let Value::Array(cases) = golden["cases"].take() else { panic!("no cases in {file}") };
    assert!(!cases.is_empty());
    cases
}

pub fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().expect("a list of numbers");
    values.iter().map(|value| value.as_f64().expect("a number")).collect()
}

pub fn tensor(array: &Value) -> Tensor {
    let shape: Vec<usize> = numbers(&array["shape"]).iter().map(|&dim| dim as usize).collect();
    let values: Vec<f32> = numbers(&array["data"]).iter().map(|&value| value as f32).collect();
    Tensor::new(&shape[..], values)
}

pub fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().expect("a text")
}

pub fn assert_near(what: &str, ours: &Tensor, golden: &Tensor) {
    assert_eq!(ours.shape(), golden.shape(), "{what}");
    let largest = golden.iter().fold(0.0, |largest: f64, b| largest.max(f64::from(b).abs()));
    for (i, (a, b)) in ours.iter().zip(golden.iter()).enumerate() {
        let difference = (f64::from(a) - f64::from(b)).abs();
        assert!(difference <= TOLERANCE * largest, "{what}, element {i}: {a} instead of {b}");
    }
}
