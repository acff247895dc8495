//! Softmax and its logarithm along rows.
//!
//! Exponentials are taken of many rows at once, so that short rows fill vectors, too; the rows of a turn stay in the cache.

use super::sums::CHAIN;
use crate::buffer::Buffer;
use crate::scalar::Scalar;
use crate::simd::{Kernel, Simd};
use crate::tensor::{Exp, map_in_place};
use std::ops::AddAssign;

/// Values of the rows of a turn, about.
const TURN: usize = 1 << 11;

/// Numbers that are added or compared side by side in a row that has as many.
const LANES: usize = 16;

/// The length of a turn of whole rows.
fn turn(width: usize) -> usize {
    (TURN / width).max(1) * width
}

/// Replaces rows of `width` values by their softmax.
#[inline(never)]
pub fn softmax<T: Scalar>(rows: &mut [T], width: usize) {
    for x in rows.chunks_mut(turn(width)) {
        T::dispatch(LessMaximum { x, width });
        map_in_place(Exp, x);
        T::dispatch(OverSum { x, width });
    }
}

/// The gradient before the softmax that gave `y`, in place of the one after it: `y_i (dy_i - sum over j of dy_j y_j)`.
#[inline(never)]
pub fn softmax_gradient<T: Scalar>(dy: &mut [T], y: &[T], width: usize) {
    T::dispatch(SoftmaxGradient { dy, y, width });
}

/// Replaces rows by the logarithms of their softmax: what the maximum leaves of a value, less the logarithm of the sum of its exponentials.
#[inline(never)]
pub fn log_softmax<T: Scalar>(rows: &mut [T], width: usize) {
    let mut exps = Buffer::stale(turn(width).min(rows.len()));
    for x in rows.chunks_mut(turn(width)) {
        T::dispatch(LessMaximum { x, width });
        let exps = &mut exps[..x.len()];
        exps.copy_from_slice(x);
        map_in_place(Exp, exps);
        T::dispatch(LessLogarithm { x, exps, width });
    }
}

/// The gradient before the logarithm of a softmax, `y`: `dy_i - exp(y_i) sum over j of dy_j`.
#[inline(never)]
pub fn log_softmax_gradient<T: Scalar>(dy: &mut [T], y: &[T], width: usize) {
    let mut exps = Buffer::stale(turn(width).min(y.len()));
    for (dy, y) in dy.chunks_mut(turn(width)).zip(y.chunks(turn(width))) {
        let exps = &mut exps[..y.len()];
        exps.copy_from_slice(y);
        map_in_place(Exp, exps);
        T::dispatch(LessShares { dy, exps, width });
    }
}

/// The sum of `term(i)` for `i` below `len`, in lanes if there are enough; in `f64` if it is long.
#[inline(always)]
fn sum<T: Scalar>(len: usize, term: impl Fn(usize) -> T) -> T {
    if len > CHAIN {
        return T::narrow(in_lanes(len, |i| term(i).wide()));
    }
    in_lanes(len, term)
}

#[inline(always)]
fn in_lanes<W: num_traits::Zero + Copy + AddAssign>(len: usize, term: impl Fn(usize) -> W) -> W {
    let mut total = W::zero();
    let whole = len / LANES * LANES;
    if whole > 0 {
        let mut lanes = [W::zero(); LANES];
        for first in (0..whole).step_by(LANES) {
            for k in 0..LANES {
                lanes[k] += term(first + k);
            }
        }
        for k in 0..LANES {
            total += lanes[k];
        }
    }
    for i in whole..len {
        total += term(i);
    }
    total
}

/// Takes its maximum away from each row, so that no exponential overflows. A NaN is no maximum.
struct LessMaximum<'a, T> {
    x: &'a mut [T],
    width: usize,
}

impl<T: Scalar> Kernel for LessMaximum<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let larger = |a: T, b: T| if b > a { b } else { a };
        for row in self.x.chunks_exact_mut(self.width) {
            let mut max = T::neg_infinity();
            let (blocks, rest) = row.as_chunks::<LANES>();
            if !blocks.is_empty() {
                let mut lanes = [max; LANES];
                for block in blocks {
                    for k in 0..LANES {
                        lanes[k] = larger(lanes[k], block[k]);
                    }
                }
                for k in 0..LANES {
                    max = larger(max, lanes[k]);
                }
            }
            for &x in rest {
                max = larger(max, x);
            }
            for x in row {
                *x -= max;
            }
        }
    }
}

/// Divides each row by its sum.
struct OverSum<'a, T> {
    x: &'a mut [T],
    width: usize,
}

impl<T: Scalar> Kernel for OverSum<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        for row in self.x.chunks_exact_mut(self.width) {
            // One division for all. The sum is at least 1, the exponential of the maximum.
            let share = sum(row.len(), |i| row[i]).recip();
            for x in row {
                *x *= share;
            }
        }
    }
}

struct SoftmaxGradient<'a, T> {
    dy: &'a mut [T],
    y: &'a [T],
    width: usize,
}

impl<T: Scalar> Kernel for SoftmaxGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let rows = self.dy.chunks_exact_mut(self.width).zip(self.y.chunks_exact(self.width));
        for (dy, y) in rows {
            let y = &y[..dy.len()];
            let dot = sum(dy.len(), |i| dy[i] * y[i]);
            for i in 0..dy.len() {
                dy[i] = y[i] * (dy[i] - dot);
            }
        }
    }
}

/// Takes the logarithm of the sum of its exponentials away from each row.
struct LessLogarithm<'a, T> {
    x: &'a mut [T],
    exps: &'a [T],
    width: usize,
}

impl<T: Scalar> Kernel for LessLogarithm<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let rows = self.x.chunks_exact_mut(self.width).zip(self.exps.chunks_exact(self.width));
        for (row, exps) in rows {
            let logarithm = sum(exps.len(), |i| exps[i]).vector_ln();
            for x in row {
                *x -= logarithm;
            }
        }
    }
}

/// Takes the sum of its row, times an exponential, away from each value.
struct LessShares<'a, T> {
    dy: &'a mut [T],
    exps: &'a [T],
    width: usize,
}

impl<T: Scalar> Kernel for LessShares<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let rows = self.dy.chunks_exact_mut(self.width).zip(self.exps.chunks_exact(self.width));
        for (dy, exps) in rows {
            let (exps, total) = (&exps[..dy.len()], sum(dy.len(), |i| dy[i]));
            for i in 0..dy.len() {
                dy[i] -= exps[i] * total;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::testing::at_each_level;

    fn numbers(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 37 + seed * 11) % 101) as f32 / 9.0 - 5.0).collect()
    }

    /// Rows that are shorter and longer than lanes and turns, against plain loops in `f64`; the same bits at each instruction set.
    #[test]
    fn all_widths() {
        for width in (1..40).chain([127, 128, 3000]) {
            let rows = if width < 40 { 300 } else { 3 };
            let (x, dy) = (numbers(rows * width, width), numbers(rows * width, width + 1));
            let bits = std::cell::RefCell::new(Vec::new());
            at_each_level(|| {
                let (mut y, mut logs) = (x.clone(), x.clone());
                softmax(&mut y, width);
                log_softmax(&mut logs, width);
                let (mut dx, mut dx_of_logs) = (dy.clone(), dy.clone());
                softmax_gradient(&mut dx, &y, width);
                log_softmax_gradient(&mut dx_of_logs, &logs, width);
                for row in 0..rows {
                    let at = |values: &[f32], i: usize| f64::from(values[row * width + i]);
                    let total: f64 = (0..width).map(|i| at(&x, i).exp()).sum();
                    let share = |i: usize| at(&x, i).exp() / total;
                    let dot: f64 = (0..width).map(|i| at(&dy, i) * share(i)).sum();
                    let sum: f64 = (0..width).map(|i| at(&dy, i)).sum();
                    for i in 0..width {
                        for (ours, expected, scale) in [
                            (&y, share(i), share(i)),
                            (&logs, share(i).ln(), 1.0 + share(i).ln().abs()),
                            (&dx, share(i) * (at(&dy, i) - dot), 10.0 * share(i)),
                            (&dx_of_logs, at(&dy, i) - share(i) * sum, 10.0 + sum.abs()),
                        ] {
                            let error = (at(ours, i) - expected).abs();
                            assert!(error < 4e-6 * scale, "{width}: {error} of {expected}");
                        }
                    }
                }
                let all = [y, logs, dx, dx_of_logs].concat();
                let these: Vec<u32> = all.into_iter().map(f32::to_bits).collect();
                let mut bits = bits.borrow_mut();
                if bits.is_empty() {
                    bits.clone_from(&these);
                }
                assert!(
                    *bits == these,
                    "{width}: other bits at {}",
                    crate::simd::instruction_set()
                );
            });
        }
    }

    /// What is not a number spoils its row alone; minus infinity is a share of 0.
    #[test]
    fn special_numbers() {
        let mut y = [1.0, f32::NAN, 2.0, 0.0, f32::NEG_INFINITY, 0.0];
        softmax(&mut y, 3);
        assert!(y[..3].iter().all(|y| y.is_nan()));
        assert_eq!(y[3..], [0.5, 0.0, 0.5]);
        let mut y = [f32::NEG_INFINITY; 2];
        log_softmax(&mut y, 2);
        assert!(y.iter().all(|y| y.is_nan()));
    }
}
