//! Dual numbers: a value with its derivative in one direction.

use super::Scalar;
use crate::buffer::{Pool, Pooled};
pub use crate::simd::Dual;
use crate::simd::{Number, Pairs};
use num_traits::{Float, Num, NumCast, One, ToPrimitive, Zero};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::fmt;
use std::iter::Sum;
use std::num::FpCategory;
use std::ops::{
    Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign,
};
use std::thread::LocalKey;

impl<T: Scalar> Dual<T> {
    /// A number with its derivative.
    ///
    /// ```
    /// use cinta::Dual;
    /// assert_eq!((Dual::new(2.0, 1.0) * Dual::new(3.0, 0.0)).tangent, 3.0);
    /// ```
    #[inline(always)]
    pub fn new(value: T, tangent: T) -> Self {
        Dual { value, tangent }
    }

    /// A number whose derivative is 0.
    ///
    /// ```
    /// use cinta::Dual;
    /// assert_eq!(Dual::constant(2.0).tangent, 0.0);
    /// ```
    #[inline(always)]
    pub fn constant(value: T) -> Self {
        Dual { value, tangent: T::zero() }
    }

    /// `f` of this number, from `f(value)` and `f'(value)`.
    #[inline(always)]
    pub(super) fn chain(self, value: T, slope: T) -> Self {
        Dual { value, tangent: flowing(self.tangent, slope) }
    }
}

/// `tangent slope`, or 0 where the tangent is: an infinite slope times 0 would not be a number.
#[inline(always)]
fn flowing<T: Scalar>(tangent: T, slope: T) -> T {
    (tangent * slope).kept_if(!tangent.is_zero())
}

impl<T: Scalar> Pooled for Dual<T> {
    fn pool() -> Option<&'static LocalKey<RefCell<Pool<Self>>>> {
        T::dual_pool()
    }
}

impl<T: Scalar> Number for Dual<T> {
    type Short = Pairs<T::Short>;
    type Middle = Pairs<T::Middle>;
    type Long = Pairs<T::Long>;

    const REGISTERS: usize = 2 * T::REGISTERS;

    #[inline(always)]
    fn positive_part(self) -> Self {
        // Not below 0: a NaN keeps what came with it.
        let keep = self.value > T::zero() || self.value.is_nan();
        Dual { value: self.value.positive_part(), tangent: self.tangent.kept_if(keep) }
    }
}

impl<T: Scalar> Scalar for Dual<T> {
    const NAME: &'static str = "dual";

    #[inline(always)]
    fn lit(value: f64) -> Self {
        Self::constant(T::lit(value))
    }

    #[inline(always)]
    fn flushed(self) -> Self {
        Dual { value: self.value.flushed(), tangent: self.tangent.flushed() }
    }

    #[inline(always)]
    fn kept_if(self, keep: bool) -> Self {
        Dual { value: self.value.kept_if(keep), tangent: self.tangent.kept_if(keep) }
    }

    #[inline(always)]
    fn widen(self) -> f64 {
        self.value.widen()
    }

    type Wide = Dual<T::Wide>;

    #[inline(always)]
    fn wide(self) -> Self::Wide {
        Dual { value: self.value.wide(), tangent: self.tangent.wide() }
    }

    #[inline(always)]
    fn narrow(wide: Self::Wide) -> Self {
        Dual { value: T::narrow(wide.value), tangent: T::narrow(wide.tangent) }
    }

    fn write_le(self, _: &mut Vec<u8>) {
        panic!("no file holds dual numbers: write their values")
    }

    fn read_le(_: &[u8]) -> Self {
        panic!("no file holds dual numbers: read their values")
    }

    type Part = T;

    #[inline(always)]
    fn parts(self) -> [T; 2] {
        [self.value, self.tangent]
    }

    #[inline(always)]
    fn of_parts([value, tangent]: [T; 2]) -> Self {
        Dual { value, tangent }
    }
}

impl<T: Scalar> PartialEq for Dual<T> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Scalar> PartialOrd for Dual<T> {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: fmt::Display> fmt::Display for Dual<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)?;
        f.write_str(" + ")?;
        self.tangent.fmt(f)?;
        f.write_str(" e")
    }
}

impl<T: fmt::LowerExp> fmt::LowerExp for Dual<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)?;
        f.write_str(" + ")?;
        self.tangent.fmt(f)?;
        f.write_str(" e")
    }
}

impl<T: Scalar> Add for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Dual { value: self.value + other.value, tangent: self.tangent + other.tangent }
    }
}

impl<T: Scalar> Sub for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Dual { value: self.value - other.value, tangent: self.tangent - other.tangent }
    }
}

impl<T: Scalar> Mul for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Dual {
            value: self.value * other.value,
            tangent: self.tangent * other.value + self.value * other.tangent,
        }
    }
}

impl<T: Scalar> Div for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let above = self.tangent - value * other.tangent;
        let constant = self.tangent.is_zero() && other.tangent.is_zero();
        Dual { value, tangent: (above / other.value).kept_if(!constant) }
    }
}

impl<T: Scalar> Rem for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn rem(self, other: Self) -> Self {
        let whole = (self.value / other.value).trunc();
        Dual {
            value: self.value % other.value,
            tangent: self.tangent - flowing(other.tangent, whole),
        }
    }
}

impl<T: Scalar> Neg for Dual<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Dual { value: -self.value, tangent: -self.tangent }
    }
}

macro_rules! assign {
    ($($trait:ident $method:ident $op:tt),*) => {$(
        impl<T: Scalar> $trait for Dual<T> {
            #[inline(always)]
            fn $method(&mut self, other: Self) {
                *self = *self $op other;
            }
        }
    )*};
}

assign!(AddAssign add_assign +, SubAssign sub_assign -, MulAssign mul_assign *);
assign!(DivAssign div_assign /, RemAssign rem_assign %);

impl<T: Scalar> Sum for Dual<T> {
    #[inline(always)]
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        numbers.fold(Self::zero(), |sum, x| sum + x)
    }
}

impl<T: Scalar> Zero for Dual<T> {
    #[inline(always)]
    fn zero() -> Self {
        Self::constant(T::zero())
    }

    /// Whether the value and the derivative are 0.
    #[inline(always)]
    fn is_zero(&self) -> bool {
        self.value.is_zero() && self.tangent.is_zero()
    }
}

impl<T: Scalar> One for Dual<T> {
    #[inline(always)]
    fn one() -> Self {
        Self::constant(T::one())
    }
}

impl<T: Scalar> Num for Dual<T> {
    type FromStrRadixErr = T::FromStrRadixErr;

    fn from_str_radix(text: &str, radix: u32) -> Result<Self, Self::FromStrRadixErr> {
        T::from_str_radix(text, radix).map(Self::constant)
    }
}

impl<T: Scalar> ToPrimitive for Dual<T> {
    fn to_i64(&self) -> Option<i64> {
        self.value.to_i64()
    }

    fn to_u64(&self) -> Option<u64> {
        self.value.to_u64()
    }

    fn to_f64(&self) -> Option<f64> {
        self.value.to_f64()
    }
}

impl<T: Scalar> NumCast for Dual<T> {
    fn from<N: ToPrimitive>(number: N) -> Option<Self> {
        <T as NumCast>::from(number).map(Self::constant)
    }
}

/// Numbers without a derivative.
macro_rules! constants {
    ($($name:ident),*) => {$(
        #[inline(always)]
        fn $name() -> Self {
            Self::constant(T::$name())
        }
    )*};
}

/// Questions about the value.
macro_rules! questions {
    ($($name:ident -> $answer:ty),*) => {$(
        #[inline(always)]
        fn $name(self) -> $answer {
            self.value.$name()
        }
    )*};
}

/// Functions that are flat almost everywhere.
macro_rules! flat {
    ($($name:ident),*) => {$(
        #[inline(always)]
        fn $name(self) -> Self {
            Self::constant(self.value.$name())
        }
    )*};
}

/// Functions with their slopes, from the argument `x` and the result `y`.
macro_rules! smooth {
    ($($name:ident |$x:ident, $y:ident| $slope:expr),* $(,)?) => {$(
        #[inline(always)]
        fn $name(self) -> Self {
            let $x = self.value;
            let $y = $x.$name();
            self.chain($y, $slope)
        }
    )*};
}

impl<T: Scalar> Float for Dual<T> {
    constants!(nan, infinity, neg_infinity, neg_zero, min_value, min_positive_value, max_value);
    constants!(epsilon);
    questions!(is_nan -> bool, is_infinite -> bool, is_normal -> bool, classify -> FpCategory);
    questions!(is_sign_positive -> bool, is_sign_negative -> bool, integer_decode -> (u64, i16, i8));
    flat!(floor, ceil, round, trunc, signum);

    /// Whether the value and the derivative are finite.
    #[inline(always)]
    fn is_finite(self) -> bool {
        self.value.is_finite() && self.tangent.is_finite()
    }

    smooth! {
        fract |_x, _y| T::one(),
        recip |_x, y| -y * y,
        sqrt |_x, y| (y + y).recip(),
        cbrt |_x, y| (T::lit(3.0) * y * y).recip(),
        exp |_x, y| y,
        exp2 |_x, y| y * T::lit(std::f64::consts::LN_2),
        exp_m1 |_x, y| y + T::one(),
        ln |x, _y| x.recip(),
        log2 |x, _y| (x * T::lit(std::f64::consts::LN_2)).recip(),
        log10 |x, _y| (x * T::lit(std::f64::consts::LN_10)).recip(),
        ln_1p |x, _y| (x + T::one()).recip(),
        sin |x, _y| x.cos(),
        cos |x, _y| -x.sin(),
        tan |_x, y| y * y + T::one(),
        asin |x, _y| (T::one() - x * x).sqrt().recip(),
        acos |x, _y| -(T::one() - x * x).sqrt().recip(),
        atan |x, _y| (T::one() + x * x).recip(),
        sinh |x, _y| x.cosh(),
        cosh |x, _y| x.sinh(),
        tanh |_x, y| T::one() - y * y,
        asinh |x, _y| (x * x + T::one()).sqrt().recip(),
        acosh |x, _y| (x * x - T::one()).sqrt().recip(),
        atanh |x, _y| (T::one() - x * x).recip(),
        to_degrees |_x, _y| T::one().to_degrees(),
        to_radians |_x, _y| T::one().to_radians(),
    }

    /// At 0 the slope to the right, as what asks whether a number is below 0 takes it: both may be parts of a smooth function.
    #[inline(always)]
    fn abs(self) -> Self {
        let tangent = if self.value < T::zero() { -self.tangent } else { self.tangent };
        Dual { value: self.value.abs(), tangent }
    }

    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Dual {
            value: self.value.mul_add(a.value, b.value),
            tangent: self.tangent.mul_add(a.value, self.value.mul_add(a.tangent, b.tangent)),
        }
    }

    #[inline(always)]
    fn powi(self, n: i32) -> Self {
        if n == 0 {
            return Self::one();
        }
        let value = self.value.powi(n);
        let below = if n > 0 { self.value.powi(n - 1) } else { value / self.value };
        self.chain(value, T::lit(n.into()) * below)
    }

    /// The power 0 does not depend on the base, nor any power from 0 on of the base 0 on the power, although the formulas have 0 times
    /// infinity there.
    #[inline(always)]
    fn powf(self, n: Self) -> Self {
        let value = self.value.powf(n.value);
        let by_base = n.value * self.value.powf(n.value - T::one());
        let by_power = value * self.value.ln();
        let constant = self.value == T::zero() && n.value >= T::zero();
        let tangent = flowing(self.tangent, by_base.kept_if(!n.value.is_zero()))
            + flowing(n.tangent, by_power.kept_if(!constant));
        Dual { value, tangent }
    }

    #[inline(always)]
    fn log(self, base: Self) -> Self {
        self.ln() / base.ln()
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self.value >= other.value || other.value.is_nan() { self } else { other }
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        if self.value <= other.value || other.value.is_nan() { self } else { other }
    }

    #[inline(always)]
    fn abs_sub(self, other: Self) -> Self {
        (self - other).rectified()
    }

    #[inline(always)]
    fn hypot(self, other: Self) -> Self {
        let value = self.value.hypot(other.value);
        let tangent =
            flowing(self.tangent, self.value / value) + flowing(other.tangent, other.value / value);
        Dual { value, tangent }
    }

    #[inline(always)]
    fn atan2(self, other: Self) -> Self {
        let (y, x) = (self.value, other.value);
        let square = x * x + y * y;
        let tangent = flowing(self.tangent, x / square) - flowing(other.tangent, y / square);
        Dual { value: y.atan2(x), tangent }
    }

    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        (self.sin(), self.cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Buffer;

    type D = Dual<f64>;

    /// A function of dual numbers, and the same of plain ones.
    type Case = (&'static str, fn(D) -> D, fn(f64) -> f64);

    #[test]
    fn memory_comes_back() {
        fn again<T: Scalar>() -> bool {
            let first = Buffer::<Dual<T>>::zeroed(1000);
            let place = first.as_ptr();
            drop(first);
            let second = Buffer::<Dual<T>>::zeroed(995);
            assert!(second.iter().all(Dual::is_zero));
            second.as_ptr() == place
        }
        // A thread's pool is its own.
        let both = std::thread::spawn(|| [again::<f32>(), again::<f64>()]).join();
        assert_eq!(both.expect("no panic"), [true; 2]);
        assert!(Dual::<D>::pool().is_none());
    }

    /// Every function with a slope, against central differences.
    #[test]
    fn slopes() {
        let functions: &[Case] = &[
            ("recip", D::recip, f64::recip),
            ("sqrt", D::sqrt, f64::sqrt),
            ("cbrt", D::cbrt, f64::cbrt),
            ("exp", D::exp, f64::exp),
            ("exp2", D::exp2, f64::exp2),
            ("exp_m1", D::exp_m1, f64::exp_m1),
            ("ln", D::ln, f64::ln),
            ("log2", D::log2, f64::log2),
            ("log10", D::log10, f64::log10),
            ("ln_1p", D::ln_1p, f64::ln_1p),
            ("sin", D::sin, f64::sin),
            ("cos", D::cos, f64::cos),
            ("tan", D::tan, f64::tan),
            ("asin", D::asin, f64::asin),
            ("acos", D::acos, f64::acos),
            ("atan", D::atan, f64::atan),
            ("sinh", D::sinh, f64::sinh),
            ("cosh", D::cosh, f64::cosh),
            ("tanh", D::tanh, f64::tanh),
            ("asinh", D::asinh, f64::asinh),
            ("acosh", |x| (x + D::one()).acosh(), |x| (x + 1.0).acosh()),
            ("atanh", D::atanh, f64::atanh),
            ("to_degrees", D::to_degrees, f64::to_degrees),
            ("to_radians", D::to_radians, f64::to_radians),
            ("fract", D::fract, f64::fract),
            ("floor", D::floor, f64::floor),
            ("ceil", D::ceil, f64::ceil),
            ("round", D::round, f64::round),
            ("trunc", D::trunc, f64::trunc),
            ("signum", D::signum, f64::signum),
            ("abs", |x| (-x).abs(), |x| (-x).abs()),
            ("powi", |x| x.powi(3) + x.powi(-2), |x| x.powi(3) + x.powi(-2)),
            ("powi", |x| x.powi(1) + x.powi(-1), |x| x + 1.0 / x),
            ("powf", |x| x.powf(x), |x| x.powf(x)),
            ("log", |x| D::lit(3.0).log(x), |x| 3f64.log(x)),
            ("max", |x| x.max(D::lit(0.1)), |x| x.max(0.1)),
            ("min", |x| x.min(D::lit(0.1)), |x| x.min(0.1)),
            ("hypot", |x| x.hypot(x * x), |x| x.hypot(x * x)),
            ("atan2", |x| x.sin().atan2(x), |x| x.sin().atan2(x)),
            ("sin_cos", |x| x.sin_cos().0 / x.sin_cos().1, f64::tan),
            ("rem", |x| D::lit(2.0) % x, |x| 2.0 % x),
            ("mul_add", |x| x.mul_add(x.exp(), x), |x| x.mul_add(x.exp(), x)),
            ("div", |x| x.exp() / (x * x), |x| x.exp() / (x * x)),
            ("sub", |x| x - x * x, |x| x - x * x),
            ("abs_sub", |x| x.abs_sub(D::lit(0.1)), |x| x - 0.1),
            ("rectified", |x| x.rectified() + (-x).rectified(), |x| x),
        ];
        for (name, dual, plain) in functions {
            for x in [0.3, 0.7] {
                let (y, h) = (dual(D::new(x, 1.0)), 1e-6);
                let slope = (plain(x + h) - plain(x - h)) / (2.0 * h);
                assert!((y.value - plain(x)).abs() < 1e-14, "{name}({x})");
                assert!((y.tangent - slope).abs() < 1e-8, "{name}({x}): {}, {slope}", y.tangent);
            }
        }
    }

    #[test]
    fn nothing_flows_where_the_tangent_is_0() {
        let zero = D::constant(0.0);
        assert_eq!([zero.sqrt().tangent, zero.ln().tangent, (D::one() / zero).tangent], [0.0; 3]);
        assert_eq!(D::new(0.0, 1.0).sqrt().tangent, f64::INFINITY);
        assert_eq!(D::new(0.0, 1.0).rectified().tangent, 0.0);
        assert!(D::new(f64::NAN, 1.0).rectified().is_nan());
    }

    /// As PyTorch has it. (JAX has NaN for the power 0 of 0 by the base, and for a negative one by the power.)
    #[test]
    fn powers_at_the_border() {
        let tangent = |x: f64, n: f64| {
            [
                D::new(x, 1.0).powf(D::constant(n)).tangent,
                D::constant(x).powf(D::new(n, 1.0)).tangent,
            ]
        };
        assert_eq!([tangent(0.0, 0.0), tangent(0.0, 2.0)], [[0.0, 0.0]; 2]);
        assert_eq!(tangent(0.0, 1.0), [1.0, 0.0]);
        assert_eq!(tangent(0.0, 0.5), [f64::INFINITY, 0.0]);
        assert_eq!(tangent(0.0, -1.0), [f64::NEG_INFINITY; 2]);
        assert_eq!(tangent(-2.0, 3.0)[0], 12.0);
        assert!(tangent(-2.0, 3.0)[1].is_nan());
        assert_eq!(D::new(-1.0, 1.0).powi(i32::MIN).tangent, 2f64.powi(31));
        assert_eq!(D::new(0.0, 1.0).powi(1).tangent, 1.0);
    }

    #[test]
    fn comparisons_look_at_the_value_and_is_zero_at_both() {
        assert_eq!(D::new(1.0, 2.0), D::new(1.0, 3.0));
        assert!(D::new(1.0, 2.0) < D::new(1.5, -3.0));
        assert!(!D::new(0.0, 1.0).is_zero() && D::new(0.0, 0.0).is_zero());
        assert!(!D::new(0.0, f64::NAN).is_finite());
        assert_eq!(format!("{:.1}", D::new(1.0, 2.0)), "1.0 + 2.0 e");
    }

    #[test]
    fn whole_numbers_are_those_of_the_value() {
        let x = D::new(-3.5, 2.0);
        assert_eq!((x.to_i64(), x.to_u64(), x.to_f64()), (Some(-3), None, Some(-3.5)));
        assert_eq!(D::new(1e19, 2.0).to_u64(), Some(10_000_000_000_000_000_000));
    }

    /// Of a polynomial and of functions whose derivatives are known by heart.
    #[test]
    fn third_derivatives() {
        type Third = Dual<Dual<D>>;
        let x = |x: f64| Third::new(Dual::new(D::new(x, 1.0), D::one()), Dual::one());
        let third = |y: Third| y.tangent.tangent.tangent;
        for at in [-1.2, 0.4, 2.0] {
            let x = x(at);
            assert!((third(x * x * x * x - x * x) - 24.0 * at).abs() < 1e-12);
            assert!((third(x.powi(5)) - 60.0 * at * at).abs() < 1e-11);
            assert!((third(x.sin()) + at.cos()).abs() < 1e-14);
            assert!((third(x.exp()) / at.exp() - 1.0).abs() < 1e-14);
            let t = at.tanh();
            let slope = 1.0 - t * t;
            assert!((third(x.tanh()) - slope * (6.0 * t * t - 2.0)).abs() < 1e-13);
        }
    }
}
