//! Weights as Keras 1 had them: an array for each gate of a recurrent layer.

use super::hdf5::Group;
use super::weights::checked;
use crate::error::Reason;
use crate::nn::Weight;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// For each weight, which of the listed arrays it is put together from.
pub(super) type Parts = Vec<Vec<usize>>;

/// How many gates a recurrent layer has whose weights begin here; `None` where none begins.
fn gates(weights: &[&Weight]) -> Option<usize> {
    let [kernel, recurrent, bias, ..] = weights else { return None };
    let named = recurrent.name.ends_with("recurrent_kernel") && bias.name.ends_with("bias");
    if !named || kernel.shape.rank() != 2 || recurrent.shape.rank() != 2 {
        return None;
    }
    kernel.shape[1].checked_div(recurrent.shape[0])
}

/// Which arrays the weights of a layer are put together from, if there are as many as Keras 1 had. It listed the arrays gate by gate:
/// the kernel, the recurrent kernel and the bias of each.
pub(super) fn parts(weights: &[&Weight], found: usize) -> Option<Parts> {
    let (mut parts, mut next) = (Parts::new(), 0);
    while parts.len() < weights.len() {
        // Input, cell, forget, output; the cell comes after the forget gate now. A GRU has kept its order.
        let order: &[usize] = match gates(&weights[parts.len()..]) {
            Some(4) => &[0, 2, 1, 3],
            Some(3) => &[0, 1, 2],
            _ => {
                parts.push(vec![next]);
                next += 1;
                continue;
            }
        };
        parts.extend((0..3).map(|kind| order.iter().map(|gate| next + 3 * gate + kind).collect()));
        next += 3 * order.len();
    }
    (next == found && found != weights.len()).then_some(parts)
}

/// A weight from its parts, which stand side by side.
pub(super) fn joined<T: Scalar>(
    group: &Group,
    paths: &[String],
    parts: &[usize],
    name: &str,
    shape: &[usize],
) -> Result<Tensor<T>, Reason> {
    let mut narrow = shape.to_vec();
    if let Some(columns) = narrow.last_mut() {
        *columns /= parts.len();
    }
    let read = |&part: &usize| checked(group, &paths[part], name, &narrow);
    let parts = parts.iter().map(read).collect::<Result<Vec<Tensor<T>>, Reason>>()?;
    Ok(match shape.len() {
        2 => {
            let columns: Vec<_> = parts.iter().map(|part| part.permute([1, 0])).collect();
            Tensor::concat(&columns).permute([1, 0])
        }
        _ => Tensor::concat(&parts),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Initializer;

    fn weights(names: &[(&str, &[usize])]) -> Vec<Weight> {
        let weight = |(name, shape): &(&str, &[usize])| {
            Weight::new((*name).to_owned(), *shape, Initializer::Zeros)
        };
        names.iter().map(weight).collect()
    }

    #[test]
    fn gates_are_put_together() {
        let lstm: [(&str, &[usize]); 3] =
            [("kernel", &[3, 8]), ("recurrent_kernel", &[2, 8]), ("bias", &[8])];
        let gru: [(&str, &[usize]); 3] =
            [("kernel", &[3, 6]), ("recurrent_kernel", &[2, 6]), ("bias", &[6])];
        let parts_of = |layers: &[&[(&str, &[usize])]], found| {
            let weights = weights(&layers.concat());
            parts(&weights.iter().collect::<Vec<_>>(), found)
        };
        let expected = [vec![0, 6, 3, 9], vec![1, 7, 4, 10], vec![2, 8, 5, 11]];
        assert_eq!(parts_of(&[&lstm], 12), Some(expected.to_vec()));
        let expected = [vec![0, 3, 6], vec![1, 4, 7], vec![2, 5, 8]];
        assert_eq!(parts_of(&[&gru], 9), Some(expected.to_vec()));
        let dense: [(&str, &[usize]); 2] = [("kernel", &[3, 8]), ("bias", &[8])];
        let all = parts_of(&[&dense, &gru, &dense], 13).unwrap();
        assert_eq!((&all[1][..], &all[2][..], &all[6][..]), (&[1][..], &[2, 5, 8][..], &[12][..]));
        // As it is today, and with arrays missing.
        assert_eq!(parts_of(&[&lstm], 3), None);
        assert_eq!(parts_of(&[&gru], 8), None);
        assert_eq!(parts_of(&[&dense], 2), None);
    }
}
