//! States of recurrent layers that nobody takes: `x, h, c = LSTM(4, return_state=True)(x)`, where only `x` goes on.

use super::operations::sources;
use crate::config::{Value, json, name_of};
use std::collections::HashSet;

/// Takes the option from the layers of a graph of which only the first output is used.
pub(super) fn drop_unused(config: &mut Value) {
    // The layers of which somebody takes another output than the first.
    let mut used = HashSet::new();
    sources(config, &mut |name, output| {
        if output != 0 {
            used.insert(name.to_owned());
        }
    });
    let Some(layers) = config.get_mut("layers").and_then(Value::as_array_mut) else { return };
    for layer in layers {
        let recurrent = matches!(
            layer.get("class_name").and_then(Value::as_str),
            Some("LSTM" | "GRU" | "SimpleRNN" | "Bidirectional")
        );
        let name = name_of(layer).map(str::to_owned);
        if !recurrent || name.is_none_or(|name| used.contains(&name)) {
            continue;
        }
        for place in [
            &["config"][..],
            &["config", "layer", "config"],
            &["config", "backward_layer", "config"],
        ] {
            if let Some(said) = layer.inside_mut(place).and_then(|it| it.get_mut("return_state")) {
                *said = json!(false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_that_are_taken_stay() {
        let layer = |name: &str, inputs: Value| json!({ "class_name": "LSTM", "name": name, "config": { "return_state": true }, "inbound_nodes": [inputs] });
        let graph =
            |layers: [Value; 2]| json!({ "layers": layers, "output_layers": [["b", 0, 0]] });
        let returns = |mut config: Value| {
            drop_unused(&mut config);
            let layers = config["layers"].as_array().unwrap();
            layers
                .iter()
                .map(|it| it["config"]["return_state"].as_bool().unwrap())
                .collect::<Vec<_>>()
        };
        let a = || layer("a", json!([["x", 0, 0, {}]]));
        assert_eq!(returns(graph([a(), layer("b", json!([["a", 0, 0, {}]]))])), [false, false]);
        let taken = json!([["a", 0, 0, {}], ["a", 0, 1, {}]]);
        assert_eq!(returns(graph([a(), layer("b", taken)])), [true, false]);
    }
}
