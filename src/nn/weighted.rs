//! The options that all layers with a kernel and a bias share.

/// A [`recipe`](super::recipe) with the options for activation, bias, initializers, penalties and constraints.
macro_rules! weighted_recipe {
    (
        $(#[$doc:meta])*
        pub struct $layer:ident = $class:literal;
        $(#[$new_doc:meta])*
        new($($arguments:tt)*);
        example $input:tt => $made:expr => $output:tt;
        options { $($options:tt)* }
        $(formats $format:ident;)?
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
                activation: $crate::nn::Activation as impl Into<$crate::nn::Activation>, into = $crate::nn::Activation::Linear, Relu;
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
                /// A penalty on the output, summed over a sample; the loss gets the mean over the batch.
                activity_regularizer: Option<$crate::nn::Regularizer> as $crate::nn::Regularizer, into = None, L2(0.03);
                /// What the kernel is kept within.
                kernel_constraint: Option<$crate::nn::Constraint> as $crate::nn::Constraint, into = None, Constraint::max_norm(2.0);
                /// What the bias is kept within.
                bias_constraint: Option<$crate::nn::Constraint> as $crate::nn::Constraint, into = None, Constraint::NonNeg;
            }
            $(formats $format;)?
            fixed { $($fixed)* }
            ignored [$($ignored),*]
            $(unsaved $unsaved)?
        }

        impl $layer {
            fn check_regularizers(&self) -> Result<(), $crate::error::Reason> {
                let all = [self.kernel_regularizer, self.bias_regularizer, self.activity_regularizer];
                all.into_iter().flatten().try_for_each($crate::nn::Regularizer::check)
            }

            /// The weights: a kernel of this shape, and a bias if there is one.
            fn kernel_and_bias(
                &self,
                kernel: $crate::tensor::Shape,
                outputs: usize,
            ) -> Vec<$crate::nn::Weight> {
                let kernel = $crate::nn::Weight::new("kernel", kernel, self.kernel_initializer)
                    .regularizer(self.kernel_regularizer)
                    .constraint(self.kernel_constraint.clone());
                let bias = $crate::nn::Weight::new("bias", [outputs], self.bias_initializer)
                    .regularizer(self.bias_regularizer)
                    .constraint(self.bias_constraint.clone());
                let bias = self.use_bias.then_some(bias);
                [Some(kernel), bias].into_iter().flatten().collect()
            }
        }
    };
}

/// The method of [`Layer`](super::Layer) for the penalty on the output.
macro_rules! regularized {
    () => {
        fn activity_regularizer(&self) -> Option<$crate::nn::Regularizer> {
            self.activity_regularizer
        }
    };
}

pub(super) use {regularized, weighted_recipe};
