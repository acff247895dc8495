//! What an option can be: how it is read from Keras's JSON, and written to it.

use super::{Value, json};
use crate::error::Reason;

/// A kind of option. What `read` refuses, it says in words that go on after "the option strides".
pub(crate) trait OptionValue: Sized {
    fn read(value: &Value) -> Result<Self, Reason>;
    fn write(&self) -> Value;

    /// What null means: as a rule, the default.
    fn read_null() -> Result<Option<Self>, Reason> {
        Ok(None)
    }
}

/// " = [1] is not ..": the end of a sentence about an option.
pub(crate) fn not(value: &Value, what: &str) -> Reason {
    format!(" = {value} is not {what}").into()
}

impl OptionValue for bool {
    fn read(value: &Value) -> Result<Self, Reason> {
        value.as_bool().ok_or_else(|| format!(" = {value} is neither true nor false").into())
    }

    fn write(&self) -> Value {
        json!(self)
    }
}

impl OptionValue for f64 {
    fn read(value: &Value) -> Result<Self, Reason> {
        value.as_f64().filter(|x| x.is_finite()).ok_or_else(|| not(value, "a finite number"))
    }

    fn write(&self) -> Value {
        json!(self)
    }
}

impl OptionValue for String {
    fn read(value: &Value) -> Result<Self, Reason> {
        value.as_str().map(str::to_owned).ok_or_else(|| not(value, "a text"))
    }

    fn write(&self) -> Value {
        json!(self)
    }
}

/// Whole numbers that may be 0.
impl OptionValue for u64 {
    fn read(value: &Value) -> Result<Self, Reason> {
        value.as_u64().ok_or_else(|| not(value, "a whole number of at least 0"))
    }

    fn write(&self) -> Value {
        json!(self)
    }
}

/// Counts and sizes: whole numbers of at least 1.
impl OptionValue for usize {
    fn read(value: &Value) -> Result<Self, Reason> {
        count(value).ok_or_else(|| not(value, "a whole number of at least 1"))
    }

    fn write(&self) -> Value {
        json!(self)
    }
}

/// Axes: whole numbers, also below 0. TensorFlow wrote some as lists of one.
impl OptionValue for isize {
    fn read(value: &Value) -> Result<Self, Reason> {
        let number = match value.as_array() {
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
    fn read(value: &Value) -> Result<Self, Reason> {
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

/// Lists of any length, or a number for a list of one.
macro_rules! lists {
    ($($type:ty)*) => {$(
        impl OptionValue for Vec<$type> {
            fn read(value: &Value) -> Result<Self, Reason> {
                match value {
                    Value::Array(list) => list.iter().map(<$type>::read).collect(),
                    number => Ok(vec![<$type>::read(number)?]),
                }
            }

            fn write(&self) -> Value {
                json!(self)
            }
        }
    )*};
}

lists!(isize usize f64 String);

/// Numbers of which each may be 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FromZero<const N: usize>(pub(crate) [usize; N]);

impl<const N: usize> OptionValue for FromZero<N> {
    fn read(value: &Value) -> Result<Self, Reason> {
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
    fn read(value: &Value) -> Result<Self, Reason> {
        let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
        let sides = |value: &Value| match value.as_array() {
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

/// Sizes, with null for those that are as the input has them. None at all is null.
impl OptionValue for Vec<Option<usize>> {
    fn read(value: &Value) -> Result<Self, Reason> {
        let size = |size: &Value| if size.is_null() { Some(None) } else { count(size).map(Some) };
        let sizes = value.as_array().and_then(|sizes| sizes.iter().map(size).collect());
        sizes.ok_or_else(|| not(value, "a list of whole numbers of at least 1, or null"))
    }

    fn write(&self) -> Value {
        if self.is_empty() { Value::Null } else { json!(self) }
    }
}

/// What may be missing, which files say by null.
impl<V: OptionValue> OptionValue for Option<V> {
    fn read(value: &Value) -> Result<Self, Reason> {
        V::read(value).map(Some)
    }

    fn read_null() -> Result<Option<Self>, Reason> {
        Ok(Some(None))
    }

    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, V::write)
    }
}

/// A whole number of at least 1.
pub(crate) fn count(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0)
}
