//! `y = maximum(a, b)`, broadcast to the common shape.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Maximum;

impl<T: Scalar> Op<T, 2> for Maximum {
    const NAME: &'static str = "maximum";
    type Saved = (Tensor<T>, Tensor<T>);

    fn forward(&self, [a, b]: [&Tensor<T>; 2], _: [bool; 2]) -> (Tensor<T>, Self::Saved) {
        (a.maximum(b), (a.clone(), b.clone()))
    }

    // da = dy where a >= b, db = dy elsewhere, each summed over what was repeated
    fn backward(
        &self,
        (a, b): Self::Saved,
        dy: Tensor<T>,
        wanted: [bool; 2],
    ) -> [Option<Tensor<T>>; 2] {
        let first = a.zip_with(&b, |a, b| if a >= b || a.is_nan() { T::one() } else { T::zero() });
        let part = |kept: T, shape| {
            dy.zip_with(&first, |dy, first| dy.kept_if(first == kept)).sum_to(shape)
        };
        [
            wanted[0].then(|| part(T::one(), a.shape())),
            wanted[1].then(|| part(T::zero(), b.shape())),
        ]
    }
}

impl<T: Scalar> Tensor<T> {
    /// The larger of two values, element by element, with broadcasting. Where one is not a number, so is the result.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let (a, b) = (Tensor::from([1.0, 5.0]), Tensor::from([3.0, 2.0]));
    /// assert_eq!(a.maximum(&b).to_vec(), [3.0, 5.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn maximum(&self, other: &Tensor<T>) -> Tensor<T> {
        // Not a number wins, on either side.
        self.zip_with(other, |a, b| if a >= b || a.is_nan() { a } else { b })
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The larger of two values, element by element, with broadcasting. Where they are equal, the gradient goes to this one,
    /// as in TensorFlow. Where one is not a number, so is the result.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// use cinta::{Tensor, Var};
    /// let (a, b) = (Var::constant(Tensor::from([1.0, 5.0])), Var::constant(Tensor::from([3.0, 2.0])));
    /// assert_eq!(a.maximum(&b).value().to_vec(), [3.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn maximum(&self, other: &Var<'t, T>) -> Var<'t, T> {
        apply(Maximum, [self, other])
    }
}

compiled!(|x: &Var<T>, y: &Var<T>| x.maximum(y));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{indices, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let tape = Tape::new();
        let a = tape.leaf(Tensor::from([1.0, 5.0, 2.0, f64::NAN, 0.0]));
        let b = tape.leaf(Tensor::from([3.0, 4.0, 2.0, 0.0, f64::NAN]));
        let y = a.maximum(&b);
        assert_eq!(y.value().to_vec()[..3], [3.0, 5.0, 2.0]);
        assert!(y.value().to_vec()[3..].iter().all(|y| y.is_nan()));
        let gradients = y.sum(..).backward();
        assert_eq!(gradients.wrt(&a).to_vec()[..3], [0.0, 1.0, 1.0]);
        assert_eq!(gradients.wrt(&b).to_vec()[..3], [1.0, 0.0, 0.0]);
    }

    #[test]
    fn gradient() {
        let (a, b) = (random(&[3, 2, 5], -2.0, 2.0, 1, 0), random(&[3, 2, 5], -2.0, 2.0, 2, 0));
        gradcheck(|[a, b]| a.maximum(b), [a.clone(), b.clone()]).unwrap();
        gradcheck(
            |[a, b]| a.maximum(b).square(),
            [a.slice(1, ..1), b.slice(0, ..1).reshape([2, 5])],
        )
        .unwrap();
    }

    proptest! {
        #[test]
        fn definition(a in tensors(3, -2.0, 2.0)) {
            let b = random(&a.shape(), -2.0, 2.0, a.len() as u64, 1);
            let y = Var::constant(a.clone()).maximum(&Var::constant(b.clone()));
            for index in indices::<3>(a.dims()) {
                assert_eq!(y.value().at(index), a.at(index).max(b.at(index)));
            }
        }
    }
}
