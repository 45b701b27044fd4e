//! Definite JSONPaths of parameter mappings: `a.b[0]['c d'].e`, without `$.` in front.
//!
//! A path that may mean many values (`..`, `*`, filters, slices, lists) comes with the template
//! language. The text is searched in place, so that numbers keep their spelling and nothing is
//! allocated for what the path does not want; it is checked as a whole first.

use serde::Deserialize as _;

/// A path to at most one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath {
    steps: Box<[Step]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(Box<str>),
    /// Negative counts from the end.
    Index(i64),
}

/// The body is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidJson;

impl JsonPath {
    /// Compiles what stands behind `body.` in a mapping expression; a leading `$` is allowed.
    ///
    /// # Errors
    /// What is wrong with it, as half a sentence.
    pub fn compile(text: &str) -> Result<Self, String> {
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        if rest.len() < text.len() {
            rest = rest.strip_prefix('.').unwrap_or(rest);
        }
        let mut steps = Vec::new();
        let mut expects_name = true;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (step, after) = bracket(inner, text)?;
                steps.push(step);
                rest = after;
                expects_name = false;
                continue;
            }
            if !expects_name {
                rest = rest
                    .strip_prefix('.')
                    .ok_or_else(|| format!("'{text}' has no '.' or '[' before '{rest}'"))?;
            }
            if rest.starts_with('.') {
                return Err(indefinite(text, ".."));
            }
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if after == "." {
                return Err(format!("'{text}' has an empty name"));
            }
            match name {
                "" => return Err(format!("'{text}' has an empty name")),
                "*" => return Err(indefinite(text, "*")),
                name => steps.push(Step::Member(name.into())),
            }
            rest = after;
            expects_name = false;
        }
        Ok(Self { steps: steps.into() })
    }

    /// Appends what the path leads to in `json`; `Ok(false)`: nothing, or `null`.
    ///
    /// A string is written without quotes and escapes, an object or array as compact JSON.
    ///
    /// # Errors
    /// [`InvalidJson`]; nothing has been written.
    pub fn write(&self, json: &[u8], out: &mut Vec<u8>) -> Result<bool, InvalidJson> {
        check(json)?;
        Ok(self.write_checked(json, out))
    }

    /// The same for what is known to be JSON.
    ///
    /// # Panics
    /// Perhaps, if it is none.
    pub fn write_checked(&self, json: &[u8], out: &mut Vec<u8>) -> bool {
        let mut at = Some(skip_blanks(json, 0));
        for step in &self.steps {
            let Some(start) = at else { break };
            at = match (step, json.get(start)) {
                (Step::Member(name), Some(b'{')) => member(json, start, name),
                (Step::Index(index), Some(b'[')) => element(json, start, *index),
                _ => None,
            };
        }
        let Some(start) = at else { return false };
        let value = &json[start..skip_value(json, start)];
        match value.first() {
            Some(b'n') | None => return false,
            Some(b'"') => write_string(value, out),
            Some(b'{' | b'[') => write_compact(value, out),
            Some(_) => out.extend_from_slice(value),
        }
        true
    }
}

fn indefinite(text: &str, what: &str) -> String {
    format!(
        "'{text}' may mean several values because of '{what}'; paths to one value work now \
         (a.b[0]['c']), others come with mapping templates"
    )
}

/// Reads what stands behind a `[`, to behind the `]`.
fn bracket<'a>(inner: &'a str, text: &str) -> Result<(Step, &'a str), String> {
    if let Some(quote) = inner.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let (name, rest) = inner[1..]
            .split_once(quote)
            .ok_or_else(|| format!("'{text}' has a name without closing {quote}"))?;
        return match rest.strip_prefix(']') {
            Some(rest) => Ok((Step::Member(name.into()), rest)),
            None if rest.trim_start().starts_with(',') => Err(indefinite(text, ",")),
            None => Err(format!("'{text}' has no ']' behind '{name}'")),
        };
    }
    let (index, rest) =
        inner.split_once(']').ok_or_else(|| format!("'{text}' has a '[' without ']'"))?;
    match index.trim().parse() {
        Ok(index) => Ok((Step::Index(index), rest)),
        Err(_) if index.contains(['*', '?', ':', ',']) => Err(indefinite(text, index)),
        Err(_) => Err(format!("'{text}' has the index '{index}', which is no number")),
    }
}

/// Checks that all of `json` is one JSON value, at most 128 deep.
///
/// # Errors
/// [`InvalidJson`].
pub fn check(json: &[u8]) -> Result<(), InvalidJson> {
    // Only UTF-8 may be cut at token boundaries below.
    std::str::from_utf8(json).map_err(|_| InvalidJson)?;
    let mut reader = serde_json::Deserializer::from_slice(json);
    serde::de::IgnoredAny::deserialize(&mut reader).map_err(|_| InvalidJson)?;
    reader.end().map_err(|_| InvalidJson)
}

// Everything below walks text that `check` has accepted; an index beyond the end means its end.

fn skip_blanks(json: &[u8], at: usize) -> usize {
    at + json[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Index behind the string that begins at `at`.
fn skip_string(json: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(found) = json.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if json[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    json.len()
}

/// Index behind the value that begins at `at`.
fn skip_value(json: &[u8], at: usize) -> usize {
    match json.get(at) {
        Some(b'"') => skip_string(json, at),
        Some(b'{' | b'[') => {
            let (mut at, mut depth) = (at, 0usize);
            while let Some(byte) = json.get(at) {
                match byte {
                    b'"' => {
                        at = skip_string(json, at);
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    return at;
                }
            }
            json.len()
        }
        _ => {
            let rest = json.get(at..).unwrap_or_default();
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
            at + rest.iter().position(ends).unwrap_or(rest.len())
        }
    }
}

/// Start of the value of the last member of this name: the last one counts, as in Java.
fn member(json: &[u8], object: usize, name: &str) -> Option<usize> {
    let mut at = skip_blanks(json, object + 1);
    let mut found = None;
    while json.get(at) == Some(&b'"') {
        let end = skip_string(json, at);
        let colon = skip_blanks(json, end);
        let value = skip_blanks(json, colon + 1);
        if is_string(&json[at..end], name) {
            found = Some(value);
        }
        at = skip_blanks(json, skip_value(json, value));
        if json.get(at) == Some(&b',') {
            at = skip_blanks(json, at + 1);
        }
    }
    found
}

fn element(json: &[u8], array: usize, index: i64) -> Option<usize> {
    let index = if index < 0 {
        let count = i64::try_from(elements(json, array).count()).ok()?;
        count.checked_add(index)?
    } else {
        index
    };
    elements(json, array).nth(usize::try_from(index).ok()?)
}

/// Starts of an array's elements.
fn elements(json: &[u8], array: usize) -> impl Iterator<Item = usize> {
    let mut at = skip_blanks(json, array + 1);
    std::iter::from_fn(move || {
        let start = at;
        if matches!(json.get(at), None | Some(b']')) {
            return None;
        }
        at = skip_blanks(json, skip_value(json, at));
        if json.get(at) == Some(&b',') {
            at = skip_blanks(json, at + 1);
        }
        Some(start)
    })
}

/// Whether a JSON string, quotes included, means `text`.
fn is_string(literal: &[u8], text: &str) -> bool {
    if memchr::memchr(b'\\', literal).is_none() {
        return literal.get(1..literal.len().saturating_sub(1)) == Some(text.as_bytes());
    }
    serde_json::from_slice::<std::borrow::Cow<'_, str>>(literal).is_ok_and(|meant| meant == text)
}

fn write_string(literal: &[u8], out: &mut Vec<u8>) {
    if memchr::memchr(b'\\', literal).is_none() {
        out.extend_from_slice(literal.get(1..literal.len().saturating_sub(1)).unwrap_or_default());
    } else if let Ok(text) = serde_json::from_slice::<String>(literal) {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Copies a value without the blanks between its tokens.
fn write_compact(value: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        if byte == b'"' {
            let end = skip_string(value, at);
            out.extend_from_slice(&value[at..end]);
            at = end;
        } else {
            if !byte.is_ascii_whitespace() {
                out.push(byte);
            }
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#" {"a": {"b": [ {"c": "x\u00e9\n"}, 2.50, true, null, [ ] ]},
        "c d": "plain", "quo\"te": 1, "dup": 1, "dup": {"k": [1, "two, \"three\" ]"] } , "e": ""} "#;

    fn value(path: &str, json: &str) -> Result<Option<String>, InvalidJson> {
        let mut out = Vec::new();
        let found = JsonPath::compile(path).unwrap().write(json.as_bytes(), &mut out)?;
        Ok(found.then(|| String::from_utf8(out).unwrap()))
    }

    #[test]
    fn definite_paths_find_their_value() {
        for (path, want) in [
            ("a.b[0].c", Some("x\u{e9}\n")),
            ("$.a.b[1]", Some("2.50")),
            ("a['b'][2]", Some("true")),
            ("a.b[3]", None), // null is as good as nothing
            ("a.b[4]", Some("[]")),
            ("a.b[-4]", Some("2.50")),
            ("a.b[5]", None),
            ("a.b[-6]", None),
            ("['c d']", Some("plain")),
            ("dup", Some(r#"{"k":[1,"two, \"three\" ]"]}"#)),
            ("dup.k[1]", Some("two, \"three\" ]")),
            ("e", Some("")),
            ("missing.x", None),
            ("e.x", None),
            ("a[0]", None),
            ("quo\"te", Some("1")),
        ] {
            assert_eq!(value(path, JSON), Ok(want.map(str::to_owned)), "{path}");
        }
        assert_eq!(value("$", " [1 , 2] "), Ok(Some("[1,2]".into())));
        assert_eq!(value("[0]", "[\"a\"]"), Ok(Some("a".into())));
        assert_eq!(value("x", "\"text\""), Ok(None));
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        for json in ["", "{", "{\"a\":1,}", "{'a':1}", "[1] 2", "{\"a\":\"\\x\"}", "nul"] {
            assert_eq!(value("a", json), Err(InvalidJson), "{json}");
        }
        assert_eq!(value("a", &"[".repeat(10_000)), Err(InvalidJson));
        let mut out = Vec::new();
        assert_eq!(
            JsonPath::compile("a").unwrap().write(b"{\"a\":\"\xff\"}", &mut out),
            Err(InvalidJson)
        );
    }

    #[test]
    fn indefinite_and_broken_paths_are_refused() {
        for (path, says) in [
            ("a..b", "several values"),
            ("$..b", "several values"),
            ("a.*", "several values"),
            ("a[*]", "several values"),
            ("a[?(@.b)]", "several values"),
            ("a[0:2]", "several values"),
            ("a[0,1]", "several values"),
            ("a['x','y']", "several values"),
            ("a.", "empty name"),
            ("a[x]", "no number"),
            ("a[0", "without ']'"),
            ("a['x", "without closing"),
            ("a[0]b", "no '.' or '['"),
        ] {
            let error = JsonPath::compile(path).unwrap_err();
            assert!(error.contains(says), "{path}: {error}");
        }
    }

    #[test]
    fn any_json_and_any_path_end_well() {
        proptest::proptest!(|(json in "[\\[\\]{}\",:0-9a-z\\\\ ]{0,40}", path in "[a-z.\\[\\]0-9'$*-]{0,12}")| {
            if let Ok(path) = JsonPath::compile(&path) {
                let _ = path.write(json.as_bytes(), &mut Vec::new());
            }
        });
    }
}
