//! The options that all layers with a kernel and a bias share.

/// A [`recipe`](super::recipe) with the options for activation, bias, initializers and penalties.
macro_rules! weighted_recipe {
    (
        $(#[$doc:meta])*
        pub struct $layer:ident = $class:literal;
        $(#[$new_doc:meta])*
        new($($arguments:tt)*);
        example $input:tt => $made:expr => $output:tt;
        options { $($options:tt)* }
        fixed { $($fixed:tt)* }
        ignored [$($ignored:literal),*]
        $(unsaved $unsaved:tt)?
    ) => {
        $crate::nn::recipe::recipe! {
            $(#[$doc])*
            pub struct $layer = $class;
            $(#[$new_doc])*
            new($($arguments)*);
            example $input => $made => $output;
            options {
                $($options)*
                /// The function applied to the output.
                activation: $crate::nn::Activation = $crate::nn::Activation::Linear, Relu;
                /// Whether a bias is added.
                use_bias: bool = true, false;
                /// How the kernel's first values are drawn.
                kernel_initializer: $crate::nn::Initializer = $crate::nn::Initializer::GlorotUniform, Initializer::Ones;
                /// How the bias's first values are drawn.
                bias_initializer: $crate::nn::Initializer = $crate::nn::Initializer::Zeros, Initializer::Ones;
                /// A penalty on the kernel.
                kernel_regularizer: Option<$crate::nn::Regularizer> as $crate::nn::Regularizer, into = None, L2(0.01);
                /// A penalty on the bias.
                bias_regularizer: Option<$crate::nn::Regularizer> as $crate::nn::Regularizer, into = None, L1(0.02);
            }
            fixed { $($fixed)* }
            ignored [$($ignored),*]
            $(unsaved $unsaved)?
        }

        impl $layer {
            fn check_regularizers(&self) -> Result<(), String> {
                let both = [self.kernel_regularizer, self.bias_regularizer];
                both.into_iter().flatten().try_for_each($crate::nn::Regularizer::check)
            }

            /// The weights: a kernel of this shape, and a bias if there is one.
            fn kernel_and_bias(
                &self,
                kernel: $crate::tensor::Shape,
                outputs: usize,
            ) -> Vec<$crate::nn::Weight> {
                let kernel = $crate::nn::Weight::new("kernel", kernel, self.kernel_initializer)
                    .regularizer(self.kernel_regularizer);
                let bias = $crate::nn::Weight::new("bias", [outputs], self.bias_initializer)
                    .regularizer(self.bias_regularizer);
                let bias = self.use_bias.then_some(bias);
                [Some(kernel), bias].into_iter().flatten().collect()
            }
        }
    };
}
pub(super) use weighted_recipe;
