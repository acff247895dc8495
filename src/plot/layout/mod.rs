//! Where the boxes of a graph stand and how the lines between them run: layer by layer, downwards.
//!
//! This is Sugiyama's way. `rows` gives every box a row by its longest way from the top, and lets a line that passes rows stand in
//! each of them; `order` sorts each row so that few lines cross; `columns` finds how far to the right everything stands.

mod columns;
mod order;
mod rows;

use rows::Rows;
use std::collections::HashMap;

/// Boxes and lines in points from the top left.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub size: [f64; 2],
    /// The top left of each box.
    pub places: Vec<[f64; 2]>,
    pub lines: Vec<Line>,
}

/// A line from the bottom of a box, or from another line of that box, to the top of a box.
#[derive(Clone, Debug)]
pub(super) struct Line {
    #[cfg(test)]
    pub ends: [usize; 2],
    pub points: Vec<[f64; 2]>,
}

/// Between two rows: at least this, and more where a line goes far to the side.
const GAP: f64 = 34.0;
const MORE: f64 = 40.0;
/// The part of a gap right above a row, in which lines run straight down: it has room for the head of an arrow.
const STEM: f64 = 12.0;
/// Between lines that arrive at one box, and from its corners.
const PORT: f64 = 14.0;
const CORNER: f64 = 8.0;
/// Pieces of a bend.
const PIECES: usize = 24;

/// Lays out boxes of these sizes. An arrow goes from a box to one with a larger number; one that is given twice counts once.
pub(super) fn layout(sizes: &[[f64; 2]], arrows: &[[usize; 2]]) -> Layout {
    let widths: Vec<f64> = sizes.iter().map(|size| size[0]).collect();
    let mut rows = Rows::new(&widths, arrows);
    order::sort(&mut rows);
    let mut xs = columns::place(&rows);
    let half = |v: usize| rows.widths[v] / 2.0;
    let left = (0..xs.len()).map(|v| xs[v] - half(v)).fold(f64::INFINITY, f64::min);
    xs.iter_mut().for_each(|x| *x -= left);
    let width = (0..xs.len()).map(|v| xs[v] + half(v)).fold(0.0, f64::max);

    let ports = ports(&rows, &xs);
    let spans = spans(sizes, &rows, &xs);
    let height = spans.last().map_or(0.0, |span| span[1]);
    // Boxes stand in the middle of their rows.
    let place = |v: usize| {
        let ([top, bottom], [width, height]) = (spans[rows.row[v]], sizes[v]);
        [xs[v] - width / 2.0, top + (bottom - top - height) / 2.0]
    };
    let route = |way: &[usize]| {
        let first = way[0];
        let start = if rows.is_box(first) {
            place(first)[1] + sizes[first][1]
        } else {
            spans[rows.row[first]][1]
        };
        let mut points = vec![[xs[first], start]];
        for pair in way.windows(2) {
            let (from, to) = (spans[rows.row[pair[0]]], spans[rows.row[pair[1]]]);
            let x = ports[&(pair[0], pair[1])];
            bend(&mut points, [xs[pair[0]], from[1]], [x, to[0] - STEM]);
            let end = if rows.is_box(pair[1]) { place(pair[1])[1] } else { to[1] };
            go(&mut points, [x, end]);
        }
        points
    };
    let lines = rows.ways().map(|way| Line {
        #[cfg(test)]
        ends: [rows.source[way[0]], way[way.len() - 1]],
        points: route(&way),
    });
    Layout {
        lines: lines.collect(),
        size: [width, height],
        places: (0..sizes.len()).map(place).collect(),
    }
}

/// The top and the bottom of each row.
fn spans(sizes: &[[f64; 2]], rows: &Rows, xs: &[f64]) -> Vec<[f64; 2]> {
    let mut spans = Vec::with_capacity(rows.rows.len());
    let mut y = 0.0;
    for row in &rows.rows {
        let boxes = row.iter().filter(|&&v| rows.is_box(v));
        let height = boxes.map(|&v| sizes[v][1]).fold(0.0, f64::max);
        spans.push([y, y + height]);
        let aside = |v: usize| rows.down[v].iter().map(move |&w| (xs[w] - xs[v]).abs());
        let far = row.iter().flat_map(|&v| aside(v)).fold(0.0, f64::max);
        y += height + GAP + (far / 12.0).min(MORE);
    }
    spans
}

/// Where the line between two neighbours arrives. At a box, a line from straight above arrives in the middle, and the others at
/// its sides, in their order.
fn ports(rows: &Rows, xs: &[f64]) -> HashMap<(usize, usize), f64> {
    let mut ports = HashMap::new();
    for (v, &x) in xs.iter().enumerate() {
        let mut above = rows.up[v].clone();
        above.sort_by(|&a, &b| xs[a].total_cmp(&xs[b]));
        let straight = above.iter().position(|&u| (xs[u] - x).abs() < 0.5);
        let last = above.len().saturating_sub(1) as f64;
        let middle = straight.map_or(last / 2.0, |at| at as f64);
        let most = middle.max(last - middle).max(1.0);
        let step = PORT.min((rows.widths[v] / 2.0 - CORNER).max(0.0) / most);
        for (i, &u) in above.iter().enumerate() {
            ports.insert((u, v), x + (i as f64 - middle) * step);
        }
    }
    ports
}

/// A line goes on to a point; straight on, it needs no corner.
fn go(points: &mut Vec<[f64; 2]>, to: [f64; 2]) {
    match points[..] {
        [.., last] if last == to => return,
        [.., [x, _], last] if x == last[0] && x == to[0] => drop(points.pop()),
        _ => {}
    }
    points.push(to);
}

/// Down to a point at another place: a curve that begins and ends upright.
fn bend(points: &mut Vec<[f64; 2]>, from: [f64; 2], to: [f64; 2]) {
    go(points, from);
    if from[0] == to[0] {
        return go(points, to);
    }
    for piece in 1..=PIECES {
        let smooth = |t: f64| t * t * (3.0 - 2.0 * t);
        // A cubic curve whose inner points are both half way down, in smaller pieces where it turns.
        let t = smooth(piece as f64 / PIECES as f64);
        let (side, down) = (smooth(t), t * (1.5 - 1.5 * t + t * t));
        let at = |share: f64, i: usize| from[i] + share * (to[i] - from[i]);
        go(points, if piece == PIECES { to } else { [at(side, 0), at(down, 1)] });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A graph in the making: boxes of several sizes, and what each takes.
    #[derive(Default)]
    struct Graph {
        sizes: Vec<[f64; 2]>,
        arrows: Vec<[usize; 2]>,
    }

    impl Graph {
        fn add(&mut self, from: &[usize]) -> usize {
            let number = self.sizes.len();
            let more = (number * 7 % 5) as f64;
            self.sizes.push([200.0 + 30.0 * more, 50.0 + 15.0 * from.len() as f64]);
            self.arrows.extend(from.iter().map(|&from| [from, number]));
            number
        }

        fn chain(&mut self, from: usize, length: usize) -> usize {
            (0..length).fold(from, |last, _| self.add(&[last]))
        }

        /// Lays it out, and checks what holds for every graph.
        fn laid_out(&self) -> Layout {
            let layout = layout(&self.sizes, &self.arrows);
            let Layout { size, places, lines } = &layout;
            let boxes: Vec<[f64; 4]> = places
                .iter()
                .zip(&self.sizes)
                .map(|([x, y], [width, height])| [*x, *y, x + width, y + height])
                .collect();
            for (i, [left, top, right, bottom]) in boxes.iter().enumerate() {
                assert!(*left >= -1e-9 && *right <= size[0] + 1e-9, "box {i} of {boxes:?}");
                assert!(*top >= -1e-9 && *bottom <= size[1] + 1e-9, "box {i} of {boxes:?}");
                for (j, other) in boxes[..i].iter().enumerate() {
                    let beside = other[2] + 10.0 <= *left || right + 10.0 <= other[0];
                    let below = other[3] + 10.0 <= *top || bottom + 10.0 <= other[1];
                    assert!(beside || below, "boxes {j} and {i} of {boxes:?}");
                }
            }
            let mut ends: Vec<[usize; 2]> = lines.iter().map(|line| line.ends).collect();
            let mut arrows = self.arrows.clone();
            ends.sort_unstable();
            arrows.sort_unstable();
            arrows.dedup();
            assert_eq!(ends, arrows);
            for line in lines {
                let ([from, to], points) = (line.ends.map(|end| boxes[end]), &line.points);
                let (first, last) = (points[0], points[points.len() - 1]);
                assert!(points.windows(2).all(|pair| pair[0][1] < pair[1][1]), "{line:?} goes up");
                assert!(last[1] == to[1] && to[0] < last[0] && last[0] < to[2], "{line:?}: {to:?}");
                let middle = (from[0] + from[2]) / 2.0;
                let at_box = (first[0] - middle).abs() < 1e-9 && first[1] == from[3];
                let on = |other: &Line| {
                    let upright = other.points.windows(2).any(|pair| {
                        pair[0][0] == first[0]
                            && pair[1][0] == first[0]
                            && (pair[0][1]..=pair[1][1]).contains(&first[1])
                    });
                    other.ends[0] == line.ends[0] && upright
                };
                let branches = lines.iter().any(|it| it.ends != line.ends && on(it));
                assert!(at_box || branches, "{line:?} begins nowhere");
                for (i, a_box) in boxes.iter().enumerate() {
                    let hit = points.windows(2).any(|pair| enters([pair[0], pair[1]], *a_box));
                    assert!(!hit, "{line:?} runs through box {i}: {a_box:?}");
                }
            }
            layout
        }

        fn middle(&self, layout: &Layout, number: usize) -> f64 {
            layout.places[number][0] + self.sizes[number][0] / 2.0
        }

        /// Whether these boxes stand straight below each other.
        fn is_straight(&self, layout: &Layout, boxes: &[usize]) -> bool {
            let middles = boxes.iter().map(|&it| self.middle(layout, it));
            middles.clone().all(|x| (x - self.middle(layout, boxes[0])).abs() < 1e-9)
        }
    }

    /// Whether a piece of a line has a part inside a box, its border aside.
    fn enters([from, to]: [[f64; 2]; 2], [left, top, right, bottom]: [f64; 4]) -> bool {
        let (mut begin, mut end) = (0.0_f64, 1.0_f64);
        for (axis, low, high) in [(0, left + 0.01, right - 0.01), (1, top + 0.01, bottom - 0.01)] {
            let (start, way) = (from[axis], to[axis] - from[axis]);
            if way == 0.0 {
                if start < low || start > high {
                    return false;
                }
                continue;
            }
            let (a, b) = ((low - start) / way, (high - start) / way);
            (begin, end) = (begin.max(a.min(b)), end.min(a.max(b)));
        }
        begin < end
    }

    #[test]
    fn a_line_that_enters_a_box_is_noticed() {
        let a_box = [0.0, 0.0, 10.0, 10.0];
        assert!(enters([[-5.0, 5.0], [5.0, 6.0]], a_box));
        assert!(enters([[5.0, -5.0], [5.0, 15.0]], a_box));
        assert!(!enters([[5.0, -5.0], [5.0, 0.0]], a_box));
        assert!(!enters([[-5.0, 0.0], [-1.0, 20.0]], a_box));
        assert!(!enters([[-5.0, 8.0], [8.0, 21.5]], a_box));
    }

    #[test]
    fn nothing_and_one() {
        assert_eq!(layout(&[], &[]).size, [0.0, 0.0]);
        let mut graph = Graph::default();
        graph.add(&[]);
        let layout = graph.laid_out();
        assert_eq!((layout.size, layout.places), (graph.sizes[0], vec![[0.0, 0.0]]));
        assert!(layout.lines.is_empty());
    }

    #[test]
    fn a_chain_is_straight() {
        for length in [1, 2, 100, 2000] {
            let mut graph = Graph::default();
            let first = graph.add(&[]);
            graph.chain(first, length);
            let layout =
                if length > 100 { layout(&graph.sizes, &graph.arrows) } else { graph.laid_out() };
            assert!(graph.is_straight(&layout, &(0..=length).collect::<Vec<_>>()));
            assert!(layout.lines.iter().all(|line| line.points.len() == 2));
            assert!(layout.places.is_sorted_by(|a, b| a[1] < b[1]));
        }
    }

    #[test]
    fn a_residual_network_has_a_straight_main_line() {
        let mut graph = Graph::default();
        let mut x = graph.add(&[]);
        let mut main = vec![x];
        for block in 0..16 {
            let y = graph.chain(x, 8);
            // Every fourth block changes the number of channels.
            let skipped = if block % 4 == 0 { graph.chain(x, 2) } else { x };
            main.extend(x + 1..=y);
            x = graph.add(&[skipped, y]);
            main.push(x);
        }
        let layout = graph.laid_out();
        assert!(graph.sizes.len() > 150 && graph.is_straight(&layout, &main));
    }

    #[test]
    fn the_way_back_of_a_u_net_stands_below_the_way_there() {
        let mut graph = Graph::default();
        let (mut x, mut skipped) = (graph.add(&[]), Vec::new());
        for _ in 0..4 {
            x = graph.chain(x, 2);
            skipped.push(x);
            x = graph.chain(x, 1);
        }
        while let Some(before) = skipped.pop() {
            let up = graph.chain(x, 1);
            let both = graph.add(&[up, before]);
            x = graph.chain(both, 2);
        }
        let layout = graph.laid_out();
        assert!(graph.is_straight(&layout, &(0..=x).collect::<Vec<_>>()));
    }

    #[test]
    fn ways_of_several_lengths_join() {
        let mut graph = Graph::default();
        let x = graph.add(&[]);
        let ways = [1, 2, 3, 2].map(|length| graph.chain(x, length));
        let joined = graph.add(&ways);
        let layout = graph.laid_out();
        // The longest way is straight.
        assert!(graph.is_straight(&layout, &[x, ways[2], joined]));
        // They arrive in the order in which they stand, apart from each other.
        let mut arrivals: Vec<[f64; 2]> = Vec::new();
        for line in layout.lines.iter().filter(|line| line.ends[1] == joined) {
            arrivals.push([line.points[0][0], line.points[line.points.len() - 1][0]]);
        }
        arrivals.sort_by(|a, b| a[0].total_cmp(&b[0]));
        assert!(arrivals.len() == 4 && arrivals.is_sorted_by(|a, b| a[1] + 5.0 < b[1]));
    }

    #[test]
    fn an_input_stands_above_what_needs_it() {
        let mut graph = Graph::default();
        let first = graph.add(&[]);
        let last = graph.chain(first, 5);
        let late = graph.add(&[]);
        let both = graph.add(&[last, late]);
        let layout = graph.laid_out();
        let bottom = |number: usize| layout.places[number][1] + graph.sizes[number][1];
        assert!(layout.places[late][1] > bottom(last - 1));
        assert!(layout.places[both][1] > bottom(late));
    }

    #[test]
    fn graphs_of_any_kind() {
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as usize % below
        };
        for round in 0..60 {
            let mut graph = Graph::default();
            for number in 0..2 + round {
                let takes = if number == 0 { 0 } else { random(4) };
                let from: Vec<usize> =
                    (0..takes).map(|_| number - 1 - random(number.min(1 + round / 4))).collect();
                graph.add(&from);
            }
            graph.laid_out();
        }
    }

    #[test]
    fn all_boxes_feed_all_later_ones() {
        let mut graph = Graph::default();
        let mut all = Vec::new();
        for _ in 0..20 {
            let next = graph.add(&all);
            all.push(next);
        }
        let layout = graph.laid_out();
        // Arrows share lines: a line of its own for each would have some hundred corners.
        let points: usize = layout.lines.iter().map(|line| line.points.len()).sum();
        assert!(points < 35 * layout.lines.len(), "{points}");
    }
}
