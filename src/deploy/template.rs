//! Compiles mapping templates: plain text stays text, the rest becomes a program of `vtl`.
//!
//! Source: facts, vtl section 1.

use std::sync::Arc;

use super::compile::Report;
use crate::model::Pointer;
use crate::vtl::{self, Place, Program, RenderError, Undefined};

/// A mapping template.
#[derive(Clone, Debug)]
pub enum Template {
    /// Text without `$` and `#`.
    Literal(Box<[u8]>),
    /// Text of the template language.
    Program(Arc<CompiledTemplate>),
    /// An empty template: the body stays as it is.
    Passthrough,
}

/// Whose payload a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateSide {
    /// What the integration gets.
    Request,
    /// What the client gets.
    Response,
}

impl TemplateSide {
    /// As messages name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// A template with what messages about it need.
#[derive(Debug)]
pub struct CompiledTemplate {
    /// Of a request or of a response.
    pub side: TemplateSide,
    /// Its key.
    pub media_type: Box<str>,
    /// Its text.
    pub source: Box<str>,
    /// What runs.
    pub program: Program,
    /// Whether it can look at the payload; where none does, it need not be held.
    pub reads_body: bool,
}

impl CompiledTemplate {
    /// Line and column of a byte where a rendering failed.
    pub fn place(&self, error: &RenderError) -> Place {
        Place::of(&self.source, error.at)
    }

    /// Whether its text names what overrides mapped parameters of the request.
    pub fn overrides_request(&self) -> bool {
        self.source.contains("requestOverride")
    }
}

impl Template {
    /// The program, if it is one.
    pub fn program(&self) -> Option<&CompiledTemplate> {
        match self {
            Self::Program(program) => Some(program),
            Self::Literal(_) | Self::Passthrough => None,
        }
    }

    /// Whether a payload goes in only as text: whatever is put through a template.
    pub fn takes_text(&self) -> bool {
        !matches!(self, Self::Passthrough)
    }

    /// Whether it makes its payload of nothing of the one there is.
    pub fn ignores_body(&self) -> bool {
        match self {
            Self::Literal(_) => true,
            Self::Program(program) => !program.reads_body,
            Self::Passthrough => false,
        }
    }
}

/// Compiles the template for media type `key`; `None`: something is wrong and has been reported.
pub(super) fn compile(
    side: TemplateSide,
    key: &str,
    text: &str,
    pointer: Pointer,
    report: &mut Report<'_>,
) -> Option<Template> {
    if text.is_empty() {
        return Some(Template::Passthrough);
    }
    if !text.contains(['$', '#']) {
        return Some(Template::Literal(text.as_bytes().into()));
    }
    match vtl::compile(text, Undefined::Empty) {
        Ok(program) => Some(Template::Program(Arc::new(CompiledTemplate {
            side,
            media_type: key.into(),
            source: text.into(),
            reads_body: program.reads_body(),
            program,
        }))),
        Err(error) => {
            report.add(
                pointer,
                format!("the {} template for {key}, {}", side.as_str(), error.explain(text)),
                "mend it; `ringway vtl` tries a template, docs/templates.md explains the language",
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_says_whether_it_looks_at_the_payload() {
        for (text, want) in [
            ("$context.requestId #if($input.params('a') == 'b')#end", false),
            ("$stageVariables.a", false),
            ("$input.body", true),
            ("$input.json('$.a')", true),
            ("#set($a = $input.path('$'))", true),
            ("#set($a = $input)$a.body", true),
            ("$util.escapeJavaScript($input.body)", true),
        ] {
            let program = vtl::compile(text, Undefined::Empty).unwrap();
            assert_eq!(program.reads_body(), want, "{text}");
        }
    }
}
