//! Axes as an option: one or several.

use crate::config::{OptionValue, Value, json, not};
use crate::error::Reason;

/// One axis of a batch, or several. As in Keras, 0 is that of the samples, 1 the first of a sample, and -1 the last.
///
/// ```
/// use cinta::prelude::*;
/// let model = |layer: LayerNormalization| Sequential::new([4, 3]).add(layer).build(0);
/// assert_eq!(model(LayerNormalization::new().axis(-1))?.count_params(), 2 * 3);
/// assert_eq!(model(LayerNormalization::new().axis([1, 2]))?.count_params(), 2 * 4 * 3);
/// assert_eq!(cinta::AxisList::from(-1), cinta::AxisList::from([-1]));
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AxisList(Vec<isize>);

impl From<isize> for AxisList {
    fn from(axis: isize) -> Self {
        AxisList(vec![axis])
    }
}

impl From<Vec<isize>> for AxisList {
    fn from(axes: Vec<isize>) -> Self {
        AxisList(axes)
    }
}

impl<const N: usize> From<[isize; N]> for AxisList {
    fn from(axes: [isize; N]) -> Self {
        AxisList(axes.to_vec())
    }
}

impl AxisList {
    /// The axes as they were given.
    pub(super) fn given(&self) -> &[isize] {
        &self.0
    }

    /// The axes, in ascending order, of a batch whose samples have so many.
    pub(super) fn in_batch(&self, rank: usize) -> Result<Vec<usize>, Reason> {
        let mut axes = self
            .0
            .iter()
            .map(|&axis| in_batch(axis, rank))
            .collect::<Result<Vec<usize>, Reason>>()?;
        axes.sort_unstable();
        if axes.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(format!("the axes {:?} name one twice", self.0).into());
        }
        Ok(axes)
    }
}

/// An axis of a batch whose samples have so many, but not that of the samples.
pub(super) fn in_batch(axis: isize, rank: usize) -> Result<usize, Reason> {
    let from_front = if axis < 0 { axis.saturating_add_unsigned(rank + 1) } else { axis };
    usize::try_from(from_front).ok().filter(|axis| (1..=rank).contains(axis)).ok_or_else(|| {
        format!("the axis {axis} is none of a sample's; they are 1 to {rank}, or -1 to -{rank}")
            .into()
    })
}

impl OptionValue for AxisList {
    fn read(value: &Value) -> Result<Self, Reason> {
        let whole = |value: &Value| value.as_i64().and_then(|axis| isize::try_from(axis).ok());
        let axes = match value.as_array() {
            Some(axes) => axes.iter().map(whole).collect(),
            None => whole(value).map(|axis| vec![axis]),
        };
        axes.map(AxisList).ok_or_else(|| not(value, "an axis or a list of axes"))
    }

    fn write(&self) -> Value {
        match self.0[..] {
            [axis] => json!(axis),
            _ => json!(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_a_sample() {
        assert_eq!(AxisList::from([-1, 1]).in_batch(3), Ok(vec![1, 3]));
        assert!(
            AxisList::from([-1, 3]).in_batch(3).unwrap_err().as_str().contains("name one twice")
        );
        for axis in [0, 4, -4, isize::MIN, isize::MAX] {
            assert!(
                AxisList::from(axis).in_batch(3).unwrap_err().as_str().contains("1 to 3"),
                "{axis}"
            );
        }
        assert_eq!(AxisList::read(&json!([1])), Ok(AxisList::from(1)));
        assert!(AxisList::read(&json!([1.5])).is_err());
    }
}
