//! Data sets: the publishers' files, and small ones that are whole or broken.

mod scratch;

use cinta::prelude::*;
use scratch::Scratch;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of a data set that may not be distributed, if it is there.
fn folder(name: &str, source: &str) -> Option<PathBuf> {
    match std::env::var_os("CINTA_DATA") {
        Some(data) => Some(Path::new(&data).join(name)),
        None => {
            // Past the harness, which would keep what a passing test prints to itself.
            let line = format!("skipped: set CINTA_DATA to a folder whose `{name}` has {source}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
            None
        }
    }
}

fn assert_inputs_from_0_to_1(data: &Dataset) {
    let inputs = data.inputs();
    assert_eq!((inputs.min(..).item(), inputs.max(..).item()), (0.0, 1.0));
}

/// How many targets each class has; each has a single 1.
fn class_counts(data: &Dataset) -> Vec<f32> {
    let targets = data.targets();
    assert!(targets.iter().all(|y| y == 0.0 || y == 1.0));
    assert!(targets.sum(1).iter().all(|sum| sum == 1.0));
    targets.sum(0).to_vec()
}

#[test]
fn the_zip_code_digits_are_those_of_the_book() {
    let source = "zip.train(.gz) and zip.test(.gz), \
                  from the data page of The Elements of Statistical Learning";
    let Some(folder) = folder("lecture", source) else { return };
    let (train, test) = datasets::zip_digits(folder).unwrap();
    assert_eq!(train.inputs().shape(), [7291, 16, 16, 1]);
    assert_eq!(test.inputs().shape(), [2007, 16, 16, 1]);
    assert_inputs_from_0_to_1(&train);
    assert_inputs_from_0_to_1(&test);
    assert_eq!(
        class_counts(&train),
        [1194.0, 1005.0, 731.0, 658.0, 652.0, 556.0, 664.0, 645.0, 542.0, 644.0]
    );
    assert_eq!(
        class_counts(&test),
        [359.0, 264.0, 198.0, 166.0, 200.0, 160.0, 170.0, 147.0, 166.0, 177.0]
    );
    assert_eq!(train.targets().argmax(1)[..4], [6, 5, 4, 7]);
    // The first line begins with a 6, seven times -1.0000, -0.6310 and 0.8620.
    let row = train.inputs().slice(0, 0..1).slice(1, 0..1).to_vec();
    assert_eq!(row[..7], [0.0; 7]);
    assert!((row[7] - 0.1845).abs() < 1e-6 && (row[8] - 0.931).abs() < 1e-6, "{row:?}");
}

#[test]
fn mnist_is_read_from_its_publishers_format() {
    let source =
        "the four IDX files of MNIST, plain or .gz (here its first 5 000 and 2 000 digits)";
    let Some(folder) = folder("mnist", source) else { return };
    let (train, test) = datasets::mnist(folder).unwrap();
    assert_eq!(train.inputs().shape(), [5000, 28, 28, 1]);
    assert_eq!(test.inputs().shape(), [2000, 28, 28, 1]);
    assert_inputs_from_0_to_1(&train);
    assert_inputs_from_0_to_1(&test);
    assert_eq!(class_counts(&train).iter().sum::<f32>(), 5000.0);
    assert_eq!(class_counts(&test).iter().sum::<f32>(), 2000.0);
    assert_eq!(train.targets().argmax(1)[..8], [5, 0, 4, 1, 9, 2, 1, 3]);
    assert_eq!(test.targets().argmax(1)[..8], [7, 2, 1, 0, 4, 1, 4, 9]);
}

/// A folder with files of these names.
fn files(name: &str, files: &[(&str, &[u8])]) -> Scratch {
    let scratch = Scratch::new(name);
    for (name, bytes) in files {
        fs::write(scratch.path(name), bytes).unwrap();
    }
    scratch
}

fn write(scratch: &Scratch, name: &str, bytes: &[u8]) {
    fs::write(scratch.path(name), bytes).unwrap();
}

#[track_caller]
fn assert_says(result: Result<(Dataset, Dataset), Error>, parts: &[&str]) {
    let message = result.expect_err("a broken data set was accepted").to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

/// A line of a ZIP-code file: a label, and pixels of this ink but for the last, which is 1.
fn line(label: &str, ink: &str) -> String {
    format!("{label}.0000 {}1.0000\n", format!("{ink} ").repeat(255))
}

fn zip_folder(name: &str) -> Scratch {
    let train = line("3", "-1.0000") + &line("0", "0.5000");
    files(name, &[("zip.train", train.as_bytes()), ("zip.test", line("9", "0").as_bytes())])
}

fn zip(scratch: &Scratch) -> Result<(Dataset, Dataset), Error> {
    datasets::zip_digits(scratch.path("."))
}

#[test]
fn plain_zip_code_files() {
    let (train, test) = zip(&zip_folder("zip-plain")).unwrap();
    assert_eq!(train.inputs().shape(), [2, 16, 16, 1]);
    assert_eq!(train.targets().argmax(1), [3, 0]);
    assert_eq!(train.inputs().at([0, 0, 0, 0]), 0.0);
    assert_eq!(train.inputs().at([1, 15, 14, 0]), 0.75);
    assert_eq!(train.inputs().at([1, 15, 15, 0]), 1.0);
    assert_eq!(test.inputs().at([0, 7, 7, 0]), 0.5);
    assert_eq!(test.targets().argmax(1), [9]);
}

#[test]
fn lines_may_end_as_on_windows_or_not_at_all() {
    let scratch = zip_folder("zip-lines");
    let windows = (line("1", "0") + &line("2", "0")).replace('\n', "\r\n");
    write(&scratch, "zip.train", windows.as_bytes());
    write(&scratch, "zip.test", line("4", "0").trim_end().as_bytes());
    let (train, test) = zip(&scratch).unwrap();
    assert_eq!(train.targets().argmax(1), [1, 2]);
    assert_eq!(test.targets().argmax(1), [4]);
}

#[test]
fn missing_zip_code_files_are_named() {
    let scratch = zip_folder("zip-missing");
    fs::remove_file(scratch.path("zip.test")).unwrap();
    assert_says(zip(&scratch), &["zip.test", "zip.test.gz", "Elements of Statistical Learning"]);
    fs::remove_file(scratch.path("zip.train")).unwrap();
    assert_says(zip(&scratch), &["zip.train"]);

    let nowhere = scratch.path("nowhere");
    let error = datasets::zip_digits(&nowhere).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == nowhere), "{error}");
}

#[test]
fn files_with_longer_names_are_not_taken_for_the_data() {
    let scratch = zip_folder("zip-longer");
    for name in ["a-note-about-zip.train.txt", "zip.test.info", "old.zip.test~"] {
        write(&scratch, name, b"no digits");
    }
    fs::create_dir(scratch.path("by zip.train and zip.test")).unwrap();
    assert_eq!(zip(&scratch).unwrap().0.len(), 2);
}

#[test]
fn broken_lines_are_named() {
    let scratch = zip_folder("zip-broken");
    let good = line("3", "0");
    for (text, parts) in [
        (good.clone() + &line("10", "0"), ["line 2", "label"]),
        (good.clone() + &line("-1", "0"), ["line 2", "label"]),
        (good.clone() + "\n" + &line("x", "0"), ["line 3", "label"]),
        (good.clone() + &line("3", "1.5"), ["line 2", "1.5"]),
        (good.clone() + &line("3", "nan"), ["line 2", "NaN"]),
        (good.clone() + &line("3", "zero"), ["line 2", "number"]),
        (good.clone() + &good[..good.len() - 8], ["line 2", "255 values"]),
        (good.clone() + good.trim_end() + " 0\n", ["line 2", "257 values"]),
        (String::new(), ["no lines", "256"]),
        ("\n \n".to_owned(), ["no lines", "256"]),
    ] {
        write(&scratch, "zip.train", text.as_bytes());
        assert_says(zip(&scratch), &[&parts[..], &["zip.train"]].concat());
    }
    write(&scratch, "zip.train", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    assert_says(zip(&scratch), &["zip.train", "not a text"]);
}

/// An IDX file: two zeros, the type of bytes, the number of axes, the axes, the values.
fn idx(dims: &[u32], values: &[u8]) -> Vec<u8> {
    let dims: Vec<u8> = dims.iter().flat_map(|dim| dim.to_be_bytes()).collect();
    [&[0, 0, 8, (dims.len() / 4) as u8], &dims[..], values].concat()
}

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

/// Two images and a third of 2x3 pixels.
fn mnist_files() -> [(&'static str, Vec<u8>); 4] {
    let pixels = [0, 51, 102, 153, 204, 255];
    [
        (TRAIN_IMAGES, idx(&[2, 2, 3], &[pixels, pixels].concat())),
        (TRAIN_LABELS, idx(&[2], &[9, 4])),
        (TEST_IMAGES, idx(&[1, 2, 3], &pixels)),
        (TEST_LABELS, idx(&[1], &[7])),
    ]
}

fn mnist_folder(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    mnist_files().iter().for_each(|(name, bytes)| write(&scratch, name, bytes));
    scratch
}

fn mnist(scratch: &Scratch) -> Result<(Dataset, Dataset), Error> {
    datasets::mnist(scratch.path("."))
}

#[track_caller]
fn assert_is_mnist_of_three((train, test): (Dataset, Dataset)) {
    assert_eq!(train.inputs().shape(), [2, 2, 3, 1]);
    assert_eq!(test.inputs().shape(), [1, 2, 3, 1]);
    let fifths = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
    assert_eq!(train.inputs().to_vec(), [fifths, fifths].concat());
    assert_eq!(test.inputs().to_vec(), fifths);
    assert_eq!(train.targets().argmax(1), [9, 4]);
    assert_eq!(test.targets().argmax(1), [7]);
}

#[test]
fn plain_idx_files() {
    assert_is_mnist_of_three(mnist(&mnist_folder("idx-plain")).unwrap());
}

#[test]
fn idx_files_with_more_in_their_names() {
    let scratch = Scratch::new("idx-names");
    let names = [
        "fashion-train5000-images.idx3-ubyte",
        "fashion-train5000-labels-idx1-ubyte",
        "fashion-test2000-images-idx3-ubyte",
        "fashion-test2000-labels-idx1-ubyte",
    ];
    for (name, (_, bytes)) in names.into_iter().zip(mnist_files()) {
        write(&scratch, name, &bytes);
    }
    assert_is_mnist_of_three(mnist(&scratch).unwrap());
}

#[test]
fn missing_idx_files_are_named() {
    for (name, _) in mnist_files() {
        let scratch = mnist_folder("idx-missing");
        fs::remove_file(scratch.path(name)).unwrap();
        assert_says(mnist(&scratch), &[name]);
    }
    let scratch = Scratch::new("idx-nowhere");
    let nowhere = scratch.path("nowhere");
    let error = datasets::mnist(&nowhere).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == nowhere), "{error}");
}

#[test]
fn folders_with_the_names_of_files_are_passed_over() {
    let scratch = mnist_folder("idx-folders");
    // As some unpackers leave them: a folder around every file, beside the compressed ones.
    fs::create_dir(scratch.path(&format!("a-{TRAIN_IMAGES}"))).unwrap();
    assert_is_mnist_of_three(mnist(&scratch).unwrap());
}

/// macOS leaves `._name` beside a file on disks of other systems.
#[test]
fn hidden_files_are_passed_over() {
    let scratch = mnist_folder("idx-hidden");
    for (name, _) in mnist_files() {
        write(&scratch, &format!("._{name}"), b"\0\x05\x16\x07\0\x02\0\0Mac OS X");
    }
    assert_is_mnist_of_three(mnist(&scratch).unwrap());
    fs::remove_file(scratch.path(TRAIN_IMAGES)).unwrap();
    assert_says(mnist(&scratch), &["the folder has no train-images-idx3-ubyte"]);
}

#[test]
fn two_data_sets_in_a_folder_are_an_error_that_lists_both() {
    let scratch = mnist_folder("idx-two");
    for (name, bytes) in mnist_files() {
        write(&scratch, &format!("fashion-{name}"), &bytes);
    }
    let both = ["several data sets: fashion-train-images-idx3-ubyte, train-images-idx3-ubyte;"];
    assert_says(mnist(&scratch), &both);

    let scratch = mnist_folder("idx-two-tests");
    write(&scratch, "test-labels.idx1-ubyte", &idx(&[1], &[7]));
    let both = ["several data sets: t10k-labels-idx1-ubyte, test-labels.idx1-ubyte;"];
    assert_says(mnist(&scratch), &both);

    // Images of one, labels of another.
    let scratch = mnist_folder("idx-mixed");
    let fashion = format!("fashion-{TRAIN_LABELS}");
    fs::rename(scratch.path(TRAIN_LABELS), scratch.path(&fashion)).unwrap();
    let both = ["several data sets: train-images-idx3-ubyte, fashion-train-labels-idx1-ubyte;"];
    assert_says(mnist(&scratch), &both);
}

/// What Git LFS leaves in place of a file that it has not fetched.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n\
    oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

#[test]
fn pointers_of_git_lfs_are_no_data() {
    let scratch = mnist_folder("idx-pointer");
    write(&scratch, TEST_LABELS, POINTER);
    assert_says(mnist(&scratch), &[TEST_LABELS, "a pointer that Git LFS left", "`git lfs pull`"]);
    fs::rename(scratch.path(TEST_LABELS), scratch.path(&format!("{TEST_LABELS}.gz"))).unwrap();
    assert_says(mnist(&scratch), &["idx1-ubyte.gz", "a pointer that Git LFS left"]);

    let scratch = zip_folder("zip-pointer");
    write(&scratch, "zip.test", POINTER);
    assert_says(zip(&scratch), &["zip.test", "a pointer that Git LFS left"]);
}

#[test]
fn pointers_of_git_lfs_are_no_models_and_no_pictures() {
    let scratch = Scratch::new("pointers");
    let mut model = Sequential::new([4]).add(Dense::new(2)).build(1).unwrap();
    let keras: &[&str] = if cfg!(feature = "keras") { &["m.keras", "m.h5"] } else { &[] };
    for name in keras.iter().chain(&["m.safetensors"]) {
        write(&scratch, name, POINTER);
        let load = Model::<f32>::load(scratch.path(name)).unwrap_err();
        let load_weights = model.load_weights(scratch.path(name)).unwrap_err();
        for error in [load, load_weights] {
            let error = error.to_string();
            assert!(
                error.contains(name) && error.contains("a pointer that Git LFS left"),
                "{error}"
            );
        }
    }
    #[cfg(feature = "images")]
    {
        write(&scratch, "p.png", POINTER);
        let error = cinta::images::load(scratch.path("p.png")).unwrap_err().to_string();
        assert!(error.contains("p.png: this is not the file itself"), "{error}");
    }
}

#[test]
fn as_many_labels_as_images() {
    let scratch = mnist_folder("idx-counts");
    write(&scratch, TRAIN_LABELS, &idx(&[3], &[9, 4, 1]));
    assert_says(mnist(&scratch), &[TRAIN_LABELS, TRAIN_IMAGES, "3 labels", "2 images"]);
    write(&scratch, TRAIN_LABELS, &idx(&[1], &[9]));
    assert_says(mnist(&scratch), &[TRAIN_LABELS, TRAIN_IMAGES, "1 labels", "2 images"]);
}

#[test]
fn labels_are_digits() {
    let scratch = mnist_folder("idx-labels");
    write(&scratch, TRAIN_LABELS, &idx(&[2], &[9, 10]));
    assert_says(mnist(&scratch), &[TRAIN_LABELS, "label 10", "sample 1", "0 to 9"]);
}

#[test]
fn idx_headers_that_lie_are_errors() {
    let scratch = mnist_folder("idx-lies");
    let values = [7; 12];
    for bytes in [
        vec![],
        vec![0, 0, 8],
        vec![0, 0, 8, 3, 0, 0],
        idx(&[12], &values),         // labels in place of images
        idx(&[1, 2, 2, 3], &values), // one axis too many
        [&[0, 0, 13, 3], &idx(&[2, 2, 3], &values)[4..]].concat(), // floats
        [&[8, 3, 0, 0], &idx(&[2, 2, 3], &values)[4..]].concat(),
        [b"PK\x03\x04", &idx(&[2, 2, 3], &values)[4..]].concat(),
    ] {
        write(&scratch, TRAIN_IMAGES, &bytes);
        assert_says(mnist(&scratch), &[TRAIN_IMAGES, "not an IDX file", "3 axes"]);
    }
    for dims in [
        [2, 2, 2],
        [2, 2, 4],
        [0, 2, 3],
        [u32::MAX, 2, 3],
        [u32::MAX, u32::MAX, u32::MAX],
        [1 << 31, 1 << 31, 4], // 2^64 values, which wrap around to none
    ] {
        write(&scratch, TRAIN_IMAGES, &idx(&dims, &values));
        assert_says(mnist(&scratch), &[TRAIN_IMAGES, "header", &format!("{dims:?}"), "12 follow"]);
    }
    for dims in [[2, 0, 3], [2, 2, 0], [0, 2, 3], [1 << 31, 1 << 31, 0]] {
        write(&scratch, TRAIN_IMAGES, &idx(&dims, &[]));
        assert!(mnist(&scratch).is_err(), "{dims:?}");
    }
    write(&scratch, TRAIN_IMAGES, &idx(&[0, 2, 3], &[]));
    write(&scratch, TRAIN_LABELS, &idx(&[0], &[]));
    assert_says(mnist(&scratch), &[TRAIN_IMAGES, "empty"]);
}

#[cfg(feature = "gzip")]
mod gzip {
    use super::*;

    fn compressed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Compresses a file of a folder, and removes it.
    fn compress(scratch: &Scratch, name: &str) -> Vec<u8> {
        let bytes = compressed(&fs::read(scratch.path(name)).unwrap());
        write(scratch, &format!("{name}.gz"), &bytes);
        fs::remove_file(scratch.path(name)).unwrap();
        bytes
    }

    #[test]
    fn compressed_zip_code_files() {
        let scratch = zip_folder("zip-gz");
        let (plain, _) = zip(&scratch).unwrap();
        compress(&scratch, "zip.train");
        let (half, _) = zip(&scratch).unwrap();
        compress(&scratch, "zip.test");
        let (train, test) = zip(&scratch).unwrap();
        for data in [half, train] {
            assert_eq!(data.inputs(), plain.inputs());
            assert_eq!(data.targets(), plain.targets());
        }
        assert_eq!(test.targets().argmax(1), [9]);
    }

    #[test]
    fn compressed_idx_files() {
        let scratch = mnist_folder("idx-gz");
        for (name, _) in mnist_files() {
            compress(&scratch, name);
            assert_is_mnist_of_three(mnist(&scratch).unwrap());
        }
        // Plain ones beside them, as after `gunzip --keep`.
        mnist_files().iter().for_each(|(name, bytes)| write(&scratch, name, bytes));
        assert_is_mnist_of_three(mnist(&scratch).unwrap());
    }

    #[test]
    fn files_of_several_gzip_members_are_read_to_the_end() {
        let scratch = zip_folder("zip-members");
        let members =
            [compressed(line("1", "0").as_bytes()), compressed(line("2", "0").as_bytes())];
        fs::remove_file(scratch.path("zip.train")).unwrap();
        write(&scratch, "zip.train.gz", &members.concat());
        assert_eq!(zip(&scratch).unwrap().0.targets().argmax(1), [1, 2]);
    }

    /// As `gzip -d` does, which takes zeros for the padding of tapes.
    #[test]
    fn zeros_may_follow_gzip_members_and_nothing_else() {
        let scratch = mnist_folder("idx-tail");
        let bytes = compress(&scratch, TRAIN_IMAGES);
        let name = format!("{TRAIN_IMAGES}.gz");
        for zeros in [1, 2, 511, 100_000] {
            write(&scratch, &name, &[&bytes[..], &vec![0; zeros]].concat());
            assert_is_mnist_of_three(mnist(&scratch).unwrap());
        }
        for (tail, len) in [
            (&b"\n"[..], "1 bytes"),
            (b"<html></html>", "13 bytes"),
            (b"\0\0\0x", "4 bytes"),
            (b"\x1F", "1 bytes"),
            // gzip would leave out the second member.
            (&[&[0; 8], &bytes[..]].concat(), "bytes"),
        ] {
            write(&scratch, &name, &[&bytes[..], tail].concat());
            let parts = ["the compressed data end", len, "not gzip's"];
            assert_says(mnist(&scratch), &[&parts[..], &[&name]].concat());
        }
        // The second member is broken.
        write(&scratch, &name, &[&bytes[..], &bytes[..bytes.len() - 1]].concat());
        assert_says(mnist(&scratch), &[&name, "not a complete gzip file"]);
    }

    #[test]
    fn truncated_gzip_files_are_errors() {
        let scratch = zip_folder("zip-truncated");
        let bytes = compress(&scratch, "zip.train");
        for length in 0..bytes.len() {
            write(&scratch, "zip.train.gz", &bytes[..length]);
            assert_says(zip(&scratch), &["zip.train.gz", "not a complete gzip file", "download"]);
        }

        let scratch = mnist_folder("idx-truncated");
        let bytes = compress(&scratch, TEST_LABELS);
        for length in 0..bytes.len() {
            write(&scratch, &format!("{TEST_LABELS}.gz"), &bytes[..length]);
            assert_says(mnist(&scratch), &[TEST_LABELS, "not a complete gzip file", "download"]);
        }
    }

    #[test]
    fn damaged_gzip_files_are_errors() {
        let scratch = zip_folder("zip-damaged");
        let bytes = compress(&scratch, "zip.train");
        // Bytes 4 to 9 of the header hold the time and the system of compression.
        for at in (0..bytes.len()).filter(|at| !(4..10).contains(at)) {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x55;
            write(&scratch, "zip.train.gz", &bytes);
            assert!(zip(&scratch).is_err(), "byte {at}");
        }
        write(&scratch, "zip.train.gz", line("3", "0").as_bytes());
        assert_says(zip(&scratch), &["zip.train.gz", "gzip"]);
    }
}

#[cfg(not(feature = "gzip"))]
#[test]
fn without_the_feature_compressed_files_are_errors_that_name_it() {
    let scratch = zip_folder("zip-no-gzip");
    fs::rename(scratch.path("zip.train"), scratch.path("zip.train.gz")).unwrap();
    assert_says(zip(&scratch), &["zip.train.gz", "feature `gzip`", "decompress"]);
}

#[test]
fn a_data_set_is_cut_in_order() {
    let inputs = Tensor::<f32>::arange(10).reshape([5, 2]);
    let data = Dataset::new(inputs, Tensor::<f32>::arange(5)).unwrap();
    let batches: Vec<Vec<f32>> = data.batches(2).map(|batch| batch.targets().to_vec()).collect();
    assert_eq!(batches, [vec![0.0, 1.0], vec![2.0, 3.0], vec![4.0]]);
    assert_eq!(data.slice(1..3).inputs().to_vec(), [2.0, 3.0, 4.0, 5.0]);
    assert_eq!(data.take(&[4, 0, 4]).targets().to_vec(), [4.0, 0.0, 4.0]);
    assert!(data.slice(2..2).is_empty());
    assert_eq!(data.batches(usize::MAX).count(), 1);
}
