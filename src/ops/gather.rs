//! For each place of the result the value at an index of its own along an axis: NumPy's `take_along_axis`.
//!
//! ```text
//! y[o, i, n] = x[o, indices[o, i, n], n]
//! ```
//!
//! Tensors of any strides are read; the result is row-major. A NaN moves like any other value, and its gradient goes where it came from.

use super::{axis_exists, places_exist};
use crate::autograd::{Op, Var, apply};
use crate::kernels::along::{self, Along, Places};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Indices, Shape, Tensor};

struct Gather {
    axis: usize,
    /// In the shape of the result.
    indices: Indices,
}

impl<T: Scalar> Op<T, 1> for Gather {
    const NAME: &'static str = "gather";
    type Saved = Shape; // of x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Shape) {
        let Gather { axis, indices } = self;
        let (shape, x) = (x.shape(), x.row_major());
        let values = x.as_slice().expect("row-major");
        let places = Places::Elements(indices.values());
        let y = along::take(values, Along::new(shape, *axis), places);
        (Tensor::from_buffer(indices.shape(), y), shape)
    }

    // dx[o, p, n] = sum of dy[o, i, n] over all i with indices[o, i, n] = p
    fn backward(&self, x: Shape, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(added(Tensor::zeros(x), self.axis, &self.indices, &dy))]
    }
}

/// `x` with every `y` added at its index.
#[track_caller]
pub(super) fn added<T: Scalar>(
    mut x: Tensor<T>,
    axis: usize,
    indices: &Indices,
    y: &Tensor<T>,
) -> Tensor<T> {
    let (along, y) = (Along::new(x.shape(), axis), y.row_major());
    let values = y.as_slice().expect("row-major");
    along::add(x.as_mut_slice(), values, along, Places::Elements(indices.values()));
    x
}

/// The indices that an operation along an axis takes, repeated along the other axes where their length is 1 there.
#[track_caller]
pub(super) fn fitting(op: &str, shape: Shape, axis: usize, indices: Indices) -> Indices {
    axis_exists(op, axis, shape);
    let given = indices.shape();
    let mut wanted = shape.to_vec();
    let fits = given.rank() == shape.rank()
        && (0..shape.rank()).all(|a| a == axis || given[a] == shape[a] || given[a] == 1);
    assert!(
        fits,
        "{op}: indices of shape {given} along axis {axis} of a tensor of shape {shape}; \
         the other axes must have the same lengths, or 1"
    );
    wanted[axis] = given[axis];
    places_exist(op, &indices, axis, shape);
    indices.broadcast_to(Shape::new(&wanted))
}

impl<T: Scalar> Tensor<T> {
    /// For each place of the result the value at an index of its own along `axis`: `y[o, i, n] = x[o, indices[o, i, n], n]`, NumPy's
    /// `take_along_axis`.
    ///
    /// The indices have as many axes as the tensor, any number of places along `axis`, and the tensor's lengths along the others (or 1,
    /// which repeats). No indices give an empty tensor.
    ///
    /// # Panics
    /// When the axis does not exist, the shapes do not fit, or an index is not below the length of the axis.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[3.0, 1.0, 2.0], [4.0, 6.0, 5.0]]);
    /// assert_eq!(x.gather(1, [[1, 1], [0, 2]]), Tensor::from([[1.0, 1.0], [4.0, 5.0]]));
    /// assert_eq!(x.gather(0, [[1, 0, 1]]), Tensor::from([[4.0, 1.0, 5.0]]));
    /// let order = x.argsort(1);
    /// assert_eq!(x.gather(1, &order), x.sort(1));
    /// ```
    #[track_caller]
    pub fn gather(&self, axis: usize, indices: impl Into<Indices>) -> Tensor<T> {
        Var::constant(self.clone()).gathered(axis, indices.into()).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// For each place of the result the value at an index of its own along `axis`, as [`Tensor::gather`]. Where an index is named
    /// several times, the gradients are added up.
    ///
    /// # Panics
    /// When the axis does not exist, the shapes do not fit, or an index is not below the length of the axis.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[3.0, 1.0], [4.0, 6.0]]));
    /// let y = x.gather(1, [[1, 1], [0, 1]]);
    /// assert_eq!(y.value(), &Tensor::from([[1.0, 1.0], [4.0, 6.0]]));
    /// assert_eq!(y.sum(..).backward().wrt(&x), Tensor::from([[0.0, 2.0], [1.0, 1.0]]));
    /// ```
    #[track_caller]
    pub fn gather(&self, axis: usize, indices: impl Into<Indices>) -> Var<'t, T> {
        self.gathered(axis, indices.into())
    }

    #[track_caller]
    #[inline(never)]
    pub(super) fn gathered(&self, axis: usize, indices: Indices) -> Var<'t, T> {
        let indices = fitting("gather", self.shape(), axis, indices);
        apply(Gather { axis, indices }, [self])
    }
}

compiled!(|x: &Var<T>, indices: &Indices| x.gather(0, indices));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, indices, places, random};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[3.0, f64::NAN, 2.0], [4.0, 6.0, 5.0]]);
        let y = x.gather(1, [[2, 0, 0, 2], [1, 1, 0, 2]]);
        assert_eq!(y, Tensor::from([[2.0, 3.0, 3.0, 2.0], [6.0, 6.0, 4.0, 5.0]]));
        assert!(x.gather(1, [[1], [0]]).at([0, 0]).is_nan());
        assert_eq!(x.gather(0, Indices::new([0, 3], [])).shape(), [0, 3]);
        assert_eq!(
            Tensor::<f64>::zeros([0, 3]).gather(1, Indices::new([0, 2], [])).shape(),
            [0, 2]
        );
        // One row of indices for all rows, and one column.
        assert_eq!(x.gather(1, [[2, 0]]), Tensor::from([[2.0, 3.0], [5.0, 4.0]]));
        assert_eq!(x.gather(0, [[1], [0]]).slice(1, 2..), Tensor::from([[5.0], [2.0]]));
    }

    #[test]
    fn gradient() {
        for (axis, shape) in [(0, [7, 4, 2]), (1, [3, 6, 2]), (2, [3, 4, 5])] {
            let indices = places(shape, [3, 4, 2][axis], 5); // many of them several times
            let x = random(&[3, 4, 2], -1.0, 1.0, 1, 0);
            gradcheck(|[x]| x.gather(axis, &indices).square(), [x]).unwrap();
        }
    }

    /// Nothing of a NaN reaches the gradients of others.
    #[test]
    fn gradients_beside_nan() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([1.0, f64::NAN, 3.0]));
        let y = x.gather(0, [2, 0, 2]).square();
        assert_eq!(y.backward().wrt(&x).to_vec(), [2.0, 0.0, 12.0]);
    }

    #[test]
    fn long_sums_keep_their_digits() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::<f32>::zeros([2]));
        let y = x.gather(0, vec![1; 100_000]) * 0.1;
        let exact = (100_000.0 * f64::from(0.1f32)) as f32;
        assert_eq!(y.backward().wrt(&x).to_vec(), [0.0, exact]);
    }

    #[test]
    #[should_panic(expected = "gather: index 3 of axis 1, whose length is 3: the shape is [2, 3]")]
    fn an_index_beyond_the_axis() {
        Tensor::<f64>::zeros([2, 3]).gather(1, [[0, 3], [0, 0]]);
    }

    #[test]
    #[should_panic(
        expected = "gather: indices of shape [3, 1] along axis 1 of a tensor of shape [2, 3]"
    )]
    fn another_axis_differs() {
        Tensor::<f64>::zeros([2, 3]).gather(1, [[0], [0], [0]]);
    }

    #[test]
    #[should_panic(expected = "gather: axis 0 of a tensor of shape []")]
    fn a_scalar_has_no_axis() {
        Tensor::scalar(1.0).gather(0, [0]);
    }

    proptest! {
        #[test]
        fn definition(dims in prop::array::uniform3(1usize..5), count in 0usize..6, axis in 0usize..3, seed: u64, layout in 0u8..4) {
            let x = random(&dims, -1.0, 1.0, seed, layout);
            let mut shape = dims;
            shape[axis] = count;
            let places = places(shape, dims[axis], seed);
            let y = x.gather(axis, &places);
            let expected: Vec<f64> = indices::<3>(shape).into_iter().zip(places.values()).map(|(mut at, &place)| {
                at[axis] = place;
                x.at(at)
            }).collect();
            assert_close(&y, &Tensor::new(shape, expected));
        }
    }
}
