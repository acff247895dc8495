//! The layer of attention in several heads.

use super::heads::{Heads, heads_recipe};

heads_recipe! {
    /// Attention (Vaswani et al., *Attention is all you need*, 2017): each step of a query `[t, features]` takes a mean of the values of another sequence
    /// `[s, features]`, weighted by how well their keys fit it. In each of `num_heads` heads, queries, keys and values are projections `q = x Wq + bq`,
    /// `k = z Wk + bk` and `v = z Wv + bv`, and the head gives `softmax(q k' / sqrt(key_dim)) v`. What the heads give for a step is projected to the output.
    ///
    /// Samples may have more axes than `[t, features]`: see [`attention_axes`](Self::attention_axes).
    ///
    /// Its inputs are `[query, value]` or `[query, value, key]`; without keys, the values are the keys. For self-attention, all are the same. Steps of values that a mask
    /// leaves out are not seen. An [`attention_mask`](Self::attention_mask) can be a further input.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([5, 8]);
    /// let attended = MultiHeadAttention::new(2, 4).use_causal_mask(true).of([&x, &x]);
    /// let model = Model::new(&x, &Add::new().of([&x, &attended])).build(1)?;
    /// assert_eq!(model.output_shape(), [5, 8]);
    /// assert_eq!(model.count_params(), 4 * (8 * 8 + 8));
    ///
    /// // What comes later does not matter.
    /// let long = Tensor::uniform([1, 5, 8], -1.0, 1.0, &mut Stream::new(2));
    /// let mut changed = long.clone();
    /// changed.as_mut_slice()[32..].fill(3.0);
    /// let [y, z] = [&long, &changed].map(|x| model.predict(x).expect("a sequence"));
    /// assert_eq!(y.slice(1, 0..4), z.slice(1, 0..4));
    /// assert_ne!(y.slice(1, 4..5), z.slice(1, 4..5));
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct MultiHeadAttention = "MultiHeadAttention";
    /// So many heads, whose queries and keys have `key_dim` numbers for a step.
    new(num_heads: usize, key_dim: usize);
    example ([5, 8] twice) => MultiHeadAttention::new(2, 4) => [5, 8];
    options {
        /// How many numbers the values of a head have for a step; as many as the keys, if this is not said.
        value_dim: usize = key_dim, 3;
        /// The shape of the output for a step; that of the query, if this is not said.
        output_shape: Vec<usize> as impl Into<Vec<usize>>, into = Vec::new(), [6] => [5, 6];
        /// The axes of a batch that it goes over, of samples with more than those of sequences: all but the last one, if this is not said. Along others, it looks at
        /// each place by itself.
        attention_axes: Vec<isize> as impl Into<Vec<isize>>, into = Vec::new(), [1];
    }
    // What Keras 2 wrote when it knew them.
    ignored ["query_shape", "value_shape", "key_shape"]
}

impl MultiHeadAttention {
    /// Keras's attributes are public.
    const PRIVATE: bool = false;

    pub(super) fn heads(&self) -> Heads<'_> {
        Heads {
            heads: self.num_heads,
            groups: self.num_heads,
            key_dim: self.key_dim,
            value_dim: self.value_dim,
            output: &self.output_shape,
            dropout: self.dropout,
            use_bias: self.use_bias,
            use_gate: self.use_gate,
            sliding_window: self.sliding_window,
            use_causal_mask: self.use_causal_mask,
            return_attention_scores: self.return_attention_scores,
            attention_mask: self.attention_mask.as_ref(),
            axes: Some(&self.attention_axes),
        }
    }
}
