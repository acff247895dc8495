//! Lecture 9.1, *Filtros convolucionales en dos dimensiones*: blur, edges and diagonals of pictures.
//!
//! `cargo run --release --all-features --example filters_2d`

mod lecture;

use cinta::prelude::*;
use cinta::{filters, images, plot};
use clap::Parser;
use lecture::{Digits, picture};
use std::path::PathBuf;

/// Filters a photograph (blur, then edges) and a digit (diagonals).
#[derive(Parser)]
struct Flags {
    /// Another picture, PNG or JPEG.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    #[command(flatten)]
    digits: Digits,
}

fn run(flags: &Flags) -> Result<(), Error> {
    // estatua <- load.image('figuras/escultura.jpg') %>% grayscale
    let photograph = match &flags.image {
        Some(file) => images::load(file)?,
        None => datasets::photograph(),
    };
    println!("photograph {}", photograph.shape());
    images::save(picture("filters_2d_photograph.png"), &photograph)?;

    // filtro_difuminar <- matrix(rep(1/9,9), 3,3, byrow=T)
    let blur = filters::blur(3);
    println!("\nblur\n{blur:.7}");
    let blurred = filters::correlate(&photograph, &blur, Valid);
    println!("blurred {}", blurred.shape());
    images::save(picture("filters_2d_blurred.png"), &blurred)?;

    // filtro_borde <- (matrix(c(-1, -1, -1, 0, 0, 0, 1, 1, 1),  3, 3, byrow=T))
    let edge = filters::edge();
    println!("\nedge\n{edge}");
    let edges = filters::correlate(&blurred, &edge, Valid);
    println!(
        "edges {} from {:.2} to {:.2}",
        edges.shape(),
        edges.min(..).item(),
        edges.max(..).item()
    );
    images::save(picture("filters_2d_edges.png"), &images::stretched(&edges))?;

    // A digit, and the detector of diagonals: filtro_diag_1 <- filtro_diag[, 5:1]
    let (train, _) = flags.digits.read()?;
    let seven = (0..train.len()).find(|&i| train.targets().at([i, 7]) == 1.0).unwrap_or_default();
    let digit = train.inputs().slice(0, seven..seven + 1).reshape([16, 16]);
    let (falling, rising) = (filters::falling_diagonal(), filters::rising_diagonal());
    println!("\nrising diagonal\n{rising}");
    let detected = [&rising, &falling].map(|filter| filters::correlate(&digit, filter, Same));
    println!(
        "the digit's strongest rising diagonal {:.2}, falling {:.2}",
        detected[0].max(..).item(),
        detected[1].max(..).item()
    );
    plot::picture(&digit)
        .title("A digit")
        .beside(plot::picture(&detected[0]).title("Rising diagonals"))
        .beside(plot::picture(&detected[1]).title("Falling diagonals"))
        .save(picture("filters_2d_diagonals.png"))
}

fn main() {
    lecture::finish(run(&Flags::parse()));
}
