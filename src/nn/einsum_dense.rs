//! The dense layer of any axes.

use super::recipe::{described, recipe};
use super::weighted::regularized;
use super::{Activation, Constraint, Context, Initializer, Layer, Regularizer, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::scalar::Scalar;
use crate::tensor::{MAX_RANK, Shape};

recipe! {
    /// A product of the input with a kernel, as Einstein's summation writes it, [`Var::einsum`], with a bias and an activation: `"abc,cd->abd"` is a
    /// [`Dense`](super::layers::Dense) layer of sequences. The first letter of the input and of the output stands for the samples.
    ///
    /// `...` on the left or on the right of input and output stands for axes that stay as they are, on the left with that of the samples. Its weights
    /// are `kernel`, with an axis for each of its letters, and `bias` if there are [`bias_axes`](Self::bias_axes).
    ///
    /// ```
    /// use cinta::prelude::*;
    /// // Every step gets four vectors of five numbers.
    /// let heads = EinsumDense::new("abc,cde->abde", [None, Some(4), Some(5)]).bias_axes("de");
    /// let model = Sequential::new([7, 3]).add(heads).build(0)?;
    /// assert_eq!(model.output_shape(), [7, 4, 5]);
    /// assert_eq!(model.weight("einsum_dense", "kernel")?.shape(), [3, 4, 5]);
    /// assert_eq!(model.weight("einsum_dense", "bias")?.shape(), [4, 5]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct EinsumDense = "EinsumDense";
    /// The layer of this equation, and the sizes of a sample's output without the axes of `...`. What the input has as well may be `None`.
    new(
        equation: String as impl Into<String>, into,
        output_shape: Vec<Option<usize>> as impl Into<Vec<Option<usize>>>, into
    );
    example [5, 3] => EinsumDense::new("abc,cd->abd", [None, Some(2)]) => [5, 2];
    options {
        /// The function applied to the output.
        activation: Activation as impl Into<Activation>, into = Activation::Linear, Relu;
        /// The letters of the output along which the bias has numbers of its own; without them there is no bias.
        bias_axes: Option<String> as impl Into<String>, named = None, "d";
        /// How the kernel's first values are drawn.
        kernel_initializer: Initializer = Initializer::GlorotUniform, Initializer::Ones;
        /// How the bias's first values are drawn.
        bias_initializer: Initializer = Initializer::Zeros, Initializer::Ones;
        /// A penalty on the kernel.
        kernel_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.01);
        /// A penalty on the bias.
        bias_regularizer: Option<Regularizer> as Regularizer, into = None, L1(0.02);
        /// A penalty on the output, summed over a sample; the loss gets the mean over the batch.
        activity_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.03);
        /// What the kernel is kept within.
        kernel_constraint: Option<Constraint> as Constraint, into = None, Constraint::max_norm(2.0);
        /// What the bias is kept within.
        bias_constraint: Option<Constraint> as Constraint, into = None, Constraint::NonNeg;
    }
    fixed {}
    ignored []
}

/// The conversion of letters, for the method.
trait Named {
    fn named(self) -> Option<String>;
}

impl<S: Into<String>> Named for S {
    fn named(self) -> Option<String> {
        Some(self.into())
    }
}

/// Where an equation has `...`.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Elided {
    Nowhere,
    Left,
    Right,
}

/// A term of letters alone, and where it has `...`.
fn term(term: &str) -> Option<(&str, Elided)> {
    let (letters, elided) = match (term.strip_prefix("..."), term.strip_suffix("...")) {
        (Some(letters), _) => (letters, Elided::Left),
        (_, Some(letters)) => (letters, Elided::Right),
        _ => (term, Elided::Nowhere),
    };
    let twice = |(at, letter): (usize, char)| letters[..at].contains(letter);
    let plain = !letters.is_empty() && letters.chars().all(|letter| letter.is_ascii_alphabetic());
    (plain && !letters.char_indices().any(twice)).then_some((letters, elided))
}

/// The shapes that follow from an equation.
#[derive(PartialEq, Debug)]
struct Sizes {
    output: Shape,
    kernel: Shape,
    bias: Option<Shape>,
}

/// An equation beside a sample.
struct Axes<'a> {
    input: &'a str,
    kernel: &'a str,
    output: &'a str,
    elided: Elided,
    sample: Shape,
    /// How many axes of a batch `...` stands for.
    more: usize,
    /// The letter of the samples, unless `...` has them.
    batch: Option<char>,
}

impl<'a> Axes<'a> {
    fn new(
        [input, kernel, output]: [&'a str; 3],
        elided: Elided,
        sample: Shape,
    ) -> Result<Self, String> {
        let rank = sample.rank() + 1;
        let more =
            rank.checked_sub(input.len()).filter(|&more| elided != Elided::Nowhere || more == 0);
        let more = more.ok_or_else(|| {
            format!("with the axis of samples, the input has {rank} axes, and one sample has the shape {sample}")
        })?;
        let samples = |letters: &str| match elided {
            Elided::Left if more > 0 => None,
            _ => letters.chars().next(),
        };
        let batch = samples(input);
        if samples(output) != batch || batch.is_some_and(|batch| kernel.contains(batch)) {
            return Err("the axis of samples comes first in input and output alone".into());
        }
        Ok(Axes { input, kernel, output, elided, sample, more, batch })
    }

    /// How long an axis of the input is. That of samples has no length here.
    fn of_input(&self, letter: char) -> Option<usize> {
        let before = if self.elided == Elided::Left { self.more } else { 0 };
        let axis = self.input.find(letter)? + before;
        axis.checked_sub(1).map(|axis| self.sample[axis])
    }

    /// The letters of the output but that of samples, and how long their axes are, from what is said of them and from the input.
    fn of_output(&self, said: &[Option<usize>]) -> Result<Vec<(char, usize)>, String> {
        let named = self.output.chars().filter(|&letter| Some(letter) != self.batch);
        if named.clone().count() != said.len() || said.is_empty() {
            return Err(format!(
                "the output_shape has {} sizes, and not one for each of its letters but the samples",
                said.len()
            ));
        }
        if said.contains(&Some(0)) {
            return Err(format!("sizes of the output are at least 1, and these are {said:?}"));
        }
        let length = |(letter, &size): (char, &Option<usize>)| {
            let given = self.of_input(letter);
            if let (Some(size), Some(given)) = (size, given)
                && size != given
            {
                return Err(format!("{letter} is {size} in the output, and {given} in the input"));
            }
            let other = self.input.contains(letter) || self.kernel.contains(letter);
            let size = size.or(given).filter(|_| other);
            let size = size.ok_or_else(|| format!("nothing says how long {letter} is"))?;
            Ok((letter, size))
        };
        named.zip(said).map(length).collect()
    }

    /// The sizes of a sample's output, from those of its letters, with what `...` stands for.
    fn with_elided(&self, named: Vec<usize>) -> Vec<usize> {
        let (rank, more) = (self.sample.rank(), self.more);
        match self.elided {
            Elided::Left => [&self.sample[..more.saturating_sub(1)], &named].concat(),
            Elided::Right => [&named, &self.sample[rank - more..]].concat(),
            Elided::Nowhere => named,
        }
    }

    /// The sizes of a bias along these letters of the output: 1 along the others behind the first of them.
    fn bias(
        &self,
        along: &str,
        size: impl Fn(char) -> Option<usize>,
    ) -> Result<Vec<usize>, String> {
        let from = along.chars().map(|letter| self.output.find(letter)).min().flatten();
        let from =
            from.ok_or_else(|| format!("the bias_axes {along:?} are not letters of the output"))?;
        let length = |letter| if along.contains(letter) { size(letter) } else { Some(1) };
        let lengths: Option<Vec<usize>> = self.output[from..].chars().map(length).collect();
        let mut lengths = lengths.ok_or("no bias goes along samples")?;
        lengths.extend(vec![1; if self.elided == Elided::Right { self.more } else { 0 }]);
        Ok(lengths)
    }
}

/// The shape of these sizes, if there can be a batch of it.
fn shape(sizes: &[usize]) -> Result<Shape, String> {
    let shape = (sizes.len() < MAX_RANK).then(|| Shape::new(sizes));
    let shape = shape.filter(|it| it.checked_count().is_some());
    shape.ok_or_else(|| format!("sizes of {sizes:?} are more than a tensor has"))
}

impl EinsumDense {
    /// The letters of input, kernel and output, and where `...` is.
    fn terms(&self) -> Option<([&str; 3], Elided)> {
        let (inputs, output) = self.equation.split_once("->")?;
        let (input, kernel) = inputs.split_once(',')?;
        let [input, kernel, output] = [term(input)?, term(kernel)?, term(output)?];
        let fits = input.1 == output.1 && kernel.1 == Elided::Nowhere;
        fits.then_some(([input.0, kernel.0, output.0], input.1))
    }

    fn sizes(&self, sample: Shape) -> Result<Sizes, Reason> {
        let equation = &self.equation;
        let (terms, elided) = self.terms().ok_or_else(|| {
            format!(
                "the equation {equation:?} is none of the form \"ab,bc->ac\", \"...b,bc->...c\" or \"ab...,bc->ac...\", with no letter \
                 twice in a term"
            )
        })?;
        let sizes = Axes::new(terms, elided, sample).and_then(|axes| self.sizes_of(&axes));
        sizes.map_err(|why| format!("the equation {equation:?}: {why}").into())
    }

    fn sizes_of(&self, axes: &Axes) -> Result<Sizes, String> {
        let known = axes.of_output(&self.output_shape)?;
        let size = |letter| {
            let known = known.iter().find(|(it, _)| *it == letter).map(|&(_, size)| size);
            known.or_else(|| axes.of_input(letter))
        };
        let kernel: Option<Vec<usize>> = axes.kernel.chars().map(size).collect();
        let kernel = kernel.ok_or("nothing says how long an axis of the kernel is")?;
        let bias = self.bias_axes.as_ref().map(|along| shape(&axes.bias(along, size)?));
        let output = axes.with_elided(known.iter().map(|&(_, size)| size).collect());
        Ok(Sizes { output: shape(&output)?, kernel: shape(&kernel)?, bias: bias.transpose()? })
    }
}

impl<T: Scalar> Layer<T> for EinsumDense {
    described!();
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        let all = [self.kernel_regularizer, self.bias_regularizer, self.activity_regularizer];
        all.into_iter().flatten().try_for_each(Regularizer::check)?;
        Ok(self.sizes(input)?.output)
    }

    fn weights(&self, input: Shape) -> Vec<Weight> {
        let Sizes { kernel, bias, .. } = self.sizes(input).expect("output_shape has checked it");
        let kernel = Weight::new("kernel", kernel, self.kernel_initializer)
            .regularizer(self.kernel_regularizer)
            .constraint(self.kernel_constraint.clone());
        let bias = bias.map(|shape| {
            Weight::new("bias", shape, self.bias_initializer)
                .regularizer(self.bias_regularizer)
                .constraint(self.bias_constraint.clone())
        });
        [Some(kernel), bias].into_iter().flatten().collect()
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        cx: &mut Context<T>,
    ) -> Var<'t, T> {
        self.activation.of(&self.pre_activation(weights, x, cx))
    }

    fn pre_activation<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        let y = Var::einsum(&self.equation, &[x, &weights[0]]);
        match weights.get(1) {
            Some(bias) => y + bias,
            None => y,
        }
    }

    fn activation(&self, _: Shape) -> Activation {
        self.activation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::nn::Mode;
    use crate::nn::layers::Dense;
    use crate::tensor::{Stream, Tensor};

    fn draw(shape: &[usize], seed: u64) -> Tensor<f64> {
        Tensor::uniform(shape, -1.0, 1.0, &mut Stream::new(seed))
    }

    #[test]
    fn the_last_axis_is_a_dense_layer() {
        let [x, kernel, bias] = [&[3, 5, 4][..], &[4, 2], &[2]].map(|shape| draw(shape, 1));
        let run = |layer: &dyn Layer<f64>| {
            let weights = [&kernel, &bias].map(|it| Var::constant(it.clone()));
            let mut cx = Context::new(Mode::Infer);
            layer.forward(&weights, &Var::constant(x.clone()), &mut cx).into_value()
        };
        let expected = run(&Dense::new(2).activation(Activation::Tanh));
        for (equation, output) in
            [("abc,cd->abd", vec![None, Some(2)]), ("...c,cd->...d", vec![Some(2)])]
        {
            let layer = EinsumDense::new(equation, output).bias_axes("d");
            let y = run(&layer.activation(Activation::Tanh));
            assert!(y.all_close(&expected, 1e-12, 1e-12));
        }
    }

    #[test]
    fn gradients() {
        let layer = EinsumDense::new("ab...,bcd->acd...", [Some(2), Some(3)]).bias_axes("c");
        let shape = Shape::from([4, 5]);
        let sizes = layer.sizes(shape).unwrap();
        assert_eq!((sizes.kernel, sizes.bias), ([4, 2, 3].into(), Some([2, 1, 1].into())));
        gradcheck(
            |[x, kernel, bias]| {
                let mut cx = Context::new(Mode::Infer);
                layer.forward(&[kernel.clone(), bias.clone()], x, &mut cx).square()
            },
            [draw(&[2, 4, 5], 1), draw(&[4, 2, 3], 2), draw(&[2, 1, 1], 3)],
        )
        .unwrap();
    }

    #[test]
    fn what_does_not_fit() {
        let error = |equation: &str, output: &[Option<usize>], input: &[usize]| {
            let layer = EinsumDense::new(equation, output.to_vec()).bias_axes("z");
            layer.sizes(Shape::new(input)).unwrap_err().as_str().to_owned()
        };
        for equation in ["abc", "ab,bc", "a1,bc->ac", "...b,bc->c", "ab...,bc->...ac", "aa,ab->ab"]
        {
            assert!(error(equation, &[Some(2)], &[3]).contains("none of the form"), "{equation}");
        }
        assert!(error("abc,cd->abd", &[None, Some(2)], &[3]).contains("2 axes"));
        assert!(error("ab,bc->ca", &[Some(2)], &[3]).contains("comes first"));
        assert!(error("ab,abc->ac", &[Some(2)], &[3]).contains("comes first"));
        assert!(error("ab,bc->ac", &[], &[3]).contains("0 sizes"));
        assert!(
            error("abc,cd->abd", &[Some(4), Some(2)], &[3, 5])
                .contains("b is 4 in the output, and 3")
        );
        assert!(error("ab,bc->ac", &[Some(0)], &[3]).contains("output are at least 1"));
        assert!(error("ab,bc->ac", &[None], &[3]).contains("nothing says how long c is"));
        assert!(error("ab,bd->ac", &[Some(2)], &[3]).contains("nothing says how long c is"));
        assert!(error("ab,bcd->ac", &[Some(2)], &[3]).contains("axis of the kernel"));
        assert!(error("ab,bc->ac", &[Some(2)], &[3]).contains("bias_axes"));
    }
}
