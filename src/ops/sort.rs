//! Values in order along an axis, and the largest of them.
//!
//! ```text
//! y[o, i, n] = x[o, order[o, i, n], n], where the order is that of the values: a gather
//! ```
//!
//! Equal values keep their order. NaN comes last among sorted values, as in NumPy; among the largest it comes first, as in
//! [`argmax`](crate::Tensor::argmax). The gradient goes where the value came from.

use super::axis_exists;
use crate::autograd::Var;
use crate::kernels::along::{self, Along};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Indices, Tensor};

impl<T: Scalar> Tensor<T> {
    /// The values in order along an axis, the smallest first and NaN last; equal ones keep their order. The other way round it is
    /// `x.sort(axis).flip(axis)`. An empty axis stays empty.
    ///
    /// # Panics
    /// When the axis does not exist.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[3.0, 1.0, 2.0], [4.0, f64::NAN, 5.0]]);
    /// let y = x.sort(1);
    /// assert_eq!(y.slice(0, 0..1).to_vec(), [1.0, 2.0, 3.0]);
    /// assert!(y.at([1, 2]).is_nan());
    /// ```
    #[track_caller]
    pub fn sort(&self, axis: usize) -> Tensor<T> {
        self.gather(axis, self.ordered("sort", axis, None))
    }

    /// The indices that put the values in order along an axis, as [`sort`](Self::sort) has it, in the tensor's shape: NumPy's `argsort` with
    /// `kind="stable"`.
    ///
    /// # Panics
    /// When the axis does not exist.
    ///
    /// ```
    /// use cinta::{Indices, Tensor};
    /// let x = Tensor::from([2.0, f64::NAN, 1.0, 2.0]);
    /// assert_eq!(x.argsort(0), Indices::from([2, 0, 3, 1]));
    /// ```
    #[track_caller]
    pub fn argsort(&self, axis: usize) -> Indices {
        self.ordered("argsort", axis, None)
    }

    /// The `k` largest values along an axis, the largest first, and their indices. Of equal ones the first in the tensor comes first;
    /// NaN counts as largest.
    ///
    /// # Panics
    /// When the axis does not exist or has fewer than `k` places.
    ///
    /// ```
    /// use cinta::{Indices, Tensor};
    /// let (values, indices) = Tensor::from([0.1, 0.6, 0.3]).top_k(0, 2);
    /// assert_eq!((values.to_vec(), indices), (vec![0.6, 0.3], Indices::from([1, 2])));
    /// ```
    #[track_caller]
    pub fn top_k(&self, axis: usize, k: usize) -> (Tensor<T>, Indices) {
        let indices = self.ordered("top_k", axis, Some(k));
        (self.gather(axis, &indices), indices)
    }

    /// The order of all values along an axis, or the indices of the `largest`.
    #[track_caller]
    #[inline(never)]
    fn ordered(&self, op: &str, axis: usize, largest: Option<usize>) -> Indices {
        let shape = self.shape();
        axis_exists(op, axis, shape);
        let count = largest.unwrap_or(shape[axis]);
        assert!(
            count <= shape[axis],
            "{op}: {count} of axis {axis}, whose length is {}: the shape is {shape}",
            shape[axis]
        );
        let keys: Vec<f64> = self.iter().map(|x| x.widen()).collect();
        let order = along::order(&keys, Along::new(shape, axis), count, largest.is_some());
        let mut dims = shape.to_vec();
        dims[axis] = count;
        Indices::new(&dims[..], order)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The values in order along an axis, as [`Tensor::sort`].
    ///
    /// # Panics
    /// When the axis does not exist.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([3.0, 1.0, 2.0]));
    /// let y = x.sort(0);
    /// assert_eq!(y.value().to_vec(), [1.0, 2.0, 3.0]);
    /// assert_eq!(y.slice(0, 0..1).backward().wrt(&x).to_vec(), [0.0, 1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn sort(&self, axis: usize) -> Var<'t, T> {
        self.gathered(axis, self.value().ordered("sort", axis, None))
    }

    /// The `k` largest values along an axis, the largest first, and their indices, as [`Tensor::top_k`].
    ///
    /// # Panics
    /// When the axis does not exist or has fewer than `k` places.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.1, 0.6, 0.3]));
    /// let (values, indices) = x.top_k(0, 2);
    /// assert_eq!(indices.values(), [1, 2]);
    /// assert_eq!(values.sum(..).backward().wrt(&x).to_vec(), [0.0, 1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn top_k(&self, axis: usize, k: usize) -> (Var<'t, T>, Indices) {
        let indices = self.value().ordered("top_k", axis, Some(k));
        (self.gathered(axis, indices.clone()), indices)
    }
}

compiled!(|x: &Var<T>| (x.sort(0), x.top_k(0, 1), x.value().argsort(0)));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, indices, random};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[3.0, 1.0], [1.0, 1.0], [2.0, 0.0]]);
        assert_close(&x.sort(0), &Tensor::from([[1.0, 0.0], [2.0, 1.0], [3.0, 1.0]]));
        assert_eq!(x.argsort(0), [[1, 2], [2, 0], [0, 1]].into());
        let (values, indices) = x.top_k(0, 2);
        assert_close(&values, &Tensor::from([[3.0, 1.0], [2.0, 1.0]]));
        assert_eq!(indices, [[0, 0], [2, 1]].into());
        assert_eq!(x.top_k(1, 0).0.shape(), [3, 0]);
    }

    #[test]
    fn empty_axes_and_nan() {
        for dims in [[0, 3], [3, 0]] {
            let x = Tensor::<f64>::zeros(dims);
            assert_eq!(x.sort(1).shape(), dims);
            assert_eq!(x.argsort(0).shape(), dims);
        }
        let nan = f64::NAN;
        let x = Tensor::from([nan, 1.0, f64::INFINITY, nan, -0.0, 0.0, f64::NEG_INFINITY]);
        assert_eq!(x.argsort(0).values(), [6, 4, 5, 1, 2, 0, 3]);
        assert_eq!(x.top_k(0, 5).1.values(), [0, 3, 2, 1, 4]);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 5, 2], -1.0, 1.0, 1, 0);
        for axis in 0..3 {
            gradcheck(|[x]| (x.sort(axis) + 0.5).square(), [x.clone()]).unwrap();
            gradcheck(|[x]| x.top_k(axis, 2).0.square(), [x.clone()]).unwrap();
        }
        // Of equal values, each has its own place.
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([2.0, 1.0, 2.0, f64::NAN]));
        let weights = Var::constant(Tensor::from([1.0, 10.0, 100.0, 1000.0]));
        let y = x.sort(0) * weights;
        assert_eq!(y.backward().wrt(&x).to_vec(), [10.0, 1.0, 100.0, 1000.0]);
    }

    #[test]
    #[should_panic(expected = "top_k: 4 of axis 1, whose length is 3: the shape is [2, 3]")]
    fn more_than_there_are() {
        Tensor::<f64>::zeros([2, 3]).top_k(1, 4);
    }

    #[test]
    #[should_panic(expected = "argsort: axis 0 of a tensor of shape []")]
    fn a_scalar_has_no_axis() {
        Tensor::scalar(1.0).argsort(0);
    }

    proptest! {
        /// Selection: always the first of the smallest that are left.
        #[test]
        fn definition(dims in prop::array::uniform3(1usize..7), axis in 0usize..3, k in 0usize..7, seed: u64, layout in 0u8..4) {
            // Few values, so that many are equal, and some NaNs.
            let x = random(&dims, -2.5, 2.5, seed, layout).map(|x| if x > 2.0 { f64::NAN } else { x.round() });
            let k = k.min(dims[axis]);
            let (order, largest) = (x.argsort(axis), x.top_k(axis, k).1);
            let mut reduced = dims;
            reduced[axis] = 1;
            for mut at in indices::<3>(reduced) {
                let lane: Vec<f64> = (0..dims[axis]).map(|i| { at[axis] = i; x.at(at) }).collect();
                let selected = |before: &dyn Fn(f64, f64) -> bool, count: usize| {
                    let mut left: Vec<usize> = (0..lane.len()).collect();
                    (0..count).map(|_| {
                        let best = (1..left.len()).fold(0, |best, i| if before(lane[left[i]], lane[left[best]]) { i } else { best });
                        left.remove(best)
                    }).collect::<Vec<_>>()
                };
                let found = |indices: &Indices, count: usize| {
                    let tensor = indices.to_tensor::<f64>();
                    (0..count).map(|i| {
                        let mut at = at;
                        at[axis] = i;
                        tensor.at(at) as usize
                    }).collect::<Vec<_>>()
                };
                prop_assert_eq!(found(&order, lane.len()), selected(&|a, b| a < b || b.is_nan() && !a.is_nan(), lane.len()));
                prop_assert_eq!(found(&largest, k), selected(&|a, b| a > b || a.is_nan() && !b.is_nan(), k));
            }
        }
    }
}
