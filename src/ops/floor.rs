//! `y = floor(x)`, element by element.

use super::{Elementwise, Saves, each, elementwise};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Floor;

impl<T: Scalar> Elementwise<T> for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn saves(&self) -> Saves {
        Saves::Nothing
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.floor()
    }

    // dx = 0
    fn backward(&self, _: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        Tensor::zeros(dy.shape())
    }
}

impl<T: Scalar> Tensor<T> {
    /// The largest whole number that is not above each element.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([-0.5, 1.7]).floor().to_vec(), [-1.0, 1.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn floor(&self) -> Tensor<T> {
        each(self, T::floor)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The largest whole number that is not above each element.
    /// Its slope is taken as 0 everywhere, also at the steps, as in JAX and PyTorch.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([-0.5, 1.7, 2.0]));
    /// assert_eq!(x.floor().value().to_vec(), [-1.0, 1.0, 2.0]);
    /// assert_eq!(x.floor().sum(..).backward().wrt(&x).to_vec(), [0.0; 3]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn floor(&self) -> Var<'t, T> {
        elementwise(self, Floor)
    }
}

compiled!(|x: &Var<T>| x.floor());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-2.0, -1.5, 2.5])).floor();
        assert_close(y.value(), &Tensor::from([-2.0, -2.0, 2.0]));
    }

    #[test]
    fn any_input() {
        assert_elementwise(Tensor::floor, |x| x.floor(), f64::floor);
    }

    #[test]
    fn nothing_flows_back() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([0.0, 1.0, 0.5, -2.5, f64::NAN, f64::INFINITY]));
        let dy = Tensor::from([1.0, f64::NAN, f64::INFINITY, 1.0, 1.0, 1.0]);
        assert_eq!(x.floor().backward_from(&dy).wrt(&x).to_vec(), [0.0; 6]);
    }

    #[test]
    fn gradient() {
        // Away from the steps.
        let x = random(&[3, 5], 0.1, 0.4, 1, 0) + Tensor::from([-2.0, -1.0, 0.0, 1.0, 2.0]);
        gradcheck(|[x]| x.floor() + x, [x]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).floor();
            let expected: Vec<f64> = x.iter().map(|x| (-4..4).map(f64::from).rfind(|&whole| whole <= x).unwrap()).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
