//! For tests: every instruction set of this machine in turn.

use super::{Level, level};
use std::cell::Cell;

thread_local! {
    static ASKED: Cell<Option<Level>> = const { Cell::new(None) };
}

/// The level that a test on this thread is at.
pub(super) fn asked() -> Option<Level> {
    ASKED.get()
}

/// Runs `f` with each instruction set up to the one that is used else, on this thread: whatever `f` gives to other
/// threads is computed with that one.
pub fn at_each_level(f: impl Fn()) {
    struct Restore;
    impl Drop for Restore {
        fn drop(&mut self) {
            ASKED.set(None);
        }
    }
    let _restore = Restore;
    let best = level();
    let levels = [
        Level::Portable,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2,
        #[cfg(target_arch = "x86_64")]
        Level::Avx512,
    ];
    for level in levels.into_iter().filter(|&level| level <= best) {
        ASKED.set(Some(level));
        f();
    }
}
