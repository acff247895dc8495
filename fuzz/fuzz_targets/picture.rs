//! Pictures as PNG and JPEG files.
#![no_main]

use cinta::images;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = cinta_fuzz::file("picture", bytes);
    let picture = match images::load(&path) {
        Ok(picture) => picture,
        Err(error) => return cinta_fuzz::named(&path, &error.to_string()),
    };
    assert!(picture.rank() == 2 && !picture.is_empty());
    assert!(picture.iter().all(|x| (0.0..=1.0).contains(&x)));
    if picture.len() < 1 << 16 {
        let saved = cinta_fuzz::file("saved.png", b"");
        images::save(&saved, &picture).expect("a picture");
        let again = images::load(&saved).expect("a picture that was just saved");
        assert!(again.all_close(&picture, 0.0, 0.501 / 255.0));
    }
});
