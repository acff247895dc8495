//! Several tensors as NumPy's file `.npz` (feature `npy`): a ZIP archive with a `.npy` file for each.

use super::npy;
use super::pack::{pack, unpack};
use crate::error::{Cause, Error, Reason, Result};
use crate::file;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;
use std::io::Cursor;
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

/// The ending of each member, which is no part of an array's name.
const ENDING: &str = ".npy";

/// How many bytes one byte of a compressed member can stand for, at most: 258 in two bits.
const MAX_RATIO: u64 = 1032;

impl<T: Scalar> Tensor<T> {
    /// Reads the arrays that NumPy saved together, with their names and in their order: `numpy.savez("data.npz", x=x, y=y)` or
    /// `numpy.savez_compressed`. Numbers become `T` as in [`Tensor::read_npy`].
    ///
    /// # Errors
    /// When the file cannot be read, is no `.npz` file or not complete, or an array is none that [`Tensor::read_npy`] reads.
    ///
    /// ```
    /// let error = cinta::Tensor::<f32>::read_npz("nowhere.npz").unwrap_err();
    /// assert!(error.to_string().starts_with("nowhere.npz: "));
    /// ```
    pub fn read_npz(path: impl AsRef<Path>) -> Result<Vec<(String, Self)>> {
        let path = path.as_ref();
        from_bytes(&file::read(path, u64::MAX)?).map_err(|reason| Error::format(path, reason))
    }

    /// Writes tensors together, as a file that NumPy reads: `numpy.load("data.npz")["x"]`. The file appears complete or not at
    /// all, and the same tensors give the same bytes. They are not compressed.
    ///
    /// # Errors
    /// When the file cannot be written, or two tensors have the same name.
    ///
    /// ```
    /// use cinta::Tensor;
    /// # let path = std::env::temp_dir().join(format!("cinta-npz-{}.npz", std::process::id()));
    /// let (x, y) = (Tensor::from([[1.0f32, 2.0], [3.0, 4.0]]), Tensor::from([5.0]));
    /// Tensor::write_npz(&path, [("x", &x), ("y", &y)])?;
    /// assert_eq!(Tensor::read_npz(&path)?, [("x".to_owned(), x), ("y".to_owned(), y)]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn write_npz<'a>(
        path: impl AsRef<Path>,
        arrays: impl IntoIterator<Item = (&'a str, &'a Self)>,
    ) -> Result<()> {
        let (path, arrays) = (path.as_ref(), arrays.into_iter().collect::<Vec<_>>());
        let bytes = to_bytes(&arrays).map_err(|reason| Error::format(path, reason))?;
        file::write(path, &bytes)
    }
}

fn broken(error: impl Into<Cause>) -> Reason {
    Reason::incomplete(".npz file of NumPy", error)
}

#[inline(never)]
fn from_bytes<T: Scalar>(bytes: &[u8]) -> Result<Vec<(String, Tensor<T>)>, Reason> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.has_duplicate_names() {
        return Err(broken("two arrays have the same name"));
    }
    let mut arrays = Vec::new();
    for at in 0..archive.len() {
        let member = archive.by_index(at).map_err(broken)?;
        let name = member.name().map_err(broken)?.into_owned();
        let Some(name) = name.strip_suffix(ENDING).map(str::to_owned) else {
            return Err(
                format!("the archive has a member {name:?}, which is no {ENDING} file").into()
            );
        };
        let most = match member.compression() {
            CompressionMethod::Stored => bytes.len() as u64,
            CompressionMethod::Deflated => bytes.len() as u64 * MAX_RATIO,
            other => {
                return Err(
                    format!("the array {name} is compressed by {other}, not by deflate").into()
                );
            }
        };
        let size = member.size();
        if size > most {
            return Err(broken(format!("{name} has {size} bytes of a file of {}", bytes.len())));
        }
        let array = unpack(member, &name, size, 0).map_err(broken)?;
        let array =
            npy::from_bytes(&array).map_err(|reason| format!("the array {name}: {reason}"))?;
        arrays.push((name, array));
    }
    Ok(arrays)
}

#[inline(never)]
fn to_bytes<T: Scalar>(arrays: &[(&str, &Tensor<T>)]) -> Result<Vec<u8>, Reason> {
    for (i, (name, _)) in arrays.iter().enumerate() {
        if arrays[..i].iter().any(|(before, _)| before == name) {
            return Err(format!("two arrays are called {name:?}; give one another name").into());
        }
    }
    let named =
        |(name, array): &(&str, &Tensor<T>)| (format!("{name}{ENDING}"), npy::to_bytes(array));
    let members: Vec<(String, Vec<u8>)> = arrays.iter().map(named).collect();
    pack(members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}

compiled!(|tensor: &Tensor<T>| (Tensor::write_npz("", [("", tensor)]), Tensor::<T>::read_npz("")));

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn two() -> Vec<u8> {
        let (x, y) = (Tensor::from([[1.0f32, 2.0]]), Tensor::scalar(3.0));
        to_bytes(&[("x", &x), ("arr_0", &y)]).unwrap()
    }

    /// What `numpy.savez_compressed(file, x=numpy.arange(6, dtype="i2").reshape(2, 3))` writes.
    const COMPRESSED: &str = include_str!("npz_compressed.hex");

    fn compressed() -> Vec<u8> {
        let digits: Vec<char> = COMPRESSED.chars().filter(|it| !it.is_whitespace()).collect();
        let byte =
            |pair: &[char]| pair.iter().fold(0, |byte, it| 16 * byte + it.to_digit(16).unwrap());
        digits.chunks_exact(2).map(|pair| byte(pair) as u8).collect()
    }

    #[test]
    fn compressed_arrays_are_read() {
        let expected = Tensor::from([[0.0f64, 1.0, 2.0], [3.0, 4.0, 5.0]]);
        assert_eq!(from_bytes(&compressed()).unwrap(), [("x".to_owned(), expected)]);
    }

    #[test]
    fn names_and_order_stay() {
        let arrays = from_bytes::<f64>(&two()).unwrap();
        assert_eq!(arrays[0], ("x".to_owned(), Tensor::from([[1.0, 2.0]])));
        assert_eq!(arrays[1], ("arr_0".to_owned(), Tensor::scalar(3.0)));
        assert_eq!(
            to_bytes::<f32>(&[]).map(|bytes| from_bytes::<f32>(&bytes).unwrap().len()),
            Ok(0)
        );
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_says_why() {
        let of = |bytes: &[u8]| from_bytes::<f32>(bytes).unwrap_err();
        assert!(of(b"\x93NUMPY").as_str().contains("not a complete .npz"));
        let text = pack([("notes.txt", &b"hello"[..])]).unwrap();
        assert!(of(&text).as_str().contains("\"notes.txt\", which is no .npy file"));
        let objects = pack([("x.npy", &b"hello"[..])]).unwrap();
        assert!(of(&objects).as_str().contains("the array x: this is no .npy file"));
        let x = Tensor::<f32>::ones([2]);
        assert!(
            to_bytes(&[("x", &x), ("x", &x)])
                .unwrap_err()
                .as_str()
                .contains("two arrays are called \"x\"")
        );
        for bytes in [two(), compressed()] {
            for length in 0..bytes.len() {
                of(&bytes[..length]);
            }
        }
    }

    /// A small file cannot ask for much memory: here one of 4 GB of zeros is announced.
    #[test]
    fn announced_sizes_are_compared_with_the_file() {
        let mut bytes = compressed();
        let central = bytes.windows(4).rposition(|it| it == b"PK\x01\x02").unwrap();
        bytes[central + 24..central + 28].copy_from_slice(&0xF000_0000u32.to_le_bytes());
        assert!(from_bytes::<f32>(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            numbers in proptest::collection::vec(any::<u8>(), 0..40),
            damaged in (0..1usize << 16, any::<u8>()),
        ) {
            let _ = from_bytes::<f32>(&numbers);
            for mut whole in [two(), compressed()] {
                let at = damaged.0 % whole.len();
                whole[at] = damaged.1;
                let _ = from_bytes::<f32>(&whole);
            }
        }
    }
}
