//! Values added to those at indices along an axis: the transpose of [`gather`](super::gather).
//!
//! ```text
//! y[o, p, n] = x[o, p, n] + sum of values[o, i, n] over all i with indices[o, i, n] = p
//! ```
//!
//! Tensors of any strides are read; the result is row-major. A NaN goes to its own place alone. The sum is taken in the order of the indices, whatever the number of threads.

use super::gather::{added, fitting};
use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Indices, Tensor};

struct ScatterAdd {
    axis: usize,
    /// In the shape of the values.
    indices: Indices,
}

impl<T: Scalar> Op<T, 2> for ScatterAdd {
    const NAME: &'static str = "scatter_add";
    type Saved = ();

    fn forward(&self, [x, values]: [&Tensor<T>; 2], _: [bool; 2]) -> (Tensor<T>, ()) {
        (added(x.clone(), self.axis, &self.indices, values), ())
    }

    // dx = dy, dvalues[o, i, n] = dy[o, indices[o, i, n], n]
    fn backward(&self, (): (), dy: Tensor<T>, wanted: [bool; 2]) -> [Option<Tensor<T>>; 2] {
        let dvalues = wanted[1].then(|| dy.gather(self.axis, &self.indices));
        [wanted[0].then_some(dy), dvalues]
    }
}

impl<T: Scalar> Tensor<T> {
    /// The tensor with `values` added at indices along an axis: to `x[o, indices[o, i, n], n]` the value at `[o, i, n]`, as often as an
    /// index is named. The indices fit as those of [`gather`](Self::gather), and the values have the shape that `gather` gives.
    ///
    /// # Panics
    /// When the axis does not exist, the shapes do not fit, or an index is not below the length of the axis.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let counts = Tensor::<f64>::zeros([4]).scatter_add(0, [1, 3, 1], &Tensor::ones([3]));
    /// assert_eq!(counts.to_vec(), [0.0, 2.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn scatter_add(
        &self,
        axis: usize,
        indices: impl Into<Indices>,
        values: &Tensor<T>,
    ) -> Tensor<T> {
        let values = Var::constant(values.clone());
        Var::constant(self.clone()).scattered(axis, indices.into(), &values).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The tensor with `values` added at indices along an axis, as [`Tensor::scatter_add`].
    ///
    /// # Panics
    /// When the axis does not exist, the shapes do not fit, or an index is not below the length of the axis.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let (x, values) = (tape.leaf(Tensor::from([1.0, 2.0])), tape.leaf(Tensor::from([5.0, 6.0, 7.0])));
    /// let y = x.scatter_add(0, [1, 0, 1], &values);
    /// assert_eq!(y.value().to_vec(), [7.0, 14.0]);
    /// assert_eq!(y.square().sum(..).backward().wrt(&values).to_vec(), [28.0, 14.0, 28.0]);
    /// ```
    #[track_caller]
    pub fn scatter_add(
        &self,
        axis: usize,
        indices: impl Into<Indices>,
        values: &Var<'t, T>,
    ) -> Var<'t, T> {
        self.scattered(axis, indices.into(), values)
    }

    #[track_caller]
    #[inline(never)]
    fn scattered(&self, axis: usize, indices: Indices, values: &Var<'t, T>) -> Var<'t, T> {
        let indices = fitting("scatter_add", self.shape(), axis, indices);
        assert_eq!(
            values.shape(),
            indices.shape(),
            "scatter_add: values of shape {} at indices of shape {}",
            values.shape(),
            indices.shape()
        );
        apply(ScatterAdd { axis, indices }, [self, values])
    }
}

compiled!(|x: &Var<T>, indices: &Indices| x.scatter_add(0, indices, x));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, indices, places, random};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
        let values = Tensor::from([[10.0, 20.0], [30.0, 40.0], [50.0, f64::NAN]]);
        let y = x.scatter_add(0, [[0, 1], [0, 1], [1, 0]], &values);
        assert_close(&y.slice(1, 0..1), &Tensor::from([[41.0], [53.0]]));
        assert!(y.at([0, 1]).is_nan());
        assert_eq!(y.at([1, 1]), 64.0);
        // Nothing is added, and to nothing.
        assert_eq!(x.scatter_add(0, Indices::new([0, 2], []), &Tensor::zeros([0, 2])), x);
        let empty = Tensor::<f64>::zeros([0, 2]);
        let none = Indices::new([0, 5], []);
        assert_eq!(empty.scatter_add(1, none, &Tensor::zeros([0, 5])).shape(), [0, 2]);
        // What is shared stays as it was.
        assert_eq!(x, Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    }

    #[test]
    fn gradient() {
        for (axis, shape) in [(0, [7, 4, 2]), (1, [3, 6, 2]), (2, [3, 4, 5])] {
            let indices = places(shape, [3, 4, 2][axis], 5); // many of them several times
            let (x, values) =
                (random(&[3, 4, 2], -1.0, 1.0, 1, 0), random(&shape, -1.0, 1.0, 2, 0));
            gradcheck(|[x, values]| x.scatter_add(axis, &indices, values).square(), [x, values])
                .unwrap();
        }
    }

    #[test]
    #[should_panic(
        expected = "scatter_add: index 3 of axis 1, whose length is 3: the shape is [2, 3]"
    )]
    fn an_index_beyond_the_axis() {
        Tensor::<f64>::zeros([2, 3]).scatter_add(1, [[0, 3], [0, 0]], &Tensor::zeros([2, 2]));
    }

    #[test]
    #[should_panic(expected = "scatter_add: values of shape [2, 3] at indices of shape [2, 2]")]
    fn values_of_another_shape() {
        Tensor::<f64>::zeros([2, 3]).scatter_add(1, [[0, 1], [0, 0]], &Tensor::zeros([2, 3]));
    }

    proptest! {
        #[test]
        fn definition(dims in prop::array::uniform3(1usize..5), count in 0usize..6, axis in 0usize..3, seed: u64, layout in 0u8..4) {
            let x = random(&dims, -1.0, 1.0, seed, layout);
            let mut shape = dims;
            shape[axis] = count;
            let values = random(&shape, -1.0, 1.0, seed ^ 1, if count == 0 { 0 } else { 3 - layout });
            let places = places(shape, dims[axis], seed);
            let expected = Tensor::from_fn(dims, |to| {
                let moved = indices::<3>(shape).into_iter().zip(places.values()).filter(|&(mut at, &place)| {
                    at[axis] = place;
                    at == to
                });
                x.at([to[0], to[1], to[2]]) + moved.map(|(at, _)| values.at(at)).sum::<f64>()
            });
            assert_close(&x.scatter_add(axis, &places, &values), &expected);
        }
    }
}
