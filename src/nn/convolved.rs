//! What all layers share that end in a convolution.

use super::Activation;
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::gemm::Finish;
use crate::kernels::{Padding, Window};
use crate::ops::{Convolution, Rectifier};
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// The method [`forward`](super::Layer::forward) of a layer, and those for its parts: of a layer with an `activation` and a method `convolve(weights, x, finish)`.
macro_rules! convolved {
    () => {
        fn forward<'t>(
            &self,
            weights: &[Var<'t, T>],
            x: &Var<'t, T>,
            _: &mut $crate::nn::Context<T>,
        ) -> Var<'t, T> {
            $crate::nn::convolved::activated_by(self.activation, |finish| {
                self.convolve(weights, x, finish)
            })
        }

        fn pre_activation<'t>(
            &self,
            weights: &[Var<'t, T>],
            x: &Var<'t, T>,
            _: &mut $crate::nn::Context<T>,
        ) -> Var<'t, T> {
            self.convolve(weights, x, $crate::kernels::gemm::Finish::Plain)
        }

        fn rectified<'t>(
            &self,
            weights: &[Var<'t, T>],
            x: &Var<'t, T>,
            _: &mut $crate::nn::Context<T>,
            rectifier: $crate::ops::Rectifier,
        ) -> Var<'t, T> {
            $crate::nn::convolved::rectified_by(rectifier, |finish| {
                self.convolve(weights, x, finish)
            })
        }

        fn activation(&self, _: $crate::tensor::Shape) -> $crate::nn::Activation {
            self.activation
        }
    };
}

/// Whether padding `same` adds just this border of zeros to images, or more of it that no window reaches.
pub(super) fn same_adds(
    border: [[usize; 2]; 2],
    image: [usize; 2],
    size: [usize; 2],
    strides: [usize; 2],
    dilation: [usize; 2],
) -> bool {
    let window = |image, padding| Window::dilated(image, size, strides, dilation, padding);
    let bordered = [0, 1].map(|axis| border[axis][0] + image[axis] + border[axis][1]);
    match (window(bordered, Padding::Valid), window(image, Padding::Same)) {
        (Ok(valid), Ok(same)) => {
            same.before() == border.map(|[before, _]| before) && same.output() == valid.output()
        }
        _ => false,
    }
}

/// Sums with an activation, which are rectified where they are computed, if that is possible.
pub(super) fn activated_by<'t, T: Scalar>(
    activation: Activation,
    sums: impl FnOnce(Finish) -> Var<'t, T>,
) -> Var<'t, T> {
    match activation.rectifier() {
        Some(rectifier) => rectified_by(rectifier, sums),
        None => activation.of(&sums(Finish::Plain)),
    }
}

/// Sums with a rectifier, where they are computed, if that is possible.
pub(super) fn rectified_by<'t, T: Scalar>(
    rectifier: Rectifier,
    sums: impl FnOnce(Finish) -> Var<'t, T>,
) -> Var<'t, T> {
    match rectifier.finish() {
        Some(finish) => sums(finish),
        None => sums(Finish::Plain).rectifier(rectifier),
    }
}

/// The convolution with a kernel `[kh, kw, c_in, c_out]` and a bias, or without one.
pub(super) fn convolve<'t, T: Scalar>(
    x: &Var<'t, T>,
    kernel: &Var<'t, T>,
    bias: Option<&Var<'t, T>>,
    convolution: Convolution,
    finish: Finish,
) -> Var<'t, T> {
    x.convolve_with(kernel, &or_zeros(bias, kernel.shape()[3]), convolution, finish)
}

/// The bias of a layer, if it has one, or zeros for so many outputs.
pub(super) fn or_zeros<'t, T: Scalar>(bias: Option<&Var<'t, T>>, outputs: usize) -> Var<'t, T> {
    bias.cloned().unwrap_or_else(|| Var::constant(Tensor::zeros([outputs])))
}

/// The depthwise convolution with a kernel `[kh, kw, c, multiplier]`: every channel has `multiplier` filters of its own,
/// whose outputs follow each other.
pub(super) fn convolve_depthwise<'t, T: Scalar>(
    x: &Var<'t, T>,
    kernel: &Var<'t, T>,
    bias: Option<&Var<'t, T>>,
    convolution: Convolution,
    finish: Finish,
) -> Var<'t, T> {
    let [kh, kw, channels, multiplier] = kernel.value().dims();
    let kernel = kernel.reshape([kh, kw, 1, channels * multiplier]);
    convolve(x, &kernel, bias, Convolution { groups: channels, ..convolution }, finish)
}

/// Whether groups divide the channels of the input and the filters.
pub(super) fn groups_fit(groups: usize, channels: usize, filters: usize) -> Result<(), Reason> {
    if groups > 0 && channels.is_multiple_of(groups) && filters.is_multiple_of(groups) {
        return Ok(());
    }
    Err(format!("{groups} groups divide neither {channels} channels nor {filters} filters evenly")
        .into())
}

/// Refuses a number of filters, or of filters for each channel, that gives no output.
pub(super) fn some_filters(filters: usize) -> Result<(), Reason> {
    if filters == 0 {
        return Err("0 filters give no output; use at least 1".into());
    }
    Ok(())
}

pub(super) use convolved;
