//! Entry points that take any bytes; a fuzzer or a property test calls them, and nothing may panic.

use super::{Host, HostMap, HostValue, Overrides, Scratch, Settings, Undefined};
use crate::context::ContextVariable;

/// A request whose body is part of the input.
struct Bytes<'a>(&'a str);

impl<'a> Host<'a> for Bytes<'a> {
    fn body(&self) -> &'a str {
        self.0
    }

    fn len(&self, _map: HostMap) -> usize {
        0
    }

    fn entry(&self, _map: HostMap, _index: usize) -> (&'a str, HostValue<'a>) {
        ("", HostValue::Null)
    }

    fn context(&self, _variable: ContextVariable) -> HostValue<'a> {
        HostValue::Text("c")
    }

    fn write(&self, _computed: u32, _out: &mut String) {}
}

/// Compiles and renders a template in both dialects; what follows a NUL is the request's body.
pub fn template(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (source, body) = text.split_once('\0').unwrap_or((&text, r#"{"a":[{"b":1}],"k":"v"}"#));
    let settings = Settings { fuel: 50_000, output_bytes_max: 1 << 20, ..Settings::default() };
    for undefined in [Undefined::Literal, Undefined::Empty] {
        let host = Bytes(body);
        match super::compile(source, undefined) {
            Ok(program) => {
                let mut out = String::new();
                let mut scratch = Scratch::default();
                let mut overrides = Overrides::default();
                if let Err(error) =
                    program.render(&host, &mut scratch, settings, &mut overrides, &mut out)
                {
                    let _ = error.explain(source);
                }
                let _ = program.disassemble();
            }
            Err(error) => {
                let _ = error.explain(source);
            }
        }
    }
}
