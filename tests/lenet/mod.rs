//! The lecture's network, for the tests that look at it.
#![allow(dead_code, reason = "not every test compiles it in the same way")]

use cinta::Scalar;
use cinta::prelude::*;

/// The network, not compiled.
pub fn network<T: Scalar>(seed: u64) -> Model<T> {
    Sequential::<T>::typed([16, 16, 1])
        .add(
            Conv2d::new(8, 5)
                .padding(Same)
                .activation(Relu)
                .kernel_regularizer(L2(0.01))
                .name("conv_1"),
        )
        .add(MaxPooling2d::new(2))
        .add(Dropout::new(0.25))
        .add(Conv2d::new(12, 3).activation(Relu).kernel_regularizer(L2(0.01)).name("conv_2"))
        .add(MaxPooling2d::new(2))
        .add(Dropout::new(0.25))
        .add(Flatten::new())
        .add(Dense::new(50).activation(Relu).kernel_regularizer(L2(0.01)))
        .add(Dropout::new(0.5))
        .add(Dense::new(10).activation(Softmax).kernel_regularizer(L2(0.01)))
        .build(seed)
        .unwrap()
}

/// What the lecture compiles it with.
pub fn compile<T: Scalar>() -> Compile<T> {
    Compile::new(Sgd::new(0.02).momentum(0.5), CategoricalCrossentropy::new())
        .metric(Accuracy)
        .metric(CategoricalCrossentropy::new())
}
