//! Every example of the lecture runs to its end, in a small setting.

mod scratch;

#[cfg(all(feature = "keras", feature = "digits", feature = "npy"))]
use cinta::prelude::*;
use scratch::Scratch;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program that `cargo test` built of an example.
fn program(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("the test's own program");
    let profile = this.parent().and_then(Path::parent).expect("target/PROFILE/deps");
    let program = profile.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "{}: `cargo test` builds it, `cargo test --test` does not",
        program.display()
    );
    program
}

/// Runs an example, and returns what it printed.
fn run(name: &str, flags: &[&str], pictures: &Path) -> String {
    let output = Command::new(program(name)).args(flags).env("CINTA_PICTURES", pictures).output();
    let output = output.unwrap_or_else(|error| panic!("{name}: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {flags:?}: {}\n{printed}{errors}", output.status);
    printed
}

fn assert_prints(name: &str, flags: &[&str], expected: &[&str], pictures: &[&str]) {
    let folder = Scratch::new(&format!("example-{name}"));
    let printed = run(name, flags, &folder.path("pictures"));
    for text in expected {
        assert!(printed.contains(text), "{name} did not print {text:?}:\n{printed}");
    }
    for picture in pictures {
        let file = folder.path("pictures").join(picture);
        let bytes =
            std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(
            bytes.starts_with(b"\x89PNG") && bytes.len() > 500,
            "{picture}: {} bytes",
            bytes.len()
        );
        assert!(printed.contains(picture), "{name} does not say that it wrote {picture}");
    }
}

#[test]
fn own_loop() {
    let expected = ["epoch  2: loss", "digits of the test set are recognised", "the loop took"];
    assert_prints("own_loop", &["2"], &expected, &[]);
}

/// It checks the gradients itself. Memory grows with the operations, up to twice what the list of them needs.
#[cfg(feature = "plot")]
#[test]
fn long_tape() {
    let expected = ["chains of 20 operations", "bytes each"];
    assert_prints("long_tape", &["200"], &expected, &["long_tape.png"]);
    let folder = Scratch::new("example-long_tape-bytes");
    let printed = run("long_tape", &["20000"], &folder.path("pictures"));
    let rows = printed.lines().skip(2).filter(|line| !line.starts_with("->"));
    let bytes: Vec<f64> = rows
        .map(|line| line.split_whitespace().last().expect("a column").parse().expect("a number"))
        .collect();
    let range = |fold: fn(f64, f64) -> f64| bytes.iter().copied().reduce(fold).expect("rows");
    assert!(bytes.len() == 10 && range(f64::max) < 2.0 * range(f64::min), "{printed}");
}

#[test]
fn gaussian_mixture() {
    let expected = ["step  400: surprise", "29 % with mean -1.99", "71 % with mean  0.98"];
    assert_prints("gaussian_mixture", &[], &expected, &[]);
}

#[test]
fn graph() {
    let expected =
        ["add (Add)", "Connected to", "global_average_pooling2d", "train loss=", "test loss="];
    let pictures: &[&str] = if cfg!(feature = "plot") { &["graph_model.png"] } else { &[] };
    assert_prints("graph", &["--epochs", "1", "--verbose", "2"], &expected, pictures);
}

#[test]
fn conv_layer() {
    let expected = ["a_1 = 1", "a_2 = 3", "shape [1, 3, 3, 4]", "= 40", "= 936"];
    assert_prints("conv_layer", &[], &expected, &[]);
}

#[test]
fn autograd() {
    let expected = [
        "%0 = leaf [2]",
        "by hand",
        "by tape",
        "%1 = cube(%0) [3]",
        "cube: Ok(())",
        "wrong_cube: ",
    ];
    assert_prints("autograd", &[], &expected, &[]);
}

#[cfg(feature = "digits")]
#[test]
fn physics_informed() {
    let folder = Scratch::new("example-physics_informed");
    let printed = run("physics_informed", &["1000"], &folder.path("pictures"));
    // The last column: how far the network is from the sine.
    let errors: Vec<f64> = printed
        .lines()
        .filter(|line| {
            line.split_whitespace().next().is_some_and(|word| word.parse::<u64>().is_ok())
        })
        .map(|line| line.split_whitespace().last().expect("a column").parse().expect("a number"))
        .collect();
    assert_eq!(errors.len(), 9, "{printed}");
    assert!(errors[8] < 0.1 && 20.0 * errors[8] < errors[0], "{printed}");
}

#[test]
fn pooling() {
    let expected =
        ["8 of 36 pixels differ", "0 of 9 values differ", "102450 parameters", "8x8 25650"];
    assert_prints("pooling", &[], &expected, &[]);
}

#[cfg(feature = "digits")]
#[test]
fn autoencoder() {
    let pictures: &[&str] = if cfg!(feature = "plot") { &["autoencoder.png"] } else { &[] };
    let expected = ["code (Dense)", "of the mean digit", "the first code: [["];
    assert_prints("autoencoder", &["--epochs", "4"], &expected, pictures);
}

/// It checks itself that it has learnt.
#[test]
fn series() {
    assert_prints("series", &[], &["batch_normalization", "test loss="], &[]);
}

/// It checks itself that the model of Keras was of use.
#[cfg(all(feature = "keras", feature = "digits"))]
#[test]
fn transfer() {
    assert_prints("transfer", &[], &["a new head:", "fine-tuned:", "from nothing:"], &[]);
}

#[cfg(feature = "digits")]
#[test]
fn lenet() {
    let expected = ["[3823, 16, 16, 1]", "Total params: 7,044", "train loss=", "test loss="];
    assert_prints("lenet", &["--epochs", "1", "--verbose", "0"], &expected, &[]);
}

#[cfg(feature = "plot")]
#[test]
fn filters_1d() {
    let pictures = ["filters_1d_average.png", "filters_1d_differences.png"];
    assert_prints("filters_1d", &[], &["Removed 5 rows", "as a correlation"], &pictures);
}

#[cfg(all(feature = "plot", feature = "images", feature = "digits"))]
#[test]
fn filters_2d() {
    let expected = ["photograph [174, 240]", "0.1111111", "blurred [172, 238]", "edges [170, 236]"];
    let pictures = [
        "filters_2d_photograph.png",
        "filters_2d_blurred.png",
        "filters_2d_edges.png",
        "filters_2d_diagonals.png",
    ];
    assert_prints("filters_2d", &[], &expected, &pictures);
}

#[cfg(all(feature = "plot", feature = "digits"))]
#[test]
fn weights() {
    let expected =
        ["[5, 5, 1, 8]", "[200, 8, 864, 12, 5400, 50, 500, 10]", "=  208", "= 5450", "total 7044"];
    let pictures = ["weights_conv_1.png", "weights_conv_2.png", "weights_conv_2_first_units.png"];
    assert_prints("weights", &["--epochs", "1"], &expected, &pictures);
}

#[cfg(all(feature = "plot", feature = "digits"))]
#[test]
fn activations() {
    let pictures = ["activations_04.png", "activations_33.png", "activations_50_both.png"];
    let expected = ["conv_1 [50, 16, 16, 8]", "conv_2 [50, 6, 6, 12]"];
    assert_prints("activations", &["--epochs", "1"], &expected, &pictures);
}

/// What the one writes, the other opens.
#[cfg(all(feature = "keras", feature = "digits", feature = "npy"))]
#[test]
fn keras_export_and_keras_import() {
    let folder = Scratch::new("example-keras");
    let printed = run("keras_export", &["--epochs", "1"], &folder.path("models"));
    for text in ["train loss=", "test loss=", "import keras", "lenet.keras\")", "lenet.weights.h5"]
    {
        assert!(printed.contains(text), "keras_export did not print {text:?}:\n{printed}");
    }
    for name in ["lenet.keras", "lenet.h5"] {
        let file = folder.path("models").join(name);
        let printed = run("keras_import", &[file.to_str().unwrap()], Path::new("."));
        assert!(printed.contains("Trainable params: 7,044"), "{name}: {printed}");
    }
    let output = Command::new(program("keras_import")).output().expect("a run");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("<MODEL>"), "{error}");
}

/// A layer of somebody's own, with this class.
#[cfg(all(feature = "keras", feature = "digits", feature = "npy"))]
struct Own(&'static str);

#[cfg(all(feature = "keras", feature = "digits", feature = "npy"))]
impl cinta::Layer<f32> for Own {
    fn class_name(&self) -> &str {
        self.0
    }
    fn config(&self) -> cinta::Config {
        cinta::Config::new()
    }
    fn output_shape(&self, input: cinta::Shape) -> Result<cinta::Shape, cinta::Reason> {
        Ok(input)
    }
    fn forward<'t>(
        &self,
        _: &[cinta::Var<'t, f32>],
        x: &cinta::Var<'t, f32>,
        _: &mut cinta::Context<f32>,
    ) -> cinta::Var<'t, f32> {
        x.clone()
    }
}

/// Everything that keeps a model from opening is printed, not the first of it alone.
#[cfg(all(feature = "keras", feature = "digits", feature = "npy"))]
#[test]
fn keras_import_says_all_that_is_not_supported() {
    let folder = Scratch::new("example-keras-unsupported");
    let dense = || Dense::new(3);
    let inner = Sequential::new([3]).add(Own("Deep")).add(dense()).build(0).unwrap();
    let model = Sequential::new([2]).add(Own("First")).add(dense()).add(Own("Second"));
    let model = model.add(inner.as_layer()).build(0).unwrap();
    for name in ["own.keras", "own.h5", "own.safetensors"] {
        let file = folder.path(name);
        model.save(&file).unwrap();
        let output = Command::new(program("keras_import")).arg(&file).output().expect("a run");
        assert_eq!(output.status.code(), Some(1), "{name}");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines.len(), 3, "{name}: {printed}");
        for (line, class) in lines.iter().zip(["First", "Second", "Deep"]) {
            assert!(line.starts_with("not supported: layer "), "{line}");
            let call = format!("Registry::new().layer({class:?}, ..)");
            assert!(line.contains(&format!("({class}): ")) && line.ends_with(&call), "{line}");
        }
        assert!(
            lines[2].contains("layer sequential (Sequential): layer deep (Deep): "),
            "{printed}"
        );
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("cannot be opened; reasons: 3"), "{error}");
    }
}

#[cfg(all(feature = "keras", feature = "digits", feature = "npy"))]
#[test]
fn keras_import_compares_and_converts() {
    let folder = Scratch::new("example-keras-compare");
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let (a, b) = (Input::new([3]), Input::named("b", [5]));
    let (left, right) = (a.then(Dense::new(2)), b.then(Dense::new(2)));
    let sum = Add::new().of([&left, &right]);
    let model = Model::new([&a, &b], [&sum, &right]).build(4).unwrap();
    model.save(path("two.keras")).unwrap();
    let inputs = [3, 5].map(|n| Tensor::uniform([6, n], -1.0, 1.0, &mut Stream::new(n as u64)));
    let outputs = model.predict_all(&[&inputs[0], &inputs[1]]).unwrap();
    for (name, array) in [("x0", &inputs[0]), ("x1", &inputs[1]), ("y0", &outputs[0])] {
        array.write_npy(path(&format!("{name}.npy"))).unwrap();
    }
    let compared = |second: &Tensor, convert: &str| {
        second.write_npy(path("y1.npy")).unwrap();
        let mut run = Command::new(program("keras_import"));
        run.arg(path("two.keras"));
        for (flag, file) in [("input", "x0"), ("input", "x1"), ("expect", "y0"), ("expect", "y1")] {
            run.args([format!("--{flag}"), path(&format!("{file}.npy"))]);
        }
        let output = run.args(["--convert", &path(convert)]).output().expect("a run");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(printed.contains("Total params: 20"), "{printed}");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), printed, error)
    };
    let (status, printed, error) = compared(&outputs[1], "same.h5");
    assert_eq!(status, Some(0), "{printed}{error}");
    for line in ["output 0 [6, 2] max abs diff 0.0e0", "output 1 [6, 2] max abs diff 0.0e0"] {
        assert!(printed.lines().any(|it| it == line), "{printed}");
    }
    let same: Model = Model::load(path("same.h5")).unwrap();
    assert_eq!(same.get_weights(), model.get_weights());

    let (status, printed, _) = compared(&(&outputs[1] + 5e-5), "near.safetensors");
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.contains("output 1 [6, 2] max abs diff 5.0e-5"), "{printed}");
    for (second, line) in [
        (&outputs[1] + 0.25, "output 1 [6, 2] max abs diff 2.5e-1"),
        (&outputs[1] * f32::NAN, "output 1 [6, 2] max abs diff NaN"),
        (outputs[1].slice(0, 1..), "output 1 [6, 2] expected shape [5, 2]"),
    ] {
        let (status, printed, error) = compared(&second, "far.h5");
        assert_eq!(status, Some(1), "{printed}");
        assert!(printed.lines().any(|it| it == line), "{printed}");
        assert!(error.contains("not within 1e-4 of what was expected: the outputs [1]"), "{error}");
        assert!(!folder.path("far.h5").exists());
    }
}

/// With the ZIP-code digits that `CINTA_DATA` names.
#[cfg(all(feature = "keras", feature = "digits", feature = "npy"))]
#[test]
fn keras_import_scores_a_model() {
    let Some(data) = std::env::var_os("CINTA_DATA") else {
        println!("skipped: CINTA_DATA does not name the folder of the data");
        return;
    };
    let data = PathBuf::from(data).join("lecture");
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/keras/lecture.keras");
    let flags = [model.to_str().unwrap(), "--data", data.to_str().unwrap()];
    let printed = run("keras_import", &flags, Path::new("."));
    let turned = run("keras_import", &[&flags[..], &["--transpose"]].concat(), Path::new("."));
    let scores = |printed: &str| {
        let lines: Vec<String> = printed.lines().rev().take(2).map(str::to_owned).collect();
        let starts = ["test loss=", "train loss="];
        assert!(lines.iter().zip(starts).all(|(line, start)| line.starts_with(start)), "{printed}");
        lines
    };
    assert_ne!(scores(&printed), scores(&turned));
}

#[test]
fn wrong_flags_are_explained() {
    let output = Command::new(program("autograd")).arg("--help").output();
    assert!(output.is_ok_and(|output| output.status.success()));
    #[cfg(feature = "digits")]
    for (flags, expected) in [
        (&["--epoch", "3"][..], "unexpected argument '--epoch'"),
        (&["--epochs", "many"], "invalid value 'many' for '--epochs"),
        (&["--save", "model.bin"], "--save model.bin: the name must end in .safetensors"),
        (&["--data", "nowhere"], "nowhere"),
        (&["--load", "nowhere.safetensors"], "nowhere.safetensors: "),
    ] {
        let output = Command::new(program("lenet")).args(flags).output().expect("a run");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(expected), "{flags:?}: {error}");
    }
}
