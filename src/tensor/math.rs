//! Element by element: maps, NumPy's broadcasting, operators.

use super::pointwise::{Exp, Ln, Tanh, in_parts};
use super::stored::Stored;
use super::{Tensor, walk};
use crate::buffer::Buffer;
use crate::par::split_off;
use crate::scalar::{Scalar, compiled};
use std::ops::{Add, Div, Mul, Neg, Sub};

impl<T: Scalar> Tensor<T> {
    /// `f` of every element. The result keeps the memory order, where that has no gaps.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, -2.0]).map(f64::abs).to_vec(), [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn map(&self, f: impl Fn(T) -> T) -> Tensor<T> {
        self.map_slices(&mut |y, x| {
            let x = &x[..y.len()];
            for k in 0..y.len() {
                y[k] = f(x[k]);
            }
        })
    }

    /// A tensor that `run` writes, next to this tensor's values in the same order. It is called through a pointer, so that this is compiled once.
    #[track_caller]
    #[inline(never)]
    pub(super) fn map_slices(&self, run: &mut dyn FnMut(&mut [T], &[T])) -> Tensor<T> {
        let x = self.gapless();
        let mut y = Buffer::stale(x.len());
        run(&mut y, x.dense().expect("without gaps"));
        x.with_data(y)
    }

    /// The stored values, if they are without gaps and no other tensor has them.
    #[inline(never)]
    pub(crate) fn dense_mut(&mut self) -> Option<&mut [T]> {
        let range = self.dense_range()?;
        Stored::get_mut(&mut self.data, range)
    }

    /// `f` of every element, in place where this tensor alone owns its data.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).into_map(|x| x + 1.0).to_vec(), [2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn into_map(mut self, f: impl Fn(T) -> T) -> Tensor<T> {
        if let Some(values) = self.dense_mut() {
            for x in values {
                *x = f(*x);
            }
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
        self.zip_slices(other, &mut |z, x, y| {
            let (x, y) = (&x[..z.len()], &y[..z.len()]);
            for k in 0..z.len() {
                z[k] = f(x[k], y[k]);
            }
        })
    }

    /// A tensor that `run` writes piece by piece, next to the values of two operands that are broadcast to its shape. It is called through
    /// a pointer, so that this is compiled once.
    #[track_caller]
    #[inline(never)]
    fn zip_slices(&self, other: &Tensor<T>, run: &mut ZipFn<'_, T>) -> Tensor<T> {
        if let Some((a, b)) = self.dense_pair(other) {
            let mut z = Buffer::stale(a.len());
            run(&mut z, a, b);
            return self.with_data(z);
        }
        let Some(shape) = self.shape.broadcast_with(&other.shape) else {
            panic!("the shapes {} and {} do not broadcast to a common one", self.shape, other.shape)
        };
        let (a, b) = (self.broadcast_to(shape), other.broadcast_to(shape));
        let mut values = Buffer::stale(shape.count());
        let mut rest = &mut values[..];
        let start = [a.offset as isize, b.offset as isize];
        // Values that do not lie side by side are gathered.
        let mut room = [[T::zero(); GATHERED]; 2];
        walk::runs(shape, [&a.strides, &b.strides], start, &mut |len, [i, j], [di, dj]| {
            let piece = split_off(&mut rest, len);
            if (di, dj) == (1, 1) {
                return run(piece, &a.data[i as usize..][..len], &b.data[j as usize..][..len]);
            }
            let [x, y] = &mut room;
            for (k, z) in (0..).step_by(GATHERED).zip(piece.chunks_mut(GATHERED)) {
                let x = gathered(&a.data, i + k * di, di, z.len(), x);
                run(z, x, gathered(&b.data, j + k * dj, dj, z.len(), y));
            }
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
        if let Some((x, y)) = self.dense_pair_mut(other) {
            let y = &y[..x.len()];
            for k in 0..x.len() {
                x[k] = f(x[k], y[k]);
            }
            return self;
        }
        self.zip_with(other, f)
    }

    /// [`zip_with`](Self::zip_with), where threads share what is long.
    #[track_caller]
    pub(crate) fn operated(&self, other: &Tensor<T>, f: impl Fn(T, T) -> T + Sync) -> Tensor<T> {
        self.zip_slices(other, &mut |z, x, y| {
            in_parts(z, &|first, z| {
                let (x, y) = (&x[first..][..z.len()], &y[first..][..z.len()]);
                for k in 0..z.len() {
                    z[k] = f(x[k], y[k]);
                }
            });
        })
    }

    /// [`into_zip_with`](Self::into_zip_with), where threads share what is long.
    #[track_caller]
    fn into_operated(mut self, other: &Tensor<T>, f: impl Fn(T, T) -> T + Sync) -> Tensor<T> {
        let Some((x, y)) = self.dense_pair_mut(other) else { return self.operated(other, f) };
        in_parts(x, &|first, x| {
            let y = &y[first..][..x.len()];
            for k in 0..x.len() {
                x[k] = f(x[k], y[k]);
            }
        });
        self
    }

    /// [`dense_pair`](Self::dense_pair), if no other tensor has the values of this one.
    #[inline(never)]
    pub(super) fn dense_pair_mut<'a>(
        &'a mut self,
        other: &'a Tensor<T>,
    ) -> Option<(&'a mut [T], &'a [T])> {
        self.dense_pair(other)?;
        self.dense_mut().zip(other.dense())
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

/// What writes a piece of a tensor, next to as many values of two operands.
type ZipFn<'f, T> = dyn FnMut(&mut [T], &[T], &[T]) + 'f;

/// How many values are gathered at a time.
const GATHERED: usize = 64;

/// Elements that are evenly spaced in memory, side by side: where they lie, or in `room`.
fn gathered<'a, T: Copy>(
    data: &'a [T],
    start: isize,
    step: isize,
    len: usize,
    room: &'a mut [T; GATHERED],
) -> &'a [T] {
    match step {
        1 => &data[start as usize..][..len],
        0 => {
            room[..len].fill(data[start as usize]);
            &room[..len]
        }
        _ => {
            walk::copy(data, start, step, &mut room[..len]);
            &room[..len]
        }
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
                self.operated(other, |a, b| a $op b)
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
                self.into_operated(other, |a, b| a $op b)
            }
        }

        impl<T: Scalar> $trait<Tensor<T>> for Tensor<T> {
            type Output = Tensor<T>;
            #[track_caller]
            fn $method(self, other: Tensor<T>) -> Tensor<T> {
                self.into_operated(&other, |a, b| a $op b)
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
