//! Where channels are.

use crate::autograd::Var;
use crate::config::{OptionValue, Value, json, not};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;

/// Where the channels of a sample are. Everything here is computed with the channels last; a layer that is told
/// that they come first has its inputs turned, and its outputs turned back.
///
/// ```
/// use cinta::prelude::*;
/// let layer = GlobalAveragePooling1d::new().data_format(DataFormat::ChannelsFirst);
/// let model = Sequential::new([2, 3]).add(layer).build(0)?;
/// let x = Tensor::from([[[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]]);
/// assert_eq!(model.predict(&x)?.to_vec(), [2.0, 5.0]);
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataFormat {
    /// In the last axis: `[h, w, c]`.
    ChannelsLast,
    /// In the first axis: `[c, h, w]`.
    ChannelsFirst,
}

impl OptionValue for DataFormat {
    fn read(value: &Value) -> Result<Self, Reason> {
        match value.as_str() {
            Some("channels_last") => Ok(DataFormat::ChannelsLast),
            Some("channels_first") => Ok(DataFormat::ChannelsFirst),
            _ => Err(not(value, "\"channels_last\" or \"channels_first\"")),
        }
    }

    fn write(&self) -> Value {
        match self {
            DataFormat::ChannelsLast => json!("channels_last"),
            DataFormat::ChannelsFirst => json!("channels_first"),
        }
    }
}

impl DataFormat {
    /// The shape of a sample with its channels last.
    pub(super) fn seen(self, sample: Shape) -> Shape {
        self.turned(sample, sample.rank(), |dims| dims.rotate_left(1))
    }

    /// The shape of what has its channels last, with these where they belong: so many axes are theirs or behind them.
    pub(super) fn given(self, sample: Shape, axes: usize) -> Shape {
        self.turned(sample, axes, |dims| dims.rotate_right(1))
    }

    fn turned(self, sample: Shape, axes: usize, turn: fn(&mut [usize])) -> Shape {
        let mut dims = sample.to_vec();
        if self == DataFormat::ChannelsFirst && axes > 0 {
            let first = dims.len() - axes;
            turn(&mut dims[first..]);
        }
        Shape::new(&dims)
    }

    /// The output of a layer in this format, from what it says of samples with their channels last.
    pub(super) fn shape(
        self,
        sample: Shape,
        of: impl FnOnce(Shape) -> Result<Shape, Reason>,
    ) -> Result<Shape, Reason> {
        let seen = self.seen(sample);
        match of(seen) {
            Ok(output) => Ok(self.given(output, output.rank())),
            Err(reason) if self == DataFormat::ChannelsLast => Err(reason),
            Err(reason) => Err(reason.inside(|why| {
                format!("a sample {sample} with its channels first is {seen} with them last: {why}")
            })),
        }
    }

    /// The output of a layer in this format, from what it computes with the channels last.
    pub(crate) fn around<'t, T: Scalar>(
        self,
        x: &Var<'t, T>,
        of: impl FnOnce(&Var<'t, T>) -> Var<'t, T>,
    ) -> Var<'t, T> {
        let behind = |x: &Var<'t, T>| x.shape().rank().saturating_sub(2);
        let y = of(&self.last(x, behind(x)));
        self.back(&y, behind(&y))
    }

    /// A view with the channels last; if they come first, so many axes are behind them.
    pub(super) fn last<'t, T: Scalar>(self, x: &Var<'t, T>, behind: usize) -> Var<'t, T> {
        let last = x.shape().rank() - 1;
        match self {
            DataFormat::ChannelsFirst if behind > 0 => x.move_axis(last - behind, last),
            _ => x.clone(),
        }
    }

    /// A view of what has its channels last, with these where they belong.
    pub(super) fn back<'t, T: Scalar>(self, x: &Var<'t, T>, behind: usize) -> Var<'t, T> {
        let last = x.shape().rank() - 1;
        match self {
            DataFormat::ChannelsFirst if behind > 0 => x.move_axis(last, last - behind),
            _ => x.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::kernels::Padding;
    use crate::nn::layers::*;
    use crate::nn::{Activation, Context, Layer, Mode, MultiLayer, shared_layer};
    use crate::tensor::{Stream, Tensor};
    use DataFormat::ChannelsFirst;
    use std::sync::Arc;

    fn draw(shape: &[usize], seed: u64) -> Tensor<f64> {
        Tensor::uniform(shape, -1.0, 1.0, &mut Stream::new(seed))
    }

    /// With the channels first, a layer gives what it gives with them last, turned; its weights are the same. Gradients are right.
    fn check(layer: impl Layer<f64> + 'static, sample: &[usize]) {
        assert_eq!(layer.data_format(), ChannelsFirst);
        let cx = || Context::new(Mode::Infer);
        let last = Shape::new(sample);
        let mut first = sample.to_vec();
        first.rotate_right(1);
        let first = Shape::new(&first);
        let x = draw(&last.batch(2), 1);
        let shapes = layer.weights(last).into_iter().map(|weight| weight.shape);
        let weights: Vec<_> = shapes.map(|shape| Var::constant(draw(&shape, 2))).collect();
        let expected = layer.pre_activation(&weights, &Var::constant(x.clone()), &mut cx());
        let output = layer.output_shape(last).unwrap();

        let layer = shared_layer(layer);
        let turned = layer.output_shape(&[first]).unwrap();
        let y = |x: &Var<'static, f64>| layer.pre_activation(&weights, &[x], &mut cx());
        let rank = x.rank();
        let x = Var::constant(x.move_axis(rank - 1, 1));
        assert_eq!(layer.weights(&[first]).len(), weights.len());
        assert_eq!(y(&x).shape().sample(), turned);
        let back = ChannelsFirst.last(&y(&x), output.rank() - 1);
        assert_eq!(back.shape().sample(), output);
        assert!(back.value().all_close(expected.value(), 1e-12, 1e-12));
        let whole = layer.activation(&[first]).of(&y(&x));
        let forward = layer.forward(&weights, &[&x], &mut cx());
        assert!(forward.value().all_close(whole.value(), 1e-12, 1e-12));
        gradcheck(|[x]| of_constants(&*layer, &weights, x), [x.into_value()]).unwrap();
    }

    fn of_constants<'t>(
        layer: &dyn MultiLayer<f64>,
        weights: &[Var<'static, f64>],
        x: &Var<'t, f64>,
    ) -> Var<'t, f64> {
        let weights: Vec<_> = weights.iter().map(|it| Var::constant(it.value().clone())).collect();
        layer.forward(&weights, &[x], &mut Context::new(Mode::Infer)).square()
    }

    #[test]
    fn layers_turn_their_inputs() {
        let image = [5, 4, 3];
        let conv = Conv2d::new(2, [3, 2]).padding(Padding::Same).data_format(ChannelsFirst);
        check(conv.clone().activation(Activation::Relu), &image);
        check(conv.clone().activation(Activation::Tanh), &image);
        check(conv.activation(Activation::Softmax), &image);
        check(Conv1d::new(2, 3).padding(Padding::Causal).data_format(ChannelsFirst), &[5, 3]);
        check(Conv3d::new(2, [1, 2, 2]).data_format(ChannelsFirst), &[2, 3, 4, 2]);
        check(DepthwiseConv2d::new(2).data_format(ChannelsFirst), &image);
        check(SeparableConv2d::new(2, 2).data_format(ChannelsFirst), &image);
        check(Conv2dTranspose::new(2, 3).strides(2).data_format(ChannelsFirst), &image);
        check(MaxPooling2d::new([2, 3]).data_format(ChannelsFirst), &image);
        check(AveragePooling1d::new(2).data_format(ChannelsFirst), &[5, 3]);
        check(AdaptiveAveragePooling2d::new(2).data_format(ChannelsFirst), &image);
        check(GlobalAveragePooling2d::new().data_format(ChannelsFirst), &image);
        let kept = GlobalMaxPooling2d::new().keepdims(true);
        check(kept.data_format(ChannelsFirst), &image);
        check(UpSampling2d::new(2).data_format(ChannelsFirst), &image);
        check(ZeroPadding2d::new([1, 2]).data_format(ChannelsFirst), &image);
        check(Cropping2d::new([1, 1]).data_format(ChannelsFirst), &image);
        check(SpatialDropout2d::new(0.5).data_format(ChannelsFirst), &image);
        check(Flatten::new().data_format(ChannelsFirst), &image);
        check(Resizing::new(3, 5).data_format(ChannelsFirst), &image);
        check(LocallyConnected2d::new(2, 2).data_format(ChannelsFirst), &image);
    }

    /// What passes from layer to layer has its channels last in memory, so that nobody copies it.
    #[test]
    fn memory_stays_as_it_is() {
        let mut x = Var::constant(draw(&[2, 3, 8, 8], 1));
        let layers: [Arc<dyn MultiLayer<f64>>; 5] = [
            shared_layer(Conv2d::new(64, 3).data_format(ChannelsFirst)),
            shared_layer(BatchNormalization::new().axis(1)),
            shared_layer(Activation::Tanh),
            shared_layer(MaxPooling2d::new(2).data_format(ChannelsFirst)),
            shared_layer(ZeroPadding2d::new(1).data_format(ChannelsFirst)),
        ];
        for layer in layers {
            let weights = layer.weights(&[x.shape().sample()]);
            let weights: Vec<_> =
                weights.iter().map(|it| Var::constant(draw(&it.shape, 2).abs())).collect();
            let mode = Mode::Train { seed: 1, step: 0, layer: 0, first_sample: 0 };
            x = layer.forward(&weights, &[&x], &mut Context::new(mode));
            assert!(x.value().as_slice().is_none(), "{}", layer.class_name());
            assert!(x.move_axis(1, 3).value().as_slice().is_some(), "{}", layer.class_name());
        }
    }

    /// The same drops, wherever the channels are.
    #[test]
    fn random_numbers_belong_to_channels() {
        let mode = Mode::Train { seed: 1, step: 2, layer: 3, first_sample: 0 };
        let x = Var::constant(draw(&[4, 3, 3, 8], 1));
        let plain = shared_layer(SpatialDropout2d::new(0.5));
        let first = shared_layer(SpatialDropout2d::new(0.5).data_format(ChannelsFirst));
        let expected = plain.forward(&[], &[&x], &mut Context::new(mode));
        let y = first.forward(&[], &[&x.move_axis(3, 1)], &mut Context::new(mode));
        assert_eq!(y.move_axis(1, 3).value(), expected.value());
    }

    #[test]
    fn what_does_not_fit_is_said_of_both_orders() {
        let layer = shared_layer::<f32>(MaxPooling2d::new(4).data_format(ChannelsFirst));
        let error = layer.output_shape(&[[8, 3, 5].into()]).unwrap_err();
        let start = "a sample [8, 3, 5] with its channels first is [3, 5, 8] with them last: the window of 4x4";
        assert!(error.as_str().starts_with(start), "{error}");
        assert!(layer.output_shape(&[Shape::new(&[])]).is_err());
    }
}
