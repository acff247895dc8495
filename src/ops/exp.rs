//! `y = exp(x)`, element by element.

use super::flowing;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Tensor, pointwise};

struct Exp;

pointwise!(Slope = |dy, y| flowing(dy, dy * y));

impl<T: Scalar> Op<T, 1> for Exp {
    const NAME: &'static str = "exp";
    type Saved = Tensor<T>; // y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let y = x.exp();
        (y.clone(), y)
    }

    // dx = dy exp(x) = dy y, and 0 where dy is 0, even if y is infinite
    fn backward(&self, y: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.zip_pointwise(&y, Slope))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = exp(x)` of every element.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.0]));
    /// assert_eq!(x.exp().value().to_vec(), [1.0]);
    /// assert_eq!(x.exp().sum(..).backward().wrt(&x).to_vec(), [1.0]);
    /// ```
    #[track_caller]
    pub fn exp(&self) -> Var<'t, T> {
        apply(Exp, [self])
    }
}

compiled!(|x: &Var<T>| x.exp());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([0.0, 1.0, -2.0])).exp();
        assert_close(y.value(), &Tensor::from([1.0, std::f64::consts::E, 0.135_335_283_236_612_7]));
    }

    #[test]
    fn an_infinite_slope_gives_nothing_to_nothing() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([1000.0, 0.0, 1000.0]));
        let dx = x.exp().backward_from(&Tensor::from([0.0, 3.0, 1.0])).wrt(&x);
        assert_eq!(dx.to_vec(), [0.0, 3.0, f64::INFINITY]);
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.exp(), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).exp();
            let expected: Vec<f64> = x.iter().map(|x| std::f64::consts::E.powf(x)).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
