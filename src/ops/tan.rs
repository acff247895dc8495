//! `y = tan(x)`, element by element.

use super::{Elementwise, Saves, along, each, elementwise, flowing};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Tan;

impl<T: Scalar> Elementwise<T> for Tan {
    fn name(&self) -> &'static str {
        "tan"
    }

    fn saves(&self) -> Saves {
        Saves::Output
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.tan()
    }

    // dx = dy (1 + y^2)
    fn backward(&self, y: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        along(dy, y, |dy, y| flowing(dy, dy * (T::one() + y * y)))
    }
}

impl<T: Scalar> Tensor<T> {
    /// The tangent of every element, in radians; NaN of what is infinite.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([0.0]).tan().item(), 0.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn tan(&self) -> Tensor<T> {
        each(self, T::tan)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The tangent `y = tan(x)` of every element, in radians; NaN of what is infinite.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0]));
    /// assert_eq!(x.tan().value().item(), 0.0);
    /// assert_eq!(x.tan().backward().wrt(&x).item(), 1.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn tan(&self) -> Var<'t, T> {
        elementwise(self, Tan)
    }
}

compiled!(|x: &Var<T>| x.tan());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([0.0, std::f64::consts::FRAC_PI_4])).tan();
        assert_close(y.value(), &Tensor::from([0.0, 1.0]));
    }

    #[test]
    fn any_input() {
        assert_elementwise(Tensor::tan, |x| x.tan(), f64::tan);
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.tan(), [random(&[3, 5], -1.2, 1.2, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -1.4, 1.4)) {
            let y = Var::constant(x.clone()).tan();
            let expected: Vec<f64> = x.iter().map(|x| x.sin() / x.cos()).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
