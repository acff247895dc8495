//! Files that are complete or not there.
//!
//! What is written appears complete or not at all; what is read is not the pointer that Git LFS left in place of a file.

use crate::error::{Error, Result};
use std::fs::{self, File, Metadata};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// As many symbolic links in a row as Linux follows.
const MAX_LINKS: usize = 40;

/// What Git LFS writes in place of a file that it has not fetched begins with this.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// The bytes of a file, at most `limit` of them.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| {
            // Memory for all of it at once.
            let len = file.metadata().map_or(0, |metadata| metadata.len());
            bytes.try_reserve(len.min(limit) as usize)?;
            file.take(limit).read_to_end(&mut bytes)
        })
        .map_err(|error| Error::io(path, error))?;
    if bytes.starts_with(POINTER) {
        return Err(Error::format(
            path,
            "this is not the file itself, but a pointer that Git LFS left in its place; \
             `git lfs pull` in its repository fetches the file",
        ));
    }
    Ok(bytes)
}

/// Writes a file under a name of its own beside `path`, forces it to the disk, and renames it. On an
/// error, whatever was at `path` is untouched, and nothing else is left behind.
///
/// A symbolic link stays, and the file that it names is written. A file that is replaced keeps its mode,
/// and its owner and group where the system lets us.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, bytes).map_err(|error| Error::io(path, error))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = behind_links(path)?;
    let old = match fs::metadata(&target) {
        Ok(old) if old.is_file() => Some(old),
        Ok(old) if old.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(_) => return Err(io::Error::other("this is a device or a pipe; save to a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // Before anything is written, so that the disk has room.
    remove_abandoned(folder);
    let (mut file, temporary) = create_in(folder, old.is_some())?;
    let written = file
        .write_all(bytes)
        .map(|()| old.iter().for_each(|old| access::keep(&file, old)))
        .and_then(|()| file.sync_all())
        .map(|()| access::release(&file))
        .and_then(|()| fs::rename(&temporary, &target));
    // The first error is the one to report.
    written.inspect_err(|_| drop(fs::remove_file(&temporary)))
}

/// The path of the file that symbolic links lead to, which need not exist.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                // A relative link starts in its own folder.
                let next = fs::read_link(&path)?;
                path = path.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
            }
            _ => return Ok(path),
        }
    }
    // The system's own words, if it thinks so too.
    fs::metadata(&path)?;
    Err(io::Error::other("too many symbolic links"))
}

const START: &str = ".cinta-";
const END: &str = ".tmp";

fn is_temporary(name: &str) -> bool {
    let middle = name.strip_prefix(START).and_then(|name| name.strip_suffix(END));
    middle.is_some_and(|middle| {
        middle.len() == 16 && middle.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// A new file in a folder, under a name that nobody uses: not made from the file's own name, which may be as
/// long as the system allows, and never one that exists, whoever left it there. It is locked for as long as
/// it is open, which tells others that it is not abandoned. If `private`, nobody else may read it yet.
fn create_in(folder: &Path, private: bool) -> io::Result<(File, PathBuf)> {
    loop {
        // Not a process's number: processes of several machines or containers share folders.
        let random = RandomState::new().hash_one(0);
        let temporary = folder.join(format!("{START}{random:016x}{END}"));
        let mut options = File::options();
        options.write(true).create_new(true);
        if private {
            access::owner_alone(&mut options);
        }
        match options.open(&temporary) {
            Ok(file) if is_claimed(&file, &temporary) => return Ok((file, temporary)),
            // Another save took it for abandoned before it was locked.
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Locks a new file. It is not ours if another save has the lock, or had it and removed the file.
fn is_claimed(file: &File, path: &Path) -> bool {
    match file.try_lock() {
        Ok(()) => path.exists(),
        Err(fs::TryLockError::WouldBlock) => false,
        // Where nothing can be locked, nothing is taken for abandoned.
        Err(fs::TryLockError::Error(_)) => true,
    }
}

/// Removes the files of saves that were killed. The system has unlocked those, and only those.
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_name().to_str().is_some_and(is_temporary)
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Ok(file) = File::options().write(true).open(&path).or_else(|_| File::open(&path))
            && file.try_lock().is_ok()
        {
            // If it cannot be removed, the save at hand still can be made.
            let _ = fs::remove_file(&path);
        }
    }
}

/// Who may read and write a file.
#[cfg(unix)]
mod access {
    use super::{File, Metadata};
    use std::fs::{OpenOptions, Permissions};
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};

    pub fn owner_alone(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    /// Gives a file the owner, the group and the mode of another, as far as the system lets us. What it does not
    /// leaves the file to fewer people.
    pub fn keep(file: &File, old: &Metadata) {
        let Ok(new) = file.metadata() else { return };
        if new.uid() != old.uid() {
            let _ = fchown(file, Some(old.uid()), None);
        }
        let same_group = new.gid() == old.gid() || fchown(file, None, Some(old.gid())).is_ok();
        let mode = old.mode() & 0o777;
        // Another group gets no more than everybody.
        let mode = if same_group { mode } else { mode & (0o707 | (mode & 0o007) << 3) };
        let _ = file.set_permissions(Permissions::from_mode(mode));
    }

    /// A lock keeps no reader from a file here.
    pub fn release(_: &File) {}
}

/// Who may read and write a file: what its folder says.
#[cfg(not(unix))]
mod access {
    use super::{File, Metadata};
    use std::fs::OpenOptions;

    pub fn owner_alone(_: &mut OpenOptions) {}

    pub fn keep(_: &File, _: &Metadata) {}

    /// Windows lets nobody read what is locked.
    pub fn release(file: &File) {
        // Where nothing can be locked, nothing is.
        let _ = file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::is_temporary;

    #[test]
    fn only_the_names_of_temporary_files_are_taken_for_them() {
        assert!(is_temporary(".cinta-0123456789abcdef.tmp"));
        for name in [
            ".cinta-0123456789abcde.tmp",
            ".cinta-0123456789abcdefa.tmp",
            ".cinta-0123456789abcdeg.tmp",
            ".cinta-1234-0.tmp",
            ".cinta-.tmp",
            ".cinta-.tm",
            "cinta-0123456789abcdef.tmp",
            ".cinta-0123456789abcdef.safetensors",
        ] {
            assert!(!is_temporary(name), "{name}");
        }
    }
}
