//! Tensors from values, functions and other tensors.

use super::Tensor;
use super::shape::{MAX_RANK, Shape};
use super::stored::Stored;
use crate::buffer::{Buffer, room};
use crate::scalar::{Scalar, compiled};

/// Constructors.
impl<T: Scalar> Tensor<T> {
    /// The tensor of this shape with these values in row-major order.
    ///
    /// # Panics
    /// When the number of values is not the product of the shape's axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::new([2, 2], vec![1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(x.at([1, 0]), 3.0);
    /// ```
    #[track_caller]
    pub fn new(shape: impl Into<Shape>, values: impl Into<Vec<T>>) -> Self {
        let (shape, values): (Shape, Vec<T>) = (shape.into(), values.into());
        assert_eq!(
            values.len(),
            shape.count(),
            "a tensor of shape {shape} holds {} values, and {} were given",
            shape.count(),
            values.len()
        );
        Self::from_buffer(shape, Buffer::from(values))
    }

    /// [`new`](Self::new), of memory from the pool.
    #[inline(never)]
    pub(crate) fn from_buffer(shape: impl Into<Shape>, values: Buffer<T>) -> Self {
        let shape = shape.into();
        debug_assert_eq!(values.len(), shape.count());
        Tensor { data: Stored::new(values), shape, strides: shape.row_major(), offset: 0 }
    }

    /// A tensor of one value everywhere. It stores that value once.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::full([2, 2], 7.0).to_vec(), [7.0; 4]);
    /// ```
    #[track_caller]
    pub fn full(shape: impl Into<Shape>, value: T) -> Self {
        let shape = shape.into();
        let _ = shape.count(); // panics at the caller's line when absurd
        Tensor {
            data: Stored::new(Buffer::from(vec![value])),
            shape,
            strides: [0; MAX_RANK],
            offset: 0,
        }
    }

    /// A tensor of zeros.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::<f32>::zeros([3]).to_vec(), [0.0; 3]);
    /// ```
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        Self::full(shape, T::zero())
    }

    /// A tensor of ones.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::<f32>::ones([3]).to_vec(), [1.0; 3]);
    /// ```
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>) -> Self {
        Self::full(shape, T::one())
    }

    /// A tensor without axes: one value.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::scalar(3.5).item(), 3.5);
    /// ```
    pub fn scalar(value: T) -> Self {
        Self::full([], value)
    }

    /// The identity matrix of `n` rows.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::<f64>::eye(2).to_vec(), [1.0, 0.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn eye(n: usize) -> Self {
        Self::from_fn([n, n], |at| if at[0] == at[1] { T::one() } else { T::zero() })
    }

    /// The vector `0, 1, ..., n - 1`.
    ///
    /// # Panics
    /// When there is not enough memory.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::<f64>::arange(3).to_vec(), [0.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn arange(n: usize) -> Self {
        Self::from_fn([n], |at| T::lit(at[0] as f64))
    }

    /// The tensor whose value at each index is `f(index)`, called in row-major order.
    ///
    /// # Panics
    /// When there is not enough memory.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from_fn([2, 3], |at| (10 * at[0] + at[1]) as f64);
    /// assert_eq!(x.to_vec(), [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
    /// ```
    #[track_caller]
    pub fn from_fn(shape: impl Into<Shape>, mut f: impl FnMut(&[usize]) -> T) -> Self {
        let shape = shape.into();
        let count = shape.count();
        let mut index = [0usize; MAX_RANK];
        let mut values = room(count);
        for _ in 0..count {
            values.push(f(&index[..shape.rank()]));
            for axis in (0..shape.rank()).rev() {
                index[axis] += 1;
                if index[axis] < shape[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        Self::new(shape, values)
    }

    /// Tensors of equal shape one after another along a first axis that they have already. (Along another one:
    /// [`concat_along`](Self::concat_along); along a new one: [`stack`](Self::stack).)
    ///
    /// # Panics
    /// Without tensors, and when their shapes differ in another axis than the first.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let (a, b) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[3.0, 4.0], [5.0, 6.0]]));
    /// assert_eq!(Tensor::concat(&[a, b]).shape(), [3, 2]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn concat(parts: &[Tensor<T>]) -> Self {
        let first = parts.first().expect("concat needs at least one tensor").shape.sample();
        for part in parts {
            assert_eq!(
                part.shape.sample(),
                first,
                "concat: the shapes {} and {} differ beyond the first axis",
                parts[0].shape,
                part.shape
            );
        }
        // As many as are too many, where the sum does not fit.
        let n = parts.iter().fold(0usize, |n, part| n.saturating_add(part.shape[0]));
        let shape = first.batch(n);
        let mut values = Buffer::stale(shape.count());
        let mut rest = &mut values[..];
        for part in parts {
            let (own, after) = rest.split_at_mut(part.len());
            part.copy_to(own);
            rest = after;
        }
        Self::from_buffer(shape, values)
    }
}

impl<T: Scalar, const A: usize> From<[T; A]> for Tensor<T> {
    fn from(values: [T; A]) -> Self {
        Self::new([A], values.to_vec())
    }
}

impl<T: Scalar, const A: usize, const B: usize> From<[[T; B]; A]> for Tensor<T> {
    fn from(values: [[T; B]; A]) -> Self {
        Self::new([A, B], values.as_flattened().to_vec())
    }
}

impl<T: Scalar, const A: usize, const B: usize, const C: usize> From<[[[T; C]; B]; A]>
    for Tensor<T>
{
    fn from(values: [[[T; C]; B]; A]) -> Self {
        Self::new([A, B, C], values.as_flattened().as_flattened().to_vec())
    }
}

impl<T: Scalar, const A: usize, const B: usize, const C: usize, const D: usize>
    From<[[[[T; D]; C]; B]; A]> for Tensor<T>
{
    fn from(values: [[[[T; D]; C]; B]; A]) -> Self {
        Self::new([A, B, C, D], values.as_flattened().as_flattened().as_flattened().to_vec())
    }
}

compiled!(|parts: &[Tensor<T>]| (
    Tensor::concat(parts),
    Tensor::<T>::eye(1),
    Tensor::<T>::arange(1)
));
