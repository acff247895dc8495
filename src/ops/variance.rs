//! The variance over axes: `y = sum of (x - m)^2 / (n - ddof)` with the mean `m` of `n` values.

use super::spread;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Axes, Tensor, named};

struct Variance {
    axes: Vec<usize>,
    ddof: usize,
}

impl<T: Scalar> Op<T, 1> for Variance {
    const NAME: &'static str = "variance";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        (variance(x, &self.axes, self.ddof, &|variance| variance), x.clone())
    }

    // dx = dy 2 (x - m) / (n - ddof): the mean moves as well, but that changes nothing, because the x - m add up to 0
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let dy = dy * T::lit(2.0) / T::lit(freedom(&x, &self.axes, self.ddof));
        [Some(deviations(&x, &self.axes) * spread(&dy, x.shape(), &self.axes))]
    }
}

/// `x - m`.
pub(super) fn deviations<T: Scalar>(x: &Tensor<T>, axes: &[usize]) -> Tensor<T> {
    x - spread(&x.mean(axes), x.shape(), axes)
}

/// `n - ddof`, or 0.
pub(super) fn freedom<T: Scalar>(x: &Tensor<T>, axes: &[usize], ddof: usize) -> f64 {
    let count: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
    count.saturating_sub(ddof) as f64
}

/// `finish` of the variance, before that is rounded.
#[track_caller]
#[inline(never)]
pub(super) fn variance<T: Scalar>(
    x: &Tensor<T>,
    axes: &[usize],
    ddof: usize,
    finish: &dyn Fn(T::Wide) -> T::Wide,
) -> Tensor<T> {
    let freedom = T::Wide::lit(freedom(x, axes, ddof));
    deviations(x, axes).sum_squares(axes, &|sum| T::narrow(finish(sum / freedom)))
}

impl<T: Scalar> Tensor<T> {
    /// The variance over axes, which disappear from the shape: the sum of the squares of the distances from the mean, divided by the number
    /// of values less `ddof`. That is 0 for the variance of these values, NumPy's default, and 1 for that of what they are a sample
    /// of. NaN over no more values than `ddof`, unless the values differ: then it is infinite.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]]);
    /// assert_eq!(x.var(1, 1).to_vec(), [1.0, 0.0]);
    /// assert_eq!(x.var(1, 0).at([0]), 2.0 / 3.0);
    /// ```
    #[track_caller]
    pub fn var(&self, axes: impl Axes, ddof: usize) -> Tensor<T> {
        variance(self, &named(axes, self.rank()), ddof, &|variance| variance)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The variance over axes, which disappear from the shape: the sum of the squares of the distances from the mean, divided by the number
    /// of values less `ddof`, which is 0 for the variance of these values, and 1 for that of what they are a sample of.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 3.0]));
    /// assert_eq!(x.var(.., 1).value().item(), 1.0);
    /// assert_eq!(x.var(.., 1).backward().wrt(&x).to_vec(), [-1.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn var(&self, axes: impl Axes, ddof: usize) -> Var<'t, T> {
        apply(Variance { axes: named(axes, self.shape().rank()), ddof }, [self])
    }
}

compiled!(|x: &Var<T>| (x.var(.., 0), x.value().var(.., 0)));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, assert_reduction, random, reduced, tensors};
    use proptest::prelude::*;

    /// Of all pairs of values: without a mean.
    fn by_definition(values: &[f64], ddof: usize) -> f64 {
        let n = values.len() as f64;
        let pairs = values.iter().flat_map(|a| values.iter().map(move |b| (a - b) * (a - b)));
        pairs.sum::<f64>() / (2.0 * n) / values.len().saturating_sub(ddof) as f64
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 3.0], [2.0, 8.0]]));
        assert_close(x.var(1, 0).value(), &Tensor::from([1.0, 9.0]));
        assert_close(x.var(1, 1).value(), &Tensor::from([2.0, 18.0]));
    }

    #[test]
    fn any_input() {
        for ddof in [0, 1] {
            assert_reduction(
                |x, axes| x.var(axes, ddof),
                |x, axes| x.var(axes, ddof),
                |values| by_definition(values, ddof),
                true,
            );
        }
    }

    #[test]
    fn too_few_values() {
        let x = Tensor::from([[1.0], [2.0]]);
        assert!(x.var(1, 1).iter().all(f64::is_nan));
        assert_eq!(x.var(.., 2).item(), f64::INFINITY);
        assert_eq!(x.var(.., 7).item(), f64::INFINITY);
    }

    #[test]
    fn equal_values_have_the_variance_0() {
        assert_eq!(Tensor::<f32>::full([7, 3], 1e8 / 3.0).var(0, 0).to_vec(), [0.0; 3]);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        gradcheck(|[x]| x.var(0, 0), [x.clone()]).unwrap();
        gradcheck(|[x]| x.var([0, 2], 1), [x.clone()]).unwrap();
        gradcheck(|[x]| x.var(.., 2), [x]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axes in 0usize..8) {
            let axes: Vec<usize> = (0..3).filter(|axis| axes >> axis & 1 == 1).collect();
            let expected = reduced(&x, &axes, |values| by_definition(values, 0));
            assert_close(Var::constant(x).var(&axes[..], 0).value(), &expected);
        }
    }
}
