//! Bad input is an error that says what is wrong and what would be right, and changes nothing.

mod scratch;

use cinta::prelude::*;
use cinta::{
    Config, Context, Initializer, Layer, Loss, Optimizer, Registry, Shape, Stream, Var, Weight,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use scratch::Scratch;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

fn silent<'a>() -> Fit<'a> {
    Fit { verbose: Verbose::Silent, ..Fit::default() }
}

fn images(n: usize) -> Tensor {
    Tensor::uniform([n, 6, 6, 1], 0.0, 1.0, &mut Stream::new(1))
}

fn labels(n: usize) -> Vec<usize> {
    (0..n).map(|i| i % 3).collect()
}

fn one_hot(n: usize) -> Tensor {
    datasets::one_hot(&labels(n), 3).unwrap()
}

fn class_numbers(n: usize) -> Tensor {
    Tensor::from_fn([n], |at| (at[0] % 3) as f32)
}

fn pairs(inputs: Tensor, targets: Tensor) -> Dataset {
    Dataset::new(inputs, targets).unwrap()
}

fn untrained(seed: u64) -> Model {
    Sequential::new([6, 6, 1])
        .add(Conv2d::new(2, 3).activation(Relu).kernel_regularizer(L2(0.01)).name("conv"))
        .add(MaxPooling2d::new(2))
        .add(Dropout::new(0.25))
        .add(Flatten::new())
        .add(Dense::new(3).activation(Softmax))
        .build(seed)
        .unwrap()
}

/// A model for images of 6x6 and three classes, one epoch old.
fn model() -> Model {
    let mut model = untrained(3);
    let sgd = Sgd::new(0.02).momentum(0.5);
    model.compile(Compile::new(sgd, CategoricalCrossentropy::new()).metric(Accuracy));
    model.fit(&pairs(images(40), one_hot(40)), silent()).unwrap();
    model
}

/// The same for class numbers.
fn sparse_model() -> Model {
    let mut model = untrained(3);
    model.compile(
        Compile::new(Sgd::new(0.02).momentum(0.5), SparseCategoricalCrossentropy::new())
            .metric(Accuracy),
    );
    model.fit(&pairs(images(40), class_numbers(40)), silent()).unwrap();
    model
}

fn saved(model: &Model) -> Vec<u8> {
    let thread = std::thread::current();
    let scratch = Scratch::new(&format!("saved-{}", thread.name().unwrap().replace("::", "-")));
    let path = scratch.path("model.safetensors");
    model.save(&path).unwrap();
    std::fs::read(path).unwrap()
}

/// The message of an error that leaves the model as it was.
fn refused<V>(model: &mut Model, action: impl FnOnce(&mut Model) -> Result<V, Error>) -> String {
    let before = saved(model);
    let Err(error) = action(model) else { panic!("bad input was accepted") };
    assert_eq!(saved(model), before, "changed by what gave the error: {error}");
    error.to_string()
}

#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

/// Data that fit, evaluate, and fit with it as validation data refuse with the same words.
#[track_caller]
fn assert_refused(model: &mut Model, good: &Dataset, bad: &Dataset, parts: &[&str]) {
    assert_says(&refused(model, |model| model.fit(bad, silent())), parts);
    assert_says(&refused(model, |model| model.evaluate(bad)), parts);
    let fit = Fit { validation_data: Some(bad), ..silent() };
    assert_says(&refused(model, |model| model.fit(good, fit)), parts);
}

mod data {
    use super::*;

    #[test]
    fn inputs_of_another_shape_are_refused_with_both_shapes() {
        let mut model = model();
        let good = pairs(images(4), one_hot(4));
        let shapes: [&[usize]; 6] =
            [&[4, 5, 6, 1], &[4, 6, 6, 2], &[4, 6, 6], &[4, 36], &[4], &[4, 6, 6, 1, 1]];
        for shape in shapes {
            let inputs = Tensor::ones(shape);
            let shape = format!("{shape:?}");
            let parts = ["the model takes inputs [n, 6, 6, 1]", &shape];
            assert_refused(&mut model, &good, &pairs(inputs.clone(), one_hot(4)), &parts);
            assert_says(&refused(&mut model, |model| model.predict(&inputs)), &parts);
            let error = model.up_to("conv").unwrap().predict(&inputs).unwrap_err();
            assert_says(&error.to_string(), &parts);
        }
        let scalar = refused(&mut model, |model| model.predict(&Tensor::scalar(1.0)));
        assert_says(&scalar, &["[n, 6, 6, 1]", "[]"]);
    }

    #[test]
    fn a_single_sample_gets_a_hint() {
        let mut model = model();
        let message = refused(&mut model, |model| model.predict(&Tensor::ones([6, 6, 1])));
        assert_says(&message, &["a single sample needs a first axis of 1"]);
        let data = pairs(Tensor::ones([6, 6, 1]), one_hot(6));
        let message = refused(&mut model, |model| model.fit(&data, silent()));
        assert_says(&message, &["a single sample needs a first axis of 1"]);
    }

    #[test]
    fn as_many_targets_as_inputs() {
        let error = Dataset::new(images(3), one_hot(4)).unwrap_err().to_string();
        assert_says(&error, &["3 inputs", "[3, 6, 6, 1]", "4 targets", "[4, 3]"]);
        let error = Dataset::new(Tensor::scalar(1.0), one_hot(4)).unwrap_err().to_string();
        assert_says(&error, &["first axis that counts samples", "[]"]);
    }

    #[test]
    fn targets_of_another_shape_are_refused_with_both_shapes() {
        let mut model = model();
        let good = pairs(images(4), one_hot(4));
        for (sample, targets) in [
            ("[4]", Tensor::zeros([4, 4])),
            ("[3, 1]", Tensor::zeros([4, 3, 1])),
            ("[2, 3]", Tensor::zeros([4, 2, 3])),
        ] {
            let parts = ["categorical_crossentropy", "[3]", sample];
            assert_refused(&mut model, &good, &pairs(images(4), targets), &parts);
        }
    }

    #[test]
    fn no_samples_are_refused_except_by_predict() {
        let mut model = model();
        let good = pairs(images(4), one_hot(4));
        let empty = pairs(Tensor::zeros([0, 6, 6, 1]), Tensor::zeros([0, 3]));
        assert_refused(&mut model, &good, &empty, &["no samples"]);
        assert_eq!(model.predict(empty.inputs()).unwrap().shape(), [0, 3]);
    }

    #[test]
    fn values_that_are_not_finite_are_refused_with_their_sample() {
        let mut model = model();
        let good = pairs(images(40), one_hot(40));
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (mut inputs, mut targets) = (images(40), one_hot(40));
            inputs.as_mut_slice()[37 * 36 + 5] = value;
            targets.as_mut_slice()[38 * 3 + 1] = value;
            let name = format!("{value}");

            let parts = ["input", "sample 37", "finite", &name];
            assert_refused(&mut model, &good, &pairs(inputs.clone(), one_hot(40)), &parts);
            assert_says(&refused(&mut model, |model| model.predict(&inputs)), &parts);

            let parts = ["target", "sample 38", "finite", &name];
            assert_refused(&mut model, &good, &pairs(images(40), targets), &parts);
        }
    }

    #[test]
    fn labels_that_are_no_classes_are_refused_with_their_sample() {
        let mut model = sparse_model();
        let good = pairs(images(4), class_numbers(4));
        for label in [3.0, -1.0, 1.5, 16_777_216.0] {
            let mut labels = class_numbers(4);
            labels.as_mut_slice()[2] = label;
            let parts = ["sample 2", &format!("{label}"), "classes 0 to 2"];
            assert_refused(&mut model, &good, &pairs(images(4), labels.clone()), &parts);
            assert_refused(&mut model, &good, &pairs(images(4), labels.reshape([4, 1])), &parts);
        }
        let error = datasets::one_hot::<f32>(&[0, 3], 3).unwrap_err().to_string();
        assert_says(&error, &["label 3", "sample 1", "classes 0 to 2"]);
        assert!(datasets::one_hot::<f32>(&[], 0).is_err());
    }

    #[test]
    fn one_hot_targets_and_class_numbers_taken_for_each_other_get_a_hint() {
        let mut model = sparse_model();
        let (rows, numbers) = (pairs(images(4), one_hot(4)), pairs(images(4), class_numbers(4)));
        assert_refused(&mut model, &numbers, &rows, &["CategoricalCrossentropy"]);

        let mut model = super::model();
        let parts = ["SparseCategoricalCrossentropy", "one_hot(&labels, 3)"];
        assert_refused(&mut model, &rows, &numbers, &parts);
        let column = pairs(images(4), class_numbers(4).reshape([4, 1]));
        assert_refused(&mut model, &rows, &column, &parts);
    }

    #[test]
    fn targets_that_a_metric_cannot_read_are_refused() {
        let mut model = untrained(3);
        let sparse = SparseCategoricalCrossentropy::new();
        let compile = Compile::new(Sgd::new(0.1), CategoricalCrossentropy::new()).metric(sparse);
        model.compile(compile);
        let data = pairs(images(4), one_hot(4));
        let parts = ["metric", "sparse_categorical_crossentropy"];
        assert_says(&refused(&mut model, |model| model.fit(&data, silent())), &parts);
        assert_says(&refused(&mut model, |model| model.evaluate(&data)), &parts);
    }

    #[test]
    fn weights_that_do_not_fit_are_refused() {
        let mut model = model();
        let good = model.get_weights();
        let set = |model: &mut Model, weights: &[Tensor]| {
            refused(model, |model| model.set_weights(weights))
        };
        assert_says(&set(&mut model, &good[..3]), &["4 weights", "3 were given"]);
        assert_says(&set(&mut model, &[]), &["4 weights", "0 were given"]);
        assert_says(&set(&mut model, &[&good[..], &good[..1]].concat()), &["5 were given"]);

        let mut weights = good.clone();
        weights[2] = weights[2].t();
        assert_says(&set(&mut model, &weights), &["dense/kernel", "[8, 3]", "[3, 8]"]);
        for value in [f32::NAN, f32::INFINITY] {
            let mut weights = good.clone();
            weights[3].as_mut_slice()[1] = value;
            assert_says(&set(&mut model, &weights), &["dense/bias", "finite"]);
        }
        model.set_weights(&good).unwrap();
    }
}

mod training {
    use super::*;

    #[test]
    fn a_batch_size_of_0_is_refused() {
        let data = pairs(images(4), one_hot(4));
        let fit = Fit { batch_size: 0, ..silent() };
        let message = refused(&mut model(), |model| model.fit(&data, fit));
        assert_says(&message, &["batch_size is 0", "at least 1"]);
    }

    #[test]
    fn senseless_ways_to_validate_are_refused() {
        let data = pairs(images(4), one_hot(4));
        let refusal = |fit: Fit<'_>| refused(&mut model(), |model| model.fit(&data, fit));
        for (split, part) in [
            (f64::NAN, "validation_split is NaN; it is at least 0 and below 1"),
            (1.0, "validation_split is 1; it is at least 0 and below 1"),
            (-0.1, "validation_split is -0.1"),
            (0.9, "a validation_split of 0.9 of 4 samples leaves none to train on"),
        ] {
            let message = refusal(Fit { validation_split: split, ..silent() });
            assert_says(&message, &[part]);
        }
        // floor(4 (1 - x)) is 4 only if 1 - x is 1.
        let message = refusal(Fit { validation_split: 1e-17, ..silent() });
        assert_says(&message, &["of 4 samples leaves none for validation"]);
        let both = Fit { validation_split: 0.5, validation_data: Some(&data), ..silent() };
        assert_says(
            &refusal(both),
            &["validation_split is 0.5", "validation_data", "one of the two"],
        );
        let message = refusal(Fit { validation_freq: 0, ..silent() });
        assert_says(&message, &["validation_freq is 0", "at least 1"]);
    }

    #[test]
    fn class_weights_must_fit_the_classes() {
        let data = pairs(images(4), one_hot(4));
        let refusal = |class_weight: &[(usize, f64)]| {
            refused(&mut model(), |model| model.fit(&data, Fit { class_weight, ..silent() }))
        };
        for (class_weight, part) in [
            ([(0, -1.0)], "the weight of class 0 is -1; weights are finite and not negative"),
            ([(1, f64::NAN)], "the weight of class 1 is NaN"),
            ([(2, f64::INFINITY)], "the weight of class 2 is inf"),
            ([(3, 1.0)], "a weight of class 3, and the classes are 0 to 2"),
        ] {
            assert_says(&refusal(&class_weight), &[part]);
        }
        assert_says(&refusal(&[(1, 1.0), (1, 2.0)]), &["two weights of class 1"]);

        let weighted = data.clone().with_sample_weight(Tensor::ones([4])).unwrap();
        let fit = || Fit { class_weight: &[(0, 2.0)], ..silent() };
        let message = refused(&mut model(), |model| model.fit(&weighted, fit()));
        assert_says(&message, &["class_weight", "weights of their own", "one of the two"]);

        let mut images_out = Sequential::new([6, 6, 1]).add(Relu).build(0).unwrap();
        images_out.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
        let data = pairs(images(4), images(4));
        let message = images_out.fit(&data, fit()).unwrap_err().to_string();
        assert_says(&message, &["class numbers or rows", "[6, 6, 1]"]);
    }

    #[test]
    fn sample_weights_must_be_weights() {
        let data = pairs(images(3), one_hot(3));
        for (weights, part) in [
            (Tensor::ones([4]), "one number for each sample, [3], and these have the shape [4]"),
            (
                Tensor::ones([3, 1]),
                "one number for each sample, [3], and these have the shape [3, 1]",
            ),
            (Tensor::from([1.0, -1.0, 1.0]), "the weight of sample 1 is -1; weights are finite"),
            (Tensor::from([1.0, 1.0, f32::NAN]), "the weight of sample 2 is NaN"),
            (Tensor::from([f32::INFINITY, 1.0, 1.0]), "the weight of sample 0 is inf"),
        ] {
            let error = data.clone().with_sample_weight(weights).unwrap_err();
            assert_says(&error.to_string(), &[part]);
        }
        // Nothing weighs anything: the loss is the penalty alone, and nothing moves but by it.
        let weightless = data.with_sample_weight(Tensor::zeros([3])).unwrap();
        let mut model = untrained(3);
        let compile = Compile::new(Sgd::new(0.1), CategoricalCrossentropy::new());
        model.compile(compile.weighted_metric(Accuracy));
        let scores = model.evaluate(&weightless).unwrap();
        assert_eq!(scores["accuracy"], 0.0);
        let bias = model.weight("dense", "bias").unwrap().clone();
        model.fit(&weightless, silent()).unwrap();
        assert_eq!(model.weight("dense", "bias").unwrap(), &bias);
    }

    #[test]
    fn data_is_split_into_two_parts() {
        let data = pairs(images(4), one_hot(4));
        for (fraction, part) in [
            (f64::NAN, "the fraction NaN of the samples is not between 0 and 1"),
            (1.5, "the fraction 1.5"),
            (-0.5, "the fraction -0.5"),
            (0.0, "a fraction of 0 of 4 samples leaves one of the two parts empty"),
            (1.0, "a fraction of 1 of 4 samples leaves one of the two parts empty"),
        ] {
            assert_says(&data.split(fraction).unwrap_err().to_string(), &[part]);
        }
    }

    #[test]
    fn a_batch_larger_than_the_data_is_all_of_it() {
        let data = pairs(images(4), one_hot(4));
        let fit = Fit { batch_size: usize::MAX, ..silent() };
        assert_eq!(model().fit(&data, fit).unwrap()["loss"].len(), 1);
    }

    #[test]
    fn no_epochs_change_nothing() {
        let mut model = model();
        let before = saved(&model);
        let data = pairs(images(4), one_hot(4));
        let history = model.fit(&data, Fit { epochs: 0, ..silent() }).unwrap();
        assert!(history.epochs().is_empty());
        assert_eq!(saved(&model), before);
    }

    #[test]
    fn a_model_that_is_not_compiled_says_so() {
        let mut model = untrained(3);
        let data = pairs(images(4), one_hot(4));
        let parts = ["not compiled", "compile with an optimizer and a loss"];
        assert_says(&refused(&mut model, |model| model.fit(&data, silent())), &parts);
        assert_says(&refused(&mut model, |model| model.evaluate(&data)), &parts);
    }

    #[test]
    fn metrics_have_names_of_their_own() {
        let compile = || Compile::new(Sgd::new(0.1), CategoricalCrossentropy::new());
        let data = pairs(images(4), one_hot(4));
        let smooth = CategoricalCrossentropy::new().label_smoothing(0.1);
        for (name, compile) in [
            ("accuracy", compile().metric(Accuracy).metric(Accuracy)),
            (
                "categorical_crossentropy",
                compile().metric(CategoricalCrossentropy::new()).metric(smooth),
            ),
        ] {
            let mut model = untrained(3);
            model.compile(compile);
            let parts = ["two metrics", name];
            assert_says(&refused(&mut model, |model| model.fit(&data, silent())), &parts);
            assert_says(&refused(&mut model, |model| model.evaluate(&data)), &parts);
        }
    }

    #[test]
    fn senseless_optimizers_are_refused() {
        let data = pairs(images(4), one_hot(4));
        let loss = CategoricalCrossentropy::new;
        for (part, compile) in [
            ("learning rate is NaN", Compile::new(Sgd::new(f64::NAN), loss())),
            ("learning rate is inf", Compile::new(Sgd::new(f64::INFINITY), loss())),
            ("learning rate is -0.1", Compile::new(Adam::new(-0.1), loss())),
            ("momentum is 1.5", Compile::new(Sgd::new(0.1).momentum(1.5), loss())),
            ("beta_1 is 1", Compile::new(Adam::new(0.1).beta_1(1.0), loss())),
            ("beta_2 is -0.5", Compile::new(Adam::new(0.1).beta_2(-0.5), loss())),
            ("epsilon is NaN", Compile::new(Adam::new(0.1).epsilon(f64::NAN), loss())),
            (
                "PiecewiseConstantDecay: there are 0 boundaries and 0 values",
                Compile::new(Sgd::new(PiecewiseConstantDecay::new([], [])), loss()),
            ),
        ] {
            let mut model = untrained(3);
            model.compile(compile);
            let before = model.get_weights();
            assert_says(&model.fit(&data, silent()).unwrap_err().to_string(), &[part]);
            assert_eq!(model.get_weights(), before);
            // Such numbers would not survive in a file.
            assert_says(&model.save("never.safetensors").unwrap_err().to_string(), &[part]);
        }
    }

    #[test]
    fn senseless_label_smoothing_is_refused() {
        let data = pairs(images(4), one_hot(4));
        for amount in [-0.1, 1.5, f64::NAN] {
            let mut model = untrained(3);
            let loss = CategoricalCrossentropy::new().label_smoothing(amount);
            model.compile(Compile::new(Sgd::new(0.1), loss));
            let parts = ["label smoothing", &format!("{amount}"), "between 0 and 1"];
            assert_says(&refused(&mut model, |model| model.fit(&data, silent())), &parts);
        }
    }

    /// A regression whose loss grows without bounds under a large learning rate.
    fn regression() -> Dataset {
        let x = Tensor::uniform([40, 3], -1.0, 1.0, &mut Stream::new(2));
        pairs(x.clone(), &x.slice(1, 0..1) * 100.0)
    }

    fn regressor(compile: Compile) -> Model {
        let mut model = Sequential::new([3])
            .add(Dense::new(4).activation(Relu))
            .add(Dense::new(1))
            .build(5)
            .unwrap();
        model.compile(compile);
        model
    }

    fn assert_finite(model: &Model) {
        assert!(model.get_weights().iter().all(Tensor::is_finite), "{:?}", model.get_weights());
    }

    #[test]
    fn a_diverging_loss_stops_fit_with_finite_weights() {
        let fit = || Fit { epochs: 200, batch_size: 16, ..silent() };
        for rate in [1e3, 1e10, 1e20, 1e30, 1e38] {
            let mut model = regressor(Compile::new(Sgd::new(rate), MeanSquaredError));
            let error = model.fit(&regression(), fit()).unwrap_err();
            let Error::Diverged { epoch, batch } = error else { panic!("{rate}: {error}") };
            assert!((1..=200).contains(&epoch) && (1..=3).contains(&batch), "{error}");
            let parts = [&format!("epoch {epoch}, batch {batch}"), "smaller learning rate"];
            assert_says(&error.to_string(), &parts);
            assert_finite(&model);
        }
    }

    #[test]
    fn fit_never_ends_with_weights_that_are_not_finite() {
        let one_step = || Fit { batch_size: 40, ..silent() };
        // The last is no finite f32.
        for rate in [1e36, 1e37, 1e38, 1e300] {
            for compile in [
                Compile::new(Sgd::new(rate), MeanSquaredError),
                Compile::new(Sgd::new(rate).momentum(0.5), MeanSquaredError),
                Compile::new(Adam::new(rate), MeanSquaredError),
            ] {
                let mut model = regressor(compile);
                let _ = model.fit(&regression(), one_step());
                assert_finite(&model);
            }
        }
    }

    #[test]
    fn large_gradients_never_make_weights_that_are_not_finite() {
        // The loss and the gradient are finite, and the gradient's square, for Adam, is not.
        let data = pairs(Tensor::from([[1e12]]), Tensor::from([[1e12]]));
        let mut model = Sequential::new([1]).add(Dense::new(1)).build(0).unwrap();
        model.compile(Compile::new(Adam::new(0.01), MeanSquaredError));
        let _ = model.fit(&data, Fit { epochs: 3, ..silent() });
        assert_finite(&model);
    }

    #[test]
    fn the_weights_after_divergence_are_those_before_its_batch() {
        let compile = Compile::new(Sgd::new(1e10), MeanSquaredError);
        let fit = || Fit { epochs: 50, batch_size: 40, shuffle: false, ..silent() };
        let mut model = regressor(compile.clone());
        let error = model.fit(&regression(), fit()).unwrap_err();
        let Error::Diverged { epoch, batch: 1 } = error else { panic!("{error}") };

        let mut until = regressor(compile);
        until.fit(&regression(), Fit { epochs: epoch as usize - 1, ..fit() }).unwrap();
        assert_eq!(saved(&model), saved(&until));
    }

    /// The loss is finite, and the step is not: what the optimizer keeps is as if the step had not been.
    #[test]
    fn an_optimizer_keeps_nothing_of_a_step_that_diverged() {
        fn check(optimizer: impl Optimizer<f32> + 'static) {
            let name = optimizer.class_name().to_owned();
            let data = regression();
            let fit = || Fit { epochs: 1, batch_size: 40, ..silent() };
            let mut model = regressor(Compile::new(optimizer, MeanSquaredError));
            let rate = model.learning_rate().unwrap();
            model.set_learning_rate(1e300).unwrap();
            let before = saved(&model);
            let error = model.fit(&data, fit()).unwrap_err();
            assert!(matches!(error, Error::Diverged { epoch: 1, batch: 1 }), "{name}: {error}");
            // No slots, as before the first step.
            assert!(saved(&model) == before, "{name}: step 1");

            model.set_learning_rate(rate).unwrap();
            model.fit(&data, fit()).unwrap();
            model.set_learning_rate(1e300).unwrap();
            let before = saved(&model);
            let error = model.fit(&data, fit()).unwrap_err();
            assert!(matches!(error, Error::Diverged { epoch: 1, batch: 1 }), "{name}: {error}");
            assert!(saved(&model) == before, "{name}: step 2");
        }
        check(Sgd::new(1e-3).momentum(0.5));
        check(Adam::new(1e-3));
        check(RmsProp::new(1e-3).momentum(0.5).centered(true));
        check(Adagrad::new(1e-3));
    }
}

mod names {
    use super::*;

    #[test]
    fn unknown_layers_are_answered_with_the_known_ones() {
        let model = model();
        let known = "conv, max_pooling2d, dropout, flatten, dense";
        for error in [
            model.get_layer("conv_1").err(),
            model.up_to("conv_1").err(),
            model.weight("conv_1", "kernel").err(),
        ] {
            let error = error.expect("an error");
            assert!(matches!(&error, Error::NoSuchLayer { name, .. } if name == "conv_1"));
            assert_says(&error.to_string(), &["\"conv_1\"", known]);
        }
    }

    #[test]
    fn unknown_weights_are_answered_with_the_known_ones() {
        let model = model();
        let error = model.weight("conv", "gamma").unwrap_err().to_string();
        assert_says(&error, &["conv", "\"gamma\"", "kernel, bias"]);
        let error = model.weight("flatten", "kernel").unwrap_err().to_string();
        assert_says(&error, &["flatten", "\"kernel\"", "none"]);
    }

    #[test]
    fn unknown_scores_panic_with_the_known_ones() {
        let mut model = model();
        let data = pairs(images(4), one_hot(4));
        let history = model.fit(&data, silent()).unwrap();
        let scores = model.evaluate(&data).unwrap();
        let message = |f: &dyn Fn()| {
            let panic = catch_unwind(AssertUnwindSafe(f)).expect_err("a panic");
            *panic.downcast::<String>().expect("a message")
        };
        let parts = ["\"acc\"", "accuracy", "loss"];
        assert_says(&message(&|| drop(scores["acc"].to_string())), &parts);
        assert_says(&message(&|| drop(history["acc"].to_vec())), &parts);
    }

    #[test]
    fn a_name_is_taken_once() {
        let error = Sequential::new([4])
            .add(Dense::new(2).name("same"))
            .add(Dropout::new(0.5).name("same"))
            .build(0)
            .unwrap_err();
        assert!(matches!(&error, Error::Layer { layer, .. } if layer == "same"));
        assert_says(&error.to_string(), &["\"same\"", "unique"]);
    }

    #[test]
    fn names_are_parts_of_tensor_names() {
        for name in ["a/b", "/", ""] {
            let error = Sequential::new([4]).add(Dense::new(2).name(name)).build(0).unwrap_err();
            assert_says(&error.to_string(), &["not empty", "`/`", &format!("{name:?}")]);
        }
    }

    /// A layer with weights of these names.
    struct Named(&'static [&'static str]);

    impl Layer<f32> for Named {
        fn class_name(&self) -> &str {
            "Named"
        }

        fn config(&self) -> Config {
            Config::new()
        }

        fn output_shape(&self, input: Shape) -> Result<Shape, cinta::Reason> {
            Ok(input)
        }

        fn weights(&self, _: Shape) -> Vec<Weight> {
            self.0.iter().map(|name| Weight::new(*name, [2], Initializer::Ones)).collect()
        }

        fn forward<'t>(
            &self,
            _: &[Var<'t, f32>],
            x: &Var<'t, f32>,
            _: &mut Context<f32>,
        ) -> Var<'t, f32> {
            x.clone()
        }
    }

    #[test]
    fn weights_of_one_layer_have_names_of_their_own() {
        let error = Sequential::new([4]).add(Named(&["w", "w"])).build(0).unwrap_err();
        assert_says(&error.to_string(), &["named", "\"w\""]);
        // With one like it, the layer `optimizer` would have the name of another's momentum.
        let error = Sequential::new([4]).add(Named(&["a/b"])).build(0).unwrap_err();
        assert_says(&error.to_string(), &["named", "\"a/b\""]);
    }

    #[test]
    fn names_in_any_script_are_saved_and_loaded() {
        let scratch = Scratch::new("any-script");
        let path = scratch.path("model.safetensors");
        let names = ["__metadata__", "optimizer", "capa ñ \"1\"", "层\n", "\u{0}"];
        let mut builder = Sequential::new([4]);
        for name in names {
            builder = builder.add(Dense::new(4).name(name));
        }
        let mut model = builder.build(0).unwrap();
        model.compile(Compile::new(Adam::new(0.01), MeanSquaredError));
        model.fit(&pairs(Tensor::ones([2, 4]), Tensor::ones([2, 4])), silent()).unwrap();
        model.save(&path).unwrap();
        let loaded = Model::load(&path).unwrap();
        assert_eq!(loaded.layers().map(|layer| layer.name()).collect::<Vec<_>>(), names);
        assert_eq!(saved(&loaded), saved(&model));
    }
}

mod layers {
    use super::*;

    /// What `build` says about a layer for images of 6x6.
    fn complaint(layer: impl Layer<f32> + 'static) -> String {
        let result = Sequential::new([6, 6, 1]).add(layer).build(0);
        let error = result.expect_err("a senseless layer was accepted");
        assert!(matches!(error, Error::Layer { .. }), "{error:?}");
        error.to_string()
    }

    #[test]
    fn a_window_larger_than_its_image_is_refused_with_both_sizes() {
        let parts = ["7x7", "6x6", "smaller window", "`same`"];
        assert_says(&complaint(Conv2d::new(2, 7)), &parts);
        assert_says(&complaint(MaxPooling2d::new(7)), &parts);
        assert_says(&complaint(AveragePooling2d::new(7)), &parts);
        assert_says(&complaint(Conv2d::new(2, (1, 9))), &["1x9", "6x6"]);
        assert!(Sequential::new([6, 6, 1]).add(Conv2d::new(2, 7).padding(Same)).build(0).is_ok());
    }

    #[test]
    fn options_of_0_are_refused() {
        assert_says(&complaint(Conv2d::new(0, 3)), &["conv2d", "0 filters", "at least 1"]);
        assert_says(&complaint(Dense::new(0)), &["dense", "0 units", "at least 1"]);
        assert_says(&complaint(Conv2d::new(2, 0)), &["0x0", "at least 1"]);
        assert_says(&complaint(Conv2d::new(2, (3, 0))), &["3x0", "at least 1"]);
        assert_says(&complaint(Conv2d::new(2, 3).strides(0)), &["strides", "at least 1"]);
        assert_says(&complaint(MaxPooling2d::new(0)), &["0x0", "at least 1"]);
        assert_says(&complaint(MaxPooling2d::new(2).strides((1, 0))), &["strides", "at least 1"]);
        assert_says(&complaint(AveragePooling2d::new(0)), &["0x0", "at least 1"]);
        assert_says(&complaint(AveragePooling2d::new(2).strides(0)), &["strides", "at least 1"]);
    }

    #[test]
    fn rates_and_penalties_out_of_range_are_refused() {
        for rate in [-0.1, 1.5, f64::NAN, f64::INFINITY] {
            let parts = ["rate", &format!("{rate}"), "between 0 and 1"];
            assert_says(&complaint(Dropout::new(rate)), &parts);
        }
        let parts = ["penalty", "not negative"];
        for l2 in [-0.01, f64::NAN, f64::INFINITY] {
            assert_says(&complaint(Dense::new(2).kernel_regularizer(L2(l2))), &parts);
            assert_says(&complaint(Dense::new(2).bias_regularizer(L1(l2))), &parts);
            let both = L1L2 { l1: 0.01, l2 };
            assert_says(&complaint(Conv2d::new(2, 3).kernel_regularizer(both)), &parts);
        }
    }

    #[test]
    fn senseless_initializers_are_refused() {
        for initializer in [
            Initializer::Constant(f64::NAN),
            Initializer::Constant(1e300), // no f32
            Initializer::RandomUniform { minval: 1.0, maxval: -1.0 },
            Initializer::RandomUniform { minval: 0.0, maxval: f64::NAN },
            Initializer::RandomNormal { mean: 0.0, stddev: -1.0 },
            Initializer::RandomNormal { mean: f64::INFINITY, stddev: 1.0 },
        ] {
            assert_says(&complaint(Dense::new(2).kernel_initializer(initializer)), &["dense"]);
        }
    }

    #[test]
    fn layers_for_images_refuse_vectors() {
        let layers: [Box<dyn Fn() -> Option<Error>>; 3] = [
            Box::new(|| Sequential::new([36]).add(Conv2d::new(2, 3)).build(0).err()),
            Box::new(|| Sequential::new([36]).add(MaxPooling2d::new(2)).build(0).err()),
            Box::new(|| Sequential::new([36]).add(AveragePooling2d::new(2)).build(0).err()),
        ];
        for layer in layers {
            let message = layer().expect("an error").to_string();
            assert_says(&message, &["[height, width, channels]", "[36]"]);
        }
        let error = Sequential::new([]).add(Dense::new(2)).build(0).unwrap_err();
        assert_says(&error.to_string(), &["dense", "at least one axis"]);
    }

    #[test]
    fn models_without_layers_or_with_senseless_inputs_are_refused() {
        let error = Sequential::new([4]).build(0).unwrap_err();
        assert_says(&error.to_string(), &["at least one layer"]);
        let shapes: [&[usize]; 4] =
            [&[0], &[6, 0, 1], &[1, 1, 1, 1, 1, 1], &[usize::MAX, usize::MAX]];
        for shape in shapes {
            let error = Sequential::new(shape).add(Flatten::new()).build(0).unwrap_err();
            assert_says(&error.to_string(), &["input shape", &format!("{shape:?}")]);
        }
    }

    #[test]
    fn absurdly_large_layers_are_errors() {
        for units in [usize::MAX, usize::MAX / 2, usize::MAX / 4, 1 << 60, 1 << 50] {
            complaint(Dense::new(units));
            complaint(Dense::new(units).use_bias(false));
            complaint(Dense::new(units).kernel_initializer(Initializer::Zeros));
            complaint(Conv2d::new(units, 3));
            complaint(Conv2d::new(units, 3).activation(Relu).use_bias(false));
            complaint(Conv2d::new(2, units).padding(Same));
            complaint(Conv2d::new(2, (1, units)).padding(Same));
            complaint(Conv2d::new(2, units));
            complaint(MaxPooling2d::new(units));
            complaint(AveragePooling2d::new((1, units)));
        }
        let wide = Sequential::new([1 << 50]).add(Dense::new(4)).build(0).unwrap_err();
        assert_says(&wide.to_string(), &["dense", "kernel", "memory"]);
        let wide = Sequential::<f64>::typed([1 << 30]).add(Dense::new(1 << 30)).build(0);
        assert_says(&wide.unwrap_err().to_string(), &["dense", "kernel", "memory"]);
    }

    /// Windows that are far larger than the image see what there is of it.
    #[test]
    fn absurdly_large_pools_are_the_whole_image() {
        let x = images(2);
        for size in [6, 7, 100, 1 << 20, 1 << 33, usize::MAX / 2, usize::MAX] {
            // An output of one pixel, whose window has (size - 6) / 2 rows above the image.
            let max = Sequential::new([6, 6, 1])
                .add(MaxPooling2d::new(size).padding(Same).strides(6))
                .build(0)
                .unwrap();
            assert_eq!(max.predict(&x).unwrap().reshape([2]), x.max([1, 2, 3]), "{size}");
            let mean = Sequential::new([6, 6, 1])
                .add(AveragePooling2d::new(size).padding(Same).strides(6))
                .build(0)
                .unwrap();
            let mean = mean.predict(&x).unwrap().reshape([2]);
            assert!(mean.all_close(&x.mean([1, 2, 3]), 1e-6, 0.0), "{size}");
        }
        let strides = Sequential::new([6, 6, 1])
            .add(MaxPooling2d::new(1).strides(usize::MAX))
            .add(AveragePooling2d::new(1).strides(usize::MAX).padding(Same))
            .build(0)
            .unwrap();
        assert_eq!(
            strides.predict(&x).unwrap().reshape([2]),
            x.slice(1, 0..1).slice(2, 0..1).reshape([2])
        );
    }

    /// A layer that is wrong about its own output.
    struct Liar;

    impl Layer<f32> for Liar {
        fn class_name(&self) -> &str {
            "Liar"
        }

        fn config(&self) -> Config {
            Config::new()
        }

        fn output_shape(&self, _: Shape) -> Result<Shape, cinta::Reason> {
            Ok(Shape::from([6, 6, 2]))
        }

        fn forward<'t>(
            &self,
            _: &[Var<'t, f32>],
            x: &Var<'t, f32>,
            _: &mut Context<f32>,
        ) -> Var<'t, f32> {
            x.clone()
        }
    }

    #[test]
    fn a_layer_that_is_wrong_about_its_output_does_not_go_unnoticed() {
        let model = Sequential::new([6, 6, 1]).add(Liar).build(0).unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| model.predict(&images(2)).unwrap())).is_err());
    }
}

mod losses {
    use super::*;

    /// A loss that forgets to average over what is not the axis of samples.
    struct Whole;

    impl Loss<f32> for Whole {
        fn name(&self) -> &str {
            "whole"
        }

        fn per_sample<'t>(
            &self,
            targets: &Tensor<f32>,
            predictions: &Var<'t, f32>,
        ) -> Var<'t, f32> {
            (predictions - &Var::constant(targets.clone())).square()
        }
    }

    #[test]
    fn a_loss_of_another_shape_does_not_go_unnoticed() {
        let mut model = untrained(3);
        model.compile(Compile::new(Sgd::new(0.1), Whole));
        let data = pairs(images(4), one_hot(4));
        assert!(catch_unwind(AssertUnwindSafe(|| model.evaluate(&data).unwrap())).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| model.fit(&data, silent()).unwrap())).is_err());
    }
}

/// A safetensors file, taken apart.
#[derive(Clone)]
struct File {
    metadata: Value,
    /// Name, element type, shape and bytes.
    tensors: Vec<(String, String, Vec<usize>, Vec<u8>)>,
}

impl File {
    fn read(bytes: &[u8]) -> File {
        let (length, rest) = bytes.split_first_chunk().unwrap();
        let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let mut header: Value = serde_json::from_slice(header).unwrap();
        let header = header.as_object_mut().unwrap();
        let metadata = header.shift_remove("__metadata__").unwrap();
        let tensor = |(name, entry): (&String, &Value)| {
            let number = |value: &Value| value.as_u64().unwrap() as usize;
            let [begin, end] = [0, 1].map(|i| number(&entry["data_offsets"][i]));
            let shape = entry["shape"].as_array().unwrap().iter().map(number).collect();
            let dtype = entry["dtype"].as_str().unwrap().to_owned();
            (name.clone(), dtype, shape, data[begin..end].to_vec())
        };
        File { metadata, tensors: header.iter().map(tensor).collect() }
    }

    fn bytes(&self) -> Vec<u8> {
        let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
        header.insert("__metadata__".to_owned(), self.metadata.clone());
        for (name, dtype, shape, bytes) in &self.tensors {
            let offsets = [data.len(), data.len() + bytes.len()];
            data.extend(bytes);
            let entry = json!({ "dtype": dtype, "shape": shape, "data_offsets": offsets });
            header.insert(name.clone(), entry);
        }
        let header = Value::Object(header).to_string();
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat()
    }

    fn described(&self, edit: impl FnOnce(&mut Value)) -> File {
        let text = self.metadata["cinta"].as_str().unwrap();
        let mut description = serde_json::from_str(text).unwrap();
        edit(&mut description);
        File { metadata: json!({ "cinta": description.to_string() }), ..self.clone() }
    }

    /// The same file with other options of the layer with this index, where 0 is the input.
    fn layer(&self, index: usize, edit: impl FnOnce(&mut Value)) -> File {
        self.described(|description| edit(&mut description["config"]["config"]["layers"][index]))
    }

    fn tensor(&mut self, name: &str) -> &mut (String, String, Vec<usize>, Vec<u8>) {
        self.tensors.iter_mut().find(|(known, ..)| known == name).unwrap()
    }
}

mod files {
    use super::*;

    /// Loads bytes from a file.
    struct Loader {
        _scratch: Scratch,
        path: PathBuf,
    }

    impl Loader {
        fn new(name: &str) -> Self {
            let scratch = Scratch::new(name);
            let path = scratch.path("model.safetensors");
            Loader { _scratch: scratch, path }
        }

        fn load(&self, bytes: &[u8]) -> Result<Model, Error> {
            // A new file: some file systems force one to the disk that is emptied and written again.
            let _ = std::fs::remove_file(&self.path);
            std::fs::write(&self.path, bytes).unwrap();
            Model::load(&self.path)
        }

        /// The message about bytes that are no model; it begins with the path.
        #[track_caller]
        fn complaint(&self, bytes: &[u8]) -> String {
            let Err(error) = self.load(bytes) else { panic!("the file was accepted") };
            assert!(matches!(error, Error::Format { .. }), "{error:?}");
            assert_says(&error.to_string(), &[self.path.to_str().unwrap()]);
            error.to_string()
        }

        /// Loads bytes that may be anything; a model must be one that computes.
        fn survives(&self, bytes: &[u8]) -> bool {
            let load = || {
                if let Ok(model) = self.load(bytes) {
                    let _ = model.predict(&Tensor::ones(model.input_shape().batch(1)));
                }
            };
            catch_unwind(AssertUnwindSafe(load)).is_ok()
        }
    }

    fn small() -> Vec<u8> {
        let mut model = Sequential::new([3, 3, 1])
            .add(Conv2d::new(1, 2).kernel_regularizer(L2(0.01)))
            .add(MaxPooling2d::new(2))
            .add(Dropout::new(0.5))
            .add(Flatten::new())
            .add(Dense::new(2).activation(Softmax))
            .build(1)
            .unwrap();
        let sgd = Sgd::new(0.1).momentum(0.5);
        model.compile(Compile::new(sgd, CategoricalCrossentropy::new()).metric(Accuracy));
        let targets = datasets::one_hot(&[0, 1], 2).unwrap();
        model.fit(&pairs(Tensor::ones([2, 3, 3, 1]), targets), silent()).unwrap();
        saved(&model)
    }

    #[test]
    fn a_missing_file_is_an_error_with_its_path() {
        let scratch = Scratch::new("missing");
        let path = scratch.path("missing.safetensors");
        let error = Model::<f32>::load(&path).unwrap_err();
        assert!(matches!(&error, Error::Io { path: named, .. } if *named == path));
        assert_says(&error.to_string(), &[path.to_str().unwrap()]);

        let folder = scratch.path("folder.safetensors");
        std::fs::create_dir(&folder).unwrap();
        assert!(matches!(Model::<f32>::load(&folder), Err(Error::Io { .. })));
    }

    #[test]
    fn another_ending_is_an_error_that_names_the_right_one() {
        let scratch = Scratch::new("ending");
        for name in ["model", "model.txt", "model.hdf", "model.safetensors.bak", ".safetensors"] {
            let path = scratch.path(name);
            for error in [model().save(&path).unwrap_err(), Model::<f32>::load(&path).unwrap_err()]
            {
                assert!(matches!(error, Error::Format { .. }), "{error:?}");
                assert_says(&error.to_string(), &[name, "`.safetensors`"]);
            }
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_truncated_file_is_an_error() {
        let (bytes, loader) = (small(), Loader::new("truncated"));
        assert!(loader.load(&bytes).is_ok());
        for length in (0..bytes.len()).step_by(97).chain(bytes.len() - 9..bytes.len()) {
            assert_says(&loader.complaint(&bytes[..length]), &["not a complete safetensors file"]);
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_says(&loader.complaint(&longer), &["not a complete safetensors file"]);
    }

    #[test]
    fn a_flipped_byte_is_an_error_or_another_model() {
        let (bytes, loader) = (small(), Loader::new("flipped"));
        for at in 0..bytes.len() {
            // One bit, and all of them.
            for flip in [1 << (at % 8), 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= flip;
                assert!(loader.survives(&bytes), "byte {at} of {}, xor {flip}", bytes.len());
            }
        }
    }

    #[test]
    fn random_edits_are_errors_or_other_models() {
        let (bytes, loader) = (small(), Loader::new("edits"));
        let edit = (any::<Index>(), 0usize..20, vec(any::<u8>(), 0..20));
        let config =
            ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) };
        let result = TestRunner::new(config).run(&vec(edit, 1..6), |edits| {
            let mut bytes = bytes.clone();
            for (at, removed, inserted) in edits {
                let at = at.index(bytes.len() + 1);
                let end = (at + removed).min(bytes.len());
                bytes.splice(at..end, inserted);
            }
            prop_assert!(loader.survives(&bytes));
            Ok(())
        });
        result.unwrap();
    }

    /// Edits that keep the file well formed reach further than random ones.
    #[test]
    fn random_numbers_in_the_description_are_errors_or_other_models() {
        let (bytes, loader) = (small(), Loader::new("numbers"));
        let file = File::read(&bytes);
        let text = file.metadata["cinta"].as_str().unwrap();
        let digits: Vec<usize> = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| byte.is_ascii_digit())
            .map(|(i, _)| i)
            .collect();
        let number = prop_oneof![
            any::<u64>().prop_map(|number| number.to_string()),
            any::<i8>().prop_map(|number| number.to_string()),
            any::<f64>().prop_map(|number| format!("{number:e}")),
            "null|true|\"\"|\\[\\]|\\{\\}",
        ];
        let config =
            ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) };
        let result = TestRunner::new(config).run(&(any::<Index>(), number), |(at, number)| {
            let at = digits[at.index(digits.len())];
            let text = format!("{}{number}{}", &text[..at], &text[at + 1..]);
            let bytes = File { metadata: json!({ "cinta": text }), ..file.clone() }.bytes();
            prop_assert!(loader.survives(&bytes), "{text}");
            Ok(())
        });
        result.unwrap();
    }

    #[test]
    fn foreign_files_are_errors() {
        let loader = Loader::new("foreign");
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\0\0\0\0\x3a\x98\xa0\xbd";
        let hdf5 = b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\x04\0\x10\0";
        let huge = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
        let nested = "[".repeat(100_000);
        let nested = [&(nested.len() as u64).to_le_bytes()[..], nested.as_bytes()].concat();
        let text = "This is a text, and not a model. ".repeat(100);
        let zeros = [0; 1000];
        for bytes in [&png[..], hdf5, &huge, &nested, text.as_bytes(), &zeros, b"", b"x"] {
            assert_says(&loader.complaint(bytes), &["not a complete safetensors file"]);
        }
    }

    #[test]
    fn safetensors_files_of_other_programs_are_errors() {
        let loader = Loader::new("others");
        let tensors = vec![("w".to_owned(), "F32".to_owned(), vec![2], vec![0; 8])];
        for metadata in [json!({}), json!({ "format": "pt" })] {
            let bytes = File { metadata, tensors: tensors.clone() }.bytes();
            assert_says(&loader.complaint(&bytes), &["\"cinta\"", "no model of this crate"]);
        }
        let header = br#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 8]].concat();
        assert_says(&loader.complaint(&bytes), &["\"cinta\"", "no model of this crate"]);
        for description in ["", "no JSON", &"[".repeat(100_000), &"{\"a\":".repeat(100_000)] {
            let metadata = json!({ "cinta": description });
            let bytes = File { metadata, tensors: tensors.clone() }.bytes();
            assert_says(&loader.complaint(&bytes), &["damaged"]);
        }
        for description in ["null", "[]", "{}", "1"] {
            let metadata = json!({ "cinta": description });
            let bytes = File { metadata, tensors: tensors.clone() }.bytes();
            assert_says(&loader.complaint(&bytes), &["format"]);
        }
    }

    #[test]
    fn another_format_number_is_an_error() {
        let (file, loader) = (File::read(&small()), Loader::new("format"));
        for format in [json!(0), json!(2), json!(u64::MAX)] {
            let parts = [&format!("format {format}"), "format 1"];
            let file = file.described(|description| description["format"] = format);
            assert_says(&loader.complaint(&file.bytes()), &parts);
        }
        for format in [json!(-1), json!(1.5), json!("1"), Value::Null] {
            let file = file.described(|description| description["format"] = format);
            assert_says(&loader.complaint(&file.bytes()), &["format"]);
        }
    }

    #[test]
    fn weights_that_do_not_fit_the_architecture_are_errors() {
        let (file, loader) = (File::read(&small()), Loader::new("weights"));
        assert!(loader.load(&file.bytes()).is_ok());

        let mut other = file.clone();
        let (.., shape, _) = other.tensor("dense/kernel");
        shape.reverse();
        assert_says(&loader.complaint(&other.bytes()), &["dense/kernel", "[2, 1]", "[1, 2]"]);

        for name in ["dense/kernel", "optimizer/dense/kernel/momentum"] {
            let mut other = file.clone();
            other.tensors.retain(|(known, ..)| known != name);
            assert_says(&loader.complaint(&other.bytes()), &[name, "missing"]);
        }

        for name in ["dense_7/kernel", "kernel", "optimizer/dense/kernel/velocity"] {
            let mut other = file.clone();
            other.tensors.push((name.to_owned(), "F32".to_owned(), vec![1], vec![0; 4]));
            assert_says(&loader.complaint(&other.bytes()), &[name, "no layer"]);
        }

        let mut other = file.clone();
        other.tensor("dense/kernel").1 = "I32".to_owned();
        assert_says(&loader.complaint(&other.bytes()), &["dense/kernel", "I32", "F32"]);

        for value in [f32::NAN, f32::INFINITY] {
            for name in ["dense/bias", "optimizer/dense/bias/momentum"] {
                let mut other = file.clone();
                other.tensor(name).3[..4].copy_from_slice(&value.to_le_bytes());
                assert_says(&loader.complaint(&other.bytes()), &[name, "finite"]);
            }
        }
    }

    /// Loads the weights of a file into a model like that of [`small`], or says why not.
    fn weights_of(scratch: &Scratch, file: &File) -> Result<Model, String> {
        let path = scratch.path("weights.safetensors");
        std::fs::write(&path, file.bytes()).unwrap();
        let dense = Dense::new(2).activation(Softmax);
        let chain = Sequential::new([3, 3, 1]).add(Conv2d::new(1, 2)).add(MaxPooling2d::new(2));
        let mut model = chain.add(Flatten::new()).add(dense).build(9).unwrap();
        let before = model.get_weights();
        match model.load_weights(&path) {
            Ok(()) => Ok(model),
            Err(error) => {
                assert_eq!(model.get_weights(), before);
                Err(error.to_string())
            }
        }
    }

    #[test]
    fn weights_alone_are_those_of_the_model_and_no_others() {
        let (scratch, file) = (Scratch::new("weights-alone"), File::read(&small()));
        let whole = weights_of(&scratch, &file).unwrap();
        assert_eq!(
            whole.get_weights(),
            Loader::new("whole").load(&file.bytes()).unwrap().get_weights()
        );
        for name in
            ["dense_1/kernel", "dense/gamma", "optimizer/kernel", "optimizer/x/kernel/momentum"]
        {
            let mut other = file.clone();
            other.tensors.push((name.to_owned(), "F32".to_owned(), vec![1], vec![0; 4]));
            let expected = format!("the tensor {name} belongs to no layer of the model");
            assert_says(&weights_of(&scratch, &other).unwrap_err(), &[&expected]);
        }
    }

    /// 1.5, -2 and so on, which all types of numbers can hold.
    #[test]
    fn weights_of_16_bits_are_widened() {
        let (scratch, mut file) = (Scratch::new("16-bits"), File::read(&small()));
        for (dtype, one_and_a_half, minus_two) in
            [("F16", [0, 0x3E], [0, 0xC0]), ("BF16", [0xC0, 0x3F], [0, 0xC0])]
        {
            let (_, known, _, bytes) = file.tensor("dense/kernel");
            *known = dtype.to_owned();
            *bytes = [one_and_a_half, minus_two].concat();
            let loaded = Loader::new("halves").load(&file.bytes()).unwrap();
            for model in [loaded, weights_of(&scratch, &file).unwrap()] {
                assert_eq!(
                    model.weight("dense", "kernel").unwrap().to_vec(),
                    [1.5, -2.0],
                    "{dtype}"
                );
            }
        }
        let (_, known, _, bytes) = file.tensor("dense/kernel");
        *known = "F64".to_owned();
        *bytes = [0.1f64, 2.0].map(f64::to_le_bytes).concat();
        let expected =
            "dense/kernel is of type f64, and the model computes in f32, which would lose digits";
        assert_says(&weights_of(&scratch, &file).unwrap_err(), &[expected, "use a model of f64"]);

        let path = scratch.path("weights.safetensors");
        let build = || Sequential::<f64>::typed([1]).add(Dense::new(2)).build(9).unwrap();
        let narrow = Sequential::new([1]).add(Dense::new(2)).build(3).unwrap();
        narrow.save_weights(&path).unwrap();
        let mut wide = build();
        wide.load_weights(&path).unwrap();
        let expected = narrow.weight("dense", "kernel").unwrap().iter().map(f64::from);
        assert!(wide.weight("dense", "kernel").unwrap().iter().eq(expected));
    }

    #[test]
    fn layers_and_options_that_are_not_known_are_errors() {
        let (file, loader) = (File::read(&small()), Loader::new("options"));
        let says = |file: File, parts: &[&str]| {
            assert_says(&loader.complaint(&file.bytes()), parts);
        };
        let class = file.layer(1, |layer| layer["class_name"] = json!("no_such_thing"));
        let call = r#"Registry::new().layer("no_such_thing", ..)"#;
        says(class, &["layer conv2d (no_such_thing)", "not known", call]);

        for (layer, name, option, value) in [
            (1, "conv2d", "dilation_rate", json!([2, 0])),
            (1, "conv2d", "groups", json!(-2)),
            (1, "conv2d", "data_format", json!("channels_middle")),
            (1, "conv2d", "activation", json!("no_such_thing")),
            (1, "conv2d", "padding", json!("no_such_thing")),
            (1, "conv2d", "strides", json!([1, 0])),
            (1, "conv2d", "strides", json!([1, 1, 1])),
            (1, "conv2d", "kernel_size", json!(-1)),
            (1, "conv2d", "filters", json!(1.5)),
            (1, "conv2d", "use_bias", json!("yes")),
            (1, "conv2d", "kernel_constraint", json!("no_such_thing")),
            (1, "conv2d", "kernel_regularizer", json!("no_such_thing")),
            (1, "conv2d", "kernel_initializer", json!(7)),
            (1, "conv2d", "future", json!(true)),
            (2, "max_pooling2d", "pool_size", json!([2])),
            (2, "max_pooling2d", "strides", json!("two")),
            (3, "dropout", "rate", json!("half")),
            (3, "dropout", "noise_shape", json!([1, 2])),
            (4, "flatten", "data_format", json!("channels_middle")),
            (5, "dense", "units", json!(0)),
            (5, "dense", "units", json!(-3)),
            (5, "dense", "units", Value::Null),
        ] {
            let file = file.layer(layer, |layer| layer["config"][option] = value.clone());
            says(file, &[name, option]);
        }

        let rate = file.layer(3, |layer| layer["config"]["rate"] = json!(1.5));
        says(rate, &["dropout", "rate", "1.5"]);
        let penalty = json!({ "class_name": "L2", "config": { "l2": -1.0 } });
        let penalty = file.layer(1, |layer| layer["config"]["kernel_regularizer"] = penalty);
        says(penalty, &["conv2d", "penalty"]);
        let name = file.layer(1, |layer| layer["config"]["name"] = json!("a/b"));
        says(name, &["a/b"]);
        let name = file.layer(1, |layer| layer["config"]["name"] = json!("dense"));
        says(name, &["dense", "unique"]);
    }

    #[test]
    fn absurd_sizes_are_errors() {
        let (file, loader) = (File::read(&small()), Loader::new("absurd"));
        for units in [1_000_000_000_000_000, u64::MAX / 2, u64::MAX] {
            let dense = file.layer(5, |layer| layer["config"]["units"] = json!(units));
            assert_says(&loader.complaint(&dense.bytes()), &["dense"]);
            let conv = file.layer(1, |layer| layer["config"]["filters"] = json!(units));
            loader.complaint(&conv.bytes());
            let input = json!([null, units, 3, 1]);
            let input = file.layer(0, |layer| layer["config"]["batch_shape"] = input);
            loader.complaint(&input.bytes());
        }
        let float = file.layer(5, |layer| layer["config"]["units"] = json!(1e15));
        assert_says(&loader.complaint(&float.bytes()), &["dense", "units"]);
        for shape in
            [json!([null]), json!([null, 3, 3, 1, 1, 1, 1, 1]), json!(["2", 3, 3, 1]), json!(3)]
        {
            let input = file.layer(0, |layer| layer["config"]["batch_shape"] = shape);
            loader.complaint(&input.bytes());
        }
        let many = file.described(|description| {
            let layers = &mut description["config"]["config"]["layers"];
            let flatten = layers[4].clone();
            layers.as_array_mut().unwrap().splice(5..5, vec![flatten; 1000]);
        });
        assert_says(&loader.complaint(&many.bytes()), &["flatten", "unique"]);
    }

    #[test]
    fn parts_of_the_description_that_are_missing_are_errors() {
        let (file, loader) = (File::read(&small()), Loader::new("parts"));
        let without = |path: &[&str], name: &str| {
            file.described(|description| {
                let part = path.iter().fold(description, |value, name| &mut value[*name]);
                part.as_object_mut().unwrap().shift_remove(name).unwrap();
            })
        };
        for (path, name) in [
            (&[][..], "format"),
            (&[], "config"),
            (&[], "training"),
            (&["training"], "seed"),
            (&["training"], "iterations"),
            (&["config"], "class_name"),
            (&["config", "config"], "layers"),
            (&["config", "compile_config"], "optimizer"),
            (&["config", "compile_config"], "loss"),
        ] {
            loader.complaint(&without(path, name).bytes());
        }
        let functional = file.described(|description| {
            description["config"]["class_name"] = json!("no_such_model");
        });
        assert_says(&loader.complaint(&functional.bytes()), &["Functional", "Sequential"]);
        for (part, value) in [
            ("optimizer", json!("no_such_thing")),
            ("loss", json!("no_such_thing")),
            ("metrics", json!(["no_such_thing"])),
            ("metrics", json!("accuracy")),
            ("loss_weights", json!(["no_such_thing"])),
            ("loss_weights", json!([1.0, 2.0])),
        ] {
            let file = file.described(|description| {
                description["config"]["compile_config"][part] = value.clone();
            });
            assert_says(&loader.complaint(&file.bytes()), &["compile_config"]);
        }
        let rate = file.described(|description| {
            let optimizer = &mut description["config"]["compile_config"]["optimizer"];
            optimizer["config"]["learning_rate"] = json!(-1.0);
        });
        assert_says(&loader.complaint(&rate.bytes()), &["learning rate", "-1"]);
    }

    #[test]
    fn a_registry_that_makes_another_layer_is_an_error() {
        let (bytes, scratch) = (small(), Scratch::new("another-layer"));
        let path = scratch.path("model.safetensors");
        std::fs::write(&path, bytes).unwrap();
        let registry = Registry::new().layer("Dense", |_| Err("not today".into()));
        let error = Model::<f32>::load_with(&path, &registry).unwrap_err().to_string();
        assert_says(&error, &["dense", "Dense", "not today"]);
        let registry = Registry::new().layer("Dense", |_| Ok(Box::new(Flatten::new())));
        let error = Model::<f32>::load_with(&path, &registry).unwrap_err().to_string();
        assert_says(&error, &["dense"]);
    }
}
