//! Well-known networks by name (feature `applications`): Keras's `keras.applications`, and three networks of its tutorials.
//!
//! | network | layers | parameters | paper |
//! |---|---|---|---|
//! | [`resnet20`](fn@resnet20) | 71 | 274,442 | He, Zhang, Ren and Sun, *Deep residual learning for image recognition*, 2015, section 4.2 |
//! | [`resnet32`](fn@resnet32) | 113 | 470,218 | the same |
//! | [`resnet56`](fn@resnet56) | 197 | 861,770 | the same |
//! | [`resnet50`](fn@resnet50) | 176 | 25,636,712 | the same, section 4.1 |
//! | [`resnet101`](fn@resnet101) | 346 | 44,707,176 | the same |
//! | [`resnet152`](fn@resnet152) | 516 | 60,419,944 | the same |
//! | [`mobilenet_v2(1.0)`](fn@mobilenet_v2) | 155 | 3,538,984 | Sandler, Howard, Zhu, Zhmoginov and Chen, *MobileNetV2: inverted residuals and linear bottlenecks*, 2018 |
//! | [`mobilenet_v2(0.35)`](fn@mobilenet_v2) | 155 | 1,691,208 | the same |
//! | [`vgg16`](fn@vgg16) | 22 | 138,357,544 | Simonyan and Zisserman, *Very deep convolutional networks for large-scale image recognition*, 2014 |
//! | [`vgg19`](fn@vgg19) | 25 | 143,667,240 | the same |
//! | [`unet`](fn@unet) | 71 | 2,058,979 | after Ronneberger, Fischer and Brox, *U-Net*, 2015, as Keras's tutorial on segmentation has it |
//! | [`mini_xception`](fn@mini_xception) | 37 | 2,731,065 | after Chollet, *Xception*, 2016, as Keras's tutorial on classification has it |
//!
//! Layers are those after the input, parameters those with the default options. Each function gives an [`Application`], whose methods are
//! Keras's options; [`build`](Application::build) makes an ordinary [`Model`](crate::Model) of it. Layers have Keras's names and order, so that files
//! of weights fit: `.weights.h5` and `.keras` of Keras 3, and `.h5` of all versions, which is what `keras.applications` downloads.
//! The crate has no weights and downloads none.
//!
//! ```
//! use cinta::applications;
//! let model = applications::resnet20().input_shape([16, 16, 3]).classes(4).build(1)?;
//! assert_eq!((model.output_shape(), model.count_params()), ([4].into(), 274_052));
//! # Ok::<(), cinta::Error>(())
//! ```
//!
//! # Transfer learning
//!
//! The network without its top, frozen, is a layer of another one. What it takes must be prepared as it was when the weights were found: by
//! the `preprocess_input` of its module.
//!
//! ```
//! use cinta::applications::{self, Pooling, mobilenet_v2};
//! use cinta::prelude::*;
//! let base = applications::mobilenet_v2(0.35).input_shape([32, 32, 3]).include_top(false);
//! let base = base.pooling(Pooling::Average).build(1)?;
//! // base.load_weights("mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5")?;
//!
//! let image = Input::new([32, 32, 3]);
//! let scores = base.frozen().of(&image).then(Dense::new(5).activation(Softmax));
//! let model = Model::new(&image, &scores).build(2)?;
//!
//! let pixels: Tensor = Tensor::full([2, 32, 32, 3], 255.0);
//! assert_eq!(model.predict(&mobilenet_v2::preprocess_input(&pixels))?.shape(), [2, 5]);
//! assert!(model.summary().contains("Trainable params: 6,405 "));
//! # Ok::<(), cinta::Error>(())
//! ```

mod application;
mod mini_xception;
pub mod mobilenet_v2;
mod preprocessing;
pub mod resnet;
mod small_resnet;
mod unet;
pub mod vgg;

pub use application::{Application, Pooling};
pub use mini_xception::mini_xception;
pub use mobilenet_v2::mobilenet_v2;
pub use resnet::{resnet50, resnet101, resnet152};
pub use small_resnet::{resnet20, resnet32, resnet56};
pub use unet::unet;
pub use vgg::{vgg16, vgg19};
