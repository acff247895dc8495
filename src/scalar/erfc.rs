//! The error function, `erf(x)`: what the normal distribution with variance 1/2 has between `-x` and `x`. And its complement,
//! `erfc(x) = 1 - erf(x)`: twice what it has beyond `x`.
//!
//! W. J. Cody, *Rational Chebyshev approximations for the error function*, Mathematics of Computation 23, 1969: one quotient of
//! polynomials up to 0.46875, one up to 4, and one in `1 / x^2` beyond. The coefficients are those of his program CALERF.

use super::Scalar;

const NEAR: ([f64; 5], [f64; 5]) = (
    [
        1.857_777_061_846_031_5e-1,
        3.161_123_743_870_565_5,
        1.138_641_541_510_501_6e2,
        3.774_852_376_853_02e2,
        3.209_377_589_138_469_4e3,
    ],
    [
        1.0,
        2.360_129_095_234_412_2e1,
        2.440_246_379_344_441_7e2,
        1.282_616_526_077_372_3e3,
        2.844_236_833_439_171e3,
    ],
);

const MIDDLE: ([f64; 9], [f64; 9]) = (
    [
        2.153_115_354_744_038_3e-8,
        5.641_884_969_886_701e-1,
        8.883_149_794_388_377,
        6.611_919_063_714_163e1,
        2.986_351_381_974_001e2,
        8.819_522_212_417_69e2,
        1.712_047_612_634_070_7e3,
        2.051_078_377_826_071_6e3,
        1.230_339_354_797_997_2e3,
    ],
    [
        1.0,
        1.574_492_611_070_983_5e1,
        1.176_939_508_913_125e2,
        5.371_811_018_620_099e2,
        1.621_389_574_566_690_3e3,
        3.290_799_235_733_459_7e3,
        4.362_619_090_143_247e3,
        3.439_367_674_143_721_6e3,
        1.230_339_354_803_749_3e3,
    ],
);

const FAR: ([f64; 6], [f64; 6]) = (
    [
        1.631_538_713_730_209_7e-2,
        3.053_266_349_612_323_6e-1,
        3.603_448_999_498_044_5e-1,
        1.257_817_261_112_292_6e-1,
        1.608_378_514_874_228e-2,
        6.587_491_615_298_378e-4,
    ],
    [
        1.0,
        2.568_520_192_289_822,
        1.872_952_849_923_467_1,
        5.279_051_029_514_285e-1,
        6.051_834_131_244_132e-2,
        2.335_204_976_268_691_8e-3,
    ],
);

/// The quotient of two polynomials, whose coefficients come from the highest power down.
#[inline(always)]
fn quotient<W: Scalar, const N: usize>((above, below): &([f64; N], [f64; N]), x: W) -> W {
    let polynomial = |coefficients: &[f64; N]| {
        coefficients.iter().fold(W::zero(), |sum, &c| sum * x + W::lit(c))
    };
    polynomial(above) / polynomial(below)
}

/// Up to where the first quotient serves.
const NEAR_UP_TO: f64 = 0.46875;

/// `erf(x)`, to 15 digits of its own, however small it is.
pub(crate) fn erf<W: Scalar>(x: W) -> W {
    if x.abs() <= W::lit(NEAR_UP_TO) {
        x * quotient(&NEAR, x * x)
    } else if x < W::zero() {
        erfc(-x) - W::one()
    } else {
        W::one() - erfc(x)
    }
}

/// `1 - erf(x)`, to 15 digits of its own, however small it is.
pub(super) fn erfc<W: Scalar>(x: W) -> W {
    let (lit, one) = (W::lit, W::one());
    let far = x.abs();
    if far <= lit(NEAR_UP_TO) {
        return one - x * quotient(&NEAR, x * x);
    }
    let beyond = if far <= lit(4.0) {
        quotient(&MIDDLE, far) * exp_of_minus_square(far)
    } else if far < lit(27.0) {
        let z = one / (far * far);
        let sqrt_pi = lit(std::f64::consts::FRAC_2_SQRT_PI / 2.0); // 1 / sqrt(pi)
        (sqrt_pi - z * quotient(&FAR, z)) / far * exp_of_minus_square(far)
    } else if far.is_nan() {
        far
    } else {
        W::zero()
    };
    if x < W::zero() { lit(2.0) - beyond } else { beyond }
}

/// `exp(-x^2)` from two parts of the square, the first of which is exact: that of a number with few digits.
fn exp_of_minus_square<W: Scalar>(x: W) -> W {
    let coarse = (x * W::lit(16.0)).floor() / W::lit(16.0);
    (-coarse * coarse).exp() * (-(x - coarse) * (x + coarse)).exp()
}

#[cfg(test)]
mod tests {
    use super::{erf, erfc};

    /// From C's library.
    #[test]
    fn known_values() {
        for (x, expected) in [
            (0.0f64, 1.0f64),
            (0.3, 0.671_373_240_540_872_6),
            (0.47, 0.506_254_949_113_917_9),
            (-1.0, 1.842_700_792_949_715),
            (2.0, 0.004_677_734_981_047_265),
            (5.0, 1.537_459_794_428_035_1e-12),
            (10.0, 2.088_487_583_762_545e-45),
            (28.0, 0.0),
            (-40.0, 2.0),
        ] {
            let error = (erfc(x) - expected).abs();
            assert!(error <= 1e-15 * expected, "erfc({x}) = {} and not {expected}", erfc(x));
        }
        assert_eq!((erfc(f64::INFINITY), erfc(f64::NEG_INFINITY)), (0.0, 2.0));
        assert!(erfc(f64::NAN).is_nan());
    }

    /// From C's library.
    #[test]
    fn known_values_of_erf() {
        for (x, expected) in [
            (0.0f64, 0.0f64),
            (1e-300, 1.128_379_167_095_512_6e-300),
            (-1e-9, -1.128_379_167_095_512_6e-9),
            (0.3, 0.328_626_759_459_127_4),
            (-0.47, -0.493_745_050_886_082_1),
            (1.0, 0.842_700_792_949_714_9),
            (-2.5, -0.999_593_047_982_555),
            (7.0, 1.0),
            (f64::NEG_INFINITY, -1.0),
        ] {
            let error = (erf(x) - expected).abs();
            assert!(error <= 1e-15 * expected.abs(), "erf({x}) = {}, not {expected}", erf(x));
        }
        assert!(erf(f64::NAN).is_nan());
        assert!(erf(-0.0f64).is_sign_negative());
    }

    /// The integral from `x` on, by Simpson's rule: independent of Cody's coefficients, and across the seams at 0.46875 and 4.
    #[test]
    fn is_the_integral() {
        let density = |t: f64| std::f64::consts::FRAC_2_SQRT_PI * (-t * t).exp();
        for x in [-3.9, -0.5, 0.1, 0.46, 0.48, 1.7, 3.99, 4.01, 5.5] {
            let steps = 4000;
            let h = (10.0 - x) / f64::from(steps);
            let weight = |i: i32| match i {
                0 => 1.0,
                i if i == steps => 1.0,
                i if i % 2 == 1 => 4.0,
                _ => 2.0,
            };
            let integral: f64 =
                (0..=steps).map(|i| weight(i) * density(x + h * f64::from(i))).sum();
            let integral = integral * h / 3.0;
            assert!((erfc(x) / integral - 1.0).abs() < 1e-9, "{x}: {} and {integral}", erfc(x));
        }
    }
}
