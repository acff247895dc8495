//! Rows of a table, by their numbers.

use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::error::Reason;
use crate::kernels::sums::CHAIN;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

struct Embedding {
    /// Which rows, in reading order of the result.
    rows: Vec<usize>,
    /// The result's axes but the last one.
    shape: Shape,
}

/// Whether all values are whole numbers below `rows`: else a sentence about the first that is not.
pub(crate) fn check_indices<T: Scalar>(indices: &Tensor<T>, rows: usize) -> Result<(), Reason> {
    let fits = |x: T| x >= T::zero() && x.fract() == T::zero() && x.widen() < rows as f64;
    match indices.iter().find(|&index| !fits(index)) {
        None => Ok(()),
        Some(index) => Err(format!(
            "{index} is no row of a table of {rows}: whole numbers from 0 to {} are",
            rows - 1
        )
        .into()),
    }
}

impl<T: Scalar> Op<T, 1> for Embedding {
    const NAME: &'static str = "embedding";
    type Saved = Shape; // of the table

    fn forward(&self, [table]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Shape) {
        let width = table.shape()[1];
        let table = table.row_major();
        let values = table.as_slice().expect("row-major");
        let mut y = Buffer::stale(self.rows.len() * width);
        for (y, &row) in y.chunks_exact_mut(width.max(1)).zip(&self.rows) {
            y.copy_from_slice(&values[row * width..(row + 1) * width]);
        }
        let shape = [&self.shape[..], &[width]].concat();
        (Tensor::from_buffer(&shape[..], y), table.shape())
    }

    // dtable = for each row, the sum of dy wherever the row went
    fn backward(&self, table: Shape, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let width = table[1];
        let dy = dy.row_major();
        let dy = dy.as_slice().expect("row-major").chunks_exact(width.max(1)).zip(&self.rows);
        // One row may be meant everywhere: a long sum is added up in f64.
        let dtable = if self.rows.len() <= CHAIN {
            let mut sums = Buffer::zeroed(table.count());
            for (dy, &row) in dy {
                let sums = sums[row * width..].iter_mut().zip(dy);
                sums.for_each(|(sum, &dy)| *sum += dy);
            }
            sums
        } else {
            let mut sums = Buffer::<T::Wide>::zeroed(table.count());
            for (dy, &row) in dy {
                let sums = sums[row * width..].iter_mut().zip(dy);
                sums.for_each(|(sum, &dy)| *sum += dy.wide());
            }
            Buffer::collect(sums.len(), sums.iter().map(|&sum| T::narrow(sum)))
        };
        [Some(Tensor::from_buffer(table, dtable))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The rows of this table `[rows, width]` with these numbers: indices of any shape `[..]` give `[.., width]`.
    ///
    /// # Panics
    /// When this is no table, or an index is no whole number below `rows`.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let table = tape.leaf(Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    /// let y = table.embedding(&Tensor::from([2.0, 0.0, 2.0]));
    /// assert_eq!(y.value(), &Tensor::from([[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]]));
    /// assert_eq!(y.sum(..).backward().wrt(&table), Tensor::from([[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]]));
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn embedding(&self, indices: &Tensor<T>) -> Var<'t, T> {
        let shape = self.shape();
        assert!(
            shape.rank() == 2,
            "embedding: needs a table [rows, width], and the shape is {shape}"
        );
        if let Err(reason) = check_indices(indices, shape[0]) {
            panic!("embedding: {reason}");
        }
        let rows = indices.iter().map(|index| index.widen() as usize).collect();
        apply(Embedding { rows, shape: indices.shape() }, [self])
    }
}

compiled!(|table: &Var<T>, indices: &Tensor<T>| table.embedding(indices));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, indices, random};
    use crate::tensor::Stream;
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let table = Var::constant(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
        let y = table.embedding(&Tensor::from([[1.0], [0.0], [1.0]]));
        assert_close(y.value(), &Tensor::from([[[3.0, 4.0]], [[1.0, 2.0]], [[3.0, 4.0]]]));
    }

    #[test]
    fn gradient() {
        let numbers = Tensor::from([[0.0, 3.0], [3.0, 1.0], [0.0, 0.0]]);
        let table = random(&[5, 3], -1.0, 1.0, 1, 0);
        gradcheck(|[table]| table.embedding(&numbers).square(), [table]).unwrap();
    }

    #[test]
    fn long_sums_keep_their_digits() {
        let tape = Tape::new();
        let table = tape.leaf(Tensor::<f32>::zeros([2, 1]));
        let y = table.embedding(&Tensor::ones([100_000])) * 0.1;
        // One by one, they would add up to 9998.557.
        let exact = (100_000.0 * f64::from(0.1f32)) as f32;
        assert_eq!(y.backward().wrt(&table).to_vec(), [0.0, exact]);
    }

    #[test]
    #[should_panic(
        expected = "embedding: 5 is no row of a table of 5: whole numbers from 0 to 4 are"
    )]
    fn beyond_the_table() {
        Var::constant(Tensor::<f64>::zeros([5, 2])).embedding(&Tensor::from([4.0, 5.0]));
    }

    #[test]
    fn numbers_that_are_not_whole() {
        for wrong in [0.5, -1.0, f64::NAN, f64::INFINITY] {
            assert!(check_indices(&Tensor::from([0.0, wrong]), 5).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn definition(rows in 1usize..9, width in 1usize..5, n in 0usize..5, steps in 0usize..4, seed: u64, layout in 0u8..4) {
            let table = random(&[rows, width], -1.0, 1.0, seed, layout);
            let numbers = Tensor::uniform([n, steps], 0.0, rows as f64, &mut Stream::new(seed)).map(f64::floor);
            let y = Var::constant(table.clone()).embedding(&numbers);
            prop_assert_eq!(y.shape(), [n, steps, width]);
            for at in indices::<3>(y.value().dims()) {
                let row = numbers.at([at[0], at[1]]) as usize;
                prop_assert_eq!(y.value().at(at), table.at([row, at[2]]));
            }
        }
    }
}
