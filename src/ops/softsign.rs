//! `y = x / (1 + |x|)`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Softsign;

impl<T: Scalar> Op<T, 1> for Softsign {
    const NAME: &'static str = "softsign";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        (x.map(|x| x / (T::one() + x.abs())), x.clone())
    }

    // dx = dy / (1 + |x|)^2
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.into_zip_with(&x, |dy, x| dy / (T::one() + x.abs()).powi(2)))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = x / (1 + |x|)` of every element.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([-1.0, 3.0]));
    /// assert_eq!(x.softsign().value().to_vec(), [-0.5, 0.75]);
    /// assert_eq!(x.softsign().sum(..).backward().wrt(&x).to_vec(), [0.25, 0.0625]);
    /// ```
    #[track_caller]
    pub fn softsign(&self) -> Var<'t, T> {
        apply(Softsign, [self])
    }
}

compiled!(|x: &Var<T>| x.softsign());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([0.0, -4.0, 1.0])).softsign();
        assert_close(y.value(), &Tensor::from([0.0, -0.8, 0.5]));
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.softsign(), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).softsign();
            let expected: Vec<f64> = x.iter().map(|x| if x > 0.0 { x / (1.0 + x) } else { x / (1.0 - x) }).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
