//! Einstein's summation: sums of products, named by letters.
//!
//! ```text
//! "ij,jk->ik"    y[i, k] = sum over j of a[i, j] b[j, k]
//! ```
//!
//! First each operand alone: of a letter that it has twice it keeps the diagonal, and a letter that nobody else has is added up. Then two
//! operands after the other are put together, until one is left. The next two are always those with the fewest products (of the lengths
//! of all letters of both), and of equal ones those that stand first; lengths alone decide, so the order is the same in every run. What
//! they have in common and nobody else needs is added up in that step. It is a product of matrices, one for each index of the letters that
//! both have and keep; only where nothing is added up, and for lists of inner products, it is a product element by element.

use crate::autograd::Var;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{MAX_RANK, Shape, Tensor};

/// What the letters stand for: those of each operand, those of the result, and their lengths.
struct Plan {
    operands: Vec<Vec<char>>,
    output: Vec<char>,
    lengths: Vec<(char, usize)>,
}

/// The `i`-th axis from the end that an ellipsis stands for: a sign that nobody writes.
fn nameless(from_end: usize) -> char {
    char::from_digit(from_end as u32, 10).expect("few axes")
}

/// A term's letters, and the number of those before the ellipsis, if there is one.
#[track_caller]
fn letters(formula: &str, term: &str) -> (Vec<char>, Option<usize>) {
    let compact: String = term.chars().filter(|c| !c.is_whitespace()).collect();
    let (before, after) = match compact.split_once("...") {
        Some((before, after)) => (before, Some(after)),
        None => (&compact[..], None),
    };
    let found: Vec<char> = before.chars().chain(after.unwrap_or_default().chars()).collect();
    if let Some(other) = found.iter().find(|c| !c.is_ascii_alphabetic()) {
        panic!("einsum {formula:?}: {other:?} is no letter; axes are letters or `...`");
    }
    (found, after.map(|_| before.len()))
}

impl Plan {
    #[track_caller]
    fn new(formula: &str, shapes: &[Shape]) -> Plan {
        let (inputs, output) = match formula.split_once("->") {
            Some((inputs, output)) => (inputs, Some(output)),
            None => (formula, None),
        };
        // Loops rather than closures, so that what panics names the caller's line.
        let mut terms = Vec::new();
        for term in inputs.split(',') {
            terms.push(letters(formula, term));
        }
        assert!(
            terms.len() == shapes.len(),
            "einsum {formula:?}: {} operands are named, and {} were given",
            terms.len(),
            shapes.len()
        );
        let mut plan = Plan { operands: Vec::new(), output: Vec::new(), lengths: Vec::new() };
        let mut most = 0;
        for (i, ((mut named, ellipsis), shape)) in terms.into_iter().zip(shapes).enumerate() {
            let more = shape.rank().checked_sub(named.len());
            let fits = more.is_some_and(|more| more == 0 || ellipsis.is_some());
            assert!(
                fits,
                "einsum {formula:?}: operand {i} names {} axes, and its shape is {shape}",
                named.len()
            );
            if let (Some(at), Some(more)) = (ellipsis, more) {
                named.splice(at..at, (0..more).rev().map(nameless));
                most = most.max(more);
            }
            for (&c, &len) in named.iter().zip(&shape[..]) {
                plan.learn(formula, c, len, i);
            }
            plan.operands.push(named);
        }
        let nameless = (0..most).rev().map(nameless);
        plan.output = match output {
            Some(output) => {
                let (mut named, ellipsis) = letters(formula, output);
                // Without one in the result, what it stands for is added up.
                if let Some(at) = ellipsis {
                    named.splice(at..at, nameless);
                }
                named
            }
            None => {
                let all = || plan.operands.iter().flatten().copied();
                let mut once: Vec<char> = all()
                    .filter(|c| c.is_alphabetic() && all().filter(|other| other == c).count() == 1)
                    .collect();
                once.sort_unstable();
                nameless.chain(once).collect()
            }
        };
        for (i, c) in plan.output.iter().enumerate() {
            let known = plan.lengths.iter().any(|(known, _)| known == c);
            assert!(known, "einsum {formula:?}: the letter {c} of the result is in no operand");
            let first = !plan.output[..i].contains(c);
            assert!(first, "einsum {formula:?}: the letter {c} is twice in the result");
        }
        plan
    }

    /// The length of a letter, as operand `i` has it. What an ellipsis stands for broadcasts; a letter has one length.
    #[track_caller]
    fn learn(&mut self, formula: &str, c: char, len: usize, i: usize) {
        let Some((_, known)) = self.lengths.iter_mut().find(|(known, _)| *known == c) else {
            return self.lengths.push((c, len));
        };
        if c.is_alphabetic() {
            assert!(
                *known == len,
                "einsum {formula:?}: the letter {c} has the length {known}, and in operand {i} {len}"
            );
        } else {
            assert!(
                *known == len || *known == 1 || len == 1,
                "einsum {formula:?}: axes of lengths {known} and {len} under the ellipsis, in operand {i}"
            );
            *known = if *known == 1 { len } else { *known };
        }
    }

    fn len(&self, c: char) -> usize {
        self.lengths.iter().find(|(known, _)| *known == c).map_or(1, |&(_, len)| len)
    }

    fn lens(&self, letters: &[char]) -> Vec<usize> {
        letters.iter().map(|&c| self.len(c)).collect()
    }

    /// The next two operands.
    fn cheapest(&self, terms: &[Term<'_, impl Scalar>]) -> (usize, usize) {
        let products = |&(i, j): &(usize, usize)| {
            let (a, b) = (&terms[i].letters, &terms[j].letters);
            let all = a.iter().chain(b.iter().filter(|c| !a.contains(c)));
            all.map(|&c| self.len(c)).fold(1usize, usize::saturating_mul)
        };
        let count = terms.len();
        let pairs = (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j)));
        pairs.min_by_key(products).expect("two operands")
    }

    /// A list of matrices whose axes are these groups of letters, all of which `x` has.
    #[track_caller]
    fn grouped<'t, T: Scalar, const N: usize>(
        &self,
        x: &Term<'t, T>,
        groups: [&[char]; N],
    ) -> Var<'t, T> {
        let order = groups.concat();
        let lens = groups.map(|group| self.lens(group).iter().product::<usize>());
        x.permuted(&order).reshape(lens)
    }

    /// Two operands put together; `kept` are the letters that are needed afterwards.
    #[track_caller]
    fn together<'t, T: Scalar>(
        &self,
        formula: &str,
        [a, b]: [Term<'t, T>; 2],
        kept: &dyn Fn(char) -> bool,
    ) -> Term<'t, T> {
        let (both, left): (Vec<char>, Vec<char>) =
            a.letters.iter().partition(|c| b.letters.contains(c));
        let right: Vec<char> =
            b.letters.iter().filter(|c| !a.letters.contains(c)).copied().collect();
        let (each, inner): (Vec<char>, Vec<char>) = both.into_iter().partition(|&c| kept(c));
        let letters = [&each[..], &left, &right].concat();
        assert!(
            letters.len() <= MAX_RANK,
            "einsum {formula:?}: the product of {a} and {b} would have {} axes, and a tensor has at most {MAX_RANK}",
            letters.len()
        );
        let count = |group: &[char]| self.lens(group).iter().product::<usize>();
        let y = if inner.is_empty() {
            let columns = self.grouped(&b, [&each, &[], &right]);
            self.grouped(&a, [&each, &left, &[]]) * columns
        } else if !each.is_empty() && count(&left) == 1 && count(&right) == 1 {
            let inner_of = |x: &Term<'t, T>, own: &[char]| {
                self.grouped(x, [&each, &[own, &inner[..]].concat()])
            };
            (inner_of(&a, &left) * inner_of(&b, &right)).sum(1)
        } else if each.is_empty() {
            self.grouped(&a, [&left, &inner]).matmul(&self.grouped(&b, [&inner, &right]))
        } else {
            let columns = self.grouped(&b, [&each, &inner, &right]);
            self.grouped(&a, [&each, &left, &inner]).batch_matmul(&columns)
        };
        let value = y.reshape(Shape::new(&self.lens(&letters)));
        Term { letters, value }
    }
}

/// An operand whose axes have names.
struct Term<'t, T: Scalar> {
    letters: Vec<char>,
    value: Var<'t, T>,
}

impl<T: Scalar> std::fmt::Display for Term<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.value.shape())
    }
}

impl<'t, T: Scalar> Term<'t, T> {
    /// Without the axes that are to be repeated: broadcasting does that.
    #[track_caller]
    fn unrepeated(mut self, plan: &Plan) -> Self {
        for at in (0..self.letters.len()).rev() {
            if self.value.shape()[at] == 1 && plan.len(self.letters[at]) != 1 {
                self.letters.remove(at);
                self.value = self.value.squeeze(at);
            }
        }
        self
    }

    /// Each letter once, and only those that are kept: diagonals are taken, and the others added up.
    #[track_caller]
    fn reduce(&mut self, kept: &dyn Fn(char) -> bool) {
        while let Some((first, second)) = self.twice() {
            self.value = self.value.diagonal(0, [first, second]);
            let letter = self.letters.remove(second);
            self.letters.remove(first);
            self.letters.push(letter);
        }
        let unused: Vec<usize> =
            (0..self.letters.len()).filter(|&at| !kept(self.letters[at])).collect();
        if !unused.is_empty() {
            self.value = self.value.sum(&unused[..]);
            self.letters.retain(|&c| kept(c));
        }
    }

    /// The first two axes of one letter.
    fn twice(&self) -> Option<(usize, usize)> {
        let first = |at: usize| self.letters[..at].iter().position(|c| *c == self.letters[at]);
        (0..self.letters.len()).find_map(|at| first(at).map(|first| (first, at)))
    }

    /// The value with its axes in this order.
    #[track_caller]
    fn permuted(&self, order: &[char]) -> Var<'t, T> {
        let place = |c: &char| self.letters.iter().position(|own| own == c).expect("its letter");
        let order: Vec<usize> = order.iter().map(place).collect();
        let same = order.iter().enumerate().all(|(i, &axis)| i == axis);
        if same { self.value.clone() } else { self.value.permute_axes(&order) }
    }
}

impl<T: Scalar> Tensor<T> {
    /// Einstein's summation: the formula names the axes of each operand by letters, and after `->` those of the result. Products of the
    /// operands are added up over all letters that the result does not have.
    ///
    /// ```
    /// # use cinta::Tensor;
    /// let a = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let b = Tensor::from([[5.0, 6.0], [7.0, 8.0]]);
    /// assert_eq!(Tensor::einsum("ij,jk->ik", &[&a, &b]), a.matmul(&b));
    /// assert_eq!(Tensor::einsum("ij->ji", &[&a]), a.t());
    /// assert_eq!(Tensor::einsum("ii", &[&a]), a.trace()); // without `->`: the letters that are there once, in the alphabet's order
    /// assert_eq!(Tensor::einsum("ij,ij->i", &[&a, &b]).to_vec(), [17.0, 53.0]);
    /// assert_eq!(Tensor::einsum("...j,j->...", &[&a, &b.slice(0, 0..1).squeeze(0)]).to_vec(), [17.0, 39.0]);
    /// ```
    ///
    /// A letter twice in one operand is its diagonal. `...` stands for any number of axes, which broadcast by NumPy's rule, and come first
    /// in a result without `->`; a letter has one length. Spaces do not count. A sum of nothing is 0.
    ///
    /// Two operands at a time are put together, always those with the fewest products (the lengths of all their letters), and the first
    /// of equal ones; what nobody else needs is added up then, by products of matrices where it can be. Each step is an operation of its
    /// own on the tape.
    ///
    /// # Panics
    /// When the formula is none or does not fit the operands, when a letter has two lengths, when a letter of the result is in no operand or
    /// twice in the result, and when a product on the way has more than [`MAX_RANK`] axes.
    #[track_caller]
    pub fn einsum(formula: &str, operands: &[&Tensor<T>]) -> Tensor<T> {
        let vars: Vec<Var<'_, T>> =
            operands.iter().map(|&operand| Var::constant(operand.clone())).collect();
        Var::einsum(formula, &vars.iter().collect::<Vec<_>>()).into_value()
    }
}

impl<'t, T: Scalar> Var<'t, T> {
    /// Einstein's summation, as [`Tensor::einsum`].
    ///
    /// # Panics
    /// As [`Tensor::einsum`].
    ///
    /// ```
    /// use cinta::{Tape, Tensor, Var};
    /// let tape = Tape::new();
    /// let a = tape.leaf(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// let b = tape.leaf(Tensor::from([5.0, 6.0]));
    /// let y = Var::einsum("ij,j->i", &[&a, &b]);
    /// assert_eq!(y.value().to_vec(), [17.0, 39.0]);
    /// assert_eq!(y.sum(..).backward().wrt(&b).to_vec(), [4.0, 6.0]);
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn einsum(formula: &str, operands: &[&Var<'t, T>]) -> Var<'t, T> {
        let shapes: Vec<Shape> = operands.iter().map(|operand| operand.shape()).collect();
        let plan = Plan::new(formula, &shapes);
        let named = operands.iter().zip(&plan.operands);
        let mut terms: Vec<Term<'t, T>> = named
            .map(|(&value, letters)| Term { letters: letters.clone(), value: value.clone() })
            .map(|term| term.unrepeated(&plan))
            .collect();
        let letters: Vec<Vec<char>> = terms.iter().map(|term| term.letters.clone()).collect();
        for (i, term) in terms.iter_mut().enumerate() {
            let others = || letters.iter().enumerate().filter(|(j, _)| *j != i);
            let kept = |c: char| {
                plan.output.contains(&c) || others().any(|(_, letters)| letters.contains(&c))
            };
            term.reduce(&kept);
        }
        while terms.len() > 1 {
            let (i, j) = plan.cheapest(&terms);
            let (b, a) = (terms.remove(j), terms.remove(i));
            let rest = &terms;
            let kept = |c: char| {
                plan.output.contains(&c) || rest.iter().any(|term| term.letters.contains(&c))
            };
            let both = plan.together(formula, [a, b], &kept);
            terms.insert(i, both);
        }
        terms.remove(0).permuted(&plan.output)
    }
}

compiled!(|x: &Var<T>| (Var::einsum("i->i", &[x]), Tensor::einsum("i", &[x.value()])));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck;
    use crate::ops::testing::{assert_close, random};
    use proptest::prelude::*;
    use proptest::sample::select;

    #[test]
    fn worked_example() {
        let a = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
        let b = Tensor::from([[5.0, 6.0], [7.0, 8.0]]);
        let of = |formula: &str| Tensor::einsum(formula, &[&a, &b]).to_vec();
        assert_eq!(of("ij,jk"), [19.0, 22.0, 43.0, 50.0]);
        assert_eq!(of("ab , cb -> ac"), [17.0, 23.0, 39.0, 53.0]);
        assert_eq!(of("ij,ij->"), [70.0]);
        assert_eq!(of("ij,ij"), [70.0]);
        assert_eq!(of("ij,ji->ij"), [5.0, 14.0, 18.0, 32.0]);
        assert_eq!(of("ii,jj->"), [5.0 * 13.0]);
        assert_eq!(of("ij,kl->"), [10.0 * 26.0]);
        assert_eq!(of("ii,ij->ij"), [5.0, 6.0, 28.0, 32.0]);
        assert_eq!(of("Zb,bA"), [19.0, 43.0, 22.0, 50.0]); // A before Z
        let of = |formula: &str| Tensor::einsum(formula, &[&a]).to_vec();
        assert_eq!(of("ba"), [1.0, 3.0, 2.0, 4.0]);
        assert_eq!(of("ij->j"), [4.0, 6.0]);
        assert_eq!(of("ii->i"), [1.0, 4.0]);
        assert_eq!(of("...->..."), a.to_vec());
        assert_eq!(of("i...->..."), [4.0, 6.0]);
        assert_eq!(of("...i->i..."), [1.0, 3.0, 2.0, 4.0]);
        assert_eq!(of("...->"), [10.0]);
    }

    #[test]
    fn ellipses_broadcast() {
        let (a, b) = (random(&[3, 1, 2, 4], -1.0, 1.0, 1, 0), random(&[5, 4, 3], -1.0, 1.0, 2, 0));
        let y = Tensor::einsum("...ij,...jk->...ik", &[&a, &b]);
        assert_eq!(y.shape(), [3, 5, 2, 3]);
        assert_close(&y, &a.batch_matmul(&b));
        // All of them 1, some missing, and one that is repeated and then added up.
        let ones = Tensor::from([[2.0]]);
        assert_eq!(Tensor::einsum("...,...", &[&ones, &ones]), Tensor::from([[4.0]]));
        let row = Tensor::from([[1.0, 2.0, 3.0]]);
        assert_eq!(Tensor::einsum("...,...->", &[&ones, &row]), Tensor::scalar(12.0));
        assert_eq!(Tensor::einsum("...,...->...", &[&Tensor::scalar(2.0), &row]), &row * 2.0);
    }

    #[test]
    fn empty_scalar_and_nan() {
        let (none, two) = (Tensor::<f64>::zeros([2, 0]), Tensor::scalar(2.0));
        assert_eq!(Tensor::einsum("ij,kj->ik", &[&none, &none]), Tensor::zeros([2, 2]));
        assert_eq!(Tensor::einsum("ij,ik->jk", &[&none, &none]).shape(), [0, 0]);
        assert_eq!(Tensor::einsum("ij,ij->i", &[&none, &none]), Tensor::zeros([2]));
        assert_eq!(Tensor::einsum("ij->i", &[&none]), Tensor::zeros([2]));
        assert_eq!(Tensor::einsum(",->", &[&two, &two]), Tensor::scalar(4.0));
        assert_eq!(Tensor::einsum("", &[&two]), two);
        let nan = Tensor::from([[1.0, f64::NAN], [2.0, 3.0]]);
        let y = Tensor::einsum("ij,jk->ik", &[&nan, &Tensor::eye(2)]);
        assert!(y.at([0, 0]).is_nan() && y.at([1, 0]) == 2.0);
    }

    #[test]
    fn gradient() {
        let a = random(&[3, 2, 4], -2.0, 2.0, 1, 0);
        let b = random(&[4, 5, 3], -2.0, 2.0, 2, 0);
        for formula in ["ijk,kli->jl", "ijk,kli->ijl", "ijk,kli->lkij", "ijk,abc->jb", "ijk,kli->k"]
        {
            gradcheck(|[a, b]| Var::einsum(formula, &[a, b]).square(), [a.clone(), b.clone()])
                .unwrap();
        }
        let square = random(&[3, 3, 2], -2.0, 2.0, 3, 0);
        gradcheck(|[x]| Var::einsum("iij->ji", &[x]).square(), [square.clone()]).unwrap();
        gradcheck(
            |[x, a, b]| Var::einsum("xxj,xjk,k...x->...x", &[x, a, b]).square(),
            [square, a, b],
        )
        .unwrap();
        let [x, y] = [[1, 4], [3, 1]].map(|dims| random(&dims, -2.0, 2.0, 4, 0));
        gradcheck(|[x, y]| Var::einsum("...,...->...", &[x, y]).square(), [x, y]).unwrap();
    }

    fn zeros(formula: &str, shapes: &[&[usize]]) {
        let tensors: Vec<Tensor<f64>> = shapes.iter().map(|&shape| Tensor::zeros(shape)).collect();
        Tensor::einsum(formula, &tensors.iter().collect::<Vec<_>>());
    }

    /// Each mistake in words.
    #[test]
    fn formulas_that_do_not_fit() {
        for (formula, shapes, words) in [
            ("ij,jk", &[&[2, 3][..]][..], "2 operands are named, and 1 were given"),
            ("ij", &[&[2]], "operand 0 names 2 axes, and its shape is [2]"),
            ("i", &[&[2, 3]], "operand 0 names 1 axes, and its shape is [2, 3]"),
            ("i,...jkl", &[&[2], &[2, 3]], "operand 1 names 3 axes, and its shape is [2, 3]"),
            ("ij,jk->ik", &[&[2, 3], &[4, 5]], "the letter j has the length 3, and in operand 1 4"),
            ("ii", &[&[2, 3]], "the letter i has the length 2, and in operand 0 3"),
            ("ij->ik", &[&[2, 3]], "the letter k of the result is in no operand"),
            ("ij->ii", &[&[2, 3]], "the letter i is twice in the result"),
            ("i1", &[&[2, 3]], "'1' is no letter"),
            ("i->j->k", &[&[2]], "'-' is no letter"),
            ("i......", &[&[2]], "'.' is no letter"),
            ("...,...", &[&[2], &[3]], "axes of lengths 2 and 3 under the ellipsis, in operand 1"),
            (
                "abcd,efgh->abcdefgh",
                &[&[1, 1, 1, 1], &[1, 1, 1, 1]],
                "the product of [1, 1, 1, 1] and [1, 1, 1, 1] would have 8 axes",
            ),
        ] {
            let panicked = std::panic::catch_unwind(|| zeros(formula, shapes)).expect_err(formula);
            let message = panicked.downcast_ref::<String>().expect("a message");
            assert!(message.starts_with("einsum ") && message.contains(words), "{message}");
        }
    }

    /// The cheapest two first: this one has letters that fit a tensor only in that order, and products that fit the memory.
    #[test]
    fn order_of_contraction() {
        let long = Tensor::<f64>::ones([1 << 20]);
        let y = Tensor::einsum("a,b,a,b->", &[&long, &long, &long, &long]);
        assert_eq!(y.item(), (1u64 << 40) as f64);
        let plan = Plan::new("ij,jk,kl", &[[9, 8], [8, 2], [2, 9]].map(Shape::from));
        let term = |letters: &str| Term {
            letters: letters.chars().collect(),
            value: Var::constant(Tensor::<f64>::zeros([])),
        };
        let [a, b, c] = ["ij", "jk", "kl"].map(term);
        assert_eq!(plan.cheapest(&[a, b, c]), (0, 1)); // 9 8 2 and 8 2 9 products, and 9 8 2 9
    }

    proptest! {
        /// Three operands with any letters, by one loop over all of them.
        #[test]
        fn definition(
            terms in prop::array::uniform3(prop::collection::vec(select(vec!['a', 'b', 'c', 'd']), 0..4)),
            lens in prop::array::uniform4(1usize..4), kept in 0u8..16, reversed: bool, seed: u64, layout in 0u8..4,
        ) {
            let len = |c: char| lens[c as usize - 'a' as usize];
            let operands: Vec<Tensor<f64>> = (0..).zip(&terms).map(|(i, letters)| {
                let dims: Vec<usize> = letters.iter().map(|&c| len(c)).collect();
                random(&dims, -1.0, 1.0, seed ^ i, layout)
            }).collect();
            let used = |c: char| terms.iter().any(|letters| letters.contains(&c));
            let mut output: Vec<char> = ('a'..='d').filter(|&c| used(c) && kept >> (c as u8 - b'a') & 1 == 1).collect();
            if reversed {
                output.reverse();
            }
            let [a, b, c] = terms.each_ref().map(|letters| letters.iter().collect::<String>());
            let formula = format!("{a},{b},{c}->{}", output.iter().collect::<String>());
            let y = Tensor::einsum(&formula, &operands.iter().collect::<Vec<_>>());
            let dims: Vec<usize> = output.iter().map(|&c| len(c)).collect();
            let sums = Tensor::from_fn(&dims[..], |at| {
                let mut sum = 0.0;
                let free: Vec<char> = ('a'..='d').filter(|&c| used(c) && !output.contains(&c)).collect();
                let count: usize = free.iter().map(|&c| len(c)).product();
                for mut i in 0..count {
                    let mut index = [0; 4];
                    for &c in &free {
                        index[c as usize - 'a' as usize] = i % len(c);
                        i /= len(c);
                    }
                    output.iter().zip(at).for_each(|(&c, &at)| index[c as usize - 'a' as usize] = at);
                    sum += operands.iter().zip(&terms).map(|(x, letters)| {
                        let place = |&c: &char| index[c as usize - 'a' as usize];
                        match letters.iter().map(place).collect::<Vec<_>>()[..] {
                            [] => x.item(),
                            [i] => x.at([i]),
                            [i, j] => x.at([i, j]),
                            [i, j, k] => x.at([i, j, k]),
                            _ => unreachable!("at most three letters"),
                        }
                    }).product::<f64>();
                }
                sum
            });
            assert_close(&y, &sums);
        }
    }
}
