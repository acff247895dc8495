//! `y = x^2`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Square;

impl<T: Scalar> Op<T, 1> for Square {
    const NAME: &'static str = "square";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        (x.square(), x.clone())
    }

    // dx = 2 x dy
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.into_zip_with(&x, |dy, x| dy * (x + x)))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The square `y = x^2` of every element.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([3.0, -1.0]));
    /// assert_eq!(x.square().value().to_vec(), [9.0, 1.0]);
    /// assert_eq!(x.square().sum(..).backward().wrt(&x).to_vec(), [6.0, -2.0]);
    /// ```
    #[track_caller]
    pub fn square(&self) -> Var<'t, T> {
        apply(Square, [self])
    }
}

compiled!(|x: &Var<T>| x.square());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-3.0, 0.5])).square();
        assert_close(y.value(), &Tensor::from([9.0, 0.25]));
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.square(), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).square();
            let expected: Vec<f64> = x.iter().map(|x| x.powi(2)).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
