//! Division of each sample by its root mean square.

use super::layer_normalization::{along, check_epsilon, with_last};
use super::recipe::{described, recipe};
use super::{AxisList, Context, Initializer, Layer, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

recipe! {
    /// `scale x / sqrt(mean of x^2 + epsilon)`, with the mean over some axes of every sample (Zhang and Sennrich, *Root mean square
    /// layer normalization*, 2019). The weight `scale` has a value for each place along these axes.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2]).add(RmsNormalization::new()).build(0)?;
    /// let y = model.predict(&Tensor::from([[5.0, -35.0]]))?;
    /// assert!(y.all_close(&Tensor::from([[0.2, -1.4]]), 1e-6, 0.0));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct RmsNormalization = "RMSNormalization";
    /// Along the last axis.
    new();
    example [8, 3] => RmsNormalization::new() => [8, 3];
    options {
        /// Along another axis, or several. As in Keras, 1 is the first axis of a sample, and -1 the last.
        axis: AxisList as impl Into<AxisList>, into = AxisList::from(-1), [1, 2];
        /// What is added to the mean of the squares, so that no division is by 0.
        epsilon: f64 = 1e-6, 1e-5;
    }
    fixed {}
    ignored []
}

impl<T: Scalar> Layer<T> for RmsNormalization {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        self.axis.in_batch(input.rank())?;
        check_epsilon(self.epsilon)?;
        Ok(input)
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let axes = self.axis.in_batch(input.rank()).expect("output_shape has checked it");
        let scale = Weight::new("scale", along(input, &axes), Initializer::Ones);
        vec![scale]
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        let rank = x.shape().rank() - 1;
        let axes = self.axis.in_batch(rank).expect("output_shape has checked it");
        with_last(x, &axes, &|x| x.rms_norm(&weights[0], self.epsilon))
    }
}
