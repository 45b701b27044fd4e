//! What each keyword of draft 4 has to be, and what becomes of it.

use crate::json::{Key, Value};
use crate::schema::compile::{Compiler, Spot};
use crate::schema::decimal::Constant;
use crate::schema::error::SchemaError;
use crate::schema::format::{self, Format};
use crate::schema::pattern::Pattern;
use crate::schema::program::{
    ArrayRules, Bound, Dependency, Enumeration, FORBIDDEN, GeneralRules, NONE, Name, Names, Node,
    NumberRules, ObjectRules, StringRules, Types,
};

/// One schema object while it is read.
pub(super) struct Draft {
    types: Types,
    string: Option<StringRules>,
    number: Option<NumberRules>,
    array: Option<ArrayRules>,
    object: Option<ObjectRules>,
    general: Option<GeneralRules>,
    names: Vec<Name>,
}

/// What OpenAPI and later drafts have, which draft 4 does not read, and what to write instead.
const UNKNOWN: [(&str, &str); 26] = [
    ("nullable", "write `\"type\": [\"string\", \"null\"]` to accept null"),
    ("const", "write `\"enum\": [value]`"),
    ("discriminator", "`oneOf` alone decides which schema applies"),
    ("readOnly", "requests may have the property"),
    ("writeOnly", "it makes no difference to requests"),
    ("if", "write `anyOf` with `not`"),
    ("then", "write `anyOf` with `not`"),
    ("else", "write `anyOf` with `not`"),
    ("contains", "elements cannot be asked for one among them"),
    ("minContains", "elements cannot be asked for some among them"),
    ("maxContains", "elements cannot be asked for some among them"),
    ("propertyNames", "write `patternProperties` with `additionalProperties: false`"),
    ("dependentRequired", "write `dependencies`"),
    ("dependentSchemas", "write `dependencies`"),
    ("prefixItems", "write `items` with a list"),
    ("unevaluatedItems", "write `additionalItems`"),
    ("unevaluatedProperties", "write `additionalProperties`"),
    ("$defs", "write `definitions`; references into it are followed all the same"),
    ("$anchor", "refer with a JSON pointer"),
    ("$dynamicRef", "write `$ref`"),
    ("$recursiveRef", "write `$ref`"),
    ("$id", "write `id`"),
    ("contentEncoding", "write `pattern`"),
    ("contentMediaType", "write `pattern`"),
    ("divisibleBy", "write `multipleOf`"),
    ("extends", "write `allOf`"),
];

impl Draft {
    /// Reads the schema at `spot`.
    pub(super) fn read<'s>(
        compiler: &mut Compiler<'s>,
        spot: &Spot<'s>,
    ) -> Result<Self, SchemaError> {
        let mut draft = Self {
            types: Types::ALL,
            string: None,
            number: None,
            array: None,
            object: None,
            general: None,
            names: Vec::new(),
        };
        for (keyword, value) in spot.members() {
            draft.keyword(compiler, spot, keyword, value)?;
        }
        Ok(draft)
    }

    fn keyword<'s>(
        &mut self,
        compiler: &mut Compiler<'s>,
        schema: &Spot<'s>,
        keyword: &str,
        spot: Spot<'s>,
    ) -> Result<(), SchemaError> {
        match keyword {
            "type" => self.types = types(compiler, &spot)?,
            "enum" => self.general().values = Some(enumeration(compiler, &spot)?),
            "allOf" => self.general().all_of = schemas(compiler, &spot)?,
            "anyOf" => self.general().any_of = schemas(compiler, &spot)?,
            "oneOf" => self.general().one_of = schemas(compiler, &spot)?,
            "not" => self.general().not = compiler.schema(spot)?,
            "minLength" => self.string().min = count(compiler, &spot)?,
            "maxLength" => self.string().max = count(compiler, &spot)?,
            "pattern" => {
                let text = string(compiler, &spot)?;
                self.string().pattern = Some(pattern(compiler, &spot, text)?);
            }
            "format" => {
                let name = string(compiler, &spot)?;
                match Format::of(name) {
                    Some(format) => self.string().format = Some(format),
                    None => {
                        let known = format::NAMES;
                        compiler.warn(
                            &spot,
                            format!("format `{name}` is not checked; those that are: {known}"),
                        );
                    }
                }
            }
            "minimum" => {
                let exclusive = exclusive(compiler, schema, "exclusiveMinimum")?;
                let value = number(compiler, &spot)?;
                self.number().minimum = Some(Bound { value, exclusive });
            }
            "maximum" => {
                let exclusive = exclusive(compiler, schema, "exclusiveMaximum")?;
                let value = number(compiler, &spot)?;
                self.number().maximum = Some(Bound { value, exclusive });
            }
            "exclusiveMinimum" | "exclusiveMaximum" => {
                exclusive_alone(compiler, schema, &spot, keyword)?
            }
            "multipleOf" => {
                let value = number(compiler, &spot)?;
                if !value.is_positive() {
                    let what = format!("`multipleOf` is {}", value.as_str());
                    return compiler.error(&spot, what, "write a number above 0");
                }
                self.number().multiple_of = Some(value);
            }
            "minItems" => self.array().min = count(compiler, &spot)?,
            "maxItems" => self.array().max = count(compiler, &spot)?,
            "uniqueItems" => self.array().unique = boolean(compiler, &spot)?,
            "items" => match spot.value() {
                Value::Array(_) => self.array().tuple = schemas(compiler, &spot)?,
                _ => self.array().rest = compiler.schema(spot)?,
            },
            // Without a list in `items` there is nothing that would be additional.
            "additionalItems" => {
                let rest = schema_or_boolean(compiler, spot)?;
                let list = schema
                    .member("items")
                    .is_some_and(|items| matches!(items.value(), Value::Array(_)));
                if list {
                    self.array().rest = rest;
                }
            }
            "minProperties" => self.object().min = count(compiler, &spot)?,
            "maxProperties" => self.object().max = count(compiler, &spot)?,
            "properties" => self.properties(compiler, &spot)?,
            "required" => self.required(compiler, &spot)?,
            "patternProperties" => {
                let mut patterns = Vec::new();
                for (source, spot) in object(compiler, &spot)? {
                    let pattern = pattern(compiler, &spot, source)?;
                    patterns.push((pattern, compiler.schema(spot)?));
                }
                self.object().patterns = patterns.into();
            }
            "additionalProperties" => {
                self.object().additional = schema_or_boolean(compiler, spot)?;
            }
            "dependencies" => self.object().dependencies = dependencies(compiler, &spot)?,
            "definitions" => {
                for (_, spot) in object(compiler, &spot)? {
                    compiler.schema(spot)?;
                }
            }
            "$schema" => {
                let uri = string(compiler, &spot)?;
                if !uri.contains("json-schema.org/draft-04/")
                    && !uri.contains("json-schema.org/schema")
                {
                    compiler.warn(
                        &spot,
                        format!("`{uri}` is not draft 4, which the schema is read as"),
                    );
                }
            }
            "id" => {
                string(compiler, &spot)?;
                if !schema.pointer.is_empty() {
                    compiler.warn(
                        &spot,
                        "references are read from the text's root, not from this `id`",
                    );
                }
            }
            // Notes to readers.
            "title" | "description" | "default" | "example" | "examples" | "externalDocs"
            | "xml" | "deprecated" | "$comment" => {}
            keyword if keyword.starts_with("x-") => {}
            other => {
                let instead =
                    UNKNOWN.iter().find(|(name, _)| *name == other).map(|(_, help)| *help);
                let instead = instead.unwrap_or("is it misspelt?");
                compiler
                    .warn(&spot, format!("draft 4 has no `{other}`, so it is ignored; {instead}"));
            }
        }
        Ok(())
    }

    /// The node, with its rules in the program's lists.
    pub(super) fn finish<'s>(
        mut self,
        compiler: &mut Compiler<'s>,
        spot: &Spot<'s>,
    ) -> Result<Node, SchemaError> {
        if !self.names.is_empty() {
            compiler.few_enough(spot, self.names.len())?;
            let mut names = std::mem::take(&mut self.names);
            let object = self.object();
            for name in names.iter_mut().filter(|name| !name.property) {
                name.schema = object.additional;
            }
            object.required = names.iter().filter(|name| name.required).count() as u32;
            object.names = Names::new(names);
        }
        fn push<T>(list: &mut Vec<T>, rules: Option<T>) -> u32 {
            let Some(rules) = rules else { return NONE };
            list.push(rules);
            list.len() as u32 - 1
        }
        let program = &mut compiler.program;
        Ok(Node {
            types: self.types,
            string: push(&mut program.strings, self.string),
            number: push(&mut program.numbers, self.number.map(NumberRules::settled)),
            object: push(&mut program.objects, self.object),
            array: push(&mut program.arrays, self.array),
            general: push(&mut program.generals, self.general),
            plain: Types::ALL,
        }
        .settled())
    }

    fn string(&mut self) -> &mut StringRules {
        let none = StringRules { min: 0, max: u32::MAX, format: None, pattern: None };
        self.string.get_or_insert(none)
    }

    fn number(&mut self) -> &mut NumberRules {
        self.number.get_or_insert_default()
    }

    fn array(&mut self) -> &mut ArrayRules {
        let none =
            ArrayRules { min: 0, max: u32::MAX, unique: false, tuple: [].into(), rest: NONE };
        self.array.get_or_insert(none)
    }

    fn object(&mut self) -> &mut ObjectRules {
        self.object.get_or_insert_with(|| ObjectRules {
            names: Names::default(),
            required: 0,
            min: 0,
            max: u32::MAX,
            additional: NONE,
            patterns: [].into(),
            dependencies: [].into(),
        })
    }

    fn general(&mut self) -> &mut GeneralRules {
        self.general.get_or_insert_with(|| GeneralRules {
            values: None,
            all_of: [].into(),
            any_of: [].into(),
            one_of: [].into(),
            not: NONE,
        })
    }

    fn name(&mut self, text: &str) -> &mut Name {
        let at = self.names.iter().position(|name| &*name.text == text);
        let at = at.unwrap_or_else(|| {
            self.names.push(Name::new(text));
            self.names.len() - 1
        });
        &mut self.names[at]
    }

    fn properties<'s>(
        &mut self,
        compiler: &mut Compiler<'s>,
        spot: &Spot<'s>,
    ) -> Result<(), SchemaError> {
        compiler.few_enough(spot, spot.document.len(spot.node))?;
        for (property, spot) in object(compiler, spot)? {
            let schema = compiler.schema(spot)?;
            let name = self.name(property);
            (name.property, name.schema) = (true, schema);
        }
        self.object();
        Ok(())
    }

    fn required<'s>(
        &mut self,
        compiler: &mut Compiler<'s>,
        spot: &Spot<'s>,
    ) -> Result<(), SchemaError> {
        const HELP: &str = "list the names of required properties beside `properties`";
        if let Value::Bool(_) = spot.value() {
            return compiler.error(spot, "`required` is a boolean, as it was in draft 3", HELP);
        }
        let Value::Array(len) = spot.value() else {
            return compiler.error(spot, "`required` has to be a list of names", HELP);
        };
        compiler.few_enough(spot, len)?;
        if len == 0 {
            compiler
                .warn(spot, "draft 4 has no empty `required`; it is read as if it were not there");
        }
        for spot in spot.elements() {
            let Value::String(text) = spot.value() else {
                return compiler.error(&spot, "`required` has to be a list of names", HELP);
            };
            let name = self.name(text);
            if std::mem::replace(&mut name.required, true) {
                compiler.warn(&spot, format!("`{text}` is required twice"));
            }
        }
        Ok(())
    }
}

fn keyword_of<'p>(spot: &'p Spot<'_>) -> &'p str {
    spot.pointer.rsplit('/').next().unwrap_or_default()
}

fn string<'s>(compiler: &Compiler<'s>, spot: &Spot<'s>) -> Result<&'s str, SchemaError> {
    match spot.value() {
        Value::String(text) => Ok(text),
        _ => {
            let what = format!("`{}` has to be a string", keyword_of(spot));
            compiler.error(spot, what, "put it in quotes")
        }
    }
}

fn boolean<'s>(compiler: &Compiler<'s>, spot: &Spot<'s>) -> Result<bool, SchemaError> {
    match spot.value() {
        Value::Bool(value) => Ok(value),
        _ => {
            let what = format!("`{}` has to be a boolean", keyword_of(spot));
            compiler.error(spot, what, "write `true` or `false`")
        }
    }
}

fn number<'s>(compiler: &Compiler<'s>, spot: &Spot<'s>) -> Result<Constant, SchemaError> {
    let constant = match spot.value() {
        Value::Whole(text) | Value::Decimal(text) => Constant::new(text),
        _ => None,
    };
    match constant {
        Some(constant) => Ok(constant),
        None => {
            let what = format!("`{}` has to be a number", keyword_of(spot));
            compiler.error(spot, what, "write it without quotes")
        }
    }
}

fn count<'s>(compiler: &Compiler<'s>, spot: &Spot<'s>) -> Result<u32, SchemaError> {
    let count = match spot.value() {
        Value::Whole(text) if !text.starts_with('-') || text == "-0" => {
            // No body has more of anything.
            Some(text.trim_start_matches('-').parse().unwrap_or(u32::MAX))
        }
        _ => None,
    };
    match count {
        Some(count) => Ok(count),
        None => {
            let what = format!("`{}` has to be a count", keyword_of(spot));
            compiler.error(spot, what, "write a whole number from 0")
        }
    }
}

fn object<'s>(
    compiler: &Compiler<'s>,
    spot: &Spot<'s>,
) -> Result<Vec<(&'s str, Spot<'s>)>, SchemaError> {
    match spot.value() {
        Value::Object(_) => Ok(spot.members().collect()),
        _ => {
            let what = format!("`{}` has to be an object", keyword_of(spot));
            compiler.error(spot, what, "give every member a schema")
        }
    }
}

fn schemas<'s>(compiler: &mut Compiler<'s>, spot: &Spot<'s>) -> Result<Box<[u32]>, SchemaError> {
    match spot.value() {
        Value::Array(1..) => spot.elements().map(|spot| compiler.schema(spot)).collect(),
        _ => {
            let what = format!("`{}` has to be a list of schemas", keyword_of(spot));
            compiler.error(spot, what, "list one schema or more")
        }
    }
}

fn schema_or_boolean<'s>(compiler: &mut Compiler<'s>, spot: Spot<'s>) -> Result<u32, SchemaError> {
    match spot.value() {
        Value::Bool(true) => Ok(NONE),
        Value::Bool(false) => Ok(FORBIDDEN),
        Value::Object(_) => compiler.schema(spot),
        _ => {
            let what = format!("`{}` has to be a schema or a boolean", keyword_of(&spot));
            compiler.error(&spot, what, "write `false` to allow none")
        }
    }
}

fn types<'s>(compiler: &mut Compiler<'s>, spot: &Spot<'s>) -> Result<Types, SchemaError> {
    const HELP: &str =
        "use array, boolean, integer, null, number, object or string, or a list of them";
    let one = |spot: &Spot<'s>| match spot.value() {
        Value::String(name) => match Types::of(name) {
            Some(types) => Ok(types),
            None => compiler.error(spot, format!("`{name}` is no type"), HELP),
        },
        _ => compiler.error(spot, "a type has to be a name", HELP),
    };
    match spot.value() {
        Value::Array(1..) => {
            spot.elements().try_fold(Types(0), |types, spot| Ok(types.with(one(&spot)?)))
        }
        Value::Array(_) => compiler.error(spot, "the list of types is empty", HELP),
        _ => one(spot),
    }
}

fn pattern<'s>(
    compiler: &mut Compiler<'s>,
    spot: &Spot<'s>,
    source: &str,
) -> Result<Pattern, SchemaError> {
    match Pattern::compile(source) {
        Ok((pattern, notes)) => {
            for note in notes {
                compiler.warn(spot, format!("the expression {note}"));
            }
            Ok(pattern)
        }
        Err(why) => compiler.error(
            spot,
            format!("the expression `{source}` {why}"),
            "write it as in ECMA 262 (JavaScript), without slashes around it",
        ),
    }
}

fn enumeration<'s>(
    compiler: &mut Compiler<'s>,
    spot: &Spot<'s>,
) -> Result<Enumeration, SchemaError> {
    let Value::Array(len @ 1..) = spot.value() else {
        return compiler.error(spot, "`enum` has to be a list of values", "list one value or more");
    };
    compiler.few_enough(spot, len)?;
    let (mut strings, mut others) = (Vec::new(), Vec::new());
    let mut seen = std::collections::HashSet::new();
    for value in spot.elements() {
        match value.value() {
            Value::String(text) if seen.insert(text) => strings.push(Name::new(text)),
            Value::String(text) => compiler.warn(&value, format!("`{text}` is listed twice")),
            _ => others.push(value.node),
        }
    }
    Ok(Enumeration {
        strings: Names::new(strings),
        others: others.into(),
        source: spot.source as u32,
        list: spot.node,
    })
}

fn dependencies<'s>(
    compiler: &mut Compiler<'s>,
    spot: &Spot<'s>,
) -> Result<Box<[Dependency]>, SchemaError> {
    let mut found = Vec::new();
    for (name, spot) in object(compiler, spot)? {
        let (mut required, mut schema) = (Vec::new(), NONE);
        if let Value::Array(_) = spot.value() {
            for other in spot.elements() {
                required.push(string(compiler, &other)?);
            }
            required.sort_unstable();
            required.dedup();
        } else {
            schema = compiler.schema(spot)?;
        }
        let required = required.into_iter().map(Key::new).collect();
        found.push(Dependency { name: Key::new(name), required, schema });
    }
    Ok(found.into())
}

/// Whether the bound beside the keyword is exclusive.
fn exclusive<'s>(
    compiler: &Compiler<'s>,
    schema: &Spot<'s>,
    keyword: &str,
) -> Result<bool, SchemaError> {
    match schema.member(keyword) {
        // A number is warned about where it stands.
        Some(spot) if !matches!(spot.value(), Value::Whole(_) | Value::Decimal(_)) => {
            boolean(compiler, &spot)
        }
        _ => Ok(false),
    }
}

/// Warns where `exclusiveMinimum` or `exclusiveMaximum` has nothing to say.
fn exclusive_alone<'s>(
    compiler: &mut Compiler<'s>,
    schema: &Spot<'s>,
    spot: &Spot<'s>,
    keyword: &str,
) -> Result<(), SchemaError> {
    let bound = if keyword == "exclusiveMinimum" { "minimum" } else { "maximum" };
    match spot.value() {
        Value::Whole(number) | Value::Decimal(number) => compiler.warn(
            spot,
            format!(
                "draft 4 has no number in `{keyword}`, so it is ignored; \
                 write `\"{bound}\": {number}` and `\"{keyword}\": true`"
            ),
        ),
        _ => {
            boolean(compiler, spot)?;
            if schema.member(bound).is_none() {
                compiler.warn(spot, format!("there is no `{bound}`, so `{keyword}` is ignored"));
            }
        }
    }
    Ok(())
}
