//! The layer of attention in heads that share keys and values.

use super::heads::{Heads, heads_recipe};

heads_recipe! {
    /// Attention as in [`MultiHeadAttention`](super::layers::MultiHeadAttention), where several heads of queries share a head of keys and values (Ainslie et al.,
    /// *GQA: training generalized multi-query transformer models from multi-head checkpoints*, 2023). Head `i` of the queries uses head
    /// `i / (num_query_heads / num_key_value_heads)`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// let x = Input::new([5, 8]);
    /// let model = Model::new(&x, &GroupQueryAttention::new(3, 4, 2).of([&x, &x])).build(1)?;
    /// assert_eq!(model.weight("grouped_query_attention", "query/kernel")?.shape(), [8, 4, 3]);
    /// assert_eq!(model.weight("grouped_query_attention", "key/kernel")?.shape(), [8, 2, 3]);
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub struct GroupQueryAttention = "GroupQueryAttention";
    /// Heads of `head_dim` numbers for a step. The number for keys and values divides that for queries.
    new(head_dim: usize, num_query_heads: usize, num_key_value_heads: usize);
    example ([5, 8] twice) => GroupQueryAttention::new(3, 4, 2) => [5, 8];
    options {}
    ignored []
}

impl GroupQueryAttention {
    /// Keras's attributes are not public.
    const PRIVATE: bool = true;

    pub(super) fn heads(&self) -> Heads<'_> {
        Heads {
            heads: self.num_query_heads,
            groups: self.num_key_value_heads,
            key_dim: self.head_dim,
            value_dim: self.head_dim,
            output: &[],
            dropout: self.dropout,
            use_bias: self.use_bias,
            use_gate: self.use_gate,
            sliding_window: self.sliding_window,
            use_causal_mask: self.use_causal_mask,
            return_attention_scores: self.return_attention_scores,
            attention_mask: self.attention_mask.as_ref(),
            axes: None,
        }
    }
}
