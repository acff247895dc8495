//! Functions of numbers, compiled for each instruction set and applied to all elements.
//!
//! [`Tensor::map`] takes any closure, and is compiled for the oldest processor of the target. What is worth vectors is a [`Pointwise`]
//! function, or a [`Rule`]. Elements are taken by blocks of constant length, and what is left at the end as a block with zeros behind it: so each element is
//! computed by the same loop, wherever it lies.

use super::Tensor;
use crate::buffer::Buffer;
use crate::par;
use crate::scalar::Scalar;
use crate::simd::{Kernel, Simd};

/// A function of `N` numbers without a branch. Mark `of` as `#[inline(always)]`, and all that it calls, or use [`pointwise`].
pub(crate) trait Pointwise<T, const N: usize>: Copy + Sync {
    fn of(self, x: [T; N]) -> T;
}

/// Makes a type of a function: `pointwise!(Name = |x, y| ..)` for numbers of type `T`, or `pointwise!(Name { a, b } = |x| ..)` with parameters.
macro_rules! pointwise {
    ($vis:vis $name:ident = |$($x:ident),+| $body:expr) => {
        #[derive(Clone, Copy)]
        $vis struct $name;
        impl<T: $crate::scalar::Scalar>
            $crate::tensor::Pointwise<T, { [$(stringify!($x)),+].len() }> for $name
        {
            #[inline(always)]
            fn of(self, [$($x),+]: [T; [$(stringify!($x)),+].len()]) -> T {
                $body
            }
        }
    };
    ($name:ident { $($field:ident),+ } = |$($x:ident),+| $body:expr) => {
        #[derive(Clone, Copy)]
        struct $name<T> { $($field: T),+ }
        impl<T: $crate::scalar::Scalar>
            $crate::tensor::Pointwise<T, { [$(stringify!($x)),+].len() }> for $name<T>
        {
            #[inline(always)]
            fn of(self, [$($x),+]: [T; [$(stringify!($x)),+].len()]) -> T {
                let $name { $($field),+ } = self;
                $body
            }
        }
    };
}
pub(crate) use pointwise;

// Those that are used in several places, and compiled once.
pointwise!(pub(crate) Exp = |x| x.vector_exp());
pointwise!(pub(crate) Ln = |x| x.vector_ln());
pointwise!(pub(crate) Logistic = |x| x.logistic());
pointwise!(pub(crate) Tanh = |x| x.vector_tanh());

/// Elements of a block: two vectors of the longest registers, for `f32`.
const BLOCK: usize = 32;

/// `y = f(x)` of every element of a slice, or `y = f(y)`.
struct Map<'a, T, F> {
    f: F,
    x: Option<&'a [T]>,
    y: &'a mut [T],
}

impl<T: Scalar, F: Pointwise<T, 1>> Kernel for Map<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Map { f, x, y } = self;
        assert!(x.is_none_or(|x| x.len() == y.len()), "as many results as numbers");
        let (sources, x_rest) = x.unwrap_or(&[]).as_chunks::<BLOCK>();
        let (blocks, y_rest) = y.as_chunks_mut::<BLOCK>();
        let mut last = [T::zero(); BLOCK];
        let rest = if x.is_some() { x_rest } else { &*y_rest };
        last[..rest.len()].copy_from_slice(rest);
        // One loop body for all, also for the last: the code of `f` is there once.
        for i in 0..blocks.len() + usize::from(!rest.is_empty()) {
            let block = blocks.get_mut(i).unwrap_or(&mut last);
            let x = *sources.get(i).unwrap_or(block);
            let mut y = [T::zero(); BLOCK];
            for k in 0..BLOCK {
                y[k] = f.of([x[k]]);
            }
            *block = y;
        }
        let rest = y_rest.len();
        y_rest.copy_from_slice(&last[..rest]);
    }
}

/// A rule that moves `N` numbers, as `x` says. Its `of` is `#[inline(always)]` and has no branch, too.
pub(crate) trait Rule<T, const N: usize>: Copy {
    fn of(self, numbers: [T; N], x: T) -> [T; N];
}

/// A function of two numbers that replaces the first.
#[derive(Clone, Copy)]
struct First<F>(F);

impl<T, F: Pointwise<T, 2>> Rule<T, 1> for First<F> {
    #[inline(always)]
    fn of(self, [x]: [T; 1], y: T) -> [T; 1] {
        [self.0.of([x, y])]
    }
}

/// A rule for every element of `N + 1` slices.
struct Move<'a, T, R, const N: usize> {
    rule: R,
    numbers: [&'a mut [T]; N],
    x: &'a [T],
}

impl<T: Scalar, R: Rule<T, N>, const N: usize> Kernel for Move<'_, T, R, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        let Move { rule, numbers, x } = self;
        let (blocks, rest) = x.as_chunks::<BLOCK>();
        let whole = x.len() - rest.len();
        let (mut last, mut last_x) = ([[T::zero(); BLOCK]; N], [T::zero(); BLOCK]);
        last_x[..rest.len()].copy_from_slice(rest);
        for (last, numbers) in last.iter_mut().zip(&numbers) {
            assert_eq!(numbers.len(), x.len(), "as many numbers everywhere");
            last[..rest.len()].copy_from_slice(&numbers[whole..]);
        }
        for i in 0..blocks.len() + usize::from(!rest.is_empty()) {
            let x = *blocks.get(i).unwrap_or(&last_x);
            let mut block = last;
            if i < blocks.len() {
                for j in 0..N {
                    block[j] = numbers[j].as_chunks().0[i];
                }
            }
            for k in 0..BLOCK {
                let mut numbers = [T::zero(); N];
                for j in 0..N {
                    numbers[j] = block[j][k];
                }
                let moved = rule.of(numbers, x[k]);
                for j in 0..N {
                    block[j][k] = moved[j];
                }
            }
            if i < blocks.len() {
                for j in 0..N {
                    numbers[j].as_chunks_mut().0[i] = block[j];
                }
            } else {
                last = block;
            }
        }
        for (last, numbers) in last.iter().zip(numbers) {
            numbers[whole..].copy_from_slice(&last[..rest.len()]);
        }
    }
}

/// Elements that one thread takes at a time.
const PART: usize = 1 << 14;

/// `y = f(x)` of every element.
#[inline(never)]
fn map_slice<T: Scalar>(f: impl Pointwise<T, 1>, x: &[T], y: &mut [T]) {
    assert_eq!(x.len(), y.len(), "as many results as numbers");
    in_parts(y, &|first, y| T::dispatch(Map { f, x: Some(&x[first..][..y.len()]), y }));
}

/// Calls `f(first, part)` for parts of a slice, on several threads where it is long.
pub(super) fn in_parts<T: Scalar>(y: &mut [T], f: &(dyn Fn(usize, &mut [T]) + Sync)) {
    let work = 4 * y.len();
    par::for_each_part(y, PART, work, || (), |(), part, y| f(part * PART, y));
}

/// `x = f(x)` of every element.
#[inline(never)]
pub(crate) fn map_in_place<T: Scalar>(f: impl Pointwise<T, 1>, x: &mut [T]) {
    T::dispatch(Map { f, x: None, y: x });
}

/// `x = f(x, y)` of every element.
pub(crate) fn zip_slice<T: Scalar>(f: impl Pointwise<T, 2>, x: &mut [T], y: &[T]) {
    assert_eq!(x.len(), y.len(), "as many numbers everywhere");
    in_parts(x, &|first, x| {
        let y = &y[first..][..x.len()];
        move_slices(First(f), [x], y);
    });
}

/// A rule for every element of `N + 1` slices.
#[inline(never)]
pub(crate) fn move_slices<T: Scalar, const N: usize>(
    rule: impl Rule<T, N>,
    numbers: [&mut [T]; N],
    x: &[T],
) {
    T::dispatch(Move { rule, numbers, x });
}

/// Whether every number is finite.
#[inline(never)]
pub(crate) fn all_finite<T: Scalar>(x: &[T]) -> bool {
    struct Finite<'a, T>(&'a [T]);
    impl<T: Scalar> Kernel for Finite<'_, T> {
        type Output = bool;
        #[inline(always)]
        fn run<S: Simd>(self) -> bool {
            // Without an early end, so that vectors can be compared.
            self.0.iter().fold(true, |all, x| all & x.is_finite())
        }
    }
    T::dispatch(Finite(x))
}

impl<T: Scalar> Tensor<T> {
    /// [`map`](Self::map) with vectors.
    #[track_caller]
    pub(crate) fn map_pointwise(&self, f: impl Pointwise<T, 1>) -> Tensor<T> {
        self.map_slices(&mut |y, x| map_slice(f, x, y))
    }

    /// [`into_zip_with`](Self::into_zip_with) with vectors. The shapes are the same.
    #[track_caller]
    pub(crate) fn zip_pointwise(self, other: &Tensor<T>, f: impl Pointwise<T, 2>) -> Tensor<T> {
        self.moved_along(other, &mut |x, y| zip_slice(f, x, y))
    }

    /// What `run` makes of this tensor's values, next to those of another tensor in the same order.
    #[track_caller]
    #[inline(never)]
    fn moved_along(mut self, other: &Tensor<T>, run: &mut dyn FnMut(&mut [T], &[T])) -> Tensor<T> {
        if let Some((x, y)) = self.dense_pair_mut(other) {
            run(x, y);
            return self;
        }
        if let Some((x, y)) = self.dense_pair(other) {
            let mut z = Buffer::stale(x.len());
            z.copy_from_slice(x);
            run(&mut z, y);
            return self.with_data(z);
        }
        let mut z = self.copied();
        run(z.as_mut_slice(), other.row_major().as_slice().expect("row-major"));
        z
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::testing::at_each_level;

    pointwise!(Root = |x| (x * x + T::lit(0.1)).sqrt());
    pointwise!(Line { a, b } = |x| a * x + b);
    pointwise!(Less = |x, y| x - T::lit(0.3) * y);

    fn numbers(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 37 + seed) % 101) as f32 / 7.0 - 6.0).collect()
    }

    /// Every length around that of blocks: each element as by itself.
    #[test]
    fn all_elements_of_all_lengths() {
        at_each_level(|| {
            for len in (0..100).chain([1000]) {
                let (x, y) = (numbers(len, 1), numbers(len, 2));
                let mut z = vec![f32::NAN; len];
                map_slice(Root, &x, &mut z);
                let expected: Vec<f32> = x.iter().map(|&x| (x * x + 0.1).sqrt()).collect();
                assert_eq!(z, expected, "{len}");
                map_slice(Line { a: 3.0, b: -0.1 }, &x, &mut z);
                assert_eq!(z, x.iter().map(|x| 3.0 * x + -0.1).collect::<Vec<f32>>(), "{len}");
                z.copy_from_slice(&x);
                map_in_place(Root, &mut z);
                assert_eq!(z, expected, "{len}");
                z.copy_from_slice(&x);
                zip_slice(Less, &mut z, &y);
                let pairs = x.iter().zip(&y);
                assert_eq!(z, pairs.map(|(x, y)| x - 0.3 * y).collect::<Vec<f32>>(), "{len}");
            }
        });
    }

    /// In the order of memory where both have the same, else element by element; data that others see stays.
    #[test]
    fn any_memory_order() {
        let x = Tensor::new([4, 3, 5], numbers(60, 1));
        let y = Tensor::new([4, 3, 5], numbers(60, 2));
        let expected = x.zip_with(&y, |x, y| x - 0.3 * y);
        assert_eq!(x.clone().zip_pointwise(&y, Less), expected);
        assert_eq!(x, Tensor::new([4, 3, 5], numbers(60, 1)));
        let inside_out = |x: &Tensor| x.permute([2, 1, 0]).row_major().permute([2, 1, 0]);
        assert_eq!(inside_out(&x).zip_pointwise(&y, Less), expected);
        let both = inside_out(&x).zip_pointwise(&inside_out(&y), Less);
        assert_eq!((both.strides(), &both), (inside_out(&x).strides(), &expected));
        let rooted = x.map(|x| (x * x + 0.1).sqrt());
        let gaps = x.slice(2, 1..4);
        assert_eq!(gaps.map_pointwise(Root), rooted.slice(2, 1..4));
        let turned = inside_out(&x).map_pointwise(Root);
        assert_eq!((turned.strides(), &turned), (inside_out(&x).strides(), &rooted));
        assert_eq!(gaps.clone().zip_pointwise(&y.slice(2, 1..4), Less), expected.slice(2, 1..4));
        assert_eq!(Tensor::<f32>::zeros([0, 3]).map_pointwise(Root).shape(), [0, 3]);
        assert_eq!(Tensor::scalar(2f32).map_pointwise(Line { a: 2.0, b: 1.0 }).item(), 5.0);
    }
}
