//! The smallest value along axes.

use super::max::{evenly, shared};
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Axes, Tensor, named};

struct Min {
    axes: Vec<usize>,
}

impl<T: Scalar> Op<T, 1> for Min {
    const NAME: &'static str = "min";
    type Saved = (Tensor<T>, Tensor<T>); // x, y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Self::Saved) {
        let y = evenly(x, x.min(&self.axes[..]), &self.axes);
        (y.clone(), (x.clone(), y))
    }

    // dx = dy / n where x = y, with the number n of places along the axes where it is
    fn backward(&self, (x, y): Self::Saved, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(shared(&x, &y, &dy, &self.axes))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The smallest value along axes, which disappear from the shape: one axis, several (`[0, 2]`), or all (`..`). NaN where there is
    /// one. Where several are smallest, the gradient is shared out evenly, as in JAX, TensorFlow and PyTorch (`amin`).
    ///
    /// # Panics
    /// When an axis does not exist, and for the minimum of no elements.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 2.0], [5.0, 5.0]]));
    /// assert_eq!(x.min(1).value().to_vec(), [1.0, 5.0]);
    /// assert_eq!(x.min(1).backward().wrt(&x).to_vec(), [1.0, 0.0, 0.5, 0.5]);
    /// ```
    #[track_caller]
    pub fn min(&self, axes: impl Axes) -> Var<'t, T> {
        apply(Min { axes: named(axes, self.shape().rank()) }, [self])
    }
}

compiled!(|x: &Var<T>| x.min(..));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_reduction, distinct, reduced, tensors};
    use proptest::prelude::*;

    fn smallest(values: &[f64]) -> f64 {
        values.iter().fold(f64::INFINITY, |a, &b| if a < b || a.is_nan() { a } else { b })
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 7.0, 3.0], [4.0, 5.0, f64::NAN]]));
        assert_eq!(x.min(0).value().to_vec()[..2], [1.0, 5.0]);
        assert_eq!(x.min(1).value().at([0]), 1.0);
        assert!(x.min(1).value().at([1]).is_nan() && x.min(..).value().item().is_nan());
    }

    #[test]
    fn any_input() {
        assert_reduction(|x, axes| x.min(axes), |x, axes| x.min(axes), smallest, false);
    }

    #[test]
    fn ties_share_evenly() {
        let gradient = |values: [f64; 4]| {
            let tape = crate::Tape::new();
            let x = tape.leaf(Tensor::from(values));
            x.min(..).backward().wrt(&x).to_vec()
        };
        assert_eq!(gradient([2.0, 5.0, 2.0, 9.0]), [0.5, 0.0, 0.5, 0.0]);
        assert_eq!(gradient([0.0, -0.0, 1.0, 1.0]), [0.5, 0.5, 0.0, 0.0]);
        assert_eq!(gradient([f64::INFINITY; 4]), [0.25; 4]);
        assert_eq!(gradient([1.0, f64::NAN, 3.0, f64::NAN]), [0.0, 0.5, 0.0, 0.5]);
        // Forward as well.
        let (x, dx) = (Tensor::from([2.0, 3.0, 2.0]), Tensor::from([1.0, 10.0, 4.0]));
        let y = Var::constant(x.dual(&dx)).min(..).into_value().item();
        assert_eq!((y.value, y.tangent), (2.0, 2.5));
    }

    #[test]
    fn gradient() {
        let x = distinct([3, 2, 5]);
        gradcheck(|[x]| x.min(0), [x.clone()]).unwrap();
        gradcheck(|[x]| x.min([0, 2]), [x.clone()]).unwrap();
        gradcheck(|[x]| x.min(..).square(), [x]).unwrap();
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
            let expected = reduced(&x, &axes, smallest);
            prop_assert_eq!(Var::constant(x).min(&axes[..]).into_value(), expected);
        }
    }
}
