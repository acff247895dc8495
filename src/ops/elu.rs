//! `y = x where x > 0, else exp(x) - 1`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Elu;

impl<T: Scalar> Op<T, 1> for Elu {
    const NAME: &'static str = "elu";
    type Saved = Tensor<T>; // y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let y = x.map(|x| if x > T::zero() { x } else { x.exp_m1() });
        (y.clone(), y)
    }

    // dx = dy where y > 0, else dy exp(x) = dy (y + 1)
    fn backward(&self, y: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.into_zip_with(&y, |dy, y| if y > T::zero() { dy } else { dy * (y + T::one()) }))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The exponential linear unit: `y = x` where `x > 0`, else `y = exp(x) - 1` (Clevert, Unterthiner and Hochreiter, 2015; Keras with its default `alpha = 1`).
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0, 2.0]));
    /// assert_eq!(x.elu().value().to_vec(), [0.0, 2.0]);
    /// assert_eq!(x.elu().sum(..).backward().wrt(&x).to_vec(), [1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn elu(&self) -> Var<'t, T> {
        apply(Elu, [self])
    }
}

compiled!(|x: &Var<T>| x.elu());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-1.0, 3.0])).elu();
        assert_close(y.value(), &Tensor::from([-0.632_120_558_828_557_7, 3.0]));
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.elu(), [random(&[3, 5], -2.0, 2.0, 1, 0).map(|x| x + 0.01 * x.signum())])
            .unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).elu();
            let expected: Vec<f64> = x.iter().map(|x| if x > 0.0 { x } else { x.exp() - 1.0 }).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
