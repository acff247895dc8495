//! Tensors of one shape side by side along an axis of its own.
//!
//! ```text
//! y[.., i, ..] = x_i[.., ..]
//! ```
//!
//! Tensors of any strides are read. A NaN moves like any other value.

use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor, expanded};

impl<T: Scalar> Tensor<T> {
    /// Tensors of one shape along a new axis: the `i`-th of them is at index `i` of `axis`. Tensors without axes become a vector.
    ///
    /// # Panics
    /// Without tensors, when their shapes differ, when `axis` is larger than their number of axes, and when there would be more than
    /// [`MAX_RANK`](crate::MAX_RANK) axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let (a, b) = (Tensor::from([1.0, 2.0]), Tensor::from([3.0, 4.0]));
    /// assert_eq!(Tensor::stack(&[a.clone(), b.clone()], 0), Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(Tensor::stack(&[a, b], 1), Tensor::from([[1.0, 3.0], [2.0, 4.0]]));
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn stack(parts: &[Tensor<T>], axis: usize) -> Tensor<T> {
        let shapes = parts.iter().map(Tensor::shape);
        fits(shapes, axis);
        let parts: Vec<Tensor<T>> = parts.iter().map(|part| part.expand_dims(0)).collect();
        Tensor::concat(&parts).move_axis(0, axis)
    }

    /// Tensors side by side along any axis, where [`concat`](Self::concat) takes the first one: all their other axes agree.
    ///
    /// # Panics
    /// Without tensors, when the axis does not exist, or another axis differs.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let (a, b) = (Tensor::from([[1.0], [2.0]]), Tensor::from([[3.0, 4.0], [5.0, 6.0]]));
    /// assert_eq!(Tensor::concat_along(&[a, b], 1), Tensor::from([[1.0, 3.0, 4.0], [2.0, 5.0, 6.0]]));
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn concat_along(parts: &[Tensor<T>], axis: usize) -> Tensor<T> {
        let parts: Vec<Var<'_, T>> = parts.iter().cloned().map(Var::constant).collect();
        Var::concat(&parts.iter().collect::<Vec<_>>(), axis).into_value()
    }
}

/// Panics when these shapes cannot be stacked.
#[track_caller]
fn fits(mut shapes: impl Iterator<Item = Shape>, axis: usize) {
    let Some(first) = shapes.next() else {
        panic!("stack: there is nothing to put together; give at least one")
    };
    if let Some(other) = shapes.find(|shape| *shape != first) {
        panic!("stack: the shapes {first} and {other} differ");
    }
    assert!(axis <= first.rank(), "stack: axis {axis} beside the axes of {first}");
    let _ = expanded(first, axis);
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Tensors of one shape along a new axis, as [`Tensor::stack`].
    ///
    /// # Panics
    /// As [`Tensor::stack`].
    ///
    /// ```
    /// use cinta::{Tape, Tensor, Var};
    /// let tape = Tape::new();
    /// let (a, b) = (tape.leaf(Tensor::scalar(1.0)), tape.leaf(Tensor::scalar(3.0)));
    /// let y = Var::stack(&[&a, &b], 0);
    /// assert_eq!(y.value().to_vec(), [1.0, 3.0]);
    /// assert_eq!(y.square().backward().wrt(&b).item(), 6.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn stack(parts: &[&Var<'t, T>], axis: usize) -> Var<'t, T> {
        fits(parts.iter().map(|part| part.shape()), axis);
        let parts: Vec<Var<'t, T>> = parts.iter().map(|part| part.expand_dims(axis)).collect();
        Var::concat(&parts.iter().collect::<Vec<_>>(), axis)
    }
}

compiled!(|x: &Tensor<T>| (
    Tensor::stack(std::slice::from_ref(x), 0),
    Tensor::concat_along(std::slice::from_ref(x), 0),
    Var::stack(&[&Var::constant(x.clone())], 0)
));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let (a, b) = (Tensor::from([1.0, 2.0]), Tensor::from([3.0, f64::NAN]));
        let y = Var::stack(&[&Var::constant(a.clone()), &Var::constant(b.clone())], 1);
        assert_close(&y.value().slice(0, 0..1), &Tensor::from([[1.0, 3.0]]));
        assert!(y.value().at([1, 1]).is_nan());
        assert_eq!(
            Tensor::stack(&[a.clone(), a.flip(0)], 0),
            Tensor::from([[1.0, 2.0], [2.0, 1.0]])
        );
        let empty = Tensor::<f64>::zeros([0, 2]);
        assert_eq!(Tensor::stack(&[empty.clone(), empty], 1).shape(), [0, 2, 2]);
    }

    #[test]
    fn gradient() {
        let x = |seed| random(&[3, 2], -2.0, 2.0, seed, 0);
        for axis in 0..3 {
            gradcheck(|[a, b]| Var::stack(&[a, b, a], axis).square(), [x(1), x(2)]).unwrap();
        }
    }

    #[test]
    #[should_panic(expected = "stack: the shapes [2] and [3] differ")]
    fn shapes_that_differ() {
        Tensor::stack(&[Tensor::<f64>::zeros([2]), Tensor::zeros([3])], 0);
    }

    #[test]
    #[should_panic(expected = "stack: axis 2 beside the axes of [2]")]
    fn a_place_too_many() {
        Tensor::stack(&[Tensor::<f64>::zeros([2])], 2);
    }

    #[test]
    #[should_panic(expected = "stack: there is nothing to put together")]
    fn nothing() {
        Var::<f64>::stack(&[], 0);
    }

    proptest! {
        #[test]
        fn definition(dims in prop::array::uniform2(1usize..5), count in 1usize..7, axis in 0usize..3, seed: u64) {
            let parts: Vec<Tensor<f64>> = (0..count as u64).map(|i| random(&dims, -1.0, 1.0, seed ^ i, i as u8)).collect();
            let mut shape = dims.to_vec();
            shape.insert(axis, count);
            let expected = Tensor::from_fn(&shape[..], |at| {
                let mut rest = at.to_vec();
                let i = rest.remove(axis);
                parts[i].at([rest[0], rest[1]])
            });
            assert_close(&Tensor::stack(&parts, axis), &expected);
            let vars: Vec<Var<'_, f64>> = parts.iter().cloned().map(Var::constant).collect();
            assert_close(Var::stack(&vars.iter().collect::<Vec<_>>(), axis).value(), &expected);
            // Side by side on an axis that is there already.
            let wide: Vec<Tensor<f64>> = parts.iter().map(|part| part.expand_dims(axis)).collect();
            assert_close(&Tensor::concat_along(&wide, axis), &expected);
        }
    }
}
