//! The layers that join values element by element: sums, differences, products, means, extremes.

use super::masking::merged;
use super::recipe::{described, recipe};
use super::{Context, MultiLayer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::ops::Rectifier;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// A layer that joins inputs of one shape: its class by Keras's name, and what it does with them; also with a rectifier behind, if that is
/// less work than one after the other.
macro_rules! merge_layer {
    ($(#[$doc:meta])* $layer:ident, $class_name:literal, $join:expr $(, rectified $rectified:ident)?) => {
        recipe! {
            $(#[$doc])*
            ///
            /// A dimension of 1 is repeated to fit the others, as in Keras.
            pub struct $layer = $class_name;
            /// The layer; [`of`](crate::Of::of) gives it its inputs.
            new();
            example ([2, 3] twice) => $layer::new() => [2, 3];
            options {}
            fixed {}
            ignored []
        }

        impl<T: Scalar> MultiLayer<T> for $layer {
            described!();

            fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, $crate::error::Reason> {
                if $class_name == "Subtract" && inputs.len() != 2 {
                    return Err(format!("takes two inputs, and {} are given", inputs.len()).into());
                }
                joined(inputs)
            }

            fn forward<'t>(
                &self,
                _: &[Var<'t, T>],
                inputs: &[&Var<'t, T>],
                _: &mut Context<T>,
            ) -> Var<'t, T> {
                let join: fn(&[&Var<'t, T>]) -> Var<'t, T> = $join;
                join(inputs)
            }

            $(fn rectified<'t>(
                &self,
                _: &[Var<'t, T>],
                inputs: &[&Var<'t, T>],
                _: &mut Context<T>,
                rectifier: Rectifier,
            ) -> Var<'t, T> {
                $rectified(inputs, rectifier)
            })?

            fn mask(
                &self,
                _: &[&Tensor<T>],
                masks: &[Option<&Tensor<T>>],
            ) -> Option<Tensor<T>> {
                merged(masks)
            }
        }
    };
}

/// The common shape of a sample.
fn joined(inputs: &[Shape]) -> Result<Shape, Reason> {
    let [first, rest @ ..] = inputs else { unreachable!("a node has inputs") };
    if rest.is_empty() {
        return Err("joins at least two inputs, and one is given".into());
    }
    let mut shape = *first;
    for input in rest {
        let common = if input.rank() == shape.rank() { shape.broadcast_with(input) } else { None };
        shape = common.ok_or_else(|| {
            let shapes: Vec<String> = inputs.iter().map(Shape::to_string).collect();
            format!(
                "needs inputs of one shape (a dimension of 1 fits any), and these have {}",
                shapes.join(" and ")
            )
        })?;
    }
    Ok(shape)
}

/// Joins the first two, the result and the third, and so on.
fn fold<'t, T: Scalar>(
    inputs: &[&Var<'t, T>],
    join: impl Fn(&Var<'t, T>, &Var<'t, T>) -> Var<'t, T>,
) -> Var<'t, T> {
    inputs[2..].iter().fold(join(inputs[0], inputs[1]), |sum, next| join(&sum, next))
}

/// The sum of all, rectified in the pass that adds the last one.
fn sum_rectified<'t, T: Scalar>(inputs: &[&Var<'t, T>], rectifier: Rectifier) -> Var<'t, T> {
    let [first, between @ .., last] = inputs else { unreachable!("two inputs at least") };
    let sum = between.iter().fold((*first).clone(), |sum, &next| sum + next);
    sum.add_rectified(last, rectifier)
}

merge_layer!(
    /// The sum of its inputs, element by element: where a residual network joins its branches.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([2]);
    /// let model = Model::new(&x, &Add::new().of([&x, &x, &x])).build(0)?;
    /// assert_eq!(model.predict(&Tensor::from([[1.0, -2.0]]))?.to_vec(), [3.0, -6.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    Add,
    "Add",
    |inputs| fold(inputs, |a, b| a + b),
    rectified sum_rectified
);

merge_layer!(
    /// The first input minus the second, element by element.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let (a, b) = (Input::new([2]), Input::new([2]));
    /// let model = Model::new([&a, &b], &Subtract::new().of([&a, &b])).build(0)?;
    /// let difference = model.predict_all(&[&Tensor::from([[1.0, 5.0]]), &Tensor::from([[3.0, 1.0]])])?;
    /// assert_eq!(difference[0].to_vec(), [-2.0, 4.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    Subtract,
    "Subtract",
    |inputs| inputs[0] - inputs[1]
);

merge_layer!(
    /// The product of its inputs, element by element.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([2]);
    /// let model = Model::new(&x, &Multiply::new().of([&x, &x])).build(0)?;
    /// assert_eq!(model.predict(&Tensor::from([[3.0, -2.0]]))?.to_vec(), [9.0, 4.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    Multiply,
    "Multiply",
    |inputs| fold(inputs, |a, b| a * b)
);

merge_layer!(
    /// The mean of its inputs, element by element.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([2]);
    /// let model = Model::new(&x, &Average::new().of([&x, &x.then(Relu)])).build(0)?;
    /// assert_eq!(model.predict(&Tensor::from([[3.0, -2.0]]))?.to_vec(), [3.0, -1.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    Average,
    "Average",
    |inputs| fold(inputs, |a, b| a + b) / T::lit(inputs.len() as f64)
);

merge_layer!(
    /// The largest of its inputs, element by element, as [`Var::maximum`].
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([2]);
    /// let model = Model::new(&x, &Maximum::new().of([&x, &x.then(Relu)])).build(0)?;
    /// assert_eq!(model.predict(&Tensor::from([[3.0, -2.0]]))?.to_vec(), [3.0, 0.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    Maximum,
    "Maximum",
    |inputs| fold(inputs, Var::maximum)
);

merge_layer!(
    /// The smallest of its inputs, element by element, as [`Var::minimum`].
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([2]);
    /// let model = Model::new(&x, &Minimum::new().of([&x, &x.then(Relu)])).build(0)?;
    /// assert_eq!(model.predict(&Tensor::from([[3.0, -2.0]]))?.to_vec(), [3.0, -2.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    Minimum,
    "Minimum",
    |inputs| fold(inputs, Var::minimum)
);
