//! Each place of an axis several times.
//!
//! ```text
//! y[o, i, n] = x[o, i / times, n]: one copy; dx is the sum over what came from a place
//! ```
//!
//! Tensors of any strides are read; the result is row-major. A NaN moves like any other value.

use super::axis_exists;
use crate::autograd::Var;
use crate::buffer::room;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

impl<T: Scalar> Tensor<T> {
    /// Each place of an axis `times` times, one after another, as NumPy's `repeat`. (The whole several times is [`tile`](Self::tile), and
    /// another number of times for each place an [`index_select`](Self::index_select).) 0 times leaves an empty axis.
    ///
    /// # Panics
    /// When the axis does not exist.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).repeat(0, 3).to_vec(), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn repeat(&self, axis: usize, times: usize) -> Tensor<T> {
        Var::constant(self.clone()).repeat(axis, times).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Each place of an axis `times` times, as [`Tensor::repeat`].
    ///
    /// # Panics
    /// When the axis does not exist.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0]));
    /// let y = x.repeat(0, 3);
    /// assert_eq!(y.value().to_vec(), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    /// assert_eq!(y.square().backward().wrt(&x).to_vec(), [6.0, 12.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn repeat(&self, axis: usize, times: usize) -> Var<'t, T> {
        axis_exists("repeat", axis, self.shape());
        let len = self.shape()[axis];
        let mut places = room(len.saturating_mul(times));
        (0..len).for_each(|place| places.extend(std::iter::repeat_n(place, times)));
        self.selected("repeat", axis, places.into())
    }
}

compiled!(|x: &Var<T>| x.repeat(0, 1));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, indices, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[1.0, 2.0], [3.0, f64::NAN]]);
        assert_close(&x.repeat(0, 2).slice(1, 0..1), &Tensor::from([[1.0], [1.0], [3.0], [3.0]]));
        assert!(x.repeat(1, 2).at([1, 3]).is_nan());
        assert_eq!(x.repeat(1, 0).shape(), [2, 0]);
        assert_eq!(Tensor::<f64>::zeros([0, 2]).repeat(0, 3).shape(), [0, 2]);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4, 5], -2.0, 2.0, 1, 0);
        let weights = Var::constant(random(&[3, 8, 5], -2.0, 2.0, 2, 0));
        gradcheck(|[x]| x.repeat(1, 2).square() * &weights, [x]).unwrap();
    }

    #[test]
    #[should_panic(expected = "repeat: axis 0 of a tensor of shape []")]
    fn a_scalar_has_no_axis() {
        Tensor::scalar(1.0).repeat(0, 2);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axis in 0usize..3, times in 1usize..4) {
            let y = x.repeat(axis, times);
            prop_assert_eq!(y.shape()[axis], times * x.shape()[axis]);
            for mut at in indices::<3>(y.dims()) {
                let value = y.at(at);
                at[axis] /= times;
                prop_assert_eq!(value, x.at(at));
            }
        }
    }
}
