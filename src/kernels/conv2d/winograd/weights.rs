//! Weights at the points.

use super::ROW_GAP;
use super::tiles::Tiles;
use crate::buffer::Buffer;
use crate::kernels::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd, with_lanes};
use crate::tensor::transpose;
use std::marker::PhantomData;

/// Transformed weights: for each panel of `width` output channels, for each point, a row of them for each
/// input channel.
pub struct Weights<T: Scalar> {
    pub values: Buffer<T>,
    pub width: usize,
    /// Values from the weights of one point to those of the next.
    pub plane: usize,
    pub channels: [usize; 2],
}

impl<T: Scalar> Weights<T> {
    /// Of `kernel[3, 3, c_in, c_out]`, for the convolution that it stands for or, `backwards`, for the one that
    /// takes gradients of outputs to those of images.
    pub fn new<F: Tiles<N, M>, const N: usize, const M: usize>(
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
        let width = 2 * simd::lanes::<T>();
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
                    tiles: PhantomData,
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
    tiles: PhantomData<F>,
}

impl<T: Scalar, F: Tiles<N, M>, const N: usize, const M: usize> Kernel
    for TransformPanel<'_, T, F, N, M>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self.vectors::<S, T>())
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
