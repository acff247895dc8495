//! Files that are complete or not there.

use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file under a name of its own beside `path`, forces it to the disk, and renames it. On an
/// error, whatever was at `path` is untouched, and nothing else is left behind.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = temporary(path);
    let written = File::create_new(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        Error::io(path, error)
    })
}

/// A name that no other thread or process uses at the same time.
fn temporary(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Not made from the file's own name, which may be as long as the system allows.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".cinta-{}-{count}.tmp", std::process::id()))
}
