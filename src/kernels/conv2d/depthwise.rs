//! One channel in, one channel out, in each group: every channel has a filter of its own.
//!
//! Nothing is summed over channels, so there is no product to compute: vectors run along the channels, and
//! each output pixel is a sum of pixels times weights, element by element.

use super::super::gemm::Finish;
use super::super::par;
use super::reach::Axis;
use super::{Geometry, PARTIAL_SUMS, added};
use crate::buffer::Buffer;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd};

/// Calls `$run::<N>(first)` for all of `$channels` channels, in groups of `N` that stay in registers.
macro_rules! by_channels {
    ($channels:expr, |$first:ident, $n:ident| $run:expr) => {
        let mut $first = 0;
        while $first < $channels {
            match $channels - $first {
                32.. => {
                    const $n: usize = 32;
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
    let mut out = Buffer::stale(geometry.images * rows * cols * channels);
    par::for_each_part(
        &mut out,
        cols * channels,
        geometry.work(),
        || (),
        |(), part, out| {
            let source = &source[part / rows * image_len..][..image_len];
            let kernel_width = geometry.window.size()[1];
            let row = part % rows;
            simd::dispatch(Row {
                axes, source, width, channels, kernel, kernel_width, bias, finish, row, out,
            });
        },
    );
    out
}

/// One row of outputs.
struct Row<'a, T> {
    axes: &'a [Axis; 2],
    source: &'a [T],
    width: usize,
    channels: usize,
    kernel: &'a [T],
    kernel_width: usize,
    bias: Option<&'a [T]>,
    finish: Finish,
    row: usize,
    out: &'a mut [T],
}

impl<T: Scalar> Kernel for Row<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self) {
        by_channels!(self.channels, |first, N| self.channels::<S, N>(first));
    }
}

impl<T: Scalar> Row<'_, T> {
    /// `N` channels from `first` on.
    #[inline(always)]
    fn channels<S: Simd, const N: usize>(&mut self, first: usize) {
        let ([rows, cols], channels) = (self.axes, self.channels);
        let row = rows.reaches[self.row];
        let mut start = [T::zero(); N];
        if let Some(bias) = self.bias {
            start.copy_from_slice(&bias[first..first + N]);
        }
        for (ox, out) in self.out.chunks_exact_mut(channels).enumerate() {
            let col = cols.reaches[ox];
            let mut acc = start;
            for (ky, y) in rows.taps(rows.classes[self.row]) {
                for (kx, x) in cols.taps(cols.classes[ox]) {
                    let pixel = (row.pixel + y) * self.width + col.pixel + x;
                    let tap = ky * self.kernel_width + kx;
                    let values = &self.source[pixel * channels + first..][..N];
                    let weights = &self.kernel[tap * channels + first..][..N];
                    for i in 0..N {
                        acc[i] = S::mul_add(values[i], weights[i], acc[i]);
                    }
                }
            }
            if self.finish == Finish::Relu {
                acc = acc.map(|x| if x < T::zero() { T::zero() } else { x });
            }
            out[first..first + N].copy_from_slice(&acc);
        }
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
