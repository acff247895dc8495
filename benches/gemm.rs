//! Matrix products, on one thread and on all: `cargo bench --bench gemm`.
//!
//! Criterion prints floating-point operations per second as elements. `peak` is a loop of fused
//! multiply-adds on registers, which no product can be faster than.

use cinta::{Stream, Tensor};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

/// Products of 1 by 1 with a long sum would measure memory; this sums in registers alone.
fn peak(criterion: &mut Criterion) {
    const STEPS: usize = 100_000;
    let mut group = criterion.benchmark_group("peak");
    group.throughput(Throughput::Elements(2 * (STEPS * registers::LANES) as u64));
    group.bench_function("f32, one thread", |bencher| {
        bencher.iter(|| registers::multiply_add(black_box(STEPS)));
    });
    group.finish();
}

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gemm");
    group.sample_size(20);
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    for size in [256, 1024] {
        group.throughput(Throughput::Elements(2 * (size as u64).pow(3)));
        let rng = &mut Stream::new(1);
        let a = Tensor::<f32>::uniform([size, size], -1.0, 1.0, rng);
        let b = Tensor::<f32>::uniform([size, size], -1.0, 1.0, rng);
        group.bench_function(format!("f32 {size}, one thread"), |bencher| {
            one.install(|| bencher.iter(|| black_box(a.matmul(&b))));
        });
        group.bench_function(format!("f32 {size}"), |bencher| {
            bencher.iter(|| black_box(a.matmul(&b)));
        });
        let a = Tensor::<f64>::uniform([size, size], -1.0, 1.0, rng);
        let b = Tensor::<f64>::uniform([size, size], -1.0, 1.0, rng);
        group.bench_function(format!("f64 {size}, one thread"), |bencher| {
            one.install(|| bencher.iter(|| black_box(a.matmul(&b))));
        });
    }
    group.finish();
}

/// A loop of fused multiply-adds with nothing else in it.
mod registers {
    /// Numbers that are multiplied and added in one step.
    #[cfg(target_arch = "x86_64")]
    pub const LANES: usize = 12 * 8;
    #[cfg(not(target_arch = "x86_64"))]
    pub const LANES: usize = 12 * 4;

    #[inline(always)]
    fn steps(steps: usize) -> [f32; LANES] {
        let mut acc = [0.0f32; LANES];
        let (a, b) = (std::hint::black_box(0.999f32), std::hint::black_box(0.001f32));
        for _ in 0..steps {
            for x in &mut acc {
                *x = x.mul_add(a, b);
            }
        }
        acc
    }

    #[cfg(target_arch = "x86_64")]
    pub fn multiply_add(count: usize) -> [f32; LANES] {
        #[target_feature(enable = "avx2,fma")]
        fn with_fma(count: usize) -> [f32; LANES] {
            steps(count)
        }
        assert!(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"));
        // SAFETY: both features were just detected.
        unsafe { with_fma(count) }
    }

    #[cfg(not(target_arch = "x86_64"))]
    pub fn multiply_add(count: usize) -> [f32; LANES] {
        steps(count)
    }
}

criterion_group!(benches, peak, products);
criterion_main!(benches);
