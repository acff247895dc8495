//! One channel in, one channel out, in each group: every channel has a filter of its own.
//!
//! Nothing is summed over channels, so there is no product to compute: vectors run along the channels, and
//! each output pixel is a sum of pixels times weights, element by element.

use super::super::gemm::{Finish, rectified};
use super::super::par;
use super::reach::{Axis, shifts};
use super::{Geometry, PARTIAL_SUMS, added};
use crate::buffer::Buffer;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd};

/// Calls `$run`, with `$n` channels from `$first` on that stay in registers, for all channels.
macro_rules! by_channels {
    ($channels:expr, |$first:ident, $n:ident| $run:expr) => {
        let mut $first = 0;
        while $first < $channels {
            match $channels - $first {
                16.. => {
                    const $n: usize = 16;
                    $run;
                    $first += $n;
                }
                8.. => {
                    const $n: usize = 8;
                    $run;
                    $first += $n;
                }
                _ => {
                    const $n: usize = 1;
                    $run;
                    $first += $n;
                }
            }
        }
    };
}

/// `y[n, oh, ow, c]` of row-major `x[n, h, w, c]`, `kernel[kh, kw, 1, c]`.
pub fn forward<T: Scalar>(
    geometry: Geometry,
    x: &[T],
    kernel: &[T],
    bias: &[T],
    finish: Finish,
) -> Buffer<T> {
    let axes = [0, 1].map(|axis| Axis::forward(&geometry, axis));
    sweep(&geometry, &axes, (x, geometry.window.image()), kernel, Some(bias), finish)
}

/// `dx[n, h, w, c]`: the same sweep, with the two sides exchanged.
pub fn backward_input<T: Scalar>(geometry: Geometry, kernel: &[T], dy: &[T]) -> Buffer<T> {
    let axes = [0, 1].map(|axis| Axis::backward(&geometry, axis));
    sweep(&geometry, &axes, (dy, geometry.window.output()), kernel, None, Finish::Plain)
}

fn sweep<T: Scalar>(
    geometry: &Geometry,
    axes: &[Axis; 2],
    (source, [height, width]): (&[T], [usize; 2]),
    kernel: &[T],
    bias: Option<&[T]>,
    finish: Finish,
) -> Buffer<T> {
    let channels = geometry.c_out;
    let [rows, cols] = axes.each_ref().map(|axis| axis.reaches.len());
    let image_len = height * width * channels;
    let tables: Vec<Vec<(usize, usize)>> = shifts(axes, geometry.window.size()[1], width).collect();
    let mut out = Buffer::stale(geometry.images * rows * cols * channels);
    par::for_each_part(
        &mut out,
        cols * channels,
        geometry.work(),
        || (),
        |(), part, out| {
            let source = &source[part / rows * image_len..][..image_len];
            let row = part % rows;
            let tables = &tables[axes[0].classes[row] * axes[1].firsts.len()..];
            let first_pixel = axes[0].reaches[row].pixel * width;
            let cols = &axes[1];
            simd::dispatch(Row {
                cols,
                tables,
                first_pixel,
                source,
                channels,
                kernel,
                bias,
                finish,
                out,
            });
        },
    );
    out
}

/// One row of outputs.
struct Row<'a, T> {
    cols: &'a Axis,
    /// For each class of columns: the taps that it reads in this row, and how far away.
    tables: &'a [Vec<(usize, usize)>],
    /// The first pixel of the first row that is read.
    first_pixel: usize,
    source: &'a [T],
    channels: usize,
    kernel: &'a [T],
    bias: Option<&'a [T]>,
    finish: Finish,
    out: &'a mut [T],
}

impl<T: Scalar> Kernel for Row<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self) {
        by_channels!(self.channels, |first, N| self.channels::<S, N>(first));
    }
}

/// Neighbouring outputs that are computed together, so that a weight is loaded once for all of them.
const TOGETHER: usize = 4;

impl<T: Scalar> Row<'_, T> {
    /// `N` channels from `first` on.
    #[inline(always)]
    fn channels<S: Simd, const N: usize>(&mut self, first: usize) {
        let cols = self.cols;
        let mut at = 0;
        while at < cols.reaches.len() {
            // Outputs that read the same taps, as far apart in the source as here.
            let last = (at + TOGETHER - 1).min(cols.reaches.len() - 1);
            let same = last - at == TOGETHER - 1
                && cols.classes[at..=last].iter().all(|class| *class == cols.classes[at]);
            let taps = &self.tables[cols.classes[at]];
            at += if same {
                self.outputs::<S, N, TOGETHER>(at, first, taps)
            } else {
                self.outputs::<S, N, 1>(at, first, taps)
            };
        }
    }

    /// `N` channels from `first` on, of `P` outputs from `at` on. Returns `P`.
    #[inline(always)]
    fn outputs<S: Simd, const N: usize, const P: usize>(
        &mut self,
        at: usize,
        first: usize,
        taps: &[(usize, usize)],
    ) -> usize {
        let (cols, channels) = (self.cols, self.channels);
        let mut start = [T::zero(); N];
        if let Some(bias) = self.bias {
            start.copy_from_slice(&bias[first..first + N]);
        }
        let mut acc = [start; P];
        let pixel = cols.reaches[at].pixel;
        // From one output's pixels to the next one's, if there is a next one.
        let apart = (cols.reaches[at + P - 1].pixel - pixel).checked_div(P - 1).unwrap_or(0);
        let first_pixel = self.first_pixel + pixel;
        for &(tap, shift) in taps {
            let mut weights = [T::zero(); N];
            weights.copy_from_slice(&self.kernel[tap * channels + first..][..N]);
            let source = &self.source[(first_pixel + shift) * channels + first..];
            let mut values = [[T::zero(); N]; P];
            for p in 0..P {
                values[p].copy_from_slice(&source[p * apart * channels..][..N]);
            }
            for p in 0..P {
                for i in 0..N {
                    acc[p][i] = S::mul_add(values[p][i], weights[i], acc[p][i]);
                }
            }
        }
        for p in 0..P {
            if self.finish == Finish::Relu {
                for i in 0..N {
                    acc[p][i] = rectified(acc[p][i]);
                }
            }
            self.out[(at + p) * channels + first..][..N].copy_from_slice(&acc[p]);
        }
        P
    }
}

/// The gradient of the kernel: for each tap the inner product of `x`, moved by the tap, and `dy`, channel
/// by channel.
pub fn backward_kernel<T: Scalar>(geometry: Geometry, x: &[T], dy: &[T]) -> Buffer<T> {
    let images_each = geometry.images.div_ceil(PARTIAL_SUMS).max(1);
    let (x_len, dy_len) = (geometry.image_len(), geometry.pixels() * geometry.c_out);
    let partials = par::map(geometry.images.div_ceil(images_each), geometry.work(), |part| {
        let mut sums = Buffer::zeroed(geometry.taps() * geometry.c_out);
        for image in part * images_each..((part + 1) * images_each).min(geometry.images) {
            let (x, dy) = (&x[image * x_len..][..x_len], &dy[image * dy_len..][..dy_len]);
            simd::dispatch(KernelOfImage { geometry, x, dy, sums: &mut sums });
        }
        sums
    });
    par::tree_sum(partials, |a, b| added(a, &b))
        .unwrap_or_else(|| Buffer::zeroed(geometry.taps() * geometry.c_out))
}

/// One image's part of the kernel's gradient, added to `sums`.
struct KernelOfImage<'a, T> {
    geometry: Geometry,
    x: &'a [T],
    dy: &'a [T],
    sums: &'a mut [T],
}

impl<T: Scalar> Kernel for KernelOfImage<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self) {
        by_channels!(self.geometry.c_out, |first, N| self.channels::<S, N>(first));
    }
}

impl<T: Scalar> KernelOfImage<'_, T> {
    /// `N` channels from `first` on.
    #[inline(always)]
    fn channels<S: Simd, const N: usize>(&mut self, first: usize) {
        let (window, channels) = (self.geometry.window, self.geometry.c_out);
        let ([oh, ow], [_, width]) = (window.output(), window.image());
        let ([_, kw], [dh, dw], [_, sw]) = (window.size(), window.dilation(), window.strides());
        for oy in 0..oh {
            let (first_row, kys) = window.clipped(0, oy);
            for ky in kys.clone() {
                let row = first_row + (ky - kys.start) * dh;
                for kx in 0..kw {
                    let outputs = window.reaching(1, kx);
                    let sums = &mut self.sums[(ky * kw + kx) * channels + first..][..N];
                    let mut acc = [T::zero(); N];
                    acc.copy_from_slice(sums);
                    for ox in outputs {
                        let pixel = row * width + ox * sw + kx * dw - window.before()[1];
                        let values = &self.x[pixel * channels + first..][..N];
                        let dy = &self.dy[(oy * ow + ox) * channels + first..][..N];
                        for i in 0..N {
                            acc[i] = S::mul_add(values[i], dy[i], acc[i]);
                        }
                    }
                    sums.copy_from_slice(&acc);
                }
            }
        }
    }
}
