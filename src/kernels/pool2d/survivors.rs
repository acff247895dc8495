//! What is left of maxima: those above 0, without the ones that dropout takes.

use super::{Ordered, Winner};
use crate::kernels::mask::Draws;
use crate::kernels::sums::rectified;
use crate::scalar::Scalar;
use crate::tensor::{Order, Stream};

/// Which maxima survive: the rectifier's, and of these some at random.
pub struct Survivors<T> {
    pub draws: Option<Draws<T>>,
}

impl<T: Scalar> Survivors<T> {
    /// What their gradients are multiplied by.
    pub fn scale(&self) -> T {
        self.draws.as_ref().map_or(T::one(), |draws| draws.scale)
    }

    /// Does it to the maxima `y` of one row of windows, `[image, row]`, and to their winners, if somebody asks for these.
    #[inline(always)]
    pub(super) fn of_row<const WINNERS: bool, W: Winner>(
        &self,
        Ordered { shape, order }: Ordered,
        [image, row]: [usize; 2],
        y: &mut [T],
        winners: &mut [W],
    ) {
        let Some(Draws { keys: [low, high], threshold, scale }) = &self.draws else {
            let all = Survive { threshold: 0, scale: T::one() };
            return all.of_run::<WINNERS, W>(y, winners, [&[], &[]], |_, _| 0);
        };
        let survive = Survive { threshold: *threshold, scale: *scale };
        let first_place = row * shape.window.output()[1] * shape.channels;
        match order {
            Order::Innermost => {
                let samples = shape.images;
                for (place, y) in y.chunks_exact_mut(samples).enumerate() {
                    let winners =
                        if WINNERS { &mut winners[place * samples..][..samples] } else { &mut [] };
                    let position = (first_place + place) as u32;
                    let word = |_, keys| Stream::word(keys, position);
                    survive.of_run::<WINNERS, W>(y, winners, [low, high], word);
                }
            }
            Order::RowMajor => {
                let keys = [low[image], high[image]];
                let word = |i, _| Stream::word(keys, (first_place + i) as u32);
                survive.of_run::<WINNERS, W>(y, winners, [&[], &[]], word);
            }
        }
    }
}

/// Who survives: those above 0 whose word reaches the threshold.
#[derive(Clone, Copy)]
struct Survive<T> {
    threshold: u32,
    scale: T,
}

/// Values that are decided at once.
const TOGETHER: usize = 16;

impl<T: Scalar> Survive<T> {
    /// Decides about maxima that lie side by side, value `i` by `word(i, keys)`: its keys are those in `keys`, if there are any.
    #[inline(always)]
    fn of_run<const WINNERS: bool, W: Winner>(
        self,
        y: &mut [T],
        winners: &mut [W],
        [low, high]: [&[u32]; 2],
        word: impl Fn(usize, [u32; 2]) -> u32,
    ) {
        let mut first = 0;
        // The compiler cannot count steps of two lengths, so it leaves this loop alone and makes vectors of those inside of it.
        while first < y.len() {
            first += match y.len() - first {
                TOGETHER.. => {
                    self.of::<WINNERS, W, TOGETHER>(first, y, winners, [low, high], &word)
                }
                _ => self.of::<WINNERS, W, 1>(first, y, winners, [low, high], &word),
            };
        }
    }

    /// Decides about `N` of them, and returns how many these are.
    #[inline(always)]
    fn of<const WINNERS: bool, W: Winner, const N: usize>(
        self,
        first: usize,
        y: &mut [T],
        winners: &mut [W],
        [low, high]: [&[u32]; 2],
        word: &impl Fn(usize, [u32; 2]) -> u32,
    ) -> usize {
        let mut words = [0; N];
        if low.is_empty() {
            for k in 0..N {
                words[k] = word(first + k, [0; 2]);
            }
        } else {
            let (low, high) = (&low[first..][..N], &high[first..][..N]);
            for k in 0..N {
                words[k] = word(first + k, [low[k], high[k]]);
            }
        }
        let y = &mut y[first..][..N];
        let winners = if WINNERS { &mut winners[first..][..N] } else { &mut [] };
        let mut values = [T::zero(); N];
        values.copy_from_slice(y);
        if WINNERS {
            // As wide as the values, so that comparing those makes a mask for them.
            let (nobody, mut who) = (W::NOBODY.index(), [0; N]);
            for k in 0..N {
                who[k] = winners[k].index();
            }
            for k in 0..N {
                let alive = (words[k] >= self.threshold) & (values[k] > T::zero());
                who[k] = if alive { who[k] } else { nobody };
            }
            for (winner, &who) in winners.iter_mut().zip(&who) {
                *winner = W::new(who);
            }
        }
        for k in 0..N {
            let value = rectified(values[k]) * self.scale;
            values[k] = value.kept_if(words[k] >= self.threshold);
        }
        y.copy_from_slice(&values);
        N
    }
}
