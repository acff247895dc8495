//! The largest and the mean value of windows, channel by channel.
//!
//! Nothing is computed across channels, so a stack of images with the images innermost is, to these
//! kernels, a single image of `c n` channels.

mod survivors;

mod spread;

use super::sums::CHAIN;
use super::window::{Window, both};
use crate::buffer::{Buffer, Pooled};
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd};
use crate::tensor::{Order, Tensor};
use spread::{Equally, Share, ToWinner, spread};
pub use survivors::Survivors;

/// Values of the output that one thread takes at a time, about, in whole rows.
const PART: usize = 1 << 12;

/// The numbers of a pooling.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    pub window: Window,
    pub images: usize,
    pub channels: usize,
}

impl Geometry {
    fn image_len(&self) -> usize {
        self.window.image().iter().product::<usize>() * self.channels
    }

    fn output_len(&self) -> usize {
        self.window.output().iter().product::<usize>() * self.channels
    }

    /// The work, in multiply-adds: a value that is read and compared is worth several, which find theirs in registers.
    fn work(&self) -> usize {
        let area =
            self.window.size().iter().fold(8, |area: usize, &side| area.saturating_mul(side));
        (self.images * self.output_len()).saturating_mul(area)
    }

    /// The windows' pixels that lie inside the image.
    fn windows(&self) -> Windows {
        let insides = both(|axis| {
            let inside = |at: usize| {
                let (pixel, taps) = self.window.clipped(axis, at);
                Inside { pixel, count: taps.len() }
            };
            (0..self.window.output()[axis]).map(inside).collect::<Vec<_>>()
        });
        let most = both(|axis| insides[axis].iter().map(|inside| inside.count).max());
        let step = [self.window.image()[1] * self.channels, self.channels];
        let mut windows = Windows { insides, step, most: Pixels::default() };
        windows.most = windows.pixels(most.map(|count| count.unwrap_or(0)));
        windows
    }
}

/// Pixels of a window inside of the image, along one axis: the first of them, and how many they are.
#[derive(Clone, Copy)]
struct Inside {
    pixel: usize,
    count: usize,
}

/// All windows of a pooling.
struct Windows {
    insides: [Vec<Inside>; 2],
    /// From one pixel to the one below, and to the next.
    step: [usize; 2],
    /// Those of a window that is not cut off at the border.
    most: Pixels,
}

/// Where the pixels of a window lie, in reading order, from the first of them on: the same for all windows with so many
/// rows and columns.
#[derive(Default)]
struct Pixels {
    counts: [usize; 2],
    places: Buffer<usize>,
}

impl Windows {
    #[inline(never)]
    fn pixels(&self, counts: [usize; 2]) -> Pixels {
        let [down, right] = self.step;
        let rows = (0..counts[0]).map(|i| i * down);
        let places = rows.flat_map(|row| (0..counts[1]).map(move |j| row + j * right));
        Pixels { counts, places: Buffer::collect(counts[0] * counts[1], places) }
    }

    /// Where window `(oy, ox)` begins in an image, and where its pixels lie from there on. `cut` holds those of a window
    /// that is cut off, for the next ones like it.
    #[inline(always)]
    fn at<'a>(&'a self, oy: usize, ox: usize, cut: &'a mut Pixels) -> (usize, &'a [usize]) {
        let (rows, cols) = (self.insides[0][oy], self.insides[1][ox]);
        let first = rows.pixel * self.step[0] + cols.pixel * self.step[1];
        let counts = [rows.count, cols.count];
        if counts == self.most.counts {
            return (first, &self.most.places);
        }
        if counts != cut.counts {
            *cut = self.pixels(counts);
        }
        (first, &cut.places)
    }
}

/// Which pixel each maximum came from, counted in reading order among those of its window that lie inside of the image:
/// a byte where that is enough.
/// Where nothing of a maximum is left, it is [`NOBODY`](Winner::NOBODY).
pub enum Winners {
    Bytes(Buffer<u8>),
    Words(Buffer<u32>),
}

/// A number of a pixel in its window.
trait Winner: Pooled + Send + Sync {
    /// In place of a number.
    const NOBODY: Self;

    fn new(index: u32) -> Self;
    fn index(self) -> u32;
}

impl Winner for u8 {
    const NOBODY: Self = u8::MAX;

    #[inline(always)]
    fn new(index: u32) -> Self {
        index as u8
    }

    #[inline(always)]
    fn index(self) -> u32 {
        u32::from(self)
    }
}

impl Winner for u32 {
    const NOBODY: Self = u32::MAX;

    #[inline(always)]
    fn new(index: u32) -> Self {
        index
    }

    #[inline(always)]
    fn index(self) -> u32 {
        self
    }
}

/// A pooling and the memory order that it keeps.
#[derive(Clone, Copy, Debug)]
pub struct Ordered {
    shape: Geometry,
    order: Order,
}

impl Ordered {
    /// The same, as a pooling of row-major images: with the images innermost, of a single one of `c n` channels.
    fn memory(&self) -> Geometry {
        let Geometry { images, channels, .. } = self.shape;
        match self.order {
            Order::RowMajor => self.shape,
            Order::Innermost => Geometry { images: 1, channels: channels * images, ..self.shape },
        }
    }

    /// Values in this order, for images of `[h, w]` pixels.
    fn tensor<T: Scalar>(&self, [h, w]: [usize; 2], values: Buffer<T>) -> Tensor<T> {
        self.order.tensor([self.shape.images, h, w, self.shape.channels], values)
    }
}

/// The largest values, with their order and the pixels they came from. Of equal values the first in
/// reading order wins; a NaN wins against all.
///
/// Where no gradient is wanted, nobody asks who won.
#[track_caller]
pub fn max_forward<T: Scalar>(
    geometry: Geometry,
    x: &Tensor<T>,
    wanted: bool,
) -> (Tensor<T>, (Ordered, Winners)) {
    max_forward_then(geometry, x, wanted, None)
}

/// [`max_forward`], of which only some survive.
#[track_caller]
pub fn max_forward_then<T: Scalar>(
    geometry: Geometry,
    x: &Tensor<T>,
    wanted: bool,
    survivors: Option<&Survivors<T>>,
) -> (Tensor<T>, (Ordered, Winners)) {
    let ordered = Ordered { shape: geometry, order: x.order() };
    let [area, image] = [geometry.window.seen(), geometry.window.image()].map(|[h, w]| h * w);
    assert!(u32::try_from(image).is_ok(), "max_pool2d: an image of {image} pixels is too large");
    let x = x.in_order(ordered.order);
    let mut y = Buffer::stale(geometry.images * geometry.output_len());
    let (stored, survivors) = (x.stored(ordered.order), survivors.map(|it| (it, ordered)));
    // One number is kept for nobody.
    let winners = if !wanted {
        Winners::Bytes(maxima::<T, u8, false>(ordered.memory(), stored, survivors, &mut y))
    } else if area < 1 << 8 {
        Winners::Bytes(maxima::<T, u8, true>(ordered.memory(), stored, survivors, &mut y))
    } else {
        Winners::Words(maxima::<T, u32, true>(ordered.memory(), stored, survivors, &mut y))
    };
    (ordered.tensor(geometry.window.output(), y), (ordered, winners))
}

/// Writes the maxima to `y`, and returns which pixels won, if `WINNERS`.
fn maxima<T: Scalar, W: Winner, const WINNERS: bool>(
    geometry: Geometry,
    x: &[T],
    survivors: Option<(&Survivors<T>, Ordered)>,
    y: &mut [T],
) -> Buffer<W> {
    let channels = geometry.channels;
    let (row_len, work) = (geometry.window.output()[1] * channels, geometry.work());
    let rows_each = (PART / row_len.max(1)).max(1);
    let windows = &geometry.windows();
    let mut winners = Buffer::stale(if WINNERS { y.len() } else { 0 });
    let rows = |part: usize, y: &mut [T], winners: &mut [W]| {
        let (image_len, first) = (geometry.image_len(), part * rows_each);
        let max = MaxOfRows::<T, W, WINNERS> {
            windows,
            channels,
            x,
            image_len,
            first,
            survivors,
            y,
            winners,
        };
        simd::dispatch(max);
    };
    if WINNERS {
        par::for_each_pair(
            y,
            &mut winners,
            rows_each * row_len,
            work,
            || (),
            |(), part, y, winners| rows(part, y, winners),
        );
    } else {
        par::for_each_part(
            y,
            rows_each * row_len,
            work,
            || (),
            |(), part, y| rows(part, y, &mut []),
        );
    }
    winners
}

/// The maxima of some rows of windows, of all images one below the other, and, if `WINNERS`, which pixels won.
struct MaxOfRows<'a, T, W, const WINNERS: bool> {
    windows: &'a Windows,
    channels: usize,
    x: &'a [T],
    image_len: usize,
    first: usize,
    survivors: Option<(&'a Survivors<T>, Ordered)>,
    y: &'a mut [T],
    winners: &'a mut [W],
}

impl<T: Scalar, W: Winner, const WINNERS: bool> Kernel for MaxOfRows<'_, T, W, WINNERS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let MaxOfRows { windows, channels, x, image_len, first, survivors, y, winners } = self;
        let [oh, ow] = both(|axis| windows.insides[axis].len());
        let mut cut = Pixels::default();
        for (i, y) in y.chunks_exact_mut(ow * channels).enumerate() {
            let (image, oy) = ((first + i) / oh, (first + i) % oh);
            let x = &x[image * image_len..][..image_len];
            let row_first = i * ow * channels;
            for (ox, y) in y.chunks_exact_mut(channels).enumerate() {
                let winners = if WINNERS {
                    &mut winners[row_first + ox * channels..][..channels]
                } else {
                    &mut []
                };
                let (first, pixels) = windows.at(oy, ox, &mut cut);
                let window = MaxOfWindow { x: &x[first..], pixels };
                let mut at = 0;
                while at < channels {
                    at += match channels - at {
                        16.. => window.channels::<16, WINNERS, W>(at, y, winners),
                        8.. => window.channels::<8, WINNERS, W>(at, y, winners),
                        4.. => window.channels::<4, WINNERS, W>(at, y, winners),
                        _ => window.channels::<1, WINNERS, W>(at, y, winners),
                    };
                }
            }
            // While the row is in the cache.
            if let Some((survivors, ordered)) = survivors {
                let winners = if WINNERS { &mut winners[row_first..][..y.len()] } else { &mut [] };
                survivors.of_row::<WINNERS, W>(ordered, [image, oy], y, winners);
            }
        }
    }
}

struct MaxOfWindow<'a, T> {
    /// The image from the window's first pixel on.
    x: &'a [T],
    pixels: &'a [usize],
}

impl<T: Scalar> MaxOfWindow<'_, T> {
    /// `N` channels from `at` on, which stay in registers while the window is read. Returns `N`.
    #[inline(always)]
    fn channels<const N: usize, const WINNERS: bool, W: Winner>(
        &self,
        at: usize,
        y: &mut [T],
        winners: &mut [W],
    ) -> usize {
        let mut best = [T::neg_infinity(); N];
        let mut winner = [0u32; N];
        for (index, &pixel) in (0u32..).zip(self.pixels) {
            let values: &[T; N] = self.x[pixel + at..][..N].try_into().expect("N values");
            for k in 0..N {
                // Larger, or a NaN: nothing is larger than that. Without a branch. The winner first: the other way round, the
                // loop is no vector code in builds with debug assertions.
                let better = (values[k] > best[k]) | values[k].is_nan();
                if WINNERS {
                    winner[k] = if better { index } else { winner[k] };
                }
                best[k] = if better { values[k] } else { best[k] };
            }
        }
        y[at..at + N].copy_from_slice(&best);
        if WINNERS {
            for (slot, &winner) in winners[at..at + N].iter_mut().zip(&winner) {
                *slot = W::new(winner);
            }
        }
        N
    }
}

/// Sends every `dy`, times `scale`, to the pixel that its maximum came from.
pub fn max_backward<T: Scalar>(
    ordered: Ordered,
    winners: &Winners,
    scale: T,
    dy: &Tensor<T>,
) -> Tensor<T> {
    match winners {
        Winners::Bytes(winners) => spread_in_order(ordered, dy, ToWinner { winners, scale }),
        Winners::Words(winners) => spread_in_order(ordered, dy, ToWinner { winners, scale }),
    }
}

fn spread_in_order<T: Scalar>(ordered: Ordered, dy: &Tensor<T>, share: impl Share<T>) -> Tensor<T> {
    let dy = dy.in_order(ordered.order);
    let dx = spread(ordered.memory(), dy.stored(ordered.order), share);
    ordered.tensor(ordered.shape.window.image(), dx)
}

/// The mean of the pixels of each window that lie inside the image.
#[track_caller]
pub fn avg_forward<T: Scalar>(geometry: Geometry, x: &Tensor<T>) -> (Tensor<T>, Ordered) {
    let ordered = Ordered { shape: geometry, order: x.order() };
    let (geometry, x) = (ordered.memory(), x.in_order(ordered.order));
    let x = x.stored(ordered.order);
    let (channels, image_len) = (geometry.channels, geometry.image_len());
    let [_, ow] = geometry.window.output();
    let mut y = Buffer::stale(geometry.images * geometry.output_len());
    let windows = &geometry.windows();
    let row_len = ow * channels;
    let rows_each = (PART / row_len.max(1)).max(1);
    par::for_each_part(
        &mut y,
        rows_each * row_len,
        geometry.work(),
        || (),
        |(), part, y| {
            let first = part * rows_each;
            simd::dispatch(MeanOfRows { windows, channels, x, image_len, first, y });
        },
    );
    (ordered.tensor(geometry.window.output(), y), ordered)
}

/// The means of some rows of windows, of all images one below the other.
struct MeanOfRows<'a, T> {
    windows: &'a Windows,
    channels: usize,
    x: &'a [T],
    image_len: usize,
    first: usize,
    y: &'a mut [T],
}

impl<T: Scalar> Kernel for MeanOfRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let MeanOfRows { windows, channels, x, image_len, first, y } = self;
        let [oh, ow] = both(|axis| windows.insides[axis].len());
        let mut cut = Pixels::default();
        for (i, y) in y.chunks_exact_mut(ow * channels).enumerate() {
            let (image, oy) = ((first + i) / oh, (first + i) % oh);
            let x = &x[image * image_len..][..image_len];
            for (ox, y) in y.chunks_exact_mut(channels).enumerate() {
                let (first, pixels) = windows.at(oy, ox, &mut cut);
                let x = &x[first..];
                if pixels.len() > CHAIN {
                    long_means(x, pixels, y);
                    continue;
                }
                let mut at = 0;
                while at < channels {
                    at += match channels - at {
                        16.. => means::<T, 16>(x, pixels, at, y),
                        8.. => means::<T, 8>(x, pixels, at, y),
                        4.. => means::<T, 4>(x, pixels, at, y),
                        _ => means::<T, 1>(x, pixels, at, y),
                    };
                }
            }
        }
    }
}

/// The means of `N` channels from `at` on, which stay in registers while the window is read. Returns `N`.
#[inline(always)]
fn means<T: Scalar, const N: usize>(x: &[T], pixels: &[usize], at: usize, y: &mut [T]) -> usize {
    let mut sums = [T::zero(); N];
    for &pixel in pixels {
        let values: &[T; N] = x[pixel + at..][..N].try_into().expect("N values");
        for k in 0..N {
            sums[k] += values[k];
        }
    }
    let count = T::lit(pixels.len() as f64);
    for k in 0..N {
        sums[k] /= count;
    }
    y[at..at + N].copy_from_slice(&sums);
    N
}

/// The means of the pixels of a large window, from its first one on.
fn long_means<T: Scalar>(x: &[T], pixels: &[usize], means: &mut [T]) {
    let mut sums = Buffer::<T::Wide>::zeroed(means.len());
    for &pixel in pixels {
        sums.iter_mut().zip(&x[pixel..]).for_each(|(sum, x)| *sum += x.wide());
    }
    let count = T::Wide::lit(pixels.len() as f64);
    means.iter_mut().zip(&sums[..]).for_each(|(mean, &sum)| *mean = T::narrow(sum / count));
}

/// Shares every `dy` equally among the pixels of its window that lie inside the image.
pub fn avg_backward<T: Scalar>(ordered: Ordered, dy: &Tensor<T>) -> Tensor<T> {
    spread_in_order(ordered, dy, Equally)
}
