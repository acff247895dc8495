//! Parts of work: each is done once, in its place, whoever does it.

use crate::par::{
    for_each_block, for_each_pair, for_each_part, for_each_slice, map, map_parts, serially,
    tree_sum, tree_sum_rows,
};
use std::collections::HashSet;
use std::sync::Mutex;
use std::thread::{self, ThreadId};
use std::time::Duration;

/// Runs `f` with several numbers of threads, each with work that is shared out and with work that is not.
fn with_threads(f: impl Fn(usize) + Sync) {
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| [0, usize::MAX].into_iter().for_each(&f));
    }
}

const LENS: [usize; 12] = [0, 1, 2, 3, 5, 8, 13, 31, 32, 33, 64, 65];

/// Where each element of `len` is after parts of `size`: its part, and its place in there.
fn expected(len: usize, size: usize) -> Vec<(usize, usize)> {
    (0..len).map(|at| (at / size + 1, at % size)).collect()
}

fn mark(part: usize, values: &mut [(usize, usize)]) {
    values.iter_mut().enumerate().for_each(|(at, value)| {
        assert_eq!(*value, (0, 0), "a part that is done twice");
        *value = (part + 1, at);
    });
}

#[test]
fn parts_and_pairs() {
    with_threads(|work| {
        for (len, size) in LENS.into_iter().flat_map(|len| [1, 2, 5, 32].map(|size| (len, size))) {
            let mut out = vec![(0, 0); len];
            for_each_part(
                &mut out,
                size,
                work,
                || 0,
                |calls, part, out| {
                    // What one part leaves in the scratch, the next one finds; it begins as it was made.
                    assert!(*calls <= part);
                    *calls += 1;
                    mark(part, out);
                },
            );
            assert_eq!(out, expected(len, size));
            let (mut a, mut b) = (vec![(0, 0); len], vec![(0, 0); len]);
            for_each_pair(
                &mut a,
                &mut b,
                size,
                work,
                || (),
                |(), part, a, b| {
                    mark(part, a);
                    mark(part + 100, b);
                },
            );
            assert_eq!(a, expected(len, size));
            assert!(a.iter().zip(&b).all(|(a, b)| (a.0 + 100, a.1) == *b));
            let mut out = vec![(0, 0); len];
            let parts = map_parts(&mut out, size, work, |part, out| {
                mark(part, out);
                (part, out.len())
            });
            assert_eq!(out, expected(len, size));
            let lens = (0..len.div_ceil(size)).map(|part| (part, size.min(len - part * size)));
            assert_eq!(parts, lens.collect::<Vec<_>>());
            assert_eq!(map(len, work, |i| i * i), (0..len).map(|i| i * i).collect::<Vec<_>>());
        }
    });
}

#[test]
fn slices_and_blocks() {
    with_threads(|work| {
        for lens in [&[][..], &[4], &[0, 3, 0], &[5, 1, 0, 2, 9], &[1; 33]] {
            let mut out = vec![(0, 0); lens.iter().sum()];
            for_each_slice(&mut out, lens.iter().copied(), work, mark);
            let slices = lens.iter().enumerate();
            let expected = slices.flat_map(|(i, &len)| (0..len).map(move |at| (i + 1, at)));
            assert_eq!(out, expected.collect::<Vec<_>>());
        }
        for (len, size) in LENS.into_iter().flat_map(|len| [1, 2, 5, 32].map(|size| (len, size))) {
            let (mut a, mut b, mut c) = (vec![(0, 0); len], vec![(0, 0); len], vec![(0, 0); len]);
            for_each_block([&mut a, &mut b, &mut c], size, work, |i, rows| {
                rows.into_iter().enumerate().for_each(|(row, values)| mark(i + 100 * row, values));
            });
            assert_eq!(a, expected(len, size));
            for (row, values) in [(1, b), (2, c)] {
                assert!(a.iter().zip(&values).all(|(a, x)| (a.0 + 100 * row, a.1) == *x));
            }
        }
    });
}

/// The threads that work on something.
fn threads_of(f: impl Fn(&(dyn Fn() + Sync))) -> HashSet<ThreadId> {
    let seen = Mutex::new(HashSet::new());
    f(&|| _ = seen.lock().expect("no panic").insert(thread::current().id()));
    seen.into_inner().expect("no panic")
}

#[test]
fn nothing_forks_inside_of_serially_or_for_little_work() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("threads");
    let all = |work: usize, seen: &(dyn Fn() + Sync)| {
        // Parts that take so long that other threads would come for some.
        let seen = || {
            thread::sleep(Duration::from_millis(1));
            seen();
        };
        let out = &mut [0; 8];
        for_each_part(out, 1, work, || (), |(), _, _| seen());
        for_each_slice(out, [4, 4].into_iter(), work, |_, _| seen());
        for_each_block([out], 1, work, |_, _| seen());
        map(8, work, |_| seen());
        map_parts(out, 1, work, |_, _| seen());
    };
    pool.install(|| {
        let here = HashSet::from([thread::current().id()]);
        assert_eq!(threads_of(|seen| serially(|| all(usize::MAX, seen))), here);
        let nested = |seen: &(dyn Fn() + Sync)| {
            serially(|| {
                serially(|| ());
                all(usize::MAX, seen);
            });
        };
        assert_eq!(threads_of(nested), here);
        assert_eq!(threads_of(|seen| all((1 << 18) - 1, seen)), here);
        assert_ne!(threads_of(|seen| all(1 << 18, seen)), here);
    });
    // Whoever is not in the pool has to wake it.
    let here = HashSet::from([thread::current().id()]);
    assert_eq!(threads_of(|seen| all((1 << 20) - 1, seen)), here);
}

/// The sum of `parts` as text: which are added, in which order.
fn tree(parts: &[usize]) -> String {
    // A tree of neighbours: the left half is the largest power of two below the length.
    match parts {
        [part] => part.to_string(),
        _ => {
            let half = parts.len().next_power_of_two() / 2;
            format!("({}+{})", tree(&parts[..half]), tree(&parts[half..]))
        }
    }
}

#[test]
fn sums_are_trees_of_neighbours() {
    for count in 1..=70 {
        let parts: Vec<usize> = (0..count).collect();
        let texts = parts.iter().map(usize::to_string).collect();
        let sum = tree_sum(texts, |a: String, b| format!("({a}+{b})"));
        assert_eq!(sum, Some(tree(&parts)));
        for len in [1, 3, 16, 17] {
            let value = |row: usize, at: usize| 1.0 / (1 + row * len + at) as f32;
            let mut rows: Vec<f32> = (0..count * len).map(|at| value(at / len, at % len)).collect();
            tree_sum_rows(&mut rows, len);
            let sum = tree_sum(
                parts
                    .clone()
                    .into_iter()
                    .map(|row| (0..len).map(|at| value(row, at)).collect())
                    .collect(),
                |a: Vec<f32>, b| a.iter().zip(b).map(|(a, b)| a + b).collect(),
            );
            assert_eq!(Some(&rows[..len]), sum.as_deref());
        }
    }
    assert_eq!(tree_sum(Vec::<usize>::new(), |a, b| a + b), None);
    tree_sum_rows::<f32>(&mut [], 4);
}
