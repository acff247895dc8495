//! Products of two tensors, added up over some axes of both.
//!
//! ```text
//! y[.., ..] = sum over i, j, .. of a[.. i .. j ..] b[.. i .. j ..]: one product of matrices
//! ```

use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

impl<T: Scalar> Tensor<T> {
    /// The products of two tensors, added up over `axes` of this one and, pair by pair, `other_axes` of the other: the result has the
    /// other axes of this tensor, and then those of the other one. NumPy's `tensordot`. A sum of nothing is 0.
    ///
    /// # Panics
    /// When an axis does not exist or is named twice, when there are not as many of both, and when their lengths differ.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let (a, b) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([[5.0, 6.0], [7.0, 8.0]]));
    /// assert_eq!(a.tensordot(&b, &[1], &[0]), a.matmul(&b));
    /// assert_eq!(a.tensordot(&b, &[0, 1], &[1, 0]).item(), 1.0 * 5.0 + 2.0 * 7.0 + 3.0 * 6.0 + 4.0 * 8.0);
    /// assert_eq!(a.tensordot(&b, &[], &[]).shape(), [2, 2, 2, 2]);
    /// ```
    #[track_caller]
    pub fn tensordot(&self, other: &Tensor<T>, axes: &[usize], other_axes: &[usize]) -> Tensor<T> {
        let other = Var::constant(other.clone());
        Var::constant(self.clone()).tensordot(&other, axes, other_axes).into_value()
    }
}

/// The axes of a shape that are not named.
#[track_caller]
fn others(shape: Shape, axes: &[usize]) -> Vec<usize> {
    for (i, axis) in axes.iter().enumerate() {
        assert!(*axis < shape.rank(), "tensordot: axis {axis} of a tensor of shape {shape}");
        assert!(!axes[..i].contains(axis), "tensordot: axis {axis} is named twice");
    }
    (0..shape.rank()).filter(|axis| !axes.contains(axis)).collect()
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The products of two tensors, added up over axes of both, as [`Tensor::tensordot`].
    ///
    /// # Panics
    /// When an axis does not exist or is named twice, when there are not as many of both, and when their lengths differ.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let (a, b) = (tape.leaf(Tensor::from([1.0, 2.0])), tape.leaf(Tensor::from([3.0, 4.0])));
    /// let y = a.tensordot(&b, &[0], &[0]);
    /// assert_eq!((y.shape(), y.value().item()), ([].into(), 11.0));
    /// assert_eq!(y.backward().wrt(&a).to_vec(), [3.0, 4.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn tensordot(
        &self,
        other: &Var<'t, T>,
        axes: &[usize],
        other_axes: &[usize],
    ) -> Var<'t, T> {
        let (a, b) = (self.shape(), other.shape());
        let (rows, columns) = (others(a, axes), others(b, other_axes));
        let lengths = |shape: Shape, axes: &[usize]| -> Vec<usize> {
            axes.iter().map(|&axis| shape[axis]).collect()
        };
        let inner = lengths(a, axes);
        assert!(
            inner == lengths(b, other_axes),
            "tensordot: the axes {axes:?} of {a} and {other_axes:?} of {b} do not fit"
        );
        let shape = Shape::new(&[lengths(a, &rows), lengths(b, &columns)].concat());
        let matrix = |x: &Var<'t, T>, first: &[usize], last: &[usize]| {
            let lens = [first, last].map(|axes| lengths(x.shape(), axes).iter().product::<usize>());
            x.permute_axes(&[first, last].concat()).reshape(lens)
        };
        matrix(self, &rows, axes).matmul(&matrix(other, other_axes, &columns)).reshape(shape)
    }
}

compiled!(|x: &Var<T>| x.tensordot(x, &[0], &[0]));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let a = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let b = Tensor::from([[1.0, 10.0], [f64::NAN, 0.0]]);
        let y = a.tensordot(&b, &[0], &[1]);
        assert_close(&y.slice(1, 0..1), &Tensor::from([[41.0], [52.0], [63.0]]));
        assert!(y.slice(1, 1..).iter().all(f64::is_nan));
        let empty = Tensor::<f64>::zeros([2, 0]);
        assert_eq!(empty.tensordot(&empty, &[1], &[1]), Tensor::zeros([2, 2]));
        assert_eq!(empty.tensordot(&a, &[0], &[0]).shape(), [0, 3]);
        let two = Tensor::scalar(2.0);
        assert_eq!(two.tensordot(&a, &[], &[]), &a * 2.0);
        assert_eq!(two.tensordot(&two, &[], &[]), Tensor::scalar(4.0));
    }

    #[test]
    fn gradient() {
        let (a, b) = (random(&[3, 2, 4], -2.0, 2.0, 1, 0), random(&[4, 5, 3], -2.0, 2.0, 2, 0));
        gradcheck(|[a, b]| a.tensordot(b, &[0, 2], &[2, 0]).square(), [a.clone(), b.clone()])
            .unwrap();
        gradcheck(|[a, b]| a.tensordot(b, &[2], &[0]).square(), [a, b]).unwrap();
    }

    #[test]
    #[should_panic(expected = "tensordot: the axes [0] of [2, 3] and [1] of [2, 3] do not fit")]
    fn lengths_that_differ() {
        let x = Tensor::<f64>::zeros([2, 3]);
        x.tensordot(&x, &[0], &[1]);
    }

    #[test]
    #[should_panic(expected = "tensordot: axis 1 is named twice")]
    fn an_axis_named_twice() {
        let x = Tensor::<f64>::zeros([2, 3]);
        x.tensordot(&x, &[1, 1], &[1, 0]);
    }

    proptest! {
        #[test]
        fn definition(dims in prop::array::uniform4(1usize..5), seed: u64, layout in 0u8..4) {
            let [i, j, k, l] = dims;
            let a = random(&[k, i, l], -2.0, 2.0, seed, layout);
            let b = random(&[l, k, j], -2.0, 2.0, seed ^ 1, layout / 2);
            let expected = Tensor::from_fn([i, j], |at| {
                (0..k).flat_map(|k| (0..l).map(move |l| (k, l)))
                    .map(|(k, l)| a.at([k, at[0], l]) * b.at([l, k, at[1]])).sum()
            });
            assert_close(&a.tensordot(&b, &[0, 2], &[1, 0]), &expected);
            assert_close(&a.tensordot(&b, &[2, 0], &[0, 1]), &expected);
        }
    }
}
