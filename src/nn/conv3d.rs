//! The convolution layer of volumes.

use super::axes::{outputs, volume};
use super::convolved::{convolved, groups_fit, or_zeros, some_filters};
use super::recipe::{described, formatted};
use super::weighted::{regularized, weighted_recipe};
use super::{Layer, Triple, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::Padding;
use crate::kernels::gemm::Finish;
use crate::ops::Convolution;
use crate::scalar::Scalar;
use crate::tensor::Shape;

weighted_recipe! {
    /// A convolution of volumes `[d, h, w, c_in]`, which become `[od, oh, ow, filters]`.
    ///
    /// Its weights are `kernel [kd, kh, kw, c_in, filters]` and `bias [filters]`. It is computed as a convolution of slices, of which
    /// each has the channels of all `kd` slices that its window sees.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 16, 16, 1])
    ///     .add(Conv3d::new(4, 3).padding(Same).activation(Relu).name("conv_1"))
    ///     .build(0)?;
    /// assert_eq!(model.weight("conv_1", "kernel")?.shape(), [3, 3, 3, 1, 4]);
    /// assert_eq!(model.count_params(), 3 * 3 * 3 * 4 + 4);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Conv3d = "Conv3D";
    /// A layer of `filters` filters of a size such as `3` or `[5, 3, 3]`.
    new(filters: usize, kernel_size: [usize; 3] as impl Triple, triple);
    example [6, 8, 8, 2] => Conv3d::new(4, [3, 5, 3]) => [4, 4, 6, 4];
    options {
        /// How far the window moves from one output to the next.
        strides: [usize; 3] as impl Triple, triple = [1, 1, 1], 2 => [2, 2, 3, 4];
        /// What happens at the border.
        padding: Padding = Padding::Valid, Same => [6, 8, 8, 4];
        /// How far apart the places of a window are: with 2, every second one.
        dilation_rate: [usize; 3] as impl Triple, triple = [1, 1, 1], [2, 1, 2] => [2, 4, 4, 4];
        /// Into how many groups the channels are divided: an output sees the channels of its group alone.
        groups: usize = 1, 2;
    }
    formats data_format;
    fixed {}
    ignored []
}

impl Conv3d {
    fn convolve<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        finish: Finish,
    ) -> Var<'t, T> {
        let Conv3d {
            strides: [down, sh, sw], padding, dilation_rate: [deep, dh, dw], groups, ..
        } = *self;
        let convolution = Convolution {
            strides: [sh, sw],
            padding,
            dilation: [dh, dw],
            groups,
            ..Convolution::default()
        };
        let bias = or_zeros(weights.get(1), self.filters);
        x.convolve_volumes(&weights[0], &bias, [down, deep], convolution, finish)
    }
}

impl<T: Scalar> Layer<T> for Conv3d {
    described!();
    formatted!(data_format);
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let [d, h, w, c] = volume(input)?;
        some_filters(self.filters)?;
        groups_fit(self.groups, c, self.filters)?;
        self.check_regularizers()?;
        let Conv3d { kernel_size, strides, dilation_rate, padding, .. } = *self;
        let [d, h, w] = outputs([d, h, w], kernel_size, strides, dilation_rate, padding)?;
        Ok(Shape::from([d, h, w, self.filters]))
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let [kd, kh, kw] = self.kernel_size;
        let kernel = Shape::from([kd, kh, kw, input[3] / self.groups, self.filters]);
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

    /// The definition, as plain loops, with a stride of 1 and no border.
    fn naive(x: &Tensor<f64>, kernel: &Tensor<f64>) -> Tensor<f64> {
        let ([n, d, h, w, c], [kd, kh, kw, _, o]) = (x.dims(), kernel.dims());
        Tensor::from_fn([n, d + 1 - kd, h + 1 - kh, w + 1 - kw, o], |at| {
            let mut sum = 0.0;
            for kz in 0..kd {
                for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                    for channel in 0..c {
                        sum += x.at([at[0], at[1] + kz, at[2] + ky, at[3] + kx, channel])
                            * kernel.at([kz, ky, kx, channel, at[4]]);
                    }
                }
            }
            sum
        })
    }

    #[test]
    fn values_and_gradients() {
        let rng = &mut Stream::new(3);
        let x: Tensor<f64> = Tensor::uniform([2, 4, 3, 4, 2], -1.0, 1.0, rng);
        let kernel: Tensor<f64> = Tensor::uniform([2, 3, 2, 2, 4], -1.0, 1.0, rng);
        let cx = || Context::new(Mode::Infer);
        let layer = Conv3d::new(4, [2, 3, 2]).use_bias(false);
        let y =
            layer.forward(&[Var::constant(kernel.clone())], &Var::constant(x.clone()), &mut cx());
        assert!(y.value().all_close(&naive(&x, &kernel), 1e-12, 1e-12));
        let halves = kernel.slice(3, 0..1);
        for (layer, kernel) in [
            (layer.clone().padding(Padding::Same).strides([2, 1, 2]), &kernel),
            (layer.clone().dilation_rate([2, 1, 2]), &kernel),
            (layer.groups(2), &halves),
        ] {
            gradcheck(
                |[x, kernel]| layer.forward(std::slice::from_ref(kernel), x, &mut cx()),
                [x.clone(), kernel.clone()],
            )
            .unwrap();
        }
    }
}
