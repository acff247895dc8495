//! `y = ceil(x)`, element by element.

use super::{Elementwise, Saves, each, elementwise};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Ceil;

impl<T: Scalar> Elementwise<T> for Ceil {
    fn name(&self) -> &'static str {
        "ceil"
    }

    fn saves(&self) -> Saves {
        Saves::Nothing
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.ceil()
    }

    // dx = 0
    fn backward(&self, _: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        Tensor::zeros(dy.shape())
    }
}

impl<T: Scalar> Tensor<T> {
    /// The smallest whole number that is not below each element.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([-0.5, 1.2]).ceil().to_vec(), [0.0, 2.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn ceil(&self) -> Tensor<T> {
        each(self, T::ceil)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The smallest whole number that is not below each element.
    /// Its slope is taken as 0 everywhere, also at the steps, as in JAX and PyTorch.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([-1.5, 1.2, 2.0]));
    /// assert_eq!(x.ceil().value().to_vec(), [-1.0, 2.0, 2.0]);
    /// assert_eq!(x.ceil().sum(..).backward().wrt(&x).to_vec(), [0.0; 3]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn ceil(&self) -> Var<'t, T> {
        elementwise(self, Ceil)
    }
}

compiled!(|x: &Var<T>| x.ceil());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([-2.0, -1.5, 2.5])).ceil();
        assert_close(y.value(), &Tensor::from([-2.0, -1.0, 3.0]));
    }

    #[test]
    fn any_input() {
        assert_elementwise(Tensor::ceil, |x| x.ceil(), f64::ceil);
    }

    #[test]
    fn nothing_flows_back() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([0.0, 1.0, 0.5, -2.5, f64::NAN, f64::INFINITY]));
        let dy = Tensor::from([1.0, f64::NAN, f64::INFINITY, 1.0, 1.0, 1.0]);
        assert_eq!(x.ceil().backward_from(&dy).wrt(&x).to_vec(), [0.0; 6]);
    }

    #[test]
    fn gradient() {
        // Away from the steps.
        let x = random(&[3, 5], 0.1, 0.4, 1, 0) + Tensor::from([-2.0, -1.0, 0.0, 1.0, 2.0]);
        gradcheck(|[x]| x.ceil() + x, [x]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).ceil();
            let expected: Vec<f64> = x.iter().map(|x| (-4..4).map(f64::from).find(|&whole| whole >= x).unwrap()).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
