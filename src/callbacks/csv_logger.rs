//! A table that grows with training.

use crate::error::{Error, Result};
use crate::model::{Callback, FitParams, Model, Scores, csv_row, shortest};
use crate::scalar::{Scalar, compiled};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;

/// Writes a row for each epoch into a CSV file: Keras's `CSVLogger`, whose files it equals.
///
/// The columns are `epoch`, counted from 0, and the names in the logs of the first epoch in alphabetical order; if none
/// of them is of validation, one called `val_..` follows for each. A value that an epoch does not have is `NA`, and one that has no
/// column is left out. Lines end in `\r\n`, and each is in the file before the next epoch begins.
///
/// # Errors
/// `fit` ends with an error when the file cannot be written, or, with [`append`](Self::append), has other columns.
///
/// ```
/// use cinta::prelude::*;
/// # let dir = std::env::temp_dir().join(format!("cinta-csv-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir).unwrap();
/// let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[2.0]]))?;
/// let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
/// model.set_weights(&[Tensor::zeros([1, 1]), Tensor::zeros([1])])?;
/// model.compile(Compile::new(Sgd::new(0.5), MeanSquaredError));
///
/// let mut logger = CsvLogger::new(dir.join("log.csv"));
/// let callbacks: &mut [&mut dyn Callback] = &mut [&mut logger];
/// model.fit(&data, Fit { epochs: 2, callbacks, verbose: Verbose::Silent, ..Fit::default() })?;
/// let log = std::fs::read_to_string(dir.join("log.csv")).unwrap();
/// assert_eq!(log, "epoch,loss,val_loss\r\n0,4.0,NA\r\n1,0.0,NA\r\n");
/// # std::fs::remove_dir_all(&dir).unwrap();
/// # Ok::<(), cinta::Error>(())
/// ```
#[derive(Debug)]
pub struct CsvLogger {
    path: PathBuf,
    separator: char,
    append: bool,
    file: Option<File>,
    /// The first line of a file that is appended to.
    header: Option<String>,
    /// Empty until the first epoch.
    columns: Vec<String>,
}

impl CsvLogger {
    /// Writes to this file, anew in every `fit`.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let dir = std::env::temp_dir().join(format!("cinta-csv-new-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let mut logger = CsvLogger::new(dir.join("log.csv"));
    /// for _ in 0..2 {
    ///     model.fit(&data, Fit { epochs: 1, callbacks: &mut [&mut logger], verbose: Verbose::Silent, ..Fit::default() })?;
    /// }
    /// let log = std::fs::read_to_string(dir.join("log.csv")).unwrap();
    /// assert_eq!(log.lines().count(), 1 + 1); // the names, and the second `fit`
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let (file, header) = (None, None);
        CsvLogger {
            path: path.into(),
            separator: ',',
            append: false,
            file,
            header,
            columns: Vec::new(),
        }
    }

    /// What stands between two values, by default a comma.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let dir = std::env::temp_dir().join(format!("cinta-csv-separator-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let mut logger = CsvLogger::new(dir.join("log.csv")).separator(';');
    /// model.fit(&data, Fit { epochs: 1, callbacks: &mut [&mut logger], verbose: Verbose::Silent, ..Fit::default() })?;
    /// let log = std::fs::read_to_string(dir.join("log.csv")).unwrap();
    /// assert!(log.starts_with("epoch;loss;val_loss\r\n0;"));
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    /// Whether rows are added to those that the file has.
    ///
    /// ```
    /// use cinta::prelude::*;
    /// # let dir = std::env::temp_dir().join(format!("cinta-csv-append-{}", std::process::id()));
    /// # std::fs::create_dir_all(&dir).unwrap();
    /// # let data = Dataset::new(Tensor::from([[0.0]]), Tensor::from([[1.0]]))?;
    /// # let mut model = Sequential::new([1]).add(Dense::new(1)).build(3)?;
    /// # model.compile(Compile::new(Sgd::new(0.8), MeanSquaredError));
    /// let mut logger = CsvLogger::new(dir.join("log.csv")).append(true);
    /// for _ in 0..2 {
    ///     model.fit(&data, Fit { epochs: 1, callbacks: &mut [&mut logger], verbose: Verbose::Silent, ..Fit::default() })?;
    /// }
    /// let log = std::fs::read_to_string(dir.join("log.csv")).unwrap();
    /// assert_eq!(log.lines().count(), 1 + 2); // the names, and a row of each `fit`
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), cinta::Error>(())
    /// ```
    pub fn append(mut self, append: bool) -> Self {
        self.append = append;
        self
    }

    fn open(&mut self) -> std::io::Result<()> {
        let mut options = File::options();
        options.create(true).write(true).truncate(!self.append).append(self.append);
        self.file = Some(options.open(&self.path)?);
        self.header = None;
        if self.append {
            let file = BufReader::new(File::open(&self.path)?);
            self.header = file.lines().next().transpose()?;
        }
        Ok(())
    }

    fn write(&mut self, fields: impl IntoIterator<Item = String>) -> Result<()> {
        let row = csv_row(fields, self.separator) + "\r\n";
        let file = self.file.as_mut().expect("opened when training began");
        file.write_all(row.as_bytes()).map_err(|error| Error::io(&self.path, error))
    }

    /// The names of all columns but the first.
    fn columns_of(logs: &Scores) -> Vec<String> {
        let mut columns: Vec<String> = logs.iter().map(|(name, _)| name.to_owned()).collect();
        columns.sort();
        if !columns.iter().any(|name| name.starts_with("val_")) {
            columns.extend_from_within(..);
            let training = columns.len() / 2;
            columns[training..].iter_mut().for_each(|name| name.insert_str(0, "val_"));
        }
        columns
    }
}

impl<T: Scalar> Callback<T> for CsvLogger {
    #[inline(never)]
    fn on_train_begin(&mut self, _params: &FitParams, _model: &mut Model<T>) -> Result<()> {
        if matches!(self.separator, '"' | '\r' | '\n') {
            return Err(Error::Config(
                format!(
                    "CsvLogger: the separator is {:?}; it is neither a quote nor the end of a line",
                    self.separator
                )
                .into(),
            ));
        }
        self.columns.clear();
        self.open().map_err(|error| Error::io(&self.path, error))
    }

    #[inline(never)]
    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &mut Scores,
        _model: &mut Model<T>,
    ) -> Result<()> {
        if self.columns.is_empty() {
            self.columns = Self::columns_of(logs);
            let header = std::iter::once("epoch".to_owned()).chain(self.columns.clone());
            let row = csv_row(header.clone(), self.separator);
            match &self.header {
                None => self.write(header)?,
                Some(found) if *found == row => {}
                Some(found) => {
                    return Err(Error::format(
                        &self.path,
                        format!(
                            "the file has the columns {found:?}, and those to append are {row:?}; \
                             append to a file with the same columns, or write a new one"
                        ),
                    ));
                }
            }
        }
        let value = |name| logs.get(name).map_or("NA".to_owned(), shortest);
        let values: Vec<String> = self.columns.iter().map(|name| value(name)).collect();
        self.write(std::iter::once(epoch.to_string()).chain(values))
    }

    #[inline(never)]
    fn on_train_end(&mut self, _logs: &Scores, _model: &mut Model<T>) -> Result<()> {
        self.file = None;
        Ok(())
    }
}

compiled!(|callback: &mut CsvLogger| callback as &mut dyn Callback<T>);
