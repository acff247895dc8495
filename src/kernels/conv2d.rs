//! Convolution as a product of an image, read through a window, and the kernel as a matrix.
//!
//! With `patches` the matrix that has a row for each output pixel and a column for each tap
//! `(ky, kx, c)` of the window:
//!
//! * forward: `y = patches * W + bias`, `W` the kernel `[kh kw c_in, c_out]`;
//! * `dW = transposed(patches) * dy`, summed over the images;
//! * `dx`: `dy * transposed(W)` gives each output pixel's share of its patch, and the shares are
//!   added up where patches overlap.
//!
//! `patches` is never written to memory: its element is `image[pixel + tap]`, a sum of two offsets.
//! Only the border of `same` padding costs a copy of one image at a time.

use super::gemm::{Lhs, Panels, Start, product};
use super::par;
use super::window::Window;
use crate::scalar::Scalar;
use crate::simd::Offsets;

/// At most this many partial sums of `dW`, whatever the number of threads.
const PARTIAL_SUMS: usize = 16;

/// A convolution's numbers.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    pub window: Window,
    pub images: usize,
    pub c_in: usize,
    pub c_out: usize,
}

impl Geometry {
    fn image_len(&self) -> usize {
        self.window.image().iter().product::<usize>() * self.c_in
    }

    fn pixels(&self) -> usize {
        self.window.output().iter().product()
    }

    fn taps(&self) -> usize {
        self.window.size().iter().product::<usize>() * self.c_in
    }

    /// Multiply-adds of one pass over all images.
    fn work(&self) -> usize {
        let pass = self.images.saturating_mul(self.pixels()).saturating_mul(self.taps());
        pass.saturating_mul(self.c_out)
    }
}

/// Where, in an image with its border, the window stands and which pixel of it is meant.
struct Patches {
    geometry: Geometry,
    pixels: Offsets,
    taps: Offsets,
}

impl Patches {
    fn new(geometry: Geometry) -> Self {
        let Geometry { window, c_in, .. } = geometry;
        let ([_, width], [sh, sw]) = (window.padded(), window.strides());
        let ([oh, ow], [kh, kw]) = (window.output(), window.size());
        let at = move |y: usize, x: usize| (y * width + x) * c_in;
        let pixels = (0..oh).flat_map(|y| (0..ow).map(move |x| at(y * sh, x * sw)));
        let taps = (0..kh).flat_map(|ky| (0..kw * c_in).map(move |tap| at(ky, 0) + tap));
        Patches { geometry, pixels: Offsets::new(pixels), taps: Offsets::new(taps) }
    }

    /// A buffer for one image with its border, empty where there is no border.
    fn border<T: Scalar>(&self) -> Vec<T> {
        let window = self.geometry.window;
        let bordered = window.padded() != window.image();
        let len = window.padded().iter().product::<usize>() * self.geometry.c_in;
        if bordered { vec![T::zero(); len] } else { Vec::new() }
    }

    /// The image with its border: itself, or a copy in `border`, whose edge stays zero.
    fn bordered<'a, T: Scalar>(&self, image: &'a [T], border: &'a mut [T]) -> &'a [T] {
        if border.is_empty() {
            return image;
        }
        for (row, at) in image.chunks_exact(self.row_len()).zip(self.rows()) {
            border[at..at + row.len()].copy_from_slice(row);
        }
        border
    }

    /// Adds an image without its border to `image`.
    fn add_inside<T: Scalar>(&self, border: &[T], image: &mut [T]) {
        let len = self.row_len();
        for (row, at) in image.chunks_exact_mut(len).zip(self.rows()) {
            row.iter_mut().zip(&border[at..at + len]).for_each(|(x, &b)| *x += b);
        }
    }

    fn row_len(&self) -> usize {
        self.geometry.window.image()[1] * self.geometry.c_in
    }

    /// Where each row of the image starts in the image with its border.
    fn rows(&self) -> impl Iterator<Item = usize> {
        let Geometry { window, c_in, .. } = self.geometry;
        let ([top, left], [_, width]) = (window.before(), window.padded());
        (0..window.image()[0]).map(move |y| ((top + y) * width + left) * c_in)
    }
}

/// `y[n, oh, ow, c_out]` of row-major `x[n, h, w, c_in]`, `kernel[kh, kw, c_in, c_out]`, `bias[c_out]`.
pub fn forward<T: Scalar>(geometry: Geometry, x: &[T], kernel: &[T], bias: &[T]) -> Vec<T> {
    let patches = Patches::new(geometry);
    let mut weights = Panels::new(geometry.taps(), geometry.c_out);
    weights.pack(kernel);
    let size = geometry.pixels() * geometry.c_out;
    let mut y = vec![T::zero(); geometry.images * size];
    par::for_each_part(
        &mut y,
        size,
        geometry.work(),
        || patches.border(),
        |border, image, y| {
            let x = &x[image * geometry.image_len()..][..geometry.image_len()];
            let data = patches.bordered(x, border);
            let lhs = Lhs { data, rows: &patches.pixels, cols: &patches.taps };
            product(lhs, &weights, Start::Bias(bias), y);
        },
    );
    y
}

/// The gradients of the kernel and of the bias.
pub fn backward_kernel<T: Scalar>(geometry: Geometry, x: &[T], dy: &[T]) -> (Vec<T>, Vec<T>) {
    let Geometry { images, c_out, .. } = geometry;
    let patches = Patches::new(geometry);
    let size = geometry.pixels() * c_out;
    let chunk = images.div_ceil(PARTIAL_SUMS).max(1);
    let partial = |part: usize| {
        let (mut dw, mut db) = (vec![T::zero(); geometry.taps() * c_out], vec![T::zero(); c_out]);
        let mut panels = Panels::new(geometry.pixels(), c_out);
        let mut border = patches.border();
        for image in part * chunk..((part + 1) * chunk).min(images) {
            let dy = &dy[image * size..][..size];
            let x = &x[image * geometry.image_len()..][..geometry.image_len()];
            let data = patches.bordered(x, &mut border);
            let lhs = Lhs { data, rows: &patches.taps, cols: &patches.pixels };
            panels.pack(dy);
            product(lhs, &panels, Start::Out, &mut dw);
            add_columns(dy, &mut db);
        }
        (dw, db)
    };
    let partials = par::map(images.div_ceil(chunk), geometry.work(), partial);
    par::tree_sum(partials, |(dw, db), (more_dw, more_db)| {
        (added(dw, &more_dw), added(db, &more_db))
    })
    .unwrap_or_else(|| (vec![T::zero(); geometry.taps() * c_out], vec![T::zero(); c_out]))
}

/// Adds the columns of a row-major matrix to `sums`, eight at a time in registers.
fn add_columns<T: Scalar>(matrix: &[T], sums: &mut [T]) {
    let columns = sums.len();
    let (blocks, rest) = sums.as_chunks_mut::<8>();
    for (i, block) in blocks.iter_mut().enumerate() {
        let mut acc = *block;
        for row in matrix.chunks_exact(columns) {
            let (row, _) = row.as_chunks::<8>();
            acc.iter_mut().zip(&row[i]).for_each(|(sum, &x)| *sum += x);
        }
        *block = acc;
    }
    let first = columns - rest.len();
    for row in matrix.chunks_exact(columns) {
        rest.iter_mut().zip(&row[first..]).for_each(|(sum, &x)| *sum += x);
    }
}

fn added<T: Scalar>(mut sum: Vec<T>, more: &[T]) -> Vec<T> {
    sum.iter_mut().zip(more).for_each(|(sum, &more)| *sum += more);
    sum
}

/// The gradient of the images.
pub fn backward_input<T: Scalar>(geometry: Geometry, kernel: &[T], dy: &[T]) -> Vec<T> {
    let Geometry { window, images, c_in, c_out } = geometry;
    let patches = Patches::new(geometry);
    let (pixels, taps) = (geometry.pixels(), geometry.taps());
    let mut weights = Panels::new(c_out, taps);
    weights.pack_with(|channel, tap| kernel[tap * c_out + channel]);
    let (rows, cols) = (Offsets::new((0..pixels).map(|i| i * c_out)), Offsets::new(0..c_out));

    let [kh, kw] = window.size();
    let padded_len = window.padded().iter().product::<usize>() * c_in;
    let run = kw * c_in;
    let mut dx = vec![T::zero(); images * geometry.image_len()];
    // One image's shares, and the sum of them with the border.
    let scratch = || (vec![T::zero(); pixels * taps], vec![T::zero(); padded_len]);
    par::for_each_part(
        &mut dx,
        geometry.image_len(),
        geometry.work(),
        scratch,
        |scratch, image, dx| {
            let (shares, border) = scratch;
            let data = &dy[image * pixels * c_out..][..pixels * c_out];
            product(Lhs { data, rows: &rows, cols: &cols }, &weights, Start::Zero, shares);
            border.fill(T::zero());
            let places = patches.pixels.as_slice();
            for (share, &pixel) in shares.chunks_exact(taps).zip(places) {
                // One row of the window is contiguous in the image, and so are its shares.
                for ky in 0..kh {
                    let at = pixel + patches.taps.as_slice()[ky * run];
                    let (sums, share) = (&mut border[at..at + run], &share[ky * run..][..run]);
                    sums.iter_mut().zip(share).for_each(|(sum, &share)| *sum += share);
                }
            }
            patches.add_inside(border, dx);
        },
    );
    dx
}
