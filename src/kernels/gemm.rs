//! The one driver behind matrix products and convolutions.
//!
//! `out[i, j] = start + sum over p of a[i, p] b[p, j]`, computed in tiles of a few rows and one to
//! four vectors of columns, which stay in registers while `p` runs. Both operands are read through
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
use crate::simd::{self, Kernel, Offsets, Part, Simd, tile_width};
use crate::tensor::{Order, Shape, Tensor};
use std::marker::PhantomData;

pub use super::sums::{limited, rectified};
pub use crate::simd::{Finish, Left, Place, Start, Strip};

/// Summands that are added before the next panel is taken: so many rows of a panel stay in the first-level cache, or
/// with AVX-512 come from the second-level one in time.
pub const DEPTH: usize = 512;
/// Rows of the output that one thread takes at a time, about.
const ROWS: usize = 96;
/// Rows of a high tile.
pub const TILE_ROWS: usize = 6;
/// A number of rows that high tiles of six and of nine rows divide.
const WHOLE_TILES: usize = 18;
/// The output is cut into a multiple of so many parts, lest one thread computes the last one alone.
const PARTS: usize = 8;

/// Multiply-adds that a part has at least: less would be lost among what a part costs by itself.
const PART_WORK: usize = 1 << 16;

/// Panels that one thread packs at a time.
const PANELS: usize = 16;

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

/// `out[to[i] + j] = finish(start + sum over p of left[i, p] right[p, j])`.
pub fn product<T: Scalar>(
    left: Left<'_, T>,
    right: &Right<'_, T>,
    start: Start<'_, T>,
    finish: Finish,
    out: &mut [T],
    to: Part<'_>,
) {
    assert_eq!(left.cols.len(), right.steps.len(), "operands with different inner lengths");
    assert_eq!(left.rows.len(), to.len(), "a product has another number of rows than its place");
    let depth = left.cols.len();
    rows_by_pieces(depth, finish, (out, to, right.columns), |depth, first, finish, out, to| {
        let start = if first { start } else { Start::Zero };
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
                strip.run(out);
            }
        }
    });
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
    let least = PART_WORK / k.saturating_mul(n).max(1);
    let rows_each = m.div_ceil(parts).max(least).next_multiple_of(WHOLE_TILES).min(m);
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
            let left = Left { data, rows: rows.part(first..first + count), cols: cols.all() };
            let start = match start {
                Start::Rows(values) => Start::Rows(&values[first..first + count]),
                other => other,
            };
            product(left, &right, start, finish, out, to.part(0..count));
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
