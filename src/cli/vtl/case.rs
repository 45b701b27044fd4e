//! A request written down as JSON, for rendering templates outside of a gateway.

use crate::context::ContextVariable;
use crate::json::{Document, Kind, NodeId, Number, Tape};
use crate::vtl::{Host, HostMap, HostValue, ListKind, Value, own_value};

/// What a template sees: API Gateway's request, or the variables of plain Velocity.
#[derive(Debug, Default)]
pub struct Case {
    body: String,
    /// By [`HostMap`].
    maps: Vec<Vec<(String, Entry)>>,
    /// Variables of plain Velocity, with their text.
    variables: Option<Variables>,
}

#[derive(Debug)]
struct Variables {
    text: String,
    tape: Tape,
    root: NodeId,
}

/// An entry of a map of the request.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Null,
    Text(String),
    Number(i64),
    Double(f64),
    Bool(bool),
    Map(HostMap),
}

/// A request's parts in order, as flags name them.
#[derive(Debug, Default)]
pub struct Parts {
    /// Payload.
    pub body: String,
    /// Path parameters.
    pub path: Vec<(String, String)>,
    /// Query string parameters.
    pub querystring: Vec<(String, String)>,
    /// Headers.
    pub header: Vec<(String, String)>,
    /// Stage variables.
    pub stage_variables: Vec<(String, String)>,
}

impl Case {
    /// Plain Velocity with the variables of a JSON object.
    ///
    /// # Errors
    /// What is wrong with the JSON.
    pub fn stock(variables: &str) -> Result<Self, String> {
        let mut tape = Tape::new();
        let text = if variables.trim().is_empty() { "{}" } else { variables };
        let root = tape.parse(text).map_err(|error| error.to_string())?;
        if tape.document(text).kind(root) != Kind::Object {
            return Err("variables are a JSON object".to_owned());
        }
        let variables = Variables { text: text.to_owned(), tape, root };
        Ok(Self { variables: Some(variables), ..Self::default() })
    }

    /// API Gateway's request with the `$context` of a JSON object.
    ///
    /// # Errors
    /// What is wrong with the JSON.
    pub fn request(parts: Parts, context: &str) -> Result<Self, String> {
        let mut case = Self { body: parts.body, ..Self::default() };
        case.maps.push(Vec::new());
        for map in [parts.path, parts.querystring, parts.header, parts.stage_variables] {
            case.maps
                .push(map.into_iter().map(|(name, value)| (name, Entry::Text(value))).collect());
        }
        let mut tape = Tape::new();
        let text = if context.trim().is_empty() { "{}" } else { context };
        let root = tape.parse(text).map_err(|error| error.to_string())?;
        let document = tape.document(text);
        if document.kind(root) != Kind::Object {
            return Err("$context is a JSON object".to_owned());
        }
        case.push_map(&document, Some(root));
        Ok(case)
    }

    /// One case of the corpus's format: `aws` with its parts, or `context` with variables.
    ///
    /// # Errors
    /// What is wrong with the case.
    pub fn of_corpus(document: &Document<'_, '_>, case: NodeId) -> Result<Self, String> {
        let member = |of: Option<NodeId>, name: &str| document.member_named(of?, name);
        let aws = member(Some(case), "aws");
        if aws.is_none() {
            let Some(context) = member(Some(case), "context") else { return Self::stock("{}") };
            let mut text = String::new();
            crate::json::write::write(document, context, crate::json::Style::Json, &mut text);
            return Self::stock(&text);
        }
        let mut this = Self::default();
        if let Some(body) = member(aws, "body").and_then(|body| document.string(body)) {
            body.as_str().clone_into(&mut this.body);
        }
        this.maps.push(Vec::new());
        let params = member(aws, "params");
        for name in ["path", "querystring", "header"] {
            this.push_map(document, member(params, name));
        }
        this.push_map(document, member(aws, "stageVariables"));
        this.push_map(document, member(aws, "context"));
        Ok(this)
    }

    fn push_map(&mut self, document: &Document<'_, '_>, object: Option<NodeId>) -> HostMap {
        let index = self.maps.len();
        self.maps.push(Vec::new());
        let mut entries = Vec::new();
        for (name, value) in object.into_iter().flat_map(|object| document.members(object)) {
            let entry = match document.kind(value) {
                Kind::Null => Entry::Null,
                Kind::Bool => Entry::Bool(document.is_true(value)),
                Kind::Number => match document.number(value) {
                    Some(Number::Int(number)) => Entry::Number(i64::from(number)),
                    Some(Number::Long(number)) => Entry::Number(number),
                    Some(number) => Entry::Double(number.to_f64()),
                    None => Entry::Null,
                },
                Kind::String => {
                    Entry::Text(document.string(value).map_or("", |text| text.as_str()).to_owned())
                }
                Kind::Object => Entry::Map(self.push_map(document, Some(value))),
                Kind::Array => {
                    let mut text = String::new();
                    crate::json::write::write(document, value, crate::json::Style::Json, &mut text);
                    Entry::Text(text)
                }
            };
            entries.push((name.as_str().to_owned(), entry));
        }
        self.maps[index] = entries;
        HostMap(index as u16)
    }

    fn find(&self, map: HostMap, key: &str) -> HostValue<'_> {
        let entries = self.maps.get(usize::from(map.0)).map_or(&[][..], Vec::as_slice);
        entries
            .iter()
            .find(|(name, _)| name == key)
            .map_or(HostValue::Null, |(_, entry)| host_value(entry))
    }
}

fn host_value(entry: &Entry) -> HostValue<'_> {
    match entry {
        Entry::Null => HostValue::Null,
        Entry::Text(text) => HostValue::Text(text),
        Entry::Number(number) => HostValue::Number(*number),
        Entry::Double(number) => HostValue::Double(*number),
        Entry::Bool(value) => HostValue::Bool(*value),
        Entry::Map(map) => HostValue::Map(*map),
    }
}

impl<'a> Host<'a> for &'a Case {
    fn body(&self) -> &'a str {
        &self.body
    }

    fn len(&self, map: HostMap) -> usize {
        self.maps.get(usize::from(map.0)).map_or(0, Vec::len)
    }

    fn entry(&self, map: HostMap, index: usize) -> (&'a str, HostValue<'a>) {
        let (name, entry) = &self.maps[usize::from(map.0)][index];
        (name, host_value(entry))
    }

    fn context(&self, variable: ContextVariable) -> HostValue<'a> {
        let case: &'a Case = self;
        let mut found = HostValue::Map(HostMap::CONTEXT);
        for name in variable.name().split('.') {
            let HostValue::Map(map) = found else { return HostValue::Null };
            found = case.find(map, name);
        }
        found
    }

    fn write(&self, _computed: u32, _out: &mut String) {}

    fn is_api_gateway(&self) -> bool {
        self.variables.is_none()
    }

    fn root(&self, name: &str) -> Option<Value<'a>> {
        let variables = self.variables.as_ref()?;
        let document = variables.tape.document(&variables.text);
        let node = document.member_named(variables.root, name)?;
        Some(own_value(&document, node, ListKind::ArrayList))
    }
}
