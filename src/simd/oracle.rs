//! The innermost loops against their definitions, at the very end of their operands.

use super::testing::at_each_level;
use super::{
    Dual, Finish, Kernel, Left, Number, Offsets, Part, Place, Simd, Slide, Start, Strip, dispatch,
    dots, instruction_set, lanewise, tile_width,
};
use crate::buffer::Buffer;
use num_traits::Float;
use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Whole numbers from -4 to 4, so that their products and sums are exact.
fn whole<T: Float>(len: usize, seed: usize) -> Vec<T> {
    let number = |i: usize| ((i + seed).wrapping_mul(0x9E37_79B9) >> 7) % 9;
    (0..len).map(|i| T::from(number(i) as i32 - 4).expect("a small number")).collect()
}

/// What a kernel that panicked said.
fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    let said: Box<dyn Any + Send> = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(_) => return "nothing".to_owned(),
        Err(said) => said,
    };
    said.downcast_ref::<&str>().map(|&said| said.to_owned()).unwrap_or_default()
}

/// One operand of a sum: element `l` of summand `p` in row `i` is `data[rows[i] + steps[p] + l]`.
#[derive(Clone, Copy)]
struct Operand<'a, T, const ROWS: usize> {
    data: &'a [T],
    rows: [usize; ROWS],
    steps: Part<'a>,
}

struct Dotted<'a, T, const MR: usize, const NR: usize>(Operand<'a, T, MR>, Operand<'a, T, NR>);

impl<T: Float, const MR: usize, const NR: usize> Kernel for Dotted<'_, T, MR, NR> {
    type Output = Vec<T>;
    #[inline(always)]
    fn run<S: Simd>(self) -> Vec<T> {
        let Dotted(a, b) = self;
        let operands = ((a.data, &a.rows, a.steps), (b.data, &b.rows, b.steps));
        dots::<S, T, MR, NR, 4>([[[T::one(); 4]; NR]; MR], operands.0, operands.1)
            .as_flattened()
            .as_flattened()
            .to_vec()
    }
}

struct Lanewise<'a, T, const P: usize, const N: usize>(Operand<'a, T, 1>, Operand<'a, T, P>);

impl<T: Float, const P: usize, const N: usize> Kernel for Lanewise<'_, T, P, N> {
    type Output = Vec<T>;
    #[inline(always)]
    fn run<S: Simd>(self) -> Vec<T> {
        let Lanewise(a, b) = self;
        let right = (b.data, &b.rows, b.steps);
        lanewise::<S, T, P, N>([[T::one(); N]; P], (a.data, a.rows[0], a.steps), right)
            .as_flattened()
            .to_vec()
    }
}

/// Runs `kernel` over operands that end with the last element that is read, compares with `1 + sum over p of a b`, and
/// cuts either operand by one element. `extents` are the neighbours of each operand that are read; `pairs` are the
/// elements `(row, neighbour)` of both that each result multiplies.
fn check<T: Float + std::fmt::Debug, const A: usize, const B: usize>(
    extents: [usize; 2],
    pairs: impl Iterator<Item = [(usize, usize); 2]> + Clone,
    kernel: impl Fn(Operand<'_, T, A>, Operand<'_, T, B>) -> Vec<T>,
) {
    for depth in [0, 1, 2, 3, 17] {
        // The farthest row and the farthest step are not the last.
        let rows_a: [usize; A] = std::array::from_fn(|i| (i + 1) % A * 5);
        let rows_b: [usize; B] = std::array::from_fn(|i| (B - 1 - i) * 3 + 2);
        let steps_a = Offsets::new(depth, (0..depth).map(|p| (p + 1) % depth * 7));
        let steps_b = Offsets::new(depth, (0..depth).map(|p| p * 2));
        let end = |rows: &[usize], steps: &Offsets, extent: usize| {
            let farthest = rows.iter().max().unwrap() + steps.as_slice().iter().max().unwrap_or(&0);
            if depth == 0 { 0 } else { farthest + extent }
        };
        let a = whole::<T>(end(&rows_a, &steps_a, extents[0]), 1);
        let b = whole::<T>(end(&rows_b, &steps_b, extents[1]), 2);
        let left = Operand { data: &a, rows: rows_a, steps: steps_a.all() };
        let right = Operand { data: &b, rows: rows_b, steps: steps_b.all() };
        let expected: Vec<T> = pairs
            .clone()
            .map(|[(i, k), (j, l)]| {
                (0..depth).fold(T::one(), |sum, p| {
                    let x = a[rows_a[i] + steps_a.as_slice()[p] + k];
                    sum + x * b[rows_b[j] + steps_b.as_slice()[p] + l]
                })
            })
            .collect();
        assert_eq!(kernel(left, right), expected, "{depth} summands, {}", instruction_set());
        if depth == 0 {
            continue;
        }
        let beyond = "a product reads beyond its operand";
        let short = Operand { data: &a[..a.len() - 1], ..left };
        assert_eq!(panic_of(|| kernel(short, right)), beyond);
        let short = Operand { data: &b[..b.len() - 1], ..right };
        assert_eq!(panic_of(|| kernel(left, short)), beyond);
        // An address that overflows.
        assert_eq!(panic_of(|| kernel(Operand { rows: [usize::MAX; A], ..left }, right)), beyond);
        assert_eq!(panic_of(|| kernel(left, Operand { rows: [usize::MAX; B], ..right })), beyond);
        let fewer = Operand { steps: right.steps.part(0..depth - 1), ..right };
        let message = "the operands have different inner lengths";
        assert_eq!(panic_of(|| kernel(left, fewer)), message);
    }
}

fn check_dots<T: Float + std::fmt::Debug, const MR: usize, const NR: usize>() {
    let lanes = |i, j| (0..4).map(move |l| [(i, l), (j, l)]);
    let pairs = (0..MR).flat_map(move |i| (0..NR).flat_map(move |j| lanes(i, j)));
    check::<T, MR, NR>([4, 4], pairs, |a, b| dispatch(Dotted(a, b)));
}

fn check_lanewise<T: Float + std::fmt::Debug, const P: usize, const N: usize>() {
    let pairs = (0..P).flat_map(|p| (0..N).map(move |l| [(0, l), (p, l)]));
    check::<T, 1, P>([N, N], pairs, |a, b| dispatch(Lanewise::<T, P, N>(a, b)));
}

/// Dual numbers of such numbers.
fn dual_of<T: Number>(
    numbers: fn(usize, usize) -> Vec<T>,
    len: usize,
    seed: usize,
) -> Vec<Dual<T>> {
    let pairs = numbers(len, seed).into_iter().zip(numbers(len, seed + 5));
    pairs.map(|(value, tangent)| Dual { value, tangent }).collect()
}

fn dual<T: Number>(len: usize, seed: usize) -> Vec<Dual<T>> {
    dual_of(whole, len, seed)
}

/// How many columns the first tile of so many has.
fn first_tile<T: Number>(columns: usize) -> usize {
    struct Width<T>(usize, PhantomData<T>);
    impl<T: Number> Kernel for Width<T> {
        type Output = usize;
        #[inline(always)]
        fn run<S: Simd>(self) -> usize {
            tile_width::<S, T>(self.0)
        }
    }
    dispatch(Width(columns, PhantomData::<T>))
}

/// What a strip of `rows` rows says, or what it wrote.
fn strip<T: Number>(
    (a, rows, cols): (&[T], &Offsets, Part<'_>),
    (b, column, steps): (&[T], usize, Part<'_>),
    (out, to, width): (&mut [T], &Offsets, usize),
) -> String {
    let left = Left { data: a, rows: rows.all(), cols };
    let to = Place { rows: to.all(), column: 1, width };
    let (right, start, finish) = ((b, column, steps), Start::Out, Finish::Plain);
    panic_of(|| Strip { left, right, before: 0, start, finish, to }.run(out))
}

/// Strips whose operands and places end with the last element that is read or written. The lanes behind the last column are read, and
/// dropped.
fn check_strip<T: Number + std::fmt::Debug>(
    numbers: fn(usize, usize) -> Vec<T>,
    [rows, width, depth]: [usize; 3],
    even: bool,
) {
    let shift = |i: usize, len: usize| if even { i } else { (i + 1) % len };
    let row_offsets = Offsets::new(rows, (0..rows).map(|i| shift(i, rows) * 5));
    let cols = Offsets::new(depth, (0..depth).map(|p| shift(p, depth) * 7));
    let steps = Offsets::new(depth, (0..depth).map(|p| p * 2));
    let to = Offsets::new(rows, (0..rows).map(|i| shift(i, rows) * (width + 3)));
    // The first tile reads whole vectors; the last one begins with columns in front of it.
    let read = width.max(first_tile::<T>(width));
    let [a_len, b_len] = match depth {
        0 => [0, 0],
        _ => [(rows - 1) * 5 + (depth - 1) * 7 + 1, 2 + (depth - 1) * 2 + read],
    };
    let (a, b) = (numbers(a_len, 1), numbers(b_len, 2));
    let before = numbers((rows - 1) * (width + 3) + 1 + width, 3);
    let mut expected = before.clone();
    for (i, j) in (0..rows).flat_map(|i| (0..width).map(move |j| (i, j))) {
        let sum = &mut expected[to.as_slice()[i] + 1 + j];
        for p in 0..depth {
            let x = a[row_offsets.as_slice()[i] + cols.as_slice()[p]];
            *sum = *sum + x * b[2 + steps.as_slice()[p] + j];
        }
    }
    let (a, b) = (&a[..], &b[..]);
    let left = |from| (&a[from..], &row_offsets, cols.all());
    let right = |from| (&b[from..], 2, steps.all());
    let mut out = before.clone();
    assert_eq!(strip(left(0), right(0), (&mut out, &to, width)), "nothing");
    // Dual numbers are compared by their values alone.
    let [out_text, expected] = [&out, &expected].map(|numbers| format!("{numbers:?}"));
    assert_eq!(out_text, expected, "{rows} {width} {depth} {even} {}", instruction_set());
    let mut out = before.clone();
    let short = &mut out[1..];
    let beyond = "a product is written beyond its place";
    assert_eq!(strip(left(0), right(0), (short, &to, width)), beyond);
    if depth == 0 {
        return;
    }
    let beyond = "a product reads beyond its operand";
    assert_eq!(strip(left(1), right(0), (&mut out, &to, width)), beyond);
    assert_eq!(strip(left(0), right(1), (&mut out, &to, width)), beyond);
    // An address that overflows.
    let far = (b, usize::MAX - 1, steps.all());
    assert_eq!(strip(left(0), far, (&mut out, &to, width)), beyond);
    let fewer = (b, 2, steps.part(0..depth - 1));
    let message = "the operands have different inner lengths";
    assert_eq!(strip(left(0), fewer, (&mut out, &to, width)), message);
}

#[test]
fn strips() {
    at_each_level(|| {
        for (i, rows) in (1..=20).enumerate() {
            for (j, width) in [1, 7, 8, 13, 16, 17, 24, 32, 48, 64, 65, 100].into_iter().enumerate()
            {
                let depth = [0, 1, 2, 3, 17][(i + j) % 5];
                check_strip::<f32>(whole, [rows, width, depth], i % 2 == 0);
                check_strip::<f64>(whole, [rows, width, depth], i % 2 == 1);
                check_strip::<Dual<f32>>(dual, [rows, width, depth], i % 2 == 0);
                check_strip(
                    |len, seed| dual_of(dual::<f64>, len, seed),
                    [rows, width, depth],
                    i % 2 == 1,
                );
            }
        }
    });
}

#[test]
fn inner_products() {
    at_each_level(|| {
        check_dots::<f32, 6, 1>();
        check_dots::<f32, 4, 2>();
        check_dots::<f64, 3, 3>();
        check_dots::<f64, 3, 4>();
    });
}

#[test]
fn products_lane_by_lane() {
    at_each_level(|| {
        check_lanewise::<f32, 1, 1>();
        check_lanewise::<f32, 4, 16>();
        check_lanewise::<f64, 3, 8>();
    });
}

/// What a window gives at `places`.
struct Slid<'a, T, const K: usize, const N: usize> {
    values: &'a [T],
    rows: [usize; K],
    step_count_extent: [usize; 3],
    places: &'a [usize],
    weights: [[T; N]; K],
}

impl<T: Float, const K: usize, const N: usize> Kernel for Slid<'_, T, K, N> {
    type Output = Vec<T>;
    #[inline(always)]
    fn run<S: Simd>(self) -> Vec<T> {
        let window = Slide::new(self.values, &self.rows, self.step_count_extent);
        let at = |&p: &usize| window.add::<S, N>(p, &self.weights, [T::one(); N]);
        self.places.iter().flat_map(at).collect()
    }
}

fn check_slide<T: Float + std::fmt::Debug, const K: usize, const N: usize>() {
    // The farthest row is not the last.
    let rows: [usize; K] = std::array::from_fn(|k| (k + 1) % K * 3);
    let mut weights = [[T::zero(); N]; K];
    weights.as_flattened_mut().copy_from_slice(&whole(K * N, 2));
    for (step, count) in [(1, 1), (5, 4), (0, 3)] {
        let values = whole::<T>((K - 1) * 3 + (count - 1) * step + N, 1);
        let (places, behind): (Vec<usize>, _) = ((0..count).collect(), [count]);
        let slid = |values, rows, count, extent, places| Slid {
            values,
            rows,
            step_count_extent: [step, count, extent],
            places,
            weights,
        };
        let expected: Vec<T> = (0..count * N)
            .map(|i| {
                let (p, l) = (i / N, i % N);
                (0..K).fold(T::one(), |sum, k| sum + weights[k][l] * values[rows[k] + p * step + l])
            })
            .collect();
        assert_eq!(dispatch(slid(&values, rows, count, N, &places)), expected);
        let short = &values[..values.len() - 1];
        let beyond = "a window sees beyond its image";
        assert_eq!(panic_of(|| dispatch(slid(short, rows, count, N, &places))), beyond);
        let far = [usize::MAX; K];
        assert_eq!(panic_of(|| dispatch(slid(&values, far, count, N, &places))), beyond);
        let outside = "a window stands outside of its image";
        assert_eq!(panic_of(|| dispatch(slid(&values, rows, count, N, &behind))), outside);
        assert_eq!(panic_of(|| dispatch(slid(&values, rows, count, N - 1, &[0]))), outside);
        assert_eq!(panic_of(|| dispatch(slid(&[], far, 0, N, &[0]))), outside);
    }
    let endless = Slid::<T, K, N> {
        values: &[T::one(); 9],
        rows: [0; K],
        step_count_extent: [usize::MAX, 3, N],
        places: &[0],
        weights,
    };
    assert_eq!(panic_of(|| dispatch(endless)), "a window sees beyond its image");
}

#[test]
fn windows_that_slide() {
    at_each_level(|| {
        check_slide::<f32, 1, 1>();
        check_slide::<f32, 9, 16>();
        check_slide::<f64, 6, 8>();
    });
}

#[test]
fn offsets_know_their_maximum() {
    // Whether all is inside that a part may read of so many elements.
    let zeros = Offsets::steps(9, 0);
    let reads = |part: Part<'_>, len: usize| {
        let a = Operand { data: &vec![0f32; len], rows: [0], steps: part };
        let b = Operand { data: &[1.0], rows: [0], steps: zeros.all() };
        panic_of(|| dispatch(Lanewise::<f32, 1, 1>(a, b))) == "nothing"
    };
    let offsets = [3, 0, 9, 4];
    let unordered = Offsets::new(4, offsets.into_iter().chain([100]));
    assert_eq!((unordered.as_slice(), unordered.len()), (&offsets[..], 4));
    assert!(reads(unordered.all(), 10) && !reads(unordered.all(), 9));
    assert!(reads(unordered.part(0..2), 10) && !reads(unordered.part(2..4).part(1..2), 4));
    let ascending = Offsets::from(Buffer::from(vec![1, 4, 4, 8]));
    assert!(reads(ascending.all(), 9) && !reads(ascending.all(), 8));
    assert!(reads(ascending.part(0..3), 5) && !reads(ascending.part(0..3), 4));
    assert!(reads(ascending.part(2..2), 0));
    let steps = Offsets::steps(4, 5);
    assert_eq!((steps.as_slice(), steps.all().len()), (&[0, 5, 10, 15][..], 4));
    assert_eq!(steps.part(1..3).len(), 2);
    assert!(reads(steps.all(), 16) && !reads(steps.all(), 15));
    assert!(reads(steps.part(1..3), 11) && !reads(steps.part(1..3), 10));
    assert!(Offsets::steps(0, 5).as_slice().is_empty() && reads(Offsets::steps(0, 5).all(), 0));
}

/// Bytes of a vector, columns of the widest tile, and `a a - 1` in one rounding or two.
struct Seen<const LONG: bool>;

impl<const LONG: bool> Kernel for Seen<LONG> {
    type Output = (usize, [usize; 2], f32);
    const LONG: bool = LONG;
    fn run<S: Simd>(self) -> Self::Output {
        let widest = [tile_width::<S, f32>(1000), tile_width::<S, f64>(1000)];
        let a = 1.0 + f32::EPSILON;
        (S::VECTOR_BYTES, widest, S::mul_add(a, a, -1.0))
    }
}

#[test]
fn each_instruction_set_is_entered() {
    let (twice, once) = (2.0 * f32::EPSILON, 2.0 * f32::EPSILON + f32::EPSILON.powi(2));
    let fused = cfg!(any(target_feature = "fma", target_arch = "aarch64"));
    at_each_level(|| {
        let expected = match instruction_set() {
            "portable" => (16, [8, 4], if fused { once } else { twice }),
            "avx2" => (32, [16, 8], once),
            _ => (64, [64, 32], once),
        };
        assert_eq!(dispatch(Seen::<true>), expected);
        assert_eq!([super::lanes::<f32>(), super::lanes::<f64>()], [4, 8].map(|b| expected.0 / b));
        assert_eq!(dispatch(Seen::<false>).0, expected.0.min(32));
    });
}
