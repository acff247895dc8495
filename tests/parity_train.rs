//! Optimizers, schedules, losses, penalties and metrics against what Keras computed. The numbers are in `golden/`, made by
//! `golden/train.py`.

mod golden;
mod scratch;

use cinta::prelude::*;
use cinta::{
    Activation, Config, Context, Curve, Initializer, Layer, LearningRate, Loss, Metric, Optimizer,
    Pace, Shape, Step, Tape, Var, Weight, Whole,
};
use golden::{assert_near, cases, numbers, tensor, text};
use scratch::Scratch;
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// Compares what we write with what Keras wrote: the same keys in the same order, and the same values but for what Keras
/// rounds to `float32`, and the number that it appends to names.
fn assert_same_config(what: &str, ours: &Value, keras: &Value) {
    match (ours, keras) {
        (Value::Object(ours), Value::Object(keras)) => {
            let keys = |object: &serde_json::Map<String, Value>| {
                object.keys().cloned().collect::<Vec<_>>()
            };
            assert_eq!(keys(ours), keys(keras), "{what}");
            for (key, ours) in ours {
                assert_same_config(&format!("{what}, {key}"), ours, &keras[key]);
            }
        }
        (Value::Array(ours), Value::Array(keras)) => {
            assert_eq!(ours.len(), keras.len(), "{what}");
            ours.iter().zip(keras).for_each(|(a, b)| assert_same_config(what, a, b));
        }
        (Value::Number(ours), Value::Number(keras)) => {
            let (a, b) = (ours.as_f64().unwrap(), keras.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-7 * b.abs(), "{what}: {a} instead of {b}");
        }
        (Value::String(ours), Value::String(keras)) => {
            let numbered = keras.rsplit_once('_').filter(|(_, n)| n.parse::<u32>().is_ok());
            let name = numbered.map_or(&keras[..], |(name, _)| name);
            assert!(ours == keras || ours == name, "{what}: {ours} instead of {keras}");
        }
        _ => assert_eq!(ours, keras, "{what}"),
    }
}

/// What our types write, as another library reads it.
fn json(ours: &cinta::config::Value) -> Value {
    serde_json::from_str(&ours.to_string()).unwrap()
}

/// What a model would write of its compilation.
fn compile_config(compile: &Compile) -> Value {
    serde_json::from_str(&format!("{compile:?}")).unwrap()
}

// ---------------------------------------------------------------- optimizers

/// `y = sum of a x + sum of b x`: the gradient of the weights `a` and `b` is the sample `x`.
#[derive(Clone)]
struct Linear;

impl Layer<f32> for Linear {
    fn class_name(&self) -> &str {
        "Linear"
    }

    fn config(&self) -> Config {
        Config::new()
    }

    fn output_shape(&self, _: Shape) -> Result<Shape, cinta::Reason> {
        Ok(Shape::new(&[1]))
    }

    fn weights(&self, _: Shape) -> Vec<Weight> {
        vec![
            Weight::new("a", [3], Initializer::Zeros),
            Weight::new("b", [2, 2], Initializer::Zeros),
        ]
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, f32>],
        x: &Var<'t, f32>,
        _: &mut Context<f32>,
    ) -> Var<'t, f32> {
        let n = x.shape()[0];
        let a = (x.slice(1, 0..3) * &weights[0]).sum(1);
        let b = (x.slice(1, 3..7) * weights[1].reshape([4])).sum(1);
        (a + b).reshape([n, 1])
    }
}

/// The prediction itself.
struct Identity;

impl Loss<f32> for Identity {
    fn name(&self) -> &str {
        "identity"
    }

    fn per_sample<'t>(&self, _: &Tensor, predictions: &Var<'t, f32>) -> Var<'t, f32> {
        predictions.sum(1)
    }
}

/// A model to take steps with, and the weights and slots in the order of Keras's variables.
struct Steps {
    model: Model,
    order: Vec<(&'static str, &'static str)>,
    /// Numbers that Keras keeps behind these, after all 20 steps.
    numbers: Vec<f32>,
}

fn steps<O: Optimizer<f32> + 'static>(optimizer: O) -> Steps {
    // The order of Keras's variables, as the trait describes it.
    let (slots, together) = (optimizer.slots(), optimizer.slots_together());
    let weights = ["a", "b"];
    let (first, others) = slots.split_at(together.min(slots.len()));
    let first = weights.iter().flat_map(|w| first.iter().map(move |slot| (*w, *slot)));
    let others = others.iter().flat_map(|slot| weights.map(|w| (w, *slot)));
    let shape = |w: &str| if w == "a" { Shape::from([3]) } else { [2, 2].into() };
    let kept = |&(w, slot): &(&str, &str)| {
        let of = Whole { path: &format!("linear/{w}"), shape: shape(w) };
        optimizer.slot_shape(slot, of).is_some()
    };
    let order = first.chain(others).filter(kept).collect();
    let numbers = optimizer.numbers_after(20).into_iter().map(|number| number as f32).collect();
    let mut model = Sequential::new([7]).add(Linear).build(0).unwrap();
    model.compile(Compile::new(optimizer, Identity));
    Steps { model, order, numbers }
}

fn optimizer(name: &str) -> Steps {
    match name {
        "sgd" => steps(Sgd::new(0.05)),
        "sgd, nesterov" => steps(Sgd::new(0.05).momentum(0.9).nesterov(true)),
        "sgd, changed rate" => steps(Sgd::new(0.05).momentum(0.9)),
        "sgd, clipnorm and decay" => {
            steps(Sgd::new(0.05).momentum(0.5).clipnorm(1.0).weight_decay(0.1))
        }
        "sgd, clipvalue and schedule" => {
            steps(Sgd::new(ExponentialDecay::new(0.1, 4, 0.5)).clipvalue(0.5))
        }
        "adam" => steps(Adam::new(0.05).beta_1(0.8).beta_2(0.9).epsilon(0.01)),
        "adam, amsgrad" => steps(Adam::new(0.05).beta_2(0.8).amsgrad(true)),
        "adam, global_clipnorm and schedule" => {
            let rate = CosineDecay::new(0.01, 10).warmup(0.1, 5);
            steps(Adam::new(rate).epsilon(0.01).global_clipnorm(1.0))
        }
        "adamw" => steps(AdamW::new(0.05)),
        "adamw, decay and schedule" => {
            let rate = PiecewiseConstantDecay::new([4, 9], [0.1, 0.05, 0.02]);
            steps(AdamW::new(rate).weight_decay(0.2))
        }
        "rmsprop" => steps(RmsProp::new(0.02).rho(0.8).epsilon(0.05)),
        "rmsprop, momentum" => steps(RmsProp::new(0.02).momentum(0.7)),
        "rmsprop, centered" => steps(RmsProp::new(0.02).centered(true).epsilon(0.05)),
        "rmsprop, all" => {
            let centered = RmsProp::new(0.02).momentum(0.5).centered(true);
            steps(centered.epsilon(0.01).weight_decay(0.1))
        }
        "adagrad" => steps(Adagrad::new(0.1).epsilon(0.05)),
        "adagrad, clipnorm" => {
            steps(Adagrad::new(0.1).initial_accumulator_value(0.5).clipnorm(0.5))
        }
        "nadam" => steps(Nadam::new(0.05)),
        "nadam, betas" => {
            steps(Nadam::new(0.05).beta_1(0.7).beta_2(0.9).epsilon(0.01).weight_decay(0.1))
        }
        "adamax" => steps(Adamax::new(0.05)),
        "adamax, betas" => {
            steps(Adamax::new(0.05).beta_1(0.7).beta_2(0.8).epsilon(0.05).clipnorm(1.0))
        }
        "adadelta" => steps(Adadelta::new(1.0)),
        "adadelta, rho" => steps(Adadelta::new(0.5).rho(0.8).epsilon(0.05)),
        "ftrl" => steps(Ftrl::new(0.1)),
        "ftrl, all" => steps(
            Ftrl::new(0.2)
                .learning_rate_power(-0.7)
                .initial_accumulator_value(0.3)
                .l1_regularization_strength(0.1)
                .l2_regularization_strength(0.2)
                .l2_shrinkage_regularization_strength(0.05)
                .beta(0.3),
        ),
        "lion" => steps(Lion::new(0.02)),
        "lion, betas" => steps(Lion::new(0.02).beta_1(0.6).beta_2(0.8).weight_decay(0.1)),
        "lamb" => steps(Lamb::new(0.05)),
        "lamb, betas" => steps(Lamb::new(0.05).beta_1(0.7).beta_2(0.9).epsilon(0.05)),
        "adafactor" => steps(Adafactor::new(0.05)),
        "adafactor, all" => {
            let adafactor = Adafactor::new(0.5).beta_2_decay(-0.5).epsilon_1(1e-3).epsilon_2(0.1);
            steps(adafactor.clip_threshold(0.4).weight_decay(0.1))
        }
        "adafactor, long steps" => steps(Adafactor::new(2.0).relative_step(false)),
        "muon" => steps(Muon::new(0.05)),
        "muon, all" => {
            let muon = Muon::new(0.05).adam_beta_1(0.8).adam_beta_2(0.9).epsilon(0.01);
            let muon = muon.adam_weight_decay(Some(0.2)).weight_decay(0.1).adam_lr_ratio(0.5);
            let muon = muon.muon_a(2.0).muon_b(-1.5).muon_c(0.5).momentum(0.8).ns_steps(3);
            steps(muon.nesterov(false).rms_rate(None))
        }
        "muon, excluded" => {
            let muon = Muon::new(0.05).exclude_layers(vec!["b".to_owned()]);
            steps(muon.adam_weight_decay(None).rms_rate(Some(0.5)))
        }
        "schedule-free" => steps(ScheduleFreeAdamW::new(0.05)),
        "schedule-free, all" => {
            let all = ScheduleFreeAdamW::new(0.1).beta_1(0.7).beta_2(0.9).epsilon(0.01);
            steps(all.warmup_steps(5).weight_decay(0.1))
        }
        other => panic!("the optimizer {other}"),
    }
}

/// What a saved model has under a name.
fn saved(bytes: &[u8], name: &str) -> Tensor {
    let tensors = safetensors::SafeTensors::deserialize(bytes).unwrap();
    let view = tensors.tensor(name).unwrap_or_else(|_| panic!("the file has no {name}"));
    let values = view.data().chunks_exact(4);
    let values = values.map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()));
    Tensor::new(view.shape(), values.collect::<Vec<f32>>())
}

/// The configuration of the optimizer in a saved model.
fn saved_config(bytes: &[u8]) -> Value {
    let (_, header) = safetensors::SafeTensors::read_metadata(bytes).unwrap();
    let text = &header.metadata().as_ref().unwrap()["cinta"];
    let mut description: Value = serde_json::from_str(text).unwrap();
    description["config"]["compile_config"]["optimizer"].take()
}

#[test]
fn twenty_steps_of_every_optimizer() {
    let scratch = Scratch::new("parity-optimizers");
    let path = scratch.path("model.safetensors");
    let cases = cases("optimizers.json");
    assert_eq!(cases.len(), 36);
    let inputs = &cases[0]["inputs"];
    let gradients = tensor(&inputs["gradients"]);
    for case in &cases {
        let (name, golden) = (text(case, "name"), &case["keras"]);
        let change = case["attrs"]["change"].as_array();
        let Steps { mut model, order, numbers } = optimizer(name);
        model.set_weights(&[tensor(&inputs["a"]), tensor(&inputs["b"])]).unwrap();
        let compare = |model: &Model, when: &str| {
            for (weight, ours) in ["a", "b"].iter().zip(model.get_weights()) {
                let what = format!("{name}, {when}, {weight}");
                assert_near(&what, &ours, &tensor(&golden[when][weight]));
            }
        };
        for step in 0..20 {
            let sample = Dataset::new(gradients.slice(0, step..step + 1), Tensor::zeros([1, 1]));
            let fit = Fit { verbose: Verbose::Silent, ..Fit::default() };
            model.fit(&sample.unwrap(), fit).unwrap();
            if step == 0 {
                compare(&model, "first");
                model.save(&path).unwrap();
                if change.is_none() {
                    let bytes = std::fs::read(&path).unwrap();
                    assert_same_config(name, &saved_config(&bytes), &case["attrs"]["config"]);
                }
            }
            if let Some([after, rate]) = change.map(Vec::as_slice)
                && after.as_u64() == Some(step as u64 + 1)
            {
                model.set_learning_rate(rate.as_f64().unwrap()).unwrap();
            }
        }
        compare(&model, "last");
        model.save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let kept = golden["kept"].as_object().unwrap();
        let names: Vec<String> = order.iter().map(|(w, slot)| format!("{w}_{slot}")).collect();
        assert_eq!(kept.keys().collect::<Vec<_>>(), names.iter().collect::<Vec<_>>(), "{name}");
        for ((weight, slot), golden) in order.iter().zip(kept.values()) {
            let ours = saved(&bytes, &format!("optimizer/linear/{weight}/{slot}"));
            assert_near(&format!("{name}, {slot} of {weight}"), &ours, &tensor(golden));
        }
        assert_near(name, &Tensor::new([numbers.len()], numbers), &tensor(&golden["numbers"]));
    }
}

#[test]
fn rates_of_every_schedule() {
    let cases = cases("schedules.json");
    assert_eq!(cases.len(), 11);
    for case in cases {
        let name = text(&case, "name");
        let rate: LearningRate = match name {
            "exponential" => ExponentialDecay::new(0.1, 4, 0.7).into(),
            "exponential staircase" => ExponentialDecay::new(0.1, 4, 0.7).staircase(true).into(),
            "piecewise" => PiecewiseConstantDecay::new([3, 8], [0.3, 0.2, 0.1]).into(),
            "cosine" => CosineDecay::new(0.1, 12).into(),
            "cosine alpha" => CosineDecay::new(0.1, 12).alpha(0.2).into(),
            "cosine warmup" => CosineDecay::new(0.02, 12).alpha(0.2).warmup(0.1, 5).into(),
            "polynomial" => PolynomialDecay::new(0.1, 8).into(),
            "polynomial power" => {
                PolynomialDecay::new(0.1, 8).end_learning_rate(0.02).power(0.5).into()
            }
            "polynomial cycle" => {
                PolynomialDecay::new(0.1, 8).end_learning_rate(0.02).power(2.0).cycle(true).into()
            }
            "inverse time" => InverseTimeDecay::new(0.1, 4, 0.5).into(),
            "inverse time staircase" => InverseTimeDecay::new(0.1, 4, 0.5).staircase(true).into(),
            other => panic!("the schedule {other}"),
        };
        let steps = numbers(&case["attrs"]["steps"]);
        let rates: Vec<f32> = steps.iter().map(|&step| rate.at(step as u64) as f32).collect();
        assert_near(name, &Tensor::new([rates.len()], rates), &tensor(&case["keras"]["rates"]));
        let compile = Compile::new(Sgd::new(rate), MeanSquaredError);
        let ours = &compile_config(&compile)["optimizer"]["config"]["learning_rate"];
        assert_same_config(name, ours, &case["attrs"]["config"]);
    }
}

// -------------------------------------------------------- losses, penalties

/// The losses of the samples, and the gradient of their mean.
fn run(predictions: &Tensor, f: impl for<'t> FnOnce(&Var<'t, f32>) -> Var<'t, f32>) -> [Tensor; 2] {
    let tape = Tape::new();
    let leaf = tape.leaf(predictions.clone());
    let losses = f(&leaf);
    [losses.value().clone(), losses.mean(..).backward().wrt(&leaf)]
}

/// Compares a loss, and its object if Keras's has options; `fused` is the activation behind which it looks.
fn compare_loss(
    case: &Value,
    loss: impl Loss<f32> + 'static,
    fused: Option<(Activation, &dyn Loss<f32>)>,
) {
    let name = text(case, "name");
    let [targets, predictions] =
        ["targets", "predictions"].map(|name| tensor(&case["inputs"][name]));
    let golden = ["loss", "dpredictions"].map(|name| tensor(&case["keras"][name]));
    loss.check(&targets, predictions.shape().sample()).unwrap();
    let mut found = vec![run(&predictions, |p| loss.per_sample(&targets, p))];
    if let Some((activation, loss)) = fused {
        found.push(run(&predictions, |p| {
            loss.per_sample_from_logits(&targets, p, activation).expect("it can be fused")
        }));
    }
    for ours in found {
        assert_near(&format!("{name}, loss"), &ours[0], &golden[0]);
        assert_near(&format!("{name}, gradient"), &ours[1], &golden[1]);
    }
    let config = json(&loss.config());
    match &config {
        Value::String(plain) => assert_eq!(plain, loss.name()),
        // Keras forgets the delta.
        _ if loss.name() == "huber" => assert_eq!(config["config"]["delta"], 0.5),
        _ => assert_same_config(name, &config, &case["attrs"]["config"]),
    }
}

#[test]
fn every_loss_and_its_gradient() {
    let cases = cases("losses.json");
    assert_eq!(cases.len(), 23);
    for case in &cases {
        match text(case, "name") {
            "mean squared error" => compare_loss(case, MeanSquaredError, None),
            name if name.starts_with("mean absolute error") => {
                compare_loss(case, MeanAbsoluteError, None);
            }
            "huber" => compare_loss(case, Huber::default(), None),
            "huber, delta" => compare_loss(case, Huber::new(0.5), None),
            "binary crossentropy, smoothed" => {
                compare_loss(case, BinaryCrossentropy::new().label_smoothing(0.2), None);
            }
            "binary crossentropy, logits" => {
                let fused = BinaryCrossentropy::new();
                compare_loss(case, BinaryCrossentropy::from_logits(), Some((Sigmoid, &fused)));
            }
            "binary crossentropy, logits, smoothed" => {
                let [loss, fused] = [BinaryCrossentropy::from_logits(), BinaryCrossentropy::new()]
                    .map(|loss| loss.label_smoothing(0.2));
                compare_loss(case, loss, Some((Sigmoid, &fused)));
            }
            name if name.starts_with("binary crossentropy") => {
                compare_loss(case, BinaryCrossentropy::new(), None);
            }
            name if name.starts_with("kl divergence") => compare_loss(case, KlDivergence, None),
            "categorical crossentropy, smoothed" => {
                compare_loss(case, CategoricalCrossentropy::new().label_smoothing(0.2), None);
            }
            "categorical crossentropy, logits, smoothed" => {
                let [loss, fused] =
                    [CategoricalCrossentropy::from_logits(), CategoricalCrossentropy::new()]
                        .map(|loss| loss.label_smoothing(0.2));
                compare_loss(case, loss, Some((Softmax, &fused)));
            }
            name if name.starts_with("hinge") => compare_loss(case, Hinge, None),
            "squared hinge" => compare_loss(case, SquaredHinge, None),
            "categorical hinge" => compare_loss(case, CategoricalHinge, None),
            "mean absolute percentage error" => {
                compare_loss(case, MeanAbsolutePercentageError, None);
            }
            "mean squared logarithmic error" => {
                compare_loss(case, MeanSquaredLogarithmicError, None);
            }
            "poisson" => compare_loss(case, Poisson, None),
            "log cosh" => compare_loss(case, LogCosh, None),
            other => panic!("the loss {other}"),
        }
    }
}

/// Keeps the gradients that it gets, penalties included, and moves nothing.
struct Record(Arc<Mutex<Vec<f32>>>, Pace);

impl Optimizer<f32> for Record {
    fn class_name(&self) -> &str {
        "Record"
    }

    fn pace(&self) -> &Pace {
        &self.1
    }

    fn update(&self, _: Step, _: &mut [f32], gradient: &[f32], _: &mut [&mut [f32]]) {
        *self.0.lock().unwrap() = gradient.to_vec();
    }
}

#[test]
fn every_penalty_and_its_gradient() {
    let cases = cases("regularizers.json");
    assert_eq!(cases.len(), 3);
    let weight = tensor(&cases[0]["inputs"]["weight"]);
    for case in &cases {
        let name = text(case, "name");
        let regularizer = match name {
            "l1" => L1(0.02),
            "l2" => L2(0.03),
            "l1 and l2" => L1L2 { l1: 0.02, l2: 0.03 },
            other => panic!("the penalty {other}"),
        };
        // Inputs of 0: the loss is the penalty, and so is the gradient.
        let dense = Dense::new(3).use_bias(false).kernel_regularizer(regularizer);
        let mut model = Sequential::new([2]).add(dense).build(0).unwrap();
        model.set_weights(std::slice::from_ref(&weight)).unwrap();
        let recorded = Arc::new(Mutex::new(Vec::new()));
        model.compile(Compile::new(Record(recorded.clone(), Pace::new(1.0)), MeanSquaredError));
        let data = Dataset::new(Tensor::zeros([1, 2]), Tensor::zeros([1, 3])).unwrap();
        let fit = Fit { verbose: Verbose::Silent, ..Fit::default() };
        let penalty = tensor(&case["keras"]["penalty"]);
        for ours in [
            regularizer.penalty(&weight),
            model.evaluate(&data).unwrap()["loss"],
            model.fit(&data, fit).unwrap()["loss"][0],
        ] {
            assert_near(name, &Tensor::scalar(ours as f32), &penalty);
        }
        let ours = Tensor::new(weight.shape(), recorded.lock().unwrap().clone());
        assert_near(name, &ours, &tensor(&case["keras"]["gradient"]));
    }
}

// ------------------------------------------------------------------- metrics

fn compare_metric(case: &Value, weights: &[f64], metric: impl Metric<f32> + 'static) {
    let name = text(case, "name");
    let [targets, predictions] =
        ["targets", "predictions"].map(|name| tensor(&case["inputs"][name]));
    metric.check(&targets, predictions.shape().sample()).unwrap();
    let result = |state: &dyn Fn(usize, usize) -> Vec<f64>| {
        let (first, second) = (state(0, 5), state(5, weights.len()));
        let sums: Vec<f64> = first.iter().zip(second).map(|(a, b)| a + b).collect();
        Tensor::scalar(metric.result(&sums) as f32)
    };
    let cut = |x: &Tensor, from, to| x.slice(0, from..to);
    let plain =
        result(&|from, to| metric.state(&cut(&targets, from, to), &cut(&predictions, from, to)));
    assert_near(name, &plain, &tensor(&case["keras"]["plain"]));
    let weighted = result(&|from, to| {
        let (targets, predictions) = (cut(&targets, from, to), cut(&predictions, from, to));
        metric.state_weighted(&targets, &predictions, &weights[from..to])
    });
    let what = format!("{name}, weighted");
    assert_near(&what, &weighted, &tensor(&case["keras"]["weighted"]));

    let keras = &case["attrs"]["config"];
    match json(&metric.config()) {
        Value::String(plain) => {
            assert_eq!(plain, metric.name());
            let numbered = text(&keras["config"], "name");
            assert!(numbered.starts_with(&plain), "{name}: {plain} and {numbered}");
        }
        config => assert_same_config(name, &config, keras),
    }
}

#[test]
fn every_metric_with_and_without_weights() {
    let cases = cases("metrics.json");
    assert_eq!(cases.len(), 31);
    let weights: Vec<f64> = tensor(&cases[0]["inputs"]["weights"]).iter().map(f64::from).collect();
    for case in &cases {
        match text(case, "name") {
            "binary accuracy" => compare_metric(case, &weights, BinaryAccuracy::new()),
            "binary accuracy, threshold" => {
                compare_metric(case, &weights, BinaryAccuracy::new().threshold(0.25));
            }
            "categorical accuracy" => {
                compare_metric(case, &weights, CategoricalAccuracy);
            }
            "sparse categorical accuracy" => {
                compare_metric(case, &weights, SparseCategoricalAccuracy);
            }
            "top 5" => compare_metric(case, &weights, TopKCategoricalAccuracy::default()),
            "top 2" => compare_metric(case, &weights, TopKCategoricalAccuracy::new(2)),
            "sparse top 5" => {
                compare_metric(case, &weights, SparseTopKCategoricalAccuracy::default());
            }
            "sparse top 2" => compare_metric(case, &weights, SparseTopKCategoricalAccuracy::new(2)),
            "precision" => compare_metric(case, &weights, Precision::new()),
            "precision, threshold" => {
                compare_metric(case, &weights, Precision::new().threshold(0.25));
            }
            "recall" => compare_metric(case, &weights, Recall::new()),
            "recall, threshold" => compare_metric(case, &weights, Recall::new().threshold(0.7)),
            "auc, roc" => compare_metric(case, &weights, Auc::new()),
            "auc, pr" => compare_metric(case, &weights, Auc::new().curve(Curve::Pr)),
            "auc, roc of few thresholds" => {
                compare_metric(case, &weights, Auc::new().num_thresholds(4));
            }
            "auc, pr of few thresholds" => {
                let auc = Auc::new().num_thresholds(5).curve(Curve::Pr);
                compare_metric(case, &weights, auc);
            }
            "mean squared error" => compare_metric(case, &weights, MeanSquaredError),
            "mean absolute error" => compare_metric(case, &weights, MeanAbsoluteError),
            "binary crossentropy" => compare_metric(case, &weights, BinaryCrossentropy::new()),
            "binary crossentropy, logits" => {
                compare_metric(case, &weights, BinaryCrossentropy::from_logits());
            }
            "categorical crossentropy" => {
                compare_metric(case, &weights, CategoricalCrossentropy::new());
            }
            "categorical crossentropy, smoothed" => {
                let smoothed = CategoricalCrossentropy::new().label_smoothing(0.1);
                compare_metric(case, &weights, smoothed);
            }
            "sparse categorical crossentropy" => {
                compare_metric(case, &weights, SparseCategoricalCrossentropy::new());
            }
            "kl divergence" => compare_metric(case, &weights, KlDivergence),
            "hinge" => compare_metric(case, &weights, Hinge),
            "mean absolute percentage error" => {
                compare_metric(case, &weights, MeanAbsolutePercentageError);
            }
            "root mean squared error" => compare_metric(case, &weights, RootMeanSquaredError),
            "true positives" => compare_metric(case, &weights, TruePositives::new()),
            "false positives" => compare_metric(case, &weights, FalsePositives::new()),
            "true negatives" => compare_metric(case, &weights, TrueNegatives::new()),
            "false negatives" => {
                compare_metric(case, &weights, FalseNegatives::new().threshold(0.25));
            }
            other => panic!("the metric {other}"),
        }
    }
}
