//! Exchanging rows and columns in memory.

use crate::simd::{self, Kernel, Simd};

/// Side of a block that is turned around in registers.
const SIDE: usize = 8;
/// Columns that are taken before the next rows: whole cache lines, for the rows of a block often lie a power of two
/// apart, where few lines have room in the first-level cache at once.
const COLUMNS: usize = 2 * SIDE;

/// Writes the row-major matrix `from` of `[rows, columns]` to `into`, row-major with the two exchanged.
pub fn transpose<T: Copy + Default>(from: &[T], [rows, columns]: [usize; 2], into: &mut [T]) {
    assert!(
        from.len() == rows * columns && into.len() == from.len(),
        "a transposition of its size"
    );
    simd::dispatch(Transpose { from, rows, columns, into });
}

struct Transpose<'a, T> {
    from: &'a [T],
    rows: usize,
    columns: usize,
    into: &'a mut [T],
}

impl<T: Copy + Default> Kernel for Transpose<'_, T> {
    type Output = ();
    const LONG: bool = false;

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Transpose { from, rows, columns, into } = self;
        let (whole_rows, whole_columns) = (rows / SIDE * SIDE, columns / SIDE * SIDE);
        for first in (0..whole_columns).step_by(COLUMNS) {
            for row in (0..whole_rows).step_by(SIDE) {
                for column in (first..(first + COLUMNS).min(whole_columns)).step_by(SIDE) {
                    let mut block = [[T::default(); SIDE]; SIDE];
                    for i in 0..SIDE {
                        block[i].copy_from_slice(&from[(row + i) * columns + column..][..SIDE]);
                    }
                    let block = turned(block);
                    for j in 0..SIDE {
                        into[(column + j) * rows + row..][..SIDE].copy_from_slice(&block[j]);
                    }
                }
            }
        }
        for row in 0..rows {
            let first = if row < whole_rows { whole_columns } else { 0 };
            for column in first..columns {
                into[column * rows + row] = from[row * columns + column];
            }
        }
    }
}

/// A block with rows and columns exchanged: three times, each row of the upper half is interleaved with the one as far
/// down in the lower half. Interleaving is an instruction that vectors have; each round moves one bit of an element's
/// column to its row.
#[inline(always)]
fn turned<T: Copy + Default>(mut block: [[T; SIDE]; SIDE]) -> [[T; SIDE]; SIDE] {
    for _ in 0..3 {
        let mut next = block;
        for i in 0..SIDE / 2 {
            for k in 0..SIDE {
                let upper = [block[i], block[i + SIDE / 2]][k % 2];
                next[2 * i][k] = upper[k / 2];
                next[2 * i + 1][k] = upper[SIDE / 2 + k / 2];
            }
        }
        block = next;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sizes() {
        for (rows, columns) in [(0, 3), (1, 1), (7, 9), (8, 8), (16, 3), (3, 17), (33, 40)] {
            let from: Vec<u32> = (0..(rows * columns) as u32).collect();
            let mut into = vec![0; from.len()];
            transpose(&from, [rows, columns], &mut into);
            let expected: Vec<u32> = (0..columns)
                .flat_map(|column| (0..rows).map(move |row| (row * columns + column) as u32))
                .collect();
            assert_eq!(into, expected, "{rows}x{columns}");
        }
    }
}
