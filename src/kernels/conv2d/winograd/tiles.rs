//! Evaluating and interpolating: the transformations along one axis, and both axes of a block.

use crate::scalar::Scalar;

/// The transformations along one axis, for tiles of `M` outputs from `N = M + 2` pixels. `V` values, those of
/// neighbouring channels, are transformed at a time.
pub trait Tiles<const N: usize, const M: usize> {
    /// Pixels at the points.
    fn pixels<T: Scalar, const V: usize>(d: &[[T; V]; N]) -> [[T; V]; N];
    /// A filter's three taps at the points.
    fn taps<T: Scalar, const V: usize>(g: &[[T; V]; 3]) -> [[T; V]; N];
    /// Outputs from products at the points.
    fn outputs<T: Scalar, const V: usize>(m: &[[T; V]; N]) -> [[T; V]; M];
    /// Gradients of outputs at the points, as the taps of a filter of `M` that slides over the pixels.
    fn gradients<T: Scalar, const V: usize>(dy: &[[T; V]; M]) -> [[T; V]; N];
    /// Gradients of the three taps from products at the points.
    fn tap_gradients<T: Scalar, const V: usize>(m: &[[T; V]; N]) -> [[T; V]; 3];
}

/// `sum of c x` over pairs, for `V` values at a time.
macro_rules! sum {
    ($($c:expr, $x:expr);+) => {{
        let mut sum = [T::zero(); V];
        for i in 0..V {
            sum[i] = sum!(@terms i, $($c, $x);+);
        }
        sum
    }};
    (@terms $i:ident, $c:expr, $x:expr) => { T::lit($c) * $x[$i] };
    (@terms $i:ident, $c:expr, $x:expr; $($rest:tt)+) => {
        T::lit($c) * $x[$i] + sum!(@terms $i, $($rest)+)
    };
}

/// F(2, 3), at the points 0, 1, -1 and infinity.
pub struct F2;

impl Tiles<4, 2> for F2 {
    #[inline(always)]
    fn pixels<T: Scalar, const V: usize>(d: &[[T; V]; 4]) -> [[T; V]; 4] {
        [
            sum!(1.0, d[0]; -1.0, d[2]),
            sum!(1.0, d[1]; 1.0, d[2]),
            sum!(-1.0, d[1]; 1.0, d[2]),
            sum!(-1.0, d[1]; 1.0, d[3]),
        ]
    }

    #[inline(always)]
    fn taps<T: Scalar, const V: usize>(g: &[[T; V]; 3]) -> [[T; V]; 4] {
        [g[0], sum!(0.5, g[0]; 0.5, g[1]; 0.5, g[2]), sum!(0.5, g[0]; -0.5, g[1]; 0.5, g[2]), g[2]]
    }

    #[inline(always)]
    fn outputs<T: Scalar, const V: usize>(m: &[[T; V]; 4]) -> [[T; V]; 2] {
        [sum!(1.0, m[0]; 1.0, m[1]; 1.0, m[2]), sum!(1.0, m[1]; -1.0, m[2]; 1.0, m[3])]
    }

    #[inline(always)]
    fn gradients<T: Scalar, const V: usize>(dy: &[[T; V]; 2]) -> [[T; V]; 4] {
        [dy[0], sum!(0.5, dy[0]; 0.5, dy[1]), sum!(0.5, dy[0]; -0.5, dy[1]), dy[1]]
    }

    #[inline(always)]
    fn tap_gradients<T: Scalar, const V: usize>(m: &[[T; V]; 4]) -> [[T; V]; 3] {
        [
            sum!(1.0, m[0]; 1.0, m[1]; 1.0, m[2]),
            sum!(1.0, m[1]; -1.0, m[2]),
            sum!(1.0, m[1]; 1.0, m[2]; 1.0, m[3]),
        ]
    }
}

/// F(4, 3), at the points 0, +-A, +-B and infinity, where `A B = 1`.
pub struct F4;

const A: f64 = std::f64::consts::FRAC_1_SQRT_2;
const B: f64 = std::f64::consts::SQRT_2;

impl Tiles<6, 4> for F4 {
    #[inline(always)]
    fn pixels<T: Scalar, const V: usize>(d: &[[T; V]; 6]) -> [[T; V]; 6] {
        // Points that differ in their sign share their even and their odd powers.
        let (even_a, odd_a) = (sum!(-2.0, d[2]; 1.0, d[4]), sum!(-B, d[1]; A, d[3]));
        let (even_b, odd_b) = (sum!(-0.5, d[2]; 1.0, d[4]), sum!(-A, d[1]; B, d[3]));
        [
            sum!(-2.5, d[2]; 1.0, d[0]; 1.0, d[4]),
            sum!(1.0, even_a; 1.0, odd_a),
            sum!(1.0, even_a; -1.0, odd_a),
            sum!(1.0, even_b; 1.0, odd_b),
            sum!(1.0, even_b; -1.0, odd_b),
            sum!(-2.5, d[3]; 1.0, d[1]; 1.0, d[5]),
        ]
    }

    #[inline(always)]
    fn taps<T: Scalar, const V: usize>(g: &[[T; V]; 3]) -> [[T; V]; 6] {
        let even_a = sum!(-2.0 / 3.0, g[0]; -1.0 / 3.0, g[2]);
        let even_b = sum!(1.0 / 6.0, g[0]; 1.0 / 3.0, g[2]);
        [
            g[0],
            sum!(-2.0 * A / 3.0, g[1]; 1.0, even_a),
            sum!(2.0 * A / 3.0, g[1]; 1.0, even_a),
            sum!(B / 6.0, g[1]; 1.0, even_b),
            sum!(-B / 6.0, g[1]; 1.0, even_b),
            g[2],
        ]
    }

    #[inline(always)]
    fn outputs<T: Scalar, const V: usize>(m: &[[T; V]; 6]) -> [[T; V]; 4] {
        let (sum_a, difference_a) = (sum!(1.0, m[1]; 1.0, m[2]), sum!(1.0, m[1]; -1.0, m[2]));
        let (sum_b, difference_b) = (sum!(1.0, m[3]; 1.0, m[4]), sum!(1.0, m[3]; -1.0, m[4]));
        [
            sum!(1.0, m[0]; 1.0, sum_a; 1.0, sum_b),
            sum!(A, difference_a; B, difference_b),
            sum!(0.5, sum_a; 2.0, sum_b),
            sum!(A / 2.0, difference_a; 2.0 * B, difference_b; 1.0, m[5]),
        ]
    }

    #[inline(always)]
    fn gradients<T: Scalar, const V: usize>(dy: &[[T; V]; 4]) -> [[T; V]; 6] {
        let even_a = sum!(-2.0 / 3.0, dy[0]; -1.0 / 3.0, dy[2]);
        let odd_a = sum!(-2.0 * A / 3.0, dy[1]; -A / 3.0, dy[3]);
        let even_b = sum!(1.0 / 6.0, dy[0]; 1.0 / 3.0, dy[2]);
        let odd_b = sum!(B / 6.0, dy[1]; B / 3.0, dy[3]);
        [
            dy[0],
            sum!(1.0, even_a; 1.0, odd_a),
            sum!(1.0, even_a; -1.0, odd_a),
            sum!(1.0, even_b; 1.0, odd_b),
            sum!(1.0, even_b; -1.0, odd_b),
            dy[3],
        ]
    }

    #[inline(always)]
    fn tap_gradients<T: Scalar, const V: usize>(m: &[[T; V]; 6]) -> [[T; V]; 3] {
        let (sum_a, difference_a) = (sum!(1.0, m[1]; 1.0, m[2]), sum!(1.0, m[1]; -1.0, m[2]));
        let (sum_b, difference_b) = (sum!(1.0, m[3]; 1.0, m[4]), sum!(1.0, m[3]; -1.0, m[4]));
        [
            sum!(1.0, m[0]; 1.0, sum_a; 1.0, sum_b),
            sum!(A, difference_a; B, difference_b),
            sum!(0.5, sum_a; 2.0, sum_b; 1.0, m[5]),
        ]
    }
}

/// Transforms the columns of a block of `I x I`, then its rows, to `O x O`. A macro, because a function that took
/// the transformation would not be sure to have it inlined, and a call would be compiled for any machine.
macro_rules! both {
    ($block:expr, $transform:path, $i:expr => $o:expr) => {{
        let block = $block;
        let mut half = [[[T::zero(); V]; $i]; $o];
        for x in 0..$i {
            let mut column = [[T::zero(); V]; $i];
            for y in 0..$i {
                column[y] = block[y][x];
            }
            let column = $transform(&column);
            for y in 0..$o {
                half[y][x] = column[y];
            }
        }
        let mut whole = [[[T::zero(); V]; $o]; $o];
        for y in 0..$o {
            whole[y] = $transform(&half[y]);
        }
        whole
    }};
}
