//! The pieces of a tensor along an axis.
//!
//! ```text
//! y_k[o, i, n] = x[o, start_k + i, n], where each piece starts at the end of the one before: slices, which copy nothing
//! ```

use super::axis_exists;
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};
use std::ops::Range;

/// The ranges of pieces of these lengths.
#[track_caller]
fn pieces(shape: Shape, axis: usize, lengths: &[usize]) -> Vec<Range<usize>> {
    axis_exists("split", axis, shape);
    let total = lengths.iter().fold(0usize, |total, &length| total.saturating_add(length));
    assert!(
        total == shape[axis],
        "split: pieces of {lengths:?} of axis {axis}, whose length is {}: the shape is {shape}",
        shape[axis]
    );
    let mut end = 0;
    let range = |&length: &usize| {
        end += length;
        end - length..end
    };
    lengths.iter().map(range).collect()
}

/// The lengths of so many pieces, which differ by 1 at most.
#[track_caller]
fn even(shape: Shape, axis: usize, count: usize) -> Vec<usize> {
    axis_exists("chunks", axis, shape);
    assert!(count > 0, "chunks: 0 pieces of axis {axis} of a tensor of shape {shape}");
    let (least, more) = (shape[axis] / count, shape[axis] % count);
    (0..count).map(|i| least + usize::from(i < more)).collect()
}

impl<T: Scalar> Tensor<T> {
    /// Pieces of these lengths along an axis, in their order: views.
    ///
    /// # Panics
    /// When the axis does not exist, or the lengths do not add up to its length.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let pieces = Tensor::from([1.0, 2.0, 3.0]).split(0, &[1, 2]);
    /// assert_eq!(pieces, [Tensor::from([1.0]), Tensor::from([2.0, 3.0])]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn split(&self, axis: usize, lengths: &[usize]) -> Vec<Tensor<T>> {
        let pieces = pieces(self.shape(), axis, lengths).into_iter();
        pieces.map(|range| self.slice(axis, range)).collect()
    }

    /// So many pieces along an axis, of lengths as equal as can be: the first ones have one place more if they differ, as in NumPy's
    /// `array_split`.
    ///
    /// # Panics
    /// When the axis does not exist, and for 0 pieces.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let pieces = Tensor::from([1.0, 2.0, 3.0]).chunks(0, 2);
    /// assert_eq!(pieces, [Tensor::from([1.0, 2.0]), Tensor::from([3.0])]);
    /// ```
    #[track_caller]
    pub fn chunks(&self, axis: usize, count: usize) -> Vec<Tensor<T>> {
        self.split(axis, &even(self.shape(), axis, count))
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Pieces of these lengths along an axis, as [`Tensor::split`].
    ///
    /// # Panics
    /// When the axis does not exist, or the lengths do not add up to its length.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 3.0]));
    /// let pieces = x.split(0, &[1, 2]);
    /// assert_eq!(pieces[1].value().to_vec(), [2.0, 3.0]);
    /// assert_eq!(pieces[1].square().backward().wrt(&x).to_vec(), [0.0, 4.0, 6.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn split(&self, axis: usize, lengths: &[usize]) -> Vec<Var<'t, T>> {
        let pieces = pieces(self.shape(), axis, lengths).into_iter();
        pieces.map(|range| self.slice(axis, range)).collect()
    }

    /// So many pieces along an axis, as [`Tensor::chunks`].
    ///
    /// # Panics
    /// When the axis does not exist, and for 0 pieces.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 3.0, 4.0]));
    /// let [a, b] = &x.chunks(0, 2)[..] else { panic!("two pieces") };
    /// assert_eq!((a * b).backward().wrt(&x).to_vec(), [3.0, 4.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn chunks(&self, axis: usize, count: usize) -> Vec<Var<'t, T>> {
        self.split(axis, &even(self.shape(), axis, count))
    }
}

compiled!(|x: &Var<T>| (x.split(0, &[]), x.value().split(0, &[])));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[1.0, 2.0, f64::NAN], [4.0, 5.0, 6.0]]);
        let [a, b, c] = &x.split(1, &[0, 2, 1])[..] else { panic!("three pieces") };
        assert_eq!(a.shape(), [2, 0]);
        assert_close(b, &Tensor::from([[1.0, 2.0], [4.0, 5.0]]));
        assert!(c.at([0, 0]).is_nan() && c.at([1, 0]) == 6.0);
        let lengths = |n: usize| x.chunks(1, n).iter().map(|y| y.shape()[1]).collect::<Vec<_>>();
        assert_eq!((lengths(2), lengths(5)), (vec![2, 1], vec![1, 1, 1, 0, 0]));
        assert!(Tensor::<f64>::zeros([0, 2]).split(0, &[]).is_empty());
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4, 5], -2.0, 2.0, 1, 0);
        gradcheck(
            |[x]| {
                let [a, b, c] = &x.split(1, &[1, 2, 1])[..] else { panic!("three pieces") };
                a * b + c.square()
            },
            [x.clone()],
        )
        .unwrap();
        gradcheck(|[x]| x.chunks(2, 3)[1].square(), [x]).unwrap();
    }

    #[test]
    #[should_panic(
        expected = "split: pieces of [1, 1] of axis 1, whose length is 3: the shape is [2, 3]"
    )]
    fn lengths_that_do_not_add_up() {
        Tensor::<f64>::zeros([2, 3]).split(1, &[1, 1]);
    }

    #[test]
    #[should_panic(expected = "chunks: 0 pieces of axis 0 of a tensor of shape [2, 3]")]
    fn no_pieces() {
        Tensor::<f64>::zeros([2, 3]).chunks(0, 0);
    }

    proptest! {
        /// The pieces together are the whole.
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axis in 0usize..3, count in 1usize..7) {
            let pieces = x.chunks(axis, count);
            prop_assert_eq!(pieces.len(), count);
            let mut start = 0;
            for (piece, var) in pieces.iter().zip(Var::constant(x.clone()).chunks(axis, count)) {
                prop_assert_eq!(piece, var.value());
                let length = piece.shape()[axis];
                prop_assert_eq!(piece, &x.slice(axis, start..start + length));
                start += length;
            }
            prop_assert_eq!(start, x.shape()[axis]);
        }
    }
}
