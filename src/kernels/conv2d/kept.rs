//! What depends on shapes alone, and is kept from one call to the next.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// How many values a thread keeps of each kind.
const KEPT: usize = 64;

/// The values that this thread used last, the newest first: a training step repeats the shapes of the one before.
pub struct Kept<K, V>(RefCell<VecDeque<(K, Rc<V>)>>);

impl<K: PartialEq + Copy, V> Kept<K, V> {
    pub const fn new() -> Self {
        Kept(RefCell::new(VecDeque::new()))
    }

    /// The value for a key: the one that is kept, or a new one. What is large is not kept: it takes much memory, and to make it little of the
    /// time.
    pub fn get_unless(&self, large: bool, key: K, make: impl FnOnce() -> V) -> Rc<V> {
        if large { Rc::new(make()) } else { self.get(key, make) }
    }

    /// The value for a key: the one that is kept, or a new one.
    pub fn get(&self, key: K, make: impl FnOnce() -> V) -> Rc<V> {
        if let Some((_, value)) = self.0.borrow().iter().find(|(known, _)| *known == key) {
            return Rc::clone(value);
        }
        let value = Rc::new(make());
        let mut kept = self.0.borrow_mut();
        kept.truncate(KEPT - 1);
        kept.push_front((key, Rc::clone(&value)));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_are_kept() {
        let kept = Kept::new();
        let mut made = 0;
        let mut get = |key: usize| {
            *kept.get(key, || {
                made += 1;
                10 * key
            })
        };
        assert_eq!((0..KEPT).map(&mut get).sum::<usize>(), 10 * KEPT * (KEPT - 1) / 2);
        assert_eq!([get(0), get(KEPT - 1)], [0, 10 * (KEPT - 1)]);
        assert_eq!(get(KEPT), 10 * KEPT); // 0 goes
        assert_eq!(get(1), 10);
        assert_eq!(get(0), 0);
        assert_eq!(made, KEPT + 2);
        assert!((0..3).all(|_| *kept.get_unless(true, KEPT + 7, || 5) == 5));
        assert_eq!(*kept.get_unless(false, KEPT + 7, || 6), 6);
        assert_eq!(*kept.get_unless(false, KEPT + 7, || 5), 6);
    }
}
