//! `y = ln(x)`, element by element.

use super::flowing;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Tensor, pointwise};

struct Ln;

pointwise!(Slope = |dy, x| flowing(dy, dy / x));

impl<T: Scalar> Op<T, 1> for Ln {
    const NAME: &'static str = "ln";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        (x.ln(), x.clone())
    }

    // dx = dy / x, and 0 where dy is 0
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.zip_pointwise(&x, Slope))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The natural logarithm `y = ln(x)` of every element: NaN below 0, minus infinity at 0. Where no gradient comes back, none goes
    /// on, even at 0.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0]));
    /// assert_eq!(x.ln().value().to_vec(), [0.0, std::f64::consts::LN_2]);
    /// assert_eq!(x.ln().sum(..).backward().wrt(&x).to_vec(), [1.0, 0.5]);
    /// ```
    #[track_caller]
    pub fn ln(&self) -> Var<'t, T> {
        apply(Ln, [self])
    }
}

compiled!(|x: &Var<T>| x.ln());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([1.0, std::f64::consts::E])).ln();
        assert_close(y.value(), &Tensor::from([0.0, 1.0]));
    }

    #[test]
    fn an_infinite_slope_gives_nothing_to_nothing() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([0.0, 4.0, 0.0]));
        let dx = x.ln().backward_from(&Tensor::from([0.0, 0.0, 1.0])).wrt(&x);
        assert_eq!(dx.to_vec(), [0.0, 0.0, f64::INFINITY]);
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.ln(), [random(&[3, 5], 0.2, 3.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, 0.1, 9.0)) {
            let y = Var::constant(x.clone()).ln();
            let expected: Vec<f64> = x.iter().map(|x| x.log2() / std::f64::consts::LOG2_E).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
