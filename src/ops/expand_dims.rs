//! Axes of length 1, added and removed.
//!
//! ```text
//! y[.., 0, ..] = x[.., ..]: a reshape, which copies nothing
//! ```

use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{expanded, squeezed};

impl<'t, T: Scalar> Var<'t, T> {
    /// The tensor with another axis of length 1 at the place `axis`.
    ///
    /// # Panics
    /// When `axis` is larger than the number of axes, or there would be more than [`MAX_RANK`](crate::MAX_RANK).
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0]));
    /// assert_eq!(x.expand_dims(1).shape(), [2, 1]);
    /// assert_eq!(x.expand_dims(0).square().backward().wrt(&x).to_vec(), [2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn expand_dims(&self, axis: usize) -> Var<'t, T> {
        self.reshape(expanded(self.shape(), axis))
    }

    /// The tensor without an axis, whose length is 1.
    ///
    /// # Panics
    /// When the axis does not exist, or has another length.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0], [2.0]]));
    /// assert_eq!(x.squeeze(1).shape(), [2]);
    /// assert_eq!(x.squeeze(1).square().backward().wrt(&x), Tensor::from([[2.0], [4.0]]));
    /// ```
    #[track_caller]
    pub fn squeeze(&self, axis: usize) -> Var<'t, T> {
        self.reshape(squeezed(self.shape(), axis))
    }
}

compiled!(|x: &Var<T>| x.expand_dims(0).squeeze(0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use crate::tensor::Tensor;
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([1.0, f64::NAN]));
        assert_eq!(x.expand_dims(0).shape(), [1, 2]);
        assert_eq!(x.expand_dims(1).shape(), [2, 1]);
        assert!(x.expand_dims(1).value().at([1, 0]).is_nan());
        assert_close(Var::constant(Tensor::from([[3.0]])).squeeze(0).value(), &Tensor::from([3.0]));
        assert_eq!(Var::constant(Tensor::scalar(2.0)).expand_dims(0).shape(), [1]);
        assert_eq!(Var::constant(Tensor::<f64>::zeros([0, 1])).squeeze(1).shape(), [0]);
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.expand_dims(1).square(), [random(&[3, 5], -1.0, 1.0, 1, 0)]).unwrap();
        gradcheck(|[x]| x.squeeze(1).square(), [random(&[3, 1, 5], -1.0, 1.0, 1, 0)]).unwrap();
    }

    #[test]
    #[should_panic(expected = "squeeze: axis 0 of a tensor of shape [2] has the length 2, not 1")]
    fn a_length_that_is_not_1() {
        Var::constant(Tensor::from([1.0, 2.0])).squeeze(0);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axis in 0usize..4) {
            let y = Var::constant(x.clone()).expand_dims(axis);
            let mut dims = x.shape().to_vec();
            dims.insert(axis, 1);
            prop_assert_eq!(&y.shape()[..], &dims[..]);
            prop_assert_eq!(y.value().to_vec(), x.to_vec());
            prop_assert_eq!(y.squeeze(axis).into_value(), x);
        }
    }
}
