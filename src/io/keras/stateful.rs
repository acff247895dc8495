//! Layers that go on in a batch where the batch before has ended: `LSTM(4, stateful=True)`.
//!
//! What such a layer gives depends on what it has seen before, which a model here does not remember. Where each batch begins anew, it is
//! a layer like others.

use super::legacy::Refused;
use crate::config::{Value, json, name_of};

/// Refuses such layers, or makes them begin anew.
pub(super) fn settle(model: &mut Value, refuse: bool, refused: &mut Refused) {
    let layers = model.inside_mut(&["config", "layers"]).and_then(Value::as_array_mut);
    for layer in layers.into_iter().flatten() {
        let mut stateful = false;
        each(layer, &mut |option| {
            stateful = true;
            *option = json!(refuse);
        });
        if refuse && stateful {
            let name = name_of(layer).unwrap_or_default().to_owned();
            let class_name = layer["class_name"].as_str().unwrap_or_default();
            let reason = format!(
                "layer {name} ({class_name}): it is stateful, and goes on where the batch before has ended, which is not supported; \
                 Load::new(path).stateful(false) opens it as one that begins anew with each batch"
            );
            refused.push((name, reason.into()));
        }
    }
}

/// Calls `met` for the option of a layer that is stateful, or of one in it.
fn each(value: &mut Value, met: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| each(value, met)),
        Value::Object(options) => {
            for (name, option) in options.iter_mut() {
                match name == "stateful" && *option == json!(true) {
                    true => met(option),
                    false => each(option, met),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stateful_layers_are_named_or_begin_anew() {
        let lstm = |stateful: bool| json!({ "class_name": "LSTM", "config": { "name": "lstm", "units": 2, "stateful": stateful } });
        let both = |stateful: bool| json!({ "class_name": "Bidirectional", "name": "both", "config": { "layer": lstm(stateful) } });
        let model =
            |stateful: bool| json!({ "config": { "layers": [lstm(stateful), both(stateful)] } });
        let (mut found, mut refused) = (model(true), Vec::new());
        settle(&mut found, true, &mut refused);
        assert_eq!(found, model(true));
        let names: Vec<&str> = refused.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["lstm", "both"]);
        let reason = refused[1].1.as_str();
        assert!(reason.starts_with("layer both (Bidirectional): it is stateful"), "{reason}");
        assert!(reason.contains("Load::new(path).stateful(false)"), "{reason}");

        refused.clear();
        settle(&mut found, false, &mut refused);
        assert_eq!((found, refused.len()), (model(false), 0));
        settle(&mut model(false), true, &mut refused);
        assert!(refused.is_empty());
    }
}
