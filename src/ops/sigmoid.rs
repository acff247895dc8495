//! `y = 1 / (1 + exp(-x))`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Logistic, Tensor, pointwise};

struct Sigmoid;

pointwise!(Slope = |dy, y| dy * y * (T::one() - y));

impl<T: Scalar> Op<T, 1> for Sigmoid {
    const NAME: &'static str = "sigmoid";
    type Saved = Tensor<T>; // y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let y = x.map_pointwise(Logistic);
        (y.clone(), y)
    }

    // dx = dy y (1 - y)
    fn backward(&self, y: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.zip_pointwise(&y, Slope))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The logistic function `y = 1 / (1 + exp(-x))` of every element.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0]));
    /// assert_eq!(x.sigmoid().value().to_vec(), [0.5]);
    /// assert_eq!(x.sigmoid().sum(..).backward().wrt(&x).to_vec(), [0.25]);
    /// ```
    #[track_caller]
    pub fn sigmoid(&self) -> Var<'t, T> {
        apply(Sigmoid, [self])
    }
}

compiled!(|x: &Var<T>| x.sigmoid());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([0.0, 1000.0, -1000.0])).sigmoid();
        assert_close(y.value(), &Tensor::from([0.5, 1.0, 0.0]));
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.sigmoid(), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -5.0, 5.0)) {
            let y = Var::constant(x.clone()).sigmoid();
            let expected: Vec<f64> = x.iter().map(|x| x.exp() / (x.exp() + 1.0)).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
