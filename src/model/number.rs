//! Numbers as Python prints them, for texts and files that are the same as Keras's.

/// `str(value)`: the fewest digits that read back as the same number.
///
/// As in Rust's `{:?}`, there is an exponent below `1e-4` and from `1e16` on; it has a sign and two digits.
pub(crate) fn shortest(value: f64) -> String {
    python(value, format!("{value:?}"))
}

/// `f"{value:.{decimals}f}"`.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    python(value, format!("{value:.decimals$}"))
}

/// `f"{value:.{decimals}e}"`.
pub(crate) fn scientific(value: f64, decimals: usize) -> String {
    python(value, format!("{value:.decimals$e}"))
}

/// Rust's text of a number with the exponent and the name of no number as Python has them.
fn python(value: f64, text: String) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let exponent: i32 = exponent.parse().expect("Rust writes exponents as whole numbers");
            format!("{digits}e{exponent:+03}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_prints_them() {
        for (value, text) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (-0.1, "-0.1"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.25e-7, "1.25e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::from(0.1_f32), "0.10000000149011612"),
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(shortest(value), text);
        }
        assert_eq!(fixed(0.125, 2), "0.12");
        assert_eq!(fixed(-2.0, 0), "-2");
        assert_eq!(fixed(f64::NAN, 4), "nan");
        assert_eq!(scientific(0.000_123_456, 4), "1.2346e-04");
        assert_eq!(scientific(0.0, 4), "0.0000e+00");
        assert_eq!(scientific(f64::INFINITY, 4), "inf");
    }
}
