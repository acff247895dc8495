//! Gradients of windows, given to the pixels that they came from.

use super::{Geometry, Pixels, Windows, Winner};
use crate::buffer::Buffer;
use crate::kernels::sums::Totals;
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd};

/// How a window's gradients are shared among its pixels.
pub trait Share<T>: Copy + Sync {
    /// What is read once for `N` channels of a window.
    type Read<const N: usize>;

    /// Reads the gradients and what decides about them, of the channels from `at` in the output on.
    fn read<const N: usize>(self, dy: &[T], at: usize) -> Self::Read<N>;

    /// What they give to the pixel with this index among the `count` pixels of its window that lie inside of the image.
    fn of<const N: usize>(read: &Self::Read<N>, index: u32, count: usize) -> [T; N];
}

/// All of it to the winner, times `scale`.
#[derive(Clone, Copy)]
pub struct ToWinner<'a, T, W> {
    pub winners: &'a [W],
    pub scale: T,
}

impl<T: Scalar, W: Winner> Share<T> for ToWinner<'_, T, W> {
    /// Winners as wide as the values, so that comparing them makes a mask for those.
    type Read<const N: usize> = ([T; N], [u32; N]);

    #[inline(always)]
    fn read<const N: usize>(self, dy: &[T], at: usize) -> Self::Read<N> {
        let mut read = ([T::zero(); N], [0; N]);
        read.0.copy_from_slice(&dy[at..at + N]);
        let winners = &self.winners[at..at + N];
        for i in 0..N {
            read.0[i] *= self.scale;
            read.1[i] = winners[i].index();
        }
        read
    }

    #[inline(always)]
    fn of<const N: usize>((dy, winners): &Self::Read<N>, index: u32, _: usize) -> [T; N] {
        let mut share = [T::zero(); N];
        for i in 0..N {
            share[i] = dy[i].kept_if(winners[i] == index);
        }
        share
    }
}

/// The same to all.
#[derive(Clone, Copy)]
pub struct Equally;

impl<T: Scalar> Share<T> for Equally {
    type Read<const N: usize> = [T; N];

    #[inline(always)]
    fn read<const N: usize>(self, dy: &[T], at: usize) -> [T; N] {
        let mut read = [T::zero(); N];
        read.copy_from_slice(&dy[at..at + N]);
        read
    }

    #[inline(always)]
    fn of<const N: usize>(dy: &[T; N], _: u32, count: usize) -> [T; N] {
        let factor = T::one() / T::lit(count as f64);
        let mut share = *dy;
        for i in 0..N {
            share[i] *= factor;
        }
        share
    }
}

/// The gradient of the images, to which every window gives its shares.
pub fn spread<T: Scalar>(geometry: Geometry, dy: &[T], share: impl Share<T>) -> Buffer<T> {
    let image_len = geometry.image_len();
    let mut dx = Buffer::stale(geometry.images * image_len);
    let windows = &geometry.windows();
    par::for_each_part(
        &mut dx,
        image_len,
        geometry.work(),
        || (),
        |(), image, dx| simd::dispatch(SpreadOfImage { geometry, windows, image, dy, share, dx }),
    );
    dx
}

/// One image's gradient.
struct SpreadOfImage<'a, T, H> {
    geometry: Geometry,
    windows: &'a Windows,
    image: usize,
    dy: &'a [T],
    share: H,
    dx: &'a mut [T],
}

impl<T: Scalar, H: Share<T>> Kernel for SpreadOfImage<'_, T, H> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let window = self.geometry.window;
        let ([oh, ow], [h, w], [kh, kw]) = (window.output(), window.image(), window.size());
        // Windows that lie side by side and cover the image write every pixel once.
        if window.strides() == [kh, kw] && [oh * kh, ow * kw] == [h, w] {
            self.windows::<true>();
        } else {
            self.dx.fill(T::zero());
            self.windows::<false>();
        }
    }
}

impl<T: Scalar, H: Share<T>> SpreadOfImage<'_, T, H> {
    #[inline(always)]
    fn windows<const ONCE: bool>(self) {
        let SpreadOfImage { geometry, windows, image, dy, share, dx } = self;
        let ([oh, ow], channels) = (geometry.window.output(), geometry.channels);
        let mut cut = Pixels::default();
        // As many windows as cover a pixel add to its gradient.
        let mut totals = Totals::new(geometry.window.overlap(), if ONCE { 0 } else { dx.len() });
        for oy in 0..oh {
            for ox in 0..ow {
                let (first, pixels) = windows.at(oy, ox, &mut cut);
                let first_dy = ((image * oh + oy) * ow + ox) * channels;
                let window = SpreadOfWindow { pixels, dy, first_dy, share };
                let (pixels, mut at) = (&mut dx[first..], 0);
                while at < channels {
                    at += match channels - at {
                        8.. => window.channels::<ONCE, 8>(at, pixels),
                        _ => window.channels::<ONCE, 1>(at, pixels),
                    };
                }
                if !ONCE {
                    totals.grow(dx, 1);
                }
            }
        }
        if !ONCE {
            totals.finish(dx);
        }
    }
}

/// The shares of one window.
struct SpreadOfWindow<'a, T, H> {
    pixels: &'a [usize],
    dy: &'a [T],
    /// Where the window's gradients begin.
    first_dy: usize,
    share: H,
}

impl<T: Scalar, H: Share<T>> SpreadOfWindow<'_, T, H> {
    /// `N` channels from `at` on. Returns `N`.
    #[inline(always)]
    fn channels<const ONCE: bool, const N: usize>(&self, at: usize, dx: &mut [T]) -> usize {
        let read = self.share.read::<N>(self.dy, self.first_dy + at);
        for (index, &pixel) in (0u32..).zip(self.pixels) {
            let mut share = H::of::<N>(&read, index, self.pixels.len());
            let dx = &mut dx[pixel + at..][..N];
            if !ONCE {
                for k in 0..N {
                    share[k] += dx[k];
                }
            }
            dx.copy_from_slice(&share);
        }
        N
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{Padding, Window};

    /// A pixel that very many windows cover gets a sum of as many summands.
    #[test]
    fn long_sums_are_cut_into_pieces() {
        let (size, last) = (33_000, 32_999);
        let window = Window::new([1, size + last], [1, size], [1, 1], Padding::Valid).unwrap();
        assert_eq!(window.overlap(), size);
        let dy = vec![7.0f32; size];
        let dx = spread(Geometry { window, images: 1, channels: 1 }, &dy, Equally);
        assert!((dx[last] - 7.0).abs() < 1e-4, "{}", dx[last]);
        assert!((dx[0] - 7.0 / size as f32).abs() < 1e-9, "{}", dx[0]);
    }
}
