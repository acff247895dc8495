//! The kernels against their definitions, as plain loops: in every rest of their loops, with every instruction set of
//! this machine, and with several numbers of threads.

mod conv2d;
mod gemm;
mod mask;
mod narrow;
mod outliers;
mod par;
mod pool2d;
mod threads;
mod window;

use crate::buffer::Buffer;
use crate::scalar::Scalar;
use crate::simd::{self, Kernel, Simd};

/// Runs `f` with each instruction set, without other threads.
fn at_each_level(f: impl Fn()) {
    crate::par::serially(|| simd::testing::at_each_level(f));
}

/// One chain of multiply-adds: what every element of a product is, bit by bit.
struct Chain<'a, T> {
    start: T,
    factors: &'a [(T, T)],
}

impl<T: Scalar> Kernel for Chain<'_, T> {
    type Output = T;
    #[inline(always)]
    fn run<S: Simd>(self) -> T {
        self.factors.iter().fold(self.start, |sum, &(a, b)| S::mul_add(a, b, sum))
    }
}

fn chain<T: Scalar>(start: T, factors: &[(T, T)]) -> T {
    simd::dispatch(Chain { start, factors })
}

/// Leaves memory full of NaNs to the next buffers of this length: what a kernel forgets to write is seen.
fn soil<T: Scalar>(len: usize) {
    let soiled = [(); 3].map(|()| Buffer::collect(len, std::iter::repeat(T::nan())));
    drop(soiled);
}
