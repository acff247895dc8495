//! Models as files: training goes on where it stopped, and a file is complete or not there.

mod lenet;
mod scratch;

use cinta::prelude::*;
use cinta::{Config, Context, Initializer, Layer, Options, Registry, Shape, Stream, Var, Weight};
use scratch::Scratch;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Images of three classes; their number is no multiple of a batch or of a shard.
fn data() -> Dataset {
    let n = 70;
    let labels: Vec<usize> = (0..n).map(|i| i * 7 % 3).collect();
    let noise = Tensor::uniform([n, 6, 6, 1], 0.0, 0.5, &mut Stream::new(11));
    let bars = Tensor::from_fn([n, 6, 6, 1], |at| f32::from(at[1] / 2 == labels[at[0]]));
    Dataset::new(noise + bars, datasets::one_hot(&labels, 3).unwrap()).unwrap()
}

fn network(seed: u64) -> Model {
    Sequential::new([6, 6, 1])
        .name("bars")
        .add(Conv2d::new(3, 3).activation(Relu).kernel_regularizer(L2(0.01)).name("first"))
        .add(MaxPooling2d::new(2))
        .add(Dropout::new(0.25))
        .add(Flatten::new())
        .add(Dense::new(5).activation(Tanh))
        .add(Dropout::new(0.5))
        .add(Dense::new(3).activation(Softmax))
        .build(seed)
        .unwrap()
}

fn with_momentum() -> Compile {
    Compile::new(Sgd::new(0.05).momentum(0.5), CategoricalCrossentropy::new()).metric(Accuracy)
}

fn with_adam() -> Compile {
    Compile::new(Adam::new(0.01), CategoricalCrossentropy::new().label_smoothing(0.1))
}

fn fit(model: &mut Model, epochs: usize) -> History {
    let fit = Fit { epochs, batch_size: 48, verbose: Verbose::Silent, ..Fit::default() };
    model.fit(&data(), fit).unwrap()
}

fn bits(model: &Model) -> Vec<Vec<u32>> {
    let weights = model.get_weights();
    weights.iter().map(|weight| weight.iter().map(f32::to_bits).collect()).collect()
}

fn saved(scratch: &Scratch, model: &Model) -> Vec<u8> {
    let path = scratch.path("bytes.safetensors");
    model.save(&path).unwrap();
    fs::read(path).unwrap()
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn training_goes_on_where_a_file_stopped() {
    let scratch = Scratch::new("goes-on");
    for (optimizer, compile) in [("sgd", with_momentum()), ("adam", with_adam())] {
        let mut whole = network(5);
        whole.compile(compile.clone());
        let history = fit(&mut whole, 10);

        let mut half = network(5);
        half.compile(compile);
        let first = fit(&mut half, 5);
        let path = scratch.path(&format!("{optimizer}.safetensors"));
        half.save(&path).unwrap();
        let mut rest = Model::load(&path).unwrap();
        let second = fit(&mut rest, 5);

        assert_eq!(bits(&rest), bits(&whole), "{optimizer}");
        assert_eq!(saved(&scratch, &rest), saved(&scratch, &whole), "{optimizer}");
        assert_eq!([&first["loss"][..], &second["loss"]].concat(), history["loss"], "{optimizer}");
        assert_eq!([first.epochs(), second.epochs()].concat(), history.epochs(), "{optimizer}");
    }
}

#[test]
fn two_fits_of_five_epochs_are_one_of_ten() {
    let scratch = Scratch::new("two-fits");
    for compile in [with_momentum(), with_adam()] {
        let (mut one, mut two) = (network(5), network(5));
        one.compile(compile.clone());
        two.compile(compile);
        fit(&mut one, 10);
        fit(&mut two, 5);
        fit(&mut two, 5);
        assert_eq!(bits(&one), bits(&two));
        assert_eq!(saved(&scratch, &one), saved(&scratch, &two));
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let scratch = Scratch::new("same-seed");
    let trained = |seed| {
        let mut model = network(seed);
        model.compile(with_momentum());
        fit(&mut model, 2);
        model
    };
    let (model, again) = (trained(3), trained(3));
    let bytes = saved(&scratch, &model);
    assert_eq!(saved(&scratch, &model), bytes, "saved twice");
    assert_eq!(saved(&scratch, &again), bytes, "trained twice");
    assert_ne!(saved(&scratch, &trained(4)), bytes, "another seed");

    let path = scratch.path("model.safetensors");
    fs::write(&path, &bytes).unwrap();
    let loaded = Model::load(&path).unwrap();
    assert_eq!(saved(&scratch, &loaded), bytes, "loaded and saved");
}

#[test]
fn every_seed_survives() {
    let scratch = Scratch::new("every-seed");
    for seed in [0, 1 << 53 | 1, u64::MAX] {
        let mut model = network(seed);
        model.compile(with_momentum());
        let path = scratch.path("model.safetensors");
        model.save(&path).unwrap();
        let mut loaded = Model::load(&path).unwrap();
        fit(&mut model, 1);
        fit(&mut loaded, 1);
        assert_eq!(bits(&loaded), bits(&model), "seed {seed}");
    }
}

#[test]
fn a_model_that_is_not_compiled_is_saved_too() {
    let scratch = Scratch::new("not-compiled");
    let path = scratch.path("model.safetensors");
    let model = network(5);
    model.save(&path).unwrap();
    let mut loaded = Model::load(&path).unwrap();
    assert_eq!(bits(&loaded), bits(&model));
    assert!(matches!(loaded.evaluate(&data()), Err(Error::Config(_))));

    let mut compiled = network(5);
    compiled.compile(with_adam());
    loaded.compile(with_adam());
    fit(&mut compiled, 2);
    fit(&mut loaded, 2);
    assert_eq!(bits(&loaded), bits(&compiled));
}

#[test]
fn names_and_scores_survive() {
    let scratch = Scratch::new("names");
    let path = scratch.path("model.safetensors");
    let mut model = network(5);
    model.compile(with_momentum());
    fit(&mut model, 2);
    model.save(&path).unwrap();
    let loaded: Model = Model::load(&path).unwrap();
    let names: Vec<&str> = loaded.layers().map(|layer| layer.name()).collect();
    assert_eq!(
        names,
        ["first", "max_pooling2d", "dropout", "flatten", "dense", "dropout_1", "dense_1"]
    );
    assert_eq!(loaded.summary(), model.summary());
    assert_eq!(loaded.evaluate(&data()).unwrap(), model.evaluate(&data()).unwrap());
    assert_eq!(
        loaded.predict(data().inputs()).unwrap().to_vec(),
        model.predict(data().inputs()).unwrap().to_vec()
    );
}

#[test]
fn frozen_layers_stay_frozen() {
    let scratch = Scratch::new("frozen");
    let path = scratch.path("model.safetensors");
    let mut model = Sequential::new([6, 6, 1])
        .add(Conv2d::new(3, 3).kernel_regularizer(L2(0.5)).trainable(false).name("frozen"))
        .add(Flatten::new())
        .add(Dense::new(3).activation(Softmax))
        .build(8)
        .unwrap();
    model.compile(with_momentum());
    let frozen = model.weight("frozen", "kernel").unwrap().to_vec();
    fit(&mut model, 1);
    model.save(&path).unwrap();
    let mut loaded = Model::load(&path).unwrap();
    assert_eq!(loaded.evaluate(&data()).unwrap(), model.evaluate(&data()).unwrap());
    let dense = loaded.weight("dense", "kernel").unwrap().to_vec();
    fit(&mut loaded, 1);
    assert_eq!(loaded.weight("frozen", "kernel").unwrap().to_vec(), frozen);
    assert_ne!(loaded.weight("dense", "kernel").unwrap().to_vec(), dense);
}

#[test]
fn models_of_f64_keep_every_bit() {
    let scratch = Scratch::new("f64");
    let path = scratch.path("model.safetensors");
    let mut model =
        Sequential::<f64>::typed([4]).add(Dense::new(3).activation(Tanh)).build(2).unwrap();
    model.compile(Compile::new(Adam::new(0.01), MeanSquaredError));
    let x = Tensor::uniform([20, 4], -1.0, 1.0, &mut Stream::new(1));
    let data = Dataset::new(x.clone(), x.slice(1, 0..3)).unwrap();
    let fit = || Fit { epochs: 3, verbose: Verbose::Silent, ..Fit::default() };
    model.fit(&data, fit()).unwrap();
    model.save(&path).unwrap();
    let mut loaded = Model::<f64>::load(&path).unwrap();
    model.fit(&data, fit()).unwrap();
    loaded.fit(&data, fit()).unwrap();
    for (a, b) in model.get_weights().iter().zip(loaded.get_weights()) {
        assert!(a.iter().map(f64::to_bits).eq(b.iter().map(f64::to_bits)));
    }
}

#[test]
fn another_element_type_is_an_error_that_names_both() {
    let scratch = Scratch::new("types");
    let path = scratch.path("model.safetensors");
    let wide = Sequential::<f64>::typed([4]).add(Dense::new(3)).build(2).unwrap();
    wide.save(&path).unwrap();
    let error = Model::<f32>::load(&path).unwrap_err().to_string();
    assert!(error.contains("float64") && error.contains("float32"), "{error}");

    let narrow = Sequential::new([4]).add(Dense::new(3)).build(2).unwrap();
    narrow.save(&path).unwrap();
    let error = Model::<f64>::load(&path).unwrap_err().to_string();
    assert!(error.contains("float64") && error.contains("float32"), "{error}");
}

/// Multiplies channels by weights of its own, and everything by a constant.
struct Scale {
    by: f64,
}

impl Layer<f32> for Scale {
    fn class_name(&self) -> &str {
        "Scale"
    }

    fn config(&self) -> Config {
        Config::from_iter([("by".to_owned(), self.by.into())])
    }

    fn output_shape(&self, input: Shape) -> Result<Shape, cinta::Reason> {
        if input.is_empty() { Err("needs an axis of channels".into()) } else { Ok(input) }
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let channels = [input[input.rank() - 1]];
        vec![
            Weight::new("factors", channels, Initializer::RandomNormal { mean: 1.0, stddev: 0.1 }),
            Weight::new("fixed", channels, Initializer::Ones).trainable(false),
        ]
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, f32>],
        x: &Var<'t, f32>,
        _: &mut Context<f32>,
    ) -> Var<'t, f32> {
        (x * self.by as f32) * &weights[0] * &weights[1]
    }
}

#[test]
fn layers_of_ones_own_come_back_through_a_registry() {
    let scratch = Scratch::new("registry");
    let path = scratch.path("model.safetensors");
    let mut model = Sequential::new([6, 6, 1])
        .add(Conv2d::new(2, 3).activation(Relu))
        .add(Scale { by: 0.75 })
        .add(Flatten::new())
        .add(Dense::new(3).activation(Softmax))
        .build(4)
        .unwrap();
    model.compile(with_momentum());
    fit(&mut model, 2);
    model.save(&path).unwrap();

    let error = Model::<f32>::load(&path).unwrap_err().to_string();
    assert!(error.contains("Scale") && error.contains("Registry"), "{error}");

    let registry = Registry::new().layer("Scale", |config| {
        let mut options = Options::new(config);
        let by = options.number("by")?;
        options.finish()?;
        Ok(Box::new(Scale { by }))
    });
    let mut loaded = Model::load_with(&path, &registry).unwrap();
    assert_eq!(loaded.get_layer("scale").unwrap().class_name(), "Scale");
    fit(&mut model, 2);
    fit(&mut loaded, 2);
    assert_eq!(bits(&loaded), bits(&model));
    assert_eq!(loaded.weight("scale", "fixed").unwrap().to_vec(), [1.0, 1.0]);
}

/// A loss that no file can describe beyond its name.
struct Absolute;

impl cinta::Loss<f32> for Absolute {
    fn name(&self) -> &str {
        "absolute"
    }

    fn per_sample<'t>(&self, targets: &Tensor<f32>, predictions: &Var<'t, f32>) -> Var<'t, f32> {
        let difference = predictions - &Var::constant(targets.clone());
        (difference.square() + 1e-6).sqrt().mean(1)
    }
}

#[test]
fn a_loss_of_ones_own_comes_back_through_a_registry() {
    let scratch = Scratch::new("accepts");
    let path = scratch.path("model.safetensors");
    let mut model = network(5);
    model.compile(Compile::new(Sgd::new(0.01), Absolute));
    fit(&mut model, 1);
    model.save(&path).unwrap();
    let error = Model::<f32>::load(&path).unwrap_err().to_string();
    assert!(error.contains("the loss absolute is not known"), "{error}");

    let registry = Registry::new().loss("absolute", |_| Ok(Box::new(Absolute)));
    let mut loaded = Model::load_with(&path, &registry).unwrap();
    fit(&mut model, 1);
    fit(&mut loaded, 1);
    assert_eq!(loaded.get_weights(), model.get_weights());
}

#[test]
fn a_senseless_rate_is_not_saved() {
    let scratch = Scratch::new("senseless-rate");
    let path = scratch.path("model.safetensors");
    // JSON has no such numbers, so that another rate would come back.
    for rate in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut model = network(5);
        model.compile(Compile::new(Sgd::new(rate), CategoricalCrossentropy::new()));
        let error = model.save(&path).unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{error}");
        let expected = format!("the learning rate is {rate}; it is finite");
        assert!(error.to_string().contains(&expected), "{error}");
        assert!(!path.exists());
    }
}

#[test]
fn a_model_after_large_gradients_is_saved_and_loaded() {
    let scratch = Scratch::new("large-gradients");
    let path = scratch.path("model.safetensors");
    let mut model = Sequential::new([1]).add(Dense::new(1)).build(0).unwrap();
    model.compile(Compile::new(Adam::new(0.01), MeanSquaredError));
    // The loss and the gradient, about 1e24, are finite; the gradient's square is not.
    let data = Dataset::new(Tensor::from([[1e12]]), Tensor::from([[1e12]])).unwrap();
    let fitted = model.fit(&data, Fit { verbose: Verbose::Silent, ..Fit::default() });
    assert!(matches!(fitted, Err(Error::Diverged { .. })));
    // What the optimizer keeps is that of before, too.
    model.save(&path).unwrap();
    assert_eq!(bits(&Model::load(&path).unwrap()), bits(&model));
}

#[test]
fn a_save_that_cannot_begin_leaves_nothing_behind() {
    let scratch = Scratch::new("cannot-begin");
    let model = network(5);

    let nowhere = scratch.path("no-such-folder/model.safetensors");
    let error = model.save(&nowhere).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == nowhere), "{error}");
    assert!(!scratch.path("no-such-folder").exists());

    let folder = scratch.path("folder.safetensors");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("inside"), "kept").unwrap();
    assert!(matches!(model.save(&folder), Err(Error::Io { .. })));
    assert_eq!(names_in(&folder), ["inside"]);

    let empty = scratch.path("empty.safetensors");
    fs::create_dir(&empty).unwrap();
    assert!(matches!(model.save(&empty), Err(Error::Io { .. })));
    assert!(empty.is_dir());

    let file = scratch.path("notes.txt");
    fs::write(&file, "kept").unwrap();
    assert!(matches!(model.save(&file), Err(Error::Format { .. })));
    assert!(model.save(file.join("model.safetensors")).is_err());
    assert_eq!(fs::read(&file).unwrap(), b"kept");

    assert_eq!(
        names_in(&scratch.path(".")),
        ["empty.safetensors", "folder.safetensors", "notes.txt"]
    );
}

/// Tells the test below, which runs itself under a limit, where to save.
#[cfg(unix)]
const LIMITED: &str = "CINTA_TEST_SAVE_UNDER_A_LIMIT";

#[cfg(unix)]
#[test]
fn a_save_that_fails_halfway_leaves_the_old_file() {
    if let Some(path) = std::env::var_os(LIMITED) {
        let error = network(6).save(path).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
        return;
    }
    let scratch = Scratch::new("fails-halfway");
    let path = scratch.path("model.safetensors");
    network(5).save(&path).unwrap();
    let before = fs::read(&path).unwrap();

    // A file-size limit stands in for a full disk: writing fails after the first block or two.
    let limited = "trap '' XFSZ && ulimit -f 1 && exec \"$0\" --exact \"$1\"";
    let child = std::process::Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .arg("a_save_that_fails_halfway_leaves_the_old_file")
        .env(LIMITED, &path)
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(names_in(&scratch.path(".")), ["model.safetensors"]);
}

#[test]
fn a_file_name_as_long_as_the_system_allows_can_be_saved() {
    let scratch = Scratch::new("long-name");
    let path = scratch.path(&("m".repeat(243) + ".safetensors"));
    fs::write(&path, "an older file of that name").unwrap();
    network(5).save(&path).unwrap();
    Model::<f32>::load(&path).unwrap();
}

#[test]
fn readers_never_see_half_a_file() {
    let scratch = Scratch::new("readers");
    let path = scratch.path("model.safetensors");
    let small = network(5);
    let large = Sequential::new([50]).add(Dense::new(200)).build(6).unwrap();
    small.save(&path).unwrap();
    let done = AtomicBool::new(false);
    let loads = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut loads = 0;
            while !done.load(Ordering::Relaxed) {
                let loaded = Model::load(&path).unwrap();
                let saved =
                    if loaded.count_params() == small.count_params() { &small } else { &large };
                assert_eq!(bits(&loaded), bits(saved));
                loads += 1;
            }
            loads
        });
        for _ in 0..20 {
            large.save(&path).unwrap();
            small.save(&path).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(loads > 0);
    assert_eq!(names_in(&scratch.path(".")), ["model.safetensors"]);
}

#[test]
fn writers_do_not_get_into_each_others_way() {
    let scratch = Scratch::new("writers");
    let path = scratch.path("model.safetensors");
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let path = &path;
            scope.spawn(move || (0..5).for_each(|_| network(seed).save(path).unwrap()));
        }
    });
    let loaded = Model::load(&path).unwrap();
    assert!((0..4).any(|seed| bits(&network(seed)) == bits(&loaded)));
    assert_eq!(names_in(&scratch.path(".")), ["model.safetensors"]);
}

/// Tells the test below, which runs itself to be killed, where to save.
const KILLED: &str = "CINTA_TEST_SAVE_UNTIL_KILLED";

/// The models that are saved one after the other until the process is killed.
fn alternatives() -> [Model; 2] {
    [5, 6].map(|seed| {
        Sequential::new([50]).add(Dense::new(200 + 10 * seed)).build(seed as u64).unwrap()
    })
}

/// A process that is killed when the test is over, however it ends.
struct Child(std::process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// With `CINTA_TEST_KILLS=1000` in the environment, a thousand times.
#[test]
fn a_save_that_is_killed_leaves_the_old_model_or_the_new_one() {
    let models = alternatives();
    if let Some(path) = std::env::var_os(KILLED) {
        // Not without end, should the other process be gone.
        for i in 0..100_000 {
            models[i % 2].save(&path).unwrap();
        }
        return;
    }
    let scratch = Scratch::new("killed");
    let path = scratch.path("model.safetensors");
    models[0].save(&path).unwrap();
    let kills = std::env::var("CINTA_TEST_KILLS").map_or(30, |kills| kills.parse().unwrap());
    let mut random = Stream::new(std::process::id().into());
    let (mut loaded, mut interrupted) = ([0; 2], 0);
    for _ in 0..kills {
        let seen = fs::metadata(&path).unwrap().modified().unwrap();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "a_save_that_is_killed_leaves_the_old_model_or_the_new_one"]);
        let child = child.env(KILLED, &path).stdout(std::process::Stdio::null());
        let child = Child(child.spawn().unwrap());
        // Until it has begun to save, and then for a moment.
        while fs::metadata(&path).unwrap().modified().unwrap() == seen {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let moment = Tensor::<f32>::uniform([1], 0.0, 5000.0, &mut random).item();
        std::thread::sleep(std::time::Duration::from_micros(moment as u64));
        drop(child);

        let found = bits(&Model::load(&path).unwrap());
        let which = models.iter().position(|model| bits(model) == found);
        loaded[which.expect("one of the two models")] += 1;
        // The first save of the next process removes what the last one left.
        let names = names_in(&scratch.path("."));
        assert!(names.len() <= 2, "{names:?}");
        interrupted += names.len() - 1;
    }
    println!("{interrupted} of {kills} saves were interrupted; the models were {loaded:?}");
    assert!(interrupted > 0, "no save was interrupted: {loaded:?}");
    models[1].save(&path).unwrap();
    assert_eq!(names_in(&scratch.path(".")), ["model.safetensors"]);
}

#[cfg(unix)]
mod links_and_modes {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    #[track_caller]
    fn assert_holds(path: &Path, model: &Model) {
        assert!(!path.is_symlink(), "{} became a link", path.display());
        assert_eq!(bits(&Model::load(path).unwrap()), bits(model));
    }

    #[test]
    fn a_link_stays_and_its_target_is_written() {
        let scratch = Scratch::new("links");
        let [first, second] = [network(5), network(6)];
        fs::create_dir(scratch.path("data")).unwrap();
        fs::create_dir(scratch.path("links")).unwrap();
        let target = scratch.path("data/run-1.safetensors");
        // A relative link, one to it by its full path, and one through a folder that is a link.
        let near = scratch.path("links/near.safetensors");
        symlink("../data/run-1.safetensors", &near).unwrap();
        let far = scratch.path("far.safetensors");
        symlink(&near, &far).unwrap();
        symlink("links", scratch.path("folder")).unwrap();
        let through = scratch.path("folder/near.safetensors");

        // The target of the first save is not there yet.
        for path in [&near, &far, &through, &target] {
            for model in [&first, &second] {
                model.save(path).unwrap();
                assert_holds(&target, model);
                assert_eq!(bits(&Model::load(path).unwrap()), bits(model));
            }
            fs::remove_file(&target).unwrap();
        }
        assert_eq!(fs::read_link(&near).unwrap(), Path::new("../data/run-1.safetensors"));
        assert_eq!(fs::read_link(&far).unwrap(), near);
        assert_eq!(names_in(&scratch.path("links")), ["near.safetensors"]);
        assert_eq!(names_in(&scratch.path("data")), [""; 0]);
    }

    #[test]
    fn links_that_lead_to_no_file_are_errors() {
        let scratch = Scratch::new("bad-links");
        fs::create_dir(scratch.path("inside")).unwrap();
        symlink("round.safetensors", scratch.path("round.safetensors")).unwrap();
        symlink("inside", scratch.path("folder.safetensors")).unwrap();
        symlink("/dev/null", scratch.path("device.safetensors")).unwrap();
        symlink("nowhere/model.safetensors", scratch.path("nowhere.safetensors")).unwrap();
        let before = names_in(&scratch.path("."));
        for (name, expected) in [
            ("round", "symbolic links"),
            ("folder", "directory"),
            ("device", "a device or a pipe; save to a file"),
            ("nowhere", "No such file"),
        ] {
            let path = scratch.path(&format!("{name}.safetensors"));
            let error = network(5).save(&path).unwrap_err();
            assert!(matches!(&error, Error::Io { path: named, .. } if *named == path), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
            assert!(path.is_symlink());
        }
        assert_eq!(names_in(&scratch.path(".")), before);
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn a_file_keeps_its_mode() {
        let scratch = Scratch::new("modes");
        let fresh = scratch.path("fresh.safetensors");
        network(5).save(&fresh).unwrap();
        let by_default = scratch.path("default");
        fs::write(&by_default, "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&fresh), mode(&by_default));

        let path = scratch.path("model.safetensors");
        fs::write(&path, "").unwrap();
        for wanted in [0o600, 0o640, 0o666, 0o755, 0o444] {
            fs::set_permissions(&path, fs::Permissions::from_mode(wanted)).unwrap();
            network(6).save(&path).unwrap();
            assert_eq!(mode(&path), wanted, "{wanted:o}");
            assert_holds(&path, &network(6));
        }
    }

    #[test]
    fn a_file_keeps_its_owner_where_the_system_lets_us() {
        let scratch = Scratch::new("owners");
        let path = scratch.path("model.safetensors");
        network(5).save(&path).unwrap();
        // Only an administrator may give files away.
        if chown(&path, Some(4711), Some(4712)).is_err() {
            return;
        }
        network(6).save(&path).unwrap();
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), found.gid()), (4711, 4712));
        assert_holds(&path, &network(6));
    }
}

/// The JSON header of a safetensors file: its length in 8 bytes, then the text.
fn header(bytes: &[u8]) -> Value {
    let (length, rest) = bytes.split_first_chunk().unwrap();
    serde_json::from_slice(&rest[..u64::from_le_bytes(*length) as usize]).unwrap()
}

fn description(bytes: &[u8]) -> Value {
    let header = header(bytes);
    let metadata = header["__metadata__"].as_object().unwrap();
    assert_eq!(metadata.keys().collect::<Vec<_>>(), ["cinta"]);
    serde_json::from_str(metadata["cinta"].as_str().unwrap()).unwrap()
}

/// The lecture's network.
fn lenet() -> Model {
    let mut model = lenet::network(72_881);
    model.compile(lenet::compile());
    model
}

/// An object as Keras 3.15 writes it.
fn keras(module: &str, class_name: &str, config: Value) -> Value {
    json!({ "module": module, "class_name": class_name, "config": config, "registered_name": null })
}

fn float32() -> Value {
    keras("keras", "DTypePolicy", json!({ "name": "float32" }))
}

fn glorot() -> Value {
    let config = json!({ "seed": null, "input_axes": null, "output_axes": null });
    keras("keras.initializers", "GlorotUniform", config)
}

fn zeros() -> Value {
    keras("keras.initializers", "Zeros", json!({}))
}

fn l2() -> Value {
    keras("keras.regularizers", "L2", json!({ "l2": 0.01 }))
}

fn keras_conv(name: &str, filters: usize, size: usize, padding: &str, input: Value) -> Value {
    let config = json!({
        "name": name, "trainable": true, "dtype": float32(), "filters": filters,
        "kernel_size": [size, size], "strides": [1, 1], "padding": padding,
        "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1,
        "activation": "relu", "use_bias": true, "kernel_initializer": glorot(),
        "bias_initializer": zeros(), "kernel_regularizer": l2(), "bias_regularizer": null,
        "activity_regularizer": null, "kernel_constraint": null, "bias_constraint": null,
    });
    with_input(keras("keras.layers", "Conv2D", config), input)
}

fn keras_pool(name: &str) -> Value {
    let config = json!({
        "name": name, "trainable": true, "dtype": float32(), "pool_size": [2, 2],
        "padding": "valid", "strides": [2, 2], "data_format": "channels_last",
    });
    keras("keras.layers", "MaxPooling2D", config)
}

fn keras_dropout(name: &str, rate: f64) -> Value {
    let config = json!({
        "name": name, "trainable": true, "dtype": float32(), "rate": rate, "seed": null,
        "noise_shape": null,
    });
    keras("keras.layers", "Dropout", config)
}

fn keras_dense(name: &str, units: usize, activation: &str, input: Value) -> Value {
    let config = json!({
        "name": name, "trainable": true, "dtype": float32(), "units": units,
        "activation": activation, "use_bias": true, "kernel_initializer": glorot(),
        "bias_initializer": zeros(), "kernel_regularizer": l2(), "bias_regularizer": null,
        "kernel_constraint": null, "bias_constraint": null, "quantization_config": null,
    });
    with_input(keras("keras.layers", "Dense", config), input)
}

fn with_input(mut layer: Value, input: Value) -> Value {
    layer["build_config"] = json!({ "input_shape": input });
    layer
}

/// The layers of the `config.json` that Keras 3.15 writes for the lecture's network, without the
/// ids of shared objects, which are addresses.
fn keras_layers() -> Vec<Value> {
    let input = json!({
        "batch_shape": [null, 16, 16, 1], "dtype": "float32", "sparse": false, "ragged": false,
        "name": "input_layer", "optional": false,
    });
    let flatten = json!({
        "name": "flatten", "trainable": true, "dtype": float32(), "data_format": "channels_last",
    });
    vec![
        keras("keras.layers", "InputLayer", input),
        keras_conv("conv_1", 8, 5, "same", json!([null, 16, 16, 1])),
        keras_pool("max_pooling2d"),
        keras_dropout("dropout", 0.25),
        keras_conv("conv_2", 12, 3, "valid", json!([null, 8, 8, 8])),
        keras_pool("max_pooling2d_1"),
        keras_dropout("dropout_1", 0.25),
        with_input(keras("keras.layers", "Flatten", flatten), json!([null, 3, 3, 12])),
        keras_dense("dense", 50, "relu", json!([null, 108])),
        keras_dropout("dropout_2", 0.5),
        keras_dense("dense_1", 10, "softmax", json!([null, 50])),
    ]
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_architecture_is_written_as_keras_writes_it() {
    let scratch = Scratch::new("architecture");
    let description = description(&saved(&scratch, &lenet()));
    let model = &description["config"];
    assert_eq!(
        keys(model),
        ["module", "class_name", "config", "registered_name", "build_config", "compile_config"]
    );
    let shape = json!([null, 16, 16, 1]);
    assert_eq!(model["build_config"], json!({ "input_shape": shape }));
    let config = &model["config"];
    assert_eq!(keys(config), ["name", "trainable", "dtype", "layers", "build_input_shape"]);
    assert_eq!(config["name"], "sequential");
    assert_eq!(config["build_input_shape"], shape);

    let layers = config["layers"].as_array().unwrap();
    assert_eq!(layers.len(), 11);
    for (ours, keras) in layers.iter().zip(keras_layers()) {
        // As texts, because objects are equal in any order.
        assert_eq!(ours.to_string(), keras.to_string());
    }
}

#[test]
fn what_a_model_is_compiled_with_is_written_as_keras_writes_it() {
    let scratch = Scratch::new("compile-config");
    let description = description(&saved(&scratch, &lenet()));
    let optimizer = json!({
        "name": "sgd", "learning_rate": 0.02, "weight_decay": null, "clipnorm": null,
        "global_clipnorm": null, "clipvalue": null, "use_ema": false, "ema_momentum": 0.99,
        "ema_overwrite_frequency": null, "loss_scale_factor": null,
        "gradient_accumulation_steps": null, "momentum": 0.5, "nesterov": false,
    });
    let expected = json!({
        "optimizer": keras("keras.optimizers", "SGD", optimizer),
        "loss": "categorical_crossentropy", "loss_weights": null,
        "metrics": ["accuracy", "categorical_crossentropy"], "weighted_metrics": null,
        "run_eagerly": false, "steps_per_execution": 1, "jit_compile": false,
    });
    assert_eq!(description["config"]["compile_config"].to_string(), expected.to_string());
}

#[test]
fn tensors_are_named_by_layer_and_weight() {
    let scratch = Scratch::new("tensors");
    let mut model = network(5);
    model.compile(with_adam());
    fit(&mut model, 1);
    let header = header(&saved(&scratch, &model));
    let mut names = keys(&header);
    names.retain(|name| *name != "__metadata__");
    names.sort_unstable();
    let mut expected = Vec::new();
    for layer in ["first", "dense", "dense_1"] {
        for weight in ["kernel", "bias"] {
            expected.push(format!("{layer}/{weight}"));
            for slot in ["momentum", "velocity"] {
                expected.push(format!("optimizer/{layer}/{weight}/{slot}"));
            }
        }
    }
    expected.sort();
    assert_eq!(names, expected);
    assert_eq!(header["first/kernel"]["shape"], json!([3, 3, 1, 3]));
    assert_eq!(header["first/kernel"]["dtype"], "F32");
}

/// The name of a temporary file of this crate.
fn temporary(i: usize) -> String {
    format!(".cinta-{i:016x}.tmp")
}

#[test]
fn a_save_never_touches_files_of_others() {
    let scratch = Scratch::new("others");
    // What another save writes is locked.
    let in_use = scratch.path(&temporary(1));
    let open = fs::File::create_new(&in_use).unwrap();
    open.lock().unwrap();
    fs::write(scratch.path(".cinta-1234-0.tmp"), "mine").unwrap();
    fs::write(scratch.path("cinta.tmp"), "mine").unwrap();
    fs::create_dir(scratch.path(&temporary(2))).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("cinta.tmp", scratch.path(&temporary(3))).unwrap();
    let before = names_in(&scratch.path("."));

    network(5).save(scratch.path("model.safetensors")).unwrap();
    assert!(
        names_in(&scratch.path(".")).iter().filter(|name| *name != "model.safetensors").eq(&before)
    );
    assert_eq!(fs::read(scratch.path("cinta.tmp")).unwrap(), b"mine");

    // Once nobody has it open, it is abandoned.
    drop(open);
    network(5).save(scratch.path("model.safetensors")).unwrap();
    assert!(!in_use.exists());
}

/// A layer that writes its own name and type into its options, as Keras's layers do.
struct Talkative;

impl Layer<f32> for Talkative {
    fn class_name(&self) -> &str {
        "Talkative"
    }

    fn config(&self) -> Config {
        let options = [("name", "other"), ("dtype", "float16"), ("word", "hello")];
        options.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
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
        x.clone()
    }
}

#[test]
fn the_model_decides_on_a_layers_name_and_type() {
    let scratch = Scratch::new("talkative");
    let path = scratch.path("model.safetensors");
    Sequential::new([3]).add(Talkative).build(0).unwrap().save(&path).unwrap();
    let registry = Registry::new().layer("Talkative", |config| {
        assert_eq!(config.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["word"]);
        Ok(Box::new(Talkative))
    });
    let loaded = Model::load_with(&path, &registry).unwrap();
    assert_eq!(loaded.layers().next().unwrap().name(), "talkative");
}
