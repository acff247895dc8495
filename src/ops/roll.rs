//! The places of an axis moved round.
//!
//! ```text
//! y[o, i, n] = x[o, (i - shift) mod length, n]: one copy
//! ```
//!
//! A NaN moves like any other value.

use super::axis_exists;
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

impl<T: Scalar> Tensor<T> {
    /// The places of an axis moved by `shift`, forwards or, if it is negative, backwards; what leaves at one end comes in at the other. An
    /// empty axis stays empty.
    ///
    /// # Panics
    /// When the axis does not exist.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.roll(0, 1).to_vec(), [4.0, 1.0, 2.0, 3.0]);
    /// assert_eq!(x.roll(0, -1).to_vec(), [2.0, 3.0, 4.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn roll(&self, axis: usize, shift: isize) -> Tensor<T> {
        Var::constant(self.clone()).roll(axis, shift).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The places of an axis moved by `shift`, as [`Tensor::roll`].
    ///
    /// # Panics
    /// When the axis does not exist.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 3.0]));
    /// let y = &x * x.roll(0, 1);
    /// assert_eq!(y.value().to_vec(), [3.0, 2.0, 6.0]);
    /// assert_eq!(y.backward().wrt(&x).to_vec(), [5.0, 4.0, 3.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn roll(&self, axis: usize, shift: isize) -> Var<'t, T> {
        axis_exists("roll", axis, self.shape());
        let len = self.shape()[axis];
        let start = len - shift.rem_euclid(len.max(1) as isize) as usize;
        self.selected("roll", axis, (start..len).chain(0..start).collect::<Vec<_>>().into())
    }
}

compiled!(|x: &Var<T>| x.roll(0, 1));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, indices, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[1.0, 2.0, f64::NAN], [4.0, 5.0, 6.0]]);
        assert!(x.roll(1, 1).at([0, 0]).is_nan());
        assert_close(&x.roll(1, 4).slice(1, 1..), &Tensor::from([[1.0, 2.0], [4.0, 5.0]]));
        assert_eq!(x.roll(0, -3).at([1, 0]), 1.0);
        assert_eq!(Tensor::<f64>::zeros([0, 2]).roll(0, 3).shape(), [0, 2]);
        assert_eq!(Tensor::<f64>::arange(3).roll(0, isize::MIN).shape(), [3]);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4, 5], -2.0, 2.0, 1, 0);
        for axis in 0..3 {
            gradcheck(|[x]| x.roll(axis, 2) * x.square(), [x.clone()]).unwrap();
        }
    }

    #[test]
    #[should_panic(expected = "roll: axis 0 of a tensor of shape []")]
    fn a_scalar_has_no_axis() {
        Tensor::scalar(1.0).roll(0, 1);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axis in 0usize..3, shift in -12isize..12) {
            let y = x.roll(axis, shift);
            for at in indices::<3>(x.dims()) {
                let mut to = at;
                to[axis] = (at[axis] as isize + shift).rem_euclid(x.shape()[axis] as isize) as usize;
                prop_assert_eq!(y.at(to), x.at(at));
            }
        }
    }
}
