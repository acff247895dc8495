//! Sums over the values of each channel, and values with numbers of their channel: what batch normalisation consists of.
//!
//! Where the channels are innermost, some of them are taken at a time, whose sums and numbers stay in registers from one row to the next.

use crate::par;
use crate::scalar::Scalar;
use crate::simd::{Kernel, Simd};
use num_traits::Zero;

/// A tensor around one axis, in row-major order: `[outer, channels, inner]`.
#[derive(Clone, Copy)]
pub struct Around {
    pub outer: usize,
    pub channels: usize,
    pub inner: usize,
}

impl Around {
    /// Values of each channel.
    pub fn count(self) -> f64 {
        (self.outer * self.inner) as f64
    }

    fn len(self) -> usize {
        self.outer * self.channels * self.inner
    }

    /// Values of a part. It depends on the shape alone, so that sums do not depend on the threads.
    fn part(self) -> usize {
        const VALUES: usize = 1 << 14;
        let row = (self.channels * self.inner).max(1);
        (VALUES / row).max(1) * row
    }

    /// Sums of two terms over the values of each channel, in wide numbers: `term(a, b, numbers of the channel)`.
    pub fn sums<T: Scalar, Q: Copy + Default + Sync, const P: usize>(
        self,
        [a, b]: [&[T]; 2],
        numbers: [&[Q]; P],
        term: impl Fn(T, T, [Q; P]) -> [T::Wide; 2] + Copy + Sync,
    ) -> [Vec<T::Wide>; 2] {
        let size = self.part();
        let parts = par::map(self.len().div_ceil(size), 8 * self.len(), |part| {
            let values = part * size..((part + 1) * size).min(self.len());
            let (a, b) = (&a[values.clone()], &b[values]);
            T::dispatch(Sums { around: self, a, b, numbers, term })
        });
        let mut totals = [(); 2].map(|()| vec![T::Wide::zero(); self.channels]);
        for part in parts {
            for (totals, sums) in totals.iter_mut().zip(part) {
                totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            }
        }
        totals
    }

    /// Writes `y = of(a, b, numbers of the channel)`; without `b`, what is in `y` is taken for it.
    pub fn values<T: Scalar, const P: usize>(
        self,
        (a, b): (&[T], Option<&[T]>),
        numbers: [&[T]; P],
        of: impl Fn(T, T, [T; P]) -> T + Copy + Sync,
        y: &mut [T],
    ) {
        let (size, work) = (self.part(), 4 * self.len());
        par::for_each_part(
            y,
            size,
            work,
            || (),
            |(), part, y| {
                let part = part * size..part * size + y.len();
                let (a, b) = (&a[part.clone()], b.map(|b| &b[part]));
                T::dispatch(Values { around: self, a, b, numbers, of, y });
            },
        );
    }
}

/// The numbers of a channel.
#[inline(always)]
fn of_channel<Q: Copy + Default, R: AsRef<[Q]>, const P: usize>(
    numbers: &[R; P],
    channel: usize,
) -> [Q; P] {
    let mut own = [Q::default(); P];
    for p in 0..P {
        own[p] = numbers[p].as_ref()[channel];
    }
    own
}

/// The numbers of `N` channels from `at` on.
#[inline(always)]
fn of_channels<Q: Copy + Default, const N: usize, const P: usize>(
    numbers: &[&[Q]; P],
    at: usize,
) -> [[Q; N]; P] {
    let mut own = [[Q::default(); N]; P];
    for p in 0..P {
        own[p].copy_from_slice(&numbers[p][at..at + N]);
    }
    own
}

/// The sums of a part of whole rows.
struct Sums<'a, T, Q, F, const P: usize> {
    around: Around,
    a: &'a [T],
    b: &'a [T],
    numbers: [&'a [Q]; P],
    term: F,
}

impl<T: Scalar, Q: Copy + Default, F, const P: usize> Kernel for Sums<'_, T, Q, F, P>
where
    F: Fn(T, T, [Q; P]) -> [T::Wide; 2] + Copy,
{
    type Output = [Vec<T::Wide>; 2];

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Output {
        let Around { channels, inner, .. } = self.around;
        let mut sums = [(); 2].map(|()| vec![T::Wide::zero(); channels]);
        if inner != 1 {
            let runs = self.a.chunks_exact(inner.max(1)).zip(self.b.chunks_exact(inner.max(1)));
            for (run, (a, b)) in runs.enumerate() {
                let channel = run % channels;
                let [mut first, mut second] = [sums[0][channel], sums[1][channel]];
                let numbers = of_channel(&self.numbers, channel);
                for (&a, &b) in a.iter().zip(b) {
                    let term = (self.term)(a, b, numbers);
                    first += term[0];
                    second += term[1];
                }
                (sums[0][channel], sums[1][channel]) = (first, second);
            }
            return sums;
        }
        let mut at = 0;
        while at < channels {
            at += match channels - at {
                16.. => self.lanes::<16>(at, &mut sums),
                4.. => self.lanes::<4>(at, &mut sums),
                _ => self.lanes::<1>(at, &mut sums),
            };
        }
        sums
    }
}

impl<T: Scalar, Q: Copy + Default, F, const P: usize> Sums<'_, T, Q, F, P>
where
    F: Fn(T, T, [Q; P]) -> [T::Wide; 2] + Copy,
{
    /// `N` channels from `at` on. Returns `N`. (The two sums lie apart, and so do the two terms of `N` values: what lies in pairs, the
    /// compiler computes in pairs, one channel after the other.)
    #[inline(always)]
    fn lanes<const N: usize>(&self, at: usize, sums: &mut [Vec<T::Wide>; 2]) -> usize {
        let Sums { around: Around { channels, .. }, a, b, numbers, term } = *self;
        let numbers: [[Q; N]; P] = of_channels(&numbers, at);
        let mut lanes = [[T::Wide::zero(); N]; 2];
        for (a, b) in a.chunks_exact(channels).zip(b.chunks_exact(channels)) {
            let a: &[T; N] = a[at..at + N].try_into().expect("N values");
            let b: &[T; N] = b[at..at + N].try_into().expect("N values");
            let mut terms = [[T::Wide::zero(); N]; 2];
            for k in 0..N {
                [terms[0][k], terms[1][k]] = term(a[k], b[k], of_channel(&numbers, k));
            }
            for sum in 0..2 {
                for k in 0..N {
                    lanes[sum][k] += terms[sum][k];
                }
            }
        }
        for (sums, lanes) in sums.iter_mut().zip(&lanes) {
            sums[at..at + N].copy_from_slice(lanes);
        }
        N
    }
}

/// The values of a part of whole rows.
struct Values<'a, T, F, const P: usize> {
    around: Around,
    a: &'a [T],
    b: Option<&'a [T]>,
    numbers: [&'a [T]; P],
    of: F,
    y: &'a mut [T],
}

impl<T: Scalar, F: Fn(T, T, [T; P]) -> T + Copy, const P: usize> Kernel for Values<'_, T, F, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self) {
        let Around { channels, inner, .. } = self.around;
        if inner != 1 {
            let inner = inner.max(1);
            for (run, y) in self.y.chunks_exact_mut(inner).enumerate() {
                let numbers = of_channel(&self.numbers, run % channels);
                let a = &self.a[run * inner..][..inner];
                let b = self.b.map(|b| &b[run * inner..][..inner]);
                for k in 0..inner {
                    y[k] = (self.of)(a[k], b.map_or(y[k], |b| b[k]), numbers);
                }
            }
            return;
        }
        let mut at = 0;
        while at < channels {
            at += match channels - at {
                16.. => self.lanes::<16>(at),
                4.. => self.lanes::<4>(at),
                _ => self.lanes::<1>(at),
            };
        }
    }
}

impl<T: Scalar, F: Fn(T, T, [T; P]) -> T + Copy, const P: usize> Values<'_, T, F, P> {
    /// `N` channels from `at` on. Returns `N`.
    #[inline(always)]
    fn lanes<const N: usize>(&mut self, at: usize) -> usize {
        let (channels, of) = (self.around.channels, self.of);
        let numbers: [[T; N]; P] = of_channels(&self.numbers, at);
        let rows = self.a.chunks_exact(channels).zip(self.y.chunks_exact_mut(channels));
        for (row, (a, y)) in rows.enumerate() {
            let a: &[T; N] = a[at..at + N].try_into().expect("N values");
            let y: &mut [T; N] = (&mut y[at..at + N]).try_into().expect("N values");
            let b = match self.b {
                Some(b) => b[row * channels + at..][..N].try_into().expect("N values"),
                None => *y,
            };
            for k in 0..N {
                y[k] = of(a[k], b[k], of_channel(&numbers, k));
            }
        }
        N
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::testing::at_each_level;

    #[test]
    fn parts_are_whole_rows_of_some_size() {
        for (channels, inner, part) in [(64, 1, 1 << 14), (3, 5, 16_380), (20_000, 1, 20_000)] {
            assert_eq!(Around { outer: 9, channels, inner }.part(), part);
        }
    }

    /// Whole numbers, so that sums are exact, for channels that leave a rest of each kind, innermost and not.
    #[test]
    fn sums_and_values_are_those_of_plain_loops() {
        at_each_level(|| {
            for channels in (1..30).chain([67]) {
                for (outer, inner) in [(1, 1), (7, 1), (700, 1), (3, 5), (0, 1), (2, 0)] {
                    let around = Around { outer, channels, inner };
                    let number = |i: usize| (i * 31 % 17) as f32 - 8.0;
                    let a: Vec<f32> = (0..around.len()).map(number).collect();
                    let b: Vec<f32> = (0..around.len()).map(|i| number(i + 5)).collect();
                    let [p, q] = [2, 9].map(|k| (0..channels).map(|c| number(c + k)).collect());
                    let (p, q): (Vec<f32>, Vec<f32>) = (p, q);
                    let channel = |i: usize| i / inner % channels;
                    let mut sums = [vec![0.0; channels], vec![0.0; channels]];
                    let mut values = Vec::new();
                    for i in 0..around.len() {
                        let c = channel(i);
                        sums[0][c] += f64::from(a[i] * p[c]);
                        sums[1][c] += f64::from(b[i] + q[c]);
                        values.push(a[i] * p[c] - b[i] * q[c]);
                    }
                    let term = |a: f32, b, [p, q]: [f32; 2]| [f64::from(a * p), f64::from(b + q)];
                    assert_eq!(around.sums([&a, &b], [&p, &q], term), sums, "{channels} {inner}");
                    let of = |a, b, [p, q]: [f32; 2]| a * p - b * q;
                    let mut y = vec![f32::NAN; a.len()];
                    around.values((&a, Some(&b)), [&p, &q], of, &mut y);
                    assert_eq!(y, values, "{channels} {inner}");
                    y.copy_from_slice(&b);
                    around.values((&a, None), [&p, &q], of, &mut y);
                    assert_eq!(y, values, "{channels} {inner}");
                }
            }
        });
    }
}
