//! Element by element, in every pair of memory orders.

use super::super::Tensor;
use super::super::testing::{Draw, LAYOUTS, laid_out, read};
use super::{DIMS, each_layout, moved};

#[test]
fn maps_keep_a_dense_order() {
    each_layout(|dims, values, x| {
        let expected: Vec<f64> = values.iter().map(|x| 2.0 * x + 1.0).collect();
        let y = x.map(|x| 2.0 * x + 1.0);
        assert_eq!((read(&y), y.shape()), (expected.clone(), x.shape()));
        assert_eq!(read(&x.clone().into_map(|x| 2.0 * x + 1.0)), expected);
        assert_eq!(read(x), values, "a map that wrote to what is shared");
        let copy = laid_out(dims, values, 1);
        let mapped = copy.clone().map(|x| x - 1.0);
        assert_eq!(copy.strides(), mapped.strides());
        assert_eq!(read(&copy.into_map(|x| x - 1.0)), read(&mapped));
        // What lies in the gaps is not seen.
        assert!(x.is_finite());
        let whole = |x: f64| if x == values[values.len() / 2] { f64::NAN } else { x };
        assert_eq!(x.map(whole).is_finite(), values.is_empty());
        let mut written = x.clone();
        written.as_mut_slice().fill(7.0);
        assert_eq!((read(&written), read(x)), (vec![7.0; values.len()], values.to_vec()));
    });
}

#[test]
fn pairs_of_any_two_orders() {
    for dims in DIMS {
        let mut draw = Draw::new(2);
        let len = dims.iter().product();
        let (a, b) = (draw.whole::<f64>(len, 99), draw.whole::<f64>(len, 99));
        let row = draw.whole::<f64>(dims[2], 99);
        let expected: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - 2.0 * b).collect();
        let repeated = moved(&row, [1, 1, dims[2]], dims, |[_, _, k]| [0, 0, k]);
        let added: Vec<f64> = a.iter().zip(&repeated).map(|(a, b)| a + b).collect();
        for (i, j) in (0..LAYOUTS).flat_map(|i| (0..LAYOUTS).map(move |j| (i, j))) {
            let (x, y) = (laid_out(dims, &a, i), laid_out(dims, &b, j));
            assert_eq!(read(&x.zip_with(&y, |a, b| a - 2.0 * b)), expected);
            let shared = x.clone();
            assert_eq!(read(&shared.into_zip_with(&y, |a, b| a - 2.0 * b)), expected);
            assert_eq!((read(&x), read(&y)), (a.clone(), b.clone()));
            assert_eq!(x == y, a == b);
            let bias = Tensor::new([dims[2]], &row[..]);
            assert_eq!(read(&(&x + &bias)), added);
            assert_eq!(read(&(&bias + &x)), added);
            assert_eq!(read(&x.into_zip_with(&y, |a, b| a - 2.0 * b)), expected);
        }
    }
}

#[test]
fn what_is_close_is_so_by_its_size_or_as_it_is() {
    let close = |a: f64, b: f64, relative, absolute| {
        Tensor::from([2.0, a]).all_close(&Tensor::from([2.0, b]), relative, absolute)
    };
    assert!(close(100.0, 101.0, 0.01, 0.0) && !close(100.0, 101.1, 0.01, 0.0));
    assert!(close(0.0, 0.5, 0.0, 0.5) && !close(0.0, 0.51, 0.0, 0.5));
    assert!(close(100.0, 101.5, 0.01, 0.5) && !close(100.0, 101.6, 0.01, 0.5));
    assert!(close(f64::INFINITY, f64::INFINITY, 0.0, 0.0) && !close(f64::NAN, f64::NAN, 1.0, 1.0));
    assert!(!Tensor::from([1.0]).all_close(&Tensor::from([[1.0]]), 1.0, 1.0));
}
