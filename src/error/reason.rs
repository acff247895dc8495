//! Why something cannot be done.

use std::error::Error;
use std::fmt;

/// A sentence that says what is wrong, and what would be right; and, where another library refused something, its error as the
/// [`source`](Error::source).
///
/// Options, layers, losses, metrics and optimizers give one where they refuse something. A [model](crate::Model) or a file adds
/// which layer or which path it was, and makes an [`Error`](crate::Error) of it.
///
/// ```
/// use cinta::Reason;
/// let reason = Reason::from(format!("the rate {} is not between 0 and 1", 1.5));
/// assert_eq!(reason.to_string(), "the rate 1.5 is not between 0 and 1");
/// assert_eq!(reason, "the rate 1.5 is not between 0 and 1");
/// ```
#[derive(Debug)]
pub struct Reason {
    sentence: String,
    cause: Option<Cause>,
}

/// The error of another library.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

impl Reason {
    /// A sentence, and the error of another library that it tells of.
    ///
    /// ```
    /// use cinta::Reason;
    /// use std::error::Error;
    /// let cause = "x".parse::<usize>().unwrap_err();
    /// let reason = Reason::because(format!("\"x\" is no size: {cause}"), cause);
    /// assert!(reason.to_string().starts_with("\"x\" is no size: invalid digit"));
    /// assert!(reason.source().unwrap().is::<std::num::ParseIntError>());
    /// ```
    pub fn because(
        sentence: impl Into<String>,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Reason { sentence: sentence.into(), cause: Some(cause.into()) }
    }

    /// A file of a kind that is damaged or cut off, according to another library.
    pub(crate) fn incomplete(kind: &str, cause: impl Into<Cause>) -> Self {
        let cause = cause.into();
        Self::because(format!("not a complete {kind} ({cause}); save or download it again"), cause)
    }

    /// The sentence.
    ///
    /// ```
    /// assert!(cinta::Reason::from("the axis 7 is not there").as_str().contains("axis 7"));
    /// ```
    pub fn as_str(&self) -> &str {
        &self.sentence
    }

    /// The same with another sentence around it.
    pub(crate) fn inside(self, sentence: impl FnOnce(&str) -> String) -> Self {
        Reason { sentence: sentence(&self.sentence), cause: self.cause }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl Error for Reason {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause: &(dyn Error + 'static) = self.cause.as_deref()?;
        Some(cause)
    }
}

impl From<String> for Reason {
    fn from(sentence: String) -> Self {
        Reason { sentence, cause: None }
    }
}

impl From<&str> for Reason {
    fn from(sentence: &str) -> Self {
        sentence.to_owned().into()
    }
}

/// Reasons are equal if they say the same.
impl PartialEq for Reason {
    fn eq(&self, other: &Self) -> bool {
        self.sentence == other.sentence
    }
}

impl PartialEq<&str> for Reason {
    fn eq(&self, other: &&str) -> bool {
        self.sentence == *other
    }
}
