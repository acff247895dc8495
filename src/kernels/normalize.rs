//! Groups of values brought to mean 0 and variance 1, or to mean square 1, forward and backward.
//!
//! Sums over a group are long: lanes of at most [`PIECE`] summands each, which are added in `f64`.

use super::sums::{PIECE, Totals};
use crate::buffer::Buffer;
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd};
use num_traits::{Float, Zero};

/// Values `[samples, places, groups, channels]`. A group is what a sample has at all places in these channels.
/// Factors and shifts are `[groups, channels]`.
#[derive(Clone, Copy)]
pub struct Groups {
    pub places: usize,
    pub groups: usize,
    pub channels: usize,
    /// Whether the mean is taken away first.
    pub centred: bool,
    pub epsilon: f64,
}

/// Of a group: the mean and `1 / sqrt(variance + epsilon)`.
pub type Moments<T> = [T; 2];

/// Partial sums side by side: two vectors of any instruction set.
const LANES: usize = 32;

/// The sums of two terms over three equally long slices.
#[inline(always)]
fn sums<T: Scalar>([a, b, c]: [&[T]; 3], term: impl Fn(T, T, T) -> [T; 2]) -> [T::Wide; 2] {
    let mut totals = [T::Wide::zero(); 2];
    let pieces = a.chunks(LANES * PIECE).zip(b.chunks(LANES * PIECE)).zip(c.chunks(LANES * PIECE));
    for ((a, b), c) in pieces {
        let mut lanes = [[T::zero(); LANES]; 2];
        let mut add = |a: &[T], b: &[T], c: &[T]| {
            for i in 0..a.len().min(LANES) {
                let [first, second] = term(a[i], b[i], c[i]);
                lanes[0][i] += first;
                lanes[1][i] += second;
            }
        };
        let whole = a.len() / LANES * LANES;
        let blocks = a[..whole].chunks_exact(LANES).zip(b[..whole].chunks_exact(LANES));
        for ((a, b), c) in blocks.zip(c[..whole].chunks_exact(LANES)) {
            add(a, b, c);
        }
        add(&a[whole..], &b[whole..], &c[whole..]);
        for (total, lanes) in totals.iter_mut().zip(lanes) {
            *total += lanes.into_iter().map(T::wide).sum::<T::Wide>();
        }
    }
    totals
}

impl Groups {
    /// Values of a sample at one place.
    fn width(&self) -> usize {
        self.groups * self.channels
    }

    fn sample(&self) -> usize {
        self.places * self.width()
    }

    /// Values of a group.
    fn count(&self) -> f64 {
        (self.places * self.channels) as f64
    }

    /// Samples of a part. It depends on the shape alone.
    fn samples_of_a_part(&self) -> usize {
        const VALUES: usize = 1 << 14;
        (VALUES / self.sample().max(1)).clamp(1, PIECE)
    }

    /// The sums of two terms over each group of a sample: `term(a, b, factor)`.
    #[inline(always)]
    fn sums_by_group<T: Scalar>(
        &self,
        [a, b]: [&[T]; 2],
        factors: &[T],
        term: impl Fn(usize, T, T, T) -> [T; 2] + Copy,
    ) -> Vec<[T::Wide; 2]> {
        let mut totals = vec![[T::Wide::zero(); 2]; self.groups];
        if self.channels < LANES && self.places > 1 {
            // Short runs: a sum for each channel, and then those of a group.
            let mut by_channel = vec![[T::Wide::zero(); 2]; self.width()];
            let width = self.width().max(1);
            for (a, b) in a.chunks_exact(width).zip(b.chunks_exact(width)) {
                for (i, sums) in by_channel.iter_mut().enumerate() {
                    let terms = term(i / self.channels, a[i], b[i], factors[i]);
                    sums[0] += terms[0].wide();
                    sums[1] += terms[1].wide();
                }
            }
            for (total, sums) in
                totals.iter_mut().zip(by_channel.chunks_exact(self.channels.max(1)))
            {
                sums.iter().for_each(|sums| *total = [total[0] + sums[0], total[1] + sums[1]]);
            }
            return totals;
        }
        let runs = a.chunks_exact(self.channels.max(1)).zip(b.chunks_exact(self.channels.max(1)));
        for (run, (a, b)) in runs.enumerate() {
            let group = run % self.groups;
            let factors = &factors[group * self.channels..][..self.channels];
            let more = sums([a, b, factors], |a, b, factor| term(group, a, b, factor));
            totals[group] = [totals[group][0] + more[0], totals[group][1] + more[1]];
        }
        totals
    }

    #[inline(always)]
    fn moments<T: Scalar>(&self, x: &[T], factors: &[T]) -> Vec<Moments<T>> {
        let n = T::Wide::lit(self.count());
        let mut mean = vec![T::zero(); self.groups];
        if self.centred {
            let sums = self.sums_by_group([x, x], factors, |_, x, _, _| [x, T::zero()]);
            mean = sums.iter().map(|sums| T::narrow(sums[0] / n)).collect();
        }
        // The deviations from a mean of rounded sums have a small mean themselves, which corrects it.
        let rest = self.sums_by_group([x, x], factors, |group, x, _, _| {
            let deviation = x - mean[group];
            [deviation, deviation * deviation]
        });
        let moment = |(mean, &[sum, squares]): (&T, &[T::Wide; 2])| {
            let offset = if self.centred { sum / n } else { T::Wide::zero() };
            let variance = (squares / n - offset * offset).max(T::Wide::zero());
            let mean = mean.wide() + offset;
            [T::narrow(mean), T::narrow((variance + T::Wide::lit(self.epsilon)).sqrt().recip())]
        };
        mean.iter().zip(&rest).map(moment).collect()
    }

    /// `y = (x - mean) inverse factor + shift`, and the moments of all groups.
    pub fn forward<T: Scalar>(
        &self,
        x: &[T],
        [factors, shifts]: [&[T]; 2],
    ) -> (Buffer<T>, Vec<Moments<T>>) {
        let mut y = Buffer::stale(x.len());
        let size = self.samples_of_a_part() * self.sample();
        let moments = par::map_parts(&mut y, size.max(1), 8 * x.len(), |i, y| {
            let x = &x[i * size..][..y.len()];
            simd::dispatch(Forward { groups: self, x, y, factors, shifts })
        });
        (y, moments.concat())
    }

    /// With `z = (x - mean) inverse` and means over a group: `dx = inverse (g - mean(g) - z mean(g z))` of `g = factor dy`,
    /// the gradient of factors `sum(dy z)`, and that of shifts `sum(dy)`.
    pub fn backward<T: Scalar>(
        &self,
        [x, dy]: [&[T]; 2],
        factors: &[T],
        moments: &[Moments<T>],
    ) -> (Buffer<T>, [Vec<T>; 2]) {
        let mut dx = Buffer::stale(x.len());
        let samples = self.samples_of_a_part();
        let size = samples * self.sample();
        let parts = par::map_parts(&mut dx, size.max(1), 12 * x.len(), |i, dx| {
            let (x, dy) = (&x[i * size..][..dx.len()], &dy[i * size..][..dx.len()]);
            let moments = &moments[i * samples * self.groups..];
            simd::dispatch(Backward { groups: self, x, dy, dx, factors, moments })
        });
        let mut totals = [(); 2].map(|()| vec![T::Wide::zero(); self.width()]);
        for part in &parts {
            for (totals, part) in totals.iter_mut().zip(part) {
                totals.iter_mut().zip(part).for_each(|(total, more)| *total += more.wide());
            }
        }
        (dx, totals.map(|sums| sums.into_iter().map(T::narrow).collect()))
    }
}

struct Forward<'a, T> {
    groups: &'a Groups,
    x: &'a [T],
    y: &'a mut [T],
    factors: &'a [T],
    shifts: &'a [T],
}

impl<T: Scalar> Kernel for Forward<'_, T> {
    type Output = Vec<Moments<T>>;

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Output {
        let Groups { groups, channels, .. } = *self.groups;
        let (sample, channels) = (self.groups.sample().max(1), channels.max(1));
        let mut all = Vec::with_capacity(self.x.len() / sample * groups);
        for (x, y) in self.x.chunks_exact(sample).zip(self.y.chunks_exact_mut(sample)) {
            let moments = self.groups.moments(x, self.factors);
            for (run, (x, y)) in
                x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)).enumerate()
            {
                let group = run % groups;
                let [mean, inverse] = moments[group];
                let factors = &self.factors[group * channels..][..channels];
                let shifts = &self.shifts[group * channels..][..channels];
                for i in 0..channels {
                    y[i] = (x[i] - mean) * inverse * factors[i] + shifts[i];
                }
            }
            all.extend(moments);
        }
        all
    }
}

struct Backward<'a, T> {
    groups: &'a Groups,
    x: &'a [T],
    dy: &'a [T],
    dx: &'a mut [T],
    factors: &'a [T],
    /// From the first sample of this part on.
    moments: &'a [Moments<T>],
}

impl<T: Scalar> Kernel for Backward<'_, T> {
    /// The gradients of factors and shifts.
    type Output = [Vec<T>; 2];

    #[inline(always)]
    fn run<S: Simd>(self) -> Self::Output {
        let Groups { groups, channels, centred, .. } = *self.groups;
        let (width, channels) = (self.groups.width(), channels.max(1));
        let (sample, n) = (self.groups.sample().max(1), T::Wide::lit(self.groups.count()));
        let mut sums = [vec![T::zero(); width], vec![T::zero(); width]];
        // How many places there are is not asked: they are always counted.
        let mut totals = [Totals::new(usize::MAX, width), Totals::new(usize::MAX, width)];
        let mut means = vec![[T::zero(); 2]; groups];
        let samples = self.x.chunks_exact(sample).zip(self.dy.chunks_exact(sample));
        for (s, (x, dy)) in samples.enumerate() {
            let moments = &self.moments[s * groups..][..groups];
            let of_groups =
                self.groups.sums_by_group([x, dy], self.factors, |group, x, dy, factor| {
                    let [mean, inverse] = moments[group];
                    let g = factor * dy;
                    [g, g * ((x - mean) * inverse)]
                });
            for (means, &[g, gz]) in means.iter_mut().zip(&of_groups) {
                *means = [if centred { T::narrow(g / n) } else { T::zero() }, T::narrow(gz / n)];
            }
            let dx = &mut self.dx[s * sample..][..sample];
            for place in 0..self.groups.places {
                for group in 0..groups {
                    let run = (place * groups + group) * channels;
                    let (x, dy) = (&x[run..][..channels], &dy[run..][..channels]);
                    let dx = &mut dx[run..][..channels];
                    let first = group * channels;
                    let factors = &self.factors[first..][..channels];
                    let [dfactors, dshifts] = &mut sums;
                    let dfactors = &mut dfactors[first..][..channels];
                    let dshifts = &mut dshifts[first..][..channels];
                    let ([mean, inverse], [mean_g, mean_gz]) = (moments[group], means[group]);
                    for i in 0..channels {
                        let z = (x[i] - mean) * inverse;
                        dx[i] = inverse * (factors[i] * dy[i] - mean_g - z * mean_gz);
                        dfactors[i] += dy[i] * z;
                        dshifts[i] += dy[i];
                    }
                }
                for i in 0..2 {
                    totals[i].grow(&mut sums[i], 1);
                }
            }
        }
        let [factors, shifts] = totals;
        factors.finish(&mut sums[0]);
        shifts.finish(&mut sums[1]);
        sums
    }
}
