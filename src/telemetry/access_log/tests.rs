use proptest::prelude::*;

use super::*;

/// Values of one request; what is not listed has none.
struct Request<'a>(&'a [(&'a str, &'a [u8])]);

impl Variables for Request<'_> {
    fn write(&self, variable: ContextVariable, out: &mut Vec<u8>) -> bool {
        let Some((_, value)) = self.0.iter().find(|(name, _)| *name == variable.name()) else {
            out.extend_from_slice(b"rubbish that must go again");
            return false;
        };
        out.extend_from_slice(value);
        true
    }

    fn write_authorizer(&self, key: &str, out: &mut Vec<u8>) -> bool {
        let found = self.0.iter().find(|(name, _)| name.strip_prefix("authorizer.") == Some(key));
        out.extend_from_slice(found.map_or(b"", |(_, value)| value));
        found.is_some()
    }
}

fn line(format: &AccessLogFormat, request: &[(&str, &[u8])]) -> String {
    let mut out = b"before\n".to_vec();
    format.write(&mut out, &Request(request));
    let line = String::from_utf8(out).expect("lines are UTF-8");
    line.strip_prefix("before\n").expect("what was there stays").to_owned()
}

fn one(format: &str, request: &[(&str, &[u8])]) -> String {
    line(&AccessLogFormat::parse(format).expect(format), request)
}

const PETS: &[(&str, &[u8])] = &[
    ("requestId", b"c6af9ac6-7b61-11e6-9a41-93e8deadbeef"),
    ("extendedRequestId", b"DbSEqG6OoAMFqgA="),
    ("identity.sourceIp", b"192.0.2.9"),
    ("requestTime", b"04/Mar/2020:19:15:17 +0000"),
    ("httpMethod", b"GET"),
    ("resourcePath", b"/pets/{id}"),
    ("protocol", b"HTTP/1.1"),
    ("status", b"200"),
    ("responseLength", b"8"),
];

#[test]
fn presets_write_what_the_console_s_do() {
    for (name, want) in [
        (
            "clf",
            "192.0.2.9 - - [04/Mar/2020:19:15:17 +0000] \"GET /pets/{id} HTTP/1.1\" 200 8 \
             c6af9ac6-7b61-11e6-9a41-93e8deadbeef DbSEqG6OoAMFqgA=\n",
        ),
        (
            "json",
            "{ \"requestId\":\"c6af9ac6-7b61-11e6-9a41-93e8deadbeef\", \
             \"extendedRequestId\":\"DbSEqG6OoAMFqgA=\", \"ip\": \"192.0.2.9\", \"caller\":\"-\", \
             \"user\":\"-\", \"requestTime\":\"04/Mar/2020:19:15:17 +0000\", \
             \"httpMethod\":\"GET\", \"resourcePath\":\"/pets/{id}\", \"status\":\"200\", \
             \"protocol\":\"HTTP/1.1\", \"responseLength\":\"8\" }\n",
        ),
        (
            "csv",
            "192.0.2.9,-,-,04/Mar/2020:19:15:17 +0000,GET,/pets/{id},HTTP/1.1,200,8,\
             c6af9ac6-7b61-11e6-9a41-93e8deadbeef,DbSEqG6OoAMFqgA=\n",
        ),
        (
            "xml",
            "<request id=\"c6af9ac6-7b61-11e6-9a41-93e8deadbeef\"> \
             <extendedRequestId>DbSEqG6OoAMFqgA=</extendedRequestId> <ip>192.0.2.9</ip> \
             <caller>-</caller> <user>-</user> \
             <requestTime>04/Mar/2020:19:15:17 +0000</requestTime> <httpMethod>GET</httpMethod> \
             <resourcePath>/pets/{id}</resourcePath> <status>200</status> \
             <protocol>HTTP/1.1</protocol> <responseLength>8</responseLength> </request>\n",
        ),
    ] {
        let preset = AccessLogFormat::preset(name).expect(name);
        assert_eq!(line(&preset, PETS), want);
        assert!(preset.identifies_requests(), "{name}");
    }
    assert_eq!(AccessLogFormat::preset("CLF"), None);
    assert_eq!(AccessLogFormat::PRESET_NAMES, ["clf", "json", "csv", "xml"]);
    serde_json::from_str::<serde_json::Value>(&line(
        &AccessLogFormat::preset("json").unwrap(),
        PETS,
    ))
    .expect("the JSON preset is JSON");
}

#[test]
fn a_throttled_anonymous_request_prints_as_on_aws() {
    let format = r#"$context.requestId $context.identity.user "$context.httpMethod $context.path" $context.status $context.integration.latency"#;
    let request: &[(&str, &[u8])] = &[
        ("requestId", b"rid"),
        ("httpMethod", b"GET"),
        ("path", b"/dev/pets"),
        ("status", b"429"),
    ];
    assert_eq!(one(format, request), "rid - \"GET /dev/pets\" 429 -\n");
    let error: &[(&str, &[u8])] = &[
        ("error.message", b"Too Many Requests"),
        ("error.messageString", b"\"Too Many \\\"Requests\\\"\""),
    ];
    assert_eq!(
        one("$context.error.message $context.error.messageString", error),
        "Too Many Requests \"Too Many \\\"Requests\\\"\"\n"
    );
}

#[test]
fn names_end_where_a_name_ends() {
    for (format, want) in [
        ("$context.status.", "200.\n"),
        ("$context.status...", "200...\n"),
        ("($context.status)", "(200)\n"),
        ("$context.status$context.status", "200200\n"),
        ("$context.status-$context.httpMethod", "200-GET\n"),
        ("5$ $$context.status$", "5$ $200$\n"),
        ("é$context.status\n", "é200\n"),
        ("$context.status\r\n", "200\n"),
        ("$context.status\\n", "200\n"),
        ("a\tb", "a\tb\n"),
        ("$context.waf.status $context.identity.clientCert.validity.notAfter", "- -\n"),
        ("[$context.status['x']]", "[200['x']]\n"),
    ] {
        assert_eq!(one(format, PETS), want, "{format:?}");
    }
}

#[test]
fn texts_of_any_length_stand_between_values() {
    for length in [0, 1, 31, 32, 33, 64, 65, 300] {
        let text = "é-0123456789".chars().cycle().take(length).collect::<String>();
        let format = format!("{text}$context.status{text}$context.httpMethod{text}");
        assert_eq!(one(&format, PETS), format!("{text}200{text}GET{text}\n"), "{length}");
    }
}

#[test]
fn authorizer_keys_are_free() {
    let request: &[(&str, &[u8])] = &[
        ("authorizer.principalId", b"me"),
        ("authorizer.tier", b"gold"),
        ("authorizer.claims.sub", b"42"),
        ("authorizer.claims.custom:role", b"admin"),
    ];
    for (format, want) in [
        ("$context.authorizer.principalId", "me\n"),
        ("$context.authorizer['principalId']", "me\n"),
        ("$context.authorizer.tier", "gold\n"),
        ("$context.authorizer[\"tier\"]", "gold\n"),
        ("$context.authorizer.claims.sub.", "42.\n"),
        ("$context.authorizer.claims['custom:role']!", "admin!\n"),
        ("$context.authorizer.latency", "-\n"),
    ] {
        assert_eq!(one(format, request), want, "{format}");
    }
}

#[test]
fn every_variable_can_be_referred_to() {
    for variable in ContextVariable::ALL {
        let format = AccessLogFormat::parse(&format!("$context.{}", variable.name())).unwrap();
        let field = Field { value: Value::Variable(*variable), text: 0 };
        assert_eq!((&*format.text, &*format.fields), ("\n", &[field][..]));
        let identifies = ["requestId", "extendedRequestId"].contains(&variable.name());
        assert_eq!(format.identifies_requests(), identifies, "{}", variable.name());
        let read = ContextVariable::ALL.iter().filter(|it| format.reads(**it));
        assert!(read.eq([variable]), "{}", variable.name());
    }
}

#[test]
fn bad_formats_are_refused_with_place_and_remedy() {
    for (format, says) in [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("a\nb", "column 2: a line feed"),
        ("$context.requestId\0", "column 19: a line feed or another control"),
        (
            "é $context.requestid",
            "column 3: there is no variable '$context.requestid'; is '$context.requestId' meant?",
        ),
        ("$context.sourceIp", "is '$context.identity.sourceIp' meant?"),
        ("$context.identity.userAgnet", "is '$context.identity.userAgent' meant?"),
        ("$context.integration.statuss", "is '$context.integration.status' meant?"),
        ("$context.quux", "there is no variable '$context.quux'; the developer guide lists"),
        ("$context.", "there is no variable '$context.'"),
        ("$context.authorizer", "there is no variable '$context.authorizer'"),
        ("$context.authorizer['']", "there is no variable '$context.authorizer'"),
        ("x $context", "column 3: '$context' is no $context variable; only those"),
        ("$input.body.", "column 1: '$input.body' is no $context variable"),
        ("${context.status} x", "'${context.status}' is no $context variable"),
        ("$stageVariables.x", "'$stageVariables.x' is no"),
    ] {
        let error = AccessLogFormat::parse(format).expect_err(format).to_string();
        assert!(error.contains(says), "{format:?}: {error}");
    }
    let long = |bytes| format!("$context.requestId {}", "x".repeat(bytes - 19));
    assert!(AccessLogFormat::parse(&long(FORMAT_BYTES_MAX)).is_ok());
    assert_eq!(
        AccessLogFormat::parse(&long(FORMAT_BYTES_MAX + 1)),
        Err(FormatError::TooLong { bytes: FORMAT_BYTES_MAX + 1 })
    );
}

#[test]
fn values_cannot_break_their_field_or_line() {
    for (format, value, want) in [
        ("\"$context.path\"", &b"a\" b\\c"[..], r#""a\" b\\c""#),
        ("$context.path", b"a\r\nGET forged", r"a\r\nGET forged"),
        ("$context.path", b"\x1b[31m\0\x7f\t", r"\u001b[31m\u0000\u007f\t"),
        ("$context.path", "é€😀".as_bytes(), "é€😀"),
        ("$context.path", b"caf\xe9 \xff\xc3", r"caf\u00e9 \u00ff\u00c3"),
        ("$context.path", "\u{85}\u{9b}\u{2028}x".as_bytes(), r"\u0085\u009b\u2028x"),
        ("$context.path", b"<a> & 'b'", "<a> & 'b'"),
        (
            " <x>$context.path</x>",
            b"<a> & 'b' \"c\" \\",
            " <x>&lt;a&gt; &amp; &#39;b&#39; &quot;c&quot; \\</x>",
        ),
        ("<x>$context.path</x>", b"a\nb", "<x>a\\nb</x>"),
        ("$context.authorizer.x", b"a\nb", "a\\nb"),
        ("$context.error.messageString", b"\"a\\\"b\n\"", "\"a\\\"b\\n\""),
        ("$context.path", b"", ""),
    ] {
        let request: &[(&str, &[u8])] =
            &[("path", value), ("authorizer.x", value), ("error.messageString", value)];
        assert_eq!(one(format, request), format!("{want}\n"), "{format} {value:?}");
    }
}

#[test]
fn special_bytes_are_found_wherever_a_value_has_them() {
    // Short values are searched in one way and long ones in another.
    for length in [1, 2, 31, 32, 33, 64, 65] {
        for at in [0, length / 2, length - 1] {
            for (format, byte, escaped) in [
                ("$context.path", b'"', "\\\""),
                ("$context.path", b'\n', "\\n"),
                ("$context.path", 0xFF, "\\u00ff"),
                ("<x>$context.path</x>", b'<', "&lt;"),
                ("<x>$context.path</x>", b'"', "&quot;"),
                ("<x>$context.path</x>", 0x7F, "\\u007f"),
            ] {
                let mut value = vec![b'a'; length];
                value[at] = byte;
                let after = "a".repeat(length - at - 1);
                let want = format!("{}{escaped}{after}", "a".repeat(at));
                let want = format!("{}\n", format.replace("$context.path", &want));
                assert_eq!(one(format, &[("path", &value)]), want, "{length} {at} {byte}");
            }
        }
    }
}

#[test]
fn giant_values_are_cut_between_characters() {
    for length in 16_380..16_390 {
        let value = format!("{}ééé", "a".repeat(length));
        let line = one("$context.path", &[("path", value.as_bytes())]);
        assert!(line.len() <= 16_385 && !line.contains('\\'), "{length}");
    }
}

proptest! {
    #[test]
    fn whatever_values_hold_a_json_line_stays_one_json_line(
        path in prop::collection::vec(any::<u8>(), 0..60),
        agent in "\\PC{0,20}[\"\\\\\n\r\u{2028}]{0,4}",
    ) {
        let format = r#"{"path":"$context.path","agent":"$context.identity.userAgent"}"#;
        let request: &[(&str, &[u8])] =
            &[("path", &path), ("identity.userAgent", agent.as_bytes())];
        let line = one(format, request);
        prop_assert_eq!(line.matches('\n').count(), 1);
        let json: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        prop_assert_eq!(json["agent"].as_str(), Some(agent.as_str()));
        if let Ok(path) = std::str::from_utf8(&path) {
            prop_assert_eq!(json["path"].as_str(), Some(path));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(
        format in "(\\$context\\.|\\$|authorizer|\\['|'\\]|\\.|status|\\PC){0,12}",
    ) {
        if let Ok(format) = AccessLogFormat::parse(&format) {
            let _ = line(&format, PETS);
        }
    }
}
