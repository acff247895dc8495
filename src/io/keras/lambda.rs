//! Layers `Lambda` whose function is arithmetic with numbers, as `lambda x: x / 127.5 - 1`.
//!
//! Keras wrote the function as Python's own bytes: its constants and the instructions of Python's machine, which differ from version to version. Nothing of it
//! is run here. It is read as an expression of the argument, and what has no layers stays a `Lambda`.

mod marshal;

use super::operations::{Source, Step, rescaling, step};
use crate::config::{Value, json};
use marshal::{Code, Constant};

/// What the function gives, as far as it is known: something of its argument.
#[derive(Clone, Debug, PartialEq)]
enum Expression {
    /// `scale x + offset` of the argument, or of one of its parts where it is a list.
    Affine {
        part: Option<usize>,
        scale: f64,
        offset: f64,
    },
    Number(f64),
    /// The difference of two parts of a list, and its absolute value.
    Difference([usize; 2]),
    Distance([usize; 2]),
    /// A module, or a function of one, by its last name.
    Named(String),
    /// What Python 3.11 puts under a function that it calls.
    Nothing,
}

use Expression::{Affine, Difference, Distance, Named, Nothing, Number};

/// The function of a `Lambda`, if it is arithmetic; by the options of the layer.
fn expression(config: &Value) -> Option<Expression> {
    let text = match config.get("function")? {
        Value::Array(parts) => parts.first()?.as_str()?,
        Value::String(code) => code,
        object => object.inside(&["config", "code"])?.as_str()?,
    };
    // Arguments beside the value would need to be known.
    let arguments = config.get("arguments").and_then(Value::as_object);
    if arguments.is_some_and(|it| it.iter().next().is_some()) {
        return None;
    }
    run(&marshal::read(text)?)
}

/// The layer that does what a `Lambda` does, in a chain.
pub(super) fn in_chain(layer: &Value) -> Option<(&'static str, Value)> {
    match expression(layer.get("config")?)? {
        Affine { part: None, scale, offset } => {
            Some(("Rescaling", json!({ "scale": scale, "offset": offset })))
        }
        _ => None,
    }
}

/// The layers that do it, in a graph.
pub(super) fn steps(config: &Value, inputs: &[Source]) -> Option<Vec<Step>> {
    let both = |[a, b]: [usize; 2]| Some(vec![inputs.get(a)?.clone(), inputs.get(b)?.clone()]);
    match (expression(config)?, inputs) {
        (Affine { part: None, scale, offset }, [x]) => {
            Some(vec![rescaling(json!(scale), json!(offset), x.clone())])
        }
        (Difference(parts), _) => Some(vec![step("Subtract", json!({}), both(parts)?)]),
        // |a - b| is the larger one of a - b and b - a.
        (Distance([a, b]), _) => Some(vec![
            step("Subtract", json!({}), both([a, b])?),
            step("Subtract", json!({}), both([b, a])?),
            step("Maximum", json!({}), vec![Source::Step(0), Source::Step(1)]),
        ]),
        _ => None,
    }
}

/// Follows the instructions of a function of one argument, without a branch.
fn run(code: &Code) -> Option<Expression> {
    if code.arguments != 1 {
        return None;
    }
    let mut stack: Vec<Expression> = Vec::new();
    for (instruction, argument) in code.instructions()? {
        match instruction {
            // What does nothing: places for caches, the beginning, the preparation of a call.
            0 | 151 | 166 if code.new => {}
            2 if code.new => stack.push(Nothing),
            124 if argument == 0 => {
                stack.push(Affine { part: None, scale: 1.0, offset: 0.0 });
            }
            100 => match *code.constants.get(argument)? {
                Constant::Number(number) => stack.push(Number(number)),
                Constant::Other => return None,
            },
            11 => {
                let x = stack.pop()?;
                stack.push(binary('-', Number(0.0), x)?);
            }
            20 | 21 | 23 | 24 | 25 | 27 => {
                let sign = match instruction {
                    20 => '*',
                    23 => '+',
                    24 => '-',
                    25 => '[',
                    _ => '/',
                };
                let (b, a) = (stack.pop()?, stack.pop()?);
                stack.push(binary(sign, a, b)?);
            }
            // All operations of Python 3.11.
            122 if code.new => {
                let sign = match argument {
                    0 => '+',
                    5 => '*',
                    10 => '-',
                    11 => '/',
                    _ => return None,
                };
                let (b, a) = (stack.pop()?, stack.pop()?);
                stack.push(binary(sign, a, b)?);
            }
            // A module or a function, and one that belongs to it.
            116 => {
                let place = if code.new { argument >> 1 } else { argument };
                stack.push(Named(code.names.get(place)?.clone()));
            }
            106 | 160 => {
                let Named(_) = stack.pop()? else { return None };
                let place = if code.new_attributes { argument >> 1 } else { argument };
                stack.push(Named(code.names.get(place)?.clone()));
            }
            131 | 161 | 171 if argument == 1 => {
                let x = stack.pop()?;
                let Named(function) = stack.pop()? else { return None };
                if stack.last() == Some(&Nothing) {
                    stack.pop();
                }
                match (function.as_str(), x) {
                    ("abs", Difference(parts)) => stack.push(Distance(parts)),
                    _ => return None,
                }
            }
            83 => return stack.pop(),
            _ => return None,
        }
    }
    None
}

/// An operation of two values. Of numbers alone Python has computed it already.
fn binary(sign: char, a: Expression, b: Expression) -> Option<Expression> {
    Some(match (sign, a, b) {
        ('+', Affine { part, scale, offset }, Number(y))
        | ('+', Number(y), Affine { part, scale, offset }) => {
            Affine { part, scale, offset: offset + y }
        }
        ('-', Affine { part, scale, offset }, Number(y)) => {
            Affine { part, scale, offset: offset - y }
        }
        ('-', Number(y), Affine { part, scale, offset }) => {
            Affine { part, scale: -scale, offset: y - offset }
        }
        ('*', Affine { part, scale, offset }, Number(y))
        | ('*', Number(y), Affine { part, scale, offset }) => {
            Affine { part, scale: scale * y, offset: offset * y }
        }
        ('/', Affine { part, scale, offset }, Number(y)) if y != 0.0 => {
            Affine { part, scale: scale / y, offset: offset / y }
        }
        ('[', Affine { part: None, scale: 1.0, offset: 0.0 }, Number(index @ (0.0 | 1.0))) => {
            Affine { part: Some(index as usize), scale: 1.0, offset: 0.0 }
        }
        (
            '-',
            Affine { part: Some(a), scale: 1.0, offset: 0.0 },
            Affine { part: Some(b), scale: 1.0, offset: 0.0 },
        ) => Difference([a, b]),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function of one argument as Python keeps it, up to where it is read, with so many numbers before the instructions.
    fn function(numbers: usize, bytes: &[u8], constants: &[f64], names: &[&str]) -> Code {
        let mut all = vec![b'c'];
        all.extend([1, 0, 0, 0]);
        all.extend(vec![0; 4 * (numbers - 1)]);
        let count = |n: usize| (n as u32).to_le_bytes();
        all.push(b's');
        all.extend(count(bytes.len()));
        all.extend(bytes);
        all.push(b'(');
        all.extend(count(constants.len()));
        for constant in constants {
            all.push(b'g');
            all.extend(constant.to_le_bytes());
        }
        all.push(b'(');
        all.extend(count(names.len()));
        for name in names {
            all.push(b't');
            all.extend(count(name.len()));
            all.extend(name.bytes());
        }
        // As Keras 1 wrote them.
        let text: String = all.into_iter().map(char::from).collect();
        marshal::read(&text).unwrap()
    }

    #[test]
    fn arithmetic_of_every_age() {
        let expected = Some(Affine { part: None, scale: 1.0 / 4.0, offset: -1.0 });
        // x / 4.0 - 1.0 of Python 2.7, whose instructions have arguments of two bytes or none.
        let two = [124, 0, 0, 100, 0, 0, 21, 100, 1, 0, 24, 83];
        assert_eq!(run(&function(4, &two, &[4.0, 1.0], &[])), expected);
        assert_eq!(run(&function(5, &two, &[4.0, 1.0], &[])), expected);
        let three = [124, 0, 100, 0, 27, 0, 100, 1, 24, 0, 83, 0];
        for numbers in [5, 6] {
            assert_eq!(run(&function(numbers, &three, &[4.0, 1.0], &[])), expected);
        }
        let latest = [151, 0, 124, 0, 100, 0, 122, 11, 0, 0, 100, 1, 122, 10, 0, 0, 83, 0];
        assert_eq!(run(&function(5, &latest, &[4.0, 1.0], &[])), expected);
        // 1.0 - -x / 4.0
        let negative = [100, 0, 124, 0, 11, 0, 100, 1, 27, 0, 24, 0, 83, 0];
        let expected = Some(Affine { part: None, scale: 1.0 / 4.0, offset: 1.0 });
        assert_eq!(run(&function(5, &negative, &[1.0, 4.0], &[])), expected);
    }

    #[test]
    fn distances_of_two_values() {
        // K.abs(x[0] - x[1])
        let code =
            [116, 0, 160, 1, 124, 0, 100, 0, 25, 0, 124, 0, 100, 1, 25, 0, 24, 0, 161, 1, 83, 0];
        let code = function(6, &code, &[0.0, 1.0], &["K", "abs"]);
        assert_eq!(run(&code), Some(Distance([0, 1])));
        let inputs = ["a", "b"].map(|name| Source::Given(json!([name, 0, 0, {}])));
        assert!(steps(&json!({}), &inputs).is_none());
    }

    #[test]
    fn other_functions_stay_as_they_are() {
        // x + x, a branch, something of Python 3.13.
        for code in
            [&[124, 0, 124, 0, 23, 0, 83, 0][..], &[124, 0, 114, 4, 83, 0], &[149, 0, 83, 0]]
        {
            assert_eq!(run(&function(5, code, &[], &[])), None);
        }
        for text in ["", "c", "4wEAAAAA", "\u{100}", "cAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(marshal::read(text).is_none(), "{text}");
        }
    }
}
