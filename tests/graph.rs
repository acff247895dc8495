//! Models that branch and join.

use cinta::prelude::*;
use cinta::{Node, rand};

mod scratch;
use scratch::Scratch;

fn images(n: usize) -> Tensor {
    let mut rng = rand::SeedableRng::seed_from_u64(7);
    let rng: &mut rand::rngs::SmallRng = &mut rng;
    Tensor::uniform([n, 8, 8, 1], -1.0, 1.0, rng)
}

fn data(n: usize) -> Dataset {
    let classes: Vec<usize> = (0..n).map(|i| i % 3).collect();
    Dataset::new(images(n), datasets::one_hot(&classes, 3).unwrap()).unwrap()
}

/// A small residual network: two ways that are added, and two that are put side by side.
fn residual() -> Model {
    let image = Input::named("image", [8, 8, 1]);
    let x = image.then(Conv2d::new(4, 3).padding(Same).activation(Relu).name("stem"));
    let y = x.then(Conv2d::new(4, 3).padding(Same).name("branch"));
    let x = Add::new().of([&x, &y]).then(Relu);
    let z = Concatenate::new().of([&x, &image]);
    let scores = z
        .then(Dropout::new(0.25))
        .then(Flatten::new())
        .then(Dense::new(3).activation(Softmax).name("scores"));
    Model::new(&image, &scores).build(5).unwrap()
}

/// The formats that this build can write.
fn endings() -> impl Iterator<Item = &'static str> {
    let all = if cfg!(feature = "keras") { 3 } else { 1 };
    ["safetensors", "keras", "h5"].into_iter().take(all)
}

fn compiled(mut model: Model) -> Model {
    model.compile(
        Compile::new(Sgd::new(0.05).momentum(0.9), CategoricalCrossentropy::new()).metric(Accuracy),
    );
    model
}

fn train(model: &mut Model, epochs: usize) -> History {
    let fit = Fit { epochs, batch_size: 32, verbose: Verbose::Silent, ..Fit::default() };
    model.fit(&data(48), fit).unwrap()
}

#[test]
fn layers_come_in_the_order_of_keras() {
    let model = residual();
    let names: Vec<&str> = model.layers().map(|layer| layer.name()).collect();
    let expected =
        ["stem", "branch", "add", "activation", "concatenate", "dropout", "flatten", "scores"];
    assert_eq!(names, expected);
    assert_eq!(model.count_params(), 4 * 9 + 4 + 4 * 4 * 9 + 4 + 8 * 8 * 5 * 3 + 3);
}

#[test]
fn a_residual_network_computes_what_its_parts_do() {
    let model = residual();
    let x = images(5);
    let chain = |name: &str| {
        let layer = model.get_layer(name).unwrap();
        layer.weights().map(|(_, weight)| weight.clone()).collect::<Vec<_>>()
    };
    let conv = |x: &Tensor, name: &str, filters, relu: bool| {
        let layer =
            Conv2d::new(filters, 3).padding(Same).activation(if relu { Relu } else { Linear });
        let mut part = Sequential::new(x.shape().sample()).add(layer).build(0).unwrap();
        part.set_weights(&chain(name)).unwrap();
        part.predict(x).unwrap()
    };
    let stem = conv(&x, "stem", 4, true);
    let sum = (&stem + &conv(&stem, "branch", 4, false)).map(|x| x.max(0.0));
    let joined = Tensor::from_fn([5, 8, 8, 5], |i| {
        if i[3] < 4 { sum.at([i[0], i[1], i[2], i[3]]) } else { x.at([i[0], i[1], i[2], 0]) }
    });
    let mut head = Sequential::new([320]).add(Dense::new(3).activation(Softmax)).build(0).unwrap();
    head.set_weights(&chain("scores")).unwrap();
    let expected = head.predict(&joined.reshape([5, 320])).unwrap();
    assert!(model.predict(&x).unwrap().all_close(&expected, 1e-6, 1e-7));
    assert!(
        model
            .up_to("add")
            .unwrap()
            .predict(&x)
            .unwrap()
            .map(|x| x.max(0.0))
            .all_close(&sum, 1e-6, 1e-6)
    );
    assert!(
        model.up_to("concatenate").unwrap().predict(&x).unwrap().all_close(&joined, 1e-6, 1e-6)
    );
}

#[test]
fn a_chain_written_as_a_graph_trains_to_the_same_bits() {
    let layers = || {
        (Conv2d::new(4, 3).activation(Relu), Dropout::new(0.5), Dense::new(3).activation(Softmax))
    };
    let (conv, dropout, dense) = layers();
    let chain = Sequential::new([8, 8, 1]).add(conv).add(dropout).add(Flatten::new()).add(dense);
    let (conv, dropout, dense) = layers();
    let image = Input::new([8, 8, 1]);
    let scores = image.then(conv).then(dropout).then(Flatten::new()).then(dense);
    let graph = Model::new(&image, &scores);
    let (mut chain, mut graph) =
        (compiled(chain.build(3).unwrap()), compiled(graph.build(3).unwrap()));
    assert_eq!(train(&mut chain, 2), train(&mut graph, 2));
    assert_eq!(chain.get_weights(), graph.get_weights());
}

#[test]
fn a_residual_network_learns() {
    let mut model = compiled(residual());
    let history = train(&mut model, 20);
    assert!(history["loss"][19] < 0.5 * history["loss"][0], "{:?}", &history["loss"]);
}

#[test]
fn a_shared_layer_gets_the_gradients_of_all_its_places() {
    // y = w (w x): the gradient of the squared error by w is 2 (w^2 x - t) 2 w x.
    let x = Input::new([1]);
    let twice = Shared::new(Dense::new(1).use_bias(false).name("w"));
    let mut model = Model::new(&x, &twice.of(&twice.of(&x))).build(0).unwrap();
    assert_eq!(model.layers().count(), 1);
    model.set_weights(&[Tensor::from([[3.0]])]).unwrap();
    model.compile(Compile::new(Sgd::new(0.001), MeanSquaredError));
    let data = Dataset::new(Tensor::from([[2.0]]), Tensor::from([[10.0]])).unwrap();
    model.fit(&data, Fit { verbose: Verbose::Silent, ..Fit::default() }).unwrap();
    let gradient = 2.0 * (9.0 * 2.0 - 10.0) * 2.0 * 3.0 * 2.0;
    let weight = model.weight("w", "kernel").unwrap().item();
    assert!((weight - (3.0 - 0.001 * gradient)).abs() < 1e-5, "{weight}");
}

#[test]
fn an_output_that_is_used_twice_is_computed_once_and_given_twice() {
    let x = Input::new([2]);
    let (soft, sum) = {
        let soft = x.then(Dense::new(2).activation(Softmax));
        let sum = Add::new().of([&soft, &x]);
        (soft, sum)
    };
    let model = Model::new(&x, [&soft, &sum, &soft]).build(0).unwrap();
    let input = Tensor::from([[1.0, -1.0]]);
    let outputs = model.predict_all(&[&input]).unwrap();
    assert_eq!(outputs[0].to_vec(), outputs[2].to_vec());
    assert_eq!(outputs[1].to_vec(), (&outputs[0] + &input).to_vec());
}

#[test]
fn bits_do_not_depend_on_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut model = compiled(residual());
            train(&mut model, 2);
            model.get_weights()
        })
    };
    let one = run(1);
    assert!([2, 3, 8].into_iter().all(|threads| run(threads) == one));
}

#[test]
fn graphs_are_saved_and_train_on() {
    let scratch = Scratch::new("graphs");
    for ending in endings() {
        let path = scratch.path(&format!("model.{ending}"));
        let mut model = compiled(residual());
        train(&mut model, 1);
        model.save(&path).unwrap();
        let mut loaded = Model::<f32>::load(&path).unwrap();
        assert_eq!(loaded.summary(), model.summary());
        assert_eq!(loaded.get_weights(), model.get_weights(), "{ending}");
        train(&mut model, 1);
        train(&mut loaded, 1);
        assert_eq!(loaded.get_weights(), model.get_weights(), "{ending}");
    }
}

#[test]
fn shared_layers_and_several_ends_are_saved() {
    let scratch = Scratch::new("shared");
    let (left, right) = (Input::new([4]), Input::new([4]));
    let twin = Shared::new(Dense::new(3).name("twin"));
    let (a, b) = (twin.of(&left), twin.of(&right));
    let (near, far) = (Multiply::new().of([&a, &b]), Subtract::new().of([&a, &b]));
    let model = Model::new([&left, &right], [&near, &far]).build(2).unwrap();
    let x = Tensor::from([[1.0, 2.0, 3.0, 4.0]]);
    let y = Tensor::from([[-1.0, 0.5, 2.0, 0.0]]);
    let expected = model.predict_all(&[&x, &y]).unwrap();
    for ending in endings() {
        let path = scratch.path(&format!("model.{ending}"));
        model.save(&path).unwrap();
        let loaded = Model::<f32>::load(&path).unwrap();
        assert_eq!(loaded.predict_all(&[&x, &y]).unwrap(), expected, "{ending}");
    }
}

#[test]
fn wrong_graphs_are_errors_that_name_both_ends() {
    let error = |inputs: &[Node], output: &Node| {
        Model::new(inputs, output).build(0).unwrap_err().to_string()
    };
    let (a, b) = (Input::named("a", [4, 4, 2]), Input::named("b", [4, 3, 2]));
    let sum = Add::new().name("sum").of([&a, &b]);
    assert_eq!(
        error(&[a.clone(), b.clone()], &sum),
        "layer sum (Add): needs inputs of one shape (a dimension of 1 fits any), and these have [4, 4, 2] and \
         [4, 3, 2] (its input is from a and b)"
    );
    let both = Concatenate::new().of([&a.then(Conv2d::new(1, 1).name("c")), &b]);
    assert_eq!(
        error(&[a.clone(), b.clone()], &both),
        "layer concatenate (Concatenate): needs inputs that differ in axis 3 alone, and these have [4, 4, 1] and \
         [4, 3, 2] (its input is from c and b)"
    );
    let dense = a.then(Dense::new(2));
    assert_eq!(
        error(std::slice::from_ref(&b), &dense),
        "the outputs need the input a of shape [4, 4, 2], which is not among the model's inputs; add it to them"
    );
    assert_eq!(
        error(&[a.clone(), b.clone()], &dense),
        "no output needs the input b of shape [4, 3, 2]; leave it out, or use it"
    );
    assert_eq!(error(&[a.clone(), a.clone()], &dense), "the input 1 of the model is given twice");
    assert!(
        error(std::slice::from_ref(&dense), &dense.then(Relu))
            .contains("a model begins with nodes of Input::new")
    );
    assert!(error(std::slice::from_ref(&a), &a).contains("at least one layer"));
    let named = |x: &Node| x.then(Dense::new(2).name("same"));
    assert!(
        error(std::slice::from_ref(&a), &named(&named(&a)))
            .contains("\"same\" is taken by an earlier layer")
    );
    let twice = Shared::new(Dense::new(5).name("twice"));
    assert_eq!(
        error(std::slice::from_ref(&a), &twice.of(&twice.of(&a))),
        "layer twice (Dense): is used for inputs [4, 4, 2] and for inputs [4, 4, 5], which need other weights; use a \
         layer for each"
    );
    let two = Model::new([&a, &b], [&a.then(Relu), &b.then(Relu)]).build(0).unwrap();
    let reason = two.predict(&Tensor::zeros([1, 4, 4, 2])).unwrap_err().to_string();
    assert!(reason.contains("use predict_all"), "{reason}");
}

#[test]
fn a_deep_graph_needs_no_deep_stack() {
    let x = Input::new([1]);
    let mut y = x.clone();
    for _ in 0..20_000 {
        y = y.then(Relu);
    }
    let model = Model::new(&x, &y).build(0).unwrap();
    assert_eq!(model.predict(&Tensor::from([[2.0]])).unwrap().to_vec(), [2.0]);
    drop((y, x));
}

#[test]
fn the_summary_is_that_of_keras() {
    let (left, right) = (Input::new([4]), Input::new([4]));
    let twin = Shared::new(Dense::new(3).name("twin"));
    let (a, b) = (twin.of(&left), twin.of(&right));
    let (near, far) = (Multiply::new().of([&a, &b]), Subtract::new().of([&a, &b]));
    let model = Model::new([&left, &right], [&near, &far]).build(2).unwrap();
    assert_eq!(model.summary(), TWIN.trim());

    let image = Input::named("image_with_a_name_that_is_really_long_indeed", [8, 8, 1]);
    let x =
        image.then(Conv2d::new(4, 3).name("a_convolution_whose_name_is_long_as_well_as_it_can"));
    let y = image.then(Conv2d::new(4, 3).name("another_one"));
    let model = Model::new(&image, &Add::new().of([&x, &y, &x])).build(0).unwrap();
    assert_eq!(model.summary(), LONG.trim());
}

/// What Keras 3.15.1 prints on a terminal of 150 columns.
const TWIN: &str = r#"
Model: "functional"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)                  ┃ Output Shape              ┃         Param # ┃ Connected to               ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│ input_layer (InputLayer)      │ (None, 4)                 │               0 │ -                          │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ input_layer_1 (InputLayer)    │ (None, 4)                 │               0 │ -                          │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ twin (Dense)                  │ (None, 3)                 │              15 │ input_layer[0][0],         │
│                               │                           │                 │ input_layer_1[0][0]        │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ multiply (Multiply)           │ (None, 3)                 │               0 │ twin[0][0], twin[1][0]     │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ subtract (Subtract)           │ (None, 3)                 │               0 │ twin[0][0], twin[1][0]     │
└───────────────────────────────┴───────────────────────────┴─────────────────┴────────────────────────────┘
 Total params: 15 (60.00 B)
 Trainable params: 15 (60.00 B)
 Non-trainable params: 0 (0.00 B)
"#;

const LONG: &str = r#"
Model: "functional"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)                  ┃ Output Shape              ┃         Param # ┃ Connected to               ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│ image_with_a_name_that_is_re… │ (None, 8, 8, 1)           │               0 │ -                          │
│ (InputLayer)                  │                           │                 │                            │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ a_convolution_whose_name_is_… │ (None, 6, 6, 4)           │              40 │ image_with_a_name_that_is… │
│ (Conv2D)                      │                           │                 │                            │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ another_one (Conv2D)          │ (None, 6, 6, 4)           │              40 │ image_with_a_name_that_is… │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ add (Add)                     │ (None, 6, 6, 4)           │               0 │ a_convolution_whose_name_… │
│                               │                           │                 │ another_one[0][0],         │
│                               │                           │                 │ a_convolution_whose_name_… │
└───────────────────────────────┴───────────────────────────┴─────────────────┴────────────────────────────┘
 Total params: 80 (320.00 B)
 Trainable params: 80 (320.00 B)
 Non-trainable params: 0 (0.00 B)
"#;

/// `y = w (a + factor b)`, with a weight for each channel.
struct Weighed {
    factor: f32,
}

impl cinta::MultiLayer<f32> for Weighed {
    fn class_name(&self) -> &str {
        "Weighed"
    }

    fn config(&self) -> cinta::Config {
        cinta::Config::from([("factor", f64::from(self.factor))])
    }

    fn output_shape(&self, inputs: &[cinta::Shape]) -> Result<cinta::Shape, cinta::Reason> {
        match inputs {
            [a, b] if a == b && a.rank() > 0 => Ok(*a),
            _ => Err("needs two inputs of one shape".into()),
        }
    }

    fn weights(&self, inputs: &[cinta::Shape]) -> Vec<cinta::Weight> {
        vec![cinta::Weight::new("w", [inputs[0][inputs[0].rank() - 1]], cinta::Initializer::Ones)]
    }

    fn forward<'t>(
        &self,
        weights: &[cinta::Var<'t, f32>],
        inputs: &[&cinta::Var<'t, f32>],
        _: &mut cinta::Context<f32>,
    ) -> cinta::Var<'t, f32> {
        (inputs[0] + inputs[1] * self.factor) * &weights[0]
    }
}

#[test]
fn files_keep_layers_of_several_inputs_of_somebodys_own() {
    let image = Input::named("image", [8, 8, 1]);
    let x = image.then(Conv2d::new(4, 3));
    let y = image.then(Conv2d::new(4, 3)).then(Relu);
    let z = Weighed { factor: 0.5 }.of([&x, &y]);
    let twice = Weighed { factor: -2.0 }.of([&z, &y]);
    let scores = twice.then(Flatten::new()).then(Dense::new(3).activation(Softmax));
    let mut model = compiled(Model::new(&image, &scores).build(2).unwrap());
    let fit = || Fit { batch_size: 5, verbose: Verbose::Silent, ..Fit::default() };
    model.fit(&data(9), fit()).unwrap();
    let scratch = Scratch::new("own-merge");
    let registry = cinta::Registry::new().multi_layer("Weighed", |config| {
        let mut options = cinta::Options::new(config);
        let factor = options.number("factor")? as f32;
        options.finish()?;
        Ok(Box::new(Weighed { factor }))
    });
    for ending in endings() {
        let path = scratch.path(&format!("model.{ending}"));
        model.save(&path).unwrap();
        let error = Model::<f32>::load(&path).unwrap_err().to_string();
        assert!(
            error.contains("layer weighed (Weighed): this class of layer is not known"),
            "{error}"
        );
        let mut loaded = Model::load_with(&path, &registry).unwrap();
        assert_eq!(loaded.predict(&images(3)).unwrap(), model.predict(&images(3)).unwrap());
        let mut other = model.clone();
        assert_eq!(loaded.fit(&data(9), fit()).unwrap(), other.fit(&data(9), fit()).unwrap());
        assert_eq!(loaded.get_weights(), other.get_weights(), "{ending}");
    }
}
