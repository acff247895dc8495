//! Sums over very many values are right in `f32`: no chain of additions is longer than what depends on the shapes.
//!
//! Most sums here are of equal values, for which rounding errors all point the same way: a chain of a million summands of
//! 0.1 is off by a percent.

use cinta::prelude::*;
use cinta::{Algorithm, Convolution, Stream, Tape, Var};

/// Whether the values are right, but for 30 millionths.
#[track_caller]
fn assert_near(values: &Tensor, right: f64) {
    assert!(!values.is_empty());
    for value in values.iter() {
        let error = (f64::from(value) - right).abs() / right.abs();
        assert!(error < 3e-5, "{value} in place of {right}: off by {error:.1e}");
    }
}

#[test]
fn products() {
    let k = 1 << 20;
    let a = Tensor::full([1, k], 0.1);
    let right = 0.1 * k as f64;
    assert_near(&a.matmul(&Tensor::ones([k, 1])), right);
    assert_near(&Tensor::ones([2, k]).matmul(&a.t()), right);
    // Rows innermost in memory, as after images innermost; with a bias, rectified.
    let (rows, k) = (16, 1 << 16);
    let x = Tensor::full([k, rows], 0.1).row_major().t();
    let (kernel, bias) =
        (Tensor::from([[1.0, -1.0]]).broadcast_to([k, 2]), Tensor::from([1.0, 7.0]));
    let [x, kernel, bias] = [x, kernel, bias].map(Var::constant);
    let y = x.dense(&kernel, &bias).into_value();
    assert_near(&y.slice(1, 0..1), 0.1 * k as f64 + 1.0);
    assert_near(&y.slice(1, 1..2), 7.0 - 0.1 * k as f64);
    let y = x.dense_relu(&kernel, &bias).into_value();
    assert_near(&y.slice(1, 0..1), 0.1 * k as f64 + 1.0);
    assert_eq!(y.slice(1, 1..2), Tensor::zeros([rows, 1]));
}

#[test]
fn gradients_of_a_dense_layer() {
    let n = 1 << 18;
    let tape = Tape::new();
    let x = tape.leaf(Tensor::full([n, 2], 0.1));
    let (kernel, bias) = (tape.leaf(Tensor::ones([2, 3])), tape.leaf(Tensor::zeros([3])));
    let y = x.dense(&kernel, &bias);
    let gradients = y.backward_from(&Tensor::full([n, 3], 0.7));
    assert_near(&gradients.wrt(&kernel), 0.07 * n as f64);
    assert_near(&gradients.wrt(&bias), 0.7 * n as f64);
    assert_near(&gradients.wrt(&x), 2.1);
}

/// A convolution of images of 0.1 by a kernel of 0.3.
struct Constant {
    images: usize,
    size: [usize; 2],
    channels: [usize; 2],
    kernel: [usize; 2],
    convolution: Convolution,
}

impl Constant {
    /// The output, and the gradients of images, kernel and bias for a gradient of 0.7.
    fn run(&self) -> (Tensor, [Tensor; 3]) {
        let Constant { images, size: [h, w], channels: [c_in, c_out], kernel: [kh, kw], .. } =
            *self;
        let groups = self.convolution.groups;
        let tape = Tape::new();
        let x = tape.leaf(Tensor::full([images, h, w, c_in], 0.1));
        let kernel = tape.leaf(Tensor::full([kh, kw, c_in / groups, c_out], 0.3));
        let bias = tape.leaf(Tensor::ones([c_out]));
        let y = x.convolve(&kernel, &bias, self.convolution);
        let gradients = y.backward_from(&Tensor::full(y.shape(), 0.7));
        (y.value().clone(), [&x, &kernel, &bias].map(|leaf| gradients.wrt(leaf)))
    }
}

/// The gradients of kernels and biases are sums over all pixels of all images.
#[test]
fn gradients_of_kernels() {
    let plain = Convolution::default();
    let depthwise = Convolution { groups: 2, ..plain };
    let tiles = Convolution { algorithm: Algorithm::Winograd2, ..plain };
    for (images, size, channels, kernel, convolution) in [
        (1, [512, 600], [1, 2], [1, 1], plain),
        (1, [1, 300_000], [2, 1], [1, 1], plain), // one row
        (3, [300, 300], [1, 1], [3, 3], plain),
        (600_000, [1, 1], [2, 16], [1, 1], plain), // images of one pixel, channels innermost
        (16, [260, 250], [1, 1], [3, 3], plain),   // images innermost
        (16, [1, 80_000], [1, 1], [1, 3], plain),
        (96, [130, 130], [1, 1], [1, 1], plain), // the same, block by block
        (1, [400, 400], [2, 2], [3, 3], depthwise),
        (1, [1, 200_000], [2, 2], [1, 2], depthwise),
        (1, [380, 380], [32, 32], [3, 3], tiles),
        (1, [400, 400], [32, 4], [3, 3], plain), // few outputs: the product the other way round
        (17, [150, 150], [32, 4], [3, 3], plain),
    ] {
        let case = Constant { images, size, channels, kernel, convolution };
        let (_, [_, dkernel, dbias]) = case.run();
        let pixels = images * (size[0] + 1 - kernel[0]) * (size[1] + 1 - kernel[1]);
        println!("{images} {size:?} {channels:?} {convolution:?}");
        assert_near(&dkernel, 0.07 * pixels as f64);
        assert_near(&dbias, 0.7 * pixels as f64);
    }
}

/// Windows with very many pixels, and very many channels.
#[test]
fn outputs() {
    let plain = Convolution::default();
    for (images, side, [c_in, c_out], kernel, convolution) in [
        (1, 250, [1, 1], 250, plain),
        (16, 250, [1, 1], 250, plain), // images innermost
        (1, 250, [2, 2], 250, Convolution { groups: 2, ..plain }),
        (1, 1, [70_000, 16], 1, plain),
        (1, 3, [33_000, 32], 3, plain), // too many channels for tiles
    ] {
        println!("{images} {side} {c_in} {c_out} {convolution:?}");
        let x = Var::constant(Tensor::full([images, side, side, c_in], 0.1));
        let inputs = c_in / convolution.groups;
        let kernel = Var::constant(Tensor::full([kernel, kernel, inputs, c_out], 0.3));
        let summands = kernel.shape().count() / c_out;
        let y = x.convolve_relu(&kernel, &Var::constant(Tensor::ones([c_out])), convolution);
        assert_near(y.value(), 1.0 + 0.03 * summands as f64);
    }
}

/// The gradient of an image is a sum over outputs and their channels.
#[test]
fn gradients_of_images() {
    let plain = Convolution::default();
    for (images, [c_in, c_out]) in [(1, [3, 1 << 20]), (1, [17, 1 << 18])] {
        let case = Constant {
            images,
            size: [1, 1],
            channels: [c_in, c_out],
            kernel: [1, 1],
            convolution: plain,
        };
        let (_, [dx, ..]) = case.run();
        assert_near(&dx, 0.21 * c_out as f64);
    }
}

#[test]
fn means_of_large_windows() {
    for (channels, images) in [(1, 1), (3, 1), (1, 2)] {
        let x = Tensor::full([images, 600, 600, channels], 0.1);
        let y = Var::constant(x).avg_pool2d([600, 600], [600, 600], Valid);
        assert_near(y.value(), f64::from(0.1f32));
    }
}

/// Long sums are cut by shapes, not by threads.
#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let rng = &mut Stream::new(1);
    let (a, b) =
        (Tensor::normal([64, 40_000], 0.0, 1.0, rng), Tensor::normal([40_000, 16], 0.0, 1.0, rng));
    let x = Tensor::normal([3, 230, 230, 4], 0.0, 1.0, rng);
    let kernels = [([3, 3, 4, 17], 1), ([3, 3, 1, 4], 4)];
    let run = || {
        let mut results = vec![a.matmul(&b)];
        for (shape, groups) in kernels {
            let tape = Tape::new();
            let kernel = tape.leaf(Tensor::full(shape, 0.1));
            let bias = tape.leaf(Tensor::ones([shape[3]]));
            let convolution = Convolution { groups, ..Convolution::default() };
            let y = Var::constant(x.clone()).convolve(&kernel, &bias, convolution);
            let gradients = y.backward_from(y.value());
            results.extend([gradients.wrt(&kernel), gradients.wrt(&bias)]);
        }
        results.iter().map(|x| x.iter().map(f32::to_bits).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let with = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
    };
    let one = with(1);
    (2..=4).for_each(|threads| assert!(with(threads) == one, "{threads} threads"));
}

/// Softmax and crossentropies of very many classes.
mod classes {
    use super::*;

    const CLASSES: usize = 1 << 20;

    /// One class stands out: the others have the tenth of its probability.
    fn logits() -> Tensor {
        let mut z = vec![0.1f32.ln(); CLASSES];
        z[5] = 0.0;
        Tensor::new([1, CLASSES], z)
    }

    fn total() -> f64 {
        1.0 + f64::from(0.1f32) * (CLASSES - 1) as f64
    }

    fn uniform() -> Tensor {
        Tensor::full([1, CLASSES], 0.1)
    }

    #[test]
    fn softmax() {
        let tape = Tape::new();
        let z = tape.leaf(logits());
        let p = z.softmax();
        let [class, others] = [5, 6].map(|class| p.value().slice(1, class..class + 1));
        assert_near(&class, 1.0 / total());
        assert_near(&others, 0.1 / total());
        // The inner product of y and dy is 0.1, to which one class adds.
        let mut dy = uniform();
        dy.as_mut_slice()[6] = 10_000.1;
        let dz = p.backward_from(&dy).wrt(&z);
        let y = 0.1 / total();
        assert_near(&dz.slice(1, 7..8), -y * 10_000.0 * y);
    }

    #[test]
    fn log_softmax() {
        let y = Var::constant(logits()).log_softmax();
        assert_near(&y.value().slice(1, 5..6), -total().ln());
        let tape = Tape::new();
        let z = tape.leaf(Tensor::zeros([1, CLASSES]));
        let dz = z.log_softmax().backward_from(&uniform()).wrt(&z);
        // A sum of 104 857.6, of which each class takes the same part: 0.1.
        assert!(dz.slice(1, 5..6).item().abs() < 3e-6);
    }

    #[test]
    fn crossentropies() {
        let log = (CLASSES as f64).ln();
        let targets = Tensor::full([1, CLASSES], 1.0 / CLASSES as f32);
        let label = Tensor::from([5.0]);
        // As in a model whose weights are all alike.
        let [z, p] = [0.0, 0.1].map(|x| Var::constant(Tensor::full([1, CLASSES], x)));
        assert_near(z.categorical_crossentropy_from_logits(&targets).value(), log);
        assert_near(p.categorical_crossentropy(&targets).value(), log);
        assert_near(z.sparse_categorical_crossentropy_from_logits(&label).value(), log);
        assert_near(p.sparse_categorical_crossentropy(&label).value(), log);
        let z = Var::constant(logits());
        assert_near(z.sparse_categorical_crossentropy_from_logits(&label).value(), total().ln());
        // Means over the classes, of which one of a million differs from the others, and a sum.
        let (tenth, binary) = (f64::from(0.1f32), |p: f64| -0.1 * p.ln() - 0.9 * (1.0 - p).ln());
        let likely = tenth / (1.0 + tenth);
        for (value, right) in [
            (z.binary_crossentropy_from_logits(&uniform()), binary(likely)),
            (p.binary_crossentropy(&uniform()), binary(tenth)),
            (p.kl_divergence(&(uniform() * 2.0)), 0.2 * 2f64.ln() * CLASSES as f64),
            (z.mean_squared_error(&uniform()), (tenth.ln() - tenth).powi(2)),
        ] {
            assert_near(value.value(), right);
        }
    }

    #[test]
    fn gradients_of_crossentropies() {
        // Of a class that is not wanted: what it gives is a sum over the targets of all others.
        let mut targets = uniform();
        targets.as_mut_slice()[5] = 0.0;
        let tape = Tape::new();
        let z = tape.leaf(Tensor::zeros([1, CLASSES]));
        let dz = z.categorical_crossentropy_from_logits(&targets).backward().wrt(&z);
        assert_near(&dz.slice(1, 5..6), 0.1);
        let tape = Tape::new();
        let p = tape.leaf(Tensor::ones([1, CLASSES]));
        let dp = p.categorical_crossentropy(&targets).backward().wrt(&p);
        assert_near(&dp.slice(1, 5..6), 0.1);
    }
}
