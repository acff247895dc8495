//! Zeros around a tensor.
//!
//! ```text
//! y[i, j, ..] = x[i - before_0, j - before_1, ..], and 0 where that is outside of x
//! ```

use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{MAX_RANK, Order, Shape, Tensor};

struct Pad {
    /// Of each axis the number of zeros before and after.
    border: [[usize; 2]; MAX_RANK],
}

impl<T: Scalar> Op<T, 1> for Pad {
    const NAME: &'static str = "pad";
    type Saved = Shape; // of x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Shape) {
        let (shape, order) = (x.shape(), x.order());
        let mut border = self.border[..shape.rank()].to_vec();
        let sides = shape.iter().zip(&border);
        let padded: Vec<usize> =
            sides.map(|(side, [before, after])| before + side + after).collect();
        let padded = Shape::new(&padded);
        let mut y = Buffer::zeroed(padded.count());
        if !x.is_empty() {
            let x = x.in_order(order);
            let mut dims = shape.to_vec();
            if order == Order::Innermost {
                dims.rotate_left(1);
                border.rotate_left(1);
            }
            place(x.stored(order), &dims, &border, &mut y);
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

/// Copies `x` to its place in `y`, which is larger by the border of each axis.
fn place<T: Scalar>(x: &[T], dims: &[usize], border: &[[usize; 2]], y: &mut [T]) {
    if x.len() == y.len() {
        return y.copy_from_slice(x);
    }
    let [before, after] = border[0];
    let inner = y.len() / (before + dims[0] + after);
    let rows = y.chunks_exact_mut(inner).skip(before);
    for (x, y) in x.chunks_exact(x.len() / dims[0]).zip(rows) {
        place(x, &dims[1..], &border[1..], y);
    }
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
        let shape = self.shape();
        assert_eq!(
            border.len(),
            shape.rank(),
            "pad: a border of {} axes around a tensor of shape {shape}",
            border.len()
        );
        let mut all = [[0; 2]; MAX_RANK];
        all[..border.len()].copy_from_slice(border);
        apply(Pad { border: all }, [self])
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
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 4, 5], -2.0, 2.0, 1, 0);
        gradcheck(|[x]| x.pad(&[[0, 0], [2, 1], [0, 3]]).square(), [x.clone()]).unwrap();
        gradcheck(|[x]| x.pad(&[[1, 1], [0, 0], [0, 0]]).square(), [x]).unwrap();
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
        }
    }
}
