//! Files that are complete or not there.

use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file under a name of its own beside `path`, forces it to the disk, and renames it. On an
/// error, whatever was at `path` is untouched, and nothing else is left behind.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let (mut file, temporary) = create_beside(path).map_err(|error| Error::io(path, error))?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        Error::io(path, error)
    })
}

/// A new file in the folder of `path`, under a name that nobody uses: not made from the file's own name,
/// which may be as long as the system allows, and never one that exists, whoever left it there.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!(".cinta-{}-{count}.tmp", std::process::id());
        let temporary = path.with_file_name(name);
        match File::create_new(&temporary) {
            Ok(file) => return Ok((file, temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}
