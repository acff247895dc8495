//! Gradients of windows, given to the pixels that they came from.

use super::{Geometry, Inside, Winner};
use crate::buffer::Buffer;
use crate::kernels::par;
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

/// All of it to the winner.
#[derive(Clone, Copy)]
pub struct ToWinner<'a, W>(pub &'a [W]);

impl<T: Scalar, W: Winner> Share<T> for ToWinner<'_, W> {
    /// Winners as wide as the values, so that comparing them makes a mask for those.
    type Read<const N: usize> = ([T; N], [u32; N]);

    #[inline(always)]
    fn read<const N: usize>(self, dy: &[T], at: usize) -> Self::Read<N> {
        let mut read = ([T::zero(); N], [0; N]);
        read.0.copy_from_slice(&dy[at..at + N]);
        let winners = &self.0[at..at + N];
        for i in 0..N {
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
    let insides = geometry.insides();
    let insides = &insides;
    par::for_each_part(
        &mut dx,
        image_len,
        geometry.work(),
        || (),
        |(), image, dx| simd::dispatch(SpreadOfImage { geometry, insides, image, dy, share, dx }),
    );
    dx
}

/// One image's gradient.
struct SpreadOfImage<'a, T, H> {
    geometry: Geometry,
    insides: &'a [Vec<Inside>; 2],
    image: usize,
    dy: &'a [T],
    share: H,
    dx: &'a mut [T],
}

impl<T: Scalar, H: Share<T>> Kernel for SpreadOfImage<'_, T, H> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let SpreadOfImage { geometry, insides: [rows, cols], image, dy, share, dx } = self;
        let (window, channels) = (geometry.window, geometry.channels);
        let ([oh, ow], [h, w], [kh, kw]) = (window.output(), window.image(), window.size());
        // Windows that lie side by side and cover the image write every pixel once.
        let once = window.strides() == [kh, kw] && [oh * kh, ow * kw] == [h, w];
        if !once {
            dx.fill(T::zero());
        }
        for (oy, rows) in rows.iter().enumerate() {
            for (ox, cols) in cols.iter().enumerate() {
                let window = SpreadOfWindow {
                    geometry,
                    rows,
                    cols,
                    dy,
                    first: ((image * oh + oy) * ow + ox) * channels,
                    share,
                    once,
                };
                let mut at = 0;
                while at < channels {
                    at += match channels - at {
                        8.. => window.channels::<8>(at, dx),
                        _ => window.channels::<1>(at, dx),
                    };
                }
            }
        }
    }
}

/// The shares of one window.
struct SpreadOfWindow<'a, T, H> {
    geometry: Geometry,
    rows: &'a Inside,
    cols: &'a Inside,
    dy: &'a [T],
    /// Where the window's gradients begin.
    first: usize,
    share: H,
    once: bool,
}

impl<T: Scalar, H: Share<T>> SpreadOfWindow<'_, T, H> {
    /// `N` channels from `at` on. Returns `N`.
    #[inline(always)]
    fn channels<const N: usize>(&self, at: usize, dx: &mut [T]) -> usize {
        let SpreadOfWindow { geometry, rows, cols, .. } = self;
        let read = self.share.read::<N>(self.dy, self.first + at);
        for i in 0..rows.count {
            for j in 0..cols.count {
                let index = (i * cols.count + j) as u32;
                let mut share = H::of::<N>(&read, index, rows.count * cols.count);
                let place = geometry.place(rows.pixel + i, cols.pixel + j) + at;
                let dx = &mut dx[place..place + N];
                if !self.once {
                    for k in 0..N {
                        share[k] += dx[k];
                    }
                }
                dx.copy_from_slice(&share);
            }
        }
        N
    }
}
