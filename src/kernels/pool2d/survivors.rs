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
            for (i, y) in y.iter_mut().enumerate() {
                if WINNERS {
                    winners[i] = if *y > T::zero() { winners[i] } else { W::NOBODY };
                }
                *y = rectified(*y);
            }
            return;
        };
        let survive = |y: &mut T, winner: Option<&mut W>, word: u32| {
            let kept = word >= *threshold;
            if let Some(winner) = winner {
                *winner = if kept & (*y > T::zero()) { *winner } else { W::NOBODY };
            }
            *y = (rectified(*y) * *scale).kept_if(kept);
        };
        let first_place = row * shape.window.output()[1] * shape.channels;
        match order {
            Order::Innermost => {
                let samples = shape.images;
                for (place, y) in y.chunks_exact_mut(samples).enumerate() {
                    let winners =
                        if WINNERS { &mut winners[place * samples..][..samples] } else { &mut [] };
                    let position = (first_place + place) as u32;
                    for i in 0..samples {
                        let word = Stream::word([low[i], high[i]], position);
                        survive(
                            &mut y[i],
                            if WINNERS { Some(&mut winners[i]) } else { None },
                            word,
                        );
                    }
                }
            }
            Order::RowMajor => {
                let keys = [low[image], high[image]];
                for i in 0..y.len() {
                    let word = Stream::word(keys, (first_place + i) as u32);
                    survive(&mut y[i], if WINNERS { Some(&mut winners[i]) } else { None }, word);
                }
            }
        }
    }
}
