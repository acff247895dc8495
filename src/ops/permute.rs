//! The axes in another order.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{MAX_RANK, Tensor};

struct Permute<const N: usize> {
    order: [usize; N],
}

impl<T: Scalar, const N: usize> Op<T, 1> for Permute<N> {
    const NAME: &'static str = "permute";
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, ()) {
        (x.permute(self.order), ())
    }

    // dx = dy in the inverse order: axis order[i] of x is axis i of dy
    fn backward(&self, (): (), dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let mut inverse = [0; N];
        self.order.iter().enumerate().for_each(|(i, &axis)| inverse[axis] = i);
        [Some(dy.permute(inverse))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The axes in another order: axis `i` of the result is axis `order[i]`.
    ///
    /// # Panics
    /// When `order` is not a permutation of the axes.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::<f64>::zeros([2, 3, 4]));
    /// assert_eq!(x.permute([2, 0, 1]).shape(), [4, 2, 3]);
    /// assert_eq!(x.permute([2, 0, 1]).sum(..).backward().wrt(&x).shape(), [2, 3, 4]);
    /// ```
    #[track_caller]
    pub fn permute<const N: usize>(&self, order: [usize; N]) -> Var<'t, T> {
        apply(Permute { order }, [self])
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The same for an order whose length is not known before.
    #[track_caller]
    pub(crate) fn permute_axes(&self, order: &[usize]) -> Var<'t, T> {
        let axis = |i: usize| order[i];
        match order.len() {
            0 => self.clone(),
            1 => self.permute::<1>(std::array::from_fn(axis)),
            2 => self.permute::<2>(std::array::from_fn(axis)),
            3 => self.permute::<3>(std::array::from_fn(axis)),
            4 => self.permute::<4>(std::array::from_fn(axis)),
            5 => self.permute::<5>(std::array::from_fn(axis)),
            MAX_RANK => self.permute::<MAX_RANK>(std::array::from_fn(axis)),
            more => panic!("permute: a tensor has at most {MAX_RANK} axes, and not {more}"),
        }
    }
}

compiled!(|x: &Var<T>| (x.permute([1, 0]), x.permute([2, 0, 1]), x.permute([3, 0, 1, 2])));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, indices, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
        assert_close(
            x.permute([1, 0]).value(),
            &Tensor::from([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]),
        );
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.permute([1, 2, 0]), [random(&[3, 2, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    #[test]
    #[should_panic(expected = "permute: [0, 0] is no order of the axes of [2, 3]")]
    fn an_axis_named_twice() {
        Var::constant(Tensor::<f64>::zeros([2, 3])).permute([0, 0]);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let y = Var::constant(x.clone()).permute(order);
                for index in indices::<3>(x.dims()) {
                    assert_eq!(y.value().at(order.map(|axis| index[axis])), x.at(index));
                }
            }
        }
    }
}
