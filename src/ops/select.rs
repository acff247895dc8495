//! `y = a` where a mask is true, else `b`, broadcast to the common shape.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Mask, Shape, Tensor};

struct Select {
    mask: Mask,
}

impl<T: Scalar> Op<T, 2> for Select {
    const NAME: &'static str = "select";
    type Saved = [Shape; 2];

    fn forward(&self, [a, b]: [&Tensor<T>; 2], _: [bool; 2]) -> (Tensor<T>, [Shape; 2]) {
        (Tensor::select(&self.mask, a, b), [a.shape(), b.shape()])
    }

    // da = dy where the mask is true, db = dy elsewhere, each summed over what was repeated
    fn backward(
        &self,
        [a, b]: [Shape; 2],
        dy: Tensor<T>,
        wanted: [bool; 2],
    ) -> [Option<Tensor<T>>; 2] {
        let (mask, zero) = (&self.mask, &Tensor::zeros([]));
        [
            wanted[0].then(|| Tensor::select(mask, &dy, zero).sum_to(a)),
            wanted[1].then(|| Tensor::select(mask, zero, &dy).sum_to(b)),
        ]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `a` where the mask is true, else `b`, all three broadcast to their common shape: `where` in NumPy and JAX. The gradient goes to
    /// what was taken, and 0 to what was not, even if that is NaN. The operations before keep this 0, even where their slope is infinite
    /// (JAX has NaN there).
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// use cinta::{Tape, Tensor, Var};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([4.0, -1.0, 0.0]));
    /// let zero = Var::constant(Tensor::scalar(0.0));
    /// let y = Var::select(&x.value().greater(0.0), &x.sqrt(), &zero);
    /// assert_eq!(y.value().to_vec(), [2.0, 0.0, 0.0]);
    /// assert_eq!(y.backward().wrt(&x).to_vec(), [0.25, 0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn select(mask: &Mask, a: &Var<'t, T>, b: &Var<'t, T>) -> Var<'t, T> {
        apply(Select { mask: mask.clone() }, [a, b])
    }
}

compiled!(|m: &Mask, x: &Var<T>| Var::select(m, x, x));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let mask = Mask::from([[true, false], [false, true]]);
        let a = Var::constant(Tensor::from([1.0, 2.0]));
        let y = Var::select(&mask, &a, &Var::constant(Tensor::scalar(f64::INFINITY)));
        assert_eq!(y.value().to_vec(), [1.0, f64::INFINITY, f64::INFINITY, 2.0]);
    }

    /// JAX has NaN in the place of the second 0: 0 times the infinite slope of the root.
    #[test]
    fn what_is_not_taken_does_not_count() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([f64::NAN, 0.0, 4.0]));
        let mask = Mask::from([false, false, true]);
        let y = Var::select(&mask, &x.sqrt(), &Var::constant(Tensor::zeros([3])));
        assert_eq!(y.value().to_vec(), [0.0, 0.0, 2.0]);
        assert_eq!(y.backward().wrt(&x).to_vec(), [0.0, 0.0, 0.25]);
        // Nor does a gradient that is no number, on the other side.
        let tape = Tape::new();
        let (a, b) = (tape.leaf(Tensor::from([1.0, 2.0])), tape.leaf(Tensor::from([3.0, 4.0])));
        let y = Var::select(&Mask::from([true, false]), &a, &b);
        let gradients = y.backward_from(&Tensor::from([f64::NAN, 5.0]));
        assert_eq!(gradients.wrt(&b).to_vec(), [0.0, 5.0]);
    }

    #[test]
    fn without_elements_and_without_axes() {
        let scalar = |value: f64| Var::constant(Tensor::scalar(value));
        let one = Mask::new([], [true]);
        assert_eq!(Var::select(&one, &scalar(1.0), &scalar(2.0)).value(), &Tensor::scalar(1.0));
        let tape = Tape::new();
        let x = tape.leaf(Tensor::scalar(1.0));
        let y = Var::select(&Mask::new([0, 3], []), &x, &x);
        assert_eq!(y.shape(), [0, 3]);
        assert_eq!(y.backward().wrt(&x).item(), 0.0);
    }

    #[test]
    fn gradient() {
        let (a, b) = (random(&[3, 2, 5], -2.0, 2.0, 1, 0), random(&[3, 2, 5], -2.0, 2.0, 2, 0));
        let mask = a.less(&b);
        gradcheck(|[a, b]| Var::select(&mask, a, b), [b.clone(), a.clone()]).unwrap();
        let [few, row] = [a.slice(1, ..1), b.slice(0, ..1).reshape([2, 5])];
        gradcheck(|[a, b]| Var::select(&mask, a, b), [few.clone(), row.clone()]).unwrap();
        let column = mask.any(2).reshape([3, 2, 1]);
        gradcheck(|[a, b]| Var::select(&column, a, b), [few, row]).unwrap();
    }

    #[test]
    #[should_panic(expected = "select: a mask of shape [2] and values of shapes [3] and [3]")]
    fn shapes_that_do_not_fit() {
        let x = Var::constant(Tensor::<f64>::zeros([3]));
        Var::select(&Mask::from([true, false]), &x, &x);
    }

    proptest! {
        #[test]
        fn definition(a in tensors(3, -2.0, 2.0), layout in 0u8..4, seed: u64) {
            let b = random(&a.shape(), -2.0, 2.0, seed, layout);
            let row = random(&a.shape()[2..], -2.0, 2.0, seed, layout);
            let mask = a.less(&row);
            let y = Var::select(&mask, &Var::constant(a.clone()), &Var::constant(b.clone()));
            let expected = Tensor::from_fn(a.shape(), |i| {
                let at = [i[0], i[1], i[2]];
                if a.at(at) < row.at([i[2]]) { a.at(at) } else { b.at(at) }
            });
            prop_assert_eq!(y.value(), &expected);
            // A single row of the mask, for all.
            let mask = row.less(0.0);
            let y = Var::select(&mask, &Var::constant(a.clone()), &Var::constant(row.clone()));
            let expected = Tensor::from_fn(a.shape(), |i| {
                let row = row.at([i[2]]);
                if row < 0.0 { a.at([i[0], i[1], i[2]]) } else { row }
            });
            prop_assert_eq!(y.value(), &expected);
        }
    }
}
