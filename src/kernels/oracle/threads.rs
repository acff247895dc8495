//! The same bits with 1, 2, 3 and 8 threads, of kernels that share their work out.

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
    let expected = super::super::par::serially(bits);
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
                    max_backward(ordered, &winners, &dy),
                    largest,
                    avg_backward(mean_ordered, &dy),
                    mean,
                ]
            });
        }
    }
}
