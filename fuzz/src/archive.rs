//! `.keras` files around any configuration, with the checksums that belong to them.

use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// A member of an archive that is stored as it is.
pub fn member(archive: &[u8], name: &str) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).expect("an archive");
    let at = archive.index_for_name(name).expect(name);
    let mut bytes = Vec::new();
    archive.by_index(at).expect(name).read_to_end(&mut bytes).expect(name);
    bytes
}

/// An archive of Keras of this configuration and these weights.
pub fn keras(config: &[u8], weights: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let members: [(&str, &[u8]); 3] =
        [("metadata.json", b"{}"), ("config.json", config), ("model.weights.h5", weights)];
    for (name, bytes) in members {
        archive.start_file(name, options).expect(name);
        archive.write_all(bytes).expect(name);
    }
    archive.finish().expect("an archive").into_inner()
}
