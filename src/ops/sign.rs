//! `y = sign(x)`, element by element.

use super::{Elementwise, Saves, each, elementwise};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Sign;

impl<T: Scalar> Elementwise<T> for Sign {
    fn name(&self) -> &'static str {
        "sign"
    }

    fn saves(&self) -> Saves {
        Saves::Nothing
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.sign()
    }

    // dx = 0
    fn backward(&self, _: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        Tensor::zeros(dy.shape())
    }
}

impl<T: Scalar> Tensor<T> {
    /// -1, 0 or 1, as every element is below, at or above 0; NaN stays NaN.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([-3.0, 0.0, 0.5]).sign().to_vec(), [-1.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn sign(&self) -> Tensor<T> {
        each(self, super::sign)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// -1, 0 or 1, as every element is below, at or above 0; NaN stays NaN.
    /// Its slope is taken as 0 everywhere, also at the steps, as in JAX and PyTorch.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([-3.0, 0.0, 0.5]));
    /// assert_eq!(x.sign().value().to_vec(), [-1.0, 0.0, 1.0]);
    /// assert_eq!(x.sign().sum(..).backward().wrt(&x).to_vec(), [0.0; 3]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn sign(&self) -> Var<'t, T> {
        elementwise(self, Sign)
    }
}

compiled!(|x: &Var<T>| x.sign());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-3.0, 0.0, 1e-300])).sign();
        assert_close(y.value(), &Tensor::from([-1.0, 0.0, 1.0]));
    }

    #[test]
    fn any_input() {
        assert_elementwise(
            Tensor::sign,
            |x| x.sign(),
            |x: f64| if x == 0.0 { 0.0 } else { x.signum() },
        );
    }

    #[test]
    fn nothing_flows_back() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([0.0, 1.0, 0.5, -2.5, f64::NAN, f64::INFINITY]));
        let dy = Tensor::from([1.0, f64::NAN, f64::INFINITY, 1.0, 1.0, 1.0]);
        assert_eq!(x.sign().backward_from(&dy).wrt(&x).to_vec(), [0.0; 6]);
    }

    #[test]
    fn gradient() {
        // Away from the steps.
        let x = random(&[3, 5], 0.1, 0.4, 1, 0) + Tensor::from([-2.0, -1.0, 0.0, 1.0, 2.0]);
        gradcheck(|[x]| x.sign() + x, [x]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).sign();
            let expected: Vec<f64> = x.iter().map(|x| if x < 0.0 { -1.0 } else { 1.0 }).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
