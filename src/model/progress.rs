//! What `fit` prints.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

/// What `fit` prints: Keras's `verbose`, also made from its numbers 0, 1 and 2.
///
/// ```
/// use cinta::Verbose;
/// assert_eq!(Verbose::from(0), Verbose::Silent);
/// assert_eq!(Verbose::from(1), Verbose::Bar);
/// assert_eq!(Verbose::from(2), Verbose::Line);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Verbose {
    /// Nothing.
    Silent,
    /// On a terminal, a bar that grows (with the feature `progress`); then a line for each epoch.
    #[default]
    Bar,
    /// A line for each epoch.
    Line,
}

impl From<u8> for Verbose {
    fn from(number: u8) -> Self {
        match number {
            0 => Verbose::Silent,
            1 => Verbose::Bar,
            _ => Verbose::Line,
        }
    }
}

/// The output of one `fit`.
pub(super) struct Progress {
    verbose: Verbose,
    epochs: usize,
    steps: usize,
    started: Instant,
    #[cfg(feature = "progress")]
    bar: Option<indicatif::ProgressBar>,
}

impl Progress {
    pub fn new(verbose: Verbose, epochs: usize, steps: usize) -> Self {
        Progress {
            verbose,
            epochs,
            steps,
            started: Instant::now(),
            #[cfg(feature = "progress")]
            bar: None,
        }
    }

    pub fn epoch_begins(&mut self, epoch: usize) {
        self.started = Instant::now();
        if self.verbose == Verbose::Silent {
            return;
        }
        // As Keras, which counts epochs only where there are several.
        if self.epochs > 1 {
            say(&format!("Epoch {}/{}", epoch + 1, self.epochs));
        }
        #[cfg(feature = "progress")]
        if self.verbose == Verbose::Bar {
            let style = indicatif::ProgressStyle::with_template(
                "{pos}/{len} {bar:20.green/white} {eta}{msg}",
            )
            .expect("a valid template")
            .progress_chars("━━━");
            let bar = indicatif::ProgressBar::new(self.steps as u64).with_style(style);
            self.bar = Some(bar);
        }
    }

    /// `values` is called only if something is shown.
    pub fn step_ends(&mut self, step: usize, values: impl FnOnce() -> BTreeMap<String, f64>) {
        #[cfg(feature = "progress")]
        if let Some(bar) = self.bar.as_ref().filter(|bar| !bar.is_hidden()) {
            bar.set_position(step as u64);
            bar.set_message(listed(&values()));
        }
        #[cfg(not(feature = "progress"))]
        let _ = (step, values);
    }

    pub fn epoch_ends(&mut self, values: &BTreeMap<String, f64>) {
        #[cfg(feature = "progress")]
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if self.verbose == Verbose::Silent {
            return;
        }
        let elapsed = self.started.elapsed();
        let (steps, step) = (self.steps, duration(elapsed / self.steps.max(1) as u32));
        let bar = if self.verbose == Verbose::Bar {
            format!(" {} {}s {step}/step", "━".repeat(20), elapsed.as_secs())
        } else {
            format!(" - {}s - {step}/step", elapsed.as_secs())
        };
        say(&format!("{steps}/{steps}{bar}{}", listed(values)));
    }
}

/// Prints a line. A reader who went away must not end the training.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// ` - name: value` for each.
fn listed(values: &BTreeMap<String, f64>) -> String {
    values.iter().map(|(name, &value)| format!(" - {name}: {}", number(value))).collect()
}

/// Four decimals, or an exponent where they would show nothing.
fn number(value: f64) -> String {
    if value.abs() > 1e-3 || value == 0.0 { format!("{value:.4}") } else { format!("{value:.4e}") }
}

fn duration(duration: Duration) -> String {
    match duration.as_micros() {
        us @ 0..1_000 => format!("{us}us"),
        us @ 1_000..1_000_000 => format!("{}ms", us / 1_000),
        us => format!("{}s", us / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_keras_prints_them() {
        assert_eq!(number(0.123_456), "0.1235");
        assert_eq!(number(0.000_123_45), "1.2345e-4");
        assert_eq!(number(0.0), "0.0000");
        assert_eq!(duration(Duration::from_micros(12_345)), "12ms");
        let values = BTreeMap::from([("loss".to_owned(), 2.0), ("accuracy".to_owned(), 0.5)]);
        assert_eq!(listed(&values), " - accuracy: 0.5000 - loss: 2.0000");
    }
}
