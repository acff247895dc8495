//! `y = 1 / x`, element by element.

use super::{Elementwise, Saves, along, each, elementwise, flowing};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Reciprocal;

impl<T: Scalar> Elementwise<T> for Reciprocal {
    fn name(&self) -> &'static str {
        "reciprocal"
    }

    fn saves(&self) -> Saves {
        Saves::Output
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.reciprocal()
    }

    // dx = -dy y^2
    fn backward(&self, y: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        along(dy, y, |dy, y| flowing(dy, -dy * y * y))
    }
}

impl<T: Scalar> Tensor<T> {
    /// 1 divided by every element; infinite at 0.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([4.0]).reciprocal().item(), 0.25);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn reciprocal(&self) -> Tensor<T> {
        each(self, T::recip)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = 1 / x` of every element; infinite at 0. Where no gradient comes back, none goes on, even there.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([4.0, -0.5]));
    /// assert_eq!(x.reciprocal().value().to_vec(), [0.25, -2.0]);
    /// assert_eq!(x.reciprocal().backward().wrt(&x).to_vec(), [-0.0625, -4.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn reciprocal(&self) -> Var<'t, T> {
        elementwise(self, Reciprocal)
    }
}

compiled!(|x: &Var<T>| x.reciprocal());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([4.0, -0.5, 0.0])).reciprocal();
        assert_eq!(y.value().to_vec(), [0.25, -2.0, f64::INFINITY]);
    }

    #[test]
    fn any_input() {
        assert_elementwise(Tensor::reciprocal, |x| x.reciprocal(), |x| 1.0 / x);
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.reciprocal(), [random(&[3, 5], 0.3, 3.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, 0.2, 3.0)) {
            let y = Var::constant(x.clone()).reciprocal();
            let expected: Vec<f64> = x.iter().map(|x| x.powf(-1.0)).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
