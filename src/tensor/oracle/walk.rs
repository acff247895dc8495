//! The visit of strided elements.

use super::super::shape::{MAX_RANK, Shape};
use super::super::testing::{Draw, places};
use super::super::walk::runs;

/// The places that a visit comes by, operand by operand, and the number of its runs.
fn visited<const K: usize>(
    dims: &[usize],
    strides: &[[isize; MAX_RANK]; K],
    start: [isize; K],
) -> ([Vec<isize>; K], usize) {
    let (mut places, mut count) = (std::array::from_fn(|_| Vec::new()), 0);
    runs(
        Shape::new(dims),
        strides.each_ref(),
        start,
        &mut |len: usize, at: [isize; K], step: [isize; K]| {
            count += 1;
            for i in 0..len as isize {
                (0..K).for_each(|k| places[k].push(at[k] + i * step[k]));
            }
        },
    );
    (places, count)
}

fn check<const K: usize>(draw: &mut Draw) {
    let rank = draw.below(MAX_RANK + 1);
    let dims: Vec<usize> = (0..rank).map(|_| [1, 1, 2, 3, 4, 0][draw.below(23) % 6]).collect();
    let strides: [[isize; MAX_RANK]; K] = std::array::from_fn(|_| {
        let mut strides = Shape::new(&dims).row_major();
        match draw.below(4) {
            // Axes that lie like one are merged, but not in all operands.
            0 => strides,
            1 => {
                strides.swap(draw.below(rank.max(1)), draw.below(rank.max(1)));
                strides
            }
            2 => {
                strides[draw.below(MAX_RANK)] = 0;
                strides
            }
            _ => std::array::from_fn(|_| draw.below(9) as isize - 4),
        }
    });
    let start = std::array::from_fn(|_| draw.below(100) as isize);
    let (seen, _) = visited(&dims, &strides, start);
    let expected: [_; K] = std::array::from_fn(|k| places(&dims, &strides[k], start[k]));
    assert_eq!(seen, expected, "{dims:?} {strides:?}");
}

#[test]
fn elements_come_in_reading_order() {
    let draw = &mut Draw::new(1);
    for _ in 0..2000 {
        check::<1>(draw);
        check::<2>(draw);
        check::<3>(draw);
    }
}

#[test]
fn axes_that_lie_like_one_are_one_run() {
    let dims = [2, 3, 1, 4];
    let rows = Shape::new(&dims).row_major();
    assert_eq!(visited(&dims, &[rows, rows], [0, 7]).1, 1);
    // The last axis has gaps in one operand.
    let gaps = [15, 5, 5, 1, 0, 0];
    assert_eq!(visited(&dims, &[rows, gaps], [0, 0]).1, 6);
    assert_eq!(visited(&[], &[[0; MAX_RANK]], [5]), ([vec![5]], 1));
    assert_eq!(visited(&[2, 0], &[[1; MAX_RANK]], [5]), ([vec![]], 0));
}
