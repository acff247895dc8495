//! The second derivative of every operation, against differences of its gradients.
//!
//! Most operations are linear, or linear in pieces, and have the second derivative 0 almost everywhere. They are checked behind and
//! before something curved, so that both their rules see dual numbers that are no constants.

use cinta::Nonlinearity::{Linear, Sigmoid, Tanh};
use cinta::{
    Algorithm, Convolution, Dual, FillMode, Indices, Interpolation, Mask, Nonlinearity, PadMode,
    Padding, Rectifier, Scalar, Stream, Tensor, TransposedConvolution, Var, gradgradcheck,
};
use std::collections::BTreeSet;

type D = Dual<f64>;
type V<'t> = Var<'t, D>;

/// Numbers away from 0 and from each other, so that no kink is near: of both signs, or above 0.
fn spread(dims: &[usize], positive: bool, seed: u64) -> Tensor<f64> {
    let count: usize = dims.iter().product();
    let mut order: Vec<usize> = (0..count).collect();
    let draws = Tensor::<f64>::uniform([count], 0.0, 1.0, &mut Stream::new(seed)).to_vec();
    order.sort_by(|&a, &b| draws[a].total_cmp(&draws[b]));
    let value = |i: usize| (order[i] as f64 + 0.5) / count as f64;
    let values: Vec<f64> =
        (0..count).map(|i| if positive { 0.2 + value(i) } else { 3.0 * value(i) - 1.51 }).collect();
    Tensor::new(dims, values)
}

/// Checks the op of these inputs, and the square of the op of their squares.
#[track_caller]
fn check<const N: usize>(
    names: &[&'static str],
    seen: &mut BTreeSet<&'static str>,
    f: impl for<'t> Fn([&V<'t>; N]) -> V<'t>,
    inputs: [Tensor<f64>; N],
) {
    seen.extend(names);
    if let Err(mismatch) = gradgradcheck(&f, inputs.clone()) {
        panic!("{names:?}: {mismatch}");
    }
    let curved = gradgradcheck(
        |x| {
            let bent = x.map(|x| x + x.square() * 0.1);
            f(bent.each_ref()).square()
        },
        inputs,
    );
    if let Err(mismatch) = curved {
        panic!("{names:?}, curved: {mismatch}");
    }
}

fn constant<'t>(x: &Tensor<f64>) -> V<'t> {
    Var::constant(x.cast())
}

#[test]
fn element_by_element() {
    let seen = &mut BTreeSet::new();
    let x = || [spread(&[3, 4], false, 1)];
    let above = || [spread(&[3, 4], true, 2)];
    let two = || [spread(&[3, 4], false, 3), spread(&[3, 4], true, 4)];
    check(&["abs"], seen, |[x]| x.abs(), x());
    check(&["affine"], seen, |[x]| x * 2.0 - 1.0, x());
    check(&["clamp"], seen, |[x]| x.clamp(D::lit(-0.7), D::lit(0.83)), x());
    check(&["ceil"], seen, |[x]| x.ceil() * x, x());
    check(&["cos"], seen, |[x]| x.cos(), x());
    check(&["elu"], seen, |[x]| x.elu(), x());
    check(&["elu"], seen, |[x]| x.selu(), x());
    check(&["erf"], seen, |[x]| x.erf(), x());
    check(&["erf"], seen, |[x]| (x * 3.0).erf(), x());
    check(&["exp"], seen, |[x]| x.exp(), x());
    check(&["expm1"], seen, |[x]| x.expm1(), x());
    check(&["floor"], seen, |[x]| x.floor() * x, x());
    check(&["gelu"], seen, |[x]| x.gelu(false), x());
    check(&["gelu"], seen, |[x]| (x * 3.0).gelu(false), x());
    check(&["gelu"], seen, |[x]| x.gelu(true), x());
    check(&["huber"], seen, |[x]| x.huber(0.7), x());
    check(&["ln"], seen, |[x]| x.ln(), above());
    check(&["log1p"], seen, |[x]| x.log1p(), above());
    check(
        &["masked_fill"],
        seen,
        |[x]| x.masked_fill(&x.value().less(D::lit(0.1)), D::lit(0.5)),
        x(),
    );
    check(&["neg"], seen, |[x]| -x, x());
    for n in [0.0, 1.0, 2.0, 0.5, -1.3] {
        check(&["powf"], seen, |[x]| x.powf(D::lit(n)) + x, above());
    }
    for n in [0, 1, 2, 3, -2] {
        check(&["powi"], seen, |[x]| x.powi(n) + x, x());
    }
    check(&["reciprocal"], seen, |[x]| x.reciprocal(), above());
    check(&["round"], seen, |[x]| x.round() * x, x());
    check(&["rsqrt"], seen, |[x]| x.rsqrt(), above());
    check(&["sign"], seen, |[x]| x.sign() * x, x());
    check(&["sin"], seen, |[x]| x.sin(), x());
    check(&["tan"], seen, |[x]| (x * 0.5).tan(), x());
    check(&["rectifier"], seen, |[x]| x.leaky_relu(0.1), x());
    let rectifier = Rectifier { negative_slope: 0.2, max_value: Some(1.03), threshold: 0.21 };
    check(&["rectifier"], seen, |[x]| x.rectifier(rectifier), x());
    check(&["relu"], seen, |[x]| x.relu(), x());
    check(&["sigmoid"], seen, |[x]| x.sigmoid(), x());
    check(&["silu"], seen, |[x]| x.silu(), x());
    check(&["softplus"], seen, |[x]| x.softplus(), x());
    check(&["softsign"], seen, |[x]| x.softsign(), x());
    check(&["sparse_plus"], seen, |[x]| x.sparse_plus(), x());
    check(&["sqrt"], seen, |[x]| x.sqrt(), above());
    check(&["square"], seen, |[x]| x.square(), x());
    check(&["squareplus"], seen, |[x]| x.squareplus(), x());
    check(&["tanh"], seen, |[x]| x.tanh(), x());
    check(&["threshold"], seen, |[x]| x.threshold(D::lit(0.31), D::lit(-2.0)), x());
    check(&["dropout"], seen, |[x]| x.dropout(0.4, &Stream::new(7), 0), x());
    check(&["add"], seen, |[x, y]| x + y, two());
    check(&["sub"], seen, |[x, y]| x - y, two());
    check(&["mul"], seen, |[x, y]| x * y, two());
    check(&["div"], seen, |[x, y]| x / y, two());
    check(&["maximum"], seen, |[x, y]| x.maximum(y), two());
    check(&["minimum"], seen, |[x, y]| x.minimum(y), two());
    check(&["pow"], seen, |[x, y]| y.pow(x), two());
    check(&["atan2"], seen, |[x, y]| x.atan2(y), two());
    check(&["select"], seen, |[x, y]| Var::select(&x.value().less(y.value()), x, y), two());
    let row = || [spread(&[3, 4], false, 3), spread(&[4], true, 4)];
    check(&["pow"], seen, |[x, y]| (x.square() + 0.5).pow(y), row());
    check(&["atan2"], seen, |[x, y]| x.atan2(y), row());
    check(&["select"], seen, |[x, y]| Var::select(&x.value().less(D::lit(0.1)), x, y), row());
    check(&["mul", "div"], seen, |[x, y]| x * y / (y + 1.0), row());
    assert_listed(seen);
}

#[test]
fn shapes_and_sums() {
    let seen = &mut BTreeSet::new();
    let x = || [spread(&[3, 2, 4], false, 1)];
    let images = || [spread(&[2, 3, 4, 2], false, 5)];
    check(&["sum"], seen, |[x]| x.sum([0, 2]), x());
    check(&["mean"], seen, |[x]| x.mean(1), x());
    check(&["concat"], seen, |[x]| Var::concat(&[x, &x.exp(), x], 1), x());
    check(&["flip"], seen, |[x]| x.flip(2) * x, x());
    check(&["pad"], seen, |[x]| x.pad(&[[1, 0], [0, 2], [1, 1]]), x());
    check(&["permute"], seen, |[x]| x.permute([2, 0, 1]), x());
    check(&["reshape"], seen, |[x]| x.reshape([4, 6]), x());
    check(&["slice"], seen, |[x]| x.slice(2, 1..3), x());
    let taps = || vec![vec![(0, 0.5), (1, 0.25)], vec![(2, 1.0), (0, -1.0), (3, 0.3)]];
    check(&["resample"], seen, |[x]| x.resample(2, taps()), x());
    check(&["resize"], seen, |[x]| x.resize([2, 5], Interpolation::Bilinear, true), images());
    check(&["resize"], seen, |[x]| x.resize([5, 2], Interpolation::Bicubic, false), images());
    let maps = [[0.9, 0.2, 0.1, -0.1, 1.1, 0.3], [1.0, 0.0, 0.5, 0.0, 1.0, -0.5]];
    for fill in [FillMode::Reflect, FillMode::Constant] {
        check(
            &["affine_transform"],
            seen,
            |[x]| x.affine_transform(&maps, Interpolation::Bilinear, fill, 0.5),
            images(),
        );
    }
    check(&["unfold"], seen, |[x]| x.unfold(2, 1, 1, Padding::Same), images());
    let unfolded = || [spread(&[2, 2, 2, 2, 1], false, 5)];
    check(&["unfold"], seen, |[x]| x.fold(1, 1, Padding::Valid, None), unfolded());
    let indices = Tensor::from([[2.0, 0.0], [1.0, 2.0]]).cast::<D>();
    check(&["embedding"], seen, |[x]| x.embedding(&indices), [spread(&[3, 2], false, 6)]);
    assert_listed(seen);
}

#[test]
fn products_and_convolutions() {
    let seen = &mut BTreeSet::new();
    let [a, b] = [spread(&[3, 4], false, 1), spread(&[4, 2], false, 2)];
    check(&["matmul"], seen, |[a, b]| a.matmul(b), [a.clone(), b.clone()]);
    let bias = spread(&[2], false, 3);
    let inputs = [a, b, bias];
    check(&["dense"], seen, |[a, b, c]| a.dense(b, c), inputs.clone());
    check(&["dense"], seen, |[a, b, c]| a.dense_relu(b, c), inputs);
    let [a, b] = [spread(&[2, 2, 3], false, 1), spread(&[2, 3, 2], false, 2)];
    check(&["batch_matmul"], seen, |[a, b]| a.batch_matmul(b), [a.clone(), b]);
    let list = || [spread(&[2, 1, 2, 3], false, 1), spread(&[2, 3, 2], false, 2)];
    check(&["batch_matmul"], seen, |[a, b]| a.batch_matmul(b), list());
    let one = || [a.clone(), spread(&[3, 2], false, 2)];
    check(&["batch_matmul"], seen, |[a, b]| a.batch_matmul(b), one());
    check(&["outer"], seen, |[a, b]| a.outer(b), one());
    check(&["tensordot"], seen, |[a, b]| a.tensordot(b, &[2], &[0]), one());
    check(&["tensordot"], seen, |[a, b]| a.tensordot(b, &[1, 2], &[1, 0]), one());
    for formula in ["ijk,kj->ij", "ijk,kj", "ijk,kl->lji", "ijk,kj->kj", "...k,kl->...l"] {
        check(&["einsum"], seen, |[a, b]| Var::einsum(formula, &[a, b]), one());
    }
    check(&["einsum"], seen, |[a, b]| Var::einsum("iij,jk,jk->k", &[a, b, b]), one());

    // Groups, borders, strides, dilation, and a rectifier inside.
    let same = Convolution { padding: Padding::Same, ..Convolution::default() };
    let cases = [
        ([1, 3, 4, 2], [2, 2, 2, 2], same),
        ([1, 4, 3, 2], [3, 2, 1, 2], Convolution { groups: 2, strides: [2, 1], ..same }),
        ([1, 4, 4, 1], [2, 2, 1, 2], Convolution { dilation: [2, 1], ..Convolution::default() }),
        ([3, 3, 3, 1], [2, 2, 1, 1], Convolution { algorithm: Algorithm::Direct, ..same }),
        // As many images as fill vectors of any length: gradients of the kernel are computed by parts.
        ([16, 2, 2, 1], [2, 2, 1, 2], same),
    ];
    for (i, (image, kernel, convolution)) in cases.into_iter().enumerate() {
        let seed = 10 * i as u64;
        let inputs = [
            spread(&image, false, seed),
            spread(&kernel, false, seed + 1),
            spread(&[kernel[3]], false, seed + 2),
        ];
        check(&["conv2d"], seen, |[x, k, b]| x.convolve(k, b, convolution), inputs.clone());
        check(&["conv2d"], seen, |[x, k, b]| x.convolve_relu(k, b, convolution), inputs);
    }
    let transposed = TransposedConvolution {
        strides: [2, 1],
        padding: Padding::Same,
        ..TransposedConvolution::default()
    };
    let inputs =
        [spread(&[1, 2, 3, 2], false, 1), spread(&[2, 2, 1, 2], false, 2), spread(&[1], true, 3)];
    check(&["conv2d_transpose"], seen, |[x, k, b]| x.convolve_transposed(k, b, transposed), inputs);
    let inputs =
        || [spread(&[1, 5, 2], false, 1), spread(&[2, 2, 3], false, 2), spread(&[3], true, 3)];
    check(&["conv1d"], seen, |[x, k, b]| x.conv1d(k, b, 2, Padding::Causal), inputs());
    let inputs = || {
        let kernel = spread(&[2, 2, 1, 1, 2], false, 2);
        [spread(&[1, 3, 2, 2, 1], false, 1), kernel, spread(&[2], true, 3)]
    };
    check(&["conv3d"], seen, |[x, k, b]| x.conv3d(k, b, [2, 1, 1], Padding::Same), inputs());
    let image = || [spread(&[1, 4, 5, 2], false, 4)];
    check(&["max_pool2d"], seen, |[x]| x.max_pool2d([2, 2], [2, 2], Padding::Same), image());
    check(&["max_pool2d"], seen, |[x]| x.max_pool2d([3, 2], [1, 2], Padding::Valid), image());
    let dropout = Some((0.3, &cinta::Stream::new(1), 0));
    check(
        &["max_pool2d_relu"],
        seen,
        |[x]| x.max_pool2d_relu([2, 2], [1, 2], Padding::Same, dropout),
        image(),
    );
    check(&["avg_pool2d"], seen, |[x]| x.avg_pool2d([3, 2], [2, 1], Padding::Same), image());
    assert_listed(seen);
}

#[test]
fn along_the_last_axis_and_losses() {
    let seen = &mut BTreeSet::new();
    let x = || [spread(&[3, 4], false, 1)];
    check(&["softmax"], seen, |[x]| x.softmax(), x());
    check(&["log_softmax"], seen, |[x]| x.log_softmax(), x());
    check(&["sparsemax"], seen, |[x]| x.sparsemax(), x());
    let targets = Tensor::from([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]]).cast::<D>();
    let labels = Tensor::from([2.0, 0.0]).cast::<D>();
    let p = || [spread(&[2, 3], true, 2) * 0.6];
    let z = || [spread(&[2, 3], false, 2)];
    check(&["binary_crossentropy"], seen, |[p]| p.binary_crossentropy(&targets), p());
    check(&["binary_crossentropy"], seen, |[z]| z.binary_crossentropy_from_logits(&targets), z());
    check(&["categorical_crossentropy"], seen, |[p]| p.categorical_crossentropy(&targets), p());
    check(
        &["categorical_crossentropy"],
        seen,
        |[z]| z.categorical_crossentropy_from_logits(&targets),
        z(),
    );
    check(
        &["sparse_categorical_crossentropy"],
        seen,
        |[p]| p.sparse_categorical_crossentropy(&labels),
        p(),
    );
    check(
        &["sparse_categorical_crossentropy"],
        seen,
        |[z]| z.sparse_categorical_crossentropy_from_logits(&labels),
        z(),
    );
    let likely = Tensor::from([[0.7, 0.1, 0.2], [0.2, 0.3, 0.5]]).cast::<D>();
    check(&["kl_divergence"], seen, |[p]| p.kl_divergence(&likely), p());
    check(&["mean_squared_error"], seen, |[p]| p.mean_squared_error(&targets), z());
    let [x, gamma, beta] =
        [spread(&[3, 2, 4], false, 1), spread(&[4], true, 2), spread(&[4], false, 3)];
    let three = || [x.clone(), gamma.clone(), beta.clone()];
    check(&["layer_norm"], seen, |[x, g, b]| x.layer_norm(g, b, 1e-3), three());
    check(&["layer_norm"], seen, |[x, g, b]| x.group_norm(g, b, 2, 1e-3), three());
    check(&["layer_norm"], seen, |[x, g]| x.rms_norm(g, 1e-3), [x.clone(), gamma.clone()]);
    check(&["batch_norm"], seen, |[x, g, b]| x.batch_norm(g, b, 2, 1e-3).0, three());
    assert_listed(seen);
}

#[test]
fn recurrences() {
    let seen = &mut BTreeSet::new();
    let x = spread(&[2, 3, 2], false, 1);
    let weights = |gates: usize, rows: &[usize]| {
        let units = 2 * gates;
        let bias = [rows, &[units]].concat();
        [
            x.clone(),
            spread(&[2, units], false, 2),
            spread(&[2, units], false, 3) * 0.5,
            spread(&bias, false, 4),
        ]
    };
    let mask = Tensor::from([[1.0, 1.0, 1.0], [1.0, 0.0, 1.0]]).cast::<D>();
    let other = Nonlinearity::other(|x| x.softplus());
    check(
        &["simple_rnn"],
        seen,
        |[x, k, r, b]| x.simple_rnn([k, r, b], &Tanh, Some(&mask)),
        weights(1, &[]),
    );
    check(
        &["simple_rnn"],
        seen,
        |[x, k, r, b]| x.simple_rnn([k, r, b], &other, None),
        weights(1, &[]),
    );
    check(
        &["lstm"],
        seen,
        |[x, k, r, b]| x.lstm([k, r, b], [&Tanh, &Sigmoid], Some(&mask)),
        weights(4, &[]),
    );
    check(
        &["gru"],
        seen,
        |[x, k, r, b]| x.gru([k, r, b], [&Tanh, &Sigmoid], None),
        weights(3, &[]),
    );
    check(
        &["gru"],
        seen,
        |[x, k, r, b]| x.gru([k, r, b], [&Linear, &Sigmoid], Some(&mask)),
        weights(3, &[2]),
    );
    assert_listed(seen);
}

#[test]
fn along_axes() {
    let seen = &mut BTreeSet::new();
    let x = || [spread(&[3, 2, 4], false, 1)];
    // One zero in a row, and several.
    let zeros = || [Tensor::from([[0.0, 1.5, -2.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])];
    check(&["cumsum"], seen, |[x]| x.cumsum(1), x());
    check(&["cumprod"], seen, |[x]| x.cumprod(0), x());
    check(&["cumprod"], seen, |[x]| x.cumprod(2), x());
    check(&["cumprod"], seen, |[x]| x.cumprod(1), zeros());
    check(&["prod"], seen, |[x]| x.prod([0, 1]), x());
    check(&["prod"], seen, |[x]| x.prod(1), zeros());
    check(&["max"], seen, |[x]| x.max([0, 2]), x());
    check(&["min"], seen, |[x]| x.min(1), x());
    check(&["logsumexp"], seen, |[x]| x.logsumexp([0, 2]), x());
    check(&["variance"], seen, |[x]| x.var([0, 2], 0), x());
    check(&["variance"], seen, |[x]| x.var(0, 1), x());
    check(&["standard_deviation"], seen, |[x]| x.std([0, 2], 1), x());
    for order in [1.0, 1.5, 2.0, 3.0, f64::INFINITY] {
        check(&["norm"], seen, |[x]| x.norm(order, [0, 2]), x());
    }
    assert_listed(seen);
}

#[test]
fn indices_and_axes() {
    let seen = &mut BTreeSet::new();
    let x = || [spread(&[3, 2, 4], false, 1)];
    let matrix = || [spread(&[3, 4], false, 2)];
    // Indices that are named several times, and one that never is.
    let places = Indices::new([3, 2, 3], [0, 2, 2, 3, 0, 3, 0, 0, 0, 2, 3, 2, 3, 3, 2, 0, 0, 2]);
    check(&["gather"], seen, |[x]| x.gather(2, &places), x());
    check(&["gather"], seen, |[x]| x.gather(0, [[2, 2, 0, 1]]), matrix());
    check(&["index_select"], seen, |[x]| x.index_select(1, [[1, 1], [0, 1]]), x());
    let values = || spread(&[3, 2, 3], false, 3);
    let [base] = x();
    check(
        &["scatter_add"],
        seen,
        |[x, values]| x.scatter_add(2, &places, values),
        [base, values()],
    );
    check(&["sort"], seen, |[x]| x.sort(1) * x.sort(2), x());
    check(&["sort"], seen, |[x]| x.top_k(2, 3).0, x());
    check(&["stack"], seen, |[x]| Var::stack(&[x, &x.exp(), x], 1), x());
    check(&["split"], seen, |[x]| x.split(2, &[1, 3])[1].square(), x());
    check(&["split"], seen, |[x]| x.chunks(0, 2).iter().fold(-x.sum(0), |y, z| y * z.sum(0)), x());
    check(&["roll"], seen, |[x]| x.roll(2, 1) * x, x());
    check(&["repeat"], seen, |[x]| x.repeat(1, 3), x());
    check(&["repeat"], seen, |[x]| x.repeat(2, [2, 0, 1, 3]), x());
    check(&["masked_select"], seen, |[x]| x.masked_select(&x.value().less(D::lit(0.2))), x());
    let rows = Mask::from([[true, false], [false, true], [true, true]]);
    check(&["masked_select"], seen, |[x]| x.masked_select(&rows), x());
    check(&["tile"], seen, |[x]| x.tile(&[2, 1, 2, 2]), x());
    for mode in [PadMode::Edge, PadMode::Reflect, PadMode::Symmetric, PadMode::Wrap] {
        check(&["pad_with"], seen, |[x]| x.pad_with(&[[1, 0], [0, 3], [2, 2]], mode), x());
    }
    check(&["pad"], seen, |[x]| x.pad_constant(&[[1, 0], [0, 2]], D::lit(0.5)), matrix());
    check(&["diag"], seen, |[x]| x.diag(1), matrix());
    check(&["diag"], seen, |[x]| x.diag(-1), [spread(&[3], false, 1)]);
    check(&["diag"], seen, |[x]| x.diagonal(-1, [2, 0]), x());
    check(&["trace"], seen, |[x]| x.trace(), x());
    check(&["triangle"], seen, |[x]| x.triu(1) + x.tril(-1), x());
    check(&["expand_dims"], seen, |[x]| x.expand_dims(1).squeeze(1), x());
    check(&["move_axis"], seen, |[x]| x.move_axis(0, 2).swap_axes(0, 1), x());
    assert_listed(seen);
}

/// A sum of more summands than one chain has: pieces of it are added up in wide numbers, and these must carry derivatives.
#[test]
fn long_sums() {
    const LONG: usize = (1 << 15) + 100;
    let x = Tensor::<f64>::uniform([1, LONG], 0.5, 1.5, &mut Stream::new(3));
    let dx = Tensor::<f64>::uniform([1, LONG], -1.0, 1.0, &mut Stream::new(4));
    let close = |what: &str, found: f64, expected: f64| {
        assert!((found / expected - 1.0).abs() < 1e-10, "{what}: {found} instead of {expected}");
    };
    let squares = x.square().sum(..).item();
    let moved = 2.0 * (&x * &dx).sum(..).item();
    // Its square, so that gradients move as well: s^2 has the Hessian product 2 s' 2 x + 2 s 2 dx.
    let second = |i: usize| 2.0 * moved * 2.0 * x.at([0, i]) + 4.0 * squares * dx.at([0, i]);
    fn check<F: for<'t> Fn(&V<'t>) -> V<'t>>(f: F, x: &Tensor<f64>, dx: &Tensor<f64>) -> [f64; 4] {
        let (y, dy) = cinta::jvp(|[x]| f(x).sum(..), [x], [dx]);
        let [h] = cinta::hvp(|[x]| f(x).square().sum(..), [x], [dx]);
        [y.item(), dy.item(), h.at([0, 0]), h.at([0, 777])]
    }
    let sums: [(&str, [f64; 4]); 4] = [
        ("sum", check(|x| x.square().sum(..), &x, &dx)),
        ("matmul", check(|x| x.matmul(&x.permute([1, 0])), &x, &dx)),
        (
            "avg_pool2d",
            check(
                |x| {
                    let images = x.square().reshape([1, LONG, 1, 1]);
                    images.avg_pool2d([LONG, 1], [1, 1], Padding::Valid) * LONG as f64
                },
                &x,
                &dx,
            ),
        ),
        (
            "embedding",
            check(
                |x| {
                    // Every product with the only row: its gradient is a sum over all of them.
                    let table = Var::constant(Tensor::<D>::ones([1, 1]));
                    let ones = table.embedding(&Tensor::zeros([LONG])).reshape([1, LONG]);
                    (x.square() * ones).sum(..)
                },
                &x,
                &dx,
            ),
        ),
    ];
    for (what, [y, dy, first, other]) in sums {
        close(what, y, squares);
        close(what, dy, moved);
        close(what, first, second(0));
        close(what, other, second(777));
    }
    // The gradient of the table is itself such a sum.
    fn embedded<'t>(table: &V<'t>) -> V<'t> {
        table.embedding(&Tensor::zeros([LONG]))
    }
    fn selected<'t>(table: &V<'t>) -> V<'t> {
        table.index_select(0, vec![0; LONG])
    }
    fn gathered<'t>(table: &V<'t>) -> V<'t> {
        table.gather(0, Indices::new([LONG, 1], vec![0; LONG]))
    }
    type Rows = for<'t> fn(&V<'t>) -> V<'t>;
    let rows: [(&str, Rows); 3] =
        [("embedding", embedded), ("index_select", selected), ("gather", gathered)];
    for (what, rows) in rows {
        let [h] = cinta::hvp(
            |[table]| (rows(table).square() * constant(&x.reshape([LONG, 1]))).sum(..),
            [&Tensor::from([[0.5]])],
            [&Tensor::from([[1.0]])],
        );
        close(what, h.item(), 2.0 * x.sum(..).item());
    }
}

/// All files of `src/ops`, but those that are no operation.
pub fn all() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for dir in ["src/ops", "src/ops/recurrent"] {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
        for entry in std::fs::read_dir(dir).expect("the operations") {
            let path = entry.expect("a file").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let other = ["mod", "testing", "compositions", "recurrent"].contains(&name.as_str());
            if !other {
                found.insert(name);
            }
        }
    }
    found
}

/// What the tests above check, all together.
const CHECKED: &[&str] = &[
    "abs",
    "add",
    "affine",
    "affine_transform",
    "atan2",
    "avg_pool2d",
    "batch_matmul",
    "batch_norm",
    "binary_crossentropy",
    "categorical_crossentropy",
    "ceil",
    "clamp",
    "concat",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "cos",
    "cumprod",
    "cumsum",
    "dense",
    "diag",
    "div",
    "dropout",
    "einsum",
    "elu",
    "embedding",
    "erf",
    "exp",
    "expand_dims",
    "expm1",
    "flip",
    "floor",
    "gather",
    "gelu",
    "gru",
    "huber",
    "index_select",
    "kl_divergence",
    "layer_norm",
    "ln",
    "log1p",
    "log_softmax",
    "logsumexp",
    "lstm",
    "masked_fill",
    "masked_select",
    "matmul",
    "max",
    "max_pool2d",
    "max_pool2d_relu",
    "maximum",
    "mean",
    "mean_squared_error",
    "min",
    "minimum",
    "move_axis",
    "mul",
    "neg",
    "norm",
    "outer",
    "pad",
    "pad_with",
    "permute",
    "pow",
    "powf",
    "powi",
    "prod",
    "reciprocal",
    "rectifier",
    "relu",
    "repeat",
    "resample",
    "reshape",
    "resize",
    "roll",
    "round",
    "rsqrt",
    "scatter_add",
    "select",
    "sigmoid",
    "sign",
    "silu",
    "simple_rnn",
    "sin",
    "slice",
    "softmax",
    "softplus",
    "softsign",
    "sort",
    "sparse_categorical_crossentropy",
    "sparse_plus",
    "sparsemax",
    "split",
    "sqrt",
    "square",
    "squareplus",
    "stack",
    "standard_deviation",
    "sub",
    "sum",
    "tan",
    "tanh",
    "tensordot",
    "threshold",
    "tile",
    "trace",
    "triangle",
    "unfold",
    "variance",
];

/// What a test checks is on the list.
fn assert_listed(seen: &BTreeSet<&'static str>) {
    assert!(seen.iter().all(|name| CHECKED.contains(name)), "{seen:?}");
}

#[test]
fn no_op_is_left_out() {
    let checked: BTreeSet<String> = CHECKED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(checked, all());
    // And what is on the list is called in this file.
    let text = include_str!("ops.rs");
    for name in CHECKED {
        assert!(text.contains(&format!("&[\"{name}\"")), "{name} is not checked");
    }
}
