//! The configuration of a `.keras` file, in an archive with right checksums and the weights that Keras wrote.
#![no_main]

use cinta_fuzz::archive;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static WEIGHTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    archive::member(include_bytes!("../../tests/golden/keras/bars.keras"), "model.weights.h5")
});

fuzz_target!(|config: &[u8]| {
    cinta_fuzz::open(&cinta_fuzz::file("model.keras", &archive::keras(config, &WEIGHTS)));
});
