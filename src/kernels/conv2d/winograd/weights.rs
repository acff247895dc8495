//! Weights at the points.

use super::ROW_GAP;
use super::tiles::Tiles;
use crate::buffer::Buffer;
use crate::kernels::gemm::panel_width;
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
        let width = panel_width::<T>(channels[1]);
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
                    width,
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
    width: usize,
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
        let width = self.width;
        for c in 0..c_in {
            for lane in (0..width.min(c_out - self.first)).step_by(V) {
                let mut taps = [[[T::zero(); V]; 3]; 3];
                for ky in 0..3 {
                    for kx in 0..3 {
                        let at = ((ky * 3 + kx) * c_in + c) * c_out + self.first + lane;
                        taps[ky][kx].copy_from_slice(&self.kernel[at..at + V]);
                    }
                }
                let points = both!(taps, F::taps, [3, 3] => [N, N]);
                for y in 0..N {
                    for x in 0..N {
                        let at = (y * N + x) * self.plane + c * width + lane;
                        self.values[at..at + V].copy_from_slice(&points[y][x]);
                    }
                }
            }
        }
    }
}
