//! Rows of CSV files, as Python's module `csv` writes them.

/// One row without its end. A field with a separator, a quote or a line's end in it stands in quotes.
pub(crate) fn row(fields: impl IntoIterator<Item = String>, separator: char) -> String {
    let special = [separator, '"', '\r', '\n'];
    let mut row = String::new();
    for (i, field) in fields.into_iter().enumerate() {
        if i > 0 {
            row.push(separator);
        }
        if field.contains(special) {
            row.push_str(&format!("\"{}\"", field.replace('"', "\"\"")));
        } else {
            row.push_str(&field);
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must() {
        let fields = || ["a", "b;c", "d\"e", "f,g", ""].map(str::to_owned);
        assert_eq!(row(fields(), ','), "a,b;c,\"d\"\"e\",\"f,g\",");
        assert_eq!(row(fields(), ';'), "a;\"b;c\";\"d\"\"e\";f,g;");
    }
}
