//! What the targets share.

pub mod archive;
pub mod naive;

use cinta::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A folder of this process. Readers take paths, so each input becomes a file first; `TMPDIR=/dev/shm` keeps it in memory.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("files"));

/// A new folder of this process.
pub fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("cinta-fuzz-{}", std::process::id())).join(name);
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

/// A file of these bytes. The next one of the same name replaces it.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.join(name);
    std::fs::write(&path, bytes).expect("a temporary file");
    path
}

/// Reads a file of a model, and does to the model what a user would do next. A file may be refused, with a message that names
/// it. Nothing may panic.
pub fn open(path: &Path) {
    let model = match Model::<f32>::load(path) {
        Ok(model) => model,
        Err(error) => return named(path, &error.to_string()),
    };
    assert!(model.get_weights().iter().all(Tensor::is_finite));
    assert!(model.summary().starts_with("Model: "));
    // What was loaded can be saved, and comes back as it was.
    let again = FOLDER.join("again.safetensors");
    if model.save(&again).is_ok() {
        let loaded = Model::<f32>::load(&again).expect("a file that was just saved");
        assert_eq!(loaded.get_weights(), model.get_weights());
        assert_eq!(loaded.summary(), model.summary());
    }
    // A small model runs.
    let shapes = model.layers().map(|layer| layer.output_shape()).chain(model.input_shapes());
    if shapes.map(|shape| shape.count()).all(|count| count < 1 << 16) {
        let inputs: Vec<Tensor> =
            model.input_shapes().iter().map(|shape| Tensor::ones(shape.batch(1))).collect();
        let _ = model.predict_all(&inputs.iter().collect::<Vec<_>>());
    }
}

/// An error says which file it is about, in a sentence that can be read.
pub fn named(path: &Path, error: &str) {
    let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
    assert!(error.contains(name), "{name} is not in: {error}");
    assert!(error.len() < 100_000, "a message of {} bytes", error.len());
}

/// A model of the shape of `tests/golden/keras/bars.*`, for files of weights.
pub fn bars() -> Model {
    Sequential::new([6, 6, 1])
        .add(Conv2d::new(3, 3).activation(Relu))
        .add(MaxPooling2d::new(2))
        .add(Flatten::new())
        .add(Dense::new(3).activation(Softmax))
        .build(1)
        .expect("a model")
}

/// Decisions, one byte each. After the last byte, all are 0.
pub struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> usize {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(first)
    }

    /// A number below `n`; 0 where there is none.
    pub fn below(&mut self, n: usize) -> usize {
        self.byte() % n.max(1)
    }

    pub fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}
