//! What an option of a layer can be beside plain values.

use super::{Activation, Constraint, Initializer, Regularizer};
use crate::config::{OptionValue, Value, json, not};
use crate::error::Reason;
use crate::kernels::{Interpolation, Padding};
use crate::tensor::{MAX_RANK, Tensor};

/// A number, or lists of numbers, or lists of such lists. Keras writes arrays of NumPy and its own as objects.
impl OptionValue for Tensor<f64> {
    fn read(value: &Value) -> Result<Self, Reason> {
        let inside = value.inside(&["config", "value"]).unwrap_or(value);
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
    fn read(value: &Value) -> Result<Self, Reason> {
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

impl OptionValue for Padding {
    fn read(value: &Value) -> Result<Self, Reason> {
        match value.as_str() {
            Some("valid") => Ok(Padding::Valid),
            Some("same") => Ok(Padding::Same),
            Some("causal") => Ok(Padding::Causal),
            _ => Err(format!(" = {value} is neither \"valid\" nor \"same\"").into()),
        }
    }

    fn write(&self) -> Value {
        json!(self.name())
    }
}

impl OptionValue for Activation {
    fn read(value: &Value) -> Result<Self, Reason> {
        Activation::from_value(value).map_err(|error| format!(": {error}").into())
    }

    fn write(&self) -> Value {
        self.value()
    }
}

impl OptionValue for Initializer {
    fn read(value: &Value) -> Result<Self, Reason> {
        Initializer::from_config(value).map_err(|error| format!(": {error}").into())
    }

    fn write(&self) -> Value {
        self.config()
    }
}

impl OptionValue for Regularizer {
    fn read(value: &Value) -> Result<Self, Reason> {
        Regularizer::from_config(value).map_err(|error| format!(": {error}").into())
    }

    fn write(&self) -> Value {
        self.config()
    }
}

impl OptionValue for Constraint {
    fn read(value: &Value) -> Result<Self, Reason> {
        Constraint::from_config(value).map_err(|error| format!(": {error}").into())
    }

    fn write(&self) -> Value {
        self.config()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<V: OptionValue>(value: Value) -> Result<V, Reason> {
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
        assert!(read::<Vec<usize>>(json!([1, 0])).is_err());
        assert_eq!(read(json!([2, -1])), Ok(vec![2isize, -1]));
        assert_eq!(read(json!(1)), Ok(vec![1isize]));
        assert_eq!(read(json!([null, 3])), Ok(vec![None, Some(3usize)]));
        assert!(read::<Vec<Option<usize>>>(json!([0])).is_err());
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
