//! Random zeros.

use crate::buffer::Buffer;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd};
use crate::tensor::{Order, Stream, Tensor};

/// Sets each value to 0 with probability `rate`, and multiplies the others by `1 / (1 - rate)`. Value `i` of a
/// sample survives if the `i`-th word of the sample's stream reaches the rate, as a fraction of 2^32.
///
/// The first axis counts samples; the result keeps the memory order, if samples are the outermost or the
/// innermost axis.
#[track_caller]
pub fn drop_out<T: Scalar>(
    x: &Tensor<T>,
    streams: impl Iterator<Item = Stream>,
    rate: f64,
) -> Tensor<T> {
    let shape = x.shape();
    let draws = Draws::new(shape[0], streams, rate);
    let order = x.order();
    let x = x.in_order(order);
    let values = x.stored(order);
    let mut out = Buffer::stale(values.len());
    simd::dispatch(Mask { values, out: &mut out, draws: &draws, order });
    order.tensor(shape, out)
}

/// What decides which values survive.
pub struct Draws<T> {
    /// The two halves of each sample's key, apart, so that a vector holds those of several samples.
    pub keys: [Buffer<u32>; 2],
    /// What a word must reach.
    pub threshold: u32,
    /// What survivors are multiplied by.
    pub scale: T,
}

impl<T: Scalar> Draws<T> {
    /// For so many samples, with a stream for each.
    pub fn new(samples: usize, streams: impl Iterator<Item = Stream>, rate: f64) -> Self {
        let mut keys = [Buffer::<u32>::stale(samples), Buffer::<u32>::stale(samples)];
        for (i, stream) in streams.enumerate() {
            [keys[0][i], keys[1][i]] = stream.word_keys();
        }
        let threshold = (rate * 2f64.powi(32)).ceil().min(f64::from(u32::MAX)) as u32;
        Draws { keys, threshold, scale: T::lit(1.0 / (1.0 - rate)) }
    }
}

struct Mask<'a, T> {
    values: &'a [T],
    out: &'a mut [T],
    draws: &'a Draws<T>,
    order: Order,
}

impl<T: Scalar> Kernel for Mask<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Mask { values, out, draws: Draws { keys: [low, high], threshold, scale }, order } =
            self;
        let samples = low.len();
        if samples == 0 {
            return;
        }
        let kept = |x: T, word: u32| (x * *scale).kept_if(word >= *threshold);
        if order == Order::Innermost {
            let places = values.chunks_exact(samples).zip(out.chunks_exact_mut(samples));
            for (place, (values, out)) in places.enumerate() {
                let keys = low.iter().zip(high.iter());
                for ((&x, y), (&low, &high)) in values.iter().zip(out).zip(keys) {
                    *y = kept(x, Stream::word([low, high], place as u32));
                }
            }
        } else {
            let len = values.len() / samples;
            let keys = low.iter().zip(high.iter());
            for (sample, (&low, &high)) in keys.enumerate() {
                let range = sample * len..(sample + 1) * len;
                let pairs = values[range.clone()].iter().zip(&mut out[range]);
                for (place, (&x, y)) in (0u32..).zip(pairs) {
                    *y = kept(x, Stream::word([low, high], place));
                }
            }
        }
    }
}
