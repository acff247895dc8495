//! Tiles with outliers: what they are, and how they are computed.
//!
//! What a tile gives at a point is a sum of all its pixels, so rounding errors are as large as its largest values ask for,
//! also in the outputs whose windows do not see these. One pixel of a million costs its neighbours six digits, and an infinite
//! one leaves no number in its tile. So a tile whose values are far larger than usual ones is left out: all that it would have
//! at the points is 0, and its part of the result comes from direct sums.
//!
//! How large a tile's values are is asked at a few of its points, which together see each pixel: there they are in the cache
//! anyway. What is usual is asked of two pixels of each tile in a row of tiles. A row is never cut into parts, so neither
//! threads nor other images have a say.

use super::super::{Algorithm, Geometry, direct};
use super::parts::{PointsOfPart, Source};
use super::sweep::Sweep;
use super::tiles::Tiles;
use crate::buffer::Buffer;
use crate::kernels::window::{Padding, Window};
use crate::scalar::Scalar;
use crate::simd::{Kernel, Simd};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

/// How many times larger than noise of the usual size, in the root of the mean square, the values of a tile may be. Their
/// rounding errors are so many times larger, too. (With 16, a fifth of the tiles were outliers in a layer of a network that reads
/// digits: a few strokes on a ground of small values.)
const RANGE: f64 = 64.0;
/// Sums of squares start from here: with a smaller result, processors take many times longer.
const START: f64 = 1e-36;
/// A pixel with a smaller sum of squares counts as 0.
const NOTHING: f64 = 1e-30;

/// Looks for tiles with outliers in a part, and returns their numbers.
pub struct Search<'a, T, F, const N: usize, const M: usize> {
    pub of: PointsOfPart<'a, T>,
    pub points: &'a [T],
    pub tiles: PhantomData<F>,
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Kernel for Search<'_, T, F, N, M> {
    type Output = Vec<usize>;

    #[inline(always)]
    fn run<S: Simd>(self) -> Vec<usize> {
        let PointsOfPart { source, parts, part, gradients, row, plane } = self.of;
        let ([h, w], columns) = (source.size, parts.tiles[1]);
        let seeing = F::SEEING[usize::from(gradients)];
        let range = T::lit(RANGE * RANGE) * gain::<T, F, N, M>(gradients);
        let mut seen = Row { tiles: Buffer::stale(columns), pixels: Buffer::stale(2 * columns) };
        let mut outliers = Vec::new();
        let ([images, rows], mut first) = (parts.part(part), 0);
        for (image, tile_row) in images.flat_map(|image| rows.clone().map(move |row| (image, row)))
        {
            for column in 0..columns {
                let mut squares = [T::zero(); LANES];
                for y in seeing {
                    for x in seeing {
                        let at = (y * N + x) * plane + (first + column) * row;
                        add_squares::<S, T>(&self.points[at..at + source.channels], &mut squares);
                    }
                }
                seen.tiles[column] = sum_of(squares);
                for (i, step) in [0, M - 1].into_iter().enumerate() {
                    let [y, x] = [(tile_row * M + step).min(h - 1), (column * M + step).min(w - 1)];
                    let mut squares = [T::zero(); LANES];
                    add_squares::<S, T>(source.pixel(image, [y, x]), &mut squares);
                    seen.pixels[2 * column + i] = sum_of(squares);
                }
            }
            outliers.extend(seen.outliers(range).into_iter().map(|column| first + column));
            first += columns;
        }
        outliers
    }
}

/// How many times larger the squares of noise are at the points that see all of it, in both directions.
fn gain<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize>(gradients: bool) -> T {
    let one = |at: usize, place: usize| if at == place { T::one() } else { T::zero() };
    let along_one: T = (0..if gradients { M } else { N })
        .map(|place| {
            let points = if gradients {
                F::gradients(std::array::from_fn(|at| one(at, place)))
            } else {
                F::pixels(std::array::from_fn(|at| one(at, place)))
            };
            F::SEEING[usize::from(gradients)].iter().map(|&at| points[at] * points[at]).sum()
        })
        .sum();
    along_one * along_one
}

/// Channels that are squared side by side: as many as `Fits` has a multiple of.
const LANES: usize = 16;

/// Adds the squares of values to sums, lane by lane.
#[inline(always)]
fn add_squares<S: Simd, T: Scalar>(values: &[T], sums: &mut [T; LANES]) {
    let mut squares = [T::lit(START); LANES];
    for values in values.chunks_exact(LANES) {
        for i in 0..LANES {
            squares[i] = S::mul_add(values[i], values[i], squares[i]);
        }
    }
    for i in 0..LANES {
        sums[i] += squares[i];
    }
}

/// The sum of all lanes.
#[inline(always)]
fn sum_of<T: Scalar>(mut lanes: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// What is known of a row of tiles: sums of squares over all channels.
struct Row<T: Scalar> {
    /// Of each tile, at the points that see all of it.
    tiles: Buffer<T>,
    /// Of two pixels of each tile.
    pixels: Buffer<T>,
}

impl<T: Scalar> Row<T> {
    /// The columns of tiles that have outliers: more than `range` times the usual sum of squares of a pixel.
    #[inline(never)]
    fn outliers(&self, range: T) -> Vec<usize> {
        let fits = |tile: T, usual: T| tile.is_finite() && tile <= range * usual;
        let some = |pixel: T| pixel > T::lit(NOTHING) && pixel.is_finite();
        let least = self.pixels.iter().fold(T::infinity(), |least, &pixel| {
            if some(pixel) && pixel < least { pixel } else { least }
        });
        if self.tiles.iter().all(|&tile| fits(tile, least)) {
            return Vec::new();
        }
        let mut pixels: Vec<T> = self.pixels.iter().copied().filter(|&pixel| some(pixel)).collect();
        pixels.sort_unstable_by(|a, b| a.partial_cmp(b).expect("numbers"));
        // The median, or the smaller one of two: of two pixels, one may be the outlier.
        let usual = match pixels.len() {
            0 => T::infinity(),
            len => pixels[(len - 1) / 2],
        };
        (0..self.tiles.len()).filter(|&column| !fits(self.tiles[column], usual)).collect()
    }
}

/// Image, row and column of tiles with outliers, as threads find them.
#[derive(Default)]
pub struct Found(Mutex<Vec<[usize; 3]>>);

impl Found {
    pub fn add(&self, tile: [usize; 3]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(tile);
    }

    /// In order, by the height and width of the outputs that they have of images of `output`.
    fn by_size(self, output: [usize; 2], side: usize) -> BTreeMap<[usize; 2], Vec<[usize; 3]>> {
        let mut tiles = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        tiles.sort_unstable();
        tiles.dedup();
        let mut sizes = BTreeMap::<_, Vec<_>>::new();
        for [image, row, column] in tiles {
            let size = [side.min(output[0] - row * side), side.min(output[1] - column * side)];
            sizes.entry(size).or_default().push([image, row, column]);
        }
        sizes
    }

    /// Writes the outputs of these tiles, of `side * side` pixels each, into those of a sweep.
    pub fn write<T: Scalar>(self, sweep: &Sweep<'_, T>, side: usize, out: &mut [T]) {
        let ([oh, ow], [c_in, c_out]) = (sweep.output, sweep.weights.channels);
        let sizes = self.by_size(sweep.output, side);
        if sizes.is_empty() {
            return;
        }
        let kernel = sweep.weights.in_reading_order();
        let zeros = Buffer::zeroed(if sweep.bias.is_some() { 0 } else { c_out });
        for (size, tiles) in sizes {
            let geometry = geometry(size, tiles.len(), [c_in, c_out]);
            let x = cut(&sweep.source, &tiles, side, geometry.window.image());
            let bias = sweep.bias.unwrap_or(&zeros);
            let y = direct::forward(geometry, &x, &kernel, bias, sweep.finish);
            let rows = tiles.iter().flat_map(|[image, row, column]| {
                let first = (image * oh + row * side) * ow + column * side;
                (0..size[0]).map(move |y| (first + y * ow) * c_out)
            });
            let row_len = size[1] * c_out;
            for (to, row) in rows.zip(y.chunks_exact(row_len)) {
                out[to..to + row_len].copy_from_slice(row);
            }
        }
    }

    /// Adds to the gradient of a kernel what these tiles of pixels and of gradients contribute.
    pub fn add_taps<T: Scalar>(self, [x, dy]: [Source<'_, T>; 2], side: usize, dkernel: &mut [T]) {
        for (size, tiles) in self.by_size(dy.size, side) {
            let geometry = geometry(size, tiles.len(), [x.channels, dy.channels]);
            let x = cut(&x, &tiles, side, geometry.window.image());
            let dy = cut(&dy, &tiles, side, size);
            let taps = direct::backward_kernel(geometry, &x, &dy);
            dkernel.iter_mut().zip(&taps[..]).for_each(|(sum, &more)| *sum += more);
        }
    }
}

/// The convolution of so many tiles, as if they were images.
fn geometry(output: [usize; 2], images: usize, [c_in, c_out]: [usize; 2]) -> Geometry {
    let window = Window::new(output.map(|side| side + 2), [3, 3], [1, 1], Padding::Valid);
    let window = window.expect("a window of 3x3 fits into a tile");
    Geometry { window, images, c_in, c_out, groups: 1, algorithm: Algorithm::Direct }
}

/// The `height * width` pixels of each tile, one tile behind the other: those outside of an image are 0.
fn cut<T: Scalar>(
    source: &Source<'_, T>,
    tiles: &[[usize; 3]],
    side: usize,
    [height, width]: [usize; 2],
) -> Buffer<T> {
    let ([h, w], [before_y, before_x], c) = (source.size, source.before, source.channels);
    let mut cut = Buffer::zeroed(tiles.len() * height * width * c);
    for (cut, [image, row, column]) in cut.chunks_exact_mut(height * width * c).zip(tiles) {
        for (at, pixel) in cut.chunks_exact_mut(c).enumerate() {
            let y = (row * side + at / width).wrapping_sub(before_y);
            let x = (column * side + at % width).wrapping_sub(before_x);
            if y < h && x < w {
                pixel.copy_from_slice(&source.data[((image * h + y) * w + x) * c..][..c]);
            }
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outliers(tiles: &[f32], pixels: &[f32], range: f32) -> Vec<usize> {
        let [tiles, pixels] = [tiles, pixels].map(|values| Buffer::from(values.to_vec()));
        Row { tiles, pixels }.outliers(range)
    }

    #[test]
    fn outliers_are_far_above_the_usual() {
        let none: [usize; 0] = [];
        assert_eq!(outliers(&[5.0, 9.0], &[1.0, 2.0, 1.0, 3.0], 10.0), none);
        assert_eq!(outliers(&[5.0, 21.0], &[1.0, 2.0, 1.0, 3.0], 10.0), [1]);
        // One of two pixels is the outlier itself.
        assert_eq!(outliers(&[1e8], &[1e8, 1.0], 10.0), [0]);
        // Half of them are.
        assert_eq!(outliers(&[1e8, 1e8], &[1e8, 1.0, 2.0, 1e8], 10.0), [0, 1]);
        // Zeros, and what is no number, are not usual.
        assert_eq!(outliers(&[0.0, 9.0], &[0.0, 0.0, 1.0, 0.0], 10.0), none);
        assert_eq!(outliers(&[0.0, 9.0], &[0.0; 4], 10.0), none);
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        assert_eq!(outliers(&[1.0, inf, nan], &[1.0, nan, inf, 1.0, inf, nan], 10.0), [1, 2]);
        assert_eq!(outliers(&[inf, nan], &[0.0, 0.0, inf, nan], 10.0), [0, 1]);
    }

    /// The gain is what noise is multiplied by, and every pixel has its part in it.
    #[test]
    fn the_points_that_see_all() {
        fn check<F: Tiles<N, M>, const N: usize, const M: usize>() {
            for place in 0..N {
                let points = F::pixels(std::array::from_fn(|at| f64::from(u8::from(at == place))));
                assert!(F::SEEING[0].iter().any(|&at| points[at].abs() >= 1.0), "{place} of {N}");
            }
            for place in 0..M {
                let points =
                    F::gradients(std::array::from_fn(|at| f64::from(u8::from(at == place))));
                assert!(F::SEEING[1].iter().any(|&at| points[at].abs() >= 0.3), "{place} of {M}");
            }
            // Nor are pixels lost that are all the same.
            let same = [F::pixels([1.0f64; N]), F::gradients([1.0; M])];
            for (points, seeing) in same.iter().zip(F::SEEING) {
                assert!(seeing.iter().any(|&at| points[at].abs() >= 0.5), "{N} {M}");
            }
        }
        check::<super::super::F2, 4, 2>();
        check::<super::super::F4, 6, 4>();
        assert_eq!(gain::<f64, super::super::F4, 6, 4>(false), 16.5 * 16.5);
        assert_eq!(gain::<f64, super::super::F2, 4, 2>(true), 4.0);
    }
}
