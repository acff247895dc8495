//! Options by name: what a recipe is written down as.
//!
//! A layer, a loss, a metric or an optimizer says its options as a [`Config`] and is made from one; [`Options`] reads them without
//! overlooking any. Names and values are those of Keras, whose files hold them as JSON. What JSON text is, the rooms above do
//! not know.

mod json;
mod named;
mod option_value;
mod options;
mod snake_case;
mod value;

use indexmap::IndexMap;
use std::ops::{Index, IndexMut};

pub(crate) use json::{json, parse};
pub(crate) use named::{as_config, keras_object, name_of, object};
pub(crate) use option_value::{FromZero, OptionValue, not};
pub use options::Options;
#[cfg(feature = "keras")]
pub(crate) use snake_case::own_name;
pub(crate) use snake_case::{file_groups, snake_case};
pub use value::Value;

/// Options by name, in the order in which they were put in.
///
/// ```
/// use cinta::config::{Config, Value};
/// let mut config = Config::from([("units", Value::from(10)), ("use_bias", Value::from(false))]);
/// config.insert("activation", "relu");
/// assert_eq!(config.to_string(), r#"{"units":10,"use_bias":false,"activation":"relu"}"#);
/// assert_eq!(config, Config::from_json(&config.to_string())?);
/// # Ok::<(), cinta::Reason>(())
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config(IndexMap<String, Value>);

impl Config {
    /// No options.
    ///
    /// ```
    /// assert_eq!(cinta::Config::new().iter().count(), 0);
    /// ```
    pub fn new() -> Self {
        Config::default()
    }

    /// Puts an option in: behind the others, or in place of the one of this name.
    ///
    /// ```
    /// let mut config = cinta::Config::new();
    /// config.insert("rate", 0.5);
    /// config.insert("rate", 0.25);
    /// assert_eq!(config.to_string(), r#"{"rate":0.25}"#);
    /// ```
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// The option of this name.
    ///
    /// ```
    /// use cinta::config::{Config, Value};
    /// let config = Config::from([("rate", 0.5)]);
    /// assert_eq!((config.get("rate"), config.get("seed")), (Some(&Value::from(0.5)), None));
    /// ```
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The options with their names.
    ///
    /// ```
    /// let config = cinta::Config::from([("b", 1), ("a", 2)]);
    /// assert_eq!(config.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    /// ```
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&String, &Value)> {
        self.0.iter()
    }

    /// Puts a new option in at this place.
    pub(crate) fn insert_at(&mut self, place: usize, name: &str, value: Value) {
        self.0.shift_insert(place, name.to_owned(), value);
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.0.get_mut(name)
    }

    pub(crate) fn contains_key(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.0.values()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&String, &mut Value)> {
        self.0.iter_mut()
    }

    /// Takes an option out; the others keep their order.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name)
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&String, &mut Value) -> bool) {
        self.0.retain(keep);
    }
}

impl std::fmt::Display for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Value::Object(self.clone()).fmt(f)
    }
}

impl Index<&str> for Config {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.0[name]
    }
}

/// The option of this name, null if it is new.
impl IndexMut<&str> for Config {
    fn index_mut(&mut self, name: &str) -> &mut Value {
        self.0.entry(name.to_owned()).or_default()
    }
}

impl<N: Into<String>, V: Into<Value>, const LEN: usize> From<[(N, V); LEN]> for Config {
    fn from(options: [(N, V); LEN]) -> Self {
        options.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    }
}

impl FromIterator<(String, Value)> for Config {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(options: I) -> Self {
        Config(options.into_iter().collect())
    }
}

impl Extend<(String, Value)> for Config {
    fn extend<I: IntoIterator<Item = (String, Value)>>(&mut self, options: I) {
        self.0.extend(options);
    }
}

impl IntoIterator for Config {
    type Item = (String, Value);
    type IntoIter = indexmap::map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
