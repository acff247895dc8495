//! Views, copy-on-write, reductions and printing of tensors.

use cinta::{MAX_RANK, Shape, Stream, Tensor};
use proptest::prelude::*;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;

/// Where, in the old tensor, the element at a new index comes from.
type Source = Box<dyn Fn(&[usize]) -> Vec<usize>>;

/// Random views of a tensor, each with the values it should hold computed index by index.
fn viewed(dims: &[usize], steps: &[(u8, usize, usize)]) -> (Tensor<f64>, Vec<f64>) {
    let mut x = Tensor::<f64>::arange(dims.iter().product()).reshape(dims);
    let mut expected: Vec<f64> = x.to_vec();
    for &(kind, a, b) in steps {
        let shape = x.shape();
        let axis = a % shape.rank();
        let at =
            |index: &[usize]| index.iter().zip(shape.iter()).fold(0, |at, (i, dim)| at * dim + i);
        let old = expected.clone();
        let (view, new_shape, source): (_, Vec<usize>, Source) = match kind % 5 {
            0 => {
                let start = b % (shape[axis] + 1);
                let mut new = shape.to_vec();
                new[axis] -= start;
                let moved = move |i: &[usize]| {
                    let mut i = i.to_vec();
                    i[axis] += start;
                    i
                };
                (x.slice(axis, start..), new, Box::new(moved))
            }
            1 => {
                let new = shape.to_vec();
                let last = shape[axis].saturating_sub(1);
                let flipped = move |i: &[usize]| {
                    let mut i = i.to_vec();
                    i[axis] = last - i[axis];
                    i
                };
                (x.flip(axis), new, Box::new(flipped))
            }
            2 => {
                let by = b % 3 + 1;
                let mut new = shape.to_vec();
                new[axis] = new[axis].div_ceil(by);
                let stepped = move |i: &[usize]| {
                    let mut i = i.to_vec();
                    i[axis] *= by;
                    i
                };
                (x.step(axis, by), new, Box::new(stepped))
            }
            3 => {
                let new = vec![shape[2], shape[0], shape[1]];
                (x.permute([2, 0, 1]), new, Box::new(|i: &[usize]| vec![i[1], i[2], i[0]]))
            }
            _ => {
                let new = vec![shape[0] * shape[1], 1, shape[2]];
                let rows = shape[1];
                let split = move |i: &[usize]| vec![i[0] / rows.max(1), i[0] % rows.max(1), i[2]];
                (x.reshape(&new[..]), new, Box::new(split))
            }
        };
        assert_eq!(view.shape(), Shape::new(&new_shape));
        expected = Vec::new();
        let [d0, d1, d2] = view.dims();
        for i in 0..d0 {
            for j in 0..d1 {
                for k in 0..d2 {
                    expected.push(old[at(&source(&[i, j, k]))]);
                }
            }
        }
        x = view;
    }
    (x, expected)
}

proptest! {
    #[test]
    fn chains_of_views_hold_the_right_values(
        dims in prop::collection::vec(1usize..5, 3),
        steps in prop::collection::vec((any::<u8>(), any::<usize>(), any::<usize>()), 0..6),
    ) {
        let (x, expected) = viewed(&dims, &steps);
        prop_assert_eq!(x.to_vec(), expected.clone());
        prop_assert_eq!(x.iter().collect::<Vec<_>>(), expected.clone());
        let flat = x.row_major();
        prop_assert_eq!(flat.as_slice(), Some(&expected[..]));
        prop_assert_eq!(x.sum(..).item(), expected.iter().sum::<f64>());
        prop_assert_eq!((&x + &x).to_vec(), expected.iter().map(|x| 2.0 * x).collect::<Vec<_>>());
        if !x.is_empty() {
            prop_assert_eq!(x.max(..).item(), expected.iter().copied().fold(f64::MIN, f64::max));
            prop_assert_eq!(x.min(..).item(), expected.iter().copied().fold(f64::MAX, f64::min));
            let indices: Vec<usize> = vec![x.shape()[0] - 1, 0];
            let row = expected.len() / x.shape()[0];
            let last = &expected[expected.len() - row..];
            prop_assert_eq!(x.take(&indices).to_vec(), [last, &expected[..row]].concat());
        }
    }

    #[test]
    fn writing_to_a_view_changes_no_other_tensor(
        dims in prop::collection::vec(1usize..5, 3),
        steps in prop::collection::vec((any::<u8>(), any::<usize>(), any::<usize>()), 0..4),
    ) {
        let (x, expected) = viewed(&dims, &steps);
        let mut written = x.clone();
        written.as_mut_slice().fill(-1.0);
        prop_assert!(written.iter().all(|x| x == -1.0));
        prop_assert_eq!(x.to_vec(), expected.clone());
        let mapped = x.clone().into_map(|x| x + 1.0);
        prop_assert_eq!(mapped.to_vec(), expected.iter().map(|x| x + 1.0).collect::<Vec<_>>());
        prop_assert_eq!(x.to_vec(), expected);
    }

    #[test]
    fn broadcasting_repeats_axes_of_one(a in 1usize..4, b in 1usize..4, c in 1usize..4, seed: u64) {
        let rng = &mut Stream::new(seed);
        let x = Tensor::<f64>::uniform([a, 1, c], -1.0, 1.0, rng);
        let y = Tensor::<f64>::uniform([b, 1], -1.0, 1.0, rng);
        let sum = &x - &y;
        prop_assert_eq!(sum.shape(), [a, b, c]);
        let expected = Tensor::from_fn([a, b, c], |i| x.at([i[0], 0, i[2]]) - y.at([i[1], 0]));
        prop_assert_eq!(sum, expected);
    }

    #[test]
    fn windows_are_patches(n in 1usize..3, h in 1usize..7, w in 1usize..7, kh in 1usize..4, kw in 1usize..4, s in 1usize..3) {
        prop_assume!(kh <= h && kw <= w);
        let x = Tensor::<f64>::arange(n * h * w * 2).reshape([n, h, w, 2]);
        let windows = x.windows([kh, kw], [s, s]);
        let expected = Tensor::from_fn(windows.shape(), |i| x.at([i[0], i[1] * s + i[3], i[2] * s + i[4], i[5]]));
        prop_assert_eq!(windows, expected);
    }
}

#[test]
fn views_share_memory() {
    let x = Tensor::<f64>::arange(24).reshape([2, 3, 4]);
    let address = |x: &Tensor<f64>| x.as_slice().map(<[f64]>::as_ptr);
    assert_eq!(address(&x.clone()), address(&x));
    assert_eq!(address(&x.reshape([6, 4])), address(&x));
    // A permuted tensor can be reshaped without a copy where the merged axes lie in order.
    let back = x.permute([1, 2, 0]).reshape([12, 2]).permute([1, 0]);
    assert_eq!(address(&back), address(&x));
    let channels_first_memory =
        Tensor::<f64>::arange(2 * 3 * 4).reshape([4, 2, 3]).permute([1, 2, 0]);
    assert_eq!(channels_first_memory.reshape([6, 4]).strides(), [1, 6]);
    // 8 petabytes, if it were not a view of one number.
    let huge = Tensor::<f64>::ones([1]).broadcast_to([1 << 50]);
    assert_eq!(huge.slice(0, 5..8).to_vec(), [1.0; 3]);
}

#[test]
fn element_wise_results_keep_the_memory_order() {
    let x = Tensor::<f64>::arange(24).reshape([4, 3, 2]).permute([2, 1, 0]);
    assert_eq!(x.map(f64::sqrt).strides(), x.strides());
    assert_eq!((&x * &x).strides(), x.strides());
}

#[test]
fn nan_is_never_hidden() {
    let x = Tensor::from([[1.0, f64::NAN, 3.0], [4.0, 2.0, 0.0]]);
    assert!(x.max(1).at([0]).is_nan() && x.max(1).at([1]) == 4.0);
    assert!(x.min(1).at([0]).is_nan() && x.min(1).at([1]) == 0.0);
    assert!(x.sum(..).item().is_nan() && x.clamp(0.0, 1.0).at([0, 1]).is_nan());
    assert_eq!(x.argmax(1), [1, 0]);
    assert!(!x.is_finite());
}

#[test]
fn argmax_takes_the_first_of_equals_along_any_axis() {
    let x = Tensor::from([[1.0, 5.0, 5.0], [7.0, 5.0, 2.0]]);
    assert_eq!(x.argmax(1), [1, 0]);
    assert_eq!(x.argmax(0), [1, 0, 0]);
}

#[test]
fn sums_of_many_numbers_keep_their_digits() {
    // Added one by one in f32, a million tenths give 100 958.34.
    let sum = Tensor::<f32>::full([1_000_000], 0.1).sum(..).item();
    assert!((sum - 100_000.0).abs() < 0.01, "{sum}");
    let sums = Tensor::<f32>::full([1_000_000, 2], 0.1).sum(0);
    assert!(sums.iter().all(|sum| (sum - 100_000.0).abs() < 0.01));
}

#[test]
fn printing_is_that_of_numpy() {
    // As numpy 2 prints them, except that it turns to exponents above a ratio of 1 000, not 10^6.
    let shown = |x: Tensor<f64>| x.to_string();
    assert_eq!(shown(Tensor::from([1.0, 2.0, 3.0])), "[1. 2. 3.]");
    assert_eq!(shown(Tensor::from([1.0, 2.5, -3.25])), "[ 1.    2.5  -3.25]");
    assert_eq!(shown(Tensor::from([[-1.0, 0.0], [1.0, 10.0]])), "[[-1.  0.]\n [ 1. 10.]]");
    assert_eq!(shown(Tensor::from([1.0 / 3.0])), "[0.33333333]");
    assert_eq!(shown(Tensor::from([f64::NAN, 1.0, f64::INFINITY])), "[nan  1. inf]");
    assert_eq!(shown(Tensor::scalar(2.5)), "2.5");
    assert_eq!(shown(Tensor::zeros([0])), "[]");
    assert_eq!(
        shown(Tensor::arange(8).reshape([2, 2, 2])),
        "[[[0. 1.]\n  [2. 3.]]\n\n [[4. 5.]\n  [6. 7.]]]"
    );
    assert_eq!(Tensor::<f32>::full([2], 0.1).to_string(), "[0.1 0.1]");
    assert_eq!(shown(Tensor::arange(2000)), "[   0.    1.    2. ... 1997. 1998. 1999.]");
    assert_eq!(format!("{:.2}", Tensor::from([0.125, 10.0])), "[ 0.12 10.  ]");
    assert_eq!(shown(Tensor::from([1e-10, 1.0])), "[1.e-10 1.e+00]");
    assert_eq!(shown(Tensor::from([1.5e10, -2.0])), "[ 1.5e+10 -2.0e+00]");
    assert_eq!(shown(Tensor::from([1e8, 2e8])), "[1.e+08 2.e+08]");
    assert_eq!(shown(Tensor::from([1e-5, 2e-5])), "[1.e-05 2.e-05]");
    assert_eq!(format!("{:?}", Tensor::from([1.0f32, 2.0])), "Tensor<f32>[2] [1.0, 2.0]");
    let ends = |n: usize, end: &str| format!("{:?}", Tensor::<f32>::arange(n)).ends_with(end);
    assert!(ends(16, ", 15.0]") && ends(17, ", 15.0, ...]"));
}

/// The message and the file of a panic.
fn panic_of(f: impl FnOnce()) -> (String, String) {
    static LOCK: Mutex<()> = Mutex::new(());
    let _guard = LOCK.lock();
    let file = std::sync::Arc::new(Mutex::new(String::new()));
    let seen = file.clone();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        *seen.lock().unwrap() = info.location().map(|l| l.file().to_owned()).unwrap_or_default();
    }));
    let payload = panic::catch_unwind(AssertUnwindSafe(f)).expect_err("a panic");
    panic::set_hook(before);
    let message = payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default();
    let file = file.lock().unwrap().clone();
    (message, file)
}

#[test]
fn wrong_programs_panic_at_the_callers_line_with_both_shapes() {
    let x = Tensor::<f64>::zeros([2, 3]);
    type Wrong<'a> = (&'a str, Box<dyn FnOnce() + 'a>);
    let wrong: Vec<Wrong<'_>> = vec![
        (
            "a tensor of shape [2, 2] holds 4 values, and 3 were given",
            Box::new(|| drop(Tensor::new([2, 2], vec![0.0; 3]))),
        ),
        (
            "the shapes [2, 3] and [2] do not broadcast to a common one",
            Box::new(|| drop(&x + &Tensor::zeros([2]))),
        ),
        ("reshape: [2, 3] has 6 elements and [4] has 4", Box::new(|| drop(x.reshape([4])))),
        ("matmul: [2, 3] has 3 columns and [2, 3] has 2 rows", Box::new(|| drop(x.matmul(&x)))),
        (
            "matmul: needs two matrices, and the shapes are [2, 3] and [3]",
            Box::new(|| drop(x.matmul(&Tensor::zeros([3])))),
        ),
        ("slice: 2..4 of axis 1 of a tensor of shape [2, 3]", Box::new(|| drop(x.slice(1, 2..4)))),
        ("slice: axis 2 of a tensor of shape [2, 3]", Box::new(|| drop(x.slice(2, ..)))),
        ("permute: [0, 2] is no order of the axes of [2, 3]", Box::new(|| drop(x.permute([0, 2])))),
        ("broadcast_to: [2, 3] does not repeat to [2]", Box::new(|| drop(x.broadcast_to([2])))),
        ("axis 2 of a tensor with 2 axes", Box::new(|| drop(x.sum(2)))),
        ("item of a tensor of shape [2, 3]", Box::new(|| _ = x.item())),
        ("index [2, 0] of a tensor of shape [2, 3]", Box::new(|| _ = x.at([2, 0]))),
        ("expected 3 axes, and the shape [2, 3] has 2", Box::new(|| _ = x.dims::<3>())),
        (
            "argmax: axis 1 of a tensor of shape [2, 0] is empty",
            Box::new(|| drop(Tensor::<f64>::zeros([2, 0]).argmax(1))),
        ),
        ("take: row 2 of a tensor of shape [2, 3]", Box::new(|| drop(x.take(&[2])))),
        (
            "a tensor has at most 6 axes, and [1, 1, 1, 1, 1, 1, 1] has 7",
            Box::new(|| drop(Tensor::<f64>::zeros([1; MAX_RANK + 1]))),
        ),
        ("has more elements than memory", Box::new(|| drop(Tensor::<f64>::zeros([usize::MAX, 2])))),
        (
            "uniform: 1..0 is no range",
            Box::new(|| drop(Tensor::<f64>::uniform([2], 1.0, 0.0, &mut Stream::new(0)))),
        ),
    ];
    for (expected, program) in wrong {
        let (message, file) = panic_of(program);
        assert!(message.contains(expected), "{message:?} instead of {expected:?}");
        assert!(
            file.ends_with("tensor.rs") && file.starts_with("tests"),
            "{expected}: panicked in {file}"
        );
    }
}

#[test]
fn streams_are_known_numbers() {
    // The generator is part of what a seed means: these numbers must never change.
    let stream = Stream::new(0);
    assert_eq!([0, 1, 2].map(|i| stream.at(i)), EXPECTED);
    assert_eq!(Stream::new(1).permutation(8), PERMUTATION);
}

const EXPECTED: [u64; 3] =
    [5_197_578_548_964_807_871, 12_035_550_249_420_947_055, 12_935_080_325_729_570_654];
const PERMUTATION: [usize; 8] = [6, 4, 2, 0, 3, 1, 7, 5];

#[test]
fn the_mean_of_equal_values_is_that_value() {
    for n in [2, 3, 5, 7, 10, 49, 100] {
        for value in [0.1f32, 1.3, 1e8 / 3.0, -16_777_213.0] {
            assert_eq!(Tensor::full([n], value).mean(..).item(), value, "{n} times {value}");
            assert_eq!(Tensor::full([n, 3], value).mean(0).to_vec(), [value; 3], "{n}, {value}");
        }
    }
    // And so their variance is 0.
    let x = Tensor::<f32>::full([7], 1e8 / 3.0);
    assert_eq!((&x - x.mean(..)).square().mean(..).item(), 0.0);
    // A sum beyond the largest number has a mean all the same.
    assert_eq!(Tensor::<f32>::full([4], 3e38).mean(..).item(), 3e38);
    assert!(Tensor::<f32>::zeros([0]).mean(..).item().is_nan());
}
