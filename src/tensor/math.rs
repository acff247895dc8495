//! Element by element: maps, NumPy's broadcasting, operators.

use super::{Tensor, pointwise, walk};
use crate::buffer::Buffer;
use crate::scalar::{Scalar, compiled};
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::sync::Arc;

pointwise!(Exp = |x| x.vector_exp());
pointwise!(Ln = |x| x.vector_ln());
pointwise!(Tanh = |x| x.vector_tanh());

impl<T: Scalar> Tensor<T> {
    /// `f` of every element. The result keeps the memory order, where that has no gaps.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, -2.0]).map(f64::abs).to_vec(), [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn map(&self, f: impl Fn(T) -> T) -> Tensor<T> {
        let x = self.gapless();
        let mut y = Buffer::stale(x.len());
        y.iter_mut().zip(x.dense().expect("without gaps")).for_each(|(y, &x)| *y = f(x));
        x.with_data(y)
    }

    /// `f` of every element, in place where this tensor alone owns its data.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).into_map(|x| x + 1.0).to_vec(), [2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn into_map(mut self, f: impl Fn(T) -> T) -> Tensor<T> {
        if let Some(range) = self.dense_range()
            && let Some(data) = Arc::get_mut(&mut self.data)
        {
            data[range].iter_mut().for_each(|x| *x = f(*x));
            return self;
        }
        self.map(f)
    }

    /// `f` of the elements of two tensors, which are broadcast to their common shape.
    ///
    /// # Panics
    /// When the shapes have no common one.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let (x, y) = (Tensor::from([[1.0, 5.0]]), Tensor::from([[2.0], [3.0]]));
    /// assert_eq!(x.zip_with(&y, f64::max), Tensor::from([[2.0, 5.0], [3.0, 5.0]]));
    /// ```
    #[track_caller]
    pub fn zip_with(&self, other: &Tensor<T>, f: impl Fn(T, T) -> T) -> Tensor<T> {
        if let Some((a, b)) = self.dense_pair(other) {
            let mut z = Buffer::stale(a.len());
            z.iter_mut().zip(a.iter().zip(b)).for_each(|(z, (&x, &y))| *z = f(x, y));
            return self.with_data(z);
        }
        self.broadcast_runs(other, &mut |z, x, y| {
            if (x.step, y.step) == (1, 1) {
                let pairs = x.values(z.len()).iter().zip(y.values(z.len()));
                z.iter_mut().zip(pairs).for_each(|(z, (&x, &y))| *z = f(x, y));
            } else {
                (0..).zip(z).for_each(|(k, z)| *z = f(x.at(k), y.at(k)));
            }
        })
    }

    /// A tensor that `run` writes piece by piece, next to the two pieces of operands that are broadcast to its shape.
    #[track_caller]
    #[inline(never)]
    fn broadcast_runs(&self, other: &Tensor<T>, run: &mut RunFn<'_, T>) -> Tensor<T> {
        let Some(shape) = self.shape.broadcast_with(&other.shape) else {
            panic!("the shapes {} and {} do not broadcast to a common one", self.shape, other.shape)
        };
        let (a, b) = (self.broadcast_to(shape), other.broadcast_to(shape));
        let mut values = Buffer::stale(shape.count());
        let mut rest = &mut values[..];
        let start = [a.offset as isize, b.offset as isize];
        walk::runs(shape, [&a.strides, &b.strides], start, &mut |len, [i, j], [di, dj]| {
            let (piece, after) = std::mem::take(&mut rest).split_at_mut(len);
            rest = after;
            let (data_a, data_b) = (&a.data[..], &b.data[..]);
            run(
                piece,
                Run { data: data_a, start: i, step: di },
                Run { data: data_b, start: j, step: dj },
            );
        });
        Tensor::from_buffer(shape, values)
    }

    /// [`zip_with`](Self::zip_with), in place where this tensor alone owns its data and both lie in
    /// the same memory order.
    ///
    /// # Panics
    /// When the shapes have no common one.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let y = Tensor::from([10.0, 20.0]);
    /// assert_eq!(Tensor::from([1.0, 2.0]).into_zip_with(&y, |a, b| a + b).to_vec(), [11.0, 22.0]);
    /// ```
    #[track_caller]
    pub fn into_zip_with(mut self, other: &Tensor<T>, f: impl Fn(T, T) -> T) -> Tensor<T> {
        if self.dense_pair(other).is_some()
            && let Some(range) = self.dense_range()
            && let (Some(data), Some(b)) = (Arc::get_mut(&mut self.data), other.dense())
        {
            data[range].iter_mut().zip(b).for_each(|(x, &y)| *x = f(*x, y));
            return self;
        }
        self.zip_with(other, f)
    }

    /// Both tensors' stored values, if they pair up element by element in memory.
    #[inline(never)]
    pub(super) fn dense_pair<'a>(&'a self, other: &'a Tensor<T>) -> Option<(&'a [T], &'a [T])> {
        let same = self.shape == other.shape
            && (0..self.rank()).all(|a| self.shape[a] == 1 || self.strides[a] == other.strides[a]);
        if same { self.dense().zip(other.dense()) } else { None }
    }

    /// `e` to the power of every element.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([0.0]).exp().item(), 1.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn exp(&self) -> Tensor<T> {
        self.map_pointwise(Exp)
    }

    /// The natural logarithm of every element.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0]).ln().item(), 0.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn ln(&self) -> Tensor<T> {
        self.map_pointwise(Ln)
    }

    /// The square root of every element.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([9.0]).sqrt().item(), 3.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn sqrt(&self) -> Tensor<T> {
        self.map(T::sqrt)
    }

    /// The square of every element.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([-3.0]).square().item(), 9.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn square(&self) -> Tensor<T> {
        self.map(|x| x * x)
    }

    /// The absolute value of every element.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([-3.0]).abs().item(), 3.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn abs(&self) -> Tensor<T> {
        self.map(T::abs)
    }

    /// The hyperbolic tangent of every element.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([0.0]).tanh().item(), 0.0);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn tanh(&self) -> Tensor<T> {
        self.map_pointwise(Tanh)
    }

    /// Every element limited to the range from `low` to `high`; NaN stays NaN.
    ///
    /// # Panics
    /// When `low > high`, or one of them is NaN.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([-1.0, 0.5, 2.0]).clamp(0.0, 1.0).to_vec(), [0.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn clamp(&self, low: T, high: T) -> Tensor<T> {
        assert!(low <= high, "clamp: {low}..{high} is no range");
        self.map(|x| {
            if x < low {
                low
            } else if x > high {
                high
            } else {
                x
            }
        })
    }

    /// Whether both have the same shape and `|a - b| <= absolute + relative * |b|` everywhere.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert!(Tensor::from([1.0]).all_close(&Tensor::from([1.0 + 1e-9]), 1e-6, 0.0));
    /// ```
    #[inline(never)]
    pub fn all_close(&self, other: &Tensor<T>, relative: f64, absolute: f64) -> bool {
        self.shape == other.shape
            && self.iter().zip(other.iter()).all(|(a, b)| {
                let (a, b) = (a.widen(), b.widen());
                a == b || (a - b).abs() <= absolute + relative * b.abs()
            })
    }
}

/// What writes a piece of a tensor, next to the pieces of two operands.
type RunFn<'f, T> = dyn FnMut(&mut [T], Run<'_, T>, Run<'_, T>) + 'f;

/// Elements evenly spaced in memory.
#[derive(Clone, Copy)]
struct Run<'a, T> {
    data: &'a [T],
    start: isize,
    step: isize,
}

impl<'a, T: Copy> Run<'a, T> {
    #[inline(always)]
    fn at(self, k: isize) -> T {
        self.data[(self.start + k * self.step) as usize]
    }

    /// The first `len` of neighbours.
    #[inline(always)]
    fn values(self, len: usize) -> &'a [T] {
        &self.data[self.start as usize..][..len]
    }
}

/// An operator between tensors, owned or borrowed, and with a scalar on the right.
macro_rules! operator {
    ($trait:ident, $method:ident, $op:tt) => {
        impl<T: Scalar> $trait<&Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            #[inline(never)]
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                self.zip_with(other, |a, b| a $op b)
            }
        }

        impl<T: Scalar> $trait<Tensor<T>> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: Tensor<T>) -> Tensor<T> {
                self $op &other
            }
        }

        impl<T: Scalar> $trait<&Tensor<T>> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            #[inline(never)]
            fn $method(self, other: &Tensor<T>) -> Tensor<T> {
                self.into_zip_with(other, |a, b| a $op b)
            }
        }

        impl<T: Scalar> $trait<Tensor<T>> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: Tensor<T>) -> Tensor<T> {
                self.into_zip_with(&other, |a, b| a $op b)
            }
        }

        impl<T: Scalar> $trait<T> for &Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            #[inline(never)]
            fn $method(self, other: T) -> Tensor<T> {
                self.map(|a| a $op other)
            }
        }

        impl<T: Scalar> $trait<T> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            #[inline(never)]
            fn $method(self, other: T) -> Tensor<T> {
                self.into_map(|a| a $op other)
            }
        }
    };
}

operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);
operator!(Div, div, /);

/// `number op x`, which Rust wants written for each type of number.
macro_rules! left_operator {
    ($type:ident: $($trait:ident $method:ident $op:tt),*) => {$(
        impl $trait<&Tensor<$type>> for $type {
            type Output = Tensor<$type>;
            #[track_caller]
            fn $method(self, x: &Tensor<$type>) -> Tensor<$type> {
                x.map(|x| self $op x)
            }
        }

        impl $trait<Tensor<$type>> for $type {
            type Output = Tensor<$type>;
            #[track_caller]
            fn $method(self, x: Tensor<$type>) -> Tensor<$type> {
                x.into_map(|x| self $op x)
            }
        }
    )*};
}

left_operator!(f32: Add add +, Sub sub -, Mul mul *, Div div /);
left_operator!(f64: Add add +, Sub sub -, Mul mul *, Div div /);

impl<T: Scalar> Neg for &Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    #[inline(never)]
    fn neg(self) -> Tensor<T> {
        self.map(|a| -a)
    }
}

impl<T: Scalar> Neg for Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    #[inline(never)]
    fn neg(self) -> Tensor<T> {
        self.into_map(|a| -a)
    }
}

compiled!(|x: &Tensor<T>, y: T| (x + y, x - y, x * y, x / y));
compiled!(|x: Tensor<T>, y: T| (x.clone() + y, x.clone() - y, x.clone() * y, x / y));
compiled!(|x: &Tensor<T>, y: &Tensor<T>| (x + y, x - y, x * y, x / y));
compiled!(|x: Tensor<T>, y: &Tensor<T>| (x.clone() + y, x.clone() - y, x.clone() * y, x / y));
compiled!(|x: Tensor<T>| (-&x, x.exp(), x.ln(), x.sqrt(), x.square(), x.abs(), x.tanh(), -x));
compiled!(|x: &Tensor<T>| (x.clamp(0.0, 1.0), x.all_close(x, 0.0, 0.0)));
