//! Windows whose two axes differ, tap by tap.

use super::super::window::{Padding, Window};
use crate::tensor::testing::pairs;

#[test]
fn axes_do_not_mix() {
    let (images, sizes) = ([1, 2, 5, 6, 16, 17], [1, 2, 3, 4, 5, 17]);
    let lens = [6, 6, 6, 6, 4, 4, 3, 3, 3];
    let mut seen = 0;
    for [h, w, kh, kw, sh, sw, dh, dw, padding] in (0..4).flat_map(|seed| pairs(seed, lens)) {
        let (image, size) = ([images[h], images[w]], [sizes[kh], sizes[kw]]);
        let (strides, dilation) = ([sh + 1, sw + 1], [dh + 1, dw + 1]);
        let padding = [Padding::Valid, Padding::Same, Padding::Causal][padding];
        let span = [0, 1].map(|axis| (size[axis] - 1) * dilation[axis] + 1);
        let window = match Window::dilated(image, size, strides, dilation, padding) {
            Ok(window) => window,
            Err(reason) => {
                let [[h, w], [kh, kw]] = [image, span];
                let expected =
                    format!("the window of {kh}x{kw} does not fit into the image of {h}x{w}");
                assert!(reason.as_str().starts_with(&expected) && (kh > h || kw > w), "{reason}");
                assert_eq!(padding, Padding::Valid);
                continue;
            }
        };
        seen += 1;
        assert_eq!([window.image(), window.size()], [image, size]);
        // A stride beyond the image is never taken.
        let taken = [0, 1].map(|axis| strides[axis].min(image[axis] + 1));
        assert_eq!([window.strides(), window.dilation()], [taken, dilation]);
        assert_eq!(window.seen(), [size[0].min(image[0]), size[1].min(image[1])]);
        for axis in 0..2 {
            let (image, size, stride) = (image[axis] as isize, size[axis], strides[axis]);
            // Outputs one by one, as long as a window fits, or starts in the image.
            let starts = (0..).map(|i| i * stride as isize);
            let outputs = match padding {
                Padding::Valid => starts.take_while(|at| at + span[axis] as isize <= image).count(),
                _ => starts.take_while(|&at| at < image).count(),
            };
            assert_eq!(window.output()[axis], outputs);
            let covered = ((outputs - 1) * stride + span[axis]) as isize;
            let before = match padding {
                Padding::Valid => 0,
                Padding::Same => (covered - image).max(0) / 2,
                Padding::Causal => span[axis] as isize - 1,
            };
            assert_eq!(window.before()[axis] as isize, before);
            let pixel =
                |at: usize, tap: usize| (at * stride + tap * dilation[axis]) as isize - before;
            let inside = |at: usize, tap: usize| (0..image).contains(&pixel(at, tap));
            for at in 0..outputs {
                let expected: Vec<usize> = (0..size).filter(|&tap| inside(at, tap)).collect();
                let (first, taps) = window.clipped(axis, at);
                assert!(taps.is_empty() || first as isize == pixel(at, taps.start));
                assert_eq!(taps.collect::<Vec<_>>(), expected);
            }
            for tap in 0..size {
                let expected: Vec<usize> = (0..outputs).filter(|&at| inside(at, tap)).collect();
                assert_eq!(window.reaching(axis, tap).collect::<Vec<_>>(), expected);
            }
        }
    }
    assert!(seen > 100, "only {seen} windows fit");
}

#[test]
fn what_is_no_window() {
    let reason = |image, size, strides, dilation| {
        Window::dilated(image, size, strides, dilation, Padding::Same).expect_err("a reason")
    };
    let one = [1, 1];
    for axis in 0..2 {
        let mut zero = [2, 2];
        zero[axis] = 0;
        assert!(reason(zero, one, one, one).as_str().starts_with("an image of"));
        assert!(reason(one, zero, one, one).as_str().starts_with("a window of"));
        assert!(reason(one, one, zero, one).as_str().starts_with("strides of"));
        assert!(reason(one, one, one, zero).as_str().starts_with("a dilation of"));
        // As large as the image along one axis, and larger by one along the other.
        let mut size = [4, 5];
        assert!(Window::new([4, 5], size, one, Padding::Valid).is_ok());
        size[axis] += 1;
        assert!(Window::new([4, 5], size, one, Padding::Valid).is_err());
        assert!(Window::new([4, 5], size, one, Padding::Same).is_ok());
    }
    let window = Window::new([3, 3], [usize::MAX, 2], [1, 1], Padding::Same).expect("a window");
    assert_eq!((window.output(), window.seen()), ([3, 3], [3, 2]));
}
