//! A series of sales.

use crate::tensor::Tensor;

static CSV: &str = include_str!("../../data/bjsales.csv");

/// Sales of a product at 150 points in time, `[150]`: R's `BJsales`, the series of the lecture's first filters.
///
/// The data is series M of G. E. P. Box and G. M. Jenkins (1976), *Time Series Analysis, Forecasting and Control*, p. 537.
///
/// ```
/// let sales = cinta::datasets::bjsales();
/// assert_eq!((sales.shape()[0], sales.at([0])), (150, 200.1));
/// ```
pub fn bjsales() -> Tensor {
    let values: Option<Vec<f32>> =
        CSV.lines().skip(1).map(|line| line.split_once(',')?.1.trim().parse().ok()).collect();
    let values = values.expect("the embedded file has two numbers in each line");
    Tensor::new([values.len()], values)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_series_of_the_book() {
        let sales = super::bjsales();
        assert_eq!(sales.slice(0, 0..5).to_vec(), [200.1, 199.5, 199.4, 198.9, 199.0]);
        assert_eq!(sales.slice(0, 148..150).to_vec(), [262.2, 262.7]);
        assert_eq!((sales.min(..).item(), sales.max(..).item()), (198.6, 263.3));
    }
}
