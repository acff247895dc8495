//! A graph of boxes with texts and arrows.

use super::canvas::{Anchor, Canvas};
use super::layout::{Layout, layout};
use super::scale::{BLACK, Color, WHITE};

/// What a box says: a title, and below it fields beside each other, each of one line or more.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub title: String,
    pub fields: Vec<Vec<String>>,
}

/// Boxes that stand where they are drawn.
#[derive(Clone, Debug)]
pub(super) struct Diagram {
    cards: Vec<Card>,
    layout: Layout,
}

const TITLE_SIZE: f64 = 13.0;
const TITLE_HEIGHT: f64 = 24.0;
const FIELD_SIZE: f64 = 11.0;
/// From a line of a field to the next one.
const LINE: f64 = 15.0;
/// Around texts, to the left and right and above and below.
const SPACE: [f64; 2] = [10.0, 5.0];
/// Of a box.
const BORDER: f64 = 1.0;
const ARROW: Color = [90; 3];
const ARROW_WIDTH: f64 = 1.5;
/// Of an arrow's head.
const HEAD: [f64; 2] = [8.0, 9.0];

impl Card {
    fn field_widths(&self) -> impl Iterator<Item = f64> {
        self.fields.iter().map(|lines| {
            let widths = lines.iter().map(|line| Canvas::text_width(line, FIELD_SIZE));
            widths.fold(0.0, f64::max) + 2.0 * SPACE[0]
        })
    }

    fn size(&self) -> [f64; 2] {
        let title = Canvas::text_width(&self.title, TITLE_SIZE) + 2.0 * SPACE[0];
        let fields = self.field_widths().sum::<f64>() + self.fields.len() as f64 * BORDER + BORDER;
        let lines = self.fields.iter().map(Vec::len).max().unwrap_or(0);
        let height = TITLE_HEIGHT + lines as f64 * LINE + 2.0 * SPACE[1] + BORDER;
        [title.max(fields).ceil(), height]
    }

    fn draw(&self, canvas: &mut Canvas, [x, y]: [f64; 2]) {
        let [width, height] = self.size();
        canvas.rect([x, y], [width, height], BLACK);
        let title = [x + width / 2.0, y + TITLE_HEIGHT / 2.0];
        canvas.text(title, &self.title, TITLE_SIZE, Anchor::Middle, WHITE);
        // What the title needs more than the fields is shared out among them.
        let borders = BORDER + self.fields.len() as f64 * BORDER;
        let more = width - borders - self.field_widths().sum::<f64>();
        let more = more / self.fields.len() as f64;
        let (mut x, y) = (x + BORDER, y + TITLE_HEIGHT);
        let tall = height - TITLE_HEIGHT - BORDER;
        for (lines, wide) in self.fields.iter().zip(self.field_widths()) {
            canvas.rect([x, y], [wide + more, tall], WHITE);
            let first = y + (tall - lines.len() as f64 * LINE + LINE) / 2.0;
            for (i, line) in lines.iter().enumerate() {
                let place = [x + (wide + more) / 2.0, first + i as f64 * LINE];
                canvas.text(place, line, FIELD_SIZE, Anchor::Middle, BLACK);
            }
            x += wide + more + BORDER;
        }
    }
}

impl Diagram {
    /// An arrow goes from a card to a later one.
    pub fn new(cards: Vec<Card>, arrows: &[[usize; 2]]) -> Self {
        let sizes: Vec<[f64; 2]> = cards.iter().map(Card::size).collect();
        Diagram { layout: layout(&sizes, arrows), cards }
    }

    pub fn size(&self) -> [f64; 2] {
        self.layout.size
    }

    pub fn draw(&self, canvas: &mut Canvas, [left, top]: [f64; 2]) {
        for line in &self.layout.lines {
            let mut points: Vec<[f64; 2]> =
                line.points.iter().map(|[x, y]| [left + x, top + y]).collect();
            let last = points.len() - 1;
            let [x, y] = points[last];
            let [half, tall] = [HEAD[0] / 2.0, HEAD[1]];
            // Under the head, not through its tip.
            points[last][1] -= tall - 1.0;
            canvas.line(&points, ARROW_WIDTH, ARROW);
            canvas.area(&[[x, y], [x - half, y - tall], [x + half, y - tall]], ARROW);
        }
        for (card, [x, y]) in self.cards.iter().zip(&self.layout.places) {
            card.draw(canvas, [left + x, top + y]);
        }
    }
}
