//! What the ops' tests share: random tensors in random memory orders.

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
