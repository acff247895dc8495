//! `y = e^x - 1`, element by element.

use super::{Elementwise, along, each, elementwise, flowing};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Expm1;

impl<T: Scalar> Elementwise<T> for Expm1 {
    fn name(&self) -> &'static str {
        "expm1"
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.expm1()
    }

    // dx = dy e^x, not of y: far below 0, that has lost all digits of e^x
    fn backward(&self, x: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        along(dy, x, |dy, x| flowing(dy, dy * x.exp()))
    }
}

impl<T: Scalar> Tensor<T> {
    /// `e^x - 1` of every element, which keeps its digits where `x` is small.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1e-20]).expm1().item(), 1e-20);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn expm1(&self) -> Tensor<T> {
        each(self, T::exp_m1)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = e^x - 1` of every element, which keeps its digits where `x` is small.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1e-20, 0.0]));
    /// assert_eq!(x.expm1().value().to_vec(), [1e-20, 0.0]);
    /// assert_eq!(x.expm1().backward().wrt(&x).to_vec(), [1.0, 1.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn expm1(&self) -> Var<'t, T> {
        elementwise(self, Expm1)
    }
}

compiled!(|x: &Var<T>| x.expm1());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-1e-300, 1.0, -800.0])).expm1();
        assert_close(y.value(), &Tensor::from([-1e-300, std::f64::consts::E - 1.0, -1.0]));
    }

    #[test]
    fn any_input() {
        assert_elementwise(Tensor::expm1, |x| x.expm1(), f64::exp_m1);
    }

    #[test]
    fn the_slope_keeps_its_digits() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([-50.0]));
        assert_close(&x.expm1().backward().wrt(&x), &Tensor::from([(-50.0f64).exp()]));
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.expm1(), [random(&[3, 5], -3.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).expm1();
            let expected: Vec<f64> = x.iter().map(|x| x.exp() - 1.0).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
