//! Layers with several outputs: states of recurrent layers, models in models, and layers of one's own.

use cinta::prelude::*;
use cinta::{Config, Context, MultiLayer, Reason, Shape, Var};

fn numbers(shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    Tensor::new(
        shape,
        (0..shape.count()).map(|i| (i * 37 % 101) as f32 / 101.0 - 0.5).collect::<Vec<_>>(),
    )
}

/// An encoder whose states a decoder begins with.
fn translator() -> Model {
    let (words, answer) = (Input::named("words", [5, 3]), Input::named("answer", [4, 2]));
    let read = words.then(Lstm::new(3).return_state(true).name("encoder"));
    let decoder = Lstm::new(3).return_sequences(true).return_state(true).name("decoder");
    let x = decoder.of([&answer, &read.output(1), &read.output(2)]);
    let both = x.then(Bidirectional::new(Gru::new(2)).merge_mode(MergeMode::Apart));
    let y = Concatenate::new().of([&both, &both.output(1), &x.output(1)]);
    Model::new([&words, &answer], &y.then(Dense::new(2).name("said"))).build(1).unwrap()
}

#[test]
fn the_states_are_those_after_the_last_step() -> Result<(), Error> {
    let x = Input::new([6, 3]);
    let all = x.then(Lstm::new(4).return_sequences(true).return_state(true));
    let whole = Model::new(&x, [&all, &all.output(1), &all.output(2)]).build(3)?;
    let (steps, inputs) = (whole.get_weights(), numbers([2, 6, 3]));
    let [ys, h, c] = &whole.predict_all(&[&inputs])?[..] else { panic!("three outputs") };
    assert_eq!(ys.slice(1, 5..6).reshape([2, 4]), *h);

    // Two halves, of which the second one begins where the first one ends.
    let (a, b) = (Input::new([2, 3]), Input::new([4, 3]));
    let half = Shared::new(Lstm::new(4).return_sequences(true).return_state(true));
    let begun = half.of(&a);
    let ended = half.of([&b, &begun.output(1), &begun.output(2)]);
    let outputs = [&begun, &ended, &ended.output(1), &ended.output(2)];
    let mut halves = Model::new([&a, &b], outputs).build(4)?;
    halves.set_weights(&steps)?;
    let (front, back) = (inputs.slice(1, ..2), inputs.slice(1, 2..));
    let found = halves.predict_all(&[&front, &back])?;
    let joined =
        Tensor::concat(&[found[0].move_axis(1, 0), found[1].move_axis(1, 0)]).move_axis(0, 1);
    assert!(joined.all_close(ys, 1e-6, 1e-6));
    assert!(found[2].all_close(h, 1e-6, 1e-6) && found[3].all_close(c, 1e-6, 1e-6));
    Ok(())
}

/// What Keras's tutorials do after training: an encoder and a decoder, each as a model, of one that was trained as a whole.
#[test]
fn parts_of_a_translator() -> Result<(), Error> {
    let model = translator();
    let (words, answer) = (numbers([3, 5, 3]), numbers([3, 4, 2]));
    let whole = model.predict_all(&[&words, &answer])?;
    let (encoder, decoder) = (model.get_layer("encoder")?, model.get_layer("decoder")?);
    let [_, h, c] = encoder.outputs()[..] else { panic!("three outputs") };
    let states = model.sub_model(model.input(), [h, c])?.predict_all(&[&words])?;
    let rest = model.sub_model([decoder.input(), h, c], model.output())?;
    assert_eq!(rest.predict_all(&[&answer, &states[0], &states[1]])?, whole);
    Ok(())
}

#[test]
fn masks_leave_the_states_where_they_were() -> Result<(), Error> {
    let words = Input::new([4]);
    let x = words.then(Embedding::new(9, 3).mask_zero(true));
    let read = x.then(Gru::new(2).return_state(true).zero_output_for_mask(true));
    let model = Model::new(&words, [&read, &read.output(1)]).build(0)?;
    let both = Tensor::from([[3.0, 5.0, 0.0, 0.0]]);
    let found = model.predict_all(&[&both])?;
    assert_eq!(found[0].to_vec(), [0.0, 0.0]); // as in Keras
    let short = model.predict_all(&[&Tensor::from([[0.0, 0.0, 3.0, 5.0]])])?;
    assert_eq!(found[1], short[1]);
    assert_ne!(found[1].to_vec(), [0.0, 0.0]);
    Ok(())
}

#[test]
fn the_summary_is_that_of_keras() {
    let summary = translator().summary();
    for line in [
        "│ encoder (LSTM)                │ [(None, 3), (None, 3),    │              84 │ words[0][0]                │",
        "│                               │ (None, 3)]                │                 │                            │",
        "│ decoder (LSTM)                │ [(None, 4, 3), (None, 3), │              72 │ answer[0][0],              │",
        "│                               │ (None, 3)]                │                 │ encoder[0][1],             │",
        "│                               │                           │                 │ encoder[0][2]              │",
        "│ bidirectional (Bidirectional) │ [(None, 2), (None, 2)]    │              84 │ decoder[0][0]              │",
        "│ concatenate (Concatenate)     │ (None, 7)                 │               0 │ bidirectional[0][0],       │",
        "│                               │                           │                 │ bidirectional[0][1],       │",
    ] {
        assert!(summary.contains(line), "{line}\n{summary}");
    }
}

#[test]
fn a_model_with_several_outputs_in_a_model() -> Result<(), Error> {
    let x = Input::new([3]);
    let inner =
        Model::new(&x, [&x.then(Dense::new(4).activation(Softmax)), &x.then(Dense::new(2)), &x]);
    let inner = inner.name("inner").build(5)?;
    let x = Input::new([3]);
    let all = inner.as_layer().of(&x);
    let model = Model::new(&x, [&all.output(1), &all, &all.output(2)]).build(0)?;
    let inputs = numbers([2, 3]);
    let (own, found) = (inner.predict_all(&[&inputs])?, model.predict_all(&[&inputs])?);
    assert_eq!([&found[1], &found[0], &found[2]], [&own[0], &own[1], &own[2]]);
    Ok(())
}

/// `a + b` and `a - b`.
struct Both {
    promised: usize,
}

impl MultiLayer<f32> for Both {
    fn class_name(&self) -> &str {
        "Both"
    }
    fn config(&self) -> Config {
        Config::new()
    }
    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Reason> {
        Ok(inputs[0])
    }
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>, Reason> {
        Ok(vec![inputs[0]; self.promised])
    }
    fn forward<'t>(
        &self,
        _: &[Var<'t, f32>],
        inputs: &[&Var<'t, f32>],
        _: &mut Context<f32>,
    ) -> Var<'t, f32> {
        inputs[0] + inputs[1]
    }
    fn forward_all<'t>(
        &self,
        weights: &[Var<'t, f32>],
        inputs: &[&Var<'t, f32>],
        cx: &mut Context<f32>,
    ) -> Vec<Var<'t, f32>> {
        vec![self.forward(weights, inputs, cx), inputs[0] - inputs[1]]
    }
}

#[test]
fn a_layer_of_ones_own() -> Result<(), Error> {
    let (a, b) = (Input::new([2]), Input::new([2]));
    let both = Both { promised: 2 }.of([&a, &b]);
    // The difference twice, and the sum not at all.
    let model = Model::new([&a, &b], [&both.output(1), &both.output(1)]).build(0)?;
    assert_eq!(model.output_names(), ["both", "both_1"]);
    let found = model.predict_all(&[&Tensor::from([[5.0, 1.0]]), &Tensor::from([[2.0, 3.0]])])?;
    assert_eq!(found[0].to_vec(), [3.0, -2.0]);
    assert_eq!(found[0], found[1]);
    assert_eq!(model.get_layer("both")?.outputs().len(), 2);
    Ok(())
}

#[test]
#[should_panic(
    expected = "layer both (Both): forward_all gave 2 outputs, and output_shapes promised 3"
)]
fn a_layer_that_promises_too_much() {
    let (a, b) = (Input::new([2]), Input::new([2]));
    let model = Model::new([&a, &b], &Both { promised: 3 }.of([&a, &b])).build(0).unwrap();
    let ones = Tensor::ones([1, 2]);
    drop(model.predict_all(&[&ones, &ones]));
}

#[test]
fn outputs_and_states_that_do_not_fit_are_said() {
    let x = Input::new([5, 3]);
    let error = |node: Node| Model::new(&x, &node).build(0).unwrap_err().to_string();
    let plain = x.then(Lstm::new(4));
    assert_eq!(
        error(plain.output(1).then(Dense::new(2).name("next"))),
        "layer lstm (LSTM): next takes its output 1, and it has 1, counted from 0"
    );
    assert_eq!(
        error(Lstm::new(4).of([&x, &plain])),
        "layer lstm_1 (LSTM): begins with two states of shape [4] behind its sequences, or with none, and is given [4] \
         (its input is from input_layer and lstm)"
    );
    assert!(error(Gru::new(3).of([&x, &plain])).contains("begins with one state of shape [3]"),);
}
