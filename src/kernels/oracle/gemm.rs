//! Products against `start + sum over p of a b`.

use super::super::gemm::{
    DEPTH, Finish, Left, Place, Right, Start, Strip, matmul, multiply, panel_width, product,
    rectified,
};
use super::{at_each_level, chain, soil};
use crate::scalar::Scalar;
use crate::simd::{self, Offsets};
use crate::tensor::Tensor;
use crate::tensor::testing::{Draw, LAYOUTS, laid_out, pairs, read, same};

/// Rows that leave every rest of tiles of 9, 8, 6, 4 and 3.
const ROWS: usize = 20;
/// Columns around one to four vectors of every instruction set.
const COLUMNS: [usize; 28] = [
    1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 66, 127,
    128, 129, 130,
];

const FINISHES: [Finish; 3] = [Finish::Plain, Finish::Relu, Finish::Relu6];

fn finished<T: Scalar>(finish: Finish, x: T) -> T {
    // As comparisons that a NaN does not pass.
    match finish {
        Finish::Plain => x,
        _ if x < T::zero() => T::zero(),
        Finish::Relu6 if x > T::lit(6.0) => T::lit(6.0),
        _ => x,
    }
}

/// `start + a b` for row-major matrices.
fn definition<T: Scalar>(
    a: &[T],
    b: &[T],
    [rows, depth, columns]: [usize; 3],
    start: impl Fn(usize, usize) -> T,
) -> Vec<T> {
    let mut sums = Vec::new();
    for i in 0..rows {
        let mut row: Vec<T> = (0..columns).map(|j| start(i, j)).collect();
        for p in 0..depth {
            let b = &b[p * columns..][..columns];
            row.iter_mut().zip(b).for_each(|(sum, &b)| *sum += a[i * depth + p] * b);
        }
        sums.extend(row);
    }
    sums
}

/// Puts a number that is not finite in some place near the end, or none.
fn poison<T: Scalar>(values: &mut [T], kind: usize) {
    if let (Some(at), 1..) = (values.len().checked_sub(1 + kind), kind) {
        values[at] = [T::nan(), T::infinity(), T::neg_infinity()][kind - 1];
    }
}

fn check_matrices<T: Scalar>() {
    let sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 32, 33, 64, 65];
    let depths = [0, 1, 3, 16, 33];
    let lens = [sizes.len(), COLUMNS.len(), depths.len(), LAYOUTS, LAYOUTS, 3, 2, 4, 4];
    for case in pairs(1, lens) {
        let (m, n, k) = (sizes[case[0]], COLUMNS[case[1]], depths[case[2]]);
        let [finish, bias, poison_a, poison_b] = [case[5], case[6], case[7], case[8]];
        let finish = FINISHES[finish];
        let mut draw = Draw::new((m * n) as u64);
        let (mut a, mut b) = (draw.whole::<T>(m * k, 4), draw.whole::<T>(k * n, 4));
        poison(&mut a, poison_a);
        poison(&mut b, poison_b);
        let bias = (bias == 1).then(|| draw.whole::<T>(n, 4));
        let expected =
            definition(&a, &b, [m, k, n], |_, j| bias.as_ref().map_or(T::zero(), |bias| bias[j]));
        let expected: Vec<T> = expected.into_iter().map(|x| finished(finish, x)).collect();
        let (a, b) = (laid_out([m, k], &a, case[3]), laid_out([k, n], &b, case[4]));
        at_each_level(|| {
            [m * n, k * n, k * 16].into_iter().for_each(soil::<T>);
            let value = multiply(&a, &b, bias.as_deref(), finish);
            let level = simd::instruction_set();
            assert_eq!(value.shape(), [m, n]);
            assert!(same(&read(&value), &expected), "{m}x{k}x{n} {case:?} {level}: {value:?}");
            // Images innermost stay so.
            if case[3] == 1 && k > 1 && m.is_multiple_of(simd::lanes::<T>()) && n > 1 {
                assert_eq!(value.strides(), [1, m as isize]);
            }
        });
    }
}

#[test]
fn matrices_in_any_memory_order() {
    check_matrices::<f32>();
    check_matrices::<f64>();
}

/// As many rows as several parts have, and more columns than one thread packs.
fn check_parts<T: Scalar>() {
    at_each_level(|| {
        let packed = 16 * panel_width::<T>(1 << 10);
        let sizes = [
            [47, 5],
            [48, 7],
            [49, 3],
            [95, 9],
            [96, 17],
            [97, 3],
            [769, 1],
            [1537, 2],
            [800, 5],
            [64, packed - 1],
            [64, packed],
            [63, packed + 1],
            [65, packed + 1],
            [70, 2 * packed + 3],
        ];
        for [m, n] in sizes {
            let mut draw = Draw::new(n as u64);
            let (a, b) = (draw.whole::<T>(m * 3, 4), draw.whole::<T>(3 * n, 4));
            let bias = draw.whole::<T>(n, 4);
            let expected = definition(&a, &b, [m, 3, n], |_, j| bias[j]);
            let (a, b) = (Tensor::new([m, 3], &a[..]), Tensor::new([3, n], &b[..]));
            let value = multiply(&a, &b, Some(&bias), Finish::Plain);
            assert!(same(&read(&value), &expected), "{m}x3x{n} {}", simd::instruction_set());
            assert!(same(&read(&matmul(&b.t(), &a.t()).t()), &read(&matmul(&a, &b))));
        }
        // Rows innermost, which then are columns, each with a value of its own for a row: of several parts.
        for n in [2, 47, 97, 769, 801] {
            let m = 2 * simd::lanes::<T>();
            let mut draw = Draw::new(n as u64);
            let (a, b) = (draw.whole::<T>(m * 3, 4), draw.whole::<T>(3 * n, 4));
            let bias = draw.whole::<T>(n, 4);
            let expected = definition(&a, &b, [m, 3, n], |_, j| bias[j]);
            let expected: Vec<T> = expected.into_iter().map(rectified).collect();
            let (a, b) = (laid_out([m, 3], &a, 1), Tensor::new([3, n], b));
            let value = multiply(&a, &b, Some(&bias), Finish::Relu);
            assert!(same(&read(&value), &expected), "{m}x3x{n} {}", simd::instruction_set());
        }
    });
}

#[test]
fn parts_of_rows_and_columns() {
    check_parts::<f32>();
    check_parts::<f64>();
}

/// Numbers `0..n`, shuffled.
fn shuffled(draw: &mut Draw, n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    (1..n).for_each(|i| order.swap(i, draw.below(i + 1)));
    order
}

/// The operands of a product whose left one is read through scattered offsets.
struct Scattered<T> {
    /// Row-major.
    a: Vec<T>,
    data: Vec<T>,
    rows: Offsets,
    cols: Offsets,
    b: Vec<T>,
}

impl<T: Scalar> Scattered<T> {
    fn new(draw: &mut Draw, [rows, depth, columns]: [usize; 3], poisons: [usize; 2]) -> Self {
        let (mut a, mut b) = (draw.whole::<T>(rows * depth, 4), draw.whole(depth * columns, 4));
        poison(&mut a, poisons[0]);
        poison(&mut b, poisons[1]);
        // Rows next to each other in memory, and their elements as far apart as there are rows: or the rows of a
        // matrix. The last element is the last one in memory.
        let (row_step, col_step) = if draw.below(2) == 0 { (1, rows) } else { (depth, 1) };
        let [places, steps] = [(rows, row_step), (depth, col_step)].map(|(len, step)| {
            let order = if draw.below(2) == 0 { (0..len).collect() } else { shuffled(draw, len) };
            order.iter().map(|i| i * step).collect::<Vec<_>>()
        });
        let mut data = vec![T::nan(); rows * depth];
        for i in 0..rows {
            (0..depth).for_each(|p| data[places[i] + steps[p]] = a[i * depth + p]);
        }
        Scattered { a, data, rows: Offsets::new(rows, places), cols: Offsets::new(depth, steps), b }
    }

    fn left(&self) -> Left<'_, T> {
        Left { data: &self.data, rows: self.rows.all(), cols: self.cols.all() }
    }

    /// The right operand: in place, packed row by row, packed at once.
    fn right(&self, columns: usize, kind: usize) -> Right<'_, T> {
        let (depth, b) = (self.cols.len(), &self.b[..]);
        match kind {
            0 => Right::in_place(depth, columns, b),
            1 => Right::packed(depth, columns, |p, row| {
                row.copy_from_slice(&b[p * columns..][..columns]);
            }),
            _ => Right::new(depth, columns, b, 64 * kind - 65),
        }
    }
}

fn check_products<T: Scalar>() {
    let depths = [0, 1, 2, 31, DEPTH - 1, DEPTH, DEPTH + 1, 2 * DEPTH, 2 * DEPTH + 1];
    for case in pairs(2, [ROWS, COLUMNS.len(), depths.len(), 4, 3, 4, 4, 4]) {
        let size = [case[0] + 1, depths[case[2]], COLUMNS[case[1]]];
        let [rows, depth, columns] = size;
        let mut draw = Draw::new((rows * columns + depth) as u64);
        let operands = Scattered::<T>::new(&mut draw, size, [case[6], case[7]]);
        let (values, before) = (draw.whole::<T>(rows + columns, 90), draw.whole::<T>(1 << 12, 90));
        // The rows of the result lie in reverse, with a gap around each, and something in it.
        let to: Vec<usize> = (0..rows).rev().map(|i| i * (columns + 2) + 1).collect();
        let start = |out: &[T], i: usize, j: usize| match case[3] {
            0 => T::zero(),
            1 => values[j],
            2 => values[i],
            _ => out[to[i] + j],
        };
        let starts = [
            Start::Zero,
            Start::Columns(&values[..columns]),
            Start::Rows(&values[..rows]),
            Start::Out,
        ];
        let finish = FINISHES[case[4]];
        let mut expected = before[..rows * (columns + 2)].to_vec();
        let sums = definition(&operands.a, &operands.b, size, |i, j| start(&expected, i, j));
        for (row, &to) in sums.chunks_exact(columns).zip(&to) {
            let row = row.iter().map(|&x| finished(finish, x));
            expected[to..to + columns].iter_mut().zip(row).for_each(|(slot, x)| *slot = x);
        }
        at_each_level(|| {
            let mut out = before[..expected.len()].to_vec();
            soil::<T>(depth * columns);
            let right = operands.right(columns, case[5]);
            let to = Offsets::new(rows, to.iter().copied());
            product(operands.left(), &right, starts[case[3]], finish, &mut out, to.all());
            assert!(same(&out, &expected), "{size:?} {case:?} {}", simd::instruction_set());
        });
    }
}

#[test]
fn scattered_operands_in_every_rest() {
    check_products::<f32>();
    check_products::<f64>();
}

/// Strips that begin and end in the middle of other columns, of both the right operand and the result.
fn check_strips<T: Scalar>() {
    for case in pairs(3, [ROWS, COLUMNS.len(), 4, 3]) {
        let (rows, width, depth) = (case[0] + 1, COLUMNS[case[1]], 9);
        let columns = width + 5;
        let mut draw = Draw::new((rows * columns) as u64);
        let operands = Scattered::<T>::new(&mut draw, [rows, depth, columns], [0, 0]);
        let (values, before) =
            (draw.whole::<T>(rows + width, 90), draw.whole::<T>(rows * columns, 90));
        // A tile reads whole vectors, even behind the last row.
        let right = [&operands.b[..], &[T::nan(); 64]].concat();
        let steps = Offsets::steps(depth, columns);
        let to = Offsets::steps(rows, columns);
        let finish = FINISHES[case[3]];
        let start = [
            Start::Zero,
            Start::Columns(&values[..width]),
            Start::Rows(&values[..rows]),
            Start::Out,
        ];
        let sums = definition(&operands.a, &operands.b, [rows, depth, columns], |_, _| T::zero());
        let mut expected = before.clone();
        for (i, j) in (0..rows).flat_map(|i| (0..width).map(move |j| (i, j))) {
            let at = i * columns + j + 3;
            let start = [T::zero(), values[j], values[i], before[at]][case[2]];
            expected[at] = finished(finish, start + sums[at]);
        }
        at_each_level(|| {
            let mut out = before.clone();
            let strip = Strip {
                left: operands.left(),
                right: (&right, 3, steps.all()),
                start: start[case[2]],
                finish,
                before: 0,
                to: Place { rows: to.all(), column: 3, width },
            };
            strip.run(&mut out);
            assert!(same(&out, &expected), "{case:?} {}", simd::instruction_set());
        });
    }
}

#[test]
fn strips_in_the_middle_of_other_columns() {
    check_strips::<f32>();
    check_strips::<f64>();
}

fn check_chains<T: Scalar>() {
    let (rows, columns, depth) = (ROWS, 67, 2 * DEPTH + 3);
    let mut draw = Draw::new(4);
    let (a, b) = (draw.fractions::<T>(rows * depth), draw.fractions::<T>(depth * columns));
    let bias = draw.fractions::<T>(columns);
    at_each_level(|| {
        let (left, right) =
            (Tensor::new([rows, depth], &a[..]), Tensor::new([depth, columns], &b[..]));
        let value = read(&multiply(&left, &right, Some(&bias), Finish::Plain));
        for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
            let factors: Vec<(T, T)> =
                (0..depth).map(|p| (a[i * depth + p], b[p * columns + j])).collect();
            let expected = chain(bias[j], &factors);
            assert!(value[i * columns + j] == expected, "{i} {j} {}", simd::instruction_set());
        }
    });
}

/// Every element is one chain of multiply-adds in the order of the summands, whichever tile it is in.
#[test]
fn every_bit_is_that_of_one_chain() {
    check_chains::<f32>();
    check_chains::<f64>();
}

#[test]
fn rectified_numbers() {
    assert_eq!(
        [-2.0, 0.0, 3.0, f32::NEG_INFINITY, f32::INFINITY].map(rectified)[..4],
        [0.0, 0.0, 3.0, 0.0]
    );
    assert!(rectified(f64::NAN).is_nan() && rectified(f64::INFINITY) == f64::INFINITY);
    assert!(rectified(-1e-300) == 0.0 && rectified(1e-300) == 1e-300);
}
