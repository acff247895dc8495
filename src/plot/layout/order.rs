//! The order of boxes and joints in their rows: few lines cross.

use super::rows::Rows;

/// How often all rows are sorted, down and up.
const SWEEPS: usize = 12;

/// Sorts each row by where the neighbours in the row before stand, from the top down and from the bottom up, and swaps neighbours
/// where that is better. The best order that is met stays.
pub(super) fn sort(rows: &mut Rows) {
    by_first_visit(rows);
    let mut places = vec![0; rows.row.len()];
    (0..rows.rows.len()).for_each(|row| number(rows, row, &mut places));
    let (mut best, mut fewest) = (rows.rows.clone(), crossings(rows, &places));
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let down = sweep % 2 == 0;
        let count = rows.rows.len();
        for i in 0..count {
            let row = if down { i } else { count - 1 - i };
            by_neighbours(rows, row, down, &mut places);
        }
        (0..count).for_each(|row| swap(rows, row, &mut places));
        let now = crossings(rows, &places);
        if now < fewest {
            (best, fewest) = (rows.rows.clone(), now);
        }
    }
    rows.rows = best;
}

/// The numbers of a row's boxes and joints from the left.
fn number(rows: &Rows, row: usize, places: &mut [usize]) {
    rows.rows[row].iter().enumerate().for_each(|(place, &v)| places[v] = place);
}

/// As they are met on the ways down from the top, one way after another: trees have no crossings then.
fn by_first_visit(rows: &mut Rows) {
    let tops: Vec<usize> = (0..rows.row.len()).filter(|&v| rows.up[v].is_empty()).collect();
    rows.rows.iter_mut().for_each(Vec::clear);
    let mut seen = vec![false; rows.row.len()];
    for top in tops {
        let mut left = vec![top];
        while let Some(v) = left.pop() {
            if !std::mem::replace(&mut seen[v], true) {
                rows.rows[rows.row[v]].push(v);
                left.extend(rows.down[v].iter().rev());
            }
        }
    }
}

/// Sorts a row by the means of the neighbours' places. Those without neighbours stay where they are.
fn by_neighbours(rows: &mut Rows, row: usize, down: bool, places: &mut [usize]) {
    let neighbours = if down { &rows.up } else { &rows.down };
    let mean = |v: usize| {
        let sum: usize = neighbours[v].iter().map(|&u| places[u]).sum();
        sum as f64 / neighbours[v].len() as f64
    };
    let tied = |v: &usize| !neighbours[*v].is_empty();
    let mut sorted: Vec<(f64, usize)> =
        rows.rows[row].iter().copied().filter(tied).map(|v| (mean(v), v)).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let free = rows.rows[row].iter_mut().filter(|v| tied(v));
    free.zip(sorted).for_each(|(v, (_, next))| *v = next);
    number(rows, row, places);
}

/// Swaps neighbours of a row while their lines cross less after it.
fn swap(rows: &mut Rows, row: usize, places: &mut [usize]) {
    for i in 1..rows.rows[row].len() {
        let (a, b) = (rows.rows[row][i - 1], rows.rows[row][i]);
        let crossed = |a: usize, b: usize| {
            [&rows.up, &rows.down].map(|to| inversions(&to[a], &to[b], places)).iter().sum()
        };
        let (now, swapped): (usize, usize) = (crossed(a, b), crossed(b, a));
        if swapped < now {
            rows.rows[row].swap(i - 1, i);
            (places[a], places[b]) = (i, i - 1);
        }
    }
}

/// How many lines from the left one cross lines from the right one.
fn inversions(left: &[usize], right: &[usize], places: &[usize]) -> usize {
    let sorted = |of: &[usize]| {
        let mut sorted: Vec<usize> = of.iter().map(|&v| places[v]).collect();
        sorted.sort_unstable();
        sorted
    };
    let right = sorted(right);
    left.iter().map(|&v| right.partition_point(|&place| place < places[v])).sum()
}

/// How many pairs of lines cross.
pub(super) fn crossings(rows: &Rows, places: &[usize]) -> usize {
    let mut count = 0;
    for (i, row) in rows.rows.iter().enumerate() {
        let below = rows.rows.get(i + 1).map_or(0, Vec::len);
        // How many lines from further left end there, as sums over ranges: Fenwick's tree.
        let mut ends = vec![0; below + 1];
        let mut total = 0;
        for &v in row {
            for &w in &rows.down[v] {
                let (mut at, mut before) = (places[w] + 1, 0);
                while at > 0 {
                    before += ends[at];
                    at &= at - 1;
                }
                count += total - before;
            }
            for &w in &rows.down[v] {
                let mut at = places[w] + 1;
                while at <= below {
                    ends[at] += 1;
                    at += at & at.wrapping_neg();
                }
                total += 1;
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many lines cross before and after.
    fn sorted(boxes: usize, arrows: &[[usize; 2]]) -> [usize; 2] {
        let mut rows = Rows::new(&vec![1.0; boxes], arrows);
        let count = |rows: &Rows| {
            let mut places = vec![0; rows.row.len()];
            (0..rows.rows.len()).for_each(|row| number(rows, row, &mut places));
            crossings(rows, &places)
        };
        let before = count(&rows);
        sort(&mut rows);
        [before, count(&rows)]
    }

    #[test]
    fn crossings_are_counted() {
        // Three lines that all cross each other, and the two halves of a square with both diagonals.
        assert_eq!(sorted(6, &[[0, 5], [1, 4], [2, 3]])[0], 3);
        assert_eq!(sorted(4, &[[0, 2], [0, 3], [1, 2], [1, 3]]), [1, 1]);
    }

    #[test]
    fn what_can_be_drawn_without_crossings_is() {
        assert_eq!(sorted(6, &[[0, 5], [1, 4], [2, 3]])[1], 0);
        // Lines that pass a row: of a block that adds, and of two that stand in each other.
        assert_eq!(sorted(4, &[[0, 1], [1, 2], [2, 3], [0, 3]])[1], 0);
        let nested = [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [0, 5], [1, 4], [1, 3]];
        assert_eq!(sorted(6, &nested)[1], 0);
        // Two ways whose ends are numbered the other way round.
        let ways = [[0, 2], [1, 3], [2, 5], [3, 4], [4, 6], [5, 6]];
        assert_eq!(sorted(7, &ways)[1], 0);
    }
}
