//! `y = a^b`, broadcast to the common shape.

use super::flowing;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Pow;

impl<T: Scalar> Op<T, 2> for Pow {
    const NAME: &'static str = "pow";
    type Saved = (Tensor<T>, Tensor<T>);

    fn forward(&self, [a, b]: [&Tensor<T>; 2], _: [bool; 2]) -> (Tensor<T>, Self::Saved) {
        (a.pow(b), (a.clone(), b.clone()))
    }

    // da = dy b a^(b - 1), db = dy a^b ln(a), each 0 where dy is 0, and summed over what was repeated.
    // Not 0 times infinity, but 0: da where b is 0, and db where a is 0 and b is not below 0.
    fn backward(
        &self,
        (a, b): Self::Saved,
        dy: Tensor<T>,
        wanted: [bool; 2],
    ) -> [Option<Tensor<T>>; 2] {
        let by_base = |a: T, b: T| (b * a.powf(b - T::one())).kept_if(!b.is_zero());
        let by_power = |a: T, b: T| {
            let constant = a == T::zero() && b >= T::zero();
            (a.powf(b) * a.ln()).kept_if(!constant)
        };
        let part = |slope: Tensor<T>, shape| {
            slope.into_zip_with(&dy, |slope, dy| flowing(dy, dy * slope)).sum_to(shape)
        };
        [
            wanted[0].then(|| part(a.zip_with(&b, by_base), a.shape())),
            wanted[1].then(|| part(a.zip_with(&b, by_power), b.shape())),
        ]
    }
}

impl<T: Scalar> Tensor<T> {
    /// Every element to the power of the other tensor's, with broadcasting: NaN where the base is below 0 and the power no whole number;
    /// 1 where the power is 0, even of NaN.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let (a, b) = (Tensor::from([2.0, 9.0]), Tensor::from([[3.0], [0.5]]));
    /// assert_eq!(a.pow(&b).slice(1, 1..).to_vec(), [729.0, 3.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn pow(&self, power: &Tensor<T>) -> Tensor<T> {
        self.zip_with(power, T::powf)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = a^b` element by element, with broadcasting: NaN where `a` is below 0 and `b` no whole number; 1 where `b` is 0, even of NaN.
    /// The derivative by `a` is 0 where `b` is 0, and that by `b` where `a` is 0 and `b` is not below 0, as in PyTorch. That by `b` is NaN
    /// where `a` is below 0.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let (a, b) = (tape.leaf(Tensor::from([3.0, 0.0])), tape.leaf(Tensor::scalar(2.0)));
    /// assert_eq!(a.pow(&b).value().to_vec(), [9.0, 0.0]);
    /// let gradients = a.pow(&b).backward();
    /// assert_eq!(gradients.wrt(&a).to_vec(), [6.0, 0.0]);
    /// assert_eq!(gradients.wrt(&b).item(), 9.0 * 3_f64.ln());
    /// ```
    #[track_caller]
    pub fn pow(&self, power: &Var<'t, T>) -> Var<'t, T> {
        apply(Pow, [self, power])
    }
}

compiled!(|x: &Var<T>, y: &Var<T>| x.pow(y));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_binary, assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let a = Var::constant(Tensor::from([[2.0, 9.0], [4.0, 0.25]]));
        let b = Var::constant(Tensor::from([3.0, 0.5]));
        assert_close(a.pow(&b).value(), &Tensor::from([[8.0, 3.0], [64.0, 0.5]]));
    }

    #[test]
    fn any_input() {
        assert_binary(Tensor::pow, |a, b| a.pow(b), f64::powf);
    }

    #[test]
    fn slopes_at_0() {
        for (a, b, da, db) in [
            (0.0, 0.0, 0.0, 0.0),
            (0.0, 1.0, 1.0, 0.0),
            (0.0, 0.5, f64::INFINITY, 0.0),
            (0.0, -1.0, f64::NEG_INFINITY, f64::NEG_INFINITY),
            (-2.0, 0.0, 0.0, f64::NAN),
            (-2.0, 3.0, 12.0, f64::NAN),
        ] {
            let tape = Tape::new();
            let (x, n) = (tape.leaf(Tensor::from([a])), tape.leaf(Tensor::from([b])));
            let gradients = x.pow(&n).backward();
            assert_eq!(gradients.wrt(&x).item(), da, "{a} {b}");
            assert_eq!(gradients.wrt(&n).item().to_string(), db.to_string(), "{a} {b}");
        }
    }

    #[test]
    fn gradient() {
        let (a, b) = (random(&[3, 2, 5], 0.3, 2.0, 1, 0), random(&[3, 2, 5], -2.0, 2.0, 2, 0));
        gradcheck(|[a, b]| a.pow(b), [a.clone(), b.clone()]).unwrap();
        // Repeated along the first axis, along an inner one, and both against each other.
        gradcheck(|[a, b]| a.pow(b), [a.clone(), b.slice(0, ..1)]).unwrap();
        gradcheck(|[a, b]| a.pow(b), [a.slice(1, ..1), b.slice(0, ..1).reshape([2, 5])]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(a in tensors(3, 0.1, 3.0), seed: u64) {
            let b = random(&a.shape()[1..], -2.0, 2.0, seed, 1);
            let y = Var::constant(a.clone()).pow(&Var::constant(b.clone()));
            let expected = Tensor::from_fn(a.shape(), |i| {
                (b.at([i[1], i[2]]) * a.at([i[0], i[1], i[2]]).ln()).exp()
            });
            assert_close(y.value(), &expected);
        }
    }
}
