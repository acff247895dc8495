//! Opening files whatever they were compiled with.

use cinta::Load;
use cinta::prelude::*;

mod scratch;
use scratch::Scratch;

fn trained() -> (Model, Dataset) {
    let data =
        Dataset::new(Tensor::from([[0.0], [1.0], [2.0]]), Tensor::from([[1.0], [3.0], [5.0]]));
    let data = data.unwrap();
    let mut model = Sequential::new([1]).add(Dense::new(1).name("optimizer")).build(3).unwrap();
    model.compile(Compile::new(Adam::new(0.1), MeanSquaredError));
    model.fit(&data, Fit { verbose: Verbose::Silent, ..Fit::default() }).unwrap();
    (model, data)
}

#[test]
fn a_model_opens_without_what_it_was_compiled_with() {
    let folder = Scratch::new("load-uncompiled");
    let (model, data) = trained();
    let formats: &[&str] =
        if cfg!(feature = "keras") { &["safetensors", "keras", "h5"] } else { &["safetensors"] };
    for format in formats {
        let file = folder.path(&format!("model.{format}"));
        model.save(&file).unwrap();
        let mut loaded: Model = Load::new(&file).compile(false).model().unwrap();
        assert_eq!(loaded.get_weights(), model.get_weights(), "{format}");
        let error = loaded.evaluate(&data).unwrap_err().to_string();
        assert!(error.contains("not compiled"), "{format}: {error}");
        // It can be compiled anew, and is trained from the weights that it has.
        loaded.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
        loaded.fit(&data, Fit { verbose: Verbose::Silent, ..Fit::default() }).unwrap();
        // As it was, otherwise.
        let compiled: Model = Load::new(&file).model().unwrap();
        assert_eq!(compiled.evaluate(&data).unwrap(), model.evaluate(&data).unwrap(), "{format}");
    }
}

#[test]
fn a_loss_that_nobody_knows_names_the_way_out() {
    let folder = Scratch::new("load-unknown");
    let (model, _) = trained();
    let file = folder.path("model.safetensors");
    model.save(&file).unwrap();
    let text = std::fs::read(&file).unwrap();
    // The same length, so that the header's stays right.
    let at = text.windows(18).position(|part| part == b"mean_squared_error").unwrap();
    let mut changed = text;
    changed[at..at + 18].copy_from_slice(b"no_such_thing_____");
    std::fs::write(&file, changed).unwrap();
    let error = Model::<f32>::load(&file).unwrap_err().to_string();
    assert!(error.contains("no_such_thing"), "{error}");
    assert!(error.ends_with("Load::new(path).compile(false)"), "{error}");
    let loaded: Model = Load::new(&file).compile(false).model().unwrap();
    assert_eq!(loaded.get_weights(), model.get_weights());
}

#[test]
fn the_decay_of_older_optimizers_is_a_schedule() {
    // What TensorFlow 2.10 wrote as training_config, in an archive's place for it.
    let (mut model, _) = trained();
    model.compile(Compile::new(Sgd::new(InverseTimeDecay::new(0.1, 1, 0.5)), MeanSquaredError));
    assert_eq!(model.learning_rate().unwrap(), 0.1);
    let written = serde_json::json!({ "lr": 0.1, "decay": 0.5 });
    let at =
        |t: f64| written["lr"].as_f64().unwrap() / (1.0 + written["decay"].as_f64().unwrap() * t);
    let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]])).unwrap();
    for step in 0..4 {
        assert!((model.learning_rate().unwrap() - at(f64::from(step))).abs() < 1e-12);
        model.fit(&data, Fit { verbose: Verbose::Silent, ..Fit::default() }).unwrap();
    }
}
