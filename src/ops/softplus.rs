//! `y = ln(1 + exp(x))`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Tensor, pointwise};

struct Softplus;

// exp(x) may overflow, exp(-|x|) cannot: ln(1 + exp(x)) = max(x, 0) + ln(1 + exp(-|x|)).
pointwise!(Value = |x| x.rectified() + (-x.abs()).vector_exp().vector_ln_1p());
pointwise!(Slope = |dy, x| dy * x.logistic());

impl<T: Scalar> Op<T, 1> for Softplus {
    const NAME: &'static str = "softplus";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        (x.map_pointwise(Value), x.clone())
    }

    // dx = dy / (1 + exp(-x))
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.zip_pointwise(&x, Slope))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = ln(1 + exp(x))` of every element: a smooth rectifier.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0, 1000.0]));
    /// assert_eq!(x.softplus().value().to_vec(), [2f64.ln(), 1000.0]);
    /// assert_eq!(x.softplus().sum(..).backward().wrt(&x).to_vec(), [0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn softplus(&self) -> Var<'t, T> {
        apply(Softplus, [self])
    }
}

compiled!(|x: &Var<T>| x.softplus());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([0.0, 3f64.ln(), -1e3, -40.0, 1e3])).softplus();
        let expected = [2f64.ln(), 4f64.ln(), 0.0, (-40f64).exp(), 1e3];
        assert!(y.value().all_close(&Tensor::from(expected), 1e-12, 0.0), "{y:?}");
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.softplus(), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).softplus();
            let expected: Vec<f64> = x.iter().map(|x| (1.0 + x.exp()).ln()).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
