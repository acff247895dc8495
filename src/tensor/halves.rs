//! Numbers of half the width, of the crate `half`: for storage, not for computing.

use super::{Shape, Tensor};
use crate::scalar::{Scalar, compiled};
use half::{bf16, f16};

/// Numbers of 16 bits, of the crate `half` (feature `half`): `f16` has 11 digits in base 2 and ends at 65 504, `bf16` has 8 and goes as far as
/// `f32`. They take half the memory or a quarter, and tensors of them are for storage alone: to compute, they become `f32` or `f64`, without
/// loss.
impl<T: Scalar> Tensor<T> {
    /// The tensor of this shape with these values in row-major order.
    ///
    /// # Panics
    /// When the number of values is not the product of the shape's axes.
    ///
    /// ```
    /// use cinta::Tensor;
    /// let stored = Tensor::from([[0.1, 2.0]]).to_f16();
    /// assert_eq!(Tensor::<f64>::from_f16([1, 2], &stored).to_vec(), [0.0999755859375, 2.0]);
    /// ```
    #[track_caller]
    pub fn from_f16(shape: impl Into<Shape>, values: &[f16]) -> Self {
        widened(shape.into(), values.iter().map(|x| f64::from(*x)).collect())
    }

    /// The values in row-major order, each rounded to the nearest `f16`: infinite beyond 65 519.
    ///
    /// ```
    /// use cinta::Tensor;
    /// let stored = Tensor::from([1.0, 65520.0]).to_f16();
    /// assert_eq!(stored, [half::f16::ONE, half::f16::INFINITY]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn to_f16(&self) -> Vec<f16> {
        self.iter().map(|x| f16::from_f64(x.widen())).collect()
    }

    /// The tensor of this shape with these values in row-major order.
    ///
    /// # Panics
    /// When the number of values is not the product of the shape's axes.
    ///
    /// ```
    /// use cinta::Tensor;
    /// let stored = Tensor::from([[0.1, 2.0]]).to_bf16();
    /// assert_eq!(Tensor::<f64>::from_bf16([1, 2], &stored).to_vec(), [0.10009765625, 2.0]);
    /// ```
    #[track_caller]
    pub fn from_bf16(shape: impl Into<Shape>, values: &[bf16]) -> Self {
        widened(shape.into(), values.iter().map(|x| f64::from(*x)).collect())
    }

    /// The values in row-major order, each rounded to the nearest `bf16`.
    ///
    /// ```
    /// use cinta::Tensor;
    /// let stored = Tensor::from([1.0, 1e30]).to_bf16();
    /// assert_eq!(stored, [half::bf16::ONE, half::bf16::from_f64(1e30)]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn to_bf16(&self) -> Vec<bf16> {
        self.iter().map(|x| bf16::from_f64(x.widen())).collect()
    }
}

#[track_caller]
#[inline(never)]
fn widened<T: Scalar>(shape: Shape, values: Vec<f64>) -> Tensor<T> {
    Tensor::new(shape, values.into_iter().map(T::lit).collect::<Vec<T>>())
}

compiled!(|x: &Tensor<T>| (x.to_f16(), x.to_bf16(), widened::<T>(x.shape(), vec![])));

#[cfg(test)]
mod tests {
    use super::*;

    /// Every number of 16 bits goes out and comes back.
    #[test]
    fn all_numbers_come_back() {
        let bits: Vec<u16> = (0..=u16::MAX).collect();
        let numbers: Vec<f16> = bits.iter().map(|&bits| f16::from_bits(bits)).collect();
        for back in [
            Tensor::<f32>::from_f16([256, 256], &numbers).to_f16(),
            Tensor::<f64>::from_f16([256, 256], &numbers).to_f16(),
        ] {
            let same =
                |(a, b): (&f16, &f16)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
            assert!(back.iter().zip(&numbers).all(same));
        }
        let numbers: Vec<bf16> = bits.iter().map(|&bits| bf16::from_bits(bits)).collect();
        for back in [
            Tensor::<f32>::from_bf16([256, 256], &numbers).to_bf16(),
            Tensor::<f64>::from_bf16([256, 256], &numbers).to_bf16(),
        ] {
            let same =
                |(a, b): (&bf16, &bf16)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
            assert!(back.iter().zip(&numbers).all(same));
        }
    }

    #[test]
    fn reading_order_and_rounding() {
        let x = Tensor::from([[1.0, 2.0], [3.0, 1.0 + 2f64.powi(-11)]]);
        let [one, two, three] = [1.0, 2.0, 3.0].map(f16::from_f64);
        assert_eq!(x.t().to_f16(), [one, three, two, one]); // halfway: to the even one
        assert_eq!(Tensor::<f32>::from_f16([2, 2], &x.t().to_f16()).at([0, 1]), 3.0);
        assert!(Tensor::<f64>::zeros([0, 3]).to_bf16().is_empty());
        assert_eq!(Tensor::<f32>::from_bf16([], &[bf16::ONE]), Tensor::scalar(1.0));
    }

    #[test]
    #[should_panic(expected = "a tensor of shape [2] holds 2 values, and 1 were given")]
    fn another_number_of_values() {
        Tensor::<f32>::from_f16([2], &[f16::ONE]);
    }
}
