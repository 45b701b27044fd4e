//! Reads values of the kind that is wanted, and says what was found instead.

use indexmap::IndexMap;

use super::super::Value;
use super::names::shown;
use super::place::Place;
use super::{ImportOptions, Importer};

const WHOLE: &str = "a whole number from 0 to 4294967295";

impl<'a> Importer<'a> {
    /// Says that a value is of the wrong kind.
    pub(super) fn wrong_kind(&mut self, place: &Place<'_>, wanted: &str) {
        let kind = place.node.kind();
        let found = match place.node.scalar() {
            Some(text) => format!("{kind} ({})", shown(text)),
            None => kind.to_owned(),
        };
        let help = match cloudformation_function(place) {
            Some(name) => format!("{name} is CloudFormation's: put in what it gives"),
            None => format!("write {wanted}"),
        };
        let what = match &*place.pointer {
            "" => "the document".to_owned(),
            _ => format!("'{}'", shown(&place.key())),
        };
        let message = format!("{what} is {found}, but has to be {wanted}");
        self.report.error(place, message, help);
    }

    /// `null` stands for nothing, as AWS reads it.
    pub(super) fn is_null(&mut self, place: &Place<'_>) -> bool {
        let null = place.node.value == Value::Null;
        if null {
            self.report.null(place);
        }
        null
    }

    /// Whether the place holds an object; says so if not.
    pub(super) fn is_object(&mut self, place: &Place<'_>) -> bool {
        let object = matches!(place.node.value, Value::Map(_));
        if !object && !self.is_null(place) {
            self.wrong_kind(place, "an object");
        }
        object
    }

    /// Whether the place holds a list; says so if not.
    pub(super) fn is_list(&mut self, place: &Place<'_>) -> bool {
        let list = matches!(place.node.value, Value::List(_));
        if !list && !self.is_null(place) {
            self.wrong_kind(place, "a list");
        }
        list
    }

    /// A member that is an object.
    pub(super) fn object(&mut self, of: &Place<'a>, key: &str) -> Option<Place<'a>> {
        let place = of.member(key)?;
        self.is_object(&place).then_some(place)
    }

    /// A member that is a list.
    pub(super) fn list(&mut self, of: &Place<'a>, key: &str) -> Option<Place<'a>> {
        let place = of.member(key)?;
        self.is_list(&place).then_some(place)
    }

    /// A member that is text; a number or boolean counts as its text, as it does for AWS.
    pub(super) fn text(&mut self, of: &Place<'a>, key: &str) -> Option<String> {
        let place = of.member(key)?;
        if self.is_null(&place) {
            return None;
        }
        self.text_at(&place)
    }

    /// The text at a place, import variables put in.
    pub(super) fn text_at(&mut self, place: &Place<'_>) -> Option<String> {
        let Some(text) = place.node.scalar() else {
            self.wrong_kind(place, "a string");
            return None;
        };
        Some(self.with_import_variables(place, text))
    }

    /// A member that is `true` or `false`.
    pub(super) fn boolean(&mut self, of: &Place<'a>, key: &str) -> Option<bool> {
        let place = of.member(key)?;
        match place.node.value {
            Value::Bool(value) => Some(value),
            _ if self.is_null(&place) => None,
            _ => {
                self.wrong_kind(&place, "true or false");
                None
            }
        }
    }

    /// The whole number at a place, not negative; a fraction of zero is taken along.
    pub(super) fn whole(&mut self, place: &Place<'_>) -> Option<u32> {
        let number = match &place.node.value {
            Value::Number(text) => number(text),
            _ => {
                self.wrong_kind(place, WHOLE);
                return None;
            }
        };
        let whole = number
            .filter(|value| (0.0..=f64::from(u32::MAX)).contains(value) && value.fract() == 0.0);
        if whole.is_none() {
            self.wrong_kind(place, WHOLE);
        }
        whole.map(|value| value as u32)
    }

    /// The status code at a place, 100 to 599, as number or text.
    pub(super) fn status(&mut self, place: &Place<'_>) -> Option<u16> {
        let status = place.node.scalar().and_then(status);
        if status.is_none() {
            self.wrong_kind(place, "a status from 100 to 599");
        }
        status
    }

    /// A member that is an object of texts, with the place of each.
    pub(super) fn texts(&mut self, of: &Place<'a>, key: &str) -> Vec<(String, String, Place<'a>)> {
        let Some(object) = self.object(of, key) else { return Vec::new() };
        let members = object.members().map(|(name, place)| (name, place()));
        members
            .filter_map(|(name, place)| {
                let there = !self.is_null(&place);
                let text = there.then(|| self.text_at(&place)).flatten()?;
                Some((name.to_owned(), text, place))
            })
            .collect()
    }

    /// The value among `choices` that the text of a member names in any case of letters.
    pub(super) fn choice<T: Copy>(
        &mut self,
        of: &Place<'a>,
        key: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(of, key)?;
        let found = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text));
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let help = match super::names::meant(&text, names.iter().copied()) {
                Some(name) => format!("did you mean {name}?"),
                None => format!("write one of {}", names.join(", ")),
            };
            let message = format!("'{}' is no {key}", shown(&text));
            let place = of.member(key).unwrap_or_else(|| of.clone());
            self.report.error(&place, message, help);
        }
        found.map(|&(_, value)| value)
    }

    /// Puts `${AWS::Region}` and the like in.
    fn with_import_variables(&mut self, place: &Place<'_>, text: &str) -> String {
        let (text, unknown) = self.options.with_variables(text);
        if let Some(name) = unknown {
            self.report.error(
                place,
                format!("there is no import variable '${{AWS::{}}}'", shown(name)),
                "an import knows ${AWS::Region}, ${AWS::AccountId} and ${AWS::Partition}; \
                 CloudFormation's other variables have to be put in before",
            );
        }
        text
    }
}

impl ImportOptions {
    /// A text with `${AWS::NAME}` replaced, up to the first name that there is not.
    /// Source: facts, openapi section 3 ("Import-time variables").
    pub(super) fn with_variables<'t>(&self, text: &'t str) -> (String, Option<&'t str>) {
        const START: &str = "${AWS::";
        let (mut out, mut rest, mut unknown) = (String::new(), text, None);
        while let Some(at) = rest.find(START) {
            let behind = &rest[at + START.len()..];
            let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
            let value = match name {
                _ if name.len() == behind.len() => None,
                "Region" => Some(&self.region),
                "AccountId" => Some(&self.account_id),
                "Partition" => Some(&self.partition),
                _ => None,
            };
            let Some(value) = value else {
                unknown = Some(name);
                break;
            };
            out.push_str(&rest[..at]);
            out.push_str(value);
            rest = after;
        }
        out.push_str(rest);
        (out, unknown)
    }
}

/// The intrinsic function that stands where a value should: `Fn::Sub` and its kin.
fn cloudformation_function<'a>(place: &Place<'a>) -> Option<&'a str> {
    let (name, _) = place.members().next()?;
    let alone = place.node.members().len() == 1;
    (alone && (name == "Ref" || name.starts_with("Fn::"))).then_some(name)
}

/// A status code's text.
pub(super) fn status(text: &str) -> Option<u16> {
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|status| digits && (100..=599).contains(status))
}

/// A number of the document; infinite ones are none.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Texts without their places.
pub(super) fn plain(texts: &[(String, String, Place<'_>)]) -> IndexMap<String, String> {
    texts.iter().map(|(key, text, _)| (key.clone(), text.clone())).collect()
}
