//! What the ops' tests share: random tensors in random memory orders.

use crate::autograd::{Tape, Var};
use crate::kernels::Padding;
use crate::tensor::{Indices, Stream, Tensor};
use proptest::prelude::*;

/// Tensors of the given rank with axes of 1 to 5, values in `low..high`, in a random memory order.
pub fn tensors(rank: usize, low: f64, high: f64) -> impl Strategy<Value = Tensor<f64>> {
    (prop::collection::vec(1usize..6, rank), any::<u64>(), 0u8..4)
        .prop_map(move |(dims, seed, layout)| random(&dims, low, high, seed, layout))
}

/// A random tensor; `layout` chooses between four memory orders.
pub fn random(dims: &[usize], low: f64, high: f64, seed: u64, layout: u8) -> Tensor<f64> {
    let rng = &mut Stream::new(seed);
    let Some(last) = dims.len().checked_sub(1) else {
        return Tensor::uniform(dims, low, high, rng);
    };
    let mut larger = dims.to_vec();
    match layout % 4 {
        0 => Tensor::uniform(dims, low, high, rng),
        1 => {
            larger[last] += 2;
            Tensor::uniform(&larger[..], low, high, rng).slice(last, 1..=dims[last])
        }
        2 => Tensor::uniform(dims, low, high, rng).flip(last),
        // The first axis innermost, as in a batch-minor layout.
        _ => {
            larger.rotate_left(1);
            let stored = Tensor::uniform(&larger[..], low, high, rng);
            match dims.len() {
                1 => stored,
                2 => stored.permute([1, 0]),
                3 => stored.permute([2, 0, 1]),
                _ => stored.permute([3, 0, 1, 2]),
            }
        }
    }
}

/// All indices of a shape, in reading order.
pub fn indices<const N: usize>(dims: [usize; N]) -> Vec<[usize; N]> {
    let unravel = |mut i: usize| {
        let mut index = [0; N];
        for axis in (0..N).rev() {
            index[axis] = i % dims[axis];
            i /= dims[axis];
        }
        index
    };
    (0..dims.iter().product()).map(unravel).collect()
}

/// Random indices below `len`.
pub fn places(shape: [usize; 3], len: usize, seed: u64) -> Indices {
    let count: usize = shape.iter().product();
    let draws = Tensor::<f64>::uniform([count], 0.0, len as f64, &mut Stream::new(seed));
    Indices::new(shape, draws.iter().map(|x| x as usize).collect::<Vec<_>>())
}

/// What can happen at the border.
pub const PADDINGS: [Padding; 3] = [Padding::Valid, Padding::Same, Padding::Causal];

/// Windows that overlap, lie apart, or reach beyond the image: size, strides, padding.
pub const WINDOWS: [([usize; 2], [usize; 2], Padding); 5] = [
    ([2, 2], [2, 2], Padding::Valid),
    ([3, 3], [2, 2], Padding::Same),
    ([3, 2], [1, 1], Padding::Valid),
    ([2, 3], [1, 2], Padding::Same),
    ([1, 1], [3, 3], Padding::Valid),
];

/// The definition of pooling as plain loops: `of` the values of each window that lie inside the image.
pub fn pooled(
    x: &Tensor<f64>,
    size: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
    of: impl Fn(&[f64]) -> f64,
) -> Tensor<f64> {
    let [n, h, w, c] = x.dims();
    // The number of outputs, and of pixels before the image.
    let axis = |image: usize, k: usize, s: usize| match padding {
        Padding::Valid => ((image - k) / s + 1, 0),
        Padding::Same => {
            let outputs = image.div_ceil(s);
            (outputs, (((outputs - 1) * s + k) as isize - image as isize).max(0) / 2)
        }
        Padding::Causal => (image.div_ceil(s), k as isize - 1),
    };
    let (oh, top) = axis(h, size[0], strides[0]);
    let (ow, left) = axis(w, size[1], strides[1]);
    Tensor::from_fn([n, oh, ow, c], |at| {
        let mut values = Vec::new();
        for ky in 0..size[0] {
            for kx in 0..size[1] {
                let iy = (at[1] * strides[0] + ky) as isize - top;
                let ix = (at[2] * strides[1] + kx) as isize - left;
                if (0..h as isize).contains(&iy) && (0..w as isize).contains(&ix) {
                    values.push(x.at([at[0], iy as usize, ix as usize, at[3]]));
                }
            }
        }
        of(&values)
    })
}

/// The definition of a sum over axes as plain loops.
pub fn summed(x: &Tensor<f64>, axes: &[usize]) -> Tensor<f64> {
    let kept: Vec<usize> = (0..3).filter(|axis| !axes.contains(axis)).collect();
    let dims: Vec<usize> = kept.iter().map(|&axis| x.shape()[axis]).collect();
    let mut sums = Tensor::zeros(&dims[..]).row_major();
    for index in indices::<3>(x.dims()) {
        let at = kept.iter().fold(0, |at, &axis| at * x.shape()[axis] + index[axis]);
        sums.as_mut_slice()[at] += x.at(index);
    }
    sums
}

/// Asserts that two tensors have the same shape and, to rounding, the same values.
#[track_caller]
pub fn assert_close(value: &Tensor<f64>, expected: &Tensor<f64>) {
    assert_eq!(value.shape(), expected.shape());
    assert!(value.all_close(expected, 1e-12, 1e-12), "{value:?} instead of {expected:?}");
}

/// Numbers at which functions do what they do nowhere else.
const SPECIAL: [f64; 14] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -3.0,
    1e-9,
    1e300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

/// Whether two numbers are the same, to rounding; all NaNs are.
pub fn near(value: f64, expected: f64) -> bool {
    value == expected
        || value.is_nan() && expected.is_nan()
        || (value - expected).abs() <= 1e-12 * expected.abs()
}

/// Checks a function of each element, of a tensor and on a tape: for numbers that are special, without elements, without axes, and in
/// any memory order. Where no gradient comes in, none goes on, whatever the slope is.
#[track_caller]
pub fn assert_elementwise(
    tensor: impl Fn(&Tensor<f64>) -> Tensor<f64>,
    var: impl for<'t> Fn(&Var<'t, f64>) -> Var<'t, f64>,
    definition: impl Fn(f64) -> f64,
) {
    let special = Tensor::from(SPECIAL);
    let mut inputs = vec![special.clone(), special.step(0, 3), special.flip(0)];
    inputs.extend(SPECIAL.map(Tensor::scalar));
    inputs.extend([Tensor::zeros([0]), Tensor::zeros([2, 0, 3]), Tensor::full([2, 3], 0.25)]);
    inputs.extend((0..4).map(|layout| random(&[3, 4, 5], 0.1, 2.0, 1, layout)));
    for x in inputs {
        let tape = Tape::new();
        let leaf = tape.leaf(x.clone());
        let y = var(&leaf);
        for y in [&tensor(&x), y.value(), var(&Var::constant(x.clone())).value()] {
            assert_eq!(y.shape(), x.shape());
            for (x, y) in x.iter().zip(y.iter()) {
                assert!(near(y, definition(x)), "{y} instead of {} for {x}", definition(x));
            }
        }
        let dx = y.backward_from(&Tensor::zeros(x.shape())).wrt(&leaf);
        assert_eq!(dx, Tensor::zeros(x.shape()), "for {x:?}");
    }
}

/// Checks a function of two values, of tensors and on a tape: for all pairs of numbers that are special, without elements, without axes,
/// and in any two memory orders, with broadcasting. Where no gradient comes in, none goes on.
#[track_caller]
pub fn assert_binary(
    tensor: impl Fn(&Tensor<f64>, &Tensor<f64>) -> Tensor<f64>,
    var: impl for<'t> Fn(&Var<'t, f64>, &Var<'t, f64>) -> Var<'t, f64>,
    definition: impl Fn(f64, f64) -> f64,
) {
    let special = Tensor::from(SPECIAL);
    let mut inputs = vec![
        (special.clone(), special.reshape([SPECIAL.len(), 1])),
        (special.flip(0), Tensor::scalar(0.5)),
        (Tensor::scalar(2.0), Tensor::scalar(3.0)),
        (Tensor::zeros([0]), Tensor::scalar(2.0)),
        (Tensor::zeros([2, 0, 3]), Tensor::zeros([1, 3])),
    ];
    for (i, j) in (0..4).flat_map(|i| (0..4).map(move |j| (i, j))) {
        inputs.push((random(&[3, 4, 5], 0.1, 2.0, 1, i), random(&[3, 4, 5], 0.1, 2.0, 2, j)));
        inputs.push((random(&[3, 1, 5], 0.1, 2.0, 1, i), random(&[4, 1], 0.1, 2.0, 2, j)));
    }
    for (a, b) in inputs {
        let tape = Tape::new();
        let (x, y) = (tape.leaf(a.clone()), tape.leaf(b.clone()));
        let z = var(&x, &y);
        let (all_a, all_b) = (a.broadcast_to(z.shape()), b.broadcast_to(z.shape()));
        for z in [&tensor(&a, &b), z.value()] {
            assert_eq!(z.shape(), all_a.shape());
            for ((a, b), z) in all_a.iter().zip(all_b.iter()).zip(z.iter()) {
                let expected = definition(a, b);
                assert!(near(z, expected), "{z} instead of {expected} for {a} and {b}");
            }
        }
        let gradients = z.backward_from(&Tensor::zeros(all_a.shape()));
        assert_eq!(gradients.wrt(&x), Tensor::zeros(a.shape()));
        assert_eq!(gradients.wrt(&y), Tensor::zeros(b.shape()));
    }
}

/// Different numbers between -1.5 and 1.5, none of them 0, in a random order, so that one is largest and no two have the same absolute
/// value.
pub fn distinct(dims: [usize; 3]) -> Tensor<f64> {
    let count: usize = dims.iter().product();
    let order = Stream::new(5).permutation(count);
    let value = |i: usize| (order[i] as f64 + 0.6) * 3.0 / count as f64 - 1.5;
    Tensor::new(dims, (0..count).map(value).collect::<Vec<f64>>())
}

/// The definition of a reduction of a tensor of three axes: `f` of the values along the axes, in reading order.
pub fn reduced(x: &Tensor<f64>, axes: &[usize], f: impl Fn(&[f64]) -> f64) -> Tensor<f64> {
    let kept: Vec<usize> = (0..3).filter(|axis| !axes.contains(axis)).collect();
    let dims: Vec<usize> = kept.iter().map(|&axis| x.shape()[axis]).collect();
    let mut groups = vec![Vec::new(); dims.iter().product()];
    for index in indices::<3>(x.dims()) {
        let at = kept.iter().fold(0, |at, &axis| at * x.shape()[axis] + index[axis]);
        groups[at].push(x.at(index));
    }
    Tensor::new(&dims[..], groups.iter().map(|group| f(group)).collect::<Vec<f64>>())
}

/// The definition of what runs along an axis of a tensor of three: `f` of all values up to each.
pub fn scanned(x: &Tensor<f64>, axis: usize, f: impl Fn(&[f64]) -> f64) -> Tensor<f64> {
    Tensor::from_fn(x.shape(), |at| {
        let value = |i: usize| {
            let mut at = [at[0], at[1], at[2]];
            at[axis] = i;
            x.at(at)
        };
        f(&(0..=at[axis]).map(value).collect::<Vec<f64>>())
    })
}

/// Tensors of three axes that a function along some of them should know: in any memory order, with numbers that are special, and without
/// elements.
fn with_three_axes() -> Vec<Tensor<f64>> {
    let mut inputs: Vec<_> = (0..4).map(|layout| random(&[3, 4, 5], 0.1, 2.0, 1, layout)).collect();
    inputs.extend(SPECIAL.map(|x| Tensor::from([0.5, x, 1.5]).reshape([1, 3, 1])));
    inputs.push(Tensor::full([2, 3, 2], 0.25));
    inputs.extend([[0, 3, 2], [3, 0, 2], [2, 3, 0]].map(Tensor::zeros));
    inputs
}

/// Checks a reduction, of a tensor and on a tape, for all choices of axes. Where no gradient comes in, none goes on. `of_nothing` says
/// whether there is one of no elements.
#[track_caller]
pub fn assert_reduction(
    tensor: impl Fn(&Tensor<f64>, &[usize]) -> Tensor<f64>,
    var: impl for<'t> Fn(&Var<'t, f64>, &[usize]) -> Var<'t, f64>,
    definition: impl Fn(&[f64]) -> f64,
    of_nothing: bool,
) {
    for x in with_three_axes() {
        for bits in 0..8 {
            let axes: Vec<usize> = (0..3).filter(|axis| bits >> axis & 1 == 1).collect();
            if !of_nothing && x.is_empty() && axes.iter().any(|&axis| x.shape()[axis] == 0) {
                continue;
            }
            let tape = Tape::new();
            let leaf = tape.leaf(x.clone());
            let (y, expected) = (var(&leaf, &axes), reduced(&x, &axes, &definition));
            for y in [&tensor(&x, &axes), y.value()] {
                assert_eq!(y.shape(), expected.shape());
                let agree = y.iter().zip(expected.iter()).all(|(y, expected)| near(y, expected));
                assert!(agree, "{y:?} instead of {expected:?} for {x:?} along {axes:?}");
            }
            let dx = y.backward_from(&Tensor::zeros(expected.shape())).wrt(&leaf);
            assert_eq!(dx.shape(), x.shape());
            let finite = x.is_finite() && expected.is_finite();
            assert!(!finite || dx == Tensor::zeros(x.shape()), "{dx:?} for {x:?}");
        }
    }
    // Without axes, there is one element.
    for x in [3.0, -0.5, f64::NAN] {
        let (y, expected) = (tensor(&Tensor::scalar(x), &[]), definition(&[x]));
        assert!(y.rank() == 0 && near(y.item(), expected), "{y:?} instead of {expected}");
    }
}

/// Checks what runs along an axis, of a tensor and on a tape. Where no gradient comes in, none goes on.
#[track_caller]
pub fn assert_scan(
    tensor: impl Fn(&Tensor<f64>, usize) -> Tensor<f64>,
    var: impl for<'t> Fn(&Var<'t, f64>, usize) -> Var<'t, f64>,
    definition: impl Fn(&[f64]) -> f64,
) {
    for (x, axis) in with_three_axes().into_iter().flat_map(|x| (0..3).map(move |a| (x.clone(), a)))
    {
        let tape = Tape::new();
        let leaf = tape.leaf(x.clone());
        let (y, expected) = (var(&leaf, axis), scanned(&x, axis, &definition));
        for y in [&tensor(&x, axis), y.value()] {
            assert_eq!(y.shape(), x.shape());
            let agree = y.iter().zip(expected.iter()).all(|(y, expected)| near(y, expected));
            assert!(agree, "{y:?} instead of {expected:?} for {x:?} along {axis}");
        }
        let dx = y.backward_from(&Tensor::zeros(x.shape())).wrt(&leaf);
        assert_eq!(dx, Tensor::zeros(x.shape()), "for {x:?} along {axis}");
    }
}
