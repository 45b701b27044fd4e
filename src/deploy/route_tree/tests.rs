use proptest::prelude::*;

use super::*;

/// Tree and the resource of every method number.
fn tree(routes: &[(MethodName, &str)]) -> RouteTree {
    let mut builder = RouteTreeBuilder::default();
    for (index, &(method, path)) in routes.iter().enumerate() {
        builder.add(path, method, index as u32).unwrap_or_else(|error| panic!("{path}: {error:?}"));
    }
    builder.build()
}

fn captured<'a>(path: &'a str, captures: &Captures) -> Vec<&'a str> {
    captures.iter().map(|span| &path[span.range()]).collect()
}

#[test]
fn route_prefers_literal_over_variable_over_greedy() {
    let routes = [
        (MethodName::Get, "/pets"),
        (MethodName::Get, "/pets/{id}"),
        (MethodName::Get, "/pets/{proxy+}"),
    ];
    let tree = tree(&routes);
    let mut captures = Captures::new();
    for (path, want) in [
        ("/pets", Some("/pets")),
        ("/pets/7", Some("/pets/{id}")),
        ("/pets/7/toys", Some("/pets/{proxy+}")),
        ("/pet", None), // a prefix of a segment is no match
        ("/petsy", None),
        ("/", None),
    ] {
        let found = tree.find(path.as_bytes(), MethodName::Get, &mut captures);
        assert_eq!(found.map(|index| routes[index as usize].1), want, "path {path:?}");
    }
}

#[test]
fn route_falls_back_where_the_best_match_lacks_the_method() {
    let routes = [
        (MethodName::Post, "/test"),
        (MethodName::Options, "/{proxy+}"),
        (MethodName::Get, "/part1/hardcoded-value"),
        (MethodName::Get, "/{proxy+}"),
        (MethodName::Any, "/any"),
        (MethodName::Put, "/any"),
        (MethodName::Get, "/only/{id}/deep"),
    ];
    let tree = tree(&routes);
    let mut captures = Captures::new();
    for (method, path, want, values) in [
        (MethodName::Options, "/test", Some(1), &["test"][..]),
        (MethodName::Post, "/test", Some(0), &[]),
        (MethodName::Get, "/part1/random-value", Some(3), &["part1/random-value"]),
        (MethodName::Get, "/part1/hardcoded-value", Some(2), &[]),
        (MethodName::Put, "/any", Some(5), &[]),
        (MethodName::Head, "/any", Some(4), &[]),
        (MethodName::Get, "/only/7/deep", Some(6), &["7"]),
        (MethodName::Get, "/only/7/deeper", Some(3), &["only/7/deeper"]),
        (MethodName::Head, "/test", None, &[]), // HEAD is not implied by GET
        (MethodName::Get, "/", None, &[]),      // greedy needs a segment
        (MethodName::Get, "", None, &[]),
        (MethodName::Get, "//", None, &[]),
    ] {
        let found = tree.find(path.as_bytes(), method, &mut captures);
        assert_eq!(found, want, "{} {path}", method.as_str());
        assert_eq!(captured(path, &captures), values, "{} {path}", method.as_str());
    }
}

#[test]
fn slashes_count_as_aws_counts_them() {
    let routes = [
        (MethodName::Get, "/{proxy+}"),
        (MethodName::Get, "/hardcoded"),
        (MethodName::Get, "/a/{id}"),
        (MethodName::Get, "/"),
    ];
    let tree = tree(&routes);
    let mut captures = Captures::new();
    for (path, want, values) in [
        ("/proxy-value", 0, &["proxy-value"][..]),
        ("/proxy-value/", 0, &["proxy-value"]),
        ("/proxy-value///", 0, &["proxy-value"]),
        ("/proxy-value//double-slash", 0, &["proxy-value//double-slash"]),
        ("//proxy-value", 0, &["proxy-value"]),
        ("//hardcoded", 1, &[]),
        ("/a/7/", 2, &["7"]),
        ("/a//7", 0, &["a//7"]), // an empty segment is no value
        ("/test%2Balias@gmail.com/a+b", 0, &["test%2Balias@gmail.com/a+b"]),
        ("/a%2F7", 0, &["a%2F7"]), // an escaped slash separates nothing
        ("/", 3, &[]),
        ("///", 3, &[]),
        ("", 3, &[]),
    ] {
        assert_eq!(
            tree.find(path.as_bytes(), MethodName::Get, &mut captures),
            Some(want),
            "{path}"
        );
        assert_eq!(captured(path, &captures), values, "{path}");
    }
}

#[test]
fn siblings_with_a_common_beginning_are_told_apart() {
    let paths: Vec<String> = (0..2_000)
        .map(|n| format!("/v1/resource-with-a-long-name-{n:04}"))
        .chain((0..300).map(|n| format!("/v1/resource-with-a-long-name-0000-sub-resource-{n}")))
        .chain(["/v1/resource-with-a-long-name-".to_owned(), "/v1/r\u{0}".to_owned()])
        .collect();
    let routes: Vec<_> = paths.iter().map(|path| (MethodName::Get, path.as_str())).collect();
    let tree = tree(&routes);
    let mut captures = Captures::new();
    for (index, path) in paths.iter().enumerate() {
        let found = tree.find(path.as_bytes(), MethodName::Get, &mut captures);
        assert_eq!(found, Some(index as u32), "{path}");
    }
    for path in ["/v1/resource-with-a-long-name-2000", "/v1/r", "/v1/", "/v1/zzz"] {
        assert_eq!(tree.find(path.as_bytes(), MethodName::Get, &mut captures), None, "{path}");
    }
}

#[test]
fn bad_paths_are_refused() {
    let mut builder = RouteTreeBuilder::default();
    builder.add("/pets/{id}", MethodName::Get, 0).unwrap();
    builder.add("/files/{proxy+}", MethodName::Get, 1).unwrap();
    for (path, want) in [
        ("pets", RouteError::NoSlash),
        ("/pets/", RouteError::EmptySegment),
        ("/a//b", RouteError::EmptySegment),
        ("/a{b}", RouteError::Braces("a{b}".into())),
        ("/{}", RouteError::Braces("{}".into())),
        ("/{a", RouteError::Braces("{a".into())),
        ("/{+}", RouteError::Braces("{+}".into())),
        ("/{a+}/b", RouteError::GreedyNotLast("{a+}".into())),
        ("/pets/{name}/toys", RouteError::SiblingVariable("{id}".into())),
        ("/files/{rest+}", RouteError::SiblingVariable("{proxy+}".into())),
        ("/{a}/{a}", RouteError::RepeatedName("a".into())),
        ("/pets/{id}", RouteError::Duplicate),
    ] {
        assert_eq!(builder.add(path, MethodName::Get, 9), Err(want), "{path}");
    }
    assert_eq!(builder.add(&"/a".repeat(65), MethodName::Get, 9), Err(RouteError::TooDeep));
}

/// Tries every route: the smallest kind of segment first (0 literal, 1 variable, 2 greedy).
fn naive(
    routes: &[(MethodName, String)],
    method: MethodName,
    path: &str,
) -> Option<(u32, Vec<String>)> {
    let path = path.trim_matches('/');
    let given: Vec<&str> = if path.is_empty() { Vec::new() } else { path.split('/').collect() };
    routes
        .iter()
        .enumerate()
        .filter(|(_, (declared, _))| *declared == method || *declared == MethodName::Any)
        .filter_map(|(index, (declared, route))| {
            let declared_segments: Vec<&str> =
                route.split('/').filter(|segment| !segment.is_empty()).collect();
            let (mut rank, mut values) = (Vec::new(), Vec::new());
            for (position, segment) in declared_segments.iter().enumerate() {
                let value = given.get(position)?;
                if segment.ends_with("+}") {
                    rank.push(2);
                    values.push(given[position..].join("/"));
                    return Some((rank, *declared == MethodName::Any, index as u32, values));
                } else if segment.starts_with('{') {
                    if value.is_empty() {
                        return None;
                    }
                    rank.push(1);
                    values.push((*value).to_owned());
                } else if segment == value {
                    rank.push(0);
                } else {
                    return None;
                }
            }
            (given.len() == declared_segments.len()).then_some((
                rank,
                *declared == MethodName::Any,
                index as u32,
                values,
            ))
        })
        .min_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)))
        .map(|(_, _, index, values)| (index, values))
}

fn any_segment() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "ab", "aaaaaaaa", "aaaaaaaab", "aaaaaaaabb", "%2F"])
            .prop_map(str::to_owned),
        2 => Just("{v}".to_owned()),
    ]
}

fn any_route() -> impl Strategy<Value = (MethodName, String)> {
    let method = prop::sample::select(vec![MethodName::Get, MethodName::Post, MethodName::Any]);
    (method, prop::collection::vec(any_segment(), 0..4), any::<bool>()).prop_map(
        |(method, segments, greedy)| {
            let mut path = String::new();
            for (depth, segment) in segments.iter().enumerate() {
                // One name per depth, so that siblings agree and a path repeats none.
                path += &format!("/{}", segment.replace('v', &format!("v{depth}")));
            }
            if greedy {
                path += "/{rest+}";
            }
            (method, if path.is_empty() { "/".to_owned() } else { path })
        },
    )
}

proptest! {
    #[test]
    fn keys_sort_as_the_bytes_they_are_made_of(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        let mut padded = [0; 8];
        let len = bytes.len().min(8);
        padded[..len].copy_from_slice(&bytes[..len]);
        prop_assert_eq!(key(&bytes), u64::from_be_bytes(padded));
    }

    #[test]
    fn route_agrees_with_trying_all_routes(
        routes in prop::collection::vec(any_route(), 1..24),
        requests in prop::collection::vec("[/]{0,2}((a|b|ab|aaaaaaaa|aaaaaaaab|aaaaaaaabb|c|%2F|)/){0,5}[/]{0,2}", 1..16),
    ) {
        let mut builder = RouteTreeBuilder::default();
        let mut kept: Vec<(MethodName, String)> = Vec::new();
        for route in routes {
            match builder.add(&route.1, route.0, kept.len() as u32) {
                Ok(()) => kept.push(route),
                Err(error) => prop_assert_eq!(error, RouteError::Duplicate),
            }
        }
        let tree = builder.build();
        let mut captures = Captures::new();
        for path in &requests {
            for method in [MethodName::Get, MethodName::Post, MethodName::Head] {
                let found = tree.find(path.as_bytes(), method, &mut captures).map(|index| {
                    let values = captured(path, &captures).into_iter().map(str::to_owned);
                    (index, values.collect::<Vec<_>>())
                });
                prop_assert_eq!(found, naive(&kept, method, path), "{} {}", method.as_str(), path);
            }
        }
    }
}
