//! Step 3, route: which method a request is for.
//!
//! The path below the stage walks the stage's route tree. `X-HTTP-Method-Override` replaces the method
//! for routing.
//!
//! In: the parsed head, the path below the stage. Out: the method; the exchange gets captures and the
//! method's number.
//! Cost: one walk down the tree, no allocation.
//! Source: facts, rest-api section 2 and aws-recorded section 21.

use super::error::GatewayError;
use super::exchange::Exchange;
use crate::deploy::{CompiledMethod, CompiledStage};
use crate::http::{self, KnownHeader, RequestHead};
use crate::model::MethodName;

/// Finds the method for the exchange's `path`; afterwards `captures` and `method` are set.
///
/// # Errors
/// [`GatewayError::NoSuchMethod`].
pub fn find<'s>(
    stage: &'s CompiledStage,
    exchange: &mut Exchange,
) -> Result<&'s CompiledMethod, GatewayError> {
    let method =
        routed_method(&exchange.head, &exchange.head_bytes).ok_or(GatewayError::NoSuchMethod)?;
    let path = exchange.path.of(&exchange.head_bytes);
    let index = stage
        .routes
        .find(path, method, &mut exchange.captures)
        .ok_or(GatewayError::NoSuchMethod)?;
    for capture in &mut exchange.captures {
        capture.start += exchange.path.start;
    }
    exchange.method = Some(index);
    Ok(&stage.methods[index as usize])
}

/// The method a request is routed by; `None`: one that no resource can have.
pub fn routed_method(head: &RequestHead, bytes: &[u8]) -> Option<MethodName> {
    let method = match head.find(bytes, KnownHeader::XHttpMethodOverride) {
        Some(name) => http::Method::of(name),
        None => head.method,
    };
    Some(match method {
        http::Method::Get => MethodName::Get,
        http::Method::Head => MethodName::Head,
        http::Method::Post => MethodName::Post,
        http::Method::Put => MethodName::Put,
        http::Method::Patch => MethodName::Patch,
        http::Method::Delete => MethodName::Delete,
        http::Method::Options => MethodName::Options,
        http::Method::Other => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::context::testing::{Api, exchange, route};
    use super::*;

    #[test]
    fn the_stage_is_the_first_segment_and_slashes_collapse() {
        let stage = Api::new()
            .mock("GET", "/{proxy+}")
            .mock("GET", "/hardcoded")
            .mock("GET", "/")
            .mock("POST", "/only-post")
            .stage();
        let no_method = Err(GatewayError::NoSuchMethod);
        for (path, want) in [
            ("/dev/proxy-value", Ok(("/{proxy+}", "/proxy-value", "proxy-value"))),
            ("/dev/proxy-value/", Ok(("/{proxy+}", "/proxy-value/", "proxy-value"))),
            (
                "/dev/proxy-value//double-slash",
                Ok(("/{proxy+}", "/proxy-value//double-slash", "proxy-value//double-slash")),
            ),
            ("//dev/proxy-value", Ok(("/{proxy+}", "/proxy-value", "proxy-value"))),
            ("/dev//proxy-value", Ok(("/{proxy+}", "/proxy-value", "proxy-value"))),
            ("/dev//hardcoded", Ok(("/hardcoded", "/hardcoded", ""))),
            ("/dev", Ok(("/", "/", ""))),
            ("/dev/", Ok(("/", "/", ""))),
            ("//dev//", Ok(("/", "/", ""))),
            ("/dev/a%2Bb?x=1", Ok(("/{proxy+}", "/a%2Bb", "a%2Bb"))),
            ("/device/x", Err(GatewayError::UnknownStage)),
            ("/de", Err(GatewayError::UnknownStage)),
            ("/", Err(GatewayError::UnknownStage)),
            ("/prod/x", Err(GatewayError::UnknownStage)),
            ("/DEV/x", Err(GatewayError::UnknownStage)),
        ] {
            let mut exchange = exchange(&format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
            let found = route(&stage, &mut exchange).map(|method| {
                let capture = exchange
                    .captures
                    .first()
                    .map_or(&b""[..], |span| span.of(&exchange.head_bytes));
                (
                    &*method.resource_path,
                    std::str::from_utf8(exchange.path.of(&exchange.head_bytes)).unwrap(),
                    std::str::from_utf8(capture).unwrap(),
                )
            });
            assert_eq!(found, want, "{path}");
        }
        for (head, want) in [
            ("HEAD /dev/hardcoded HTTP/1.1\r\nHost: h\r\n\r\n", no_method.clone()),
            ("PURGE /dev/hardcoded HTTP/1.1\r\nHost: h\r\n\r\n", no_method.clone()),
            (
                "GET /dev/only-post HTTP/1.1\r\nHost: h\r\nX-HTTP-Method-Override: POST\r\n\r\n",
                Ok("/only-post"),
            ),
            ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", Err(GatewayError::UnknownStage)),
        ] {
            let found = route(&stage, &mut exchange(head)).map(|it| &*it.resource_path);
            assert_eq!(found, want, "{head}");
        }
    }
}
