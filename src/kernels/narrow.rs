//! Products with few columns.

use crate::buffer::Buffer;
use crate::scalar::Scalar;
use crate::simd::{Kernel, Offsets, Simd, dots, with_lanes};

/// A product with up to four columns, which would leave most of a vector empty: vectors run along the summands
/// instead, and their lanes are added at the end.
pub struct Narrow<'a, T> {
    pub data: &'a [T],
    pub rows: &'a [usize],
    /// Where the summands of a row lie, a vector of neighbours at a time.
    pub vectors: &'a Offsets,
    /// The columns, one behind the other.
    pub columns: &'a [T],
    pub out: &'a mut [T],
    /// Where each row of the result begins.
    pub to: &'a [usize],
}

impl<T: Scalar> Kernel for Narrow<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        with_lanes!(self.lanes::<S, T>())
    }
}

impl<T: Scalar> Narrow<'_, T> {
    #[inline(always)]
    fn lanes<S: Simd, const L: usize>(mut self) {
        match self.columns.len() / (self.vectors.len() * L).max(1) {
            1 => self.columns::<S, 6, 1, L>(),
            2 => self.columns::<S, 4, 2, L>(),
            3 => self.columns::<S, 3, 3, L>(),
            4 => self.columns::<S, 3, 4, L>(),
            columns => unreachable!("{columns} columns are not narrow"),
        }
    }

    #[inline(always)]
    fn columns<S: Simd, const MR: usize, const NR: usize, const L: usize>(&mut self) {
        let depth = self.vectors.len() * L;
        let steps = Offsets::steps(self.vectors.len(), L);
        let mut columns = [0; NR];
        for j in 0..NR {
            columns[j] = j * depth;
        }
        // All lanes first, and their sums in a loop of its own: together, the compiler would keep the accumulators in
        // an order that suits the sums.
        let mut lanes = Buffer::stale(self.rows.len() * NR * L);
        for first in (0..self.rows.len()).step_by(MR) {
            // The last tile repeats its last row.
            let last = self.rows.len() - 1;
            let mut rows = [0; MR];
            for i in 0..MR {
                rows[i] = self.rows[(first + i).min(last)];
            }
            let acc = dots::<S, T, MR, NR, L>(
                [[[T::zero(); L]; NR]; MR],
                (self.data, &rows, self.vectors.all()),
                (self.columns, &columns, steps.all()),
            );
            for i in 0..MR {
                let row = (first + i).min(last);
                for j in 0..NR {
                    lanes[(row * NR + j) * L..][..L].copy_from_slice(&acc[i][j]);
                }
            }
        }
        for (row, &to) in lanes.chunks_exact(NR * L).zip(self.to) {
            let sums = self.out[to..to + NR].iter_mut().zip(row.chunks_exact(L));
            sums.for_each(|(sum, lanes)| *sum = lanes.iter().copied().sum());
        }
    }
}
