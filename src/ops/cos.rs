//! `y = cos(x)`, element by element.

use super::{Elementwise, along, each, elementwise, flowing};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Cos;

impl<T: Scalar> Elementwise<T> for Cos {
    fn name(&self) -> &'static str {
        "cos"
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.cos()
    }

    // dx = -dy sin(x)
    fn backward(&self, x: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        along(dy, x, |dy, x| flowing(dy, -dy * x.sin()))
    }
}

impl<T: Scalar> Tensor<T> {
    /// The cosine of every element, in radians; NaN of what is infinite.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([0.0]).cos().item(), 1.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn cos(&self) -> Tensor<T> {
        each(self, T::cos)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The cosine `y = cos(x)` of every element, in radians; NaN of what is infinite.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0, std::f64::consts::FRAC_PI_2]));
    /// assert_eq!(x.cos().value().at([0]), 1.0);
    /// assert_eq!(x.cos().backward().wrt(&x).to_vec(), [0.0, -1.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn cos(&self) -> Var<'t, T> {
        elementwise(self, Cos)
    }
}

compiled!(|x: &Var<T>| x.cos());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([0.0, std::f64::consts::FRAC_PI_3])).cos();
        assert_close(y.value(), &Tensor::from([1.0, 0.5]));
    }

    #[test]
    fn any_input() {
        assert_elementwise(Tensor::cos, |x| x.cos(), f64::cos);
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.cos(), [random(&[3, 5], -4.0, 4.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).cos();
            let expected: Vec<f64> = x.iter().map(|x| 1.0 - 2.0 * (x / 2.0).sin().powi(2)).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
