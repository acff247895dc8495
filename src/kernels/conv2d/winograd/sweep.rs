//! A convolution by tiles: pixels to the points, products, and back.

use super::outliers::Found;
use super::parts::{Parts, PointsOfPart, Source};
use super::tiles::{Aligned, Tiles};
use super::weights::Weights;
use super::{BLOCK_BYTES, GAP, PART_WORK, PARTS};
use crate::buffer::Buffer;
use crate::kernels::gemm::{DEPTH, Finish, Left, Place, Start, Strip, TILE_ROWS, limited};
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Offsets, Simd, with_lanes};
use std::marker::PhantomData;
use std::ops::Range;

/// About so many parts of the tiles where threads share them, each taking panels of channels: enough to transform pixels
/// side by side, and large, for each part fetches the weights of every point once from the second-level cache.
const SHARED_PARTS: usize = 4;

/// Up to so many tiles, threads share out panels even if the weights are kept: there are too few for parts of them.
const FEW: usize = SHARED_PARTS * TILE_ROWS;
/// Where there is much work, tiles of a part at least: each part fetches all weights.
const MANY: usize = 64;

/// A convolution by tiles from one stack of images to another.
///
/// Of its two operands at the points, the smaller one is transformed first, for all threads to read. The larger one is
/// cut into pieces, and whoever takes a piece transforms it and uses it up while it is in the cache: many tiles
/// with few channels [by parts](Cut::by_parts) of the tiles, few tiles with many channels [by panels](Cut::by_panels) of
/// the channels.
pub struct Sweep<'a, T: Scalar> {
    pub source: Source<'a, T>,
    pub weights: Weights<'a, T>,
    pub images: usize,
    pub output: [usize; 2],
    pub bias: Option<&'a [T]>,
    pub finish: Finish,
}

impl<T: Scalar> Sweep<'_, T> {
    /// `work` is the number of multiply-adds of the direct sums.
    pub fn run<F: Tiles<N, M> + Sync, const N: usize, const M: usize>(
        &self,
        work: usize,
    ) -> Buffer<T> {
        let ([c_in, c_out], images) = (self.weights.channels, self.images);
        let tiles = images * self.output.map(|size| size.div_ceil(M)).iter().product::<usize>();
        let by_panels = tiles < c_out
            && (tiles < FEW || !self.weights.are_kept::<N>())
            && self.weights.panels() > 1;
        let tiles_each = if by_panels {
            tiles.div_ceil(SHARED_PARTS).max(TILE_ROWS)
        } else {
            let tile_work = N * N * c_in * c_out;
            let much = tiles * tile_work > PARTS * PARTS * PART_WORK;
            let least = if much { MANY } else { PART_WORK / tile_work };
            let most = (BLOCK_BYTES / (N * N * c_in * T::BYTES)).max(TILE_ROWS);
            tiles.div_ceil(PARTS).max(least).clamp(4, most)
        };
        let parts = Parts::new(self.output, M, images, tiles_each);
        let cut = Cut::<_, F, N, M> {
            sweep: self,
            parts,
            outliers: Found::default(),
            tiles: PhantomData,
        };
        let mut out = if by_panels { cut.by_panels(work) } else { cut.by_parts(work) };
        cut.outliers.write(self, M, &mut out);
        out
    }

    fn pixels(&self) -> usize {
        self.output[0] * self.output[1]
    }
}

/// A sweep whose tiles are cut into parts.
struct Cut<'a, T: Scalar, F, const N: usize, const M: usize> {
    sweep: &'a Sweep<'a, T>,
    parts: Parts,
    outliers: Found,
    tiles: PhantomData<F>,
}

impl<T: Scalar, F: Tiles<N, M> + Sync, const N: usize, const M: usize> Cut<'_, T, F, N, M> {
    fn by_parts(&self, work: usize) -> Buffer<T> {
        let Sweep { weights, images, output, .. } = self.sweep;
        let [_, c_out] = weights.channels;
        let at_points = weights.at_points::<F, N, M>();
        let mut out = Buffer::stale(images * self.sweep.pixels() * c_out);
        let parts = 0..self.parts.count();
        let lens = parts.map(|part| self.parts.outputs::<M>(part, *output) * c_out);
        par::for_each_slice(&mut out, lens, work, |part, out| {
            let mut pixels = Buffer::stale(N * N * self.plane());
            self.transform(part, &mut pixels);
            self.outputs((part..part + 1, &pixels), (0..weights.panels(), &at_points), out);
        });
        out
    }

    fn by_panels(&self, work: usize) -> Buffer<T> {
        let Sweep { weights, images, .. } = self.sweep;
        let ([c_in, c_out], width) = (weights.channels, weights.width);
        let parts = self.parts.count();
        let mut at_points = Buffer::stale(parts * N * N * self.plane());
        par::for_each_part(
            &mut at_points,
            N * N * self.plane(),
            N * N * images * self.sweep.pixels() * c_in,
            || (),
            |(), part, at_points| self.transform(part, at_points),
        );
        let kept = weights.are_kept::<N>().then(|| weights.at_points::<F, N, M>());
        let panel_len = N * N * weights.plane;
        let rows = images * self.sweep.pixels();
        let mut panels = Buffer::stale(rows * c_out);
        par::for_each_part(
            &mut panels,
            rows * width,
            work,
            || Buffer::stale(if kept.is_some() { 0 } else { panel_len }),
            |own, panel, out| {
                let panel_weights = match &kept {
                    Some(all) => &all[panel * panel_len..][..panel_len],
                    None => {
                        weights.transform::<F, N, M>(panel, own);
                        own
                    }
                };
                self.outputs((0..parts, &at_points), (panel..panel + 1, panel_weights), out);
            },
        );
        let mut out = Buffer::stale(panels.len());
        par::for_each_part(
            &mut out,
            self.sweep.pixels() * c_out,
            panels.len(),
            || (),
            |(), image, out| {
                for (panel, values) in panels.chunks(rows * width).enumerate() {
                    let columns = weights.columns(panel..panel + 1);
                    let values = values.chunks_exact(columns.len());
                    let values = values.skip(image * self.sweep.pixels());
                    for (row, values) in out.chunks_exact_mut(c_out).zip(values) {
                        row[columns.clone()].copy_from_slice(values);
                    }
                }
            },
        );
        out
    }

    /// Values from the transformed pixels of one point to those of the next: all parts are laid out like the first,
    /// which has the most tiles.
    #[inline(always)]
    fn plane(&self) -> usize {
        self.parts.tile_count(0) * self.sweep.weights.channels[0] + GAP
    }

    /// Writes the pixels of a part's tiles at the points.
    fn transform(&self, part: usize, at_points: &mut [T]) {
        let (source, parts, plane) = (self.sweep.source, self.parts, self.plane());
        let row = source.channels;
        PointsOfPart { source, parts, part, gradients: false, row, plane }
            .write::<F, N, M>(at_points, &self.outliers);
    }

    /// Writes the outputs of some parts, in the channels of some panels: both come with their values at the points.
    fn outputs(
        &self,
        (parts, pixels): (Range<usize>, &[T]),
        (panels, weights): (Range<usize>, &[T]),
        out: &mut [T],
    ) {
        let [image, row, _] = self.parts.tile(parts.start, 0);
        let [oh, ow] = self.sweep.output;
        let origin = (image * oh + row * M) * ow;
        simd::dispatch(Outputs { cut: self, parts, pixels, panels, weights, origin, out });
    }
}

/// The outputs of some parts, in the channels of some panels.
struct Outputs<'a, T: Scalar, F, const N: usize, const M: usize> {
    cut: &'a Cut<'a, T, F, N, M>,
    parts: Range<usize>,
    pixels: &'a [T],
    panels: Range<usize>,
    weights: &'a [T],
    /// The pixel with which the first row of tiles of the first part begins.
    origin: usize,
    /// The pixels of these parts, with the channels of these panels.
    out: &'a mut [T],
}

impl<T: Scalar, F: Tiles<N, M> + Sync, const N: usize, const M: usize> Kernel
    for Outputs<'_, T, F, N, M>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self.vectors::<S, T>())
    }
}

impl<T: Scalar, F: Tiles<N, M> + Sync, const N: usize, const M: usize> Outputs<'_, T, F, N, M> {
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(mut self) {
        let (parts, layout) = (self.cut.parts, &self.cut.sweep.weights);
        let pixels = self.pixels.chunks_exact(N * N * self.cut.plane());
        let mut half = Aligned([[[T::zero(); V]; N]; M]);
        let ([c_in, _], width) = (layout.channels, layout.width);
        let (cols, steps) = (Offsets::steps(c_in, 1), Offsets::steps(c_in, width));
        for (part, pixels) in self.parts.clone().zip(pixels) {
            let count = parts.tile_count(part);
            let sums_plane = count * width + GAP;
            let mut sums = Buffer::stale(N * N * sums_plane);
            let (rows, to) = (Offsets::steps(count, c_in), Offsets::steps(count, width));
            let weights = self.weights.chunks_exact(N * N * layout.plane);
            for (panel, weights) in self.panels.clone().zip(weights) {
                // A multiple of a vector, as `Fits` has it.
                let columns = layout.columns(panel..panel + 1);
                for (point, sums) in sums.chunks_mut(sums_plane).enumerate() {
                    let pixels = &pixels[point * self.cut.plane()..];
                    for block in (0..c_in).step_by(DEPTH) {
                        let depth = block..(block + DEPTH).min(c_in);
                        let cols = cols.part(depth.clone());
                        let strip = Strip {
                            left: Left { data: pixels, rows: rows.all(), cols },
                            right: (weights, point * layout.plane, steps.part(depth)),
                            start: if block == 0 { Start::Zero } else { Start::Out },
                            finish: Finish::Plain,
                            before: 0,
                            to: Place { rows: to.all(), column: 0, width: columns.len() },
                        };
                        strip.run_in::<S>(sums);
                    }
                }
                for lane in (0..columns.len()).step_by(V) {
                    let sums = (&sums[lane..], sums_plane);
                    self.write(part, sums, columns.start + lane, &mut half);
                }
            }
        }
    }

    /// Writes `V` channels from `channel` on of a part's outputs, from their sums at the points and the distance from one point to the
    /// next.
    #[inline(always)]
    fn write<const V: usize>(
        &mut self,
        part: usize,
        (sums, sums_plane): (&[T], usize),
        channel: usize,
        half: &mut Aligned<[[[T; V]; N]; M]>,
    ) {
        // Copies of the numbers: behind references, the compiler reads them again after every write.
        let Sweep { weights: ref layout, output: [oh, ow], bias, finish, .. } = *self.cut.sweep;
        let (parts, most, width) = (self.cut.parts, finish.most(), layout.width);
        let columns = layout.columns(self.panels.clone());
        let mut shift = [T::zero(); V];
        if let Some(bias) = bias {
            shift.copy_from_slice(&bias[channel..][..V]);
        }
        let mut walk = parts.walk(part);
        for tile in 0..parts.tile_count(part) {
            let [image, row, column] = walk.step();
            let sums = &sums[tile * width..];
            let first = (image * oh + row * M) * ow + column * M - self.origin;
            let [height, breadth] = [M.min(oh - row * M), M.min(ow - column * M)];
            both!(
                half,
                |y, x| sums[(y * N + x) * sums_plane..][..V].try_into().expect("V sums"),
                F::outputs,
                [N, N] => [M, M],
                |y, row| {
                    for x in 0..if y < height { breadth } else { 0 } {
                        let mut value = row[x];
                        for i in 0..V {
                            value[i] += shift[i];
                        }
                        if finish != Finish::Plain {
                            for i in 0..V {
                                value[i] = limited(value[i], most);
                            }
                        }
                        let at = (first + y * ow + x) * columns.len() + channel - columns.start;
                        self.out[at..at + V].copy_from_slice(&value);
                    }
                }
            );
        }
    }
}
