//! Models as layers of other models.

use cinta::prelude::*;
use cinta::rand::Rng;

fn base(seed: u64) -> Model {
    let image = Input::new([6, 6, 2]);
    let x = image.then(Conv2d::new(3, 3).use_bias(false).name("conv"));
    let x = x.then(BatchNormalization::new().momentum(0.5).name("norm")).then(Relu);
    Model::new(&image, &x.then(Flatten::new()).then(Dense::new(4).name("out")))
        .name("base")
        .build(seed)
        .unwrap()
}

fn data(n: usize) -> Dataset {
    let x = Tensor::uniform([n, 6, 6, 2], -1.0, 1.0, &mut Stream::new(1));
    Dataset::new(x, Tensor::uniform([n, 2], -1.0, 1.0, &mut Stream::new(2))).unwrap()
}

fn train(model: &mut Model, n: usize) -> Vec<f64> {
    model.compile(Compile::new(Sgd::new(0.1).momentum(0.5), MeanSquaredError));
    let fit = Fit { epochs: 2, batch_size: n.div_ceil(2), ..Fit::default() };
    let history = model.fit(&data(n), Fit { verbose: Verbose::Silent, ..fit }).unwrap();
    history["loss"].to_vec()
}

/// The layers of a model by themselves, and as a model in a model: the same numbers all the way.
#[test]
fn a_model_in_a_model_computes_what_its_layers_do() {
    let base = base(1);
    let mut nested =
        Sequential::new([6, 6, 2]).add(base.as_layer()).add(Dense::new(2).name("head"));
    nested = nested.name("outer");
    let mut nested = nested.build(3).unwrap();
    let mut plain = Sequential::new([6, 6, 2])
        .add(Conv2d::new(3, 3).use_bias(false))
        .add(BatchNormalization::new().momentum(0.5))
        .add(Relu)
        .add(Flatten::new())
        .add(Dense::new(4))
        .add(Dense::new(2).name("head"))
        .build(3)
        .unwrap();
    plain.set_weights(&nested.get_weights()).unwrap();
    assert_eq!(train(&mut nested, 40), train(&mut plain, 40));
    assert_eq!(nested.get_weights(), plain.get_weights());
    let x = &data(7).all_inputs().next().unwrap().clone();
    assert_eq!(nested.predict(x).unwrap(), plain.predict(x).unwrap());
    // The model that was put in has a copy, and keeps its own.
    assert_eq!(base.get_weights(), self::base(1).get_weights());
}

#[test]
fn a_frozen_model_stays_as_it_is() {
    let base = base(1);
    let x = Input::new([6, 6, 2]);
    let head = base.frozen().name("base").of(&x).then(Dense::new(2).name("head"));
    let mut model = Model::new(&x, &head).build(2).unwrap();
    let before = model.get_layer("head").unwrap().weights().next().unwrap().1.clone();
    train(&mut model, 20);
    let names: Vec<String> =
        model.get_layer("base").unwrap().weights().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(
        names,
        [
            "conv/kernel",
            "norm/gamma",
            "norm/beta",
            "norm/moving_mean",
            "norm/moving_variance",
            "out/kernel",
            "out/bias"
        ]
    );
    let kept: Vec<Tensor> =
        model.get_layer("base").unwrap().weights().map(|(_, value)| value.clone()).collect();
    assert_eq!(kept, base.get_weights());
    assert_ne!(*model.weight("head", "kernel").unwrap(), before);

    model.set_trainable("base", true).unwrap();
    let error = model.evaluate(&data(3)).unwrap_err();
    assert!(error.to_string().contains("compile"), "{error}");
    train(&mut model, 20);
    let changed = model.get_layer("base").unwrap().weights().zip(kept);
    assert!(changed.into_iter().all(|((_, now), before)| *now != before));
}

/// Of two places of one model, both see its weights, and its moving averages go on from one to the other.
#[test]
fn a_shared_model_has_one_set_of_weights() {
    let base = base(1);
    let (a, b) = (Input::new([6, 6, 2]), Input::new([6, 6, 2]));
    let twin = Shared::new(base.as_layer().name("twin"));
    let y = Subtract::new().of([&twin.of(&a), &twin.of(&b)]);
    let model = Model::new([&a, &b], &y).build(0).unwrap();
    assert_eq!(model.count_params(), base.count_params());
    let x = data(3).all_inputs().next().unwrap().clone();
    assert_eq!(model.predict_all(&[&x, &x]).unwrap()[0].to_vec(), [0.0; 12]);
}

/// Dropout in a model has random numbers of its own in each place, and none where it runs as in prediction.
#[test]
fn dropout_in_a_model_in_a_model() {
    let inner = Sequential::new([64]).add(Dropout::new(0.5)).build(0).unwrap();
    let x = Input::new([64]);
    let twin = Shared::new(inner.as_layer());
    for (calls, zero) in [
        ([twin.of(&x), twin.of(&x)], false),
        ([twin.of(&x).inference(), twin.of(&x).inference()], true),
    ] {
        let difference = Subtract::new().of([&calls[0], &calls[1]]);
        let mut model = Model::new(&x, &difference).build(7).unwrap();
        model.compile(Compile::new(Sgd::new(0.0), MeanSquaredError));
        let data = Dataset::new(Tensor::ones([4, 64]), Tensor::zeros([4, 64])).unwrap();
        let fit = Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() };
        let history = model.fit(&data, fit).unwrap();
        assert_eq!(history["loss"][0] == 0.0, zero, "{}", history["loss"][0]);
    }
}

#[test]
fn files_keep_models_in_models() {
    let x = Input::new([6, 6, 2]);
    let deep = Sequential::new([6, 6, 2]).add(base(1).as_layer().name("deep")).build(0).unwrap();
    let y = deep.frozen().name("deeper").of(&x).inference().then(Dense::new(2));
    let mut model = Model::new(&x, &y).build(5).unwrap();
    train(&mut model, 10);
    let endings = if cfg!(feature = "keras") {
        &["safetensors", "keras", "h5"][..]
    } else {
        &["safetensors"]
    };
    for ending in endings {
        let number = Stream::new(std::process::id().into()).next_u64();
        let file = std::env::temp_dir().join(format!("nested-{number}.{ending}"));
        model.save(&file).unwrap();
        let mut loaded: Model = Model::load(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(loaded.get_weights(), model.get_weights(), "{ending}");
        assert_eq!(loaded.summary(), model.summary(), "{ending}");
        let mut other = model.clone();
        assert_eq!(train(&mut loaded, 10), train(&mut other, 10), "{ending}");
        // What was frozen as a whole is set free as a whole.
        loaded.set_trainable("deeper", true).unwrap();
        other.set_trainable("deeper", true).unwrap();
        assert_eq!(loaded.summary(), other.summary(), "{ending}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let base = base(1);
    let error = Sequential::new([5, 6, 2]).add(base.as_layer().name("b")).build(0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer b (Functional): the model takes samples of shape [6, 6, 2], and these have [5, 6, 2]"
    );
    let mut model = Sequential::new([3]).add(Relu).build(0).unwrap();
    assert!(model.set_trainable("no_such_layer", true).is_err());
}

/// Layers that were frozen by themselves, in a model that is not.
#[test]
fn a_model_may_be_frozen_in_part() {
    let inner = Sequential::new([3])
        .add(Dense::new(4).trainable(false))
        .add(BatchNormalization::new().trainable(false))
        .add(Dense::new(2).name("free"))
        .build(1)
        .unwrap();
    let mut model = Sequential::new([3]).add(inner.as_layer().name("inner")).build(2).unwrap();
    assert!(model.summary().contains("Trainable params: 10 "), "{}", model.summary());
    let before = model.get_weights();
    model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    let x = Tensor::uniform([9, 3], -1.0, 1.0, &mut Stream::new(3));
    let fit = Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() };
    model.fit(&Dataset::new(x, Tensor::ones([9, 2])).unwrap(), fit).unwrap();
    let after = model.get_weights();
    assert_eq!(before[..6], after[..6]);
    assert!(before[6..].iter().zip(&after[6..]).all(|(a, b)| a != b));
}

/// Words of which some do not count, and what is to be said of them.
fn words(n: usize) -> Dataset {
    let number = |i: usize| if i % 6 > i / 6 % 5 + 1 { 0.0 } else { (i * 7 % 10 + 1) as f32 };
    let x = Tensor::new([n, 6], (0..6 * n).map(number).collect::<Vec<_>>());
    Dataset::new(x, Tensor::uniform([n, 2], -1.0, 1.0, &mut Stream::new(2))).unwrap()
}

#[test]
fn a_layer_at_work_on_steps_says_what_it_cannot_read() {
    let words = TimeDistributed::new(Embedding::new(4, 2));
    let model = Sequential::new([2, 3]).add(words).build(0).unwrap();
    let read = |word| model.predict(&Tensor::full([1, 2, 3], word));
    assert_eq!(read(3.0).unwrap().shape(), [1, 2, 3, 2]);
    let error = read(4.0).unwrap_err().to_string();
    assert!(
        error.contains("TimeDistributed") && error.contains("4 is no row of a table of 4"),
        "{error}"
    );
}

/// A mask goes into a model, through it and out of it, as if its layers were by themselves.
#[test]
fn masks_pass_through_models() {
    let embedding = || Embedding::new(11, 4).mask_zero(true);
    let lstm = || Lstm::new(3).return_sequences(true);
    let inside = |model: Sequential| model.build(3).unwrap();
    let first = inside(Sequential::new([6]).add(embedding()).add(Dropout::new(0.0)));
    let middle = inside(Sequential::new([6, 4]).add(Dense::new(4).activation(Tanh)).add(lstm()));
    let last = inside(Sequential::new([6, 3]).add(Gru::new(3)).add(Dense::new(2)));
    let chain = || Sequential::new([6]);
    let flat = chain().add(embedding()).add(Dense::new(4).activation(Tanh)).add(lstm());
    let mut flat = flat.add(Gru::new(3)).add(Dense::new(2)).build(0).unwrap();
    let outside = |model: Sequential| model.add(middle.as_layer());
    let around = |model: Sequential| inside(outside(model)).as_layer();
    for (name, nested) in [
        ("in", outside(chain().add(embedding())).add(Gru::new(3)).add(Dense::new(2))),
        ("out of", outside(chain().add(first.as_layer())).add(last.as_layer())),
        ("twice", chain().add(around(chain().add(embedding()))).add(last.as_layer())),
    ] {
        let mut nested = nested.build(1).unwrap();
        flat.set_weights(&nested.get_weights()).unwrap();
        for model in [&mut nested, &mut flat] {
            model.compile(Compile::new(Sgd::new(0.1).momentum(0.5), MeanSquaredError));
        }
        let data = words(9);
        assert_eq!(nested.predict(data.inputs()).unwrap(), flat.predict(data.inputs()).unwrap());
        let order = || Fit { shuffle: false, verbose: Verbose::Silent, ..Fit::default() };
        let fit = || Fit { epochs: 2, batch_size: 4, ..order() };
        let losses = [&mut nested, &mut flat].map(|model| model.fit(&data, fit()).unwrap());
        assert_eq!(losses[0]["loss"].to_vec(), losses[1]["loss"].to_vec(), "{name}");
        assert_eq!(nested.get_weights(), flat.get_weights(), "{name}");
    }
    // Each of several inputs has its own.
    let (a, b) = (Input::new([6, 3]), Input::new([6, 3]));
    let two = Model::new([&a, &b], &Add::new().of([&a.then(Gru::new(3)), &b.then(Gru::new(3))]));
    let two = two.build(4).unwrap();
    let x = Input::new([6]);
    let (plain, masked) =
        (x.then(Embedding::new(11, 3)), x.then(Embedding::new(11, 3).mask_zero(true)));
    let nested = Model::new(&x, &two.as_layer().of([&plain, &masked])).build(5).unwrap();
    let sum = Add::new().of([&plain.then(Gru::new(3)), &masked.then(Gru::new(3))]);
    let mut flat = Model::new(&x, &sum).build(6).unwrap();
    flat.set_weights(&nested.get_weights()).unwrap();
    let x = words(5);
    assert_eq!(nested.predict(x.inputs()).unwrap(), flat.predict(x.inputs()).unwrap());
}

#[test]
fn masks_that_nobody_outside_can_know_are_refused() {
    let inner = Sequential::new([6, 4]).add(Dense::new(3)).add(Masking::new(0.0)).build(0).unwrap();
    let error = Sequential::new([6, 4]).add(inner.as_layer()).build(0).unwrap_err().to_string();
    assert!(error.contains("a mask that depends on values inside of it"), "{error}");
    // What ends inside does not matter.
    let inner = Sequential::new([6, 4]).add(Dense::new(3)).add(Masking::new(0.0)).add(Gru::new(2));
    let inner = inner.build(0).unwrap();
    assert!(Sequential::new([6, 4]).add(inner.as_layer()).build(0).is_ok());
}
