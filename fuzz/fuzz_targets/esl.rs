//! The text of the ZIP-code digits. The first byte says whether the file is compressed.
#![no_main]

use cinta::datasets;
use libfuzzer_sys::fuzz_target;
use std::path::PathBuf;
use std::sync::LazyLock;

static FOLDERS: LazyLock<[PathBuf; 2]> = LazyLock::new(|| {
    ["plain", "gz"].map(|name| {
        let folder = cinta_fuzz::folder(name);
        let line = format!("3 {}", "-1 ".repeat(256));
        std::fs::write(folder.join("zip.test"), line).expect("a file");
        folder
    })
});

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, text)) = bytes.split_first() else { return };
    let gz = first & 1 == 1;
    let folder = &FOLDERS[usize::from(gz)];
    let name = if gz { "zip.train.gz" } else { "zip.train" };
    std::fs::write(folder.join(name), text).expect("a file");
    match datasets::zip_digits(folder) {
        Ok((train, _)) => {
            assert!(train.inputs().iter().all(|x| (0.0..=1.0).contains(&x)));
            assert!(train.targets().sum(1).iter().all(|sum| sum == 1.0));
        }
        Err(error) => assert!(error.to_string().contains(name), "{error}"),
    }
});
