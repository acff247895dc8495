//! What weights are kept within.

use crate::config::{OptionValue, Options, Value, json, keras_object, object};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// What a weight is brought back to after each step of training.
///
/// A norm is the root of the sum of squares along some axes of the weight, 0 as a rule: in the kernel `[inputs, units]` of
/// [`Dense`](crate::Dense) that is one norm for each unit. For the kernel of [`Conv2d`](crate::Conv2d) it is usually taken
/// along `[0, 1, 2]`.
///
/// ```
/// use cinta::{Constraint, prelude::*};
/// let layer = Dense::new(2).kernel_constraint(Constraint::max_norm(1.0));
/// let mut model = Sequential::new([2]).add(layer).build(0)?;
/// model.compile(Compile::new(Sgd::new(1.0), MeanSquaredError));
/// let data = Dataset::new(Tensor::from([[1.0, 2.0]]), Tensor::from([[90.0, -90.0]]))?;
/// model.fit(&data, Fit { epochs: 1, verbose: Verbose::Silent, ..Fit::default() })?;
/// let norms = model.weight("dense", "kernel")?.square().sum(0).sqrt();
/// assert!(norms.all_close(&Tensor::from([1.0, 1.0]), 1e-6, 0.0));
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, PartialEq, Debug)]
pub enum Constraint {
    /// No value is negative: those that are become 0.
    NonNeg,
    /// Every norm is 1.
    UnitNorm {
        /// The axes along which norms are taken.
        axis: Vec<isize>,
    },
    /// No norm is larger.
    MaxNorm {
        /// The largest norm.
        max_value: f64,
        /// The axes along which norms are taken.
        axis: Vec<isize>,
    },
    /// Every norm lies between two values.
    MinMaxNorm {
        /// The smallest norm.
        min_value: f64,
        /// The largest norm.
        max_value: f64,
        /// Which part of the way to that range a step goes: 1 is all of it.
        rate: f64,
        /// The axes along which norms are taken.
        axis: Vec<isize>,
    },
}

/// What keeps a division by a norm of 0 from overflowing: Keras's epsilon.
const EPSILON: f64 = 1e-7;

impl Constraint {
    /// Norms along axis 0 of at most `max_value`.
    ///
    /// ```
    /// use cinta::{Constraint, Tensor};
    /// let mut weight = Tensor::from([[3.0, 0.3], [4.0, 0.4]]);
    /// Constraint::max_norm(1.0).apply(&mut weight);
    /// assert!(weight.all_close(&Tensor::from([[0.6, 0.3], [0.8, 0.4]]), 1e-6, 0.0));
    /// ```
    pub fn max_norm(max_value: f64) -> Self {
        Constraint::MaxNorm { max_value, axis: vec![0] }
    }

    /// Norms along axis 0 of 1.
    ///
    /// ```
    /// use cinta::{Constraint, Tensor};
    /// let mut weight = Tensor::from([3.0, 4.0]);
    /// Constraint::unit_norm().apply(&mut weight);
    /// assert!(weight.all_close(&Tensor::from([0.6, 0.8]), 1e-6, 0.0));
    /// ```
    pub fn unit_norm() -> Self {
        Constraint::UnitNorm { axis: vec![0] }
    }

    /// Norms along axis 0 between two values.
    ///
    /// ```
    /// use cinta::{Constraint, Tensor};
    /// let mut weight = Tensor::from([0.03, 0.04]);
    /// Constraint::min_max_norm(0.5, 1.0).apply(&mut weight);
    /// assert!(weight.all_close(&Tensor::from([0.3, 0.4]), 1e-5, 0.0));
    /// ```
    pub fn min_max_norm(min_value: f64, max_value: f64) -> Self {
        Constraint::MinMaxNorm { min_value, max_value, rate: 1.0, axis: vec![0] }
    }

    /// The same with norms along other axes: -1 is the last one.
    ///
    /// ```
    /// use cinta::{Constraint, Tensor};
    /// let mut weight = Tensor::from([[3.0, 4.0], [0.3, 0.4]]);
    /// Constraint::max_norm(1.0).axis([-1]).apply(&mut weight);
    /// assert!(weight.all_close(&Tensor::from([[0.6, 0.8], [0.3, 0.4]]), 1e-6, 0.0));
    /// ```
    pub fn axis(mut self, along: impl Into<Vec<isize>>) -> Self {
        match &mut self {
            Constraint::NonNeg => {}
            Constraint::UnitNorm { axis }
            | Constraint::MaxNorm { axis, .. }
            | Constraint::MinMaxNorm { axis, .. } => *axis = along.into(),
        }
        self
    }

    /// Brings a weight back.
    ///
    /// # Panics
    /// When the weight does not have one of the axes.
    ///
    /// ```
    /// use cinta::{Constraint, Tensor};
    /// let mut weight = Tensor::from([-1.0, 2.0]);
    /// Constraint::NonNeg.apply(&mut weight);
    /// assert_eq!(weight.to_vec(), [0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn apply<T: Scalar>(&self, weight: &mut Tensor<T>) {
        let clip = |norm: f64, low: f64, high: f64| norm.max(low).min(high);
        match *self {
            Constraint::NonNeg => {
                // What is not a number stays, so that the step is seen to diverge.
                let kept = |w: T| w.kept_if(w >= T::zero() || w.is_nan());
                weight.as_mut_slice().iter_mut().for_each(|w| *w = kept(*w));
            }
            Constraint::UnitNorm { ref axis } => scale_norms(weight, axis, |_| 1.0),
            Constraint::MaxNorm { max_value, ref axis } => {
                scale_norms(weight, axis, |norm| clip(norm, 0.0, max_value));
            }
            Constraint::MinMaxNorm { min_value, max_value, rate, ref axis } => {
                scale_norms(weight, axis, |norm| {
                    rate * clip(norm, min_value, max_value) + (1.0 - rate) * norm
                });
            }
        }
    }

    /// Whether the numbers are finite and not negative, and a weight of this shape has the axes.
    pub(crate) fn check(&self, shape: Shape) -> Result<(), Reason> {
        let (numbers, axes): (&[f64], &[isize]) = match self {
            Constraint::NonNeg => return Ok(()),
            Constraint::UnitNorm { axis } => (&[], axis),
            Constraint::MaxNorm { max_value, axis } => (&[*max_value], axis),
            Constraint::MinMaxNorm { min_value, max_value, rate, axis } => {
                (&[*min_value, *max_value, *rate], axis)
            }
        };
        if numbers.iter().any(|x| !x.is_finite() || *x < 0.0) {
            return Err(
                format!("its numbers are finite and not negative, and this is {self:?}").into()
            );
        }
        match axes_of(axes, shape.rank()) {
            Some(_) => Ok(()),
            None => {
                Err(format!("the axes {axes:?} are not those of a weight of shape {shape}").into())
            }
        }
    }

    /// The object that Keras writes for it.
    pub(super) fn config(&self) -> Value {
        let (class_name, config) = match self {
            Constraint::NonNeg => ("NonNeg", json!({})),
            Constraint::UnitNorm { axis } => ("UnitNorm", json!({ "axis": axis.write() })),
            Constraint::MaxNorm { max_value, axis } => {
                ("MaxNorm", json!({ "max_value": max_value, "axis": axis.write() }))
            }
            Constraint::MinMaxNorm { min_value, max_value, rate, axis } => {
                let config = json!({
                    "min_value": min_value, "max_value": max_value, "rate": rate, "axis": axis.write(),
                });
                ("MinMaxNorm", config)
            }
        };
        keras_object("keras.constraints", class_name, config)
    }

    pub(super) fn from_config(value: &Value) -> Result<Self, Reason> {
        let (class_name, config) = object(value)?;
        let mut options = Options::new(&config);
        let mut axis = vec![0];
        options.option("axis", &mut axis)?;
        let constraint = match class_name {
            "NonNeg" | "non_neg" => Constraint::NonNeg,
            "UnitNorm" | "unit_norm" => Constraint::UnitNorm { axis },
            "MaxNorm" | "max_norm" => {
                Constraint::MaxNorm { max_value: options.number_or("max_value", 2.0)?, axis }
            }
            "MinMaxNorm" | "min_max_norm" => Constraint::MinMaxNorm {
                min_value: options.number_or("min_value", 0.0)?,
                max_value: options.number_or("max_value", 1.0)?,
                rate: options.number_or("rate", 1.0)?,
                axis,
            },
            other => return Err(format!("the constraint {other} is not supported").into()),
        };
        options.finish()?;
        Ok(constraint)
    }
}

/// The axes of a tensor of this rank, if it has them.
fn axes_of(axes: &[isize], rank: usize) -> Option<Vec<usize>> {
    let at = |&axis: &isize| {
        let axis = if axis < 0 { axis + rank as isize } else { axis };
        usize::try_from(axis).ok().filter(|&axis| axis < rank)
    };
    axes.iter().map(at).collect()
}

/// Scales a weight so that its norms along these axes are (nearly) what `wanted` makes of them.
#[track_caller]
fn scale_norms<T: Scalar>(weight: &mut Tensor<T>, axes: &[isize], wanted: impl Fn(f64) -> f64) {
    let shape = weight.shape();
    let Some(axes) = axes_of(axes, shape.rank()) else {
        panic!("the axes {axes:?} are not those of a weight of shape {shape}")
    };
    let mut kept = shape.to_vec();
    axes.iter().for_each(|&axis| kept[axis] = 1);
    let norms = weight.square().sum(&axes[..]).sqrt().reshape(&kept[..]);
    let factors = norms.map(|norm| {
        let norm = norm.widen();
        T::lit(wanted(norm) / (EPSILON + norm))
    });
    *weight = (&*weight * factors).row_major();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Stream;

    fn all() -> Vec<Constraint> {
        vec![
            Constraint::NonNeg,
            Constraint::unit_norm(),
            Constraint::max_norm(0.5).axis([0, 1]),
            Constraint::min_max_norm(0.25, 0.5).axis([-1]),
            Constraint::MinMaxNorm { min_value: 0.5, max_value: 0.75, rate: 0.5, axis: vec![1] },
        ]
    }

    #[test]
    fn norms_are_where_they_should_be() {
        let weight: Tensor<f64> = Tensor::uniform([3, 4, 5], -0.5, 0.5, &mut Stream::new(2));
        let after = |constraint: Constraint, axes: &[usize]| {
            let mut weight = weight.clone();
            constraint.apply(&mut weight);
            let norms = weight.square().sum(axes).sqrt();
            norms.iter().collect::<Vec<f64>>()
        };
        let before: Vec<f64> = weight.square().sum(1).sqrt().iter().collect();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-5;
        assert!(after(Constraint::unit_norm(), &[0]).iter().all(|&norm| near(norm, 1.0)));
        assert!(
            after(Constraint::max_norm(0.5).axis([0, 1]), &[0, 1]).iter().all(|&n| near(n, 0.5))
        );
        let between = after(Constraint::min_max_norm(0.5, 0.6).axis([-2]), &[1]);
        for (norm, before) in between.iter().zip(&before) {
            assert!(near(*norm, before.clamp(0.5, 0.6)), "{norm} {before}");
        }
        let half =
            Constraint::MinMaxNorm { min_value: 0.5, max_value: 0.6, rate: 0.5, axis: vec![1] };
        for (norm, before) in after(half, &[1]).iter().zip(&before) {
            assert!(near(*norm, (before.clamp(0.5, 0.6) + before) / 2.0), "{norm} {before}");
        }
    }

    #[test]
    fn a_weight_of_zeros_stays_finite() {
        for constraint in all() {
            let mut weight = Tensor::<f32>::zeros([3, 4, 5]).row_major();
            constraint.apply(&mut weight);
            assert_eq!(weight.to_vec(), [0.0; 60], "{constraint:?}");
        }
    }

    #[test]
    fn configs_come_back() {
        for constraint in all() {
            assert_eq!(Constraint::from_config(&constraint.config()), Ok(constraint));
        }
        assert_eq!(Constraint::from_config(&json!("max_norm")), Ok(Constraint::max_norm(2.0)));
        let error = Constraint::from_config(&json!("MyNorm")).unwrap_err();
        assert_eq!(error, "the constraint MyNorm is not supported");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let shape = Shape::from([3, 4]);
        assert!(all()[..4].iter().all(|constraint| constraint.check(shape).is_ok()));
        assert!(Constraint::max_norm(-1.0).check(shape).is_err());
        assert!(Constraint::min_max_norm(0.0, f64::NAN).check(shape).is_err());
        let error = Constraint::unit_norm().axis([2]).check(shape).unwrap_err();
        assert_eq!(error, "the axes [2] are not those of a weight of shape [3, 4]");
    }
}
