//! Every number that the lecture prints and that does not depend on chance, in the lecture's order.

mod lenet;

use cinta::filters;
use cinta::prelude::*;

fn close(x: &Tensor, expected: &Tensor) {
    assert!(x.all_close(expected, 1e-5, 1e-5), "{x}\n{expected}");
}

// 9.1, one dimension

#[test]
fn the_moving_average_of_bjsales() {
    let average = filters::moving_average(&datasets::bjsales(), 5);
    assert_eq!(average.shape(), [150]);
    let missing: Vec<usize> = (0..150).filter(|&t| average.at([t]).is_nan()).collect();
    assert_eq!(missing, [0, 1, 148, 149]);
    // (200.1 + 199.5 + 199.4 + 198.9 + 199.0) / 5, and the four that follow, by hand
    let first = Tensor::from([199.38, 199.4, 199.22, 199.34, 199.62]);
    close(&average.slice(0, 2..7), &first);
    // The lecture's formula: the sum of x_s f_{s - t}, with f = 1/5 (.., 0, 1, 1, 1, 1, 1, 0, ..).
    let filter = Tensor::full([5], 0.2);
    close(&average.slice(0, 2..148), &filters::correlate(&datasets::bjsales(), &filter, Valid));
}

#[test]
fn the_first_differences() {
    let average = filters::moving_average(&datasets::bjsales(), 5);
    let differences = filters::differences(&average);
    // "Removed 5 rows containing missing values"
    assert_eq!(differences.iter().filter(|x| x.is_nan()).count(), 5);
    let expected = Tensor::from([0.02, -0.18, 0.12, 0.28]);
    assert!(differences.slice(0, 3..7).all_close(&expected, 0.0, 1e-4));
    // What is the filter? f_{-1} = -1, f_0 = 1.
    let filter = Tensor::from([-1.0, 1.0]);
    close(
        &filters::correlate(&average.slice(0, 2..148), &filter, Valid),
        &differences.slice(0, 3..148),
    );
}

// 9.1, two dimensions

#[test]
fn the_filters_as_matrices() {
    let blur: Tensor = filters::blur(3);
    assert_eq!(format!("{:.7}", blur.at([0, 0])), "0.1111111");
    assert_eq!(blur, Tensor::full([3, 3], 1.0 / 9.0));
    let edge = Tensor::from([[-1.0, -1.0, -1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]);
    assert_eq!(filters::edge(), edge);
    let filtro_diag_1 = Tensor::from([
        [-1.0, -1.0, -1.0, 1.0, 2.0],
        [-1.0, -1.0, 1.0, 2.0, 1.0],
        [-1.0, 1.0, 2.0, 1.0, -1.0],
        [1.0, 2.0, 1.0, -1.0, -1.0],
        [2.0, 1.0, -1.0, -1.0, -1.0],
    ]);
    assert_eq!(filters::rising_diagonal(), filtro_diag_1);
    assert_eq!(filters::falling_diagonal(), filtro_diag_1.flip(1));
}

#[test]
fn blur_and_edge_by_hand() {
    let picture = Tensor::from([
        [0.0, 0.0, 0.0, 9.0],
        [0.0, 9.0, 0.0, 0.0],
        [9.0, 9.0, 9.0, 9.0],
        [9.0, 9.0, 9.0, 9.0],
    ]);
    // The means of the four patches of 3x3.
    let blurred = filters::correlate(&picture, &filters::blur(3), Valid);
    close(&blurred, &Tensor::from([[4.0, 5.0], [7.0, 7.0]]));
    // The third row of each patch minus the first.
    let edges = filters::correlate(&picture, &filters::edge(), Valid);
    close(&edges, &Tensor::from([[27.0, 18.0], [18.0, 18.0]]));
    // `same`: beyond the border there is 0.
    let edges = filters::correlate(&picture, &filters::edge(), Same);
    close(&edges.slice(0, 0..1), &Tensor::from([[9.0, 9.0, 9.0, 0.0]]));
    close(&edges.slice(0, 3..4), &Tensor::from([[-18.0, -27.0, -27.0, -18.0]]));
}

#[test]
fn diagonals_by_hand() {
    // A rising stroke of a pixel: 2 for each of its five pixels; as a falling one, 2 in the middle and -1 elsewhere.
    let rising: Tensor = Tensor::eye(5).flip(0);
    assert_eq!(filters::correlate(&rising, &filters::rising_diagonal(), Valid).item(), 10.0);
    assert_eq!(filters::correlate(&rising, &filters::falling_diagonal(), Valid).item(), -2.0);
}

#[cfg(feature = "images")]
#[test]
fn the_photograph() {
    // The lecture's sculpture where it is to be had, else the picture that comes with the crate.
    let picture = match std::env::var_os("CINTA_DATA") {
        Some(data) => {
            let file = std::path::Path::new(&data).join("lecture/escultura.jpg");
            let picture = cinta::images::load(file).unwrap();
            assert_eq!(picture.shape(), [240, 174]); // imager counts columns first: 174 240 1 1
            picture
        }
        None => datasets::photograph(),
    };
    let [h, w] = picture.dims();
    let blurred = filters::correlate(&picture, &filters::blur(3), Valid);
    let edges = filters::correlate(&blurred, &filters::edge(), Valid);
    assert_eq!((blurred.shape(), edges.shape()), ([h - 2, w - 2].into(), [h - 4, w - 4].into()));
    // A mean lies between what it is the mean of.
    assert!(blurred.min(..).item() >= picture.min(..).item() - 1e-6);
    assert!(blurred.max(..).item() <= picture.max(..).item() + 1e-6);
    let patch = picture.slice(0, 10..13).slice(1, 20..23);
    assert!((blurred.at([10, 20]) - patch.mean(..).item()).abs() < 1e-6);
}

// 9.2 and 9.3

#[test]
fn nine_units() {
    let layer = |filters| Sequential::<f32>::typed([5, 5, 1]).add(Conv2d::new(filters, 3)).build(1);
    assert_eq!(layer(1).unwrap().output_shape(), [3, 3, 1]);
    assert_eq!(layer(4).unwrap().output_shape(), [3, 3, 4]);
    assert_eq!(layer(4).unwrap().count_params(), 4 * 9 + 4);
}

// 9.4

#[test]
fn the_digits() {
    let Some(data) = std::env::var_os("CINTA_DATA") else {
        eprintln!(
            "skipped: set CINTA_DATA to a folder whose `lecture` has zip.train(.gz) and zip.test(.gz)"
        );
        return;
    };
    let (train, test) = datasets::zip_digits(std::path::Path::new(&data).join("lecture")).unwrap();
    // 7291 257: a digit and 256 pixels
    assert_eq!(train.inputs().shape(), [7291, 16, 16, 1]);
    let counts = [1194.0, 1005.0, 731.0, 658.0, 652.0, 556.0, 664.0, 645.0, 542.0, 644.0];
    assert_eq!(train.targets().sum(0).to_vec(), counts);
    assert_eq!(test.inputs().shape(), [2007, 16, 16, 1]);
    for data in [&train, &test] {
        // x_train + 1, x_train / 2
        assert_eq!((data.inputs().min(..).item(), data.inputs().max(..).item()), (0.0, 1.0));
        assert_eq!(data.targets().shape(), [data.len(), 10]);
    }
}

#[test]
fn the_parameters() {
    let model: Model = lenet::network(72_881);
    let weights = model.get_weights();
    let shapes: Vec<Vec<usize>> = weights.iter().map(|weight| weight.shape().to_vec()).collect();
    let expected: [&[usize]; 8] =
        [&[5, 5, 1, 8], &[8], &[3, 3, 8, 12], &[12], &[108, 50], &[50], &[50, 10], &[10]];
    assert_eq!(shapes, expected);
    let counts: Vec<usize> = weights.iter().map(Tensor::len).collect();
    assert_eq!(counts, [200, 8, 864, 12, 5400, 50, 500, 10]);
    let sums: Vec<usize> = counts.chunks(2).map(|pair| pair[0] + pair[1]).collect();
    assert_eq!(sums, [208, 876, 5450, 510]);
    assert_eq!(model.count_params(), 7044);
}

#[test]
fn the_activations() {
    let model: Model = lenet::network(72_881);
    let first_50 = Tensor::uniform([50, 16, 16, 1], 0.0, 1.0, &mut Stream::new(1));
    let shape = |layer| model.up_to(layer).unwrap().predict(&first_50).unwrap().shape();
    assert_eq!(shape("conv_1"), [50, 16, 16, 8]);
    assert_eq!(shape("conv_2"), [50, 6, 6, 12]);
}
