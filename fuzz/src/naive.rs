//! Arrays that copy: what views mean, index by index.

/// Values in row-major order.
#[derive(Clone, Debug)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Array {
    /// 0, 1, 2 and so on.
    pub fn counting(shape: &[usize]) -> Self {
        let count = shape.iter().product::<usize>();
        Array { shape: shape.to_vec(), values: (0..count).map(|i| i as f32).collect() }
    }

    /// The value at an index.
    fn at(&self, index: &[usize]) -> f32 {
        let place = index.iter().zip(&self.shape).fold(0, |place, (&i, &dim)| {
            assert!(i < dim);
            place * dim + i
        });
        self.values[place]
    }

    /// An array of this shape, whose value at an index is that of `self` at another.
    fn gather(&self, shape: Vec<usize>, from: impl Fn(&[usize]) -> Vec<usize>) -> Array {
        let count = shape.iter().product::<usize>();
        let value = |mut place: usize| {
            let mut index = vec![0; shape.len()];
            for (i, &dim) in index.iter_mut().zip(&shape).rev() {
                (*i, place) = (place % dim, place / dim);
            }
            self.at(&from(&index))
        };
        let values = (0..count).map(value).collect();
        Array { shape, values }
    }

    fn with(index: &[usize], axis: usize, i: usize) -> Vec<usize> {
        let mut index = index.to_vec();
        index[axis] = i;
        index
    }

    pub fn slice(&self, axis: usize, from: usize, to: usize) -> Array {
        let shape = Self::with(&self.shape, axis, to - from);
        self.gather(shape, |index| Self::with(index, axis, from + index[axis]))
    }

    pub fn step(&self, axis: usize, step: usize) -> Array {
        let kept: Vec<usize> = (0..self.shape[axis]).filter(|i| i % step == 0).collect();
        let shape = Self::with(&self.shape, axis, kept.len());
        self.gather(shape, |index| Self::with(index, axis, kept[index[axis]]))
    }

    pub fn flip(&self, axis: usize) -> Array {
        let last = self.shape[axis].saturating_sub(1);
        self.gather(self.shape.clone(), |index| Self::with(index, axis, last - index[axis]))
    }

    pub fn flip_all(&self) -> Array {
        let values = self.values.iter().rev().copied().collect();
        Array { shape: self.shape.clone(), values }
    }

    pub fn permute(&self, order: &[usize]) -> Array {
        let shape = order.iter().map(|&axis| self.shape[axis]).collect();
        self.gather(shape, |index| {
            let mut from = vec![0; index.len()];
            order.iter().zip(index).for_each(|(&axis, &i)| from[axis] = i);
            from
        })
    }

    pub fn reshape(&self, shape: &[usize]) -> Array {
        Array { shape: shape.to_vec(), values: self.values.clone() }
    }

    pub fn broadcast_to(&self, shape: &[usize]) -> Array {
        let added = shape.len() - self.shape.len();
        self.gather(shape.to_vec(), |index| {
            let own = index[added..].iter().zip(&self.shape);
            own.map(|(&i, &dim)| if dim == 1 { 0 } else { i }).collect()
        })
    }

    pub fn take(&self, rows: &[usize]) -> Array {
        let shape = Self::with(&self.shape, 0, rows.len());
        self.gather(shape, |index| Self::with(index, 0, rows[index[0]]))
    }

    pub fn windows(&self, size: [usize; 2], strides: [usize; 2]) -> Array {
        let [n, h, w, c] = self.shape[..] else { panic!("four axes") };
        let places = |len: usize, size: usize, stride: usize| {
            (0..len).step_by(stride).filter(|start| start + size <= len).collect::<Vec<_>>()
        };
        let (rows, columns) = (places(h, size[0], strides[0]), places(w, size[1], strides[1]));
        let shape = vec![n, rows.len(), columns.len(), size[0], size[1], c];
        self.gather(shape, |at| vec![at[0], rows[at[1]] + at[3], columns[at[2]] + at[4], at[5]])
    }

    /// All values along an axis, for each index of the others.
    fn lanes(&self, axis: usize) -> Vec<Vec<f32>> {
        let mut order: Vec<usize> = (0..self.shape.len()).filter(|&other| other != axis).collect();
        order.push(axis);
        let last = self.permute(&order);
        let lanes = self.shape.iter().enumerate().filter(|(other, _)| *other != axis);
        let count = lanes.map(|(_, &dim)| dim).product::<usize>();
        let len = self.shape[axis];
        (0..count).map(|lane| last.values[lane * len..][..len].to_vec()).collect()
    }

    pub fn fold(&self, axis: usize, first: f32, f: impl Fn(f32, f32) -> f32) -> Array {
        let mut shape = self.shape.clone();
        shape.remove(axis);
        let lanes = self.lanes(axis);
        let values = lanes.iter().map(|lane| lane.iter().copied().fold(first, &f)).collect();
        Array { shape, values }
    }

    /// The first place of the largest value.
    pub fn argmax(&self, axis: usize) -> Vec<f32> {
        let winner = |lane: &Vec<f32>| {
            let largest = lane.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            lane.iter().position(|&x| x == largest).expect("a largest value") as f32
        };
        self.lanes(axis).iter().map(winner).collect()
    }

    pub fn zip(&self, other: &Array) -> Array {
        assert_eq!(self.shape, other.shape);
        let values = self.values.iter().zip(&other.values).map(|(a, b)| a + b).collect();
        Array { shape: self.shape.clone(), values }
    }
}
