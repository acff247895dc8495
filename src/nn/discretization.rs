//! The layer of bins.

use super::category_encoding::OutputMode;
use super::recipe::{described, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// The number of the bin that each number falls into: 0 below the first boundary, 1 from there to below the second, and so on. Or rows of ones and zeros for these
    /// numbers, as in [`CategoryEncoding`](super::layers::CategoryEncoding).
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Discretization::new([0.0, 1.0])).build(0)?;
    /// let bins = model.predict(&Tensor::from([[-0.5, 0.0, 0.5, 3.0]]))?;
    /// assert_eq!(bins.to_vec(), [0.0, 1.0, 1.0, 2.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Discretization = "Discretization";
    /// Bins with these boundaries, which grow.
    new(bin_boundaries: Vec<f64> as impl Into<Vec<f64>>, into);
    example [4] => Discretization::new([0.0, 1.0]) => [4];
    options {
        /// What it gives for the numbers of bins.
        output_mode: OutputMode = OutputMode::Int, OutputMode::Count => [3];
    }
    fixed { "sparse": false }
    // What `adapt` finds boundaries with.
    ignored ["num_bins", "epsilon"]
}

impl<T: Scalar> Layer<T> for Discretization {
    // Keras's layer does not know `trainable`, which is of no consequence.
    described!(without "trainable": true);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        if !self.bin_boundaries.is_sorted() {
            return Err(format!("the boundaries {:?} do not grow", self.bin_boundaries).into());
        }
        self.output_mode.shape(input, self.bin_boundaries.len() + 1)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let boundaries: Vec<T> = self.bin_boundaries.iter().map(|&x| T::lit(x)).collect();
        let bin = |x: T| T::lit(boundaries.partition_point(|&boundary| boundary <= x) as f64);
        Var::constant(self.output_mode.of(&x.value().map(bin), boundaries.len() + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Mode;
    use crate::tensor::{Stream, Tensor};

    #[test]
    fn as_defined() {
        let boundaries = [-0.5, 0.0, 0.25, 0.9];
        let x = Tensor::<f64>::uniform([20, 7], -1.5, 1.5, &mut Stream::new(1));
        let bin = |x: f64| boundaries.iter().filter(|&&boundary| x >= boundary).count() as f64;
        let over = |mode| {
            let layer = Discretization::new(boundaries).output_mode(mode);
            let y = layer.forward(&[], &Var::constant(x.clone()), &mut Context::new(Mode::Infer));
            y.into_value()
        };
        assert_eq!(over(OutputMode::Int), x.map(bin));
        assert_eq!(over(OutputMode::Count).sum(1), Tensor::full([20], 7.0));
        let wrong = Discretization::new([1.0, 0.0]);
        let error = Layer::<f32>::output_shape(&wrong, Shape::from([3])).unwrap_err();
        assert_eq!(error, "the boundaries [1.0, 0.0] do not grow");
    }
}
