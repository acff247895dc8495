//! The error function `y = 2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to `x`, element by element.

use super::{Elementwise, each, elementwise, flowing};
use crate::autograd::Var;
use crate::scalar::erf;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;
use std::f64::consts::FRAC_2_SQRT_PI;

struct Erf;

impl<T: Scalar> Elementwise<T> for Erf {
    fn name(&self) -> &'static str {
        "erf"
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.erf()
    }

    // dx = dy 2 / sqrt(pi) exp(-x^2)
    fn backward(&self, x: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        let slope = |x: T| T::lit(FRAC_2_SQRT_PI) * (-x * x).exp();
        dy.into_zip_with(x, |dy, x| flowing(dy, dy * slope(x)))
    }
}

impl<T: Scalar> Tensor<T> {
    /// The error function of every element: 2 / sqrt(pi) times the integral of `exp(-t^2)` from 0 to it, which is the share of a normal
    /// distribution with variance 1/2 between `-x` and `x`.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert!((Tensor::from([1.0]).erf().item() - 0.842_700_792_949_714_9_f64).abs() < 1e-15);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn erf(&self) -> Tensor<T> {
        each(self, |x| T::narrow(erf(x.wide())))
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The error function of every element: 2 / sqrt(pi) times the integral of `exp(-t^2)` from 0 to it.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0, f64::INFINITY]));
    /// assert_eq!(x.erf().value().to_vec(), [0.0, 1.0]);
    /// assert_eq!(x.erf().backward().wrt(&x).to_vec(), [std::f64::consts::FRAC_2_SQRT_PI, 0.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn erf(&self) -> Var<'t, T> {
        elementwise(self, Erf)
    }
}

compiled!(|x: &Var<T>| x.erf());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-1.0, 0.0, 2.0])).erf();
        let expected = [-0.842_700_792_949_714_9, 0.0, 0.995_322_265_018_952_7];
        assert_close(y.value(), &Tensor::from(expected));
    }

    #[test]
    fn any_input() {
        assert_elementwise(
            Tensor::erf,
            |x| x.erf(),
            |x| if x.abs() > 6.0 { x.signum() } else { by_series(x) },
        );
    }

    /// erf(x) = 2 / sqrt(pi) (x - x^3 / 3 + x^5 / (2! 5) - x^7 / (3! 7) ..)
    fn by_series(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..120 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * FRAC_2_SQRT_PI
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.erf(), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).erf();
            let expected: Vec<f64> = x.iter().map(by_series).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
