//! Diagonals of matrices, and matrices of diagonals.
//!
//! ```text
//! y[.., k] = x[.., k, k + offset], a view        y[k, k + offset] = x[k], and 0 beside the diagonal
//! ```
//!
//! A NaN moves like any other value.

use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

struct Diagonal {
    offset: isize,
    axes: [usize; 2],
}

struct Diag {
    offset: isize,
}

impl<T: Scalar> Op<T, 1> for Diagonal {
    const NAME: &'static str = "diagonal";
    type Saved = Shape; // of x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Shape) {
        (x.diagonal(self.offset, self.axes), x.shape())
    }

    // dx = dy on the diagonal, 0 beside it
    fn backward(&self, x: Shape, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let (rank, [a, b]) = (x.rank(), self.axes);
        let dx = on_diagonal(&dy, [x[a], x[b]], self.offset); // the other axes, a, b
        let mut others = 0..;
        let order: Vec<usize> = (0..rank)
            .map(|axis| match axis {
                _ if axis == a => rank - 2,
                _ if axis == b => rank - 1,
                _ => others.next().expect("an axis"),
            })
            .collect();
        [Some(dx.permuted(&order))]
    }
}

impl<T: Scalar> Op<T, 1> for Diag {
    const NAME: &'static str = "diag";
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, ()) {
        let side = x.len().saturating_add(self.offset.unsigned_abs());
        (on_diagonal(x, [side, side], self.offset), ())
    }

    // dx = the diagonal of dy
    fn backward(&self, (): (), dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.diagonal(self.offset, [0, 1]))]
    }
}

/// Diagonals `[.., k]` in matrices `[.., rows, columns]` of zeros.
#[track_caller]
fn on_diagonal<T: Scalar>(x: &Tensor<T>, [rows, columns]: [usize; 2], offset: isize) -> Tensor<T> {
    let (x_shape, matrix) = (x.shape(), [rows, columns]);
    let (&len, lists) = x_shape.split_last().expect("an axis");
    let shape = Shape::new(&[lists, &matrix[..]].concat());
    let mut y = Buffer::zeroed(shape.count());
    if len > 0 {
        let first = offset.min(0).unsigned_abs() * columns + offset.max(0).unsigned_abs();
        let x = x.row_major();
        let lists = x.as_slice().expect("row-major").chunks_exact(len);
        for (x, y) in lists.zip(y.chunks_exact_mut(rows * columns)) {
            x.iter().enumerate().for_each(|(k, &x)| y[first + k * (columns + 1)] = x);
        }
    }
    Tensor::from_buffer(shape, y)
}

impl<T: Scalar> Tensor<T> {
    /// Of a vector, the square matrix with it on a diagonal and 0 elsewhere; of a matrix, that diagonal as a view, as NumPy's `diag`. It
    /// starts at the element `[0, offset]` or, if the offset is negative, `[-offset, 0]`, and is empty if that lies outside.
    ///
    /// For other axes there is [`diagonal`](Self::diagonal).
    ///
    /// # Panics
    /// When this is neither a vector nor a matrix.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([1.0, 2.0]).diag(0);
    /// assert_eq!(x, Tensor::from([[1.0, 0.0], [0.0, 2.0]]));
    /// assert_eq!(x.diag(0).to_vec(), [1.0, 2.0]);
    /// assert_eq!(Tensor::from([5.0]).diag(-1), Tensor::from([[0.0, 0.0], [5.0, 0.0]]));
    /// ```
    #[track_caller]
    pub fn diag(&self, offset: isize) -> Tensor<T> {
        Var::constant(self.clone()).diag(offset).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The matrix of a diagonal, or the diagonal of a matrix, as [`Tensor::diag`].
    ///
    /// # Panics
    /// When this is neither a vector nor a matrix.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0]));
    /// let y = x.diag(0);
    /// assert_eq!(y.value(), &Tensor::from([[1.0, 0.0], [0.0, 2.0]]));
    /// assert_eq!(y.square().sum(..).backward().wrt(&x).to_vec(), [2.0, 4.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn diag(&self, offset: isize) -> Var<'t, T> {
        match self.shape().rank() {
            1 => apply(Diag { offset }, [self]),
            2 => self.diagonal(offset, [0, 1]),
            _ => panic!("diag: needs a vector or a matrix, and the shape is {}", self.shape()),
        }
    }

    /// The diagonal of two axes, as [`Tensor::diagonal`].
    ///
    /// # Panics
    /// When an axis does not exist, or both are the same.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let y = x.diagonal(1, [0, 1]);
    /// assert_eq!(y.value().to_vec(), [2.0]);
    /// assert_eq!(y.backward().wrt(&x), Tensor::from([[0.0, 1.0], [0.0, 0.0]]));
    /// ```
    #[track_caller]
    pub fn diagonal(&self, offset: isize, axes: [usize; 2]) -> Var<'t, T> {
        apply(Diagonal { offset, axes }, [self])
    }
}

compiled!(|x: &Var<T>| (x.diag(0), x.diagonal(0, [0, 1])));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_close(&x.diag(1), &Tensor::from([2.0, 6.0]));
        assert_close(&x.diag(-1), &Tensor::from([4.0]));
        for outside in [3, -2, 100, -100, isize::MAX, -isize::MAX] {
            assert_eq!(x.diag(outside).shape(), [0]);
        }
        let y = Tensor::from([1.0, f64::NAN]).diag(1);
        assert_eq!((y.shape(), y.at([0, 1])), ([3, 3].into(), 1.0));
        assert!(y.at([1, 2]).is_nan());
        assert_eq!(y.iter().filter(|&x| x == 0.0).count(), 7);
        let empty = Tensor::<f64>::zeros([0]);
        assert_eq!((empty.diag(0).shape(), empty.diag(2)), ([0, 0].into(), Tensor::zeros([2, 2])));
        assert_eq!(Tensor::<f64>::zeros([0, 3]).diag(0).shape(), [0]);
    }

    #[test]
    fn gradient() {
        let x = random(&[4], -2.0, 2.0, 1, 0);
        for offset in [-1, 0, 2] {
            gradcheck(|[x]| x.diag(offset).square(), [x.clone()]).unwrap();
        }
        let x = random(&[3, 4, 5], -2.0, 2.0, 1, 0);
        for axes in [[0, 1], [1, 0], [0, 2], [2, 0], [1, 2], [2, 1]] {
            for offset in [-2, -1, 0, 1, 3, 9] {
                gradcheck(|[x]| x.diagonal(offset, axes).square(), [x.clone()]).unwrap();
            }
        }
        gradcheck(|[x]| x.diag(1).square(), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    #[test]
    #[should_panic(expected = "diag: needs a vector or a matrix, and the shape is []")]
    fn of_a_scalar() {
        Tensor::scalar(1.0).diag(0);
    }

    proptest! {
        #[test]
        fn definition(rows in 1usize..6, columns in 1usize..6, offset in -6isize..7, layout in 0u8..4) {
            let x = random(&[rows, columns], -1.0, 1.0, 1, layout);
            let expected: Vec<f64> = (0..rows as isize).filter(|i| (0..columns as isize).contains(&(i + offset)))
                .map(|i| x.at([i as usize, (i + offset) as usize])).collect();
            prop_assert_eq!(x.diag(offset).to_vec(), expected);
            let list = random(&[columns], -1.0, 1.0, 2, layout % 3);
            let side = columns + offset.unsigned_abs();
            let expected = Tensor::from_fn([side, side], |at| {
                let from = at[0].checked_sub(offset.min(0).unsigned_abs());
                let on = at[1] as isize - at[0] as isize == offset;
                from.filter(|&from| on && from < columns).map_or(0.0, |from| list.at([from]))
            });
            assert_close(&list.diag(offset), &expected);
        }
    }
}
