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

    /// Which of the folded steps count, `[n beside, steps]`, from a mask of a batch's places.
    fn folded_mask<T: Scalar>(&self, mask: &Tensor<T>) -> Tensor<T> {
        let size = |&axis: &usize| mask.shape()[axis];
        let steps: usize = self.steps.iter().map(size).product();
        let rows: usize = self.beside.iter().map(size).product();
        mask.permuted(&self.order()).reshape([mask.shape()[0] * rows, steps])
    }

    /// Where the folded sequences run: each of them is a sample.
    ///
    /// # Panics
    /// When a mask is none of the places of its input.
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
        let mut masks = Vec::with_capacity(samples.len());
        for (mask, &sample) in cx.masks().zip(samples) {
            let checked =
                mask.as_ref().map_or(Ok(()), |it| check_mask(sample, it.shape().sample()));
            if let Err(reason) = checked {
                panic!("attention {reason}");
            }
            masks.push(mask.map(|mask| self.folded_mask(&mask)));
        }
        let first = masks.remove(0);
        Context::new(mode).with_mask(first).with_other_masks(masks)
    }
}

/// Whether a mask of this shape says of each place of such a sample whether it counts.
pub(super) fn check_mask(sample: Shape, mask: Shape) -> Result<(), Reason> {
    let places = &sample[..sample.rank() - 1];
    if mask[..] == *places {
        return Ok(());
    }
    Err(format!(
        "needs a mask of the shape {places:?} for a sample of shape {sample}, and this one has the shape {mask}"
    )
    .into())
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

    /// A mask is folded as the values are.
    #[test]
    fn masks_go_with_what_they_are_of() {
        let x = Tensor::<f64>::from_fn([2, 3, 4, 1], |at| (at[0] + 2 * at[1] + at[2]) as f64 % 3.0);
        let mask = x.reshape([2, 3, 4]);
        for axes in [&[][..], &[1], &[2]] {
            let axes = AttentionAxes::new(axes, 3).unwrap();
            let folded = axes.folded(&Var::constant(x.clone())).into_value();
            let cx = Context::new(Mode::Infer).with_mask(Some(mask.clone()));
            let cx = axes.context(&cx, &[[3, 4, 1].into()]);
            let found = cx.mask().expect("there is one");
            assert_eq!(*found, folded.reshape(found.shape()));
            assert_eq!(found.shape()[..], folded.shape()[..2]);
        }
        let places = Shape::from([3, 4]);
        assert!(check_mask([3, 4, 5].into(), places).is_ok());
        let error = check_mask([3, 4, 5].into(), [3].into()).unwrap_err();
        assert!(error.as_str().contains("the shape [3, 4] for a sample of shape [3, 4, 5]"));
    }
}
