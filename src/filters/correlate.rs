//! A filter over a series or over pictures.

use crate::kernels::conv2d::{self, Algorithm, Geometry};
use crate::kernels::gemm::Finish;
use crate::kernels::{Padding, Window};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

/// The cross-correlation of `x` and a filter: what neural networks, and the lecture, call a convolution.
///
/// ```text
/// series    y[a]    = sum over s    of x[a + s]        f[s]
/// pictures  y[a, b] = sum over s, t of x[a + s, b + t] f[s, t]
/// ```
/// where `s` and `t` count from the centre of the filter. A series `[n]` takes a filter `[k]`; a picture `[h, w]`, or
/// pictures `[n, h, w, c]`, each channel by itself, take a filter `[kh, kw]`. With [`Valid`](Padding::Valid) there
/// is a value where the whole filter fits; with [`Same`](Padding::Same) there is one for each place, and beyond the
/// border everything is 0.
///
/// # Panics
/// When the ranks do not match, or the filter is empty or does not fit into a picture.
///
/// ```
/// use cinta::{Padding, Tensor, filters};
/// let x = Tensor::from([1.0, 2.0, 4.0, 8.0]);
/// let f = Tensor::from([-1.0, 0.0, 1.0]);
/// assert_eq!(filters::correlate(&x, &f, Padding::Valid).to_vec(), [3.0, 6.0]);
/// assert_eq!(filters::correlate(&x, &f, Padding::Same).to_vec(), [2.0, 3.0, 6.0, -4.0]);
/// ```
#[track_caller]
#[inline(never)]
pub fn correlate<T: Scalar>(x: &Tensor<T>, filter: &Tensor<T>, padding: Padding) -> Tensor<T> {
    let (shape, size) = (x.shape(), filter.shape());
    // Everything is pictures [n, h, w, c]: a series is one of a single row.
    let (pictures, kernel) = match (shape.rank(), size.rank()) {
        (1, 1) => (x.reshape([1, 1, shape[0], 1]), filter.reshape([1, size[0]])),
        (2, 2) => (x.reshape([1, shape[0], shape[1], 1]), filter.clone()),
        (4, 2) => (x.clone(), filter.clone()),
        _ => panic!(
            "correlate: a filter {size} over {shape}; a series [n] takes a filter [k], pictures [h, w] or \
             [n, h, w, c] take a filter [kh, kw]"
        ),
    };
    let ([images, h, w, channels], [kh, kw]) = (pictures.dims(), kernel.dims());
    let window = match Window::new([h, w], [kh, kw], [1, 1], padding) {
        Ok(window) => window,
        Err(reason) => panic!("correlate: a filter {size} over {shape}: {reason}"),
    };
    let geometry = Geometry {
        window,
        images,
        c_in: channels,
        c_out: channels,
        groups: channels.max(1),
        algorithm: Algorithm::Direct,
    };
    let kernel = kernel.reshape([kh, kw, 1, 1]).broadcast_to([kh, kw, 1, channels]).to_vec();
    let bias = vec![T::zero(); channels];
    let y = conv2d::forward(geometry, &pictures, &kernel, &bias, Finish::Plain);
    let [oh, ow] = window.output();
    match shape.rank() {
        1 => y.reshape([ow]),
        2 => y.reshape([oh, ow]),
        _ => y,
    }
}

/// The convolution of `x` and a filter as mathematics and signal processing define it: [`correlate`] with the filter
/// turned around, along every axis.
///
/// ```text
/// series    y[a]    = sum over s    of x[a - s]        f[s]
/// pictures  y[a, b] = sum over s, t of x[a - s, b - t] f[s, t]
/// ```
/// For a network that learns its filters the two are the same: it learns the filter, or the filter turned around.
///
/// # Panics
/// As [`correlate`].
///
/// ```
/// use cinta::{Padding, Tensor, filters};
/// // An impulse becomes the filter; with a correlation, the filter turned around.
/// let x = Tensor::from([0.0, 0.0, 1.0, 0.0, 0.0]);
/// let f = Tensor::from([1.0, 2.0, 3.0]);
/// assert_eq!(filters::convolve(&x, &f, Padding::Valid).to_vec(), [1.0, 2.0, 3.0]);
/// assert_eq!(filters::correlate(&x, &f, Padding::Valid).to_vec(), [3.0, 2.0, 1.0]);
/// ```
#[track_caller]
#[inline(never)]
pub fn convolve<T: Scalar>(x: &Tensor<T>, filter: &Tensor<T>, padding: Padding) -> Tensor<T> {
    let turned = (0..filter.rank()).fold(filter.clone(), |filter, axis| filter.flip(axis));
    correlate(x, &turned, padding)
}

compiled!(|x: &Tensor<T>, filter: &Tensor<T>| (
    correlate(x, filter, Padding::Same),
    convolve(x, filter, Padding::Same)
));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Stream;
    use proptest::prelude::*;

    /// The lecture's sum over all s and t, where the filter is 0 beyond its borders and so is the picture.
    fn naive(x: &Tensor<f64>, f: &Tensor<f64>, padding: Padding) -> Tensor<f64> {
        let ([h, w], [kh, kw]) = (x.dims(), f.dims());
        let (before, size) = match padding {
            Padding::Valid => ([0, 0], [h + 1 - kh, w + 1 - kw]),
            Padding::Same => ([(kh - 1) / 2, (kw - 1) / 2], [h, w]),
            Padding::Causal => ([kh - 1, kw - 1], [h, w]),
        };
        Tensor::from_fn(size, |at| {
            let (a, b) = (at[0], at[1]);
            let mut sum = 0.0;
            for s in 0..h {
                for t in 0..w {
                    let (i, j) = ((s + before[0]).wrapping_sub(a), (t + before[1]).wrapping_sub(b));
                    if i < kh && j < kw {
                        sum += x.at([s, t]) * f.at([i, j]);
                    }
                }
            }
            sum
        })
    }

    proptest! {
        #[test]
        fn definition(h in 1usize..8, w in 1usize..8, kh in 1usize..5, kw in 1usize..5, same: bool) {
            let padding = if same { Padding::Same } else { Padding::Valid };
            prop_assume!(same || (kh <= h && kw <= w));
            let mut rng = Stream::new((h * 512 + w * 64 + kh * 8 + kw) as u64);
            let x = Tensor::<f64>::uniform([h, w], -1.0, 1.0, &mut rng);
            let f = Tensor::<f64>::uniform([kh, kw], -1.0, 1.0, &mut rng);
            let expected = naive(&x, &f, padding);
            prop_assert!(correlate(&x, &f, padding).all_close(&expected, 1e-12, 1e-12));
            let turned = f.flip(0).flip(1);
            prop_assert_eq!(convolve(&x, &turned, padding), correlate(&x, &f, padding));
            // A series is a picture of one row.
            let (row, filter) = (x.slice(0, 0..1), f.slice(0, 0..1));
            if same || kw <= w {
                let series = correlate(&row.reshape([w]), &filter.reshape([kw]), padding);
                let picture = naive(&row, &filter, padding);
                prop_assert!(series.all_close(&picture.reshape([picture.len()]), 1e-12, 1e-12));
            }
        }
    }

    #[test]
    fn every_channel_of_every_picture_by_itself() {
        let mut rng = Stream::new(5);
        let x = Tensor::<f64>::uniform([3, 6, 7, 4], -1.0, 1.0, &mut rng);
        let f = Tensor::<f64>::uniform([3, 2], -1.0, 1.0, &mut rng);
        let y = correlate(&x, &f, Padding::Same);
        for n in 0..3 {
            for c in 0..4 {
                let one = x.slice(0, n..n + 1).slice(3, c..c + 1).reshape([6, 7]);
                let filtered = y.slice(0, n..n + 1).slice(3, c..c + 1).reshape([6, 7]);
                assert!(filtered.all_close(&naive(&one, &f, Padding::Same), 1e-12, 1e-12));
            }
        }
        assert_eq!(correlate(&x.slice(0, 0..0), &f, Padding::Valid).shape(), [0, 4, 6, 4]);
    }

    #[test]
    #[should_panic(
        expected = "correlate: a filter [3] over [5, 5]; a series [n] takes a filter [k]"
    )]
    fn ranks_that_do_not_match() {
        correlate(&Tensor::<f32>::zeros([5, 5]), &Tensor::zeros([3]), Padding::Valid);
    }

    #[test]
    #[should_panic(
        expected = "correlate: a filter [3, 3] over [2, 5]: the window of 3x3 does not fit"
    )]
    fn a_filter_that_does_not_fit() {
        correlate(&Tensor::<f32>::zeros([2, 5]), &Tensor::zeros([3, 3]), Padding::Valid);
    }
}
