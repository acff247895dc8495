//! Views: other shapes and strides over the same data.

use super::shape::{MAX_RANK, Shape};
use super::{Tensor, walk};
use crate::buffer::Buffer;
use crate::par::split_off;
use crate::scalar::{Scalar, compiled};
use std::ops::{Bound, RangeBounds};

impl<T: Scalar> Tensor<T> {
    /// The same values in reading order under another shape: a view wherever the strides allow
    /// one, else a copy.
    ///
    /// # Panics
    /// When the shapes hold different numbers of elements.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::<f64>::arange(6).reshape([2, 3]);
    /// assert_eq!(x, Tensor::from([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]));
    /// ```
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Tensor<T> {
        let shape = shape.into();
        assert_eq!(
            shape.count(),
            self.len(),
            "reshape: {} has {} elements and {shape} has {}",
            self.shape,
            self.len(),
            shape.count()
        );
        match self.restride(shape) {
            Some(strides) => Tensor { shape, strides, ..self.clone() },
            None => Tensor { shape, strides: shape.row_major(), ..self.copied() },
        }
    }

    /// The strides under which `shape` sees this data in reading order, if there are any.
    ///
    /// Both shapes are walked together in groups of axes with equal products; a group can be
    /// regrouped if its old axes lie in memory like one axis.
    #[inline(never)]
    fn restride(&self, shape: Shape) -> Option<[isize; MAX_RANK]> {
        if self.is_empty() {
            return Some(shape.row_major());
        }
        let old: Vec<(usize, isize)> = (0..self.rank())
            .filter(|&a| self.shape[a] != 1)
            .map(|a| (self.shape[a], self.strides[a]))
            .collect();
        let mut strides = [1; MAX_RANK];
        let (mut old_at, mut new_at) = (0, 0);
        while old_at < old.len() {
            let (old_from, new_from) = (old_at, new_at);
            let (mut old_len, mut new_len) = (old[old_at].0, shape[new_at]);
            (old_at, new_at) = (old_at + 1, new_at + 1);
            while old_len != new_len {
                if old_len < new_len {
                    old_len *= old[old_at].0;
                    old_at += 1;
                } else {
                    new_len *= shape[new_at];
                    new_at += 1;
                }
            }
            let group = &old[old_from..old_at];
            if group.windows(2).any(|pair| pair[0].1 != pair[1].0 as isize * pair[1].1) {
                return None;
            }
            let mut step = group[group.len() - 1].1;
            for axis in (new_from..new_at).rev() {
                strides[axis] = step;
                step *= shape[axis] as isize;
            }
        }
        Some(strides)
    }

    /// The axes in another order: axis `i` of the result is axis `order[i]` of `self`.
    ///
    /// # Panics
    /// When `order` is not a permutation of the axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::<f32>::zeros([2, 3, 4]).permute([2, 0, 1]).shape(), [4, 2, 3]);
    /// ```
    #[track_caller]
    pub fn permute<const N: usize>(&self, order: [usize; N]) -> Tensor<T> {
        let mut seen = [false; MAX_RANK];
        let valid = N == self.rank()
            && order.iter().all(|&axis| axis < N && !std::mem::replace(&mut seen[axis], true));
        assert!(valid, "permute: {order:?} is no order of the axes of {}", self.shape);
        let mut strides = [0; MAX_RANK];
        for (stride, axis) in strides.iter_mut().zip(order) {
            *stride = self.strides[axis];
        }
        Tensor { shape: Shape::from(order.map(|axis| self.shape[axis])), strides, ..self.clone() }
    }

    /// The transposed matrix.
    ///
    /// # Panics
    /// When the tensor does not have two axes.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 2.0]]).t(), Tensor::from([[1.0], [2.0]]));
    /// ```
    #[track_caller]
    pub fn t(&self) -> Tensor<T> {
        assert_eq!(
            self.rank(),
            2,
            "t: a matrix has two axes, and {} has {}",
            self.shape,
            self.rank()
        );
        self.permute([1, 0])
    }

    /// The part of the tensor whose indices along `axis` lie in `range`.
    ///
    /// # Panics
    /// When the axis does not exist or the range goes beyond it.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.slice(1, 1..), Tensor::from([[2.0, 3.0], [5.0, 6.0]]));
    /// ```
    #[track_caller]
    pub fn slice(&self, axis: usize, range: impl RangeBounds<usize>) -> Tensor<T> {
        assert!(axis < self.rank(), "slice: axis {axis} of a tensor of shape {}", self.shape);
        let len = self.shape[axis];
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&start) => start.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&end) => end.saturating_add(1),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => len,
        };
        assert!(
            start <= end && end <= len,
            "slice: {start}..{end} of axis {axis} of a tensor of shape {}",
            self.shape
        );
        let mut view = self.clone();
        let mut dims = self.shape.to_vec();
        dims[axis] = end - start;
        view.shape = Shape::new(&dims);
        if !view.is_empty() {
            view.offset = self.offset.wrapping_add_signed(start as isize * self.strides[axis]);
        }
        view
    }

    /// Every `step`-th index along `axis`, from the first one on.
    ///
    /// # Panics
    /// When the axis does not exist or the step is 0.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::<f64>::arange(5).step(0, 2).to_vec(), [0.0, 2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn step(&self, axis: usize, step: usize) -> Tensor<T> {
        assert!(axis < self.rank(), "step: axis {axis} of a tensor of shape {}", self.shape);
        assert!(step > 0, "step: a step is at least 1");
        let mut view = self.clone();
        let mut dims = self.shape.to_vec();
        dims[axis] = dims[axis].div_ceil(step);
        view.shape = Shape::new(&dims);
        // A step beyond the axis is never taken: it may as well end there. So the stride fits, and `flip` can turn it.
        let step = step.min(self.shape[axis].max(1)) as isize;
        view.strides[axis] = self.strides[axis].saturating_mul(step);
        view
    }

    /// The tensor read backwards along `axis`.
    ///
    /// # Panics
    /// When the axis does not exist.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0, 3.0]).flip(0).to_vec(), [3.0, 2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn flip(&self, axis: usize) -> Tensor<T> {
        assert!(axis < self.rank(), "flip: axis {axis} of a tensor of shape {}", self.shape);
        let mut view = self.clone();
        if !view.is_empty() {
            let last = (self.shape[axis] - 1) as isize * self.strides[axis];
            view.offset = self.offset.wrapping_add_signed(last);
            view.strides[axis] = -self.strides[axis];
        }
        view
    }

    /// The tensor repeated to a larger shape by NumPy's rule: axes are aligned at the end, and an
    /// axis of length 1, or one that is missing in front, repeats. Nothing is copied.
    ///
    /// # Panics
    /// When the shape does not fit that rule.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let bias = Tensor::from([1.0, 2.0]);
    /// assert_eq!(bias.broadcast_to([2, 2]), Tensor::from([[1.0, 2.0], [1.0, 2.0]]));
    /// ```
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Tensor<T> {
        let shape = shape.into();
        assert!(
            self.shape.broadcast_with(&shape) == Some(shape),
            "broadcast_to: {} does not repeat to {shape}",
            self.shape
        );
        let _ = shape.count(); // panics at the caller's line when absurd
        let mut view = Tensor { shape, strides: [0; MAX_RANK], ..self.clone() };
        let added = shape.rank() - self.rank();
        for axis in 0..self.rank() {
            if self.shape[axis] == shape[added + axis] {
                view.strides[added + axis] = self.strides[axis];
            }
        }
        view
    }

    /// All windows of `size` that slide over axes 1 and 2 of a batch of images by `strides`:
    /// `[n, h, w, c]` becomes `[n, oh, ow, kh, kw, c]` with `oh = (h - kh) / sh + 1`, without a copy.
    ///
    /// Convolution is this view, reshaped to a matrix, times the kernel as a matrix.
    ///
    /// # Panics
    /// When the tensor does not have four axes, a stride or a side is 0, or the window is larger
    /// than the image.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::<f64>::arange(9).reshape([1, 3, 3, 1]);
    /// let windows = x.windows([2, 2], [1, 1]);
    /// assert_eq!(windows.shape(), [1, 2, 2, 2, 2, 1]);
    /// assert_eq!(windows.slice(1, 1..).slice(2, 1..).to_vec(), [4.0, 5.0, 7.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn windows(&self, size: [usize; 2], strides: [usize; 2]) -> Tensor<T> {
        let [n, h, w, c] = self.dims();
        let [kh, kw] = size;
        let [sh, sw] = strides;
        assert!(kh > 0 && kw > 0 && sh > 0 && sw > 0, "windows: sides and strides are at least 1");
        assert!(kh <= h && kw <= w, "windows: a window of {kh}x{kw} does not fit into {h}x{w}");
        let [n_step, h_step, w_step, c_step, ..] = self.strides;
        let shape = Shape::from([n, (h - kh) / sh + 1, (w - kw) / sw + 1, kh, kw, c]);
        let _ = shape.count(); // panics at the caller's line when absurd
        Tensor {
            shape,
            // A stride beyond the image is never taken: it may as well stop there.
            strides: [
                n_step,
                h_step.saturating_mul(sh.min(h) as isize),
                w_step.saturating_mul(sw.min(w) as isize),
                h_step,
                w_step,
                c_step,
            ],
            ..self.clone()
        }
    }

    /// The rows `indices` of the first axis, in that order: a copy, for shuffled batches. (Of any axis, and on the tape:
    /// [`index_select`](Self::index_select).)
    ///
    /// # Panics
    /// When an index lies outside the first axis.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.take(&[1, 1, 0]), Tensor::from([[3.0, 4.0], [3.0, 4.0], [1.0, 2.0]]));
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn take(&self, indices: &[usize]) -> Tensor<T> {
        assert!(self.rank() > 0, "take: a scalar has no rows");
        let row = self.shape.sample();
        let mut strides = [0; MAX_RANK];
        strides[..row.rank()].copy_from_slice(&self.strides[1..self.rank()]);
        let len = row.count();
        let shape = row.batch(indices.len());
        let mut values = Buffer::stale(shape.count());
        for (i, &index) in indices.iter().enumerate() {
            assert!(index < self.shape[0], "take: row {index} of a tensor of shape {}", self.shape);
            let start = self.offset as isize + index as isize * self.strides[0];
            let mut rest = &mut values[i * len..(i + 1) * len];
            walk::runs(row, [&strides], [start], &mut |len, [at], [step]| {
                let run = split_off(&mut rest, len);
                walk::copy(&self.data, at, step, run);
            });
        }
        Tensor::from_buffer(shape, values)
    }
}

compiled!(|x: &Tensor<T>| (x.reshape([1]), x.take(&[])));
