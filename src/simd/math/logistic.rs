//! `1 / (1 + exp(-x))`.

use super::exp;

/// `1 / (1 + exp(-x))`: an error of up to 2.5 ulp. Where it is small it is `exp(x) / (1 + exp(x))`, and nothing overflows.
#[inline(always)]
pub fn logistic(x: f32) -> f32 {
    let e = exp(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}
