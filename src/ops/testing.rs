//! What the ops' tests share: random tensors in random memory orders.

use crate::tensor::{Stream, Tensor};
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

/// Asserts that two tensors have the same shape and, to rounding, the same values.
#[track_caller]
pub fn assert_close(value: &Tensor<f64>, expected: &Tensor<f64>) {
    assert_eq!(value.shape(), expected.shape());
    assert!(value.all_close(expected, 1e-12, 1e-12), "{value:?} instead of {expected:?}");
}
