//! `y = x` where `x > threshold`, else `value`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Threshold<T> {
    threshold: T,
    value: T,
}

impl<T: Scalar> Op<T, 1> for Threshold<T> {
    const NAME: &'static str = "threshold";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let Threshold { threshold, value } = *self;
        // What is not a number stays.
        (x.map(|x| if x <= threshold { value } else { x }), x.clone())
    }

    // dx = dy where x > threshold, else 0
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let threshold = self.threshold;
        [Some(dy.into_zip_with(&x, |dy, x| dy.kept_if(x > threshold)))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = x` where `x > threshold`, else `y = value`.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0, 0.5, 2.0]));
    /// assert_eq!(x.threshold(0.5, -1.0).value().to_vec(), [-1.0, -1.0, 2.0]);
    /// assert_eq!(x.threshold(0.5, -1.0).sum(..).backward().wrt(&x).to_vec(), [0.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn threshold(&self, threshold: T, value: T) -> Var<'t, T> {
        apply(Threshold { threshold, value }, [self])
    }
}

compiled!(|x: &Var<T>| x.threshold(0.0, 1.0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-3.0, 1.0, 1.5])).threshold(1.0, 0.25);
        assert_close(y.value(), &Tensor::from([0.25, 0.25, 1.5]));
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.threshold(0.1, 2.0), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).threshold(0.5, 2.0);
            let expected: Vec<f64> = x.iter().map(|x| if x > 0.5 { x } else { 2.0 }).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
