//! `y = x / (1 + exp(-x))`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Tensor, pointwise};

struct Silu;

pointwise!(Value = |x| x * x.logistic());
pointwise!(
    Slope = |dy, x| {
        let s = x.logistic();
        dy * (s * (T::one() + x * (T::one() - s)))
    }
);

impl<T: Scalar> Op<T, 1> for Silu {
    const NAME: &'static str = "silu";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        (x.map_pointwise(Value), x.clone())
    }

    // dx = dy s (1 + x (1 - s)), where s = 1 / (1 + exp(-x))
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.zip_pointwise(&x, Slope))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = x / (1 + exp(-x))` of every element, x times its [`sigmoid`](Self::sigmoid): also called swish (Ramachandran, Zoph and Le,
    /// *Searching for activation functions*, 2017).
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0, 1000.0]));
    /// assert_eq!(x.silu().value().to_vec(), [0.0, 1000.0]);
    /// assert_eq!(x.silu().sum(..).backward().wrt(&x).to_vec(), [0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn silu(&self) -> Var<'t, T> {
        apply(Silu, [self])
    }
}

compiled!(|x: &Var<T>| x.silu());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([0.0, 3f64.ln(), -1e3, 1e3])).silu();
        assert_close(y.value(), &Tensor::from([0.0, 0.75 * 3f64.ln(), 0.0, 1e3]));
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.silu(), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).silu();
            let expected: Vec<f64> = x.iter().map(|x| x * x.exp() / (x.exp() + 1.0)).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
