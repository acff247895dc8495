//! `y = min(max(x, low), high)`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Clamp<T> {
    low: T,
    high: T,
}

impl<T: Scalar> Op<T, 1> for Clamp<T> {
    const NAME: &'static str = "clamp";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        (x.clamp(self.low, self.high), x.clone())
    }

    // dx = dy where low < x < high, else 0
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let Clamp { low, high } = *self;
        [Some(dy.into_zip_with(&x, |dy, x| dy.kept_if(low < x && x < high)))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Every element limited to the range from `low` to `high`; NaN stays NaN. The slope at both ends is taken as 0.
    ///
    /// # Panics
    /// When `low > high`, or one of them is NaN.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([-1.0, 2.0, 7.0]));
    /// assert_eq!(x.clamp(0.0, 6.0).value().to_vec(), [0.0, 2.0, 6.0]);
    /// assert_eq!(x.clamp(0.0, 6.0).sum(..).backward().wrt(&x).to_vec(), [0.0, 1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn clamp(&self, low: T, high: T) -> Var<'t, T> {
        apply(Clamp { low, high }, [self])
    }
}

compiled!(|x: &Var<T>| x.clamp(0.0, 1.0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y =
            Var::constant(Tensor::from([-3.0, 0.5, 2.0, f64::NAN])).clamp(-1.0, 1.0).into_value();
        assert_eq!(y.to_vec()[..3], [-1.0, 0.5, 1.0]);
        assert!(y.to_vec()[3].is_nan());
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.clamp(-1.0, 0.5), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).clamp(-1.0, 0.5);
            let expected: Vec<f64> = x.iter().map(|x| x.max(-1.0).min(0.5)).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
