//! The layers that make their inputs larger by whole factors.

use super::axes::{as_image, as_series, over_axes, series, volume};
use super::layer::image;
use super::recipe::{described, formatted, recipe};
use super::{Context, Layer, Pair, Triple};
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::Interpolation;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// The lengths of axes that become `size` times as long.
fn larger<const N: usize>(axes: [usize; N], size: [usize; N]) -> Result<[usize; N], Reason> {
    let mut output = axes;
    for (length, factor) in output.iter_mut().zip(size) {
        if factor == 0 {
            return Err("a size of 0 leaves nothing; it is at least 1".into());
        }
        let product = length.checked_mul(factor);
        *length = product.ok_or_else(|| format!("{size:?} times {axes:?} is more than memory"))?;
    }
    Ok(output)
}

recipe! {
    /// Every step of a series repeated: `[steps, c]` becomes `[size steps, c]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2, 1]).add(UpSampling1d::new(2)).build(0)?;
    /// let x = Tensor::from([1.0, 2.0]).reshape([1, 2, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [1.0, 1.0, 2.0, 2.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct UpSampling1d = "UpSampling1D";
    /// So many times each step.
    new(size: usize);
    example [4, 2] => UpSampling1d::new(3) => [12, 2];
    options {}
    fixed {}
    ignored []
}

impl<T: Scalar> Layer<T> for UpSampling1d {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        series(input)?;
        over_axes(input, &|axes| larger(axes, [self.size]))
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let image = as_image(x);
        let [_, _, steps, _] = image.value().dims();
        as_series(&image.resize([1, steps * self.size], Interpolation::Nearest, false))
    }
}

recipe! {
    /// Larger images: `[h, w, c]` becomes `[size[0] h, size[1] w, c]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([1, 2, 1]).add(UpSampling2d::new(2)).build(0)?;
    /// let x = Tensor::from([1.0, 2.0]).reshape([1, 1, 2, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct UpSampling2d = "UpSampling2D";
    /// So many pixels for each one: `2` or `[2, 3]`.
    new(size: [usize; 2] as impl Pair, pair);
    example [4, 3, 2] => UpSampling2d::new([2, 3]) => [8, 9, 2];
    options {
        /// How the values between pixels are found.
        interpolation: Interpolation = Interpolation::Nearest, Interpolation::Bilinear;
    }
    formats data_format;
    fixed {}
    ignored []
}

impl<T: Scalar> Layer<T> for UpSampling2d {
    described!();
    formatted!(data_format);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        image(input)?;
        over_axes(input, &|axes| larger(axes, self.size))
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let [_, h, w, _] = x.value().dims();
        x.resize([h * self.size[0], w * self.size[1]], self.interpolation, false)
    }
}

recipe! {
    /// Every place of a volume repeated: `[d, h, w, c]` becomes `[size[0] d, size[1] h, size[2] w, c]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([1, 2, 1, 1]).add(UpSampling3d::new([2, 1, 1])).build(0)?;
    /// let x = Tensor::from([1.0, 2.0]).reshape([1, 1, 2, 1, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [1.0, 2.0, 1.0, 2.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct UpSampling3d = "UpSampling3D";
    /// So many places for each one: `2` or `[2, 3, 3]`.
    new(size: [usize; 3] as impl Triple, triple);
    example [2, 4, 3, 2] => UpSampling3d::new([1, 2, 3]) => [2, 8, 9, 2];
    options {}
    formats data_format;
    fixed {}
    ignored []
}

impl<T: Scalar> Layer<T> for UpSampling3d {
    described!();
    formatted!(data_format);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        volume(input)?;
        over_axes(input, &|axes| larger(axes, self.size))
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let [n, d, h, w, c] = x.value().dims();
        let [depth, height, width] = [d * self.size[0], h * self.size[1], w * self.size[2]];
        // The slices as columns of an image, and then each of them as an image.
        let x = x.reshape([n, d, h * w, c]).resize([depth, h * w], Interpolation::Nearest, false);
        let x = x.reshape([n * depth, h, w, c]);
        x.resize([height, width], Interpolation::Nearest, false)
            .reshape([n, depth, height, width, c])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Mode;
    use crate::tensor::{Stream, Tensor};

    #[test]
    fn gradients() {
        let x: Tensor<f64> = Tensor::uniform([2, 3, 4, 3], -1.0, 1.0, &mut Stream::new(3));
        for interpolation in Interpolation::ALL {
            let layer = UpSampling2d::new([3, 2]).interpolation(interpolation);
            let cx = || Context::new(Mode::Infer);
            gradcheck(|[x]| layer.forward(&[], x, &mut cx()).square(), [x.clone()]).unwrap();
        }
    }

    #[test]
    fn sizes_that_do_not_fit() {
        let error = |size: usize| {
            Layer::<f32>::output_shape(&UpSampling2d::new([1, size]), Shape::from([4, 4, 1]))
        };
        assert!(error(0).unwrap_err().as_str().starts_with("a size of 0"));
        assert!(error(usize::MAX).unwrap_err().as_str().contains("more than memory"));
    }
}
