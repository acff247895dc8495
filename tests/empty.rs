//! Tensors without elements, whatever their strides: each operation gives the right shapes, 0 for a sum of nothing, NaN
//! for a mean of nothing, and panics where there is no answer, as documented.

#[path = "empty/ops.rs"]
mod other_ops;

use cinta::prelude::*;
use cinta::{
    Algorithm, Context, Convolution, Indices, Layer, Mode, Scalar, Shape, Tape, Var, filters,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Tensors of a shape, empty or not, with all kinds of strides and offsets.
fn views<T: Scalar>(dims: &[usize]) -> Vec<Tensor<T>> {
    let value = |at: &[usize]| T::lit(at.iter().sum::<usize>() as f64 + 1.0);
    let axes = 0..dims.len();
    let flipped = |x: Tensor<T>| axes.clone().fold(x, |x, axis| x.flip(axis));
    let cut = |x: Tensor<T>, from: usize| {
        axes.clone().fold(x, |x, axis| {
            let from = from.min(x.shape()[axis] - dims[axis]);
            x.slice(axis, from..from + dims[axis])
        })
    };
    let larger: Vec<usize> = dims.iter().map(|dim| dim + 3).collect();
    let twice: Vec<usize> = dims.iter().map(|dim| 2 * dim + 1).collect();
    let stepped = |x: Tensor<T>| axes.clone().fold(x, |x, axis| x.step(axis, 2));
    let mut turned = larger.clone();
    turned.reverse();
    let permuted = Tensor::from_fn(&turned[..], value);
    let permuted = match dims.len() {
        2 => permuted.permute([1, 0]),
        3 => permuted.permute([2, 1, 0]),
        4 => permuted.permute([3, 2, 1, 0]),
        _ => permuted,
    };
    // The first axis repeated; samples innermost.
    let mut repeated = dims.to_vec();
    repeated.iter_mut().take(1).for_each(|dim| *dim = 1);
    let mut innermost = dims.to_vec();
    innermost.rotate_left(1.min(dims.len()));
    let innermost = Tensor::from_fn(&innermost[..], value);
    let innermost = match dims.len() {
        2 => innermost.permute([1, 0]),
        3 => innermost.permute([2, 0, 1]),
        4 => innermost.permute([3, 0, 1, 2]),
        _ => innermost,
    };
    vec![
        Tensor::ones(dims),
        Tensor::from_fn(dims, value),
        cut(Tensor::from_fn(&larger[..], value), 0),
        cut(Tensor::from_fn(&larger[..], value), 3),
        cut(flipped(Tensor::from_fn(&larger[..], value)), 1),
        flipped(cut(Tensor::from_fn(&larger[..], value), 2)),
        cut(stepped(flipped(Tensor::from_fn(&twice[..], value))), 0),
        cut(permuted.clone(), 0),
        cut(flipped(permuted), 3),
        Tensor::from_fn(&repeated[..], value).broadcast_to(dims),
        flipped(Tensor::from_fn(&repeated[..], value)).broadcast_to(dims),
        flipped(innermost.clone()),
        innermost,
    ]
}

/// All shapes of some rank with axes from `lengths`, of which at least one is 0.
fn shapes(rank: usize, lengths: &[usize]) -> Vec<Vec<usize>> {
    let longer = |shapes: Vec<Vec<usize>>| {
        let with =
            |shape: Vec<usize>| lengths.iter().map(move |&len| [&shape[..], &[len]].concat());
        shapes.into_iter().flat_map(with).collect()
    };
    let mut all = (0..rank).fold(vec![vec![]], |shapes, _| longer(shapes));
    all.retain(|shape| shape.contains(&0));
    all
}

#[track_caller]
fn assert_panics(words: &str, f: impl FnOnce()) {
    let panicked = catch_unwind(AssertUnwindSafe(f)).expect_err("nothing panicked");
    let message = panicked
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panicked.downcast_ref::<&str>().map(|message| (*message).to_owned()));
    let message = message.expect("a message");
    assert!(message.contains(words), "{words:?} is not in {message:?}");
}

/// The value, and the gradients of all inputs for a gradient of ones, which have the inputs' shapes.
fn run<T: Scalar, const N: usize>(
    inputs: [&Tensor<T>; N],
    f: impl for<'t> Fn([&Var<'t, T>; N]) -> Var<'t, T>,
) -> (Tensor<T>, [Tensor<T>; N]) {
    let tape = Tape::new();
    let leaves = inputs.map(|input| tape.leaf(input.clone()));
    let y = f(leaves.each_ref());
    let value = y.value().clone();
    let gradients = y.backward_from(&Tensor::ones(value.shape()));
    let gradients = leaves.each_ref().map(|leaf| gradients.wrt(leaf));
    for (gradient, input) in gradients.iter().zip(inputs) {
        assert_eq!(gradient.shape(), input.shape());
        assert_eq!(gradient.to_vec().len(), input.len());
    }
    (value, gradients)
}

mod tensors {
    use super::*;

    #[test]
    fn views_of_nothing_are_empty() {
        for dims in (1..=4).flat_map(|rank| shapes(rank, &[0, 1, 2])) {
            let shape = Shape::new(&dims);
            for x in views::<f32>(&dims) {
                assert!(x.is_empty() && x.to_vec().is_empty() && x.iter().next().is_none());
                assert_eq!(x.shape(), shape);
                assert_eq!(x, Tensor::zeros(shape));
                assert_eq!(x.as_slice(), Some(&[][..]));
                assert!(x.clone().as_mut_slice().is_empty());
                assert!(x.is_finite() && x.all_close(&x.row_major(), 0.0, 0.0));
                assert!(!format!("{x:?}").is_empty());
                for axis in 0..x.rank() {
                    let len = shape[axis];
                    assert_eq!(x.flip(axis).step(axis, 3).shape()[axis], len.div_ceil(3));
                    assert_eq!(x.slice(axis, 0..len).shape(), shape);
                    assert!(x.slice(axis, len..).row_major().is_empty());
                }
                assert_eq!(x.reshape([0, 5]).shape(), [0, 5]);
                assert_eq!(x.reshape([7, 3, 0]).row_major().shape(), [7, 3, 0]);
                assert_eq!(Tensor::concat(&[x.clone(), x.clone()]).shape()[1..], dims[1..]);
                assert!(x.take(&vec![0; shape[0]]).is_empty());
                if x.rank() < 4 {
                    assert!(x.broadcast_to(shape.batch(3)).to_vec().is_empty());
                }
                assert_panics("item of a tensor", || assert_eq!(x.item(), 0.0));
            }
        }
    }

    #[test]
    fn windows_of_nothing() {
        for x in
            [[0, 4, 5, 2], [3, 4, 5, 0], [0, 4, 5, 0]].iter().flat_map(|dims| views::<f32>(dims))
        {
            let [n, _, _, c] = x.dims();
            let windows = x.windows([2, 3], [1, 2]);
            assert_eq!(windows.shape(), [n, 3, 2, 2, 3, c]);
            assert!(windows.to_vec().is_empty());
        }
        assert_panics("does not fit", || {
            drop(Tensor::<f32>::ones([1, 0, 3, 1]).windows([1, 1], [1, 1]))
        });
    }

    #[test]
    fn element_by_element() {
        for x in shapes(3, &[0, 2]).iter().flat_map(|dims| views::<f64>(dims)) {
            assert_eq!(x.map(|x| x + 1.0).shape(), x.shape());
            assert_eq!(x.clone().into_map(|x| x + 1.0).shape(), x.shape());
            for y in views::<f64>(&x.shape()) {
                assert_eq!((&x + &y).shape(), x.shape());
                assert_eq!((x.clone() * &y).shape(), x.shape());
            }
            assert_eq!(x.clamp(0.0, 1.0).shape(), x.shape());
        }
    }

    /// Over every set of axes.
    #[test]
    fn reductions() {
        for dims in shapes(3, &[0, 1, 2]) {
            for x in views::<f32>(&dims) {
                for set in 0..8 {
                    let (axes, kept): (Vec<usize>, Vec<usize>) =
                        (0..3).partition(|axis| set >> axis & 1 == 1);
                    let expected: Vec<usize> = kept.iter().map(|&axis| dims[axis]).collect();
                    let expected = Shape::new(&expected);
                    assert_eq!(x.sum(&axes[..]), Tensor::zeros(expected));
                    let mean = x.mean(&axes[..]);
                    assert_eq!(mean.shape(), expected);
                    assert!(mean.iter().all(f32::is_nan));
                    if expected.contains(&0) {
                        assert_eq!(x.max(&axes[..]).shape(), expected);
                        assert_eq!(x.min(&axes[..]).shape(), expected);
                    } else {
                        let words = "the maximum or minimum of no elements";
                        assert_panics(words, || drop(x.max(&axes[..])));
                        assert_panics(words, || drop(x.min(&axes[..])));
                    }
                }
                for (axis, &len) in dims.iter().enumerate() {
                    if len == 0 {
                        assert_panics("is empty", || drop(x.argmax(axis)));
                    } else {
                        assert!(x.argmax(axis).is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn other_ways_to_nothing() {
        assert!(Tensor::<f32>::arange(0).is_empty() && Tensor::<f32>::eye(0).is_empty());
        assert!(Tensor::<f32>::new([3, 0], vec![]).is_empty());
        assert!(Tensor::<f32>::from([[0.0; 0]; 3]).is_empty());
        assert!(Tensor::<f32>::normal([0, 2], 0.0, 1.0, &mut Stream::new(1)).is_empty());
        assert!(Tensor::<f32>::glorot_uniform([0, 0], &mut Stream::new(1)).is_empty());
        assert!(Stream::new(1).permutation(0).is_empty());
        assert!(filters::moving_average(&Tensor::<f32>::zeros([0]), 3).is_empty());
        assert!(filters::differences(&Tensor::<f32>::zeros([0])).is_empty());
        for (n, c) in [(0, 2), (3, 0)] {
            for x in views::<f32>(&[n, 4, 5, c]) {
                let y = filters::correlate(&x, &Tensor::ones([3, 3]), Same);
                assert_eq!(y.shape(), [n, 4, 5, c]);
            }
        }
    }
}

mod ops {
    use super::*;

    type Unary = for<'t> fn(&Var<'t, f64>) -> Var<'t, f64>;
    type Binary = for<'t> fn(&Var<'t, f64>, &Var<'t, f64>) -> Var<'t, f64>;

    #[test]
    fn of_one_input() {
        for x in shapes(3, &[0, 2]).iter().flat_map(|dims| views::<f64>(dims)) {
            let same: [Unary; 14] = [
                |x| x.abs(),
                |x| x.elu(),
                |x| x.exp(),
                |x| x.huber(1.0),
                |x| x.ln(),
                |x| -x,
                |x| x.relu(),
                |x| x.sigmoid(),
                |x| x.sqrt(),
                |x| x.square(),
                |x| x.tanh(),
                |x| x * 2.0 + 1.0,
                |x| x.dropout(0.5, &Stream::new(1), 3),
                |x| x.dropout(1.0, &Stream::new(1), 3),
            ];
            for f in same {
                assert_eq!(run([&x], |[x]| f(x)).0.shape(), x.shape());
            }
            let [a, b, c] = x.dims();
            assert_eq!(run([&x], |[x]| x.permute([2, 0, 1])).0.shape(), [c, a, b]);
            assert_eq!(run([&x], |[x]| x.reshape([4, 0])).0.shape(), [4, 0]);
            for axis in 0..3 {
                let len = x.shape()[axis];
                assert_eq!(run([&x], |[x]| x.slice(axis, len..len)).0.shape()[axis], 0);
                assert_eq!(run([&x], |[x]| x.slice(axis, 0..len)).0.shape(), x.shape());
                let (sum, _) = run([&x], |[x]| x.sum(axis));
                assert_eq!(sum, Tensor::zeros(sum.shape()));
                assert!(run([&x], |[x]| x.mean(axis)).0.iter().all(f64::is_nan));
            }
            assert_eq!(run([&x], |[x]| x.sum(..)).0.item(), 0.0);
            assert!(run([&x], |[x]| x.mean(..)).0.item().is_nan());
        }
    }

    /// What moves and chooses values has its shape without any of them.
    #[test]
    fn moved_and_chosen() {
        for x in shapes(3, &[0, 2]).iter().flat_map(|dims| views::<f64>(dims)) {
            let [a, b, c] = x.dims();
            let shape = |f: Unary| run([&x], |[x]| f(x)).0.shape();
            let same: [Unary; 7] = [
                |x| x.sort(1),
                |x| x.roll(0, 1),
                |x| x.triu(0),
                |x| x.tril(-1),
                |x| x.tile(&[1, 1]),
                |x| x.repeat(2, 1),
                |x| x.expand_dims(3).squeeze(3),
            ];
            same.into_iter().for_each(|f| assert_eq!(shape(f), x.shape()));
            assert_eq!(shape(|x| x.tile(&[3, 1, 2, 1])), [3, a, 2 * b, c]);
            assert_eq!(shape(|x| x.repeat(1, 3)), [a, 3 * b, c]);
            assert_eq!(shape(|x| x.repeat(0, vec![2; x.shape()[0]])), [2 * a, b, c]);
            assert_eq!(shape(|x| x.masked_select(&x.value().isnan())), [0]);
            assert_eq!(shape(|x| x.masked_select(&x.value().isfinite())), [a * b * c]);
            assert_eq!(shape(|x| x.masked_select(&x.value().isinf().any(2))), [0, c]);
            assert_eq!(shape(|x| x.masked_select(&x.value().isfinite().all([1, 2]))), [a, b, c]);
            assert_eq!(shape(|x| x.move_axis(0, 2)), [b, c, a]);
            assert_eq!(shape(|x| x.swap_axes(0, 1)), [b, a, c]);
            assert_eq!(
                shape(|x| x.pad_constant(&[[0, 1], [2, 0], [0, 0]], 1.0)),
                [a + 1, b + 2, c]
            );
            assert_eq!(shape(|x| x.diagonal(0, [0, 2])), [b, a.min(c)]);
            assert_eq!(shape(|x| x.trace()), [c]);
            assert_eq!(shape(|x| Var::stack(&[x, x], 1)), [a, 2, b, c]);
            assert_eq!(shape(|x| x.chunks(2, 3).swap_remove(1)), [a, b, (c + 1) / 3]);
            assert_eq!(shape(|x| x.top_k(1, x.shape()[1]).0), x.shape());
            assert_eq!(shape(|x| x.index_select(1, Indices::new([0, 4], []))), [a, 0, 4, c]);
            let none = || Indices::new([a, b, 0], []);
            assert_eq!(run([&x], |[x]| x.gather(2, none())).0.shape(), [a, b, 0]);
            let nothing = Tensor::zeros([a, b, 0]);
            let (y, _) = run([&x, &nothing], |[x, y]| x.scatter_add(2, none(), y));
            assert_eq!(y.shape(), x.shape());
            assert_eq!(x.argsort(0).shape(), x.shape());
            assert_eq!(x.unique().values.shape(), [0]);
            // Sums of nothing are 0.
            let other = Tensor::ones([c, 2]);
            let (y, _) = run([&x, &other], |[x, y]| x.batch_matmul(y));
            assert_eq!(y, Tensor::zeros([a, b, 2]));
            let (y, _) = run([&x, &other], |[x, y]| Var::einsum("ijk,kl->jl", &[x, y]));
            assert_eq!(y, Tensor::zeros([b, 2]));
            let (y, _) = run([&x, &x], |[x, y]| x.tensordot(y, &[0, 1], &[0, 1]));
            assert_eq!(y, Tensor::zeros([c, c]));
            assert_eq!(run([&x, &other], |[x, y]| x.outer(y)).0.shape(), [0, 2 * c]);
        }
    }

    /// Cutting everything away leaves no gradient.
    #[test]
    fn nothing_of_something() {
        for x in views::<f64>(&[2, 3]) {
            let (y, [dx]) = run([&x], |[x]| x.slice(1, 1..1));
            assert_eq!((y.shape(), dx), ([2, 0].into(), Tensor::zeros([2, 3])));
        }
    }

    /// What was repeated no times gets a sum of no gradients.
    #[test]
    fn of_two_inputs() {
        for x in views::<f64>(&[3, 0, 2]) {
            let others: [&[usize]; 6] = [&[3, 0, 2], &[0, 2], &[2], &[3, 1, 2], &[1, 1, 1], &[]];
            for y in others.iter().flat_map(|dims| views::<f64>(&[dims, &[][..]].concat())) {
                let both: [Binary; 4] = [|x, y| x + y, |x, y| x - y, |x, y| y * x, |x, y| x / y];
                for f in both {
                    let (z, [_, dy]) = run([&x, &y], |[x, y]| f(x, y));
                    assert_eq!(z.shape(), [3, 0, 2]);
                    assert_eq!(dy, Tensor::zeros(y.shape()));
                }
            }
        }
    }

    #[test]
    fn products() {
        fn check<T: Scalar>(m: usize, k: usize, n: usize) {
            let bias = Tensor::from_fn([n], |at| T::lit(at[0] as f64 - 0.5));
            let biases = bias.broadcast_to([m, n]);
            for a in views::<T>(&[m, k]) {
                for b in views::<T>(&[k, n]) {
                    let (y, [da, db]) = run([&a, &b], |[a, b]| a.matmul(b));
                    assert_eq!(y, Tensor::zeros([m, n]));
                    assert_eq!((da, db), (Tensor::zeros([m, k]), Tensor::zeros([k, n])));
                    for relu in [false, true] {
                        let (y, [da, db, dbias]) =
                            run([&a, &b, &bias], |[a, b, bias]| match relu {
                                true => a.dense_relu(b, bias),
                                false => a.dense(b, bias),
                            });
                        let rectified = |x: T| if relu && x < T::zero() { T::zero() } else { x };
                        assert_eq!(y, biases.map(rectified));
                        assert_eq!((da, db), (Tensor::zeros([m, k]), Tensor::zeros([k, n])));
                        let counts = y.map(|y| T::lit(f64::from(!relu || y > T::zero())));
                        assert_eq!(dbias, counts.sum(0));
                    }
                }
            }
        }
        for shape in shapes(3, &[0, 1, 3, 16]) {
            let [m, k, n] = shape[..] else { unreachable!("three axes") };
            check::<f32>(m, k, n);
            check::<f64>(m, k, n);
        }
    }

    #[test]
    fn softmax_and_crossentropies() {
        type Loss = for<'t> fn(&Var<'t, f64>, &Tensor<f64>) -> Var<'t, f64>;
        let over_classes: [Loss; 2] = [
            |p, y| p.categorical_crossentropy(y),
            |z, y| z.categorical_crossentropy_from_logits(y),
        ];
        let over_labels: [Loss; 2] = [
            |p, y| p.sparse_categorical_crossentropy(y),
            |z, y| z.sparse_categorical_crossentropy_from_logits(y),
        ];
        let means: [Loss; 3] = [
            |p, y| p.binary_crossentropy(y),
            |z, y| z.binary_crossentropy_from_logits(y),
            |p, y| p.mean_squared_error(y),
        ];
        for dims in [[0, 3], [0, 0], [2, 0]] {
            let [n, classes] = dims;
            let labels = Tensor::zeros([n]);
            for (x, y) in views::<f64>(&dims).iter().zip(views::<f64>(&dims).iter().rev()) {
                if classes == 0 {
                    assert_panics("last axis", || drop(run([x], |[x]| x.softmax())));
                    assert_panics("last axis", || drop(run([x], |[x]| x.log_softmax())));
                    for loss in over_classes {
                        assert_panics("last axis", || drop(run([x], |[x]| loss(x, y))));
                    }
                } else {
                    assert_eq!(run([x], |[x]| x.softmax()).0.shape(), dims);
                    assert_eq!(run([x], |[x]| x.log_softmax()).0.shape(), dims);
                    for loss in over_classes {
                        assert_eq!(run([x], |[x]| loss(x, y)).0.shape(), [n]);
                    }
                }
                for loss in over_labels {
                    match dims {
                        [2, 0] => {
                            assert_panics("label 0", || drop(run([x], |[x]| loss(x, &labels))))
                        }
                        [0, 0] => {
                            assert_panics("last axis", || drop(run([x], |[x]| loss(x, &labels))))
                        }
                        _ => assert_eq!(run([x], |[x]| loss(x, &labels)).0.shape(), [n]),
                    }
                }
                for loss in means {
                    let (loss, _) = run([x], |[x]| loss(x, y));
                    assert_eq!(loss.shape(), [n]);
                    assert!(loss.iter().all(f64::is_nan));
                }
                assert_eq!(run([x], |[x]| x.kl_divergence(y)).0, Tensor::zeros([n]));
            }
        }
    }

    #[test]
    fn pooling() {
        for dims in [[0, 5, 4, 3], [2, 5, 4, 0], [0, 5, 4, 0]] {
            for x in views::<f32>(&dims) {
                for (size, strides, padding, output) in [
                    ([2, 2], [2, 2], Valid, [2, 2]),
                    ([3, 2], [1, 1], Same, [5, 4]),
                    ([20, 30], [1, 9], Same, [5, 1]),
                ] {
                    let expected = [dims[0], output[0], output[1], dims[3]];
                    let (max, _) = run([&x], |[x]| x.max_pool2d(size, strides, padding));
                    let (mean, _) = run([&x], |[x]| x.avg_pool2d(size, strides, padding));
                    assert_eq!((max.shape(), mean.shape()), (expected.into(), expected.into()));
                    let constant = Var::constant(x.clone());
                    assert_eq!(constant.max_pool2d(size, strides, padding).shape(), expected);
                }
            }
        }
        for dims in [[2, 0, 4, 3], [2, 4, 0, 3]] {
            for x in views::<f32>(&dims).into_iter().map(Var::constant) {
                for padding in [Valid, Same] {
                    assert_panics("has no pixels", || drop(x.max_pool2d([1, 1], [1, 1], padding)));
                    assert_panics("has no pixels", || drop(x.avg_pool2d([1, 1], [1, 1], padding)));
                }
            }
        }
    }

    /// No images or no channels, in every way that a convolution is computed: with a sum over nothing, the output is the
    /// bias.
    #[test]
    fn convolutions() {
        fn check<T: Scalar>(dims: [usize; 4], k: usize, c_out: usize, convolution: Convolution) {
            let [n, h, w, c_in] = dims;
            let kernel = [k, k, c_in / convolution.groups, c_out];
            let bias = Tensor::from_fn([c_out], |at| T::lit(at[0] as f64 - 1.5));
            let kernels = views::<T>(&kernel);
            for (i, x) in views::<T>(&dims).iter().enumerate() {
                let kernel = &kernels[i % kernels.len()];
                let relu = convolution.padding == Same;
                let (y, [dx, dkernel, dbias]) =
                    run([x, kernel, &bias], |[x, kernel, bias]| match relu {
                        true => x.convolve_relu(kernel, bias, convolution),
                        false => x.convolve(kernel, bias, convolution),
                    });
                let [_, oh, ow, _] = y.dims();
                let expected = bias.broadcast_to([n, oh, ow, c_out]);
                let rectified = |x: T| if relu && x < T::zero() { T::zero() } else { x };
                assert_eq!(y, expected.map(rectified), "{dims:?} {k} {c_out} {convolution:?}");
                assert_eq!(dx, Tensor::zeros([n, h, w, c_in]));
                assert_eq!(dkernel, Tensor::zeros(kernel.shape()));
                let counts = y.map(|y| T::lit(f64::from(!relu || y > T::zero())));
                assert_eq!(dbias, counts.sum([0, 1, 2]));
            }
        }
        let plain = Convolution::default();
        let same = Convolution { padding: Same, ..plain };
        for (channels, groups) in
            [([3, 4], 1), ([1, 40], 1), ([32, 32], 1), ([4, 8], 4), ([6, 6], 6)]
        {
            for n in [0, 1, 3, 16, 70] {
                for (k, convolution) in [
                    (1, plain),
                    (3, plain),
                    (3, same),
                    (3, Convolution { strides: [2, 3], ..same }),
                    (2, Convolution { dilation: [2, 2], ..plain }),
                    (3, Convolution { algorithm: Algorithm::Direct, ..same }),
                    (9, Convolution { strides: [1, 9], ..same }),
                ] {
                    let convolution = Convolution { groups, ..convolution };
                    let [c_in, c_out] = channels;
                    let c_in = if n == 0 { c_in } else { 0 };
                    check::<f32>([n, 5, 6, c_in], k, c_out, convolution);
                    check::<f64>([n, 5, 6, 0], k, c_out, convolution);
                }
            }
        }
    }

    #[test]
    fn convolutions_that_cannot_be() {
        let convolve = |x: [usize; 4], kernel: [usize; 4]| {
            let [x, kernel, bias] = [&x[..], &kernel[..], &kernel[3..]]
                .map(|shape| Var::constant(Tensor::<f32>::ones(shape)));
            x.conv2d(&kernel, &bias, [1, 1], Same).into_value()
        };
        assert_panics("has no outputs", || drop(convolve([1, 4, 4, 2], [3, 3, 2, 0])));
        assert_panics("has no pixels", || drop(convolve([1, 0, 4, 2], [3, 3, 2, 1])));
        assert_panics("has no pixels", || drop(convolve([1, 4, 0, 2], [3, 3, 2, 1])));
        assert_panics("a window of 0x3", || drop(convolve([1, 4, 4, 2], [0, 3, 2, 1])));
        assert_panics("a window of 3x0", || drop(convolve([1, 4, 4, 2], [3, 0, 2, 1])));
    }
}

mod layers {
    use super::*;

    fn layers() -> [Box<dyn Layer<f32>>; 10] {
        [
            Box::new(Conv2d::new(3, 2).activation(Relu)),
            Box::new(Conv2d::new(3, 2).padding(Same).use_bias(false)),
            Box::new(MaxPooling2d::new(2)),
            Box::new(AveragePooling2d::new(3).padding(Same)),
            Box::new(Dropout::new(0.5)),
            Box::new(Flatten::new()),
            Box::new(Dense::new(3)),
            Box::new(Relu),
            Box::new(Tanh),
            Box::new(Softmax),
        ]
    }

    /// Without samples, and without channels: a model refuses the latter, but a layer can be asked.
    #[test]
    fn forward_and_backward() {
        for dims in [[0, 4, 5, 2], [3, 4, 5, 0]] {
            for (i, x) in (0..10).flat_map(|i| views(&dims).into_iter().map(move |x| (i, x))) {
                let layer = &layers()[i];
                if layer.class_name() == "Activation" && i == 9 && dims[3] == 0 {
                    continue; // softmax of nothing
                }
                let weights = layer.weights(Shape::new(&dims[1..]));
                let tape = Tape::new();
                let weights: Vec<_> =
                    weights.iter().map(|weight| tape.leaf(Tensor::ones(weight.shape))).collect();
                let leaf = tape.leaf(x.clone());
                let mode = Mode::Train { seed: 1, step: 2, layer: 3, first_sample: 4 };
                let y = layer.forward(&weights, &leaf, &mut Context::new(mode));
                let sample = layer.output_shape(Shape::new(&dims[1..])).unwrap();
                assert_eq!(y.shape(), sample.batch(dims[0]));
                let gradients = y.backward();
                assert_eq!(gradients.wrt(&leaf).shape(), dims);
                for weight in &weights {
                    let gradient = gradients.wrt(weight);
                    assert_eq!(gradient.shape(), weight.shape());
                    // With channels 0, a bias is added to every output all the same.
                    let right = if dims[0] == 0 { 0.0 } else { (y.value().len() / 3) as f32 };
                    assert!(gradient.iter().all(|value| value == right), "{}", layer.class_name());
                }
            }
        }
    }

    #[test]
    fn models() {
        let model = Sequential::new([6, 6, 1])
            .add(Conv2d::new(4, 3).activation(Relu))
            .add(MaxPooling2d::new(2))
            .add(Conv2d::new(32, 1))
            .add(AveragePooling2d::new(2))
            .add(Dropout::new(0.5))
            .add(Flatten::new())
            .add(Dense::new(3).activation(Softmax))
            .build(1)
            .unwrap();
        for x in views(&[0, 6, 6, 1]) {
            assert_eq!(model.predict(&x).unwrap().shape(), [0, 3]);
        }
        let error = Sequential::<f32>::new([6, 6, 0]).add(Flatten::new()).build(1).unwrap_err();
        assert!(error.to_string().contains("input shape"), "{error}");
    }
}
