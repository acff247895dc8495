//! Windows along one axis, each written out: how a convolution of volumes becomes one of images.
//!
//! ```text
//! y[n, o, i, t, j] = x[n, o stride + t dilation - before, i, j], and 0 where that is outside of x
//! ```

use crate::autograd::{Op, Var, apply};
use crate::buffer::Buffer;
use crate::error::Reason;
use crate::kernels::{Padding, Window};
use crate::par;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Order, Tensor};
use std::ops::Range;

/// Writes the windows of `[n, d, i, j]` out, `[n, outputs, i, size, j]`.
struct Unfold {
    window: Window,
}

/// Adds windows `[n, outputs, i, size, j]` up where they overlap, `[n, d, i, j]`.
struct Fold {
    window: Window,
}

impl<T: Scalar> Op<T, 1> for Unfold {
    const NAME: &'static str = "unfold";
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, ()) {
        (unfolded(x, &self.window), ())
    }

    // dx[n, p, i, j] = sum of dy[n, o, i, t, j] over the o and t that saw p
    fn backward(&self, (): (), dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(folded(&dy, &self.window))]
    }
}

impl<T: Scalar> Op<T, 1> for Fold {
    const NAME: &'static str = "fold";
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, ()) {
        (folded(x, &self.window), ())
    }

    // dx[n, o, i, t, j] = dy[n, p, i, j] of the place p that it went to
    fn backward(&self, (): (), dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(unfolded(&dy, &self.window))]
    }
}

fn unfolded<T: Scalar>(x: &Tensor<T>, window: &Window) -> Tensor<T> {
    let ([n, d, i, j], order) = (x.dims(), x.order());
    let x = x.in_order(order);
    let x = x.stored(order);
    let memory = Memory::new(order, window, [n, i, j]);
    let mut y = Buffer::zeroed(x.len() / d.max(1) * memory.outputs * memory.size);
    if !y.is_empty() {
        let work = y.len();
        par::for_each_part(
            &mut y,
            memory.output(),
            work,
            || (),
            |(), part, y| {
                let x = &x[part / memory.outputs * d * memory.place()..];
                for (tap, depth) in taps(window, part % memory.outputs) {
                    let x = &x[depth * memory.place()..];
                    memory.each(tap, |from, to| y[to].copy_from_slice(&x[from]));
                }
            },
        );
    }
    order.tensor([n, memory.outputs, i, memory.size, j], y)
}

fn folded<T: Scalar>(y: &Tensor<T>, window: &Window) -> Tensor<T> {
    let ([n, _, i, _, j], [d, _], order) = (y.dims(), window.image(), y.order());
    let y = y.in_order(order);
    let y = y.stored(order);
    let memory = Memory::new(order, window, [n, i, j]);
    let mut x = Buffer::zeroed(n * d * i * j);
    if !x.is_empty() {
        let work = y.len();
        par::for_each_part(
            &mut x,
            d * memory.place(),
            work,
            || (),
            |(), part, x| {
                for output in 0..memory.outputs {
                    let y = &y[(part * memory.outputs + output) * memory.output()..];
                    for (tap, depth) in taps(window, output) {
                        let x = &mut x[depth * memory.place()..];
                        memory.each(tap, |to, from| {
                            x[to].iter_mut().zip(&y[from]).for_each(|(x, &y)| *x += y);
                        });
                    }
                }
            },
        );
    }
    order.tensor([n, d, i, j], x)
}

/// The taps of an output that lie inside, with their places.
fn taps(window: &Window, output: usize) -> impl Iterator<Item = (usize, usize)> {
    let (first, taps) = window.clipped(0, output);
    let step = window.dilation()[0];
    taps.enumerate().map(move |(i, tap)| (tap, first + i * step))
}

/// The axes as they lie in memory: with the samples innermost, those are part of `j`.
struct Memory {
    outputs: usize,
    size: usize,
    i: usize,
    j: usize,
}

impl Memory {
    fn new(order: Order, window: &Window, [n, i, j]: [usize; 3]) -> Self {
        let ([outputs, _], [size, _]) = (window.output(), window.size());
        let j = if order == Order::Innermost { j * n } else { j };
        Memory { outputs, size, i, j }
    }

    /// Values of one place.
    fn place(&self) -> usize {
        self.i * self.j
    }

    /// Values of one output.
    fn output(&self) -> usize {
        self.i * self.size * self.j
    }

    /// Calls `f(in a place, in an output)` for the values of each `i`.
    fn each(&self, tap: usize, mut f: impl FnMut(Range<usize>, Range<usize>)) {
        for i in 0..self.i {
            let (from, to) = (i * self.j, (i * self.size + tap) * self.j);
            f(from..from + self.j, to..to + self.j);
        }
    }
}

/// A window along one axis, as one along the height of images.
fn along(
    d: usize,
    size: usize,
    stride: usize,
    dilation: usize,
    padding: Padding,
) -> Result<Window, Reason> {
    Window::dilated([d, 1], [size, 1], [stride, 1], [dilation, 1], padding)
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Windows of `size` places along the second axis, each written out: `[n, d, i, j]` becomes `[n, outputs, i, size, j]`. What lies
    /// outside is 0; how many outputs there are, [`Window`] explains.
    ///
    /// # Panics
    /// When the input does not have four axes, or the window does not fit.
    ///
    /// ```
    /// use cinta::{Padding, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 3.0]).reshape([1, 3, 1, 1]));
    /// let y = x.unfold(2, 1, 1, Padding::Valid);
    /// assert_eq!(y.value().to_vec(), [1.0, 2.0, 2.0, 3.0]);
    /// assert_eq!(y.sum(..).backward().wrt(&x).to_vec(), [1.0, 2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn unfold(
        &self,
        size: usize,
        stride: usize,
        dilation: usize,
        padding: Padding,
    ) -> Var<'t, T> {
        let shape = self.shape();
        assert!(shape.rank() == 4, "unfold: needs the axes [n, d, i, j], and the shape is {shape}");
        match along(shape[1], size, stride, dilation, padding) {
            Ok(window) => apply(Unfold { window }, [self]),
            Err(reason) => panic!("unfold of {shape}: {reason}"),
        }
    }

    /// What [`unfold`](Self::unfold) wrote out, added up again where windows overlap: `[n, outputs, i, size, j]` becomes
    /// `[n, d, i, j]`. Neighbours in a window lie `dilation` apart; how long `d` is, [`Window::transposed`] explains.
    ///
    /// # Panics
    /// When the input does not have five axes, or the output would be empty.
    ///
    /// ```
    /// use cinta::{Padding, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0, 2.0, 2.0, 3.0]).reshape([1, 2, 1, 2, 1]));
    /// let y = x.fold(1, 1, Padding::Valid, None);
    /// assert_eq!(y.value().to_vec(), [1.0, 4.0, 3.0]);
    /// assert_eq!(y.square().sum(..).backward().wrt(&x).to_vec(), [2.0, 8.0, 8.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn fold(
        &self,
        stride: usize,
        dilation: usize,
        padding: Padding,
        output_padding: Option<usize>,
    ) -> Var<'t, T> {
        let shape = self.shape();
        assert!(
            shape.rank() == 5,
            "fold: needs the axes [n, outputs, i, size, j], and the shape is {shape}"
        );
        let (small, size) = ([shape[1], 1], [shape[3], 1]);
        let extra = output_padding.map(|extra| [extra, 0]);
        match Window::transposed(small, size, [stride, 1], [dilation, 1], padding, extra) {
            Ok(window) => apply(Fold { window }, [self]),
            Err(reason) => panic!("fold of {shape}: {reason}"),
        }
    }
}

compiled!(|x: &Var<T>| x.unfold(1, 1, 1, Padding::Valid).fold(1, 1, Padding::Valid, None));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{PADDINGS, assert_close, random};
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([1.0, 2.0, 3.0, 4.0]).reshape([1, 2, 1, 2]));
        let y = x.unfold(3, 1, 1, Padding::Same);
        let expected = [[0.0, 0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0, 0.0, 0.0]];
        assert_close(y.value(), &Tensor::from(expected).reshape([1, 2, 1, 3, 2]));
    }

    #[test]
    fn gradient() {
        for layout in 0..4 {
            let x = random(&[2, 5, 3, 4], -2.0, 2.0, 1, layout);
            for padding in PADDINGS {
                gradcheck(|[x]| x.unfold(3, 2, 1, padding).square(), [x.clone()]).unwrap();
                gradcheck(|[x]| x.unfold(2, 1, 3, padding).square(), [x.clone()]).unwrap();
            }
            let x = random(&[2, 3, 2, 3, 2], -2.0, 2.0, 1, 0);
            for (padding, extra) in [(Padding::Valid, None), (Padding::Same, Some(1))] {
                gradcheck(|[x]| x.fold(2, 1, padding, extra).square(), [x.clone()]).unwrap();
                gradcheck(|[x]| x.fold(1, 2, padding, None).square(), [x.clone()]).unwrap();
            }
        }
    }

    #[test]
    #[should_panic(expected = "unfold of [1, 2, 3, 4]: the window of 3x1 does not fit")]
    fn a_window_larger_than_the_axis() {
        Var::constant(Tensor::<f64>::zeros([1, 2, 3, 4])).unfold(3, 1, 1, Padding::Valid);
    }

    proptest! {
        #[test]
        fn definition(
            dims in [0usize..4, 1usize..7, 1usize..4, 1usize..4], layout in 0u8..4, size in 1usize..4,
            stride in 1usize..4, dilation in 1usize..3, padding in select(&PADDINGS[..]),
        ) {
            let [n, d, i, j] = dims;
            let span = (size - 1) * dilation + 1;
            prop_assume!(padding != Padding::Valid || span <= d);
            let x = random(&dims, -1.0, 1.0, 1, if n == 0 { 0 } else { layout });
            let y = Var::constant(x.clone()).unfold(size, stride, dilation, padding);
            let outputs = if padding == Padding::Valid { (d - span) / stride + 1 } else { d.div_ceil(stride) };
            let before = match padding {
                Padding::Valid => 0,
                Padding::Same => ((outputs - 1) * stride + span).saturating_sub(d) / 2,
                Padding::Causal => span - 1,
            };
            let expected = Tensor::from_fn([n, outputs, i, size, j], |at| {
                let place = (at[1] * stride + at[3] * dilation).wrapping_sub(before);
                if place < d { x.at([at[0], place, at[2], at[4]]) } else { 0.0 }
            });
            assert_close(y.value(), &expected);
        }

        /// Each is the other one's gradient: products with x and with y have the same sum.
        #[test]
        fn fold_is_the_transpose_of_unfold(
            dims in [0usize..4, 1usize..5, 1usize..4, 1usize..4, 1usize..4], layout in 0u8..4,
            stride in 1usize..4, dilation in 1usize..3, same: bool,
        ) {
            let padding = if same { Padding::Same } else { Padding::Valid };
            let size = dims[3];
            let y = random(&dims, -1.0, 1.0, 1, if dims[0] == 0 { 0 } else { layout % 3 });
            let folded = Var::constant(y.clone()).fold(stride, dilation, padding, None);
            let x = random(&folded.shape(), -1.0, 1.0, 2, 0);
            let unfolded = Var::constant(x.clone()).unfold(size, stride, dilation, padding);
            prop_assume!(unfolded.shape()[1] == dims[1]);
            let sums = [(&x * folded.value()).sum(..).item(), (&y * unfolded.value()).sum(..).item()];
            prop_assert!((sums[0] - sums[1]).abs() < 1e-12, "{sums:?}");
        }
    }
}
