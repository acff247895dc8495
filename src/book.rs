//! The book: the lecture's sections in our own words, with code that runs and figures, and how things work.
//!
//! Each page is a file in the folder `docs` of the repository. All code of the book is tested.
//!
//! The lecture, *Redes convolucionales*, section by section:
//! [9.1 filters](filters), [9.2 convolution layers](convolution_layers), [9.3 pooling](pooling), [9.4 LeNet](lenet).
//!
//! How it works: [a convolution is a matrix product](convolution_as_matmul), [why it is fast](speed),
//! [gradients from a tape](autograd), [the same bits](determinism), and [the architecture](architecture).
//!
//! For those who know it: [Keras](keras), its names, its files, and what differs.
//!
//! To go on: [training as Keras does it](training), [graphs of layers](graphs), [adding an operation](adding_an_op), [adding a layer](adding_a_layer),
//! [an optimizer](adding_an_optimizer), [a loss](adding_a_loss), [a metric](adding_a_metric), [a callback](adding_a_callback),
//! [a rule of the plan](adding_a_rule),
//! [how it is tested](testing).

/// A module for each page. Its figures are listed after it, and come into the documentation as data: Markdown takes the first
/// meaning of a label, so `[figure]: data:..` before the page wins over the file that the page names for the repository.
macro_rules! pages {
    ($($name:ident: $file:literal $([$($figure:ident)*])?)*) => {$(
        $($(#[cfg_attr(doc, doc = concat!(
            "[", stringify!($figure), "]: data:image/png;base64,",
            include_str!(concat!("../docs/figures/", stringify!($figure), ".b64"))
        ))])*)?
        #[doc = include_str!(concat!("../docs/", $file))]
        pub mod $name {}
    )*};
}

pages! {
    filters: "9.1-filters.md" [filters_1d_average filters_1d_differences filters_2d_photograph filters_2d_blurred filters_2d_edges filters_2d_diagonals]
    convolution_layers: "9.2-convolution-layers.md"
    pooling: "9.3-pooling.md"
    lenet: "9.4-lenet.md" [lenet_history weights_conv_1 weights_conv_2 activations_04_both]
    keras: "keras.md"
    convolution_as_matmul: "how-it-works/convolution-as-matmul.md"
    speed: "how-it-works/speed.md" [scaling_data scaling_model]
    autograd: "how-it-works/autograd.md" [long_tape]
    determinism: "how-it-works/determinism.md"
    architecture: "architecture.md"
    training: "training.md"
    graphs: "graphs.md" [graph_model]
    adding_an_op: "adding-an-op.md"
    adding_a_layer: "adding-a-layer.md"
    adding_an_optimizer: "adding-an-optimizer.md"
    adding_a_loss: "adding-a-loss.md"
    adding_a_metric: "adding-a-metric.md"
    adding_a_callback: "adding-a-callback.md"
    adding_a_rule: "adding-a-rule.md"
    testing: "testing.md"
}
