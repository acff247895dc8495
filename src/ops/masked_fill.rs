//! `y = value` where a mask is true, else `x`.

use super::{Elementwise, Saves, elementwise};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Mask, Tensor};

struct MaskedFill<T> {
    mask: Mask,
    value: T,
}

impl<T: Scalar> Elementwise<T> for MaskedFill<T> {
    fn name(&self) -> &'static str {
        "masked_fill"
    }

    fn saves(&self) -> Saves {
        Saves::Nothing
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.masked_fill(&self.mask, self.value)
    }

    // dx = 0 where the mask is true, else dy
    fn backward(&self, _: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        dy.masked_fill(&self.mask, T::zero())
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `value` where the mask is true, else the element. The mask is broadcast to this shape. No gradient comes from what was filled.
    ///
    /// # Panics
    /// When the mask does not repeat to this shape.
    ///
    /// ```
    /// use cinta::{Mask, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0]));
    /// let y = x.masked_fill(&Mask::from([false, true]), f64::NEG_INFINITY);
    /// assert_eq!(y.softmax().value().to_vec(), [1.0, 0.0]);
    /// assert_eq!(y.sum(..).backward().wrt(&x).to_vec(), [1.0, 0.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn masked_fill(&self, mask: &Mask, value: T) -> Var<'t, T> {
        elementwise(self, MaskedFill { mask: mask.clone(), value })
    }
}

compiled!(|x: &Var<T>, m: &Mask| x.masked_fill(m, 0.0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
        let y = x.masked_fill(&Mask::from([true, false]), 0.0);
        assert_eq!(y.value(), &Tensor::from([[0.0, 2.0], [0.0, 4.0]]));
    }

    #[test]
    fn what_is_not_a_number_goes() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([f64::NAN, 2.0]));
        let mask = x.value().not_equal(x.value());
        let y = x.masked_fill(&mask, 7.0);
        assert_eq!(y.value().to_vec(), [7.0, 2.0]);
        assert_eq!(y.backward_from(&Tensor::from([f64::NAN, 1.0])).wrt(&x).to_vec(), [0.0, 1.0]);
    }

    #[test]
    fn without_elements_and_without_axes() {
        let filled = |x: Tensor<f64>, mask| {
            let tape = Tape::new();
            let x = tape.leaf(x);
            let y = x.masked_fill(&mask, 1.0);
            (y.value().to_vec(), y.backward().wrt(&x).to_vec())
        };
        let no = || Mask::new([], [false]);
        assert_eq!(filled(Tensor::zeros([0, 2]), no()), (vec![], vec![]));
        assert_eq!(filled(Tensor::scalar(3.0), no()), (vec![3.0], vec![1.0]));
        assert_eq!(filled(Tensor::scalar(3.0), !no()), (vec![1.0], vec![0.0]));
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        gradcheck(|[x]| x.masked_fill(&x.value().less(0.0), 0.5), [x.clone()]).unwrap();
        let row = x.slice(0, ..1).less(0.5);
        gradcheck(|[x]| x.masked_fill(&row, -1.0).square(), [x]).unwrap();
    }

    #[test]
    #[should_panic(expected = "masked_fill: a mask of shape [2, 2] does not repeat to [2]")]
    fn a_mask_of_more_elements() {
        let mask = Mask::from([[true, false], [true, true]]);
        Var::constant(Tensor::from([1.0, 2.0])).masked_fill(&mask, 0.0);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -2.0, 2.0), seed: u64) {
            let row = random(&x.shape()[2..], -1.0, 1.0, seed, 2);
            let y = Var::constant(x.clone()).masked_fill(&row.less(0.0), 3.0);
            let expected = Tensor::from_fn(x.shape(), |i| {
                if row.at([i[2]]) < 0.0 { 3.0 } else { x.at([i[0], i[1], i[2]]) }
            });
            prop_assert_eq!(y.value(), &expected);
        }
    }
}
