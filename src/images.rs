//! Pictures as files (feature `images`).
//!
//! A grey picture is a tensor `[h, w]` of values from 0 (black) to 1 (white). (The digits of this crate are the other
//! way round, as in the lecture: 0 is paper, 1 is ink.)
//!
//! ```
//! use cinta::{Tensor, images};
//! # let dir = std::env::temp_dir().join(format!("cinta-images-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir).unwrap();
//! let path = dir.join("stripes.png");
//! let stripes = Tensor::from_fn([20, 30], |at| (at[1] / 5 % 2) as f32);
//! images::save(&path, &stripes)?;
//! assert_eq!(images::load(&path)?, stripes);
//! # std::fs::remove_dir_all(&dir).unwrap();
//! # Ok::<(), cinta::Error>(())
//! ```

use crate::error::{Error, Reason, Result};
use crate::file;
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;
use image::{DynamicImage, GrayImage, ImageError, ImageFormat, ImageReader};
use std::io::Cursor;
use std::path::Path;

/// Reads a PNG or JPEG file as a grey picture `[h, w]`. What the file holds decides, not its name.
///
/// A coloured pixel becomes `0.299 red + 0.587 green + 0.114 blue` (ITU-R BT.601), as in Keras's `load_img` with
/// `color_mode="grayscale"`; transparency does not count.
///
/// # Errors
/// When the file cannot be read, is neither PNG nor JPEG, is damaged, or would take more than 512 MB.
///
/// ```
/// let error = cinta::images::load("nowhere.png").unwrap_err();
/// assert!(error.to_string().starts_with("nowhere.png: "));
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    let bytes = file::read(path, u64::MAX)?;
    decode(&bytes).map_err(|reason| Error::format(path, reason))
}

/// [`load`] from the bytes of a file.
pub(crate) fn decode(bytes: &[u8]) -> Result<Tensor, Reason> {
    let open = || {
        let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
        reader.map_err(|error| error.to_string())
    };
    let reader = open()?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err("this is neither a PNG nor a JPEG file".into());
    }
    let refused = |error| match error {
        ImageError::Limits(_) => TOO_LARGE.to_owned(),
        error => error.to_string(),
    };
    // Before the pixels are read, which would take memory for all of them.
    let (width, height) = reader.into_dimensions().map_err(refused)?;
    if too_many(width, height) {
        return Err(TOO_LARGE.into());
    }
    let picture = open()?.decode().map_err(refused)?;
    let mut values = Vec::with_capacity(width as usize * height as usize);
    for top in (0..height).step_by(ROWS as usize) {
        let rows = picture.crop_imm(0, top, width, ROWS.min(height - top));
        values.extend(grey(&rows));
    }
    Ok(Tensor::new([height as usize, width as usize], values))
}

const TOO_LARGE: &str = "the picture is too large: it would take more than 512 MB";
/// Rows that are turned to grey at a time: in between, a coloured pixel takes twelve bytes.
const ROWS: u32 = 64;

/// Whether the values of so many pixels take more than 512 MB.
fn too_many(width: u32, height: u32) -> bool {
    u64::from(width) * u64::from(height) > (512 << 20) / 4
}

fn grey(picture: &DynamicImage) -> Vec<f32> {
    if !picture.color().has_color() {
        return picture.to_luma32f().into_raw();
    }
    let rgb = picture.to_rgb32f();
    rgb.pixels()
        .map(|pixel| {
            let [red, green, blue] = pixel.0;
            0.299 * red + 0.587 * green + 0.114 * blue
        })
        .collect()
}

/// Writes a grey picture `[h, w]` or `[h, w, 1]` as a PNG file of 8 bits a pixel. Values below 0 become black, those
/// above 1 white; [`stretched`] brings any picture into that range. The file appears complete or not at all.
///
/// # Errors
/// When the name does not end in `.png`, a value is not finite, the picture is empty, or the file cannot be written.
///
/// # Panics
/// When the tensor is not of one of these shapes.
///
/// ```
/// use cinta::{Tensor, images};
/// let error = images::save("picture.gif", &Tensor::<f32>::zeros([4, 4])).unwrap_err();
/// assert_eq!(error.to_string(), "picture.gif: pictures are written as PNG files; use a name that ends in `.png`");
/// ```
#[track_caller]
pub fn save<T: Scalar>(path: impl AsRef<Path>, picture: &Tensor<T>) -> Result<()> {
    let path = path.as_ref();
    file::write(path, &png(path, picture)?)
}

/// The bytes of a PNG file, for that path.
#[track_caller]
#[inline(never)]
fn png<T: Scalar>(path: &Path, picture: &Tensor<T>) -> Result<Vec<u8>> {
    let shape = picture.shape();
    assert!(
        shape.rank() == 2 || shape.rank() == 3 && shape[2] == 1,
        "images::save: a grey picture has the shape [h, w] or [h, w, 1], and this one {shape}"
    );
    if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png")) {
        return Err(Error::format(
            path,
            "pictures are written as PNG files; use a name that ends in `.png`",
        ));
    }
    if picture.is_empty() || !picture.is_finite() {
        let what = if picture.is_empty() { "is empty" } else { "has values that are not finite" };
        return Err(Error::Data(format!("the picture {shape} {what}").into()));
    }
    let bytes = picture.iter().map(|x| (x.widen().clamp(0.0, 1.0) * 255.0).round() as u8).collect();
    let too_large =
        |side| Error::Data(format!("a picture of {side} pixels a side is too large").into());
    let side = |side: usize| u32::try_from(side).map_err(|_| too_large(side));
    let picture = GrayImage::from_raw(side(shape[1])?, side(shape[0])?, bytes);
    let mut png = Cursor::new(Vec::new());
    picture
        .expect("a byte for each pixel")
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|error| Error::format(path, error.to_string()))?;
    Ok(png.into_inner())
}

/// A picture whose smallest value is 0 and whose largest is 1: `(x - min) / (max - min)`. One of equal values becomes 0.
///
/// ```
/// use cinta::{Tensor, images};
/// let filtered = Tensor::from([[-3.0, 0.0], [1.0, 5.0]]);
/// assert_eq!(images::stretched(&filtered).to_vec(), [0.0, 0.375, 0.5, 1.0]);
/// ```
#[inline(never)]
pub fn stretched<T: Scalar>(picture: &Tensor<T>) -> Tensor<T> {
    let (low, high) = picture
        .iter()
        .fold((T::infinity(), T::neg_infinity()), |(low, high), x| (low.min(x), high.max(x)));
    if low >= high {
        return Tensor::zeros(picture.shape());
    }
    picture.map(|x| (x - low) / (high - low))
}

compiled!(|picture: &Tensor<T>| (stretched(picture), png(Path::new(""), picture)));

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageBuffer, Luma, Rgb, Rgba};

    fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.into().write_to(&mut bytes, format).expect("an encoded picture");
        bytes.into_inner()
    }

    #[test]
    fn grey_and_colours_of_any_depth() {
        let grey = GrayImage::from_raw(3, 1, vec![0, 51, 255]).unwrap();
        let decoded = decode(&encoded(grey, ImageFormat::Png)).unwrap();
        assert_eq!(decoded, Tensor::from([[0.0, 0.2, 1.0]]));
        let deep = ImageBuffer::<Luma<u16>, _>::from_raw(2, 1, vec![13_107u16, 65_535]).unwrap();
        assert_eq!(decode(&encoded(deep, ImageFormat::Png)).unwrap(), Tensor::from([[0.2, 1.0]]));
        let rgb = ImageBuffer::<Rgb<u8>, _>::from_raw(
            2,
            2,
            vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255],
        );
        let decoded = decode(&encoded(rgb.unwrap(), ImageFormat::Png)).unwrap();
        assert!(decoded.all_close(&Tensor::from([[0.299, 0.587], [0.114, 1.0]]), 1e-6, 0.0));
        let transparent =
            ImageBuffer::<Rgba<u8>, _>::from_raw(1, 1, vec![255, 255, 255, 0]).unwrap();
        assert_eq!(decode(&encoded(transparent, ImageFormat::Png)).unwrap().item(), 1.0);
    }

    /// Rows are turned to grey some at a time, and all of them are there.
    #[test]
    fn many_rows_of_colours() {
        for height in [1, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS, 2 * ROWS + 5] {
            let pixel = |x, y| Rgb([x as u8, y as u8, (x * y % 256) as u8]);
            let picture = ImageBuffer::from_fn(3, height, pixel);
            let decoded = decode(&encoded(picture, ImageFormat::Png)).unwrap();
            let right = Tensor::from_fn([height as usize, 3], |at| {
                let (y, x) = (at[0], at[1]);
                let [red, green, blue] = [x, y, x * y % 256].map(|value| value as f32 / 255.0);
                0.299 * red + 0.587 * green + 0.114 * blue
            });
            assert!(decoded.all_close(&right, 0.0, 1e-6), "{height} rows");
        }
    }

    #[test]
    fn too_many_pixels() {
        assert!(!too_many(16_384, 8192));
        assert!(too_many(16_384, 8193) && too_many(u32::MAX, u32::MAX));
    }

    #[test]
    fn a_jpeg_file() {
        let bright = ImageBuffer::<Rgb<u8>, _>::from_pixel(16, 8, Rgb([204, 204, 204]));
        let decoded = decode(&encoded(bright, ImageFormat::Jpeg)).unwrap();
        assert_eq!(decoded.shape(), [8, 16]);
        assert!(decoded.all_close(&Tensor::full([8, 16], 0.8), 0.0, 0.01));
    }

    #[test]
    fn every_beginning_of_a_file_is_an_error() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let bytes = encoded(GrayImage::from_fn(20, 20, |x, y| Luma([(x * y) as u8])), format);
            for len in 0..bytes.len() / 2 {
                assert!(decode(&bytes[..len]).is_err(), "{format:?} {len} of {}", bytes.len());
            }
        }
        assert_eq!(decode(b"GIF89a").unwrap_err(), "this is neither a PNG nor a JPEG file");
    }

    #[test]
    fn a_header_that_promises_too_much() {
        // A PNG header of so many pixels, with the checksum that belongs to it, before the data of one.
        let error = |width: u32, height: u32| {
            let mut bytes = encoded(GrayImage::new(1, 1), ImageFormat::Png);
            bytes[16..20].copy_from_slice(&width.to_be_bytes());
            bytes[20..24].copy_from_slice(&height.to_be_bytes());
            let crc = bytes[12..29].iter().fold(u32::MAX, |crc, &byte| {
                (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                    (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
                })
            });
            bytes[29..33].copy_from_slice(&(!crc).to_be_bytes());
            decode(&bytes).unwrap_err()
        };
        for (width, height) in [(60_000, 60_000), (16_384, 8193), (8193, 16_384)] {
            assert_eq!(error(width, height), TOO_LARGE);
        }
        let error = error(40, 40);
        assert!(!error.as_str().contains("too large"), "{error}");
    }

    #[test]
    fn what_cannot_be_saved() {
        let missing = Tensor::from([[0.5, f32::NAN]]);
        let error = save("never.png", &missing).unwrap_err();
        assert_eq!(error.to_string(), "the picture [1, 2] has values that are not finite");
        let error = save("never.png", &Tensor::<f32>::zeros([0, 2])).unwrap_err();
        assert_eq!(error.to_string(), "the picture [0, 2] is empty");
        assert!(save("/nowhere/at/all.png", &Tensor::<f32>::zeros([1, 2])).is_err());
    }

    #[test]
    #[should_panic(
        expected = "a grey picture has the shape [h, w] or [h, w, 1], and this one [2, 2, 3]"
    )]
    fn colours_are_not_grey() {
        let _ = save("never.png", &Tensor::<f32>::zeros([2, 2, 3]));
    }
}
