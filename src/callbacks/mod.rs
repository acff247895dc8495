//! Keras's callbacks.

mod csv_logger;
mod early_stopping;
mod lambda_callback;
mod model_checkpoint;
mod monitor;
mod template;
mod terminate_on_nan;

pub use csv_logger::CsvLogger;
pub use early_stopping::EarlyStopping;
pub use lambda_callback::LambdaCallback;
pub use model_checkpoint::ModelCheckpoint;
pub use terminate_on_nan::TerminateOnNan;
