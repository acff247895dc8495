//! One axis moved to another place, or exchanged with another one.
//!
//! ```text
//! y[.., at axis to, ..] = x[.., at axis from, ..]: a permutation of the axes, which copies nothing
//! ```

use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{moved, swapped};

impl<'t, T: Scalar> Var<'t, T> {
    /// The tensor with axis `from` at the place `to`; the others keep their order.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::<f64>::zeros([2, 3, 4]));
    /// assert_eq!(x.move_axis(0, 2).shape(), [3, 4, 2]);
    /// assert_eq!(x.move_axis(0, 2).backward().wrt(&x).shape(), [2, 3, 4]);
    /// ```
    #[track_caller]
    pub fn move_axis(&self, from: usize, to: usize) -> Var<'t, T> {
        self.permute_axes(&moved(self.shape(), from, to))
    }

    /// The tensor with two axes exchanged.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::<f64>::zeros([2, 3, 4]));
    /// assert_eq!(x.swap_axes(0, 2).shape(), [4, 3, 2]);
    /// assert_eq!(x.swap_axes(0, 2).backward().wrt(&x).shape(), [2, 3, 4]);
    /// ```
    #[track_caller]
    pub fn swap_axes(&self, a: usize, b: usize) -> Var<'t, T> {
        self.permute_axes(&swapped(self.shape(), a, b))
    }
}

compiled!(|x: &Var<T>| x.move_axis(0, 1).swap_axes(0, 1));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{indices, random, tensors};
    use crate::tensor::Tensor;
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let x = Var::constant(x.expand_dims(0));
        let expected = Tensor::from([[[1.0], [4.0]], [[2.0], [5.0]], [[3.0], [6.0]]]);
        assert_eq!(x.swap_axes(0, 2).value(), &expected);
        assert_eq!(x.move_axis(2, 0).value().to_vec(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(Var::constant(Tensor::<f64>::zeros([0, 3])).move_axis(0, 1).shape(), [3, 0]);
        assert_eq!(Var::constant(Tensor::from([1.0])).swap_axes(0, 0).shape(), [1]);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        let weights = Var::constant(random(&[2, 5, 3], -2.0, 2.0, 2, 0));
        gradcheck(|[x]| x.move_axis(0, 2).square() * &weights, [x.clone()]).unwrap();
        gradcheck(|[x]| x.swap_axes(0, 1).swap_axes(1, 2).square() * &weights, [x]).unwrap();
    }

    #[test]
    #[should_panic(expected = "move_axis: axis 2 to the place 0 of a tensor of shape [2, 3]")]
    fn an_axis_too_many() {
        Var::constant(Tensor::<f64>::zeros([2, 3])).move_axis(2, 0);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), a in 0usize..3, b in 0usize..3) {
            let y = Var::constant(x.clone());
            let (moved, swapped) = (y.move_axis(a, b), y.swap_axes(a, b));
            for at in indices::<3>(x.dims()) {
                let mut order = at.to_vec();
                let axis = order.remove(a);
                order.insert(b, axis);
                prop_assert_eq!(moved.value().at([order[0], order[1], order[2]]), x.at(at));
                let mut other = at;
                other.swap(a, b);
                prop_assert_eq!(swapped.value().at(other), x.at(at));
            }
        }
    }
}
