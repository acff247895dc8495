//! The gradient of the weights, summed at the points.

use super::parts::{Parts, Source};
use super::tiles::Tiles;
use super::{BLOCK_BYTES, Fits, GAP, ROW_GAP};
use crate::buffer::Buffer;
use crate::kernels::conv2d::Geometry;
use crate::kernels::gemm::{DEPTH, Finish, Left, Place, Start, Strip};
use crate::kernels::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Offsets, Part, Simd, with_lanes};
use std::marker::PhantomData;

/// Values of all transformed tiles that are kept at once, about.
const KEPT: usize = 3 << 20;

/// The gradient of the kernel. It is a convolution of the pixels by the gradients of the outputs, `M x M` of them
/// to a tile, with 3 by 3 results: the same points serve. Tiles add up before they are transformed back.
pub fn backward_kernel<T: Scalar, F: Tiles<N, M> + Sync, const N: usize, const M: usize>(
    geometry: Geometry,
    x: &[T],
    dy: &[T],
) -> Buffer<T> {
    if !Fits::<T>::TYPE {
        unreachable!("no tiles for this type");
    }
    let Geometry { window, images, c_in, c_out, .. } = geometry;
    let sources = [
        Source { data: x, size: window.image(), channels: c_in, before: window.before() },
        Source { data: dy, size: window.output(), channels: c_out, before: [0, 0] },
    ];
    let tiles_each = (BLOCK_BYTES / (N * N * c_in.max(c_out) * T::BYTES)).max(6);
    let parts = Parts::new(window.output(), M, images, tiles_each);
    // All parts are laid out like the first, which has the most tiles.
    let rows = [c_in + ROW_GAP, c_out + ROW_GAP];
    let planes = rows.map(|row| parts.tile_count(0) * row + GAP);
    let len = (planes[0] + planes[1]) * N * N;
    let kept = (KEPT / len).clamp(1, parts.count());

    let mut sums = Buffer::zeroed(N * N * c_in * c_out);
    let block = (1..=96).rev().find(|block| c_in % block == 0).unwrap_or(1);
    let (block_rows, block_to) = (Offsets::steps(block, 1), Offsets::steps(block, c_out));
    let mut points = Buffer::stale(kept * len);
    for first in (0..parts.count()).step_by(kept) {
        let part_range = first..(first + kept).min(parts.count());
        let work = geometry.work() / parts.count() * part_range.len();
        let points = &mut points[..part_range.len() * len];
        par::for_each_part(
            points,
            len,
            work,
            || (),
            |(), i, points| {
                simd::dispatch(PointsOfPart::<_, F, N, M> {
                    sources: &sources,
                    parts,
                    part: first + i,
                    rows,
                    planes,
                    points,
                    tiles: PhantomData,
                });
            },
        );
        // Where the tiles of all parts lie in the matrices of a point: sums run over them without a stop.
        let tiles: usize = part_range.clone().map(|part| parts.tile_count(part)).sum();
        let places = |row: usize| {
            let part =
                |i: usize| (0..parts.tile_count(first + i)).map(move |tile| i * len + tile * row);
            Offsets::new(tiles, (0..part_range.len()).flat_map(part))
        };
        let (cols, steps) = (places(rows[0]), places(rows[1]));
        // The products of different points, and of different rows, have nothing to do with each other.
        let blocks = c_in / block;
        par::for_each_part(
            &mut sums,
            block * c_out,
            work,
            || (),
            |(), i, sums| {
                let (point, row) = (i / blocks, i % blocks * block);
                let left = Left {
                    data: &points[point * planes[0] + row..],
                    rows: block_rows.as_slice(),
                    cols: cols.all(),
                };
                let gradients = &points[N * N * planes[0] + point * planes[1]..];
                let right = (gradients, steps.all());
                let to = block_to.as_slice();
                simd::dispatch(Accumulate { left, right, columns: c_out, to, sums });
            },
        );
    }

    // Back from the points, one input channel after the other: `[c_in][3][3][c_out]`.
    let mut by_channel = Buffer::stale(9 * c_in * c_out);
    par::for_each_part(
        &mut by_channel,
        9 * c_out,
        sums.len(),
        || (),
        |(), channel, taps| {
            simd::dispatch(TapsOfChannel::<_, F, N, M> {
                sums: &sums[channel * c_out..],
                plane: c_in * c_out,
                taps,
                tiles: PhantomData,
            });
        },
    );
    let mut dkernel = Buffer::stale(by_channel.len());
    par::for_each_part(
        &mut dkernel,
        c_in * c_out,
        sums.len(),
        || (),
        |(), tap, dkernel| {
            for (c, row) in dkernel.chunks_exact_mut(c_out).enumerate() {
                row.copy_from_slice(&by_channel[(c * 9 + tap) * c_out..][..c_out]);
            }
        },
    );
    dkernel
}

/// The pixels and the gradients of one part's tiles at the points.
struct PointsOfPart<'a, T, F, const N: usize, const M: usize> {
    sources: &'a [Source<'a, T>; 2],
    parts: Parts,
    part: usize,
    rows: [usize; 2],
    planes: [usize; 2],
    points: &'a mut [T],
    tiles: PhantomData<F>,
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Kernel
    for PointsOfPart<'_, T, F, N, M>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self.vectors::<S, T>())
    }
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> PointsOfPart<'_, T, F, N, M> {
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(self) {
        let PointsOfPart { sources: [x, dy], parts, part, rows, planes, points, .. } = self;
        let (pixels, gradients) = points.split_at_mut(N * N * planes[0]);
        at_points!(x, parts, part, F::pixels, N, [rows[0], planes[0]], pixels);
        at_points!(dy, parts, part, F::gradients, M, [rows[1], planes[1]], gradients);
    }
}

/// `sums += left right`, for all columns.
struct Accumulate<'a, T> {
    left: Left<'a, T>,
    right: (&'a [T], Part<'a>),
    columns: usize,
    to: &'a [usize],
    sums: &'a mut [T],
}

impl<T: Scalar> Kernel for Accumulate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Accumulate { left, right: (data, steps), columns, to, sums } = self;
        for block in (0..steps.len()).step_by(DEPTH) {
            let block = block..(block + DEPTH).min(steps.len());
            let strip = Strip {
                left: Left { cols: left.cols.part(block.clone()), ..left },
                right: (data, 0, steps.part(block)),
                start: Start::Out,
                finish: Finish::Plain,
                to: Place { rows: to, column: 0, width: columns },
            };
            strip.run::<S>(sums);
        }
    }
}

/// The gradients of the taps of one input channel, `[3][3][c_out]`.
struct TapsOfChannel<'a, T, F, const N: usize, const M: usize> {
    sums: &'a [T],
    plane: usize,
    taps: &'a mut [T],
    tiles: PhantomData<F>,
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Kernel
    for TapsOfChannel<'_, T, F, N, M>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self.vectors::<S, T>())
    }
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> TapsOfChannel<'_, T, F, N, M> {
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(self) {
        let TapsOfChannel { sums, plane, taps, .. } = self;
        let c_out = taps.len() / 9;
        for first in (0..c_out).step_by(V) {
            let mut products = [[[T::zero(); V]; N]; N];
            for y in 0..N {
                for x in 0..N {
                    let at = (y * N + x) * plane + first;
                    products[y][x].copy_from_slice(&sums[at..at + V]);
                }
            }
            let gradients = both!(products, F::tap_gradients, [N, N] => [3, 3]);
            for ky in 0..3 {
                for kx in 0..3 {
                    let at = (ky * 3 + kx) * c_out + first;
                    taps[at..at + V].copy_from_slice(&gradients[ky][kx]);
                }
            }
        }
    }
}
