//! The tensor: shared data seen through a shape and strides.
//!
//! Shape is meaning, strides are memory. `permute`, `slice`, `broadcast_to` and `windows` change
//! only the view and cost the same for any size; the elements are shared until somebody writes to
//! them (copy-on-write). Images are `[n, h, w, c]`: channels last, always.

// Arrays whose lengths are constants are indexed: loops over `0..N` are what the compiler unrolls and makes vectors of.
#![allow(clippy::needless_range_loop, reason = "unrolled loops over arrays of constant length")]

#[cfg(feature = "approx")]
mod approximate;
mod axes;
mod cast;
mod compare;
mod construct;
mod display;
#[cfg(feature = "half")]
mod halves;
mod indices;
mod iter;
mod mask;
mod math;
#[cfg(feature = "ndarray")]
mod ndarrays;
#[cfg(test)]
mod oracle;
mod order;
mod pointwise;
mod random;
mod reduce;
mod rows;
mod select;
#[cfg(feature = "serde")]
mod serialized;
mod shape;
mod stored;
#[cfg(test)]
pub(crate) mod testing;
mod transpose;
mod unique;
mod views;
mod walk;

pub(crate) use axes::{expanded, moved, squeezed, swapped};
pub use compare::Comparand;
pub use indices::Indices;
pub use iter::Elements;
pub use mask::Mask;
pub(crate) use order::Order;
pub(crate) use pointwise::{
    Exp, Logistic, Pointwise, Rule, Tanh, all_finite, map_in_place, move_slices, pointwise,
    zip_slice,
};
pub use random::Stream;
pub(crate) use random::{fans, standard_normal, unit};
pub(crate) use reduce::sum_of_squares;
pub(crate) use shape::named;
pub use shape::{Axes, MAX_RANK, Shape};
pub use unique::Unique;
pub(crate) use unique::ascending;

pub(crate) use transpose::transpose;

use crate::buffer::{Buffer, room};
use crate::par::split_off;
use crate::scalar::{Scalar, compiled};
use std::sync::Arc;
use stored::Stored;

/// An array of `f32` or `f64` with up to [`MAX_RANK`] axes.
///
/// Cloning and every view are O(1) and share the data. Row-major is the order that
/// [`to_vec`](Self::to_vec) and [`iter`](Self::iter) read in, whatever the strides are.
///
/// ```
/// use cinta::Tensor;
/// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// assert_eq!(x.shape(), [2, 3]);
/// assert_eq!(x.permute([1, 0]).to_vec(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
/// assert_eq!((&x * 2.0).sum(..).item(), 42.0);
/// ```
///
/// # In and out
///
/// Lists and vectors become tensors by `From`, and iterators by `collect`; [`to_vec`](Self::to_vec) and [`as_slice`](Self::as_slice) are the way
/// back. [`to_bytes`](Self::to_bytes) and [`from_bytes`](Self::from_bytes) are for formats of one's own. With features there are files of NumPy
/// (`npy`), arrays and views of `ndarray` (`ndarray`, without a copy), numbers of 16 bits (`half`) and all that `serde` can do (`serde`).
///
/// Any other library takes slices. A matrix of `nalgebra` is column-major, so its slice is that of the transposed tensor: from a matrix `m` it is
/// `Tensor::new([m.ncols(), m.nrows()], m.as_slice()).t()`, and to a matrix `DMatrix::from_row_slice(rows, columns, &x.to_vec())`, or, without
/// a copy, `DMatrixView::from_slice(x.as_slice()?, columns, rows)`, which sees the matrix transposed.
///
/// ```
/// use cinta::Tensor;
/// // The numbers of a column-major matrix of two rows and three columns, as `nalgebra` has them.
/// let columns = [1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
/// let x = Tensor::new([3, 2], columns).t();
/// assert_eq!(x, Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
/// assert_eq!(x.t().to_vec(), columns); // and back
/// ```
#[derive(Clone)]
pub struct Tensor<T: Scalar = f32> {
    data: Arc<Stored<T>>,
    shape: Shape,
    strides: [isize; MAX_RANK],
    offset: usize,
}

/// Reading and writing.
impl<T: Scalar> Tensor<T> {
    /// Whether this is the same view of the same memory, which nobody can have changed since.
    pub(crate) fn is_same(&self, other: &Tensor<T>) -> bool {
        Arc::ptr_eq(&self.data, &other.data)
            && (self.offset, self.shape, self.strides) == (other.offset, other.shape, other.strides)
    }

    /// The lengths of the axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::<f32>::zeros([2, 3]).shape(), [2, 3]);
    /// ```
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The axes as an array, to take apart in a `let`.
    ///
    /// # Panics
    /// When the tensor does not have `N` axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let [n, h, w, c] = Tensor::<f32>::zeros([5, 16, 16, 1]).dims();
    /// assert_eq!((n, h, w, c), (5, 16, 16, 1));
    /// ```
    #[track_caller]
    pub fn dims<const N: usize>(&self) -> [usize; N] {
        match (*self.shape).try_into() {
            Ok(dims) => dims,
            Err(_) => panic!("expected {N} axes, and the shape {} has {}", self.shape, self.rank()),
        }
    }

    /// The number of axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::scalar(1.0).rank(), 0);
    /// ```
    pub fn rank(&self) -> usize {
        self.shape.rank()
    }

    /// The number of elements.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::<f32>::zeros([2, 3]).len(), 6);
    /// ```
    pub fn len(&self) -> usize {
        self.shape.count()
    }

    /// Whether there are no elements.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert!(Tensor::<f32>::zeros([0, 3]).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// The distance in memory, in elements, between neighbours along each axis.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.strides(), [3, 1]);
    /// assert_eq!(x.permute([1, 0]).strides(), [1, 3]);
    /// ```
    pub fn strides(&self) -> &[isize] {
        &self.strides[..self.rank()]
    }

    /// The element at an index.
    ///
    /// # Panics
    /// When the index has another rank than the tensor, or lies outside of it.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 2.0], [3.0, 4.0]]).at([0, 1]), 2.0);
    /// ```
    #[track_caller]
    pub fn at<const N: usize>(&self, index: [usize; N]) -> T {
        let inside = N == self.rank() && index.iter().zip(&*self.shape).all(|(i, dim)| i < dim);
        assert!(inside, "index {index:?} of a tensor of shape {}", self.shape);
        let distance: isize = index.iter().zip(&self.strides).map(|(&i, s)| i as isize * s).sum();
        self.data[self.offset.wrapping_add_signed(distance)]
    }

    /// The value of a tensor that has exactly one.
    ///
    /// # Panics
    /// When there are more or none.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).sum(..).item(), 3.0);
    /// ```
    #[track_caller]
    pub fn item(&self) -> T {
        assert_eq!(self.len(), 1, "item of a tensor of shape {}", self.shape);
        self.data[self.offset]
    }

    /// The elements as a slice, if they lie in memory in row-major order.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.as_slice(), Some(&[1.0, 2.0, 3.0, 4.0][..]));
    /// assert_eq!(x.permute([1, 0]).as_slice(), None);
    /// ```
    pub fn as_slice(&self) -> Option<&[T]> {
        self.is_row_major().then(|| &self.data[self.offset..self.offset + self.len()])
    }

    /// The elements in row-major order, whatever the strides are.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 2.0], [3.0, 4.0]]).to_vec(), [1.0, 2.0, 3.0, 4.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn to_vec(&self) -> Vec<T> {
        match self.as_slice() {
            Some(values) => values.to_vec(),
            None => {
                let mut values = room(self.len());
                values.resize(self.len(), T::zero());
                self.copy_to(&mut values);
                values
            }
        }
    }

    /// The elements in row-major order.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.permute([1, 0]).iter().collect::<Vec<_>>(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn iter(&self) -> Elements<T> {
        self.into_iter()
    }

    /// The same values, in row-major order in memory: itself if they lie so already, else a copy.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).permute([1, 0]);
    /// assert_eq!(x.row_major().as_slice(), Some(&[1.0, 3.0, 2.0, 4.0][..]));
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn row_major(&self) -> Tensor<T> {
        if self.is_row_major() { self.clone() } else { self.copied() }
    }

    /// The elements in row-major order, for writing.
    ///
    /// If the data is shared, or lies in another order, it is copied first: no other tensor ever
    /// sees the change.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([1.0, 2.0]);
    /// let mut y = x.clone();
    /// y.as_mut_slice()[0] = 9.0;
    /// assert_eq!((x.at([0]), y.at([0])), (1.0, 9.0));
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        if !self.is_row_major() || Arc::get_mut(&mut self.data).is_none() {
            *self = self.copied();
        }
        let range = self.offset..self.offset + self.len();
        Stored::get_mut(&mut self.data, range).expect("just made unique")
    }

    /// Whether no element is infinite or NaN.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert!(!Tensor::from([1.0, f64::NAN]).is_finite());
    /// ```
    #[inline(never)]
    pub fn is_finite(&self) -> bool {
        match self.dense() {
            Some(values) => all_finite(values),
            None => all_finite(self.row_major().as_slice().expect("row-major")),
        }
    }

    /// Writes the elements in row-major order.
    ///
    /// # Panics
    /// When `values` has another length.
    #[inline(never)]
    pub(crate) fn copy_to(&self, values: &mut [T]) {
        assert_eq!(values.len(), self.len(), "a copy of a tensor of shape {}", self.shape);
        if let Some(innermost) = self.as_innermost() {
            let n = self.shape[0];
            return transpose(innermost, [innermost.len() / n, n], values);
        }
        let mut rest = values;
        walk::runs(
            self.shape,
            [&self.strides],
            [self.offset as isize],
            &mut |len, [at], [step]| {
                let run = split_off(&mut rest, len);
                walk::copy(&self.data, at, step, run);
            },
        );
    }

    /// A row-major copy.
    #[track_caller]
    #[inline(never)]
    fn copied(&self) -> Tensor<T> {
        let mut values = Buffer::stale(self.len());
        self.copy_to(&mut values);
        Self::from_buffer(self.shape, values)
    }

    /// A matrix's data from its first element on, with the steps between rows and columns, which
    /// must not be negative. Where there is nothing to step to, strides mean nothing, and the step is 0.
    pub(crate) fn as_matrix(&self) -> (&[T], usize, usize) {
        let [rows, cols] = self.dims();
        let empty = self.is_empty();
        let step = |len: usize, stride: isize| if len > 1 && !empty { stride as usize } else { 0 };
        (&self.data[self.offset..], step(rows, self.strides[0]), step(cols, self.strides[1]))
    }

    #[inline(never)]
    fn is_row_major(&self) -> bool {
        let expected = self.shape.row_major();
        self.is_empty()
            || (0..self.rank()).all(|a| self.shape[a] == 1 || self.strides[a] == expected[a])
    }

    /// The stored elements in memory order, if they fill a piece of memory without gaps or
    /// repetition, in whatever order of the axes.
    fn dense(&self) -> Option<&[T]> {
        self.dense_range().map(|range| &self.data[range])
    }

    #[inline(never)]
    fn dense_range(&self) -> Option<std::ops::Range<usize>> {
        let mut expected = 1;
        if !self.is_row_major() {
            // From the innermost axis outwards, each is found by its stride.
            for _ in (0..self.rank()).filter(|&axis| self.shape[axis] != 1) {
                let next = |&axis: &usize| self.shape[axis] != 1 && self.strides[axis] == expected;
                expected *= self.shape[(0..self.rank()).find(next)?] as isize;
            }
        }
        Some(self.offset..self.offset + self.len())
    }

    /// The same values, without gaps or repetition in memory: in their order, if that has none.
    #[track_caller]
    #[inline(never)]
    fn gapless(&self) -> Tensor<T> {
        if self.dense_range().is_some() { self.clone() } else { self.row_major() }
    }

    /// A tensor with the shape and memory order of `self` over new dense data.
    #[inline(never)]
    fn with_data(&self, data: Buffer<T>) -> Self {
        Tensor { data: Stored::new(data), shape: self.shape, strides: self.strides, offset: 0 }
    }
}

/// Tensors are equal when their shapes and all their values are, whatever their memory order.
impl<T: Scalar> PartialEq for Tensor<T> {
    #[inline(never)]
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.iter().eq(other.iter())
    }
}

compiled!(|x: &Tensor<T>, y: &Tensor<T>| (x.to_vec(), x.row_major(), x.is_finite(), x == y));
compiled!(|x: &mut Tensor<T>| x.as_mut_slice().fill(0.0));
