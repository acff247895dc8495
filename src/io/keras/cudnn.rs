//! Weights of `CuDNNLSTM` and `CuDNNGRU`, the layers of TensorFlow 1 for graphics cards, as the layers have them that took their place.
//!
//! The library of the cards has the kernel of each gate row by row where Keras has it column by column, the recurrent kernel turned, and two
//! biases. An LSTM needs the sum of these; a GRU has both. Such files are seen from the shape of the bias.

use super::hdf5::Group;
use super::weights::checked;
use crate::error::Reason;
use crate::nn::Weight;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

/// How many gates a recurrent layer has whose weights begin here, if the file has those of a card for it.
pub(super) fn gates(
    weights: &[&Weight],
    found: &[(&Group, String)],
) -> Result<Option<usize>, Reason> {
    let ([kernel, recurrent, bias, ..], [_, _, (group, path), ..]) = (weights, found) else {
        return Ok(None);
    };
    if !recurrent.name.ends_with("recurrent_kernel") || !bias.name.ends_with("bias") {
        return Ok(None);
    }
    let (units, columns) = (recurrent.shape[0], kernel.shape[1]);
    let wanted: usize = bias.shape.iter().product();
    let gates = match *bias.shape {
        [_] if columns == 4 * units => 4,
        [2, _] if columns == 3 * units => 3,
        _ => return Ok(None),
    };
    let both = if gates == 4 { 2 * wanted } else { wanted };
    Ok((group.shape(path)? == [both as u64]).then_some(gates))
}

/// The kernel, the recurrent kernel and the bias, each with the group and path of its array, its name and the shape that it gets.
pub(super) fn read<T: Scalar>(
    of: [(&Group, &str, String, Shape); 3],
    gates: usize,
) -> Result<[Tensor<T>; 3], Reason> {
    let [kernel, recurrent, bias] = of;
    let units = recurrent.3[0];
    let get = |(group, path, name, shape): (&Group, &str, String, Shape)| {
        checked(group, path, &name, &shape).map(|tensor: Tensor<T>| tensor.to_vec())
    };
    let both = Shape::new(&[2 * gates * units]);
    let (bias_shape, biases) = (bias.3, get((bias.0, bias.1, bias.2, both))?);
    let bias = if gates == 4 {
        let (first, second) = biases.split_at(biases.len() / 2);
        first.iter().zip(second).map(|(&a, &b)| a + b).collect()
    } else {
        biases
    };
    let shapes = [kernel.3, recurrent.3];
    let [kernel, recurrent] = [get(kernel)?, get(recurrent)?];
    Ok([
        Tensor::new(shapes[0], by_columns(&kernel, shapes[0][0], units, gates)),
        Tensor::new(shapes[1], turned(&recurrent, units, gates)),
        Tensor::new(bias_shape, bias),
    ])
}

/// For each gate, what stands row by row column by column.
fn by_columns<T: Scalar>(kernel: &[T], rows: usize, units: usize, gates: usize) -> Vec<T> {
    let at = |i: usize, gate: usize, j: usize| {
        let place = i + rows * j;
        kernel[place / units * (gates * units) + gate * units + place % units]
    };
    entries(rows, units, gates, at)
}

/// For each gate, rows as columns.
fn turned<T: Scalar>(kernel: &[T], units: usize, gates: usize) -> Vec<T> {
    entries(units, units, gates, |i, gate, j| kernel[j * gates * units + gate * units + i])
}

/// A matrix whose columns are those of the gates, row by row.
fn entries<T: Scalar>(
    rows: usize,
    units: usize,
    gates: usize,
    at: impl Fn(usize, usize, usize) -> T,
) -> Vec<T> {
    let mut entries = Vec::with_capacity(rows * gates * units);
    for i in 0..rows {
        for gate in 0..gates {
            entries.extend((0..units).map(|j| at(i, gate, j)));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_laid_out_anew() {
        // Two gates of two units, three inputs: the rows of the first gate are [0 1], [2 3], [4 5].
        let kernel = [0.0f32, 1.0, 10.0, 11.0, 2.0, 3.0, 12.0, 13.0, 4.0, 5.0, 14.0, 15.0];
        let expected = [0.0, 3.0, 10.0, 13.0, 1.0, 4.0, 11.0, 14.0, 2.0, 5.0, 12.0, 15.0];
        assert_eq!(by_columns(&kernel, 3, 2, 2), expected);
        assert_eq!(turned(&kernel[..8], 2, 2), [0.0, 2.0, 10.0, 12.0, 1.0, 3.0, 11.0, 13.0]);
    }
}
