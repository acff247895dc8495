//! Values of options, as files have them.

use super::{Config, json};
use std::fmt;
use std::ops::{Index, IndexMut};

/// A value of an option: what JSON can say. Whole numbers and others are different, as they are in files of Keras.
///
/// [`Display`](fmt::Display) writes it as JSON.
///
/// ```
/// use cinta::config::Value;
/// let value = Value::from([Value::from(3), Value::from(0.5), Value::from("same"), Value::Null]);
/// assert_eq!(value.to_string(), r#"[3,0.5,"same",null]"#);
/// assert_eq!(value[1].as_f64(), Some(0.5));
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Value {
    /// Nothing: as a rule, the default.
    #[default]
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// A text.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// Values by name.
    Object(Config),
}

/// What an index finds where there is nothing.
static NULL: Value = Value::Null;

impl Value {
    /// Whether it is null.
    ///
    /// ```
    /// assert!(cinta::config::Value::Null.is_null() && !cinta::config::Value::from(0).is_null());
    /// ```
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether it is a list.
    pub(crate) fn is_array(&self) -> bool {
        matches!(self, Value::Array(_))
    }

    /// A yes or no.
    ///
    /// ```
    /// assert_eq!(cinta::config::Value::from(true).as_bool(), Some(true));
    /// ```
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(value) = *self { Some(value) } else { None }
    }

    /// Any number.
    ///
    /// ```
    /// use cinta::config::Value;
    /// assert_eq!((Value::from(2).as_f64(), Value::from("2").as_f64()), (Some(2.0), None));
    /// ```
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Value::Integer(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            _ => None,
        }
    }

    /// A whole number.
    ///
    /// ```
    /// use cinta::config::Value;
    /// assert_eq!((Value::from(-2).as_i64(), Value::from(-2.0).as_i64()), (Some(-2), None));
    /// ```
    pub fn as_i64(&self) -> Option<i64> {
        if let Value::Integer(value) = *self { value.try_into().ok() } else { None }
    }

    /// A whole number of at least 0.
    ///
    /// ```
    /// use cinta::config::Value;
    /// assert_eq!((Value::from(2).as_u64(), Value::from(-2).as_u64()), (Some(2), None));
    /// ```
    pub fn as_u64(&self) -> Option<u64> {
        if let Value::Integer(value) = *self { value.try_into().ok() } else { None }
    }

    /// A text.
    ///
    /// ```
    /// assert_eq!(cinta::config::Value::from("same").as_str(), Some("same"));
    /// ```
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(value) = self { Some(value) } else { None }
    }

    /// A list.
    ///
    /// ```
    /// use cinta::config::Value;
    /// let list = Value::from([1, 2]);
    /// assert_eq!(list.as_array().unwrap().len(), 2);
    /// ```
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Value::Array(value) = self { Some(value) } else { None }
    }

    /// Values by name.
    ///
    /// ```
    /// use cinta::config::{Config, Value};
    /// let value = Value::from(Config::from([("units", 3)]));
    /// assert!(value.as_object().unwrap().get("units").is_some());
    /// ```
    pub fn as_object(&self) -> Option<&Config> {
        if let Value::Object(value) = self { Some(value) } else { None }
    }

    #[cfg(feature = "keras")]
    pub(crate) fn as_array_mut(&mut self) -> Option<&mut Vec<Value>> {
        if let Value::Array(value) = self { Some(value) } else { None }
    }

    pub(crate) fn as_object_mut(&mut self) -> Option<&mut Config> {
        if let Value::Object(value) = self { Some(value) } else { None }
    }

    /// The value of this name, if it has values by name and one of this name.
    ///
    /// ```
    /// use cinta::config::{Config, Value};
    /// let value = Value::from(Config::from([("units", 3)]));
    /// assert_eq!((value.get("units"), value.get("rate")), (Some(&Value::from(3)), None));
    /// ```
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_object()?.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.as_object_mut()?.get_mut(name)
    }

    /// What is found by names, one inside the other.
    pub(crate) fn inside(&self, names: &[&str]) -> Option<&Value> {
        names.iter().try_fold(self, |value, name| value.get(name))
    }

    /// What is found by names, one inside the other.
    #[cfg(feature = "keras")]
    pub(crate) fn inside_mut(&mut self, names: &[&str]) -> Option<&mut Value> {
        names.iter().try_fold(self, |value, name| value.get_mut(name))
    }

    /// The value, of which a null is left.
    #[cfg(feature = "keras")]
    pub(crate) fn take(&mut self) -> Value {
        std::mem::take(self)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&json::text(self))
    }
}

/// A list's value of this number, or null.
impl Index<usize> for Value {
    type Output = Value;

    fn index(&self, index: usize) -> &Value {
        self.as_array().and_then(|list| list.get(index)).unwrap_or(&NULL)
    }
}

/// The value of this name, or null.
impl Index<&str> for Value {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&NULL)
    }
}

/// A list's value of this number.
///
/// # Panics
/// When there is none.
impl IndexMut<usize> for Value {
    fn index_mut(&mut self, index: usize) -> &mut Value {
        let Value::Array(list) = self else { panic!("{self} is not a list") };
        &mut list[index]
    }
}

/// The value of this name, null if it is new. A null becomes values by name.
///
/// # Panics
/// When it is something else.
impl IndexMut<&str> for Value {
    fn index_mut(&mut self, name: &str) -> &mut Value {
        if self.is_null() {
            *self = Value::Object(Config::new());
        }
        let Value::Object(config) = self else { panic!("{self} has no values by name") };
        &mut config[name]
    }
}

macro_rules! from {
    ($($from:ty => |$value:ident| $to:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $to
            }
        }
    )*};
}

from! {
    bool => |value| Value::Bool(value);
    i32 => |value| Value::Integer(value.into());
    i64 => |value| Value::Integer(value.into());
    u32 => |value| Value::Integer(value.into());
    u64 => |value| Value::Integer(value.into());
    usize => |value| Value::Integer(value as i128);
    isize => |value| Value::Integer(value as i128);
    i128 => |value| Value::Integer(value);
    f32 => |value| Value::Float(value.into());
    f64 => |value| Value::Float(value);
    &str => |value| Value::String(value.to_owned());
    String => |value| Value::String(value);
    Config => |value| Value::Object(value);
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(list: Vec<V>) -> Self {
        list.into_iter().collect()
    }
}

impl<V: Into<Value>, const N: usize> From<[V; N]> for Value {
    fn from(list: [V; N]) -> Self {
        list.into_iter().collect()
    }
}

impl<V: Clone + Into<Value>> From<&[V]> for Value {
    fn from(list: &[V]) -> Self {
        list.iter().cloned().collect()
    }
}

impl<V: Clone + Into<Value>> From<&V> for Value {
    fn from(value: &V) -> Self {
        value.clone().into()
    }
}

/// What may be missing: null.
impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl<V: Into<Value>> FromIterator<V> for Value {
    fn from_iter<I: IntoIterator<Item = V>>(list: I) -> Self {
        Value::Array(list.into_iter().map(Into::into).collect())
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<f64> for Value {
    fn eq(&self, other: &f64) -> bool {
        self.as_f64() == Some(*other)
    }
}

impl PartialEq<i64> for Value {
    fn eq(&self, other: &i64) -> bool {
        self.as_i64() == Some(*other)
    }
}
