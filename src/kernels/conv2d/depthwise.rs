//! One channel in, one channel out, in each group: every channel has a filter of its own.
//!
//! Nothing is summed over channels, so there is no product to compute: vectors run along the channels, and
//! each output pixel is a sum of pixels times weights, element by element.

use super::super::gemm::{Finish, limited};
use super::super::sums::{CHAIN, PIECE, Totals, by_pieces};
use super::kept::Kept;
use super::reach::{Axis, Direction, Table, shifts};
use super::{Geometry, PARTIAL_SUMS, add_both};
use crate::buffer::Buffer;
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Lanes, Offsets, Simd, Slide, lanewise, with_lanes};
use std::ops::Range;
use std::rc::Rc;

/// Calls `$run`, with `$n` channels from `$first` on that stay in registers, for all channels behind `$from`: 16 where they are two vectors.
macro_rules! by_channels {
    ($S:ident, $T:ident, $from:expr, $channels:expr, |$first:ident, $n:ident| $run:expr) => {
        let mut $first = $from;
        while $first < $channels {
            match $channels - $first {
                16.. if const { 2 * Lanes::<$S, $T>::COUNT >= 16 } => {
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
    Plan::of(geometry, Direction::Forward).run(x, kernel, Some(bias), finish)
}

/// `dx[n, h, w, c]`: the same sweep, with the two sides exchanged.
pub fn backward_input<T: Scalar>(geometry: Geometry, kernel: &[T], dy: &[T]) -> Buffer<T> {
    Plan::of(geometry, Direction::Backward).run(dy, kernel, None, Finish::Plain)
}

/// Where each output reads, in one direction: what does not depend on values.
struct Plan {
    geometry: Geometry,
    axes: [Axis; 2],
    /// Height and width of what is read.
    source: [usize; 2],
    /// For each class of rows, and class of columns in it.
    tables: Vec<Table>,
}

/// Taps up to which a plan is kept: it has a table of them for each class of rows and columns, and there may be as many classes.
const KEPT_TAPS: usize = 81;

thread_local! {
    static PLANS: Kept<(Geometry, Direction), Plan> = const { Kept::new() };
}

impl Plan {
    /// The plan for these shapes: the one that this thread has, or a new one.
    fn of(geometry: Geometry, direction: Direction) -> Rc<Plan> {
        let (large, key) = (geometry.taps() > KEPT_TAPS, (geometry, direction));
        PLANS.with(|plans| plans.get_unless(large, key, || Plan::new(geometry, direction)))
    }

    fn new(geometry: Geometry, direction: Direction) -> Plan {
        let axes = Axis::both(&geometry, direction);
        let source = direction.source(&geometry);
        let channels = geometry.c_out;
        let table = |shifts: Vec<(usize, usize)>| Table {
            weights: Offsets::new(shifts.len(), shifts.iter().map(|(tap, _)| tap * channels)),
            pixels: Offsets::new(shifts.len(), shifts.iter().map(|(_, shift)| shift * channels)),
        };
        let tables = shifts(&axes, geometry.window.size()[1], source[1]).map(table).collect();
        Plan { geometry, axes, source, tables }
    }

    fn run<T: Scalar>(
        &self,
        source: &[T],
        kernel: &[T],
        bias: Option<&[T]>,
        finish: Finish,
    ) -> Buffer<T> {
        let Plan { geometry, axes: [rows, cols], source: [height, width], tables } = self;
        let channels = geometry.c_out;
        let (count, row_len) = (rows.reaches.len(), cols.reaches.len() * channels);
        let image_len = height * width * channels;
        let longest = Table::longest(tables);
        let mut out = Buffer::stale(geometry.images * count * row_len);
        par::for_each_part(
            &mut out,
            row_len,
            geometry.work(),
            || (),
            |(), part, out| {
                let source = &source[part / count * image_len..][..image_len];
                let row = part % count;
                let tables = &tables[rows.classes[row] * cols.firsts.len()..];
                let first_pixel = rows.reaches[row].pixel * width;
                by_pieces(longest, finish, out, |summands, first, finish, out| {
                    simd::dispatch(Row {
                        cols,
                        tables,
                        summands,
                        first_pixel,
                        source,
                        channels,
                        kernel,
                        bias: bias.filter(|_| first),
                        finish,
                        out,
                    });
                });
            },
        );
        out
    }
}

/// One row of outputs.
struct Row<'a, T> {
    cols: &'a Axis,
    /// One for each class of columns.
    tables: &'a [Table],
    /// Which of the summands of each value.
    summands: Range<usize>,
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
        with_lanes!(self.classes::<S, T>())
    }
}

/// Neighbouring outputs that are computed together, so that a weight is loaded once for all of them.
const TOGETHER: usize = 6;

impl<T: Scalar> Row<'_, T> {
    /// Outputs of one class after the other: they read the same taps.
    #[inline(always)]
    fn classes<S: Simd, const V: usize>(&mut self) {
        let mut first = 0;
        for run in self.cols.classes.chunk_by(|a, b| a == b) {
            let outputs = first..first + run.len();
            first = outputs.end;
            // Windows of three by three, whole or cut off at one border or at two.
            let done = match self.tables[run[0]].part(&self.summands).0.len() {
                9 => self.slide::<S, V, 9>(&outputs),
                6 => self.slide::<S, V, 6>(&outputs),
                4 => self.slide::<S, V, 4>(&outputs),
                _ => 0,
            };
            self.together::<S>(outputs, done);
        }
    }

    /// Outputs of one class with few taps, in whole vectors of channels, whose weights stay in registers for all of them. Returns how
    /// many channels these are.
    #[inline(always)]
    fn slide<S: Simd, const V: usize, const K: usize>(&mut self, outputs: &Range<usize>) -> usize {
        let (cols, channels) = (self.cols, self.channels);
        let (taps, places) = self.tables[cols.classes[outputs.start]].part(&self.summands);
        let pixel = |at: usize| (self.first_pixel + cols.reaches[at].pixel) * channels;
        let step =
            if outputs.len() > 1 { pixel(outputs.start + 1) - pixel(outputs.start) } else { 0 };
        let whole = channels / V * V;
        for first in (0..whole).step_by(V) {
            let (mut weights, mut rows) = ([[T::zero(); V]; K], [0; K]);
            for k in 0..K {
                weights[k].copy_from_slice(&self.kernel[taps.at(k) + first..][..V]);
                rows[k] = pixel(outputs.start) + places.at(k) + first;
            }
            let start = self.start::<V>(first);
            let window = Slide::new(self.source, &rows, [step, outputs.len(), V]);
            let out = &mut self.out[outputs.start * channels..outputs.end * channels];
            for (p, out) in out.chunks_exact_mut(channels).enumerate() {
                let sums = window.add::<S, V>(p, &weights, start);
                out[first..first + V].copy_from_slice(&finished(self.finish, sums));
            }
        }
        whole
    }

    /// Outputs of one class, some at a time, in the channels behind `from`.
    #[inline(always)]
    fn together<S: Simd>(&mut self, outputs: Range<usize>, from: usize) {
        if from == self.channels {
            return;
        }
        if outputs.len() < TOGETHER {
            for at in outputs {
                self.channels::<S, 1>(at, from);
            }
        } else {
            // All channels of some of them before the next ones: the rows that are read lie in the cache but once. The last ones are
            // computed again where they do not go up.
            for at in outputs.clone().step_by(TOGETHER) {
                self.channels::<S, TOGETHER>(at.min(outputs.end - TOGETHER), from);
            }
        }
    }

    #[inline(always)]
    fn channels<S: Simd, const P: usize>(&mut self, at: usize, from: usize) {
        by_channels!(S, T, from, self.channels, |first, N| self.outputs::<S, N, P>(at, first));
    }

    /// What the sums of `N` channels from `first` on begin with.
    #[inline(always)]
    fn start<const N: usize>(&self, first: usize) -> [T; N] {
        let mut start = [T::zero(); N];
        if let Some(bias) = self.bias {
            start.copy_from_slice(&bias[first..first + N]);
        }
        start
    }

    /// `N` channels from `first` on, of `P` outputs from `at` on.
    #[inline(always)]
    fn outputs<S: Simd, const N: usize, const P: usize>(&mut self, at: usize, first: usize) {
        let (cols, channels) = (self.cols, self.channels);
        let (weights, places) = self.tables[cols.classes[at]].part(&self.summands);
        let mut pixels = [0; P];
        for p in 0..P {
            pixels[p] = (self.first_pixel + cols.reaches[at + p].pixel) * channels + first;
        }
        let acc = lanewise::<S, T, P, N>(
            [self.start(first); P],
            (self.kernel, first, weights),
            (self.source, &pixels, places),
        );
        for p in 0..P {
            let out = &mut self.out[(at + p) * channels + first..][..N];
            out.copy_from_slice(&finished(self.finish, acc[p]));
        }
    }
}

#[inline(always)]
fn finished<T: Scalar, const N: usize>(finish: Finish, mut sums: [T; N]) -> [T; N] {
    if finish != Finish::Plain {
        let most = finish.most();
        for i in 0..N {
            sums[i] = limited(sums[i], most);
        }
    }
    sums
}

/// The gradients of the kernel and of the bias: for each tap the inner product of `x`, moved by the tap, and `dy`, channel
/// by channel; and the sum of `dy`, which is read once for both.
pub fn backward_kernel<T: Scalar>(geometry: Geometry, x: &[T], dy: &[T]) -> (Buffer<T>, Buffer<T>) {
    let Geometry { window, images, c_out, .. } = geometry;
    let zeros = || (Buffer::zeroed(geometry.taps() * c_out), Buffer::zeroed(c_out));
    let images_each = images.div_ceil(PARTIAL_SUMS).max(1);
    let (x_len, dy_len) = (geometry.image_len(), geometry.pixels() * c_out);
    let [x_steps, dy_steps] =
        [window.strides()[1], 1].map(|stride| Offsets::steps(window.output()[1], stride * c_out));
    // Rows of outputs whole, and all of them at once, unless the sums are long.
    let [oh, ow] = window.output();
    let summands = images_each.saturating_mul(oh * ow);
    let [rows_each, outputs_each] =
        if summands <= CHAIN { [oh, ow] } else { [(PIECE / ow).max(1), ow.min(PIECE)] };
    let partials = par::map(images.div_ceil(images_each), geometry.work(), |part| {
        let (mut sums, mut bias_sums) = zeros();
        let mut totals = Totals::new(summands, sums.len());
        let mut bias_totals = Totals::new(summands, bias_sums.len());
        for image in part * images_each..((part + 1) * images_each).min(images) {
            let (x, dy) = (&x[image * x_len..][..x_len], &dy[image * dy_len..][..dy_len]);
            for row in (0..oh).step_by(rows_each) {
                for output in (0..ow).step_by(outputs_each) {
                    let rows = row..(row + rows_each).min(oh);
                    let outputs = output..(output + outputs_each).min(ow);
                    let count = rows.len() * outputs.len();
                    let steps = [&x_steps, &dy_steps];
                    let into = [&mut sums[..], &mut bias_sums[..]];
                    simd::dispatch(SumsOfImage { geometry, x, dy, rows, outputs, steps, into });
                    totals.grow(&mut sums, count);
                    bias_totals.grow(&mut bias_sums, count);
                }
            }
        }
        totals.finish(&mut sums);
        bias_totals.finish(&mut bias_sums);
        (sums, bias_sums)
    });
    par::tree_sum(partials, add_both).unwrap_or_else(zeros)
}

/// What some outputs of one image give to both gradients, added to them.
struct SumsOfImage<'a, T> {
    geometry: Geometry,
    x: &'a [T],
    dy: &'a [T],
    rows: Range<usize>,
    /// Of each of the rows.
    outputs: Range<usize>,
    /// From one output of a row to the next, in `x` and in `dy`.
    steps: [&'a Offsets; 2],
    /// The sums of the kernel and of the bias.
    into: [&'a mut [T]; 2],
}

impl<T: Scalar> Kernel for SumsOfImage<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self) {
        let window = self.geometry.window;
        for oy in self.rows.clone() {
            let (first_row, kys) = window.clipped(0, oy);
            for ky in kys.clone() {
                let row = first_row + (ky - kys.start) * window.dilation()[0];
                let (mut kx, kw) = (0, window.size()[1]);
                while kx < kw {
                    // Some taps together, so that `dy` is loaded once for them.
                    kx += match kw - kx {
                        1 => self.taps::<S, 1>([oy, row], [ky, kx]),
                        2 | 4 => self.taps::<S, 2>([oy, row], [ky, kx]),
                        _ => self.taps::<S, 3>([oy, row], [ky, kx]),
                    };
                }
            }
            self.bias::<S>(oy);
        }
    }
}

impl<T: Scalar> SumsOfImage<'_, T> {
    /// Adds a row of `dy` to the sums of the channels. They stay in registers: with [`AddColumns`](super::AddColumns),
    /// which goes through memory, as much time is lost as is gained by reading `dy` once.
    #[inline(always)]
    fn bias<S: Simd>(&mut self, oy: usize) {
        let (channels, [_, ow]) = (self.geometry.c_out, self.geometry.window.output());
        let at = |output: usize| (oy * ow + output) * channels;
        let row = &self.dy[at(self.outputs.start)..at(self.outputs.end)];
        by_channels!(S, T, 0, channels, |first, N| {
            let mut sums = [T::zero(); N];
            for pixel in row.chunks_exact(channels) {
                for i in 0..N {
                    sums[i] += pixel[first + i];
                }
            }
            for i in 0..N {
                self.into[1][first + i] += sums[i];
            }
        });
    }

    /// `P` taps from `(ky, kx)` on, in one row of `dy` and the row of `x` that it meets there. Returns `P`.
    #[inline(always)]
    fn taps<S: Simd, const P: usize>(&mut self, rows: [usize; 2], [ky, kx]: [usize; 2]) -> usize {
        let (window, all) = (self.geometry.window, self.outputs.clone());
        let reaching = |kx: usize| {
            let outputs = window.reaching(1, kx);
            outputs.start.max(all.start)..outputs.end.min(all.end)
        };
        // Most outputs have all of these taps inside of the image; at the border, some miss some.
        let (mut from, mut to) = (all.start, all.end);
        for p in 0..P {
            let outputs = reaching(kx + p);
            (from, to) = (from.max(outputs.start), to.min(outputs.end));
        }
        let to = to.max(from);
        self.outputs::<S, P>(rows, [ky, kx], from..to);
        // One tap has them all. One call for both sides: each is a copy of the loop.
        for side in 0..if P == 1 { 0 } else { 2 * P } {
            let (p, outputs) = (side / 2, reaching(kx + side / 2));
            let outputs = match side % 2 {
                0 => outputs.start..outputs.end.min(from),
                _ => outputs.start.max(to)..outputs.end,
            };
            self.outputs::<S, 1>(rows, [ky, kx + p], outputs);
        }
        P
    }

    /// Adds what these outputs give to `P` taps.
    #[inline(always)]
    fn outputs<S: Simd, const P: usize>(
        &mut self,
        [oy, row]: [usize; 2],
        [ky, kx]: [usize; 2],
        outputs: Range<usize>,
    ) {
        if outputs.is_empty() {
            return;
        }
        let (window, channels) = (self.geometry.window, self.geometry.c_out);
        let ([_, ow], [_, width], [_, kw]) = (window.output(), window.image(), window.size());
        let column = outputs.start * window.strides()[1] + kx * window.dilation()[1];
        let x_first = (row * width + column - window.before()[1]) * channels;
        let dy_first = (oy * ow + outputs.start) * channels;
        let mut taps = [0; P];
        for p in 0..P {
            taps[p] = x_first + p * window.dilation()[1] * channels;
        }
        let [x_steps, dy_steps] = self.steps;
        let (x_steps, dy_steps) = (x_steps.part(0..outputs.len()), dy_steps.part(0..outputs.len()));
        let sums = &mut self.into[0][(ky * kw + kx) * channels..];
        by_channels!(S, T, 0, channels, |first, N| {
            let (mut acc, mut at) = ([[T::zero(); N]; P], taps);
            for p in 0..P {
                acc[p].copy_from_slice(&sums[p * channels + first..][..N]);
                at[p] += first;
            }
            let acc = lanewise::<S, T, P, N>(
                acc,
                (self.dy, dy_first + first, dy_steps),
                (self.x, &at, x_steps),
            );
            for p in 0..P {
                sums[p * channels + first..][..N].copy_from_slice(&acc[p]);
            }
        });
    }
}
