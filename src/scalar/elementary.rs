//! Elementary functions for loops over many numbers.

use super::erfc::erfc;
use super::{Dual, Scalar};
use crate::simd::{self, Kernel, math};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// The functions that have a vector for `f32`, in `simd::math`, where their errors are stated. For `f64` they are those of the standard
/// library, and [`Dual`] numbers are computed from what they consist of.
///
/// The names are not those of `Float`, whose `exp` of an `f32` is a call of the C library.
pub trait Elementary: Sized {
    /// `exp(x)`
    #[doc(hidden)]
    fn vector_exp(self) -> Self;

    /// `exp(x) - 1`
    #[doc(hidden)]
    fn vector_exp_m1(self) -> Self;

    /// `ln(x)`
    #[doc(hidden)]
    fn vector_ln(self) -> Self;

    /// `ln(1 + x)`
    #[doc(hidden)]
    fn vector_ln_1p(self) -> Self;

    /// `tanh(x)`
    #[doc(hidden)]
    fn vector_tanh(self) -> Self;

    /// `1 / (1 + exp(-x))`
    #[doc(hidden)]
    fn logistic(self) -> Self;

    /// What the standard normal distribution has below `x`, and its density there.
    #[doc(hidden)]
    fn normal(self) -> [Self; 2];

    /// Runs a loop of such functions: for `f32` with the best instruction set of the machine. What calls the standard library is compiled
    /// once, for it gets no faster.
    #[doc(hidden)]
    fn dispatch<K: Kernel>(kernel: K) -> K::Output;
}

impl Elementary for f32 {
    #[inline(always)]
    fn vector_exp(self) -> Self {
        math::exp(self)
    }

    #[inline(always)]
    fn vector_exp_m1(self) -> Self {
        math::exp_m1(self)
    }

    #[inline(always)]
    fn vector_ln(self) -> Self {
        math::ln(self)
    }

    #[inline(always)]
    fn vector_ln_1p(self) -> Self {
        math::ln_1p(self)
    }

    #[inline(always)]
    fn vector_tanh(self) -> Self {
        math::tanh(self)
    }

    #[inline(always)]
    fn logistic(self) -> Self {
        math::logistic(self)
    }

    #[inline(always)]
    fn normal(self) -> [Self; 2] {
        math::normal(self)
    }

    #[inline(always)]
    fn dispatch<K: Kernel>(kernel: K) -> K::Output {
        simd::dispatch(kernel)
    }
}

impl Elementary for f64 {
    #[inline(always)]
    fn vector_exp(self) -> Self {
        self.exp()
    }

    #[inline(always)]
    fn vector_exp_m1(self) -> Self {
        self.exp_m1()
    }

    #[inline(always)]
    fn vector_ln(self) -> Self {
        self.ln()
    }

    #[inline(always)]
    fn vector_ln_1p(self) -> Self {
        self.ln_1p()
    }

    #[inline(always)]
    fn vector_tanh(self) -> Self {
        self.tanh()
    }

    #[inline(always)]
    fn logistic(self) -> Self {
        // Of two forms the one that does not overflow.
        let e = (-self.abs()).exp();
        (if self < 0.0 { e } else { 1.0 }) / (1.0 + e)
    }

    #[inline(always)]
    fn normal(self) -> [Self; 2] {
        let density = 0.5 * FRAC_1_SQRT_2 * FRAC_2_SQRT_PI;
        [0.5 * erfc(-self * FRAC_1_SQRT_2), density * (-0.5 * self * self).exp()]
    }

    #[inline(always)]
    fn dispatch<K: Kernel>(kernel: K) -> K::Output {
        simd::portable(kernel)
    }
}

impl<T: Scalar> Elementary for Dual<T> {
    #[inline(always)]
    fn vector_exp(self) -> Self {
        let y = self.value.vector_exp();
        self.chain(y, y)
    }

    #[inline(always)]
    fn vector_exp_m1(self) -> Self {
        let y = self.value.vector_exp_m1();
        self.chain(y, y + T::one())
    }

    #[inline(always)]
    fn vector_ln(self) -> Self {
        self.chain(self.value.vector_ln(), self.value.recip())
    }

    #[inline(always)]
    fn vector_ln_1p(self) -> Self {
        self.chain(self.value.vector_ln_1p(), (self.value + T::one()).recip())
    }

    #[inline(always)]
    fn vector_tanh(self) -> Self {
        let y = self.value.vector_tanh();
        self.chain(y, T::one() - y * y)
    }

    #[inline(always)]
    fn logistic(self) -> Self {
        let y = self.value.logistic();
        self.chain(y, y * (T::one() - y))
    }

    #[inline(always)]
    fn normal(self) -> [Self; 2] {
        let [share, density] = self.value.normal();
        // Far from 0, the density is 0, whatever it is multiplied by.
        let slope = (-self.value * density).kept_if(density > T::zero());
        [self.chain(share, density), self.chain(density, slope)]
    }

    #[inline(always)]
    fn dispatch<K: Kernel>(kernel: K) -> K::Output {
        simd::portable(kernel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_traits::{Float, One};

    type D = Dual<f64>;
    type Second = Dual<Dual<f64>>;

    /// Values, first and second derivatives against those of the functions of `Float`, and of the formulas.
    #[test]
    fn dual_numbers_carry_their_derivatives() {
        type Case = (&'static str, fn(Second) -> Second, fn(Second) -> Second);
        let one = Second::one;
        let cases: &[Case] = &[
            ("exp", Second::vector_exp, Second::exp),
            ("exp_m1", Second::vector_exp_m1, Second::exp_m1),
            ("ln", Second::vector_ln, Second::ln),
            ("ln_1p", Second::vector_ln_1p, Second::ln_1p),
            ("tanh", Second::vector_tanh, Second::tanh),
            ("logistic", Second::logistic, |x| Second::one() / (Second::one() + (-x).exp())),
            (
                "density",
                |x| x.normal()[1],
                |x| {
                    Second::lit((2.0 * std::f64::consts::PI).sqrt().recip())
                        * (-x * x * Second::lit(0.5)).exp()
                },
            ),
        ];
        for (name, of, expected) in cases {
            for at in [0.3, 1.7] {
                let x = Second::new(D::new(at, 1.0), one().value);
                let (y, expected) = (of(x), expected(x));
                let parts = |y: Second| [y.value.value, y.value.tangent, y.tangent.tangent];
                for (y, expected) in parts(y).into_iter().zip(parts(expected)) {
                    assert!((y - expected).abs() < 1e-13, "{name}({at}): {y} and {expected}");
                }
            }
        }
    }

    #[test]
    fn the_slope_of_the_share_is_the_density() {
        for at in [-2.0, -0.1, 0.0, 1.5] {
            let [share, density] = D::new(at, 1.0).normal();
            assert_eq!(share.tangent, density.value);
            let h = 1e-6;
            let slope = ((at + h).normal()[0] - (at - h).normal()[0]) / (2.0 * h);
            assert!((slope - density.value).abs() < 1e-9, "{at}");
        }
        let far = Dual::new(f32::MAX, 1.0).normal();
        assert_eq!((far[0].value, far[0].tangent, far[1].tangent), (1.0, 0.0, 0.0));
    }

    #[test]
    fn the_logistic_function_at_its_ends() {
        assert_eq!([f64::INFINITY, f64::NEG_INFINITY, 0.0].map(f64::logistic), [1.0, 0.0, 0.5]);
        assert!(f64::NAN.logistic().is_nan());
        assert_eq!((-800f64).logistic(), 0.0);
        assert!((-700f64).logistic() > 0.0);
    }
}
