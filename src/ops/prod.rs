//! The product over axes.

use super::cumprod::from_products;
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Axes, Tensor, named};
use num_traits::One;

struct Prod {
    axes: Vec<usize>,
}

impl<T: Scalar> Op<T, 1> for Prod {
    const NAME: &'static str = "prod";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        (product(x, &self.axes), x.clone())
    }

    // dx = dy times the product of all others: the product is the last of those of the first one, the first two, ..
    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let mut dy = dy.iter();
        let dx = x.map_rows(&self.axes, &mut |row| {
            let (x, dy) = (row.to_vec(), dy.next().expect("a gradient for each row"));
            row.fill(T::zero());
            row.iter_mut().next_back().into_iter().for_each(|last| *last = dy);
            from_products(&x, row);
        });
        [Some(dx)]
    }
}

#[track_caller]
#[inline(never)]
fn product<T: Scalar>(x: &Tensor<T>, axes: &[usize]) -> Tensor<T> {
    x.fold_rows(axes, &mut |row| {
        T::narrow(row.iter().fold(T::Wide::one(), |product, x| product * x.wide()))
    })
}

impl<T: Scalar> Tensor<T> {
    /// The product over axes, which disappear from the shape; 1 over no elements, NaN where there is one. It is accumulated in `f64`.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 2.0], [3.0, 4.0]]).prod(1).to_vec(), [2.0, 12.0]);
    /// ```
    #[track_caller]
    pub fn prod(&self, axes: impl Axes) -> Tensor<T> {
        product(self, &named(axes, self.rank()))
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The product over axes, which disappear from the shape: one axis, several (`[0, 2]`), or all (`..`). Of no elements, it is 1.
    /// Gradients are right where elements are 0.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([2.0, 0.0, 4.0]));
    /// assert_eq!(x.prod(..).value().item(), 0.0);
    /// assert_eq!(x.prod(..).backward().wrt(&x).to_vec(), [0.0, 8.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn prod(&self, axes: impl Axes) -> Var<'t, T> {
        apply(Prod { axes: named(axes, self.shape().rank()) }, [self])
    }
}

compiled!(|x: &Var<T>| x.prod(..));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, assert_reduction, random, reduced, tensors};
    use proptest::prelude::*;

    fn by_definition(values: &[f64]) -> f64 {
        values.iter().fold(1.0, |product, x| product * x)
    }

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
        assert_close(x.prod(0).value(), &Tensor::from([4.0, 10.0, 18.0]));
        assert_close(x.prod(..).value(), &Tensor::scalar(720.0));
    }

    #[test]
    fn any_input() {
        assert_reduction(|x, axes| x.prod(axes), |x, axes| x.prod(axes), by_definition, true);
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        gradcheck(|[x]| x.prod(0), [x.clone()]).unwrap();
        gradcheck(|[x]| x.prod([0, 2]), [x.clone()]).unwrap();
        gradcheck(|[x]| x.prod(..), [x]).unwrap();
        // One zero in a row, and several.
        let x = Tensor::from([[0.0, 1.5, -2.0, 0.5], [1.0, 0.0, 3.0, 0.0], [0.0, 0.0, 0.0, 0.0]]);
        gradcheck(|[x]| x.prod(1), [x]).unwrap();
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axes in 0usize..8) {
            let axes: Vec<usize> = (0..3).filter(|axis| axes >> axis & 1 == 1).collect();
            let expected = reduced(&x, &axes, by_definition);
            assert!(Var::constant(x).prod(&axes[..]).value().all_close(&expected, 1e-10, 1e-12));
        }
    }
}
