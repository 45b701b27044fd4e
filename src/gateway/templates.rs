//! Renders mapping templates: the request behind `$input`, `$context` and `$stageVariables`.
//!
//! Values are lent from where they lie: the head's bytes, the stage, the body. What has to be decoded
//! or made first is written when a template asks for it, into memory of the shard's. The names of query
//! and header parameters are listed the first time one is asked for.
//!
//! In: template, context, body, the overrides so far. Out: text, the overrides. Cost: the program's
//! steps, and for query and header parameters one pass over what the client sent; no allocation once
//! the shard's memory has grown, but for a body that is no UTF-8, for lists and maps that the template
//! builds, and for overrides. Measured: a MOCK with five references costs 0.7 us of CPU more than one that
//! was encoded beforehand (2.4 and 1.7 us, 16 requests pipelined).
//! Source: facts, vtl sections 8 to 11, aws-recorded sections 24.1 and 27.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::context::ContextView;
use super::context::values::decoded;
use super::error::{GatewayError, TemplateFailure};
use super::exchange::Exchange;
use crate::context::ContextVariable;
use crate::deploy::{CompiledStage, CompiledTemplate, TemplateSide, source};
use crate::http::{HeaderField, Span};
use crate::json::Tape;
use crate::telemetry::Variables as _;
use crate::time::Nanos;
use crate::vtl::{self, Host, HostMap, HostValue, Overrides, Settings};

/// What renderings on one shard use one after the other.
#[derive(Default)]
pub struct Renderer {
    machine: vtl::Scratch,
    /// Decoded names of query parameters.
    names: String,
    query: Vec<Pair>,
    headers: Vec<Pair>,
    value: Vec<u8>,
    /// A finished payload on its way; left empty.
    output: String,
    /// Which body is on the machine's tape; the default: none that anybody knows.
    parsed: ParsedBody,
    /// Bodies that were parsed ahead of renderings.
    parsed_count: u64,
}

/// A request's body on the tape of its shard, where it is parsed once for all who read it.
///
/// It is there until another one is ([`Renderer::has`]): a request that waits may lose its place, and is
/// parsed again if it needs to be. The default is no body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParsedBody(u64);

/// Memory beyond this is not kept for the next rendering, bytes.
const KEPT_BYTES_MAX: usize = 256 * 1_024;

impl Renderer {
    /// Puts a body on the tape by `parse`, which gets the tape and says whether the body is JSON to
    /// everybody: to those who want it by the letter, and the same to templates, which read more than that.
    pub fn parse<T>(&mut self, parse: impl FnOnce(&mut Tape) -> (T, bool)) -> (T, ParsedBody) {
        let (result, is_json) = parse(self.machine.tape());
        self.parsed = ParsedBody::default();
        if is_json {
            self.machine.set_parsed();
            self.parsed_count += 1;
            self.parsed = ParsedBody(self.parsed_count);
        }
        (result, self.parsed)
    }

    /// Puts a body on the tape if it is JSON by the letter. The default: it is not.
    pub fn parse_json(&mut self, body: &[u8]) -> ParsedBody {
        let parse = |tape: &mut Tape| {
            let text = std::str::from_utf8(body).ok();
            ((), text.is_some_and(|text| tape.parse_strict(text).is_ok()) && is_read_alike(body))
        };
        self.parse(parse).1
    }

    /// Whether the body is still on the tape.
    pub fn has(&self, parsed: ParsedBody) -> bool {
        parsed == self.parsed && parsed != ParsedBody::default()
    }

    /// Gives the memory of a large body back; the next one is parsed into less.
    pub fn trim(&mut self) {
        if self.machine.tape_bytes() > KEPT_BYTES_MAX {
            self.machine = vtl::Scratch::default();
            self.parsed = ParsedBody::default();
        }
    }

    /// Renders into `out`, whose contents are overwritten.
    ///
    /// # Errors
    /// [`GatewayError::Template`]; `out` is empty then.
    pub fn render(
        &mut self,
        template: &CompiledTemplate,
        context: ContextView<'_>,
        body: &[u8],
        overrides: &mut Overrides,
        out: &mut Vec<u8>,
    ) -> Result<(), GatewayError> {
        out.clear();
        // An empty vector is text: this only moves its memory.
        let mut text = String::from_utf8(std::mem::take(out)).unwrap_or_default();
        let result = self.render_text(template, context, body, overrides, &mut text);
        *out = text.into_bytes();
        if result.is_err() {
            out.clear();
        }
        result
    }

    /// Renders over the body itself.
    ///
    /// # Errors
    /// As [`Renderer::render`].
    pub fn render_in_place(
        &mut self,
        template: &CompiledTemplate,
        context: ContextView<'_>,
        overrides: &mut Overrides,
        body: &mut Vec<u8>,
    ) -> Result<(), GatewayError> {
        let mut output = std::mem::take(&mut self.output).into_bytes();
        let result = self.render(template, context, body, overrides, &mut output);
        std::mem::swap(body, &mut output);
        output.clear();
        if output.capacity() <= KEPT_BYTES_MAX {
            self.output = String::from_utf8(output).unwrap_or_default();
        }
        result
    }

    fn render_text(
        &mut self,
        template: &CompiledTemplate,
        context: ContextView<'_>,
        body: &[u8],
        overrides: &mut Overrides,
        out: &mut String,
    ) -> Result<(), GatewayError> {
        let lossy;
        let body = match std::str::from_utf8(body) {
            Ok(text) => text,
            Err(_) => {
                lossy = String::from_utf8_lossy(body);
                &*lossy
            }
        };
        let exchange = context.exchange;
        let is_parsed = template.side == TemplateSide::Request && self.has(exchange.parsed);
        let query_bytes = exchange.head.query.of(&exchange.head_bytes);
        let mut names = std::mem::take(&mut self.names);
        names.clear();
        let query = Parameters::new(&mut self.query);
        // Names are lent for the whole rendering, so those that have to be decoded are, beforehand.
        let list_now = !is_plain(query_bytes);
        if list_now {
            list_query(query_bytes, &mut query.pairs.borrow_mut(), &mut self.value, &mut names);
        }
        let result = {
            let host = Request {
                context,
                body,
                query_bytes,
                names: &names,
                query,
                headers: Parameters::new(&mut self.headers),
                value: RefCell::new(std::mem::take(&mut self.value)),
            };
            if list_now {
                host.query.unite(host.query_name());
            }
            let held_max = usize::try_from(context.stage.limits.held_max()).unwrap_or(usize::MAX);
            let settings = Settings { output_bytes_max: held_max, ..Settings::default() };
            let program = &template.program;
            let result = if is_parsed {
                program.render_parsed(&host, &mut self.machine, settings, overrides, out)
            } else {
                self.parsed = ParsedBody::default();
                program.render(&host, &mut self.machine, settings, overrides, out)
            };
            let Request { query, headers, value, .. } = host;
            (self.query, self.headers) = (query.pairs.into_inner(), headers.pairs.into_inner());
            self.value = value.into_inner();
            result
        };
        self.names = names;
        if body.len().max(out.len()) > KEPT_BYTES_MAX {
            self.machine = vtl::Scratch::default();
            self.parsed = ParsedBody::default();
        }
        result.map_err(|error| {
            let place = template.place(&error);
            GatewayError::Template(Box::new(TemplateFailure {
                side: template.side,
                media_type: template.media_type.clone(),
                line: place.line,
                column: place.column,
                message: error.message,
            }))
        })
    }
}

/// Whether templates read a body of JSON as everybody does: they drop DEL from strings with escapes.
pub fn is_read_alike(body: &[u8]) -> bool {
    memchr::memchr(0x7f, body).is_none()
}

/// Whether bytes are what they decode to: ASCII without escapes and `+`.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.is_ascii() && memchr::memchr2(b'%', b'+', bytes).is_none()
}

fn push_decoded(bytes: &[u8], plus: bool, value: &mut Vec<u8>, out: &mut String) {
    value.clear();
    value.extend(decoded(bytes, plus));
    push_lossy(value, out);
}

fn push_lossy(bytes: &[u8], out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

/// A parameter: where its name and its last value are.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    name: Span,
    value: Span,
    /// The name is in the decoded ones, not where the value is.
    decoded: bool,
}

/// Appends all parameters of a query; `names` gets the names that are not what they decode to.
fn list_query(query: &[u8], all: &mut Vec<Pair>, value: &mut Vec<u8>, names: &mut String) {
    let mut at = 0;
    for part in query.split(|&byte| byte == b'&' || byte == b';') {
        let start = at;
        at += part.len() + 1;
        if part.is_empty() {
            continue;
        }
        let name_len = memchr::memchr(b'=', part).unwrap_or(part.len());
        let value_at = (name_len + 1).min(part.len());
        let name = &part[..name_len];
        let plain = is_plain(name);
        let span = if plain {
            Span { start: start as u32, len: name_len as u32 }
        } else {
            let name_at = names.len();
            push_decoded(name, true, value, names);
            Span { start: name_at as u32, len: (names.len() - name_at) as u32 }
        };
        let sent = Span { start: (start + value_at) as u32, len: (part.len() - value_at) as u32 };
        all.push(Pair { name: span, value: sent, decoded: !plain });
    }
}

/// The parameters of one place, each name once; listed the first time one is asked for.
struct Parameters {
    pairs: RefCell<Vec<Pair>>,
    listed: Cell<bool>,
    /// Where there are many: as many again follow in the order of their names.
    sorted: Cell<bool>,
}

/// So many parameters are looked through; more are looked up.
const LOOKED_THROUGH_MAX: usize = 24;

impl Parameters {
    fn new(memory: &mut Vec<Pair>) -> Self {
        let mut pairs = std::mem::take(memory);
        pairs.clear();
        Self { pairs: pairs.into(), listed: Cell::default(), sorted: Cell::default() }
    }

    fn len(&self) -> usize {
        let len = self.pairs.borrow().len();
        if self.sorted.get() { len / 2 } else { len }
    }

    fn at(&self, index: usize) -> Pair {
        self.pairs.borrow()[index]
    }

    /// Place of a name.
    fn place<'a>(&self, key: &[u8], name: impl Fn(&Pair) -> &'a [u8]) -> Option<usize> {
        let pairs = self.pairs.borrow();
        if !self.sorted.get() {
            return pairs.iter().position(|pair| name(pair) == key);
        }
        let len = pairs.len() / 2;
        pairs[len..].binary_search_by(|pair| name(pair).cmp(key)).ok().map(|at| len + at)
    }

    /// Leaves each name once, where it stood first and with its last value.
    fn unite<'a>(&self, name: impl Fn(&Pair) -> &'a [u8]) {
        self.listed.set(true);
        let mut pairs = self.pairs.borrow_mut();
        if pairs.len() <= LOOKED_THROUGH_MAX {
            let mut kept = 0;
            for index in 0..pairs.len() {
                let pair = pairs[index];
                match pairs[..kept].iter().position(|other| name(other) == name(&pair)) {
                    Some(first) => pairs[first].value = pair.value,
                    None => {
                        pairs[kept] = pair;
                        kept += 1;
                    }
                }
            }
            pairs.truncate(kept);
            return;
        }
        pairs.sort_unstable_by(|a, b| name(a).cmp(name(b)).then(a.value.start.cmp(&b.value.start)));
        // Each name with where it stood first.
        let mut united: Vec<(u32, Pair)> = Vec::with_capacity(pairs.len());
        for pair in pairs.iter() {
            match united.last_mut() {
                Some((_, last)) if name(last) == name(pair) => last.value = pair.value,
                _ => united.push((pair.value.start, *pair)),
            }
        }
        let by_name: Vec<Pair> = united.iter().map(|(_, pair)| *pair).collect();
        united.sort_unstable_by_key(|(first, _)| *first);
        pairs.clear();
        pairs.extend(united.iter().map(|(_, pair)| *pair));
        pairs.extend(by_name);
        self.sorted.set(true);
    }
}

/// What a rendering sees of its request.
struct Request<'a> {
    context: ContextView<'a>,
    body: &'a str,
    query_bytes: &'a [u8],
    names: &'a str,
    query: Parameters,
    headers: Parameters,
    /// For values on their way.
    value: RefCell<Vec<u8>>,
}

/// Maps within `$context`, by the first part of their variables' names.
const CONTEXT_MAPS: [&str; 3] = ["identity", "authorizer", "error"];

fn context_map(index: usize) -> HostMap {
    HostMap(HostMap::CONTEXT.0 + 1 + index as u16)
}

/// First part of the names in a map within `$context`; `None`: it is none.
fn context_prefix(map: HostMap) -> Option<&'static str> {
    CONTEXT_MAPS.get(usize::from(map.0.checked_sub(HostMap::CONTEXT.0 + 1)?)).copied()
}

// What `HostValue::Computed` stands for: the kind above, the place below.
const KIND: u32 = 30;
const VARIABLE: u32 = 0;
const PATH: u32 = 1;
const QUERY: u32 = 2;
const HEADER: u32 = 3;

impl<'a> Request<'a> {
    fn head_bytes(&self) -> &'a [u8] {
        &self.context.exchange.head_bytes
    }

    /// Bytes of the request as they are, or what writes them as text.
    fn lent(&self, bytes: &'a [u8], kind: u32, place: usize) -> HostValue<'a> {
        match std::str::from_utf8(bytes) {
            Ok(text) => HostValue::Text(text),
            Err(_) => computed(kind, place),
        }
    }

    /// The same for what is still escaped.
    fn unescaped(&self, bytes: &'a [u8], plus: bool, kind: u32, place: usize) -> HostValue<'a> {
        let escaped = match plus {
            true => memchr::memchr2(b'%', b'+', bytes),
            false => memchr::memchr(b'%', bytes),
        };
        match escaped {
            None => self.lent(bytes, kind, place),
            Some(_) => computed(kind, place),
        }
    }

    fn path_parameter(&self, index: usize) -> HostValue<'a> {
        match self.context.exchange.captures.get(index) {
            Some(span) => self.unescaped(span.of(self.head_bytes()), false, PATH, index),
            None => HostValue::Null,
        }
    }

    fn path_names(&self) -> &'a [Box<[u8]>] {
        self.context.method.map_or(&[], |method| &method.path_parameters)
    }

    fn query_name(&self) -> impl Fn(&Pair) -> &'a [u8] {
        let (plain, decoded) = (self.query_bytes, self.names.as_bytes());
        move |pair| pair.name.of(if pair.decoded { decoded } else { plain })
    }

    /// The query's parameters.
    fn query(&self) -> &Parameters {
        if !self.query.listed.get() {
            // What had to be decoded has been listed beforehand.
            let (mut unused, mut names) = (Vec::new(), String::new());
            let mut all = self.query.pairs.borrow_mut();
            list_query(self.query_bytes, &mut all, &mut unused, &mut names);
            drop(all);
            self.query.unite(self.query_name());
        }
        &self.query
    }

    fn query_value(&self, index: usize) -> HostValue<'a> {
        let value = self.query.at(index).value.of(self.query_bytes);
        self.unescaped(value, true, QUERY, index)
    }

    fn header_name(&self) -> impl Fn(&Pair) -> &'a [u8] {
        let bytes = self.head_bytes();
        move |pair| pair.name.of(bytes)
    }

    /// The headers that get past the front door.
    fn headers(&self) -> &Parameters {
        if !self.headers.listed.get() {
            let fields = self.context.exchange.head.headers.iter();
            let received = fields.filter(|field| source::is_received(field.known));
            let pair =
                |field: &HeaderField| Pair { name: field.name, value: field.value, decoded: false };
            self.headers.pairs.borrow_mut().extend(received.map(pair));
            self.headers.unite(self.header_name());
        }
        &self.headers
    }

    fn header_value(&self, index: usize) -> HostValue<'a> {
        self.lent(self.headers.at(index).value.of(self.head_bytes()), HEADER, index)
    }

    /// Variables in `$context` itself or in a map in it that have a value.
    fn context_entries(&self, map: HostMap) -> impl Iterator<Item = (&'a str, HostValue<'a>)> {
        let variables = ContextVariable::ALL.iter().filter_map(move |&variable| {
            let name = variable.name();
            let name = match (context_prefix(map), name.split_once('.')) {
                (None, None) => name,
                (Some(prefix), Some((first, rest))) if first == prefix => rest,
                _ => return None,
            };
            Some((name, self.context(variable)))
        });
        let maps = CONTEXT_MAPS.iter().enumerate().filter(move |_| map == HostMap::CONTEXT);
        let maps = maps.map(|(index, name)| (*name, HostValue::Map(context_map(index))));
        maps.chain(variables).filter(|(_, value)| *value != HostValue::Null)
    }
}

fn computed(kind: u32, place: usize) -> HostValue<'static> {
    HostValue::Computed(kind << KIND | u32::try_from(place).unwrap_or(0))
}

impl<'a> Host<'a> for Request<'a> {
    fn body(&self) -> &'a str {
        self.body
    }

    fn len(&self, map: HostMap) -> usize {
        match map {
            HostMap::PATH => self.path_names().len(),
            HostMap::QUERYSTRING => self.query().len(),
            HostMap::HEADER => self.headers().len(),
            HostMap::STAGE_VARIABLES => self.context.stage.variables.len(),
            map => self.context_entries(map).count(),
        }
    }

    fn entry(&self, map: HostMap, index: usize) -> (&'a str, HostValue<'a>) {
        let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).unwrap_or_default();
        let entry = match map {
            HostMap::PATH => Some((text(&self.path_names()[index]), self.path_parameter(index))),
            HostMap::QUERYSTRING => {
                let name = self.query_name()(&self.query().at(index));
                Some((text(name), self.query_value(index)))
            }
            HostMap::HEADER => {
                let name = self.header_name()(&self.headers().at(index));
                Some((text(name), self.header_value(index)))
            }
            HostMap::STAGE_VARIABLES => {
                let variable = self.context.stage.variables.iter().nth(index);
                variable.map(|(name, value)| (name.as_str(), HostValue::Text(value)))
            }
            map => self.context_entries(map).nth(index),
        };
        entry.unwrap_or(("", HostValue::Null))
    }

    fn lookup(&self, map: HostMap, key: &str) -> HostValue<'a> {
        let bytes = key.as_bytes();
        let found = match map {
            HostMap::PATH => {
                let place = self.path_names().iter().position(|name| **name == *bytes);
                place.map(|index| self.path_parameter(index))
            }
            HostMap::QUERYSTRING if self.query_bytes.is_empty() => None,
            HostMap::QUERYSTRING => {
                let place = self.query().place(bytes, self.query_name());
                place.map(|index| self.query_value(index))
            }
            HostMap::HEADER => {
                let place = self.headers().place(bytes, self.header_name());
                place.map(|index| self.header_value(index))
            }
            HostMap::STAGE_VARIABLES => {
                self.context.stage.variables.get(key).map(|value| HostValue::Text(value))
            }
            map => self.context_entries(map).find(|(name, _)| *name == key).map(|(_, it)| it),
        };
        found.unwrap_or(HostValue::Null)
    }

    fn context(&self, variable: ContextVariable) -> HostValue<'a> {
        use ContextVariable as V;
        if let Some(bytes) = self.context.lent(variable) {
            return match bytes {
                b"" => HostValue::Null,
                bytes => self.lent(bytes, VARIABLE, variable as usize),
            };
        }
        match variable {
            V::RequestTimeEpoch => {
                let millis = self.context.exchange.received_wall.0;
                HostValue::Number(i64::try_from(millis).unwrap_or(i64::MAX))
            }
            V::RequestTime | V::IdentitySourceIp => computed(VARIABLE, variable as usize),
            // What comes later, and what access logs and gateway responses have only.
            _ => HostValue::Null,
        }
    }

    fn write(&self, computed: u32, out: &mut String) {
        let place = (computed & ((1 << KIND) - 1)) as usize;
        let mut value = self.value.borrow_mut();
        value.clear();
        match computed >> KIND {
            VARIABLE => {
                let variable = ContextVariable::ALL[place];
                match self.context.lent(variable) {
                    Some(bytes) => value.extend_from_slice(bytes),
                    None => {
                        self.context.write(variable, &mut value);
                    }
                }
            }
            PATH => {
                let sent = self.context.exchange.captures[place].of(self.head_bytes());
                value.extend(decoded(sent, false));
            }
            QUERY => {
                value.extend(decoded(self.query.at(place).value.of(self.query_bytes), true));
            }
            _ => value.extend_from_slice(self.headers.at(place).value.of(self.head_bytes())),
        }
        push_lossy(&value, out);
    }
}

/// Tells the process's log of templates that fail, so that one that always does cannot flood it.
#[derive(Debug, Default)]
pub struct FailureLog {
    /// When the lines written so far have been paid for, one each [`FailureLog::LINE_EVERY`].
    paid_until: Cell<Nanos>,
    withheld: Cell<u64>,
}

impl FailureLog {
    const LINE_EVERY: Duration = Duration::from_secs(1);
    const LINES_AT_ONCE: u32 = 10;

    /// Writes a line, or counts it for the next one.
    pub fn add(&self, stage: &CompiledStage, exchange: &Exchange, why: &GatewayError, now: Nanos) {
        let Some(withheld) = self.admit(now) else { return };
        let context = ContextView::new(stage, exchange);
        let (method, path) =
            context.method.map_or(("", ""), |it| (it.http_method.as_str(), &*it.resource_path));
        let request_id = String::from_utf8_lossy(&exchange.ids.request_id);
        let (api, name) = (&stage.api_id, &stage.stage);
        let withheld = match withheld {
            0 => String::new(),
            count => format!(" ({count} more since the last line)"),
        };
        tracing::warn!(
            "API {api}, stage {name}, {method} {path}, request {request_id}: {why}{withheld}"
        );
    }

    /// How many lines were withheld before this one; `None`: so is it.
    fn admit(&self, now: Nanos) -> Option<u64> {
        let paid = self.paid_until.get().max(now).after(Self::LINE_EVERY);
        if paid.since(now) > Self::LINE_EVERY * Self::LINES_AT_ONCE {
            self.withheld.set(self.withheld.get() + 1);
            return None;
        }
        self.paid_until.set(paid);
        Some(self.withheld.take())
    }
}

#[cfg(test)]
mod tests;
