//! Reading HDF5 without trust.
//!
//! A file of a kilobyte can describe terabytes: one text that a list names a million times, an array that a thousand
//! layers share, a group that contains itself. So the reader may take only so many bytes of the file in one call and
//! in all, and the arrays that are taken from a file are together no larger than the file, or than a multiple of it
//! where they are packed.

use crate::error::{Cause, Reason};
use crate::io::widen::Float;
use crate::scalar::Scalar;
use crate::tensor::{MAX_RANK, Tensor};
use hdf5_pure::{
    AttrValue, ChunkIndex, DType, Dataset, Datatype, DatatypeByteOrder, File, FloatingPointLayout,
    FormatError, Layout, Source, is_hdf5_bytes,
};
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The most groups on the way to an array.
const MAX_DEPTH: usize = 64;

/// What packed arrays may unpack to: this multiple of the file, and as much in any case. Zeros shrink a thousandfold, but
/// weights with one of sixteen that is not zero only so much.
const MAX_RATIO: u64 = 16;
const ALWAYS_UNPACKED: u64 = 64 << 20;

/// The most bytes that what is packed in a file of so many bytes may be unpacked to.
pub(super) fn most_unpacked(file: u64) -> u64 {
    file.saturating_mul(MAX_RATIO).saturating_add(ALWAYS_UNPACKED)
}

/// Filters of HDF5 that can be undone, by their registered numbers: gzip (deflate), shuffle, fletcher32, and h5py's LZF.
const FILTERS: [u16; 4] = [1, 2, 3, 32_000];

/// NumPy's `float16`, and the `bfloat16` of newer versions of HDF5.
const F16: FloatingPointLayout = FloatingPointLayout {
    bit_precision: 16,
    exponent_location: 10,
    exponent_size: 5,
    mantissa_size: 10,
    exponent_bias: 15,
    ..FloatingPointLayout::IEEE754_BINARY32
};
const BF16: FloatingPointLayout = FloatingPointLayout {
    bit_precision: 16,
    exponent_location: 7,
    mantissa_size: 7,
    ..FloatingPointLayout::IEEE754_BINARY32
};

/// What may still be taken from a file, in bytes.
struct Allowance {
    len: u64,
    /// By the call at hand.
    call: AtomicU64,
    /// By all calls together: metadata is read more than once.
    total: AtomicU64,
    /// As arrays that lie in the file as they are.
    arrays: AtomicU64,
    /// As arrays in chunks, which may be packed.
    unpacked: AtomicU64,
    /// Whether numbers may lose digits.
    rounded: bool,
}

impl Allowance {
    /// For `len` bytes, in a file of `file` bytes.
    fn new(len: u64, file: u64, rounded: bool) -> Self {
        let total = len.saturating_mul(16).saturating_add(1 << 20);
        Allowance {
            len,
            call: 0.into(),
            total: total.into(),
            arrays: len.into(),
            unpacked: most_unpacked(file).into(),
            rounded,
        }
    }

    /// Begins a call. An honest one takes less than twice the file.
    fn begin(&self) {
        self.call.store(self.len.saturating_mul(2).saturating_add(64 << 10), Relaxed);
    }

    fn take(left: &AtomicU64, bytes: u64) -> Result<(), Reason> {
        let taken = left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes));
        taken.map(drop).map_err(|_| "the file refers to the same bytes over and over".into())
    }
}

/// The bytes of a file, which are given out as far as the allowance goes.
struct Bounded {
    bytes: Vec<u8>,
    allowance: Arc<Allowance>,
}

impl Bounded {
    fn slice(&self, offset: u64, len: usize) -> Result<&[u8], FormatError> {
        for left in [&self.allowance.call, &self.allowance.total] {
            Allowance::take(left, len as u64)
                .map_err(|reason| FormatError::Source(reason.to_string()))?;
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(len);
        self.bytes
            .get(start..end)
            .ok_or(FormatError::UnexpectedEof { expected: end, available: self.bytes.len() })
    }
}

impl Source for Bounded {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        buffer.copy_from_slice(self.slice(offset, buffer.len())?);
        Ok(())
    }

    fn read_exact_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, FormatError> {
        self.slice(offset, len).map(<[u8]>::to_vec)
    }
}

fn broken(error: impl Into<Cause>) -> Reason {
    Reason::incomplete("HDF5 file", error)
}

/// A group of an open file. What is in it is read once, because looking up a name means reading all names.
pub(super) struct Group {
    group: hdf5_pure::Group,
    allowance: Arc<Allowance>,
    path: String,
    children: OnceCell<BTreeMap<String, Group>>,
    arrays: OnceCell<BTreeMap<String, Dataset>>,
}

impl Group {
    /// The root group of a file. Bytes after the file's own end are allowed. The bytes may come out of an archive, a file of `file`
    /// bytes. `rounded` is whether numbers may lose digits.
    pub fn open(bytes: Vec<u8>, file: u64, rounded: bool) -> Result<Self, Reason> {
        if !is_hdf5_bytes(&bytes) {
            return Err("this is neither an archive of Keras nor an HDF5 file".into());
        }
        let len = bytes.len() as u64;
        let allowance = Arc::new(Allowance::new(len, file, rounded));
        allowance.begin();
        let source = Bounded { bytes, allowance: Arc::clone(&allowance) };
        let file = File::from_source(source).map_err(broken)?;
        let end = file.superblock().eof_address;
        if end > len {
            return Err(broken(format!("it has {len} bytes of {end}")));
        }
        Ok(Group::new(file.root(), allowance, String::new()))
    }

    fn new(group: hdf5_pure::Group, allowance: Arc<Allowance>, path: String) -> Self {
        Group { group, allowance, path, children: OnceCell::new(), arrays: OnceCell::new() }
    }

    fn path_of(&self, name: &str) -> String {
        format!("{}/{name}", self.path)
    }

    /// The groups in this one, by name.
    pub fn children(&self) -> Result<&BTreeMap<String, Group>, Reason> {
        if let Some(children) = self.children.get() {
            return Ok(children);
        }
        self.allowance.begin();
        let children = self.group.iter_groups().map_err(broken)?;
        let child = |(name, group): (String, _)| {
            let child = Group::new(group, Arc::clone(&self.allowance), self.path_of(&name));
            (name, child)
        };
        let children = children.map(child).collect();
        Ok(self.children.get_or_init(|| children))
    }

    /// The group with a name, if there is one.
    pub fn find(&self, name: &str) -> Result<Option<&Group>, Reason> {
        Ok(self.children()?.get(name))
    }

    /// The arrays in this group, by name.
    fn arrays(&self) -> Result<&BTreeMap<String, Dataset>, Reason> {
        if let Some(arrays) = self.arrays.get() {
            return Ok(arrays);
        }
        self.allowance.begin();
        let arrays = self.group.iter_datasets().map_err(broken)?.collect();
        Ok(self.arrays.get_or_init(|| arrays))
    }

    /// The number of arrays in this group.
    pub fn array_count(&self) -> Result<usize, Reason> {
        Ok(self.arrays()?.len())
    }

    /// The attributes of this group.
    pub fn attributes(&self) -> Result<Attributes, Reason> {
        self.allowance.begin();
        let values = self.group.attrs().map_err(broken)?;
        Ok(Attributes { values, path: self.path_of("") })
    }

    fn dataset(&self, path: &str) -> Result<&Dataset, Reason> {
        let missing = || format!("the array {} is missing", self.path_of(path));
        let mut names: Vec<&str> = path.split('/').collect();
        let array = names.pop().unwrap_or_default();
        // A group may contain itself.
        let mut group = if names.len() > MAX_DEPTH { return Err(missing().into()) } else { self };
        for name in names {
            group = group.find(name)?.ok_or_else(missing)?;
        }
        let found = group.arrays()?.get(array).ok_or_else(missing)?;
        self.allowance.begin();
        Ok(found)
    }

    /// An array of floats or whole numbers, of any shape.
    pub fn tensor<T: Scalar>(&self, path: &str) -> Result<Tensor<T>, Reason> {
        let dataset = self.dataset(path)?;
        let wrong =
            |reason: Reason| reason.inside(|why| format!("the array {} {why}", self.path_of(path)));
        let shape = self.claim(dataset).map_err(wrong)?;
        let values: Vec<T> = match dataset.dtype().map_err(broken)? {
            // Normalization counts what it has seen.
            DType::I32 | DType::I64 => {
                let numbers = dataset.read_i64().map_err(broken)?;
                numbers.into_iter().map(|number| T::lit(number as f64)).collect()
            }
            _ => floats(dataset, self.allowance.rounded).map_err(wrong)?,
        };
        if values.len() != shape.iter().product::<usize>() {
            return Err(wrong(
                format!("has {} values, which do not fill {shape:?}", values.len()).into(),
            ));
        }
        Ok(Tensor::new(&shape[..], values))
    }

    /// The shape of an array that can be read, for which an allowance is used up.
    fn claim(&self, dataset: &Dataset) -> Result<Vec<usize>, Reason> {
        let shape = dataset.shape().map_err(broken)?;
        let each = dataset.element_size().map_err(broken)?;
        let size = |dims: &[u64]| dims.iter().try_fold(each, |bytes, &dim| bytes.checked_mul(dim));
        let senseless = |dims: &[u64]| format!("has the shape {dims:?}, which makes no sense");
        let bytes = size(&shape).filter(|_| shape.len() <= MAX_RANK);
        let bytes = bytes.ok_or_else(|| senseless(&shape))?;
        match dataset.layout().map_err(broken)? {
            Layout::Chunked { index: ChunkIndex::BTreeV2, .. } => {
                return Err(
                    "can grow along several axes, and lies in chunks that a B-tree of version 2 finds, which cannot be read; \
                     `h5repack -l CONTI` puts it into one piece".into(),
                );
            }
            Layout::Chunked { chunk_shape, .. } => {
                if let Some(filter) = dataset.filters().iter().find(|it| !FILTERS.contains(it)) {
                    return Err(format!(
                        "is packed with the filter {filter} of HDF5; gzip, LZF, shuffle and fletcher32 can be read, \
                         and `h5repack -f NONE` unpacks a file"
                    ).into());
                }
                let chunks = dataset.chunks().map_err(broken)?.len() as u64;
                let chunk = size(&chunk_shape).ok_or_else(|| senseless(&chunk_shape))?;
                let unpacked = chunk.saturating_mul(chunks).max(bytes);
                Allowance::take(&self.allowance.unpacked, unpacked).map_err(|_| {
                    format!(
                        "would be unpacked to more than {MAX_RATIO} times the size of the file; if the file is \
                         to be trusted, `h5repack -f NONE` unpacks it"
                    )
                })?;
            }
            Layout::Virtual => {
                return Err("lies in other files; copy its values into this one".into());
            }
            Layout::Contiguous { address: None, size } if size > 0 => {
                return Err("has no values: they were never written".into());
            }
            _ => Allowance::take(&self.allowance.arrays, bytes)?,
        }
        Ok(shape.into_iter().map(|dim| dim as usize).collect())
    }

    /// The shape of an array.
    pub fn shape(&self, path: &str) -> Result<Vec<u64>, Reason> {
        self.dataset(path)?.shape().map_err(broken)
    }

    /// A whole number that is not negative.
    pub fn count(&self, path: &str) -> Result<u64, Reason> {
        let dataset = self.dataset(path)?;
        let wrong =
            |reason: Reason| reason.inside(|why| format!("the value {} {why}", self.path_of(path)));
        self.claim(dataset).map_err(wrong)?;
        let numbers = match dataset.dtype().map_err(broken)? {
            DType::I32 | DType::I64 | DType::U32 | DType::U64 => {
                dataset.read_i64().map_err(broken)?
            }
            other => {
                return Err(wrong(format!("is of type {other}, not a whole number").into()));
            }
        };
        match numbers[..] {
            [number] if number >= 0 => Ok(number as u64),
            _ => Err(wrong(format!("is {numbers:?}, not a number of steps").into())),
        }
    }
}

/// An array's numbers of any width.
fn floats<T: Scalar>(dataset: &Dataset, rounded: bool) -> Result<Vec<T>, Reason> {
    let (float, big_endian) = float(dataset)?;
    let mut bytes = dataset.read_raw().map_err(broken)?;
    if big_endian {
        bytes.chunks_exact_mut(float.bytes()).for_each(<[u8]>::reverse);
    }
    float.read(&bytes, rounded)
}

/// The type of an array's numbers, and whether their bytes are big-endian.
fn float(dataset: &Dataset) -> Result<(Float, bool), Reason> {
    let float = match dataset.datatype().map_err(broken)? {
        Datatype::FloatingPoint { byte_order, layout, .. } => {
            let float = match layout {
                F16 => Some(Float::F16),
                BF16 => Some(Float::Bf16),
                FloatingPointLayout::IEEE754_BINARY32 => Some(Float::F32),
                FloatingPointLayout::IEEE754_BINARY64 => Some(Float::F64),
                _ => None,
            };
            float.zip(match byte_order {
                DatatypeByteOrder::LittleEndian => Some(false),
                DatatypeByteOrder::BigEndian => Some(true),
                DatatypeByteOrder::Vax => None,
            })
        }
        // h5py knows no bfloat16: Keras writes two bytes without a meaning, and says it in an attribute.
        Datatype::Opaque { size: 2, .. } => {
            let attributes = dataset.attrs().map_err(broken)?;
            let said = attributes.get("dtype").and_then(AttrValue::as_str);
            said.filter(|said| *said == "bfloat16").map(|_| (Float::Bf16, false))
        }
        _ => None,
    };
    match float {
        Some(float) => Ok(float),
        None => Err(format!(
            "is of type {}; weights are floats of 16, 32 or 64 bits",
            dataset.dtype().map_err(broken)?
        )
        .into()),
    }
}

/// The attributes of a group.
pub(super) struct Attributes {
    values: HashMap<String, AttrValue>,
    path: String,
}

impl Attributes {
    /// A text, if there is such an attribute.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Reason> {
        let wrong = || format!("the attribute {name} of {} is not a text", self.path).into();
        self.values.get(name).map(|value| value.as_str().ok_or_else(wrong)).transpose()
    }

    /// A list of texts, if there is one. A list that is too long for one attribute is in several: `name0`,
    /// `name1` and so on.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<&str>>, Reason> {
        if let Some(value) = self.values.get(name) {
            return self.list(name, value).map(Some);
        }
        let mut texts = None;
        for part in 0.. {
            let part = format!("{name}{part}");
            let Some(value) = self.values.get(&part) else { break };
            texts.get_or_insert_with(Vec::new).extend(self.list(&part, value)?);
        }
        Ok(texts)
    }

    fn list<'a>(&self, name: &str, value: &'a AttrValue) -> Result<Vec<&'a str>, Reason> {
        match value {
            // NumPy's list of nothing, which is what layers without weights have.
            AttrValue::F64Array(numbers) if numbers.is_empty() => Ok(Vec::new()),
            value => match value.as_strings() {
                Some(texts) => Ok(texts.iter().map(String::as_str).collect()),
                None => {
                    Err(format!("the attribute {name} of {} is no list of texts", self.path).into())
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_are_not_given_out_without_end() {
        let allowance = Arc::new(Allowance::new(1000, 1000, false));
        let source = Bounded { bytes: vec![7; 1000], allowance: Arc::clone(&allowance) };
        let mut taken = 0;
        for calls in 0.. {
            allowance.begin();
            let before = taken;
            while source.read_exact_at(0, 1000).is_ok() {
                taken += 1000;
            }
            assert!(taken - before <= 2000 + (64 << 10));
            if taken == before {
                assert!(calls > 10 && taken <= 16_000 + (1 << 20), "{calls} calls, {taken} bytes");
                break;
            }
        }
        allowance.begin();
        assert!(source.slice(990, 11).is_err() && source.slice(u64::MAX, 2).is_err());
    }
}
