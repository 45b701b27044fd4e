//! Lines of CSV as `ImportApiKeys` reads them.

/// A line with its end.
pub(super) fn line(fields: &[&str]) -> String {
    let fields: Vec<String> = fields.iter().map(|text| field(text)).collect();
    fields.join(",") + "\n"
}

/// A field, in quotes where it could be read as something else (RFC 4180; the reader also knows `'` as a
/// quote, and takes blanks off).
fn field(text: &str) -> String {
    let needs_quotes = |c: char| matches!(c, ',' | '"' | '\'' | '\r' | '\n' | '\u{feff}');
    if !text.contains(needs_quotes) && text.trim_matches([' ', '\t']) == text {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A text without what would end a line of a table.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_have_to_be() {
        for (text, want) in [
            ("plain text", "plain text"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("O'Brien", "\"O'Brien\""),
            ("a \"b\"", "\"a \"\"b\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            (" blank", "\" blank\""),
            ("\ttab", "\"\ttab\""),
        ] {
            assert_eq!(field(text), want);
        }
        assert_eq!(line(&["a", "b,c"]), "a,\"b,c\"\n");
        assert_eq!(one_line("a\n b\tc "), "a b c");
    }
}
