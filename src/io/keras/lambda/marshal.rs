//! The bytes in which Python keeps a function: of Python 2.7 and of 3.4 to 3.12.

/// A function, as far as it is of use.
pub(super) struct Code {
    /// How many arguments it takes.
    pub arguments: u32,
    bytes: Vec<u8>,
    pub constants: Vec<Constant>,
    /// What it calls by name.
    pub names: Vec<String>,
    /// Of Python 3.11 or later, which has other instructions for arithmetic.
    pub new: bool,
    /// Of Python 3.12 or later, which counts names of attributes twice.
    pub new_attributes: bool,
}

/// A constant of a function.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Constant {
    Number(f64),
    Other,
}

/// Anything that the bytes hold.
#[derive(Clone)]
enum Thing {
    Number(f64),
    Bytes(Vec<u8>),
    List(Vec<Thing>),
    Other,
}

/// How deep things may be in things.
const MAX_DEPTH: usize = 16;

/// The function of a text: bytes in base 64, or, until Keras 2.0, as they are.
pub(super) fn read(text: &str) -> Option<Code> {
    let bytes = base64(text).or_else(|| text.chars().map(|it| u8::try_from(it).ok()).collect())?;
    code(&bytes)
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for letter in text.bytes().filter(|it| !it.is_ascii_whitespace() && *it != b'=') {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

fn code(bytes: &[u8]) -> Option<Code> {
    if bytes.first()? & 0x7f != b'c' {
        return None;
    }
    // How many numbers come before the instructions tells the age.
    let numbers = [4, 5, 6]
        .into_iter()
        .find(|it| bytes.get(1 + 4 * it).is_some_and(|kind| kind & 0x7f == b's'))?;
    let refers = bytes[0] & 0x80 != 0;
    let mut reader = Reader { bytes, at: 1, known: Vec::new() };
    if refers {
        reader.known.push(Thing::Other);
    }
    let arguments = reader.number()?;
    reader.at = 1 + 4 * numbers;
    let Thing::Bytes(bytes) = reader.thing(0)? else { return None };
    let (Thing::List(constants), Thing::List(names)) = (reader.thing(0)?, reader.thing(0)?) else {
        return None;
    };
    let constants = constants.into_iter().map(|it| match it {
        Thing::Number(number) => Constant::Number(number),
        _ => Constant::Other,
    });
    let names = names.into_iter().map(|it| match it {
        Thing::Bytes(name) => String::from_utf8(name).ok(),
        _ => None,
    });
    // The first instruction of Python 3.11 says that it begins.
    let new = numbers == 5 && bytes.first() == Some(&151);
    // Python 3.11 prepares a call, and Python 3.12 does not.
    let new_attributes = new && !bytes.chunks_exact(2).any(|it| it[0] == 166 || it[0] == 160);
    let (constants, names) = (constants.collect(), names.collect::<Option<_>>()?);
    Some(Code { arguments, bytes, constants, names, new, new_attributes })
}

impl Code {
    /// The instructions, each with its argument. Until Python 3.5, only some had one, of two bytes.
    pub fn instructions(&self) -> Option<Vec<(u8, usize)>> {
        let mut found = Vec::new();
        if self.bytes.last() != Some(&83) {
            found.extend(self.bytes.chunks_exact(2).map(|it| (it[0], usize::from(it[1]))));
            return Some(found);
        }
        let mut at = 0;
        while let Some(&instruction) = self.bytes.get(at) {
            if instruction < 90 {
                found.push((instruction, 0));
                at += 1;
            } else {
                let [low, high] = *self.bytes.get(at + 1..at + 3)? else { return None };
                found.push((instruction, usize::from(u16::from_le_bytes([low, high]))));
                at += 3;
            }
        }
        Some(found)
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    /// What may be meant again.
    known: Vec<Thing>,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|it| it[0])
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn text(&mut self, length: usize) -> Option<Thing> {
        self.take(length).map(|it| Thing::Bytes(it.to_vec()))
    }

    fn thing(&mut self, depth: usize) -> Option<Thing> {
        if depth > MAX_DEPTH {
            return None;
        }
        let kind = self.byte()?;
        let place = (kind & 0x80 != 0).then(|| {
            self.known.push(Thing::Other);
            self.known.len() - 1
        });
        let kind = kind & 0x7f;
        let thing = match kind {
            b'N' | b'T' | b'F' | b'.' => Thing::Other,
            b'i' => Thing::Number(f64::from(self.number()? as i32)),
            b'g' => Thing::Number(f64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            b's' | b'u' | b't' | b'a' | b'A' => {
                let length = self.number()? as usize;
                self.text(length)?
            }
            b'z' | b'Z' => {
                let length = usize::from(self.byte()?);
                self.text(length)?
            }
            b'(' | b')' => {
                let count = match kind {
                    b')' => usize::from(self.byte()?),
                    _ => self.number()? as usize,
                };
                let mut list = Vec::new();
                for _ in 0..count {
                    list.push(self.thing(depth + 1)?);
                }
                Thing::List(list)
            }
            b'r' | b'R' => {
                let place = self.number()? as usize;
                match self.known.get(place)? {
                    // Lists of lists that are meant again and again would have no end.
                    Thing::List(_) if depth > 0 => Thing::Other,
                    known => known.clone(),
                }
            }
            _ => return None,
        };
        // Python 2 names what it has read by its order.
        if kind == b't' {
            self.known.push(thing.clone());
        }
        if let Some(place) = place {
            self.known[place] = thing.clone();
        }
        Some(thing)
    }
}
