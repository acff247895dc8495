//! `y = ln(1 + x)`, element by element.

use super::{Elementwise, along, each, elementwise, flowing};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Log1p;

impl<T: Scalar> Elementwise<T> for Log1p {
    fn name(&self) -> &'static str {
        "log1p"
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.log1p()
    }

    // dx = dy / (1 + x)
    fn backward(&self, x: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        along(dy, x, |dy, x| flowing(dy, dy / (T::one() + x)))
    }
}

impl<T: Scalar> Tensor<T> {
    /// `ln(1 + x)` of every element, which keeps its digits where `x` is small; NaN below -1.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1e-20]).log1p().item(), 1e-20);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn log1p(&self) -> Tensor<T> {
        each(self, T::ln_1p)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = ln(1 + x)` of every element, which keeps its digits where `x` is small: NaN below -1, minus infinity at -1. Where no gradient
    /// comes back, none goes on, even at -1.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1e-20, 1.0]));
    /// assert_eq!(x.log1p().value().to_vec(), [1e-20, std::f64::consts::LN_2]);
    /// assert_eq!(x.log1p().backward().wrt(&x).to_vec(), [1.0, 0.5]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn log1p(&self) -> Var<'t, T> {
        elementwise(self, Log1p)
    }
}

compiled!(|x: &Var<T>| x.log1p());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-1e-300, std::f64::consts::E - 1.0])).log1p();
        assert_close(y.value(), &Tensor::from([-1e-300, 1.0]));
        assert_eq!(Tensor::<f64>::from([-1.0]).log1p().item(), f64::NEG_INFINITY);
    }

    #[test]
    fn any_input() {
        assert_elementwise(Tensor::log1p, |x| x.log1p(), f64::ln_1p);
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.log1p(), [random(&[3, 5], -0.7, 3.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -0.9, 9.0)) {
            let y = Var::constant(x.clone()).log1p();
            let expected: Vec<f64> = x.iter().map(|x| (1.0 + x).ln()).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
