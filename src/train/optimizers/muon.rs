//! Muon.

use super::adam;
use super::rule::{described, rule};
use super::{Optimizer, Step, Whole};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor};
use crate::train::checks::{fraction, not_negative};

rule! {
    /// Muon (Jordan and others, 2024), in Keras's form: the step of a matrix is its momentum with all singular values brought close to 1. `m = momentum m + g`, `x` is `m`, or
    /// `g + momentum m` if it is Nesterov's, divided by its norm. Then `x = a x + (b y + c y y) x` with `y = x x'`, `ns_steps` times, and `w -= lr rms_rate sqrt(max(rows, columns)) x`.
    /// All that is no matrix, and what is excluded, moves as in [`AdamW`](super::all::AdamW).
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let optimizer = Muon::new(0.001).momentum(0.95).ns_steps(5).weight_decay(0.004);
    /// assert_eq!(optimizer, Muon::default());
    /// ```
    pub struct Muon = "Muon";
    learning_rate: 0.001, weight_decay: 0.004;
    options {
        /// `beta_1` of Adam.
        adam_beta_1: f64 = 0.9, 0.5;
        /// `beta_2` of Adam.
        adam_beta_2: f64 = 0.999, 0.5;
        /// What keeps the divisor of Adam from 0.
        epsilon: f64 = 1e-7, 0.5;
        /// Parts of the names of weights, as `dense/kernel`, that move as in Adam. In Keras these are patterns; here they are plain text.
        exclude_layers: Vec<String> = Vec::new(), vec!["dense".to_owned()];
        /// The first factor of the iteration.
        muon_a: f64 = 3.4445, 2.0;
        /// The second factor of the iteration.
        muon_b: f64 = -4.775, -1.5;
        /// The third factor of the iteration.
        muon_c: f64 = 2.0315, 0.5;
        /// The learning rate of Adam, next to the other.
        adam_lr_ratio: f64 = 1.0, 0.5;
        /// How much of the momentum is kept from step to step.
        momentum: f64 = 0.95, 0.5;
        /// How many times the iteration is done.
        ns_steps: u64 = 5, 3;
        /// Whether the momentum is Nesterov's.
        nesterov: bool = true, false;
        /// Whether what is called an embedding moves as in Adam.
        exclude_embeddings: bool = true, false;
        /// By which part of itself, times the learning rate, a weight that moves as in Adam decays in each step.
        adam_weight_decay: Option<f64> = Some(0.004), None;
        /// The root mean square of a step, next to the learning rate. Without it, steps are not scaled by the size of the matrix.
        rms_rate: Option<f64> = Some(0.2), None;
    }
}

impl Muon {
    /// Whether a weight moves as in Adam.
    fn is_adam(&self, of: Whole<'_>) -> bool {
        of.shape.rank() != 2
            || (self.exclude_embeddings && of.path.to_lowercase().contains("embedding"))
            || self.exclude_layers.iter().any(|part| of.path.contains(part))
    }

    /// A matrix whose singular values are close to 1, with the singular vectors of this one.
    fn orthogonal<T: Scalar>(&self, x: Tensor<T>) -> Tensor<T> {
        let tall = x.shape()[0] > x.shape()[1];
        let x = if tall { x.t() } else { x };
        let norm = x.iter().map(|x| x.widen() * x.widen()).sum::<f64>().sqrt();
        let mut x = x * T::lit(1.0 / (norm + 1e-7));
        let [a, b, c] = [self.muon_a, self.muon_b, self.muon_c].map(T::lit);
        for _ in 0..self.ns_steps {
            let y = x.matmul(&x.t());
            let factor = &y * b + (&y * c).matmul(&y);
            x = &x * a + factor.matmul(&x);
        }
        if tall { x.t() } else { x }
    }
}

impl<T: Scalar> Optimizer<T> for Muon {
    described!();

    fn slots(&self) -> &'static [&'static str] {
        &["momentum", "velocity"]
    }

    fn slots_together(&self) -> usize {
        2
    }

    fn slot_shape(&self, slot: &str, of: Whole<'_>) -> Option<Shape> {
        (slot == "momentum" || self.is_adam(of)).then_some(of.shape)
    }

    fn weight_decay(&self, of: Whole<'_>) -> Option<f64> {
        if self.is_adam(of) { self.adam_weight_decay } else { self.pace.decay_rate() }
    }

    /// As in Adam.
    fn update(&self, step: Step, weight: &mut [T], gradient: &[T], slots: &mut [&mut [T]]) {
        let step = Step { learning_rate: step.learning_rate * self.adam_lr_ratio, ..step };
        let options = [self.adam_beta_1, self.adam_beta_2, self.epsilon];
        adam::update(options, step, weight, gradient, slots);
    }

    fn update_whole(
        &self,
        step: Step,
        of: Whole<'_>,
        weight: &mut [T],
        gradient: &[T],
        slots: &mut [&mut [T]],
    ) {
        if self.is_adam(of) {
            return self.update(step, weight, gradient, slots);
        }
        let kept = T::lit(self.momentum);
        let along = slots[0].iter_mut().zip(gradient).map(|(m, &g)| {
            *m = (*m * kept + g).flushed();
            if self.nesterov { g + *m * kept } else { *m }
        });
        let along = Tensor::new(of.shape, along.collect::<Vec<T>>());
        let size = of.shape.iter().copied().max().unwrap_or(0) as f64;
        let scale = self.rms_rate.map_or(1.0, |rate| size.sqrt() * rate);
        let rate = T::lit(step.learning_rate * scale);
        for (w, along) in weight.iter_mut().zip(self.orthogonal(along).iter()) {
            *w = (*w - rate * along).flushed();
        }
    }

    fn check(&self) -> Result<(), Reason> {
        fraction("adam_beta_1", self.adam_beta_1, false)?;
        fraction("adam_beta_2", self.adam_beta_2, false)?;
        fraction("momentum", self.momentum, false)?;
        not_negative("epsilon", self.epsilon)?;
        not_negative("adam_lr_ratio", self.adam_lr_ratio)?;
        not_negative("adam_weight_decay", self.adam_weight_decay.unwrap_or(0.0))?;
        not_negative("rms_rate", self.rms_rate.unwrap_or(0.0))?;
        let plain = |part: &String| {
            !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "_/-: ".contains(c))
        };
        match self.exclude_layers.iter().find(|part| !plain(part)) {
            Some(part) => Err(format!(
                "exclude_layers has the pattern {part:?}, and parts of names are supported alone"
            )
            .into()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_close, late_step};
    use super::*;

    fn of(path: &str) -> Whole<'_> {
        Whole { path, shape: [2, 2].into() }
    }

    #[test]
    fn steps_computed_by_hand() {
        let muon = Muon::new(0.5).momentum(0.5).ns_steps(2);
        // Of what is a number times the identity, the iteration is one of numbers.
        let next = |s: f64| 3.4445 * s - 4.775 * s.powi(3) + 2.0315 * s.powi(5);
        let value = next(next(0.5_f64.sqrt()));
        let rate = 0.5 * 0.2 * 2.0_f64.sqrt();
        let (mut weight, mut momentum) = ([1.0_f64; 4], [0.0; 4]);
        let first = Step { number: 1, learning_rate: 0.5 };
        let gradient = [3.0, 0.0, 0.0, 3.0];
        let slots: &mut [&mut [f64]] = &mut [&mut momentum, &mut []];
        muon.update_whole(first, of("dense/kernel"), &mut weight, &gradient, slots);
        let moved = 1.0 - rate * value;
        for (w, expected) in weight.iter().zip([moved, 1.0, 1.0, moved]) {
            assert!((w - expected).abs() < 1e-6, "{weight:?}"); // the norm has 1e-7 more
        }
        assert_close(momentum.to_vec(), &gradient);
        // A tall matrix is that of its transpose.
        let wide = Tensor::from([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]]);
        let y = muon.orthogonal(wide.clone());
        assert!(muon.orthogonal(wide.t()).all_close(&y.t(), 1e-12, 1e-12));
        // With Newton and Schulz's own factors, the values come to 1.
        let exact = Muon::new(0.5).muon_a(1.5).muon_b(-0.5).muon_c(0.0).ns_steps(30);
        let y = exact.orthogonal(wide);
        assert!(y.matmul(&y.t()).all_close(&Tensor::eye(2), 1e-9, 1e-9));
    }

    #[test]
    fn what_moves_as_in_adam() {
        let muon = Muon::default().exclude_layers(vec!["head".to_owned()]).adam_weight_decay(None);
        let kept = |of| Optimizer::<f32>::slot_shape(&muon, "velocity", of).is_some();
        assert!(!kept(of("dense/kernel")));
        assert!(kept(of("head/kernel")) && kept(of("embedding/embeddings")));
        assert!(kept(Whole { path: "dense/bias", shape: [2].into() }));
        assert_eq!(Optimizer::<f32>::weight_decay(&muon, of("head/kernel")), None);
        assert_eq!(Optimizer::<f32>::weight_decay(&muon, of("dense/kernel")), Some(0.004));
    }

    /// The smallest normal `f32` is 1.2e-38.
    #[test]
    fn denormals_are_flushed() {
        let muon = Muon::new(1.0).epsilon(1.0).adam_beta_1(0.5).adam_beta_2(0.5).momentum(0.5);
        assert_eq!(late_step(&muon, 1.0, 0.0, [2e-38, 1.0]), (1.0, [0.0, 0.5]));
        let (mut weight, mut momentum) = ([1e-39_f32; 4], [2e-38; 4]);
        let step = Step { number: 2, learning_rate: 0.0 };
        let slots: &mut [&mut [f32]] = &mut [&mut momentum, &mut []];
        muon.update_whole(step, of("dense/kernel"), &mut weight, &[0.0; 4], slots);
        assert_eq!((weight, momentum), ([0.0; 4], [0.0; 4]));
    }

    #[test]
    fn senseless_hyperparameters_are_refused() {
        for (muon, message) in [
            (Muon::new(0.1).momentum(1.0), "momentum is 1; it lies between 0 and below 1"),
            (Muon::new(0.1).epsilon(-1.0), "epsilon is -1; it is finite and not negative"),
            (Muon::new(0.1).rms_rate(Some(-1.0)), "rms_rate is -1; it is finite and not negative"),
            (
                Muon::new(0.1).exclude_layers(vec!["a.*".to_owned()]),
                "exclude_layers has the pattern \"a.*\", and parts of names are supported alone",
            ),
        ] {
            assert_eq!(Optimizer::<f32>::check(&muon).unwrap_err(), message);
        }
    }
}
