//! `y = -x`, element by element.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Neg;

impl<T: Scalar> Op<T, 1> for Neg {
    const NAME: &'static str = "neg";
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, ()) {
        (-x, ())
    }

    // dx = -dy
    fn backward(&self, (): (), dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(-dy)]
    }
}

impl<'t, T: Scalar> std::ops::Neg for &Var<'t, T> {
    type Output = Var<'t, T>;
    #[track_caller]
    fn neg(self) -> Var<'t, T> {
        apply(Neg, [self])
    }
}

impl<'t, T: Scalar> std::ops::Neg for Var<'t, T> {
    type Output = Var<'t, T>;
    #[track_caller]
    fn neg(self) -> Var<'t, T> {
        -&self
    }
}

compiled!(|x: &Var<T>| -x);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        assert_close(
            (-Var::constant(Tensor::from([1.0, -2.0]))).value(),
            &Tensor::from([-1.0, 2.0]),
        );
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| -x, [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let expected: Vec<f64> = x.iter().map(|x| 0.0 - x).collect();
            assert_close((-Var::constant(x.clone())).value(), &Tensor::new(x.shape(), expected));
        }
    }
}
