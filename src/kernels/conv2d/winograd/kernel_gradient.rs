//! The gradient of the weights, summed at the points.

use super::outliers::Found;
use super::parts::{Parts, PointsOfPart, Source};
use super::tiles::{Aligned, Tiles};
use super::{BLOCK_BYTES, Fits, GAP, ROW_GAP};
use crate::buffer::Buffer;
use crate::kernels::accumulate::Accumulate;
use crate::kernels::conv2d::Geometry;
use crate::kernels::gemm::{Left, TILE_ROWS};
use crate::kernels::sums::Totals;
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Offsets, Simd, with_lanes};
use std::marker::PhantomData;
use std::ops::Range;

/// Values of all transformed tiles that are kept at once, about: two megabytes, which the second-level cache and a share of the third have room for.
/// (With six times as many, two threads wait for memory: the MNIST network took a third longer.)
const KEPT: usize = 1 << 19;
/// Bytes that the transformed tiles of one side take in a part: then several parts are kept, for as many threads.
const PART_BYTES: usize = 320 << 10;
/// Input channels are dealt out in at least so many blocks, for as many threads, where they fill the rows of a tile.
const BLOCKS: usize = 8;

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
    let tiles_each = (PART_BYTES / (N * N * c_in.max(c_out) * T::BYTES)).max(TILE_ROWS);
    let layout = Layout::new(Parts::new(window.output(), M, images, tiles_each), [c_in, c_out]);
    let parts = layout.parts.count();
    // Sums that are larger than what is kept would be read again for a few tiles each.
    let most = KEPT.max(2 * N * N * c_in * c_out);
    let kept = (most / layout.len(N)).clamp(1, parts.max(1));
    let outliers = Found::default();
    let transform = |part_range: Range<usize>, points: &mut [T]| {
        let work = geometry.work() / parts * part_range.len();
        par::for_each_part(
            points,
            layout.len(N),
            work,
            || (),
            |(), i, points| {
                let (pixels, gradients) = points.split_at_mut(N * N * layout.planes[0]);
                for (side, into) in [pixels, gradients].into_iter().enumerate() {
                    let of = PointsOfPart {
                        source: sources[side],
                        parts: layout.parts,
                        part: part_range.start + i,
                        gradients: side == 1,
                        row: layout.rows[side],
                        plane: layout.planes[side],
                    };
                    of.write::<F, N, M>(into, &outliers);
                }
            },
        );
    };

    let mut points = Buffer::stale(kept * layout.len(N));
    let mut dkernel = Buffer::stale(9 * c_in * c_out);
    let mut taps = dkernel.chunks_exact_mut(c_in * c_out);
    let taps: [&mut [T]; 9] = std::array::from_fn(|_| taps.next().expect("nine taps"));
    if kept == parts {
        // All summands are there: the sums of some input channels stay in the cache until they are transformed back.
        transform(0..parts, &mut points);
        let summands = Summands::new(layout, 0..parts, N, &points);
        let fit = BLOCK_BYTES / (N * N * c_out * T::BYTES);
        let block = fit.min(c_in.div_ceil(BLOCKS)).max(1).next_multiple_of(TILE_ROWS);
        par::for_each_block(taps, block * c_out, geometry.work(), |i, taps| {
            let channels = i * block..((i + 1) * block).min(c_in);
            let plane = channels.len() * c_out + GAP;
            let mut sums = Buffer::zeroed(N * N * plane);
            for (point, sums) in sums.chunks_exact_mut(plane).enumerate() {
                summands.add(point, channels.clone(), sums);
            }
            simd::dispatch(Taps::<_, F, N, M> { sums: &sums, plane, taps, tiles: PhantomData });
        });
        outliers.add_taps(sources, M, &mut dkernel);
        return dkernel;
    }

    let mut sums = Buffer::zeroed(N * N * c_in * c_out);
    let block = (1..=96).rev().find(|block| c_in.is_multiple_of(*block)).unwrap_or(1);
    let tiles =
        |part_range: Range<usize>| part_range.map(|part| layout.parts.tile_count(part)).sum();
    let mut totals = Totals::new(tiles(0..parts), sums.len());
    for first in (0..parts).step_by(kept) {
        let part_range = first..(first + kept).min(parts);
        let work = geometry.work() / parts * part_range.len();
        transform(part_range.clone(), &mut points[..part_range.len() * layout.len(N)]);
        let summands = Summands::new(layout, part_range.clone(), N, &points);
        // The products of different points, and of different rows, have nothing to do with each other.
        let blocks = c_in / block;
        par::for_each_part(
            &mut sums,
            block * c_out,
            work,
            || (),
            |(), i, sums| {
                let (point, first) = (i / blocks, i % blocks * block);
                summands.add(point, first..first + block, sums);
            },
        );
        totals.grow(&mut sums, tiles(part_range));
    }
    totals.finish(&mut sums);
    par::for_each_block(taps, c_out, sums.len(), |channel, taps| {
        let (sums, plane) = (&sums[channel * c_out..], c_in * c_out);
        simd::dispatch(Taps::<_, F, N, M> { sums, plane, taps, tiles: PhantomData });
    });
    outliers.add_taps(sources, M, &mut dkernel);
    dkernel
}

/// How the transformed pixels and gradients of all parts lie in memory: those of a part together, like those of the first,
/// which has the most tiles.
#[derive(Clone, Copy)]
struct Layout {
    parts: Parts,
    /// From one tile to the next, of pixels and of gradients.
    rows: [usize; 2],
    /// From one point to the next.
    planes: [usize; 2],
}

impl Layout {
    fn new(parts: Parts, channels: [usize; 2]) -> Self {
        let rows = channels.map(|channels| channels + ROW_GAP);
        Layout { parts, rows, planes: rows.map(|row| parts.tile_count(0) * row + GAP) }
    }

    /// Values of one part, at `side * side` points.
    fn len(&self, side: usize) -> usize {
        (self.planes[0] + self.planes[1]) * side * side
    }
}

/// The matrices of some parts, for all points, of which a product sums over all tiles.
struct Summands<'a, T> {
    points: &'a [T],
    layout: Layout,
    /// Values before the gradients of a part.
    pixels: usize,
    c_out: usize,
    /// Where the tiles of all parts lie in the matrices of a point: sums run over them without a stop.
    places: [Offsets; 2],
}

impl<'a, T: Scalar> Summands<'a, T> {
    fn new(layout: Layout, part_range: Range<usize>, side: usize, points: &'a [T]) -> Self {
        let count = |part| layout.parts.tile_count(part);
        let tiles = part_range.clone().map(count).sum();
        let places = layout.rows.map(|row| {
            let of_part =
                |(i, part)| (0..count(part)).map(move |tile| i * layout.len(side) + tile * row);
            Offsets::new(tiles, part_range.clone().enumerate().flat_map(of_part))
        });
        let pixels = layout.planes[0] * side * side;
        Summands { points, layout, pixels, c_out: layout.rows[1] - ROW_GAP, places }
    }

    /// `sums[i, j] += sum over tiles of pixels[tile, channels[i]] gradients[tile, j]`, at a point.
    fn add(&self, point: usize, channels: Range<usize>, sums: &mut [T]) {
        let [cols, steps] = &self.places;
        let (rows, to) =
            (Offsets::steps(channels.len(), 1), Offsets::steps(channels.len(), self.c_out));
        let left = Left {
            data: &self.points[point * self.layout.planes[0] + channels.start..],
            rows: rows.as_slice(),
            cols: cols.all(),
        };
        let gradients = &self.points[self.pixels + point * self.layout.planes[1]..];
        let (right, to) = ((gradients, steps.all()), to.as_slice());
        simd::dispatch(Accumulate { left, right, columns: self.c_out, to, sums });
    }
}

/// The gradients of the nine taps of some input channels, each `[channels, c_out]`.
struct Taps<'a, T, F, const N: usize, const M: usize> {
    /// `[channels, c_out]` for each point.
    sums: &'a [T],
    plane: usize,
    taps: [&'a mut [T]; 9],
    tiles: PhantomData<F>,
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Kernel for Taps<'_, T, F, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self.vectors::<S, T>())
    }
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Taps<'_, T, F, N, M> {
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(self) {
        let Taps { sums, plane, taps, .. } = self;
        let mut half = Aligned([[[T::zero(); V]; N]; 3]);
        for first in (0..taps[0].len()).step_by(V) {
            both!(
                half,
                |y, x| sums[(y * N + x) * plane + first..][..V].try_into().expect("V products"),
                F::tap_gradients,
                [N, N] => [3, 3],
                |ky, row| {
                    for kx in 0..3 {
                        taps[ky * 3 + kx][first..first + V].copy_from_slice(&row[kx]);
                    }
                }
            );
        }
    }
}
