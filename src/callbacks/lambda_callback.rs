//! A callback from functions.

use crate::error::Result;
use crate::model::{Callback, FitParams, Model, Scores};
use crate::scalar::Scalar;
use std::fmt;

/// Declares the hooks with the types of what each is told before the model.
macro_rules! hooks {
    ($($hook:ident($($argument:ident: $told:ty),*);)*) => {
        /// A [`Callback`] made of functions, one for each hook that is wanted: Keras's `LambdaCallback`. They get what the
        /// hook gets.
        ///
        /// ```
        /// use cinta::prelude::*;
        /// let data = Dataset::new(Tensor::from([[0.0], [1.0]]), Tensor::from([[1.0], [3.0]]))?;
        /// let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
        /// model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
        ///
        /// let mut losses = Vec::new();
        /// let mut collect = LambdaCallback::new().on_epoch_end(|_epoch, logs, model| {
        ///     losses.push(logs["loss"]);
        ///     model.stop_training = logs["loss"] < 0.01;
        ///     Ok(())
        /// });
        /// let callbacks: &mut [&mut dyn Callback] = &mut [&mut collect];
        /// model.fit(&data, Fit { epochs: 1000, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
        /// drop(collect);
        /// assert!(losses.len() < 1000);
        /// # Ok::<(), cinta::Error>(())
        /// ```
        pub struct LambdaCallback<'a, T: Scalar = f32> {
            $($hook: Option<Box<dyn FnMut($($told,)* &mut Model<T>) -> Result<()> + 'a>>,)*
        }

        impl<'a, T: Scalar> LambdaCallback<'a, T> {
            /// A callback without functions, which does nothing.
            ///
            /// ```
            /// use cinta::prelude::*;
            /// # let data = Dataset::new(Tensor::from([[0.0], [1.0]]), Tensor::from([[1.0], [3.0]]))?;
            /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
            /// # model.compile(Compile::new(Sgd::new(0.1), MeanSquaredError));
            /// let mut same = model.clone();
            /// let fit = || Fit { epochs: 3, verbose: Verbose::Silent, ..Fit::default() };
            /// let history = model.fit(&data, fit())?;
            /// let mut nothing = LambdaCallback::new();
            /// assert_eq!(same.fit(&data, Fit { callbacks: &mut [&mut nothing], ..fit() })?, history);
            /// # Ok::<(), cinta::Error>(())
            /// ```
            pub fn new() -> Self {
                LambdaCallback { $($hook: None,)* }
            }

            $(
                #[doc = concat!("Chooses what [`Callback::", stringify!($hook), "`] does.")]
                pub fn $hook(
                    mut self,
                    hook: impl FnMut($($told,)* &mut Model<T>) -> Result<()> + 'a,
                ) -> Self {
                    self.$hook = Some(Box::new(hook));
                    self
                }
            )*
        }

        impl<T: Scalar> Callback<T> for LambdaCallback<'_, T> {
            $(
                fn $hook(&mut self, $($argument: $told,)* model: &mut Model<T>) -> Result<()> {
                    self.$hook.as_mut().map_or(Ok(()), |hook| hook($($argument,)* model))
                }
            )*
        }

        impl<T: Scalar> fmt::Debug for LambdaCallback<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("LambdaCallback")
                    $(.field(stringify!($hook), &self.$hook.is_some()))*
                    .finish()
            }
        }
    };
}

hooks! {
    on_train_begin(params: &FitParams);
    on_train_end(logs: &Scores);
    on_epoch_begin(epoch: usize);
    on_epoch_end(epoch: usize, logs: &mut Scores);
    on_train_batch_begin(batch: usize);
    on_train_batch_end(batch: usize, logs: &Scores);
    on_test_begin();
    on_test_end(logs: &Scores);
}

impl<T: Scalar> Default for LambdaCallback<'_, T> {
    fn default() -> Self {
        Self::new()
    }
}
