//! Which of two values is the better one.

/// Which values of a metric are good: Keras's `mode` of the callbacks that watch one.
///
/// ```
/// use cinta::prelude::*;
/// use cinta::{Direction, Metric};
/// assert_eq!(Metric::<f32>::direction(&Accuracy), Some(Direction::Max));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Small ones, as of a loss.
    Min,
    /// Large ones, as of an accuracy.
    Max,
}
