//! Models as `.h5` files.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| cinta_fuzz::open(&cinta_fuzz::file("model.h5", bytes)));
