//! How far to the right boxes and joints stand: neighbours straight below each other where that can be.

use super::rows::Rows;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Between boxes, and between what includes a line.
const BESIDE: f64 = 24.0;
const LINE: f64 = 16.0;
/// How often columns move towards what they are connected with.
const ROUNDS: usize = 60;

/// The middle of each box and joint.
pub(super) fn place(rows: &Rows) -> Vec<f64> {
    let below = aligned(rows);
    let (column, count) = columns(&below);
    let apart = apart(rows, &column, count);
    let pulls = pulls(rows, &column, count);
    let order = from_the_left(&apart);

    // As far to the left as possible, and as far to the right: what is between them is possible as well.
    let mut left = vec![0.0; count];
    for &a in &order {
        apart.right[a].iter().for_each(|&(b, by)| left[b] = f64::max(left[b], left[a] + by));
    }
    let most = left.iter().copied().fold(0.0, f64::max);
    let mut x = vec![most; count];
    for &b in order.iter().rev() {
        apart.left[b].iter().for_each(|&(a, by)| x[a] = f64::min(x[a], x[b] - by));
    }
    x.iter_mut().zip(&left).for_each(|(x, left)| *x = (*x + left) / 2.0);

    for round in 0..ROUNDS {
        for i in 0..count {
            let a = order[if round % 2 == 0 { i } else { count - 1 - i }];
            if pulls[a].is_empty() {
                continue;
            }
            let wanted = pulls[a].iter().map(|&b| x[b]).sum::<f64>() / pulls[a].len() as f64;
            let low = apart.left[a].iter().map(|&(b, by)| x[b] + by);
            let high = apart.right[a].iter().map(|&(b, by)| x[b] - by);
            let low = low.fold(f64::NEG_INFINITY, f64::max);
            x[a] = wanted.min(high.fold(f64::INFINITY, f64::min)).max(low);
        }
    }
    column.into_iter().map(|column| x[column]).collect()
}

/// For each box and joint what stands straight below it: the longest chains of boxes first, then long lines, then the
/// rest, of several the one in the middle. Nothing aligned crosses.
fn aligned(rows: &Rows) -> Vec<Option<usize>> {
    let count = rows.row.len();
    let mut places = vec![0; count];
    for row in &rows.rows {
        row.iter().enumerate().for_each(|(place, &v)| places[v] = place);
    }
    // How long the chain of boxes is that ends, and that begins, at each box.
    let (mut ending, mut starting) = (vec![0; count], vec![0; count]);
    let chain = |v: usize, next: &[Vec<usize>], lengths: &[usize]| {
        let boxes = next[v].iter().filter(|&&w| rows.is_box(w));
        boxes.map(|&w| lengths[w] + 1).max().unwrap_or(0)
    };
    for &v in rows.rows.iter().flatten().filter(|&&v| rows.is_box(v)) {
        ending[v] = chain(v, &rows.up, &ending);
    }
    for &v in rows.rows.iter().rev().flatten().filter(|&&v| rows.is_box(v)) {
        starting[v] = chain(v, &rows.down, &starting);
    }
    // How far something is from the middle of its neighbours, in halves.
    let off = |v: usize, of: &[usize]| {
        let before = of.iter().filter(|&&w| places[w] < places[v]).count();
        (2 * before + 1).abs_diff(of.len())
    };
    let rank = |v: usize, w: usize| match (rows.is_box(v), rows.is_box(w)) {
        (true, true) => (0, Reverse(ending[v] + starting[w])),
        (false, false) => (1, Reverse(0)),
        _ => (2, Reverse(0)),
    };
    let pairs = (0..count).flat_map(|v| rows.down[v].iter().map(move |&w| (v, w)));
    let mut pairs: Vec<_> = pairs
        .map(|(v, w)| {
            let off = off(w, &rows.down[v]) + off(v, &rows.up[w]);
            (rank(v, w), off, rows.row[v], places[v], places[w], v, w)
        })
        .collect();
    pairs.sort_unstable();
    let (mut below, mut taken) = (vec![None; count], vec![false; count]);
    let mut between: Vec<BTreeMap<usize, usize>> = vec![BTreeMap::new(); rows.rows.len()];
    for (.., row, from, to, v, w) in pairs {
        let before = between[row].range(..from).next_back();
        let after = between[row].range(from..).next();
        let crosses =
            before.is_some_and(|(_, &at)| at > to) || after.is_some_and(|(_, &at)| at < to);
        if below[v].is_none() && !taken[w] && !crosses {
            (below[v], taken[w]) = (Some(w), true);
            between[row].insert(from, to);
        }
    }
    below
}

/// The column of each box and joint, and how many columns there are.
fn columns(below: &[Option<usize>]) -> (Vec<usize>, usize) {
    let mut column = vec![usize::MAX; below.len()];
    let mut is_top = vec![true; below.len()];
    below.iter().flatten().for_each(|&w| is_top[w] = false);
    let mut count = 0;
    for top in (0..below.len()).filter(|&v| is_top[v]) {
        let mut next = Some(top);
        while let Some(v) = next {
            column[v] = count;
            next = below[v];
        }
        count += 1;
    }
    (column, count)
}

/// The columns beside each column, and how far their middles must be apart.
struct Apart {
    left: Vec<Vec<(usize, f64)>>,
    right: Vec<Vec<(usize, f64)>>,
}

fn apart(rows: &Rows, column: &[usize], count: usize) -> Apart {
    let mut apart = Apart { left: vec![Vec::new(); count], right: vec![Vec::new(); count] };
    for pair in rows.rows.iter().flat_map(|row| row.windows(2)) {
        let [v, w] = [pair[0], pair[1]];
        let between = if rows.is_box(v) && rows.is_box(w) { BESIDE } else { LINE };
        let by = (rows.widths[v] + rows.widths[w]) / 2.0 + between;
        let (a, b) = (column[v], column[w]);
        apart.right[a].push((b, by));
        apart.left[b].push((a, by));
    }
    apart
}

/// The columns that lines lead to from each column.
fn pulls(rows: &Rows, column: &[usize], count: usize) -> Vec<Vec<usize>> {
    let mut pulls = vec![Vec::new(); count];
    for (v, &a) in column.iter().enumerate() {
        for b in rows.down[v].iter().map(|&w| column[w]).filter(|&b| b != a) {
            pulls[a].push(b);
            pulls[b].push(a);
        }
    }
    pulls
}

/// The columns, each after all that stand to its left. As no column crosses another, there is such an order.
fn from_the_left(apart: &Apart) -> Vec<usize> {
    let mut waits: Vec<usize> = apart.left.iter().map(Vec::len).collect();
    let mut order: Vec<usize> = (0..waits.len()).filter(|&a| waits[a] == 0).collect();
    let mut done = 0;
    while let Some(&a) = order.get(done) {
        done += 1;
        for &(b, _) in &apart.right[a] {
            waits[b] -= 1;
            if waits[b] == 0 {
                order.push(b);
            }
        }
    }
    order
}
