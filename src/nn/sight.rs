//! Which values a query may see.

use crate::scalar::Scalar;
use crate::tensor::{Mask, Tensor};

/// What hides values from queries: masks of steps, `[n, steps]` with 0 for those that do not count, and the order of the steps.
pub(super) struct Sight<'a, T: Scalar> {
    /// The queries that count. The others see nothing.
    pub queries: Option<&'a Tensor<T>>,
    /// The values that count, by each of these masks.
    pub values: Vec<&'a Tensor<T>>,
    /// Whether a query sees no value of a later step.
    pub causal: bool,
    /// How many steps it sees to either side, its own included.
    pub window: Option<usize>,
}

impl<T: Scalar> Sight<'_, T> {
    /// Whether the query of step `row` sees the value of step `column`, as far as their order goes.
    fn reaches(&self, row: usize, column: usize) -> bool {
        (!self.causal || column <= row)
            && self.window.is_none_or(|window| row.abs_diff(column) < window)
    }

    /// What is hidden from `rows` queries among `columns` values: `[n, rows, columns]`, with 1 for an axis along which all is the same, or
    /// nothing.
    pub(super) fn hidden(&self, [rows, columns]: [usize; 2]) -> Option<Mask> {
        let ordered = self.causal || self.window.is_some();
        let first = self.queries.or(self.values.first().copied());
        if !ordered && first.is_none() {
            return None;
        }
        let n = first.map_or(1, |mask| mask.shape()[0]);
        let rows = if ordered || self.queries.is_some() { rows } else { 1 };
        let counts =
            |mask: &Tensor<T>| -> Vec<bool> { mask.iter().map(|x| x != T::zero()).collect() };
        let queries = self.queries.map(counts);
        let values: Vec<Vec<bool>> = self.values.iter().map(|mask| counts(mask)).collect();
        let mut hidden = Vec::with_capacity(n * rows * columns);
        for (sample, row) in (0..n).flat_map(|sample| (0..rows).map(move |row| (sample, row))) {
            let blind = queries.as_ref().is_some_and(|counts| !counts[sample * rows + row]);
            hidden.extend((0..columns).map(|column| {
                let counts = values.iter().all(|counts| counts[sample * columns + column]);
                blind || !counts || (ordered && !self.reaches(row, column))
            }));
        }
        Some(Mask::new([n, rows, columns], hidden))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(mask: Option<Mask>) -> Vec<u8> {
        mask.expect("something is hidden").to_vec().into_iter().map(u8::from).collect()
    }

    #[test]
    fn masks_and_order() {
        let all = Sight::<f64> { queries: None, values: vec![], causal: false, window: None };
        assert!(all.hidden([2, 3]).is_none());
        let causal = Sight { causal: true, ..all };
        assert_eq!(bits(causal.hidden([2, 3])), [0, 1, 1, 0, 0, 1]);
        let near = Sight::<f64> { window: Some(1), causal: false, ..causal };
        assert_eq!(bits(near.hidden([2, 3])), [0, 1, 1, 1, 0, 1]);

        let (q, v) = (Tensor::from([[1.0, 0.0]]), Tensor::from([[1.0, 1.0, 0.0]]));
        let one = Sight { queries: None, values: vec![&v], causal: false, window: None };
        let mask = one.hidden([2, 3]).expect("a step is hidden");
        assert_eq!(
            (mask.shape().to_vec(), mask.to_vec()),
            (vec![1, 1, 3], vec![false, false, true])
        );
        let both = Sight { queries: Some(&q), causal: true, ..one };
        assert_eq!(bits(both.hidden([2, 3])), [0, 1, 1, 1, 1, 1]);
    }
}
