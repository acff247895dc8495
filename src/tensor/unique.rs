//! The distinct values of a tensor.

use super::{Indices, Tensor};
use crate::buffer::Buffer;
use crate::scalar::{Scalar, compiled};
use std::cmp::Ordering;

/// The smaller number first, and NaNs, which are equal to each other, behind all others: NumPy's order. 0 and -0 are equal.
pub(crate) fn ascending(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// The distinct values of a tensor, and where they are: what [`Tensor::unique`] gives.
///
/// ```
/// use cinta::Tensor;
/// let x = Tensor::from([[2.0, 1.0], [2.0, 5.0]]);
/// let unique = x.unique();
/// assert_eq!(unique.values.to_vec(), [1.0, 2.0, 5.0]);
/// assert_eq!(unique.counts, [1, 2, 1]);
/// assert_eq!(unique.indices.values(), [1, 0, 3]);
/// // The tensor again:
/// assert_eq!(unique.values.index_select(0, &unique.inverse), x);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Unique<T: Scalar = f32> {
    /// The distinct values `[n]`, the smallest first; NaN comes last.
    pub values: Tensor<T>,
    /// Where each of them stands first, in reading order `[n]`.
    pub indices: Indices,
    /// For each element of the tensor, which of the values it is, in the tensor's shape.
    pub inverse: Indices,
    /// How often each of the values is there.
    pub counts: Vec<usize>,
}

impl<T: Scalar> Tensor<T> {
    /// The distinct values of all elements, in order, with their counts and places, as NumPy's `unique`.
    ///
    /// All NaNs are one value, the last one. 0 and -0 are one, with the sign of the one that stands first. An empty tensor has no values.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let unique = Tensor::from([3.0, f64::NAN, 3.0, f64::NAN]).unique();
    /// assert_eq!(unique.counts, [2, 2]);
    /// assert!(unique.values.at([1]).is_nan());
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn unique(&self) -> Unique<T> {
        let numbers = self.to_vec();
        let keys: Vec<f64> = numbers.iter().map(|x| x.widen()).collect();
        let (indices, inverse, counts) = distinct(&keys);
        let values = indices.iter().map(|&i| numbers[i]);
        Unique {
            values: Tensor::from_buffer([indices.len()], Buffer::collect(indices.len(), values)),
            indices: indices.into(),
            inverse: Indices::new(self.shape(), inverse),
            counts,
        }
    }
}

/// Of each distinct number, in order: where it stands first, which one each number is, and how many of each there are.
fn distinct(keys: &[f64]) -> (Vec<usize>, Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&a, &b| ascending(keys[a], keys[b]));
    let (mut first, mut inverse, mut counts) = (Vec::new(), vec![0; keys.len()], Vec::new());
    for (at, &i) in order.iter().enumerate() {
        if at == 0 || ascending(keys[order[at - 1]], keys[i]).is_ne() {
            first.push(i);
            counts.push(0);
        }
        inverse[i] = first.len() - 1;
        counts[first.len() - 1] += 1;
    }
    (first, inverse, counts)
}

compiled!(|x: &Tensor<T>| x.unique());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Dual;
    use crate::tensor::testing::{Draw, LAYOUTS, laid_out};

    /// Each value against all others.
    #[test]
    fn definition() {
        for dims in [[1, 1, 1], [3, 4, 5], [2, 0, 3], [7, 2, 1]] {
            for most in [1, 4, 1000] {
                let mut values = Draw::new(most as u64).whole::<f64>(dims.iter().product(), most);
                if values.len() > 10 {
                    (values[3], values[8]) = (f64::NAN, f64::NAN);
                }
                let equal = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan();
                for layout in 0..LAYOUTS {
                    let unique = laid_out(dims, &values, layout).unique();
                    assert_eq!(unique.inverse.shape(), dims);
                    let distinct = unique.values.to_vec();
                    assert!(distinct.windows(2).all(|pair| pair[0] < pair[1] || pair[1].is_nan()));
                    assert_eq!(unique.counts.iter().sum::<usize>(), values.len());
                    for (i, &value) in values.iter().enumerate() {
                        let at = unique.inverse.values()[i];
                        assert!(equal(distinct[at], value));
                        let first = values.iter().position(|&other| equal(other, value));
                        assert_eq!(Some(unique.indices.values()[at]), first);
                        let count = values.iter().filter(|&&other| equal(other, value)).count();
                        assert_eq!(unique.counts[at], count);
                    }
                }
            }
        }
    }

    #[test]
    fn scalars_signs_and_derivatives() {
        let unique = Tensor::scalar(3.0).unique();
        assert_eq!((unique.values.shape(), unique.inverse.shape()), ([1].into(), [].into()));
        let zero = Tensor::<f64>::from([-0.0, 0.0]).unique().values;
        assert!(zero.len() == 1 && zero.item().is_sign_negative());
        // Numbers with derivatives are compared by their values; the first one stays.
        let x = Tensor::from([Dual::new(1.0, 2.0), Dual::new(1.0, 3.0)]);
        assert_eq!(x.unique().values.tangents().to_vec(), [2.0]);
    }
}
