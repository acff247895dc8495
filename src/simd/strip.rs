//! The innermost loop of every product: all rows of a matrix, times some columns of another one.
//!
//! It computes in tiles of a few rows and one to four vectors of columns, whose sums stay in registers. Each sum is one chain of
//! multiply-adds in the order of its summands, whichever tile it is in.

use super::loops::Part;
use super::vector::{Number, Vector};
use super::{Kernel, Simd, dispatch};
use std::ops::Range;

/// The left operand, read in place: element `(i, p)` is `data[rows[i] + cols[p]]`.
#[derive(Clone, Copy)]
pub struct Left<'a, T> {
    pub data: &'a [T],
    pub rows: Part<'a>,
    pub cols: Part<'a>,
}

/// What the sums are added to.
#[derive(Clone, Copy)]
pub enum Start<'a, T> {
    Zero,
    /// One value for each column.
    Columns(&'a [T]),
    /// One value for each row.
    Rows(&'a [T]),
    /// What `out` holds already.
    Out,
}

impl<T> Start<'_, T> {
    /// That of some of the columns.
    #[inline(always)]
    pub fn part(self, columns: Range<usize>) -> Self {
        match self {
            Start::Columns(values) => Start::Columns(&values[columns]),
            other => other,
        }
    }
}

/// What is done to a finished sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finish {
    Plain,
    /// `max(sum, 0)`; a NaN stays one.
    Relu,
    /// The same, and 6 at most.
    Relu6,
}

/// Where a strip is written: row `i` begins at `rows[i] + column`.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub rows: Part<'a>,
    pub column: usize,
    pub width: usize,
}

/// A product: `out[i, j] = finish(start + sum over p of left[i, p] right[p, j])`, for all rows and some columns.
#[derive(Clone, Copy)]
pub struct Strip<'a, T> {
    pub left: Left<'a, T>,
    /// Element `(p, j)` is `data[column + steps[p] + j]`.
    pub right: (&'a [T], usize, Part<'a>),
    /// How many columns lie in front of these. A tile that is wider than the last columns begins with some of those, rather
    /// than to read beyond, and drops what they give.
    pub before: usize,
    pub start: Start<'a, T>,
    pub finish: Finish,
    pub to: Place<'a>,
}

/// How many vectors of numbers there are registers for.
const fn registers<S: Simd, T: Number>() -> usize {
    S::REGISTERS / T::REGISTERS
}

/// How many vectors of columns a tile has, with so many columns left: four or three if they fill them and there are registers for
/// them, else two or one.
#[inline(always)]
fn tile_vectors<S: Simd, T: Number>(columns: usize) -> usize {
    let lanes = <S::Vector<T>>::LANES;
    match registers::<S, T>() {
        ..16 => 1,
        _ if columns <= lanes => 1,
        32 if columns >= 3 * lanes => (columns / lanes).min(4),
        _ => 2,
    }
}

/// How many columns a tile has, with so many left.
#[inline(always)]
pub fn tile_width<S: Simd, T: Number>(columns: usize) -> usize {
    tile_vectors::<S, T>(columns) * <S::Vector<T>>::LANES
}

/// The heights of the tiles of so many vectors, from the highest. There are registers for the sums, for the vectors of one row of the
/// right operand, and for the repeated number; in 16 registers, the compiler wants to hold two of these. There are no more rows than
/// pointers to them fit into the other registers. A single row would take as long as two, whose sums do not wait for each other.
const fn heights<S: Simd, T: Number>(vectors: usize) -> &'static [usize] {
    match (S::REGISTERS, vectors) {
        _ if S::VECTOR_BYTES == 16 || T::REGISTERS > 1 => &[4, 2],
        (32, 1 | 2) => &[9, 8, 6, 4, 2],
        (32, 3) => &[8, 4, 2],
        _ => &[6, 4, 2],
    }
}

/// Whether an instruction set has tiles of this form.
const fn has<S: Simd, T: Number>(height: usize, vectors: usize) -> bool {
    let heights = heights::<S, T>(vectors);
    let mut i = 0;
    while i < heights.len() && heights[i] != height {
        i += 1;
    }
    let most = match registers::<S, T>() {
        ..16 => 1,
        32 => 4,
        _ => 2,
    };
    i < heights.len() && vectors <= most
}

impl<T: Number> Strip<'_, T> {
    /// Computes it.
    ///
    /// # Panics
    /// When an element would lie outside of its operand or of `out`, or there are fewer steps than columns of the left operand.
    pub fn run(self, out: &mut [T]) {
        dispatch(Pieces(&self, out));
    }

    /// [`run`](Self::run), inside of a kernel.
    #[inline(always)]
    pub fn run_in<S: Simd>(self, out: &mut [T]) {
        Pieces(&self, out).run::<S>();
    }

    #[inline(always)]
    fn check(&self, out: &[T]) {
        let Strip { left, right: (_, _, steps), to, .. } = *self;
        let rows = left.rows.len();
        assert_eq!(rows, to.rows.len(), "a product has another number of rows than its place");
        assert!(steps.len() >= left.cols.len(), "the operands have different inner lengths");
        let inside = left.rows.fit(left.cols.end(1), left.data.len());
        assert!(inside || left.cols.is_empty(), "a product reads beyond its operand");
        let inside = to.rows.fit(to.column.checked_add(to.width), out.len());
        assert!(inside, "a product is written beyond its place");
    }
}

/// A strip, and where it is written.
struct Pieces<'a, T>(&'a Strip<'a, T>, &'a mut [T]);

impl<T: Number> Kernel for Pieces<'_, T> {
    type Output = ();

    /// Cuts the columns into pieces of four vectors, three, two and one, and their rows into tiles.
    #[inline(always)]
    fn run<S: Simd>(self) {
        let Pieces(strip, out) = self;
        strip.check(out);
        let (data, first, steps) = strip.right;
        let mut column = 0;
        while column < strip.to.width {
            let left = strip.to.width - column;
            let vectors = tile_vectors::<S, T>(left);
            let lanes = vectors * <S::Vector<T>>::LANES;
            let width = lanes.min(left);
            let skip = (lanes - width).min(strip.before + column);
            let inside = steps.fit((first + column - skip).checked_add(lanes), data.len());
            assert!(inside || strip.left.cols.is_empty(), "a product reads beyond its operand");
            let of_piece;
            let piece = if lanes == strip.to.width {
                strip
            } else {
                of_piece = Strip {
                    right: (data, first + column - skip, steps),
                    before: skip,
                    start: strip.start.part(column..column + width),
                    to: Place { column: strip.to.column + column, width, ..strip.to },
                    ..*strip
                };
                &of_piece
            };
            match vectors {
                1 => piece.rows::<S, 1>(out),
                2 => piece.rows::<S, 2>(out),
                3 => piece.rows::<S, 3>(out),
                _ => piece.rows::<S, 4>(out),
            }
            column += width;
        }
    }
}

impl<T: Number> Strip<'_, T> {
    /// Cuts the rows into tiles of so many vectors. All that they read and write is inside.
    #[inline(always)]
    fn rows<S: Simd, const VECTORS: usize>(&self, out: &mut [T]) {
        // Constants, by which the compiler can divide, and of whose tiles it compiles no others.
        let heights = const { heights::<S, T>(VECTORS) };
        let (mut row, rows) = (0, self.left.rows.len());
        for i in 0..heights.len() {
            let lower = if i + 1 < heights.len() { heights[i + 1] } else { 0 };
            let count = match (heights[i], rows - row) {
                // As many rows as channels often are.
                (9, left) if left % 8 == 0 && left <= 64 => 0,
                // Nine rows and one to three, or seven, would leave more of the lower tiles empty than only those do.
                (9, left @ 10..) if matches!(left % 9, 1..=3 | 7) => left / 9 - 1,
                (8, left) if i == 1 && left % 8 != 0 => 0,
                // What is left in the end is one tile of the smallest height that it fits into.
                (height, left) => (left + height - 1 - lower) / height,
            };
            let end = (row + count * heights[i]).min(rows);
            if row < end {
                let rows = row..end;
                match heights[i] {
                    9 => S::enter(Tiles::<T, 9, VECTORS> { strip: self, rows, out }),
                    8 => S::enter(Tiles::<T, 8, VECTORS> { strip: self, rows, out }),
                    6 => S::enter(Tiles::<T, 6, VECTORS> { strip: self, rows, out }),
                    4 => S::enter(Tiles::<T, 4, VECTORS> { strip: self, rows, out }),
                    _ => S::enter(Tiles::<T, 2, VECTORS> { strip: self, rows, out }),
                }
            }
            row = end;
        }
    }
}

/// Some rows of a strip, whose columns fill so many vectors: all that it reads and writes is inside of its operands and of `out`.
///
/// Each form of a tile is a function of its own. Of several in one, the compiler would not keep all sums in registers.
struct Tiles<'a, T, const MR: usize, const VECTORS: usize> {
    strip: &'a Strip<'a, T>,
    rows: Range<usize>,
    out: &'a mut [T],
}

impl<T: Number, const MR: usize, const VECTORS: usize> Kernel for Tiles<'_, T, MR, VECTORS> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self) {
        // The forms that other instruction sets have are not compiled.
        if const { has::<S, T>(MR, VECTORS) } {
            let Tiles { strip, rows, out } = self;
            for first in rows.step_by(MR) {
                // SAFETY: as the structure says, and `dispatch` has entered the instruction set.
                unsafe { strip.tile::<S, MR, VECTORS>(first, out) };
            }
        }
    }
}

/// The sums of a tile.
type Sums<S, T, const MR: usize, const VECTORS: usize> = [[<S as Simd>::Vector<T>; VECTORS]; MR];

// Loops over rows and vectors are over constants, so that the compiler unrolls them and finds each sum's register.
#[allow(clippy::needless_range_loop, reason = "loops over arrays of constant length")]
impl<T: Number> Strip<'_, T> {
    /// Computes the tile of the rows from `first` on.
    ///
    /// # Safety
    /// All that the strip reads and writes is inside of its operands and of `out`, its columns fill so many vectors or nearly, and the
    /// processor has the instruction set.
    #[inline(always)]
    unsafe fn tile<S: Simd, const MR: usize, const VECTORS: usize>(
        &self,
        first: usize,
        out: &mut [T],
    ) {
        let Strip { left, right: (b, column, steps), to, .. } = *self;
        let (mut rows, mut places) = ([0; MR], [0; MR]);
        if first + MR <= left.rows.len() {
            rows.copy_from_slice(&left.rows.as_slice()[first..first + MR]);
            places.copy_from_slice(&to.rows.as_slice()[first..first + MR]);
        } else {
            // The last tile repeats its last row, and writes the same once more.
            for i in 0..MR {
                let row = (first + i).min(left.rows.len() - 1);
                (rows[i], places[i]) = (left.rows.at(row), to.rows.at(row));
            }
        }
        let (mut starts, mut into) = ([left.data.as_ptr(); MR], [out.as_mut_ptr(); MR]);
        for i in 0..MR {
            starts[i] = starts[i].wrapping_add(rows[i]);
            into[i] = into[i].wrapping_add(places[i] + to.column);
        }
        let b = b.as_ptr().wrapping_add(column);
        // SAFETY: the caller's promise.
        unsafe {
            let acc = self.begin::<S, MR, VECTORS>(first, &into);
            let acc = add::<S, T, MR, VECTORS>(acc, (&starts, left.cols), (b, steps));
            self.end::<S, MR, VECTORS>(acc, &into);
        }
    }

    /// What the sums of a tile are added to.
    ///
    /// # Safety
    /// As for [`tile`](Self::tile); its rows are written to `into`.
    #[inline(always)]
    unsafe fn begin<S: Simd, const MR: usize, const VECTORS: usize>(
        &self,
        first: usize,
        into: &[*mut T; MR],
    ) -> Sums<S, T, MR, VECTORS> {
        let lanes = <S::Vector<T>>::LANES;
        let whole = self.to.width == VECTORS * lanes;
        // SAFETY: the caller's promise, for all that is read.
        unsafe {
            let mut acc = [[<S::Vector<T>>::splat(T::zero()); VECTORS]; MR];
            match self.start {
                Start::Zero => {}
                Start::Columns(values) => {
                    let from = values[..self.to.width].as_ptr();
                    for v in 0..VECTORS {
                        let values = self.lanes::<S>(from, v, whole);
                        for i in 0..MR {
                            acc[i][v] = values;
                        }
                    }
                }
                Start::Rows(values) => {
                    for i in 0..MR {
                        let row = (first + i).min(self.left.rows.len() - 1);
                        acc[i] = [<S::Vector<T>>::splat(values[row]); VECTORS];
                    }
                }
                Start::Out if whole => {
                    for i in 0..MR {
                        for v in 0..VECTORS {
                            acc[i][v] = self.lanes::<S>(into[i], v, true);
                        }
                    }
                }
                Start::Out => {
                    // By way of the memory: the loops are too long to be unrolled.
                    let mut rows = acc;
                    for (row, &into) in rows.iter_mut().zip(into) {
                        for (v, values) in row.iter_mut().enumerate() {
                            *values = self.lanes::<S>(into, v, false);
                        }
                    }
                    acc = rows;
                }
            }
            acc
        }
    }

    /// Vector `v` of a row of the tile, whose first column is at `from`.
    ///
    /// # Safety
    /// As for [`tile`](Self::tile).
    #[inline(always)]
    unsafe fn lanes<S: Simd>(&self, from: *const T, v: usize, whole: bool) -> S::Vector<T> {
        let first = v * <S::Vector<T>>::LANES;
        // SAFETY: the caller's promise.
        unsafe {
            if whole {
                return <S::Vector<T>>::load(from.add(first));
            }
            let from = from.wrapping_sub(self.before).wrapping_add(first);
            <S::Vector<T>>::load_lanes(from, self.kept(first, <S::Vector<T>>::LANES))
        }
    }

    /// The lanes that are kept of the vector that begins with lane `first` of the tile.
    #[inline(always)]
    fn kept(&self, first: usize, lanes: usize) -> Range<usize> {
        let [begin, end] = [self.before, self.before + self.to.width];
        begin.saturating_sub(first).min(lanes)..end.saturating_sub(first).min(lanes)
    }

    /// Finishes the sums of a tile, and writes them.
    ///
    /// # Safety
    /// As for [`begin`](Self::begin).
    #[inline(always)]
    unsafe fn end<S: Simd, const MR: usize, const VECTORS: usize>(
        &self,
        mut acc: Sums<S, T, MR, VECTORS>,
        into: &[*mut T; MR],
    ) {
        let lanes = <S::Vector<T>>::LANES;
        // SAFETY: the caller's promise, for all that is written.
        unsafe {
            if self.finish != Finish::Plain {
                let six = T::from(6.0).expect("a small number");
                let most = if self.finish == Finish::Relu6 { six } else { T::infinity() };
                let most = <S::Vector<T>>::splat(most);
                for i in 0..MR {
                    for v in 0..VECTORS {
                        acc[i][v] = acc[i][v].positive_part().at_most(most);
                    }
                }
            }
            if self.to.width == VECTORS * lanes {
                for i in 0..MR {
                    for v in 0..VECTORS {
                        acc[i][v].store(into[i].add(v * lanes));
                    }
                }
                return;
            }
            // A copy, so that the sums themselves need no memory.
            let rows = acc;
            for (row, into) in rows.iter().zip(into) {
                for (v, sums) in row.iter().enumerate() {
                    let into = into.wrapping_sub(self.before).wrapping_add(v * lanes);
                    sums.store_lanes(into, self.kept(v * lanes, lanes));
                }
            }
        }
    }
}

/// `acc[i][j] + sum over p of starts[i][at[p]] b[steps[p] + j]`.
///
/// # Safety
/// All of these can be read, and the processor has the instruction set.
#[inline(always)]
unsafe fn add<S: Simd, T: Number, const MR: usize, const VECTORS: usize>(
    mut acc: Sums<S, T, MR, VECTORS>,
    (starts, at): (&[*const T; MR], Part<'_>),
    (b, steps): (*const T, Part<'_>),
) -> Sums<S, T, MR, VECTORS> {
    match (at.step(), steps.step()) {
        // Even steps do not have to be loaded.
        (Some((mut p, step)), Some((mut q, b_step))) => {
            for _ in 0..at.len() {
                // SAFETY: the caller's promise; `p` and `q` are `at[p]` and `steps[p]`.
                acc = unsafe { add_one::<S, T, MR, VECTORS>(acc, starts, p, b.wrapping_add(q)) };
                (p, q) = (p + step, q + b_step);
            }
        }
        _ => {
            for (&p, &q) in at.as_slice().iter().zip(steps.as_slice()) {
                // SAFETY: the caller's promise.
                acc = unsafe { add_one::<S, T, MR, VECTORS>(acc, starts, p, b.wrapping_add(q)) };
            }
        }
    }
    acc
}

/// Adds one summand to each sum: `acc[i][j] + starts[i][p] b[j]`.
///
/// # Safety
/// As for [`add`].
#[allow(clippy::needless_range_loop, reason = "loops over arrays of constant length")]
#[inline(always)]
unsafe fn add_one<S: Simd, T: Number, const MR: usize, const VECTORS: usize>(
    mut acc: Sums<S, T, MR, VECTORS>,
    starts: &[*const T; MR],
    p: usize,
    b: *const T,
) -> Sums<S, T, MR, VECTORS> {
    // SAFETY: the caller's promise.
    unsafe {
        let mut values = [<S::Vector<T>>::splat(T::zero()); VECTORS];
        for v in 0..VECTORS {
            values[v] = <S::Vector<T>>::load(b.add(v * <S::Vector<T>>::LANES));
        }
        for i in 0..MR {
            let number = <S::Vector<T>>::splat(*starts[i].add(p));
            for v in 0..VECTORS {
                acc[i][v] = acc[i][v].add_product::<S>(number, values[v]);
            }
        }
    }
    acc
}
