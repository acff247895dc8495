//! Normalisation of each sample by itself: `y = gamma (x - mean) / sqrt(variance + epsilon) + beta`.

use crate::autograd::{Op, Var, apply};
use crate::kernels::normalize::{Groups, Moments};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

struct LayerNorm {
    groups: Groups,
}

/// `x` and `gamma` in rows, and the moments of the groups.
struct Saved<T: Scalar> {
    x: Tensor<T>,
    gamma: Tensor<T>,
    moments: Vec<Moments<T>>,
}

fn rows<T: Scalar>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("row-major")
}

impl<T: Scalar> Op<T, 3> for LayerNorm {
    const NAME: &'static str = "layer_norm";
    type Saved = Saved<T>;

    // y = gamma (x - mean) inverse + beta
    fn forward(&self, [x, gamma, beta]: [&Tensor<T>; 3], _: [bool; 3]) -> (Tensor<T>, Saved<T>) {
        let [x, gamma, beta] = [x, gamma, beta].map(Tensor::row_major);
        let (y, moments) = self.groups.forward(rows(&x), [rows(&gamma), rows(&beta)]);
        (Tensor::from_buffer(x.shape(), y), Saved { x, gamma, moments })
    }

    // With z = (x - mean) inverse, g = gamma dy and means over a group:
    // dx = inverse (g - mean(g) - z mean(g z)), dgamma = sum(dy z), dbeta = sum(dy)
    fn backward(
        &self,
        Saved { x, gamma, moments }: Saved<T>,
        dy: Tensor<T>,
        wanted: [bool; 3],
    ) -> [Option<Tensor<T>>; 3] {
        let dy = dy.row_major();
        let (dx, [dgamma, dbeta]) =
            self.groups.backward([rows(&x), rows(&dy)], rows(&gamma), &moments);
        [
            wanted[0].then(|| Tensor::from_buffer(x.shape(), dx)),
            wanted[1].then(|| Tensor::new(gamma.shape(), dgamma)),
            wanted[2].then(|| Tensor::new(gamma.shape(), dbeta)),
        ]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Layer normalisation (Ba, Kiros and Hinton, *Layer normalization*, 2016): `gamma (x - mean) / sqrt(variance + epsilon) +
    /// beta`, with the mean and the biased variance over the last axes of each sample, as many as `gamma` and `beta` have.
    ///
    /// # Panics
    /// When the last axes of `x` do not have the shape of `gamma` and `beta`.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 3.0], [5.0, 5.0]]));
    /// let gamma = tape.leaf(Tensor::from([1.0, 2.0]));
    /// let beta = tape.leaf(Tensor::from([0.0, 1.0]));
    /// let y = x.layer_norm(&gamma, &beta, 0.0);
    /// assert_eq!(y.value().slice(0, 0..1), Tensor::from([[-1.0, 3.0]]));
    /// let y = x.layer_norm(&gamma, &beta, 1e-3);
    /// assert_eq!(y.sum(..).backward().wrt(&beta).to_vec(), [2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn layer_norm(&self, gamma: &Var<'t, T>, beta: &Var<'t, T>, epsilon: f64) -> Var<'t, T> {
        self.normalize_last_axes(gamma, beta, true, epsilon)
    }

    /// The same without taking a mean away (Zhang and Sennrich, *Root mean square layer normalization*, 2019):
    /// `scale x / sqrt(mean of x^2 + epsilon)`.
    ///
    /// # Panics
    /// When the last axes of `x` do not have the shape of `scale`.
    ///
    /// ```
    /// use cinta::{Tensor, Var};
    /// let x = Var::constant(Tensor::from([[1.0, -7.0]]));
    /// let scale = Var::constant(Tensor::from([5.0, 10.0]));
    /// let y = x.rms_norm(&scale, 0.0);
    /// assert!(y.value().all_close(&Tensor::from([[1.0, -14.0]]), 1e-12, 0.0));
    /// ```
    #[track_caller]
    pub fn rms_norm(&self, scale: &Var<'t, T>, epsilon: f64) -> Var<'t, T> {
        let zeros = Var::constant(Tensor::zeros(scale.shape()));
        self.normalize_last_axes(scale, &zeros, false, epsilon)
    }

    /// Group normalisation (Wu and He, *Group normalization*, 2018): the channels of the last axis are cut into so many groups of
    /// neighbours, and each is normalised by its mean and biased variance in the sample. Then every channel is multiplied by its
    /// `gamma`, and `beta` is added.
    ///
    /// # Panics
    /// When the groups do not divide the channels, or `gamma` or `beta` do not have one value for each channel.
    ///
    /// ```
    /// use cinta::{Tensor, Var};
    /// let x = Var::constant(Tensor::from([[1.0, 3.0, 2.0, 8.0]]));
    /// let [gamma, beta] = [1.0, 0.0].map(|value| Var::constant(Tensor::full([4], value)));
    /// let y = x.group_norm(&gamma, &beta, 2, 0.0);
    /// assert_eq!(y.value().to_vec(), [-1.0, 1.0, -1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn group_norm(
        &self,
        gamma: &Var<'t, T>,
        beta: &Var<'t, T>,
        groups: usize,
        epsilon: f64,
    ) -> Var<'t, T> {
        let (shape, [g, b]) = (self.shape(), [gamma.shape(), beta.shape()]);
        let [_, inner @ .., channels] = &*shape else {
            panic!(
                "group_norm: needs an axis of samples and one of channels, and the shape is {shape}"
            )
        };
        assert!(
            groups > 0 && channels % groups == 0,
            "group_norm: {channels} channels are not {groups} groups"
        );
        assert!(
            *g == [*channels] && *b == [*channels],
            "group_norm: {channels} channels need gamma and beta of shape [{channels}], and they have {g} and {b}"
        );
        let groups = Groups {
            places: inner.iter().product(),
            groups,
            channels: channels / groups,
            centred: true,
            epsilon,
        };
        apply(LayerNorm { groups }, [self, gamma, beta])
    }

    #[track_caller]
    fn normalize_last_axes(
        &self,
        gamma: &Var<'t, T>,
        beta: &Var<'t, T>,
        centred: bool,
        epsilon: f64,
    ) -> Var<'t, T> {
        let (shape, [g, b]): (Shape, [Shape; 2]) = (self.shape(), [gamma.shape(), beta.shape()]);
        assert!(
            shape.ends_with(&g) && g == b,
            "layer_norm: the last axes of {shape} need gamma and beta of their shape, and they have {g} and {b}"
        );
        let groups = Groups { places: 1, groups: 1, channels: g.count(), centred, epsilon };
        apply(LayerNorm { groups }, [self, gamma, beta])
    }
}

compiled!(|x: &Var<T>, gamma: &Var<T>| {
    (x.layer_norm(gamma, gamma, 1e-3), x.rms_norm(gamma, 1e-6), x.group_norm(gamma, gamma, 1, 1e-3))
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, indices, random, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 3.0], [0.0, 8.0]]));
        let gamma = Var::constant(Tensor::from([1.0, 2.0]));
        let beta = Var::constant(Tensor::from([0.0, 1.0]));
        let y = x.layer_norm(&gamma, &beta, 0.0);
        assert_close(y.value(), &Tensor::from([[-1.0, 3.0], [-1.0, 3.0]]));
        let y = x.rms_norm(&gamma, 0.0);
        let root = [5.0f64.sqrt(), 32.0f64.sqrt()];
        let expected = Tensor::from([[1.0 / root[0], 6.0 / root[0]], [0.0, 16.0 / root[1]]]);
        assert_close(y.value(), &expected);
        let y = x.group_norm(&gamma, &beta, 1, 0.0);
        assert_close(y.value(), &Tensor::from([[-1.0, 3.0], [-1.0, 3.0]]));
    }

    /// The mean of these is no `f32`; their variance is 16 all the same.
    #[test]
    fn a_mean_that_is_rounded() {
        let x = Var::constant(Tensor::from([[100_000_000.0f32, 100_000_008.0]]));
        let [gamma, beta] = [Tensor::ones([2]), Tensor::zeros([2])].map(Var::constant);
        let y = x.layer_norm(&gamma, &beta, 0.0).into_value();
        assert_eq!(y.at([0, 1]) - y.at([0, 0]), 2.0);
    }

    #[test]
    fn gradient() {
        for (last, layout) in [(1, 0), (2, 1), (1, 3)] {
            let x = random(&[3, 4, 5], -2.0, 2.0, 1, layout);
            let shape = &[3, 4, 5][3 - last..];
            let [gamma, beta] = [2, 3].map(|seed| random(shape, 0.5, 2.0, seed, 0));
            // Squared, for the sum of what comes out does not depend on x.
            let given = [x.clone(), gamma.clone(), beta];
            gradcheck(|[x, g, b]| x.layer_norm(g, b, 1e-3).square(), given).unwrap();
            gradcheck(|[x, g]| x.rms_norm(g, 1e-3).square(), [x, gamma]).unwrap();
        }
        for groups in [1, 2, 6] {
            let x = random(&[2, 3, 2, 6], -2.0, 2.0, 1, 3);
            let [gamma, beta] = [2, 3].map(|seed| random(&[6], 0.5, 2.0, seed, 0));
            gradcheck(|[x, g, b]| x.group_norm(g, b, groups, 1e-3).square(), [x, gamma, beta])
                .unwrap();
        }
    }

    /// Longer than the pieces of a sum, where single precision alone would lose digits, and wider than the lanes.
    #[test]
    fn long_sums_keep_their_digits() {
        let value = |i: usize| 1000.0 + (i % 2) as f32;
        let x = Var::constant(Tensor::<f32>::from_fn([1, 140_003], |at| value(at[1])));
        let zeros = Var::constant(Tensor::zeros([140_003]));
        let ones = Var::constant(Tensor::ones([140_003]));
        let exact = |y: &Tensor<f32>| {
            y.iter()
                .enumerate()
                .all(|(i, y)| (y - if i % 2 == 0 { -1.0 } else { 1.0 }).abs() < 2e-5)
        };
        assert!(exact(x.layer_norm(&ones, &zeros, 0.0).value()));
        let columns = Var::constant(Tensor::<f32>::from_fn([1, 70_000, 2], |at| value(at[1])));
        let (two, none) = (Var::constant(Tensor::ones([2])), Var::constant(Tensor::zeros([2])));
        for groups in [1, 2] {
            let y = columns.group_norm(&two, &none, groups, 0.0);
            assert!(exact(&y.value().slice(2, 1..2).reshape([70_000])), "{groups}");
        }
        // All gradients of beta: 2^24 + 3 ones would stay 2^24 if they were a single chain.
        let tape = crate::autograd::Tape::new();
        let beta = tape.leaf(Tensor::<f32>::zeros([1]));
        let x = Var::constant(Tensor::zeros([1, (1 << 24) + 3, 1]));
        let y = x.group_norm(&Var::constant(Tensor::ones([1])), &beta, 1, 1.0);
        let ones = Tensor::ones(y.shape());
        let dbeta = y.backward_from(&ones).wrt(&beta).item();
        assert_eq!(dbeta, ((1 << 24) + 4) as f32); // the nearest that there is
    }

    /// Beside 2^24, a one is lost in `f32`: in a sum of several pieces, and in one over samples of several parts.
    #[test]
    fn gradients_are_summed_in_f64() {
        let large = [2f32.powi(24), 1.0, -2f32.powi(24)];
        let [gamma, beta] = [1.0, 0.0].map(|value| move |n: usize| Tensor::<f32>::full([n], value));
        let gradients = |n: usize, x: Tensor<f32>, dy: Tensor<f32>| {
            let tape = crate::autograd::Tape::new();
            let leaves = [x, gamma(n), beta(n)].map(|x| tape.leaf(x));
            let y = leaves[0].layer_norm(&leaves[1], &leaves[2], 0.0);
            let gradients = y.backward_from(&dy);
            leaves.map(|leaf| gradients.wrt(&leaf))
        };
        let sign = |i: usize| if i.is_multiple_of(2) { -1.0 } else { 1.0 };
        // dx = dy - mean(dy) - z mean(dy z), where both means are those of a single one.
        let (piece, n) = (1 << 15, 3 << 15);
        let x = Tensor::from_fn([1, n], |at| sign(at[1]));
        let dy = Tensor::from_fn([1, n], |at| {
            if at[1].is_multiple_of(piece) { large[at[1] / piece] } else { 0.0 }
        });
        let [dx, ..] = gradients(n, x, dy);
        let right = -2.0 / n as f32;
        assert!((dx.at([0, 2]) / right - 1.0).abs() < 1e-3, "{} and not {right}", dx.at([0, 2]));
        let n = 1 << 14;
        let x = Tensor::from_fn([3, n], |at| sign(at[1]));
        let dy = Tensor::from_fn([3, n], |at| if at[1] == 1 { large[at[0]] } else { 0.0 });
        let [_, dgamma, dbeta] = gradients(n, x, dy);
        assert_eq!((dgamma.at([1]), dbeta.at([1])), (1.0, 1.0));
    }

    #[test]
    fn no_samples_and_no_channels() {
        let [gamma, beta] = [1.0, 0.0].map(|value| Var::constant(Tensor::<f64>::full([4], value)));
        let none = Var::constant(Tensor::zeros([0, 3, 4]));
        assert_eq!(none.group_norm(&gamma, &beta, 2, 1e-3).shape(), [0, 3, 4]);
        assert_eq!(none.layer_norm(&gamma, &beta, 1e-3).shape(), [0, 3, 4]);
        let empty = Var::constant(Tensor::<f64>::zeros([2, 0]));
        let nothing = Var::constant(Tensor::zeros([0]));
        assert_eq!(empty.layer_norm(&nothing, &nothing, 1e-3).shape(), [2, 0]);
    }

    #[test]
    #[should_panic(
        expected = "the last axes of [2, 3] need gamma and beta of their shape, and they have [2] and [2]"
    )]
    fn gamma_of_another_axis() {
        let gamma = Var::constant(Tensor::<f64>::ones([2]));
        Var::constant(Tensor::zeros([2, 3])).layer_norm(&gamma, &gamma, 1e-3);
    }

    #[test]
    #[should_panic(expected = "group_norm: 3 channels are not 2 groups")]
    fn groups_that_do_not_divide() {
        let gamma = Var::constant(Tensor::<f64>::ones([3]));
        Var::constant(Tensor::zeros([2, 3])).group_norm(&gamma, &gamma, 2, 1e-3);
    }

    /// Each value by the mean and variance of those that `same` says are of its group.
    fn normalised(
        x: &Tensor<f64>,
        same: impl Fn([usize; 3], [usize; 3]) -> bool,
        factor: impl Fn([usize; 3]) -> f64,
    ) -> Tensor<f64> {
        let all = indices::<3>(x.dims());
        Tensor::from_fn(x.shape(), |at| {
            let at = [at[0], at[1], at[2]];
            let group: Vec<f64> =
                all.iter().filter(|&&other| same(at, other)).map(|&other| x.at(other)).collect();
            let mean = group.iter().sum::<f64>() / group.len() as f64;
            let variance =
                group.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / group.len() as f64;
            factor(at) * (x.at(at) - mean) / (variance + 0.01).sqrt() + 0.5
        })
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), groups in 1usize..4) {
            let [_, b, c] = x.dims();
            let gamma = random(&[b, c], -2.0, 2.0, 5, 0);
            let beta = Tensor::full([b, c], 0.5);
            let expected =
                normalised(&x, |a, b| a[0] == b[0], |at| gamma.at([at[1], at[2]]));
            let [gamma, beta] = [gamma, beta].map(Var::constant);
            assert_close(Var::constant(x).layer_norm(&gamma, &beta, 0.01).value(), &expected);

            let each = 1 + c % 3;
            let x = random(&[2, b, groups * each], -2.0, 2.0, 7, c as u8);
            let gamma = random(&[groups * each], -2.0, 2.0, 8, 0);
            let beta = Var::constant(Tensor::full([groups * each], 0.5));
            let expected = normalised(
                &x,
                |a, b| a[0] == b[0] && a[2] / each == b[2] / each,
                |at| gamma.at([at[2]]),
            );
            let y = Var::constant(x).group_norm(&Var::constant(gamma), &beta, groups, 0.01);
            assert_close(y.value(), &expected);
        }
    }
}
