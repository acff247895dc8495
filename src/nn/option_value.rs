//! What an option can be: how it is read from Keras's JSON, and written to it.

use super::{Activation, Initializer, Regularizer};
use crate::kernels::{Interpolation, Padding};
use crate::tensor::{MAX_RANK, Tensor};
use serde_json::{Value, json};

/// A kind of option. What `read` refuses, it says in words that go on after "the option strides".
pub(super) trait OptionValue: Sized {
    fn read(value: &Value) -> Result<Self, String>;
    fn write(&self) -> Value;
}

/// " = [1] is not ..": the end of a sentence about an option.
pub(super) fn not(value: &Value, what: &str) -> String {
    format!(" = {value} is not {what}")
}

impl OptionValue for bool {
    fn read(value: &Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| format!(" = {value} is neither true nor false"))
    }

    fn write(&self) -> Value {
        json!(self)
    }
}

impl OptionValue for f64 {
    fn read(value: &Value) -> Result<Self, String> {
        value.as_f64().filter(|x| x.is_finite()).ok_or_else(|| not(value, "a finite number"))
    }

    fn write(&self) -> Value {
        json!(self)
    }
}

/// Counts and sizes: whole numbers of at least 1.
impl OptionValue for usize {
    fn read(value: &Value) -> Result<Self, String> {
        count(value).ok_or_else(|| not(value, "a whole number of at least 1"))
    }

    fn write(&self) -> Value {
        json!(self)
    }
}

/// Axes: whole numbers, also below 0. TensorFlow wrote some as lists of one.
impl OptionValue for isize {
    fn read(value: &Value) -> Result<Self, String> {
        let number = match value.as_array().map(Vec::as_slice) {
            Some([one]) => one,
            _ => value,
        };
        let whole = number.as_i64().and_then(|axis| isize::try_from(axis).ok());
        whole.ok_or_else(|| not(value, "a whole number"))
    }

    fn write(&self) -> Value {
        json!(self)
    }
}

/// Sizes along the axes of an image: `[5, 3]`, or one for all.
impl<const N: usize> OptionValue for [usize; N] {
    fn read(value: &Value) -> Result<Self, String> {
        let sizes: Option<Vec<usize>> = match value.as_array() {
            Some(sizes) => sizes.iter().map(count).collect(),
            None => count(value).map(|size| vec![size; N]),
        };
        let number = ["no", "one", "two", "three"].get(N).copied().unwrap_or("several");
        let what = match N {
            1 => "a whole number of at least 1".to_owned(),
            _ => format!("{number} whole numbers of at least 1"),
        };
        sizes.and_then(|sizes| sizes.try_into().ok()).ok_or_else(|| not(value, &what))
    }

    fn write(&self) -> Value {
        json!(self.as_slice())
    }
}

/// Lists of any length.
impl<V: OptionValue> OptionValue for Vec<V> {
    fn read(value: &Value) -> Result<Self, String> {
        let list = value.as_array().ok_or_else(|| not(value, "a list"))?;
        list.iter().map(V::read).collect()
    }

    fn write(&self) -> Value {
        self.iter().map(V::write).collect()
    }
}

/// A number, or lists of numbers, or lists of such lists. Keras writes arrays of NumPy and its own as objects.
impl OptionValue for Tensor<f64> {
    fn read(value: &Value) -> Result<Self, String> {
        let inside = value.pointer("/config/value").unwrap_or(value);
        let mut shape = Vec::new();
        let mut first = inside;
        while let Value::Array(list) = first {
            shape.push(list.len());
            let Some(next) = list.first() else { break };
            first = next;
        }
        let mut numbers = Vec::new();
        if shape.len() <= MAX_RANK && flatten(inside, &shape, &mut numbers) {
            Ok(Tensor::new(&shape[..], numbers))
        } else {
            Err(not(value, "a number or an array of numbers"))
        }
    }

    fn write(&self) -> Value {
        match *self.shape() {
            [] => json!(self.item()),
            [_] => json!(self.to_vec()),
            [n, ..] => {
                let part = |i: usize| self.slice(0, i..i + 1).reshape(self.shape().sample());
                (0..n).map(|i| part(i).write()).collect()
            }
        }
    }
}

/// Appends the numbers of nested lists, if they have this shape.
fn flatten(value: &Value, shape: &[usize], numbers: &mut Vec<f64>) -> bool {
    match (value, shape) {
        (Value::Array(list), [len, inner @ ..]) => {
            list.len() == *len && list.iter().all(|value| flatten(value, inner, numbers))
        }
        (value, []) => match value.as_f64().filter(|number| number.is_finite()) {
            Some(number) => {
                numbers.push(number);
                true
            }
            None => false,
        },
        _ => false,
    }
}

impl OptionValue for Interpolation {
    fn read(value: &Value) -> Result<Self, String> {
        let found = Interpolation::ALL.into_iter().find(|it| value.as_str() == Some(it.name()));
        found.ok_or_else(|| {
            let names = Interpolation::ALL.map(|it| format!("{:?}", it.name()));
            not(value, &format!("one of {}", names.join(", ")))
        })
    }

    fn write(&self) -> Value {
        json!(self.name())
    }
}

/// Numbers of which each may be 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FromZero<const N: usize>(pub(super) [usize; N]);

impl<const N: usize> OptionValue for FromZero<N> {
    fn read(value: &Value) -> Result<Self, String> {
        let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
        let numbers: Option<Vec<usize>> = match value.as_array() {
            Some(numbers) => numbers.iter().map(number).collect(),
            None => number(value).map(|number| vec![number; N]),
        };
        let numbers = numbers.and_then(|numbers| numbers.try_into().ok());
        numbers
            .map(FromZero)
            .ok_or_else(|| not(value, "whole numbers of at least 0, one for each axis"))
    }

    fn write(&self) -> Value {
        json!(self.0.as_slice())
    }
}

/// Places before and after each axis, which may be none: `[[0, 1], [2, 3]]`, one number for both sides of an axis, or one for
/// all. Those of a single axis are `[0, 1]`.
impl<const N: usize> OptionValue for [[usize; 2]; N] {
    fn read(value: &Value) -> Result<Self, String> {
        let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
        let sides = |value: &Value| match value.as_array().map(Vec::as_slice) {
            Some([before, after]) => Some([number(before)?, number(after)?]),
            Some(_) => None,
            None => number(value).map(|both| [both; 2]),
        };
        let axes: Option<Vec<[usize; 2]>> = match value.as_array() {
            Some(axes) if N > 1 => axes.iter().map(sides).collect(),
            _ => sides(value).map(|sides| vec![sides; N]),
        };
        let what = match N {
            1 => "two whole numbers of at least 0",
            _ => "whole numbers of at least 0, two for each axis",
        };
        axes.and_then(|axes| axes.try_into().ok()).ok_or_else(|| not(value, what))
    }

    fn write(&self) -> Value {
        if N == 1 { json!(self[0]) } else { json!(self.as_slice()) }
    }
}

impl OptionValue for Padding {
    fn read(value: &Value) -> Result<Self, String> {
        match value.as_str() {
            Some("valid") => Ok(Padding::Valid),
            Some("same") => Ok(Padding::Same),
            Some("causal") => Ok(Padding::Causal),
            _ => Err(format!(" = {value} is neither \"valid\" nor \"same\"")),
        }
    }

    fn write(&self) -> Value {
        json!(self.name())
    }
}

impl OptionValue for Activation {
    fn read(value: &Value) -> Result<Self, String> {
        let name = value.as_str().ok_or_else(|| not(value, "a text"))?;
        Activation::from_name(name).map_err(|error| format!(": {error}"))
    }

    fn write(&self) -> Value {
        json!(self.keras_name())
    }
}

impl OptionValue for Initializer {
    fn read(value: &Value) -> Result<Self, String> {
        Initializer::from_config(value).map_err(|error| format!(": {error}"))
    }

    fn write(&self) -> Value {
        self.config()
    }
}

impl OptionValue for Regularizer {
    fn read(value: &Value) -> Result<Self, String> {
        Regularizer::from_config(value).map_err(|error| format!(": {error}"))
    }

    fn write(&self) -> Value {
        self.config()
    }
}

/// What may be missing, which files say by null.
impl<V: OptionValue> OptionValue for Option<V> {
    fn read(value: &Value) -> Result<Self, String> {
        V::read(value).map(Some)
    }

    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, V::write)
    }
}

fn count(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<V: OptionValue>(value: Value) -> Result<V, String> {
        V::read(&value)
    }

    #[test]
    fn values_of_files() {
        assert_eq!(read(json!([3])), Ok(3isize));
        assert_eq!(read(json!(-1)), Ok(-1isize));
        assert_eq!(read::<isize>(json!([1, 2])).unwrap_err(), " = [1,2] is not a whole number");
        assert_eq!(read(json!(3)), Ok([3usize, 3]));
        assert_eq!(read(json!([4, 2])), Ok([4usize, 2]));
        let error = read::<[usize; 3]>(json!([1, 2])).unwrap_err();
        assert_eq!(error, " = [1,2] is not three whole numbers of at least 1");
        assert!(read::<usize>(json!(0)).is_err());
        assert!(read::<[usize; 2]>(json!([0, 1])).is_err());
        assert_eq!(read(json!(0.5)), Ok(Some(0.5)));
        assert_eq!(read(json!([1, -2])), Ok(vec![1isize, -2]));
        assert!(
            read::<Vec<usize>>(json!([1, 0])).is_err() && read::<Vec<usize>>(json!(1)).is_err()
        );
    }

    #[test]
    fn arrays_of_files() {
        let numpy = json!({ "class_name": "__numpy__", "config": { "value": [1.0, 2.0], "dtype": "float32" } });
        assert_eq!(read(numpy), Ok(Tensor::from([1.0, 2.0])));
        for written in
            [json!(0.5), json!([]), json!([1.0, 2.0]), json!([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])]
        {
            assert_eq!(Tensor::<f64>::read(&written).unwrap().write(), written);
        }
        for wrong in
            [json!("1"), json!([1.0, [2.0]]), json!([[1.0], [2.0, 3.0]]), json!([[[[[[[1]]]]]]])]
        {
            assert!(read::<Tensor<f64>>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
