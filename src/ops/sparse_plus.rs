//! `y = 0` up to -1, `(x + 1)^2 / 4` between -1 and 1, `x` from there on, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct SparsePlus;

impl<T: Scalar> Op<T, 1> for SparsePlus {
    const NAME: &'static str = "sparse_plus";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let one = T::one();
        let sparse_plus = |x: T| {
            if x >= one {
                x
            } else if x <= -one {
                T::zero()
            } else {
                (x + one).powi(2) * T::lit(0.25)
            }
        };
        (x.map(sparse_plus), x.clone())
    }

    // dx = dy (x + 1) / 2, where that lies between 0 and 1
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let slope = |x: T| ((x + T::one()) * T::lit(0.5)).max(T::zero()).min(T::one());
        [Some(dy.into_zip_with(&x, |dy, x| dy * slope(x)))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = 0` up to -1, `(x + 1)^2 / 4` between -1 and 1, and `y = x` from there on: a smooth rectifier that is 0 where `x` is small.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([-2.0, 0.0, 3.0]));
    /// assert_eq!(x.sparse_plus().value().to_vec(), [0.0, 0.25, 3.0]);
    /// assert_eq!(x.sparse_plus().sum(..).backward().wrt(&x).to_vec(), [0.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn sparse_plus(&self) -> Var<'t, T> {
        apply(SparsePlus, [self])
    }
}

compiled!(|x: &Var<T>| x.sparse_plus());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-1.5, -1.0, -0.5, 1.0, 2.0])).sparse_plus();
        assert_close(y.value(), &Tensor::from([0.0, 0.0, 0.0625, 1.0, 2.0]));
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.sparse_plus(), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).sparse_plus();
            // The rectifier plus what is between.
            let expected: Vec<f64> = x.iter().map(|x| x.max(0.0) + (1.0 - x.abs()).max(0.0).powi(2) / 4.0).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
