//! Files of weights for a model that is there. The first byte says what the file is called.
#![no_main]

use cinta::prelude::*;
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;

thread_local! {
    static MODEL: RefCell<Model> = cinta_fuzz::bars().into();
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let name = ["bars.safetensors", "bars.weights.h5", "bars.h5"][usize::from(kind % 3)];
    let path = cinta_fuzz::file(name, bytes);
    MODEL.with_borrow_mut(|model| {
        let before = model.get_weights();
        match model.load_weights(&path) {
            Ok(()) => assert!(model.get_weights().iter().all(Tensor::is_finite)),
            Err(error) => {
                cinta_fuzz::named(&path, &error.to_string());
                assert_eq!(model.get_weights(), before, "a file that is refused changes nothing");
            }
        }
    });
});
