//! The gradient of the kernel for few output channels: the product the other way round.
//!
//! Where the output channels fill no more than one vector, a number that is repeated in a vector serves one multiplication, and
//! repeating is what takes the time. The taps of one row of the window are neighbours in memory, and fill several. So this computes
//! `dW' = dy' patches`: in the tile, the rows are output channels and the columns are taps. Each sum has its summands in the same
//! order as in [`direct`](super::direct).

use super::super::accumulate::Accumulate;
use super::super::gemm::Left;
use super::super::sums::Totals;
use super::Geometry;
use super::route::Bordered;
use crate::buffer::Buffer;
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Offsets};

/// Partial sums at most, each over some of the images.
const PARTS: usize = 16;
/// Output pixels that all taps are taken through together: few enough for the first-level cache.
const PIXELS: usize = 256;

/// Whether this way is for these shapes.
pub fn fits<T: Scalar>(geometry: &Geometry) -> bool {
    let lanes = simd::lanes::<T>();
    geometry.groups == 1 && geometry.c_out <= lanes && run_len(geometry) >= 2 * lanes
}

/// How many taps are neighbours in memory.
fn run_len(geometry: &Geometry) -> usize {
    let Geometry { window, c_in, .. } = *geometry;
    if window.dilation()[1] == 1 { window.met(1).len() * c_in } else { c_in }
}

/// `[taps, c_out]` of the images and of `dy[n, oh, ow, c_out]`: tap `t` of an output reads what lies `taps[t]` behind the place in
/// `pixels` where the window stands.
pub fn backward_kernel<T: Scalar>(
    geometry: Geometry,
    x: &Bordered<'_, T>,
    dy: &[T],
    pixels: &Offsets,
    taps: &Offsets,
) -> Buffer<T> {
    let Geometry { images, c_out, .. } = geometry;
    let (len, run_len) = (taps.len() * c_out, run_len(&geometry));
    let images_each = images.div_ceil(PARTS.min(images));
    let mut partial = Buffer::zeroed(images.div_ceil(images_each) * len);
    let (rows, cols) = (Offsets::steps(c_out, 1), Offsets::steps(PIXELS, c_out));
    let to = Offsets::steps(c_out, taps.len());
    let part = |(): &mut (), part: usize, sums: &mut [T]| {
        let mut totals = Totals::new(images_each.saturating_mul(pixels.len()), len);
        for image in part * images_each..((part + 1) * images_each).min(images) {
            for first in (0..pixels.len()).step_by(PIXELS) {
                let block = first..(first + PIXELS).min(pixels.len());
                let data = &dy[(image * pixels.len() + first) * c_out..];
                let cols = cols.part(0..block.len());
                for run in (0..taps.len()).step_by(run_len) {
                    let x = &x.data[image * x.len + taps.as_slice()[run]..];
                    simd::dispatch(Accumulate {
                        left: Left { data, rows: rows.as_slice(), cols },
                        right: (x, pixels.part(block.clone())),
                        columns: run_len,
                        to: to.as_slice(),
                        sums: &mut sums[run..],
                    });
                }
                totals.grow(sums, block.len());
            }
        }
        totals.finish(sums);
    };
    par::for_each_part(&mut partial, len, geometry.work(), || (), part);
    // The parts are added in order, for every element by itself.
    let (turned, others) = partial.split_at_mut(len);
    for other in others.chunks_exact(len) {
        turned.iter_mut().zip(other).for_each(|(sum, &more)| *sum += more);
    }
    let at = |i: usize| turned[i % c_out * taps.len() + i / c_out];
    Buffer::collect(len, (0..len).map(at))
}
