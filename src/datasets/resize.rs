//! Images of another size.

use crate::tensor::Tensor;

/// Resizes images `[n, h, w, c]` by linear interpolation between pixel centres. Output pixel `i` of
/// `size` lies at `(i + 1/2) h / size - 1/2` of the input; beyond the outermost centres the border pixel
/// continues.
pub(super) fn resize(images: &Tensor<f32>, [height, width]: [usize; 2]) -> Tensor<f32> {
    let [n, h, w, c] = images.dims();
    // For each output index: the two neighbours, and the weight of the second.
    let axis = |from: usize, to: usize| -> Vec<(usize, usize, f32)> {
        (0..to)
            .map(|i| {
                let at = ((i as f64 + 0.5) * from as f64 / to as f64 - 0.5)
                    .clamp(0.0, (from - 1) as f64);
                let low = at.floor();
                (low as usize, (low as usize + 1).min(from - 1), (at - low) as f32)
            })
            .collect()
    };
    let (rows, cols) = (axis(h, height), axis(w, width));
    Tensor::from_fn([n, height, width, c], |at| {
        let ((top, bottom, down), (left, right, across)) = (rows[at[1]], cols[at[2]]);
        let pixel = |y: usize, x: usize| images.at([at[0], y, x, at[3]]);
        let along = |y: usize| pixel(y, left) * (1.0 - across) + pixel(y, right) * across;
        along(top) * (1.0 - down) + along(bottom) * down
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_as_large_takes_quarters() {
        let image = Tensor::from([[0.0, 4.0], [8.0, 12.0]]).reshape([1, 2, 2, 1]);
        let larger = resize(&image, [4, 4]).reshape([4, 4]);
        let expected = Tensor::from([
            [0.0, 1.0, 3.0, 4.0],
            [2.0, 3.0, 5.0, 6.0],
            [6.0, 7.0, 9.0, 10.0],
            [8.0, 9.0, 11.0, 12.0],
        ]);
        assert_eq!(larger, expected);
        assert_eq!(resize(&image, [2, 2]), image);
    }
}
