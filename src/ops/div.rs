//! `y = a / b`, broadcast to the common shape.

use super::flowing;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Div;

impl<T: Scalar> Op<T, 2> for Div {
    const NAME: &'static str = "div";
    type Saved = (Tensor<T>, Tensor<T>);

    fn forward(&self, [a, b]: [&Tensor<T>; 2], _: [bool; 2]) -> (Tensor<T>, Self::Saved) {
        (a / b, (a.clone(), b.clone()))
    }

    // da = dy / b, db = -dy a / b^2, each 0 where dy is 0, and summed over what was repeated
    fn backward(
        &self,
        (a, b): Self::Saved,
        dy: Tensor<T>,
        wanted: [bool; 2],
    ) -> [Option<Tensor<T>>; 2] {
        let da = dy.into_zip_with(&b, |dy, b| flowing(dy, dy / b));
        let db = |dy: T, b: T| flowing(dy, -dy / b);
        let db = wanted[1].then(|| (&da * &a).into_zip_with(&b, db).sum_to(b.shape()));
        [wanted[0].then(|| da.sum_to(a.shape())), db]
    }
}

super::operator!(Div, div, Div);

compiled!(|x: &Var<T>, y: &Var<T>| x / y);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let a = Var::constant(Tensor::from([[6.0, 8.0], [3.0, 2.0]]));
        let b = Var::constant(Tensor::from([2.0, 4.0]));
        assert_close((&a / &b).value(), &Tensor::from([[3.0, 2.0], [1.5, 0.5]]));
    }

    #[test]
    fn an_infinite_slope_gives_nothing_to_nothing() {
        for (dy, da, db) in [
            ([0.0, 4.0], [0.0, 2.0], [0.0, -3.0]),
            ([1.0, 0.0], [f64::INFINITY, 0.0], [f64::NEG_INFINITY, 0.0]),
        ] {
            let tape = Tape::new();
            let (a, b) = (tape.leaf(Tensor::from([3.0, 3.0])), tape.leaf(Tensor::from([0.0, 2.0])));
            let gradients = (&a / &b).backward_from(&Tensor::from(dy));
            assert_eq!(gradients.wrt(&a).to_vec(), da);
            assert_eq!(gradients.wrt(&b).to_vec(), db);
        }
    }

    #[test]
    fn gradient() {
        let (a, b) = (random(&[3, 2, 5], -2.0, 2.0, 1, 0), random(&[3, 2, 5], 0.5, 2.0, 2, 0));
        gradcheck(|[a, b]| a / b, [a.clone(), b.clone()]).unwrap();
        // Repeated along the first axis, along an inner one, and both against each other.
        gradcheck(|[a, b]| a / b, [a.clone(), b.slice(0, ..1)]).unwrap();
        gradcheck(|[a, b]| a / b, [a.slice(1, ..1), b.slice(0, ..1).reshape([2, 5])]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(a in tensors(3, -2.0, 2.0), b in tensors(3, 0.5, 2.0), keep in 0usize..8) {
            // b gets a's length on the axes of `keep` and repeats along the others.
            let dims: Vec<usize> = (0..3).map(|i| if keep >> i & 1 == 1 { a.shape()[i] } else { 1 }).collect();
            let b = random(&dims, 0.5, 2.0, b.len() as u64, keep as u8);
            let at = |t: &Tensor<f64>, i: &[usize]| {
                t.at([0, 1, 2].map(|axis| i[axis] % t.shape()[axis]))
            };
            let expected = Tensor::from_fn(a.shape(), |i| at(&a, i) / at(&b, i));
            let (a, b) = (Var::constant(a), Var::constant(b));
            assert_close((&a / &b).value(), &expected);
        }
    }
}
