//! The layers that turn a convolution around: from small images to large ones.

use super::axes::{as_image, as_series, row, series, volume};
use super::convolved::{convolved, or_zeros, some_filters};
use super::layer::image;
use super::recipe::{described, formatted};
use super::weighted::{regularized, weighted_recipe};
use super::{Layer, Pair, Single, Triple, Weight};
use crate::autograd::Var;
use crate::config::FromZero;
use crate::error::Reason;
use crate::kernels::gemm::Finish;
use crate::kernels::{Padding, Window};
use crate::ops::TransposedConvolution;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// An output padding that is given.
trait Given<const N: usize> {
    fn given(self) -> Option<FromZero<N>>;
}

impl<const N: usize> Given<N> for [usize; N] {
    fn given(self) -> Option<FromZero<N>> {
        Some(FromZero(self))
    }
}

weighted_recipe! {
    /// A transposed convolution with its bias and activation: images `[h, w, c_in]` become larger ones, `[oh, ow, filters]`. It is what
    /// decoders of autoencoders and the upward half of a U-Net are made of.
    ///
    /// Its weights are `kernel [kh, kw, filters, c_in]` and `bias [filters]`; the formula is that of
    /// [`Var::convolve_transposed`], and [`Window::transposed`] says how large the output is.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let layer = Conv2dTranspose::new(8, 3).strides(2).padding(Same).activation(Relu).name("up");
    /// let model = Sequential::new([16, 16, 4]).add(layer).build(0)?;
    /// assert_eq!(model.output_shape(), [32, 32, 8]);
    /// assert_eq!(model.weight("up", "kernel")?.shape(), [3, 3, 8, 4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Conv2dTranspose = "Conv2DTranspose";
    /// A layer of `filters` filters of a size such as `5` or `[5, 3]`.
    new(filters: usize, kernel_size: [usize; 2] as impl Pair, pair);
    example [4, 4, 3] => Conv2dTranspose::new(6, [3, 2]) => [6, 5, 6];
    options {
        /// How far apart in the output neighbouring pixels of the input write.
        strides: [usize; 2] as impl Pair, pair = [1, 1], 2 => [9, 8, 6];
        /// What happens at the border of the output.
        padding: Padding = Padding::Valid, Same => [4, 4, 6];
        /// How much larger the output is than it needs to be; less than the strides.
        output_padding: Option<FromZero<2>> as [usize; 2], given = None, [0, 0];
        /// How far apart the pixels of a window are.
        dilation_rate: [usize; 2] as impl Pair, pair = [1, 1], [1, 2] => [6, 6, 6];
    }
    formats data_format;
    fixed {}
    // What Keras 2 wrote of the class that this one was derived from.
    ignored ["groups"]
}

weighted_recipe! {
    /// [`Conv2dTranspose`] for series: `[steps, c_in]` become longer ones, `[outputs, filters]`.
    ///
    /// Its weights are `kernel [k, filters, c_in]` and `bias [filters]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let layer = Conv1dTranspose::new(1, 2).strides(2).kernel_initializer(Initializer::Ones);
    /// let model = Sequential::new([2, 1]).add(layer).build(0)?;
    /// let x = Tensor::from([1.0, 2.0]).reshape([1, 2, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [1.0, 1.0, 2.0, 2.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Conv1dTranspose = "Conv1DTranspose";
    /// A layer of `filters` filters, each of which writes `kernel_size` steps.
    new(filters: usize, kernel_size: [usize; 1] as impl Single, single);
    example [4, 3] => Conv1dTranspose::new(6, 3) => [6, 6];
    options {
        /// How far apart in the output neighbouring steps of the input write.
        strides: [usize; 1] as impl Single, single = [1], 2 => [9, 6];
        /// What happens at the ends of the output.
        padding: Padding = Padding::Valid, Same => [4, 6];
        /// How much longer the output is than it needs to be; less than the strides.
        output_padding: Option<FromZero<1>> as [usize; 1], given = None, [0];
        /// How far apart the steps of a window are.
        dilation_rate: [usize; 1] as impl Single, single = [1], 2 => [8, 6];
    }
    formats data_format;
    fixed {}
    // What Keras 2 wrote of the class that this one was derived from.
    ignored ["groups"]
}

weighted_recipe! {
    /// [`Conv2dTranspose`] for volumes: `[d, h, w, c_in]` become larger ones, `[od, oh, ow, filters]`.
    ///
    /// Its weights are `kernel [kd, kh, kw, filters, c_in]` and `bias [filters]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let layer = Conv3dTranspose::new(4, 3).strides(2).padding(Same);
    /// let model = Sequential::new([4, 8, 8, 2]).add(layer).build(0)?;
    /// assert_eq!(model.output_shape(), [8, 16, 16, 4]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Conv3dTranspose = "Conv3DTranspose";
    /// A layer of `filters` filters of a size such as `3` or `[5, 3, 3]`.
    new(filters: usize, kernel_size: [usize; 3] as impl Triple, triple);
    example [2, 4, 4, 3] => Conv3dTranspose::new(2, [2, 3, 2]) => [3, 6, 5, 2];
    options {
        /// How far apart in the output neighbouring places of the input write.
        strides: [usize; 3] as impl Triple, triple = [1, 1, 1], 2 => [4, 9, 8, 2];
        /// What happens at the border of the output.
        padding: Padding = Padding::Valid, Same => [2, 4, 4, 2];
        /// How much larger the output is than it needs to be; less than the strides.
        output_padding: Option<FromZero<3>> as [usize; 3], given = None, [0, 0, 0];
        /// How far apart the places of a window are.
        dilation_rate: [usize; 3] as impl Triple, triple = [1, 1, 1], [2, 1, 2] => [4, 6, 6, 2];
    }
    formats data_format;
    fixed {}
    // What Keras 2 wrote of the class that this one was derived from.
    ignored ["groups"]
}

/// The transposed convolution with a kernel `[kh, kw, c_out, c_in]` and a bias, or without one.
fn convolve_transposed<'t, T: Scalar>(
    x: &Var<'t, T>,
    kernel: &Var<'t, T>,
    bias: Option<&Var<'t, T>>,
    convolution: TransposedConvolution,
    finish: Finish,
) -> Var<'t, T> {
    let bias = or_zeros(bias, kernel.shape()[2]);
    x.convolve_transposed_with(kernel, &bias, convolution, finish)
}

impl Conv2dTranspose {
    fn convolution(&self) -> TransposedConvolution {
        let Conv2dTranspose { strides, padding, dilation_rate: dilation, .. } = *self;
        let output_padding = self.output_padding.map(|FromZero(extra)| extra);
        TransposedConvolution { strides, padding, output_padding, dilation, ..Default::default() }
    }

    fn convolve<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        finish: Finish,
    ) -> Var<'t, T> {
        convolve_transposed(x, &weights[0], weights.get(1), self.convolution(), finish)
    }
}

impl<T: Scalar> Layer<T> for Conv2dTranspose {
    described!();
    formatted!(data_format);
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let [h, w, _] = image(input)?;
        some_filters(self.filters)?;
        self.check_regularizers()?;
        let [h, w] = large([h, w], self.kernel_size, self.convolution())?;
        Ok(Shape::from([h, w, self.filters]))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let [kh, kw] = self.kernel_size;
        self.kernel_and_bias(Shape::from([kh, kw, self.filters, input[2]]), self.filters)
    }

    convolved!();
}

/// The size of the output.
fn large(
    small: [usize; 2],
    size: [usize; 2],
    convolution: TransposedConvolution,
) -> Result<[usize; 2], Reason> {
    let TransposedConvolution { strides, padding, output_padding, dilation, .. } = convolution;
    let window = Window::transposed(small, size, strides, dilation, padding, output_padding)?;
    Ok(window.image())
}

impl Conv1dTranspose {
    /// For images of one row.
    fn convolution(&self) -> TransposedConvolution {
        let Conv1dTranspose { strides: [stride], padding, dilation_rate: [dilation], .. } = *self;
        TransposedConvolution {
            strides: [1, stride],
            padding,
            // Of the single row, nothing is left open.
            output_padding: self.output_padding.map(|FromZero([extra])| [0, extra]),
            dilation: [1, dilation],
            ..TransposedConvolution::default()
        }
    }

    fn convolve<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        finish: Finish,
    ) -> Var<'t, T> {
        let (x, kernel) = (as_image(x), row(&weights[0]));
        as_series(&convolve_transposed(&x, &kernel, weights.get(1), self.convolution(), finish))
    }
}

impl<T: Scalar> Layer<T> for Conv1dTranspose {
    described!();
    formatted!(data_format);
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let [steps, _] = series(input)?;
        some_filters(self.filters)?;
        self.check_regularizers()?;
        let [_, steps] = large([1, steps], [1, self.kernel_size[0]], self.convolution())?;
        Ok(Shape::from([steps, self.filters]))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let kernel = Shape::from([self.kernel_size[0], self.filters, input[1]]);
        self.kernel_and_bias(kernel, self.filters)
    }

    convolved!();
}

impl Conv3dTranspose {
    /// For the slices.
    fn convolution(&self) -> TransposedConvolution {
        let Conv3dTranspose { strides: [_, sh, sw], padding, dilation_rate: [_, dh, dw], .. } =
            *self;
        TransposedConvolution {
            strides: [sh, sw],
            padding,
            output_padding: self.output_padding.map(|FromZero([_, h, w])| [h, w]),
            dilation: [dh, dw],
            ..TransposedConvolution::default()
        }
    }

    /// How much deeper the output is than it needs to be.
    fn deeper(&self) -> Option<usize> {
        self.output_padding.map(|FromZero([depth, ..])| depth)
    }

    /// Every slice writes to all slices of its window, each as if they were channels; then those are added up.
    fn convolve<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        finish: Finish,
    ) -> Var<'t, T> {
        let ([n, d, h, w, c], [kd, kh, kw, filters, _]) =
            (x.value().dims(), weights[0].value().dims());
        let kernel = weights[0].permute([1, 2, 0, 3, 4]).reshape([kh, kw, kd * filters, c]);
        let slices = x.reshape([n * d, h, w, c]);
        let slices = convolve_transposed(&slices, &kernel, None, self.convolution(), Finish::Plain);
        let [_, oh, ow, _] = slices.value().dims();
        let windows = slices.reshape([n, d, oh * ow, kd, filters]);
        let y = windows.fold(self.strides[0], self.dilation_rate[0], self.padding, self.deeper());
        let y = y.reshape([n, y.shape()[1], oh, ow, filters]);
        let y = match weights.get(1) {
            Some(bias) => y + bias,
            None => y,
        };
        match finish {
            Finish::Plain => y,
            Finish::Relu => y.relu(),
            Finish::Relu6 => y.clamp(T::zero(), T::lit(6.0)),
        }
    }
}

impl<T: Scalar> Layer<T> for Conv3dTranspose {
    described!();
    formatted!(data_format);
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let [d, h, w, _] = volume(input)?;
        some_filters(self.filters)?;
        self.check_regularizers()?;
        let [kd, kh, kw] = self.kernel_size;
        let [h, w] = large([h, w], [kh, kw], self.convolution())?;
        let depth = TransposedConvolution {
            strides: [self.strides[0], 1],
            output_padding: self.deeper().map(|extra| [extra, 0]),
            dilation: [self.dilation_rate[0], 1],
            ..self.convolution()
        };
        let [d, _] = large([d, 1], [kd, 1], depth)?;
        Ok(Shape::from([d, h, w, self.filters]))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let [kd, kh, kw] = self.kernel_size;
        self.kernel_and_bias(Shape::from([kd, kh, kw, self.filters, input[3]]), self.filters)
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
        let cx = || Context::new(Mode::Infer);
        let series = Conv1dTranspose::new(2, 3).strides(2).output_padding([1]);
        gradcheck(
            |[x, kernel, bias]| series.forward(&[kernel.clone(), bias.clone()], x, &mut cx()),
            [draw(&[2, 4, 3]), draw(&[3, 2, 3]), draw(&[2])],
        )
        .unwrap();
        let volumes = Conv3dTranspose::new(2, [3, 2, 2]).strides([2, 1, 2]).padding(Padding::Same);
        gradcheck(
            |[x, kernel, bias]| volumes.forward(&[kernel.clone(), bias.clone()], x, &mut cx()),
            [draw(&[2, 2, 3, 2, 3]), draw(&[3, 2, 2, 2, 3]), draw(&[2])],
        )
        .unwrap();
    }

    #[test]
    fn what_does_not_fit() {
        let error = |layer: Conv2dTranspose| {
            Layer::<f32>::output_shape(&layer, Shape::from([4, 4, 1])).unwrap_err()
        };
        let layer = Conv2dTranspose::new(2, 3).strides(2).output_padding([0, 2]);
        assert_eq!(
            error(layer),
            "an output padding of [0, 2] is not smaller than the strides [2, 2]"
        );
        assert!(error(Conv2dTranspose::new(0, 3)).as_str().starts_with("0 filters"));
        assert!(
            error(Conv2dTranspose::new(2, 3).padding(Padding::Causal)).as_str().contains("causal")
        );
    }
}
