//! What a checkpoint is for: a deep network keeps less memory. The allocator is counted, so this test has a program of its own.

mod counted;

use cinta::{Stream, Tape, Tensor, Var, checkpoint};

const BLOCKS: usize = 12;
const LAYERS: usize = 12;

/// Twelve dense layers with the same weights.
fn block<'t>([x, w]: [&Var<'t, f32>; 2]) -> Var<'t, f32> {
    (0..LAYERS).fold(x.clone(), |x, _| x.matmul(w).tanh())
}

/// Bytes that a step of 144 dense layers adds at its peak, in a thread whose pool is empty, and the gradients of the weights.
fn step(recompute: bool) -> (usize, Vec<u32>) {
    let run = move || {
        let draws = &mut Stream::new(1);
        let x = Tensor::<f32>::uniform([256, 64], -1.0, 1.0, draws);
        let weights = [(); BLOCKS].map(|()| Tensor::<f32>::uniform([64, 64], -0.2, 0.2, draws));
        let before = counted::begin();
        let tape = Tape::new();
        let leaves = weights.map(|w| tape.leaf(w));
        let y = leaves.iter().fold(Var::constant(x), |x, w| match recompute {
            true => checkpoint(block, [&x, w]),
            false => block([&x, w]),
        });
        let gradients = y.square().sum(..).backward();
        let peak = counted::peak_since(before);
        let values = leaves.iter().flat_map(|w| gradients.wrt(w).to_vec());
        (peak, values.map(f32::to_bits).collect())
    };
    std::thread::spawn(run).join().expect("a step")
}

#[test]
fn a_deep_network_keeps_less() {
    let (all, expected) = step(false);
    let (some, found) = step(true);
    assert!(found == expected, "other bits with checkpoints");
    // 144 layers keep an array each. Behind checkpoints it is one for each of the 12 blocks, and one block in full. Beside that there are
    // the buffers of a product, whose size depends on the instruction set and the number of threads.
    println!("peak: {all} bytes, with checkpoints {some}");
    assert!(4 * some < all, "{some} of {all} bytes");
}
