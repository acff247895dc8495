//! What feeds what: a model's layers as nodes, and the order in which Keras has them.

use crate::tensor::Shape;
use std::cmp::Ordering;
use std::collections::HashMap;

/// What a node takes, or a model gives: an input of the model, or one of the outputs of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Input(usize),
    Node { node: usize, output: usize },
}

impl Source {
    /// What a node gives, or the first of it.
    pub(crate) fn first_of(node: usize) -> Source {
        Source::Node { node, output: 0 }
    }

    /// Which of so many inputs or of the nodes it comes from, when the inputs are counted first.
    pub(crate) fn origin(self, inputs: usize) -> usize {
        match self {
            Source::Input(input) => input,
            Source::Node { node, .. } => inputs + node,
        }
    }
}

/// A layer at work in one place. A shared layer has several nodes.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub layer: usize,
    pub inputs: Vec<Source>,
    /// Of one sample. Most layers have one output.
    pub outputs: Vec<Shape>,
    /// Where its first output is kept while the graph runs. The others follow.
    pub place: usize,
    /// Whether the layer runs as in prediction here, in training too: `training=False` of Keras 2.
    pub inference: bool,
}

impl Node {
    /// What a layer says of its first outputs, for all of them: nothing of the others.
    pub(crate) fn one_each<X>(&self, said: Vec<Option<X>>) -> impl Iterator<Item = Option<X>> {
        said.into_iter().chain(std::iter::repeat_with(|| None)).take(self.outputs.len())
    }
}

/// An input of a model.
#[derive(Clone, Debug)]
pub(crate) struct Entrance {
    pub name: String,
    /// Of one sample.
    pub shape: Shape,
}

/// A line of a summary, and an entry of the list of layers in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    Input(usize),
    Layer(usize),
}

/// The nodes of a model, each after those that it needs.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub inputs: Vec<Entrance>,
    pub nodes: Vec<Node>,
    pub outputs: Vec<Source>,
    /// Inputs and layers in Keras's order.
    pub listed: Vec<Listed>,
    /// Whether it was built as a chain: Keras's `Sequential`.
    pub chain: bool,
    /// Whether an output has a mask.
    pub masked: bool,
}

/// Where layers are at work.
pub(super) struct Places {
    /// The nodes of each layer, in order.
    pub of_layer: Vec<Vec<usize>>,
    /// For each node which of its layer's it is.
    pub number: Vec<usize>,
}

impl Graph {
    /// The shape of one sample.
    pub(crate) fn shape(&self, source: Source) -> Shape {
        match source {
            Source::Input(input) => self.inputs[input].shape,
            Source::Node { node, output } => self.nodes[node].outputs[output],
        }
    }

    /// Where a value is kept while the graph runs: the inputs come first.
    pub(crate) fn place(&self, source: Source) -> usize {
        match source {
            Source::Input(input) => input,
            Source::Node { node, output } => self.nodes[node].place + output,
        }
    }

    /// How many values there are: the place of the next one.
    pub(crate) fn places_used(&self) -> usize {
        self.nodes.last().map_or(self.inputs.len(), |node| node.place + node.outputs.len())
    }

    /// The names of the outputs: those of the layers that give them. A second output of one layer gets a number.
    pub(super) fn output_names(&self, layer: impl Fn(usize) -> String) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(self.outputs.len());
        for output in &self.outputs {
            let base = match *output {
                Source::Input(input) => self.inputs[input].name.clone(),
                Source::Node { node, .. } => layer(self.nodes[node].layer),
            };
            let mut candidates = std::iter::once(base.clone())
                .chain((1..).map(|number: usize| format!("{base}_{number}")));
            let free = candidates.find(|name| !names.contains(name));
            names.push(free.expect("numbers do not end"));
        }
        names
    }

    /// The nodes of each layer, in their order, and for each node which of its layer's it is.
    pub(super) fn places(&self) -> Places {
        let layers = self.nodes.iter().map(|node| node.layer + 1).max().unwrap_or(0);
        let (mut of_layer, mut number) = (vec![Vec::new(); layers], Vec::new());
        for (at, node) in self.nodes.iter().enumerate() {
            number.push(of_layer[node.layer].len());
            of_layer[node.layer].push(at);
        }
        Places { of_layer, number }
    }

    /// How often each value is needed, by place.
    pub(super) fn uses(&self) -> Vec<usize> {
        let mut uses = vec![0; self.places_used()];
        let taken = self.nodes.iter().flat_map(|node| &node.inputs);
        taken.chain(&self.outputs).for_each(|&source| uses[self.place(source)] += 1);
        uses
    }

    /// The node that is where a layer works first.
    pub(super) fn first_node(&self, layer: usize) -> usize {
        let found = self.nodes.iter().position(|node| node.layer == layer);
        found.expect("each layer of a model has a node")
    }

    /// What is needed for these values, with the same inputs.
    pub(super) fn up_to(&self, outputs: &[Source]) -> Graph {
        let inputs: Vec<Source> = (0..self.inputs.len()).map(Source::Input).collect();
        let found = self.between(&inputs, self.inputs.clone(), outputs);
        let Ok(found) = found else { unreachable!("a model's values are reached from its inputs") };
        found
    }

    /// What is needed for some values, when others are given: `entrances` describes these.
    ///
    /// # Errors
    /// The first output that needs an input of the model which is not given, and the number of that input.
    pub(super) fn between(
        &self,
        inputs: &[Source],
        entrances: Vec<Entrance>,
        outputs: &[Source],
    ) -> Result<Graph, (Source, usize)> {
        let given: HashMap<Source, usize> = inputs.iter().copied().zip(0..).collect();
        let mut needed = vec![false; self.nodes.len()];
        for &output in outputs {
            let mut left = vec![output];
            while let Some(source) = left.pop() {
                match source {
                    _ if given.contains_key(&source) => {}
                    Source::Input(input) => return Err((output, input)),
                    Source::Node { node, .. } if needed[node] => {}
                    Source::Node { node, .. } => {
                        needed[node] = true;
                        left.extend(&self.nodes[node].inputs);
                    }
                }
            }
        }
        // How many are kept before each node: its number among them.
        let mut numbers = Vec::with_capacity(needed.len());
        let mut count = 0;
        for needed in &needed {
            numbers.push(count);
            count += usize::from(*needed);
        }
        let renumbered = |source: &Source| match (given.get(source), *source) {
            (Some(&input), _) => Source::Input(input),
            (None, Source::Node { node, output }) => Source::Node { node: numbers[node], output },
            (None, input) => input,
        };
        let kept = self.nodes.iter().zip(&needed).filter(|(_, needed)| **needed);
        let (mut nodes, mut place) = (Vec::new(), entrances.len());
        for (node, _) in kept {
            let inputs = node.inputs.iter().map(renumbered).collect();
            nodes.push(Node { inputs, place, ..node.clone() });
            place += node.outputs.len();
        }
        Ok(Graph {
            inputs: entrances,
            nodes,
            outputs: outputs.iter().map(renumbered).collect(),
            ..self.clone()
        })
    }
}

/// Nodes in Keras's order: the numbers of the nodes that some output needs, each after those that it needs, and of
/// inputs and layers as they are listed.
pub(super) struct Order {
    pub nodes: Vec<usize>,
    pub listed: Vec<Listed>,
}

/// The order of `keras.Model`: by the longest way to an output, and where that is the same, as they are met on the way
/// back from the outputs. `nodes` are layers with what they take.
///
/// # Errors
/// The number of a node that needs itself.
pub(super) fn order(
    inputs: usize,
    layers: usize,
    nodes: &[(usize, Vec<Source>)],
    outputs: &[Source],
) -> Result<Order, usize> {
    // As in Keras, inputs are nodes as well; they come first here.
    let place = |source: Source| source.origin(inputs);
    let owner = |at: usize| if at < inputs { at } else { inputs + nodes[at - inputs].0 };
    let taken = |at: usize| if at < inputs { &[][..] } else { &nodes[at - inputs].1[..] };

    const NEW: u8 = 0;
    const BEGUN: u8 = 1;
    const DONE: u8 = 2;
    let mut state = vec![NEW; inputs + nodes.len()];
    let mut met = vec![usize::MAX; inputs + layers];
    let (mut count, mut finished) = (0, Vec::new());
    for &output in outputs {
        // Without recursion: a file may be deep.
        let mut stack = vec![(place(output), 0)];
        while let Some((at, next)) = stack.pop() {
            if next == 0 {
                match state[at] {
                    DONE => continue,
                    BEGUN => return Err(at - inputs),
                    _ => state[at] = BEGUN,
                }
                if met[owner(at)] == usize::MAX {
                    met[owner(at)] = count;
                    count += 1;
                }
            }
            match taken(at).get(next) {
                Some(&source) => {
                    stack.push((at, next + 1));
                    // A node that is begun is not entered again, but is a circle.
                    match state[place(source)] {
                        BEGUN => return Err(at - inputs),
                        DONE => {}
                        _ => stack.push((place(source), 0)),
                    }
                }
                None => {
                    state[at] = DONE;
                    finished.push(at);
                }
            }
        }
    }
    let mut depths = vec![0; inputs + nodes.len()];
    let mut owners = vec![0; inputs + layers];
    for &at in finished.iter().rev() {
        let depth = depths[at].max(owners[owner(at)]);
        (depths[at], owners[owner(at)]) = (depth, depth);
        for &source in taken(at) {
            let before = &mut depths[place(source)];
            *before = (*before).max(depth + 1);
        }
    }
    // An input that nothing needs is one all the same, before all others that are as close to an output.
    let known = |&it: &usize| it < inputs || met[it] != usize::MAX;
    let mut listed: Vec<usize> = (0..inputs + layers).filter(known).collect();
    let met_at = |it: usize| met[it].wrapping_add(1);
    sort(&mut listed, &|a, b| owners[b].cmp(&owners[a]).then(met_at(a).cmp(&met_at(b))));
    let mut ordered: Vec<usize> = finished.into_iter().filter(|&at| at >= inputs).collect();
    sort(&mut ordered, &|a, b| depths[b].cmp(&depths[a]).then(met[owner(a)].cmp(&met[owner(b)])));
    let listing =
        |it: usize| if it < inputs { Listed::Input(it) } else { Listed::Layer(it - inputs) };
    Ok(Order {
        nodes: ordered.into_iter().map(|at| at - inputs).collect(),
        listed: listed.into_iter().map(listing).collect(),
    })
}

/// Sorts numbers of things in a stable way. It compares them through a pointer, so that sorting is compiled once.
pub(super) fn sort(numbers: &mut [usize], order: &dyn Fn(usize, usize) -> Ordering) {
    numbers.sort_by(|&a, &b| order(a, b));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_way_decides() {
        // x -> 0 -> 1 -> add (3), x -> 2 -> add
        let x = Source::Input(0);
        let nodes = [
            (0, vec![x]),
            (1, vec![Source::first_of(0)]),
            (2, vec![x]),
            (3, vec![Source::first_of(1), Source::first_of(2)]),
        ];
        let order = order(1, 4, &nodes, &[Source::first_of(3)]).ok().unwrap();
        assert_eq!(order.nodes, [0, 1, 2, 3]);
        let layers = [0, 1, 2, 3].map(Listed::Layer);
        assert_eq!(order.listed, [&[Listed::Input(0)][..], &layers].concat());
    }

    /// As Keras lists it.
    #[test]
    fn an_input_that_nothing_needs() {
        let node = (0, vec![Source::Input(1)]);
        let order = order(2, 1, &[node], &[Source::first_of(0)]).ok().unwrap();
        assert_eq!(order.listed, [Listed::Input(1), Listed::Input(0), Listed::Layer(0)]);
    }

    #[test]
    fn a_circle_is_found() {
        let nodes = [(0, vec![Source::first_of(1)]), (1, vec![Source::first_of(0)])];
        assert!(order(0, 2, &nodes, &[Source::first_of(1)]).is_err());
        assert!(order(0, 1, &[(0, vec![Source::first_of(0)])], &[Source::first_of(0)]).is_err());
    }

    #[test]
    fn depth_needs_no_stack() {
        let before = |i: usize| if i == 0 { Source::Input(0) } else { Source::first_of(i - 1) };
        let nodes: Vec<(usize, Vec<Source>)> = (0..100_000).map(|i| (i, vec![before(i)])).collect();
        let order = order(1, nodes.len(), &nodes, &[Source::first_of(99_999)]).ok().unwrap();
        assert!(order.nodes.into_iter().eq(0..100_000));
    }
}
