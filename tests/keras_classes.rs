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
            "no" => false,
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

const UNKNOWN: &str = "this class of layer is not known; known are ";

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

#[test]
fn every_class_is_in_the_table() {
    let error = error("Nobody'sLayer").expect("an unknown class");
    let (_, list) = error.split_once(UNKNOWN).expect("the list of known classes");
    let known: Vec<&str> = list.split(", and others").next().expect("a list").split(", ").collect();
    let rows = rows();
    for class_name in known {
        assert_eq!(rows.get(class_name), Some(&true), "{class_name} in docs/keras.md");
    }
}
