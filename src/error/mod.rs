//! The only error type, and the reasons in it.

mod reason;

#[cfg(any(feature = "keras", feature = "npy"))]
pub(crate) use reason::Cause;
pub use reason::Reason;

use std::fmt;
use std::path::{Path, PathBuf};

/// What can go wrong with the world: files, data and configuration.
///
/// A wrong *program* (shapes that do not fit an operation) panics at the caller's line instead.
///
/// ```
/// use cinta::prelude::*;
/// let error = Sequential::new([8, 8, 1]).add(Conv2d::new(4, 9)).build(0).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "layer conv2d (Conv2D): the window of 9x9 does not fit into the image of 8x8; \
///      use a smaller window or padding `same`"
/// );
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file or folder is not what it should be, or cannot hold what it should.
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        reason: Reason,
    },
    /// A layer's options do not fit together, or do not fit its input.
    Layer {
        /// The layer's name.
        layer: String,
        /// The layer's class, by Keras's name.
        class: String,
        /// What is wrong, and what would be right.
        reason: Reason,
    },
    /// No layer has the name that was asked for.
    NoSuchLayer {
        /// The name asked for.
        name: String,
        /// The names that exist.
        existing: Vec<String>,
    },
    /// Inputs, targets or weights do not fit the model, or hold values that are not finite.
    Data(Reason),
    /// An option of `compile`, `fit`, `evaluate`, `predict` or `save` makes no sense.
    Config(Reason),
    /// The loss or a weight stopped being a finite number. The weights are those before the batch.
    Diverged {
        /// The epoch, counted from 1 as the progress line counts it.
        epoch: u64,
        /// The batch within the epoch, counted from 1.
        batch: usize,
    },
}

/// A result with this crate's [`Error`].
///
/// ```
/// fn last(model: &cinta::Model) -> cinta::Result<usize> {
///     Ok(model.get_layer("conv_1")?.output_shape()[0])
/// }
/// # let model = cinta::Sequential::new([8, 8, 1]).add(cinta::Conv2d::new(4, 3).name("conv_1")).build(0)?;
/// assert_eq!(last(&model)?, 6);
/// let other = cinta::Sequential::new([4]).add(cinta::Dense::new(2)).build(0)?;
/// assert!(last(&other).is_err());
/// # Ok::<(), cinta::Error>(())
/// ```
pub type Result<V, E = Error> = std::result::Result<V, E>;

impl Error {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Error::Io { path: path.to_owned(), source }
    }

    pub(crate) fn format(path: &Path, reason: impl Into<Reason>) -> Self {
        Error::Format { path: path.to_owned(), reason: reason.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Error::Format { path, reason } => write!(f, "{}: {reason}", path.display()),
            Error::Layer { layer, class, reason } => write!(f, "layer {layer} ({class}): {reason}"),
            Error::NoSuchLayer { name, existing } => {
                write!(f, "no layer is called {name:?}; this model has {}", existing.join(", "))
            }
            Error::Data(reason) | Error::Config(reason) => reason.fmt(f),
            Error::Diverged { epoch, batch } => write!(
                f,
                "the loss or a weight is not finite in epoch {epoch}, batch {batch}: training diverged; \
                 use a smaller learning rate, or scale the inputs"
            ),
        }
    }
}

/// The [`Reason`], or what the operating system said. [`Display`](fmt::Display) says it too, since most programs print that alone.
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            Error::Format { reason, .. } | Error::Layer { reason, .. } => Some(reason),
            Error::Data(reason) | Error::Config(reason) => Some(reason),
            Error::NoSuchLayer { .. } | Error::Diverged { .. } => None,
        }
    }
}
