//! Step 2, find the API: which stage of which API a request is for, by its host and its path.
//!
//! ```text
//! {api id}.execute-api.{anything}           /{stage}/path
//! a custom domain name                      /{base path}/path           of a mapping with a stage
//!                                           /{base path}/{stage}/path   of one without
//! any host                                  /_aws/execute-api/{api id}/{stage}/path
//! any host                                  /{stage}/path of the default API, with `ringway run`
//! ```
//!
//! The first of them that has an answer counts. Slashes at the beginning, and those before and behind
//! the stage, count as one (facts, aws-recorded section 21).
//!
//! In: the parsed head, what the connection's last request came to. Out: the stage's entry; the exchange
//! gets the path below the stage. Cost: on a kept connection comparisons of bytes; a hash where another
//! host or API is named than by the request before. No allocation.
//! Source: facts, rest-api section 1; developer guide, "Use API mappings to connect API stages to a
//! custom domain name".

use std::collections::HashMap;
use std::sync::Arc;

use super::error::GatewayError;
use super::exchange::Exchange;
use crate::deploy::DomainTable;
use crate::http::Span;

/// What stands behind the API's id in the name of its default endpoint.
const DEFAULT_ENDPOINT: &[u8] = b"execute-api.";
/// What stands before the API's id in the path form.
const PATH_FORM: &[u8] = b"/_aws/execute-api/";
/// A host that is not an API's own and is longer than this is looked up for every request, bytes.
const MEMO_HOST_BYTES: usize = 34;
/// An API's id is shorter, and so is a host that is looked up: DNS ends at 253.
const NAME_BYTES_MAX: usize = 255;

/// Everything that is served: APIs and their stages, each with an `E` of the one who serves them.
#[derive(Debug)]
pub struct ApiTable<E> {
    /// Another one after each batch of changes: what a connection remembers is of one generation.
    generation: u32,
    /// By slot; a free one has an empty id.
    apis: Vec<Api<E>>,
    free: Vec<u32>,
    /// Slots by lower-case id.
    slots: HashMap<Box<[u8]>, u32, foldhash::fast::RandomState>,
    domains: Arc<DomainTable>,
    /// The slot of each mapping's API, by domain.
    mapped: Vec<Box<[u32]>>,
    default: Option<u32>,
}

#[derive(Debug)]
struct Api<E> {
    id: Box<[u8]>,
    /// `disableExecuteApiEndpoint` is not set.
    default_endpoint: bool,
    /// Few: they are looked through.
    stages: Vec<(Box<[u8]>, E)>,
}

/// What a connection remembers of its last request's host. Small: idle connections hold it, too.
#[derive(Debug)]
pub struct HostMemo {
    /// The table's at the time; 0: nothing is remembered.
    generation: u32,
    /// The API of the last path form.
    path_api: u32,
    /// The slot or the domain of the host.
    index: u32,
    kind: Kind,
    len: u8,
    /// The host; of an API's own host the part that is the API's.
    host: [u8; MEMO_HOST_BYTES],
}

/// No API.
const NONE: u32 = u32::MAX;

impl Default for HostMemo {
    fn default() -> Self {
        Self {
            generation: 0,
            path_api: NONE,
            index: 0,
            kind: Kind::Unknown,
            len: 0,
            host: [0; MEMO_HOST_BYTES],
        }
    }
}

/// A [`Place`] without its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unknown,
    Api,
    Domain,
}

impl HostMemo {
    /// What is remembered for `host`.
    #[inline]
    fn recall(&self, generation: u32, host: &[u8]) -> Option<Place> {
        if self.generation != generation {
            return None;
        }
        let known = &self.host[..usize::from(self.len)];
        match self.kind {
            // Whatever follows it.
            Kind::Api => host.starts_with(known).then_some(Place::Api(self.index)),
            Kind::Domain => (*host == *known).then_some(Place::Domain(self.index)),
            Kind::Unknown => (*host == *known).then_some(Place::Unknown),
        }
    }

    fn remember(&mut self, generation: u32, host: &[u8], place: Place) {
        let (kind, index, part) = match place {
            Place::Unknown => (Kind::Unknown, 0, host.len()),
            Place::Domain(index) => (Kind::Domain, index, host.len()),
            Place::Api(index) => {
                let id = memchr::memchr(b'.', host).unwrap_or(0);
                (Kind::Api, index, id + 1 + DEFAULT_ENDPOINT.len())
            }
        };
        let generation = match self.host.get_mut(..part) {
            Some(place) => {
                place.copy_from_slice(&host[..part]);
                generation
            }
            None => 0,
        };
        if self.generation != generation {
            self.path_api = NONE;
        }
        *self = Self { generation, index, kind, len: part as u8, ..*self };
    }
}

/// What a host stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing that is known by its name.
    Unknown,
    /// The default endpoint of the API in this slot.
    Api(u32),
    /// The custom domain name at this place of the table.
    Domain(u32),
}

/// Why there is no stage for a request.
#[derive(Debug)]
pub struct NotFound<'t, E> {
    /// What the client is told.
    pub error: GatewayError,
    /// The stage whose logs and counters tell of it: with `ringway run` there is one whatever is asked.
    pub told_to: Option<&'t E>,
}

impl<E> Default for ApiTable<E> {
    fn default() -> Self {
        Self {
            generation: 1,
            apis: Vec::new(),
            free: Vec::new(),
            slots: HashMap::default(),
            domains: Arc::default(),
            mapped: Vec::new(),
            default: None,
        }
    }
}

impl<E> ApiTable<E> {
    /// Serves a stage, also in the place of the one that is there.
    pub fn serve(&mut self, api_id: &str, stage: &str, entry: E) {
        let slot = self.slot(api_id);
        let stages = &mut self.apis[slot as usize].stages;
        match stages.iter_mut().find(|(name, _)| **name == *stage.as_bytes()) {
            Some((_, served)) => *served = entry,
            None => stages.push((stage.as_bytes().into(), entry)),
        }
    }

    /// Serves a stage no longer.
    pub fn remove(&mut self, api_id: &str, stage: &str) {
        if let Some(slot) = self.known(api_id.as_bytes()) {
            self.apis[slot as usize].stages.retain(|(name, _)| **name != *stage.as_bytes());
        }
    }

    /// Custom domain names from now on.
    pub fn set_domains(&mut self, domains: Arc<DomainTable>) {
        self.mapped = domains
            .domains()
            .iter()
            .map(|domain| domain.mappings.iter().map(|it| self.slot(&it.api_id)).collect())
            .collect();
        self.domains = domains;
    }

    /// Whether the API answers at its default endpoint, and in the path form.
    pub fn set_default_endpoint(&mut self, api_id: &str, enabled: bool) {
        let slot = self.slot(api_id);
        self.apis[slot as usize].default_endpoint = enabled;
    }

    /// Which API gets the requests that nothing else fits.
    pub fn set_default_api(&mut self, api_id: Option<&str>) {
        self.default = api_id.map(|id| self.slot(id));
    }

    /// Ends a batch of changes: what connections remember is forgotten, and so are APIs of which
    /// nothing is left.
    pub fn end_batch(&mut self) {
        self.generation = self.generation.wrapping_add(1).max(1);
        let mut used = vec![false; self.apis.len()];
        for &slot in self.mapped.iter().flatten().chain(&self.default) {
            used[slot as usize] = true;
        }
        for ((slot, api), used) in (0..).zip(&mut self.apis).zip(used) {
            if !used && api.default_endpoint && api.stages.is_empty() && !api.id.is_empty() {
                self.slots.remove(&api.id);
                api.id = Box::default();
                self.free.push(slot);
            }
        }
    }

    /// Whether a batch of changes has been applied.
    pub fn has_begun(&self) -> bool {
        self.generation > 1
    }

    /// APIs that are known in some way.
    pub fn api_count(&self) -> usize {
        self.slots.len()
    }

    /// The stage whose logs and counters tell of requests that name none.
    pub fn told_to(&self) -> Option<&E> {
        let api = &self.apis[self.default? as usize];
        Some(&api.stages.first()?.1)
    }

    /// The slot of an API that is known or becomes so.
    fn slot(&mut self, api_id: &str) -> u32 {
        let id = api_id.to_ascii_lowercase().into_bytes();
        if let Some(&slot) = self.slots.get(&*id) {
            return slot;
        }
        let api = Api { id: id.clone().into(), default_endpoint: true, stages: Vec::new() };
        let slot = match self.free.pop() {
            Some(free) => {
                self.apis[free as usize] = api;
                free
            }
            None => {
                self.apis.push(api);
                (self.apis.len() - 1) as u32
            }
        };
        self.slots.insert(id.into(), slot);
        slot
    }

    /// The slot of an API by its id in any case.
    fn known(&self, id: &[u8]) -> Option<u32> {
        let mut lower = [0; NAME_BYTES_MAX];
        self.slots.get(lower_case(id, &mut lower)?).copied()
    }

    /// Finds the stage that a request is for. Afterwards `path` and, where a custom domain name was
    /// asked, `base_path` of the exchange are set; the path form's prefix is cut from the head's path,
    /// as if the API's own host had been asked.
    ///
    /// # Errors
    /// [`GatewayError::UnknownApi`], [`GatewayError::UnknownStage`], [`GatewayError::NoDefaultEndpoint`].
    #[inline]
    pub fn find(
        &self,
        memo: &mut HostMemo,
        exchange: &mut Exchange,
    ) -> Result<&E, NotFound<'_, E>> {
        let place = self.place(memo, exchange.head.host.of(&exchange.head_bytes));
        let bytes = &*exchange.head_bytes;
        let path = exchange.head.path;
        let mut error = GatewayError::UnknownApi;
        match place {
            Place::Unknown => {}
            Place::Api(slot) => {
                let api = &self.apis[slot as usize];
                if !api.default_endpoint {
                    return Err(self.not_found(GatewayError::NoDefaultEndpoint));
                }
                if let Some((entry, below)) = api.stage_of(bytes, path) {
                    exchange.path = below;
                    return Ok(entry);
                }
                error = api.lacks();
            }
            Place::Domain(domain) => {
                if let Some(found) = self.mapping(domain, bytes, path) {
                    exchange.path = found.below;
                    exchange.base_path = Some(found.base_path);
                    return Ok(found.entry);
                }
            }
        }
        if let Some((id, rest)) = path_form(bytes, path) {
            return match self.path_api(memo, id.of(bytes)).map(|slot| &self.apis[slot as usize]) {
                None => Err(self.not_found(GatewayError::UnknownApi)),
                Some(api) if !api.default_endpoint => {
                    Err(self.not_found(GatewayError::NoDefaultEndpoint))
                }
                Some(api) => match api.stage_of(bytes, rest) {
                    Some((entry, below)) => {
                        exchange.head.path = rest;
                        exchange.path = below;
                        Ok(entry)
                    }
                    None => Err(self.not_found(api.lacks())),
                },
            };
        }
        if let Some(slot) = self.default {
            let api = &self.apis[slot as usize];
            if let Some((entry, below)) = api.stage_of(bytes, path) {
                exchange.path = below;
                return Ok(entry);
            }
            error = api.lacks();
        }
        Err(self.not_found(error))
    }

    #[cold]
    fn not_found(&self, error: GatewayError) -> NotFound<'_, E> {
        NotFound { error, told_to: self.told_to() }
    }

    /// What the host stands for: as the memo has it, or looked up and remembered.
    #[inline]
    fn place(&self, memo: &mut HostMemo, host: &[u8]) -> Place {
        if let Some(place) = memo.recall(self.generation, host) {
            return place;
        }
        let place = self.place_of(host);
        memo.remember(self.generation, host, place);
        place
    }

    fn place_of(&self, host: &[u8]) -> Place {
        let mut lower = [0; NAME_BYTES_MAX];
        let Some(name) = lower_case(without_port(host), &mut lower) else { return Place::Unknown };
        if let Some(dot) = memchr::memchr(b'.', name)
            && name[dot + 1..].starts_with(DEFAULT_ENDPOINT)
            && let Some(&slot) = self.slots.get(&name[..dot])
        {
            return Place::Api(slot);
        }
        self.domains.find(name).map_or(Place::Unknown, Place::Domain)
    }

    fn path_api(&self, memo: &mut HostMemo, id: &[u8]) -> Option<u32> {
        // It is of the host's generation, and that was looked up before.
        if let Some(api) = self.apis.get(memo.path_api as usize)
            && *api.id == *id
        {
            return Some(memo.path_api);
        }
        let slot = self.known(id)?;
        memo.path_api = slot;
        Some(slot)
    }

    fn mapping(&self, domain: u32, bytes: &[u8], path: Span) -> Option<Mapped<'_, E>> {
        let mappings = &self.domains.domains()[domain as usize].mappings;
        for (mapping, &slot) in mappings.iter().zip(&self.mapped[domain as usize]) {
            let base = mapping.base_path.as_bytes();
            let Some(behind) = behind(base, bytes, path) else { continue };
            let api = &self.apis[slot as usize];
            let (entry, below) = match &mapping.stage {
                Some(stage) => (api.stage(stage.as_bytes())?, behind),
                None => api.stage_of(bytes, behind)?,
            };
            let base_path =
                Span { start: path.start + slashes(path.of(bytes)) as u32, len: base.len() as u32 };
            return Some(Mapped { entry, below, base_path });
        }
        None
    }
}

struct Mapped<'t, E> {
    entry: &'t E,
    below: Span,
    base_path: Span,
}

impl<E> Api<E> {
    fn stage(&self, name: &[u8]) -> Option<&E> {
        self.stages.iter().find(|(stage, _)| **stage == *name).map(|(_, entry)| entry)
    }

    /// Why none of its stages is asked: one that is not served at all is as good as none.
    fn lacks(&self) -> GatewayError {
        match self.stages.is_empty() {
            true => GatewayError::UnknownApi,
            false => GatewayError::UnknownStage,
        }
    }

    /// The stage that the first segment of `path` names, and the path below it.
    fn stage_of(&self, bytes: &[u8], path: Span) -> Option<(&E, Span)> {
        self.stages.iter().find_map(|(stage, entry)| Some((entry, behind(stage, bytes, path)?)))
    }
}

/// Slashes that `path` begins with.
fn slashes(path: &[u8]) -> usize {
    path.iter().take_while(|&&byte| byte == b'/').count()
}

/// The part of `path` behind `segments` at its beginning; begins with `/`. Doubled slashes before and
/// behind them count as one; no segments are there always.
fn behind(segments: &[u8], bytes: &[u8], path: Span) -> Option<Span> {
    let text = path.of(bytes);
    let start = slashes(text);
    let rest = text[start..].strip_prefix(segments)?;
    let at = start + segments.len();
    let doubled = slashes(rest);
    let at = if segments.is_empty() || rest.is_empty() {
        // `/dev`: no slash behind the stage to point at, so the one before it stands for the path.
        let slash = start.checked_sub(1)?;
        if rest.is_empty() {
            return Some(Span { start: path.start + slash as u32, len: 1 });
        }
        slash
    } else if doubled == 0 {
        return None;
    } else {
        at + doubled - 1
    };
    Some(Span { start: path.start + at as u32, len: (text.len() - at) as u32 })
}

/// The API's id of a path form, and the path behind it; that begins with `/` or is empty.
fn path_form(bytes: &[u8], path: Span) -> Option<(Span, Span)> {
    let text = path.of(bytes);
    let rest = text.strip_prefix(PATH_FORM)?;
    let len = memchr::memchr(b'/', rest).unwrap_or(rest.len());
    let at = PATH_FORM.len();
    let id = Span { start: path.start + at as u32, len: len as u32 };
    let behind = at + len;
    Some((id, Span { start: path.start + behind as u32, len: (text.len() - behind) as u32 }))
}

/// A `Host` without its port.
pub(super) fn without_port(host: &[u8]) -> &[u8] {
    // An IPv6 address has colons of its own, but in brackets.
    let from = memchr::memchr(b']', host).unwrap_or(0);
    let end = memchr::memchr(b':', &host[from..]).map_or(host.len(), |colon| from + colon);
    &host[..end]
}

/// `name` in lower case; `None`: it is too long to be a name.
fn lower_case<'b>(name: &[u8], buffer: &'b mut [u8; NAME_BYTES_MAX]) -> Option<&'b [u8]> {
    let lower = buffer.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    Some(lower)
}

#[cfg(test)]
mod tests;
