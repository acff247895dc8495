//! From the third step of `fit` on, no memory of 4 KB or more is asked of the system.

mod lenet;

use cinta::prelude::*;
use cinta::{Config, Optimizer, Pace, Step, Stream};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Steps whose update has begun.
static STEPS: AtomicUsize = AtomicUsize::new(0);
/// Large allocations in the first two steps, and in those after them.
static EARLY: AtomicUsize = AtomicUsize::new(0);
static LATE: AtomicUsize = AtomicUsize::new(0);
/// The counters count for one test at a time.
static ONE: Mutex<()> = Mutex::new(());

struct Counting;

impl Counting {
    fn count(size: usize) {
        if size >= 4096 {
            match STEPS.load(Relaxed) {
                0..2 => EARLY.fetch_add(1, Relaxed),
                2..IDLE => LATE.fetch_add(1, Relaxed),
                _ => 0,
            };
        }
    }
}

/// Steps beyond which nothing is counted.
const IDLE: usize = 1_000_000;

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::count(size);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// An optimizer that tells which step it is.
struct Watched<O>(O, usize);

impl<O: Optimizer<f32>> Optimizer<f32> for Watched<O> {
    fn class_name(&self) -> &str {
        self.0.class_name()
    }

    fn config(&self) -> Config {
        self.0.config()
    }

    fn pace(&self) -> &Pace {
        self.0.pace()
    }

    fn slots(&self) -> &'static [&'static str] {
        self.0.slots()
    }

    fn update(&self, step: Step, weight: &mut [f32], gradient: &[f32], slots: &mut [&mut [f32]]) {
        // The last step is not counted to its end: what follows it is no step.
        let step_number = if step.number as usize == self.1 { IDLE } else { step.number as usize };
        STEPS.store(step_number, Relaxed);
        self.0.update(step, weight, gradient, slots);
    }
}

/// Large allocations in the first two of `steps` steps, and after them.
fn count(mut model: Model, shape: [usize; 3], batch_size: usize, steps: usize) -> [usize; 2] {
    let n = batch_size * steps;
    let [h, w, c] = shape;
    let x = Tensor::uniform([n, h, w, c], 0.0, 1.0, &mut Stream::new(1));
    let labels: Vec<usize> = (0..n).map(|i| i % 10).collect();
    let data = Dataset::new(x, datasets::one_hot(&labels, 10).unwrap()).unwrap();
    let clipped = Adam::default().global_clipnorm(1.0).weight_decay(0.001);
    let optimizer = Watched(clipped, steps);
    let loss = CategoricalCrossentropy::new();
    model.compile(Compile::new(optimizer, loss.clone()).metric(Accuracy).metric(loss));
    let fit = Fit { batch_size, verbose: Verbose::Silent, ..Fit::default() };
    EARLY.store(0, Relaxed);
    LATE.store(0, Relaxed);
    STEPS.store(0, Relaxed);
    model.fit(&data, fit).unwrap();
    STEPS.store(IDLE, Relaxed);
    [&EARLY, &LATE].map(|counter| counter.load(Relaxed))
}

fn with_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}

/// Convolutions wide enough for transformed tiles, with the channels innermost.
fn wide() -> Model {
    Sequential::new([12, 12, 3])
        .add(Conv2d::new(32, 3).padding(Same).activation(Relu))
        .add(Conv2d::new(32, 3).activation(Relu))
        .add(MaxPooling2d::new(2))
        .add(AveragePooling2d::new(2))
        .add(Conv2d::new(16, 2).strides(2).padding(Same).activation(Tanh))
        .add(Flatten::new())
        .add(Dense::new(10).activation(Softmax))
        .build(1)
        .unwrap()
}

#[test]
fn one_thread_asks_for_nothing_from_the_third_step_on() {
    let _one = ONE.lock().unwrap();
    for batch_size in [256, 96, 32] {
        let [early, late] =
            with_threads(1, || count(lenet::network(1), [16, 16, 1], batch_size, 6));
        assert!(early > 10, "the count sees {early} allocations in the first two steps");
        assert_eq!(late, 0, "batches of {batch_size}");
    }
    let [early, late] = with_threads(1, || count(wide(), [12, 12, 3], 64, 6));
    assert!(early > 10, "the count sees {early} allocations in the first two steps");
    assert_eq!(late, 0);
}

/// A thread that gets its first shard late fills its pool late; it does so once.
#[test]
fn more_threads_ask_once_each() {
    let _one = ONE.lock().unwrap();
    let [early, _] = with_threads(1, || count(lenet::network(1), [16, 16, 1], 256, 6));
    let [_, late] = with_threads(3, || count(lenet::network(1), [16, 16, 1], 256, 60));
    assert!(late <= 3 * early, "{late} allocations in 58 steps, and {early} in the first two");
}
