//! A tensor several times along each of its axes.
//!
//! ```text
//! y[i, j, ..] = x[i mod length_0, j mod length_1, ..]; dx is the sum over all copies of a place
//! ```
//!
//! Axis by axis, the innermost first, so that all but the last step copy a part of the result alone. Tensors of
//! any strides are read; the result is row-major. A NaN moves like any other value.

use crate::autograd::Var;
use crate::buffer::room;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

impl<T: Scalar> Tensor<T> {
    /// The tensor several times along its axes, as NumPy's `tile`: `times` are aligned with the axes at the end, and where there are
    /// more of one, the other gets ones in front. 0 times leaves an empty axis.
    ///
    /// # Panics
    /// With more than [`MAX_RANK`](crate::MAX_RANK) axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0]]);
    /// assert_eq!(x.tile(&[2]), Tensor::from([[1.0, 2.0, 1.0, 2.0]]));
    /// assert_eq!(x.tile(&[2, 1]), Tensor::from([[1.0, 2.0], [1.0, 2.0]]));
    /// assert_eq!(x.tile(&[3, 1, 1]).shape(), [3, 1, 2]);
    /// ```
    #[track_caller]
    pub fn tile(&self, times: &[usize]) -> Tensor<T> {
        Var::constant(self.clone()).tile(times).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The tensor several times along its axes, as [`Tensor::tile`].
    ///
    /// # Panics
    /// With more than [`MAX_RANK`](crate::MAX_RANK) axes.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0]));
    /// let y = x.tile(&[2]);
    /// assert_eq!(y.value().to_vec(), [1.0, 2.0, 1.0, 2.0]);
    /// assert_eq!(y.square().backward().wrt(&x).to_vec(), [4.0, 8.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn tile(&self, times: &[usize]) -> Var<'t, T> {
        let shape = self.shape();
        let added = times.len().saturating_sub(shape.rank());
        let mut y = match added {
            0 => self.clone(),
            _ => self.reshape(Shape::new(&[&vec![1; added], &shape[..]].concat())),
        };
        let first = y.shape().rank() - times.len();
        for (axis, &times) in times.iter().enumerate().rev() {
            let axis = first + axis;
            let len = y.shape()[axis];
            if times != 1 {
                let mut places = room(len.saturating_mul(times));
                (0..times).for_each(|_| places.extend(0..len));
                y = y.selected("tile", axis, places.into());
            }
        }
        y
    }
}

compiled!(|x: &Var<T>| x.tile(&[2]));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{indices, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[1.0], [f64::NAN]]);
        let y = x.tile(&[2, 2]);
        assert_eq!((y.shape(), y.at([2, 1])), ([4, 2].into(), 1.0));
        assert!([[1, 0], [1, 1], [3, 0], [3, 1]].iter().all(|&at| y.at(at).is_nan()));
        assert_eq!(Tensor::scalar(2.0).tile(&[2, 3]), Tensor::full([2, 3], 2.0));
        assert_eq!(Tensor::scalar(2.0).tile(&[]), Tensor::scalar(2.0));
        assert_eq!(x.tile(&[0]).shape(), [2, 0]);
        assert_eq!(Tensor::<f64>::zeros([0, 2]).tile(&[3, 2]).shape(), [0, 4]);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 2], -2.0, 2.0, 1, 0);
        let weights = Var::constant(random(&[2, 3, 6], -2.0, 2.0, 2, 0));
        gradcheck(|[x]| x.tile(&[2, 1, 3]).square() * &weights, [x]).unwrap();
    }

    #[test]
    #[should_panic(expected = "a tensor has at most 6 axes")]
    fn more_axes_than_there_can_be() {
        Tensor::scalar(1.0).tile(&[1; 7]);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(2, -3.0, 3.0), times in prop::array::uniform3(1usize..4)) {
            let y = x.tile(&times);
            let [rows, columns] = x.dims();
            prop_assert_eq!(y.shape(), [times[0], times[1] * rows, times[2] * columns]);
            for at in indices::<3>(y.dims()) {
                prop_assert_eq!(y.at(at), x.at([at[1] % rows, at[2] % columns]));
            }
            prop_assert_eq!(x.tile(&times[2..]), x.tile(&[1, times[2]]));
        }
    }
}
