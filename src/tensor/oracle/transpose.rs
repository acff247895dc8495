//! Exchanging rows and columns.

use super::super::testing::SIZES;
use super::super::transpose::transpose;
use crate::simd;

fn check<T: Copy + Default + PartialEq + std::fmt::Debug>(number: impl Fn(usize) -> T) {
    let sizes = [&SIZES[..], &[0, 2, 7, 8, 9]].concat();
    for (&rows, &columns) in sizes.iter().flat_map(|rows| sizes.iter().map(move |c| (rows, c))) {
        let from: Vec<T> = (0..rows * columns).map(&number).collect();
        let at = |at: usize| from[at % rows * columns + at / rows];
        let expected: Vec<T> = (0..from.len()).map(at).collect();
        simd::testing::at_each_level(|| {
            let mut into = vec![T::default(); from.len()];
            transpose(&from, [rows, columns], &mut into);
            assert!(into == expected, "{rows}x{columns} {}", simd::instruction_set());
        });
    }
}

#[test]
fn each_element_moves_to_its_place() {
    check(|i| i as u8);
    check(|i| i as f32 + 1.0);
    check(|i| i as f64 + 1.0);
}

#[test]
#[should_panic(expected = "a transposition of its size")]
fn a_result_of_another_size() {
    transpose(&[1.0; 6], [2, 3], &mut [0.0; 5]);
}
