//! Tensors as bytes without a header, for formats of one's own.

use crate::error::Reason;
use crate::scalar::{Scalar, compiled};
use crate::tensor::{Shape, Tensor};

/// Which byte of a number comes first.
///
/// ```
/// use cinta::{Endian, Tensor};
/// let x = Tensor::from([1.0_f32]);
/// assert_eq!(x.to_bytes(Endian::Big), [0x3F, 0x80, 0, 0]);
/// assert_eq!(x.to_bytes(Endian::Little), [0, 0, 0x80, 0x3F]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Endian {
    /// The least significant one.
    Little,
    /// The most significant one.
    Big,
}

impl Endian {
    /// That of this machine.
    pub const NATIVE: Endian =
        if cfg!(target_endian = "big") { Endian::Big } else { Endian::Little };
}

impl<T: Scalar> Tensor<T> {
    /// The bytes of the elements in row-major order, whatever the strides are, and nothing else: neither the shape nor the type.
    ///
    /// # Panics
    /// For dual numbers, which no file holds, and when there is not enough memory.
    ///
    /// ```
    /// use cinta::{Endian, Tensor};
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let bytes = x.to_bytes(Endian::Little);
    /// assert_eq!(bytes.len(), 4 * 8);
    /// assert_eq!(Tensor::from_bytes([2, 2], &bytes, Endian::Little)?, x);
    /// # Ok::<(), cinta::Reason>(())
    /// ```
    #[track_caller]
    #[inline(never)]
    pub fn to_bytes(&self, endian: Endian) -> Vec<u8> {
        let mut bytes = crate::buffer::room(self.len().saturating_mul(T::BYTES));
        self.iter().for_each(|x| x.write_le(&mut bytes));
        if endian == Endian::Big {
            bytes.chunks_exact_mut(T::BYTES).for_each(<[u8]>::reverse);
        }
        bytes
    }

    /// The tensor of this shape whose elements, in row-major order, have these bytes.
    ///
    /// # Errors
    /// When there are not as many bytes as the shape's elements have.
    ///
    /// # Panics
    /// For dual numbers, which no file holds.
    ///
    /// ```
    /// use cinta::{Endian, Tensor};
    /// let x = Tensor::<f32>::from_bytes([1], &[0x3F, 0x80, 0, 0], Endian::Big)?;
    /// assert_eq!(x.item(), 1.0);
    /// let error = Tensor::<f32>::from_bytes([2], &[0; 7], Endian::Big).unwrap_err();
    /// assert_eq!(error.to_string(), "a tensor of f32 of shape [2] has 8 bytes, and 7 were given");
    /// # Ok::<(), cinta::Reason>(())
    /// ```
    pub fn from_bytes(
        shape: impl Into<Shape>,
        bytes: &[u8],
        endian: Endian,
    ) -> Result<Self, Reason> {
        of_bytes(shape.into(), bytes, endian)
    }
}

#[inline(never)]
fn of_bytes<T: Scalar>(shape: Shape, bytes: &[u8], endian: Endian) -> Result<Tensor<T>, Reason> {
    let count = shape.checked_count().and_then(|count| count.checked_mul(T::BYTES));
    if count != Some(bytes.len()) {
        let count = count.map_or("more".to_owned(), |count| count.to_string());
        let (name, given) = (T::NAME, bytes.len());
        return Err(format!(
            "a tensor of {name} of shape {shape} has {count} bytes, and {given} were given"
        )
        .into());
    }
    let mut turned;
    let little = match endian {
        Endian::Little => bytes,
        Endian::Big => {
            turned = bytes.to_vec();
            turned.chunks_exact_mut(T::BYTES).for_each(<[u8]>::reverse);
            &turned
        }
    };
    let numbers = little.chunks_exact(T::BYTES).map(T::read_le);
    Ok(Tensor::new(shape, numbers.collect::<Vec<T>>()))
}

compiled!(|x: &Tensor<T>| (x.to_bytes(Endian::Big), of_bytes::<T>(x.shape(), &[], Endian::Big)));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::testing::{Draw, LAYOUTS, laid_out};

    fn check<T: Scalar>(bytes_of: impl Fn(T, Endian) -> Vec<u8>) {
        for dims in [[2, 3, 4], [1, 1, 1], [3, 0, 2]] {
            let mut values = Draw::new(1).fractions::<T>(dims.iter().product());
            for (slot, special) in values.iter_mut().zip([T::infinity(), T::neg_zero()]) {
                *slot = special;
            }
            for (layout, endian) in
                (0..LAYOUTS).flat_map(|layout| [(layout, Endian::Little), (layout, Endian::Big)])
            {
                let x = laid_out(dims, &values, layout);
                let bytes = x.to_bytes(endian);
                let expected: Vec<u8> = values.iter().flat_map(|&x| bytes_of(x, endian)).collect();
                assert_eq!(bytes, expected);
                let back = Tensor::from_bytes(dims, &bytes, endian).expect("as many bytes");
                assert_eq!(back.to_bytes(endian), expected);
                assert_eq!(back, x);
            }
        }
    }

    #[test]
    fn every_order_of_memory_and_of_bytes() {
        check::<f32>(|x, endian| match endian {
            Endian::Little => x.to_le_bytes().to_vec(),
            Endian::Big => x.to_be_bytes().to_vec(),
        });
        check::<f64>(|x, endian| match endian {
            Endian::Little => x.to_le_bytes().to_vec(),
            Endian::Big => x.to_be_bytes().to_vec(),
        });
        assert_eq!(Tensor::scalar(1.5f32).to_bytes(Endian::NATIVE), 1.5f32.to_ne_bytes());
        let nan = f64::from_bits(0x7FF8_0000_0000_1234);
        let back =
            Tensor::<f64>::from_bytes([], &nan.to_be_bytes(), Endian::Big).expect("a number");
        assert_eq!(back.item().to_bits(), nan.to_bits());
    }

    #[test]
    fn another_number_of_bytes() {
        let read = |shape: &[usize], len: usize| {
            Tensor::<f64>::from_bytes(shape, &vec![0; len], Endian::Little).unwrap_err().to_string()
        };
        assert_eq!(
            read(&[2, 1], 15),
            "a tensor of f64 of shape [2, 1] has 16 bytes, and 15 were given"
        );
        assert!(read(&[0, 5], 1).contains("has 0 bytes, and 1 were"));
        assert!(read(&[1 << 62, 1 << 62], 8).contains("has more bytes, and 8 were"));
        assert!(read(&[1 << 61], 8).contains("has more bytes, and 8 were"));
    }
}
