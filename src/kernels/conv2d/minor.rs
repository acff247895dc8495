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
use super::super::sums::{CHAIN, PIECE, Totals, by_pieces};
use super::Geometry;
use super::kept::Kept;
use super::reach::{Axis, Direction, Table, shifts};
use crate::buffer::Buffer;
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Offsets, Part, Simd, dots, with_lanes};
use std::ops::Range;
use std::rc::Rc;

/// All offsets of a convolution from one stack of images to another. They depend on shapes alone.
struct Plan {
    geometry: Geometry,
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

thread_local! {
    static PLANS: Kept<(Geometry, Direction), Plan> = const { Kept::new() };
}

impl Plan {
    /// The plan for these shapes: the one that this thread has, or a new one.
    fn of(geometry: Geometry, direction: Direction) -> Rc<Plan> {
        PLANS.with(|plans| plans.get((geometry, direction), || Plan::new(geometry, direction)))
    }

    fn new(geometry: Geometry, direction: Direction) -> Plan {
        let Geometry { window, images, c_in, c_out, .. } = geometry;
        // The steps of the kernel's taps, of the channels read and of those written.
        let axes = Axis::both(&geometry, direction);
        let [_, width] = direction.source(&geometry);
        let (channels, [tap_step, read_step, write_step]) = match direction {
            Direction::Forward => ([c_in, c_out], [c_in * c_out, c_out, 1]),
            Direction::Backward => ([c_out, c_in], [c_in * c_out, 1, c_out]),
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
        let longest = Table::longest(&self.tables);
        par::for_each_part(
            &mut out,
            row_len,
            self.geometry.work(),
            || (),
            |(), row, out| {
                by_pieces(longest, finish, out, |summands, first, finish, out| {
                    let bias = bias.filter(|_| first);
                    let plan = self;
                    simd::dispatch(Row { plan, summands, source, kernel, bias, finish, row, out });
                });
            },
        );
        out
    }
}

/// One row of the result.
struct Row<'a, T> {
    plan: &'a Plan,
    /// Which of the summands of each value.
    summands: Range<usize>,
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
        let Row { plan, summands, source, kernel, bias, finish, row, out } = self;
        let ([rows, cols], [read, written]) = (&plan.axes, plan.channels);
        let images = plan.geometry.images;
        let tables = &plan.tables[rows.classes[row] * cols.firsts.len()..];
        let reaches = cols.reaches.iter().zip(&cols.classes);
        for ((reach, &class), out) in reaches.zip(out.chunks_exact_mut(written * images)) {
            let (weights, pixels) = tables[class].part(&summands);
            let pixel = (rows.reaches[row].pixel * plan.width + reach.pixel) * read * images;
            let strip = Strip {
                left: Left { data: kernel, rows: plan.weights.all(), cols: weights },
                right: (source, pixel, pixels),
                start: bias.map_or(Start::Zero, Start::Rows),
                finish,
                before: 0,
                to: Place { rows: plan.places.all(), column: 0, width: images },
            };
            strip.run_in::<S>(out);
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
    if T::NAME == "dual" && geometry.images.is_multiple_of(simd::lanes::<T::Part>()) {
        return by_parts(geometry, x, dy);
    }
    let mut dkernel = Buffer::zeroed(geometry.taps() * geometry.c_out);
    let mut dbias = Buffer::zeroed(geometry.c_out);
    simd::dispatch(KernelGradient { geometry, x, dy, dkernel: &mut dkernel, dbias: &mut dbias });
    (dkernel, dbias)
}

/// The same of dual numbers, `(x + x' e)(dy + dy' e) = x dy + (x' dy + x dy') e`, from gradients of their parts. The compiler makes no vectors of
/// inner products of pairs.
fn by_parts<T: Scalar>(geometry: Geometry, x: &[T], dy: &[T]) -> (Buffer<T>, Buffer<T>) {
    let part = |values: &[T], part: usize| {
        Buffer::collect(values.len(), values.iter().map(|value| value.parts()[part]))
    };
    let [x, dy] = [x, dy].map(|values| [part(values, 0), part(values, 1)]);
    let (dkernel, dbias) = backward_kernel(geometry, &x[0], &dy[0]);
    let (mut moved, bias_moved) = backward_kernel(geometry, &x[0], &dy[1]);
    let (other, _) = backward_kernel(geometry, &x[1], &dy[0]);
    moved.iter_mut().zip(other.iter()).for_each(|(sum, &other)| *sum += other);
    let joined = |values: &[T::Part], moved: &[T::Part]| {
        let pairs = values.iter().zip(moved).map(|(&value, &moved)| T::of_parts([value, moved]));
        Buffer::collect(values.len(), pairs)
    };
    (joined(&dkernel, &moved), joined(&dbias, &bias_moved))
}

struct KernelGradient<'a, T> {
    geometry: Geometry,
    x: &'a [T],
    dy: &'a [T],
    /// `[kh][kw][c_in][c_out]`.
    dkernel: &'a mut [T],
    dbias: &'a mut [T],
}

impl<T: Scalar> Kernel for KernelGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self.lanes::<S, T>())
    }
}

/// One column of the window, `kx`.
struct Column {
    kx: usize,
    /// The outputs of a row that it reads for, and where it stands in the image for the first of them.
    outputs: Range<usize>,
    x_first: usize,
    /// For each of them its pixel, and for each pixel the images, one vector at a time.
    x_steps: Offsets,
    dy_steps: Offsets,
}

impl Column {
    fn new(geometry: &Geometry, kx: usize, lanes: usize) -> Self {
        let Geometry { window, images, c_in, c_out, .. } = *geometry;
        let [stride, dilation, before] =
            [window.strides(), window.dilation(), window.before()].map(|along| along[1]);
        let outputs = window.reaching(1, kx);
        let steps = |step: usize| {
            let pixels = (0..outputs.len()).map(|i| i * step * images);
            let chunks = |pixel| (0..images).step_by(lanes).map(move |image| pixel + image);
            Offsets::new(outputs.len() * images / lanes, pixels.flat_map(chunks))
        };
        let (x_steps, dy_steps) = (steps(stride * c_in), steps(c_out));
        let x_first = outputs.start * stride + kx * dilation - before;
        Column { kx, outputs, x_first, x_steps, dy_steps }
    }

    /// The steps of those outputs that lie in a range, for so many vectors of images.
    fn part(&self, outputs: &Range<usize>, vectors: usize) -> (Part<'_>, Part<'_>) {
        let Range { start, end } = self.outputs;
        let [from, to] = [outputs.start, outputs.end].map(|at| at.clamp(start, end) - start);
        let steps = from * vectors..to * vectors;
        (self.x_steps.part(steps.clone()), self.dy_steps.part(steps))
    }
}

impl<T: Scalar> KernelGradient<'_, T> {
    #[inline(always)]
    fn lanes<S: Simd, const L: usize>(self) {
        let KernelGradient { geometry, x, dy, .. } = self;
        let Geometry { window, images, c_in, c_out, .. } = geometry;
        let ([_, width], [oh, ow], [_, kw]) = (window.image(), window.output(), window.size());
        let reached = (0..kw).filter(|&kx| !window.reaching(1, kx).is_empty());
        let columns: Vec<_> = reached.map(|kx| Column::new(&geometry, kx, L)).collect();
        let mut lanes = Buffer::zeroed(self.dkernel.len() * L);
        let mut bias_lanes = Buffer::zeroed(c_out * images);
        // Every lane sums for itself, one vector of images after the other.
        let vectors = images / L;
        let summands = (oh * ow).saturating_mul(vectors);
        let mut totals = Totals::new(summands, lanes.len());
        let mut bias_totals = Totals::new(summands, bias_lanes.len());
        // Rows whole, unless the sums are long.
        let outputs_each = if summands <= CHAIN { ow } else { (PIECE / vectors).min(ow) };
        // A row of `dy` and the rows of `x` that it saw stay in the first-level cache for all that is made of them.
        for (oy, dy) in dy.chunks_exact(ow * c_out * images).enumerate() {
            let (first_row, kys) = window.clipped(0, oy);
            for first in (0..ow).step_by(outputs_each) {
                let outputs = first..(first + outputs_each).min(ow);
                for pixel in dy.chunks_exact(bias_lanes.len()).take(outputs.end).skip(first) {
                    bias_lanes.iter_mut().zip(pixel).for_each(|(lane, &dy)| *lane += dy);
                }
                for column in &columns {
                    let rows = kys.len() * c_in;
                    let steps = column.part(&outputs, vectors);
                    // Where tap (ky, c) is in the image, and where its sums are.
                    let place = |row: usize| {
                        let (tap, c) = (row / c_in, row % c_in);
                        let y = first_row + tap * window.dilation()[0];
                        let pixel = y * width + column.x_first;
                        let sums = (((kys.start + tap) * kw + column.kx) * c_in + c) * c_out * L;
                        ((pixel * c_in + c) * images, sums)
                    };
                    let mut row = 0;
                    while row < rows {
                        let dy_first = column.outputs.start;
                        let tiles =
                            Tiles { x, dy, dy_first, steps, images, c_out, lanes: &mut lanes };
                        row += match rows - row {
                            1 => tiles.rows::<S, 1, L>([place(row)]),
                            2 | 4 => tiles.rows::<S, 2, L>([place(row), place(row + 1)]),
                            _ => {
                                tiles.rows::<S, 3, L>([place(row), place(row + 1), place(row + 2)])
                            }
                        };
                    }
                }
                totals.grow(&mut lanes, outputs.len() * vectors);
                bias_totals.grow(&mut bias_lanes, outputs.len() * vectors);
            }
        }
        totals.finish(&mut lanes);
        bias_totals.finish(&mut bias_lanes);
        for (sum, lanes) in self.dkernel.iter_mut().zip(lanes.chunks_exact(L)) {
            *sum = lanes.iter().copied().sum();
        }
        for (sum, lanes) in self.dbias.iter_mut().zip(bias_lanes.chunks_exact(images)) {
            *sum = lanes.iter().copied().sum();
        }
    }
}

/// Inner products of some rows of `x` with all output channels of one row of `dy`.
struct Tiles<'a, T> {
    x: &'a [T],
    dy: &'a [T],
    /// The first output of the column.
    dy_first: usize,
    /// Those of the outputs that are summed.
    steps: (Part<'a>, Part<'a>),
    images: usize,
    c_out: usize,
    lanes: &'a mut [T],
}

impl<T: Scalar> Tiles<'_, T> {
    /// Adds the products of `MR` rows, each with the place of its first value and that of its sums. Returns `MR`.
    #[inline(always)]
    fn rows<S: Simd, const MR: usize, const L: usize>(self, rows: [(usize, usize); MR]) -> usize {
        /// Output channels of a tile. With at most three rows that makes twelve vectors that sum, and leaves room for
        /// those that are multiplied in 16 registers.
        const NR: usize = 4;
        let Tiles { x, dy, dy_first, steps: (x_steps, dy_steps), images, c_out, lanes } = self;
        let mut x_rows = [0; MR];
        for i in 0..MR {
            x_rows[i] = rows[i].0;
        }
        for o in (0..c_out).step_by(NR) {
            // Repeated channels of the last tile sum the same, so either may be kept.
            let mut dy_rows = [0; NR];
            let mut sums = [[0; NR]; MR];
            for j in 0..NR {
                let o = (o + j).min(c_out - 1);
                dy_rows[j] = (dy_first * c_out + o) * images;
                for i in 0..MR {
                    sums[i][j] = rows[i].1 + o * L;
                }
            }
            let mut acc = [[[T::zero(); L]; NR]; MR];
            for i in 0..MR {
                for j in 0..NR {
                    acc[i][j].copy_from_slice(&lanes[sums[i][j]..][..L]);
                }
            }
            let acc = dots::<S, T, MR, NR, L>(acc, (x, &x_rows, x_steps), (dy, &dy_rows, dy_steps));
            for i in 0..MR {
                for j in 0..NR {
                    lanes[sums[i][j]..][..L].copy_from_slice(&acc[i][j]);
                }
            }
        }
        MR
    }
}
