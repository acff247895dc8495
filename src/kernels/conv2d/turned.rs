//! The gradient of the kernel for few output channels: the product the other way round.
//!
//! Where the output channels fill no more than half of a vector, half of what it computes would be dropped. The taps of one row of the window are neighbours in
//! memory, and fill several vectors. So this computes
//! `dW' = dy' patches`: in the tile, the rows are output channels and the columns are taps. Each sum has its summands in the same
//! order as in [`direct`](super::direct), within one image.

use super::super::accumulate::Accumulate;
use super::super::gemm::Left;
use super::super::sums::Totals;
use super::route::Bordered;
use super::{Geometry, sum_of_rows};
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
    geometry.groups == 1 && geometry.c_out <= lanes / 2 && run_len(geometry) >= 2 * lanes
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
    let run_len = run_len(&geometry);
    let runs = taps.len() / run_len;
    // A part has some of the images, and all runs of taps; or one of them, if there are few images.
    let images_each = images.div_ceil(PARTS.min(images));
    let runs_each = if images < PARTS { 1 } else { runs };
    let (each, run_sums) = (runs / runs_each, c_out * run_len);
    let mut partial = Buffer::zeroed(images.div_ceil(images_each) * runs * run_sums);
    let (rows, cols) = (Offsets::steps(c_out, 1), Offsets::steps(PIXELS, c_out));
    let to = Offsets::steps(c_out, run_len);
    let part = |(): &mut (), part: usize, sums: &mut [T]| {
        let (images_part, first_run) = (part / each, part % each * runs_each);
        let mut totals = Totals::new(images_each.saturating_mul(pixels.len()), sums.len());
        for image in images_part * images_each..((images_part + 1) * images_each).min(images) {
            for first in (0..pixels.len()).step_by(PIXELS) {
                let block = first..(first + PIXELS).min(pixels.len());
                let data = &dy[(image * pixels.len() + first) * c_out..];
                let cols = cols.part(0..block.len());
                for (run, sums) in (first_run..).zip(sums.chunks_exact_mut(run_sums)) {
                    let x = &x.data[image * x.len + taps.as_slice()[run * run_len]..];
                    let product = Accumulate {
                        left: Left { data, rows: rows.all(), cols },
                        right: (x, pixels.part(block.clone())),
                        columns: run_len,
                        to: to.all(),
                        sums,
                    };
                    product.run();
                }
                totals.grow(sums, block.len());
            }
        }
        totals.finish(sums);
    };
    par::for_each_part(&mut partial, runs_each * run_sums, geometry.work(), || (), part);
    let turned = sum_of_rows(&mut partial, runs * run_sums);
    let at = |i: usize| {
        let (tap, o) = (i / c_out, i % c_out);
        turned[(tap / run_len * c_out + o) * run_len + tap % run_len]
    };
    Buffer::collect(runs * run_sums, (0..runs * run_sums).map(at))
}
