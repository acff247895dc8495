//! The standard normal distribution, by its tail: `exp(-x^2 / 2) g(x)`, where `g` falls slowly from 1/2.

use super::exp::exp_of_sum;
use super::{limited, polynomial};

/// `g` as a quotient of polynomials, all of whose summands are positive: a relative error of at most 2^-27.
const TAIL: ([f32; 5], [f32; 6]) = (
    [0.5, 0.438_193_05, 0.183_159_59, 0.040_607_74, 0.004_112_52],
    [1.0, 1.674_271_1, 1.202_189_4, 0.469_271_15, 0.101_794_99, 0.010_308_439],
);

/// `1 / sqrt(2 pi)`
const DENSITY: f32 = 0.398_942_3;

/// What the standard normal distribution has below `x`, and its density there: errors of up to 7.7 (far in the lower tail) and 2.2 ulp.
#[inline(always)]
pub fn normal(x: f32) -> [f32; 2] {
    // Beyond that is less than half of the smallest number.
    let far = limited(x.abs(), 0.0, 14.4);
    // The square in two parts, the first of a number with so few digits that it is exact.
    let coarse = f32::from_bits(far.to_bits() & !0xfff);
    let rest = (far - coarse) * (far + coarse);
    let e = exp_of_sum(-0.5 * coarse * coarse, Some(-0.5 * rest));
    let tail = e * (polynomial(TAIL.0, far) / polynomial(TAIL.1, far));
    [if x < 0.0 { tail } else { 1.0 - tail }, DENSITY * e]
}
