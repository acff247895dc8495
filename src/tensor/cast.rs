//! Tensors of other numbers: of another precision, and with a derivative.

use super::Tensor;
use crate::buffer::Buffer;
use crate::scalar::{Dual, Scalar};

impl<T: Scalar> Tensor<T> {
    /// The same values as other numbers. Dual numbers made so are constants, and of dual numbers only the values are taken.
    ///
    /// ```
    /// use cinta::{Dual, Tensor};
    /// let x = Tensor::from([0.5_f32, 2.0]);
    /// assert_eq!(x.cast::<f64>().to_vec(), [0.5_f64, 2.0]);
    /// assert_eq!(x.cast::<Dual<f64>>().at([1]).tangent, 0.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn cast<U: Scalar>(&self) -> Tensor<U> {
        self.turned(|x| U::lit(x.widen()))
    }

    /// These values, with `tangent` as their derivatives.
    ///
    /// # Panics
    /// When the shapes differ.
    ///
    /// ```
    /// use cinta::Tensor;
    /// let x = Tensor::from([2.0, 3.0]).dual(&Tensor::from([1.0, 0.0]));
    /// assert_eq!(x.square().tangents().to_vec(), [4.0, 0.0]); // 2 x dx
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn dual(&self, tangent: &Tensor<T>) -> Tensor<Dual<T>> {
        assert_eq!(
            tangent.shape(),
            self.shape(),
            "dual: tangents of shape {} for values of shape {}",
            tangent.shape(),
            self.shape()
        );
        let numbers = self.iter().zip(tangent.iter()).map(|(x, dx)| Dual::new(x, dx));
        Tensor::from_buffer(self.shape(), Buffer::collect(self.len(), numbers))
    }

    /// `f` of every element, as another type.
    #[track_caller]
    fn turned<U: Scalar>(&self, f: impl Fn(T) -> U) -> Tensor<U> {
        Tensor::from_buffer(self.shape(), Buffer::collect(self.len(), self.iter().map(f)))
    }
}

impl<T: Scalar> Tensor<Dual<T>> {
    /// The values of dual numbers.
    ///
    /// ```
    /// use cinta::Tensor;
    /// let x = Tensor::from([2.0]).dual(&Tensor::from([1.0]));
    /// assert_eq!(x.exp().values(), Tensor::from([2.0]).exp());
    /// ```
    #[track_caller]
    pub fn values(&self) -> Tensor<T> {
        self.turned(|x| x.value)
    }

    /// The derivatives of dual numbers.
    ///
    /// ```
    /// use cinta::Tensor;
    /// let x = Tensor::from([0.0]).dual(&Tensor::from([3.0]));
    /// assert_eq!(x.tanh().tangents().to_vec(), [3.0]);
    /// ```
    #[track_caller]
    pub fn tangents(&self) -> Tensor<T> {
        self.turned(|x| x.tangent)
    }
}
