//! `y = x P(x)`, element by element, where `P(x)` is the share of the standard normal distribution below `x`.
//!
//! `P(x)` is computed by its tail, so that a negative `x` keeps its digits. The approximation (Hendrycks and Gimpel, 2016) is
//! `P(x) = (1 + tanh(u)) / 2` with `u = sqrt(2 / pi) (x + 0.044715 x^3)`, which is computed as `1 / (1 + exp(-2 u))`.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Tensor, pointwise};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

struct Gelu {
    approximate: bool,
}

/// `sqrt(2 / pi)`
const SCALE: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
const CUBIC: f64 = 0.044_715;

/// Approximately `P(x)`.
#[inline(always)]
fn nearly<T: Scalar>(x: T) -> T {
    (T::lit(2.0 * SCALE) * (x + T::lit(CUBIC) * x * x * x)).logistic()
}

pointwise!(Value = |x| x * x.normal()[0]);
pointwise!(
    Slope = |dy, x| {
        let [share, density] = x.normal();
        // Far from 0 the density is 0, whatever it is multiplied by.
        dy * (share + (x * density).kept_if(density > T::zero()))
    }
);
pointwise!(NearlyValue = |x| x * nearly(x));
pointwise!(
    NearlySlope = |dy, x| {
        let share = nearly(x);
        let rest = share * (T::one() - share);
        let slope = rest * T::lit(2.0 * SCALE) * (T::one() + T::lit(3.0 * CUBIC) * x * x);
        dy * (share + (x * slope).kept_if(rest > T::zero()))
    }
);

impl<T: Scalar> Op<T, 1> for Gelu {
    const NAME: &'static str = "gelu";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let y = match self.approximate {
            false => x.map_pointwise(Value),
            true => x.map_pointwise(NearlyValue),
        };
        (y, x.clone())
    }

    // dx = dy (P(x) + x P'(x))
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(match self.approximate {
            false => dy.zip_pointwise(&x, Slope),
            true => dy.zip_pointwise(&x, NearlySlope),
        })]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The Gaussian error linear unit `y = x P(x)` of every element, where `P(x)` is the share of the standard normal
    /// distribution below `x` (Hendrycks and Gimpel, 2016). `approximate` is the same with a hyperbolic tangent:
    /// `y = x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0]));
    /// assert!((x.gelu(false).value().item() - 0.841_344_746_068_543_f64).abs() < 1e-15);
    /// assert!((x.gelu(true).value().item() - 0.841_191_990_608_276_f64).abs() < 1e-15);
    /// assert!((x.gelu(false).sum(..).backward().wrt(&x).item() - 1.083_315_470_587_687_f64).abs() < 1e-15);
    /// ```
    #[track_caller]
    pub fn gelu(&self, approximate: bool) -> Var<'t, T> {
        apply(Gelu { approximate }, [self])
    }
}

compiled!(|x: &Var<T>| x.gelu(false));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([0.0, 2.0, -2.0, -10.0, 1e3, -1e200]));
        let expected = Tensor::from([
            0.0,
            1.954_499_736_103_642,
            -0.045_500_263_896_358,
            -7.619_853_024_160_527e-23,
            1e3,
            0.0,
        ]);
        assert!(x.gelu(false).value().all_close(&expected, 1e-12, 0.0), "{:?}", x.gelu(false));
        let nearly = x.gelu(true).into_value();
        assert!(nearly.all_close(&expected, 0.0, 5e-4), "{nearly:?}");
    }

    #[test]
    fn the_slope_far_from_0_is_a_number() {
        for approximate in [false, true] {
            let tape = Tape::new();
            let x = tape.leaf(Tensor::<f32>::from([-1e30, 1e30, -20.0]));
            let dx = x.gelu(approximate).sum(..).backward().wrt(&x);
            assert_eq!(dx.to_vec(), [0.0, 1.0, 0.0]);
        }
    }

    #[test]
    fn gradient() {
        for approximate in [false, true] {
            let x = random(&[3, 5], -3.0, 3.0, 1, 0);
            gradcheck(|[x]| x.gelu(approximate), [x]).unwrap();
        }
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).gelu(true);
            let tanh = |x: f64| ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh();
            let expected: Vec<f64> = x.iter().map(|x| 0.5 * x * (1.0 + tanh(x))).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
            // erf(z) = 2 / sqrt(pi) (z - z^3 / 3 + z^5 / (2! 5) - z^7 / (3! 7) ..)
            let erf = |z: f64| {
                let (mut term, mut sum) = (z, z);
                for n in 1..80 {
                    term *= -z * z / f64::from(n);
                    sum += term / f64::from(2 * n + 1);
                }
                sum * FRAC_2_SQRT_PI
            };
            let y = Var::constant(x.clone()).gelu(false);
            let expected: Vec<f64> = x.iter().map(|x| 0.5 * x * (1.0 + erf(x / 2f64.sqrt()))).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
