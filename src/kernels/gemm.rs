//! The one driver behind matrix products and convolutions.
//!
//! `out[i, j] = start + sum over p of a[i, p] b[p, j]`, computed in tiles of a few rows and one, two
//! or four vectors of columns, which stay in registers while `p` runs. Both operands are read through
//! [`Offsets`], so that either can be a matrix with any strides or an image seen through a window. Each
//! element is one chain of fused multiply-adds in the order of `p`, whichever way the tiles are cut:
//! results depend neither on the number of threads nor on the tile. (A [long sum](super::sums) is several such chains.)
//!
//! A right operand that is large is packed into panels as wide as a tile, and `p` runs in blocks, so that
//! a panel's part stays in the first-level cache. (The scheme is that of Goto and van de Geijn, *Anatomy
//! of high-performance matrix multiplication*, 2008.)

use super::sums::rows_by_pieces;
use crate::buffer::{Buffer, Lent};
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Lanes, Offsets, Part, Simd, tile};
use crate::tensor::{Order, Shape, Tensor};
use std::marker::PhantomData;
use std::ops::Range;

pub use super::sums::{Finish, limited, rectified};

/// Summands that are added before the next panel is taken: so many rows of a panel stay in the first-level cache, or
/// with AVX-512 come from the second-level one in time.
pub const DEPTH: usize = 512;
/// Rows of the output that one thread takes at a time, about.
const ROWS: usize = 96;
/// The rows of the highest tile.
pub const TILE_ROWS: usize = 6;
/// The output is cut into a multiple of so many parts, lest one thread computes the last one alone.
const PARTS: usize = 8;

/// Panels that one thread packs at a time.
const PANELS: usize = 16;

/// The left operand, read in place: element `(i, p)` is `data[rows[i] + cols[p]]`.
#[derive(Clone, Copy)]
pub struct Left<'a, T> {
    pub data: &'a [T],
    pub rows: &'a [usize],
    pub cols: Part<'a>,
}

/// The right operand: panels of [`width`](Self::width) neighbouring columns.
pub struct Right<'a, T: Scalar> {
    data: Lent<'a, T>,
    /// Where row `p` lies in a panel.
    steps: Offsets,
    /// The distance between panels.
    panel_step: usize,
    width: usize,
    columns: usize,
    /// Whether the panels lie side by side, as columns of one matrix.
    in_place: bool,
}

/// Columns of the tile for so many that are left: the widest if they fill it, else two vectors or one.
#[inline(always)]
fn tile_width<S: Simd, T>(columns: usize) -> usize {
    let (vector, widest) = (Lanes::<S, T>::COUNT, Lanes::<S, T>::WIDEST);
    if columns >= widest {
        widest
    } else if columns > vector {
        2 * vector
    } else {
        vector
    }
}

/// Columns of the panels of a right operand with so many: those of its first tile.
pub fn panel_width<T: Scalar>(columns: usize) -> usize {
    struct Width<T>(usize, PhantomData<T>);
    impl<T: Scalar> Kernel for Width<T> {
        type Output = usize;
        #[inline(always)]
        fn run<S: Simd>(self) -> usize {
            tile_width::<S, T>(self.0)
        }
    }
    simd::dispatch(Width(columns, PhantomData::<T>))
}

/// From one packed panel to the next: with a row between them, lest all of them share a few places of the cache.
fn panel_step(depth: usize, width: usize) -> usize {
    (depth + 1) * width
}

impl<'a, T: Scalar> Right<'a, T> {
    /// The row-major matrix `[depth, columns]`, read where it lies but for the last few columns.
    pub fn in_place(depth: usize, columns: usize, matrix: &'a [T]) -> Self {
        let width = panel_width::<T>(columns);
        let data = if columns < width {
            // The only tile reads the beginning of the next row as well, and drops what that gives. Behind the last row there is
            // none.
            let mut extended = Buffer::zeroed(matrix.len() + width - columns);
            extended[..matrix.len()].copy_from_slice(matrix);
            Lent::Owned(extended)
        } else {
            Lent::Borrowed(matrix)
        };
        Right {
            data,
            steps: Offsets::steps(depth, columns),
            panel_step: width,
            width,
            columns,
            in_place: true,
        }
    }

    /// The matrix `[depth, columns]` whose row `p` is written by `row(p, values)`, packed.
    pub fn packed(depth: usize, columns: usize, mut row: impl FnMut(usize, &mut [T])) -> Self {
        let width = panel_width::<T>(columns);
        let panel_step = panel_step(depth, width);
        let mut values = Buffer::stale(columns.div_ceil(width) * panel_step);
        let mut whole = Buffer::zeroed(columns.next_multiple_of(width));
        for p in 0..depth {
            row(p, &mut whole[..columns]);
            for (panel, part) in whole.chunks_exact(width).enumerate() {
                values[panel * panel_step + p * width..][..width].copy_from_slice(part);
            }
        }
        Self::of_panels(depth, columns, values)
    }

    /// A row-major matrix: packed if that pays for products with this many rows.
    pub fn new(depth: usize, columns: usize, matrix: &'a [T], rows: usize) -> Self {
        // Rows far apart share few places in the cache; but packing costs as much as some rows.
        if rows < 64 || columns == panel_width::<T>(columns) {
            Self::in_place(depth, columns, matrix)
        } else {
            Self::panels(depth, columns, matrix)
        }
    }

    /// A row-major matrix, packed by all threads: each takes some panels, so that it reads whole pieces of rows.
    fn panels(depth: usize, columns: usize, matrix: &[T]) -> Self {
        let width = panel_width::<T>(columns);
        let panel_step = panel_step(depth, width);
        let mut values = Buffer::stale(columns.div_ceil(width) * panel_step);
        par::for_each_part(
            &mut values,
            PANELS * panel_step,
            depth * columns,
            || (),
            |(), part, values| {
                let first = part * PANELS * width;
                for (p, row) in matrix.chunks_exact(columns).enumerate() {
                    let panels = values.chunks_exact_mut(panel_step);
                    for (panel, piece) in panels.zip(row[first..].chunks(width)) {
                        let place = &mut panel[p * width..][..width];
                        place[..piece.len()].copy_from_slice(piece);
                        place[piece.len()..].fill(T::zero());
                    }
                }
            },
        );
        Self::of_panels(depth, columns, values)
    }

    fn of_panels(depth: usize, columns: usize, values: Buffer<T>) -> Self {
        let width = panel_width::<T>(columns);
        Right {
            data: Lent::Owned(values),
            steps: Offsets::steps(depth, width),
            panel_step: panel_step(depth, width),
            width,
            columns,
            in_place: false,
        }
    }
}

/// What the sums are added to.
#[derive(Clone, Copy)]
pub enum Start<'a, T> {
    Zero,
    /// One value for each column.
    Columns(&'a [T]),
    /// One value for each row.
    Rows(&'a [T]),
    /// What `out` holds already.
    Out,
}

impl<T> Start<'_, T> {
    /// That of some of the columns.
    #[inline(always)]
    fn part(self, columns: Range<usize>) -> Self {
        match self {
            Start::Columns(values) => Start::Columns(&values[columns]),
            other => other,
        }
    }
}

/// `out[to[i] + j] = finish(start + sum over p of left[i, p] right[p, j])`.
pub fn product<T: Scalar>(
    left: Left<'_, T>,
    right: &Right<'_, T>,
    start: Start<'_, T>,
    finish: Finish,
    out: &mut [T],
    to: &[usize],
) {
    assert_eq!(left.cols.len(), right.steps.len(), "operands with different inner lengths");
    assert_eq!(left.rows.len(), to.len(), "a product has another number of rows than its place");
    let depth = left.cols.len();
    rows_by_pieces(depth, finish, (out, to, right.columns), |depth, first, finish, out, to| {
        let start = if first { start } else { Start::Zero };
        simd::dispatch(Product { left, right, depth, start, finish, out, to });
    });
}

struct Product<'a, T: Scalar> {
    left: Left<'a, T>,
    right: &'a Right<'a, T>,
    /// The summands.
    depth: Range<usize>,
    start: Start<'a, T>,
    finish: Finish,
    out: &'a mut [T],
    to: &'a [usize],
}

impl<T: Scalar> Kernel for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Product { left, right, depth, start, finish, out, to } = self;
        // At least one block, so that an empty sum still writes its start.
        for block in (depth.start..depth.end.max(depth.start + 1)).step_by(DEPTH) {
            let last = block + DEPTH >= depth.end;
            let block = block..(block + DEPTH).min(depth.end);
            let start = if block.start == depth.start { start } else { Start::Out };
            let finish = if last { finish } else { Finish::Plain };
            let left = Left { cols: left.cols.part(block.clone()), ..left };
            for (panel, j) in (0..right.columns).step_by(right.width).enumerate() {
                let width = right.width.min(right.columns - j);
                let strip = Strip {
                    left,
                    right: (&right.data, panel * right.panel_step, right.steps.part(block.clone())),
                    before: if right.in_place { j } else { 0 },
                    start: start.part(j..j + width),
                    finish,
                    to: Place { rows: to, column: j, width },
                };
                strip.run::<S>(out);
            }
        }
    }
}

/// Where a strip is written: row `i` begins at `rows[i] + column`.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub rows: &'a [usize],
    pub column: usize,
    pub width: usize,
}

/// All rows of a product, for the columns of one tile.
#[derive(Clone, Copy)]
pub struct Strip<'a, T> {
    pub left: Left<'a, T>,
    /// Element `(p, j)` is `data[column + steps[p] + j]`.
    pub right: (&'a [T], usize, Part<'a>),
    /// How many columns lie in front of these. A tile that is wider than the last columns begins with some of those, rather
    /// than to read beyond, and drops what they give.
    pub before: usize,
    pub start: Start<'a, T>,
    pub finish: Finish,
    pub to: Place<'a>,
}

impl<T: Scalar> Strip<'_, T> {
    /// Cuts the columns into pieces of four vectors (where there are registers for them), two and one, and the rows
    /// into tiles of those. There are registers for their accumulators, for the vectors of one row of the right
    /// operand and, because the compiler loads them ahead, for nearly all of the repeated values: tiles that look
    /// larger and better on paper spill.
    #[inline(always)]
    pub fn run<S: Simd>(self, out: &mut [T]) {
        let vector = Lanes::<S, T>::COUNT;
        let (data, first, steps) = self.right;
        let mut column = 0;
        while column < self.to.width {
            let left = self.to.width - column;
            let width = tile_width::<S, T>(left).min(left);
            let lanes = match width {
                _ if width <= vector => vector,
                _ if width <= 2 * vector => 2 * vector,
                _ => 4 * vector,
            };
            let skip = (lanes - width).min(self.before + column);
            let piece = Strip {
                right: (data, first + column - skip, steps),
                before: skip,
                start: self.start.part(column..column + width),
                to: Place { column: self.to.column + column, width, ..self.to },
                ..self
            };
            if width <= vector {
                piece.vectors::<S, 1>(out)
            } else if width <= 2 * vector {
                piece.vectors::<S, 2>(out)
            } else {
                piece.vectors::<S, 4>(out)
            }
            column += width;
        }
        // Behind the tiles: in the loop that rectifies them, one more comparison makes the compiler spill.
        if self.finish == Finish::Relu6 {
            let most = self.finish.most();
            for row in self.to.rows {
                let values = out[row + self.to.column..][..self.to.width].iter_mut();
                values.for_each(|value| *value = limited(*value, most));
            }
        }
    }

    #[inline(always)]
    fn vectors<S: Simd, const VECTORS: usize>(self, out: &mut [T]) {
        // A constant: with a product that is computed, all arms would be compiled.
        match const { VECTORS * Lanes::<S, T>::COUNT } {
            2 => self.tiles::<S, 2>(out),
            4 => self.tiles::<S, 4>(out),
            8 => self.tiles::<S, 8>(out),
            16 => self.tiles::<S, 16>(out),
            32 => self.tiles::<S, 32>(out),
            64 => self.tiles::<S, 64>(out),
            lanes => unreachable!("no vectors of {lanes} lanes"),
        }
    }

    #[inline(always)]
    fn tiles<S: Simd, const NR: usize>(self, out: &mut [T]) {
        let mut first = 0;
        while first < self.left.rows.len() {
            let left = self.left.rows.len() - first;
            first += if left > 2 {
                if Lanes::<S, T>::WIDE {
                    match left {
                        5 | 6 | 9.. => self.tile::<S, TILE_ROWS, NR>(first, out),
                        _ => self.tile::<S, 4, NR>(first, out),
                    }
                } else {
                    self.tile::<S, 4, NR>(first, out)
                }
            } else {
                self.tile::<S, 2, NR>(first, out)
            };
        }
    }

    /// The tile of the rows from `first` on. Returns how many they are.
    #[inline(always)]
    fn tile<S: Simd, const MR: usize, const NR: usize>(
        &self,
        first: usize,
        out: &mut [T],
    ) -> usize {
        let Strip { left: Left { data, rows, cols }, right, before, start, finish, to } = *self;
        // The last tile repeats its last row, and drops what that gives.
        let count = MR.min(rows.len() - first);
        let (mut at, mut into) = ([0; MR], [0; MR]);
        for i in 0..MR {
            let row = first + i.min(count - 1);
            (at[i], into[i]) = (rows[row], to.rows[row] + to.column);
        }
        let (whole, kept) = (to.width == NR, before..before + to.width);
        // All starts are rows in memory, so that there is one way from there to the registers.
        let zeros = [T::zero(); NR];
        let filled;
        let (from, begins): (&[T], [usize; MR]) = match start {
            Start::Zero => (&zeros, [0; MR]),
            Start::Columns(values) if whole => (values, [0; MR]),
            Start::Out if whole => (out, into),
            other => {
                let mut rows = [zeros; MR];
                for i in 0..MR {
                    match other {
                        Start::Zero => {}
                        Start::Columns(values) => rows[i][kept.clone()].copy_from_slice(values),
                        Start::Rows(values) => rows[i] = [values[first + i.min(count - 1)]; NR],
                        Start::Out => {
                            rows[i][kept.clone()].copy_from_slice(&out[into[i]..][..to.width]);
                        }
                    }
                }
                filled = rows;
                let mut begins = [0; MR];
                for i in 0..MR {
                    begins[i] = i * NR;
                }
                (filled.as_flattened(), begins)
            }
        };
        let mut acc = [[T::zero(); NR]; MR];
        for i in 0..MR {
            acc[i].copy_from_slice(&from[begins[i]..][..NR]);
        }
        let mut acc = tile::<S, T, MR, NR>(acc, (data, &at, cols), right);
        if finish != Finish::Plain {
            // In one loop: of two, the compiler would take the outer one apart, to gather columns.
            for value in acc.as_flattened_mut() {
                *value = rectified(*value);
            }
        }
        if whole {
            // Repeated rows write the same values again: the tile stays in registers.
            for i in 0..MR {
                out[into[i]..][..NR].copy_from_slice(&acc[i]);
            }
        } else {
            let rows = acc;
            for (row, &into) in rows.iter().zip(&into[..count]) {
                out[into..][..to.width].copy_from_slice(&row[kept.clone()]);
            }
        }
        count
    }
}

/// The matrix product `[m, k] x [k, n]` of operands with any strides.
#[track_caller]
pub fn matmul<T: Scalar>(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
    multiply(a, b, None, Finish::Plain)
}

/// `finish(a b + bias)`, where the bias `[n]` is added to every row.
///
/// If the rows of `a` are innermost in memory, as for images innermost, so are those of the result.
#[track_caller]
pub fn multiply<T: Scalar>(
    a: &Tensor<T>,
    b: &Tensor<T>,
    bias: Option<&[T]>,
    finish: Finish,
) -> Tensor<T> {
    let ([m, _], [_, n]) = (a.dims(), b.dims());
    let whole = m.is_multiple_of(simd::lanes::<T>());
    if m > 1 && n > 1 && whole && a.strides()[0] == 1 && a.strides()[1] >= m as isize {
        // y' = b' a', so that vectors run along the images.
        return rows_by_columns(&b.t(), &a.t(), bias.map_or(Start::Zero, Start::Rows), finish).t();
    }
    rows_by_columns(a, b, bias.map_or(Start::Zero, Start::Columns), finish)
}

/// The product in row-major order.
#[track_caller]
fn rows_by_columns<T: Scalar>(
    a: &Tensor<T>,
    b: &Tensor<T>,
    start: Start<'_, T>,
    finish: Finish,
) -> Tensor<T> {
    let ([m, k], [_, n]) = (a.dims(), b.dims());
    let mut out = Buffer::stale(Shape::from([m, n]).count());
    if out.is_empty() {
        return Tensor::from_buffer([m, n], out);
    }
    // A negative stride is rare enough to be worth a copy.
    let a = if a.strides().iter().all(|&stride| stride >= 0) { a.clone() } else { a.row_major() };
    let (data, row_step, col_step) = a.as_matrix();
    let (rows, cols) = (Offsets::steps(m, row_step), Offsets::steps(k, col_step));
    let b = b.row_major();
    let right = Right::new(k, n, b.stored(Order::RowMajor), m);
    let parts = m.div_ceil(ROWS).next_multiple_of(PARTS);
    let rows_each = m.div_ceil(parts).next_multiple_of(TILE_ROWS).min(m);
    let to = Offsets::steps(rows_each, n);
    let work = m.saturating_mul(n).saturating_mul(k);
    par::for_each_part(
        &mut out,
        rows_each * n,
        work,
        || (),
        |(), part, out| {
            let first = part * rows_each;
            let count = out.len() / n;
            let left =
                Left { data, rows: &rows.as_slice()[first..first + count], cols: cols.all() };
            let start = match start {
                Start::Rows(values) => Start::Rows(&values[first..first + count]),
                other => other,
            };
            product(left, &right, start, finish, out, &to.as_slice()[..count]);
        },
    );
    Tensor::from_buffer([m, n], out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Stream;
    use proptest::prelude::*;

    /// The definition, as plain loops in f64.
    fn naive<T: Scalar>(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<f64> {
        let ([m, k], [_, n]) = (a.dims(), b.dims());
        Tensor::from_fn([m, n], |at| {
            (0..k).map(|p| a.at([at[0], p]).widen() * b.at([p, at[1]]).widen()).sum()
        })
    }

    fn check<T: Scalar>(m: usize, k: usize, n: usize, layout: u8, tolerance: f64) {
        let mut rng = Stream::new((m * 1000 + k * 10 + n) as u64);
        let mut operand = |rows: usize, cols: usize, layout: u8| match layout % 4 {
            0 => Tensor::<T>::uniform([rows, cols], -1.0, 1.0, &mut rng),
            1 => Tensor::<T>::uniform([cols, rows], -1.0, 1.0, &mut rng).t(),
            2 => Tensor::<T>::uniform([rows, cols + 2], -1.0, 1.0, &mut rng).slice(1, 1..=cols),
            _ => Tensor::<T>::uniform([rows, cols], -1.0, 1.0, &mut rng).flip(0).flip(1),
        };
        let (a, b) = (operand(m, k, layout), operand(k, n, layout / 4));
        let bias = Tensor::<T>::uniform([n], -1.0, 1.0, &mut rng);
        let product = matmul(&a, &b);
        let finished = multiply(&a, &b, bias.as_slice(), Finish::Relu);
        let expected = naive(&a, &b);
        for i in 0..m {
            for j in 0..n {
                let (value, expected) = (product.at([i, j]).widen(), expected.at([i, j]));
                assert!((value - expected).abs() <= tolerance, "{m}x{k}x{n}: {value} {expected}");
                let (value, expected) =
                    (finished.at([i, j]).widen(), (expected + bias.at([j]).widen()).max(0.0));
                assert!((value - expected).abs() <= tolerance, "{m}x{k}x{n}: {value} {expected}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_strides_and_sizes(m in 0usize..70, k in 0usize..40, n in 0usize..40, layout in 0u8..16) {
            check::<f32>(m, k, n, layout, 1e-5);
            check::<f64>(m, k, n, layout, 1e-13);
        }
    }

    #[test]
    fn blocks_of_depth_and_rows() {
        for layout in [0, 1, 5] {
            check::<f32>(200, 600, 37, layout, 3e-4);
            check::<f64>(97, 513, 33, layout, 1e-12);
            // More columns than one thread packs.
            check::<f32>(70, 30, 600, layout, 1e-5);
            check::<f64>(70, 30, 300, layout, 1e-13);
        }
    }

    #[test]
    fn an_empty_sum_is_zero_or_the_bias() {
        let empty = Tensor::<f64>::zeros([2, 0]);
        let other = Tensor::zeros([0, 3]);
        assert_eq!(matmul(&empty, &other), Tensor::zeros([2, 3]));
        let bias = [1.0, -2.0, 3.0];
        let with_bias = multiply(&empty, &other, Some(&bias), Finish::Plain);
        assert_eq!(with_bias, Tensor::from([bias, bias]));
        let finished = multiply(&empty, &other, Some(&bias), Finish::Relu);
        assert_eq!(finished, Tensor::from([[1.0, 0.0, 3.0]; 2]));
    }

    /// Every element is one chain of multiply-adds, so the shape of the tile cannot change a bit.
    #[test]
    fn memory_order_and_size_do_not_change_bits() {
        let mut rng = Stream::new(1);
        let a = Tensor::<f32>::uniform([64, 300], -1.0, 1.0, &mut rng);
        let b = Tensor::<f32>::uniform([300, 21], -1.0, 1.0, &mut rng);
        let bits = |x: &Tensor<f32>| x.iter().map(f32::to_bits).collect::<Vec<_>>();
        let whole = matmul(&a, &b);
        let transposed = a.t().row_major().t();
        assert_eq!(bits(&matmul(&transposed, &b)), bits(&whole));
        for (from, until) in [(0, 1), (3, 8), (5, 64)] {
            let part = matmul(&a.slice(0, from..until), &b);
            assert_eq!(bits(&part), bits(&whole.slice(0, from..until)));
            let part = matmul(&a, &b.slice(1, 0..until.min(21)));
            assert_eq!(bits(&part), bits(&whole.slice(1, 0..until.min(21))));
        }
    }
}
