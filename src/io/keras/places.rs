//! Operations between layers over the places of series, images and volumes: means, sums and maxima of all of them, and images of other sizes.

use super::operations::{Operation, Source, Step, rescaling, step};
use super::shapes::Shapes;
use crate::config::{Value, json};

/// A mean or maximum over all places: over axis 1 of series, over 1 and 2 of images, over the last two of images whose channels come first;
/// and how many places there are, if the file says it. Without the value's shape, it is taken to be one for which this makes sense, and others are
/// refused by the layer.
pub(super) fn pooled(
    kind: &str,
    operation: &Operation,
    x: Source,
    shapes: &Shapes,
) -> Option<(Step, Option<u64>)> {
    let Source::Given(history) = &x else { return None };
    let dims = shapes.of(history);
    let mut axes: Vec<i64> = match operation.option(&["axis"])? {
        Value::Array(axes) => axes.iter().map(Value::as_i64).collect::<Option<_>>()?,
        axis => vec![axis.as_i64()?],
    };
    for axis in axes.iter_mut().filter(|axis| **axis < 0) {
        *axis += dims?.len() as i64;
    }
    axes.sort_unstable();
    let (rank, first) = match axes[..] {
        [1] | [1, 2] | [1, 2, 3] => (axes.len(), false),
        [2] | [2, 3] | [2, 3, 4] => (axes.len(), true),
        _ => return None,
    };
    if dims.is_some_and(|dims| dims.len() != rank + 2) {
        return None;
    }
    let class_name = match (kind, rank) {
        ("Average", 1) => "GlobalAveragePooling1D",
        ("Average", 2) => "GlobalAveragePooling2D",
        ("Average", _) => "GlobalAveragePooling3D",
        (_, 1) => "GlobalMaxPooling1D",
        (_, 2) => "GlobalMaxPooling2D",
        _ => "GlobalMaxPooling3D",
    };
    let keepdims = operation.options.get("keepdims").and_then(Value::as_bool).unwrap_or(false);
    let mut config = json!({ "keepdims": keepdims });
    if first {
        config["data_format"] = json!("channels_first");
    }
    let places = dims.and_then(|dims| {
        let mut sizes = axes.iter().map(|&axis| dims.get(axis as usize).copied().flatten());
        sizes.try_fold(1u64, |product, size| product.checked_mul(size?))
    });
    Some((step(class_name, config, vec![x]), places))
}

/// A sum over all places: so many times the mean.
pub(super) fn summed(operation: &Operation, x: Source, shapes: &Shapes) -> Option<Vec<Step>> {
    let (mean, places) = pooled("Average", operation, x, shapes)?;
    let count = places? as f64;
    Some(vec![mean, rescaling(json!(count), json!(0.0), Source::Step(0))])
}

/// `tf.image.resize`, or `keras.ops.image.resize`.
pub(super) fn resized(operation: &Operation, x: Source) -> Option<Step> {
    let option = |names: &[&str]| names.iter().find_map(|name| operation.options.get(*name));
    let [height, width] = operation.option(&["size"])?.as_array()? else { return None };
    let interpolation = option(&["method", "interpolation"]).cloned().unwrap_or(json!("bilinear"));
    let interpolation = interpolation.as_str()?.to_lowercase();
    let known = ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"];
    let off =
        |name: &str| option(&[name]).is_none_or(|it| it.is_null() || it.as_bool() == Some(false));
    let others = ["preserve_aspect_ratio", "pad_to_aspect_ratio", "crop_to_aspect_ratio"];
    if !known.contains(&&*interpolation) || !others.into_iter().all(off) {
        return None;
    }
    let antialias = !off("antialias");
    let mut config = json!({
        "height": height, "width": width, "interpolation": interpolation, "antialias": antialias,
    });
    if let Some(format) = option(&["data_format"]).filter(|format| !format.is_null()) {
        config["data_format"] = format.clone();
    }
    Some(step("Resizing", config, vec![x]))
}

#[cfg(test)]
mod tests {
    use super::super::operations::replace;
    use crate::config::json;

    /// The factor of a sum is the number of places of the call that it takes, and not of the layer's first one.
    #[test]
    fn a_sum_over_the_places_of_a_second_call() {
        let input = |name: &str, size: u64| json!({ "class_name": "InputLayer", "name": name, "config": { "name": name, "batch_input_shape": [null, size, size, 1] }, "inbound_nodes": [] });
        let conv = json!({ "name": "conv", "filters": 1, "kernel_size": [3, 3], "data_format": "channels_last" });
        let mut config = json!({
            "layers": [
                input("a", 6),
                input("b", 10),
                {
                    "class_name": "Conv2D", "name": "conv", "config": conv,
                    "inbound_nodes": [[["a", 0, 0, {}]], [["b", 0, 0, {}]]],
                },
                {
                    "class_name": "TFOpLambda", "name": "sum", "config": { "name": "sum", "function": "math.reduce_sum" },
                    "inbound_nodes": [["conv", 1, 0, { "axis": [1, 2] }]],
                },
            ],
        });
        replace(&mut config);
        let last = config["layers"].as_array().and_then(|layers| layers.last()).cloned();
        let scale = last.and_then(|it| it["config"]["scale"].as_f64());
        assert_eq!(scale, Some(64.0), "{config:?}");
        assert_eq!(config["layers"][3]["inbound_nodes"][0][0][1], 1);
    }
}
