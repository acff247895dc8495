//! Tensors as collections of numbers.

use super::Tensor;
use crate::scalar::Scalar;

/// The elements of a tensor in row-major order, by value: what a loop over a tensor gets.
///
/// ```
/// use cinta::Tensor;
/// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
/// let mut sum = 0.0;
/// for value in &x.permute([1, 0]) {
///     sum = 10.0 * sum + value;
/// }
/// assert_eq!(sum, 1324.0);
/// assert_eq!(x.into_iter().rev().next(), Some(4.0));
/// ```
#[derive(Clone, Debug)]
pub struct Elements<T: Scalar> {
    /// Row-major.
    tensor: Tensor<T>,
    left: std::ops::Range<usize>,
}

impl<T: Scalar> Iterator for Elements<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.left.next().map(|i| self.tensor.data[self.tensor.offset + i])
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl<T: Scalar> DoubleEndedIterator for Elements<T> {
    fn next_back(&mut self) -> Option<T> {
        self.left.next_back().map(|i| self.tensor.data[self.tensor.offset + i])
    }
}

impl<T: Scalar> ExactSizeIterator for Elements<T> {}

impl<T: Scalar> IntoIterator for &Tensor<T> {
    type Item = T;
    type IntoIter = Elements<T>;

    #[track_caller]
    fn into_iter(self) -> Elements<T> {
        let tensor = self.row_major();
        Elements { left: 0..tensor.len(), tensor }
    }
}

impl<T: Scalar> IntoIterator for Tensor<T> {
    type Item = T;
    type IntoIter = Elements<T>;

    #[track_caller]
    fn into_iter(self) -> Elements<T> {
        (&self).into_iter()
    }
}

/// A tensor with one axis.
impl<T: Scalar> FromIterator<T> for Tensor<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Tensor::from(values.into_iter().collect::<Vec<T>>())
    }
}

/// A tensor with one axis, of the vector's memory.
impl<T: Scalar> From<Vec<T>> for Tensor<T> {
    fn from(values: Vec<T>) -> Self {
        Tensor::new([values.len()], values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_follow_the_shape_and_not_the_memory() {
        let x: Tensor<f64> = (0..24).map(f64::from).collect::<Tensor<f64>>().reshape([2, 3, 4]);
        let view = x.permute([2, 0, 1]).slice(0, 1..3).flip(1);
        let values: Vec<f64> = (&view).into_iter().collect();
        assert_eq!(values, view.to_vec());
        let (len, backwards) = (view.len(), view.into_iter().rev());
        assert_eq!(backwards.len(), len);
        assert_eq!(backwards.collect::<Vec<f64>>(), values.into_iter().rev().collect::<Vec<f64>>());
        assert_eq!(Tensor::<f32>::from(vec![]).shape(), [0]);
        assert_eq!(Tensor::<f32>::zeros([3, 0]).into_iter().next(), None);
    }
}
