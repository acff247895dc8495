//! The products of a recurrent layer's steps: rows times one matrix, over and over.

use super::gemm::{Finish, Left, Right, Start, product};
use crate::scalar::Scalar;
use crate::simd::Offsets;
use std::ops::Range;

/// A matrix `[depth, columns]` that is packed once, for products with `n` rows at a time.
pub struct Steps<'a, T: Scalar> {
    right: Right<'a, T>,
    rows: Offsets,
    cols: Offsets,
    to: Offsets,
}

impl<'a, T: Scalar> Steps<'a, T> {
    /// For `steps` products of `n` rows. `strides` are the distances from one row to the next, of what is multiplied and of
    /// the results.
    pub fn new(
        matrix: &'a [T],
        [depth, columns]: [usize; 2],
        [n, steps]: [usize; 2],
        strides: [usize; 2],
    ) -> Self {
        let (rows, to) = (Offsets::steps(n, strides[0]), Offsets::steps(n, strides[1]));
        let right = Right::new(depth, columns, matrix, n * steps);
        Steps { right, rows, cols: Offsets::steps(depth, 1), to }
    }

    /// `out += left matrix`, for rows that begin at the beginning of both.
    pub fn add(&self, left: &[T], out: &mut [T]) {
        let left = Left { data: left, rows: self.rows.all(), cols: self.cols.all() };
        product(left, &self.right, Start::Out, Finish::Plain, out, self.to.all());
    }
}

/// Some columns of rows that lie `stride` apart, row by row.
pub fn columns<T>(
    values: &[T],
    stride: usize,
    columns: Range<usize>,
) -> impl Iterator<Item = &[T]> {
    values.chunks_exact(stride).map(move |row| &row[columns.clone()])
}

/// [`columns`] that may be changed.
pub fn columns_mut<T>(
    values: &mut [T],
    stride: usize,
    columns: Range<usize>,
) -> impl Iterator<Item = &mut [T]> {
    values.chunks_exact_mut(stride).map(move |row| &mut row[columns.clone()])
}
