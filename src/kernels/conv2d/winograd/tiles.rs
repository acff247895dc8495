//! Evaluating and interpolating: the transformations along one axis, and both axes of a block.

use crate::scalar::Scalar;

/// The transformations along one axis, for tiles of `M` outputs from `N = M + 2` pixels.
pub trait Tiles<const N: usize, const M: usize> {
    /// Points of [`pixels`](Self::pixels), and of [`gradients`](Self::gradients), that together see each of them.
    const SEEING: [&'static [usize]; 2];
    /// Pixels at the points.
    fn pixels<T: Scalar>(d: [T; N]) -> [T; N];
    /// A filter's three taps at the points.
    fn taps<T: Scalar>(g: [T; 3]) -> [T; N];
    /// Outputs from products at the points.
    fn outputs<T: Scalar>(m: [T; N]) -> [T; M];
    /// Gradients of outputs at the points, as the taps of a filter of `M` that slides over the pixels.
    fn gradients<T: Scalar>(dy: [T; M]) -> [T; N];
    /// Gradients of the three taps from products at the points.
    fn tap_gradients<T: Scalar>(m: [T; N]) -> [T; 3];
}

/// F(2, 3), at the points 0, 1, -1 and infinity.
pub struct F2;

impl Tiles<4, 2> for F2 {
    // Pixels that are all the same are not seen at 0 and infinity.
    const SEEING: [&'static [usize]; 2] = [&[0, 1, 3], &[0, 3]];

    #[inline(always)]
    fn pixels<T: Scalar>(d: [T; 4]) -> [T; 4] {
        [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[3] - d[1]]
    }

    #[inline(always)]
    fn taps<T: Scalar>(g: [T; 3]) -> [T; 4] {
        let half = T::lit(0.5);
        let (even, odd) = (half * (g[0] + g[2]), half * g[1]);
        [g[0], even + odd, even - odd, g[2]]
    }

    #[inline(always)]
    fn outputs<T: Scalar>(m: [T; 4]) -> [T; 2] {
        [m[0] + (m[1] + m[2]), (m[1] - m[2]) + m[3]]
    }

    #[inline(always)]
    fn gradients<T: Scalar>(dy: [T; 2]) -> [T; 4] {
        let half = T::lit(0.5);
        let (even, odd) = (half * dy[0], half * dy[1]);
        [dy[0], even + odd, even - odd, dy[1]]
    }

    #[inline(always)]
    fn tap_gradients<T: Scalar>(m: [T; 4]) -> [T; 3] {
        let sum = m[1] + m[2];
        [m[0] + sum, m[1] - m[2], sum + m[3]]
    }
}

/// F(4, 3), at the points 0, +-A, +-B and infinity, where `A B = 1`. Points that differ in their sign share their
/// even and their odd powers.
pub struct F4;

const A: f64 = std::f64::consts::FRAC_1_SQRT_2;
const B: f64 = std::f64::consts::SQRT_2;

impl Tiles<6, 4> for F4 {
    const SEEING: [&'static [usize]; 2] = [&[0, 5], &[1, 3]];

    #[inline(always)]
    fn pixels<T: Scalar>(d: [T; 6]) -> [T; 6] {
        let [a, b] = [A, B].map(T::lit);
        let (even_a, odd_a) = (d[4] - T::lit(2.0) * d[2], a * d[3] - b * d[1]);
        let (even_b, odd_b) = (d[4] - T::lit(0.5) * d[2], b * d[3] - a * d[1]);
        [
            d[0] + d[4] - T::lit(2.5) * d[2],
            even_a + odd_a,
            even_a - odd_a,
            even_b + odd_b,
            even_b - odd_b,
            d[1] + d[5] - T::lit(2.5) * d[3],
        ]
    }

    #[inline(always)]
    fn taps<T: Scalar>(g: [T; 3]) -> [T; 6] {
        let even_a = T::lit(-2.0 / 3.0) * g[0] - T::lit(1.0 / 3.0) * g[2];
        let even_b = T::lit(1.0 / 6.0) * g[0] + T::lit(1.0 / 3.0) * g[2];
        let (odd_a, odd_b) = (T::lit(-2.0 * A / 3.0) * g[1], T::lit(B / 6.0) * g[1]);
        [g[0], even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, g[2]]
    }

    #[inline(always)]
    fn outputs<T: Scalar>(m: [T; 6]) -> [T; 4] {
        let (sum_a, difference_a) = (m[1] + m[2], m[1] - m[2]);
        let (sum_b, difference_b) = (m[3] + m[4], m[3] - m[4]);
        [
            m[0] + (sum_a + sum_b),
            T::lit(A) * difference_a + T::lit(B) * difference_b,
            T::lit(0.5) * sum_a + T::lit(2.0) * sum_b,
            T::lit(A / 2.0) * difference_a + (T::lit(2.0 * B) * difference_b + m[5]),
        ]
    }

    #[inline(always)]
    fn gradients<T: Scalar>(dy: [T; 4]) -> [T; 6] {
        let even_a = T::lit(-2.0 / 3.0) * dy[0] - T::lit(1.0 / 3.0) * dy[2];
        let odd_a = T::lit(-2.0 * A / 3.0) * dy[1] - T::lit(A / 3.0) * dy[3];
        let even_b = T::lit(1.0 / 6.0) * dy[0] + T::lit(1.0 / 3.0) * dy[2];
        let odd_b = T::lit(B / 6.0) * dy[1] + T::lit(B / 3.0) * dy[3];
        [dy[0], even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, dy[3]]
    }

    #[inline(always)]
    fn tap_gradients<T: Scalar>(m: [T; 6]) -> [T; 3] {
        let (sum_a, difference_a) = (m[1] + m[2], m[1] - m[2]);
        let (sum_b, difference_b) = (m[3] + m[4], m[3] - m[4]);
        [
            m[0] + (sum_a + sum_b),
            T::lit(A) * difference_a + T::lit(B) * difference_b,
            T::lit(0.5) * sum_a + (T::lit(2.0) * sum_b + m[5]),
        ]
    }
}

/// What begins at a cache line: a vector that lies in two of them takes twice as long.
#[repr(align(64))]
pub struct Aligned<A>(pub A);

/// Transforms `H` values to `O`, for `V` neighbouring channels: one lane after the other, as it is written, which the compiler makes
/// one vector. (A loop over vectors with loops over lanes in it looks the same, and with AVX-512 becomes eight columns at a time,
/// gathered and scattered; so do both directions of a block in one loop over lanes.) A macro, because a function that took the
/// transformation would not be sure to have it inlined, and a call would be compiled for any machine.
macro_rules! along {
    ($values:expr, $transform:path, $h:expr => $o:expr) => {{
        let values = $values;
        let mut transformed = [[T::zero(); V]; $o];
        for lane in 0..V {
            let mut one = [T::zero(); $h];
            for i in 0..$h {
                one[i] = values[i][lane];
            }
            let one = $transform(one);
            for i in 0..$o {
                transformed[i][lane] = one[i];
            }
        }
        transformed
    }};
}

/// Transforms the columns of a block of `H x W`, then its rows, to `O x P`: `$values` gives the `&[T; V]` of a place, and `$row` takes
/// the results of a row. What is between both directions lies in `$half`, which is made once for many blocks: to clear it takes as long
/// as to transform.
macro_rules! both {
    (
        $half:ident, |$y:ident, $x:ident| $values:expr, $transform:path, [$h:expr, $w:expr] => [$o:expr, $p:expr],
        |$to:ident, $results:ident| $row:expr
    ) => {{
        let nothing = [T::zero(); V];
        for $x in 0..$w {
            let mut column = [&nothing; $h];
            for $y in 0..$h {
                column[$y] = $values;
            }
            let column = along!(column, $transform, $h => $o);
            for y in 0..$o {
                $half.0[y][$x] = column[y];
            }
        }
        for $to in 0..$o {
            let $results = along!(&$half.0[$to], $transform, $w => $p);
            $row
        }
    }};
}
