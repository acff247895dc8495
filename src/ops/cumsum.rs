//! `y_i = x_0 + .. + x_i` along an axis.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;
use num_traits::Zero;

struct CumSum {
    axis: usize,
}

impl<T: Scalar> Op<T, 1> for CumSum {
    const NAME: &'static str = "cumsum";
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, ()) {
        (x.cumsum(self.axis), ())
    }

    // dx_i = dy_i + .. + dy_n
    fn backward(&self, (): (), dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.flip(self.axis).cumsum(self.axis).flip(self.axis))]
    }
}

impl<T: Scalar> Tensor<T> {
    /// The sums of the first element, the first two, .. along an axis. They are accumulated in `f64`. A NaN stays from where it is.
    ///
    /// # Panics
    /// When the axis does not exist: so for a tensor without axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 2.0, 3.0]]).cumsum(1).to_vec(), [1.0, 3.0, 6.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn cumsum(&self, axis: usize) -> Tensor<T> {
        assert!(axis < self.rank(), "cumsum: axis {axis} of a tensor of shape {}", self.shape());
        self.map_rows(&[axis], &mut |row| {
            let mut sum = T::Wide::zero();
            for x in row {
                sum += x.wide();
                *x = T::narrow(sum);
            }
        })
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The sums `y_i = x_0 + .. + x_i` along an axis.
    ///
    /// # Panics
    /// When the axis does not exist: so for a variable without axes.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 3.0]));
    /// assert_eq!(x.cumsum(0).value().to_vec(), [1.0, 3.0, 6.0]);
    /// assert_eq!(x.cumsum(0).backward().wrt(&x).to_vec(), [3.0, 2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn cumsum(&self, axis: usize) -> Var<'t, T> {
        apply(CumSum { axis }, [self])
    }
}

compiled!(|x: &Var<T>| x.cumsum(0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, assert_scan, random, scanned, tensors};
    use proptest::prelude::*;

    fn by_definition(values: &[f64]) -> f64 {
        values.iter().fold(0.0, |sum, x| sum + x)
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
        assert_close(x.cumsum(0).value(), &Tensor::from([[1.0, 2.0], [4.0, 6.0]]));
        assert_close(x.cumsum(1).value(), &Tensor::from([[1.0, 3.0], [3.0, 7.0]]));
    }

    #[test]
    fn any_input() {
        assert_scan(Tensor::cumsum, |x, axis| x.cumsum(axis), by_definition);
    }

    #[test]
    fn sums_are_f64() {
        let x = Tensor::<f32>::full([1 << 20], 0.1).cumsum(0);
        assert!((x.at([(1 << 20) - 1]) - 104_857.6).abs() < 0.01);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        (0..3).for_each(|axis| gradcheck(|[x]| x.cumsum(axis), [x.clone()]).unwrap());
    }

    #[test]
    #[should_panic(expected = "cumsum: axis 0 of a tensor of shape []")]
    fn no_axis() {
        Var::constant(Tensor::<f64>::scalar(1.0)).cumsum(0);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axis in 0usize..3) {
            let expected = scanned(&x, axis, by_definition);
            assert_close(Var::constant(x).cumsum(axis).value(), &expected);
        }
    }
}
