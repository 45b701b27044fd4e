//! `ringway vtl`: renders a mapping template without a gateway.

mod case;
mod jsonl;
mod trace;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use super::{Failure, print};
use crate::vtl::{self, Overrides, Owned, Scratch, Settings, Undefined};
use case::{Case, Parts};

/// Flags of `ringway vtl`.
#[derive(Debug, Args)]
pub(super) struct VtlArgs {
    /// The template; `-` reads it from standard input
    #[arg(required_unless_present = "jsonl", conflicts_with = "jsonl")]
    template: Option<PathBuf>,

    /// File with the payload
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,

    /// A parameter: path.NAME=VALUE, querystring.NAME=VALUE or header.NAME=VALUE; may be repeated
    #[arg(long = "param", value_name = "PLACE.NAME=VALUE", value_parser = parse_parameter)]
    parameters: Vec<(Place, String, String)>,

    /// A header, as NAME=VALUE or 'NAME: VALUE'; may be repeated
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = parse_header)]
    headers: Vec<(String, String)>,

    /// A query string parameter; may be repeated
    #[arg(long = "query", value_name = "NAME=VALUE", value_parser = parse_pair)]
    queries: Vec<(String, String)>,

    /// A stage variable; may be repeated
    #[arg(long = "stage-var", value_name = "NAME=VALUE", value_parser = parse_pair)]
    stage_variables: Vec<(String, String)>,

    /// JSON file with what is in $context; with --stock, with all variables
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,

    /// Plain Velocity 1.7: no $input, and an undefined reference prints itself
    #[arg(long)]
    stock: bool,

    /// Say on standard error what every reference is worth and which branches are taken
    #[arg(long)]
    trace: bool,

    /// Print the bytecode instead of rendering
    #[arg(long)]
    disassemble: bool,

    /// Print a JSON object: output and overrides, or error and message
    #[arg(long)]
    json: bool,

    /// Read cases from standard input, one JSON object a line, and print one line for each:
    /// {"id", "output"[, "overrides"]} or {"id", "error": "parse"|"runtime", "message"}
    #[arg(long)]
    jsonl: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Path,
    Querystring,
    Header,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let end = text.find(['=', ':']).unwrap_or(text.len());
    match (&text[..end], text.get(end + 1..)) {
        ("", _) | (_, None) => Err("write NAME=VALUE or 'NAME: VALUE'".to_owned()),
        (name, Some(value)) => Ok((name.to_owned(), value.trim_start().to_owned())),
    }
}

fn parse_parameter(text: &str) -> Result<(Place, String, String), String> {
    let (name, value) = parse_pair(text)?;
    let (place, name) = match name.split_once('.') {
        Some(("path", name)) => (Place::Path, name),
        Some(("querystring" | "query", name)) => (Place::Querystring, name),
        Some(("header", name)) => (Place::Header, name),
        _ => {
            return Err(format!(
                "'{name}' does not say where it is: write path.{name}, querystring.{name} or header.{name}"
            ));
        }
    };
    Ok((place, name.to_owned(), value))
}

pub(super) fn run(args: VtlArgs) -> Result<(), Failure> {
    if args.jsonl {
        return jsonl::run();
    }
    let path = args.template.clone().expect("clap requires it without --jsonl");
    let source = read(&path)?;
    let compiled = if args.stock {
        vtl::compile_stock(&source, Undefined::Literal)
    } else {
        vtl::compile(&source, Undefined::Empty)
    };
    let program = match compiled {
        Ok(program) => program,
        Err(error) => return fail(&args, "parse", &path, &error.explain(&source)),
    };
    if args.disassemble {
        print(&program.disassemble());
        return Ok(());
    }
    let case = request(&args)?;
    let case = &case;
    let settings = settings(args.stock);
    let mut overrides = Overrides::default();
    let mut output = String::new();
    let mut scratch = Scratch::default();
    let result = if args.trace {
        let mut tracer = trace::ToStderr::new(&source);
        program.render_traced(
            &case,
            &mut scratch,
            settings,
            &mut overrides,
            &mut tracer,
            &mut output,
        )
    } else {
        program.render(&case, &mut scratch, settings, &mut overrides, &mut output)
    };
    if let Err(error) = result {
        return fail(&args, "runtime", &path, &error.explain(&source));
    }
    if args.json {
        let mut object = Map::new();
        object.insert("output".to_owned(), json!(output));
        if let Some(overrides) = overrides_json(&overrides) {
            object.insert("overrides".to_owned(), overrides);
        }
        print(&format!("{:#}\n", Value::Object(object)));
        return Ok(());
    }
    print(&output);
    if let Some(overrides) = overrides_json(&overrides) {
        let _ = writeln!(std::io::stderr(), "overrides: {overrides}");
    }
    Ok(())
}

/// Velocity has no limit on loops, API Gateway has.
fn settings(stock: bool) -> Settings {
    let mut settings = Settings::default();
    if stock {
        settings.foreach_iterations_max = u32::MAX;
    }
    settings
}

/// What was written to the overrides; `None`: nothing.
fn overrides_json(overrides: &Overrides) -> Option<Value> {
    let object = |entries: &[(String, Owned)]| {
        Value::Object(entries.iter().map(|(key, value)| (key.clone(), owned(value))).collect())
    };
    overrides.is_written().then(|| {
        json!({
            "requestOverride": object(overrides.request()),
            "responseOverride": object(overrides.response()),
        })
    })
}

fn owned(value: &Owned) -> Value {
    match value {
        Owned::Null => Value::Null,
        Owned::Bool(value) => json!(value),
        Owned::Long(value) => json!(value),
        Owned::Text(text) => json!(text),
        Owned::List(items) => items.iter().map(owned).collect(),
        Owned::Map(entries) => {
            Value::Object(entries.iter().map(|(key, value)| (key.clone(), owned(value))).collect())
        }
    }
}

fn request(args: &VtlArgs) -> Result<Case, Failure> {
    let context = args.context.as_deref().map(read).transpose()?.unwrap_or_default();
    let told = |why: String| {
        let file = args.context.as_deref().unwrap_or(Path::new("--context")).display();
        let _ = writeln!(std::io::stderr(), "error: {file}: {why}");
        Failure::Told
    };
    if args.stock {
        return Case::stock(&context).map_err(told);
    }
    let mut parts = Parts {
        body: args.body.as_deref().map(read).transpose()?.unwrap_or_default(),
        querystring: args.queries.clone(),
        header: args.headers.clone(),
        stage_variables: args.stage_variables.clone(),
        ..Parts::default()
    };
    for (place, name, value) in &args.parameters {
        let map = match place {
            Place::Path => &mut parts.path,
            Place::Querystring => &mut parts.querystring,
            Place::Header => &mut parts.header,
        };
        map.push((name.clone(), value.clone()));
    }
    Case::request(parts, &context).map_err(told)
}

fn read(path: &Path) -> Result<String, Failure> {
    let read = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    read.map_err(|error| {
        let _ = writeln!(std::io::stderr(), "error: {}: {error}", path.display());
        Failure::Told
    })
}

fn fail(args: &VtlArgs, kind: &str, path: &Path, message: &str) -> Result<(), Failure> {
    if args.json {
        print(&format!("{:#}\n", json!({ "error": kind, "message": message })));
    } else {
        let _ = writeln!(std::io::stderr(), "{kind} error: {}: {message}", path.display());
    }
    Err(Failure::Told)
}
