//! One of two tensors, element by element, as a mask says.

use super::{Mask, Tensor, walk};
use crate::buffer::Buffer;
use crate::par::split_off;
use crate::scalar::{Scalar, compiled};

impl<T: Scalar> Tensor<T> {
    /// `a` where the mask is true, else `b`, all three broadcast to their common shape: NumPy's `where`. What is not taken does not
    /// count, even if it is NaN.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([4.0, -1.0]);
    /// let y = Tensor::select(&x.less(0.0), &Tensor::scalar(0.0), &x.sqrt());
    /// assert_eq!(y.to_vec(), [2.0, 0.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn select(mask: &Mask, a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
        let common = a.shape.broadcast_with(&b.shape);
        let Some(shape) = common.and_then(|shape| shape.broadcast_with(&mask.shape())) else {
            panic!(
                "select: a mask of shape {} and values of shapes {} and {} do not broadcast to a common shape",
                mask.shape(),
                a.shape,
                b.shape
            )
        };
        let (a, b, places) = (a.broadcast_to(shape), b.broadcast_to(shape), mask.strides_in(shape));
        let mut values = Buffer::stale(shape.count());
        let mut rest = &mut values[..];
        walk::runs(
            shape,
            [&places, &a.strides, &b.strides],
            [0, a.offset as isize, b.offset as isize],
            &mut |len, at, step| {
                let piece = split_off(&mut rest, len);
                for (k, y) in (0..).zip(piece) {
                    let [m, i, j]: [isize; 3] = std::array::from_fn(|o| at[o] + k * step[o]);
                    *y = if mask.at_place(m) { a.data[i as usize] } else { b.data[j as usize] };
                }
            },
        );
        Tensor::from_buffer(shape, values)
    }

    /// `value` where the mask is true, else the element. The mask is broadcast to this shape.
    ///
    /// # Panics
    /// When the mask does not repeat to this shape.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([4.0, f64::NAN]);
    /// assert_eq!(x.masked_fill(&x.not_equal(&x), 0.0).to_vec(), [4.0, 0.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn masked_fill(&self, mask: &Mask, value: T) -> Tensor<T> {
        assert!(
            mask.shape().broadcast_with(&self.shape) == Some(self.shape),
            "masked_fill: a mask of shape {} does not repeat to {}",
            mask.shape(),
            self.shape
        );
        Tensor::select(mask, &Tensor::scalar(value), self)
    }
}

compiled!(|m: &Mask, x: &Tensor<T>| (Tensor::select(m, x, x), x.masked_fill(m, 0.0)));
