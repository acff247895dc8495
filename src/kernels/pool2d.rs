//! The largest and the mean value of windows, channel by channel.

use super::par;
use super::window::Window;
use crate::scalar::Scalar;
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
        self.images * self.output_len() * self.window.size().iter().product::<usize>()
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

    /// The place in an image of the first channel of a pixel.
    #[inline(always)]
    fn place(&self, y: usize, x: usize) -> usize {
        (y * self.window.image()[1] + x) * self.channels
    }
}

/// The largest values, and for each the place in its image that it came from. Of equal values the
/// first in reading order wins; a NaN wins against everything.
pub fn max_forward<T: Scalar>(geometry: Geometry, x: &[T]) -> (Vec<T>, Vec<u32>) {
    let (image_len, output_len, channels) =
        (geometry.image_len(), geometry.output_len(), geometry.channels);
    assert!(
        u32::try_from(image_len).is_ok(),
        "max_pool2d: an image of {image_len} values is too large"
    );
    let mut y = vec![(T::zero(), 0u32); geometry.images * output_len];
    par::for_each_part(
        &mut y,
        output_len,
        geometry.work(),
        || (),
        |(), image, y| {
            let x = &x[image * image_len..][..image_len];
            geometry.for_each_window(|pixel, rows, cols| {
                let best = &mut y[pixel * channels..][..channels];
                let first = geometry.place(rows.start, cols.start);
                for (c, best) in best.iter_mut().enumerate() {
                    *best = (x[first + c], (first + c) as u32);
                }
                for (row, col) in rows.flat_map(|row| cols.clone().map(move |col| (row, col))) {
                    let place = geometry.place(row, col);
                    let values = &x[place..][..channels];
                    for (c, (best, &value)) in best.iter_mut().zip(values).enumerate() {
                        if value > best.0 || (value.is_nan() && !best.0.is_nan()) {
                            *best = (value, (place + c) as u32);
                        }
                    }
                }
            });
        },
    );
    y.into_iter().unzip()
}

/// Sends every `dy` to the place that its maximum came from.
pub fn max_backward<T: Scalar>(geometry: Geometry, places: &[u32], dy: &[T]) -> Vec<T> {
    let (image_len, output_len) = (geometry.image_len(), geometry.output_len());
    let mut dx = vec![T::zero(); geometry.images * image_len];
    par::for_each_part(
        &mut dx,
        image_len,
        geometry.work(),
        || (),
        |(), image, dx| {
            let range = image * output_len..(image + 1) * output_len;
            for (&place, &dy) in places[range.clone()].iter().zip(&dy[range]) {
                dx[place as usize] += dy;
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
                for (row, col) in rows.flat_map(|row| cols.clone().map(move |col| (row, col))) {
                    let values = &x[geometry.place(row, col)..][..channels];
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
                for (row, col) in rows.flat_map(|row| cols.clone().map(move |col| (row, col))) {
                    let sums = &mut dx[geometry.place(row, col)..][..channels];
                    sums.iter_mut().zip(dy).for_each(|(sum, &dy)| *sum += dy * share);
                }
            });
        },
    );
    dx
}
