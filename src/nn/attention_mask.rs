//! The mask that an attention layer is called with.

use super::heads::Heads;
use crate::config::{OptionValue, Value, json, not};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Mask, Shape, Tensor};

/// Which values a query may see, beyond what masks of steps and the order of the steps say: `[t, s]` for `t` queries and `s` values. A size of 1 stands for all.
///
/// ```
/// use cinta::prelude::*;
/// // Two steps of a query and three values, the last of which nobody sees.
/// let layer = MultiHeadAttention::new(2, 4).attention_mask(AttentionMask::fixed([[true, true, false]]));
/// let (query, value) = (Input::new([2, 8]), Input::new([3, 8]));
/// let model = Model::new([&query, &value], &layer.of([&query, &value])).build(0)?;
/// assert_eq!(model.output_shape(), [2, 8]);
///
/// // Another mask for each sample: a further input.
/// let mask = Input::new([2, 3]);
/// let y = MultiHeadAttention::new(2, 4).attention_mask(AttentionMask::Input).of([&query, &value, &mask]);
/// assert_eq!(Model::new([&query, &value, &mask], &y).build(0)?.output_shape(), [2, 8]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum AttentionMask {
    /// The layer's last input, 0 where a query must not see a value: `[n, t, s]`, or `[n, heads, t, s]`. No gradient flows to it.
    Input,
    /// The same for all samples, true where a query may see a value: `[t, s]`, `[1, t, s]` or `[1, heads, t, s]`.
    Fixed(Mask),
}

impl AttentionMask {
    /// A mask of truth values by rows, one for each step of the query.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let AttentionMask::Fixed(mask) = AttentionMask::fixed([[true, false], [true, true]]) else { unreachable!() };
    /// assert_eq!(mask.shape(), [2, 2]);
    /// ```
    pub fn fixed(mask: impl Into<Mask>) -> Self {
        AttentionMask::Fixed(mask.into())
    }
}

/// What files say for a mask that is an input.
pub(crate) const INPUT: &str = "input";

/// The numbers of nested lists of one shape, and that shape.
fn nested(value: &Value, flags: &mut Vec<bool>) -> Option<Vec<usize>> {
    match value {
        Value::Array(list) => {
            let mut shapes = list.iter().map(|value| nested(value, flags));
            let first = shapes.next()??;
            let same = shapes.all(|shape| shape.as_ref() == Some(&first));
            same.then(|| [&[list.len()], &first[..]].concat())
        }
        Value::Bool(flag) => {
            flags.push(*flag);
            Some(Vec::new())
        }
        number => {
            flags.push(number.as_f64()? != 0.0);
            Some(Vec::new())
        }
    }
}

/// An array as Keras 3 writes it: of NumPy, or of the backend.
pub(crate) fn array(value: &Value) -> Option<&Value> {
    match value.get("class_name")?.as_str()? {
        "__numpy__" | "__tensor__" => value.inside(&["config", "value"]),
        _ => None,
    }
}

impl OptionValue for AttentionMask {
    fn read(value: &Value) -> Result<Self, Reason> {
        if value.as_str() == Some(INPUT) {
            return Ok(AttentionMask::Input);
        }
        let mut flags = Vec::new();
        // Keras 2 writes the lists alone.
        match nested(array(value).unwrap_or(value), &mut flags) {
            Some(shape) if (2..=4).contains(&shape.len()) => {
                Ok(AttentionMask::Fixed(Mask::new(Shape::new(&shape), flags)))
            }
            _ => Err(not(value, "an array of truth values, queries by values")),
        }
    }

    fn write(&self) -> Value {
        match self {
            AttentionMask::Input => json!(INPUT),
            AttentionMask::Fixed(mask) => {
                let rows = lists(&mask.shape(), mask.as_slice());
                json!({ "class_name": "__numpy__", "config": { "value": rows, "dtype": "bool" } })
            }
        }
    }
}

/// Nested lists of this shape.
fn lists(shape: &[usize], flags: &[bool]) -> Value {
    match *shape {
        [] => json!(flags[0]),
        [rows, ref row @ ..] => {
            let size = row.iter().product::<usize>();
            (0..rows).map(|at| lists(row, &flags[at * size..(at + 1) * size])).collect()
        }
    }
}

impl Heads<'_> {
    /// The query, the values and perhaps the keys, and the mask if it is one of the inputs.
    pub(super) fn without_mask<'x, X>(&self, inputs: &'x [X]) -> (&'x [X], Option<&'x X>) {
        match (self.attention_mask, inputs) {
            (Some(AttentionMask::Input), [inputs @ .., mask]) => (inputs, Some(mask)),
            _ => (inputs, None),
        }
    }

    /// Whether the mask, which is the last input of one sample or fixed, says of `t` queries which of `s` values they see.
    pub(super) fn check_attention_mask(
        &self,
        input: Option<&Shape>,
        [t, s]: [usize; 2],
    ) -> Result<(), Reason> {
        let (shape, first) = match (self.attention_mask, input) {
            (Some(AttentionMask::Fixed(mask)), _) => (mask.shape(), 2),
            (_, Some(mask)) => (mask.batch(1), 3),
            _ => return Ok(()),
        };
        let places: &[usize] = match shape.rank() {
            2 => &[t, s],
            3 => &[1, t, s],
            _ => &[1, self.heads, t, s],
        };
        let fits = |(&size, &of): (&usize, &usize)| size == 1 || size == of;
        let known = (first..=4).contains(&shape.rank());
        if !known || !shape.iter().zip(places).all(fits) {
            let wanted = if first == 2 { "" } else { "n, " };
            return Err(format!(
                "has an attention mask of the shape {shape}, and [{wanted}{t}, {s}] is needed for {t} queries and {s} values, or less: 1 stands for all"
            )
            .into());
        }
        Ok(())
    }

    /// What the mask hides, to be broadcast over `[n, heads, t, s]`.
    pub(super) fn hidden_by_mask<T: Scalar>(&self, input: Option<&Tensor<T>>) -> Option<Mask> {
        let hidden = match (self.attention_mask, input) {
            (Some(AttentionMask::Fixed(mask)), _) => !mask,
            (_, Some(mask)) => mask.equal(T::zero()),
            _ => return None,
        };
        Some(match *hidden.shape() {
            [n, t, s] => hidden.reshape([n, 1, t, s]),
            _ => hidden,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::MultiLayer;
    use crate::nn::layers::MultiHeadAttention;

    #[test]
    fn what_keras_writes() {
        let read = |value: Value| match AttentionMask::read(&value) {
            Ok(AttentionMask::Fixed(mask)) => Ok((mask.shape(), mask.to_vec())),
            Ok(AttentionMask::Input) => panic!("{value} is an array"),
            Err(reason) => Err(reason.as_str().to_owned()),
        };
        let rows = || (Shape::from([2, 2]), vec![true, false, true, true]);
        let of = |class: &str| json!({ "class_name": class, "config": { "value": [[1.0, 0.0], [1, -2]], "dtype": "float64" } });
        assert_eq!(read(of("__numpy__")).unwrap(), rows());
        assert_eq!(read(of("__tensor__")).unwrap(), rows());
        assert_eq!(read(json!([[true, false], [true, true]])).unwrap(), rows());
        for wrong in [json!([[1, 0], [1]]), json!([1, 0]), json!([]), json!([["a"]]), json!(true)] {
            assert!(read(wrong).unwrap_err().contains("queries by values"));
        }
        let mask = AttentionMask::Fixed(Mask::new([1, 2, 1], [true, false]));
        assert_eq!(mask.write()["config"]["value"], json!([[[true], [false]]]));
        assert!(matches!(AttentionMask::read(&json!("input")), Ok(AttentionMask::Input)));
    }

    /// Of two heads, four queries and five values.
    #[test]
    fn masks_that_fit() {
        let shapes = |mask: AttentionMask, input: Option<&[usize]>| {
            let layer = MultiHeadAttention::new(2, 3).attention_mask(mask);
            let inputs: Vec<Shape> = [Some(&[4, 3][..]), Some(&[5, 3]), input]
                .into_iter()
                .flatten()
                .map(Shape::new)
                .collect();
            MultiLayer::<f32>::output_shapes(&layer, &inputs)
        };
        let input = |shape: &[usize]| shapes(AttentionMask::Input, Some(shape));
        for shape in [&[4, 5][..], &[1, 5], &[4, 1], &[2, 4, 5], &[1, 1, 1]] {
            assert_eq!(input(shape), Ok(vec![[4, 3].into()]), "{shape:?}");
        }
        for shape in [&[5][..], &[5, 4], &[3, 4, 5], &[1, 2, 4, 5]] {
            let error = input(shape).unwrap_err();
            assert!(error.as_str().contains("[n, 4, 5] is needed"), "{error}");
        }
        let fixed = |shape: &[usize]| {
            let shape = Shape::new(shape);
            shapes(AttentionMask::Fixed(Mask::new(shape, vec![true; shape.count()])), None)
        };
        assert!(fixed(&[4, 5]).is_ok() && fixed(&[1, 2, 1, 5]).is_ok());
        for shape in [&[2, 4, 5, 1][..], &[5], &[2, 4, 5]] {
            assert!(fixed(shape).is_err(), "{shape:?}");
        }
        assert!(fixed(&[3, 4, 5]).unwrap_err().as_str().contains("[4, 5] is needed"));
        assert!(shapes(AttentionMask::Input, None).unwrap_err().as_str().contains("one input"));
    }
}
