//! Reading files that may be compressed.

use crate::error::{Error, Reason, Result};
use crate::file;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// No data set that this crate reads is larger: a guard against decompression bombs.
const LIMIT: u64 = 1 << 30;

/// The bytes of a file, decompressed if its name ends in `.gz`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = file::read(path, LIMIT + 1)?;
    if path.extension().is_some_and(|extension| extension == "gz") {
        bytes = decompress(&bytes, LIMIT + 1).map_err(|reason| Error::format(path, reason))?;
    }
    if bytes.len() as u64 > LIMIT {
        return Err(Error::format(
            path,
            "more than 1 GiB of data; no known data set is that large",
        ));
    }
    Ok(bytes)
}

/// What one or several gzip members hold, at most `limit` bytes. Zeros may follow, as on a tape, where gzip accepts them too.
#[cfg(feature = "gzip")]
fn decompress(compressed: &[u8], limit: u64) -> Result<Vec<u8>, Reason> {
    use std::io::Read;
    let (mut bytes, mut rest) = (Vec::new(), compressed);
    loop {
        let mut member = flate2::bufread::GzDecoder::new(rest);
        let left = limit - bytes.len() as u64;
        member
            .by_ref()
            .take(left)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("not a complete gzip file ({error}); download it again"))?;
        rest = member.into_inner();
        if bytes.len() as u64 == limit || rest.iter().all(|&byte| byte == 0) {
            return Ok(bytes);
        }
        if !rest.starts_with(&[0x1F, 0x8B]) {
            return Err(format!(
                "the compressed data end {} bytes before the file, and what follows is not gzip's; download it again",
                rest.len()
            ).into());
        }
    }
}

#[cfg(not(feature = "gzip"))]
fn decompress(_: &[u8], _: u64) -> Result<Vec<u8>, Reason> {
    Err("reading .gz files needs cinta's feature `gzip`; enable it, or decompress the file".into())
}

/// What is wrong with files that are not all of one data set.
pub(super) fn several<'n>(names: impl IntoIterator<Item = &'n String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    format!(
        "the folder has files of several data sets: {}; move all but one data set to folders of their own",
        names.join(", ")
    )
}

/// The file of a folder whose name, without `.gz`, is `wanted`. What an operating system hides is passed over (macOS leaves
/// `._name` beside `name`). `what` names the file in the error.
///
/// # Errors
/// When there is none, or two that are not the same file with and without `.gz`.
pub(super) fn find(dir: &Path, what: &str, wanted: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let entries = std::fs::read_dir(dir).map_err(|error| Error::io(dir, error))?;
    // By name without `.gz`; a plain file is chosen before a compressed one.
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|error| Error::io(dir, error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let plain = name.strip_suffix(".gz").unwrap_or(name);
        if name.starts_with('.') || !wanted(plain) || !path.is_file() {
            continue;
        }
        if name == plain || !found.contains_key(plain) {
            found.insert(plain.to_owned(), path);
        }
    }
    if found.len() > 1 {
        return Err(Error::format(dir, several(found.keys())));
    }
    let path = found.into_values().next();
    path.ok_or_else(|| Error::format(dir, format!("the folder has no {what}")))
}
