//! The layers' automatic names: Keras's.

use crate::config::snake_case;
use std::collections::{HashMap, HashSet};

/// Names for layers of these classes: the chosen one, or the class's with a number from the second on.
///
/// # Errors
/// The index of a layer whose chosen name is taken or not allowed, and why.
pub(super) fn assign(layers: &[(Option<&str>, &str)]) -> Result<Vec<String>, (usize, String)> {
    let mut taken: HashSet<String> = HashSet::new();
    for (i, name) in layers.iter().enumerate().filter_map(|(i, (name, _))| Some((i, (*name)?))) {
        if name.is_empty() || name.contains('/') {
            return Err((
                i,
                format!("a layer's name is not empty and has no `/`, and this is {name:?}"),
            ));
        }
        if !taken.insert(name.to_owned()) {
            return Err((
                i,
                format!("the name {name:?} is taken by an earlier layer; names are unique"),
            ));
        }
    }
    // The next number of each class.
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut names: Vec<String> = Vec::new();
    for (i, &(chosen, class_name)) in layers.iter().enumerate() {
        let name = match chosen {
            Some(name) => name.to_owned(),
            None => {
                let base = snake_case(class_name);
                if base.is_empty() {
                    return Err((
                        i,
                        format!(
                            "a class's name has a letter or a digit, and this is {class_name:?}"
                        ),
                    ));
                }
                let number = numbers.entry(class_name).or_default();
                loop {
                    let name = if *number == 0 { base.clone() } else { format!("{base}_{number}") };
                    *number += 1;
                    if taken.insert(name.clone()) {
                        break name;
                    }
                }
            }
        };
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_used_once() {
        let layers =
            [(None, "Dense"), (Some("dense_1"), "Dense"), (None, "Dense"), (None, "Dropout")];
        assert_eq!(assign(&layers).unwrap(), ["dense", "dense_1", "dense_2", "dropout"]);
        let twice = [(Some("a"), "Dense"), (Some("a"), "Dense")];
        assert_eq!(assign(&twice).unwrap_err().0, 1);
        assert!(assign(&[(Some("a/b"), "Dense")]).is_err());
        assert!(assign(&[(Some(""), "Dense")]).is_err());
    }
}
