//! Configurations as JSON text.

use super::{Config, Value};
use crate::error::Reason;
use serde_json::Value as Json;

/// A [`Value`] that reads like JSON: `json!({ "class_name": name, "config": { "rate": 0.5, "shape": [null, 3] } })`.
macro_rules! json {
    (null) => { $crate::config::Value::Null };
    ([ $($items:tt)* ]) => { $crate::config::json!(@list [] $($items)*) };
    ({ $($entries:tt)* }) => {{
        #[allow(unused_mut)]
        let mut config = $crate::config::Config::new();
        $crate::config::json!(@object config $($entries)*);
        $crate::config::Value::Object(config)
    }};

    (@list [$($item:expr,)*]) => { $crate::config::Value::Array(vec![$($item,)*]) };
    (@list [$($item:expr,)*] null $(, $($rest:tt)*)?) => {
        $crate::config::json!(@list [$($item,)* $crate::config::json!(null),] $($($rest)*)?)
    };
    (@list [$($item:expr,)*] [$($inner:tt)*] $(, $($rest:tt)*)?) => {
        $crate::config::json!(@list [$($item,)* $crate::config::json!([$($inner)*]),] $($($rest)*)?)
    };
    (@list [$($item:expr,)*] {$($inner:tt)*} $(, $($rest:tt)*)?) => {
        $crate::config::json!(@list [$($item,)* $crate::config::json!({$($inner)*}),] $($($rest)*)?)
    };
    (@list [$($item:expr,)*] $next:expr $(, $($rest:tt)*)?) => {
        $crate::config::json!(@list [$($item,)* $crate::config::json!($next),] $($($rest)*)?)
    };

    (@object $config:ident) => {};
    (@object $config:ident $name:tt: null $(, $($rest:tt)*)?) => {
        $config.insert($name, $crate::config::json!(null));
        $crate::config::json!(@object $config $($($rest)*)?);
    };
    (@object $config:ident $name:tt: [$($inner:tt)*] $(, $($rest:tt)*)?) => {
        $config.insert($name, $crate::config::json!([$($inner)*]));
        $crate::config::json!(@object $config $($($rest)*)?);
    };
    (@object $config:ident $name:tt: {$($inner:tt)*} $(, $($rest:tt)*)?) => {
        $config.insert($name, $crate::config::json!({$($inner)*}));
        $crate::config::json!(@object $config $($($rest)*)?);
    };
    (@object $config:ident $name:tt: $value:expr $(, $($rest:tt)*)?) => {
        $config.insert($name, $crate::config::json!($value));
        $crate::config::json!(@object $config $($($rest)*)?);
    };

    ($value:expr) => { $crate::config::Value::from(&$value) };
}

pub(crate) use json;

/// The value that a text says.
pub(crate) fn parse(text: impl AsRef<[u8]>) -> Result<Value, Reason> {
    serde_json::from_slice(text.as_ref())
        .map(value)
        .map_err(|error| Reason::because(error.to_string(), error))
}

/// A value as text.
pub(super) fn text(value: &Value) -> String {
    printable(value).to_string()
}

fn value(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(it) => Value::Bool(it),
        Json::Number(it) => match (it.as_i128(), it.as_f64()) {
            (Some(whole), _) => Value::Integer(whole),
            (None, float) => Value::Float(float.unwrap_or(f64::NAN)),
        },
        Json::String(it) => Value::String(it),
        Json::Array(list) => list.into_iter().map(value).collect(),
        Json::Object(entries) => {
            Value::Object(entries.into_iter().map(|(name, it)| (name, value(it))).collect())
        }
    }
}

/// A number that JSON cannot say, such as an infinity, becomes a null.
fn printable(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(it) => Json::Bool(*it),
        Value::Integer(it) => serde_json::Number::from_i128(*it).map_or(Json::Null, Json::Number),
        Value::Float(it) => serde_json::Number::from_f64(*it).map_or(Json::Null, Json::Number),
        Value::String(it) => Json::String(it.clone()),
        Value::Array(list) => list.iter().map(printable).collect(),
        Value::Object(config) => {
            config.iter().map(|(name, it)| (name.clone(), printable(it))).collect()
        }
    }
}

impl Config {
    /// The options that a JSON object says.
    ///
    /// # Errors
    /// When the text is no JSON object.
    ///
    /// ```
    /// use cinta::Config;
    /// let config = Config::from_json(r#"{ "units": 10, "use_bias": false }"#)?;
    /// assert_eq!(config.get("units").unwrap().as_u64(), Some(10));
    /// assert!(Config::from_json("[1]").is_err() && Config::from_json("{").is_err());
    /// # Ok::<(), cinta::Reason>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self, Reason> {
        match parse(text)? {
            Value::Object(config) => Ok(config),
            other => Err(format!("{other} is no JSON object").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        let text = r#"{"b":[1,-2,0.5,1.0,1e+300,18446744073709551615,null,true],"a":{"":"é\n"},"c":[],"d":{}}"#;
        let value = parse(text).unwrap();
        assert_eq!(value.to_string(), text);
        let same = json!({
            "b": [1, -2, 0.5, 1.0, 1e300, u64::MAX, null, true], "a": { "": "é\n" }, "c": [], "d": {},
        });
        assert_eq!(value, same);
        assert_ne!(json!([1]), json!([1.0]));
        assert_eq!(json!([[null], { "x": null }]).to_string(), r#"[[null],{"x":null}]"#);
        assert_eq!(json!([f64::NAN, f64::INFINITY, i128::MAX]).to_string(), "[null,null,null]");
    }

    #[test]
    fn what_is_no_json() {
        use std::error::Error;
        for text in ["", "{", "nothing", "[1,]", "{\"a\":1} 2"] {
            let reason = parse(text).unwrap_err();
            assert!(reason.source().is_some_and(|cause| cause.to_string() == reason.to_string()));
        }
        assert!(parse("[".repeat(100_000)).unwrap_err().to_string().contains("recursion"));
    }
}
