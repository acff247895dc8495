//! Random zeros.

use crate::buffer::Buffer;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd};
use crate::tensor::{Stream, Tensor};

/// Sets each value to 0 with probability `rate`, and multiplies the others by `1 / (1 - rate)`. Value `i` of a
/// sample survives if the `i`-th word of the sample's stream reaches the rate, as a fraction of 2^32.
///
/// The first axis counts samples; the result keeps the memory order, if samples are the outermost or the
/// innermost axis.
pub fn drop_out<T: Scalar>(
    x: &Tensor<T>,
    streams: impl Iterator<Item = Stream>,
    rate: f64,
) -> Tensor<T> {
    let shape = x.shape();
    let samples = shape[0];
    let threshold = (rate * 2f64.powi(32)).ceil().min(f64::from(u32::MAX)) as u32;
    let scale = T::lit(1.0 / (1.0 - rate));
    // The two halves of each sample's key, apart, so that a vector holds those of several samples.
    let mut keys = [Buffer::<u32>::stale(samples), Buffer::<u32>::stale(samples)];
    for (i, stream) in streams.enumerate() {
        [keys[0][i], keys[1][i]] = stream.word_keys();
    }
    let innermost = x.as_slice().is_none() && x.as_innermost().is_some();
    let x = if innermost { x.clone() } else { x.row_major() };
    let values = if innermost { x.as_innermost() } else { x.as_slice() };
    let values = values.expect("in one of the two orders");
    let mut out = Buffer::stale(values.len());
    simd::dispatch(Mask { values, out: &mut out, keys, innermost, threshold, scale });
    if innermost { Tensor::from_innermost(shape, out) } else { Tensor::from_buffer(shape, out) }
}

struct Mask<'a, T> {
    values: &'a [T],
    out: &'a mut [T],
    keys: [Buffer<u32>; 2],
    innermost: bool,
    threshold: u32,
    scale: T,
}

impl<T: Scalar> Kernel for Mask<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Mask { values, out, keys, innermost, threshold, scale } = self;
        let [low, high] = &keys;
        let samples = low.len();
        if samples == 0 {
            return;
        }
        let kept = |x: T, word: u32| (x * scale).kept_if(word >= threshold);
        if innermost {
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
