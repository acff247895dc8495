//! The layers that keep one value of every channel.

use super::axes::{series, volume};
use super::layer::image;
use super::recipe::{described, formatted, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::kernels::Padding;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// A pooling layer whose window is everything: its class by Keras's name, an example, how a sample is read, and the op it runs.
macro_rules! global_pooling_layer {
    (
        $(#[$doc:meta])*
        $layer:ident = $class:literal;
        example $input:tt => $output:tt, $kept:tt;
        $read:ident, $op:ident
    ) => {
        recipe! {
            $(#[$doc])*
            pub struct $layer = $class;
            /// One value of every channel.
            new();
            example $input => $layer::new() => $output;
            options {
                /// Whether the output keeps its axes, each with a length of 1, and is no vector.
                keepdims: bool = false, true => $kept;
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
                Ok(pooled(input, self.keepdims))
            }

            fn forward<'t>(
                &self,
                _: &[Var<'t, T>],
                x: &Var<'t, T>,
                cx: &mut Context<T>,
            ) -> Var<'t, T> {
                let n = x.shape()[0];
                let output = pooled(x.shape().sample(), self.keepdims).batch(n);
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
fn pooled(sample: Shape, keepdims: bool) -> Shape {
    let kept = if keepdims { sample.rank() - 1 } else { 0 };
    Shape::new(&[&vec![1; kept], &sample[sample.rank() - 1..]].concat())
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
    example [6, 3] => [3], [1, 3];
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
    example [6, 3] => [3], [1, 3];
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
    example [4, 6, 3] => [3], [1, 1, 3];
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
    example [4, 6, 3] => [3], [1, 1, 3];
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
    example [2, 4, 6, 3] => [3], [1, 1, 1, 3];
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
    example [2, 4, 6, 3] => [3], [1, 1, 1, 3];
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
        }
    }
}
