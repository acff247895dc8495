//! `y = tanh(x)`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Tensor, pointwise};

struct Tanh;

pointwise!(Slope = |dy, y| dy * (T::one() - y * y));

impl<T: Scalar> Op<T, 1> for Tanh {
    const NAME: &'static str = "tanh";
    type Saved = Tensor<T>; // y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let y = x.tanh();
        (y.clone(), y)
    }

    // dx = dy (1 - y^2)
    fn backward(&self, y: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.zip_pointwise(&y, Slope))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The hyperbolic tangent `y = tanh(x)` of every element.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0]));
    /// assert_eq!(x.tanh().value().to_vec(), [0.0]);
    /// assert_eq!(x.tanh().sum(..).backward().wrt(&x).to_vec(), [1.0]);
    /// ```
    #[track_caller]
    pub fn tanh(&self) -> Var<'t, T> {
        apply(Tanh, [self])
    }
}

compiled!(|x: &Var<T>| x.tanh());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([0.0, 1000.0, -1000.0])).tanh();
        assert_close(y.value(), &Tensor::from([0.0, 1.0, -1.0]));
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.tanh(), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).tanh();
            let expected: Vec<f64> = x.iter().map(|x| (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
