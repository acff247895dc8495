//! What a compilation asks of each output of a model.

use super::compile::OfOutput;
use super::{Compile, Direction, Loss, Metric};
use crate::error::Reason;
use crate::scalar::Scalar;

/// The losses and metrics of a model, in the order of its outputs.
pub(crate) struct Goals<'c, T: Scalar> {
    /// For each output; at least one has a loss.
    pub losses: Vec<Option<Goal<'c, T>>>,
    pub metrics: Vec<Reported<'c, T>>,
}

/// The loss of an output.
pub(crate) struct Goal<'c, T: Scalar> {
    pub loss: &'c dyn Loss<T>,
    /// Its factor in the sum of all losses.
    pub weight: Option<f64>,
    /// What it is reported as, where there are several outputs.
    pub name: Option<String>,
}

/// A metric of an output.
pub(crate) struct Reported<'c, T: Scalar> {
    pub name: String,
    pub output: usize,
    pub metric: &'c dyn Metric<T>,
    /// Whether the weights of the samples count.
    pub weighted: bool,
}

impl<T: Scalar> Goals<'_, T> {
    /// The names of which it is known whether small or large values are good, and which are.
    pub(crate) fn directions(&self) -> Vec<(String, Direction)> {
        let mut directions = vec![("loss".to_owned(), Direction::Min)];
        for goal in self.losses.iter().flatten() {
            if let Some(name) = &goal.name {
                directions.push((name.clone(), Direction::Min));
            }
        }
        for it in &self.metrics {
            if let Some(direction) = it.metric.direction() {
                directions.push((it.name.clone(), direction));
            }
        }
        directions
    }

    /// All names under which something is reported.
    fn names(&self) -> Vec<&str> {
        let mut names = vec!["loss"];
        for goal in self.losses.iter().flatten() {
            if let Some(name) = &goal.name {
                names.push(name);
            }
        }
        for it in &self.metrics {
            names.push(&it.name);
        }
        names
    }
}

impl<T: Scalar> Compile<T> {
    /// What is asked of outputs with these names.
    ///
    /// # Errors
    /// When a hyperparameter makes no sense, no output has a loss, an output has metrics and no loss, a name is none of an
    /// output, or two values would be reported under one name.
    #[inline(never)]
    pub(crate) fn goals(&self, outputs: &[String]) -> Result<Goals<'_, T>, Reason> {
        self.check_optimizer()?;
        if let Some(own) = self.outputs.iter().find(|own| !outputs.contains(&own.name)) {
            return Err(format!(
                "it says something of an output {:?}, and the outputs of the model are {}",
                own.name,
                outputs.join(", ")
            )
            .into());
        }
        let several = outputs.len() > 1;
        if several && !(self.metrics.is_empty() && self.weighted_metrics.is_empty()) {
            return Err(format!(
                "the model has several outputs; say which a metric is of, with metric_for and one of {}",
                outputs.join(", ")
            ).into());
        }
        let mut goals = Goals { losses: Vec::with_capacity(outputs.len()), metrics: Vec::new() };
        for (at, output) in outputs.iter().enumerate() {
            let own = self.outputs.iter().find(|own| own.name == *output);
            goals.losses.push(self.goal(output, own, several)?);
            let prefix = if several { format!("{output}_") } else { String::new() };
            let plain = self.metrics.iter().chain(own.iter().flat_map(|own| &own.metrics));
            let of_own = own.iter().flat_map(|own| &own.weighted_metrics);
            let weighted_metrics = self.weighted_metrics.iter().chain(of_own);
            let mut taken: Vec<&str> = Vec::new();
            for metric in plain {
                taken.push(metric.name());
                let name = format!("{prefix}{}", metric.name());
                goals.metrics.push(Reported {
                    name,
                    output: at,
                    metric: &**metric,
                    weighted: false,
                });
            }
            for metric in weighted_metrics {
                let weighted = if taken.contains(&metric.name()) { "weighted_" } else { "" };
                let name = format!("{prefix}{weighted}{}", metric.name());
                goals.metrics.push(Reported {
                    name,
                    output: at,
                    metric: &**metric,
                    weighted: true,
                });
            }
        }
        if goals.losses.iter().all(Option::is_none) {
            return Err(format!(
                "no output has a loss; give one to at least one of {} with loss_for",
                outputs.join(", ")
            )
            .into());
        }
        let mut names = goals.names();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                Err(format!("two metrics are called {:?}; names are unique", pair[0]).into())
            }
            None => Ok(goals),
        }
    }

    fn goal<'c>(
        &'c self,
        output: &str,
        own: Option<&'c OfOutput<T>>,
        several: bool,
    ) -> Result<Option<Goal<'c, T>>, Reason> {
        let loss = own.and_then(|own| own.loss.as_ref()).or(self.loss.as_ref());
        let weight = own.and_then(|own| own.weight);
        match (loss, weight) {
            (None, Some(weight)) => {
                Err(format!("the output {output} has the loss weight {weight}, and no loss").into())
            }
            (Some(_), Some(weight)) if !(weight.is_finite() && weight >= 0.0) => Err(format!(
                "the loss weight of the output {output} is {weight}; it is finite and not negative"
            )
            .into()),
            (loss, weight) => Ok(loss.map(|loss| Goal {
                loss: &**loss,
                weight,
                name: several.then(|| format!("{output}_loss")),
            })),
        }
    }
}
