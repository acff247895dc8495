//! The options that all layers with a kernel and a bias share.

/// The builder methods for a layer's activation, bias, initializers, penalties, `trainable` and name.
macro_rules! weighted_layer_options {
    ($layer:ident) => {
        impl $layer {
            /// The function applied to the output.
            pub fn activation(mut self, activation: crate::nn::Activation) -> Self {
                self.activation = activation;
                self
            }

            /// Whether a bias is added.
            pub fn use_bias(mut self, use_bias: bool) -> Self {
                self.use_bias = use_bias;
                self
            }

            /// How the kernel's first values are drawn.
            pub fn kernel_initializer(mut self, initializer: crate::nn::Initializer) -> Self {
                self.kernel_initializer = initializer;
                self
            }

            /// How the bias's first values are drawn.
            pub fn bias_initializer(mut self, initializer: crate::nn::Initializer) -> Self {
                self.bias_initializer = initializer;
                self
            }

            /// A penalty on the kernel.
            pub fn kernel_regularizer(mut self, regularizer: crate::nn::Regularizer) -> Self {
                self.kernel_regularizer = Some(regularizer);
                self
            }

            /// A penalty on the bias.
            pub fn bias_regularizer(mut self, regularizer: crate::nn::Regularizer) -> Self {
                self.bias_regularizer = Some(regularizer);
                self
            }

            /// Whether training changes the weights. If not, their penalties do not count either.
            pub fn trainable(mut self, trainable: bool) -> Self {
                self.trainable = trainable;
                self
            }

            /// The layer's name in the model, in place of an automatic one.
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
