//! Filters (lecture 9.1): transformations of a signal that bring out some features and suppress others.
//!
//! A filter `f` is laid over each place of a series or a picture `x`; what lies on top of each other is multiplied, and
//! the sum is the value at that place. A layer of a convolutional network ([`Conv2d`](crate::Conv2d)) does the same with filters
//! that it learned. Here they are chosen by hand.
//!
//! ```
//! use cinta::prelude::*;
//! use cinta::filters;
//!
//! // A picture that is dark above and bright below.
//! let picture = Tensor::from_fn([5, 4], |at| if at[0] < 2 { 0.0 } else { 1.0 });
//! let edges = filters::correlate(&picture, &filters::edge(), Valid);
//! assert_eq!(edges.shape(), [3, 2]);
//! assert_eq!(edges.slice(1, 0..1).to_vec(), [3.0, 3.0, 0.0]); // bright below, dark above: strong
//!
//! // Mean values of neighbours, and the differences from one value to the next.
//! let series = Tensor::from([1.0, 3.0, 5.0, 3.0, 1.0]);
//! let smooth = filters::moving_average(&series, 3);
//! assert_eq!(smooth.slice(0, 1..4).map(f32::round).to_vec(), [3.0, 4.0, 3.0]);
//! assert_eq!(filters::differences(&series).slice(0, 1..5).to_vec(), [2.0, 2.0, -2.0, -2.0]);
//! ```

mod correlate;
mod matrices;
mod series;

pub use correlate::{convolve, correlate};
pub use matrices::{blur, edge, falling_diagonal, rising_diagonal};
pub use series::{differences, moving_average};
