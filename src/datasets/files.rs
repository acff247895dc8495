//! Reading files that may be compressed.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// No data set that this crate reads is larger: a guard against decompression bombs.
const LIMIT: u64 = 1 << 30;

/// The bytes of a file, decompressed if its name ends in `.gz`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    let mut bytes = Vec::new();
    let compressed = path.extension().is_some_and(|extension| extension == "gz");
    if compressed {
        decompress(path, file, &mut bytes)?;
    } else {
        file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| Error::io(path, error))?;
    }
    if bytes.len() as u64 > LIMIT {
        return Err(Error::format(
            path,
            "more than 1 GiB of data; no known data set is that large",
        ));
    }
    Ok(bytes)
}

#[cfg(feature = "gzip")]
fn decompress(path: &Path, file: File, bytes: &mut Vec<u8>) -> Result<()> {
    let mut decoder =
        flate2::read::MultiGzDecoder::new(std::io::BufReader::new(file)).take(LIMIT + 1);
    decoder.read_to_end(bytes).map(drop).map_err(|error| {
        Error::format(path, format!("not a complete gzip file: {error}; download it again"))
    })
}

#[cfg(not(feature = "gzip"))]
fn decompress(path: &Path, _: File, _: &mut Vec<u8>) -> Result<()> {
    Err(Error::format(
        path,
        "reading .gz files needs cinta's feature `gzip`; enable it, or decompress the file",
    ))
}

/// The file of a folder whose name is `wanted`, the first in alphabetical order. `what` names it in the
/// error.
pub(super) fn find(dir: &Path, what: &str, wanted: impl Fn(&str) -> bool) -> Result<PathBuf> {
    let entries = std::fs::read_dir(dir).map_err(|error| Error::io(dir, error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let matches = |path: &PathBuf| {
        path.is_file() && path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted)
    };
    paths
        .into_iter()
        .find(matches)
        .ok_or_else(|| Error::format(dir, format!("the folder has no {what}")))
}
