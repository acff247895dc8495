//! Random programs of views, against arrays that copy every time (`naive::Array`).
#![no_main]

use cinta::Tensor;
use cinta_fuzz::Choices;
use cinta_fuzz::naive::Array;
use libfuzzer_sys::fuzz_target;

/// Larger tensors are left alone.
const MOST: usize = 4096;

fn permuted(x: &Tensor, order: &[usize]) -> Tensor {
    fn by<const N: usize>(x: &Tensor, order: &[usize]) -> Tensor {
        x.permute::<N>(order.try_into().expect("an order of the axes"))
    }
    match order.len() {
        0 => by::<0>(x, order),
        1 => by::<1>(x, order),
        2 => by::<2>(x, order),
        3 => by::<3>(x, order),
        4 => by::<4>(x, order),
        5 => by::<5>(x, order),
        _ => by::<6>(x, order),
    }
}

/// Another shape of as many elements: the axes are merged into one, which is then divided where that is possible.
fn another_shape(choices: &mut Choices<'_>, count: usize) -> Vec<usize> {
    let (mut shape, mut rest) = (Vec::new(), count);
    for _ in 0..choices.below(6) {
        let factor = 1 + choices.below(6);
        let part = if rest == 0 { choices.below(4) } else { factor };
        if part != 0 && rest % part == 0 {
            shape.push(part);
            rest /= part;
        }
    }
    shape.push(rest);
    shape
}

fn same(x: &Tensor, array: &Array, what: &str) {
    assert_eq!(x.shape().to_vec(), array.shape, "{what}");
    assert_eq!(x.len(), array.values.len(), "{what}");
    assert_eq!(x.to_vec(), array.values, "{what}");
    assert!(x.iter().eq(array.values.iter().copied()), "{what}");
    if let Some(slice) = x.as_slice() {
        assert_eq!(slice, array.values, "{what}");
    }
}

fuzz_target!(|bytes: &[u8]| {
    let choices = &mut Choices(bytes);
    let shape: Vec<usize> = (0..choices.below(5)).map(|_| choices.below(6)).collect();
    // Whole numbers: their sums are exact in any order.
    let mut array = Array::counting(&shape);
    let mut x = Tensor::new(&shape[..], array.values.clone());
    let mut program = format!("{shape:?}");
    for _ in 0..16 {
        if choices.is_empty() {
            break;
        }
        let rank = array.shape.len();
        let axis = choices.below(rank.max(1));
        let len = array.shape.get(axis).copied().unwrap_or(1);
        let op = choices.below(13);
        if rank == 0 && matches!(op, 0..=2 | 6 | 8 | 9) {
            continue;
        }
        let (next, expected, what) = match op {
            0 => {
                let from = choices.below(len + 1);
                let to = from + choices.below(len + 1 - from);
                (
                    x.slice(axis, from..to),
                    array.slice(axis, from, to),
                    format!("slice({axis}, {from}..{to})"),
                )
            }
            1 => {
                let step = choices.one_of(&[1, 2, 3, 5, usize::MAX / 2, usize::MAX]);
                (x.step(axis, step), array.step(axis, step), format!("step({axis}, {step})"))
            }
            2 => (x.flip(axis), array.flip(axis), format!("flip({axis})")),
            3 => {
                let mut order: Vec<usize> = (0..rank).collect();
                for i in (1..rank).rev() {
                    order.swap(i, choices.below(i + 1));
                }
                (permuted(&x, &order), array.permute(&order), format!("permute({order:?})"))
            }
            4 => {
                let shape = another_shape(choices, array.values.len());
                if shape.len() > 6 {
                    continue;
                }
                (x.reshape(&shape[..]), array.reshape(&shape), format!("reshape({shape:?})"))
            }
            5 => {
                let added = choices.below(7 - rank).min(2);
                let mut shape: Vec<usize> = (0..added).map(|_| choices.below(4)).collect();
                for &dim in &array.shape {
                    shape.push(if dim == 1 { choices.below(5) } else { dim });
                }
                if shape.iter().product::<usize>() > MOST {
                    continue;
                }
                (
                    x.broadcast_to(&shape[..]),
                    array.broadcast_to(&shape),
                    format!("broadcast_to({shape:?})"),
                )
            }
            6 => {
                let rows: Vec<usize> = match array.shape[0] {
                    0 => Vec::new(),
                    n => (0..choices.below(5)).map(|_| choices.below(n)).collect(),
                };
                (x.take(&rows), array.take(&rows), format!("take({rows:?})"))
            }
            7 => {
                let [n, h, w, c] = array.shape[..] else { continue };
                if h * w == 0 {
                    continue;
                }
                let size = [1 + choices.below(h), 1 + choices.below(w)];
                let strides = [
                    choices.one_of(&[1, 2, 3, usize::MAX]),
                    choices.one_of(&[1, 2, 3, usize::MAX]),
                ];
                if n * h * w * c * size[0] * size[1] > MOST {
                    continue;
                }
                let what = format!("windows({size:?}, {strides:?})");
                (x.windows(size, strides), array.windows(size, strides), what)
            }
            8 => (x.sum(axis), array.fold(axis, 0.0, |a, b| a + b), format!("sum({axis})")),
            9 if len > 0 => {
                let winners: Vec<f32> = x.argmax(axis).iter().map(|&i| i as f32).collect();
                assert_eq!(winners, array.argmax(axis), "{program}, argmax({axis})");
                (x.max(axis), array.fold(axis, f32::NEG_INFINITY, f32::max), format!("max({axis})"))
            }
            10 => (x.row_major(), array.clone(), "row_major()".to_owned()),
            11 => (
                &x.flip_all() + &x,
                array.flip_all().zip(&array),
                "flip of all + itself".to_owned(),
            ),
            12 => {
                let (mut changed, mut expected) = (x.clone(), array.clone());
                changed.as_mut_slice().iter_mut().for_each(|x| *x += 1.0);
                expected.values.iter_mut().for_each(|x| *x += 1.0);
                same(&x, &array, &program); // the memory was shared
                (changed, expected, "as_mut_slice".to_owned())
            }
            _ => continue,
        };
        program = format!("{program}, {what}");
        same(&next, &expected, &program);
        (x, array) = (next, expected);
        // Sums keep exact as long as the numbers are below 2^24.
        if array.values.iter().any(|x| x.abs() > 65_536.0) {
            break;
        }
    }
    let total: f64 = array.values.iter().map(|&x| f64::from(x)).sum();
    assert_eq!(x.sum(..).item(), total as f32, "{program}, sum(..)");
});

trait FlipAll {
    fn flip_all(&self) -> Tensor;
}

impl FlipAll for Tensor {
    fn flip_all(&self) -> Tensor {
        (0..self.rank()).fold(self.clone(), |x, axis| x.flip(axis))
    }
}
