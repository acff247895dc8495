//! The operations that a tape can record: one file each, with the formula, the forward and the
//! backward rule side by side, the method on [`Var`](crate::Var), and the tests.

mod abs;
mod add;
mod affine;
mod affine_transform;
mod avg_pool2d;
mod batch_matmul;
mod batch_norm;
mod binary_crossentropy;
mod categorical_crossentropy;
mod clamp;
mod concat;
mod conv1d;
mod conv2d;
mod conv2d_transpose;
mod conv3d;
mod dense;
mod diag;
mod div;
mod dropout;
mod einsum;
mod elu;
mod embedding;
mod exp;
mod expand_dims;
mod flip;
mod gather;
mod gelu;
mod huber;
mod index_select;
mod kl_divergence;
mod layer_norm;
mod ln;
mod log_softmax;
mod matmul;
mod max_pool2d;
mod maximum;
mod mean;
mod mean_squared_error;
mod minimum;
mod move_axis;
mod mul;
mod neg;
mod outer;
mod pad;
mod pad_with;
mod permute;
mod rectifier;
mod recurrent;
mod relu;
mod repeat;
mod resample;
mod reshape;
mod resize;
mod roll;
mod scatter_add;
mod sigmoid;
mod silu;
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
mod sub;
mod sum;
mod tanh;
mod tensordot;
mod threshold;
mod tile;
mod trace;
mod triangle;
mod unfold;

pub(crate) use abs::sign;
pub use conv2d::Convolution;
pub use conv2d_transpose::TransposedConvolution;
pub(crate) use embedding::check_indices;
pub use pad_with::PadMode;
pub use rectifier::Rectifier;
pub use recurrent::Nonlinearity;
pub(crate) use recurrent::stepwise;
pub(crate) use sparse_categorical_crossentropy::is_class;

use crate::scalar::Scalar;
use crate::tensor::{Indices, Shape, Tensor};

#[cfg(test)]
mod compositions;
#[cfg(test)]
mod testing;

/// What flows back: `dx`, or 0 where no gradient came in, `dy = 0`. An infinite slope, as that of a root at 0, times 0 would not
/// be a number, although nothing depends on that place.
fn flowing<T: Scalar>(dy: T, dx: T) -> T {
    dx.kept_if(!dy.is_zero())
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
