//! What a figure is drawn with: rectangles, lines, dots and text, at places in points from the top left, and their files.
//!
//! This is the only place that knows the plotting library. Kuva draws lines and text between pixels, brings its font along
//! and takes coordinates that are not whole; its charts are not used, because none of the libraries has a grid of small images
//! whose colours are symmetric about a value: `docs/architecture.md` says what was compared.

use super::scale::Color;
use kuva::backend::svg::SvgBackend;
use kuva::render::color::Color as Paint;
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor};

/// Where a text stands at its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A white page that is drawn on.
pub(super) struct Canvas {
    scene: Scene,
}

/// The size and the colour of labels.
pub(super) const TEXT: f64 = 11.0;
pub(super) const TEXT_COLOR: Color = [64; 3];
/// Pixels of a PNG file for each point.
const PIXELS: f32 = 2.0;
/// A picture of more pixels takes too much memory: 4 bytes for each.
const MOST_PIXELS: f64 = 268_435_456.0;
/// The middle of a figure lies so far above the line that text stands on, in sizes.
const MIDDLE: f64 = 0.36;

impl Canvas {
    pub fn new([width, height]: [f64; 2]) -> Self {
        let mut scene = Scene::new(width.ceil(), height.ceil());
        scene.font_family = Some("DejaVu Sans, Verdana, Arial, sans-serif".to_owned());
        Canvas { scene }
    }

    /// How wide a text is at most, in the font that comes along: letters are taken for as wide as the widest of their kind.
    pub fn text_width(text: &str, size: f64) -> f64 {
        let wide = |letter: char| match letter {
            ' ' | '!' | '\'' | '(' | ')' | ',' | '-' | '.' | '/' | ':' | ';' | '[' | '\\' | ']'
            | '|' => 0.41,
            'I' | 'J' | 'f' | 'i' | 'j' | 'l' | 't' => 0.41,
            '#' | '%' | '+' | '<' | '=' | '>' | '@' | '^' | '~' | 'M' | 'W' | 'm' | 'w' => 1.0,
            '&' | 'A'..='Z' => 0.79,
            ' '..='~' => 0.64,
            _ => 1.1,
        };
        text.chars().map(wide).sum::<f64>() * size
    }

    pub fn rect(&mut self, [x, y]: [f64; 2], [width, height]: [f64; 2], color: Color) {
        self.scene.add(Primitive::Rect {
            x,
            y,
            width,
            height,
            fill: paint(color),
            stroke: None,
            stroke_width: None,
            opacity: None,
        });
    }

    /// A line through points; none through fewer than two.
    pub fn line(&mut self, points: &[[f64; 2]], width: f64, color: Color) {
        self.scene.add(Primitive::PolyLine {
            points: points.iter().map(|&[x, y]| (x, y)).collect(),
            stroke: paint(color),
            stroke_width: width,
            stroke_dasharray: None,
        });
    }

    /// A filled polygon.
    pub fn area(&mut self, corners: &[[f64; 2]], color: Color) {
        let corners: Vec<String> = corners.iter().map(|[x, y]| format!("{x:.2} {y:.2}")).collect();
        self.scene.add(Primitive::Path(Box::new(PathData {
            d: format!("M {} Z", corners.join(" L ")),
            fill: Some(paint(color)),
            stroke: Paint::None,
            stroke_width: 0.0,
            opacity: None,
            stroke_dasharray: None,
        })));
    }

    pub fn dot(&mut self, [cx, cy]: [f64; 2], r: f64, color: Color) {
        self.scene.add(Primitive::Circle {
            cx,
            cy,
            r,
            fill: paint(color),
            fill_opacity: None,
            stroke: None,
            stroke_width: None,
        });
    }

    /// A text whose middle is at the height of the place.
    pub fn text(&mut self, [x, y]: [f64; 2], text: &str, size: f64, anchor: Anchor, color: Color) {
        self.add_text([x, y + MIDDLE * size], text, size, anchor, None, color);
    }

    /// A text that is read from the bottom up, with its middle at the place.
    pub fn upward_text(&mut self, [x, y]: [f64; 2], text: &str, size: f64, color: Color) {
        let turned = Some(-90.0);
        self.add_text([x + MIDDLE * size, y], text, size, Anchor::Middle, turned, color);
    }

    fn add_text(
        &mut self,
        [x, y]: [f64; 2],
        text: &str,
        size: f64,
        anchor: Anchor,
        rotate: Option<f64>,
        color: Color,
    ) {
        let anchor = match anchor {
            Anchor::Start => TextAnchor::Start,
            Anchor::Middle => TextAnchor::Middle,
            Anchor::End => TextAnchor::End,
        };
        self.scene.add(Primitive::Text {
            x,
            y,
            content: text.to_owned(),
            size: size as u32,
            anchor,
            rotate,
            bold: false,
            color: Some(paint(color)),
        });
    }

    pub fn to_svg(&self) -> String {
        let mut svg = SvgBackend::new().render_scene(&self.scene);
        if !svg.ends_with('\n') {
            svg.push('\n');
        }
        svg
    }

    pub fn to_png(&self) -> Result<Vec<u8>, String> {
        let (width, height) = (self.scene.width, self.scene.height);
        if width * height * f64::from(PIXELS * PIXELS) > MOST_PIXELS {
            return Err(format!(
                "{width} x {height} points are too many for a PNG file; use a name that ends in `.svg`"
            ));
        }
        kuva::RasterBackend::new().with_scale(PIXELS).render_scene(&self.scene)
    }
}

fn paint([red, green, blue]: Color) -> Paint {
    Paint::Rgb(red, green, blue)
}
