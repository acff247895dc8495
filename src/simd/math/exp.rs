//! `exp(x)` and `exp(x) - 1`, from `exp(n ln 2 + r) = 2^n exp(r)` with `|r|` at most half of `ln 2`.

use super::{LN_2, limited, polynomial};

/// Added to a number and taken away again, it leaves the nearest integer, which stands in the last bits of the sum.
const ROUND: f32 = 1.5 * (1 << 23) as f32;

/// `(exp(r) - 1 - r) / r^2` where `|r| <= ln 2 / 2`: the relative error of what comes out of it as `exp(r) - 1` is at most 2^-26.
const REST: [f32; 5] = [0.5, 0.166_665_44, 0.041_667_2, 0.008_366_521, 0.001_388_252_1];

/// `exp(x)`: an error of up to 1.1 ulp.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    exp_of_sum(limited(x, -104.0, 89.0), None)
}

/// `exp(x + rest)` of an `x` from -104 to 89 and a `rest` so small that it is at most a few last digits of `x`.
#[inline(always)]
pub(super) fn exp_of_sum(x: f32, rest: Option<f32>) -> f32 {
    let (n, r) = reduced(x, rest);
    let half = n >> 1;
    // In two steps: 2^n alone may be too large for a number, or too small.
    (1.0 + less_1(r)) * power_of_2(half) * power_of_2(n.wrapping_sub(half))
}

/// `exp(x) - 1`: an error of up to 1.7 ulp.
#[inline(always)]
pub fn exp_m1(x: f32) -> f32 {
    let y = exp_m1_within(limited(x, -18.0, 89.0));
    // Also the zero of either sign, and numbers whose half has fewer digits.
    if x.abs() < f32::EPSILON / 4.0 { x } else { y }
}

/// `exp(x) - 1` of an `x` from -18 to 89, that is not too close to 0 below it.
#[inline(always)]
pub(super) fn exp_m1_within(x: f32) -> f32 {
    let (n, r) = reduced(x, None);
    // Half of all, for 2^128 is no number.
    let half = power_of_2(n.wrapping_sub(1));
    (half * less_1(r) + (half - 0.5)) * 2.0
}

/// `n` and `r` with `x + rest = n ln 2 + r`.
#[inline(always)]
fn reduced(x: f32, rest: Option<f32>) -> (i32, f32) {
    let sum = rest.map_or(x, |rest| x + rest);
    let shifted = sum * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let integer = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    (integer, rest.map_or(r, |rest| r + rest))
}

/// `exp(r) - 1` of an `r` from `-ln 2 / 2` to `ln 2 / 2`.
#[inline(always)]
fn less_1(r: f32) -> f32 {
    r + r * r * polynomial(REST, r)
}

/// `2^n` for an `n` from -126 to 127.
#[inline(always)]
fn power_of_2(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23) as u32)
}
