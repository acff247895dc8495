//! `y = x^2 / 2` where `|x| <= delta`, else `delta (|x| - delta / 2)`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Huber<T: Scalar> {
    delta: T,
}

impl<T: Scalar> Op<T, 1> for Huber<T> {
    const NAME: &'static str = "huber";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let (delta, half) = (self.delta, T::lit(0.5));
        let y =
            x.map(
                |x| {
                    if x.abs() <= delta { half * (x * x) } else { delta * (x.abs() - half * delta) }
                },
            );
        (y, x.clone())
    }

    // dx = dy x where |x| <= delta, else dy delta sign(x)
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let delta = self.delta;
        let slope = |x: T| if x.abs() <= delta { x } else { delta * x.signum() };
        [Some(dy.into_zip_with(&x, |dy, x| dy * slope(x)))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Huber's function of every element, a parabola that goes on as straight lines: `x^2 / 2` where `|x| <= delta`, else
    /// `delta (|x| - delta / 2)`.
    ///
    /// # Panics
    /// When `delta` is not above 0.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([-3.0, 0.5]));
    /// assert_eq!(x.huber(1.0).value().to_vec(), [2.5, 0.125]);
    /// assert_eq!(x.huber(1.0).sum(..).backward().wrt(&x).to_vec(), [-1.0, 0.5]);
    /// ```
    #[track_caller]
    pub fn huber(&self, delta: f64) -> Var<'t, T> {
        assert!(delta > 0.0, "huber: delta is {delta}; it is above 0");
        apply(Huber { delta: T::lit(delta) }, [self])
    }
}

compiled!(|x: &Var<T>| x.huber(1.0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-4.0, -2.0, 0.0, 1.0, 3.0])).huber(2.0);
        assert_close(y.value(), &Tensor::from([6.0, 2.0, 0.0, 0.5, 4.0]));
    }

    #[test]
    fn large_numbers_do_not_cancel_out() {
        // With delta^2 / 2 apart, infinity minus infinity.
        let y = Var::constant(Tensor::<f32>::from([3e20, 1.0])).huber(1e20);
        assert_eq!(y.value().to_vec(), [f32::INFINITY, 0.5]);
        let y = Var::constant(Tensor::<f32>::from([3e19, -2e19])).huber(1e19);
        assert!(y.value().all_close(&Tensor::from([2.5e38, 1.5e38]), 1e-6, 0.0), "{y:?}");
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.huber(0.75), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    #[test]
    #[should_panic(expected = "huber: delta is 0; it is above 0")]
    fn a_delta_of_0() {
        Var::constant(Tensor::<f64>::ones([2])).huber(0.0);
    }

    proptest! {
        // The integral of the slope, which is x cut to -delta ..= delta.
        #[test]
        fn definition(x in tensors(2, -3.0, 3.0), delta in 0.1..2.0) {
            let y = Var::constant(x.clone()).huber(delta);
            let expected: Vec<f64> = x.iter().map(|x| {
                let inside = x.clamp(-delta, delta);
                0.5 * inside * inside + delta * (x - inside).abs()
            }).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
