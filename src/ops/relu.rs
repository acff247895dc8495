//! `y = max(x, 0)`, element by element.

use super::rectifier::before;
use crate::autograd::{Op, Var, apply};
use crate::kernels::gemm::{Finish, rectified};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Tensor, pointwise};

struct Relu;

pointwise!(Value = |x| rectified(x));

impl<T: Scalar> Op<T, 1> for Relu {
    const NAME: &'static str = "relu";
    type Saved = Tensor<T>; // y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let y = x.map_pointwise(Value);
        (y.clone(), y)
    }

    // dx = dy where y > 0, else 0
    fn backward(&self, y: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(before(Finish::Relu, &y, dy))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The rectifier `y = max(x, 0)` of every element. Its slope at 0 is taken as 0, as in Keras and PyTorch.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([-1.0, 0.0, 2.0]));
    /// assert_eq!(x.relu().value().to_vec(), [0.0, 0.0, 2.0]);
    /// assert_eq!(x.relu().sum(..).backward().wrt(&x).to_vec(), [0.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn relu(&self) -> Var<'t, T> {
        apply(Relu, [self])
    }
}

compiled!(|x: &Var<T>| x.relu());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-3.0, 0.5])).relu();
        assert_close(y.value(), &Tensor::from([0.0, 0.5]));
    }

    #[test]
    fn gradient() {
        gradcheck(
            |[x]| x.relu(),
            [random(&[3, 5], -2.0, 2.0, 1, 0).map(|x| x + 0.01 * x.signum())],
        )
        .unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).relu();
            let expected: Vec<f64> = x.iter().map(|x| x.max(0.0)).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
