//! The convolution layer.

use super::axes::outputs;
use super::convolved::{convolve, convolved, groups_fit, same_adds, some_filters};
use super::layer::image;
use super::recipe::{described, formatted};
use super::weighted::{regularized, weighted_recipe};
use super::{DataFormat, Layer, Pair, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::gemm::Finish;
use crate::kernels::{Algorithm, Padding};
use crate::ops::Convolution;
use crate::scalar::Scalar;
use crate::tensor::Shape;

weighted_recipe! {
    /// A convolution with its bias and activation: images `[h, w, c_in]` become `[oh, ow, filters]`.
    ///
    /// Its weights are `kernel [kh, kw, c_in, filters]` and `bias [filters]`; the formula is that of
    /// [`Var::conv2d`]. Keras's defaults: stride 1, `valid` padding, no activation, a bias, a
    /// Glorot-uniform kernel, no penalty.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([16, 16, 1])
    ///     .add(Conv2d::new(8, 5).padding(Same).activation(Relu).kernel_regularizer(L2(0.01)).name("conv_1"))
    ///     .build(0)?;
    /// assert_eq!(model.weight("conv_1", "kernel")?.shape(), [5, 5, 1, 8]);
    /// assert_eq!(model.count_params(), 5 * 5 * 8 + 8);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Conv2d = "Conv2D";
    /// A layer of `filters` filters of a size such as `5` or `[5, 3]`.
    new(filters: usize, kernel_size: [usize; 2] as impl Pair, pair);
    example [8, 8, 4] => Conv2d::new(6, [5, 3]) => [4, 6, 6];
    options {
        /// How far the window moves from one output to the next.
        strides: [usize; 2] as impl Pair, pair = [1, 1], 2 => [2, 3, 6];
        /// What happens at the border.
        padding: Padding = Padding::Valid, Same => [8, 8, 6], before data_format;
        /// How far apart the pixels of a window are: with 2, every second pixel.
        dilation_rate: [usize; 2] as impl Pair, pair = [1, 1], [1, 2] => [4, 4, 6];
        /// Into how many groups the channels are divided: an output sees the channels of its group alone.
        groups: usize = 1, 2;
    }
    formats data_format;
    fixed {}
    ignored []
    unsaved { algorithm: Algorithm = Algorithm::default() }
}

impl Conv2d {
    /// How the convolution is computed: a choice between speed and rounding errors for windows of 3 by 3 over many
    /// channels. It is no part of the model, and files do not keep it.
    ///
    /// ```
    /// use cinta::{Algorithm, prelude::*};
    /// let with = |layer| Sequential::new([8, 8, 64]).add(layer).build(0);
    /// let direct = Conv2d::new(64, 3).algorithm(Algorithm::Direct);
    /// assert!(format!("{direct:?}").contains("Direct"));
    /// let exact = with(direct)?;
    /// let fast = with(Conv2d::new(64, 3))?;
    /// let images = Tensor::uniform([2, 8, 8, 64], 0.0, 1.0, &mut Stream::new(1));
    /// assert!(exact.predict(&images)?.all_close(&fast.predict(&images)?, 1e-4, 1e-4));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// The same convolution of images without their border of zeros, which it adds itself, if there is one.
    pub(crate) fn padded(&self, image: [usize; 2], border: [[usize; 2]; 2]) -> Option<Self> {
        let Conv2d { kernel_size, strides, dilation_rate, .. } = *self;
        let fits = self.padding == Padding::Valid
            && self.data_format == DataFormat::ChannelsLast
            && same_adds(border, image, kernel_size, strides, dilation_rate);
        fits.then(|| self.clone().padding(Padding::Same))
    }

    fn convolve<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        finish: Finish,
    ) -> Var<'t, T> {
        let Conv2d { strides, padding, dilation_rate: dilation, groups, algorithm, .. } = *self;
        let convolution = Convolution { strides, padding, dilation, groups, algorithm };
        convolve(x, &weights[0], weights.get(1), convolution, finish)
    }
}

impl<T: Scalar> Layer<T> for Conv2d {
    described!();
    formatted!(data_format);
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let [h, w, c] = image(input)?;
        some_filters(self.filters)?;
        groups_fit(self.groups, c, self.filters)?;
        self.check_regularizers()?;
        let Conv2d { kernel_size, strides, dilation_rate, padding, .. } = *self;
        let [oh, ow] = outputs([h, w], kernel_size, strides, dilation_rate, padding)?;
        Ok(Shape::from([oh, ow, self.filters]))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let [kh, kw] = self.kernel_size;
        let kernel = Shape::from([kh, kw, input[2] / self.groups, self.filters]);
        self.kernel_and_bias(kernel, self.filters)
    }

    convolved!();
}
