//! Fewer multiplications for windows of 3 by 3 and stride 1 (Winograd, *Arithmetic complexity of
//! computations*, 1980; Lavin and Gray, *Fast algorithms for convolutional neural networks*, 2016).
//!
//! Four neighbouring outputs of a filter with three taps need 12 multiplications one by one. They are also
//! the product of two polynomials, with 6 coefficients, and a polynomial with 6 coefficients is known from
//! its values at 6 points. So: evaluate both factors at 6 points, multiply there, and interpolate, which takes
//! additions and multiplications by constants, but only 6 multiplications of the two factors. In two
//! dimensions a tile of 4 by 4 outputs needs 36 multiplications for each pair of channels instead of 144.
//!
//! The transformed pixels of a block of tiles form 36 matrices `[tiles, c_in]`, the transformed weights 36
//! matrices `[c_in, c_out]`: so the work is 36 matrix products, and the transformations are paid once for all
//! channels of the other side. That is why it needs many channels.
//!
//! The points 0, +-sqrt(1/2), +-sqrt(2) and infinity keep the constants near 1, and with them the rounding
//! errors; the textbook's 0, +-1, +-2 lose two bits more.

use super::super::gemm::{Finish, Left, Place, Start, Strip};
use super::super::par;
use super::Geometry;
use crate::buffer::Buffer;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Offsets, Simd};
use crate::tensor::transpose;

/// The transformations along one axis, for tiles of `M` outputs from `N = M + 2` pixels. `V` values, those of
/// neighbouring channels, are transformed at a time.
pub trait Tiles<const N: usize, const M: usize> {
    /// Pixels at the points.
    fn pixels<T: Scalar, const V: usize>(d: &[[T; V]; N]) -> [[T; V]; N];
    /// A filter's three taps at the points.
    fn taps<T: Scalar, const V: usize>(g: &[[T; V]; 3]) -> [[T; V]; N];
    /// Outputs from products at the points.
    fn outputs<T: Scalar, const V: usize>(m: &[[T; V]; N]) -> [[T; V]; M];
    /// Gradients of outputs at the points, as the taps of a filter of `M` that slides over the pixels.
    fn gradients<T: Scalar, const V: usize>(dy: &[[T; V]; M]) -> [[T; V]; N];
    /// Gradients of the three taps from products at the points.
    fn tap_gradients<T: Scalar, const V: usize>(m: &[[T; V]; N]) -> [[T; V]; 3];
}

/// `sum of c x` over pairs, for `V` values at a time.
macro_rules! sum {
    ($($c:expr, $x:expr);+) => {{
        let mut sum = [T::zero(); V];
        for i in 0..V {
            sum[i] = sum!(@terms i, $($c, $x);+);
        }
        sum
    }};
    (@terms $i:ident, $c:expr, $x:expr) => { T::lit($c) * $x[$i] };
    (@terms $i:ident, $c:expr, $x:expr; $($rest:tt)+) => {
        T::lit($c) * $x[$i] + sum!(@terms $i, $($rest)+)
    };
}

/// F(2, 3), at the points 0, 1, -1 and infinity.
pub struct F2;

impl Tiles<4, 2> for F2 {
    #[inline(always)]
    fn pixels<T: Scalar, const V: usize>(d: &[[T; V]; 4]) -> [[T; V]; 4] {
        [
            sum!(1.0, d[0]; -1.0, d[2]),
            sum!(1.0, d[1]; 1.0, d[2]),
            sum!(-1.0, d[1]; 1.0, d[2]),
            sum!(-1.0, d[1]; 1.0, d[3]),
        ]
    }

    #[inline(always)]
    fn taps<T: Scalar, const V: usize>(g: &[[T; V]; 3]) -> [[T; V]; 4] {
        [
            g[0],
            sum!(0.5, g[0]; 0.5, g[1]; 0.5, g[2]),
            sum!(0.5, g[0]; -0.5, g[1]; 0.5, g[2]),
            g[2],
        ]
    }

    #[inline(always)]
    fn outputs<T: Scalar, const V: usize>(m: &[[T; V]; 4]) -> [[T; V]; 2] {
        [sum!(1.0, m[0]; 1.0, m[1]; 1.0, m[2]), sum!(1.0, m[1]; -1.0, m[2]; 1.0, m[3])]
    }

    #[inline(always)]
    fn gradients<T: Scalar, const V: usize>(dy: &[[T; V]; 2]) -> [[T; V]; 4] {
        [dy[0], sum!(0.5, dy[0]; 0.5, dy[1]), sum!(0.5, dy[0]; -0.5, dy[1]), dy[1]]
    }

    #[inline(always)]
    fn tap_gradients<T: Scalar, const V: usize>(m: &[[T; V]; 4]) -> [[T; V]; 3] {
        [
            sum!(1.0, m[0]; 1.0, m[1]; 1.0, m[2]),
            sum!(1.0, m[1]; -1.0, m[2]),
            sum!(1.0, m[1]; 1.0, m[2]; 1.0, m[3]),
        ]
    }
}

/// F(4, 3), at the points 0, +-A, +-B and infinity, where `A B = 1`.
pub struct F4;

const A: f64 = std::f64::consts::FRAC_1_SQRT_2;
const B: f64 = std::f64::consts::SQRT_2;

impl Tiles<6, 4> for F4 {
    #[inline(always)]
    fn pixels<T: Scalar, const V: usize>(d: &[[T; V]; 6]) -> [[T; V]; 6] {
        // Points that differ in their sign share their even and their odd powers.
        let (even_a, odd_a) = (sum!(-2.0, d[2]; 1.0, d[4]), sum!(-B, d[1]; A, d[3]));
        let (even_b, odd_b) = (sum!(-0.5, d[2]; 1.0, d[4]), sum!(-A, d[1]; B, d[3]));
        [
            sum!(-2.5, d[2]; 1.0, d[0]; 1.0, d[4]),
            sum!(1.0, even_a; 1.0, odd_a),
            sum!(1.0, even_a; -1.0, odd_a),
            sum!(1.0, even_b; 1.0, odd_b),
            sum!(1.0, even_b; -1.0, odd_b),
            sum!(-2.5, d[3]; 1.0, d[1]; 1.0, d[5]),
        ]
    }

    #[inline(always)]
    fn taps<T: Scalar, const V: usize>(g: &[[T; V]; 3]) -> [[T; V]; 6] {
        let even_a = sum!(-2.0 / 3.0, g[0]; -1.0 / 3.0, g[2]);
        let even_b = sum!(1.0 / 6.0, g[0]; 1.0 / 3.0, g[2]);
        [
            g[0],
            sum!(-2.0 * A / 3.0, g[1]; 1.0, even_a),
            sum!(2.0 * A / 3.0, g[1]; 1.0, even_a),
            sum!(B / 6.0, g[1]; 1.0, even_b),
            sum!(-B / 6.0, g[1]; 1.0, even_b),
            g[2],
        ]
    }

    #[inline(always)]
    fn outputs<T: Scalar, const V: usize>(m: &[[T; V]; 6]) -> [[T; V]; 4] {
        let (sum_a, difference_a) = (sum!(1.0, m[1]; 1.0, m[2]), sum!(1.0, m[1]; -1.0, m[2]));
        let (sum_b, difference_b) = (sum!(1.0, m[3]; 1.0, m[4]), sum!(1.0, m[3]; -1.0, m[4]));
        [
            sum!(1.0, m[0]; 1.0, sum_a; 1.0, sum_b),
            sum!(A, difference_a; B, difference_b),
            sum!(0.5, sum_a; 2.0, sum_b),
            sum!(A / 2.0, difference_a; 2.0 * B, difference_b; 1.0, m[5]),
        ]
    }

    #[inline(always)]
    fn gradients<T: Scalar, const V: usize>(dy: &[[T; V]; 4]) -> [[T; V]; 6] {
        let even_a = sum!(-2.0 / 3.0, dy[0]; -1.0 / 3.0, dy[2]);
        let odd_a = sum!(-2.0 * A / 3.0, dy[1]; -A / 3.0, dy[3]);
        let even_b = sum!(1.0 / 6.0, dy[0]; 1.0 / 3.0, dy[2]);
        let odd_b = sum!(B / 6.0, dy[1]; B / 3.0, dy[3]);
        [
            dy[0],
            sum!(1.0, even_a; 1.0, odd_a),
            sum!(1.0, even_a; -1.0, odd_a),
            sum!(1.0, even_b; 1.0, odd_b),
            sum!(1.0, even_b; -1.0, odd_b),
            dy[3],
        ]
    }

    #[inline(always)]
    fn tap_gradients<T: Scalar, const V: usize>(m: &[[T; V]; 6]) -> [[T; V]; 3] {
        let (sum_a, difference_a) = (sum!(1.0, m[1]; 1.0, m[2]), sum!(1.0, m[1]; -1.0, m[2]));
        let (sum_b, difference_b) = (sum!(1.0, m[3]; 1.0, m[4]), sum!(1.0, m[3]; -1.0, m[4]));
        [
            sum!(1.0, m[0]; 1.0, sum_a; 1.0, sum_b),
            sum!(A, difference_a; B, difference_b),
            sum!(0.5, sum_a; 2.0, sum_b; 1.0, m[5]),
        ]
    }
}

/// Transforms the columns of a block of `I x I`, then its rows, to `O x O`. A macro, because a function that took
/// the transformation would not be sure to have it inlined, and a call would be compiled for any machine.
macro_rules! both {
    ($block:expr, $transform:path, $i:expr => $o:expr) => {{
        let block = $block;
        let mut half = [[[T::zero(); V]; $i]; $o];
        for x in 0..$i {
            let mut column = [[T::zero(); V]; $i];
            for y in 0..$i {
                column[y] = block[y][x];
            }
            let column = $transform(&column);
            for y in 0..$o {
                half[y][x] = column[y];
            }
        }
        let mut whole = [[[T::zero(); V]; $o]; $o];
        for y in 0..$o {
            whole[y] = $transform(&half[y]);
        }
        whole
    }};
}

/// Transforms the `S x S` pixels of each of a part's tiles, `M` apart: for each point a matrix of the tiles, with
/// `row` values from one to the next, and `plane` values from one matrix to the next.
macro_rules! at_points {
    ($source:expr, $parts:expr, $part:expr, $transform:path, $s:expr, [$row:expr, $plane:expr], $into:expr) => {
        for tile in 0..$parts.tile_count($part) {
            let [image, row, column] = $parts.tile($part, tile);
            for channel in (0..$source.channels).step_by(V) {
                let block = $source.block::<{ $s }, V>(image, [row * M, column * M], channel);
                let points = both!(block, $transform, $s => N);
                for y in 0..N {
                    for x in 0..N {
                        let at = (y * N + x) * $plane + tile * $row + channel;
                        $into[at..at + V].copy_from_slice(&points[y][x]);
                    }
                }
            }
        }
    };
}

/// Calls `self.vectors::<S, V>()` with the number of lanes of a vector.
macro_rules! with_lanes {
    ($self:expr) => {
        match S::VECTOR_BYTES / T::BYTES {
            2 => $self.vectors::<S, 2>(),
            4 => $self.vectors::<S, 4>(),
            8 => $self.vectors::<S, 8>(),
            16 => $self.vectors::<S, 16>(),
            lanes => unreachable!("no vector of {lanes} lanes"),
        }
    };
}

/// Floats between the matrices of two points: their rows must not all fall on the same few places of the
/// cache.
const GAP: usize = 48;
/// Bytes that the transformed pixels of one block of tiles take at most: they stay in the second-level cache.
const BLOCK_BYTES: usize = 640 << 10;
/// Summands that are added before the next block of channels is taken.
const DEPTH: usize = 256;

/// A stack of images in which tiles are cut: `[h][w][c]`, with the border that the first tile begins at.
#[derive(Clone, Copy)]
struct Source<'a, T> {
    data: &'a [T],
    size: [usize; 2],
    channels: usize,
    before: [usize; 2],
}

impl<T: Scalar> Source<'_, T> {
    fn image_len(&self) -> usize {
        self.size[0] * self.size[1] * self.channels
    }

    /// `V` channels from `channel` on of the `S x S` pixels whose first is at `[top, left]` of the image with
    /// its border. What lies outside of the image is 0.
    #[inline(always)]
    fn block<const S: usize, const V: usize>(
        &self,
        image: usize,
        [top, left]: [usize; 2],
        channel: usize,
    ) -> [[[T; V]; S]; S] {
        let image = &self.data[image * self.image_len()..][..self.image_len()];
        let ([h, w], [before_y, before_x]) = (self.size, self.before);
        let mut block = [[[T::zero(); V]; S]; S];
        if top >= before_y && left >= before_x && top - before_y + S <= h && left - before_x + S <= w {
            let first = ((top - before_y) * w + left - before_x) * self.channels + channel;
            for y in 0..S {
                for x in 0..S {
                    let at = first + (y * w + x) * self.channels;
                    block[y][x].copy_from_slice(&image[at..at + V]);
                }
            }
            return block;
        }
        for y in 0..S {
            let row = (top + y).wrapping_sub(before_y);
            for x in 0..S {
                let column = (left + x).wrapping_sub(before_x);
                if row < h && column < w {
                    let at = (row * w + column) * self.channels + channel;
                    block[y][x].copy_from_slice(&image[at..at + V]);
                }
            }
        }
        block
    }
}

/// How the tiles of all images are cut into parts: some rows of tiles of one image, or several images.
#[derive(Clone, Copy)]
struct Parts {
    /// Rows of tiles, and tiles in a row, of one image.
    tiles: [usize; 2],
    images: usize,
    images_each: usize,
    rows_each: usize,
}

impl Parts {
    fn new(output: [usize; 2], side: usize, images: usize, tiles_each: usize) -> Self {
        let tiles = output.map(|size| size.div_ceil(side));
        let [rows, columns] = tiles;
        let images_each = (tiles_each / (rows * columns)).clamp(1, images.max(1));
        // As even as possible.
        let rows_each = rows.div_ceil(rows.div_ceil((tiles_each / columns).clamp(1, rows)));
        Parts { tiles, images, images_each, rows_each: if images_each > 1 { rows } else { rows_each } }
    }

    fn row_parts(&self) -> usize {
        self.tiles[0].div_ceil(self.rows_each)
    }

    fn count(&self) -> usize {
        self.images.div_ceil(self.images_each) * self.row_parts()
    }

    /// The images and the rows of tiles of a part.
    #[inline(always)]
    fn part(&self, part: usize) -> [std::ops::Range<usize>; 2] {
        let image = part / self.row_parts() * self.images_each;
        let row = part % self.row_parts() * self.rows_each;
        let images = image..(image + self.images_each).min(self.images);
        [images, row..(row + self.rows_each).min(self.tiles[0])]
    }

    /// Image, row and column of a part's tile.
    #[inline(always)]
    fn tile(&self, part: usize, tile: usize) -> [usize; 3] {
        let ([images, rows], columns) = (self.part(part), self.tiles[1]);
        let row = tile / columns;
        [images.start + row / rows.len(), rows.start + row % rows.len(), tile % columns]
    }

    fn tile_count(&self, part: usize) -> usize {
        let [images, rows] = self.part(part);
        images.len() * rows.len() * self.tiles[1]
    }
}

/// Transformed weights: for each panel of `width` output channels, for each point, a row of them for each
/// input channel.
struct Weights<T: Scalar> {
    values: Buffer<T>,
    width: usize,
    /// Values from the weights of one point to those of the next.
    plane: usize,
    channels: [usize; 2],
}

impl<T: Scalar> Weights<T> {
    /// Of `kernel[3, 3, c_in, c_out]`, for the convolution that it stands for or, `backwards`, for the one that
    /// takes gradients of outputs to those of images.
    fn new<F: Tiles<N, M>, const N: usize, const M: usize>(
        kernel: &[T],
        [c_in, c_out]: [usize; 2],
        backwards: bool,
    ) -> Self {
        let channels = if backwards { [c_out, c_in] } else { [c_in, c_out] };
        let mut turned = Buffer::stale(if backwards { kernel.len() } else { 0 });
        if backwards {
            let taps = kernel.chunks_exact(c_in * c_out).rev();
            for (tap, turned) in taps.zip(turned.chunks_exact_mut(c_in * c_out)) {
                transpose(tap, [c_in, c_out], turned);
            }
        }
        let kernel = if backwards { &turned } else { kernel };
        let width = 2 * simd::vector_bytes() / T::BYTES;
        let plane = channels[0] * width + ROW_GAP;
        let panel_len = N * N * plane;
        let mut values = Buffer::stale(channels[1].div_ceil(width) * panel_len);
        par::for_each_part(
            &mut values,
            panel_len,
            N * N * kernel.len(),
            || (),
            |(), panel, values| {
                let kernel = TransformPanel::<_, F, N, M> {
                    kernel,
                    channels,
                    first: panel * width,
                    plane,
                    values,
                    tiles: std::marker::PhantomData,
                };
                simd::dispatch(kernel);
            },
        );
        Weights { values, width, plane, channels }
    }
}

struct TransformPanel<'a, T, F, const N: usize, const M: usize> {
    kernel: &'a [T],
    channels: [usize; 2],
    first: usize,
    plane: usize,
    values: &'a mut [T],
    tiles: std::marker::PhantomData<F>,
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Kernel
    for TransformPanel<'_, T, F, N, M>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self)
    }
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> TransformPanel<'_, T, F, N, M> {
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(self) {
        let [c_in, c_out] = self.channels;
        let width = 2 * V;
        for c in 0..c_in {
            for half in [0, V] {
                let first = self.first + half;
                let count = c_out.saturating_sub(first).min(V);
                let mut taps = [[[T::zero(); V]; 3]; 3];
                for ky in 0..3 {
                    for kx in 0..3 {
                        let at = ((ky * 3 + kx) * c_in + c) * c_out + first;
                        let values = &self.kernel[at.min(self.kernel.len())..];
                        taps[ky][kx][..count].copy_from_slice(&values[..count]);
                    }
                }
                // Not square: three taps become N points, first down, then along.
                let mut points = [[[T::zero(); V]; 3]; N];
                for kx in 0..3 {
                    let column = F::taps(&[taps[0][kx], taps[1][kx], taps[2][kx]]);
                    for y in 0..N {
                        points[y][kx] = column[y];
                    }
                }
                for y in 0..N {
                    let row = F::taps(&points[y]);
                    for x in 0..N {
                        let at = (y * N + x) * self.plane + c * width + half;
                        self.values[at..at + V].copy_from_slice(&row[x]);
                    }
                }
            }
        }
    }
}

/// A convolution by tiles from one stack of images to another.
struct Sweep<'a, T: Scalar> {
    source: Source<'a, T>,
    weights: Weights<T>,
    output: [usize; 2],
    bias: Option<&'a [T]>,
    finish: Finish,
}

impl<T: Scalar> Sweep<'_, T> {
    fn run<F: Tiles<N, M> + Sync, const N: usize, const M: usize>(
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
                tiles: std::marker::PhantomData,
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
    tiles: std::marker::PhantomData<F>,
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Kernel
    for TilesOfPart<'_, T, F, N, M>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self)
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
                        to: Place { rows: to.as_slice(), column: 0, width },
                    };
                    strip.run::<S, 2>(&mut sums[point * sums_plane..]);
                }
            }
            for half in [0, V] {
                let first = first + half;
                let channels = c_out.saturating_sub(first).min(V);
                let mut shift = [T::zero(); V];
                if let Some(bias) = bias {
                    shift[..channels].copy_from_slice(&bias[first..first + channels]);
                }
                for tile in 0..count {
                    let [image, row, column] = parts.tile(part, tile);
                    let mut products = [[[T::zero(); V]; N]; N];
                    for y in 0..N {
                        for x in 0..N {
                            let at = (y * N + x) * sums_plane + tile * width + half;
                            products[y][x].copy_from_slice(&sums[at..at + V]);
                        }
                    }
                    let outputs = both!(products, F::outputs, N => M);
                    // The part begins with its first row of tiles of its first image.
                    let first_row = (image - images.start) * oh + row * M - tile_rows.start * M;
                    for y in 0..M.min(oh - row * M) {
                        for x in 0..M.min(ow - column * M) {
                            let mut value = outputs[y][x];
                            for i in 0..V {
                                value[i] += shift[i];
                                if *finish == Finish::Relu && value[i] < T::zero() {
                                    value[i] = T::zero();
                                }
                            }
                            let at = ((first_row + y) * ow + column * M + x) * c_out + first;
                            if channels == V {
                                out[at..at + V].copy_from_slice(&value);
                            } else {
                                out[at..at + channels].copy_from_slice(&value[..channels]);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether channels can be transformed in whole vectors.
pub fn fits<T: Scalar>(geometry: &Geometry) -> bool {
    let window = geometry.window;
    window.size() == [3, 3]
        && window.strides() == [1, 1]
        && window.dilation() == [1, 1]
        && geometry.groups == 1
        && [geometry.c_in, geometry.c_out].iter().all(|c| *c >= 32 && c % 16 == 0)
        && T::BYTES == 4
}

/// `y[n, oh, ow, c_out]` of row-major `x[n, h, w, c_in]`.
pub fn forward<T: Scalar, F: Tiles<N, M> + Sync, const N: usize, const M: usize>(
    geometry: Geometry,
    x: &[T],
    kernel: &[T],
    bias: &[T],
    finish: Finish,
) -> Buffer<T> {
    let Geometry { window, images, c_in, c_out, .. } = geometry;
    let sweep = Sweep {
        source: Source { data: x, size: window.image(), channels: c_in, before: window.before() },
        weights: Weights::new::<F, N, M>(kernel, [c_in, c_out], false),
        output: window.output(),
        bias: Some(bias),
        finish,
    };
    sweep.run::<F, N, M>(images, geometry.work())
}

/// The gradient of the images: the same sweep over `dy`, with the kernel read backwards.
pub fn backward_input<T: Scalar, F: Tiles<N, M> + Sync, const N: usize, const M: usize>(
    geometry: Geometry,
    kernel: &[T],
    dy: &[T],
) -> Buffer<T> {
    let Geometry { window, images, c_in, c_out, .. } = geometry;
    let before = window.before().map(|before| 2 - before);
    let sweep = Sweep {
        source: Source { data: dy, size: window.output(), channels: c_out, before },
        weights: Weights::new::<F, N, M>(kernel, [c_in, c_out], true),
        output: window.image(),
        bias: None,
        finish: Finish::Plain,
    };
    sweep.run::<F, N, M>(images, geometry.work())
}

/// Floats between the rows of transformed tiles, for the same reason as [`GAP`].
const ROW_GAP: usize = 16;
/// Values of all transformed tiles that are kept at once, about.
const KEPT: usize = 3 << 20;

/// The gradient of the kernel. It is a convolution of the pixels by the gradients of the outputs, `M x M` of them
/// to a tile, with 3 by 3 results: the same points serve. Tiles add up before they are transformed back.
pub fn backward_kernel<T: Scalar, F: Tiles<N, M> + Sync, const N: usize, const M: usize>(
    geometry: Geometry,
    x: &[T],
    dy: &[T],
) -> Buffer<T> {
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
                    tiles: std::marker::PhantomData,
                });
            },
        );
        // Where the tiles of all parts lie in the matrices of a point: sums run over them without a stop.
        let tiles: usize = part_range.clone().map(|part| parts.tile_count(part)).sum();
        let places = |row: usize| {
            let part = |i: usize| (0..parts.tile_count(first + i)).map(move |tile| i * len + tile * row);
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
                tiles: std::marker::PhantomData,
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
    tiles: std::marker::PhantomData<F>,
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Kernel
    for PointsOfPart<'_, T, F, N, M>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self)
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
    right: (&'a [T], crate::simd::Part<'a>),
    columns: usize,
    to: &'a [usize],
    sums: &'a mut [T],
}

impl<T: Scalar> Kernel for Accumulate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Accumulate { left, right: (data, steps), columns, to, sums } = self;
        let lanes = S::VECTOR_BYTES / T::BYTES;
        for block in (0..steps.len()).step_by(DEPTH) {
            let block = block..(block + DEPTH).min(steps.len());
            let left = Left { cols: left.cols.part(block.clone()), ..left };
            let mut column = 0;
            while column < columns {
                let two = columns - column >= 2 * lanes;
                let width = if two { 2 * lanes } else { lanes };
                let strip = Strip {
                    left,
                    right: (data, column, steps.part(block.clone())),
                    start: Start::Out,
                    finish: Finish::Plain,
                    to: Place { rows: to, column, width },
                };
                if two { strip.run::<S, 2>(sums) } else { strip.run::<S, 1>(sums) }
                column += width;
            }
        }
    }
}

/// The gradients of the taps of one input channel, `[3][3][c_out]`.
struct TapsOfChannel<'a, T, F, const N: usize, const M: usize> {
    sums: &'a [T],
    plane: usize,
    taps: &'a mut [T],
    tiles: std::marker::PhantomData<F>,
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Kernel
    for TapsOfChannel<'_, T, F, N, M>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self)
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
            let gradients = both!(products, F::tap_gradients, N => 3);
            for ky in 0..3 {
                for kx in 0..3 {
                    let at = (ky * 3 + kx) * c_out + first;
                    taps[at..at + V].copy_from_slice(&gradients[ky][kx]);
                }
            }
        }
    }
}
