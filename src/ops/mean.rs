//! The mean over axes.

use crate::autograd::{Op, Var, apply};
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Axes, Shape, Tensor, named};

struct Mean {
    axes: Vec<usize>,
}

impl<T: Scalar> Op<T, 1> for Mean {
    const NAME: &'static str = "mean";
    type Saved = Shape; // of x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Shape) {
        (x.mean(&self.axes[..]), x.shape())
    }

    // dx = dy / count, repeated along the axes that were averaged
    fn backward(&self, x: Shape, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let mut kept = x.to_vec();
        self.axes.iter().for_each(|&axis| kept[axis] = 1);
        let count: usize = self.axes.iter().map(|&axis| x[axis]).product();
        [Some((dy / T::lit(count as f64)).reshape(&kept[..]).broadcast_to(x))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// The mean over axes, which disappear from the shape: one axis, several (`[0, 2]`), or all (`..`).
    ///
    /// # Panics
    /// When an axis does not exist.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.mean(0).value().to_vec(), [2.0, 3.0]);
    /// assert_eq!(x.mean(..).backward().wrt(&x).to_vec(), [0.25; 4]);
    /// ```
    #[track_caller]
    pub fn mean(&self, axes: impl Axes) -> Var<'t, T> {
        apply(Mean { axes: named(axes, self.shape().rank()) }, [self])
    }
}

compiled!(|x: &Var<T>| x.mean(..));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, summed, tensors};
    use proptest::prelude::*;

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
        assert_close(x.mean(1).value(), &Tensor::from([2.0, 5.0]));
        assert_close(x.mean(..).value(), &Tensor::scalar(3.5));
    }

    #[test]
    fn gradient() {
        let x = random(&[3, 2, 5], -2.0, 2.0, 1, 0);
        gradcheck(|[x]| x.mean(0), [x.clone()]).unwrap();
        gradcheck(|[x]| x.mean([0, 2]), [x.clone()]).unwrap();
        gradcheck(|[x]| x.mean(..), [x]).unwrap();
    }

    #[test]
    #[should_panic(expected = "axis 2 of a tensor with 2 axes")]
    fn an_axis_too_many() {
        Var::constant(Tensor::<f64>::zeros([2, 3])).mean(2);
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), axes in 0usize..8) {
            let axes: Vec<usize> = (0..3).filter(|axis| axes >> axis & 1 == 1).collect();
            let count: usize = axes.iter().map(|&axis| x.shape()[axis]).product();
            let expected = summed(&x, &axes) / count as f64;
            assert_close(Var::constant(x).mean(&axes[..]).value(), &expected);
        }
    }
}
