//! The elements, rows or matrices where a mask is true: NumPy's `x[mask]`.
//!
//! ```text
//! y[i, ..] = x[p_i, ..], where p_i is the i-th place at which the mask over the first axes is true
//! ```
//!
//! Tensors of any strides are read; the result is row-major. A NaN moves like any other value. Without axes, a mask keeps the whole
//! tensor once or not at all, as it does in NumPy.

use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Mask, Tensor};

impl<T: Scalar> Tensor<T> {
    /// What stands where the mask is true, in reading order: NumPy's `x[mask]`. The mask has the shape of the first axes of this tensor,
    /// and these become one, as long as the mask has true elements. So a mask of the same shape gives a vector of elements,
    /// and a vector mask gives rows.
    ///
    /// Along another axis, choose by the [places](Mask::flatnonzero) of a vector mask.
    ///
    /// # Panics
    /// When the first axes have another shape than the mask.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, -2.0], [3.0, 4.0]]);
    /// assert_eq!(x.masked_select(&x.greater(0.0)).to_vec(), [1.0, 3.0, 4.0]);
    /// assert_eq!(x.masked_select(&x.greater(0.0).all(1)), Tensor::from([[3.0, 4.0]]));
    /// ```
    #[track_caller]
    pub fn masked_select(&self, mask: &Mask) -> Tensor<T> {
        Var::constant(self.clone()).masked_select(mask).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// What stands where the mask is true, as [`Tensor::masked_select`]. No gradient goes to the rest.
    ///
    /// # Panics
    /// When the first axes have another shape than the mask.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, -2.0, 3.0]));
    /// let y = x.masked_select(&x.value().greater(0.0));
    /// assert_eq!(y.value().to_vec(), [1.0, 3.0]);
    /// assert_eq!(y.square().backward().wrt(&x).to_vec(), [2.0, 0.0, 6.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn masked_select(&self, mask: &Mask) -> Var<'t, T> {
        let (shape, first) = (self.shape(), mask.shape());
        assert!(
            shape.starts_with(&first),
            "masked_select: a mask of shape {first} over the first axes of {shape}"
        );
        let joined = [&[mask.len()], &shape[first.rank()..]].concat();
        self.reshape(&joined[..]).selected("masked_select", 0, mask.flatnonzero())
    }
}

compiled!(|x: &Var<T>, m: &Mask| x.masked_select(m));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{indices, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[1.0, f64::NAN], [3.0, 4.0], [5.0, 6.0]]);
        let rows = Mask::from([false, true, true]);
        assert_eq!(x.masked_select(&rows), Tensor::from([[3.0, 4.0], [5.0, 6.0]]));
        assert_eq!(x.masked_select(&x.isnan()).len(), 1);
        assert_eq!(x.masked_select(&!x.isnan()).to_vec(), [1.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn without_elements_and_without_axes() {
        let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(x.masked_select(&Mask::from([false, false])).shape(), [0, 2]);
        assert_eq!(x.masked_select(&Mask::new([], [true])).shape(), [1, 2, 2]);
        assert_eq!(x.masked_select(&Mask::new([], [false])).shape(), [0, 2, 2]);
        assert_eq!(Tensor::scalar(7.0).masked_select(&Mask::new([], [true])).to_vec(), [7.0]);
        assert_eq!(Tensor::<f64>::zeros([0, 3]).masked_select(&Mask::new([0], [])).shape(), [0, 3]);
        assert_eq!(Tensor::<f64>::zeros([2, 0]).masked_select(&Mask::from([true, false])).len(), 0);
        let tape = Tape::new();
        let x = tape.leaf(x);
        let nothing = x.masked_select(&x.value().greater(9.0));
        assert_eq!(nothing.sum(..).backward().wrt(&x).to_vec(), [0.0; 4]);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        let mask = x.greater(-0.5);
        for mask in [&mask, &mask.any(2), &Mask::from([true, false, true])] {
            gradcheck(|[x]| x.masked_select(mask).square(), [x.clone()]).unwrap();
        }
    }

    #[test]
    #[should_panic(expected = "masked_select: a mask of shape [2] over the first axes of [3, 2]")]
    fn a_mask_that_does_not_fit() {
        Tensor::<f64>::zeros([3, 2]).masked_select(&Mask::from([true, false]));
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -2.0, 2.0), axes in 0usize..4, seed: u64) {
            let first = &x.shape()[..axes];
            let mask = random(first, -1.0, 1.0, seed, 0).greater(0.0);
            let dims = [0, 1, 2].map(|axis| if axis < axes { x.shape()[axis] } else { 1 });
            let mut expected = Vec::new();
            for at in indices::<3>(x.dims()) {
                let place = (0..axes).fold(0, |place, axis| place * dims[axis] + at[axis]);
                if mask.as_slice()[place] {
                    expected.push(x.at(at));
                }
            }
            let y = x.masked_select(&mask);
            let shape = [&[mask.count()], &x.shape()[axes..]].concat();
            prop_assert_eq!((y.shape(), y.to_vec()), (shape.as_slice().into(), expected));
        }
    }
}
