//! How often something is right or wrong, in one of four ways.

use super::confusion::{Threshold, counts};
use super::{Direction, Metric, keras_metric, same_shape};
use crate::config::{Value, json};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::checks::between_0_and_1;
use crate::train::options::options;

/// A metric that counts: its class by Keras's name, how it is called, which values are good, and the count of true positives, positive targets,
/// positive predictions and all outputs.
macro_rules! outcome {
    ($(#[$doc:meta])* $metric:ident, $class_name:literal, $name:literal, $direction:ident, $example:literal, $count:expr) => {
        options! {
            $(#[$doc])*
            ///
            /// Targets other than 0 are positive, and so are outputs above the threshold; each output of a sample counts.
            ///
            /// ```
            #[doc = concat!("use cinta::{", stringify!($metric), ", Metric, Tensor};")]
            /// let targets = Tensor::from([[1.0], [0.0], [1.0], [1.0], [0.0], [0.0], [0.0]]);
            /// let predictions = Tensor::from([[0.9], [0.8], [0.7], [0.1], [0.2], [0.3], [0.4]]);
            #[doc = concat!("let metric = ", stringify!($metric), "::new();")]
            #[doc = concat!("assert_eq!(Metric::<f64>::result(&metric, &metric.state(&targets, &predictions)), ", $example, ");")]
            /// ```
            #[derive(Clone, Copy, Debug)]
            pub struct $metric = $class_name;
            options {
                thresholds: Threshold = Threshold(0.5), Threshold(0.25);
            }
        }

        impl $metric {
            /// With the threshold 0.5.
            ///
            /// ```
            #[doc = concat!("use cinta::", stringify!($metric), ";")]
            #[doc = concat!("assert_eq!(", stringify!($metric), "::new(), ", stringify!($metric), "::new().threshold(0.5));")]
            /// ```
            pub fn new() -> Self {
                Self::default()
            }

            /// What a positive prediction must exceed, between 0 and 1.
            ///
            /// ```
            #[doc = concat!("use cinta::", stringify!($metric), ";")]
            #[doc = concat!("assert_ne!(", stringify!($metric), "::new(), ", stringify!($metric), "::new().threshold(0.25));")]
            /// ```
            pub fn threshold(mut self, threshold: f64) -> Self {
                self.thresholds = Threshold(threshold);
                self
            }
        }

        impl<T: Scalar> Metric<T> for $metric {
            fn name(&self) -> &str {
                $name
            }

            fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
                let [found, wanted, positive] = counts(targets, predictions, self.thresholds.0);
                let count: fn([f64; 4]) -> f64 = $count;
                vec![count([found, wanted, positive, targets.len() as f64])]
            }

            fn result(&self, state: &[f64]) -> f64 {
                state[0]
            }

            fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
                between_0_and_1("threshold", self.thresholds.0)?;
                same_shape(targets, output)
            }

            fn direction(&self) -> Option<Direction> {
                Some(Direction::$direction)
            }

            fn config(&self) -> Value {
                let name = Metric::<T>::name(self);
                self.options().map_or(json!(name), |own| keras_metric::<T>(Self::CLASS, name, own))
            }
        }
    };
}

outcome!(
    /// How many positive targets are predicted so.
    TruePositives, "TruePositives", "true_positives", Max, "2.0", |[found, ..]| found
);
outcome!(
    /// How many other targets are predicted as positive.
    FalsePositives, "FalsePositives", "false_positives", Min, "1.0", |[found, _, positive, _]| positive - found
);
outcome!(
    /// How many other targets are predicted so.
    TrueNegatives, "TrueNegatives", "true_negatives", Max, "3.0",
    |[found, wanted, positive, all]| all - wanted - positive + found
);
outcome!(
    /// How many positive targets are not predicted so.
    FalseNegatives, "FalseNegatives", "false_negatives", Min, "1.0", |[found, wanted, ..]| wanted - found
);
