//! Sizes along axes, as methods take them.

/// Two numbers, for height and width: `5`, `(5, 3)` or `[5, 3]`.
///
/// ```
/// use cinta::Pair;
/// assert_eq!((5.pair(), (5, 3).pair(), [5, 3].pair()), ([5, 5], [5, 3], [5, 3]));
/// ```
pub trait Pair {
    /// Height and width.
    fn pair(self) -> [usize; 2];
}

impl Pair for usize {
    fn pair(self) -> [usize; 2] {
        [self, self]
    }
}

impl Pair for (usize, usize) {
    fn pair(self) -> [usize; 2] {
        [self.0, self.1]
    }
}

impl Pair for [usize; 2] {
    fn pair(self) -> [usize; 2] {
        self
    }
}

/// Three numbers, for depth, height and width: `5`, `(5, 3, 3)` or `[5, 3, 3]`.
///
/// ```
/// use cinta::Triple;
/// assert_eq!((5.triple(), (5, 3, 1).triple(), [5, 3, 1].triple()), ([5, 5, 5], [5, 3, 1], [5, 3, 1]));
/// ```
pub trait Triple {
    /// Depth, height and width.
    fn triple(self) -> [usize; 3];
}

impl Triple for usize {
    fn triple(self) -> [usize; 3] {
        [self; 3]
    }
}

impl Triple for (usize, usize, usize) {
    fn triple(self) -> [usize; 3] {
        [self.0, self.1, self.2]
    }
}

impl Triple for [usize; 3] {
    fn triple(self) -> [usize; 3] {
        self
    }
}

/// How many places lie before and after the inside of each of `N` axes: one number for all sides; for series `[before, after]`; a
/// number for each axis; or both sides of each axis.
///
/// ```
/// use cinta::Borders;
/// assert_eq!(Borders::<2>::borders(1), [[1, 1], [1, 1]]);
/// assert_eq!(Borders::<2>::borders([1, 2]), [[1, 1], [2, 2]]);
/// assert_eq!(Borders::<2>::borders([[0, 1], [2, 3]]), [[0, 1], [2, 3]]);
/// assert_eq!(Borders::<1>::borders([0, 1]), [[0, 1]]);
/// ```
pub trait Borders<const N: usize> {
    /// Both sides of each axis.
    fn borders(self) -> [[usize; 2]; N];
}

impl<const N: usize> Borders<N> for usize {
    fn borders(self) -> [[usize; 2]; N] {
        [[self; 2]; N]
    }
}

impl Borders<1> for [usize; 2] {
    fn borders(self) -> [[usize; 2]; 1] {
        [self]
    }
}

impl<const N: usize> Borders<N> for [usize; N] {
    fn borders(self) -> [[usize; 2]; N] {
        self.map(|both| [both; 2])
    }
}

impl<const N: usize> Borders<N> for [[usize; 2]; N] {
    fn borders(self) -> [[usize; 2]; N] {
        self
    }
}

/// One number, for the steps of a series: `5` or `[5]`.
///
/// ```
/// use cinta::Single;
/// assert_eq!((5.single(), [5].single()), ([5], [5]));
/// ```
pub trait Single {
    /// The number of steps.
    fn single(self) -> [usize; 1];
}

impl Single for usize {
    fn single(self) -> [usize; 1] {
        [self]
    }
}

impl Single for [usize; 1] {
    fn single(self) -> [usize; 1] {
        self
    }
}
