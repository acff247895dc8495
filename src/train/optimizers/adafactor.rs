//! Adafactor.

use super::rule::{described, rule};
use super::{Optimizer, Step, Whole, quotient};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::Shape;
use crate::train::checks::{above_0, not_negative};

rule! {
    /// Adafactor (Shazeer and Stern, 2018), in Keras's form: of a matrix, it keeps only what the mean squared gradients of rows and of columns are. In step `t`, with
    /// `b = 1 - t^beta_2_decay` and `s = g^2 + epsilon_1`: `r = b r + (1 - b) mean(s)` over the last axis, `c = b c + (1 - b) mean(s)` over the one before,
    /// `v = r c / mean(r)`; of vectors and numbers, `v = b v + (1 - b) s`. Then `w -= a u / max(1, rms(u) / clip_threshold)` with `u = g / sqrt(v)` and
    /// `a = max(epsilon_2, rms(w)) min(lr, 1 / sqrt(t))`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let optimizer = Adafactor::new(0.001).beta_2_decay(-0.8).clip_threshold(1.0);
    /// assert_eq!(optimizer, Adafactor::default());
    /// ```
    pub struct Adafactor = "Adafactor";
    learning_rate: 0.001;
    options {
        /// The power of the number of a step that says how much of it is new.
        beta_2_decay: f64 = -0.8, -0.5;
        /// What is added to squared gradients.
        epsilon_1: f64 = 1e-30, 1e-6;
        /// The least size of a weight, as far as the length of steps goes.
        epsilon_2: f64 = 1e-3, 0.5;
        /// How long a step may be, next to the mean squared gradients.
        clip_threshold: f64 = 1.0, 0.5;
        /// Whether a step is no longer than `1 / sqrt(t)`. It is so in any case, as Keras has that limit twice.
        relative_step: bool = true, false;
    }
}

/// The root of the mean square.
fn rms<T: Scalar>(values: &[T]) -> f64 {
    let sum: f64 = values.iter().map(|x| x.widen() * x.widen()).sum();
    (sum / values.len() as f64).sqrt()
}

/// A number times `kept`, and the rest of a new one.
fn mix<T: Scalar>(old: T, new: f64, kept: f64) -> T {
    T::lit(kept * old.widen() + (1.0 - kept) * new).flushed()
}

impl Adafactor {
    /// The mean squared gradients of matrices of these rows and columns, from those of rows and columns.
    fn factor<T: Scalar>(
        &self,
        [rows, columns]: [usize; 2],
        kept: f64,
        gradient: &[T],
        slots: &mut [&mut [T]],
    ) {
        let [r, c, v] = slots else { panic!("Adafactor keeps three slots") };
        let squared = |g: T| g.widen() * g.widen() + self.epsilon_1;
        let matrices = r.chunks_exact_mut(rows).zip(c.chunks_exact_mut(columns));
        let both = gradient.chunks_exact(rows * columns).zip(v.chunks_exact_mut(rows * columns));
        for ((r, c), (g, v)) in matrices.zip(both) {
            let mut of_columns = vec![0.0; columns];
            for (r, g) in r.iter_mut().zip(g.chunks_exact(columns)) {
                let mut of_row = 0.0;
                for (of_column, &g) in of_columns.iter_mut().zip(g) {
                    of_row += squared(g);
                    *of_column += squared(g);
                }
                *r = mix(*r, of_row / columns as f64, kept);
            }
            for (c, sum) in c.iter_mut().zip(of_columns) {
                *c = mix(*c, sum / rows as f64, kept);
            }
            let mean = r.iter().map(|r| r.widen()).sum::<f64>() / rows as f64;
            for (r, v) in r.iter().zip(v.chunks_exact_mut(columns)) {
                // Without any gradient so far, and an `epsilon_1` of 0, there is nothing to share out.
                let part = if mean > 0.0 { r.widen() / mean } else { 0.0 };
                v.iter_mut()
                    .zip(c.iter())
                    .for_each(|(v, c)| *v = T::lit(part * c.widen()).flushed());
            }
        }
    }
}

impl<T: Scalar> Optimizer<T> for Adafactor {
    described!();

    fn slots(&self) -> &'static [&'static str] {
        &["r", "c", "velocity"]
    }

    fn slots_together(&self) -> usize {
        3
    }

    fn slot_shape(&self, slot: &str, of: Whole<'_>) -> Option<Shape> {
        match (slot, &of.shape[..]) {
            ("velocity", _) => Some(of.shape),
            ("r", [others @ .., rows, _]) => Some(Shape::new(&[others, &[*rows]].concat())),
            ("c", [others @ .., _, columns]) => Some(Shape::new(&[others, &[*columns]].concat())),
            // Keras has a number there that it does not use.
            _ => Some([].into()),
        }
    }

    /// As for a vector.
    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let of = Whole { path: "", shape: [weight.len()].into() };
        self.update_whole(step, of, weight, gradient, slots);
    }

    fn update_whole(
        &self,
        step: Step,
        of: Whole<'_>,
        weight: &mut [T],
        gradient: &[T],
        slots: &mut [&mut [T]],
    ) {
        let t = step.number as f64;
        let kept = 1.0 - t.powf(self.beta_2_decay);
        match *of.shape {
            [.., rows, columns] => self.factor([rows, columns], kept, gradient, slots),
            _ => {
                for (v, g) in slots[2].iter_mut().zip(gradient) {
                    *v = mix(*v, g.widen() * g.widen() + self.epsilon_1, kept);
                }
            }
        }
        let velocity = &*slots[2];
        let direction = |g: T, v: T| quotient(g, v.sqrt());
        let along: Vec<T> = gradient.iter().zip(velocity).map(|(&g, &v)| direction(g, v)).collect();
        let length = rms(weight).max(self.epsilon_2) * step.learning_rate.min(1.0 / t.sqrt());
        let rate = T::lit(length / (rms(&along) / self.clip_threshold).max(1.0));
        for (w, along) in weight.iter_mut().zip(along) {
            *w = (*w - rate * along).flushed();
        }
    }

    fn check(&self) -> Result<(), Reason> {
        if !(self.beta_2_decay.is_finite() && self.beta_2_decay <= 0.0) {
            return Err(format!(
                "beta_2_decay is {}; it is finite and not above 0",
                self.beta_2_decay
            )
            .into());
        }
        not_negative("epsilon_1", self.epsilon_1)?;
        not_negative("epsilon_2", self.epsilon_2)?;
        above_0("clip_threshold", self.clip_threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_close, late_step};
    use super::*;

    #[test]
    fn steps_computed_by_hand() {
        let adafactor = Adafactor::new(0.5);
        // The first step forgets all: u = 1 wherever the gradient is, and the weight is 1 or 3 of a root mean square of sqrt(5).
        let (mut weight, mut velocity) = ([1.0_f64, 3.0], [0.0, 0.0]);
        let first = Step { number: 1, learning_rate: 0.5 };
        adafactor.update(first, &mut weight, &[2.0, -7.0], &mut [&mut [], &mut [], &mut velocity]);
        let step = 0.5 * 5.0_f64.sqrt();
        assert_close(weight.to_vec(), &[1.0 - step, 3.0 + step]);
        assert_close(velocity.to_vec(), &[4.0, 49.0]);
        // Of a matrix, squares of 4, 16 and 0, 0 have the rows 10 and 0, the columns 2 and 8, and the mean 5 of rows.
        let (mut weight, mut r, mut c, mut v) = ([1.0_f64; 4], [0.0; 2], [0.0; 2], [0.0; 4]);
        let of = Whole { path: "dense/kernel", shape: [2, 2].into() };
        let mut slots: [&mut [f64]; 3] = [&mut r, &mut c, &mut v];
        adafactor.update_whole(first, of, &mut weight, &[2.0, 4.0, 0.0, 0.0], &mut slots);
        assert_close(r.to_vec(), &[10.0, 0.0]);
        assert_close(c.to_vec(), &[2.0, 8.0]);
        assert_close(v.to_vec(), &[4.0, 16.0, 0.0, 0.0]);
        assert_close(weight.to_vec(), &[0.5, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn long_steps_are_clipped() {
        let adafactor = Adafactor::new(1.0).clip_threshold(0.5);
        let (mut weight, mut v) = ([2.0_f64], [0.0]);
        let second = Step { number: 2, learning_rate: 1.0 };
        adafactor.update(second, &mut weight, &[1.0], &mut [&mut [], &mut [], &mut v]);
        // b = 1 - 2^-0.8, and u is cut to 0.5.
        assert_close(weight.to_vec(), &[2.0 - 2.0 / 2.0_f64.sqrt() * 0.5]);
        assert_close(v.to_vec(), &[2.0_f64.powf(-0.8)]);
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let adafactor = Adafactor::new(1.0).epsilon_1(0.0);
        // A millionth step takes over 1.6e-5 of what is new.
        assert_eq!(late_step(&adafactor, 1.0, 0.0, [0.0, 0.0, 1.1755e-38]).1[2], 0.0);
        assert_eq!(late_step(&adafactor.clone().epsilon_2(0.0), 1.176e-38, 1.0, [0.0; 3]).0, 0.0);
        let of = Whole { path: "kernel", shape: [1, 1].into() };
        let (mut r, mut c, mut v) = ([1.1755e-38_f32], [1.1755e-38], [1.0]);
        let step = Step { number: 1_000_000, learning_rate: 1.0 };
        let mut slots: [&mut [f32]; 3] = [&mut r, &mut c, &mut v];
        let mut weight = [1.0];
        adafactor.update_whole(step, of, &mut weight, &[0.0], &mut slots);
        assert_eq!((r, c, v, weight), ([0.0], [0.0], [0.0], [1.0]));
        // The mean squares of the first row and column are 2e-38, and those of all values 9.5e-38.
        let of = Whole { path: "kernel", shape: [2, 2].into() };
        let (mut r, mut c, mut v) = ([0.0_f32; 2], [0.0; 2], [1.0; 4]);
        let gradient = [2e-38_f64, 2e-38, 2e-38, 32e-38].map(|square| square.sqrt() as f32);
        let mut slots: [&mut [f32]; 3] = [&mut r, &mut c, &mut v];
        let step = Step { number: 1, learning_rate: 1.0 };
        adafactor.update_whole(step, of, &mut [1.0; 4], &gradient, &mut slots);
        assert!(r[0] > 0.0 && c[0] > 0.0 && v[1] > 0.0 && v[3] > 0.0);
        assert_eq!(v[0], 0.0);
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        for (adafactor, message) in [
            (
                Adafactor::new(0.1).beta_2_decay(1.0),
                "beta_2_decay is 1; it is finite and not above 0",
            ),
            (Adafactor::new(0.1).epsilon_1(-1.0), "epsilon_1 is -1; it is finite and not negative"),
            (Adafactor::new(0.1).epsilon_2(-1.0), "epsilon_2 is -1; it is finite and not negative"),
        ] {
            assert_eq!(Optimizer::<f32>::check(&adafactor).unwrap_err(), message);
        }
        assert!(Optimizer::<f32>::check(&Adafactor::new(0.1).clip_threshold(0.0)).is_err());
    }
}
