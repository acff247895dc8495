//! The long short-term memory over series, images and volumes.

use super::film::Film;
use super::multi_layer::first_of_several;
use super::recipe::{described, recipe};
use super::weighted::regularized;
use super::{
    Activation, Constraint, Context, Initializer, Layer, MultiLayer, Pair, Part, Regularizer,
    Single, Triple, Weight, one_input,
};
use crate::autograd::Var;
use crate::error::Reason;
use crate::kernels::Padding;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

macro_rules! conv_lstm {
    (
        $(#[$doc:meta])*
        $layer:ident = $class:literal;
        new($size:ty as $given:ty, $convert:ident);
        example $input:tt => $made:expr => $output:tt;
        strides $one:expr => $strided:tt;
        same $same:tt;
        sequences $sequences:tt
    ) => {
        recipe! {
            $(#[$doc])*
            pub struct $layer = $class;
            /// A layer whose state has so many channels, with windows of this size.
            new(filters: usize, kernel_size: $size as $given, $convert);
            example $input => $made => $output;
            options {
                /// How far the window over the input moves from one output to the next.
                strides: $size as $given, $convert = $one, 2 => $strided;
                /// What happens at the border of the input.
                padding: Padding = Padding::Valid, Same => $same, before data_format;
                /// How far apart the places of a window over the input are: with 2, every second one.
                dilation_rate: $size as $given, $convert = $one, 2 => $strided;
                /// Whether it gives its state after every step, or after the last one alone.
                return_sequences: bool = false, true => $sequences;
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

        impl $layer {
            pub(super) fn film(&self) -> Film<'_> {
                Film {
                    filters: self.filters,
                    kernel_size: &self.kernel_size,
                    strides: &self.strides,
                    dilation: &self.dilation_rate,
                    padding: self.padding,
                    data_format: self.data_format,
                    return_sequences: self.return_sequences,
                    return_state: self.return_state,
                    go_backwards: self.go_backwards,
                    zero_output_for_mask: self.zero_output_for_mask,
                    activation: self.activation,
                    recurrent_activation: self.recurrent_activation,
                    dropout: self.dropout,
                    recurrent_dropout: self.recurrent_dropout,
                }
            }
        }

        impl<T: Scalar> Layer<T> for $layer {
            one_input!();
        }

        impl<T: Scalar> MultiLayer<T> for $layer {
            described!();
            regularized!();
            first_of_several!();

            fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>, Reason> {
                let penalties = [self.kernel_regularizer, self.recurrent_regularizer, self.bias_regularizer];
                let penalties = penalties.into_iter().chain([self.activity_regularizer]);
                penalties.flatten().try_for_each(Regularizer::check)?;
                self.film().output_shapes(inputs)
            }

            fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
                let [kernel, recurrent, bias] = self.film().weights(inputs[0]);
                let kernel = Weight::new("kernel", kernel, self.kernel_initializer)
                    .regularizer(self.kernel_regularizer)
                    .constraint(self.kernel_constraint.clone());
                let recurrent = Weight::new("recurrent_kernel", recurrent, self.recurrent_initializer)
                    .regularizer(self.recurrent_regularizer)
                    .constraint(self.recurrent_constraint.clone());
                let mut bias = Weight::new("bias", bias, self.bias_initializer)
                    .regularizer(self.bias_regularizer)
                    .constraint(self.bias_constraint.clone());
                if self.unit_forget_bias {
                    bias.ones = self.filters..2 * self.filters;
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
                self.film().run(weights, inputs, cx)
            }

            fn parts(&self, weights: usize) -> Vec<Part> {
                vec![Part { group: "cell".to_owned(), weights }]
            }

            fn mask(&self, _: &[&Tensor<T>], masks: &[Option<&Tensor<T>>]) -> Option<Tensor<T>> {
                masks[0].filter(|_| self.return_sequences).cloned()
            }
        }
    };
}

conv_lstm! {
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
    ConvLstm2d = "ConvLSTM2D";
    new([usize; 2] as impl Pair, pair);
    example [3, 6, 6, 2] => ConvLstm2d::new(2, 3) => [4, 4, 2];
    strides [1, 1] => [2, 2, 2];
    same [6, 6, 2];
    sequences [3, 4, 4, 2]
}

conv_lstm! {
    /// [`ConvLstm2d`] over series: sequences `[steps, w, c]` of them become the last state `[ow, filters]`, or all of them.
    ///
    /// Its weights are `kernel [k, c, 4 filters]`, `recurrent_kernel [k, filters, 4 filters]` and `bias [4 filters]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([5, 8, 1]).add(ConvLstm1d::new(2, 3)).build(0)?;
    /// assert_eq!(model.output_shape(), [6, 2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    ConvLstm1d = "ConvLSTM1D";
    new([usize; 1] as impl Single, single);
    example [3, 6, 2] => ConvLstm1d::new(2, 3) => [4, 2];
    strides [1] => [2, 2];
    same [6, 2];
    sequences [3, 4, 2]
}

conv_lstm! {
    /// [`ConvLstm2d`] over volumes: sequences `[steps, d, h, w, c]` of them become the last state `[od, oh, ow, filters]`, or all of them.
    ///
    /// Its weights are `kernel [kd, kh, kw, c, 4 filters]`, `recurrent_kernel [kd, kh, kw, filters, 4 filters]` and `bias [4 filters]`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2, 4, 4, 4, 1]).add(ConvLstm3d::new(2, [1, 3, 2])).build(0)?;
    /// assert_eq!(model.output_shape(), [4, 2, 3, 2]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    ConvLstm3d = "ConvLSTM3D";
    new([usize; 3] as impl Triple, triple);
    example [2, 3, 3, 4, 2] => ConvLstm3d::new(2, 2) => [2, 2, 3, 2];
    strides [1, 1, 1] => [1, 1, 2, 2];
    same [3, 3, 4, 2];
    sequences [2, 2, 2, 3, 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::layers::Lstm;
    use crate::nn::{DataFormat, Mode};
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

    /// A series is an image of one row, and an image a volume of one slice.
    #[test]
    fn other_numbers_of_axes() {
        let draws = |shapes: [&[usize]; 4]| -> [Tensor<f64>; 4] {
            let mut seed = 0;
            shapes.map(|shape| {
                seed += 1;
                draw(shape, seed)
            })
        };
        let run = |layer: &dyn Layer<f64>, [x, kernel, recurrent, bias]: [Tensor<f64>; 4]| {
            let weights = [kernel, recurrent, bias].map(Var::constant);
            layer.forward(&weights, &Var::constant(x), &mut Context::new(Mode::Infer)).into_value()
        };
        for padding in [Padding::Valid, Padding::Same] {
            let series = ConvLstm1d::new(2, 3).strides(2).padding(padding).return_sequences(true);
            let image = ConvLstm2d::new(2, [1, 3]).strides([1, 2]).padding(padding);
            let flat = draws([&[2, 3, 5, 2], &[3, 2, 8], &[3, 2, 8], &[8]]);
            let row = draws([&[2, 3, 1, 5, 2], &[1, 3, 2, 8], &[1, 3, 2, 8], &[8]]);
            let (y, z) = (run(&series, flat), run(&image.return_sequences(true), row));
            assert!(y.all_close(&z.squeeze(2), 1e-12, 1e-12));

            let image = ConvLstm2d::new(1, [2, 3]).padding(padding).go_backwards(true);
            let volume = ConvLstm3d::new(1, [1, 2, 3]).padding(padding).go_backwards(true);
            let flat = draws([&[2, 2, 3, 4, 2], &[2, 3, 2, 4], &[2, 3, 1, 4], &[4]]);
            let slice = draws([&[2, 2, 1, 3, 4, 2], &[1, 2, 3, 2, 4], &[1, 2, 3, 1, 4], &[4]]);
            assert!(run(&image, flat).all_close(&run(&volume, slice).squeeze(1), 1e-12, 1e-12));
        }
        let layer = ConvLstm3d::new(1, [2, 1, 2]).padding(Padding::Same).dropout(0.2);
        let layer = layer.data_format(DataFormat::ChannelsFirst);
        gradcheck(
            |[x, kernel, recurrent, bias]| {
                let weights = [kernel, recurrent, bias].map(Var::clone);
                Layer::forward(&layer, &weights, x, &mut Context::new(TRAINING)).square()
            },
            draws([&[1, 2, 2, 2, 2, 2], &[2, 1, 2, 2, 4], &[2, 1, 2, 1, 4], &[4]]),
        )
        .unwrap();
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
