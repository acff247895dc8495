//! Numbers as colours, and round numbers for axes.

/// Red, green, blue.
pub(super) type Color = [u8; 3];

pub(super) const BLACK: Color = [0, 0, 0];
pub(super) const WHITE: Color = [255, 255, 255];
pub(super) const RED: Color = [214, 39, 40];
pub(super) const BLUE: Color = [31, 119, 180];
pub(super) const GREEN: Color = [44, 160, 44];
pub(super) const PURPLE: Color = [148, 103, 189];

/// The colours of a scale: those of the smallest value, of the middle and of the largest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Colors {
    /// Red, grey 80 at 0, black: the lecture's filters.
    Signed,
    /// Grey 60, white at 0.5, blue: the lecture's activations.
    Activity,
    /// Black to white.
    Grey,
}

/// A scale for values of a range. Like ggplot2's `scale_fill_gradient2`, colours go as far to both sides of the middle as the
/// farthest value, so that equal distances look equally strong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    colors: Colors,
    pub range: [f64; 2],
}

impl Scale {
    /// The scale of these values, of which those that are not finite do not count.
    pub fn of(colors: Colors, values: impl Iterator<Item = f64>) -> Scale {
        Scale { colors, range: finite_range(values).unwrap_or([0.0, 0.0]) }
    }

    /// Where a value lies, from -1 by 0 in the middle to 1.
    fn place(&self, value: f64) -> f64 {
        let [low, high] = self.range;
        // All values in the middle of everything stay there.
        let from = |middle: f64| {
            let reach = (low - middle).abs().max((high - middle).abs());
            if reach > 0.0 { (value - middle) / reach } else { 0.0 }
        };
        match self.colors {
            _ if value.is_infinite() => value.signum(),
            Colors::Signed => from(0.0),
            Colors::Activity => from(0.5),
            Colors::Grey if low < high => 2.0 * share(value, self.range) - 1.0,
            Colors::Grey => 0.0,
        }
    }

    /// The colour of a value: none for one that is not a number, that of an end for an infinite one.
    pub fn color(&self, value: f64) -> Option<Color> {
        if value.is_nan() {
            return None;
        }
        let [low, middle, high] = match self.colors {
            Colors::Signed => [[255, 0, 0], [204; 3], BLACK],
            Colors::Activity => [[153; 3], WHITE, [0, 0, 255]],
            Colors::Grey => [BLACK, [128; 3], WHITE],
        };
        let at = self.place(value);
        let (end, part) = if at < 0.0 { (low, -at) } else { (high, at) };
        let part = part.min(1.0);
        let mixed = |i: usize| {
            let (middle, end) = (f64::from(middle[i]), f64::from(end[i]));
            (middle + (end - middle) * part).round() as u8
        };
        Some([mixed(0), mixed(1), mixed(2)])
    }
}

/// Where a value lies in a range, from 0 at its low end to 1 at its high end.
pub(super) fn share(value: f64, [low, high]: [f64; 2]) -> f64 {
    let span = high - low;
    if span.is_finite() {
        (value - low) / span
    } else {
        // Numbers whose halves are exact: those of a wide range are large, or do not matter.
        (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)
    }
}

/// The smallest and the largest of the values that are finite, if there is one.
pub(super) fn finite_range(values: impl Iterator<Item = f64>) -> Option<[f64; 2]> {
    values
        .filter(|value| value.is_finite())
        .map(|value| [value, value])
        .reduce(|[low, high], [value, _]| [low.min(value), high.max(value)])
}

/// Round numbers inside of a range, about `count` of them, 1, 2 or 5 times a power of ten apart, as texts of equal precision.
/// Where there is nothing round between its ends, as between neighbours among floating-point numbers, those ends themselves.
pub(super) fn ticks([low, high]: [f64; 2], count: usize) -> Vec<(f64, String)> {
    if low >= high || low.is_nan() || high.is_nan() {
        return vec![(low, short(low))];
    }
    let ends = || [low, high].map(|end| (end, format!("{end:e}"))).to_vec();
    let count = count.max(1) as f64;
    let rough = (high / count - low / count).min(f64::MAX);
    if rough < 1e-300 {
        return ends(); // Powers of ten are not exact down there, and end soon.
    }
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = step.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(10.0 * power);
    if step.is_infinite() {
        let zero = || vec![(0.0, short(0.0))];
        return if (low..=high).contains(&0.0) { zero() } else { ends() };
    }
    let exponent = step.log10().floor();
    let decimals = (-exponent).max(0.0) as usize;
    let largest = high.abs().max(low.abs());
    // Behind the first digit of the largest number, so many tell one tick from the next.
    let digits = (largest.log10().floor() - exponent).max(1.0) as usize;
    if digits > 15 {
        return ends();
    }
    // Beyond these, digits would fill the margin.
    let plain = decimals <= 5 && largest < 1e7;
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    let text = |value: f64| {
        if plain { format!("{value:.decimals$}") } else { format!("{value:.digits$e}") }
    };
    // `+ 0.0`: there is no negative zero on an axis.
    (first..=last).map(|i| i as f64 * step + 0.0).map(|value| (value, text(value))).collect()
}

fn short(value: f64) -> String {
    if value == 0.0 || (1e-3..1e6).contains(&value.abs()) {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.2e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lectures_colours() {
        let scale = Scale::of(Colors::Signed, [-0.25, 0.5, f64::NAN].into_iter());
        assert_eq!(scale.range, [-0.25, 0.5]);
        assert_eq!(scale.color(0.0), Some([204, 204, 204]));
        assert_eq!(scale.color(0.5), Some(BLACK));
        // Half as far: half as red.
        assert_eq!(scale.color(-0.25), Some([230, 102, 102]));
        assert_eq!(scale.color(-0.5), Some([255, 0, 0]));
        assert_eq!(scale.color(-7.0), Some([255, 0, 0]));
        assert_eq!(scale.color(f64::NAN), None);
        let scale = Scale::of(Colors::Activity, [0.0, 1.5].into_iter());
        assert_eq!(scale.color(0.5), Some(WHITE));
        assert_eq!(scale.color(1.5), Some([0, 0, 255]));
        assert_eq!(scale.color(0.0), Some([204, 204, 204]));
        let scale = Scale::of(Colors::Grey, [2.0, 4.0].into_iter());
        assert_eq!((scale.color(2.0), scale.color(4.0)), (Some(BLACK), Some(WHITE)));
    }

    #[test]
    fn equal_values_or_none() {
        for values in [vec![], vec![0.0, 0.0], vec![f64::NAN], vec![f64::INFINITY]] {
            let scale = Scale::of(Colors::Signed, values.into_iter());
            assert_eq!((scale.range, scale.color(0.0)), ([0.0, 0.0], Some([204; 3])));
        }
        assert_eq!(Scale::of(Colors::Grey, [3.0].into_iter()).color(3.0), Some([128; 3]));
    }

    #[test]
    fn ticks_are_round() {
        let texts = |range, count| -> Vec<String> {
            ticks(range, count).into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(texts([0.0, 1.0], 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts([-0.31, 0.42], 4), ["-0.2", "0.0", "0.2", "0.4"]);
        assert_eq!(texts([1.0, 100.0], 5), ["20", "40", "60", "80", "100"]);
        assert_eq!(texts([198.6, 263.3], 5), ["200", "220", "240", "260"]);
        assert_eq!(texts([0.0, 0.0], 5), ["0"]);
        assert_eq!(texts([2.5, 2.5], 5), ["2.5"]);
        assert_eq!(texts([0.0, 3e-8], 3), ["0.0e0", "1.0e-8", "2.0e-8", "3.0e-8"]);
        assert_eq!(texts([f64::NAN, 1.0], 5).len(), 1);
        assert_eq!(
            texts([123_456_780.0, 123_456_790.0], 2),
            ["1.23456780e8", "1.23456785e8", "1.23456790e8"]
        );
    }

    #[test]
    fn ticks_at_the_ends_of_the_numbers() {
        let texts = |range, count| -> Vec<String> {
            ticks(range, count).into_iter().map(|(_, text)| text).collect()
        };
        let wide = [-f64::MAX, f64::MAX];
        assert_eq!(texts(wide, 1), ["0"]);
        assert_eq!(texts(wide, 6), ["-1.0e308", "0.0e0", "1.0e308"]);
        assert_eq!(texts([0.0, 1.7e308], 4), ["0.0e0", "5.0e307", "1.0e308", "1.5e308"]);
        assert_eq!(texts([0.0, 5e-324], 5), ["0e0", "5e-324"]);
        assert_eq!(texts([1e16, 1e16 + 2.0], 5), ["1e16", "1.0000000000000002e16"]);
        assert_eq!(texts([1.0, 1.0 + f64::EPSILON], 5), ["1e0", "1.0000000000000002e0"]);
    }

    #[test]
    fn shares() {
        for (low, high) in [(-1.0, 3.0), (0.0, 5e-324), (-f64::MAX, f64::MAX), (1e308, 1.7e308)] {
            assert_eq!([share(low, [low, high]), share(high, [low, high])], [0.0, 1.0]);
        }
        assert_eq!(share(0.0, [-f64::MAX, f64::MAX]), 0.5);
        assert_eq!(share(2.0, [1.0, 5.0]), 0.25);
    }

    #[test]
    fn colours_at_the_ends_of_the_numbers() {
        let scale = |colors, values: [f64; 2]| Scale::of(colors, values.into_iter());
        for values in [[0.0, 5e-324], [-1.7e308, 1.7e308], [1.0, 1.0 + f64::EPSILON]] {
            let grey = scale(Colors::Grey, values);
            assert_eq!(values.map(|value| grey.color(value)), [Some(BLACK), Some(WHITE)]);
        }
        let signed = scale(Colors::Signed, [-1.7e308, 1.7e308]);
        let colors = [-1.7e308, 0.0, 1.7e308].map(|value| signed.color(value));
        assert_eq!(colors, [Some([255, 0, 0]), Some([204; 3]), Some(BLACK)]);
        assert_eq!(scale(Colors::Signed, [0.0, 5e-324]).color(5e-324), Some(BLACK));
        // Infinite values have the colours of the ends, also where the others are all in the middle.
        let signed = scale(Colors::Signed, [0.0, f64::INFINITY]);
        let infinite = [f64::NEG_INFINITY, f64::INFINITY].map(|value| signed.color(value));
        assert_eq!(infinite, [Some([255, 0, 0]), Some(BLACK)]);
    }
}
