//! CSV documents, a record at a time.
//!
//! Source: RFC 4180; facts, stages-canary-cache-throttle section 8, "CSV import".

/// A line of the document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The number of the line it begins on, from 1.
    pub(super) line: usize,
    /// Its fields, without their quotes.
    pub(super) fields: Vec<String>,
}

/// Splits a CSV document (RFC 4180, with `'` as another quote, blanks around fields, and lines that
/// end in any way). Empty lines are no records. An error is the last item.
pub(super) struct Records<'a>(Reader<'a>);

impl<'a> Records<'a> {
    /// The records of a text.
    pub(super) fn of(text: &'a str) -> Self {
        Self(Reader { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 })
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self(reader) = self;
        while !reader.rest.is_empty() {
            let line = reader.line;
            let mut fields = Vec::new();
            loop {
                match reader.field() {
                    Ok(field) => fields.push(field),
                    Err(why) => {
                        reader.rest = "";
                        return Some(Err(why));
                    }
                }
                match reader.rest.strip_prefix(',') {
                    Some(rest) => reader.rest = rest,
                    None => break,
                }
            }
            reader.line_end();
            if fields.len() > 1 || !fields[0].is_empty() {
                return Some(Ok(Record { line, fields }));
            }
        }
        None
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    /// A field; what follows it is a comma, a line's end or nothing.
    fn field(&mut self) -> Result<String, String> {
        self.skip_blanks();
        if let Some(quote @ ('"' | '\'')) = self.rest.chars().next() {
            self.rest = &self.rest[1..];
            return self.quoted(quote);
        }
        let end = self.rest.find([',', '\r', '\n']).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(field.trim_end_matches([' ', '\t']).to_owned())
    }

    /// The rest of a field in quotes; two of them are one of the text.
    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let opened = self.line;
        let mut field = String::new();
        loop {
            let Some((part, rest)) = self.rest.split_once(quote) else {
                return Err(format!("Line {opened}: a quoted field does not end"));
            };
            field.push_str(part);
            self.line += part.matches(['\r', '\n']).count() - part.matches("\r\n").count();
            self.rest = rest;
            match rest.strip_prefix(quote) {
                Some(rest) => {
                    field.push(quote);
                    self.rest = rest;
                }
                None => break,
            }
        }
        self.skip_blanks();
        if self.rest.is_empty() || self.rest.starts_with([',', '\r', '\n']) {
            return Ok(field);
        }
        Err(format!("Line {}: text follows a quoted field", self.line))
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn line_end(&mut self) {
        let rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
        self.rest = rest.strip_prefix('\n').unwrap_or(rest);
        self.line += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records(text: &str) -> Result<Vec<Record>, String> {
        Records::of(text).collect()
    }

    fn fields(text: &str) -> Vec<Vec<String>> {
        records(text).unwrap().into_iter().map(|it| it.fields).collect()
    }

    #[test]
    fn documents_are_split_by_commas_quotes_and_line_ends() {
        for (text, want) in [
            ("", vec![]),
            ("\u{feff}a,b", vec![vec!["a", "b"]]),
            ("a , b\r\nc,d\n", vec![vec!["a", "b"], vec!["c", "d"]]),
            ("a\rb", vec![vec!["a"], vec!["b"]]),
            ("\n\n a,\n ,b\n\n", vec![vec!["a", ""], vec!["", "b"]]),
            (r#""x,y" , 'it"s' ,"say ""hi""""#, vec![vec!["x,y", "it\"s", "say \"hi\""]]),
            ("\"two\nlines\",x", vec![vec!["two\nlines", "x"]]),
            ("O'Brien,b\"c", vec![vec!["O'Brien", "b\"c"]]),
        ] {
            assert_eq!(fields(text), want, "{text:?}");
        }
        for (text, want) in [
            ("a\n\"b\nc", "Line 2: a quoted field does not end"),
            ("a\n\"b\nc\" d", "Line 3: text follows a quoted field"),
        ] {
            assert_eq!(records(text).unwrap_err(), want);
        }
        let lines: Vec<usize> =
            records("a\n\n\"b\nc\"\nd").unwrap().iter().map(|it| it.line).collect();
        assert_eq!(lines, [1, 3, 5]);
    }

    #[test]
    fn a_document_of_many_lines_is_read_in_one_pass() {
        let text = "'a',\"b\"\n".repeat(100_000);
        assert_eq!(records(&text).unwrap().len(), 100_000);
        // Each quote looks as if it might be the last.
        assert!(records(&"\"\"".repeat(100_000)).is_ok());
        assert!(records(&"\"\"\"".repeat(99_999)).is_err());
    }

    proptest! {
        #[test]
        fn what_a_writer_wrote_is_read_back(
            table in proptest::collection::vec(proptest::collection::vec(".{0,12}", 2..5), 0..8),
            with_single_quotes: bool,
        ) {
            let quote = if with_single_quotes { "'" } else { "\"" };
            let written: String = table
                .iter()
                .map(|row| {
                    let row: Vec<String> = row
                        .iter()
                        .map(|field| format!("{quote}{}{quote}", field.replace(quote, &quote.repeat(2))))
                        .collect();
                    row.join(",") + "\n"
                })
                .collect();
            prop_assert_eq!(fields(&written), table);
        }
    }
}
