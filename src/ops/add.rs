//! `y = a + b`, broadcast to the common shape.

use super::rectifier::{Rectifier, before};
use crate::autograd::{Op, Var, apply};
use crate::kernels::gemm::{Finish, limited};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

struct Add;

impl<T: Scalar> Op<T, 2> for Add {
    const NAME: &'static str = "add";
    type Saved = (Shape, Shape);

    fn forward(&self, [a, b]: [&Tensor<T>; 2], _: [bool; 2]) -> (Tensor<T>, Self::Saved) {
        (a + b, (a.shape(), b.shape()))
    }

    // da = dy, db = dy, each summed over what was repeated
    fn backward(
        &self,
        (a, b): Self::Saved,
        dy: Tensor<T>,
        wanted: [bool; 2],
    ) -> [Option<Tensor<T>>; 2] {
        let db = wanted[1].then(|| dy.sum_to(b));
        [wanted[0].then(|| dy.sum_to(a)), db]
    }
}

/// The sum, rectified in the same pass.
struct AddRectified(Finish);

impl<T: Scalar> Op<T, 2> for AddRectified {
    const NAME: &'static str = "add_rectified";
    type Saved = (Shape, Shape, Tensor<T>); // y

    fn forward(&self, [a, b]: [&Tensor<T>; 2], _: [bool; 2]) -> (Tensor<T>, Self::Saved) {
        let most = self.0.most();
        let y = a.operated(b, |a, b| limited(a + b, most));
        (y.clone(), (a.shape(), b.shape(), y))
    }

    // As that of the sum, with dy from before the rectifier
    fn backward(
        &self,
        (a, b, y): Self::Saved,
        dy: Tensor<T>,
        wanted: [bool; 2],
    ) -> [Option<Tensor<T>>; 2] {
        Add.backward((a, b), before(self.0, &y, dy), wanted)
    }
}

super::operator!(Add, add, Add);

impl<'t, T: Scalar> Var<'t, T> {
    /// The sum with a rectifier behind it.
    #[track_caller]
    pub(crate) fn add_rectified(&self, other: &Var<'t, T>, rectifier: Rectifier) -> Var<'t, T> {
        match rectifier.finish() {
            Some(finish) => apply(AddRectified(finish), [self, other]),
            None => (self + other).rectifier(rectifier),
        }
    }
}

compiled!(|x: &Var<T>, y: &Var<T>| x + y);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let a = Var::constant(Tensor::from([[6.0, 8.0], [3.0, 2.0]]));
        let b = Var::constant(Tensor::from([2.0, 4.0]));
        assert_close((&a + &b).value(), &Tensor::from([[8.0, 12.0], [5.0, 6.0]]));
    }

    #[test]
    fn gradient() {
        let (a, b) = (random(&[3, 2, 5], -2.0, 2.0, 1, 0), random(&[3, 2, 5], 0.5, 2.0, 2, 0));
        gradcheck(|[a, b]| a + b, [a.clone(), b.clone()]).unwrap();
        // Repeated along the first axis, along an inner one, and both against each other.
        gradcheck(|[a, b]| a + b, [a.clone(), b.slice(0, ..1)]).unwrap();
        gradcheck(|[a, b]| a + b, [a.slice(1, ..1), b.slice(0, ..1).reshape([2, 5])]).unwrap();
    }

    #[test]
    fn rectified() {
        let (a, b) = (random(&[3, 2, 5], -9.0, 9.0, 1, 0), random(&[2, 1], -1.0, 1.0, 2, 0));
        let relu6 = Rectifier { max_value: Some(6.0), ..Rectifier::default() };
        let others =
            [Rectifier { negative_slope: 0.1, ..relu6 }, Rectifier { threshold: 1.0, ..relu6 }];
        for rectifier in [Rectifier::default(), relu6].into_iter().chain(others) {
            let [x, y] = [&a, &b].map(|it| Var::constant(it.clone()));
            assert_close(
                x.add_rectified(&y, rectifier).value(),
                (&x + &y).rectifier(rectifier).value(),
            );
            gradcheck(|[a, b]| a.add_rectified(b, rectifier), [a.clone(), b.clone()]).unwrap();
        }
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
            let expected = Tensor::from_fn(a.shape(), |i| at(&a, i) + at(&b, i));
            let (a, b) = (Var::constant(a), Var::constant(b));
            assert_close((&a + &b).value(), &expected);
        }
    }
}
