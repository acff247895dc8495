//! Convolution: which way is taken when.
//!
//! With `patches` the matrix that has a row for each output pixel and a column for each tap
//! `(ky, kx, c)` of the window:
//!
//! * forward: `y = patches * W + bias`, `W` the kernel `[kh kw c_in, c_out]`;
//! * `dW = transposed(patches) * dy`, summed over the images;
//! * `dx` is a convolution again, of `dy` with the kernel read backwards.
//!
//! `patches` is never written to memory: its element is `image[pixel + tap]`, a sum of two offsets.
//!
//! There are four ways. [`direct`] takes images with their channels innermost, and its vectors run along
//! output channels (for the gradient of a kernel with few of these along taps, see [`turned`]); so does [`winograd`], with fewer multiplications for windows of 3 by 3 over many channels.
//! [`minor`] takes them with the images innermost, for layers whose few channels would leave most of a vector
//! empty. [`depthwise`] is for one channel in each group.

pub(super) mod depthwise;
pub(super) mod direct;
mod kept;
pub(super) mod minor;
mod reach;
mod route;
mod turned;
pub(super) mod winograd;

use super::gemm::Finish;
use super::sums::{CHAIN, PIECE};
use super::window::Window;
use crate::buffer::Buffer;
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd};
use crate::tensor::{Order, Shape, Tensor};
use std::ops::Range;
use winograd::{F2, F4, Fits};

/// A convolution's numbers. Each of the `groups` sees `c_in / groups` channels of the image and gives
/// `c_out / groups` of the output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Geometry {
    pub window: Window,
    pub images: usize,
    pub c_in: usize,
    pub c_out: usize,
    pub groups: usize,
    pub algorithm: Algorithm,
}

/// How a convolution is computed where several ways lead to the same result but for rounding: windows of 3 by
/// 3 with stride 1, in `f32`, where the channels on both sides are multiples of 16. All others are always
/// [`Direct`](Self::Direct), and so is the gradient of a kernel whose output channels fit into one vector.
///
/// Winograd's algorithms compute tiles of outputs, and an output errs in proportion to the largest values that its tile sees,
/// even if its own window does not see them. So they look for outliers. A tile is computed by direct sums if the root mean
/// square of its values is more than about 64 times that of usual pixels, or if one of them is infinite or not a number. What is
/// usual is the median of two pixels of each tile in the same row of tiles of the same image, without those that are 0 in
/// all channels. This holds for outputs and for both gradients. Of 8 images of 14 by 14 with 64 channels on both sides it takes
/// 0.9 % of the instructions of the outputs, 0.8 % of those of the images' gradient and 1.6 % of those of the kernel's
/// gradient, where pixels and gradients are both looked at (with AVX2).
///
/// Three things remain. Up to the limit, errors grow in proportion, to about 64 times those below. One value counts as little as
/// it adds to the root mean square: with 64 channels of numbers between -1 and 1, one value of 100 passes, and one of 10 000 does
/// not. And beside pixels that are all 0 nothing is an outlier but an infinity or a NaN: outputs that should be 0 are then as
/// inexact as their neighbours. Outliers among the weights are not looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Algorithm {
    /// Every product of a pixel and a weight is computed and added.
    Direct,
    /// Winograd's F(2, 3), with 4 multiplications in place of 9. Its rounding errors are smaller than those of
    /// the direct sum, but up to twice as large in the gradient of the weights.
    Winograd2,
    /// Winograd's F(4, 3), with 2.25 multiplications in place of 9. Its rounding errors are about twice those
    /// of the direct sum: in the mean less than a millionth of the typical output (with 512 channels, a millionth and a
    /// half), and two millionths of the typical gradient of a weight, where that is a sum over ten thousand pixels.
    #[default]
    Winograd4,
}

impl Geometry {
    /// Values of one image.
    fn image_len(&self) -> usize {
        self.window.image().iter().product::<usize>() * self.c_in
    }

    /// Pixels of one output.
    fn pixels(&self) -> usize {
        self.window.output().iter().product()
    }

    /// Weights of one output channel.
    fn taps(&self) -> usize {
        self.window.size().iter().product::<usize>() * self.group_in()
    }

    fn group_in(&self) -> usize {
        self.c_in / self.groups
    }

    fn group_out(&self) -> usize {
        self.c_out / self.groups
    }

    /// Whether there are no images, or no channels of them: no way of computing needs to think of that.
    fn is_empty(&self) -> bool {
        self.images == 0 || self.c_in == 0
    }

    /// Multiply-adds of one pass over all images.
    fn work(&self) -> usize {
        let pass = self.images.saturating_mul(self.pixels()).saturating_mul(self.taps());
        pass.saturating_mul(self.c_out)
    }

    fn x_shape(&self) -> [usize; 4] {
        let [h, w] = self.window.image();
        [self.images, h, w, self.c_in]
    }

    fn y_shape(&self) -> [usize; 4] {
        let [oh, ow] = self.window.output();
        [self.images, oh, ow, self.c_out]
    }
}

/// Below this many channels on both sides, vectors run along the images.
const FEW_CHANNELS: usize = 16;
/// Up to this many images stay innermost from one operation to the next. More are taken in blocks, and
/// put back in order.
const TOGETHER: usize = 64;
/// Images of a block.
const BLOCK: usize = 32;
/// An operation on few pixels is cut into about so many parts, so that there is something for other threads, if each has so many
/// multiply-adds.
const PARTS: usize = 8;
const PART_WORK: usize = 9 << 14;
/// At most this many partial sums of `dW`, whatever the number of threads, unless they get too long.
const PARTIAL_SUMS: usize = 16;

/// The first of some rows, after the others were added to it: in order, for every element by itself.
fn sum_of_rows<T: Scalar>(rows: &mut [T], len: usize) -> &[T] {
    let (sum, others) = rows.split_at_mut(len);
    for other in others.chunks_exact(len) {
        sum.iter_mut().zip(other).for_each(|(sum, &more)| *sum += more);
    }
    sum
}

/// Images, or gradients of outputs, in the memory order that they are computed with: what several passes read is turned once.
#[track_caller]
pub fn in_order<T: Scalar>(geometry: Geometry, images: &Tensor<T>) -> Tensor<T> {
    match geometry.way::<T>() {
        _ if geometry.is_empty() => images.clone(),
        Way::Innermost => images.in_order(Order::Innermost),
        Way::Blocks => images.clone(),
        Way::RowMajor(_) => images.row_major(),
    }
}

/// `y[n, oh, ow, c_out]` of `x[n, h, w, c_in]`, a row-major kernel `[kh, kw, c_in / groups, c_out]` and a
/// bias for each output channel.
#[track_caller]
pub fn forward<T: Scalar>(
    geometry: Geometry,
    x: &Tensor<T>,
    kernel: &[T],
    bias: &[T],
    finish: Finish,
) -> Tensor<T> {
    forward_with(geometry, x, (kernel, None), bias, finish)
}

/// The same, with a row-major kernel that is a constant: what is made of it is kept with it, if it is small.
#[track_caller]
pub fn infer<T: Scalar>(
    geometry: Geometry,
    x: &Tensor<T>,
    kernel: &Tensor<T>,
    bias: &[T],
    finish: Finish,
) -> Tensor<T> {
    let values = kernel.as_slice().expect("row-major");
    forward_with(geometry, x, (values, Some(kernel)), bias, finish)
}

#[track_caller]
fn forward_with<T: Scalar>(
    geometry: Geometry,
    x: &Tensor<T>,
    (kernel, keeper): (&[T], Option<&Tensor<T>>),
    bias: &[T],
    finish: Finish,
) -> Tensor<T> {
    let len = Shape::from(geometry.y_shape()).count(); // panics at the caller's line when absurd
    if geometry.is_empty() {
        let mut y = Buffer::stale(len);
        y.chunks_exact_mut(geometry.c_out.max(1)).for_each(|outputs| outputs.copy_from_slice(bias));
        finish.apply(&mut y);
        return Order::RowMajor.tensor(geometry.y_shape(), y);
    }
    let x = &in_order(geometry, x);
    match geometry.way::<T>() {
        Way::Innermost => {
            let y = minor::forward(geometry, x.stored(Order::Innermost), kernel, bias, finish);
            Order::Innermost.tensor(geometry.y_shape(), y)
        }
        Way::Blocks => {
            let y = in_blocks(geometry, geometry.pixels() * geometry.c_out, |block, images| {
                forward_with(block, &x.slice(0, images), (kernel, keeper), bias, finish)
            });
            Order::RowMajor.tensor(geometry.y_shape(), y)
        }
        Way::RowMajor(way) => {
            let x = x.stored(Order::RowMajor);
            let y = match way {
                RowMajor::Depthwise => depthwise::forward(geometry, x, kernel, bias, finish),
                RowMajor::Direct => direct::forward(geometry, x, kernel, bias, finish),
                RowMajor::F2 => {
                    winograd::forward::<_, F2, 4, 2>(geometry, x, (kernel, keeper), bias, finish)
                }
                RowMajor::F4 => {
                    winograd::forward::<_, F4, 6, 4>(geometry, x, (kernel, keeper), bias, finish)
                }
            };
            Order::RowMajor.tensor(geometry.y_shape(), y)
        }
    }
}

/// The gradients of the kernel and of the bias: of the latter zeros, if nobody asks for it and it would take a pass of its own.
pub fn backward_kernel<T: Scalar>(
    geometry: Geometry,
    x: &Tensor<T>,
    dy: &Tensor<T>,
    bias: bool,
) -> (Buffer<T>, Buffer<T>) {
    if geometry.is_empty() {
        let dkernel = Buffer::zeroed(geometry.taps() * geometry.c_out);
        let dy = dy.row_major();
        return (dkernel, column_sums(dy.stored(Order::RowMajor), geometry.c_out));
    }
    let [x, dy] = &[x, dy].map(|images| in_order(geometry, images));
    match geometry.way::<T>() {
        Way::Innermost => {
            let (x, dy) = (x.stored(Order::Innermost), dy.stored(Order::Innermost));
            minor::backward_kernel(geometry, x, dy)
        }
        Way::Blocks => {
            let blocks = geometry.images.div_ceil(BLOCK);
            let blocks_each = blocks.div_ceil(PARTIAL_SUMS).min(PIECE);
            let partial = |part: usize| {
                let blocks = part * blocks_each..((part + 1) * blocks_each).min(blocks);
                let sums = blocks.map(|block| {
                    let (block, images) = geometry.block(block);
                    backward_kernel(block, &x.slice(0, images.clone()), &dy.slice(0, images), bias)
                });
                sums.reduce(add_both).expect("a part has blocks")
            };
            let partials = par::map(blocks.div_ceil(blocks_each), geometry.work(), partial);
            par::tree_sum(partials, add_both).expect("there are images")
        }
        Way::RowMajor(way) => {
            let (x, dy) = (x.stored(Order::RowMajor), dy.stored(Order::RowMajor));
            let dkernel = match way {
                RowMajor::Depthwise => return depthwise::backward_kernel(geometry, x, dy),
                RowMajor::F2 => winograd::backward_kernel::<_, F2, 4, 2>(geometry, x, dy),
                RowMajor::F4 => winograd::backward_kernel::<_, F4, 6, 4>(geometry, x, dy),
                _ => direct::backward_kernel(geometry, x, dy),
            };
            let c_out = geometry.c_out;
            (dkernel, if bias { column_sums(dy, c_out) } else { Buffer::zeroed(c_out) })
        }
    }
}

/// The gradient of the images.
pub fn backward_input<T: Scalar>(geometry: Geometry, kernel: &[T], dy: &Tensor<T>) -> Tensor<T> {
    let (order, dx) = to_input(geometry, kernel, dy);
    order.tensor(geometry.x_shape(), dx)
}

/// The transposed convolution of `x[n, oh, ow, c_out]`: what the gradient of the images is computed like, with a bias for each
/// channel of these images.
#[track_caller]
pub fn transposed<T: Scalar>(
    geometry: Geometry,
    kernel: &[T],
    x: &Tensor<T>,
    bias: &[T],
    finish: Finish,
) -> Tensor<T> {
    Shape::from(geometry.x_shape()).count(); // panics at the caller's line when absurd
    let (order, mut y) = to_input(geometry, kernel, x);
    let [images, _, width, channels] = geometry.x_shape();
    // With the images innermost, the values of one channel lie side by side.
    let innermost = order == Order::Innermost;
    let pixel = channels * if innermost { images } else { 1 };
    let work = y.len();
    par::for_each_part(
        &mut y,
        (width * pixel).max(1),
        work,
        || (),
        |(), _, row| {
            for pixel in row.chunks_exact_mut(pixel) {
                if innermost {
                    for (values, &bias) in pixel.chunks_exact_mut(images).zip(bias) {
                        values.iter_mut().for_each(|value| *value += bias);
                    }
                } else {
                    pixel.iter_mut().zip(bias).for_each(|(value, &bias)| *value += bias);
                }
            }
            finish.apply(row);
        },
    );
    order.tensor(geometry.x_shape(), y)
}

/// What `dy` sends back to the images, and the order in which it lies.
fn to_input<T: Scalar>(geometry: Geometry, kernel: &[T], dy: &Tensor<T>) -> (Order, Buffer<T>) {
    if geometry.is_empty() {
        return (Order::RowMajor, Buffer::zeroed(geometry.x_shape().iter().product()));
    }
    let dy = &in_order(geometry, dy);
    match geometry.way::<T>() {
        Way::Innermost => {
            let dx = minor::backward_input(geometry, kernel, dy.stored(Order::Innermost));
            (Order::Innermost, dx)
        }
        Way::Blocks => {
            let dx = in_blocks(geometry, geometry.image_len(), |block, images| {
                backward_input(block, kernel, &dy.slice(0, images))
            });
            (Order::RowMajor, dx)
        }
        Way::RowMajor(way) => {
            let dy = dy.stored(Order::RowMajor);
            let dx = match way {
                RowMajor::Depthwise => depthwise::backward_input(geometry, kernel, dy),
                RowMajor::Direct => direct::backward_input(geometry, kernel, dy),
                RowMajor::F2 => winograd::backward_input::<_, F2, 4, 2>(geometry, kernel, dy),
                RowMajor::F4 => winograd::backward_input::<_, F4, 6, 4>(geometry, kernel, dy),
            };
            (Order::RowMajor, dx)
        }
    }
}

/// How a convolution is computed: it depends on shapes and the instruction set alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    RowMajor(RowMajor),
    /// With the images innermost, and left so.
    Innermost,
    /// [`Innermost`](Self::Innermost) for one block of images after the other, each put back in order.
    Blocks,
}

/// Ways that take row-major images and give them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RowMajor {
    Depthwise,
    Direct,
    F2,
    F4,
}

impl Geometry {
    pub(super) fn way<T: Scalar>(&self) -> Way {
        let few = self.groups == 1 && self.c_in < FEW_CHANNELS && self.c_out < FEW_CHANNELS;
        if few && self.images > TOGETHER {
            return Way::Blocks;
        }
        // Images that fill no vector of their own, such as a single one, stay as they are.
        if few && self.images > 0 && self.images.is_multiple_of(simd::lanes::<T>()) {
            return Way::Innermost;
        }
        let depthwise = self.groups > 1 && self.groups == self.c_in && self.groups == self.c_out;
        Way::RowMajor(match self.algorithm {
            _ if depthwise => RowMajor::Depthwise,
            Algorithm::Direct => RowMajor::Direct,
            _ if !Fits::<T>::geometry(self) => RowMajor::Direct,
            // Sums at the points, over channels and over a row of tiles, are not cut into pieces.
            _ if self.c_in.max(self.c_out).max(self.window.output()[1]) > CHAIN => RowMajor::Direct,
            Algorithm::Winograd2 => RowMajor::F2,
            Algorithm::Winograd4 => RowMajor::F4,
        })
    }

    /// A block of images, with the geometry of a convolution of these alone.
    fn block(&self, block: usize) -> (Geometry, Range<usize>) {
        let images = block * BLOCK..((block + 1) * BLOCK).min(self.images);
        (Geometry { images: images.len(), ..*self }, images)
    }
}

/// The row-major result of a convolution whose images come in blocks.
fn in_blocks<T: Scalar>(
    geometry: Geometry,
    image_len: usize,
    f: impl Fn(Geometry, Range<usize>) -> Tensor<T> + Sync,
) -> Buffer<T> {
    let mut out = Buffer::stale(geometry.images * image_len);
    par::for_each_part(
        &mut out,
        BLOCK * image_len,
        geometry.work(),
        || (),
        |(), block, out| {
            let (block, images) = geometry.block(block);
            f(block, images).copy_to(out);
        },
    );
    out
}

fn add_both<T: Scalar>(
    a: (Buffer<T>, Buffer<T>),
    b: (Buffer<T>, Buffer<T>),
) -> (Buffer<T>, Buffer<T>) {
    (added(a.0, &b.0), added(a.1, &b.1))
}

fn added<T: Scalar>(mut sum: Buffer<T>, more: &[T]) -> Buffer<T> {
    sum.iter_mut().zip(more).for_each(|(sum, &more)| *sum += more);
    sum
}

/// The sums of the columns of a row-major matrix: of a thousand rows at a time, then of those sums.
pub(super) fn column_sums<T: Scalar>(matrix: &[T], columns: usize) -> Buffer<T> {
    const ROWS: usize = 1024;
    let rows = matrix.len() / columns;
    let parts = par::map(rows.div_ceil(ROWS), matrix.len(), |part| {
        let mut sums = Buffer::zeroed(columns);
        let end = ((part + 1) * ROWS).min(rows);
        let matrix = &matrix[part * ROWS * columns..end * columns];
        simd::dispatch(AddColumns { matrix, sums: &mut sums });
        sums
    });
    par::tree_sum(parts, |a, b| added(a, &b)).unwrap_or_else(|| Buffer::zeroed(columns))
}

/// Adds the columns of a row-major matrix to `sums`.
struct AddColumns<'a, T> {
    matrix: &'a [T],
    sums: &'a mut [T],
}

impl<T: Scalar> Kernel for AddColumns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let AddColumns { matrix, sums } = self;
        for row in matrix.chunks_exact(sums.len()) {
            sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
        }
    }
}
