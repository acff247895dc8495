//! MNIST in its publisher's format, IDX.

use super::{Dataset, files, one_hot};
use crate::error::{Error, Result};
use crate::tensor::Tensor;
use std::path::Path;

/// MNIST (LeCun, Cortes and Burges), from a folder with the four IDX files, plain or compressed
/// (`.gz`): `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`. Names may have more before `-images` and `-labels`, a dot before `idx`, and `test` in
/// place of `t10k`. Hidden files are passed over.
///
/// Inputs are `[n, 28, 28, 1]` in `[0, 1]`, targets one-hot `[n, 10]`. Other data sets in this format
/// (Fashion-MNIST) are read as well.
///
/// # Errors
/// When a file is missing, is not as described, or there are those of two data sets.
///
/// ```no_run
/// let (train, test) = cinta::datasets::mnist("data/mnist")?;
/// assert_eq!(train.inputs().shape(), [60_000, 28, 28, 1]);
/// # Ok::<(), cinta::Error>(())
/// ```
pub fn mnist(dir: impl AsRef<Path>) -> Result<(Dataset, Dataset)> {
    let dir = dir.as_ref();
    Ok((part(dir, &["train"])?, part(dir, &["t10k", "test"])?))
}

fn part(dir: &Path, names: &[&str]) -> Result<Dataset> {
    let find = |kind: &str, format: &str| {
        let what = format!("{}-{kind}-{format}, alone or with .gz", names[0]);
        let path = files::find(dir, &what, |file| {
            let start = file.strip_suffix(format).unwrap_or_default();
            start.contains(kind) && names.iter().any(|name| start.contains(name))
        })?;
        let bytes = files::read(&path)?;
        Ok::<_, Error>((path, bytes))
    };
    let (images_path, images) = find("images", "idx3-ubyte")?;
    let (labels_path, labels) = find("labels", "idx1-ubyte")?;
    // What stands before these words tells data sets apart.
    let both = [(&images_path, "images"), (&labels_path, "labels")].map(|(path, kind)| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let start = name.rsplit_once(kind).map(|(start, _)| start.to_owned());
        (name, start)
    });
    if both[0].1 != both[1].1 {
        return Err(Error::format(dir, files::several(both.iter().map(|(name, _)| name))));
    }
    let (image_dims, pixels) = idx(&images_path, &images, 3)?;
    let (label_dims, labels) = idx(&labels_path, &labels, 1)?;
    if image_dims[0] != label_dims[0] {
        return Err(Error::format(
            &labels_path,
            format!(
                "{} labels for the {} images of {}",
                label_dims[0],
                image_dims[0],
                images_path.display()
            ),
        ));
    }
    if image_dims.contains(&0) {
        return Err(Error::format(&images_path, format!("images of {image_dims:?} are empty")));
    }
    let labels: Vec<usize> = labels.iter().map(|&label| usize::from(label)).collect();
    let targets =
        one_hot(&labels, 10).map_err(|error| Error::format(&labels_path, error.to_string()))?;
    let pixels: Vec<f32> = pixels.iter().map(|&ink| f32::from(ink) / 255.0).collect();
    Dataset::new(Tensor::new([image_dims[0], image_dims[1], image_dims[2], 1], pixels), targets)
}

/// An IDX file of bytes: two zeros, the type 8, the number of axes, the axes in big-endian order,
/// the values.
fn idx<'a>(path: &Path, bytes: &'a [u8], rank: usize) -> Result<(Vec<usize>, &'a [u8])> {
    let header = 4 + 4 * rank;
    let magic = [0, 0, 8, rank as u8];
    if bytes.len() < header || bytes[..4] != magic {
        return Err(Error::format(
            path,
            format!("not an IDX file of bytes with {rank} axes: it should start with {magic:?}"),
        ));
    }
    let dims: Vec<usize> = bytes[4..header]
        .chunks_exact(4)
        .map(|four| u32::from_be_bytes(four.try_into().expect("four bytes")) as usize)
        .collect();
    let values = &bytes[header..];
    let count = dims.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim));
    if count != Some(values.len()) {
        return Err(Error::format(
            path,
            format!(
                "the header announces {dims:?} values and {} follow; download it again",
                values.len()
            ),
        ));
    }
    Ok((dims, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dims: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, dims.len() as u8];
        dims.iter().for_each(|dim| bytes.extend(dim.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    #[test]
    fn headers_are_checked() {
        let path = Path::new("images");
        let images = file(&[2, 1, 2], &[1, 2, 3, 4]);
        assert_eq!(idx(path, &images, 3).unwrap(), (vec![2, 1, 2], &[1u8, 2, 3, 4][..]));
        for (bytes, message) in [
            (vec![], "not an IDX file"),
            (file(&[2], &[1, 2]), "not an IDX file"),
            (file(&[2, 1, 2], &[1, 2, 3]), "the header announces [2, 1, 2] values and 3 follow"),
            (file(&[u32::MAX; 3], &[1]), "the header announces"),
        ] {
            let error = idx(path, &bytes, 3).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
