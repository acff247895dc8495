//! The names of groups in files of Keras 2.12 and 2.13, which counted every layer with weights twice: after `dense` comes `dense_2`.

use std::collections::{BTreeMap, BTreeSet};

/// What the group of a model's layers was called.
pub(super) const LAYERS: &str = "_layer_checkpoint_dependencies";

/// A name without its number, and the number.
fn split(name: &str) -> (&str, u64) {
    let numbered = name.rsplit_once('_').and_then(|(stem, end)| Some((stem, end.parse().ok()?)));
    numbered.unwrap_or((name, 0))
}

/// The paths of groups with weights, in the words of Keras 3: layers of a class are counted one by one, and their group is `layers`.
/// Paths begin in the group of layers.
pub(super) fn renamed<'p>(paths: impl Iterator<Item = &'p str> + Clone) -> Vec<String> {
    // For every group of layers, by its path: for every class the numbers that there are.
    let mut numbers: BTreeMap<(&str, &str), BTreeSet<u64>> = BTreeMap::new();
    for path in paths.clone() {
        for (before, name) in layers_in(path) {
            let (stem, number) = split(name);
            numbers.entry((before, stem)).or_default().insert(number);
        }
    }
    let rename = |path: &'p str| {
        let mut renamed = path.split('/').map(str::to_owned).collect::<Vec<_>>();
        for (before, name) in layers_in(path) {
            let (stem, number) = split(name);
            let place = if before.is_empty() { 0 } else { before.split('/').count() };
            renamed[place] = match numbers[&(before, stem)].range(..number).count() {
                0 => stem.to_owned(),
                count => format!("{stem}_{count}"),
            };
            if place > 0 {
                renamed[place - 1] = "layers".to_owned();
            }
        }
        renamed.join("/")
    };
    paths.map(rename).collect()
}

/// The layers that a path passes: what comes before each, and its name.
fn layers_in(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at).collect();
    ends.push(path.len());
    let mut start = 0;
    ends.into_iter().filter_map(move |end| {
        let (before, name) = (&path[..start.max(1) - 1], &path[start..end]);
        start = (end + 1).min(path.len());
        let begins = before.is_empty()
            || before == LAYERS
            || before.ends_with("/_layer_checkpoint_dependencies");
        begins.then_some((before, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_counted_one_by_one() {
        let paths = [
            "bidirectional/forward_layer/cell",
            "conv2d",
            "dense",
            "dense_10",
            "dense_2",
            "sequential/_layer_checkpoint_dependencies/dense",
            "sequential/_layer_checkpoint_dependencies/dense_2",
            "sequential_2/_layer_checkpoint_dependencies/dense_4",
        ];
        let expected = [
            "bidirectional/forward_layer/cell",
            "conv2d",
            "dense",
            "dense_2",
            "dense_1",
            "sequential/layers/dense",
            "sequential/layers/dense_1",
            "sequential_1/layers/dense",
        ];
        assert_eq!(renamed(paths.into_iter()), expected);
        assert_eq!(renamed(["", "a", "_1"].into_iter()), ["", "a", "_1"]);
    }
}
