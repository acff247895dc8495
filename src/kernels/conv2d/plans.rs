//! Offsets that are kept: they depend on shapes alone, and a training step repeats the shapes of the one before.

use super::Geometry;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::thread::LocalKey;

/// Which side of a convolution is computed from which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Outputs from images.
    Forward,
    /// The gradient of the images from that of the outputs.
    Backward,
}

/// Plans that a thread keeps of one kind.
const KEPT: usize = 32;

/// The plans that one thread used last, the newest first.
pub struct Plans<P> {
    plans: VecDeque<(Geometry, Direction, Rc<P>)>,
}

impl<P> Plans<P> {
    /// None.
    pub const fn new() -> Self {
        Plans { plans: VecDeque::new() }
    }
}

/// The plan for these shapes: the one that this thread has, or a new one.
pub fn plan<P>(
    plans: &'static LocalKey<RefCell<Plans<P>>>,
    geometry: Geometry,
    direction: Direction,
    make: impl FnOnce() -> P,
) -> Rc<P> {
    let known = plans.with_borrow(|Plans { plans }| {
        let known = plans.iter().find(|(shape, way, _)| (*shape, *way) == (geometry, direction));
        known.map(|(.., plan)| Rc::clone(plan))
    });
    known.unwrap_or_else(|| {
        let plan = Rc::new(make());
        plans.with_borrow_mut(|Plans { plans }| {
            plans.truncate(KEPT - 1);
            plans.push_front((geometry, direction, Rc::clone(&plan)));
        });
        plan
    })
}
