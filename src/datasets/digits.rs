//! Handwritten digits that come with the crate.

use super::{Dataset, one_hot, resize};
use crate::tensor::Tensor;

/// 5 620 records: 64 pixels from 0 (paper) to 16 (ink), row by row, then the label.
static RECORDS: &[u8] = include_bytes!("../../data/optdigits-8x8-3823-1797.bin");
const RECORD: usize = 65;
const TRAIN: usize = 3_823;

/// Handwritten digits, embedded in the crate: 3 823 training samples by 30 writers and 1 797 test
/// samples by 13 others. Inputs are `[n, 16, 16, 1]` in `[0, 1]` (0 is paper), targets one-hot
/// `[n, 10]`.
///
/// The data is *Optical Recognition of Handwritten Digits* by E. Alpaydin and C. Kaynak (1998), UCI
/// Machine Learning Repository, doi 10.24432/C50P49, CC BY 4.0. Changed here: the 8 x 8 images are
/// enlarged to 16 x 16 by linear interpolation, and divided by 16.
///
/// ```
/// let (train, test) = cinta::datasets::digits();
/// assert_eq!(train.inputs().shape(), [3823, 16, 16, 1]);
/// assert_eq!(test.targets().shape(), [1797, 10]);
/// ```
pub fn digits() -> (Dataset, Dataset) {
    let (train, test) = RECORDS.split_at(TRAIN * RECORD);
    (part(train), part(test))
}

fn part(records: &[u8]) -> Dataset {
    let (records, _) = records.as_chunks::<RECORD>();
    let pixels: Vec<f32> =
        records.iter().flat_map(|record| &record[..64]).map(|&ink| f32::from(ink) / 16.0).collect();
    let labels: Vec<usize> = records.iter().map(|record| usize::from(record[64])).collect();
    let images = Tensor::new([records.len(), 8, 8, 1], pixels);
    let targets = one_hot(&labels, 10).expect("embedded labels are digits");
    Dataset::new(resize::resize(&images, [16, 16]), targets).expect("as many images as labels")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_split() {
        assert_eq!(RECORDS.len(), 5_620 * RECORD);
        let (train, test) = digits();
        for (data, n) in [(&train, 3_823), (&test, 1_797)] {
            assert_eq!(data.len(), n);
            assert!(data.inputs().iter().all(|x| (0.0..=1.0).contains(&x)));
            assert_eq!(data.targets().sum(..).item(), n as f32);
        }
        // The class counts that the data's publisher states.
        let counts = [376.0, 389.0, 380.0, 389.0, 387.0, 376.0, 377.0, 387.0, 380.0, 382.0];
        assert_eq!(train.targets().sum(0).to_vec(), counts);
    }
}
