//! The operations that `tests/empty.rs` itself does not name.

use super::{assert_panics, run, shapes, views};
use cinta::prelude::*;
use cinta::{
    FillMode, Interpolation, Nonlinearity, PadMode, Rectifier, TransposedConvolution, Var,
};

type Unary = for<'t> fn(&Var<'t, f64>) -> Var<'t, f64>;
type Binary = for<'t> fn(&Var<'t, f64>, &Var<'t, f64>) -> Var<'t, f64>;

#[test]
fn of_each_element() {
    let functions: [Unary; 31] = [
        |x| x.ceil(),
        |x| x.clamp(0.0, 1.0),
        |x| x.cos(),
        |x| x.selu(),
        |x| x.erf(),
        |x| x.expm1(),
        |x| x.flip(1),
        |x| x.floor(),
        |x| x.gelu(false),
        |x| x.gelu(true),
        |x| x.leaky_relu(0.1),
        |x| x.log1p(),
        |x| x.masked_fill(&x.value().isfinite(), 2.0),
        |x| x.powf(1.5),
        |x| x.powi(-2),
        |x| x.reciprocal(),
        |x| x.rectifier(Rectifier { negative_slope: 0.1, max_value: Some(6.0), threshold: 0.5 }),
        |x| x.round(),
        |x| x.rsqrt(),
        |x| x.sigmoid(),
        |x| x.sign(),
        |x| x.silu(),
        |x| x.sin(),
        |x| x.softplus(),
        |x| x.softsign(),
        |x| x.sparse_plus(),
        |x| x.squareplus(),
        |x| x.tan(),
        |x| x.threshold(0.5, 1.0),
        |x| x.pad(&[[0, 0], [0, 0], [0, 0]]),
        |x| Var::concat(&[x], 0),
    ];
    let both: [Binary; 5] = [
        |x, y| x.maximum(y),
        |x, y| x.minimum(y),
        |x, y| x.pow(y),
        |x, y| x.atan2(y),
        |x, y| Var::select(&x.value().isfinite(), x, y),
    ];
    for x in shapes(3, &[0, 2]).iter().flat_map(|dims| views::<f64>(dims)) {
        for f in functions {
            assert_eq!(run([&x], |[x]| f(x)).0.shape(), x.shape());
        }
        for f in both {
            assert_eq!(run([&x, &x], |[x, y]| f(x, y)).0.shape(), x.shape());
            let (y, [_, dy]) = run([&x, &Tensor::scalar(1.0)], |[x, y]| f(x, y));
            assert_eq!((y.shape(), dy.item()), (x.shape(), 0.0));
        }
    }
}

/// Sums of nothing are 0, products 1, and means of nothing no numbers.
#[test]
fn along_axes() {
    let all = |y: Tensor<f64>, is: fn(f64) -> bool| assert!(y.iter().all(is), "{y:?}");
    for x in shapes(3, &[0, 2]).iter().flat_map(|dims| views::<f64>(dims)) {
        for axis in 0..3 {
            let of = |f: &dyn for<'t> Fn(&Var<'t, f64>) -> Var<'t, f64>| run([&x], |[x]| f(x)).0;
            assert_eq!(of(&|x| x.cumsum(axis)).shape(), x.shape());
            assert_eq!(of(&|x| x.cumprod(axis)).shape(), x.shape());
            all(of(&|x| x.prod(axis)), |y| y == 1.0);
            all(of(&|x| x.logsumexp(axis)), |y| y == f64::NEG_INFINITY);
            all(of(&|x| x.var(axis, 0)), f64::is_nan);
            all(of(&|x| x.std(axis, 1)), f64::is_nan);
            for order in [1.0, 1.5, 2.0] {
                all(of(&|x| x.norm(order, axis)), |y| y == 0.0);
            }
            let largest = [
                |x: &Tensor<f64>, axis| x.max(axis),
                |x: &Tensor<f64>, axis| x.norm(f64::INFINITY, axis),
            ];
            for largest in largest {
                if x.shape()[axis] == 0 && !x.sum(axis).is_empty() {
                    assert_panics("of no elements", || drop(largest(&x, axis)));
                } else {
                    assert!(largest(&x, axis).is_empty());
                }
            }
            assert_eq!(of(&|x| x.resample(axis, vec![vec![]; 3])).shape()[axis], 3);
            for mode in [PadMode::Edge, PadMode::Reflect, PadMode::Symmetric, PadMode::Wrap] {
                assert_eq!(of(&|x| x.pad_with(&[[0, 0]; 3], mode)).shape(), x.shape());
                let mut border = [[0, 0]; 3];
                border[axis] = [1, 1];
                if x.shape()[axis] > 0 {
                    assert!(of(&|x| x.pad_with(&border, mode)).is_empty());
                } else {
                    let pad = || drop(Var::constant(x.clone()).pad_with(&border, mode));
                    assert_panics("has no values to repeat", pad);
                }
            }
            let channels = x.shape()[axis];
            let ones = Tensor::ones([channels]);
            let (y, _) = run([&x, &ones, &ones], |[x, g, b]| x.batch_norm(g, b, axis, 1e-3).0);
            assert_eq!(y.shape(), x.shape());
        }
        let channels = Tensor::ones([x.shape()[2]]);
        let normalized = [
            run([&x, &channels, &channels], |[x, g, b]| x.layer_norm(g, b, 1e-3)),
            run([&x, &channels, &channels], |[x, g, b]| x.group_norm(g, b, 1, 1e-3)),
            run([&x, &channels, &channels], |[x, g, b]| x.rms_norm(g, 1e-3) + b),
        ];
        normalized.iter().for_each(|(y, _)| assert_eq!(y.shape(), x.shape()));
        if x.shape()[2] > 0 {
            assert_eq!(run([&x], |[x]| x.sparsemax()).0.shape(), x.shape());
        } else {
            assert_panics("last axis", || drop(Var::constant(x.clone()).sparsemax()));
        }
        let len = x.shape()[0];
        assert_eq!(run([&x], |[x]| x.split(0, &[0, len]).swap_remove(1)).0.shape(), x.shape());
    }
}

/// Without images and without channels; what has no pixels is refused.
#[test]
fn of_images() {
    for x in shapes(4, &[0, 2, 3]).iter().flat_map(|dims| views::<f64>(dims).into_iter().step_by(3))
    {
        let [n, h, w, c] = x.dims();
        let (pixels, constant) = (h > 0 && w > 0, Var::constant(x.clone()));
        for fill in [FillMode::Constant, FillMode::Nearest, FillMode::Reflect, FillMode::Wrap] {
            let (maps, how) = (vec![[0.9, 0.2, 0.1, -0.1, 1.1, 0.3]; n], Interpolation::Bilinear);
            let (y, _) = run([&x], |[x]| x.affine_transform(&maps, how, fill, 0.5));
            assert_eq!(y.shape(), x.shape());
        }
        for how in [Interpolation::Nearest, Interpolation::Bilinear, Interpolation::Bicubic] {
            if pixels {
                let (y, _) = run([&x], |[x]| x.resize([2, 5], how, true));
                assert_eq!(y.shape(), [n, 2, 5, c]);
            } else {
                assert_panics("cannot become", || drop(constant.resize([2, 5], how, true)));
            }
            assert_panics("cannot become", || drop(constant.resize([0, 5], how, true)));
        }
        let (kernel, ones) = (Tensor::ones([2, 2, 3, c]), Tensor::ones([3]));
        let volumes = x.reshape([n, h, w, 1, c]);
        let volume_kernel = Tensor::ones([2, 2, 1, c, 3]);
        for padding in [Same, Valid] {
            let transposed = TransposedConvolution { padding, ..TransposedConvolution::default() };
            if h == 0 {
                assert_panics("has no pixels", || drop(constant.unfold(2, 1, 1, padding)));
            } else {
                assert!(run([&x], |[x]| x.unfold(2, 1, 1, padding)).0.is_empty());
            }
            if !pixels {
                let words = "has no pixels";
                assert_panics(words, || {
                    drop(constant.max_pool2d_relu([1, 1], [1, 1], padding, None))
                });
                let [kernel, ones] = [&kernel, &ones].map(|x| Var::constant(x.clone()));
                let convolve = || drop(constant.convolve_transposed(&kernel, &ones, transposed));
                assert_panics(if c == 0 { "has no" } else { words }, convolve);
                let [x, kernel] = [&volumes, &volume_kernel].map(|x| Var::constant(x.clone()));
                assert_panics(words, || drop(x.conv3d(&kernel, &ones, [1; 3], padding)));
                continue;
            }
            assert!(run([&x], |[x]| x.max_pool2d_relu([1, 1], [1, 1], padding, None)).0.is_empty());
            // A sum over nothing is the bias.
            let bias = |y: Tensor<f64>| assert_eq!(y, Tensor::ones(y.shape()));
            if c > 0 {
                let all = [&x, &kernel, &ones];
                bias(run(all, |[x, k, b]| x.convolve_transposed(k, b, transposed)).0);
            }
            let all = [&volumes, &volume_kernel, &ones];
            bias(run(all, |[x, k, b]| x.conv3d(k, b, [1; 3], padding)).0);
            let series = x.slice(1, 0..1).reshape([n, w, c]);
            let all = [&series, &Tensor::ones([2, c, 3]), &ones];
            bias(run(all, |[x, k, b]| x.conv1d(k, b, 1, padding)).0);
        }
    }
}

#[test]
fn of_tables_and_steps() {
    for table in shapes(2, &[0, 2]).iter().flat_map(|dims| views::<f64>(dims)) {
        let [rows, width] = table.dims();
        let (y, _) = run([&table], |[table]| table.embedding(&Tensor::zeros([0, 3])));
        assert_eq!(y.shape(), [0, 3, width]);
        if rows > 0 {
            let (y, _) = run([&table], |[table]| table.embedding(&Tensor::zeros([2, 3])));
            assert_eq!(y.shape(), [2, 3, 0]);
        }
    }
    // Without sequences, without steps, and without features.
    for x in shapes(3, &[0, 2]).iter().flat_map(|dims| views::<f64>(dims)) {
        let [n, steps, features] = x.dims();
        let weights = |gates: usize| {
            [[features, 2 * gates], [2, 2 * gates]].map(|shape| Tensor::full(shape, 0.5))
        };
        let (tanh, sigmoid) = (&Nonlinearity::Tanh, &Nonlinearity::Sigmoid);
        let [[k1, r1], [k3, r3], [k4, r4]] = [1, 3, 4].map(weights);
        let [b1, b3, b4] = [2, 6, 8].map(|units| Tensor::ones([units]));
        let states = [
            run([&x, &k1, &r1, &b1], |[x, k, r, b]| x.simple_rnn([k, r, b], tanh, None)).0,
            run([&x, &k3, &r3, &b3], |[x, k, r, b]| x.gru([k, r, b], [tanh, sigmoid], None)).0,
            run([&x, &k4, &r4, &b4], |[x, k, r, b]| x.lstm([k, r, b], [tanh, sigmoid], None)).0,
        ];
        states.iter().for_each(|states| assert_eq!(states.shape(), [n, steps, 2]));
        if !states[0].is_empty() {
            assert!(states.iter().all(|states| states.iter().all(|x| x > 0.0)), "{states:?}");
        }
    }
}
