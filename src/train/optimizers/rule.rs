//! The options of an optimizer, written once.

/// An optimizer's options as a table: each with its type, Keras's default and another value for an example. It makes the
/// structure, `new`, `Default`, a method for each option and for those that all optimizers have, and how options are read from
/// Keras's JSON and written to it. So these cannot disagree.
///
/// ```text
/// rule! {
///     /// What the optimizer does.
///     pub struct Name = "KerasClass";
///     learning_rate: 0.001, weight_decay: 0.004;
///     options {
///         /// What it is.
///         momentum: f64 = 0.9, 0.5;
///     }
/// }
/// ```
///
/// These are defaults, too. Without a `weight_decay`, weights do not decay; with one, a file must not say null.
macro_rules! rule {
    (
        $(#[$doc:meta])*
        pub struct $optimizer:ident = $class:literal;
        learning_rate: $rate:literal $(, weight_decay: $decay:literal)?;
        options { $(
            $(#[$option_doc:meta])*
            $option:ident: $type:ty = $default:expr, $value:expr;
        )* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $optimizer {
            pace: $crate::train::Pace,
            $($option: $type,)*
        }

        impl $optimizer {
            /// Keras's name of the class.
            pub(super) const CLASS: &'static str = $class;

            /// With Keras's defaults for all other options.
            ///
            /// ```
            /// use cinta::prelude::*;
            #[doc = concat!("assert_eq!(", stringify!($optimizer), "::new(", $rate, "), ", stringify!($optimizer), "::default());")]
            /// ```
            pub fn new(learning_rate: impl Into<$crate::train::LearningRate>) -> Self {
                let pace = $crate::train::Pace::new(learning_rate);
                $(let pace = pace.weight_decay($decay);)?
                $optimizer { pace, $($option: $default,)* }
            }

            $(
                $(#[$option_doc])*
                ///
                /// ```
                /// use cinta::prelude::*;
                #[doc = concat!("let optimizer = ", stringify!($optimizer), "::new(", $rate, ");")]
                #[doc = concat!("assert_ne!(optimizer.clone().", stringify!($option), "(", stringify!($value), "), optimizer);")]
                #[doc = concat!("assert_eq!(optimizer.clone().", stringify!($option), "(", stringify!($default), "), optimizer);")]
                /// ```
                pub fn $option(mut self, $option: $type) -> Self {
                    self.$option = $option;
                    self
                }
            )*

            /// Scales the gradient of each weight tensor so that its Euclidean norm is at most this.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// use cinta::Optimizer;
            #[doc = concat!("let optimizer = ", stringify!($optimizer), "::new(0.01).clipnorm(1.0);")]
            /// let pace = Optimizer::<f32>::pace(&optimizer);
            /// assert_eq!(pace, &pace.clone().clipnorm(1.0));
            /// ```
            pub fn clipnorm(mut self, clipnorm: f64) -> Self {
                self.pace = self.pace.clipnorm(clipnorm);
                self
            }

            /// Scales all gradients together so that their Euclidean norm, over all trainable weights, is at most this.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// use cinta::Optimizer;
            #[doc = concat!("let optimizer = ", stringify!($optimizer), "::new(0.01).global_clipnorm(1.0);")]
            /// let pace = Optimizer::<f32>::pace(&optimizer);
            /// assert_eq!(pace, &pace.clone().global_clipnorm(1.0));
            /// ```
            pub fn global_clipnorm(mut self, global_clipnorm: f64) -> Self {
                self.pace = self.pace.global_clipnorm(global_clipnorm);
                self
            }

            /// Clips every element of a gradient to `-clipvalue ..= clipvalue`.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// use cinta::Optimizer;
            #[doc = concat!("let optimizer = ", stringify!($optimizer), "::new(0.01).clipvalue(0.5);")]
            /// let pace = Optimizer::<f32>::pace(&optimizer);
            /// assert_eq!(pace, &pace.clone().clipvalue(0.5));
            /// ```
            pub fn clipvalue(mut self, clipvalue: f64) -> Self {
                self.pace = self.pace.clipvalue(clipvalue);
                self
            }

            /// Takes `weight_decay lr w` from every weight `w` before each step, whatever its gradient: biases too.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// use cinta::Optimizer;
            #[doc = concat!("let optimizer = ", stringify!($optimizer), "::new(0.01).weight_decay(0.01);")]
            /// let pace = Optimizer::<f32>::pace(&optimizer);
            /// assert_eq!(pace, &pace.clone().weight_decay(0.01));
            /// ```
            pub fn weight_decay(mut self, weight_decay: f64) -> Self {
                self.pace = self.pace.weight_decay(weight_decay);
                self
            }

            /// Reads the options that Keras wrote.
            pub(super) fn from_config(config: &$crate::config::Config) -> Result<Self, $crate::error::Reason> {
                let mut options = $crate::config::Options::new(config);
                #[allow(unused_mut)]
                let mut optimizer = Self::new($rate);
                optimizer.pace = $crate::train::Pace::from_options(&mut options, $rate)?;
                $(optimizer.pace = optimizer.pace.always_decaying($class, config, $decay)?;)?
                $(options.option(stringify!($option), &mut optimizer.$option)?;)*
                options.finish()?;
                Ok(optimizer)
            }

            /// The rule's own options as Keras writes them.
            fn options(&self) -> $crate::config::Config {
                #[allow(unused_imports)]
                use $crate::config::OptionValue;
                #[allow(unused_mut)]
                let mut config = $crate::config::Config::new();
                $(config.insert(stringify!($option), self.$option.write());)*
                config
            }

            /// The optimizer as Keras makes it, and with each option in turn.
            #[cfg(test)]
            pub(super) fn examples() -> Vec<Self> {
                let schedule = $crate::train::ExponentialDecay::new(0.1, 2, 0.5);
                vec![
                    Self::default(),
                    Self::new(schedule),
                    Self::new(0.125).clipnorm(1.0),
                    Self::new(0.125).global_clipnorm(2.0),
                    Self::new(0.125).clipvalue(0.5).weight_decay(0.25),
                    $(Self::new(0.125).$option($value),)*
                ]
            }
        }

        /// Keras's default.
        impl Default for $optimizer {
            fn default() -> Self {
                $optimizer::new($rate)
            }
        }
    };
}

/// The methods of [`Optimizer`](super::Optimizer) that a table answers.
macro_rules! described {
    () => {
        fn class_name(&self) -> &str {
            Self::CLASS
        }

        fn pace(&self) -> &$crate::train::Pace {
            &self.pace
        }

        fn config(&self) -> $crate::config::Config {
            self.options()
        }
    };
}

pub(super) use {described, rule};
