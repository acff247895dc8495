//! The elements along axes as rows, whatever the axes and the memory order are.

use super::Tensor;
use super::shape::{Axes, MAX_RANK, Shape};
use crate::buffer::room;
use crate::scalar::{Scalar, compiled};

impl<T: Scalar> Tensor<T> {
    /// One number for the elements along the axes, which disappear from the shape. `f` gets them in reading order.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn fold_rows(&self, axes: &[usize], f: &mut dyn FnMut(&[T]) -> T) -> Tensor<T> {
        let (rows, [count, len]) = self.rows(axes);
        let values = rows.as_slice().expect("row-major");
        let mut folded = room(count);
        folded.extend((0..count).map(|row| f(&values[row * len..(row + 1) * len])));
        Tensor::new(self.shape.without(&axes.flags(self.rank())), folded)
    }

    /// A tensor of the same shape, whose elements along the axes `f` makes of those of this one, in place and in reading order.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn map_rows(&self, axes: &[usize], f: &mut dyn FnMut(&mut [T])) -> Tensor<T> {
        let (mut rows, [count, len]) = self.rows(axes);
        let values = rows.as_mut_slice();
        (0..count).for_each(|row| f(&mut values[row * len..(row + 1) * len]));
        let order = order(self.rank(), &axes.flags(self.rank()));
        let mut back = [0; MAX_RANK];
        (0..self.rank()).for_each(|axis| back[order[axis]] = axis);
        rows.reshape(self.reordered(&order).shape).reordered(&back)
    }

    /// A matrix, row-major, with the elements along the axes in each row, and its shape.
    #[track_caller]
    pub(crate) fn rows(&self, axes: &[usize]) -> (Tensor<T>, [usize; 2]) {
        let flags = &axes.flags(self.rank());
        let count = self.shape.without(flags).count();
        let len = (0..self.rank()).filter(|&a| flags[a]).map(|a| self.shape[a]).product();
        let rows = self.reordered(&order(self.rank(), flags)).row_major();
        (rows.reshape([count, len]), [count, len])
    }

    fn reordered(&self, order: &[usize; MAX_RANK]) -> Tensor<T> {
        let dims: Vec<usize> = order[..self.rank()].iter().map(|&axis| self.shape[axis]).collect();
        let strides =
            std::array::from_fn(|i| if i < self.rank() { self.strides[order[i]] } else { 0 });
        Tensor { shape: Shape::new(&dims), strides, ..self.clone() }
    }
}

/// The axes that are not flagged, then those that are.
fn order(rank: usize, flags: &[bool; MAX_RANK]) -> [usize; MAX_RANK] {
    let axes = (0..rank).filter(|&axis| !flags[axis]).chain((0..rank).filter(|&axis| flags[axis]));
    let mut order = [0; MAX_RANK];
    order.iter_mut().zip(axes).for_each(|(place, axis)| *place = axis);
    order
}

compiled!(|x: &Tensor<T>| (x.fold_rows(&[], &mut |x| x[0]), x.map_rows(&[], &mut |_| ())));
