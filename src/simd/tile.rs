//! The innermost loop of every product.

use super::Simd;
use num_traits::Float;

/// Distances into a slice, with their maximum: the half of an element's address.
///
/// Every left operand of a product is read as `data[rows[i] + cols[p]]`. A matrix with any strides
/// splits like that, and so does an image seen through a sliding window: the row part says where the
/// window stands, the column part which pixel of the window is meant. That is why no column matrix
/// is ever written to memory.
#[derive(Clone, Debug)]
pub struct Offsets {
    offsets: Vec<usize>,
    max: usize,
}

impl Offsets {
    /// Collects the distances.
    pub fn new(offsets: impl IntoIterator<Item = usize>) -> Self {
        let offsets: Vec<usize> = offsets.into_iter().collect();
        let max = offsets.iter().copied().max().unwrap_or(0);
        Offsets { offsets, max }
    }

    /// The distances, in order.
    pub fn as_slice(&self) -> &[usize] {
        &self.offsets
    }

    /// The number of distances.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// The part `range` of the columns, with the maximum of the whole.
    pub fn part(&self, range: std::ops::Range<usize>) -> Columns<'_> {
        Columns { offsets: &self.offsets[range], max: self.max }
    }
}

/// A part of [`Offsets`], in the role of columns.
#[derive(Clone, Copy)]
pub struct Columns<'a> {
    offsets: &'a [usize],
    max: usize,
}

/// `acc[i][j] = sum over p of data[rows[i] + cols[p]] * panel[p][j]`, for one tile that stays in
/// registers.
///
/// # Panics
/// When an element would lie outside `data`, or `panel` is shorter than the columns.
#[inline(always)]
pub fn tile<S: Simd, T: Float, const MR: usize, const NR: usize>(
    data: &[T],
    rows: &[usize; MR],
    cols: Columns<'_>,
    panel: &[[T; NR]],
) -> [[T; NR]; MR] {
    let mut acc = [[T::zero(); NR]; MR];
    if cols.offsets.is_empty() {
        return acc;
    }
    let last = rows.iter().copied().max().unwrap_or(0).checked_add(cols.max);
    assert!(last.is_some_and(|last| last < data.len()), "a product reads beyond its operand");
    assert!(panel.len() >= cols.offsets.len(), "a product reads beyond its panel");
    // One pointer a row: then the address of an element is one instruction's operand.
    let starts = rows.map(|row| &data[row..]);
    for (&col, b) in cols.offsets.iter().zip(panel) {
        for i in 0..MR {
            // SAFETY: `col <= cols.max`, which `Offsets` keeps and whose fields are private, and
            // `rows[i] + cols.max` was just asserted to lie inside `data`.
            let a = unsafe { *starts[i].get_unchecked(col) };
            for j in 0..NR {
                acc[i][j] = S::mul_add(a, b[j], acc[i][j]);
            }
        }
    }
    acc
}
