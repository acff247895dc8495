//! Images moved, turned and stretched: `y[i, j] = x[at a place that is affine in i and j]`, between pixels interpolated.

use crate::autograd::{Op, Var, apply};
use crate::kernels::Interpolation;
use crate::kernels::warp::{FillMode, Warp};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Tensor;

struct AffineTransform {
    warp: Warp,
}

impl<T: Scalar> Op<T, 1> for AffineTransform {
    const NAME: &'static str = "affine_transform";
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1], _: [bool; 1]) -> (Tensor<T>, ()) {
        (self.warp.forward(x), ())
    }

    // dx[p] = sum of dy times its weight, over all pixels that look at p
    fn backward(&self, (): (), dy: Tensor<T>, _: [bool; 1]) -> [Option<Tensor<T>>; 1] {
        [Some(self.warp.backward(&dy))]
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Images `[n, h, w, c]` moved, turned and stretched, as `keras.ops.image.affine_transform`: with the map `[a0, a1, a2, b0, b1,
    /// b2]` of an image, its pixel in column `x` and row `y` is what stands at column `a0 x + a1 y + a2` and row
    /// `b0 x + b1 y + b2`. What is beyond the border comes from `fill`, and
    /// is `value` if that is constant.
    ///
    /// # Panics
    /// When these are no images, there is no map for each, a map is not finite, or the interpolation is neither nearest nor
    /// bilinear.
    ///
    /// ```
    /// use cinta::{FillMode, Interpolation, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([[1.0, 2.0], [3.0, 4.0]]).reshape([1, 2, 2, 1]));
    /// let quarter_turn = [0.0, 1.0, 0.0, -1.0, 0.0, 1.0];
    /// let y = x.affine_transform(&[quarter_turn], Interpolation::Nearest, FillMode::Nearest, 0.0);
    /// assert_eq!(y.value().to_vec(), [3.0, 1.0, 4.0, 2.0]);
    /// assert_eq!(y.sum(..).backward().wrt(&x).to_vec(), [1.0; 4]);
    /// ```
    #[track_caller]
    pub fn affine_transform(
        &self,
        maps: &[[f64; 6]],
        interpolation: Interpolation,
        fill: FillMode,
        value: f64,
    ) -> Var<'t, T> {
        let shape = self.shape();
        let [n, _, _, _] = *shape else {
            panic!("affine_transform: needs images [n, h, w, c], and the shape is {shape}")
        };
        assert_eq!(maps.len(), n, "affine_transform: {} maps for {n} images", maps.len());
        assert!(
            maps.iter().flatten().all(|number| number.is_finite()),
            "affine_transform: a map has numbers that are not finite"
        );
        let bilinear = match interpolation {
            Interpolation::Nearest => false,
            Interpolation::Bilinear => true,
            other => panic!(
                "affine_transform: the interpolation is nearest or bilinear, and not {other:?}"
            ),
        };
        apply(AffineTransform { warp: Warp { maps: maps.to_vec(), bilinear, fill, value } }, [self])
    }
}

compiled!(|x: &Var<T>, fill: FillMode| x.affine_transform(&[], Interpolation::Nearest, fill, 0.0));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random, tensors};
    use proptest::prelude::*;

    const FILLS: [FillMode; 4] =
        [FillMode::Constant, FillMode::Nearest, FillMode::Reflect, FillMode::Wrap];

    #[test]
    fn worked_example() {
        let x = Var::constant(Tensor::from([1.0, 2.0, 4.0]).reshape([1, 1, 3, 1]));
        let moved = |shift, fill| {
            let map = [1.0, 0.0, shift, 0.0, 1.0, 0.0];
            x.affine_transform(&[map], Interpolation::Bilinear, fill, 10.0).value().reshape([3])
        };
        let close = |fill, expected: [f64; 3]| {
            assert_close(&moved(1.5, fill), &Tensor::from(expected));
        };
        close(FillMode::Constant, [3.0, 7.0, 10.0]);
        close(FillMode::Nearest, [3.0, 4.0, 4.0]);
        close(FillMode::Reflect, [3.0, 4.0, 3.0]);
        close(FillMode::Wrap, [3.0, 2.5, 1.5]);
        let flipped = [-1.0, 0.0, 2.0, 0.0, 1.0, 0.0];
        let y = x.affine_transform(&[flipped], Interpolation::Nearest, FillMode::Nearest, 0.0);
        assert_close(&y.value().reshape([3]), &Tensor::from([4.0, 2.0, 1.0]));
    }

    #[test]
    fn gradient() {
        let maps = [[0.8, 0.3, -0.6, -0.4, 1.1, 0.7], [1.0, 0.0, 2.5, 0.0, -1.0, 3.0]];
        for fill in FILLS {
            for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
                let x = random(&[2, 4, 5, 3], -2.0, 2.0, 1, 3);
                gradcheck(|[x]| x.affine_transform(&maps, interpolation, fill, 0.7), [x]).unwrap();
            }
        }
    }

    /// All look at the first pixel; beside 2^24, ones are lost in `f32`.
    #[test]
    fn gradients_are_summed_in_f64() {
        let dy = Tensor::from([2f32.powi(24), 1.0, 1.0, 1.0, -2f32.powi(24)]);
        for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
            let tape = crate::autograd::Tape::new();
            let x = tape.leaf(Tensor::zeros([1, 1, 5, 1]));
            let y = x.affine_transform(&[[0.0; 6]], interpolation, FillMode::Nearest, 0.0);
            let dx = y.backward_from(&dy.reshape([1, 1, 5, 1])).wrt(&x);
            assert_eq!(dx.to_vec(), [3.0, 0.0, 0.0, 0.0, 0.0]);
        }
    }

    #[test]
    #[should_panic(expected = "affine_transform: 1 maps for 2 images")]
    fn a_map_for_each_image() {
        let x = Var::constant(Tensor::<f64>::zeros([2, 1, 1, 1]));
        x.affine_transform(&[[0.0; 6]], Interpolation::Nearest, FillMode::Wrap, 0.0);
    }

    proptest! {
        /// The triangle around the place, over all pixels of a plane of images beside each other.
        #[test]
        fn definition(x in tensors(4, -3.0, 3.0), map in prop::array::uniform6(-1.5f64..1.5)) {
            let [n, h, w, c] = x.dims();
            let maps = vec![map; n];
            let triangle = |distance: f64| (1.0 - distance.abs()).max(0.0);
            let expected = Tensor::from_fn(x.shape(), |at| {
                let (row, column) = (at[1] as f64, at[2] as f64);
                let px = map[0] * column + map[1] * row + map[2];
                let py = map[3] * column + map[4] * row + map[5];
                let mut sum = 0.0;
                for i in -15isize..16 {
                    for j in -15isize..16 {
                        let weight = triangle(py - i as f64) * triangle(px - j as f64);
                        if weight > 0.0 {
                            let (i, j) = (i.rem_euclid(h as isize), j.rem_euclid(w as isize));
                            sum += weight * x.at([at[0], i as usize, j as usize, at[3]]);
                        }
                    }
                }
                sum
            });
            prop_assert!(c > 0);
            let y = Var::constant(x)
                .affine_transform(&maps, Interpolation::Bilinear, FillMode::Wrap, 0.0);
            assert_close(y.value(), &expected);
        }
    }
}
