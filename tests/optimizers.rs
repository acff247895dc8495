//! How a model applies an optimizer: the learning rate that training can change, clipping, decaying weights.

mod scratch;

use cinta::prelude::*;
use cinta::{Curve, Named, Optimizer, Pace, Step, Stream};
use scratch::Scratch;

/// `y = 4 x` for the one sample `x = 1`; the model answers `w x + b`, with `w` and `b` from 0.
fn data() -> Dataset {
    Dataset::new(Tensor::from([[1.0]]), Tensor::from([[4.0]])).unwrap()
}

fn line(optimizer: impl Optimizer<f32> + 'static) -> Model {
    let mut model = Sequential::new([1]).add(Dense::new(1)).build(0).unwrap();
    model.set_weights(&[Tensor::zeros([1, 1]), Tensor::zeros([1])]).unwrap();
    model.compile(Compile::new(optimizer, MeanSquaredError));
    model
}

fn fit(model: &mut Model, steps: usize) {
    let fit = Fit { epochs: steps, verbose: Verbose::Silent, ..Fit::default() };
    model.fit(&data(), fit).unwrap();
}

/// `w` and `b`. Both have the gradient `2 (w + b - 4)`.
fn weights(model: &Model) -> Vec<f32> {
    model.get_weights().iter().map(Tensor::item).collect()
}

fn complaint(result: cinta::Result<impl Sized>) -> String {
    match result {
        Ok(_) => panic!("no error"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn training_changes_the_rate() {
    let mut model = line(Sgd::new(0.25));
    assert_eq!(model.learning_rate().unwrap(), 0.25);
    model.set_learning_rate(0.125).unwrap();
    assert_eq!(model.learning_rate().unwrap(), 0.125);
    fit(&mut model, 1);
    assert_eq!(weights(&model), [1.0, 1.0]);
    model.set_learning_rate(0.0).unwrap();
    fit(&mut model, 2);
    assert_eq!(weights(&model), [1.0, 1.0]);
    // To compile is to start afresh.
    model.compile(Compile::new(Sgd::new(0.25), MeanSquaredError));
    assert_eq!(model.learning_rate().unwrap(), 0.25);
}

#[test]
fn a_schedule_counts_the_optimizers_steps() {
    let mut model = line(Sgd::new(PiecewiseConstantDecay::new([0, 1], [0.125, 0.25, 0.0])));
    for (rate, after) in [(0.125, 1.0), (0.25, 2.0), (0.0, 2.0), (0.0, 2.0)] {
        assert_eq!(model.learning_rate().unwrap(), rate);
        fit(&mut model, 1);
        assert_eq!(weights(&model), [after, after]);
    }
    let error = complaint(model.set_learning_rate(0.1));
    assert!(error.contains("follows a schedule (PiecewiseConstantDecay)"), "{error}");
    model.compile(Compile::new(Sgd::new(InverseTimeDecay::new(0.5, 1, 1.0)), MeanSquaredError));
    assert_eq!(model.learning_rate().unwrap(), 0.5);
}

#[test]
fn rates_that_make_no_sense_are_errors() {
    let mut model = line(Sgd::new(0.25));
    for rate in [-0.1, f64::NAN, f64::INFINITY] {
        let error = complaint(model.set_learning_rate(rate));
        assert!(error.contains(&format!("the learning rate is {rate}")), "{error}");
        assert_eq!(model.learning_rate().unwrap(), 0.25);
    }
    let mut plain = Sequential::new([1]).add(Dense::new(1)).build(0).unwrap();
    assert!(complaint(plain.learning_rate()).contains("not compiled"));
    assert!(complaint(plain.set_learning_rate(0.1)).contains("not compiled"));
    let mut clipped_twice = line(Sgd::new(0.1).clipnorm(1.0).clipvalue(1.0));
    let error = complaint(clipped_twice.fit(&data(), Fit::default()));
    assert!(error.contains("optimizer SGD: gradients are clipped in one way"), "{error}");
}

#[test]
fn gradients_of_0_move_nothing_even_without_an_epsilon() {
    fn stays(optimizer: impl Optimizer<f32> + 'static) {
        let name = optimizer.class_name().to_owned();
        let mut model = line(optimizer);
        // y = 0 for x = 1, which the model answers already.
        let data = Dataset::new(Tensor::from([[1.0]]), Tensor::from([[0.0]])).unwrap();
        let fit = Fit { epochs: 3, verbose: Verbose::Silent, ..Fit::default() };
        let history = model.fit(&data, fit).unwrap();
        assert_eq!(
            (weights(&model), &history["loss"][..]),
            (vec![0.0; 2], &[0.0; 3][..]),
            "{name}"
        );
    }
    stays(Adam::new(0.1).epsilon(0.0));
    stays(Adam::new(0.1).epsilon(0.0).amsgrad(true));
    stays(AdamW::new(0.1).epsilon(0.0));
    stays(RmsProp::new(0.1).epsilon(0.0));
    stays(RmsProp::new(0.1).epsilon(0.0).momentum(0.5).centered(true));
    stays(Adagrad::new(0.1).epsilon(0.0).initial_accumulator_value(0.0));
    stays(Adadelta::new(0.1).epsilon(0.0));
    stays(Adamax::new(0.1).epsilon(0.0));
    stays(Ftrl::new(0.1).initial_accumulator_value(0.0));
    stays(Lamb::new(0.1).epsilon(0.0));
    stays(Lion::new(0.1));
    stays(Nadam::new(0.1).epsilon(0.0));
    stays(Adafactor::new(0.1).epsilon_1(0.0).epsilon_2(0.0));
    stays(Muon::new(0.1).epsilon(0.0));
    stays(Muon::new(0.1).exclude_layers(vec!["dense".to_owned()]).epsilon(0.0));
    stays(ScheduleFreeAdamW::new(0.1).epsilon(0.0));
}

#[test]
fn a_rate_set_by_hand_is_saved() {
    let scratch = Scratch::new("rate");
    let path = scratch.path("model.safetensors");
    let mut model = line(Adam::new(0.25));
    fit(&mut model, 2);
    model.set_learning_rate(0.125).unwrap();
    model.save(&path).unwrap();
    let mut loaded = Model::load(&path).unwrap();
    assert_eq!(loaded.learning_rate().unwrap(), 0.125);
    fit(&mut model, 3);
    fit(&mut loaded, 3);
    assert_eq!(weights(&loaded), weights(&model));
    // A schedule goes on where it stopped, too.
    let mut model = line(Sgd::new(ExponentialDecay::new(0.25, 2, 0.5)));
    fit(&mut model, 2);
    model.save(&path).unwrap();
    assert_eq!(Model::<f32>::load(&path).unwrap().learning_rate().unwrap(), 0.125);
}

#[test]
fn gradients_are_clipped_alone_or_together() {
    // Both gradients are -8: their norms are 8, and 8 sqrt(2) together.
    for (optimizer, after) in [
        (Sgd::new(0.125).clipvalue(2.0), 0.25),
        (Sgd::new(0.125).clipnorm(4.0), 0.5),
        (Sgd::new(0.125).global_clipnorm(128_f64.sqrt() / 2.0), 0.5),
        (Sgd::new(0.125).global_clipnorm(128_f64.sqrt()), 1.0),
    ] {
        let mut model = line(optimizer.clone());
        fit(&mut model, 1);
        for weight in weights(&model) {
            assert!((weight - after).abs() < 1e-6, "{optimizer:?}: {weight}");
        }
    }
}

#[test]
fn penalties_are_clipped_with_the_gradient() {
    let mut model =
        Sequential::new([1]).add(Dense::new(1).kernel_regularizer(L2(2.0))).build(0).unwrap();
    model.set_weights(&[Tensor::full([1, 1], 1.0), Tensor::full([1], 3.0)]).unwrap();
    // The prediction is right, so that the gradient of the kernel is that of its penalty: 4.
    model.compile(Compile::new(Sgd::new(1.0).clipvalue(0.5), MeanSquaredError));
    fit(&mut model, 1);
    assert_eq!(weights(&model), [0.5, 3.0]);
}

#[test]
fn weights_decay_before_the_step_by_the_current_rate() {
    let mut model = line(Sgd::new(0.5).weight_decay(0.5));
    model.set_weights(&[Tensor::full([1, 1], 1.0), Tensor::full([1], 2.0)]).unwrap();
    model.set_learning_rate(0.25).unwrap();
    fit(&mut model, 1);
    // 1 - 0.125 and 2 - 0.25; the gradient -2 is that before the decay.
    assert_eq!(weights(&model), [1.375, 2.25]);
}

/// Adds what it keeps, and counts.
struct Counting(Pace);

impl Optimizer<f32> for Counting {
    fn class_name(&self) -> &str {
        "Counting"
    }

    fn pace(&self) -> &Pace {
        &self.0
    }

    fn slots(&self) -> &'static [&'static str] {
        &["from_zero", "from_ten"]
    }

    fn initial_slot(&self, slot: &str) -> f64 {
        if slot == "from_ten" { 10.0 } else { 0.0 }
    }

    fn update(&self, step: Step, weight: &mut [f32], _: &[f32], slots: &mut [&mut [f32]]) {
        for slot in slots {
            weight[0] += slot[0] * step.number as f32;
            slot[0] += 1.0;
        }
    }
}

#[test]
fn slots_start_where_the_optimizer_says() {
    let mut model = line(Counting(Pace::new(0.1)));
    fit(&mut model, 2);
    // 0 + 10 in the first step, 2 (1 + 11) in the second.
    assert_eq!(weights(&model), [34.0, 34.0]);
}

/// A model with a sigmoid at its end, its loss and its metrics.
/// Another optimizer that is asked for whole weights.
struct Whole<O>(O);

impl<O: Optimizer<f32>> Optimizer<f32> for Whole<O> {
    fn class_name(&self) -> &str {
        "Whole"
    }

    fn pace(&self) -> &Pace {
        self.0.pace()
    }

    fn slots(&self) -> &'static [&'static str] {
        self.0.slots()
    }

    fn initial_slot(&self, slot: &str) -> f64 {
        self.0.initial_slot(slot)
    }

    fn update(&self, step: Step, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        self.0.update(step, weight, gradient, slots);
    }
}

/// A kernel of 3 001 numbers, which is no whole number of parts or vectors.
fn wide(optimizer: impl Optimizer<f32> + 'static) -> Model {
    let dense = Dense::new(1).use_bias(false);
    let mut model = Sequential::new([3001]).add(dense).build(3).unwrap();
    model.compile(Compile::new(optimizer, MeanSquaredError));
    model
}

#[test]
fn a_weight_moves_part_by_part_as_in_one_piece() {
    let data = Dataset::new(
        Tensor::uniform([5, 3001], -1.0, 1.0, &mut Stream::new(1)),
        Tensor::from([[1.0], [0.0], [-1.0], [0.5], [2.0]]),
    )
    .unwrap();
    fn same(data: &Dataset, optimizer: impl Optimizer<f32> + Clone + 'static) {
        let [mut parts, mut whole] = [wide(optimizer.clone()), wide(Whole(optimizer))];
        for model in [&mut parts, &mut whole] {
            model.fit(data, Fit { epochs: 3, verbose: Verbose::Silent, ..Fit::default() }).unwrap();
        }
        assert_eq!(parts.get_weights(), whole.get_weights());
    }
    same(&data, Sgd::new(0.01));
    same(&data, Sgd::new(0.01).momentum(0.9));
    same(&data, Sgd::new(0.01).momentum(0.9).nesterov(true));
    same(&data, Adam::new(0.01).amsgrad(true));
    same(&data, AdamW::new(0.01));
    same(&data, RmsProp::new(0.01));
    same(&data, RmsProp::new(0.01).momentum(0.9).centered(true));
    same(&data, Adagrad::new(0.01));
}

/// What overflows in the last part alone takes all parts back, and the slots.
#[test]
fn a_step_that_diverges_in_one_part_is_undone_in_all() {
    for index in [0, 1500, 3000] {
        let mut model = wide(Sgd::new(1e30).momentum(0.5));
        let calm = Dataset::new(Tensor::zeros([1, 3001]), Tensor::zeros([1, 1])).unwrap();
        let fit = || Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() };
        model.fit(&calm, fit()).unwrap();
        let before = model.get_weights();
        // A gradient of 1e10 times a rate of 1e30 is no f32.
        let x = Tensor::from_fn([1, 3001], |at| if at[1] == index { 1.0 } else { 0.0 });
        let steep = Dataset::new(x, Tensor::from([[1e10]])).unwrap();
        assert!(matches!(model.fit(&steep, fit()), Err(Error::Diverged { .. })));
        assert_eq!(model.get_weights(), before);
        // The velocities are 0 again: a calm step moves nothing.
        model.fit(&calm, fit()).unwrap();
        assert_eq!(model.get_weights(), before);
    }
}

fn classifier(optimizer: impl Optimizer<f32> + 'static) -> (Model, Dataset) {
    let n = 50;
    let x = Tensor::uniform([n, 3], -1.0, 1.0, &mut Stream::new(1));
    let y = x.slice(1, 0..2).map(|x| f32::from(u8::from(x > 0.2)));
    let mut model = Sequential::new([3])
        .add(Dense::new(4).activation(Tanh))
        .add(Dense::new(2).activation(Sigmoid))
        .build(3)
        .unwrap();
    let compile = Compile::new(optimizer, BinaryCrossentropy::new().label_smoothing(0.1))
        .metric(Accuracy)
        .metric(BinaryAccuracy::new().threshold(0.25))
        .metric(Precision::new())
        .metric(Recall::new().threshold(0.75))
        .metric(Auc::new())
        .metric(Named::new("auc_pr", Auc::new().curve(Curve::Pr)))
        .metric(TopKCategoricalAccuracy::new(1))
        .metric(MeanAbsoluteError)
        .metric(Huber::new(0.5))
        .metric(KlDivergence);
    model.compile(compile);
    (model, Dataset::new(x, y).unwrap())
}

#[test]
fn training_goes_on_where_a_file_stopped() {
    fn goes_on(name: &str, optimizer: impl Optimizer<f32> + Clone + 'static) {
        let scratch = Scratch::new(&format!("goes-on-{name}"));
        let path = scratch.path("model.safetensors");
        let fit = || Fit { epochs: 3, verbose: Verbose::Silent, ..Fit::default() };
        let (mut whole, data) = classifier(optimizer.clone());
        let history = [whole.fit(&data, fit()).unwrap(), whole.fit(&data, fit()).unwrap()];
        let (mut half, _) = classifier(optimizer);
        half.fit(&data, fit()).unwrap();
        half.save(&path).unwrap();
        let mut rest = Model::load(&path).unwrap();
        let second = rest.fit(&data, fit()).unwrap();
        assert_eq!(rest.get_weights(), whole.get_weights(), "{name}");
        assert_eq!(second, history[1], "{name}");
        assert_eq!(rest.evaluate(&data).unwrap(), whole.evaluate(&data).unwrap(), "{name}");
        assert!(history[1]["loss"][2] < history[0]["loss"][0], "{name}");
        assert!(history[1]["auc"][2] > 0.5 && history[1]["auc_pr"][2] > 0.3, "{name}");
    }
    goes_on("sgd", Sgd::new(CosineDecay::new(0.5, 20).warmup(1.0, 3)).momentum(0.5));
    goes_on("adam", Adam::new(0.01).amsgrad(true).global_clipnorm(1.0));
    goes_on("adamw", AdamW::new(0.01).clipnorm(1.0));
    goes_on("rmsprop", RmsProp::new(0.01).momentum(0.5).centered(true));
    goes_on("adagrad", Adagrad::new(0.1).clipvalue(0.5).weight_decay(0.01));
    goes_on("adadelta", Adadelta::new(1.0).rho(0.5).epsilon(1e-3));
    goes_on("adamax", Adamax::new(0.02).global_clipnorm(1.0));
    goes_on("ftrl", Ftrl::new(0.1).beta(0.1));
    goes_on("lamb", Lamb::new(0.02));
    goes_on("lion", Lion::new(0.01).weight_decay(0.01));
    goes_on("nadam", Nadam::new(0.02).clipnorm(1.0));
}

#[test]
fn a_final_sigmoid_is_looked_behind() {
    let trained = |loss: BinaryCrossentropy| {
        let mut model = Sequential::new([1])
            .add(Dense::new(1).activation(Sigmoid).use_bias(false))
            .build(0)
            .unwrap();
        model.set_weights(&[Tensor::full([1, 1], -200.0)]).unwrap();
        model.compile(Compile::new(Sgd::new(1.0), loss));
        let data = Dataset::new(Tensor::ones([1, 1]), Tensor::ones([1, 1])).unwrap();
        let loss = model.evaluate(&data).unwrap()["loss"];
        let fit = Fit { verbose: Verbose::Silent, ..Fit::default() };
        model.fit(&data, fit).unwrap();
        (loss, model.get_weights()[0].item())
    };
    assert_eq!(trained(BinaryCrossentropy::new()), (200.0, -199.0));
    // From the probability alone, the loss is cut and nothing is learned.
    let (loss, weight) = trained(BinaryCrossentropy::from_probabilities());
    assert!((loss - 16.118).abs() < 1e-3 && weight == -200.0);
}

#[test]
fn clipping_gives_the_same_bits_for_any_number_of_threads() {
    let n = 200;
    let x = Tensor::uniform([n, 7], -1.0, 1.0, &mut Stream::new(1));
    let data = Dataset::new(x, Tensor::normal([n, 3], 0.0, 1.0, &mut Stream::new(2))).unwrap();
    let bits = |threads: usize| -> Vec<u32> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut model = Sequential::new([7])
            .add(Dense::new(9).activation(Tanh))
            .add(Dense::new(3))
            .build(4)
            .unwrap();
        let optimizer = Adam::new(0.01).global_clipnorm(0.1).weight_decay(0.01);
        model.compile(Compile::new(optimizer, MeanSquaredError));
        let fit = || Fit { epochs: 2, batch_size: 100, verbose: Verbose::Silent, ..Fit::default() };
        pool.install(|| model.fit(&data, fit())).unwrap();
        model.get_weights().iter().flat_map(|w| w.to_vec()).map(f32::to_bits).collect()
    };
    let one = bits(1);
    assert_eq!(bits(2), one);
    assert_eq!(bits(3), one);
}
