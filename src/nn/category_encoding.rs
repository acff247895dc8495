//! Numbers of classes as rows of ones and zeros.

use super::recipe::{described, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::config::{OptionValue, Value, json, not};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{MAX_RANK, Shape, Tensor};

/// What a layer gives for the numbers of classes.
///
/// ```
/// use cinta::prelude::*;
/// let encoded = |mode| {
///     let layer = CategoryEncoding::new(3).output_mode(mode);
///     Sequential::new([4]).add(layer).build(0)?.predict(&Tensor::from([[2.0, 0.0, 2.0, 2.0]]))
/// };
/// assert_eq!(encoded(OutputMode::MultiHot)?, Tensor::from([[1.0, 0.0, 1.0]]));
/// assert_eq!(encoded(OutputMode::Count)?, Tensor::from([[1.0, 0.0, 3.0]]));
/// assert_eq!(encoded(OutputMode::OneHot)?.shape(), [1, 4, 3]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputMode {
    /// The numbers themselves.
    Int,
    /// For each number a row with a 1 at its place. It takes the place of the last axis, if that is a single number.
    OneHot,
    /// For each sample, a row with 1 for each class that is in it.
    MultiHot,
    /// For each sample, a row that says how often each class is in it.
    Count,
}

impl OptionValue for OutputMode {
    fn read(value: &Value) -> Result<Self, Reason> {
        match value.as_str() {
            Some("int") => Ok(OutputMode::Int),
            Some("one_hot") => Ok(OutputMode::OneHot),
            // As it was called in TensorFlow 2.3.
            Some("multi_hot" | "binary") => Ok(OutputMode::MultiHot),
            Some("count") => Ok(OutputMode::Count),
            _ => Err(not(value, "\"int\", \"one_hot\", \"multi_hot\" or \"count\"")),
        }
    }

    fn write(&self) -> Value {
        json!(match self {
            OutputMode::Int => "int",
            OutputMode::OneHot => "one_hot",
            OutputMode::MultiHot => "multi_hot",
            OutputMode::Count => "count",
        })
    }
}

impl OutputMode {
    /// What becomes of samples of this shape, for so many classes.
    pub(super) fn shape(self, input: Shape, classes: usize) -> Result<Shape, Reason> {
        match (self, &*input) {
            (OutputMode::Int, _) => Ok(input),
            (OutputMode::OneHot, [rest @ .., 1]) => Ok(Shape::new(&[rest, &[classes]].concat())),
            (OutputMode::OneHot, all) if all.len() + 2 <= MAX_RANK => {
                Ok(Shape::new(&[all, &[classes]].concat()))
            }
            (OutputMode::MultiHot | OutputMode::Count, [_]) => Ok(Shape::from([classes])),
            (OutputMode::OneHot, _) => {
                Err(format!("one sample has the shape {input}, and there can be no more axes")
                    .into())
            }
            _ => Err(format!(
                "needs samples with one axis for this output_mode, and one has the shape {input}"
            )
            .into()),
        }
    }

    /// What becomes of a batch `x` of numbers below `classes`. Those that are not add nothing.
    pub(super) fn of<T: Scalar>(self, x: &Tensor<T>, classes: usize) -> Tensor<T> {
        let shape = self.shape(x.shape().sample(), classes).expect("output_shape has checked it");
        let shape = shape.batch(x.shape()[0]);
        // As many numbers as belong to a row.
        let together = match self {
            OutputMode::Int => return x.clone(),
            OutputMode::OneHot => 1,
            OutputMode::MultiHot | OutputMode::Count => x.shape()[1],
        };
        let mut y = Tensor::zeros(shape);
        let values = y.as_mut_slice();
        for (i, class) in x.iter().enumerate() {
            let Some(class) = known(class, classes) else { continue };
            let value = &mut values[i / together * classes + class];
            *value = if self == OutputMode::Count { *value + T::one() } else { T::one() };
        }
        y
    }
}

/// The class that a number says, if it is one of so many.
fn known<T: Scalar>(x: T, classes: usize) -> Option<usize> {
    let class = x.widen();
    (class >= 0.0 && class.fract() == 0.0 && class < classes as f64).then_some(class as usize)
}

recipe! {
    /// Numbers of classes as rows of ones and zeros, or as counts: `[steps]` becomes `[num_tokens]`. A number that is no class of it is an error of the data, if a
    /// model begins with the layer, and adds nothing elsewhere. Numbers of a whole model's output, [`datasets::one_hot`](crate::datasets::one_hot) encodes.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2]).add(CategoryEncoding::new(4)).build(0)?;
    /// assert_eq!(model.predict(&Tensor::from([[3.0, 1.0]]))?, Tensor::from([[0.0, 1.0, 0.0, 1.0]]));
    /// assert!(model.predict(&Tensor::from([[4.0, 1.0]])).is_err());
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct CategoryEncoding = "CategoryEncoding";
    /// For so many classes, which are 0, 1 and so on.
    new(num_tokens: usize);
    example [3] => CategoryEncoding::new(4) => [4];
    options {
        /// What it gives for the numbers; not [`OutputMode::Int`].
        output_mode: OutputMode = OutputMode::MultiHot, OutputMode::OneHot => [3, 4];
    }
    fixed {}
    only { "sparse": false }
    ignored []
}

impl<T: Scalar> Layer<T> for CategoryEncoding {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        if self.num_tokens == 0 {
            return Err("num_tokens = 0 leaves no class; use at least 1".into());
        }
        if self.output_mode == OutputMode::Int {
            return Err("output_mode is \"one_hot\", \"multi_hot\" or \"count\"".into());
        }
        self.output_mode.shape(input, self.num_tokens)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        Var::constant(self.output_mode.of(x.value(), self.num_tokens))
    }

    fn check_input(&self, x: &Tensor<T>) -> Result<(), Reason> {
        let classes = self.num_tokens;
        match x.iter().find(|&class| known(class, classes).is_none()) {
            None => Ok(()),
            Some(wrong) => Err(format!(
                "{wrong} is none of {classes} classes: whole numbers from 0 to {} are",
                classes - 1
            )
            .into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_classes() {
        let x = Tensor::from([[1.0, 0.0, 1.0], [2.0, 5.0, -1.0], [0.5, f64::NAN, 2.0]]);
        let count = OutputMode::Count.of(&x, 3);
        assert_eq!(count, Tensor::from([[1.0, 2.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]));
        let hot = OutputMode::MultiHot.of(&x, 3);
        assert_eq!(hot, count.map(|x| x.min(1.0)));
        let one = OutputMode::OneHot.of(&x, 3);
        assert_eq!(one.shape(), [3, 3, 3]);
        assert_eq!(one.sum(1), count);
        let column = x.slice(1, 0..1);
        assert_eq!(OutputMode::OneHot.of(&column, 3), OutputMode::Count.of(&column, 3));
        assert_eq!(OutputMode::Count.of(&Tensor::<f64>::zeros([2, 0]), 3), Tensor::zeros([2, 3]));
    }

    #[test]
    fn what_does_not_fit() {
        let error = |layer: CategoryEncoding, shape: &[usize]| {
            let found = Layer::<f32>::output_shape(&layer, Shape::new(shape));
            found.unwrap_err().as_str().to_owned()
        };
        let layer = CategoryEncoding::new(3);
        assert!(error(layer.clone(), &[2, 3]).contains("one has the shape [2, 3]"));
        assert!(error(layer.clone().output_mode(OutputMode::Int), &[2]).contains("multi_hot"));
        assert!(error(layer.output_mode(OutputMode::OneHot), &[2; 5]).contains("no more axes"));
        assert!(error(CategoryEncoding::new(0), &[2]).contains("no class"));
    }
}
