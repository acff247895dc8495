//! Random zeros against their definition.

use super::super::mask::drop_out;
use super::at_each_level;
use crate::scalar::Scalar;
use crate::simd;
use crate::tensor::testing::{Draw, LAYOUTS, SIZES, laid_out, pairs, read};
use crate::tensor::{Order, Stream, Tensor};

fn streams(samples: usize) -> impl Iterator<Item = Stream> {
    (0..samples as u64).map(|sample| Stream::new(7).fork(sample))
}

/// Value `place` of a sample, after dropout.
fn dropped<T: Scalar>(x: T, sample: usize, place: usize, rate: f64) -> T {
    let keys = Stream::new(7).fork(sample as u64).word_keys();
    let fraction = f64::from(Stream::word(keys, place as u32)) / 2f64.powi(32);
    if fraction >= rate { x * T::lit(1.0 / (1.0 - rate)) } else { T::zero() }
}

fn check<T: Scalar>() {
    let rates = [0.0, 0.25, 1.0 / 3.0, 0.5, 0.9, 1.0 - 1e-6];
    for case in pairs(1, [SIZES.len(), SIZES.len(), rates.len(), LAYOUTS]) {
        let (samples, places, rate) = (SIZES[case[0]], SIZES[case[1]], rates[case[2]]);
        let mut values = Draw::new(places as u64).fractions::<T>(samples * places * 2);
        // What is dropped is 0, and what is kept stays, whatever it was.
        (0..values.len()).step_by(5).for_each(|i| values[i] = T::infinity());
        let expected: Vec<T> = (0..values.len())
            .map(|i| dropped(values[i], i / (2 * places), i % (2 * places), rate))
            .collect();
        let x = laid_out([samples, places, 2], &values, case[3]);
        at_each_level(|| {
            let y = drop_out(&x, streams(samples), rate);
            assert_eq!((y.shape(), y.order()), (x.shape(), x.order()));
            assert_eq!(read(&y), expected, "{case:?} {}", simd::instruction_set());
        });
    }
}

#[test]
fn each_value_has_a_word_of_its_own() {
    check::<f32>();
    check::<f64>();
}

#[test]
fn a_word_that_reaches_the_rate_survives() {
    let word = f64::from(Stream::word(Stream::new(7).fork(0).word_keys(), 0));
    for innermost in [false, true] {
        let x = Tensor::<f64>::full([3, 2], 1.0);
        let x = if innermost { x.in_order(Order::Innermost) } else { x };
        let survives = |rate: f64| drop_out(&x, streams(3), rate).at([0, 0]) != 0.0;
        assert!(survives(word / 2f64.powi(32)));
        assert!(!survives((word + 0.5) / 2f64.powi(32)) && !survives((word + 1.0) / 2f64.powi(32)));
    }
    // A NaN is dropped like any other value.
    let y = drop_out(&Tensor::full([2, 500], f32::NAN), streams(2), 0.5);
    assert!(y.iter().all(|y| y.is_nan() || y.to_bits() == 0));
    let kept = y.iter().filter(|y| y.is_nan()).count();
    assert!((400..600).contains(&kept), "{kept} of 1000");
    assert!(drop_out(&Tensor::<f32>::zeros([0, 3]), streams(0), 0.5).is_empty());
}
