//! Small images in rows or in a grid, with one colour scale for all.

use super::canvas::{Anchor, Canvas, TEXT, TEXT_COLOR};
use super::scale::{Colors, Scale, share, ticks};

/// One image.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub height: usize,
    pub width: usize,
    /// Row by row.
    pub values: Vec<f64>,
}

/// How images are named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Labels {
    None,
    /// Each has its number above it, counted from 1.
    Numbers,
    /// Rows and columns are numbered, and say of what.
    Grid {
        rows: &'static str,
        columns: &'static str,
    },
}

/// Images of one size.
#[derive(Clone, Debug)]
pub(super) struct Facets {
    tiles: Vec<Tile>,
    pub columns: usize,
    pub labels: Labels,
    colors: Colors,
}

/// Room for a number above an image or beside a row, and for what is numbered.
const NUMBER: f64 = 18.0;
/// The colour bar: its distance, width and height at most, room for its numbers at least, and how far they stand from it.
const BAR: [f64; 5] = [18.0, 14.0, 160.0, 44.0, 7.0];

impl Facets {
    pub fn new(tiles: Vec<Tile>, columns: usize, labels: Labels, colors: Colors) -> Self {
        Facets { tiles, columns, labels, colors }
    }

    /// The side of a value's square: whole points, so that squares meet without seams.
    fn pixel(&self) -> f64 {
        let tile = &self.tiles[0];
        let side = tile.height.max(tile.width).max(1) as f64;
        let wanted = match self.labels {
            Labels::None => 240.0,
            // Not taller than a slide.
            Labels::Numbers => (560.0 / self.rows() as f64 - NUMBER).clamp(40.0, 112.0),
            Labels::Grid { .. } => (640.0 / self.columns as f64).clamp(24.0, 64.0),
        };
        (wanted / side).round().max(1.0)
    }

    /// From one image to the next one and to the one below.
    fn pitch(&self) -> [f64; 2] {
        let (tile, pixel) = (&self.tiles[0], self.pixel());
        let [right, down] = match self.labels {
            Labels::None => [0.0, 0.0],
            Labels::Numbers => [10.0, NUMBER + 6.0],
            Labels::Grid { .. } => [5.0, 5.0],
        };
        [tile.width as f64 * pixel + right, tile.height as f64 * pixel + down]
    }

    fn rows(&self) -> usize {
        self.tiles.len().div_ceil(self.columns)
    }

    /// Room to the left of the images and above them.
    fn border(&self) -> [f64; 2] {
        match self.labels {
            Labels::None => [0.0, 0.0],
            Labels::Numbers => [0.0, NUMBER],
            Labels::Grid { .. } => [2.0 * NUMBER, 2.0 * NUMBER],
        }
    }

    /// The images alone: the last of a row or column has none after it.
    fn images(&self) -> [f64; 2] {
        let (tile, pixel, [right, down]) = (&self.tiles[0], self.pixel(), self.pitch());
        let columns = self.columns.min(self.tiles.len());
        [
            (columns - 1) as f64 * right + tile.width as f64 * pixel,
            (self.rows() - 1) as f64 * down + tile.height as f64 * pixel,
        ]
    }

    fn scale(&self) -> Scale {
        let values = self.tiles.iter().flat_map(|tile| tile.values.iter().copied());
        Scale::of(self.colors, values)
    }

    /// How wide the colour bar is with its numbers, beside images of a height.
    fn bar(&self, height: f64) -> f64 {
        if self.labels == Labels::None {
            return 0.0;
        }
        let [gap, width, most, numbers, from_bar] = BAR;
        let texts = bar_ticks(&self.scale(), most.min(height)).into_iter();
        let widths = texts.map(|(_, text)| from_bar + Canvas::text_width(&text, TEXT));
        gap + width + widths.fold(numbers, f64::max)
    }

    pub fn size(&self) -> [f64; 2] {
        let ([left, top], [width, height]) = (self.border(), self.images());
        [left + width + self.bar(height), top + height]
    }

    pub fn draw(&self, canvas: &mut Canvas, [x, y]: [f64; 2]) {
        let scale = self.scale();
        let ([left, top], [right, down], [width, height]) =
            (self.border(), self.pitch(), self.images());
        let (x, y) = (x + left, y + top);
        let [tile_width, tile_height] =
            [self.tiles[0].width as f64 * self.pixel(), self.tiles[0].height as f64 * self.pixel()];
        for (i, tile) in self.tiles.iter().enumerate() {
            let at = [x + (i % self.columns) as f64 * right, y + (i / self.columns) as f64 * down];
            self.draw_tile(canvas, tile, at, &scale);
            if self.labels == Labels::Numbers {
                let place = [at[0] + tile_width / 2.0, at[1] - NUMBER / 2.0];
                canvas.text(place, &(i + 1).to_string(), TEXT, Anchor::Middle, TEXT_COLOR);
            }
        }
        if let Labels::Grid { rows, columns } = self.labels {
            for column in 0..self.columns {
                let place = [x + column as f64 * right + tile_width / 2.0, y - NUMBER / 2.0];
                canvas.text(place, &(column + 1).to_string(), TEXT, Anchor::Middle, TEXT_COLOR);
            }
            for row in 0..self.rows() {
                let place = [x - 6.0, y + row as f64 * down + tile_height / 2.0];
                canvas.text(place, &(row + 1).to_string(), TEXT, Anchor::End, TEXT_COLOR);
            }
            let above = [x + width / 2.0, y - 1.5 * NUMBER];
            canvas.text(above, columns, TEXT, Anchor::Middle, TEXT_COLOR);
            canvas.upward_text([x - 1.5 * NUMBER, y + height / 2.0], rows, TEXT, TEXT_COLOR);
        }
        if self.labels != Labels::None {
            let [gap, _, most, ..] = BAR;
            let tall = most.min(height);
            draw_bar(canvas, [x + width + gap, y + (height - tall) / 2.0], tall, &scale);
        }
    }

    fn draw_tile(&self, canvas: &mut Canvas, tile: &Tile, [x, y]: [f64; 2], scale: &Scale) {
        let pixel = self.pixel();
        for (i, row) in tile.values.chunks_exact(tile.width.max(1)).enumerate() {
            // Neighbours of one colour are one rectangle.
            let mut first = 0;
            for run in row.chunk_by(|a, b| scale.color(*a) == scale.color(*b)) {
                if let Some(color) = scale.color(run[0]) {
                    let place = [x + first as f64 * pixel, y + i as f64 * pixel];
                    canvas.rect(place, [run.len() as f64 * pixel, pixel], color);
                }
                first += run.len();
            }
        }
    }
}

/// The numbers beside a colour bar.
fn bar_ticks(scale: &Scale, tall: f64) -> Vec<(f64, String)> {
    ticks(scale.range, (tall / 36.0).ceil() as usize)
}

/// The colours of a scale with their numbers.
fn draw_bar(canvas: &mut Canvas, [x, y]: [f64; 2], tall: f64, scale: &Scale) {
    let ([low, high], [_, width, .., from_bar]) = (scale.range, BAR);
    let steps = tall.round().max(1.0);
    for step in 0..steps as usize {
        let part = (step as f64 + 0.5) / steps;
        // Not `high - (high - low) * part`: the range may be wider than any number.
        let value = if high > low { high * (1.0 - part) + low * part } else { high };
        if let Some(color) = scale.color(value) {
            canvas.rect([x, y + step as f64 * tall / steps], [width, tall / steps], color);
        }
    }
    for (value, text) in bar_ticks(scale, tall) {
        let part = if high > low { 1.0 - share(value, scale.range) } else { 0.5 };
        let at = y + part * tall;
        canvas.line(&[[x + width, at], [x + width + 4.0, at]], 1.0, TEXT_COLOR);
        canvas.text([x + width + from_bar, at], &text, TEXT, Anchor::Start, TEXT_COLOR);
    }
}
