//! The options that all layers with a kernel and a bias share.

/// The builder methods for a layer's activation, bias, initializers, penalties, `trainable` and name.
macro_rules! weighted_layer_options {
    ($layer:ident) => {
        impl $layer {
            /// The function applied to the output.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// let model = Sequential::new([2]).add(Dense::new(3).activation(Softmax)).build(1)?;
            /// let sum = model.predict(&Tensor::ones([1, 2]))?.sum(..).item();
            /// assert!((sum - 1.0).abs() < 1e-6);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn activation(mut self, activation: crate::nn::Activation) -> Self {
                self.activation = activation;
                self
            }

            /// Whether a bias is added.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// let model = Sequential::new([8, 8, 1]).add(Conv2d::new(4, 3).use_bias(false)).build(1)?;
            /// assert_eq!(model.count_params(), 36);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn use_bias(mut self, use_bias: bool) -> Self {
                self.use_bias = use_bias;
                self
            }

            /// How the kernel's first values are drawn.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// let model = Sequential::new([8, 8, 1]).add(Conv2d::new(4, 3).kernel_initializer(Initializer::Ones).name("conv")).build(1)?;
            /// assert_eq!(model.weight("conv", "kernel")?.sum(..).item(), 36.0);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn kernel_initializer(mut self, initializer: crate::nn::Initializer) -> Self {
                self.kernel_initializer = initializer;
                self
            }

            /// How the bias's first values are drawn.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// let model = Sequential::new([8, 8, 1]).add(Conv2d::new(4, 3).bias_initializer(Initializer::Ones).name("conv")).build(1)?;
            /// assert_eq!(model.weight("conv", "bias")?.to_vec(), [1.0; 4]);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn bias_initializer(mut self, initializer: crate::nn::Initializer) -> Self {
                self.bias_initializer = initializer;
                self
            }

            /// A penalty on the kernel.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// let layer = Dense::new(1).kernel_initializer(Initializer::Ones).kernel_regularizer(L2(0.01));
            /// let mut model = Sequential::new([3]).add(layer).build(1)?;
            /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
            /// let data = Dataset::new(Tensor::from([[1.0, 1.0, 1.0]]), Tensor::from([[3.0]]))?;
            /// // The prediction is right, so the loss is the penalty: 0.01 (1 + 1 + 1).
            /// assert!((model.evaluate(&data)?["loss"] - 0.03).abs() < 1e-6);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn kernel_regularizer(mut self, regularizer: crate::nn::Regularizer) -> Self {
                self.kernel_regularizer = Some(regularizer);
                self
            }

            /// A penalty on the bias.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// let layer = Dense::new(1).bias_initializer(Initializer::Ones).bias_regularizer(L1(0.02));
            /// let mut model = Sequential::new([3]).add(layer).build(1)?;
            /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
            /// let data = Dataset::new(Tensor::zeros([1, 3]), Tensor::from([[1.0]]))?;
            /// // The prediction is right, so the loss is the penalty.
            /// assert!((model.evaluate(&data)?["loss"] - 0.02).abs() < 1e-6);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn bias_regularizer(mut self, regularizer: crate::nn::Regularizer) -> Self {
                self.bias_regularizer = Some(regularizer);
                self
            }

            /// Whether training changes the weights. If not, their penalties do not count either.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// let model = Sequential::new([8, 8, 1]).add(Conv2d::new(4, 3).trainable(false)).build(1)?;
            /// assert!(model.summary().to_string().contains("Non-trainable params: 40"));
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn trainable(mut self, trainable: bool) -> Self {
                self.trainable = trainable;
                self
            }

            /// The layer's name in the model, in place of an automatic one.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// let model = Sequential::new([8, 8, 1]).add(Conv2d::new(4, 3).name("conv_1")).build(1)?;
            /// assert_eq!(model.get_layer("conv_1")?.class_name(), "Conv2D");
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.name = Some(name.into());
                self
            }

            fn check_regularizers(&self) -> Result<(), String> {
                let both = [self.kernel_regularizer, self.bias_regularizer];
                both.into_iter().flatten().try_for_each(crate::nn::Regularizer::check)
            }

            /// The weights: a kernel of this shape, and a bias if there is one.
            fn kernel_and_bias(
                &self,
                kernel: crate::tensor::Shape,
                outputs: usize,
            ) -> Vec<crate::nn::Weight> {
                let kernel = crate::nn::Weight::new("kernel", kernel, self.kernel_initializer)
                    .regularizer(self.kernel_regularizer);
                let bias = crate::nn::Weight::new("bias", [outputs], self.bias_initializer)
                    .regularizer(self.bias_regularizer);
                let bias = self.use_bias.then_some(bias);
                [Some(kernel), bias]
                    .into_iter()
                    .flatten()
                    .map(|weight| weight.trainable(self.trainable))
                    .collect()
            }
        }
    };
}
pub(super) use weighted_layer_options;
