//! The same values under another shape.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

struct Reshape {
    shape: Shape,
}

impl<T: Scalar> Op<T, 1> for Reshape {
    const NAME: &'static str = "reshape";
    type Saved = Shape; // of x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Shape) {
        (x.reshape(self.shape), x.shape())
    }

    // dx = dy in x's shape
    fn backward(&self, x: Shape, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.reshape(x))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The same values in reading order under another shape.
    ///
    /// # Panics
    /// When the shapes hold different numbers of elements.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.reshape([4]).value().to_vec(), [1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.reshape([4]).sum(..).backward().wrt(&x).shape(), [2, 2]);
    /// ```
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Var<'t, T> {
        apply(Reshape { shape: shape.into() }, [self])
    }
}

compiled!(|x: &Var<T>| x.reshape([1]));

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
            x.reshape([3, 2]).value(),
            &Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        );
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.reshape([5, 2, 3]), [random(&[3, 2, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    #[test]
    #[should_panic(expected = "reshape: [2, 3] has 6 elements and [4] has 4")]
    fn another_number_of_elements() {
        Var::constant(Tensor::<f64>::zeros([2, 3])).reshape([4]);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(4, -3.0, 3.0), group in 0usize..4) {
            let [a, b, c, d] = x.dims();
            let dims = match group {
                0 => vec![a * b, c * d],
                1 => vec![a, b * c, 1, d],
                2 => vec![1, a * b * c * d],
                _ => vec![d, c, b, a],
            };
            let y = Var::constant(x.clone()).reshape(&dims[..]);
            assert_eq!(y.shape(), Shape::new(&dims));
            // Reading order is kept: the values one by one.
            for (value, index) in y.value().iter().zip(indices([a, b, c, d])) {
                assert_eq!(value, x.at(index));
            }
        }
    }
}
