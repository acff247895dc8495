//! Tiles: where they are cut from, and how they are dealt out.

use super::outliers::{Found, Search};
use super::tiles::{Aligned, Tiles};
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd, with_lanes};
use std::marker::PhantomData;
use std::ops::Range;

/// A stack of images in which tiles are cut: `[h][w][c]`, with the border that the first tile begins at.
#[derive(Clone, Copy)]
pub struct Source<'a, T> {
    pub data: &'a [T],
    pub size: [usize; 2],
    pub channels: usize,
    pub before: [usize; 2],
}

impl<T: Scalar> Source<'_, T> {
    #[inline(always)]
    fn image(&self, image: usize) -> &[T] {
        let len = self.size[0] * self.size[1] * self.channels;
        &self.data[image * len..][..len]
    }

    /// The channels of a pixel.
    #[inline(always)]
    pub fn pixel(&self, image: usize, [y, x]: [usize; 2]) -> &[T] {
        &self.image(image)[(y * self.size[1] + x) * self.channels..][..self.channels]
    }

    /// Where the pixels of `S` rows and of `S` columns begin in an image, of which the first ones are at `[top, left]` of the image with
    /// its border: the place of a pixel is a sum of both, behind the end of all data if the pixel is outside.
    #[inline(always)]
    fn places<const S: usize>(&self, [top, left]: [usize; 2]) -> [[usize; S]; 2] {
        let ([h, w], [before_y, before_x]) = (self.size, self.before);
        let mut places = [[usize::MAX / 4; S]; 2];
        for k in 0..S {
            let (row, column) =
                ((top + k).wrapping_sub(before_y), (left + k).wrapping_sub(before_x));
            if row < h {
                places[0][k] = row * w * self.channels;
            }
            if column < w {
                places[1][k] = column * self.channels;
            }
        }
        places
    }
}

/// How the tiles of all images are cut into parts: some rows of tiles of one image, or several images.
#[derive(Clone, Copy)]
pub struct Parts {
    /// Rows of tiles, and tiles in a row, of one image.
    pub tiles: [usize; 2],
    images: usize,
    images_each: usize,
    rows_each: usize,
}

impl Parts {
    pub fn new(output: [usize; 2], side: usize, images: usize, tiles_each: usize) -> Self {
        let tiles = output.map(|size| size.div_ceil(side));
        let [rows, columns] = tiles;
        let images_each = (tiles_each / (rows * columns)).clamp(1, images.max(1));
        // As even as possible.
        let rows_each = rows.div_ceil(rows.div_ceil((tiles_each / columns).clamp(1, rows)));
        Parts {
            tiles,
            images,
            images_each,
            rows_each: if images_each > 1 { rows } else { rows_each },
        }
    }

    fn row_parts(&self) -> usize {
        self.tiles[0].div_ceil(self.rows_each)
    }

    pub fn count(&self) -> usize {
        self.images.div_ceil(self.images_each) * self.row_parts()
    }

    /// The images and the rows of tiles of a part.
    #[inline(always)]
    pub fn part(&self, part: usize) -> [Range<usize>; 2] {
        let image = part / self.row_parts() * self.images_each;
        let row = part % self.row_parts() * self.rows_each;
        let images = image..(image + self.images_each).min(self.images);
        [images, row..(row + self.rows_each).min(self.tiles[0])]
    }

    /// Image, row and column of a part's tile.
    #[inline(always)]
    pub fn tile(&self, part: usize, tile: usize) -> [usize; 3] {
        let ([images, rows], columns) = (self.part(part), self.tiles[1]);
        let row = tile / columns;
        [images.start + row / rows.len(), rows.start + row % rows.len(), tile % columns]
    }

    /// The places of a part's tiles, one after the other.
    #[inline(always)]
    pub fn walk(&self, part: usize) -> Walk {
        let [images, rows] = self.part(part);
        Walk { at: [images.start, rows.start, 0], rows, columns: self.tiles[1] }
    }

    pub fn tile_count(&self, part: usize) -> usize {
        let [images, rows] = self.part(part);
        images.len() * rows.len() * self.tiles[1]
    }

    /// The outputs of a part's tiles, of `M x M` each where they are not cut off: those of `output` pixels an image.
    pub fn outputs<const M: usize>(&self, part: usize, [oh, ow]: [usize; 2]) -> usize {
        let [images, rows] = self.part(part);
        images.len() * ((rows.end * M).min(oh) - rows.start * M) * ow
    }
}

/// The way through the tiles of a part: along a row, to the next row, to the next image.
pub struct Walk {
    at: [usize; 3],
    rows: Range<usize>,
    columns: usize,
}

impl Walk {
    /// Image, row and column of the tile that is next. (The divisions of [`Parts::tile`] would take a tenth of the time of a tile.)
    #[inline(always)]
    pub fn step(&mut self) -> [usize; 3] {
        let [image, row, column] = self.at;
        self.at = if column + 1 < self.columns {
            [image, row, column + 1]
        } else if row + 1 < self.rows.end {
            [image, row + 1, 0]
        } else {
            [image + 1, self.rows.start, 0]
        };
        [image, row, column]
    }
}

/// What is found in a part's tiles, at the points: for each point a matrix of the tiles.
#[derive(Clone, Copy)]
pub struct PointsOfPart<'a, T> {
    pub source: Source<'a, T>,
    pub parts: Parts,
    pub part: usize,
    /// Whether these are the `M x M` gradients of a tile's outputs, or else the `N x N` pixels that it reads.
    pub gradients: bool,
    /// Values from one tile to the next.
    pub row: usize,
    /// Values from one matrix to the next.
    pub plane: usize,
}

impl<T: Scalar> PointsOfPart<'_, T> {
    /// Writes all of it, but zeros in place of tiles with outliers.
    pub fn write<F: Tiles<N, M>, const N: usize, const M: usize>(
        self,
        into: &mut [T],
        outliers: &Found,
    ) {
        simd::dispatch(Transform::<_, F, N, M> { of: self, into, tiles: PhantomData });
        let search = Search::<_, F, N, M> { of: self, points: into, tiles: PhantomData };
        for tile in simd::dispatch(search) {
            outliers.add(self.parts.tile(self.part, tile));
            for point in 0..N * N {
                into[point * self.plane + tile * self.row..][..self.source.channels]
                    .fill(T::zero());
            }
        }
    }
}

struct Transform<'a, T, F, const N: usize, const M: usize> {
    of: PointsOfPart<'a, T>,
    into: &'a mut [T],
    tiles: PhantomData<F>,
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Kernel
    for Transform<'_, T, F, N, M>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self.vectors::<S, T>())
    }
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Transform<'_, T, F, N, M> {
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(self) {
        let Transform { of, into, .. } = self;
        let PointsOfPart { source, parts, part, gradients, row, plane } = of;
        // A macro, as `both!` is one: so that the transformation is inlined for sure.
        macro_rules! transform {
            ($transform:path, $s:expr) => {
                let zeros = [T::zero(); V];
                let mut half = Aligned([[zeros; $s]; N]);
                let mut walk = parts.walk(part);
                for tile in 0..parts.tile_count(part) {
                    let [image, tile_row, column] = walk.step();
                    let pixels = source.image(image);
                    let [rows, columns] = source.places::<{ $s }>([tile_row * M, column * M]);
                    for channel in (0..source.channels).step_by(V) {
                        let points = &mut into[tile * row + channel..];
                        both!(
                            half,
                            |y, x| {
                                let at = rows[y] + columns[x] + channel;
                                match pixels.get(at..at + V) {
                                    Some(pixel) => pixel.try_into().expect("V channels"),
                                    None => &zeros,
                                }
                            },
                            $transform,
                            [$s, $s] => [N, N],
                            |y, row| {
                                for x in 0..N {
                                    points[(y * N + x) * plane..][..V].copy_from_slice(&row[x]);
                                }
                            }
                        );
                    }
                }
            };
        }
        if gradients {
            transform!(F::gradients, M);
        } else {
            transform!(F::pixels, N);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_through_a_part_meets_each_tile() {
        for (output, images, tiles_each) in
            [([8, 8], 5, 9), ([9, 14], 3, 4), ([9, 14], 3, 7), ([1, 1], 4, 3), ([33, 2], 2, 2)]
        {
            let parts = Parts::new(output, 4, images, tiles_each);
            for part in 0..parts.count() {
                let mut walk = parts.walk(part);
                for tile in 0..parts.tile_count(part) {
                    assert_eq!(walk.step(), parts.tile(part, tile), "{output:?} {part} {tile}");
                }
            }
        }
    }
}
