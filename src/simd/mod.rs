//! Instruction sets: the only room with `unsafe`.
//!
//! A crate that is compiled for every x86-64 machine may use only SSE2, a quarter of what a
//! processor with AVX2 and FMA can do. So a kernel is written once, as safe generic code over
//! [`Simd`], and [`dispatch`] enters a copy of it that was compiled for the best instruction set
//! of the machine at hand. The compiler's vectoriser does the rest: everything inside is
//! `#[inline(always)]`, so that it lands in the function that carries the `#[target_feature]`.
//!
//! Fused multiply-add rounds once where `a * b + c` rounds twice, so two instruction sets give
//! results that differ in the last bit. One machine always takes the same one.
//!
//! The environment variable `CINTA_SIMD` (`portable`, `avx2` or `avx512`) lowers the level, for
//! tests and comparisons. It never raises it above what the machine has.

mod dual;
mod loops;
pub mod math;
#[cfg(test)]
mod oracle;
mod strip;
#[cfg(test)]
pub mod testing;
mod vector;

pub use dual::{Dual, Pairs};
pub use loops::{Offsets, Part, Slide, dots, lanewise};
pub use strip::{Finish, Left, Place, Start, Strip, tile_width};
pub use vector::{Number, Vector};

use num_traits::Float;
use std::marker::PhantomData;
use std::sync::OnceLock;

/// An instruction set, as the kernels see it.
pub trait Simd: Sized {
    /// `a * b + c`, fused where the instruction set has it.
    fn mul_add<T: Float>(a: T, b: T, c: T) -> T;

    /// Runs a kernel in a function of its own, from inside of another one with the same instruction set.
    fn enter<K: Kernel>(kernel: K) -> K::Output;

    /// A vector that fills a register.
    type Vector<T: Number>: Vector<T>;

    /// Bytes of one vector register, and how many there are: from them a kernel chooses its tile of accumulators.
    const VECTOR_BYTES: usize;
    const REGISTERS: usize;
}

/// How many numbers a vector holds, as a constant: a `match` on it leaves only one arm to compile.
pub struct Lanes<S, T>(PhantomData<(S, T)>);

impl<S: Simd, T: Number> Lanes<S, T> {
    /// The number.
    pub const COUNT: usize = <S::Vector<T> as Vector<T>>::LANES;
}

/// A computation that [`dispatch`] compiles once for each instruction set.
///
/// Mark `run` as `#[inline(always)]`: a call that stays a call is compiled for the portable level.
pub trait Kernel {
    /// What the computation returns.
    type Output;

    /// Whether vectors of more than 32 bytes are of use. Blocks that are no longer than those the compiler would
    /// only take apart, to fill a longer vector with pieces of several.
    const LONG: bool = true;

    /// Runs it with the instruction set `S`.
    fn run<S: Simd>(self) -> Self::Output;
}

/// Whatever the target of the build has: SSE2 on x86-64, NEON on aarch64.
struct Portable;

impl Simd for Portable {
    #[inline(always)]
    fn mul_add<T: Float>(a: T, b: T, c: T) -> T {
        // Where the target has no FMA instruction, `mul_add` is a call into the C library.
        if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
            a.mul_add(b, c)
        } else {
            a * b + c
        }
    }

    #[inline(never)]
    fn enter<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Self>()
    }

    type Vector<T: Number> = T::Short;
    const VECTOR_BYTES: usize = 16;
    // More on aarch64, where it was never measured what they are good for.
    const REGISTERS: usize = 16;
}

/// The levels in ascending order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The best level of this machine, or the lower one that `CINTA_SIMD` asks for.
fn level() -> Level {
    #[cfg(test)]
    if let Some(level) = testing::asked() {
        return level;
    }
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| {
        match std::env::var("CINTA_SIMD").as_deref() {
            Err(_) => detected(),
            Ok("portable") => Level::Portable,
            #[cfg(target_arch = "x86_64")]
            Ok("avx2") => Level::Avx2.min(detected()),
            #[cfg(target_arch = "x86_64")]
            Ok("avx512") => detected(),
            // Ignored silently, a typing error would make a comparison of nothing.
            Ok(other) => panic!("CINTA_SIMD is {other:?}; it is portable, avx2 or avx512"),
        }
    })
}

fn detected() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        if avx2 && avx512 {
            return Level::Avx512;
        }
        if avx2 {
            return Level::Avx2;
        }
    }
    Level::Portable
}

/// How many numbers a vector of the instruction set that [`dispatch`] enters holds.
pub fn lanes<T: Number>() -> usize {
    struct Count<T>(PhantomData<T>);
    impl<T: Number> Kernel for Count<T> {
        type Output = usize;
        #[inline(always)]
        fn run<S: Simd>(self) -> usize {
            Lanes::<S, T>::COUNT
        }
    }
    dispatch(Count(PhantomData::<T>))
}

/// Calls the method `$call` with an instruction set and, as a constant, the lanes of its vectors.
macro_rules! with_lanes {
    ($self:ident.$call:ident::<$S:ty, $T:ty>()) => {
        match $crate::simd::Lanes::<$S, $T>::COUNT {
            2 => $self.$call::<$S, 2>(),
            4 => $self.$call::<$S, 4>(),
            8 => $self.$call::<$S, 8>(),
            16 => $self.$call::<$S, 16>(),
            lanes => unreachable!("no vector of {lanes} lanes"),
        }
    };
}
pub(crate) use with_lanes;

/// Runs `kernel` with the best instruction set of this machine.
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    match level() {
        Level::Portable => kernel.run::<Portable>(),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `level` returns this only where AVX2 and FMA were detected.
        Level::Avx2 => unsafe { x86::avx2(kernel) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `level` returns this only where AVX2 and FMA were detected as well.
        Level::Avx512 if !K::LONG => unsafe { x86::avx2(kernel) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `level` returns this only where AVX-512 F, BW, DQ and VL, AVX2 and FMA were detected.
        Level::Avx512 => unsafe { x86::avx512(kernel) },
    }
}

/// Runs `kernel` with what every processor of the target has.
pub fn portable<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Portable>()
}

/// The name of the instruction set that the kernels use on this machine: `"portable"`, `"avx2"` (with FMA) or
/// `"avx512"` (F, BW, DQ and VL).
///
/// ```
/// assert!(["portable", "avx2", "avx512"].contains(&cinta::instruction_set()));
/// ```
pub fn instruction_set() -> &'static str {
    match level() {
        Level::Portable => "portable",
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => "avx2",
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => "avx512",
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Float, Kernel, Number, Simd};

    struct Avx2;
    struct Avx512;

    impl Simd for Avx2 {
        #[inline(always)]
        fn mul_add<T: Float>(a: T, b: T, c: T) -> T {
            a.mul_add(b, c)
        }

        #[inline(always)]
        fn enter<K: Kernel>(kernel: K) -> K::Output {
            // SAFETY: a kernel that has this instruction set was entered where it was detected.
            unsafe { avx2(kernel) }
        }

        type Vector<T: Number> = T::Middle;
        const VECTOR_BYTES: usize = 32;
        const REGISTERS: usize = 16;
    }

    impl Simd for Avx512 {
        #[inline(always)]
        fn mul_add<T: Float>(a: T, b: T, c: T) -> T {
            a.mul_add(b, c)
        }

        #[inline(always)]
        fn enter<K: Kernel>(kernel: K) -> K::Output {
            // SAFETY: a kernel that has this instruction set was entered where it was detected.
            unsafe { avx512(kernel) }
        }

        type Vector<T: Number> = T::Long;
        const VECTOR_BYTES: usize = 64;
        const REGISTERS: usize = 32;
    }

    #[inline(never)]
    #[target_feature(enable = "avx2,fma")]
    pub fn avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Avx2>()
    }

    // With AVX-512 F alone, the compiler keeps long-lived values in 16 of the 32 registers. All processors that have
    // it but one family (Knights Landing) have the other three as well.
    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    pub fn avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Avx512>()
    }
}
