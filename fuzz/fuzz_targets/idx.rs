//! MNIST's files. The first byte says how long the labels' file is, and whether the files are compressed.
#![no_main]

use cinta::datasets;
use libfuzzer_sys::fuzz_target;
use std::path::PathBuf;
use std::sync::LazyLock;

/// A folder for plain files and one for compressed ones, both with good files for testing.
static FOLDERS: LazyLock<[PathBuf; 2]> = LazyLock::new(|| {
    ["plain", "gz"].map(|name| {
        let folder = cinta_fuzz::folder(name);
        let images = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 255];
        let labels = [0, 0, 8, 1, 0, 0, 0, 1, 7];
        std::fs::write(folder.join("t10k-images-idx3-ubyte"), images).expect("a file");
        std::fs::write(folder.join("t10k-labels-idx1-ubyte"), labels).expect("a file");
        folder
    })
});

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let (labels, images) = bytes.split_at(usize::from(first >> 1).min(bytes.len()));
    let gz = first & 1 == 1;
    let folder = &FOLDERS[usize::from(gz)];
    let ending = if gz { ".gz" } else { "" };
    for (name, bytes) in [("images-idx3", images), ("labels-idx1", labels)] {
        std::fs::write(folder.join(format!("train-{name}-ubyte{ending}")), bytes).expect("a file");
    }
    if let Ok((train, test)) = datasets::mnist(folder) {
        assert_eq!((train.len(), test.len()), (train.targets().shape()[0], 1));
        assert!(train.inputs().iter().all(|x| (0.0..=1.0).contains(&x)));
        assert!(train.targets().sum(1).iter().all(|sum| sum == 1.0));
    }
});
