//! Which taps a pixel meets, along one axis, where the window is cut off at the border.

use super::super::window::both;
use super::Geometry;
use crate::simd::{Offsets, Part};
use std::ops::Range;

/// What one output position along an axis reads: `count` taps, the first of them `tap`, which meets `pixel`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reach {
    pub tap: usize,
    pub count: usize,
    pub pixel: usize,
}

/// Which side of a convolution is computed from which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Outputs from images.
    Forward,
    /// The gradient of the images from that of the outputs.
    Backward,
}

impl Direction {
    /// The height and width of what is read.
    pub fn source(self, geometry: &Geometry) -> [usize; 2] {
        match self {
            Direction::Forward => geometry.window.image(),
            Direction::Backward => geometry.window.output(),
        }
    }
}

/// One axis of a convolution: what each output position reads, with the steps from one tap to the next.
pub struct Axis {
    pub reaches: Vec<Reach>,
    /// The class of each position: positions of one class read the same taps.
    pub classes: Vec<usize>,
    /// The first position of each class.
    pub firsts: Vec<usize>,
    /// Forward, taps are read in ascending order, else in descending order, so that pixels ascend.
    backwards: bool,
    tap_step: usize,
    pixel_step: usize,
}

impl Axis {
    fn new(reaches: Vec<Reach>, backwards: bool, tap_step: usize, pixel_step: usize) -> Self {
        let mut firsts: Vec<usize> = Vec::new();
        let class = |at: usize| {
            let same = |first: &usize| {
                let (a, b) = (reaches[*first], reaches[at]);
                (a.tap, a.count) == (b.tap, b.count)
            };
            firsts.iter().position(same).unwrap_or_else(|| {
                firsts.push(at);
                firsts.len() - 1
            })
        };
        let classes = (0..reaches.len()).map(class).collect();
        Axis { reaches, classes, firsts, backwards, tap_step, pixel_step }
    }

    /// Both axes, in one direction.
    pub fn both(geometry: &Geometry, direction: Direction) -> [Axis; 2] {
        both(|axis| match direction {
            Direction::Forward => Axis::forward(geometry, axis),
            Direction::Backward => Axis::backward(geometry, axis),
        })
    }

    /// Output positions read the image.
    fn forward(geometry: &Geometry, axis: usize) -> Self {
        let window = geometry.window;
        let reach = |at: usize| {
            let (pixel, taps) = window.clipped(axis, at);
            Reach { tap: taps.start, count: taps.len(), pixel }
        };
        let reaches = (0..window.output()[axis]).map(reach).collect();
        Self::new(reaches, false, 1, window.dilation()[axis])
    }

    /// Image positions read the output's gradient: those outputs whose window they were in.
    fn backward(geometry: &Geometry, axis: usize) -> Self {
        let window = geometry.window;
        let (stride, dilation) = (window.strides()[axis], window.dilation()[axis]);
        let (size, outputs) = (window.size()[axis], window.output()[axis]);
        // Taps that meet the same pixel from neighbouring outputs lie this far apart.
        let tap_step = stride / gcd(stride, dilation);
        let pixel_step = dilation / gcd(stride, dilation);
        let reach = |at: usize| {
            let output = |tap: usize| {
                let distance = (at + window.before()[axis]).checked_sub(tap * dilation)?;
                (distance % stride == 0 && distance / stride < outputs).then_some(distance / stride)
            };
            let mut taps = (0..size).rev().filter_map(|tap| Some((tap, output(tap)?)));
            match taps.next() {
                Some((tap, pixel)) => Reach { tap, count: 1 + taps.count(), pixel },
                None => Reach { tap: 0, count: 0, pixel: 0 },
            }
        };
        let reaches = (0..window.image()[axis]).map(reach).collect();
        Self::new(reaches, true, tap_step, pixel_step)
    }

    /// The taps of a class, with the distance in pixels from the first.
    pub fn taps(&self, class: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
        let Reach { tap, count, .. } = self.reaches[self.firsts[class]];
        let (backwards, tap_step, pixel_step) = (self.backwards, self.tap_step, self.pixel_step);
        (0..count).map(move |i| {
            let tap = if backwards { tap - i * tap_step } else { tap + i * tap_step };
            (tap, i * pixel_step)
        })
    }
}

/// Where the weights of the taps lie, and where the pixels that they meet, for one class of rows and one of columns.
pub struct Table {
    pub weights: Offsets,
    pub pixels: Offsets,
}

impl Table {
    /// Those of the weights and pixels that lie in a range.
    #[inline(always)]
    pub fn part(&self, range: &Range<usize>) -> (Part<'_>, Part<'_>) {
        let end = range.end.min(self.weights.len());
        let range = range.start.min(end)..end;
        (self.weights.part(range.clone()), self.pixels.part(range))
    }

    /// The summands of the longest sum.
    pub fn longest(tables: &[Table]) -> usize {
        tables.iter().map(|table| table.weights.len()).max().unwrap_or(0)
    }
}

/// For each class of rows, and each class of columns in it: the taps that its positions read, counted in reading order
/// in a window of `window_width`, with the distance in pixels from the first, in an image of `width`.
pub fn shifts(
    [rows, cols]: &[Axis; 2],
    window_width: usize,
    width: usize,
) -> impl Iterator<Item = Vec<(usize, usize)>> {
    let of_classes = move |row_class: usize, col_class: usize| {
        let row = |(ky, y): (usize, usize)| {
            cols.taps(col_class).map(move |(kx, x)| (ky * window_width + kx, y * width + x))
        };
        rows.taps(row_class).flat_map(row).collect()
    };
    let classes = cols.firsts.len();
    (0..rows.firsts.len() * classes).map(move |i| of_classes(i / classes, i % classes))
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
