//! Channels innermost: a product of an image, read through a window, and the kernel as a matrix.
//!
//! In `[h][w][c]` the taps of one row of the window are neighbours in memory, and so are the weights of all
//! output channels for one tap. In the tile, the rows are output pixels and the columns are output
//! channels. Images get a border of zeros first, so that every pixel reads the same taps: all that meet the image at
//! some pixel. Others, of windows that are larger than the image, count for nothing.

use super::super::gemm::{Finish, Left, Right, Start, product};
use super::super::sums::{CHAIN, Totals};
use super::super::window::both;
use super::Geometry;
use super::kept::Kept;
use super::route::{Bordered, Route, Sweep, Weights};
use super::sum_of_rows;
use super::turned;
use crate::buffer::Buffer;
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Offsets};
use std::ops::Range;

/// Rows of `dW` that one thread takes at a time, about.
const TAPS: usize = 96;
/// Parts that `dW` is cut into at least, if there are images enough: partial sums are added afterwards.
const PARTS: usize = 16;
/// Output pixels whose packed gradients are used before the next ones are packed: few enough to stay in the cache.
const PACKED: usize = 256;

/// The part of a window that ever meets the image, and the image with the border that it needs.
struct Met {
    /// The window's own positions.
    taps: [Range<usize>; 2],
    /// Pixels of the border above and to the left.
    before: [usize; 2],
    /// Where the first of the taps stands for the first output.
    first: [usize; 2],
    /// The image with its border.
    size: [usize; 2],
}

impl Met {
    fn new(geometry: &Geometry) -> Self {
        let window = geometry.window;
        let taps = both(|axis| window.met(axis));
        let (mut before, mut first, mut size) = ([0; 2], [0; 2], window.image());
        for axis in 0..2 {
            let (taps, dilation) = (&taps[axis], window.dilation()[axis]);
            if taps.is_empty() {
                continue;
            }
            let (shift, outside) = (taps.start * dilation, window.before()[axis]);
            (before[axis], first[axis]) =
                (outside.saturating_sub(shift), shift.saturating_sub(outside));
            // The last pixel that is read.
            let last = first[axis]
                + (window.output()[axis] - 1) * window.strides()[axis]
                + (taps.len() - 1) * dilation;
            size[axis] = (before[axis] + size[axis]).max(last + 1);
        }
        Met { taps, before, first, size }
    }

    /// Which rows of the kernel `[kh kw group_in, c_out]` are those of the taps.
    fn rows(&self, geometry: &Geometry) -> impl Iterator<Item = usize> {
        let ([_, kw], group_in) = (geometry.window.size(), geometry.group_in());
        let [down, right] = self.taps.clone();
        let taps = down.flat_map(move |ky| right.clone().map(move |kx| ky * kw + kx));
        taps.flat_map(move |tap| (0..group_in).map(move |c| tap * group_in + c))
    }

    /// Where the taps `(ky, kx, c)` of one group lie, in an image of this width, from the first one on.
    fn places(&self, geometry: &Geometry, width: usize) -> Offsets {
        let ([dh, dw], c_in) = (geometry.window.dilation(), geometry.c_in);
        let (group_in, [down, right]) =
            (geometry.group_in(), self.taps.each_ref().map(|taps| taps.len()));
        let pixels = (0..down).flat_map(move |y| (0..right).map(move |x| y * dh * width + x * dw));
        let taps = pixels.flat_map(move |pixel| (0..group_in).map(move |c| pixel * c_in + c));
        Offsets::new(down * right * group_in, taps)
    }
}

/// What a forward pass needs beyond its operands.
struct Forward {
    met: Met,
    /// The rows of the kernel as a matrix that are those of the taps.
    rows: Buffer<usize>,
    route: Route,
}

/// Offsets of taps up to which a pass is kept.
const KEPT_TAPS: usize = 1 << 13;

thread_local! {
    static FORWARD: Kept<Geometry, Forward> = const { Kept::new() };
}

impl Forward {
    fn new(geometry: Geometry) -> Forward {
        let Geometry { window, images, c_in, c_out, groups, .. } = geometry;
        let ([oh, ow], [sh, sw]) = (window.output(), window.strides());
        let met = Met::new(&geometry);
        let [height, width] = met.size;
        let first = (met.first[0] * width + met.first[1]) * c_in;
        let taps = met.places(&geometry, width);
        let rows = Buffer::collect(taps.len(), met.rows(&geometry));
        let sweeps = (0..groups).map(|group| Sweep {
            grid: [oh, ow],
            from: (first + group * geometry.group_in(), [sh * width * c_in, sw * c_in]),
            to: (group * geometry.group_out(), [ow * c_out, c_out]),
            taps: taps.clone(),
        });
        let (result, pixels) = ([images, oh, ow * c_out], geometry.pixels());
        let image_len = height * width * c_in;
        let route = Route::new(sweeps.collect(), image_len, result, pixels, geometry.work());
        Forward { met, rows, route }
    }
}

/// `y[n, oh, ow, c_out]` of row-major `x[n, h, w, c_in]`.
pub fn forward<T: Scalar>(
    geometry: Geometry,
    x: &[T],
    kernel: &[T],
    bias: &[T],
    finish: Finish,
) -> Buffer<T> {
    let Geometry { window, images, c_in, c_out, groups, .. } = geometry;
    let large = geometry.taps().saturating_mul(groups) > KEPT_TAPS;
    let forward = FORWARD.with(|kept| kept.get_unless(large, geometry, || Forward::new(geometry)));
    let Forward { met, rows, route } = &*forward;
    let x = Bordered::new(x, window.image(), c_in, met.before, met.size);
    let group_out = geometry.group_out();
    let weights = |group: usize| {
        if groups == 1 && rows.len() == geometry.taps() {
            return Right::new(rows.len(), c_out, kernel, images.saturating_mul(geometry.pixels()));
        }
        Right::packed(rows.len(), group_out, |tap, row| {
            let at = rows[tap] * c_out + group * group_out;
            row.copy_from_slice(&kernel[at..at + group_out]);
        })
    };
    let operands: Vec<_> = (0..groups)
        .map(|group| {
            (Weights::Panels(weights(group)), Some(&bias[group * group_out..][..group_out]))
        })
        .collect();
    route.run(&x, &operands, finish, geometry.work())
}

/// The gradient of the images. With strides, pixels fall into `sh sw` phases: those of one phase meet the
/// same taps, and each phase is a convolution of stride 1.
pub fn backward_input<T: Scalar>(geometry: Geometry, kernel: &[T], dy: &[T]) -> Buffer<T> {
    let Geometry { window, images, c_in, c_out, groups, .. } = geometry;
    let ([h, w], [oh, ow], [sh, sw]) = (window.image(), window.output(), window.strides());
    let phases = both(|axis| Phase::all(geometry, axis));
    // The border that the farthest reaching phases need.
    let before = both(|axis| phases[axis].iter().map(Phase::before).max().unwrap_or(0));
    let size = both(|axis| {
        let output = window.output()[axis];
        let after = phases[axis].iter().map(|phase| phase.after(output)).max().unwrap_or(0);
        before[axis] + output + after
    });
    let dy = Bordered::new(dy, [oh, ow], c_out, before, size);
    let (group_in, group_out) = (geometry.group_in(), geometry.group_out());
    let (mut sweeps, mut operands) = (Vec::new(), Vec::new());
    for at in 0..phases[0].len() * phases[1].len() {
        let (py, px) = (&phases[0][at / phases[1].len()], &phases[1][at % phases[1].len()]);
        for group in 0..groups {
            let pixel = |y: usize, x: usize| (y * dy.width + x) * c_out;
            let taps_of = |phase: &Phase, axis: usize| -> Vec<(usize, usize)> {
                // The first output pixel of a phase is read from here on.
                phase
                    .taps
                    .iter()
                    .map(|&(tap, at)| (tap, (at + before[axis] as isize) as usize))
                    .collect()
            };
            let (ys, xs) = (taps_of(py, 0), taps_of(px, 1));
            let mut pairs = Vec::with_capacity(ys.len() * xs.len());
            for &y in &ys {
                for &x in &xs {
                    pairs.push((y, x));
                }
            }
            let depth = pairs.len() * group_out;
            let channel = group * group_out;
            let first_tap =
                |&((_, y), (_, x)): &((usize, usize), (usize, usize))| pixel(y, x) + channel;
            let weight = |p: usize, c: usize| {
                let ((ky, _), (kx, _)) = pairs[p / group_out];
                let tap = ky * window.size()[1] + kx;
                kernel[(tap * group_in + c) * c_out + channel + p % group_out]
            };
            // A summand for each tap and channel, or, for few columns and short sums, one for each vector of channels.
            let lanes = simd::lanes::<T>();
            let few = group_in <= 4 && group_out.is_multiple_of(lanes);
            let narrow = few && (1..=CHAIN).contains(&depth);
            let (step, weights) = if narrow {
                let values = (0..group_in * depth).map(|i| weight(i % depth, i / depth));
                (lanes, Weights::Columns(Buffer::collect(group_in * depth, values)))
            } else {
                let row = |p: usize, row: &mut [T]| {
                    row.iter_mut().enumerate().for_each(|(c, w)| *w = weight(p, c));
                };
                (1, Weights::Panels(Right::packed(depth, group_in, row)))
            };
            let each = group_out / step;
            let mut taps = Buffer::stale(pairs.len() * each);
            for (i, tap) in taps.iter_mut().enumerate() {
                *tap = first_tap(&pairs[i / each]) + i % each * step;
            }
            sweeps.push(Sweep {
                grid: [py.count, px.count],
                from: (0, [pixel(1, 0), pixel(0, 1)]),
                to: (
                    (py.first * w + px.first) * c_in + group * group_in,
                    [sh * w * c_in, sw * c_in],
                ),
                taps: Offsets::from(taps),
            });
            operands.push((weights, None));
        }
    }
    let work = geometry.work();
    let route = Route::new(sweeps, dy.len, [images, h, w * c_in], h * w, work);
    route.run(&dy, &operands, Finish::Plain, work)
}

/// Pixels of an image, along one axis, that meet the same taps: one in each stride from `first` on. From each to the
/// next, the output pixels that they meet advance by one.
struct Phase {
    first: usize,
    count: usize,
    /// Taps, with the output pixel that the phase's first pixel meets through them.
    taps: Vec<(usize, isize)>,
}

impl Phase {
    fn all(geometry: Geometry, axis: usize) -> Vec<Phase> {
        let window = geometry.window;
        let (stride, dilation) = (window.strides()[axis], window.dilation()[axis]);
        let (image, met) = (window.image()[axis], window.met(axis));
        let phase = |first: usize| {
            let taps = met.clone().rev().filter_map(|tap| {
                let distance = (first + window.before()[axis]) as isize - (tap * dilation) as isize;
                (distance.rem_euclid(stride as isize) == 0)
                    .then(|| (tap, distance.div_euclid(stride as isize)))
            });
            let count = (image - first).div_ceil(stride);
            Phase { first, count, taps: taps.collect() }
        };
        (0..stride.min(image)).map(phase).collect()
    }

    /// Pixels before the output that this phase reads.
    fn before(&self) -> usize {
        self.taps.iter().map(|&(_, at)| (-at).max(0) as usize).max().unwrap_or(0)
    }

    /// Pixels after the output that this phase reads.
    fn after(&self, output: usize) -> usize {
        let last = |at: isize| at + (self.count - 1) as isize - (output as isize - 1);
        self.taps.iter().map(|&(_, at)| last(at).max(0) as usize).max().unwrap_or(0)
    }
}

/// The gradient of the kernel.
pub fn backward_kernel<T: Scalar>(geometry: Geometry, x: &[T], dy: &[T]) -> Buffer<T> {
    let Geometry { window, images, c_in, c_out, groups, .. } = geometry;
    let ([oh, ow], [sh, sw]) = (window.output(), window.strides());
    let met = Met::new(&geometry);
    let x = Bordered::new(x, window.image(), c_in, met.before, met.size);
    let (x_len, width, [top, left]) = (x.len, x.width, met.first);
    let row = |y: usize| (0..ow).map(move |i| ((top + y * sh) * width + left + i * sw) * c_in);
    let pixels = Offsets::new(geometry.pixels(), (0..oh).flat_map(row));
    let taps = met.places(&geometry, width);
    let (count, group_out) = (taps.len(), geometry.group_out());
    let dy_len = geometry.pixels() * c_out;
    let mut dkernel = Buffer::zeroed(geometry.taps() * c_out);
    if count == 0 {
        return dkernel;
    }
    if turned::fits::<T>(&geometry) {
        let sums = turned::backward_kernel(geometry, &x, dy, &pixels, &taps);
        for (sums, row) in sums.chunks_exact(c_out).zip(met.rows(&geometry)) {
            dkernel[row * c_out..][..c_out].copy_from_slice(sums);
        }
        return dkernel;
    }
    for group in 0..groups {
        let channel = group * group_out;
        // Blocks of taps, each for some of the images: `[part of the images][block][TAPS][group_out]`.
        let blocks = count.div_ceil(TAPS);
        let taps_each = count.div_ceil(blocks);
        let image_parts = PARTS.div_ceil(blocks).min(images).max(1);
        let images_each = images.div_ceil(image_parts).max(1);
        let part_len = taps_each * group_out;
        let to = Offsets::steps(taps_each, group_out);
        let mut partial = Buffer::zeroed(image_parts * blocks * part_len);
        par::for_each_part(
            &mut partial,
            part_len,
            geometry.work() / groups,
            || (),
            |(), part, sums| {
                let (part, block) = (part / blocks, part % blocks);
                let rows = block * taps_each..((block + 1) * taps_each).min(count);
                let rows = taps.part(rows.start.min(rows.end)..rows.end);
                let first = (part * images_each).min(images);
                let mut totals = Totals::new(images_each.saturating_mul(pixels.len()), sums.len());
                for image in first..(first + images_each).min(images) {
                    let start = image * x_len + group * geometry.group_in();
                    let dy = &dy[image * dy_len..][..dy_len];
                    for pixel in (0..pixels.len()).step_by(PACKED) {
                        let block = pixel..(pixel + PACKED).min(pixels.len());
                        let dy = &dy[pixel * c_out..block.end * c_out];
                        let right = if groups == 1 {
                            Right::new(block.len(), c_out, dy, rows.len())
                        } else {
                            Right::packed(block.len(), group_out, |p, row| {
                                row.copy_from_slice(&dy[p * c_out + channel..][..group_out]);
                            })
                        };
                        let count = block.len();
                        let left = Left { data: &x.data[start..], rows, cols: pixels.part(block) };
                        let to = to.part(0..rows.len());
                        product(left, &right, Start::Out, Finish::Plain, sums, to);
                        totals.grow(sums, count);
                    }
                }
                totals.finish(sums);
            },
        );
        let sums = sum_of_rows(&mut partial, blocks * part_len);
        for (sums, row) in sums.chunks_exact(group_out).zip(met.rows(&geometry)) {
            dkernel[row * c_out + channel..][..group_out].copy_from_slice(sums);
        }
    }
    dkernel
}
