//! `ln(x)` and `ln(1 + x)`, from `ln(2^k (1 + f)) = k ln 2 + ln(1 + f)` with `1 + f` between the roots of 1/2 and of 2.

use super::{LN_2, polynomial};

/// `ln(1 + f) = 2 s + s R(s^2)` with `s = f / (2 + f)`: `R(z) / z`, with which the relative error is at most 2^-30.
const SERIES: [f32; 3] = [0.666_667_76, 0.399_775_74, 0.298_709_37];

/// The bits of the root of 1/2.
const ROOT: u32 = 0x3f35_04f3;

/// `ln(x)`: an error of up to 0.9 ulp. Minus infinity at 0, and no number below.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    // Denormal numbers have no exponent of their own.
    let denormal = x < f32::MIN_POSITIVE;
    let up = (1 << 25) as f32;
    let (scaled, shift) = if denormal { (x * up, 25.0) } else { (x, 0.0) };
    let y = of_parts(scaled, shift, None);
    special(x, x, y)
}

/// `ln(1 + x)`: an error of up to 0.9 ulp. Minus infinity at -1, and no number below.
#[inline(always)]
pub fn ln_1p(x: f32) -> f32 {
    let u = 1.0 + x;
    // What the sum lost.
    let part = u - 1.0;
    let lost = (1.0 - (u - part)) + (x - part);
    let y = of_parts(u, 0.0, Some(lost / u));
    // Also the zero of either sign.
    if x.abs() < f32::EPSILON / 4.0 { x } else { special(x, u, y) }
}

/// `ln(x / 2^shift) + rest` of a normal number above 0.
#[inline(always)]
fn of_parts(x: f32, shift: f32, rest: Option<f32>) -> f32 {
    let above = x.to_bits().wrapping_sub(ROOT);
    let k = (above as i32 >> 23) as f32 - shift;
    let f = f32::from_bits((above & 0x7f_ffff).wrapping_add(ROOT)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    // 2 s = f - s f, and s f = f^2 / 2 - s f^2 / 2.
    let square = 0.5 * f * f;
    let low = k * LN_2[1];
    let low = rest.map_or(low, |rest| low + rest);
    (s * (square + z * polynomial(SERIES, z)) + low) - square + f + k * LN_2[0]
}

/// The logarithm `y` of `u`, or what stands in its place where `u` has none. Infinity and NaN come from `x`.
#[inline(always)]
fn special(x: f32, u: f32, y: f32) -> f32 {
    let below = if u == 0.0 { f32::NEG_INFINITY } else { f32::NAN };
    let y = if u > 0.0 { y } else { below };
    if x < f32::INFINITY { y } else { x }
}
