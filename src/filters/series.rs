//! Filters of a series.

use super::correlate;
use crate::kernels::Padding;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

/// The means of `width` neighbours, centred: `y[t] = (x[t - 2] + x[t - 1] + x[t] + x[t + 1] + x[t + 2]) / 5` for a
/// width of 5. The result is as long as the series, and NaN at both ends where neighbours are missing, as R's
/// `roll_mean(x, width, align = "center", fill = NA)`. Of an even width, the larger half lies after `t`.
///
/// # Panics
/// When the series is no vector, or the width is 0.
///
/// ```
/// use cinta::{Tensor, filters};
/// let y = filters::moving_average(&Tensor::from([1.0_f32, 2.0, 6.0, 7.0]), 3);
/// assert!(y.at([0]).is_nan() && y.at([3]).is_nan());
/// assert!(y.slice(0, 1..3).all_close(&Tensor::from([3.0, 5.0]), 1e-6, 0.0));
/// ```
#[track_caller]
#[inline(never)]
pub fn moving_average<T: Scalar>(x: &Tensor<T>, width: usize) -> Tensor<T> {
    let n = length("moving_average", x);
    assert!(width > 0, "moving_average: a mean of 0 neighbours");
    let mut y = Tensor::full([n], T::nan()).to_vec();
    if width <= n {
        let filter = Tensor::full([width], T::lit(1.0 / width as f64));
        let before = (width - 1) / 2;
        let means = correlate(x, &filter, Padding::Valid).to_vec();
        y[before..before + means.len()].copy_from_slice(&means);
    }
    Tensor::new([n], y)
}

/// The first differences, `y[t] = x[t] - x[t - 1]`: large where the series grows. As long as the series; the first value,
/// which has none before it, is NaN, as in R's `x - lag(x)`. The filter is `f = (-1, 1)`: -1 at `s = -1`, 1 at
/// `s = 0`.
///
/// # Panics
/// When the series is no vector.
///
/// ```
/// use cinta::{Tensor, filters};
/// let y = filters::differences(&Tensor::from([1.0_f32, 4.0, 2.0]));
/// assert!(y.at([0]).is_nan());
/// assert_eq!(y.slice(0, 1..3).to_vec(), [3.0, -2.0]);
/// ```
#[track_caller]
#[inline(never)]
pub fn differences<T: Scalar>(x: &Tensor<T>) -> Tensor<T> {
    let n = length("differences", x);
    let mut y = Tensor::full([n], T::nan()).to_vec();
    if n > 1 {
        let filter = Tensor::new([2], vec![-T::one(), T::one()]);
        y[1..].copy_from_slice(&correlate(x, &filter, Padding::Valid).to_vec());
    }
    Tensor::new([n], y)
}

#[track_caller]
fn length<T: Scalar>(what: &str, x: &Tensor<T>) -> usize {
    assert!(x.rank() == 1, "{what}: a series is a vector [n], and the shape is {}", x.shape());
    x.shape()[0]
}

compiled!(|x: &Tensor<T>| (moving_average(x, 3), differences(x)));

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn definition(values in prop::collection::vec(-10.0f64..10.0, 0..20), width in 1usize..8) {
            let (n, x) = (values.len(), Tensor::new([values.len()], values.clone()));
            let (means, steps) = (moving_average(&x, width), differences(&x));
            prop_assert_eq!((means.shape()[0], steps.shape()[0]), (n, n));
            for t in 0..n {
                let (before, after) = ((width - 1) / 2, width / 2);
                let mean = (t >= before && t + after < n).then(|| {
                    values[t - before..=t + after].iter().sum::<f64>() / width as f64
                });
                match mean {
                    Some(mean) => prop_assert!((means.at([t]) - mean).abs() < 1e-12),
                    None => prop_assert!(means.at([t]).is_nan()),
                }
                if t > 0 {
                    prop_assert!((steps.at([t]) - (values[t] - values[t - 1])).abs() < 1e-12);
                } else {
                    prop_assert!(steps.at([t]).is_nan());
                }
            }
        }
    }

    #[test]
    fn a_missing_value_is_missing_in_what_it_gives() {
        let x = Tensor::from([1.0, f64::NAN, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let means = moving_average(&x, 3);
        let missing: Vec<bool> = means.iter().map(f64::is_nan).collect();
        assert_eq!(missing, [true, true, true, false, false, false, true]);
        let missing: Vec<bool> = differences(&means).iter().map(f64::is_nan).collect();
        assert_eq!(missing, [true, true, true, true, false, false, true]);
    }

    #[test]
    #[should_panic(expected = "moving_average: a series is a vector [n], and the shape is [2, 2]")]
    fn a_matrix_is_no_series() {
        moving_average(&Tensor::<f32>::zeros([2, 2]), 3);
    }
}
