//! `tanh(x) = (exp(2 x) - 1) / (exp(2 x) + 1)`.

use super::exp::exp_m1_within;
use super::limited;

/// `tanh(x)`: an error of up to 2.6 ulp.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    // Beyond 9.02, 1 is the nearest number.
    let e = exp_m1_within(2.0 * limited(x.abs(), 0.0, 9.5));
    (e / (e + 2.0)).copysign(x)
}
