//! The layers that keep one value of every channel.

use super::axes::{series, volume};
use super::layer::image;
use super::recipe::{described, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::config::{OptionValue, Value, json, not};
use crate::error::Reason;
use crate::kernels::Padding;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// Where the channels of a sample are. Most layers know images with the channels last alone.
///
/// ```
/// use cinta::prelude::*;
/// let layer = GlobalAveragePooling1d::new().data_format(DataFormat::ChannelsFirst);
/// let model = Sequential::new([2, 3]).add(layer).build(0)?;
/// let x = Tensor::from([[[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]]);
/// assert_eq!(model.predict(&x)?.to_vec(), [2.0, 5.0]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataFormat {
    /// In the last axis: `[h, w, c]`.
    ChannelsLast,
    /// In the first axis: `[c, h, w]`.
    ChannelsFirst,
}

impl OptionValue for DataFormat {
    fn read(value: &Value) -> Result<Self, Reason> {
        match value.as_str() {
            Some("channels_last") => Ok(DataFormat::ChannelsLast),
            Some("channels_first") => Ok(DataFormat::ChannelsFirst),
            _ => Err(not(value, "\"channels_last\" or \"channels_first\"")),
        }
    }

    fn write(&self) -> Value {
        match self {
            DataFormat::ChannelsLast => json!("channels_last"),
            DataFormat::ChannelsFirst => json!("channels_first"),
        }
    }
}

/// A pooling layer whose window is everything: its class by Keras's name, an example, how a sample is read, and the op it runs.
macro_rules! global_pooling_layer {
    (
        $(#[$doc:meta])*
        $layer:ident = $class:literal;
        example $input:tt => $output:tt, $kept:tt, $first:tt;
        $read:ident, $op:ident
    ) => {
        recipe! {
            $(#[$doc])*
            pub struct $layer = $class;
            /// One value of every channel.
            new();
            example $input => $layer::new() => $output;
            options {
                /// Where the channels are.
                data_format: DataFormat = DataFormat::ChannelsLast, DataFormat::ChannelsFirst => $first;
                /// Whether the output keeps its axes, each with a length of 1, and is no vector.
                keepdims: bool = false, true => $kept;
            }
            fixed {}
            ignored []
        }

        impl<T: Scalar> Layer<T> for $layer {
            described!();

            fn output_shape(&self, input: Shape) -> Result<Shape, $crate::error::Reason> {
                $read(input)?;
                Ok(pooled(input, self.keepdims, self.data_format))
            }

            fn forward<'t>(
                &self,
                _: &[Var<'t, T>],
                x: &Var<'t, T>,
                cx: &mut Context<T>,
            ) -> Var<'t, T> {
                let n = x.shape()[0];
                let output = pooled(x.shape().sample(), self.keepdims, self.data_format).batch(n);
                let x = &match self.data_format {
                    DataFormat::ChannelsLast => x.clone(),
                    DataFormat::ChannelsFirst => x.move_axis(1, x.shape().rank() - 1),
                };
                if let Some(mask) = cx.mask().filter(|_| $class == "GlobalAveragePooling1D") {
                    return mean_of_counting(x, mask).reshape(output);
                }
                // In reading order, so many pixels are one row.
                let sample = x.shape().sample();
                let c = sample[sample.rank() - 1];
                let pixels = sample[..sample.rank() - 1].iter().product();
                let row = x.reshape([n, 1, pixels, c]);
                let y = row.$op([1, pixels], [1, pixels], Padding::Valid);
                y.reshape(output)
            }
        }
    };
}

/// The mean of the steps that count: zeros where none does.
fn mean_of_counting<'t, T: Scalar>(x: &Var<'t, T>, mask: &Tensor<T>) -> Var<'t, T> {
    let [n, steps] = mask.dims();
    let counts = mask.sum(1).reshape([n, 1]).map(|count| count.max(T::one()));
    (x * Var::constant(mask.reshape([n, steps, 1]))).sum(1) / Var::constant(counts)
}

/// The shape of what is left of a sample.
fn pooled(sample: Shape, keepdims: bool, format: DataFormat) -> Shape {
    let kept = if keepdims { vec![1; sample.rank() - 1] } else { Vec::new() };
    Shape::new(&match format {
        DataFormat::ChannelsLast => [&kept[..], &sample[sample.rank() - 1..]].concat(),
        DataFormat::ChannelsFirst => [&sample[..1], &kept[..]].concat(),
    })
}

global_pooling_layer! {
    /// The mean of every channel over the whole series: series `[steps, c]` become vectors `[c]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([4, 1]).add(GlobalAveragePooling1d::new()).build(0)?;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 6.0]]).reshape([1, 4, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [3.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    GlobalAveragePooling1d = "GlobalAveragePooling1D";
    example [6, 3] => [3], [1, 3], [6];
    series, avg_pool2d
}

global_pooling_layer! {
    /// The largest value of every channel in the whole series: series `[steps, c]` become vectors `[c]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([4, 1]).add(GlobalMaxPooling1d::new()).build(0)?;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 6.0]]).reshape([1, 4, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [6.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    GlobalMaxPooling1d = "GlobalMaxPooling1D";
    example [6, 3] => [3], [1, 3], [6];
    series, max_pool2d
}

global_pooling_layer! {
    /// The mean of every channel over the whole image: images `[h, w, c]` become vectors `[c]`. Where a network ends in
    /// it, its weights do not depend on the size of the images.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2, 2, 1]).add(GlobalAveragePooling2d::new()).build(0)?;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 6.0]]).reshape([1, 2, 2, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [3.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    GlobalAveragePooling2d = "GlobalAveragePooling2D";
    example [4, 6, 3] => [3], [1, 1, 3], [4];
    image, avg_pool2d
}

global_pooling_layer! {
    /// The largest value of every channel in the whole image: images `[h, w, c]` become vectors `[c]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2, 2, 1]).add(GlobalMaxPooling2d::new()).build(0)?;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 6.0]]).reshape([1, 2, 2, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [6.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    GlobalMaxPooling2d = "GlobalMaxPooling2D";
    example [4, 6, 3] => [3], [1, 1, 3], [4];
    image, max_pool2d
}

global_pooling_layer! {
    /// The mean of every channel over the whole volume: volumes `[d, h, w, c]` become vectors `[c]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2, 1, 2, 1]).add(GlobalAveragePooling3d::new()).build(0)?;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 6.0]]).reshape([1, 2, 1, 2, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [3.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    GlobalAveragePooling3d = "GlobalAveragePooling3D";
    example [2, 4, 6, 3] => [3], [1, 1, 1, 3], [2];
    volume, avg_pool2d
}

global_pooling_layer! {
    /// The largest value of every channel in the whole volume: volumes `[d, h, w, c]` become vectors `[c]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2, 1, 2, 1]).add(GlobalMaxPooling3d::new()).build(0)?;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 6.0]]).reshape([1, 2, 1, 2, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [6.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    GlobalMaxPooling3d = "GlobalMaxPooling3D";
    example [2, 4, 6, 3] => [3], [1, 1, 1, 3], [2];
    volume, max_pool2d
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Mode;
    use crate::tensor::{Stream, Tensor};

    #[test]
    fn gradients() {
        let x: Tensor<f64> = Tensor::uniform([3, 4, 5, 2], -1.0, 1.0, &mut Stream::new(3));
        for keepdims in [false, true] {
            let mean = GlobalAveragePooling2d::new().keepdims(keepdims);
            let most = GlobalMaxPooling2d::new().keepdims(keepdims);
            let cx = || Context::new(Mode::Infer);
            gradcheck(|[x]| mean.forward(&[], x, &mut cx()).square(), [x.clone()]).unwrap();
            gradcheck(|[x]| most.forward(&[], x, &mut cx()).square(), [x.clone()]).unwrap();
            let y = mean.forward(&[], &Var::constant(x.clone()), &mut cx());
            let expected = x.mean([1, 2]);
            assert_eq!(y.shape().count(), expected.len());
            assert!(y.value().reshape([3, 2]).all_close(&expected.reshape([3, 2]), 1e-12, 1e-12));

            let first = mean.clone().data_format(DataFormat::ChannelsFirst);
            gradcheck(|[x]| first.forward(&[], x, &mut cx()).square(), [x.clone()]).unwrap();
            let y = first.forward(&[], &Var::constant(x.clone()), &mut cx());
            assert!(y.value().reshape([3, 4]).all_close(
                &x.mean([2, 3]).reshape([3, 4]),
                1e-12,
                1e-12
            ));
            let shape = Layer::<f64>::output_shape(&first, [4, 5, 2].into()).unwrap();
            assert_eq!(shape, if keepdims { Shape::from([4, 1, 1]) } else { Shape::from([4]) });
        }
    }
}
