//! Threads: where work is split, and why the bits stay the same.
//!
//! Work is only ever split into parts that depend on shapes, each part is computed by one thread in
//! one order, and results are combined in the order of the parts. The number of threads decides who
//! computes a part, never what is computed.

mod together;

use rayon::prelude::*;
use std::cell::Cell;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::thread::LocalKey;

/// Below this many multiply-adds a fork costs more than it gains.
const SERIAL_WORK: usize = 1 << 20;
/// The same on a thread of the pool, from which others take work without being woken.
const SERIAL_WORK_IN_POOL: usize = 1 << 18;

thread_local! {
    static SERIAL: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread has forked.
    static FORKED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` with every kernel inside it on this thread alone.
///
/// `fit` forks once, over the shards of a batch; inside a shard nothing forks again.
pub fn serially<R>(f: impl FnOnce() -> R) -> R {
    within(&SERIAL, f)
}

/// `f()`, with a flag of this thread set meanwhile; a panic puts it back as well.
fn within<R>(flag: &'static LocalKey<Cell<bool>>, f: impl FnOnce() -> R) -> R {
    struct Restore(&'static LocalKey<Cell<bool>>, bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            self.0.set(self.1);
        }
    }
    let _restore = Restore(flag, flag.replace(true));
    f()
}

fn forks(parts: usize, work: usize) -> bool {
    let forks = parts > 1
        && work >= SERIAL_WORK_IN_POOL
        && !SERIAL.get()
        && (work >= SERIAL_WORK || rayon::current_thread_index().is_some())
        && rayon::current_num_threads() > 1;
    if forks {
        FORKED.set(true);
    }
    forks
}

/// The most pieces that work is handed out in: many more than threads, so that none waits long for the last one, and few
/// enough that handing out costs nothing.
const GROUPS: usize = 64;

/// Calls `f(scratch, i, part)` for every part of `out` of length `size`; `work` is the number of
/// multiply-adds of all together. `scratch` is reused from part to part.
pub fn for_each_part<T: Send, S>(
    out: &mut [T],
    size: usize,
    work: usize,
    scratch: impl Fn() -> S + Sync,
    f: impl Fn(&mut S, usize, &mut [T]) + Sync,
) {
    // A slice of `()` takes no memory.
    let mut nothing = vec![(); out.len()];
    for_each_pair(out, &mut nothing, size, work, scratch, |scratch, i, part, _| {
        f(scratch, i, part)
    });
}

/// [`for_each_part`] for two equally long outputs: `f(scratch, i, part of a, part of b)`.
pub fn for_each_pair<A: Send, B: Send, S>(
    a: &mut [A],
    b: &mut [B],
    size: usize,
    work: usize,
    scratch: impl Fn() -> S + Sync,
    f: impl Fn(&mut S, usize, &mut [A], &mut [B]) + Sync,
) {
    if a.is_empty() {
        return;
    }
    let forks = forks(a.len().div_ceil(size), work);
    share(a, b, size, forks, &|first, a, b| {
        let mut scratch = scratch();
        in_order(a, b, size, &mut |i, a, b| f(&mut scratch, first + i, a, b));
    });
}

/// What computes a pair of parts, or several, of two outputs.
type PairFn<'f, A, B> = dyn Fn(usize, &mut [A], &mut [B]) + Sync + 'f;

/// Calls `run(i, parts of a, parts of b)` for groups of neighbouring parts, of which part `i` is the first.
///
/// Everything here but [`for_each_block`] forks in this place. It calls what is computed through a pointer: so it is compiled
/// once for each type of outputs, and not for each kernel.
fn share<A: Send, B: Send>(
    a: &mut [A],
    b: &mut [B],
    size: usize,
    forks: bool,
    run: &PairFn<'_, A, B>,
) {
    if !forks {
        return run(0, a, b);
    }
    let each = a.len().div_ceil(size).div_ceil(GROUPS);
    let groups = a.chunks_mut(each * size).zip(b.chunks_mut(each * size));
    let groups: Vec<_> = groups.map(|group| Mutex::new(Some(group))).collect();
    fork(groups.len(), &|i| {
        let group = groups[i].lock().unwrap_or_else(PoisonError::into_inner).take();
        let (a, b) = group.expect("each group is taken once");
        run(i * each, a, b);
    });
}

fn fork(count: usize, f: &(dyn Fn(usize) + Sync)) {
    (0..count).into_par_iter().for_each(f);
}

/// [`PairFn`] for one thread.
type PairFnMut<'f, A, B> = dyn FnMut(usize, &mut [A], &mut [B]) + 'f;

/// Calls `f(i, part of a, part of b)` for one pair after the other.
fn in_order<A, B>(a: &mut [A], b: &mut [B], size: usize, f: &mut PairFnMut<'_, A, B>) {
    for (i, (a, b)) in a.chunks_mut(size).zip(b.chunks_mut(size)).enumerate() {
        f(i, a, b);
    }
}

/// Takes the first `len` values away from `rest`.
pub fn split_off<'a, T>(rest: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    rest.split_off_mut(..len).expect("as many values as are taken")
}

/// Calls `f(i, slice)` for slices of `out` of these lengths, one behind the other.
pub fn for_each_slice<T: Send>(
    out: &mut [T],
    lens: impl Iterator<Item = usize>,
    work: usize,
    f: impl Fn(usize, &mut [T]) + Sync,
) {
    let mut rest = out;
    let mut slices: Vec<&mut [T]> = lens.map(|len| split_off(&mut rest, len)).collect();
    for_each_part(&mut slices, 1, work, || (), |(), i, slice| f(i, slice[0]));
}

/// Calls `f(i, blocks)` with the `i`-th blocks of length `size` of equally long rows.
pub fn for_each_block<T: Send, const ROWS: usize>(
    rows: [&mut [T]; ROWS],
    size: usize,
    work: usize,
    f: impl Fn(usize, [&mut [T]; ROWS]) + Sync,
) {
    fn halved<T: Send, const ROWS: usize>(
        rows: [&mut [T]; ROWS],
        (first, size): (usize, usize),
        forks: bool,
        f: &(dyn Fn(usize, [&mut [T]; ROWS]) + Sync),
    ) {
        let blocks = rows[0].len().div_ceil(size);
        if blocks <= 1 {
            return f(first, rows);
        }
        let half = blocks / 2;
        let mut right: [&mut [T]; ROWS] = std::array::from_fn(|_| Default::default());
        let mut places = right.iter_mut();
        let left = rows.map(|row| {
            let (left, right) = row.split_at_mut(half * size);
            *places.next().expect("a place for each row") = right;
            left
        });
        let before = || halved(left, (first, size), forks, f);
        let after = || halved(right, (first + half, size), forks, f);
        if forks {
            rayon::join(before, after);
        } else {
            before();
            after();
        }
    }
    let forks = forks(rows[0].len().div_ceil(size), work);
    halved(rows, (0, size), forks, &f);
}

/// `f(0), f(1), ..., f(parts - 1)`, in that order.
pub fn map<R: Send>(parts: usize, work: usize, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    map_parts(&mut vec![(); parts], 1, work, |i, _| f(i))
}

/// Calls `f(i, part)` for every part of `out` of length `size`, and collects what it returns in that order.
pub fn map_parts<T: Send, R: Send>(
    out: &mut [T],
    size: usize,
    work: usize,
    f: impl Fn(usize, &mut [T]) -> R + Sync,
) -> Vec<R> {
    let parts = out.len().div_ceil(size);
    let mut results = Vec::with_capacity(parts);
    for _ in 0..parts {
        results.push(Mutex::new(None));
    }
    // Through a list that all threads see, and not as a second output: so what shares it out is not compiled for each type of results.
    for_each_part(
        out,
        size,
        work,
        || (),
        |(), i, part| {
            let result = f(i, part);
            *results[i].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        },
    );
    let mut all = Vec::with_capacity(parts);
    for result in results {
        let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
        all.push(result.expect("each part has a result"));
    }
    all
}

/// Samples that run together on one thread, with a tape of their own: enough for the kernels to be
/// busy, few enough for the cache. It must not depend on the number of threads.
pub const SHARD: usize = 32;

/// Samples in a shard: small batches are cut finer, so that there is something for a second thread. It
/// depends on the batch alone.
pub fn shard_size(batch: usize) -> usize {
    if batch <= 2 * SHARD { SHARD / 2 } else { SHARD }
}

/// Calls `f` for shards of `0..n`, in parallel, and collects in order. A shard that is alone leaves the
/// threads to its kernels.
pub fn map_shards<R: Send>(n: usize, size: usize, f: impl Fn(Range<usize>) -> R + Sync) -> Vec<R> {
    // Rows of nothing, which take no memory.
    map_shards_into(n, size, &mut vec![(); n.div_ceil(size)], 1, |shard, _| f(shard))
}

/// [`map_shards`], where each shard also writes a row of `rows` of its own.
pub fn map_shards_into<T: Send, R: Send>(
    n: usize,
    size: usize,
    rows: &mut [T],
    row_len: usize,
    f: impl Fn(Range<usize>, &mut [T]) -> R + Sync,
) -> Vec<R> {
    let shard = |i: usize| i * size..((i + 1) * size).min(n);
    match n.div_ceil(size) {
        1 => vec![together::together(|| f(shard(0), rows))],
        _ => map_parts(rows, row_len, usize::MAX, |i, row| serially(|| f(shard(i), row))),
    }
}

/// Adds up rows of length `len` in the same tree as [`tree_sum`], in place: the sum is the first row.
pub fn tree_sum_rows<T: Copy + std::ops::AddAssign>(rows: &mut [T], len: usize) {
    let mut distance = len;
    while distance < rows.len() {
        for pair in rows.chunks_mut(2 * distance).filter(|pair| pair.len() > distance) {
            let (left, right) = pair.split_at_mut(distance);
            left[..len].iter_mut().zip(&right[..len]).for_each(|(sum, &more)| *sum += more);
        }
        distance *= 2;
    }
}

/// Adds up equally long rows in a fixed binary tree: neighbours first, then neighbours of those.
pub fn tree_sum<R>(mut parts: Vec<R>, add: impl Fn(R, R) -> R) -> Option<R> {
    while parts.len() > 1 {
        let mut next = Vec::with_capacity(parts.len().div_ceil(2));
        let mut pairs = parts.into_iter();
        while let Some(left) = pairs.next() {
            next.push(match pairs.next() {
                Some(right) => add(left, right),
                None => left,
            });
        }
        parts = next;
    }
    parts.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_adds_neighbours_first() {
        let parts = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        let sum = tree_sum(parts, |a, b| format!("({a}+{b})"));
        assert_eq!(sum.as_deref(), Some("(((a+b)+(c+d))+e)"));
        assert_eq!(tree_sum(Vec::<u8>::new(), |a, _| a), None);
    }

    #[test]
    fn rows_are_added_in_the_same_tree() {
        for count in 1..12 {
            let row = |i: usize| [0.1f32 * i as f32, 1.0 / (i + 1) as f32, (i as f32).exp()];
            let expected = tree_sum((0..count).map(row).collect(), |a: [f32; 3], b| {
                std::array::from_fn(|i| a[i] + b[i])
            });
            let mut rows: Vec<f32> = (0..count).flat_map(row).collect();
            tree_sum_rows(&mut rows, 3);
            assert_eq!(rows[..3], expected.unwrap());
        }
    }

    #[test]
    fn blocks_of_rows() {
        for len in 0..10 {
            for size in 1..4 {
                for work in [0, SERIAL_WORK] {
                    let mut rows = [vec![0; len], vec![0; len]];
                    let [a, b] = &mut rows;
                    for_each_block([a, b], size, work, |i, [a, b]| {
                        assert!(a.len() == b.len() && a.len() == size.min(len - i * size));
                        a.fill(i + 1);
                        b.fill(10 * (i + 1));
                    });
                    let expected: Vec<usize> = (0..len).map(|at| at / size + 1).collect();
                    assert_eq!(rows[0], expected);
                    assert_eq!(rows[1], expected.iter().map(|i| 10 * i).collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn serially_is_undone_even_by_a_panic() {
        let panicked = std::panic::catch_unwind(|| serially(|| panic!("inside")));
        assert!(panicked.is_err());
        assert_eq!(forks(2, SERIAL_WORK), rayon::current_num_threads() > 1);
        serially(|| assert!(!forks(2, SERIAL_WORK)));
    }
}
