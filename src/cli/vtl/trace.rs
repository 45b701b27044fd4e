//! `--trace`: what a rendering did, line by line on standard error.

use std::io::Write;

use crate::vtl::{Place, Tracer};

/// Characters of a value that are shown.
const SHOWN_MAX: usize = 120;

/// Writes what it is told to standard error.
pub(super) struct ToStderr<'t> {
    template: &'t str,
}

impl<'t> ToStderr<'t> {
    pub(super) fn new(template: &'t str) -> Self {
        Self { template }
    }

    /// The reference or directive at a byte of the template, with its arguments.
    fn source(&self, at: usize) -> String {
        let rest = self.template.get(at..).unwrap_or_default();
        let mut depth = 0_u32;
        let mut end = rest.len();
        for (index, c) in rest.char_indices() {
            match c {
                '(' | '[' => depth += 1,
                ')' | ']' if depth == 0 => {
                    end = index;
                    break;
                }
                ')' | ']' => depth -= 1,
                '\n' => {
                    end = index;
                    break;
                }
                '$' | '#' | '\\' if index == 0 => {}
                '{' | '!' if index <= 2 => {}
                '}' if rest[..index].contains('{') => {
                    end = index + 1;
                    break;
                }
                '.' | '_' | '-' => {}
                c if depth > 0 || c.is_ascii_alphanumeric() => {}
                _ => {
                    end = index;
                    break;
                }
            }
        }
        rest[..end].trim_end_matches('.').chars().take(60).collect()
    }

    fn say(&self, at: usize, what: &str) {
        let place = Place::of(self.template, at);
        let _ = writeln!(std::io::stderr(), "{}:{}: {what}", place.line, place.column);
    }
}

fn shown(value: &str) -> String {
    let mut text: String = value.chars().take(SHOWN_MAX).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    format!("{text:?}")
}

impl Tracer for ToStderr<'_> {
    fn reference(&mut self, at: usize, value: Option<&str>) {
        let value = value.map_or_else(|| "null".to_owned(), shown);
        self.say(at, &format!("{} = {value}", self.source(at)));
    }

    fn set(&mut self, at: usize, name: &str, value: &str) {
        self.say(at, &format!("${name} is set to {}", shown(value)));
    }

    fn branch(&mut self, at: usize, taken: bool) {
        let how = if taken { "is taken" } else { "is not taken" };
        self.say(at, &format!("{} {how}", self.source(at)));
    }
}
