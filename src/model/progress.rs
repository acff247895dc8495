//! What `fit` prints: Keras's lines, and on a terminal its bar.

use super::number::{fixed, scientific};
use super::scores::Scores;
use std::io::{IsTerminal, Write};
use std::time::Instant;

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
    /// On a terminal, a bar that grows; elsewhere a line for each epoch, with a full bar and without colours.
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
    /// That of the epoch at hand, with its beginning.
    bar: Option<(Instant, Bar)>,
}

impl Progress {
    pub fn new(verbose: Verbose, epochs: usize, steps: usize) -> Self {
        Progress { verbose, epochs, steps, bar: None }
    }

    pub fn epoch_begins(&mut self, epoch: usize) {
        let style = match self.verbose {
            Verbose::Silent => return,
            Verbose::Bar if std::io::stdout().is_terminal() => Style::Terminal,
            Verbose::Bar => Style::Plain,
            Verbose::Line => Style::Line,
        };
        self.bar = Some((Instant::now(), Bar::new(style, self.steps)));
        // As Keras, which counts epochs only where there are several.
        if self.epochs > 1 {
            say(&format!("Epoch {}/{}", epoch + 1, self.epochs));
        }
    }

    /// Whether steps are shown, and not only epochs.
    pub fn draws(&self) -> bool {
        self.bar.as_ref().is_some_and(|(_, bar)| bar.style == Style::Terminal)
    }

    pub fn step_ends(&mut self, step: usize, values: &Scores) {
        if let Some((started, bar)) = &mut self.bar {
            print(&bar.update(step, started.elapsed().as_secs_f64(), values));
        }
    }

    pub fn epoch_ends(&mut self, values: &Scores) {
        if let Some((started, mut bar)) = self.bar.take() {
            print(&bar.finish(started.elapsed().as_secs_f64(), values));
        }
    }
}

/// A `fit` that an error ends leaves no line behind that something else is then written into.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.bar.as_ref().is_some_and(|(_, bar)| bar.width > 0) {
            say("");
        }
    }
}

/// Prints a line.
pub(crate) fn say(line: &str) {
    print(&format!("{line}\n"));
}

/// A reader who went away must not end the training.
fn print(text: &str) {
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    Terminal,
    Plain,
    Line,
}

/// The texts of one epoch. Times are in seconds since its beginning.
struct Bar {
    style: Style,
    steps: usize,
    /// When the first step ended.
    first_step: Option<f64>,
    /// When the line was last drawn.
    drawn: Option<f64>,
    /// How much of the terminal's line is covered, 0 if nothing was drawn.
    width: usize,
    /// The latest value with each name, in the order in which the names appeared.
    values: Scores,
}

impl Bar {
    /// Characters of the bar.
    const WIDTH: usize = 20;
    /// Seconds between two drawings.
    const INTERVAL: f64 = 0.05;

    fn new(style: Style, steps: usize) -> Self {
        let (first_step, drawn) = (None, None);
        Bar { style, steps, first_step, drawn, width: 0, values: Scores::default() }
    }

    /// What is printed after a step; nothing if the last time is not long ago.
    fn update(&mut self, step: usize, now: f64, values: &Scores) -> String {
        if self.style == Style::Line {
            return String::new();
        }
        let step_time = self.step_time(step, now);
        self.keep(values);
        let recent = self.drawn.is_some_and(|drawn| now - drawn < Self::INTERVAL);
        if self.style == Style::Plain || recent {
            return String::new();
        }
        self.drawn = Some(now);
        let left = step_time * (self.steps - step) as f64;
        self.redraw(step, &remaining(left), &duration(step_time))
    }

    /// What is printed when the epoch is over.
    fn finish(&mut self, now: f64, values: &Scores) -> String {
        let (elapsed, step_time) = (fixed(now, 0) + "s", self.step_time(self.steps, now));
        self.keep(values);
        match self.style {
            Style::Terminal => self.redraw(self.steps, &elapsed, &duration(step_time)) + "\n",
            Style::Plain => {
                self.line(self.steps, &elapsed, &duration(step_time), |_, s| s.to_owned()) + "\n"
            }
            Style::Line => {
                let large = |value: f64| value > 1e-3;
                let (steps, values) = (self.steps, listed(&self.values, large));
                format!("{steps}/{steps} - {elapsed} - {}{values}\n", duration(step_time))
            }
        }
    }

    fn keep(&mut self, values: &Scores) {
        values.iter().for_each(|(name, value)| self.values.insert(name, value));
    }

    /// Seconds for a step. The first one says little about the others, and counts only while it is alone.
    fn step_time(&mut self, step: usize, now: f64) -> f64 {
        if step == 1 {
            self.first_step = Some(now);
        }
        match self.first_step {
            Some(first) if step > 1 => (now - first) / (step - 1) as f64,
            _ => now / step as f64,
        }
    }

    /// Back to the beginning of the terminal's line, and over all that is there.
    fn redraw(&mut self, step: usize, time: &str, step_time: &str) -> String {
        let width = self.line(step, time, step_time, |_, text| text.to_owned()).chars().count();
        let line =
            self.line(step, time, step_time, |code, text| format!("\x1b[{code}m{text}\x1b[0m"));
        let text = format!(
            "{}\r{line}{}",
            "\x08".repeat(self.width),
            " ".repeat(self.width.saturating_sub(width))
        );
        self.width = width;
        text
    }

    /// `styled` makes a text bold (1), green (32) or white (37).
    fn line(
        &self,
        step: usize,
        time: &str,
        step_time: &str,
        styled: impl Fn(u8, &str) -> String,
    ) -> String {
        let steps = self.steps;
        let count = format!("{step:>0$}/{steps}", steps.to_string().len());
        let done = Self::WIDTH * step / steps;
        let green = if done > 0 { styled(32, &"━".repeat(done)) } else { String::new() };
        let white = styled(37, &"━".repeat(Self::WIDTH - done));
        let values = listed(&self.values, |value| value.abs() > 1e-3);
        format!("{} {green}{white} {} {step_time}{values}", styled(1, &count), styled(1, time))
    }
}

/// ` - name: value` for each: four decimals if it is large, or an exponent.
fn listed(values: &Scores, large: impl Fn(f64) -> bool) -> String {
    let number = |value| if large(value) { fixed(value, 4) } else { scientific(value, 4) };
    values.iter().map(|(name, value)| format!(" - {name}: {}", number(value))).collect()
}

/// The time that is left.
fn remaining(seconds: f64) -> String {
    let whole = seconds as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if seconds > 3600.0 {
        format!("{hours}:{minutes:02}:{rest:02}")
    } else if seconds > 60.0 {
        format!("{}:{rest:02}", whole / 60)
    } else {
        format!("{whole}s")
    }
}

/// The time of a step.
fn duration(seconds: f64) -> String {
    if seconds >= 1.0 || seconds == 0.0 {
        fixed(seconds, 0) + "s/step"
    } else if seconds >= 1e-3 {
        fixed(seconds * 1e3, 0) + "ms/step"
    } else {
        fixed(seconds * 1e6, 0) + "us/step"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;
    use std::path::Path;

    /// The numbers of `golden/progress.json`, in which those that are none are texts.
    fn number(value: &Value) -> f64 {
        value.as_f64().unwrap_or_else(|| value.as_str().expect("a number").parse().expect("one"))
    }

    fn without_escapes(text: &str) -> String {
        let (first, rest) =
            text.trim_start_matches(['\x08', '\r']).split_once("\x1b[").expect("one");
        let plain = rest.split("\x1b[").map(|part| part.split_once('m').expect("a style").1);
        first.to_owned() + plain.collect::<String>().trim_end_matches([' ', '\n']) + "\n"
    }

    #[test]
    fn texts_are_keras_s() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/progress.json");
        let text = std::fs::read_to_string(path).expect("the golden file");
        let golden: Value = crate::config::parse(&text).expect("JSON");
        let cases = golden["cases"].as_array().expect("cases");
        assert!(!cases.is_empty());
        for case in cases {
            let steps = number(&case["steps"]) as usize;
            let terminal = case["verbose"] == 1;
            let style = if terminal { Style::Terminal } else { Style::Line };
            let (mut bar, mut plain) = (Bar::new(style, steps), Bar::new(Style::Plain, steps));
            let updates = case["updates"].as_array().expect("updates");
            let texts = case["texts"].as_array().expect("texts");
            for (i, (update, text)) in updates.iter().zip(texts).enumerate() {
                let (step, now) = (number(&update[0]) as usize, number(&update[1]));
                let values = update[2].as_object().expect("names with values").iter();
                let values: Scores = values.map(|(name, x)| (name.clone(), number(x))).collect();
                let (ours, line) = if i + 1 < updates.len() {
                    (bar.update(step, now, &values), plain.update(step, now, &values))
                } else {
                    (bar.finish(now, &values), plain.finish(now, &values))
                };
                let text = text.as_str().expect("a text");
                assert_eq!(ours, text, "{}, {i}", case["name"]);
                if terminal && i + 1 == updates.len() {
                    assert_eq!(line, without_escapes(text), "{}", case["name"]);
                } else {
                    assert!(!terminal || line.is_empty());
                }
            }
        }
    }
}
