//! Long sums.
//!
//! A chain of additions loses digits as it grows: in `f32`, 2^24 ones add up to 2^24, and so does any greater number of
//! them, because 2^24 + 1 is no `f32`. So no chain has more than [`CHAIN`] summands. A longer sum is cut into pieces of
//! [`PIECE`] summands, and the pieces are added in `f64`. Which sums are long, and where they are cut, depends on
//! shapes alone (and on how many lanes of a vector share a sum), so it is the same for any number of threads.

use crate::buffer::Buffer;
use crate::scalar::Scalar;
use crate::simd::{self, Finish, Kernel, Offsets, Part, Simd};
use std::ops::Range;

/// The most summands of one chain: more than the products of usual networks have, whose sums stay as they are.
pub const CHAIN: usize = 1 << 15;
/// Summands of a piece of a longer sum, about: few, for a piece costs as much as some summands.
pub const PIECE: usize = 1 << 10;

/// The sum of some of `len` values, or of all.
pub fn sum<T: Scalar>(len: usize, values: impl Iterator<Item = T>) -> T {
    if len <= CHAIN { values.sum() } else { T::narrow(values.map(T::wide).sum()) }
}

impl Finish {
    /// The most that it leaves of a sum.
    pub fn most<T: Scalar>(self) -> T {
        if self == Finish::Relu6 { T::lit(6.0) } else { T::infinity() }
    }

    /// Does it to sums that were finished plainly.
    pub fn apply<T: Scalar>(self, sums: &mut [T]) {
        if self != Finish::Plain {
            let most = self.most();
            sums.iter_mut().for_each(|sum| *sum = limited(*sum, most));
        }
    }
}

/// [`rectified`], but `most` at most; a NaN stays one.
#[inline(always)]
pub fn limited<T: Scalar>(x: T, most: T) -> T {
    let x = rectified(x);
    if x > most { most } else { x }
}

/// `max(x, 0)`; a NaN stays one.
#[inline(always)]
pub fn rectified<T: Scalar>(x: T) -> T {
    x.rectified()
}

/// Writes sums of up to `summands` summands: `of(some of them, whether they are the first, finish, out)`, of all at once or
/// piece by piece.
pub fn by_pieces<T: Scalar>(
    summands: usize,
    finish: Finish,
    out: &mut [T],
    of: impl Fn(Range<usize>, bool, Finish, &mut [T]),
) {
    if summands <= CHAIN {
        return of(0..summands, true, finish, out);
    }
    let mut totals = Totals::new(summands, out.len());
    for first in (0..summands).step_by(PIECE) {
        of(first..(first + PIECE).min(summands), first == 0, Finish::Plain, out);
        totals.take(out);
    }
    totals.finish(out);
    finish.apply(out);
}

/// [`by_pieces`] for rows of so many sums that begin at `to` in `out`.
pub fn rows_by_pieces<T: Scalar>(
    summands: usize,
    finish: Finish,
    (out, to, columns): (&mut [T], Part<'_>, usize),
    of: impl Fn(Range<usize>, bool, Finish, &mut [T], Part<'_>),
) {
    if summands <= CHAIN {
        return of(0..summands, true, finish, out, to);
    }
    // One behind the other, with what they start from.
    let mut sums = Buffer::stale(to.len() * columns);
    for (sums, &to) in sums.chunks_exact_mut(columns).zip(to.as_slice()) {
        sums.copy_from_slice(&out[to..to + columns]);
    }
    let rows = Offsets::steps(to.len(), columns);
    by_pieces(summands, finish, &mut sums, |summands, first, finish, sums| {
        of(summands, first, finish, sums, rows.all());
    });
    for (sums, &to) in sums.chunks_exact(columns).zip(to.as_slice()) {
        out[to..to + columns].copy_from_slice(sums);
    }
}

/// What sums that grow side by side have come to: nothing as long as they are short.
pub struct Totals<T: Scalar> {
    totals: Buffer<T::Wide>,
    /// Summands that are not in the totals yet.
    pending: usize,
}

impl<T: Scalar> Totals<T> {
    /// For `count` sums of `summands` each.
    pub fn new(summands: usize, count: usize) -> Self {
        let len = if summands <= CHAIN { 0 } else { count };
        Totals { totals: Buffer::zeroed(len), pending: 0 }
    }

    /// Takes note of `more` summands, at most about a piece, that were added to each of the sums. From time to time, the
    /// sums move to the totals, and begin again with 0.
    pub fn grow(&mut self, sums: &mut [T], more: usize) {
        self.pending += more;
        if self.pending >= PIECE {
            self.take(sums);
        }
    }

    /// Moves the sums to the totals.
    pub fn take(&mut self, sums: &mut [T]) {
        self.pending = 0;
        if !self.totals.is_empty() {
            simd::dispatch(Take { totals: &mut self.totals, sums });
        }
    }

    /// The totals, with what is in the sums yet, as sums.
    pub fn finish(mut self, sums: &mut [T]) {
        self.take(sums);
        sums.iter_mut().zip(&self.totals[..]).for_each(|(sum, &total)| *sum = T::narrow(total));
    }
}

/// Moves sums to totals.
struct Take<'a, T: Scalar> {
    totals: &'a mut [T::Wide],
    sums: &'a mut [T],
}

impl<T: Scalar> Kernel for Take<'_, T> {
    type Output = ();
    const LONG: bool = false;

    #[inline(always)]
    fn run<S: Simd>(self) {
        for (total, sum) in self.totals.iter_mut().zip(self.sums) {
            *total += sum.wide();
            *sum = T::zero();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_sums_are_chains_and_long_ones_are_not() {
        let values = |len: usize| (0..len).map(|i| 0.1f32 + (i % 7) as f32);
        let exact = |len: usize| values(len).map(f64::from).sum::<f64>();
        let chain = |len: usize| values(len).fold(0.0, |sum, x| sum + x);
        assert_eq!(sum(CHAIN, values(CHAIN)), chain(CHAIN));
        assert_ne!(sum(CHAIN, values(CHAIN)), exact(CHAIN) as f32);
        assert_eq!(sum(CHAIN + 1, values(CHAIN + 1)), exact(CHAIN + 1) as f32);
        // Fewer values than there could be.
        assert_eq!(sum(CHAIN + 1, values(3)), exact(3) as f32);
        assert_eq!(sum::<f32>(0, [].into_iter()), 0.0);
    }

    #[test]
    fn totals_of_short_sums_leave_them_alone() {
        let mut sums = [1.0f32, 2.0];
        let mut totals = Totals::new(CHAIN, 2);
        totals.grow(&mut sums, CHAIN);
        assert_eq!(sums, [1.0, 2.0]);
        totals.finish(&mut sums);
        assert_eq!(sums, [1.0, 2.0]);
    }

    /// Ones, a half piece at a time: 2^24 of them would stay 2^24.
    #[test]
    fn totals_of_long_sums_have_all_summands() {
        let steps = (1 << 25) / (PIECE / 2) + 1;
        let mut sums = [0.0f32; 3];
        let mut totals = Totals::new(steps * PIECE / 2, 3);
        for _ in 0..steps {
            sums.iter_mut()
                .zip([1.0, -1.0, 0.5])
                .for_each(|(sum, x)| *sum += x * (PIECE / 2) as f32);
            totals.grow(&mut sums, PIECE / 2);
            assert!(sums[0] < PIECE as f32);
        }
        totals.finish(&mut sums);
        let whole = (steps * PIECE / 2) as f32;
        assert_eq!(sums, [whole, -whole, whole / 2.0]);
        assert!(whole > 2f32.powi(25));
        // An odd number at a time, which is lost beside 2^25.
        let (steps, more) = (1 << 16, PIECE + 1);
        let mut sums = [0.0f32];
        let mut totals = Totals::new(steps * more, 1);
        for _ in 0..steps {
            sums[0] += more as f32;
            totals.grow(&mut sums, more);
        }
        totals.finish(&mut sums);
        assert_eq!(sums, [(steps * more) as f32]);
    }
}
