//! Exchanging rows and columns in memory.

/// Sides of a block: its rows, and its columns once they are rows, stay in the cache together.
const SIDE: usize = 8;

/// Writes the row-major matrix `from` of `[rows, columns]` to `into`, row-major with the two exchanged.
pub fn transpose<T: Copy>(from: &[T], [rows, columns]: [usize; 2], into: &mut [T]) {
    debug_assert!(from.len() == rows * columns && into.len() == from.len());
    let (whole_rows, whole_columns) = (rows / SIDE * SIDE, columns / SIDE * SIDE);
    for column in (0..whole_columns).step_by(SIDE) {
        for row in (0..whole_rows).step_by(SIDE) {
            let block: [&[T; SIDE]; SIDE] = std::array::from_fn(|i| {
                from[(row + i) * columns + column..][..SIDE].try_into().expect("a row of a block")
            });
            for j in 0..SIDE {
                let turned: [T; SIDE] = std::array::from_fn(|i| block[i][j]);
                into[(column + j) * rows + row..][..SIDE].copy_from_slice(&turned);
            }
        }
    }
    let mut copy = |row: usize, column: usize| into[column * rows + row] = from[row * columns + column];
    for row in 0..rows {
        let first = if row < whole_rows { whole_columns } else { 0 };
        (first..columns).for_each(|column| copy(row, column));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sizes() {
        for (rows, columns) in [(0, 3), (1, 1), (7, 9), (8, 8), (16, 3), (3, 17), (33, 40)] {
            let from: Vec<usize> = (0..rows * columns).collect();
            let mut into = vec![0; from.len()];
            transpose(&from, [rows, columns], &mut into);
            let expected: Vec<usize> = (0..columns)
                .flat_map(|column| (0..rows).map(move |row| row * columns + column))
                .collect();
            assert_eq!(into, expected, "{rows}x{columns}");
        }
    }
}
