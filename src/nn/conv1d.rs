//! The convolution layer of series.

use super::axes::{outputs, series};
use super::convolved::{convolved, groups_fit, or_zeros, some_filters};
use super::recipe::{described, formatted};
use super::weighted::{regularized, weighted_recipe};
use super::{Layer, Single, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::Padding;
use crate::kernels::gemm::Finish;
use crate::ops::Convolution;
use crate::scalar::Scalar;
use crate::tensor::Shape;

weighted_recipe! {
    /// A convolution of series `[steps, c_in]`, which become `[outputs, filters]`: [`Conv2d`](super::layers::Conv2d) for images
    /// of one row.
    ///
    /// Its weights are `kernel [k, c_in, filters]` and `bias [filters]`. With the padding [`Causal`](Padding::Causal), an output sees
    /// its own step and those before it.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let layer = Conv1d::new(1, 2).padding(Causal).kernel_initializer(Initializer::Ones);
    /// let model = Sequential::new([4, 1]).add(layer).build(0)?;
    /// let x = Tensor::from([1.0, 2.0, 3.0, 4.0]).reshape([1, 4, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [1.0, 3.0, 5.0, 7.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Conv1d = "Conv1D";
    /// A layer of `filters` filters that see `kernel_size` steps.
    new(filters: usize, kernel_size: [usize; 1] as impl Single, single);
    example [8, 4] => Conv1d::new(6, 3) => [6, 6];
    options {
        /// How far the window moves from one output to the next.
        strides: [usize; 1] as impl Single, single = [1], 2 => [3, 6];
        /// What happens at the ends.
        padding: Padding = Padding::Valid, Causal => [8, 6];
        /// How far apart the steps of a window are: with 2, every second step.
        dilation_rate: [usize; 1] as impl Single, single = [1], 2 => [4, 6];
        /// Into how many groups the channels are divided: an output sees the channels of its group alone.
        groups: usize = 1, 2;
    }
    formats data_format;
    fixed {}
    ignored []
}

impl Conv1d {
    fn convolve<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        finish: Finish,
    ) -> Var<'t, T> {
        let Conv1d { strides: [stride], padding, dilation_rate: [dilation], groups, .. } = *self;
        let (strides, dilation) = ([1, stride], [1, dilation]);
        let convolution =
            Convolution { strides, padding, dilation, groups, ..Convolution::default() };
        x.convolve_series(&weights[0], &or_zeros(weights.get(1), self.filters), convolution, finish)
    }
}

impl<T: Scalar> Layer<T> for Conv1d {
    described!();
    formatted!(data_format);
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let [steps, c] = series(input)?;
        some_filters(self.filters)?;
        groups_fit(self.groups, c, self.filters)?;
        self.check_regularizers()?;
        let Conv1d { kernel_size, strides, dilation_rate, padding, .. } = *self;
        let [steps] = outputs([steps], kernel_size, strides, dilation_rate, padding)?;
        Ok(Shape::from([steps, self.filters]))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let kernel = Shape::from([self.kernel_size[0], input[1] / self.groups, self.filters]);
        self.kernel_and_bias(kernel, self.filters)
    }

    convolved!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::{Context, Mode};
    use crate::tensor::{Stream, Tensor};

    #[test]
    fn gradients() {
        let rng = &mut Stream::new(3);
        let mut draw = |shape: &[usize]| Tensor::<f64>::uniform(shape, -1.0, 1.0, rng);
        let (x, kernel, bias) = (draw(&[2, 6, 4]), draw(&[3, 2, 4]), draw(&[4]));
        for padding in [Padding::Valid, Padding::Same, Padding::Causal] {
            let layer = Conv1d::new(4, 3).groups(2).strides(2).padding(padding);
            gradcheck(
                |[x, kernel, bias]| {
                    let mut cx = Context::new(Mode::Infer);
                    layer.forward(&[kernel, bias].map(Var::clone), x, &mut cx)
                },
                [x.clone(), kernel.clone(), bias.clone()],
            )
            .unwrap();
        }
    }

    /// An output of a causal convolution does not depend on what comes later.
    #[test]
    fn the_future_is_not_seen() {
        let rng = &mut Stream::new(4);
        let x = Tensor::<f64>::uniform([1, 9, 2], -1.0, 1.0, rng);
        let kernel = Var::constant(Tensor::uniform([3, 2, 4], -1.0, 1.0, rng));
        let layer = Conv1d::new(4, 3).padding(Padding::Causal).dilation_rate(2).use_bias(false);
        let run = |x: Tensor<f64>| {
            let mut cx = Context::new(Mode::Infer);
            layer.forward(std::slice::from_ref(&kernel), &Var::constant(x), &mut cx).value().clone()
        };
        let whole = run(x.clone());
        for steps in 1..9 {
            let part = run(x.slice(1, 0..steps));
            assert!(part.all_close(&whole.slice(1, 0..steps), 1e-12, 1e-12));
        }
    }
}
