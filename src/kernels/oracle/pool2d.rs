//! Pooling and its gradients against windows that are read pixel by pixel.

use super::super::pool2d::{
    Geometry, Winners, avg_backward, avg_forward, max_backward, max_forward,
};
use super::super::window::{Padding, Window};
use super::{at_each_level, soil};
use crate::buffer::Buffer;
use crate::par;
use crate::scalar::Scalar;
use crate::simd;
use crate::tensor::testing::{Draw, LAYOUTS, SIZES, laid_out, pairs, read, same};
use crate::tensor::{Order, Tensor};

#[derive(Clone, Copy, Debug)]
struct Case {
    /// `[n, h, w, c]`.
    dims: [usize; 4],
    size: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
    /// Of the images and of the gradients.
    layouts: [usize; 2],
}

impl Case {
    /// `same` where the window does not fit.
    fn new(dims: [usize; 4], size: [usize; 2], strides: [usize; 2], same: bool) -> Self {
        let same = same || size[0] > dims[1] || size[1] > dims[2];
        let padding = if same { Padding::Same } else { Padding::Valid };
        Case { dims, size, strides, padding, layouts: [0, 0] }
    }

    /// Along an axis: the pixels of each window that lie in the image.
    fn axis(&self, axis: usize) -> Vec<Vec<usize>> {
        let (image, size, stride) = (self.dims[axis + 1], self.size[axis], self.strides[axis]);
        let (outputs, before) = match self.padding {
            Padding::Valid => ((image - size) / stride + 1, 0),
            Padding::Same => {
                let outputs = image.div_ceil(stride);
                (outputs, ((outputs - 1) * stride + size).saturating_sub(image) / 2)
            }
            Padding::Causal => (image.div_ceil(stride), size - 1),
        };
        let pixels =
            |at: usize| (at * stride..at * stride + size).filter_map(|i| i.checked_sub(before));
        (0..outputs).map(|at| pixels(at).filter(|&pixel| pixel < image).collect()).collect()
    }

    /// Where the pixels of each window lie among the values of the images in reading order, for `[n, oh, ow, c]`.
    fn windows(&self) -> Vec<Vec<usize>> {
        let ([n, h, w, c], rows, columns) = (self.dims, self.axis(0), self.axis(1));
        let mut windows = Vec::new();
        for (image, rows, columns, channel) in (0..n).flat_map(|image| {
            let (rows, columns) = (&rows, &columns);
            rows.iter().flat_map(move |rows| {
                columns.iter().flat_map(move |columns| {
                    (0..c).map(move |channel| (image, rows, columns, channel))
                })
            })
        }) {
            let place = |y: usize, x: usize| ((image * h + y) * w + x) * c + channel;
            windows.push(
                rows.iter().flat_map(|&y| columns.iter().map(move |&x| place(y, x))).collect(),
            );
        }
        windows
    }

    fn output(&self) -> [usize; 4] {
        [self.dims[0], self.axis(0).len(), self.axis(1).len(), self.dims[3]]
    }

    fn geometry(&self) -> Geometry {
        let [images, h, w, channels] = self.dims;
        let window = Window::new([h, w], self.size, self.strides, self.padding);
        Geometry { window: window.expect("a window"), images, channels }
    }
}

/// Few different numbers, so that many are equal; and infinities, and in some places a NaN, but never two in a channel
/// of an image: which of them wins is nobody's promise.
fn values<T: Scalar>(draw: &mut Draw, [n, h, w, c]: [usize; 4], special: bool) -> Vec<T> {
    let mut values = draw.whole::<T>(n * h * w * c, 2);
    if special {
        (0..values.len()).step_by(3).for_each(|at| values[at] = T::neg_infinity());
        (0..values.len()).step_by(17).for_each(|at| values[at] = T::infinity());
        for (image, channel) in (0..n).flat_map(|image| (0..c).map(move |channel| (image, channel)))
        {
            let pixel = draw.below(2 * h * w);
            if pixel < h * w {
                values[(image * h * w + pixel) * c + channel] = T::nan();
            }
        }
    }
    values
}

/// The place in a window of its largest value: the first of equals, and a NaN before all others.
fn winner<T: Scalar>(window: &[usize], x: &[T]) -> usize {
    let better = |new: T, old: T| new > old || new.is_nan() && !old.is_nan();
    (1..window.len())
        .fold(0, |best, i| if better(x[window[i]], x[window[best]]) { i } else { best })
}

fn check_max<T: Scalar>(case: Case, special: bool) {
    let (windows, output) = (case.windows(), case.output());
    let mut draw = Draw::new(case.dims.iter().sum::<usize>() as u64);
    let x = values::<T>(&mut draw, case.dims, special);
    let dy = draw.whole::<T>(windows.len(), 9);
    let won: Vec<usize> = windows.iter().map(|window| winner(window, &x)).collect();
    let (mut y, mut dx) = (Vec::new(), vec![T::zero(); x.len()]);
    for ((window, &won), &dy) in windows.iter().zip(&won).zip(&dy) {
        y.push(x[window[won]]);
        dx[window[won]] += dy;
    }
    let x = laid_out(case.dims, &x, case.layouts[0]);
    let dy = laid_out(output, &dy, case.layouts[1]);
    let seen = [0, 1].map(|axis| case.size[axis].min(case.dims[axis + 1]));
    at_each_level(|| {
        let level = simd::instruction_set();
        soil::<T>(y.len());
        let (value, (ordered, winners)) = max_forward(case.geometry(), &x, true);
        assert_eq!((value.shape(), value.order()), (output.into(), order_of(output, x.order())));
        assert!(same(&read(&value), &y), "{case:?} {level}");
        let untracked = max_forward(case.geometry(), &x, false).0;
        assert!(same(&read(&untracked), &y), "{case:?} {level}: without winners");
        let indices: Vec<f64> = match &winners {
            Winners::Bytes(winners) => winners.iter().map(|&winner| winner.into()).collect(),
            Winners::Words(winners) => winners.iter().map(|&winner| winner.into()).collect(),
        };
        assert_eq!(matches!(winners, Winners::Words(_)), seen[0] * seen[1] > 255, "{case:?}");
        let indices = read(&x.order().tensor(output, indices.into()));
        assert!(indices.iter().zip(&won).all(|(&i, &won)| i == won as f64), "{case:?} {level}");
        soil::<T>(dx.len());
        let gradient = max_backward(ordered, &winners, T::one(), &dy);
        assert_eq!(gradient.shape(), case.dims);
        assert!(same(&read(&gradient), &dx), "{case:?} {level}: the gradient");
    });
}

/// The order in which a result lies whose images lay in this one: of a single image, both are the same.
fn order_of(output: [usize; 4], order: Order) -> Order {
    order.tensor(output, Buffer::<f32>::zeroed(output.iter().product())).order()
}

fn check_avg<T: Scalar>(case: Case) {
    let (windows, output) = (case.windows(), case.output());
    let mut draw = Draw::new(case.dims.iter().sum::<usize>() as u64);
    let mut x = draw.whole::<T>(case.dims.iter().product(), 9);
    *x.last_mut().expect("a pixel") = T::infinity();
    x[0] = T::nan();
    let dy = draw.whole::<T>(windows.len(), 9);
    let mut dx = vec![T::zero(); x.len()];
    let mut y = Vec::new();
    for (window, &dy) in windows.iter().zip(&dy) {
        let count = T::lit(window.len() as f64);
        y.push(window.iter().map(|&pixel| x[pixel]).sum::<T>() / count);
        // In reading order of the windows, so that not even rounding differs.
        window.iter().for_each(|&pixel| dx[pixel] += dy * (T::one() / count));
    }
    let x = laid_out(case.dims, &x, case.layouts[0]);
    let dy = laid_out(output, &dy, case.layouts[1]);
    at_each_level(|| {
        let level = simd::instruction_set();
        soil::<T>(y.len());
        let (value, ordered) = avg_forward(case.geometry(), &x);
        assert_eq!((value.shape(), value.order()), (output.into(), order_of(output, x.order())));
        assert!(same(&read(&value), &y), "{case:?} {level}");
        soil::<T>(dx.len());
        let gradient = avg_backward(ordered, &dy);
        assert_eq!(gradient.shape(), case.dims);
        assert!(same(&read(&gradient), &dx), "{case:?} {level}: the gradient");
    });
}

fn check(case: Case, special: bool) {
    check_max::<f32>(case, special);
    check_max::<f64>(case, special);
    check_avg::<f32>(case);
    check_avg::<f64>(case);
}

#[test]
fn channels_images_and_orders() {
    let images = [1, 2, 3, 16];
    let sides = [1, 4, 6, 9];
    let sizes = [[1, 1], [2, 2], [3, 3], [2, 3], [3, 1], [5, 4]];
    let strides = [[1, 1], [2, 2], [3, 2], [1, 3]];
    let lens = [4, SIZES.len(), 4, 4, sizes.len(), strides.len() + 1, 2, LAYOUTS, LAYOUTS, 2];
    for at in pairs(1, lens) {
        let dims = [images[at[0]], sides[at[2]], sides[at[3]], SIZES[at[1]]];
        let size = sizes[at[4]];
        // Side by side, or overlapping, or apart.
        let strides = strides.get(at[5]).copied().unwrap_or(size);
        let case = Case::new(dims, size, strides, at[6] == 1);
        check(Case { layouts: [at[7], at[8]], ..case }, at[9] == 1);
    }
}

/// Windows of up to 17 by 17 pixels, whose winners are bytes up to 256.
#[test]
fn large_windows() {
    let sizes = [[16, 16], [17, 17], [16, 17], [17, 15], [17, 16], [17, 3]];
    let strides = [[1, 1], [17, 17], [3, 5]];
    let lens = [sizes.len(), 3, 3, strides.len(), 2, 3, 2, LAYOUTS];
    for at in pairs(2, lens) {
        let dims = [at[4] + 1, [15, 17, 18][at[1]], [16, 17, 19][at[2]], [1, 3, 17][at[5]]];
        let case = Case::new(dims, sizes[at[0]], strides[at[3]], at[6] == 1);
        check(Case { layouts: [at[7], at[7]], ..case }, at[6] == 1);
    }
    // The largest value is the last of its window.
    for side in [16, 17] {
        let mut case = Case::new([2, side, side, 9], [side, side], [1, 1], false);
        case.layouts[0] = 1;
        let ascending: Vec<f32> = (0..2 * side * side * 9).map(|i| i as f32).collect();
        let x = laid_out(case.dims, &ascending, 1);
        let (y, (ordered, winners)) = max_forward(case.geometry(), &x, true);
        assert_eq!(
            read(&y),
            (0..18)
                .map(|i| ascending[(i / 9 * side * side + side * side - 1) * 9 + i % 9])
                .collect::<Vec<_>>()
        );
        let dx = max_backward(ordered, &winners, 1.0, &Tensor::full(y.shape(), 1.0));
        let last = dx.slice(1, side - 1..).slice(2, side - 1..);
        assert_eq!((read(&last), dx.sum(..).item()), (vec![1.0; 18], 18.0));
    }
}

/// More rows than one part has, cut in the middle of an image; and rows longer than a part.
#[test]
fn parts_of_rows() {
    for (dims, size, strides) in [
        ([5, 22, 22, 8], [2, 2], [2, 2]),
        ([70, 5, 3, 33], [3, 2], [1, 1]),
        ([2, 3, 70, 65], [2, 2], [1, 1]),
    ] {
        for layout in [0, 1] {
            let case = Case::new(dims, size, strides, true);
            par::serially(|| check(Case { layouts: [layout, layout], ..case }, false));
        }
    }
}

/// Windows side by side that cover the image write every pixel once; else several write to a pixel, or none.
#[test]
fn pixels_of_one_window_of_several_and_of_none() {
    for [h, w] in [[6, 6], [7, 6], [6, 8], [8, 7]] {
        for (size, strides, same) in [
            ([3, 3], [3, 3], false),
            ([2, 3], [3, 3], false),
            ([3, 2], [3, 2], true),
            // As many windows as if they lay side by side, but they overlap along one axis or both.
            ([3, 3], [2, 3], false),
            ([3, 3], [3, 2], false),
            ([3, 3], [2, 2], false),
        ] {
            check(Case::new([3, h, w, 9], size, strides, same), true);
        }
    }
}
