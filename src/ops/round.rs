//! `y = round(x)`, element by element.

use super::{Elementwise, Saves, each, elementwise};
use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct Round;

/// To the nearest whole number, and from the middle between two to the even one. (`Float::round` goes away from 0.)
fn rounded<T: Scalar>(x: T) -> T {
    let half = T::lit(0.5);
    if (x - x.trunc()).abs() == half { (x * half).round() / half } else { x.round() }
}

impl<T: Scalar> Elementwise<T> for Round {
    fn name(&self) -> &'static str {
        "round"
    }

    fn saves(&self) -> Saves {
        Saves::Nothing
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T> {
        x.round()
    }

    // dx = 0
    fn backward(&self, _: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
        Tensor::zeros(dy.shape())
    }
}

impl<T: Scalar> Tensor<T> {
    /// The whole number nearest to each element: the even one of two that are, as in NumPy.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([0.5, 1.5, 2.5, -0.7]).round().to_vec(), [0.0, 2.0, 2.0, -1.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn round(&self) -> Tensor<T> {
        each(self, rounded)
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The whole number nearest to each element: the even one of two that are, as in NumPy.
    /// Its slope is taken as 0 everywhere, also at the steps, as in JAX and PyTorch.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.5, 1.5, -0.7]));
    /// assert_eq!(x.round().value().to_vec(), [0.0, 2.0, -1.0]);
    /// assert_eq!(x.round().sum(..).backward().wrt(&x).to_vec(), [0.0; 3]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn round(&self) -> Var<'t, T> {
        elementwise(self, Round)
    }
}

compiled!(|x: &Var<T>| x.round());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, assert_elementwise, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let y = Var::constant(Tensor::from([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, 2.6])).round();
        assert_close(y.value(), &Tensor::from([0.0, 2.0, 2.0, 0.0, -2.0, 2.0, 3.0]));
    }

    #[test]
    fn any_input() {
        assert_elementwise(Tensor::round, |x| x.round(), f64::round_ties_even);
    }

    /// Halves, what is next to them, and numbers so large that all are whole.
    #[test]
    fn ties_go_to_the_even_number() {
        for half in (-9..9).map(|whole| f64::from(whole) + 0.5) {
            for x in
                [half, half.next_up(), half.next_down(), half + 2f64.powi(51), half * 2f64.powi(60)]
            {
                assert_eq!(rounded(x), x.round_ties_even(), "{x}");
            }
        }
        assert!(rounded(-0.5f64).is_sign_negative() && rounded(f64::NAN).is_nan());
        assert_eq!(rounded(8_388_607.5_f32), 8_388_608.0);
    }

    #[test]
    fn nothing_flows_back() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([0.0, 1.0, 0.5, -2.5, f64::NAN, f64::INFINITY]));
        let dy = Tensor::from([1.0, f64::NAN, f64::INFINITY, 1.0, 1.0, 1.0]);
        assert_eq!(x.round().backward_from(&dy).wrt(&x).to_vec(), [0.0; 6]);
    }

    #[test]
    fn gradient() {
        // Away from the steps.
        let x = random(&[3, 5], 0.1, 0.4, 1, 0) + Tensor::from([-2.0, -1.0, 0.0, 1.0, 2.0]);
        gradcheck(|[x]| x.round() + x, [x]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0)) {
            let y = Var::constant(x.clone()).round();
            let expected: Vec<f64> = x.iter().map(|x| (-4..4).map(f64::from).min_by(|a, b| (a - x).abs().total_cmp(&(b - x).abs())).unwrap()).collect();
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
