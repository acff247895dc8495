//! The shapes of values between layers. Files of Keras 3 say them; those of Keras 2 say those of the model's inputs, from which the others follow.

use super::operations::sources;
use crate::config::{Config, Value, name_of};
use crate::nn::make_builtin;
use crate::tensor::{MAX_RANK, Shape};
use std::collections::HashMap;

/// The sizes of a value, the batch first; `None` where it is open.
pub(super) type Dims = Vec<Option<u64>>;

/// The shapes of values, as far as they are known, by the names of the layers that give them.
#[derive(Default)]
pub(super) struct Shapes(HashMap<String, Dims>);

impl Shapes {
    pub fn of(&self, history: &Value) -> Option<&Dims> {
        self.0.get(history.as_array()?.first()?.as_str()?)
    }

    pub fn note(&mut self, name: &str, shape: &Value) {
        let dims = shape.as_array().map(|dims| dims.iter().map(Value::as_u64).collect());
        if let Some(dims) = dims {
            self.0.insert(name.to_owned(), dims);
        }
    }

    /// Notes what a layer gives, if that follows from what it takes. The layers before it come first.
    pub fn infer(&mut self, layer: &Value) {
        let Some(name) = name_of(layer).filter(|name| !self.0.contains_key(*name)) else { return };
        if let Some(dims) = self.inferred(layer) {
            self.0.insert(name.to_owned(), dims);
        }
    }

    fn inferred(&self, layer: &Value) -> Option<Dims> {
        let class_name = layer.get("class_name")?.as_str()?;
        let mut config: Config = layer.get("config")?.as_object()?.clone();
        for option in ["name", "dtype", "batch_input_shape"] {
            config.remove(option);
        }
        let [node, ..] = layer.get("inbound_nodes")?.as_array()? else { return None };
        let mut taken = Vec::new();
        sources(node, &mut |name| taken.push(name.to_owned()));
        let sample = |name: &String| {
            let dims = self.0.get(name)?.get(1..)?.iter();
            let sizes: Vec<usize> =
                dims.map(|&size| size?.try_into().ok()).collect::<Option<_>>()?;
            let shape = (sizes.len() < MAX_RANK).then(|| Shape::new(&sizes))?;
            shape.checked_count().map(|_| shape)
        };
        let inputs: Vec<Shape> = taken.iter().map(sample).collect::<Option<_>>()?;
        let layer = make_builtin::<f32>(class_name, &config)?.ok()?;
        let output = *layer.output_shapes(&inputs).ok()?.first()?;
        let sizes = output.iter().map(|&size| Some(size as u64));
        Some(std::iter::once(None).chain(sizes).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::json;

    #[test]
    fn shapes_follow_from_those_before() {
        let mut shapes = Shapes::default();
        shapes.note("x", &json!([null, 6, 6, 2]));
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
}
