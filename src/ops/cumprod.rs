//! `y_i = x_0 x_1 .. x_i` along an axis.

use super::flowing;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;
use num_traits::{One, Zero};

struct CumProd {
    axis: usize,
}

impl<T: Scalar> Op<T, 1> for CumProd {
    const NAME: &'static str = "cumprod";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        (x.cumprod(self.axis), x.clone())
    }

    // dx as `from_products` has it, row by row
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let (x, [_, len]) = x.rows(&[self.axis]);
        let mut rest = x.as_slice().expect("row-major");
        let dx = dy.map_rows(&[self.axis], &mut |dy| {
            let (x, after) = rest.split_at(len);
            rest = after;
            from_products(x, dy);
        });
        [Some(dx)]
    }
}

/// Makes `dx` of the gradients `dy` of the products `y_i = x_0 .. x_i`, in place:
/// `dx_i = x_0 .. x_(i-1) s_i` with `s_i = dy_i + x_(i+1) s_(i+1)`. Nothing is divided, so an `x` may be 0.
pub(super) fn from_products<T: Scalar>(x: &[T], dy: &mut [T]) {
    let mut flow = T::Wide::zero();
    for i in (0..x.len()).rev() {
        flow += dy[i].wide();
        dy[i] = T::narrow(flow);
        flow = flowing(flow, x[i].wide() * flow);
    }
    let mut before = T::Wide::one();
    for (&x, dy) in x.iter().zip(dy) {
        *dy = flowing(*dy, T::narrow(before * dy.wide()));
        before *= x.wide();
    }
}

impl<T: Scalar> Tensor<T> {
    /// The products of the first element, the first two, .. along an axis. They are accumulated in `f64`. A NaN stays from where it is.
    ///
    /// # Panics
    /// When the axis does not exist: so for a tensor without axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([[2.0, 3.0, 4.0]]).cumprod(1).to_vec(), [2.0, 6.0, 24.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn cumprod(&self, axis: usize) -> Tensor<T> {
        assert!(axis < self.rank(), "cumprod: axis {axis} of a tensor of shape {}", self.shape());
        self.map_rows(&[axis], &mut |row| {
            let mut product = T::Wide::one();
            for x in row {
                product *= x.wide();
                *x = T::narrow(product);
            }
        })
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The products `y_i = x_0 x_1 .. x_i` along an axis. Gradients are right where elements are 0.
    ///
    /// # Panics
    /// When the axis does not exist: so for a variable without axes.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([2.0, 0.0, 4.0]));
    /// assert_eq!(x.cumprod(0).value().to_vec(), [2.0, 0.0, 0.0]);
    /// assert_eq!(x.cumprod(0).backward().wrt(&x).to_vec(), [1.0, 2.0 + 2.0 * 4.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn cumprod(&self, axis: usize) -> Var<'t, T> {
        apply(CumProd { axis }, [self])
    }
}

compiled!(|x: &Var<T>| x.cumprod(0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, assert_scan, random, scanned, tensors};
    use proptest::prelude::*;

    fn by_definition(values: &[f64]) -> f64 {
        values.iter().fold(1.0, |product, x| product * x)
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
        assert_close(x.cumprod(0).value(), &Tensor::from([[1.0, 2.0], [3.0, 8.0]]));
        assert_close(x.cumprod(1).value(), &Tensor::from([[1.0, 2.0], [3.0, 12.0]]));
    }

    #[test]
    fn any_input() {
        assert_scan(Tensor::cumprod, |x, axis| x.cumprod(axis), by_definition);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        (0..3).for_each(|axis| gradcheck(|[x]| x.cumprod(axis), [x.clone()]).unwrap());
        // One zero in a row, and several.
        let x = Tensor::from([[0.0, 1.5, -2.0, 0.5], [1.0, 0.0, 3.0, 0.0], [0.0, 0.0, 0.0, 0.0]]);
        gradcheck(|[x]| x.cumprod(1), [x]).unwrap();
    }

    #[test]
    #[should_panic(expected = "cumprod: axis 2 of a tensor of shape [3, 1]")]
    fn no_such_axis() {
        Var::constant(Tensor::<f64>::zeros([3, 1])).cumprod(2);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axis in 0usize..3) {
            let expected = scanned(&x, axis, by_definition);
            assert_close(Var::constant(x).cumprod(axis).value(), &expected);
        }
    }
}
