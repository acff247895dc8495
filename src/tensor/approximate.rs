//! The traits of the crate `approx`, for tensors: equal where all elements are, and never where the shapes differ.

use super::Tensor;
use crate::scalar::Scalar;
use approx::{AbsDiffEq, RelativeEq, UlpsEq};

impl<T: Scalar> Tensor<T> {
    fn all_pairs(&self, other: &Self, equal: impl Fn(&T, &T) -> bool) -> bool {
        self.shape() == other.shape() && self.iter().zip(other.iter()).all(|(a, b)| equal(&a, &b))
    }
}

/// ```
/// use approx::assert_abs_diff_eq;
/// use cinta::Tensor;
/// assert_abs_diff_eq!(Tensor::from([0.1 + 0.2]), Tensor::from([0.3]), epsilon = 1e-12);
/// ```
impl<T: Scalar + AbsDiffEq<Epsilon = T>> AbsDiffEq for Tensor<T> {
    type Epsilon = T;

    fn default_epsilon() -> T {
        T::default_epsilon()
    }

    fn abs_diff_eq(&self, other: &Self, epsilon: T) -> bool {
        self.all_pairs(other, |a, b| a.abs_diff_eq(b, epsilon))
    }
}

/// ```
/// use approx::assert_relative_eq;
/// use cinta::Tensor;
/// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
/// assert_relative_eq!(x.exp().ln(), x, max_relative = 1e-12);
/// ```
impl<T: Scalar + RelativeEq<Epsilon = T>> RelativeEq for Tensor<T> {
    fn default_max_relative() -> T {
        T::default_max_relative()
    }

    fn relative_eq(&self, other: &Self, epsilon: T, max_relative: T) -> bool {
        self.all_pairs(other, |a, b| a.relative_eq(b, epsilon, max_relative))
    }
}

/// ```
/// use approx::assert_ulps_eq;
/// use cinta::Tensor;
/// assert_ulps_eq!(Tensor::from([0.1f32 + 0.2]), Tensor::from([0.3f32]), max_ulps = 1);
/// ```
impl<T: Scalar + UlpsEq<Epsilon = T>> UlpsEq for Tensor<T> {
    fn default_max_ulps() -> u32 {
        T::default_max_ulps()
    }

    fn ulps_eq(&self, other: &Self, epsilon: T, max_ulps: u32) -> bool {
        self.all_pairs(other, |a, b| a.ulps_eq(b, epsilon, max_ulps))
    }
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use approx::{assert_abs_diff_ne, assert_relative_eq, assert_relative_ne};

    #[test]
    fn shapes_and_every_element_count() {
        let x = Tensor::from([[1.0, 2.0, 3.0]]);
        assert_relative_eq!(x, x.permute([1, 0]).permute([1, 0]));
        assert_relative_ne!(x, x.reshape([3]));
        for i in 0..3 {
            let mut other = x.clone();
            other.as_mut_slice()[i] += 1e-3;
            assert_abs_diff_ne!(x, other, epsilon = 1e-4);
            assert_relative_eq!(x, other, max_relative = 1e-2);
        }
        assert_relative_ne!(Tensor::from([f32::NAN]), Tensor::from([f32::NAN]));
    }
}
