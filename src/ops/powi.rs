//! `y = x^n` with a whole number `n`, element by element.

use super::{Elementwise, elementwise, flowing};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Powi {
    n: i32,
}

impl<T: Scalar> Elementwise<T> for Powi {
    fn name(&self) -> &'static str {
        "powi"
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.powi(self.n)
    }

    // dx = dy n x^(n - 1), and 0 if n is
    fn backward(&self, x: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        let n = self.n;
        let factor = T::lit(n.into());
        match n {
            0 => Tensor::zeros(dy.shape()),
            1.. => dy.into_zip_with(x, |dy, x| flowing(dy, dy * factor * x.powi(n - 1))),
            // The smallest whole number has none below it.
            _ => dy.into_zip_with(x, |dy, x| flowing(dy, dy * factor * (x.powi(n) / x))),
        }
    }
}

impl<T: Scalar> Tensor<T> {
    /// Every element to the power `n`, by multiplications; 1 if `n` is 0, even of NaN.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([-2.0, 0.5]).powi(3).to_vec(), [-8.0, 0.125]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn powi(&self, n: i32) -> Tensor<T> {
        self.map(|x| x.powi(n))
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = x^n` of every element, by multiplications; 1 if `n` is 0, even of NaN. Where no gradient comes back, none goes on, even if
    /// the slope is infinite.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([-2.0, 0.5]));
    /// assert_eq!(x.powi(3).value().to_vec(), [-8.0, 0.125]);
    /// assert_eq!(x.powi(3).backward().wrt(&x).to_vec(), [12.0, 0.75]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn powi(&self, n: i32) -> Var<'t, T> {
        elementwise(self, Powi { n })
    }
}

compiled!(|x: &Var<T>| x.powi(3));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([3.0, -2.0, 0.0])).powi(2);
        assert_close(y.value(), &Tensor::from([9.0, 4.0, 0.0]));
    }

    #[test]
    fn any_input() {
        for n in [0, 1, 2, 3, -1, -2, 17, i32::MAX, i32::MIN] {
            assert_elementwise(|x| x.powi(n), |x| x.powi(n), |x| x.powi(n));
        }
    }

    #[test]
    fn slopes_at_0_and_of_the_smallest_power() {
        for (x, n, slope) in [
            (0.0, 0, 0.0),
            (0.0, 1, 1.0),
            (0.0, 2, 0.0),
            (0.0, -1, f64::NEG_INFINITY),
            (-1.0, i32::MIN, -f64::from(i32::MIN)),
        ] {
            let tape = Tape::new();
            let x = tape.leaf(Tensor::from([x]));
            assert_eq!(x.powi(n).backward().wrt(&x).item(), slope, "{n}");
        }
    }

    #[test]
    fn gradient() {
        for n in [0, 1, 2, 3, 5] {
            gradcheck(|[x]| x.powi(n) + x, [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
        }
        gradcheck(|[x]| x.powi(-3), [random(&[3, 5], 0.4, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, 0.5, 2.0), n in -5i32..6) {
            let y = Var::constant(-&x).powi(n);
            let power = |x: f64| (0..n.abs()).fold(1.0, |power, _| if n < 0 { power / x } else { power * x });
            let expected: Vec<f64> = x.iter().map(|x| power(-x)).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
