//! Views, copies and reductions against index arithmetic, for every memory order.

mod elements;
mod masks;
mod order;
mod reduce;
mod rows;
mod transpose;
mod views;
mod walk;

use super::Tensor;
use super::testing::{Draw, LAYOUTS, laid_out};

/// Sizes of tensors of three axes, around the blocks and lanes that are taken at once.
const DIMS: [[usize; 3]; 11] = [
    [1, 1, 1],
    [3, 5, 4],
    [1, 17, 3],
    [16, 3, 5],
    [33, 1, 2],
    [4, 65, 1],
    [5, 2, 31],
    [2, 15, 16],
    [0, 3, 2],
    [3, 0, 2],
    [2, 3, 0],
];

/// Whole numbers in reading order, and tensors of them in each memory order.
fn each_layout(mut f: impl FnMut([usize; 3], &[f64], &Tensor<f64>)) {
    for dims in DIMS {
        let values = Draw::new(dims[1] as u64).whole::<f64>(dims.iter().product(), 1000);
        (0..LAYOUTS).for_each(|layout| f(dims, &values, &laid_out(dims, &values, layout)));
    }
}

/// All indices of a shape of three axes, in reading order.
fn indices([a, b, c]: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    (0..a).flat_map(move |i| (0..b).flat_map(move |j| (0..c).map(move |k| [i, j, k])))
}

/// The values of a tensor of three axes whose element `at` is that at `from(at)` of another.
fn moved(
    values: &[f64],
    old: [usize; 3],
    new: [usize; 3],
    from: impl Fn([usize; 3]) -> [usize; 3],
) -> Vec<f64> {
    let place = |[i, j, k]: [usize; 3]| (i * old[1] + j) * old[2] + k;
    indices(new).map(|at| values[place(from(at))]).collect()
}
