//! Keras's names for what has none of its own.

use std::collections::HashMap;

/// What a class of Keras calls itself: one is public under another name.
pub(crate) fn own_name(class_name: &str) -> &str {
    match class_name {
        "GroupQueryAttention" => "GroupedQueryAttention",
        _ => class_name,
    }
}

/// `MaxPooling2D` becomes `max_pooling2d`: an underscore before every capital that starts a word.
pub(crate) fn snake_case(class_name: &str) -> String {
    let chars: Vec<char> =
        own_name(class_name).chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut name = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let starts_word = c.is_uppercase()
            && i > 0
            && (chars[i - 1].is_lowercase()
                || chars.get(i + 1).is_some_and(|next| next.is_lowercase()));
        if starts_word && !name.ends_with('_') {
            name.push('_');
        }
        name.extend(c.to_lowercase());
    }
    name
}

/// The groups that files of Keras 3 give to layers of these classes: the layers of each class are counted.
pub(crate) fn file_groups<'n>(class_names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    class_names
        .map(|class_name| {
            let base = snake_case(class_name);
            let count = counts.entry(base.clone()).or_default();
            *count += 1;
            if *count == 1 { base } else { format!("{base}_{}", *count - 1) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_keras() {
        for (class_name, name) in [
            ("Conv2D", "conv2d"),
            ("MaxPooling2D", "max_pooling2d"),
            ("AveragePooling2D", "average_pooling2d"),
            ("Dense", "dense"),
            ("BatchNormalization", "batch_normalization"),
            ("ReLU", "re_lu"),
            ("LeakyReLU", "leaky_re_lu"),
            ("PReLU", "p_re_lu"),
            ("ELU", "elu"),
            ("SpatialDropout2D", "spatial_dropout2d"),
            ("GRUCell", "gru_cell"),
            ("GroupQueryAttention", "grouped_query_attention"),
            ("AdamW", "adam_w"),
            ("RMSprop", "rm_sprop"),
        ] {
            assert_eq!(snake_case(class_name), name);
        }
    }
}
