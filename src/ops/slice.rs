//! The part of a tensor between two indices of an axis.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};
use std::ops::Range;

struct Slice {
    axis: usize,
    range: Range<usize>,
}

impl<T: Scalar> Op<T, 1> for Slice {
    const NAME: &'static str = "slice";
    type Saved = Shape; // of x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Shape) {
        (x.slice(self.axis, self.range.clone()), x.shape())
    }

    // dx = dy in the slice, 0 around it
    fn backward(&self, x: Shape, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let mut dx = Tensor::zeros(x);
        let inner: usize = x[self.axis + 1..].iter().product();
        let (length, part) = (x[self.axis] * inner, self.range.len() * inner);
        if part > 0 {
            let rows = dx.as_mut_slice().chunks_exact_mut(length);
            for (row, dy) in rows.zip(dy.to_vec().chunks_exact(part)) {
                row[self.range.start * inner..][..part].copy_from_slice(dy);
            }
        }
        [Some(dx)]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The part of the tensor whose indices along `axis` lie in `range`.
    ///
    /// # Panics
    /// When the axis does not exist or the range goes beyond it.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 3.0]));
    /// assert_eq!(x.slice(0, 1..3).value().to_vec(), [2.0, 3.0]);
    /// assert_eq!(x.slice(0, 1..3).sum(..).backward().wrt(&x).to_vec(), [0.0, 1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn slice(&self, axis: usize, range: Range<usize>) -> Var<'t, T> {
        apply(Slice { axis, range }, [self])
    }
}

compiled!(|x: &Var<T>| x.slice(0, 0..1));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, indices, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
        assert_close(x.slice(1, 1..3).value(), &Tensor::from([[2.0, 3.0], [5.0, 6.0]]));
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4, 5], -2.0, 2.0, 1, 0);
        gradcheck(|[x]| x.slice(0, 1..3), [x.clone()]).unwrap();
        gradcheck(|[x]| x.slice(1, 1..2), [x.clone()]).unwrap();
        gradcheck(|[x]| x.slice(2, 0..4), [x]).unwrap();
    }

    #[test]
    #[should_panic(expected = "slice: 1..4 of axis 1 of a tensor of shape [2, 3]")]
    fn a_range_beyond_the_axis() {
        Var::constant(Tensor::<f64>::zeros([2, 3])).slice(1, 1..4);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axis in 0usize..3, a in 0usize..6, b in 0usize..6) {
            let len = x.shape()[axis];
            let (start, end) = (a.min(b).min(len), a.max(b).min(len));
            let y = Var::constant(x.clone()).slice(axis, start..end);
            assert_eq!(y.shape()[axis], end - start);
            for mut index in indices::<3>(y.value().dims()) {
                let value = y.value().at(index);
                index[axis] += start;
                assert_eq!(value, x.at(index));
            }
        }
    }
}
