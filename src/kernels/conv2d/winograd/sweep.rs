//! A convolution by tiles: pixels to the points, products, and back.

use super::parts::{Parts, Source};
use super::tiles::Tiles;
use super::weights::Weights;
use super::{BLOCK_BYTES, GAP};
use crate::buffer::Buffer;
use crate::kernels::gemm::{DEPTH, Finish, Left, Place, Start, Strip, rectified};
use crate::kernels::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Offsets, Simd, with_lanes};
use std::marker::PhantomData;

/// A convolution by tiles from one stack of images to another.
pub struct Sweep<'a, T: Scalar> {
    pub source: Source<'a, T>,
    pub weights: Weights<T>,
    pub output: [usize; 2],
    pub bias: Option<&'a [T]>,
    pub finish: Finish,
}

impl<T: Scalar> Sweep<'_, T> {
    pub fn run<F: Tiles<N, M> + Sync, const N: usize, const M: usize>(
        &self,
        images: usize,
        work: usize,
    ) -> Buffer<T> {
        let [c_in, c_out] = self.weights.channels;
        let [oh, ow] = self.output;
        let tiles_each = (BLOCK_BYTES / (N * N * c_in * T::BYTES)).max(6);
        let parts = Parts::new(self.output, M, images, tiles_each);
        let mut out = Buffer::stale(images * oh * ow * c_out);
        let len = |part: usize| {
            let [images, rows] = parts.part(part);
            let pixels = (rows.end * M).min(oh) - rows.start * M;
            images.len() * pixels * ow * c_out
        };
        let lens = (0..parts.count()).map(len);
        par::for_each_slice(&mut out, lens, work, |part, out| {
            simd::dispatch(TilesOfPart::<_, F, N, M> {
                sweep: self,
                parts,
                part,
                out,
                tiles: PhantomData,
            });
        });
        out
    }
}

/// The outputs of one part.
struct TilesOfPart<'a, T: Scalar, F, const N: usize, const M: usize> {
    sweep: &'a Sweep<'a, T>,
    parts: Parts,
    part: usize,
    out: &'a mut [T],
    tiles: PhantomData<F>,
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Kernel
    for TilesOfPart<'_, T, F, N, M>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self.vectors::<S, T>())
    }
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> TilesOfPart<'_, T, F, N, M> {
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(self) {
        let TilesOfPart { sweep, parts, part, out, .. } = self;
        let Sweep { source, weights, output: [oh, ow], bias, finish } = sweep;
        let ([c_in, c_out], width) = (weights.channels, weights.width);
        let count = parts.tile_count(part);

        let plane = count * c_in + GAP;
        let mut pixels = Buffer::stale(N * N * plane);
        at_points!(source, parts, part, F::pixels, N, [c_in, plane], pixels);

        let sums_plane = count * width + GAP;
        let mut sums = Buffer::stale(N * N * sums_plane);
        let (rows, to) = (Offsets::steps(count, c_in), Offsets::steps(count, width));
        let (cols, steps) = (Offsets::steps(c_in, 1), Offsets::steps(c_in, width));
        let [images, tile_rows] = parts.part(part);
        for (panel, first) in (0..c_out).step_by(width).enumerate() {
            // A multiple of a vector, as `Fits` has it.
            let channels = width.min(c_out - first);
            for point in 0..N * N {
                for block in (0..c_in).step_by(DEPTH) {
                    let depth = block..(block + DEPTH).min(c_in);
                    let strip = Strip {
                        left: Left {
                            data: &pixels[point * plane..],
                            rows: rows.as_slice(),
                            cols: cols.part(depth.clone()),
                        },
                        right: (
                            &weights.values,
                            (panel * N * N + point) * weights.plane,
                            steps.part(depth),
                        ),
                        start: if block == 0 { Start::Zero } else { Start::Out },
                        finish: Finish::Plain,
                        to: Place { rows: to.as_slice(), column: 0, width: channels },
                    };
                    strip.run::<S>(&mut sums[point * sums_plane..]);
                }
            }
            for lane in (0..channels).step_by(V) {
                let mut shift = [T::zero(); V];
                if let Some(bias) = bias {
                    shift.copy_from_slice(&bias[first + lane..][..V]);
                }
                for tile in 0..count {
                    let [image, row, column] = parts.tile(part, tile);
                    let mut products = [[[T::zero(); V]; N]; N];
                    for y in 0..N {
                        for x in 0..N {
                            let at = (y * N + x) * sums_plane + tile * width + lane;
                            products[y][x].copy_from_slice(&sums[at..at + V]);
                        }
                    }
                    let outputs = both!(products, F::outputs, [N, N] => [M, M]);
                    // The part begins with its first row of tiles of its first image.
                    let first_row = (image - images.start) * oh + row * M - tile_rows.start * M;
                    for y in 0..M.min(oh - row * M) {
                        for x in 0..M.min(ow - column * M) {
                            let mut value = outputs[y][x];
                            for i in 0..V {
                                value[i] += shift[i];
                            }
                            if *finish == Finish::Relu {
                                for i in 0..V {
                                    value[i] = rectified(value[i]);
                                }
                            }
                            let pixel = (first_row + y) * ow + column * M + x;
                            let at = pixel * c_out + first + lane;
                            out[at..at + V].copy_from_slice(&value);
                        }
                    }
                }
            }
        }
    }
}
