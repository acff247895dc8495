//! Data: pairs of inputs and targets, and where to get some.

mod bjsales;
mod dataset;
#[cfg(feature = "digits")]
mod digits;
mod files;
mod mnist;
mod one_hot;
#[cfg(feature = "images")]
mod photograph;
#[cfg(feature = "digits")]
mod resize;
mod zip_digits;

pub use bjsales::bjsales;
pub use dataset::Dataset;
#[cfg(feature = "digits")]
pub use digits::digits;
pub use mnist::mnist;
pub use one_hot::one_hot;
#[cfg(feature = "images")]
pub use photograph::photograph;
pub use zip_digits::zip_digits;
