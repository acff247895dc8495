//! Numbers that are absurdly large: what can be computed is, at no higher cost than what it takes; what cannot panics at
//! the caller's line with a sentence.

use cinta::prelude::*;
use cinta::{Algorithm, Convolution, Endian, Indices, PadMode, Tape, Var, Window, filters};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::Once;

/// More values than any memory holds, of which a tensor that repeats one keeps but that.
const MANY: usize = 1 << 50;

thread_local! {
    /// Whether a panic of this thread is expected, and then its file and line.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<(String, u32)>> = const { RefCell::new(None) };
}

/// Asserts that `f` panics on the line on which this is called, with these words.
#[track_caller]
fn assert_panics<R>(words: &str, f: impl FnOnce() -> R) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if EXPECTED.get() {
                LAST.set(info.location().map(|at| (at.file().to_owned(), at.line())));
            } else {
                before(info);
            }
        }));
    });
    EXPECTED.set(true);
    let result = catch_unwind(AssertUnwindSafe(|| drop(f())));
    EXPECTED.set(false);
    let Err(panicked) = result else { panic!("nothing panicked, with {words:?}") };
    let here = Location::caller();
    let message = panicked
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panicked.downcast_ref::<&str>().map(|message| (*message).to_owned()))
        .expect("a message");
    assert!(message.contains(words), "{words:?} is not in {message:?}");
    assert_eq!(LAST.take(), Some((here.file().to_owned(), here.line())), "{message}");
}

const MEMORY: &str = "are more than the memory holds";
const ABSURD: &str = "has more elements than memory";

#[rustfmt::skip] // what panics stands on the line of what asserts it
mod tensors {
    use super::*;

    #[test]
    fn indices_and_axes() {
        let x = Tensor::<f32>::zeros([2, 3]);
        let tape = Tape::new();
        let v = tape.leaf(x.clone());
        let three = "index 3 of axis 1, whose length is 3: the shape is [2, 3]";
        assert_panics(three, || x.gather(1, [[3], [0]]));
        assert_panics(three, || v.gather(1, [[3], [0]]));
        assert_panics(three, || x.index_select(1, [0, 3]));
        assert_panics(three, || v.index_select(1, [0, 3]));
        assert_panics(three, || x.scatter_add(1, [[3], [0]], &x.slice(1, 0..1)));
        assert_panics(three, || v.scatter_add(1, [[3], [0]], &v.slice(1, 0..1)));
        assert_panics("axis 2 of a tensor of shape [2, 3]", || x.gather(2, [[0]]));
        assert_panics("axis 2 of a tensor of shape [2, 3]", || v.sort(2));
        assert_panics("axis 2 of a tensor of shape [2, 3]", || x.argsort(2));
        assert_panics("4 of axis 1, whose length is 3", || v.top_k(1, 4));
        assert_panics("index 3 among 3 classes", || Indices::from([3]).one_hot::<f32>(3));
        assert_panics("the shapes [2, 3] and [3] differ", || Tensor::stack(&[x.clone(), Tensor::zeros([3])], 0));
        assert_panics("concat: [2, 3] and [3] differ", || Tensor::concat_along(&[x.clone(), Tensor::zeros([3])], 0));
        assert_panics("pieces of [1, 1] of axis 1", || v.split(1, &[1, 1]));
        assert_panics("0 pieces of axis 1", || x.chunks(1, 0));
        assert_panics("a border of 1 axes", || x.pad_with(&[[1, 1]], PadMode::Edge));
        assert_panics("a border of 1 axes", || v.pad_constant(&[[1, 1]], 1.0));
        assert_panics("roll: axis 2", || v.roll(2, 1));
        assert_panics("repeat: axis 2", || x.repeat(2, 1));
        assert_panics("a list of 2 numbers for axis 1 of [2, 3], whose length is 3", || x.repeat(1, [1, 2]));
        assert_panics("a mask of shape [3] over the first axes of [2, 3]", || v.masked_select(&x.slice(0, 0..1).reshape([3]).isnan()));
        assert_panics("diag: needs a vector or a matrix", || Tensor::scalar(1.0f32).diag(0));
        assert_panics("diagonal: the axes 0 and 2", || v.diagonal(0, [0, 2]));
        assert_panics("trace: needs two axes", || Tensor::from([1.0f32]).trace());
        assert_panics("triu: needs two axes", || Tensor::from([1.0f32]).triu(0));
        assert_panics("they are [2, 3] and [2, 3]", || v.batch_matmul(&v));
        assert_panics("the axes [0] of [2, 3] and [1] of [2, 3] do not fit", || x.tensordot(&x, &[0], &[1]));
        assert_panics("squeeze: axis 0", || v.squeeze(0));
        assert_panics("expand_dims: place 3", || x.expand_dims(3));
        assert_panics("move_axis: axis 2", || v.move_axis(2, 0));
        assert_panics("swap_axes: axes 0 and 2", || x.swap_axes(0, 2));
        assert_panics("'1' is no letter", || Tensor::einsum("i1", &[&x]));
        assert_panics("2 operands are named, and 1 were given", || Var::einsum("ij,j", &[&v]));
        assert_panics("the letter j has the length 3, and in operand 1 2", || Var::einsum("ij,j", &[&v, &v.slice(1, 0..2).sum(0)]));
        assert_panics("the letter k of the result", || Tensor::einsum("ij->k", &[&x]));
        assert_panics("a kernel [k, c_in, c_out]", || v.conv1d(&v, &v, 1, Padding::Valid));
        assert_panics("a kernel [kd, kh, kw, c_in, c_out]", || v.conv3d(&v, &v, [1; 3], Padding::Valid));
        // More than the memory holds.
        assert_panics(MEMORY, || x.repeat(0, MANY));
        assert_panics(MEMORY, || x.repeat(1, [MANY, 1, usize::MAX]));
        assert_panics(MEMORY, || v.repeat(1, [1, MANY, 1]));
        assert_panics(MEMORY, || Tensor::<f32>::ones([MANY]).repeat(0, 1));
        assert_panics(MEMORY, || Tensor::<f32>::ones([MANY]).isnan());
        assert_panics(MEMORY, || Tensor::<f32>::ones([MANY]).isfinite());
        assert_panics(MEMORY, || x.tile(&[MANY]));
        assert_panics(MEMORY, || v.pad_with(&[[MANY, 0], [0, 0]], PadMode::Wrap));
        assert_panics(ABSURD, || x.pad(&[[0, usize::MAX / 4], [0, 9]]));
        assert_panics(ABSURD, || Tensor::from([1.0f32]).diag(1 << 40));
        assert_panics(MEMORY, || Tensor::from([1.0f32]).diag(1 << 24));
        assert_panics(MEMORY, || Tensor::<f32>::ones([MANY]).sort(0));
        assert_panics(MEMORY, || Tensor::<f32>::ones([MANY]).unique());
        assert_panics(ABSURD, || Indices::from([0]).one_hot::<f32>(usize::MAX));
        assert_panics(MEMORY, || Tensor::<f32>::ones([MANY]).to_bytes(Endian::Big));
    }

    #[test]
    fn constructors() {
        let rng = &mut Stream::new(1);
        let shape = [1usize << 32, 1 << 32];
        assert_panics(ABSURD, || Tensor::<f32>::arange(usize::MAX));
        assert_panics(MEMORY, || Tensor::<f32>::arange(isize::MAX as usize));
        assert_panics(MEMORY, || Tensor::<f64>::arange(MANY));
        assert_panics(ABSURD, || Tensor::<f32>::eye(1 << 40));
        assert_panics(MEMORY, || Tensor::<f32>::eye(1 << 25));
        assert_panics(ABSURD, || Tensor::<f32>::full(shape, 1.0));
        assert_panics(ABSURD, || Tensor::<f32>::zeros([usize::MAX]));
        assert_panics(ABSURD, || Tensor::<f32>::ones([1 << 40, 0, 1 << 40]));
        assert_panics(ABSURD, || Tensor::<f32>::new(shape, vec![]));
        assert_panics(ABSURD, || Tensor::<f32>::from_fn(shape, |_| 1.0));
        assert_panics(MEMORY, || Tensor::<f32>::from_fn([MANY], |_| 1.0));
        assert_panics(MEMORY, || Tensor::<f32>::uniform([MANY], 0.0, 1.0, rng));
        assert_panics(MEMORY, || Tensor::<f32>::normal([MANY], 0.0, 1.0, rng));
        assert_panics(MEMORY, || Tensor::<f32>::glorot_uniform([MANY], rng));
        assert_panics(ABSURD, || Tensor::<f32>::glorot_uniform(shape, rng));
        assert_panics(MEMORY, || Stream::new(1).permutation(usize::MAX));
        assert_panics(MEMORY, || Stream::new(1).permutation(MANY));
        let (half, many) = (Tensor::<f32>::ones([isize::MAX as usize]), Tensor::<f32>::ones([MANY]));
        assert_panics(ABSURD, || Tensor::concat(&[half.clone(), half.clone(), half.clone()]));
        assert_panics(MEMORY, || Tensor::concat(&[many.clone(), many.clone()]));
    }

    #[test]
    fn views() {
        let x = Tensor::<f32>::ones([1 << 40, 1]);
        assert_panics(ABSURD, || x.broadcast_to([1 << 40, 1 << 40]));
        assert_panics(ABSURD, || x.reshape([1 << 40, 1 << 40]));
        let image = Tensor::<f32>::ones([1, 1 << 20, 1 << 20, 1]);
        assert_panics(ABSURD, || image.windows([1 << 19, 1 << 19], [1, 1]));
        assert_panics(MEMORY, || Tensor::<f32>::ones([2, MANY]).take(&[0, 1]));
        assert_panics("of axis 0", || x.slice(0, ..=usize::MAX));
    }

    #[test]
    fn what_needs_memory() {
        let x = Tensor::<f32>::ones([MANY]);
        assert_panics(MEMORY, || x.to_vec());
        assert_panics(MEMORY, || x.iter().next());
        assert_panics(MEMORY, || x.row_major());
        assert_panics(MEMORY, || x.clone().as_mut_slice().len());
        assert_panics(MEMORY, || x.map(|x| x));
        assert_panics(MEMORY, || x.clone().into_map(|x| x));
        assert_panics(MEMORY, || x.exp());
        assert_panics(MEMORY, || x.ln());
        assert_panics(MEMORY, || x.sqrt());
        assert_panics(MEMORY, || x.square());
        assert_panics(MEMORY, || x.abs());
        assert_panics(MEMORY, || x.tanh());
        assert_panics(MEMORY, || x.clamp(0.0, 1.0));
        assert_panics(MEMORY, || x.softmax());
        assert_panics(MEMORY, || x.argmax(0));
        assert_panics(MEMORY, || &x + 1.0);
        assert_panics(MEMORY, || x.clone() * 2.0);
        assert_panics(MEMORY, || -&x);
        assert_panics(MEMORY, || -x.clone());
        assert_panics(MEMORY, || &x + &x);
        assert_panics(MEMORY, || x.clone() / x.clone());
        let matrix = Tensor::<f32>::ones([MANY, 1]);
        assert_panics(MEMORY, || matrix.sum(1));
        assert_panics(MEMORY, || matrix.mean(1));
        assert_panics(MEMORY, || matrix.max(1));
        assert_panics(ABSURD, || &matrix + &matrix.t());
        assert_panics(ABSURD, || matrix.matmul(&matrix.t()));
        let long = matrix.slice(0, ..1 << 30);
        assert_panics(MEMORY, || long.matmul(&long.t()));
        assert_panics(MEMORY, || matrix.t().matmul(&matrix));
    }

    #[test]
    fn filters_of_any_size() {
        assert_panics(ABSURD, || filters::blur::<f32>(usize::MAX));
        let large = filters::blur::<f32>(1 << 30);
        assert_eq!(large.at([5, 6]), 2f32.powi(-60));
        let picture = Tensor::ones([4, 4]);
        assert_panics(MEMORY, || filters::correlate(&picture, &large, Same));
        assert_panics(MEMORY, || filters::convolve(&picture, &large, Same));
        let series = Tensor::<f32>::ones([MANY]);
        assert_panics(MEMORY, || filters::moving_average(&series, 3));
        assert_panics(MEMORY, || filters::differences(&series));
        assert!(filters::moving_average(&Tensor::<f32>::ones([3]), usize::MAX).at([1]).is_nan());
        let error = datasets::one_hot::<f32>(&[0, 1], usize::MAX).unwrap_err();
        assert!(error.to_string().contains(MEMORY), "{error}");
    }

    #[test]
    fn operations() {
        let many = Var::constant(Tensor::<f32>::ones([1, MANY]));
        let one = Var::constant(Tensor::<f32>::ones([1, 1]));
        assert_panics(MEMORY, || many.relu());
        assert_panics(MEMORY, || many.dropout(0.5, &Stream::new(1), 0));
        assert_panics(MEMORY, || many.log_softmax());
        assert_panics(MEMORY, || &many * &one);
        assert_panics(MEMORY, || many.mean_squared_error(many.value()));
        assert_panics(MEMORY, || many.categorical_crossentropy(many.value()));
        assert_panics(MEMORY, || many.sparse_categorical_crossentropy(&Tensor::zeros([1])));
        let (row, column) = (many.slice(1, 0..1 << 23), many.reshape([MANY, 1]));
        assert_panics(MEMORY, || row.reshape([1 << 23, 1]).dense(&row, &row.reshape([1 << 23])));
        assert_panics(MEMORY, || many.dense(&column, &one.reshape([1])));
        let image = many.reshape([1, 1 << 25, 1 << 25, 1]);
        let (kernel, bias) = (many.reshape([1, 1, 1, MANY]), many.reshape([MANY]));
        let small = one.reshape([1, 1, 1, 1]);
        assert_panics(MEMORY, || image.conv2d(&small, &one.reshape([1]), [1, 1], Same));
        assert_panics(MEMORY, || small.conv2d(&kernel, &bias, [1, 1], Same));
        let nothing = Var::constant(Tensor::<f32>::zeros([1 << 20, 1 << 20, 1 << 19, 0]));
        let (kernel, bias) = (Var::constant(Tensor::ones([1, 1, 0, 64])), Var::constant(Tensor::ones([64])));
        assert_panics(ABSURD, || nothing.conv2d(&kernel, &bias, [1, 1], Same));
        assert_panics(MEMORY, || image.avg_pool2d([2, 2], [2, 2], Same));
        assert_panics("is too large", || image.max_pool2d([2, 2], [2, 2], Same));
    }

    /// Samples are numbered by 64 bits, and begin again with 0.
    #[test]
    fn the_last_sample() {
        let x = Var::constant(Tensor::<f32>::ones([2, 50]));
        let y = x.dropout(0.5, &Stream::new(1), usize::MAX);
        let second = x.slice(0, 0..1).dropout(0.5, &Stream::new(1), 0);
        assert_eq!(&y.value().slice(0, 1..), second.value());
    }
}

/// A convolution, with the gradients of images, kernel and bias.
fn convolve(
    [x, kernel, bias]: &[Tensor<f64>; 3],
    convolution: Convolution,
) -> (Tensor<f64>, [Tensor<f64>; 3]) {
    let tape = Tape::new();
    let leaves = [x, kernel, bias].map(|value| tape.leaf(value.clone()));
    let [x, kernel, bias] = &leaves;
    let y = x.convolve(kernel, bias, convolution);
    let gradients = y.backward_from(&y.value().clone());
    (y.value().clone(), leaves.each_ref().map(|leaf| gradients.wrt(leaf)))
}

/// Inputs for every way that a convolution is computed: images, channels in and out, groups.
const WAYS: [([usize; 3], usize); 6] = [
    ([3, 2, 3], 1),
    ([1, 40, 17], 1),
    ([16, 2, 3], 1), // images innermost
    ([70, 1, 2], 1), // in blocks
    ([2, 4, 6], 2),
    ([2, 6, 6], 6), // depthwise
];

fn inputs(
    [n, c_in, c_out]: [usize; 3],
    groups: usize,
    [h, w]: [usize; 2],
    k: usize,
) -> [Tensor<f64>; 3] {
    let rng = &mut Stream::new(1);
    [
        Tensor::normal([n, h, w, c_in], 0.0, 1.0, rng),
        Tensor::normal([k, k, c_in / groups, c_out], 0.0, 1.0, rng),
        Tensor::normal([c_out], 0.0, 1.0, rng),
    ]
}

#[track_caller]
fn assert_close(value: &Tensor<f64>, expected: &Tensor<f64>) {
    assert_eq!(value.shape(), expected.shape());
    assert!(value.all_close(expected, 1e-12, 1e-12), "{value:?} in place of {expected:?}");
}

/// Of a window whose pixels lie so far apart, only the one in the middle meets the image: memory and time are those of
/// a window of one pixel.
#[test]
fn neighbours_that_lie_far_apart() {
    for (channels, groups) in WAYS {
        for size in [[2, 2], [3, 5]] {
            let all = inputs(channels, groups, size, 3);
            let [x, kernel, bias] = &all;
            let middle = kernel.slice(0, 1..2).slice(1, 1..2).row_major();
            let plain = Convolution { padding: Same, groups, ..Convolution::default() };
            let (y, [dx, dmiddle, dbias]) = convolve(&[x.clone(), middle, bias.clone()], plain);
            let mut dkernel = Tensor::zeros(kernel.shape());
            let len = dmiddle.len();
            dkernel.as_mut_slice()[4 * len..5 * len].copy_from_slice(&dmiddle.to_vec());
            for dilation in [10, 1 << 20, 1 << 40, (1 << 62) - 1] {
                let far = convolve(&all, Convolution { dilation: [dilation; 2], ..plain });
                assert_close(&far.0, &y);
                for (gradient, expected) in far.1.iter().zip([&dx, &dkernel, &dbias]) {
                    assert_close(gradient, expected);
                }
            }
        }
    }
}

/// Two pixels, one far before the image, one far behind it.
#[test]
fn windows_around_the_image() {
    for (channels, groups) in WAYS {
        let all = inputs(channels, groups, [2, 3], 2);
        for dilation in [1 << 20, 1 << 62] {
            let plain = Convolution { padding: Same, groups, ..Convolution::default() };
            let (y, [dx, dkernel, dbias]) =
                convolve(&all, Convolution { dilation: [dilation; 2], ..plain });
            assert_close(&y, &all[2].broadcast_to(y.shape()));
            assert_eq!(dx, Tensor::zeros(dx.shape()));
            assert_eq!(dkernel, Tensor::zeros(dkernel.shape()));
            assert_close(&dbias, &y.sum([0, 1, 2]));
        }
    }
}

/// A stride beyond the image: as one that is a little longer than the image.
#[test]
fn strides_beyond_the_image() {
    for stride in [1 << 20, 1 << 40, 1 << 62, isize::MAX as usize, usize::MAX] {
        for padding in [Same, Valid] {
            for (channels, groups) in WAYS.into_iter().chain([([2, 32, 32], 1)]) {
                let all = inputs(channels, groups, [4, 5], 3);
                let with = |strides: [usize; 2]| {
                    convolve(
                        &all,
                        Convolution { strides, padding, groups, ..Convolution::default() },
                    )
                };
                for (strides, expected) in [([stride; 2], [7, 8]), ([1, stride], [1, 7])] {
                    let ((y, gradients), expected) = (with(strides), with(expected));
                    assert_eq!((y.shape()[2], y), (1, expected.0));
                    assert_eq!(gradients, expected.1);
                }
            }
            let run = |strides: [usize; 2]| {
                let tape = Tape::new();
                let x = tape.leaf(inputs([3, 4, 4], 1, [4, 5], 1)[0].clone());
                let y =
                    x.max_pool2d([2, 3], strides, padding) * x.avg_pool2d([2, 3], strides, padding);
                (y.value().clone(), y.backward().wrt(&x))
            };
            assert_eq!(run([stride; 2]), run([6, 7]));
        }
    }
}

/// Tiles are for strides of 1, and for images of one pixel no stride is taken.
#[test]
fn a_stride_over_one_pixel() {
    let inputs = inputs([2, 32, 32], 1, [1, 1], 3)
        .map(|x| Tensor::new(x.shape(), x.iter().map(|x| x as f32).collect::<Vec<_>>()));
    let [x, kernel, bias] = inputs.map(Var::constant);
    let run = |strides: [usize; 2], algorithm| {
        let convolution =
            Convolution { strides, algorithm, padding: Same, ..Convolution::default() };
        x.convolve(&kernel, &bias, convolution).into_value()
    };
    let direct = run([1, 1], Algorithm::Direct);
    assert_eq!(run([2, 2], Algorithm::Winograd4), direct);
    assert_eq!(run([usize::MAX; 2], Algorithm::Winograd4), direct);
}

#[test]
fn windows_that_cannot_be_counted() {
    let says = |result: Result<Window, cinta::Reason>, words: &str| {
        let message = result.expect_err("an absurd window");
        assert!(message.as_str().contains(words), "{message}");
    };
    let [far, one] = [[1 << 62; 2], [1, 1]];
    says(Window::dilated([5, 5], [3, 3], one, far, Same), "with a dilation of");
    says(
        Window::dilated([5, 5], [3, 3], one, [1, usize::MAX], Same),
        "more pixels than can be counted",
    );
    says(Window::dilated([5, 5], [3, 3], one, far, Valid), "does not fit into the image of 5x5");
    says(Window::new([usize::MAX, 5], [3, 3], one, Same), "more pixels than memory");
    // A window of one pixel has no neighbours.
    let window = Window::dilated([5, 6], one, one, [usize::MAX; 2], Same).unwrap();
    assert_eq!((window.output(), window.before()), ([5, 6], [0, 0]));
    for size in [isize::MAX as usize, usize::MAX] {
        let window = Window::new([5, 6], [size; 2], [usize::MAX; 2], Same).unwrap();
        assert_eq!(window.output(), [1, 1]);
    }
    let [x, kernel, bias] = inputs([1, 2, 3], 1, [4, 4], 3).map(Var::constant);
    let absurd = Convolution { dilation: far, padding: Same, ..Convolution::default() };
    assert_panics("more pixels than can be counted", || x.convolve(&kernel, &bias, absurd));
}

/// No image has to be looked at where there are none.
#[test]
fn no_images_of_any_size() {
    let x = Var::constant(Tensor::<f32>::zeros([0, 1 << 30, 1 << 30, 1]));
    let [kernel, bias] = [&[3, 3, 1, 2][..], &[2]].map(|shape| Var::constant(Tensor::ones(shape)));
    assert_eq!(x.conv2d(&kernel, &bias, [1, 1], Same).shape(), [0, 1 << 30, 1 << 30, 2]);
    assert_eq!(x.conv2d(&kernel, &bias, [1 << 29, 1 << 29], Valid).shape(), [0, 2, 2, 2]);
}
