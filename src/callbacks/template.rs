//! Names of files with values in them, as Python's `str.format` makes them.

use crate::error::Reason;
use crate::model::{fixed, scientific, shortest};

/// A value that a name can take.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Number(f64),
    Count(usize),
}

/// A text with places for values: `{epoch:02d}-{val_loss:.2f}`, and `{{` and `}}` for braces.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Field { name: String, format: Format },
}

/// What stands behind the colon of a field: `[0][width][.precision][kind]`.
#[derive(Clone, Debug, PartialEq)]
struct Format {
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Template {
    pub fn parse(text: &str) -> Result<Template, Reason> {
        let (mut parts, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = (&rest[..at], &rest[at..at + 1]);
            plain.push_str(before);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            let closed = rest.split_once('}').filter(|_| brace == "{");
            let (field, after) = closed.ok_or_else(|| {
                format!("a `{brace}` without its counterpart; a brace itself is `{brace}{brace}`")
            })?;
            let (name, format) = field.split_once(':').unwrap_or((field, ""));
            parts.push(Part::Text(std::mem::take(&mut plain)));
            parts.push(Part::Field { name: name.to_owned(), format: Format::parse(format)? });
            rest = after;
        }
        parts.push(Part::Text(plain + rest));
        Ok(Template(parts))
    }

    /// The text with values in it; an error names those that there are.
    pub fn fill(&self, values: &[(&str, Value)]) -> Result<String, Reason> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Field { name, format } => {
                    let value =
                        values.iter().find(|(known, _)| known == name).ok_or_else(|| {
                            let known: Vec<&str> = values.iter().map(|(known, _)| *known).collect();
                            format!("nothing is called {name:?}; there are {}", known.join(", "))
                        })?;
                    let value =
                        format.print(value.1).map_err(|reason| format!("{name}: {reason}"))?;
                    text.push_str(&value);
                }
            }
        }
        Ok(text)
    }
}

impl Format {
    fn parse(text: &str) -> Result<Format, Reason> {
        let wrong = || {
            format!(
                "the format {text:?} is not known; known are those like `02d`, `5d`, `.2f`, `08.3f` and `.1e`"
            )
        };
        let kind = text.chars().last().filter(|last| !last.is_ascii_digit());
        let digits = text.strip_suffix(|last| Some(last) == kind).unwrap_or(text);
        let (width, precision) = match digits.split_once('.') {
            Some((width, precision)) => (width, Some(precision.parse().map_err(|_| wrong())?)),
            None => (digits, None),
        };
        let width: usize = if width.is_empty() { 0 } else { width.parse().map_err(|_| wrong())? };
        let known = match kind {
            None => precision.is_none(),
            Some('d') => precision.is_none(),
            Some(kind) => matches!(kind, 'f' | 'e'),
        };
        // A name of a file is short: what asks for more is a mistake.
        if !known || width > 255 || precision.is_some_and(|precision: usize| precision > 255) {
            return Err(wrong().into());
        }
        Ok(Format { zeros: digits.starts_with('0'), width, precision, kind })
    }

    fn print(&self, value: Value) -> Result<String, Reason> {
        let precision = self.precision.unwrap_or(6);
        let text = match (self.kind, value) {
            (None | Some('d'), Value::Count(count)) => count.to_string(),
            (None, Value::Number(number)) => shortest(number),
            (Some('d'), Value::Number(_)) => {
                return Err("the format `d` is for whole numbers; use one like `.2f`".into());
            }
            (Some(kind), value) => {
                let number = match value {
                    Value::Number(number) => number,
                    Value::Count(count) => count as f64,
                };
                if kind == 'e' { scientific(number, precision) } else { fixed(number, precision) }
            }
        };
        let missing = self.width.saturating_sub(text.chars().count());
        if !self.zeros {
            return Ok(" ".repeat(missing) + &text);
        }
        let (sign, digits) = text.strip_prefix('-').map_or(("", &text[..]), |digits| ("-", digits));
        Ok(format!("{sign}{}{digits}", "0".repeat(missing)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> Result<String, Reason> {
        let (epoch, batch) = (Value::Count(3), Value::Count(12));
        let values = [
            ("epoch", epoch),
            ("batch", batch),
            ("val_loss", Value::Number(0.123_456)),
            ("change", Value::Number(-0.5)),
        ];
        Template::parse(template)?.fill(&values)
    }

    #[test]
    fn as_python_fills_them() {
        for (template, text) in [
            ("model.keras", "model.keras"),
            ("{epoch:02d}-{val_loss:.2f}.keras", "03-0.12.keras"),
            ("{epoch}{batch}", "312"),
            ("{epoch:3d}|{epoch:5}|{epoch:.1f}", "  3|    3|3.0"),
            (
                "{val_loss}|{val_loss:f}|{val_loss:8.3f}|{val_loss:08.3f}",
                "0.123456|0.123456|   0.123|0000.123",
            ),
            ("{val_loss:.2e}|{change:06.1f}|{change:6.1f}", "1.23e-01|-000.5|  -0.5"),
            ("{{{epoch}}}-{{epoch}}", "{3}-{epoch}"),
            ("größe-{epoch:03d}", "größe-003"),
        ] {
            assert_eq!(filled(template).as_deref(), Ok(text), "{template}");
        }
    }

    #[test]
    fn wrong_ones_say_what_is_wrong() {
        for (template, part) in [
            ("{epoch", "a `{` without its counterpart"),
            ("epoch}", "a `}` without its counterpart"),
            ("{}", "nothing is called \"\"; there are epoch, batch, val_loss, change"),
            (
                "{val_los:.2f}",
                "nothing is called \"val_los\"; there are epoch, batch, val_loss, change",
            ),
            ("{val_loss:02d}", "val_loss: the format `d` is for whole numbers; use one like `.2f`"),
            ("{val_loss:.2g}", "the format \".2g\" is not known"),
            ("{val_loss:.2}", "the format \".2\" is not known"),
            ("{val_loss:,}", "the format \",\" is not known"),
            ("{epoch:.2d}", "the format \".2d\" is not known"),
            ("{epoch:99999d}", "the format \"99999d\" is not known"),
            ("{epoch:é}", "the format \"é\" is not known"),
        ] {
            let error = filled(template).unwrap_err();
            assert!(error.as_str().contains(part), "{template}: {error}");
        }
    }
}
