//! The rows of a graph.

/// Boxes in rows, so that all arrows go from a row to the next one. An arrow that passes rows has a joint in each of them; all
/// arrows of a box share their joints, as they carry the same value.
pub(super) struct Rows {
    /// From the left to the right: boxes by their numbers, joints by numbers after those.
    pub rows: Vec<Vec<usize>>,
    /// The row of each box and joint.
    pub row: Vec<usize>,
    /// Neighbours in the row above and in the row below.
    pub up: Vec<Vec<usize>>,
    pub down: Vec<Vec<usize>>,
    /// 0 for a joint.
    pub widths: Vec<f64>,
    /// The box itself, or the one whose arrows have the joint.
    pub source: Vec<usize>,
    boxes: usize,
}

impl Rows {
    pub fn new(widths: &[f64], arrows: &[[usize; 2]]) -> Self {
        let boxes = widths.len();
        let mut arrows = arrows.to_vec();
        arrows.sort_unstable();
        arrows.dedup();
        let row = by_depth(boxes, &arrows);
        let count = row.iter().map(|row| row + 1).max().unwrap_or(0);
        let mut rows = Rows {
            rows: vec![Vec::new(); count],
            row,
            up: vec![Vec::new(); boxes],
            down: vec![Vec::new(); boxes],
            widths: widths.to_vec(),
            source: (0..boxes).collect(),
            boxes,
        };
        for arrows in arrows.chunk_by(|a, b| a[0] == b[0]) {
            let from = arrows[0][0];
            let mut targets: Vec<usize> = arrows.iter().map(|arrow| arrow[1]).collect();
            targets.sort_by_key(|&to| rows.row[to]);
            let mut last = from;
            for to in targets {
                while rows.row[last] + 1 < rows.row[to] {
                    last = rows.joint(last);
                }
                rows.connect(last, to);
            }
        }
        for (v, &row) in rows.row.iter().enumerate() {
            rows.rows[row].push(v);
        }
        rows
    }

    pub fn is_box(&self, v: usize) -> bool {
        v < self.boxes
    }

    fn connect(&mut self, from: usize, to: usize) {
        self.down[from].push(to);
        self.up[to].push(from);
    }

    /// A joint below a box or another joint.
    fn joint(&mut self, above: usize) -> usize {
        let joint = self.row.len();
        self.row.push(self.row[above] + 1);
        self.up.push(Vec::new());
        self.down.push(Vec::new());
        self.widths.push(0.0);
        self.source.push(self.source[above]);
        self.connect(above, joint);
        joint
    }

    /// The ways to all boxes that arrows go to. Of the ways that share joints, one has them all; the others begin at the joint where
    /// they leave it.
    pub fn ways(&self) -> impl Iterator<Item = Vec<usize>> {
        let ends = (0..self.row.len()).flat_map(|v| self.down[v].iter().map(move |&w| [v, w]));
        ends.filter(|&[_, to]| self.is_box(to)).map(|[from, to]| {
            let mut way = vec![to, from];
            // Below the last joint are boxes alone.
            let is_last = self.down[from].iter().all(|&w| self.is_box(w));
            if is_last && self.down[from][0] == to {
                let mut at = from;
                while !self.is_box(at) {
                    at = self.up[at][0];
                    way.push(at);
                }
            }
            way.reverse();
            way
        })
    }
}

/// The row of each box: below all boxes that lead to it. What gives more than it takes goes down to where it is needed.
fn by_depth(boxes: usize, arrows: &[[usize; 2]]) -> Vec<usize> {
    let mut row = vec![0; boxes];
    // Sorted by their beginnings, which are before their ends.
    for &[from, to] in arrows {
        row[to] = row[to].max(row[from] + 1);
    }
    let mut takes = vec![0; boxes];
    arrows.iter().for_each(|&[_, to]| takes[to] += 1);
    for arrows in arrows.chunk_by(|a, b| a[0] == b[0]).rev() {
        let from = arrows[0][0];
        let next = arrows.iter().map(|&[_, to]| row[to]).min();
        if let Some(next) = next.filter(|_| arrows.len() > takes[from]) {
            row[from] = next - 1;
        }
    }
    row
}
