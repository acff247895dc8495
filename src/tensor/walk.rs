//! The one loop that visits strided elements.

use super::shape::{MAX_RANK, Shape};

/// Copies a run: to `to[k]` what lies at `at + k step`.
pub(super) fn copy<T: Copy>(data: &[T], at: isize, step: isize, to: &mut [T]) {
    match step {
        1 => to.copy_from_slice(&data[at as usize..][..to.len()]),
        0 => to.fill(data[at as usize]),
        _ => (0..).zip(to).for_each(|(k, x)| *x = data[(at + k * step) as usize]),
    }
}

/// Visits the elements of `K` operands of one shape in reading order.
///
/// The elements come as runs along one axis: `run(len, at, step)` stands for the `len` elements at
/// `at[k] + i * step[k]` of each operand `k`. Neighbouring axes that lie in memory like one are
/// merged first, so that two row-major operands of any rank are a single run. `run` is called through a pointer, so that this
/// loop is compiled once.
pub fn runs<const K: usize>(
    shape: Shape,
    strides: [&[isize; MAX_RANK]; K],
    start: [isize; K],
    run: &mut dyn FnMut(usize, [isize; K], [isize; K]),
) {
    if shape.contains(&0) {
        return;
    }
    // Axes from the innermost outwards, as (length, step of each operand).
    let mut axes = [(1usize, [0isize; K]); MAX_RANK];
    let mut count = 0;
    for axis in (0..shape.rank()).rev().filter(|&axis| shape[axis] != 1) {
        let step: [isize; K] = std::array::from_fn(|k| strides[k][axis]);
        if count > 0 {
            let (inner_len, inner_step) = axes[count - 1];
            let continues = (0..K).all(|k| step[k] == inner_len as isize * inner_step[k]);
            if continues {
                axes[count - 1].0 *= shape[axis];
                continue;
            }
        }
        axes[count] = (shape[axis], step);
        count += 1;
    }
    let (len, step) = axes[0];
    let outer = &axes[1..count.max(1)];

    let mut index = [0usize; MAX_RANK];
    let mut at = start;
    loop {
        run(len, at, step);
        let mut axis = 0;
        loop {
            let Some(&(outer_len, outer_step)) = outer.get(axis) else { return };
            index[axis] += 1;
            for k in 0..K {
                at[k] += outer_step[k];
            }
            if index[axis] < outer_len {
                break;
            }
            for k in 0..K {
                at[k] -= outer_step[k] * outer_len as isize;
            }
            index[axis] = 0;
            axis += 1;
        }
    }
}
