//! Products over a grid of places in images with a border: where each reads, and where it writes.

use super::super::gemm::{Finish, Left, Right, Start, product};
use super::super::narrow::Narrow;
use super::{PART_WORK, PARTS};
use crate::buffer::{Buffer, Lent};
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Offsets};
use std::ops::RangeInclusive;

/// Output pixels that one thread takes at a time: not less than are worth reading all weights, and about as many as a cache holds.
const PIXELS: RangeInclusive<usize> = 16..=224;

/// Images with a border of zeros, all of one size.
pub struct Bordered<'a, T: Scalar> {
    pub width: usize,
    pub len: usize,
    pub data: Lent<'a, T>,
}

impl<'a, T: Scalar> Bordered<'a, T> {
    /// Images of `[h, w]` pixels of `c` values in an image of `[height, width]`, the first at `[top, left]`.
    pub fn new(
        images: &'a [T],
        [h, w]: [usize; 2],
        c: usize,
        [top, left]: [usize; 2],
        [height, width]: [usize; 2],
    ) -> Self {
        let len = height * width * c;
        if [h, w] == [height, width] {
            return Bordered { width, len, data: Lent::Borrowed(images) };
        }
        let image_len = h * w * c;
        let mut copied = Buffer::stale(images.len() / image_len * len);
        par::for_each_part(
            &mut copied,
            len,
            images.len(),
            || (),
            |(), image, copy| {
                let image = &images[image * image_len..][..image_len];
                let inside = top * width * c..(top + h) * width * c;
                copy[..inside.start].fill(T::zero());
                copy[inside.end..].fill(T::zero());
                let rows = copy[inside].chunks_exact_mut(width * c).zip(image.chunks_exact(w * c));
                for (copy, row) in rows {
                    copy[..left * c].fill(T::zero());
                    copy[left * c..(left + w) * c].copy_from_slice(row);
                    copy[(left + w) * c..].fill(T::zero());
                }
            },
        );
        Bordered { width, len, data: Lent::Owned(copied) }
    }
}

/// One product over a grid of places: each reads a row of patches at `from`, and writes a row of the
/// result at `to`. Both are a first place and the steps down and right.
pub struct Sweep {
    pub grid: [usize; 2],
    pub from: (usize, [usize; 2]),
    pub to: (usize, [usize; 2]),
    pub taps: Offsets,
}

/// Weights as the right operand of a product.
pub enum Weights<'a, T: Scalar> {
    Panels(Right<'a, T>),
    /// The few columns, one behind the other: `taps` then counts vectors.
    Columns(Buffer<T>),
}

/// Sweeps that together write every value of `images` results of `rows` rows of `row_len`, and where they do it. Nothing here
/// depends on values.
pub struct Route {
    sweeps: Vec<Sweep>,
    /// Where each sweep reads and writes, from the beginning of a part: the same in all of them.
    places: Vec<[Offsets; 2]>,
    /// `images`, `rows` and `row_len`.
    result: [usize; 3],
    /// Values of one image that is read, with its border.
    image_len: usize,
    images_each: usize,
    rows_each: usize,
}

impl Route {
    /// Work, `work` multiply-adds in all, is cut into several images, or into some rows of one, if all sweeps go through them in order.
    /// Each result has `pixels`.
    pub fn new(
        sweeps: Vec<Sweep>,
        image_len: usize,
        result: [usize; 3],
        pixels: usize,
        work: usize,
    ) -> Route {
        let [images, rows, row_len] = result;
        let all = images * pixels;
        let each = (all / PARTS).max(PART_WORK / (work / all).max(1));
        let each = each.clamp(*PIXELS.start(), *PIXELS.end());
        let in_order = sweeps.iter().all(|sweep| sweep.grid[0] == rows && sweep.to.1[0] == row_len);
        let rows_each = (each * rows).div_ceil(pixels).min(rows);
        // A part is never cut short: its rows divide an image's.
        let divides = |each: &usize| rows.is_multiple_of(*each);
        let rows_each = match (1..=rows_each).rev().find(divides) {
            _ if !in_order => rows,
            Some(each) if each * pixels / rows >= *PIXELS.start() => each,
            _ => (rows_each..=rows).find(divides).unwrap_or(rows),
        };
        let images_each = if rows_each == rows { (each / pixels).clamp(1, images) } else { 1 };
        let places = sweeps
            .iter()
            .map(|sweep| {
                let [height, width] = [sweep.grid[0].min(rows_each), sweep.grid[1]];
                let places = |(first, [down, right]): (usize, [usize; 2]), image_len: usize| {
                    let mut places = Buffer::stale(images_each * height * width);
                    for (row, places) in places.chunks_exact_mut(width).enumerate() {
                        let at = row / height * image_len + row % height * down + first;
                        places
                            .iter_mut()
                            .enumerate()
                            .for_each(|(x, place)| *place = at + x * right);
                    }
                    Offsets::from(places)
                };
                [places(sweep.from, image_len), places(sweep.to, rows * row_len)]
            })
            .collect();
        Route { sweeps, places, result, image_len, images_each, rows_each }
    }

    /// Runs the sweeps, each with its weights and its bias.
    pub fn run<T: Scalar>(
        &self,
        source: &Bordered<'_, T>,
        operands: &[(Weights<'_, T>, Option<&[T]>)],
        finish: Finish,
        work: usize,
    ) -> Buffer<T> {
        let Route { sweeps, places, result: [images, rows, row_len], .. } = self;
        let Route { image_len, images_each, rows_each, .. } = *self;
        let mut out = Buffer::stale(images * rows * row_len);
        par::for_each_part(
            &mut out,
            images_each * rows_each * row_len,
            work,
            || (),
            |(), part, out| {
                let first_row = part * images_each * rows_each;
                let (image, first_row) = (first_row / rows, first_row % rows);
                let images = (out.len() / row_len).div_ceil(*rows);
                for ((sweep, [from, to]), (weights, bias)) in
                    sweeps.iter().zip(places).zip(operands)
                {
                    let count = images * sweep.grid[0].min(rows_each) * sweep.grid[1];
                    let start = image * image_len + first_row * sweep.from.1[0];
                    let (data, rows) = (&source.data[start..], from.part(0..count));
                    let to = to.part(0..count);
                    match weights {
                        Weights::Panels(weights) => {
                            let left = Left { data, rows, cols: sweep.taps.all() };
                            let start = bias.map_or(Start::Zero, Start::Columns);
                            product(left, weights, start, finish, out, to);
                        }
                        Weights::Columns(columns) => {
                            let vectors = &sweep.taps;
                            let (rows, to) = (rows.as_slice(), to.as_slice());
                            simd::dispatch(Narrow { data, rows, vectors, columns, out, to });
                        }
                    }
                }
            },
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images, and rows of one, that are a part of so many `images` of `rows` by `columns` pixels.
    fn part([images, rows, columns]: [usize; 3], work_each: usize) -> [usize; 2] {
        let (pixels, work) = (rows * columns, images * rows * columns * work_each);
        let sweep = Sweep {
            grid: [rows, columns],
            from: (0, [columns, 1]),
            to: (0, [columns, 1]),
            taps: Offsets::steps(1, 1),
        };
        let route = Route::new(vec![sweep], pixels, [images, rows, columns], pixels, work);
        assert!(rows.is_multiple_of(route.rows_each));
        [route.images_each, route.rows_each]
    }

    #[test]
    fn few_pixels_are_cut_as_well() {
        // Of many, as many as are worth it.
        assert_eq!(part([32, 56, 56], 1000), [1, 4]);
        assert_eq!(part([256, 8, 8], 40_000), [3, 8]);
        assert_eq!(part([32, 8, 8], 40_000), [3, 8]);
        // Of few, an eighth, and two rows where one is too short for it.
        assert_eq!(part([1, 32, 32], 5000), [1, 4]);
        assert_eq!(part([1, 8, 8], 40_000), [1, 2]);
        assert_eq!(part([1, 14, 14], 600_000), [1, 2]);
        // A row alone would be too short, and two do not divide seven.
        assert_eq!(part([1, 7, 7], 2_000_000), [1, 7]);
        assert_eq!(part([1, 1, 5], 2_000_000), [1, 1]);
        // With little work, larger parts.
        assert_eq!(part([1, 24, 24], 2304), [1, 3]);
        assert_eq!(part([1, 24, 24], 230), [1, 8]);
        assert_eq!(part([4, 8, 8], 1), [3, 8]);
    }
}
