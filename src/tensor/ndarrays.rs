//! Arrays of the crate `ndarray`, in and out.

use super::stored::Stored;
use super::{MAX_RANK, Shape, Tensor};
use crate::buffer::Buffer;
use crate::scalar::Scalar;
use ndarray::{Array, Array1, ArrayD, ArrayView, ArrayViewD, Axis, Dimension, IxDyn};
use ndarray::{ShapeBuilder, Slice};
use std::sync::Arc;

/// The array's memory becomes the tensor's, whatever its strides are: nothing is copied.
///
/// # Panics
/// When the array has more than [`MAX_RANK`] axes.
///
/// ```
/// use cinta::Tensor;
/// use ndarray::array;
/// let x = Tensor::from(array![[1.0, 2.0], [3.0, 4.0]].reversed_axes());
/// assert_eq!(x, Tensor::from([[1.0, 3.0], [2.0, 4.0]]));
/// assert_eq!(x.strides(), [1, 2]);
/// ```
impl<T: Scalar, D: Dimension> From<Array<T, D>> for Tensor<T> {
    #[track_caller]
    fn from(array: Array<T, D>) -> Self {
        let (shape, mut strides) = (Shape::new(array.shape()), [0; MAX_RANK]);
        strides.iter_mut().zip(array.strides()).for_each(|(to, &stride)| *to = stride);
        let (values, offset) = array.into_raw_vec_and_offset();
        // An empty array has no first element.
        let offset = offset.unwrap_or(0);
        Tensor { data: Stored::new(Buffer::from(values)), shape, strides, offset }
    }
}

/// A copy of what is seen.
///
/// # Panics
/// When the view has more than [`MAX_RANK`] axes.
///
/// ```
/// use cinta::Tensor;
/// use ndarray::{array, s};
/// let array = array![1.0, 2.0, 3.0];
/// assert_eq!(Tensor::from(array.slice(s![..;2])).to_vec(), [1.0, 3.0]);
/// ```
impl<T: Scalar, D: Dimension> From<ArrayView<'_, T, D>> for Tensor<T> {
    #[track_caller]
    fn from(view: ArrayView<'_, T, D>) -> Self {
        Tensor::from(view.to_owned())
    }
}

/// The tensor's memory becomes the array's, where this tensor alone owns it and it is row-major; else a copy.
///
/// ```
/// use cinta::Tensor;
/// use ndarray::{ArrayD, array};
/// let array = ArrayD::from(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
/// assert_eq!(array, array![[1.0, 2.0], [3.0, 4.0]].into_dyn());
/// ```
impl<T: Scalar> From<Tensor<T>> for ArrayD<T> {
    fn from(tensor: Tensor<T>) -> Self {
        if !tensor.is_row_major() {
            return tensor.as_ndarray().to_owned();
        }
        let (shape, at, len) = (tensor.shape, tensor.offset, tensor.len());
        match Arc::try_unwrap(tensor.data) {
            Ok(stored) => {
                let (values, start) = stored.into_values().into_values();
                let range = (start + at) as isize..(start + at + len) as isize;
                let own = Array1::from(values).slice_axis_move(Axis(0), Slice::from(range));
                own.into_shape_with_order(IxDyn(&shape)).expect("as many values")
            }
            Err(data) => ArrayD::from_shape_vec(IxDyn(&shape), data[at..at + len].to_vec())
                .expect("as many values"),
        }
    }
}

/// A copy.
///
/// ```
/// use cinta::Tensor;
/// use ndarray::{ArrayD, array};
/// let x = Tensor::from([1.0, 2.0]);
/// assert_eq!(ArrayD::from(&x), array![1.0, 2.0].into_dyn());
/// ```
impl<T: Scalar> From<&Tensor<T>> for ArrayD<T> {
    fn from(tensor: &Tensor<T>) -> Self {
        tensor.as_ndarray().to_owned()
    }
}

impl<T: Scalar> Tensor<T> {
    /// The tensor as a view of the crate `ndarray` (feature `ndarray`): nothing is copied, whatever the strides are.
    ///
    /// ```
    /// use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).flip(0);
    /// let view = x.as_ndarray();
    /// assert_eq!(view[[0, 1]], 4.0);
    /// assert_eq!(view.sum(), 10.0);
    /// ```
    pub fn as_ndarray(&self) -> ArrayViewD<'_, T> {
        let shape = self.shape();
        // A view starts at its first place in memory; axes that run backwards are turned afterwards.
        let (mut start, mut strides) = (self.offset, vec![0; shape.rank()]);
        let backwards = |axis: usize| shape[axis] > 1 && self.strides[axis] < 0;
        if !self.is_empty() {
            for axis in (0..shape.rank()).filter(|&axis| shape[axis] > 1) {
                strides[axis] = self.strides[axis].unsigned_abs();
                if backwards(axis) {
                    start -= (shape[axis] - 1) * strides[axis];
                }
            }
        } else {
            start = 0;
        }
        let layout = IxDyn(&shape).strides(IxDyn(&strides));
        let view = ArrayViewD::from_shape(layout, &self.data[start..]);
        let mut view = view.expect("the strides stay inside of the data");
        (0..shape.rank())
            .filter(|&axis| backwards(axis))
            .for_each(|axis| view.invert_axis(Axis(axis)));
        view
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::testing::{Draw, LAYOUTS, laid_out};
    use ndarray::{Array2, Array3, s};

    #[test]
    fn views_of_every_memory_order() {
        for dims in [[2, 3, 4], [1, 1, 1], [3, 1, 2], [3, 0, 2]] {
            let values = Draw::new(1).fractions::<f64>(dims.iter().product());
            let expected =
                Array3::from_shape_vec(dims, values.clone()).expect("as many").into_dyn();
            for layout in 0..LAYOUTS {
                let x = laid_out(dims, &values, layout);
                assert_eq!(x.as_ndarray(), expected, "{layout}");
                let first = x.as_ndarray().first().map(std::ptr::from_ref);
                assert_eq!(first, (!x.is_empty()).then(|| std::ptr::from_ref(&x.data[x.offset])));
                assert_eq!(ArrayD::from(&x), expected);
                assert_eq!(ArrayD::from(x.clone()), expected);
                assert_eq!(ArrayD::from(x), expected);
            }
        }
        let repeated = Tensor::full([2, 3], 7.0);
        assert_eq!(repeated.as_ndarray().sum(), 42.0);
        assert_eq!(ArrayD::from(repeated).sum(), 42.0);
        assert_eq!(Tensor::scalar(1.5).as_ndarray().ndim(), 0);
        assert_eq!(ArrayD::from(Tensor::scalar(1.5)).sum(), 1.5);
    }

    #[test]
    fn arrays_of_any_strides() {
        let array = Array2::from_shape_fn((4, 6), |(i, j)| (10 * i + j) as f64);
        for (i, array) in [
            array.clone(),
            array.clone().reversed_axes(),
            array.clone().slice_move(s![1..;2, ..;-2]),
            array.clone().slice_move(s![..;-1, 2..5]),
            array.clone().slice_move(s![2..2, ..]),
            array.clone().slice_move(s![3..4, ..;-1]),
        ]
        .into_iter()
        .enumerate()
        {
            let view = Tensor::from(array.view());
            let (expected, place) = (array.clone(), array.first().map(std::ptr::from_ref));
            let x = Tensor::from(array);
            let own = (!x.is_empty()).then(|| std::ptr::from_ref(&x.data[x.offset]));
            assert_eq!(own, place, "{i}: the same memory");
            assert_eq!(x.as_ndarray(), expected.view().into_dyn(), "{i}");
            assert_eq!((x.to_vec(), &view), (expected.iter().copied().collect(), &x), "{i}");
        }
    }

    #[test]
    fn memory_goes_along() {
        // From a user's list, and from the pool.
        for x in [Tensor::new([2, 3], vec![1.0; 6]), &Tensor::<f64>::ones([2, 3]) + 1.0] {
            let (place, values) = (std::ptr::from_ref(&x.data[x.offset]), x.to_vec());
            let array = ArrayD::from(x);
            assert_eq!(array.first().map(std::ptr::from_ref), Some(place));
            assert_eq!(array.iter().copied().collect::<Vec<f64>>(), values);
        }
        // A part of a tensor that nobody else owns.
        let part = Tensor::<f64>::arange(6).slice(0, 2..4);
        assert_eq!(ArrayD::from(part).iter().sum::<f64>(), 5.0);
        // What is shared stays.
        let x = Tensor::from([1.0, 2.0]);
        let mut array = ArrayD::from(x.clone());
        array[[0]] = 9.0;
        assert_eq!(x.to_vec(), [1.0, 2.0]);
    }

    #[test]
    #[should_panic(expected = "a tensor has at most 6 axes")]
    fn more_axes_than_there_can_be() {
        let _ = Tensor::from(ArrayD::<f64>::zeros(vec![1; 7]));
    }
}
