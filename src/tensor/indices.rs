//! Indices: whole numbers that name places along an axis.

use super::shape::Shape;
use super::{Tensor, walk};
use crate::buffer::{Buffer, room};
use crate::scalar::{Scalar, compiled};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Whole numbers from 0 on, in a shape: which places along an axis are meant.
///
/// They are no tensor. A tensor's numbers have fractions, a NaN and a derivative, and an `f32` counts only to 2^24; what is computed
/// with a tensor makes no sense for the number of a row. There are no negative indices: the last place of an axis of length `n` is `n - 1`.
///
/// A clone is O(1) and shares the numbers. Where indices are wanted, lists serve as well:
///
/// ```
/// use cinta::{Indices, Tensor};
/// let x = Tensor::from([10.0, 20.0, 30.0]);
/// assert_eq!(x.index_select(0, [2, 0]).to_vec(), [30.0, 10.0]);
/// assert_eq!(x.index_select(0, &Indices::from([[2], [0]])).shape(), [2, 1]);
/// assert_eq!(x.argsort(0), Indices::from([0, 1, 2]));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Indices {
    shape: Shape,
    values: Arc<Vec<usize>>,
}

impl Indices {
    /// Indices of this shape, in row-major order.
    ///
    /// # Panics
    /// When the number of values is not the product of the shape's axes.
    ///
    /// ```
    /// use cinta::Indices;
    /// assert_eq!(Indices::new([2, 1], [5, 7]), Indices::from([[5], [7]]));
    /// ```
    #[track_caller]
    pub fn new(shape: impl Into<Shape>, values: impl Into<Vec<usize>>) -> Self {
        let (shape, values): (Shape, Vec<usize>) = (shape.into(), values.into());
        assert_eq!(
            values.len(),
            shape.count(),
            "indices of shape {shape} are {} numbers, and {} were given",
            shape.count(),
            values.len()
        );
        Indices { shape, values: Arc::new(values) }
    }

    /// The lengths of the axes.
    ///
    /// ```
    /// assert_eq!(cinta::Indices::from([[1, 2, 3]]).shape(), [1, 3]);
    /// ```
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// How many there are.
    ///
    /// ```
    /// assert_eq!(cinta::Indices::from([[1, 2, 3]]).len(), 3);
    /// ```
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    ///
    /// ```
    /// assert!(cinta::Indices::from(3..3).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The numbers in row-major order.
    ///
    /// ```
    /// assert_eq!(cinta::Indices::from([[1, 2], [3, 4]]).values(), [1, 2, 3, 4]);
    /// ```
    pub fn values(&self) -> &[usize] {
        &self.values
    }

    /// The same numbers in reading order under another shape, without a copy.
    ///
    /// # Panics
    /// When the shapes hold different numbers of elements.
    ///
    /// ```
    /// use cinta::Indices;
    /// assert_eq!(Indices::from(0..4).reshape([2, 2]), Indices::from([[0, 1], [2, 3]]));
    /// ```
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        assert_eq!(
            shape.count(),
            self.len(),
            "reshape: {} has {} indices and {shape} has {}",
            self.shape,
            self.len(),
            shape.count()
        );
        Indices { shape, values: self.values.clone() }
    }

    /// The indices as numbers to compute with.
    ///
    /// ```
    /// assert_eq!(cinta::Indices::from([2, 0]).to_tensor::<f64>().to_vec(), [2.0, 0.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn to_tensor<T: Scalar>(&self) -> Tensor<T> {
        let numbers = self.values.iter().map(|&index| T::lit(index as f64));
        Tensor::from_buffer(self.shape, Buffer::collect(self.len(), numbers))
    }

    /// A row of `classes` numbers for each index, `[.., classes]`: 1 at the index, 0 elsewhere. No indices give no rows, and a single one
    /// without axes a vector.
    ///
    /// # Panics
    /// When an index is not below `classes`. (For labels out of a file, [`datasets::one_hot`](crate::datasets::one_hot) gives an error.)
    ///
    /// ```
    /// use cinta::{Indices, Tensor};
    /// let rows: Tensor = Indices::from([2, 0]).one_hot(3);
    /// assert_eq!(rows, Tensor::from([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]));
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn one_hot<T: Scalar>(&self, classes: usize) -> Tensor<T> {
        if let Some(index) = self.values.iter().find(|&&index| index >= classes) {
            panic!("one_hot: index {index} among {classes} classes");
        }
        let shape = Shape::new(&[&self.shape[..], &[classes]].concat());
        let mut rows = Buffer::zeroed(shape.count());
        for (i, index) in self.values.iter().enumerate() {
            rows[i * classes + index] = T::one();
        }
        Tensor::from_buffer(shape, rows)
    }

    /// The same indices, repeated along axes of length 1 to a shape.
    #[track_caller]
    pub(crate) fn broadcast_to(&self, shape: Shape) -> Self {
        if self.shape == shape {
            return self.clone();
        }
        let mut strides = self.shape.row_major();
        for axis in (0..shape.rank()).filter(|&axis| self.shape[axis] != shape[axis]) {
            strides[axis] = 0;
        }
        let mut values = room(shape.count());
        walk::runs(shape, [&strides], [0], &mut |len, [at], [step]| {
            values.extend((0..len as isize).map(|i| self.values[(at + i * step) as usize]));
        });
        Indices { shape, values: Arc::new(values) }
    }
}

impl fmt::Debug for Indices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "indices {} {:?}", self.shape, self.values)
    }
}

impl From<&Indices> for Indices {
    fn from(indices: &Indices) -> Self {
        indices.clone()
    }
}

impl From<Vec<usize>> for Indices {
    fn from(values: Vec<usize>) -> Self {
        Indices { shape: Shape::from(values.len()), values: Arc::new(values) }
    }
}

impl From<&[usize]> for Indices {
    fn from(values: &[usize]) -> Self {
        values.to_vec().into()
    }
}

impl From<Range<usize>> for Indices {
    fn from(values: Range<usize>) -> Self {
        values.collect::<Vec<_>>().into()
    }
}

impl<const A: usize> From<[usize; A]> for Indices {
    fn from(values: [usize; A]) -> Self {
        values.to_vec().into()
    }
}

impl<const A: usize, const B: usize> From<[[usize; B]; A]> for Indices {
    fn from(values: [[usize; B]; A]) -> Self {
        Indices { shape: Shape::from([A, B]), values: Arc::new(values.as_flattened().to_vec()) }
    }
}

compiled!(|x: &Indices| (x.to_tensor::<T>(), x.one_hot::<T>(1)));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hot_rows_of_any_shape() {
        let scalar = Indices::new([], [1]);
        assert_eq!(scalar.one_hot::<f64>(3), Tensor::from([0.0, 1.0, 0.0]));
        assert_eq!(scalar.to_tensor::<f32>().shape(), []);
        assert_eq!(Indices::new([0, 2], []).one_hot::<f64>(3).shape(), [0, 2, 3]);
        assert_eq!(Indices::new([0, 2], []).one_hot::<f64>(0).shape(), [0, 2, 0]);
        let rows = Indices::from([[0, 1], [1, 0]]).one_hot::<f32>(2);
        assert_eq!(rows.to_vec(), [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn repeated_along_axes() {
        let x = Indices::from([[1, 2]]).broadcast_to(Shape::from([2, 2]));
        assert_eq!(x, Indices::from([[1, 2], [1, 2]]));
        let x = Indices::from([[1], [2]]).broadcast_to(Shape::from([2, 3]));
        assert_eq!(x.values(), [1, 1, 1, 2, 2, 2]);
        assert!(Indices::from([[1], [2]]).broadcast_to(Shape::from([2, 0])).is_empty());
        assert_eq!(format!("{x:?}"), "indices [2, 3] [1, 1, 1, 2, 2, 2]");
    }

    #[test]
    #[should_panic(expected = "one_hot: index 3 among 3 classes")]
    fn a_class_too_many() {
        Indices::from([0, 3]).one_hot::<f32>(3);
    }

    #[test]
    #[should_panic(expected = "indices of shape [2, 2] are 4 numbers, and 3 were given")]
    fn another_number_of_values() {
        Indices::new([2, 2], [1, 2, 3]);
    }

    #[test]
    #[should_panic(expected = "reshape: [3] has 3 indices and [2, 2] has 4")]
    fn a_shape_that_does_not_fit() {
        Indices::from([0, 1, 2]).reshape([2, 2]);
    }
}
