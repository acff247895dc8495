//! The norm over axes: `y = (sum of |x|^p)^(1/p)`, and the largest `|x|` for an infinite order `p`.

use super::{max, sign, spread};
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Axes, Tensor, named};
use num_traits::Float;

struct Norm {
    order: f64,
    axes: Vec<usize>,
}

impl<T: Scalar> Op<T, 1> for Norm {
    const NAME: &'static str = "norm";
    type Saved = (Tensor<T>, Tensor<T>); // x, y

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Self::Saved) {
        let y = norm(x, self.order, &self.axes);
        let infinite = self.order == f64::INFINITY;
        let y = if infinite { max::evenly(&x.abs(), y, &self.axes) } else { y };
        (y.clone(), (x.clone(), y))
    }

    // dx = dy sign(x) (|x| / y)^(p - 1), and 0 where y is: for 1 dy sign(x), for 2 dy x / y. For infinity, dy sign(x) / n at the n
    // places where |x| = y.
    fn backward(&self, (x, y): Self::Saved, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let along = |y: &Tensor<T>| spread(y, x.shape(), &self.axes);
        let zero = T::zero();
        let less = T::lit(self.order - 1.0);
        let slope: Tensor<T> = match self.order {
            1.0 => x.sign(),
            2.0 => x.zip_with(&along(&y), |x, y| (x / y).kept_if(y != zero)),
            f64::INFINITY => {
                let share = max::shared(&x.abs(), &y, &dy, &self.axes);
                return [Some(share * x.sign())];
            }
            _ => x.zip_with(&along(&y), |x, y| {
                (sign(x) * (x.abs() / y).powf(less)).kept_if(y != zero)
            }),
        };
        [Some(slope * along(&dy))]
    }
}

#[track_caller]
#[inline(never)]
fn norm<T: Scalar>(x: &Tensor<T>, order: f64, axes: &[usize]) -> Tensor<T> {
    assert!(order >= 1.0, "norm: the order {order} is not at least 1");
    match order {
        1.0 => x.abs().sum(axes),
        2.0 => x.sum_squares(axes, &|sum| T::narrow(sum.sqrt())),
        f64::INFINITY => x.abs().max(axes),
        _ => {
            let powers = x.map(|x| x.abs().powf(T::lit(order)));
            powers.sum(axes).into_map(|sum| sum.powf(T::lit(1.0 / order)))
        }
    }
}

impl<T: Scalar> Tensor<T> {
    /// The norm of an order `p` over axes, which disappear from the shape: `(sum of |x|^p)^(1/p)`. So it is the sum of the absolute values
    /// for the order 1, the length of a vector for 2, and the largest absolute value for `f64::INFINITY`. 0 over no elements, NaN
    /// where there is one. (Over two axes, too, it is that of all elements; NumPy has norms of matrices there.)
    ///
    /// # Panics
    /// When an axis does not exist, when the order is below 1, and for that of infinity over no elements.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([3.0, -4.0]);
    /// assert_eq!([1.0, 2.0, f64::INFINITY].map(|order| x.norm(order, ..).item()), [7.0, 5.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn norm(&self, order: f64, axes: impl Axes) -> Tensor<T> {
        norm(self, order, &named(axes, self.rank()))
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The norm of an order `p` over axes, which disappear from the shape: `y = (sum of |x|^p)^(1/p)`. So it is the sum of the absolute
    /// values for the order 1, the length of a vector for 2, and the largest absolute value for `f64::INFINITY`.
    ///
    /// Where `x` is 0, the slope of the order 1 is taken as 0, and where all are 0, that of any order, as in PyTorch (JAX has NaN for the
    /// order 2). For infinity, those with the largest absolute value share the gradient evenly.
    ///
    /// # Panics
    /// When an axis does not exist, when the order is below 1, and for that of infinity over no elements.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[3.0, -4.0], [0.0, 0.0]]));
    /// assert_eq!(x.norm(2.0, 1).value().to_vec(), [5.0, 0.0]);
    /// assert_eq!(x.norm(2.0, 1).backward().wrt(&x).to_vec(), [0.6, -0.8, 0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn norm(&self, order: f64, axes: impl Axes) -> Var<'t, T> {
        apply(Norm { order, axes: named(axes, self.shape().rank()) }, [self])
    }
}

compiled!(|x: &Var<T>| (x.norm(2.0, ..), x.value().norm(2.0, ..)));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, assert_reduction, distinct, random, reduced, tensors};
    use proptest::prelude::*;

    const ORDERS: [f64; 5] = [1.0, 1.5, 2.0, 3.0, f64::INFINITY];

    fn by_definition(values: &[f64], order: f64) -> f64 {
        if order == f64::INFINITY {
            return values
                .iter()
                .fold(0.0, |a: f64, b| if a.is_nan() || a > b.abs() { a } else { b.abs() });
        }
        values.iter().map(|x| x.abs().powf(order)).sum::<f64>().powf(1.0 / order)
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, -2.0, 2.0], [0.0, 0.0, -7.0]]));
        assert_close(x.norm(1.0, 1).value(), &Tensor::from([5.0, 7.0]));
        assert_close(x.norm(2.0, 1).value(), &Tensor::from([3.0, 7.0]));
        assert_close(x.norm(3.0, 1).value(), &Tensor::from([17f64.cbrt(), 7.0]));
        assert_close(x.norm(f64::INFINITY, 1).value(), &Tensor::from([2.0, 7.0]));
    }

    #[test]
    fn any_input() {
        for order in ORDERS {
            assert_reduction(
                |x, axes| x.norm(order, axes),
                |x, axes| x.norm(order, axes),
                |values| by_definition(values, order),
                order != f64::INFINITY,
            );
        }
    }

    #[test]
    fn squares_beyond_the_largest_number() {
        assert_eq!(Tensor::<f32>::from([3e30, 4e30]).norm(2.0, ..).item(), 5e30);
    }

    #[test]
    fn slopes_at_0_and_of_equals() {
        let gradient = |order: f64, values: [f64; 3]| {
            let tape = Tape::new();
            let x = tape.leaf(Tensor::from(values));
            x.norm(order, ..).backward().wrt(&x).to_vec()
        };
        for order in ORDERS {
            assert_eq!(gradient(order, [0.0; 3]), [0.0; 3], "{order}");
        }
        assert_eq!(gradient(1.0, [0.0, -2.0, 3.0]), [0.0, -1.0, 1.0]);
        assert_eq!(gradient(f64::INFINITY, [3.0, -3.0, 1.0]), [0.5, -0.5, 0.0]);
        let y = Tensor::from([3.0, -3.0, 1.0]).dual(&Tensor::from([1.0, 2.0, 9.0]));
        let y = Var::constant(y).norm(f64::INFINITY, ..).into_value().item();
        assert_eq!((y.value, y.tangent), (3.0, -0.5));
    }

    #[test]
    fn gradient() {
        for order in ORDERS {
            let x = distinct([3, 2, 5]);
            gradcheck(|[x]| x.norm(order, 0), [x.clone()]).unwrap();
            gradcheck(|[x]| x.norm(order, [0, 2]), [x.clone()]).unwrap();
            gradcheck(|[x]| x.norm(order, ..), [x]).unwrap();
        }
        gradcheck(|[x]| x.norm(2.0, 1), [random(&[3, 5], -2.0, 2.0, 1, 0)]).unwrap();
    }

    #[test]
    #[should_panic(expected = "norm: the order 0.5 is not at least 1")]
    fn a_small_order() {
        Var::constant(Tensor::from([1.0, 2.0])).norm(0.5, ..);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axes in 0usize..8) {
            let axes: Vec<usize> = (0..3).filter(|axis| axes >> axis & 1 == 1).collect();
            for order in ORDERS {
                let expected = reduced(&x, &axes, |values| by_definition(values, order));
                assert_close(Var::constant(x.clone()).norm(order, &axes[..]).value(), &expected);
            }
        }
    }
}
