//! A window that slides over an image: the one place with output-size arithmetic.

use crate::error::Reason;
use std::ops::Range;

/// What happens at the border of an image.
///
/// ```
/// use cinta::{Padding, Window};
/// let output = |padding| Window::new([16, 16], [3, 3], [1, 1], padding).unwrap().output();
/// assert_eq!((output(Padding::Valid), output(Padding::Same)), ([14, 14], [16, 16]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Padding {
    /// The window stays inside the image: the output is smaller.
    #[default]
    Valid,
    /// The image is extended so that the output has `ceil(size / stride)` pixels. Of an odd number
    /// of extra pixels, the larger half lies at the end, as in TensorFlow and Keras.
    Same,
    /// As many outputs as [`Same`](Self::Same), but all extra pixels lie before the image: an output sees nothing that comes
    /// after its own place. In a series, that is the future.
    Causal,
}

impl Padding {
    /// Keras's name: `"valid"`, `"same"` or `"causal"`.
    ///
    /// ```
    /// assert_eq!(cinta::Padding::Same.name(), "same");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Padding::Valid => "valid",
            Padding::Same => "same",
            Padding::Causal => "causal",
        }
    }
}

/// A window's size, stride and padding over an image of a known size.
///
/// Along an axis of `size` pixels, a window of `k` with stride `s` gives
/// * `valid`: `floor((size - k) / s) + 1` outputs,
/// * `same`: `ceil(size / s)` outputs, from an image extended by
///   `total = max(0, (ceil(size / s) - 1) s + k - size)` pixels, `floor(total / 2)` of them before,
/// * `causal`: `ceil(size / s)` outputs, from an image extended by `k - 1` pixels before.
///
/// ```
/// use cinta::{Padding, Window};
/// let window = Window::new([16, 16], [5, 5], [1, 1], Padding::Same).unwrap();
/// assert_eq!(window.output(), [16, 16]);
/// let window = Window::new([16, 16], [3, 3], [2, 2], Padding::Same).unwrap();
/// assert_eq!((window.output(), window.before()), ([8, 8], [0, 0])); // the extra pixel is at the end
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    image: [usize; 2],
    size: [usize; 2],
    strides: [usize; 2],
    dilation: [usize; 2],
    before: [usize; 2],
    output: [usize; 2],
}

impl Window {
    /// A window of `size` that slides over images of `image` pixels by `strides`.
    ///
    /// # Errors
    /// A sentence that says what does not fit, when a side or stride is 0, the output would be empty, or the image has more
    /// pixels than memory.
    ///
    /// ```
    /// use cinta::{Padding, Window};
    /// let error = Window::new([4, 4], [5, 5], [1, 1], Padding::Valid).unwrap_err();
    /// assert!(error.as_str().starts_with("the window of 5x5 does not fit into the image of 4x4"));
    /// ```
    pub fn new(
        image: [usize; 2],
        size: [usize; 2],
        strides: [usize; 2],
        padding: Padding,
    ) -> Result<Window, Reason> {
        Self::dilated(image, size, strides, [1, 1], padding)
    }

    /// A window whose `size` pixels lie `dilation` apart, so that it spans `(size - 1) dilation + 1`.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when a dilation is 0 or so large that nobody can count what the window spans.
    ///
    /// ```
    /// use cinta::{Padding, Window};
    /// let window = Window::dilated([7, 7], [3, 3], [1, 1], [2, 2], Padding::Valid).unwrap();
    /// assert_eq!(window.output(), [3, 3]); // it spans 5 pixels
    /// ```
    pub fn dilated(
        image: [usize; 2],
        size: [usize; 2],
        strides: [usize; 2],
        dilation: [usize; 2],
        padding: Padding,
    ) -> Result<Window, Reason> {
        check(image, size, strides, dilation)?;
        let span = |axis: usize| (size[axis] - 1).saturating_mul(dilation[axis]).saturating_add(1);
        let fits = (0..2).all(|axis| span(axis) <= image[axis]);
        if padding == Padding::Valid && !fits {
            return Err(format!(
                "the window of {}x{} does not fit into the image of {}x{}; use a smaller window or padding `same`",
                span(0),
                span(1),
                image[0],
                image[1]
            ).into());
        }
        // Neighbours may lie far apart, but where they lie must be a number.
        let absurd =
            |axis: usize| size[axis] > 1 && dilation[axis] > 1 && span(axis) > isize::MAX as usize;
        if absurd(0) || absurd(1) {
            return Err(format!(
                "a window of {}x{} with a dilation of {dilation:?} spans more pixels than can be counted",
                size[0], size[1]
            ).into());
        }
        let mut window = Window {
            image,
            size,
            // One that leaves the image with its first step may as well leave it by one pixel.
            strides: both(|axis| strides[axis].min(image[axis] + 1)),
            dilation,
            before: [0; 2],
            output: [0; 2],
        };
        for axis in 0..2 {
            let (image, size, stride) = (image[axis], span(axis), window.strides[axis]);
            match padding {
                Padding::Valid => window.output[axis] = (image - size) / stride + 1,
                Padding::Same => {
                    let output = image.div_ceil(stride);
                    let total = ((output - 1) * stride).saturating_add(size).saturating_sub(image);
                    window.output[axis] = output;
                    window.before[axis] = total / 2;
                }
                Padding::Causal => {
                    window.output[axis] = image.div_ceil(stride);
                    window.before[axis] = size - 1;
                }
            }
        }
        Ok(window)
    }

    /// The window of a transposed convolution: the one that makes images of `small` pixels of its larger images. How large
    /// these are, many convolutions leave open. Keras says
    /// * `valid`: `(small - 1) s + k + extra`, and `extra` is `max(s - k, 0)` by default,
    /// * `same`: `small s` by default, or `(small - 1) s + k mod 2 + extra`,
    ///
    /// where `k` is what the window spans.
    ///
    /// # Errors
    /// As [`dilated`](Self::dilated), and when `extra` is not smaller than the stride.
    ///
    /// ```
    /// use cinta::{Padding, Window};
    /// let window = Window::transposed([4, 4], [3, 3], [2, 2], [1, 1], Padding::Same, None).unwrap();
    /// assert_eq!((window.image(), window.output()), ([8, 8], [4, 4]));
    /// ```
    pub fn transposed(
        small: [usize; 2],
        size: [usize; 2],
        strides: [usize; 2],
        dilation: [usize; 2],
        padding: Padding,
        extra: Option<[usize; 2]>,
    ) -> Result<Window, Reason> {
        check(small, size, strides, dilation)?;
        if padding == Padding::Causal {
            return Err("a transposed convolution has no padding `causal`".into());
        }
        if let Some(extra) = extra.filter(|extra| (0..2).any(|axis| extra[axis] >= strides[axis])) {
            return Err(format!(
                "an output padding of {extra:?} is not smaller than the strides {strides:?}"
            )
            .into());
        }
        let (mut image, mut before) = ([0; 2], [0; 2]);
        for axis in 0..2 {
            let (stride, extra) = (strides[axis], extra.map(|extra| extra[axis]));
            let sides = || {
                let span = (size[axis] - 1).checked_mul(dilation[axis])?.checked_add(1)?;
                let steps = (small[axis] - 1).checked_mul(stride)?;
                let covered = steps.checked_add(span)?;
                let side = match (padding, extra) {
                    (Padding::Same, None) => steps.checked_add(stride)?,
                    (Padding::Same, Some(extra)) => steps.checked_add(span % 2 + extra)?,
                    (_, None) => covered.checked_add(stride.saturating_sub(span))?,
                    (_, Some(extra)) => covered.checked_add(extra)?,
                };
                let before =
                    if padding == Padding::Same { covered.saturating_sub(side) / 2 } else { 0 };
                (side <= isize::MAX as usize).then_some((side, before))
            };
            (image[axis], before[axis]) = sides().ok_or_else(|| {
                format!(
                    "the output of a window of {}x{} with strides {strides:?} and a dilation of {dilation:?} has more pixels \
                     than memory",
                    size[0], size[1]
                )
            })?;
        }
        if image.contains(&0) {
            return Err(format!(
                "images of {}x{} become images of {}x{}, which have no pixels",
                small[0], small[1], image[0], image[1]
            )
            .into());
        }
        Ok(Window { image, size, strides, dilation, before, output: small })
    }

    /// The size of the output.
    ///
    /// ```
    /// # use cinta::{Padding, Window};
    /// let window = Window::new([8, 8], [2, 2], [2, 2], Padding::Valid).unwrap();
    /// assert_eq!(window.output(), [4, 4]);
    /// ```
    pub fn output(&self) -> [usize; 2] {
        self.output
    }

    /// The number of pixels added above and to the left.
    ///
    /// ```
    /// # use cinta::{Padding, Window};
    /// let window = Window::new([8, 8], [5, 5], [1, 1], Padding::Same).unwrap();
    /// assert_eq!(window.before(), [2, 2]);
    /// ```
    pub fn before(&self) -> [usize; 2] {
        self.before
    }

    /// The window's own size.
    pub(crate) fn size(&self) -> [usize; 2] {
        self.size
    }

    /// The most of the window that can lie inside of the image.
    pub(crate) fn seen(&self) -> [usize; 2] {
        both(|axis| self.size[axis].min(self.image[axis]))
    }

    /// At most so many windows cover a pixel.
    pub(crate) fn overlap(&self) -> usize {
        let along =
            |axis: usize| self.size[axis].div_ceil(self.strides[axis]).min(self.output[axis]);
        along(0).saturating_mul(along(1))
    }

    pub(crate) fn strides(&self) -> [usize; 2] {
        self.strides
    }

    /// The size of the images.
    ///
    /// ```
    /// # use cinta::{Padding, Window};
    /// assert_eq!(Window::new([8, 6], [2, 2], [2, 2], Padding::Valid).unwrap().image(), [8, 6]);
    /// ```
    pub fn image(&self) -> [usize; 2] {
        self.image
    }

    pub(crate) fn dilation(&self) -> [usize; 2] {
        self.dilation
    }

    /// The part of the window, along `axis`, that lies inside the image at output position `at`:
    /// the first pixel of the image it covers, and the range of its own positions that do. (If none does, the first is 0.)
    #[inline]
    pub(crate) fn clipped(&self, axis: usize, at: usize) -> (usize, Range<usize>) {
        let (start, dilation) = (at * self.strides[axis], self.dilation[axis]);
        let (before, size) = (self.before[axis], self.size[axis]);
        let from = before.saturating_sub(start).div_ceil(dilation).min(size);
        let beyond = (self.image[axis] + before).saturating_sub(start).div_ceil(dilation);
        let taps = from..beyond.clamp(from, size);
        let first = if taps.is_empty() { 0 } else { start + from * dilation - before };
        (first, taps)
    }

    /// The window's own positions along `axis` that lie inside the image at some output position: they are neighbours.
    pub(crate) fn met(&self, axis: usize) -> Range<usize> {
        let meets = |tap: &usize| !self.reaching(axis, *tap).is_empty();
        let mut taps = 0..self.size[axis];
        match taps.find(meets) {
            Some(first) => first..taps.rfind(meets).unwrap_or(first) + 1,
            None => 0..0,
        }
    }

    /// The output positions along `axis` at which the window's own position `tap` lies inside the image.
    pub(crate) fn reaching(&self, axis: usize, tap: usize) -> Range<usize> {
        let (stride, shift) = (self.strides[axis], tap * self.dilation[axis]);
        let from = self.before[axis].saturating_sub(shift).div_ceil(stride);
        let beyond = (self.image[axis] + self.before[axis]).saturating_sub(shift).div_ceil(stride);
        from..beyond.clamp(from, self.output[axis].max(from))
    }
}

/// Refuses sides, strides and distances of which there is nothing, and images larger than memory.
fn check(
    image: [usize; 2],
    size: [usize; 2],
    strides: [usize; 2],
    dilation: [usize; 2],
) -> Result<(), Reason> {
    if size.contains(&0) {
        return Err(format!(
            "a window of {}x{} has no pixels; its sides are at least 1",
            size[0], size[1]
        )
        .into());
    }
    if strides.contains(&0) {
        return Err(format!("strides of {strides:?} never advance; they are at least 1").into());
    }
    if image.contains(&0) {
        return Err(format!("an image of {}x{} has no pixels", image[0], image[1]).into());
    }
    if dilation.contains(&0) {
        return Err(format!("a dilation of {dilation:?} has no distance; it is at least 1").into());
    }
    if image.iter().any(|&side| side > isize::MAX as usize) {
        return Err(
            format!("an image of {}x{} has more pixels than memory", image[0], image[1]).into()
        );
    }
    Ok(())
}

/// What `f` gives for the two axes of an image. (`map` of an array is ten times as much code, and is compiled for each function.)
pub(super) fn both<R>(mut f: impl FnMut(usize) -> R) -> [R; 2] {
    let first = f(0);
    [first, f(1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The rule of `same`, checked by counting positions one by one.
        #[test]
        fn every_output_pixel_sees_the_image(
            image in 1usize..12, size in 1usize..6, stride in 1usize..5, dilation in 1usize..4, same: bool,
        ) {
            let padding = if same { Padding::Same } else { Padding::Valid };
            let window = Window::dilated([image; 2], [size; 2], [stride; 2], [dilation; 2], padding);
            let span = (size - 1) * dilation + 1;
            let Ok(window) = window else {
                prop_assert!(!same && span > image);
                return Ok(());
            };
            let [before, _] = window.before();
            let starts = |padded: usize| (0..).map(|i| i * stride).take_while(|start| start + span <= padded).count();
            if same {
                prop_assert_eq!(window.output()[0], image.div_ceil(stride));
                // As many pixels after the image as before it, or one more, are what the outputs need. (A stride
                // larger than the window may leave pixels at the end unread.)
                let enough = |after: usize| starts(before + image + after) >= window.output()[0];
                prop_assert!(enough(before + 1) && (before == 0 || !enough(before - 1)));
            } else {
                prop_assert_eq!(window.output()[0], starts(image));
                prop_assert_eq!(before, 0);
            }
            // A pixel for each tap, counted one by one; a dilated window may see none at all.
            let before = window.before()[0] as isize;
            let pixel = |at: usize, tap: usize| (at * stride + tap * dilation) as isize - before;
            let inside = |pixel: isize| (0..image as isize).contains(&pixel);
            for at in 0..window.output()[0] {
                let (first, taps) = window.clipped(0, at);
                let expected: Vec<usize> = (0..size).filter(|&tap| inside(pixel(at, tap))).collect();
                prop_assert_eq!(taps.clone().collect::<Vec<_>>(), expected);
                prop_assert!(taps.is_empty() || first as isize == pixel(at, taps.start));
            }
            for tap in 0..size {
                let expected: Vec<usize> =
                    (0..window.output()[0]).filter(|&at| inside(pixel(at, tap))).collect();
                prop_assert_eq!(window.reaching(0, tap).collect::<Vec<_>>(), expected.clone());
                prop_assert_eq!(window.met(0).contains(&tap), !expected.is_empty());
            }
        }
    }
}
