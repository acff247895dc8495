//! Models as `.keras` files, byte by byte: mostly the reader of archives, whose checksums refuse the rest.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| cinta_fuzz::open(&cinta_fuzz::file("model.keras", bytes)));
