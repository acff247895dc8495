//! A compilation as Keras's `compile_config`.

use super::{Compile, Metric, Registry, optimizers};
use crate::config::{Config, Value, json};
use crate::error::Reason;
use crate::scalar::Scalar;
use std::sync::Arc;

type Metrics<T> = Vec<Arc<dyn Metric<T>>>;

impl<T: Scalar> Compile<T> {
    /// Keras's `compile_config`, for a model whose outputs have these names.
    pub(crate) fn config(&self, outputs: &[String]) -> Value {
        let list = |metrics: &Metrics<T>| match &metrics[..] {
            [] => Value::Null,
            metrics => metrics.iter().map(|metric| metric.config()).collect(),
        };
        let own: Vec<String> = self.outputs.iter().map(|own| own.name.clone()).collect();
        let outputs = if outputs.is_empty() { &own[..] } else { outputs };
        let loss = || self.loss.as_ref().map_or(Value::Null, |loss| loss.config());
        let [losses, weights, metrics, weighted] = if own.is_empty() {
            [loss(), Value::Null, list(&self.metrics), list(&self.weighted_metrics)]
        } else {
            let (mut losses, mut weights) = (Config::new(), Config::new());
            let (mut metrics, mut weighted) = (Config::new(), Config::new());
            for name in outputs {
                let own = self.outputs.iter().find(|own| own.name == *name);
                let of_own = own.and_then(|own| own.loss.as_ref()).map(|loss| loss.config());
                losses.insert(name.clone(), of_own.unwrap_or_else(loss));
                let weight = own.and_then(|own| own.weight).unwrap_or(1.0);
                weights.insert(name.clone(), json!(weight));
                let empty = Vec::new();
                let (plain, with_weights) =
                    own.map_or((&empty, &empty), |own| (&own.metrics, &own.weighted_metrics));
                let all =
                    |common: &Metrics<T>, own: &Metrics<T>| list(&[&common[..], &own[..]].concat());
                metrics.insert(name.clone(), all(&self.metrics, plain));
                weighted.insert(name.clone(), all(&self.weighted_metrics, with_weights));
            }
            let unless =
                |nothing: bool, of: Config| if nothing { Value::Null } else { Value::Object(of) };
            let unweighted = self.outputs.iter().all(|own| own.weight.is_none());
            let (no_metrics, no_weighted) =
                (metrics.values().all(Value::is_null), weighted.values().all(Value::is_null));
            metrics.retain(|_, list| !list.is_null());
            weighted.retain(|_, list| !list.is_null());
            [
                Value::Object(losses),
                unless(unweighted, weights),
                unless(no_metrics, metrics),
                unless(no_weighted, weighted),
            ]
        };
        json!({
            "optimizer": optimizers::to_config(&*self.optimizer, self.learning_rate),
            "loss": losses,
            "loss_weights": weights,
            "metrics": metrics,
            "weighted_metrics": weighted,
            "run_eagerly": false,
            "steps_per_execution": 1,
            "jit_compile": false,
        })
    }

    /// Reads Keras's `compile_config`, for a model whose outputs have these names.
    pub(crate) fn from_config(
        config: &Value,
        registry: &Registry<T>,
        outputs: &[String],
    ) -> Result<Self, Reason> {
        let part = |name: &str| config.get(name).filter(|value| !value.is_null());
        let optimizer = part("optimizer").ok_or("the optimizer is missing")?;
        let mut compile = Compile::from_parts(registry.make_optimizer(optimizer)?, None);
        let loss = part("loss").ok_or("the loss is missing")?;
        match by_output("loss", loss, outputs)? {
            None => compile.loss = Some(registry.make_loss(loss)?),
            Some(losses) => {
                for (name, loss) in losses.into_iter().filter(|(_, loss)| !loss.is_null()) {
                    let loss = Some(registry.make_loss(loss)?);
                    match outputs {
                        [_] => compile.loss = loss,
                        _ => compile.of_output(name).loss = loss,
                    }
                }
            }
        }
        if let Some(weights) = part("loss_weights") {
            let single: Vec<(&str, &Value)> =
                outputs.iter().map(|name| (name.as_str(), weights)).collect();
            for (name, weight) in by_output("loss_weights", weights, outputs)?.unwrap_or(single) {
                let number = weight
                    .as_f64()
                    .ok_or_else(|| format!("the loss weight {weight} is no number"))?;
                compile.of_output(name).weight = Some(number);
            }
        }
        for weighted in [false, true] {
            let key = if weighted { "weighted_metrics" } else { "metrics" };
            let Some(metrics) = part(key) else { continue };
            for (name, metric) in metrics_by_output(key, metrics, outputs)? {
                let metric = registry.make_metric(metric)?;
                let (plain, with_weights) = match outputs {
                    [_] => (&mut compile.metrics, &mut compile.weighted_metrics),
                    _ => {
                        let own = compile.of_output(name);
                        (&mut own.metrics, &mut own.weighted_metrics)
                    }
                };
                if weighted { with_weights } else { plain }.push(metric);
            }
        }
        Ok(compile)
    }
}

/// What is said of each output: a list in the order of the outputs, or an object by their names. `None` for a single value.
fn by_output<'v>(
    key: &str,
    value: &'v Value,
    outputs: &'v [String],
) -> Result<Option<Vec<(&'v str, &'v Value)>>, Reason> {
    match value {
        Value::Array(values) if values.len() == outputs.len() => {
            Ok(Some(outputs.iter().map(String::as_str).zip(values).collect()))
        }
        Value::Array(values) => Err(format!(
            "{key} are a list of {}, and the model has {} outputs",
            values.len(),
            outputs.len()
        )
        .into()),
        Value::Object(object) if !object.contains_key("class_name") => {
            match object.keys().find(|name| !outputs.contains(name)) {
                Some(name) => Err(format!(
                    "{key} has something of an output {name:?}, and the outputs of the model are {}",
                    outputs.join(", ")
                ).into()),
                None => {
                    Ok(Some(object.iter().map(|(name, value)| (name.as_str(), value)).collect()))
                }
            }
        }
        _ => Ok(None),
    }
}

/// Metrics with the output that each is of: lists of lists, a list for all outputs, or an object by their names.
fn metrics_by_output<'v>(
    key: &str,
    value: &'v Value,
    outputs: &'v [String],
) -> Result<Vec<(&'v str, &'v Value)>, Reason> {
    let nested = |values: &[Value]| values.iter().any(|it| it.is_array() || it.is_null());
    let groups = match value {
        // Keras 2 takes a plain list for every output; Keras 3 one of each output.
        Value::Array(values)
            if !nested(values) && (outputs.len() == 1 || values.len() != outputs.len()) =>
        {
            let mut all = Vec::new();
            for name in outputs {
                all.extend(values.iter().map(|metric| (name.as_str(), metric)));
            }
            return Ok(all);
        }
        value => by_output(key, value, outputs)?
            .ok_or_else(|| format!("{key} are a list, and the file has {value}"))?,
    };
    let mut all = Vec::new();
    for (name, group) in groups {
        let metrics = match group {
            Value::Null => &[][..],
            Value::Array(metrics) => &metrics[..],
            single => std::slice::from_ref(single),
        };
        all.extend(metrics.iter().map(|metric| (name, metric)));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        loss: Value,
        weights: Value,
        metrics: Value,
        outputs: &[&str],
    ) -> Result<Compile<f32>, Reason> {
        let config = json!({ "optimizer": "sgd", "loss": loss, "loss_weights": weights, "metrics": metrics });
        let outputs: Vec<String> = outputs.iter().map(|name| (*name).to_owned()).collect();
        Compile::from_config(&config, &Registry::new(), &outputs)
    }

    fn names(compile: &Compile<f32>, outputs: &[&str]) -> Vec<String> {
        let outputs: Vec<String> = outputs.iter().map(|name| (*name).to_owned()).collect();
        let goals = compile.goals(&outputs).unwrap();
        goals.metrics.iter().map(|metric| metric.name.clone()).collect()
    }

    #[test]
    fn lists_and_objects_say_the_same() {
        let two = ["a", "b"];
        for (loss, metrics) in [
            (json!(["mse", "mae"]), json!([["mae"], ["mse", "mae"]])),
            (json!({ "b": "mae", "a": "mse" }), json!({ "a": "mae", "b": ["mse", "mae"] })),
        ] {
            let compile = read(loss, json!([1.0, 0.5]), metrics, &two).unwrap();
            let expected =
                ["a_mean_absolute_error", "b_mean_squared_error", "b_mean_absolute_error"];
            assert_eq!(names(&compile, &two), expected);
            let outputs = two.map(str::to_owned);
            let goals = compile.goals(&outputs).unwrap();
            let losses: Vec<(&str, Option<f64>)> =
                goals.losses.iter().flatten().map(|goal| (goal.loss.name(), goal.weight)).collect();
            assert_eq!(
                losses,
                [("mean_squared_error", Some(1.0)), ("mean_absolute_error", Some(0.5))]
            );
            // And again, from what is written.
            let written = compile.config(&outputs);
            let again = Compile::<f32>::from_config(&written, &Registry::new(), &outputs).unwrap();
            assert_eq!(again.config(&outputs), written);
        }
        // Keras 2: one list for all outputs.
        let compile = read(json!("mse"), Value::Null, json!(["mae"]), &two).unwrap();
        assert_eq!(names(&compile, &two), ["a_mean_absolute_error", "b_mean_absolute_error"]);
    }

    #[test]
    fn one_output_may_be_a_list_of_one() {
        for (loss, metrics) in [
            (json!(["mse"]), json!([["mae"]])),
            (json!({ "a": "mse" }), json!({ "a": ["mae"] })),
            (json!("mse"), json!(["mae"])),
        ] {
            let compile = read(loss, Value::Null, metrics, &["a"]).unwrap();
            assert_eq!(names(&compile, &["a"]), ["mean_absolute_error"]);
            assert_eq!(compile.config(&["a".to_owned()])["loss"], "mean_squared_error");
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let error = |loss: Value, metrics: Value| {
            let read = read(loss, Value::Null, metrics, &["a", "b"]);
            read.map(drop).unwrap_err()
        };
        assert_eq!(
            error(json!(["mse"]), Value::Null),
            "loss are a list of 1, and the model has 2 outputs"
        );
        assert_eq!(
            error(json!({ "c": "mse" }), Value::Null),
            "loss has something of an output \"c\", and the outputs of the model are a, b"
        );
        assert_eq!(
            error(json!("mse"), json!("mae")),
            "metrics are a list, and the file has \"mae\""
        );
    }
}
