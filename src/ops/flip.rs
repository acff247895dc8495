//! A tensor with one axis back to front.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Flip {
    axis: usize,
}

impl<T: Scalar> Op<T, 1> for Flip {
    const NAME: &'static str = "flip";
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, ()) {
        (x.flip(self.axis), ())
    }

    // dx = dy, back to front again
    fn backward(&self, (): (), dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.flip(self.axis))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The same values with the order along `axis` reversed.
    ///
    /// # Panics
    /// When there is no such axis.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 3.0]));
    /// let y = x.flip(0);
    /// assert_eq!(y.value().to_vec(), [3.0, 2.0, 1.0]);
    /// assert_eq!(y.slice(0, 0..1).sum(..).backward().wrt(&x).to_vec(), [0.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn flip(&self, axis: usize) -> Var<'t, T> {
        apply(Flip { axis }, [self])
    }
}

compiled!(|x: &Var<T>| x.flip(0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, indices, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
        assert_close(x.flip(1).value(), &Tensor::from([[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]]));
        assert_close(x.flip(0).value(), &Tensor::from([[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]));
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4, 5], -2.0, 2.0, 1, 0);
        for axis in 0..3 {
            gradcheck(|[x]| x.flip(axis).square(), [x.clone()]).unwrap();
        }
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axis in 0usize..3) {
            let y = Var::constant(x.clone()).flip(axis);
            for mut index in indices::<3>(y.value().dims()) {
                let value = y.value().at(index);
                index[axis] = x.shape()[axis] - 1 - index[axis];
                prop_assert_eq!(value, x.at(index));
            }
        }
    }
}
