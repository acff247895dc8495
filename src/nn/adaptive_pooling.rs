//! The pooling layers whose output has a size that is given, whatever that of the input.
//!
//! Along an axis of `length` places, output `i` of `size` sees the places from `floor(i length / size)` to before
//! `ceil((i + 1) length / size)`. Both the mean and the maximum are computed along one axis after the other.

use super::axes::{over_axes, series, volume};
use super::layer::image;
use super::recipe::{described, formatted, recipe};
use super::{Context, Layer, Pair, Single, Triple};
use crate::autograd::Var;
use crate::kernels::Padding;
use crate::scalar::Scalar;
use crate::tensor::Shape;
use std::ops::Range;

/// Which of `length` places each of `size` outputs sees.
fn windows(length: usize, size: usize) -> Vec<Range<usize>> {
    (0..size).map(|i| i * length / size..((i + 1) * length).div_ceil(size)).collect()
}

/// The means of the windows along an axis.
fn means<'t, T: Scalar>(x: &Var<'t, T>, axis: usize, size: usize) -> Var<'t, T> {
    let mean = |window: Range<usize>| {
        let share = 1.0 / window.len() as f64;
        window.map(|place| (place, share)).collect()
    };
    x.resample(axis, windows(x.shape()[axis], size).into_iter().map(mean).collect())
}

/// The largest values of the windows along an axis: the windows have two lengths at most, and of each, all windows there are
/// are looked at.
fn maxima<'t, T: Scalar>(x: &Var<'t, T>, axis: usize, size: usize) -> Var<'t, T> {
    let shape = x.shape();
    let (length, channels) = (shape[axis], shape[shape.rank() - 1]);
    let windows = windows(length, size);
    let product = |axes: &[usize]| axes.iter().product::<usize>();
    let image = x.reshape([
        product(&shape[..axis]),
        length,
        product(&shape[axis + 1..shape.rank() - 1]),
        channels,
    ]);
    let all = |len: usize| image.max_pool2d([len, 1], [1, 1], Padding::Valid);
    let short = windows.iter().map(Range::len).min().unwrap_or(1);
    let shorter = all(short);
    let all = if windows.iter().any(|window| window.len() > short) {
        Var::concat(&[&shorter, &all(short + 1)], 1)
    } else {
        shorter
    };
    let long = length + 1 - short; // the place of the first long one
    let at = |window: &Range<usize>| window.start + if window.len() > short { long } else { 0 };
    let y = all.resample(1, windows.iter().map(|window| vec![(at(window), 1.0)]).collect());
    let mut output = shape.to_vec();
    output[axis] = size;
    y.reshape(&output[..])
}

/// An adaptive pooling layer: its class by Keras's name, its size as an option and as what the method takes, an example, how a
/// sample is read and how an axis is pooled.
macro_rules! adaptive_pooling_layer {
    (
        $(#[$doc:meta])*
        $layer:ident = $class:literal;
        new($size:ty as $given:ty, $convert:ident);
        example $input:tt => $made:expr => $output:tt;
        $read:ident, $pool:ident
    ) => {
        recipe! {
            $(#[$doc])*
            pub struct $layer = $class;
            /// An output of this size.
            new(output_size: $size as $given, $convert);
            example $input => $made => $output;
            options {}
            formats data_format;
            fixed {}
            ignored []
        }

        impl<T: Scalar> Layer<T> for $layer {
            described!();
            formatted!(data_format);

            fn output_shape(&self, input: Shape) -> Result<Shape, $crate::error::Reason> {
                $read(input)?;
                if input.contains(&0) || self.output_size.contains(&0) {
                    return Err(format!("{input} cannot become {:?}; sizes are at least 1", self.output_size).into());
                }
                over_axes(input, &|_| Ok(self.output_size))
            }

            fn forward<'t>(
                &self,
                _: &[Var<'t, T>],
                x: &Var<'t, T>,
                _: &mut Context<T>,
            ) -> Var<'t, T> {
                let sizes = self.output_size.iter().enumerate();
                sizes.fold(x.clone(), |x, (axis, &size)| $pool(&x, axis + 1, size))
            }
        }
    };
}

adaptive_pooling_layer! {
    /// The means of windows over series, so many and so large that the output has the given size. Windows overlap where that does
    /// not divide the input's.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3, 1]).add(AdaptiveAveragePooling1d::new(2)).build(0)?;
    /// let x = Tensor::from([1.0, 2.0, 6.0]).reshape([1, 3, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [1.5, 4.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    AdaptiveAveragePooling1d = "AdaptiveAveragePooling1D";
    new([usize; 1] as impl Single, single);
    example [8, 2] => AdaptiveAveragePooling1d::new(3) => [3, 2];
    series, means
}

adaptive_pooling_layer! {
    /// The largest values of windows over series, so many and so large that the output has the given size. Windows overlap where that does
    /// not divide the input's.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3, 1]).add(AdaptiveMaxPooling1d::new(2)).build(0)?;
    /// let x = Tensor::from([1.0, 2.0, 6.0]).reshape([1, 3, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [2.0, 6.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    AdaptiveMaxPooling1d = "AdaptiveMaxPooling1D";
    new([usize; 1] as impl Single, single);
    example [8, 2] => AdaptiveMaxPooling1d::new(3) => [3, 2];
    series, maxima
}

adaptive_pooling_layer! {
    /// The means of windows over images, so many and so large that the output has the given size. Windows overlap where that does
    /// not divide the input's.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3, 1, 1]).add(AdaptiveAveragePooling2d::new([2, 1])).build(0)?;
    /// let x = Tensor::from([1.0, 2.0, 6.0]).reshape([1, 3, 1, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [1.5, 4.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    AdaptiveAveragePooling2d = "AdaptiveAveragePooling2D";
    new([usize; 2] as impl Pair, pair);
    example [8, 6, 2] => AdaptiveAveragePooling2d::new([3, 6]) => [3, 6, 2];
    image, means
}

adaptive_pooling_layer! {
    /// The largest values of windows over images, so many and so large that the output has the given size. Windows overlap where that does
    /// not divide the input's.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3, 1, 1]).add(AdaptiveMaxPooling2d::new([2, 1])).build(0)?;
    /// let x = Tensor::from([1.0, 2.0, 6.0]).reshape([1, 3, 1, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [2.0, 6.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    AdaptiveMaxPooling2d = "AdaptiveMaxPooling2D";
    new([usize; 2] as impl Pair, pair);
    example [8, 6, 2] => AdaptiveMaxPooling2d::new([3, 6]) => [3, 6, 2];
    image, maxima
}

adaptive_pooling_layer! {
    /// The means of windows over volumes, so many and so large that the output has the given size. Windows overlap where that does
    /// not divide the input's.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3, 1, 1, 1]).add(AdaptiveAveragePooling3d::new([2, 1, 1])).build(0)?;
    /// let x = Tensor::from([1.0, 2.0, 6.0]).reshape([1, 3, 1, 1, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [1.5, 4.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    AdaptiveAveragePooling3d = "AdaptiveAveragePooling3D";
    new([usize; 3] as impl Triple, triple);
    example [4, 6, 5, 2] => AdaptiveAveragePooling3d::new([2, 4, 1]) => [2, 4, 1, 2];
    volume, means
}

adaptive_pooling_layer! {
    /// The largest values of windows over volumes, so many and so large that the output has the given size. Windows overlap where that does
    /// not divide the input's.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3, 1, 1, 1]).add(AdaptiveMaxPooling3d::new([2, 1, 1])).build(0)?;
    /// let x = Tensor::from([1.0, 2.0, 6.0]).reshape([1, 3, 1, 1, 1]);
    /// assert_eq!(model.predict(&x)?.to_vec(), [2.0, 6.0]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    AdaptiveMaxPooling3d = "AdaptiveMaxPooling3D";
    new([usize; 3] as impl Triple, triple);
    example [4, 6, 5, 2] => AdaptiveMaxPooling3d::new([2, 4, 1]) => [2, 4, 1, 2];
    volume, maxima
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Mode;
    use crate::tensor::{Stream, Tensor};

    #[test]
    fn windows_are_of_two_lengths_and_cover_all() {
        for (length, size) in (1..12).flat_map(|length| (1..12).map(move |size| (length, size))) {
            let windows = windows(length, size);
            let short = windows.iter().map(Range::len).min().unwrap();
            assert!(windows.iter().all(|window| window.len() <= short + 1), "{length} {size}");
            assert!((0..length).all(|place| windows.iter().any(|window| window.contains(&place))));
        }
    }

    #[test]
    fn values_and_gradients() {
        let order = Stream::new(1).permutation(2 * 5 * 7 * 3);
        // Distinct values, so that no maximum is a tie.
        let values: Vec<f64> = order.iter().map(|&i| 0.1 * i as f64).collect();
        let x = Tensor::new([2, 5, 7, 3], values);
        let cx = || Context::new(Mode::Infer);
        for size in [[3, 7], [5, 2], [8, 1], [1, 3]] {
            let most = AdaptiveMaxPooling2d::new(size);
            let mean = AdaptiveAveragePooling2d::new(size);
            gradcheck(|[x]| most.forward(&[], x, &mut cx()), [x.clone()]).unwrap();
            gradcheck(|[x]| mean.forward(&[], x, &mut cx()), [x.clone()]).unwrap();
            let (rows, columns) = (windows(5, size[0]), windows(7, size[1]));
            let y = most.forward(&[], &Var::constant(x.clone()), &mut cx());
            let expected = Tensor::from_fn([2, size[0], size[1], 3], |at| {
                let part = x.slice(0, at[0]..at[0] + 1).slice(1, rows[at[1]].clone());
                part.slice(2, columns[at[2]].clone()).slice(3, at[3]..at[3] + 1).max(..).item()
            });
            assert_eq!(y.value(), &expected);
        }
    }
}
