//! Lecture 9.1, *Filtros en una dimensión*: a moving average and first differences of a series.
//!
//! `cargo run --release --all-features --example filters_1d`

mod lecture;

use cinta::prelude::*;
use cinta::{filters, plot};
use clap::Parser;
use lecture::picture;

/// Filters the series of the lecture: a moving average, and its first differences.
#[derive(Parser)]
struct Flags {
    /// Of the noise that is added to the series.
    #[arg(long, value_name = "N", default_value_t = 213)]
    seed: u64,
}

fn run(flags: &Flags) -> Result<(), Error> {
    // serie = as.numeric(BJsales) + rnorm(length(BJsales), 0, 10)
    let sales = datasets::bjsales();
    let noise = Tensor::normal(sales.shape(), 0.0, 10.0, &mut Stream::new(flags.seed));
    let series = &sales + &noise;

    // promedio_mov = roll_mean(serie, 5, align = 'center', fill = NA)
    let average = filters::moving_average(&series, 5);
    println!("{:>4} {:>8} {:>8}", "t", "series", "average");
    for t in 0..6 {
        println!("{:>4} {:>8.2} {:>8.2}", t + 1, series.at([t]), average.at([t]));
    }
    // filter(datos, t < 100)
    let (before_100, average_before_100) = (series.slice(0, 0..99), average.slice(0, 0..99));
    plot::lines([("series", &before_100), ("moving average", &average_before_100)])
        .title("A series and its moving average of 5")
        .save(picture("filters_1d_average.png"))?;

    // The same filter, written as the lecture does: f_s = 1/5 for s = -2 .. 2, and the correlation with it.
    let filter = Tensor::full([5], 0.2);
    let same = filters::correlate(&series, &filter, Valid);
    println!("\n1/5 ( .. 0, 1, 1, 1, 1, 1, 0, .. ) gives {:.2} at t = 3", same.at([0]));

    // dif = promedio_mov - lag(promedio_mov): the filter is -1 at s = -1 and 1 at s = 0.
    let differences = filters::differences(&average);
    let missing = differences.iter().filter(|value| value.is_nan()).count();
    println!("\nRemoved {missing} rows containing missing values");
    plot::lines([("difference", &differences)])
        .title("First differences of the moving average")
        .save(picture("filters_1d_differences.png"))?;

    // Convolution as mathematics defines it turns the filter around: for -1, 1 that changes the sign.
    let filter = Tensor::from([-1.0, 1.0]);
    let correlated = filters::correlate(&sales, &filter, Valid);
    let convolved = filters::convolve(&sales, &filter, Valid);
    println!(
        "\nfirst differences of the sales: {:.1} as a correlation, {:.1} as a convolution",
        correlated.slice(0, 0..4),
        convolved.slice(0, 0..4)
    );
    Ok(())
}

fn main() {
    lecture::finish(run(&Flags::parse()));
}
