//! The operations that a tape can record: one file each, with the formula, the forward and the
//! backward rule side by side, the method on [`Var`](crate::Var), and the tests.

mod abs;
mod add;
mod affine;
mod affine_transform;
mod atan2;
mod avg_pool2d;
mod batch_matmul;
mod batch_norm;
mod binary_crossentropy;
mod categorical_crossentropy;
mod ceil;
mod clamp;
mod concat;
mod conv1d;
mod conv2d;
mod conv2d_transpose;
mod conv3d;
mod cos;
mod cumprod;
mod cumsum;
mod dense;
mod diag;
mod div;
mod dropout;
mod einsum;
mod elu;
mod embedding;
mod erf;
mod exp;
mod expand_dims;
mod expm1;
mod flip;
mod floor;
mod gather;
mod gelu;
mod huber;
mod index_select;
mod kl_divergence;
mod layer_norm;
mod ln;
mod log1p;
mod log_softmax;
mod logsumexp;
mod masked_fill;
mod masked_select;
mod matmul;
mod max;
mod max_pool2d;
mod max_pool2d_relu;
mod maximum;
mod mean;
mod mean_squared_error;
mod min;
mod minimum;
mod move_axis;
mod mul;
mod neg;
mod norm;
mod outer;
mod pad;
mod pad_with;
mod permute;
mod pow;
mod powf;
mod powi;
mod prod;
mod reciprocal;
mod rectifier;
mod recurrent;
mod relu;
mod repeat;
mod resample;
mod reshape;
mod resize;
mod roll;
mod round;
mod rsqrt;
mod scatter_add;
mod select;
mod sigmoid;
mod sign;
mod silu;
mod sin;
mod slice;
mod softmax;
mod softplus;
mod softsign;
mod sort;
mod sparse_categorical_crossentropy;
mod sparse_plus;
mod sparsemax;
mod split;
mod sqrt;
mod square;
mod squareplus;
mod stack;
mod standard_deviation;
mod sub;
mod sum;
mod tan;
mod tanh;
mod tensordot;
mod threshold;
mod tile;
mod trace;
mod triangle;
mod unfold;
mod variance;

pub(crate) use abs::sign;
pub use conv2d::Convolution;
pub use conv2d_transpose::TransposedConvolution;
pub(crate) use embedding::check_indices;
pub use pad_with::PadMode;
pub use rectifier::Rectifier;
pub use recurrent::Nonlinearity;
pub(crate) use recurrent::stepwise;
pub use repeat::Times;
pub(crate) use sparse_categorical_crossentropy::is_class;

use crate::autograd::{Var, clock, record_with};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Axes, Indices, Shape, Tensor};

#[cfg(test)]
mod compositions;
#[cfg(test)]
mod testing;

/// What flows back: `dx`, or 0 where no gradient came in, `dy = 0`. An infinite slope, as that of a root at 0, times 0 would not
/// be a number, although nothing depends on that place.
fn flowing<T: Scalar>(dy: T, dx: T) -> T {
    dx.kept_if(!dy.is_zero())
}

/// A function of each element alone. Those of the crate that do not need all of [`Op`](crate::Op) are recorded through this: one
/// node for all of them, whose code exists once.
trait Elementwise<T: Scalar>: 'static {
    fn name(&self) -> &'static str;

    fn saves(&self) -> Saves {
        Saves::Input
    }

    fn forward(&self, x: &Tensor<T>) -> Tensor<T>;

    /// `dx` from `dy` and what is saved.
    fn backward(&self, saved: &Tensor<T>, dy: Tensor<T>) -> Tensor<T>;
}

/// What the rule of an [`Elementwise`] function is told.
enum Saves {
    Input,
    Output,
    /// A tensor of zeros.
    Nothing,
}

#[track_caller]
fn elementwise<'t, T: Scalar>(x: &Var<'t, T>, function: impl Elementwise<T>) -> Var<'t, T> {
    record_elementwise(x, Box::new(function))
}

#[track_caller]
#[inline(never)]
fn record_elementwise<'t, T: Scalar>(
    x: &Var<'t, T>,
    function: Box<dyn Elementwise<T>>,
) -> Var<'t, T> {
    let started = clock(&[x]);
    let y = function.forward(x.value());
    if !x.is_tracked() {
        return Var::constant(y);
    }
    let saved = match function.saves() {
        Saves::Input => x.value().clone(),
        Saves::Output => y.clone(),
        Saves::Nothing => Tensor::zeros(x.shape()),
    };
    record_with(function.name(), y, &[x], started, move |dy| vec![function.backward(&saved, dy)])
}

compiled!(|x: &Var<T>, f: Box<dyn Elementwise<T>>| record_elementwise(x, f));

/// `f(x)` of every element. Through a pointer, so that this loop is compiled once: for functions that take long anyway.
fn each<T: Scalar>(x: &Tensor<T>, f: fn(T) -> T) -> Tensor<T> {
    x.map(f)
}

/// `f(dy, x)` of every element, in the same way.
fn along<T: Scalar>(dy: Tensor<T>, x: &Tensor<T>, f: fn(T, T) -> T) -> Tensor<T> {
    dy.into_zip_with(x, f)
}

/// What a reduction over these axes gave, repeated along them: in the shape of its input.
fn spread<T: Scalar>(y: &Tensor<T>, shape: Shape, axes: &[usize]) -> Tensor<T> {
    y.reshape(shape.kept(&axes.flags(shape.rank()))).broadcast_to(shape)
}

/// A value for each row, `[..]`, as a column beside the rows, `[.., 1]`.
fn column<T: Scalar>(rows: &Tensor<T>) -> Tensor<T> {
    let shape = [&rows.shape()[..], &[1]].concat();
    rows.reshape(&shape[..])
}

/// Panics when a tensor of this shape does not have the axis.
#[track_caller]
fn axis_exists(op: &str, axis: usize, shape: Shape) {
    assert!(axis < shape.rank(), "{op}: axis {axis} of a tensor of shape {shape}");
}

/// Panics when an index is not below the length of the axis.
#[track_caller]
fn places_exist(op: &str, indices: &Indices, axis: usize, shape: Shape) {
    let len = shape[axis];
    if let Some(index) = indices.values().iter().find(|&&index| index >= len) {
        panic!("{op}: index {index} of axis {axis}, whose length is {len}: the shape is {shape}");
    }
}

/// An operator between variables, owned or borrowed, as the op `$op`.
macro_rules! operator {
    ($trait:ident, $method:ident, $op:expr) => {
        impl<'t, T: Scalar> std::ops::$trait<&Var<'t, T>> for &Var<'t, T> {
            type Output = Var<'t, T>;
            #[track_caller]
            fn $method(self, other: &Var<'t, T>) -> Var<'t, T> {
                apply($op, [self, other])
            }
        }

        impl<'t, T: Scalar> std::ops::$trait<Var<'t, T>> for &Var<'t, T> {
            type Output = Var<'t, T>;
            #[track_caller]
            fn $method(self, other: Var<'t, T>) -> Var<'t, T> {
                apply($op, [self, &other])
            }
        }

        impl<'t, T: Scalar> std::ops::$trait<&Var<'t, T>> for Var<'t, T> {
            type Output = Var<'t, T>;
            #[track_caller]
            fn $method(self, other: &Var<'t, T>) -> Var<'t, T> {
                apply($op, [&self, other])
            }
        }

        impl<'t, T: Scalar> std::ops::$trait<Var<'t, T>> for Var<'t, T> {
            type Output = Var<'t, T>;
            #[track_caller]
            fn $method(self, other: Var<'t, T>) -> Var<'t, T> {
                apply($op, [&self, &other])
            }
        }
    };
}
use operator;
