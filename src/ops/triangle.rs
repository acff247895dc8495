//! The upper and the lower triangle of matrices.
//!
//! ```text
//! triu: y[.., i, j] = x[.., i, j] where j >= i + offset, else 0        tril: where j <= i + offset
//! ```
//!
//! Tensors of any strides are read; the result is row-major.

use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

#[derive(Clone, Copy)]
struct Triangle {
    upper: bool,
    offset: isize,
}

impl<T: Scalar> Op<T, 1> for Triangle {
    const NAME: &'static str = "triangle";
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, ()) {
        (self.of(x), ())
    }

    // dx = the same triangle of dy
    fn backward(&self, (): (), dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(self.of(&dy))]
    }
}

impl Triangle {
    #[track_caller]
    fn of<T: Scalar>(self, x: &Tensor<T>) -> Tensor<T> {
        let shape = x.shape();
        let [.., rows, columns] = shape[..] else { unreachable!("at least two axes") };
        let x = x.row_major();
        let values = x.as_slice().expect("row-major");
        let mut y = Buffer::zeroed(values.len());
        let pairs = y.chunks_exact_mut(columns.max(1)).zip(values.chunks_exact(columns.max(1)));
        for (i, (y, x)) in pairs.enumerate() {
            // The upper triangle from here on, the lower one to before here.
            let first = self.offset.saturating_add_unsigned(i % rows);
            let end = if self.upper { first } else { first.saturating_add(1) };
            let end = end.clamp(0, columns as isize) as usize;
            let kept = if self.upper { end..columns } else { 0..end };
            y[kept.clone()].copy_from_slice(&x[kept]);
        }
        Tensor::from_buffer(shape, y)
    }
}

impl<T: Scalar> Tensor<T> {
    /// The upper triangle of the last two axes: what is on the diagonal that starts at `offset`, and above; 0 below, even where NaN was.
    ///
    /// # Panics
    /// When there are fewer than two axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.triu(0), Tensor::from([[1.0, 2.0], [0.0, 4.0]]));
    /// assert_eq!(x.triu(1), Tensor::from([[0.0, 2.0], [0.0, 0.0]]));
    /// ```
    #[track_caller]
    pub fn triu(&self, offset: isize) -> Tensor<T> {
        Var::constant(self.clone()).triangle("triu", true, offset).into_value()
    }

    /// The lower triangle of the last two axes: what is on the diagonal that starts at `offset`, and below; 0 above, even where NaN was.
    ///
    /// # Panics
    /// When there are fewer than two axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.tril(0), Tensor::from([[1.0, 0.0], [3.0, 4.0]]));
    /// assert_eq!(x.tril(-1), Tensor::from([[0.0, 0.0], [3.0, 0.0]]));
    /// ```
    #[track_caller]
    pub fn tril(&self, offset: isize) -> Tensor<T> {
        Var::constant(self.clone()).triangle("tril", false, offset).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The upper triangle of the last two axes, as [`Tensor::triu`].
    ///
    /// # Panics
    /// When there are fewer than two axes.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let y = x.triu(0).square().sum(..);
    /// assert_eq!(y.backward().wrt(&x), Tensor::from([[2.0, 4.0], [0.0, 8.0]]));
    /// ```
    #[track_caller]
    pub fn triu(&self, offset: isize) -> Var<'t, T> {
        self.triangle("triu", true, offset)
    }

    /// The lower triangle of the last two axes, as [`Tensor::tril`].
    ///
    /// # Panics
    /// When there are fewer than two axes.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let y = x.tril(0).square().sum(..);
    /// assert_eq!(y.backward().wrt(&x), Tensor::from([[2.0, 0.0], [6.0, 8.0]]));
    /// ```
    #[track_caller]
    pub fn tril(&self, offset: isize) -> Var<'t, T> {
        self.triangle("tril", false, offset)
    }

    #[track_caller]
    #[inline(never)]
    fn triangle(&self, op: &str, upper: bool, offset: isize) -> Var<'t, T> {
        let shape = self.shape();
        assert!(shape.rank() >= 2, "{op}: needs two axes, and the shape is {shape}");
        apply(Triangle { upper, offset }, [self])
    }
}

compiled!(|x: &Var<T>| x.triu(0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_close(&x.triu(1), &Tensor::from([[0.0, 2.0, 3.0], [0.0, 0.0, 6.0]]));
        assert_close(&x.tril(1), &Tensor::from([[1.0, 2.0, 0.0], [4.0, 5.0, 6.0]]));
        assert_eq!(x.triu(isize::MIN), x);
        assert_eq!(x.tril(isize::MAX), x);
        assert_eq!(x.tril(isize::MIN), Tensor::zeros([2, 3]));
        // What is cut off may be anything.
        let nan = Tensor::from([[1.0, f64::NAN], [f64::NAN, f64::NAN]]);
        assert_eq!(nan.tril(-2).triu(0), Tensor::zeros([2, 2]));
        assert!(nan.triu(1).at([0, 1]).is_nan());
        for dims in [[0, 3], [3, 0]] {
            assert_eq!(Tensor::<f64>::zeros(dims).triu(0).shape(), dims);
        }
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4, 5], -2.0, 2.0, 1, 0);
        for offset in [-1, 0, 2] {
            gradcheck(|[x]| x.triu(offset).square(), [x.clone()]).unwrap();
            gradcheck(|[x]| x.tril(offset).square(), [x.clone()]).unwrap();
        }
    }

    #[test]
    #[should_panic(expected = "tril: needs two axes, and the shape is [3]")]
    fn of_a_vector() {
        Tensor::<f64>::zeros([3]).tril(0);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), offset in -6isize..6) {
            let [a, b, c] = x.dims();
            let kept = |keep: &dyn Fn(isize) -> bool| Tensor::from_fn([a, b, c], |at| {
                if keep(at[2] as isize - at[1] as isize) { x.at([at[0], at[1], at[2]]) } else { 0.0 }
            });
            assert_close(&x.triu(offset), &kept(&|k| k >= offset));
            assert_close(&x.tril(offset), &kept(&|k| k <= offset));
        }
    }
}
