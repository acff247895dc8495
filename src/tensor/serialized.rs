//! Tensors through the crate `serde`: the shape, and the values in row-major order.

use super::{MAX_RANK, Shape, Tensor};
use crate::scalar::Scalar;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt;
use std::marker::PhantomData;

const FIELDS: &[&str] = &["shape", "values"];

/// As a structure of the shape and the values in row-major order, whatever the strides are.
///
/// (JSON has no number that is infinite or NaN; `serde_json` writes `null` for them, and refuses to read it.)
///
/// ```
/// use cinta::Tensor;
/// let x = Tensor::from([[1.0, 2.5], [3.0, 4.0]]);
/// let text = serde_json::to_string(&x.t())?;
/// assert_eq!(text, r#"{"shape":[2,2],"values":[1.0,3.0,2.5,4.0]}"#);
/// assert_eq!(serde_json::from_str::<Tensor<f64>>(&text)?, x.t());
/// # Ok::<(), serde_json::Error>(())
/// ```
impl<T: Scalar + Serialize> Serialize for Tensor<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Tensor", FIELDS.len())?;
        fields.serialize_field(FIELDS[0], &self.shape()[..])?;
        let x = self.row_major();
        fields.serialize_field(FIELDS[1], x.as_slice().expect("row-major"))?;
        fields.end()
    }
}

impl<'de, T: Scalar + Deserialize<'de>> Deserialize<'de> for Tensor<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct("Tensor", FIELDS, Fields(PhantomData))
    }
}

/// What comes in: either fields with their names, or the two in their order.
struct Fields<T>(PhantomData<T>);

impl<'de, T: Scalar + Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = Tensor<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tensor: its shape and its values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<Tensor<T>, A::Error> {
        let missing = |at| de::Error::invalid_length(at, &self);
        let shape = fields.next_element()?.ok_or_else(|| missing(0))?;
        let values = fields.next_element()?.ok_or_else(|| missing(1))?;
        tensor(shape, values)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Tensor<T>, A::Error> {
        let (mut shape, mut values) = (None, None);
        while let Some(name) = fields.next_key::<String>()? {
            match &name[..] {
                "shape" if shape.is_none() => shape = Some(fields.next_value()?),
                "values" if values.is_none() => values = Some(fields.next_value()?),
                "shape" => return Err(de::Error::duplicate_field("shape")),
                "values" => return Err(de::Error::duplicate_field("values")),
                other => return Err(de::Error::unknown_field(other, FIELDS)),
            }
        }
        let shape = shape.ok_or_else(|| de::Error::missing_field("shape"))?;
        tensor(shape, values.ok_or_else(|| de::Error::missing_field("values"))?)
    }
}

/// The tensor, if shape and values fit. A shape asks for no memory: the values are there already.
fn tensor<T: Scalar, E: de::Error>(dims: Vec<usize>, values: Vec<T>) -> Result<Tensor<T>, E> {
    if dims.len() > MAX_RANK {
        let axes = dims.len();
        return Err(E::custom(format!("a tensor has at most {MAX_RANK} axes, and not {axes}")));
    }
    let shape = Shape::new(&dims);
    if shape.checked_count() != Some(values.len()) {
        let count = values.len();
        return Err(E::custom(format!("{count} values do not fill a tensor of shape {shape}")));
    }
    Ok(Tensor::new(shape, values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::testing::{Draw, LAYOUTS, laid_out};

    #[test]
    fn every_memory_order() {
        for dims in [[2, 3, 4], [1, 1, 1], [3, 0, 2]] {
            let values = Draw::new(1).fractions::<f32>(dims.iter().product());
            for layout in 0..LAYOUTS {
                let x = laid_out(dims, &values, layout);
                let value = serde_json::to_value(&x).expect("JSON");
                assert_eq!(value["shape"], serde_json::json!(dims));
                assert_eq!(serde_json::from_value::<Tensor<f32>>(value).expect("a tensor"), x);
            }
        }
        let scalar = r#"{"values":[2.5],"shape":[]}"#;
        assert_eq!(serde_json::from_str::<Tensor<f64>>(scalar).expect("one"), Tensor::scalar(2.5));
        // Formats without names have a list of two.
        let list = serde_json::from_str::<Tensor<f64>>("[[2],[1.0,2.0]]").expect("a list");
        assert_eq!(list, Tensor::from([1.0, 2.0]));
    }

    #[test]
    fn what_is_no_tensor() {
        for (text, words) in [
            (r#"{"shape":[2],"values":[1.0]}"#, "1 values do not fill a tensor of shape [2]"),
            (r#"{"shape":[4611686018427387904,4],"values":[]}"#, "0 values do not fill a tensor"),
            (r#"{"shape":[1,1,1,1,1,1,1],"values":[1.0]}"#, "at most 6 axes, and not 7"),
            (r#"{"shape":[-1],"values":[1.0]}"#, "invalid value"),
            (r#"{"shape":[1]}"#, "missing field `values`"),
            (r#"{"values":[1]}"#, "missing field `shape`"),
            (r#"{"shape":[1],"shape":[1],"values":[1.0]}"#, "duplicate field `shape`"),
            (r#"{"values":[1],"values":[1]}"#, "duplicate field `values`"),
            (r#"{"shape":[1],"values":[1.0],"strides":[1]}"#, "unknown field `strides`"),
            ("[[1]]", "invalid length 1, expected a tensor: its shape and its values"),
            ("[]", "invalid length 0"),
            ("3", "expected a tensor: its shape and its values"),
            (r#"{"shape":[1],"values":[null]}"#, "invalid type: null"),
        ] {
            let error = serde_json::from_str::<Tensor<f64>>(text).expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
