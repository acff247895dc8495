//! Reductions over axes.

use super::shape::{Axes, MAX_RANK, Shape};
use super::{Tensor, walk};
use crate::buffer::{Buffer, room};
use crate::scalar::{Scalar, compiled};
use crate::simd::{self, Kernel, Simd};
use num_traits::{One, Zero};

impl<T: Scalar> Tensor<T> {
    /// The sum over axes, which disappear from the shape. It is accumulated in `f64`.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum(0).to_vec(), [4.0, 6.0]);
    /// assert_eq!(x.sum(..).item(), 10.0);
    /// ```
    #[track_caller]
    pub fn sum(&self, axes: impl Axes) -> Tensor<T> {
        let flags = axes.flags(self.rank());
        self.sum_flagged(&flags, T::Wide::one()).reshape(self.shape.without(&flags))
    }

    /// The mean over axes, which disappear from the shape; NaN over no elements. It is rounded once, after the division, so that
    /// the mean of equal values is that value.
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 2.0], [3.0, 4.0]]).mean(1).to_vec(), [1.5, 3.5]);
    /// ```
    #[track_caller]
    pub fn mean(&self, axes: impl Axes) -> Tensor<T> {
        let flags = axes.flags(self.rank());
        let count: usize = (0..self.rank()).filter(|&a| flags[a]).map(|a| self.shape[a]).product();
        self.sum_flagged(&flags, T::Wide::lit(count as f64)).reshape(self.shape.without(&flags))
    }

    /// The largest value along axes, which disappear from the shape; NaN where there is one.
    ///
    /// # Panics
    /// When an axis does not exist, and for the maximum of no elements.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 2.0], [4.0, 3.0]]).max(1).to_vec(), [2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn max(&self, axes: impl Axes) -> Tensor<T> {
        self.max_flagged(&axes.flags(self.rank()))
    }

    /// The smallest value along axes, which disappear from the shape; NaN where there is one.
    ///
    /// # Panics
    /// When an axis does not exist, and for the minimum of no elements.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 2.0], [4.0, 3.0]]).min(..).item(), 1.0);
    /// ```
    #[track_caller]
    pub fn min(&self, axes: impl Axes) -> Tensor<T> {
        self.min_flagged(&axes.flags(self.rank()))
    }

    /// The index of the largest value along an axis, for every index of the other axes in
    /// row-major order. Of equal values the first wins; NaN counts as largest.
    ///
    /// # Panics
    /// When the axis does not exist or is empty.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let probabilities = Tensor::from([[0.1, 0.9], [0.6, 0.4]]);
    /// assert_eq!(probabilities.argmax(1), [1, 0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn argmax(&self, axis: usize) -> Vec<usize> {
        self.winners("argmax", axis, |new, old| new > old || (new.is_nan() && !old.is_nan()))
    }

    /// The index of the smallest value along an axis, for every index of the other axes in
    /// row-major order. Of equal values the first wins; NaN counts as smallest.
    ///
    /// # Panics
    /// When the axis does not exist or is empty.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let distances = Tensor::from([[0.1, 0.9], [0.6, 0.4]]);
    /// assert_eq!(distances.argmin(1), [0, 1]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn argmin(&self, axis: usize) -> Vec<usize> {
        self.winners("argmin", axis, |new, old| new < old || (new.is_nan() && !old.is_nan()))
    }

    /// The index of what is better than all others along an axis.
    #[track_caller]
    fn winners(&self, name: &str, axis: usize, better: impl Fn(T, T) -> bool) -> Vec<usize> {
        assert!(axis < self.rank(), "{name}: axis {axis} of a tensor of shape {}", self.shape);
        let len = self.shape[axis];
        assert!(len > 0, "{name}: axis {axis} of a tensor of shape {} is empty", self.shape);
        let (outer, inner): (usize, usize) =
            (self.shape[..axis].iter().product(), self.shape[axis + 1..].iter().product());
        let values = self.to_vec();
        let mut winners = room(outer * inner);
        for start in 0..outer {
            for column in 0..inner {
                let value = |i: usize| values[(start * len + i) * inner + column];
                winners.push(
                    (1..len).fold(
                        0,
                        |best, i| {
                            if better(value(i), value(best)) { i } else { best }
                        },
                    ),
                );
            }
        }
        winners
    }

    /// The sum that undoes a broadcast: of all elements that came from the same one of `shape`.
    pub(crate) fn sum_to(&self, shape: Shape) -> Tensor<T> {
        if self.shape == shape {
            return self.clone();
        }
        let added = self.rank() - shape.rank();
        let flags: [bool; MAX_RANK] = std::array::from_fn(|axis| {
            axis < added || axis < self.rank() && shape[axis - added] != self.shape[axis]
        });
        self.sum_flagged(&flags, T::Wide::one()).reshape(shape)
    }

    /// The sum over the flagged axes, which stay with length 1, divided by `divisor` before it is rounded.
    #[track_caller]
    #[inline(never)]
    fn sum_flagged(&self, flags: &[bool; MAX_RANK], divisor: T::Wide) -> Tensor<T> {
        self.sum_of(flags, T::wide, |sum| T::narrow(sum / divisor))
    }

    /// The sum of the squares over axes, which disappear from the shape, as `rounded` makes a number of it.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn sum_squares(&self, axes: &[usize], rounded: &dyn Fn(T::Wide) -> T) -> Tensor<T> {
        let flags = axes.flags(self.rank());
        let sums = self.sum_of(&flags, |x| x.wide() * x.wide(), rounded);
        sums.reshape(self.shape.without(&flags))
    }

    /// The sum of `f` of each element over the flagged axes, which stay with length 1, as `rounded` makes a number of it.
    #[track_caller]
    fn sum_of(
        &self,
        flags: &[bool; MAX_RANK],
        f: impl Fn(T) -> T::Wide,
        rounded: impl Fn(T::Wide) -> T,
    ) -> Tensor<T> {
        let kept = self.shape.kept(flags);
        let strides = masked(&kept, flags);
        let mut sums = Buffer::<T::Wide>::zeroed(kept.count());
        let start = [self.offset as isize, 0];
        walk::runs(
            self.shape,
            [&self.strides, &strides],
            start,
            &mut |len, [x, s], [dx, ds]| match (dx, ds) {
                (1, 0) => sums[s as usize] += sum_of(&self.data[x as usize..][..len], &f),
                (1, 1) => {
                    let x = &self.data[x as usize..][..len];
                    simd::dispatch(AddWide { sums: &mut sums[s as usize..][..len], x, term: &f });
                }
                _ => (0..len as isize).for_each(|i| {
                    sums[(s + i * ds) as usize] += f(self.data[(x + i * dx) as usize]);
                }),
            },
        );
        let len = sums.len();
        Tensor::from_buffer(kept, Buffer::collect(len, sums.iter().map(|&sum| rounded(sum))))
    }

    #[track_caller]
    #[inline(never)]
    fn max_flagged(&self, flags: &[bool; MAX_RANK]) -> Tensor<T> {
        self.fold(flags, T::neg_infinity(), |b, a| b > a)
    }

    #[track_caller]
    #[inline(never)]
    fn min_flagged(&self, flags: &[bool; MAX_RANK]) -> Tensor<T> {
        self.fold(flags, T::infinity(), |b, a| b < a)
    }

    #[track_caller]
    fn fold(
        &self,
        flags: &[bool; MAX_RANK],
        first: T,
        before: impl Fn(T, T) -> bool + Copy,
    ) -> Tensor<T> {
        let kept = self.shape.kept(flags);
        assert!(
            !self.is_empty() || kept.contains(&0),
            "the maximum or minimum of no elements: the shape is {}",
            self.shape
        );
        let strides = masked(&kept, flags);
        let mut folded = room(kept.count());
        folded.resize(kept.count(), first);
        let start = [self.offset as isize, 0];
        walk::runs(self.shape, [&self.strides, &strides], start, &mut |len, [x, s], [dx, ds]| {
            // A NaN stays: no comparison with it is true.
            if (dx, ds) == (1, 0) {
                let slot = &mut folded[s as usize];
                let x = &self.data[x as usize..][..len];
                *slot = simd::dispatch(Extreme { best: *slot, x, before });
                return;
            }
            for i in 0..len as isize {
                let slot = &mut folded[(s + i * ds) as usize];
                let x = self.data[(x + i * dx) as usize];
                *slot = if before(x, *slot) || x.is_nan() { x } else { *slot };
            }
        });
        Tensor::new(self.shape.without(flags), folded)
    }
}

/// Strides that write all elements along a flagged axis to the same place.
pub(super) fn masked(kept: &Shape, flags: &[bool; MAX_RANK]) -> [isize; MAX_RANK] {
    let strides = kept.row_major();
    std::array::from_fn(|axis| if flags[axis] { 0 } else { strides[axis] })
}

/// The sum of a term of each value.
fn sum_of<T: Scalar>(values: &[T], term: impl Fn(T) -> T::Wide) -> T::Wide {
    simd::dispatch(LaneSum { values, term })
}

/// The sum of the squares.
#[inline(never)]
pub(crate) fn sum_of_squares<T: Scalar>(values: &[T]) -> T::Wide {
    sum_of(values, |x| {
        let x = x.wide();
        x * x
    })
}

/// A sum in eight lanes: fast, and always in the same order.
struct LaneSum<'a, T, F> {
    values: &'a [T],
    term: F,
}

impl<T: Scalar, F: Fn(T) -> T::Wide> Kernel for LaneSum<'_, T, F> {
    type Output = T::Wide;

    #[inline(always)]
    fn run<S: Simd>(self) -> T::Wide {
        let (chunks, rest) = self.values.as_chunks::<8>();
        let mut lanes = [T::Wide::zero(); 8];
        for chunk in chunks {
            for k in 0..8 {
                lanes[k] += (self.term)(chunk[k]);
            }
        }
        let rest = rest.iter().map(|&x| (self.term)(x)).sum::<T::Wide>();
        lanes.into_iter().sum::<T::Wide>() + rest
    }
}

/// Adds a term of each value to as many sums.
struct AddWide<'a, T: Scalar, F> {
    sums: &'a mut [T::Wide],
    x: &'a [T],
    term: F,
}

impl<T: Scalar, F: Fn(T) -> T::Wide> Kernel for AddWide<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (sum, &x) in self.sums.iter_mut().zip(self.x) {
            *sum += (self.term)(x);
        }
    }
}

/// The largest value, or the smallest: the first of `best` and of all `x` that goes before the others. A NaN does.
struct Extreme<'a, T, F> {
    best: T,
    x: &'a [T],
    before: F,
}

impl<T: Scalar, F: Fn(T, T) -> bool> Kernel for Extreme<'_, T, F> {
    type Output = T;

    #[inline(always)]
    fn run<S: Simd>(self) -> T {
        let Extreme { best, x, before } = self;
        let of = |a: T, b: T| if before(b, a) | b.is_nan() { b } else { a };
        let (chunks, rest) = x.as_chunks::<32>();
        let mut lanes = [best; 32];
        for chunk in chunks {
            for k in 0..32 {
                lanes[k] = of(lanes[k], chunk[k]);
            }
        }
        let mut best = best;
        for lane in lanes {
            best = of(best, lane);
        }
        for &x in rest {
            best = of(best, x);
        }
        best
    }
}

compiled!(|x: &Tensor<T>| (x.sum(..), x.mean(..), x.max(..), x.min(..)));
compiled!(|x: &Tensor<T>| (x.argmax(0), x.argmin(0), x.sum_squares(&[], &|sum| T::narrow(sum))));

#[cfg(test)]
mod tests {
    use super::*;

    /// Ones, but for a large number at one place and its negative at another: in `f32`, the ones between them are lost.
    fn ones(len: usize, [large, negative]: [usize; 2]) -> Vec<f32> {
        let mut values = vec![1.0; len];
        (values[large], values[negative]) = (2f32.powi(24), -2f32.powi(24));
        values
    }

    /// Of a vector: in chunks, with a rest of every length. Of the columns of a matrix, and of vectors that lie in memory
    /// with gaps or backwards. All of them in `f64`, at every place, or else the ones are lost there.
    #[test]
    fn sums_do_not_lose_what_is_small() {
        for len in 2..37 {
            let places = (0..len).flat_map(|a| (0..len).map(move |b| [a, b]));
            for places in places.filter(|[a, b]| a != b) {
                let values = ones(len, places);
                let right = (len - 2) as f32;
                let x = Tensor::new([len], values.clone());
                let columns = Tensor::from_fn([len, 3], |at| values[at[0]] * (at[1] + 1) as f32);
                let gaps = columns.slice(1, 1..2).reshape([len]);
                for (x, right) in [(x.clone(), right), (x.flip(0), right), (gaps, 2.0 * right)] {
                    assert_eq!(x.sum(0).item(), right, "{len} {places:?}");
                    assert_eq!(x.mean(..).item(), right / len as f32, "{len} {places:?}");
                }
                let right = [right, 2.0 * right, 3.0 * right];
                assert_eq!(columns.sum(0).to_vec(), right, "{len} {places:?}");
                assert_eq!(columns.mean(0).to_vec(), right.map(|sum| sum / len as f32));
                // Rows of three: a sum of many runs.
                assert_eq!(columns.sum(..).item(), 6.0 * (len - 2) as f32, "{len} {places:?}");
            }
        }
    }

    /// Over the first axis and the last: for each of the others, a sum of several runs.
    #[test]
    fn sums_of_several_runs_do_not_lose_what_is_small() {
        let values = ones(4 * 9, [0, 35]);
        let x = Tensor::from_fn([4, 2, 9], |at| values[at[0] * 9 + at[2]] * (at[1] + 1) as f32);
        assert_eq!(x.sum([0, 2]).to_vec(), [34.0, 68.0]);
        assert_eq!(x.flip(2).sum([0, 2]).to_vec(), [34.0, 68.0]);
        assert_eq!(x.mean([0, 2]).to_vec(), [34.0 / 36.0, 68.0 / 36.0]);
        assert_eq!(x.sum_to(Shape::from([2, 1])).to_vec(), [34.0, 68.0]);
    }

    /// More than 2^24 ones, which lie in memory one by one.
    #[test]
    fn many_ones() {
        let (n, more) = (1 << 12, (1 << 12) + 3);
        let x = Tensor::<f32>::ones([n, more]).row_major();
        assert_eq!(x.as_slice().map(<[f32]>::len), Some(n * more));
        assert_eq!(x.sum(..).item(), (n * more) as f32);
        assert_eq!(x.mean(..).item(), 1.0);
        assert_eq!(x.t().sum([0, 1]).item(), (n * more) as f32);
    }
}
