//! What can be wrong with a template, before it renders and while it does.

use std::fmt;

/// A template that is refused: at which byte, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Byte of the template.
    pub at: usize,
    /// What is wrong, half a sentence.
    pub message: String,
}

impl SyntaxError {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// Line, column and the line itself with a caret below the place.
    ///
    /// ```text
    /// line 2, column 9: expected ')' but found '}'
    ///   2 | #if($a }
    ///     |        ^
    /// ```
    pub fn explain(&self, template: &str) -> String {
        let place = Place::of(template, self.at);
        format!("{place}: {}\n{}", self.message, place.excerpt(template))
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// A rendering that failed: at which byte of the template, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderError {
    /// Byte of the template where what failed begins.
    pub at: usize,
    /// What went wrong, half a sentence.
    pub message: String,
}

impl RenderError {
    /// Boxed: errors are rare and large, and their results pass through every step of the machine.
    #[cold]
    pub(super) fn new(message: impl Into<String>) -> Box<Self> {
        Box::new(Self { at: usize::MAX, message: message.into() })
    }

    /// Line, column and the line itself with a caret below the place.
    pub fn explain(&self, template: &str) -> String {
        let place = Place::of(template, self.at);
        format!("{place}: {}\n{}", self.message, place.excerpt(template))
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RenderError {}

/// Line and column of a byte, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    line_start: usize,
}

impl Place {
    /// Of byte `at` of `template`; its end for a byte past it.
    pub fn of(template: &str, at: usize) -> Self {
        let mut at = at.min(template.len());
        while !template.is_char_boundary(at) {
            at -= 1;
        }
        let before = &template[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            line_start,
        }
    }

    /// The line, and a caret below the column. Long lines are cut around the place.
    fn excerpt(self, template: &str) -> String {
        const AROUND: usize = 60;
        let line = template[self.line_start..].lines().next().unwrap_or_default();
        let skipped = self.column.saturating_sub(AROUND + 1);
        let mut shown = String::new();
        if skipped > 0 {
            shown.push('…');
        }
        let left = line.chars().count() - skipped.min(line.chars().count());
        shown.extend(
            line.chars()
                .skip(skipped)
                .take(2 * AROUND)
                .map(|c| if c.is_control() { ' ' } else { c }),
        );
        if left > 2 * AROUND {
            shown.push('…');
        }
        let number = self.line.to_string();
        let indent = self.column - 1 - skipped + usize::from(skipped > 0);
        format!(
            "  {number} | {shown}\n  {:width$} | {:indent$}^",
            "",
            "",
            width = number.len(),
            indent = indent
        )
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}
