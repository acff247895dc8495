//! Reading HDF5 without trust.
//!
//! A file of a kilobyte can describe terabytes: one text that a list names a million times, an array that a thousand
//! layers share, a group that contains itself. So the reader may take only so many bytes of the file in one call and
//! in all, and the arrays that are taken from a file are together no larger than the file.

use crate::scalar::Scalar;
use crate::tensor::{MAX_RANK, Tensor};
use hdf5_pure::{AttrValue, DType, Dataset, File, FormatError, Layout, Source, is_hdf5_bytes};
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The most groups on the way to an array.
const MAX_DEPTH: usize = 16;

/// What may still be taken from a file, in bytes.
struct Allowance {
    len: u64,
    /// By the call at hand.
    call: AtomicU64,
    /// By all calls together: metadata is read more than once.
    total: AtomicU64,
    /// As arrays.
    arrays: AtomicU64,
}

impl Allowance {
    fn new(len: u64) -> Self {
        let total = len.saturating_mul(16).saturating_add(1 << 20);
        Allowance { len, call: 0.into(), total: total.into(), arrays: len.into() }
    }

    /// Begins a call. An honest one takes less than twice the file.
    fn begin(&self) {
        self.call.store(self.len.saturating_mul(2).saturating_add(64 << 10), Relaxed);
    }

    fn take(left: &AtomicU64, bytes: u64) -> Result<(), String> {
        let taken = left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes));
        taken.map(drop).map_err(|_| "the file refers to the same bytes over and over".to_owned())
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
            Allowance::take(left, len as u64).map_err(FormatError::Source)?;
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

fn broken(error: impl std::fmt::Display) -> String {
    format!("not a complete HDF5 file ({error}); save or download it again")
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
    /// The root group of a file. Bytes after the file's own end are allowed.
    pub fn open(bytes: Vec<u8>) -> Result<Self, String> {
        if !is_hdf5_bytes(&bytes) {
            return Err("this is neither an archive of Keras nor an HDF5 file".to_owned());
        }
        let len = bytes.len() as u64;
        let allowance = Arc::new(Allowance::new(len));
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
    pub fn children(&self) -> Result<&BTreeMap<String, Group>, String> {
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
    pub fn find(&self, name: &str) -> Result<Option<&Group>, String> {
        Ok(self.children()?.get(name))
    }

    /// The arrays in this group, by name.
    fn arrays(&self) -> Result<&BTreeMap<String, Dataset>, String> {
        if let Some(arrays) = self.arrays.get() {
            return Ok(arrays);
        }
        self.allowance.begin();
        let arrays = self.group.iter_datasets().map_err(broken)?.collect();
        Ok(self.arrays.get_or_init(|| arrays))
    }

    /// The number of arrays in this group.
    pub fn array_count(&self) -> Result<usize, String> {
        Ok(self.arrays()?.len())
    }

    /// The attributes of this group.
    pub fn attributes(&self) -> Result<Attributes, String> {
        self.allowance.begin();
        let values = self.group.attrs().map_err(broken)?;
        Ok(Attributes { values, path: self.path_of("") })
    }

    fn dataset(&self, path: &str) -> Result<&Dataset, String> {
        let missing = || format!("the array {} is missing", self.path_of(path));
        let mut names: Vec<&str> = path.split('/').collect();
        let array = names.pop().unwrap_or_default();
        // A group may contain itself.
        let mut group = if names.len() > MAX_DEPTH { return Err(missing()) } else { self };
        for name in names {
            group = group.find(name)?.ok_or_else(missing)?;
        }
        let found = group.arrays()?.get(array).ok_or_else(missing)?;
        self.allowance.begin();
        Ok(found)
    }

    /// An array of the model's own type, of any shape.
    pub fn tensor<T: Scalar>(&self, path: &str) -> Result<Tensor<T>, String> {
        let dataset = self.dataset(path)?;
        let wrong = |reason: String| format!("the array {} {reason}", self.path_of(path));
        let shape = self.plain_shape(dataset).map_err(wrong)?;
        let values: Vec<T> = match (dataset.dtype().map_err(broken)?, T::BYTES) {
            (DType::F32, 4) => values(dataset.read_f32(), f64::from),
            (DType::F64, 8) => values(dataset.read_f64(), |value| value),
            // Normalization counts what it has seen.
            (DType::I32 | DType::I64, _) => values(dataset.read_i64(), |value| value as f64),
            (other, _) => Err(format!(
                "is of type {other}, and the model computes in {}; load it as that",
                T::NAME
            )),
        }
        .map_err(wrong)?;
        if values.len() != shape.iter().product::<usize>() {
            return Err(wrong(format!("has {} values, which do not fill {shape:?}", values.len())));
        }
        Ok(Tensor::new(&shape[..], values))
    }

    /// The shape of an array whose values lie in the file as they are.
    fn plain_shape(&self, dataset: &Dataset) -> Result<Vec<usize>, String> {
        let plain = match dataset.layout().map_err(broken)? {
            Layout::Compact { .. } | Layout::Contiguous { address: Some(_), .. } => true,
            Layout::Contiguous { size, .. } => size == 0,
            _ => false,
        };
        if !plain || !dataset.filters().is_empty() {
            return Err("is compressed or in pieces; Keras writes arrays as they are".to_owned());
        }
        let shape = dataset.shape().map_err(broken)?;
        let bytes = shape
            .iter()
            .try_fold(dataset.element_size().map_err(broken)?, |count, &dim| count.checked_mul(dim))
            .filter(|_| shape.len() <= MAX_RANK)
            .ok_or_else(|| format!("has the shape {shape:?}, which makes no sense"))?;
        Allowance::take(&self.allowance.arrays, bytes)?;
        Ok(shape.into_iter().map(|dim| dim as usize).collect())
    }

    /// The shape of an array.
    pub fn shape(&self, path: &str) -> Result<Vec<u64>, String> {
        self.dataset(path)?.shape().map_err(broken)
    }

    /// A whole number that is not negative.
    pub fn count(&self, path: &str) -> Result<u64, String> {
        let dataset = self.dataset(path)?;
        let wrong = |what: String| format!("the value {} {what}", self.path_of(path));
        self.plain_shape(dataset).map_err(wrong)?;
        let numbers = match dataset.dtype().map_err(broken)? {
            DType::I32 | DType::I64 | DType::U32 | DType::U64 => {
                dataset.read_i64().map_err(broken)?
            }
            other => return Err(wrong(format!("is of type {other}, not a whole number"))),
        };
        match numbers[..] {
            [number] if number >= 0 => Ok(number as u64),
            _ => Err(wrong(format!("is {numbers:?}, not a number of steps"))),
        }
    }
}

fn values<S: Copy, T: Scalar>(
    read: Result<Vec<S>, hdf5_pure::Error>,
    widen: impl Fn(S) -> f64,
) -> Result<Vec<T>, String> {
    Ok(read.map_err(broken)?.into_iter().map(|value| T::lit(widen(value))).collect())
}

/// The attributes of a group.
pub(super) struct Attributes {
    values: HashMap<String, AttrValue>,
    path: String,
}

impl Attributes {
    /// A text, if there is such an attribute.
    pub fn text(&self, name: &str) -> Result<Option<&str>, String> {
        let wrong = || format!("the attribute {name} of {} is not a text", self.path);
        self.values.get(name).map(|value| value.as_str().ok_or_else(wrong)).transpose()
    }

    /// A list of texts, if there is one. A list that is too long for one attribute is in several: `name0`,
    /// `name1` and so on.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<&str>>, String> {
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

    fn list<'a>(&self, name: &str, value: &'a AttrValue) -> Result<Vec<&'a str>, String> {
        match value {
            // NumPy's list of nothing, which is what layers without weights have.
            AttrValue::F64Array(numbers) if numbers.is_empty() => Ok(Vec::new()),
            value => match value.as_strings() {
                Some(texts) => Ok(texts.iter().map(String::as_str).collect()),
                None => Err(format!("the attribute {name} of {} is no list of texts", self.path)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_are_not_given_out_without_end() {
        let allowance = Arc::new(Allowance::new(1000));
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
