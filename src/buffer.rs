//! Memory that is used again.
//!
//! A training step makes and drops the same arrays over and over. Asking the system for each of them costs
//! more than filling it: fresh pages are cleared one by one when they are first touched. So a [`Buffer`]
//! that is dropped leaves its memory in a pool of its thread, and the next one of that size takes it from
//! there. After the first steps no array of 4 KB or more is allocated any more.
//!
//! What a pool keeps is bounded ([`KEPT_BYTES`]); a thread's pool ends with the thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

/// The most that one thread keeps of one element type.
const KEPT_BYTES: usize = 512 << 20;
/// Buffers begin at a cache line.
const ALIGNMENT: usize = 64;

/// Arrays that were dropped, by the thread that dropped them.
#[derive(Debug)]
pub struct Pool<T> {
    /// By their capacity, in its order.
    sizes: Vec<Size<T>>,
    bytes: usize,
    /// How many have come so far.
    count: u64,
}

/// Free arrays of one capacity.
#[derive(Debug)]
struct Size<T> {
    capacity: usize,
    /// In the order in which they were dropped, each with its number among all that came.
    free: VecDeque<(u64, Vec<T>)>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Pool<T> {
    pub const fn new() -> Self {
        Pool { sizes: Vec::new(), bytes: 0, count: 0 }
    }

    fn place(&self, capacity: usize) -> Result<usize, usize> {
        self.sizes.binary_search_by_key(&capacity, |size| size.capacity)
    }

    /// A free array of exactly this capacity; the one dropped last is most likely in the cache.
    fn take(&mut self, capacity: usize) -> Option<Vec<T>> {
        let at = self.place(capacity).ok()?;
        let (_, values) = self.sizes[at].free.pop_back()?;
        self.bytes -= capacity * size_of::<T>();
        Some(values)
    }

    /// Keeps an array, and lets those go that nobody asked for the longest.
    fn give(&mut self, values: Vec<T>) {
        let capacity = values.capacity();
        let bytes = capacity * size_of::<T>();
        if bytes > KEPT_BYTES {
            return;
        }
        let at = self.place(capacity).unwrap_or_else(|at| {
            self.sizes.insert(at, Size { capacity, free: VecDeque::new() });
            at
        });
        self.sizes[at].free.push_back((self.count, values));
        self.bytes += bytes;
        self.count += 1;
        while self.bytes > KEPT_BYTES {
            self.forget();
        }
    }

    /// Lets the array go that came first.
    fn forget(&mut self) {
        let sizes = self.sizes.iter_mut().filter(|size| !size.free.is_empty());
        let oldest = sizes.min_by_key(|size| size.free[0].0).expect("something has bytes");
        oldest.free.pop_front();
        self.bytes -= oldest.capacity * size_of::<T>();
    }

    /// How many arrays it has.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.sizes.iter().map(|size| size.free.len()).sum()
    }
}

/// An element type that may have a pool on every thread.
pub trait Pooled: Copy + Default + 'static {
    /// The pool of this thread: `None` for a type whose memory goes back to the system. (A generic type cannot have a `static`.)
    fn pool() -> Option<&'static LocalKey<RefCell<Pool<Self>>>>;
}

macro_rules! pooled {
    ($($name:ident: $type:ty),*) => {
        /// The pools of a thread for the crate's own numbers. (Those of dual numbers stay where they are.)
        #[derive(Debug, Default)]
        pub struct Pools {
            $($name: Pool<$type>),*
        }

        impl Pools {
            /// Exchanges them with those of this thread.
            pub fn exchange(&mut self) {
                $({
                    let pool = <$type>::pool().expect("each of these types has one");
                    pool.with(|pool| std::mem::swap(&mut *pool.borrow_mut(), &mut self.$name));
                })*
            }
        }

        $(
        impl Pooled for $type {
            fn pool() -> Option<&'static LocalKey<RefCell<Pool<Self>>>> {
                thread_local! {
                    static POOL: RefCell<Pool<$type>> = const { RefCell::new(Pool::new()) };
                }
                Some(&POOL)
            }
        }
        )*
    };
}

pooled!(f32: f32, f64: f64, u8: u8, u32: u32, usize: usize);

/// An array of fixed length from the pool: a `Vec` whose memory comes back.
#[derive(Debug, Default)]
pub struct Buffer<T: Pooled> {
    values: Vec<T>,
    start: usize,
    len: usize,
    /// Whether the memory goes back to a pool, and not to the system.
    pooled: bool,
}

/// The capacities that are asked for: four between each two powers of two, so that arrays of nearly the
/// same length serve each other and at most a quarter is unused.
fn capacity_for(len: usize) -> usize {
    let step = (len.next_power_of_two() / 8).max(1);
    len.next_multiple_of(step)
}

/// Memory of the system for so many values.
///
/// # Panics
/// When there is not so much. (A failed allocation would end the program.)
#[track_caller]
pub fn room<T>(len: usize) -> Vec<T> {
    with_capacity(len, len)
}

/// Memory for `len` values, with some space.
#[track_caller]
fn with_capacity<T>(capacity: usize, len: usize) -> Vec<T> {
    let mut values = Vec::new();
    if values.try_reserve_exact(capacity).is_err() {
        panic!("{len} values of {} bytes each are more than the memory holds", size_of::<T>());
    }
    values
}

impl<T: Pooled> Buffer<T> {
    /// An array with whatever values its memory held before: for writing all of them.
    ///
    /// # Panics
    /// When there is not so much memory.
    #[track_caller]
    #[inline(never)]
    pub fn stale(len: usize) -> Self {
        if len == 0 {
            return Buffer::default();
        }
        let padding = ALIGNMENT / size_of::<T>();
        // More than any memory holds is not rounded up: the sum might be too large for a number.
        let capacity =
            if len > isize::MAX as usize / 2 { len } else { capacity_for(len + padding) };
        let free = T::pool()
            .and_then(|pool| pool.try_with(|pool| pool.borrow_mut().take(capacity)).ok().flatten());
        let mut values = match free {
            Some(values) => values,
            None => with_capacity(capacity, len),
        };
        // The part that was never written is cleared; memory that comes back has been.
        if values.len() < len + padding {
            values.resize(capacity, T::default());
        }
        let behind = values.as_ptr() as usize % ALIGNMENT / size_of::<T>();
        let start = if behind == 0 { 0 } else { padding - behind };
        Buffer { values, start, len, pooled: true }
    }

    /// An array of zeros.
    #[track_caller]
    #[inline(never)]
    pub fn zeroed(len: usize) -> Self {
        let mut buffer = Self::stale(len);
        buffer.fill(T::default());
        buffer
    }

    /// The first `len` values of an iterator.
    ///
    /// # Panics
    /// When there are fewer.
    #[track_caller]
    pub fn collect(len: usize, values: impl IntoIterator<Item = T>) -> Self {
        let mut buffer = Self::stale(len);
        let mut values = values.into_iter();
        for slot in buffer.iter_mut() {
            *slot = values.next().expect("too few values for a buffer");
        }
        buffer
    }
}

impl<T: Pooled> Drop for Buffer<T> {
    #[inline(never)]
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        if self.pooled
            && let Some(pool) = T::pool()
        {
            // A thread that is ending has no pool any more.
            let _ = pool.try_with(|pool| {
                if let Ok(mut pool) = pool.try_borrow_mut() {
                    pool.give(values);
                }
            });
        }
    }
}

#[cfg(feature = "ndarray")]
impl<T: Pooled> Buffer<T> {
    /// The memory, and where the array starts in it. It does not come back to the pool.
    pub fn into_values(mut self) -> (Vec<T>, usize) {
        (std::mem::take(&mut self.values), self.start)
    }
}

impl<T: Pooled> Clone for Buffer<T> {
    #[inline(never)]
    fn clone(&self) -> Self {
        let mut copy = Self::stale(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl<T: Pooled> From<Vec<T>> for Buffer<T> {
    fn from(values: Vec<T>) -> Self {
        let len = values.len();
        Buffer { values, start: 0, len, pooled: false }
    }
}

impl<T: Pooled> Deref for Buffer<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.values[self.start..self.start + self.len]
    }
}

impl<T: Pooled> DerefMut for Buffer<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values[self.start..self.start + self.len]
    }
}

/// An array of somebody else's, or one from the pool.
pub enum Lent<'a, T: Pooled> {
    /// Where it lies.
    Borrowed(&'a [T]),
    /// A copy.
    Owned(Buffer<T>),
}

impl<T: Pooled> Deref for Lent<'_, T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Lent::Borrowed(values) => values,
            Lent::Owned(values) => values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_at_a_cache_line() {
        std::thread::spawn(|| {
            let mut first = Buffer::<f32>::zeroed(1000);
            first[999] = 7.0;
            let place = first.as_ptr();
            assert_eq!(place as usize % ALIGNMENT, 0);
            drop(first);
            // A little shorter, the same memory, with its old values.
            let second = Buffer::<f32>::stale(995);
            assert_eq!((second.as_ptr(), second.len()), (place, 995));
            let third = Buffer::<f32>::zeroed(1000);
            assert_ne!(third.as_ptr(), place);
            drop(second);
            assert!(Buffer::<f32>::zeroed(1000).iter().all(|&x| x == 0.0));
        })
        .join()
        .unwrap();
    }

    #[test]
    fn capacities_waste_at_most_a_quarter() {
        for len in 1..5000 {
            let capacity = capacity_for(len);
            assert!(len <= capacity && capacity * 4 <= len * 5 + 4, "{len}: {capacity}");
            assert_eq!(capacity_for(capacity), capacity);
        }
    }

    #[test]
    fn what_a_pool_keeps_is_bounded() {
        let mut pool = Pool::new();
        for _ in 0..3000 {
            pool.give(vec![0u8; 16]);
        }
        assert_eq!((pool.len(), pool.bytes), (3000, 16 * 3000));
        // The largest one that is kept pushes all others out; a larger one is not kept.
        pool.give(Vec::with_capacity(KEPT_BYTES));
        assert_eq!((pool.len(), pool.bytes), (1, KEPT_BYTES));
        pool.give(Vec::with_capacity(KEPT_BYTES + 1));
        assert_eq!((pool.len(), pool.bytes), (1, KEPT_BYTES));
    }

    #[test]
    fn too_much_memory_is_refused_in_words() {
        for len in [1 << 45, isize::MAX as usize / 8, isize::MAX as usize, usize::MAX] {
            for panicked in [
                std::panic::catch_unwind(|| drop(Buffer::<f32>::stale(len))),
                std::panic::catch_unwind(|| drop(room::<f32>(len))),
            ] {
                let message = panicked.expect_err("memory without end");
                let message = message.downcast_ref::<String>().expect("a message");
                assert_eq!(
                    *message,
                    format!("{len} values of 4 bytes each are more than the memory holds")
                );
            }
        }
    }

    #[test]
    fn a_users_vec_is_not_kept() {
        let buffer = Buffer::from(vec![1u32, 2, 3]);
        assert_eq!((&buffer[..], buffer.clone().len()), (&[1, 2, 3][..], 3));
        assert_eq!(&Buffer::collect(2, [5u8, 6, 7])[..], [5, 6]);
        assert!(Buffer::<f64>::zeroed(0).is_empty());
        let kept = || f64::pool().expect("a pool").with(|pool| pool.borrow().len());
        let (users, pooled) = (Buffer::from(vec![1.0f64; 77]), Buffer::<f64>::stale(77));
        let before = kept();
        drop(users);
        assert_eq!(kept(), before);
        drop(pooled);
        assert_eq!(kept(), before + 1);
    }

    fn check_lengths<T: Pooled + From<u8> + PartialEq + std::fmt::Debug>() {
        let mut held = Vec::new();
        for len in (0..300).chain([1 << 10, (1 << 10) + 1, 5000]) {
            // Memory that is not clean comes back, from the same length and from others.
            drop(Buffer::<T>::collect(len, std::iter::repeat(T::from(9))));
            let zeros = Buffer::<T>::zeroed(len);
            assert_eq!(&zeros[..], vec![T::default(); len]);
            let values = Buffer::collect(len, (0..len).map(|i| T::from(i as u8)));
            assert!(len == 0 || (values.as_ptr() as usize).is_multiple_of(ALIGNMENT), "{len}");
            assert!(values.iter().enumerate().all(|(i, &x)| x == T::from(i as u8)));
            held.push(values);
        }
        // No two of them lie in the same memory.
        for values in held {
            let copy = values.clone();
            assert!(values.is_empty() || copy.as_ptr() != values.as_ptr());
            assert!(values.iter().enumerate().all(|(i, &x)| x == T::from(i as u8)));
            assert_eq!(&copy[..], &values[..]);
        }
    }

    #[test]
    fn every_length_of_every_type() {
        check_lengths::<u8>();
        check_lengths::<u32>();
        check_lengths::<f32>();
        check_lengths::<f64>();
        assert_eq!(Buffer::collect(3, 5usize..)[..], [5, 6, 7]);
        assert!(std::panic::catch_unwind(|| Buffer::collect(3, [1u32, 2])).is_err());
    }

    #[test]
    fn capacities_are_four_between_powers_of_two() {
        let expected = [
            (1, 1),
            (7, 7),
            (8, 8),
            (9, 10),
            (10, 10),
            (11, 12),
            (15, 16),
            (16, 16),
            (17, 20),
            (20, 20),
            (21, 24),
            (25, 28),
            (29, 32),
            (33, 40),
            (1000, 1024),
            (1025, 1280),
            (1281, 1536),
        ];
        expected.iter().for_each(|&(len, capacity)| assert_eq!(capacity_for(len), capacity));
    }

    #[test]
    fn a_pool_gives_the_last_one_and_forgets_the_first() {
        let mut pool = Pool::new();
        for (value, capacity) in [(1u32, 10), (2, 20), (3, 10), (4, 20), (5, 40)] {
            let mut values = Vec::with_capacity(capacity);
            values.push(value);
            pool.give(values);
        }
        assert_eq!((pool.len(), pool.bytes), (5, 4 * 100));
        let mut take = |capacity: usize| pool.take(capacity).map(|values| values[0]);
        assert_eq!([take(10), take(20), take(10)], [Some(3), Some(4), Some(1)]);
        assert_eq!([take(10), take(15), take(39)], [None; 3]);
        assert_eq!((pool.len(), pool.bytes), (2, 4 * 60));
        // Too many bytes: the one that came first goes.
        pool.give(Vec::with_capacity(KEPT_BYTES / 4 - 50));
        assert_eq!((pool.len(), pool.bytes), (2, KEPT_BYTES - 4 * 10));
        assert_eq!(pool.take(20).map(|values| values.len()), None);
    }

    #[test]
    fn lent_arrays() {
        let values = [1.0f32, 2.0];
        assert_eq!(Lent::Borrowed(&values).as_ptr(), values.as_ptr());
        assert_eq!(Lent::Owned(Buffer::from(values.to_vec()))[..], values);
    }
}
