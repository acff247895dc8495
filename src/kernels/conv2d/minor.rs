//! Few channels: the images are innermost, `[h][w][c][n]`, and vectors run along them.
//!
//! With 1, 8 or 12 channels a vector of channels is mostly empty. Sixteen images fill it whatever the
//! channels, and no value has to change its lane: an output pixel of one channel is a sum of pixels, each
//! a vector, times weights, each a single number. In the tile, the rows are output channels and the
//! columns are images.
//!
//! Taps that fall outside of the image are left out rather than multiplied by zero: each axis has a few
//! classes of positions whose window is cut off in the same way.

use super::super::gemm::{Finish, Left, Place, Start, Strip};
use super::super::par;
use super::Geometry;
use super::reach::{Axis, shifts};
use crate::buffer::Buffer;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Offsets, Simd, dots, with_lanes};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Which side of a convolution is computed from which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Direction {
    /// Outputs from images.
    Forward,
    /// The gradient of the images from that of the outputs.
    Backward,
}

/// All offsets of a convolution from one stack of images to another. They depend on shapes alone.
struct Plan {
    geometry: Geometry,
    direction: Direction,
    axes: [Axis; 2],
    /// Channels that are read, and channels that are written.
    channels: [usize; 2],
    /// The width of the image that is read.
    width: usize,
    /// For each class of rows, and class of columns in it.
    tables: Vec<Table>,
    /// Where the weights of each channel that is written begin, and where the channel itself does.
    weights: Offsets,
    places: Offsets,
}

/// Where the weights lie, and where the pixels, for one class of rows and one of columns.
struct Table {
    weights: Offsets,
    pixels: Offsets,
}

thread_local! {
    /// The plans that this thread used last, the newest first: a training step repeats the shapes of the one before.
    static PLANS: RefCell<VecDeque<Rc<Plan>>> = const { RefCell::new(VecDeque::new()) };
}

/// Plans that a thread keeps.
const PLANS_KEPT: usize = 32;

impl Plan {
    /// The plan for these shapes: the one that this thread has, or a new one.
    fn of(geometry: Geometry, direction: Direction) -> Rc<Plan> {
        PLANS.with_borrow_mut(|plans| {
            let known =
                plans.iter().find(|plan| (plan.geometry, plan.direction) == (geometry, direction));
            if let Some(plan) = known {
                return Rc::clone(plan);
            }
            let plan = Rc::new(Plan::new(geometry, direction));
            plans.truncate(PLANS_KEPT - 1);
            plans.push_front(Rc::clone(&plan));
            plan
        })
    }

    fn new(geometry: Geometry, direction: Direction) -> Plan {
        let Geometry { window, images, c_in, c_out, .. } = geometry;
        // The steps of the kernel's taps, of the channels read and of those written.
        let (axes, channels, width, [tap_step, read_step, write_step]) = match direction {
            Direction::Forward => (
                [0, 1].map(|axis| Axis::forward(&geometry, axis)),
                [c_in, c_out],
                window.image()[1],
                [c_in * c_out, c_out, 1],
            ),
            Direction::Backward => (
                [0, 1].map(|axis| Axis::backward(&geometry, axis)),
                [c_out, c_in],
                window.output()[1],
                [c_in * c_out, 1, c_out],
            ),
        };
        let table = |shifts: Vec<(usize, usize)>| {
            let len = shifts.len() * channels[0];
            let (mut weights, mut pixels) = (Buffer::stale(len), Buffer::stale(len));
            let mut places = weights.iter_mut().zip(pixels.iter_mut());
            for (tap, shift) in shifts {
                for (c, (weight, place)) in (0..channels[0]).zip(&mut places) {
                    *weight = tap * tap_step + c * read_step;
                    *place = (shift * channels[0] + c) * images;
                }
            }
            Table { weights: Offsets::from(weights), pixels: Offsets::from(pixels) }
        };
        let tables = shifts(&axes, window.size()[1], width).map(table).collect();
        Plan {
            tables,
            weights: Offsets::steps(channels[1], write_step),
            places: Offsets::steps(channels[1], images),
            geometry,
            direction,
            axes,
            channels,
            width,
        }
    }

    fn run<T: Scalar>(
        &self,
        source: &[T],
        kernel: &[T],
        bias: Option<&[T]>,
        finish: Finish,
    ) -> Buffer<T> {
        let ([rows, cols], images) = (&self.axes, self.geometry.images);
        let row_len = cols.reaches.len() * self.channels[1] * images;
        let mut out = Buffer::stale(rows.reaches.len() * row_len);
        par::for_each_part(
            &mut out,
            row_len,
            self.geometry.work(),
            || (),
            |(), row, out| {
                simd::dispatch(Row { plan: self, source, kernel, bias, finish, row, out })
            },
        );
        out
    }
}

/// One row of the result.
struct Row<'a, T> {
    plan: &'a Plan,
    source: &'a [T],
    /// Weight `(tap, channel read, channel written)`, with the steps of the plan's offsets.
    kernel: &'a [T],
    bias: Option<&'a [T]>,
    finish: Finish,
    row: usize,
    out: &'a mut [T],
}

impl<T: Scalar> Kernel for Row<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Row { plan, source, kernel, bias, finish, row, out } = self;
        let ([rows, cols], [read, written]) = (&plan.axes, plan.channels);
        let images = plan.geometry.images;
        let tables = &plan.tables[rows.classes[row] * cols.firsts.len()..];
        let reaches = cols.reaches.iter().zip(&cols.classes);
        for ((reach, &class), out) in reaches.zip(out.chunks_exact_mut(written * images)) {
            let table = &tables[class];
            let pixel = (rows.reaches[row].pixel * plan.width + reach.pixel) * read * images;
            let left =
                Left { data: kernel, rows: plan.weights.as_slice(), cols: table.weights.all() };
            let strip = Strip {
                left,
                right: (source, pixel, table.pixels.all()),
                start: bias.map_or(Start::Zero, Start::Rows),
                finish,
                to: Place { rows: plan.places.as_slice(), column: 0, width: images },
            };
            strip.across::<S>(out);
        }
    }
}

/// `y[oh][ow][c_out][n]` of `x[h][w][c_in][n]`.
pub fn forward<T: Scalar>(
    geometry: Geometry,
    x: &[T],
    kernel: &[T],
    bias: &[T],
    finish: Finish,
) -> Buffer<T> {
    Plan::of(geometry, Direction::Forward).run(x, kernel, Some(bias), finish)
}

/// `dx[h][w][c_in][n]` of `dy[oh][ow][c_out][n]`: the same sweep, with the two sides exchanged.
pub fn backward_input<T: Scalar>(geometry: Geometry, kernel: &[T], dy: &[T]) -> Buffer<T> {
    Plan::of(geometry, Direction::Backward).run(dy, kernel, None, Finish::Plain)
}

/// The gradients of the kernel and of the bias: inner products of rows of `x` and rows of `dy`, along the
/// pixels and the images, in which every lane sums for itself.
pub fn backward_kernel<T: Scalar>(geometry: Geometry, x: &[T], dy: &[T]) -> (Buffer<T>, Buffer<T>) {
    let Geometry { window, c_in, c_out, .. } = geometry;
    let [kh, kw] = window.size();
    // Each column of the window by itself: `[kx][ky][c_in][c_out]`.
    let column_len = kh * c_in * c_out;
    let mut by_columns = Buffer::zeroed(kw * column_len);
    par::for_each_part(
        &mut by_columns,
        column_len,
        geometry.work(),
        || (),
        |(), kx, sums| simd::dispatch(KernelColumn { geometry, x, dy, kx, sums }),
    );
    let mut dkernel = Buffer::stale(by_columns.len());
    for (i, row) in dkernel.chunks_exact_mut(c_in * c_out).enumerate() {
        let (ky, kx) = (i / kw, i % kw);
        row.copy_from_slice(&by_columns[(kx * kh + ky) * c_in * c_out..][..c_in * c_out]);
    }
    let mut dbias = Buffer::zeroed(c_out);
    simd::dispatch(BiasSums { dy, images: geometry.images, sums: &mut dbias });
    (dkernel, dbias)
}

/// The sums of `dy[pixels][channels][images]` for each channel.
struct BiasSums<'a, T> {
    dy: &'a [T],
    images: usize,
    sums: &'a mut [T],
}

impl<T: Scalar> Kernel for BiasSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        // Every image sums for itself over the pixels first.
        let BiasSums { dy, images, sums } = self;
        let mut lanes = Buffer::zeroed(sums.len() * images);
        for pixel in dy.chunks_exact(lanes.len()) {
            lanes.iter_mut().zip(pixel).for_each(|(lane, &dy)| *lane += dy);
        }
        for (sum, lanes) in sums.iter_mut().zip(lanes.chunks_exact(images)) {
            *sum = lanes.iter().copied().sum();
        }
    }
}

/// The gradient of one column of the window, `[ky][c_in][c_out]`.
struct KernelColumn<'a, T> {
    geometry: Geometry,
    x: &'a [T],
    dy: &'a [T],
    kx: usize,
    sums: &'a mut [T],
}

impl<T: Scalar> Kernel for KernelColumn<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self.lanes::<S, T>())
    }
}

impl<T: Scalar> KernelColumn<'_, T> {
    #[inline(always)]
    fn lanes<S: Simd, const L: usize>(self) {
        /// Rows and columns of a tile of inner products: twelve vectors that sum, and room for those that
        /// are multiplied in 16 registers.
        const MR: usize = 3;
        const NR: usize = 4;
        let KernelColumn { geometry, x, dy, kx, sums } = self;
        let Geometry { window, images, c_in, c_out, .. } = geometry;
        let ([_, width], [oh, ow]) = (window.image(), window.output());
        let (outputs, chunks) = (window.reaching(1, kx), images / L);
        // One row of outputs: its pixels, and for each the images, one vector at a time.
        let steps = |step: usize| {
            let mut steps = Buffer::stale(outputs.len() * chunks);
            for (i, pixel) in steps.chunks_exact_mut(chunks).enumerate() {
                (0..chunks).for_each(|v| pixel[v] = i * step * images + v * L);
            }
            Offsets::from(steps)
        };
        let (x_steps, dy_steps) = (steps(window.strides()[1] * c_in), steps(c_out));
        if outputs.is_empty() {
            return;
        }
        let x_column =
            outputs.start * window.strides()[1] + kx * window.dilation()[1] - window.before()[1];

        let mut lanes = Buffer::zeroed(sums.len() * L);
        for oy in 0..oh {
            let (first_pixel, taps) = window.clipped(0, oy);
            let taps = taps.start * c_in..taps.end * c_in;
            // Where tap (ky, c) is in the image, and where channel o of the output.
            let x_row = |row: usize| {
                let (ky, c) = (row / c_in - taps.start / c_in, row % c_in);
                let pixel = (first_pixel + ky * window.dilation()[0]) * width + x_column;
                (pixel * c_in + c) * images
            };
            let dy_row = |o: usize| ((oy * ow + outputs.start) * c_out + o) * images;
            for row in taps.clone().step_by(MR) {
                let row_at = |i: usize| (row + i).min(taps.end - 1);
                let x_rows: [usize; MR] = std::array::from_fn(|i| x_row(row_at(i)));
                for o in (0..c_out).step_by(NR) {
                    let o_at = |j: usize| (o + j).min(c_out - 1);
                    let dy_rows: [usize; NR] = std::array::from_fn(|j| dy_row(o_at(j)));
                    let place = |i: usize, j: usize| (row_at(i) * c_out + o_at(j)) * L;
                    let mut acc = [[[T::zero(); L]; NR]; MR];
                    for i in 0..MR {
                        for j in 0..NR {
                            acc[i][j].copy_from_slice(&lanes[place(i, j)..][..L]);
                        }
                    }
                    let acc = dots::<S, T, MR, NR, L>(
                        acc,
                        (x, &x_rows, x_steps.all()),
                        (dy, &dy_rows, dy_steps.all()),
                    );
                    // Repeated rows and columns of the last tile hold the same, so either may be kept.
                    for i in 0..MR {
                        for j in 0..NR {
                            lanes[place(i, j)..][..L].copy_from_slice(&acc[i][j]);
                        }
                    }
                }
            }
        }
        for (sum, lanes) in sums.iter_mut().zip(lanes.chunks_exact(L)) {
            *sum = lanes.iter().copied().sum();
        }
    }
}
