//! A product that is added to what is there, of operands that are read where they lie.

use super::gemm::{DEPTH, Finish, Left, Place, Start, Strip};
use crate::scalar::Scalar;
use crate::simd::Part;

/// `sums[to[i] + j] += sum over p of left[i, p] right[p, j]`, for all columns `j`. Unlike [`product`](super::gemm::product), it packs
/// nothing and does not cut long sums.
pub struct Accumulate<'a, T> {
    pub left: Left<'a, T>,
    /// Row `p` begins at `data[steps[p]]`.
    pub right: (&'a [T], Part<'a>),
    pub columns: usize,
    pub to: Part<'a>,
    pub sums: &'a mut [T],
}

impl<T: Scalar> Accumulate<'_, T> {
    /// Computes it.
    pub fn run(self) {
        let Accumulate { left, right: (data, steps), columns, to, sums } = self;
        for first in (0..steps.len()).step_by(DEPTH) {
            let block = first..(first + DEPTH).min(steps.len());
            let strip = Strip {
                left: Left { cols: left.cols.part(block.clone()), ..left },
                right: (data, 0, steps.part(block)),
                start: Start::Out,
                finish: Finish::Plain,
                before: 0,
                to: Place { rows: to, column: 0, width: columns },
            };
            strip.run(sums);
        }
    }
}
