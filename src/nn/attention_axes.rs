//! Attention over other axes than the steps of sequences.

use super::{Context, Mode};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// Which axes of a batch are the steps, and which have nothing to do with each other; the last one has the features.
#[derive(Debug, PartialEq)]
pub(super) struct AttentionAxes {
    beside: Vec<usize>,
    steps: Vec<usize>,
}

impl AttentionAxes {
    /// Those of samples of this rank. Below 0, axes are counted from the last one; none at all stands for all of them.
    pub(super) fn new(axes: &[isize], rank: usize) -> Result<Self, Reason> {
        let place = |axis: isize| if axis < 0 { axis + rank as isize + 1 } else { axis };
        let chosen = |axis: usize| axes.iter().any(|&it| place(it) == axis as isize);
        let (steps, beside): (Vec<usize>, Vec<usize>) =
            (1..rank.max(1)).partition(|&axis| axes.is_empty() || chosen(axis));
        if steps.is_empty() || (!axes.is_empty() && steps.len() != axes.len()) {
            return Err(format!(
                "attends over the axes {axes:?}, and a sample has {rank}, the last of them features; use some of 1 to {}",
                rank.saturating_sub(1)
            )
            .into());
        }
        Ok(AttentionAxes { beside, steps })
    }

    /// Whether these are the steps of sequences, as they are.
    pub(super) fn is_plain(&self) -> bool {
        self.beside.is_empty() && self.steps == [1]
    }

    /// Whether steps are counted along the first axis, as masks are.
    pub(super) fn is_first(&self) -> bool {
        self.steps == [1]
    }

    /// A sample as a sequence, `[steps, features]`, and the sizes of what is beside.
    pub(super) fn sequence(&self, sample: Shape) -> (Shape, Vec<usize>) {
        let size = |&axis: &usize| sample[axis - 1];
        let steps = self.steps.iter().map(size).product();
        let beside = self.beside.iter().map(size).collect();
        (Shape::from([steps, sample[sample.rank() - 1]]), beside)
    }

    fn order(&self) -> Vec<usize> {
        [&[0], &self.beside[..], &self.steps].concat()
    }

    /// A batch as one of sequences: `[n beside, steps, features]`.
    pub(super) fn folded<'t, T: Scalar>(&self, x: &Var<'t, T>) -> Var<'t, T> {
        let last = x.shape().rank() - 1;
        let (sequence, beside) = self.sequence(x.shape().sample());
        let rows = x.shape()[0] * beside.iter().product::<usize>();
        let order = [&self.order()[..], &[last]].concat();
        x.permute_axes(&order).reshape(&sequence.batch(rows)[..])
    }

    /// What came out for each step, `[n beside, steps, ..]`, in the places of the query.
    pub(super) fn unfolded<'t, T: Scalar>(&self, y: &Var<'t, T>, query: Shape) -> Var<'t, T> {
        let order = self.order();
        let outputs = &y.shape()[2..];
        let sizes: Vec<usize> = order.iter().map(|&axis| query[axis]).collect();
        let y = y.reshape(&[&sizes, outputs].concat()[..]);
        let mut back = vec![0; order.len()];
        order.iter().enumerate().for_each(|(at, &axis)| back[axis] = at);
        back.extend(order.len()..y.shape().rank());
        y.permute_axes(&back)
    }

    /// Where the folded sequences run: each of them is a sample.
    ///
    /// # Panics
    /// When there is a mask for something else than all steps.
    #[track_caller]
    pub(super) fn context<T: Scalar>(&self, cx: &Context<T>, samples: &[Shape]) -> Context<T> {
        let (_, beside) = self.sequence(samples[0]);
        let count = beside.iter().product::<usize>();
        let mode = match cx.mode() {
            Mode::Train { seed, step, layer, first_sample } => {
                Mode::Train { seed, step, layer, first_sample: first_sample * count }
            }
            Mode::Infer => Mode::Infer,
        };
        let mut masks = cx.masks().zip(samples).map(|(mask, &sample)| {
            let steps = self.sequence(sample).0[0];
            mask.map(|mask: Tensor<T>| {
                let shape = mask.shape();
                assert!(
                    self.beside.is_empty() && shape.sample().count() == steps,
                    "attention over the axes {:?} of samples of shape {sample} has a mask of shape {shape}",
                    self.steps
                );
                mask.reshape([shape[0], steps])
            })
        });
        let first = masks.next().flatten();
        Context::new(mode).with_mask(first).with_other_masks(masks.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_samples() {
        let axes = |axes: &[isize], rank| AttentionAxes::new(axes, rank);
        assert!(axes(&[], 2).unwrap().is_plain() && axes(&[-2], 2).unwrap().is_plain());
        let second = axes(&[2], 3).unwrap();
        assert_eq!(second, AttentionAxes { beside: vec![1], steps: vec![2] });
        assert_eq!(second.sequence([4, 5, 6].into()), ([5, 6].into(), vec![4]));
        assert_eq!(axes(&[1, -2], 3), axes(&[], 3));
        for wrong in [&[0][..], &[3], &[-1], &[1, 1]] {
            assert!(
                axes(wrong, 3).unwrap_err().as_str().contains("use some of 1 to 2"),
                "{wrong:?}"
            );
        }
        assert!(axes(&[], 1).is_err() && axes(&[], 0).is_err());
    }

    #[test]
    fn what_is_folded_comes_back() {
        let x = Var::constant(Tensor::<f64>::from_fn([2, 3, 4, 5], |at| {
            at.iter().fold(0.0, |sum, &index| 10.0 * sum + index as f64)
        }));
        for axes in [&[][..], &[1], &[2]] {
            let axes = AttentionAxes::new(axes, 3).unwrap();
            assert_eq!(axes.unfolded(&axes.folded(&x), x.shape()).value(), x.value());
        }
        let folded = AttentionAxes::new(&[1], 3).unwrap().folded(&x).into_value();
        assert_eq!(folded.shape(), [8, 3, 5]);
        assert_eq!(folded.at([5, 2, 3]), 1213.0);
    }
}
