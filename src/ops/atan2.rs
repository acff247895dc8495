//! The angle `z = atan2(y, x)` of the point `(x, y)`, broadcast to the common shape.

use super::flowing;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Atan2;

impl<T: Scalar> Op<T, 2> for Atan2 {
    const NAME: &'static str = "atan2";
    type Saved = (Tensor<T>, Tensor<T>);

    fn forward(&self, [y, x]: [&Tensor<T>; 2], _: [bool; 2]) -> (Tensor<T>, Self::Saved) {
        (y.atan2(x), (y.clone(), x.clone()))
    }

    // dy = dz x / r^2 and dx = -dz y / r^2 with r^2 = x^2 + y^2, each 0 where dz is 0, and summed over what was repeated
    fn backward(
        &self,
        (y, x): Self::Saved,
        dz: Tensor<T>,
        wanted: [bool; 2],
    ) -> [Option<Tensor<T>>; 2] {
        // Divided twice, because r^2 may be too large or too small for a number.
        let share = |part: T, r: T| part / r / r;
        let by_y = |y: T, x: T| share(x, x.hypot(y));
        let by_x = |y: T, x: T| share(-y, x.hypot(y));
        let part = |slope: Tensor<T>, shape| {
            slope.into_zip_with(&dz, |slope, dz| flowing(dz, dz * slope)).sum_to(shape)
        };
        [
            wanted[0].then(|| part(y.zip_with(&x, by_y), y.shape())),
            wanted[1].then(|| part(y.zip_with(&x, by_x), x.shape())),
        ]
    }
}

impl<T: Scalar> Tensor<T> {
    /// The angle of the point `(x, y)`, where this is `y`, in radians from -pi to pi, element by element, with broadcasting.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let (y, x) = (Tensor::from([0.0, 2.0]), Tensor::from([1.0, 0.0]));
    /// assert_eq!(y.atan2(&x).to_vec(), [0.0, std::f64::consts::FRAC_PI_2]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn atan2(&self, x: &Tensor<T>) -> Tensor<T> {
        self.zip_with(x, T::atan2)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The angle of the point `(x, y)`, where this is `y`, in radians from -pi to pi, element by element, with broadcasting. At the point
    /// `(0, 0)` the slopes are NaN, as in JAX and PyTorch; where no gradient comes back, none goes on.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let (y, x) = (tape.leaf(Tensor::from([2.0])), tape.leaf(Tensor::from([0.0])));
    /// assert_eq!(y.atan2(&x).value().item(), std::f64::consts::FRAC_PI_2);
    /// assert_eq!(y.atan2(&x).backward().wrt(&x).item(), -0.5);
    /// ```
    #[track_caller]
    pub fn atan2(&self, x: &Var<'t, T>) -> Var<'t, T> {
        apply(Atan2, [self, x])
    }
}

compiled!(|x: &Var<T>, y: &Var<T>| x.atan2(y));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_binary, assert_close, random, tensors};
    use proptest::prelude::*;
    use std::f64::consts::PI;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([1.0, 1.0, -1.0, 0.0]));
        let x = Var::constant(Tensor::from([1.0, -1.0, -1.0, -1.0]));
        let expected = Tensor::from([0.25, 0.75, -0.75, 1.0]) * PI;
        assert_close(y.atan2(&x).value(), &expected);
    }

    #[test]
    fn any_input() {
        assert_binary(Tensor::atan2, |y, x| y.atan2(x), f64::atan2);
    }

    #[test]
    fn slopes_near_and_far() {
        for (y, x, dy, dx) in [
            (0.0, 1e-200, 1e200, 0.0),
            (3e200, 4e200, 4.0 / 25e200, -3.0 / 25e200),
            (0.0, 0.0, f64::NAN, f64::NAN),
        ] {
            let tape = Tape::new();
            let (y, x) = (tape.leaf(Tensor::from([y])), tape.leaf(Tensor::from([x])));
            let gradients = y.atan2(&x).backward();
            let near = crate::ops::testing::near;
            assert!(near(gradients.wrt(&y).item(), dy) && near(gradients.wrt(&x).item(), dx));
        }
    }

    #[test]
    fn gradient() {
        let (y, x) = (random(&[3, 2, 5], 0.5, 2.0, 1, 0), random(&[3, 2, 5], -2.0, 2.0, 2, 0));
        gradcheck(|[y, x]| y.atan2(x), [y.clone(), x.clone()]).unwrap();
        gradcheck(|[y, x]| y.atan2(x), [y.clone(), x.slice(0, ..1)]).unwrap();
        gradcheck(|[y, x]| y.atan2(x), [y.slice(1, ..1), x.slice(0, ..1).reshape([2, 5])]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(y in tensors(3, -2.0, 2.0), seed: u64) {
            let x = random(&y.shape()[1..], -2.0, 2.0, seed, 1);
            let angle = Var::constant(y.clone()).atan2(&Var::constant(x.clone()));
            // Half of the angle has the tangent y / (r + x).
            let expected = Tensor::from_fn(y.shape(), |i| {
                let (y, x) = (y.at([i[0], i[1], i[2]]), x.at([i[1], i[2]]));
                2.0 * (y / (x.hypot(y) + x)).atan()
            });
            assert!(angle.value().all_close(&expected, 1e-9, 1e-9));
        }
    }
}
