//! Six networks of well-known kinds, built as a user would, against the real Keras: `golden/networks.py` has its half, and
//! `keras_round_trip.py` opens what is saved here in Keras.

mod golden;
mod scratch;

use cinta::prelude::*;
use golden::{assert_near, cases, numbers, tensor, text};
use scratch::Scratch;
use serde_json::Value;

fn residual() -> Model {
    let image = Input::named("image", [8, 8, 2]);
    let conv = |name: &str| Conv2d::new(4, 3).padding(Same).use_bias(false).name(name);
    let mut x = image.then(conv("stem")).then(BatchNormalization::new()).then(Relu);
    for i in 0..2 {
        let y = x.then(conv(&format!("first_{i}"))).then(BatchNormalization::new()).then(Relu);
        let y = y.then(conv(&format!("second_{i}"))).then(BatchNormalization::new());
        x = Add::new().of([&x, &y]).then(Relu);
    }
    let pooled = x.then(GlobalAveragePooling2d::new());
    let scores = pooled.then(Dense::new(3).activation(Softmax).name("scores"));
    Model::new(&image, &scores).name("residual").build(1).unwrap()
}

fn unet() -> Model {
    let image = Input::named("image", [8, 8, 1]);
    let conv = |filters| Conv2d::new(filters, 3).padding(Same).activation(Relu);
    let down = image.then(conv(3));
    let up = down.then(MaxPooling2d::new(2)).then(conv(4)).then(UpSampling2d::new(2));
    let x = Concatenate::new().of([&up, &down]).then(conv(3));
    let mask = x.then(Conv2d::new(1, 1).activation(Sigmoid).name("mask"));
    Model::new(&image, &mask).name("unet").build(1).unwrap()
}

fn inception() -> Model {
    let image = Input::named("image", [6, 6, 3]);
    let conv = |filters, size: usize| Conv2d::new(filters, size).padding(Same).activation(Relu);
    let one = image.then(conv(2, 1));
    let three = image.then(conv(2, 1)).then(conv(3, 3));
    let five = image.then(conv(2, 1)).then(conv(2, 5));
    let pool = image.then(MaxPooling2d::new(3).strides(1).padding(Same)).then(conv(2, 1));
    let x = Concatenate::new().of([&one, &three, &five, &pool]).then(Flatten::new());
    let scores = x.then(Dense::new(3).activation(Softmax).name("scores"));
    Model::new(&image, &scores).name("inception").build(1).unwrap()
}

fn siamese() -> Model {
    let (left, right) = (Input::named("left", [6, 6, 1]), Input::named("right", [6, 6, 1]));
    let image = Input::new([6, 6, 1]);
    let x = image.then(Conv2d::new(2, 3).activation(Relu)).then(Flatten::new());
    let twin = Model::new(&image, &x.then(Dense::new(4).activation(Tanh))).build(2).unwrap();
    let twin = Shared::new(twin.as_layer().name("twin"));
    let (a, b) = (twin.of(&left), twin.of(&right));
    let same = Multiply::new().of([&a, &b]).then(Dense::new(1).activation(Sigmoid).name("same"));
    let kind = a.then(Dense::new(3).activation(Softmax).name("kind"));
    Model::new([&left, &right], [&same, &kind]).name("siamese").build(1).unwrap()
}

fn transfer() -> Model {
    let image = Input::new([6, 6, 2]);
    let features = image.then(Conv2d::new(3, 3).activation(Relu).name("conv"));
    let features = features.then(BatchNormalization::new().name("norm"));
    let pooled = features.then(GlobalAveragePooling2d::new());
    let base = Model::new(&image, &pooled).build(2).unwrap();
    let x = Input::named("x", [6, 6, 2]);
    let features = base.frozen().name("base").of(&x);
    let head = features.then(Dense::new(3).activation(Softmax).name("head"));
    Model::new(&x, &head).name("transfer").build(1).unwrap()
}

fn seq2seq() -> Model {
    let (words, answer) = (Input::named("words", [5, 3]), Input::named("answer", [4, 2]));
    let read = words.then(Lstm::new(3).return_state(true).name("encoder"));
    let decoder = Lstm::new(3).return_sequences(true).return_state(true).name("decoder");
    let x = decoder.of([&answer, &read.output(1), &read.output(2)]);
    let gru = || Gru::new(2).return_sequences(true);
    let both = x.then(Bidirectional::new(gru().return_state(true)).name("both"));
    let after = gru().name("after").of([&both, &both.output(1)]);
    let end = SimpleRnn::new(2).name("end").of([&both, &both.output(2)]);
    let step = Input::named("step", [4, 2]);
    let left = step.then(Dense::new(2).activation(Tanh).name("left"));
    let right = step.then(Dense::new(2).name("right"));
    let pair = Model::new(&step, [&left, &right]).name("pair").build(2).unwrap();
    let pair = after.then(pair.as_layer().name("pair"));
    let said = Concatenate::new().of([&pair, &pair.output(1)]);
    let said = said.then(Dense::new(3).activation(Softmax).name("said"));
    let size = Concatenate::new().of([&x.output(1), &end]);
    let size = size.then(Dense::new(1).activation(Sigmoid).name("size"));
    Model::new([&words, &answer], [&said, &size]).name("seq2seq").build(1).unwrap()
}

fn compile(name: &str) -> Compile<f32> {
    let optimizer = Sgd::new(0.2).momentum(0.5);
    match name {
        "unet" => Compile::new(optimizer, BinaryCrossentropy::new()),
        "siamese" => Compile::outputs(optimizer)
            .loss_for("same", BinaryCrossentropy::new())
            .loss_for("kind", CategoricalCrossentropy::new()),
        "seq2seq" => Compile::outputs(optimizer)
            .loss_for("said", CategoricalCrossentropy::new())
            .loss_for("size", BinaryCrossentropy::new()),
        _ => Compile::new(optimizer, CategoricalCrossentropy::new()),
    }
}

fn tensors(list: &Value) -> Vec<Tensor> {
    list.as_array().expect("a list").iter().map(tensor).collect()
}

fn assert_all_near(what: &str, ours: &[Tensor], golden: &Value) {
    let golden = tensors(golden);
    assert_eq!(ours.len(), golden.len(), "{what}");
    for (i, (ours, golden)) in ours.iter().zip(&golden).enumerate() {
        assert_near(&format!("{what} {i}"), ours, golden);
    }
}

#[test]
fn networks_train_as_in_keras() {
    let builders: [fn() -> Model; 6] = [residual, unet, inception, siamese, transfer, seq2seq];
    let folder = Scratch::new("networks");
    for (build, case) in builders.into_iter().zip(cases("networks.json")) {
        let (name, mut model) = (text(&case, "name"), build());
        model.set_weights(&tensors(&case["weights"])).unwrap();
        let inputs = tensors(&case["inputs"]);
        let views: Vec<&Tensor> = inputs.iter().collect();
        let before = model.predict_all(&views).unwrap();
        assert_all_near(&format!("{name}, before: output"), &before, &case["before"]);
        model.compile(compile(name));
        let data = Dataset::several(inputs.clone(), tensors(&case["targets"])).unwrap();
        for (step, loss) in numbers(&case["losses"][0]).into_iter().enumerate() {
            // Two steps here, and the last one with a model that comes from a file.
            if step == 2 {
                let endings: &[&str] = if cfg!(feature = "keras") {
                    &["h5", "keras", "safetensors"]
                } else {
                    &["safetensors"]
                };
                for ending in endings {
                    let file = folder.path(&format!("{name}.{ending}"));
                    model.save(&file).unwrap();
                    let loaded: Model = Model::load(&file).unwrap();
                    assert_eq!(loaded.get_weights(), model.get_weights(), "{name}.{ending}");
                    assert_eq!(loaded.summary(), model.summary(), "{name}.{ending}");
                    model = loaded;
                }
            }
            let fit = Fit { epochs: 1, shuffle: false, verbose: Verbose::Silent, ..Fit::default() };
            let history = model.fit(&data, fit).unwrap();
            let ours = history["loss"][0];
            assert!(
                (ours - loss).abs() < 1e-5 * loss.abs().max(1.0),
                "{name}, step {step}: {ours} {loss}"
            );
        }
        assert_all_near(
            &format!("{name}, trained: weight"),
            &model.get_weights(),
            &case["trained"],
        );
        let after = model.predict_all(&views).unwrap();
        assert_all_near(&format!("{name}, after: output"), &after, &case["after"]);
    }
}
