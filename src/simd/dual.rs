//! Numbers with a derivative, as vectors hold them. What is computed with one of them is in `scalar/dual.rs`.

use super::Simd;
use super::vector::{Number, Vector};
use std::ops::Range;

/// `value + tangent e` with `e^2 = 0`: a number with its derivative in one direction.
///
/// Whatever is computed with dual numbers computes the derivative as well: from `x + 1 e`, `f(x)` comes out as
/// `f(x) + f'(x) e`. All of the crate is generic over its numbers, so a tape of dual numbers gives the derivatives of gradients, and
/// a dual number of dual numbers, `Dual<Dual<f64>>`, the derivatives of those. [`hvp`](crate::hvp) and its like do that.
///
/// Comparisons look at the value alone, so a decision (which is larger, whether below 0) falls as it does without a derivative. No
/// derivative flows through a number whose tangent is 0, however steep the function is there.
///
/// ```
/// use cinta::Dual;
/// let x = Dual::new(3.0, 1.0);
/// let y = x * x + x;
/// assert_eq!((y.value, y.tangent), (12.0, 7.0)); // x^2 + x and 2 x + 1
///
/// let x = Dual::new(Dual::new(3.0, 1.0), Dual::new(1.0, 0.0));
/// assert_eq!((x * x * x).tangent.tangent, 18.0); // 6 x
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Dual<T> {
    /// The number.
    pub value: T,
    /// Its derivative.
    pub tangent: T,
}

/// A vector of dual numbers: the values in one register, the derivatives in another.
#[derive(Clone, Copy)]
pub struct Pairs<V>([V; 2]);

/// The most lanes of a vector.
const MOST_LANES: usize = 16;

impl<T: Number, V: Vector<T>> Vector<Dual<T>> for Pairs<V>
where
    Dual<T>: Number,
{
    const LANES: usize = V::LANES;

    #[inline(always)]
    fn splat(number: Dual<T>) -> Self {
        Pairs([V::splat(number.value), V::splat(number.tangent)])
    }

    #[inline(always)]
    unsafe fn load(from: *const Dual<T>) -> Self {
        let from: *const T = from.cast();
        // SAFETY: a dual number is two numbers, one behind the other, and the caller promises `LANES` of them.
        unsafe { Pairs(V::load(from).unzipped(V::load(from.add(V::LANES)))) }
    }

    #[inline(always)]
    unsafe fn load_lanes(from: *const Dual<T>, lanes: Range<usize>) -> Self {
        let mut numbers = [Dual { value: T::zero(), tangent: T::zero() }; MOST_LANES];
        for lane in lanes {
            // SAFETY: the caller's promise.
            numbers[lane] = unsafe { *from.wrapping_add(lane) };
        }
        // SAFETY: no vector has more lanes.
        unsafe { Self::load(numbers.as_ptr()) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut Dual<T>) {
        let (to, [values, tangents]): (*mut T, _) = (to.cast(), self.0);
        let [first, second] = values.zipped(tangents);
        // SAFETY: as for `load`.
        unsafe {
            first.store(to);
            second.store(to.add(V::LANES));
        }
    }

    #[inline(always)]
    unsafe fn store_lanes(self, to: *mut Dual<T>, lanes: Range<usize>) {
        let numbers = self.numbers();
        for lane in lanes {
            // SAFETY: the caller's promise.
            unsafe { *to.wrapping_add(lane) = numbers[lane] };
        }
    }

    #[inline(always)]
    fn add_product<S: Simd>(self, a: Self, b: Self) -> Self {
        let [value, tangent] = self.0;
        // As `Dual` rounds it.
        let tangent = tangent.add_product::<S>(a.0[0], b.0[1]).add_product::<S>(a.0[1], b.0[0]);
        Pairs([value.add_product::<S>(a.0[0], b.0[0]), tangent])
    }

    #[inline(always)]
    fn positive_part(self) -> Self {
        self.each(Dual::positive_part)
    }

    #[inline(always)]
    fn at_most(self, most: Self) -> Self {
        // The same in each lane.
        let most = most.numbers()[0];
        self.each(|x| if x > most { most } else { x })
    }

    #[inline(always)]
    fn unzipped(self, next: Self) -> [Self; 2] {
        let [[v, w], [t, u]] = [0, 1].map(|half| self.0[half].unzipped(next.0[half]));
        [Pairs([v, t]), Pairs([w, u])]
    }

    #[inline(always)]
    fn zipped(self, other: Self) -> [Self; 2] {
        let [[v, w], [t, u]] = [0, 1].map(|half| self.0[half].zipped(other.0[half]));
        [Pairs([v, t]), Pairs([w, u])]
    }
}

impl<V> Pairs<V> {
    /// The number in each lane, and zeros behind them.
    #[inline(always)]
    fn numbers<T: Number>(self) -> [Dual<T>; MOST_LANES]
    where
        V: Vector<T>,
        Dual<T>: Number,
    {
        let mut numbers = [Dual { value: T::zero(), tangent: T::zero() }; MOST_LANES];
        // SAFETY: no vector has more lanes.
        unsafe { self.store(numbers.as_mut_ptr()) };
        numbers
    }

    /// A vector with `f` of each lane.
    #[inline(always)]
    fn each<T: Number>(self, f: impl Fn(Dual<T>) -> Dual<T>) -> Self
    where
        V: Vector<T>,
        Dual<T>: Number,
    {
        let numbers = self.numbers().map(f);
        // SAFETY: as above.
        unsafe { Self::load(numbers.as_ptr()) }
    }
}
