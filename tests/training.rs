//! What `fit` promises: the order of samples, the means of an epoch, frozen weights, penalties, layers
//! that keep state, and models that threads share.

use cinta::prelude::*;
use cinta::{Config, Context, Layer, Loss, Mode, Shape, Var, Weight};
use std::sync::{Arc, Mutex};

/// Mean squared error that writes down the targets and the predictions it sees, a list for each shard.
#[derive(Clone, Default)]
struct Recording {
    targets: Arc<Mutex<Vec<Vec<f32>>>>,
    predictions: Arc<Mutex<Vec<Tensor>>>,
}

impl Recording {
    fn take(&self) -> Vec<Vec<f32>> {
        std::mem::take(&mut self.targets.lock().unwrap())
    }

    fn take_predictions(&self) -> Vec<Tensor> {
        std::mem::take(&mut self.predictions.lock().unwrap())
    }
}

impl Loss<f32> for Recording {
    fn name(&self) -> &str {
        "recording"
    }

    fn per_sample<'t>(&self, targets: &Tensor, predictions: &Var<'t, f32>) -> Var<'t, f32> {
        self.targets.lock().unwrap().push(targets.to_vec());
        self.predictions.lock().unwrap().push(predictions.value().clone());
        predictions.mean_squared_error(targets)
    }
}

/// Samples whose targets are their numbers.
fn numbered(n: usize) -> Dataset {
    let numbers = Tensor::<f32>::arange(n).reshape([n, 1]);
    Dataset::new(&numbers * 0.1, numbers).unwrap()
}

fn line() -> Model {
    Sequential::new([1]).add(Dense::new(1)).build(5).unwrap()
}

fn quiet<'a>(epochs: usize, batch_size: usize) -> Fit<'a> {
    Fit { epochs, batch_size, verbose: Verbose::Silent, ..Fit::default() }
}

#[test]
fn every_epoch_sees_every_sample_once_in_an_order_of_its_own() {
    let (loss, data) = (Recording::default(), numbered(10));
    let mut model = line();
    model.compile(Compile::new(Sgd::new(0.0), loss.clone()));
    model.fit(&data, quiet(3, 4)).unwrap();
    let batches = loss.take();
    let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
    assert_eq!(sizes, [4, 4, 2].repeat(3));
    let epochs: Vec<Vec<f32>> = batches.chunks(3).map(<[_]>::concat).collect();
    let in_order = data.targets().to_vec();
    for (i, epoch) in epochs.iter().enumerate() {
        let mut sorted = epoch.clone();
        sorted.sort_by(f32::total_cmp);
        assert_eq!(sorted, in_order);
        assert_ne!(*epoch, in_order);
        assert!(epochs[..i].iter().all(|other| other != epoch), "two epochs in the same order");
    }

    model.fit(&data, Fit { shuffle: false, ..quiet(2, 4) }).unwrap();
    assert_eq!(loss.take().concat(), in_order.repeat(2));
}

#[test]
fn the_loss_of_an_epoch_weighs_batches_by_their_sizes() {
    // With a learning rate of 0 the epoch's loss must be that of evaluate, whatever the batches are.
    let data = numbered(7);
    let mut model = Sequential::new([1])
        .add(Dense::new(3).activation(Tanh).kernel_regularizer(L2(0.1)))
        .add(Dense::new(1).bias_initializer(Initializer::Ones).bias_regularizer(L1(0.01)))
        .build(1)
        .unwrap();
    model.compile(Compile::new(Sgd::new(0.0), MeanSquaredError).metric(MeanSquaredError));
    let history = model.fit(&data, Fit { validation_data: Some(&data), ..quiet(1, 4) }).unwrap();
    let scores = model.evaluate(&data).unwrap();
    assert_eq!(
        history.keys().collect::<Vec<_>>(),
        ["loss", "mean_squared_error", "val_loss", "val_mean_squared_error"]
    );
    for name in ["loss", "mean_squared_error"] {
        assert!((history[name][0] - scores[name]).abs() < 1e-6, "{name}");
        assert_eq!(history[&format!("val_{name}")], [scores[name]]);
    }
    // The metric is without the penalties, the loss with them.
    let squares = |x: &Tensor| x.iter().map(|x| f64::from(x).powi(2)).sum::<f64>();
    let penalty = 0.1 * squares(model.weight("dense", "kernel").unwrap()) + 0.01;
    assert!((scores["loss"] - scores["mean_squared_error"] - penalty).abs() < 1e-7);
}

#[test]
fn frozen_weights_stay_and_are_not_penalised() {
    let data = numbered(8);
    let network = |trainable: bool| {
        let frozen = Dense::new(3).kernel_regularizer(L2(10.0)).trainable(trainable).name("first");
        let mut model = Sequential::new([1]).add(frozen).add(Dense::new(1)).build(2).unwrap();
        model.compile(Compile::new(Sgd::new(0.001), MeanSquaredError).metric(MeanSquaredError));
        model
    };
    let mut model = network(false);
    let scores = model.evaluate(&data).unwrap();
    assert_eq!(scores["loss"], scores["mean_squared_error"]);
    let before = model.get_weights();
    model.fit(&data, quiet(2, 4)).unwrap();
    let after = model.get_weights();
    assert_eq!((&before[0], &before[1]), (&after[0], &after[1]));
    assert_ne!(before[2], after[2]);
    assert!(network(true).evaluate(&data).unwrap()["loss"] > scores["loss"]);
}

#[test]
fn a_model_without_anything_to_train_reports_its_loss() {
    let mut model = Sequential::new([1]).add(Relu).build(0).unwrap();
    model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    let data = Dataset::new(Tensor::from([[1.0]]), Tensor::from([[3.0]])).unwrap();
    assert_eq!(model.fit(&data, quiet(1, 1)).unwrap()["loss"], [4.0]);
}

#[test]
fn dropout_drops_in_training_and_not_in_evaluation() {
    let n = 4000;
    let ones = Tensor::ones([n, 1]);
    let data = Dataset::new(ones.clone(), Tensor::zeros([n, 1])).unwrap();
    let mut model = Sequential::new([1]).add(Dropout::new(0.25)).build(3).unwrap();
    model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    assert_eq!(model.predict(&ones).unwrap(), ones);
    assert_eq!(model.evaluate(&data).unwrap()["loss"], 1.0);
    // 0 with probability 1/4, else (4/3)^2: in the mean 4/3, with a standard deviation of 0.012.
    let losses = model.fit(&data, quiet(2, 1000)).unwrap()["loss"].to_vec();
    assert!(losses.iter().all(|loss| (loss - 4.0 / 3.0).abs() < 0.06), "{losses:?}");
    assert_ne!(losses[0], losses[1], "the same elements were dropped in both epochs");
}

/// What a seed means must never change: these numbers are those of the formulas, computed apart from this crate.
#[test]
fn the_first_weights_of_a_seed_are_known_numbers() {
    let bias = Initializer::RandomUniform { minval: -1.0, maxval: 1.0 };
    let dense = || Dense::new(2).bias_initializer(bias);
    let weights = Sequential::new([2]).add(dense()).add(dense()).build(7).unwrap().get_weights();
    let expected = [
        Tensor::from([[-0.166_636_97, 0.311_801_55], [0.970_362_96, 0.645_213]]),
        Tensor::from([-0.901_986_36, 0.848_799_8]),
        Tensor::from([[0.132_964_43, -0.416_704_18], [0.621_615_65, -1.018_250_5]]),
        Tensor::from([-0.768_173_6, -0.148_618_28]),
    ];
    for (weight, expected) in weights.iter().zip(&expected) {
        assert!(weight.all_close(expected, 1e-6, 0.0), "{weight:?} instead of {expected:?}");
    }
}

#[test]
fn the_orders_of_a_seed_are_known_orders() {
    let loss = Recording::default();
    let mut model = Sequential::new([1]).add(Dense::new(1)).build(7).unwrap();
    model.compile(Compile::new(Sgd::new(0.0), loss.clone()));
    model.fit(&numbered(8), quiet(2, 8)).unwrap();
    let expected =
        [[7.0, 1.0, 4.0, 0.0, 6.0, 3.0, 2.0, 5.0], [5.0, 4.0, 1.0, 2.0, 0.0, 6.0, 3.0, 7.0]];
    assert_eq!(loss.take(), expected);
}

/// What two layers of dropout, one behind the other, leave of each sample: a 1 for each unit.
fn survivors(units: usize, samples: usize, steps: usize) -> Vec<Vec<String>> {
    let loss = Recording::default();
    let mut model =
        Sequential::new([units]).add(Dropout::new(0.5)).add(Dropout::new(0.5)).build(7).unwrap();
    model.compile(Compile::new(Sgd::new(0.1), loss.clone()));
    let ones = Tensor::ones([samples, units]);
    let data = Dataset::new(ones.clone(), ones).unwrap();
    model.fit(&data, quiet(steps, samples)).unwrap();
    let unit = |x: &f32| if *x == 0.0 { '0' } else { '1' };
    let sample = |row: &[f32]| row.iter().map(unit).collect::<String>();
    let shard = |x: &Tensor| x.to_vec().chunks(units).map(sample).collect();
    loss.take_predictions().iter().map(shard).collect()
}

#[test]
fn what_is_dropped_in_a_step_is_known() {
    // What both layers keep: of 1010100010111011 and 1000101100001000 for the first sample in the first step.
    let steps = survivors(16, 2, 2);
    assert_eq!(steps[0], ["1000100000001000", "0010010000000111"]);
    assert_eq!(steps[1], ["0000100010110010", "0100000110000011"]);
    // The sample with the number 17 is in the second shard, and shards come in any order.
    let shards = survivors(16, 20, 1);
    let second = shards.iter().find(|shard| shard.len() == 4).expect("20 are 16 and 4");
    assert_eq!(second[1], "0110110000000010");
}

#[test]
fn layers_of_one_shape_drop_different_units() {
    let left = survivors(1000, 1, 1)[0][0].matches('1').count();
    // A quarter, with a standard deviation of 14; of one layer alone, half.
    assert!(left.abs_diff(250) < 70, "{left} of 1000");
}

/// Writes down how many samples it sees at once.
#[derive(Clone, Default)]
struct Counting(Arc<Mutex<Vec<usize>>>);

impl Layer<f32> for Counting {
    fn class_name(&self) -> &str {
        "Counting"
    }

    fn config(&self) -> Config {
        Config::new()
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, cinta::Reason> {
        Ok(input)
    }

    fn forward<'t>(
        &self,
        _: &[Var<'t, f32>],
        x: &Var<'t, f32>,
        _: &mut Context<f32>,
    ) -> Var<'t, f32> {
        self.0.lock().unwrap().push(x.shape()[0]);
        x.clone()
    }
}

#[test]
fn the_sizes_of_shards_depend_on_the_batch_alone() {
    let counting = Counting::default();
    // Threads take turns as they like.
    let seen = || {
        let mut sizes = std::mem::take(&mut *counting.0.lock().unwrap());
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes
    };
    let mut model = Sequential::new([1]).add(counting.clone()).add(Dense::new(1)).build(0).unwrap();
    model.compile(Compile::new(Sgd::new(0.0), MeanSquaredError));
    for (n, training, inference) in [
        (1, vec![1], vec![1]),
        (16, vec![16], vec![16]),
        (17, vec![16, 1], vec![17]),
        (33, vec![16, 16, 1], vec![32, 1]),
        (64, vec![16; 4], vec![32; 2]),
        (65, vec![32, 32, 1], vec![32, 32, 1]),
        (100, vec![32, 32, 32, 4], vec![32, 32, 32, 4]),
    ] {
        let data = numbered(n);
        model.fit(&data, quiet(1, n)).unwrap();
        assert_eq!(seen(), training, "a batch of {n}");
        model.predict(data.inputs()).unwrap();
        assert_eq!(seen(), inference, "a prediction of {n}");
        model.evaluate(&data).unwrap();
        assert_eq!(seen(), inference, "an evaluation of {n}");
    }
}

#[test]
fn few_large_images_are_predicted_together() {
    let counting = Counting::default();
    for (side, at_once) in [(64, vec![3]), (512, vec![2, 1]), (1024, vec![1; 3])] {
        let model = Sequential::new([side, side, 1]).add(counting.clone()).build(0).unwrap();
        model.predict(&Tensor::zeros([3, side, side, 1])).unwrap();
        let mut seen = std::mem::take(&mut *counting.0.lock().unwrap());
        seen.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(seen, at_once, "images of {side} x {side}");
    }
}

/// Subtracts the mean of the batch in training, and a moving average of it afterwards.
struct Centre;

impl Layer<f32> for Centre {
    fn class_name(&self) -> &str {
        "Centre"
    }

    fn config(&self) -> Config {
        Config::new()
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, cinta::Reason> {
        Ok(input)
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        vec![Weight::new("moving_mean", input, Initializer::Zeros).trainable(false)]
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, f32>],
        x: &Var<'t, f32>,
        cx: &mut Context<f32>,
    ) -> Var<'t, f32> {
        if cx.mode() == Mode::Infer {
            return x - &weights[0];
        }
        let mean = x.mean(0);
        cx.set_weight(0, weights[0].value() * 0.5 + mean.value() * 0.5);
        x - &mean
    }

    fn couples_samples(&self) -> bool {
        true
    }
}

#[test]
fn a_layer_that_couples_samples_sees_whole_batches_and_keeps_its_state() {
    let n = 100; // more than one shard
    let data = numbered(n);
    let mut model = Sequential::new([1]).add(Centre).add(Dense::new(1)).build(4).unwrap();
    model.compile(Compile::new(Sgd::new(0.0), MeanSquaredError));
    let x = data.inputs().mean(0).item();
    model.fit(&data, quiet(1, n)).unwrap();
    let moving = |model: &Model| model.weight("centre", "moving_mean").unwrap().item();
    assert!((moving(&model) - 0.5 * x).abs() < 1e-5);
    model.fit(&data, quiet(1, n)).unwrap();
    assert!((moving(&model) - 0.75 * x).abs() < 1e-5);
    assert_eq!(model.count_params(), 3);
}

/// The mean over the batch, for every sample of it: while training and afterwards.
struct MeanOfBatch;

impl Layer<f32> for MeanOfBatch {
    fn class_name(&self) -> &str {
        "MeanOfBatch"
    }

    fn config(&self) -> Config {
        Config::new()
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, cinta::Reason> {
        Ok(input)
    }

    fn forward<'t>(
        &self,
        _: &[Var<'t, f32>],
        x: &Var<'t, f32>,
        _: &mut Context<f32>,
    ) -> Var<'t, f32> {
        x * 0.0 + x.mean(0)
    }

    fn couples_samples(&self) -> bool {
        true
    }
}

#[test]
fn a_layer_that_couples_samples_sees_all_samples_in_inference() {
    let numbers = Tensor::<f32>::arange(64).reshape([64, 1]);
    let model = Sequential::new([1])
        .add(Relu)
        .add(MeanOfBatch)
        .add(Dense::new(1).kernel_initializer(Initializer::Ones))
        .build(0)
        .unwrap();
    let mean = Tensor::full([64, 1], 31.5);
    assert_eq!(model.predict(&numbers).unwrap(), mean);
    assert_eq!(model.up_to("mean_of_batch").unwrap().predict(&numbers).unwrap(), mean);
    assert_eq!(model.up_to("activation").unwrap().predict(&numbers).unwrap(), numbers);
    assert_eq!(model.predict(&numbers.slice(0, 0..33)).unwrap().at([32, 0]), 16.0);
    assert_eq!(model.predict(&numbers.slice(0, 0..0)).unwrap().shape(), [0, 1]);

    // Against targets of 31.5 nothing is lost, in evaluate, in a batch of fit and in its validation.
    let data = Dataset::new(numbers, mean).unwrap();
    let mut model = model;
    model.compile(Compile::new(Sgd::new(0.0), MeanSquaredError).metric(MeanSquaredError));
    let scores = model.evaluate(&data).unwrap();
    assert_eq!((scores["loss"], scores["mean_squared_error"]), (0.0, 0.0));
    let fit = Fit { validation_data: Some(&data), ..quiet(1, 64) };
    let history = model.fit(&data, fit).unwrap();
    assert_eq!((history["loss"][0], history["val_loss"][0]), (0.0, 0.0));
}

#[test]
fn threads_share_one_model() {
    fn shared<M: Send + Sync>(_: &M) {}
    let model = Sequential::new([8, 8, 1])
        .add(Conv2d::new(4, 3).activation(Relu))
        .add(Flatten::new())
        .add(Dense::new(3).activation(Softmax))
        .build(6)
        .unwrap();
    shared(&model);
    let x = Tensor::uniform([64, 8, 8, 1], 0.0, 1.0, &mut cinta::Stream::new(1));
    let expected = model.predict(&x).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (model, x, expected) = (&model, &x, &expected);
            scope.spawn(move || {
                for i in (thread..64).step_by(4) {
                    let one = model.predict(&x.slice(0, i..i + 1)).unwrap();
                    assert_eq!(one, expected.slice(0, i..i + 1));
                }
            });
        }
    });
}

#[test]
fn a_clone_trains_apart() {
    let data = numbered(8);
    let mut model = line();
    model.compile(Compile::new(Adam::new(0.1), MeanSquaredError));
    model.fit(&data, quiet(1, 4)).unwrap();
    let mut copy = model.clone();
    let before = model.get_weights();
    copy.fit(&data, quiet(3, 4)).unwrap();
    assert_eq!(model.get_weights(), before);
    model.fit(&data, quiet(3, 4)).unwrap();
    assert_eq!(model.get_weights(), copy.get_weights());
}

#[test]
fn a_sub_model_gives_the_layers_outputs() {
    let model = Sequential::new([4, 4, 1])
        .add(Conv2d::new(2, 3).activation(Relu).name("conv"))
        .add(Flatten::new())
        .add(Dense::new(3))
        .build(7)
        .unwrap();
    let x = Tensor::uniform([5, 4, 4, 1], -1.0, 1.0, &mut cinta::Stream::new(2));
    let hidden = model.up_to("conv").unwrap().predict(&x).unwrap();
    assert_eq!(hidden.shape(), [5, 2, 2, 2]);
    assert!(hidden.iter().all(|x| x >= 0.0));
    let kernel = model.weight("dense", "kernel").unwrap();
    let y = hidden.reshape([5, 8]).matmul(kernel) + model.weight("dense", "bias").unwrap();
    assert!(y.all_close(&model.predict(&x).unwrap(), 1e-6, 1e-6));
    assert_eq!(model.up_to("dense").unwrap().predict(&x).unwrap(), model.predict(&x).unwrap());
}

#[test]
fn the_loss_of_large_equal_logits_is_that_of_equal_chances() {
    let one_hot = Tensor::from([[0.0, 1.0]]);
    let dense = Dense::new(2).kernel_initializer(Initializer::Ones);
    let with_dense = Sequential::new([1]).add(dense.activation(Softmax)).build(0).unwrap();
    let alone = Sequential::new([2]).add(Softmax).build(0).unwrap();
    for v in [1.0, 1e4, 1e6, 1e8] {
        let loss = |model: &Model, width, compile: Compile, y: &Tensor| {
            let mut model = model.clone();
            model.compile(compile);
            model.evaluate(&Dataset::new(Tensor::full([1, width], v), y.clone()).unwrap()).unwrap()
        };
        let categorical = || Compile::new(Sgd::new(0.1), CategoricalCrossentropy::new());
        let sparse = Compile::new(Sgd::new(0.1), SparseCategoricalCrossentropy::new());
        for scores in [
            loss(&alone, 2, categorical(), &one_hot),
            loss(&with_dense, 1, categorical(), &one_hot),
            loss(&with_dense, 1, sparse, &Tensor::from([1.0])),
        ] {
            assert_eq!(scores["loss"] as f32, std::f32::consts::LN_2, "{v}");
        }
    }
}
