//! A figure: what is drawn, its title, and its files.

use super::canvas::{Anchor, Canvas};
use super::chart::Chart;
use super::diagram::Diagram;
use super::facets::{Facets, Labels};
use super::scale::BLACK;
use crate::error::{Error, Result};
use crate::file;
use std::path::Path;

/// A picture that is still to be drawn. The functions of [`plot`](super) make them.
///
/// ```
/// use cinta::plot::{self, Figure};
/// let figure: Figure = plot::picture(&cinta::Tensor::from([[0.0, 1.0]]));
/// assert!(figure.title("Two pixels").to_svg().contains("Two pixels"));
/// ```
#[derive(Clone, Debug)]
pub struct Figure {
    title: Option<String>,
    body: Body,
}

/// What a figure shows.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Facets(Facets),
    Chart(Chart),
    Diagram(Diagram),
    Beside(Vec<Figure>),
}

/// Around everything.
const MARGIN: f64 = 12.0;
/// Between figures that stand beside each other.
const GAP: f64 = 24.0;
const TITLE_SIZE: f64 = 15.0;
const TITLE_HEIGHT: f64 = 26.0;

impl Figure {
    pub(super) fn new(body: Body) -> Self {
        Figure { title: None, body }
    }

    /// A title above it.
    ///
    /// ```
    /// use cinta::{Tensor, plot};
    /// let figure = plot::picture(&Tensor::from([[0.0, 1.0]])).title("Two pixels");
    /// assert!(figure.to_svg().contains("Two pixels"));
    /// ```
    pub fn title(self, title: impl Into<String>) -> Self {
        Figure { title: Some(title.into()), ..self }
    }

    /// This figure, and another one to its right.
    ///
    /// ```
    /// use cinta::{Tensor, plot};
    /// let [a, b] = [Tensor::from([[0.0, 1.0]]), Tensor::from([[1.0, 0.0]])];
    /// let both = plot::picture(&a).title("before").beside(plot::picture(&b).title("after"));
    /// let svg = both.to_svg();
    /// assert!(svg.contains("before") && svg.contains("after"));
    /// ```
    pub fn beside(self, other: Figure) -> Self {
        let body = match self {
            // A row of figures goes on.
            Figure { title: None, body: Body::Beside(mut figures) } => {
                figures.push(other);
                Body::Beside(figures)
            }
            first => Body::Beside(vec![first, other]),
        };
        Figure { title: None, body }
    }

    /// Lays out the images of [`filters`](super::filters) and [`activations`](super::activations) in rows of so many.
    ///
    /// # Panics
    /// When the figure shows something else, filters in a grid among them, or the number is 0.
    ///
    /// ```
    /// use cinta::{Tensor, plot};
    /// let figure = || plot::filters(&Tensor::<f32>::ones([5, 5, 1, 8]));
    /// assert_eq!(figure().columns(4).to_svg(), figure().to_svg());
    /// assert_ne!(figure().columns(2).to_svg(), figure().to_svg());
    /// ```
    #[track_caller]
    pub fn columns(mut self, columns: usize) -> Self {
        assert!(columns > 0, "columns: a row of 0 images");
        match &mut self.body {
            Body::Facets(facets) if facets.labels == Labels::Numbers => facets.columns = columns,
            _ => panic!(
                "columns: only filters of one input channel and activations are laid out in rows"
            ),
        }
        self
    }

    /// Writes it to a file, whose name ends in `.png` or `.svg`. A PNG file has two pixels for each of the figure's points. The
    /// file appears complete or not at all.
    ///
    /// # Errors
    /// When the name ends in something else, the file cannot be written, or the figure is too large for a PNG file (the graph of
    /// some thousand layers).
    ///
    /// ```
    /// # use cinta::{Tensor, plot};
    /// let error = plot::picture(&Tensor::from([[0.0, 1.0]])).save("picture.jpg").unwrap_err();
    /// assert_eq!(error.to_string(), "picture.jpg: figures are written as PNG or SVG; use a name that ends in `.png` or `.svg`");
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = match path.extension().and_then(|extension| extension.to_str()) {
            Some("png") => self.drawn().to_png().map_err(|reason| Error::format(path, reason))?,
            Some("svg") => self.to_svg().into_bytes(),
            _ => {
                let reason =
                    "figures are written as PNG or SVG; use a name that ends in `.png` or `.svg`";
                return Err(Error::format(path, reason));
            }
        };
        file::write(path, &bytes)
    }

    /// It as the text of an SVG file.
    ///
    /// ```
    /// # use cinta::{Tensor, plot};
    /// assert!(plot::picture(&Tensor::from([[0.0, 1.0]])).to_svg().ends_with("</svg>\n"));
    /// ```
    pub fn to_svg(&self) -> String {
        self.drawn().to_svg()
    }

    fn drawn(&self) -> Canvas {
        let [width, height] = self.size();
        let mut canvas = Canvas::new([width + 2.0 * MARGIN, height + 2.0 * MARGIN]);
        self.draw(&mut canvas, [MARGIN, MARGIN]);
        canvas
    }

    /// Width and height, without the margin.
    fn size(&self) -> [f64; 2] {
        let [width, height] = match &self.body {
            Body::Facets(facets) => facets.size(),
            Body::Chart(chart) => chart.size(),
            Body::Diagram(diagram) => diagram.size(),
            Body::Beside(figures) => {
                let sizes = figures.iter().map(Figure::size);
                sizes.fold([-GAP, 0.0], |[width, height], [w, h]| {
                    [width + GAP + w, f64::max(height, h)]
                })
            }
        };
        let title = self.title.as_ref().map_or(0.0, |title| Canvas::text_width(title, TITLE_SIZE));
        let title_height = if self.title.is_some() { TITLE_HEIGHT } else { 0.0 };
        [width.max(title), height + title_height]
    }

    fn draw(&self, canvas: &mut Canvas, [x, mut y]: [f64; 2]) {
        if let Some(title) = &self.title {
            canvas.text([x, y + TITLE_SIZE / 2.0], title, TITLE_SIZE, Anchor::Start, BLACK);
            y += TITLE_HEIGHT;
        }
        match &self.body {
            Body::Facets(facets) => facets.draw(canvas, [x, y]),
            Body::Chart(chart) => chart.draw(canvas, [x, y]),
            Body::Diagram(diagram) => diagram.draw(canvas, [x, y]),
            Body::Beside(figures) => {
                let mut x = x;
                for figure in figures {
                    figure.draw(canvas, [x, y]);
                    x += figure.size()[0] + GAP;
                }
            }
        }
    }
}
