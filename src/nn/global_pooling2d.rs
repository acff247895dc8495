//! The layers that keep one value of every channel.

use super::layer::image;
use super::recipe::{described, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::kernels::Padding;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// A pooling layer whose window is the whole image: its class by Keras's name, and the op it runs.
macro_rules! global_pooling_layer {
    ($(#[$doc:meta])* $layer:ident, $class_name:literal, $op:ident) => {
        recipe! {
            $(#[$doc])*
            pub struct $layer = $class_name;
            /// Vectors `[c]` of images `[h, w, c]`.
            new();
            example [4, 6, 3] => $layer::new() => [3];
            options {
                /// Whether the output is an image of one pixel, `[1, 1, c]`, and no vector.
                keepdims: bool = false, true => [1, 1, 3];
            }
            fixed { "data_format": "channels_last" }
            ignored []
        }

        impl<T: Scalar> Layer<T> for $layer {
            described!();

            fn output_shape(&self, input: Shape) -> Result<Shape, String> {
                let [_, _, c] = image(input)?;
                Ok(if self.keepdims { Shape::from([1, 1, c]) } else { Shape::from([c]) })
            }

            fn forward<'t>(
                &self,
                _: &[Var<'t, T>],
                x: &Var<'t, T>,
                _: &mut Context<T>,
            ) -> Var<'t, T> {
                let shape = x.shape();
                let [n, h, w, c] = *shape else { unreachable!("output_shape has checked it") };
                let y = x.$op([h, w], [h, w], Padding::Valid);
                if self.keepdims { y } else { y.reshape([n, c]) }
            }
        }
    };
}

global_pooling_layer!(
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
    GlobalAveragePooling2d,
    "GlobalAveragePooling2D",
    avg_pool2d
);

global_pooling_layer!(
    /// The largest value of every channel in the whole image: images `[h, w, c]` become vectors `[c]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2, 2, 1]).add(GlobalMaxPooling2d::new()).build(0)?;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 6.0]]).reshape([1, 2, 2, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [6.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    GlobalMaxPooling2d,
    "GlobalMaxPooling2D",
    max_pool2d
);

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
