//! One computation that forks many times: its threads stay awake from one fork to the next.
//!
//! To wake a thread takes longer than many a kernel, and a network whose layers couple the samples of a batch forks hundreds of times in a
//! step. So such a step moves to a thread of the pool, where a fork is an entry in a list, and the others look for entries without a rest
//! until the step is done.

use super::{FORKED, SERIAL};
use crate::buffer::Pools;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a thread stays awake without work.
const AWAKE: Duration = Duration::from_micros(300);

thread_local! {
    /// Whether what this thread had computed last has forked.
    static FORKED_LAST: Cell<bool> = const { Cell::new(false) };
}

/// `f()`, computed by all threads of the pool if the last `f` of this thread has forked. What is small never forks, and does not
/// leave its thread.
pub fn together<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    let threads = rayon::current_num_threads();
    if SERIAL.get() || threads == 1 || rayon::current_thread_index().is_some() {
        return f();
    }
    let watched = || {
        FORKED.set(false);
        (f(), FORKED.get())
    };
    let (result, forked) = if FORKED_LAST.get() {
        let done = AtomicBool::new(false);
        // Memory follows the computation: which thread of the pool takes it is left to chance.
        let mut pools = Pools::default();
        pools.exchange();
        let (result, mut pools) = rayon::scope(|scope| {
            (1..threads).for_each(|_| scope.spawn(|_| stay_awake(&done)));
            // Also after a panic, for the scope waits for all of them.
            let _done = SetAtEnd(&done);
            pools.exchange();
            let result = watched();
            pools.exchange();
            (result, pools)
        });
        pools.exchange();
        result
    } else {
        watched()
    };
    FORKED_LAST.set(forked);
    result
}

/// Takes work of the pool until `done`, or until there was none for a while.
fn stay_awake(done: &AtomicBool) {
    let mut last = Instant::now();
    while !done.load(Ordering::Relaxed) && last.elapsed() < AWAKE {
        if rayon::yield_now() == Some(rayon::Yield::Executed) {
            last = Instant::now();
        } else {
            // Somebody else may need this processor.
            std::thread::yield_now();
        }
    }
}

/// Sets a flag when it goes out of scope.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::par;
    use std::thread::ThreadId;

    /// The thread that computes a thing of this much work, alone.
    fn computed(work: usize) -> ThreadId {
        together(|| {
            let sums = par::map(100, work, |i| i);
            assert_eq!(sums, (0..100).collect::<Vec<_>>());
            std::thread::current().id()
        })
    }

    #[test]
    fn what_forks_moves_to_the_pool_the_next_time() {
        std::thread::spawn(|| {
            let own = std::thread::current().id();
            let alone = rayon::current_num_threads() == 1;
            assert_eq!([computed(0), computed(usize::MAX)], [own; 2]);
            for _ in 0..20 {
                assert_eq!(computed(usize::MAX) == own, alone);
            }
            // The first small one cannot know.
            assert_eq!(computed(0) == own, alone);
            assert_eq!(computed(0), own);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn memory_follows_and_panics_come_through() {
        std::thread::spawn(|| {
            let place = || {
                par::map(100, usize::MAX, |i| i);
                let buffer = crate::buffer::Buffer::<f32>::zeroed(12_345);
                buffer.as_ptr() as usize
            };
            let first = together(place);
            for _ in 0..20 {
                assert_eq!(together(place), first);
            }
            let panicked = std::panic::catch_unwind(|| together(|| panic!("inside")));
            assert!(panicked.is_err());
            assert_eq!(together(|| 7), 7);
        })
        .join()
        .unwrap();
    }
}
