//! Damaged and hostile files of Keras: an error, soon, without a panic and without much memory.

#![cfg(feature = "keras")]

mod scratch;

use cinta::prelude::*;
use cinta::rand::Rng;
use scratch::Scratch;
use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Bytes that are allocated, and the most there were.
static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// Memory is measured in one test at a time.
static ONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Counting;

impl Counting {
    fn add(size: usize) {
        let now = NOW.fetch_add(size, Relaxed) + size;
        PEAK.fetch_max(now, Relaxed);
    }
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::add(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/keras");
    fs::read(folder.join(name)).unwrap()
}

fn bars() -> Model {
    Sequential::new([6, 6, 1])
        .add(Conv2d::new(3, 3).activation(Relu))
        .add(MaxPooling2d::new(2))
        .add(Flatten::new())
        .add(Dense::new(3).activation(Softmax))
        .build(1)
        .unwrap()
}

/// Opens bytes as a file of this name: what `load` or, for files of weights, `load_weights` says.
fn open(scratch: &Scratch, name: &str, bytes: &[u8]) -> Result<Model, Error> {
    let path = scratch.path(name);
    fs::write(&path, bytes).unwrap();
    let mut model = bars();
    let (before, start) = (NOW.load(Relaxed), Instant::now());
    PEAK.store(before, Relaxed);
    let result = match name.contains("weights") {
        true => model.load_weights(&path).map(|()| model),
        false => Model::load(&path),
    };
    let (peak, taken) = (PEAK.load(Relaxed) - before, start.elapsed());
    // A configuration takes about 20 times the memory of its text. What a damaged file of HDF5 refers to over and over may be as
    // much, and 1 MB, before that is noticed.
    let bound = 24 * bytes.len() + (5 << 18);
    assert!(
        peak <= bound,
        "{name}: {peak} bytes for a file of {}: {:?}",
        bytes.len(),
        result.as_ref().err()
    );
    assert!(taken < Duration::from_secs(5), "{name}: {taken:?}");
    result
}

/// A file that this crate writes: another version of HDF5 than Keras's.
fn written(scratch: &Scratch, name: &str) -> Vec<u8> {
    let path = scratch.path(name);
    fs::write(&path, golden("bars.keras")).unwrap();
    let source = scratch.path("source.keras");
    fs::write(&source, golden("bars.keras")).unwrap();
    let model: Model = Model::load(source).unwrap();
    match name.contains("weights") {
        true => model.save_weights(&path).unwrap(),
        false => model.save(&path).unwrap(),
    }
    fs::read(path).unwrap()
}

/// Flips, cuts, copies and splices at random.
fn mutate(bytes: &[u8], other: &[u8], random: &mut Stream) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut below = |n: usize| (random.next_u64() % n.max(1) as u64) as usize;
    match below(6) {
        0 => bytes.truncate(below(bytes.len())),
        1 => {
            let (at, from) = (below(bytes.len()), below(other.len()));
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        2 => {
            let len = below(64.min(bytes.len()));
            let (from, to) = (below(bytes.len() - len), below(bytes.len() - len));
            bytes.copy_within(from..from + len, to);
        }
        3 => {
            // A number that is an address, a length or a count.
            let numbers =
                [0, 1, u64::MAX, u64::MAX / 2, 1 << 40, 1 << 31, 96, below(1 << 16) as u64];
            let number = numbers[below(numbers.len())].to_le_bytes();
            let (len, at) = (1 << below(4), below(bytes.len() / 8 - 1) * 8);
            bytes[at..at + len].copy_from_slice(&number[..len]);
        }
        _ => {
            for _ in 0..=below(8) {
                let at = below(bytes.len());
                bytes[at] ^= 1 << below(8);
            }
        }
    }
    bytes
}

#[test]
fn thousands_of_damaged_files_do_no_harm() {
    let _alone = alone();
    let scratch = Scratch::new("keras-damaged");
    let names = [
        "bars.keras",
        "bars_2_2_2.h5",
        "bars_2_2_4.h5",
        "bars.weights.h5",
        "packed.h5",
        "packed.weights.h5",
        "deflated.keras",
    ];
    let mut files: Vec<(&str, Vec<u8>)> = names.map(|name| (name, golden(name))).to_vec();
    for name in ["own.keras", "own.h5", "own.weights.h5"] {
        files.push((name, written(&scratch, name)));
    }
    let mut random = Stream::new(1987);
    let (mut refused, count) = (0, 3_000);
    for i in 0..count {
        let (name, bytes) = &files[i % files.len()];
        let other = &files[(i / files.len()) % files.len()].1;
        let damaged = mutate(bytes, other, &mut random);
        let opened = std::panic::catch_unwind(|| open(&scratch, name, &damaged).map(drop));
        match opened {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let text = error.to_string();
                assert!(text.contains(name) && text.len() < 100_000, "{text}");
                refused += 1;
            }
            Err(_) => panic!("{name}, file {i}: a panic"),
        }
    }
    // Most bytes of a file are not looked at (numbers, or nothing); a checksum in archives sees all.
    assert!(refused > count / 3 && refused < count, "{refused} of {count} were refused");
}

#[test]
fn a_file_that_ends_too_early_is_refused_wherever_it_ends() {
    let _alone = alone();
    let scratch = Scratch::new("keras-truncated");
    let own = written(&scratch, "own.h5");
    for (name, bytes) in [
        ("bars.keras", golden("bars.keras")),
        ("bars_2_2_2.h5", golden("bars_2_2_2.h5")),
        ("bars.weights.h5", golden("bars.weights.h5")),
        ("packed.weights.h5", golden("packed.weights.h5")),
        ("own.h5", own),
    ] {
        for end in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            let error = open(&scratch, name, &bytes[..end]).unwrap_err().to_string();
            assert!(error.contains("HDF5 file") || error.contains(".keras file"), "{end}: {error}");
        }
        // More than the file is no harm.
        if name.ends_with(".h5") {
            open(&scratch, name, &[&bytes[..], &[7; 1000]].concat()).unwrap();
        }
    }
}

/// The members of an archive.
fn members(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|i| {
            let mut member = archive.by_index(i).unwrap();
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).unwrap();
            (member.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

fn archive(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    archive_by(CompressionMethod::Stored, members)
}

fn archive_by(method: CompressionMethod, members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in members {
        archive.start_file(name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// `bars.keras` with another configuration.
fn with_config(config: Vec<u8>) -> Vec<u8> {
    let mut members = members(&golden("bars.keras"));
    members.iter_mut().find(|(name, _)| name == "config.json").unwrap().1 = config;
    archive(&members)
}

/// Every place where `find` is replaced by `with`, which is as long.
fn replaced(bytes: &[u8], find: &[u8], with: &[u8]) -> Vec<u8> {
    assert_eq!(find.len(), with.len());
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> =
        (0..=bytes.len() - find.len()).filter(|&at| bytes[at..].starts_with(find)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + with.len()].copy_from_slice(with);
    }
    bytes
}

fn assert_refused(name: &str, bytes: &[u8], expected: &str) {
    let scratch = Scratch::new("keras-refused");
    let error = open(&scratch, name, bytes).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn archives_that_are_bombs_or_foreign() {
    let _alone = alone();
    let bytes = golden("bars.keras");
    // The method of compression stands 8 bytes into the header of a member, and 10 into its entry in the directory.
    let with_method = |method: u8| {
        let mut bytes = bytes.clone();
        for (start, at) in [(&b"PK\x03\x04"[..], 8), (b"PK\x01\x02", 10)] {
            for place in 0..bytes.len() - 46 {
                if bytes[place..].starts_with(start) {
                    bytes[place + at] = method;
                }
            }
        }
        bytes
    };
    assert_refused("m.keras", &with_method(12), "config.json is compressed");
    assert_refused("m.keras", &with_method(8), "not a complete .keras file");

    // The size of a member stands 20 and 24 bytes into its entry.
    let mut large = bytes.clone();
    for place in 0..large.len() - 46 {
        if large[place..].starts_with(b"PK\x01\x02") {
            large[place + 20..place + 28].copy_from_slice(&[0xF0; 8]);
        }
    }
    assert_refused("m.keras", &large, "not a complete .keras file");

    assert_refused(
        "m.keras",
        &replaced(&bytes, b"config.json", b"config.jsoN"),
        "has no config.json, but",
    );
    let mut two = members(&bytes);
    two.push(("config.jsoN".to_owned(), b"{}".to_vec()));
    let two = replaced(&archive(&two), b"config.jsoN", b"config.json");
    assert_refused("m.keras", &two, "two members have the same name");

    assert_refused(
        "m.keras",
        &archive(&[("words.txt".to_owned(), b"hello".to_vec())]),
        "words.txt",
    );
    assert_refused("m.keras", b"PK", "not a complete .keras file");
    assert_refused("m.keras", b"hello", "this is neither an archive of Keras nor an HDF5 file");
    assert_refused("m.h5", b"", "this is neither an archive of Keras nor an HDF5 file");
}

/// What is packed is unpacked only so far, whatever it says of itself.
#[test]
fn packed_archives_that_are_bombs() {
    let _alone = alone();
    for bomb in ["config.json", "model.weights.h5"] {
        let mut members = members(&golden("bars.keras"));
        members.iter_mut().find(|(name, _)| name == bomb).unwrap().1 = vec![0; 80 << 20];
        let bytes = archive_by(CompressionMethod::Deflated, &members);
        assert!(bytes.len() < 100_000);
        let expected = format!("{bomb} would be unpacked to 83886080 bytes, of a file of");
        assert_refused("m.keras", &bytes, &expected);
        // One that says it were smaller.
        let small = replaced(&bytes, &(80u32 << 20).to_le_bytes(), &1000u32.to_le_bytes());
        assert_refused("m.keras", &small, "not a complete .keras file");
    }
    // Zeros, a sixteenth of which would be as much as the file.
    let mut members = members(&golden("bars.keras"));
    members.push(("more".to_owned(), vec![0; 80 << 20]));
    let bytes = archive_by(CompressionMethod::Deflated, &members);
    assert!(open(&Scratch::new("keras-more"), "m.keras", &bytes).is_ok(), "nobody reads the rest");
}

/// Arrays in chunks inside of an archive are bounded by the archive, not by what it is unpacked to.
#[test]
fn bombs_in_packed_archives() {
    let _alone = alone();
    let mut members = members(&golden("bars.keras"));
    let weights = &mut members.iter_mut().find(|(name, _)| name == "model.weights.h5").unwrap().1;
    let packed = golden("packed.weights.h5");
    *weights = [&packed[..], &vec![0; 40 << 20]].concat();
    let bytes = archive_by(CompressionMethod::Deflated, &members);
    let path = Scratch::new("keras-packed-twice");
    fs::write(path.path("m.keras"), &bytes).unwrap();
    let model = Model::<f32>::load(path.path("m.keras")).unwrap();
    let whole = path.path("bars.keras");
    fs::write(&whole, golden("bars.keras")).unwrap();
    assert_eq!(model.get_weights(), Model::<f32>::load(whole).unwrap().get_weights());
}

#[test]
fn configurations_that_are_too_much() {
    let _alone = alone();
    assert_refused("m.keras", &with_config(vec![b'['; 200_000]), "the config.json is damaged");
    assert_refused("m.keras", &with_config(vec![b'['; 1 << 20]), "the config.json is too long");
    assert_refused("m.keras", &with_config(b"0,".repeat(1 << 20)), "the config.json is too long");
    assert_refused(
        "m.keras",
        &with_config(vec![b' '; (16 << 20) + 1]),
        "the config.json is too long",
    );
    assert_refused(
        "m.keras",
        &with_config(b"{\"a\": \"\xFF\"}".to_vec()),
        "the config.json is damaged",
    );
    assert_refused("m.keras", &with_config(b"null".to_vec()), "class_name");

    // Layers without end: each asks for weights, of which the file has but few.
    let text = String::from_utf8(members(&golden("bars.keras"))[1].1.clone()).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    let layers = config["config"]["layers"].as_array_mut().unwrap();
    let mut dense = layers.pop().unwrap();
    for i in 0..2_000 {
        dense["config"]["name"] = format!("dense_{i}").into();
        dense["config"]["units"] = (1 << 30).into();
        layers.push(dense.clone());
    }
    assert_refused("m.keras", &with_config(config.to_string().into_bytes()), "dense_0");
}

#[test]
fn groups_that_contain_themselves() {
    let _alone = alone();
    let scratch = Scratch::new("keras-cycles");
    let bytes = golden("bars_2_2_2.h5");
    let places = |magic: &[u8]| -> Vec<usize> {
        (0..bytes.len() - 64).filter(|&at| bytes[at..].starts_with(magic)).collect()
    };
    // The root's entry of the superblock: its header 64 bytes from the start, its tree and heap at 80.
    for node in places(b"SNOD") {
        for entry in 0..usize::from(bytes[node + 6]) {
            let at = node + 8 + 40 * entry;
            let mut looped = bytes.clone();
            looped[at + 8..at + 16].copy_from_slice(&bytes[64..72]);
            looped[at + 24..at + 40].copy_from_slice(&bytes[80..96]);
            let _ = open(&scratch, "looped.h5", &looped)
                .map(|model| assert_eq!(model.count_params(), 69));
        }
    }
    let trees = places(b"TREE");
    assert!(trees.len() > 5);
    let refused = trees.into_iter().filter(|&tree| {
        // A node whose first child is itself, one level up.
        let mut looped = bytes.clone();
        looped[tree + 32..tree + 40].copy_from_slice(&(tree as u64).to_le_bytes());
        looped[tree + 5] = 1;
        open(&scratch, "looped.h5", &looped).is_err()
    });
    // In the groups of layers without weights, nobody looks.
    assert!(refused.count() > 5);
}

/// Bytes of the bias of the last layer, of which two and one are in a chunk.
fn load_bias(bytes: &[u8]) -> Vec<u8> {
    let model = open(&Scratch::new("keras-bias"), "m.h5", bytes).unwrap();
    let bias = model.weight("last", "bias").unwrap().to_vec();
    bias[..2].iter().flat_map(|x| x.to_le_bytes()).collect()
}

#[test]
fn arrays_that_are_not_there_or_not_numbers() {
    let _alone = alone();
    let shape = |dims: [u64; 4]| dims.iter().flat_map(|dim| dim.to_le_bytes()).collect::<Vec<u8>>();
    let bytes = golden("bars_2_2_2.h5");
    let kernel = shape([3, 3, 1, 3]);
    for dims in [[1 << 40, 3, 1, 3], [1 << 40; 4], [u64::MAX; 4], [1 << 20, 1 << 10, 1, 1]] {
        assert_refused(
            "m.h5",
            &replaced(&bytes, &kernel, &shape(dims)),
            "the architecture asks for [3, 3, 1, 3]",
        );
    }
    assert_refused(
        "m.h5",
        &replaced(&bytes, &kernel, &shape([3, 1, 3, 3])),
        "the architecture asks for [3, 3, 1, 3]",
    );

    // The chunks of an array, two along each axis, each of four bytes; not as large as this file could be unpacked.
    let chunk = |first: u32| [first, 2, 1, 2, 4].map(u32::to_le_bytes).concat();
    let packed = golden("packed.h5");
    for first in [1 << 26, u32::MAX] {
        assert_refused(
            "m.h5",
            &replaced(&packed, &chunk(2), &chunk(first)),
            "would be unpacked to more than 16 times the size of the file",
        );
    }
    // A byte of a chunk changes, and fletcher32 sees it.
    let bias = load_bias(&packed);
    let mut changed = bias.clone();
    changed[0] ^= 1;
    assert_refused("m.h5", &replaced(&packed, &bias, &changed), "fletcher32 mismatch");

    // Files that are well-formed, but say nonsense.
    let weights = |values: fn(&mut hdf5_pure::GroupBuilder), names: &[&str]| {
        let mut file = hdf5_pure::FileBuilder::new();
        let text = |text: &str| hdf5_pure::AttrValue::VarLenStringArray(vec![text.to_owned()]);
        file.set_attr("layer_names", text("layer"));
        let mut layer = file.create_group("layer");
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        layer.set_attr("weight_names", hdf5_pure::AttrValue::VarLenStringArray(names));
        values(&mut layer);
        file.add_group(layer.finish());
        file.finish().unwrap()
    };
    let scratch = Scratch::new("keras-nonsense");
    let path = scratch.path("w.weights.h5");
    let load = |bytes: Vec<u8>| {
        fs::write(&path, bytes).unwrap();
        let mut model = Sequential::new([2]).add(Dense::new(1)).build(1).unwrap();
        model.load_weights(&path).unwrap_err().to_string()
    };
    for (values, names, expected) in [
        (
            (|layer| {
                layer.create_dataset("k").with_u8_data(&[1, 2]).with_shape(&[2, 1]);
            }) as fn(&mut hdf5_pure::GroupBuilder),
            &["k", "b"][..],
            "the array /layer/k is of type u8",
        ),
        (
            |layer| {
                layer.create_dataset("k").with_f32_data(&[1.0, f32::NAN]).with_shape(&[2, 1]);
            },
            &["k", "b"],
            "the weight dense/kernel holds values that are not finite",
        ),
        (|_| {}, &["k", "b"], "the array /layer/k is missing"),
        (|_| {}, &["k"], "the layer dense has 2 weights, and the file has 1 for it"),
        (|_| {}, &["a/b/c", "../b"], "the array /layer/a/b/c is missing"),
        (
            |layer| {
                let k = layer.create_dataset("k").with_f32_data(&[0.0; 2]).with_shape(&[2, 1]);
                k.with_scale_offset(hdf5_pure::ScaleOffset::FloatDScale(3));
            },
            &["k", "b"],
            "the array /layer/k is packed with the filter 6 of HDF5; gzip, LZF, shuffle and fletcher32 can be read",
        ),
    ] {
        let error = load(weights(values, names));
        assert!(error.contains(expected), "{error}");
    }
}

/// A layer as Keras 2 describes it, whose node takes what these layers give in these of their nodes.
fn entry(name: &str, class_name: &str, taken: &[(&str, u64)]) -> String {
    let taken: Vec<String> =
        taken.iter().map(|(name, node)| format!(r#"["{name}",{node},0,{{}}]"#)).collect();
    let option = if class_name == "Activation" { r#","activation":"relu""# } else { "" };
    format!(
        r#"{{"class_name":"{class_name}","name":"{name}","config":{{"name":"{name}"{option}}},"inbound_nodes":[[{}]]}}"#,
        taken.join(",")
    )
}

/// A model of such layers, behind an input `x` of two numbers.
fn functional(layers: &[String], output: (&str, u64)) -> String {
    let input = r#"{"class_name":"InputLayer","name":"x","config":{"name":"x","batch_input_shape":[null,2]},"inbound_nodes":[]}"#;
    let (name, node) = output;
    format!(
        r#"{{"class_name":"Model","config":{{"name":"m","layers":[{input},{}],"input_layers":[["x",0,0]],"output_layers":[["{name}",{node},0]]}},"keras_version":"2.2.4"}}"#,
        layers.join(",")
    )
}

/// What a text becomes, in time.
fn read(text: &str) -> Result<Model, Error> {
    let start = Instant::now();
    let result = Model::from_json(text, 0);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    result
}

fn refused(text: &str, expected: &str) {
    let error = read(text).map(drop).unwrap_err().to_string();
    assert!(error.contains(expected) && error.len() < 1000, "{error}");
}

/// A chain of activations, of which the first takes what is said.
fn long_chain(count: usize, first: &str) -> Vec<String> {
    let name = |i: usize| format!("a{i}");
    let chain = (1..count).map(|i| entry(&name(i), "Activation", &[(&name(i - 1), 0)]));
    std::iter::once(entry("a0", "Activation", &[(first, 0)])).chain(chain).collect()
}

#[test]
fn graphs_that_go_in_circles() {
    let _alone = alone();
    refused(
        &functional(&[entry("a", "Activation", &[("a", 0)])], ("a", 0)),
        "the layers go in a circle",
    );
    let two = [entry("a", "Activation", &[("b", 0)]), entry("b", "Activation", &[("a", 0)])];
    refused(&functional(&two, ("b", 0)), "the layers go in a circle");
    refused(&functional(&long_chain(15_000, "a14999"), ("a14999", 0)), "the layers go in a circle");
    // Beside what the model gives, nobody minds.
    let beside = [entry("y", "Activation", &[("x", 0)]), two[0].clone(), two[1].clone()];
    let model = read(&functional(&beside, ("y", 0))).unwrap();
    assert_eq!(model.predict(&Tensor::from([[1.0, -1.0]])).unwrap().to_vec(), [1.0, 0.0]);
}

#[test]
fn graphs_that_miss_what_they_need() {
    let _alone = alone();
    let one = |taken: &[(&str, u64)]| functional(&[entry("a", "Add", taken)], ("a", 0));
    refused(&one(&[("b", 0), ("x", 0)]), "takes what node 0 of layer b gives, and there is none");
    refused(&one(&[("a", 7), ("x", 0)]), "takes what node 7 of layer a gives, and there is none");
    refused(&one(&[("a", u64::MAX), ("x", 0)]), "and there is none");
    refused(&one(&[]), "takes nothing");
    refused(
        &functional(&[entry("a", "Add", &[("x", 0)])], ("b", 0)),
        "the model takes what node 0 of layer b gives",
    );
    refused(
        &functional(&[entry("a", "Flatten", &[("x", 0), ("x", 0)])], ("a", 0)),
        "takes one input, and 2 are given",
    );
    let twice = [entry("a", "Activation", &[("x", 0)]), entry("a", "Activation", &[("x", 0)])];
    refused(&functional(&twice, ("a", 0)), "two layers have this name");
    refused(&functional(&[entry("x", "Activation", &[("x", 0)])], ("x", 0)), "");
    let text = one(&[("x", 0), ("x", 0)]);
    for (find, with, expected) in [
        (r#"[["x",0,0]]"#, r#"[["y",0,0]]"#, "the input y of the model is none of its layers"),
        (r#"[["x",0,0]]"#, "[]", "takes what node 0 of layer x gives, and there is none"),
        (r#"[["x",0,0]]"#, r#"[["x",0]]"#, "input_layers are no list of layers"),
        (r#"[["a",0,0]]"#, r#"[["a",0,1]]"#, ""),
        (r#"[["a",0,0]]"#, r#"[["a",-1,0]]"#, "output_layers are no list of layers"),
        (r#"[["a",0,0]]"#, r#"[["a",0,0],["a",0,0],"#, ""),
        (r#""inbound_nodes":[[["#, r#""inbound_nodes":[[[["#, ""),
    ] {
        assert!(text.contains(find), "{find}");
        refused(&text.replace(find, with), expected);
    }
}

/// As many nodes as a text may have; of more, it says at once that it is too long.
#[test]
fn texts_of_many_nodes() {
    let _alone = alone();
    let (count, x) = (15_000, Tensor::from([[1.0, -1.0]]));
    let text = functional(&long_chain(count, "x"), ("a14999", 0));
    let model = read(&text).unwrap();
    assert_eq!(model.predict(&x).unwrap().to_vec(), [1.0, 0.0]);
    let mut layers = long_chain(count, "x");
    layers.reverse();
    assert!(read(&functional(&layers, ("a14999", 0))).is_ok());
    for count in [100_000, 300_000] {
        let last = format!("a{}", count - 1);
        refused(&functional(&long_chain(count, "x"), (&last, 0)), "too long");
        refused(&functional(&long_chain(count, &last), (&last, 0)), "too long");
    }
    // One layer in many places, and one that takes as many values.
    let count = 30_000;
    let places: Vec<String> = (0..count)
        .map(|i| match i {
            0 => r#"[["x",0,0,{}]]"#.to_owned(),
            i => format!(r#"[["a",{},0,{{}}]]"#, i - 1),
        })
        .collect();
    let shared = entry("a", "Activation", &[]).replace("[[]]", &format!("[{}]", places.join(",")));
    let model = read(&functional(&[shared], ("a", count as u64 - 1))).unwrap();
    assert_eq!(model.predict(&x).unwrap().to_vec(), [1.0, 0.0]);
    let sum = entry("a", "Add", &vec![("x", 0); count]);
    let model = read(&functional(&[sum], ("a", 0))).unwrap();
    assert_eq!(model.predict(&x).unwrap().to_vec(), [3e4, -3e4]);
}

/// A ladder has more ways from its foot to its top than there are atoms.
#[test]
fn graphs_with_countless_ways() {
    let _alone = alone();
    let name = |i: usize| if i == 0 { "x".to_owned() } else { format!("a{i}") };
    let step = |i: usize| entry(&name(i + 1), "Average", &[(&name(i), 0), (&name(i), 0)]);
    let ladder: Vec<String> = (0..10_000).map(step).collect();
    let model = read(&functional(&ladder, ("a10000", 0))).unwrap();
    assert_eq!(model.predict(&Tensor::from([[1.0, -1.0]])).unwrap().to_vec(), [1.0, -1.0]);
}

/// Graphs as programs make them, with whatever goes over all their nodes.
#[test]
fn graphs_of_very_many_nodes() {
    let _alone = alone();
    let x = Tensor::from([[1.0, -1.0]]);
    let chain = |count: usize| {
        let input = Input::new([2]);
        let y = (0..count).fold(input.clone(), |y, _| y.then(Relu));
        Model::new(&input, &y).build(0).unwrap()
    };
    let model = chain(20_000);
    assert!(model.summary().contains("activation_19999"));
    let around = Sequential::new([2]).add(model.as_layer()).build(0).unwrap();
    assert_eq!(around.predict(&x).unwrap().to_vec(), [1.0, 0.0]);
    let mut trained = model.clone();
    trained.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
    let data = Dataset::new(x.clone(), x.clone()).unwrap();
    let fit = Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() };
    assert_eq!(trained.fit(&data, fit).unwrap()["loss"], [0.5]);
    assert!(model.to_json().len() > 100_000);
    drop((model, around, trained));
    let model = chain(100_000);
    let middle = model.up_to("activation_77777").unwrap();
    assert_eq!(middle.predict(&x).unwrap().to_vec(), [1.0, 0.0]);
    drop(model);
    let count = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    assert_eq!(chain(count).predict(&x).unwrap().to_vec(), [1.0, 0.0]);
}

/// A model with the one before in it, so many times.
fn nested(times: usize) -> Result<Model, Error> {
    let mut model = Sequential::new([2]).add(Dense::new(2)).build(0)?;
    for i in 0..times {
        let x = Input::new([2]);
        model = match i % 2 {
            0 => Model::new(&x, &model.as_layer().of(&x)).build(0)?,
            _ => Sequential::new([2]).add(model.frozen()).build(0)?,
        };
    }
    Ok(model)
}

#[test]
fn models_in_models_in_models() {
    let _alone = alone();
    // As deep as may be, files keep them.
    let model = nested(24).unwrap();
    let scratch = Scratch::new("keras-nested");
    let x = Tensor::from([[1.0, -1.0]]);
    for ending in ["keras", "h5", "safetensors"] {
        let path = scratch.path(&format!("m.{ending}"));
        model.save(&path).unwrap();
        let again = Model::load(&path).unwrap_or_else(|error| panic!("{ending}: {error}"));
        assert_eq!(again.predict(&x).unwrap(), model.predict(&x).unwrap());
    }
    let error = nested(10_000).unwrap_err().to_string();
    assert!(error.contains("layers in layers are at most 24 deep"), "{error}");
    // Files may say more.
    for times in [35, 1_000, 10_000] {
        let begin = r#"{"class_name":"Sequential","config":{"name":"m","build_input_shape":[null,2],"layers":["#.repeat(times);
        let inner = r#"{"class_name":"Dense","config":{"name":"d","units":2,"batch_input_shape":[null,2]}}"#;
        let expected = if times < 40 { "at most 24 deep" } else { "recursion limit" };
        refused(&format!("{begin}{inner}{}", "]}}".repeat(times)), expected);
    }
}
