//! The layers that add zeros around their inputs, or cut their inputs' borders off.

use super::axes::{over_axes, series, volume};
use super::layer::image;
use super::recipe::{described, formatted, recipe};
use super::{Borders, Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// Both layers of series, images or volumes: their documentation and class, and an example.
macro_rules! border_layers {
    (
        axes $n:literal, $read:ident, $given:ty;
        $(#[$padding_doc:meta])*
        $padding:ident = $padding_class:literal;
        example $small:tt => $padded:expr => $large:tt;
        $(#[$cropping_doc:meta])*
        $cropping:ident = $cropping_class:literal;
        example $whole:tt => $cropped:expr => $part:tt;
        $(formats $format:ident;)?
    ) => {
        recipe! {
            $(#[$padding_doc])*
            pub struct $padding = $padding_class;
            /// How many zeros come before and after, along each axis.
            new(padding: [[usize; 2]; $n] as $given, borders);
            example $small => $padded => $large;
            options {}
            formats data_format;
            fixed {}
            ignored []
        }

        impl<T: Scalar> Layer<T> for $padding {
            described!();
            formatted!(data_format);

            fn output_shape(&self, input: Shape) -> Result<Shape, $crate::error::Reason> {
                $read(input)?;
                over_axes(input, &|axes| padded(axes, self.padding))
            }

            fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
                x.pad(&[&[[0, 0]], &self.padding[..], &[[0, 0]]].concat())
            }
        }

        recipe! {
            $(#[$cropping_doc])*
            pub struct $cropping = $cropping_class;
            /// How many places are cut off before and after, along each axis.
            new(cropping: [[usize; 2]; $n] as $given, borders);
            example $whole => $cropped => $part;
            options {}
            $(formats $format;)?
            fixed {}
            ignored []
        }

        impl<T: Scalar> Layer<T> for $cropping {
            described!();
            $(formatted!($format);)?

            fn output_shape(&self, input: Shape) -> Result<Shape, $crate::error::Reason> {
                $read(input)?;
                over_axes(input, &|axes| cropped(axes, self.cropping))
            }

            fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
                let cut = |x: Var<'t, T>, (axis, &[before, after]): (usize, &[usize; 2])| {
                    let end = x.shape()[axis + 1] - after;
                    if before + after == 0 { x } else { x.slice(axis + 1, before..end) }
                };
                self.cropping.iter().enumerate().fold(x.clone(), cut)
            }
        }
    };
}

fn padded<const N: usize>(axes: [usize; N], border: [[usize; 2]; N]) -> Result<[usize; N], Reason> {
    let mut output = axes;
    for (length, [before, after]) in output.iter_mut().zip(border) {
        let sum = length.checked_add(before).and_then(|sum| sum.checked_add(after));
        *length =
            sum.ok_or_else(|| format!("a border of {border:?} has more zeros than memory"))?;
    }
    Ok(output)
}

fn cropped<const N: usize>(
    axes: [usize; N],
    border: [[usize; 2]; N],
) -> Result<[usize; N], Reason> {
    let mut output = axes;
    for (length, [before, after]) in output.iter_mut().zip(border) {
        let left = length.checked_sub(before).and_then(|left| left.checked_sub(after));
        *length = left.filter(|&left| left > 0).ok_or_else(|| {
            format!("a border of {border:?} leaves nothing of {axes:?}; crop less than that")
        })?;
    }
    Ok(output)
}

border_layers! {
    axes 1, series, impl Borders<1>;
    /// Zeros before and after a series: `[steps, c]` becomes a longer one.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2, 1]).add(ZeroPadding1d::new([1, 0])).build(0)?;
    /// let x = Tensor::from([1.0, 2.0]).reshape([1, 2, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [0.0, 1.0, 2.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    ZeroPadding1d = "ZeroPadding1D";
    example [4, 2] => ZeroPadding1d::new([1, 2]) => [7, 2];
    /// A series without its first and last steps.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([4, 1]).add(Cropping1d::new([2, 1])).build(0)?;
    /// let x = Tensor::from([1.0, 2.0, 3.0, 4.0]).reshape([1, 4, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [3.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    Cropping1d = "Cropping1D";
    example [6, 2] => Cropping1d::new([2, 1]) => [3, 2];
}

border_layers! {
    axes 2, image, impl Borders<2>;
    /// Zeros around images: `[h, w, c]` becomes larger.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([1, 2, 1]).add(ZeroPadding2d::new([[0, 1], [1, 0]])).build(0)?;
    /// let x = Tensor::from([1.0, 2.0]).reshape([1, 1, 2, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [0.0, 1.0, 2.0, 0.0, 0.0, 0.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    ZeroPadding2d = "ZeroPadding2D";
    example [4, 4, 2] => ZeroPadding2d::new([1, 2]) => [6, 8, 2];
    /// Images without their borders.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2, 2, 1]).add(Cropping2d::new([[1, 0], [0, 1]])).build(0)?;
    /// let x = Tensor::from([1.0, 2.0, 3.0, 4.0]).reshape([1, 2, 2, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [3.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    Cropping2d = "Cropping2D";
    example [6, 8, 2] => Cropping2d::new([1, 2]) => [4, 4, 2];
    formats data_format;
}

border_layers! {
    axes 3, volume, impl Borders<3>;
    /// Zeros around volumes: `[d, h, w, c]` becomes larger.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2, 4, 4, 1]).add(ZeroPadding3d::new([[1, 0], [2, 2], [0, 1]])).build(0)?;
    /// assert_eq!(model.output_shape(), [3, 8, 5, 1]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    ZeroPadding3d = "ZeroPadding3D";
    example [2, 4, 4, 2] => ZeroPadding3d::new([0, 1, 2]) => [2, 6, 8, 2];
    /// Volumes without their borders.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3, 8, 5, 1]).add(Cropping3d::new([[1, 0], [2, 2], [0, 1]])).build(0)?;
    /// assert_eq!(model.output_shape(), [2, 4, 4, 1]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    Cropping3d = "Cropping3D";
    example [2, 6, 8, 2] => Cropping3d::new([0, 1, 2]) => [2, 4, 4, 2];
    formats data_format;
}

impl ZeroPadding2d {
    /// How many zeros come before and after, along each axis.
    pub(crate) fn border(&self) -> [[usize; 2]; 2] {
        self.padding
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
        let cx = || Context::new(Mode::Infer);
        let x: Tensor<f64> = Tensor::uniform([2, 4, 5, 3], -1.0, 1.0, &mut Stream::new(3));
        let zeros = ZeroPadding2d::new([[1, 2], [0, 1]]);
        let crop = Cropping2d::new([[1, 0], [1, 2]]);
        gradcheck(|[x]| zeros.forward(&[], x, &mut cx()).square(), [x.clone()]).unwrap();
        gradcheck(|[x]| crop.forward(&[], x, &mut cx()).square(), [x.clone()]).unwrap();
        let back = crop.forward(
            &[],
            &Cropping2d::new(0).forward(&[], &Var::constant(x), &mut cx()),
            &mut cx(),
        );
        assert_eq!(back.shape(), [2, 3, 2, 3]);
    }

    #[test]
    fn what_leaves_nothing() {
        let layer = Cropping2d::new([[2, 2], [0, 0]]);
        let error = Layer::<f32>::output_shape(&layer, Shape::from([4, 4, 1])).unwrap_err();
        assert!(
            error.as_str().starts_with("a border of [[2, 2], [0, 0]] leaves nothing of [4, 4]")
        );
        let layer = ZeroPadding1d::new([usize::MAX, 1]);
        assert!(Layer::<f32>::output_shape(&layer, Shape::from([4, 1])).is_err());
    }
}
