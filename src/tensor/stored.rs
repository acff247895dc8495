//! The numbers that tensors share, and what was made of them.

use super::Tensor;
use crate::buffer::Buffer;
use crate::scalar::Scalar;
use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex, PoisonError};

/// Says what was made, and for which sizes.
pub(crate) type Recipe = [usize; 4];

/// Numbers, which do not change while several tensors have them.
pub(super) struct Stored<T: Scalar> {
    values: Buffer<T>,
    made: Mutex<Vec<Made<T>>>,
}

/// What was made, of a tensor that begins at `offset`.
struct Made<T: Scalar> {
    offset: usize,
    recipe: Recipe,
    values: Arc<Buffer<T>>,
}

impl<T: Scalar> Stored<T> {
    pub(super) fn new(values: Buffer<T>) -> Arc<Stored<T>> {
        Arc::new(Stored { values, made: Mutex::default() })
    }

    /// The values of a range, if nobody else has them. What was made of them is no longer right then.
    pub(super) fn get_mut(this: &mut Arc<Self>, range: Range<usize>) -> Option<&mut [T]> {
        let Stored { values, made } = Arc::get_mut(this)?;
        made.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        Some(&mut values[range])
    }

    #[cfg(feature = "ndarray")]
    pub(super) fn into_values(self) -> Buffer<T> {
        self.values
    }
}

impl<T: Scalar> Deref for Stored<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T: Scalar> Tensor<T> {
    /// What `make` gives of these numbers, which is kept with them as long as they do not change. The recipe stands for `make`: another
    /// one needs another recipe.
    pub(crate) fn made(&self, recipe: Recipe, make: impl FnOnce() -> Buffer<T>) -> Arc<Buffer<T>> {
        let all = || self.data.made.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |all: &[Made<T>]| {
            let found = all.iter().find(|it| (it.offset, it.recipe) == (self.offset, recipe));
            found.map(|made| Arc::clone(&made.values))
        };
        if let Some(made) = known(&all()) {
            return made;
        }
        // Made without the lock: a thread that waits for a part of it may take over work that asks for the same.
        let new = Arc::new(make());
        let mut all = all();
        known(&all).unwrap_or_else(|| {
            all.push(Made { offset: self.offset, recipe, values: Arc::clone(&new) });
            new
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_kept_until_the_numbers_change() {
        let mut x = Tensor::from([1.0, 2.0, 3.0]);
        let double = |x: &Tensor<f64>, recipe| {
            x.made(recipe, || Buffer::from(x.map(|x| 2.0 * x).to_vec())).to_vec()
        };
        let never = |x: &Tensor<f64>, recipe| x.made(recipe, || panic!("made before")).to_vec();
        assert_eq!(double(&x, [1; 4]), [2.0, 4.0, 6.0]);
        let same = x.clone();
        assert_eq!([never(&x, [1; 4]), never(&same, [1; 4])], [[2.0, 4.0, 6.0]; 2]);
        // Another recipe, and another view.
        assert_eq!(x.made([2; 4], || Buffer::from(vec![7.0])).to_vec(), [7.0]);
        assert_eq!(double(&x.slice(0, 1..3), [1; 4]), [4.0, 6.0]);
        // A copy that is changed has nothing of it, and the other one still has all.
        x.as_mut_slice()[0] = 5.0;
        assert_eq!(double(&x, [1; 4]), [10.0, 4.0, 6.0]);
        assert_eq!(never(&same, [1; 4]), [2.0, 4.0, 6.0]);
        // What is changed in place has nothing of it either.
        x.as_mut_slice()[0] = 6.0;
        assert_eq!(double(&x, [1; 4]), [12.0, 4.0, 6.0]);
        let x = x.into_map(|x| x + 1.0);
        assert_eq!(double(&x, [1; 4]), [14.0, 6.0, 8.0]);
    }
}
