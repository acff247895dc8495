//! Sizes that a file leaves open: Keras's `Input((None, 8))`.

use crate::config::{Value, json, name_of};
use crate::error::Reason;
use crate::model::input_names;
use crate::tensor::Shape;
use std::collections::HashMap;

/// Writes shapes of samples into the inputs of a model, in their order, where the file leaves sizes open.
///
/// # Errors
/// When a shape does not fit what the file says, or there are more shapes than inputs.
pub(super) fn fill(model: &mut Value, shapes: &[Shape]) -> Result<(), Reason> {
    let Some(config) = model.get_mut("config") else { return Ok(()) };
    let mut left = shapes.iter();
    let names = config.as_object().map(input_names).unwrap_or_default();
    let places: HashMap<String, usize> =
        names.into_iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect();
    if let Some(Value::Array(layers)) = config.get_mut("layers") {
        let inputs = layers.iter_mut().filter(|layer| layer["class_name"] == "InputLayer");
        let mut inputs: Vec<&mut Value> = inputs.collect();
        // Files list them as they come in the graph.
        inputs.sort_by_key(|input| name_of(input).and_then(|name| places.get(name)).copied());
        for input in inputs {
            let Some(config) = input.get_mut("config") else { continue };
            let key =
                if config["batch_shape"].is_array() { "batch_shape" } else { "batch_input_shape" };
            if let Some(shape) = left.next() {
                fill_one(&mut config[key], *shape)?;
            }
        }
    }
    if let Some(shape) = shapes.first()
        && config["build_input_shape"].is_array()
    {
        fill_one(&mut config["build_input_shape"], *shape)?;
    }
    match left.len() {
        0 => Ok(()),
        more => Err(format!(
            "{} shapes were given, and the model has {} inputs",
            shapes.len(),
            shapes.len() - more
        )
        .into()),
    }
}

fn fill_one(batch: &mut Value, shape: Shape) -> Result<(), Reason> {
    let wrong = format!("an input has the shape {batch} in the file, and {shape} does not fit it");
    let Some([_, dims @ ..]) = batch.as_array_mut().map(Vec::as_mut_slice) else {
        return Err(wrong.into());
    };
    if dims.len() != shape.rank() {
        return Err(wrong.into());
    }
    for (dim, &given) in dims.iter_mut().zip(shape.iter()) {
        if dim.is_null() {
            *dim = json!(given);
        } else if dim.as_u64() != Some(given as u64) {
            return Err(wrong.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_sizes_are_filled() {
        let input = |shape: Value| json!({ "class_name": "InputLayer", "config": { "batch_shape": shape } });
        let open = json!({ "config": { "layers": [input(json!([null, null, 8])), input(json!([null, 3]))] } });
        let mut model = open.clone();
        fill(&mut model, &[[5, 8].into()]).unwrap();
        assert_eq!(model["config"]["layers"][0]["config"]["batch_shape"], json!([null, 5, 8]));
        assert_eq!(model["config"]["layers"][1], open["config"]["layers"][1]);
        // The second of the layers is the first of the inputs.
        let mut model = open.clone();
        for (name, layer) in
            ["a", "b"].into_iter().zip(model["config"]["layers"].as_array_mut().unwrap())
        {
            layer["config"]["name"] = json!(name);
        }
        model["config"]["input_layers"] = json!([["b", 0, 0], ["a", 0, 0]]);
        fill(&mut model, &[[3].into(), [5, 8].into()]).unwrap();
        assert_eq!(model["config"]["layers"][0]["config"]["batch_shape"], json!([null, 5, 8]));
        for (shapes, reason) in [
            (&[Shape::from([5, 7])][..], "[5, 7] does not fit"),
            (&[Shape::from([5])], "[5] does not fit"),
            (&[[5, 8].into(), [3].into(), [1].into()], "3 shapes were given"),
        ] {
            let error = fill(&mut open.clone(), shapes).unwrap_err();
            assert!(error.as_str().contains(reason), "{error}");
        }
    }
}
