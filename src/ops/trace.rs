//! The sum of a diagonal.
//!
//! ```text
//! y[..] = sum over k of x[k, k, ..]
//! ```

use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

impl<T: Scalar> Tensor<T> {
    /// The sum of the diagonal of the first two axes, which disappear from the shape; 0 for an empty diagonal, NaN where one is on it. A
    /// NaN beside the diagonal does not count.
    ///
    /// # Panics
    /// When there are fewer than two axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 2.0], [3.0, 4.0]]).trace().item(), 5.0);
    /// ```
    #[track_caller]
    pub fn trace(&self) -> Tensor<T> {
        Var::constant(self.clone()).trace().into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The sum of the diagonal of the first two axes, as [`Tensor::trace`].
    ///
    /// # Panics
    /// When there are fewer than two axes.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let y = x.trace();
    /// assert_eq!(y.value().item(), 5.0);
    /// assert_eq!(y.square().backward().wrt(&x), Tensor::from([[10.0, 0.0], [0.0, 10.0]]));
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn trace(&self) -> Var<'t, T> {
        let shape = self.shape();
        assert!(shape.rank() >= 2, "trace: needs two axes, and the shape is {shape}");
        let diagonal = self.diagonal(0, [0, 1]);
        diagonal.sum(diagonal.shape().rank() - 1)
    }
}

compiled!(|x: &Var<T>| x.trace());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let nan = f64::NAN;
        assert_eq!(Tensor::from([[1.0, nan, nan], [nan, 5.0, nan]]).trace(), Tensor::scalar(6.0));
        assert!(Tensor::from([[nan]]).trace().item().is_nan());
        assert_eq!(Tensor::<f64>::zeros([0, 3]).trace(), Tensor::scalar(0.0));
        assert_eq!(Tensor::<f64>::zeros([2, 2, 0]).trace().shape(), [0]);
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.trace().square(), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
        gradcheck(|[x]| x.trace().square(), [random(&[4, 3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    #[test]
    #[should_panic(expected = "trace: needs two axes, and the shape is [3]")]
    fn of_a_vector() {
        Tensor::<f64>::zeros([3]).trace();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let [rows, columns, depth] = x.dims();
            let expected = Tensor::from_fn([depth], |at| {
                (0..rows.min(columns)).map(|k| x.at([k, k, at[0]])).sum()
            });
            assert_close(&x.trace(), &expected);
        }
    }
}
