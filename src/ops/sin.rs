//! `y = sin(x)`, element by element.

use super::{Elementwise, along, each, elementwise, flowing};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Sin;

impl<T: Scalar> Elementwise<T> for Sin {
    fn name(&self) -> &'static str {
        "sin"
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.sin()
    }

    // dx = dy cos(x)
    fn backward(&self, x: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        along(dy, x, |dy, x| flowing(dy, dy * x.cos()))
    }
}

impl<T: Scalar> Tensor<T> {
    /// The sine of every element, in radians; NaN of what is infinite.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([0.0]).sin().item(), 0.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn sin(&self) -> Tensor<T> {
        each(self, T::sin)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The sine `y = sin(x)` of every element, in radians; NaN of what is infinite.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0, std::f64::consts::FRAC_PI_2]));
    /// assert_eq!(x.sin().value().to_vec(), [0.0, 1.0]);
    /// assert_eq!(x.sin().backward().wrt(&x).at([0]), 1.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn sin(&self) -> Var<'t, T> {
        elementwise(self, Sin)
    }
}

compiled!(|x: &Var<T>| x.sin());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([0.0, std::f64::consts::FRAC_PI_6])).sin();
        assert_close(y.value(), &Tensor::from([0.0, 0.5]));
    }

    #[test]
    fn any_input() {
        assert_elementwise(Tensor::sin, |x| x.sin(), f64::sin);
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.sin(), [random(&[3, 5], -4.0, 4.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).sin();
            let expected: Vec<f64> = x.iter().map(|x| 2.0 * (x / 2.0).sin() * (x / 2.0).cos()).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
