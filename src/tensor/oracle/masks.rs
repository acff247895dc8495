//! Masks: comparisons, selections, reductions and combinations against loops, in every memory order and with broadcasting.

use super::super::testing::{Draw, LAYOUTS, laid_out, read};
use super::super::{Indices, Mask, Tensor};
use super::{DIMS, indices};

/// Numbers with many ties, some NaN.
fn numbers(len: usize, seed: u64) -> Vec<f64> {
    let draws = Draw::new(seed).whole::<f64>(len, 3);
    draws.into_iter().map(|x| if x == -3.0 { f64::NAN } else { x }).collect()
}

/// A comparison of tensors, and of numbers.
type Comparison = (fn(&Tensor<f64>, &Tensor<f64>) -> Mask, fn(&f64, &f64) -> bool);

const COMPARISONS: [Comparison; 6] = [
    (|a, b| a.equal(b), |a, b| a == b),
    (|a, b| a.not_equal(b), |a, b| a != b),
    (|a, b| a.less(b), |a, b| a < b),
    (|a, b| a.less_equal(b), |a, b| a <= b),
    (|a, b| a.greater(b), |a, b| a > b),
    (|a, b| a.greater_equal(b), |a, b| a >= b),
];

#[test]
fn comparisons_of_any_two_orders() {
    for dims in DIMS {
        let len = dims.iter().product();
        let (a, b) = (numbers(len, 1), numbers(len, 2));
        let row = numbers(dims[2], 3);
        for (i, j) in (0..LAYOUTS).flat_map(|i| (0..LAYOUTS).map(move |j| (i, j))) {
            let (x, y) = (laid_out(dims, &a, i), laid_out(dims, &b, j));
            for (compare, definition) in COMPARISONS {
                let mask = compare(&x, &y);
                let expected: Vec<bool> = a.iter().zip(&b).map(|(a, b)| definition(a, b)).collect();
                assert_eq!((mask.shape(), mask.as_slice()), (x.shape(), &expected[..]));
            }
        }
        for i in 0..LAYOUTS {
            let (x, last) = (laid_out(dims, &a, i), Tensor::new([dims[2]], &row[..]));
            for (compare, definition) in COMPARISONS {
                let with = |at: usize| definition(&a[at], &row[at % dims[2]]);
                let expected: Vec<bool> = (0..len).map(with).collect();
                assert_eq!(compare(&x, &last).to_vec(), expected);
                let with = |at: usize| definition(&row[at % dims[2]], &a[at]);
                let expected: Vec<bool> = (0..len).map(with).collect();
                assert_eq!(compare(&last, &x).to_vec(), expected);
                let expected: Vec<bool> = a.iter().map(|a| definition(a, &1.0)).collect();
                assert_eq!(compare(&x, &Tensor::scalar(1.0)).to_vec(), expected);
            }
        }
    }
}

#[test]
fn comparisons_with_numbers() {
    let x = Tensor::from([1.0, 2.0, f64::NAN]);
    let all = [
        x.equal(2.0),
        x.not_equal(2.0),
        x.less(2.0),
        x.less_equal(2.0),
        x.greater(1.0),
        x.greater_equal(2.0),
    ];
    let expected = [
        [false, true, false],
        [true, false, true],
        [true, false, false],
        [true, true, false],
        [false, true, false],
        [false, true, false],
    ];
    assert_eq!(all, expected.map(Mask::from));
    assert!(Tensor::scalar(0.0).equal(-0.0).item());
    // The answer has the larger shape, on whichever side that is.
    assert_eq!(Tensor::from([2.0]).less(&Tensor::<f64>::zeros([3, 2])).shape(), [3, 2]);
    assert_eq!(Tensor::<f64>::zeros([0, 2]).greater(1.0).shape(), [0, 2]);
}

#[test]
fn selections() {
    for dims in DIMS {
        let len = dims.iter().product();
        let (a, b, m) = (numbers(len, 1), numbers(len, 2), numbers(len, 3));
        let mask = Mask::new(dims, m.iter().map(|&x| x > 0.0).collect::<Vec<bool>>());
        let as_text = |values: Vec<f64>| format!("{values:?}"); // NaN is not equal to itself
        for (i, j) in (0..LAYOUTS).flat_map(|i| (0..LAYOUTS).map(move |j| (i, j))) {
            let (x, y) = (laid_out(dims, &a, i), laid_out(dims, &b, j));
            let pick = |at: usize| if m[at] > 0.0 { a[at] } else { b[at] };
            let expected = as_text((0..len).map(pick).collect());
            assert_eq!(as_text(read(&Tensor::select(&mask, &x, &y))), expected);
            let fill = |at: usize| if m[at] > 0.0 { 0.5 } else { a[at] };
            let expected = as_text((0..len).map(fill).collect());
            assert_eq!(as_text(read(&x.masked_fill(&mask, 0.5))), expected);
        }
    }
}

/// A mask, or a value, that is repeated along any axes.
#[test]
fn selections_with_broadcasting() {
    let dims = [3, 4, 5];
    let (a, b) = (numbers(60, 1), numbers(60, 2));
    let (a, b) = (laid_out(dims, &a, 1), laid_out(dims, &b, 5));
    for bits in 0..8 {
        let kept = [0, 1, 2].map(|axis| if bits >> axis & 1 == 1 { dims[axis] } else { 1 });
        let few = |x: &Tensor<f64>| (0..3).fold(x.clone(), |x, axis| x.slice(axis, ..kept[axis]));
        let at =
            |x: &Tensor<f64>, i: &[usize]| x.at([0, 1, 2].map(|axis| i[axis] % x.shape()[axis]));
        let mask = few(&a).greater(0.0);
        let y = Tensor::select(&mask, &a, &few(&b));
        assert_eq!(y.shape(), dims);
        for i in indices(dims) {
            let place = [0, 1, 2].map(|axis| i[axis] % kept[axis]);
            assert_eq!(mask.at(place), at(&few(&a), &i) > 0.0);
            let expected = if mask.at(place) { a.at(i) } else { at(&few(&b), &i) };
            assert_eq!(y.at(i).to_string(), expected.to_string());
        }
    }
    // All three, against each other, and with axes in front.
    let mask = Mask::from([[true], [false]]);
    let y = Tensor::select(&mask, &Tensor::from([1.0, 2.0]), &Tensor::from([[[3.0]], [[4.0]]]));
    assert_eq!(
        (y.shape().to_vec(), y.to_vec()),
        (vec![2, 2, 2], vec![1.0, 2.0, 3.0, 3.0, 1.0, 2.0, 4.0, 4.0])
    );
}

#[test]
fn any_all_and_count() {
    for dims in DIMS {
        let values = numbers(dims.iter().product(), 4);
        for threshold in [-9.0, 0.0, 9.0] {
            let x = Tensor::new(dims, &values[..]);
            let mask = x.greater(threshold);
            assert_eq!(mask.count(), values.iter().filter(|&&x| x > threshold).count());
            for bits in 0..8 {
                let flags = [0, 1, 2].map(|axis| bits >> axis & 1 == 1);
                let axes: Vec<usize> = (0..3).filter(|&axis| flags[axis]).collect();
                let kept: Vec<usize> = (0..3).filter(|&a| !flags[a]).map(|a| dims[a]).collect();
                let mut groups = vec![Vec::new(); kept.iter().product()];
                for at in indices(dims) {
                    let place =
                        (0..3).filter(|&a| !flags[a]).fold(0, |place, a| place * dims[a] + at[a]);
                    groups[place].push(mask.at(at));
                }
                let any: Vec<bool> = groups.iter().map(|group| group.contains(&true)).collect();
                let all: Vec<bool> = groups.iter().map(|group| !group.contains(&false)).collect();
                assert_eq!(mask.any(&axes[..]), Mask::new(&kept[..], any));
                assert_eq!(mask.all(&axes[..]), Mask::new(&kept[..], all));
                let counts: Vec<f64> = groups
                    .iter()
                    .map(|group| group.iter().filter(|value| **value).count() as f64)
                    .collect();
                assert_eq!(mask.cast::<f64>().sum(&axes[..]).to_vec(), counts);
            }
        }
    }
}

#[test]
fn numbers_that_are_none() {
    const SPECIAL: [f64; 6] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, f64::MAX];
    type Asked = (fn(&Tensor<f64>) -> Mask, fn(f64) -> bool);
    const QUESTIONS: [Asked; 3] = [
        (Tensor::isnan, f64::is_nan),
        (Tensor::isinf, f64::is_infinite),
        (Tensor::isfinite, f64::is_finite),
    ];
    for dims in DIMS {
        let draws = Draw::new(7).whole::<f64>(dims.iter().product(), 5);
        let values: Vec<f64> = draws.iter().map(|x| SPECIAL[x.abs() as usize]).collect();
        for layout in 0..LAYOUTS {
            let x = laid_out(dims, &values, layout);
            for (ask, definition) in QUESTIONS {
                let expected: Vec<bool> = values.iter().map(|&x| definition(x)).collect();
                assert_eq!((ask(&x).shape(), ask(&x).to_vec()), (x.shape(), expected));
            }
        }
    }
    assert!(Tensor::scalar(f64::NAN).isnan().item());
    assert_eq!(Tensor::<f64>::zeros([0, 2]).isfinite().shape(), [0, 2]);
}

#[test]
fn places_of_what_is_true() {
    for dims in DIMS {
        let mask = Tensor::new(dims, numbers(dims.iter().product(), 5)).greater(0.0);
        let expected: Vec<usize> = (0..mask.len()).filter(|&i| mask.as_slice()[i]).collect();
        assert_eq!(mask.flatnonzero(), Indices::from(expected));
    }
    assert_eq!(Mask::new([], [true]).flatnonzero(), Indices::from([0]));
    assert!(Mask::new([0, 3], []).flatnonzero().is_empty());
}

#[test]
fn combinations() {
    let (a, b) = (Mask::from([true, true, false, false]), Mask::from([true, false, true, false]));
    assert_eq!((&a & &b).to_vec(), [true, false, false, false]);
    assert_eq!((a.clone() | &b).to_vec(), [true, true, true, false]);
    assert_eq!((&a ^ b.clone()).to_vec(), [false, true, true, false]);
    assert_eq!((!&a).to_vec(), [false, false, true, true]);
    assert_eq!((a.clone() & b.clone(), !a.clone()), (&a & &b, !&a));
    // A column with a row.
    let column = Mask::from([[true], [false]]);
    assert_eq!(&column & Mask::from([true, false]), Mask::from([[true, false], [false, false]]));
    assert_eq!(Mask::from([true, false]) | &column, Mask::from([[true, true], [true, false]]));
    assert_eq!((&column & Mask::new([0], [])).shape(), [2, 0]);
    assert_eq!(!Mask::new([], [true]), Mask::new([], [false]));
    assert_eq!(format!("{column:?}"), "Mask[2, 1] [true, false]");
}

#[test]
#[should_panic(expected = "the shapes [2] and [3] do not broadcast to a common one")]
fn masks_that_do_not_fit() {
    let _ = Mask::from([true, false]) & Mask::from([true, false, true]);
}

#[test]
#[should_panic(expected = "the shapes [2, 3] and [2] do not broadcast to a common one")]
fn tensors_that_do_not_fit() {
    Tensor::<f64>::zeros([2, 3]).less(&Tensor::zeros([2]));
}

#[test]
#[should_panic(expected = "a mask of shape [2, 2] holds 4 values, and 3 were given")]
fn too_few_values() {
    Mask::new([2, 2], [true; 3]);
}

#[test]
#[should_panic(expected = "axis 1 of a tensor with 1 axes")]
fn no_such_axis() {
    Mask::from([true]).any(1);
}

#[test]
#[should_panic(expected = "reshape: a mask of shape [2] has 2 elements and [3] has 3")]
fn another_number_of_elements() {
    Mask::from([true, false]).reshape([3]);
}
