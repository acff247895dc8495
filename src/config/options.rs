//! Reading a layer's options from a file, without overlooking any.

use super::{Config, OptionValue, Value};
use crate::error::Reason;

/// The options of a layer, as a file holds them. Each is taken by name; [`finish`](Self::finish)
/// then refuses what is left over, so that no option of another program is silently ignored.
///
/// ```
/// use cinta::{Config, Options};
/// let config = Config::from_json(r#"{ "rate": 0.5, "seed": null, "noise_shape": [1, 2] }"#)?;
/// let mut options = Options::new(&config);
/// assert_eq!(options.number("rate"), Ok(0.5));
/// let error = options.finish().unwrap_err();
/// assert_eq!(error, "the option noise_shape = [1,2] is not supported; leave it out");
/// # Ok::<(), cinta::Reason>(())
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
        self.given(name).filter(|value| !value.is_null())
    }

    /// Takes an option, null too.
    fn given(&mut self, name: &str) -> Option<&'a Value> {
        let at = self.left.iter().position(|(left, _)| *left == name)?;
        Some(self.left.swap_remove(at).1)
    }

    fn required(&mut self, name: &str) -> Result<&'a Value, Reason> {
        self.take(name).ok_or_else(|| format!("the option {name} is missing").into())
    }

    /// Takes a number.
    ///
    /// # Errors
    /// When it is missing, or no number.
    ///
    /// ```
    /// # use cinta::{Config, Options};
    /// let config = Config::from_json(r#"{ "rate": "half" }"#)?;
    /// let error = Options::new(&config).number("rate").unwrap_err();
    /// assert_eq!(error, "the option rate = \"half\" is not a finite number");
    /// # Ok::<(), cinta::Reason>(())
    /// ```
    pub fn number(&mut self, name: &str) -> Result<f64, Reason> {
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
    pub fn number_or(&mut self, name: &str, default: f64) -> Result<f64, Reason> {
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
    pub fn number_if_given(&mut self, name: &str) -> Result<Option<f64>, Reason> {
        if self.has(name) { self.number(name).map(Some) } else { Ok(None) }
    }

    /// Takes a whole number of at least 1.
    ///
    /// # Errors
    /// When it is missing, or no such number.
    ///
    /// ```
    /// # use cinta::{Config, Options};
    /// let config = Config::from_json(r#"{ "units": 10 }"#)?;
    /// assert_eq!(Options::new(&config).count("units"), Ok(10));
    /// # Ok::<(), cinta::Reason>(())
    /// ```
    pub fn count(&mut self, name: &str) -> Result<usize, Reason> {
        self.required_option(name)
    }

    /// Takes two whole numbers of at least 1: `[5, 3]`, or one for both.
    ///
    /// # Errors
    /// When they are missing, or no such numbers.
    ///
    /// ```
    /// # use cinta::{Config, Options};
    /// let config = Config::from_json(r#"{ "kernel_size": [5, 3] }"#)?;
    /// assert_eq!(Options::new(&config).pair("kernel_size"), Ok([5, 3]));
    /// # Ok::<(), cinta::Reason>(())
    /// ```
    pub fn pair(&mut self, name: &str) -> Result<[usize; 2], Reason> {
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
    pub fn pair_or(&mut self, name: &str, default: [usize; 2]) -> Result<[usize; 2], Reason> {
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
    pub fn flag(&mut self, name: &str, default: bool) -> Result<bool, Reason> {
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
    /// # use cinta::{Config, Options};
    /// let config = Config::from_json(r#"{ "name": "conv_1" }"#)?;
    /// assert_eq!(Options::new(&config).text("name"), Ok(Some("conv_1")));
    /// # Ok::<(), cinta::Reason>(())
    /// ```
    pub fn text(&mut self, name: &str) -> Result<Option<&'a str>, Reason> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(format!("the option {name} = {other} is not a text").into()),
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
    /// # use cinta::{Config, Options};
    /// let config = Config::from_json(r#"{ "data_format": "channels_first" }"#)?;
    /// let error = Options::new(&config)
    ///     .only("data_format", &"channels_last".into())
    ///     .unwrap_err();
    /// assert!(error.to_string().contains("only \"channels_last\" is supported"));
    /// # Ok::<(), cinta::Reason>(())
    /// ```
    pub fn only(&mut self, name: &str, supported: &Value) -> Result<(), Reason> {
        match self.take(name) {
            Some(value) if value != supported => Err(format!(
                "the option {name} = {value} is not supported; only {supported} is supported"
            )
            .into()),
            _ => Ok(()),
        }
    }

    /// Takes options that are of no consequence for what a layer computes.
    ///
    /// ```
    /// # use cinta::{Config, Options};
    /// let config = Config::from_json(r#"{ "dtype": "float32" }"#)?;
    /// let mut options = Options::new(&config);
    /// options.ignore(&["dtype"]);
    /// assert!(options.finish().is_ok());
    /// # Ok::<(), cinta::Reason>(())
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
    pub fn finish(self) -> Result<(), Reason> {
        match self.left.into_iter().find(|(_, value)| !value.is_null()) {
            Some((name, value)) => {
                Err(format!("the option {name} = {value} is not supported; leave it out").into())
            }
            None => Ok(()),
        }
    }

    /// Takes an option of a layer's recipe into its place; what is missing or null keeps its default.
    pub(crate) fn option<V: OptionValue>(&mut self, name: &str, to: &mut V) -> Result<(), Reason> {
        let given = match self.given(name) {
            None => return Ok(()),
            Some(Value::Null) => V::read_null(),
            Some(value) => V::read(value).map(Some),
        };
        match given {
            Ok(None) => Ok(()),
            Ok(Some(value)) => {
                *to = value;
                Ok(())
            }
            Err(error) => Err(wrong(name, error)),
        }
    }

    /// Takes an option of a layer's recipe that has no default.
    pub(crate) fn required_option<V: OptionValue>(&mut self, name: &str) -> Result<V, Reason> {
        let value = self.required(name)?;
        V::read(value).map_err(|error| wrong(name, error))
    }
}
/// What is wrong with an option.
fn wrong(name: &str, error: Reason) -> Reason {
    format!("the option {name}{error}").into()
}
