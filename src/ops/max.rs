//! The largest value along axes.

use super::spread;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Axes, Mask, Tensor, named};

struct Max {
    axes: Vec<usize>,
}

impl<T: Scalar> Op<T, 1> for Max {
    const NAME: &'static str = "max";
    type Saved = (Tensor<T>, Tensor<T>); // x, y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Self::Saved) {
        let y = evenly(x, x.max(&self.axes[..]), &self.axes);
        (y.clone(), (x.clone(), y))
    }

    // dx = dy / n where x = y, with the number n of places along the axes where it is
    fn backward(&self, (x, y): Self::Saved, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(shared(&x, &y, &dy, &self.axes))]
    }
}

/// `dy`, shared out evenly among the places of `x` that have the value `y`.
pub(super) fn shared<T: Scalar>(
    x: &Tensor<T>,
    y: &Tensor<T>,
    dy: &Tensor<T>,
    axes: &[usize],
) -> Tensor<T> {
    let places = places(x, y, axes);
    let counts = places.cast::<T>().sum(axes);
    let share = spread(&(dy / &counts), x.shape(), axes);
    Tensor::select(&places, &share, &Tensor::zeros([]))
}

/// Where `x` has the value `y` that a reduction gave, or both are NaN.
fn places<T: Scalar>(x: &Tensor<T>, y: &Tensor<T>, axes: &[usize]) -> Mask {
    let y = &spread(y, x.shape(), axes);
    x.equal(y) | (x.not_equal(x) & y.not_equal(y))
}

/// `y`, which a reduction found in `x`. Of dual numbers, it is the mean of all that have its value, so that derivatives are the same
/// forward and backward.
pub(super) fn evenly<T: Scalar>(x: &Tensor<T>, y: Tensor<T>, axes: &[usize]) -> Tensor<T> {
    if T::NAME != "dual" {
        return y;
    }
    let places = places(x, &y, axes);
    Tensor::select(&places, x, &Tensor::zeros([])).sum(axes) / places.cast::<T>().sum(axes)
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The largest value along axes, which disappear from the shape: one axis, several (`[0, 2]`), or all (`..`). NaN where there is
    /// one. Where several are largest, the gradient is shared out evenly, as in JAX, TensorFlow and PyTorch (`amax`).
    ///
    /// # Panics
    /// When an axis does not exist, and for the maximum of no elements.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 2.0], [5.0, 5.0]]));
    /// assert_eq!(x.max(1).value().to_vec(), [2.0, 5.0]);
    /// assert_eq!(x.max(1).backward().wrt(&x).to_vec(), [0.0, 1.0, 0.5, 0.5]);
    /// ```
    #[track_caller]
    pub fn max(&self, axes: impl Axes) -> Var<'t, T> {
        apply(Max { axes: named(axes, self.shape().rank()) }, [self])
    }
}

compiled!(|x: &Var<T>| x.max(..));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_reduction, distinct, reduced, tensors};
    use proptest::prelude::*;

    fn largest(values: &[f64]) -> f64 {
        values.iter().fold(f64::NEG_INFINITY, |a, &b| if a > b || a.is_nan() { a } else { b })
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 7.0, 3.0], [4.0, 5.0, f64::NAN]]));
        assert_eq!(x.max(0).value().to_vec()[..2], [4.0, 7.0]);
        assert_eq!(x.max(1).value().at([0]), 7.0);
        assert!(x.max(1).value().at([1]).is_nan() && x.max(..).value().item().is_nan());
    }

    #[test]
    fn any_input() {
        assert_reduction(|x, axes| x.max(axes), |x, axes| x.max(axes), largest, false);
    }

    #[test]
    fn ties_share_evenly() {
        let gradient = |values: [f64; 4]| {
            let tape = crate::Tape::new();
            let x = tape.leaf(Tensor::from(values));
            x.max(..).backward().wrt(&x).to_vec()
        };
        assert_eq!(gradient([2.0, 1.0, 2.0, 0.0]), [0.5, 0.0, 0.5, 0.0]);
        assert_eq!(gradient([0.0, -0.0, -1.0, -1.0]), [0.5, 0.5, 0.0, 0.0]);
        assert_eq!(gradient([f64::NEG_INFINITY; 4]), [0.25; 4]);
        assert_eq!(gradient([1.0, f64::NAN, 3.0, f64::NAN]), [0.0, 0.5, 0.0, 0.5]);
        // Forward as well.
        let (x, dx) = (Tensor::from([2.0, 1.0, 2.0]), Tensor::from([1.0, 10.0, 4.0]));
        let y = Var::constant(x.dual(&dx)).max(..).into_value().item();
        assert_eq!((y.value, y.tangent), (2.0, 2.5));
    }

    #[test]
    fn gradient() {
        let x = distinct([3, 2, 5]);
        gradcheck(|[x]| x.max(0), [x.clone()]).unwrap();
        gradcheck(|[x]| x.max([0, 2]), [x.clone()]).unwrap();
        gradcheck(|[x]| x.max(..).square(), [x]).unwrap();
    }

    #[test]
    #[should_panic(expected = "the maximum or minimum of no elements")]
    fn no_elements() {
        Var::constant(Tensor::<f64>::zeros([2, 0])).max(1);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axes in 0usize..8) {
            let axes: Vec<usize> = (0..3).filter(|axis| axes >> axis & 1 == 1).collect();
            let expected = reduced(&x, &axes, largest);
            prop_assert_eq!(Var::constant(x).max(&axes[..]).into_value(), expected);
        }
    }
}
