//! `y = scale x + shift` with two numbers: the operators between a variable and a number.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Affine<T> {
    scale: T,
    shift: T,
}

impl<T: Scalar> Op<T, 1> for Affine<T> {
    const NAME: &'static str = "affine";
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, ()) {
        (x.map(|x| self.scale * x + self.shift), ())
    }

    // dx = scale dy
    fn backward(&self, (): (), dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(dy * self.scale)]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = scale x + shift` of every element; the operators `x + 1.0`, `x * 2.0`, ... between a
    /// variable and a number are written with it.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0]));
    /// assert_eq!(x.affine(2.0, -1.0).value().to_vec(), [1.0, 3.0]);
    /// assert_eq!((&x * 2.0 - 1.0).value().to_vec(), [1.0, 3.0]);
    /// assert_eq!((1.0f64 - &x).sum(..).backward().wrt(&x).to_vec(), [-1.0, -1.0]);
    /// ```
    #[track_caller]
    pub fn affine(&self, scale: T, shift: T) -> Var<'t, T> {
        apply(Affine { scale, shift }, [self])
    }
}

/// `x op number` as `scale x + shift`.
macro_rules! scalar_operator {
    ($trait:ident, $method:ident, |$number:ident| $scale:expr, $shift:expr) => {
        impl<'t, T: Scalar> std::ops::$trait<T> for &Var<'t, T> {
            type Output = Var<'t, T>;
            #[track_caller]
            fn $method(self, $number: T) -> Var<'t, T> {
                self.affine($scale, $shift)
            }
        }

        impl<'t, T: Scalar> std::ops::$trait<T> for Var<'t, T> {
            type Output = Var<'t, T>;
            #[track_caller]
            fn $method(self, $number: T) -> Var<'t, T> {
                self.affine($scale, $shift)
            }
        }
    };
}

scalar_operator!(Add, add, |number| T::one(), number);
scalar_operator!(Sub, sub, |number| T::one(), -number);
scalar_operator!(Mul, mul, |number| number, T::zero());

/// Division by a number is rounded once: not multiplication by `1 / number`.
impl<'t, T: Scalar> std::ops::Div<T> for &Var<'t, T> {
    type Output = Var<'t, T>;
    #[track_caller]
    fn div(self, number: T) -> Var<'t, T> {
        self / Var::constant(Tensor::scalar(number))
    }
}

impl<'t, T: Scalar> std::ops::Div<T> for Var<'t, T> {
    type Output = Var<'t, T>;
    #[track_caller]
    fn div(self, number: T) -> Var<'t, T> {
        &self / number
    }
}

/// `number op x`, which Rust wants written for each type of number.
macro_rules! left_scalar_operator {
    ($type:ident, $trait:ident, $method:ident, |$number:ident| $scale:expr, $shift:expr) => {
        impl<'t> std::ops::$trait<&Var<'t, $type>> for $type {
            type Output = Var<'t, $type>;
            #[track_caller]
            fn $method(self, x: &Var<'t, $type>) -> Var<'t, $type> {
                let $number = self;
                x.affine($scale, $shift)
            }
        }

        impl<'t> std::ops::$trait<Var<'t, $type>> for $type {
            type Output = Var<'t, $type>;
            #[track_caller]
            fn $method(self, x: Var<'t, $type>) -> Var<'t, $type> {
                let $number = self;
                x.affine($scale, $shift)
            }
        }
    };
}

left_scalar_operator!(f32, Add, add, |number| 1.0, number);
left_scalar_operator!(f32, Sub, sub, |number| -1.0, number);
left_scalar_operator!(f32, Mul, mul, |number| number, 0.0);
left_scalar_operator!(f64, Add, add, |number| 1.0, number);
left_scalar_operator!(f64, Sub, sub, |number| -1.0, number);
left_scalar_operator!(f64, Mul, mul, |number| number, 0.0);

compiled!(|x: &Var<T>| x.affine(2.0, 1.0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([1.0, 4.0]));
        assert_close((&x + 2.0).value(), &Tensor::from([3.0, 6.0]));
        assert_close((&x - 2.0).value(), &Tensor::from([-1.0, 2.0]));
        assert_close((&x * 2.0).value(), &Tensor::from([2.0, 8.0]));
        assert_close((&x / 2.0).value(), &Tensor::from([0.5, 2.0]));
        assert_eq!((Var::constant(Tensor::scalar(49.0)) / 49.0).value().item(), 1.0);
        assert_close((2.0 + &x).value(), &Tensor::from([3.0, 6.0]));
        assert_close((2.0 - &x).value(), &Tensor::from([1.0, -2.0]));
        assert_close((2.0 * &x).value(), &Tensor::from([2.0, 8.0]));
    }

    #[test]
    fn gradient() {
        gradcheck(|[x]| x.affine(-3.0, 0.5), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
        gradcheck(|[x]| 2.0 - &(x / 4.0), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), scale in -2.0..2.0, shift in -2.0..2.0) {
            let expected: Vec<f64> = x.iter().map(|x| scale * x + shift).collect();
            let y = Var::constant(x.clone()).affine(scale, shift);
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
