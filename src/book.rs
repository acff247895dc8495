//! The book: the lecture's sections in our own words, with code that runs and figures, and how things work.
//!
//! Each page is a file in the folder `docs` of the repository, where the figures are seen as well. All code of the
//! book is tested.
//!
//! The lecture, *Redes convolucionales*, section by section:
//! [9.1 filters](filters), [9.2 convolution layers](convolution_layers), [9.3 pooling](pooling), [9.4 LeNet](lenet).
//!
//! How it works: [a convolution is a matrix product](convolution_as_matmul), [why it is fast](speed),
//! [gradients from a tape](autograd), [the same bits](determinism), and [the architecture](architecture).
//!
//! For those who know it: [Keras](keras), its names, its files, and what differs.
//!
//! To go on: [training as Keras does it](training), [adding an operation](adding_an_op), [adding a layer](adding_a_layer).

macro_rules! pages {
    ($($name:ident: $file:literal)*) => {$(
        #[doc = include_str!(concat!("../docs/", $file))]
        pub mod $name {}
    )*};
}

pages! {
    filters: "9.1-filters.md"
    convolution_layers: "9.2-convolution-layers.md"
    pooling: "9.3-pooling.md"
    lenet: "9.4-lenet.md"
    keras: "keras.md"
    convolution_as_matmul: "how-it-works/convolution-as-matmul.md"
    speed: "how-it-works/speed.md"
    autograd: "how-it-works/autograd.md"
    determinism: "how-it-works/determinism.md"
    architecture: "architecture.md"
    training: "training.md"
    adding_an_op: "adding-an-op.md"
    adding_a_layer: "adding-a-layer.md"
}
