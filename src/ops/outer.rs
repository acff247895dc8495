//! The products of each number of one tensor with each of another.
//!
//! ```text
//! y[i, j] = a[i] b[j]
//! ```
//!
//! Tensors of any strides are read. A NaN is in all products that it takes part in, those with 0 too.

use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

impl<T: Scalar> Tensor<T> {
    /// The products of all numbers of this tensor, in reading order, with all of another: a matrix `[self.len(), other.len()]`, whatever
    /// the shapes of the two are, as NumPy's `outer`.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let (a, b) = (Tensor::from([1.0, 2.0]), Tensor::from([3.0, 4.0]));
    /// assert_eq!(a.outer(&b), Tensor::from([[3.0, 4.0], [6.0, 8.0]]));
    /// ```
    #[track_caller]
    pub fn outer(&self, other: &Tensor<T>) -> Tensor<T> {
        Var::constant(self.clone()).outer(&Var::constant(other.clone())).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The products of all numbers with all of another tensor, as [`Tensor::outer`].
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let (a, b) = (tape.leaf(Tensor::from([1.0, 2.0])), tape.leaf(Tensor::from([3.0, 4.0])));
    /// let y = a.outer(&b);
    /// assert_eq!(y.value(), &Tensor::from([[3.0, 4.0], [6.0, 8.0]]));
    /// assert_eq!(y.sum(..).backward().wrt(&a).to_vec(), [7.0, 7.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn outer(&self, other: &Var<'t, T>) -> Var<'t, T> {
        let (rows, columns) = (self.value().len(), other.value().len());
        self.reshape([rows, 1]) * other.reshape([1, columns])
    }
}

compiled!(|x: &Var<T>| x.outer(x));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let (a, b) = (Tensor::from([[1.0], [f64::NAN]]), Tensor::from([3.0, 4.0, 0.0]));
        let y = a.outer(&b);
        assert_close(&y.slice(0, 0..1), &Tensor::from([[3.0, 4.0, 0.0]]));
        assert!(y.slice(0, 1..).iter().all(f64::is_nan));
        assert_eq!(Tensor::scalar(2.0).outer(&b), Tensor::from([[6.0, 8.0, 0.0]]));
        assert_eq!(Tensor::<f64>::zeros([2, 0]).outer(&b).shape(), [0, 3]);
    }

    #[test]
    fn gradient() {
        let (a, b) = (random(&[3], -2.0, 2.0, 1, 0), random(&[5], -2.0, 2.0, 2, 0));
        gradcheck(|[a, b]| a.outer(b).square(), [a, b]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(a in tensors(2, -3.0, 3.0), b in tensors(1, -3.0, 3.0)) {
            let values: Vec<f64> = a.iter().flat_map(|a| b.iter().map(move |b| a * b)).collect();
            assert_close(&a.outer(&b), &Tensor::new([a.len(), b.len()], values));
        }
    }
}
