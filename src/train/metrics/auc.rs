//! The area under a curve that thresholds draw.

use super::{Direction, Metric, keras_metric, ratio, same_shape};
use crate::config::{OptionValue, Value, json};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::options::options;

/// What an [`Auc`] is the area under, as the threshold moves from 1 to 0.
///
/// ```
/// use cinta::{Auc, Curve};
/// assert_ne!(Auc::new().curve(Curve::Pr), Auc::new());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Curve {
    /// Recall against the fraction of negative targets above the threshold (receiver operating characteristic).
    #[default]
    Roc,
    /// Precision against recall.
    Pr,
}

/// More thresholds than this are a mistake.
const MOST_THRESHOLDS: usize = 1_000_000;

impl OptionValue for Curve {
    fn read(value: &Value) -> Result<Self, Reason> {
        match value.as_str() {
            Some("ROC" | "roc") => Ok(Curve::Roc),
            Some("PR" | "pr") => Ok(Curve::Pr),
            _ => Err(format!(" = {value} is neither \"ROC\" nor \"PR\"").into()),
        }
    }

    fn write(&self) -> Value {
        json!(match self {
            Curve::Roc => "ROC",
            Curve::Pr => "PR",
        })
    }
}

options! {
    /// The area under a curve of all thresholds, as Keras computes it: from counts at `num_thresholds` thresholds at equal
    /// distances from 0 to 1. The ROC curve is drawn with straight lines between them; below the curve of precision and recall,
    /// precision is interpolated as Davis and Goadrich (2006) do.
    ///
    /// Predictions are probabilities. Targets other than 0 are positive; each output of a sample counts.
    ///
    /// ```
    /// use cinta::{Auc, Metric, Tensor};
    /// let (targets, predictions) = (Tensor::from([[0.0], [1.0], [1.0]]), Tensor::from([[0.5], [0.3], [0.9]]));
    /// let state = Auc::new().state(&targets, &predictions);
    /// // One of two pairs of a positive and a negative target is in the right order.
    /// assert!((Metric::<f64>::result(&Auc::new(), &state) - 0.5).abs() < 1e-12);
    /// ```
    #[derive(Clone, Copy, Debug)]
    pub struct Auc = "AUC";
    options {
        num_thresholds: usize = 200, 50;
        curve: Curve = Curve::Roc, Curve::Pr;
    }
    fixed {
        "summation_method": "interpolation", "multi_label": false, "num_labels": null,
        "label_weights": null, "from_logits": false
    }
    checked check_thresholds
}

impl Auc {
    /// Under the ROC curve, with 200 thresholds.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::Curve;
    /// assert_eq!(Auc::new(), Auc::new().num_thresholds(200).curve(Curve::Roc));
    /// assert_ne!(Auc::new(), Auc::new().curve(Curve::Pr));
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The curve.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// use cinta::{Curve, Named};
    /// let mut model = Sequential::new([1]).add(Dense::new(1).activation(Sigmoid)).build(0)?;
    /// model.set_weights(&[Tensor::ones([1, 1]), Tensor::zeros([1])])?;
    /// model.compile(
    ///     Compile::new(Adam::default(), BinaryCrossentropy::new())
    ///         .metric(Auc::new())
    ///         .metric(Named::new("auc_pr", Auc::new().curve(Curve::Pr))),
    /// );
    /// // All three negative samples come before the positive one, or after it.
    /// let inputs = Tensor::from([[-3.0], [-2.0], [-1.0], [1.0]]);
    /// let data = Dataset::new(inputs.clone(), Tensor::from([[0.0], [0.0], [0.0], [1.0]]))?;
    /// let scores = model.evaluate(&data)?;
    /// assert!((scores["auc"] - 1.0).abs() < 1e-6 && (scores["auc_pr"] - 1.0).abs() < 1e-6);
    /// let data = Dataset::new(-inputs, Tensor::from([[0.0], [0.0], [0.0], [1.0]]))?;
    /// let scores = model.evaluate(&data)?;
    /// assert!(scores["auc"] < 1e-6 && scores["auc_pr"] > 0.05);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn curve(mut self, curve: Curve) -> Self {
        self.curve = curve;
        self
    }

    /// The number of thresholds, from 2 to a million.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// assert_eq!(Auc::new().num_thresholds(200), Auc::new());
    /// assert_ne!(Auc::new().num_thresholds(100), Auc::new());
    /// ```
    pub fn num_thresholds(mut self, num_thresholds: usize) -> Self {
        self.num_thresholds = num_thresholds;
        self
    }
}

impl Auc {
    fn check_thresholds(&self) -> Result<(), Reason> {
        if self.num_thresholds < 2 {
            return Err(
                format!("num_thresholds is {}; it is at least 2", self.num_thresholds).into()
            );
        }
        if self.num_thresholds > MOST_THRESHOLDS {
            return Err(format!(
                "num_thresholds is {}; it is at most a million",
                self.num_thresholds
            )
            .into());
        }
        Ok(())
    }
}

impl<T: Scalar> Metric<T> for Auc {
    fn name(&self) -> &str {
        "auc"
    }

    /// Histograms of the positive and of the negative targets over the intervals between thresholds.
    fn state(&self, targets: &Tensor<T>, predictions: &Tensor<T>) -> Vec<f64> {
        let mut histograms = vec![0.0; 2 * self.num_thresholds];
        let (positive, negative) = histograms.split_at_mut(self.num_thresholds);
        let intervals = T::lit((self.num_thresholds - 1) as f64);
        for (y, p) in targets.iter().zip(predictions.iter()) {
            // In the interval (i, i + 1] / intervals, and in the first if not above 0. What is not a number, too.
            let above = ((p * intervals).ceil().widen() - 1.0).clamp(0.0, intervals.widen() - 1.0);
            let histogram = if y == T::zero() { &mut *negative } else { &mut *positive };
            histogram[above as usize] += 1.0;
        }
        histograms
    }

    fn result(&self, state: &[f64]) -> f64 {
        let (positive, negative) = state.split_at(self.num_thresholds);
        let (total_p, total_n) = (positive.iter().sum::<f64>(), negative.iter().sum::<f64>());
        // True and false positives at the threshold at hand, from the largest to the smallest.
        let (mut tp, mut fp, mut area) = (0.0, 0.0, 0.0);
        for (p, n) in positive.iter().zip(negative).rev() {
            let (next_tp, next_fp) = (tp + p, fp + n);
            area += match self.curve {
                Curve::Roc => {
                    let height = (ratio(tp, total_p) + ratio(next_tp, total_p)) / 2.0;
                    (ratio(next_fp, total_n) - ratio(fp, total_n)) * height
                }
                Curve::Pr => {
                    // Between two thresholds, true positives grow in proportion to all positives q:
                    // tp = intercept + slope q, and the precision tp / q is integrated over tp.
                    let (q, next_q) = (tp + fp, next_tp + next_fp);
                    let slope = ratio(next_tp - tp, next_q - q);
                    let intercept = tp - slope * q;
                    let growth = if q > 0.0 && next_q > 0.0 { next_q / q } else { 1.0 };
                    ratio(slope * (next_tp - tp + intercept * growth.ln()), total_p)
                }
            };
            (tp, fp) = (next_tp, next_fp);
        }
        area
    }

    fn check(&self, targets: &Tensor<T>, output: Shape) -> Result<(), Reason> {
        self.check_thresholds()?;
        same_shape(targets, output)
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Max)
    }

    fn config(&self) -> Value {
        let name = Metric::<T>::name(self);
        self.options().map_or(json!(name), |own| keras_metric::<T>(Self::CLASS, name, own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(auc: Auc, targets: [f64; 4], predictions: [f64; 4]) -> f64 {
        let column = |values: [f64; 4]| Tensor::new([4, 1], values.to_vec());
        let state = auc.state(&column(targets), &column(predictions));
        Metric::<f64>::result(&auc, &state)
    }

    #[test]
    fn the_roc_area_counts_pairs_in_the_right_order() {
        let targets = [0.0, 0.0, 1.0, 1.0];
        for (predictions, expected) in [
            ([0.1, 0.2, 0.8, 0.9], 1.0),
            ([0.9, 0.8, 0.2, 0.1], 0.0),
            ([0.1, 0.5, 0.4, 0.9], 0.75),
            ([0.5, 0.5, 0.5, 0.5], 0.5), // ties count half
            ([-1.0, 0.0, 1.0, 2.0], 1.0),
            ([1.0, 0.5, 2.0, 0.6], 0.625), // beyond 1 is as 1, and below 0 as 0
            ([0.0, -1.0, 0.9, 0.001], 0.75),
        ] {
            let found = area(Auc::new(), targets, predictions);
            assert!((found - expected).abs() < 1e-12, "{predictions:?}: {found}");
        }
        // One kind of target alone has no curve.
        assert_eq!(area(Auc::new(), [1.0; 4], [0.1, 0.2, 0.3, 0.4]), 0.0);
    }

    #[test]
    fn the_area_below_precision_is_integrated() {
        let pr = Auc::new().curve(Curve::Pr);
        assert!((area(pr, [0.0, 0.0, 1.0, 1.0], [0.1, 0.2, 0.8, 0.9]) - 1.0).abs() < 1e-12);
        // All in one interval: half of what is above the threshold is right.
        assert!((area(pr, [0.0, 0.0, 1.0, 1.0], [0.5; 4]) - 0.5).abs() < 1e-12);
        assert_eq!(area(pr, [0.0; 4], [0.5; 4]), 0.0);
    }

    #[test]
    fn an_interval_has_its_upper_end() {
        // With three thresholds: up to 0.5, and above.
        let state = Auc::new()
            .num_thresholds(3)
            .state(&Tensor::from([[1.0, 1.0, 1.0, 0.0]]), &Tensor::from([[0.0, 0.5, 0.51, 1.0]]));
        assert_eq!(state, [2.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn too_few_thresholds() {
        let targets = Tensor::<f64>::zeros([1, 1]);
        let error = Metric::check(&Auc::new().num_thresholds(1), &targets, Shape::new(&[1]));
        assert_eq!(error.unwrap_err(), "num_thresholds is 1; it is at least 2");
        let absurd = Auc::new().num_thresholds(usize::MAX);
        let error = Metric::check(&absurd, &targets, Shape::new(&[1])).unwrap_err();
        assert!(error.as_str().ends_with("it is at most a million"), "{error}");
    }
}
