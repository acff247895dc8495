//! What the tests of kernels share: sizes, numbers, memory orders, and a choice of cases.

use super::stored::Stored;
use super::{MAX_RANK, Shape, Stream, Tensor};
use crate::buffer::Buffer;
use crate::scalar::Scalar;
use std::collections::BTreeSet;

/// Sizes around vectors and tiles.
pub const SIZES: [usize; 10] = [1, 3, 15, 16, 17, 31, 32, 33, 64, 65];

/// Numbers for tests, the same in every run.
pub struct Draw {
    stream: Stream,
    next: u64,
}

impl Draw {
    pub fn new(seed: u64) -> Self {
        Draw { stream: Stream::new(seed), next: 0 }
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.next += 1;
        (self.stream.at(self.next) >> 20) as usize % n
    }

    /// Whole numbers from `-most` to `most`. Sums of their products are exact, in whatever order.
    pub fn whole<T: Scalar>(&mut self, len: usize, most: usize) -> Vec<T> {
        let mut number = || self.below(2 * most + 1) as f64 - most as f64;
        (0..len).map(|_| T::lit(number())).collect()
    }

    /// Any numbers between -1 and 1.
    pub fn fractions<T: Scalar>(&mut self, len: usize) -> Vec<T> {
        (0..len).map(|_| T::lit(self.below(1 << 32) as f64 / f64::from(1 << 31) - 1.0)).collect()
    }
}

/// Cases in which every two values of different lists meet. A case is a place in each of the lists, which have these
/// lengths.
pub fn pairs<const N: usize>(seed: u64, lens: [usize; N]) -> Vec<[usize; N]> {
    let met = |case: [usize; N]| {
        (0..N).flat_map(move |a| (a + 1..N).map(move |b| [a, case[a], b, case[b]]))
    };
    let mut open = BTreeSet::new();
    for (a, b) in (0..N).flat_map(|a| (a + 1..N).map(move |b| (a, b))) {
        open.extend((0..lens[a]).flat_map(|x| (0..lens[b]).map(move |y| [a, x, b, y])));
    }
    let (mut draw, mut cases) = (Draw::new(seed), Vec::new());
    while let Some(&[a, x, b, y]) = open.first() {
        let candidates = (0..12).map(|_| {
            let mut case = lens.map(|len| draw.below(len));
            (case[a], case[b]) = (x, y);
            case
        });
        let best =
            candidates.max_by_key(|&case| met(case).filter(|pair| open.contains(pair)).count());
        let best = best.expect("a candidate");
        met(best).for_each(|pair| _ = open.remove(&pair));
        cases.push(best);
    }
    cases
}

/// How many ways [`laid_out`] knows.
pub const LAYOUTS: usize = 9;

/// A tensor with these values in reading order, which lie in memory in one of [`LAYOUTS`] ways: row-major, the first
/// axis innermost, all axes reversed, backwards, row-major with gaps, the first axis innermost with gaps, every second
/// element of memory, backwards along the first axis, and along the last. In the gaps are NaNs.
pub fn laid_out<T: Scalar, const N: usize>(
    dims: [usize; N],
    values: &[T],
    layout: usize,
) -> Tensor<T> {
    let from_innermost: [usize; N] = std::array::from_fn(|i| match layout {
        1 | 5 => (N - i) % N,
        2 => i,
        _ => N - 1 - i,
    });
    let gap = usize::from(layout == 4 || layout == 5);
    let (mut strides, mut end) = ([0; MAX_RANK], if layout == 6 { 2 } else { 1 });
    for axis in from_innermost {
        strides[axis] = end as isize;
        end *= dims[axis] + gap;
    }
    let mut offset = 3 * gap;
    for axis in 0..N {
        let backwards = layout == 3 || layout == 7 && axis == 0 || layout == 8 && axis == N - 1;
        if backwards {
            offset += dims[axis].saturating_sub(1) * strides[axis] as usize;
            strides[axis] *= -1;
        }
    }
    let mut data = Buffer::from(vec![T::nan(); offset + end]);
    let shape = Shape::from(dims);
    let places = places(&dims, &strides, offset as isize);
    assert_eq!(places.len(), values.len(), "the values of a tensor of shape {shape}");
    places.iter().zip(values).for_each(|(&place, &value)| data[place as usize] = value);
    Tensor { data: Stored::new(data), shape, strides, offset }
}

/// Where the elements lie, in reading order.
pub fn places(dims: &[usize], strides: &[isize], start: isize) -> Vec<isize> {
    match dims {
        [] => vec![start],
        [dim, inner @ ..] => {
            let rows = (0..*dim as isize).map(|i| start + i * strides[0]);
            rows.flat_map(|start| places(inner, &strides[1..], start)).collect()
        }
    }
}

/// The values in reading order, one by one.
pub fn read<T: Scalar>(x: &Tensor<T>) -> Vec<T> {
    let places = places(&x.shape, &x.strides, x.offset as isize);
    places.into_iter().map(|place| x.data[place as usize]).collect()
}

/// Whether two lists hold the same numbers, where all NaNs are the same.
pub fn same<T: Scalar>(values: &[T], expected: &[T]) -> bool {
    let equal = |(x, y): (&T, &T)| x == y || x.is_nan() && y.is_nan();
    values.len() == expected.len() && values.iter().zip(expected).all(equal)
}
