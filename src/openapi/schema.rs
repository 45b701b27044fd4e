//! Schemas of models: what they refer to, all of it in one, and a template that makes such a payload.
//!
//! A model's schema refers to others by AWS's URLs ([`referenced_model`]). Which model a name has is the
//! caller's to say, since the control plane keeps them elsewhere.

use std::collections::{HashMap, HashSet, VecDeque};

use indexmap::IndexSet;
use serde_json::{Map, Value as Json, json};

use super::{json as parser, write};
use crate::model::referenced_model;

/// The schema of the model of that name.
pub type Schemas<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Schemas that one template is made of. Ours, as the two below: a schema that refers to another twice,
/// and that to a third, doubles with each. What is beyond counts as empty.
const TEMPLATE_SCHEMAS_MAX: usize = 1_000;
/// Nesting of a template.
const TEMPLATE_DEPTH_MAX: usize = 32;
/// Text of a template, bytes, before the last sample. AWS takes 300 KiB.
const TEMPLATE_BYTES_MAX: usize = 64 * 1024;

fn parse(schema: &str) -> Option<Json> {
    parser::parse(schema).ok().map(|node| node.to_json())
}

/// Names of the models that a schema refers to, each once, in its order. Nothing for what is no JSON.
pub fn referenced_models(schema: &str) -> Vec<String> {
    let mut names: IndexSet<String> = IndexSet::new();
    if let Some(schema) = parse(schema) {
        walk(&schema, &mut |reference| {
            names.extend(referenced_model(reference).map(str::to_owned));
        });
    }
    names.into_iter().collect()
}

/// Visits the text of every `$ref`.
fn walk(schema: &Json, visit: &mut dyn FnMut(&str)) {
    match schema {
        Json::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Json::Object(members) => {
            for (key, value) in members {
                match value {
                    Json::String(reference) if key == "$ref" => visit(reference),
                    other => walk(other, visit),
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// A schema with every model it needs under `definitions` (`GetModel?flatten=true`), also where models
/// refer to each other in circles. A reference to a model that there is not stays as it is, and so does
/// what is no JSON. That AWS uses `definitions` is (unverified); it documents "all external model
/// references" as resolved.
pub fn flatten(schema: &str, schemas: Schemas<'_>) -> String {
    let Some(Json::Object(mut root)) = parse(schema) else { return schema.to_owned() };
    let mut definitions = match root.shift_remove("definitions") {
        Some(Json::Object(definitions)) => definitions,
        Some(other) => {
            root.insert("definitions".to_owned(), other);
            Map::new()
        }
        None => Map::new(),
    };
    let mut flattener = Flattener {
        schemas,
        names: HashMap::new(),
        taken: definitions.keys().cloned().collect(),
        due: VecDeque::new(),
    };
    let mut root = Json::Object(root);
    flattener.localize(&mut root, "#");
    definitions.values_mut().for_each(|it| flattener.localize(it, "#"));
    while let Some((key, mut model)) = flattener.due.pop_front() {
        flattener.localize(&mut model, &format!("#/definitions/{}", escaped(&key)));
        definitions.insert(key, model);
    }
    if !definitions.is_empty()
        && let Json::Object(members) = &mut root
    {
        members.insert("definitions".to_owned(), Json::Object(definitions));
    }
    write::json(&root)
}

/// A token of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

struct Flattener<'a> {
    schemas: Schemas<'a>,
    /// Models met, and their keys under `definitions`.
    names: HashMap<String, String>,
    /// Keys under `definitions`.
    taken: HashSet<String>,
    /// Models whose own references are still to be followed.
    due: VecDeque<(String, Json)>,
}

impl Flattener<'_> {
    /// Makes references to models local; local ones of a model lead to where it will stand, `base`.
    fn localize(&mut self, schema: &mut Json, base: &str) {
        match schema {
            Json::Array(items) => items.iter_mut().for_each(|item| self.localize(item, base)),
            Json::Object(members) => {
                for (key, value) in members {
                    match value {
                        Json::String(reference) if key == "$ref" => {
                            if let Some(local) = self.local(reference, base) {
                                *reference = local;
                            }
                        }
                        other => self.localize(other, base),
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }

    fn local(&mut self, reference: &str, base: &str) -> Option<String> {
        let Some(name) = referenced_model(reference) else {
            let rest = reference.strip_prefix('#')?;
            return Some(format!("{base}{rest}"));
        };
        let pointer = |key: &str| format!("#/definitions/{}", escaped(key));
        if let Some(key) = self.names.get(name) {
            return Some(pointer(key));
        }
        let schema = parse(&(self.schemas)(name)?)?;
        let mut key = name.to_owned();
        while self.taken.contains(&key) {
            key.push('_');
        }
        self.names.insert(name.to_owned(), key.clone());
        self.taken.insert(key.clone());
        self.due.push_back((key.clone(), schema));
        Some(pointer(&key))
    }
}

/// A template that makes a payload of this schema (`GetModelTemplate`). Objects with samples of their
/// members are as AWS documents them (`"a" : 3.1415`, `"op" : "foo"`), and so is what surrounds the
/// items of a list; how lists within objects are indented and which variable they read is (unverified).
pub fn default_template(schema: &str, schemas: Schemas<'_>) -> String {
    let schema = parse(schema).unwrap_or(Json::Null);
    let mut template = TemplateWriter {
        schemas,
        root: schema.clone(),
        expanding: Vec::new(),
        schemas_left: TEMPLATE_SCHEMAS_MAX,
        out: String::new(),
    };
    template.out.push_str("#set($inputRoot = $input.path('$'))\n");
    template.sample(
        &schema,
        &Target { indent: 0, depth: 0, loops: 0, source: "$inputRoot".to_owned() },
    );
    template.out
}

/// Where a sample stands, and what a template there would read.
struct Target {
    indent: usize,
    depth: usize,
    /// Loops around it.
    loops: usize,
    source: String,
}

struct TemplateWriter<'a> {
    schemas: Schemas<'a>,
    /// The schema that local references are about.
    root: Json,
    /// References that lead to what is being written: whatever they lead to again is empty.
    expanding: Vec<String>,
    /// What is left of [`TEMPLATE_SCHEMAS_MAX`].
    schemas_left: usize,
    out: String,
}

impl TemplateWriter<'_> {
    /// What a schema's references lead to, marked as being expanded; an empty object where they lead
    /// back, or beyond what a template may have; null where they lead nowhere.
    fn expanded(&mut self, schema: &Json) -> Json {
        let mut schema = schema.clone();
        while let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
            if self.schemas_left == 0 || self.expanding.iter().any(|it| it == reference) {
                return json!({});
            }
            self.schemas_left -= 1;
            let next = match referenced_model(reference) {
                Some(name) => (self.schemas)(name).and_then(|text| parse(&text)),
                None => reference.strip_prefix('#').and_then(|at| self.root.pointer(at)).cloned(),
            };
            self.expanding.push(reference.to_owned());
            schema = next.unwrap_or(Json::Null);
        }
        schema
    }

    fn sample(&mut self, schema: &Json, at: &Target) {
        let expanding = self.expanding.len();
        let schema = self.expanded(schema);
        let full = self.schemas_left == 0
            || self.out.len() > TEMPLATE_BYTES_MAX
            || at.depth > TEMPLATE_DEPTH_MAX;
        self.schemas_left = self.schemas_left.saturating_sub(1);
        let values = schema.get("enum").and_then(Json::as_array);
        let plain = values.and_then(|it| it.iter().find(|it| !it.is_object() && !it.is_array()));
        match (plain, type_of(&schema)) {
            (Some(value), _) => self.out.push_str(&value.to_string()),
            (_, "object") if full => self.out.push_str("{ }"),
            (_, "array") if full => self.out.push_str("[ ]"),
            (_, "object") => self.object(&schema, at),
            (_, "array") => self.list(&schema, at),
            (_, "integer") => self.out.push_str("42"),
            (_, "number") => self.out.push_str("3.1415"),
            (_, "boolean") => self.out.push_str("true"),
            (_, "string") => self.out.push_str("\"foo\""),
            _ => self.out.push_str("null"),
        }
        self.expanding.truncate(expanding);
    }

    fn object(&mut self, schema: &Json, at: &Target) {
        let mut properties = Map::new();
        self.properties(schema, &mut properties);
        if properties.is_empty() {
            self.out.push_str("{ }");
            return;
        }
        for (index, (key, property)) in properties.iter().enumerate() {
            self.out.push_str(if index == 0 { "{\n" } else { ",\n" });
            self.indent(at.indent + 1);
            self.out.push_str(&json!(key).to_string());
            self.out.push_str(" : ");
            let source = match is_identifier(key) {
                true => format!("{}.{key}", at.source),
                false => at.source.clone(),
            };
            let inner =
                Target { indent: at.indent + 1, depth: at.depth + 1, loops: at.loops, source };
            self.sample(property, &inner);
        }
        self.out.push('\n');
        self.indent(at.indent);
        self.out.push('}');
    }

    /// Properties of a schema and of what it is composed of.
    fn properties(&mut self, schema: &Json, found: &mut Map<String, Json>) {
        if let Some(Json::Object(properties)) = schema.get("properties") {
            found.extend(properties.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        let parts = |key: &str| schema.get(key).and_then(Json::as_array).into_iter().flatten();
        for part in parts("allOf").chain(parts("anyOf").take(1)).chain(parts("oneOf").take(1)) {
            if self.schemas_left == 0 {
                return;
            }
            self.schemas_left -= 1;
            let expanding = self.expanding.len();
            let part = self.expanded(part);
            self.properties(&part, found);
            self.expanding.truncate(expanding);
        }
    }

    fn list(&mut self, schema: &Json, at: &Target) {
        let item = match schema.get("items") {
            Some(Json::Array(items)) => items.first().cloned().unwrap_or_default(),
            items => items.cloned().unwrap_or_default(),
        };
        let variable = match at.loops {
            0 => "$elem".to_owned(),
            loops => format!("$elem{}", loops + 1),
        };
        self.out.push_str("[\n");
        self.indent(at.indent);
        self.out.push_str("##TODO: Update this foreach loop to reference array from input json\n");
        self.indent(at.indent);
        self.out.push_str(&format!("#foreach({variable} in {})\n", at.source));
        self.indent(at.indent);
        self.out.push(' ');
        let inner = Target {
            indent: at.indent,
            depth: at.depth + 1,
            loops: at.loops + 1,
            source: variable,
        };
        self.sample(&item, &inner);
        self.out.push_str(" \n");
        self.indent(at.indent);
        self.out.push_str("#if($foreach.hasNext),#end\n");
        self.indent(at.indent);
        self.out.push_str("#end\n");
        self.indent(at.indent);
        self.out.push(']');
    }

    fn indent(&mut self, levels: usize) {
        for _ in 0..levels {
            self.out.push_str("  ");
        }
    }
}

/// A schema's type, guessed from its keywords where it has none.
fn type_of(schema: &Json) -> &str {
    let said = match schema.get("type") {
        Some(Json::Array(types)) => types.iter().filter_map(Json::as_str).find(|it| *it != "null"),
        said => said.and_then(Json::as_str),
    };
    let has = |keys: &[&str]| keys.iter().any(|key| schema.get(key).is_some());
    match said {
        Some(said) => said,
        None if has(&["items"]) => "array",
        None if schema.is_object() && schema.get("$ref").is_none() => "object",
        None => "null",
    }
}

/// A name that a template can read with a dot.
fn is_identifier(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests;
