//! What a template sees of the request: the machine asks, the gateway or a test answers.

use super::value::Value;
use crate::context::ContextVariable;

/// A read-only map of the request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HostMap(pub u16);

impl HostMap {
    /// `$input.params()`: the three that follow.
    pub const PARAMS: Self = Self(0);
    /// Path parameters.
    pub const PATH: Self = Self(1);
    /// Query string parameters.
    pub const QUERYSTRING: Self = Self(2);
    /// Headers.
    pub const HEADER: Self = Self(3);
    /// `$stageVariables`
    pub const STAGE_VARIABLES: Self = Self(4);
    /// `$context`; the maps in it have numbers from here on, chosen by the host.
    pub const CONTEXT: Self = Self(5);

    /// `$context` and what is in it prints as the empty string.
    pub(super) fn prints_empty(self) -> bool {
        self.0 > Self::CONTEXT.0
    }
}

/// A value of the request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum HostValue<'a> {
    /// Not there, or null.
    Null,
    /// A string.
    Text(&'a str),
    /// A string that [`Host::write`] writes.
    Computed(u32),
    /// A whole number.
    Number(i64),
    /// A number with a fraction.
    Double(f64),
    /// `true`, `false`
    Bool(bool),
    /// Another map.
    Map(HostMap),
}

/// The request behind a rendering. What it lends lives as long as the rendering.
pub trait Host<'a> {
    /// The payload, empty if there is none.
    fn body(&self) -> &'a str;

    /// Entries of a map. `PARAMS` is never asked for.
    fn len(&self, map: HostMap) -> usize;

    /// An entry by its place, below [`Host::len`].
    fn entry(&self, map: HostMap, index: usize) -> (&'a str, HostValue<'a>);

    /// An entry by its key; [`HostValue::Null`]: there is none, or it is null.
    fn lookup(&self, map: HostMap, key: &str) -> HostValue<'a> {
        (0..self.len(map))
            .map(|index| self.entry(map, index))
            .find(|(name, _)| *name == key)
            .map_or(HostValue::Null, |(_, value)| value)
    }

    /// A variable of `$context` that the template names.
    fn context(&self, variable: ContextVariable) -> HostValue<'a>;

    /// Appends what [`HostValue::Computed`] stands for.
    fn write(&self, computed: u32, out: &mut String);

    /// Whether `$input`, `$util`, `$context` and `$stageVariables` are there.
    fn is_api_gateway(&self) -> bool {
        true
    }

    /// A variable of another name that is there before the template begins.
    fn root(&self, _name: &str) -> Option<Value<'a>> {
        None
    }
}
