//! Normalisation by what is known of the data.

use super::recipe::{described, recipe};
use super::rescaling::constant;
use super::{AxisList, Context, Initializer, Layer, Numbers, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

recipe! {
    /// `(x - mean) / sqrt(variance)` with the mean and variance of the data, for each channel of the last axis: inputs of any
    /// range become numbers around 0.
    ///
    /// [`adapt`](Self::adapt) computes both from data. A layer that has not seen any has the weights `mean`, `variance` and
    /// `count`, which come from a file, and are not trained.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let data = Tensor::from([[1.0f32, 10.0], [3.0, 50.0]]);
    /// let model = Sequential::new([2]).add(Normalization::new().adapt(&data)).build(0)?;
    /// assert_eq!(model.predict(&data)?, Tensor::from([[-1.0, -1.0], [1.0, 1.0]]));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Normalization = "Normalization";
    /// For each channel of the last axis.
    new();
    example [4, 3] => Normalization::new().mean(0.5).variance(2.0) => [4, 3];
    options {
        /// For each place along another axis, or along several; for all values together with `[]`. As in Keras, 1 is the first axis
        /// of a sample, and -1 the last.
        axis: AxisList as impl Into<AxisList>, into = AxisList::from(-1), [1, 2];
        /// A mean that is known; it needs a [`variance`](Self::variance) as well.
        mean: Option<Tensor<f64>> as impl Numbers, known = None, -1.5;
        /// A variance that is known; it needs a [`mean`](Self::mean) as well.
        variance: Option<Tensor<f64>> as impl Numbers, known = None, 3.0;
        /// Whether the normalisation is undone: `mean + x sqrt(variance)`.
        invert: bool = false, true;
    }
    fixed {}
    ignored []
}

/// The conversion of the table above.
trait Known {
    fn known(self) -> Option<Tensor<f64>>;
}

impl<N: Numbers> Known for N {
    fn known(self) -> Option<Tensor<f64>> {
        Some(self.numbers())
    }
}

/// Numbers of this shape beside a batch of so many axes: their axes are the last ones of those that are named.
fn beside(numbers: Shape, axes: &[usize], rank: usize) -> Shape {
    let mut shape = vec![1; rank];
    axes.iter().rev().zip(numbers.iter().rev()).for_each(|(&axis, &size)| shape[axis] = size);
    Shape::new(&shape)
}

impl Normalization {
    /// With the mean and the variance of these samples.
    ///
    /// # Panics
    /// When a sample has no such axis.
    ///
    /// ```
    /// use cinta::{Normalization, Tensor};
    /// let images = Tensor::<f32>::from_fn([5, 4, 4, 1], |at| (at[0] % 2) as f32);
    /// let layer = Normalization::new().adapt(&images);
    /// let config = cinta::Layer::<f32>::config(&layer);
    /// assert!((config["mean"][0].as_f64().unwrap() - 0.4).abs() < 1e-6);
    /// assert!((config["variance"][0].as_f64().unwrap() - 0.24).abs() < 1e-6);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn adapt<T: Scalar>(mut self, data: &Tensor<T>) -> Self {
        let kept = match self.axis.in_batch(data.rank().saturating_sub(1)) {
            Ok(kept) => kept,
            Err(error) => panic!("adapt: {error}, and the data have the shape {}", data.shape()),
        };
        let others: Vec<usize> = (0..data.rank()).filter(|axis| !kept.contains(axis)).collect();
        let mean = data.mean(&others[..]);
        let centre = mean.reshape(beside(mean.shape(), &kept, data.rank()));
        let variance = data.zip_with(&centre, |x, mean| x - mean).square().mean(&others[..]);
        let widened = |of: Tensor<T>| {
            let values: Vec<f64> = of.iter().map(T::widen).collect();
            Tensor::new(of.shape(), values)
        };
        (self.mean, self.variance) = (Some(widened(mean)), Some(widened(variance)));
        self
    }

    /// The sizes of a sample along the axes.
    fn sizes(&self, sample: Shape) -> Shape {
        let axes = self.axis.in_batch(sample.rank()).expect("output_shape has checked it");
        let sizes: Vec<usize> = axes.iter().map(|&axis| sample[axis - 1]).collect();
        Shape::new(&sizes)
    }
}

impl<T: Scalar> Layer<T> for Normalization {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        self.axis.in_batch(input.rank())?;
        let sizes = self.sizes(input);
        let (mean, variance) = match (&self.mean, &self.variance) {
            (None, None) => return Ok(input),
            (Some(mean), Some(variance)) => (mean, variance),
            _ => return Err("mean and variance are known together, or both are not".into()),
        };
        for (name, numbers) in [("mean", mean), ("variance", variance)] {
            let shape = numbers.shape();
            if numbers.rank() > sizes.rank() || sizes.broadcast_with(&shape) != Some(sizes) {
                return Err(format!(
                    "{name} has the shape {shape}, and a sample has {sizes} along these axes"
                )
                .into());
            }
            if !constant::<T>(numbers).value().is_finite() {
                return Err(format!("{name} has values that are not finite in {}", T::NAME).into());
            }
        }
        if variance.iter().any(|variance| variance < 0.0) {
            return Err("variance has values below 0".into());
        }
        Ok(input)
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        if self.mean.is_some() {
            return Vec::new();
        }
        let sizes = self.sizes(input);
        let mean = Weight::new("mean", sizes, Initializer::Zeros);
        let variance = Weight::new("variance", sizes, Initializer::Ones);
        // Older versions counted values; it is in all files.
        let count = Weight::new("count", [], Initializer::Zeros);
        [mean, variance, count].map(|weight| weight.trainable(false)).into()
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        let rank = x.shape().rank();
        let axes = self.axis.in_batch(rank - 1).expect("output_shape has checked it");
        let [mean, variance] = match (&self.mean, &self.variance) {
            (Some(mean), Some(variance)) => [constant(mean), constant(variance)],
            _ => [weights[0].clone(), weights[1].clone()],
        }
        .map(|numbers| numbers.value().reshape(beside(numbers.shape(), &axes, rank)));
        // Of the variance 0, the epsilon of Keras is the root.
        let deviation = variance.map(|v| v.sqrt().max(T::lit(1e-7)));
        let [mean, deviation] = [mean, deviation].map(Var::constant);
        if self.invert { mean + x * deviation } else { (x - mean) / deviation }
    }
}

compiled!(|layer: Normalization, data: &Tensor<T>| layer.adapt(data));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Mode;
    use crate::tensor::Stream;

    fn run(layer: &Normalization, x: &Tensor<f64>) -> Tensor<f64> {
        let mut cx = Context::new(Mode::Infer);
        Layer::<f64>::output_shape(layer, x.shape().sample()).unwrap();
        layer.forward(&[], &Var::constant(x.clone()), &mut cx).into_value()
    }

    #[test]
    fn adapted_data_have_mean_0_and_variance_1() {
        let x: Tensor<f64> = Tensor::uniform([7, 4, 3], 2.0, 5.0, &mut Stream::new(3));
        for axis in [AxisList::from(-1), AxisList::from(1), [2, 1].into(), [].into()] {
            let layer = Normalization::new().axis(axis.clone()).adapt(&x);
            let kept = axis.in_batch(2).unwrap();
            let others: Vec<usize> = (0..3).filter(|axis| !kept.contains(axis)).collect();
            let y = run(&layer, &x);
            assert!(y.mean(&others[..]).iter().all(|mean| mean.abs() < 1e-12), "{axis:?}");
            let squares = y.square().mean(&others[..]);
            assert!(squares.iter().all(|square| (square - 1.0).abs() < 1e-12), "{axis:?}");
            let back = run(&layer.invert(true), &y);
            assert!(back.all_close(&x, 1e-12, 1e-12), "{axis:?}");
        }
    }

    #[test]
    fn a_mean_fits_the_last_of_its_axes() {
        let layer = |mean: Tensor<f64>| {
            Normalization::new().axis([1, 2]).variance(Tensor::ones(mean.shape())).mean(mean)
        };
        let shape = |layer| Layer::<f32>::output_shape(&layer, Shape::from([2, 3]));
        let x = Tensor::zeros([1, 2, 3]);
        let y = run(&layer(Tensor::from([1.0, 2.0, 3.0])), &x);
        assert_eq!(y, Tensor::from([[[-1.0, -2.0, -3.0], [-1.0, -2.0, -3.0]]]));
        assert!(
            shape(layer(Tensor::from([1.0, 2.0]))).unwrap_err().as_str().contains("[2, 3] along")
        );
        assert!(shape(layer(Tensor::ones([1, 2, 3]))).is_err());
        assert!(shape(Normalization::new().mean(1.0)).unwrap_err().as_str().contains("together"));
        let below = Normalization::new().mean(1.0).variance(-1.0);
        assert!(shape(below).unwrap_err().as_str().contains("below 0"));
    }

    #[test]
    #[should_panic(expected = "adapt: the axis 3 is none of a sample's")]
    fn data_without_the_axis() {
        let _ = Normalization::new().axis(3).adapt(&Tensor::<f32>::zeros([5, 2]));
    }
}
