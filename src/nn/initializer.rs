//! How weights are first drawn.

use super::orthogonal::orthogonal;
use crate::config::{Config, Options, Value, json, keras_object, object};
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{Shape, Tensor, fans, standard_normal};
use rand::Rng;

/// How a weight's first values are drawn. With `fan_in` and `fan_out` the numbers of inputs of an
/// output and outputs of an input (a kernel `[kh, kw, c_in, c_out]` has `kh kw c_in` and `kh kw c_out`):
///
/// ```
/// use cinta::{Initializer, Stream, Tensor};
/// let kernel: Tensor<f32> = Initializer::GlorotUniform.draw([5, 5, 1, 8].into(), &mut Stream::new(1));
/// assert!(kernel.iter().all(|w| w.abs() <= (6.0f32 / 225.0).sqrt()));
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Initializer {
    /// Uniform in `[-limit, limit]`, `limit = sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio, 2010).
    GlorotUniform,
    /// Normal, cut off at two standard deviations, with variance `2 / (fan_in + fan_out)`.
    GlorotNormal,
    /// Uniform in `[-limit, limit]`, `limit = sqrt(6 / fan_in)` (He, Zhang, Ren and Sun, *Delving deep
    /// into rectifiers*, 2015).
    HeUniform,
    /// Normal, cut off at two standard deviations, with variance `2 / fan_in`.
    HeNormal,
    /// Uniform in `[-limit, limit]`, `limit = sqrt(3 / fan_in)` (LeCun, Bottou, Orr and Müller, *Efficient backprop*,
    /// 1998).
    LecunUniform,
    /// Normal, cut off at two standard deviations, with variance `1 / fan_in`.
    LecunNormal,
    /// With variance `scale / fan`: what all of the above are special cases of.
    VarianceScaling {
        /// What the variance is a multiple of.
        scale: f64,
        /// Which number of neighbours divides it.
        mode: Fan,
        /// How values are spread.
        distribution: Distribution,
    },
    /// Uniform in `[minval, maxval]`.
    RandomUniform {
        /// The smallest value.
        minval: f64,
        /// The largest value.
        maxval: f64,
    },
    /// Normal.
    RandomNormal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        stddev: f64,
    },
    /// Normal, and drawn again beyond two standard deviations.
    TruncatedNormal {
        /// The mean.
        mean: f64,
        /// The standard deviation before the tails are cut off.
        stddev: f64,
    },
    /// Rows or columns that are orthogonal to each other and have this length (Saxe, McClelland and Ganguli, *Exact solutions to the nonlinear
    /// dynamics of learning in deep linear neural networks*, 2014). A kernel is a matrix here, with a column for each of its last axis.
    Orthogonal {
        /// The length.
        gain: f64,
    },
    /// This value on the diagonal of a matrix, 0 elsewhere.
    Identity {
        /// The value.
        gain: f64,
    },
    /// One value everywhere.
    Constant(f64),
    /// Zeros.
    Zeros,
    /// Ones.
    Ones,
}

/// Which number of neighbours [`Initializer::VarianceScaling`] divides by; 1 where it is 0.
///
/// ```
/// use cinta::{Distribution, Fan, Initializer, Stream, Tensor};
/// let (scale, distribution) = (1.0, Distribution::Uniform);
/// let initializer = Initializer::VarianceScaling { scale, mode: Fan::Out, distribution };
/// let kernel: Tensor<f32> = initializer.draw([50, 12].into(), &mut Stream::new(1));
/// assert!(kernel.iter().all(|w| w.abs() <= 0.5)); // sqrt(3 / 12)
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fan {
    /// `fan_in`.
    In,
    /// `fan_out`.
    Out,
    /// The mean of both.
    Average,
}

/// How [`Initializer::VarianceScaling`] spreads values of a given variance.
///
/// ```
/// use cinta::{Distribution, Fan, Initializer, Stream, Tensor};
/// let (scale, mode) = (2.0, Fan::In);
/// let he = Initializer::VarianceScaling { scale, mode, distribution: Distribution::TruncatedNormal };
/// let kernel: Tensor<f32> = he.draw([8, 4].into(), &mut Stream::new(1));
/// assert_eq!(kernel, Initializer::HeNormal.draw([8, 4].into(), &mut Stream::new(1)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Distribution {
    /// Uniform around 0.
    Uniform,
    /// Normal.
    Normal,
    /// Normal, cut off at two standard deviations.
    TruncatedNormal,
}

impl Fan {
    /// The number of neighbours that counts, of those of the inputs and the outputs: at least 1.
    fn of(self, (fan_in, fan_out): (f64, f64)) -> f64 {
        let fan = match self {
            Fan::In => fan_in,
            Fan::Out => fan_out,
            Fan::Average => (fan_in + fan_out) / 2.0,
        };
        fan.max(1.0)
    }

    fn keras_name(self) -> &'static str {
        match self {
            Fan::In => "fan_in",
            Fan::Out => "fan_out",
            Fan::Average => "fan_avg",
        }
    }
}

impl Distribution {
    fn keras_name(self) -> &'static str {
        match self {
            Distribution::Uniform => "uniform",
            Distribution::Normal => "untruncated_normal",
            Distribution::TruncatedNormal => "truncated_normal",
        }
    }
}

/// The standard deviation of a standard normal variable cut off at two of them.
const TRUNCATED: f64 = 0.879_625_661_034_239_8;

impl Initializer {
    /// Draws a weight of this shape.
    ///
    /// # Panics
    /// When the shape has more elements than memory or does not fit, or a range or standard deviation makes no sense.
    ///
    /// ```
    /// use cinta::{Initializer, Stream, Tensor};
    /// let bias: Tensor<f64> = Initializer::Zeros.draw([3].into(), &mut Stream::new(1));
    /// assert_eq!(bias.to_vec(), [0.0; 3]);
    /// ```
    #[track_caller]
    pub fn draw<T: Scalar>(self, shape: Shape, rng: &mut dyn Rng) -> Tensor<T> {
        if let Some((scale, mode, distribution)) = self.scaling() {
            let variance = scale / mode.of(fans(&shape));
            return match distribution {
                Distribution::Uniform => {
                    let limit = (3.0 * variance).sqrt();
                    Tensor::uniform(shape, -limit, limit, rng)
                }
                Distribution::Normal => Tensor::normal(shape, 0.0, variance.sqrt(), rng),
                Distribution::TruncatedNormal => {
                    truncated(shape, 0.0, variance.sqrt() / TRUNCATED, rng)
                }
            }
            .row_major();
        }
        match self {
            Initializer::GlorotUniform => Tensor::glorot_uniform(shape, rng),
            Initializer::RandomUniform { minval, maxval } => {
                Tensor::uniform(shape, minval, maxval, rng)
            }
            Initializer::RandomNormal { mean, stddev } => Tensor::normal(shape, mean, stddev, rng),
            Initializer::TruncatedNormal { mean, stddev } => truncated(shape, mean, stddev, rng),
            Initializer::Orthogonal { gain } => orthogonal(shape, gain, rng),
            Initializer::Identity { gain } => {
                assert!(shape.rank() == 2, "identity: {shape} is not the shape of a matrix");
                let of = |on_diagonal| if on_diagonal { T::lit(gain) } else { T::zero() };
                Tensor::from_fn(shape, |at| of(at[0] == at[1]))
            }
            Initializer::Constant(value) => Tensor::full(shape, T::lit(value)),
            Initializer::Ones => Tensor::ones(shape),
            _ => Tensor::zeros(shape),
        }
        .row_major()
    }

    /// The scale, mode and distribution of those that follow the numbers of neighbours; that of Glorot's uniform values
    /// is `Tensor`'s own.
    fn scaling(self) -> Option<(f64, Fan, Distribution)> {
        Some(match self {
            Initializer::GlorotNormal => (1.0, Fan::Average, Distribution::TruncatedNormal),
            Initializer::HeUniform => (2.0, Fan::In, Distribution::Uniform),
            Initializer::HeNormal => (2.0, Fan::In, Distribution::TruncatedNormal),
            Initializer::LecunUniform => (1.0, Fan::In, Distribution::Uniform),
            Initializer::LecunNormal => (1.0, Fan::In, Distribution::TruncatedNormal),
            Initializer::VarianceScaling { scale, mode, distribution } => {
                (scale, mode, distribution)
            }
            _ => return None,
        })
    }

    /// What draws a weight of this shape as this draws one with so many inputs and outputs, for a kernel with several axes of either.
    pub(crate) fn with_fans(self, [inputs, outputs]: [usize; 2], shape: Shape) -> Self {
        let scaling = match self {
            Initializer::GlorotUniform => Some((1.0, Fan::Average, Distribution::Uniform)),
            _ => self.scaling(),
        };
        scaling.map_or(self, |(scale, mode, distribution)| {
            let scale = scale * mode.of(fans(&shape)) / mode.of((inputs as f64, outputs as f64));
            Initializer::VarianceScaling { scale, mode, distribution }
        })
    }

    /// Whether values can be drawn for a weight of this shape that are finite in `T`.
    pub(crate) fn check<T: Scalar>(self, shape: Shape) -> Result<(), Reason> {
        let finite = |values: &[f64]| values.iter().all(|&value| T::lit(value).is_finite());
        let sensible = match self {
            Initializer::RandomUniform { minval, maxval } => {
                finite(&[minval, maxval, maxval - minval]) && minval <= maxval
            }
            // Draws lie within 10 standard deviations.
            Initializer::RandomNormal { mean, stddev }
            | Initializer::TruncatedNormal { mean, stddev } => {
                finite(&[mean - 10.0 * stddev, mean + 10.0 * stddev]) && stddev >= 0.0
            }
            Initializer::VarianceScaling { scale, .. } => {
                // The variance is at most the scale.
                finite(&[10.0 * scale, 10.0 * scale.sqrt()]) && scale > 0.0
            }
            Initializer::Constant(value) => finite(&[value]),
            Initializer::Orthogonal { gain } => {
                if shape.rank() < 2 {
                    return Err(
                        format!("Orthogonal is for two axes or more, and this is {shape}").into()
                    );
                }
                finite(&[gain])
            }
            Initializer::Identity { gain } => {
                if shape.rank() != 2 {
                    return Err(format!("Identity is for matrices, and this is {shape}").into());
                }
                finite(&[gain])
            }
            _ => true,
        };
        if sensible {
            Ok(())
        } else {
            Err(format!("{self:?} makes no sense in {}", T::NAME).into())
        }
    }

    /// The object that Keras writes for it.
    pub(super) fn config(self) -> Value {
        let fan_based = json!({ "seed": null, "input_axes": null, "output_axes": null });
        let (class_name, config) = match self {
            Initializer::GlorotUniform => ("GlorotUniform", fan_based),
            Initializer::GlorotNormal => ("GlorotNormal", fan_based),
            Initializer::HeUniform => ("HeUniform", fan_based),
            Initializer::HeNormal => ("HeNormal", fan_based),
            Initializer::LecunUniform => ("LecunUniform", fan_based),
            Initializer::LecunNormal => ("LecunNormal", fan_based),
            Initializer::VarianceScaling { scale, mode, distribution } => {
                let config = json!({
                    "scale": scale, "mode": mode.keras_name(),
                    "distribution": distribution.keras_name(), "seed": null,
                    "input_axes": null, "output_axes": null,
                });
                ("VarianceScaling", config)
            }
            Initializer::RandomUniform { minval, maxval } => {
                ("RandomUniform", json!({ "seed": null, "minval": minval, "maxval": maxval }))
            }
            Initializer::RandomNormal { mean, stddev } => {
                ("RandomNormal", json!({ "seed": null, "mean": mean, "stddev": stddev }))
            }
            Initializer::TruncatedNormal { mean, stddev } => {
                ("TruncatedNormal", json!({ "seed": null, "mean": mean, "stddev": stddev }))
            }
            Initializer::Orthogonal { gain } => {
                ("Orthogonal", json!({ "seed": null, "gain": gain }))
            }
            Initializer::Identity { gain } => ("Identity", json!({ "gain": gain })),
            Initializer::Constant(value) => ("Constant", json!({ "value": value })),
            Initializer::Zeros => ("Zeros", json!({})),
            Initializer::Ones => ("Ones", json!({})),
        };
        keras_object("keras.initializers", class_name, config)
    }

    pub(super) fn from_config(value: &Value) -> Result<Self, Reason> {
        let (class_name, config): (&str, Config) = object(value)?;
        let mut options = Options::new(&config);
        // Only first values depend on it, and a loaded model has its values.
        options.ignore(&["seed", "dtype"]);
        let initializer = match class_name {
            "GlorotUniform" | "glorot_uniform" => Initializer::GlorotUniform,
            "GlorotNormal" | "glorot_normal" => Initializer::GlorotNormal,
            "HeUniform" | "he_uniform" => Initializer::HeUniform,
            "HeNormal" | "he_normal" => Initializer::HeNormal,
            "LecunUniform" | "lecun_uniform" => Initializer::LecunUniform,
            "LecunNormal" | "lecun_normal" => Initializer::LecunNormal,
            "VarianceScaling" | "variance_scaling" => Initializer::VarianceScaling {
                scale: options.number_or("scale", 1.0)?,
                mode: match options.text("mode")? {
                    None | Some("fan_in") => Fan::In,
                    Some("fan_out") => Fan::Out,
                    Some("fan_avg") => Fan::Average,
                    Some(other) => return Err(format!("there is no mode {other:?}").into()),
                },
                distribution: match options.text("distribution")? {
                    Some("uniform") => Distribution::Uniform,
                    Some("untruncated_normal") => Distribution::Normal,
                    // Keras 2 said "normal", and cut it off as well.
                    None | Some("normal" | "truncated_normal") => Distribution::TruncatedNormal,
                    Some(other) => return Err(format!("there is no distribution {other:?}").into()),
                },
            },
            "RandomUniform" | "random_uniform" | "uniform" => Initializer::RandomUniform {
                minval: options.number_or("minval", -0.05)?,
                maxval: options.number_or("maxval", 0.05)?,
            },
            "RandomNormal" | "random_normal" | "normal" => Initializer::RandomNormal {
                mean: options.number_or("mean", 0.0)?,
                stddev: options.number_or("stddev", 0.05)?,
            },
            "TruncatedNormal" | "truncated_normal" => Initializer::TruncatedNormal {
                mean: options.number_or("mean", 0.0)?,
                stddev: options.number_or("stddev", 0.05)?,
            },
            "Orthogonal" | "orthogonal" | "OrthogonalInitializer" => {
                Initializer::Orthogonal { gain: options.number_or("gain", 1.0)? }
            }
            "Identity" | "identity" | "IdentityInitializer" => {
                Initializer::Identity { gain: options.number_or("gain", 1.0)? }
            }
            "Constant" | "constant" => Initializer::Constant(options.number_or("value", 0.0)?),
            "Zeros" | "zeros" | "zero" => Initializer::Zeros,
            "Ones" | "ones" | "one" => Initializer::Ones,
            other => return Err(format!("the initializer {other} is not supported").into()),
        };
        options.finish()?;
        Ok(initializer)
    }
}

/// Normal numbers, each drawn again until it is within two standard deviations.
fn truncated<T: Scalar>(shape: Shape, mean: f64, stddev: f64, rng: &mut dyn Rng) -> Tensor<T> {
    Tensor::from_fn(shape, |_| {
        loop {
            let standard = standard_normal(rng);
            if standard.abs() <= 2.0 {
                break T::lit(mean + stddev * standard);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Stream;

    fn scaling(scale: f64, mode: Fan, distribution: Distribution) -> Initializer {
        Initializer::VarianceScaling { scale, mode, distribution }
    }

    #[test]
    fn variances_are_those_of_the_papers() {
        let shape = Shape::from([3, 3, 20, 80]); // fan_in 180, fan_out 720
        // A kernel that maps one axis to two.
        let shape_of_heads = Shape::from([20, 30, 40]);
        for (initializer, variance) in [
            (Initializer::GlorotUniform, 2.0 / 1220.0),
            (Initializer::HeNormal, 2.0 / 20.0),
            (Initializer::RandomNormal { mean: 0.0, stddev: 0.5 }, 0.25),
        ] {
            let drawn: Tensor<f64> = initializer
                .with_fans([20, 1200], shape_of_heads)
                .draw(shape_of_heads, &mut Stream::new(5));
            let found = drawn.map(|x| x * x).mean(..).item();
            assert!((found / variance - 1.0).abs() < 0.03, "{initializer:?}: {found}");
        }
        for (initializer, variance) in [
            (Initializer::GlorotUniform, 2.0 / 900.0),
            (Initializer::GlorotNormal, 2.0 / 900.0),
            (Initializer::HeUniform, 2.0 / 180.0),
            (Initializer::HeNormal, 2.0 / 180.0),
            (Initializer::LecunUniform, 1.0 / 180.0),
            (Initializer::LecunNormal, 1.0 / 180.0),
            (scaling(3.0, Fan::Out, Distribution::Normal), 3.0 / 720.0),
            (scaling(0.5, Fan::Average, Distribution::Uniform), 0.5 / 450.0),
            // A normal distribution without its tails.
            (Initializer::TruncatedNormal { mean: 0.0, stddev: 0.1 }, 0.01 * TRUNCATED * TRUNCATED),
        ] {
            let w: Tensor<f64> = initializer.draw(shape, &mut Stream::new(3));
            let mean = w.mean(..).item();
            let measured = (&w - mean).square().mean(..).item();
            assert!(
                mean.abs() < 3e-3 && (measured / variance - 1.0).abs() < 0.05,
                "{initializer:?}"
            );
        }
    }

    /// What a seed means must never change: these numbers are those of the formulas, computed apart from this crate.
    #[test]
    fn draws_are_known_numbers() {
        for (initializer, expected) in [
            (
                Initializer::GlorotUniform,
                [1.016_712_572_82, -0.973_434_700_532, -0.407_760_873_427],
            ),
            (
                Initializer::GlorotNormal,
                [0.081_631_577_072_6, -1.429_862_884_65, -0.333_511_479_058],
            ),
            (Initializer::HeUniform, [1.607_563_727_92, -1.539_135_403_56, -0.644_726_550_365]),
            (Initializer::HeNormal, [0.129_070_856_271, -2.260_811_728_61, -0.527_327_949_818]),
            (Initializer::LecunUniform, [1.136_719_213_2, -1.088_333_081_02, -0.455_890_515_774]),
            (
                Initializer::LecunNormal,
                [0.091_266_877_722_5, -1.598_635_304_29, -0.372_877_169_225],
            ),
            (
                scaling(3.0, Fan::Out, Distribution::Normal),
                [2.422_862_609_85, 0.113_534_037_267, -1.988_668_011_25],
            ),
            (
                scaling(0.5, Fan::Average, Distribution::Uniform),
                [0.718_924_354_757, -0.688_322_277_788, -0.288_330_478_703],
            ),
            (
                Initializer::RandomUniform { minval: -1.0, maxval: 3.0 },
                [2.856_254_702_11, -0.777_240_479_132, 0.255_533_905_186],
            ),
            (
                Initializer::RandomNormal { mean: 1.0, stddev: 0.5 },
                [2.211_431_304_92, 1.056_767_018_63, 0.005_665_994_374_15],
            ),
            // Without the first, which is more than two standard deviations away.
            (
                Initializer::TruncatedNormal { mean: 1.0, stddev: 0.5 },
                [1.056_767_018_63, 0.005_665_994_374_15, 0.768_074_401_78],
            ),
            (Initializer::Identity { gain: 3.0 }, [3.0, 0.0, 0.0]),
            (Initializer::Constant(3.0), [3.0; 3]),
            (Initializer::Zeros, [0.0; 3]),
            (Initializer::Ones, [1.0; 3]),
        ] {
            let drawn: Tensor<f64> = initializer.draw(Shape::from([2, 3]), &mut Stream::new(19));
            let (first, expected) = (drawn.slice(0, 0..1).reshape([3]), Tensor::from(expected));
            assert!(first.all_close(&expected, 1e-10, 0.0), "{initializer:?}: {first:?}");
        }
    }

    #[test]
    fn configs_come_back() {
        for initializer in [
            Initializer::GlorotUniform,
            Initializer::GlorotNormal,
            Initializer::HeUniform,
            Initializer::HeNormal,
            Initializer::LecunUniform,
            Initializer::LecunNormal,
            scaling(0.5, Fan::In, Distribution::Uniform),
            scaling(2.0, Fan::Out, Distribution::Normal),
            scaling(1.0, Fan::Average, Distribution::TruncatedNormal),
            Initializer::TruncatedNormal { mean: 0.5, stddev: 0.25 },
            Initializer::RandomUniform { minval: -0.25, maxval: 0.5 },
            Initializer::RandomNormal { mean: 0.5, stddev: 0.125 },
            Initializer::Orthogonal { gain: 1.5 },
            Initializer::Identity { gain: 0.5 },
            Initializer::Constant(3.0),
            Initializer::Zeros,
            Initializer::Ones,
        ] {
            assert_eq!(Initializer::from_config(&initializer.config()), Ok(initializer));
        }
        let error = Initializer::from_config(&json!("no_such_thing")).unwrap_err();
        assert!(error.as_str().contains("no_such_thing"), "{error}");
    }
}
