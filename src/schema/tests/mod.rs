//! The module as a whole: a table of every keyword, what the compiler says, what bounds the work,
//! and whether another validator agrees.

mod bounds;
mod compiling;
mod oracle;
mod table;

use super::{Checker, Messages, Schema, Verdict, check_body};
use crate::json::Tape;

/// Compiles a schema that has no mistakes and refers to no models.
fn compile(text: &str) -> Schema {
    Schema::compile(text, &|_| None).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// The verdict on a body, with and without messages, and what is said about it.
fn judge(schema: &Schema, body: &str) -> (Verdict, String) {
    let (mut tape, mut checker, mut messages) = (Tape::new(), Checker::new(), Messages::new());
    let short = check_body(schema, body.as_bytes(), &mut tape, &mut checker, None);
    let long = check_body(schema, body.as_bytes(), &mut tape, &mut checker, Some(&mut messages));
    assert_eq!(short, long, "{body}");
    assert_eq!(messages.is_empty(), short == Verdict::Valid, "{messages} about {body}");
    (short, if messages.is_empty() { String::new() } else { messages.to_string() })
}
