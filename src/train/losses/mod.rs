//! Losses: a value for each sample, whose mean training minimises.

mod binary;
mod categorical;
mod crossentropy;
mod hinge;
mod kl_divergence;
mod log_cosh;
mod poisson;
mod regression;
mod relative;

use super::checks::shapes_differ;
use super::metrics::{self, Metric, loss_as_metric};
use crate::autograd::Var;
use crate::config::{Config, Options, Value, as_config, json, keras_object, object};
use crate::error::Reason;
use crate::nn::Activation;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use std::sync::Arc;

/// What training minimises: the mean over the batch of a value for each sample, to which the model
/// adds its layers' penalties.
///
/// ```
/// use cinta::{Loss, Shape, Tensor, Var};
///
/// /// The root of the mean of squared differences.
/// struct Distance;
///
/// impl Loss<f32> for Distance {
///     fn name(&self) -> &str {
///         "distance"
///     }
///     fn per_sample<'t>(&self, targets: &Tensor<f32>, predictions: &Var<'t, f32>) -> Var<'t, f32> {
///         (predictions.mean_squared_error(targets) + 1e-12).sqrt()
///     }
/// }
///
/// let (y, p) = (Tensor::from([[0.0, 0.0]]), Var::constant(Tensor::from([[1.0, 7.0]])));
/// assert_eq!(Distance.per_sample(&y, &p).value().to_vec(), [5.0]);
/// ```
///
/// The crate's losses are [metrics](crate::Metric) as well: their mean over the samples, without penalties.
pub trait Loss<T: Scalar>: Send + Sync {
    /// Keras's name.
    fn name(&self) -> &str;

    /// The loss of every sample: `[n, ..]` gives `[n]`.
    fn per_sample<'t>(&self, targets: &Tensor<T>, predictions: &Var<'t, T>) -> Var<'t, T>;

    /// The loss of every sample, from what went into a final softmax or sigmoid; `None` if this loss wants what came out.
    fn per_sample_from_logits<'t>(
        &self,
        targets: &Tensor<T>,
        logits: &Var<'t, T>,
        activation: Activation,
    ) -> Option<Var<'t, T>> {
        let _ = (targets, logits, activation);
        None
    }

    /// Checks targets of a data set, `[n, ..]`, against a model whose outputs have this shape.
    ///
    /// # Errors
    /// A sentence that says what does not fit and what would.
    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        same_shape(targets, output)
    }

    /// The object that goes into files. By default the name alone.
    fn config(&self) -> Value {
        json!(self.name())
    }
}

fn same_shape<T: Scalar>(targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
    let sample = targets.shape().sample();
    if sample == output {
        return Ok(());
    }
    let hint = match (&*sample, &*output) {
        ([], [1]) => "; reshape the targets to [n, 1]".to_owned(),
        ([] | [1], [classes]) => format!(
            "; class numbers need SparseCategoricalCrossentropy, or one_hot(&labels, {classes})"
        ),
        _ => String::new(),
    };
    Err((shapes_differ(sample, output) + &hint).into())
}

/// [`same_shape`], with an axis along which a loss is computed.
fn same_shape_with_axis<T: Scalar>(targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
    if output.is_empty() {
        return Err("the outputs of the model have no axis".into());
    }
    same_shape(targets, output)
}

/// The mean over all axes but the first.
fn over_samples<'t, T: Scalar>(loss: &Var<'t, T>) -> Var<'t, T> {
    match loss.shape().rank() {
        1 => loss.clone(),
        rank => loss.mean(&(1..rank).collect::<Vec<_>>()[..]),
    }
}

/// The object that Keras writes for a loss with options of its own.
fn keras_loss(class_name: &str, name: &str, own: Config) -> Value {
    let mut config = as_config(json!({ "name": name, "reduction": "sum_over_batch_size" }));
    config.extend(own);
    keras_object("keras.losses", class_name, Value::Object(config))
}

/// A loss as a compilation holds it. Those of the crate are made here alone, so that all their methods are compiled in it.
#[inline(never)]
pub(super) fn shared<T: Scalar>(loss: impl Loss<T> + 'static) -> Arc<dyn Loss<T>> {
    Arc::new(loss)
}

/// What each of the crate's losses is.
pub(super) trait LossAndMetric<T: Scalar> {
    fn into_loss(self: Box<Self>) -> Arc<dyn Loss<T>>;
    fn into_metric(self: Box<Self>) -> Arc<dyn Metric<T>>;
}

impl<T: Scalar, L: Loss<T> + Metric<T> + 'static> LossAndMetric<T> for L {
    fn into_loss(self: Box<Self>) -> Arc<dyn Loss<T>> {
        shared(*self)
    }

    fn into_metric(self: Box<Self>) -> Arc<dyn Metric<T>> {
        metrics::shared(*self)
    }
}

/// The table of losses, each with the file that it is in and the names by which Keras knows it beside that of its class. All of them
/// are metrics as well.
macro_rules! losses {
    ($($file:ident: $loss:ident $($name:literal)*;)*) => {
        /// The losses, as Keras's `keras.losses`; all of them are in the prelude.
        pub mod all {
            $(pub use super::$file::$loss;)*
        }

        /// The names of their classes.
        pub(super) const CLASSES: &[&str] = &[$(all::$loss::CLASS),*];

        $(loss_as_metric!(all::$loss);)*

        /// Makes one of them from its options: `None` for another name.
        fn make<T: Scalar>(
            name: &str,
            options: &mut Options<'_>,
        ) -> Option<Result<Box<dyn LossAndMetric<T>>, Reason>> {
            $(if name == all::$loss::CLASS || [$($name),*].contains(&name) {
                return Some(match all::$loss::from_options(options) {
                    Ok(loss) => Ok(Box::new(loss)),
                    Err(reason) => Err(reason),
                });
            })*
            None
        }

        /// Every option of every loss is written as it is read.
        #[test]
        fn options_come_back() {
            $(for loss in all::$loss::examples() {
                tests::comes_back(&loss, all::$loss::CLASS, &[$($name),*]);
            })*
        }
    };
}

losses! {
    binary: BinaryCrossentropy "binary_crossentropy" "bce" "BCE";
    categorical: CategoricalCrossentropy "categorical_crossentropy";
    categorical: SparseCategoricalCrossentropy "sparse_categorical_crossentropy";
    hinge: CategoricalHinge "categorical_hinge";
    hinge: Hinge "hinge";
    hinge: SquaredHinge "squared_hinge";
    kl_divergence: KlDivergence "kl_divergence" "kld" "KLD" "kullback_leibler_divergence";
    log_cosh: LogCosh "log_cosh" "logcosh" "LogCoshError";
    poisson: Poisson "poisson";
    regression: Huber "huber";
    regression: MeanAbsoluteError "mean_absolute_error" "mae" "MAE";
    regression: MeanSquaredError "mean_squared_error" "mse" "MSE";
    relative: MeanAbsolutePercentageError "mean_absolute_percentage_error" "mape" "MAPE";
    relative: MeanSquaredLogarithmicError "mean_squared_logarithmic_error" "msle" "MSLE";
}

/// Makes a loss from what a file says; `role` is "loss" or "metric".
pub(super) fn from_config<T: Scalar>(
    value: &Value,
    role: &str,
) -> Result<Box<dyn LossAndMetric<T>>, Reason> {
    let (class_name, config) = object(value)?;
    let mut options = Options::new(&config);
    options.ignore(&["name", "dtype"]);
    options.only("reduction", &json!("sum_over_batch_size"))?;
    let loss = make(class_name, &mut options).unwrap_or_else(|| {
        Err(format!("the {role} {class_name} is not known; others can be added to a Registry")
            .into())
    })?;
    options.finish()?;
    Ok(loss)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &Value) -> Result<Arc<dyn Loss<f64>>, Reason> {
        Ok(from_config(value, "loss")?.into_loss())
    }

    /// Writes a loss and reads it again, under each of its names.
    pub(super) fn comes_back(loss: &dyn Loss<f64>, class_name: &str, names: &[&str]) {
        let written = loss.config();
        let back = read(&written).unwrap();
        assert_eq!(back.config().to_string(), written.to_string());
        assert_eq!(back.name(), loss.name());
        for alias in names.iter().chain([&class_name]) {
            assert_eq!(read(&json!(alias)).unwrap().name(), loss.name());
        }
    }

    /// What other options of a loss look like, of which Keras's tests know.
    #[test]
    fn options_are_written_where_they_are_not_the_usual_ones() {
        let loss: &dyn Loss<f64> = &all::CategoricalCrossentropy::new().label_smoothing(0.25);
        let expected = json!({
            "name": "categorical_crossentropy", "reduction": "sum_over_batch_size",
            "from_logits": false, "label_smoothing": 0.25, "axis": -1,
        });
        assert_eq!(loss.config()["config"].to_string(), expected.to_string());
        let loss: &dyn Loss<f64> = &all::CategoricalCrossentropy::new();
        assert_eq!(loss.config(), "categorical_crossentropy");
    }

    #[test]
    fn what_is_not_supported_is_an_error() {
        let read = |class_name: &str, config: Value| {
            let Err(error) = read(&json!({ "class_name": class_name, "config": config })) else {
                panic!("{class_name} was read")
            };
            error
        };
        assert_eq!(
            read("MeanSquaredError", json!({ "reduction": "sum" })),
            "the option reduction = \"sum\" is not supported; only \"sum_over_batch_size\" is supported"
        );
        assert_eq!(
            read("SparseCategoricalCrossentropy", json!({ "ignore_class": 3 })),
            "the option ignore_class = 3 is not supported; leave it out"
        );
        assert_eq!(read("Huber", json!({ "delta": 0.0 })), "delta is 0; it is finite and above 0");
        assert_eq!(
            read("no_such_thing", json!({})),
            "the loss no_such_thing is not known; others can be added to a Registry"
        );
    }
}
