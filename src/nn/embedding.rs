//! The embedding layer.

use super::recipe::{described, recipe};
use super::weighted::regularized;
use super::{Constraint, Context, Initializer, Layer, Regularizer, Weight};
use crate::autograd::Var;
use crate::error::Reason;
use crate::ops::check_indices;
use crate::scalar::Scalar;
use crate::tensor::{MAX_RANK, Shape, Tensor};

recipe! {
    /// A vector for each of `input_dim` words: whole numbers `[..]` become `[.., output_dim]`, as [`Var::embedding`].
    ///
    /// Its weight is `embeddings [input_dim, output_dim]`. The numbers of the words are of the model's own type, and are exact
    /// up to 2^24 in `f32`. At the beginning of a model, other values are an error of the data; anywhere else, a panic.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let model = Sequential::new([3]).add(Embedding::new(10, 2)).build(0)?;
    /// let y = model.predict(&Tensor::from([[4.0, 0.0, 4.0]]))?;
    /// assert_eq!(y.slice(1, 0..1), y.slice(1, 2..3));
    /// let error = model.predict(&Tensor::from([[0.0, 10.0, 1.0]])).unwrap_err();
    /// assert!(error.to_string().contains("10 is no row of a table of 10"));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct Embedding = "Embedding";
    /// A table of `input_dim` rows of `output_dim` numbers.
    new(input_dim: usize, output_dim: usize);
    example [4] => Embedding::new(10, 3) => [4, 3];
    options {
        /// How the vectors are drawn.
        embeddings_initializer: Initializer = Initializer::RandomUniform { minval: -0.05, maxval: 0.05 }, Initializer::Ones;
        /// The penalty on the vectors.
        embeddings_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.01);
        /// The penalty on the vectors that a batch gets, summed over a sample; the loss gets the mean over the batch.
        activity_regularizer: Option<Regularizer> as Regularizer, into = None, L2(0.03);
        /// What the vectors are kept within.
        embeddings_constraint: Option<Constraint> as Constraint, into = None, Constraint::max_norm(2.0);
        /// Whether 0 is no word, but stands for what is not there: recurrent layers leave it out.
        mask_zero: bool = false, true;
    }
    fixed {}
    only { "lora_rank": null, "quantization_config": null }
    ignored ["input_length", "sparse", "lora_alpha"]
}

impl<T: Scalar> Layer<T> for Embedding {
    described!();
    regularized!();

    fn output_shape(&self, input: Shape) -> Result<Shape, Reason> {
        if self.input_dim == 0 || self.output_dim == 0 {
            return Err(format!(
                "a table of {} rows of {} numbers is empty; use at least 1",
                self.input_dim, self.output_dim
            )
            .into());
        }
        // With the axis of the batch.
        if input.rank() + 2 > MAX_RANK {
            return Err(
                format!("one sample has the shape {input}, and there can be no more axes").into()
            );
        }
        let both = [self.embeddings_regularizer, self.activity_regularizer];
        both.into_iter().flatten().try_for_each(Regularizer::check)?;
        Ok(Shape::new(&[&input[..], &[self.output_dim]].concat()))
    }

    fn weights(&self, _: Shape) -> Vec<Weight> {
        let shape = [self.input_dim, self.output_dim];
        let table = Weight::new("embeddings", shape, self.embeddings_initializer);
        let table = table.regularizer(self.embeddings_regularizer);
        vec![table.constraint(self.embeddings_constraint.clone())]
    }

    fn forward<'t>(
        &self,
        weights: &[Var<'t, T>],
        x: &Var<'t, T>,
        _: &mut Context<T>,
    ) -> Var<'t, T> {
        weights[0].embedding(x.value())
    }

    fn check_input(&self, x: &Tensor<T>) -> Result<(), Reason> {
        check_indices(x, self.input_dim)
    }

    fn mask(&self, x: &Tensor<T>, _: Option<&Tensor<T>>) -> Option<Tensor<T>> {
        self.mask_zero.then(|| x.map(|x| if x == T::zero() { T::zero() } else { T::one() }))
    }
}
