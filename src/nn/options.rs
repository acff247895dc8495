//! Reading a layer's options from a file, without overlooking any.

use super::Config;
use super::option_value::OptionValue;
use serde_json::Value;

/// The options of a layer, as a file holds them. Each is taken by name; [`finish`](Self::finish)
/// then refuses what is left over, so that no option of another program is silently ignored.
///
/// ```
/// use cinta::Options;
/// let config = serde_json::json!({ "rate": 0.5, "seed": null, "noise_shape": [1, 2] });
/// let mut options = Options::new(config.as_object().unwrap());
/// assert_eq!(options.number("rate"), Ok(0.5));
/// let error = options.finish().unwrap_err();
/// assert_eq!(error, "the option noise_shape = [1,2] is not supported; leave it out");
/// ```
pub struct Options<'a> {
    left: Vec<(&'a str, &'a Value)>,
}

impl<'a> Options<'a> {
    /// All options of a layer.
    ///
    /// ```
    /// assert!(cinta::Options::new(&cinta::Config::new()).finish().is_ok());
    /// ```
    pub fn new(config: &'a Config) -> Self {
        Options { left: config.iter().map(|(name, value)| (name.as_str(), value)).collect() }
    }

    /// Takes an option: `None` where it is missing or null.
    fn take(&mut self, name: &str) -> Option<&'a Value> {
        let at = self.left.iter().position(|(left, _)| *left == name)?;
        let (_, value) = self.left.swap_remove(at);
        (!value.is_null()).then_some(value)
    }

    fn required(&mut self, name: &str) -> Result<&'a Value, String> {
        self.take(name).ok_or_else(|| format!("the option {name} is missing"))
    }

    /// Takes a number.
    ///
    /// # Errors
    /// When it is missing, or no number.
    ///
    /// ```
    /// # use cinta::Options;
    /// let config = serde_json::json!({ "rate": "half" });
    /// let error = Options::new(config.as_object().unwrap()).number("rate").unwrap_err();
    /// assert_eq!(error, "the option rate = \"half\" is not a finite number");
    /// ```
    pub fn number(&mut self, name: &str) -> Result<f64, String> {
        self.required_option(name)
    }

    /// Takes a number, or the default where it is missing.
    ///
    /// # Errors
    /// When it is no number.
    ///
    /// ```
    /// # use cinta::{Config, Options};
    /// assert_eq!(Options::new(&Config::new()).number_or("momentum", 0.0), Ok(0.0));
    /// ```
    pub fn number_or(&mut self, name: &str, default: f64) -> Result<f64, String> {
        Ok(self.number_if_given(name)?.unwrap_or(default))
    }

    /// Takes a number: `None` where it is missing or null.
    ///
    /// # Errors
    /// When it is there and no number.
    ///
    /// ```
    /// # use cinta::{Config, Options};
    /// assert_eq!(Options::new(&Config::new()).number_if_given("clipnorm"), Ok(None));
    /// ```
    pub fn number_if_given(&mut self, name: &str) -> Result<Option<f64>, String> {
        if self.has(name) { self.number(name).map(Some) } else { Ok(None) }
    }

    /// Takes a whole number of at least 1.
    ///
    /// # Errors
    /// When it is missing, or no such number.
    ///
    /// ```
    /// # use cinta::Options;
    /// let config = serde_json::json!({ "units": 10 });
    /// assert_eq!(Options::new(config.as_object().unwrap()).count("units"), Ok(10));
    /// ```
    pub fn count(&mut self, name: &str) -> Result<usize, String> {
        self.required_option(name)
    }

    /// Takes two whole numbers of at least 1: `[5, 3]`, or one for both.
    ///
    /// # Errors
    /// When they are missing, or no such numbers.
    ///
    /// ```
    /// # use cinta::Options;
    /// let config = serde_json::json!({ "kernel_size": [5, 3] });
    /// assert_eq!(Options::new(config.as_object().unwrap()).pair("kernel_size"), Ok([5, 3]));
    /// ```
    pub fn pair(&mut self, name: &str) -> Result<[usize; 2], String> {
        self.required_option(name)
    }

    /// Takes two whole numbers of at least 1, or the default where they are missing.
    ///
    /// # Errors
    /// When they are no such numbers.
    ///
    /// ```
    /// # use cinta::{Config, Options};
    /// assert_eq!(Options::new(&Config::new()).pair_or("strides", [1, 1]), Ok([1, 1]));
    /// ```
    pub fn pair_or(&mut self, name: &str, default: [usize; 2]) -> Result<[usize; 2], String> {
        if self.has(name) { self.pair(name) } else { Ok(default) }
    }

    /// Takes a yes or no, or the default where it is missing.
    ///
    /// # Errors
    /// When it is neither `true` nor `false`.
    ///
    /// ```
    /// # use cinta::{Config, Options};
    /// assert_eq!(Options::new(&Config::new()).flag("use_bias", true), Ok(true));
    /// ```
    pub fn flag(&mut self, name: &str, default: bool) -> Result<bool, String> {
        let mut flag = default;
        self.option(name, &mut flag)?;
        Ok(flag)
    }

    /// Takes a text.
    ///
    /// # Errors
    /// When it is there and no text.
    ///
    /// ```
    /// # use cinta::Options;
    /// let config = serde_json::json!({ "name": "conv_1" });
    /// assert_eq!(Options::new(config.as_object().unwrap()).text("name"), Ok(Some("conv_1")));
    /// ```
    pub fn text(&mut self, name: &str) -> Result<Option<&'a str>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("the option {name} = {other} is not a text")),
        }
    }

    /// Takes any value: `None` where it is missing or null.
    ///
    /// ```
    /// # use cinta::{Config, Options};
    /// assert_eq!(Options::new(&Config::new()).value("anything"), None);
    /// ```
    pub fn value(&mut self, name: &str) -> Option<&'a Value> {
        self.take(name)
    }

    /// Whether an option is left to be taken, and not null.
    fn has(&self, name: &str) -> bool {
        self.left.iter().any(|(left, value)| *left == name && !value.is_null())
    }

    /// Takes an option that this crate supports with a single value.
    ///
    /// # Errors
    /// When it is there with another value.
    ///
    /// ```
    /// # use cinta::Options;
    /// let config = serde_json::json!({ "data_format": "channels_first" });
    /// let error = Options::new(config.as_object().unwrap())
    ///     .only("data_format", &serde_json::json!("channels_last"))
    ///     .unwrap_err();
    /// assert!(error.contains("only \"channels_last\" is supported"));
    /// ```
    pub fn only(&mut self, name: &str, supported: &Value) -> Result<(), String> {
        match self.take(name) {
            Some(value) if value != supported => Err(format!(
                "the option {name} = {value} is not supported; only {supported} is supported"
            )),
            _ => Ok(()),
        }
    }

    /// Takes options that are of no consequence for what a layer computes.
    ///
    /// ```
    /// # use cinta::Options;
    /// let config = serde_json::json!({ "dtype": "float32" });
    /// let mut options = Options::new(config.as_object().unwrap());
    /// options.ignore(&["dtype"]);
    /// assert!(options.finish().is_ok());
    /// ```
    pub fn ignore(&mut self, names: &[&str]) {
        self.left.retain(|(name, _)| !names.contains(name));
    }

    /// Refuses options that are left and not null.
    ///
    /// # Errors
    /// With the name of the first one.
    ///
    /// ```
    /// # use cinta::{Config, Options};
    /// assert!(Options::new(&Config::new()).finish().is_ok());
    /// ```
    pub fn finish(self) -> Result<(), String> {
        match self.left.into_iter().find(|(_, value)| !value.is_null()) {
            Some((name, value)) => {
                Err(format!("the option {name} = {value} is not supported; leave it out"))
            }
            None => Ok(()),
        }
    }

    /// Takes an option of a layer's recipe into its place; what is missing or null keeps its default.
    pub(super) fn option<V: OptionValue>(&mut self, name: &str, to: &mut V) -> Result<(), String> {
        let wrong = |error| format!("the option {name}{error}");
        let null = self.left.iter().any(|(left, value)| *left == name && value.is_null());
        let given = match self.take(name) {
            Some(value) => Some(V::read(value).map_err(wrong)?),
            None if null => V::read_null().map_err(wrong)?,
            None => None,
        };
        if let Some(value) = given {
            *to = value;
        }
        Ok(())
    }

    /// Takes an option of a layer's recipe that has no default.
    pub(super) fn required_option<V: OptionValue>(&mut self, name: &str) -> Result<V, String> {
        let value = self.required(name)?;
        V::read(value).map_err(|error| format!("the option {name}{error}"))
    }
}

/// The class name and options of an object that Keras wrote: a text, or an object with
/// `class_name` and `config`.
pub(crate) fn object(value: &Value) -> Result<(&str, Config), String> {
    if let Value::String(name) = value {
        return Ok((name, Config::new()));
    }
    let name = value.get("class_name").and_then(Value::as_str);
    let config = value.get("config");
    match (name, config) {
        (Some(name), Some(Value::Object(config))) => Ok((name, config.clone())),
        (Some(name), None | Some(Value::Null)) => Ok((name, Config::new())),
        _ => Err(format!(
            "expected a name, or an object with class_name and config, and found {value}"
        )),
    }
}

/// The class name and options of a layer in another layer's options: without its name, and without what says nothing about
/// how it computes.
pub(super) fn nested(value: &Value) -> Result<(&str, Config), String> {
    let (class_name, mut config) = object(value)?;
    let registered = value.get("registered_name").and_then(Value::as_str);
    if let Some(registered) = registered.filter(|name| name.contains('>')) {
        return Err(format!("the layer in it is the class {registered} of somebody's own"));
    }
    for name in ["name", "dtype", "batch_input_shape"] {
        config.shift_remove(name);
    }
    Ok((class_name, config))
}

/// A JSON object as options.
pub(crate) fn as_config(object: Value) -> Config {
    let Value::Object(config) = object else { unreachable!("written as an object") };
    config
}

/// An object as Keras writes it.
pub(crate) fn keras_object(module: &str, class_name: &str, config: Value) -> Value {
    serde_json::json!({
        "module": module, "class_name": class_name, "config": config, "registered_name": null,
    })
}
