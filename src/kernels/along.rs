//! Along one axis of row-major values: what is taken at indices, what is added up there, and the order of the values.

use super::sums::CHAIN;
use crate::buffer::{Buffer, room};
use crate::scalar::Scalar;
use crate::tensor::{Shape, ascending};
use std::ops::AddAssign;

/// A shape as it is seen from one of its axes.
#[derive(Clone, Copy)]
pub struct Along {
    /// Of the axes before it, the number of indices.
    outer: usize,
    /// The length of the axis.
    len: usize,
    /// Of the axes behind it, the number of indices.
    inner: usize,
}

impl Along {
    pub fn new(shape: Shape, axis: usize) -> Self {
        let (before, after) = (&shape[..axis], &shape[axis + 1..]);
        Along { outer: before.iter().product(), len: shape[axis], inner: after.iter().product() }
    }
}

/// Which places of the axis are meant. All indices are below its length.
#[derive(Clone, Copy)]
pub enum Places<'a> {
    /// The same ones for all indices of the other axes: `y[o, i, n]` is that of `x[o, places[i], n]`.
    Rows(&'a [usize]),
    /// Others for each of them: `y[o, i, n]` is that of `x[o, places[o, i, n], n]`.
    Elements(&'a [usize]),
}

/// The values at these places.
#[track_caller]
#[inline(never)]
pub fn take<T: Scalar>(x: &[T], along: Along, places: Places<'_>) -> Buffer<T> {
    let Along { outer, len, inner } = along;
    match places {
        Places::Rows(places) => {
            let mut y = Buffer::stale(outer * places.len() * inner);
            let row = places.len() * inner;
            for (o, y) in y.chunks_exact_mut(row.max(1)).enumerate() {
                let x = &x[o * len * inner..][..len * inner];
                if inner == 1 {
                    y.iter_mut().zip(places).for_each(|(y, &place)| *y = x[place]);
                } else {
                    for (y, &place) in y.chunks_exact_mut(inner).zip(places) {
                        y.copy_from_slice(&x[place * inner..][..inner]);
                    }
                }
            }
            y
        }
        Places::Elements(places) => {
            let mut y = Buffer::stale(places.len());
            each(along, places, |from, to| y[to] = x[from]);
            y
        }
    }
}

/// Adds every `y` to the `x` of its place. Many that go to the same place are added up in wide numbers.
#[inline(never)]
pub fn add<T: Scalar>(x: &mut [T], y: &[T], along: Along, places: Places<'_>) {
    let Along { outer, inner, .. } = along;
    let most = match places {
        Places::Rows(places) => places.len(),
        Places::Elements(places) => places.len() / (outer * inner).max(1),
    };
    if most <= CHAIN {
        return add_up(x, y, along, places, |y| y);
    }
    let mut sums = Buffer::<T::Wide>::collect(x.len(), x.iter().map(|x| x.wide()));
    add_up(&mut sums, y, along, places, T::wide);
    x.iter_mut().zip(sums.iter()).for_each(|(x, &sum)| *x = T::narrow(sum));
}

fn add_up<T: Copy, S: AddAssign>(
    x: &mut [S],
    y: &[T],
    along: Along,
    places: Places<'_>,
    wide: impl Fn(T) -> S,
) {
    let Along { len, inner, .. } = along;
    match places {
        Places::Rows(places) => {
            let row = places.len() * inner;
            for (o, y) in y.chunks_exact(row.max(1)).enumerate() {
                let x = &mut x[o * len * inner..][..len * inner];
                for (y, &place) in y.chunks_exact(inner).zip(places) {
                    let x = &mut x[place * inner..][..inner];
                    x.iter_mut().zip(y).for_each(|(x, &y)| *x += wide(y));
                }
            }
        }
        Places::Elements(places) => each(along, places, |to, from| x[to] += wide(y[from])),
    }
}

/// Calls `f(place in x, place in y)` for each element of `y`, in reading order.
fn each(along: Along, places: &[usize], mut f: impl FnMut(usize, usize)) {
    let Along { outer, len, inner } = along;
    let block = (places.len() / outer.max(1)).max(1);
    let mut at = 0;
    for (o, places) in places.chunks_exact(block).enumerate() {
        for row in places.chunks_exact(inner) {
            for (n, &place) in row.iter().enumerate() {
                f((o * len + place) * inner + n, at);
                at += 1;
            }
        }
    }
}

/// For all indices of the other axes the first `count` of the axis in an order: the smallest value first and NaN last, or, `descending`,
/// NaN first and the largest value behind it. Equal ones keep their order.
#[track_caller]
pub fn order(keys: &[f64], along: Along, count: usize, descending: bool) -> Vec<usize> {
    let Along { outer, len, inner } = along;
    let mut found = room(outer * count * inner);
    found.resize(outer * count * inner, 0);
    let (mut lane, mut order) = (Vec::with_capacity(len), Vec::with_capacity(len));
    for (o, n) in (0..outer).flat_map(|o| (0..inner).map(move |n| (o, n))) {
        lane.clear();
        lane.extend((0..len).map(|i| keys[(o * len + i) * inner + n]));
        order.clear();
        order.extend(0..len);
        let before = |&a: &usize, &b: &usize| {
            let way = ascending(lane[a], lane[b]);
            (if descending { way.reverse() } else { way }).then(a.cmp(&b))
        };
        if (1..len).contains(&count) {
            order.select_nth_unstable_by(count - 1, before);
        }
        order[..count].sort_unstable_by(before);
        for (i, &place) in order[..count].iter().enumerate() {
            found[(o * count + i) * inner + n] = place;
        }
    }
    found
}
