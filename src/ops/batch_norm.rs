//! Batch normalisation with the statistics of the batch.

use super::rectifier::{Rectified, Rectifier};
use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::kernels::channels::Around;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};
use num_traits::{Float, Zero};

/// A tensor around the axis of its channels, in row-major order.
fn around(shape: Shape, axis: usize) -> Around {
    let (before, after) = (&shape[..axis], &shape[axis + 1..]);
    Around { outer: before.iter().product(), channels: shape[axis], inner: after.iter().product() }
}

struct BatchNorm<T> {
    axis: usize,
    mean: Vec<T>,
    /// `1 / sqrt(variance + epsilon)`
    inverse: Vec<T>,
    rectifier: Option<Rectifier>,
}

/// The mean and the biased variance of each channel.
fn statistics<T: Scalar>(x: &Tensor<T>, axis: usize) -> [Vec<T::Wide>; 2] {
    let around = around(x.shape(), axis);
    let x = x.row_major();
    let x = x.as_slice().expect("row-major");
    let n = T::Wide::lit(around.count());
    // Of the distances from a value of the channel: their squares lose no digits, as those of large values with small
    // differences would, and one pass gives both sums.
    let first = |channel: usize| x.get(channel * around.inner).copied().unwrap_or(T::zero());
    let first: Vec<T> = (0..around.channels).map(first).collect();
    let sums = around.sums([x, x], [&first], |x, _, [first]| {
        let distance = x.wide() - first.wide();
        [distance, distance * distance]
    });
    let [distances, squares] = sums.map(|sums| sums.into_iter().map(move |sum| sum / n));
    let variance = |(distance, square): (T::Wide, T::Wide)| {
        (square - distance * distance).max(T::Wide::zero())
    };
    let variances = distances.clone().zip(squares).map(variance).collect();
    [distances.zip(&first).map(|(distance, first)| first.wide() + distance).collect(), variances]
}

impl<T: Scalar> BatchNorm<T> {
    /// What is multiplied, `gamma inverse`.
    fn scale(&self, gamma: &Tensor<T>) -> Vec<T> {
        gamma.iter().zip(&self.inverse).map(|(g, &i)| g * i).collect()
    }
}

/// A value before the rectifier, from `[mean, scale, shift]`: forward and backward compute the same bits.
#[inline(always)]
fn normalized<T: Scalar>(x: T, [mean, scale, shift]: [T; 3]) -> T {
    (x - mean) * scale + shift
}

impl<T: Scalar> Op<T, 3> for BatchNorm<T> {
    const NAME: &'static str = "batch_norm";
    type Saved = [Tensor<T>; 3]; // x, gamma and beta

    // y = gamma (x - mean) inverse + beta, rectified if that is asked for
    fn forward(&self, [x, gamma, beta]: [&Tensor<T>; 3], _: [bool; 3]) -> (Tensor<T>, Self::Saved) {
        let around = around(x.shape(), self.axis);
        let x = x.row_major();
        let values = x.as_slice().expect("row-major");
        let (scale, shift) = (self.scale(gamma), beta.to_vec());
        let numbers = [&self.mean[..], &scale, &shift];
        let rectified = Rectified::new(self.rectifier);
        let of = |x, _, numbers: [T; 3]| rectified.value(normalized(x, numbers));
        let mut y = Buffer::stale(values.len());
        around.values((values, None), numbers, of, &mut y);
        (Tensor::from_buffer(x.shape(), y), [x, gamma.clone(), beta.clone()])
    }

    // With z = (x - mean) inverse, dy before the rectifier, and means over the values of a channel:
    // dbeta = sum(dy), dgamma = sum(dy z), dx = gamma inverse (dy - mean(dy) - z mean(dy z))
    fn backward(
        &self,
        [x, gamma, beta]: Self::Saved,
        dy: Tensor<T>,
        wanted: [bool; 3],
    ) -> [Option<Tensor<T>>; 3] {
        let around = around(x.shape(), self.axis);
        let mut dy = dy.row_major();
        let x = x.as_slice().expect("row-major");
        let values = [x, dy.as_slice().expect("row-major")];
        let (scale, shift) = (self.scale(&gamma), beta.to_vec());
        let rectified = Rectified::new(self.rectifier);
        let numbers = [&self.mean[..], &self.inverse, &scale, &shift];
        let sums = around.sums(values, numbers, |x, dy, [mean, inverse, scale, shift]| {
            let dy = rectified.before(dy, normalized(x, [mean, scale, shift])).wide();
            let z = (x - mean) * inverse;
            [dy, dy * z.wide()]
        });
        let total = |k: usize| -> Vec<T> { sums[k].iter().map(|&sum| T::narrow(sum)).collect() };
        let mean = |k: usize| -> Vec<T> {
            sums[k].iter().map(|&sum| T::narrow(sum / T::Wide::lit(around.count()))).collect()
        };
        let dx = wanted[0].then(|| {
            let [mean_dy, mean_dyz] = [mean(0), mean(1)];
            let numbers = [&self.mean[..], &self.inverse, &scale, &shift, &mean_dy, &mean_dyz];
            let of = |x, dy, [mean, inverse, scale, shift, mean_dy, mean_dyz]: [T; 6]| {
                let dy = rectified.before(dy, normalized(x, [mean, scale, shift]));
                scale * (dy - mean_dy - (x - mean) * inverse * mean_dyz)
            };
            if let Some(values) = dy.dense_mut() {
                around.values((x, None), numbers, of, values);
                return dy;
            }
            let mut dx = Buffer::stale(x.len());
            around.values((x, dy.as_slice()), numbers, of, &mut dx);
            Tensor::from_buffer(dy.shape(), dx)
        });
        let channels = [around.channels];
        let dgamma = wanted[1].then(|| Tensor::new(channels, total(1)));
        let dbeta = wanted[2].then(|| Tensor::new(channels, total(0)));
        [dx, dgamma, dbeta]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Batch normalisation (Ioffe and Szegedy, *Batch normalization: accelerating deep network training by reducing
    /// internal covariate shift*, 2015): `gamma (x - mean) / sqrt(variance + epsilon) + beta`, with the mean and the
    /// biased variance of each channel over all other axes. `axis` holds the channels; `gamma` and `beta` have one value
    /// for each. Returns the result, the mean and the variance. Sums are accumulated in `f64`.
    ///
    /// # Panics
    /// When there is no such axis, or `gamma` or `beta` do not have one value for each channel.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0], [3.0]]));
    /// let [gamma, beta] = [2.0, 5.0].map(|value| tape.leaf(Tensor::from([value])));
    /// let (y, mean, variance) = x.batch_norm(&gamma, &beta, 1, 0.0);
    /// assert_eq!(y.value().to_vec(), [3.0, 7.0]);
    /// assert_eq!((mean.to_vec(), variance.to_vec()), (vec![2.0], vec![1.0]));
    /// ```
    #[track_caller]
    pub fn batch_norm(
        &self,
        gamma: &Var<'t, T>,
        beta: &Var<'t, T>,
        axis: usize,
        epsilon: f64,
    ) -> (Var<'t, T>, Tensor<T>, Tensor<T>) {
        self.batch_norm_with([gamma, beta], axis, epsilon, None)
    }

    /// With a rectifier behind it, which is computed in the same passes and keeps no values of its own.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn batch_norm_with(
        &self,
        [gamma, beta]: [&Var<'t, T>; 2],
        axis: usize,
        epsilon: f64,
        rectifier: Option<Rectifier>,
    ) -> (Var<'t, T>, Tensor<T>, Tensor<T>) {
        let (shape, [g, b]) = (self.shape(), [gamma.shape(), beta.shape()]);
        assert!(axis < shape.rank(), "batch_norm: {shape} has no axis {axis}");
        let channels = [shape[axis]];
        assert!(
            *g == channels && *b == channels,
            "batch_norm: axis {axis} of {shape} needs gamma and beta of shape {}, and they have {g} and {b}",
            Shape::from(channels)
        );
        // Where the channels are last in memory alone, as those of a view are that moves them, nothing is copied.
        let last = shape.rank() - 1;
        if axis < last && self.value().as_slice().is_none() {
            let turned = self.move_axis(axis, last);
            if turned.value().as_slice().is_some() {
                let (y, mean, variance) =
                    turned.batch_norm_with([gamma, beta], last, epsilon, rectifier);
                return (y.move_axis(last, axis), mean, variance);
            }
        }
        let [mean, variance] = statistics(self.value(), axis);
        let narrow =
            |values: &[T::Wide]| -> Vec<T> { values.iter().map(|&x| T::narrow(x)).collect() };
        let epsilon = T::Wide::lit(epsilon);
        let inverse = variance.iter().map(|&v| T::narrow((v + epsilon).sqrt().recip())).collect();
        let (mean, variance) = (narrow(&mean), narrow(&variance));
        let op = BatchNorm { axis, mean: mean.clone(), inverse, rectifier };
        let y = apply(op, [self, gamma, beta]);
        (y, Tensor::new(channels, mean), Tensor::new(channels, variance))
    }
}

compiled!(|x: &Var<T>, gamma: &Var<T>| x.batch_norm(gamma, gamma, 1, 1e-3));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 0.0], [3.0, 8.0]]));
        let gamma = Var::constant(Tensor::from([1.0, 2.0]));
        let beta = Var::constant(Tensor::from([0.0, 1.0]));
        let (y, mean, variance) = x.batch_norm(&gamma, &beta, 1, 0.0);
        assert_close(y.value(), &Tensor::from([[-1.0, -1.0], [1.0, 3.0]]));
        assert_close(&mean, &Tensor::from([2.0, 4.0]));
        assert_close(&variance, &Tensor::from([1.0, 16.0]));
    }

    #[test]
    fn gradient() {
        for (axis, layout) in [(1, 0), (2, 1), (2, 3), (0, 2)] {
            let x = random(&[3, 4, 5], -2.0, 2.0, 1, layout);
            let channels = [x.shape()[axis]];
            let [gamma, beta] = [2, 3].map(|seed| random(&channels, 0.5, 2.0, seed, 0));
            // Squared, for the sum of what comes out does not depend on x.
            gradcheck(|[x, g, b]| x.batch_norm(g, b, axis, 1e-3).0.square(), [x, gamma, beta])
                .unwrap();
        }
    }

    /// Beside 2^24, ones are lost in `f32`: for each number of channels that are added up at once, and for runs of one channel.
    #[test]
    fn sums_are_f64() {
        let values = [0.0, 2f32.powi(24), 1.0, 1.0, 1.0, 1.0, 1.0, -2f32.powi(24)];
        for channels in [1, 4, 16, 21] {
            for axis in [0, 1] {
                let x = Tensor::from_fn([8, channels], |at| values[at[0]] * (at[1] + 1) as f32);
                let x = if axis == 0 { x.t().row_major() } else { x };
                let one = Var::constant(Tensor::ones([channels]));
                let (_, mean, _) = Var::constant(x).batch_norm(&one, &one, axis, 1.0);
                let right = Tensor::from_fn([channels], |at| 0.625 * (at[0] + 1) as f32);
                assert!(mean.all_close(&right, 1e-6, 0.0), "{channels} channels on axis {axis}");
            }
        }
    }

    const RECTIFIERS: [Rectifier; 4] = [
        Rectifier { negative_slope: 0.0, max_value: None, threshold: 0.0 },
        Rectifier { negative_slope: 0.0, max_value: Some(6.0), threshold: 0.0 },
        Rectifier { negative_slope: 0.25, max_value: None, threshold: 0.0 },
        Rectifier { negative_slope: 0.5, max_value: Some(1.0), threshold: 0.25 },
    ];

    /// With a rectifier it is the two operations one after the other, bit for bit, for channels that leave a rest of each kind and for
    /// channels that are not innermost.
    #[test]
    fn rectified_in_the_same_passes() {
        for rectifier in RECTIFIERS {
            for (shape, axis) in [(&[5, 3, 37][..], 2), (&[40, 3], 1), (&[3, 7, 5], 1)] {
                let x = random(shape, -8.0, 8.0, 1, 0);
                let [gamma, beta] = [2, 3].map(|seed| random(&[shape[axis]], 0.5, 4.0, seed, 0));
                let dy = random(shape, -1.0, 1.0, 4, 0);
                let run = |joined: bool| {
                    let tape = Tape::new();
                    let [x, g, b] = [&x, &gamma, &beta].map(|it| tape.leaf(it.clone()));
                    let y = match joined {
                        true => x.batch_norm_with([&g, &b], axis, 1e-3, Some(rectifier)).0,
                        false => x.batch_norm(&g, &b, axis, 1e-3).0.rectifier(rectifier),
                    };
                    let gradients = y.backward_from(&dy);
                    [y.value().clone(), gradients.wrt(&x), gradients.wrt(&g), gradients.wrt(&b)]
                };
                assert_eq!(run(true), run(false), "{rectifier:?}");
            }
        }
    }

    /// Values that are far from 0 keep the digits of their differences; a channel of one value has the variance 0; an empty batch has none.
    #[test]
    fn statistics_of_one_pass() {
        let x = Tensor::from_fn([4, 3], |at| {
            [1e8, 3.0, -7.5][at[1]] + [0.0, 2.0, 0.0][at[1]] * at[0] as f64
        });
        let [mean, variance] = statistics(&x, 1);
        assert_eq!((mean, variance), (vec![1e8, 6.0, -7.5], vec![0.0, 5.0, 0.0]));
        let x = Tensor::from_fn([1000, 1], |at| 1e8 + (at[0] % 2) as f64);
        assert_eq!(statistics(&x, 1), [[1e8 + 0.5], [0.25]].map(|it| it.to_vec()));
        let [mean, _] = statistics(&Tensor::<f32>::zeros([0, 2]), 1);
        assert!(mean.iter().all(|mean| mean.is_nan()));
    }

    #[test]
    fn long_sums_keep_their_digits() {
        let x = Tensor::<f32>::from_fn([70_000, 1], |at| 1000.0 + (at[0] % 2) as f32);
        let one = Var::constant(Tensor::ones([1]));
        let (_, mean, variance) = Var::constant(x).batch_norm(&one, &one, 1, 0.0);
        assert_eq!((mean.item(), variance.item()), (1000.5, 0.25));
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axis in 0usize..3) {
            let channels = x.shape()[axis];
            let gamma = random(&[channels], -2.0, 2.0, 5, 0);
            let beta = random(&[channels], -2.0, 2.0, 6, 0);
            let n = (x.len() / channels) as f64;
            let mut expected = Tensor::zeros(x.shape()).row_major();
            let indices = crate::ops::testing::indices::<3>(x.dims());
            for c in 0..channels {
                let values: Vec<f64> =
                    indices.iter().filter(|at| at[axis] == c).map(|&at| x.at(at)).collect();
                let mean = values.iter().sum::<f64>() / n;
                let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
                for (i, &at) in indices.iter().enumerate().filter(|(_, at)| at[axis] == c) {
                    let z = (x.at(at) - mean) / (variance + 0.01).sqrt();
                    expected.as_mut_slice()[i] = gamma.at([c]) * z + beta.at([c]);
                }
            }
            let [gamma, beta] = [gamma, beta].map(Var::constant);
            let (y, _, _) = Var::constant(x).batch_norm(&gamma, &beta, axis, 0.01);
            assert_close(y.value(), &expected);
        }
    }
}
