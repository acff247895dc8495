//! The functions against those of the standard library in `f64`, and against themselves in vectors.

use super::{exp, exp_m1, ln, ln_1p, logistic, normal, tanh};
use crate::simd::testing::at_each_level;
use crate::simd::{Kernel, Simd, dispatch, instruction_set};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

type Case = (&'static str, fn(f32) -> f32, fn(f64) -> f64, f64);

/// Each function, the same in `f64`, and the largest error in units of the last place.
const CASES: [Case; 8] = [
    ("exp", |x| exp(x), f64::exp, 1.1),
    ("exp_m1", |x| exp_m1(x), f64::exp_m1, 1.7),
    ("ln", |x| ln(x), f64::ln, 0.9),
    ("ln_1p", |x| ln_1p(x), f64::ln_1p, 0.9),
    ("tanh", |x| tanh(x), f64::tanh, 2.6),
    ("logistic", |x| logistic(x), |x| 1.0 / (1.0 + (-x).exp()), 2.5),
    ("normal", |x| normal(x)[0], tail, 7.7),
    ("density", |x| normal(x)[1], |x| density() * (-0.5 * x * x).exp(), 2.2),
];

fn density() -> f64 {
    0.5 * FRAC_1_SQRT_2 * FRAC_2_SQRT_PI
}

/// The normal distribution below `x`: near 0 the series of the error function, beyond it the continued fraction of the tail.
fn tail(x: f64) -> f64 {
    let far = x.abs();
    if far.is_nan() || far < 3.0 {
        // sum of x^(2n+1) / (1 3 5 .. (2n+1)), times the density
        let (mut term, mut sum, mut odd) = (x, x, 1.0);
        while term.abs() > 1e-17 * sum.abs() {
            odd += 2.0;
            term *= x * x / odd;
            sum += term;
        }
        return 0.5 + sum * density() * (-0.5 * x * x).exp();
    }
    if far > 20.0 {
        return if x < 0.0 { 0.0 } else { 1.0 };
    }
    let fraction = (1..=60).rev().fold(far, |below, n| far + f64::from(n) / below);
    let beyond = density() * (-0.5 * x * x).exp() / fraction;
    if x < 0.0 { beyond } else { 1.0 - beyond }
}

/// The distance of neighbouring `f32` numbers at `y`.
fn ulp(y: f64) -> f64 {
    let exponent = y.abs().max(f64::from(f32::MIN_POSITIVE)).log2().floor();
    (exponent - 23.0).exp2()
}

/// The largest error over every `step`-th number, and where it is. What is no number, infinite or 0 is so exactly, but that a result may
/// be the smallest number in place of 0, or infinite where the exact one is the largest number.
fn worst((name, of, expected, _): Case, step: usize) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    for bits in (0..=u32::MAX).step_by(step) {
        let x = f32::from_bits(bits);
        let (y, exact) = (of(x), expected(f64::from(x)));
        let rounded = exact as f32;
        if y.to_bits() == rounded.to_bits() || (y.is_nan() && rounded.is_nan()) {
            continue;
        }
        let next = |a: f32, b: f32| a.to_bits().abs_diff(b.to_bits()) <= 1;
        if y.is_finite() && rounded.is_finite() {
            let error = (f64::from(y) - exact).abs() / ulp(exact);
            if error > worst.0 {
                worst = (error, x);
            }
            let zero = rounded == 0.0 && exact != 0.0;
            assert!(rounded != 0.0 || zero && next(y, rounded), "{name}({x:e}) is {y:e}");
        } else {
            assert!(next(y, rounded), "{name}({x:e}) is {y:e} and not {rounded:e}");
        }
    }
    worst
}

/// Every 100 003rd number.
#[test]
fn errors_are_as_small_as_stated() {
    for case in CASES {
        let (error, at) = worst(case, 100_003);
        assert!(error <= case.3, "{}({at:e}): {error} ulp", case.0);
    }
}

/// `cargo test --release --lib -- --ignored --nocapture all_numbers`, or `all_numbers::exp` for one of them.
mod all_numbers {
    use super::{CASES, worst};

    macro_rules! all_numbers_of {
        ($($function:ident)*) => {
            $(
                #[test]
                #[ignore = "takes minutes in a release build"]
                fn $function() {
                    let name = stringify!($function);
                    let case = CASES.into_iter().find(|case| case.0 == name).expect("a case");
                    let (error, at) = worst(case, 1);
                    println!("{name}: {error:.3} ulp at {at:e}");
                    assert!(error <= case.3, "{name}({at:e}): {error} ulp");
                }
            )*
        };
    }

    all_numbers_of!(exp exp_m1 ln ln_1p tanh logistic normal density);
}

/// As the standard library has them, zeros with their signs.
#[test]
fn special_numbers() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let tiny = f32::from_bits(1);
    let same = |name: &str, y: f32, expected: f32| {
        let equal = y.to_bits() == expected.to_bits() || y.is_nan() && expected.is_nan();
        assert!(equal, "{name}: {y:e} and not {expected:e}");
    };
    for x in [0.0, -0.0, inf, -inf, nan, -nan, tiny, -tiny, 1e-40, -1e-40, 1.0, -1.0] {
        // With a step inside of a unit of the last place where they are no exact values.
        let near = |name: &str, y: f32, expected: f32| {
            let close = (y - expected).abs() <= 2.0 * f32::EPSILON * expected.abs();
            same(name, if close { expected } else { y }, expected);
        };
        near("exp", exp(x), x.exp());
        near("ln", ln(x), x.ln());
        near("tanh", tanh(x), x.tanh());
        near("exp_m1", exp_m1(x), x.exp_m1());
        near("ln_1p", ln_1p(x), x.ln_1p());
        if x == 0.0 || x.abs() < 1e-30 {
            for (name, y) in [("tanh", tanh(x)), ("exp_m1", exp_m1(x)), ("ln_1p", ln_1p(x))] {
                same(name, y, x);
            }
        }
    }
    // Overflow, the last number before it, denormal results, and the last before 0.
    same("exp", exp(88.73), inf);
    assert!(exp(88.72).is_finite() && exp(88.72) > 3.3e38);
    same("exp", exp(-104.0), 0.0);
    same("exp", exp(-103.5), (-103.5f32).exp());
    assert!(exp(-90.0) > 0.0 && exp(-90.0) < f32::MIN_POSITIVE);
    same("exp_m1", exp_m1(-100.0), -1.0);
    same("exp_m1", exp_m1(89.0), inf);
    same("ln", ln(-1e-45), nan);
    same("ln_1p", ln_1p(-1.5), nan);
    same("tanh", tanh(20.0), 1.0);
    for (x, expected) in [(inf, 1.0), (-inf, 0.0), (0.0, 0.5), (-0.0, 0.5), (nan, nan)] {
        same("logistic", logistic(x), expected);
        same("normal", normal(x)[0], expected);
    }
    same("logistic", logistic(-200.0), 0.0);
    same("density", normal(-inf)[1], 0.0);
}

/// All of them in one loop that can become vectors.
struct All<'a>(&'a [f32]);

impl Kernel for All<'_> {
    type Output = Vec<u32>;
    #[inline(always)]
    fn run<S: Simd>(self) -> Vec<u32> {
        let mut y = vec![0.0; 7 * self.0.len()];
        for (y, x) in y.chunks_exact_mut(7 * 16).zip(self.0.chunks_exact(16)) {
            for k in 0..16 {
                let x = x[k];
                y[k] = exp(x);
                y[16 + k] = exp_m1(x);
                y[32 + k] = ln(x);
                y[48 + k] = ln_1p(x);
                y[64 + k] = tanh(x);
                y[80 + k] = logistic(x);
                y[96 + k] = normal(x)[0];
            }
        }
        y.into_iter().map(f32::to_bits).collect()
    }
}

#[test]
fn the_same_bits_at_each_level() {
    // Among them infinities, but no NaN, whose bits nobody promises.
    let bits = (0..=u32::MAX).step_by(1_000_003).map(f32::from_bits).filter(|x| !x.is_nan());
    let mut x: Vec<f32> = bits.chain((0..4096).map(|i| i as f32 / 64.0 - 32.0)).collect();
    x.truncate(x.len() / 16 * 16);
    let one_by_one: [fn(f32) -> f32; 7] = [
        |x| exp(x),
        |x| exp_m1(x),
        |x| ln(x),
        |x| ln_1p(x),
        |x| tanh(x),
        |x| logistic(x),
        |x| normal(x)[0],
    ];
    let known: Vec<Vec<u32>> =
        one_by_one.iter().map(|f| x.iter().map(|&x| f(x).to_bits()).collect()).collect();
    at_each_level(|| {
        let vectors = dispatch(All(&x));
        for (block, y) in vectors.chunks_exact(7 * 16).enumerate() {
            for (f, y) in y.chunks_exact(16).enumerate() {
                for (k, &y) in y.iter().enumerate() {
                    let (at, expected) = (x[block * 16 + k], known[f][block * 16 + k]);
                    let both_nan = f32::from_bits(y).is_nan() && f32::from_bits(expected).is_nan();
                    assert!(y == expected || both_nan, "{f} of {at:e}, {}", instruction_set());
                }
            }
        }
    });
}
