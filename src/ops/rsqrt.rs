//! `y = 1 / sqrt(x)`, element by element.

use super::{Elementwise, Saves, along, each, elementwise, flowing};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Rsqrt;

impl<T: Scalar> Elementwise<T> for Rsqrt {
    fn name(&self) -> &'static str {
        "rsqrt"
    }

    fn saves(&self) -> Saves {
        Saves::Output
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.rsqrt()
    }

    // dx = -dy y^3 / 2
    fn backward(&self, y: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        along(dy, y, |dy, y| flowing(dy, dy * T::lit(-0.5) * y * y * y))
    }
}

impl<T: Scalar> Tensor<T> {
    /// 1 divided by the square root of every element: NaN below 0, infinite at 0.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([4.0]).rsqrt().item(), 0.5);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn rsqrt(&self) -> Tensor<T> {
        each(self, |x| x.sqrt().recip())
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = 1 / sqrt(x)` of every element: NaN below 0, infinite at 0. Where no gradient comes back, none goes on, even there.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([4.0, 0.25]));
    /// assert_eq!(x.rsqrt().value().to_vec(), [0.5, 2.0]);
    /// assert_eq!(x.rsqrt().backward().wrt(&x).to_vec(), [-0.0625, -4.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn rsqrt(&self) -> Var<'t, T> {
        elementwise(self, Rsqrt)
    }
}

compiled!(|x: &Var<T>| x.rsqrt());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([4.0, 0.0])).rsqrt();
        assert_eq!(y.value().to_vec(), [0.5, f64::INFINITY]);
    }

    #[test]
    fn any_input() {
        assert_elementwise(Tensor::rsqrt, |x| x.rsqrt(), |x| 1.0 / x.sqrt());
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.rsqrt(), [random(&[3, 5], 0.3, 3.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, 0.2, 3.0)) {
            let y = Var::constant(x.clone()).rsqrt();
            let expected: Vec<f64> = x.iter().map(|x| x.powf(-0.5)).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
