//! The layer of bins.

use super::category_encoding::OutputMode;
use super::recipe::{described, recipe};
use super::{Context, Layer};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

recipe! {
    /// The number of the bin that each number falls into: 0 below the first boundary, 1 from there to below the second, and so on. Or rows of ones and zeros for these
    /// numbers, as in [`CategoryEncoding`](super::layers::CategoryEncoding).
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([4]).add(Discretization::new([0.0, 1.0])).build(0)?;
    /// let bins = model.predict(&Tensor::from([[-0.5, 0.0, 0.5, 3.0]]))?;
    /// assert_eq!(bins.to_vec(), [0.0, 1.0, 1.0, 2.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Discretization = "Discretization";
    /// Bins with these boundaries, which grow.
    new(bin_boundaries: Vec<f64> as impl Into<Vec<f64>>, into);
    example [4] => Discretization::new([0.0, 1.0]) => [4];
    options {
        /// What it gives for the numbers of bins.
        output_mode: OutputMode = OutputMode::Int, OutputMode::Count => [3];
    }
    fixed { "sparse": false }
    // What `adapt` finds boundaries with.
    ignored ["num_bins", "epsilon"]
}

impl Discretization {
    /// With boundaries between which about as many of these numbers lie: at most `num_bins` bins. They are those that Keras's `adapt` finds, from about a hundred of the
    /// numbers.
    ///
    /// # Panics
    /// When there are no numbers, or no bins.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let data = Tensor::from([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    /// let model = Sequential::new([3]).add(Discretization::new([]).adapt(&data, 4)).build(0)?;
    /// let bins = model.predict(&Tensor::from([[0.5, 2.5, 6.5]]))?;
    /// assert_eq!(bins.to_vec(), [0.0, 1.0, 3.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn adapt<T: Scalar>(mut self, data: &Tensor<T>, num_bins: usize) -> Self {
        assert!(num_bins > 0, "adapt: 0 bins hold no numbers; use at least 1");
        assert!(!data.is_empty(), "adapt: there are no numbers in {}", data.shape());
        // In single precision, as Keras has them.
        let mut values: Vec<f32> = data.iter().map(|value| value.widen() as f32).collect();
        values.sort_by(f32::total_cmp);
        let step = (values.len() as f64 * EPSILON).max(1.0);
        let kept = values.iter().skip((step - 1.0) as usize).step_by(step as usize);
        let summary: Vec<[f64; 2]> = kept.map(|&value| [f64::from(value), step]).collect();
        let summary = compressed(compressed(summary, EPSILON), 1.0 / num_bins as f64);
        let ends = &summary[..summary.len() - 1];
        self.bin_boundaries = ends.iter().map(|&[value, _]| value).collect();
        self
    }
}

/// How much of all numbers lies between two that `adapt` looks at.
const EPSILON: f64 = 0.01;

/// Numbers, each standing for so many, as those below which `epsilon`, `2 epsilon` and so on of all lie.
fn compressed(summary: Vec<[f64; 2]>, epsilon: f64) -> Vec<[f64; 2]> {
    if summary.len() as f64 * epsilon < 1.0 {
        return summary;
    }
    let mut sum = 0.0;
    let below: Vec<f64> = summary
        .iter()
        .map(|&[_, count]| {
            sum += count;
            sum
        })
        .collect();
    // A straight line between the numbers that are known.
    let between = |part: f64, of: &dyn Fn(usize) -> f64| {
        let at = below.partition_point(|&count| count / sum <= part);
        match at {
            0 => of(0),
            at if at == below.len() => of(at - 1),
            at => {
                let [from, to] = [below[at - 1], below[at]].map(|count| count / sum);
                of(at - 1) + (of(at) - of(at - 1)) * (part - from) / (to - from)
            }
        }
    };
    let (mut before, count) = (0.0, (1.0 / epsilon).ceil() as usize);
    let bin = |i: usize| {
        let part = epsilon + i as f64 * epsilon;
        let value = between(part, &|at| summary[at][0]);
        let up_to = between(part, &|at| below[at]);
        let own = up_to - before;
        before = up_to;
        [f64::from(value as f32), f64::from(own as f32)]
    };
    (0..count).map(bin).collect()
}

compiled!(|layer: Discretization, data: &Tensor<T>| layer.adapt(data, 2));

impl<T: Scalar> Layer<T> for Discretization {
    // Keras's layer does not know `trainable`, which is of no consequence.
    described!(without "trainable": true);

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        if !self.bin_boundaries.is_sorted() {
            return Err(format!("the boundaries {:?} do not grow", self.bin_boundaries).into());
        }
        self.output_mode.shape(input, self.bin_boundaries.len() + 1)
    }

    fn forward<'t>(&self, _: &[Var<'t, T>], x: &Var<'t, T>, _: &mut Context<T>) -> Var<'t, T> {
        let boundaries: Vec<T> = self.bin_boundaries.iter().map(|&x| T::lit(x)).collect();
        let bin = |x: T| T::lit(boundaries.partition_point(|&boundary| boundary <= x) as f64);
        Var::constant(self.output_mode.of(&x.value().map(bin), boundaries.len() + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Mode;
    use crate::tensor::Stream;

    /// What `adapt` of Keras 3.15 found, in single precision, in `37 i mod 101`, squared, for so many numbers and bins.
    #[test]
    fn boundaries_are_those_of_keras() {
        let cases: [(usize, usize, &[f64]); 6] = [
            (7, 3, &[199.99998474121094, 1928.9998779296875][..]),
            (7, 20, &[0.0, 100.0, 400.0, 1369.0, 2209.0, 5476.0][..]),
            (60, 4, &[529.0, 2401.0, 5476.0][..]),
            (150, 3, &[1067.3326416015625, 4400.33251953125][..]),
            (
                1000,
                5,
                &[399.9993591308594, 1599.99853515625, 3599.998779296875, 6399.9990234375][..],
            ),
            (1234, 2, &[2499.998779296875][..]),
        ];
        for (n, bins, expected) in cases {
            let data = Tensor::<f32>::from_fn([n], |at| ((at[0] * 37 % 101) as f32).powi(2));
            let found = Discretization::new([]).adapt(&data, bins).bin_boundaries;
            let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-5 * b.abs();
            assert_eq!(found.len(), expected.len(), "{n} numbers, {bins} bins");
            assert!(found.iter().zip(expected).all(near), "{n}, {bins}: {found:?} {expected:?}");
        }
    }

    #[test]
    #[should_panic(expected = "adapt: there are no numbers in [0]")]
    fn no_numbers() {
        let _ = Discretization::new([]).adapt(&Tensor::<f32>::zeros([0]), 3);
    }

    #[test]
    fn as_defined() {
        let boundaries = [-0.5, 0.0, 0.25, 0.9];
        let x = Tensor::<f64>::uniform([20, 7], -1.5, 1.5, &mut Stream::new(1));
        let bin = |x: f64| boundaries.iter().filter(|&&boundary| x >= boundary).count() as f64;
        let over = |mode| {
            let layer = Discretization::new(boundaries).output_mode(mode);
            let y = layer.forward(&[], &Var::constant(x.clone()), &mut Context::new(Mode::Infer));
            y.into_value()
        };
        assert_eq!(over(OutputMode::Int), x.map(bin));
        assert_eq!(over(OutputMode::Count).sum(1), Tensor::full([20], 7.0));
        let wrong = Discretization::new([1.0, 0.0]);
        let error = Layer::<f32>::output_shape(&wrong, Shape::from([3])).unwrap_err();
        assert_eq!(error, "the boundaries [1.0, 0.0] do not grow");
    }
}
