//! The lecture's ZIP-code digits.

use super::{Dataset, files, one_hot};
use crate::error::{Error, Result};
use crate::tensor::Tensor;
use std::path::Path;

const PIXELS: usize = 256;

/// The ZIP-code digits of *The Elements of Statistical Learning* (Hastie, Tibshirani and Friedman),
/// from a folder with `zip.train` and `zip.test`, plain or compressed (`.gz`), as the book's data page
/// offers them: 7 291 and 2 007 lines, each a label and then 256 values in `[-1, 1]`, row by row.
///
/// Inputs are `[n, 16, 16, 1]`, moved to `[0, 1]` by `(x + 1) / 2`; targets are one-hot `[n, 10]`.
///
/// # Errors
/// When a file is missing, or a line is not as described.
///
/// ```no_run
/// let (train, test) = cinta::datasets::zip_digits("data/zip")?;
/// assert_eq!((train.len(), test.len()), (7291, 2007));
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn zip_digits(dir: impl AsRef<Path>) -> Result<(Dataset, Dataset)> {
    let dir = dir.as_ref();
    let part = |name: &str| {
        let what = format!(
            "{name} or {name}.gz; they are on the data page of The Elements of Statistical Learning"
        );
        let path = files::find(dir, &what, |file| file == name)?;
        parse(&path, &files::read(&path)?)
    };
    Ok((part("zip.train")?, part("zip.test")?))
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Dataset> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Error::format(path, "not a text file; expected a label and 256 values a line")
    })?;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        let wrong = |what: String| {
            Error::format(
                path,
                format!(
                    "line {number}: {what}; expected a label from 0 to 9 and {PIXELS} values in [-1, 1]"
                ),
            )
        };
        let mut values = line.split_ascii_whitespace().map(str::parse::<f32>);
        match values.next() {
            Some(Ok(label)) if label.fract() == 0.0 && (0.0..10.0).contains(&label) => {
                labels.push(label as usize);
            }
            _ => return Err(wrong("the label is no digit".to_owned())),
        }
        let before = pixels.len();
        for value in values {
            match value {
                Ok(value) if (-1.0..=1.0).contains(&value) => pixels.push((value + 1.0) / 2.0),
                Ok(value) => return Err(wrong(format!("the value {value} is out of range"))),
                Err(_) => return Err(wrong("a value is no number".to_owned())),
            }
        }
        if pixels.len() - before != PIXELS {
            return Err(wrong(format!("it has {} values", pixels.len() - before)));
        }
    }
    if labels.is_empty() {
        return Err(Error::format(
            path,
            "the file has no lines; expected a label and 256 values a line",
        ));
    }
    Dataset::new(Tensor::new([labels.len(), 16, 16, 1], pixels), one_hot(&labels, 10)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(label: &str, values: usize, last: &str) -> String {
        let mut line = format!("{label} ") + &"-1.0 ".repeat(values - 1);
        line.push_str(last);
        line + "\n"
    }

    #[test]
    fn lines_become_images() {
        let text = line("3.0000", 256, "0.5") + "\n" + &line("0", 256, "1.000");
        let data = parse(Path::new("zip.test"), text.as_bytes()).unwrap();
        assert_eq!(data.inputs().shape(), [2, 16, 16, 1]);
        assert_eq!(data.inputs().at([0, 0, 0, 0]), 0.0);
        assert_eq!(data.inputs().at([0, 15, 15, 0]), 0.75);
        assert_eq!(data.targets().argmax(1), [3, 0]);
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, message) in [
            (line("3", 256, "0.5") + &line("12", 256, "0.5"), "line 2: the label is no digit"),
            (line("3", 256, "1.5"), "line 1: the value 1.5 is out of range"),
            (line("3", 256, "NaN"), "line 1: the value NaN is out of range"),
            (line("3", 256, "x"), "line 1: a value is no number"),
            (line("3", 255, "0"), "line 1: it has 255 values"),
            (String::new(), "the file has no lines"),
        ] {
            let error = parse(Path::new("zip.train"), text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        assert!(
            parse(Path::new("zip.train"), &[0xff, 0xfe])
                .unwrap_err()
                .to_string()
                .contains("not a text")
        );
    }
}
