//! What is found while a document is read, and the keys of each kind of object.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::super::{Diagnostic, Severity, Value};
use super::aws::{AwsFinding, AwsSeverity};
use super::names::{self, shown};
use super::place::Place;

/// All findings of an import.
#[derive(Debug, Default)]
pub(super) struct Report {
    diagnostics: Vec<Diagnostic>,
    /// Other vendors' extensions: their first place and how many more there are.
    foreign: IndexMap<String, (Diagnostic, usize)>,
    /// What AWS would say, in the order in which it is found.
    aws: Vec<AwsFinding>,
    /// Those of them that are errors.
    aws_errors: HashSet<String>,
    /// What AWS would be at: `Unable to put method 'GET' on resource at path '/'`.
    step: String,
}

impl Report {
    /// The document cannot be served, nor does AWS take it.
    pub(super) fn error(
        &mut self,
        place: &Place<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let message = message.into();
        self.aws_error(&message);
        self.ours(place, message, help);
    }

    /// The same where AWS has words of its own.
    pub(super) fn error_as(
        &mut self,
        place: &Place<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
        aws: &str,
    ) {
        self.aws_error(aws);
        self.ours(place, message, help);
    }

    /// The document cannot be served; AWS takes it.
    pub(super) fn ours(
        &mut self,
        place: &Place<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.diagnostics.push(diagnostic(Severity::Error, place, message, help));
    }

    /// The document can be served, AWS refuses it in these words.
    pub(super) fn refused(
        &mut self,
        place: &Place<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
        aws: &str,
    ) {
        self.aws_error(aws);
        self.warning(place, message, help);
    }

    /// AWS refuses the document. What is met twice through references is refused once.
    pub(super) fn aws_error(&mut self, message: &str) {
        let message = match &*self.step {
            "" => message.to_owned(),
            step => format!("{step}: {message}"),
        };
        if self.aws_errors.insert(message.clone()) {
            self.aws.push(AwsFinding { severity: AwsSeverity::Error, message });
        }
    }

    /// AWS warns of it, as often as it meets it.
    pub(super) fn aws_warning(&mut self, message: String) {
        self.aws.push(AwsFinding { severity: AwsSeverity::Warning, message });
    }

    /// AWS reads no further.
    pub(super) fn unreadable(&mut self, message: &str) {
        let message = message.to_owned();
        self.aws = vec![AwsFinding { severity: AwsSeverity::Unreadable, message }];
    }

    /// Says what AWS would be at from now on, and gives what it was at before.
    pub(super) fn step(&mut self, step: String) -> String {
        std::mem::replace(&mut self.step, step)
    }

    /// AWS would do it; Ringway does not yet.
    pub(super) fn not_carried_out(
        &mut self,
        place: &Place<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.diagnostics.push(diagnostic(Severity::NotCarriedOut, place, message, help));
    }

    /// AWS ignores it or fails at run time as well.
    pub(super) fn warning(
        &mut self,
        place: &Place<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.diagnostics.push(diagnostic(Severity::Warning, place, message, help));
    }

    /// A key whose value is `null`, as AWS reads it.
    pub(super) fn null(&mut self, place: &Place<'_>) {
        let message = format!("'{}' is null and counts as not there", shown(&place.key()));
        self.warning(place, message, "remove the key, or give it a value");
    }

    /// An extension that is neither AWS's nor ours; one warning for each name.
    fn foreign(&mut self, name: &str, place: &Place<'_>) {
        if let Some((_, more)) = self.foreign.get_mut(name) {
            *more += 1;
            return;
        }
        let message = format!("'{}' is another vendor's extension and has no effect", shown(name));
        let finding = diagnostic(Severity::Warning, place, message, "API Gateway ignores it too");
        self.foreign.insert(name.to_owned(), (finding, 0));
    }

    /// Everything, sorted by position; what is reached twice through references is said once.
    pub(super) fn finish(mut self) -> (Vec<Diagnostic>, Vec<AwsFinding>) {
        for (mut finding, more) in self.foreign.into_values() {
            match more {
                0 => {}
                1 => finding.message.push_str(" (here and in 1 more place)"),
                _ => finding.message.push_str(&format!(" (here and in {more} more places)")),
            }
            self.diagnostics.push(finding);
        }
        self.diagnostics.sort_by(|a, b| {
            let key = |it: &Diagnostic| (it.position, it.severity);
            let texts = a.pointer.cmp(&b.pointer).then_with(|| a.message.cmp(&b.message));
            key(a).cmp(&key(b)).then(texts)
        });
        self.diagnostics.dedup();
        (self.diagnostics, self.aws)
    }
}

fn is_empty(place: &Place<'_>) -> bool {
    match &place.node.value {
        Value::Map(members) => members.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}

fn diagnostic(
    severity: Severity,
    place: &Place<'_>,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Diagnostic {
    Diagnostic {
        severity,
        pointer: place.pointer.clone(),
        position: place.position,
        message: message.into(),
        help: help.into(),
    }
}

/// What becomes of a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    /// Something reads it; that reports what is wrong with it.
    Read,
    /// It describes the API to people and tools, and changes nothing about how it is served.
    Documentation,
    /// AWS carries it out, Ringway does not yet: what it would do, and what to do without.
    Later(&'static str, &'static str),
    /// AWS does not carry it out either: why.
    Ignored(&'static str),
}

/// The keys of one kind of object.
pub(super) type Keys = [(&'static str, Use)];

/// Every extension of AWS's and ours, and where it belongs.
pub(super) const EXTENSIONS: [(&str, &str); 21] = [
    ("x-amazon-apigateway-any-method", "a path"),
    ("x-amazon-apigateway-api-key-source", "the document's root"),
    ("x-amazon-apigateway-auth", "an operation"),
    ("x-amazon-apigateway-authorizer", "a security scheme"),
    ("x-amazon-apigateway-authtype", "a security scheme"),
    ("x-amazon-apigateway-binary-media-types", "the document's root"),
    ("x-amazon-apigateway-cors", "the root of an HTTP API"),
    ("x-amazon-apigateway-documentation", "the document's root"),
    ("x-amazon-apigateway-endpoint-access-mode", "the document's root"),
    ("x-amazon-apigateway-endpoint-configuration", "the root, or an entry of servers"),
    ("x-amazon-apigateway-gateway-responses", "the document's root"),
    ("x-amazon-apigateway-importexport-version", "the root of an HTTP API"),
    ("x-amazon-apigateway-integration", "an operation"),
    ("x-amazon-apigateway-integrations", "components of an HTTP API"),
    ("x-amazon-apigateway-minimum-compression-size", "the document's root"),
    ("x-amazon-apigateway-policy", "the document's root"),
    ("x-amazon-apigateway-request-validator", "the document's root or an operation"),
    ("x-amazon-apigateway-request-validators", "the document's root"),
    ("x-amazon-apigateway-security-policy", "the document's root"),
    ("x-amazon-apigateway-tag-value", "an entry of tags of an HTTP API"),
    ("x-ringway-throttle", "the document's root or an operation"),
];

impl Report {
    /// Accounts for every key of an object: no key is passed over in silence.
    pub(super) fn keys(&mut self, object: &Place<'_>, what: &str, known: &[(&str, Use)]) {
        for (key, place) in object.members() {
            match known.iter().find(|(name, _)| *name == key) {
                Some((_, Use::Read | Use::Documentation)) => {}
                // AWS exports empty lists and objects, which ask for nothing.
                Some((_, Use::Later(..))) if is_empty(&place()) => {}
                Some((_, Use::Later(..))) if place().node.value == Value::Null => {
                    self.null(&place());
                }
                Some((_, Use::Later(message, help))) => {
                    self.not_carried_out(&place(), *message, *help);
                }
                Some((_, Use::Ignored(why))) => {
                    self.warning(
                        &place(),
                        format!("'{key}' has no effect: {why}"),
                        "remove it, or leave it: nothing reads it",
                    );
                }
                None => self.unknown_key(key, &place(), what, known),
            }
        }
    }

    /// A key that this kind of object does not have.
    pub(super) fn unknown_key(
        &mut self,
        key: &str,
        place: &Place<'_>,
        what: &str,
        known: &[(&str, Use)],
    ) {
        if key.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("x-")) {
            return self.unknown_extension(key, place, what);
        }
        let help = match names::meant(key, known.iter().map(|(name, _)| *name)) {
            Some(name) => format!("did you mean '{name}'?"),
            None => "remove it: nothing reads it".to_owned(),
        };
        self.warning(place, format!("{what} has no key '{}'", shown(key)), help);
    }

    fn unknown_extension(&mut self, key: &str, place: &Place<'_>, what: &str) {
        if let Some((_, home)) = EXTENSIONS.iter().find(|(name, _)| *name == key) {
            let message = format!("'{key}' has no effect in {what}");
            return self.warning(place, message, format!("it belongs in {home}"));
        }
        let nearest = names::nearest(key, EXTENSIONS.iter().map(|(name, _)| *name));
        let lower = key.to_ascii_lowercase();
        let ours = lower.starts_with("x-amazon-apigateway-") || lower.starts_with("x-ringway-");
        match nearest {
            Some((name, distance)) if ours || distance <= 3 => self.ours(
                place,
                format!("there is no extension '{}'", shown(key)),
                format!("did you mean '{name}'?"),
            ),
            None if ours => self.ours(
                place,
                format!("there is no extension '{}'", shown(key)),
                "remove it".to_owned(),
            ),
            _ => self.foreign(key, place),
        }
    }
}
