//! The summary against Keras's own, as `golden/make.py` had it printed.

mod lenet;

use cinta::prelude::*;

fn golden(file: &str) -> String {
    let path = format!("{}/tests/golden/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("the golden file")
}

#[test]
fn the_lectures_network_before_and_after_a_step() -> Result<(), Error> {
    let mut model: Model = lenet::network(0);
    assert_eq!(model.count_params(), 208 + 876 + 5_450 + 510);
    let before = model.summary();
    assert!(before.contains(" Total params: 7,044 (27.52 KB)\n"));

    model.compile(lenet::compile());
    assert_eq!(model.summary(), before);
    let data = Dataset::new(Tensor::zeros([2, 16, 16, 1]), datasets::one_hot(&[0, 1], 10)?)?;
    model.fit(&data, Fit { verbose: Verbose::Silent, ..Fit::default() })?;
    assert_eq!(format!("{before}\n{}\n", model.summary()), golden("summary-lenet.txt"));
    assert_eq!(model.count_params(), 7_044);
    Ok(())
}

#[test]
fn long_names_and_frozen_layers() -> Result<(), Error> {
    let model = Sequential::new([16, 16, 1])
        .name("names")
        .add(Conv2d::new(8, 3).name("a_layer_whose_name_is_longer_than_its_column"))
        .add(Relu)
        .add(AveragePooling2d::new(2))
        .add(Conv2d::new(4, 3).trainable(false).name("frozen"))
        .add(Flatten::new())
        .add(Dense::new(10).activation(Softmax))
        .build(0)?;
    assert_eq!(model.summary() + "\n", golden("summary-names.txt"));
    Ok(())
}
