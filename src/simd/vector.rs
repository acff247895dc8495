//! Vectors of numbers in registers.
//!
//! The vectoriser makes vectors of loops over arrays, but now and then it makes the wrong ones. The loop of all products is not
//! left to it: it is written with these.

use super::Simd;
use num_traits::Float;
use std::ops::Range;

/// An element of vectors, with the vector that fills a register of 16, 32 and 64 bytes.
pub trait Number: Float {
    type Short: Vector<Self>;
    type Middle: Vector<Self>;
    type Long: Vector<Self>;

    /// How many registers such a vector takes.
    const REGISTERS: usize = 1;

    /// `max(x, 0)`, whose slope at 0 is 0; a NaN stays one.
    fn positive_part(self) -> Self;
}

/// A vector of `LANES` numbers, for kernels of the instruction set whose vector it is: [`dispatch`](super::dispatch) enters one only where
/// the processor has it.
pub trait Vector<T>: Copy {
    const LANES: usize;

    /// The same number in each lane.
    fn splat(value: T) -> Self;

    /// # Safety
    /// There are `LANES` numbers to read.
    unsafe fn load(from: *const T) -> Self;

    /// Reads only these lanes, lane `l` from `from + l`. The others are 0.
    ///
    /// # Safety
    /// There are numbers in the places of these lanes, and no more lanes than `LANES`.
    unsafe fn load_lanes(from: *const T, lanes: Range<usize>) -> Self;

    /// # Safety
    /// There is room for `LANES` numbers.
    unsafe fn store(self, to: *mut T);

    /// Writes only these lanes, lane `l` to `to + l`.
    ///
    /// # Safety
    /// As for [`load_lanes`](Self::load_lanes).
    unsafe fn store_lanes(self, to: *mut T, lanes: Range<usize>);

    /// `self + a b`, as [`Simd::mul_add`] rounds it.
    fn add_product<S: Simd>(self, a: Self, b: Self) -> Self;

    /// [`Number::positive_part`] of each lane.
    fn positive_part(self) -> Self;

    /// In each lane, `most` in place of what is larger; a NaN stays one.
    fn at_most(self, most: Self) -> Self;

    /// Of the lanes of two vectors, one behind the other: those at even places, and those at odd ones.
    fn unzipped(self, next: Self) -> [Self; 2];

    /// The lanes of two vectors in turn.
    fn zipped(self, other: Self) -> [Self; 2];
}

/// What is left to the vectoriser: the instruction sets without vectors below.
impl<T: Number, const LANES: usize> Vector<T> for [T; LANES] {
    const LANES: usize = LANES;

    #[inline(always)]
    fn splat(value: T) -> Self {
        [value; LANES]
    }

    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller's promise; an array is as aligned as its elements.
        unsafe { *from.cast() }
    }

    #[inline(always)]
    unsafe fn load_lanes(from: *const T, lanes: Range<usize>) -> Self {
        let mut values = [T::zero(); LANES];
        for lane in lanes {
            // SAFETY: the caller's promise.
            values[lane] = unsafe { *from.wrapping_add(lane) };
        }
        values
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller's promise.
        unsafe { *to.cast() = self };
    }

    #[inline(always)]
    unsafe fn store_lanes(self, to: *mut T, lanes: Range<usize>) {
        for lane in lanes {
            // SAFETY: the caller's promise.
            unsafe { *to.wrapping_add(lane) = self[lane] };
        }
    }

    #[inline(always)]
    fn add_product<S: Simd>(mut self, a: Self, b: Self) -> Self {
        for lane in 0..LANES {
            self[lane] = S::mul_add(a[lane], b[lane], self[lane]);
        }
        self
    }

    #[inline(always)]
    fn positive_part(mut self) -> Self {
        self.iter_mut().for_each(|value| *value = value.positive_part());
        self
    }

    #[inline(always)]
    fn at_most(mut self, most: Self) -> Self {
        for lane in 0..LANES {
            self[lane] = if self[lane] > most[lane] { most[lane] } else { self[lane] };
        }
        self
    }

    #[inline(always)]
    fn unzipped(self, next: Self) -> [Self; 2] {
        let at = |i: usize| if i < LANES { self[i] } else { next[i - LANES] };
        [0, 1].map(|odd| std::array::from_fn(|lane| at(2 * lane + odd)))
    }

    #[inline(always)]
    fn zipped(self, other: Self) -> [Self; 2] {
        let at = |i: usize| if i.is_multiple_of(2) { self[i / 2] } else { other[i / 2] };
        [0, LANES].map(|first| std::array::from_fn(|lane| at(first + lane)))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Range, Simd, Vector};
    use std::arch::x86_64::*;

    /// What all vectors of these instruction sets have in common.
    macro_rules! vector {
        (
            $vector:ident, $number:ident, $lanes:literal,
            $splat:ident, $load:ident, $store:ident, $mul_add:ident, $zero:ident, $max:ident, $min:ident,
            $load_lanes:expr, $store_lanes:expr, $unzipped:expr, $zipped:expr
        ) => {
            impl Vector<$number> for $vector {
                const LANES: usize = $lanes;

                #[inline(always)]
                fn splat(value: $number) -> Self {
                    // SAFETY: a kernel of this instruction set was entered where it was detected.
                    unsafe { $splat(value) }
                }

                #[inline(always)]
                unsafe fn load(from: *const $number) -> Self {
                    // SAFETY: as for `splat`, and the caller's promise.
                    unsafe { $load(from) }
                }

                #[inline(always)]
                unsafe fn load_lanes(from: *const $number, lanes: Range<usize>) -> Self {
                    // SAFETY: as for `splat`, and the caller's promise.
                    unsafe { $load_lanes(from, lanes) }
                }

                #[inline(always)]
                unsafe fn store(self, to: *mut $number) {
                    // SAFETY: as for `splat`, and the caller's promise.
                    unsafe { $store(to, self) }
                }

                #[inline(always)]
                unsafe fn store_lanes(self, to: *mut $number, lanes: Range<usize>) {
                    // SAFETY: as for `splat`, and the caller's promise.
                    unsafe { $store_lanes(self, to, lanes) }
                }

                #[inline(always)]
                fn add_product<S: Simd>(self, a: Self, b: Self) -> Self {
                    // SAFETY: as for `splat`.
                    unsafe { $mul_add(a, b, self) }
                }

                // Both give the second number where one of the two is a NaN, and where they are equal.

                #[inline(always)]
                fn positive_part(self) -> Self {
                    // SAFETY: as for `splat`.
                    unsafe { $max($zero(), self) }
                }

                #[inline(always)]
                fn at_most(self, most: Self) -> Self {
                    // SAFETY: as for `splat`.
                    unsafe { $min(most, self) }
                }

                #[inline(always)]
                fn unzipped(self, next: Self) -> [Self; 2] {
                    // SAFETY: as for `splat`.
                    unsafe { $unzipped(self, next) }
                }

                #[inline(always)]
                fn zipped(self, other: Self) -> [Self; 2] {
                    // SAFETY: as for `splat`.
                    unsafe { $zipped(self, other) }
                }
            }
        };
    }

    /// A bit for each of the lanes.
    #[inline(always)]
    fn bits(lanes: Range<usize>) -> u16 {
        ((1u32 << lanes.end) - (1u32 << lanes.start)) as u16
    }

    // Which lanes of two vectors, one behind the other, two results are made of.
    const EVEN_ODD_16: [[i32; 16]; 2] = [
        [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30],
        [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31],
    ];
    const IN_TURN_16: [[i32; 16]; 2] = [
        [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23],
        [8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31],
    ];
    const EVEN_ODD_8: [[i64; 8]; 2] = [[0, 2, 4, 6, 8, 10, 12, 14], [1, 3, 5, 7, 9, 11, 13, 15]];
    const IN_TURN_8: [[i64; 8]; 2] = [[0, 8, 1, 9, 2, 10, 3, 11], [4, 12, 5, 13, 6, 14, 7, 15]];

    vector!(
        __m512,
        f32,
        16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_fmadd_ps,
        _mm512_setzero_ps,
        _mm512_max_ps,
        _mm512_min_ps,
        |from, lanes| _mm512_maskz_loadu_ps(bits(lanes), from),
        |vector, to, lanes| _mm512_mask_storeu_ps(to, bits(lanes), vector),
        |a, b| EVEN_ODD_16.map(|places| _mm512_permutex2var_ps(
            a,
            _mm512_loadu_si512(places.as_ptr().cast()),
            b
        )),
        |a, b| IN_TURN_16.map(|places| _mm512_permutex2var_ps(
            a,
            _mm512_loadu_si512(places.as_ptr().cast()),
            b
        ))
    );
    vector!(
        __m512d,
        f64,
        8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_fmadd_pd,
        _mm512_setzero_pd,
        _mm512_max_pd,
        _mm512_min_pd,
        |from, lanes| _mm512_maskz_loadu_pd(bits(lanes) as u8, from),
        |vector, to, lanes| _mm512_mask_storeu_pd(to, bits(lanes) as u8, vector),
        |a, b| EVEN_ODD_8.map(|places| _mm512_permutex2var_pd(
            a,
            _mm512_loadu_si512(places.as_ptr().cast()),
            b
        )),
        |a, b| IN_TURN_8.map(|places| _mm512_permutex2var_pd(
            a,
            _mm512_loadu_si512(places.as_ptr().cast()),
            b
        ))
    );
    // By an array: an AMD processor takes 20 cycles and more for a masked store of AVX2.
    vector!(
        __m256,
        f32,
        8,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_fmadd_ps,
        _mm256_setzero_ps,
        _mm256_max_ps,
        _mm256_min_ps,
        |from, lanes| std::mem::transmute(<[f32; 8]>::load_lanes(from, lanes)),
        |vector, to, lanes| std::mem::transmute::<__m256, [f32; 8]>(vector).store_lanes(to, lanes),
        |a, b| [_mm256_shuffle_ps::<0b10_00_10_00>(a, b), _mm256_shuffle_ps::<0b11_01_11_01>(a, b)]
            .map(|halves| _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(
                _mm256_castps_pd(halves)
            ))),
        |a, b| {
            let (low, high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            [_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high)]
        }
    );
    vector!(
        __m256d,
        f64,
        4,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_fmadd_pd,
        _mm256_setzero_pd,
        _mm256_max_pd,
        _mm256_min_pd,
        |from, lanes| std::mem::transmute(<[f64; 4]>::load_lanes(from, lanes)),
        |vector, to, lanes| std::mem::transmute::<__m256d, [f64; 4]>(vector).store_lanes(to, lanes),
        |a, b| [_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b)]
            .map(|halves| _mm256_permute4x64_pd::<0b11_01_10_00>(halves)),
        |a, b| {
            let (low, high) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
            [_mm256_permute2f128_pd::<0x20>(low, high), _mm256_permute2f128_pd::<0x31>(low, high)]
        }
    );
}

macro_rules! number {
    ($number:ident, $middle:ident, $long:ident) => {
        impl Number for $number {
            type Short = [$number; 16 / size_of::<$number>()];
            #[cfg(target_arch = "x86_64")]
            type Middle = std::arch::x86_64::$middle;
            #[cfg(target_arch = "x86_64")]
            type Long = std::arch::x86_64::$long;
            #[cfg(not(target_arch = "x86_64"))]
            type Middle = Self::Short;
            #[cfg(not(target_arch = "x86_64"))]
            type Long = Self::Short;

            #[inline(always)]
            fn positive_part(self) -> Self {
                if self < 0.0 { 0.0 } else { self }
            }
        }
    };
}

number!(f32, __m256, __m512);
number!(f64, __m256d, __m512d);
