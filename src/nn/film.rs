//! What a long short-term memory over series, images or volumes computes.

use super::axes::outputs;
use super::convolved::{convolve, or_zeros, some_filters};
use super::recurrent::{check_start, given};
use super::{Activation, Context, DataFormat, Mode};
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::Padding;
use crate::kernels::gemm::Finish;
use crate::ops::{Convolution, stepwise};
use crate::scalar::Scalar;
use crate::tensor::{MAX_RANK, Shape, Tensor};

/// The options of such a layer.
#[derive(Clone, Copy)]
pub(super) struct Film<'a> {
    pub filters: usize,
    /// A number for each axis between the samples and the channels, as of the next two.
    pub kernel_size: &'a [usize],
    pub strides: &'a [usize],
    pub dilation: &'a [usize],
    pub padding: Padding,
    pub data_format: DataFormat,
    pub return_sequences: bool,
    pub return_state: bool,
    pub go_backwards: bool,
    pub zero_output_for_mask: bool,
    pub activation: Activation,
    pub recurrent_activation: Activation,
    pub dropout: f64,
    pub recurrent_dropout: f64,
}

/// How a window moves over an image, or what is no image.
#[derive(Clone, Copy)]
struct Steps<'a> {
    strides: &'a [usize],
    dilation: &'a [usize],
    padding: Padding,
}

/// The convolution over one, two or three axes.
fn convolve_over<'t, T: Scalar>(
    x: &Var<'t, T>,
    kernel: &Var<'t, T>,
    bias: Option<&Var<'t, T>>,
    Steps { strides, dilation, padding }: Steps<'_>,
) -> Var<'t, T> {
    let filters = kernel.shape()[kernel.shape().rank() - 1];
    let of = |strides, dilation| Convolution { strides, padding, dilation, ..Default::default() };
    match (strides, dilation) {
        (&[stride], &[dilation]) => {
            let over = of([1, stride], [1, dilation]);
            x.convolve_series(kernel, &or_zeros(bias, filters), over, Finish::Plain)
        }
        (&[down, right], &[dh, dw]) => {
            convolve(x, kernel, bias, of([down, right], [dh, dw]), Finish::Plain)
        }
        (&[deep, down, right], &[dd, dh, dw]) => {
            let slices = of([down, right], [dh, dw]);
            let bias = or_zeros(bias, filters);
            x.convolve_volumes(kernel, &bias, [deep, dd], slices, Finish::Plain)
        }
        _ => unreachable!("one, two or three axes"),
    }
}

impl Film<'_> {
    fn rank(&self) -> usize {
        self.kernel_size.len()
    }

    /// The shape of a state whose channels are last, for steps of these sizes.
    fn state(&self, sizes: &[usize]) -> Result<Shape, Reason> {
        fn found<const N: usize>(film: &Film<'_>, sizes: &[usize]) -> Result<Vec<usize>, Reason> {
            let of = |list: &[usize]| <[usize; N]>::try_from(list).expect("as many axes");
            let [size, strides, dilation] = [film.kernel_size, film.strides, film.dilation].map(of);
            Ok(outputs(of(sizes), size, strides, dilation, film.padding)?.to_vec())
        }
        let sizes = match self.rank() {
            // Steps of series would see those before them.
            1 if self.padding == Padding::Causal => {
                return Err(
                    "padding `causal` is for convolutions of series; use `same` or `valid`".into(),
                );
            }
            1 => found::<1>(self, sizes)?,
            2 => found::<2>(self, sizes)?,
            _ => found::<3>(self, sizes)?,
        };
        Ok(Shape::new(&[&sizes[..], &[self.filters]].concat()))
    }

    /// The shapes of the outputs, for the steps and the states to begin with, if there are any.
    pub(super) fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>, Reason> {
        let Some((input, start)) = inputs.split_first() else {
            return Err("needs films, and has no input".into());
        };
        if input.rank() != self.rank() + 2 || input[0] == 0 {
            let axes = ["width", "height, width", "depth, height, width"][self.rank() - 1];
            let axes = match self.data_format {
                DataFormat::ChannelsLast => format!("{axes}, channels"),
                DataFormat::ChannelsFirst => format!("channels, {axes}"),
            };
            return Err(format!(
                "needs films [steps, {axes}] of at least one step, and one sample has the shape {input}"
            ).into());
        }
        some_filters(self.filters)?;
        for rate in [self.dropout, self.recurrent_dropout] {
            if !(0.0..1.0).contains(&rate) {
                return Err(format!("the dropout {rate} is not from 0 to below 1").into());
            }
        }
        let seen = self.data_format.seen(input.sample());
        let (sizes, c) = (&seen[..self.rank()], seen[self.rank()]);
        let state = self.state(sizes)?;
        let gates = self.filters.checked_mul(4).filter(|&gates| {
            let kernel = [self.kernel_size, &[c.max(self.filters), gates]].concat();
            let sums = [&[input[0]], &state[..self.rank()], &[gates]].concat();
            let fits = |shape: &[usize]| {
                shape.len() <= MAX_RANK && Shape::new(shape).checked_count().is_some()
            };
            fits(&kernel) && fits(&sums)
        });
        if gates.is_none() {
            return Err(format!("{} filters are more than any memory holds", self.filters).into());
        }
        let state = self.data_format.given(state, state.rank());
        check_start(start, state, 2)?;
        let y = if self.return_sequences { state.batch(input[0]) } else { state };
        Ok(if self.return_state { vec![y, state, state] } else { vec![y] })
    }

    /// The shapes of the kernel, the recurrent kernel and the bias.
    pub(super) fn weights(&self, input: Shape) -> [Shape; 3] {
        let (c, gates) = (self.data_format.seen(input.sample())[self.rank()], 4 * self.filters);
        let kernel = |c: usize| Shape::new(&[self.kernel_size, &[c, gates]].concat());
        [kernel(c), kernel(self.filters), Shape::from([gates])]
    }

    /// What the layer gives for its inputs.
    pub(super) fn run<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &Context<T>,
    ) -> Vec<Var<'t, T>> {
        let format = self.data_format;
        let inputs: Vec<_> = inputs.iter().map(|x| format.last(x, self.rank())).collect();
        let (x, start) = (&inputs[0], inputs[1..].iter().collect::<Vec<_>>());
        let sizes = x.shape().sample().sample();
        let state = self.state(&sizes[..self.rank()]).expect("output_shapes has checked it");
        let turned = |mask: Tensor<T>| if self.go_backwards { mask.flip(1) } else { mask };
        let mask = cx.mask().cloned().map(turned);
        let flipped = if self.go_backwards { x.flip(1) } else { x.clone() };
        let [y, carry] = self.states(weights, &flipped, &start, mask.as_ref(), cx);
        let mask = mask.filter(|_| self.zero_output_for_mask);
        let rows = given(y, Some(carry), mask, [self.return_sequences, self.return_state]);
        let images = |y: Var<'t, T>| {
            let shape = y.shape();
            let y = y.reshape(&[&shape[..shape.rank() - 1], &state].concat()[..]);
            format.back(&y, self.rank())
        };
        rows.into_iter().map(images).collect()
    }

    /// All states `h`, `[n, steps, numbers]`, and the last `c`, from those of `start`.
    fn states<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        start: &[&Var<'t, T>],
        mask: Option<&Tensor<T>>,
        cx: &Context<T>,
    ) -> [Var<'t, T>; 2] {
        let (n, steps, one) = (x.shape()[0], x.shape()[1], x.shape().sample().sample());
        let state = self.state(&one[..self.rank()]).expect("output_shapes has checked it");
        let (filters, last, units) = (self.filters, state.rank(), state.count());
        let Film { strides, dilation, padding, .. } = *self;
        let over_input = Steps { strides, dilation, padding };
        let ones = &[1, 1, 1][..self.rank()];
        let over_state = Steps { strides: ones, dilation: ones, padding: Padding::Same };
        let seen = kept(cx, self.dropout, 0, one.batch(4).batch(n));
        let remembered = kept(cx, self.recurrent_dropout, 1, state.batch(4).batch(n));
        let zeros = || Var::constant(Tensor::zeros([n, units]));
        let first = |at: usize| start.get(at).map_or_else(zeros, |it| it.reshape([n, units]));
        let start = [&first(0), &first(1)];
        let of = |function: Activation, x: &Var<'t, T>| match function.is_elementwise() {
            true => function.of(x),
            // As in Keras, it goes over the last axis, whatever that is.
            false => {
                let (format, behind) = (self.data_format, self.rank());
                format.last(&function.of(&format.back(x, behind)), behind)
            }
        };
        let rows = x.reshape([n, steps, one.count()]);
        stepwise(&rows, start, mask, |x, [h_before, c_before]| {
            let x = x.reshape(&one.batch(n)[..]);
            let images = state.batch(n);
            let sums = self.gates(&x, &weights[0], weights.get(2), seen.as_ref(), over_input);
            let before = h_before.reshape(&images[..]);
            let gates =
                sums + self.gates(&before, &weights[1], None, remembered.as_ref(), over_state);
            let gate = |at: usize| gates.slice(last, at * filters..(at + 1) * filters);
            let [input, forget, output] =
                [0, 1, 3].map(|at| of(self.recurrent_activation, &gate(at)));
            let c = forget * c_before.reshape(&images[..]) + input * of(self.activation, &gate(2));
            let h = output * of(self.activation, &c);
            [h, c].map(|state| state.reshape([n, units]))
        })
    }

    /// The convolution of images `[n, .., c]` for all gates, which are groups of output channels. Where something is dropped, each sees what it keeps.
    fn gates<'t, T: Scalar>(
        &self,
        x: &Var<'t, T>,
        kernel: &Var<'t, T>,
        bias: Option<&Var<'t, T>>,
        kept: Option<&Var<'t, T>>,
        over: Steps<'_>,
    ) -> Var<'t, T> {
        let Some(kept) = kept else {
            return convolve_over(x, kernel, bias, over);
        };
        let last = kernel.shape().rank() - 1;
        let parts = [0, 1, 2, 3].map(|gate| {
            let columns = gate * self.filters..(gate + 1) * self.filters;
            let seen = x * kept.slice(1, gate..gate + 1).reshape(x.shape());
            let bias = bias.map(|bias| bias.slice(0, columns.clone()));
            convolve_over(&seen, &kernel.slice(last, columns), bias.as_ref(), over)
        });
        Var::concat(&parts.each_ref(), last)
    }
}

/// What each gate keeps of an image, in training with this rate: `[n, 4, .., c]`.
fn kept<'t, T: Scalar>(cx: &Context<T>, rate: f64, label: u64, shape: Shape) -> Option<Var<'t, T>> {
    let (Mode::Train { first_sample, .. }, Some(stream)) = (cx.mode(), cx.stream()) else {
        return None;
    };
    let ones = || Var::constant(Tensor::ones(shape));
    (rate > 0.0).then(|| ones().dropout(rate, &stream.fork(label), first_sample))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::layers::ConvLstm2d;
    use crate::tensor::Stream;

    fn draw(shape: &[usize], seed: u64) -> Tensor<f64> {
        Tensor::uniform(shape, -1.0, 1.0, &mut Stream::new(seed))
    }

    /// A gate that sees nothing of the input has its bias alone.
    #[test]
    fn gates_drop_by_themselves() {
        let layer = ConvLstm2d::new(3, 1);
        let ones = &[1, 1];
        let plain = Steps { strides: ones, dilation: ones, padding: Padding::Valid };
        let [x, kernel, bias] = [&[2, 2, 2, 1][..], &[1, 1, 1, 12], &[12]]
            .map(|shape| Var::constant(draw(shape, 1 + shape.len() as u64)));
        let kept = Tensor::from_fn([2, 4, 2, 2, 1], |at| if at[1] == 2 { 0.0 } else { 1.0 });
        let over = |kept: Option<&Var<'static, f64>>| {
            layer.film().gates(&x, &kernel, Some(&bias), kept, plain).into_value()
        };
        let (whole, dropped) = (over(None), over(Some(&Var::constant(kept))));
        let expected = |at: &[usize]| match at[3] / 3 {
            2 => bias.value().at([at[3]]),
            _ => whole.at([at[0], at[1], at[2], at[3]]),
        };
        assert!(dropped.all_close(&Tensor::from_fn([2, 2, 2, 12], expected), 1e-12, 1e-12));
    }
}
