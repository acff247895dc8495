//! The layers that keep one value of every window.

use super::axes::{as_image, as_series, not_causal, outputs, over_axes, series, volume};
use super::layer::image;
use super::recipe::{described, formatted, recipe};
use super::{Context, Layer, Pair, Single, Triple};
use crate::autograd::Var;
use crate::kernels::Padding;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Stream};

/// What windows of images become: [`Var::max_pool2d`] or [`Var::avg_pool2d`].
type Pool<'t, T> = fn(&Var<'t, T>, [usize; 2], [usize; 2], Padding) -> Var<'t, T>;

/// A pooling layer: its class by Keras's name; its size, as an option and as what the method takes; an example; and how it is
/// computed.
macro_rules! pooling_layer {
    (
        $(#[$doc:meta])*
        $layer:ident = $class:literal;
        new($size:ty as $given:ty, $convert:ident);
        example $input:tt => $made:expr => $output:tt;
        strides 1 => $close:tt;
        $read:ident, $pool:ident, $op:ident
    ) => {
        recipe! {
            $(#[$doc])*
            pub struct $layer = $class;
            /// Windows of this size.
            new(pool_size: $size as $given, $convert);
            example $input => $made => $output;
            options {
                /// What happens at the border.
                padding: Padding = Padding::Valid, Same;
                /// How far the window moves from one output to the next; by default, its own size.
                strides: $size as $given, $convert = pool_size, 1 => $close;
            }
            formats data_format;
            fixed {}
            ignored []
        }

        impl<T: Scalar> Layer<T> for $layer {
            described!();
            formatted!(data_format);

            fn output_shape(&self, input: Shape) -> Result<Shape, $crate::error::Reason> {
                $read(input)?;
                not_causal(self.padding)?;
                let (size, one) = (self.pool_size, self.pool_size.map(|_| 1));
                over_axes(input, &|axes| outputs(axes, size, self.strides, one, self.padding))
            }

            fn forward<'t>(
                &self,
                _: &[Var<'t, T>],
                x: &Var<'t, T>,
                _: &mut Context<T>,
            ) -> Var<'t, T> {
                $pool(x, self.pool_size, self.strides, self.padding, Var::$op)
            }
        }
    };
}

fn pool1d<'t, T: Scalar>(
    x: &Var<'t, T>,
    [size]: [usize; 1],
    [stride]: [usize; 1],
    padding: Padding,
    pool: Pool<'t, T>,
) -> Var<'t, T> {
    as_series(&pool(&as_image(x), [1, size], [1, stride], padding))
}

fn pool2d<'t, T: Scalar>(
    x: &Var<'t, T>,
    size: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
    pool: Pool<'t, T>,
) -> Var<'t, T> {
    pool(x, size, strides, padding)
}

impl MaxPooling2d {
    /// What the layer gives, rectified, and after dropout.
    pub(crate) fn survivors<'t, T: Scalar>(
        &self,
        x: &Var<'t, T>,
        dropout: Option<(f64, &Stream, usize)>,
    ) -> Var<'t, T> {
        x.max_pool2d_relu(self.pool_size, self.strides, self.padding, dropout)
    }
}

/// All slices first, then along the depth: the largest value of the largest values, or the mean of means over equally many.
fn pool3d<'t, T: Scalar>(
    x: &Var<'t, T>,
    [depth, height, width]: [usize; 3],
    [down, strides @ ..]: [usize; 3],
    padding: Padding,
    pool: Pool<'t, T>,
) -> Var<'t, T> {
    let [n, d, h, w, c] = x.value().dims();
    let y = pool(&x.reshape([n * d, h, w, c]), [height, width], strides, padding);
    let [_, oh, ow, _] = y.value().dims();
    let y = pool(&y.reshape([n, d, oh * ow, c]), [depth, 1], [down, 1], padding);
    let [_, od, _, _] = y.value().dims();
    y.reshape([n, od, oh, ow, c])
}

pooling_layer! {
    /// The largest value of every window, channel by channel: series `[steps, c]` become `[outputs, c]`. Keras's defaults: windows
    /// side by side (strides as large as the window), `valid` padding.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([16, 8]).add(MaxPooling1d::new(2)).build(0)?;
    /// assert_eq!(model.output_shape(), [8, 8]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    MaxPooling1d = "MaxPooling1D";
    new([usize; 1] as impl Single, single);
    example [8, 2] => MaxPooling1d::new(2) => [4, 2];
    strides 1 => [7, 2];
    series, pool1d, max_pool2d
}

pooling_layer! {
    /// The mean of every window, channel by channel: series `[steps, c]` become `[outputs, c]`. Keras's defaults: windows side by
    /// side (strides as large as the window), `valid` padding.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([16, 8]).add(AveragePooling1d::new(4)).build(0)?;
    /// assert_eq!(model.output_shape(), [4, 8]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    AveragePooling1d = "AveragePooling1D";
    new([usize; 1] as impl Single, single);
    example [8, 2] => AveragePooling1d::new(2) => [4, 2];
    strides 1 => [7, 2];
    series, pool1d, avg_pool2d
}

pooling_layer! {
    /// The largest value of every window, channel by channel: images `[h, w, c]` become `[oh, ow, c]`, as
    /// [`Var::max_pool2d`]. Keras's defaults: windows side by side (strides as large as the window),
    /// `valid` padding.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([16, 16, 8]).add(MaxPooling2d::new(2)).build(0)?;
    /// assert_eq!(model.output_shape(), [8, 8, 8]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    MaxPooling2d = "MaxPooling2D";
    new([usize; 2] as impl Pair, pair);
    example [8, 8, 1] => MaxPooling2d::new([2, 4]) => [4, 2, 1];
    strides 1 => [7, 5, 1];
    image, pool2d, max_pool2d
}

pooling_layer! {
    /// The mean of every window, channel by channel: images `[h, w, c]` become `[oh, ow, c]`, as
    /// [`Var::avg_pool2d`]. Keras's defaults: windows side by side (strides as large as the window),
    /// `valid` padding.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([16, 16, 8]).add(AveragePooling2d::new([2, 4])).build(0)?;
    /// assert_eq!(model.output_shape(), [8, 4, 8]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    AveragePooling2d = "AveragePooling2D";
    new([usize; 2] as impl Pair, pair);
    example [8, 8, 1] => AveragePooling2d::new([2, 4]) => [4, 2, 1];
    strides 1 => [7, 5, 1];
    image, pool2d, avg_pool2d
}

pooling_layer! {
    /// The largest value of every window, channel by channel: volumes `[d, h, w, c]` become `[od, oh, ow, c]`. Keras's defaults:
    /// windows side by side (strides as large as the window), `valid` padding.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 16, 16, 2]).add(MaxPooling3d::new(2)).build(0)?;
    /// assert_eq!(model.output_shape(), [4, 8, 8, 2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    MaxPooling3d = "MaxPooling3D";
    new([usize; 3] as impl Triple, triple);
    example [4, 8, 8, 1] => MaxPooling3d::new([2, 2, 4]) => [2, 4, 2, 1];
    strides 1 => [3, 7, 5, 1];
    volume, pool3d, max_pool2d
}

pooling_layer! {
    /// The mean of every window, channel by channel: volumes `[d, h, w, c]` become `[od, oh, ow, c]`. Keras's defaults: windows
    /// side by side (strides as large as the window), `valid` padding.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([8, 16, 16, 2]).add(AveragePooling3d::new([8, 4, 4])).build(0)?;
    /// assert_eq!(model.output_shape(), [1, 4, 4, 2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    AveragePooling3d = "AveragePooling3D";
    new([usize; 3] as impl Triple, triple);
    example [4, 8, 8, 1] => AveragePooling3d::new([2, 2, 4]) => [2, 4, 2, 1];
    strides 1 => [3, 7, 5, 1];
    volume, pool3d, avg_pool2d
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
        // Distinct values, so that no maximum is a tie.
        let distinct = |shape: &[usize]| {
            let order = Stream::new(1).permutation(shape.iter().product());
            let values: Vec<f64> = order.iter().map(|&i| 0.1 * i as f64).collect();
            Tensor::new(shape, values)
        };
        let (x, v) = (distinct(&[3, 7, 2]), distinct(&[2, 5, 4, 3, 2]));
        for padding in [Padding::Valid, Padding::Same] {
            let most = MaxPooling1d::new(3).strides(2).padding(padding);
            let mean = AveragePooling1d::new(3).strides(2).padding(padding);
            gradcheck(|[x]| most.forward(&[], x, &mut cx()), [x.clone()]).unwrap();
            gradcheck(|[x]| mean.forward(&[], x, &mut cx()), [x.clone()]).unwrap();
            let most = MaxPooling3d::new([3, 2, 2]).strides([2, 1, 2]).padding(padding);
            let mean = AveragePooling3d::new([2, 3, 2]).strides([1, 2, 1]).padding(padding);
            gradcheck(|[x]| most.forward(&[], x, &mut cx()), [v.clone()]).unwrap();
            gradcheck(|[x]| mean.forward(&[], x, &mut cx()), [v.clone()]).unwrap();
        }
    }

    #[test]
    fn a_window_that_does_not_fit() {
        let error = |padding| {
            let layer = MaxPooling1d::new(4).padding(padding);
            Layer::<f32>::output_shape(&layer, Shape::from([3, 2])).unwrap_err()
        };
        assert!(error(Padding::Valid).as_str().starts_with("the window of 1x4 does not fit"));
        assert!(
            error(Padding::Causal).as_str().starts_with("padding `causal` is for convolutions")
        );
    }
}
