//! Writes the seeds of all targets into `corpus/`: real files of Keras (`tests/golden`), files that the crate itself writes, and
//! pieces of the data it comes with. None is larger than a few kilobytes, but for Keras's own.

use cinta::{Regularizer, datasets, images, prelude::*};
use cinta_fuzz::archive;
use flate2::{Compression, write::GzEncoder};
use image::{DynamicImage, GrayImage, ImageFormat};
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

fn seed(target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder).expect("the folder of a corpus");
    fs::write(folder.join(name), bytes).expect("a seed");
}

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/keras");
    fs::read(folder.join(name)).expect(name)
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Small models that have every layer, and an optimizer that keeps something.
fn models() -> Vec<(&'static str, Model)> {
    let data = Dataset::new(Tensor::ones([2, 4, 4, 1]), Tensor::ones([2, 2])).expect("samples");
    let mut chain = Sequential::new([4, 4, 1])
        .add(
            Conv2d::new(2, 3)
                .padding(Same)
                .activation(Relu)
                .kernel_regularizer(Regularizer::L2(0.01)),
        )
        .add(BatchNormalization::new())
        .add(MaxPooling2d::new(2))
        .add(Dropout::new(0.25))
        .add(Flatten::new())
        .add(Dense::new(2).activation(Softmax))
        .build(1)
        .expect("a model");
    chain.compile(Compile::new(Adam::default(), CategoricalCrossentropy::new()).metric(Accuracy));
    let silent = || Fit { verbose: Verbose::Silent, ..Fit::default() };
    chain.fit(&data, silent()).expect("one step");

    let x = Input::new([4, 4, 1]);
    let left = x.then(AveragePooling2d::new(2)).then(Flatten::new());
    let right = x.then(Conv2d::new(4, [2, 2]).strides(2)).then(GlobalMaxPooling2d::new());
    let sum = Add::new().of([&left, &right]);
    let both = Concatenate::new().of([&sum, &left]);
    let mut graph = Model::new(&x, &both.then(Dense::new(2))).build(2).expect("a model");
    let rate = ExponentialDecay::new(0.1, 10, 0.5);
    graph.compile(Compile::new(Sgd::new(rate).momentum(0.9), MeanSquaredError));
    graph.fit(&data, silent()).expect("one step");

    let dense = Sequential::new([2]).add(Dense::new(1)).build(3).expect("a model");
    vec![("chain", chain), ("graph", graph), ("dense", dense), ("bars", cinta_fuzz::bars())]
}

fn model_files() {
    let folder: PathBuf = cinta_fuzz::folder("seeds");
    for (name, model) in models() {
        let saved = |ending: &str| {
            let path = folder.join(format!("{name}.{ending}"));
            match ending {
                "weights.h5" => model.save_weights(&path),
                _ => model.save(&path),
            }
            .expect("a model that can be saved");
            fs::read(path).expect("a file that was just written")
        };
        seed("safetensors", name, &saved("safetensors"));
        seed("keras", name, &saved("keras"));
        seed("h5", name, &saved("h5"));
        seed("keras_config", name, &archive::member(&saved("keras"), "config.json"));
        for (kind, ending) in [(0, "safetensors"), (1, "weights.h5"), (2, "h5")] {
            seed("weights", &format!("{name}.{ending}"), &[&[kind], &saved(ending)[..]].concat());
        }
    }
    for name in ["bars.keras", "lecture.keras"] {
        seed("keras", name, &golden(name));
        seed("keras_config", name, &archive::member(&golden(name), "config.json"));
    }
    seed("keras", "deflated.keras", &golden("deflated.keras"));
    for name in ["bars_2_2_2.h5", "bars_2_2_4.h5"] {
        seed("h5", name, &golden(name));
    }
    for name in ["bars.weights.h5", "bars_legacy_weights.h5"] {
        seed("weights", name, &[&[2], &golden(name)[..]].concat());
    }
}

fn data_files() {
    let (train, _) = datasets::digits();
    let digits = train.slice(0..2);
    let bytes: Vec<u8> = digits.inputs().iter().map(|x| (x * 255.0) as u8).collect();
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 16, 0, 0, 0, 16], &bytes[..]].concat();
    let labels = [0, 0, 8, 1, 0, 0, 0, 2, 3, 9];
    for (gzip, name) in [(0, "plain"), (1, "gz")] {
        let [labels, images] =
            if gzip == 1 { [gz(&labels), gz(&images)] } else { [labels.to_vec(), images.clone()] };
        seed("idx", name, &[&[(labels.len() as u8) << 1 | gzip], &labels[..], &images].concat());
    }
    seed(
        "idx",
        "tiny",
        b"\x14\0\0\x08\x01\0\0\0\x02\x01\x02\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x01ab",
    );

    let line = |label: usize, sample: usize| {
        let image = digits.slice(sample..sample + 1);
        let values =
            image.inputs().iter().map(|x| format!(" {:.1}", 2.0 * x - 1.0)).collect::<String>();
        format!("{label}{values}\n")
    };
    let text = line(3, 0) + &line(9, 1);
    seed("esl", "plain", &[&[0], text.as_bytes()].concat());
    seed("esl", "short", &[&[0], format!("5{}\n", " 1".repeat(256)).as_bytes()].concat());
    seed("esl", "gz", &[&[1], &gz(text.as_bytes())[..]].concat());

    pictures(&digits.slice(0..1).inputs().reshape([16, 16]));
    arrays();
}

/// Arrays as NumPy writes them: two of our own, and one of each type and order.
fn arrays() {
    let path = cinta_fuzz::folder("seeds").join("array.npy");
    Tensor::<f32>::ones([2, 3]).write_npy(&path).expect("a file");
    seed("npy", "own32", &fs::read(&path).expect("a file"));
    Tensor::<f64>::ones([]).write_npy(&path).expect("a file");
    seed("npy", "own64", &fs::read(&path).expect("a file"));
    for (descr, size) in [
        ("<f2", 2),
        (">f4", 4),
        (">f8", 8),
        ("|b1", 1),
        ("|u1", 1),
        ("|i1", 1),
        ("<i2", 2),
        (">u2", 2),
        ("<i4", 4),
        ("<u4", 4),
        (">i8", 8),
        ("<u8", 8),
    ] {
        for (version, order) in [(1, "False"), (2, "True")] {
            let text =
                format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': (2, 3), }}\n");
            let length = (text.len() as u32).to_le_bytes();
            let length = if version == 1 { &length[..2] } else { &length };
            let numbers: Vec<u8> = (0..6 * size).map(|i| (40 * i) as u8).collect();
            let bytes =
                [b"\x93NUMPY", &[version, 0][..], length, text.as_bytes(), &numbers].concat();
            seed(
                "npy",
                &format!(
                    "{}{}_{order}",
                    if descr.starts_with('>') { "big_" } else { "" },
                    &descr[1..]
                ),
                &bytes,
            );
        }
    }
}

/// PNG and JPEG files of every kind of pixel.
fn pictures(digit: &Tensor) {
    let path = cinta_fuzz::folder("seeds").join("digit.png");
    images::save(&path, digit).expect("a picture");
    seed("picture", "own.png", &fs::read(path).expect("a picture"));
    let photograph = datasets::photograph().slice(0, 40..60).slice(1, 80..105);
    let pixels: Vec<u8> = photograph.iter().map(|x| (x * 255.0) as u8).collect();
    let grey = DynamicImage::from(GrayImage::from_raw(25, 20, pixels).expect("a pixel each"));
    for (name, picture) in [
        ("grey", grey.clone()),
        ("grey_alpha", grey.to_luma_alpha8().into()),
        ("grey16", grey.to_luma16().into()),
        ("rgb", grey.to_rgb8().into()),
        ("rgba", grey.to_rgba8().into()),
        ("rgb16", grey.to_rgb16().into()),
    ] {
        for (ending, format) in [("png", ImageFormat::Png), ("jpg", ImageFormat::Jpeg)] {
            let mut bytes = Cursor::new(Vec::new());
            // JPEG has no transparency, and 8 bits a colour.
            if picture.write_to(&mut bytes, format).is_ok() {
                seed("picture", &format!("{name}.{ending}"), &bytes.into_inner());
            }
        }
    }
}

/// Bytes that are decisions: some that were drawn.
fn programs() {
    let mut random = Stream::new(1);
    for i in 0..32 {
        let bytes: Vec<u8> =
            (0..16 + 2 * i).map(|_| cinta::rand::Rng::next_u64(&mut random) as u8).collect();
        seed("views", &i.to_string(), &bytes);
        seed("training", &i.to_string(), &bytes);
    }
}

fn main() {
    model_files();
    data_files();
    programs();
}
