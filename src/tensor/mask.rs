//! Masks: which elements of a tensor are meant.

use super::shape::{Axes, MAX_RANK, Shape};
use super::{Indices, Tensor, reduce, walk};
use crate::buffer::{Buffer, room};
use crate::scalar::{Scalar, compiled};
use std::borrow::Borrow;
use std::fmt;
use std::ops::{BitAnd, BitOr, BitXor, Not};
use std::sync::Arc;

/// A truth value for each element of a tensor: what a comparison gives, and what [`Tensor::select`] asks.
///
/// A mask is no tensor: it has no derivative and no arithmetic, and takes one byte for an element. It lies in row-major order. Cloning
/// is O(1). `&`, `|`, `^` and `!` are NumPy's `logical_and`, `logical_or`, `logical_xor` and `logical_not`, with broadcasting.
///
/// ```
/// use cinta::{Mask, Tensor};
/// let x = Tensor::from([[1.0, -2.0], [f64::NAN, 4.0]]);
/// let large = x.greater(0.5);
/// assert_eq!(large, Mask::from([[true, false], [false, true]]));
/// assert_eq!((large.count(), large.any(1).to_vec()), (2, vec![true, true]));
/// assert_eq!((&large & !x.greater(2.0)).to_vec(), [true, false, false, false]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Mask {
    values: Arc<Vec<bool>>,
    shape: Shape,
}

impl Mask {
    /// The mask of this shape with these values in row-major order.
    ///
    /// # Panics
    /// When the number of values is not the product of the shape's axes.
    ///
    /// ```
    /// use cinta::Mask;
    /// let mask = Mask::new([2, 2], vec![true, false, false, true]);
    /// assert!(mask.at([1, 1]) && !mask.at([1, 0]));
    /// ```
    #[track_caller]
    pub fn new(shape: impl Into<Shape>, values: impl Into<Vec<bool>>) -> Self {
        let (shape, values): (Shape, Vec<bool>) = (shape.into(), values.into());
        assert_eq!(
            values.len(),
            shape.count(),
            "a mask of shape {shape} holds {} values, and {} were given",
            shape.count(),
            values.len()
        );
        Mask { values: Arc::new(values), shape }
    }

    /// The lengths of the axes.
    ///
    /// ```
    /// assert_eq!(cinta::Mask::from([true, false]).shape(), [2]);
    /// ```
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The number of elements.
    ///
    /// ```
    /// assert_eq!(cinta::Mask::from([true, false]).len(), 2);
    /// ```
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are no elements.
    ///
    /// ```
    /// assert!(cinta::Mask::new([0, 3], []).is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The elements in row-major order.
    ///
    /// ```
    /// assert_eq!(cinta::Mask::from([true, false]).as_slice(), [true, false]);
    /// ```
    pub fn as_slice(&self) -> &[bool] {
        &self.values
    }

    /// The elements in row-major order.
    ///
    /// ```
    /// assert_eq!(cinta::Mask::from([true, false]).to_vec(), [true, false]);
    /// ```
    #[track_caller]
    pub fn to_vec(&self) -> Vec<bool> {
        let mut values = room(self.len());
        values.extend_from_slice(&self.values);
        values
    }

    /// The element at an index.
    ///
    /// # Panics
    /// When the index has another rank than the mask, or lies outside of it.
    ///
    /// ```
    /// assert!(cinta::Mask::from([[true, false]]).at([0, 0]));
    /// ```
    #[track_caller]
    pub fn at<const N: usize>(&self, index: [usize; N]) -> bool {
        let inside = N == self.shape.rank() && index.iter().zip(&*self.shape).all(|(i, d)| i < d);
        assert!(inside, "index {index:?} of a mask of shape {}", self.shape);
        self.values[index.iter().zip(&*self.shape).fold(0, |at, (i, dim)| at * dim + i)]
    }

    /// The value of a mask that has exactly one.
    ///
    /// # Panics
    /// When there are more or none.
    ///
    /// ```
    /// assert!(cinta::Mask::from([true, false]).any(..).item());
    /// ```
    #[track_caller]
    pub fn item(&self) -> bool {
        assert_eq!(self.len(), 1, "item of a mask of shape {}", self.shape);
        self.values[0]
    }

    /// The same values in reading order under another shape.
    ///
    /// # Panics
    /// When the shapes hold different numbers of elements.
    ///
    /// ```
    /// use cinta::Mask;
    /// assert_eq!(Mask::from([true, false]).reshape([2, 1]), Mask::from([[true], [false]]));
    /// ```
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Mask {
        let shape = shape.into();
        assert_eq!(
            shape.count(),
            self.len(),
            "reshape: a mask of shape {} has {} elements and {shape} has {}",
            self.shape,
            self.len(),
            shape.count()
        );
        Mask { shape, ..self.clone() }
    }

    /// Whether at least one element along the axes is true; the axes disappear from the shape. Of no elements, none is.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// use cinta::Mask;
    /// assert_eq!(Mask::from([[true, false], [false, false]]).any(1).to_vec(), [true, false]);
    /// ```
    #[track_caller]
    pub fn any(&self, axes: impl Axes) -> Mask {
        self.fold(&axes.flags(self.shape.rank()), false, |a, b| a | b)
    }

    /// Whether all elements along the axes are true; the axes disappear from the shape. Of no elements, all are.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// use cinta::Mask;
    /// assert_eq!(Mask::from([[true, true], [false, true]]).all(1).to_vec(), [true, false]);
    /// assert!(Mask::new([0], []).all(..).item());
    /// ```
    #[track_caller]
    pub fn all(&self, axes: impl Axes) -> Mask {
        self.fold(&axes.flags(self.shape.rank()), true, |a, b| a & b)
    }

    /// How many elements are true. Along axes, that is the sum of the [numbers](Self::cast).
    ///
    /// ```
    /// use cinta::Mask;
    /// let mask = Mask::from([[true, true], [false, true]]);
    /// assert_eq!(mask.count(), 3);
    /// assert_eq!(mask.cast::<f64>().sum(1).to_vec(), [2.0, 1.0]);
    /// ```
    pub fn count(&self) -> usize {
        self.values.iter().map(|&value| usize::from(value)).sum()
    }

    /// The places of the true elements in reading order, NumPy's `flatnonzero`. Those of a vector mask are places along an axis, for
    /// [`index_select`](Tensor::index_select).
    ///
    /// ```
    /// use cinta::{Indices, Mask, Tensor};
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// let columns = Mask::from([true, false, true]).flatnonzero();
    /// assert_eq!(columns, Indices::from([0, 2]));
    /// assert_eq!(x.index_select(1, columns), Tensor::from([[1.0, 3.0], [4.0, 6.0]]));
    /// assert_eq!(x.greater(4.5).flatnonzero(), Indices::from([4, 5]));
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn flatnonzero(&self) -> Indices {
        let mut places = room(self.count());
        places.extend((0..self.len()).filter(|&place| self.values[place]));
        places.into()
    }

    /// 1 where true, else 0.
    ///
    /// ```
    /// assert_eq!(cinta::Mask::from([true, false]).cast::<f32>().to_vec(), [1.0, 0.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn cast<T: Scalar>(&self) -> Tensor<T> {
        let numbers = self.values.iter().map(|&value| T::one().kept_if(value));
        Tensor::from_buffer(self.shape, Buffer::collect(self.len(), numbers))
    }

    /// The strides with which the values are read as a shape that this one repeats to.
    pub(super) fn strides_in(&self, shape: Shape) -> [isize; MAX_RANK] {
        let (own, mut strides) = (self.shape.row_major(), [0; MAX_RANK]);
        let added = shape.rank() - self.shape.rank();
        for axis in (0..self.shape.rank()).filter(|&axis| self.shape[axis] == shape[added + axis]) {
            strides[added + axis] = own[axis];
        }
        strides
    }

    /// `f` of the elements of two masks, which are broadcast to their common shape.
    #[track_caller]
    fn zip_with(&self, other: &Mask, f: fn(bool, bool) -> bool) -> Mask {
        let Some(shape) = self.shape.broadcast_with(&other.shape) else {
            panic!("the shapes {} and {} do not broadcast to a common one", self.shape, other.shape)
        };
        let mut values = room(shape.count());
        let strides = [self.strides_in(shape), other.strides_in(shape)];
        walk::runs(shape, strides.each_ref(), [0, 0], &mut |len, [i, j], [di, dj]| {
            let at = |k: isize| f(self.at_place(i + k * di), other.at_place(j + k * dj));
            values.extend((0..len as isize).map(at));
        });
        Mask { values: Arc::new(values), shape }
    }

    /// The element at this place in memory.
    pub(super) fn at_place(&self, place: isize) -> bool {
        self.values[place as usize]
    }

    #[track_caller]
    fn fold(&self, flags: &[bool; MAX_RANK], first: bool, f: fn(bool, bool) -> bool) -> Mask {
        let kept = self.shape.kept(flags);
        let mut folded = room(kept.count());
        folded.resize(kept.count(), first);
        let strides = [self.shape.row_major(), reduce::masked(&kept, flags)];
        walk::runs(self.shape, strides.each_ref(), [0, 0], &mut |len, [x, s], [dx, ds]| {
            for i in 0..len as isize {
                let slot: &mut bool = &mut folded[(s + i * ds) as usize];
                *slot = f(*slot, self.at_place(x + i * dx));
            }
        });
        Mask { values: Arc::new(folded), shape: self.shape.without(flags) }
    }
}

impl<const N: usize> From<[bool; N]> for Mask {
    fn from(values: [bool; N]) -> Self {
        Mask::new([N], values)
    }
}

impl<const N: usize, const M: usize> From<[[bool; M]; N]> for Mask {
    fn from(rows: [[bool; M]; N]) -> Self {
        Mask::new([N, M], rows.concat())
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask{} {:?}", self.shape, self.values)
    }
}

/// An operator between masks, owned or borrowed.
macro_rules! operator {
    ($($trait:ident $method:ident $op:tt: $(($left:ty, $right:ty))*),*) => {$($(
        impl $trait<$right> for $left {
            type Output = Mask;
            #[track_caller]
            fn $method(self, other: $right) -> Mask {
                self.zip_with(other.borrow(), |a, b| a $op b)
            }
        }
    )*)*};
}

operator!(
    BitAnd bitand &: (&Mask, &Mask) (&Mask, Mask) (Mask, &Mask) (Mask, Mask),
    BitOr bitor |: (&Mask, &Mask) (&Mask, Mask) (Mask, &Mask) (Mask, Mask),
    BitXor bitxor ^: (&Mask, &Mask) (&Mask, Mask) (Mask, &Mask) (Mask, Mask)
);

impl Not for &Mask {
    type Output = Mask;
    fn not(self) -> Mask {
        let mut values = room(self.len());
        values.extend(self.values.iter().map(|&value| !value));
        Mask { values: Arc::new(values), shape: self.shape }
    }
}

impl Not for Mask {
    type Output = Mask;
    fn not(self) -> Mask {
        !&self
    }
}

compiled!(|x: &Mask| x.cast::<T>());
