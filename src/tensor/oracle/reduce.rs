//! Reductions against loops over all elements.

use super::super::testing::{Draw, LAYOUTS, SIZES, laid_out, pairs, read, same};
use super::super::{Shape, Tensor};
use super::{DIMS, indices};
use crate::scalar::Scalar;

/// The values along the axes that `flags` name, for every index of the others, in reading order.
fn groups<T: Scalar>(values: &[T], dims: [usize; 3], flags: [bool; 3]) -> Vec<Vec<T>> {
    let kept = [0, 1, 2].map(|axis| if flags[axis] { 1 } else { dims[axis] });
    let mut groups = vec![Vec::new(); kept.iter().product()];
    for (at, &value) in indices(dims).zip(values) {
        let [i, j, k] = [0, 1, 2].map(|axis| if flags[axis] { 0 } else { at[axis] });
        groups[(i * kept[1] + j) * kept[2] + k].push(value);
    }
    groups
}

/// The place of the first value that is better than all others; a NaN is best.
fn best<T: Scalar>(values: &[T], better: impl Fn(T, T) -> bool) -> usize {
    let nan = values.iter().position(|x| x.is_nan());
    nan.unwrap_or_else(|| {
        (1..values.len()).fold(0, |at, i| if better(values[i], values[at]) { i } else { at })
    })
}

fn check<T: Scalar>(dims: [usize; 3], values: &[T], x: &Tensor<T>) {
    for bits in 0..8 {
        let flags = [0, 1, 2].map(|axis| bits >> axis & 1 == 1);
        let axes: Vec<usize> = (0..3).filter(|&axis| flags[axis]).collect();
        let kept: Vec<usize> = (0..3).filter(|&axis| !flags[axis]).map(|axis| dims[axis]).collect();
        let groups = groups(values, dims, flags);
        let reduced =
            |f: &dyn Fn(&[T]) -> T| groups.iter().map(|group| f(group)).collect::<Vec<T>>();
        let sum = |group: &[T]| T::lit(group.iter().map(|x| x.widen()).sum::<f64>());
        let check = |y: Tensor<T>, expected: &[T]| {
            assert_eq!(y.shape(), Shape::new(&kept));
            assert!(same(&read(&y), expected), "{dims:?} {axes:?}: {y:?}, not {expected:?}");
        };
        check(x.sum(&axes[..]), &reduced(&sum));
        check(x.mean(&axes[..]), &reduced(&|group| sum(group) / T::lit(group.len() as f64)));
        let one = [0, 1, 2].map(|axis| if flags[axis] { 1 } else { dims[axis] });
        assert!(same(&read(&x.sum_to(Shape::from(one))), &reduced(&sum)));
        assert_eq!(x.sum_to(Shape::from(one)).shape(), one);
        if values.is_empty() {
            continue;
        }
        check(x.max(&axes[..]), &reduced(&|group| group[best(group, |a, b| a > b)]));
        check(x.min(&axes[..]), &reduced(&|group| group[best(group, |a, b| a < b)]));
        if let [axis] = axes[..] {
            let expected: Vec<usize> =
                groups.iter().map(|group| best(group, |a, b| a > b)).collect();
            assert_eq!(x.argmax(axis), expected);
            let expected: Vec<usize> =
                groups.iter().map(|group| best(group, |a, b| a < b)).collect();
            assert_eq!(x.argmin(axis), expected);
        }
    }
    // Axes in front that the other shape does not have.
    if dims[0] > 0 {
        assert!(same(&read(&x.sum_to(Shape::from([dims[1], dims[2]]))), &read(&x.sum(0))));
        assert!(same(&read(&x.sum_to(Shape::from([1, dims[2]]))), &read(&x.sum([0, 1]))));
    }
}

fn check_all<T: Scalar>() {
    for case in pairs(1, [SIZES.len(), SIZES.len(), 5, LAYOUTS, 2]) {
        let dims = [SIZES[case[0]], [1, 2, 3, 5, 8][case[2]], SIZES[case[1]]];
        let mut values = Draw::new(case[3] as u64).whole::<T>(dims.iter().product(), 20);
        if case[4] == 1 {
            let at = values.len() / 3;
            values[at] = T::nan();
            values[2 * at] = T::infinity();
            values[at / 2] = T::neg_infinity();
        }
        check(dims, &values, &laid_out(dims, &values, case[3]));
    }
    for dims in DIMS {
        let values = Draw::new(1).whole::<T>(dims.iter().product(), 2);
        (0..LAYOUTS).for_each(|layout| check(dims, &values, &laid_out(dims, &values, layout)));
    }
}

#[test]
fn sums_and_extremes() {
    check_all::<f32>();
    check_all::<f64>();
}

#[test]
fn a_sum_of_neighbours_has_eight_lanes() {
    for len in 0..60 {
        let values = Draw::new(len as u64).fractions::<f64>(len);
        let whole = len / 8 * 8;
        let lane = |lane: usize| values[..whole].iter().skip(lane).step_by(8).sum::<f64>();
        let rest = values[whole..].iter().sum::<f64>();
        let expected = (0..8).map(lane).sum::<f64>() + rest;
        assert!(Tensor::new([len], values).sum(0).item() == expected, "{len}");
    }
}

/// Sums of `f32` are rounded once, at the end.
#[test]
fn sums_are_f64() {
    for layout in 0..LAYOUTS {
        let mut values = vec![1.0f32; 51];
        (values[0], values[50]) = (2f32.powi(25), -(2f32.powi(25)));
        let x = laid_out([3, 17], &values, layout);
        assert_eq!((x.sum(..).item(), x.mean(..).item()), (49.0, 49.0 / 51.0));
        let y = laid_out([17, 3], &values, layout);
        assert_eq!(y.t().reshape([51]).sum(0).item(), 49.0);
        assert_eq!(y.sum(0).at([1]), 17.0);
    }
}
