//! The one driver behind matrix products and convolutions.
//!
//! `out[i, j] = start + sum over p of lhs[i, p] * rhs[p, j]`, computed in tiles of `MR x NR` outputs
//! that stay in vector registers while `p` runs. The right operand is packed into panels of `NR`
//! columns, so that one step of `p` loads whole vectors; the left operand is read in place through
//! [`Offsets`], which is what makes a convolution a product without a column matrix. `p` runs in
//! blocks, so that a panel's part stays in the first-level cache. (The scheme is that of Goto and
//! van de Geijn, *Anatomy of high-performance matrix multiplication*, 2008.)

use super::par;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Offsets, Simd};
use crate::tensor::Tensor;

/// Products of one sum are added in blocks of this many.
const DEPTH: usize = 256;
/// Rows of the output that one thread takes at a time: a multiple of every tile's height.
const ROWS: usize = 96;

/// The left operand, read in place: element `(i, p)` is `data[rows[i] + cols[p]]`.
#[derive(Clone, Copy)]
pub struct Lhs<'a, T> {
    pub data: &'a [T],
    pub rows: &'a Offsets,
    pub cols: &'a Offsets,
}

/// The right operand, packed: panels of `width` columns, each row-major, the last filled with zeros.
pub struct Panels<T> {
    values: Vec<T>,
    width: usize,
    depth: usize,
    columns: usize,
}

impl<T: Scalar> Panels<T> {
    /// Room for an operand with `depth` rows and `columns` columns.
    pub fn new(depth: usize, columns: usize) -> Self {
        let width = panel_width::<T>(columns);
        let values = vec![T::zero(); depth * columns.next_multiple_of(width)];
        Panels { values, width, depth, columns }
    }

    /// Packs the row-major matrix `[depth, columns]`.
    pub fn pack(&mut self, matrix: &[T]) {
        let (width, columns) = (self.width, self.columns);
        let rows = matrix.chunks_exact(columns);
        for (p, row) in rows.enumerate() {
            for (panel, part) in row.chunks(width).enumerate() {
                let at = (panel * self.depth + p) * width;
                self.values[at..at + part.len()].copy_from_slice(part);
            }
        }
    }

    /// Packs the matrix whose element `(p, j)` is `at(p, j)`.
    pub fn pack_with(&mut self, at: impl Fn(usize, usize) -> T) {
        for p in 0..self.depth {
            for j in 0..self.columns {
                self.values[(j / self.width * self.depth + p) * self.width + j % self.width] =
                    at(p, j);
            }
        }
    }
}

/// What the sums are added to.
#[derive(Clone, Copy)]
pub enum Start<'a, T> {
    Zero,
    /// One value for each column.
    Bias(&'a [T]),
    /// What `out` holds already.
    Out,
}

/// Columns of a panel: one vector where that is enough, else two.
fn panel_width<T: Scalar>(columns: usize) -> usize {
    let lanes = simd::vector_bytes() / T::BYTES;
    if columns <= lanes && lanes * T::BYTES > 16 { lanes } else { 2 * lanes }
}

/// Adds the product to `start` and writes it to the row-major `out` of `lhs.rows x rhs.columns`.
pub fn product<T: Scalar>(lhs: Lhs<'_, T>, rhs: &Panels<T>, start: Start<'_, T>, out: &mut [T]) {
    product_rows(lhs, 0, rhs, start, out);
}

/// The rows of the product from `first` on, as many as `out` holds.
fn product_rows<T: Scalar>(
    lhs: Lhs<'_, T>,
    first: usize,
    rhs: &Panels<T>,
    start: Start<'_, T>,
    out: &mut [T],
) {
    assert_eq!(lhs.cols.len(), rhs.depth, "a product's operands have different inner lengths");
    simd::dispatch(Product { lhs, first, rhs, start, out });
}

struct Product<'a, T> {
    lhs: Lhs<'a, T>,
    first: usize,
    rhs: &'a Panels<T>,
    start: Start<'a, T>,
    out: &'a mut [T],
}

impl<T: Scalar> Kernel for Product<'_, T> {
    type Output = ();

    /// Chooses the tile. Its accumulators, the vectors of one panel row and one broadcast value fill
    /// the registers (16 of them, 32 with AVX-512) without overflowing them.
    #[inline(always)]
    fn run<S: Simd>(self) {
        match (S::VECTOR_BYTES, T::BYTES, self.rhs.width) {
            (16, 4, 8) => self.tiles::<S, 4, 8>(),
            (16, 8, 4) => self.tiles::<S, 4, 4>(),
            (32, 4, 8) => self.tiles::<S, 8, 8>(),
            (32, 4, 16) => self.tiles::<S, 6, 16>(),
            (32, 8, 4) => self.tiles::<S, 8, 4>(),
            (32, 8, 8) => self.tiles::<S, 6, 8>(),
            (64, 4, 16) => self.tiles::<S, 12, 16>(),
            (64, 4, 32) => self.tiles::<S, 12, 32>(),
            (64, 8, 8) => self.tiles::<S, 12, 8>(),
            (64, 8, 16) => self.tiles::<S, 12, 16>(),
            (_, _, width) => unreachable!("no tile for panels of {width} columns"),
        }
    }
}

impl<T: Scalar> Product<'_, T> {
    #[inline(always)]
    fn tiles<S: Simd, const MR: usize, const NR: usize>(self) {
        let Product { lhs, first, rhs, start, out } = self;
        let (depth, columns) = (rhs.depth, rhs.columns);
        if out.is_empty() {
            return;
        }
        let rows = &lhs.rows.as_slice()[first..first + out.len() / columns];
        let (panel_rows, _) = rhs.values.as_chunks::<NR>();
        // At least one block, so that an empty sum still writes its start.
        for block in (0..depth.max(1)).step_by(DEPTH) {
            let block = block..(block + DEPTH).min(depth);
            let cols = lhs.cols.part(block.clone());
            let start = if block.start == 0 { start } else { Start::Out };
            for (panel, j) in (0..columns).step_by(NR).enumerate() {
                let width = NR.min(columns - j);
                let panel = &panel_rows[panel * depth..][block.clone()];
                let mut bias = [T::zero(); NR];
                if let Start::Bias(values) = start {
                    bias[..width].copy_from_slice(&values[j..j + width]);
                }
                let keep = matches!(start, Start::Out);
                for (tile_rows, out) in rows.chunks(MR).zip(out.chunks_mut(MR * columns)) {
                    // The last tile repeats its last row, and drops what that gives.
                    let at = std::array::from_fn(|i| tile_rows[i.min(tile_rows.len() - 1)]);
                    let sums = simd::tile::<S, T, MR, NR>(lhs.data, &at, cols, panel);
                    for (sums, out) in sums.iter().zip(out.chunks_mut(columns)) {
                        store(sums, &bias, keep, &mut out[j..j + width]);
                    }
                }
            }
        }
    }
}

/// Writes one row of a tile, or its first part: added to what is there, or to the bias.
#[inline(always)]
fn store<T: Scalar, const NR: usize>(sums: &[T; NR], bias: &[T; NR], keep: bool, out: &mut [T]) {
    let value = |j: usize, old: T| if keep { old + sums[j] } else { sums[j] + bias[j] };
    match <&mut [T; NR]>::try_from(&mut *out) {
        // Nearly always: a length that the compiler knows.
        Ok(row) => (0..NR).for_each(|j| row[j] = value(j, row[j])),
        Err(_) => out.iter_mut().enumerate().for_each(|(j, old)| *old = value(j, *old)),
    }
}

/// The matrix product `[m, k] x [k, n]` of operands with any strides.
pub fn matmul<T: Scalar>(a: &Tensor<T>, b: &Tensor<T>) -> Tensor<T> {
    let ([m, k], [_, n]) = (a.dims(), b.dims());
    // A negative stride is rare enough to be worth a copy.
    let a = if a.strides().iter().all(|&stride| stride >= 0) { a.clone() } else { a.row_major() };
    let (data, row_step, col_step) = a.as_matrix();
    let rows = Offsets::new((0..m).map(|i| i * row_step));
    let cols = Offsets::new((0..k).map(|p| p * col_step));
    let lhs = Lhs { data, rows: &rows, cols: &cols };

    let mut panels = Panels::new(k, n);
    if n > 0 {
        panels.pack(b.row_major().as_slice().expect("just made row-major"));
    }
    let mut out = vec![T::zero(); m * n];
    par::for_each_part(
        &mut out,
        (ROWS * n).max(1),
        m * n * k,
        || (),
        |(), part, out| {
            product_rows(lhs, part * ROWS, &panels, Start::Zero, out);
        },
    );
    Tensor::new([m, n], out)
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
        let product = matmul(&a, &b);
        let expected = naive(&a, &b);
        for (value, expected) in product.iter().zip(expected.iter()) {
            assert!(
                (value.widen() - expected).abs() <= tolerance,
                "{m}x{k}x{n}: {value} {expected}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_strides_and_sizes(m in 0usize..40, k in 0usize..40, n in 0usize..40, layout in 0u8..16) {
            check::<f32>(m, k, n, layout, 1e-5);
            check::<f64>(m, k, n, layout, 1e-13);
        }
    }

    #[test]
    fn blocks_of_depth_and_rows() {
        check::<f32>(200, 600, 37, 0, 2e-4);
        check::<f64>(97, 513, 33, 5, 1e-12);
    }

    #[test]
    fn an_empty_sum_is_zero_or_the_bias() {
        let empty = Tensor::<f64>::zeros([2, 0]);
        assert_eq!(matmul(&empty, &Tensor::zeros([0, 3])), Tensor::zeros([2, 3]));
    }
}
