//! Lines over an axis, in panels that share it.

use super::canvas::{Anchor, Canvas, TEXT, TEXT_COLOR};
use super::scale::{Color, finite_range, share, ticks};

#[derive(Clone, Debug)]
pub(super) struct Line {
    pub name: String,
    /// x and y; a y that is not finite is a gap.
    pub points: Vec<[f64; 2]>,
    pub color: Color,
    pub width: f64,
    /// Whether each point has a dot.
    pub dots: bool,
}

/// Lines with a y axis of their own.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub name: Option<String>,
    pub lines: Vec<Line>,
    pub height: f64,
}

/// Panels below each other, with one x axis.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub panels: Vec<Panel>,
    pub x_name: &'static str,
}

/// About how many numbers an axis has.
const X_TICKS: usize = 6;
const Y_TICKS: usize = 5;
const GRID: Color = [230; 3];
const ZERO: Color = [150; 3];
const STRIP: Color = [217; 3];
const WIDTH: f64 = 620.0;
/// Room for the numbers of the y axes at least, a panel's name, the x axis, and between panels; how far numbers stand from an axis.
const LEFT: f64 = 52.0;
const FROM_AXIS: f64 = 7.0;
const NAME: f64 = 20.0;
const BELOW: f64 = 40.0;
const BETWEEN: f64 = 10.0;
/// A legend's sample of a line, and what stands between it and its name and around both.
const SAMPLE: f64 = 22.0;
const SPACE: f64 = 6.0;

impl Chart {
    /// The names of the legend, if there is a choice.
    fn legend(&self) -> &[Line] {
        let most = self.panels.iter().max_by_key(|panel| panel.lines.len());
        most.map(|panel| &panel.lines[..]).filter(|lines| lines.len() > 1).unwrap_or_default()
    }

    /// Room for the widest number of the y axes.
    fn left(&self) -> f64 {
        let numbers = self.panels.iter().flat_map(|panel| ticks(panel.range(), Y_TICKS));
        let widths = numbers.map(|(_, text)| Canvas::text_width(&text, TEXT) + FROM_AXIS);
        widths.fold(LEFT, f64::max)
    }

    pub fn size(&self) -> [f64; 2] {
        let names = self.legend().iter().map(|line| Canvas::text_width(&line.name, TEXT));
        let legend = names.fold(0.0, |widest: f64, name| widest.max(name + SAMPLE + 4.0 * SPACE));
        let panels = self.panels.iter().map(|panel| panel.room() + BETWEEN).sum::<f64>();
        [self.left() + WIDTH + legend, panels - BETWEEN + BELOW]
    }

    pub fn draw(&self, canvas: &mut Canvas, [x, y]: [f64; 2]) {
        let lines = || self.panels.iter().flat_map(|panel| &panel.lines);
        let range_x = range(lines().flat_map(|line| line.points.iter().map(|point| point[0])));
        let (left, mut top) = (x + self.left(), y);
        for panel in &self.panels {
            panel.draw(canvas, [left, top], range_x);
            top += panel.room() + BETWEEN;
        }
        let bottom = top - BETWEEN;
        for (value, text) in ticks(range_x, X_TICKS) {
            let at = left + share(value, range_x) * WIDTH;
            canvas.line(&[[at, bottom], [at, bottom + 4.0]], 1.0, TEXT_COLOR);
            canvas.text([at, bottom + 13.0], &text, TEXT, Anchor::Middle, TEXT_COLOR);
        }
        canvas.text(
            [left + WIDTH / 2.0, bottom + 31.0],
            self.x_name,
            TEXT,
            Anchor::Middle,
            TEXT_COLOR,
        );
        let legend = self.legend();
        let mut at = (y + bottom) / 2.0 - (legend.len() as f64 - 1.0) * 9.0;
        for line in legend {
            let from = left + WIDTH + 2.0 * SPACE;
            canvas.line(&[[from, at], [from + SAMPLE, at]], line.width, line.color);
            let name = [from + SAMPLE + SPACE, at];
            canvas.text(name, &line.name, TEXT, Anchor::Start, TEXT_COLOR);
            at += 18.0;
        }
    }
}

impl Panel {
    /// Its height with its name.
    fn room(&self) -> f64 {
        self.height + if self.name.is_some() { NAME } else { 0.0 }
    }

    /// The range of its y axis.
    fn range(&self) -> [f64; 2] {
        range(self.lines.iter().flat_map(|line| line.points.iter().map(|point| point[1])))
    }

    fn draw(&self, canvas: &mut Canvas, [left, mut top]: [f64; 2], range_x: [f64; 2]) {
        if let Some(name) = &self.name {
            canvas.rect([left, top], [WIDTH, NAME], STRIP);
            let middle = [left + WIDTH / 2.0, top + NAME / 2.0];
            canvas.text(middle, name, TEXT, Anchor::Middle, TEXT_COLOR);
            top += NAME;
        }
        let range_y = self.range();
        let bottom = top + self.height;
        for (value, text) in ticks(range_y, Y_TICKS) {
            let at = bottom - share(value, range_y) * self.height;
            // Where values have both signs, it matters where 0 is.
            let color = if value == 0.0 && range_y[0] < 0.0 { ZERO } else { GRID };
            canvas.line(&[[left, at], [left + WIDTH, at]], 1.0, color);
            canvas.text([left - FROM_AXIS, at], &text, TEXT, Anchor::End, TEXT_COLOR);
        }
        for (value, _) in ticks(range_x, X_TICKS) {
            let at = left + share(value, range_x) * WIDTH;
            canvas.line(&[[at, top], [at, bottom]], 1.0, GRID);
        }
        let corners =
            [[left, top], [left + WIDTH, top], [left + WIDTH, bottom], [left, bottom], [left, top]];
        canvas.line(&corners, 1.0, STRIP);
        for line in &self.lines {
            let at = |[x, y]: [f64; 2]| {
                [left + share(x, range_x) * WIDTH, bottom - share(y, range_y) * self.height]
            };
            for run in line.points.chunk_by(|a, b| a[1].is_finite() && b[1].is_finite()) {
                let points: Vec<[f64; 2]> = run
                    .iter()
                    .filter(|point| point[1].is_finite())
                    .map(|&point| at(point))
                    .collect();
                canvas.line(&points, line.width, line.color);
                // A point without neighbours would not be seen.
                if line.dots || points.len() == 1 {
                    points.iter().for_each(|&point| canvas.dot(point, 2.2, line.color));
                }
            }
        }
    }
}

/// The range of values with a little room on both sides; those that are not finite do not count.
fn range(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let Some([low, high]) = finite_range(values) else { return [0.0, 1.0] };
    let room = if high > low { high * 0.04 - low * 0.04 } else { (low.abs() * 0.1).max(0.5) };
    [(low - room).max(f64::MIN), (high + room).min(f64::MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(range([].into_iter()), [0.0, 1.0]);
        assert_eq!(range([f64::NAN].into_iter()), [0.0, 1.0]);
        assert_eq!(range([1.0, 2.0, f64::NAN].into_iter()), [0.96, 2.04]);
        assert_eq!(range([3.0].into_iter()), [2.5, 3.5]);
        assert_eq!(range([0.0, f64::INFINITY].into_iter()), [-0.5, 0.5]);
        assert_eq!(range([-1.75e308, 1.75e308].into_iter()), [f64::MIN, f64::MAX]);
        assert_eq!(range([1.7e308].into_iter())[1], f64::MAX);
        assert_eq!(range([0.0, 5e-324].into_iter()), [0.0, 5e-324]);
    }
}
