//! The shapes of values between layers. Files of Keras 3 say them; those of Keras 2 say those of the model's inputs, from which the others follow.

use super::operations::sources;
use crate::config::{Value, name_of};
use crate::nn::{make_builtin, nested};
use crate::tensor::{MAX_RANK, Shape};
use std::collections::HashMap;

/// The sizes of a value, the batch first; `None` where it is open.
pub(super) type Dims = Vec<Option<u64>>;

/// The layer that gives a value, by which of its calls, and at which place among what the call gives.
type Origin = (String, u64, u64);

/// What a history `["dense", 0, 0]` says.
fn origin(history: &Value) -> Option<Origin> {
    let [name, node, output, ..] = history.as_array()? else { return None };
    Some((name.as_str()?.to_owned(), node.as_u64()?, output.as_u64()?))
}

/// The shapes of values, as far as they are known.
#[derive(Default)]
pub(super) struct Shapes(HashMap<Origin, Dims>);

impl Shapes {
    pub fn of(&self, history: &Value) -> Option<&Dims> {
        self.0.get(&origin(history)?)
    }

    pub fn note(&mut self, history: &Value, shape: &Value) {
        let dims = shape.as_array().map(|dims| dims.iter().map(Value::as_u64).collect());
        if let (Some(origin), Some(dims)) = (origin(history), dims) {
            self.0.insert(origin, dims);
        }
    }

    /// Notes what the calls of a layer give, if that follows from what they take. The layers before it come first.
    pub fn infer(&mut self, layer: &Value) {
        let nodes = layer.get("inbound_nodes").and_then(Value::as_array).unwrap_or_default();
        let Some(name) = name_of(layer) else { return };
        for (node, call) in (0..).zip(nodes) {
            let given = self.inferred(layer, call).unwrap_or_default();
            for (output, dims) in (0..).zip(given) {
                // What the file says counts.
                self.0.entry((name.to_owned(), node, output)).or_insert(dims);
            }
        }
    }

    fn inferred(&self, layer: &Value, call: &Value) -> Option<Vec<Dims>> {
        let (class_name, config) = nested(layer).ok()?;
        let mut taken = Vec::new();
        sources(call, &mut |history| taken.push(self.of(history).and_then(sample)));
        let inputs: Vec<Shape> = taken.into_iter().collect::<Option<_>>()?;
        let layer = make_builtin::<f32>(class_name, &config)?.ok()?;
        let outputs = layer.output_shapes(&inputs).ok()?;
        let dims = |sample: &Shape| -> Dims {
            std::iter::once(None).chain(sample.iter().map(|&size| Some(size as u64))).collect()
        };
        Some(outputs.iter().map(dims).collect())
    }
}

/// The shape of one sample, where all of its sizes are known.
fn sample(dims: &Dims) -> Option<Shape> {
    let sizes = dims.get(1..)?.iter().map(|&size| size?.try_into().ok());
    let sizes: Vec<usize> = sizes.collect::<Option<_>>()?;
    let shape = (sizes.len() < MAX_RANK).then(|| Shape::new(&sizes))?;
    shape.checked_count().map(|_| shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::json;

    #[test]
    fn shapes_follow_from_those_before() {
        let mut shapes = Shapes::default();
        shapes.note(&json!(["x", 0, 0]), &json!([null, 6, 6, 2]));
        let layer = |class: &str, name: &str, config: Value, taken: Value| json!({ "class_name": class, "name": name, "config": config, "inbound_nodes": [taken] });
        let conv = json!({ "name": "a", "filters": 3, "kernel_size": [3, 3], "dtype": "float32" });
        shapes.infer(&layer("Conv2D", "a", conv, json!([["x", 0, 0, {}]])));
        shapes.infer(&layer(
            "Concatenate",
            "b",
            json!({}),
            json!([["a", 0, 0, {}], ["a", 0, 0, {}]]),
        ));
        shapes.infer(&layer("Mine", "c", json!({}), json!([["b", 0, 0, {}]])));
        shapes.infer(&layer("Flatten", "d", json!({}), json!([["c", 0, 0, {}]])));
        let of = |name: &str| shapes.of(&json!([name, 0, 0])).cloned();
        assert_eq!(of("a"), Some(vec![None, Some(4), Some(4), Some(3)]));
        assert_eq!(of("b"), Some(vec![None, Some(4), Some(4), Some(6)]));
        assert_eq!((of("c"), of("d")), (None, None));
    }

    #[test]
    fn each_call_and_output_has_its_own() {
        let mut shapes = Shapes::default();
        shapes.note(&json!(["x", 0, 0]), &json!([null, 6, 2]));
        shapes.note(&json!(["y", 0, 0]), &json!([null, 9, 2]));
        let config = json!({ "units": 3, "return_sequences": true, "return_state": true });
        shapes.infer(&json!({
            "class_name": "GRU", "name": "a", "config": config,
            "inbound_nodes": [[["x", 0, 0, {}]], [["y", 0, 0, {}]], [["open", 0, 0, {}]]],
        }));
        let of = |node: u64, output: u64| shapes.of(&json!(["a", node, output])).cloned();
        assert_eq!(of(0, 0), Some(vec![None, Some(6), Some(3)]));
        assert_eq!(of(1, 0), Some(vec![None, Some(9), Some(3)]));
        assert_eq!(of(1, 1), Some(vec![None, Some(3)]));
        assert_eq!((of(1, 2), of(2, 0)), (None, None));
    }
}
