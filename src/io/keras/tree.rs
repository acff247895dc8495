//! Writing HDF5: a tree of groups that becomes the same bytes every time.

use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use hdf5_pure::{AttrValue, DatasetBuilder, FileBuilder, FinishedGroup, GroupBuilder};

/// The most that h5py puts into one attribute.
const MAX_ATTRIBUTE: usize = 64_512;

/// A group with what is in it.
#[derive(Default)]
pub(super) struct Tree {
    attributes: Vec<(String, AttrValue)>,
    arrays: Vec<(String, Array)>,
    groups: Vec<(String, Tree)>,
}

struct Array {
    shape: Vec<u64>,
    values: Values,
}

enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(i64),
}

impl Tree {
    pub fn text(&mut self, name: &str, value: impl Into<String>) {
        self.attributes.push((name.to_owned(), AttrValue::VarLenString(value.into())));
    }

    /// A list of texts, in several attributes where one would be too large for Keras.
    pub fn texts(&mut self, name: &str, texts: &[String]) {
        let longest = texts.iter().map(String::len).max().unwrap_or(0).max(1);
        let each = (MAX_ATTRIBUTE / longest).clamp(1, MAX_ATTRIBUTE / 16);
        if texts.is_empty() {
            self.attributes.push((name.to_owned(), AttrValue::F64Array(Vec::new())));
        } else if texts.len() <= each {
            self.list(name.to_owned(), texts);
        } else {
            for (i, part) in texts.chunks(each).enumerate() {
                self.list(format!("{name}{i}"), part);
            }
        }
    }

    fn list(&mut self, name: String, texts: &[String]) {
        self.attributes.push((name, AttrValue::VarLenStringArray(texts.to_vec())));
    }

    /// The group with a path such as `layers/dense`, which is made if it is not there.
    pub fn group(&mut self, path: &str) -> &mut Tree {
        path.split('/').fold(self, |tree, name| {
            let at = tree.groups.iter().position(|(existing, _)| existing == name);
            let at = at.unwrap_or_else(|| {
                tree.groups.push((name.to_owned(), Tree::default()));
                tree.groups.len() - 1
            });
            &mut tree.groups[at].1
        })
    }

    fn array(&mut self, path: &str, array: Array) {
        match path.rsplit_once('/') {
            Some((group, name)) => self.group(group).array(name, array),
            None => self.arrays.push((path.to_owned(), array)),
        }
    }

    pub fn tensor<T: Scalar>(&mut self, path: &str, tensor: &Tensor<T>) {
        let shape = tensor.shape().iter().map(|&dim| dim as u64).collect();
        let values = tensor.iter().map(Scalar::widen);
        let values = match T::BYTES {
            4 => Values::F32(values.map(|value| value as f32).collect()),
            _ => Values::F64(values.collect()),
        };
        self.array(path, Array { shape, values });
    }

    pub fn count(&mut self, path: &str, count: u64) {
        self.array(path, Array { shape: Vec::new(), values: Values::I64(count as i64) });
    }

    pub fn into_bytes(self) -> Result<Vec<u8>, Reason> {
        let mut file = FileBuilder::new();
        for (name, value) in self.attributes {
            file.set_attr(&name, value);
        }
        for (name, array) in self.arrays {
            array.write(file.create_dataset(&name));
        }
        for (name, tree) in self.groups {
            let group = tree.into_group(file.create_group(&name));
            file.add_group(group);
        }
        file.finish().map_err(|error| error.to_string().into())
    }

    fn into_group(self, mut group: GroupBuilder) -> FinishedGroup {
        for (name, value) in self.attributes {
            group.set_attr(&name, value);
        }
        for (name, array) in self.arrays {
            array.write(group.create_dataset(&name));
        }
        for (name, tree) in self.groups {
            let inner = tree.into_group(group.create_group(&name));
            group.add_group(inner);
        }
        group.finish()
    }
}

impl Array {
    fn write(self, dataset: &mut DatasetBuilder) {
        match self.values {
            Values::F32(values) => dataset.with_f32_data(&values),
            Values::F64(values) => dataset.with_f64_data(&values),
            Values::I64(value) => dataset.with_i64_data(&[value]),
        }
        .with_shape(&self.shape);
    }
}
