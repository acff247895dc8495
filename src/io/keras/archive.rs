//! The `.keras` file: a ZIP archive of a description, a configuration and the weights. Keras stores members as they are; those of an
//! archive that was packed again with deflate, as most programs do, are read as well.

use super::hdf5::most_unpacked;
use crate::error::{Cause, Reason};
use crate::io::pack::{pack, unpack};
use std::io::Cursor;
use zip::{CompressionMethod, ZipArchive};

const METADATA: &str = "metadata.json";
const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.weights.h5";

/// An archive, and the length of its file.
pub(super) struct Archive<'a>(ZipArchive<Cursor<&'a [u8]>>, u64);

fn broken(error: impl Into<Cause>) -> Reason {
    Reason::incomplete(".keras file", error)
}

impl<'a> Archive<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, Reason> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
        if archive.has_duplicate_names() {
            return Err(broken("two members have the same name"));
        }
        Ok(Archive(archive, bytes.len() as u64))
    }

    pub fn config(&mut self) -> Result<Vec<u8>, Reason> {
        self.member(CONFIG)
    }

    /// The description, which is not needed.
    pub fn metadata(&mut self) -> Option<Vec<u8>> {
        self.member(METADATA).ok()
    }

    pub fn weights(&mut self) -> Result<Vec<u8>, Reason> {
        self.member(WEIGHTS)
    }

    /// The bytes of a member. One that is stored is no larger than the file. One that is packed is so only within bounds: zeros shrink
    /// a thousandfold.
    fn member(&mut self, name: &str) -> Result<Vec<u8>, Reason> {
        let Archive(archive, len) = self;
        let Some(at) = archive.index_for_name(name) else {
            let names = archive.file_names().filter_map(Result::ok);
            let names: Vec<_> = names.take(8).map(|name| format!("{name:?}")).collect();
            return Err(format!("the archive has no {name}, but {}", names.join(", ")).into());
        };
        let member = archive.by_index(at).map_err(broken)?;
        let size = member.size();
        // What is packed gets its memory as it comes.
        let room = match member.compression() {
            CompressionMethod::Stored if size > *len => {
                return Err(broken(format!("{name} has {size} bytes of a file of {len}")));
            }
            CompressionMethod::Stored => size,
            CompressionMethod::Deflated if size > most_unpacked(*len) => {
                return Err(format!(
                    "the member {name} would be unpacked to {size} bytes, of a file of {len}; if the file is to be trusted, unzip \
                     it, and pack it again with `zip -0`"
                ).into());
            }
            CompressionMethod::Deflated => 0,
            other => {
                return Err(format!(
                    "the member {name} is compressed ({other}); Keras stores members as they are, deflate can be read, and \
                     `zip -0` packs an archive without compression"
                ).into());
            }
        };
        unpack(member, name, size, room).map_err(broken)
    }
}

/// Writes the archive. The same members give the same bytes: neither the archive nor its description knows the time.
pub(super) fn write(keras_version: &str, config: &str, weights: &[u8]) -> Result<Vec<u8>, Reason> {
    // Keras writes when a file was saved, and does not read it. This is the first date that ZIP knows.
    let metadata = crate::config::json!({
        "keras_version": keras_version, "date_saved": "1980-01-01@00:00:00",
    });
    let metadata = metadata.to_string();
    pack([(METADATA, metadata.as_bytes()), (CONFIG, config.as_bytes()), (WEIGHTS, weights)])
}
