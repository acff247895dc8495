//! The same bits with 1, 2, 3 and 8 threads, of kernels that share their work out.

use super::super::conv2d::{self, Algorithm};
use super::super::gemm::{Finish, multiply};
use super::super::pool2d::{Geometry, avg_backward, avg_forward, max_backward, max_forward};
use super::super::window::{Padding, Window};
use crate::tensor::testing::Draw;
use crate::tensor::{Order, Tensor};

fn numbers<const N: usize>(seed: u64, dims: [usize; N]) -> Tensor<f32> {
    Tensor::new(dims, Draw::new(seed).fractions(dims.iter().product()))
}

/// Asserts that `f` gives the same bits with any number of threads as without other threads.
fn check(what: &str, f: impl Fn() -> Vec<Tensor<f32>> + Sync) {
    let bits = || -> Vec<u32> { f().iter().flat_map(Tensor::to_vec).map(f32::to_bits).collect() };
    let expected = crate::par::serially(bits);
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        assert!(pool.install(bits) == expected, "{what} with {threads} threads");
    }
}

#[test]
fn products() {
    // Work that is shared out: parts of rows, and then panels that are packed.
    for [m, k, n] in [[301, 59, 70], [64, 300, 65], [70, 1030, 1040], [1100, 1030, 1]] {
        let (a, b, bias) = (numbers(1, [m, k]), numbers(2, [k, n]), numbers(3, [n]));
        check(&format!("{m}x{k}x{n}"), || {
            let innermost = a.in_order(Order::Innermost);
            let bias = bias.as_slice();
            vec![
                multiply(&a, &b, bias, Finish::Relu),
                multiply(&innermost, &b, bias, Finish::Plain),
            ]
        });
    }
}

#[test]
fn poolings() {
    for (dims, size, strides) in [
        ([33, 17, 15, 8], [2, 2], [2, 2]),
        ([5, 33, 31, 3], [3, 5], [2, 1]),
        ([3, 17, 18, 17], [17, 17], [1, 1]),
    ] {
        let [images, h, w, channels] = dims;
        let window = Window::new([h, w], size, strides, Padding::Same).expect("a window");
        let geometry = Geometry { window, images, channels };
        let (x, [oh, ow]) = (numbers(1, dims), window.output());
        let dy = numbers(2, [images, oh, ow, channels]);
        for order in [Order::RowMajor, Order::Innermost] {
            let (x, dy) = (x.in_order(order), dy.in_order(order));
            check(&format!("windows of {size:?}, {order:?}"), || {
                let (largest, (ordered, winners)) = max_forward(geometry, &x, true);
                let (mean, mean_ordered) = avg_forward(geometry, &x);
                vec![
                    max_forward(geometry, &x, false).0,
                    max_backward(ordered, &winners, 1.0, &dy),
                    largest,
                    avg_backward(mean_ordered, &dy),
                    mean,
                ]
            });
        }
    }
}

/// Tiles with outliers are found by many threads, and added in one order. With more tiles than channels, and fewer.
#[test]
fn convolutions_with_outliers() {
    for (images, side, algorithm) in [
        (9, 23, Algorithm::Winograd4),
        (9, 23, Algorithm::Winograd2),
        (2, 14, Algorithm::Winograd4),
    ] {
        let window = Window::new([side; 2], [3, 3], [1, 1], Padding::Same).expect("a window");
        let [c_in, c_out] = [64, 48];
        let geometry = conv2d::Geometry { window, images, c_in, c_out, groups: 1, algorithm };
        let mut x = numbers(1, [images, side, side, c_in]);
        let mut dy = numbers(2, [images, side, side, c_out]);
        // In each image, in one place after the other.
        for (values, place) in [(&mut x, 7001), (&mut dy, 5003)] {
            values.as_mut_slice().iter_mut().step_by(place).for_each(|value| *value = 1e7);
        }
        let (kernel, bias) = (numbers(3, [9 * c_in * c_out]), numbers(4, [c_out]));
        let [kernel, bias] = [&kernel, &bias].map(|values| values.as_slice().expect("values"));
        check(&format!("{images} images of {side}, {algorithm:?}"), || {
            let dw = conv2d::backward_kernel(geometry, &x, &dy, true).0;
            vec![
                conv2d::forward(geometry, &x, kernel, bias, Finish::Relu),
                conv2d::backward_input(geometry, kernel, &dy),
                Tensor::new([dw.len()], dw.to_vec()),
            ]
        });
    }
}
