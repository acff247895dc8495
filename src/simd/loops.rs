//! The innermost loops of every product.
//!
//! All read their operands in place, through [`Offsets`]: the address of an element is the sum of a
//! part that depends on the row (or column) of the result and a part that depends on the summand. A
//! matrix with any strides splits like that, and so does an image seen through a sliding window: one part
//! says where the window stands, the other which pixel of it is meant. That is why no column matrix is
//! ever written to memory.

use super::Simd;
use crate::buffer::Buffer;
use num_traits::Float;

/// Distances into a slice, with their maximum: one part of an element's address.
#[derive(Clone, Debug)]
pub struct Offsets {
    offsets: Buffer<usize>,
    max: usize,
    /// Whether they ascend, so that the last of a part is its maximum.
    ascending: bool,
    /// The distance between neighbours, if it is the same everywhere: then none has to be loaded.
    step: Option<usize>,
}

impl Offsets {
    /// The first `len` distances of an iterator.
    pub fn new(len: usize, offsets: impl IntoIterator<Item = usize>) -> Self {
        Self::from(Buffer::collect(len, offsets))
    }

    /// `0, step, 2 step, ...`
    #[track_caller]
    pub fn steps(len: usize, step: usize) -> Self {
        let mut offsets = Buffer::stale(len);
        offsets.iter_mut().enumerate().for_each(|(i, offset)| *offset = i * step);
        Offsets { offsets, max: len.saturating_sub(1) * step, ascending: true, step: Some(step) }
    }

    /// The distances, in order.
    pub fn as_slice(&self) -> &[usize] {
        &self.offsets
    }

    /// The number of distances.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// All of them.
    #[inline]
    pub fn all(&self) -> Part<'_> {
        self.part(0..self.len())
    }

    /// Those in `range`.
    #[inline]
    pub fn part(&self, range: std::ops::Range<usize>) -> Part<'_> {
        let offsets = &self.offsets[range];
        let last = offsets.last().copied().unwrap_or(0);
        Part { offsets, max: if self.ascending { last } else { self.max }, step: self.step }
    }
}

impl From<Buffer<usize>> for Offsets {
    fn from(offsets: Buffer<usize>) -> Self {
        let max = offsets.iter().copied().max().unwrap_or(0);
        let ascending = offsets.is_sorted();
        let step = ascending.then(|| even_step(&offsets)).flatten();
        Offsets { offsets, max, ascending, step }
    }
}

/// The distance between neighbours of an ascending list, if it is the same everywhere.
fn even_step(offsets: &[usize]) -> Option<usize> {
    let step = offsets.get(1).map_or(0, |second| second - offsets[0]);
    offsets.windows(2).all(|pair| pair[1] - pair[0] == step).then_some(step)
}

/// A part of [`Offsets`].
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    offsets: &'a [usize],
    /// At least the largest of them.
    max: usize,
    /// As for [`Offsets`].
    step: Option<usize>,
}

impl<'a> Part<'a> {
    /// The number of distances.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// One of them.
    #[inline(always)]
    pub fn at(&self, i: usize) -> usize {
        self.offsets[i]
    }

    /// Those in `range`, with the same maximum.
    #[inline]
    pub fn part(&self, range: std::ops::Range<usize>) -> Part<'a> {
        Part { offsets: &self.offsets[range], ..*self }
    }

    /// All of them, in order.
    #[inline(always)]
    pub fn as_slice(&self) -> &'a [usize] {
        self.offsets
    }

    /// The first of them and the distance between neighbours, if that is the same everywhere.
    #[inline(always)]
    pub(super) fn step(&self) -> Option<(usize, usize)> {
        Some((*self.offsets.first()?, self.step?))
    }

    /// Whether `offset + extent <= len` for every offset; no extent is one that no number can tell.
    #[inline(always)]
    pub(super) fn fit(&self, extent: Option<usize>, len: usize) -> bool {
        let end = extent.and_then(|extent| extent.checked_add(self.max));
        self.offsets.is_empty() || end.is_some_and(|end| end <= len)
    }

    /// What lies behind `extent` elements at the farthest of them, if a number can tell.
    #[inline(always)]
    pub(super) fn end(&self, extent: usize) -> Option<usize> {
        self.max.checked_add(extent)
    }

    /// Panics unless `start + offset + extent <= len` for every offset.
    #[inline(always)]
    fn check(&self, start: usize, extent: usize, len: usize) {
        let inside = self.fit(start.checked_add(extent), len);
        assert!(inside, "a product reads beyond its operand");
    }
}

/// The largest distance.
#[inline(always)]
fn highest<const N: usize>(distances: &[usize; N]) -> usize {
    distances.iter().copied().fold(0, usize::max)
}

// An empty sum reads nothing, whatever the length of its operands; that needs no branch of its own. With one, its
// accumulators would have two ways out of these functions, and the compiler sends them through memory.

/// Adds `sum over p of a[rows[i] + at[p] + l] * b[columns[j] + bt[p] + l]` to `acc[i][j][l]`: inner
/// products of rows whose summands are neighbours in memory, kept apart in `L` lanes.
///
/// # Panics
/// When an element would lie outside of its operand, or there are fewer `bt` than `at`.
#[inline(always)]
pub fn dots<S: Simd, T: Float, const MR: usize, const NR: usize, const L: usize>(
    mut acc: [[[T; L]; NR]; MR],
    (a, rows, at): (&[T], &[usize; MR], Part<'_>),
    (b, columns, bt): (&[T], &[usize; NR], Part<'_>),
) -> [[[T; L]; NR]; MR] {
    at.check(highest(rows), L, a.len());
    bt.check(highest(columns), L, b.len());
    assert!(bt.offsets.len() >= at.offsets.len(), "the operands have different inner lengths");
    let (mut x_starts, mut y_starts) = ([a; MR], [b; NR]);
    for i in 0..MR {
        x_starts[i] = &a[rows[i].min(a.len())..];
    }
    for j in 0..NR {
        y_starts[j] = &b[columns[j].min(b.len())..];
    }
    for (&at, &bt) in at.offsets.iter().zip(bt.offsets) {
        let mut x = [[T::zero(); L]; MR];
        for i in 0..MR {
            // SAFETY: `at <= at.max`, and `rows[i] + at.max + L <= a.len()` was just asserted.
            x[i].copy_from_slice(unsafe { x_starts[i].get_unchecked(at..at + L) });
        }
        for j in 0..NR {
            // SAFETY: `bt <= bt.max`, and `columns[j] + bt.max + L <= b.len()` was asserted.
            let y = unsafe { y_starts[j].get_unchecked(bt..bt + L) };
            for i in 0..MR {
                for l in 0..L {
                    acc[i][j][l] = S::mul_add(x[i][l], y[l], acc[i][j][l]);
                }
            }
        }
    }
    acc
}

/// Adds `sum over k of a[column + at[k] + l] * b[rows[p] + bt[k] + l]` to `acc[p][l]`: products of neighbours lane by
/// lane, of which nothing is summed across lanes.
///
/// # Panics
/// When an element would lie outside of its operand, or there are fewer `bt` than `at`.
#[inline(always)]
pub fn lanewise<S: Simd, T: Float, const P: usize, const N: usize>(
    mut acc: [[T; N]; P],
    (a, column, at): (&[T], usize, Part<'_>),
    (b, rows, bt): (&[T], &[usize; P], Part<'_>),
) -> [[T; N]; P] {
    at.check(column, N, a.len());
    bt.check(highest(rows), N, b.len());
    assert!(bt.offsets.len() >= at.offsets.len(), "the operands have different inner lengths");
    let a = &a[column.min(a.len())..];
    let mut starts = [b; P];
    for p in 0..P {
        starts[p] = &b[rows[p].min(b.len())..];
    }
    for (&at, &bt) in at.offsets.iter().zip(bt.offsets) {
        // SAFETY: `at <= at.max`, and `column + at.max + N <= a.len()` was just asserted.
        let x = unsafe { a.get_unchecked(at..at + N) };
        for p in 0..P {
            // SAFETY: in the same way, `rows[p] + bt.max + N <= b.len()` was asserted.
            let y = unsafe { starts[p].get_unchecked(bt..bt + N) };
            for l in 0..N {
                acc[p][l] = S::mul_add(x[l], y[l], acc[p][l]);
            }
        }
    }
    acc
}

/// A window of `K` taps that slides: at place `p`, tap `k` sees what begins at `rows[k] + p step`.
pub struct Slide<'a, T, const K: usize> {
    rows: [&'a [T]; K],
    step: usize,
    /// How many places there are.
    count: usize,
    /// How many values a tap sees at a time.
    extent: usize,
}

impl<'a, T: Float, const K: usize> Slide<'a, T, K> {
    /// The window over `values`, with `extent` of them for each tap.
    ///
    /// # Panics
    /// When a tap would see something outside of the values.
    #[inline(always)]
    pub fn new(values: &'a [T], rows: &[usize; K], [step, count, extent]: [usize; 3]) -> Self {
        let way = count.saturating_sub(1).checked_mul(step);
        let end = way.and_then(|way| way.checked_add(highest(rows))?.checked_add(extent));
        let inside = end.is_some_and(|end| end <= values.len());
        assert!(inside || count == 0, "a window sees beyond its image");
        let mut starts = [values; K];
        for k in 0..K {
            starts[k] = &values[rows[k].min(values.len())..];
        }
        Slide { rows: starts, step, count, extent }
    }

    /// Adds `sum over k of weights[k][l] * values[rows[k] + p step + l]` to `acc[l]`. From one place to the next, the weights stay in registers.
    ///
    /// # Panics
    /// When there is no such place, or `N` is more than the extent.
    #[allow(
        clippy::needless_range_loop,
        reason = "an unrolled loop over arrays of constant length"
    )]
    #[inline(always)]
    pub fn add<S: Simd, const N: usize>(
        &self,
        p: usize,
        weights: &[[T; N]; K],
        mut acc: [T; N],
    ) -> [T; N] {
        assert!(p < self.count && N <= self.extent, "a window stands outside of its image");
        let at = p * self.step;
        for k in 0..K {
            // SAFETY: `p < count` and `N <= extent`, so `rows[k] + at + N` is at most what `new` has found to be inside, and `starts[k]` begins at
            // `rows[k]`.
            let x = unsafe { self.rows[k].get_unchecked(at..at + N) };
            for l in 0..N {
                acc[l] = S::mul_add(weights[k][l], x[l], acc[l]);
            }
        }
        acc
    }
}
