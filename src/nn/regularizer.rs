//! Penalties on weights.

use crate::autograd::{Tape, Var};
use crate::config::{Options, Value, json, keras_object, object};
use crate::error::Reason;
use crate::ops::sign;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor, pointwise, sum_of_squares, zip_slice};

/// A penalty on a weight that is added to the loss, in training and in evaluation.
///
/// ```
/// use cinta::{Regularizer::L2, Tensor};
/// assert_eq!(L2(0.01).penalty(&Tensor::from([3.0, 4.0])), 0.25); // 0.01 (9 + 16), without a half
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Regularizer {
    /// `l1` times the sum of `|w|`.
    L1(f64),
    /// `l2` times the sum of `w^2`, as in Keras: its gradient is `2 l2 w`.
    L2(f64),
    /// The sum of both.
    L1L2 {
        /// The factor of the sum of `|w|`.
        l1: f64,
        /// The factor of the sum of `w^2`.
        l2: f64,
    },
    /// `factor` times the mean of `|a b|` over all pairs of rows or columns of a matrix, each divided by its length: the smaller it is, the closer
    /// are all angles to right ones. Keras's `OrthogonalRegularizer`; for weights that are matrices alone.
    Orthogonal {
        /// The factor of the mean.
        factor: f64,
        /// Whether the pairs are of rows, as in Keras unless it is told otherwise, or of columns.
        rows: bool,
    },
}

pointwise!(Penalised { l1, l2 } = |g, w| g + (l1 * sign(w) + l2 * w));

impl Regularizer {
    /// The two factors.
    fn factors(self) -> (f64, f64) {
        match self {
            Regularizer::L1(l1) => (l1, 0.0),
            Regularizer::L2(l2) => (0.0, l2),
            Regularizer::L1L2 { l1, l2 } => (l1, l2),
            Regularizer::Orthogonal { .. } => (0.0, 0.0),
        }
    }

    /// The penalty of a weight. Sums over `|w|` and `w^2` are taken in `f64`; an orthogonal penalty is computed in `T`.
    ///
    /// # Panics
    /// When the weight of an orthogonal penalty is no matrix.
    ///
    /// ```
    /// use cinta::{Regularizer::L1, Tensor};
    /// assert_eq!(L1(0.5).penalty(&Tensor::from([3.0, -4.0])), 3.5);
    /// ```
    #[track_caller]
    pub fn penalty<T: Scalar>(self, weight: &Tensor<T>) -> f64 {
        if let Regularizer::Orthogonal { .. } = self {
            self.check_shape(weight.shape()).unwrap_or_else(|reason| panic!("{reason}"));
            return self.penalty_of(&Var::constant(weight.clone())).value().item().widen();
        }
        let (l1, l2) = self.factors();
        let weight = weight.row_major();
        let values = weight.as_slice().expect("just made row-major");
        let absolute = || values.iter().map(|w| w.widen().abs()).sum::<f64>();
        let absolute = if l1 == 0.0 { 0.0 } else { l1 * absolute() };
        let squares = if l2 == 0.0 { 0.0 } else { l2 * sum_of_squares(values).widen() };
        absolute + squares
    }

    /// Adds the penalty's gradient for a weight in row-major order: `l1 sign(w) + 2 l2 w`, or for an orthogonal penalty the one that a tape finds.
    pub(crate) fn add_gradient<T: Scalar>(self, weight: &Tensor<T>, gradient: &mut [T]) {
        if let Regularizer::Orthogonal { .. } = self {
            let tape = Tape::new();
            let w = tape.leaf(weight.clone());
            let slope = self.penalty_of(&w).backward().wrt(&w);
            gradient.iter_mut().zip(slope.iter()).for_each(|(sum, slope)| *sum += slope);
            return;
        }
        let (l1, l2) = self.factors();
        let weight = weight.as_slice().expect("weights are row-major");
        let (l1, l2) = (T::lit(l1), T::lit(2.0 * l2));
        zip_slice(Penalised { l1, l2 }, gradient, weight);
    }

    /// The penalty of what a layer gives, as a value that gradients flow through.
    pub(crate) fn penalty_of<'t, T: Scalar>(self, x: &Var<'t, T>) -> Var<'t, T> {
        let (l1, l2) = self.factors();
        let absolute = || x.abs().sum(..) * T::lit(l1);
        let squares = || x.square().sum(..) * T::lit(l2);
        match self {
            Regularizer::L1(_) => absolute(),
            Regularizer::L2(_) => squares(),
            Regularizer::L1L2 { .. } => absolute() + squares(),
            Regularizer::Orthogonal { factor, rows } => {
                let x = if rows { x.clone() } else { x.permute([1, 0]) };
                let n = x.shape()[0];
                let short = Var::constant(Tensor::scalar(T::lit(1e-7)));
                let lengths = x.square().sum(1).sqrt().maximum(&short).reshape([n, 1]);
                let x = x / lengths;
                let others = Tensor::ones([n, n]) - Tensor::eye(n);
                let products = x.matmul(&x.permute([1, 0])) * Var::constant(others);
                let pairs = (n * n.saturating_sub(1)) as f64;
                // Each pair is there twice.
                products.abs().sum(..) * T::lit(factor / pairs.max(1.0))
            }
        }
    }

    /// Whether a weight of this shape can have it.
    pub(crate) fn check_shape(self, shape: Shape) -> Result<(), Reason> {
        match self {
            Regularizer::Orthogonal { .. } if shape.rank() != 2 => Err(format!(
                "an orthogonal penalty is for matrices, and this is a weight of shape {shape}"
            )
            .into()),
            _ => Ok(()),
        }
    }

    /// Whether the factors are finite and not negative.
    pub(super) fn check(self) -> Result<(), Reason> {
        let (l1, l2) = match self {
            Regularizer::Orthogonal { factor, .. } => (factor, 0.0),
            _ => self.factors(),
        };
        let sensible = [l1, l2].iter().all(|factor| factor.is_finite() && *factor >= 0.0);
        if sensible {
            Ok(())
        } else {
            Err(format!("a penalty's factors are finite and not negative, and this is {self:?}")
                .into())
        }
    }

    /// The object that Keras writes for it.
    pub(super) fn config(self) -> Value {
        let (class_name, config) = match self {
            Regularizer::L1(l1) => ("L1", json!({ "l1": l1 })),
            Regularizer::L2(l2) => ("L2", json!({ "l2": l2 })),
            Regularizer::L1L2 { l1, l2 } => ("L1L2", json!({ "l1": l1, "l2": l2 })),
            Regularizer::Orthogonal { factor, rows } => {
                let mode = if rows { "rows" } else { "columns" };
                ("OrthogonalRegularizer", json!({ "factor": factor, "mode": mode }))
            }
        };
        keras_object("keras.regularizers", class_name, config)
    }

    pub(super) fn from_config(value: &Value) -> Result<Self, Reason> {
        let (class_name, config) = object(value)?;
        let mut options = Options::new(&config);
        let regularizer = match class_name {
            "L1" | "l1" => Regularizer::L1(options.number_or("l1", 0.01)?),
            "L2" | "l2" => Regularizer::L2(options.number_or("l2", 0.01)?),
            "L1L2" | "l1_l2" => Regularizer::L1L2 {
                l1: options.number_or("l1", 0.0)?,
                l2: options.number_or("l2", 0.0)?,
            },
            "OrthogonalRegularizer" | "orthogonal_regularizer" => {
                let rows = match options.text("mode")? {
                    None | Some("rows") => true,
                    Some("columns") => false,
                    Some(mode) => {
                        return Err(format!(
                            "the mode {mode:?} is neither \"rows\" nor \"columns\""
                        )
                        .into());
                    }
                };
                Regularizer::Orthogonal { factor: options.number_or("factor", 0.01)?, rows }
            }
            other => return Err(format!("the regularizer {other} is not supported").into()),
        };
        options.finish()?;
        regularizer.check()?;
        Ok(regularizer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::tensor::Stream;

    #[test]
    fn gradients_are_the_slopes_of_the_penalties() {
        let w = Tensor::from([0.5, -2.0, 3.0]);
        for regularizer in
            [Regularizer::L1(0.3), Regularizer::L2(0.2), Regularizer::L1L2 { l1: 0.1, l2: 0.4 }]
        {
            let mut gradient = vec![0.0; 3];
            regularizer.add_gradient(&w, &mut gradient);
            for (i, gradient) in gradient.into_iter().enumerate() {
                let at = |h: f64| {
                    let mut moved = w.clone();
                    moved.as_mut_slice()[i] += h;
                    regularizer.penalty(&moved)
                };
                let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
                assert!((gradient - slope).abs() < 1e-8, "{regularizer:?}: {gradient} {slope}");
            }
            assert_eq!(Regularizer::from_config(&regularizer.config()), Ok(regularizer));
            let of_output = regularizer.penalty_of(&Var::constant(w.clone())).into_value().item();
            assert!((of_output - regularizer.penalty(&w)).abs() < 1e-12, "{regularizer:?}");
        }
        // The slope of |w| at 0 is taken as 0.
        let mut gradient = vec![0.0];
        Regularizer::L1(1.0).add_gradient(&Tensor::from([0.0]), &mut gradient);
        assert_eq!(gradient, [0.0]);
    }

    #[test]
    fn orthogonal_rows_and_columns() {
        let w: Tensor<f64> = Tensor::uniform([3, 4], -1.0, 1.0, &mut Stream::new(3));
        for rows in [true, false] {
            let regularizer = Regularizer::Orthogonal { factor: 0.3, rows };
            let vectors = if rows { w.clone() } else { w.t() };
            let row = |i: usize| vectors.slice(0, i..i + 1);
            let norm = |i: usize| row(i).square().sum(..).item().sqrt();
            let n = vectors.shape()[0];
            let pairs: Vec<f64> = (0..n)
                .flat_map(|i| (0..i).map(move |j| (i, j)))
                .map(|(i, j)| ((&row(i) * &row(j)).sum(..).item() / norm(i) / norm(j)).abs())
                .collect();
            let expected = 0.3 * pairs.iter().sum::<f64>() / pairs.len() as f64;
            assert!((regularizer.penalty(&w) - expected).abs() < 1e-12);
            gradcheck(|[w]| regularizer.penalty_of(w), [w.clone()]).unwrap();
            let mut gradient = vec![1.0; 12];
            regularizer.add_gradient(&w, &mut gradient);
            let tape = Tape::new();
            let x = tape.leaf(w.clone());
            let slope = regularizer.penalty_of(&x).backward().wrt(&x);
            assert!(
                gradient
                    .iter()
                    .zip(slope.iter())
                    .all(|(sum, slope)| (sum - 1.0 - slope).abs() < 1e-12)
            );
            assert_eq!(Regularizer::from_config(&regularizer.config()), Ok(regularizer));
            assert!(regularizer.check_shape(Shape::from([3])).is_err());
        }
        // What is orthogonal costs nothing.
        let penalty =
            Regularizer::Orthogonal { factor: 1.0, rows: true }.penalty(&Tensor::<f64>::eye(3));
        assert_eq!(penalty, 0.0);
    }

    #[test]
    #[should_panic(expected = "for matrices, and this is a weight of shape [3]")]
    fn an_orthogonal_penalty_of_a_vector() {
        Regularizer::Orthogonal { factor: 1.0, rows: true }.penalty(&Tensor::from([1.0, 2.0, 3.0]));
    }

    #[test]
    fn senseless_factors_are_refused() {
        assert!(Regularizer::L2(-1.0).check().is_err());
        assert!(Regularizer::L1(f64::NAN).check().is_err());
    }
}
