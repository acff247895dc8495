//! Random tensors, and random numbers that do not depend on the number of threads.

use super::{Shape, Tensor};
use crate::buffer::room;
use crate::scalar::Scalar;
use rand::Rng;
use rand::distr::Distribution;

use std::convert::Infallible;

/// A counter-based generator: the number at any position is computed from a key, without the ones
/// before it.
///
/// Dropout, shuffling and initial weights each take their own stream, keyed by what it is for
/// (seed, step, layer, sample, ...), so that the same seed gives the same numbers whatever thread asks
/// first. The function is the finaliser of SplitMix64 (Steele, Lea and Flood, *Fast splittable
/// pseudorandom number generators*, 2014) over a Weyl sequence, and will not change between versions.
///
/// ```
/// use cinta::{Stream, Tensor};
/// let stream = Stream::new(7);
/// assert_eq!(stream.at(3), Stream::new(7).at(3));
/// assert_ne!(stream.fork(1).at(0), stream.fork(2).at(0));
/// let x = Tensor::<f32>::uniform([2, 3], -1.0, 1.0, &mut Stream::new(7)); // any rand::Rng will do
/// assert!(x.iter().all(|x| (-1.0..=1.0).contains(&x)));
/// ```
#[derive(Clone, Debug)]
pub struct Stream {
    key: u64,
    next: u64,
}

/// The odd number nearest to 2^64 divided by the golden ratio.
const WEYL: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's finaliser: a bijection in which every input bit changes half of the output bits.
#[inline(always)]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Stream {
    /// The stream of a seed.
    ///
    /// ```
    /// assert_ne!(cinta::Stream::new(0).at(0), cinta::Stream::new(1).at(0));
    /// ```
    pub fn new(seed: u64) -> Self {
        Stream { key: mix(seed.wrapping_add(WEYL)), next: 0 }
    }

    /// The sub-stream with a label, unrelated to this one and to those of other labels.
    ///
    /// ```
    /// let stream = cinta::Stream::new(0);
    /// assert_ne!(stream.fork(0).at(0), stream.at(0));
    /// ```
    pub fn fork(&self, label: u64) -> Stream {
        Stream { key: mix(self.key ^ mix(label.wrapping_mul(WEYL).wrapping_add(1))), next: 0 }
    }

    /// The number at a position.
    ///
    /// ```
    /// let stream = cinta::Stream::new(0);
    /// assert_ne!(stream.at(0), stream.at(1));
    /// ```
    #[inline(always)]
    pub fn at(&self, position: u64) -> u64 {
        mix(self.key.wrapping_add(position.wrapping_mul(WEYL)))
    }

    /// The halves of the key, for [`word`](Self::word).
    pub(crate) fn word_keys(&self) -> [u32; 2] {
        [self.key as u32, (self.key >> 32) as u32]
    }

    /// The 32-bit number at a position, from the halves of a stream's key. It takes only 32-bit operations, so
    /// that vectors compute eight or sixteen at a time: MurmurHash3's finaliser (Appleby, 2011) over a Weyl
    /// sequence, with one half of the key before and one in the middle.
    #[inline(always)]
    pub(crate) fn word([low, high]: [u32; 2], position: u32) -> u32 {
        let mut x = position.wrapping_mul(0x9E37_79B9) ^ low;
        x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
        x = (x ^ (x >> 13) ^ high).wrapping_mul(0xC2B2_AE35);
        x ^ (x >> 16)
    }

    /// A random order of `0..n`: the shuffle of Fisher and Yates. The same stream gives the same order; for
    /// another one, [`fork`](Self::fork) first.
    ///
    /// # Panics
    /// When there is not enough memory.
    ///
    /// ```
    /// let mut order = cinta::Stream::new(1).permutation(10);
    /// order.sort();
    /// assert_eq!(order, (0..10).collect::<Vec<_>>());
    /// ```
    #[track_caller]
    pub fn permutation(&self, n: usize) -> Vec<usize> {
        let mut order = room(n);
        self.permute(n, &mut order);
        order
    }

    /// [`permutation`](Self::permutation), into memory that is there already.
    pub(crate) fn permute(&self, n: usize, order: &mut Vec<usize>) {
        order.clear();
        order.extend(0..n);
        for i in (1..n).rev() {
            // The high half of a 64x64-bit product: a number in 0..=i, its bias below 2^-40.
            let j = (u128::from(self.at(i as u64)) * (i as u128 + 1)) >> 64;
            order.swap(i, j as usize);
        }
    }
}

impl rand::TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|bits| (bits >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let number = self.at(self.next);
        self.next = self.next.wrapping_add(1);
        Ok(number)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let number = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }
}

/// A number in `[0, 1)` from the upper 53 bits.
#[inline(always)]
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// A number from the standard normal distribution, by the transform of Box and Muller (*A note on the
/// generation of random normal deviates*, 1958): `sqrt(-2 ln u) cos(2 pi v)` of two uniform numbers.
pub(crate) fn standard_normal(rng: &mut (impl Rng + ?Sized)) -> f64 {
    // 1 - unit is never 0.
    let (u, v) = (1.0 - unit(rng.next_u64()), unit(rng.next_u64()));
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Random constructors. They draw from the caller's generator: any [`rand::Rng`], or a [`Stream`].
impl<T: Scalar> Tensor<T> {
    /// Independent values, uniform between `low` and `high`.
    ///
    /// # Panics
    /// When `low > high`, or one of them is not finite.
    ///
    /// ```
    /// # use cinta::{Stream, Tensor};
    /// let x = Tensor::<f64>::uniform([1000], 2.0, 4.0, &mut Stream::new(1));
    /// assert!((x.mean(..).item() - 3.0).abs() < 0.1);
    /// ```
    #[track_caller]
    pub fn uniform(
        shape: impl Into<Shape>,
        low: f64,
        high: f64,
        rng: &mut (impl Rng + ?Sized),
    ) -> Self {
        assert!(low <= high && (high - low).is_finite(), "uniform: {low}..{high} is no range");
        Self::from_fn(shape, |_| T::lit(low + (high - low) * unit(rng.next_u64())))
    }

    /// Independent values from any distribution, as those of the crate `rand_distr`.
    ///
    /// ```
    /// # use cinta::{Stream, Tensor};
    /// use rand_distr::Beta;
    /// let x: Tensor<f64> = Tensor::sample([1000], &Beta::new(2.0, 6.0).unwrap(), &mut Stream::new(1));
    /// assert!((x.mean(..).item() - 0.25).abs() < 0.02);
    /// ```
    #[track_caller]
    pub fn sample(
        shape: impl Into<Shape>,
        distribution: &impl Distribution<T>,
        rng: &mut (impl Rng + ?Sized),
    ) -> Self {
        Self::from_fn(shape, |_| distribution.sample(rng))
    }

    /// Independent values from the normal distribution.
    ///
    /// # Panics
    /// When the standard deviation is negative, or one of the two numbers is not finite.
    ///
    /// ```
    /// # use cinta::{Stream, Tensor};
    /// let x = Tensor::<f64>::normal([1000], 5.0, 2.0, &mut Stream::new(1));
    /// assert!((x.mean(..).item() - 5.0).abs() < 0.2);
    /// ```
    #[track_caller]
    pub fn normal(
        shape: impl Into<Shape>,
        mean: f64,
        standard_deviation: f64,
        rng: &mut (impl Rng + ?Sized),
    ) -> Self {
        let sensible =
            mean.is_finite() && standard_deviation.is_finite() && standard_deviation >= 0.0;
        assert!(sensible, "normal: mean {mean} and standard deviation {standard_deviation}");
        Self::from_fn(shape, |_| T::lit(mean + standard_deviation * standard_normal(rng)))
    }

    /// Independent values, uniform in `[-limit, limit]` with `limit = sqrt(6 / (fan_in + fan_out))`,
    /// where a kernel `[kh, kw, c_in, c_out]` has `fan_in = kh kw c_in` and `fan_out = kh kw c_out`
    /// (Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural
    /// networks*, 2010).
    ///
    /// # Panics
    /// When the shape has more elements than memory.
    ///
    /// ```
    /// # use cinta::{Stream, Tensor};
    /// let kernel = Tensor::<f32>::glorot_uniform([5, 5, 1, 8], &mut Stream::new(1));
    /// assert!(kernel.iter().all(|w| w.abs() <= (6.0f32 / (25.0 + 200.0)).sqrt()));
    /// ```
    #[track_caller]
    pub fn glorot_uniform(shape: impl Into<Shape>, rng: &mut (impl Rng + ?Sized)) -> Self {
        let shape = shape.into();
        let (fan_in, fan_out) = fans(&shape);
        let limit = (6.0 / (fan_in + fan_out).max(2.0)).sqrt();
        Self::uniform(shape, -limit, limit, rng)
    }
}

/// How many inputs feed one output of a kernel of this shape, and how many outputs one input feeds.
pub(crate) fn fans(shape: &Shape) -> (f64, f64) {
    match **shape {
        [] => (1.0, 1.0),
        [n] => (n as f64, n as f64),
        [ref field @ .., c_in, c_out] => {
            let field: f64 = field.iter().map(|&side| side as f64).product();
            (field * c_in as f64, field * c_out as f64)
        }
    }
}

/// What a seed means must never change: these numbers are those of the formulas, computed apart from this crate.
#[cfg(test)]
mod tests {
    use super::*;
    use rand::TryRng;

    #[test]
    fn streams_are_known_numbers() {
        let at = |seed: u64| [0, 1, 2, u64::MAX].map(|position| Stream::new(seed).at(position));
        assert_eq!(
            at(7),
            [
                0x74b5_abcc_66b8_bdc1,
                0xb8b4_c297_7eab_ce45,
                0xa653_05fd_338e_c8fe,
                0xdbbd_be0d_6494_4228
            ]
        );
        assert_eq!(
            at(u64::MAX),
            [
                0x4450_18e3_0581_0b78,
                0x5dc2_0aa7_b2a2_7137,
                0xbda5_668a_01d7_049c,
                0x2dfe_1aa5_65b7_ff81
            ]
        );
    }

    #[test]
    fn forks_are_known_numbers() {
        let stream = Stream::new(7);
        let at = |label: u64| [0, 5].map(|position| stream.fork(label).at(position));
        assert_eq!(at(0), [0xbe47_f431_f77f_fa4d, 0x5a08_a8ab_3ab2_c6c5]);
        assert_eq!(at(1), [0xa0e1_0cc0_3edc_16a3, 0xd80f_9eb3_eac8_e2f9]);
        assert_eq!(at(u64::MAX), [0xe679_7742_19ff_703c, 0xdb7e_a9db_a325_1206]);
        assert_eq!(stream.fork(3).fork(4).at(0), 0x0eab_1d84_4f13_526e);
        assert_eq!(stream.fork(4).fork(3).at(0), 0x25d2_1892_aa7a_ab40);
        // From the beginning, wherever the stream is.
        let mut drawn = stream.clone();
        drawn.next_u64();
        assert_eq!(drawn.fork(1).next_u64(), 0xa0e1_0cc0_3edc_16a3);
    }

    #[test]
    fn words_of_dropout_are_known_numbers() {
        let keys = Stream::new(7).word_keys();
        assert_eq!(
            [0, 1, 2, 1000, u32::MAX].map(|position| Stream::word(keys, position)),
            [0x94e1_6763, 0xd3dd_4df3, 0xe8c6_1bcc, 0x3523_be3c, 0xcb4e_1735]
        );
    }

    #[test]
    fn permutations_are_known_orders() {
        assert_eq!(Stream::new(7).permutation(10), [0, 4, 6, 5, 3, 2, 1, 7, 9, 8]);
        assert_eq!(Stream::new(7).permutation(1), [0]);
        assert_eq!(Stream::new(7).permutation(0), [0; 0]);
        let mut order = vec![9; 3];
        Stream::new(1).permute(8, &mut order);
        assert_eq!(order, [6, 4, 2, 0, 3, 1, 7, 5]);
    }

    #[test]
    fn draws_are_known_numbers() {
        let rng = &mut Stream::new(7);
        assert_eq!(rng.next_u64(), 0x74b5_abcc_66b8_bdc1);
        assert_eq!(rng.next_u32(), 0xb8b4_c297);
        // Bytes from the lowest on, in whole numbers of 8.
        let mut bytes = [0; 11];
        let Ok(()) = rng.try_fill_bytes(&mut bytes);
        let expected = [0xfe, 0xc8, 0x8e, 0x33, 0xfd, 0x05, 0x53, 0xa6, 0x9b, 0x12, 0x63];
        assert_eq!(bytes, expected);
    }

    #[test]
    fn random_tensors_are_known_numbers() {
        let drawn = |x: Tensor<f64>, expected: &[f64]| {
            let first = x.reshape([x.len()]).slice(0, ..expected.len());
            let expected = Tensor::new([expected.len()], expected.to_vec());
            assert!(first.all_close(&expected, 1e-13, 0.0), "{first:?} instead of {expected:?}");
        };
        let rng = || Stream::new(7);
        let expected =
            [-0.088_205_838_389_109_78, 0.443_016_361_209_940_5, 0.299_408_672_936_911_4];
        drawn(Tensor::uniform([2, 2], -1.0, 1.0, &mut rng()), &expected);
        drawn(Tensor::uniform([2], 2.0, 4.0, &mut rng()), &[2.911_794_161_610_89]);
        let expected = [4.607_088_406_116_594, 2.241_420_622_876_954, 3.426_373_556_903_460_6];
        drawn(Tensor::normal([2, 2], 5.0, 2.0, &mut rng()), &expected);
        let expected = [-0.036_009_882_731_285_86, 0.180_860_672_111_479_5, 0.122_233_078_876_548];
        drawn(Tensor::glorot_uniform([2, 3, 2, 4], &mut rng()), &expected);
        // The same numbers, rounded.
        let narrow = Tensor::<f32>::uniform([2], -1.0, 1.0, &mut rng());
        assert_eq!(narrow.to_vec(), [-0.088_205_84, 0.443_016_36]);
    }
}
