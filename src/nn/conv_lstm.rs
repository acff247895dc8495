//! The long short-term memory over images.

use super::axes::outputs;
use super::convolved::{convolve, some_filters};
use super::multi_layer::first_of_several;
use super::recipe::{described, recipe};
use super::recurrent::{check_start, given};
use super::weighted::regularized;
use super::{
    Activation, Constraint, Context, DataFormat, Initializer, Layer, Mode, MultiLayer, Pair, Part,
    Regularizer, Weight, one_input,
};
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::Padding;
use crate::kernels::gemm::Finish;
use crate::ops::{Convolution, stepwise};
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

recipe! {
    /// A long short-term memory whose products are convolutions (Shi et al., *Convolutional LSTM network: a machine learning approach for
    /// precipitation nowcasting*, 2015). Films `[steps, h, w, c]` become the last state `[oh, ow, filters]`, or all of them.
    ///
    /// With `*` for a convolution, `x` for an image, `h` and `c` for the states before it: the gates are
    /// `i, f, o = sigmoid(x * W + h * U + b)`, each with its part of the weights, then `c' = f c + i tanh(x * W + h * U + b)` and
    /// `h' = o tanh(c')`. The convolution of `h` keeps its size. Its weights are `kernel [kh, kw, c, 4 filters]`, `recurrent_kernel [kh, kw, filters, 4 filters]` and
    /// `bias [4 filters]`, for the gates input, forget, new and output. A mask leaves out steps: they do not change the state. With
    /// `return_state` its last states `h` and `c` are outputs as well. Given states behind the films, it begins with these. `stateful` is not supported.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let film = Sequential::new([5, 8, 8, 1]);
    /// let film = film.add(ConvLstm2d::new(4, 3).padding(Same).return_sequences(true));
    /// let model = film.add(ConvLstm2d::new(2, 3)).build(0)?;
    /// assert_eq!(model.output_shape(), [6, 6, 2]);
    /// assert_eq!(model.weight("conv_lstm2d", "recurrent_kernel")?.shape(), [3, 3, 4, 16]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct ConvLstm2d = "ConvLSTM2D";
    /// A layer whose state has so many channels, with windows of a size such as `5` or `[5, 3]`.
    new(filters: usize, kernel_size: [usize; 2] as impl Pair, pair);
    example [3, 6, 6, 2] => ConvLstm2d::new(2, 3) => [4, 4, 2];
    options {
        /// How far the window over the input moves from one output to the next.
        strides: [usize; 2] as impl Pair, pair = [1, 1], 2 => [2, 2, 2];
        /// What happens at the border of the input.
        padding: Padding = Padding::Valid, Same => [6, 6, 2];
        /// How far apart the pixels of a window over the input are: with 2, every second pixel.
        dilation_rate: [usize; 2] as impl Pair, pair = [1, 1], 2 => [2, 2, 2];
        /// Whether it gives its state after every step, or after the last one alone.
        return_sequences: bool = false, true => [3, 4, 4, 2];
        /// Whether it has its last states as further outputs, both of them of the shape of the last one.
        return_state: bool = false, true;
        /// Whether it goes from the last step to the first one. What it gives has that order, too.
        go_backwards: bool = false, true;
        /// Whether it gives zeros for the steps that a mask leaves out, and not the state before them.
        zero_output_for_mask: bool = false, true;
        /// The function of what is new.
        activation: Activation = Activation::Tanh, Relu;
        /// The function of the gates.
        recurrent_activation: Activation = Activation::Sigmoid, Tanh;
        /// Whether a bias is added.
        use_bias: bool = true, false;
        /// How the kernel's first values are drawn.
        kernel_initializer: Initializer = Initializer::GlorotUniform, Initializer::Ones;
        /// How the recurrent kernel's first values are drawn.
        recurrent_initializer: Initializer = Initializer::Orthogonal { gain: 1.0 }, Initializer::Ones;
        /// How the bias's first values are drawn.
        bias_initializer: Initializer = Initializer::Zeros, Initializer::Ones;
        /// Whether the bias of the forget gate begins with 1, so that the layer remembers at first.
        unit_forget_bias: bool = true, false;
        /// A penalty on the kernel.
        kernel_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.01);
        /// A penalty on the recurrent kernel.
        recurrent_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.01);
        /// A penalty on the bias.
        bias_regularizer: Option<Regularizer> as Regularizer, into = None, L1(0.02);
        /// A penalty on the output, summed over a sample; the loss gets the mean over the batch.
        activity_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.03);
        /// What the kernel is kept within.
        kernel_constraint: Option<Constraint> as Constraint, into = None, Constraint::max_norm(2.0);
        /// What the recurrent kernel is kept within.
        recurrent_constraint: Option<Constraint> as Constraint, into = None, Constraint::unit_norm();
        /// What the bias is kept within.
        bias_constraint: Option<Constraint> as Constraint, into = None, Constraint::NonNeg;
        /// The fraction of the input that each gate does not see in training: for a sample, the same one in all steps.
        dropout: f64 = 0.0, 0.5;
        /// The fraction of the state that each gate does not see in training.
        recurrent_dropout: f64 = 0.0, 0.25;
    }
    formats data_format;
    fixed { "stateful": false }
    only { "time_major": false }
    // Of no consequence for what is computed.
    ignored ["unroll", "seed"]
}

impl ConvLstm2d {
    /// The images of states, for steps of this shape.
    fn state(&self, image: [usize; 3]) -> Result<[usize; 3], Reason> {
        let ConvLstm2d { kernel_size, strides, dilation_rate, padding, filters, .. } = *self;
        let [oh, ow] = outputs([image[0], image[1]], kernel_size, strides, dilation_rate, padding)?;
        Ok([oh, ow, filters])
    }

    /// What each gate keeps of an image, in training with this rate: `[n, 4, h, w, c]`.
    fn kept<'t, T: Scalar>(
        cx: &Context<T>,
        rate: f64,
        label: u64,
        shape: [usize; 5],
    ) -> Option<Var<'t, T>> {
        let (Mode::Train { first_sample, .. }, Some(stream)) = (cx.mode(), cx.stream()) else {
            return None;
        };
        let ones = || Var::constant(Tensor::ones(shape));
        (rate > 0.0).then(|| ones().dropout(rate, &stream.fork(label), first_sample))
    }

    /// The convolution of images `[n, h, w, c]` for all gates, which are groups of output channels. Where something is dropped, each sees what it keeps.
    fn gates<'t, T: Scalar>(
        &self,
        x: &Var<'t, T>,
        kernel: &Var<'t, T>,
        bias: Option<&Var<'t, T>>,
        kept: Option<&Var<'t, T>>,
        convolution: Convolution,
    ) -> Var<'t, T> {
        let Some(kept) = kept else {
            return convolve(x, kernel, bias, convolution, Finish::Plain);
        };
        let parts = [0, 1, 2, 3].map(|gate| {
            let columns = gate * self.filters..(gate + 1) * self.filters;
            let seen = x * kept.slice(1, gate..gate + 1).reshape(x.shape());
            let bias = bias.map(|bias| bias.slice(0, columns.clone()));
            convolve(&seen, &kernel.slice(3, columns), bias.as_ref(), convolution, Finish::Plain)
        });
        Var::concat(&parts.each_ref(), 3)
    }

    /// All states `h`, `[n, steps, oh ow filters]`, and the last `c`, from those of `start`.
    fn states<'t, T: Scalar>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        start: &[&Var<'t, T>],
        mask: Option<&Tensor<T>>,
        cx: &Context<T>,
    ) -> [Var<'t, T>; 2] {
        let [n, steps, h, w, c] = x.value().dims();
        let [oh, ow, filters] = self.state([h, w, c]).expect("output_shape has checked it");
        let ConvLstm2d { strides, padding, dilation_rate: dilation, .. } = *self;
        let over_input = Convolution { strides, padding, dilation, ..Convolution::default() };
        let over_state = Convolution { padding: Padding::Same, ..Convolution::default() };
        let seen = Self::kept(cx, self.dropout, 0, [n, 4, h, w, c]);
        let remembered = Self::kept(cx, self.recurrent_dropout, 1, [n, 4, oh, ow, filters]);
        let images = [n, oh, ow, filters];
        let units = oh * ow * filters;
        let zeros = || Var::constant(Tensor::zeros([n, units]));
        let first = |at: usize| start.get(at).map_or_else(zeros, |it| it.reshape([n, units]));
        let start = [&first(0), &first(1)];
        stepwise(&x.reshape([n, steps, h * w * c]), start, mask, |x, [h_before, c_before]| {
            let x = x.reshape([n, h, w, c]);
            let sums = self.gates(&x, &weights[0], weights.get(2), seen.as_ref(), over_input);
            let before = h_before.reshape(images);
            let gates =
                sums + self.gates(&before, &weights[1], None, remembered.as_ref(), over_state);
            let gate = |at: usize| gates.slice(3, at * filters..(at + 1) * filters);
            let of = |function: Activation, x: &Var<'t, T>| match function.is_elementwise() {
                true => function.of(x),
                // As in Keras, it goes over the last axis, whatever that is.
                false => self.data_format.last(&function.of(&self.data_format.back(x, 2)), 2),
            };
            let [input, forget, output] =
                [0, 1, 3].map(|at| of(self.recurrent_activation, &gate(at)));
            let c = forget * c_before.reshape(images) + input * of(self.activation, &gate(2));
            let h = output * of(self.activation, &c);
            [h, c].map(|state| state.reshape([n, units]))
        })
    }
}

impl<T: Scalar> Layer<T> for ConvLstm2d {
    one_input!();
}

impl<T: Scalar> MultiLayer<T> for ConvLstm2d {
    described!();
    regularized!();

    first_of_several!();

    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>, Reason> {
        let Some((input, start)) = inputs.split_first() else {
            return Err("needs films, and has no input".into());
        };
        let [steps, h, w, c] = match (&input[..], self.data_format) {
            (&[steps, h, w, c], DataFormat::ChannelsLast) if steps > 0 => [steps, h, w, c],
            (&[steps, c, h, w], DataFormat::ChannelsFirst) if steps > 0 => [steps, h, w, c],
            _ => {
                return Err(format!(
                    "needs films [steps, height, width, channels] of at least one step, and one sample has the shape {input}"
                ).into());
            }
        };
        some_filters(self.filters)?;
        for rate in [self.dropout, self.recurrent_dropout] {
            if !(0.0..1.0).contains(&rate) {
                return Err(format!("the dropout {rate} is not from 0 to below 1").into());
            }
        }
        let penalties =
            [self.kernel_regularizer, self.recurrent_regularizer, self.bias_regularizer];
        let penalties = penalties.into_iter().chain([self.activity_regularizer]);
        penalties.flatten().try_for_each(Regularizer::check)?;
        let state = self.state([h, w, c])?;
        let gates = self.filters.checked_mul(4).filter(|&gates| {
            let [kh, kw] = self.kernel_size;
            let kernel = Shape::from([kh, kw, c.max(self.filters), gates]);
            let sums = Shape::from([steps, state[0], state[1], gates]);
            kernel.checked_count().is_some() && sums.checked_count().is_some()
        });
        if gates.is_none() {
            return Err(format!("{} filters are more than any memory holds", self.filters).into());
        }
        let all = self.data_format.given(Shape::new(&[&[steps], &state[..]].concat()), 3);
        let state = self.data_format.given(Shape::from(state), 3);
        check_start(start, state, 2)?;
        let y = if self.return_sequences { all } else { state };
        Ok(if self.return_state { vec![y, state, state] } else { vec![y] })
    }

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        let ([kh, kw], filters) = (self.kernel_size, self.filters);
        let c = inputs[0][if self.data_format == DataFormat::ChannelsFirst { 1 } else { 3 }];
        let kernel = Weight::new("kernel", [kh, kw, c, 4 * filters], self.kernel_initializer)
            .regularizer(self.kernel_regularizer)
            .constraint(self.kernel_constraint.clone());
        let recurrent = [kh, kw, filters, 4 * filters];
        let recurrent = Weight::new("recurrent_kernel", recurrent, self.recurrent_initializer)
            .regularizer(self.recurrent_regularizer)
            .constraint(self.recurrent_constraint.clone());
        let mut bias = Weight::new("bias", [4 * filters], self.bias_initializer)
            .regularizer(self.bias_regularizer)
            .constraint(self.bias_constraint.clone());
        if self.unit_forget_bias {
            bias.ones = filters..2 * filters;
        }
        let weights = [Some(kernel), Some(recurrent), self.use_bias.then_some(bias)];
        weights.into_iter().flatten().collect()
    }

    fn forward_all<'t>(
        &self,
        weights: &[Var<'t, T>],
        inputs: &[&Var<'t, T>],
        cx: &mut Context<T>,
    ) -> Vec<Var<'t, T>> {
        let inputs: Vec<_> = inputs.iter().map(|x| self.data_format.last(x, 2)).collect();
        let (x, start) = (&inputs[0], inputs[1..].iter().collect::<Vec<_>>());
        let [_, _, h, w, c] = x.value().dims();
        let state = self.state([h, w, c]).expect("output_shape has checked it");
        let turned = |mask: Tensor<T>| if self.go_backwards { mask.flip(1) } else { mask };
        let mask = cx.mask().cloned().map(turned);
        let flipped = if self.go_backwards { x.flip(1) } else { x.clone() };
        let [y, carry] = self.states(weights, &flipped, &start, mask.as_ref(), cx);
        let mask = mask.filter(|_| self.zero_output_for_mask);
        let rows = given(y, Some(carry), mask, [self.return_sequences, self.return_state]);
        let images = |y: Var<'t, T>| {
            let shape = y.shape();
            let y = y.reshape(&[&shape[..shape.rank() - 1], &state].concat()[..]);
            self.data_format.back(&y, 2)
        };
        rows.into_iter().map(images).collect()
    }

    fn parts(&self, weights: usize) -> Vec<Part> {
        vec![Part { group: "cell".to_owned(), weights }]
    }

    fn mask(&self, _: &[&Tensor<T>], masks: &[Option<&Tensor<T>>]) -> Option<Tensor<T>> {
        masks[0].filter(|_| self.return_sequences).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::layers::Lstm;
    use crate::tensor::Stream;

    fn draw(shape: &[usize], seed: u64) -> Tensor<f64> {
        Tensor::uniform(shape, -1.0, 1.0, &mut Stream::new(seed))
    }

    const TRAINING: Mode = Mode::Train { seed: 1, step: 0, layer: 0, first_sample: 0 };

    /// With windows of one pixel, each pixel has a memory of its own.
    #[test]
    fn one_pixel() {
        let (x, weights) = (draw(&[2, 5, 2, 3, 4], 1), [[4, 8], [2, 8]]);
        let [kernel, recurrent] = weights.map(|shape| draw(&shape, 2));
        let bias = draw(&[8], 3);
        let mask = Tensor::from_fn([2, 5], |at| if (at[0] + at[1]) % 3 == 1 { 0.0 } else { 1.0 });
        for (sequences, backwards, masked) in
            [(false, false, false), (true, false, true), (true, true, true), (false, true, true)]
        {
            let mask = masked.then(|| mask.clone());
            let film = ConvLstm2d::new(2, 1).return_sequences(sequences).go_backwards(backwards);
            let film = film.zero_output_for_mask(true);
            let pixel = Lstm::new(2).return_sequences(sequences).go_backwards(backwards);
            let pixel = pixel.zero_output_for_mask(true);
            let over = |layer: &dyn Layer<f64>, x: Tensor<f64>, kernels: [Tensor<f64>; 2]| {
                let weights = [&kernels[0], &kernels[1], &bias].map(|it| Var::constant(it.clone()));
                let mut cx = Context::new(Mode::Infer).with_mask(mask.clone());
                layer.forward(&weights, &Var::constant(x), &mut cx).into_value()
            };
            let kernels = [kernel.reshape([1, 1, 4, 8]), recurrent.reshape([1, 1, 2, 8])];
            let y = over(&film, x.clone(), kernels);
            for (row, column) in (0..2).flat_map(|row| (0..3).map(move |column| (row, column))) {
                let at = |film: &Tensor<f64>| {
                    let rank = film.rank();
                    let film = film.slice(rank - 3, row..row + 1);
                    film.slice(rank - 2, column..column + 1).squeeze(rank - 2).squeeze(rank - 3)
                };
                let expected = over(&pixel, at(&x), [kernel.clone(), recurrent.clone()]);
                assert!(at(&y).all_close(&expected, 1e-12, 1e-12));
            }
        }
    }

    #[test]
    fn gradients() {
        let mask = Tensor::from([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]);
        let layer = ConvLstm2d::new(2, [2, 3]).return_sequences(true);
        for (layer, mode) in [
            (layer.clone().strides([1, 2]), Mode::Infer),
            (layer.clone().padding(Padding::Same).go_backwards(true), Mode::Infer),
            (layer.dropout(0.3).recurrent_dropout(0.4).dilation_rate([2, 1]), TRAINING),
        ] {
            let cx = || Context::new(mode).with_mask(Some(mask.clone()));
            gradcheck(
                |[x, kernel, recurrent, bias]| {
                    let weights = [kernel, recurrent, bias].map(Var::clone);
                    Layer::forward(&layer, &weights, x, &mut cx()).square()
                },
                [
                    draw(&[2, 3, 3, 4, 2], 1),
                    draw(&[2, 3, 2, 8], 2),
                    draw(&[2, 3, 2, 8], 3),
                    draw(&[8], 4),
                ],
            )
            .unwrap();
        }
    }

    /// A gate that sees nothing of the input has its bias alone.
    #[test]
    fn gates_drop_by_themselves() {
        let layer = ConvLstm2d::new(3, 1);
        let [x, kernel, bias] = [&[2, 2, 2, 1][..], &[1, 1, 1, 12], &[12]]
            .map(|shape| Var::constant(draw(shape, 1 + shape.len() as u64)));
        let kept = Tensor::from_fn([2, 4, 2, 2, 1], |at| if at[1] == 2 { 0.0 } else { 1.0 });
        let over = |kept: Option<&Var<'static, f64>>| {
            let plain = Convolution::default();
            layer.gates(&x, &kernel, Some(&bias), kept, plain).into_value()
        };
        let (whole, dropped) = (over(None), over(Some(&Var::constant(kept))));
        let expected = |at: &[usize]| match at[3] / 3 {
            2 => bias.value().at([at[3]]),
            _ => whole.at([at[0], at[1], at[2], at[3]]),
        };
        assert!(dropped.all_close(&Tensor::from_fn([2, 2, 2, 12], expected), 1e-12, 1e-12));
    }

    #[test]
    fn what_does_not_fit() {
        let error = |layer: ConvLstm2d, shape: &[usize]| {
            let found = Layer::<f32>::output_shape(&layer, Shape::new(shape));
            found.unwrap_err().as_str().to_owned()
        };
        let layer = ConvLstm2d::new(2, 3);
        assert!(error(layer.clone(), &[6, 6, 2]).contains("has the shape [6, 6, 2]"));
        assert!(error(layer.clone(), &[0, 6, 6, 2]).contains("at least one step"));
        assert!(error(layer.clone(), &[3, 2, 6, 2]).contains('3'));
        assert!(error(layer.clone().dropout(1.0), &[3, 6, 6, 2]).contains("below 1"));
        assert!(error(layer.padding(Padding::Causal), &[3, 6, 6, 2]).contains("causal"));
        assert!(error(ConvLstm2d::new(0, 3), &[3, 6, 6, 2]).contains("0 filters"));
        assert!(error(ConvLstm2d::new(usize::MAX / 3, 3), &[3, 6, 6, 2]).contains("any memory"));
    }
}
