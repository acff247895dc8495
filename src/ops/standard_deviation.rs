//! The standard deviation over axes: `y = sqrt(sum of (x - m)^2 / (n - ddof))` with the mean `m` of `n` values.

use super::spread;
use super::variance::{deviations, freedom, variance};
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Axes, Tensor, named};
use num_traits::Float;

struct StandardDeviation {
    axes: Vec<usize>,
    ddof: usize,
}

impl<T: Scalar> Op<T, 1> for StandardDeviation {
    const NAME: &'static str = "standard_deviation";
    type Saved = (Tensor<T>, Tensor<T>); // x, y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Self::Saved) {
        let y = variance(x, &self.axes, self.ddof, &T::Wide::sqrt);
        (y.clone(), (x.clone(), y))
    }

    // dx = dy (x - m) / ((n - ddof) y), and 0 where y is
    fn backward(&self, (x, y): Self::Saved, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let freedom = T::lit(freedom(&x, &self.axes, self.ddof));
        let by_variance = |dy: T, y: T| (dy / (freedom * y)).kept_if(y != T::zero());
        let dy = dy.into_zip_with(&y, by_variance);
        [Some(deviations(&x, &self.axes) * spread(&dy, x.shape(), &self.axes))]
    }
}

impl<T: Scalar> Tensor<T> {
    /// The standard deviation over axes, which disappear from the shape: the square root of the [variance](Self::var).
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 5.0], [4.0, 4.0]]).std(1, 0).to_vec(), [2.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn std(&self, axes: impl Axes, ddof: usize) -> Tensor<T> {
        variance(self, &named(axes, self.rank()), ddof, &T::Wide::sqrt)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The standard deviation over axes, which disappear from the shape: the square root of the [variance](Self::var). Where all values are
    /// equal, its slope is taken as 0, as in PyTorch (JAX has NaN there).
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 5.0], [4.0, 4.0]]));
    /// assert_eq!(x.std(1, 0).value().to_vec(), [2.0, 0.0]);
    /// assert_eq!(x.std(1, 0).backward().wrt(&x).to_vec(), [-0.5, 0.5, 0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn std(&self, axes: impl Axes, ddof: usize) -> Var<'t, T> {
        apply(StandardDeviation { axes: named(axes, self.shape().rank()), ddof }, [self])
    }
}

compiled!(|x: &Var<T>| (x.std(.., 0), x.value().std(.., 0)));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, assert_reduction, random, reduced, tensors};
    use proptest::prelude::*;

    fn by_definition(values: &[f64], ddof: usize) -> f64 {
        let n = values.len() as f64;
        let pairs = values.iter().flat_map(|a| values.iter().map(move |b| (a - b) * (a - b)));
        (pairs.sum::<f64>() / (2.0 * n) / values.len().saturating_sub(ddof) as f64).sqrt()
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 3.0], [2.0, 8.0]]));
        assert_close(x.std(1, 0).value(), &Tensor::from([1.0, 3.0]));
        assert_close(x.std(.., 1).value(), &Tensor::scalar((29.0f64 / 3.0).sqrt()));
    }

    #[test]
    fn any_input() {
        for ddof in [0, 1] {
            assert_reduction(
                |x, axes| x.std(axes, ddof),
                |x, axes| x.std(axes, ddof),
                |values| by_definition(values, ddof),
                true,
            );
        }
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        gradcheck(|[x]| x.std(0, 0), [x.clone()]).unwrap();
        gradcheck(|[x]| x.std([0, 2], 1), [x.clone()]).unwrap();
        gradcheck(|[x]| x.std(.., 2), [x]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axes in 0usize..8) {
            let axes: Vec<usize> = (0..3).filter(|axis| axes >> axis & 1 == 1).collect();
            let expected = reduced(&x, &axes, |values| by_definition(values, 0));
            assert_close(Var::constant(x).std(&axes[..], 0).value(), &expected);
        }
    }
}
