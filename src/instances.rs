//! The crate's generic code for `f32` and `f64`, compiled once for all test programs.
//!
//! Generic code is compiled where it is used: in every program anew. At `opt-level` 0 and 1, though, the compiler takes what a
//! library has already. Here the library is made to have it, so that the many programs that test this crate do not each
//! compile all kernels and layers. `.cargo/config.toml` switches it on in this repository: who uses the crate has one program, and
//! would wait longer for it.

use crate::datasets::Dataset;
use crate::model::{Fit, Sequential};
use crate::scalar::Scalar;

/// From training, files and summaries, all the rest is reached.
fn reach<T: Scalar>(model: &mut Sequential<T>, data: &Dataset<T>) {
    let _ = model.fit(data, Fit::default());
    let _ = model.evaluate(data);
    let _ = model.predict(data.inputs());
    let _ = model.save("");
    let _ = Sequential::<T>::load("");
    model.summary();
}

type Data<T> = (Sequential<T>, Dataset<T>);

/// What makes the compiler compile what nobody calls.
#[used]
static ALL: fn(&mut Data<f32>, &mut Data<f64>) = |single, double| {
    reach(&mut single.0, &single.1);
    reach(&mut double.0, &double.1);
};
