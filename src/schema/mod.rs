//! JSON Schema draft 4, as API Gateway judges request bodies by it.
//!
//! [`Schema::compile`] turns a model's text into flat lists of rules once, when a stage is deployed;
//! [`check_body`] parses a body onto the gateway's own tape and runs the rules over it. No tree is
//! built and nothing is allocated for a valid body. A failure is explained only when somebody asks:
//! then a second, slower pass (`explain`) writes what the service's own validator would say, in
//! its order.
//!
//! ```text
//! model text ──compile──▶ Schema (nodes · names · patterns · bounds)        at deploy time
//! body bytes ──parse_strict──▶ Tape ──check──▶ Verdict ──explain──▶ Messages   per request
//! ```
//!
//! In: a schema, a body. Out: [`Verdict`], and [`Messages`] for `$context.error.validationErrorString`.
//! Cost: O(rules that apply to the body), bounded by fuel ([`limits`]); memory is the [`Checker`]'s,
//! which a shard keeps.
//!
//! Rules come from draft-zyp-json-schema-04 and draft-fge-json-schema-validation-00; the messages and
//! their order from json-schema-validator (Java), whose texts AWS's answers have. Where the two
//! differ, what a body is worth goes by the draft, but for `format` (see `format`).
//!
//! This module knows no HTTP, no store and no OpenAPI: model texts come through a function.

mod check;
mod compile;
mod decimal;
mod ecma;
mod error;
mod explain;
mod format;
mod keywords;
mod messages;
mod pattern;
mod program;
mod reference;
mod unique;

#[cfg(test)]
mod tests;

pub use check::Checker;
pub use error::{SchemaError, Warning};
pub use messages::Messages;
pub use reference::referenced;

use crate::json::{Document, NodeId, Tape};

/// Every bound of this module.
pub mod limits {
    /// All texts that a schema is compiled from together, bytes. Ours; AWS's quota is 400 KB for one model.
    pub const TEXT_BYTES_MAX: usize = 4 << 20;
    /// Names that one object's rules may have, and strings of one `enum`. Ours: an index has 16 bits.
    pub const NAMES_MAX: usize = 20_000;
    /// A regular expression as it is written, bytes. Ours.
    pub const PATTERN_BYTES_MAX: usize = 8 << 10;
    /// A regular expression while it is compiled and as a program, bytes. Ours.
    pub const PATTERN_PROGRAM_BYTES_MAX: usize = 1 << 20;
    /// A regular expression as a table, bytes; larger ones run as a program. Ours.
    pub const PATTERN_TABLE_BYTES_MAX: usize = 128 << 10;
    /// Longest text for an expression that steps back, bytes. Ours: a step may cost the text's length.
    pub const PATTERN_BACKTRACKED_BYTES_MAX: usize = 16 << 10;
    /// Steps back that come with the price of any match. Ours.
    pub const PATTERN_BACKTRACKS_QUICK: usize = 500;
    /// Steps back of one match at most, and what it costs in fuel to take more than the few. Ours.
    pub const PATTERN_BACKTRACKS_MAX: usize = 20_000;
    /// Fuel for a match that may step back. Ours.
    pub const PATTERN_QUICK_STEPS: usize = 20;

    /// Fuel of one check: a step is one rule set on one value, some ten nanoseconds. Ours.
    pub const FUEL_BASE: usize = 100_000;
    /// Further fuel for each byte of the body: a schema may look at everything several times. Ours.
    pub const FUEL_PER_BYTE: usize = 8;
    /// Bytes of a body that bring that much; each further one brings one step. Ours: large bodies are
    /// large values or many alike, which take a fraction of a step a byte, and whoever sends 10 MiB to a
    /// schema that makes more of them is not to hold a shard for a second.
    pub const FUEL_DEAR_BYTES: usize = 256 << 10;
    /// Of its check's fuel the part that an explanation has at least, as a divisor. Ours.
    pub const EXPLANATION_FUEL_DIVISOR: usize = 4;
    /// Fuel for an element that is sorted: it is compared some twenty times. Ours.
    pub const SORT_STEPS: usize = 4;
    /// Bytes of a string that are looked at in one step. Ours.
    pub const STEP_BYTES: usize = 16;
    /// Rule sets within each other: a body's nesting, and `allOf` and the like on each level. Ours.
    pub const DEPTH_MAX: u32 = 900;
    /// Elements of an array that a checker keeps memory for, sixteen bytes each. Ours.
    pub const SEEN_KEPT: usize = 16_384;
    /// What is said about one body, bytes; the rest is cut. Ours.
    pub const MESSAGES_BYTES_MAX: usize = 8 << 10;

    /// Fuel for a body of so many bytes.
    pub const fn fuel(bytes: usize) -> usize {
        let dear = if bytes < FUEL_DEAR_BYTES { bytes } else { FUEL_DEAR_BYTES };
        FUEL_BASE + FUEL_PER_BYTE * dear + (bytes - dear)
    }

    // The payload limit unless it is changed: a tenth of a second or little more.
    const _: () = assert!(fuel(10 << 20) < 13_000_000);
    const _: () = assert!(NAMES_MAX < u16::MAX as usize);
    const _: () = assert!(DEPTH_MAX > 2 * crate::json::limits::DEPTH_MAX);
    const _: () = assert!(PATTERN_BACKTRACKS_MAX < FUEL_BASE);
}

/// What a body is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The schema accepts it.
    Valid,
    /// The schema refuses it.
    Invalid,
    /// It is no JSON, or not as JSON should be (a key twice, a number without an end).
    Unreadable,
    /// Nobody knows: judging it would have taken more steps than any body may cost.
    Exhausted,
}

impl Verdict {
    /// Whether the request may go on.
    #[inline]
    pub fn is_valid(self) -> bool {
        self == Self::Valid
    }
}

/// A compiled model.
#[derive(Debug)]
pub struct Schema {
    program: program::Program,
    warnings: Vec<Warning>,
}

impl Schema {
    /// Compiles draft 4 `text`. `resolve` gives the text of the model that a reference names,
    /// `https://apigateway.amazonaws.com/restapis/{api}/models/{Name}`, whatever the API.
    ///
    /// # Errors
    /// What draft 4 does not allow, what leads nowhere or around in circles, and what is larger
    /// than [`limits`], with the place and a way to mend it.
    pub fn compile<'m>(
        text: &str,
        resolve: &dyn Fn(&str) -> Option<&'m str>,
    ) -> Result<Self, SchemaError> {
        compile::compile(text, resolve)
    }

    /// What the schema says and draft 4 does not know, or API Gateway ignores.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Judges the value at `root`. If it is not valid and `out` is there, says why.
    ///
    /// Stops at the first failure without `out`. Allocates nothing, unless `uniqueItems` sees a
    /// larger array than the checker has before, or there is something to say.
    pub fn check(
        &self,
        checker: &mut Checker,
        document: &Document<'_, '_>,
        root: NodeId,
        out: Option<&mut Messages>,
    ) -> Verdict {
        let fuel = limits::fuel(document.text().len());
        let (verdict, left) = checker.check(&self.program, document, root, fuel);
        if let (Verdict::Invalid | Verdict::Exhausted, Some(out)) = (verdict, out) {
            let fuel = left.max(fuel / limits::EXPLANATION_FUEL_DIVISOR);
            explain::explain(&self.program, checker, document, root, fuel, verdict, out);
        }
        verdict
    }
}

/// Parses `body` and judges it. The tape then has the body, for whoever reads it next.
///
/// The JSON has to be strict; what is not is [`Verdict::Unreadable`], as is invalid UTF-8. A body of
/// nothing is judged as `{}`, as recordings have it, and if that will not do, it is called
/// unreadable, as the service's log has it. Either way the tape is left empty then.
pub fn check_body(
    schema: &Schema,
    body: &[u8],
    tape: &mut Tape,
    checker: &mut Checker,
    mut out: Option<&mut Messages>,
) -> Verdict {
    if let Some(out) = out.as_deref_mut() {
        out.clear();
    }
    let parsed =
        std::str::from_utf8(body).ok().and_then(|text| Some((text, tape.parse_strict(text).ok()?)));
    let verdict = match parsed {
        Some((text, root)) => schema.check(checker, &tape.document(text), root, out.as_deref_mut()),
        None => {
            let blank = body.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
            let judged = blank && {
                let root = tape.parse_strict("{}").expect("an empty object is JSON");
                schema.check(checker, &tape.document("{}"), root, None).is_valid()
            };
            tape.clear();
            if judged { Verdict::Valid } else { Verdict::Unreadable }
        }
    };
    if let (Verdict::Unreadable, Some(out)) = (verdict, out) {
        out.push(messages::UNREADABLE);
    }
    verdict
}
