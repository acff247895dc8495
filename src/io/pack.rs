//! ZIP archives of members that are stored as they are.

use crate::error::Reason;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

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
