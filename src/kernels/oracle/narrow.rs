//! Products of few columns against inner products.

use super::super::narrow::Narrow;
use super::{at_each_level, chain};
use crate::scalar::Scalar;
use crate::simd::{self, Offsets};
use crate::tensor::testing::{Draw, pairs, same};

/// All numbers of columns, rows that leave every rest of the tiles, and summands in several vectors, of which each
/// begins at a place of its own.
fn check<T: Scalar>(fractions: bool) {
    let lens = [1, 2, 3, 5, 16, 17];
    for case in pairs(1, [4, 13, lens.len(), 3]) {
        let (columns, rows, vectors) = (case[0] + 1, case[1] + 1, lens[case[2]]);
        at_each_level(|| {
            let lanes = simd::lanes::<T>();
            let mut draw = Draw::new((rows * vectors) as u64);
            // Vectors lie backwards in a row, with a gap between them; rows overlap, or lie in another order.
            let (gap, row_step) = [(0, 1), (3, lanes), (1, vectors * (lanes + 1))][case[3]];
            let steps = Offsets::new(vectors, (0..vectors).rev().map(|v| v * (lanes + gap)));
            let starts: Vec<usize> = (0..rows).map(|i| (i * 5 + 2) % rows * row_step).collect();
            let highest = starts.iter().max().expect("a row");
            let len = highest + (vectors - 1) * (lanes + gap) + lanes;
            let mut numbers = |len: usize| match fractions {
                true => draw.fractions::<T>(len),
                false => draw.whole(len, 4),
            };
            let (data, matrix) = (numbers(len), numbers(columns * vectors * lanes));
            // A gap between the rows of the result, with something in it.
            let to: Vec<usize> = (0..rows).rev().map(|i| i * (columns + 1) + 1).collect();
            let before = numbers(rows * (columns + 1) + 1);
            let mut expected = before.clone();
            for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                let lane = |lane: usize| {
                    let factors: Vec<(T, T)> = (0..vectors)
                        .map(|v| {
                            let x = data[starts[i] + steps.as_slice()[v] + lane];
                            (x, matrix[(j * vectors + v) * lanes + lane])
                        })
                        .collect();
                    chain(T::zero(), &factors)
                };
                expected[to[i] + j] = (0..lanes).fold(T::zero(), |sum, l| sum + lane(l));
            }
            let mut out = before;
            simd::dispatch(Narrow {
                data: &data,
                rows: &starts,
                vectors: &steps,
                columns: &matrix,
                out: &mut out,
                to: &to,
            });
            assert!(same(&out, &expected), "{case:?} {}", simd::instruction_set());
        });
    }
}

#[test]
fn inner_products() {
    check::<f32>(false);
    check::<f64>(false);
}

/// A chain for each lane, and the lanes from the first to the last.
#[test]
fn every_bit_is_that_of_the_lanes() {
    check::<f32>(true);
    check::<f64>(true);
}

#[test]
fn a_nan_stays_in_its_row_and_column() {
    at_each_level(|| {
        let lanes = simd::lanes::<f32>();
        for (columns, nan_row) in (1..5).flat_map(|columns| (0..7).map(move |row| (columns, row))) {
            let mut data = vec![1.0; 7 * lanes];
            data[nan_row * lanes + lanes - 1] = f32::NAN;
            let mut matrix = vec![2.0; columns * lanes];
            matrix[(columns - 1) * lanes] = f32::INFINITY;
            let (rows, vectors) = (Offsets::steps(7, lanes), Offsets::steps(1, lanes));
            let mut out = vec![0.0; 7 * columns];
            let to = Offsets::steps(7, columns);
            let (rows, to) = (rows.as_slice(), to.as_slice());
            simd::dispatch(Narrow {
                data: &data,
                rows,
                vectors: &vectors,
                columns: &matrix,
                out: &mut out,
                to,
            });
            for (at, &value) in out.iter().enumerate() {
                let (row, column) = (at / columns, at % columns);
                let finite = if column + 1 < columns { 2.0 * lanes as f32 } else { f32::INFINITY };
                assert!(if row == nan_row { value.is_nan() } else { value == finite }, "{out:?}");
            }
        }
    });
}
