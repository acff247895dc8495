//! The two memory orders of kernels.

use super::super::testing::{SIZES, laid_out, pairs, read};
use super::super::{Order, Shape, Tensor};
use super::{each_layout, moved};
use crate::buffer::Buffer;
use std::panic::catch_unwind;
use std::sync::Arc;

#[test]
fn elements_lie_in_the_order_that_is_asked_for() {
    each_layout(|dims, values, x| {
        let [n, h, c] = dims;
        // Around an innermost first axis, the others are row-major.
        let inner = moved(values, dims, [h, c, n], |[i, j, k]| [k, i, j]);
        for (order, expected) in [(Order::RowMajor, values), (Order::Innermost, &inner[..])] {
            let stored = Order::tensor(order, dims, Buffer::from(expected.to_vec()));
            assert_eq!((stored.shape(), read(&stored)), (Shape::from(dims), values.to_vec()));
            if values.is_empty() {
                continue;
            }
            assert_eq!(stored.stored(order), expected);
            let y = x.in_order(order);
            assert_eq!((y.stored(order), read(&y)), (expected, values.to_vec()));
            assert!(Arc::ptr_eq(&y.in_order(order).data, &y.data), "a copy for nothing");
            // Where both orders are the same, it is called row-major.
            let both = stored.is_row_major();
            assert_eq!(y.order(), if both { Order::RowMajor } else { order });
        }
    });
}

#[test]
fn many_images() {
    for [n, h, c] in pairs(1, [SIZES.len(), SIZES.len(), 3])
        .into_iter()
        .map(|at| [SIZES[at[0]], SIZES[at[1]], at[2] + 1])
    {
        let values: Vec<f32> = (0..n * h * c).map(|i| i as f32).collect();
        for layout in [0, 1, 4, 5] {
            let x = laid_out([n, h, c], &values, layout);
            let turned = x.in_order(Order::Innermost);
            let expected: Vec<f32> =
                (0..values.len()).map(|at| values[at % n * (h * c) + at / n]).collect();
            assert_eq!(turned.stored(Order::Innermost), expected);
            assert_eq!(turned.in_order(Order::RowMajor).stored(Order::RowMajor), values);
        }
    }
}

#[test]
fn what_lies_in_neither_order() {
    let x = Tensor::<f32>::arange(24).reshape([2, 3, 4]);
    for other in [x.flip(0), x.slice(2, 1..), x.step(1, 2).permute([1, 0, 2]), x.permute([2, 1, 0])]
    {
        assert_eq!(other.order(), Order::RowMajor);
        assert!(catch_unwind(|| other.stored(Order::RowMajor).len()).is_err());
        assert!(catch_unwind(|| other.stored(Order::Innermost).len()).is_err());
    }
    // A part of the images of a batch has gaps between its pixels.
    let batch = x.permute([2, 0, 1]);
    assert_eq!(batch.order(), Order::Innermost);
    assert_eq!(batch.slice(0, 1..3).order(), Order::RowMajor);
    assert!(catch_unwind(|| x.stored(Order::Innermost).len()).is_err());
    assert!(catch_unwind(|| batch.stored(Order::RowMajor).len()).is_err());
    let one = Tensor::scalar(2.0);
    assert_eq!((one.order(), one.in_order(Order::RowMajor).item()), (Order::RowMajor, 2.0));
}
