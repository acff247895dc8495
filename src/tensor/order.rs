//! The two memory orders that kernels know.

use super::shape::{MAX_RANK, Shape};
use super::{Tensor, transpose};
use crate::buffer::Buffer;
use crate::scalar::Scalar;

/// How the elements of a batch lie in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// One sample behind the other.
    RowMajor,
    /// The first axis innermost, and the others row-major around it: a vector holds the same place of several images.
    Innermost,
}

impl Order {
    /// A tensor over values that lie in this order.
    pub(crate) fn tensor<T: Scalar>(self, shape: impl Into<Shape>, values: Buffer<T>) -> Tensor<T> {
        let row_major = Tensor::from_buffer(shape, values);
        match self {
            Order::RowMajor => row_major,
            Order::Innermost => Tensor { strides: innermost_strides(row_major.shape), ..row_major },
        }
    }
}

impl<T: Scalar> Tensor<T> {
    /// The order that a kernel which takes both should keep.
    pub(crate) fn order(&self) -> Order {
        let innermost = !self.is_row_major() && self.as_innermost().is_some();
        if innermost { Order::Innermost } else { Order::RowMajor }
    }

    /// The same values in an order: itself if they lie so already.
    #[track_caller]
    pub(crate) fn in_order(&self, order: Order) -> Tensor<T> {
        match order {
            Order::RowMajor => self.row_major(),
            Order::Innermost if self.as_innermost().is_some() => self.clone(),
            Order::Innermost => {
                let n = self.shape[0];
                let x = self.row_major();
                let values = x.stored(Order::RowMajor);
                let mut turned = Buffer::stale(values.len());
                transpose(values, [n, values.len() / n.max(1)], &mut turned);
                order.tensor(self.shape, turned)
            }
        }
    }

    /// The elements as they lie in memory.
    ///
    /// # Panics
    /// When they are not [in this order](Self::in_order).
    pub(crate) fn stored(&self, order: Order) -> &[T] {
        let values = match order {
            Order::RowMajor => self.as_slice(),
            Order::Innermost => self.as_innermost(),
        };
        values.unwrap_or_else(|| panic!("a tensor of shape {} is not {order:?}", self.shape))
    }

    /// The elements in memory order, if the first axis is innermost and the others are row-major.
    pub(super) fn as_innermost(&self) -> Option<&[T]> {
        let expected = innermost_strides(self.shape);
        let fits = self.rank() > 0
            && !self.is_empty()
            && (0..self.rank()).all(|a| self.shape[a] == 1 || self.strides[a] == expected[a]);
        fits.then(|| &self.data[self.offset..self.offset + self.len()])
    }
}

/// Strides with which the first axis is innermost, and the others are row-major around it.
fn innermost_strides(shape: Shape) -> [isize; MAX_RANK] {
    let mut strides = [0; MAX_RANK];
    if let Some((&n, sample)) = shape.split_first() {
        let inner = Shape::new(sample).row_major();
        for axis in 1..shape.rank() {
            strides[axis] = inner[axis - 1].saturating_mul(n.max(1) as isize);
        }
        strides[0] = 1;
    }
    strides
}
