//! Tensors side by side along an axis.

use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::par;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

struct Concat {
    axis: usize,
}

impl<T: Scalar, const N: usize> Op<T, N> for Concat {
    const NAME: &'static str = "concat";
    type Saved = [usize; N]; // the lengths along the axis

    fn forward(&self, inputs: [&Tensor<T>; N], _: [bool; N]) -> (Tensor<T>, [usize; N]) {
        let mut lengths = [0; N];
        let y = side_by_side(&inputs, self.axis, &mut lengths);
        (y, lengths)
    }

    // dx = the part of dy where x went
    fn backward(
        &self,
        lengths: [usize; N],
        dy: Tensor<T>,
        wanted: [bool; N],
    ) -> [Option<Tensor<T>>; N] {
        let mut dx = [const { None }; N];
        let mut start = 0;
        for i in 0..N {
            let range = start..start + lengths[i];
            start = range.end;
            dx[i] = wanted[i].then(|| dy.slice(self.axis, range));
        }
        dx
    }
}

/// Values that one thread puts together at a time, about.
const VALUES: usize = 1 << 14;

/// The inputs along the axis, and their lengths there.
#[inline(never)]
fn side_by_side<T: Scalar>(inputs: &[&Tensor<T>], axis: usize, lengths: &mut [usize]) -> Tensor<T> {
    let mut shape = inputs[0].shape().to_vec();
    for (x, length) in inputs.iter().zip(&mut *lengths) {
        *length = x.shape()[axis];
    }
    shape[axis] = lengths.iter().sum();
    let shape = Shape::from(&shape[..]);
    let inner: usize = shape[axis + 1..].iter().product();
    let row_len = shape[axis] * inner;
    let row_major: Vec<Tensor<T>> = inputs.iter().map(|x| x.row_major()).collect();
    let mut y = Buffer::stale(shape.count());
    let work = y.len();
    let rows_each = VALUES.div_ceil(row_len.max(1));
    par::for_each_part(
        &mut y,
        (rows_each * row_len).max(1),
        work,
        || (),
        |(), at, rows| {
            let mut start = 0;
            for (x, &length) in row_major.iter().zip(&*lengths) {
                let part = length * inner;
                let parts = &x.as_slice().expect("row-major")[at * rows_each * part..];
                if part > 0 {
                    for (row, part) in rows.chunks_exact_mut(row_len).zip(parts.chunks_exact(part))
                    {
                        row[start..][..part.len()].copy_from_slice(part);
                    }
                }
                start += part;
            }
        },
    );
    Tensor::from_buffer(shape, y)
}

/// The most inputs of one operation; more are put together in several.
const INPUTS: usize = 4;

impl<'t, T: Scalar> Var<'t, T> {
    /// Tensors side by side along an axis: all their other axes agree.
    ///
    /// # Panics
    /// When there are none, the axis does not exist, or another axis differs.
    ///
    /// ```
    /// use cinta::{Tensor, Var};
    /// let (a, b) = (Var::constant(Tensor::from([[1.0], [2.0]])), Var::constant(Tensor::from([[3.0, 4.0], [5.0, 6.0]])));
    /// assert_eq!(Var::concat(&[&a, &b], 1).value().to_vec(), [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn concat(parts: &[&Var<'t, T>], axis: usize) -> Var<'t, T> {
        let Some((first, rest)) = parts.split_first() else {
            panic!("concat: there is nothing to put together; give at least one variable")
        };
        let shape = first.shape();
        assert!(axis < shape.rank(), "concat: a tensor of shape {shape} has no axis {axis}");
        for part in rest {
            let other = part.shape();
            let fits = other.rank() == shape.rank()
                && (0..shape.rank()).all(|i| i == axis || other[i] == shape[i]);
            assert!(fits, "concat: {shape} and {other} differ in more than axis {axis}");
        }
        match *parts {
            [a] => a.clone(),
            [a, b] => apply(Concat { axis }, [a, b]),
            [a, b, c] => apply(Concat { axis }, [a, b, c]),
            [a, b, c, d] => apply(Concat { axis }, [a, b, c, d]),
            _ => {
                let some: Vec<Var<'t, T>> =
                    parts.chunks(INPUTS).map(|parts| Var::concat(parts, axis)).collect();
                Var::concat(&some.iter().collect::<Vec<_>>(), axis)
            }
        }
    }
}

compiled!(|x: &Var<T>, y: &Var<T>| Var::concat(&[x, y], 0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let (a, b) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[3.0, 4.0], [5.0, 6.0]]));
        let y = Var::concat(&[&Var::constant(a), &Var::constant(b)], 0);
        assert_close(y.value(), &Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    }

    #[test]
    fn gradient() {
        let x = |length, seed| random(&[2, length, 3], -2.0, 2.0, seed, 0);
        gradcheck(|[a, b]| Var::concat(&[a, b], 1), [x(2, 1), x(4, 2)]).unwrap();
        gradcheck(|[a, b, c]| Var::concat(&[a, b, c, a, b], 1), [x(2, 1), x(1, 2), x(3, 3)])
            .unwrap();
        let constant = Var::constant(x(2, 4));
        gradcheck(|[a]| Var::concat(&[&constant, a], 2).square(), [x(2, 5)]).unwrap();
    }

    /// So many values that they are put together block by block.
    #[test]
    fn several_blocks() {
        let rows = 3 * VALUES / 7 + 2;
        let value = |part: usize| move |at: &[usize]| (1000 * part + at[0] * 10 + at[1]) as f32;
        let parts = [2, 4, 1].map(|width| Tensor::from_fn([rows, width], value(width)));
        let y = Tensor::concat_along(&parts, 1);
        let mut start = 0;
        for part in &parts {
            let end = start + part.shape()[1];
            assert!(y.slice(1, start..end) == *part, "columns {start} to {end}");
            start = end;
        }
    }

    #[test]
    #[should_panic(expected = "concat: [2, 3] and [3, 3] differ in more than axis 1")]
    fn another_axis_differs() {
        let x = |n: usize| Var::constant(Tensor::<f64>::zeros([n, 3]));
        Var::concat(&[&x(2), &x(3)], 1);
    }

    proptest! {
        // Up to nine parts, some of them empty and some not row-major.
        #[test]
        fn definition(axis in 0usize..3, lengths in proptest::collection::vec(0usize..4, 1..10), flip in 0usize..10) {
            let part = |(i, &length): (usize, &usize)| {
                let mut dims = [3, 4, 5];
                dims[axis] = length;
                let x = random(&dims, -1.0, 1.0, i as u64, 0);
                if i == flip { x.flip(1) } else { x }
            };
            let parts: Vec<Tensor<f64>> = lengths.iter().enumerate().map(part).collect();
            let vars: Vec<Var<'_, f64>> = parts.iter().cloned().map(Var::constant).collect();
            let y = Var::concat(&vars.iter().collect::<Vec<_>>(), axis);
            let mut start = 0;
            for x in &parts {
                let end = start + x.shape()[axis];
                assert_eq!(y.value().slice(axis, start..end).to_vec(), x.to_vec());
                start = end;
            }
            assert_eq!(y.shape()[axis], start);
        }
    }
}
