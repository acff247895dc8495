//! Weights at the points.

use super::ROW_GAP;
use super::tiles::{Aligned, Tiles};
use crate::buffer::{Buffer, Lent};
use crate::kernels::gemm::panel_width;
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd, with_lanes};
use crate::tensor::{Tensor, transpose};
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

/// Bytes that the weights of a layer take at most where they are kept.
const KEPT_BYTES: usize = 1 << 20;

/// The weights of a convolution, which are transformed one panel of `width` output channels after the other: for each
/// point, a row of them for each input channel.
pub struct Weights<'a, T: Scalar> {
    /// `[3, 3, c_in, c_out]`, or with the channels exchanged if it is read backwards.
    kernel: &'a [T],
    /// Who keeps them at the points.
    keeper: Option<&'a Tensor<T>>,
    /// Whether for the convolution that takes gradients of outputs to those of images.
    backwards: bool,
    pub channels: [usize; 2],
    pub width: usize,
    /// Values from the weights of one point to those of the next.
    pub plane: usize,
}

impl<'a, T: Scalar> Weights<'a, T> {
    /// Of `kernel[3, 3, c_in, c_out]`.
    pub fn new(
        kernel: &'a [T],
        keeper: Option<&'a Tensor<T>>,
        [c_in, c_out]: [usize; 2],
        backwards: bool,
    ) -> Self {
        let channels = if backwards { [c_out, c_in] } else { [c_in, c_out] };
        // Two panels at least, where each still fills two vectors, so that threads can share them.
        let half = panel_width::<T>(channels[1].div_ceil(2)).max(2 * simd::lanes::<T>());
        let width = panel_width::<T>(channels[1]).min(half);
        let plane = channels[0] * width + ROW_GAP;
        Weights { kernel, keeper, backwards, channels, width, plane }
    }

    /// The kernel as the convolution reads it, `[3, 3, c_in, c_out]`.
    pub fn in_reading_order(&self) -> Lent<'a, T> {
        if !self.backwards {
            return Lent::Borrowed(self.kernel);
        }
        let [c_in, c_out] = self.channels;
        let mut kernel = Buffer::stale(self.kernel.len());
        let taps = self.kernel.chunks_exact(c_in * c_out).rev();
        for (to, tap) in kernel.chunks_exact_mut(c_in * c_out).zip(taps) {
            transpose(tap, [c_out, c_in], to);
        }
        Lent::Owned(kernel)
    }

    pub fn panels(&self) -> usize {
        self.channels[1].div_ceil(self.width)
    }

    /// The output channels of some panels.
    #[inline(always)]
    pub fn columns(&self, panels: Range<usize>) -> Range<usize> {
        panels.start * self.width..(panels.end * self.width).min(self.channels[1])
    }

    /// Whether they are kept at the points of `F`: not if they are so many that they would come from memory again, where to transform
    /// them in the cache is faster.
    pub fn are_kept<const N: usize>(&self) -> bool {
        self.keeper.is_some() && self.panels() * N * N * self.plane * T::BYTES <= KEPT_BYTES
    }

    /// All panels at the points of `F`.
    pub fn at_points<F: Tiles<N, M>, const N: usize, const M: usize>(&self) -> Arc<Buffer<T>> {
        let panel_len = N * N * self.plane;
        let make = || {
            let mut at_points = Buffer::stale(self.panels() * panel_len);
            let work = 9 * N * N * self.channels[0] * self.channels[1];
            par::for_each_part(
                &mut at_points,
                panel_len,
                work,
                || (),
                |(), panel, at_points| {
                    self.transform::<F, N, M>(panel, at_points);
                },
            );
            at_points
        };
        match self.keeper {
            Some(keeper) if self.are_kept::<N>() => {
                keeper.made([N, self.channels[0], self.channels[1], self.width], make)
            }
            _ => Arc::new(make()),
        }
    }

    /// Writes a panel at the points of `F`.
    pub fn transform<F: Tiles<N, M>, const N: usize, const M: usize>(
        &self,
        panel: usize,
        values: &mut [T],
    ) {
        let [c_in, c_out] = self.channels;
        let columns = self.columns(panel..panel + 1);
        // The panel's taps are fetched before they are transformed: a loop that does nothing else waits for many
        // cache lines at once.
        let mut taps = Buffer::stale(9 * c_in * columns.len());
        let fetched = taps.chunks_exact_mut(c_in * columns.len());
        let kernel = self.kernel.chunks_exact(c_in * c_out);
        if self.backwards {
            // The last tap first, and the channels exchanged.
            for (taps, kernel) in fetched.zip(kernel.rev()) {
                let rows = &kernel[columns.start * c_in..columns.end * c_in];
                transpose(rows, [columns.len(), c_in], taps);
            }
        } else {
            for (taps, kernel) in fetched.zip(kernel) {
                let rows = taps.chunks_exact_mut(columns.len());
                for (row, kernel) in rows.zip(kernel.chunks_exact(c_out)) {
                    row.copy_from_slice(&kernel[columns.clone()]);
                }
            }
        }
        simd::dispatch(Transform::<_, F, N, M> {
            taps: &taps,
            rows: c_in,
            columns: columns.len(),
            width: self.width,
            plane: self.plane,
            values,
            tiles: PhantomData,
        });
    }
}

/// The taps of some output channels, `[3, 3, rows, columns]`, at the points.
struct Transform<'a, T, F, const N: usize, const M: usize> {
    taps: &'a [T],
    rows: usize,
    columns: usize,
    width: usize,
    plane: usize,
    values: &'a mut [T],
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
        let mut half = Aligned([[[T::zero(); V]; 3]; N]);
        for c in 0..self.rows {
            for lane in (0..self.columns).step_by(V) {
                both!(
                    half,
                    |ky, kx| {
                        let at = ((ky * 3 + kx) * self.rows + c) * self.columns + lane;
                        self.taps[at..at + V].try_into().expect("V taps")
                    },
                    F::taps,
                    [3, 3] => [N, N],
                    |y, row| {
                        for x in 0..N {
                            let at = (y * N + x) * self.plane + c * self.width + lane;
                            self.values[at..at + V].copy_from_slice(&row[x]);
                        }
                    }
                );
            }
        }
    }
}
