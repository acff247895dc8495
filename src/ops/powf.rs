//! `y = x^n` with a number `n`, element by element.

use super::{Elementwise, elementwise, flowing};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Powf<T> {
    n: T,
}

impl<T: Scalar> Elementwise<T> for Powf<T> {
    fn name(&self) -> &'static str {
        "powf"
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.powf(self.n)
    }

    // dx = dy n x^(n - 1), and 0 if n is
    fn backward(&self, x: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        let n = self.n;
        let slope = |x: T| (n * x.powf(n - T::one())).kept_if(!n.is_zero());
        dy.into_zip_with(x, |dy, x| flowing(dy, dy * slope(x)))
    }
}

impl<T: Scalar> Tensor<T> {
    /// Every element to the power `n`: NaN where the element is below 0 and `n` is no whole number; 1 if `n` is 0, even of NaN.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([4.0, 0.25]).powf(1.5).to_vec(), [8.0, 0.125]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn powf(&self, n: T) -> Tensor<T> {
        self.map(|x| x.powf(n))
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = x^n` of every element: NaN where the element is below 0 and `n` is no whole number; 1 if `n` is 0, even of NaN. Where no
    /// gradient comes back, none goes on, even if the slope is infinite.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([4.0, 0.25]));
    /// assert_eq!(x.powf(1.5).value().to_vec(), [8.0, 0.125]);
    /// assert_eq!(x.powf(1.5).backward().wrt(&x).to_vec(), [3.0, 0.75]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn powf(&self, n: T) -> Var<'t, T> {
        elementwise(self, Powf { n })
    }
}

compiled!(|x: &Var<T>| x.powf(0.5));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([27.0, 0.0, 1.0])).powf(1.0 / 3.0);
        assert_close(y.value(), &Tensor::from([3.0, 0.0, 1.0]));
    }

    #[test]
    fn any_input() {
        for n in [0.0, 1.0, 2.0, 0.5, -1.0, -2.5, 3.0, f64::NAN] {
            assert_elementwise(|x| x.powf(n), |x| x.powf(n), |x| x.powf(n));
        }
    }

    #[test]
    fn slopes_at_0() {
        for (n, slope) in
            [(0.0, 0.0), (0.5, f64::INFINITY), (1.0, 1.0), (1.5, 0.0), (-1.0, f64::NEG_INFINITY)]
        {
            let tape = Tape::new();
            let x = tape.leaf(Tensor::from([0.0]));
            assert_eq!(x.powf(n).backward().wrt(&x).item(), slope, "{n}");
        }
    }

    #[test]
    fn gradient() {
        for n in [0.0, 1.0, 2.0, 0.5, -1.7] {
            gradcheck(|[x]| x.powf(n) + x, [random(&[3, 5], 0.3, 2.0, 1, 0)]).unwrap();
        }
        gradcheck(|[x]| x.powf(3.0), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, 0.1, 3.0), n in -3.0..3.0) {
            let y = Var::constant(x.clone()).powf(n);
            let expected: Vec<f64> = x.iter().map(|x| (n * x.ln()).exp()).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
