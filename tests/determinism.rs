//! The same seed gives the same bits, for any number of threads.
#![cfg(feature = "digits")]

mod lenet;
mod scratch;

use cinta::prelude::*;
use cinta::{Algorithm, Convolution, Initializer, Scalar, Stream, Tape};
use scratch::Scratch;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The lecture's network.
fn lenet<T: Scalar>(seed: u64) -> Model<T> {
    let mut model = lenet::network(seed);
    model.compile(lenet::compile());
    model
}

/// 600 digits to learn from and 150 to validate with.
fn digits() -> (Dataset, Dataset) {
    let (train, test) = datasets::digits();
    (train.slice(0..600), test.slice(0..150))
}

fn with_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}

fn train(batch_size: usize) -> (Model, History) {
    let (train, test) = digits();
    let mut model = lenet(72_881);
    let fit = Fit {
        epochs: 2,
        batch_size,
        validation_data: Some(&test),
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    let history = model.fit(&train, fit).unwrap();
    (model, history)
}

fn train_and_save(batch_size: usize, path: &Path) -> (Vec<u8>, History) {
    let (model, history) = train(batch_size);
    model.save(path).unwrap();
    (fs::read(path).unwrap(), history)
}

fn bits(x: &Tensor) -> Vec<u32> {
    x.iter().map(f32::to_bits).collect()
}

#[test]
fn any_number_of_threads_gives_the_same_file() {
    let scratch = Scratch::new("threads");
    // The last: batches and shards with a remainder, down to a shard of a single sample.
    for batch_size in [256, 100, 33] {
        let run = |threads: usize| {
            let path = scratch.path(&format!("{threads}.safetensors"));
            with_threads(threads, || train_and_save(batch_size, &path))
        };
        let (bytes, history) = run(1);
        for threads in [2, 3, 8] {
            let (others, other_history) = run(threads);
            assert!(others == bytes, "{threads} threads, batches of {batch_size}");
            assert_eq!(other_history, history, "{threads} threads, batches of {batch_size}");
        }
    }
}

/// Tells the test below, which runs itself, where to save.
const SAVE_TO: &str = "CINTA_TEST_TRAIN_AND_SAVE_TO";

#[test]
fn any_number_of_threads_of_a_process_gives_the_same_file() {
    if let Some(path) = std::env::var_os(SAVE_TO) {
        train_and_save(256, Path::new(&path));
        return;
    }
    let scratch = Scratch::new("processes");
    let run = |threads: &str| {
        let path = scratch.path(&format!("{threads}.safetensors"));
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "any_number_of_threads_of_a_process_gives_the_same_file"])
            .env("RAYON_NUM_THREADS", threads)
            .env(SAVE_TO, OsStr::new(&path))
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        fs::read(path).unwrap()
    };
    let bytes = run("1");
    for threads in ["2", "3", "8"] {
        assert!(run(threads) == bytes, "{threads} threads");
    }
    let (here, _) = train_and_save(256, &scratch.path("here.safetensors"));
    assert!(here == bytes, "as many threads as the machine has");
}

#[test]
fn models_that_train_at_the_same_time_do_not_touch_each_other() {
    let (alone, history) = train(256);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(|| train(256))).collect();
        for thread in threads {
            let (model, other_history) = thread.join().unwrap();
            assert_eq!(model.get_weights(), alone.get_weights());
            assert_eq!(other_history, history);
        }
    });
}

#[test]
fn any_number_of_threads_predicts_and_evaluates_the_same() {
    let (model, _) = train(256);
    let (data, _) = digits();
    for n in [1, 31, 32, 33, 65, 600] {
        let data = data.slice(0..n);
        let run = || (bits(&model.predict(data.inputs()).unwrap()), model.evaluate(&data).unwrap());
        let one = with_threads(1, run);
        for threads in [2, 3, 8] {
            assert_eq!(with_threads(threads, run), one, "{threads} threads, {n} samples");
        }
    }
}

#[test]
fn a_prediction_does_not_depend_on_its_neighbours() {
    let (model, _) = train(256);
    let (data, _) = digits();
    let x = data.inputs().slice(0, 0..200);
    let whole = model.predict(&x).unwrap();
    for range in [0..1, 0..200, 17..18, 3..35, 31..33, 100..200, 199..200, 50..50] {
        let part = model.predict(&x.slice(0, range.clone())).unwrap();
        assert_eq!(bits(&part), bits(&whole.slice(0, range.clone())), "{range:?}");
    }
    let indices = [199, 0, 64, 64, 7];
    let picked = model.predict(&x.take(&indices)).unwrap();
    assert_eq!(bits(&picked), bits(&whole.take(&indices)));
}

#[test]
fn a_prediction_does_not_depend_on_the_order_in_memory() {
    let (model, _) = train(256);
    let x = digits().0.inputs().slice(0, 0..70);
    // The same values with the samples innermost.
    let inside_out = x.permute([1, 2, 3, 0]).row_major().permute([3, 0, 1, 2]);
    assert_ne!(inside_out.strides(), x.strides());
    assert_eq!(bits(&model.predict(&inside_out).unwrap()), bits(&model.predict(&x).unwrap()));
}

/// Images so large that the kernels themselves, not only the shards, are worth several threads.
#[test]
fn any_number_of_threads_gives_the_same_for_few_large_images() {
    let x = Tensor::uniform([3, 64, 64, 3], 0.0, 1.0, &mut Stream::new(1));
    let data = Dataset::new(x, datasets::one_hot(&[0, 1, 2], 3).unwrap()).unwrap();
    let run = || {
        let mut model = Sequential::new([64, 64, 3])
            .add(Conv2d::new(16, 3).padding(Same).kernel_initializer(Initializer::HeNormal))
            .add(AveragePooling2d::new(3).strides(2).padding(Same))
            .add(Conv2d::new(16, 3).strides(2).activation(Elu))
            .add(MaxPooling2d::new(3).strides(1))
            .add(Flatten::new())
            .add(Dense::new(32).activation(Tanh))
            .add(Dense::new(3).activation(Softmax))
            .build(9)
            .unwrap();
        model.compile(Compile::new(Adam::new(0.001), CategoricalCrossentropy::new()));
        let fit = Fit { epochs: 2, verbose: Verbose::Silent, ..Fit::default() };
        let history = model.fit(&data, fit).unwrap();
        let weights: Vec<_> = model.get_weights().iter().map(bits).collect();
        (weights, history, bits(&model.predict(data.inputs()).unwrap()))
    };
    let one = with_threads(1, run);
    for threads in [2, 3, 8] {
        assert!(with_threads(threads, run) == one, "{threads} threads");
    }
}

/// Every way in which a convolution is computed, with enough work for several threads.
#[test]
fn any_number_of_threads_convolves_the_same() {
    let plain = Convolution::default();
    let same = Convolution { padding: Same, ..plain };
    // Images, side, channels in and out, kernel.
    for ([n, side, c_in, c_out, k], convolution) in [
        ([5, 24, 16, 40, 3], Convolution { algorithm: Algorithm::Direct, ..same }),
        ([3, 25, 20, 24, 5], Convolution { strides: [2, 3], ..same }),
        ([3, 30, 20, 24, 3], Convolution { dilation: [2, 3], ..plain }),
        ([4, 32, 3, 64, 7], Convolution { strides: [2, 2], ..same }), // a narrow gradient of the images
        ([4, 40, 24, 36, 1], plain),
        ([4, 24, 12, 36, 3], Convolution { groups: 3, ..same }),
        ([4, 40, 37, 37, 3], Convolution { groups: 37, ..same }),
        ([32, 24, 8, 12, 5], same), // images innermost
        ([133, 16, 1, 8, 5], same), // the same, block by block
        ([6, 19, 64, 48, 3], Convolution { algorithm: Algorithm::Winograd2, ..same }),
        ([6, 19, 64, 48, 3], Convolution { algorithm: Algorithm::Winograd4, ..plain }),
        ([9, 7, 32, 32, 3], same), // several images to a part
        ([3, 9, 64, 96, 3], same), // fewer tiles than channels
    ] {
        let rng = &mut Stream::new(3);
        let x = Tensor::<f32>::normal([n, side, side, c_in], 0.0, 1.0, rng);
        let kernel = Tensor::normal([k, k, c_in / convolution.groups, c_out], 0.0, 1.0, rng);
        let bias = Tensor::normal([c_out], 0.0, 1.0, rng);
        let run = || {
            let tape = Tape::new();
            let leaves = [&x, &kernel, &bias].map(|value| tape.leaf(value.clone()));
            let [x, kernel, bias] = &leaves;
            let y = x.convolve(kernel, bias, convolution);
            let gradients = y.backward_from(&y.value().clone());
            let gradients = leaves.each_ref().map(|leaf| bits(&gradients.wrt(leaf)));
            (bits(y.value()), gradients)
        };
        let one = with_threads(1, run);
        for threads in [2, 3, 8] {
            let several = with_threads(threads, run);
            assert!(several == one, "{threads} threads, {n}x{side}x{side}x{c_in} {convolution:?}");
        }
    }
}

#[test]
fn any_number_of_threads_pools_and_multiplies_the_same() {
    let rng = &mut Stream::new(3);
    for (shape, size, strides) in
        [([40, 32, 32, 24], 2, 2), ([7, 45, 45, 40], 3, 2), ([32, 40, 40, 9], 2, 1)]
    {
        let x = Tensor::<f32>::normal(shape, 0.0, 1.0, rng);
        let run = || {
            let tape = Tape::new();
            let x = tape.leaf(x.clone());
            let largest = x.max_pool2d([size; 2], [strides; 2], Same);
            let mean = x.avg_pool2d([size; 2], [strides; 2], Same);
            let y = largest * mean;
            (bits(y.value()), bits(&y.backward().wrt(&x)))
        };
        let one = with_threads(1, run);
        [2, 3, 8]
            .into_iter()
            .for_each(|threads| assert!(with_threads(threads, run) == one, "{shape:?}"));
    }
    let (a, b) = (
        Tensor::<f32>::normal([300, 200], 0.0, 1.0, rng),
        Tensor::normal([200, 70], 0.0, 1.0, rng),
    );
    let run = || (bits(&a.matmul(&b)), bits(&b.t().matmul(&a.t())));
    let one = with_threads(1, run);
    [2, 3, 8].into_iter().for_each(|threads| assert!(with_threads(threads, run) == one));
}

/// What one sample gives does not depend on the others, whichever way they are computed.
#[test]
fn wide_predictions_do_not_depend_on_their_neighbours() {
    for algorithm in [Algorithm::Direct, Algorithm::Winograd2, Algorithm::Winograd4] {
        let conv = |filters: usize| Conv2d::new(filters, 3).padding(Same).algorithm(algorithm);
        let model = Sequential::new([10, 9, 3])
            .add(conv(32).activation(Relu))
            .add(conv(48).activation(Relu))
            .add(MaxPooling2d::new(2))
            .add(conv(8))
            .add(Flatten::new())
            .add(Dense::new(5).activation(Softmax))
            .build(4)
            .unwrap();
        let x = Tensor::normal([70, 10, 9, 3], 0.0, 1.0, &mut Stream::new(1));
        let whole = model.predict(&x).unwrap();
        for range in [0..1, 3..11, 5..69, 32..64, 64..70] {
            let part = model.predict(&x.slice(0, range.clone())).unwrap();
            assert_eq!(
                bits(&part),
                bits(&whole.slice(0, range.clone())),
                "{algorithm:?} {range:?}"
            );
        }
    }
}

/// Tiles of one sample alone are cut into other parts than those of many, and weights may be kept.
#[test]
fn small_images_do_not_depend_on_their_neighbours() {
    for (side, channels) in [(8, 64), (16, 64), (8, 32), (20, 16), (7, 160)] {
        let conv = || Conv2d::new(channels, 3).padding(Same);
        let chain = Sequential::new([side, side, channels]).add(conv()).add(conv());
        let model: Model = chain.build(1).unwrap();
        let x = Tensor::normal([9, side, side, channels], 0.0, 1.0, &mut Stream::new(1));
        let whole = model.predict(&x).unwrap();
        for threads in [1, 2, 5] {
            for i in 0..9 {
                let alone = with_threads(threads, || model.predict(&x.slice(0, i..i + 1)).unwrap());
                assert_eq!(bits(&alone), bits(&whole.slice(0, i..i + 1)), "{side} {channels}");
            }
        }
    }
}

/// What is kept for predictions is made anew when weights change: after a step, and when they are set.
#[test]
fn predictions_are_those_of_the_weights_of_now() {
    let network = |seed| -> Model {
        let conv = || Conv2d::new(32, 3).padding(Same).activation(Relu);
        let chain = Sequential::new([16, 16, 32]).add(conv()).add(conv()).add(Conv2d::new(32, 3));
        let mut model = chain.build(seed).unwrap();
        model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
        model
    };
    let x = Tensor::uniform([5, 16, 16, 32], -1.0, 1.0, &mut Stream::new(7));
    let predicted = |model: &Model| -> Vec<u32> {
        let alone = (0..5).flat_map(|i| bits(&model.predict(&x.slice(0, i..i + 1)).unwrap()));
        bits(&model.predict(&x).unwrap()).into_iter().chain(alone).collect()
    };
    let mut model = network(1);
    let first = predicted(&model);
    assert_eq!(predicted(&model), first);
    let data = Dataset::new(x.clone(), Tensor::ones([5, 14, 14, 32])).unwrap();
    let fit = Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() };
    model.fit(&data, fit).unwrap();
    let trained = predicted(&model);
    assert_ne!(trained, first);
    let mut same = network(2);
    predicted(&same);
    same.set_weights(&model.get_weights()).unwrap();
    assert_eq!(predicted(&same), trained);
    assert_eq!(predicted(&network(1)), first);
}

#[test]
fn any_number_of_threads_gives_the_same_in_f64() {
    let (train, _) = digits();
    let wide = |x: &Tensor| {
        let values: Vec<f64> = x.iter().map(f64::from).collect();
        Tensor::new(x.shape(), values)
    };
    let train = train.slice(0..200);
    let data = Dataset::new(wide(train.inputs()), wide(train.targets())).unwrap();
    let run = || {
        let mut model = lenet::<f64>(5);
        let fit = Fit { batch_size: 90, verbose: Verbose::Silent, ..Fit::default() };
        let history = model.fit(&data, fit).unwrap();
        (model.get_weights(), history)
    };
    let one = with_threads(1, run);
    for threads in [2, 3, 8] {
        assert!(with_threads(threads, run) == one, "{threads} threads");
    }
}

#[test]
fn the_seed_decides_weights_shuffles_and_dropout() {
    let (data, _) = digits();
    let data = data.slice(0..100);
    let fit = || Fit { verbose: Verbose::Silent, ..Fit::default() };
    let weights = |seed: u64, fit: Fit<'_>| {
        let mut model = lenet::<f32>(seed);
        // From the same weights, so that only shuffling and dropout differ.
        model.set_weights(&lenet::<f32>(0).get_weights()).unwrap();
        model.fit(&data, fit).unwrap();
        model.get_weights()
    };
    assert_ne!(lenet::<f32>(1).get_weights(), lenet::<f32>(2).get_weights());
    assert_ne!(weights(1, fit()), weights(2, fit()));
    assert_ne!(weights(1, fit()), weights(1, Fit { shuffle: false, ..fit() }));
    assert_eq!(weights(1, fit()), weights(1, fit()));
}

/// A model of one kind of layer, in the middle of a chain, with what it is to be trained on.
fn of_kind(kind: &str) -> Model {
    let image = Input::new([12, 12, 4]);
    let series = |x: &cinta::Node| x.then(Reshape::new([36, 16]));
    let conv = |filters: usize| Conv2d::new(filters, 3).padding(Same).use_bias(false);
    let x = image.then(conv(8).strides(1));
    let y = match kind {
        "batch normalisation" => x.then(BatchNormalization::new()).then(Relu),
        "layer normalisation" => x.then(LayerNormalization::new()),
        "group normalisation" => x.then(GroupNormalization::new().groups(4)),
        "other normalisations" => x.then(RmsNormalization::new()).then(UnitNormalization::new()),
        "depthwise" => x.then(DepthwiseConv2d::new(3).depth_multiplier(2)),
        "separable" => x.then(SeparableConv2d::new(12, 3).padding(Same)),
        "transposed" => x.then(Conv2dTranspose::new(6, 3).strides(2).padding(Same)),
        "simple recurrent" => series(&image).then(SimpleRnn::new(12).return_sequences(true)),
        "lstm" => series(&image).then(Lstm::new(12).dropout(0.2)),
        "gru" => series(&image).then(Bidirectional::new(Gru::new(8))),
        "attention" => {
            let x = series(&image);
            let heads = MultiHeadAttention::new(2, 8).dropout(0.2).of([&x, &x]);
            let groups = GroupQueryAttention::new(4, 4, 2).use_causal_mask(true).of([&x, &heads]);
            AdditiveAttention::new().dropout(0.2).of([&groups, &x])
        }
        "films" => {
            let film = image.then(Reshape::new([4, 6, 6, 4]));
            film.then(ConvLstm2d::new(4, 3).dropout(0.2).recurrent_dropout(0.2))
        }
        "series" => series(&image).then(Conv1d::new(12, 5).padding(Causal)),
        "volumes" => image.then(Reshape::new([6, 4, 6, 4])).then(Conv3d::new(6, 2)),
        "noise" => x
            .then(SpatialDropout2d::new(0.3))
            .then(GaussianNoise::new(0.1))
            .then(AlphaDropout::new(0.1)),
        "merge" => {
            let other = image.then(conv(8).strides(1));
            let sum = Add::new().of([&x, &other]);
            let largest = Maximum::new().of([&x, &other]);
            Concatenate::new().of([&sum, &Multiply::new().of([&x, &largest])])
        }
        "joined" => {
            let rows = |x: &cinta::Node| x.then(Reshape::new([144, 8]));
            Dot::new([1, 1]).of([&rows(&x), &rows(&image.then(conv(8).strides(1)))])
        }
        "nested" => {
            let inside = Sequential::new([12, 12, 8])
                .add(conv(6).strides(1))
                .add(BatchNormalization::new())
                .add(Dropout::new(0.2))
                .build(3)
                .unwrap();
            let twin = Shared::new(inside.as_layer());
            Subtract::new().of([&twin.of(&x), &twin.of(&x.then(Relu))])
        }
        other => panic!("the kind {other}"),
    };
    let scores = y.then(Flatten::new()).then(Dense::new(3).activation(Softmax));
    let mut model = Model::new(&image, &scores).build(11).unwrap();
    model.compile(Compile::new(Adam::new(0.01), CategoricalCrossentropy::new()));
    model
}

#[test]
fn any_number_of_threads_trains_every_kind_of_layer_the_same() {
    let n = 70;
    let x = Tensor::normal([n, 12, 12, 4], 0.0, 1.0, &mut Stream::new(5));
    let labels: Vec<usize> = (0..n).map(|i| i * 7 % 3).collect();
    let data = Dataset::new(x, datasets::one_hot(&labels, 3).unwrap()).unwrap();
    for kind in [
        "batch normalisation",
        "layer normalisation",
        "group normalisation",
        "other normalisations",
        "depthwise",
        "separable",
        "transposed",
        "simple recurrent",
        "lstm",
        "gru",
        "attention",
        "films",
        "series",
        "volumes",
        "noise",
        "merge",
        "joined",
        "nested",
    ] {
        let run = || {
            let mut model = of_kind(kind);
            let fit = Fit { batch_size: 66, verbose: Verbose::Silent, ..Fit::default() };
            let history = model.fit(&data, fit).unwrap();
            let weights: Vec<_> = model.get_weights().iter().map(bits).collect();
            (weights, history["loss"][0].to_bits(), bits(&model.predict(data.inputs()).unwrap()))
        };
        let one = with_threads(1, run);
        for threads in [2, 3, 8, 16] {
            assert!(with_threads(threads, run) == one, "{kind}: {threads} threads");
        }
    }
}
