//! Numbers of other bits than a model computes with, as files hold them. Widening them loses nothing; they are rounded where that
//! is asked for.

use crate::error::Reason;
use crate::scalar::Scalar;

/// A number type of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Float {
    /// Of IEEE 754: 5 bits of exponent, 10 of fraction.
    F16,
    /// The upper half of an `f32`.
    Bf16,
    F32,
    F64,
}

impl Float {
    pub(super) fn bytes(self) -> usize {
        match self {
            Float::F16 | Float::Bf16 => 2,
            Float::F32 => 4,
            Float::F64 => 8,
        }
    }

    /// Reads little-endian numbers for a model of `T`. `rounded` is whether they may lose digits.
    ///
    /// # Errors
    /// When `T` could not hold all of them, and they may not be rounded.
    pub(super) fn read<T: Scalar>(self, bytes: &[u8], rounded: bool) -> Result<Vec<T>, Reason> {
        if self.bytes() > T::BYTES && !rounded {
            return Err(format!(
                "is of type f64, and the model computes in {}, which would lose digits; use a model of f64 (`Load::new(path).convert(true)` rounds those of a whole model)",
                T::NAME
            ).into());
        }
        let two = |bytes: &[u8]| u16::from_le_bytes([bytes[0], bytes[1]]);
        let each = bytes.chunks_exact(self.bytes());
        Ok(match self {
            Float::F16 => each.map(|bytes| T::lit(f64::from(f16(two(bytes))))).collect(),
            Float::Bf16 => each.map(|bytes| T::lit(f64::from(bf16(two(bytes))))).collect(),
            Float::F32 if T::BYTES == 8 => {
                each.map(|bytes| T::lit(f64::from(f32::read_le(bytes)))).collect()
            }
            Float::F64 if T::BYTES == 4 => each.map(|bytes| T::lit(f64::read_le(bytes))).collect(),
            Float::F32 | Float::F64 => each.map(T::read_le).collect(),
        })
    }
}

/// An IEEE 754 number of 16 bits.
pub(super) fn f16(bits: u16) -> f32 {
    let (sign, exponent, fraction) =
        (u32::from(bits >> 15), u32::from(bits >> 10 & 0x1F), u32::from(bits & 0x3FF));
    let magnitude = match exponent {
        // 0, and numbers below the normal ones: multiples of 2^-24.
        0 => (fraction as f32 / 16_777_216.0).to_bits(),
        // Infinite, or not a number.
        0x1F => 0xFF << 23 | fraction << 13,
        // The bias is 15 here and 127 there.
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign << 31 | magnitude)
}

fn bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value by the definition of the formats.
    fn definition(bits: u16, exponent_bits: u32, bias: i32) -> f64 {
        let fraction_bits = 15 - exponent_bits;
        let exponent = i32::from(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
        let fraction = f64::from(bits & ((1 << fraction_bits) - 1)) / f64::from(1 << fraction_bits);
        let magnitude = match exponent {
            0 => fraction * 2f64.powi(1 - bias),
            _ if exponent == (1 << exponent_bits) - 1 && fraction == 0.0 => f64::INFINITY,
            _ if exponent == (1 << exponent_bits) - 1 => f64::NAN,
            _ => (1.0 + fraction) * 2f64.powi(exponent - bias),
        };
        if bits >> 15 == 1 { -magnitude } else { magnitude }
    }

    #[test]
    fn all_numbers_of_16_bits_keep_their_value() {
        for bits in 0..=u16::MAX {
            for (found, expected) in
                [(f16(bits), definition(bits, 5, 15)), (bf16(bits), definition(bits, 8, 127))]
            {
                let found = f64::from(found);
                let same = found.to_bits() == expected.to_bits();
                assert!(
                    same || found.is_nan() && expected.is_nan(),
                    "{bits:x}: {found} {expected}"
                );
            }
        }
        assert_eq!([0x3C00, 0xC000, 0x7BFF, 1].map(f16), [1.0, -2.0, 65504.0, 5.960_464_5e-8]);
        assert_eq!([0x3F80, 0xC000, 0x3FC0].map(bf16), [1.0, -2.0, 1.5]);
    }

    #[test]
    fn numbers_are_widened_and_rounded_if_asked() {
        let one = 1.5f32.to_le_bytes();
        assert_eq!(Float::F32.read::<f32>(&one, false).unwrap(), [1.5]);
        assert_eq!(Float::F32.read::<f64>(&one, false).unwrap(), [1.5]);
        assert_eq!(Float::F64.read::<f64>(&0.1f64.to_le_bytes(), false).unwrap(), [0.1]);
        assert_eq!(Float::F16.read::<f64>(&[0, 0x3C, 0, 0xC0], false).unwrap(), [1.0, -2.0]);
        assert_eq!(Float::Bf16.read::<f32>(&[0xC0, 0x3F], false).unwrap(), [1.5]);
        assert_eq!(Float::F64.read::<f32>(&0.1f64.to_le_bytes(), true).unwrap(), [0.1f32]);
        let error = Float::F64.read::<f32>(&0.1f64.to_le_bytes(), false).unwrap_err();
        assert!(
            error.as_str().starts_with("is of type f64, and the model computes in f32"),
            "{error}"
        );
    }
}
