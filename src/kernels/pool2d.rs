//! The largest and the mean value of windows, channel by channel.

use super::par;
use super::window::Window;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd};
use std::ops::Range;

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

    fn work(&self) -> usize {
        let size =
            self.window.size().iter().fold(1, |area: usize, &side| area.saturating_mul(side));
        (self.images * self.output_len()).saturating_mul(size)
    }

    /// Calls `f(pixel, rows, cols)` for every output pixel of one image, in reading order, with the
    /// part of the image that lies in its window.
    #[inline(always)]
    fn for_each_window(&self, mut f: impl FnMut(usize, Range<usize>, Range<usize>)) {
        let [oh, ow] = self.window.output();
        let inside = |axis, at| {
            let (first, taps) = self.window.clipped(axis, at);
            first..first + taps.len()
        };
        for oy in 0..oh {
            for ox in 0..ow {
                f(oy * ow + ox, inside(0, oy), inside(1, ox));
            }
        }
    }

    /// The places of the pixels of a part of the image, in reading order.
    #[inline(always)]
    fn places(&self, rows: &Range<usize>, cols: &Range<usize>) -> impl Iterator<Item = usize> {
        let geometry = *self;
        let cols = cols.clone();
        rows.clone().flat_map(move |y| cols.clone().map(move |x| geometry.place(y, x)))
    }

    /// The place in an image of the first channel of a pixel.
    #[inline(always)]
    fn place(&self, y: usize, x: usize) -> usize {
        (y * self.window.image()[1] + x) * self.channels
    }
}

/// The largest values, and for each the pixel that it came from, as the place of that pixel's first
/// channel in its image. Of equal values the first in reading order wins; a NaN wins against all.
pub fn max_forward<T: Scalar>(geometry: Geometry, x: &[T]) -> (Vec<T>, Vec<u32>) {
    let (image_len, output_len) = (geometry.image_len(), geometry.output_len());
    assert!(
        u32::try_from(image_len).is_ok(),
        "max_pool2d: an image of {image_len} values is too large"
    );
    let mut y = vec![T::zero(); geometry.images * output_len];
    let mut places = vec![0u32; y.len()];
    let work = geometry.work();
    par::for_each_pair(
        &mut y,
        &mut places,
        output_len,
        work,
        || (),
        |(), image, y, places| {
            let x = &x[image * image_len..][..image_len];
            simd::dispatch(MaxOfImage { geometry, x, y, places });
        },
    );
    (y, places)
}

/// The maxima of one image.
struct MaxOfImage<'a, T> {
    geometry: Geometry,
    x: &'a [T],
    y: &'a mut [T],
    places: &'a mut [u32],
}

impl<T: Scalar> Kernel for MaxOfImage<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let MaxOfImage { geometry, x, y, places } = self;
        let channels = geometry.channels;
        geometry.for_each_window(|pixel, rows, cols| {
            let y = &mut y[pixel * channels..][..channels];
            let places = &mut places[pixel * channels..][..channels];
            let window = MaxOfWindow { geometry, x, rows, cols };
            let mut at = 0;
            while at < channels {
                at += match channels - at {
                    8.. => window.channels::<8>(at, y, places),
                    4.. => window.channels::<4>(at, y, places),
                    _ => window.channels::<1>(at, y, places),
                };
            }
        });
    }
}

struct MaxOfWindow<'a, T> {
    geometry: Geometry,
    x: &'a [T],
    rows: Range<usize>,
    cols: Range<usize>,
}

impl<T: Scalar> MaxOfWindow<'_, T> {
    /// `N` channels from `at` on, which stay in registers while the window is read. Returns `N`.
    #[inline(always)]
    fn channels<const N: usize>(&self, at: usize, y: &mut [T], places: &mut [u32]) -> usize {
        let mut best = [T::neg_infinity(); N];
        let mut best_place = [self.geometry.place(self.rows.start, self.cols.start) as u32; N];
        for row in self.rows.clone() {
            for col in self.cols.clone() {
                let place = self.geometry.place(row, col);
                let values: &[T; N] = self.x[place + at..][..N].try_into().expect("N values");
                for i in 0..N {
                    // Larger, or a NaN, against a best that is no NaN yet: without a branch.
                    let larger = (values[i] > best[i]) | values[i].is_nan();
                    let better = larger & !best[i].is_nan();
                    best[i] = if better { values[i] } else { best[i] };
                    best_place[i] = if better { place as u32 } else { best_place[i] };
                }
            }
        }
        y[at..at + N].copy_from_slice(&best);
        places[at..at + N].copy_from_slice(&best_place);
        N
    }
}

/// Sends every `dy` to the pixel that its maximum came from.
pub fn max_backward<T: Scalar>(geometry: Geometry, places: &[u32], dy: &[T]) -> Vec<T> {
    let (image_len, output_len, channels) =
        (geometry.image_len(), geometry.output_len(), geometry.channels);
    let mut dx = vec![T::zero(); geometry.images * image_len];
    par::for_each_part(
        &mut dx,
        image_len,
        geometry.work(),
        || (),
        |(), image, dx| {
            let range = image * output_len..(image + 1) * output_len;
            let pixels =
                places[range.clone()].chunks_exact(channels).zip(dy[range].chunks_exact(channels));
            for (places, dy) in pixels {
                for (channel, (&place, &dy)) in places.iter().zip(dy).enumerate() {
                    dx[place as usize + channel] += dy;
                }
            }
        },
    );
    dx
}

/// The mean of the pixels of each window that lie inside the image.
pub fn avg_forward<T: Scalar>(geometry: Geometry, x: &[T]) -> Vec<T> {
    let (image_len, output_len, channels) =
        (geometry.image_len(), geometry.output_len(), geometry.channels);
    let mut y = vec![T::zero(); geometry.images * output_len];
    par::for_each_part(
        &mut y,
        output_len,
        geometry.work(),
        || (),
        |(), image, y| {
            let x = &x[image * image_len..][..image_len];
            geometry.for_each_window(|pixel, rows, cols| {
                let sums = &mut y[pixel * channels..][..channels];
                let count = T::lit((rows.len() * cols.len()) as f64);
                for place in geometry.places(&rows, &cols) {
                    let values = &x[place..][..channels];
                    sums.iter_mut().zip(values).for_each(|(sum, &x)| *sum += x);
                }
                sums.iter_mut().for_each(|sum| *sum /= count);
            });
        },
    );
    y
}

/// Shares every `dy` equally among the pixels of its window that lie inside the image.
pub fn avg_backward<T: Scalar>(geometry: Geometry, dy: &[T]) -> Vec<T> {
    let (image_len, output_len, channels) =
        (geometry.image_len(), geometry.output_len(), geometry.channels);
    let mut dx = vec![T::zero(); geometry.images * image_len];
    par::for_each_part(
        &mut dx,
        image_len,
        geometry.work(),
        || (),
        |(), image, dx| {
            let dy = &dy[image * output_len..][..output_len];
            geometry.for_each_window(|pixel, rows, cols| {
                let dy = &dy[pixel * channels..][..channels];
                let share = T::one() / T::lit((rows.len() * cols.len()) as f64);
                for place in geometry.places(&rows, &cols) {
                    let sums = &mut dx[place..][..channels];
                    sums.iter_mut().zip(dy).for_each(|(sum, &dy)| *sum += dy * share);
                }
            });
        },
    );
    dx
}
