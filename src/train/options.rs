//! The options of a loss or a metric, written once.

/// Options as a table: each with its type, Keras's default and another value for a test. It makes the structure, `Default`, and how
/// options are read from Keras's JSON and written to it. A method of a builder sets a field, so that it cannot disagree with either.
///
/// ```text
/// options! {
///     /// What the metric says.
///     #[derive(Clone, Copy, Debug)]
///     pub struct Name = "KerasClass";
///     options {
///         threshold: f64 = 0.5, 0.25;
///     }
///     fixed { "multi_label": false, "class_id": null }
///     own { from_probabilities: bool = false, true; }
///     checked check_threshold
/// }
/// ```
///
/// Options that are `fixed` are written like this, in Keras's order behind the others, and supported with these values alone. Keras does not know
/// those of our `own`: they are written where they have another value than the default. What is read is `checked` by a method.
macro_rules! options {
    (
        $(#[$meta:meta])*
        $visible:vis struct $name:ident $(= $class:literal)?;
        options { $($option:ident: $type:ty = $default:expr, $value:expr;)* }
        $(fixed { $($fixed:literal: $fixed_value:tt),* })?
        $(own { $($own:ident: $own_type:ty = $own_default:expr, $own_value:expr;)* })?
        $(checked $check:ident)?
    ) => {
        $(#[$meta])*
        #[derive(PartialEq)]
        $visible struct $name {
            $($option: $type,)*
            $($($own: $own_type,)*)?
        }

        /// Keras's defaults.
        impl Default for $name {
            fn default() -> Self {
                $name { $($option: $default,)* $($($own: $own_default,)*)? }
            }
        }

        impl $name {
            $(
                /// Keras's name of the class.
                pub(in crate::train) const CLASS: &'static str = $class;
            )?

            /// Takes its options from those of a file.
            pub(in crate::train) fn from_options(
                options: &mut $crate::config::Options<'_>,
            ) -> Result<Self, $crate::error::Reason> {
                $($(if $crate::config::json!($fixed_value) != $crate::config::Value::Null {
                    options.only($fixed, &$crate::config::json!($fixed_value))?;
                })*)?
                let mut read = Self::default();
                $(options.option(stringify!($option), &mut read.$option)?;)*
                $($(options.option(stringify!($own), &mut read.$own)?;)*)?
                $(read.$check()?;)?
                Ok(read)
            }

            /// The options as Keras writes them; `None` where all have their defaults.
            fn options(&self) -> Option<$crate::config::Config> {
                use $crate::config::OptionValue;
                let default = Self::default();
                if *self == default {
                    return None;
                }
                let mut config = $crate::config::Config::new();
                $(config.insert(stringify!($option), self.$option.write());)*
                $($(config.insert($fixed, $crate::config::json!($fixed_value));)*)?
                $($(if self.$own != default.$own {
                    config.insert(stringify!($own), self.$own.write());
                })*)?
                Some(config)
            }

            /// With the defaults, and with another value of each option in turn.
            #[cfg(test)]
            #[allow(clippy::needless_update)] // where there is only one
            pub(in crate::train) fn examples() -> Vec<Self> {
                vec![
                    Self::default(),
                    $(Self { $option: $value, ..Self::default() },)*
                    $($(Self { $own: $own_value, ..Self::default() },)*)?
                ]
            }
        }
    };
}

/// The same for what has no options, and is a value itself.
macro_rules! no_options {
    ($name:ident = $class:literal) => {
        impl $name {
            /// Keras's name of the class.
            pub(in crate::train) const CLASS: &'static str = $class;

            pub(in crate::train) fn from_options(
                _: &mut $crate::config::Options<'_>,
            ) -> Result<Self, $crate::error::Reason> {
                Ok($name)
            }

            #[cfg(test)]
            pub(in crate::train) fn examples() -> Vec<Self> {
                vec![$name]
            }
        }
    };
}

pub(super) use {no_options, options};
