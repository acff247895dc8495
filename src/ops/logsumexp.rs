//! `y = ln(sum of exp(x))` over axes.
//!
//! It is computed as `m + ln(sum of exp(x - m))` with the maximum `m`, so that nothing overflows.

use super::{flowing, spread};
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Axes, Tensor, named};
use num_traits::{Float, Zero};

struct LogSumExp {
    axes: Vec<usize>,
}

impl<T: Scalar> Op<T, 1> for LogSumExp {
    const NAME: &'static str = "logsumexp";
    type Saved = (Tensor<T>, [Tensor<T>; 2]); // x, m and the rest of y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Self::Saved) {
        let [max, rest] = parts(x, &self.axes);
        (&max + &rest, (x.clone(), [max, rest]))
    }

    // dx = dy exp(x - y), and 0 where y is minus infinity. The maximum is taken first: the rest is small, and would be rounded away.
    fn backward(
        &self,
        (x, [max, rest]): Self::Saved,
        dy: Tensor<T>,
        _: [bool; 1],
    ) -> [Option<Tensor<T>>; 1] {
        let spread = |y: &Tensor<T>| spread(y, x.shape(), &self.axes);
        let share =
            |x: T, rest: T| (x - rest).exp().kept_if(rest > T::neg_infinity() || rest.is_nan());
        let shares = (&x - &spread(&max)).into_zip_with(&spread(&rest), share);
        [Some(shares.into_zip_with(&spread(&dy), |share, dy| flowing(dy, dy * share)))]
    }
}

/// `y` in two parts, whose sum it is: the maximum, or 0 in place of one that is infinite, and the rest.
fn parts<T: Scalar>(x: &Tensor<T>, axes: &[usize]) -> [Tensor<T>; 2] {
    let mut rests = Vec::new();
    let max = x.fold_rows(axes, &mut |row| {
        let max = row.iter().copied().fold(T::neg_infinity(), T::max);
        let max = if max.is_infinite() { T::zero() } else { max };
        let sum = row.iter().fold(T::Wide::zero(), |sum, &x| sum + (x - max).wide().exp());
        rests.push(T::narrow(sum.ln()));
        max
    });
    let rest = Tensor::new(max.shape(), rests);
    [max, rest]
}

impl<T: Scalar> Tensor<T> {
    /// `ln(sum of exp(x))` over axes, which disappear from the shape: without overflow, accumulated in `f64`. Of no elements, it is minus
    /// infinity; NaN where there is one.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1000.0, 1000.0], [0.0, f64::NEG_INFINITY]]);
    /// assert_eq!(x.logsumexp(1).to_vec(), [1000.0 + 2_f64.ln(), 0.0]);
    /// ```
    #[track_caller]
    pub fn logsumexp(&self, axes: impl Axes) -> Tensor<T> {
        let [max, rest] = parts(self, &named(axes, self.rank()));
        max + rest
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = ln(sum of exp(x))` over axes, which disappear from the shape: one axis, several (`[0, 2]`), or all (`..`). Nothing
    /// overflows. Of no elements, or where all are minus infinity, it is minus infinity, and has the gradient 0 (JAX has NaN). NaN
    /// where there is one.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1000.0, 1000.0]));
    /// assert_eq!(x.logsumexp(..).value().item(), 1000.0 + 2_f64.ln());
    /// assert!(x.logsumexp(..).backward().wrt(&x).all_close(&Tensor::from([0.5, 0.5]), 1e-15, 0.0));
    /// ```
    #[track_caller]
    pub fn logsumexp(&self, axes: impl Axes) -> Var<'t, T> {
        apply(LogSumExp { axes: named(axes, self.shape().rank()) }, [self])
    }
}

compiled!(|x: &Var<T>| (x.logsumexp(..), x.value().logsumexp(..)));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, assert_reduction, random, reduced, tensors};
    use proptest::prelude::*;

    fn by_definition(values: &[f64]) -> f64 {
        values.iter().map(|x| x.exp()).sum::<f64>().ln()
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[0.0, 3f64.ln()], [-1e4, -1e4]]));
        assert_close(x.logsumexp(1).value(), &Tensor::from([4f64.ln(), 2f64.ln() - 1e4]));
    }

    #[test]
    fn any_input() {
        let definition = |values: &[f64]| match values {
            // Without the rounding of an exponential.
            [one] => *one,
            // The special number 1e300, beside which the others are too small.
            [_, 1e300, _] => 1e300,
            _ => by_definition(values),
        };
        assert_reduction(
            |x, axes| x.logsumexp(axes),
            |x, axes| x.logsumexp(axes),
            definition,
            true,
        );
    }

    #[test]
    fn long_sums_keep_their_digits() {
        let n = 1 << 20;
        let mut values = vec![0.0f32; n];
        values[0] = 1.0;
        let right = (1.0f64.exp() + (n - 1) as f64).ln();
        let y = Tensor::new([n], values).logsumexp(0).item();
        assert!((f64::from(y) - right).abs() < 2e-6, "{y} and not {right}");
    }

    #[test]
    fn slopes_at_infinity() {
        let gradient = |values: [f64; 3]| {
            let tape = Tape::new();
            let x = tape.leaf(Tensor::from(values));
            x.logsumexp(..).backward().wrt(&x).to_vec()
        };
        assert_eq!(gradient([f64::NEG_INFINITY; 3]), [0.0; 3]);
        assert_eq!(gradient([f64::NEG_INFINITY, 2.0, f64::NEG_INFINITY]), [0.0, 1.0, 0.0]);
        let infinite = gradient([0.0, f64::INFINITY, 1.0]);
        assert!(infinite[0] == 0.0 && infinite[1].is_nan() && infinite[2] == 0.0);
        assert!(gradient([0.0, f64::NAN, 1.0]).iter().all(|dx| dx.is_nan()));
    }

    #[test]
    fn slopes_far_from_0_keep_their_digits() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::<f32>::full([2], 1e8));
        assert!(x.logsumexp(..).backward().wrt(&x).all_close(&Tensor::full([2], 0.5), 1e-6, 0.0));
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        gradcheck(|[x]| x.logsumexp(0), [x.clone()]).unwrap();
        gradcheck(|[x]| x.logsumexp([0, 2]), [x.clone()]).unwrap();
        gradcheck(|[x]| x.logsumexp(..), [x]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axes in 0usize..8) {
            let axes: Vec<usize> = (0..3).filter(|axis| axes >> axis & 1 == 1).collect();
            let expected = reduced(&x, &axes, by_definition);
            assert_close(Var::constant(x).logsumexp(&axes[..]).value(), &expected);
        }
    }
}
