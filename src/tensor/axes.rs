//! Axes moved, added and removed: views all of them.

use super::Tensor;
use super::shape::{MAX_RANK, Shape};
use crate::scalar::Scalar;

impl<T: Scalar> Tensor<T> {
    /// The tensor with two axes exchanged.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::<f32>::zeros([2, 3, 4]).swap_axes(0, 2).shape(), [4, 3, 2]);
    /// ```
    #[track_caller]
    pub fn swap_axes(&self, a: usize, b: usize) -> Tensor<T> {
        self.permuted(&swapped(self.shape(), a, b))
    }

    /// The tensor with axis `from` at the place `to`; the others keep their order.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::<f32>::zeros([2, 3, 4]).move_axis(0, 2).shape(), [3, 4, 2]);
    /// ```
    #[track_caller]
    pub fn move_axis(&self, from: usize, to: usize) -> Tensor<T> {
        self.permuted(&moved(self.shape(), from, to))
    }

    /// The tensor with another axis of length 1 at the place `axis`.
    ///
    /// # Panics
    /// When `axis` is larger than the number of axes, or there would be more than [`MAX_RANK`].
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::<f32>::zeros([2, 3]).expand_dims(1).shape(), [2, 1, 3]);
    /// ```
    #[track_caller]
    pub fn expand_dims(&self, axis: usize) -> Tensor<T> {
        self.reshape(expanded(self.shape(), axis))
    }

    /// The tensor without an axis, whose length is 1.
    ///
    /// # Panics
    /// When the axis does not exist, or has another length.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::<f32>::zeros([2, 1, 3]).squeeze(1).shape(), [2, 3]);
    /// ```
    #[track_caller]
    pub fn squeeze(&self, axis: usize) -> Tensor<T> {
        self.reshape(squeezed(self.shape(), axis))
    }

    /// The axes in another order, whose length is not known before. The order must be one.
    pub(crate) fn permuted(&self, order: &[usize]) -> Tensor<T> {
        let dims: Vec<usize> = order.iter().map(|&axis| self.shape[axis]).collect();
        let mut strides = [0; MAX_RANK];
        strides.iter_mut().zip(order).for_each(|(stride, &axis)| *stride = self.strides[axis]);
        Tensor { shape: Shape::new(&dims), strides, ..self.clone() }
    }

    /// The diagonal of the axes `[a, b]`, from their element `[0, offset]` or, if the offset is negative, `[-offset, 0]` on: the two
    /// disappear, and the diagonal is the last axis. A view; empty if the diagonal lies outside.
    ///
    /// # Panics
    /// When an axis does not exist, or both are the same.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.diagonal(0, [0, 1]).to_vec(), [1.0, 5.0]);
    /// assert_eq!(x.diagonal(1, [0, 1]).to_vec(), [2.0, 6.0]);
    /// assert_eq!(x.diagonal(-1, [0, 1]).to_vec(), [4.0]);
    /// ```
    #[track_caller]
    pub fn diagonal(&self, offset: isize, [a, b]: [usize; 2]) -> Tensor<T> {
        let shape = self.shape();
        assert!(
            a < shape.rank() && b < shape.rank() && a != b,
            "diagonal: the axes {a} and {b} of a tensor of shape {shape}"
        );
        let [down, right] = [offset.min(0).unsigned_abs(), offset.max(0).unsigned_abs()];
        let len = shape[a].saturating_sub(down).min(shape[b].saturating_sub(right));
        let others = (0..shape.rank()).filter(|&axis| axis != a && axis != b);
        let (mut dims, mut strides) = (Vec::new(), [0; MAX_RANK]);
        for axis in others {
            strides[dims.len()] = self.strides[axis];
            dims.push(shape[axis]);
        }
        strides[dims.len()] = self.strides[a].saturating_add(self.strides[b]);
        dims.push(len);
        let mut view = Tensor { shape: Shape::new(&dims), strides, ..self.clone() };
        if !view.is_empty() {
            let start = down as isize * self.strides[a] + right as isize * self.strides[b];
            view.offset = self.offset.wrapping_add_signed(start);
        }
        view
    }
}

/// The order of the axes with two exchanged.
#[track_caller]
pub(crate) fn swapped(shape: Shape, a: usize, b: usize) -> Vec<usize> {
    let rank = shape.rank();
    assert!(a < rank && b < rank, "swap_axes: axes {a} and {b} of a tensor of shape {shape}");
    let mut order: Vec<usize> = (0..rank).collect();
    order.swap(a, b);
    order
}

/// The order of the axes with one moved.
#[track_caller]
pub(crate) fn moved(shape: Shape, from: usize, to: usize) -> Vec<usize> {
    let rank = shape.rank();
    assert!(
        from < rank && to < rank,
        "move_axis: axis {from} to the place {to} of a tensor of shape {shape}"
    );
    let mut order: Vec<usize> = (0..rank).filter(|&axis| axis != from).collect();
    order.insert(to, from);
    order
}

/// A shape with another axis of length 1.
#[track_caller]
pub(crate) fn expanded(shape: Shape, axis: usize) -> Shape {
    assert!(axis <= shape.rank(), "expand_dims: place {axis} in a tensor of shape {shape}");
    let mut dims = shape.to_vec();
    dims.insert(axis, 1);
    Shape::new(&dims)
}

/// A shape without an axis of length 1.
#[track_caller]
pub(crate) fn squeezed(shape: Shape, axis: usize) -> Shape {
    assert!(axis < shape.rank(), "squeeze: axis {axis} of a tensor of shape {shape}");
    assert!(
        shape[axis] == 1,
        "squeeze: axis {axis} of a tensor of shape {shape} has the length {}, not 1",
        shape[axis]
    );
    let mut dims = shape.to_vec();
    dims.remove(axis);
    Shape::new(&dims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::testing::{Draw, LAYOUTS, laid_out};

    /// All of them by index arithmetic, for every memory order, and without a copy.
    #[test]
    fn definition() {
        for dims in [[2, 3, 4], [1, 5, 2], [3, 1, 1], [0, 2, 3]] {
            let values = Draw::new(3).whole::<f64>(dims.iter().product(), 99);
            for layout in 0..LAYOUTS {
                let x = laid_out(dims, &values, layout);
                let shared = |y: &Tensor<f64>| assert!(std::ptr::eq(&*x.data, &*y.data));
                for (a, b) in (0..3).flat_map(|a| (0..3).map(move |b| (a, b))) {
                    let (swapped, moved) = (x.swap_axes(a, b), x.move_axis(a, b));
                    shared(&swapped);
                    shared(&moved);
                    let count = x.len();
                    for at in (0..count)
                        .map(|i| [i / (dims[1] * dims[2]), i / dims[2] % dims[1], i % dims[2]])
                    {
                        let mut other = at;
                        other.swap(a, b);
                        assert_eq!(swapped.at(other), x.at(at));
                        let mut rest = at.to_vec();
                        let moving = rest.remove(a);
                        rest.insert(b, moving);
                        assert_eq!(moved.at([rest[0], rest[1], rest[2]]), x.at(at));
                    }
                    if a != b {
                        for offset in -4isize..=4 {
                            diagonals(&x, offset, [a, b]);
                        }
                    }
                }
                for axis in 0..=3 {
                    let y = x.expand_dims(axis);
                    shared(&y);
                    assert_eq!(y.shape()[axis], 1);
                    assert_eq!(y.to_vec(), values);
                    assert_eq!(y.squeeze(axis).shape(), x.shape());
                    shared(&y.squeeze(axis));
                }
            }
        }
        assert_eq!(Tensor::scalar(1.0).expand_dims(0).shape(), [1]);
        assert_eq!(Tensor::from([1.0]).squeeze(0).shape(), []);
    }

    fn diagonals(x: &Tensor<f64>, offset: isize, [a, b]: [usize; 2]) {
        let y = x.diagonal(offset, [a, b]);
        let c = 3 - a - b;
        let expected: Vec<f64> = (0..x.shape()[c])
            .flat_map(|k| (0..x.shape()[a] as isize).map(move |i| (k, i)))
            .filter(|&(_, i)| (0..x.shape()[b] as isize).contains(&(i + offset)))
            .map(|(k, i)| {
                let mut at = [0; 3];
                (at[a], at[b], at[c]) = (i as usize, (i + offset) as usize, k);
                x.at(at)
            })
            .collect();
        assert_eq!(y.to_vec(), expected);
        assert_eq!((y.rank(), y.shape()[0]), (2, x.shape()[c]));
    }

    #[test]
    #[should_panic(
        expected = "squeeze: axis 1 of a tensor of shape [2, 3] has the length 3, not 1"
    )]
    fn a_length_that_is_not_1() {
        Tensor::<f64>::zeros([2, 3]).squeeze(1);
    }

    #[test]
    #[should_panic(expected = "diagonal: the axes 1 and 1 of a tensor of shape [2, 3]")]
    fn a_diagonal_of_one_axis() {
        Tensor::<f64>::zeros([2, 3]).diagonal(0, [1, 1]);
    }

    #[test]
    #[should_panic(expected = "move_axis: axis 0 to the place 2 of a tensor of shape [2, 3]")]
    fn a_place_too_many() {
        Tensor::<f64>::zeros([2, 3]).move_axis(0, 2);
    }

    #[test]
    #[should_panic(expected = "swap_axes: axes 0 and 2 of a tensor of shape [2, 3]")]
    fn an_axis_too_many() {
        Tensor::<f64>::zeros([2, 3]).swap_axes(0, 2);
    }

    #[test]
    #[should_panic(expected = "expand_dims: place 3 in a tensor of shape [2, 3]")]
    fn a_place_beyond_the_end() {
        Tensor::<f64>::zeros([2, 3]).expand_dims(3);
    }
}
