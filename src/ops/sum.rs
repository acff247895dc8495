//! The sum over axes.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Axes, Shape, Tensor, named};

struct Sum {
    axes: Vec<usize>,
}

impl<T: Scalar> Op<T, 1> for Sum {
    const NAME: &'static str = "sum";
    type Saved = Shape; // of x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Shape) {
        (x.sum(&self.axes[..]), x.shape())
    }

    // dx = dy, repeated along the axes that were summed
    fn backward(&self, x: Shape, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let mut kept = x.to_vec();
        self.axes.iter().for_each(|&axis| kept[axis] = 1);
        [Some(dy.reshape(&kept[..]).broadcast_to(x))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The sum over axes, which disappear from the shape: one axis, several (`[0, 2]`), or all (`..`).
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.sum(0).value().to_vec(), [4.0, 6.0]);
    /// assert_eq!(x.sum(..).backward().wrt(&x).to_vec(), [1.0; 4]);
    /// ```
    #[track_caller]
    pub fn sum(&self, axes: impl Axes) -> Var<'t, T> {
        apply(Sum { axes: named(axes, self.shape().rank()) }, [self])
    }
}

compiled!(|x: &Var<T>| x.sum(..));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, summed, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
        assert_close(x.sum(1).value(), &Tensor::from([6.0, 15.0]));
        assert_close(x.sum(..).value(), &Tensor::scalar(21.0));
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        gradcheck(|[x]| x.sum(0), [x.clone()]).unwrap();
        gradcheck(|[x]| x.sum([0, 2]), [x.clone()]).unwrap();
        gradcheck(|[x]| x.sum(..), [x]).unwrap();
    }

    #[test]
    #[should_panic(expected = "axis 2 of a tensor with 2 axes")]
    fn an_axis_too_many() {
        Var::constant(Tensor::<f64>::zeros([2, 3])).sum(2);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axes in 0usize..8) {
            let axes: Vec<usize> = (0..3).filter(|axis| axes >> axis & 1 == 1).collect();
            let expected = summed(&x, &axes);
            assert_close(Var::constant(x).sum(&axes[..]).value(), &expected);
        }
    }
}
