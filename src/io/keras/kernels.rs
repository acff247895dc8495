//! Kernels of convolutions in lists of older files, as they are today.
//!
//! Keras 1 had the kernels of layers with their channels first as `[filters, inputs, ..]`, and those of transposed convolutions with inputs
//! and filters the other way round. Theano convolves where others correlate: what it has learnt is mirrored.

use super::hdf5::Group;
use super::weights::checked;
use crate::config::{Config, Value, file_groups};
use crate::error::Reason;
use crate::nn::{Part, Weight};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use std::collections::HashMap;

/// Who wrote a list of weights.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub keras1: bool,
    pub theano: bool,
}

/// The layer that has a weight: itself in no other one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Owner {
    class_name: String,
    channels_first: bool,
}

/// The owner of each weight of a layer that is made of these parts.
pub(super) fn owners(class_name: &str, config: &Config, parts: &[Part]) -> Vec<Owner> {
    let mut found = Vec::new();
    let parts: Vec<_> = parts.iter().map(|part| (&*part.group, part.weights)).collect();
    collect(class_name, config, &parts, &mut found);
    found
}

/// Those of parts that are named by their groups in this layer. What belongs to one layer in it stands together.
fn collect(class_name: &str, config: &Config, mut parts: &[(&str, usize)], found: &mut Vec<Owner>) {
    let of = |value: &'_ Value| value.get("class_name").and_then(Value::as_str).map(str::to_owned);
    let layers = config.get("layers").and_then(Value::as_array).unwrap_or_default();
    let classes: Vec<String> = layers.iter().map(|it| of(it).unwrap_or_default()).collect();
    let groups = file_groups(classes.iter().map(String::as_str));
    let by_group: HashMap<String, &Value> = groups.into_iter().zip(layers).collect();
    while let Some(&(group, weights)) = parts.first() {
        let named = match group.strip_prefix("layers/") {
            Some(rest) => {
                let end = group.len() - rest.len() + rest.find('/').unwrap_or(rest.len());
                let name = &group[..end];
                by_group.get(&name["layers/".len()..]).map(|&layer| (name, layer))
            }
            None if group.split('/').next() == Some("layer") => {
                config.get("layer").map(|layer| ("layer", layer))
            }
            None => None,
        };
        let inner =
            named.and_then(|(name, it)| Some((name, of(it)?, it.get("config")?.as_object()?)));
        let Some((name, inner_class, inner_config)) = inner else {
            let channels_first =
                config.get("data_format").is_some_and(|it| *it == "channels_first");
            let owner = Owner { class_name: class_name.to_owned(), channels_first };
            found.extend(std::iter::repeat_n(owner, weights));
            parts = &parts[1..];
            continue;
        };
        let inside: Vec<(&str, usize)> = parts
            .iter()
            .map_while(|&(part, weights)| match part.strip_prefix(name)? {
                "" => Some(("", weights)),
                rest => Some((rest.strip_prefix('/')?, weights)),
            })
            .collect();
        collect(&inner_class, inner_config, &inside, found);
        parts = &parts[inside.len()..];
    }
}

impl Owner {
    /// How the axes of a kernel stood in Keras 1, as places of today's axes; `None` if they are the same.
    fn order(&self, rank: usize) -> Option<Vec<usize>> {
        let space = 0..rank - 2;
        let [before, last] = [rank - 2, rank - 1];
        match (&*self.class_name, self.channels_first) {
            ("Conv2D" | "Conv3D", true) => Some([last, before].into_iter().chain(space).collect()),
            ("Conv2DTranspose", true) => Some([before, last].into_iter().chain(space).collect()),
            ("Conv2DTranspose", false) => Some(space.chain([last, before]).collect()),
            _ => None,
        }
    }

    pub(super) fn divides_a_kernel(&self) -> bool {
        self.class_name == "SpectralNormalization"
    }

    /// Whether Theano mirrors the weight.
    ///
    /// # Errors
    /// For classes of which nobody knows.
    fn mirrored(&self, weight: &str) -> Result<bool, Reason> {
        match &*self.class_name {
            "Conv1D" | "Conv2D" | "Conv3D" | "Conv2DTranspose" | "Conv3DTranspose"
            | "ConvLSTM2D" => Ok(weight.ends_with("kernel")),
            class if class.starts_with("SeparableConv") || class.starts_with("DepthwiseConv") => {
                Err(format!(
                    "the weights come from Theano, which mirrors the kernels of convolutions; whether also those of {class} is \
                     not known: save them from Keras with TensorFlow"
                ).into())
            }
            _ => Ok(false),
        }
    }
}

/// A weight from a list.
pub(super) fn read<T: Scalar>(
    group: &Group,
    path: &str,
    name: &str,
    weight: &Weight,
    owner: Option<&Owner>,
    origin: Origin,
) -> Result<Tensor<T>, Reason> {
    let Some(owner) = owner.filter(|_| weight.shape.rank() > 2) else {
        return checked(group, path, name, &weight.shape);
    };
    let order = owner.order(weight.shape.rank()).filter(|_| origin.keras1);
    let kernel = match (series(group, path, name, &weight.shape), order) {
        (Some(kernel), _) => kernel?,
        (None, Some(order)) => turned(group, path, name, &weight.shape, &order)?,
        (None, None) => checked(group, path, name, &weight.shape)?,
    };
    match origin.theano && owner.mirrored(&weight.name)? {
        true => Ok((0..kernel.rank() - 2).fold(kernel, |kernel, axis| kernel.flip(axis))),
        false => Ok(kernel),
    }
}

/// A kernel whose axes stand in the file in this order.
fn turned<T: Scalar>(
    group: &Group,
    path: &str,
    name: &str,
    shape: &[usize],
    order: &[usize],
) -> Result<Tensor<T>, Reason> {
    let was: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
    let mut back = vec![0; order.len()];
    order.iter().enumerate().for_each(|(at, &axis)| back[axis] = at);
    Ok(checked::<T>(group, path, name, &was)?.permuted(&back))
}

/// The kernel of a convolution of series that the file has as one of images of a single column: `[size, 1, inputs, filters]`, before
/// Keras 1.2 `[filters, inputs, size, 1]`. `None` where it has the shape that is wanted, or another one.
fn series<T: Scalar>(
    group: &Group,
    path: &str,
    name: &str,
    shape: &[usize],
) -> Option<Result<Tensor<T>, Reason>> {
    let &[size, inputs, filters] = shape else { return None };
    let found = group.shape(path).ok()?;
    let is = |shape: [usize; 4]| found.iter().copied().eq(shape.map(|dim| dim as u64));
    let (today, before) = ([size, 1, inputs, filters], [filters, inputs, size, 1]);
    let kernel = if is(today) {
        checked(group, path, name, &today)
    } else if is(before) {
        checked(group, path, name, &before).map(|kernel: Tensor<T>| kernel.permute([2, 3, 1, 0]))
    } else {
        return None;
    };
    Some(kernel.map(|kernel| kernel.reshape(shape)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{as_config, json};

    fn part(group: &str, weights: usize) -> Part {
        Part { group: group.to_owned(), weights }
    }

    #[test]
    fn owners_are_found_in_other_layers() {
        let conv = |first| {
            let format = if first { "channels_first" } else { "channels_last" };
            json!({ "class_name": "Conv2D", "config": { "data_format": format } })
        };
        let distributed =
            json!({ "class_name": "TimeDistributed", "config": { "layer": conv(true) } });
        let model = json!({ "layers": [{ "class_name": "InputLayer" }, conv(false), conv(true), distributed] });
        let parts = [
            part("layers/conv2d", 2),
            part("layers/conv2d_1", 1),
            part("layers/time_distributed/layer", 1),
        ];
        let found = owners("Functional", &as_config(model), &parts);
        let owner = |channels_first| Owner { class_name: "Conv2D".to_owned(), channels_first };
        assert_eq!(found, [owner(false), owner(false), owner(true), owner(true)]);
        let plain = owners("Dense", &Config::new(), &[part("", 2)]);
        assert_eq!(plain, vec![Owner { class_name: "Dense".to_owned(), channels_first: false }; 2]);
    }

    #[test]
    fn axes_of_keras_1() {
        let of = |class_name: &str, channels_first, rank| {
            Owner { class_name: class_name.to_owned(), channels_first }.order(rank)
        };
        assert_eq!(of("Conv2D", true, 4), Some(vec![3, 2, 0, 1]));
        assert_eq!(of("Conv3D", true, 5), Some(vec![4, 3, 0, 1, 2]));
        assert_eq!(of("Conv2DTranspose", true, 4), Some(vec![2, 3, 0, 1]));
        assert_eq!(of("Conv2DTranspose", false, 4), Some(vec![0, 1, 3, 2]));
        assert_eq!(of("Conv2D", false, 4), None);
    }
}
