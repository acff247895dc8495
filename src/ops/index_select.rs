//! Places of an axis, by their indices: NumPy's `take`.
//!
//! ```text
//! y[o, i, n] = x[o, indices[i], n], where i runs over the indices, in any number of axes
//! ```
//!
//! Tensors of any strides are read; the result is row-major. A NaN moves like any other value, and its gradient goes where it came from.

use super::{axis_exists, places_exist};
use crate::autograd::{Op, Var, apply};
use crate::error::Reason;
use crate::kernels::along::{self, Along, Places};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Indices, Shape, Tensor};

struct IndexSelect {
    axis: usize,
    indices: Indices,
}

impl<T: Scalar> Op<T, 1> for IndexSelect {
    const NAME: &'static str = "index_select";
    type Saved = Shape; // of x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Shape) {
        let IndexSelect { axis, indices } = self;
        let (shape, x) = (x.shape(), x.row_major());
        let selected = [&shape[..*axis], &indices.shape()[..], &shape[axis + 1..]].concat();
        let selected = Shape::new(&selected);
        let _ = selected.count(); // panics at the caller's line when absurd
        let values = x.as_slice().expect("row-major");
        let y = along::take(values, Along::new(shape, *axis), Places::Rows(indices.values()));
        (Tensor::from_buffer(selected, y), shape)
    }

    // dx[o, p, n] = sum of dy[o, i, n] over all i with indices[i] = p
    fn backward(&self, x: Shape, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let (along, dy, mut dx) = (Along::new(x, self.axis), dy.row_major(), Tensor::zeros(x));
        let values = dy.as_slice().expect("row-major");
        along::add(dx.as_mut_slice(), values, along, Places::Rows(self.indices.values()));
        [Some(dx)]
    }
}

impl<T: Scalar> Tensor<T> {
    /// The places `indices` of an axis, in that order: `y[o, i, n] = x[o, indices[i], n]`, NumPy's `take`. The axis becomes those of the
    /// indices: one as a rule, none for a single index, several for a table of indices.
    ///
    /// # Panics
    /// When the axis does not exist, an index is not below its length, or there would be more than [`MAX_RANK`](crate::MAX_RANK) axes.
    ///
    /// ```
    /// use cinta::{Indices, Tensor};
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.index_select(1, [2, 0, 2]), Tensor::from([[3.0, 1.0, 3.0], [6.0, 4.0, 6.0]]));
    /// assert_eq!(x.index_select(0, [[1, 0], [0, 0]]).shape(), [2, 2, 3]);
    /// assert_eq!(x.index_select(0, Indices::new([], [1])), Tensor::from([4.0, 5.0, 6.0]));
    /// ```
    #[track_caller]
    pub fn index_select(&self, axis: usize, indices: impl Into<Indices>) -> Tensor<T> {
        Var::constant(self.clone()).selected("index_select", axis, indices.into()).into_value()
    }

    /// The numbers as indices.
    ///
    /// # Errors
    /// When one of them is no whole number from 0 on, or more than an `f64` counts.
    ///
    /// ```
    /// use cinta::{Indices, Tensor};
    /// let x = Tensor::from([[2.0, 0.0]]);
    /// assert_eq!(x.to_indices()?, Indices::from([[2, 0]]));
    /// let error = Tensor::from([1.0, 0.5]).to_indices().unwrap_err();
    /// assert_eq!(error.to_string(), "0.5 is no index: whole numbers from 0 on are");
    /// # Ok::<(), cinta::Reason>(())
    /// ```
    #[inline(never)]
    pub fn to_indices(&self) -> Result<Indices, Reason> {
        let values: Vec<f64> = self.iter().map(|x| x.widen()).collect();
        let counted = 0.0..2f64.powi(53);
        match values.iter().find(|&x| !counted.contains(x) || x.fract() != 0.0) {
            Some(x) => Err(format!("{x} is no index: whole numbers from 0 on are").into()),
            None => {
                let values: Vec<usize> = values.iter().map(|&x| x as usize).collect();
                Ok(Indices::new(self.shape(), values))
            }
        }
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The places `indices` of an axis, in that order, as [`Tensor::index_select`]. Where an index is named several times, the gradients
    /// are added up.
    ///
    /// # Panics
    /// When the axis does not exist, an index is not below its length, or there would be more than [`MAX_RANK`](crate::MAX_RANK) axes.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 3.0]));
    /// let y = x.index_select(0, [2, 0, 2]);
    /// assert_eq!(y.value().to_vec(), [3.0, 1.0, 3.0]);
    /// assert_eq!(y.sum(..).backward().wrt(&x).to_vec(), [1.0, 0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn index_select(&self, axis: usize, indices: impl Into<Indices>) -> Var<'t, T> {
        self.selected("index_select", axis, indices.into())
    }

    /// The same, for an operation of another name.
    #[track_caller]
    #[inline(never)]
    pub(super) fn selected(&self, op: &str, axis: usize, indices: Indices) -> Var<'t, T> {
        axis_exists(op, axis, self.shape());
        places_exist(op, &indices, axis, self.shape());
        apply(IndexSelect { axis, indices }, [self])
    }
}

compiled!(|x: &Var<T>, indices: &Indices| (x.index_select(0, indices), x.value().to_indices()));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, indices, places, random};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[1.0, 2.0], [3.0, f64::NAN], [5.0, 6.0]]);
        assert_eq!(
            x.index_select(0, [2, 2, 0]),
            Tensor::from([[5.0, 6.0], [5.0, 6.0], [1.0, 2.0]])
        );
        assert_eq!(x.index_select(1, [[0], [0]]).shape(), [3, 2, 1]);
        assert!(x.index_select(1, [1]).at([1, 0]).is_nan());
        assert_eq!(x.index_select(0, 1..1).shape(), [0, 2]);
        assert_eq!(Tensor::<f64>::zeros([3, 0]).index_select(0, [2, 1]).shape(), [2, 0]);
        assert_eq!(Tensor::from([7.0]).index_select(0, Indices::new([], [0])), Tensor::scalar(7.0));
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4, 5], -1.0, 1.0, 1, 0);
        for axis in 0..3 {
            let table = places([2, 3, 1], x.shape()[axis], 7).reshape([2, 3]);
            gradcheck(|[x]| x.index_select(axis, &table).square(), [x.clone()]).unwrap();
        }
        gradcheck(|[x]| x.index_select(1, [3, 3, 0, 3]).square(), [x]).unwrap();
    }

    #[test]
    fn long_sums_keep_their_digits() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::<f32>::zeros([2, 1]));
        let y = x.index_select(0, vec![1; 100_000]) * 0.1;
        let exact = (100_000.0 * f64::from(0.1f32)) as f32;
        assert_eq!(y.backward().wrt(&x).to_vec(), [0.0, exact]);
    }

    #[test]
    #[should_panic(
        expected = "index_select: index 2 of axis 0, whose length is 2: the shape is [2, 3]"
    )]
    fn an_index_beyond_the_axis() {
        Tensor::<f64>::zeros([2, 3]).index_select(0, [1, 2]);
    }

    #[test]
    #[should_panic(expected = "index_select: axis 2 of a tensor of shape [2, 3]")]
    fn an_axis_too_many() {
        Tensor::<f64>::zeros([2, 3]).index_select(2, [0]);
    }

    #[test]
    fn numbers_that_are_no_indices() {
        for wrong in [0.5, -1.0, f64::NAN, f64::INFINITY, 1e16] {
            assert!(Tensor::from([0.0, wrong]).to_indices().is_err(), "{wrong}");
        }
        assert_eq!(Tensor::scalar(3.0).to_indices(), Ok(Indices::new([], [3])));
    }

    proptest! {
        #[test]
        fn definition(dims in prop::array::uniform3(1usize..5), count in 0usize..6, axis in 0usize..3, seed: u64, layout in 0u8..4) {
            let x = random(&dims, -1.0, 1.0, seed, layout);
            let places = places([count, 1, 1], dims[axis], seed).reshape([count]);
            let mut shape = dims;
            shape[axis] = count;
            let expected: Vec<f64> = indices::<3>(shape).into_iter().map(|mut at| {
                at[axis] = places.values()[at[axis]];
                x.at(at)
            }).collect();
            assert_close(&x.index_select(axis, &places), &Tensor::new(shape, expected));
        }
    }
}
