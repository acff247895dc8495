//! The gradient of the weights, summed at the points.

use super::outliers::Found;
use super::parts::{Parts, PointsOfPart, Source};
use super::tiles::{Aligned, Tiles};
use super::{BLOCK_BYTES, Fits, GAP, PARTS, ROW_GAP};
use crate::buffer::Buffer;
use crate::kernels::accumulate::Accumulate;
use crate::kernels::conv2d::{Geometry, sum_of_rows};
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
/// Bytes of sums that are few enough for groups of parts to have their own: then nobody waits for others, and tiles are used up in the cache.
const FEW_SUMS: usize = 192 << 10;
/// Bytes that the transformed tiles of both sides take in such a part.
const SMALL_PART_BYTES: usize = 512 << 10;

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
    let cut = |tiles_each: usize| {
        let parts = Parts::new(window.output(), M, images, tiles_each.max(TILE_ROWS));
        let layout = Layout::new(parts, [c_in, c_out]);
        Cut { sources, layout, work: geometry.work(), outliers: Found::default() }
    };
    let point_bytes = |channels: usize| N * N * channels * T::BYTES;
    let few_sums = point_bytes(c_in * c_out) <= FEW_SUMS;
    let small = cut(SMALL_PART_BYTES / point_bytes(c_in + c_out));
    let mut dkernel = Buffer::stale(9 * c_in * c_out);
    let outliers = if few_sums && small.layout.parts.count() >= PARTS {
        small.in_groups::<F, N, M>(&mut dkernel);
        small.outliers
    } else {
        let large = cut(PART_BYTES / point_bytes(c_in.max(c_out)));
        // Sums that are larger than what is kept would be read again for a few tiles each.
        let most = KEPT.max(2 * N * N * c_in * c_out);
        let parts = large.layout.parts.count();
        match (most / large.layout.len(N)).max(1) {
            kept if kept >= parts => large.at_once::<F, N, M>(&mut dkernel),
            kept => large.in_turns::<F, N, M>(kept, &mut dkernel),
        }
        large.outliers
    };
    outliers.add_taps(sources, M, &mut dkernel);
    dkernel
}

/// Pixels and gradients whose tiles are cut into parts.
struct Cut<'a, T> {
    sources: [Source<'a, T>; 2],
    layout: Layout,
    /// Multiply-adds of the direct sums.
    work: usize,
    outliers: Found,
}

impl<T: Scalar> Cut<'_, T> {
    fn channels(&self) -> [usize; 2] {
        self.sources.map(|source| source.channels)
    }

    /// The tiles of some parts.
    fn tiles(&self, part_range: Range<usize>) -> usize {
        part_range.map(|part| self.layout.parts.tile_count(part)).sum()
    }

    /// Writes a part at the points: its pixels, then its gradients.
    fn transform<F: Tiles<N, M>, const N: usize, const M: usize>(
        &self,
        part: usize,
        points: &mut [T],
    ) {
        let Layout { parts, rows, planes } = self.layout;
        let (pixels, gradients) = points.split_at_mut(N * N * planes[0]);
        for (side, into) in [pixels, gradients].into_iter().enumerate() {
            let (row, plane) = (rows[side], planes[side]);
            let (source, gradients) = (self.sources[side], side == 1);
            PointsOfPart { source, parts, part, gradients, row, plane }
                .write::<F, N, M>(into, &self.outliers);
        }
    }

    /// Groups of parts sum for themselves, and are added in order.
    fn in_groups<F: Tiles<N, M> + Sync, const N: usize, const M: usize>(&self, dkernel: &mut [T]) {
        let ([c_in, c_out], parts) = (self.channels(), self.layout.parts.count());
        let (len, each) = (N * N * c_in * c_out, parts.div_ceil(PARTS));
        let groups = parts.div_ceil(each);
        let mut partial = Buffer::zeroed(groups * len);
        let (scratch, tiles) = (|| Buffer::stale(self.layout.len(N)), self.tiles(0..parts));
        par::for_each_part(&mut partial, len, self.work, scratch, |points, group, sums| {
            let part_range = group * each..((group + 1) * each).min(parts);
            let mut totals = Totals::new(tiles, sums.len());
            for part in part_range {
                self.transform::<F, N, M>(part, points);
                let summands = Summands::new(self.layout, part..part + 1, N, points);
                for (point, sums) in sums.chunks_exact_mut(c_in * c_out).enumerate() {
                    summands.add(point, 0..c_in, sums);
                }
                totals.grow(sums, self.tiles(part..part + 1));
            }
            totals.finish(sums);
        });
        self.write::<F, N, M>(sum_of_rows(&mut partial, len), dkernel);
    }

    /// All summands are there: the sums of some input channels stay in the cache until they are transformed back.
    fn at_once<F: Tiles<N, M> + Sync, const N: usize, const M: usize>(&self, dkernel: &mut [T]) {
        let ([c_in, c_out], parts) = (self.channels(), self.layout.parts.count());
        let points = self.kept::<F, N, M>(0..parts, Buffer::stale(parts * self.layout.len(N)));
        let summands = Summands::new(self.layout, 0..parts, N, &points);
        let fit = BLOCK_BYTES / (N * N * c_out * T::BYTES);
        let block = fit.min(c_in.div_ceil(BLOCKS)).max(1).next_multiple_of(TILE_ROWS);
        let taps = taps(dkernel);
        par::for_each_block(taps, block * c_out, self.work, |i, taps| {
            let channels = i * block..((i + 1) * block).min(c_in);
            let plane = channels.len() * c_out + GAP;
            let mut sums = Buffer::zeroed(N * N * plane);
            for (point, sums) in sums.chunks_exact_mut(plane).enumerate() {
                summands.add(point, channels.clone(), sums);
            }
            simd::dispatch(Taps::<_, F, N, M> { sums: &sums, plane, taps, tiles: PhantomData });
        });
    }

    /// So many parts are kept in turn, and added to the sums.
    fn in_turns<F: Tiles<N, M> + Sync, const N: usize, const M: usize>(
        &self,
        kept: usize,
        dkernel: &mut [T],
    ) {
        let ([c_in, c_out], parts) = (self.channels(), self.layout.parts.count());
        let mut points = Buffer::stale(kept * self.layout.len(N));
        let mut sums = Buffer::zeroed(N * N * c_in * c_out);
        // The products of different points, and of different rows, have nothing to do with each other.
        let block = (1..=96).rev().find(|block| c_in.is_multiple_of(*block)).unwrap_or(1);
        let blocks = c_in / block;
        let mut totals = Totals::new(self.tiles(0..parts), sums.len());
        for first in (0..parts).step_by(kept) {
            let part_range = first..(first + kept).min(parts);
            let work = self.work / parts * part_range.len();
            points = self.kept::<F, N, M>(part_range.clone(), points);
            let summands = Summands::new(self.layout, part_range.clone(), N, &points);
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
            totals.grow(&mut sums, self.tiles(part_range));
        }
        totals.finish(&mut sums);
        self.write::<F, N, M>(&sums, dkernel);
    }

    /// Some parts at the points, written by all threads to the beginning of what is given.
    fn kept<F: Tiles<N, M>, const N: usize, const M: usize>(
        &self,
        part_range: Range<usize>,
        mut points: Buffer<T>,
    ) -> Buffer<T> {
        let (parts, len) = (self.layout.parts.count(), self.layout.len(N));
        par::for_each_part(
            &mut points[..part_range.len() * len],
            len,
            self.work / parts * part_range.len(),
            || (),
            |(), i, points| self.transform::<F, N, M>(part_range.start + i, points),
        );
        points
    }

    /// Writes the gradients of the taps, from the sums `[c_in, c_out]` at each point.
    fn write<F: Tiles<N, M>, const N: usize, const M: usize>(&self, sums: &[T], dkernel: &mut [T]) {
        let [c_in, c_out] = self.channels();
        par::for_each_block(taps(dkernel), c_out, sums.len(), |channel, taps| {
            let (sums, plane) = (&sums[channel * c_out..], c_in * c_out);
            simd::dispatch(Taps::<_, F, N, M> { sums, plane, taps, tiles: PhantomData });
        });
    }
}

/// The gradients of the taps one by one, `[c_in, c_out]` each.
fn taps<T>(dkernel: &mut [T]) -> [&mut [T]; 9] {
    let len = dkernel.len() / 9;
    let mut taps = dkernel.chunks_exact_mut(len);
    std::array::from_fn(|_| taps.next().expect("nine taps"))
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
            rows: rows.all(),
            cols: cols.all(),
        };
        let gradients = &self.points[self.pixels + point * self.layout.planes[1]..];
        let (right, to) = ((gradients, steps.all()), to.all());
        Accumulate { left, right, columns: self.c_out, to, sums }.run();
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
