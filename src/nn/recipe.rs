//! The options of a layer, written once.

/// A layer's options as a table: each with its type, its default and an example. It makes the structure, `new`, a method for
/// each option, and how options are read from Keras's JSON and written to it. So these cannot disagree.
///
/// ```text
/// recipe! {
///     /// What the layer computes.
///     pub struct Name = "KerasClass";
///     /// What the arguments are.
///     new(units: usize, size: [usize; 2] as impl Pair, pair);
///     example [8, 8, 3] => Name::new(4, 3) => [6, 6, 4];
///     options {
///         /// What it does.
///         strides: [usize; 2] as impl Pair, pair = [1, 1], 2 => [3, 3, 4];
///         use_bias: bool = true, false;
///     }
///     formats data_format;
///     fixed { "renorm": false }
///     also { "alpha": negative_slope }
///     ignored ["seed"]
/// }
/// ```
///
/// `as impl Pair, pair` says what the method takes, and how that becomes the option. An example says what the method is given
/// and, where it differs from the layer's, the output's shape. `formats` is the option for where the channels are, which Keras
/// writes behind all others, or behind one that says `, before data_format`. `fixed` options are supported with this value alone (so is what follows
/// an option as `, then "padding": "valid"`, for Keras's order), and
/// `only` is the same for options that Keras does not write any more; `also` has older names of options; those that are `ignored` are of no consequence for what the layer computes. At the end there may be fields that files do not keep:
/// `unsaved { algorithm: Algorithm = Algorithm::default() }`. `trainable` and `name` are there always.
macro_rules! recipe {
    (
        $(#[$doc:meta])*
        pub struct $layer:ident = $class:literal;
        $(#[$new_doc:meta])*
        new($($argument:ident: $argument_type:ty $(as $given:ty, $convert:ident)?),*);
        example $input:tt => $made:expr => $output:tt;
        options { $(
            $(#[$option_doc:meta])*
            $option:ident: $type:ty $(as $from:ty, $how:ident)? = $default:expr, $value:expr $(=> $becomes:tt)?
            $(, then $after:literal: $after_value:tt)? $(, before $here:ident)?;
        )* }
        $(null [$($null:literal),*])?
        $(formats $format:ident;)?
        fixed { $($fixed:literal: $fixed_value:tt),* }
        $(only { $($only:literal: $only_value:tt),* })?
        $(also { $($older:literal: $newer:ident),* })?
        ignored [$($ignored:literal),*]
        $(unsaved { $($unsaved:ident: $unsaved_type:ty = $unsaved_default:expr),* })?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $layer {
            $($argument: $argument_type,)*
            $($option: $type,)*
            $($format: $crate::nn::DataFormat,)?
            $($($unsaved: $unsaved_type,)*)?
            trainable: bool,
            name: Option<String>,
        }

        $crate::nn::recipe::default!($layer, $($argument),*);

        impl $layer {
            /// Keras's name of the class.
            pub(crate) const CLASS: &'static str = $class;

            $(#[$new_doc])*
            ///
            /// ```
            /// use cinta::prelude::*;
            #[doc = concat!("let layer = ", stringify!($made), ";")]
            #[doc = $crate::nn::recipe::model!($input)]
            #[doc = concat!("assert_eq!(model.output_shape(), ", stringify!($output), ");")]
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn new($($argument: $crate::nn::recipe::parameter!($argument_type $(as $given)?)),*) -> Self {
                $($(let $argument: $argument_type = $argument.$convert();)?)*
                $(let $option: $type = $default;)*
                $layer {
                    $($argument,)*
                    $($option,)*
                    $($format: $crate::nn::DataFormat::ChannelsLast,)?
                    $($($unsaved: $unsaved_default,)*)?
                    trainable: true,
                    name: None,
                }
            }

            $(
                $(#[$option_doc])*
                ///
                /// ```
                /// use cinta::prelude::*;
                #[doc = concat!("let layer = ", stringify!($made), ".", stringify!($option), "(", stringify!($value), ");")]
                #[doc = $crate::nn::recipe::model!($input)]
                #[doc = concat!("assert_eq!(model.output_shape(), ", $crate::nn::recipe::last!($output $($becomes)?), ");")]
                /// # Ok::<(), cinta::Error>(())
                /// ```
                pub fn $option(mut self, $option: $crate::nn::recipe::parameter!($type $(as $from)?)) -> Self {
                    $(let $option: $type = $option.$how();)?
                    self.$option = $option;
                    self
                }
            )*

            $(
                /// Where the channels are.
                ///
                /// ```
                /// use cinta::prelude::*;
                #[doc = concat!("let layer = ", stringify!($made), ".data_format(DataFormat::ChannelsFirst);")]
                #[doc = concat!("let mut shape = ", stringify!($input), ";")]
                /// shape.rotate_right(1);
                /// let model = Sequential::new(shape).add(layer).build(0)?;
                /// assert!(model.to_json().contains("channels_first"));
                /// # Ok::<(), cinta::Error>(())
                /// ```
                pub fn $format(mut self, $format: $crate::nn::DataFormat) -> Self {
                    self.$format = $format;
                    self
                }
            )?

            /// Whether training changes what the layer has learnt. If not, the penalties on its weights do not count either.
            ///
            /// ```
            /// use cinta::prelude::*;
            #[doc = concat!("let layer = ", stringify!($made), ".trainable(false);")]
            #[doc = $crate::nn::recipe::model!($input)]
            /// assert!(model.summary().to_string().contains("Trainable params: 0"));
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
            #[doc = concat!("let layer = ", stringify!($made), ".name(\"mine\");")]
            #[doc = $crate::nn::recipe::model!($input)]
            #[doc = concat!("assert_eq!(model.get_layer(\"mine\")?.class_name(), \"", $class, "\");")]
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.name = Some(name.into());
                self
            }

            /// Reads the options that Keras wrote.
            pub(super) fn from_config(config: &$crate::config::Config) -> Result<Self, $crate::error::Reason> {
                let mut options = $crate::config::Options::new(config);
                $($(options.only($after, &$crate::config::json!($after_value))?;)?)*
                $(options.only($fixed, &$crate::config::json!($fixed_value))?;)*
                $($(options.only($only, &$crate::config::json!($only_value))?;)*)?
                options.ignore(&[$($ignored,)* $($($null,)*)?]);
                $(let $argument: $argument_type = options.required_option(stringify!($argument))?;)*
                #[allow(unused_mut)]
                let mut layer = Self::new($($argument),*);
                $(options.option(stringify!($option), &mut layer.$option)?;)*
                $(options.option(stringify!($format), &mut layer.$format)?;)?
                $($(options.option($older, &mut layer.$newer)?;)*)?
                options.option("trainable", &mut layer.trainable)?;
                options.finish()?;
                Ok(layer)
            }

            /// The options as Keras writes them.
            fn options(&self) -> $crate::config::Config {
                #[allow(unused_imports)]
                use $crate::config::OptionValue;
                let mut config = $crate::config::Config::new();
                config.insert("trainable", self.trainable);
                $(config.insert(stringify!($argument), self.$argument.write());)*
                $($(config.insert($null, $crate::config::Value::Null);)*)?
                $(
                    config.insert(stringify!($option), self.$option.write());
                    $(config.insert($after, $crate::config::json!($after_value));)?
                    $(config.insert(stringify!($here), self.$here.write());)?
                )*
                $(config.insert(stringify!($format), self.$format.write());)?
                $(config.insert($fixed, $crate::config::json!($fixed_value));)*
                config
            }

            /// The layer of the example, as it is and with each option in turn.
            #[cfg(test)]
            pub(super) fn examples() -> Vec<Self> {
                #[allow(unused_imports)]
                use $crate::kernels::{FillMode, Interpolation, Padding::*};
                #[allow(unused_imports)]
                use $crate::nn::{Constraint, Initializer, Regularizer::*, activations::*, layers::*};
                vec![
                    $made,
                    $made.trainable(false),
                    $($made.$option($value),)*
                    $($made.$format($crate::nn::DataFormat::ChannelsFirst),)?
                ]
            }

            /// The shapes of a sample of each input of the example.
            #[cfg(test)]
            pub(super) fn example_inputs() -> Vec<Vec<usize>> {
                $crate::nn::recipe::shapes!($input)
            }
        }
    };
}

/// `Default` for layers whose `new` takes nothing.
macro_rules! default {
    ($layer:ident,) => {
        impl Default for $layer {
            fn default() -> Self {
                Self::new()
            }
        }
    };
    ($layer:ident, $($argument:ident),+) => {};
}

/// What a method takes: the option's own type, or the other one.
macro_rules! parameter {
    ($type:ty as $given:ty) => {
        $given
    };
    ($type:ty) => {
        $type
    };
}

/// The model of an example: the layer alone, after an input of this shape or, `(.. twice)`, joining it with itself.
macro_rules! model {
    (($input:tt twice)) => {
        concat!(
            "let x = Input::new(",
            stringify!($input),
            ");\n",
            "let model = Model::new(&x, &layer.of([&x, &x])).build(0)?;"
        )
    };
    ($input:tt) => {
        concat!("let model = Sequential::new(", stringify!($input), ").add(layer).build(0)?;")
    };
}

/// The shapes of the inputs of an example.
#[cfg(test)]
macro_rules! shapes {
    (($input:tt twice)) => {
        vec![$input.to_vec(); 2]
    };
    ($input:tt) => {
        vec![$input.to_vec()]
    };
}

/// The last of one or two shapes, as text.
macro_rules! last {
    ($first:tt) => {
        stringify!($first)
    };
    ($first:tt $second:tt) => {
        stringify!($second)
    };
}

/// The methods of [`Layer`](super::Layer) and [`MultiLayer`](super::MultiLayer) that a recipe answers. An option that Keras does not write
/// with its usual value is named as `without "trainable": true`; there may be several.
macro_rules! described {
    ($(without $($option:literal: $usual:tt),*)?) => {
        fn class_name(&self) -> &str {
            Self::CLASS
        }

        fn name(&self) -> Option<&str> {
            self.name.as_deref()
        }

        fn config(&self) -> $crate::config::Config {
            #[allow(unused_mut)]
            let mut config = self.options();
            $($(if config.get($option) == Some(&$crate::config::json!($usual)) {
                config.remove($option);
            })*)?
            config
        }

        fn trainable(&self) -> bool {
            self.trainable
        }
    };
}

/// The method of [`Layer`](super::Layer) for the option of `formats`.
macro_rules! formatted {
    ($format:ident) => {
        fn data_format(&self) -> $crate::nn::DataFormat {
            self.$format
        }
    };
}

#[cfg(test)]
pub(super) use shapes;
pub(super) use {default, described, formatted, last, model, parameter, recipe};
