//! Reads the `statusCode` of a MOCK's request template the way AWS does, which is not JSON's way.
//!
//! AWS takes names and texts in either quotes or none, missing values, doubled and trailing commas,
//! and ignores whatever follows the object's closing brace. It insists on an opening brace, on
//! every quote being closed by its like, on nothing but a name where a name stands, and on the
//! status being an integer; any integer will do.
//!
//! Source: facts, aws-recorded section 26 (probed) and rest-api section 7.

/// There is no integer `statusCode` to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoStatus;

/// Objects and arrays within each other.
const DEPTH_MAX: usize = 128;

/// The integer `statusCode` of a lenient object; the last one if there are several.
///
/// # Errors
/// [`NoStatus`]: no object, broken beyond leniency, or `statusCode` missing or no integer.
pub fn parse(text: &[u8]) -> Result<i64, NoStatus> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_blanks();
    reader.expect(b'{')?;
    let mut status = None;
    loop {
        reader.skip_blanks();
        match reader.peek().ok_or(NoStatus)? {
            b'}' => break,
            b',' => {
                reader.at += 1;
                continue;
            }
            _ => {}
        }
        let name = reader.name()?;
        reader.skip_blanks();
        if reader.peek() != Some(b':') {
            continue; // a name without a value
        }
        reader.at += 1;
        reader.skip_blanks();
        let value = reader.value()?;
        if name == b"statusCode" {
            status = Some(value);
        }
    }
    let digits = std::str::from_utf8(status.ok_or(NoStatus)?).map_err(|_| NoStatus)?;
    digits.parse().map_err(|_| NoStatus)
}

/// Whether there is an object at all: an empty body counts as `{}` (facts, rest-api section 7).
pub fn is_blank(text: &[u8]) -> bool {
    text.trim_ascii().is_empty()
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), NoStatus> {
        if self.peek() != Some(byte) {
            return Err(NoStatus);
        }
        self.at += 1;
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Text between quotes of one kind; a backslash takes the next byte along.
    fn quoted(&mut self) -> Result<&'a [u8], NoStatus> {
        let quote = self.peek().ok_or(NoStatus)?;
        let start = self.at + 1;
        self.at = start;
        while let Some(byte) = self.peek() {
            if byte == quote {
                self.at += 1;
                return Ok(&self.text[start..self.at - 1]);
            }
            self.at += if byte == b'\\' { 2 } else { 1 };
        }
        Err(NoStatus)
    }

    /// Everything up to one of `ends`, without blanks at its end.
    fn until(&mut self, ends: &[u8]) -> Result<&'a [u8], NoStatus> {
        let rest = &self.text[self.at..];
        let len = rest.iter().position(|byte| ends.contains(byte)).ok_or(NoStatus)?;
        self.at += len;
        Ok(rest[..len].trim_ascii_end())
    }

    fn name(&mut self) -> Result<&'a [u8], NoStatus> {
        match self.peek() {
            Some(b'"' | b'\'') => self.quoted(),
            Some(b'{' | b'[' | b']' | b':') | None => Err(NoStatus),
            Some(_) => self.until(b":,}"),
        }
    }

    /// The text of a value; empty for what is no plain text without quotes.
    fn value(&mut self) -> Result<&'a [u8], NoStatus> {
        match self.peek() {
            Some(b'"' | b'\'') => self.quoted().map(|_| &[][..]),
            Some(b'{' | b'[') => self.nested().map(|()| &[][..]),
            _ => self.until(b",}"),
        }
    }

    /// Skips an object or array.
    fn nested(&mut self) -> Result<(), NoStatus> {
        let mut open = smallvec::SmallVec::<[u8; 16]>::new();
        loop {
            match self.peek().ok_or(NoStatus)? {
                b'"' | b'\'' => {
                    self.quoted()?;
                    continue;
                }
                byte @ (b'{' | b'[') if open.len() < DEPTH_MAX => open.push(byte + 2),
                b'{' | b'[' => return Err(NoStatus),
                byte @ (b'}' | b']') if open.pop() != Some(byte) => {
                    return Err(NoStatus);
                }
                _ => {}
            }
            self.at += 1;
            if open.is_empty() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mock_status_is_read_as_leniently_as_aws_does() {
        for (text, want) in [
            (r#"{"statusCode": 200}"#, Ok(200)),
            ("{ statusCode: 200 }", Ok(200)),
            ("{'statusCode': 200, '': ''}", Ok(200)),
            (r#"{"statusCode": 200 , }"#, Ok(200)),
            (r#"{"statusCode": 200 ,, }"#, Ok(200)),
            (r#"{"statusCode": 200 , null: null }"#, Ok(200)),
            ("{statusCode: 200, foo'}: [ba r]}", Ok(200)),
            ("{statusCode: 200, }foo: ''}", Ok(200)),
            ("\n  {\"statusCode\" : 404}\n", Ok(404)),
            (r#"{"a": {"b": ["}", '{']}, "statusCode": 201}"#, Ok(201)),
            (r#"{"statusCode": 0}"#, Ok(0)),
            (r#"{"statusCode": -1000}"#, Ok(-1000)),
            (r#"{"statusCode": 200, "statusCode": 500}"#, Ok(500)),
            (r#"{"a\"b": 1, statusCode: 7}"#, Ok(7)),
            ("statusCode: 200", Err(NoStatus)),
            (r#"{"statusCode': 200 }"#, Err(NoStatus)),
            ("{'statusCode: 200 }", Err(NoStatus)),
            ("{statusCode: 200, {foo: [ba r]}", Err(NoStatus)),
            (r#"{"statusCode": "200"}"#, Err(NoStatus)),
            (r#"{"statusCode": 200.5}"#, Err(NoStatus)),
            (r#"{"statusCode": }"#, Err(NoStatus)),
            (r#"{"statusCode": null}"#, Err(NoStatus)),
            (r#"{"statusCode": 200"#, Err(NoStatus)),
            (r#"{"other": 200}"#, Err(NoStatus)),
            (r#"{"statuscode": 200}"#, Err(NoStatus)),
            (r#"{"a": [}, "statusCode": 200}"#, Err(NoStatus)),
            ("{}", Err(NoStatus)),
            ("[200]", Err(NoStatus)),
            ("", Err(NoStatus)),
            ("{\\", Err(NoStatus)),
            ("{\"\\", Err(NoStatus)),
        ] {
            assert_eq!(parse(text.as_bytes()), want, "{text}");
        }
        assert_eq!(parse(format!("{{a:{}", "[".repeat(100_000)).as_bytes()), Err(NoStatus));
        assert!(is_blank(b" \r\n") && !is_blank(b"{}"));
    }

    #[test]
    fn any_text_ends_well() {
        proptest::proptest!(|(text in "[{}\\[\\]:,'\"\\\\ a0-9]{0,30}")| {
            let _ = parse(text.as_bytes());
        });
    }
}
