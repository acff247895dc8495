//! `y = |x|`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Abs;

/// -1, 0 or 1; of what is not a number, that.
#[inline(always)]
pub(crate) fn sign<T: Scalar>(x: T) -> T {
    if x == T::zero() { T::lit(x.widen()) } else { x.signum() }
}

impl<T: Scalar> Op<T, 1> for Abs {
    const NAME: &'static str = "abs";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        (x.abs(), x.clone())
    }

    // dx = dy sign(x)
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.into_zip_with(&x, |dy, x| dy * sign(x)))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The absolute value of every element. Its slope at 0 is taken as 0, as in TensorFlow and PyTorch (JAX takes 1).
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([-3.0, 0.0, 2.0]));
    /// assert_eq!(x.abs().value().to_vec(), [3.0, 0.0, 2.0]);
    /// assert_eq!(x.abs().sum(..).backward().wrt(&x).to_vec(), [-1.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn abs(&self) -> Var<'t, T> {
        apply(Abs, [self])
    }
}

compiled!(|x: &Var<T>| x.abs());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-3.0, 0.0, 0.5])).abs();
        assert_close(y.value(), &Tensor::from([3.0, 0.0, 0.5]));
        assert!(sign(f64::NAN).is_nan());
    }

    #[test]
    fn gradient() {
        let away_from_0 = random(&[3, 5], -2.0, 2.0, 1, 0).map(|x| x + 0.01 * x.signum());
        gradcheck(|[x]| x.abs(), [away_from_0]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).abs();
            let expected: Vec<f64> = x.iter().map(|x| if x < 0.0 { -x } else { x }).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
