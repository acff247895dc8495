//! ZIP archives: written with members that are stored as they are, read with a bound.

use crate::error::{Cause, Reason};
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The bytes of a member of `size` bytes, as it says; it has no more and no fewer. `room` of them are asked of the system at once, and
/// the others as they come. The checksum is compared at the end.
pub(super) fn unpack(
    member: impl Read,
    name: &str,
    size: u64,
    room: u64,
) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::with_capacity(room as usize);
    member.take(size.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == size {
        true => Ok(bytes),
        false => Err(format!("{name} does not have {size} bytes, as it says").into()),
    }
}

/// An archive of these members. The same members give the same bytes: the archive does not know the time.
pub(super) fn pack<'m>(
    members: impl IntoIterator<Item = (&'m str, &'m [u8])>,
) -> Result<Vec<u8>, Reason> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::DEFAULT)
            .large_file(bytes.len() >= u32::MAX as usize);
        archive.start_file(name, options).map_err(|error| error.to_string())?;
        archive.write_all(bytes).map_err(|error| error.to_string())?;
    }
    Ok(archive.finish().map_err(|error| error.to_string())?.into_inner())
}
