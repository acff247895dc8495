//! A folder of a test's own, gone when the test is.

use std::fs;
use std::path::{Path, PathBuf};

pub struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// `name` is that of the test: tests of one binary run at the same time.
    pub fn new(name: &str) -> Self {
        let unique = format!("{name}-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique);
        // A test that failed under the same process id may have left one.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder to write to");
        Scratch { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
