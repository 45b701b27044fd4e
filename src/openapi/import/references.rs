//! Follows `$ref`s within the document.

use super::Importer;
use super::names::{self, shown};
use super::place::Place;
use super::report::Use;

/// References that may lead from one to the next.
const REFERENCES_MAX: usize = 64;

impl<'a> Importer<'a> {
    /// The place that `place` stands for: itself, or where its `$ref` leads. Says so if it leads
    /// nowhere.
    pub(super) fn resolve(&mut self, place: &Place<'a>) -> Option<Place<'a>> {
        let mut here = place.clone();
        let mut passed = Vec::new();
        while let Some(reference) = here.member("$ref") {
            passed.push(here.pointer.clone());
            here = self.follow(&here, &reference)?;
            if passed.contains(&here.pointer) {
                let way = format!("{} -> {}", passed.join(" -> "), here.pointer);
                self.report.error(
                    &reference,
                    format!("'$ref' leads back to itself: {}", shown(&way)),
                    "let it lead to the object itself",
                );
                return None;
            }
            if passed.len() > REFERENCES_MAX {
                self.report.error(
                    &reference,
                    format!("more than {REFERENCES_MAX} references lead from one to the next"),
                    "let it lead to the object itself",
                );
                return None;
            }
        }
        Some(here)
    }

    fn follow(&mut self, from: &Place<'a>, reference: &Place<'a>) -> Option<Place<'a>> {
        // OpenAPI 3.1 lets these two stand beside a reference; nothing else may.
        let beside = [
            ("$ref", Use::Read),
            ("summary", Use::Documentation),
            ("description", Use::Documentation),
        ];
        for (key, place) in from.members() {
            if !beside.iter().any(|(name, _)| *name == key) {
                let message = format!("'{}' stands beside a $ref and has no effect", shown(key));
                self.report.warning(&place(), message, "move it to where the $ref leads");
            }
        }
        let Some(target) = reference.node.as_str() else {
            self.wrong_kind(reference, "a string");
            return None;
        };
        let Some(fragment) = target.strip_prefix('#') else {
            self.report.error(
                reference,
                format!("'{}' leads out of the document", shown(target)),
                "API Gateway takes local references only: copy the object into this file",
            );
            return None;
        };
        let pointer = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy();
        let found = self.root.at(&pointer);
        if found.is_none() {
            let help = self.lost(&pointer);
            self.report.error(reference, format!("there is no '{}'", shown(target)), help);
        }
        found
    }

    /// What to do about a pointer that leads nowhere.
    fn lost(&self, pointer: &str) -> String {
        let named = pointer.rsplit_once('/').and_then(|(parent, name)| {
            let siblings = self.root.at(parent)?;
            let meant = names::meant(name, siblings.members().map(|(key, _)| key))?;
            Some(format!("did you mean '#{parent}/{meant}'?"))
        });
        named.unwrap_or_else(|| "define it, or mend the reference".to_owned())
    }
}
