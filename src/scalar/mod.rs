//! The element types, `f32` and `f64`, behind one sealed trait, and numbers that carry a derivative along.

mod dual;
mod elementary;
mod erfc;

pub use dual::Dual;
pub(crate) use erfc::erf;

pub(crate) use elementary::Elementary;

use crate::buffer::{Pool, Pooled};
use crate::simd::Number;
use std::cell::RefCell;
use std::fmt;
use std::thread::LocalKey;

/// An element of a [`Tensor`](crate::Tensor): `f32`, `f64`, or a [`Dual`] of another one.
///
/// The trait is sealed: kernels rely on knowing every implementation. Arithmetic comes from
/// [`num_traits::Float`]; what stands here is only what that trait lacks.
///
/// ```
/// use cinta::Scalar;
/// assert_eq!(f32::lit(0.5), 0.5f32);
/// assert_eq!(0.25f32.widen(), 0.25f64);
/// ```
pub trait Scalar:
    num_traits::Float
    + num_traits::NumAssign
    + std::iter::Sum
    + fmt::Debug
    + fmt::Display
    + fmt::LowerExp
    + Default
    + Send
    + Sync
    + Pooled
    + Elementary
    + Number
    + sealed::Sealed
    + 'static
{
    /// The type's name in messages and, in capitals, in files: `"f32"`, `"f64"` or `"dual"`.
    const NAME: &'static str;

    /// The number of bytes of one value.
    const BYTES: usize = size_of::<Self>();

    /// The value nearest to a literal: `T::lit(0.5)`.
    fn lit(value: f64) -> Self;

    /// The same value, or 0 in place of one that is closer to 0 than the smallest normal number. Processors take many
    /// times longer for such numbers, and weights that a penalty draws to 0 would become some.
    ///
    /// ```
    /// use cinta::Scalar;
    /// assert_eq!((1e-40f32.flushed(), 1e-30f32.flushed()), (0.0, 1e-30));
    /// ```
    fn flushed(self) -> Self;

    /// The same value where `keep`, else 0: without a branch, which in a loop over neighbours would be mispredicted
    /// half of the time and keep the compiler from making vectors of it.
    ///
    /// ```
    /// use cinta::Scalar;
    /// assert_eq!((2.5f32.kept_if(true), f32::NAN.kept_if(false)), (2.5, 0.0));
    /// ```
    fn kept_if(self, keep: bool) -> Self;

    /// The value as an `f64`, without loss; of a [`Dual`], the value alone.
    fn widen(self) -> f64;

    /// What long sums are added up in: `f64`, or a [`Dual`] of it.
    type Wide: Scalar<Wide = Self::Wide>;

    /// The same number in the wide type, without loss.
    ///
    /// ```
    /// use cinta::{Dual, Scalar};
    /// assert_eq!(0.25f32.wide(), 0.25f64);
    /// assert_eq!(Dual::new(0.25f32, 3.0).wide().tangent, 3.0f64);
    /// ```
    fn wide(self) -> Self::Wide;

    /// The number nearest to a wide one.
    ///
    /// ```
    /// use cinta::Scalar;
    /// assert_eq!(f32::narrow(0.1f64), 0.1f32);
    /// ```
    fn narrow(wide: Self::Wide) -> Self;

    /// `max(x, 0)`, whose slope at 0 is 0; a NaN stays one.
    ///
    /// ```
    /// use cinta::{Dual, Scalar};
    /// assert_eq!([2.5f32.rectified(), (-2.5f32).rectified()], [2.5, 0.0]);
    /// assert_eq!(Dual::new(0.0, 1.0).rectified().tangent, 0.0);
    /// ```
    #[inline(always)]
    fn rectified(self) -> Self {
        self.positive_part()
    }

    /// Appends the value's little-endian bytes.
    fn write_le(self, bytes: &mut Vec<u8>);

    /// Reads a value from exactly [`BYTES`](Self::BYTES) little-endian bytes.
    ///
    /// # Panics
    /// When `bytes` has another length.
    fn read_le(bytes: &[u8]) -> Self;

    /// What a [`Dual`] number consists of; a plain number is its own part.
    #[doc(hidden)]
    type Part: Scalar;

    /// The value and the derivative.
    #[doc(hidden)]
    fn parts(self) -> [Self::Part; 2];

    /// The number of these parts.
    #[doc(hidden)]
    fn of_parts(parts: [Self::Part; 2]) -> Self;

    /// This thread's pool of dual numbers of this type: `None` for those of dual numbers.
    #[doc(hidden)]
    fn dual_pool() -> Option<&'static LocalKey<RefCell<Pool<Dual<Self>>>>> {
        None
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl<T: super::Scalar> Sealed for super::Dual<T> {}
}

macro_rules! scalar {
    ($type:ident, $bits:ident) => {
        impl Scalar for $type {
            const NAME: &'static str = stringify!($type);

            #[inline(always)]
            fn lit(value: f64) -> Self {
                value as $type
            }

            #[inline(always)]
            fn flushed(self) -> Self {
                if self.abs() < $type::MIN_POSITIVE { 0.0 } else { self }
            }

            #[inline(always)]
            fn kept_if(self, keep: bool) -> Self {
                // All ones or all zeros.
                $type::from_bits(self.to_bits() & $bits::from(keep).wrapping_neg())
            }

            #[inline(always)]
            fn widen(self) -> f64 {
                f64::from(self)
            }

            type Wide = f64;

            #[inline(always)]
            fn wide(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn narrow(wide: f64) -> Self {
                wide as $type
            }

            fn write_le(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn read_le(bytes: &[u8]) -> Self {
                $type::from_le_bytes(bytes.try_into().expect("one value's bytes"))
            }

            type Part = Self;

            #[inline(always)]
            fn parts(self) -> [Self; 2] {
                [self, 0.0]
            }

            #[inline(always)]
            fn of_parts([value, _]: [Self; 2]) -> Self {
                value
            }

            fn dual_pool() -> Option<&'static LocalKey<RefCell<Pool<Dual<Self>>>>> {
                thread_local! {
                    static POOL: RefCell<Pool<Dual<$type>>> = const { RefCell::new(Pool::new()) };
                }
                Some(&POOL)
            }
        }
    };
}

scalar!(f32, u32);
scalar!(f64, u64);

/// Has generic code compiled in this crate, once, for `f32` and for `f64`: the body sees `T` as one and as the other.
///
/// Rust compiles a generic function in the package that calls it: again after every change there, and without optimisation
/// where that package has none. If the function is `#[inline(never)]`, though, and the library that it comes from has used it
/// for the same type, Rust links to what is there. So whatever does work is `#[inline(never)]`, and is reached from a line
/// like `compiled!(|x: &Var<T>| x.relu())` beside it. `docs/architecture.md` says more.
macro_rules! compiled {
    (|$($name:ident: $type:ty),*| $body:expr) => {
        $crate::scalar::compiled!(f32, |$($name: $type),*| $body);
        #[cfg(feature = "f64")]
        $crate::scalar::compiled!(f64, |$($name: $type),*| $body);
    };
    ($scalar:ident, |$($name:ident: $type:ty),*| $body:expr) => {
        #[allow(dead_code, reason = "it is there to be compiled")]
        const _: () = {
            type T = $scalar;
            struct Here;
            impl $crate::scalar::Compiled for Here {
                #[inline(never)]
                fn reached() -> *const () {
                    let call: fn($($type),*) = |$($name),*| { let _ = $body; };
                    call as *const ()
                }
            }
        };
    };
}
pub(crate) use compiled;

/// What [`compiled`] implements: a method of a trait is compiled where it is implemented, called or not.
#[allow(dead_code, reason = "nobody calls it")]
pub(crate) trait Compiled {
    fn reached() -> *const ();
}
