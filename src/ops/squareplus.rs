//! `y = (x + sqrt(x^2 + 4)) / 2`, element by element.
//!
//! Below 0 the two almost cancel, and it is computed as `2 / (sqrt(x^2 + 4) - x)`, which is the same.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Squareplus;

fn squareplus<T: Scalar>(x: T) -> T {
    let two = T::lit(2.0);
    let root = x.hypot(two);
    if x < T::zero() { two / (root - x) } else { (x + root) / two }
}

impl<T: Scalar> Op<T, 1> for Squareplus {
    const NAME: &'static str = "squareplus";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        (x.map(squareplus), x.clone())
    }

    // dx = dy y / sqrt(x^2 + 4)
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.into_zip_with(&x, |dy, x| dy * squareplus(x) / x.hypot(T::lit(2.0))))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = (x + sqrt(x^2 + 4)) / 2` of every element: a smooth rectifier without an exponential (Barron, *Squareplus*, 2021;
    /// Keras with its default `b = 4`).
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0, 1.5]));
    /// assert_eq!(x.squareplus().value().to_vec(), [1.0, 2.0]);
    /// assert_eq!(x.squareplus().sum(..).backward().wrt(&x).to_vec(), [0.5, 0.8]);
    /// ```
    #[track_caller]
    pub fn squareplus(&self) -> Var<'t, T> {
        apply(Squareplus, [self])
    }
}

compiled!(|x: &Var<T>| x.squareplus());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([0.0, 1.5, -1.5, -1e9, 1e200])).squareplus();
        let expected = Tensor::from([1.0, 2.0, 0.5, 1e-9, 1e200]);
        assert!(y.value().all_close(&expected, 1e-12, 0.0), "{y:?}");
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.squareplus(), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).squareplus();
            let expected: Vec<f64> = x.iter().map(|x| (x + (x * x + 4.0).sqrt()) / 2.0).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
