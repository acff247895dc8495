//! One computation that forks many times: its threads stay awake from one fork to the next.
//!
//! To wake a thread takes longer than many a kernel, and a network whose layers couple the samples of a batch forks hundreds of times in a
//! step. So such a step moves to a thread of the pool, where a fork is an entry in a list, and the others look for entries without a rest
//! until the step is done.

use super::{FORKED, SERIAL, within};
use crate::buffer::Pools;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a thread stays awake without work.
const AWAKE: Duration = Duration::from_micros(300);

thread_local! {
    /// Whether what this thread had computed last has forked.
    static FORKED_LAST: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread computes such an `f`, or stays awake for one.
    static OCCUPIED: Cell<bool> = const { Cell::new(false) };
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
        let done = Arc::new(AtomicBool::new(false));
        // Also after a panic.
        let _done = SetAtEnd(&done);
        let seen = Arc::clone(&done);
        // To each thread its own: a thread that is busy elsewhere comes too late, and nobody waits for it.
        rayon::spawn_broadcast(move |_| stay_awake(&seen));
        // Memory follows the computation: which thread of the pool takes it is left to chance.
        let mut pools = Pools::default();
        pools.exchange();
        let (result, mut pools) = rayon::scope(|_| {
            within(&OCCUPIED, || {
                pools.exchange();
                let result = watched();
                pools.exchange();
                (result, pools)
            })
        });
        pools.exchange();
        result
    } else {
        watched()
    };
    FORKED_LAST.set(forked);
    result
}

/// Takes work of the pool until `done`, or until there was none for a while. A thread that has something to do itself, which it goes on with as soon as
/// what it waits for is done, must not be kept here.
fn stay_awake(done: &AtomicBool) {
    if OCCUPIED.get() {
        return;
    }
    within(&OCCUPIED, || {
        let mut last = Instant::now();
        while !done.load(Ordering::Relaxed) && last.elapsed() < AWAKE {
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                last = Instant::now();
            } else {
                // Somebody else may need this processor.
                std::thread::yield_now();
            }
        }
    });
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
    use std::sync::atomic::AtomicUsize;
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

    /// Threads that look for work are there while another one has some, each once, and not for long without it.
    #[test]
    fn threads_stay_awake_until_it_is_done() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().expect("threads");
        let (done, awake) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (seen, counted) = (Arc::clone(&done), Arc::clone(&awake));
        pool.spawn_broadcast(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            stay_awake(&seen);
            assert!(!OCCUPIED.get());
        });
        // Work comes until each of them is there.
        while awake.load(Ordering::Relaxed) < 4 {
            pool.install(|| std::thread::sleep(AWAKE / 3));
        }
        done.store(true, Ordering::Relaxed);
        // Who computes is not kept.
        within(&OCCUPIED, || stay_awake(&AtomicBool::new(false)));
        // Without work, it ends by itself, but not at once.
        let start = Instant::now();
        stay_awake(&AtomicBool::new(false));
        assert!(start.elapsed() >= AWAKE);
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
