//! The logarithm of the hyperbolic cosine of differences.

use super::{Loss, over_samples, same_shape_with_axis};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::options::no_options;

/// Half the square of small differences, and in proportion to large ones, without a seam: the mean of `ln(cosh(p - y))` over the outputs of a sample.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Loss, Var};
/// let (y, p) = (Tensor::from([[1.0]]), Var::constant(Tensor::from([[-1.0]])));
/// assert!((LogCosh.per_sample(&y, &p).value().item() - 2f64.cosh().ln()).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct LogCosh;

no_options!(LogCosh = "LogCosh");

impl<T: Scalar> Loss<T> for LogCosh {
    fn name(&self) -> &str {
        "log_cosh"
    }

    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T> {
        // |x| + ln(1 + exp(-2 |x|)) - ln(2) does not overflow. Near 0 its parts cancel, but not those of
        // ln(1 + (exp(x) - 1)^2 / (2 exp(x))), which is the same.
        let (one, half) = (T::one(), T::lit(0.5));
        let x = predictions - Var::constant(targets.clone());
        let size = x.abs();
        let far = &size + size.affine(T::lit(-2.0), T::zero()).softplus();
        let far = far.affine(one, T::lit(-std::f64::consts::LN_2));
        let inside = x.clamp(-one, one);
        let near = (inside.expm1().square() * (-inside).exp()).affine(half, T::zero()).log1p();
        over_samples(&Var::select(&size.value().less(one), &near, &far))
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape_with_axis(targets, output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::Tape;

    /// Also where it is far below the rounding errors of 1, with the slope `tanh(x)`.
    #[test]
    fn all_digits_near_0_and_far_from_it() {
        for size in [1e-12f32, 1e-6, 1e-3, 0.1, 0.999_999, 1.0, 1.000_001, 5.0, 40.0, 1e4, 3e38] {
            for x in [size, -size] {
                let tape = Tape::new();
                let p = tape.leaf(Tensor::from([[x]]));
                let loss = LogCosh.per_sample(&Tensor::from([[0.0]]), &p);
                let (exact, value) = (f64::from(x).abs(), f64::from(loss.value().item()));
                let right = match exact {
                    ..1.0 => (2.0 * (exact / 2.0).sinh().powi(2)).ln_1p(),
                    _ => exact + (-2.0 * exact).exp().ln_1p() - std::f64::consts::LN_2,
                };
                let slope = f64::from(loss.backward().wrt(&p).item());
                let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.abs();
                assert!(close(value, right), "{x:e}: {value:e} and not {right:e}");
                assert!(close(slope, f64::from(x).tanh()), "{x:e}: the slope {slope:e}");
            }
        }
        let far = Var::constant(Tensor::from([[f32::INFINITY], [f32::NEG_INFINITY]]));
        let loss = LogCosh.per_sample(&Tensor::zeros([2, 1]), &far);
        assert_eq!(loss.value().to_vec(), [f32::INFINITY; 2]);
    }
}
