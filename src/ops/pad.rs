//! Zeros, or another number, around a tensor.
//!
//! ```text
//! y[i, j, ..] = x[i - before_0, j - before_1, ..], and the number where that is outside of x
//! ```

use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::par;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{MAX_RANK, Order, Shape, Tensor};

struct Pad<T> {
    /// Of each axis the number of places before and after.
    border: [[usize; 2]; MAX_RANK],
    /// What is there.
    value: T,
}

impl<T: Scalar> Op<T, 1> for Pad<T> {
    const NAME: &'static str = "pad";
    type Saved = Shape; // of x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Shape) {
        let (shape, order) = (x.shape(), x.order());
        let mut border = self.border[..shape.rank()].to_vec();
        let sides = shape.iter().zip(&border);
        let padded: Vec<usize> =
            sides.map(|(side, [before, after])| before + side + after).collect();
        let padded = Shape::new(&padded);
        let mut y = Buffer::stale(padded.count());
        if x.is_empty() {
            y.fill(self.value);
        } else {
            let x = x.in_order(order);
            let mut dims = shape.to_vec();
            if order == Order::Innermost {
                dims.rotate_left(1);
                border.rotate_left(1);
            }
            let x = x.stored(order);
            if border.first() == Some(&[0, 0]) {
                let (from, to, work) = (x.len() / dims[0], y.len() / dims[0], 4 * y.len());
                let rest = (&border[1..], self.value);
                let part = |(): &mut (), i: usize, y: &mut [T]| {
                    place(&x[i * from..][..from], &dims[1..], rest, y);
                };
                par::for_each_part(&mut y, to, work, || (), part);
            } else {
                place(x, &dims, (&border, self.value), &mut y);
            }
        }
        (order.tensor(padded, y), shape)
    }

    // dx = the part of dy where x went
    fn backward(&self, x: Shape, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let inside = |dx: Tensor<T>, axis: usize| {
            let before = self.border[axis][0];
            dx.slice(axis, before..before + x[axis])
        };
        [Some((0..x.rank()).fold(dy, inside))]
    }
}

/// Copies `x` to its place in `y`, which is larger by the border of each axis, and fills that.
fn place<T: Scalar>(x: &[T], dims: &[usize], (border, value): (&[[usize; 2]], T), y: &mut [T]) {
    if x.len() == y.len() {
        return y.copy_from_slice(x);
    }
    let [before, after] = border[0];
    let inner = y.len() / (before + dims[0] + after);
    let (top, rest) = y.split_at_mut(before * inner);
    let (rows, bottom) = rest.split_at_mut(dims[0] * inner);
    top.fill(value);
    bottom.fill(value);
    for (x, y) in x.chunks_exact(x.len() / dims[0]).zip(rows.chunks_exact_mut(inner)) {
        place(x, &dims[1..], (&border[1..], value), y);
    }
}

impl<T: Scalar> Tensor<T> {
    /// The tensor with zeros around it: `border` has for each axis how many before and how many after. Around an empty tensor, and
    /// along an empty axis, there is nothing but zeros.
    ///
    /// # Panics
    /// When `border` does not have as many entries as there are axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0]]);
    /// assert_eq!(x.pad(&[[0, 1], [1, 0]]), Tensor::from([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]]));
    /// ```
    #[track_caller]
    pub fn pad(&self, border: &[[usize; 2]]) -> Tensor<T> {
        self.pad_constant(border, T::zero())
    }

    /// [`pad`](Self::pad) with any number in place of 0.
    ///
    /// # Panics
    /// When `border` does not have as many entries as there are axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0]).pad_constant(&[[1, 2]], 7.0).to_vec(), [7.0, 1.0, 7.0, 7.0]);
    /// ```
    #[track_caller]
    pub fn pad_constant(&self, border: &[[usize; 2]], value: T) -> Tensor<T> {
        Var::constant(self.clone()).pad_constant(border, value).into_value()
    }
}

/// Panics when the border is not one of a tensor of this shape.
#[track_caller]
pub(super) fn border_fits(op: &str, border: &[[usize; 2]], shape: Shape) {
    assert!(
        border.len() == shape.rank(),
        "{op}: a border of {} axes around a tensor of shape {shape}",
        border.len()
    );
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The tensor with zeros around it: `border` has for each axis how many before and how many after.
    ///
    /// # Panics
    /// When `border` does not have as many entries as there are axes.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 2.0]]));
    /// let y = x.pad(&[[0, 1], [1, 0]]);
    /// assert_eq!(y.value(), &Tensor::from([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]]));
    /// assert_eq!(y.square().sum(..).backward().wrt(&x).to_vec(), [2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn pad(&self, border: &[[usize; 2]]) -> Var<'t, T> {
        self.pad_constant(border, T::zero())
    }

    /// [`pad`](Self::pad) with any number in place of 0.
    ///
    /// # Panics
    /// When `border` does not have as many entries as there are axes.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0]));
    /// let y = x.pad_constant(&[[1, 0]], 7.0);
    /// assert_eq!(y.value().to_vec(), [7.0, 1.0, 2.0]);
    /// assert_eq!(y.square().sum(..).backward().wrt(&x).to_vec(), [2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn pad_constant(&self, border: &[[usize; 2]], value: T) -> Var<'t, T> {
        border_fits("pad", border, self.shape());
        let mut all = [[0; 2]; MAX_RANK];
        all[..border.len()].copy_from_slice(border);
        apply(Pad { border: all, value }, [self])
    }
}

compiled!(|x: &Var<T>| x.pad(&[[0, 1]]));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0], [2.0]]));
        let y = x.pad(&[[1, 0], [1, 1]]);
        assert_close(y.value(), &Tensor::from([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 2.0, 0.0]]));
        let y = Tensor::from([f64::NAN, 2.0]).pad_constant(&[[1, 1]], f64::INFINITY);
        assert_eq!((y.at([0]), y.at([2]), y.at([3])), (f64::INFINITY, 2.0, f64::INFINITY));
        assert!(y.at([1]).is_nan());
        assert_eq!(Tensor::scalar(3.0).pad(&[]), Tensor::scalar(3.0));
        let empty = Tensor::<f64>::zeros([0, 2]);
        assert_eq!(empty.pad_constant(&[[1, 0], [0, 0]], 5.0), Tensor::full([1, 2], 5.0));
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4, 5], -2.0, 2.0, 1, 0);
        gradcheck(|[x]| x.pad(&[[0, 0], [2, 1], [0, 3]]).square(), [x.clone()]).unwrap();
        gradcheck(|[x]| x.pad(&[[1, 1], [0, 0], [0, 0]]).square(), [x.clone()]).unwrap();
        gradcheck(|[x]| x.pad_constant(&[[1, 1], [0, 2], [0, 0]], 3.0).square(), [x]).unwrap();
    }

    #[test]
    #[should_panic(expected = "pad: a border of 1 axes around a tensor of shape [2, 3]")]
    fn a_border_of_other_axes() {
        Var::constant(Tensor::<f64>::zeros([2, 3])).pad(&[[1, 1]]);
    }

    proptest! {
        #[test]
        fn definition(
            dims in [0usize..4, 1usize..4, 1usize..4, 1usize..4], layout in 0u8..4,
            border in [[0usize..3, 0usize..3], [0usize..3, 0usize..3], [0usize..3, 0usize..3], [0usize..3, 0usize..3]],
        ) {
            let x = random(&dims, -1.0, 1.0, 1, if dims[0] == 0 { 0 } else { layout });
            let y = Var::constant(x.clone()).pad(&border);
            let padded: [usize; 4] = std::array::from_fn(|axis| dims[axis] + border[axis][0] + border[axis][1]);
            let expected = Tensor::from_fn(padded, |at| {
                let place: [usize; 4] = std::array::from_fn(|axis| at[axis].wrapping_sub(border[axis][0]));
                if (0..4).all(|axis| place[axis] < dims[axis]) { x.at(place) } else { 0.0 }
            });
            assert_close(y.value(), &expected);
            assert_close(&(x + 3.0).pad_constant(&border, 3.0), &(expected + 3.0));
        }
    }
}
