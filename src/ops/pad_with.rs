//! A border of the tensor's own values.
//!
//! ```text
//! y[i, ..] = x[place of i - before, ..] along one axis after another, where the place of one outside of x is
//! Edge       a a a | a b c d | d d d
//! Reflect    d c b | a b c d | c b a
//! Symmetric  c b a | a b c d | d c b
//! Wrap       b c d | a b c d | a b c
//! ```
//!
//! A border may be wider than the tensor: then it goes on to and fro, or round. A NaN is repeated like any other value; dx is the sum
//! over all copies of a place.

use super::pad::border_fits;
use crate::autograd::Var;
use crate::buffer::room;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

/// What stands around a tensor that is padded with its own values: NumPy's modes of these names.
///
/// ```
/// use cinta::{PadMode, Tensor};
/// let x = Tensor::from([1.0, 2.0, 3.0]);
/// let padded = |mode| x.pad_with(&[[2, 1]], mode).to_vec();
/// assert_eq!(padded(PadMode::Edge), [1.0, 1.0, 1.0, 2.0, 3.0, 3.0]);
/// assert_eq!(padded(PadMode::Reflect), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
/// assert_eq!(padded(PadMode::Symmetric), [2.0, 1.0, 1.0, 2.0, 3.0, 3.0]);
/// assert_eq!(padded(PadMode::Wrap), [2.0, 3.0, 1.0, 2.0, 3.0, 1.0]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PadMode {
    /// The value at the edge.
    Edge,
    /// The tensor mirrored at the value at its edge, which is not repeated.
    Reflect,
    /// The tensor mirrored behind the value at its edge, which is repeated.
    Symmetric,
    /// The tensor from its other end on.
    Wrap,
}

impl PadMode {
    /// Which of `len` places, at least one, a place outside of them repeats.
    fn source(self, place: isize, len: usize) -> usize {
        let len = len as isize;
        let mirrored = |period: isize| {
            let place = place.rem_euclid(period);
            if place < len { place } else { period - place }
        };
        let source = match self {
            PadMode::Edge => place.clamp(0, len - 1),
            PadMode::Reflect if len == 1 => 0,
            PadMode::Reflect => mirrored(2 * (len - 1)),
            PadMode::Symmetric => {
                let place = place.rem_euclid(2 * len);
                place.min(2 * len - 1 - place)
            }
            PadMode::Wrap => place.rem_euclid(len),
        };
        source as usize
    }
}

impl<T: Scalar> Tensor<T> {
    /// The tensor with a border of its own values: `border` has for each axis how many places before and how many after. Corners are
    /// those of the border's border.
    ///
    /// # Panics
    /// When `border` does not have as many entries as there are axes, and when it is to repeat values of an empty axis.
    ///
    /// ```
    /// use cinta::{PadMode, Tensor};
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let y = x.pad_with(&[[1, 0], [1, 0]], PadMode::Edge);
    /// assert_eq!(y, Tensor::from([[1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [3.0, 3.0, 4.0]]));
    /// ```
    #[track_caller]
    pub fn pad_with(&self, border: &[[usize; 2]], mode: PadMode) -> Tensor<T> {
        Var::constant(self.clone()).pad_with(border, mode).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The tensor with a border of its own values, as [`Tensor::pad_with`].
    ///
    /// # Panics
    /// When `border` does not have as many entries as there are axes, and when it is to repeat values of an empty axis.
    ///
    /// ```
    /// use cinta::{PadMode, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 3.0]));
    /// let y = x.pad_with(&[[1, 1]], PadMode::Reflect);
    /// assert_eq!(y.value().to_vec(), [2.0, 1.0, 2.0, 3.0, 2.0]);
    /// assert_eq!(y.sum(..).backward().wrt(&x).to_vec(), [1.0, 3.0, 1.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn pad_with(&self, border: &[[usize; 2]], mode: PadMode) -> Var<'t, T> {
        let shape = self.shape();
        border_fits("pad_with", border, shape);
        let mut y = self.clone();
        // The innermost axis first: what is copied again is smaller then.
        for (axis, &[before, after]) in border.iter().enumerate().rev() {
            let len = shape[axis];
            if [before, after] == [0, 0] {
                continue;
            }
            assert!(
                len > 0,
                "pad_with: axis {axis} of a tensor of shape {shape} has no values to repeat"
            );
            let count = before.saturating_add(len).saturating_add(after);
            let mut places = room(count);
            places.extend((0..count).map(|i| mode.source(i as isize - before as isize, len)));
            y = y.selected("pad_with", axis, places.into());
        }
        y
    }
}

compiled!(|x: &Var<T>| x.pad_with(&[[1, 1]], PadMode::Edge));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;
    use proptest::sample::select;

    const MODES: [PadMode; 4] =
        [PadMode::Edge, PadMode::Reflect, PadMode::Symmetric, PadMode::Wrap];

    #[test]
    fn worked_example() {
        let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let y = x.pad_with(&[[1, 0], [0, 1]], PadMode::Reflect);
        assert_close(
            &y,
            &Tensor::from([[4.0, 5.0, 6.0, 5.0], [1.0, 2.0, 3.0, 2.0], [4.0, 5.0, 6.0, 5.0]]),
        );
        // Wider than the tensor.
        let x = Tensor::from([1.0, 2.0, 3.0]);
        let padded = |mode| x.pad_with(&[[4, 5]], mode).to_vec();
        let [a, b, c] = [1.0, 2.0, 3.0];
        assert_eq!(padded(PadMode::Edge), [a, a, a, a, a, b, c, c, c, c, c, c]);
        assert_eq!(padded(PadMode::Reflect), [a, b, c, b, a, b, c, b, a, b, c, b]);
        assert_eq!(padded(PadMode::Symmetric), [c, c, b, a, a, b, c, c, b, a, a, b]);
        assert_eq!(padded(PadMode::Wrap), [c, a, b, c, a, b, c, a, b, c, a, b]);
        for mode in MODES {
            assert_eq!(Tensor::from([7.0]).pad_with(&[[2, 2]], mode), Tensor::full([5], 7.0));
            assert_eq!(Tensor::scalar(7.0).pad_with(&[], mode), Tensor::scalar(7.0));
            let nan = Tensor::from([f64::NAN]).pad_with(&[[1, 0]], mode);
            assert!(nan.iter().all(f64::is_nan));
            let empty = Tensor::<f64>::zeros([0, 2]);
            assert_eq!(empty.pad_with(&[[0, 0], [1, 1]], mode).shape(), [0, 4]);
        }
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4], -2.0, 2.0, 1, 0);
        let weights = Var::constant(random(&[8, 7], -2.0, 2.0, 2, 0));
        for mode in MODES {
            gradcheck(|[x]| x.pad_with(&[[1, 4], [2, 1]], mode).square() * &weights, [x.clone()])
                .unwrap();
        }
    }

    #[test]
    #[should_panic(
        expected = "pad_with: axis 0 of a tensor of shape [0, 2] has no values to repeat"
    )]
    fn nothing_to_repeat() {
        Tensor::<f64>::zeros([0, 2]).pad_with(&[[1, 0], [0, 0]], PadMode::Edge);
    }

    #[test]
    #[should_panic(expected = "pad_with: a border of 1 axes around a tensor of shape [2, 3]")]
    fn a_border_of_other_axes() {
        Tensor::<f64>::zeros([2, 3]).pad_with(&[[1, 1]], PadMode::Wrap);
    }

    proptest! {
        /// One step after another from the edge outwards.
        #[test]
        fn definition(x in tensors(2, -3.0, 3.0), border in [[0usize..9, 0usize..9], [0usize..9, 0usize..9]], mode in select(&MODES[..])) {
            let y = x.pad_with(&border, mode);
            // A walk from place 0 that turns at the ends, jumps to the other one, or stays.
            let source = |place: isize, len: isize| {
                let (step, mut at, mut way) = (place.signum(), 0, place.signum());
                for _ in 0..place.abs() {
                    let next = at + way;
                    if (0..len).contains(&next) {
                        at = next;
                        continue;
                    }
                    match mode {
                        PadMode::Edge => way = 0,
                        PadMode::Wrap => at = if step > 0 { 0 } else { len - 1 },
                        PadMode::Symmetric => way = -way,
                        PadMode::Reflect => {
                            way = if len > 1 { -way } else { 0 };
                            at += way;
                        }
                    }
                }
                at as usize
            };
            let [rows, columns] = x.dims();
            let expected = Tensor::from_fn([rows + border[0][0] + border[0][1], columns + border[1][0] + border[1][1]], |at| {
                let place = |axis: usize, len: usize| source(at[axis] as isize - border[axis][0] as isize, len as isize);
                x.at([place(0, rows), place(1, columns)])
            });
            assert_close(&y, &expected);
        }
    }
}
