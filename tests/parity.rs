//! Outputs, gradients and training steps against what Keras and PyTorch computed. The numbers are in
//! `golden/`, made by `golden/make.py`.

mod golden;

use cinta::prelude::*;
use cinta::{Context, Layer, Loss, Mode, Optimizer, Pace, Step, Tape, Var};
use golden::{assert_near, cases, numbers, tensor, text};
use serde_json::Value;
use std::sync::{Arc, Mutex};

const LIBRARIES: [&str; 2] = ["keras", "torch"];

/// Arrays under the names of the golden files.
type Named = Vec<(String, Tensor)>;

fn pair(attrs: &Value, name: &str) -> [usize; 2] {
    let pair = numbers(&attrs[name]);
    [pair[0] as usize, pair[1] as usize]
}

fn padding(attrs: &Value) -> Padding {
    match text(attrs, "padding") {
        "same" => Same,
        "valid" => Valid,
        other => panic!("padding {other}"),
    }
}

fn activation(name: &str) -> Activation {
    let all = [Linear, Relu, Elu, Sigmoid, Tanh, Softmax];
    let found = all.into_iter().find(|activation| activation.keras_name() == name);
    found.unwrap_or_else(|| panic!("no activation is called {name}"))
}

/// Compares everything that a case has of both libraries with ours, and nothing less.
fn compare(case: &Value, ours: &Named) {
    for library in LIBRARIES {
        let golden = case[library].as_object().expect("arrays with names");
        let names: Vec<&String> = golden.keys().collect();
        assert_eq!(names, ours.iter().map(|(name, _)| name).collect::<Vec<_>>());
        for (name, ours) in ours {
            let what = format!("{}: {name} of {library}", text(case, "name"));
            assert_near(&what, ours, &tensor(&golden[name]));
        }
    }
}

/// A function of images and weights on a tape: its output, and the gradients of `sum(y dy)`.
fn run(
    inputs: &Value,
    f: impl for<'t> FnOnce(&[Var<'t, f32>], &Var<'t, f32>) -> Var<'t, f32>,
) -> Named {
    let tape = Tape::new();
    let leaf = |name: &str| Some((format!("d{name}"), tape.leaf(tensor(inputs.get(name)?))));
    let leaves: Vec<_> = ["x", "kernel", "bias"].into_iter().filter_map(leaf).collect();
    let weights: Vec<_> = leaves[1..].iter().map(|(_, weight)| weight.clone()).collect();
    let y = f(&weights, &leaves[0].1);
    let dy = Var::constant(tensor(&inputs["dy"]));
    let gradients = (&y * &dy).sum(..).backward();
    let gradients = leaves.iter().map(|(name, leaf)| (name.clone(), gradients.wrt(leaf)));
    std::iter::once(("y".to_owned(), y.value().clone())).chain(gradients).collect()
}

/// Compares a layer, on a tape and alone in a model.
fn compare_layer(case: &Value, layer: impl Layer<f32> + Clone + 'static) {
    let inputs = &case["inputs"];
    let forward = run(inputs, |weights, x| {
        Layer::forward(&layer, weights, x, &mut Context::new(Mode::Infer))
    });
    compare(case, &forward);

    let x = tensor(&inputs["x"]);
    let mut model = Sequential::new(x.shape().sample()).add(layer).build(0).unwrap();
    let weights = ["kernel", "bias"].into_iter().filter_map(|name| inputs.get(name).map(tensor));
    model.set_weights(&weights.collect::<Vec<_>>()).unwrap();
    let y = model.predict(&x).unwrap();
    for library in LIBRARIES {
        let what = format!("{}: predict and {library}", text(case, "name"));
        assert_near(&what, &y, &tensor(&case[library]["y"]));
    }
}

#[test]
fn conv2d() {
    for case in cases("conv2d.json") {
        let attrs = &case["attrs"];
        let (strides, padding) = (pair(attrs, "strides"), padding(attrs));
        let op =
            run(&case["inputs"], |weights, x| x.conv2d(&weights[0], &weights[1], strides, padding));
        compare(&case, &op);

        let [kh, kw, _, filters] = tensor(&case["inputs"]["kernel"]).dims();
        compare_layer(&case, Conv2d::new(filters, [kh, kw]).strides(strides).padding(padding));
    }
}

#[test]
fn max_pool2d() {
    for case in cases("max_pool2d.json") {
        let attrs = &case["attrs"];
        let (size, strides) = (pair(attrs, "pool_size"), pair(attrs, "strides"));
        let padding = padding(attrs);
        compare(&case, &run(&case["inputs"], |_, x| x.max_pool2d(size, strides, padding)));
        compare_layer(&case, MaxPooling2d::new(size).strides(strides).padding(padding));
    }
}

#[test]
fn avg_pool2d() {
    for case in cases("avg_pool2d.json") {
        let attrs = &case["attrs"];
        let (size, strides) = (pair(attrs, "pool_size"), pair(attrs, "strides"));
        let padding = padding(attrs);
        compare(&case, &run(&case["inputs"], |_, x| x.avg_pool2d(size, strides, padding)));
        compare_layer(&case, AveragePooling2d::new(size).strides(strides).padding(padding));
    }
}

#[test]
fn dense_with_every_activation() {
    let cases = cases("dense.json");
    assert_eq!(cases.len(), 6);
    for case in cases {
        let activation = activation(text(&case["attrs"], "activation"));
        let op = run(&case["inputs"], |weights, x| {
            activation.of(&(x.matmul(&weights[0]) + &weights[1]))
        });
        compare(&case, &op);
        compare_layer(&case, Dense::new(3).activation(activation));
    }
}

/// The losses of the samples, and the gradient of their mean.
fn run_loss(
    predictions: &str,
    inputs: &Value,
    f: impl for<'t> FnOnce(&Var<'t, f32>) -> Var<'t, f32>,
) -> Named {
    let tape = Tape::new();
    let leaf = tape.leaf(tensor(&inputs[predictions]));
    let losses = f(&leaf);
    let gradients = losses.mean(..).backward();
    vec![
        ("loss".to_owned(), losses.value().clone()),
        (format!("d{predictions}"), gradients.wrt(&leaf)),
    ]
}

#[test]
fn losses_of_every_kind() {
    for case in cases("crossentropy.json") {
        let inputs = &case["inputs"];
        let targets = inputs.get("targets").map(tensor);
        let targets = targets.unwrap_or_else(|| tensor(&inputs["labels"]));
        match text(&case["attrs"], "kind") {
            "from_logits" => {
                let op = run_loss("logits", inputs, |z| {
                    z.categorical_crossentropy_from_logits(&targets)
                });
                compare(&case, &op);
                let loss = CategoricalCrossentropy::from_logits();
                compare(&case, &run_loss("logits", inputs, |z| loss.per_sample(&targets, z)));
                let loss = CategoricalCrossentropy::new();
                let fused = run_loss("logits", inputs, |z| {
                    loss.per_sample_from_logits(&targets, z, Softmax).expect("it can be fused")
                });
                compare(&case, &fused);
            }
            "sparse_from_logits" => {
                let op = run_loss("logits", inputs, |z| {
                    z.sparse_categorical_crossentropy_from_logits(&targets)
                });
                compare(&case, &op);
                let loss = SparseCategoricalCrossentropy::from_logits();
                compare(&case, &run_loss("logits", inputs, |z| loss.per_sample(&targets, z)));
            }
            "probabilities" => {
                let op =
                    run_loss("probabilities", inputs, |p| p.categorical_crossentropy(&targets));
                compare(&case, &op);
                let loss = CategoricalCrossentropy::from_probabilities();
                compare(
                    &case,
                    &run_loss("probabilities", inputs, |p| loss.per_sample(&targets, p)),
                );
            }
            "mean_squared_error" => {
                let op = run_loss("predictions", inputs, |p| p.mean_squared_error(&targets));
                compare(&case, &op);
                let loss = MeanSquaredError;
                compare(&case, &run_loss("predictions", inputs, |p| loss.per_sample(&targets, p)));
            }
            other => panic!("a loss of the kind {other}"),
        }
    }
}

/// The network of `make.py`, with its weights.
fn network(weights: &Value, l2: f64) -> Model {
    let l2 = L2(l2);
    let mut model = Sequential::new([8, 8, 1])
        .add(Conv2d::new(2, 3).padding(Same).activation(Relu).kernel_regularizer(l2))
        .add(MaxPooling2d::new(2))
        .add(Conv2d::new(3, 3).activation(Relu).kernel_regularizer(l2))
        .add(Flatten::new())
        .add(Dense::new(4).activation(Relu).kernel_regularizer(l2))
        .add(Dense::new(3).activation(Softmax).kernel_regularizer(l2))
        .build(0)
        .unwrap();
    let names: Vec<&String> = weights.as_object().expect("weights with names").keys().collect();
    assert_eq!(names, weights_of(&model).iter().map(|(name, _)| name).collect::<Vec<_>>());
    let values: Vec<Tensor> = names.iter().map(|name| tensor(&weights[name.as_str()])).collect();
    model.set_weights(&values).unwrap();
    model
}

fn weights_of(model: &Model) -> Named {
    let layers = model.layers();
    layers
        .flat_map(|layer| {
            let weights = layer.weights();
            weights.map(move |(name, value)| (format!("{}/{name}", layer.name()), value.clone()))
        })
        .collect()
}

/// Every step on all samples, in their order.
fn steps(model: &mut Model, data: &Dataset, steps: usize) -> History {
    let fit = Fit {
        epochs: steps,
        batch_size: data.len(),
        shuffle: false,
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    model.fit(data, fit).unwrap()
}

fn compare_all(what: &str, ours: &Named, golden: &Value) {
    assert_eq!(ours.len(), golden.as_object().expect("arrays with names").len());
    for (name, ours) in ours {
        assert_near(&format!("{what}, {name}"), ours, &tensor(&golden[name]));
    }
}

#[test]
fn training_steps_of_every_optimizer() {
    let cases = cases("training_step.json");
    let inputs = &cases[0]["inputs"];
    let data = Dataset::new(tensor(&inputs["x"]), tensor(&inputs["y"])).unwrap();
    for case in &cases {
        let attrs = &case["attrs"];
        let number = |name: &str| attrs[name].as_f64().expect("a number");
        let mut model = network(&inputs["weights"], number("l2"));
        let loss = CategoricalCrossentropy::new();
        model.compile(match text(attrs, "optimizer") {
            "SGD" => {
                let sgd = Sgd::new(number("learning_rate")).momentum(number("momentum"));
                let nesterov = attrs["nesterov"].as_bool().expect("true or false");
                Compile::new(sgd.nesterov(nesterov), loss)
            }
            "Adam" => Compile::new(Adam::new(number("learning_rate")), loss),
            other => panic!("the optimizer {other}"),
        });
        let evaluated = model.evaluate(&data).unwrap()["loss"];
        let history = steps(&mut model, &data, number("steps") as usize);
        let after = weights_of(&model);
        for library in LIBRARIES {
            let what = format!("{}, {library}", text(case, "name"));
            let golden = tensor(&case[library]["loss"]);
            for loss in [history["loss"][0], evaluated] {
                assert_near(&format!("{what}, loss"), &Tensor::scalar(loss as f32), &golden);
            }
            compare_all(&what, &after, &case[library]["weights"]);
        }
    }
}

/// Keeps the gradients that it gets, penalties included, and moves nothing.
struct Record(Arc<Mutex<Vec<Vec<f32>>>>, Pace);

impl Optimizer<f32> for Record {
    fn class_name(&self) -> &str {
        "Record"
    }

    fn pace(&self) -> &Pace {
        &self.1
    }

    fn update(&self, _: Step, _: &mut [f32], gradient: &[f32], _: &mut [&mut [f32]]) {
        self.0.lock().unwrap().push(gradient.to_vec());
    }
}

#[test]
fn gradients_of_the_first_step() {
    let cases = cases("training_step.json");
    let (case, inputs) = (&cases[0], &cases[0]["inputs"]);
    let data = Dataset::new(tensor(&inputs["x"]), tensor(&inputs["y"])).unwrap();
    let mut model = network(&inputs["weights"], case["attrs"]["l2"].as_f64().expect("a number"));
    let recorded = Arc::new(Mutex::new(Vec::new()));
    model.compile(Compile::new(
        Record(recorded.clone(), Pace::new(1.0)),
        CategoricalCrossentropy::new(),
    ));
    steps(&mut model, &data, 1);
    let gradients = recorded.lock().unwrap().clone();
    let gradients: Named = weights_of(&model)
        .into_iter()
        .zip(gradients)
        .map(|((name, weight), gradient)| (name, Tensor::new(weight.shape(), gradient)))
        .collect();
    for library in LIBRARIES {
        compare_all(library, &gradients, &case[library]["gradients"]);
    }
}

#[test]
fn a_plain_step_of_rate_1_subtracts_the_gradient() {
    let cases = cases("training_step.json");
    let (case, inputs) = (&cases[0], &cases[0]["inputs"]);
    let data = Dataset::new(tensor(&inputs["x"]), tensor(&inputs["y"])).unwrap();
    let mut model = network(&inputs["weights"], case["attrs"]["l2"].as_f64().expect("a number"));
    let before = weights_of(&model);
    model.compile(Compile::new(Sgd::new(1.0), CategoricalCrossentropy::new()));
    steps(&mut model, &data, 1);
    let moved: Named = before
        .into_iter()
        .zip(weights_of(&model))
        .map(|((name, before), (_, after))| (name, &before - &after))
        .collect();
    for library in LIBRARIES {
        compare_all(library, &moved, &case[library]["gradients"]);
    }
}
