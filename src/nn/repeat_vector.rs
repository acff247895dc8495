//! The layer that repeats a vector.

use super::recipe::{described, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};

recipe! {
    /// A vector several times: `[c]` becomes `[n, c]`. What encodes a series ends in a vector, and what decodes it begins with
    /// this layer.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([2]).add(RepeatVector::new(3)).build(0)?;
    /// assert_eq!(model.predict(&Tensor::from([[1.0, 2.0]]))?.to_vec(), [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct RepeatVector = "RepeatVector";
    /// So many times.
    new(n: usize);
    example [4] => RepeatVector::new(3) => [3, 4];
    options {}
    fixed {}
    ignored []
}

impl<T: Scalar> Layer<T> for RepeatVector {
    described!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        match *input {
            [c] if self.n > 0 => Ok(Shape::from([self.n, c])),
            [_] => Err("n = 0 is not at least 1".into()),
            _ => Err(format!("needs a vector, and one sample has the shape {input}").into()),
        }
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let shape = x.shape();
        // Times 1, where every number, infinite or not, stays what it is.
        let ones = Var::constant(Tensor::ones([self.n, 1]));
        x.reshape([shape[0], 1, shape[1]]) * ones
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Mode;
    use crate::tensor::Stream;

    #[test]
    fn gradients() {
        let x: Tensor<f64> = Tensor::uniform([3, 5], -1.0, 1.0, &mut Stream::new(3));
        let layer = RepeatVector::new(4);
        let mut cx = Context::new(Mode::Infer);
        gradcheck(
            |[x]| layer.forward(&[], x, &mut Context::new(Mode::Infer)).square(),
            [x.clone()],
        )
        .unwrap();
        let y = layer.forward(&[], &Var::constant(x.clone()), &mut cx);
        assert_eq!(y.value(), &x.reshape([3, 1, 5]).broadcast_to([3, 4, 5]));
    }
}
