//! What is on a tape, and where a step's time and memory go: as a table, and as a graph.

use super::{Origin, Tape, Var};
use crate::scalar::{Scalar, compiled};
use crate::tensor::Shape;
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::time::{Duration, Instant};

/// What all operations of one name on a tape took: one line of a [`Profile`].
///
/// ```
/// use cinta::{Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.leaf(Tensor::from([1.0_f32, 2.0]));
/// let _y = x.square().square();
/// let square = &tape.profile().operations[0];
/// assert_eq!((square.name, square.count, square.bytes), ("square", 2, 16));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationProfile {
    /// As the tape prints it.
    pub name: &'static str,
    /// How often it was recorded.
    pub count: usize,
    /// What the results take in memory, if each has memory of its own. (A `reshape`, and other views, share that of what they read.)
    pub bytes: usize,
    /// The time for the results; 0 if the tape measures none.
    pub forward: Duration,
    /// The time for the gradients; 0 before `backward`, and if the tape measures none.
    pub backward: Duration,
}

/// What is on a tape, by the name of the operation: what took most time first, and where there is no time, what takes most memory. It
/// prints as a table.
///
/// ```
/// use cinta::{Tape, Tensor};
/// let tape = Tape::timed();
/// let w = tape.leaf(Tensor::<f32>::ones([200, 100]));
/// let x = tape.leaf(Tensor::<f32>::ones([100, 200]));
/// w.matmul(&x).tanh().sum(..).backward();
///
/// let profile = tape.profile();
/// let lines: Vec<String> = profile.to_string().lines().map(str::to_owned).collect();
/// assert_eq!(lines[0], "operation  count     bytes   forward  backward");
/// assert_eq!(lines.len(), 6); // matmul, tanh, sum, leaf and their sum
/// let matmul = profile.operations.iter().find(|operation| operation.name == "matmul").unwrap();
/// assert!(matmul.forward.as_nanos() > 0 && matmul.backward.as_nanos() > 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// A line for each name.
    pub operations: Vec<OperationProfile>,
}

/// One node of a tape, as it is printed.
pub(crate) struct Printed {
    pub name: &'static str,
    pub shape: Shape,
    /// `None` for a constant.
    pub parents: Vec<Option<usize>>,
    pub bytes: usize,
    /// Forward and backward, if the tape measures them.
    pub times: Option<[Duration; 2]>,
}

impl Printed {
    /// What is said of a node beside its name.
    pub(crate) fn facts(&self) -> Vec<String> {
        let mut facts = vec![self.shape.to_string(), size(self.bytes)];
        if let Some([forward, backward]) = self.times {
            facts.push(format!("forward {}", time(forward)));
            facts.push(format!("backward {}", time(backward)));
        }
        facts
    }
}

impl<T: Scalar> Tape<T> {
    /// An empty tape that measures how long each operation takes, forward and backward. [`profile`](Self::profile) says what it found.
    ///
    /// What runs on other threads meanwhile counts as well, so other work should rest. Reading the clock takes about as long as an
    /// operation on a few numbers.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::timed();
    /// let x = tape.leaf(Tensor::<f32>::ones([1000]));
    /// x.exp().backward();
    /// let exp = tape.profile().operations.into_iter().find(|operation| operation.name == "exp").unwrap();
    /// assert!(exp.forward.as_nanos() > 0 && exp.backward.as_nanos() > 0);
    /// ```
    pub fn timed() -> Self {
        let mut tape = Tape::new();
        tape.times = Some(Default::default());
        tape
    }

    /// How often each operation was recorded, and what that took: before `backward` or after it.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0_f32, 2.0]));
    /// let loss = x.exp().exp().sum(..);
    /// let found = |tape: &Tape<f32>| -> Vec<_> {
    ///     tape.profile().operations.iter().map(|it| (it.name, it.count, it.bytes)).collect()
    /// };
    /// assert_eq!(found(&tape), [("exp", 2, 16), ("leaf", 1, 8), ("sum", 1, 4)]);
    /// loss.backward();
    /// assert_eq!(found(&tape), [("exp", 2, 16), ("leaf", 1, 8), ("sum", 1, 4)]);
    /// ```
    pub fn profile(&self) -> Profile {
        profile(&self.printed())
    }

    /// The tape as a graph in the language of Graphviz: `dot -Tsvg` draws it. An arrow goes from each operation to those that read its
    /// result; constants have none.
    ///
    /// ```
    /// use cinta::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.leaf(Tensor::from([1.0_f32, 2.0]));
    /// let _y = &x * &x.exp();
    /// assert_eq!(
    ///     tape.graphviz(),
    ///     r#"digraph tape {
    ///   node [shape=box];
    ///   0 [label="%0 = leaf\n[2]\n8 bytes"];
    ///   1 [label="%1 = exp\n[2]\n8 bytes"];
    ///   0 -> 1;
    ///   2 [label="%2 = mul\n[2]\n8 bytes"];
    ///   0 -> 2;
    ///   1 -> 2;
    /// }
    /// "#
    /// );
    /// ```
    pub fn graphviz(&self) -> String {
        graphviz(&self.printed())
    }

    /// The nodes in the order in which they were recorded.
    #[inline(never)]
    pub(crate) fn printed(&self) -> Vec<Printed> {
        let times = self.times.as_ref().map(|times| times.borrow());
        let nodes = self.nodes.borrow();
        let printed = nodes.iter().enumerate().map(|(at, node)| Printed {
            name: node.name,
            shape: node.shape,
            parents: node.parents.clone(),
            bytes: node.shape.count() * size_of::<T>(),
            times: times.as_ref().map(|times| times[at]),
        });
        printed.collect()
    }
}

/// When an operation on these inputs began, if one of their tapes measures it.
#[inline(never)]
pub(crate) fn clock<T: Scalar>(inputs: &[&Var<'_, T>]) -> Option<Instant> {
    let mut tapes = inputs.iter().filter_map(|input| input.origin.map(|Origin { tape, .. }| tape));
    tapes.find(|tape| tape.times.is_some()).map(|_| Instant::now())
}

fn profile(nodes: &[Printed]) -> Profile {
    let mut by_name = BTreeMap::new();
    for node in nodes {
        let nothing = OperationProfile {
            name: node.name,
            count: 0,
            bytes: 0,
            forward: Duration::ZERO,
            backward: Duration::ZERO,
        };
        let operation = by_name.entry(node.name).or_insert(nothing);
        let [forward, backward] = node.times.unwrap_or_default();
        operation.count += 1;
        operation.bytes += node.bytes;
        operation.forward += forward;
        operation.backward += backward;
    }
    let mut operations: Vec<OperationProfile> = by_name.into_values().collect();
    operations.sort_by_key(|it| std::cmp::Reverse((it.forward + it.backward, it.bytes)));
    Profile { operations }
}

fn graphviz(nodes: &[Printed]) -> String {
    let mut text = "digraph tape {\n  node [shape=box];\n".to_owned();
    for (at, node) in nodes.iter().enumerate() {
        let facts = node.facts().join("\\n");
        _ = writeln!(text, "  {at} [label=\"%{at} = {}\\n{facts}\"];", node.name);
        for parent in node.parents.iter().flatten() {
            _ = writeln!(text, "  {parent} -> {at};");
        }
    }
    text + "}\n"
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sum = |of: fn(&OperationProfile) -> Duration| self.operations.iter().map(of).sum();
        let total = OperationProfile {
            name: "total",
            count: self.operations.iter().map(|it| it.count).sum(),
            bytes: self.operations.iter().map(|it| it.bytes).sum(),
            forward: sum(|it| it.forward),
            backward: sum(|it| it.backward),
        };
        let names = self.operations.iter().map(|it| it.name.chars().count());
        let wide = names.max().unwrap_or(0).max("operation".len());
        let mut line = |name: &str, rest: [&str; 4]| {
            let [count, bytes, forward, backward] = rest;
            writeln!(f, "{name:wide$}  {count:>5}  {bytes:>8}  {forward:>8}  {backward:>8}")
        };
        line("operation", ["count", "bytes", "forward", "backward"])?;
        for it in self.operations.iter().chain([&total]) {
            let [count, bytes] = [it.count.to_string(), size(it.bytes).replace(" bytes", " B")];
            let [forward, backward] = [time(it.forward), time(it.backward)];
            line(it.name, [&count, &bytes, &forward, &backward])?;
        }
        Ok(())
    }
}

/// `12.3ms`, and `-` for none.
fn time(time: Duration) -> String {
    if time.is_zero() { "-".to_owned() } else { format!("{time:.1?}") }
}

/// `800 bytes`, `1.5 kB`, ..
fn size(bytes: usize) -> String {
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let (mut size, mut unit) = (bytes as f64 / 1e3, 0);
    // Not 1000.0 kB: from where that is printed on, the next one.
    while size >= 999.95 && unit < 4 {
        (size, unit) = (size / 1e3, unit + 1);
    }
    format!("{size:.1} {}", ["kB", "MB", "GB", "TB", "PB"][unit])
}

compiled!(|x: &Tape<T>| (x.profile(), x.graphviz()));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    #[test]
    fn sizes_and_times() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (1_540_000, "1.5 MB"),
            (2_000_000_000, "2.0 GB"),
        ] {
            assert_eq!(size(bytes), text);
        }
        assert!(size(usize::MAX).ends_with(" PB"));
        assert_eq!(time(Duration::ZERO), "-");
        assert_eq!(time(Duration::from_micros(12_345)), "12.3ms");
    }

    fn node(
        name: &'static str,
        parents: &[Option<usize>],
        bytes: usize,
        times: [u64; 2],
    ) -> Printed {
        let times = times.map(Duration::from_millis);
        Printed {
            name,
            shape: Shape::new(&[3]),
            parents: parents.to_vec(),
            bytes,
            times: Some(times),
        }
    }

    #[test]
    fn a_table() {
        let nodes = [
            node("leaf", &[], 12_000_000, [0, 0]),
            node("batch_matmul", &[Some(0), None], 800, [1, 2]),
            node("tanh", &[Some(1)], 1500, [20, 0]),
            node("tanh", &[Some(2)], 1500, [3, 30]),
        ];
        let profile = profile(&nodes);
        assert_eq!(
            profile.to_string(),
            "\
operation     count     bytes   forward  backward
tanh              2    3.0 kB    23.0ms    30.0ms
batch_matmul      1     800 B     1.0ms     2.0ms
leaf              1   12.0 MB         -         -
total             4   12.0 MB    24.0ms    32.0ms
"
        );
        let graph = graphviz(&nodes);
        assert!(
            graph.contains("2 [label=\"%2 = tanh\\n[3]\\n1.5 kB\\nforward 20.0ms\\nbackward -\"];")
        );
        assert!(graph.contains("  1 -> 2;\n") && !graph.contains("None"));
    }

    /// Operations that sleep, forward and backward, so that it is known where the time goes.
    struct Slow;

    impl crate::Op<f64, 1> for Slow {
        const NAME: &'static str = "slow";
        type Saved = ();
        fn forward(&self, [x]: [&Tensor<f64>; 1], _: [bool; 1]) -> (Tensor<f64>, ()) {
            std::thread::sleep(Duration::from_millis(4));
            (x.clone(), ())
        }
        fn backward(&self, (): (), dy: Tensor<f64>, _: [bool; 1]) -> [Option<Tensor<f64>>; 1] {
            std::thread::sleep(Duration::from_millis(7));
            [Some(dy)]
        }
    }

    #[test]
    fn times_are_those_of_the_operation() {
        let mut tape = Tape::timed();
        for _ in 0..2 {
            let x = tape.leaf(Tensor::from([1.0, 2.0]));
            let y = crate::apply(Slow, [&x]);
            let z = (y.exp() * 2.0).sin();
            z.backward();
            let nodes = tape.printed();
            let names: Vec<&str> = nodes.iter().map(|node| node.name).collect();
            assert_eq!(names, ["leaf", "slow", "exp", "affine", "sin"]);
            // What was read is still known after the walk back.
            assert_eq!(nodes[4].parents, [Some(3)]);
            let times: Vec<[Duration; 2]> = nodes.iter().map(|node| node.times.unwrap()).collect();
            assert_eq!(times[0], [Duration::ZERO; 2]);
            assert!(times[1] >= [4, 7].map(Duration::from_millis), "{times:?}");
            tape.clear();
            assert!(tape.profile().operations.is_empty());
        }
        let tape = Tape::new();
        let x = tape.leaf(Tensor::from([1.0, 2.0]));
        x.exp().backward();
        assert!(tape.printed().iter().all(|node| node.times.is_none()));
    }
}
