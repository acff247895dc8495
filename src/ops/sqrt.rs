//! `y = sqrt(x)`, element by element.

use super::flowing;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Sqrt;

impl<T: Scalar> Op<T, 1> for Sqrt {
    const NAME: &'static str = "sqrt";
    type Saved = Tensor<T>; // y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let y = x.map(T::sqrt);
        (y.clone(), y)
    }

    // dx = dy / (2 sqrt(x)) = dy / (2 y), and 0 where dy is 0
    fn backward(&self, y: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy.into_zip_with(&y, |dy, y| flowing(dy, dy / (y + y))))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The square root `y = sqrt(x)` of every element: NaN below 0. Its slope at 0 is infinite; where no gradient comes back, none goes on
    /// (TensorFlow, PyTorch and JAX have NaN there).
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([4.0, 16.0]));
    /// assert_eq!(x.sqrt().value().to_vec(), [2.0, 4.0]);
    /// assert_eq!(x.sqrt().sum(..).backward().wrt(&x).to_vec(), [0.25, 0.125]);
    /// ```
    #[track_caller]
    pub fn sqrt(&self) -> Var<'t, T> {
        apply(Sqrt, [self])
    }
}

compiled!(|x: &Var<T>| x.sqrt());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([9.0, 0.0])).sqrt();
        assert_close(y.value(), &Tensor::from([3.0, 0.0]));
    }

    #[test]
    fn an_infinite_slope_gives_nothing_to_nothing() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([0.0, 4.0, 0.0]));
        let dx = x.sqrt().backward_from(&Tensor::from([0.0, 0.0, 1.0])).wrt(&x);
        assert_eq!(dx.to_vec(), [0.0, 0.0, f64::INFINITY]);
        // Of a root that is cut away, too.
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([0.0, 4.0, 0.0]));
        assert_eq!(x.sqrt().slice(0, 1..2).backward().wrt(&x).to_vec(), [0.0, 0.25, 0.0]);
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.sqrt(), [random(&[3, 5], 0.2, 3.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, 0.1, 9.0)) {
            let y = Var::constant(x.clone()).sqrt();
            let expected: Vec<f64> = x.iter().map(|x| x.powf(0.5)).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
