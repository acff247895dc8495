//! Comparisons, element by element, whose result is a mask.

use super::{Mask, Tensor, walk};
use crate::buffer::room;
use crate::scalar::{Scalar, compiled};

/// What a tensor is compared with: a number, or a tensor that is broadcast.
///
/// ```
/// use cinta::Tensor;
/// let x = Tensor::from([1.0, 2.0, 3.0]);
/// assert_eq!(x.less(2.5).to_vec(), [true, true, false]);
/// assert_eq!(x.less(&Tensor::from([0.0, 5.0, 5.0])).to_vec(), [false, true, true]);
/// ```
pub trait Comparand<T: Scalar> {
    /// It as a tensor.
    #[doc(hidden)]
    fn tensor(self) -> Tensor<T>;
}

impl<T: Scalar> Comparand<T> for T {
    fn tensor(self) -> Tensor<T> {
        Tensor::scalar(self)
    }
}

impl<T: Scalar> Comparand<T> for &Tensor<T> {
    fn tensor(self) -> Tensor<T> {
        self.clone()
    }
}

/// Comparisons, with NumPy's names and broadcasting. They look at the value alone, so no derivative goes through them. A NaN is neither
/// less than, greater than nor equal to anything: all but `not_equal` are false there.
impl<T: Scalar> Tensor<T> {
    /// Where both are equal. (`==` asks whether all are.)
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, f64::NAN]).equal(1.0).to_vec(), [true, false]);
    /// ```
    #[track_caller]
    pub fn equal(&self, other: impl Comparand<T>) -> Mask {
        self.equal_to(&other.tensor())
    }

    /// Where both are different: `x.not_equal(&x)` is where `x` is NaN.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, f64::NAN]).not_equal(1.0).to_vec(), [false, true]);
    /// ```
    #[track_caller]
    pub fn not_equal(&self, other: impl Comparand<T>) -> Mask {
        !self.equal_to(&other.tensor())
    }

    /// Where this is less than the other.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).less(2.0).to_vec(), [true, false]);
    /// ```
    #[track_caller]
    pub fn less(&self, other: impl Comparand<T>) -> Mask {
        self.less_than(&other.tensor())
    }

    /// Where this is less than the other, or equal.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).less_equal(1.0).to_vec(), [true, false]);
    /// ```
    #[track_caller]
    pub fn less_equal(&self, other: impl Comparand<T>) -> Mask {
        self.at_most(&other.tensor())
    }

    /// Where this is greater than the other.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).greater(1.0).to_vec(), [false, true]);
    /// ```
    #[track_caller]
    pub fn greater(&self, other: impl Comparand<T>) -> Mask {
        other.tensor().less_than(self)
    }

    /// Where this is greater than the other, or equal.
    ///
    /// # Panics
    /// When the shapes do not broadcast.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).greater_equal(2.0).to_vec(), [false, true]);
    /// ```
    #[track_caller]
    pub fn greater_equal(&self, other: impl Comparand<T>) -> Mask {
        other.tensor().at_most(self)
    }

    /// Where this is not a number.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, f64::NAN]).isnan().to_vec(), [false, true]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn isnan(&self) -> Mask {
        !self.equal_to(self)
    }

    /// Where this is infinite, of either sign.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([1.0, f64::NEG_INFINITY, f64::NAN]);
    /// assert_eq!(x.isinf().to_vec(), [false, true, false]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn isinf(&self) -> Mask {
        self.compared(&Tensor::scalar(T::infinity()), |a, b| a == b || a == -b)
    }

    /// Where this is a finite number. ([`is_finite`](Self::is_finite) asks whether all are.)
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([1.0, f64::INFINITY, f64::NAN]);
    /// assert_eq!(x.isfinite().to_vec(), [true, false, false]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn isfinite(&self) -> Mask {
        self.compared(&Tensor::scalar(T::infinity()), |a, b| -b < a && a < b)
    }

    #[track_caller]
    #[inline(never)]
    fn equal_to(&self, other: &Tensor<T>) -> Mask {
        self.compared(other, |a, b| a == b)
    }

    #[track_caller]
    #[inline(never)]
    fn less_than(&self, other: &Tensor<T>) -> Mask {
        self.compared(other, |a, b| a < b)
    }

    #[track_caller]
    #[inline(never)]
    fn at_most(&self, other: &Tensor<T>) -> Mask {
        self.compared(other, |a, b| a <= b)
    }

    #[track_caller]
    fn compared(&self, other: &Tensor<T>, f: impl Fn(T, T) -> bool) -> Mask {
        let Some(shape) = self.shape.broadcast_with(&other.shape) else {
            panic!("the shapes {} and {} do not broadcast to a common one", self.shape, other.shape)
        };
        let (a, b) = (self.broadcast_to(shape), other.broadcast_to(shape));
        let mut values = room(shape.count());
        let start = [a.offset as isize, b.offset as isize];
        walk::runs(shape, [&a.strides, &b.strides], start, &mut |len, [i, j], [di, dj]| {
            if (di, dj) == (1, 1) {
                let pairs = a.data[i as usize..][..len].iter().zip(&b.data[j as usize..][..len]);
                values.extend(pairs.map(|(&x, &y)| f(x, y)));
            } else {
                let at = |data: &[T], place: isize| data[place as usize];
                let pair = |k: isize| f(at(&a.data, i + k * di), at(&b.data, j + k * dj));
                values.extend((0..len as isize).map(pair));
            }
        });
        Mask::new(shape, values)
    }
}

compiled!(|x: &Tensor<T>| (x.equal(x), x.less(x), x.less_equal(x)));
compiled!(|x: &Tensor<T>| (x.isnan(), x.isinf(), x.isfinite()));
