//! Elementary functions of `f32` that the compiler can make vectors of.
//!
//! Each is straight code over one number: the range is reduced, a polynomial does the rest, powers of 2 are made of bits, and what is
//! special is chosen at the end, without a branch. In a loop that [`dispatch`](super::dispatch) compiles, a vector takes as many numbers as it has lanes.
//! Nothing is fused (`a * b + c` rounds twice), so a number has the same result at each instruction set, at any place of a slice.
//!
//! The errors, in units of the last place (ulp) of the exact result, are bounds that the tests hold each function to; the ignored test `all_numbers` tries every `f32`.
//! Results that are too small for normal numbers become denormal ones, as in the standard library.

mod exp;
mod ln;
mod logistic;
mod normal;
#[cfg(test)]
mod oracle;
mod tanh;

pub use exp::{exp, exp_m1};
pub use ln::{ln, ln_1p};
pub use logistic::logistic;
pub use normal::normal;
pub use tanh::tanh;

/// The logarithm of 2 in two parts. The first has 15 digits, so that its products with exponents are exact.
const LN_2: [f32; 2] = [0.693_145_75, 1.428_606_8e-6];

/// `c[0] + c[1] x + c[2] x^2 ..`
#[inline(always)]
fn polynomial<const N: usize>(c: [f32; N], x: f32) -> f32 {
    let mut sum = c[N - 1];
    for k in (0..N - 1).rev() {
        sum = sum * x + c[k];
    }
    sum
}

/// `x`, but not below `low` nor above `high`; a NaN stays one.
#[inline(always)]
fn limited(x: f32, low: f32, high: f32) -> f32 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}
