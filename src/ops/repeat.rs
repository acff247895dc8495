//! Each place of an axis several times.
//!
//! ```text
//! y[o, i, n] = x[o, p_i, n], where p is 0 times[0] times, then 1 times[1] times, ..: one copy; dx is the sum over what came from a place
//! ```
//!
//! Tensors of any strides are read; the result is row-major. A NaN moves like any other value.

use super::axis_exists;
use crate::autograd::Var;
use crate::buffer::room;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

/// How many times [`repeat`](Tensor::repeat) has each place of an axis: one number for all of them, or a list with one for each.
///
/// ```
/// use cinta::{Tensor, Times};
/// let x = Tensor::from([1.0, 2.0]);
/// assert_eq!(x.repeat(0, Times::Same(2)), x.repeat(0, 2));
/// assert_eq!(x.repeat(0, Times::Each(vec![0, 2])).to_vec(), [2.0, 2.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Times {
    /// Each place as often as the others.
    Same(usize),
    /// Each place as often as its number in the list says.
    Each(Vec<usize>),
}

impl Times {
    fn of(&self, place: usize) -> usize {
        match self {
            Times::Same(times) => *times,
            Times::Each(times) => times[place],
        }
    }

    /// For this many places; as many as are too many, where the sum does not fit.
    fn sum(&self, places: usize) -> usize {
        match self {
            Times::Same(times) => places.saturating_mul(*times),
            Times::Each(times) => times.iter().fold(0, |sum, &times| sum.saturating_add(times)),
        }
    }
}

impl From<usize> for Times {
    fn from(times: usize) -> Self {
        Times::Same(times)
    }
}

impl From<Vec<usize>> for Times {
    fn from(times: Vec<usize>) -> Self {
        Times::Each(times)
    }
}

impl From<&[usize]> for Times {
    fn from(times: &[usize]) -> Self {
        Times::Each(times.to_vec())
    }
}

impl<const N: usize> From<[usize; N]> for Times {
    fn from(times: [usize; N]) -> Self {
        Times::Each(times.to_vec())
    }
}

impl<T: Scalar> Tensor<T> {
    /// Each place of an axis so many times, one after another, as NumPy's `repeat`: `times` is a number for all places, or a list with one
    /// for each. (The whole several times is [`tile`](Self::tile).) 0 times leaves a place out.
    ///
    /// # Panics
    /// When the axis does not exist, or a list has not one number for each of its places.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).repeat(0, 3).to_vec(), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    /// let x = Tensor::from([[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.repeat(1, [2, 0, 1]), Tensor::from([[1.0, 1.0, 3.0]]));
    /// ```
    #[track_caller]
    pub fn repeat(&self, axis: usize, times: impl Into<Times>) -> Tensor<T> {
        Var::constant(self.clone()).repeat(axis, times).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Each place of an axis so many times, as [`Tensor::repeat`].
    ///
    /// # Panics
    /// When the axis does not exist, or a list has not one number for each of its places.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0]));
    /// let y = x.repeat(0, [1, 3]);
    /// assert_eq!(y.value().to_vec(), [1.0, 2.0, 2.0, 2.0]);
    /// assert_eq!(y.square().backward().wrt(&x).to_vec(), [2.0, 12.0]);
    /// ```
    #[track_caller]
    pub fn repeat(&self, axis: usize, times: impl Into<Times>) -> Var<'t, T> {
        self.repeated(axis, times.into())
    }

    #[track_caller]
    #[inline(never)]
    fn repeated(&self, axis: usize, times: Times) -> Var<'t, T> {
        axis_exists("repeat", axis, self.shape());
        let len = self.shape()[axis];
        if let Times::Each(times) = &times {
            assert!(
                times.len() == len,
                "repeat: a list of {} numbers for axis {axis} of {}, whose length is {len}",
                times.len(),
                self.shape()
            );
        }
        let mut places = room(times.sum(len));
        for place in 0..len {
            places.extend(std::iter::repeat_n(place, times.of(place)));
        }
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
        assert_eq!(x.repeat(0, [0, 2]).slice(1, ..1), Tensor::from([[3.0], [3.0]]));
        assert_eq!(x.repeat(0, [0, 0]).shape(), [0, 2]);
        assert_eq!(x.repeat(1, vec![1, 1]).slice(0, ..1), x.slice(0, ..1));
        assert_eq!(Tensor::<f64>::zeros([0, 2]).repeat(0, []).shape(), [0, 2]);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4, 5], -2.0, 2.0, 1, 0);
        let weights = Var::constant(random(&[3, 8, 5], -2.0, 2.0, 2, 0));
        gradcheck(|[x]| x.repeat(1, 2).square() * &weights, [x.clone()]).unwrap();
        gradcheck(|[x]| x.repeat(1, [3, 0, 4, 1]).square() * &weights, [x]).unwrap();
    }

    #[test]
    #[should_panic(expected = "repeat: axis 0 of a tensor of shape []")]
    fn a_scalar_has_no_axis() {
        Tensor::scalar(1.0).repeat(0, 2);
    }

    #[test]
    #[should_panic(
        expected = "repeat: a list of 1 numbers for axis 1 of [2, 3], whose length is 3"
    )]
    fn a_list_of_another_length() {
        Tensor::<f64>::zeros([2, 3]).repeat(1, [2]);
    }

    proptest! {
        #[test]
        fn definition_with_a_list(x in tensors(3, -3.0, 3.0), axis in 0usize..3, drawn in prop::collection::vec(0usize..4, 5)) {
            let times = &drawn[..x.shape()[axis]];
            let y = x.repeat(axis, times);
            // The places one after another, each cut out and put behind those before it.
            let pieces: Vec<Tensor<f64>> = times.iter().enumerate()
                .flat_map(|(place, &times)| vec![x.slice(axis, place..=place); times])
                .collect();
            let expected = match pieces.is_empty() {
                true => x.slice(axis, 0..0),
                false => Tensor::concat_along(&pieces, axis),
            };
            prop_assert_eq!(y, expected);
        }

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
