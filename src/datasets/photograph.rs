//! A picture to filter.

use crate::images;
use crate::tensor::Tensor;

static PNG: &[u8] = include_bytes!("../../data/acanthus-240x174-cc0.png");

/// A grey photograph `[174, 240]`, from 0 (black) to 1 (white), of a plant: K. Blossfeldt, *Acanthus mollis* (1928),
/// Getty Open Content, CC0. It stands in for the sculpture of the lecture.
///
/// ```
/// let picture = cinta::datasets::photograph();
/// assert_eq!(picture.shape(), [174, 240]);
/// ```
pub fn photograph() -> Tensor {
    images::decode(PNG).expect("an embedded picture")
}
