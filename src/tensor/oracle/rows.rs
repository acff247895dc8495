//! The elements along axes as rows.

use super::super::Tensor;
use super::super::testing::read;
use super::{each_layout, indices};

/// For every choice of axes: the rows hold what lies along them, in reading order, and go back to where they came from.
#[test]
fn rows_along_any_axes() {
    each_layout(|dims, values, x| {
        for bits in 0..8 {
            let flags = [0, 1, 2].map(|axis| bits >> axis & 1 == 1);
            let axes: Vec<usize> = (0..3).filter(|&axis| flags[axis]).collect();
            let kept: Vec<usize> = (0..3).filter(|&a| !flags[a]).map(|a| dims[a]).collect();
            let mut groups = vec![Vec::new(); kept.iter().product()];
            let group = |at: [usize; 3]| {
                (0..3).filter(|&axis| !flags[axis]).fold(0, |g, axis| g * dims[axis] + at[axis])
            };
            let mut expected = Vec::new();
            for (at, &value) in indices(dims).zip(values) {
                let row: &mut Vec<f64> = &mut groups[group(at)];
                // Each is told its row, its place there, and its value.
                expected.push(1e6 * group(at) as f64 + 1e3 * row.len() as f64 + value);
                row.push(value);
            }
            let mut seen = Vec::new();
            let folded = x.fold_rows(&axes, &mut |row| {
                seen.push(row.to_vec());
                seen.len() as f64
            });
            assert_eq!(seen, groups);
            assert_eq!(folded.shape(), super::super::Shape::new(&kept));
            assert_eq!(folded.to_vec(), (1..=groups.len()).map(|i| i as f64).collect::<Vec<_>>());
            let mut row_number = 0.0;
            let mapped = x.map_rows(&axes, &mut |row| {
                let told = |(i, x): (usize, &mut f64)| *x += 1e6 * row_number + 1e3 * i as f64;
                row.iter_mut().enumerate().for_each(told);
                row_number += 1.0;
            });
            assert_eq!((mapped.shape(), read(&mapped)), (x.shape(), expected));
            assert_eq!(read(x), values, "rows that wrote to what is shared");
        }
    });
    let one = Tensor::scalar(3.0).map_rows(&[], &mut |row| row[0] += 1.0);
    assert_eq!(one, Tensor::scalar(4.0));
}
