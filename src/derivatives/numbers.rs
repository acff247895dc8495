//! Plain numbers among vars of dual numbers: `x * 2.0` reads the same whatever `x` is made of.

use crate::autograd::Var;
use crate::scalar::{Dual, Scalar};

/// `x op number`, for vars that are owned and borrowed.
macro_rules! number_operator {
    ($($trait:ident $method:ident),*) => {$(
        impl<'t, T: Scalar> std::ops::$trait<f64> for &Var<'t, Dual<T>> {
            type Output = Var<'t, Dual<T>>;
            #[track_caller]
            fn $method(self, number: f64) -> Var<'t, Dual<T>> {
                std::ops::$trait::$method(self, Dual::<T>::lit(number))
            }
        }

        impl<'t, T: Scalar> std::ops::$trait<f64> for Var<'t, Dual<T>> {
            type Output = Var<'t, Dual<T>>;
            #[track_caller]
            fn $method(self, number: f64) -> Var<'t, Dual<T>> {
                std::ops::$trait::$method(self, Dual::<T>::lit(number))
            }
        }
    )*};
}

number_operator!(Add add, Sub sub, Mul mul, Div div);

/// `number op x`, in the same way: `|x, number|` and what that is.
macro_rules! left_number_operator {
    ($($trait:ident $method:ident |$x:ident, $number:ident| $of:expr),*) => {$(
        impl<'t, T: Scalar> std::ops::$trait<&Var<'t, Dual<T>>> for f64 {
            type Output = Var<'t, Dual<T>>;
            #[track_caller]
            fn $method(self, $x: &Var<'t, Dual<T>>) -> Var<'t, Dual<T>> {
                let $number = Dual::<T>::lit(self);
                $of
            }
        }

        impl<'t, T: Scalar> std::ops::$trait<Var<'t, Dual<T>>> for f64 {
            type Output = Var<'t, Dual<T>>;
            #[track_caller]
            fn $method(self, $x: Var<'t, Dual<T>>) -> Var<'t, Dual<T>> {
                let $number = Dual::<T>::lit(self);
                $of
            }
        }
    )*};
}

left_number_operator!(
    Add add |x, number| x + number,
    Sub sub |x, number| x.affine(Dual::lit(-1.0), number),
    Mul mul |x, number| x * number
);

#[cfg(test)]
mod tests {
    use crate::derivatives::hessian;
    use crate::tensor::Tensor;

    #[test]
    fn numbers_on_both_sides() {
        let x = Tensor::<f64>::scalar(3.0);
        let [[second]] = hessian(
            |[x]| {
                let y = 2.0 * (x * x) - 1.0 + 4.0 * (1.0 - x) * (x + 2.0) / 2.0;
                (1.0 + &y) * (2.0 - &y) * (&y - 1.0) * 0.5 / (1.0 + y) * 2.0
            },
            [&x],
        );
        // y = 3 - 2 x, and (2 - y) (y - 1) has the second derivative -2 y'^2.
        assert!((second.item() + 8.0).abs() < 1e-12, "{second:?}");
    }
}
