//! Shapes, and the axes that reductions name.

use std::fmt;
use std::ops::{Deref, RangeFull};

/// The largest number of axes a tensor can have: enough for the window view
/// `[n, oh, ow, kh, kw, c]` of a batch of images.
pub const MAX_RANK: usize = 6;

/// The lengths of a tensor's axes: a small `Copy` value that reads as a slice.
///
/// ```
/// use cinta::Shape;
/// let shape = Shape::from([256, 16, 16, 1]);
/// assert_eq!(shape.rank(), 4);
/// assert_eq!(shape[3], 1);
/// assert_eq!(shape.count(), 65_536);
/// assert_eq!(shape.to_string(), "[256, 16, 16, 1]");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    // Axes beyond the rank are 0, so that the derived comparison is right.
    dims: [usize; MAX_RANK],
    rank: u8,
}

impl Shape {
    /// The shape with these axis lengths.
    ///
    /// # Panics
    /// With more than [`MAX_RANK`] axes.
    ///
    /// ```
    /// assert_eq!(cinta::Shape::new(&[2, 3]), [2, 3]);
    /// ```
    #[track_caller]
    pub fn new(dims: &[usize]) -> Self {
        assert!(
            dims.len() <= MAX_RANK,
            "a tensor has at most {MAX_RANK} axes, and {dims:?} has {}",
            dims.len()
        );
        let mut shape = Shape { dims: [0; MAX_RANK], rank: dims.len() as u8 };
        shape.dims[..dims.len()].copy_from_slice(dims);
        shape
    }

    /// The number of axes.
    ///
    /// ```
    /// assert_eq!(cinta::Shape::from([2, 3]).rank(), 2);
    /// ```
    #[inline]
    pub fn rank(&self) -> usize {
        usize::from(self.rank)
    }

    /// The number of elements: the product of the axes, 1 for a scalar.
    ///
    /// # Panics
    /// When the product does not fit an `isize`, even if an axis of length 0 makes it 0.
    ///
    /// ```
    /// assert_eq!(cinta::Shape::from([2, 3]).count(), 6);
    /// ```
    #[track_caller]
    pub fn count(&self) -> usize {
        match self.checked_count() {
            Some(count) => count,
            None => panic!("the shape {self} has more elements than memory"),
        }
    }

    /// The number of elements, or `None` when it is absurd: when the product of the axes that are not 0 does not fit an
    /// `isize`. So the product of some of the axes always does.
    pub(crate) fn checked_count(&self) -> Option<usize> {
        let product = self.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim.max(1)));
        let sensible = product.filter(|&product| product <= isize::MAX as usize);
        sensible.map(|product| if self.contains(&0) { 0 } else { product })
    }

    /// The same shape with another axis in front: a batch of `n`.
    ///
    /// ```
    /// assert_eq!(cinta::Shape::from([16, 16, 1]).batch(32), [32, 16, 16, 1]);
    /// ```
    #[track_caller]
    pub fn batch(&self, n: usize) -> Shape {
        let mut dims = vec![n];
        dims.extend_from_slice(self);
        Shape::new(&dims)
    }

    /// The shape of one sample: all axes but the first.
    ///
    /// # Panics
    /// For a scalar's shape.
    ///
    /// ```
    /// assert_eq!(cinta::Shape::from([32, 16, 16, 1]).sample(), [16, 16, 1]);
    /// ```
    #[track_caller]
    pub fn sample(&self) -> Shape {
        assert!(self.rank > 0, "a scalar has no axis of samples");
        Shape::new(&self[1..])
    }

    /// Row-major strides: the last axis has stride 1.
    pub(crate) fn row_major(&self) -> [isize; MAX_RANK] {
        let mut strides = [0; MAX_RANK];
        let mut step = 1isize;
        for axis in (0..self.rank()).rev() {
            strides[axis] = step;
            step = step.saturating_mul(self[axis].max(1) as isize);
        }
        strides
    }

    /// This shape with the flagged axes of length 1.
    pub(crate) fn kept(&self, flags: &[bool; MAX_RANK]) -> Shape {
        let dims: Vec<usize> =
            self.iter().zip(flags).map(|(&dim, &flag)| if flag { 1 } else { dim }).collect();
        Shape::new(&dims)
    }

    /// This shape without the flagged axes.
    pub(crate) fn without(&self, flags: &[bool; MAX_RANK]) -> Shape {
        let dims: Vec<usize> =
            self.iter().zip(flags).filter(|(_, flag)| !**flag).map(|(&dim, _)| dim).collect();
        Shape::new(&dims)
    }

    /// The shape that both broadcast to by NumPy's rule: axes are aligned at the end, and an axis
    /// of length 1 repeats.
    pub(crate) fn broadcast_with(&self, other: &Shape) -> Option<Shape> {
        let rank = self.rank().max(other.rank());
        let mut dims = [0; MAX_RANK];
        for (back, dim) in dims[..rank].iter_mut().rev().enumerate() {
            let axis = |shape: &Shape| shape.len().checked_sub(back + 1).map_or(1, |i| shape[i]);
            *dim = match (axis(self), axis(other)) {
                (a, b) if a == b => a,
                (1, b) => b,
                (a, 1) => a,
                _ => return None,
            };
        }
        Some(Shape::new(&dims[..rank]))
    }
}

impl Deref for Shape {
    type Target = [usize];

    #[inline]
    fn deref(&self) -> &[usize] {
        &self.dims[..self.rank()]
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Written on one line even in `{:#?}`.
        f.write_str("[")?;
        for (i, dim) in self.iter().enumerate() {
            write!(f, "{}{dim}", if i == 0 { "" } else { ", " })?;
        }
        f.write_str("]")
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    #[track_caller]
    fn from(dims: [usize; N]) -> Self {
        Shape::new(&dims)
    }
}

impl From<&[usize]> for Shape {
    #[track_caller]
    fn from(dims: &[usize]) -> Self {
        Shape::new(dims)
    }
}

impl From<(usize, usize)> for Shape {
    fn from((a, b): (usize, usize)) -> Self {
        Shape::new(&[a, b])
    }
}

/// Of an image: `(28, 28, 1)`.
impl From<(usize, usize, usize)> for Shape {
    fn from((a, b, c): (usize, usize, usize)) -> Self {
        Shape::new(&[a, b, c])
    }
}

impl From<(usize, usize, usize, usize)> for Shape {
    fn from((a, b, c, d): (usize, usize, usize, usize)) -> Self {
        Shape::new(&[a, b, c, d])
    }
}

impl From<usize> for Shape {
    fn from(len: usize) -> Self {
        Shape::new(&[len])
    }
}

impl<const N: usize> PartialEq<[usize; N]> for Shape {
    fn eq(&self, other: &[usize; N]) -> bool {
        **self == other[..]
    }
}

/// One axis, several, or all of them (`..`): what a reduction runs over.
///
/// ```
/// # use cinta::Tensor;
/// let x = Tensor::<f64>::ones([2, 3, 4]);
/// assert_eq!(x.sum(1).shape(), [2, 4]);
/// assert_eq!(x.sum([0, 2]).shape(), [3]);
/// assert_eq!(x.sum(..).item(), 24.0);
/// ```
pub trait Axes {
    /// One flag for each of the `rank` axes: is it named?
    ///
    /// # Panics
    /// When an axis is named that a tensor of this rank does not have.
    #[track_caller]
    fn flags(&self, rank: usize) -> [bool; MAX_RANK];
}

#[track_caller]
fn flag(axes: &[usize], rank: usize) -> [bool; MAX_RANK] {
    let mut flags = [false; MAX_RANK];
    for &axis in axes {
        assert!(axis < rank, "axis {axis} of a tensor with {rank} axes");
        flags[axis] = true;
    }
    flags
}

/// The axes that are named, in their order.
#[track_caller]
pub(crate) fn named(axes: impl Axes, rank: usize) -> Vec<usize> {
    flagged(&axes.flags(rank)[..rank])
}

fn flagged(flags: &[bool]) -> Vec<usize> {
    (0..flags.len()).filter(|&axis| flags[axis]).collect()
}

impl Axes for usize {
    #[track_caller]
    fn flags(&self, rank: usize) -> [bool; MAX_RANK] {
        flag(&[*self], rank)
    }
}

impl<const N: usize> Axes for [usize; N] {
    #[track_caller]
    fn flags(&self, rank: usize) -> [bool; MAX_RANK] {
        flag(self, rank)
    }
}

impl Axes for &[usize] {
    #[track_caller]
    fn flags(&self, rank: usize) -> [bool; MAX_RANK] {
        flag(self, rank)
    }
}

impl Axes for RangeFull {
    fn flags(&self, rank: usize) -> [bool; MAX_RANK] {
        std::array::from_fn(|axis| axis < rank)
    }
}
