//! `y = x` above a threshold, up to a largest value, and `y = negative_slope (x - threshold)` below it, element by element.

use crate::autograd::{Op, Var, apply};
use crate::kernels::gemm::Finish;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Pointwise, Tensor, pointwise};

/// A rectifier with options, those of Keras's `ReLU`.
///
/// ```
/// use cinta::{Rectifier, Tensor, Var};
/// let x = Var::constant(Tensor::from([-1.0, 5.0, 9.0]));
/// let rectifier = Rectifier { negative_slope: 0.5, max_value: Some(8.0), ..Rectifier::default() };
/// assert_eq!(x.rectifier(rectifier).value().to_vec(), [-0.5, 5.0, 8.0]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Rectifier {
    /// The slope below the threshold.
    pub negative_slope: f64,
    /// The largest value, if there is one.
    pub max_value: Option<f64>,
    /// Where the function leaves its lower branch.
    pub threshold: f64,
}

// Both ways are computed for each element, and one is chosen. Where the slope is 0 it gives 0, for x = -infinity, too.
pointwise!(
    Value { slope, threshold, max } = |x| {
        let flat = (slope == T::zero()) & (x <= threshold);
        let below = (slope * (x - threshold)).kept_if(!flat);
        let above = if x > max { max } else { x };
        if x > threshold { above } else { below }
    }
);
// dx = dy between threshold and max_value, 0 above, dy negative_slope below
pointwise!(
    Slope { slope, threshold, max } = |dy, x| {
        let below = (dy * slope).kept_if(slope != T::zero());
        let above = dy.kept_if((x < max) | (max == T::infinity()));
        if x > threshold { above } else { below }
    }
);

impl<T: Scalar> Op<T, 1> for Rectifier {
    const NAME: &'static str = "rectifier";
    type Saved = Tensor<T>; // x

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, Tensor<T>) {
        let [slope, threshold, max] = self.numbers();
        (x.map_pointwise(Value { slope, threshold, max }), x.clone())
    }

    fn backward(&self, x: Tensor<T>, dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        let [slope, threshold, max] = self.numbers();
        [Some(dy.zip_pointwise(&x, Slope { slope, threshold, max }))]
    }
}

/// The gradient before the rectifier of finished sums `y`, from the one after it: it counts where `0 < y`, and `y < most`.
pub(super) fn before<T: Scalar>(finish: Finish, y: &Tensor<T>, dy: Tensor<T>) -> Tensor<T> {
    let (slope, threshold, max) = (T::zero(), T::zero(), finish.most());
    dy.zip_pointwise(y, Slope { slope, threshold, max })
}

/// A rectifier for those who compute with its numbers in a loop of their own.
#[derive(Clone, Copy)]
pub(super) struct Rectified<T>(Value<T>, Slope<T>);

impl<T: Scalar> Rectified<T> {
    /// That of the rectifier; without one, `y = x`.
    pub(super) fn new(rectifier: Option<Rectifier>) -> Self {
        let none = Rectifier { negative_slope: 1.0, ..Rectifier::default() };
        let [slope, threshold, max] = rectifier.unwrap_or(none).numbers();
        Rectified(Value { slope, threshold, max }, Slope { slope, threshold, max })
    }

    /// The value for `x`.
    #[inline(always)]
    pub(super) fn value(self, x: T) -> T {
        self.0.of([x])
    }

    /// The gradient before it, from the one after it.
    #[inline(always)]
    pub(super) fn before(self, dy: T, x: T) -> T {
        self.1.of([dy, x])
    }
}

impl Rectifier {
    /// The same as something that is done to finished sums, if it is one of those.
    pub(crate) fn finish(self) -> Option<Finish> {
        let Rectifier { negative_slope, max_value, threshold } = self;
        match max_value {
            _ if negative_slope != 0.0 || threshold != 0.0 => None,
            None => Some(Finish::Relu),
            Some(6.0) => Some(Finish::Relu6),
            Some(_) => None,
        }
    }

    /// The slope, the threshold, and the largest value.
    fn numbers<T: Scalar>(&self) -> [T; 3] {
        let max = self.max_value.map_or(T::infinity(), T::lit);
        [T::lit(self.negative_slope), T::lit(self.threshold), max]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// `y = x` where `x > threshold`, but `max_value` at most, and `y = negative_slope (x - threshold)` elsewhere. Without options it is
    /// [`relu`](Self::relu).
    ///
    /// ```
    /// use cinta::{Rectifier, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([0.5, 2.0, 7.0]));
    /// let y = x.rectifier(Rectifier { max_value: Some(6.0), threshold: 1.0, ..Rectifier::default() });
    /// assert_eq!(y.value().to_vec(), [0.0, 2.0, 6.0]);
    /// assert_eq!(y.sum(..).backward().wrt(&x).to_vec(), [0.0, 1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn rectifier(&self, rectifier: Rectifier) -> Var<'t, T> {
        if rectifier == Rectifier::default() {
            return self.relu();
        }
        apply(rectifier, [self])
    }

    /// `y = x` where `x > 0`, else `negative_slope x` (Maas, Hannun and Ng, *Rectifier nonlinearities improve neural network
    /// acoustic models*, 2013).
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([-2.0, 3.0]));
    /// assert_eq!(x.leaky_relu(0.5).value().to_vec(), [-1.0, 3.0]);
    /// assert_eq!(x.leaky_relu(0.5).sum(..).backward().wrt(&x).to_vec(), [0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn leaky_relu(&self, negative_slope: f64) -> Var<'t, T> {
        self.rectifier(Rectifier { negative_slope, ..Rectifier::default() })
    }
}

compiled!(|x: &Var<T>| x.leaky_relu(0.1));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Tape, gradcheck};
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    const ALL: [Rectifier; 4] = [
        Rectifier { negative_slope: 0.0, max_value: None, threshold: 0.0 },
        Rectifier { negative_slope: 0.3, max_value: None, threshold: 0.0 },
        Rectifier { negative_slope: 0.0, max_value: Some(1.0), threshold: 0.5 },
        Rectifier { negative_slope: 0.2, max_value: Some(1.5), threshold: 1.0 },
    ];

    #[test]
    fn worked_example() {
        let infinite = f64::NEG_INFINITY;
        let x = Tensor::from([infinite, -3.0, 1.0, 1.25, 4.0, f64::NAN]);
        for (rectifier, expected) in ALL.into_iter().zip([
            [0.0, 0.0, 1.0, 1.25, 4.0],
            [infinite, -0.9, 1.0, 1.25, 4.0],
            [0.0, 0.0, 1.0, 1.0, 1.0],
            [infinite, -0.8, 0.0, 1.25, 1.5],
        ]) {
            let y = Var::constant(x.clone()).rectifier(rectifier).into_value();
            assert_close(&y.slice(0, ..5), &Tensor::from(expected));
            assert!(y.at([5]).is_nan());
        }
    }

    /// What can be done to finished sums, and the gradient before that.
    #[test]
    fn finished_sums() {
        let plain = Rectifier::default();
        let six = Rectifier { max_value: Some(6.0), ..plain };
        assert_eq!([plain, six].map(Rectifier::finish), [Some(Finish::Relu), Some(Finish::Relu6)]);
        let others = [
            Rectifier { max_value: Some(5.0), ..plain },
            Rectifier { threshold: 1.0, ..six },
            Rectifier { negative_slope: 0.1, ..plain },
        ];
        assert_eq!(others.map(Rectifier::finish), [None; 3]);
        let y = Tensor::from([0.0, 1.0, 6.0, 7.0]);
        let before = |finish| before(finish, &y, Tensor::from([1.0, 2.0, 3.0, 4.0])).to_vec();
        assert_eq!(before(Finish::Relu), [0.0, 2.0, 3.0, 4.0]);
        assert_eq!(before(Finish::Relu6), [0.0, 2.0, 0.0, 0.0]);
    }

    /// Without a largest value, even infinity is no end.
    #[test]
    fn infinity_passes() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([f64::INFINITY]));
        assert_eq!(x.leaky_relu(0.5).backward_from(&Tensor::from([3.0])).wrt(&x).item(), 3.0);
    }

    #[test]
    fn nothing_flows_where_the_slope_is_0() {
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([-1.0, 7.0]));
        let y = x.rectifier(Rectifier { max_value: Some(6.0), ..Rectifier::default() });
        let dx = y.backward_from(&Tensor::from([f64::INFINITY, f64::NAN])).wrt(&x);
        assert_eq!(dx.to_vec(), [0.0, 0.0]);
    }

    #[test]
    fn gradient() {
        for rectifier in ALL {
            // Away from the kinks at multiples of a half.
            let x = random(&[3, 5], -2.0, 2.0, 1, 0);
            let x = x.map(|x| if (2.0 * x).fract().abs() < 0.01 { x + 0.1 } else { x });
            gradcheck(|[x]| x.rectifier(rectifier), [x]).unwrap();
        }
    }

    proptest! {
        #[test]
        fn definition(x in tensors(3, -3.0, 3.0), which in 0usize..4) {
            let Rectifier { negative_slope: slope, max_value, threshold } = ALL[which];
            // As Keras has it.
            let keras = |x: f64| {
                let kept = if x > threshold { x } else { 0.0 };
                kept.min(max_value.unwrap_or(f64::MAX)) - slope * (threshold - x).max(0.0)
            };
            let expected: Vec<f64> = x.iter().map(keras).collect();
            let y = Var::constant(x.clone()).rectifier(ALL[which]);
            assert_close(y.value(), &Tensor::new(x.shape(), expected));
        }
    }
}
