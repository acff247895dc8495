//! NumPy's files of arrays.
#![no_main]

use cinta::Tensor;
use libfuzzer_sys::fuzz_target;

/// The numbers, so that those that are not equal to themselves can be compared.
fn bits(tensor: &Tensor<f64>) -> Vec<u64> {
    tensor.iter().map(|x| if x.is_nan() { u64::MAX } else { x.to_bits() }).collect()
}

fuzz_target!(|bytes: &[u8]| {
    let path = cinta_fuzz::file("array.npy", bytes);
    let (narrow, wide) = (Tensor::<f32>::read_npy(&path), Tensor::<f64>::read_npy(&path));
    let (narrow, wide) = match (narrow, wide) {
        (Ok(narrow), Ok(wide)) => (narrow, wide),
        (Err(error), Err(again)) => {
            assert_eq!(error.to_string(), again.to_string());
            return cinta_fuzz::named(&path, &error.to_string());
        }
        _ => panic!("a file is read as one type and not as the other"),
    };
    // The narrow numbers are the wide ones, rounded.
    assert_eq!(narrow.shape(), wide.shape());
    let rounded = wide.map(|x| f64::from(x as f32));
    let widened: Vec<f64> = narrow.iter().map(f64::from).collect();
    assert_eq!(bits(&rounded), bits(&Tensor::new(wide.shape(), widened)));
    // What was read can be written, and comes back as it was.
    let saved = cinta_fuzz::file("saved.npy", b"");
    wide.write_npy(&saved).expect("a file in a folder of our own");
    let again = Tensor::<f64>::read_npy(&saved).expect("a file that was just saved");
    assert_eq!((again.shape(), bits(&again)), (wide.shape(), bits(&wide)));
});
