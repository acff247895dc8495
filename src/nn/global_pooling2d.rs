//! The layers that keep one value of every channel.

use super::layer::image;
use super::{Config, Context, Layer, Options, as_config};
use crate::autograd::Var;
use crate::kernels::Padding;
use crate::scalar::Scalar;
use crate::tensor::Shape;
use serde_json::json;

/// A pooling layer whose window is the whole image: its class by Keras's name, and the op it runs.
macro_rules! global_pooling_layer {
    ($(#[$doc:meta])* $layer:ident, $class_name:literal, $op:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $layer {
            keepdims: bool,
            name: Option<String>,
        }

        impl $layer {
            /// Vectors `[c]` of images `[h, w, c]`.
            ///
            /// ```
            /// use cinta::prelude::*;
            #[doc = concat!("let model = Sequential::new([4, 6, 3]).add(", stringify!($layer), "::new()).build(0)?;")]
            /// assert_eq!(model.output_shape(), [3]);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn new() -> Self {
                Self::default()
            }

            /// Whether the output is an image of one pixel, `[1, 1, c]`, and no vector.
            ///
            /// ```
            /// use cinta::prelude::*;
            #[doc = concat!("let layer = ", stringify!($layer), "::new().keepdims(true);")]
            /// let model = Sequential::new([4, 6, 3]).add(layer).build(0)?;
            /// assert_eq!(model.output_shape(), [1, 1, 3]);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn keepdims(mut self, keepdims: bool) -> Self {
                self.keepdims = keepdims;
                self
            }

            /// The layer's name in the model, in place of an automatic one.
            ///
            /// ```
            /// use cinta::prelude::*;
            #[doc = concat!("let layer = ", stringify!($layer), "::new().name(\"pool\");")]
            /// let model = Sequential::new([4, 6, 3]).add(layer).build(0)?;
            #[doc = concat!("assert_eq!(model.get_layer(\"pool\")?.class_name(), \"", $class_name, "\");")]
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.name = Some(name.into());
                self
            }

            pub(super) fn from_config(config: &Config) -> Result<Self, String> {
                let mut options = Options::new(config);
                options.only("data_format", &json!("channels_last"))?;
                let keepdims = options.flag("keepdims", false)?;
                options.ignore(&["trainable"]);
                options.finish()?;
                Ok($layer { keepdims, name: None })
            }
        }

        impl<T: Scalar> Layer<T> for $layer {
            fn class_name(&self) -> &str {
                $class_name
            }

            fn name(&self) -> Option<&str> {
                self.name.as_deref()
            }

            fn config(&self) -> Config {
                as_config(json!({
                    "trainable": true,
                    "data_format": "channels_last",
                    "keepdims": self.keepdims,
                }))
            }

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
