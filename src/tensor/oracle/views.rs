//! Views: which element stands where.

use super::super::testing::read;
use super::super::{Shape, Tensor};
use super::{each_layout, indices, moved};
use std::ops::Bound;
use std::sync::Arc;

fn check(view: &Tensor<f64>, shape: impl Into<Shape>, expected: &[f64]) {
    assert_eq!(view.shape(), shape.into());
    assert_eq!(read(view), expected);
    // All ways to read agree.
    assert_eq!(view.to_vec(), expected);
    assert_eq!(view.iter().collect::<Vec<_>>(), expected);
    assert_eq!(view.row_major().as_slice(), Some(expected));
}

#[test]
fn elements_by_index() {
    each_layout(|dims, values, x| {
        check(x, dims, values);
        indices(dims).zip(values).for_each(|(at, &value)| assert_eq!(x.at(at), value));
        if values.len() == 1 {
            assert_eq!(x.item(), values[0]);
        }
    });
}

#[test]
fn permutations() {
    each_layout(|dims, values, x| {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let new = order.map(|axis| dims[axis]);
            let expected = moved(values, dims, new, |at| {
                let mut from = [0; 3];
                (0..3).for_each(|i| from[order[i]] = at[i]);
                from
            });
            check(&x.permute(order), new, &expected);
        }
        let matrix = x.slice(0, 0..dims[0].min(1)).reshape([dims[0].min(1) * dims[1], dims[2]]);
        let turned = matrix.t();
        assert_eq!(turned.shape(), [matrix.shape()[1], matrix.shape()[0]]);
        for at in indices([1, turned.shape()[0], turned.shape()[1]]) {
            assert_eq!(turned.at([at[1], at[2]]), matrix.at([at[2], at[1]]));
        }
    });
}

#[test]
fn slices_steps_and_flips() {
    each_layout(|dims, values, x| {
        for axis in 0..3 {
            let len = dims[axis];
            let with = |len: usize| {
                let mut new = dims;
                new[axis] = len;
                new
            };
            let along = |new: [usize; 3], from: &dyn Fn(usize) -> usize| {
                moved(values, dims, new, |mut at| {
                    at[axis] = from(at[axis]);
                    at
                })
            };
            for (start, end) in
                [(0, len), (len / 2, len), (0, len / 3), (len / 3, len - len / 4), (len, len)]
            {
                let expected = along(with(end - start), &|i| start + i);
                check(&x.slice(axis, start..end), with(end - start), &expected);
                if start < end {
                    check(&x.slice(axis, start..=end - 1), with(end - start), &expected);
                }
                if start > 0 {
                    let after = (Bound::Excluded(start - 1), Bound::Excluded(end));
                    check(&x.slice(axis, after), with(end - start), &expected);
                }
            }
            check(
                &x.slice(axis, len / 2..),
                with(len - len / 2),
                &along(with(len - len / 2), &|i| len / 2 + i),
            );
            check(&x.slice(axis, ..len / 2), with(len / 2), &along(with(len / 2), &|i| i));
            for step in [1, 2, 3, 7, 100] {
                let new = with(len.div_ceil(step));
                check(&x.step(axis, step), new, &along(new, &|i| i * step));
            }
            let backwards = along(dims, &|i| len - 1 - i);
            check(&x.flip(axis), dims, &backwards);
            check(&x.flip(axis).flip(axis), dims, values);
        }
    });
}

#[test]
fn repetitions() {
    each_layout(|dims, values, x| {
        let expected = values.repeat(3);
        let many = Shape::from(dims).batch(3);
        check(&x.broadcast_to(many), many, &expected);
        for axis in (0..3).filter(|&axis| dims[axis] > 0) {
            let one = x.slice(axis, dims[axis] - 1..);
            let expected = moved(values, dims, dims, |mut at| {
                at[axis] = dims[axis] - 1;
                at
            });
            check(&one.broadcast_to(dims), dims, &expected);
        }
    });
}

/// Shapes with as many elements: axes merged, taken apart, regrouped, and ones anywhere.
fn others([a, b, c]: [usize; 3]) -> Vec<Vec<usize>> {
    let mut shapes = vec![
        vec![a * b * c],
        vec![a * b, c],
        vec![a, b * c],
        vec![1, a, 1, b, c, 1],
        vec![c, a, b],
    ];
    for factor in [2, 3, 5] {
        if c % factor == 0 {
            shapes.push(vec![a, b, c / factor, factor]);
            shapes.push(vec![a * b * factor, c / factor]);
        }
        if a % factor == 0 {
            shapes.push(vec![factor, a / factor, b * c]);
        }
        if b % factor == 0 {
            shapes.push(vec![a, factor, b / factor, c]);
            shapes.push(vec![a * factor, b / factor * c]);
        }
    }
    shapes
}

#[test]
fn other_shapes() {
    each_layout(|dims, values, x| {
        for shape in others(dims) {
            check(&x.reshape(&shape[..]), &shape[..], values);
            // Of every permutation as well, whose axes merge in other pairs.
            let turned = x.permute([2, 0, 1]);
            let y = turned.reshape(&shape[..]);
            check(&y, &shape[..], &read(&turned));
            // Taking axes apart, or adding ones, is always a view.
            let apart = [dims[0], 1, dims[1], dims[2], 1];
            assert!(Arc::ptr_eq(&x.reshape(apart).data, &x.data));
        }
    });
}

#[test]
fn sliding_windows() {
    for (h, w, size, strides) in [
        (5, 7, [2, 3], [1, 2]),
        (4, 4, [4, 1], [3, 1]),
        (6, 5, [1, 1], [2, 9]),
        (3, 8, [3, 8], [1, 1]),
    ] {
        let x = Tensor::<f64>::arange(2 * h * w * 3).reshape([2, h, w, 3]);
        for x in [x.clone(), x.permute([1, 2, 3, 0]).row_major().permute([3, 0, 1, 2]), x.flip(2)] {
            let windows = x.windows(size, strides);
            let [oh, ow] = [(h - size[0]) / strides[0] + 1, (w - size[1]) / strides[1] + 1];
            let shape = [2, oh, ow, size[0], size[1], 3];
            let expected = Tensor::from_fn(shape, |at| {
                x.at([at[0], at[1] * strides[0] + at[3], at[2] * strides[1] + at[4], at[5]])
            });
            check(&windows, shape, &read(&expected));
        }
    }
}

#[test]
fn rows_that_are_taken() {
    each_layout(|dims, values, x| {
        let row = dims[1] * dims[2];
        let indices: Vec<usize> =
            if dims[0] == 0 { vec![] } else { vec![dims[0] - 1, 0, dims[0] / 2, dims[0] - 1] };
        let expected: Vec<f64> =
            indices.iter().flat_map(|&i| values[i * row..(i + 1) * row].to_vec()).collect();
        check(&x.take(&indices), [indices.len(), dims[1], dims[2]], &expected);
    });
}

/// The stride of a step beyond the axis must still be a number that can be turned.
#[test]
fn steps_beyond_the_axis_in_both_directions() {
    let x = Tensor::<f64>::arange(6).reshape([2, 3]);
    for step in [3, 1 << 62, usize::MAX / 2, usize::MAX] {
        check(&x.flip(1).step(1, step).flip(1), [2, 1], &[2.0, 5.0]);
        check(&x.step(1, step).flip(1).step(1, step), [2, 1], &[0.0, 3.0]);
        check(&x.flip(0).flip(1).step(0, step).step(1, step).flip(0).t(), [1, 1], &[5.0]);
        check(&x.slice(1, 0..0).step(1, step).flip(1), [2, 0], &[]);
        check(
            &x.slice(0, 1..).broadcast_to([3, 3]).step(0, step).flip(0),
            [1, 3],
            &[3.0, 4.0, 5.0],
        );
    }
}

#[test]
fn the_same_view_of_the_same_memory() {
    let x: Tensor<f64> = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    assert!(x.is_same(&x.clone()) && x.slice(0, 1..2).is_same(&x.slice(0, 1..2)));
    for other in [x.permute([1, 0]), x.slice(0, 0..1), x.reshape([4]), &x + 0.0] {
        assert!(!x.is_same(&other), "{other:?}");
    }
    assert!(!x.slice(0, 0..1).is_same(&x.slice(0, 1..2)));
}
