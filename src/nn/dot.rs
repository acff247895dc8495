//! The layer of inner products.

use super::axis_list::in_batch;
use super::recipe::{described, recipe};
use super::unit_normalization::of_unit_length;
use super::{AxisList, Context, MultiLayer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{MAX_RANK, Shape};

recipe! {
    /// Inner products of two inputs along an axis of each: `[a, k]` and `[b, k]` along `[2, 2]` give `[a, b]`, and two vectors
    /// give one number.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let (user, film) = (Input::new([2]), Input::new([2]));
    /// let score = Dot::new(1).of([&user, &film]);
    /// let model = Model::new([&user, &film], &score).build(0)?;
    /// let scores = model.predict_all(&[&Tensor::from([[1.0, 2.0]]), &Tensor::from([[3.0, -1.0]])])?;
    /// assert_eq!(scores[0], Tensor::from([[1.0]]));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Dot = "Dot";
    /// Along this axis of both, or along the first axis of the first input and the second of the second. As in Keras, 1 is the
    /// first axis of a sample, and -1 the last.
    new(axes: AxisList as impl Into<AxisList>, into);
    example ([2, 3] twice) => Dot::new([1, 1]) => [3, 3];
    options {
        /// Whether both are divided by their lengths along these axes: the cosine of the angle between them.
        normalize: bool = false, true;
    }
    fixed {}
    ignored []
}

impl Dot {
    /// The axis of each batch.
    fn in_batches(&self, ranks: [usize; 2]) -> Result<[usize; 2], Reason> {
        let [a, b] = match *self.axes.given() {
            [both] => [both; 2],
            [a, b] => [a, b],
            _ => return Err("axes is one number or two".into()),
        };
        Ok([in_batch(a, ranks[0])?, in_batch(b, ranks[1])?])
    }
}

/// The sizes of a sample without this axis of the batch.
fn without(sample: Shape, axis: usize) -> Vec<usize> {
    let mut sizes = sample.to_vec();
    sizes.remove(axis - 1);
    sizes
}

impl<T: Scalar> MultiLayer<T> for Dot {
    described!();

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape, Reason> {
        let [a, b] = *inputs else {
            return Err(format!("takes two inputs, and {} are given", inputs.len()).into());
        };
        let axes = self.in_batches([a.rank(), b.rank()])?;
        let [k, l] = [a[axes[0] - 1], b[axes[1] - 1]];
        if k != l {
            return Err(format!(
                "needs axes of one length, and axis {} of {a} has {k} where axis {} of {b} has {l}",
                axes[0], axes[1]
            )
            .into());
        }
        let shape = [without(a, axes[0]), without(b, axes[1])].concat();
        match shape.len() {
            0 => Ok(Shape::from([1])),
            rank if rank < MAX_RANK => Ok(Shape::new(&shape)),
            rank => {
                Err(format!("the output would have {rank} axes; {} are the most", MAX_RANK - 1)
                    .into())
            }
        }
    }

    fn forward<'t>(
        &self,
        _: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        let samples = [inputs[0], inputs[1]].map(|x| x.shape().sample());
        let axes = self.in_batches(samples.map(|sample| sample.rank()));
        let [i, j] = axes.expect("output_shape has checked it");
        let [mut a, mut b] = [inputs[0].clone(), inputs[1].clone()];
        if self.normalize {
            // The least length is the epsilon of Keras.
            (a, b) = (of_unit_length(&a, &[i], 1e-7), of_unit_length(&b, &[j], 1e-7));
        }
        let [rest_a, rest_b] = [without(samples[0], i), without(samples[1], j)];
        let (n, k) = (a.shape()[0], a.shape()[i]);
        let others = |rank: usize, axis: usize| (1..=rank).filter(move |&other| other != axis);
        // [n, .., k] and [n, k, ..]
        let last: Vec<usize> =
            [0].into_iter().chain(others(rest_a.len() + 1, i)).chain([i]).collect();
        let first: Vec<usize> = [0, j].into_iter().chain(others(rest_b.len() + 1, j)).collect();
        let a = a.permute_axes(&last).reshape([n, rest_a.iter().product(), k]);
        let b = b.permute_axes(&first).reshape([n, k, rest_b.iter().product()]);
        let mut shape = [&[n], &rest_a[..], &rest_b[..]].concat();
        if shape.len() == 1 {
            shape.push(1);
        }
        a.batch_matmul(&b).reshape(&shape[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Mode;
    use crate::tensor::{Stream, Tensor};

    #[test]
    fn gradients() {
        let draw = |shape: &[usize], seed| -> Tensor<f64> {
            Tensor::uniform(shape, -1.0, 1.0, &mut Stream::new(seed))
        };
        for (a, b, axes) in [
            (draw(&[3, 4], 1), draw(&[3, 4], 2), AxisList::from(1)),
            (draw(&[3, 4, 2], 1), draw(&[3, 5, 4], 2), AxisList::from([1, -1])),
            (draw(&[2, 3, 2, 4], 1), draw(&[2, 4], 2), AxisList::from(-1)),
        ] {
            for normalize in [false, true] {
                let layer = Dot::new(axes.clone()).normalize(normalize);
                let cx = || Context::new(Mode::Infer);
                gradcheck(
                    |[a, b]| layer.forward(&[], &[a, b], &mut cx()).square(),
                    [a.clone(), b.clone()],
                )
                .unwrap();
            }
        }
    }

    #[test]
    fn what_does_not_fit() {
        let shape = |axes: AxisList, inputs: &[Shape]| {
            MultiLayer::<f32>::output_shape(&Dot::new(axes), inputs)
        };
        let (a, b) = (Shape::from([2, 3]), Shape::from([3, 2]));
        assert_eq!(shape([1, 2].into(), &[a, b]), Ok(Shape::from([3, 3])));
        assert!(
            shape(1.into(), &[a, b])
                .unwrap_err()
                .as_str()
                .contains("has 2 where axis 1 of [3, 2] has 3")
        );
        assert!(shape(0.into(), &[a, b]).unwrap_err().as_str().contains("1 to 2"));
        assert!(shape([1, 1, 1].into(), &[a, b]).is_err());
        assert!(shape(1.into(), &[a]).is_err());
        let large = Shape::from([1, 1, 1, 1]);
        assert!(shape(1.into(), &[large, large]).unwrap_err().as_str().contains("6 axes"));
    }
}
