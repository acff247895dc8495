//! Tensors as NumPy's files `.npy` (feature `npy`).
//!
//! Such a file begins with six fixed bytes, a version, and the length of the header. The header is a text: a Python
//! dictionary with the type, the order and the shape. The numbers follow, without gaps.

use super::widen::f16;
use crate::error::{Error, Reason, Result};
use crate::file;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{MAX_RANK, Shape, Tensor};
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header that is read: NumPy itself reads no longer ones from strangers.
const MAX_HEADER: usize = 10_000;

/// The numbers begin at a multiple of it.
const ALIGNMENT: usize = 64;

impl<T: Scalar> Tensor<T> {
    /// Reads an array that NumPy saved: `numpy.save("x.npy", x)`, in either order of memory and of bytes.
    ///
    /// Floating-point numbers, integers and booleans become `T`. They are rounded if they have more digits.
    ///
    /// # Errors
    /// When the file cannot be read, is no `.npy` file or not complete, or holds something else, as complex numbers,
    /// texts or Python's objects.
    ///
    /// ```
    /// let error = cinta::Tensor::<f32>::read_npy("nowhere.npy").unwrap_err();
    /// assert!(error.to_string().starts_with("nowhere.npy: "));
    /// ```
    pub fn read_npy(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        from_bytes(&file::read(path, u64::MAX)?).map_err(|reason| Error::format(path, reason))
    }

    /// Writes the tensor as a file that NumPy reads: `x = numpy.load("x.npy")`. The file appears complete or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    ///
    /// ```
    /// use cinta::Tensor;
    /// # let path = std::env::temp_dir().join(format!("cinta-npy-{}.npy", std::process::id()));
    /// let x = Tensor::from([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// x.write_npy(&path)?;
    /// assert_eq!(Tensor::read_npy(&path)?, x);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn write_npy(&self, path: impl AsRef<Path>) -> Result<()> {
        file::write(path.as_ref(), &to_bytes(self))
    }
}

#[inline(never)]
pub(super) fn from_bytes<T: Scalar>(bytes: &[u8]) -> Result<Tensor<T>, Reason> {
    let cut_off = || "the file is cut off in its header".to_owned();
    let rest = bytes.strip_prefix(MAGIC).ok_or(
        "this is no .npy file of NumPy, which begins with the byte 0x93 and the letters NUMPY",
    )?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(cut_off)?;
    let (length, rest) = match version {
        [1, _] => {
            rest.split_first_chunk().map(|(two, rest)| (u16::from_le_bytes(*two).into(), rest))
        }
        [2 | 3, _] => {
            rest.split_first_chunk().map(|(four, rest)| (u32::from_le_bytes(*four), rest))
        }
        [major, minor] => {
            return Err(
                format!("the .npy file is of version {major}.{minor}; 1 to 3 are read").into()
            );
        }
    }
    .ok_or_else(cut_off)?;
    let length = length as usize;
    if length > MAX_HEADER {
        return Err(format!("the header has {length} bytes; {MAX_HEADER} are allowed").into());
    }
    let (header, numbers) = rest.split_at_checked(length).ok_or_else(cut_off)?;
    let header = Header::parse(&String::from_utf8_lossy(header))?;
    header.read(numbers)
}

/// What stands in front of the numbers.
struct Header {
    shape: Shape,
    /// Whether the first index is that of neighbours in memory.
    fortran: bool,
    big_endian: bool,
    kind: Kind,
    /// The bytes of one number.
    size: usize,
}

enum Kind {
    Float,
    Signed,
    /// Booleans as well: 0 and 1.
    Unsigned,
}

impl Header {
    fn parse(text: &str) -> Result<Self, Reason> {
        let wrong = || Reason::from(format!("this is no header of NumPy: {text:.200}"));
        // NumPy writes names in single quotes, and nothing that could be taken for one of them.
        let value = |name: &str| {
            let (_, rest) = text.split_once(&format!("'{name}':")).ok_or_else(wrong)?;
            Ok::<&str, Reason>(rest.trim_start())
        };
        let list = value("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let (list, _) = list.ok_or_else(wrong)?;
        let dims = list.split(',').map(str::trim).filter(|dim| !dim.is_empty());
        let dims: Vec<usize> =
            dims.map(|dim| dim.parse().map_err(|_| wrong())).collect::<Result<_, Reason>>()?;
        if dims.len() > MAX_RANK {
            return Err(format!(
                "the array has {} axes; a tensor has at most {MAX_RANK}",
                dims.len()
            )
            .into());
        }
        let fortran = match value("fortran_order")? {
            rest if rest.starts_with("True") => true,
            rest if rest.starts_with("False") => false,
            _ => return Err(wrong()),
        };
        let descr = value("descr")?;
        if descr.starts_with('[') {
            return Err("the array holds records; save one of their fields: x[\"field\"]".into());
        }
        let descr = descr.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
        let (descr, _) = descr.ok_or_else(wrong)?;
        let (order, number) = descr.split_at_checked(1).ok_or_else(wrong)?;
        let (kind, size) = match number {
            "f2" => (Kind::Float, 2),
            "f4" => (Kind::Float, 4),
            "f8" => (Kind::Float, 8),
            "i1" => (Kind::Signed, 1),
            "i2" => (Kind::Signed, 2),
            "i4" => (Kind::Signed, 4),
            "i8" => (Kind::Signed, 8),
            "b1" | "u1" => (Kind::Unsigned, 1),
            "u2" => (Kind::Unsigned, 2),
            "u4" => (Kind::Unsigned, 4),
            "u8" => (Kind::Unsigned, 8),
            _ => {
                return Err(format!(
                    "the array is of type {descr:?}, which a tensor cannot hold; save x.astype(\"float32\")"
                ).into());
            }
        };
        let big_endian = match order {
            "<" | "|" | "=" => false,
            ">" => true,
            _ => return Err(wrong()),
        };
        Ok(Header { shape: Shape::new(&dims), fortran, big_endian, kind, size })
    }

    fn read<T: Scalar>(&self, bytes: &[u8]) -> Result<Tensor<T>, Reason> {
        let Header { shape, size, .. } = *self;
        // Before memory is taken.
        let expected = shape.checked_count().and_then(|count| count.checked_mul(size));
        if expected != Some(bytes.len()) {
            return Err(format!(
                "an array of the shape {shape} with {size} bytes for a number needs as many bytes after its header, \
                 and the file has {}; save or download it again",
                bytes.len()
            ).into());
        }
        let values: Vec<T> = bytes.chunks_exact(size).map(|it| T::lit(self.number(it))).collect();
        if !self.fortran {
            return Ok(Tensor::new(shape, values));
        }
        Ok(Tensor::from_fn(shape, |at| {
            let axes = at.iter().zip(shape.iter()).rev();
            values[axes.fold(0, |place, (index, dim)| place * dim + index)]
        }))
    }

    /// One number, from as many bytes as it has.
    fn number(&self, bytes: &[u8]) -> f64 {
        let mut wide = [0; 8];
        wide[..self.size].copy_from_slice(bytes);
        if self.big_endian {
            wide[..self.size].reverse();
        }
        let bits = u64::from_le_bytes(wide);
        match (&self.kind, self.size) {
            (Kind::Float, 2) => f16(bits as u16).into(),
            (Kind::Float, 4) => f32::from_bits(bits as u32).into(),
            (Kind::Float, _) => f64::from_bits(bits),
            (Kind::Unsigned, _) => bits as f64,
            (Kind::Signed, size) => {
                // The sign is the highest bit of those that are there.
                let unused = 64 - 8 * size as u32;
                ((bits << unused) as i64 >> unused) as f64
            }
        }
    }
}

#[inline(never)]
pub(super) fn to_bytes<T: Scalar>(tensor: &Tensor<T>) -> Vec<u8> {
    let dims: String = tensor.shape().iter().map(|dim| format!("{dim}, ")).collect();
    let mut header = format!(
        "{{'descr': '<f{}', 'fortran_order': False, 'shape': ({}), }}",
        T::BYTES,
        // A tuple of one has a comma at its end.
        if tensor.rank() == 1 { dims.trim_end() } else { dims.trim_end_matches(", ") }
    );
    let before = MAGIC.len() + 4;
    let end = (before + header.len() + 1).next_multiple_of(ALIGNMENT);
    header.push_str(&" ".repeat(end - 1 - before - header.len()));
    header.push('\n');
    let mut bytes = Vec::with_capacity(end + tensor.len() * T::BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0]);
    // Six axes of 20 digits fit two bytes by far.
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    tensor.iter().for_each(|value| value.write_le(&mut bytes));
    bytes
}

compiled!(|tensor: &Tensor<T>| (tensor.write_npy(""), Tensor::<T>::read_npy("")));

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// A file of version 1.
    fn file(header: &str, numbers: &[u8]) -> Vec<u8> {
        let length = (header.len() as u16).to_le_bytes();
        [MAGIC, &[1, 0], &length, header.as_bytes(), numbers].concat()
    }

    fn header(descr: &str, fortran: bool, shape: &str) -> String {
        let fortran = if fortran { "True" } else { "False" };
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
    }

    fn read(descr: &str, shape: &str, numbers: &[u8]) -> Result<Tensor<f64>, Reason> {
        from_bytes(&file(&header(descr, false, shape), numbers))
    }

    #[test]
    fn every_type_becomes_numbers() {
        let values = |descr: &str, shape: &str, numbers: &[u8]| {
            read(descr, shape, numbers).unwrap_or_else(|error| panic!("{descr}: {error}")).to_vec()
        };
        assert_eq!(
            values("<f4", "(2,)", &[1.5f32, -2.0].map(f32::to_le_bytes).concat()),
            [1.5, -2.0]
        );
        assert_eq!(
            values(">f4", "(2,)", &[1.5f32, -2.0].map(f32::to_be_bytes).concat()),
            [1.5, -2.0]
        );
        assert_eq!(values("<f8", "(1,)", &0.1f64.to_le_bytes()), [0.1]);
        assert_eq!(values(">f8", "(1,)", &0.1f64.to_be_bytes()), [0.1]);
        assert_eq!(values("<f2", "(2,)", &[0, 0x3C, 0, 0xC0]), [1.0, -2.0]);
        assert_eq!(values("|b1", "(2,)", &[0, 1]), [0.0, 1.0]);
        assert_eq!(values("|u1", "(2,)", &[7, 255]), [7.0, 255.0]);
        assert_eq!(values("|i1", "(2,)", &[7, 255]), [7.0, -1.0]);
        assert_eq!(values("<u2", "(1,)", &65_535u16.to_le_bytes()), [65_535.0]);
        assert_eq!(values(">i2", "(1,)", &(-300i16).to_be_bytes()), [-300.0]);
        assert_eq!(values("<i4", "(1,)", &(-70_000i32).to_le_bytes()), [-70_000.0]);
        assert_eq!(values(">u4", "(1,)", &4_000_000_000u32.to_be_bytes()), [4e9]);
        assert_eq!(values("<i8", "(1,)", &i64::MIN.to_le_bytes()), [-(2f64.powi(63))]);
        assert_eq!(values(">u8", "(1,)", &(1u64 << 63).to_be_bytes()), [2f64.powi(63)]);
        assert_eq!(read("<f8", "()", &2.5f64.to_le_bytes()).unwrap(), Tensor::scalar(2.5));
        assert_eq!(read("<f8", "(0, 3)", &[]).unwrap().shape(), [0, 3]);
    }

    #[test]
    fn either_order_of_memory_is_read() {
        // Element [i, j, k] is 100 i + 10 j + k; the first index runs fastest.
        let mut bytes = Vec::new();
        for k in 0..4u8 {
            for j in 0..3u8 {
                bytes.extend([0, 1].map(|i: u8| 100 * i + 10 * j + k));
            }
        }
        let x: Tensor<f32> = from_bytes(&file(&header("|u1", true, "(2, 3, 4)"), &bytes)).unwrap();
        let expected = |at: &[usize]| (100 * at[0] + 10 * at[1] + at[2]) as f32;
        assert_eq!(x, Tensor::from_fn([2, 3, 4], expected));
    }

    #[test]
    fn longer_headers_are_read() {
        let text = header("<f4", false, "(1,)");
        let length = (text.len() as u32).to_le_bytes();
        let bytes = [MAGIC, &[3, 0], &length, text.as_bytes(), &1.5f32.to_le_bytes()].concat();
        assert_eq!(from_bytes::<f32>(&bytes).unwrap().to_vec(), [1.5]);
    }

    #[test]
    fn a_file_is_as_numpy_writes_it() {
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }";
        let x = Tensor::from([[1.0f32], [2.0]]);
        let expected =
            file(&format!("{text:117}\n"), &[1.0f32, 2.0].map(f32::to_le_bytes).concat());
        assert_eq!(to_bytes(&x), expected);
        let shape_of = |x: Tensor<f64>| {
            let text = String::from_utf8_lossy(&to_bytes(&x)).into_owned();
            text.split_once("'shape': ").unwrap().1.split_once(", }").unwrap().0.to_owned()
        };
        assert_eq!(shape_of(Tensor::scalar(1.0)), "()");
        assert_eq!(shape_of(Tensor::ones([3])), "(3,)");
        assert_eq!(shape_of(Tensor::ones([3, 1, 2])), "(3, 1, 2)");
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_says_why() {
        let of = |bytes: &[u8]| from_bytes::<f32>(bytes).unwrap_err();
        let four = 1f32.to_le_bytes();
        let shape = |shape: &str| of(&file(&header("<f4", false, shape), &four));
        let descr = |descr: &str| of(&file(&header(descr, false, "(1,)"), &four));
        let records = "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }";
        for (error, expected) in [
            (of(b"PK\x03\x04"), "no .npy file"),
            (of(b""), "no .npy file"),
            (of(b"\x93NUMPY\x01"), "cut off in its header"),
            (of(b"\x93NUMPY\x01\x00\x40"), "cut off in its header"),
            (of(b"\x93NUMPY\x01\x00\x40\x00{'descr"), "cut off in its header"),
            (of(b"\x93NUMPY\x09\x00\x40\x00"), "version 9.0"),
            (of(b"\x93NUMPY\x02\x00\xFF\xFF\xFF\xFF"), "the header has 4294967295 bytes"),
            (of(&file("{}", &[])), "no header of NumPy: {}"),
            (of(&file(&"(".repeat(9000), &[])), "no header of NumPy: (((("),
            (of(&file(records, &four)), "holds records"),
            (shape("(-1,)"), "no header of NumPy"),
            (shape("(1.0,)"), "no header of NumPy"),
            (shape("[1]"), "no header of NumPy"),
            (shape("(99999999999999999999,)"), "no header of NumPy"),
            (shape("(1, 1, 1, 1, 1, 1, 1, 1, 1)"), "the array has 9 axes"),
            (shape("(2,)"), "the shape [2]"),
            (shape("(1099511627776, 1099511627776)"), "the shape [1099511627776, 1099511627776]"),
            (shape("(0, 1)"), "the shape [0, 1]"),
            (shape("(4611686018427387904,)"), "and the file has 4"),
            (descr("<c8"), "of type \"<c8\""),
            (descr("|O"), "of type \"|O\""),
            (descr("<U1"), "of type \"<U1\""),
            (descr(""), "no header of NumPy"),
            (descr("\u{e9}4"), "no header of NumPy"),
        ] {
            assert!(error.as_str().contains(expected), "{error:?} does not say {expected:?}");
        }
        // Every beginning of a file is cut off somewhere.
        let whole = to_bytes(&Tensor::<f32>::ones([2, 3]));
        for length in 0..whole.len() {
            of(&whole[..length]);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            numbers in vec(any::<u8>(), 0..40),
            text in "[{}()\\[\\]',:<>|=a-zA-Z0-9_ .-]{0,60}",
            damaged in (0..120usize, any::<u8>()),
        ) {
            let _ = from_bytes::<f32>(&numbers);
            let _ = from_bytes::<f64>(&file(&text, &numbers));
            let _ = from_bytes::<f64>(&file(&header(&text, true, "(2,)"), &numbers));
            let _ = from_bytes::<f64>(&file(&header("<i2", true, &text), &numbers));
            let mut whole = to_bytes(&Tensor::<f32>::ones([2, 3]));
            whole[damaged.0] = damaged.1;
            let _ = from_bytes::<f32>(&whole);
        }

        #[test]
        fn what_is_written_is_read(dims in vec(0..4usize, 0..=MAX_RANK), seed in any::<u64>()) {
            let shape = Shape::new(&dims);
            let x = Tensor::<f32>::uniform(shape, -1.0, 1.0, &mut crate::tensor::Stream::new(seed));
            prop_assert_eq!(from_bytes::<f32>(&to_bytes(&x)).unwrap(), x);
        }
    }
}
