//! What is said about a body: the list that `$context.error.validationErrorString` shows.

use std::fmt::{self, Write};

use crate::schema::limits::MESSAGES_BYTES_MAX;

/// The body is no JSON. Source: recorded in an execution log.
pub(super) const UNREADABLE: &str = "Unknown error parsing request body";
/// Ours: the Java validator has no bound.
pub(super) const EXHAUSTED: &str =
    "validation of the body takes too many steps; send less at once or nest it less";

/// Messages about one body, in the validator's order; at most [`MESSAGES_BYTES_MAX`] bytes of them.
/// Its memory is kept from one body to the next.
#[derive(Clone, Debug, Default)]
pub struct Messages {
    text: String,
    /// Where in `text` each message ends.
    ends: Vec<usize>,
}

impl Messages {
    /// No messages; nothing is allocated until there is one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all messages and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        // A message is written whole before it is cut.
        self.text.shrink_to(4 * MESSAGES_BYTES_MAX);
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The messages one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end])
    }

    pub(super) fn push(&mut self, message: &str) {
        self.write(|text| text.push_str(message));
    }

    /// Adds the message that `write` appends. What is longer than there is room for ends in `...`.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut String)) {
        if self.is_full() {
            return;
        }
        write(&mut self.text);
        if self.is_full() {
            let mut end = MESSAGES_BYTES_MAX - 3;
            while !self.text.is_char_boundary(end) {
                end -= 1;
            }
            self.text.truncate(end);
            self.text.push_str("...");
            // The next one finds no room.
            self.text.extend(std::iter::repeat_n('.', MESSAGES_BYTES_MAX - self.text.len()));
        }
        self.ends.push(self.text.len());
    }

    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= MESSAGES_BYTES_MAX
    }
}

/// `[first, second]`, as the service shows the list.
impl fmt::Display for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('[')?;
        for (index, message) in self.iter().enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            f.write_str(message)?;
        }
        f.write_char(']')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_print_as_a_list_and_end_somewhere() {
        let mut messages = Messages::new();
        assert_eq!(messages.to_string(), "[]");
        messages.push("a");
        messages.push("b, c");
        assert_eq!(messages.to_string(), "[a, b, c]");
        assert_eq!(messages.iter().collect::<Vec<_>>(), ["a", "b, c"]);
        messages.push(&"é".repeat(MESSAGES_BYTES_MAX));
        messages.push("never seen");
        assert_eq!(messages.iter().count(), 3);
        let text = messages.to_string();
        assert!(text.ends_with("é...]") && text.len() < MESSAGES_BYTES_MAX + 10, "{}", text.len());
        messages.clear();
        assert!(messages.is_empty());
    }
}
