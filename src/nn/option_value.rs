//! What an option can be: how it is read from Keras's JSON, and written to it.

use super::{Activation, Initializer, Regularizer};
use crate::kernels::Padding;
use serde_json::{Value, json};

/// A kind of option. What `read` refuses, it says in words that go on after "the option strides".
pub(super) trait OptionValue: Sized {
    fn read(value: &Value) -> Result<Self, String>;
    fn write(&self) -> Value;

    /// What null means: as a rule, the default.
    fn read_null() -> Result<Option<Self>, String> {
        Ok(None)
    }
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

impl OptionValue for Padding {
    fn read(value: &Value) -> Result<Self, String> {
        match value.as_str() {
            Some("valid") => Ok(Padding::Valid),
            Some("same") => Ok(Padding::Same),
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
    }
}
